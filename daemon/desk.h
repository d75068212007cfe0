/*
 * desk.h - the role desk: what the office does by the clock besides its notices
 *
 * A table of jobs, each a function that looks whether it is time, does a bounded piece of work (well under a second, a few milliseconds a transaction) and says when it
 * wants to run again. Books, digest, alarms, report, public lists, purge, metrics. No network; one job that fails is logged, tried again after a growing pause, and does
 * not hold up the others.
 */
#ifndef SENGEN_DESK_H
#define SENGEN_DESK_H

#include "daemon/role.h"

/* *next as in struct role's step; before the call it is UTC_NEVER. `state` belongs to the job, NULL at start. */
typedef enum rc desk_run_fn(
	struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err);

struct desk_job {
	const char *name; /* "digest" */
	desk_run_fn *run;
	void (*stop)(void **state); /* may be NULL */
	bool by_minute; /* shows the present to people: left out on the virtual clock, where it would be done half a million times a year */
};
desk_run_fn desk_daily;
desk_run_fn desk_books;
desk_run_fn desk_digests;
desk_run_fn desk_digest;
desk_run_fn desk_alarms;
desk_run_fn desk_metrics;
desk_run_fn desk_report;
desk_run_fn desk_purge;
void desk_books_stop(void **state);
desk_run_fn desk_publish;
void desk_publish_stop(void **state);
void desk_purge_stop(void **state);

/* In the order they run when several are due since the same moment, else the longest due first; .name == NULL ends. One file a job: desk_NAME.c. */
extern const struct desk_job desk_jobs[];

/* ---- for jobs done once a day: fact `desk.NAME` has the last day ---- */

/* The next moment of that time of day, today's if it was not done today: at or before now when it is time. A day that has not come stands there because a clock was wrong
 * once, and counts for nothing; but for tomorrow shortly before midnight. */
utc_time desk_next(civil_day done_on, const char *time_of_day, utc_time now);
/* CIVIL_DAY_NONE: never. */
enum rc desk_done_on(struct role_context *ctx, const char *name, civil_day *day, struct err *err);
/* Notes the day; begins no transaction of its own. */
enum rc desk_done(struct role_context *ctx, const char *name, civil_day day, struct err *err);

#endif
