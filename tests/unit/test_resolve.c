/* what staff decide about requests: carried out, asked, closed; refused with a sentence, and then nothing has changed */
#include "confirm_rig.h"

static const char *resolve_why; /* of the last resolution */

static enum rc resolve(struct rig *rig, int64_t message, enum request_action action, int64_t application_id,
	const char *reason)
{
	return office_resolve(&rig->office, inbound_request(rig, message).id, action, application_id,
		CIVIL_DAY_NONE, reason, "staff:1000", &resolve_why, rig->pool, &rig_err);
}

static int64_t unclear(struct rig *rig, enum request_kind kind, int64_t id)
{
	struct received mail = confirm_form(rig, kind, id, STRANGER);
	mail.reading.review = true;
	mail.reading.why = "Review: what it wishes is not said plainly.";
	mail.reading.notice = "id-notice";
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	return message;
}

/* ---- carried out ---- */

static void test_resolve__stop(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1), message = unclear(rig, REQUEST_STOP, id);
	assert_int_equal(resolve(rig, message, REQUEST_CARRY_OUT, 0, "電話で確認"), RC_REFUSED);
	assert_string_equal(resolve_why,
		"どの申込みのことか、まだ決まっていません。sengenctl review show の対照表か、sengenctl "
		"search "
		"で申込みを確かめ、申込番号を書いてください（ファイルなら「申込番号」の列、命令なら "
		"--application 申込番号）。");
	assert_ok(resolve(rig, message, REQUEST_CARRY_OUT, id, "電話で確認"));
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	struct request request = inbound_request(rig, message);
	assert_int_equal(request.state, REQUEST_STATE_DONE);
	assert_int_equal(request.proof, PROOF_STAFF);
	assert_int_equal(request.application_id, id);
	assert_string_equal(request.actor, "staff:1000");
	assert_string_equal(inbound_queued(rig), "stopped>info1@example.co.jp");
	assert_false(inbound_message(rig, message).review);
	assert_int_equal(resolve(rig, message, REQUEST_CARRY_OUT, id, "もう一度"), RC_REFUSED);
	assert_string_equal(resolve_why, "この依頼は、すでに終わっています。");
	rig_assert_whole(rig);
}

static void test_resolve__stop_on_a_day(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1), message = unclear(rig, REQUEST_STOP, id);
	assert_ok(office_resolve(&rig->office, inbound_request(rig, message).id, REQUEST_CARRY_OUT, id,
		civil_from_ymd(2026, 6, 30), "電話", "staff:1000", &resolve_why, rig->pool, &rig_err));
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_PLANNED);
	assert_string_equal(inbound_queued(rig), "stop-planned>info1@example.co.jp");
	assert_int_equal(resolve(rig, message, REQUEST_CLOSE, 0, "取りやめ"), RC_REFUSED);
	assert_non_null(strstr(resolve_why, "保留を解除してください"));
	rig_run_until(rig, rig_at(2026, 6, 30, 9, 0));
	confirm_run_requests(rig);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
}

/* The kinds that mails may ask for, for the application that staff name; a stranger hears nothing of it. */
static void test_resolve__other_kinds(void **state)
{
	static const struct {
		enum request_kind kind;
		const char *queued;
	} cases[] = {
		{REQUEST_RESEND, "id+1>info1@example.co.jp"},
		{REQUEST_ID_ENQUIRY, "id-answer>info1@example.co.jp"},
	};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t message = unclear(rig, cases[i].kind, id);
		assert_ok(resolve(rig, message, REQUEST_CARRY_OUT, id, "電話"));
		assert_string_equal(inbound_queued(rig), cases[i].queued);
		assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
		assert_int_equal(inbound_request(rig, message).proof, PROOF_STAFF);
		(void)rig_send(rig);
	}
	rig_assert_whole(rig);
}

static void test_resolve__change(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_CHANGE, id, STRANGER);
	struct sheet_change change = {"メールアドレス", "", "new@example.co.jp"};
	mail.reading.fields.change = &change;
	mail.reading.fields.change_count = 1;
	mail.reading.review = true;
	int64_t message = inbound_receive(rig, &mail);
	assert_ok(resolve(rig, message, REQUEST_CARRY_OUT, id, "電話で確認"));
	assert_string_equal(rig_app(rig, id).form.value[FIELD_MAIL], "new@example.co.jp");
	assert_string_equal(inbound_queued(rig), "changed>info1@example.co.jp changed>new@example.co.jp");
	rig_assert_whole(rig);
}

/* The old value in the form is not the registered one: staff know which of both is wrong. */
static void test_resolve__change_of_another_old_value(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_CHANGE, id, inbound_address(rig, id));
	struct sheet_change change = {"電話番号", "03-9999-9999", "03-0001-0002"};
	mail.reading.fields.change = &change;
	mail.reading.fields.change_count = 1;
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_outcome(rig, message), "review: 「電話番号」の変更前の内容が、登録と違います。");
	assert_ok(resolve(rig, message, REQUEST_CARRY_OUT, 0, "電話で確認"));
	assert_string_equal(rig_app(rig, id).form.value[FIELD_TELEPHONE], "03-0001-0002");
	assert_string_equal(inbound_queued(rig), "changed>info1@example.co.jp");
	rig_assert_whole(rig);
}

/* ---- asked ---- */

static void test_resolve__ask(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1), message = unclear(rig, REQUEST_STOP, id);
	assert_ok(resolve(rig, message, REQUEST_ASK, id, ""));
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	const char *token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	/* Once more: another mail, and each of them counts. */
	assert_ok(resolve(rig, message, REQUEST_ASK, 0, ""));
	assert_string_not_equal(confirm_token(rig, "confirm-stop"), token);
	struct received reply = confirm_reply("info1@example.co.jp", token);
	(void)inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	assert_int_equal(inbound_request(rig, message).proof, PROOF_TOKEN);
	rig_assert_whole(rig);
}

/* The registered address agrees to the new value, whatever the form says of the old one. */
static void test_resolve__ask_about_another_old_value(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_CHANGE, id, inbound_address(rig, id));
	struct sheet_change change = {"電話番号", "03-9999-9999", "03-0001-0002"};
	mail.reading.fields.change = &change;
	mail.reading.fields.change_count = 1;
	int64_t message = inbound_receive(rig, &mail);
	assert_ok(resolve(rig, message, REQUEST_ASK, 0, ""));
	struct received reply = confirm_reply("info1@example.co.jp", confirm_token(rig, "confirm-change"));
	(void)inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
	assert_string_equal(rig_app(rig, id).form.value[FIELD_TELEPHONE], "03-0001-0002");
	rig_assert_whole(rig);
}

/* ---- refused ---- */

static void test_resolve__refuses(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1), other = unclear(rig, REQUEST_OTHER, id),
		resend = unclear(rig, REQUEST_RESEND, id), stop = unclear(rig, REQUEST_STOP, id),
		change = unclear(rig, REQUEST_CHANGE, id), unread = inbound_receive(rig, NULL);
	const struct {
		int64_t message;
		enum request_action action;
		int64_t application_id;
		const char *reason, *why_ja;
	} cases[] = {
		{other, REQUEST_CARRY_OUT, id, "", "この種類のご依頼は、ここでは実行できません。"},
		{unread, REQUEST_CARRY_OUT, id, "", "この種類のご依頼は、ここでは実行できません。"},
		{resend, REQUEST_ASK, id, "", "確認のメールを送れるのは、使用中止と登録情報の変更だけです。"},
		{stop, REQUEST_CLOSE, 0, "", "理由を記入してください。"},
		{stop, REQUEST_CARRY_OUT, 4711, "", "その申込番号の申込みはありません。"},
		{change, REQUEST_CARRY_OUT, id, "", "変更する項目が書かれていません。"},
		{change, REQUEST_ASK, id, "", "変更する項目が書かれていません。"},
	};
	const char *history = rig_history(rig, id);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *before = inbound_outcome(rig, cases[i].message);
		assert_int_equal(resolve(rig, cases[i].message, cases[i].action, cases[i].application_id,
					 cases[i].reason),
			RC_REFUSED);
		if (!resolve_why || !str_has_prefix(resolve_why, cases[i].why_ja))
			fail_msg("case %zu: %s", i, resolve_why ? resolve_why : "no sentence");
		assert_string_equal(inbound_outcome(rig, cases[i].message), before);
	}
	assert_int_equal(office_resolve(&rig->office, 4711, REQUEST_CLOSE, 0, CIVIL_DAY_NONE, "x",
				 "staff:1000", &resolve_why, rig->pool, &rig_err),
		RC_REFUSED);
	assert_string_equal(resolve_why, "その依頼番号の依頼はありません。");
	assert_string_equal(rig_history(rig, id), history);
	assert_string_equal(inbound_queued(rig), "");
	rig_assert_whole(rig);
}

static void test_resolve__close(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1), message = unclear(rig, REQUEST_STOP, id);
	assert_ok(resolve(rig, message, REQUEST_CLOSE, id, "電話で取りやめ"));
	assert_string_equal(inbound_outcome(rig, message), "declined: 電話で取りやめ");
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	assert_string_equal(inbound_queued(rig), "");
	assert_false(inbound_message(rig, message).review);
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_resolve__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(stop),
		TEST(stop_on_a_day),
		TEST(other_kinds),
		TEST(change),
		TEST(change_of_another_old_value),
		TEST(ask_about_another_old_value),
		TEST(ask),
		TEST(refuses),
		TEST(close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
