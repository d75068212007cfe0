#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/flow/cadence.h"

static struct profiles profiles;
static struct calendar office = {
	.business_days = true, .hours = true, .open_minute = 9 * 60 + 30, .close_minute = 17 * 60};
static const struct calendar always;

static utc_time moment_of(const char *text)
{
	utc_time at = 0;

	assert_true(civil_time_read(text, &at));
	return at;
}

static void set_zone(const char *zone)
{
	struct err err;

	assert_int_equal(civil_zone_set(zone, &err), RC_OK);
}

static void assert_moment(utc_time got, const char *want)
{
	struct str text = STR_INIT;

	civil_time_print(&text, got);
	if (got != moment_of(want))
		fail_msg("%s, not %s", text.s, want);
	str_free(&text);
}

/* An application of profile `form` whose receipt went out and whose clock started on the day it came. */
static struct application application(const char *received, enum state state, int stage, const char *previous)
{
	utc_time at = moment_of(received);

	return (struct application){
		.id = 1,
		.state = state,
		.stage = stage,
		.received_at = at,
		.clock_start = civil_day_of(at),
		.applied_on = civil_day_of(at),
		.previous_sent_at = previous ? moment_of(previous) : 0,
	};
}

static struct due due_of(const struct application *app, const char *profile, const struct calendar *calendar)
{
	return cadence_due(app, profile_find(&profiles, profile), calendar);
}

/* ---- distances ---- */

static void test_cadence__receipt_at_once_at_any_hour(void **ctx)
{
	/* a Sunday night in the year-end closing days */
	struct application app = application("2027-01-03 02:14:15", STATE_RECEIVED, 0, NULL);
	struct due due = due_of(&app, "form", &office);

	(void)ctx;
	assert_int_equal(due.wait, WAIT_NOTHING);
	assert_moment(due.at, "2027-01-03 02:14:15");
	assert_int_equal(due.moved_from, CIVIL_DAY_NONE);
	assert_moment(due.latest, "2027-01-04 23:59:59");
}

static void test_cadence__form_on_usual_days(void **ctx)
{
	/* Tuesday 2026-06-02 */
	struct application app = application("2026-06-02 16:00", STATE_RECEIVED, 1, "2026-06-02 16:00:05");
	struct due due = due_of(&app, "form", &office);

	(void)ctx;
	assert_int_equal(due.wait, WAIT_NOTHING);
	assert_moment(due.earliest, "2026-06-09 00:00");
	assert_moment(due.at, "2026-06-09 09:30");
	assert_moment(due.latest, "2026-06-12 23:59:59");
	assert_int_equal(due.moved_from, CIVIL_DAY_NONE);
	assert_null(due.moved_why);

	app = application("2026-06-02 16:00", STATE_ID_ISSUED, 2, "2026-06-09 09:31");
	due = due_of(&app, "form", &office);
	assert_moment(due.at, "2026-06-16 09:30");
	assert_moment(
		due.latest, "2026-06-23 23:59:59"); /* 21 after application, 14 after the ID: the same day */
}

static void test_cadence__moved_by_closed_days(void **ctx)
{
	static const struct {
		const char *received, *at, *moved_from, *why;
	} cases[] = {
		{"2026-02-16 10:00", "2026-02-24 09:30", "2026-02-23", "天皇誕生日"},
		{"2026-04-25 10:00", "2026-05-07 09:30", "2026-05-02", "土曜日"}, /* Golden Week */
		{"2026-12-22 10:00", "2027-01-04 09:30", "2026-12-29", "年末年始"},
		{"2026-09-15 10:00", "2026-09-24 09:30", "2026-09-22", "国民の休日"},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct application app = application(cases[i].received, STATE_RECEIVED, 1, cases[i].received);
		struct due due = due_of(&app, "form", &office);

		assert_moment(due.at, cases[i].at);
		assert_int_equal(due.moved_from, civil_day_read(cases[i].moved_from));
		assert_string_equal(due.moved_why, cases[i].why);
		assert_int_equal(civil_day_of(due.earliest), due.moved_from);
	}
}

static void test_cadence__months_years_and_leap_days(void **ctx)
{
	static const struct {
		const char *received, *id, *logo; /* by distance alone */
	} cases[] = {
		{"2026-01-31 12:00", "2026-02-07 00:00", "2026-02-14 00:00"},
		{"2028-02-22 12:00", "2028-02-29 00:00", "2028-03-07 00:00"},
		{"2027-02-22 12:00", "2027-03-01 00:00", "2027-03-08 00:00"},
		{"2028-02-29 12:00", "2028-03-07 00:00", "2028-03-14 00:00"},
		{"2026-12-31 23:59:59", "2027-01-07 00:00", "2027-01-14 00:00"},
		{"2026-12-24 00:00", "2026-12-31 00:00", "2027-01-07 00:00"},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct application app = application(cases[i].received, STATE_RECEIVED, 1, cases[i].received);
		struct due due = due_of(&app, "form", &always);

		assert_moment(due.at, cases[i].id);
		app.state = STATE_ID_ISSUED;
		app.stage = 2;
		app.previous_sent_at = due.at;
		assert_moment(due_of(&app, "form", &always).at, cases[i].logo);
	}
}

/* A day is a calendar day of the zone: 23 or 25 hours long where the clocks change. */
static void test_cadence__zone_with_summer_time(void **ctx)
{
	static const struct {
		const char *received, *at;
	} cases[] = {
		{"2026-03-05T23:30:00-05:00", "2026-03-12T09:30:00-04:00"},
		{"2026-10-29T23:30:00-04:00", "2026-11-05T09:30:00-05:00"},
	};

	(void)ctx;
	set_zone("America/New_York");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct calendar hours = {.hours = true, .open_minute = 570, .close_minute = 1020};
		struct application app = application(cases[i].received, STATE_RECEIVED, 1, cases[i].received);

		assert_true(due_of(&app, "form", &hours).at == moment_of(cases[i].at));
	}
	set_zone("Asia/Tokyo");
}

static void test_cadence__gap_kept_after_downtime(void **ctx)
{
	/* The ID notice should have gone on the 9th; three weeks of silence, and it went on the 30th. */
	struct application app = application("2026-06-02 10:00", STATE_ID_ISSUED, 2, "2026-06-30 09:30:02");
	struct due due = due_of(&app, "form", &office);

	(void)ctx;
	assert_moment(due.at, "2026-07-07 09:30");
	/* overdue by the application's own latest day: the alarm stands, the notice is not dropped */
	assert_moment(due.latest, "2026-06-23 23:59:59");
	assert_int_equal(due.wait, WAIT_NOTHING);
}

static void test_cadence__nearer_latest_day_counts(void **ctx)
{
	/* The ID went early; 14 days after it is sooner than 21 after the application. */
	struct application app = application("2026-06-02 10:00", STATE_ID_ISSUED, 2, "2026-06-05 10:00");
	struct due due = due_of(&app, "form", &office);

	(void)ctx;
	assert_moment(due.at, "2026-06-16 09:30");
	assert_moment(due.latest, "2026-06-19 23:59:59");
}

/* Bounds of 0 days, each alone and together with a later one. */
static void test_cadence__latest_on_the_same_day(void **ctx)
{
	static const struct {
		struct span received, previous;
		const char *latest; /* "": none */
	} cases[] = {
		{{0, 0, 0}, {-1, -1, -1}, "2026-06-01 23:59:59"},
		{{0, 0, 0}, {-1, -1, 5}, "2026-06-01 23:59:59"},
		{{0, 0, -1}, {-1, -1, 0}, "2026-06-03 23:59:59"},
		{{0, 0, 9}, {-1, -1, 0}, "2026-06-03 23:59:59"},
		{{0, 0, 2}, {-1, -1, 0}, "2026-06-03 23:59:59"}, /* the same day twice */
		{{0, 0, 1}, {-1, -1, 0}, "2026-06-02 23:59:59"},
		{{0, 0, -1}, {-1, -1, -1}, ""},
	};
	struct application app = application("2026-06-01 10:00", STATE_RECEIVED, 1, "2026-06-03 10:00");

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stage stages[] = {
			{.name = (char[]){"receipt"},
				.state = STATE_RECEIVED,
				.at_once = true,
				.after_received = {0, 0, -1},
				.after_previous = {-1, -1, -1}},
			{.name = (char[]){"id"},
				.state = STATE_ID_ISSUED,
				.after_received = cases[i].received,
				.after_previous = cases[i].previous},
		};
		struct profile profile = {.stage = stages, .stage_count = 2};
		struct due due = cadence_due(&app, &profile, &always);

		if (cases[i].latest[0])
			assert_moment(due.latest, cases[i].latest);
		else
			assert_true(due.latest == UTC_NEVER);
	}
}

static void test_cadence__never_before_it_came(void **ctx)
{
	/* Dropped ten days after its date, on a Friday evening: the ID was due before the file came. */
	struct application app = application("2026-06-12 18:00", STATE_RECEIVED, 1, "2026-06-12 18:00:01");
	struct due due;

	(void)ctx;
	app.clock_start = app.applied_on = civil_day_read("2026-06-02");
	due = due_of(&app, "form", &office);
	assert_moment(due.earliest, "2026-06-12 18:00:01");
	assert_moment(due.at, "2026-06-15 09:30");
	assert_moment(due.latest, "2026-06-12 23:59:59");
}

static void test_cadence__target_behind_earliest(void **ctx)
{
	struct stage stages[] = {
		{.name = (char[]){"receipt"},
			.state = STATE_RECEIVED,
			.at_once = true,
			.after_received = {0, 0, -1},
			.after_previous = {-1, -1, -1}},
		{.name = (char[]){"id"},
			.state = STATE_ID_ISSUED,
			.after_received = {3, 6, -1},
			.after_previous = {2, -1, -1}},
	};
	struct profile profile = {.stage = stages, .stage_count = 2};
	struct application app = application("2026-06-01 10:00", STATE_RECEIVED, 1, "2026-06-01 10:00");

	(void)ctx;
	assert_moment(cadence_due(&app, &profile, &always).at, "2026-06-07 00:00");
	assert_true(cadence_due(&app, &profile, &always).latest == UTC_NEVER);
	/* The previous notice was late: its distance wins over the target. */
	app.previous_sent_at = moment_of("2026-06-10 12:00");
	assert_moment(cadence_due(&app, &profile, &always).at, "2026-06-12 00:00");
}

/* ---- the other profiles ---- */

static void test_cadence__site(void **ctx)
{
	struct application app = application("2026-06-06 22:00", STATE_UNCONFIRMED, 0, NULL);

	(void)ctx;
	assert_moment(due_of(&app, "site", &office).at, "2026-06-06 22:00");
	/* the mail that asks is out: nothing more until the answer */
	app.stage = 1;
	app.previous_sent_at = moment_of("2026-06-06 22:00:10");
	struct due due = due_of(&app, "site", &office);

	assert_int_equal(due.wait, WAIT_CONFIRM);
	assert_true(due.at == UTC_NEVER);
	/* confirmed on a Sunday: at once */
	app.state = STATE_RECEIVED;
	due = due_of(&app, "site", &office);
	assert_int_equal(due.wait, WAIT_NOTHING);
	assert_moment(due.at, "2026-06-06 22:00:10");
	/* the logo 7-14 days behind the completion */
	app.state = STATE_ID_ISSUED;
	app.stage = 2;
	app.previous_sent_at = moment_of("2026-06-07 08:00");
	due = due_of(&app, "site", &office);
	assert_moment(due.at, "2026-06-15 09:30"); /* the 14th is a Sunday */
	assert_moment(due.latest, "2026-06-21 23:59:59");
}

static void test_cadence__confirmed_by_other_means(void **ctx)
{
	/* Staff confirmed by telephone while the mail server never took the mail that asks. */
	struct application app = application("2026-06-06 22:00", STATE_RECEIVED, 1, NULL);
	struct due due = due_of(&app, "site", &office);

	(void)ctx;
	assert_int_equal(due.wait, WAIT_NOTHING);
	assert_moment(due.at, "2026-06-06 22:00");
}

static void test_cadence__instant(void **ctx)
{
	struct application app = application("2026-06-06 22:00", STATE_RECEIVED, 1, "2026-06-06 22:00:10");

	(void)ctx;
	assert_moment(due_of(&app, "instant", &office).at, "2026-06-06 22:00:10");
	app.state = STATE_ID_ISSUED;
	app.stage = 2;
	app.previous_sent_at = moment_of("2026-06-06 22:00:20");
	assert_moment(due_of(&app, "instant", &office).at, "2026-06-06 22:00:20");
	app.state = STATE_LOGO_AUTHORIZED;
	app.stage = STAGE_NONE;
	assert_int_equal(due_of(&app, "instant", &office).wait, WAIT_DONE);
}

/* ---- what decides first ---- */

/* One application that everything holds back at once; taking away the first reason shows the next. */
static void test_cadence__order_of_deciding(void **ctx)
{
	struct stage stages[] = {
		{.name = (char[]){"receipt"}, .state = STATE_RECEIVED, .at_once = true},
		{.name = (char[]){"id"},
			.state = STATE_ID_ISSUED,
			.approval = true,
			.after_received = {7, 7, 10},
			.after_previous = {-1, -1, -1}},
	};
	struct profile profile = {.stage = stages, .stage_count = 2};
	/* Due on Saturday 2026-06-13, outside office days. */
	struct application app = application("2026-06-06 10:00", STATE_STOPPED, 1, NULL);
	struct due due;

	(void)ctx;
	app.hold = HOLD_STAFF;
	due = cadence_due(&app, &profile, &office);
	assert_int_equal(due.wait, WAIT_ENDED);
	assert_true(due.at == UTC_NEVER && due.latest == UTC_NEVER);

	app.state = STATE_RECEIVED;
	due = cadence_due(&app, &profile, &office);
	assert_int_equal(due.wait, WAIT_HOLD);
	assert_true(due.at == UTC_NEVER); /* the previous notice is open: no day can be named */

	app.hold = HOLD_REVIEW;
	assert_int_equal(cadence_due(&app, &profile, &office).wait, WAIT_REVIEW);

	app.hold = HOLD_NONE;
	due = cadence_due(&app, &profile, &office);
	assert_int_equal(due.wait, WAIT_APPROVAL);

	app.approved = true;
	due = cadence_due(&app, &profile, &office);
	assert_int_equal(due.wait, WAIT_PREVIOUS);
	assert_true(due.at == UTC_NEVER);
	assert_moment(due.latest, "2026-06-16 23:59:59");

	app.previous_sent_at = moment_of("2026-06-06 10:00:10");
	due = cadence_due(&app, &profile, &office);
	assert_int_equal(due.wait, WAIT_NOTHING);
	assert_moment(due.earliest, "2026-06-13 00:00");
	assert_moment(due.at, "2026-06-15 09:30");
}

static void test_cadence__ended_states(void **ctx)
{
	static const enum state ends[] = {
		STATE_REJECTED, STATE_WITHDRAWN, STATE_STOPPED, STATE_SUPERSEDED, STATE_EXPIRED};

	(void)ctx;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct application app = application("2026-06-02 10:00", ends[i], 1, "2026-06-02 10:00");

		assert_int_equal(due_of(&app, "form", &office).wait, WAIT_ENDED);
	}
}

static void test_cadence__held_or_unapproved_names_the_day(void **ctx)
{
	static const enum hold holds[] = {HOLD_STAFF, HOLD_REVIEW};

	(void)ctx;
	for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
		struct application app =
			application("2026-06-02 10:00", STATE_RECEIVED, 1, "2026-06-02 10:00");

		app.hold = holds[i];
		assert_moment(due_of(&app, "form", &office).at, "2026-06-09 09:30");
	}
}

static void test_cadence__hold_with_nothing_to_come(void **ctx)
{
	struct application app =
		application("2026-06-02 10:00", STATE_LOGO_AUTHORIZED, STAGE_NONE, "2026-06-20 10:00");

	(void)ctx;
	assert_int_equal(due_of(&app, "form", &office).wait, WAIT_DONE);
	app.hold = HOLD_STAFF;
	assert_int_equal(due_of(&app, "form", &office).wait, WAIT_HOLD);
	assert_true(due_of(&app, "form", &office).at == UTC_NEVER);
}

static void test_cadence__shorter_profile(void **ctx)
{
	/* A stage that the profile no longer has is done, not read beyond the end. */
	struct application app = application("2026-06-02 10:00", STATE_ID_ISSUED, 3, "2026-06-09 10:00");

	(void)ctx;
	assert_int_equal(due_of(&app, "form", &office).wait, WAIT_DONE);
}

/* ---- the clock's start ---- */

static void test_cadence__clock_start(void **ctx)
{
	static const struct {
		const char *applied, *received; /* "" : the form had no date */
		const char *start;
		bool too_old, future;
	} cases[] = {
		{"", "2026-11-22 10:00", "2026-11-22", false, false},
		{"2026-11-22", "2026-11-22 10:00", "2026-11-22", false, false},
		{"2026-11-20", "2026-11-22 10:00", "2026-11-20", false, false},
		{"2026-11-08", "2026-11-22 10:00", "2026-11-08", false, false}, /* 14 days: still good */
		{"2026-11-07", "2026-11-22 10:00", "2026-11-22", true, false},
		{"1996-11-22", "2026-11-22 10:00", "2026-11-22", true, false},
		{"2026-11-23", "2026-11-22 10:00", "2026-11-22", false, true},
		{"2062-11-22", "2026-11-22 10:00", "2026-11-22", false, true},
		/* the day of the office's zone counts: in UTC it is still the 21st */
		{"2026-11-22", "2026-11-22 00:30", "2026-11-22", false, false},
		{"2026-12-31", "2027-01-10 10:00", "2026-12-31", false, false},
		{"2028-02-29", "2028-03-01 10:00", "2028-02-29", false, false},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		civil_day applied = cases[i].applied[0] ? civil_day_read(cases[i].applied) : CIVIL_DAY_NONE;
		bool too_old = !cases[i].too_old, future = !cases[i].future;
		civil_day start =
			cadence_clock_start(applied, moment_of(cases[i].received), 14, &too_old, &future);

		assert_int_equal(start, civil_day_read(cases[i].start));
		assert_int_equal(too_old, cases[i].too_old);
		assert_int_equal(future, cases[i].future);
	}
}

/* ---- the alarm ---- */

static void test_cadence__alarm(void **ctx)
{
	static const struct {
		enum wait wait;
		const char *at, *latest, *now; /* at "": it can't be said */
		int days;
		bool alarm;
	} cases[] = {
		/* due in time: silence until the latest day is over */
		{WAIT_NOTHING, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-12 10:00", 2, false},
		{WAIT_NOTHING, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-12 23:59:59", 2, false},
		{WAIT_NOTHING, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-13 00:00", 2, true},
		/* held back: early enough to act */
		{WAIT_HOLD, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-10 10:00", 2, false},
		{WAIT_HOLD, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-11 00:00", 2, true},
		{WAIT_APPROVAL, "2026-06-09 09:30", "2026-06-12 23:59:59", "2026-06-11 10:00", 2, true},
		{WAIT_PREVIOUS, "", "2026-06-12 23:59:59", "2026-06-11 10:00", 2, true},
		{WAIT_PREVIOUS, "", "2026-06-12 23:59:59", "2026-06-09 10:00", 2, false},
		/* due, but only after the latest day */
		{WAIT_NOTHING, "2026-06-15 09:30", "2026-06-12 23:59:59", "2026-06-11 10:00", 2, true},
		{WAIT_NOTHING, "2026-06-15 09:30", "2026-06-12 23:59:59", "2026-06-09 10:00", 2, false},
		{WAIT_NOTHING, "2026-06-15 09:30", "", "2026-06-16 10:00", 2, false},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct due due = {
			.wait = cases[i].wait,
			.at = cases[i].at[0] ? moment_of(cases[i].at) : UTC_NEVER,
			.latest = cases[i].latest[0] ? moment_of(cases[i].latest) : UTC_NEVER,
		};

		if (cadence_alarm(&due, moment_of(cases[i].now), cases[i].days) != cases[i].alarm)
			fail_msg("alarm %zu is wrong", i);
	}
}

static void test_cadence__wait_names(void **ctx)
{
	(void)ctx;
	assert_string_equal(wait_name(WAIT_NOTHING), "nothing");
	assert_string_equal(wait_name(WAIT_PREVIOUS), "previous");
	for (int wait = WAIT_NOTHING; wait <= WAIT_PREVIOUS; wait++)
		assert_non_null(wait_name((enum wait)wait));
}

static int setup(void **ctx)
{
	struct err err;

	(void)ctx;
	set_zone("Asia/Tokyo");
	return profile_load(&profiles, "config/profiles/form.conf", &err) != RC_OK ||
	       profile_load(&profiles, "config/profiles/site.conf", &err) != RC_OK ||
	       profile_load(&profiles, "config/profiles/instant.conf", &err) != RC_OK;
}

static int teardown(void **ctx)
{
	(void)ctx;
	profiles_free(&profiles);
	return 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cadence__receipt_at_once_at_any_hour),
		cmocka_unit_test(test_cadence__form_on_usual_days),
		cmocka_unit_test(test_cadence__moved_by_closed_days),
		cmocka_unit_test(test_cadence__months_years_and_leap_days),
		cmocka_unit_test(test_cadence__zone_with_summer_time),
		cmocka_unit_test(test_cadence__gap_kept_after_downtime),
		cmocka_unit_test(test_cadence__nearer_latest_day_counts),
		cmocka_unit_test(test_cadence__latest_on_the_same_day),
		cmocka_unit_test(test_cadence__never_before_it_came),
		cmocka_unit_test(test_cadence__target_behind_earliest),
		cmocka_unit_test(test_cadence__site),
		cmocka_unit_test(test_cadence__confirmed_by_other_means),
		cmocka_unit_test(test_cadence__instant),
		cmocka_unit_test(test_cadence__order_of_deciding),
		cmocka_unit_test(test_cadence__ended_states),
		cmocka_unit_test(test_cadence__held_or_unapproved_names_the_day),
		cmocka_unit_test(test_cadence__hold_with_nothing_to_come),
		cmocka_unit_test(test_cadence__shorter_profile),
		cmocka_unit_test(test_cadence__clock_start),
		cmocka_unit_test(test_cadence__alarm),
		cmocka_unit_test(test_cadence__wait_names),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
