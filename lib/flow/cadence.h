/*
 * cadence.h - when the next notice of an application is due, and what holds it back
 *
 * Pure reckoning; the order of deciding is: stop > hold > ceiling > approval > previous notice accepted by the
 * server > earliest > office hours. `latest` only alarms. Days are calendar days of the office's zone; a due day
 * begins at 00:00 and moves to the next office moment. Stages at distance 0 go out at once, at any hour.
 */
#ifndef SENGEN_CADENCE_H
#define SENGEN_CADENCE_H

#include "lib/flow/calendar.h"
#include "lib/flow/profile.h"

enum wait {
	WAIT_NOTHING, /* due at due_at */
	WAIT_ENDED, /* stopped, withdrawn, rejected, superseded, expired: nothing more comes */
	WAIT_DONE, /* all stages are done */
	WAIT_HOLD, /* staff hold */
	WAIT_REVIEW, /* a person must decide */
	WAIT_CONFIRM, /* the address has not been confirmed */
	WAIT_APPROVAL,
	WAIT_PREVIOUS, /* the mail server has not taken the previous notice */
};
const char *wait_name(enum wait wait);

struct due {
	enum wait wait;
	/* WAIT_NOTHING: not before. WAIT_HOLD, WAIT_REVIEW, WAIT_APPROVAL: when it would be due. UTC_NEVER: it can't be said. Can
	 * lie in the past, after downtime or a hold: whoever queues asks calendar_is_open() for this moment, unless the stage is
	 * at_once. */
	utc_time at;
	utc_time earliest; /* by the distances alone (the target, where one is set), before office hours */
	utc_time latest; /* last second of the latest day; UTC_NEVER: none */
	civil_day moved_from; /* CIVIL_DAY_NONE, or the day that was closed */
	const char *moved_why; /* its name: 天皇誕生日; as calendar_closed() */
};

/* The day an application's clock starts: applied_on if it is there, not after the day of received_at and not more than backdate_max
 * days before it; else the day of received_at. *too_old: it was older (review). *future: it was after. */
civil_day cadence_clock_start(
	civil_day applied_on, utc_time received_at, int backdate_max, bool *too_old, bool *future);

/* When the next stage (app->stage) of this application is due. Reads state, hold, stage, approved, clock_start, received_at,
 * previous_sent_at. */
struct due cadence_due(
	const struct application *app, const struct profile *profile, const struct calendar *calendar);

/* A latest day that is closer than `days` and whose notice is not due before it, or is past: true. */
bool cadence_alarm(const struct due *due, utc_time now, int days);

#endif
