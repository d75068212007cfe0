/* store_books.c - what the evening's books need of the register: files, rows, and where each application stands in each stage. */
#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/* ---- files ---- */

static void read_file(sqlite3_stmt *stmt, struct spool_file *file, struct pool *pool)
{
	*file = (struct spool_file){
		.id = sqlite3_column_int64(stmt, 0),
		.name = column_text(stmt, 2, pool),
		.size = sqlite3_column_int64(stmt, 3),
		.taken_at = sqlite3_column_int64(stmt, 4),
		.owner = column_text(stmt, 5, pool),
		.state = (enum file_state)sqlite3_column_int(stmt, 6),
		.rows_done = sqlite3_column_int(stmt, 7),
		.accepted = sqlite3_column_int(stmt, 8),
		.refused = sqlite3_column_int(stmt, 9),
		.same = sqlite3_column_int(stmt, 10),
		.review = sqlite3_column_int(stmt, 11),
		.decided = sqlite3_column_int(stmt, 12),
		.same_as = sqlite3_column_int64(stmt, 13),
		.archive = column_text(stmt, 14, pool),
	};
	(void)column_digest(stmt, 1, file->digest, SHA256_LEN);
}

/* Where the original lay is of no use once it was taken, and is left out. */
#define FILE_COLUMNS                                                                                         \
	"SELECT id, digest, name, size, taken_at, owner, state, rows_done, accepted, refused, same, review," \
	" decided, same_as, archive FROM file"

struct file_walk {
	utc_time from, until; /* file_each() */
	bool uncounted;
	int limit; /* 0: none */
};

static enum rc read_files(struct store *store, const struct file_walk *walk, int64_t after, int limit,
	struct spool_file *files, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt =
		walk->uncounted
			? sql_ready(store,
				  FILE_COLUMNS
				  " WHERE id > :after AND state = 2 AND NOT EXISTS (SELECT 1 FROM recount r"
				  " WHERE r.file_id = file.id AND r.rows >= 0) ORDER BY id LIMIT :limit",
				  err)
			: sql_ready(store,
				  FILE_COLUMNS
				  " WHERE id > :after AND taken_at >= :from AND taken_at < :until ORDER BY id"
				  " LIMIT :limit",
				  err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", after);
	sql_int(stmt, ":limit", limit);
	if (!walk->uncounted) {
		sql_int(stmt, ":from", walk->from);
		sql_int(stmt, ":until", walk->until);
	}
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		read_file(stmt, &files[(*count)++], pool);
	return rc;
}

static enum rc walk_files(struct store *store, const struct file_walk *walk, int64_t after, file_fn *fn,
	void *ctx, struct err *err)
{
	struct spool_file *files = xcalloc(BATCH, sizeof *files);
	struct pool *pool = pool_new();
	enum rc rc;
	int count, left = walk->limit, wanted;
	do {
		wanted = walk->limit && left < BATCH ? left : BATCH;
		pool_reset(pool);
		rc = read_files(store, walk, after, wanted, files, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			after = files[i].id;
			rc = fn(ctx, &files[i], err);
		}
		left -= count;
	} while (rc == RC_OK && count == wanted && (!walk->limit || left > 0));
	pool_free(&pool);
	free(files);
	return rc;
}

enum rc file_each(struct store *store, utc_time from, utc_time until, file_fn *fn, void *ctx, struct err *err)
{
	const struct file_walk walk = {.from = from, .until = until};
	return walk_files(store, &walk, 0, fn, ctx, err);
}

enum rc file_each_uncounted(
	struct store *store, int64_t after_id, int limit, file_fn *fn, void *ctx, struct err *err)
{
	const struct file_walk walk = {.uncounted = true, .limit = limit};
	return walk_files(store, &walk, after_id, fn, ctx, err);
}

enum rc file_recounted(struct store *store, int64_t file_id, int rows, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "INSERT OR REPLACE INTO recount (file_id, rows) VALUES (:file_id, :rows)", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", file_id);
	sql_int(stmt, ":rows", rows);
	return sql_run(store, stmt, err);
}

/* A file that is a repetition of an earlier one was not worked through: what its archive holds counts with the first. */
#define SQL_DIFFERENT "(r.rows = -1 OR (r.rows <> f.rows_done AND (f.same_as IS NULL OR f.rows_done > 0)))"

enum rc books_of_rows(struct store *store, struct row_books *out, struct err *err)
{
	*out = (struct row_books){0};
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT count(*), sum(f.rows_done), count(r.rows), sum(CASE WHEN r.rows > 0 AND (f.same_as"
		" IS NULL OR f.rows_done > 0) THEN r.rows ELSE 0 END), sum(r.rows IS NOT NULL "
		"AND " SQL_DIFFERENT
		"), sum(f.accepted), sum(f.refused), sum(f.same), sum(f.review), sum(f.decided) FROM file f"
		" LEFT JOIN recount r ON r.file_id = f.id",
		err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	int64_t *const field[] = {&out->files, &out->rows, &out->recounted_files, &out->recounted_rows,
		&out->different_files, &out->accepted, &out->refused, &out->same, &out->review,
		&out->decided};
	if (rc == RC_OK && row) {
		for (int i = 0; i < (int)(sizeof field / sizeof *field); i++)
			*field[i] = sqlite3_column_int64(stmt, i);
		sql_done(stmt);
	}
	return rc;
}

/* ---- where each application stands ---- */

/* How far the notice of a stage has come; the highest counts where it was made more than once. 4 bits each. */
enum { NOTICE_NONE, NOTICE_CANCELLED, NOTICE_FAILED, NOTICE_UNKNOWN, NOTICE_QUEUED, NOTICE_SENT };
#define NOTICE_BITS 4
_Static_assert(STAGE_MAX *NOTICE_BITS <= 32, "the stages of an application fit into a number");

static const uint8_t notice_rank[OUTBOX_CANCELLED + 1] = {
	[OUTBOX_QUEUED] = NOTICE_QUEUED,
	[OUTBOX_SENDING] = NOTICE_QUEUED,
	[OUTBOX_SENT] = NOTICE_SENT,
	[OUTBOX_UNKNOWN] = NOTICE_UNKNOWN,
	[OUTBOX_FAILED] = NOTICE_FAILED,
	[OUTBOX_CANCELLED] = NOTICE_CANCELLED,
};

/* An application in as little room as it takes: there may be millions. */
struct place {
	uint32_t notice; /* NOTICE_…, by stage */
	uint16_t set; /* index of its set, plus 1; 0: not on file */
	int8_t stage;
	uint8_t state : 4, hold : 3, imported : 1;
};

struct odd {
	enum odd_kind kind;
	int64_t about, expected, found;
};
#define ODD_MAX 1000

struct census {
	struct store *store;
	struct set_books *set;
	int set_count;
	struct place *place; /* by id, up to `applications` */
	int64_t applications, files;
	int32_t *from_file; /* applications of each file, up to `files` */
	int64_t imported;
	struct odd *odd;
	int64_t odd_count;
};

static void note_odd(
	struct census *census, enum odd_kind kind, int64_t about, int64_t expected, int64_t found)
{
	if (census->odd_count < ODD_MAX)
		census->odd[census->odd_count] = (struct odd){kind, about, expected, found};
	census->odd_count++;
}

static bool on_file(const struct census *census, int64_t id)
{
	return id > 0 && id <= census->applications && census->place[id].set > 0;
}

static int set_index(const struct census *census, int64_t id, int guess)
{
	if (guess < census->set_count && census->set[guess].template_set == id)
		return guess;
	for (int i = 0; i < census->set_count; i++)
		if (census->set[i].template_set == id)
			return i;
	return -1;
}

static enum rc take_applications(struct census *census, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(census->store,
		"SELECT id, state, hold, stage, file_id, template_set FROM application ORDER BY id", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	int index = 0;
	while ((rc = sql_row(census->store, stmt, &row, err)) == RC_OK && row) {
		int64_t id = sqlite3_column_int64(stmt, 0), file = sqlite3_column_int64(stmt, 4);
		int64_t set = sqlite3_column_int64(stmt, 5);
		if (id < 1 || id > census->applications)
			continue;
		index = set_index(census, set, index);
		if (index < 0) {
			note_odd(census, ODD_SET, id, set, 0);
			index = 0;
			if (census->set_count == 0)
				continue;
		}
		census->place[id] = (struct place){
			.set = (uint16_t)(index + 1),
			.state = (uint8_t)(sqlite3_column_int(stmt, 1) & 15),
			.hold = (uint8_t)(sqlite3_column_int(stmt, 2) & 7),
			.stage = (int8_t)sqlite3_column_int(stmt, 3),
			.imported = file == 0,
		};
		census->imported += file == 0;
		if (file > 0 && file <= census->files)
			census->from_file[file]++;
		else if (file > 0)
			note_odd(census, ODD_REGISTERED, file, 0, 1);
	}
	return rc;
}

static enum rc take_notices(struct census *census, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(census->store, "SELECT id, application_id, stage, state FROM outbox", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	while ((rc = sql_row(census->store, stmt, &row, err)) == RC_OK && row) {
		int64_t id = sqlite3_column_int64(stmt, 1);
		int stage = sqlite3_column_int(stmt, 2), state = sqlite3_column_int(stmt, 3);
		if (sqlite3_column_type(stmt, 1) == SQLITE_NULL)
			continue; /* nobody's: an answer to a refused row, a mail to the desk */
		if (!on_file(census, id)) {
			note_odd(census, ODD_NOTICE, sqlite3_column_int64(stmt, 0), id, 0);
			continue;
		}
		if (stage < 0 || stage >= STAGE_MAX || state < OUTBOX_QUEUED || state > OUTBOX_CANCELLED)
			continue;
		uint32_t *notice = &census->place[id].notice, shift = (uint32_t)stage * NOTICE_BITS;
		uint32_t rank = notice_rank[state], known = *notice >> shift & 15;
		if (rank > known)
			*notice = (*notice & ~(15u << shift)) | rank << shift;
	}
	return rc;
}

static void place_in_stage(
	struct census *census, int64_t id, const struct place *place, int stage, struct stage_books *books)
{
	uint32_t rank = place->notice >> (stage * NOTICE_BITS) & 15;
	bool behind = place->stage < 0 || place->stage > stage;
	bool live = state_is_live((enum state)place->state);
	/* What was done before it was taken over is none of this office's. */
	if (place->imported && behind && rank == NOTICE_NONE)
		return;
	books->applications++;
	if (rank == NOTICE_SENT)
		books->sent++;
	else if (rank == NOTICE_QUEUED)
		books->queued++;
	else if (rank == NOTICE_UNKNOWN)
		books->unknown++;
	else if (rank == NOTICE_FAILED)
		books->failed++;
	else if (!live)
		books->ended++;
	/* A notice that was cancelled while its application lives waits for a person (a stop announced and revoked). */
	else if (place->hold == HOLD_REVIEW)
		books->review++;
	else if (place->hold == HOLD_STAFF)
		books->held++;
	else if (behind)
		note_odd(census, ODD_STAGE, id, stage, 0);
	else if (place->state == STATE_UNCONFIRMED)
		books->unconfirmed++;
	else
		books->waiting++;
}

static void place_all(struct census *census)
{
	for (int64_t id = 1; id <= census->applications; id++) {
		const struct place *place = &census->place[id];
		if (place->set == 0)
			continue;
		struct set_books *set = &census->set[place->set - 1];
		for (int stage = 0; stage < set->stage_count; stage++)
			place_in_stage(census, id, place, stage, &set->stage[stage]);
	}
}

/* Rows of files: as taken, by verdict, from the archive, and what is on file of them. */
static enum rc take_files(struct census *census, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(census->store,
		"SELECT f.id, f.rows_done, f.accepted + f.review, f.accepted + f.review + f.refused + f.same "
		"+"
		" f.decided, coalesce(r.rows, f.rows_done), coalesce(" SQL_DIFFERENT
		", 0) FROM file f LEFT JOIN recount r ON r.file_id = f.id",
		err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	while ((rc = sql_row(census->store, stmt, &row, err)) == RC_OK && row) {
		int64_t id = sqlite3_column_int64(stmt, 0), rows = sqlite3_column_int64(stmt, 1);
		int64_t registered = sqlite3_column_int64(stmt, 2), verdicts = sqlite3_column_int64(stmt, 3);
		int64_t recounted = sqlite3_column_int64(stmt, 4);
		int64_t there = id > 0 && id <= census->files ? census->from_file[id] : 0;
		if (id > 0 && id <= census->files)
			census->from_file[id] = 0;
		if (recounted < 0)
			note_odd(census, ODD_ARCHIVE, id, rows, 0);
		else if (sqlite3_column_int(stmt, 5))
			note_odd(census, ODD_ROWS, id, rows, recounted);
		if (verdicts != rows)
			note_odd(census, ODD_ROWS, id, rows, verdicts);
		if (registered != there)
			note_odd(census, ODD_REGISTERED, id, registered, there);
	}
	for (int64_t id = 1; rc == RC_OK && id <= census->files; id++)
		if (census->from_file[id])
			note_odd(census, ODD_REGISTERED, id, 0, census->from_file[id]);
	return rc;
}

/* stmt gives what it is about and the application it belongs to. */
static enum rc take_orphans(
	struct census *census, sqlite3_stmt *stmt, enum odd_kind kind, bool name_owner, struct err *err)
{
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	while ((rc = sql_row(census->store, stmt, &row, err)) == RC_OK && row) {
		int64_t id = sqlite3_column_int64(stmt, 0), owner = sqlite3_column_int64(stmt, 1);
		if (!on_file(census, owner))
			note_odd(census, kind, name_owner ? owner : id, name_owner ? 0 : owner, 0);
	}
	return rc;
}

static enum rc take_rest(struct census *census, struct err *err)
{
	/* A user number is a credential: the number itself is never told. */
	enum rc rc = take_orphans(census,
		sql_ready(census->store,
			"SELECT 0, application_id FROM number WHERE application_id IS NOT NULL", err),
		ODD_NUMBER, true, err);
	if (rc == RC_OK)
		rc = take_orphans(census,
			sql_ready(census->store,
				"SELECT id, application_id FROM request WHERE application_id IS NOT NULL",
				err),
			ODD_REQUEST, false, err);
	return rc == RC_OK ? take_files(census, err) : rc;
}

static enum rc highest(struct store *store, const char *literal, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, literal, err);
	enum rc rc = stmt ? sql_number(store, stmt, 0, id, err) : err->rc;
	/* Ids are counted up from 1; one far beyond was put there by hand. */
	if (rc == RC_OK && *id >= (int64_t)1 << 32)
		rc = err_set(err, RC_STORE, "%s is damaged: it holds a row with an impossible number",
			store->path);
	return rc;
}

static enum rc take_all(struct census *census, struct err *err)
{
	enum rc rc = highest(census->store, "SELECT max(id) FROM application", &census->applications, err);
	if (rc == RC_OK)
		rc = highest(census->store, "SELECT max(id) FROM file", &census->files, err);
	if (rc != RC_OK)
		return rc;
	census->place = xcalloc((size_t)census->applications + 1, sizeof *census->place);
	census->from_file = xcalloc((size_t)census->files + 1, sizeof *census->from_file);
	rc = take_applications(census, err);
	if (rc == RC_OK)
		rc = take_notices(census, err);
	if (rc == RC_OK)
		place_all(census);
	return rc == RC_OK ? take_rest(census, err) : rc;
}

enum rc books_of_stages(struct store *store, struct set_books *set, int count, int64_t *imported, odd_fn *fn,
	void *ctx, int64_t *odd, struct err *err)
{
	struct census census = {
		.store = store, .set = set, .set_count = count, .odd = xcalloc(ODD_MAX, sizeof *census.odd)};
	for (int i = 0; i < count; i++)
		memset(set[i].stage, 0, sizeof set[i].stage);
	bool own = sqlite3_get_autocommit(store->db);
	enum rc rc = own ? sql_exec(store, "BEGIN", err) : RC_OK;
	if (rc == RC_OK) {
		rc = take_all(&census, err);
		if (own)
			(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	}
	for (int64_t i = 0; rc == RC_OK && i < census.odd_count && i < ODD_MAX; i++)
		rc = fn(ctx, census.odd[i].kind, census.odd[i].about, census.odd[i].expected,
			census.odd[i].found, err);
	*odd = census.odd_count;
	*imported = census.imported;
	free(census.place);
	free(census.from_file);
	free(census.odd);
	return rc;
}

enum rc template_sets(struct store *store, int64_t **id, int *count, struct pool *pool, struct err *err)
{
	int64_t all = 0;
	*count = 0;
	*id = NULL;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT count(*) FROM template_set", err);
	enum rc rc = stmt ? sql_number(store, stmt, 0, &all, err) : err->rc;
	if (rc != RC_OK)
		return rc;
	*id = pool_alloc(pool, (size_t)(all + 1) * sizeof **id);
	stmt = sql_ready(store, "SELECT id FROM template_set ORDER BY id LIMIT :limit", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":limit", all);
	bool row;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		(*id)[(*count)++] = sqlite3_column_int64(stmt, 0);
	return rc;
}

/* ---- what waits ---- */

static enum rc take_waiting(
	struct store *store, const utc_time since[WAITING_AGES], struct waiting_books *out, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT state, received_at FROM application WHERE stage >= 0 AND " SQL_LIVE, err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		int state = sqlite3_column_int(stmt, 0), age = 0;
		utc_time at = sqlite3_column_int64(stmt, 1);
		while (age < WAITING_AGES - 1 && at < since[age])
			age++;
		out->waiting[state]++;
		out->age[state][age]++;
	}
	return rc;
}

enum rc books_of_waiting(
	struct store *store, const utc_time since[WAITING_AGES], struct waiting_books *out, struct err *err)
{
	*out = (struct waiting_books){0};
	enum rc rc = take_waiting(store, since, out, err);
	sqlite3_stmt *stmt;
	if (rc == RC_OK) {
		stmt = sql_ready(
			store, "SELECT min(queued_at) FROM outbox WHERE state = 1 AND " SQL_UNSENT, err);
		rc = stmt ? sql_number(store, stmt, 0, &out->oldest_queued, err) : err->rc;
	}
	if (rc == RC_OK) {
		stmt = sql_ready(store, "SELECT count(*) FROM held_batch WHERE released_at = 0", err);
		rc = stmt ? sql_number(store, stmt, 0, &out->open_batches, err) : err->rc;
	}
	return rc;
}

/* ---- what was accepted when ---- */

static enum rc read_accepted(struct store *store, utc_time *at, int64_t *rowid, utc_time until, int64_t *ids,
	int *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, accepted_at FROM outbox WHERE accepted_at > 0 AND accepted_at >= :at AND"
		" accepted_at < :until AND (accepted_at > :at OR id > :id) ORDER BY accepted_at, id LIMIT"
		" :limit",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":at", *at);
	sql_int(stmt, ":id", *rowid);
	sql_int(stmt, ":until", until);
	sql_int(stmt, ":limit", BATCH);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		ids[(*count)++] = sqlite3_column_int64(stmt, 0);
		*rowid = sqlite3_column_int64(stmt, 0);
		*at = sqlite3_column_int64(stmt, 1);
	}
	return rc;
}

enum rc outbox_each_accepted(
	struct store *store, utc_time from, utc_time until, accepted_fn *fn, void *ctx, struct err *err)
{
	int64_t ids[BATCH], rowid = 0;
	utc_time at = from;
	enum rc rc;
	int count;
	do {
		rc = read_accepted(store, &at, &rowid, until, ids, &count, err);
		for (int i = 0; rc == RC_OK && i < count; i++)
			rc = fn(ctx, ids[i], err);
	} while (rc == RC_OK && count == BATCH);
	return rc;
}

/* ---- mails that belong to nobody ---- */

static enum rc count_lost(struct store *store, sqlite3_stmt *stmt, int64_t template, utc_time since,
	int64_t *count, struct err *err)
{
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":template", template);
	sql_int(stmt, ":since", since);
	return sql_number(store, stmt, 0, count, err);
}

enum rc outbox_lost(struct store *store, const char *template_name, utc_time since, int64_t *failed,
	int64_t *returned, struct err *err)
{
	int64_t template;
	*failed = *returned = 0;
	enum rc rc = word_find(store, template_name, &template, err);
	if (rc != RC_OK || template == 0)
		return rc;
	rc = count_lost(store,
		sql_ready(store,
			"SELECT count(*) FROM outbox WHERE application_id IS NULL AND template = :template"
			" AND queued_at >= :since AND state IN (4, 5)",
			err),
		template, since, failed, err);
	if (rc != RC_OK)
		return rc;
	return count_lost(store,
		sql_ready(store,
			"SELECT count(*) FROM outbox o WHERE application_id IS NULL AND template = :template"
			" AND queued_at >= :since AND EXISTS (SELECT 1 FROM bounce b WHERE b.notice_id = o.id"
			" AND b.notice_id IS NOT NULL AND b.class <> 0)",
			err),
		template, since, returned, err);
}
