/*
 * The desk's job "publish": the public lists once a day at publish_at, and again within minutes where somebody stopped or was corrected.
 *
 * What ends leaves the search page at the next look (gone.js), half a minute later at most; CSV and PDF, which can't be changed in place, are written anew at once, but not
 * more often than every REWRITE_SECONDS, however many stop. A list is written a bit a step, so that the other jobs of the desk, and striking, go on meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/desk.h"
#include "lib/base/log.h"
#include "lib/desk/public_list.h"

#define LOOK_SECONDS 30 /* between looks for what ended */
#define REWRITE_SECONDS 300
#define PDF_SECONDS 3600 /* until a PDF that failed is tried again */
#define STEP_MS 200
#define SETTLE_MS 100

struct publishing {
	struct public_writer *writer; /* NULL: nothing is being written */
	utc_time began_at; /* the last one */
	utc_time struck_at; /* the last look for what ended */
	char pdf_fault[sizeof((struct err){0}).text]; /* of the last one; logged once */
};

static enum rc settle(struct role_context *ctx, bool *more, struct err *err)
{
	int64_t until = clock_machine_ms() + SETTLE_MS;
	enum rc rc;
	do
		rc = office_settle_public(&ctx->office, more, err);
	while (!rc && *more && clock_machine_ms() < until);
	return rc;
}

static enum rc note_done(struct role_context *ctx, utc_time now, struct err *err)
{
	struct store *store = ctx->office.store;
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : desk_done(ctx, "publish", civil_day_of(now), err);
	return rc ? rc : store_commit(store, err);
}

static void note_pdf(struct publishing *publishing, const struct err *fault)
{
	if (strcmp(publishing->pdf_fault, fault->text) == 0)
		return;
	memcpy(publishing->pdf_fault, fault->text, sizeof publishing->pdf_fault);
	if (fault->rc)
		log_event(LEVEL_FAULT, "desk.fault", "job=publish rc=%s reason=\"%s\"", rc_name(fault->rc),
			fault->text);
	else
		log_event(LEVEL_NOTICE, "desk.well", "job=publish");
}

/* A bit of the list; once it is in place, it is entered. */
static enum rc write_some(
	struct role_context *ctx, struct publishing *publishing, utc_time now, struct err *err)
{
	struct public_progress progress;
	enum rc rc = public_writer_step(publishing->writer, STEP_MS, &progress, err);
	if (!rc && !progress.finished)
		return RC_OK;
	public_writer_close(&publishing->writer);
	rc = rc ? rc : public_list_record(&ctx->office, &progress.written, "daemon", err);
	rc = rc ? rc : note_done(ctx, now, err);
	if (!rc) {
		log_event(LEVEL_NOTICE, "public.written", "rows=%" PRId64, progress.written.rows);
		note_pdf(publishing, &progress.pdf_fault);
	}
	return rc;
}

static enum rc begin(struct role_context *ctx, struct publishing *publishing, utc_time now, struct err *err)
{
	publishing->began_at = now;
	return public_writer_open(
		&publishing->writer, &ctx->office, ctx->settings->public_directory, PUBLIC_FORMS, err);
}

/* Takes what ended off the page; whether something did, or a new list is wanted because no name can be struck, for what somebody damaged or took away. */
static bool strike(struct role_context *ctx, struct publishing *publishing, utc_time now)
{
	bool ended;
	struct err damaged = {0};
	publishing->struck_at = now;
	return public_list_strike(&ctx->office, ctx->settings->public_directory, &ended, &damaged) != RC_OK ||
	       ended;
}

static bool is_past(utc_time at, int seconds, utc_time now)
{
	return now >= at + seconds || now < at; /* the clock was set back */
}

/* Whether a list is wanted now; else when to look again. */
static enum rc look(struct role_context *ctx, struct publishing *publishing, utc_time now, bool *wanted,
	utc_time *next, struct err *err)
{
	civil_day done;
	enum rc rc = desk_done_on(ctx, "publish", &done, err);
	if (rc)
		return rc;
	bool ended = strike(ctx, publishing, now);
	utc_time daily = desk_next(done, ctx->settings->publish_at, now);
	*wanted = daily <= now || (ended && is_past(publishing->began_at, REWRITE_SECONDS, now)) ||
		  (*publishing->pdf_fault && is_past(publishing->began_at, PDF_SECONDS, now));
	/* On the virtual clock nobody waits for a page. */
	*next = ctx->simulating || daily < now + LOOK_SECONDS ? daily : now + LOOK_SECONDS;
	return RC_OK;
}

enum rc desk_publish(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	struct publishing *publishing = *state ? *state : xcalloc(1, sizeof *publishing);
	bool more, wanted = false;
	*state = publishing;
	enum rc rc = settle(ctx, &more, err);
	if (!rc && more)
		*next = now;
	if (rc || more || !ctx->settings->public_directory)
		return rc;
	if (publishing->writer) {
		if (is_past(publishing->struck_at, LOOK_SECONDS, now))
			(void)strike(ctx, publishing, now);
	} else {
		rc = look(ctx, publishing, now, &wanted, next, err);
		if (!rc && wanted)
			rc = begin(ctx, publishing, now, err);
	}
	if (!rc && publishing->writer) {
		*next = now;
		rc = write_some(ctx, publishing, now, err);
	}
	return rc;
}

void desk_publish_stop(void **state)
{
	struct publishing *publishing = *state;
	if (publishing)
		public_writer_close(&publishing->writer);
	free(publishing);
	*state = NULL;
}
