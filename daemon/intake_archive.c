#include "daemon/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

#define ROWS_DROPPED 1000 /* a transaction */

/* ---- the archive ---- */

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What is written beside an archived file replaces what has its name: that must not be another archived file, such as a result that was dropped. */
static bool results_free(const char *path)
{
	static const char *const endings[] = {"_結果.txt", "_要修正.csv"};
	bool good = true;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		struct stat st;
		struct str result = STR_INIT;
		str_printf(&result, "%s%s", path, endings[i]);
		good = good && lstat(result.s, &st) != 0;
		str_free(&result);
	}
	return good;
}

/* A month's directory, made once and synced; afterwards it only has to be there still. */
static enum rc month_ready(struct spool *spool, const char *relative, bool accepted, struct err *err)
{
	struct stat st;
	char *known = spool->month[accepted];
	struct str path = STR_INIT;
	path_join(&path, spool->directory, relative);
	bool ready = strcmp(known, relative) == 0 && lstat(path.s, &st) == 0 && S_ISDIR(st.st_mode);
	str_free(&path);
	if (ready)
		return RC_OK;
	int fd;
	*known = '\0';
	enum rc rc = file_open_below(&fd, spool->directory, relative, 0770, err);
	if (rc)
		return rc;
	(void)close(fd);
	(void)snprintf(known, sizeof spool->month[accepted], "%s", relative);
	return RC_OK;
}

enum place { PLACE_GIVEN, PLACE_TAKEN, PLACE_FAULT };

/* The copy gets the name if no other file has it. A link, not a move: as long as the register does not know of the archive, the copy stays in work/. One that is there is our
 * own, from before a crash. Syncing the result beside it syncs the directory. copy: NULL when there is none. */
static enum place place_give(const struct spool *spool, const char *copy, const char *path, struct err *err)
{
	struct stat own, there;
	bool is_free = results_free(path);
	int why = EEXIST;
	if (copy && is_free) {
		if (linkat(spool->work, copy, AT_FDCWD, path, 0) == 0)
			return PLACE_GIVEN;
		why = errno;
	}
	bool has_copy = copy && fstatat(spool->work, copy, &own, AT_SYMLINK_NOFOLLOW) == 0;
	if (has_copy && why != EEXIST) {
		(void)err_set(err, RC_STORE,
			"A dropped file could not be put into the archive, %s: %s. The spool must lie on a "
			"file "
			"system with hard links.",
			path, errno_text(why));
		return PLACE_FAULT;
	}
	if (lstat(path, &there) == 0)
		return has_copy && same_inode(&there, &own) ? PLACE_GIVEN : PLACE_TAKEN;
	return is_free ? PLACE_GIVEN : PLACE_TAKEN;
}

/* "accepted/2026/11/20261122-093000_申込.csv" and the same below the spool directory: a name that no other file has, now the copy's. */
static enum rc archive_place(struct str *relative, struct str *path, struct spool *spool,
	const struct spool_file *file, bool accepted, const char *copy, struct err *err)
{
	int year, month, day;
	civil_to_ymd(civil_day_of(file->taken_at), &year, &month, &day);
	for (int i = 1; i < 10000; i++) {
		str_clear(relative);
		str_clear(path);
		str_printf(relative, "%s/%04d/%02d", accepted ? "accepted" : "rejected", year, month);
		enum rc rc = i > 1 ? RC_OK : month_ready(spool, relative->s, accepted, err);
		if (rc)
			return rc;
		path_join(path, spool->directory, relative->s);
		size_t directory = path->len;
		str_addc(path, '/');
		if (i > 1)
			str_printf(path, "%d_", i);
		spool_archive_name(path, file->taken_at, file->name);
		str_addz(relative, path->s + directory);
		enum place place = place_give(spool, copy, path->s, err);
		if (place != PLACE_TAKEN)
			return place == PLACE_GIVEN ? RC_OK : err->rc;
	}
	return err_set(err, RC_STORE, "%s: there are too many files of that name.", path->s);
}

static bool brought_something(const struct intake_file *in)
{
	const struct spool_file *file = &in->file;
	return in->dropped_again || file->accepted + file->review + file->same + file->decided > 0;
}

enum rc intake_rows_drop(struct role_context *ctx, struct err *err)
{
	struct store *store = ctx->office.store;
	bool left = true;
	enum rc rc = RC_OK;
	while (!rc && left) {
		rc = store_begin(store, err);
		rc = rc ? rc : file_rows_drop(store, ROWS_DROPPED, &left, err);
		rc = rc ? rc : store_commit(store, err);
		if (rc && store_in_transaction(store))
			store_rollback(store);
		else if (left)
			intake_pause(ctx, 0);
	}
	return rc;
}

/* All of them, in one transaction. */
static enum rc mark_done(struct role_context *ctx, struct intake_file *const *in, int count, struct err *err)
{
	struct store *store = ctx->office.store;
	bool left = false;
	enum rc rc = store_begin(store, err);
	for (int i = 0; i < count && !rc; i++) {
		in[i]->file.state = FILE_DONE;
		rc = file_update(store, &in[i]->file, err);
	}
	rc = rc ? rc : file_rows_drop(store, ROWS_DROPPED, &left, err);
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc || !left ? rc : intake_rows_drop(ctx, err);
}

/* Original and result into the archive. Both can be done again after a crash. */
static enum rc file_archive(
	struct role_context *ctx, struct spool *spool, struct intake_file *in, bool sync, struct err *err)
{
	struct str relative = STR_INIT, path = STR_INIT, copy = STR_INIT;
	intake_copy_name(&copy, in->file.id);
	intake_begin_result(ctx, in);
	enum rc rc = archive_place(&relative, &path, spool, &in->file, brought_something(in), copy.s, err);
	rc = rc ? rc : result_end(&in->result, path.s, clock_now(ctx->office.clock), in->fault_ja, sync, err);
	if (!rc)
		in->file.archive = pool_strdup(in->pool, relative.s);
	str_free(&relative);
	str_free(&path);
	str_free(&copy);
	return rc;
}

static void file_is_done(struct spool *spool, const struct intake_file *in)
{
	struct str copy = STR_INIT;
	intake_copy_name(&copy, in->file.id);
	(void)unlinkat(spool->work, copy.s, 0);
	str_free(&copy);
	log_event(LEVEL_NOTICE, "file.done",
		"file=%" PRId64 " registered=%d review=%d same=%d refused=%d decided=%d same_as=%" PRId64,
		in->file.id, in->file.accepted, in->file.review, in->file.same, in->file.refused,
		in->file.decided, in->file.same_as);
}

enum rc intake_files_finish(struct role_context *ctx, struct spool *spool, struct intake_file *const *in,
	int count, struct err *err)
{
	bool each = count < SPOOL_MANY;
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++)
		rc = file_archive(ctx, spool, in[i], each, err);
	if (!rc && !each)
		rc = file_sync_system(spool->directory, err);
	rc = rc ? rc : mark_done(ctx, in, count, err);
	for (int i = 0; i < count && !rc; i++)
		file_is_done(spool, in[i]);
	return rc;
}

enum rc intake_refuse_unread(struct role_context *ctx, struct spool *spool, const char *original,
	const char *why_ja, struct err *err)
{
	struct str relative = STR_INIT, path = STR_INIT, work = STR_INIT;
	struct spool_file file = {.name = original, .taken_at = clock_now(ctx->office.clock)};
	struct form_head head = {.format = FORM_TEXT, .charset = "UTF-8"};
	struct result *result = NULL;
	path_join(&work, spool->directory, "work");
	result_begin(&result, work.s, original, &head, ctx->settings->fieldmap);
	enum rc rc = archive_place(&relative, &path, spool, &file, false, NULL, err);
	rc = rc ? rc : result_end(&result, path.s, file.taken_at, why_ja, true, err);
	if (!rc && renameat(spool->incoming, original, AT_FDCWD, path.s) != 0 && errno != ENOENT)
		rc = err_set(err, RC_REFUSED, "it is refused but can't be moved: %s", errno_text(errno));
	if (result)
		result_drop(&result);
	str_free(&relative);
	str_free(&path);
	str_free(&work);
	return rc;
}
