/* T19: leaving and stopping done wrong. What a machine opens or answers changes nothing; a stop one second before the send wins; who leaves the news still gets the ID. */
#include "confirm_rig.h"

/* There is no page to open. A letter holds no address that would do something when it is opened: only those of the settings, for reading. */
static void test_trap_19__nothing_to_open(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	struct rig_notices all = rig_notices(rig, id);
	assert_int_equal(all.count, 3);
	for (int i = 0; i < all.count; i++) {
		struct str wire = STR_INIT;
		const char *text = rig_text(rig, all.item[i].id);
		rig_letter(rig, all.item[i].id, &wire);
		assert_null(strcasestr(wire.s, "\r\nList-Unsubscribe")); /* case mail is no news */
		for (const char *at = text; (at = strstr(at, "http")) != NULL; at++)
			if (!str_has_prefix(at, "https://www.ipa.go.jp/") &&
				!str_has_prefix(at, rig->settings->site_url))
				fail_msg("%s holds %.60s", all.item[i].template_name, at);
		assert_null(strstr(text, "?"));
		str_free(&wire);
	}
}

/* A scanner that follows the letter: it answers the confirmation, token and all, as a machine. */
static void test_trap_19__a_machine_confirms_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received form = confirm_form(rig, REQUEST_STOP, id, inbound_address(rig, id));
	(void)confirm_asked(rig, &form);
	const char *token = confirm_token(rig, "confirm-stop");
	for (int flaw = 0; flaw < 3; flaw++) {
		struct received reply = confirm_reply(inbound_address(rig, id), token);
		reply.automatic = flaw == 0;
		reply.null_sender = flaw == 1;
		reply.bulk = flaw == 2;
		(void)inbound_receive(rig, &reply);
		assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	}
	/* Nor does one from elsewhere that saw the token. */
	struct received other = confirm_reply(STRANGER, token);
	(void)inbound_receive(rig, &other);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
}

static void stop(struct rig *rig, int64_t id)
{
	const char *why_ja;
	assert_ok(office_stop(
		&rig->office, id, CIVIL_DAY_NONE, "廃業", "staff:1000", &why_ja, rig->pool, &rig_err));
}

/* One second before the stage is due; and, the letter being queued, one second before the sender would claim it. */
static void test_trap_19__one_second_before_the_send(void **state)
{
	struct rig *rig = *state;
	int64_t early = rig_apply(rig, 1), queued = rig_apply(rig, 2);
	rig_run_until(rig, rig_at(2026, 6, 15, 9, 30) - 1);
	stop(rig, early);
	struct step_result step;
	clock_set(&rig->clock, rig->clock.now + 1);
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_string_equal(rig_outbox(rig, queued), "receipt/sent id/sent logo/queued");
	stop(rig, queued);
	rig_run_days(rig, 60);
	assert_string_equal(rig_outbox(rig, early), "receipt/sent id/sent");
	assert_string_equal(rig_outbox(rig, queued), "receipt/sent id/sent logo/cancelled");
	assert_int_equal(rig->delivered, 4);
	rig_assert_whole(rig);
}

/* The same where the one who claims looks at the very moment: the claim reads the state once more. */
static void test_trap_19__the_claim_decides(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct notice notice[4];
	int count;
	confirm_sql(
		rig, "UPDATE application SET state = 7 WHERE id = 1"); /* stopped behind the outbox's back */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 4, NULL, notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 0);
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled");
}

/* Mail queued before the wish does not leave after it, and the news are no case mail. */
static void test_trap_19__news_off_and_the_id_comes(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_NEWS] = "true";
	int64_t id = rig_register(rig, &form);
	(void)rig_turn(rig);
	struct received mail = inbound_mail(REQUEST_NEWS_UNSUBSCRIBE, inbound_address(rig, id));
	(void)inbound_receive(rig, &mail);
	assert_string_equal(rig_app(rig, id).form.value[FIELD_NEWS], "false");
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent news-stopped/sent id/sent logo/sent");
	/* Somebody else's wish about that address changes nothing. */
	int64_t other = rig_apply(rig, 2);
	struct received foreign = inbound_mail(REQUEST_NEWS_UNSUBSCRIBE, STRANGER);
	(void)inbound_receive(rig, &foreign);
	assert_int_equal(rig_count_events(rig, other, EVENT_NEWS), 0);
	rig_assert_whole(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_19__nothing_to_open, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_19__a_machine_confirms_nothing, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_19__one_second_before_the_send, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_19__the_claim_decides, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_19__news_off_and_the_id_comes, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
