/* The role desk: its jobs take turns. */
#include "tests/unit/office_rig.h"

#include "daemon/desk.h"

#define ROWS 20000 /* of the history, to be counted */

static void add_rows(struct rig *rig)
{
	const struct history_row row = {
		.at = rig->clock.now, .event = EVENT_FILE, .ref = 1, .actor = "daemon", .note = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	for (int i = 0; i < ROWS; i++)
		assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static bool is_alarm_told(struct rig *rig)
{
	struct str value = STR_INIT;
	assert_ok(fact_get(rig->office.store, "alarms.bad", &value, &rig_err));
	bool told = strstr(value.s, "fetch\t") != NULL;
	str_free(&value);
	return told;
}

/* Counting that goes on for long keeps nobody from hearing of an alarm. */
static void test_desk__long_job_holds_up_no_other(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = -1};
	utc_time next;
	bool more = false;
	int steps = 0;
	assert_ok(role_desk.start(&ctx, &rig_err));
	do { /* what there is at the start */
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
	} while (next <= rig->clock.now && ++steps < 100);
	assert_false(is_alarm_told(rig));
	add_rows(rig);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault", "refused", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault_ja", "拒否されました", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fetched_at", "1780000000", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	clock_set(&rig->clock, rig->clock.now + 60);
	for (steps = 0; steps < 10 && !is_alarm_told(rig); steps++) {
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
		clock_set(&rig->clock, rig->clock.now + 1);
	}
	assert_true(is_alarm_told(rig));
	/* The counting is not done by then: it was not waited for. */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(daily_update(rig->office.store, 1, &more, &rig_err));
	assert_true(more);
	store_rollback(rig->office.store);
	role_desk.stop(&ctx, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_desk__long_job_holds_up_no_other, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
