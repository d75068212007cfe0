#include "lib/desk/purge.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/desk/report.h"

#define ITEMS_A_TRANSACTION 8

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
	int removed;
};

static enum rc remove_file(struct scrubbing *scrubbing, const char *path, struct err *err)
{
	if (unlink(path) == 0)
		scrubbing->removed++;
	else if (errno != ENOENT && errno != ENOTDIR)
		return err_set(err, RC_STORE,
			"A file whose data were erased could not be removed: %s. Check the owner and mode of "
			"its directory; it is tried again.",
			errno_text(errno));
	return RC_OK;
}

/* The archived file and what stands beside it, and the directory's entry for good. */
static enum rc remove_archive(struct scrubbing *scrubbing, const char *path, struct err *err)
{
	static const char *const endings[] = {"_結果.txt", "_要修正.csv", ""};
	struct str stem = STR_INIT, whole = STR_INIT;
	enum rc rc = RC_OK;
	path_join(&stem, scrubbing->office->settings->spool_directory, path);
	for (size_t i = 0; rc == RC_OK && i < sizeof endings / sizeof *endings; i++) {
		str_clear(&whole);
		str_printf(&whole, "%s%s", stem.s, endings[i]);
		rc = remove_file(scrubbing, whole.s, err);
	}
	char *slash = strrchr(stem.s, '/');
	if (slash)
		str_cut(&stem, (size_t)(slash - stem.s));
	if (rc == RC_OK && access(stem.s, F_OK) == 0)
		rc = file_sync_dir(stem.s, err);
	str_free(&stem);
	str_free(&whole);
	return rc;
}

static enum rc remove_mail(struct scrubbing *scrubbing, int64_t message_id, struct err *err)
{
	struct str path = STR_INIT;
	struct stat st;
	enum rc rc = RC_OK;
	report_directory(&path, scrubbing->office->settings);
	str_addz(&path, "/mail");
	/* What a link leads to was not written by the report, and is not ours to remove. */
	if (lstat(path.s, &st) == 0 && S_ISDIR(st.st_mode)) {
		str_printf(&path, "/%" PRId64 ".eml", message_id);
		rc = remove_file(scrubbing, path.s, err);
	}
	str_free(&path);
	return rc;
}

static enum rc scrub_one(struct scrubbing *scrubbing, const struct scrub *scrub, struct err *err)
{
	struct store *store = scrubbing->office->store;
	enum rc rc = RC_OK;
	if (scrub->file_id && *scrub->path)
		rc = remove_archive(scrubbing, scrub->path, err);
	if (rc == RC_OK && scrub->message_id)
		rc = remove_mail(scrubbing, scrub->message_id, err);
	if (rc == RC_OK)
		rc = store_begin(store, err);
	if (rc != RC_OK)
		return rc;
	rc = scrub_done(store, scrub, err);
	if (rc == RC_OK)
		rc = store_commit(store, err);
	store_rollback(store);
	return rc;
}

/* ---- files that the register does not know ---- */

/* "20261122-093000_申込.csv": the day it was put there; CIVIL_DAY_NONE: not a name of ours. */
static civil_day archived_on(const char *name)
{
	const char *stamp = strspn(name, "0123456789") < 8 ? strchr(name, '_') : NULL;
	stamp = stamp ? stamp + 1 : name; /* "2_20261122-…": the second of that name */
	if (strspn(stamp, "0123456789") != 8 || stamp[8] != '-')
		return CIVIL_DAY_NONE;
	char day[11];
	(void)snprintf(day, sizeof day, "%.4s-%.2s-%.2s", stamp, stamp + 4, stamp + 6);
	return civil_day_read(day);
}

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

static enum rc sweep_month(struct scrubbing *scrubbing, const char *month, civil_day before, struct err *err)
{
	struct strlist names = {0};
	struct str path = STR_INIT, archive = STR_INIT;
	path_join(&path, scrubbing->office->settings->spool_directory, month);
	size_t directory = path.len;
	enum rc rc = file_list_dir(&names, path.s, err);
	for (size_t i = 0; rc == RC_OK && i < names.count; i++) {
		bool known = true;
		civil_day day = archived_on(names.item[i]);
		if (day == CIVIL_DAY_NONE || day >= before)
			continue;
		str_clear(&archive);
		str_printf(&archive, "%s/", month);
		archived_name(&archive, names.item[i]);
		rc = file_is_archive(scrubbing->office->store, archive.s, &known, err);
		str_cut(&path, directory);
		str_printf(&path, "/%s", names.item[i]);
		if (rc == RC_OK && !known)
			rc = remove_file(scrubbing, path.s, err);
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

/* Names of the directories below `below` of the spool that are numbers of so many digits; none where it is not there. */
static enum rc list_numbers(
	struct scrubbing *scrubbing, const char *below, size_t digits, struct strlist *out, struct err *err)
{
	struct strlist names = {0};
	struct str path = STR_INIT;
	path_join(&path, scrubbing->office->settings->spool_directory, below);
	enum rc rc = access(path.s, F_OK) == 0 ? file_list_dir(&names, path.s, err) : RC_OK;
	for (size_t i = 0; i < names.count; i++)
		if (is_number(names.item[i], digits)) {
			str_clear(&path);
			str_printf(&path, "%s/%s", below, names.item[i]);
			strlist_add(out, path.s);
		}
	strlist_free(&names);
	str_free(&path);
	return rc;
}

/* What was too large or could not be read never came into the register; its name tells its day. */
static enum rc sweep(struct scrubbing *scrubbing, struct err *err)
{
	struct office *office = scrubbing->office;
	utc_time before = purge_before(office->settings, RETAINED_REFUSED, clock_now(office->clock));
	struct strlist years = {0}, months = {0};
	enum rc rc = RC_OK;
	if (before == INT64_MIN)
		return RC_OK;
	rc = list_numbers(scrubbing, "rejected", 4, &years, err);
	for (size_t i = 0; rc == RC_OK && i < years.count; i++)
		rc = list_numbers(scrubbing, years.item[i], 2, &months, err);
	for (size_t i = 0; rc == RC_OK && i < months.count; i++)
		rc = sweep_month(scrubbing, months.item[i], civil_day_of(before), err);
	strlist_free(&years);
	strlist_free(&months);
	return rc;
}

enum rc purge_scrub(
	struct office *office, bool sweeping, int limit, struct purge_scrubbed *out, struct err *err)
{
	struct scrubbing scrubbing = {.office = office};
	struct pool *pool = pool_new();
	struct scrub scrub, last;
	bool there = true, emptied = true;
	enum rc rc = sweeping ? sweep(&scrubbing, err) : RC_OK;
	*out = (struct purge_scrubbed){0};
	for (const struct scrub *after = NULL; rc == RC_OK && there; after = &last) {
		rc = scrub_next(office->store, after, &scrub, &there, pool, err);
		out->rest = rc == RC_OK && there && limit-- <= 0;
		if (out->rest)
			break;
		if (rc == RC_OK && there)
			rc = scrub_one(&scrubbing, &scrub, err);
		last = scrub;
	}
	if (rc == RC_OK && !out->rest)
		rc = store_scrub_log(office->store, &emptied, err);
	out->removed = scrubbing.removed;
	out->waiting = rc == RC_OK && !emptied;
	pool_free(&pool);
	return rc;
}
