#include "daemon/inbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

#define FACT_MARK "mailbox.mark"
#define FACT_FETCHED_AT                                                                                      \
	"mailbox.fetched_at" /* the last look at INBOX that went well; read by sengenctl status */

enum rc inbox_end(struct store *store, enum rc rc, struct err *err)
{
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

enum rc inbox_fact_write(struct store *store, const char *name, const char *value, struct err *err)
{
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : fact_set(store, name, value, err);
	return inbox_end(store, rc, err);
}

enum rc inbox_line_rc(enum rc rc, struct err *err)
{
	if (rc && rc != RC_REFUSED)
		err->rc = rc = RC_SERVER;
	return rc;
}

/* ---- the mark ---- */

static void mark_uid(struct inbox_mark *mark, const char *uid)
{
	(void)snprintf(mark->uid, sizeof mark->uid, "%s", uid);
}

/* "UIDVALIDITY UID ANEW MAILBOX"; - is no UID. false: it is none. */
static bool mark_read(struct inbox_mark *mark, char *text)
{
	char *field[4], *rest = NULL;
	size_t count = 0;
	for (char *at = strtok_r(text, " ", &rest); at && count < 4; at = strtok_r(NULL, " ", &rest))
		field[count++] = at;
	if (count < 4)
		return false;
	*mark = (struct inbox_mark){
		.uid_validity = strtoll(field[0], NULL, 10), .anew = strcmp(field[2], "1") == 0};
	mark_uid(mark, strcmp(field[1], "-") == 0 ? "" : field[1]);
	(void)snprintf(mark->mailbox, sizeof mark->mailbox, "%s", field[3]);
	return true;
}

enum rc inbox_mark_load(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(ctx->office.store, FACT_MARK, &value, err);
	inbox->marked = rc == RC_OK && mark_read(&inbox->mark, value.s);
	str_free(&value);
	return rc;
}

enum rc inbox_mark_set(struct store *store, const struct inbox_mark *mark, struct err *err)
{
	char value[96];
	(void)snprintf(value, sizeof value, "%" PRId64 " %s %d %s", mark->uid_validity,
		*mark->uid ? mark->uid : "-", mark->anew, mark->mailbox);
	return fact_set(store, FACT_MARK, value, err);
}

/* ---- into the register ---- */

/* Two mails that nobody has seen are not the same one. */
static void digest_unfetched(uint8_t digest[SHA256_LEN], const struct mail_message *message)
{
	struct str text = STR_INIT;
	str_printf(&text, "unfetched\n%" PRId64 "\n%s\n%" PRId64, message->uid_validity, message->uid,
		message->size);
	sha256(digest, text.s, text.len);
	str_free(&text);
}

/* What takes time and no lock. */
static enum rc prepare(struct role_context *ctx, const struct inbox *inbox, struct inbox_mail *mail,
	utc_time now, struct err *err)
{
	struct mail_message *message = &mail->message;
	message->state = MESSAGE_TAKEN;
	message->taken_at = now;
	message->uid_validity = ctx->settings->mailbox.maildir ? 0 : inbox->mark.uid_validity;
	message->folder = FOLDER_INBOX;
	message->filed_uid = "";
	if (mail->unfetched)
		digest_unfetched(message->digest, message);
	else
		sha256(message->digest, mail->raw.s, mail->raw.len);
	enum rc rc = message_pack(&mail->packed, mail->raw.s, mail->raw.len, err);
	str_wipe(&mail->raw);
	return rc;
}

/* While INBOX is looked at anew: the mail is known, under another UID. *known: it was, and has this one now. */
static enum rc recognise(struct role_context *ctx, const uint8_t digest[SHA256_LEN], int64_t uid_validity,
	const char *uid, bool *known, struct pool *pool, struct err *err)
{
	int64_t id = 0;
	struct mail_message message;
	*known = false;
	enum rc rc = message_by_digest(ctx->office.store, digest, 0, &id, err);
	if (rc || !id)
		return rc;
	rc = message_get(ctx->office.store, id, &message, pool, err);
	if (rc || message.uid_validity == uid_validity)
		return rc;
	*known = true;
	message.uid_validity = uid_validity;
	message.uid = uid;
	if (message.state == MESSAGE_FILED)
		message.state = MESSAGE_READ; /* moved once more */
	return message_update(ctx->office.store, &message, err);
}

static enum rc write_mail(struct role_context *ctx, struct inbox *inbox, struct inbox_mail *mail,
	struct pool *pool, struct err *err)
{
	struct store *store = ctx->office.store;
	struct mail_message *message = &mail->message;
	int64_t id = 0;
	bool moves = false;
	enum rc rc = message_by_uid(store, message->uid_validity, message->uid, &id, err);
	if (!rc && !id && inbox->mark.anew)
		rc = recognise(ctx, message->digest, message->uid_validity, message->uid, &moves, pool, err);
	inbox->unmoved |= moves;
	mail->known = id || moves;
	if (rc || mail->known)
		return rc;
	rc = message_add_packed(store, message, &mail->packed, err);
	if (!rc)
		log_event(LEVEL_NOTICE, "message.taken", "message=%" PRId64 " bytes=%" PRId64 "%s",
			message->id, message->size, mail->unfetched ? " fetched=no" : "");
	return rc;
}

/* All of them and the mark behind them, in one transaction. */
static enum rc write_batch(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch,
	const char *last, utc_time now, struct err *err)
{
	struct store *store = ctx->office.store;
	struct inbox_mark mark = inbox->mark;
	enum rc rc = RC_OK;
	if (*last)
		mark_uid(&mark, last);
	if (batch->count == 0 && strcmp(mark.uid, inbox->mark.uid) == 0)
		return RC_OK;
	inbox->took = true;
	for (size_t i = 0; !rc && i < batch->count; i++)
		rc = prepare(ctx, inbox, &batch->mail[i], now, err);
	rc = rc ? rc : store_begin(store, err);
	for (size_t i = 0; !rc && i < batch->count; i++)
		rc = write_mail(ctx, inbox, &batch->mail[i], batch->pool, err);
	if (!rc && !ctx->settings->mailbox.maildir)
		rc = inbox_mark_set(store, &mark, err);
	rc = inbox_end(store, rc, err);
	if (rc)
		return rc;
	inbox->mark = mark;
	inbox->unread = true;
	return RC_OK;
}

/* ---- a look at INBOX ---- */

/* Readers begin with what was fetched while it is written, and while the office gets the rest of what was fetched before. The batch is inbox->reading's, or given up. */
static enum rc take_batch(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch,
	const char *last, utc_time now, struct err *err)
{
	enum rc rc = inbox_read_begin(ctx, inbox, batch, err);
	rc = rc ? rc : write_batch(ctx, inbox, batch, last, now, err);
	rc = rc ? rc : inbox_read_end(ctx, inbox, err);
	if (rc) {
		inbox_batch_free(&batch);
		return rc;
	}
	inbox->reading = batch;
	inbox->unread = false;
	return inbox_read_on(ctx, inbox, err);
}

static enum rc end_look(
	struct role_context *ctx, struct inbox *inbox, bool more, utc_time now, struct err *err)
{
	char text[32];
	inbox_look_end(inbox);
	/* What was listed and passed over once would be so again. */
	inbox->look = more && inbox->took;
	(void)snprintf(text, sizeof text, "%" PRId64, now);
	enum rc rc = store_begin(ctx->office.store, err);
	rc = rc ? rc : fact_set(ctx->office.store, FACT_FETCHED_AT, text, err);
	if (inbox->mark.anew && !more) {
		inbox->mark.anew = false;
		inbox->unmoved = true;
		rc = rc ? rc : inbox_mark_set(ctx->office.store, &inbox->mark, err);
	}
	return inbox_end(ctx->office.store, rc, err);
}

static enum rc take(struct role_context *ctx, struct inbox *inbox, utc_time now, struct err *err)
{
	struct inbox_batch *batch = inbox_batch_new();
	struct err late = {0};
	char last[sizeof inbox->mark.uid] = "";
	bool more;
	enum rc rc = inbox_fetch(ctx, inbox, batch, last, sizeof last, now, err);
	if (rc && rc != RC_SERVER) {
		inbox_batch_free(&batch);
		return rc;
	}
	/* What was fetched before the line broke is safe all the same. */
	late.rc = take_batch(ctx, inbox, batch, last, now, &late);
	if (!late.rc && rc)
		late.rc = inbox_read_end(ctx, inbox, &late);
	if (late.rc) {
		*err = late;
		return late.rc;
	}
	rc = rc ? rc : inbox_move_end(ctx, inbox, err);
	if (!rc && !inbox->mark.anew)
		rc = inbox_move_begin(ctx, inbox, err);
	if (!rc && inbox_look_is_over(inbox, &more)) {
		rc = inbox_read_end(ctx, inbox, err);
		rc = rc ? rc : end_look(ctx, inbox, more, now, err);
	}
	return rc;
}

void inbox_let_go(struct inbox *inbox)
{
	inbox_look_end(inbox);
	inbox_read_forget(inbox);
	inbox_move_forget(inbox);
	mailline_close(&inbox->line);
	inbox->selected = false;
}

enum rc inbox_take(struct role_context *ctx, struct inbox *inbox, utc_time now, struct err *err)
{
	enum rc rc = RC_OK;
	if (!inbox->looking) {
		inbox->took = false;
		rc = inbox_look_begin(ctx, inbox, err);
	}
	rc = rc ? rc : take(ctx, inbox, now, err);
	if (rc)
		inbox_let_go(inbox);
	return rc;
}
