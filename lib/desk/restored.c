#include "lib/desk/restored.h"

#include <inttypes.h>
#include <string.h>

#include "lib/desk/books.h"
#include "lib/desk/sent_log.h"

/* A line is written before the register knows: it may be a little older than the copy's last row. */
#define BEFORE_SECONDS 3600

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
		.outcome = OUTCOME_ACCEPTED, .reply_code = line->reply_code, .phase = "dot"};
	enum rc rc = store_begin(office->store, err);
	if (rc != RC_OK)
		return rc;
	rc = office_delivered(office, notice, &delivery, NULL, 0, err);
	if (rc == RC_OK)
		rc = store_commit(office->store, err);
	store_rollback(office->store);
	return rc;
}

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
	/* A clock that was ahead for a while wrote lines of tomorrow. */
	return sent_log_each(office->settings, out->since - BEFORE_SECONDS,
		clock_now(office->clock) + 2 * 86400, compare_line, &comparing, err);
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
