#include "lib/base/civil.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))

static void use_zone(const char *zone)
{
	struct err err;
	assert_int_equal(civil_zone_set(zone, &err), RC_OK);
}

static int in_tokyo(void **state)
{
	(void)state;
	use_zone("Asia/Tokyo");
	return 0;
}

static void test_civil__zone_must_exist(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "Asia/Tokio", "JST-9", "../../etc/passwd", "/etc/localtime",
		"Asia", "zone.tab", ":Asia/Tokyo"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err err = {0};
		assert_int_equal(civil_zone_set(bad[i], &err), RC_CONFIG);
		assert_non_null(strstr(err.text, bad[i]));
	}
	/* The refused ones changed nothing. */
	assert_int_equal(civil_minute_of(0), 9 * 60);
}

static void test_civil__days_and_dates(void **state)
{
	(void)state;
	static const struct {
		int year, month, day;
		civil_day number;
		int weekday;
	} cases[] = {
		{1970, 1, 1, 0, 4},
		{1969, 12, 31, -1, 3},
		{2000, 2, 29, 11016, 2},
		{2026, 11, 22, 20779, 0},
		{2024, 12, 31, 20088, 2},
		{1, 1, 1, -719162, 1},
		{9999, 12, 31, 2932896, 5},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int year, month, day;
		assert_int_equal(
			civil_from_ymd(cases[i].year, cases[i].month, cases[i].day), cases[i].number);
		civil_to_ymd(cases[i].number, &year, &month, &day);
		assert_int_equal(year, cases[i].year);
		assert_int_equal(month, cases[i].month);
		assert_int_equal(day, cases[i].day);
		assert_int_equal(civil_weekday(cases[i].number), cases[i].weekday);
	}
	static const int none[][3] = {{2026, 2, 29}, {1900, 2, 29}, {2026, 4, 31}, {2026, 13, 1},
		{2026, 0, 1}, {2026, 1, 0}, {0, 1, 1}, {10000, 1, 1}};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		assert_int_equal(civil_from_ymd(none[i][0], none[i][1], none[i][2]), CIVIL_DAY_NONE);
}

static void test_civil__each_day_of_four_centuries(void **state)
{
	(void)state;
	civil_day first = civil_from_ymd(1800, 1, 1), last = civil_from_ymd(2200, 1, 1);
	int expected = civil_weekday(first);
	for (civil_day day = first; day < last; day++) {
		int year, month, dom;
		civil_to_ymd(day, &year, &month, &dom);
		assert_int_equal(civil_from_ymd(year, month, dom), day);
		assert_int_equal(civil_weekday(day), expected);
		expected = (expected + 1) % 7;
	}
	assert_int_equal(last - first, 146097);
}

static void test_civil__tokyo_day_turns_at_15_utc(void **state)
{
	(void)state;
	utc_time turn = civil_moment(civil_from_ymd(2026, 12, 31), 0);
	assert_true(turn == INT64_C(1798642800)); /* 2026-12-30T15:00:00Z */
	assert_int_equal(civil_day_of(turn), civil_from_ymd(2026, 12, 31));
	assert_int_equal(civil_day_of(turn - 1), civil_from_ymd(2026, 12, 30));
	assert_int_equal(civil_minute_of(turn - 1), 1439);
	assert_int_equal(civil_day_of(turn + 86400), civil_from_ymd(2027, 1, 1));
}

static void test_civil__daylight_saving(void **state)
{
	(void)state;
	use_zone("America/New_York");
	civil_day spring = civil_from_ymd(2026, 3, 8), autumn = civil_from_ymd(2026, 11, 1);
	struct str out = STR_INIT;

	/* 02:30 does not exist: an hour later by the clock on the wall. */
	utc_time at = civil_moment(spring, 2 * 60 + 30);
	civil_rfc3339_print(&out, at);
	assert_string_equal(out.s, "2026-03-08T03:30:00-04:00");
	assert_true(civil_moment(spring, 3 * 60) - civil_moment(spring, 60) == 3600);

	/* 01:30 exists twice: the first. */
	str_clear(&out);
	civil_rfc3339_print(&out, civil_moment(autumn, 90));
	assert_string_equal(out.s, "2026-11-01T01:30:00-04:00");
	assert_true(civil_moment(autumn, 120) - civil_moment(autumn, 60) == 7200);
	assert_true(civil_moment(autumn + 1, 0) - civil_moment(autumn, 0) == 25 * 3600);
	str_free(&out);

	/* A day that begins at 01:00, and one that was left out altogether. */
	use_zone("America/Sao_Paulo");
	civil_day late = civil_from_ymd(2018, 11, 4);
	assert_int_equal(civil_day_of(civil_moment(late, 0)), late);
	assert_int_equal(civil_minute_of(civil_moment(late, 0)), 60);
	use_zone("Pacific/Apia");
	civil_day lost = civil_from_ymd(2011, 12, 30);
	assert_int_equal(civil_day_of(civil_moment(lost, 600)), lost + 1);
	use_zone("Asia/Tokyo");
}

static void test_civil__printing(void **state)
{
	(void)state;
	utc_time at = civil_moment(civil_from_ymd(2026, 11, 22), 9 * 60 + 5) + 7;
	struct str out = STR_INIT;
	civil_time_print(&out, at);
	str_addc(&out, '|');
	civil_rfc3339_print(&out, at);
	str_addc(&out, '|');
	civil_rfc5322_print(&out, at);
	str_addc(&out, '|');
	civil_day_print_ja(&out, civil_day_of(at));
	str_addc(&out, '|');
	civil_day_print(&out, civil_day_of(at));
	civil_day_print(&out, CIVIL_DAY_NONE);
	assert_string_equal(out.s,
		"2026-11-22 09:05|2026-11-22T09:05:07+09:00|Sun, 22 Nov 2026 09:05:07 +0900|"
		"2026年11月22日(日)|2026-11-22");
	str_clear(&out);
	use_zone("Asia/Kathmandu");
	civil_rfc3339_print(&out, 0);
	use_zone("America/St_Johns");
	str_addc(&out, '|');
	civil_rfc5322_print(&out, civil_moment(civil_from_ymd(2026, 1, 5), 0));
	use_zone("Asia/Tokyo");
	assert_string_equal(out.s, "1970-01-01T05:30:00+05:30|Mon, 05 Jan 2026 00:00:00 -0330");
	str_clear(&out);
	civil_time_print(&out, UTC_NEVER); /* must not end the program */
	assert_true(out.len > 0);
	str_free(&out);
}

static void test_civil__reads_days_as_people_write_them(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int year, month, day;
	} cases[] = {
		{"2026-11-22", 2026, 11, 22},
		{"2026/11/2", 2026, 11, 2},
		{"2026.1.2", 2026, 1, 2},
		{"20261122", 2026, 11, 22},
		{"2026年11月22日", 2026, 11, 22},
		{"２０２６年　１１月２２日（日）", 2026, 11, 22},
		{"2026年11月22日 日曜日", 2026, 11, 22},
		{"2026/11/22 9:30", 2026, 11, 22},
		{"2026-11-22 09:30:15", 2026, 11, 22},
		{"2026年11月22日(日) 10時30分", 2026, 11, 22},
		{"2026年11月22日 午後3時", 2026, 11, 22},
		{"2026-11-22T09:30", 2026, 11, 22},
		{"2026-11-21T16:00:00Z", 2026, 11, 22},
		{"2026-11-22T09:30:00+09:00", 2026, 11, 22},
		{"令和8年11月22日", 2026, 11, 22},
		{"令和 ８ 年 ３ 月 ３ 日", 2026, 3, 3},
		{"R8.11.22", 2026, 11, 22},
		{"r8/11/22", 2026, 11, 22},
		{"R08-03-03", 2026, 3, 3},
		{"令和元年5月1日", 2019, 5, 1},
		{"㋿元年5月1日", 2019, 5, 1},
		{"㋿８年３月３日", 2026, 3, 3},
		{"平成31年4月30日", 2019, 4, 30},
		{"平成元年1月8日", 1989, 1, 8},
		{"H30.12.31", 2018, 12, 31},
		{"昭和64年1月7日", 1989, 1, 7},
		{"S63/2/29", 1988, 2, 29},
		{"2024-02-29", 2024, 2, 29},
		{"2026－11－22", 2026, 11, 22},
		{" 2026/12/31 ", 2026, 12, 31},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		civil_day day = civil_day_read(cases[i].text);
		if (day != civil_from_ymd(cases[i].year, cases[i].month, cases[i].day))
			fail_msg("%s read as %d", cases[i].text, day);
	}
	static const char *const none[] = {"", "明日", "2026", "2026-11", "2026-02-29", "2026-13-01",
		"2026/4/31", "26/11/22", "2026111", "202611220", "45983", "令和元年4月30日", "平成31年5月1日",
		"昭和64年1月8日", "令和0年1月1日", "令和8年", "R8", "2026-11-22abc", "2026/11/22(",
		"2026/11-22", "2026年11月22", "11/22/2026", "2026-11-222", "2026-11-22 9:3", "即日",
		"12026-11-22", "2026年11/22日"};
	for (size_t i = 0; i < COUNT_OF(none); i++)
		if (civil_day_read(none[i]) != CIVIL_DAY_NONE)
			fail_msg("%s was read", none[i]);
}

static void test_civil__reads_times(void **state)
{
	(void)state;
	utc_time base = civil_moment(civil_from_ymd(2026, 11, 22), 0);
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"2026-11-22", 0},
		{"2026-11-22 09:30", 34200},
		{"2026-11-22 09:30:05", 34205},
		{"2026-11-22T09:30:05", 34205},
		{"2026-11-22T00:30:05Z", 34205},
		{"2026-11-22T00:30:05.123Z", 34205},
		{"2026-11-22T09:30:05+09:00", 34205},
		{"2026-11-21T19:30:05-05:00", 34205},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		utc_time at = 0;
		assert_true(civil_time_read(cases[i].text, &at));
		assert_true(at == base + cases[i].seconds);
	}
	static const char *const none[] = {"", "2026-11-22 ", "2026-11-22 9:30", "2026-11-22 24:00",
		"2026-11-22 09:60", "2026-02-30", "2026-11-22x09:30", "2026-11-22T09:30+0900",
		"2026-11-22T09:30:00.Z", "2026/11/22", "now", "2026-11-22T09:30:00+09:00x"};
	for (size_t i = 0; i < COUNT_OF(none); i++) {
		utc_time at = 42;
		if (civil_time_read(none[i], &at))
			fail_msg("%s was read", none[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_civil__zone_must_exist),
		cmocka_unit_test(test_civil__days_and_dates),
		cmocka_unit_test(test_civil__each_day_of_four_centuries),
		cmocka_unit_test(test_civil__tokyo_day_turns_at_15_utc),
		cmocka_unit_test(test_civil__daylight_saving),
		cmocka_unit_test(test_civil__printing),
		cmocka_unit_test(test_civil__reads_days_as_people_write_them),
		cmocka_unit_test(test_civil__reads_times),
	};
	return cmocka_run_group_tests(tests, in_tokyo, NULL);
}
