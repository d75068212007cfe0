/* Nothing for longer than usual. Days are written into the counts of days; the office opens on Monday 2026-06-01. */
#include "tests/unit/office_rig.h"

#include <sqlite3.h>

#include "lib/desk/silence.h"

static void count_day(sqlite3 *db, civil_day day, enum daily kind, int number)
{
	char sql[200];
	(void)snprintf(sql, sizeof sql,
		"INSERT INTO daily (day, kind, number, last_at) VALUES (%d, %d, %d, %lld)", day, kind, number,
		(long long)civil_moment(day, 11 * 60));
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Files on the weekdays of `pattern` ("0111110": Sunday first) of the days from..until that are office days. */
static void count_weeks(struct rig *rig, const char *pattern, civil_day from, civil_day until)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	for (civil_day day = from; day <= until; day++)
		if (pattern[civil_weekday(day)] == '1' && !calendar_closed(&rig->settings->calendar, day))
			count_day(db, day, DAILY_FILES, 3);
	(void)sqlite3_close(db);
}

static struct silence look(struct rig *rig, civil_day day, int minute)
{
	struct tally tally;
	struct silence silence;
	struct pool *pool = pool_new();
	clock_set(&rig->clock, civil_moment(day, minute));
	assert_ok(tally_make(&rig->office, 1, &tally, pool, &rig_err));
	assert_ok(silence_check(&rig->office, &tally, DAILY_FILES, &silence, &rig_err));
	pool_free(&pool);
	return silence;
}

/* Each office day of ten weeks, until Friday 2026-08-07. */
static civil_day daily_weeks(struct rig *rig)
{
	civil_day friday = civil_from_ymd(2026, 8, 7);
	count_weeks(rig, "0111110", civil_from_ymd(2026, 6, 1), friday);
	return friday;
}

static void test_silence__a_day_that_never_was_silent(void **state)
{
	struct rig *rig = *state;
	civil_day friday = daily_weeks(rig);
	struct silence silence = look(rig, friday + 3, 10 * 60);
	assert_true(silence.known);
	assert_false(silence.silent); /* Monday morning: the weekend does not count, today is not over */
	silence = look(rig, friday + 3, 18 * 60);
	assert_true(silence.silent);
	assert_int_equal(silence.days, 1);
	assert_int_equal(silence.usual, 0);
	assert_true(silence.last == civil_moment(friday, 11 * 60));
}

static void test_silence__holidays_do_not_count(void **state)
{
	struct rig *rig = *state;
	civil_day friday = daily_weeks(rig);
	/* Tuesday 2026-08-11 is 山の日; Monday has its files. */
	count_weeks(rig, "0100000", friday + 3, friday + 3);
	assert_false(look(rig, friday + 4, 23 * 60).silent);
	assert_false(look(rig, friday + 5, 9 * 60).silent);
	assert_true(look(rig, friday + 5, 18 * 60).silent);
}

static void test_silence__weekdays_have_their_own_habit(void **state)
{
	struct rig *rig = *state;
	civil_day thursday = civil_from_ymd(2026, 8, 6);
	count_weeks(rig, "0100100", civil_from_ymd(2026, 6, 1), thursday); /* Mondays and Thursdays */
	assert_false(look(rig, thursday + 1, 20 * 60).silent);
	assert_false(look(rig, thursday + 4, 10 * 60).silent); /* Monday morning */
	assert_true(look(rig, thursday + 4, 20 * 60).silent);
}

static void test_silence__what_has_been_before_is_usual(void **state)
{
	struct rig *rig = *state;
	civil_day friday = civil_from_ymd(2026, 8, 7);
	count_weeks(rig, "0111110", civil_from_ymd(2026, 6, 1), friday - 25);
	/* Two days of nothing once before, July 14 and 15. */
	count_weeks(rig, "0111110", friday - 22, friday);
	struct silence silence = look(rig, friday + 3, 20 * 60);
	assert_true(silence.usual >= 1);
	assert_false(silence.silent);
	silence = look(rig, friday + 7, 20 * 60);
	assert_true(silence.silent);
}

static void test_silence__first_weeks_and_rare_things_say_nothing(void **state)
{
	struct rig *rig = *state;
	civil_day monday = civil_from_ymd(2026, 7, 13), friday = civil_from_ymd(2026, 8, 7);
	assert_false(look(rig, friday, 600).known); /* never anything */
	count_weeks(rig, "0111110", friday - 16, friday);
	assert_false(look(rig, friday + 30, 600).known); /* not three weeks */
	assert_false(look(rig, friday + 30, 600).silent);
	count_weeks(rig, "0111110", monday, friday - 17);
	struct silence silence = look(rig, friday + 10, 20 * 60);
	assert_true(silence.known && silence.silent);
}

static void test_silence__rare(void **state)
{
	struct rig *rig = *state;
	civil_day friday = civil_from_ymd(2026, 8, 7);
	for (int week = 8; week >= 0; week -= 2)
		count_weeks(rig, "0000010", friday - 7 * week, friday - 7 * week);
	assert_false(look(rig, friday + 60, 600).known);
}

static void test_silence__off_and_long_ago(void **state)
{
	struct rig *rig = *state;
	civil_day friday = daily_weeks(rig);
	struct silence silence = look(rig, friday + 3000, 600); /* years later it is silent still */
	assert_true(silence.silent);
	rig_configure(rig, "silence_weeks = 0;");
	assert_false(look(rig, friday + 30, 600).known);
	/* A clock that was set back. */
	rig_configure(rig, "");
	assert_false(look(rig, friday - 30, 600).silent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_silence__a_day_that_never_was_silent, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_silence__holidays_do_not_count, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_silence__weekdays_have_their_own_habit, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_silence__what_has_been_before_is_usual, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_silence__first_weeks_and_rare_things_say_nothing, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_silence__rare, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_silence__off_and_long_ago, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
