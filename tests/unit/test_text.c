#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unictype.h>

struct text_case {
	const char *in, *out;
};

static void check(void (*fn)(struct str *, const char *), const struct text_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str out = STR_INIT;
		str_addz(&out, "前");
		fn(&out, cases[i].in);
		assert_string_equal(out.s + strlen("前"), cases[i].out);
		str_free(&out);
	}
}
#define CHECK(fn, cases) check(fn, cases, sizeof(cases) / sizeof *(cases))

static void test_text__utf8_is_strict(void **state)
{
	(void)state;
	static const char *const good[] = {"", "a", "é", "日本", "\xF0\xA0\xAE\xB7", "\xF4\x8F\xBF\xBF"};
	static const char *const bad[] = {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xED\xA0\x80",
		"\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE3\x81", "a\xFF", "\xE3\x81z"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	assert_true(utf8_valid("a\0b", 3));
}

static void test_text__utf8_round_trip(void **state)
{
	(void)state;
	static const uint32_t chars[] = {
		0x41, 0x7F, 0x80, 0x7FF, 0x800, 0x3042, 0xFFFF, 0x10000, 0x20BB7, 0x10FFFF};
	for (size_t i = 0; i < sizeof chars / sizeof *chars; i++) {
		struct str s = STR_INIT;
		uint32_t c = 0;
		utf8_add(&s, chars[i]);
		assert_int_equal(utf8_next(s.s, s.len, &c), s.len);
		assert_int_equal(c, chars[i]);
		assert_int_equal(utf8_chars(s.s), 1);
		str_free(&s);
	}
	assert_int_equal(utf8_chars("a日本𠮷"), 4);
}

static void test_text__usual_characters_are_what_nobody_looks_for(void **state)
{
	(void)state;
	struct str one = STR_INIT;
	size_t usual_ones = 0;
	for (uint32_t c = 0; c <= 0x10FFFF; c++) {
		str_clear(&one);
		utf8_add(&one, c);
		for (size_t len = 1; len < one.len; len++)
			assert_int_equal(utf8_usual(one.s, len, true), 0);
		size_t usual = utf8_usual(one.s, one.len, true);
		if (c < 0x80) {
			bool number = (c >= '0' && c <= '9') || c == '+' || c == ':';
			assert_int_equal(usual, c >= ' ' && c <= '~');
			assert_int_equal(utf8_usual(one.s, one.len, false), usual && !number);
			continue;
		}
		assert_int_equal(utf8_usual(one.s, one.len, false), usual);
		if (usual == 0)
			continue;
		usual_ones++;
		assert_int_equal(usual, one.len);
		assert_false(text_is_control(c));
		assert_true(uc_decimal_value(c) < 0);
		assert_false(uc_is_general_category_withtable(
			c, UC_CATEGORY_MASK_Cn | UC_CATEGORY_MASK_Co | UC_CATEGORY_MASK_Cs));
	}
	assert_true(usual_ones > 20000);
	static const char *const broken[] = {
		"\xE3\x41\x82", "\xE4\xBA\x41", "\xFF\x82\x82", "\xE3\x82\xE3\x82\x82"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++)
		assert_int_equal(utf8_usual(broken[i], strlen(broken[i]), true), 0);
	assert_int_equal(utf8_usual("漢字とかな、AZ\n", 22, true), 20);
	str_free(&one);
}

static void test_text__cp932_reads_what_windows_writes(void **state)
{
	(void)state;
	/* 日本 ① ㈱ 髙 ～ － half-width ｱ ASCII backslash */
	static const char bytes[] = "\x93\xFA\x96\x7B\x87\x40\x87\x8A\xFB\xFC\x81\x60\x81\x7C\xB1\\";
	struct str out = STR_INIT;
	size_t bad = 99;
	assert_true(text_from_cp932(&out, bytes, strlen(bytes), &bad));
	assert_string_equal(out.s, "日本①㈱髙～－ｱ\\");
	str_free(&out);
}

static void test_text__cp932_names_the_bad_byte(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t bad;
		const char *before;
	} cases[] = {
		{"ab\xFF", 2, "ab"},
		{"\x93\xFA\x85\x40", 2, "日"}, /* a row that has no characters */
		{"\x93\xFA\x93", 2, "日"}, /* cut in half */
		{"\x93\x20", 0, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str out = STR_INIT;
		size_t bad = 99;
		assert_false(text_from_cp932(&out, cases[i].bytes, strlen(cases[i].bytes), &bad));
		assert_int_equal(bad, cases[i].bad);
		assert_string_equal(out.s, cases[i].before);
		str_free(&out);
	}
	/* A refusal leaves nothing behind in the converter. */
	struct str out = STR_INIT;
	size_t bad;
	assert_true(text_from_cp932(&out, "\x96\x7B", 2, &bad));
	assert_string_equal(out.s, "本");
	str_free(&out);
}

static void test_text__cp932_writes(void **state)
{
	(void)state;
	struct str out = STR_INIT, back = STR_INIT;
	size_t bad = 99;
	/* U+301C, U+2212, U+2016, U+2014 are what other systems write for Windows' characters. */
	static const char text[] = "〜−‖—①髙ｱA\n";
	assert_true(text_to_cp932(&out, text, strlen(text), &bad));
	assert_true(text_from_cp932(&back, out.s, out.len, &bad));
	assert_string_equal(back.s, "～－∥―①髙ｱA\n");
	str_free(&out);
	str_free(&back);

	assert_false(text_to_cp932(&out, "日a𠮷b", strlen("日a𠮷b"), &bad));
	assert_int_equal(bad, 4);
	assert_string_equal(out.s, "\x93\xFA"
				   "a");
	str_free(&out);
	assert_false(text_to_cp932(&out, "é", 2, &bad));
	assert_int_equal(bad, 0);
	str_free(&out);
}

static void test_text__cp932_long_text(void **state)
{
	(void)state;
	struct str in = STR_INIT, out = STR_INIT;
	size_t bad;
	for (int i = 0; i < 50000; i++)
		str_addz(&in, "\xB1"); /* one byte becomes three */
	assert_true(text_from_cp932(&out, in.s, in.len, &bad));
	assert_int_equal(out.len, 150000);
	str_free(&in);
	str_free(&out);
}

static void test_text__nfkc(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
		{"ＡＢＣ１２３", "ABC123"}, {"ｱﾊﾟｰﾄ", "アパート"}, {"㈱㍿㈲", "(株)株式会社(有)"},
		{"か\xE3\x82\x99", "が"}, {"㋿", "令和"}, {"\xE3\x81 broken", "\xE3\x81 broken"},
		{"神", "神"}, /* U+FA19 */
	};
	CHECK(text_nfkc, cases);
}

static void test_text__fold(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
		{"　 ０３ー１２３４－５６７８\t", "03-1234-5678"},
		{"03ー1234", "03-1234"},
		{"コーヒー", "コーヒー"},
		{"1〜5人", "1~5人"},
		{"1～5人", "1~5人"},
		{"a　　 \n b", "a b"},
		{"−‐–—―", "-----"},
		{"", ""},
		{"　", ""},
	};
	CHECK(text_fold, cases);
}

static void test_text__key(void **state)
{
	(void)state;
	static const char *const same[][2] = {
		{"株式会社サンプル", "㈱サンプル"},
		{"株式会社サンプル", "（株）　サンプル"},
		{"株式会社サンプル", "株式会社 ｻﾝﾌﾟﾙ"},
		{"サンプル有限会社", "サンプル㈲"},
		{"一般社団法人見本", "(一社)見本"},
		{"NPO法人見本", "特定非営利活動法人　見本"},
		{"医療法人社団見本会", "(医社)見本會"},
		{"髙橋", "高橋"},
		{"﨑山德子", "崎山徳子"},
		{"濵栁齋藤", "浜柳斎藤"},
		{"𠮷野", "吉野"},
		{"渡邉", "渡邊"},
		{"葛\xF3\xA0\x84\x80城", "葛城"},
		{"Sample Inc.", "ＳＡＭＰＬＥ　INC."},
		{"見\xE2\x80\x8B本", "見本"},
	};
	static const char *const other[][2] = {
		{"株式会社サンプル", "有限会社サンプル"},
		{"株式会社サンプル", "サンプル株式会社"},
		{"サンプル", "サンブル"},
		{"一般社団法人見本", "公益社団法人見本"},
	};
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		struct str a = STR_INIT, b = STR_INIT;
		text_key(&a, same[i][0]);
		text_key(&b, same[i][1]);
		assert_string_equal(a.s, b.s);
		assert_true(text_same_key(same[i][0], same[i][1]));
		str_free(&a);
		str_free(&b);
	}
	for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
		struct str a = STR_INIT, b = STR_INIT;
		text_key(&a, other[i][0]);
		text_key(&b, other[i][1]);
		assert_string_not_equal(a.s, b.s);
		assert_false(text_same_key(other[i][0], other[i][1]));
		str_free(&a);
		str_free(&b);
	}
}

static void test_text__each_old_glyph_is_found(void **state)
{
	(void)state;
	/* The table is searched by halves: one pair out of order would hide others. First, last and some between. */
	static const struct text_case cases[] = {{"亞", "亜"}, {"國", "国"}, {"嶋", "島"}, {"澤", "沢"},
		{"邊", "辺"}, {"龍", "竜"}, {"﨑", "崎"}, {"𣘺", "橋"}, {"冨", "富"}, {"條", "条"},
		{"總", "総"}, {"關", "関"}, {"黑", "黒"}, {"廣", "広"}};
	CHECK(text_key, cases);
}

static void test_text__trim(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
		{"  a b　", "a b"},
		{"　\r\n\t", ""},
		{"", ""},
		{"\xEF\xBB\xBF値", "値"},
		{"値", "値"},
		{" \xE3\x81", "\xE3\x81"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *copy = xstrdup(cases[i].in);
		assert_string_equal(text_trim(copy), cases[i].out);
		free(copy);
	}
}

static void test_text__digits(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{"１２３-4567", "1234567"},
		{"１２３ー4567", "1234567"},
		{" 1 2　3 ", "123"},
		{"", ""},
		{"12a", NULL},
		{"1.2", NULL},
		{"1.23E+12", NULL},
		{"一二", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str out = STR_INIT;
		assert_int_equal(text_digits(&out, cases[i].in), cases[i].out != NULL);
		assert_string_equal(out.s, cases[i].out ? cases[i].out : "");
		str_free(&out);
	}
}

static void test_text__control_characters(void **state)
{
	(void)state;
	static const char *const bad[] = {"a\nb", "a\r", "\t", "\x1B[31m", "\x7F", "\xC2\x85", "\xE2\x80\xA8",
		"\xE2\x80\xA9", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x80\x8F", "\xFF"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_true(text_has_control(bad[i]));
	assert_false(text_has_control("株式会社　サンプル 1-2"));
}

static void test_text__urls(void **state)
{
	(void)state;
	static const char *const yes[] = {"http://example.jp", "見る→https://x",
		"ＨＴＴＰ：／／ｅｘａｍｐｌｅ．ｊｐ", "WWW.example.com", "example.co.jp/a",
		"くわしくはexample.jp/", "例え.jp/x"};
	static const char *const no[] = {
		"株式会社サンプル", "サンプル.com", "A/B", "1/2", "(有)見本/支店", "No.1/A", "3.5/5"};
	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
		if (!text_has_url(yes[i]))
			fail_msg("%s", yes[i]);
	for (size_t i = 0; i < sizeof no / sizeof *no; i++)
		if (text_has_url(no[i]))
			fail_msg("%s", no[i]);
}

static void test_text__printable(void **state)
{
	(void)state;
	static const struct text_case cases[] = {
		{"日本 a", "日本 a"},
		{"\x1B]0;x\x07", "\\x1b]0;x\\x07"},
		{"a\nb\tc", "a\\nb\\tc"},
		{"\xC2\x9B"
		 "1m",
			"\\x9b1m"},
		{"\xE2\x80\xAE", "\\u202e"},
		{"\xFF", "\\xff"},
	};
	CHECK(text_add_printable, cases);
}

static void test_text__columns(void **state)
{
	(void)state;
	assert_int_equal(text_columns("abc"), 3);
	assert_int_equal(text_columns("日本a"), 5);
	assert_int_equal(text_columns("ｱ"), 1);
	assert_int_equal(text_columns("か\xE3\x82\x99"), 2);
	assert_int_equal(text_columns(""), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text__utf8_is_strict),
		cmocka_unit_test(test_text__utf8_round_trip),
		cmocka_unit_test(test_text__usual_characters_are_what_nobody_looks_for),
		cmocka_unit_test(test_text__cp932_reads_what_windows_writes),
		cmocka_unit_test(test_text__cp932_names_the_bad_byte),
		cmocka_unit_test(test_text__cp932_writes),
		cmocka_unit_test(test_text__cp932_long_text),
		cmocka_unit_test(test_text__nfkc),
		cmocka_unit_test(test_text__fold),
		cmocka_unit_test(test_text__key),
		cmocka_unit_test(test_text__each_old_glyph_is_found),
		cmocka_unit_test(test_text__trim),
		cmocka_unit_test(test_text__digits),
		cmocka_unit_test(test_text__control_characters),
		cmocka_unit_test(test_text__urls),
		cmocka_unit_test(test_text__printable),
		cmocka_unit_test(test_text__columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
