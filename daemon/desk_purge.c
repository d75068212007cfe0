/* purge: what is past its time is erased, once a day or when somebody asks; and what was erased is taken from the disk */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/desk.h"
#include "lib/base/log.h"
#include "lib/desk/purge.h"

#define ITEMS_A_STEP 64
#define SCRUBS_A_STEP 64 /* each a transaction of its own */
#define LATER 60 /* seconds until what could not go yet is looked at again */
#define LOOK 10 /* seconds between looks whether somebody erased something, or wants a purge now */

struct purge_job {
	struct purge_cursor cursor;
	struct purge_result sum;
	char *actor; /* owned; of the run that goes on; NULL: none does */
	struct purge_scrubbed pass;
	bool sweep; /* asked for by a run, until a pass left nothing behind */
};

/* Who asked for a run now (sengenctl purge); "" nobody. */
static enum rc asked_by(struct role_context *ctx, struct str *actor, struct err *err)
{
	return fact_get(ctx->office.store, FACT_PURGE_ASKED, actor, err);
}

static enum rc begin_run(
	struct role_context *ctx, struct purge_job *job, utc_time now, utc_time *next, struct err *err)
{
	civil_day done_on;
	struct str actor = STR_INIT;
	enum rc rc = desk_done_on(ctx, "purge", &done_on, err);
	rc = rc ? rc : asked_by(ctx, &actor, err);
	if (!rc) {
		utc_time due = desk_next(done_on, ctx->settings->purge_at, now);
		if (actor.len > 0 || due <= now) {
			job->actor = xstrdup(actor.len > 0 ? actor.s : "daemon");
			job->cursor = (struct purge_cursor){0};
			job->sum = (struct purge_result){0};
		} else {
			*next = due;
		}
	}
	str_free(&actor);
	return rc;
}

static enum rc end_run(struct role_context *ctx, struct purge_job *job, utc_time now, struct err *err)
{
	struct store *store = ctx->office.store;
	enum rc rc = store_begin(store, err);
	if (rc)
		return rc;
	rc = desk_done(ctx, "purge", civil_day_of(now), err);
	rc = rc ? rc : fact_set(store, FACT_PURGE_ASKED, NULL, err);
	rc = rc ? rc : store_commit(store, err);
	store_rollback(store);
	if (rc)
		return rc;
	const int64_t *erased = job->sum.erased, *kept = job->sum.kept;
	int64_t all_kept = 0;
	for (int kind = 0; kind < RETAINED_COUNT; kind++)
		all_kept += kept[kind];
	log_event(LEVEL_NOTICE, "purge.done",
		"rows=%" PRId64 " survey=%" PRId64 " mail=%" PRId64 " letter=%" PRId64 " ended=%" PRId64
		" file=%" PRId64 " refused=%" PRId64 " public=%" PRId64 " stray=%" PRId64 " kept=%" PRId64,
		job->sum.rows, erased[RETAINED_SURVEY], erased[RETAINED_MAIL], erased[RETAINED_LETTER],
		erased[RETAINED_ENDED], erased[RETAINED_FILE], erased[RETAINED_REFUSED],
		erased[RETAINED_PUBLIC], erased[RETAINED_STRAY], all_kept);
	free(job->actor);
	job->actor = NULL;
	return RC_OK;
}

static enum rc go_on(struct role_context *ctx, struct purge_job *job, struct err *err)
{
	struct purge_result step;
	enum rc rc = purge_run(
		&ctx->office, &job->cursor, false, ITEMS_A_STEP, job->actor, NULL, NULL, &step, err);
	for (int kind = 0; kind < RETAINED_COUNT; kind++) {
		job->sum.erased[kind] += step.erased[kind];
		job->sum.kept[kind] += step.kept[kind];
	}
	job->sum.rows += step.rows;
	job->sum.more = step.more;
	return rc;
}

/* Takes what was erased from the disk. *again: when to look next. What can't be removed is told behind the others, and tried again. */
static enum rc scrub(
	struct role_context *ctx, struct purge_job *job, utc_time now, utc_time *again, struct err *err)
{
	enum rc rc = purge_scrub(&ctx->office, job->sweep, SCRUBS_A_STEP, &job->pass, err);
	const struct purge_scrubbed pass = job->pass;
	*again = now + (pass.rest ? 0 : pass.waiting ? LATER : LOOK);
	if (rc || pass.rest)
		return rc;
	job->pass = (struct purge_scrubbed){0};
	job->sweep = job->sweep && pass.left.rc;
	if (pass.removed)
		log_event(LEVEL_NOTICE, "purge.removed", "files=%d", pass.removed);
	if (pass.left.rc)
		*err = pass.left;
	else if (ctx->simulating && !pass.waiting)
		*again = UTC_NEVER; /* on the virtual clock nobody asks for anything in between */
	return pass.left.rc;
}

/* A restored register waits for a person: until then nothing in it changes. */
enum rc desk_purge(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	struct purge_job *job = *state;
	if (store_restored(ctx->office.store) != RESTORED_NO) {
		*next = now + LATER;
		return RC_OK;
	}
	if (!job)
		*state = job = xcalloc(1, sizeof *job);
	enum rc rc = job->actor ? RC_OK : begin_run(ctx, job, now, next, err);
	if (!rc && job->actor) {
		rc = go_on(ctx, job, err);
		*next = now; /* the rest, or when the next run is */
		if (!rc && !job->sum.more) {
			job->sweep = true;
			rc = end_run(ctx, job, now, err);
		}
		return rc;
	}
	utc_time again = now;
	rc = rc ? rc : scrub(ctx, job, now, &again, err);
	if (*next > again)
		*next = again;
	return rc;
}

void desk_purge_stop(void **state)
{
	struct purge_job *job = *state;
	if (job)
		free(job->actor);
	free(job);
	*state = NULL;
}
