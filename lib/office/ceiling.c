/*
 * ceiling.c - the office as a whole: a restored store, and the question "far more is due than usual?"
 *
 * Facts, each one line of plain text; days in the office's zone:
 *   ceiling.queued        DAY AT_ONCE STAGES       queued on that day
 *   ceiling.limit         DAY STAGES               what that day allows; receipts have their ceiling in the configuration
 *   ceiling.forecast      DAY N1 … N10             made on DAY: stage notices of the ten days after it
 *   ceiling.released.KIND N                        so many more may go beyond the limit: staff said so
 * The question itself is a batch that waits (batch.c): BATCH_RECEIPTS, BATCH_STAGES.
 */
#include "lib/office/office_p.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

#define FORECAST_DAYS 10 /* the longest time an office is closed: 12/29-1/3 between two weekends */

#define FACT_QUEUED "ceiling.queued"
#define FACT_LIMIT "ceiling.limit"
#define FACT_FORECAST "ceiling.forecast"

static const struct {
	const char *name, *released;
	enum batch_reason reason;
} kinds[CEILING_KINDS] = {
	[CEILING_AT_ONCE] = {"receipts", "ceiling.released.receipts", BATCH_RECEIPTS},
	[CEILING_STAGES] = {"stages", "ceiling.released.stages", BATCH_STAGES},
};

/* Receipts and whatever else follows a form at once come as forms come: no forecast knows them. */
enum ceiling_kind ceiling_kind_of(const struct stage *stage)
{
	return stage->at_once ? CEILING_AT_ONCE : CEILING_STAGES;
}

/* ---- facts ---- */

/* Reads "DAY number number …"; numbers that are not there are 0. The day is CIVIL_DAY_NONE when there is no such fact. */
static enum rc read_fact(
	struct office *office, const char *name, civil_day *day, int64_t *number, int count, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(office->store, name, &value, err);
	memset(number, 0, (size_t)count * sizeof *number);
	*day = CIVIL_DAY_NONE;
	if (rc == RC_OK && value.len) {
		char *at = value.s + strcspn(value.s, " ");
		if (*at)
			*at++ = '\0';
		*day = civil_day_read(value.s);
		for (int i = 0; i < count; i++)
			number[i] = strtoll(at, &at, 10);
	}
	str_free(&value);
	return rc;
}

static enum rc write_fact(struct office *office, const char *name, civil_day day, const int64_t *number,
	int count, struct err *err)
{
	struct str value = STR_INIT;
	civil_day_print(&value, day);
	for (int i = 0; i < count; i++)
		str_printf(&value, " %" PRId64, number[i]);
	enum rc rc = fact_set(office->store, name, value.s, err);
	str_free(&value);
	return rc;
}

static enum rc read_released(struct office *office, enum ceiling_kind kind, int64_t *number, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(office->store, kinds[kind].released, &value, err);
	*number = strtoll(value.s, NULL, 10);
	str_free(&value);
	return rc;
}

static enum rc write_released(struct office *office, enum ceiling_kind kind, int64_t number, struct err *err)
{
	char text[24];
	(void)snprintf(text, sizeof text, "%" PRId64, number);
	return fact_set(office->store, kinds[kind].released, number > 0 ? text : NULL, err);
}

/* ---- holds ---- */

static enum rc read_question(
	struct office *office, enum ceiling_kind kind, struct ceiling_question *out, struct err *err)
{
	*out = (struct ceiling_question){.day = CIVIL_DAY_NONE};
	enum rc rc = held_batch_open(office->store, kinds[kind].reason, &out->batch_id, err);
	if (rc != RC_OK || !out->batch_id)
		return rc;
	struct pool *pool = pool_new();
	struct held_batch batch;
	rc = held_batch_get(office->store, out->batch_id, &batch, pool, err);
	if (rc == RC_OK) {
		out->asked = true;
		out->day = civil_day_of(batch.asked_at);
		out->due = batch.due;
		out->limit = batch.limit;
	}
	pool_free(&pool);
	return rc;
}

/* ---- counting ---- */

static enum rc read_queued(
	struct office *office, civil_day today, int64_t queued[CEILING_KINDS], struct err *err)
{
	civil_day day;
	enum rc rc = read_fact(office, FACT_QUEUED, &day, queued, CEILING_KINDS, err);
	if (day != today)
		memset(queued, 0, CEILING_KINDS * sizeof *queued);
	return rc;
}

static enum rc limit_of(
	struct office *office, enum ceiling_kind kind, civil_day today, int64_t *limit, struct err *err)
{
	civil_day day;
	*limit = office->settings->receipt_ceiling;
	if (kind == CEILING_AT_ONCE)
		return RC_OK;
	enum rc rc = read_fact(office, FACT_LIMIT, &day, limit, 1, err);
	if (day != today)
		*limit = office->settings->ceiling_minimum;
	return rc;
}

struct due_counter {
	struct office *office;
	enum ceiling_kind kind;
	ceiling_due_fn *fn; /* NULL: only counted */
	void *ctx;
	int64_t count;
};

static enum rc count_due(void *ctx, const struct application *app, struct err *err)
{
	struct due_counter *counter = ctx;
	const struct rules *rules;
	enum rc rc = rules_get(counter->office, app->template_set, &rules, err);
	if (rc != RC_OK || app->stage < 0 || app->stage >= rules->profile.stage_count)
		return rc;
	const struct stage *stage = &rules->profile.stage[app->stage];
	if (ceiling_kind_of(stage) != counter->kind)
		return RC_OK;
	counter->count++;
	return counter->fn ? counter->fn(counter->ctx, app, stage) : RC_OK;
}

enum rc ceiling_each_due(struct office *office, enum ceiling_kind kind, ceiling_due_fn *fn, void *ctx,
	int64_t *count, struct err *err)
{
	struct application_filter filter = {
		.hold = HOLD_NONE, .live_only = true, .due_before = clock_now(office->clock) + 1};
	struct due_counter counter = {.office = office, .kind = kind, .fn = fn, .ctx = ctx};
	enum rc rc = application_each(office->store, &filter, false, count_due, &counter, err);
	*count = counter.count;
	return rc;
}

static enum rc due_of_kind(struct office *office, enum ceiling_kind kind, int64_t *count, struct err *err)
{
	return ceiling_each_due(office, kind, NULL, NULL, count, err);
}

/* When it was asked one notice was too many; an answer lets go whatever is due by now. */
static enum rc look_at_question(
	struct office *office, enum ceiling_kind kind, struct ceiling_question *out, struct err *err)
{
	enum rc rc = read_question(office, kind, out, err);
	return rc == RC_OK && out->asked ? due_of_kind(office, kind, &out->due, err) : rc;
}

static enum rc count_sets(void *ctx, const struct held_batch *batch, struct err *err)
{
	(void)err;
	*(int64_t *)ctx += batch->reason == BATCH_TEMPLATES;
	return RC_OK;
}

enum rc office_holds(struct office *office, struct office_holds *out, struct err *err)
{
	*out = (struct office_holds){.restored = store_restored(office->store)};
	enum rc rc = RC_OK;
	for (int what = PAUSE_INTAKE; rc == RC_OK && what < PAUSE_COUNT; what++)
		rc = office_paused(office, (enum pause)what, &out->paused[what], err);
	if (rc == RC_OK)
		rc = look_at_question(office, CEILING_AT_ONCE, &out->at_once, err);
	if (rc == RC_OK)
		rc = look_at_question(office, CEILING_STAGES, &out->stages, err);
	if (rc == RC_OK)
		rc = held_batch_each_open(office->store, count_sets, &out->template_sets, err);
	return rc;
}

static enum rc note_ceiling(struct office *office, const char *actor, const char *note, int64_t batch_id,
	int64_t number, struct err *err)
{
	struct history_row row = {.at = clock_now(office->clock),
		.event = EVENT_CEILING,
		.ref = batch_id,
		.number = number,
		.actor = actor,
		.note = note};
	return history_add(office->store, &row, err);
}

enum rc ceiling_let_go(struct office *office, enum ceiling_kind kind, const char *actor, int64_t batch_id,
	int64_t *due, struct err *err)
{
	int64_t released;
	enum rc rc = due_of_kind(office, kind, due, err);
	if (rc == RC_OK)
		rc = read_released(office, kind, &released, err);
	if (rc == RC_OK)
		rc = write_released(office, kind, released + *due, err);
	return rc == RC_OK ? note_ceiling(office, actor, "released", batch_id, *due, err) : rc;
}

/* A simulation goes on by itself, but says what it would have asked. */
static enum rc ask(struct office *office, enum ceiling_kind kind, civil_day today, int64_t limit,
	bool *answered, struct err *err)
{
	int64_t due = 0;
	enum rc rc = due_of_kind(office, kind, &due, err);
	if (rc == RC_OK)
		rc = note_ceiling(office, ACTOR_DAEMON, "asked", 0, due, err);
	if (rc != RC_OK)
		return rc;
	if (office->answers_ceiling) {
		struct str day = STR_INIT;
		civil_day_print(&day, today);
		printf("%s  %" PRId64 " %s notices are due beyond the %" PRId64
		       " this day allows. Send them? yes (simulation)\n",
			day.s, due, kinds[kind].name, limit);
		str_free(&day);
		*answered = true;
		return ceiling_let_go(office, kind, "simulation", 0, &due, err);
	}
	log_event(LEVEL_FAULT, "ceiling.asked", "kind=%s due=%" PRId64 " limit=%" PRId64, kinds[kind].name,
		due, limit);
	return batch_ask(office, kinds[kind].reason, 0, due, limit, err);
}

enum rc ceiling_allows(struct office *office, enum ceiling_kind kind, bool *yes, struct err *err)
{
	civil_day today = office_today(office);
	int64_t queued[CEILING_KINDS], limit, released, open = 0;
	*yes = false;
	enum rc rc = held_batch_open(office->store, kinds[kind].reason, &open, err);
	if (rc != RC_OK || open)
		return rc;
	rc = read_queued(office, today, queued, err);
	if (rc == RC_OK)
		rc = limit_of(office, kind, today, &limit, err);
	if (rc == RC_OK && queued[kind] >= limit) {
		rc = read_released(office, kind, &released, err);
		if (rc == RC_OK && released <= 0)
			return ask(office, kind, today, limit, yes, err);
	}
	*yes = rc == RC_OK;
	return rc;
}

enum rc ceiling_count(struct office *office, enum ceiling_kind kind, struct err *err)
{
	civil_day today = office_today(office);
	int64_t queued[CEILING_KINDS], limit, released;
	enum rc rc = read_queued(office, today, queued, err);
	if (rc == RC_OK)
		rc = limit_of(office, kind, today, &limit, err);
	if (rc == RC_OK && queued[kind] >= limit) {
		rc = read_released(office, kind, &released, err);
		if (rc == RC_OK)
			rc = write_released(office, kind, released - 1, err);
	}
	queued[kind]++;
	return rc == RC_OK ? write_fact(office, FACT_QUEUED, today, queued, CEILING_KINDS, err) : rc;
}

enum rc office_release_restored(struct office *office, const char *actor, struct err *err)
{
	if (store_restored(office->store) == RESTORED_NO)
		return err_set(err, RC_REFUSED, "the register is not held: it is no restored copy");
	struct txn txn;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	struct history_row row = {.at = clock_now(office->clock),
		.event = EVENT_RESTORED,
		.number = store_restored(office->store),
		.actor = actor,
		.note = "released"};
	rc = history_add(office->store, &row, err);
	if (rc == RC_OK)
		rc = store_adopt(office->store, err);
	return txn_end(office, &txn, rc, err);
}

/* ---- the forecast ---- */

struct forecast {
	struct office *office;
	civil_day from;
	int64_t count[FORECAST_DAYS];
};

static enum rc forecast_one(void *ctx, const struct planned *planned, struct err *err)
{
	struct forecast *forecast = ctx;
	(void)err;
	civil_day day = civil_day_of(planned->at);
	if (!planned->at_once && day >= forecast->from && day < forecast->from + FORECAST_DAYS)
		forecast->count[day - forecast->from]++;
	return RC_OK;
}

enum rc ceiling_day_changed(struct office *office, bool *yes, struct err *err)
{
	civil_day day;
	int64_t limit;
	enum rc rc = read_fact(office, FACT_LIMIT, &day, &limit, 1, err);
	*yes = rc == RC_OK && day != office_today(office);
	return rc;
}

enum rc ceiling_new_day(struct office *office, struct err *err)
{
	civil_day today = office_today(office), day;
	int64_t limit, expected[FORECAST_DAYS];
	enum rc rc = read_fact(office, FACT_FORECAST, &day, expected, FORECAST_DAYS, err);
	if (rc != RC_OK)
		return rc;
	/* What an earlier day foresaw for this one. After a longer time off nobody did: then the least counts. */
	bool foreseen = day != CIVIL_DAY_NONE && day < today && today - day <= FORECAST_DAYS;
	int64_t forecast_today = foreseen ? expected[today - day - 1] : 0;
	limit = forecast_today * office->settings->ceiling_percent / 100;
	if (limit < office->settings->ceiling_minimum)
		limit = office->settings->ceiling_minimum;

	struct forecast forecast = {.office = office, .from = today + 1};
	rc = office_plan(office, today + 1, today + FORECAST_DAYS, forecast_one, &forecast, NULL, err);
	if (rc != RC_OK)
		return rc;
	struct txn txn;
	rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	rc = write_fact(office, FACT_LIMIT, today, &limit, 1, err);
	if (rc == RC_OK)
		rc = write_fact(office, FACT_FORECAST, today, forecast.count, FORECAST_DAYS, err);
	return txn_end(office, &txn, rc, err);
}
