/* The office at a glance, and how much happened on which day. */
#include "tests/unit/office_rig.h"

#include "lib/desk/tally.h"

static void count_all(struct rig *rig)
{
	bool more = true;
	while (more) {
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(daily_update(rig->office.store, 300, &more, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
	}
}

static void test_tally__daily_counts_what_happened(void **state)
{
	struct rig *rig = *state;
	int64_t count[30][DAILY_COUNT], again[30][DAILY_COUNT];
	utc_time last[DAILY_COUNT];
	civil_day first = rig_today(rig);
	for (int n = 1; n <= 3; n++)
		rig_apply(rig, n);
	rig_run_days(rig, 21);

	/* Nothing was counted yet: a reader counts by itself. */
	assert_ok(daily_get(rig->office.store, first, first + 29, count, &rig_err));
	count_all(rig);
	assert_ok(daily_get(rig->office.store, first, first + 29, again, &rig_err));
	assert_memory_equal(count, again, sizeof count);
	assert_int_equal(count[0][DAILY_APPLICATIONS], 3);
	assert_int_equal(count[0][DAILY_QUEUED], 3);
	assert_int_equal(count[0][DAILY_SENT], 3);
	assert_int_equal(count[7][DAILY_IDS], 3);
	assert_int_equal(count[14][DAILY_LOGOS], 3);
	assert_int_equal(count[1][DAILY_SENT], 0);

	/* What comes later is added, whoever has counted so far. */
	utc_time at = rig->clock.now;
	rig_apply(rig, 4);
	assert_ok(daily_get(rig->office.store, first, first + 29, count, &rig_err));
	assert_int_equal(count[21][DAILY_APPLICATIONS], 1);
	assert_int_equal(count[0][DAILY_APPLICATIONS], 3);
	assert_ok(daily_last(rig->office.store, last, &rig_err));
	assert_true(last[DAILY_APPLICATIONS] == at);
	assert_true(last[DAILY_BOUNCES] == 0);
	count_all(rig);
	assert_ok(daily_get(rig->office.store, first + 21, first + 21, count, &rig_err));
	assert_int_equal(count[0][DAILY_APPLICATIONS], 1);
}

static void test_tally__daily_goes_in_steps(void **state)
{
	struct rig *rig = *state;
	bool more = false;
	int steps = 0;
	int64_t count[1][DAILY_COUNT];
	for (int n = 1; n <= 300; n++)
		rig_apply(rig, n);
	for (more = true; more; steps++) {
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(daily_update(rig->office.store, 100, &more, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
		/* A step that was cut short changes nothing. */
		assert_ok(store_begin(rig->office.store, &rig_err));
		bool ignored;
		assert_ok(daily_update(rig->office.store, 100, &ignored, &rig_err));
		store_rollback(rig->office.store);
	}
	assert_true(steps >= 2);
	assert_ok(daily_get(rig->office.store, rig_today(rig), rig_today(rig), count, &rig_err));
	assert_int_equal(count[0][DAILY_APPLICATIONS], 300);
}

static void test_tally__glance(void **state)
{
	struct rig *rig = *state;
	struct tally tally;
	int64_t id[6];
	for (int n = 0; n < 6; n++)
		id[n] = rig_apply(rig, n + 1);
	rig_run_days(rig, 4);
	rig_decide(rig, id[1], DECISION_HOLD, "確認中");
	rig_decide(rig, id[2], DECISION_REJECT, "対象外");
	assert_ok(tally_make(&rig->office, 7, &tally, rig->pool, &rig_err));
	assert_int_equal(tally.today, rig_today(rig));
	assert_int_equal(tally.from, rig_today(rig) - 6);
	assert_int_equal(tally.books.applications, 6);
	assert_int_equal(tally.books.by_state[STATE_RECEIVED], 5);
	assert_int_equal(tally.waiting[STATE_RECEIVED], 5);
	assert_int_equal(tally.waiting[STATE_REJECTED], 0);
	assert_int_equal(tally.age[STATE_RECEIVED][0], 0);
	assert_int_equal(tally.age[STATE_RECEIVED][2], 5); /* four days: more than 3, at most 7 */
	assert_int_equal(tally.daily[2][DAILY_APPLICATIONS], 6);
	assert_int_equal(tally.due_today, 0);
	assert_true(tally.oldest_queued == 0);
	assert_int_equal(tally.open_batches, 0);

	rig_run_until(rig, civil_moment(rig_today(rig) + 2, 600));
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_int_equal(tally.due_today + tally.due_tomorrow, 4); /* the ID notices, but for the one held */

	/* A mail server that takes nothing: what waits is seen to wait. */
	assert_ok(office_run_due(&rig->office, 50, &(struct step_result){0}, &rig_err));
	clock_set(&rig->clock, rig->clock.now + 86400);
	assert_ok(office_run_due(&rig->office, 50, &(struct step_result){0}, &rig_err));
	utc_time at = rig->clock.now;
	clock_set(&rig->clock, at + 7200);
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_true(tally.oldest_queued == at);
	assert_int_equal(tally.outbox[OUTBOX_QUEUED], 4);
}

static void test_tally__overdue(void **state)
{
	struct rig *rig = *state;
	struct tally tally;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 1);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	rig_run_days(rig, 40);
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_int_equal(tally.overdue, 1);
	assert_int_equal(tally.age[STATE_RECEIVED][6], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_tally__daily_counts_what_happened, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_tally__daily_goes_in_steps, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_tally__glance, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_tally__overdue, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
