/* folder names on the wire (RFC 3501, 5.1.3) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/mail/mailbox.h"

static const struct {
	const char *utf8, *mutf7;
} names[] = {
	{"", ""},
	{"INBOX", "INBOX"},
	{"a&b", "a&-b"},
	{"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, /* the RFC's own */
	{"処理済み", "&UeZ0Bm4IMH8-"},
	{"要確認", "&iYF4uoqN-"},
	{"バウンス", "&MNAwpjDzMLk-"},
	{"Nr.5 停止", "Nr.5 &UFxrYg-"},
	{"𠮷野家", "&2ELft5HOW7Y-"}, /* beyond the BMP */
	{"&&", "&-&-"},
	{"é", "&AOk-"},
};

static void test_mutf7__names_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct str there = STR_INIT, back = STR_INIT;
		mutf7_add(&there, names[i].utf8);
		assert_string_equal(there.s, names[i].mutf7);
		assert_true(mutf7_to_utf8(&back, names[i].mutf7));
		assert_string_equal(back.s, names[i].utf8);
		str_free(&there);
		str_free(&back);
	}
}

static void test_mutf7__what_is_none(void **state)
{
	(void)state;
	static const char *const bad[] = {"&", "&AOk", "a&AO-k", "&AOk=-", "&2EI-", "&37c-", "&2EIAQQ-",
		"&AAA-", "処理", "a\tb", "&A/k-", "& AOk-"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct str out = STR_INIT;
		assert_false(mutf7_to_utf8(&out, bad[i]));
		str_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutf7__names_both_ways),
		cmocka_unit_test(test_mutf7__what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
