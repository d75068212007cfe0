#include "daemon/inbox.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/log.h"

#define AT_A_TIME                                                                                            \
	8 /* parser children: what keeps the processors busy while the role writes what others have read */
#define HAND_IN 16 /* mails that were read: so many are worth a transaction */
#define TRANSACTION_MS 8 /* then a transaction is ended: the write lock is others' too */
#define FACT_RESUMED "mailbox.resumed" /* "MESSAGE TIMES": the first unread mail at the start */
#define RESUMES_MAX 10

struct collecting {
	struct inbox_batch *batch;
	size_t most;
};

static enum rc collect(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	struct collecting *collecting = ctx;
	struct inbox_batch *batch = collecting->batch;
	if (batch->count == collecting->most)
		return RC_OK;
	struct inbox_mail *mail = inbox_batch_add(batch);
	mail->message = *message;
	mail->message.uid = pool_strdup(batch->pool, message->uid);
	mail->message.filed_uid = "";
	return RC_OK;
}

/* ---- reading ---- */

static const char *why_unfetched(
	const struct role_context *ctx, const struct inbox_mail *mail, struct pool *pool)
{
	int64_t limit = ctx->settings->mailbox.message_bytes;
	if (mail->message.size > limit)
		return pool_printf(pool,
			"The mail has %" PRId64 " bytes, over the limit of %" PRId64 "; it was not fetched.",
			mail->message.size, limit);
	return "The mail could not be fetched: each try was refused, or ended the connection.";
}

/* From the register, as it was taken. */
static enum rc load(struct role_context *ctx, struct inbox_mail *mail, struct pool *pool, struct err *err)
{
	struct str raw = STR_INIT;
	struct err damaged = {0};
	enum rc rc = RC_OK;
	if (message_raw(ctx->office.store, mail->message.id, &raw, &damaged))
		mail->damage = pool_strdup(pool, damaged.text);
	else if (raw.len == 0 && mail->message.size > 0)
		mail->unfetched = true;
	else
		rc = memfile_make(&mail->file, raw.s, raw.len, err);
	str_wipe(&raw);
	return rc;
}

static enum rc start(struct role_context *ctx, struct inbox *inbox, struct inbox_mail *mail,
	struct pool *pool, struct err *err)
{
	const struct received_context context = {.office = ctx->settings->contact_mail,
		.authserv_id = ctx->settings->authserv_id,
		.own_hops = ctx->settings->own_hops};
	enum rc rc = RC_OK;
	if (mail->known)
		return RC_OK;
	if (mail->message.id && mail->message.id == inbox->give_up_id) {
		mail->damage = "Reading it ended the process again and again.";
		return RC_OK;
	}
	if (mail->file < 0 && !mail->unfetched)
		rc = load(ctx, mail, pool, err);
	if (mail->unfetched)
		mail->damage = why_unfetched(ctx, mail, pool);
	if (rc || mail->damage)
		return rc;
	rc = mail_reader_start(&mail->reading, &ctx->zygote, mail->file, &context, err);
	(void)close(mail->file);
	mail->file = -1;
	return rc;
}

/* What takes time and no lock. */
static enum rc prepare(struct inbox_mail *mail, struct err *err)
{
	struct str json = STR_INIT;
	received_print(&json, mail->received);
	str_clear(&mail->packed);
	enum rc rc = message_pack(&mail->packed, json.s, json.len, err);
	str_wipe(&json);
	return rc;
}

static enum rc finish(struct inbox_mail *mail, struct pool *pool, struct err *err)
{
	if (mail->reading.fd < 0)
		return RC_OK;
	if (mail->known) {
		mail_reader_drop(&mail->reading);
		return RC_OK;
	}
	struct received *received = pool_alloc(pool, sizeof *received);
	struct err damage = {0};
	enum rc rc = mail_reader_finish(&mail->reading, received, pool, &damage);
	if (rc == RC_OK) {
		mail->received = received;
		return prepare(mail, err);
	}
	if (rc == RC_REFUSED)
		mail->damage = pool_strdup(pool, damage.text);
	else
		*err = damage;
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc start_up_to(
	struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, size_t end, struct err *err)
{
	enum rc rc = RC_OK;
	for (; !rc && batch->begun < batch->count && batch->begun < end; batch->begun++)
		rc = start(ctx, inbox, &batch->mail[batch->begun], batch->pool, err);
	return rc;
}

enum rc inbox_read_begin(
	struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, struct err *err)
{
	return start_up_to(ctx, inbox, batch, AT_A_TIME, err);
}

/* ---- to the office ---- */

static enum rc hand_in(struct role_context *ctx, const struct inbox_mail *mail, struct err *err)
{
	struct mail_message message =
		mail->message; /* a transaction that fails is made again from the same */
	enum rc rc = RC_OK;
	if (mail->received)
		rc = message_set_reading(ctx->office.store, message.id, &mail->packed, err);
	return rc ? rc : office_receive(&ctx->office, &message, mail->received, mail->damage, err);
}

/* As many as the time of one transaction allows, at least one. *done: so many. */
static enum rc hand_in_some(
	struct role_context *ctx, const struct inbox_mail *mail, size_t count, size_t *done, struct err *err)
{
	int64_t until = clock_machine_ms() + TRANSACTION_MS;
	size_t i = 0;
	enum rc rc = store_begin(ctx->office.store, err);
	for (; !rc && i < count && (i == 0 || clock_machine_ms() < until); i++)
		if (!mail[i].known)
			rc = hand_in(ctx, &mail[i], err);
	rc = inbox_end(ctx->office.store, rc, err);
	*done = i;
	return rc;
}

static enum rc hand_in_one(struct role_context *ctx, const struct inbox_mail *mail, struct err *err)
{
	size_t done;
	return hand_in_some(ctx, mail, 1, &done, err);
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
	struct role_context *ctx, const struct inbox_mail *mail, bool request, struct err *err)
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
static enum rc leave_to_people(struct role_context *ctx, const struct inbox_mail *mail, struct err *err)
{
	struct err unlisted = {0};
	return file_for_people(ctx, mail, true, &unlisted) ? file_for_people(ctx, mail, false, err) : RC_OK;
}

/* One mail that the office could not take in must not stop those behind it (T11): people get it, unread. Only where not even that can be written is it the
 * register's trouble, and everybody waits. */
static enum rc hand_in_anyhow(
	struct role_context *ctx, const struct inbox_mail *mail, struct pool *pool, struct err *err)
{
	struct err why = {0};
	enum rc rc = hand_in_one(ctx, mail, &why);
	if (rc == RC_STORE) /* somebody may have held the lock for too long */
		rc = hand_in_one(ctx, mail, &why);
	if (!rc)
		return RC_OK;
	log_event(LEVEL_FAULT, "message.not-handled", "message=%" PRId64 " rc=%s reason=\"%s\"",
		mail->message.id, rc_name(rc), why.text);
	struct inbox_mail unread = {.message = mail->message,
		.damage = pool_printf(pool, "What follows from it could not be carried out: %s", why.text)};
	rc = hand_in_one(ctx, &unread, err);
	return rc ? leave_to_people(ctx, mail, err) : RC_OK;
}

/* What was read, in its order, in as few transactions as that takes. */
static enum rc hand_in_all(
	struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, struct err *err)
{
	enum rc rc = RC_OK;
	for (size_t done; !rc && batch->settled < batch->read; batch->settled += done) {
		const struct inbox_mail *mail = &batch->mail[batch->settled];
		size_t count = batch->read - batch->settled;
		struct err together = {0};
		if (count > (size_t)inbox->batch)
			count = (size_t)inbox->batch;
		if (hand_in_some(ctx, mail, count, &done, &together))
			for (size_t i = 0; !rc && i < done; i++)
				if (!mail[i].known)
					rc = hand_in_anyhow(ctx, &mail[i], batch->pool, err);
		if (!rc && done == 0) { /* not even begun: the register can't be written now */
			*err = together;
			rc = together.rc;
		}
		inbox->batch = inbox->batch < INBOX_BATCH ? inbox->batch * 2 : INBOX_BATCH;
		inbox->unmoved = true;
	}
	return rc;
}

/* Until all of it went to readers, or, `whole`, to the office. */
static enum rc read_on(
	struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, bool whole, struct err *err)
{
	enum rc rc = RC_OK;
	size_t before = batch->settled;
	while (!rc && batch->read < batch->count) {
		rc = start_up_to(ctx, inbox, batch, batch->read + AT_A_TIME, err);
		if (!whole && batch->begun == batch->count)
			break;
		rc = rc ? rc : finish(&batch->mail[batch->read], batch->pool, err);
		batch->read += rc == RC_OK;
		if (!rc && batch->read - batch->settled >= HAND_IN)
			rc = hand_in_all(ctx, inbox, batch, err);
	}
	if (!rc && whole)
		rc = hand_in_all(ctx, inbox, batch, err);
	if (!rc && batch->settled > before) {
		role_wake(ctx->settings, "sender");
		role_wake(ctx->settings, "scheduler");
	}
	return rc;
}

enum rc inbox_read_on(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	return read_on(ctx, inbox, inbox->reading, false, err);
}

enum rc inbox_read_end(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	enum rc rc = inbox->reading ? read_on(ctx, inbox, inbox->reading, true, err) : RC_OK;
	if (rc)
		inbox_read_forget(inbox);
	inbox_batch_free(&inbox->reading);
	return rc;
}

void inbox_read_forget(struct inbox *inbox)
{
	inbox->unread |= inbox->reading != NULL;
	inbox_batch_free(&inbox->reading);
}

/* ---- what a crash left ---- */

static enum rc first_one(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	*(int64_t *)ctx = message->id;
	return RC_OK;
}

/* The first unread mail, before it is read for the first time since the start: one that ends the process each time must not stop the others. Not at the start
 * itself: while reading is paused nothing is read, and no mail ends anything. */
static enum rc count_resume(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	int64_t id = 0, last_id = 0, times = 0;
	struct str value = STR_INIT;
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

enum rc inbox_read(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	enum rc rc = inbox->counted ? RC_OK : count_resume(ctx, inbox, err);
	if (rc)
		return rc;
	inbox->counted = true;
	struct collecting collecting = {.batch = inbox_batch_new(), .most = (size_t)inbox->batch};
	struct inbox_batch *batch = collecting.batch;
	rc = message_each(
		ctx->office.store, MESSAGE_TAKEN, 0, (int)collecting.most, collect, &collecting, err);
	bool more = batch->count == collecting.most;
	rc = rc ? rc : read_on(ctx, inbox, batch, true, err);
	if (!rc)
		inbox->unread = more;
	inbox_batch_free(&batch);
	return rc;
}
