#include "inbound_rig.h"

static const char *news_of(struct rig *rig, int64_t id)
{
	return rig_app(rig, id).form.value[FIELD_NEWS];
}

/* Business n, whose contact address is `mail` (NULL: its own), and whether it wants the news. */
static int64_t apply(struct rig *rig, int n, const char *mail, const char *news)
{
	struct form_values form = rig_form(rig, n);
	if (mail)
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = mail;
	form.value[FIELD_NEWS] = news;
	int64_t id = rig_register(rig, &form);
	(void)rig_turn(rig);
	return id;
}

static struct received news_mail(const char *from)
{
	return inbound_mail(REQUEST_NEWS_UNSUBSCRIBE, from);
}

/* A fitting sender is enough (N10), also without DKIM; the answer goes to the registered address. */
static void test_request_news__leaves(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true");
	struct received mail = news_mail("Info1@Example.co.jp");
	mail.authres = (struct authres){0};
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(news_of(rig, id), "false");
	assert_string_equal(inbound_queued(rig), "news-stopped>info1@example.co.jp");
	struct request request = inbound_request(rig, message);
	assert_int_equal(request.state, REQUEST_STATE_DONE);
	assert_int_equal(request.proof, PROOF_SENDER);
	assert_int_equal(request.application_id, id);
	assert_string_equal(request.note, "メールニュースの配信を停止しました（宣言1件）。");
	assert_int_equal(rig_count_events(rig, id, EVENT_NEWS), 1);
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
	rig_assert_whole(rig);
}

/* N13, T19: leaving the news silences no letter about the case. */
static void test_request_news__case_mail_goes_on(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true");
	struct received mail = news_mail(inbound_address(rig, id));
	(void)inbound_receive(rig, &mail);
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent news-stopped/sent id/sent logo/sent");
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_string_equal(news_of(rig, id), "false");
	rig_assert_whole(rig);
}

/* All declarations behind the address, and no others; one answer. */
static void test_request_news__all_behind_the_address(void **state)
{
	struct rig *rig = *state;
	int64_t first = apply(rig, 1, "all@example.co.jp", "false"),
		second = apply(rig, 2, "all@example.co.jp", "true"),
		third = apply(rig, 3, "all@example.co.jp", "true"), other = apply(rig, 4, NULL, "true");
	struct received mail = news_mail("all@example.co.jp");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(news_of(rig, second), "false");
	assert_string_equal(news_of(rig, third), "false");
	assert_string_equal(news_of(rig, other), "true");
	assert_int_equal(rig_count_events(rig, first, EVENT_NEWS), 0);
	assert_int_equal(rig_count_events(rig, second, EVENT_NEWS), 1);
	assert_int_equal(rig_count_events(rig, third, EVENT_NEWS), 1);
	assert_string_equal(inbound_queued(rig), "news-stopped>all@example.co.jp");
	assert_string_equal(
		inbound_outcome(rig, message), "done: メールニュースの配信を停止しました（宣言2件）。");
	rig_assert_whole(rig);
}

/* A held application leaves the list too; what waits for it waits on. */
static void test_request_news__while_held(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true");
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	struct received mail = news_mail(inbound_address(rig, id));
	(void)inbound_receive(rig, &mail);
	assert_string_equal(news_of(rig, id), "false");
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	rig_assert_whole(rig);
}

/* Somebody who is not on the list, or not any more, gets the text for strangers. */
static void test_request_news__not_on_the_list(void **state)
{
	struct rig *rig = *state;
	int64_t without = apply(rig, 1, NULL, "false"), stopped = apply(rig, 2, NULL, "true");
	const char *why_ja;
	assert_ok(office_stop(
		&rig->office, stopped, CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	(void)rig_turn(rig);
	const char *from[] = {
		"stranger@example.com", inbound_address(rig, without), inbound_address(rig, stopped)};
	const char *text = NULL;
	for (size_t i = 0; i < sizeof from / sizeof from[0]; i++) {
		struct received mail = news_mail(from[i]);
		int64_t message = inbound_receive(rig, &mail);
		assert_string_equal(inbound_outcome(rig, message),
			"answered: 差出人のアドレスは、メールニュースの配信先にありません。");
		assert_string_equal(inbound_queued(rig), pool_printf(rig->pool, "neutral>%s", from[i]));
		if (!text)
			text = inbound_text(rig, "neutral");
		assert_string_equal(inbound_text(rig, "neutral"), text);
		rig_run_days(rig, 1);
	}
	assert_int_equal(rig_count_events(rig, without, EVENT_NEWS), 0);
	assert_int_equal(rig_count_events(rig, stopped, EVENT_NEWS), 0);
}

/* What the mail names, or answers, counts for nothing: only the sender does. */
static void test_request_news__nobody_elses(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true");
	struct received mail = news_mail("stranger@example.com");
	mail.reading.fields.business_name = "株式会社サンプル1";
	mail.reading.fields.corporate_number = rig_app(rig, id).form.value[FIELD_CORPORATE_NUMBER];
	mail.reading.fields.prefecture = "東京都";
	mail.answers[0] = rig_notices(rig, id).item[0].message_id;
	mail.answers_count = 1;
	(void)inbound_receive(rig, &mail);
	assert_string_equal(news_of(rig, id), "true");
	assert_string_equal(inbound_queued(rig), "neutral>stranger@example.com");

	/* An address that is not the sender's is for a person: the reading says so. */
	mail = news_mail("stranger@example.com");
	mail.reading.fields.mail = inbound_address(rig, id);
	mail.reading.review = true;
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(news_of(rig, id), "true");
}

/* A later application that wishes the news is a new consent. */
static void test_request_news__consent_anew(void **state)
{
	struct rig *rig = *state;
	int64_t first = apply(rig, 1, "all@example.co.jp", "true");
	struct received mail = news_mail("all@example.co.jp");
	(void)inbound_receive(rig, &mail);
	int64_t second = apply(rig, 2, "all@example.co.jp", "true");
	assert_string_equal(news_of(rig, first), "false");
	assert_string_equal(news_of(rig, second), "true");
}

/* An address that is known to be dead is not written to; it leaves the list all the same. */
static void test_request_news__answer_held_back(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(suppression_set(
		rig->office.store, "info1@example.co.jp", SUPPRESS_DEAD, true, rig->clock.now, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	struct received mail = news_mail(inbound_address(rig, id));
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(news_of(rig, id), "false");
	assert_string_equal(inbound_queued(rig), "");
	assert_string_equal(inbound_outcome(rig, message),
		"done: メールニュースの配信を停止しました（宣言1件）。お知らせのメールは送っていません。");
}

static void test_request_news__left_to_staff_by_policy(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "policy = ( { request = \"news-unsubscribe\"; action = \"review\"; } );");
	int64_t id = apply(rig, 1, NULL, "true");
	struct received mail = news_mail(inbound_address(rig, id));
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(news_of(rig, id), "true");
}

/* Written from elsewhere: staff found out whose address is meant. */
static void test_request_news__staff_say_whose(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply(rig, 1, NULL, "true"), without = apply(rig, 2, NULL, "false");
	const char *why_ja;
	struct received mail = news_mail("stranger@example.com");
	mail.reading.review = true;
	int64_t request = inbound_request(rig, inbound_receive(rig, &mail)).id;
	assert_int_equal(office_resolve(&rig->office, request, REQUEST_CARRY_OUT, without, CIVIL_DAY_NONE, "",
				 "staff:1000", &why_ja, rig->pool, &rig_err),
		RC_REFUSED);
	assert_string_equal(why_ja, "この申込みの登録アドレスは、メールニュースの配信先にありません。");
	assert_ok(office_resolve(&rig->office, request, REQUEST_CARRY_OUT, id, CIVIL_DAY_NONE, "",
		"staff:1000", &why_ja, rig->pool, &rig_err));
	assert_string_equal(news_of(rig, id), "false");
	assert_string_equal(inbound_queued(rig), "news-stopped>info1@example.co.jp");
	rig_assert_whole(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_news__leaves),
		TEST(test_request_news__case_mail_goes_on),
		TEST(test_request_news__all_behind_the_address),
		TEST(test_request_news__while_held),
		TEST(test_request_news__not_on_the_list),
		TEST(test_request_news__nobody_elses),
		TEST(test_request_news__consent_anew),
		TEST(test_request_news__answer_held_back),
		TEST(test_request_news__left_to_staff_by_policy),
		TEST(test_request_news__staff_say_whose),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
