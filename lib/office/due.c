#include "lib/office/office_p.h"

#include <inttypes.h>
#include <time.h>

#include "lib/base/log.h"

#define BATCH 50 /* applications a transaction: some ten milliseconds, of which the disk has a good part */
#define PAUSE_NS 1000000 /* between two, so that another process gets the lock */

#define REVIEW_STAGE "現在の状態からは次の段階へ進めません。"

struct run {
	struct office *office;
	int left; /* stages that may still be carried out */
	int done;
	bool closed; /* something waits for office hours */
	bool asked; /* something waits for an answer to the ceiling */
	bool paused; /* meanwhile */
	bool blocked[CEILING_KINDS];
};

/* ---- one application ---- */

static enum rc run_stage(struct run *run, struct application *app, enum ceiling_kind kind, struct err *err)
{
	bool yes = false;
	enum rc rc = ceiling_allows(run->office, kind, &yes, err);
	if (rc != RC_OK)
		return rc;
	if (!yes) {
		run->asked = run->blocked[kind] = true;
		return RC_OK;
	}
	rc = office_run_stage(run->office, app, ACTOR_DAEMON, NULL, err);
	if (rc == RC_REFUSED) /* its rules don't fit its state: one case must not stop the others */
		rc = office_review(run->office, app, REVIEW_STAGE, 0, err);
	if (rc == RC_OK && app->hold == HOLD_NONE)
		rc = ceiling_count(run->office, kind, err);
	run->done++;
	run->left--;
	return rc;
}

static enum rc expire(struct run *run, struct application *app, struct err *err)
{
	struct act act = {.event = EVENT_EXPIRE, .stage = STAGE_NONE, .on = CIVIL_DAY_NONE};
	run->done++;
	run->left--;
	return office_advance(run->office, app, &act, err);
}

/* What was found due is read again inside the transaction: it decides, not what was seen before. */
static enum rc carry_out(struct run *run, int64_t id, struct pool *pool, struct err *err)
{
	struct office *office = run->office;
	utc_time now = clock_now(office->clock);
	struct application app;
	struct due due;
	const struct rules *rules;
	enum rc rc = application_get(office->store, id, &app, pool, err);
	if (rc == RC_OK)
		rc = rules_get(office, app.template_set, &rules, err);
	if (rc != RC_OK || !state_is_live(app.state) || app.hold != HOLD_NONE || app.due_at > now)
		return rc;
	utc_time was_due = app.due_at;
	rc = office_reckon(office, &app, &due, err);
	if (rc != RC_OK)
		return rc;
	if (due.wait == WAIT_CONFIRM && app.due_at <= now)
		return expire(run, &app, err);
	if (due.wait != WAIT_NOTHING || due.at > now)
		return app.due_at == was_due ? RC_OK : application_update(office->store, &app, err);
	const struct stage *stage = &rules->profile.stage[app.stage];
	if (!stage->at_once && !calendar_is_open(&office->settings->calendar, now)) {
		run->closed = run->blocked[CEILING_STAGES] = true;
		return RC_OK;
	}
	return run_stage(run, &app, ceiling_kind_of(stage), err);
}

/* ---- the run ---- */

/* Does it belong to a kind that waits? Looked up without the write lock: what waits may be much. */
static enum rc is_blocked(struct run *run, int64_t id, struct pool *pool, bool *blocked, struct err *err)
{
	*blocked = false;
	if (!run->blocked[CEILING_AT_ONCE] && !run->blocked[CEILING_STAGES])
		return RC_OK;
	struct application app;
	const struct rules *rules;
	enum rc rc = application_get(run->office->store, id, &app, pool, err);
	if (rc == RC_OK)
		rc = rules_get(run->office, app.template_set, &rules, err);
	if (rc == RC_OK && app.state != STATE_UNCONFIRMED && app.stage >= 0 &&
		app.stage < rules->profile.stage_count)
		*blocked = run->blocked[ceiling_kind_of(&rules->profile.stage[app.stage])];
	return rc;
}

static enum rc run_batch(
	struct run *run, const struct due_ref *ref, int count, struct pool *pool, struct err *err)
{
	bool yes = false;
	enum rc rc = store_begin(run->office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = office_may_decide(run->office, &yes, err); /* somebody may have paused it since the step began */
	run->paused = rc == RC_OK && !yes;
	for (int i = 0; rc == RC_OK && yes && i < count; i++)
		rc = carry_out(run, ref[i].id, pool, err);
	if (rc == RC_OK)
		rc = store_commit(run->office->store, err);
	if (rc != RC_OK)
		store_rollback(run->office->store);
	return rc;
}

static void let_others_write(const struct office *office)
{
	if (!office->clock->is_virtual && store_is_awaited(office->store))
		(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
}

static enum rc run_due(struct run *run, struct pool *pool, struct err *err)
{
	struct office *office = run->office;
	utc_time now = clock_now(office->clock), after_due = INT64_MIN;
	int64_t after_id = 0;
	while (run->left > 0) {
		struct due_ref found[BATCH], wanted[BATCH];
		int found_count, count = 0, room = run->left < BATCH ? run->left : BATCH;
		enum rc rc = application_due(
			office->store, now, after_due, after_id, found, room, &found_count, err);
		for (int i = 0; rc == RC_OK && i < found_count; i++) {
			bool blocked;
			rc = is_blocked(run, found[i].id, pool, &blocked, err);
			if (!blocked)
				wanted[count++] = found[i];
			after_due = found[i].due_at;
			after_id = found[i].id;
		}
		if (rc == RC_OK && count > 0) {
			rc = run_batch(run, wanted, count, pool, err);
			let_others_write(office);
		}
		pool_reset(pool);
		if (rc != RC_OK || run->paused || found_count < room)
			return rc;
	}
	return RC_OK;
}

/* When to come again: at once for what was left over, else for what is due next, when the office opens, and when the day changes. */
static enum rc next_time(const struct run *run, utc_time *next, struct err *err)
{
	struct office *office = run->office;
	utc_time now = clock_now(office->clock);
	struct due_ref ref;
	int count;
	*next = civil_moment(civil_day_of(now) + 1, 0);
	if (run->closed) {
		utc_time opens = calendar_next_open(&office->settings->calendar, now);
		*next = opens < *next ? opens : *next;
	}
	if (run->left <= 0) {
		*next = now;
		return RC_OK;
	}
	/* Whatever is due by now was looked at, and waits for something else. */
	enum rc rc = application_due(office->store, UTC_NEVER - 1, now, INT64_MAX, &ref, 1, &count, err);
	if (rc == RC_OK && count && ref.due_at < *next)
		*next = ref.due_at;
	return rc;
}

/* ---- once a day ---- */

struct announced {
	civil_day today;
	int64_t id[BATCH];
	int count;
};

static enum rc find_announced(void *ctx, const struct application *app, struct err *err)
{
	struct announced *announced = ctx;
	(void)err;
	if (office_stop_pending(app) && app->stopped_on <= announced->today && announced->count < BATCH)
		announced->id[announced->count++] = app->id;
	return RC_OK;
}

static enum rc stop_announced(struct office *office, int64_t id, struct pool *pool, struct err *err)
{
	struct application app;
	enum rc rc = application_get(office->store, id, &app, pool, err);
	if (rc != RC_OK || !office_stop_pending(&app))
		return rc;
	struct act act = {
		.event = EVENT_STOP, .stage = STAGE_NONE, .note = app.hold_reason, .on = app.stopped_on};
	int64_t step_up_id = 0;
	rc = office_advance(office, &app, &act, err);
	/* A stop ends both, also a step-up that began after it was announced. */
	if (rc == RC_OK)
		rc = application_step_up_of(office->store, id, &step_up_id, err);
	if (rc != RC_OK || step_up_id == 0)
		return rc;
	rc = application_get(office->store, step_up_id, &app, pool, err);
	return rc == RC_OK && state_is_live(app.state) ? office_advance(office, &app, &act, err) : rc;
}

/* Stops whose day has come. Held ones are few: they are looked through when the day changes, not found by an index. */
static enum rc stop_all_announced(struct run *run, struct pool *pool, struct err *err)
{
	struct office *office = run->office;
	struct application_filter filter = {.hold = HOLD_STAFF, .live_only = true};
	enum rc rc;
	struct announced announced;
	do {
		announced = (struct announced){.today = office_today(office)};
		rc = application_each(office->store, &filter, false, find_announced, &announced, err);
		if (rc == RC_OK && announced.count)
			rc = store_begin(office->store, err);
		if (rc != RC_OK || announced.count == 0)
			return rc;
		for (int i = 0; rc == RC_OK && i < announced.count; i++)
			rc = stop_announced(office, announced.id[i], pool, err);
		if (rc == RC_OK)
			rc = store_commit(office->store, err);
		if (rc != RC_OK)
			store_rollback(office->store);
		run->done += announced.count;
	} while (rc == RC_OK);
	return rc;
}

static enum rc new_day(struct run *run, struct pool *pool, struct err *err)
{
	bool changed;
	enum rc rc = ceiling_day_changed(run->office, &changed, err);
	if (rc != RC_OK || !changed)
		return rc;
	rc = stop_all_announced(run, pool, err);
	rc = rc ? rc : ceiling_new_day(run->office, err);
	int64_t late = 0;
	rc = rc ? rc : office_late(run->office, &late, err);
	if (rc == RC_OK && late > 0)
		log_event(LEVEL_FAULT, "notices.late", "applications=%" PRId64, late);
	return rc;
}

/* Nearly always there is nothing to do: that is found out by a few look-ups in an index, at one moment. *next: as next_time() has it. */
static enum rc is_idle(struct office *office, bool *idle, utc_time *next, struct err *err)
{
	bool may = false, changed = false;
	struct due_ref first = {.due_at = UTC_NEVER};
	int count = 0;
	*idle = true;
	enum rc rc = store_look(office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = office_may_decide(office, &may, err);
	if (rc == RC_OK && may)
		rc = ceiling_day_changed(office, &changed, err);
	if (rc == RC_OK && may && !changed)
		rc = application_due(office->store, UTC_NEVER - 1, INT64_MIN, 0, &first, 1, &count, err);
	store_looked(office->store);
	if (rc == RC_OK && count && first.due_at < *next)
		*next = first.due_at;
	*idle = !may || (!changed && *next > clock_now(office->clock));
	return rc;
}

enum rc office_run_due(struct office *office, int limit, struct step_result *out, struct err *err)
{
	struct run run = {.office = office, .left = limit};
	bool idle;
	*out = (struct step_result){.next_at = civil_moment(office_today(office) + 1, 0)};
	enum rc rc = is_idle(office, &idle, &out->next_at, err);
	if (rc != RC_OK || idle)
		return rc;
	struct pool *pool = pool_new();
	rc = new_day(&run, pool, err);
	if (rc == RC_OK)
		rc = run_due(&run, pool, err);
	pool_free(&pool);
	if (rc == RC_OK && !run.paused)
		rc = next_time(&run, &out->next_at, err);
	out->done = run.done;
	out->asked = run.asked;
	return rc;
}
