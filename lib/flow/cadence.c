#include "lib/flow/cadence.h"

#define DAY_OPEN 0 /* a due day begins at 00:00 */

static const char *const wait_names[] = {
	[WAIT_NOTHING] = "nothing",
	[WAIT_ENDED] = "ended",
	[WAIT_DONE] = "done",
	[WAIT_HOLD] = "hold",
	[WAIT_REVIEW] = "review",
	[WAIT_CONFIRM] = "confirm",
	[WAIT_APPROVAL] = "approval",
	[WAIT_PREVIOUS] = "previous",
};

const char *wait_name(enum wait wait)
{
	return wait_names[wait];
}

civil_day cadence_clock_start(
	civil_day applied_on, utc_time received_at, int backdate_max, bool *too_old, bool *future)
{
	civil_day received_on = civil_day_of(received_at);

	*too_old = applied_on != CIVIL_DAY_NONE && applied_on < received_on - backdate_max;
	*future = applied_on != CIVIL_DAY_NONE && applied_on > received_on;
	return applied_on == CIVIL_DAY_NONE || *too_old || *future ? received_on : applied_on;
}

static civil_day later_day(civil_day a, civil_day b)
{
	return a > b ? a : b;
}

static utc_time later(utc_time a, utc_time b)
{
	return a > b ? a : b;
}

static bool previous_counts(const struct application *app)
{
	return app->stage > 0 && app->previous_sent_at > 0;
}

/* The last second of the last day both spans allow. What comes before a notice that has not gone out yet can't be counted. */
static utc_time latest_of(const struct application *app, const struct stage *stage)
{
	civil_day last = CIVIL_DAY_NONE;

	if (stage->after_received.latest >= 0)
		last = app->clock_start + stage->after_received.latest;
	if (stage->after_previous.latest >= 0 && previous_counts(app)) {
		civil_day day = civil_day_of(app->previous_sent_at) + stage->after_previous.latest;

		if (last == CIVIL_DAY_NONE || day < last)
			last = day;
	}
	return last == CIVIL_DAY_NONE ? UTC_NEVER : civil_moment(last + 1, DAY_OPEN) - 1;
}

/* Fills at, earliest and moved_*: the moment by the distances, then by office hours. */
static void reckon(struct due *due, const struct application *app, const struct stage *stage,
	const struct calendar *calendar)
{
	utc_time known = later(app->received_at, app->stage > 0 ? app->previous_sent_at : 0);

	if (stage->at_once) {
		due->at = due->earliest = known;
		return;
	}
	civil_day day = app->clock_start + span_wanted(&stage->after_received);

	if (previous_counts(app))
		day = later_day(
			day, civil_day_of(app->previous_sent_at) + span_wanted(&stage->after_previous));
	/* A form that was dropped days after its date can be due before it was known. */
	due->earliest = later(civil_moment(day, DAY_OPEN), known);
	due->at = calendar_next_open(calendar, due->earliest);
	day = civil_day_of(due->earliest);
	due->moved_why = calendar_closed(calendar, day);
	if (due->moved_why)
		due->moved_from = day;
}

static bool awaits_confirmation(const struct application *app, const struct profile *profile)
{
	return app->state == STATE_UNCONFIRMED && app->stage > 0 && profile->stage[app->stage - 1].confirms;
}

/* An address that was confirmed needs no answer of the mail server any more: it is known to work. */
static bool previous_is_open(const struct application *app, const struct profile *profile)
{
	return app->stage > 0 && !previous_counts(app) && !profile->stage[app->stage - 1].confirms;
}

static bool has_stage(const struct application *app, const struct profile *profile)
{
	return app->stage >= 0 && app->stage < profile->stage_count;
}

/* The first reason that holds an application back, in the order of deciding. */
static enum wait wait_of(const struct application *app, const struct profile *profile)
{
	if (!state_is_live(app->state))
		return WAIT_ENDED;
	if (app->hold == HOLD_STAFF)
		return WAIT_HOLD;
	if (app->hold == HOLD_REVIEW)
		return WAIT_REVIEW;
	if (!has_stage(app, profile))
		return WAIT_DONE;
	if (awaits_confirmation(app, profile))
		return WAIT_CONFIRM;
	if (profile->stage[app->stage].approval && !app->approved)
		return WAIT_APPROVAL;
	if (previous_is_open(app, profile))
		return WAIT_PREVIOUS;
	return WAIT_NOTHING;
}

struct due cadence_due(
	const struct application *app, const struct profile *profile, const struct calendar *calendar)
{
	struct due due = {
		.wait = wait_of(app, profile),
		.at = UTC_NEVER,
		.earliest = UTC_NEVER,
		.latest = UTC_NEVER,
		.moved_from = CIVIL_DAY_NONE,
	};

	if (due.wait == WAIT_ENDED || !has_stage(app, profile))
		return due;
	const struct stage *stage = &profile->stage[app->stage];

	due.latest = latest_of(app, stage);
	if (!awaits_confirmation(app, profile) && !previous_is_open(app, profile))
		reckon(&due, app, stage, calendar);
	return due;
}

bool cadence_alarm(const struct due *due, utc_time now, int days)
{
	if (due->latest == UTC_NEVER)
		return false;
	if (now > due->latest)
		return true;
	if (due->wait == WAIT_NOTHING && due->at <= due->latest)
		return false;
	return civil_day_of(due->latest) - civil_day_of(now) < days;
}
