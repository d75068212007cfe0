/*
 * tally.h - the office at a glance: what digest, report, health and status all show, reckoned in one place
 */
#ifndef SENGEN_TALLY_H
#define SENGEN_TALLY_H

#include "lib/desk/books.h"

#define AGE_BUCKETS 8
extern const int age_limit[AGE_BUCKETS]; /* days: 1, 3, 7, 14, 21, 28, 56, INT_MAX */

struct tally {
	utc_time at;
	civil_day today;
	struct books books; /* counts by state */
	struct office_holds holds;
	int64_t due_today, due_tomorrow; /* notices by plan */
	int64_t overdue; /* past their latest day */
	int64_t waiting[STATE_COUNT]; /* live, not all done, by state */
	int64_t age[STATE_COUNT][AGE_BUCKETS]; /* of those, by days since received */
	int64_t review_applications, review_requests, asked_requests;
	int64_t outbox[OUTBOX_CANCELLED + 1];
	utc_time oldest_queued; /* 0: the outbox is empty */
	int64_t open_batches;
	int64_t (*daily)[DAILY_COUNT]; /* of days from..today, in the pool */
	civil_day from;
	utc_time last[DAILY_COUNT]; /* daily_last() */
};
/* days: how many of the past are wanted, today included. Within a second on 1,000,000 declarations. */
enum rc tally_make(struct office *office, int days, struct tally *out, struct pool *pool, struct err *err);

#endif
