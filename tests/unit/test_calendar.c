#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/flow/calendar.h"

#define PUBLISHED "tests/data/holidays_1955_2027.csv"

static civil_day day_of(const char *text)
{
	civil_day day = civil_day_read(text);

	assert_int_not_equal(day, CIVIL_DAY_NONE);
	return day;
}

static utc_time moment_of(const char *text)
{
	utc_time at = 0;

	assert_true(civil_time_read(text, &at));
	return at;
}

static void assert_name(const char *day, const char *name)
{
	const char *got = holiday_name(day_of(day));

	if ((got == NULL) != (name == NULL) || (got && strcmp(got, name) != 0))
		fail_msg("%s is %s, not %s", day, got ? got : "no holiday", name ? name : "no holiday");
}

static void set_zone(const char *zone)
{
	struct err err;

	assert_int_equal(civil_zone_set(zone, &err), RC_OK);
}

/* ---- holidays ---- */

/* What 内閣府 calls a day and what we do: its list names neither substitutes nor bridge days. */
static bool same_name(const char *published, const char *name)
{
	if (strcmp(published, "休日") == 0)
		return strcmp(name, "振替休日") == 0 || strcmp(name, "国民の休日") == 0;
	if (strcmp(published, "休日（祝日扱い）") == 0)
		return strcmp(name, "天皇の即位の日") == 0 || strcmp(name, "即位礼正殿の儀の行われる日") == 0;
	if (strcmp(published, "体育の日（スポーツの日）") ==
		0) /* 2019: the name of the year to come in brackets */
		return strcmp(name, "体育の日") == 0;
	return strcmp(published, name) == 0;
}

static void test_calendar__published_list(void **ctx)
{
	civil_day first = day_of("1955-01-01"), last = day_of("2027-12-31");
	char **published = calloc((size_t)(last - first + 1), sizeof(*published));
	char line[256];
	int rows = 0;
	FILE *file = fopen(PUBLISHED, "r");

	(void)ctx;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		int year, month, dom;
		char name[128];

		if (sscanf(line, "%d/%d/%d,%127[^\n]", &year, &month, &dom, name) != 4)
			continue;
		published[civil_from_ymd(year, month, dom) - first] = strdup(name);
		rows++;
	}
	fclose(file);
	assert_int_equal(rows, 1067);
	for (civil_day day = first; day <= last; day++) {
		const char *wanted = published[day - first], *got = holiday_name(day);
		struct str text = STR_INIT;

		civil_day_print(&text, day);
		if ((wanted == NULL) != (got == NULL) || (wanted && !same_name(wanted, got)))
			fail_msg("%s: published %s, computed %s", text.s, wanted ? wanted : "nothing",
				got ? got : "nothing");
		str_free(&text);
		free(published[day - first]);
	}
	free(published);
}

static void test_calendar__special_years(void **ctx)
{
	static const struct {
		const char *day, *name;
	} cases[] = {
		{"1948-07-20", NULL}, {"1948-09-23", "秋分の日"}, {"1948-11-03", "文化の日"},
		{"1948-11-23", "勤労感謝の日"}, {"1948-05-03", NULL}, /* the law began on 20 July */
		{"1949-01-01", "元日"}, {"1949-03-21", "春分の日"}, {"1951-09-24", "秋分の日"},
		{"1973-02-12", NULL}, /* a Sunday before substitutes were law */
		{"1973-04-30", "振替休日"}, /* the first one */
		{"1985-05-04", NULL}, /* a Saturday before bridge days were law */
		{"1988-05-04", "国民の休日"}, /* the first one */
		{"1987-05-04", "振替休日"}, {"1986-05-04", NULL}, /* a Sunday is no bridge day */
		{"2006-05-04", "国民の休日"}, {"2008-05-06", "振替休日"}, /* from Sunday 5/4, over 5/5 */
		{"2009-05-06", "振替休日"}, /* from Sunday 5/3, over two holidays */
		{"2009-09-22", "国民の休日"},
		{"2019-02-23", NULL}, /* the old emperor's until 2018, the new one's from 2020 */
		{"2019-12-23", NULL}, {"2019-04-30", "国民の休日"}, {"2019-05-01", "天皇の即位の日"},
		{"2019-05-02", "国民の休日"}, {"2019-05-06", "振替休日"},
		{"2019-10-22", "即位礼正殿の儀の行われる日"}, {"2020-07-20", NULL}, {"2020-07-23", "海の日"},
		{"2020-07-24", "スポーツの日"}, {"2020-08-10", "山の日"}, {"2020-08-11", NULL},
		{"2020-10-12", NULL}, {"2021-07-19", NULL}, {"2021-07-22", "海の日"},
		{"2021-07-23", "スポーツの日"}, {"2021-08-08", "山の日"}, {"2021-08-09", "振替休日"},
		{"2021-08-11", NULL}, {"2021-10-11", NULL}, {"2022-08-11", "山の日"},
		{"2099-09-22", "国民の休日"},
		{"2100-01-01", NULL}, /* beyond the formulas nothing is promised */
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_name(cases[i].day, cases[i].name);
}

/* The scheme's fact sheet: substitutes, bridge days and equinoxes of the coming years. */
static void test_calendar__vectors(void **ctx)
{
	static const char *const substitutes[] = {"2024-02-12", "2024-05-06", "2024-08-12", "2024-09-23",
		"2024-11-04", "2025-02-24", "2025-05-06", "2025-11-24", "2026-05-06", "2027-03-22"};
	static const char *const between[] = {"2026-09-22", "2032-09-21"};
	static const struct {
		const char *spring, *autumn;
	} equinoxes[] = {
		{"2026-03-20", "2026-09-23"}, {"2027-03-21", "2027-09-23"}, {"2028-03-20", "2028-09-22"}};

	(void)ctx;
	for (size_t i = 0; i < sizeof(substitutes) / sizeof(substitutes[0]); i++)
		assert_name(substitutes[i], "振替休日");
	for (size_t i = 0; i < sizeof(between) / sizeof(between[0]); i++)
		assert_name(between[i], "国民の休日");
	for (size_t i = 0; i < sizeof(equinoxes) / sizeof(equinoxes[0]); i++) {
		assert_name(equinoxes[i].spring, "春分の日");
		assert_name(equinoxes[i].autumn, "秋分の日");
	}
	/* These and no others. */
	for (civil_day day = day_of("2024-01-01"); day <= day_of("2028-12-31"); day++) {
		const char *name = holiday_name(day);
		struct str text = STR_INIT;
		bool known = false;

		civil_day_print(&text, day);
		for (size_t i = 0; i < sizeof(substitutes) / sizeof(substitutes[0]); i++)
			known |= strcmp(substitutes[i], text.s) == 0;
		if (name && strcmp(name, "振替休日") == 0 && !known)
			fail_msg("%s is no substitute", text.s);
		str_free(&text);
	}
}

static void test_calendar__every_year_is_whole(void **ctx)
{
	(void)ctx;
	for (int year = 2022; year <= 2099; year++) {
		int named = 0, equinoxes = 0;

		for (civil_day day = civil_from_ymd(year, 1, 1); day <= civil_from_ymd(year, 12, 31); day++) {
			const char *name = holiday_name(day);

			if (name && strcmp(name, "振替休日") != 0 && strcmp(name, "国民の休日") != 0)
				named++;
			if (name && strstr(name, "分の日"))
				equinoxes++;
		}
		assert_int_equal(named, 16);
		assert_int_equal(equinoxes, 2);
	}
}

/* ---- office days ---- */

static void assert_closed(const struct calendar *calendar, const char *day, const char *why)
{
	const char *got = calendar_closed(calendar, day_of(day));

	if ((got == NULL) != (why == NULL) || (got && strcmp(got, why) != 0))
		fail_msg("%s is closed by %s, not by %s", day, got ? got : "nothing", why ? why : "nothing");
}

static void test_calendar__golden_week_and_year_end(void **ctx)
{
	static const struct {
		const char *day, *why;
	} cases[] = {
		{"2026-04-28", NULL},
		{"2026-04-29", "昭和の日"},
		{"2026-04-30", NULL},
		{"2026-05-01", NULL},
		{"2026-05-02", "土曜日"},
		{"2026-05-03", "憲法記念日"}, /* a Sunday: the holiday is the better reason */
		{"2026-05-04", "みどりの日"},
		{"2026-05-05", "こどもの日"},
		{"2026-05-06", "振替休日"},
		{"2026-05-07", NULL},
		{"2026-12-28", NULL},
		{"2026-12-29", "年末年始"},
		{"2026-12-31", "年末年始"},
		{"2027-01-01", "元日"},
		{"2027-01-02", "年末年始"},
		{"2027-01-03", "年末年始"},
		{"2027-01-04", NULL},
		{"2027-01-09", "土曜日"},
		{"2027-01-10", "日曜日"},
		{"2027-01-11", "成人の日"},
		{"2027-01-12", NULL},
	};
	struct calendar calendar = {.business_days = true};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_closed(&calendar, cases[i].day, cases[i].why);
	calendar.business_days = false;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_closed(&calendar, cases[i].day, NULL);
}

static void test_calendar__next_open(void **ctx)
{
	static const struct {
		const char *at, *next;
	} cases[] = {
		{"2026-11-24 09:30", "2026-11-24 09:30"}, /* an office moment is its own */
		{"2026-11-24 16:59:59", "2026-11-24 16:59:59"},
		{"2026-11-24 17:00", "2026-11-25 09:30"}, /* closing time is closed */
		{"2026-11-24 09:29:59", "2026-11-24 09:30"},
		{"2026-11-24 00:00", "2026-11-24 09:30"},
		{"2026-11-20 18:00", "2026-11-24 09:30"}, /* Friday evening, then 勤労感謝の日 on Monday */
		{"2026-11-22 12:00", "2026-11-24 09:30"},
		{"2026-05-01 17:00", "2026-05-07 09:30"}, /* Golden Week */
		{"2026-09-18 20:00", "2026-09-24 09:30"}, /* 敬老の日, 国民の休日, 秋分の日 */
		{"2024-12-27 17:00", "2025-01-06 09:30"}, /* nine days without an office day */
		{"2026-12-28 17:00", "2027-01-04 09:30"},
	};
	struct calendar calendar = {.business_days = true};
	struct err err;

	(void)ctx;
	assert_int_equal(calendar_hours_read(&calendar, "09:30-17:00", &err), RC_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		utc_time at = moment_of(cases[i].at), next = calendar_next_open(&calendar, at);

		if (next != moment_of(cases[i].next))
			fail_msg("after %s the office does not open at %s", cases[i].at, cases[i].next);
		assert_int_equal(calendar_is_open(&calendar, at), next == at);
		assert_true(calendar_is_open(&calendar, next));
	}
}

static void test_calendar__hours_off_and_days_off(void **ctx)
{
	struct calendar days = {.business_days = true};
	struct calendar hours = {.hours = true, .open_minute = 570, .close_minute = 1020};
	struct calendar neither = {0};

	(void)ctx;
	assert_true(
		calendar_next_open(&days, moment_of("2026-11-21 13:00")) == moment_of("2026-11-24 00:00"));
	assert_true(
		calendar_next_open(&days, moment_of("2026-11-24 23:59")) == moment_of("2026-11-24 23:59"));
	assert_true(
		calendar_next_open(&hours, moment_of("2026-11-21 18:00")) == moment_of("2026-11-22 09:30"));
	assert_true(
		calendar_next_open(&neither, moment_of("2026-11-22 03:00")) == moment_of("2026-11-22 03:00"));
}

/* In New York the night of 8 March 2026 has no 02:00-03:00 and that of 1 November two 01:00-02:00. */
static void test_calendar__zone_with_summer_time(void **ctx)
{
	struct calendar hours = {.hours = true, .open_minute = 150, .close_minute = 1020}; /* 02:30 */
	struct calendar night = {.hours = true, .open_minute = 0, .close_minute = 90}; /* until 01:30 */

	(void)ctx;
	set_zone("America/New_York");
	/* 02:30 does not exist: the first moment after it, 03:00 EDT or later, and still that day. */
	utc_time next = calendar_next_open(&hours, moment_of("2026-03-08 00:00"));

	assert_int_equal(civil_day_of(next), day_of("2026-03-08"));
	assert_true(calendar_is_open(&hours, next));
	assert_true(next >= moment_of("2026-03-08T03:00:00-04:00"));
	/* 01:15 comes twice: both are office minutes. */
	assert_true(calendar_is_open(&night, moment_of("2026-11-01T01:15:00-04:00")));
	assert_true(calendar_is_open(&night, moment_of("2026-11-01T01:15:00-05:00")));
	assert_true(calendar_next_open(&night, moment_of("2026-11-01T01:45:00-05:00")) ==
		    moment_of("2026-11-02T00:00:00-05:00"));
	set_zone("Asia/Tokyo");
}

/* ---- reading ---- */

static void test_calendar__hours_read(void **ctx)
{
	static const struct {
		const char *text;
		int open_minute, close_minute; /* -1: refused */
	} cases[] = {
		{"09:30-17:00", 570, 1020},
		{"00:00-24:00", 0, 1440},
		{"9:30-17:00", -1, -1},
		{"09:30", -1, -1},
		{"17:00-09:30", -1, -1},
		{"09:30-09:30", -1, -1},
		{"09:60-17:00", -1, -1},
		{"09:30-24:01", -1, -1},
		{"09:30-17:00 ", -1, -1},
		{"-9:30-17:00", -1, -1},
		{"09:30~17:00", -1, -1},
		{"+9:30-17:00", -1, -1},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct calendar calendar = {0};
		struct err err = {.text = ""};
		enum rc rc = calendar_hours_read(&calendar, cases[i].text, &err);

		if ((rc == RC_OK) != (cases[i].open_minute >= 0))
			fail_msg("\"%s\" was judged wrongly", cases[i].text);
		assert_int_equal(calendar.hours, rc == RC_OK);
		if (rc == RC_OK) {
			assert_int_equal(calendar.open_minute, cases[i].open_minute);
			assert_int_equal(calendar.close_minute, cases[i].close_minute);
		} else {
			assert_int_equal(rc, RC_CONFIG);
			assert_non_null(strstr(err.text, cases[i].text));
		}
	}
	struct calendar calendar = {.hours = true};
	struct err err;

	assert_int_equal(calendar_hours_read(&calendar, "", &err), RC_OK);
	assert_false(calendar.hours);
}

static char dir[] = "/tmp/test_calendar.XXXXXX";
static char path[64];

static enum rc load(struct calendar *calendar, const char *text, struct err *err)
{
	struct err write_err;

	assert_int_equal(file_write(path, text, strlen(text), 0600, &write_err), RC_OK);
	*calendar = (struct calendar){.business_days = true};
	return calendar_load(calendar, path, err);
}

static void test_calendar__overrides(void **ctx)
{
	static const char text[] = "\xEF\xBB\xBF# closing days\n"
				   "\n"
				   "2027-03-27 開 締切前の土曜開所\r\n"
				   "2026-10-05 閉 創立記念日  # every year\n"
				   "2026/12/28\tclosed\t年末 臨時休業\n"
				   "2026年11月23日 open\n"
				   "2026-12-25 閉";
	struct calendar calendar;
	struct err err;

	(void)ctx;
	assert_int_equal(load(&calendar, text, &err), RC_OK);
	assert_int_equal(calendar.override_count, 5);
	assert_closed(&calendar, "2026-10-05", "創立記念日");
	assert_closed(&calendar, "2026-12-28", "年末 臨時休業");
	assert_closed(&calendar, "2026-12-25", "事務局の休業日");
	assert_closed(&calendar, "2026-11-23", NULL); /* a holiday on which the office works */
	assert_closed(&calendar, "2027-03-27", NULL); /* a Saturday */
	assert_closed(&calendar, "2027-03-28", "日曜日");
	assert_closed(&calendar, "2026-10-06", NULL);
	calendar_free(&calendar);
	assert_int_equal(calendar.override_count, 0);
	assert_closed(&calendar, "2026-10-05", NULL);
}

static void test_calendar__override_refusals(void **ctx)
{
	static const struct {
		const char *text, *where;
	} cases[] = {
		{"2026-10-05 閉 a\n2026-13-05 閉 b\n", ":2: "},
		{"# remark\n\nabc 閉\n", ":3: "},
		{"2026-10-05\n", ":1: "},
		{"2026-10-05 休\n", ":1: "},
		{"2026-02-29 閉 no such day\n", ":1: "},
		{"2026-10-05 閉 a\n2026-10-06 閉 b\n2026-10-05 開 c\n", "2026-10-05 stands there twice"},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct calendar calendar;
		struct err err = {.text = ""};

		assert_int_equal(load(&calendar, cases[i].text, &err), RC_CONFIG);
		if (!strstr(err.text, cases[i].where) || !strstr(err.text, path))
			fail_msg("\"%s\" names no place: %s", cases[i].text, err.text);
		calendar_free(&calendar);
	}
	struct calendar calendar = {0};
	struct err err = {.text = ""};

	assert_int_equal(calendar_load(&calendar, "/nonexistent/overrides", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/overrides"));
	assert_int_equal(calendar_load(&calendar, NULL, &err), RC_OK);
}

static void test_calendar__shipped_example(void **ctx)
{
	struct calendar calendar = {.business_days = true};
	struct err err;

	(void)ctx;
	assert_int_equal(calendar_load(&calendar, "config/calendar-overrides.conf.example", &err), RC_OK);
	assert_closed(&calendar, "2026-10-05", "創立記念日");
	calendar_free(&calendar);
}

static int setup(void **ctx)
{
	(void)ctx;
	set_zone("Asia/Tokyo");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/overrides.conf", dir);
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	unlink(path);
	return rmdir(dir);
}

/* `test_calendar --list 1990 2040` prints what is computed, for holidays_peer.py. */
static int list(int from_year, int until_year)
{
	for (civil_day day = civil_from_ymd(from_year, 1, 1); day <= civil_from_ymd(until_year, 12, 31);
		day++) {
		const char *name = holiday_name(day);
		struct str text = STR_INIT;

		civil_day_print(&text, day);
		if (name)
			printf("%s\t%s\n", text.s, name);
		str_free(&text);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_calendar__published_list),
		cmocka_unit_test(test_calendar__special_years),
		cmocka_unit_test(test_calendar__vectors),
		cmocka_unit_test(test_calendar__every_year_is_whole),
		cmocka_unit_test(test_calendar__golden_week_and_year_end),
		cmocka_unit_test(test_calendar__next_open),
		cmocka_unit_test(test_calendar__hours_off_and_days_off),
		cmocka_unit_test(test_calendar__zone_with_summer_time),
		cmocka_unit_test(test_calendar__hours_read),
		cmocka_unit_test(test_calendar__overrides),
		cmocka_unit_test(test_calendar__override_refusals),
		cmocka_unit_test(test_calendar__shipped_example),
	};
	if (argc == 4 && strcmp(argv[1], "--list") == 0)
		return list(atoi(argv[2]), atoi(argv[3]));
	return cmocka_run_group_tests(tests, setup, teardown);
}
