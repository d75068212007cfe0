#include "daemon/inbox.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/log.h"

#define BATCH_MAX 8 /* mails a transaction: a few milliseconds */
#define AT_A_TIME 2 /* parser children */
#define FACT_RESUMED "mailbox.resumed" /* "MESSAGE TIMES": the first unread mail at the start */
#define RESUMES_MAX 10

struct mail { /* one of a batch */
	struct mail_message message; /* as in the register */
	struct mail_reading reading;
	const struct received *received; /* NULL: see damage */
	const char *damage;
};

struct batch {
	struct pool *pool;
	struct mail mail[BATCH_MAX];
	size_t count, most;
};

static enum rc collect(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	struct batch *batch = ctx;
	if (batch->count == batch->most)
		return RC_OK;
	struct mail *mail = &batch->mail[batch->count++];
	mail->message = *message;
	mail->message.uid = pool_strdup(batch->pool, message->uid);
	mail->message.filed_uid = "";
	mail->reading.fd = -1;
	return RC_OK;
}

/* ---- reading ---- */

static const char *why_unfetched(const struct role_context *ctx, const struct mail *mail, struct pool *pool)
{
	int64_t limit = ctx->settings->mailbox.message_bytes;
	if (mail->message.size > limit)
		return pool_printf(pool,
			"The mail has %" PRId64 " bytes, over the limit of %" PRId64 "; it was not fetched.",
			mail->message.size, limit);
	return "The mail could not be fetched: each try was refused, or ended the connection.";
}

static enum rc start(
	struct role_context *ctx, struct inbox *inbox, struct mail *mail, struct pool *pool, struct err *err)
{
	const struct received_context context = {.office = ctx->settings->contact_mail,
		.authserv_id = ctx->settings->authserv_id,
		.own_hops = ctx->settings->own_hops};
	struct str raw = STR_INIT;
	int file = -1;
	enum rc rc = RC_OK;
	if (mail->message.id == inbox->give_up_id) {
		mail->damage = "Reading it ended the process again and again.";
		return RC_OK;
	}
	struct err damaged = {0};
	if (message_raw(ctx->office.store, mail->message.id, &raw, &damaged)) {
		mail->damage = pool_strdup(pool, damaged.text);
	} else if (raw.len == 0 && mail->message.size > 0) {
		mail->damage = why_unfetched(ctx, mail, pool);
	} else {
		rc = memfile_make(&file, raw.s, raw.len, err);
		rc = rc ? rc : mail_reader_start(&mail->reading, ctx->zygote, file, &context, err);
		if (file >= 0)
			(void)close(file);
	}
	str_wipe(&raw);
	return rc;
}

static enum rc finish(struct mail *mail, struct pool *pool, struct err *err)
{
	if (mail->reading.fd < 0)
		return RC_OK;
	struct received *received = pool_alloc(pool, sizeof *received);
	struct err damage = {0};
	enum rc rc = mail_reader_finish(&mail->reading, received, pool, &damage);
	if (rc == RC_OK)
		mail->received = received;
	else if (rc == RC_REFUSED)
		mail->damage = pool_strdup(pool, damage.text);
	else
		*err = damage;
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc read_all(struct role_context *ctx, struct inbox *inbox, struct batch *batch, struct err *err)
{
	enum rc rc = RC_OK;
	size_t started = 0;
	for (size_t i = 0; i < batch->count && !rc; i++) {
		while (!rc && started < batch->count && started < i + AT_A_TIME)
			rc = start(ctx, inbox, &batch->mail[started++], batch->pool, err);
		rc = rc ? rc : finish(&batch->mail[i], batch->pool, err);
	}
	for (size_t i = 0; i < batch->count; i++)
		mail_reader_drop(&batch->mail[i].reading);
	return rc;
}

/* ---- to the office ---- */

static enum rc hand_in(struct role_context *ctx, const struct mail *mail, struct str *json, struct err *err)
{
	struct mail_message message =
		mail->message; /* a transaction that fails is made again from the same */
	enum rc rc = RC_OK;
	str_clear(json);
	if (mail->received) {
		received_print(json, mail->received);
		rc = message_set_reading(ctx->office.store, message.id, json->s, json->len, err);
	}
	return rc ? rc : office_receive(&ctx->office, &message, mail->received, mail->damage, err);
}

static enum rc hand_in_some(struct role_context *ctx, const struct mail *mail, size_t count, struct err *err)
{
	struct str json = STR_INIT;
	enum rc rc = store_begin(ctx->office.store, err);
	for (size_t i = 0; !rc && i < count; i++)
		rc = hand_in(ctx, &mail[i], &json, err);
	rc = inbox_end(ctx->office.store, rc, err);
	str_wipe(&json);
	return rc;
}

#define NOT_HANDLED "このメールは処理できませんでした。内容を見て、手で処理してください。"

/* A request of no kind, so that the mail stands in the list of what people decide. */
static enum rc enter_request(struct role_context *ctx, int64_t message_id, struct err *err)
{
	utc_time now = clock_now(&ctx->clock);
	struct request request = {.message_id = message_id,
		.kind = REQUEST_OTHER,
		.state = REQUEST_STATE_REVIEW,
		.opened_at = now,
		.stop_on = CIVIL_DAY_NONE,
		.due_at = UTC_NEVER,
		.actor = "daemon",
		.note = NOT_HANDLED};
	enum rc rc = request_add(ctx->office.store, &request, err);
	struct history_row row = {.at = now,
		.event = EVENT_REQUEST,
		.ref = request.id,
		.number = REQUEST_OTHER,
		.actor = "daemon",
		.note = NOT_HANDLED};
	return rc ? rc : history_add(ctx->office.store, &row, err);
}

static enum rc file_for_people(
	struct role_context *ctx, const struct mail *mail, bool request, struct err *err)
{
	struct mail_message message = mail->message;
	message.state = MESSAGE_READ;
	message.review = true;
	message.folder = FOLDER_REVIEW;
	enum rc rc = store_begin(ctx->office.store, err);
	rc = rc ? rc : message_update(ctx->office.store, &message, err);
	if (!rc && request)
		rc = enter_request(ctx, message.id, err);
	return inbox_end(ctx->office.store, rc, err);
}

/* The last resort: it lies where people look, and where even that can be written it stands in their list. */
static enum rc leave_to_people(struct role_context *ctx, const struct mail *mail, struct err *err)
{
	struct err unlisted = {0};
	return file_for_people(ctx, mail, true, &unlisted) ? file_for_people(ctx, mail, false, err) : RC_OK;
}

/* One mail that the office could not take in must not stop those behind it (T11): people get it, unread. Only where not even that can be written is it the
 * register's trouble, and everybody waits. */
static enum rc hand_in_anyhow(
	struct role_context *ctx, const struct mail *mail, struct pool *pool, struct err *err)
{
	struct err why = {0};
	enum rc rc = hand_in_some(ctx, mail, 1, &why);
	if (rc == RC_STORE) /* somebody may have held the lock for too long */
		rc = hand_in_some(ctx, mail, 1, &why);
	if (!rc)
		return RC_OK;
	log_event(LEVEL_FAULT, "message.not-handled", "message=%" PRId64 " rc=%s reason=\"%s\"",
		mail->message.id, rc_name(rc), why.text);
	struct mail unread = {.message = mail->message,
		.damage = pool_printf(pool, "What follows from it could not be carried out: %s", why.text)};
	rc = hand_in_some(ctx, &unread, 1, err);
	return rc ? leave_to_people(ctx, mail, err) : RC_OK;
}

enum rc inbox_read(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct batch *batch = xcalloc(1, sizeof *batch);
	batch->pool = pool_new();
	batch->most = (size_t)(inbox->batch > 0 ? inbox->batch : 1);
	enum rc rc = message_each(ctx->office.store, MESSAGE_TAKEN, 0, (int)batch->most, collect, batch, err);
	if (!rc && batch->count > 0 && !inbox->reads) {
		rc = zygote_prepare_mail(ctx->zygote, err);
		inbox->reads = rc == RC_OK;
	}
	rc = rc ? rc : read_all(ctx, inbox, batch, err);
	if (!rc && batch->count > 0) {
		struct err together = {0};
		bool alone =
			batch->count == 1 || hand_in_some(ctx, batch->mail, batch->count, &together) != RC_OK;
		for (size_t i = 0; alone && !rc && i < batch->count; i++)
			rc = hand_in_anyhow(ctx, &batch->mail[i], batch->pool, err);
		inbox->unmoved = true;
		inbox->batch = batch->most < BATCH_MAX ? (int)batch->most * 2 : BATCH_MAX;
		role_wake(ctx->settings, "sender");
		role_wake(ctx->settings, "scheduler");
	}
	if (!rc)
		inbox->unread = batch->count == batch->most;
	pool_free(&batch->pool);
	free(batch);
	return rc;
}

/* ---- what a crash left ---- */

static enum rc first_one(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	*(int64_t *)ctx = message->id;
	return RC_OK;
}

enum rc inbox_read_recover(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	int64_t id = 0, last_id = 0, times = 0;
	struct str value = STR_INIT;
	inbox->batch = 1; /* so that the first one left is the one that did it */
	enum rc rc = message_each(ctx->office.store, MESSAGE_TAKEN, 0, 1, first_one, &id, err);
	if (!rc && id)
		rc = fact_get(ctx->office.store, FACT_RESUMED, &value, err);
	if (!rc && id) {
		char *at = value.s;
		last_id = strtoll(at, &at, 10);
		times = strtoll(at, &at, 10);
		times = last_id == id ? times + 1 : 1;
		str_clear(&value);
		str_printf(&value, "%" PRId64 " %" PRId64, id, times);
		rc = inbox_fact_write(ctx->office.store, FACT_RESUMED, value.s, err);
	}
	if (times > RESUMES_MAX) {
		inbox->give_up_id = id;
		log_event(LEVEL_FAULT, "message.given-up", "message=%" PRId64 " resumes=%d", id, RESUMES_MAX);
	}
	str_free(&value);
	return rc;
}
