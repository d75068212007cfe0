#include "lib/office/office_p.h"

#include <stdlib.h>

#include "lib/base/i18n.h"

/* One mail to come. What it takes to say why is kept instead of the sentence: a plan can have a hundred thousand of them. */
struct mail_to_come {
	utc_time at;
	int64_t application_id;
	const struct rules *rules;
	const char *moved_why; /* of the calendar */
	civil_day moved_from;
	int16_t days; /* of the distance that decided */
	int8_t stage;
	bool from_previous; /* that distance counts from the notice before */
	bool overdue, certain;
};

/* What cadence_due() said for others that count from the same days. */
struct reckoned {
	const struct rules *rules; /* NULL: empty */
	int stage;
	bool approved;
	civil_day clock_start, previous_on;
	struct due due;
};
#define RECKONED_SLOTS 1024

struct planner {
	struct office *office;
	utc_time now;
	civil_day from, until;
	struct mail_to_come *item; /* owned */
	size_t count, size;
	int64_t (*per_day)[STAGE_MAX]; /* NULL: not wanted */
	bool list; /* items are wanted */
	struct reckoned *reckoned; /* owned; RECKONED_SLOTS */
};

static void add(struct planner *planner, const struct mail_to_come *mail)
{
	civil_day day = civil_day_of(mail->at);
	if (day < planner->from || day > planner->until)
		return;
	if (planner->per_day)
		planner->per_day[day - planner->from][mail->stage]++;
	if (!planner->list)
		return;
	if (planner->count == planner->size) {
		planner->size = planner->size ? planner->size * 2 : 256;
		planner->item = xrealloc(planner->item, planner->size * sizeof *planner->item);
	}
	planner->item[planner->count++] = *mail;
}

static void decide_distance(
	struct mail_to_come *mail, const struct application *app, const struct stage *stage)
{
	civil_day by_received = app->clock_start + span_wanted(&stage->after_received), by_previous;
	mail->days = (int16_t)span_wanted(&stage->after_received);
	if (app->stage == 0 || app->previous_sent_at == 0)
		return;
	by_previous = civil_day_of(app->previous_sent_at) + span_wanted(&stage->after_previous);
	if (by_previous > by_received) {
		mail->days = (int16_t)span_wanted(&stage->after_previous);
		mail->from_previous = true;
	}
}

/* As cadence_due(), remembering: thousands count from the same days, and civil days are dear. An answer holds for another application as long as
 * that one was known before it is due, and waits for nothing but the day. */
static struct due reckon(struct planner *planner, const struct application *app, const struct rules *rules)
{
	const struct calendar *calendar = &planner->office->settings->calendar;
	if (app->state == STATE_UNCONFIRMED || rules->profile.stage[app->stage].at_once ||
		(app->stage > 0 && app->previous_sent_at == 0))
		return cadence_due(app, &rules->profile, calendar);
	civil_day previous_on = app->stage > 0 ? civil_day_of(app->previous_sent_at) : CIVIL_DAY_NONE;
	utc_time known = app->received_at > app->previous_sent_at ? app->received_at : app->previous_sent_at;
	uint32_t hash = (uint32_t)app->clock_start * 31u + (uint32_t)previous_on * 7u + (uint32_t)app->stage;
	struct reckoned *slot = &planner->reckoned[hash % RECKONED_SLOTS];
	if (slot->rules == rules && slot->stage == app->stage && slot->approved == app->approved &&
		slot->clock_start == app->clock_start && slot->previous_on == previous_on &&
		slot->due.earliest > known)
		return slot->due;
	struct due due = cadence_due(app, &rules->profile, calendar);
	if (due.wait == WAIT_NOTHING && due.earliest > known)
		*slot = (struct reckoned){
			rules, app->stage, app->approved, app->clock_start, previous_on, due};
	return due;
}

/* Follows one application stage by stage, as if each mail were taken by the server at once. */
static void follow(struct planner *planner, struct application app, const struct rules *rules, bool certain)
{
	const struct calendar *calendar = &planner->office->settings->calendar;
	for (; app.stage >= 0 && app.stage < rules->profile.stage_count; certain = false) {
		const struct stage *stage = &rules->profile.stage[app.stage];
		struct due due = reckon(planner, &app, rules);
		if (due.wait != WAIT_NOTHING)
			return;
		struct mail_to_come mail = {.at = due.at > planner->now ? due.at : planner->now,
			.application_id = app.id,
			.rules = rules,
			.moved_from = due.moved_from,
			.moved_why = due.moved_why,
			.stage = (int8_t)app.stage,
			.overdue = due.at < planner->now,
			.certain = certain};
		if (mail.overdue && !stage->at_once)
			mail.at = calendar_next_open(calendar, mail.at);
		if (civil_day_of(mail.at) > planner->until)
			return;
		decide_distance(&mail, &app, stage);
		add(planner, &mail);
		app.state = stage->state;
		app.previous_sent_at = mail.at;
		app.approved = false;
		app.stage++;
	}
}

static enum rc plan_due(void *ctx, const struct application *app, struct err *err)
{
	struct planner *planner = ctx;
	const struct rules *rules;
	enum rc rc = rules_get(planner->office, app->template_set, &rules, err);
	if (rc == RC_OK)
		follow(planner, *app, rules, true);
	return rc;
}

/* Applications whose last notice is still on its way: what follows it is reckoned as if it went through now. */
static enum rc plan_behind(void *ctx, const struct notice *notice, struct err *err)
{
	struct planner *planner = ctx;
	struct pool *pool = pool_new();
	struct application app;
	const struct rules *rules;
	enum rc rc = RC_OK;
	if (notice->stage != STAGE_NONE && notice->application_id) {
		rc = application_get(planner->office->store, notice->application_id, &app, pool, err);
		if (rc == RC_OK)
			rc = rules_get(planner->office, app.template_set, &rules, err);
		if (rc == RC_OK && app.stage == notice->stage + 1 && app.previous_sent_at == 0) {
			app.previous_sent_at = planner->now;
			follow(planner, app, rules, false);
		}
	}
	pool_free(&pool);
	return rc;
}

static int by_time(const void *a, const void *b)
{
	const struct mail_to_come *x = a, *y = b;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	if (x->application_id != y->application_id)
		return x->application_id < y->application_id ? -1 : 1;
	return x->stage - y->stage;
}

static void say_why(struct str *out, const struct mail_to_come *mail, bool at_once)
{
	str_clear(out);
	if (at_once)
		str_addz(out, _("at once"));
	else if (mail->from_previous)
		str_printf(out, _("%d days after the notice before"), mail->days);
	else
		str_printf(out, _("%d days after application"), mail->days);
	if (mail->moved_from != CIVIL_DAY_NONE && !at_once) {
		struct str day = STR_INIT;
		civil_day_print(&day, mail->moved_from);
		str_printf(out, _(", moved from %s (%s)"), day.s, mail->moved_why);
		str_free(&day);
	}
	if (mail->overdue && !at_once)
		str_addz(out, _(", overdue"));
}

static enum rc hand_out(struct planner *planner, planned_fn *fn, void *ctx, struct err *err)
{
	struct str why = STR_INIT;
	enum rc rc = RC_OK;
	if (planner->count > 1)
		qsort(planner->item, planner->count, sizeof *planner->item, by_time);
	for (size_t i = 0; i < planner->count && rc == RC_OK; i++) {
		const struct mail_to_come *mail = &planner->item[i];
		const struct stage *stage = &mail->rules->profile.stage[mail->stage];
		say_why(&why, mail, stage->at_once);
		struct planned planned = {.application_id = mail->application_id,
			.stage = mail->stage,
			.template_name = stage->template_name,
			.at = mail->at,
			.at_once = stage->at_once,
			.certain = mail->certain,
			.why = why.s};
		rc = fn(ctx, &planned, err);
	}
	str_free(&why);
	return rc;
}

enum rc office_plan(struct office *office, civil_day from, civil_day until, planned_fn *fn, void *ctx,
	int64_t (*count)[STAGE_MAX], struct err *err)
{
	static const enum outbox_state on_their_way[] = {OUTBOX_QUEUED, OUTBOX_SENDING, OUTBOX_UNKNOWN};
	struct planner planner = {.office = office,
		.now = clock_now(office->clock),
		.from = from,
		.until = until,
		.per_day = count,
		.list = fn != NULL,
		.reckoned = xcalloc(RECKONED_SLOTS, sizeof *planner.reckoned)};
	struct application_filter filter = {
		.hold = HOLD_NONE, .live_only = true, .due_before = civil_moment(until + 1, 0)};
	for (civil_day day = from; count && day <= until; day++)
		for (int stage = 0; stage < STAGE_MAX; stage++)
			count[day - from][stage] = 0;
	enum rc rc = application_each(office->store, &filter, false, plan_due, &planner, err);
	for (size_t i = 0; rc == RC_OK && i < sizeof on_their_way / sizeof on_their_way[0]; i++)
		rc = outbox_each_in(office->store, on_their_way[i], 0, 0, plan_behind, &planner, err);
	if (rc == RC_OK && fn)
		rc = hand_out(&planner, fn, ctx, err);
	free(planner.item);
	free(planner.reckoned);
	return rc;
}
