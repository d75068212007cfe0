#include "inbound_rig.h"

#define STRANGER "stranger@example.com"

static int64_t declared(struct rig *rig, const struct form_values *form)
{
	int64_t id = rig_register(rig, form);
	rig_run_days(rig, 20);
	return id;
}

static struct received enquiry(const char *from, const char *number, const char *prefecture)
{
	struct received mail = inbound_mail(REQUEST_ID_ENQUIRY, from);
	mail.reading.fields.corporate_number = number;
	mail.reading.fields.prefecture = prefecture;
	return mail;
}

static struct received enquiry_by_name(
	const char *from, const char *name, const char *representative, const char *prefecture)
{
	struct received mail = inbound_mail(REQUEST_ID_ENQUIRY, from);
	mail.reading.fields.business_name = name;
	mail.reading.fields.representative = representative;
	mail.reading.fields.prefecture = prefecture;
	return mail;
}

static struct form_values sole_form(struct rig *rig, int n)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_TYPE] = "sole";
	form.value[FIELD_CORPORATE_NUMBER] = NULL;
	form.value[FIELD_BUSINESS_NAME] = "みほん堂";
	form.value[FIELD_FAMILY_NAME] = "髙橋";
	form.value[FIELD_GIVEN_NAME] = "一郎";
	return form;
}

/* ---- answered ---- */

static void test_request_enquiry__corporation(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail =
		enquiry(inbound_address(rig, id), form.value[FIELD_CORPORATE_NUMBER], "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id-answer>info1@example.co.jp");
	assert_non_null(strstr(inbound_text(rig, "id-answer"), inbound_id(rig, id)));
	struct request request = inbound_request(rig, message);
	assert_int_equal(request.state, REQUEST_STATE_DONE);
	assert_int_equal(request.proof, PROOF_NOT_NEEDED);
	assert_int_equal(request.application_id, id);
	assert_null(strstr(request.note, inbound_id(rig, id)));
	rig_assert_whole(rig);
}

/* Names are compared as the office compares them: width, blanks, old glyphs. */
static void test_request_enquiry__sole_proprietor(void **state)
{
	struct rig *rig = *state;
	struct form_values form = sole_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail = enquiry_by_name(STRANGER, "みほん堂", "高橋　一郎", "東京都");
	mail.authres = (struct authres){0};
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "id-answer>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).application_id, id);
}

/* The answer goes to the registered address; who asked gets a text without a word of it. */
static void test_request_enquiry__a_stranger_asks(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail = enquiry(STRANGER, form.value[FIELD_CORPORATE_NUMBER], "東京都");
	(void)inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_queued(rig), "id-answer>info1@example.co.jp neutral>stranger@example.com");
	const char *text = inbound_text(rig, "neutral");
	assert_null(strstr(text, inbound_id(rig, id)));
	assert_null(strstr(text, form.value[FIELD_CORPORATE_NUMBER]));
	assert_null(strstr(text, "サンプル"));
	assert_null(strstr(text, "example.co"));
}

/* Whether there is such a declaration can't be told from the answer. */
static void test_request_enquiry__a_stranger_learns_nothing(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	(void)declared(rig, &form);
	const char *number = form.value[FIELD_CORPORATE_NUMBER], *first = NULL;
	struct received mails[] = {
		enquiry(STRANGER, number, "東京都"),
		enquiry(STRANGER, number, "大阪府"), /* 都道府県 contradicts */
		enquiry(STRANGER, rig_corporate_number(rig->pool, 77), "東京都"), /* nobody */
		enquiry_by_name(STRANGER, "株式会社サンプル1", "見本 次郎", "東京都"),
		enquiry_by_name(STRANGER, "株式会社サンプル1", "見本 太郎", "東京都"),
	};
	for (size_t i = 0; i < sizeof mails / sizeof mails[0]; i++) {
		(void)inbound_receive(rig, &mails[i]);
		const char *text = inbound_text(rig, "neutral");
		if (!first)
			first = text;
		assert_string_equal(text, first);
		rig_run_days(rig, 2);
	}
}

/* ---- not answered ---- */

static void test_request_enquiry__nobody(void **state)
{
	struct rig *rig = *state;
	struct received mail = enquiry(STRANGER, rig_corporate_number(rig->pool, 77), "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
	assert_string_equal(
		inbound_outcome(rig, message), "answered: 書かれた内容に合う宣言は、登録されていません。");
	/* A second one today gets no answer, so a person looks. */
	message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_non_null(strstr(inbound_request(rig, message).note, "自動の回答は送っていません"));
}

static void test_request_enquiry__several(void **state)
{
	struct rig *rig = *state;
	struct form_values form = sole_form(rig, 1);
	(void)declared(rig, &form);
	form.value[FIELD_ADDRESS] = "見本区例示町9-9-9";
	form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "other@example.co.jp";
	(void)declared(rig, &form);
	struct received mail = enquiry_by_name(STRANGER, "みほん堂", "高橋一郎", "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(
		inbound_outcome(rig, message), "review: 書かれた内容に合う宣言が、複数あります。");
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
}

static void test_request_enquiry__contradiction(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	(void)declared(rig, &form);
	struct received mail = enquiry(STRANGER, form.value[FIELD_CORPORATE_NUMBER], "大阪府");
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
}

/* Who gives nothing but a sender's address is a case for a person, though it be registered. */
static void test_request_enquiry__the_sender_alone_is_not_enough(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail = inbound_mail(REQUEST_ID_ENQUIRY, inbound_address(rig, id));
	mail.reading.review = true; /* so the reader says */
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "");
}

static void test_request_enquiry__not_issued_yet(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = rig_register(rig, &form);
	(void)rig_turn(rig);
	struct received mail =
		enquiry(inbound_address(rig, id), form.value[FIELD_CORPORATE_NUMBER], "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"review: 自己宣言IDは、まだ発行していません。次の通知の予定：2026年6月8日(月)");
	assert_string_equal(inbound_queued(rig), "");
}

static void test_request_enquiry__held(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	struct received mail = enquiry(STRANGER, form.value[FIELD_CORPORATE_NUMBER], "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message), "review: この申込みは保留中です（確認中）。");
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");
}

/* The applicant can't be buried in answers by somebody who knows his 法人番号. */
static void test_request_enquiry__so_many_a_day(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail =
		enquiry(inbound_address(rig, id), form.value[FIELD_CORPORATE_NUMBER], "東京都");
	for (int i = 0; i < 2; i++)
		assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	/* Resends count with them. */
	mail = inbound_mail(REQUEST_RESEND, inbound_address(rig, id));
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(
		inbound_queued(rig), "id-answer>info1@example.co.jp id-answer>info1@example.co.jp");
	rig_run_days(rig, 1);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
}

static void test_request_enquiry__guided_by_policy(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "policy = ( { request = \"id-enquiry\"; applied_before = \"2026-06-10\"; action = "
			   "\"guide\"; } );");
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	struct received mail = enquiry(STRANGER, form.value[FIELD_CORPORATE_NUMBER], "東京都");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "guide>info1@example.co.jp neutral>stranger@example.com");
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ANSWERED);
	assert_int_equal(inbound_request(rig, message).application_id, id);
	assert_null(strstr(inbound_text(rig, "guide"), inbound_id(rig, id)));
}

static void test_request_enquiry__staff_say_whose(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id = declared(rig, &form);
	const char *why_ja;
	struct received mail = enquiry(STRANGER, form.value[FIELD_CORPORATE_NUMBER], "大阪府");
	int64_t message = inbound_receive(rig, &mail);
	(void)rig_turn(rig);
	assert_ok(office_resolve(&rig->office, inbound_request(rig, message).id, REQUEST_CARRY_OUT, id,
		CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	assert_string_equal(inbound_queued(rig), "id-answer>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).proof, PROOF_STAFF);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_enquiry__corporation),
		TEST(test_request_enquiry__sole_proprietor),
		TEST(test_request_enquiry__a_stranger_asks),
		TEST(test_request_enquiry__a_stranger_learns_nothing),
		TEST(test_request_enquiry__nobody),
		TEST(test_request_enquiry__several),
		TEST(test_request_enquiry__contradiction),
		TEST(test_request_enquiry__the_sender_alone_is_not_enough),
		TEST(test_request_enquiry__not_issued_yet),
		TEST(test_request_enquiry__held),
		TEST(test_request_enquiry__so_many_a_day),
		TEST(test_request_enquiry__staff_say_whose),
		TEST(test_request_enquiry__guided_by_policy),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
