/* The report and the proof: what stands on them, what must never stand on them, and how they come into their directory. */
#include "tests/unit/inbound_rig.h"

#include "daemon/desk.h"
#include "lib/desk/report.h"

#define HOSTILE "株式会社\"><script>alert(1)</script>"
#define HARMLESS "株式会社&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"

/* ---- looking at pages ---- */

static const char *report_file(struct rig *rig, const char *name)
{
	return pool_printf(rig->pool, "%s/report/%s", rig->dir, name);
}

static const char *read_text(struct rig *rig, const char *path)
{
	struct str text = STR_INIT;
	assert_ok(file_read(&text, path, (size_t)64 << 20, &rig_err));
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

static enum rc write_report(struct rig *rig)
{
	struct str directory = STR_INIT;
	report_directory(&directory, rig->settings);
	enum rc rc = report_write(&rig->office, directory.s, &rig_err);
	str_free(&directory);
	return rc;
}

static const char *report_page(struct rig *rig)
{
	assert_ok(write_report(rig));
	return read_text(rig, report_file(rig, "index.html"));
}

static void assert_has(const char *page, const char *text)
{
	if (!strstr(page, text))
		fail_msg("\"%s\" is not on the page:\n%s", text, strstr(page, "<main"));
}

static void assert_lacks(const char *page, const char *text)
{
	if (strstr(page, text))
		fail_msg("\"%s\" is on the page", text);
}

static void assert_figure(const char *page, const char *name, int value)
{
	char text[256];
	(void)snprintf(text, sizeof text, "<span class=\"name\">%s</span> <span class=\"value\">%d</span>",
		name, value);
	assert_has(page, text);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- cases ---- */

static int64_t apply_for_review(struct rig *rig, int n, const char *name)
{
	struct finding finding = {.field = FIELD_BUSINESS_NAME,
		.severity = SEVERITY_REVIEW,
		.value = "",
		.message_ja = "見本の理由<b>です。",
		.remedy_ja = ""};
	const struct findings findings = {.item = &finding, .count = 1};
	struct form_values form = rig_form(rig, n);
	int64_t id = 0;
	if (name)
		form.value[FIELD_BUSINESS_NAME] = name;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, &findings, 0, 1, &id, &rig_review, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_true(rig_review);
	return id;
}

/* A mail that nobody but a person can make sense of; its number. */
static int64_t mail_for_review(struct rig *rig, const char *subject)
{
	struct received mail = inbound_mail(REQUEST_OTHER, "someone@example.com");
	mail.subject = subject;
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	return message;
}

/* A file that was taken, with its archive and what lies beside it. */
static void take_file(struct rig *rig, const char *name, int refused, const char *archive, bool mended)
{
	struct spool_file file = {.name = name,
		.size = 10,
		.taken_at = rig->clock.now,
		.owner = "staff",
		.state = FILE_TAKEN,
		.archive = ""};
	sha256(file.digest, name, strlen(name));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	file.state = FILE_DONE;
	file.rows_done = 5;
	file.accepted = 5 - refused;
	file.refused = refused;
	file.archive = archive;
	assert_ok(file_update(rig->office.store, &file, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	char path[256];
	(void)snprintf(path, sizeof path, "%s/%s", rig->dir, archive);
	*strrchr(path, '/') = '\0';
	assert_ok(file_mkdirs(path, 0700, &rig_err));
	(void)snprintf(path, sizeof path, "%s_結果.txt", archive);
	rig_write(rig, path, "結果");
	(void)snprintf(path, sizeof path, "%s_要修正.csv", archive);
	if (mended)
		rig_write(rig, path, "行");
}

/* ---- the report ---- */

static void test_report__an_empty_office(void **state)
{
	struct rig *rig = *state;
	const char *page = report_page(rig);
	assert_has(page, "2026年6月1日(月) 10:00</time> 現在");
	assert_has(page, "data-minutes=\"15\"");
	assert_has(page, "いま人の対応を待っているものはありません。");
	assert_has(page, "要確認の申込みはありません。");
	assert_has(page, "要確認の依頼はありません。");
	assert_has(page, "期限を過ぎた通知はありません。");
	assert_figure(page, "申込みの総数", 0);
	struct stat st;
	assert_int_equal(stat(report_file(rig, "index.html"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_report__numbers_are_those_of_the_register(void **state)
{
	struct rig *rig = *state;
	for (int n = 1; n <= 4; n++)
		rig_apply(rig, n);
	rig_run_days(rig, 8);
	(void)apply_for_review(rig, 5, NULL);
	rig_decide(rig, rig_apply(rig, 6), DECISION_HOLD, "電話待ち");
	const char *page = report_page(rig);
	assert_figure(page, "要確認の申込み", 1);
	assert_figure(page, "保留中の申込み", 1);
	assert_figure(page, "ID発行済み", 4);
	assert_figure(page, "受付済み", 2);
	assert_figure(page, "申込みの総数", 6);
	assert_has(page, "<th scope=\"row\">ID発行済み</th><td class=\"num\">4</td><td class=\"num\">0</td>");
	/* a week ago four came in and were told so; the day after the holiday-free week their IDs went out */
	assert_has(page, "<th scope=\"row\">6月1日(月)</th><td class=\"num\">0</td><td class=\"num\">4</td>"
			 "<td class=\"num\">0</td><td class=\"num\">0</td><td class=\"num\">0</td>"
			 "<td class=\"num\">4</td>");
	assert_has(page, "<th scope=\"row\">6月8日(月)</th>");
	assert_has(page, "<svg role=\"img\"");
	assert_lacks(page, "<script src");
}

static void test_report__review_says_how_each_is_settled(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply_for_review(rig, 1, HOSTILE);
	int64_t message = mail_for_review(rig, "利用者番号 9035489508 について " HOSTILE);
	const char *page = report_page(rig);
	char text[128];
	assert_has(page, HARMLESS "</td>");
	assert_has(page, "見本の理由&lt;b&gt;です。");
	assert_lacks(page, "<script>alert");
	assert_lacks(page, "9035489508");
	assert_has(page, "利用者番号 9•••••••08 について");
	(void)snprintf(text, sizeof text, "<code>sengenctl approve %" PRId64 " 理由</code>", id);
	assert_has(page, text);
	(void)snprintf(text, sizeof text, "<code>%" PRId64 ",却下,理由</code>", id);
	assert_has(page, text);
	(void)snprintf(text, sizeof text,
		"<code>sengenctl review resolve %" PRId64 " close --reason 理由</code>",
		inbound_request(rig, message).id);
	assert_has(page, text);
	/* fresh as it is, it is told of at the top */
	assert_has(page, "<strong class=\"warn\">注意：1件</strong>");
	assert_has(page, "<a href=\"#review\">一覧を見る</a>");
}

static void test_report__mails_lie_beside_it_until_they_are_settled(void **state)
{
	struct rig *rig = *state;
	const char *why_ja;
	int64_t first = mail_for_review(rig, "質問"), second = mail_for_review(rig, "別の質問");
	const char *first_mail = report_file(rig, pool_printf(rig->pool, "mail/%" PRId64 ".eml", first));
	const char *second_mail = report_file(rig, pool_printf(rig->pool, "mail/%" PRId64 ".eml", second));
	const char *page = report_page(rig);
	assert_has(page, pool_printf(rig->pool, "<a href=\"mail/%" PRId64 ".eml\">質問</a>", first));
	assert_true(str_has_prefix(read_text(rig, first_mail), "Subject: "));
	assert_true(is_there(second_mail));
	rig_write(rig, "report/mail/.7.eml.abcdef.tmp", "cut short");
	rig_write(rig, "report/mail/notes.eml", "not ours");
	assert_ok(office_resolve(&rig->office, inbound_request(rig, first).id, REQUEST_CLOSE, 0,
		CIVIL_DAY_NONE, "電話で答えた", "staff:1000", &why_ja, rig->pool, &rig_err));
	assert_lacks(report_page(rig), "<a href=\"mail/1.eml\">");
	assert_false(is_there(first_mail));
	assert_true(is_there(second_mail));
	assert_false(is_there(report_file(rig, "mail/.7.eml.abcdef.tmp")));
	assert_true(is_there(report_file(rig, "mail/notes.eml")));
}

/* Whoever may write into the shared folder could lead the mails, and what is taken away, anywhere. */
static void test_report__a_link_for_mail_is_not_followed(void **state)
{
	struct rig *rig = *state;
	(void)mail_for_review(rig, "質問");
	const char *elsewhere = pool_printf(rig->pool, "%s/elsewhere", rig->dir);
	const char *report = pool_printf(rig->pool, "%s/report", rig->dir);
	assert_int_equal(mkdir(elsewhere, 0700), 0);
	rig_write(rig, "elsewhere/9.eml", "somebody's");
	assert_int_equal(mkdir(report, 0700), 0);
	assert_int_equal(symlink(elsewhere, report_file(rig, "mail")), 0);
	assert_int_equal(report_write(&rig->office, report, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "link"));
	assert_false(is_there(pool_printf(rig->pool, "%s/1.eml", elsewhere)));
	assert_true(is_there(pool_printf(rig->pool, "%s/9.eml", elsewhere)));
	/* A link under the name of a mail is replaced by the mail. */
	assert_int_equal(unlink(report_file(rig, "mail")), 0);
	assert_int_equal(mkdir(report_file(rig, "mail"), 0700), 0);
	assert_int_equal(
		symlink(pool_printf(rig->pool, "%s/9.eml", elsewhere), report_file(rig, "mail/1.eml")), 0);
	assert_int_equal(symlink("/etc/passwd", report_file(rig, "index.html")), 0);
	assert_ok(report_write(&rig->office, report, &rig_err));
	assert_true(str_has_prefix(read_text(rig, report_file(rig, "mail/1.eml")), "Subject: "));
	assert_string_equal(read_text(rig, pool_printf(rig->pool, "%s/9.eml", elsewhere)), "somebody's");
	assert_has(read_text(rig, report_file(rig, "index.html")), "<!DOCTYPE html>");
}

static void test_report__batches_say_how_they_are_let_go(void **state)
{
	struct rig *rig = *state;
	struct held_batch batch = {.reason = BATCH_RECEIPTS,
		.asked_at = rig->clock.now,
		.first_actor = "",
		.second_actor = "",
		.due = 1234,
		.limit = 500};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(held_batch_add(rig->office.store, &batch, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	const char *page = report_page(rig);
	assert_has(page, "1,234件、2026-06-01 10:00 から。");
	assert_has(
		page, pool_printf(rig->pool, "<code>sengenctl release --batch %" PRId64 "</code>", batch.id));
	assert_lacks(page, "もう1人の確認");
	batch.first_at = rig->clock.now;
	batch.first_actor = "staff:1000";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(held_batch_update(rig->office.store, &batch, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_has(report_page(rig), "1人目の確認は済み、もう1人の確認が要ります。");
}

static void test_report__overdue_says_why(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_turn(rig);
	rig_decide(rig, id, DECISION_HOLD, "表記を電話で確認中");
	rig_run_days(rig, 40);
	const char *page = report_page(rig);
	assert_figure(page, "期限を過ぎた通知", 1);
	assert_has(page, "表記を電話で確認中");
	assert_has(page, "<th scope=\"row\">受付済み</th><td class=\"num\">1</td><td class=\"num\">1</td>"
			 "<td class=\"num\">29～56日</td>");
	assert_has(page, "<a href=\"#overdue\">一覧を見る</a>");
}

static void test_report__refused_files_lead_to_their_results(void **state)
{
	struct rig *rig = *state;
	take_file(rig, "良い.csv", 0, "accepted/2026/06/1_良い.csv", false);
	take_file(rig, "<b>悪い.csv", 2, "accepted/2026/06/2_悪い #1.csv", true);
	take_file(rig, "読めない.csv", 0, "rejected/2026/06/3_読めない.csv", false);
	const char *page = report_page(rig);
	assert_lacks(page, "1_%E8%89%AF");
	assert_has(page, "&lt;b&gt;悪い.csv");
	assert_has(page, "<a "
			 "href=\"../accepted/2026/06/"
			 "2_%E6%82%AA%E3%81%84%20%231.csv_%E7%B5%90%E6%9E%9C.txt\">結果</a>");
	assert_has(page, "%231.csv_%E8%A6%81%E4%BF%AE%E6%AD%A3.csv\">要修正の行");
	assert_has(page, "<a href=\"../rejected/2026/06/3_");
	assert_lacks(page, "3_%E8%AA%AD%E3%82%81%E3%81%AA%E3%81%84.csv_%E8%A6%81");

	/* Elsewhere than in the spool: by the name of the share, or where there is none the place alone. */
	char elsewhere[] = "/tmp/sengen-report-XXXXXX";
	assert_non_null(mkdtemp(elsewhere));
	assert_ok(report_write(&rig->office, elsewhere, &rig_err));
	const char *file = pool_printf(rig->pool, "%s/index.html", elsewhere);
	assert_has(read_text(rig, file), "結果 accepted/2026/06/2_悪い #1.csv_結果.txt");
	rig_configure(rig, "share_url = \"file://server/sengen\";\n");
	assert_ok(report_write(&rig->office, elsewhere, &rig_err));
	assert_has(read_text(rig, file), "<a href=\"file://server/sengen/accepted/2026/06/2_");
	assert_int_equal(nftw(elsewhere, rig_remove, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static void test_report__long_lists_are_cut_and_say_so(void **state)
{
	struct rig *rig = *state;
	for (int n = 1; n <= 302; n++)
		(void)apply_for_review(rig, n, NULL);
	const char *page = report_page(rig);
	int rows = 0;
	for (const char *at = strstr(page, ",許可,理由"); at; at = strstr(at + 1, ",許可,理由"))
		rows++;
	assert_int_equal(rows, 300);
	assert_has(page, "ほかに 2 件あります。すべて見るには: sengenctl list --review");
}

static void test_report__a_fault_leaves_the_page_before(void **state)
{
	struct rig *rig = *state;
	const char *before = report_page(rig);
	/* Something else stands where the mails go: nobody, not even root, can make a directory of it. */
	assert_int_equal(rmdir(report_file(rig, "mail")), 0);
	rig_write(rig, "report/mail", "a file");
	rig_apply(rig, 1);
	assert_int_equal(write_report(rig), RC_STORE);
	assert_non_null(strstr(rig_err.text, "The report could not be written"));
	assert_string_equal(read_text(rig, report_file(rig, "index.html")), before);
	assert_int_equal(unlink(report_file(rig, "mail")), 0);
	assert_figure(report_page(rig), "申込みの総数", 1);
}

/* ---- the desk's job ---- */

static const char *fault_fact(struct rig *rig)
{
	struct str fault = STR_INIT;
	assert_ok(fact_get(rig->office.store, REPORT_FAULT_FACT, &fault, &rig_err));
	const char *copy = pool_strdup(rig->pool, fault.s);
	str_free(&fault);
	return copy;
}

static void test_report__the_desk_writes_it_every_so_often(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {.office = rig->office, .settings = rig->settings};
	void *job = NULL;
	utc_time next = UTC_NEVER, now = rig->clock.now;
	assert_ok(desk_report(&ctx, &job, now, &next, &rig_err));
	assert_true(next == now + 15 * 60);
	assert_true(is_there(report_file(rig, "index.html")));

	/* A share that can't be written is told of until it can. */
	assert_int_equal(rmdir(report_file(rig, "mail")), 0);
	rig_write(rig, "report/mail", "a file");
	assert_int_equal(desk_report(&ctx, &job, now, &next, &rig_err), RC_STORE);
	assert_string_equal(fault_fact(rig), "store");
	assert_false(store_in_transaction(rig->office.store));
	assert_int_equal(unlink(report_file(rig, "mail")), 0);
	assert_has(report_page(rig), "要対応：1件");
	assert_ok(desk_report(&ctx, &job, now, &next, &rig_err));
	assert_string_equal(fault_fact(rig), "");
	assert_lacks(report_page(rig), "要対応：");
}

static void test_report__the_desk_may_be_told_not_to(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	utc_time next = UTC_NEVER;
	rig_configure(rig, "report_minutes = 0;\n");
	struct role_context ctx = {.office = rig->office, .settings = rig->settings};
	assert_ok(desk_report(&ctx, &job, rig->clock.now, &next, &rig_err));
	assert_true(next == UTC_NEVER);
	assert_false(is_there(report_file(rig, "index.html")));
	assert_has(report_page(rig), "sengenctl report を実行したときの状況です。");
}

/* ---- the proof ---- */

static const char *proof_of(struct rig *rig, int64_t id, bool text)
{
	struct str out = STR_INIT;
	struct application app = rig_app(rig, id);
	assert_ok((text ? proof_print_text : proof_print)(&rig->office, &app, &out, &rig_err));
	const char *copy = pool_strdup(rig->pool, out.s);
	str_free(&out);
	return copy;
}

static void test_report__proof_names_each_notice(void **state)
{
	struct rig *rig = *state;
	const char *why_ja;
	int64_t id = rig_apply(rig, 1), other = rig_apply(rig, 2), resent = 0;
	rig_run_days(rig, 20);
	assert_ok(office_resend(&rig->office, id, "id", "staff:1000", &resent, &why_ja, rig->pool, &rig_err));
	rig_turn(rig);
	struct rig_notices notices = rig_notices(rig, id);
	assert_int_equal(notices.count, 4);
	for (int text = 0; text < 2; text++) {
		const char *page = proof_of(rig, id, text);
		for (int i = 0; i < notices.count; i++) {
			/* The register's own digest is keyed: on the page stands one that anybody can reckon from the letter. */
			struct str digest = STR_INIT, wire = STR_INIT, dkim = STR_INIT;
			uint8_t reckoned[SHA256_LEN];
			assert_ok(office_letter(&rig->office, notices.item[i].id, &wire, &dkim, &rig_err));
			sha256(reckoned, wire.s, wire.len);
			hex_add(&digest, reckoned, sizeof reckoned);
			assert_has(page, digest.s);
			assert_has(page, notices.item[i].message_id);
			str_free(&digest);
			str_free(&wire);
			str_free(&dkim);
		}
		assert_has(page, "お申込み受付のお知らせ");
		assert_has(page, "自己宣言IDのお知らせ【再送 1回目】");
		assert_has(page, "2026-06-01 10:00:00（250）");
		assert_has(page, pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).declaration_id));
		assert_has(page, "株式会社サンプル1");
		/* a credential, and other cases, are nobody's business */
		assert_lacks(page, pool_printf(rig->pool, "%" PRId64, rig_app(rig, id).user_number));
		assert_lacks(page, "株式会社サンプル2");
		assert_lacks(page, pool_printf(rig->pool, "%" PRId64, rig_app(rig, other).declaration_id));
		assert_lacks(page, "info2@");
	}
	assert_lacks(proof_of(rig, id, false), "<script");
}

static void test_report__proof_says_what_came_back(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_turn(rig);
	struct rig_notices notices = rig_notices(rig, id);
	const struct bounce_row row = {.message_id = mail_for_review(rig, "Undelivered"),
		.notice_id = notices.item[0].id,
		.class_ = BOUNCE_HARD,
		.by_address = true,
		.mail_key = "info1@example.co.jp",
		.at = rig->clock.now + 3600};
	assert_lacks(proof_of(rig, id, true), "不達:");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(bounce_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_has(proof_of(rig, id, true), "不達: 2026-06-01 11:00:00");
	assert_has(proof_of(rig, id, false), "不達：<strong class=\"nowrap\">2026-06-01 11:00:00");
}

static void test_report__proof_leaves_out_what_never_went(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_WITHDRAW, "取下げの電話");
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled");
	assert_has(proof_of(rig, id, true), "この申込みに送った通知メールはありません。");
	assert_lacks(proof_of(rig, id, false), "receipt");
}

static void test_report__proof_takes_hostile_names(void **state)
{
	struct rig *rig = *state;
	int64_t id = apply_for_review(rig, 1, HOSTILE "\xE2\x80\xAE");
	const char *page = proof_of(rig, id, false);
	assert_has(page, HARMLESS "[U+202E]");
	assert_lacks(page, "<script");
	assert_lacks(proof_of(rig, id, true), "\xE2\x80\xAE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_report__##name, rig_setup, rig_teardown)
		TEST(an_empty_office),
		TEST(numbers_are_those_of_the_register),
		TEST(review_says_how_each_is_settled),
		TEST(mails_lie_beside_it_until_they_are_settled),
		TEST(a_link_for_mail_is_not_followed),
		TEST(batches_say_how_they_are_let_go),
		TEST(overdue_says_why),
		TEST(refused_files_lead_to_their_results),
		TEST(long_lists_are_cut_and_say_so),
		TEST(a_fault_leaves_the_page_before),
		TEST(the_desk_writes_it_every_so_often),
		TEST(the_desk_may_be_told_not_to),
		TEST(proof_names_each_notice),
		TEST(proof_says_what_came_back),
		TEST(proof_leaves_out_what_never_went),
		TEST(proof_takes_hostile_names),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
