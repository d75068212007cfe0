#include "lib/office/office_p.h"
#include "inbound_rig.h"

#define STAFF "staff:1000(yamada)"

static const char *why_ja;

static enum rc move(struct rig *rig, int64_t id, enum state to, const char *reason)
{
	why_ja = NULL;
	enum rc rc = office_move(&rig->office, id, to, reason, STAFF, &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

static enum rc undo(struct rig *rig, int64_t id, const char *reason)
{
	why_ja = NULL;
	enum rc rc = office_undo(&rig->office, id, reason, STAFF, &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

static enum rc anew(struct rig *rig, int64_t id, const char *name, const char *reason, int64_t *notice_id)
{
	why_ja = NULL;
	enum rc rc = office_resend_anew(
		&rig->office, id, name, reason, STAFF, notice_id, &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

#define assert_refused(call, words)                                                                          \
	do {                                                                                                 \
		assert_int_equal((call), RC_REFUSED);                                                        \
		if (!strstr(why_ja, words))                                                                  \
			fail_msg("%s: %s", #call, why_ja);                                                   \
	} while (0)

static void pause_part(struct rig *rig, enum pause what, bool on)
{
	const char *ja;
	assert_ok(office_pause(&rig->office, what, on, "点検", STAFF, &ja, rig->pool, &rig_err));
}

static const char site_era[] = "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );";
static const char instant_era[] = "era = ( { from = \"2017-04-01\"; profile = \"instant\"; } );";

/* ---- 繰上げ ---- */

static void test_move__the_next_stage_comes_at_once(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_ok(move(rig, id, STATE_ID_ISSUED, "至急の依頼"));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_ID_ISSUED);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/queued");
	(void)rig_turn(rig);
	/* A Sunday, far outside office hours. */
	clock_set(&rig->clock, rig_at(2026, 6, 7, 3, 0));
	assert_ok(move(rig, id, STATE_LOGO_AUTHORIZED, "至急の依頼"));
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_refused(move(rig, id, STATE_LOGO_AUTHORIZED, "至急"), "済んでいます");
	rig_assert_whole(rig);
}

static void test_move__what_holds_still_holds(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), other = rig_apply(rig, 2);
	assert_refused(move(rig, id, STATE_ID_ISSUED, ""), "理由");
	assert_refused(move(rig, id, STATE_ID_ISSUED, "至急"), "前の通知");
	(void)rig_turn(rig);
	assert_refused(move(rig, id, STATE_LOGO_AUTHORIZED, "至急"), "次の段階は「ID発行済み」");
	assert_refused(move(rig, 99, STATE_ID_ISSUED, "至急"), "申込みはありません");
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	assert_refused(move(rig, id, STATE_ID_ISSUED, "至急"), "保留");
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_decide(rig, other, DECISION_REJECT, "重複");
	assert_refused(move(rig, other, STATE_ID_ISSUED, "至急"), "「却下」");
	pause_part(rig, PAUSE_DECIDING, true);
	assert_refused(move(rig, id, STATE_ID_ISSUED, "至急"), "一時停止");
	pause_part(rig, PAUSE_DECIDING, false);
	assert_ok(move(rig, id, STATE_ID_ISSUED, "至急"));
	rig_assert_whole(rig);
}

static void test_move__an_unconfirmed_address_is_confirmed_first(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_refused(move(rig, id, STATE_ID_ISSUED, "至急"), "メールアドレスの確認");
}

/* ---- 元に戻す ---- */

/* The ID was issued too early: back, nothing goes out, and the same numbers come again. */
static void test_undo__a_stage_whose_notice_waits(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_ok(move(rig, id, STATE_ID_ISSUED, "至急"));
	struct application before = rig_app(rig, id);
	assert_refused(undo(rig, id, ""), "理由");
	assert_ok(undo(rig, id, "取り違え"));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_RECEIVED);
	assert_int_equal(app.hold, HOLD_STAFF);
	assert_int_equal(app.id_issued_on, CIVIL_DAY_NONE);
	assert_int_equal(app.stage, 1);
	assert_true(app.previous_sent_at > 0);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/cancelled");
	rig_assert_whole(rig);
	/* Held until somebody has looked: else it would come at once again. */
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/cancelled");
	assert_refused(undo(rig, id, "もう一度"), "元に戻す変更がありません");
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 3);
	app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_ID_ISSUED);
	assert_true(app.declaration_id == before.declaration_id && app.user_number == before.user_number);
	assert_int_equal(app.id_issued_on, rig_today(rig) - 3);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/cancelled id/sent");
	rig_assert_whole(rig);
}

/* An ID that was taken back is told to nobody who asks. */
/* What a person must decide is still to be decided: a release is not enough. */
static void test_undo__a_review_stays_one(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_ok(move(rig, id, STATE_ID_ISSUED, "至急"));
	struct application app = rig_app(rig, id);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_review(&rig->office, &app, "連絡先を確認してください。", 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_ok(undo(rig, id, "取り違え"));
	app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_RECEIVED);
	assert_int_equal(app.hold, HOLD_REVIEW);
	assert_string_equal(app.hold_reason, "連絡先を確認してください。");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/cancelled");
	rig_assert_whole(rig);
}

static void test_undo__the_number_is_no_answer(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_ok(move(rig, id, STATE_ID_ISSUED, "至急"));
	assert_ok(undo(rig, id, "取り違え"));
	rig_decide(rig, id, DECISION_RELEASE, "");
	struct received mail = inbound_mail(REQUEST_ID_ENQUIRY, inbound_address(rig, id));
	mail.reading.fields.corporate_number = rig_app(rig, id).form.value[FIELD_CORPORATE_NUMBER];
	mail.reading.fields.prefecture = "東京都";
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_null(strstr(rig_outbox(rig, id), "id-answer"));
}

static enum outcome unknown(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_UNKNOWN;
}

static enum outcome refused(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_PERMANENT;
}

static void test_undo__not_what_was_told(void **state)
{
	struct rig *rig = *state;
	int64_t sent = rig_apply(rig, 1), lost = rig_apply(rig, 2), flying = rig_apply(rig, 3),
		failed = rig_apply(rig, 4);
	(void)rig_turn(rig);
	assert_refused(undo(rig, sent, "取り違え"), "元に戻す変更がありません");
	assert_ok(move(rig, sent, STATE_ID_ISSUED, "至急"));
	assert_int_equal(rig_send(rig), 1);
	assert_refused(undo(rig, sent, "取り違え"), "すでに送信");

	rig->answer = unknown;
	assert_ok(move(rig, lost, STATE_ID_ISSUED, "至急"));
	assert_int_equal(rig_send(rig), 1);
	assert_refused(undo(rig, lost, "取り違え"), "送信結果不明");

	/* Whatever became of its repeat: somebody may have read the first. */
	rig->answer = refused;
	clock_set(&rig->clock, rig->clock.now + 3600);
	assert_int_equal(rig_send(rig), 1);
	assert_refused(undo(rig, lost, "取り違え"), "送信結果不明");

	rig->answer = refused;
	assert_ok(move(rig, failed, STATE_ID_ISSUED, "至急"));
	assert_int_equal(rig_send(rig), 1);
	assert_ok(undo(rig, failed, "取り違え")); /* nobody has read it */

	/* Claimed by the sender a moment before: the claim decides. */
	struct notice notice[4];
	int count = 0;
	assert_ok(move(rig, flying, STATE_ID_ISSUED, "至急"));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 4, NULL, notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 1);
	assert_refused(undo(rig, flying, "取り違え"), "メールサーバーに渡している");
	assert_int_equal(rig_app(rig, flying).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

static void test_undo__ends(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	const char *ja;
	/* Rejected before its receipt went out: the receipt is made anew. */
	rig_decide(rig, id, DECISION_REJECT, "重複と誤解");
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled");
	assert_ok(undo(rig, id, "重複ではなかった"));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	assert_int_equal(rig_send(rig), 0); /* held */
	rig_decide(rig, id, DECISION_RELEASE, "");
	assert_int_equal(rig_send(rig), 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled receipt/sent");

	rig_decide(rig, id, DECISION_WITHDRAW, "");
	assert_ok(undo(rig, id, "取り違え"));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	rig_decide(rig, id, DECISION_RELEASE, "");

	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_ok(office_stop(&rig->office, id, rig_today(rig), "様式B-3", STAFF, &ja, rig->pool, &rig_err));
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	assert_ok(undo(rig, id, "別の会社だった"));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
	assert_int_equal(app.stopped_on, CIVIL_DAY_NONE);
	assert_true(app.logo_authorized_on != CIVIL_DAY_NONE);
	/* The one before it was told. */
	assert_refused(undo(rig, id, "もう一度"), "すでに送信");
	rig_assert_whole(rig);
}

static void test_undo__an_expiry_gives_its_days_anew(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	assert_int_equal(rig_app(rig, id).state, STATE_EXPIRED);
	assert_ok(undo(rig, id, "電話があった"));
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	rig_run_days(rig, 20); /* held */
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 5);
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	rig_decide(rig, id, DECISION_CONFIRM, "電話で確認");
	(void)rig_turn(rig);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* While it is held the days in which the address can be confirmed don't run. */
static void test_undo__a_hold_stops_the_days_of_confirmation(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 5);
	rig_decide(rig, id, DECISION_HOLD, "問合せ中");
	rig_run_days(rig, 30);
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 2);
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	rig_run_days(rig, 2);
	assert_int_equal(rig_app(rig, id).state, STATE_EXPIRED);
	rig_assert_whole(rig);
}

static void test_undo__not_while_another_one_lives(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	rig_decide(rig, id, DECISION_REJECT, "誤り");
	int64_t again = rig_apply(rig, 1);
	assert_refused(undo(rig, id, "取り違え"), pool_printf(rig->pool, "申込番号%" PRId64, again));
	rig_decide(rig, again, DECISION_WITHDRAW, "");
	assert_ok(undo(rig, id, "取り違え"));
	rig_assert_whole(rig);
}

static int64_t step_up(struct rig *rig, int n, int64_t declaration_id)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = pool_printf(rig->pool, "%" PRId64, declaration_id);
	return rig_register(rig, &form);
}

static void test_undo__step_ups(void **state)
{
	struct rig *rig = *state;
	const char *ja;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	int64_t first = step_up(rig, 1, rig_app(rig, star).declaration_id);
	(void)rig_turn(rig);
	rig_decide(rig, first, DECISION_WITHDRAW, "");
	int64_t second = step_up(rig, 1, rig_app(rig, star).declaration_id);
	(void)rig_turn(rig);
	assert_refused(undo(rig, first, "取り違え"), "別のステップアップ");
	/* A stop ended both: the star comes first. */
	assert_ok(
		office_stop(&rig->office, star, rig_today(rig), "様式B-3", STAFF, &ja, rig->pool, &rig_err));
	assert_int_equal(rig_app(rig, second).state, STATE_STOPPED);
	assert_refused(undo(rig, second, "取り違え"), "先にそちらを");
	assert_ok(undo(rig, star, "取り違え"));
	assert_ok(undo(rig, second, "取り違え"));
	rig_decide(rig, star, DECISION_RELEASE, "");
	rig_decide(rig, second, DECISION_RELEASE, "");
	rig_run_days(rig, 8);
	pause_part(rig, PAUSE_SENDING, true);
	assert_ok(move(rig, second, STATE_LOGO_AUTHORIZED, "至急"));
	assert_int_equal(rig_app(rig, star).state, STATE_SUPERSEDED);
	assert_refused(undo(rig, second, "取り違え"), "一つ星は終了");
	assert_int_equal(undo(rig, star, "取り違え"), RC_REFUSED);
	rig_assert_whole(rig);
}

/* ID and logo in one go: each is taken back by itself. */
static void test_undo__instant(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, instant_era);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_GBIZ] = "prime";
	int64_t id = rig_register(rig, &form);
	pause_part(rig, PAUSE_SENDING, true);
	(void)rig_turn(rig);
	pause_part(rig, PAUSE_SENDING, false);
	assert_int_equal(rig_send(rig), 1);
	pause_part(rig, PAUSE_SENDING, true);
	(void)rig_turn(rig);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	assert_ok(undo(rig, id, "取り違え"));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	pause_part(rig, PAUSE_SENDING, false);
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 2);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/cancelled id/sent logo/sent");
	rig_assert_whole(rig);
}

/* ---- 作り直して送信 ---- */

static void test_anew__with_the_values_of_today(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), notice_id;
	assert_refused(anew(rig, id, "receipt", "届いていない", &notice_id), "送信待ち");
	rig_run_days(rig, 30);
	assert_refused(anew(rig, id, "id", "", &notice_id), "理由");
	assert_refused(anew(rig, id, "stopped", "届いていない", &notice_id), "まだ送信されていません");
	assert_ok(anew(rig, id, "id", "社名の誤り", &notice_id));
	const char *text = rig_text(rig, notice_id);
	assert_null(strstr(text, "【再送】"));
	assert_non_null(strstr(text, inbound_id(rig, id)));
	assert_int_equal(rig_count_events(rig, id, EVENT_RESEND), 1);
	assert_int_equal(rig_send(rig), 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent id/sent");
	/* The cadence is not touched, and the first letter stays the first. */
	int64_t first;
	assert_ok(outbox_first(rig->office.store, id, "id", &first, &rig_err));
	assert_true(first != notice_id);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	assert_refused(anew(rig, id, "id", "届いていない", &notice_id), "保留");
	rig_assert_whole(rig);
}

static void test_anew__a_stage_that_is_still_to_come(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), notice_id;
	(void)rig_turn(rig);
	assert_refused(anew(rig, id, "logo", "届いていない", &notice_id), "まだ送信されていません");
}

/* One that was taken over never had a letter from here. */
static void test_anew__an_imported_declaration(void **state)
{
	struct rig *rig = *state;
	struct import_row row = {.declaration_id = 41234567890,
		.user_number = 9123456789,
		.state = STATE_LOGO_AUTHORIZED,
		.applied_on = civil_from_ymd(2025, 1, 10),
		.id_issued_on = civil_from_ymd(2025, 1, 17),
		.logo_authorized_on = civil_from_ymd(2025, 1, 24),
		.stopped_on = CIVIL_DAY_NONE,
		.star = 1,
		.form = rig_form(rig, 5)};
	bool known;
	int64_t notice_id;
	assert_ok(office_import(&rig->office, &row, STAFF, &known, &why_ja, rig->pool, &rig_err));
	assert_refused(undo(rig, 1, "取り違え"), "取り込んだとき");
	assert_ok(anew(rig, 1, "id", "手元にないとのこと", &notice_id));
	assert_int_equal(rig_send(rig), 1);
	assert_string_equal(rig_outbox(rig, 1), "id/sent");
	assert_non_null(strstr(rig_text(rig, notice_id), "41234567890"));
	rig_assert_whole(rig);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_move__the_next_stage_comes_at_once),
		WITH_RIG(test_move__what_holds_still_holds),
		WITH_RIG(test_move__an_unconfirmed_address_is_confirmed_first),
		WITH_RIG(test_undo__a_stage_whose_notice_waits),
		WITH_RIG(test_undo__a_review_stays_one),
		WITH_RIG(test_undo__the_number_is_no_answer),
		WITH_RIG(test_undo__not_what_was_told),
		WITH_RIG(test_undo__ends),
		WITH_RIG(test_undo__an_expiry_gives_its_days_anew),
		WITH_RIG(test_undo__a_hold_stops_the_days_of_confirmation),
		WITH_RIG(test_undo__not_while_another_one_lives),
		WITH_RIG(test_undo__step_ups),
		WITH_RIG(test_undo__instant),
		WITH_RIG(test_anew__with_the_values_of_today),
		WITH_RIG(test_anew__a_stage_that_is_still_to_come),
		WITH_RIG(test_anew__an_imported_declaration),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
