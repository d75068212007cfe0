#include "lib/desk/purge.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/desk/report.h"

#define ITEMS_A_TRANSACTION 8
#define NAMES_A_SWEEP 2000 /* looked at in one go, and those of the month besides */

/* ---- spans ---- */

utc_time purge_before(const struct settings *settings, enum retained kind, utc_time now)
{
	const struct retention_settings *days = &settings->retention;
	const int64_t span[RETAINED_COUNT] = {
		[RETAINED_SURVEY] = days->survey_days,
		[RETAINED_MAIL] = days->mail_days,
		[RETAINED_LETTER] = days->letter_days,
		[RETAINED_ENDED] = days->ended_days,
		[RETAINED_FILE] = days->file_days,
		[RETAINED_REFUSED] = days->refused_file_days,
		[RETAINED_PUBLIC] = days->public_days,
		[RETAINED_STRAY] = days->letter_days,
	};
	return span[kind] > 0 ? civil_moment(civil_day_of(now) - (civil_day)span[kind], 0) : INT64_MIN;
}

/* ---- the register ---- */

struct purging {
	struct office *office;
	const char *actor;
	retained_fn *fn;
	void *ctx;
	struct purge_cursor *cursor;
	struct purge_result *out;
	struct retained_item item[ITEMS_A_TRANSACTION]; /* this batch */
	int count;
	int64_t rows; /* of this batch, of things that belong to no application */
	struct pool *pool;
};

static int64_t rows_of(const struct erasure *erased)
{
	return erased->forms + erased->history + erased->letters + erased->mails + erased->requests +
	       erased->files + erased->published + erased->search;
}

static bool is_of_application(enum retained kind)
{
	return kind == RETAINED_SURVEY || kind == RETAINED_LETTER || kind == RETAINED_ENDED ||
	       kind == RETAINED_PUBLIC;
}

static enum rc note_purge(
	struct purging *purging, int64_t application_id, enum retained kind, int64_t rows, struct err *err)
{
	struct history_row row = {.at = clock_now(purging->office->clock),
		.application_id = application_id,
		.event = EVENT_PURGE,
		.ref = kind,
		.number = rows,
		.actor = purging->actor,
		.note = ""};
	struct application app;
	if (application_id) {
		enum rc rc =
			application_get(purging->office->store, application_id, &app, purging->pool, err);
		if (rc != RC_OK)
			return rc;
		row.from = row.to = app.state;
	}
	return history_add(purging->office->store, &row, err);
}

static enum rc gather_item(void *ctx, const struct retained_item *item, struct err *err)
{
	struct purging *purging = ctx;
	(void)err;
	purging->item[purging->count] = *item;
	purging->item[purging->count++].path = pool_strdup(purging->pool, item->path);
	return RC_OK;
}

static enum rc erase_item(void *ctx, const struct retained_item *item, struct err *err)
{
	struct purging *purging = ctx;
	struct erasure erased;
	(void)gather_item(ctx, item, err);
	if (item->kept_because)
		return RC_OK;
	enum rc rc = retained_erase(purging->office->store, item, false, &erased, err);
	if (rc == RC_OK && is_of_application(item->kind))
		rc = note_purge(purging, item->id, item->kind, rows_of(&erased), err);
	else if (rc == RC_OK)
		purging->rows += rows_of(&erased);
	purging->out->rows += rows_of(&erased);
	return rc;
}

/* Told once the transaction stands. */
static enum rc tell_item(void *ctx, const struct retained_item *item, struct err *err)
{
	struct purging *purging = ctx;
	int64_t *count = item->kept_because ? purging->out->kept : purging->out->erased;
	count[item->kind]++;
	purging->cursor->since = item->since;
	purging->cursor->id = item->id;
	return purging->fn ? purging->fn(purging->ctx, item, err) : RC_OK;
}

/* Looked at once more: somebody may have contested it since. */
static enum rc erase_batch(struct purging *purging, enum retained kind, utc_time before,
	const struct retained_item *after, struct err *err)
{
	struct store *store = purging->office->store;
	int count = purging->count;
	purging->count = 0;
	purging->rows = 0;
	enum rc rc = store_begin(store, err);
	if (rc != RC_OK)
		return rc;
	rc = retained_each(store, kind, before, after, count, erase_item, purging, err);
	if (rc == RC_OK && purging->rows > 0)
		rc = note_purge(purging, 0, kind, purging->rows, err);
	if (rc == RC_OK)
		rc = store_commit(store, err);
	store_rollback(store);
	return rc;
}

/* Items of the cursor's kind behind it, at most `most`; *count: how many were looked at. */
static enum rc run_batch(
	struct purging *purging, utc_time before, int most, bool preview, int *count, struct err *err)
{
	const struct retained_item cursor = {.since = purging->cursor->since, .id = purging->cursor->id};
	const struct retained_item *after = cursor.id ? &cursor : NULL;
	enum retained kind = purging->cursor->kind;
	bool due = false;
	if (most > ITEMS_A_TRANSACTION)
		most = ITEMS_A_TRANSACTION;
	purging->count = 0;
	enum rc rc =
		retained_each(purging->office->store, kind, before, after, most, gather_item, purging, err);
	*count = purging->count;
	for (int i = 0; i < purging->count; i++)
		due = due || !purging->item[i].kept_because;
	if (rc == RC_OK && due && !preview)
		rc = erase_batch(purging, kind, before, after, err);
	for (int i = 0; rc == RC_OK && i < purging->count; i++)
		rc = tell_item(purging, &purging->item[i], err);
	return rc;
}

enum rc purge_run(struct office *office, struct purge_cursor *cursor, bool preview, int limit,
	const char *actor, retained_fn *fn, void *ctx, struct purge_result *out, struct err *err)
{
	struct purging purging = {.office = office,
		.actor = actor,
		.fn = fn,
		.ctx = ctx,
		.cursor = cursor,
		.out = out,
		.pool = pool_new()};
	utc_time now = clock_now(office->clock);
	enum rc rc = RC_OK;
	*out = (struct purge_result){0};
	if (cursor->kind == 0)
		cursor->kind = RETAINED_SURVEY;
	while (rc == RC_OK && cursor->kind < RETAINED_COUNT && limit > 0) {
		utc_time before = purge_before(office->settings, cursor->kind, now);
		int count = 0;
		pool_reset(purging.pool);
		if (before != INT64_MIN)
			rc = run_batch(&purging, before, limit, preview, &count, err);
		limit -= count;
		if (rc == RC_OK && count == 0)
			*cursor = (struct purge_cursor){.kind = cursor->kind + 1};
	}
	out->more = rc == RC_OK && cursor->kind < RETAINED_COUNT;
	pool_free(&purging.pool);
	return rc;
}

/* ---- the disk ---- */

struct scrubbing {
	struct office *office;
	struct purge_scrubbed *pass;
};

/* The first of a pass is told at its end; the others go on meanwhile. */
static void note_left(struct scrubbing *scrubbing, const struct err *why)
{
	if (scrubbing->pass->left.rc == RC_OK)
		scrubbing->pass->left = *why;
}

/* "20261122-093000_申込.csv": where the name that somebody gave the file begins; NULL: not a name of ours. *day: the day it was put there. */
static const char *given_name(const char *name, civil_day *day)
{
	const char *stamp = strspn(name, "0123456789") < 8 ? strchr(name, '_') : NULL;
	stamp = stamp ? stamp + 1 : name; /* "2_20261122-…": the second of that name */
	if (strspn(stamp, "0123456789") != 8 || stamp[8] != '-')
		return NULL;
	char text[11];
	(void)snprintf(text, sizeof text, "%.4s-%.2s-%.2s", stamp, stamp + 4, stamp + 6);
	*day = civil_day_read(text);
	const char *given = strchr(stamp, '_');
	return *day == CIVIL_DAY_NONE ? NULL : given ? given + 1 : stamp + strlen(stamp);
}

/* False: it is still there. A name may be personal, and is not told. */
static bool remove_file(struct scrubbing *scrubbing, const char *path)
{
	civil_day day;
	struct err why = {0};
	if (unlink(path) == 0) {
		scrubbing->pass->removed++;
		return true;
	}
	if (errno == ENOENT || errno == ENOTDIR)
		return true;
	int number = errno;
	const char *given = given_name(path_base(path), &day);
	(void)err_set(&why, RC_STORE,
		"A file whose time is over or whose data were erased could not be removed, %.*s%s: %s. Check "
		"the "
		"owner and mode of its directory; it is tried again.",
		(int)(given ? given - path : (ptrdiff_t)strlen(path)), path, given ? "…" : "",
		errno_text(number));
	note_left(scrubbing, &why);
	return false;
}

/* Is there such a directory? What a link leads to is not ours. */
static bool is_directory(const char *path)
{
	struct stat st;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Where the spool itself is missing, nothing can be said of what lies in it. */
static bool has_root(struct scrubbing *scrubbing, const char *archive)
{
	struct err why = {0};
	struct str root = STR_INIT;
	path_join(&root, scrubbing->office->settings->spool_directory, "");
	str_add(&root, archive, strcspn(archive, "/"));
	bool there = is_directory(root.s);
	if (!there) {
		(void)err_set(&why, RC_STORE,
			"The directory %s is not there, so what was erased can't be taken from it. Mount or "
			"make it; it "
			"is tried again.",
			root.s);
		note_left(scrubbing, &why);
	}
	str_free(&root);
	return there;
}

/* The archived file and what stands beside it, and the directory's entry for good. */
static bool remove_archive(struct scrubbing *scrubbing, const char *path)
{
	static const char *const endings[] = {"_結果.txt", "_要修正.csv", ""};
	struct str stem = STR_INIT, whole = STR_INIT;
	struct err why = {0};
	bool gone = has_root(scrubbing, path);
	path_join(&stem, scrubbing->office->settings->spool_directory, path);
	for (size_t i = 0; gone && i < sizeof endings / sizeof *endings; i++) {
		str_clear(&whole);
		str_printf(&whole, "%s%s", stem.s, endings[i]);
		gone = remove_file(scrubbing, whole.s);
	}
	char *slash = strrchr(stem.s, '/');
	if (slash)
		str_cut(&stem, (size_t)(slash - stem.s));
	if (gone && access(stem.s, F_OK) == 0 && file_sync_dir(stem.s, &why) != RC_OK) {
		note_left(scrubbing, &why);
		gone = false;
	}
	str_free(&stem);
	str_free(&whole);
	return gone;
}

static bool remove_mail(struct scrubbing *scrubbing, int64_t message_id)
{
	struct str path = STR_INIT;
	bool gone = true;
	report_directory(&path, scrubbing->office->settings);
	str_addz(&path, "/mail");
	/* What a link leads to was not written by the report, and is not ours to remove. */
	if (is_directory(path.s)) {
		str_printf(&path, "/%" PRId64 ".eml", message_id);
		gone = remove_file(scrubbing, path.s);
	}
	str_free(&path);
	return gone;
}

/* What could not be removed stays on record. */
static enum rc scrub_one(struct scrubbing *scrubbing, const struct scrub *scrub, struct err *err)
{
	struct store *store = scrubbing->office->store;
	if (scrub->file_id && *scrub->path && !remove_archive(scrubbing, scrub->path))
		return RC_OK;
	if (scrub->message_id && !remove_mail(scrubbing, scrub->message_id))
		return RC_OK;
	enum rc rc = store_begin(store, err);
	if (rc != RC_OK)
		return rc;
	rc = scrub_done(store, scrub, err);
	if (rc == RC_OK)
		rc = store_commit(store, err);
	store_rollback(store);
	return rc;
}

/* ---- files that the register does not know ---- */

/* The archived file that a result stands beside. */
static void archived_name(struct str *out, const char *name)
{
	static const char *const endings[] = {"_結果.txt", "_要修正.csv"};
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (str_has_suffix(name, endings[i])) {
			len -= strlen(endings[i]);
			break;
		}
	str_add(out, name, len);
}

/* Names in a directory of the spool; none where it is not there, or can't be read. */
static void list_names(struct scrubbing *scrubbing, const char *below, struct strlist *names)
{
	struct str path = STR_INIT;
	struct stat st;
	struct err why = {0};
	path_join(&path, scrubbing->office->settings->spool_directory, below);
	if (lstat(path.s, &st) == 0) {
		enum rc rc = S_ISDIR(st.st_mode) ? file_list_dir(names, path.s, &why)
						 : err_set(&why, RC_STORE,
							   "%s should be a directory of the archive, and is "
							   "none. Take it away.",
							   path.s);
		if (rc != RC_OK)
			note_left(scrubbing, &why);
	}
	str_free(&path);
}

/* *looked: grows by the names there. */
static enum rc sweep_month(
	struct scrubbing *scrubbing, const char *month, civil_day before, size_t *looked, struct err *err)
{
	struct strlist names = {0};
	struct str path = STR_INIT, archive = STR_INIT;
	enum rc rc = RC_OK;
	list_names(scrubbing, month, &names);
	*looked += names.count;
	path_join(&path, scrubbing->office->settings->spool_directory, month);
	size_t directory = path.len;
	for (size_t i = 0; rc == RC_OK && i < names.count; i++) {
		bool known = true;
		civil_day day;
		if (!given_name(names.item[i], &day) || day >= before)
			continue;
		str_clear(&archive);
		str_printf(&archive, "%s/", month);
		archived_name(&archive, names.item[i]);
		rc = file_is_archive(scrubbing->office->store, archive.s, &known, err);
		str_cut(&path, directory);
		str_printf(&path, "/%s", names.item[i]);
		if (rc == RC_OK && !known)
			(void)remove_file(scrubbing, path.s);
	}
	strlist_free(&names);
	str_free(&path);
	str_free(&archive);
	return rc;
}

static bool is_number(const char *name, size_t digits)
{
	return strlen(name) == digits && strspn(name, "0123456789") == digits;
}

/* Paths of the directories below `below` of the spool that are numbers of so many digits. */
static void list_numbers(struct scrubbing *scrubbing, const char *below, size_t digits, struct strlist *out)
{
	struct strlist names = {0};
	struct str path = STR_INIT;
	list_names(scrubbing, below, &names);
	for (size_t i = 0; i < names.count; i++)
		if (is_number(names.item[i], digits)) {
			str_clear(&path);
			str_printf(&path, "%s/%s", below, names.item[i]);
			strlist_add(out, path.s);
		}
	strlist_free(&names);
	str_free(&path);
}

/* Months of accepted/ or rejected/ that may hold something from before that day, in their order. */
static void list_months(
	struct scrubbing *scrubbing, const char *root, civil_day before, struct strlist *months)
{
	struct strlist years = {0}, all = {0};
	struct str last = STR_INIT;
	int year, month, day;
	civil_to_ymd(before, &year, &month, &day);
	str_printf(&last, "%s/%04d/%02d", root, year, month);
	list_numbers(scrubbing, root, 4, &years);
	for (size_t i = 0; i < years.count; i++)
		list_numbers(scrubbing, years.item[i], 2, &all);
	for (size_t i = 0; i < all.count; i++)
		if (strcmp(all.item[i], last.s) <= 0)
			strlist_add(months, all.item[i]);
	strlist_free(&years);
	strlist_free(&all);
	str_free(&last);
}

/* What was too large or could not be read never came into the register, and what was taken after a backup is not in the one that was restored; the name tells the day. */
static enum rc sweep(struct scrubbing *scrubbing, struct err *err)
{
	static const struct {
		const char *root;
		enum retained kind;
	} roots[] = {{"accepted", RETAINED_FILE}, {"rejected", RETAINED_REFUSED}};
	struct office *office = scrubbing->office;
	struct purge_scrubbed *pass = scrubbing->pass;
	size_t looked = 0;
	enum rc rc = RC_OK;
	for (size_t r = 0; rc == RC_OK && r < sizeof roots / sizeof *roots; r++) {
		utc_time before = purge_before(office->settings, roots[r].kind, clock_now(office->clock));
		struct strlist months = {0};
		if (before != INT64_MIN)
			list_months(scrubbing, roots[r].root, civil_day_of(before), &months);
		for (size_t i = 0; rc == RC_OK && i < months.count && looked < NAMES_A_SWEEP; i++) {
			if (strcmp(months.item[i], pass->month) <= 0)
				continue;
			rc = sweep_month(scrubbing, months.item[i], civil_day_of(before), &looked, err);
			(void)snprintf(pass->month, sizeof pass->month, "%s", months.item[i]);
		}
		strlist_free(&months);
	}
	pass->swept = rc == RC_OK && looked < NAMES_A_SWEEP;
	return rc;
}

enum rc purge_scrub(
	struct office *office, bool sweeping, int limit, struct purge_scrubbed *pass, struct err *err)
{
	struct scrubbing scrubbing = {.office = office, .pass = pass};
	struct pool *pool = pool_new();
	struct scrub scrub;
	bool there = true, emptied = true;
	enum rc rc = sweeping && !pass->swept ? sweep(&scrubbing, err) : RC_OK;
	pass->rest = rc == RC_OK && sweeping && !pass->swept;
	while (rc == RC_OK && there && !pass->rest) {
		const struct scrub last = {.file_id = pass->file_id, .message_id = pass->message_id};
		rc = scrub_next(office->store, &last, &scrub, &there, pool, err);
		pass->rest = rc == RC_OK && there && limit-- <= 0;
		if (rc != RC_OK || !there || pass->rest)
			break;
		rc = scrub_one(&scrubbing, &scrub, err);
		pass->file_id = scrub.file_id;
		pass->message_id = scrub.message_id;
	}
	if (rc == RC_OK && !pass->rest)
		rc = store_scrub_log(office->store, &emptied, err);
	pass->waiting = rc == RC_OK && !emptied;
	pool_free(&pool);
	return rc;
}
