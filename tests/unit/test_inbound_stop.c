/* 使用中止 by mail: who may ask, what is asked back, what follows */
#include "confirm_rig.h"

/* ---- the way it should go ---- */

static void test_inbound_stop__asked_confirmed_carried_out(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	mail.reading.fields.business_name = "（株）サンプル１"; /* as people write it */
	int64_t asked = confirm_asked(rig, &mail);
	/* Nothing but a letter to the registered address has happened. */
	assert_string_equal(inbound_queued(rig), "confirm-stop>info1@example.co.jp");
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	struct mail_message message = inbound_message(rig, asked);
	assert_int_equal(message.folder, FOLDER_DONE);
	assert_int_equal(message.kind, REQUEST_STOP);
	assert_false(message.review);
	assert_int_equal(inbound_request(rig, asked).due_at, rig_at(2026, 6, 20, 0, 0));

	const char *token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	struct received reply = confirm_reply("INFO1@example.co.jp", token);
	int64_t answered = inbound_receive(rig, &reply);
	assert_string_equal(inbound_outcome(rig, asked), "done: 2026年6月12日(金)付けで使用中止としました。");
	assert_int_equal(inbound_request(rig, asked).proof, PROOF_TOKEN);
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	assert_string_equal(inbound_queued(rig), "stopped>info1@example.co.jp");
	assert_int_equal(inbound_message(rig, answered).kind, REQUEST_STOP);
	assert_int_equal(inbound_message(rig, answered).folder, FOLDER_DONE);
	assert_int_equal(inbound_request(rig, answered).id, 0);
	/* It speaks of the end, and leaves although the application has ended. */
	assert_int_equal(rig_send(rig), 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent confirm-stop/sent stopped/sent");
	assert_non_null(strstr(rig_history(rig, id), "request queue asked sent proven stop"));
	assert_int_equal(rig_count_events(rig, id, EVENT_REQUEST_CLOSED), 1);
	rig_run_days(rig, 30);
	assert_int_equal(rig_notices(rig, id).count, 4);
	rig_assert_whole(rig);
}

/* N6, T19: a logo notice that is queued is cancelled in the same transaction, one at the mail server is written down. */
static void test_inbound_stop__wins_against_a_queued_notice(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_until(rig, rig_at(2026, 6, 12, 10, 0));
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	int64_t asked = confirm_asked(rig, &mail);
	const char *token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	struct step_result step;
	clock_set(&rig->clock,
		rig_at(2026, 6, 16, 10, 0)); /* the logo is due, and the sender has not come yet */
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_string_equal(inbound_queued(rig), "logo>info1@example.co.jp");
	struct received reply = confirm_reply("info1@example.co.jp", token);
	(void)inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_DONE);
	assert_string_equal(inbound_queued(rig), "stopped>info1@example.co.jp");
	assert_string_equal(
		rig_outbox(rig, id), "receipt/sent id/sent confirm-stop/sent logo/cancelled stopped/queued");
	assert_int_equal(rig_count_events(rig, id, EVENT_CANCEL), 1);
	assert_int_equal(rig_count_events(rig, id, EVENT_IN_FLIGHT), 0);
	rig_assert_whole(rig);
}

static void test_inbound_stop__writes_down_what_is_in_flight(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_until(rig, rig_at(2026, 6, 12, 10, 0));
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	(void)confirm_asked(rig, &mail);
	const char *token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	struct step_result step;
	struct notice claimed[4];
	int count = 0;
	clock_set(&rig->clock, rig_at(2026, 6, 16, 10, 0));
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 4, NULL, claimed, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 1);
	struct received reply = confirm_reply("info1@example.co.jp", token);
	(void)inbound_receive(rig, &reply);
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	assert_int_equal(rig_count_events(rig, id, EVENT_IN_FLIGHT), 1);
	rig_assert_whole(rig);
}

/* A day to come: everything is held from now on, and the clock stops it on that day. */
static void test_inbound_stop__planned(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	mail.reading.fields.stop_on = civil_from_ymd(2026, 6, 30);
	int64_t asked = confirm_asked(rig, &mail);
	assert_non_null(strstr(inbound_text(rig, "confirm-stop"), "使用中止日：2026年6月30日(火)"));
	const char *token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	struct received reply = confirm_reply("info1@example.co.jp", token);
	(void)inbound_receive(rig, &reply);
	assert_string_equal(inbound_outcome(rig, asked),
		"planned: 2026年6月30日(火)に使用中止とします。それまで通知は送りません。");
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	assert_string_equal(inbound_queued(rig), "stop-planned>info1@example.co.jp");
	assert_int_equal(rig_send(rig), 1); /* held, but an answer goes out */

	/* A second form for that day says nothing new; one for another day is for a person. */
	int64_t again = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, again),
		"done: 同じ日付の使用中止が、すでに予定されています。お知らせは送っていません。");
	mail.reading.fields.stop_on = civil_from_ymd(2026, 7, 1);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);

	rig_run_until(rig, rig_at(2026, 6, 29, 23, 0));
	confirm_run_requests(rig);
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_PLANNED);
	clock_set(&rig->clock, rig_at(2026, 6, 30, 0, 0));
	confirm_run_requests(rig); /* before the scheduler: it comes again */
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_PLANNED);
	rig_run_until(rig, rig_at(2026, 6, 30, 0, 10));
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	assert_int_equal(rig_app(rig, id).stopped_on, civil_from_ymd(2026, 6, 30));
	confirm_run_requests(rig);
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_DONE);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent confirm-stop/sent stop-planned/sent");
	rig_assert_whole(rig);
}

static void test_inbound_stop__planned_and_revoked(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	mail.reading.fields.stop_on = civil_from_ymd(2026, 6, 30);
	int64_t asked = confirm_asked(rig, &mail);
	struct received reply = confirm_reply("info1@example.co.jp", confirm_token(rig, "confirm-stop"));
	(void)inbound_receive(rig, &reply);
	rig_decide(rig, id, DECISION_RELEASE, "取りやめの電話");
	rig_run_until(rig, rig_at(2026, 6, 30, 9, 0));
	confirm_run_requests(rig);
	assert_string_equal(
		inbound_outcome(rig, asked), "declined: 使用中止の予定が、職員によって取り消されました。");
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* Both end: the star and the step-up that runs for it. */
static void test_inbound_stop__takes_a_running_step_up_along(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = inbound_id(rig, star);
	int64_t step_up = rig_register(rig, &form);
	rig_run_days(rig, 9);
	struct received mail = confirm_form(rig, REQUEST_STOP, star, STRANGER);
	(void)confirm_asked(rig, &mail);
	struct received reply = confirm_reply("info1@example.co.jp", confirm_token(rig, "confirm-stop"));
	(void)inbound_receive(rig, &reply);
	assert_int_equal(rig_app(rig, star).state, STATE_STOPPED);
	assert_int_equal(rig_app(rig, step_up).state, STATE_STOPPED);
	rig_assert_whole(rig);
}

/* ---- trust_aligned_dkim ---- */

static void test_inbound_stop__aligned_dkim(void **state)
{
	static const struct {
		bool on, aligned, registered, carried_out;
	} cases[] = {
		{true, true, true, true},
		{false, true, true, false},
		{true, false, true, false},
		{true, true, false, false},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t id = confirm_declaration(rig, (int)i + 1);
		rig_configure(rig, cases[i].on ? "trust_aligned_dkim = true;" : "");
		struct received mail = confirm_form(
			rig, REQUEST_STOP, id, cases[i].registered ? inbound_address(rig, id) : STRANGER);
		mail.authres.dkim_aligned = cases[i].aligned;
		struct request request = inbound_request(rig, inbound_receive(rig, &mail));
		assert_int_equal(
			request.state, cases[i].carried_out ? REQUEST_STATE_DONE : REQUEST_STATE_ASKED);
		assert_int_equal(request.proof, cases[i].carried_out ? PROOF_DKIM : PROOF_NONE);
		assert_int_equal(
			rig_app(rig, id).state, cases[i].carried_out ? STATE_STOPPED : STATE_ID_ISSUED);
	}
	rig_assert_whole(rig);
}

/* ---- what is refused ---- */

struct doubt {
	const char *what;
	void (*alter)(struct rig *rig, struct received *mail, int64_t id);
	const char *outcome; /* how it begins */
};

static void without_id(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->reading.fields.declaration_id = "";
}

static void without_name(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->reading.fields.business_name = "";
}

static void by_corporate_number(struct rig *rig, struct received *mail, int64_t id)
{
	mail->reading.fields.declaration_id = "";
	mail->reading.fields.corporate_number = rig_app(rig, id).form.value[FIELD_CORPORATE_NUMBER];
	mail->reading.fields.prefecture = "東京都";
}

static void of_nobody(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->reading.fields.declaration_id = "49999999999";
}

static void of_another(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->reading.fields.business_name = "株式会社サンプル2";
}

static void with_another_number(struct rig *rig, struct received *mail, int64_t id)
{
	(void)id;
	mail->reading.fields.corporate_number = rig_corporate_number(rig->pool, 77);
}

static void before_its_id(struct rig *rig, struct received *mail, int64_t id)
{
	mail->reading.fields.stop_on = rig_app(rig, id).id_issued_on - 1;
}

static void far_away(struct rig *rig, struct received *mail, int64_t id)
{
	(void)id;
	mail->reading.fields.stop_on = rig_today(rig) + 400;
}

static void uncertain(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->reading.review = true;
	mail->reading.why = "Rule stop-wish. Review: the attachment a.pdf is a PDF.";
}

static void automatic(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->automatic = true;
}

static void of_the_null_sender(struct rig *rig, struct received *mail, int64_t id)
{
	(void)rig;
	(void)id;
	mail->null_sender = true;
}

static void with_a_policy(struct rig *rig, struct received *mail, int64_t id)
{
	(void)mail;
	(void)id;
	rig_configure(rig, "policy = ( { request = \"stop\"; action = \"review\"; } );");
}

static void of_a_dead_address(struct rig *rig, struct received *mail, int64_t id)
{
	(void)mail;
	(void)id;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(suppression_set(
		rig->office.store, "info1@example.co.jp", SUPPRESS_DEAD, true, rig->clock.now, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* Whatever is unsure waits for a person; nothing is stopped, held, or told to anybody. */
static void test_inbound_stop__doubts(void **state)
{
	static const struct doubt doubts[] = {
		{"no ID", without_id, "review: 自己宣言IDが書かれていません。"},
		{"no name", without_name, "review: 事業者名が書かれていません。"},
		{"identified by 法人番号 alone", by_corporate_number,
			"review: 自己宣言IDが書かれていません。"},
		{"not on file", of_nobody, "review: 書かれた自己宣言IDの宣言は、登録されていません。"},
		{"another business", of_another, "review: 書かれた自己宣言IDと事業者名"},
		{"another 法人番号", with_another_number, "review: 書かれた自己宣言IDと事業者名"},
		{"a day before its ID", before_its_id,
			"review: 使用中止日が、自己宣言IDの発行日より前です。"},
		{"a day too far", far_away, "review: 使用中止日が1年以上先です。"},
		{"an uncertain reading", uncertain, "review: 添付はPDFです。"},
		{"a machine", automatic, "review: 自動送信のメールに"},
		{"the null sender", of_the_null_sender, "review: 自動送信のメールに"},
		{"a dead address", of_a_dead_address, "review: 登録アドレスへ確認のメールを送れませんでした"},
		{"policy", with_a_policy, "review: 設定（policy）により"},
	};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof doubts / sizeof *doubts; i++) {
		struct received mail = confirm_form(rig, REQUEST_STOP, id, "info1@example.co.jp");
		doubts[i].alter(rig, &mail, id);
		int64_t message = inbound_receive(rig, &mail);
		if (!str_has_prefix(inbound_outcome(rig, message), doubts[i].outcome))
			fail_msg("%s: %s", doubts[i].what, inbound_outcome(rig, message));
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_REVIEW);
		assert_true(inbound_message(rig, message).review);
		assert_string_equal(inbound_queued(rig), "");
		assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
		assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	}
	rig_assert_whole(rig);
}

/* 9… where 4… should be: told to whom it is registered for, never to a stranger who gives a business's name. */
static void test_inbound_stop__user_number_for_the_id(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, "info1@example.co.jp");
	mail.reading.fields.declaration_id = "";
	mail.reading.fields.declaration_id_written =
		pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).user_number);
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ANSWERED);
	assert_string_equal(inbound_queued(rig), "wrong-number>info1@example.co.jp");
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	/* Anybody can write in that name, and again and again: it is told once a day. */
	message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "wrong-number>info1@example.co.jp");
}

/* What was stopped stays stopped, and nobody hears of it twice. */
static void test_inbound_stop__stopped_before(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	const char *why_ja;
	assert_ok(office_stop(
		&rig->office, id, CIVIL_DAY_NONE, "電話", "staff:1000", &why_ja, rig->pool, &rig_err));
	struct received mail = confirm_form(rig, REQUEST_STOP, id, "info1@example.co.jp");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"done: すでに使用中止となっています。お知らせは送っていません。");
	assert_string_equal(inbound_queued(rig), "");
}

/* A stranger who asks again and again makes us write once. */
static void test_inbound_stop__asked_once(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	int64_t first = confirm_asked(rig, &mail);
	for (int i = 0; i < 5; i++)
		assert_int_equal(
			inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "confirm-stop>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, first).state, REQUEST_STATE_ASKED);
}

/* Stopped by other means while the answer was awaited: the answer, or the end of the wait, closes it. */
static void test_inbound_stop__stopped_meanwhile(void **state)
{
	struct rig *rig = *state;
	for (int n = 1; n <= 2; n++) {
		int64_t id = confirm_declaration(rig, n);
		struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
		int64_t asked = confirm_asked(rig, &mail);
		const char *token = confirm_token(rig, "confirm-stop"), *why_ja;
		(void)rig_send(rig);
		assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "電話", "staff:1000", &why_ja,
			rig->pool, &rig_err));
		if (n == 1) {
			struct received reply = confirm_reply(inbound_address(rig, id), token);
			(void)inbound_receive(rig, &reply);
		} else {
			rig_run_days(rig, 9);
			confirm_run_requests(rig);
		}
		assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_DONE);
		assert_string_equal(inbound_queued(rig), "");
	}
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_stop__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(asked_confirmed_carried_out),
		TEST(wins_against_a_queued_notice),
		TEST(writes_down_what_is_in_flight),
		TEST(planned),
		TEST(planned_and_revoked),
		TEST(takes_a_running_step_up_along),
		TEST(aligned_dkim),
		TEST(doubts),
		TEST(user_number_for_the_id),
		TEST(stopped_before),
		TEST(asked_once),
		TEST(stopped_meanwhile),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
