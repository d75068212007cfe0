#include "inbound_rig.h"

#define STRANGER "stranger@example.com"

/* Business n, up to its logo. */
static int64_t declared(struct rig *rig, int n)
{
	int64_t id = rig_apply(rig, n);
	rig_run_days(rig, 20);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_string_equal(inbound_queued(rig), "");
	return id;
}

static struct received resend_mail(struct rig *rig, int64_t id, const char *from, const char *notice)
{
	struct received mail = inbound_mail(REQUEST_RESEND, from ? from : inbound_address(rig, id));
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.notice = notice;
	return mail;
}

/* ---- what is asked for ---- */

static void test_request_resend__the_notice_asked_for(void **state)
{
	static const struct {
		const char *notice, *queued;
	} each[] = {
		{"id-notice", "id+1>info1@example.co.jp"},
		{"logo-notice", "logo+1>info1@example.co.jp"}, /* and with it a lost password */
		{"both", "id+2>info1@example.co.jp logo+2>info1@example.co.jp"},
		{"", "logo+3>info1@example.co.jp"}, /* the one that was sent last */
	};
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		struct received mail = resend_mail(rig, id, NULL, each[i].notice);
		int64_t message = inbound_receive(rig, &mail);
		assert_string_equal(inbound_queued(rig), each[i].queued);
		struct request request = inbound_request(rig, message);
		assert_int_equal(request.state, REQUEST_STATE_DONE);
		assert_int_equal(request.proof, PROOF_NOT_NEEDED);
		assert_int_equal(request.application_id, id);
		assert_true(request.closed_at == rig->clock.now);
		assert_non_null(strstr(request.note, "登録アドレスへ再送しました"));
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
		assert_int_equal(inbound_message(rig, message).state, MESSAGE_READ);
		rig_run_days(rig, 1);
		assert_string_equal(inbound_queued(rig), "");
	}
	assert_int_equal(rig_count_events(rig, id, EVENT_REQUEST), 4);
	assert_int_equal(rig_count_events(rig, id, EVENT_REQUEST_CLOSED), 4);
	rig_assert_whole(rig);
}

/* As staff resend it: the first mail comes along (N5). */
static void test_request_resend__is_the_first_letter(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, NULL, "id-notice");
	struct str wire = STR_INIT;
	(void)inbound_receive(rig, &mail);
	struct inbound_queue queue = inbound_queue(rig);
	rig_letter(rig, queue.item[0].id, &wire);
	assert_non_null(strstr(wire.s, "message/rfc822"));
	assert_int_equal(queue.item[0].resend_of, rig_notices(rig, id).item[1].id);
	str_free(&wire);
}

/* The notices of other profiles have other names. */
static void test_request_resend__by_the_names_of_the_profile(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );");
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	rig_decide(rig, id, DECISION_CONFIRM, "電話で確認");
	rig_run_days(rig, 20);
	struct received mail = resend_mail(rig, id, NULL, "both");
	(void)inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_queued(rig), "completion+1>info1@example.co.jp acceptance+1>info1@example.co.jp");
}

/* ---- who asks ---- */

/* Whoever asks: the notice goes to the registered address, and a stranger gets a text that says nothing. */
static void test_request_resend__a_stranger_asks(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, STRANGER, "id-notice");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id+1>info1@example.co.jp neutral>stranger@example.com");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	const char *text = inbound_text(rig, "neutral");
	assert_null(strstr(text, inbound_id(rig, id)));
	assert_null(strstr(text, "サンプル"));
	assert_null(strstr(text, "見本"));
	assert_null(strstr(text, "example.co"));
	/* Nor does it hang on the case. */
	struct inbound_queue queue = inbound_queue(rig);
	assert_int_equal(queue.item[1].application_id, 0);
}

/* A stranger hears the same, word for word, whether the case exists, is held, ended or was never there, and as often. */
static void test_request_resend__a_stranger_learns_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t live = declared(rig, 1), held = declared(rig, 2), stopped = declared(rig, 3);
	int64_t early = rig_apply(rig, 4);
	const char *why_ja, *first = NULL;
	rig_decide(rig, held, DECISION_HOLD, "確認中");
	assert_ok(office_stop(
		&rig->office, stopped, CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	(void)rig_turn(rig);
	struct received mails[6];
	mails[0] = resend_mail(rig, live, STRANGER, "id-notice");
	mails[1] = resend_mail(rig, held, STRANGER, "id-notice");
	mails[2] = resend_mail(rig, stopped, STRANGER, "id-notice");
	mails[3] = resend_mail(rig, live, STRANGER, "id-notice");
	mails[3].reading.fields.declaration_id = "40000000001";
	mails[4] = resend_mail(rig, live, STRANGER, "id-notice");
	mails[4].reading.fields.business_name = "株式会社べつもの";
	mails[5] = inbound_mail(REQUEST_RESEND, STRANGER);
	mails[5].reading.notice = "id-notice";
	mails[5].reading.fields.corporate_number = rig_app(rig, early).form.value[FIELD_CORPORATE_NUMBER];
	mails[5].reading.fields.prefecture = "東京都";
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		(void)inbound_receive(rig, &mails[i]);
		const char *text = inbound_text(rig, "neutral");
		if (!first)
			first = text;
		assert_string_equal(text, first);
		/* A second mail on the same day gets none, whatever it asks about. */
		(void)inbound_receive(rig, &mails[i]);
		(void)inbound_text(rig, "neutral");
		rig_run_days(rig, 2);
	}
}

/* A stranger whom nothing vouches for gets no answer; what goes to the registered address goes all the same. */
static void test_request_resend__a_stranger_that_nothing_proves(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, STRANGER, "id-notice");
	mail.authres = (struct authres){.seen = true};
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id+1>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	/* And where there is nothing to send, somebody looks: silence would leave an applicant waiting. */
	mail.reading.fields.declaration_id = "40000000001";
	message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id+1>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_REVIEW);
}

/* ---- which declaration ---- */

static void test_request_resend__found_by_what_is_written_or_who_writes(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct application app = rig_app(rig, id);
	struct received mails[4];
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		mails[i] = inbound_mail(REQUEST_RESEND, STRANGER);
		mails[i].reading.notice = "id-notice";
	}
	mails[0].from = app.form.value[FIELD_MAIL];
	mails[1].from = "INFO1@EXAMPLE.CO.JP";
	mails[1].reading.fields.business_name = "（株）サンプル１";
	mails[2].reading.fields.corporate_number = app.form.value[FIELD_CORPORATE_NUMBER];
	mails[2].reading.fields.prefecture = "東京都";
	mails[3].reading.fields.business_name = "㈱サンプル1";
	mails[3].reading.fields.representative = "見本 太郎";
	mails[3].reading.fields.prefecture = "東京都";
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		int64_t message = inbound_receive(rig, &mails[i]);
		struct request request = inbound_request(rig, message);
		if (request.state != REQUEST_STATE_DONE || request.application_id != id)
			fail_msg("mail %zu: %s", i, inbound_outcome(rig, message));
		rig_run_days(rig, 2);
	}
}

static void test_request_resend__several_declarations_wait_for_staff(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 2);
	(void)declared(rig, 1);
	form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "info1@example.co.jp";
	(void)rig_register(rig, &form);
	rig_run_days(rig, 20);
	struct received mail = inbound_mail(REQUEST_RESEND, "info1@example.co.jp");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_outcome(rig, message), "review: 書かれた内容に合う宣言が、複数あります。");
	assert_int_equal(inbound_request(rig, message).application_id, 0);
}

/* A contradiction may be somebody who tries: nothing goes out but to the one who asked. */
static void test_request_resend__contradiction(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, STRANGER, "id-notice");
	mail.reading.fields.business_name = "株式会社べつもの";
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
}

/* ---- the user number in the place of the ID (N3) ---- */

static void test_request_resend__user_number_instead_of_the_id(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	const char *number = pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).user_number);
	struct received mail = inbound_mail(REQUEST_RESEND, inbound_address(rig, id));
	mail.reading.fields.declaration_id_written = number;
	mail.reading.fields.user_number = number;
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "wrong-number>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ANSWERED);
	assert_null(strstr(inbound_text(rig, "wrong-number"), number));
	assert_null(strstr(inbound_request(rig, message).note, number));

	/* A stranger who has such a number learns nothing about it. */
	mail.from = STRANGER;
	rig_run_days(rig, 1);
	message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ANSWERED);
	assert_null(strstr(inbound_text(rig, "neutral"), number));
}

/* ---- limits and refusals ---- */

static void test_request_resend__so_many_a_day(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1), notice;
	const char *why_ja;
	struct received mail = resend_mail(rig, id, NULL, "id-notice");
	/* What staff resend is not the sender's doing. */
	assert_ok(
		office_resend(&rig->office, id, "logo", "staff:1000", &notice, &why_ja, rig->pool, &rig_err));
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
	/* Asked again before it went out: one letter answers both. */
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_outcome(rig, message), "done: 「自己宣言IDのお知らせ」は、すでに送信待ちです。");
	assert_int_equal(rig_send(rig), 2);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
	message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"review: "
		"この宣言には、メールでのご依頼による送信を本日すでに2通行って"
		"います。届いていないおそれがあります。");
	assert_string_equal(inbound_queued(rig), "id+2>info1@example.co.jp");
	/* Two letters at once have no room for one. */
	rig_run_days(rig, 1);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
	mail.reading.notice = "both";
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	rig_run_days(rig, 1);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
}

/* Nor can somebody who goes through the 法人番号, which are public, have the whole register written to. */
static void test_request_resend__so_many_strangers_an_hour(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_hour = 2;");
	int64_t id[4];
	struct received mail[4];
	for (int i = 0; i < 4; i++)
		id[i] = rig_apply(rig, i + 1);
	rig_run_days(rig, 20);
	for (int i = 0; i < 4; i++) {
		mail[i] = resend_mail(
			rig, id[i], pool_printf(rig->pool, "stranger%d@example.com", i), "id-notice");
		struct request request = inbound_request(rig, inbound_receive(rig, &mail[i]));
		assert_int_equal(request.state, i < 2 ? REQUEST_STATE_DONE : REQUEST_STATE_REVIEW);
	}
	/* The registered address is no stranger, and the next hour begins anew. */
	mail[2].from = inbound_address(rig, id[2]);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail[2])).state, REQUEST_STATE_DONE);
	clock_set(&rig->clock, rig->clock.now + 3600);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail[3])).state, REQUEST_STATE_DONE);
}

static void test_request_resend__what_was_not_sent_yet(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct received mail = inbound_mail(REQUEST_RESEND, inbound_address(rig, id));
	mail.reading.notice = "id-notice";
	(void)rig_turn(rig);
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"review: 「自己宣言IDのお知らせ」は、この仕組みからまだ送っていません（送信予定 "
		"2026年6月8日(月)）。");
	assert_string_equal(inbound_queued(rig), "");

	/* Of two, the one that was sent. */
	rig_run_days(rig, 9);
	mail.reading.notice = "both";
	message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id+1>info1@example.co.jp");
	assert_string_equal(inbound_outcome(rig, message),
		"done: "
		"「自己宣言IDのお知らせ」を登録アドレスへ再送しました。「ロゴマークの使用許諾のお知らせ」は、"
		"この仕組みからまだ送っていません（送信予定 2026年6月15日(月)）。");

	/* Nothing named, nothing sent but the receipt. */
	int64_t other = rig_apply(rig, 2);
	(void)rig_turn(rig);
	mail = inbound_mail(REQUEST_RESEND, inbound_address(rig, other));
	(void)inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "receipt+1>info2@example.co.jp");
}

static void test_request_resend__held_reviewed_or_ended(void **state)
{
	struct rig *rig = *state;
	int64_t held = declared(rig, 1), reviewed = declared(rig, 2), stopped = declared(rig, 3);
	const char *why_ja;
	struct received mail;
	rig_decide(rig, held, DECISION_HOLD, "電話で確認中");
	struct application app = rig_app(rig, reviewed);
	assert_ok(store_begin(rig->office.store, &rig_err));
	app.hold = HOLD_REVIEW;
	app.hold_reason = "届かないとの連絡";
	assert_ok(application_update(rig->office.store, &app, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_ok(office_stop(
		&rig->office, stopped, CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	(void)rig_turn(rig);
	const struct {
		int64_t id;
		const char *outcome;
	} each[] = {
		{held, "review: この申込みは保留中です（電話で確認中）。"},
		{reviewed, "review: この申込みは要確認です（届かないとの連絡）。"},
		{stopped, "review: この申込みは「使用中止」です。"},
	};
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		mail = resend_mail(rig, each[i].id, NULL, "id-notice");
		assert_string_equal(inbound_outcome(rig, inbound_receive(rig, &mail)), each[i].outcome);
	}
	assert_string_equal(inbound_queued(rig), "");
}

static void test_request_resend__dead_address(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, NULL, "id-notice");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(suppression_set(
		rig->office.store, "info1@example.co.jp", SUPPRESS_DEAD, true, rig->clock.now, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_string_equal(inbound_outcome(rig, inbound_receive(rig, &mail)),
		"review: 登録アドレスには、メールが届かないことが分かっています。");
	assert_string_equal(inbound_queued(rig), "");
}

/* ---- policy ---- */

static const char cut_over[] = "policy = ( { request = \"resend\"; applied_before = \"2026-06-10\"; from = "
			       "\"2026-06-20\"; action = \"guide\"; } );";

static void test_request_resend__guided_by_policy(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, cut_over);
	int64_t old = rig_apply(rig, 1);
	rig_run_until(rig, rig_at(2026, 6, 19, 12, 0));
	int64_t young = rig_apply(rig, 2);
	struct received mail = resend_mail(rig, old, NULL, "id-notice");
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
	rig_run_until(rig, rig_at(2026, 6, 29, 12, 0));
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "guide>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ANSWERED);
	(void)rig_turn(rig);

	/* A stranger is told nothing of it, and can't have the applicant written to again and again. */
	mail.from = STRANGER;
	(void)inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "guide>info1@example.co.jp neutral>stranger@example.com");
	message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "guide>info1@example.co.jp neutral>stranger@example.com");

	mail = resend_mail(rig, young, NULL, "id-notice");
	(void)inbound_receive(rig, &mail);
	assert_non_null(strstr(inbound_queued(rig), "id+1>info2@example.co.jp"));
}

static void test_request_resend__left_to_staff_by_policy(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "policy = ( { request = \"resend\"; action = \"review\"; } );");
	int64_t id = declared(rig, 1);
	struct received mail = resend_mail(rig, id, NULL, "id-notice");
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "");
	/* Also where nobody knows whose it is. */
	mail = resend_mail(rig, id, STRANGER, "id-notice");
	mail.reading.fields.declaration_id = "40000000001";
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
}

/* ---- decided by staff ---- */

static enum rc carry_out(struct rig *rig, int64_t message, int64_t application, const char **why_ja)
{
	return office_resolve(&rig->office, inbound_request(rig, message).id, REQUEST_CARRY_OUT, application,
		CIVIL_DAY_NONE, "電話で確認", "staff:1000", why_ja, rig->pool, &rig_err);
}

/* Staff say which declaration it is: their word counts, not the mail's; and no stranger is written to. */
static void test_request_resend__staff_say_whose(void **state)
{
	struct rig *rig = *state;
	int64_t first = declared(rig, 1), second = declared(rig, 2);
	const char *why_ja;
	struct received mail = inbound_mail(REQUEST_RESEND, STRANGER);
	mail.reading.fields.declaration_id = inbound_id(rig, first);
	mail.reading.fields.business_name = "株式会社べつもの";
	mail.reading.notice = "logo-notice";
	mail.authres = (struct authres){0};
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_int_equal(carry_out(rig, message, 0, &why_ja), RC_REFUSED);
	assert_string_equal(why_ja,
		"どの申込みのことか、まだ決まっていません。sengenctl review show の対照表か、sengenctl "
		"search "
		"で申込みを確かめ、申込番号を書いてください（ファイルなら「申込番号」の列、命令なら "
		"--application 申込番号）。");
	assert_ok(carry_out(rig, message, second, &why_ja));
	assert_string_equal(inbound_queued(rig), "logo+1>info2@example.co.jp");
	struct request request = inbound_request(rig, message);
	assert_int_equal(request.state, REQUEST_STATE_DONE);
	assert_int_equal(request.proof, PROOF_STAFF);
	assert_int_equal(request.application_id, second);
	assert_string_equal(request.actor, "staff:1000");
	assert_int_equal(carry_out(rig, message, second, &why_ja), RC_REFUSED);
	rig_assert_whole(rig);
}

/* The limit of the day is for mails, not for staff; what holds an application back holds for both. */
static void test_request_resend__staff_beyond_the_limit(void **state)
{
	struct rig *rig = *state;
	int64_t id = declared(rig, 1), message = 0;
	const char *why_ja;
	struct received mail = resend_mail(rig, id, NULL, "id-notice");
	for (int i = 0; i < 3; i++) {
		message = inbound_receive(rig, &mail);
		(void)rig_send(rig);
	}
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	assert_int_equal(carry_out(rig, message, 0, &why_ja), RC_REFUSED);
	assert_string_equal(why_ja, "この申込みは保留中です（確認中）。");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	rig_decide(rig, id, DECISION_RELEASE, "");
	assert_ok(carry_out(rig, message, 0, &why_ja));
	assert_string_equal(inbound_queued(rig), "id+3>info1@example.co.jp");
}

/* ---- two applications of one declaration ---- */

static void test_request_resend__while_a_step_up_runs(void **state)
{
	struct rig *rig = *state;
	int64_t star = declared(rig, 1);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = inbound_id(rig, star);
	int64_t step_up = rig_register(rig, &form);
	rig_run_days(rig, 9);
	assert_string_equal(rig_outbox(rig, step_up), "receipt/sent id/sent");
	struct received mail = inbound_mail(REQUEST_RESEND, inbound_address(rig, star));
	mail.reading.notice = "both";
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	/* The ID notice of the ★★, the logo of the ★. */
	assert_string_equal(rig_outbox(rig, step_up), "receipt/sent id/sent id/queued");
	assert_string_equal(rig_outbox(rig, star), "receipt/sent id/sent logo/sent logo/queued");
	/* For the number that was mistaken for the ID, too, the two are one. */
	struct received wrong = inbound_mail(REQUEST_RESEND, inbound_address(rig, star));
	wrong.reading.fields.declaration_id_written =
		pool_printf(rig->pool, "%" PRId64, rig_app(rig, star).user_number);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &wrong)).state, REQUEST_STATE_ANSWERED);
	assert_non_null(inbound_text(rig, "wrong-number"));
	/* Both count towards the same day. */
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_resend__the_notice_asked_for),
		TEST(test_request_resend__is_the_first_letter),
		TEST(test_request_resend__by_the_names_of_the_profile),
		TEST(test_request_resend__a_stranger_asks),
		TEST(test_request_resend__a_stranger_learns_nothing),
		TEST(test_request_resend__a_stranger_that_nothing_proves),
		TEST(test_request_resend__found_by_what_is_written_or_who_writes),
		TEST(test_request_resend__several_declarations_wait_for_staff),
		TEST(test_request_resend__contradiction),
		TEST(test_request_resend__user_number_instead_of_the_id),
		TEST(test_request_resend__so_many_a_day),
		TEST(test_request_resend__so_many_strangers_an_hour),
		TEST(test_request_resend__what_was_not_sent_yet),
		TEST(test_request_resend__held_reviewed_or_ended),
		TEST(test_request_resend__dead_address),
		TEST(test_request_resend__guided_by_policy),
		TEST(test_request_resend__left_to_staff_by_policy),
		TEST(test_request_resend__staff_say_whose),
		TEST(test_request_resend__staff_beyond_the_limit),
		TEST(test_request_resend__while_a_step_up_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
