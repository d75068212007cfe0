/* bounce addresses: signed, short enough, one case */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/bounceaddr.h"

static const char base[] = "bounce@sa.example.jp";
static const char key[] = "a key that only the office knows";

static void make(struct str *out, int64_t id)
{
	struct err err;
	assert_int_equal(bounceaddr_make(out, base, id, key, sizeof key, &err), RC_OK);
}

static void test_bounceaddr__round_trip(void **state)
{
	(void)state;
	static const int64_t ids[] = {1, 31, 32, 255, 256, 400000, 4000000000, INT64_MAX};
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
		struct str address = STR_INIT;
		make(&address, ids[i]);
		assert_true(strcspn(address.s, "@") <= 64);
		assert_int_equal(bounceaddr_read(address.s, base, key, sizeof key), ids[i]);
		for (char *c = address.s; *c; c++) /* somebody on the way writes it all in capitals */
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		assert_int_equal(bounceaddr_read(address.s, base, key, sizeof key), ids[i]);
		str_free(&address);
	}
}

static void test_bounceaddr__forged_or_foreign(void **state)
{
	(void)state;
	struct str address = STR_INIT;
	make(&address, 77);
	assert_int_equal(bounceaddr_read(address.s, base, "another key", 11), 0);
	assert_int_equal(bounceaddr_read(address.s, "other@sa.example.jp", key, sizeof key), 0);
	assert_int_equal(bounceaddr_read(address.s, "bounce@example.com", key, sizeof key), 0);
	assert_int_equal(bounceaddr_read(base, base, key, sizeof key), 0);
	assert_int_equal(bounceaddr_read("", base, key, sizeof key), 0);
	assert_int_equal(bounceaddr_read("bounce+b@sa.example.jp", base, key, sizeof key), 0);
	assert_int_equal(bounceaddr_read("bounce+b.@sa.example.jp", base, key, sizeof key), 0);
	/* Each character counts. */
	size_t at = strcspn(address.s, "@");
	for (size_t i = 0; i < at; i++) {
		char was = address.s[i];
		address.s[i] = was == 'q' ? 'r' : 'q';
		assert_int_equal(bounceaddr_read(address.s, base, key, sizeof key), 0);
		address.s[i] = was;
	}
	str_free(&address);
}

static void test_bounceaddr__refuses(void **state)
{
	(void)state;
	struct str address = STR_INIT;
	struct err err;
	assert_int_equal(
		bounceaddr_make(&address, "this-local-part-is-far-too-long-for-a-mark-behind-it@example.jp",
			INT64_MAX, key, sizeof key, &err),
		RC_CONFIG);
	assert_int_equal(bounceaddr_make(&address, "no address", 1, key, sizeof key, &err), RC_CONFIG);
	assert_int_equal(bounceaddr_make(&address, base, 0, key, sizeof key, &err), RC_REFUSED);
	assert_int_equal(address.len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bounceaddr__round_trip),
		cmocka_unit_test(test_bounceaddr__forged_or_foreign),
		cmocka_unit_test(test_bounceaddr__refuses),
	};
	return cmocka_run_group_tests_name("bounceaddr", tests, NULL, NULL);
}
