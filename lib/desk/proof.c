/* What was sent to one declaration and when: a page, or a text, to hand in. Both are made from the same rows. */
#include <inttypes.h>
#include <string.h>

#include "lib/base/i18n.h"
#include "lib/base/text.h"
#include "lib/desk/html.h"
#include "lib/desk/report.h"
#include "lib/flow/ident.h"

#define ITEMS_MAX 16

struct proof_item {
	const char *name, *value;
};

struct proof_notice {
	const char *name; /* with 再送 */
	int64_t id;
	const char *state, *queued, *sent, *accepted, *returned; /* returned: "" */
	const char *recipient, *message_id, *digest;
	struct proof_notice *next;
};

struct proof_page {
	struct office *office;
	struct pool *pool;
	const char *title;
	struct proof_item item[ITEMS_MAX];
	int item_count;
	struct proof_notice *notice, **last;
	int notice_count;
	const char *zone, *made_at, *head; /* when the proof was made, and the history's last row then */
};

static const char meaning_accepted[] = "「受領」は、宛先のメールサーバーがそのメールを受け取り、記載の応答コ"
				       "ードを返した日時です（250は受領を表します）。";
#define DIGEST_SEALED "（封印された値を含むため、鍵を読める管理者だけが表示できます）"
#define DIGEST_GONE "（原本は保存期間を過ぎたか、読み取れません）"
static const char meaning_digest[] = "「原本のSHA-256」は、送ったメールの全文（電子署名の DKIM-Signature "
				     "ヘッダーを除く）のダイジェストです。"
				     "事務局が保管する原本と照合できます。「履歴の末尾」は、この記録の元にな"
				     "った台帳の履歴を後から確かめるための値です。";

/* ---- gathering ---- */

static const char *taken(struct proof_page *page, struct str *text)
{
	const char *copy = pool_strdup(page->pool, text->s);
	str_free(text);
	return copy;
}

static const char *day_text(struct proof_page *page, civil_day day)
{
	struct str text = STR_INIT;
	if (day != CIVIL_DAY_NONE)
		civil_day_print_ja(&text, day);
	return taken(page, &text);
}

static const char *time_text(struct proof_page *page, utc_time at)
{
	struct str text = STR_INIT;
	if (at == 0 || at == UTC_NEVER)
		return "-";
	civil_time_print(&text, at);
	str_printf(&text, ":%02d", (int)(at % 60));
	return taken(page, &text);
}

/* Nothing is said of what is not known. */
static void add_item(struct proof_page *page, const char *name, const char *value)
{
	if (value && *value && page->item_count < ITEMS_MAX)
		page->item[page->item_count++] = (struct proof_item){name, value};
}

static void add_application(struct proof_page *page, const struct application *app)
{
	struct pool *pool = page->pool;
	const char *const *value = app->form.value;
	struct str masked = STR_INIT;
	if (app->declaration_id)
		add_item(page, "自己宣言ID", pool_printf(pool, "%" PRId64, app->declaration_id));
	if (app->user_number)
		ident_print_masked(&masked, app->user_number);
	add_item(page, "利用者番号", taken(page, &masked));
	add_item(page, "事業者名", value[FIELD_BUSINESS_NAME]);
	if (value[FIELD_FAMILY_NAME])
		add_item(page, "代表者",
			pool_printf(pool, "%s %s", value[FIELD_FAMILY_NAME],
				value[FIELD_GIVEN_NAME] ? value[FIELD_GIVEN_NAME] : ""));
	add_item(page, "法人番号", value[FIELD_CORPORATE_NUMBER]);
	if (value[FIELD_PREFECTURE])
		add_item(page, "所在地",
			pool_printf(pool, "%s%s", value[FIELD_PREFECTURE],
				value[FIELD_ADDRESS] ? value[FIELD_ADDRESS] : ""));
	add_item(page, "宣言の段階", app->star == 2 ? "★★ 二つ星" : "★ 一つ星");
	add_item(page, "申込番号", pool_printf(pool, "%" PRId64, app->id));
	add_item(page, "お申込日", day_text(page, app->applied_on));
	add_item(page, "受付", time_text(page, app->received_at));
	add_item(page, "自己宣言IDの発行", day_text(page, app->id_issued_on));
	add_item(page, "ロゴマーク使用許諾", day_text(page, app->logo_authorized_on));
	add_item(page, "使用中止", day_text(page, app->stopped_on));
	add_item(page, "いまの状態", state_name_ja(app->state));
}

static const char *notice_name(struct proof_page *page, const struct notice *notice)
{
	const char *name = office_notice_text(notice->template_name);
	if (notice->resend_of)
		return pool_printf(page->pool, "%s【再送 %d回目】", name, notice->resend_no);
	if (notice->resend_no)
		return pool_printf(page->pool, "%s（作り直して送信 %d回目）", name, notice->resend_no);
	return pool_strdup(page->pool, name);
}

static bool is_answer(const char *template_name)
{
	for (const char *const *name = answer_template; *name; name++)
		if (strcmp(*name, template_name) == 0)
			return true;
	return false;
}

/* Reckoned from the letter, which the register keeps sealed where it holds a user number or password. */
static const char *original_digest(struct proof_page *page, int64_t notice_id)
{
	struct str wire = STR_INIT, dkim = STR_INIT, text = STR_INIT;
	struct err why = {0};
	uint8_t digest[SHA256_LEN];
	enum rc rc = office_letter(page->office, notice_id, &wire, &dkim, &why);
	sha256(digest, wire.s, wire.len);
	if (rc == RC_OK)
		hex_add(&text, digest, sizeof digest);
	else
		str_addz(&text, rc == RC_CONFIG ? DIGEST_SEALED : DIGEST_GONE);
	str_wipe(&wire);
	str_free(&dkim);
	return taken(page, &text);
}

static enum rc add_notice(void *ctx, const struct notice *notice, struct err *err)
{
	struct proof_page *page = ctx;
	struct pool *pool = page->pool;
	(void)err;
	/* What was never to go out proves nothing, and what a mail was answered with is no notice of the declaration. */
	if (notice->state == OUTBOX_CANCELLED || is_answer(notice->template_name))
		return RC_OK;
	struct proof_notice *row = pool_alloc(pool, sizeof *row);
	*row = (struct proof_notice){.id = notice->id,
		.name = notice_name(page, notice),
		.state = outbox_state_name_ja(notice->state),
		.queued = time_text(page, notice->queued_at),
		.sent = time_text(page, notice->first_try_at),
		.accepted = time_text(page, notice->accepted_at),
		.returned = "",
		.recipient = pool_strdup(pool, notice->recipient),
		.message_id = pool_printf(pool, "<%s>", notice->message_id),
		.digest = original_digest(page, notice->id)};
	if (notice->reply_code)
		row->accepted = pool_printf(pool, "%s（%d）", row->accepted, notice->reply_code);
	*page->last = row;
	page->last = &row->next;
	page->notice_count++;
	return RC_OK;
}

/* The first report that a notice came back. */
static enum rc add_bounce(void *ctx, const struct bounce_row *row, struct err *err)
{
	struct proof_page *page = ctx;
	(void)err;
	for (struct proof_notice *notice = page->notice; notice; notice = notice->next)
		if (notice->id == row->notice_id && !*notice->returned)
			notice->returned = time_text(page, row->at);
	return RC_OK;
}

static enum rc add_head(struct proof_page *page, struct err *err)
{
	uint8_t hash[SHA256_LEN];
	int64_t seq;
	struct str text = STR_INIT;
	enum rc rc = history_head(page->office->store, &seq, hash, err);
	if (rc != RC_OK)
		return rc;
	str_printf(&text, "%" PRId64 " ", seq);
	hex_add(&text, hash, sizeof hash);
	page->head = taken(page, &text);
	return RC_OK;
}

static enum rc gather(
	struct proof_page *page, struct office *office, const struct application *app, struct err *err)
{
	*page = (struct proof_page){.office = office, .pool = pool_new(), .title = "通知メールの送信記録"};
	page->last = &page->notice;
	page->zone =
		strcmp(office->settings->zone, "Asia/Tokyo") == 0 ? "日本標準時" : office->settings->zone;
	page->made_at = time_text(page, clock_now(office->clock));
	add_application(page, app);
	enum rc rc = outbox_each(office->store, app->id, add_notice, page, err);
	rc = rc ? rc : bounce_each(office->store, app->id, add_bounce, page, err);
	return rc ? rc : add_head(page, err);
}

/* ---- as a page ---- */

/* One sheet for a declaration with its three notices and a resend or two. */
static const char proof_style[] =
	".facts { display: grid; grid-template-columns: max-content 1fr max-content 1fr; gap: .1rem 1rem; "
	"border: 1px solid var(--line); "
	"background: var(--sheet); padding: .6rem .9rem; }\n"
	".facts dt { color: var(--quiet); }\n.facts dd { margin: 0; font-weight: bold; }\n"
	".notice { margin: .6rem 0; border: 1px solid var(--line); background: var(--sheet); padding: .4rem "
	".9rem; break-inside: avoid; }\n"
	".notice h3 { margin: .2rem 0; }\ndl.notice, .notice dl { display: grid; grid-template-columns: "
	"max-content "
	"1fr; gap: 0 1rem; }\n"
	".notice dt { color: var(--quiet); }\n.notice dd { margin: 0; }\n"
	".moments { display: flex; flex-wrap: wrap; gap: 0 1.2rem; margin: .1rem 0; }\n"
	".made { text-align: right; }\n"
	"@media (max-width: 40rem) {\n\t.facts { grid-template-columns: max-content 1fr; }\n}\n"
	"@media print {\n\tbody { font-size: 8.5pt; line-height: 1.4; }\n\th1 { font-size: 15pt; "
	"margin-bottom: .3rem; }\n"
	"\th2 { margin: .7rem 0 .3rem; font-size: 11pt; }\n\th3 { font-size: 9.5pt; }\n\t.notice, .facts { "
	"padding: .2rem .6rem; margin: .3rem 0; }\n"
	"\t.facts { grid-template-columns: max-content 1fr max-content 1fr; }\n\tp { margin: .2rem 0; "
	"}\n\tfooter { display: none; }\n}\n";

static void add_pair(struct str *out, const char *name, const char *value, bool code)
{
	str_addz(out, "<dt>");
	html_text(out, name);
	str_addz(out, code ? "</dt><dd><code>" : "</dt><dd>");
	html_text(out, value);
	str_addz(out, code ? "</code></dd>\n" : "</dd>\n");
}

static void add_moment(struct str *out, const char *name, const char *value)
{
	str_addz(out, "<span>");
	html_text(out, name);
	str_addz(out, "：<strong class=\"nowrap\">");
	html_text(out, value);
	str_addz(out, "</strong></span>\n");
}

static void add_notice_html(struct str *out, const struct proof_notice *notice)
{
	str_addz(out, "<article class=\"notice\">\n<h3>");
	html_text(out, notice->name);
	str_addz(out, "</h3>\n<p class=\"moments\">\n");
	add_moment(out, "状態", notice->state);
	add_moment(out, "作成", notice->queued);
	add_moment(out, "送信", notice->sent);
	add_moment(out, "受領", notice->accepted);
	if (*notice->returned)
		add_moment(out, "不達", notice->returned);
	str_addz(out, "</p>\n<dl>\n");
	add_pair(out, "宛先", notice->recipient, false);
	add_pair(out, "Message-ID", notice->message_id, true);
	add_pair(out, "原本のSHA-256", notice->digest, true);
	str_addz(out, "</dl>\n</article>\n");
}

static void add_paragraph(struct str *out, const char *class, const char *text)
{
	str_printf(out, "<p class=\"%s\">", class);
	html_text(out, text);
	str_addz(out, "</p>\n");
}

static void print_html(const struct proof_page *page, struct str *out)
{
	const struct settings *settings = page->office->settings;
	const struct html_page html = {.title = page->title, .lang = "ja", .style = proof_style};
	html_begin(out, &html);
	add_paragraph(
		out, "made", pool_printf(page->pool, "%s　%s 作成", settings->office_name, page->made_at));
	html_section_begin(out, "declaration", "自己宣言");
	str_addz(out, "<dl class=\"facts\">\n");
	for (int i = 0; i < page->item_count; i++)
		add_pair(out, page->item[i].name, page->item[i].value, false);
	str_addz(out, "</dl>\n");
	html_section_end(out);
	html_section_begin(out, "notices", "送った通知メール");
	for (const struct proof_notice *notice = page->notice; notice; notice = notice->next)
		add_notice_html(out, notice);
	if (page->notice_count == 0)
		add_paragraph(out, "", "この申込みに送った通知メールはありません。");
	html_section_end(out);
	html_section_begin(out, "meaning", "この記録について");
	add_paragraph(out, "", meaning_accepted);
	add_paragraph(out, "", meaning_digest);
	str_addz(out, "<dl class=\"notice\">\n");
	add_pair(out, "履歴の末尾", page->head, true);
	add_pair(out, "時刻", page->zone, false);
	add_pair(out, "連絡先", settings->contact_mail, false);
	str_addz(out, "</dl>\n");
	html_section_end(out);
	html_end(out, &html, NULL);
}

enum rc proof_print(struct office *office, const struct application *app, struct str *out, struct err *err)
{
	struct i18n_staff staff;
	struct proof_page page;
	i18n_staff_begin(&staff);
	enum rc rc = gather(&page, office, app, err);
	if (rc == RC_OK)
		print_html(&page, out);
	i18n_staff_end(&staff);
	pool_free(&page.pool);
	return rc;
}

/* ---- as text ---- */

static void add_line(struct str *out, const char *indent, const char *name, const char *value)
{
	str_printf(out, "%s%s: ", indent, name);
	text_add_printable(out, value);
	str_addc(out, '\n');
}

static void print_text(const struct proof_page *page, struct str *out)
{
	const struct settings *settings = page->office->settings;
	int number = 0;
	str_printf(out, "%s\n%s  %s 作成\n\n", page->title, settings->office_name, page->made_at);
	for (int i = 0; i < page->item_count; i++)
		add_line(out, "", page->item[i].name, page->item[i].value);
	for (const struct proof_notice *notice = page->notice; notice; notice = notice->next) {
		str_printf(out, "\n%d. %s\n", ++number, notice->name);
		add_line(out, "   ", "状態", notice->state);
		add_line(out, "   ", "作成", notice->queued);
		add_line(out, "   ", "送信", notice->sent);
		add_line(out, "   ", "受領", notice->accepted);
		if (*notice->returned)
			add_line(out, "   ", "不達", notice->returned);
		add_line(out, "   ", "宛先", notice->recipient);
		add_line(out, "   ", "Message-ID", notice->message_id);
		add_line(out, "   ", "原本のSHA-256", notice->digest);
	}
	if (page->notice_count == 0)
		str_addz(out, "\nこの申込みに送った通知メールはありません。\n");
	str_printf(out, "\n%s\n%s\n", meaning_accepted, meaning_digest);
	add_line(out, "", "履歴の末尾", page->head);
	add_line(out, "", "時刻", page->zone);
	add_line(out, "", "連絡先", settings->contact_mail);
}

enum rc proof_print_text(
	struct office *office, const struct application *app, struct str *out, struct err *err)
{
	struct i18n_staff staff;
	struct proof_page page;
	i18n_staff_begin(&staff);
	enum rc rc = gather(&page, office, app, err);
	if (rc == RC_OK)
		print_text(&page, out);
	i18n_staff_end(&staff);
	pool_free(&page.pool);
	return rc;
}
