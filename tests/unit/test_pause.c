#include "inbound_rig.h"

static enum rc pause_part(struct rig *rig, enum pause what, bool on, const char *reason)
{
	const char *why_ja = NULL;
	enum rc rc = office_pause(
		&rig->office, what, on, reason, "staff:1000(yamada)", &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

static bool is_paused(struct rig *rig, enum pause what)
{
	bool yes = false;
	assert_ok(office_paused(&rig->office, what, &yes, &rig_err));
	return yes;
}

static void test_pause__each_part_by_itself(void **state)
{
	struct rig *rig = *state;
	for (int what = PAUSE_INTAKE; what < PAUSE_COUNT; what++) {
		struct office_holds holds;
		assert_int_equal(pause_part(rig, (enum pause)what, true, ""), RC_REFUSED);
		assert_int_equal(pause_part(rig, (enum pause)what, false, ""), RC_REFUSED);
		assert_ok(pause_part(rig, (enum pause)what, true, "点検"));
		assert_int_equal(pause_part(rig, (enum pause)what, true, "点検"), RC_REFUSED);
		assert_ok(office_holds(&rig->office, &holds, &rig_err));
		for (int other = PAUSE_INTAKE; other < PAUSE_COUNT; other++) {
			assert_int_equal(is_paused(rig, (enum pause)other), other == what);
			assert_int_equal(holds.paused[other], other == what);
		}
		rig_restart(rig); /* it outlives the process */
		assert_true(is_paused(rig, (enum pause)what));
		assert_ok(pause_part(rig, (enum pause)what, false, ""));
		assert_false(is_paused(rig, (enum pause)what));
	}
	assert_int_equal(rig_count_events(rig, 0, EVENT_PAUSE), PAUSE_COUNT - 1);
	assert_int_equal(rig_count_events(rig, 0, EVENT_RESUME), PAUSE_COUNT - 1);
	rig_assert_whole(rig);
}

/* In the middle of the cadence: what is due waits, and goes out when the work goes on; nothing is sent twice. */
static void test_pause__deciding_waits_and_goes_on(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 3);
	assert_ok(pause_part(rig, PAUSE_DECIDING, true, "点検"));
	rig_run_days(rig, 10);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	int64_t late = rig_apply(rig, 2); /* its receipt is a decision too */
	rig_run_days(rig, 1);
	assert_string_equal(rig_outbox(rig, late), "");
	struct str text = STR_INIT;
	struct due due;
	struct application app = rig_app(rig, id);
	assert_ok(office_why(&rig->office, &app, &text, &due, &rig_err));
	assert_non_null(strstr(text.s, "paused"));
	str_free(&text);
	assert_ok(pause_part(rig, PAUSE_DECIDING, false, ""));
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	assert_string_equal(rig_outbox(rig, late), "receipt/sent");
	rig_assert_whole(rig);
}

static void test_pause__sending_keeps_what_is_queued(void **state)
{
	struct rig *rig = *state;
	assert_ok(pause_part(rig, PAUSE_SENDING, true, "サーバー移行"));
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 10);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	struct str text = STR_INIT;
	struct due due;
	struct application app = rig_app(rig, id);
	assert_ok(office_why(&rig->office, &app, &text, &due, &rig_err));
	assert_non_null(strstr(text.s, "Sending is paused"));
	str_free(&text);
	assert_ok(pause_part(rig, PAUSE_SENDING, false, ""));
	assert_int_equal(rig_send(rig), 1);
	rig_assert_whole(rig);
}

/* A stop whose day comes while reading is paused is carried out when it goes on. */
static void test_pause__requests_wait_with_the_mailbox(void **state)
{
	struct rig *rig = *state;
	struct step_result step;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct received mail = inbound_mail(REQUEST_STOP, inbound_address(rig, id));
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.business_name = rig_app(rig, id).form.value[FIELD_BUSINESS_NAME];
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	assert_ok(pause_part(rig, PAUSE_READING, true, "点検"));
	rig_run_days(rig, 20);
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_int_equal(step.done, 0);
	assert_true(step.next_at == UTC_NEVER);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	assert_ok(pause_part(rig, PAUSE_READING, false, ""));
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_int_equal(step.done, 1);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	rig_assert_whole(rig);
}

/* A register that waits to be taken over acts on no mail. */
static void test_pause__a_restored_register_reads_nothing(void **state)
{
	struct rig *rig = *state;
	struct step_result step;
	bool may = false;
	assert_ok(office_may_read(&rig->office, &may, &rig_err));
	assert_true(may);
	rig->store_settings.host = "host-b";
	rig_restart(rig);
	assert_ok(office_may_read(&rig->office, &may, &rig_err));
	assert_false(may);
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_true(step.next_at == UTC_NEVER);
	assert_ok(office_release_restored(&rig->office, "staff:0(root)", &rig_err));
	assert_ok(office_may_read(&rig->office, &may, &rig_err));
	assert_true(may);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_pause__each_part_by_itself),
		WITH_RIG(test_pause__deciding_waits_and_goes_on),
		WITH_RIG(test_pause__sending_keeps_what_is_queued),
		WITH_RIG(test_pause__requests_wait_with_the_mailbox),
		WITH_RIG(test_pause__a_restored_register_reads_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
