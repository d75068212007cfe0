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

#define FACT_UNFETCHED                                                                                       \
	"mailbox.unfetched" /* "UID TIMES": a mail that is refused, or ends the connection, each time it is fetched */
#define UNFETCHED_MAX 5
#define LIST_MAX 512 /* entries a look */

_Static_assert(INBOX_BATCH <= MAILLINE_FETCH_MAX, "a batch is one request");

/* ---- batches ---- */

struct inbox_batch *inbox_batch_new(void)
{
	struct inbox_batch *batch = xcalloc(1, sizeof *batch);
	batch->pool = pool_new();
	return batch;
}

struct inbox_mail *inbox_batch_add(struct inbox_batch *batch)
{
	struct inbox_mail *mail = &batch->mail[batch->count++];
	*mail = (struct inbox_mail){.raw = STR_INIT, .packed = STR_INIT, .file = -1, .reading = {.fd = -1}};
	return mail;
}

void inbox_batch_free(struct inbox_batch **batch)
{
	if (!*batch)
		return;
	for (size_t i = 0; i < (*batch)->count; i++) {
		struct inbox_mail *mail = &(*batch)->mail[i];
		mail_reader_drop(&mail->reading);
		str_wipe(&mail->raw);
		str_wipe(&mail->packed);
		if (mail->file >= 0)
			(void)close(mail->file);
	}
	pool_free(&(*batch)->pool);
	free(*batch);
	*batch = NULL;
}

/* ---- a look ---- */

struct wanted {
	const struct mailbox_entry *entry;
	const char *next; /* the UID of the one behind it; NULL: none */
	bool asked; /* for with others: an answer comes */
	int file; /* what it brought; -1: nothing */
	int64_t size;
};

struct inbox_look {
	struct pool *pool; /* owned; of `listed` */
	struct mailbox_list listed;
	size_t chosen; /* entries of it that were gone through */
	struct wanted wanted[INBOX_BATCH]; /* the next batch */
	size_t count;
	bool alone; /* the line died over several at once: one by one */
};

static void give_up_answers(struct inbox_look *look)
{
	for (size_t i = 0; i < look->count; i++)
		if (look->wanted[i].file >= 0)
			(void)close(look->wanted[i].file);
	look->count = 0;
}

void inbox_look_end(struct inbox *inbox)
{
	if (!inbox->looking)
		return;
	give_up_answers(inbox->looking);
	pool_free(&inbox->looking->pool);
	free(inbox->looking);
	inbox->looking = NULL;
}

bool inbox_look_is_over(const struct inbox *inbox, bool *more)
{
	const struct inbox_look *look = inbox->looking;
	*more = look->listed.more;
	return look->count == 0 && look->chosen == look->listed.count;
}

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

static enum rc list(struct inbox *inbox, const char *after, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	return inbox_line_rc(
		mailline_list(&inbox->line, FOLDER_INBOX, after, LIST_MAX, &look->listed, look->pool, err),
		err);
}

/* Another mailbox, or one whose UIDs mean something else now. */
static enum rc begin_anew(struct role_context *ctx, struct inbox *inbox, const char mailbox[17],
	const char *after, struct err *err)
{
	int64_t uid_validity = inbox->looking->listed.uid_validity;
	if (inbox->marked)
		log_event(LEVEL_NOTICE, "mailbox.anew", "uidvalidity=%" PRId64 " before=%" PRId64,
			uid_validity, inbox->mark.uid_validity);
	struct inbox_mark mark = {.uid_validity = uid_validity, .anew = inbox->marked};
	memcpy(mark.mailbox, mailbox, sizeof mark.mailbox);
	enum rc rc = store_begin(ctx->office.store, err);
	if (!rc && inbox->marked)
		rc = messages_unnumber(ctx->office.store, uid_validity, err);
	rc = rc ? rc : inbox_mark_set(ctx->office.store, &mark, err);
	rc = inbox_end(ctx->office.store, rc, err);
	if (rc)
		return rc;
	inbox->mark = mark;
	inbox->marked = true;
	return after ? list(inbox, NULL, err) : RC_OK;
}

enum rc inbox_look_begin(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	const struct mailbox_settings *settings = &ctx->settings->mailbox;
	char mailbox[17], uid[sizeof inbox->mark.uid];
	(void)snprintf(uid, sizeof uid, "%s", inbox->mark.uid);
	const char *after = !settings->maildir && inbox->marked && *uid ? uid : NULL;
	inbox->looking = xcalloc(1, sizeof *inbox->looking);
	inbox->looking->pool = pool_new();
	inbox->next_arrival = UTC_NEVER;
	enum rc rc = list(inbox, after, err);
	if (!rc && !settings->maildir) {
		mailbox_identity(mailbox, settings);
		if (!inbox->marked || inbox->mark.uid_validity != inbox->looking->listed.uid_validity ||
			strcmp(inbox->mark.mailbox, mailbox) != 0)
			rc = begin_anew(ctx, inbox, mailbox, after, err);
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

/* ---- one mail ---- */

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

/* Its bytes into the batch. */
static enum rc add_bytes(struct role_context *ctx, struct inbox_batch *batch,
	const struct mailbox_entry *entry, int file, int64_t size, struct err *err)
{
	struct inbox_mail *mail = inbox_batch_add(batch);
	mail->message.uid = pool_strdup(batch->pool, entry->uid);
	mail->message.size = size;
	mail->file = file;
	enum rc rc = memfile_read(&mail->raw, file, ctx->settings->mailbox.message_bytes, err);
	if (!rc)
		return RC_OK;
	str_wipe(&mail->raw);
	(void)close(file);
	batch->count--;
	return inbox_line_rc(rc, err);
}

static enum rc fetch_bytes(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch,
	const struct mailbox_entry *entry, struct err *err)
{
	int file = -1;
	int64_t size = 0;
	enum rc rc = inbox_line_rc(mailline_fetch(&inbox->line, entry->uid, &file, &size, err), err);
	return rc ? rc : add_bytes(ctx, batch, entry, file, size, err);
}

/* One mail into the batch; one that has gone is passed over, one that can't be had is noted as such. last: behind which it lies. */
static enum rc fetch_alone(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch,
	const struct wanted *wanted, const char *last, struct err *err)
{
	const struct mailbox_entry *entry = wanted->entry;
	int times = 0;
	enum rc rc = inbox_move_end(ctx, inbox, err); /* its answer would come first */
	rc = rc ? rc : count_unfetched(ctx, inbox->mark.uid_validity, entry->uid, false, &times, err);
	if (!rc && times == UNFETCHED_MAX && wanted->next)
		rc = probe(inbox, wanted->next, err);
	if (rc)
		return rc;
	if (entry->size > ctx->settings->mailbox.message_bytes || times > UNFETCHED_MAX) {
		struct inbox_mail *mail = inbox_batch_add(batch);
		mail->message.uid = pool_strdup(batch->pool, entry->uid);
		mail->message.size = entry->size;
		mail->unfetched = true;
		return RC_OK;
	}
	rc = fetch_bytes(ctx, inbox, batch, entry, err);
	if (rc == RC_REFUSED) {
		const char *after = *last ? last : inbox->mark.uid;
		bool there = false;
		rc = is_there(inbox, entry->uid, *after ? after : NULL, &there, batch->pool, err);
		if (!rc && there)
			rc = note_refused(ctx, inbox, entry->uid, err);
	} else if (rc == RC_SERVER && strcmp(inbox->line.phase, "fetch") == 0 &&
		   (times < UNFETCHED_MAX || wanted->next)) {
		struct err ignored = {0};
		(void)count_unfetched(ctx, inbox->mark.uid_validity, entry->uid, true, &times, &ignored);
	}
	return rc;
}

/* ---- a batch ---- */

static enum rc is_taken(struct role_context *ctx, const char *uid, bool *taken, struct err *err)
{
	int64_t id = 0;
	enum rc rc = RC_OK;
	if (ctx->settings->mailbox.maildir)
		rc = message_by_uid(ctx->office.store, 0, uid, &id, err);
	*taken = id != 0;
	return rc;
}

/* The next ones of the list that are wanted, so many that they fit a batch. *payload: their octets. */
static enum rc choose(
	struct role_context *ctx, struct inbox *inbox, utc_time now, int64_t *payload, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	const struct mailbox_list *listed = &look->listed;
	enum rc rc = RC_OK;
	*payload = 0;
	for (; look->chosen < listed->count && look->count < INBOX_BATCH; look->chosen++) {
		const struct mailbox_entry *entry = &listed->entry[look->chosen];
		bool taken = false;
		rc = is_taken(ctx, entry->uid, &taken, err);
		if (rc)
			break;
		if (taken || !has_arrived(ctx, inbox, entry->uid, now))
			continue;
		bool fits = entry->size <= ctx->settings->mailbox.message_bytes;
		if (fits && look->count > 0 && *payload + entry->size > INBOX_BATCH_BYTES)
			break;
		look->wanted[look->count++] = (struct wanted){.entry = entry,
			.next = look->chosen + 1 < listed->count ? entry[1].uid : NULL,
			.asked = fits,
			.file = -1};
		*payload += fits ? entry->size : 0;
	}
	return rc;
}

/* Whether one of them has made trouble before: together with others it would do so again. */
static enum rc has_troublesome(
	struct role_context *ctx, const struct inbox *inbox, bool *has, struct err *err)
{
	const struct inbox_look *look = inbox->looking;
	struct str value = STR_INIT, key = STR_INIT;
	enum rc rc = fact_get(ctx->office.store, FACT_UNFETCHED, &value, err);
	*has = false;
	for (size_t i = 0; !rc && value.len > 0 && i < look->count; i++) {
		str_clear(&key);
		str_printf(&key, "%" PRId64 "/%s ", inbox->mark.uid_validity, look->wanted[i].entry->uid);
		*has |= str_has_prefix(value.s, key.s);
	}
	str_free(&value);
	str_free(&key);
	return rc;
}

/* Chooses the next batch and asks for it; the answers are taken when they are wanted. */
static enum rc ask_ahead(struct role_context *ctx, struct inbox *inbox, utc_time now, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	const char *uid[INBOX_BATCH];
	size_t count = 0;
	int64_t payload = 0;
	bool alone = look->alone;
	enum rc rc = choose(ctx, inbox, now, &payload, err);
	if (!rc && !alone)
		rc = has_troublesome(ctx, inbox, &alone, err);
	for (size_t i = 0; i < look->count; i++)
		if (look->wanted[i].asked)
			uid[count++] = look->wanted[i].entry->uid;
	alone |= count < 2;
	for (size_t i = 0; alone && i < look->count; i++)
		look->wanted[i].asked = false;
	if (!rc && !alone)
		rc = inbox_line_rc(mailline_fetch_begin(&inbox->line, uid, count, payload, err), err);
	return rc;
}

/* Takes all answers. Which one of several it is that the line dies over shows only where each is asked for by itself. */
static enum rc take_answers(struct role_context *ctx, struct inbox *inbox, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < look->count && inbox->line.fd >= 0; i++) {
		struct wanted *wanted = &look->wanted[i];
		if (!wanted->asked)
			continue;
		rc = inbox_line_rc(mailline_fetch_next(&inbox->line, &wanted->file, &wanted->size, err), err);
		look->alone |= rc == RC_SERVER;
	}
	if (inbox->line.fd >= 0 || look->count == 0)
		return RC_OK;
	/* The child itself is gone: the next one is asked for them by themselves, as for one that has made trouble. */
	struct err ignored = {0};
	int times = 0;
	if (rc == RC_SERVER)
		(void)count_unfetched(
			ctx, inbox->mark.uid_validity, look->wanted[0].entry->uid, true, &times, &ignored);
	return rc;
}

enum rc inbox_fetch_later(struct inbox *inbox, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	if (!look || look->count == 0)
		return RC_OK;
	for (size_t i = 0; i < look->count && inbox->line.fd >= 0; i++)
		if (look->wanted[i].asked)
			(void)mailline_fetch_next(
				&inbox->line, &look->wanted[i].file, &look->wanted[i].size, err);
	look->chosen = (size_t)(look->wanted[0].entry - look->listed.entry);
	give_up_answers(look);
	return inbox->line.fd >= 0 ? RC_OK : inbox_line_rc(err->rc, err);
}

enum rc inbox_fetch(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, char *last,
	size_t last_size, utc_time now, struct err *err)
{
	struct inbox_look *look = inbox->looking;
	enum rc rc = look->count == 0 ? ask_ahead(ctx, inbox, now, err) : RC_OK;
	rc = rc ? rc : take_answers(ctx, inbox, err);
	*last = '\0';
	for (size_t i = 0; !rc && i < look->count; i++) {
		struct wanted *wanted = &look->wanted[i];
		if (wanted->file >= 0)
			rc = add_bytes(ctx, batch, wanted->entry, wanted->file, wanted->size, err);
		else
			rc = fetch_alone(ctx, inbox, batch, wanted, last, err);
		wanted->file = -1;
		if (!rc && !ctx->settings->mailbox.maildir)
			(void)snprintf(last, last_size, "%s", wanted->entry->uid);
	}
	give_up_answers(look);
	return rc ? rc : ask_ahead(ctx, inbox, now, err);
}
