/*
 * store_published.c - when an application stood in the public list
 */
#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/* ---- intervals ---- */

enum rc published_open(struct store *store, int64_t application_id, utc_time since, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	/* A clock that was set back must not make two intervals overlap. */
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO published (application_id, since, until)"
		" SELECT :id, max(:since, coalesce((SELECT max(until) FROM published WHERE application_id = "
		":id), 0)), 0"
		" WHERE NOT EXISTS (SELECT 1 FROM published WHERE application_id = :id AND until = 0)"
		" ON CONFLICT (application_id, since) DO UPDATE SET until = 0, payload = NULL",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", application_id);
	sql_int(stmt, ":since", since);
	return sql_run(store, stmt, err);
}

enum rc published_close(
	struct store *store, int64_t application_id, utc_time until, const char *values, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE published SET until = max(:until, since), payload = :payload"
		" WHERE application_id = :id AND until = 0",
		err);
	if (!stmt)
		return err->rc;
	struct str packed = STR_INIT;
	text_pack(&packed, values, strlen(values));
	sql_int(stmt, ":id", application_id);
	sql_int(stmt, ":until", until);
	sql_blob(stmt, ":payload", packed.s, packed.len);
	rc = sql_run(store, stmt, err);
	str_free(&packed);
	return rc;
}

enum rc published_has(struct store *store, int64_t application_id, bool *now, struct err *err)
{
	int64_t count = 0;
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT count(*) FROM published WHERE application_id = :id AND until = 0", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", application_id);
	enum rc rc = sql_number(store, stmt, 0, &count, err);
	*now = count > 0;
	return rc;
}

enum rc published_count(struct store *store, int64_t *count, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT count(*) FROM published WHERE until = 0", err);
	return stmt ? sql_number(store, stmt, 0, count, err) : err->rc;
}

/* ---- reading them ---- */

static enum rc read_interval(
	struct store *store, sqlite3_stmt *stmt, struct published *out, struct pool *pool, struct err *err)
{
	struct str values = STR_INIT;
	const void *packed = sqlite3_column_blob(stmt, 3);
	bool good = !packed || text_unpack(&values, packed, (size_t)sqlite3_column_bytes(stmt, 3));
	*out = (struct published){.application_id = sqlite3_column_int64(stmt, 0),
		.since = sqlite3_column_int64(stmt, 1),
		.until = sqlite3_column_int64(stmt, 2),
		.values = pool_strdup(pool, values.s)};
	str_free(&values);
	return good ? RC_OK
		    : err_set(err, RC_STORE,
			      "%s is damaged: what the public list said of application %lld cannot be "
			      "unpacked",
			      store->path, (long long)out->application_id);
}

static enum rc read_intervals(struct store *store, sqlite3_stmt *stmt, struct published *out, int *count,
	struct pool *pool, struct err *err)
{
	bool row;
	enum rc rc;
	*count = 0;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		rc = read_interval(store, stmt, &out[*count], pool, err);
		if (rc != RC_OK) {
			sql_done(stmt);
			return rc;
		}
		(*count)++;
	}
	return rc;
}

/* A walk over intervals, a batch at a time, behind the last one given. */
struct interval_walk {
	struct store *store;
	int64_t application_id; /* 0: those that ended */
	int64_t after_until, after_id, after_since;
};

static sqlite3_stmt *interval_statement(struct interval_walk *walk, struct err *err)
{
	sqlite3_stmt *stmt =
		walk->application_id
			? sql_ready(walk->store,
				  "SELECT application_id, since, until, payload FROM published"
				  " WHERE application_id = :id AND since > :since ORDER BY since LIMIT "
				  ":limit",
				  err)
			: sql_ready(walk->store,
				  "SELECT application_id, since, until, payload FROM published INDEXED BY "
				  "published_ended"
				  " WHERE until > 0 AND (until, application_id, since) > (:until, :id, "
				  ":since)"
				  " ORDER BY until, application_id, since LIMIT :limit",
				  err);
	if (!stmt)
		return NULL;
	sql_int(stmt, ":id", walk->application_id ? walk->application_id : walk->after_id);
	sql_int(stmt, ":since", walk->after_since);
	sql_int(stmt, ":limit", BATCH);
	if (!walk->application_id)
		sql_int(stmt, ":until", walk->after_until);
	return stmt;
}

static enum rc walk_intervals(struct interval_walk *walk, published_fn *fn, void *ctx, struct err *err)
{
	struct published *intervals = xcalloc(BATCH, sizeof *intervals);
	struct pool *pool = pool_new();
	enum rc rc;
	int count = 0;
	do {
		pool_reset(pool);
		sqlite3_stmt *stmt = interval_statement(walk, err);
		rc = stmt ? read_intervals(walk->store, stmt, intervals, &count, pool, err) : err->rc;
		for (int i = 0; rc == RC_OK && i < count; i++) {
			walk->after_until = intervals[i].until;
			walk->after_id = intervals[i].application_id;
			walk->after_since = intervals[i].since;
			rc = fn(ctx, &intervals[i], err);
		}
	} while (rc == RC_OK && count == BATCH);
	pool_free(&pool);
	free(intervals);
	return rc;
}

enum rc published_of(
	struct store *store, int64_t application_id, published_fn *fn, void *ctx, struct err *err)
{
	struct interval_walk walk = {
		.store = store, .application_id = application_id, .after_since = INT64_MIN};
	return walk_intervals(&walk, fn, ctx, err);
}

enum rc published_ended(struct store *store, utc_time since, published_fn *fn, void *ctx, struct err *err)
{
	struct interval_walk walk = {.store = store, .after_until = since - 1, .after_id = INT64_MAX};
	return walk_intervals(&walk, fn, ctx, err);
}

/* ---- all that is public ---- */

static enum rc read_public(struct store *store, int64_t after_id, int limit, struct application *apps,
	utc_time *since, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT" APPLICATION_COLUMNS
		", p.hold_reason, p.form, u.since FROM published u INDEXED BY published_now"
		" JOIN application a ON a.id = u.application_id"
		" LEFT JOIN application_payload p ON p.application_id = a.id"
		" WHERE u.until = 0 AND u.application_id > :after ORDER BY u.application_id LIMIT :limit",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", after_id);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		rc = application_read(store, stmt, true, &apps[*count], pool, err);
		if (rc != RC_OK) {
			sql_done(stmt);
			return rc;
		}
		since[(*count)++] = sqlite3_column_int64(stmt, APPLICATION_COLUMN_COUNT);
	}
	return rc;
}

enum rc published_some(struct store *store, int64_t after_id, int limit, public_application_fn *fn, void *ctx,
	struct err *err)
{
	struct application *apps = xcalloc(BATCH, sizeof *apps);
	utc_time *since = xcalloc(BATCH, sizeof *since);
	struct pool *pool = pool_new();
	int want = 0, count = 0;
	enum rc rc = RC_OK;
	for (int left = limit; rc == RC_OK && left > 0 && count == want; left -= count) {
		want = left < BATCH ? left : BATCH;
		pool_reset(pool);
		rc = read_public(store, after_id, want, apps, since, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			after_id = apps[i].id;
			rc = fn(ctx, &apps[i], since[i], err);
		}
	}
	pool_free(&pool);
	free(since);
	free(apps);
	return rc;
}

/* ---- lists that were written ---- */

enum rc publication_add(struct store *store, struct publication *publication, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "INSERT INTO publication (at, rows, digest) VALUES (:at, :rows, :digest)", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":at", publication->at);
	sql_int(stmt, ":rows", publication->rows);
	sql_blob(stmt, ":digest", publication->digest, sizeof publication->digest);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK)
		publication->id = sqlite3_last_insert_rowid(store->db);
	return rc;
}

enum rc publication_last(struct store *store, struct publication *out, struct err *err)
{
	*out = (struct publication){0};
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT id, at, rows, digest FROM publication ORDER BY id DESC LIMIT 1", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	out->id = sqlite3_column_int64(stmt, 0);
	out->at = sqlite3_column_int64(stmt, 1);
	out->rows = sqlite3_column_int64(stmt, 2);
	(void)column_digest(stmt, 3, out->digest, sizeof out->digest);
	sql_done(stmt);
	return RC_OK;
}
