/* ISO-2022-JP as RFC 1468 has it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/iso2022jp.h"

static void test_iso2022jp__writes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *want;
	} cases[] = {
		{"", ""},
		{"abc", "abc"},
		{"あ", "\033$B$\"\033(B"},
		{"aあb", "a\033$B$\"\033(Bb"},
		{"あ\r\nい", "\033$B$\"\033(B\r\n\033$B$$\033(B"},
		{"〜～", "\033$B!A!A\033(B"},
		{"−－", "\033$B!]!]\033(B"},
		{"‖∥", "\033$B!B!B\033(B"},
		{"¢￠£￡¬￢", "\033$B!q!q!r!r\"L\"L\033(B"},
		{"―—", "\033$B!=!=\033(B"},
		{"¥￥", "\033$B!o!o\033(B"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct str out = STR_INIT;
		size_t bad = 0;
		assert_true(iso2022jp_from_utf8(&out, cases[i].text, strlen(cases[i].text), &bad));
		assert_string_equal(out.s, cases[i].want);
		str_free(&out);
	}
}

static void test_iso2022jp__refuses_what_readers_lack(void **state)
{
	(void)state;
	static const char *const lacking[] = {
		"①", "㈱", "髙", "﨑", "ｱ", "Ⅲ", "№", "𠮷", "é", "丂", "😀", "\033", "\xff", "\xe3\x81"};
	for (size_t i = 0; i < sizeof lacking / sizeof lacking[0]; i++) {
		struct str text = STR_INIT, out = STR_INIT;
		size_t bad = 0;
		str_printf(&text, "会社%s様", lacking[i]);
		str_addz(&out, "before");
		assert_false(iso2022jp_from_utf8(&out, text.s, text.len, &bad));
		assert_int_equal(bad, strlen("会社"));
		assert_string_equal(out.s, "before");
		str_free(&text);
		str_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iso2022jp__writes),
		cmocka_unit_test(test_iso2022jp__refuses_what_readers_lack),
	};
	return cmocka_run_group_tests_name("iso2022jp", tests, NULL, NULL);
}
