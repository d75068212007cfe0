/*
 * desk.h - the role desk: what the office does by the clock besides its notices
 *
 * A table of jobs, each a function that looks whether it is time, does a bounded piece of work (well under a second, a few milliseconds a transaction) and says when it
 * wants to run again. Books, digest, alarms, report, public lists, purge, metrics. No network; one job that fails is logged and does not hold up the others.
 */
#ifndef SENGEN_DESK_H
#define SENGEN_DESK_H

#include "daemon/role.h"

struct desk_job {
	const char *name; /* "digest" */
	/* *next as in struct role's step. `state` belongs to the job, zeroed at start. */
	enum rc (*run)(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err);
	void (*stop)(void **state); /* may be NULL */
};
extern const struct desk_job desk_jobs[]; /* .name == NULL ends */

/* The next moment of that time of day, today's if it is still to come. For jobs done once a day: fact `desk.NAME` has the last day. */
utc_time desk_next(civil_day done_on, const char *time_of_day, utc_time now);

#endif
