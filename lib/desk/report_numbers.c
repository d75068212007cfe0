/* The report's numbers: at a glance, per stage, per day. */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "lib/desk/report_p.h"

/* ---- at a glance ---- */

void report_figures(struct report *report)
{
	const struct tally *tally = &report->tally;
	const int64_t *state = tally->books.by_state;
	const int64_t *today = tally->daily[tally->today - tally->from];
	const int64_t *yesterday =
		tally->today > tally->from ? tally->daily[tally->today - tally->from - 1] : today;
	const struct {
		const char *name;
		int64_t value;
	} figure[] = {
		{"要確認の申込み", tally->review_applications},
		{"要確認の依頼", tally->review_requests},
		{"本人の返信待ち（依頼）", tally->asked_requests},
		{"保留中", tally->books.held},
		{"期限を過ぎた通知", tally->overdue},
		{"今日送る予定", tally->due_today},
		{"明日送る予定", tally->due_tomorrow},
		{"送信待ち", tally->outbox[OUTBOX_QUEUED] + tally->outbox[OUTBOX_SENDING]},
		{"送れたか不明", tally->outbox[OUTBOX_UNKNOWN]},
		{"今日の申込み", today[DAILY_APPLICATIONS]},
		{"昨日の申込み", yesterday[DAILY_APPLICATIONS]},
		{"今日送った通知", today[DAILY_SENT]},
		{"昨日送った通知", yesterday[DAILY_SENT]},
		{"受付済み（ID発行前）", state[STATE_RECEIVED]},
		{"ID発行済み（ロゴ前）", state[STATE_ID_ISSUED]},
		{"ロゴ使用許諾済み", state[STATE_LOGO_AUTHORIZED]},
		{"登録されている申込み", tally->books.applications},
	};
	html_section_begin(&report->out, "figures", "数字で見る");
	str_addz(&report->out, "<ul class=\"figures\">\n");
	for (size_t i = 0; i < sizeof figure / sizeof *figure; i++) {
		str_addz(&report->out, "<li><span class=\"name\">");
		html_text(&report->out, figure[i].name);
		str_printf(&report->out, "</span> <span class=\"value\">%s</span></li>\n",
			report_number(report, figure[i].value));
	}
	str_addz(&report->out, "</ul>\n");
	html_section_end(&report->out);
}

/* ---- per stage ---- */

/* States in which something still comes, in the order of a declaration's life. */
static const struct {
	enum state state;
	const char *name;
} waiting_states[] = {
	{STATE_UNCONFIRMED, "アドレス確認待ち"},
	{STATE_RECEIVED, "受付済み（次はID）"},
	{STATE_ID_ISSUED, "ID発行済み（次はロゴ）"},
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
	static const char *const head[] = {
		"状態", "待っている", "うち期限を過ぎた", "いちばん長く待っている", NULL};
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

static void add_age_chart(struct report *report)
{
	struct chart_series series[CHART_SERIES_MAX];
	const char *label[AGE_BUCKETS], *head[AGE_BUCKETS + 2] = {"状態"};
	int count = 0;
	unsigned numeric = 0;
	for (int i = 0; i < AGE_BUCKETS; i++) {
		label[i] = age_label(report, i);
		head[i + 1] = age_text(report, i);
		numeric |= 1u << (i + 1);
	}
	for (int i = 0; i < WAITING_STATES; i++)
		if (is_used(report, waiting_states[i].state))
			series[count++] = (struct chart_series){
				waiting_states[i].name, report->tally.age[waiting_states[i].state]};
	html_chart(
		&report->out, &(struct chart){.id = "ages",
				      .title = "受付からの日数",
				      .description = "まだ次の通知を待っている申込みの数を、受付からの日数で"
						     "分けた棒グラフ。同じ数は、下の表にあります。",
				      .label = label,
				      .series = series,
				      .series_count = count,
				      .count = AGE_BUCKETS});
	str_addz(&report->out, "<details><summary>受付からの日数を表で見る</summary>\n");
	html_table_begin(&report->out, "受付からの日数と、待っている申込みの数", head, numeric);
	for (int i = 0; i < count; i++) {
		const char *cell[AGE_BUCKETS + 2] = {series[i].name};
		for (int bucket = 0; bucket < AGE_BUCKETS; bucket++)
			cell[bucket + 1] = report_number(report, series[i].value[bucket]);
		html_table_row(&report->out, cell, numeric);
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
	add_stage_table(report, &overdue);
	add_age_chart(report);
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
	html_chart(&report->out,
		&(struct chart){.id = day_charts[which].id,
			.title = day_charts[which].title,
			.description = pool_printf(report->pool, "%s同じ数は、下の表にあります。",
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
