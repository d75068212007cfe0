/*
 * digest.c - the morning digest: what needs a person first, then what happened, then what today brings
 *
 * Text and HTML are written side by side, line by line. The HTML is for mail programs: no style sheet, since Outlook knows few of them.
 */
#include "lib/desk/digest.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/i18n.h"
#include "lib/base/log.h"
#include "lib/desk/html.h"
#include "lib/desk/report.h"
#include "lib/office/office.h"

#define LISTED_MAX 20 /* of a kind; the rest is in the report */
#define DAYS_MAX 40 /* since the last digest */

struct digest {
	struct office *office;
	const struct settings *settings;
	const struct tally *tally;
	struct pool *pool;
	struct str *text, *html;
	civil_day from, until; /* what is told of, both included */
	const char *share; /* with its last slash; NULL: no links */
	const char *report; /* the report's address; NULL: no way leads there */
	bool in_list;
	int listed;
	int64_t rest; /* files beyond LISTED_MAX */
	int trouble; /* points that need a person */
};

/* ---- lines, twice ---- */

static void list_end(struct digest *digest)
{
	if (digest->in_list)
		str_addz(digest->html, "</ul>\n");
	digest->in_list = false;
}

static void heading(struct digest *digest, const char *title)
{
	list_end(digest);
	str_printf(digest->text, "\n■ %s\n", title);
	str_addz(digest->html, "<h2 style=\"font-size:1.1em;margin:1.2em 0 .3em\">");
	html_text(digest->html, title);
	str_addz(digest->html, "</h2>\n");
}

/* A point; href NULL: without a link. */
static void point(struct digest *digest, const char *text, const char *href, const char *link)
{
	if (!digest->in_list)
		str_addz(digest->html, "<ul>\n");
	digest->in_list = true;
	str_printf(digest->text, "・%s\n", text);
	str_addz(digest->html, "<li>");
	html_text(digest->html, text);
	if (href) {
		str_printf(digest->text, "　%s\n", href);
		str_addz(digest->html, " ");
		html_link(digest->html, href, link);
	}
	str_addz(digest->html, "</li>\n");
}

static void paragraph(struct digest *digest, const char *text)
{
	list_end(digest);
	str_printf(digest->text, "%s\n", text);
	str_addz(digest->html, "<p>");
	html_text(digest->html, text);
	str_addz(digest->html, "</p>\n");
}

static const char *day_text(struct digest *digest, civil_day day)
{
	struct str text = STR_INIT;
	civil_day_print_ja(&text, day);
	const char *copy = pool_strdup(digest->pool, text.s);
	str_free(&text);
	return copy;
}

static const char *time_text(struct digest *digest, utc_time at)
{
	struct str text = STR_INIT;
	civil_time_print(&text, at);
	const char *copy = pool_strdup(digest->pool, text.s);
	str_free(&text);
	return copy;
}

/* ---- links ---- */

static const char *share_of(const struct settings *settings, struct pool *pool)
{
	if (!settings->share_url)
		return NULL;
	return pool_printf(
		pool, "%s%s", settings->share_url, str_has_suffix(settings->share_url, "/") ? "" : "/");
}

/* A file below the spool; NULL: there is no way, or no such file. */
static const char *link_to(struct digest *digest, const char *path, const char *ending)
{
	struct str file = STR_INIT, href = STR_INIT;
	const char *out = NULL;
	path_join(&file, digest->settings->spool_directory, path);
	str_addz(&file, ending);
	if (digest->share && access(file.s, F_OK) == 0) {
		str_addz(&href, digest->share);
		html_url_path(&href, path);
		html_url_path(&href, ending);
		out = pool_strdup(digest->pool, href.s);
	}
	str_free(&file);
	str_free(&href);
	return out;
}

/* The report's directory as seen from the share: only one that lies below the spool is. It may be written a little later than the digest. */
static const char *report_of(struct digest *digest)
{
	struct str directory = STR_INIT, href = STR_INIT;
	const char *out = NULL;
	size_t spool = strlen(digest->settings->spool_directory);
	report_directory(&directory, digest->settings);
	if (digest->share && digest->settings->report_minutes > 0 &&
		strncmp(directory.s, digest->settings->spool_directory, spool) == 0 &&
		directory.s[spool] == '/') {
		str_addz(&href, digest->share);
		html_url_path(&href, directory.s + spool + 1);
		str_addz(&href, "/");
		out = pool_strdup(digest->pool, href.s);
	}
	str_free(&directory);
	str_free(&href);
	return out;
}

/* Below the report's directory, whose files come and go with it. */
static const char *in_report(struct digest *digest, const char *what)
{
	return digest->report ? pool_printf(digest->pool, "%s%s", digest->report, what) : NULL;
}

/* ---- what needs a person ---- */

static enum rc take_check(void *ctx, const struct health_item *item, struct err *err)
{
	struct digest *digest = ctx;
	(void)err;
	if (item->level == HEALTH_GOOD)
		return RC_OK;
	const char *place = strcmp(item->name, "review") == 0 ? "index.html#review"
			    : strcmp(item->name, "late") == 0 ? "index.html#overdue"
							      : "index.html#checks";
	digest->trouble++;
	point(digest,
		pool_printf(
			digest->pool, "【%s】%s", item->level == HEALTH_BAD ? "要対応" : "注意", item->text),
		in_report(digest, place), "レポートで見る");
	return RC_OK;
}

static enum rc list_review(void *ctx, const struct application *app, struct err *err)
{
	struct digest *digest = ctx;
	(void)err;
	point(digest,
		pool_printf(digest->pool, "申込番号%" PRId64 "（%s、受付 %s）", app->id,
			state_name_ja(app->state), day_text(digest, civil_day_of(app->received_at))),
		in_report(digest, "index.html#review"), "レポートで見る");
	return RC_OK;
}

static enum rc list_request(void *ctx, const struct request *request, struct err *err)
{
	struct digest *digest = ctx;
	(void)err;
	const char *about = request->application_id
				    ? pool_printf(digest->pool, "、申込番号%" PRId64, request->application_id)
				    : "";
	point(digest,
		pool_printf(digest->pool, "依頼番号%" PRId64 "（%s%s、%s）", request->id,
			request_kind_name_ja(request->kind), about,
			day_text(digest, civil_day_of(request->opened_at))),
		in_report(digest, pool_printf(digest->pool, "mail/%" PRId64 ".eml", request->message_id)),
		"メールを開く");
	return RC_OK;
}

static void add_rest(struct digest *digest, int64_t all)
{
	if (all > LISTED_MAX)
		point(digest, pool_printf(digest->pool, "ほかに%" PRId64 "件", all - LISTED_MAX),
			in_report(digest, "index.html#review"), "レポートで見る");
}

static enum rc add_review(struct digest *digest, struct err *err)
{
	const struct tally *tally = digest->tally;
	const struct application_filter held = {.hold = HOLD_REVIEW, .live_only = true, .limit = LISTED_MAX};
	const struct request_filter open = {
		.state = REQUEST_STATE_REVIEW, .open_only = true, .any_kind = true, .limit = LISTED_MAX};
	if (tally->review_applications + tally->review_requests == 0)
		return RC_OK;
	heading(digest, pool_printf(digest->pool, "要確認（申込み%" PRId64 "件、メール%" PRId64 "件）",
				tally->review_applications, tally->review_requests));
	enum rc rc = application_each(digest->office->store, &held, false, list_review, digest, err);
	add_rest(digest, tally->review_applications);
	rc = rc ? rc : request_each(digest->office->store, &open, list_request, digest, err);
	add_rest(digest, tally->review_requests);
	return rc;
}

static enum rc list_file(void *ctx, const struct spool_file *file, struct err *err)
{
	struct digest *digest = ctx;
	(void)err;
	if (file->state != FILE_DONE || (file->refused == 0 && !str_has_prefix(file->archive, "rejected/")))
		return RC_OK;
	if (digest->listed == 0)
		heading(digest, "受け付けられない行があったファイル");
	if (++digest->listed > LISTED_MAX) {
		digest->rest++;
		return RC_OK;
	}
	const char *mended = link_to(digest, file->archive, "_要修正.csv");
	point(digest,
		pool_printf(digest->pool, "%s（受け付けられない行 %d、登録など %d）", file->name,
			file->refused, file->accepted + file->review + file->same + file->decided),
		mended ? mended : link_to(digest, file->archive, "_結果.txt"),
		mended ? "要修正の行を開く" : "結果を開く");
	return RC_OK;
}

static enum rc add_files(struct digest *digest, struct err *err)
{
	digest->listed = 0;
	digest->rest = 0;
	enum rc rc = file_each(digest->office->store, civil_moment(digest->from, 0),
		civil_moment(digest->until + 1, 0), list_file, digest, err);
	if (digest->rest)
		point(digest, pool_printf(digest->pool, "ほかに%" PRId64 "件", digest->rest),
			in_report(digest, "index.html#files"), "レポートで見る");
	return rc;
}

/* ---- what happened ---- */

static int64_t happened(const struct digest *digest, enum daily kind)
{
	int64_t sum = 0;
	for (civil_day day = digest->from; day <= digest->until; day++)
		if (day >= digest->tally->from && day <= digest->tally->today)
			sum += digest->tally->daily[day - digest->tally->from][kind];
	return sum;
}

static void add_happened(struct digest *digest)
{
	static const struct {
		enum daily kind;
		const char *what, *unit;
	} line[] = {
		{DAILY_FILES, "受け取ったファイル", "件"},
		{DAILY_APPLICATIONS, "登録した申込み", "件"},
		{DAILY_REFUSED, "受け付けられなかった行", "行"},
		{DAILY_IDS, "発行した自己宣言ID", "件"},
		{DAILY_LOGOS, "ロゴマークの使用許諾", "件"},
		{DAILY_SENT, "送信した通知", "通"},
		{DAILY_FAILED, "送信を打ち切った通知", "通"},
		{DAILY_MAILS, "メールで届いた依頼", "件"},
		{DAILY_BOUNCES, "不達で戻った通知", "通"},
		{DAILY_STOPS, "使用中止", "件"},
	};
	bool any = false;
	heading(digest, digest->from == digest->until
				? pool_printf(digest->pool, "%sの動き", day_text(digest, digest->until))
				: pool_printf(digest->pool, "%sから%sまでの動き",
					  day_text(digest, digest->from), day_text(digest, digest->until)));
	for (size_t i = 0; i < sizeof line / sizeof *line; i++) {
		int64_t count = happened(digest, line[i].kind);
		if (count)
			point(digest,
				pool_printf(
					digest->pool, "%s：%" PRId64 "%s", line[i].what, count, line[i].unit),
				NULL, NULL);
		any = any || count;
	}
	if (!any)
		paragraph(digest, "受付も送信もありませんでした。");
}

static void add_today(struct digest *digest)
{
	const struct tally *tally = digest->tally;
	static const enum state waiting[] = {STATE_UNCONFIRMED, STATE_RECEIVED, STATE_ID_ISSUED};
	heading(digest, pool_printf(digest->pool, "今日（%s）の予定", day_text(digest, tally->today)));
	point(digest,
		pool_printf(digest->pool, "送る通知：%" PRId64 "通（明日は%" PRId64 "通）", tally->due_today,
			tally->due_tomorrow),
		NULL, NULL);
	for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++)
		if (tally->waiting[waiting[i]])
			point(digest,
				pool_printf(digest->pool, "次の通知を待つ申込み（%s）：%" PRId64 "件",
					state_name_ja(waiting[i]), tally->waiting[waiting[i]]),
				NULL, NULL);
	if (tally->overdue)
		point(digest, pool_printf(digest->pool, "期限を過ぎた通知：%" PRId64 "通", tally->overdue),
			in_report(digest, "index.html#overdue"), "レポートで見る");
}

static enum rc add_books(struct digest *digest, struct err *err)
{
	struct books_result result;
	enum rc rc = books_last(digest->office, &result, err);
	if (rc || result.at == 0)
		return rc;
	heading(digest, "締め");
	point(digest,
		result.differences
			? pool_printf(digest->pool,
				  "%sの締め：合わないものが%" PRId64 "件あります（内容は sengenctl balance）",
				  time_text(digest, result.at), result.differences)
			: pool_printf(
				  digest->pool, "%sの締め：すべて合っています", time_text(digest, result.at)),
		NULL, NULL);
	point(digest,
		pool_printf(digest->pool, "履歴の末尾：%" PRId64 "行目 %s", result.head_seq, result.head),
		NULL, NULL);
	return RC_OK;
}

static enum rc add_withheld(struct digest *digest, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(digest->office->store, FACT_ALARMS_WITHHELD, &value, err);
	int64_t count = strtoll(value.s, NULL, 10);
	if (!rc && count)
		point(digest,
			pool_printf(digest->pool,
				"異常のお知らせのうち%" PRId64
				"件は、1時間の上限を超えたためメールにしませんでした（ジャーナルにあります）",
				count),
			NULL, NULL);
	str_free(&value);
	return rc;
}

/* ---- all of it ---- */

static enum rc first_day(struct digest *digest, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(digest->office->store, FACT_DIGEST, &value, err);
	civil_day last = value.len ? civil_day_read(value.s) : CIVIL_DAY_NONE;
	str_free(&value);
	digest->until = digest->tally->today - 1;
	digest->from = last != CIVIL_DAY_NONE && last <= digest->until ? last : digest->until;
	if (digest->from < digest->until - DAYS_MAX + 1)
		digest->from = digest->until - DAYS_MAX + 1;
	return rc;
}

static void open_mail(struct digest *digest)
{
	const char *title =
		pool_printf(digest->pool, "%sの朝のまとめ", day_text(digest, digest->tally->today));
	str_printf(digest->text, "%s\n%s\n", title, digest->settings->office_name);
	str_addz(digest->html, "<!DOCTYPE html>\n<html lang=\"ja\"><head><meta charset=\"UTF-8\"><title>");
	html_text(digest->html, title);
	str_addz(digest->html, "</title></head>\n<body style=\"font-family:sans-serif;line-height:1.6\">\n"
			       "<h1 style=\"font-size:1.3em;margin:0\">");
	html_text(digest->html, title);
	str_addz(digest->html, "</h1>\n<p>");
	html_text(digest->html, digest->settings->office_name);
	str_addz(digest->html, "</p>\n");
}

static void close_mail(struct digest *digest)
{
	list_end(digest);
	str_addz(digest->text, "\n");
	if (digest->report) {
		const char *href = in_report(digest, "index.html");
		str_printf(digest->text, "事務局の状況（レポート）\n%s\n\n", href);
		str_addz(digest->html, "<p>");
		html_link(digest->html, href, "事務局の状況（レポート）を開く");
		str_addz(digest->html, "</p>\n");
	}
	static const char footer[] =
		"このメールは sengen が自動で送信しています。申込者の名前や連絡先は載せていません。";
	str_printf(digest->text, "%s\n", footer);
	str_addz(digest->html, "<p style=\"color:#555555\">");
	html_text(digest->html, footer);
	str_addz(digest->html, "</p>\n</body></html>\n");
}

static enum rc make(struct digest *digest, struct str *subject, struct err *err)
{
	enum health_level worst;
	enum rc rc = first_day(digest, err);
	if (rc)
		return rc;
	open_mail(digest);
	heading(digest, "対応が必要なこと");
	rc = health_check(digest->office, digest->tally, take_check, digest, &worst, digest->pool, err);
	rc = rc ? rc : add_withheld(digest, err);
	if (!rc && digest->trouble == 0)
		paragraph(digest, "ありません。");
	rc = rc ? rc : add_review(digest, err);
	rc = rc ? rc : add_files(digest, err);
	if (rc)
		return rc;
	add_happened(digest);
	add_today(digest);
	rc = add_books(digest, err);
	close_mail(digest);
	str_printf(subject, "【%s】朝のまとめ %s", digest->settings->office_name,
		day_text(digest, digest->tally->today));
	if (digest->trouble)
		str_printf(subject, "（対応が必要なこと %d件）", digest->trouble);
	return rc;
}

enum rc digest_make(struct office *office, const struct tally *tally, struct str *subject, struct str *text,
	struct str *html, struct err *err)
{
	struct i18n_staff staff;
	struct digest digest = {.office = office,
		.settings = office->settings,
		.tally = tally,
		.pool = pool_new(),
		.text = text,
		.html = html};
	digest.share = share_of(office->settings, digest.pool);
	digest.report = report_of(&digest);
	i18n_staff_begin(&staff);
	enum rc rc = make(&digest, subject, err);
	i18n_staff_end(&staff);
	pool_free(&digest.pool);
	return rc;
}

static enum rc queue_all(struct office *office, const struct tally *tally, const struct str *subject,
	const struct str *text, const struct str *html, int *queued, struct err *err)
{
	const struct strlist *to = &office->settings->desk_mail;
	struct str day = STR_INIT;
	int64_t id;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < to->count && !rc; i++, ++*queued)
		rc = office_desk_mail(
			office, NOTICE_DIGEST, to->item[i], subject->s, text->s, html->s, &id, err);
	civil_day_print(&day, tally->today);
	rc = rc ? rc : fact_set(office->store, FACT_DIGEST, day.s, err);
	rc = rc ? rc : fact_set(office->store, FACT_ALARMS_WITHHELD, NULL, err);
	str_free(&day);
	return rc;
}

enum rc digest_send(struct office *office, int *queued, struct err *err)
{
	struct str subject = STR_INIT, text = STR_INIT, html = STR_INIT;
	struct pool *pool = pool_new();
	struct tally tally;
	*queued = 0;
	enum rc rc = tally_make(office, DAYS_MAX + 1, &tally, pool, err);
	rc = rc ? rc : digest_make(office, &tally, &subject, &text, &html, err);
	rc = rc ? rc : store_begin(office->store, err);
	if (!rc) {
		rc = queue_all(office, &tally, &subject, &text, &html, queued, err);
		rc = rc ? rc : store_commit(office->store, err);
		if (rc && store_in_transaction(office->store))
			store_rollback(office->store);
	}
	if (rc)
		*queued = 0;
	str_free(&subject);
	str_free(&text);
	str_free(&html);
	pool_free(&pool);
	return rc;
}
