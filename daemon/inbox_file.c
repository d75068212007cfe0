#include "daemon/inbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"

#define MOVE_MAX 100 /* mails a command and a transaction */
#define STUCK_MS 3600000 /* until a mail that the server refused to move is tried again */
#define LIST_MAX 2000
#define FACT_REVIEW_VALIDITY                                                                                 \
	"mailbox.review_validity" /* "UIDVALIDITY MESSAGE" of 要確認: UIDs of mails up to that one mean nothing */

/* ---- moving what was read ---- */

static const enum folder folders[] = {FOLDER_DONE, FOLDER_REVIEW, FOLDER_BOUNCE};
#define FOLDERS (sizeof folders / sizeof *folders)

struct moved { /* what the register is to have of one */
	struct mail_message *message;
	const char *uid; /* in its folder; NULL: not in INBOX any more */
};

struct inbox_moving {
	struct inbox *inbox;
	struct pool *pool; /* owned */
	struct mail_message message[MOVE_MAX];
	size_t count, most;
	struct moved moved[MOVE_MAX]; /* not written yet */
	size_t moved_count;
	struct to_folder {
		struct mail_message *message[MOVE_MAX];
		size_t count; /* 0: the line child was not asked, or has answered */
	} to[FOLDERS];
};

static void moving_free(struct inbox *inbox)
{
	if (!inbox->moving)
		return;
	pool_free(&inbox->moving->pool);
	free(inbox->moving);
	inbox->moving = NULL;
}

void inbox_move_forget(struct inbox *inbox)
{
	inbox->unmoved |= inbox->moving != NULL;
	moving_free(inbox);
}

static bool is_stuck(struct inbox *inbox, int64_t id)
{
	int64_t now = clock_machine_ms();
	for (int i = 0; i < inbox->stuck_count; i++)
		if (inbox->stuck[i].id == id)
			return now - inbox->stuck[i].since_ms < STUCK_MS;
	return false;
}

static void stuck_note(struct inbox *inbox, int64_t id)
{
	int at = 0;
	while (at < inbox->stuck_count && inbox->stuck[at].id != id)
		at++;
	if (at == INBOX_STUCK_MAX)
		return; /* so many: it is the server, not the mails */
	if (at == inbox->stuck_count) {
		inbox->stuck_count++;
		log_event(LEVEL_FAULT, "message.stays",
			"message=%" PRId64 " reason=\"the mailbox refuses to move it\"", id);
	}
	inbox->stuck[at].id = id;
	inbox->stuck[at].since_ms = clock_machine_ms();
}

static enum rc collect(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	struct inbox_moving *moving = ctx;
	if (moving->count == moving->most || is_stuck(moving->inbox, message->id))
		return RC_OK;
	struct mail_message *copy = &moving->message[moving->count++];
	*copy = *message;
	copy->uid = pool_strdup(moving->pool, message->uid);
	copy->filed_uid = "";
	return RC_OK;
}

static void note_moved(struct inbox_moving *moving, struct mail_message *message, const char *uid)
{
	moving->moved[moving->moved_count++] = (struct moved){message, uid};
}

/* All of them in one transaction. */
static enum rc write_filed(struct role_context *ctx, struct inbox_moving *moving, struct err *err)
{
	struct store *store = ctx->office.store;
	bool maildir = ctx->settings->mailbox.maildir;
	if (moving->moved_count == 0)
		return RC_OK;
	enum rc rc = store_begin(store, err);
	for (size_t i = 0; !rc && i < moving->moved_count; i++) {
		struct mail_message *message = moving->moved[i].message;
		const char *uid = moving->moved[i].uid;
		message->state = MESSAGE_FILED;
		/* A file keeps its name: moved by a run that died before it wrote so, it is there under the same. */
		message->filed_uid = uid ? uid : maildir ? message->uid : "";
		rc = message_update(store, message, err);
	}
	moving->moved_count = 0;
	return inbox_end(store, rc, err);
}

/* One command a folder. */
static enum rc begin_to(struct inbox *inbox, size_t place, struct err *err)
{
	struct inbox_moving *moving = inbox->moving;
	struct to_folder *to = &moving->to[place];
	const char *uid[MOVE_MAX];
	size_t count = 0;
	for (size_t i = 0; i < moving->count; i++) {
		struct mail_message *one = &moving->message[i];
		bool known = one->folder == FOLDER_DONE || one->folder == FOLDER_BOUNCE;
		if ((known ? one->folder : FOLDER_REVIEW) != folders[place] || one->state == MESSAGE_FILED)
			continue;
		to->message[count] = one;
		uid[count++] = one->uid;
	}
	if (count == 0)
		return RC_OK;
	to->count = count;
	return inbox_line_rc(mailline_move_begin(&inbox->line, uid, count, folders[place], err), err);
}

static enum rc end_to(struct inbox *inbox, struct to_folder *to, struct err *err)
{
	struct inbox_moving *moving = inbox->moving;
	const char *moved[MOVE_MAX] = {NULL};
	size_t count = to->count;
	to->count = 0;
	if (count == 0)
		return RC_OK;
	enum rc rc = inbox_line_rc(mailline_move_end(&inbox->line, count, moved, moving->pool, err), err);
	if (rc == RC_SERVER && strcmp(inbox->line.phase, "move") == 0) {
		if (inbox->move_alone && moving->count == 1)
			stuck_note(inbox, to->message[0]->id);
		inbox->move_alone = true;
	}
	for (size_t i = 0; !rc && i < count; i++)
		note_moved(moving, to->message[i], moved[i]);
	return rc;
}

/* Mails whose UID is of an earlier INBOX, all of which has been looked at since: they are not there any more. */
static enum rc file_gone(
	struct role_context *ctx, struct inbox *inbox, struct inbox_moving *moving, struct err *err)
{
	int64_t uid_validity = ctx->settings->mailbox.maildir ? 0 : inbox->mark.uid_validity;
	for (size_t i = 0; i < moving->count; i++)
		if (moving->message[i].uid_validity != uid_validity)
			note_moved(moving, &moving->message[i], NULL);
	return write_filed(ctx, moving, err);
}

enum rc inbox_move_begin(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct inbox_moving *moving = xcalloc(1, sizeof *moving);
	moving->inbox = inbox;
	moving->pool = pool_new();
	moving->most = inbox->move_alone ? 1 : MOVE_MAX;
	inbox->moving = moving;
	enum rc rc = message_each(ctx->office.store, MESSAGE_READ, 0, (int)moving->most + inbox->stuck_count,
		collect, moving, err);
	inbox->unmoved = moving->count == moving->most;
	rc = rc ? rc : file_gone(ctx, inbox, moving, err);
	for (size_t i = 0; !rc && i < FOLDERS; i++)
		rc = begin_to(inbox, i, err);
	if (rc)
		inbox_move_forget(inbox);
	return rc;
}

enum rc inbox_move_end(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct inbox_moving *moving = inbox->moving;
	enum rc rc = RC_OK;
	if (!moving)
		return RC_OK;
	for (size_t i = 0; !rc && i < FOLDERS; i++)
		rc = end_to(inbox, &moving->to[i], err);
	/* What the line had moved before it broke is moved. */
	struct err unwritten = {0};
	if (write_filed(ctx, moving, &unwritten)) {
		*err = unwritten;
		rc = unwritten.rc;
	}
	if (rc) {
		inbox_move_forget(inbox);
		return rc;
	}
	if (moving->count < moving->most)
		inbox->move_alone = false;
	moving_free(inbox);
	return RC_OK;
}

/* ---- what staff moved by hand ---- */

struct watched { /* a mail that lay in 要確認 when it was filed */
	int64_t id;
	const char *uid;
	bool seen;
};

struct watching {
	struct pool *pool;
	struct watched *mail; /* owned */
	size_t count, size;
	int64_t last_id; /* of all, those without a UID too */
	const char *first_uid; /* the least; NULL: none */
};

/* UIDs are numbers, or names of which all are listed anyway. */
static bool uid_before(const char *a, const char *b)
{
	size_t x = strlen(a), y = strlen(b);
	return x != y ? x < y : strcmp(a, b) < 0;
}

static enum rc watch_one(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	struct watching *watching = ctx;
	watching->last_id = message->id;
	if (!*message->filed_uid)
		return RC_OK;
	if (watching->count == watching->size) {
		watching->size = watching->size ? 2 * watching->size : 256;
		watching->mail = xrealloc(watching->mail, watching->size * sizeof *watching->mail);
	}
	struct watched *mail = &watching->mail[watching->count++];
	*mail = (struct watched){.id = message->id, .uid = pool_strdup(watching->pool, message->filed_uid)};
	return RC_OK;
}

static int by_uid(const void *a, const void *b)
{
	return strcmp(((const struct watched *)a)->uid, ((const struct watched *)b)->uid);
}

static void mark_seen(struct watching *watching, const struct mailbox_list *listed)
{
	for (size_t i = 0; i < listed->count; i++) {
		struct watched key = {.uid = listed->entry[i].uid};
		struct watched *found =
			bsearch(&key, watching->mail, watching->count, sizeof *watching->mail, by_uid);
		if (found)
			found->seen = true;
	}
}

/* After a change of the folder's UIDVALIDITY nothing can be said of what was filed before. *known_after: mails behind it can be looked for. */
static enum rc review_validity(struct role_context *ctx, int64_t uid_validity, int64_t last_id,
	int64_t *known_after, struct err *err)
{
	struct str value = STR_INIT;
	*known_after = 0;
	enum rc rc = fact_get(ctx->office.store, FACT_REVIEW_VALIDITY, &value, err);
	bool noted = value.len > 0;
	char *at = value.s;
	int64_t before = strtoll(at, &at, 10);
	*known_after = strtoll(at, &at, 10);
	if (!rc && (!noted || before != uid_validity)) {
		*known_after = noted ? last_id : 0;
		str_clear(&value);
		str_printf(&value, "%" PRId64 " %" PRId64, uid_validity, *known_after);
		rc = inbox_fact_write(ctx->office.store, FACT_REVIEW_VALIDITY, value.s, err);
	}
	str_free(&value);
	return rc;
}

static enum rc list_review(
	struct inbox *inbox, struct watching *watching, int64_t *uid_validity, struct err *err)
{
	struct pool *pool = pool_new();
	struct mailbox_list listed = {.more = true};
	char after[24] = "";
	enum rc rc = RC_OK;
	/* A Maildir lists all of it at once; its `after` counts for nothing. */
	if (watching->first_uid && strspn(watching->first_uid, "0123456789") == strlen(watching->first_uid))
		(void)snprintf(after, sizeof after, "%lld", strtoll(watching->first_uid, NULL, 10) - 1);
	size_t limit = LIST_MAX;
	while (!rc && listed.more) {
		rc = inbox_line_rc(mailline_list(&inbox->line, FOLDER_REVIEW, *after ? after : NULL, limit,
					   &listed, pool, err),
			err);
		if (rc)
			break;
		*uid_validity = listed.uid_validity;
		mark_seen(watching, &listed);
		if (listed.uid_validity == 0)
			limit *= 4;
		else if (listed.count > 0)
			(void)snprintf(after, sizeof after, "%s", listed.entry[listed.count - 1].uid);
		else
			break;
		pool_reset(pool);
	}
	pool_free(&pool);
	return rc;
}

enum rc inbox_look_for_moved(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct watching watching = {.pool = pool_new()};
	int64_t uid_validity = 0, known_after = 0;
	enum rc rc = message_each_in_review(ctx->office.store, watch_one, &watching, err);
	for (size_t i = 0; i < watching.count; i++)
		if (!watching.first_uid || uid_before(watching.mail[i].uid, watching.first_uid))
			watching.first_uid = watching.mail[i].uid;
	if (!rc && watching.count > 0) {
		qsort(watching.mail, watching.count, sizeof *watching.mail, by_uid);
		rc = list_review(inbox, &watching, &uid_validity, err);
		rc = rc ? rc : review_validity(ctx, uid_validity, watching.last_id, &known_after, err);
	}
	for (size_t i = 0; !rc && i < watching.count; i++)
		if (!watching.mail[i].seen && watching.mail[i].id > known_after)
			rc = office_moved_away(&ctx->office, watching.mail[i].id, err);
	free(watching.mail);
	pool_free(&watching.pool);
	return rc;
}

/* ---- copies of sent notices ---- */

static enum rc copy_one(struct role_context *ctx, struct inbox *inbox, int64_t notice_id, struct err *err)
{
	struct str wire = STR_INIT, whole = STR_INIT;
	struct pool *pool = pool_new();
	struct notice notice;
	enum rc rc = outbox_get(ctx->office.store, notice_id, &notice, pool, err);
	rc = rc ? rc : office_letter_of(&ctx->office, &notice, &wire, &whole, err);
	if (rc && !store_failed(ctx->office.store)) {
		/* The applicant has the letter; a copy that can't be made must not hold up the others. */
		log_event(LEVEL_FAULT, "copy.unreadable", "notice=%" PRId64 " reason=\"%s\"", notice_id,
			err->text);
		rc = RC_OK;
	} else if (!rc) {
		char name[48];
		/* As the sender names its files: once, whatever happens to the register. */
		(void)snprintf(name, sizeof name, "notice-%010" PRId64 "-%02x%02x%02x%02x", notice_id,
			notice.digest[0], notice.digest[1], notice.digest[2], notice.digest[3]);
		str_add(&whole, wire.s, wire.len);
		rc = inbox_line_rc(mailline_append(&inbox->line, name, whole.s, whole.len, err), err);
	}
	if (!rc) {
		rc = store_begin(ctx->office.store, err);
		rc = rc ? rc : copy_done(ctx->office.store, notice_id, err);
		rc = inbox_end(ctx->office.store, rc, err);
	}
	pool_free(&pool);
	str_wipe(&wire);
	str_wipe(&whole);
	return rc;
}

enum rc inbox_copy(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	int64_t notice_id = 0;
	inbox->copies = false;
	if (!ctx->settings->mailbox.sent)
		return RC_OK;
	enum rc rc = copy_next(ctx->office.store, 0, &notice_id, err);
	if (rc || !notice_id)
		return rc;
	inbox->copies = true;
	return copy_one(ctx, inbox, notice_id, err);
}
