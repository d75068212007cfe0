/* The role desk: runs its jobs one a step, so that a slow one delays nobody's heartbeat. */
#include "daemon/desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/zygote.h"
#include "lib/base/log.h"

#define PAUSE_FIRST 60 /* seconds before a job that failed is tried again */
#define PAUSE_LAST 3600
#define CLOCK_TREMBLES 60 /* seconds that it may step back without waking anybody */
#define TWICE_SECONDS 3600 /* so long before midnight the day that comes may have begun already */

const struct desk_job desk_jobs[] = {
	{.name = "daily", .run = desk_daily},
	{.name = "books", .run = desk_books, .stop = desk_books_stop},
	{.name = "digest", .run = desk_digest},
	{.name = "alarms", .run = desk_alarms, .by_minute = true},
	{.name = "metrics", .run = desk_metrics, .by_minute = true},
	{.name = "report", .run = desk_report, .by_minute = true},
	{.name = "publish", .run = desk_publish, .stop = desk_publish_stop},
	{.name = "purge", .run = desk_purge, .stop = desk_purge_stop},
	{.name = "digests", .run = desk_digests},
	{0},
};

#define JOBS (sizeof desk_jobs / sizeof *desk_jobs)

struct desk {
	struct desk_progress {
		void *state; /* the job's own */
		utc_time next;
		int64_t pause; /* after an error; 0: the last run went well */
		char fault[sizeof((struct err){0}).text]; /* logged once, not at each try */
	} job[JOBS];
	utc_time looked_at; /* the last step */
};

/* ---- once a day ---- */

utc_time desk_next(civil_day done_on, const char *time_of_day, utc_time now)
{
	civil_day today = civil_day_of(now);
	utc_time midnight = civil_moment(today + 1, 0);
	bool done = done_on == today || (done_on == today + 1 && now >= midnight - TWICE_SECONDS);
	return civil_moment(done ? done_on + 1 : today, settings_minutes(time_of_day));
}

static void fact_name(char *out, size_t size, const char *name)
{
	(void)snprintf(out, size, "desk.%s", name);
}

enum rc desk_done_on(struct role_context *ctx, const char *name, civil_day *day, struct err *err)
{
	char fact[64];
	struct str value = STR_INIT;
	fact_name(fact, sizeof fact, name);
	enum rc rc = fact_get(ctx->office.store, fact, &value, err);
	*day = !rc && value.len > 0 ? civil_day_read(value.s) : CIVIL_DAY_NONE;
	str_free(&value);
	return rc;
}

enum rc desk_done(struct role_context *ctx, const char *name, civil_day day, struct err *err)
{
	char fact[64];
	struct str value = STR_INIT;
	fact_name(fact, sizeof fact, name);
	civil_day_print(&value, day);
	enum rc rc = fact_set(ctx->office.store, fact, value.s, err);
	str_free(&value);
	return rc;
}

/* ---- the role ---- */

static enum rc desk_start(struct role_context *ctx, struct err *err)
{
	(void)err;
	struct desk *desk = xcalloc(1, sizeof *desk);
	for (size_t i = 0; i < JOBS; i++)
		if (ctx->simulating && desk_jobs[i].by_minute)
			desk->job[i].next = UTC_NEVER;
	ctx->state = desk;
	return RC_OK;
}

static void job_fault(
	const struct desk_job *job, struct desk_progress *progress, utc_time now, const struct err *err)
{
	progress->pause = progress->pause ? progress->pause * 2 : PAUSE_FIRST;
	if (progress->pause > PAUSE_LAST)
		progress->pause = PAUSE_LAST;
	progress->next = now + progress->pause;
	if (strcmp(progress->fault, err->text) == 0)
		return;
	memcpy(progress->fault, err->text, sizeof progress->fault);
	log_event(LEVEL_FAULT, "desk.fault", "job=%s rc=%s reason=\"%s\"", job->name, rc_name(err->rc),
		err->text);
}

static void job_run(
	struct role_context *ctx, const struct desk_job *job, struct desk_progress *progress, utc_time now)
{
	struct err fault = {0};
	utc_time next = UTC_NEVER;
	if (job->run(ctx, &progress->state, now, &next, &fault)) {
		if (store_in_transaction(ctx->office.store))
			store_rollback(ctx->office.store);
		job_fault(job, progress, now, &fault);
		return;
	}
	if (progress->pause)
		log_event(LEVEL_NOTICE, "desk.well", "job=%s", job->name);
	progress->pause = 0;
	progress->fault[0] = '\0';
	progress->next = next;
}

/* The job that is due for longest, so that one with a lot to do holds up no other; JOBS: none is. */
static size_t job_due(const struct desk *desk, utc_time now)
{
	size_t due = JOBS;
	for (size_t i = 0; desk_jobs[i].name; i++)
		if (desk->job[i].next <= now && (due == JOBS || desk->job[i].next < desk->job[due].next))
			due = i;
	return due;
}

static enum rc desk_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	(void)err;
	struct desk *desk = ctx->state;
	*next = UTC_NEVER;
	/* The clock was set back: what was planned by the wrong time is looked at anew. */
	for (size_t i = 0; desk_jobs[i].name && now < desk->looked_at - CLOCK_TREMBLES; i++)
		if (desk->job[i].next != UTC_NEVER)
			desk->job[i].next = now;
	desk->looked_at = now;
	size_t due = job_due(desk, now);
	if (due < JOBS)
		job_run(ctx, &desk_jobs[due], &desk->job[due], now);
	for (size_t i = 0; desk_jobs[i].name; i++)
		if (desk->job[i].next < *next)
			*next = desk->job[i].next;
	return RC_OK;
}

static void desk_stop(struct role_context *ctx, int64_t deadline_ms)
{
	(void)deadline_ms; /* a step leaves nothing open */
	struct desk *desk = ctx->state;
	for (size_t i = 0; desk && desk_jobs[i].name; i++)
		if (desk_jobs[i].stop)
			desk_jobs[i].stop(&desk->job[i].state);
	free(desk);
	ctx->state = NULL;
}

/* New settings may name other times. */
static void desk_reload(struct role_context *ctx)
{
	struct desk *desk = ctx->state;
	for (size_t i = 0; desk_jobs[i].name; i++)
		if (!ctx->simulating || !desk_jobs[i].by_minute)
			desk->job[i].next = 0;
}

const struct role role_desk = {
	.name = "desk",
	.writes = true,
	/* It looks through the register, once each evening: what it has passed it does not want again. */
	.keeps_kib = 2048,
	.children = CHILD_BIT(CHILD_FORM),
	.start = desk_start,
	.step = desk_step,
	.stop = desk_stop,
	.reload = desk_reload,
};
