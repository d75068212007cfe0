/* The report's numbers: at a glance, per stage, per day. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/desk/report_p.h"

/* ---- at a glance ---- */

struct figure {
	const char *name; /* NULL ends */
	int64_t value;
};

static void add_figures(struct report *report, const char *title, const struct figure *figure)
{
	struct str *out = &report->out;
	str_addz(out, "<h3>");
	html_text(out, title);
	str_addz(out, "</h3>\n<ul class=\"figures\">\n");
	for (; figure->name; figure++) {
		str_addz(out, "<li><span class=\"name\">");
		html_text(out, figure->name);
		str_printf(out, "</span> <span class=\"value\">%s</span></li>\n",
			report_number(report, figure->value));
	}
	str_addz(out, "</ul>\n");
}

/* Two days beside each other. */
static void add_two_days(struct report *report)
{
	static const struct {
		enum daily kind;
		const char *name;
	} row[] = {{DAILY_APPLICATIONS, "登録した申込み"}, {DAILY_REFUSED, "受け付けられない行"},
		{DAILY_SENT, "送った通知"}, {DAILY_MAILS, "届いたメール"}, {DAILY_BOUNCES, "不達"}};
	static const char *const head[] = {"件数", "今日", "昨日", NULL};
	const struct tally *tally = &report->tally;
	const int64_t *today = tally->daily[tally->today - tally->from];
	const int64_t *yesterday =
		tally->today > tally->from ? tally->daily[tally->today - tally->from - 1] : today;
	str_addz(&report->out, "<div class=\"narrow\">\n");
	html_table_begin(&report->out, "今日と昨日", head, 6);
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		html_table_row(&report->out,
			(const char *const[]){row[i].name, report_number(report, today[row[i].kind]),
				report_number(report, yesterday[row[i].kind]), NULL},
			6);
	html_table_end(&report->out);
	str_addz(&report->out, "</div>\n");
}

void report_figures(struct report *report)
{
	const struct tally *tally = &report->tally;
	const int64_t *state = tally->books.by_state;
	html_section_begin(&report->out, "figures", "数字で見る");
	add_figures(report, "人の判断を待っているもの",
		(const struct figure[]){{"要確認の申込み", tally->review_applications},
			{"要確認の依頼", tally->review_requests}, {"本人の返信待ち", tally->asked_requests},
			{"保留中の申込み", tally->books.held}, {"期限を過ぎた通知", tally->overdue}, {0}});
	add_figures(report, "これから送る通知",
		(const struct figure[]){
			{"送信待ち", tally->outbox[OUTBOX_QUEUED] + tally->outbox[OUTBOX_SENDING]},
			{"今日の予定", tally->due_today}, {"明日の予定", tally->due_tomorrow},
			{"送れたか不明", tally->outbox[OUTBOX_UNKNOWN]}, {0}});
	add_figures(report, "登録",
		(const struct figure[]){{"受付済み", state[STATE_RECEIVED]},
			{"ID発行済み", state[STATE_ID_ISSUED]},
			{"ロゴ使用許諾済み", state[STATE_LOGO_AUTHORIZED]},
			{"使用中止", state[STATE_STOPPED]}, {"申込みの総数", tally->books.applications},
			{0}});
	add_two_days(report);
	html_section_end(&report->out);
}

/* ---- per stage ---- */

/* States in which something still comes, in the order of a declaration's life. */
static const struct {
	enum state state;
	const char *name;
} waiting_states[] = {
	{STATE_UNCONFIRMED, "確認待ち"},
	{STATE_RECEIVED, "受付済み"},
	{STATE_ID_ISSUED, "ID発行済み"},
};
#define WAITING_STATES ((int)(sizeof waiting_states / sizeof *waiting_states))
_Static_assert(sizeof waiting_states / sizeof *waiting_states <= CHART_SERIES_MAX, "each is a series");

struct overdue_count {
	int64_t count[STATE_COUNT];
};

static enum rc count_overdue(void *ctx, const struct application *app, struct err *err)
{
	struct overdue_count *overdue = ctx;
	(void)err;
	overdue->count[app->state]++;
	return RC_OK;
}

/* "1日以内", "2～3日", "57日以上" */
static const char *age_text(struct report *report, int bucket)
{
	int first = bucket == 0 ? 0 : age_limit[bucket - 1] + 1;
	if (age_limit[bucket] == INT_MAX)
		return pool_printf(report->pool, "%d日以上", first);
	return pool_printf(report->pool, "%d～%d日", first, age_limit[bucket]);
}

/* Below the bars there is room for little. */
static const char *age_label(struct report *report, int bucket)
{
	int first = bucket == 0 ? 0 : age_limit[bucket - 1] + 1;
	if (age_limit[bucket] == INT_MAX)
		return pool_printf(report->pool, "%d～", first);
	if (first == age_limit[bucket])
		return pool_printf(report->pool, "%d", first);
	return pool_printf(report->pool, "%d-%d", first, age_limit[bucket]);
}

/* Whether any application waits in that state: profiles without it have no use for an empty row. */
static bool is_used(const struct report *report, enum state state)
{
	return state != STATE_UNCONFIRMED || report->tally.waiting[state] > 0 ||
	       report->tally.books.by_state[state] > 0;
}

static void add_stage_table(struct report *report, const struct overdue_count *overdue)
{
	const struct tally *tally = &report->tally;
	static const char *const head[] = {"状態", "待ち", "うち期限切れ", "最も長い待ち", NULL};
	const unsigned numeric = 1u << 1 | 1u << 2 | 1u << 3;
	html_table_begin(&report->out, "段階ごとの待ち", head, numeric);
	for (int i = 0; i < WAITING_STATES; i++) {
		enum state state = waiting_states[i].state;
		const char *longest = "-";
		if (!is_used(report, state))
			continue;
		for (int bucket = 0; bucket < AGE_BUCKETS; bucket++)
			if (tally->age[state][bucket] > 0)
				longest = age_text(report, bucket);
		html_table_row(&report->out,
			(const char *const[]){waiting_states[i].name,
				report_number(report, tally->waiting[state]),
				report_number(report, overdue->count[state]), longest, NULL},
			numeric);
	}
	html_table_end(&report->out);
}

static int age_series(struct report *report, struct chart_series series[CHART_SERIES_MAX])
{
	int count = 0;
	for (int i = 0; i < WAITING_STATES; i++)
		if (is_used(report, waiting_states[i].state))
			series[count++] = (struct chart_series){
				waiting_states[i].name, report->tally.age[waiting_states[i].state]};
	return count;
}

static void add_age_chart(struct report *report)
{
	struct chart_series series[CHART_SERIES_MAX];
	const char *label[AGE_BUCKETS];
	int count = age_series(report, series);
	for (int i = 0; i < AGE_BUCKETS; i++)
		label[i] = age_label(report, i);
	html_chart(&report->out,
		&(struct chart){.id = "ages",
			.title = "受付からの日数（待っている申込みの数）",
			.description = "まだ次の通知を待っている申込みの数を、受付からの日数で"
				       "分けた棒グラフ。同じ数は「受付からの日数を表で見る」にあります。",
			.label = label,
			.series = series,
			.series_count = count,
			.count = AGE_BUCKETS});
}

/* The chart's numbers: days downwards, so that it fits the narrowest screen. */
static void add_age_table(struct report *report)
{
	struct chart_series series[CHART_SERIES_MAX];
	int count = age_series(report, series);
	const char *head[CHART_SERIES_MAX + 2] = {"受付からの日数"};
	for (int i = 0; i < count; i++)
		head[i + 1] = series[i].name;
	str_addz(&report->out, "<details><summary>受付からの日数を表で見る</summary>\n");
	html_table_begin(&report->out, "受付からの日数と、待っている申込みの数", head, ~1u);
	for (int bucket = 0; bucket < AGE_BUCKETS; bucket++) {
		const char *cell[CHART_SERIES_MAX + 2] = {age_text(report, bucket)};
		for (int i = 0; i < count; i++)
			cell[i + 1] = report_number(report, series[i].value[bucket]);
		html_table_row(&report->out, cell, ~1u);
	}
	html_table_end(&report->out);
	str_addz(&report->out, "</details>\n");
}

enum rc report_stages(struct report *report, struct err *err)
{
	const struct application_filter filter = {.hold = -1, .live_only = true, .overdue_at = report->now};
	struct overdue_count overdue = {0};
	enum rc rc = application_each(report->office->store, &filter, false, count_overdue, &overdue, err);
	if (rc != RC_OK)
		return rc;
	html_section_begin(&report->out, "stages", "段階ごとの待ち");
	str_addz(&report->out, "<div class=\"charts\">\n<div>\n");
	add_stage_table(report, &overdue);
	add_age_table(report);
	str_addz(&report->out, "</div>\n");
	add_age_chart(report);
	str_addz(&report->out, "</div>\n");
	html_section_end(&report->out);
	return RC_OK;
}

/* ---- per day ---- */

static const struct {
	const char *id, *title, *description;
	struct {
		enum daily kind;
		const char *name;
	} series[2];
} day_charts[] = {
	{"day-applications", "申込み", "30日間の、登録した申込みと受け付けられなかった行の数の棒グラフ。",
		{{DAILY_APPLICATIONS, "登録した申込み"}, {DAILY_REFUSED, "受け付けられない行"}}},
	{"day-notices", "通知メール", "30日間の、送った通知と送れなかった通知の数の棒グラフ。",
		{{DAILY_SENT, "送った"}, {DAILY_FAILED, "送れなかった"}}},
	{"day-mails", "届いたメール", "30日間の、届いた依頼などのメールと不達通知の数の棒グラフ。",
		{{DAILY_MAILS, "届いたメール"}, {DAILY_BOUNCES, "不達"}}},
	{"day-cases", "ID発行と使用中止", "30日間の、発行した自己宣言IDと使用中止の数の棒グラフ。",
		{{DAILY_IDS, "ID発行"}, {DAILY_STOPS, "使用中止"}}},
};

static void add_day_chart(struct report *report, int which, const char *const *label)
{
	const struct tally *tally = &report->tally;
	int count = tally->today - tally->from + 1;
	struct chart_series series[2];
	for (int s = 0; s < 2; s++) {
		int64_t *value = pool_alloc(report->pool, (size_t)count * sizeof *value);
		for (int i = 0; i < count; i++)
			value[i] = tally->daily[i][day_charts[which].series[s].kind];
		series[s] = (struct chart_series){day_charts[which].series[s].name, value};
	}
	html_chart(&report->out, &(struct chart){.id = day_charts[which].id,
					 .title = day_charts[which].title,
					 .description = pool_printf(report->pool,
						 "%s同じ数は「日ごとの数を表で見る」にあります。",
						 day_charts[which].description),
					 .label = label,
					 .series = series,
					 .series_count = 2,
					 .count = count});
}

static void add_day_table(struct report *report)
{
	static const char *const head[] = {"日", "ファイル", "登録した申込み", "受け付けられない行", "ID発行",
		"ロゴ許諾", "送った通知", "送れなかった", "届いたメール", "不達", "使用中止",
		"要確認になった", NULL};
	static const enum daily kind[] = {DAILY_FILES, DAILY_APPLICATIONS, DAILY_REFUSED, DAILY_IDS,
		DAILY_LOGOS, DAILY_SENT, DAILY_FAILED, DAILY_MAILS, DAILY_BOUNCES, DAILY_STOPS,
		DAILY_REVIEWS};
	enum { KINDS = sizeof kind / sizeof *kind };
	const struct tally *tally = &report->tally;
	const unsigned numeric = ~1u;
	html_table_begin(&report->out, "日ごとの数（新しい日から）", head, numeric);
	for (civil_day day = tally->today; day >= tally->from; day--) {
		const char *cell[KINDS + 2] = {report_day(report, day)};
		for (int i = 0; i < KINDS; i++)
			cell[i + 1] = report_number(report, tally->daily[day - tally->from][kind[i]]);
		html_table_row(&report->out, cell, numeric);
	}
	html_table_end(&report->out);
}

void report_days(struct report *report)
{
	const struct tally *tally = &report->tally;
	int count = tally->today - tally->from + 1;
	const char **label = pool_alloc(report->pool, (size_t)count * sizeof *label);
	/* A label a week, counted back from today. */
	for (int i = 0; i < count; i++) {
		int year, month, dom;
		civil_to_ymd(tally->from + i, &year, &month, &dom);
		label[i] = (count - 1 - i) % 7 == 0 ? pool_printf(report->pool, "%d/%d", month, dom) : "";
	}
	html_section_begin(&report->out, "days", "30日間の動き");
	str_addz(&report->out, "<div class=\"charts\">\n");
	for (int i = 0; i < (int)(sizeof day_charts / sizeof *day_charts); i++)
		add_day_chart(report, i, label);
	str_addz(&report->out, "</div>\n<details><summary>日ごとの数を表で見る</summary>\n");
	add_day_table(report);
	str_addz(&report->out, "</details>\n");
	html_section_end(&report->out);
}
