#include "inbound_rig.h"

#include "lib/mail/bounceaddr.h"

#define STRANGER "stranger@example.com"

static struct received unknown_mail(const char *from)
{
	struct received mail = inbound_mail(REQUEST_OTHER, from);
	mail.reading.review = true;
	mail.reading.unknown_mail = true;
	mail.text = "このメールに心当たりがありません。";
	return mail;
}

static int64_t apply(struct rig *rig, int n, const char *mail)
{
	struct form_values form = rig_form(rig, n);
	if (mail)
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = mail;
	return rig_register(rig, &form);
}

/* Everything to that address is held at once, also what is queued already; nothing goes out until staff release it. */
static void test_request_unknown__holds_all_at_once(void **state)
{
	struct rig *rig = *state;
	int64_t first = apply(rig, 1, "typo@example.co.jp"), second = apply(rig, 2, "typo@example.co.jp"),
		other = apply(rig, 3, NULL);
	struct received mail = unknown_mail("typo@example.co.jp");
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		pool_printf(rig->pool,
			"review: "
			"「心当たりがない」とのメールです。このアドレスへの通知を保留しました（申込番号 "
			"%" PRId64 "、%" PRId64 "）。",
			first, second));
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_REVIEW);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, first), "receipt/queued");
	assert_string_equal(rig_outbox(rig, second), "receipt/queued");
	assert_string_equal(rig_outbox(rig, other), "receipt/sent id/sent logo/sent");
	struct application app = rig_app(rig, first);
	assert_int_equal(app.hold, HOLD_STAFF);
	assert_string_equal(app.hold_reason,
		pool_printf(rig->pool, "「心当たりがない」とのメールがありました（受信番号%" PRId64 "）。",
			message));
	assert_int_equal(rig_count_events(rig, first, EVENT_HOLD), 1);

	rig_decide(rig, first, DECISION_RELEASE, "電話で確認しました");
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, first), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, second), "receipt/queued");
	rig_assert_whole(rig);
}

/* One declaration: the request is about it. No answer goes out. */
static void test_request_unknown__one_declaration(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 9);
	struct received mail = unknown_mail("INFO1@example.co.jp");
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).application_id, id);
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	assert_string_equal(inbound_queued(rig), "");
}

/* A second such mail, and one about an application that is in review, change nothing. */
static void test_request_unknown__held_already(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	struct received mail = unknown_mail("info1@example.co.jp");
	int64_t first = inbound_receive(rig, &mail), second = inbound_receive(rig, &mail);
	assert_true(first != second);
	assert_string_equal(inbound_outcome(rig, second),
		"review: 「心当たりがない」とのメールです。このアドレスへの通知は、すでに止まっています。");
	assert_int_equal(rig_count_events(rig, id, EVENT_HOLD), 1);
}

/* ---- whom it is believed ---- */

/* Somebody who only says so holds nobody's notices: that he names the application or answers a Message-ID, which can be guessed, is no proof. */
static void test_request_unknown__a_stranger_holds_nobody(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 9);
	struct received mail = unknown_mail(STRANGER);
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.mail = inbound_address(rig, id);
	mail.answers[0] = rig_notices(rig, id).item[1].message_id;
	mail.answers_count = 1;
	mail.delivered_to[0] = "bounce+b2.aaaaaaaaaa@sa.example.jp"; /* signed by nobody */
	mail.delivered_to_count = 1;
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"review: "
		"「心当たりがない」とのメールです。登録アドレスからではないため、どの通知も止めていません。");
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	assert_string_equal(inbound_queued(rig), "");
}

/* Who writes to the signed bounce address of a notice has read it, whatever address he writes from. */
static void test_request_unknown__by_the_bounce_address(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), other = rig_apply(rig, 2);
	rig_run_days(rig, 9);
	struct received mail = unknown_mail(STRANGER);
	mail.delivered_to[0] = "security-action-info@sa.example.jp";
	mail.delivered_to[1] = rig_notices(rig, id).item[1].bounce_address;
	mail.delivered_to_count = 2;
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).application_id, id);
	assert_int_equal(rig_app(rig, id).hold, HOLD_STAFF);
	assert_int_equal(rig_app(rig, other).hold, HOLD_NONE);
}

static void test_request_unknown__nothing_left_to_hold(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 9);
	const char *why_ja, *bounce = rig_notices(rig, id).item[1].bounce_address;
	assert_ok(office_stop(
		&rig->office, id, CIVIL_DAY_NONE, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	struct received mail = unknown_mail("info1@example.co.jp");
	mail.delivered_to[0] = bounce;
	mail.delivered_to_count = 1;
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_outcome(rig, message),
		"review: 「心当たりがない」とのメールです。このアドレスに送る通知は、もうありません。");
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_unknown__holds_all_at_once),
		TEST(test_request_unknown__one_declaration),
		TEST(test_request_unknown__held_already),
		TEST(test_request_unknown__a_stranger_holds_nobody),
		TEST(test_request_unknown__by_the_bounce_address),
		TEST(test_request_unknown__nothing_left_to_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
