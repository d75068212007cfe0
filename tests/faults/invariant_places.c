#include "tests/faults/invariant_p.h"

#include <dirent.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"

/* ---- 1 and 9: files ---- */

static struct {
	char path[64][448];
	size_t count;
} found;

static int note_path(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)ftw;
	if (type == FTW_F && found.count < 64)
		(void)snprintf(found.path[found.count++], sizeof found.path[0], "%s", path);
	return 0;
}

static void find_files(const char *below)
{
	char path[448];
	(void)snprintf(path, sizeof path, "%s/spool/%s", season->directory, below);
	(void)nftw(path, note_path, 8, FTW_PHYS);
}

static int archived(const struct season_file *file)
{
	int count = 0;
	for (size_t i = 0; i < found.count; i++) {
		struct str bytes = STR_INIT;
		struct err err = {0};
		if (file_read(&bytes, found.path[i], 64u * 1024 * 1024, &err) == RC_OK &&
			bytes.len == file->len && memcmp(bytes.s, file->bytes, file->len) == 0)
			count++;
		str_free(&bytes);
	}
	return count;
}

/* An archived file and its results stand together. */
static void check_archive(const struct on_file *all)
{
	size_t prefix = strlen(season->directory) + strlen("/spool/");
	for (size_t i = 0; i < found.count; i++) {
		const char *path = found.path[i];
		bool is_archive = false, has_result = false;
		struct err err = {0};
		const char *name = strrchr(path, '/') + 1;
		if (strstr(name, "_結果") || strstr(name, "_要修正"))
			continue;
		if (!invariant_ok(file_is_archive(all->office->store, path + prefix, &is_archive, &err),
			    "the files", &err))
			return;
		for (size_t k = 0; k < found.count; k++)
			has_result |= strncmp(found.path[k], path, strlen(path)) == 0 &&
				      strstr(found.path[k], "_結果");
		if (!is_archive)
			fault_broken("9 %s is of no file on record", path + prefix);
		if (!has_result)
			fault_broken("1 %s has no result beside it", path + prefix);
	}
}

static void check_empty(const char *below, const char *what)
{
	found.count = 0;
	find_files(below);
	for (size_t i = 0; i < found.count; i++)
		if (!strstr(found.path[i], ".part"))
			fault_broken("%s is left over: %s", what, strrchr(found.path[i], '/') + 1);
}

static enum rc check_file(void *ctx, const struct spool_file *file, struct err *err)
{
	(void)ctx, (void)err;
	if (file->state != FILE_DONE)
		fault_broken("12 file %" PRId64 " is not done", file->id);
	return RC_OK;
}

struct purged_search {
	size_t len;
	bool found;
};

static enum rc look_for_purged(void *ctx, const struct spool_file *file, struct err *err)
{
	struct purged_search *search = ctx;
	(void)err;
	search->found |= file->size == (int64_t)search->len && !*file->archive;
	return RC_OK;
}

/* Refused, and kept until the clock said that its time was over: a clock that was weeks behind when it came. */
static bool was_purged(const struct on_file *all, const struct season_file *file)
{
	struct err err = {0};
	struct purged_search search = {.len = file->len};
	return invariant_ok(file_each(all->office->store, 0, UTC_NEVER, look_for_purged, &search, &err),
		       "the files", &err) &&
	       search.found;
}

void invariant_files(const struct on_file *all)
{
	struct err err = {0};
	check_empty("work", "9 a copy in work/");
	check_empty("incoming", "12 a file in incoming/");
	found.count = 0;
	find_files("accepted");
	find_files("rejected");
	for (int i = 0; i < season->files; i++) {
		const struct season_file *file = &season->file[i];
		int count = archived(file), tried = 0;
		for (int k = 0; k < season->files; k++) /* the same bytes may come under two names */
			if (season->file[k].len == file->len &&
				memcmp(season->file[k].bytes, file->bytes, file->len) == 0)
				tried += season->file[k].tried;
		if (file->dropped && count == 0 && !was_purged(all, file))
			fault_broken("1 %s was dropped and lies nowhere", file->name);
		if (count > tried)
			fault_broken("1 %s was dropped %d times and is archived %d times", file->name,
				file->tried, count);
	}
	check_archive(all);
	(void)invariant_ok(
		file_each(all->office->store, 0, UTC_NEVER, check_file, NULL, &err), "the files", &err);
}

/* ---- 10: the mailbox ---- */

struct kept_mail {
	int64_t id, same_as;
	enum message_state state;
	enum folder folder;
	uint8_t digest[SHA256_LEN];
	bool there; /* a mail of the mailbox is this one */
};

static struct {
	struct kept_mail mail[1024];
	size_t count;
} kept;

static enum rc keep_mail(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)ctx, (void)err;
	struct kept_mail *mail = &kept.mail[kept.count++];
	*mail = (struct kept_mail){.id = message->id,
		.same_as = message->same_as,
		.state = message->state,
		.folder = message->folder};
	memcpy(mail->digest, message->digest, sizeof mail->digest);
	return RC_OK;
}

struct request_count {
	int64_t of[1024]; /* by message */
	int64_t stops[64]; /* carried out, by application */
};

static enum rc count_request(void *ctx, const struct request *request, struct err *err)
{
	struct request_count *count = ctx;
	(void)err;
	if (request->message_id > 0 && request->message_id < 1024)
		count->of[request->message_id]++;
	return RC_OK;
}

static struct kept_mail *row_of(const struct peer_message *message)
{
	uint8_t digest[SHA256_LEN];
	struct kept_mail *other = NULL;
	sha256(digest, message->bytes, message->len);
	for (size_t i = 0; i < kept.count; i++) {
		if (kept.mail[i].there || memcmp(kept.mail[i].digest, digest, sizeof digest) != 0)
			continue;
		if (kept.mail[i].folder == message->folder)
			return &kept.mail[i];
		other = &kept.mail[i];
	}
	return other;
}

/* The row of a mail that the server would not give, and that it may have given later, under another UIDVALIDITY: then it has a row of its own.
 * See digest_of() of daemon/inbox_take.c. */
static bool is_given_up(const struct kept_mail *row)
{
	for (int64_t validity = PEER_FIRST_VALIDITY + FOLDER_INBOX; validity < peer_inbox_validity();
		validity += PEER_NEXT_VALIDITY)
		for (size_t i = 0; i < peer_message_count(); i++)
			for (size_t uid = 1; uid <= peer_message_count(); uid++) {
				uint8_t digest[SHA256_LEN];
				char text[96];
				int len = snprintf(text, sizeof text, "unfetched\n%" PRId64 "\n%zu\n%zu",
					validity, uid, peer_message_at(i)->len);
				sha256(digest, text, (size_t)len);
				if (memcmp(digest, row->digest, sizeof digest) == 0)
					return true;
			}
	return false;
}

void invariant_mailbox(const struct on_file *all)
{
	struct err err = {0};
	const struct request_filter any = {.any_kind = true};
	struct request_count *count = pool_alloc(all->pool, sizeof *count);
	size_t strange = 0;
	*count = (struct request_count){0};
	kept.count = 0;
	if (!invariant_ok(
		    message_each(all->office->store, 0, 0, 0, keep_mail, NULL, &err), "the mails", &err) ||
		!invariant_ok(request_each(all->office->store, &any, count_request, count, &err),
			"the requests", &err))
		return;
	for (size_t i = 0; i < peer_message_count(); i++) {
		const struct peer_message *message = peer_message_at(i);
		if (!message->came)
			continue;
		struct kept_mail *row = row_of(message);
		if (!row) {
			strange++; /* the server never gave it: its row has a digest of its own */
			continue;
		}
		row->there = true;
		if (row->state != MESSAGE_FILED)
			fault_broken("12 mail %" PRId64 " is in state %d", row->id, (int)row->state);
		else if (row->folder != message->folder)
			fault_broken("10 mail %" PRId64 " lies in folder %d, its row says %d", row->id,
				(int)message->folder, (int)row->folder);
	}
	for (size_t i = 0; i < kept.count; i++) {
		const struct kept_mail *row = &kept.mail[i];
		/* Of two mails with the same bytes one may get a row more when UIDs change: it is known as the same, and nothing is carried out for it. */
		if (!row->there && strange == 0 && row->same_as)
			continue;
		if (!row->there && strange == 0 && !is_given_up(row))
			fault_broken("10 row %" PRId64 " is of no mail in the mailbox", row->id);
		else if (!row->there && strange > 0)
			strange--;
		if (row->id < 1024 && count->of[row->id] > 1)
			fault_broken("10 mail %" PRId64 " led to %" PRId64 " requests", row->id,
				count->of[row->id]);
	}
	if (strange)
		fault_broken("10 %zu mails of the mailbox have no row", strange);
}

/* ---- 12: nothing only waits ---- */

static void check_fact(const struct on_file *all, const char *name)
{
	struct err err = {0};
	struct str value = STR_INIT;
	if (invariant_ok(fact_get(all->office->store, name, &value, &err), name, &err) && value.len)
		fault_broken("12 %s stands, with the faults long gone: %s", name, value.s);
	str_free(&value);
}

static enum rc check_request(void *ctx, const struct request *request, struct err *err)
{
	(void)err;
	const utc_time *now = ctx;
	if (request->state != REQUEST_STATE_REVIEW && request->due_at <= *now)
		fault_broken("12 request %" PRId64 " is %s and overdue", request->id,
			request_state_name(request->state));
	return RC_OK;
}

void invariant_left_over(const struct on_file *all)
{
	struct store *store = all->office->store;
	struct err err = {0};
	int64_t id = 0;
	utc_time now = fault_time(), due = UTC_NEVER;
	const struct request_filter open = {.open_only = true, .any_kind = true};
	if (invariant_ok(copy_next(store, 0, &id, &err), "the copies", &err) && id)
		fault_broken("12 the copy of notice %" PRId64 " was never filed", id);
	if (invariant_ok(application_next_due(store, &due, &err), "what is due", &err) && due <= now)
		fault_broken("12 something is due and not done");
	(void)invariant_ok(request_each(store, &open, check_request, &now, &err), "the requests", &err);
	/* With nothing to send but what is held it tells of the last try; the next mail that is taken ends it. */
	bool taken = false;
	for (size_t i = 0; i < peer_mail_count(); i++)
		taken |= peer_mail_at(i)->told == OUTCOME_ACCEPTED && peer_mail_at(i)->at > season_end();
	if (taken)
		check_fact(all, "sender.fault");
	check_fact(all, "mailbox.fault");
	check_fact(all, "intake.paused");
	/* Each mail that was sent lies in 送信済み, at least once. */
	for (size_t n = 0; n < all->notices; n++) {
		const struct notice *notice = &all->notice[n];
		bool filed = false;
		if (notice->state != OUTBOX_SENT || office_is_desk_mail(notice))
			continue;
		for (size_t i = 0; i < peer_message_count() && !filed; i++) {
			const struct peer_message *message = peer_message_at(i);
			filed = message->folder == FOLDER_SENT &&
				memmem(message->bytes, message->len, notice->message_id,
					strlen(notice->message_id));
		}
		if (!filed)
			fault_broken("12 notice %" PRId64 " (%s) was sent, and no copy lies in 送信済み",
				notice->id, notice->template_name);
	}
}
