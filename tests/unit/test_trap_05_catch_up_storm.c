/* T5: after an outage everything overdue fires at once, or twice. Three weeks off, with cases before each of their stages and mail waiting; then start. */
#include "office_rig.h"

#define CASES 60

static struct office_holds holds(struct rig *rig)
{
	struct office_holds out;
	assert_ok(office_holds(&rig->office, &out, &rig_err));
	return out;
}

static enum outcome greylisted(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_TEMPORARY;
}

/* Twenty cases wait for their logo, twenty for their ID, twenty receipts wait for the server. */
static void office_at_work(struct rig *rig)
{
	rig_configure(rig, "ceiling_minimum = 10; ceiling_percent = 150;");
	for (int i = 0; i < CASES / 3; i++)
		(void)rig_apply(rig, i);
	rig_run_days(rig, 10);
	for (int i = CASES / 3; i < CASES * 2 / 3; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	rig->answer = greylisted;
	for (int i = CASES * 2 / 3; i < CASES; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	rig->answer = NULL;
	assert_int_equal(
		rig->delivered, CASES / 3 * 3); /* receipts and IDs of the first, receipts of the second */
}

static void test_trap_05__three_weeks_off(void **state)
{
	struct rig *rig = *state;
	office_at_work(rig);
	utc_time morning = rig_at(2026, 7, 6, 8, 0);
	clock_set(&rig->clock, morning);
	rig_restart(rig);
	int before = rig->delivered;
	rig_run_until(rig, rig_at(2026, 7, 6, 17, 0));
	/* What was queued goes; of what became due meanwhile no more than the ceiling, oldest first; then the question. */
	struct office_holds asked = holds(rig);
	assert_true(asked.stages.asked);
	assert_int_equal(asked.stages.limit, 10);
	assert_int_equal(asked.stages.due, CASES - 10);
	assert_int_equal(rig->delivered - before, CASES / 3 + 10);
	assert_string_equal(rig_outbox(rig, 1), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, 11), "receipt/sent id/sent");

	/* It stands, however often the office is started, until a person answers. */
	for (int day = 0; day < 4; day++) {
		rig_restart(rig);
		rig_run_days(rig, 1);
	}
	assert_int_equal(rig->delivered - before, CASES / 3 + 10);
	assert_int_equal(rig_count_events(rig, 0, EVENT_CEILING), 1);
	bool released, waits;
	const char *why_ja;
	for (int day = 0; day < 60; day++) {
		if (holds(rig).stages.asked)
			assert_ok(office_release_ceiling(
				&rig->office, "staff:1000", &released, &waits, &why_ja, rig->pool, &rig_err));
		rig_run_days(rig, 1);
	}
	/* In the end each has each of its letters once, a week and more between ID and logo. */
	assert_int_equal(rig->delivered, CASES * 3);
	for (int64_t id = 1; id <= CASES; id++) {
		assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
		struct rig_notices all = rig_notices(rig, id);
		assert_true(all.item[2].accepted_at - all.item[1].accepted_at >= 6 * 86400);
	}
	rig_assert_whole(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_05__three_weeks_off, rig_setup, rig_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
