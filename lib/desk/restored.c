#include "lib/desk/restored.h"

#include <inttypes.h>
#include <string.h>

#include "lib/desk/books.h"
#include "lib/desk/sent_log.h"

/* A line is written before the register knows: it may be a little older than the copy's last row. */
#define BEFORE_SECONDS 3600
#define AHEAD_SECONDS (2 * 86400) /* a clock that was ahead for a while wrote lines of tomorrow */

struct comparing {
	struct office *office;
	struct restored_sent *out;
	int64_t last_notice; /* the highest number the copy had; what is above is another notice today */
	bool settle;
};

static bool is_waiting(const struct notice *notice)
{
	return notice->state == OUTBOX_QUEUED || notice->state == OUTBOX_SENDING ||
	       notice->state == OUTBOX_UNKNOWN;
}

static enum rc book_sent(
	struct office *office, struct notice *notice, const struct sent_log_line *line, struct err *err)
{
	struct delivery delivery = {
		.at = line->at, .outcome = OUTCOME_ACCEPTED, .reply_code = line->reply_code, .phase = "dot"};
	enum rc rc = store_begin(office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = office_delivered(office, notice, &delivery, NULL, 0, err);
	if (rc == RC_OK)
		rc = store_commit(office->store, err);
	store_rollback(office->store);
	return rc;
}

/* ---- a sender that ended between its log and the register ---- */

#define CLAIMS_MAX 64 /* there are never more of them than connections */

struct claims {
	struct office *office;
	struct {
		int64_t id;
		utc_time queued_at;
	} item[CLAIMS_MAX];
	size_t count;
	int sent;
};

static enum rc take_claim(void *ctx, const struct notice *notice, struct err *err)
{
	struct claims *claims = ctx;
	(void)err;
	claims->item[claims->count].id = notice->id;
	claims->item[claims->count++].queued_at = notice->queued_at;
	return RC_OK;
}

static enum rc settle_line(void *ctx, const struct sent_log_line *line, struct err *err)
{
	struct claims *claims = ctx;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < claims->count && rc == RC_OK; i++) {
		if (claims->item[i].id != line->notice_id || line->at < claims->item[i].queued_at)
			continue;
		struct pool *pool = pool_new();
		struct notice notice;
		rc = outbox_get(claims->office->store, line->notice_id, &notice, pool, err);
		if (rc == RC_OK && notice.state == OUTBOX_SENDING) {
			rc = book_sent(claims->office, &notice, line, err);
			claims->sent += rc == RC_OK;
		}
		pool_free(&pool);
	}
	return rc;
}

enum rc claims_settle(struct office *office, int *sent, struct err *err)
{
	struct claims claims = {.office = office};
	enum rc rc = outbox_each_in(office->store, OUTBOX_SENDING, 0, CLAIMS_MAX, take_claim, &claims, err);
	utc_time first = UTC_NEVER;
	for (size_t i = 0; i < claims.count; i++)
		if (claims.item[i].queued_at < first)
			first = claims.item[i].queued_at;
	if (rc == RC_OK && claims.count > 0)
		rc = sent_log_each(office->settings, first, clock_now(office->clock) + AHEAD_SECONDS,
			settle_line, &claims, err);
	*sent = claims.sent;
	return rc;
}

/* ---- a copy that was put back ---- */

static enum rc compare_line(void *ctx, const struct sent_log_line *line, struct err *err)
{
	struct comparing *comparing = ctx;
	struct pool *pool = pool_new();
	struct notice notice;
	enum rc rc = RC_OK;
	if (line->notice_id > comparing->last_notice) {
		comparing->out->lost++;
	} else {
		rc = outbox_get(comparing->office->store, line->notice_id, &notice, pool, err);
		if (rc == RC_OK && is_waiting(&notice)) {
			comparing->out->again++;
			if (comparing->settle)
				rc = book_sent(comparing->office, &notice, line, err);
		} else if (rc == RC_REFUSED) {
			rc = RC_OK;
		}
	}
	pool_free(&pool);
	return rc;
}

static enum rc compare(struct office *office, bool settle, struct restored_sent *out, struct err *err)
{
	struct comparing comparing = {.office = office, .out = out, .settle = settle};
	*out = (struct restored_sent){0};
	enum rc rc = store_copy_of(office->store, &out->since, &comparing.last_notice, err);
	if (rc != RC_OK)
		return rc;
	return sent_log_each(office->settings, out->since - BEFORE_SECONDS,
		clock_now(office->clock) + AHEAD_SECONDS, compare_line, &comparing, err);
}

enum rc restored_look(struct office *office, struct restored_sent *out, struct err *err)
{
	return compare(office, false, out, err);
}

enum rc restored_settle(struct office *office, struct restored_sent *out, struct err *err)
{
	enum rc rc = compare(office, true, out, err);
	if (rc == RC_OK)
		rc = store_begin(office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = books_begin_anew(office, clock_now(office->clock) + 1, err);
	if (rc == RC_OK)
		rc = store_commit(office->store, err);
	store_rollback(office->store);
	return rc;
}
