/* T16: trusting From and a number that can be guessed. From forged, Authentication-Results planted below ours, a delivery report forged: read from their bytes and
 * acted on, with the number and the name right. test_spoofing.c has the matrix; here is what the trap itself asks. */
#include "raw_rig.h"

#define VICTIM "info1@example.co.jp"
#define TEXT "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
#define HOP                                                                                                  \
	"Received: from mail.evil.example.net (mail.evil.example.net [192.0.2.7]) by " OUR_SERVER            \
	" (Postfix) with ESMTPS; Mon, 08 Jun 2026 10:00:00 +0900\n"
#define OURS_FAIL                                                                                            \
	"Authentication-Results: " OUR_SERVER                                                                \
	"; dkim=fail header.d=example.co.jp; spf=fail smtp.mailfrom=example.co.jp\n"
#define PLANTED                                                                                              \
	"Authentication-Results: " OUR_SERVER                                                                \
	"; dkim=pass header.d=example.co.jp; spf=pass smtp.mailfrom=info1@example.co.jp\n"
#define STOP                                                                                                 \
	"Subject: ロゴマーク使用中止のお願い\n" TEXT                                                         \
	"下記のとおりロゴマークの使用を中止します。\n\n自己宣言ID：{ID}"           \
	"\n事業者名：株式会社サンプル1\n代表者：見本 太郎\n担当者：見本 花子\n中止理由：廃業のため\n"
#define CHANGE                                                                                               \
	"Subject: 登録内容変更のお願い\n" TEXT                                                               \
	"登録メールアドレスの変更をお願いします。\n\n自己宣言ID：{ID}"              \
	"\n事業者名：株式会社サンプル1\n変更後のメールアドレス：evil@example.net\n"

static int64_t victim(struct rig *rig)
{
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 11);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	return id;
}

/* Nobody but the registered address hears anything, and nothing is as it was not. */
static void assert_untouched(struct rig *rig, int64_t id)
{
	struct inbound_queue queue = inbound_queue(rig);
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_ID_ISSUED);
	assert_string_equal(app.form.value[FIELD_MAIL], VICTIM);
	for (int i = 0; i < queue.count; i++)
		assert_string_equal(queue.item[i].recipient, VICTIM);
	rig_assert_whole(rig);
}

static void forged(void **state, const char *head, const char *text, const char *more)
{
	struct rig *rig = *state;
	rig_configure(rig, more);
	int64_t id = victim(rig);
	const struct raw_value values[] = {{"{ID}", inbound_id(rig, id)}, {NULL, NULL}};
	const char *raw = pool_printf(rig->pool, "%s%s", head, text);
	int64_t message = raw_receive(rig, raw_mail(rig, raw, values));
	assert_untouched(rig, id);
	enum request_state waits = inbound_request(rig, message).state;
	assert_true(waits == REQUEST_STATE_ASKED || waits == REQUEST_STATE_REVIEW);
	/* Nobody confirms it: the logo comes on its day, a person is told. */
	rig_run_days(rig, 30);
	assert_string_equal(rig_app(rig, id).form.value[FIELD_MAIL], VICTIM);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
}

#define TRUSTING "authserv_id = \"" OUR_SERVER "\"; trust_aligned_dkim = true;"

static void test_trap_16__from_forged(void **state)
{
	forged(state, OURS_FAIL HOP "From: " VICTIM "\n", STOP, TRUSTING);
}

static void test_trap_16__from_forged_changes_the_address(void **state)
{
	forged(state, OURS_FAIL HOP "From: " VICTIM "\n", CHANGE, TRUSTING);
}

static void test_trap_16__results_planted_below_ours(void **state)
{
	forged(state, OURS_FAIL HOP PLANTED "From: " VICTIM "\n", STOP, TRUSTING);
}

static void test_trap_16__results_planted_and_none_of_ours(void **state)
{
	forged(state, HOP PLANTED "From: " VICTIM "\n", STOP, TRUSTING);
}

/* The proof that these mails lack something: with a result of ours that passes, and the office trusting it, the same mail is carried out. */
static void test_trap_16__a_true_one_is_carried_out(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, TRUSTING);
	int64_t id = victim(rig);
	const struct raw_value values[] = {{"{ID}", inbound_id(rig, id)}, {NULL, NULL}};
	(void)raw_receive(rig, raw_mail(rig, PLANTED HOP "From: " VICTIM "\n" STOP, values));
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
}

/* Any number of reports about a letter of ours, its Message-ID guessed or even known, but not its signed bounce address. */
static void test_trap_16__forged_reports(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "");
	int64_t id = victim(rig);
	struct notice letter = rig_notices(rig, id).item[1];
	const struct raw_value values[] = {{"{MID}", letter.message_id}, {NULL, NULL}};
	static const char *const heads[] = {
		"Return-Path: <>\nDelivered-To: bounce+b2.aaaaaaaaaa@sa.example.jp\n",
		"Return-Path: <>\nDelivered-To: bounce@sa.example.jp\n",
		"Return-Path: <evil@example.net>\nDelivered-To: " OFFICE "\n",
	};
	for (int i = 0; i < 12; i++)
		(void)raw_receive(rig,
			raw_mail(rig,
				pool_printf(rig->pool,
					"%sX-Number: %d\nFrom: MAILER-DAEMON@mx.example.co.jp\n%s",
					heads[i % 3], i, RAW_REPORT("guessed.1.0@sa.example.jp", VICTIM)),
				values));
	struct address_score score;
	bool dead;
	assert_ok(address_score_get(rig->office.store, VICTIM, &score, &rig_err));
	assert_int_equal(score.score, 0);
	assert_int_equal(score.hard, 0);
	assert_ok(suppression_has(rig->office.store, VICTIM, SUPPRESS_DEAD, &dead, &rig_err));
	assert_false(dead);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_16__from_forged, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_16__from_forged_changes_the_address, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_16__results_planted_below_ours, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_16__results_planted_and_none_of_ours, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_16__a_true_one_is_carried_out, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_16__forged_reports, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, raw_begin, raw_end);
}
