#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "lib/mail/mask.h"
#include "lib/mail/token.h"

static const uint8_t key[SEAL_KEY_LEN] = {1, 2, 3};
#define PASSWORD "Sample-Zip-77"

static void assert_masked(const struct mask *mask, const char *text, const char *wanted)
{
	struct str out = STR_INIT;
	mask_add(&out, mask, text);
	assert_string_equal(out.s, wanted);
	str_free(&out);
}

static void test_mask__shapes(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"", ""},
		{"株式会社サンプル", "株式会社サンプル"},
		{"利用者番号: 9035489508 です", "利用者番号: 9•••••••08 です"},
		{"９０３５４８９５０８", "9•••••••08"},
		{"903-548-9508", "9•••••••08"},
		{"自己宣言ID 40123456789", "自己宣言ID 40123456789"},
		{"法人番号 9000012345678", "法人番号 9000012345678"},
		{"電話 03-1234-5678", "電話 03-1234-5678"},
		/* A digest is no number, nor a token. */
		{"9035489508a903548950819035489508b9035489508c9035489508d903548950",
			"9035489508a903548950819035489508b9035489508c9035489508d903548950"},
		{"パスワードは" PASSWORD "です", "パスワードは••••••です"},
		{PASSWORD PASSWORD, "••••••••••••"},
		{"sample-zip-77", "sample-zip-77"},
		{"Sample-Zip-7", "Sample-Zip-7"},
		{"xS" PASSWORD "x", "xS••••••x"},
		{"第二のpassword-2", "第二の••••••"},
	};
	(void)state;
	struct mask mask = {0}, read;
	struct rng rng = rng_seeded(1);
	struct str kept = STR_INIT;
	assert_true(mask_learn(&mask, PASSWORD, &rng));
	assert_true(mask_learn(&mask, "password-2", &rng));
	assert_false(mask_learn(&mask, PASSWORD, &rng));
	assert_false(mask_learn(&mask, "short", &rng));
	mask_print(&kept, &mask);
	assert_null(strstr(kept.s, "Sample"));
	mask_read(&read, kept.s);
	assert_int_equal(read.count, 2);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_masked(&read, cases[i].text, cases[i].wanted);
	assert_masked(NULL, PASSWORD, PASSWORD);
	str_free(&kept);
}

static void test_mask__tokens(void **state)
{
	char token[TOKEN_TEXT_MAX];
	struct rng rng = rng_seeded(2);
	struct str text = STR_INIT;
	(void)state;
	for (int i = 0; i < 20; i++) {
		token_make(token, TOKEN_REQUEST, i, INT64_MAX, &rng, key);
		str_clear(&text);
		str_printf(&text, "確認コード %s\n<confirm.%s@example.jp>", token, token);
		assert_masked(NULL, text.s, "確認コード ••••••\n<confirm.••••••@example.jp>");
	}
	str_free(&text);
}

static void test_mask__what_is_kept(void **state)
{
	(void)state;
	struct mask mask;
	static const char *const broken[] = {
		"", " ", "x", "13", "13:zz:1", "3:0100:1", "99999:0100:1", "13:0:1", "13:ffffffffffffffff:1"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		mask_read(&mask, broken[i]);
		assert_int_equal(mask.count, 0);
	}
	/* The oldest give way. */
	struct rng rng = rng_seeded(3);
	char password[16];
	for (int i = 0; i < MASK_PASSWORDS + 4; i++) {
		(void)snprintf(password, sizeof password, "password%d", i);
		assert_true(mask_learn(&mask, password, &rng));
	}
	assert_int_equal(mask.count, MASK_PASSWORDS);
	assert_masked(&mask, "password19", "••••••");
	assert_masked(&mask, "password3 ", "password3 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mask__shapes),
		cmocka_unit_test(test_mask__tokens),
		cmocka_unit_test(test_mask__what_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
