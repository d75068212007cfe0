#include "daemon/inbox.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/memfile.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

#define FACT_MARK "mailbox.mark"
#define FACT_FETCHED_AT                                                                                      \
	"mailbox.fetched_at" /* the last look at INBOX that went well; read by sengenctl status */
#define FACT_UNFETCHED                                                                                       \
	"mailbox.unfetched" /* "UID TIMES": a mail that is refused, or ends the connection, each time it is fetched */
#define UNFETCHED_MAX 5
#define LIST_MAX 64 /* entries a look */
#define BATCH_MAX 16 /* mails a transaction, */
#define BATCH_BYTES (1024 * 1024) /* and bytes: the write lock is others' too */

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

static void mailbox_identity(char out[17], const struct mailbox_settings *settings)
{
	struct str text = STR_INIT;
	uint8_t digest[SHA256_LEN];
	str_printf(&text, "%s\n%s\n%s", settings->host ? settings->host : "",
		settings->user ? settings->user : "", settings->inbox);
	sha256(digest, text.s, text.len);
	str_clear(&text);
	hex_add(&text, digest, 8);
	(void)snprintf(out, 17, "%s", text.s);
	str_free(&text);
}

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

static enum rc mark_set(struct store *store, const struct inbox_mark *mark, struct err *err)
{
	char value[96];
	(void)snprintf(value, sizeof value, "%" PRId64 " %s %d %s", mark->uid_validity,
		*mark->uid ? mark->uid : "-", mark->anew, mark->mailbox);
	return fact_set(store, FACT_MARK, value, err);
}

/* ---- listing ---- */

static enum rc list(struct role_context *ctx, struct inbox *inbox, struct mailbox_list *out,
	struct pool *pool, struct err *err)
{
	const struct mailbox_settings *settings = &ctx->settings->mailbox;
	const char *after = inbox->marked && *inbox->mark.uid ? inbox->mark.uid : NULL;
	enum rc rc = inbox_line_rc(mailline_list(&inbox->line, FOLDER_INBOX, settings->maildir ? NULL : after,
					   LIST_MAX, out, pool, err),
		err);
	if (rc || settings->maildir) {
		inbox->selected = rc == RC_OK;
		return rc;
	}
	char mailbox[17];
	mailbox_identity(mailbox, settings);
	bool same = inbox->marked && inbox->mark.uid_validity == out->uid_validity &&
		    strcmp(inbox->mark.mailbox, mailbox) == 0;
	if (!same) {
		if (inbox->marked)
			log_event(LEVEL_NOTICE, "mailbox.anew", "uidvalidity=%" PRId64 " before=%" PRId64,
				out->uid_validity, inbox->mark.uid_validity);
		inbox->mark = (struct inbox_mark){.uid_validity = out->uid_validity, .anew = inbox->marked};
		memcpy(inbox->mark.mailbox, mailbox, sizeof mailbox);
		inbox->marked = true;
		rc = store_begin(ctx->office.store, err);
		rc = rc ? rc : mark_set(ctx->office.store, &inbox->mark, err);
		rc = inbox_end(ctx->office.store, rc, err);
		if (!rc && after)
			rc = inbox_line_rc(
				mailline_list(&inbox->line, FOLDER_INBOX, NULL, LIST_MAX, out, pool, err),
				err);
	}
	inbox->selected = rc == RC_OK;
	return rc;
}

/* ---- arriving, in a simulation ---- */

/* The moment a Maildir's file was written; UTC_NEVER: it is not there. */
static utc_time arrival(const char *maildir, const char *uid)
{
	static const char *const places[] = {"new", "cur"};
	utc_time at = UTC_NEVER;
	size_t len = strlen(uid);
	for (size_t i = 0; i < 2 && at == UTC_NEVER; i++) {
		struct str path = STR_INIT;
		path_join(&path, maildir, places[i]);
		DIR *directory = opendir(path.s);
		str_free(&path);
		if (!directory)
			continue;
		for (struct dirent *entry; at == UTC_NEVER && (entry = readdir(directory));) {
			struct stat st;
			if (strncmp(entry->d_name, uid, len) == 0 &&
				(entry->d_name[len] == '\0' || entry->d_name[len] == ':') &&
				fstatat(dirfd(directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
				at = st.st_mtim.tv_sec;
		}
		(void)closedir(directory);
	}
	return at;
}

/* Has it come by now? Notes when the next one does. */
static bool has_arrived(struct role_context *ctx, struct inbox *inbox, const char *uid, utc_time now)
{
	if (!ctx->simulating)
		return true;
	utc_time at = arrival(ctx->settings->mailbox.path, uid);
	if (at > now && at < inbox->next_arrival)
		inbox->next_arrival = at;
	return at <= now;
}

/* ---- fetching ---- */

struct taken { /* fetched, and not in the register yet */
	const char *uid;
	int64_t size;
	struct str raw; /* "" when it can't be had */
	bool unfetched;
};

struct batch {
	struct taken mail[BATCH_MAX];
	size_t count;
	size_t bytes;
	char last[sizeof((struct inbox_mark){0}).uid]; /* the mark once it is written */
};

static void batch_clear(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		str_wipe(&batch->mail[i].raw);
	batch->count = 0;
	batch->bytes = 0;
}

static struct taken *batch_add(struct batch *batch, const struct mailbox_entry *entry)
{
	struct taken *taken = &batch->mail[batch->count++];
	*taken = (struct taken){.uid = entry->uid, .size = entry->size, .raw = STR_INIT};
	return taken;
}

/* Times that this mail was refused or has ended the connection; counted in the register, for a process that runs once has no other memory. */
static enum rc count_unfetched(struct role_context *ctx, int64_t uid_validity, const char *uid, bool again,
	int *times, struct err *err)
{
	struct str value = STR_INIT, key = STR_INIT;
	str_printf(&key, "%" PRId64 "/%s", uid_validity, uid);
	enum rc rc = fact_get(ctx->office.store, FACT_UNFETCHED, &value, err);
	const char *blank = strrchr(value.s, ' ');
	bool same = blank && (size_t)(blank - value.s) == key.len && str_has_prefix(value.s, key.s);
	*times = same ? (int)strtol(blank + 1, NULL, 10) : 0;
	if (!rc && again) {
		str_clear(&value);
		str_printf(&value, "%s %d", key.s, ++*times);
		rc = inbox_fact_write(ctx->office.store, FACT_UNFETCHED, value.s, err);
	}
	str_free(&key);
	str_free(&value);
	return rc;
}

/* RC_REFUSED may mean that the server's own figure was too small: is it there at all? */
static enum rc is_there(struct inbox *inbox, const char *uid, const char *after, bool *there,
	struct pool *pool, struct err *err)
{
	struct mailbox_list list;
	enum rc rc = inbox_line_rc(
		mailline_list(&inbox->line, FOLDER_INBOX, after, LIST_MAX, &list, pool, err), err);
	*there = false;
	for (size_t i = 0; !rc && i < list.count; i++)
		*there |= strcmp(list.entry[i].uid, uid) == 0;
	return rc;
}

/* A mail that seems to end the connection is given up only where the one behind it can be had: else it is the server, and everybody waits. */
static enum rc probe(struct inbox *inbox, const char *uid, struct err *err)
{
	int file = -1;
	int64_t size = 0;
	enum rc rc = inbox_line_rc(mailline_fetch(&inbox->line, uid, &file, &size, err), err);
	if (file >= 0)
		(void)close(file);
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc fetch_bytes(struct role_context *ctx, struct inbox *inbox, struct batch *batch,
	const struct mailbox_entry *entry, struct err *err)
{
	int file = -1;
	struct str raw = STR_INIT;
	int64_t size = 0;
	enum rc rc = inbox_line_rc(mailline_fetch(&inbox->line, entry->uid, &file, &size, err), err);
	if (rc)
		return rc;
	rc = memfile_read(&raw, file, ctx->settings->mailbox.message_bytes, err);
	(void)close(file);
	if (rc) {
		str_wipe(&raw);
		return inbox_line_rc(rc, err);
	}
	struct taken *taken = batch_add(batch, entry);
	taken->raw = raw;
	taken->size = size;
	batch->bytes += raw.len;
	return RC_OK;
}

/* A mail that is there is not given. That may be the server's trouble of the moment, with this one or with all of them: it is asked for again. */
static enum rc note_refused(struct role_context *ctx, struct inbox *inbox, const char *uid, struct err *err)
{
	int times = 0;
	enum rc rc = count_unfetched(ctx, inbox->mark.uid_validity, uid, true, &times, err);
	inbox->line.phase = "fetch";
	return rc ? rc
		  : err_set(err, RC_SERVER,
			    "The mailbox does not give one of its mails; that was try %d of %d", times,
			    UNFETCHED_MAX + 1);
}

/* One mail into the batch; one that has gone is passed over, one that can't be had is noted as such. next: the one behind it; NULL: none. */
static enum rc fetch(struct role_context *ctx, struct inbox *inbox, struct batch *batch,
	const struct mailbox_entry *entry, const char *next, struct pool *pool, struct err *err)
{
	int times = 0;
	enum rc rc = count_unfetched(ctx, inbox->mark.uid_validity, entry->uid, false, &times, err);
	if (!rc && times == UNFETCHED_MAX && next)
		rc = probe(inbox, next, err);
	if (rc)
		return rc;
	if (entry->size > ctx->settings->mailbox.message_bytes || times > UNFETCHED_MAX) {
		batch_add(batch, entry)->unfetched = true;
		return RC_OK;
	}
	rc = fetch_bytes(ctx, inbox, batch, entry, err);
	if (rc == RC_REFUSED) {
		const char *after = *batch->last ? batch->last : inbox->mark.uid;
		bool there = false;
		rc = is_there(inbox, entry->uid, *after ? after : NULL, &there, pool, err);
		if (!rc && there)
			rc = note_refused(ctx, inbox, entry->uid, err);
	} else if (rc == RC_SERVER && strcmp(inbox->line.phase, "fetch") == 0 &&
		   (times < UNFETCHED_MAX || next)) {
		struct err ignored = {0};
		(void)count_unfetched(ctx, inbox->mark.uid_validity, entry->uid, true, &times, &ignored);
	}
	return rc;
}

/* ---- into the register ---- */

static void digest_of(uint8_t digest[SHA256_LEN], const struct taken *taken, int64_t uid_validity)
{
	if (!taken->unfetched) {
		sha256(digest, taken->raw.s, taken->raw.len);
		return;
	}
	/* Two mails that nobody has seen are not the same one. */
	struct str text = STR_INIT;
	str_printf(&text, "unfetched\n%" PRId64 "\n%s\n%" PRId64, uid_validity, taken->uid, taken->size);
	sha256(digest, text.s, text.len);
	str_free(&text);
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

static enum rc write_mail(struct role_context *ctx, struct inbox *inbox, const struct taken *taken,
	utc_time now, struct pool *pool, struct err *err)
{
	struct store *store = ctx->office.store;
	int64_t uid_validity = ctx->settings->mailbox.maildir ? 0 : inbox->mark.uid_validity, id = 0;
	bool known = false;
	uint8_t digest[SHA256_LEN];
	digest_of(digest, taken, uid_validity);
	enum rc rc = message_by_uid(store, uid_validity, taken->uid, &id, err);
	if (!rc && !id && inbox->mark.anew)
		rc = recognise(ctx, digest, uid_validity, taken->uid, &known, pool, err);
	if (known)
		inbox->unmoved = true;
	if (rc || id || known)
		return rc;
	struct mail_message message = {.state = MESSAGE_TAKEN,
		.taken_at = now,
		.size = taken->size,
		.uid_validity = uid_validity,
		.uid = taken->uid,
		.folder = FOLDER_INBOX,
		.filed_uid = ""};
	memcpy(message.digest, digest, sizeof message.digest);
	rc = message_add(store, &message, taken->raw.s, taken->raw.len, err);
	if (!rc)
		log_event(LEVEL_NOTICE, "message.taken", "message=%" PRId64 " bytes=%" PRId64 "%s",
			message.id, message.size, taken->unfetched ? " fetched=no" : "");
	inbox->unread = true;
	return rc;
}

static enum rc write_batch(struct role_context *ctx, struct inbox *inbox, struct batch *batch, utc_time now,
	struct pool *pool, struct err *err)
{
	struct store *store = ctx->office.store;
	struct inbox_mark mark = inbox->mark;
	if (*batch->last && !ctx->settings->mailbox.maildir)
		mark_uid(&mark, batch->last);
	if (batch->count == 0 && strcmp(mark.uid, inbox->mark.uid) == 0)
		return RC_OK;
	inbox->took = true;
	enum rc rc = store_begin(store, err);
	for (size_t i = 0; !rc && i < batch->count; i++)
		rc = write_mail(ctx, inbox, &batch->mail[i], now, pool, err);
	if (!rc && !ctx->settings->mailbox.maildir)
		rc = mark_set(store, &mark, err);
	rc = inbox_end(store, rc, err);
	if (!rc)
		inbox->mark = mark;
	batch_clear(batch);
	return rc;
}

/* ---- a look at INBOX ---- */

static enum rc is_taken(struct role_context *ctx, const char *uid, bool *taken, struct err *err)
{
	int64_t id = 0;
	enum rc rc = RC_OK;
	if (ctx->settings->mailbox.maildir)
		rc = message_by_uid(ctx->office.store, 0, uid, &id, err);
	*taken = id != 0;
	return rc;
}

static enum rc take_listed(struct role_context *ctx, struct inbox *inbox, const struct mailbox_list *listed,
	utc_time now, struct pool *pool, struct err *err)
{
	struct batch batch = {.count = 0};
	enum rc rc = RC_OK, written = RC_OK;
	for (size_t i = 0; !rc && !written && i < listed->count; i++) {
		const struct mailbox_entry *entry = &listed->entry[i];
		bool taken = false;
		rc = is_taken(ctx, entry->uid, &taken, err);
		if (rc || taken || !has_arrived(ctx, inbox, entry->uid, now))
			continue;
		const char *next = i + 1 < listed->count ? listed->entry[i + 1].uid : NULL;
		rc = fetch(ctx, inbox, &batch, entry, next, pool, err);
		if (!rc && !ctx->settings->mailbox.maildir)
			(void)snprintf(batch.last, sizeof batch.last, "%s", entry->uid);
		if (!rc && (batch.count == BATCH_MAX || batch.bytes >= BATCH_BYTES))
			written = write_batch(ctx, inbox, &batch, now, pool, err);
	}
	/* What was fetched before the line broke is safe all the same. */
	struct err late = {0};
	if (!written)
		written = write_batch(ctx, inbox, &batch, now, pool, &late);
	if (written && !rc) {
		if (late.rc)
			*err = late;
		rc = written;
	}
	batch_clear(&batch);
	return rc;
}

enum rc inbox_take(struct role_context *ctx, struct inbox *inbox, utc_time now, struct err *err)
{
	struct pool *pool = pool_new();
	struct mailbox_list listed = {0};
	char text[32];
	inbox->next_arrival = UTC_NEVER;
	inbox->took = false;
	enum rc rc = list(ctx, inbox, &listed, pool, err);
	rc = rc ? rc : take_listed(ctx, inbox, &listed, now, pool, err);
	if (!rc) {
		/* What was listed and passed over once would be so again. */
		inbox->look = listed.more && inbox->took;
		bool anew_is_done = inbox->mark.anew && !listed.more;
		(void)snprintf(text, sizeof text, "%" PRId64, now);
		rc = store_begin(ctx->office.store, err);
		rc = rc ? rc : fact_set(ctx->office.store, FACT_FETCHED_AT, text, err);
		if (anew_is_done) {
			inbox->mark.anew = false;
			inbox->unmoved = true;
			rc = rc ? rc : mark_set(ctx->office.store, &inbox->mark, err);
		}
		rc = inbox_end(ctx->office.store, rc, err);
	}
	pool_free(&pool);
	return rc;
}
