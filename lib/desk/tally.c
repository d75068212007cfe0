#include "lib/desk/tally.h"

#include <limits.h>

const int age_limit[AGE_BUCKETS] = {1, 3, 7, 14, 21, 28, 56, INT_MAX};

_Static_assert(AGE_BUCKETS == WAITING_AGES, "the register counts the ages that are shown");

static enum rc count_one(void *ctx, const struct application *app, struct err *err)
{
	(void)app;
	(void)err;
	++*(int64_t *)ctx;
	return RC_OK;
}

static enum rc take_waiting(struct office *office, struct tally *tally, struct err *err)
{
	struct waiting_books waiting;
	utc_time since[AGE_BUCKETS] = {0};
	for (int i = 0; i < AGE_BUCKETS - 1; i++)
		since[i] = civil_moment(tally->today - age_limit[i], 0);
	enum rc rc = books_of_waiting(office->store, since, &waiting, err);
	if (rc)
		return rc;
	for (int state = 0; state < STATE_COUNT; state++) {
		tally->waiting[state] = waiting.waiting[state];
		for (int i = 0; i < AGE_BUCKETS; i++)
			tally->age[state][i] = waiting.age[state][i];
	}
	tally->oldest_queued = waiting.oldest_queued;
	tally->open_batches = waiting.open_batches;
	return RC_OK;
}

static enum rc take_due(struct office *office, struct tally *tally, struct err *err)
{
	int64_t due[2][STAGE_MAX];
	const struct application_filter overdue = {.hold = -1, .live_only = true, .overdue_at = tally->at};
	enum rc rc = office_plan(office, tally->today, tally->today + 1, NULL, NULL, due, err);
	for (int stage = 0; stage < STAGE_MAX && !rc; stage++) {
		tally->due_today += due[0][stage];
		tally->due_tomorrow += due[1][stage];
	}
	return rc ? rc : application_each(office->store, &overdue, false, count_one, &tally->overdue, err);
}

enum rc tally_make(struct office *office, int days, struct tally *out, struct pool *pool, struct err *err)
{
	*out = (struct tally){.at = clock_now(office->clock)};
	out->today = civil_day_of(out->at);
	out->from = out->today - (days > 1 ? days - 1 : 0);
	out->daily = pool_alloc(pool, (size_t)(out->today - out->from + 1) * sizeof *out->daily);
	enum rc rc = store_standing(office->store, &out->books, err);
	rc = rc ? rc : office_holds(office, &out->holds, err);
	rc = rc ? rc : take_due(office, out, err);
	rc = rc ? rc : take_waiting(office, out, err);
	rc = rc ? rc : daily_get(office->store, out->from, out->today, out->daily, err);
	rc = rc ? rc : daily_last(office->store, out->last, err);
	if (rc)
		return rc;
	out->review_applications = out->books.review;
	out->review_requests = out->books.requests[REQUEST_STATE_REVIEW];
	out->asked_requests = out->books.requests[REQUEST_STATE_ASKED];
	for (int state = OUTBOX_QUEUED; state <= OUTBOX_CANCELLED; state++)
		out->outbox[state] = out->books.outbox[state];
	return RC_OK;
}
