/*
 * batch.c - notices that wait for a person because of their number, or because their text was never sent before (N20)
 *
 * A batch is asked about once and stands until it is released. Where the settings want two people the first one is noted, and somebody
 * else lets it go.
 */
#include "lib/office/office_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"

/* ---- asking ---- */

bool batch_takes_two(const struct office *office, enum batch_reason reason)
{
	const struct strlist *names = &office->settings->second_person;
	for (size_t i = 0; i < names->count; i++)
		if (strcmp(names->item[i], batch_reason_name(reason)) == 0)
			return true;
	return false;
}

static enum rc note_batch(struct office *office, const struct held_batch *batch, const char *actor,
	const char *note, int64_t number, struct err *err)
{
	struct history_row row = {.at = clock_now(office->clock),
		.event = EVENT_BATCH,
		.ref = batch->id,
		.number = number,
		.actor = actor,
		.note = note};
	return history_add(office->store, &row, err);
}

enum rc batch_ask(struct office *office, enum batch_reason reason, int64_t template_set, int64_t due,
	int64_t limit, struct err *err)
{
	struct held_batch batch = {.reason = reason,
		.template_set = template_set,
		.asked_at = clock_now(office->clock),
		.first_actor = "",
		.second_actor = "",
		.due = due,
		.limit = limit};
	enum rc rc = held_batch_add(office->store, &batch, err);
	if (rc != RC_OK)
		return rc;
	log_event(LEVEL_NOTICE, "batch.asked", "batch=%" PRId64 " reason=%s due=%" PRId64, batch.id,
		batch_reason_name(reason), due);
	return note_batch(office, &batch, ACTOR_DAEMON, "asked", due, err);
}

/* ---- looking ---- */

/* Each of those that pass is kept with the same chance, however many there are. */
struct draw {
	struct office *office;
	struct batch_look *look;
	int64_t seen;
	struct pool *pool;
};

static struct batch_sample *draw(struct draw *draw)
{
	struct batch_look *look = draw->look;
	uint64_t place = rng_below(draw->office->rng, (uint64_t)++draw->seen);
	if (look->count < BATCH_SAMPLES)
		return &look->sample[look->count++];
	return place < BATCH_SAMPLES ? &look->sample[place] : NULL;
}

static enum rc draw_due(void *ctx, const struct application *app, const struct stage *stage)
{
	struct draw *all = ctx;
	struct batch_sample *sample = draw(all);
	if (sample)
		*sample = (struct batch_sample){.application_id = app->id,
			.template_name = pool_strdup(all->pool, stage->template_name)};
	return RC_OK;
}

static void draw_notice(void *ctx, int64_t notice_id)
{
	struct batch_sample *sample = draw(ctx);
	if (sample)
		*sample = (struct batch_sample){.notice_id = notice_id, .template_name = ""};
}

static enum rc name_notices(
	struct office *office, struct batch_look *look, struct pool *pool, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < look->count; i++) {
		struct notice notice;
		rc = outbox_get(office->store, look->sample[i].notice_id, &notice, pool, err);
		look->sample[i].application_id = notice.application_id;
		look->sample[i].template_name = notice.template_name;
	}
	return rc;
}

enum rc office_look_at_batch(struct office *office, const struct held_batch *batch, struct batch_look *out,
	struct pool *pool, struct err *err)
{
	struct draw all = {.office = office, .look = out, .pool = pool};
	*out = (struct batch_look){.count = 0};
	if (batch->reason != BATCH_TEMPLATES)
		return ceiling_each_due(office,
			batch->reason == BATCH_RECEIPTS ? CEILING_AT_ONCE : CEILING_STAGES, draw_due, &all,
			&out->waiting, err);
	enum rc rc =
		held_batch_notices(office->store, batch->template_set, draw_notice, &all, &out->waiting, err);
	return rc == RC_OK ? name_notices(office, out, pool, err) : rc;
}

/* ---- releasing ---- */

/* "staff:1000(yamada)" is whoever has the number 1000, under whatever name. */
static bool is_same_person(const char *a, const char *b)
{
	size_t length = strcspn(a, "(");
	return length == strcspn(b, "(") && strncmp(a, b, length) == 0;
}

static enum rc let_go(struct office *office, struct held_batch *batch, const char *actor, struct err *err)
{
	int64_t due = 0;
	enum rc rc = RC_OK;
	if (batch->reason == BATCH_TEMPLATES)
		rc = held_batch_notices(office->store, batch->template_set, NULL, NULL, &due, err);
	else
		rc = ceiling_let_go(office,
			batch->reason == BATCH_RECEIPTS ? CEILING_AT_ONCE : CEILING_STAGES, actor, batch->id,
			&due, err);
	batch->released_at = clock_now(office->clock);
	if (rc == RC_OK)
		rc = held_batch_update(office->store, batch, err);
	return rc == RC_OK ? note_batch(office, batch, actor, "released", due, err) : rc;
}

static enum rc say_yes(struct office *office, struct held_batch *batch, const char *actor,
	bool *waits_for_second, const char **why_ja, struct err *err)
{
	if (batch->released_at) {
		*why_ja = "この送信は、すでに許可されています。";
		return err_set(err, RC_REFUSED, "batch %" PRId64 " was released already", batch->id);
	}
	if (*batch->first_actor && batch_takes_two(office, batch->reason) &&
		is_same_person(batch->first_actor, actor)) {
		*why_ja = "この送信には二人の許可が必要です。最初に許可したのはあなたです。ほかの人に、内容の"
			  "確認と許可を依頼"
			  "してください。";
		return err_set(err, RC_REFUSED,
			"batch %" PRId64 " takes two people, and you were the first; ask somebody else",
			batch->id);
	}
	if (*batch->first_actor) {
		batch->second_actor = actor;
		return let_go(office, batch, actor, err);
	}
	batch->first_actor = actor;
	batch->first_at = clock_now(office->clock);
	if (!batch_takes_two(office, batch->reason))
		return let_go(office, batch, actor, err);
	*waits_for_second = true;
	enum rc rc = held_batch_update(office->store, batch, err);
	return rc == RC_OK ? note_batch(office, batch, actor, "first of two", batch->due, err) : rc;
}

enum rc office_release_batch(struct office *office, int64_t batch_id, const char *actor,
	bool *waits_for_second, const char **why_ja, struct pool *pool, struct err *err)
{
	struct txn txn;
	struct held_batch batch;
	*waits_for_second = false;
	*why_ja = NULL;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	rc = held_batch_get(office->store, batch_id, &batch, pool, err);
	if (rc == RC_REFUSED)
		*why_ja = "その番号の一括送信の確認待ちはありません。「sengenctl "
			  "batches」で番号を確かめてください。";
	if (rc == RC_OK)
		rc = say_yes(office, &batch, actor, waits_for_second, why_ja, err);
	return txn_end(office, &txn, rc, err);
}

enum rc office_release_ceiling(struct office *office, const char *actor, bool *released,
	bool *waits_for_second, const char **why_ja, struct pool *pool, struct err *err)
{
	static const enum batch_reason reasons[] = {BATCH_RECEIPTS, BATCH_STAGES};
	struct txn txn;
	int answered = 0, refused = 0;
	*released = false;
	*waits_for_second = false;
	*why_ja = NULL;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < sizeof reasons / sizeof *reasons; i++) {
		int64_t id = 0;
		bool waits = false;
		rc = held_batch_open(office->store, reasons[i], &id, err);
		if (rc != RC_OK || !id)
			continue;
		/* Refused, it wrote nothing: the other question has its answer all the same. */
		rc = office_release_batch(office, id, actor, &waits, why_ja, pool, err);
		*waits_for_second |= waits || rc == RC_REFUSED;
		*released |= rc == RC_OK && !waits;
		answered += rc == RC_OK;
		refused += rc == RC_REFUSED;
		rc = rc == RC_REFUSED ? RC_OK : rc;
	}
	if (rc == RC_OK && answered > 0)
		*why_ja = NULL;
	else if (rc == RC_OK && refused > 0)
		rc = err->rc;
	else if (rc == RC_OK) {
		*why_ja = "上限を超えた送信の確認待ちはありません。";
		rc = err_set(err, RC_REFUSED, "no question about a ceiling is open");
	}
	return txn_end(office, &txn, rc, err);
}
