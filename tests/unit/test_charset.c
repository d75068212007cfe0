#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "lib/base/text.h"
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

/* The two readings of every label: what it says where the bytes allow it, and UTF-8 whatever comes. */
static void test_charset__labels_as_they_travel(void **state)
{
	(void)state;
	static const struct {
		const char *label, *bytes, *text;
	} rows[] = {
		{"\"UTF-8\"", "\xe5\x81\x9c", "停"},
		{"utf8", "\xe5\x81\x9c", "停"},
		{"unicode-1-1-utf-7", "plain", "plain"},
		{"windows-31j", "\x92\xe2\x87\x40", "停①"},
		{"cp932", "\x92\xe2\xfb\xfc", "停髙"},
		{"ms_kanji", "\x92\xe2", "停"},
		{"x-euc-jp", "\xc4\xe4\xad\xa1", "停①"},
		{"cp50220", "\033$B-!\033(B", "①"},
		{"iso-2022-jp-ms", "\033$B-!\033(B", "①"},
		{"iso-2022-jp-2", "\033$BDd\033(B", "停"},
		{"csISO2022JP", "\033$@Dd\033(J", "停"}, /* JIS C 6226-1978, JIS X 0201 */
		{"gb2312", "\xcd\xa3", "停"},
		{"big5", "\xb0\xb1", "停"},
		{"euc-kr", "\xb0\xa1", "가"},
		{"windows-1252", "caf\xe9 \x93x\x94", "café “x”"},
		{"unknown-8bit", "\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2", "停止したい"},
		{"x-user-defined", "\xe5\x81\x9c\xe6\xad\xa2", "停止"},
		{"utf-8", "\xef\xbf\xbd", "\xef\xbf\xbd"},
		{"iso-2022-jp", "\xe5\x81\x9c\xe6\xad\xa2", "停止"}, /* UTF-8 under that name */
		{"iso-2022-jp", "\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2", "停止したい"},
	};
	int wrong = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str out = STR_INIT;
		(void)charset_decode(&out, rows[i].bytes, strlen(rows[i].bytes), rows[i].label, NULL);
		if (strcmp(out.s, rows[i].text) != 0) {
			print_error("%s: '%s' instead of '%s'\n", rows[i].label, out.s, rows[i].text);
			wrong++;
		}
		str_free(&out);
	}
	assert_int_equal(wrong, 0);
}

static void test_charset__cut_anywhere_is_utf8(void **state)
{
	(void)state;
	static const char *const texts[] = {"\033$BDd;_\033(I3E=\033(B abc", "\x92\xe2\x8e\x7e\x87\x40",
		"\xc4\xe4\xbb\xdf\x8f\xb0\xa1", "\xe5\x81\x9c\xf0\xa0\xae\xb7",
		"=?utf-8?B?5YGc5q2i?= =?iso-2022-jp?Q?=1B$BDd=1B(B?=", "\xff\xfe\x00\x30"};
	static const char *const labels[] = {"", "utf-8", "iso-2022-jp", "shift_jis", "euc-jp", "utf-16",
		"utf-16le", "us-ascii", "iso-8859-1", "gb18030"};
	for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
		for (size_t cut = 0; cut <= strlen(texts[t]); cut++) {
			struct str header = STR_INIT;
			header_decode(&header, texts[t], cut);
			assert_true(utf8_valid(header.s, header.len));
			str_free(&header);
			for (size_t l = 0; l < sizeof labels / sizeof *labels; l++) {
				struct str out = STR_INIT;
				(void)charset_decode(&out, texts[t], cut, labels[l], NULL);
				assert_true(utf8_valid(out.s, out.len));
				str_free(&out);
			}
		}
}

static void test_charset__hostile_headers(void **state)
{
	(void)state;
	static const struct {
		const char *header, *text;
	} rows[] = {
		{"=?utf-8?B?", "=?utf-8?B?"},
		{"=?utf-8?B?"
		 "?=",
			""},
		{"=?utf-8?B?!!!!?=", ""},
		{"=?utf-8?Q?=ZZ=4?=", "=ZZ=4"},
		{"=??B?YQ==?=", "=??B?YQ==?="},
		{"=?utf-8?B?YQ==?= b =?utf-8?B?Yw==?=", "a b c"},
		{"=?utf-8?B?YQ==?==?utf-8?B?Yg==?=", "ab"},
		{"\"=?utf-8?B?YQ==?=\" <x@example.jp>", "\"a\" <x@example.jp>"},
		{"=?utf-8?B?DQpCY2M6IHhAZXhhbXBsZS5qcA==?=", NULL}, /* a field smuggled in */
		{"=?an-endless-name-of-a-charset-that-nobody-ever-wrote-in-a-mail?B?YQ==?=",
			"=?an-endless-name-of-a-charset-that-nobody-ever-wrote-in-a-mail?B?YQ==?="},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct str out = STR_INIT;
		bool hidden = header_decode(&out, rows[i].header, strlen(rows[i].header));
		assert_int_equal(hidden, rows[i].text == NULL);
		if (rows[i].text ? strcmp(out.s, rows[i].text) != 0 : strpbrk(out.s, "\r\n") != NULL)
			fail_msg("row %zu: '%s'", i, out.s);
		str_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_charset__bytes_decide_over_labels),
		cmocka_unit_test(test_charset__header_words),
		cmocka_unit_test(test_charset__losses_are_counted_and_nothing_is_dropped),
		cmocka_unit_test(test_charset__labels_as_they_travel),
		cmocka_unit_test(test_charset__cut_anywhere_is_utf8),
		cmocka_unit_test(test_charset__hostile_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
