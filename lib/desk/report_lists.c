/* The report's lists: what a person must look at, and how each is settled. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/desk/report_p.h"

#define REFUSED_DAYS 30

static const char *const level_word[] = {
	[HEALTH_GOOD] = "良好", [HEALTH_WARN] = "注意", [HEALTH_BAD] = "要対応"};
static const char *const level_class[] = {
	[HEALTH_GOOD] = "good", [HEALTH_WARN] = "warn", [HEALTH_BAD] = "bad"};

static const char *business_of(const struct application *app)
{
	const char *name = app->form.value[FIELD_BUSINESS_NAME];
	return name && *name ? name : "（消去済み）";
}

/* "… ほかに N 件あります。" under a list that was cut. */
static void add_rest(struct report *report, int64_t all, int64_t shown, const char *how_to_see)
{
	if (all > shown)
		report_paragraph(report, "",
			pool_printf(report->pool, "ほかに %s 件あります。すべて見るには: %s",
				report_number(report, all - shown), how_to_see));
}

/* ---- what needs a person ---- */

/* Where on the page more is told about a check. */
static const char *place_of(const char *check)
{
	static const struct {
		const char *check, *href;
	} place[] = {{"review", "#review"}, {"late", "#overdue"}};
	for (size_t i = 0; i < sizeof place / sizeof *place; i++)
		if (strcmp(place[i].check, check) == 0)
			return place[i].href;
	return NULL;
}

/* What waits for a decision is worth a word here however fresh it is. */
static enum health_level shown_level(const struct report *report, const struct health_item *item)
{
	int64_t waiting = report->tally.review_applications + report->tally.review_requests;
	if (item->level == HEALTH_GOOD && waiting > 0 && strcmp(item->name, "review") == 0)
		return HEALTH_WARN;
	return item->level;
}

static enum rc add_batch(void *ctx, const struct held_batch *batch, struct err *err)
{
	struct report *report = ctx;
	struct str *out = &report->out;
	(void)err;
	str_addz(out, "<li>");
	html_text(out, pool_printf(report->pool, "%s：%s件、%s から。", batch_reason_name_ja(batch->reason),
			       report_number(report, batch->due), report_time(report, batch->asked_at)));
	if (batch->first_at)
		html_text(out, "1人目の確認は済み、もう1人の確認が要ります。");
	str_printf(out, "<code>sengenctl release --batch %" PRId64 "</code></li>\n", batch->id);
	return RC_OK;
}

/* What waits for a person because of its number, each with how it is let go. */
static enum rc add_batches(struct report *report, struct err *err)
{
	if (report->tally.open_batches == 0)
		return RC_OK;
	str_addz(&report->out, "<ul>\n");
	enum rc rc = held_batch_each_open(report->office->store, add_batch, report, err);
	str_addz(&report->out, "</ul>\n");
	return rc;
}

static enum rc add_checks_of(struct report *report, enum health_level level, struct err *err)
{
	struct str *out = &report->out;
	enum rc rc = RC_OK;
	int count = 0;
	for (int i = 0; i < report->health_count; i++)
		count += shown_level(report, &report->health[i]) == level;
	if (count == 0)
		return RC_OK;
	str_printf(out, "<div class=\"box %s\"><p><strong class=\"%s\">%s：%d件</strong></p>\n<ul>\n",
		level_class[level], level_class[level], level_word[level], count);
	for (int i = 0; i < report->health_count && rc == RC_OK; i++) {
		const struct health_item *item = &report->health[i];
		const char *place = place_of(item->name);
		if (shown_level(report, item) != level)
			continue;
		str_addz(out, "<li>");
		html_text(out, item->text);
		if (place) {
			str_addc(out, ' ');
			html_link(out, place, "一覧を見る");
		}
		if (strcmp(item->name, "hold") == 0)
			rc = add_batches(report, err);
		str_addz(out, "</li>\n");
	}
	str_addz(out, "</ul></div>\n");
	return rc;
}

enum rc report_attention(struct report *report, struct err *err)
{
	struct str *out = &report->out;
	html_section_begin(out, "attention", "対応が必要なこと");
	size_t before = out->len;
	enum rc rc = add_checks_of(report, HEALTH_BAD, err);
	rc = rc ? rc : add_checks_of(report, HEALTH_WARN, err);
	if (out->len == before)
		str_printf(out,
			"<div class=\"box good\"><p><strong class=\"good\">%s：</strong>いま人の対応を待って"
			"いるものはありません。</p></div>\n",
			level_word[HEALTH_GOOD]);
	html_section_end(out);
	return rc;
}

/* ---- all checks ---- */

/* What a check is about, in words; the part behind the colon of its name stays. */
static const char *check_text(struct report *report, const char *name)
{
	static const struct {
		const char *name, *text;
	} check[] = {
		{"role:", "動いているか："},
		{"pause:intake", "受付の停止"},
		{"pause:deciding", "段階の進行の停止"},
		{"pause:sending", "送信の停止"},
		{"pause:reading", "メール受信の停止"},
		{"credential:", "証明書と鍵："},
		{"silence:files", "申込みファイルの途絶え"},
		{"silence:", "途絶え："},
		{"restored", "台帳の由来"},
		{"hold", "まとめて送る前の確認"},
		{"intake", "申込みの受付"},
		{"queue", "送信待ちの長さ"},
		{"outbox", "送信待ちの数"},
		{"unknown", "送れたか不明の通知"},
		{"server", "メールサーバー"},
		{"fetch", "メールの受信"},
		{"late", "通知の期限"},
		{"review", "要確認"},
		{"books", "夜の照合"},
		{"clock", "時計"},
		{"disk-spool", "空き容量（共有フォルダー）"},
		{"disk-state", "空き容量（台帳）"},
		{"report", "このページ"},
	};
	for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
		size_t len = strlen(check[i].name);
		bool kind = check[i].name[len - 1] == ':';
		if (kind ? strncmp(check[i].name, name, len) == 0 : strcmp(check[i].name, name) == 0)
			return pool_printf(report->pool, "%s%s", check[i].text, kind ? name + len : "");
	}
	return name;
}

void report_checks(struct report *report)
{
	static const char *const head[] = {"項目", "結果", "内容", NULL};
	struct str *out = &report->out;
	int good = 0;
	for (int i = 0; i < report->health_count; i++)
		good += report->health[i].level == HEALTH_GOOD;
	html_section_begin(out, "checks", "点検の結果");
	str_printf(out,
		"<p>%d項目のうち %d項目が良好です。</p>\n<details><summary>すべての項目を見る</summary>\n",
		report->health_count, good);
	html_table_begin_stack(out, "sengen が自分で調べたこと", head, 0);
	for (int i = 0; i < report->health_count; i++) {
		const struct health_item *item = &report->health[i];
		html_row_begin(out);
		html_cell_begin(out, head, 0, 0);
		html_text(out, check_text(report, item->name));
		html_cell_end(out, 0);
		html_cell_begin(out, head, 1, 0);
		str_printf(out, "<span class=\"nowrap %s\">%s</span>", level_class[item->level],
			level_word[item->level]);
		html_cell_end(out, 1);
		html_cell_begin(out, head, 2, 0);
		html_text(out, item->text);
		html_cell_end(out, 2);
		html_row_end(out);
	}
	html_table_end(out);
	str_addz(out, "</details>\n");
	html_section_end(out);
}

/* ---- cells ---- */

struct cells {
	struct report *report;
	const char *const *head;
	int column;
	unsigned numeric;
};

static struct cells row_begin(struct report *report, const char *const *head, unsigned numeric)
{
	html_row_begin(&report->out);
	return (struct cells){.report = report, .head = head, .numeric = numeric};
}

static struct str *cell_begin(struct cells *cells)
{
	html_cell_begin(&cells->report->out, cells->head, cells->column, cells->numeric);
	return &cells->report->out;
}

static void cell_end(struct cells *cells)
{
	html_cell_end(&cells->report->out, cells->column++);
}

static void cell_text(struct cells *cells, const char *text)
{
	html_text(cell_begin(cells), text);
	cell_end(cells);
}

/* A moment, and how long ago that was. */
static void cell_time(struct cells *cells, utc_time at)
{
	str_printf(cell_begin(cells),
		"<span class=\"nowrap\">%s</span> <span class=\"nowrap quiet\">%s</span>",
		report_time(cells->report, at), report_age(cells->report, at));
	cell_end(cells);
}

/* One word, kept together. */
static void cell_word(struct cells *cells, const char *word)
{
	str_addz(cell_begin(cells), "<span class=\"nowrap\">");
	html_text(&cells->report->out, word);
	str_addz(&cells->report->out, "</span>");
	cell_end(cells);
}

/* A sentence, given room. */
static void cell_sentence(struct cells *cells, const char *text)
{
	str_addz(cell_begin(cells), "<div class=\"wide\">");
	html_text(&cells->report->out, report_masked(cells->report, text));
	str_addz(&cells->report->out, "</div>");
	cell_end(cells);
}

static void cell_number(struct cells *cells, int64_t number)
{
	cell_text(cells, pool_printf(cells->report->pool, "%" PRId64, number));
}

/* ---- review: applications ---- */

struct way {
	const char *what; /* "続ける" */
	const char *command; /* sengenctl … */
	const char *row; /* of a decision file; NULL: there is none */
};

/* How a case is settled, folded away until it is wanted. */
static void cell_ways(struct cells *cells, const char *what, int64_t id, const struct way *way, int count)
{
	struct str *out = cell_begin(cells);
	str_printf(out,
		"<details><summary>対応<span class=\"unseen\">（%s%" PRId64 "）</span></summary>\n<ul>\n",
		what, id);
	for (int i = 0; i < count; i++) {
		str_addz(out, "<li>");
		html_text(out, way[i].what);
		str_addz(out, "：<code>");
		html_text(out, way[i].command);
		str_addz(out, "</code>");
		if (way[i].row) {
			str_addz(out, "<br>ファイルなら <code>");
			html_text(out, way[i].row);
			str_addz(out, "</code>");
		}
		str_addz(out, "</li>\n");
	}
	str_addz(out, "</ul></details>");
	cell_end(cells);
}

static const char *const review_head[] = {"申込番号", "事業者", "状態", "受付", "理由", "対応", NULL};

static enum rc add_review_application(void *ctx, const struct application *app, struct err *err)
{
	struct report *report = ctx;
	struct pool *pool = report->pool;
	struct cells cells = row_begin(report, review_head, 0);
	(void)err;
	const struct way way[] = {
		{"調べる", pool_printf(pool, "sengenctl why %" PRId64, app->id), NULL},
		{"続ける", pool_printf(pool, "sengenctl approve %" PRId64 " 理由", app->id),
			pool_printf(pool, "%" PRId64 ",許可,理由", app->id)},
		{"断る", pool_printf(pool, "sengenctl reject %" PRId64 " 理由", app->id),
			pool_printf(pool, "%" PRId64 ",却下,理由", app->id)},
	};
	cell_number(&cells, app->id);
	cell_text(&cells, business_of(app));
	cell_word(&cells, state_name_ja(app->state));
	cell_time(&cells, app->received_at);
	cell_sentence(&cells, app->hold_reason);
	cell_ways(&cells, "申込み", app->id, way, (int)(sizeof way / sizeof *way));
	html_row_end(&report->out);
	return RC_OK;
}

static enum rc add_review_applications(struct report *report, struct err *err)
{
	const struct application_filter filter = {
		.hold = HOLD_REVIEW, .live_only = true, .limit = REPORT_ROWS};
	int64_t all = report->tally.review_applications;
	enum rc rc = RC_OK;
	str_addz(&report->out, "<h3 id=\"review-applications\">申込み</h3>\n");
	if (all == 0) {
		report_paragraph(report, "", "要確認の申込みはありません。");
		return RC_OK;
	}
	html_table_begin_stack(&report->out, "要確認の申込み（古い順）", review_head, 0);
	rc = application_each(report->office->store, &filter, true, add_review_application, report, err);
	html_table_end(&report->out);
	add_rest(report, all, REPORT_ROWS, "sengenctl list --review");
	return rc;
}

/* ---- review: requests by mail ---- */

static const char *const request_head[] = {
	"依頼番号", "種類", "差出人と件名", "申込み", "受信", "確かめること", "対応", NULL};

/* Writes the mail beside the page. "" when it was erased or can't be read any more: the page must still come. */
static enum rc put_mail(struct report *report, int64_t message_id, const char **href, struct err *err)
{
	struct str raw = STR_INIT;
	struct stat st;
	const char *name = pool_printf(report->pool, "%" PRId64 ".eml", message_id);
	*href = "";
	/* What was written once is whole and does not change. */
	bool there = fstatat(report->mail, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
		     st.st_size > 0;
	enum rc rc = there ? RC_OK : message_raw(report->office->store, message_id, &raw, err);
	if (!there && rc == RC_OK && raw.len > 0) {
		rc = file_write_at(report->mail, name, raw.s, raw.len, 0640, err);
		there = rc == RC_OK;
	}
	if (there) {
		strlist_add(&report->mails, name);
		*href = pool_printf(report->pool, "mail/%s", name);
	}
	str_free(&raw);
	return rc;
}

static enum rc reading_of(
	struct report *report, int64_t message_id, struct received *out, bool *there, struct err *err)
{
	struct str json = STR_INIT;
	struct err why;
	*there = false;
	enum rc rc = message_reading(report->office->store, message_id, &json, err);
	if (rc == RC_OK && json.len > 0)
		*there = received_load(out, json.s, json.len, report->pool, &why) == RC_OK;
	str_free(&json);
	return rc;
}

/* Who wrote what, as a link to the mail. */
static enum rc cell_mail(struct cells *cells, int64_t message_id, struct err *err)
{
	struct report *report = cells->report;
	struct received received;
	bool there;
	const char *href;
	enum rc rc = reading_of(report, message_id, &received, &there, err);
	rc = rc ? rc : put_mail(report, message_id, &href, err);
	if (rc != RC_OK)
		return rc;
	struct str *out = cell_begin(cells);
	str_addz(out, "<div class=\"wide\">");
	html_text(out, there && *received.from ? received.from : "（差出人不明）");
	str_addz(out, "<br>");
	const char *subject = there ? report_masked(report, received.subject) : "";
	html_link(out, href, *subject ? subject : "（件名なし）");
	str_addz(out, "</div>");
	cell_end(cells);
	return RC_OK;
}

static enum rc cell_application(struct cells *cells, int64_t id, struct err *err)
{
	struct report *report = cells->report;
	struct application app;
	if (!id) {
		cell_text(cells, "特定できません");
		return RC_OK;
	}
	enum rc rc = application_get(report->office->store, id, &app, report->pool, err);
	if (rc == RC_OK)
		cell_text(cells, pool_printf(report->pool, "%" PRId64 " %s", id, business_of(&app)));
	return rc;
}

static void cell_request_ways(struct cells *cells, const struct request *request)
{
	struct pool *pool = cells->report->pool;
	struct way way[4];
	int count = 0;
	long long id = (long long)request->id;
	/* Who is meant must be said where nobody was found: in the column 申込番号, or the option. */
	bool known = request->application_id != 0;
	const char *about = known ? "" : " --application 申込番号", *row = known ? "" : "申込番号";
	way[count++] = (struct way){"調べる", pool_printf(pool, "sengenctl review show %lld", id), NULL};
	if (request->kind != REQUEST_OTHER)
		way[count++] = (struct way){"行う",
			pool_printf(pool, "sengenctl review resolve %lld carry-out%s", id, about),
			pool_printf(pool, "%lld,%s,依頼を実行,理由", id, row)};
	if (request->kind == REQUEST_STOP || request->kind == REQUEST_CHANGE)
		way[count++] = (struct way){"本人に確かめる",
			pool_printf(pool, "sengenctl review resolve %lld ask%s", id, about),
			pool_printf(pool, "%lld,%s,依頼を本人に確認,理由", id, row)};
	way[count++] = (struct way){"何もせず終える",
		pool_printf(pool, "sengenctl review resolve %lld close --reason 理由", id),
		pool_printf(pool, "%lld,,依頼を終了,理由", id)};
	cell_ways(cells, "依頼", request->id, way, count);
}

static enum rc add_review_request(void *ctx, const struct request *request, struct err *err)
{
	struct report *report = ctx;
	struct cells cells = row_begin(report, request_head, 0);
	cell_number(&cells, request->id);
	cell_text(&cells, request_kind_name_ja(request->kind));
	enum rc rc = cell_mail(&cells, request->message_id, err);
	rc = rc ? rc : cell_application(&cells, request->application_id, err);
	if (rc != RC_OK)
		return rc;
	cell_time(&cells, request->opened_at);
	cell_sentence(&cells, request->note);
	cell_request_ways(&cells, request);
	html_row_end(&report->out);
	return RC_OK;
}

static enum rc add_review_requests(struct report *report, struct err *err)
{
	const struct request_filter filter = {
		.state = REQUEST_STATE_REVIEW, .open_only = true, .any_kind = true, .limit = REPORT_ROWS};
	int64_t all = report->tally.review_requests;
	str_addz(&report->out, "<h3 id=\"review-requests\">メールで届いた依頼</h3>\n");
	if (all == 0) {
		report_paragraph(report, "", "要確認の依頼はありません。");
		return RC_OK;
	}
	html_table_begin_stack(
		&report->out, "要確認の依頼（古い順。件名からメールが開きます）", request_head, 0);
	enum rc rc = request_each(report->office->store, &filter, add_review_request, report, err);
	html_table_end(&report->out);
	add_rest(report, all, REPORT_ROWS, "sengenctl review list");
	return rc;
}

enum rc report_review(struct report *report, struct err *err)
{
	html_section_begin(&report->out, "review", "要確認");
	if (report->tally.review_applications + report->tally.review_requests > 0)
		str_addz(&report->out, "<p>"
				       "「対応」を開くと、コマンドと、判断のファイルに書く行が出ます。ファイ"
				       "ルで行うときは、1行目を"
				       "申込みは <code>申込番号,処理,理由</code>、依頼は "
				       "<code>依頼番号,申込番号,処理,理由</code> とし、"
				       "その下に行を書いて <code>incoming</code> に置きます。</p>\n");
	enum rc rc = add_review_applications(report, err);
	rc = rc ? rc : add_review_requests(report, err);
	html_section_end(&report->out);
	return rc;
}

/* ---- past their latest day ---- */

static const char *const overdue_head[] = {"申込番号", "事業者", "状態", "期限", "送られていないわけ", NULL};

static enum rc add_overdue(void *ctx, const struct application *app, struct err *err)
{
	struct report *report = ctx;
	struct str why = STR_INIT;
	struct due due;
	struct cells cells = row_begin(report, overdue_head, 0);
	enum rc rc = office_why(report->office, app, &why, &due, err);
	/* Its first line says what it waits for; the rest is there under sengenctl why. */
	str_cut(&why, strcspn(why.s, "\n"));
	cell_number(&cells, app->id);
	cell_text(&cells, business_of(app));
	cell_word(&cells, state_name_ja(app->state));
	cell_time(&cells, app->latest_at);
	cell_sentence(&cells, why.s);
	html_row_end(&report->out);
	str_free(&why);
	return rc;
}

enum rc report_overdue(struct report *report, struct err *err)
{
	const struct application_filter filter = {
		.hold = -1, .live_only = true, .overdue_at = report->now, .limit = REPORT_ROWS};
	enum rc rc = RC_OK;
	html_section_begin(&report->out, "overdue", "期限を過ぎた通知");
	if (report->tally.overdue > 0) {
		html_table_begin_stack(&report->out, "期限を過ぎても送られていない通知", overdue_head, 0);
		rc = application_each(report->office->store, &filter, true, add_overdue, report, err);
		html_table_end(&report->out);
		report_paragraph(report, "", "くわしくは sengenctl why 申込番号 で分かります。");
		add_rest(report, report->tally.overdue, REPORT_ROWS, "sengenctl list --overdue");
	} else {
		report_paragraph(report, "", "期限を過ぎた通知はありません。");
	}
	html_section_end(&report->out);
	return rc;
}

/* ---- refused files ---- */

struct refused_files {
	struct report *report;
	struct spool_file file[REPORT_ROWS]; /* the newest, as a ring */
	int64_t count;
};

static bool was_refused(const struct spool_file *file)
{
	return file->state == FILE_DONE && (file->refused > 0 || str_has_prefix(file->archive, "rejected/"));
}

static enum rc take_refused(void *ctx, const struct spool_file *file, struct err *err)
{
	struct refused_files *files = ctx;
	(void)err;
	if (!was_refused(file))
		return RC_OK;
	struct spool_file *copy = &files->file[files->count++ % REPORT_ROWS];
	*copy = *file;
	copy->name = pool_strdup(files->report->pool, file->name);
	copy->archive = pool_strdup(files->report->pool, file->archive);
	return RC_OK;
}

/* A link to a file beside the archived original, where it is there and the spool can be reached. */
static void add_result_link(struct report *report, const char *archive, const char *ending, const char *text)
{
	struct str path = STR_INIT, href = STR_INIT;
	struct str *out = &report->out;
	path_join(&path, report->office->settings->spool_directory, archive);
	str_addz(&path, ending);
	if (access(path.s, F_OK) == 0) {
		str_addz(out, "<div>");
		if (report->spool_url) {
			str_addz(&href, report->spool_url);
			html_url_path(&href, archive);
			html_url_path(&href, ending);
			html_link(out, href.s, text);
		} else {
			html_text(out, text);
			str_addz(out, " ");
			html_text(out, path.s + strlen(report->office->settings->spool_directory) + 1);
		}
		str_addz(out, "</div>");
	}
	str_free(&path);
	str_free(&href);
}

static void add_refused(
	struct report *report, const struct spool_file *file, const char *const *head, unsigned numeric)
{
	struct cells cells = row_begin(report, head, numeric);
	cell_text(&cells, file->name);
	cell_time(&cells, file->taken_at);
	cell_text(&cells, report_number(report, file->accepted + file->review + file->same + file->decided));
	cell_text(&cells, report_number(report, file->refused));
	(void)cell_begin(&cells);
	add_result_link(report, file->archive, "_結果.txt", "結果");
	add_result_link(report, file->archive, "_要修正.csv", "要修正の行（直して置き直す）");
	cell_end(&cells);
	html_row_end(&report->out);
}

enum rc report_files(struct report *report, struct err *err)
{
	static const char *const head[] = {
		"ファイル", "受け取った日時", "処理した行", "受け付けられない行", "結果", NULL};
	const unsigned numeric = 1u << 2 | 1u << 3;
	struct refused_files *files = pool_alloc(report->pool, sizeof *files);
	utc_time from = civil_moment(report->tally.today - REFUSED_DAYS, 0);
	files->report = report;
	enum rc rc = file_each(report->office->store, from, UTC_NEVER, take_refused, files, err);
	html_section_begin(&report->out, "files", "受け付けられなかったファイル");
	if (files->count == 0) {
		report_paragraph(report, "",
			pool_printf(report->pool,
				"%d日のあいだに、受け付けられない行のあったファイルはありません。",
				REFUSED_DAYS));
	} else {
		int64_t shown = files->count < REPORT_ROWS ? files->count : REPORT_ROWS;
		html_table_begin_stack(&report->out,
			pool_printf(report->pool,
				"%d日のあいだに、受け付けられない行のあったファイル（新しい順）",
				REFUSED_DAYS),
			head, numeric);
		for (int64_t i = 0; i < shown; i++)
			add_refused(
				report, &files->file[(files->count - 1 - i) % REPORT_ROWS], head, numeric);
		html_table_end(&report->out);
		add_rest(report, files->count, shown, "spool の accepted と rejected の中の _結果.txt");
	}
	html_section_end(&report->out);
	return rc;
}
