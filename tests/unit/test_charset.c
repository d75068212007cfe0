#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/mail/charset.h"

struct vector {
	const char *bytes, *label, *text, *used;
	size_t bad;
};

static const struct vector vectors[] = {
	{"plain", NULL, "plain", "US-ASCII", 0},
	{"\xe5\x81\x9c\xe6\xad\xa2", "utf-8", "停止", "UTF-8", 0},
	{"\033$BDd;_\033(B", "ISO-2022-JP", "停止", "ISO-2022-JP", 0},
	{"\033$BDd;_\033(B", NULL, "停止", "ISO-2022-JP", 0}, /* no label */
	{"\033$BDd;_\033(B", "utf-8", "停止", "ISO-2022-JP", 0}, /* wrong label */
	{"\033$B-!-j\033(B", "iso-2022-jp", "①㈱", "ISO-2022-JP", 0}, /* NEC row 13 */
	{"\033$B|b\033(B", "iso-2022-jp", "髙", "ISO-2022-JP", 0}, /* NEC selection of IBM extensions */
	{"\033(I3E=\033(B", "iso-2022-jp", "ｳﾅｽ", "ISO-2022-JP", 0}, /* half-width kana by escape */
	{"\033$BDd;_\016\x33\x45\017", "iso-2022-jp", "停止ｳﾅ", "ISO-2022-JP", 0},
	{"\033$BDd;_\nabc", "iso-2022-jp", "停止\nabc", "ISO-2022-JP", 0}, /* a line that forgot to go back */
	{"\033$BDd;", "iso-2022-jp", "停\xef\xbf\xbd", "ISO-2022-JP", 1}, /* cut in the middle */
	{"\x92\xe2\x8e\x7e", "Shift_JIS", "停止", "CP932", 0},
	{"\x87\x40\x87\x8a", "x-sjis", "①㈱", "CP932", 0},
	{"\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2", "us-ascii", "停止したい", "CP932", 0},
	{"\xc4\xe4\xbb\xdf\xa4\xb7\xa4\xbf\xa4\xa4", "utf-8", "停止したい", "EUC-JP",
		0}, /* EUC under a UTF-8 label */
	{"\xc4\xe4\xbb\xdf", "euc-jp", "停止", "EUC-JP", 0},
	{"\xc4\xe4\xbb\xdf\xa4\xb7\xa4\xbf\xa4\xa4", NULL, "停止したい", "EUC-JP", 0},
	{"caf\xe9", "iso-8859-1", "café", "ISO-8859-1", 0},
	{"\xef\xbb\xbf\xe5\x81\x9c", "utf-8", "停", "UTF-8", 0},
};

static void test_charset__bytes_decide_over_labels(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		const struct vector *v = &vectors[i];
		struct str out = STR_INIT;
		const char *used = NULL;
		size_t bad = charset_decode(&out, v->bytes, strlen(v->bytes), v->label, &used);
		if (strcmp(out.s, v->text) != 0 || strcmp(used, v->used) != 0 || bad != v->bad)
			fail_msg("row %zu: got '%s' as %s with %zu losses", i, out.s, used, bad);
		str_free(&out);
	}
}

static void test_charset__header_words(void **state)
{
	(void)state;
	static const struct {
		const char *header, *text;
	} rows[] = {
		{"=?utf-8?B?5YGc5q2i?=", "停止"},
		{"=?UTF-8?Q?=E5=81=9C_=E6=AD=A2?= x", "停 止 x"},
		/* cut inside a character, folded */
		{"=?utf-8?B?5Q==?=\r\n =?utf-8?B?gZzmraI=?=", "停止"},
		{"=?ISO-2022-JP?B?GyRCRGQ7XxsoQg==?= =?ISO-2022-JP?B?GyRCRGQ7XxsoQg==?=", "停止停止"},
		{"Re: =?utf-8?B?5YGc5q2i?= end", "Re: 停止 end"},
		/* two charsets side by side */
		{"=?utf-8?B?5YGc?= =?Shift_JIS?B?jn4=?=", "停止"},
		/* padding lost, language given */
		{"=?utf-8*ja?B?5YGc5q2i?=", "停止"},
		{"=?utf-8?B?5YGcYQ?=", "停a"},
		/* not an encoded word */
		{"=?utf-8?X?abc?= a=?b", "=?utf-8?X?abc?= a=?b"},
		/* raw bytes */
		{"\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2", "停止したい"},
		{"\033$BDd;_\033(B", "停止"},
		{"a\r\n\tb", "a b"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str out = STR_INIT;
		header_decode(&out, rows[i].header, strlen(rows[i].header));
		assert_string_equal(out.s, rows[i].text);
		str_free(&out);
	}
}

static void test_charset__losses_are_counted_and_nothing_is_dropped(void **state)
{
	(void)state;
	for (unsigned c = 0x80; c < 0x100; c++) {
		char bytes[3] = {'a', (char)c, 'z'};
		struct str out = STR_INIT;
		(void)charset_decode(&out, bytes, 3, "utf-8", NULL);
		assert_int_equal(out.s[0], 'a');
		assert_true(out.len >= 2);
		str_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charset__bytes_decide_over_labels),
		cmocka_unit_test(test_charset__header_words),
		cmocka_unit_test(test_charset__losses_are_counted_and_nothing_is_dropped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
