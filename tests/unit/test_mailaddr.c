#include "lib/base/mailaddr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void test_mailaddr__accepts(void **state)
{
	(void)state;
	static const struct {
		const char *text, *printed, *key;
	} cases[] = {
		{"info@example.co.jp", "info@example.co.jp", "info@example.co.jp"},
		{" 　Info.Desk+x@Example.CO.JP\t", "Info.Desk+x@example.co.jp", "info.desk+x@example.co.jp"},
		{"ｉｎｆｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", "info@example.co.jp", "info@example.co.jp"},
		{"info@example.co.jp\r\n", "info@example.co.jp", "info@example.co.jp"},
		/* Addresses that carriers gave out until 2009. */
		{"a..b@docomo.ne.jp", "\"a..b\"@docomo.ne.jp", "a..b@docomo.ne.jp"},
		{"taro.@docomo.ne.jp", "\"taro.\"@docomo.ne.jp", "taro.@docomo.ne.jp"},
		{".taro@ezweb.ne.jp", "\".taro\"@ezweb.ne.jp", ".taro@ezweb.ne.jp"},
		{"\"a..b\"@docomo.ne.jp", "\"a..b\"@docomo.ne.jp", "a..b@docomo.ne.jp"},
		{"\"plain\"@example.jp", "plain@example.jp", "plain@example.jp"},
		{"\"a@b\"@example.jp", "\"a@b\"@example.jp", "a@b@example.jp"},
		{"\"q\\\"q\"@example.jp", "\"q\\\"q\"@example.jp", "q\"q@example.jp"},
		{"info@見本.jp", "info@xn--8pvz87e.jp", "info@xn--8pvz87e.jp"},
		{"info@日本語．ｊｐ", "info@xn--wgv71a119e.jp", "info@xn--wgv71a119e.jp"},
		{"info@XN--WGV71A119E.jp", "info@xn--wgv71a119e.jp", "info@xn--wgv71a119e.jp"},
		{"o'neil/x=1@example.jp", "o'neil/x=1@example.jp", "o'neil/x=1@example.jp"},
		{"a@1.example.jp", "a@1.example.jp", "a@1.example.jp"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mailaddr addr;
		struct str printed = STR_INIT, key = STR_INIT;
		enum mailaddr_fault fault = mailaddr_read(&addr, cases[i].text);
		if (fault != MAILADDR_OK)
			fail_msg("%s: %s", cases[i].text, mailaddr_fault_name(fault));
		mailaddr_print(&printed, &addr);
		mailaddr_key(&key, &addr);
		assert_string_equal(printed.s, cases[i].printed);
		assert_string_equal(key.s, cases[i].key);
		/* What is printed reads as the same address. */
		struct mailaddr again;
		assert_int_equal(mailaddr_read(&again, printed.s), MAILADDR_OK);
		assert_string_equal(again.local, addr.local);
		assert_string_equal(again.domain, addr.domain);
		str_free(&printed);
		str_free(&key);
	}
}

static void test_mailaddr__refuses(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum mailaddr_fault fault;
	} cases[] = {
		{"", MAILADDR_EMPTY},
		{" 　", MAILADDR_EMPTY},
		{"info", MAILADDR_NO_AT},
		{"@example.jp", MAILADDR_NO_AT},
		{"info@", MAILADDR_NO_AT},
		{"\"\"@example.jp", MAILADDR_NO_AT},
		{"a@b@example.jp", MAILADDR_SEVERAL},
		{"a@example.jp,b@example.jp", MAILADDR_SEVERAL},
		{"a@example.jp b@example.jp", MAILADDR_SEVERAL},
		{"a@example.jp;", MAILADDR_SEVERAL},
		{"a@example.jp\nBcc: b@example.jp", MAILADDR_CONTROL},
		{"a@example.jp\r\n\r\nhello", MAILADDR_CONTROL},
		{"a\x7F@example.jp", MAILADDR_CONTROL},
		{"a@example.jp\xE2\x80\xA8"
		 "Bcc: x",
			MAILADDR_CONTROL}, /* U+2028 */
		{"a\xE2\x80\xAE@example.jp", MAILADDR_CONTROL}, /* right-to-left override */
		{"a\xE2\x80\x8B@example.jp", MAILADDR_CONTROL}, /* zero-width space */
		{"a@exam\xC2\xADple.jp", MAILADDR_CONTROL}, /* soft hyphen */
		{"a\xFF@example.jp", MAILADDR_CONTROL},
		{"a b@example.jp", MAILADDR_LOCAL_CHARS},
		{"<a@example.jp>", MAILADDR_LOCAL_CHARS},
		{"見本 <a@example.jp>", MAILADDR_LOCAL_CHARS},
		{"山田@example.jp", MAILADDR_LOCAL_CHARS},
		{"a(b)@example.jp", MAILADDR_LOCAL_CHARS},
		{"a,b@example.jp", MAILADDR_LOCAL_CHARS},
		{"\"a\"b@example.jp", MAILADDR_LOCAL_CHARS},
		{"\"a\"b\"@example.jp", MAILADDR_LOCAL_CHARS},
		{"\"a\\\"@example.jp", MAILADDR_LOCAL_CHARS},
		{"a@localhost", MAILADDR_DOMAIN},
		{"a@example..jp", MAILADDR_DOMAIN},
		{"a@.example.jp", MAILADDR_DOMAIN},
		{"a@example.jp.", MAILADDR_DOMAIN},
		{"a@-x.jp", MAILADDR_DOMAIN},
		{"a@x-.jp", MAILADDR_DOMAIN},
		{"a@ex_ample.jp", MAILADDR_DOMAIN},
		{"a@192.0.2.1", MAILADDR_DOMAIN},
		{"a@[192.0.2.1]", MAILADDR_DOMAIN},
		{"a@example.jp>", MAILADDR_DOMAIN},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mailaddr addr = {.local = "untouched"};
		enum mailaddr_fault fault = mailaddr_read(&addr, cases[i].text);
		if (fault != cases[i].fault)
			fail_msg("%s: %s, expected %s", cases[i].text, mailaddr_fault_name(fault),
				mailaddr_fault_name(cases[i].fault));
		assert_string_equal(addr.local, "untouched");
	}
}

static void test_mailaddr__lengths(void **state)
{
	(void)state;
	static const struct {
		size_t local, label, labels;
		enum mailaddr_fault fault;
	} cases[] = {
		{64, 10, 1, MAILADDR_OK}, {65, 10, 1, MAILADDR_TOO_LONG}, {1, 63, 3, MAILADDR_OK},
		{1, 64, 1, MAILADDR_DOMAIN}, {60, 50, 4, MAILADDR_TOO_LONG}, /* 60 + 1 + 4 * 51 + 2 */
		{64, 61, 3, MAILADDR_OK}, /* 254 with the quotes of none */
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct mailaddr addr;
		struct str text = STR_INIT;
		for (size_t n = 0; n < cases[i].local; n++)
			str_addc(&text, 'a');
		str_addc(&text, '@');
		for (size_t label = 0; label < cases[i].labels; label++) {
			for (size_t n = 0; n < cases[i].label; n++)
				str_addc(&text, 'b');
			str_addc(&text, '.');
		}
		str_addz(&text, "jp");
		enum mailaddr_fault fault = mailaddr_read(&addr, text.s);
		if (fault != cases[i].fault)
			fail_msg("case %zu: %s", i, mailaddr_fault_name(fault));
		str_free(&text);
	}
}

static void test_mailaddr__both_spellings_share_a_key(void **state)
{
	(void)state;
	struct mailaddr a, b;
	struct str x = STR_INIT, y = STR_INIT;
	assert_int_equal(mailaddr_read(&a, "Taro..Y@DoCoMo.ne.jp"), MAILADDR_OK);
	assert_int_equal(mailaddr_read(&b, "\"taro..y\"@docomo.ne.jp"), MAILADDR_OK);
	mailaddr_key(&x, &a);
	mailaddr_key(&y, &b);
	assert_string_equal(x.s, y.s);
	str_free(&x);
	str_free(&y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mailaddr__accepts),
		cmocka_unit_test(test_mailaddr__refuses),
		cmocka_unit_test(test_mailaddr__lengths),
		cmocka_unit_test(test_mailaddr__both_spellings_share_a_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
