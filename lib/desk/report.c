/* The page as a whole, and how it comes into its directory. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/embed.h"
#include "lib/base/file.h"
#include "lib/base/i18n.h"
#include "lib/desk/report_p.h"

/* ---- small texts ---- */

const char *report_number(struct report *report, int64_t number)
{
	char digits[24];
	struct str out = STR_INIT;
	int len = snprintf(digits, sizeof digits, "%" PRId64, number);
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0 && digits[i - 1] != '-')
			str_addc(&out, ',');
		str_addc(&out, digits[i]);
	}
	const char *copy = pool_strdup(report->pool, out.s);
	str_free(&out);
	return copy;
}

const char *report_day(struct report *report, civil_day day)
{
	static const char *const weekday[] = {"日", "月", "火", "水", "木", "金", "土"};
	int year, month, dom;
	civil_to_ymd(day, &year, &month, &dom);
	return pool_printf(report->pool, "%d月%d日(%s)", month, dom, weekday[civil_weekday(day)]);
}

const char *report_time(struct report *report, utc_time at)
{
	struct str text = STR_INIT;
	if (at != 0 && at != UTC_NEVER)
		civil_time_print(&text, at);
	else
		str_addz(&text, "-");
	const char *copy = pool_strdup(report->pool, text.s);
	str_free(&text);
	return copy;
}

const char *report_age(struct report *report, utc_time since)
{
	int days = civil_day_of(report->now) - civil_day_of(since);
	return days <= 0 ? "今日" : days == 1 ? "昨日" : pool_printf(report->pool, "%d日前", days);
}

const char *report_masked(struct report *report, const char *text)
{
	struct str out = STR_INIT;
	mask_add(&out, &report->mask, text);
	const char *copy = pool_strdup(report->pool, out.s);
	str_free(&out);
	return copy;
}

void report_paragraph(struct report *report, const char *class, const char *text)
{
	str_printf(&report->out, "<p%s%s%s>", *class ? " class=\"" : "", class, *class ? "\"" : "");
	html_text(&report->out, text);
	str_addz(&report->out, "</p>\n");
}

/* ---- the page ---- */

static enum rc take_health(void *ctx, const struct health_item *item, struct err *err)
{
	struct report *report = ctx;
	struct health_item *more =
		pool_alloc(report->pool, ((size_t)report->health_count + 1) * sizeof *report->health);
	(void)err;
	if (report->health_count > 0)
		memcpy(more, report->health, (size_t)report->health_count * sizeof *more);
	more[report->health_count] = *item;
	more[report->health_count].name = pool_strdup(report->pool, item->name);
	more[report->health_count].text = pool_strdup(report->pool, item->text);
	report->health = more;
	report->health_count++;
	return RC_OK;
}

/* When it was written stands in large print; a script, where it may run, says how long ago that was. */
static void add_written(struct report *report)
{
	struct str *out = &report->out;
	int minute = civil_minute_of(report->now);
	const struct settings *settings = report->office->settings;
	str_addz(out, "<p class=\"large\"><time datetime=\"");
	civil_rfc3339_print(out, report->now);
	str_addz(out, "\">");
	civil_day_print_ja(out, civil_day_of(report->now));
	str_printf(out,
		" %02d:%02d</time> 現在 <span id=\"age\" data-written=\"%" PRId64 "\" data-minutes=\"%" PRId64
		"\"></span></p>\n",
		minute / 60, minute % 60, report->now, settings->report_minutes);
	str_addz(out,
		"<div id=\"old\" class=\"box bad\" role=\"alert\" hidden>\n<p><strong>このページは古くなって"
		"います。</strong>新しく作られていません。sengend "
		"が動いているか、管理者に確かめてもらってください。</p>\n"
		"</div>\n");
	if (settings->report_minutes > 0)
		report_paragraph(report, "quiet",
			pool_printf(report->pool,
				"%" PRId64
				"分ごとに作り直されます（開いたままのときは読み込み直してください）。"
				"上の時刻から%" PRId64 "分以上たっていたら、sengend "
				"が動いているか管理者に確かめてもらってください。",
				settings->report_minutes, 3 * settings->report_minutes));
	else
		report_paragraph(report, "quiet",
			"sengenctl report を実行したときの状況です。新しくするには、もう一度実行します。");
	report_paragraph(report, "quiet",
		"申込者の名前などが載っています。事務局の外に出さないでください。利用者番号は伏せてあります"
		"。");
}

static void add_contents(struct report *report)
{
	static const struct {
		const char *id, *text;
	} part[] = {{"attention", "対応が必要なこと"}, {"figures", "数字で見る"}, {"review", "要確認"},
		{"overdue", "期限を過ぎた通知"}, {"stages", "段階ごとの待ち"}, {"days", "30日間の動き"},
		{"files", "受け付けられなかったファイル"}, {"checks", "点検の結果"}};
	str_addz(&report->out,
		"<nav class=\"screen\" aria-label=\"このページの内容\"><ul class=\"contents\">\n");
	for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
		str_addz(&report->out, "<li>");
		html_link(&report->out, pool_printf(report->pool, "#%s", part[i].id), part[i].text);
		str_addz(&report->out, "</li>\n");
	}
	str_addz(&report->out, "</ul></nav>\n");
}

/* On paper nobody opens "対応". */
static const char report_style[] =
	"@media print {\n\tsection[aria-labelledby=\"review\"] tr > :last-child { display: none; }\n}\n";

static enum rc make_page(struct report *report, struct err *err)
{
	const struct settings *settings = report->office->settings;
	const struct html_page page = {
		.title = pool_printf(report->pool, "事務局の状況（%s）", settings->office_name),
		.lang = "ja",
		.style = report_style,
		.script = embedded_age};
	html_begin(&report->out, &page);
	add_written(report);
	add_contents(report);
	enum rc rc = report_attention(report, err);
	if (rc == RC_OK)
		report_figures(report);
	rc = rc ? rc : report_review(report, err);
	rc = rc ? rc : report_overdue(report, err);
	rc = rc ? rc : report_stages(report, err);
	if (rc == RC_OK)
		report_days(report);
	rc = rc ? rc : report_files(report, err);
	if (rc == RC_OK)
		report_checks(report);
	html_end(&report->out, &page, "sengen " SENGEN_VERSION);
	return rc;
}

/* ---- into the directory ---- */

/* How the spool is reached from the page: by the way up where the page lies in it, which holds under any name of the share. */
static const char *find_spool(struct report *report)
{
	char spool[PATH_MAX], directory[PATH_MAX];
	const struct settings *settings = report->office->settings;
	if (realpath(settings->spool_directory, spool) && realpath(report->directory, directory)) {
		size_t len = strlen(spool);
		if (strncmp(directory, spool, len) == 0 && directory[len] == '/') {
			struct str up = STR_INIT;
			for (const char *at = directory + len; at; at = strchr(at + 1, '/'))
				str_addz(&up, "../");
			const char *copy = pool_strdup(report->pool, up.s);
			str_free(&up);
			return copy;
		}
	}
	if (!settings->share_url)
		return NULL;
	return pool_printf(report->pool, "%s%s", settings->share_url,
		str_has_suffix(settings->share_url, "/") ? "" : "/");
}

/* "12.eml", and ".12.eml.a1b2c3.tmp" of a write that was cut short: nothing else in there is ours. */
static bool is_our_mail(const char *name)
{
	const char *digits = *name == '.' ? name + 1 : name;
	size_t len = strspn(digits, "0123456789");
	return len > 0 && str_has_prefix(digits + len, ".eml") &&
	       (*name == '.' ? str_has_suffix(name, ".tmp") : strcmp(digits + len, ".eml") == 0);
}

/* Mails that were settled since. */
static enum rc remove_settled(struct report *report, const char *directory, struct err *err)
{
	struct strlist names = {0};
	enum rc rc = file_list_dir(&names, directory, err);
	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		if (is_our_mail(names.item[i]) && !strlist_has(&report->mails, names.item[i]) &&
			unlinkat(report->mail, names.item[i], 0) != 0 && errno != ENOENT)
			rc = err_set(err, RC_STORE, "mail/%s could not be removed: %s.", names.item[i],
				errno_text(errno));
	strlist_free(&names);
	return rc;
}

static enum rc write_all(struct report *report, struct err *err)
{
	struct str mail = STR_INIT, page = STR_INIT;
	path_join(&mail, report->directory, "mail");
	path_join(&page, report->directory, "index.html");
	enum rc rc = file_open_below(&report->mail, report->directory, "mail", 0770, err);
	if (rc == RC_OK)
		report->spool_url = find_spool(report);
	rc = rc ? rc : make_page(report, err);
	/* The old page goes before the mails it leads to. */
	rc = rc ? rc : file_write(page.s, report->out.s, report->out.len, 0640, err);
	rc = rc ? rc : remove_settled(report, mail.s, err);
	if (report->mail >= 0)
		(void)close(report->mail);
	str_free(&mail);
	str_free(&page);
	return rc;
}

enum rc report_write(struct office *office, const char *directory, struct err *err)
{
	struct i18n_staff staff;
	enum health_level worst = HEALTH_GOOD;
	struct report report = {.office = office,
		.directory = directory,
		.mail = -1,
		.now = clock_now(office->clock),
		.out = STR_INIT,
		.pool = pool_new()};
	i18n_staff_begin(&staff);
	enum rc rc = tally_make(office, REPORT_DAYS, &report.tally, report.pool, err);
	rc = rc ? rc : office_masks(office, &report.mask, err);
	rc = rc ? rc : health_check(office, &report.tally, take_health, &report, &worst, report.pool, err);
	rc = rc ? rc : write_all(&report, err);
	i18n_staff_end(&staff);
	strlist_free(&report.mails);
	str_free(&report.out);
	pool_free(&report.pool);
	return rc ? err_prefix(err, "The report could not be written") : RC_OK;
}

void report_directory(struct str *out, const struct settings *settings)
{
	if (settings->report_directory)
		str_addz(out, settings->report_directory);
	else
		path_join(out, settings->spool_directory, "report");
}
