/* T6: steps loop or slip when the clock jumps, at month ends, on 29 February, at the year's end; and the machine's own zone plays no part. */
#include "office_rig.h"

struct when {
	int year, month, day;
};

static const struct {
	struct when applied;
	int hour, minute;
	struct when id, logo; /* 7 days, and 7 more, moved to office days */
} cases[] = {
	{{2027, 1, 31}, 10, 0, {2027, 2, 8}, {2027, 2, 15}}, /* a Sunday; so is the seventh day */
	{{2027, 2, 28}, 23, 59, {2027, 3, 8}, {2027, 3, 15}},
	{{2027, 3, 1}, 0, 0, {2027, 3, 8}, {2027, 3, 15}}, /* one minute later, the same week */
	{{2027, 4, 30}, 10, 0, {2027, 5, 7}, {2027, 5, 14}}, /* the end of a month, over Golden Week */
	{{2027, 12, 24}, 10, 0, {2028, 1, 4},
		{2028, 1,
			11}}, /* the seventh day is 31 December: the office is closed until 4 January; 10 January is a holiday */
	{{2027, 12, 31}, 23, 59, {2028, 1, 7}, {2028, 1, 14}},
	{{2028, 2, 22}, 10, 0, {2028, 2, 29}, {2028, 3, 7}}, /* the seventh day is 29 February */
	{{2028, 2, 29}, 10, 0, {2028, 3, 7}, {2028, 3, 14}},
};

static utc_time at_of(const struct when *when, int hour, int minute)
{
	return rig_at(when->year, when->month, when->day, hour, minute);
}

/* Back to `then` and forth again, with a turn of everything at each end. */
static void jump(struct rig *rig, utc_time then)
{
	utc_time now = rig->clock.now;
	clock_set(&rig->clock, then);
	(void)rig_turn(rig);
	clock_set(&rig->clock, now);
	(void)rig_turn(rig);
}

/* All but the last: "receipt/sent id/sent" before "receipt/sent id/sent logo/sent". */
static const char *not_before(struct rig *rig, const char *outbox)
{
	return pool_strndup(rig->pool, outbox, (size_t)(strrchr(outbox, ' ') - outbox));
}

static void assert_stage(struct rig *rig, int64_t id, const char *outbox, utc_time moment, size_t which)
{
	rig_run_until(rig, moment - 60);
	struct rig_notices before = rig_notices(rig, id);
	assert_string_equal(
		rig_outbox(rig, id), not_before(rig, outbox)); /* a minute before it is not yet time */
	jump(rig, moment - 60 - 3600);
	jump(rig, moment - 60 - 400 * 86400); /* a battery that is empty */
	assert_int_equal(rig_notices(rig, id).count, before.count);
	rig_run_until(rig, moment);
	if (strcmp(rig_outbox(rig, id), outbox) != 0)
		fail_msg("case %zu: %s, not %s", which, rig_outbox(rig, id), outbox);
	jump(rig, moment - 86400);
	jump(rig, moment - 3600);
	assert_string_equal(rig_outbox(rig, id), outbox);
}

static void test_trap_06__forth_and_back_on_days_that_trip(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "ceiling_minimum = 1000;");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		utc_time applied = at_of(&cases[i].applied, cases[i].hour, cases[i].minute);
		if (applied > rig->clock.now)
			rig_run_until(rig, applied);
		else
			clock_set(&rig->clock, applied); /* the cases overlap: set back */
		int64_t id = rig_apply(rig, (int)i + 1);
		(void)rig_turn(rig);
		assert_string_equal(rig_outbox(rig, id), "receipt/sent");
		assert_stage(rig, id, "receipt/sent id/sent", at_of(&cases[i].id, 9, 30), i);
		assert_stage(rig, id, "receipt/sent id/sent logo/sent", at_of(&cases[i].logo, 9, 30), i);
	}
	/* Whatever the clock did: each letter once, each state once. */
	assert_int_equal(rig->delivered, 3 * sizeof cases / sizeof *cases);
	for (int64_t id = 1; id <= (int64_t)(sizeof cases / sizeof *cases); id++)
		assert_string_equal(rig_history(rig, id),
			"apply queue sent issue_id queue sent authorize_logo queue sent");
	rig_assert_whole(rig);
}

/* A clock far ahead for a moment: what it brought forward is not repeated, what is to come keeps its distance. */
static void test_trap_06__ahead_for_a_moment(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	jump(rig, rig->clock.now + 9 * 86400);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	rig_run_days(rig, 60);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_int_equal(rig->delivered, 3);
	rig_assert_whole(rig);
}

/* One zone, that of the office: with the process elsewhere the day and the hour are the same. */
static void test_trap_06__the_machines_zone_plays_no_part(void **state)
{
	struct rig *rig = *state;
	static const char *const zones[] = {"America/New_York", "Pacific/Kiritimati", "UTC"};
	for (int i = 0; i < 3; i++) {
		(void)setenv("TZ", zones[i], 1);
		rig_configure(rig, "");
		utc_time monday = rig_at(2026, 6, 1 + 7 * i, 10, 0);
		clock_set(&rig->clock, monday);
		int64_t id = rig_apply(rig, i + 1);
		assert_stage(rig, id, "receipt/sent id/sent", rig_at(2026, 6, 8 + 7 * i, 9, 30), (size_t)i);
		assert_int_equal(rig_app(rig, id).id_issued_on, civil_from_ymd(2026, 6, 8 + 7 * i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_06__forth_and_back_on_days_that_trip, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_06__ahead_for_a_moment, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_06__the_machines_zone_plays_no_part, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
