/* The morning digest: what it says, whom it goes to, and that whatever becomes of it touches no case. */
#include "inbound_rig.h"

#include <sqlite3.h>

#include "lib/desk/digest.h"

#define DESK                                                                                                 \
	"desk_mail = ( \"desk@sa.example.jp\", \"chief@sa.example.jp\" );\nshare_url = "                     \
	"\"file://server/sengen\";\n"

static int setup(void **state)
{
	int rc = rig_setup(state);
	rig_configure(*state, DESK);
	return rc;
}

struct made {
	struct str subject, text, html;
};

static struct made make(struct rig *rig)
{
	struct made made = {STR_INIT, STR_INIT, STR_INIT};
	struct tally tally;
	assert_ok(tally_make(&rig->office, 10, &tally, rig->pool, &rig_err));
	assert_ok(digest_make(&rig->office, &tally, &made.subject, &made.text, &made.html, &rig_err));
	return made;
}

static void made_free(struct made *made)
{
	str_free(&made->subject);
	str_free(&made->text);
	str_free(&made->html);
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("\"%s\" is in: %s", part, text);
}

static int send_digest(struct rig *rig)
{
	int queued = 0;
	assert_ok(digest_send(&rig->office, &queued, &rig_err));
	return queued;
}

static void assert_no_review(struct rig *rig)
{
	struct tally tally;
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_int_equal(tally.review_applications, 0);
	assert_int_equal(tally.review_requests, 0);
}

/* How the check "desk-mail" stands. */
static enum rc take_desk_mail(void *ctx, const struct health_item *item, struct err *err)
{
	(void)err;
	if (strcmp(item->name, "desk-mail") == 0)
		*(int64_t *)ctx = item->value;
	return RC_OK;
}

static int64_t lost_mails(struct rig *rig)
{
	struct tally tally;
	enum health_level worst;
	int64_t lost = -1;
	assert_ok(tally_make(&rig->office, 1, &tally, rig->pool, &rig_err));
	assert_ok(health_check(&rig->office, &tally, take_desk_mail, &lost, &worst, rig->pool, &rig_err));
	return lost;
}

/* ---- what it says ---- */

static void test_digest__quiet_day_is_short(void **state)
{
	struct rig *rig = *state;
	struct made made = make(rig);
	int lines = 0;
	assert_says(made.subject.s, "朝のまとめ 2026年6月1日(月)");
	assert_lacks(made.subject.s, "対応");
	assert_says(made.text.s, "■ 対応が必要なこと\nありません。");
	assert_says(made.text.s, "受付も送信もありませんでした。");
	assert_lacks(made.text.s, "要確認");
	for (const char *at = made.text.s; *at; at++)
		lines += *at == '\n';
	assert_true(lines <= 20);
	made_free(&made);
}

static void test_digest__tells_of_yesterday_and_today(void **state)
{
	struct rig *rig = *state;
	int64_t id[4];
	for (int n = 0; n < 4; n++)
		id[n] = rig_apply(rig, n + 1);
	rig_run_until(rig, civil_moment(rig_today(rig) + 1, 510));
	struct made made = make(rig);
	assert_says(made.text.s, "■ 2026年6月1日(月)の動き");
	assert_says(made.text.s, "登録した申込み：4件");
	assert_says(made.text.s, "送信した通知：4通");
	assert_says(made.text.s, "次の通知を待つ申込み（受付済み）：4件");
	assert_lacks(made.text.s, "自己宣言ID");
	made_free(&made);
	/* On the day of the IDs. */
	rig_run_until(rig, civil_moment(rig_today(rig) + 6, 510));
	made = make(rig);
	assert_says(made.text.s, "送る通知：4通（明日は0通）");
	made_free(&made);
	/* The names of the applicants stand nowhere. */
	rig_decide(rig, id[0], DECISION_HOLD, "株式会社サンプル1に確認");
	made = make(rig);
	assert_lacks(made.text.s, "サンプル");
	assert_lacks(made.html.s, "サンプル");
	assert_lacks(made.text.s, "example.co.jp");
	made_free(&made);
}

static void test_digest__what_needs_a_person(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct received mail = inbound_mail(REQUEST_OTHER, "someone@example.com");
	mail.reading.review = true;
	mail.reading.why = "a person must look.";
	(void)rig_turn(rig);
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	rig_run_until(rig, civil_moment(rig_today(rig) + 4, 510));
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	struct made made = make(rig);
	assert_says(made.subject.s, "（対応が必要なこと 1件）");
	assert_says(made.text.s, "■ 要確認（申込み0件、メール1件）");
	assert_says(made.text.s, "依頼番号1（");
	/* One click opens the mail. */
	char link[100];
	(void)snprintf(link, sizeof link, "file://server/sengen/report/mail/%lld.eml", (long long)message);
	assert_says(made.text.s, link);
	assert_says(made.html.s, link);
	assert_says(made.html.s, ">メールを開く</a>");
	assert_says(made.html.s, "file://server/sengen/report/index.html#review");
	assert_lacks(made.text.s, "someone@");
	made_free(&made);
}

/* A file with a name that must be written otherwise in an address and in HTML. */
static void test_digest__refused_files(void **state)
{
	struct rig *rig = *state;
	struct spool_file file = {.name = "<b>3月 申込み&.csv",
		.taken_at = rig->clock.now,
		.owner = "1000",
		.state = FILE_DONE,
		.rows_done = 3,
		.accepted = 2,
		.refused = 1,
		.archive = "accepted/2026/06/3月 申込み#1.csv"};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	struct str path = STR_INIT;
	path_join(&path, rig->dir, "accepted/2026/06");
	assert_ok(file_mkdirs(path.s, 0700, &rig_err));
	str_free(&path);
	rig_run_until(rig, civil_moment(rig_today(rig) + 1, 510));
	struct made made = make(rig);
	assert_says(made.text.s, "・<b>3月 申込み&.csv（受け付けられない行 1、登録など 2）");
	assert_says(made.html.s, "&lt;b&gt;3月 申込み&amp;.csv");
	assert_lacks(made.text.s, "file://server/sengen/accepted"); /* neither result is there */
	made_free(&made);
	rig_write(rig, "accepted/2026/06/3月 申込み#1.csv_結果.txt", "x");
	made = make(rig);
	assert_says(made.text.s,
		"file://server/sengen/accepted/2026/06/3%E6%9C%88%20%E7%94%B3%E8%BE%BC%E3%81%BF%231"
		".csv_%E7%B5%90%E6%9E%9C.txt");
	made_free(&made);
	rig_write(rig, "accepted/2026/06/3月 申込み#1.csv_要修正.csv", "x");
	made = make(rig);
	assert_says(made.html.s, ">要修正の行を開く</a>");
	made_free(&made);
	/* Without a way to the share: names only. */
	rig_configure(rig, "desk_mail = ( \"desk@sa.example.jp\" );");
	made = make(rig);
	assert_lacks(made.html.s, "<a ");
	made_free(&made);
}

static void test_digest__books(void **state)
{
	struct rig *rig = *state;
	static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000aa";
	struct str fact = STR_INIT;
	str_printf(&fact, "%lld 0 5 %s", (long long)rig->clock.now, hash);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, "books.result", fact.s, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	struct made made = make(rig);
	assert_says(made.text.s, "2026-06-01 10:00の締め：すべて合っています");
	assert_says(made.text.s, hash);
	made_free(&made);
	str_clear(&fact);
	str_printf(&fact, "%lld 7 5 %s", (long long)rig->clock.now, hash);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, "books.result", fact.s, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	made = make(rig);
	assert_says(made.text.s, "合わないものが7件あります");
	assert_says(made.subject.s, "（対応が必要なこと 1件）");
	made_free(&made);
	str_free(&fact);
}

/* After a weekend, and after the daemon was off for months. */
static void test_digest__covers_the_days_since_the_last(void **state)
{
	struct rig *rig = *state;
	(void)send_digest(rig);
	rig_run_until(rig, civil_moment(rig_today(rig) + 1, 510));
	struct made made = make(rig);
	assert_says(made.text.s, "■ 2026年6月1日(月)の動き");
	made_free(&made);
	rig_run_until(rig, civil_moment(rig_today(rig) + 2, 510));
	made = make(rig);
	assert_says(made.text.s, "■ 2026年6月1日(月)から2026年6月3日(水)までの動き");
	made_free(&made);
	rig_run_until(rig, civil_moment(rig_today(rig) + 200, 510));
	int queued;
	assert_ok(digest_send(&rig->office, &queued, &rig_err));
	assert_int_equal(queued, 2);
}

/* ---- its way ---- */

static void test_digest__goes_out_like_a_mail_of_nobody(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(send_digest(rig), 2);
	struct inbound_queue queue = inbound_queue(rig);
	assert_int_equal(queue.count, 2);
	assert_string_equal(queue.item[0].recipient, "desk@sa.example.jp");
	assert_string_equal(queue.item[1].recipient, "chief@sa.example.jp");
	assert_string_equal(queue.item[0].template_name, "digest");
	char id[64];
	(void)snprintf(id, sizeof id, "digest.0.%lld@", (long long)queue.item[0].id);
	assert_says(queue.item[0].message_id, id);
	assert_int_equal(rig_send(rig), 2);
	rig_assert_whole(rig);
	assert_no_review(rig);
	assert_int_equal(lost_mails(rig), 0);
	struct notice notice;
	assert_ok(outbox_get(rig->office.store, queue.item[0].id, &notice, rig->pool, &rig_err));
	assert_int_equal(notice.state, OUTBOX_SENT);
	/* No copy in 送信済み. */
	int64_t copy = -1;
	assert_ok(copy_next(rig->office.store, 0, &copy, &rig_err));
	assert_true(copy == 0);
}

static void test_digest__is_opened_by_another_reader(void **state)
{
	struct rig *rig = *state;
	rig_apply(rig, 1);
	rig_run_until(rig, civil_moment(rig_today(rig) + 1, 510));
	(void)send_digest(rig);
	struct str wire = STR_INIT, command = STR_INIT;
	rig_letter(rig, inbound_queue(rig).item[0].id, &wire);
	rig_write(rig, "digest.eml", wire.s);
	str_printf(&command, "/usr/bin/python3 tests/peers/digest.py %s/digest.eml", rig->dir);
	assert_int_equal(system(command.s), 0);
	str_free(&wire);
	str_free(&command);
}

static enum outcome refuse(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_PERMANENT;
}

static enum outcome lose(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_UNKNOWN;
}

static void test_digest__given_up(void **state)
{
	struct rig *rig = *state;
	rig->answer = refuse;
	(void)send_digest(rig);
	(void)rig_send(rig);
	assert_no_review(rig);
	assert_int_equal(lost_mails(rig), 2);
	rig_assert_whole(rig);
}

static void test_digest__unknown(void **state)
{
	struct rig *rig = *state;
	rig->answer = lose;
	(void)send_digest(rig);
	(void)rig_send(rig);
	rig->answer = NULL;
	rig_run_days(rig, 1);
	assert_int_equal(rig->delivered, 0); /* nobody waits for it: it is not repeated */
	assert_no_review(rig);
	assert_int_equal(lost_mails(rig), 2);
}

static void test_digest__came_back(void **state)
{
	struct rig *rig = *state;
	for (int times = 0; times < 4; times++) {
		(void)send_digest(rig);
		struct notice notice = inbound_queue(rig).item[0];
		assert_ok(outbox_get(rig->office.store, notice.id, &notice, rig->pool, &rig_err));
		(void)rig_send(rig);
		struct received mail = inbound_mail(REQUEST_BOUNCE, "mailer-daemon@mx.example.jp");
		mail.null_sender = true;
		/* Signed, and once by its Message-ID alone. */
		mail.delivered_to[0] = notice.bounce_address;
		mail.delivered_to_count = times < 3;
		mail.reading.bounce = (struct bounce){.is_bounce = true,
			.recipient = &notice.recipient,
			.recipient_count = 1,
			.action = "failed",
			.status = "5.1.1",
			.message_id = pool_printf(rig->pool, "<%s>", notice.message_id),
			.class_ = BOUNCE_HARD,
			.why = ""};
		int64_t message = inbound_receive(rig, &mail);
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_BOUNCE);
		assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_DONE);
		assert_int_equal(inbound_request(rig, message).application_id, 0);
		assert_no_review(rig);
		assert_int_equal(lost_mails(rig), times + 1);
		clock_set(&rig->clock, rig->clock.now + 3600);
	}
	/* It still goes there: whether the address is right is for staff. */
	(void)send_digest(rig);
	assert_int_equal(rig_send(rig), 2);
}

/* Whoever answers it automatically, or forwards it into the office's own mailbox, makes no case. */
static void test_digest__answered_by_a_machine(void **state)
{
	struct rig *rig = *state;
	(void)send_digest(rig);
	(void)rig_send(rig);
	struct received mail = inbound_mail(REQUEST_AUTO_REPLY, "desk@sa.example.jp");
	mail.automatic = true;
	mail.own = true;
	(void)inbound_receive(rig, &mail);
	assert_no_review(rig);
	assert_int_equal(inbound_queue(rig).count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_digest__quiet_day_is_short, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_digest__tells_of_yesterday_and_today, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__what_needs_a_person, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__refused_files, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__books, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_digest__covers_the_days_since_the_last, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_digest__goes_out_like_a_mail_of_nobody, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_digest__is_opened_by_another_reader, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__given_up, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__unknown, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__came_back, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_digest__answered_by_a_machine, setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
