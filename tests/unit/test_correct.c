#include "inbound_rig.h"

#define STAFF "staff:1000(yamada)"

static const char *why_ja;

static enum rc correct(
	struct rig *rig, int64_t id, const char *reason, enum form_field field, const char *value)
{
	struct form_values changed = {.value = {NULL}};
	changed.value[field] = value;
	why_ja = NULL;
	enum rc rc = office_correct(&rig->office, id, &changed, reason, STAFF, &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

#define assert_refused(call, words)                                                                          \
	do {                                                                                                 \
		assert_int_equal((call), RC_REFUSED);                                                        \
		if (!strstr(why_ja, words))                                                                  \
			fail_msg("%s: %s", #call, why_ja);                                                   \
	} while (0)

static void test_correct__a_value_is_read_as_in_a_form(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	assert_ok(correct(rig, id, "電話で確認", FIELD_TELEPHONE, "０３－１２３４－５６７８"));
	assert_string_equal(rig_app(rig, id).form.value[FIELD_TELEPHONE], "03-1234-5678");
	assert_ok(correct(rig, id, "電話で確認", FIELD_TELEPHONE, ""));
	const char *cleared = rig_app(rig, id).form.value[FIELD_TELEPHONE];
	assert_true(!cleared || !*cleared);
	assert_ok(correct(rig, id, "電話で確認", FIELD_PREFECTURE, "大阪府"));
	assert_string_equal(rig_app(rig, id).form.value[FIELD_PREFECTURE], "大阪府");
	assert_int_equal(rig_count_events(rig, id, EVENT_CORRECT), 3);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent"); /* what was sent stays as it is */
	rig_assert_whole(rig);
}

static void test_correct__refusals(void **state)
{
	struct rig *rig = *state;
	static const struct {
		enum form_field field;
		const char *value, *words;
	} cases[] = {
		{FIELD_PREFECTURE, "架空県", "都道府県"},
		{FIELD_BUSINESS_NAME, "", "事業者名"},
		{FIELD_MAIL, "not an address", "メール"},
		{FIELD_CORPORATE_NUMBER, "1234567890123", "法人番号"},
		{FIELD_KIND, "new2", "別の申込み"},
		{FIELD_DECLARATION_ID, "41234567890", "別の申込み"},
		{FIELD_PLEDGE, "false", "本人の誓約"},
		{FIELD_MAIL_CONFIRM, "a@example.co.jp", "一緒に変わります"},
		{FIELD_APPLIED_ON, "2026-05-30", "最初の通知"},
		{FIELD_PREFECTURE, "東京都", "同じ"},
	};
	int64_t id = rig_apply(rig, 1), other = rig_apply(rig, 2);
	(void)rig_turn(rig);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_refused(correct(rig, id, "訂正", cases[i].field, cases[i].value), cases[i].words);
	assert_refused(correct(rig, id, "", FIELD_CONTACT, "見本 次郎"), "理由");
	assert_refused(correct(rig, 99, "訂正", FIELD_CONTACT, "見本 次郎"), "ありません");
	struct form_values nothing = {.value = {NULL}};
	assert_int_equal(
		office_correct(&rig->office, id, &nothing, "訂正", STAFF, &why_ja, rig->pool, &rig_err),
		RC_REFUSED);
	/* Another live business has that number. */
	assert_refused(correct(rig, id, "訂正", FIELD_CORPORATE_NUMBER,
			       rig_app(rig, other).form.value[FIELD_CORPORATE_NUMBER]),
		"同じ事業者");
	rig_decide(rig, other, DECISION_REJECT, "誤り");
	assert_refused(correct(rig, other, "訂正", FIELD_CONTACT, "見本 次郎"), "「却下」");
	assert_int_equal(rig_count_events(rig, id, EVENT_CORRECT), 0);
	rig_assert_whole(rig);
}

/* What still waits is made anew: the new name, the new address. */
static void test_correct__a_queued_notice_follows(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	assert_ok(correct(rig, id, "社名の誤り", FIELD_BUSINESS_NAME, "株式会社みほん"));
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled receipt/queued");
	assert_ok(correct(rig, id, "宛先の誤り", FIELD_MAIL, "right@example.co.jp"));
	struct rig_notices all = rig_notices(rig, id);
	assert_int_equal(all.count, 3);
	assert_int_equal(all.item[1].state, OUTBOX_CANCELLED);
	assert_string_equal(all.item[2].recipient, "right@example.co.jp");
	const char *text = rig_text(rig, all.item[2].id);
	assert_non_null(strstr(text, "株式会社みほん"));
	assert_null(strstr(text, "株式会社サンプル1"));
	rig_assert_whole(rig);
}

/* A resend that still waits would tell a stranger what the first letter told: it follows the address, not the other fields. */
static void test_correct__a_queued_resend_follows_the_address(void **state)
{
	struct rig *rig = *state;
	int64_t resent = 0;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	why_ja = NULL;
	assert_ok(office_resend(&rig->office, id, "receipt", STAFF, &resent, &why_ja, rig->pool, &rig_err));
	assert_ok(correct(rig, id, "社名の誤り", FIELD_BUSINESS_NAME, "株式会社みほん"));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent receipt/queued");
	assert_ok(correct(rig, id, "宛先の誤り", FIELD_MAIL, "right@example.co.jp"));
	struct rig_notices all = rig_notices(rig, id);
	assert_int_equal(all.count, 3);
	assert_int_equal(all.item[1].state, OUTBOX_CANCELLED);
	assert_int_equal(all.item[2].state, OUTBOX_QUEUED);
	assert_string_equal(all.item[2].recipient, "right@example.co.jp");
	assert_int_equal(all.item[2].resend_of, all.item[0].id);
	assert_int_equal(all.item[2].stage, STAGE_NONE);
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent receipt/cancelled receipt/sent");
	rig_assert_whole(rig);
}

static enum outcome answer_unknown(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_UNKNOWN;
}

/* Nobody knows whether the letter arrived at the wrong address; it is not tried there again. */
static void test_correct__an_unknown_notice_follows_the_address(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig->answer = answer_unknown;
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/unknown");
	assert_ok(correct(rig, id, "社名の誤り", FIELD_BUSINESS_NAME, "株式会社みほん"));
	assert_string_equal(rig_outbox(rig, id), "receipt/unknown");
	assert_ok(correct(rig, id, "宛先の誤り", FIELD_MAIL, "right@example.co.jp"));
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled receipt/queued");
	rig->answer = NULL;
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled receipt/sent");
	rig_assert_whole(rig);
}

static void test_correct__what_prints_nothing_leaves_the_notice_alone(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	assert_ok(correct(rig, id, "追記", FIELD_ADDRESS, "見本区例示町9-9-9"));
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
}

/* At the server this moment: that letter stays as it is, the next one has the new values. */
static void test_correct__a_notice_in_flight_stays(void **state)
{
	struct rig *rig = *state;
	struct notice notice[4];
	int count = 0;
	int64_t id = rig_apply(rig, 1);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 4, NULL, notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 1);
	assert_ok(correct(rig, id, "宛先の誤り", FIELD_MAIL, "right@example.co.jp"));
	assert_string_equal(rig_outbox(rig, id), "receipt/sending");
	struct delivery delivery = rig_answer(rig, &notice[0]);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_delivered(&rig->office, &notice[0], &delivery, "", 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_run_days(rig, 10);
	struct rig_notices all = rig_notices(rig, id);
	assert_int_equal(all.count, 2);
	assert_string_equal(all.item[1].recipient, "right@example.co.jp");
	rig_assert_whole(rig);
}

/* The key follows: whoever applies under the old one is another business, under the new one a duplicate. */
static void test_correct__keys_follow(void **state)
{
	struct rig *rig = *state;
	struct err err = {0};
	int64_t id = rig_apply(rig, 1), again = 0;
	(void)rig_turn(rig);
	assert_ok(
		correct(rig, id, "番号の誤り", FIELD_CORPORATE_NUMBER, rig_corporate_number(rig->pool, 50)));
	struct form_values form = rig_form(rig, 50);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_int_equal(
		office_register(&rig->office, &form, NULL, 0, 1, &again, &rig_review, &err), RC_REFUSED);
	store_rollback(rig->office.store);
	assert_true(rig_apply(rig, 1) > id);
	rig_assert_whole(rig);
}

/* A sole proprietor that was filed as a corporation wants no number. */
static void test_correct__kind_of_business(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct form_values changed = {.value = {[FIELD_TYPE] = "個人事業主", [FIELD_CORPORATE_NUMBER] = ""}};
	assert_ok(office_correct(
		&rig->office, id, &changed, "種別の誤り", STAFF, &why_ja, rig->pool, &rig_err));
	assert_int_equal(rig_app(rig, id).type, APPLICANT_SOLE_PROPRIETOR);
	struct form_values back = {.value = {[FIELD_TYPE] = "corporation"}};
	assert_int_equal(
		office_correct(&rig->office, id, &back, "種別の誤り", STAFF, &why_ja, rig->pool, &rig_err),
		RC_REFUSED);
	assert_non_null(strstr(why_ja, "法人番号"));
	rig_assert_whole(rig);
}

/* Before anything went out the day of application moves the clock. */
static void test_correct__the_day_of_application(void **state)
{
	struct rig *rig = *state;
	const char *ja;
	assert_ok(office_pause(&rig->office, PAUSE_DECIDING, true, "点検", STAFF, &ja, rig->pool, &rig_err));
	int64_t id = rig_apply(rig, 1);
	assert_ok(correct(rig, id, "記入漏れ", FIELD_APPLIED_ON, "2026/5/28"));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.applied_on, civil_from_ymd(2026, 5, 28));
	assert_int_equal(app.clock_start, civil_from_ymd(2026, 5, 28));
	rig_assert_whole(rig);
}

static void test_correct__the_news_come_again(void **state)
{
	struct rig *rig = *state;
	bool yes = false;
	int64_t id = rig_apply(rig, 1);
	const char *mail_key = office_mail_key(inbound_address(rig, id), rig->pool);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(
		suppression_set(rig->office.store, mail_key, SUPPRESS_NEWS, true, rig->clock.now, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_ok(correct(rig, id, "本人の希望", FIELD_NEWS, "true"));
	assert_ok(suppression_has(rig->office.store, mail_key, SUPPRESS_NEWS, &yes, &rig_err));
	assert_false(yes);
	rig_assert_whole(rig);
}

/* A running step-up is the same declaration. */
static void test_correct__star_and_step_up_together(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = inbound_id(rig, star);
	int64_t step_up = rig_register(rig, &form);
	assert_ok(correct(rig, step_up, "異動", FIELD_CONTACT, "見本 次郎"));
	assert_string_equal(rig_app(rig, star).form.value[FIELD_CONTACT], "見本 次郎");
	assert_string_equal(rig_app(rig, step_up).form.value[FIELD_CONTACT], "見本 次郎");
	rig_assert_whole(rig);
}

/* Each has a day of application of its own: correcting one says nothing of the other. */
static void test_correct__the_day_of_a_step_up(void **state)
{
	struct rig *rig = *state;
	const char *ja;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	assert_ok(office_pause(&rig->office, PAUSE_DECIDING, true, "点検", STAFF, &ja, rig->pool, &rig_err));
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = inbound_id(rig, star);
	int64_t step_up = rig_register(rig, &form);
	civil_day before = rig_app(rig, star).applied_on;
	assert_ok(correct(rig, step_up, "記入漏れ", FIELD_APPLIED_ON, "2026/6/25"));
	assert_int_equal(rig_app(rig, step_up).applied_on, civil_from_ymd(2026, 6, 25));
	assert_int_equal(rig_app(rig, star).applied_on, before);
	assert_int_equal(rig_count_events(rig, step_up, EVENT_CORRECT), 1);
	assert_int_equal(rig_count_events(rig, star, EVENT_CORRECT), 0);
	rig_assert_whole(rig);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_correct__a_value_is_read_as_in_a_form),
		WITH_RIG(test_correct__refusals),
		WITH_RIG(test_correct__a_queued_notice_follows),
		WITH_RIG(test_correct__a_queued_resend_follows_the_address),
		WITH_RIG(test_correct__an_unknown_notice_follows_the_address),
		WITH_RIG(test_correct__what_prints_nothing_leaves_the_notice_alone),
		WITH_RIG(test_correct__a_notice_in_flight_stays),
		WITH_RIG(test_correct__keys_follow),
		WITH_RIG(test_correct__kind_of_business),
		WITH_RIG(test_correct__the_day_of_application),
		WITH_RIG(test_correct__the_news_come_again),
		WITH_RIG(test_correct__star_and_step_up_together),
		WITH_RIG(test_correct__the_day_of_a_step_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
