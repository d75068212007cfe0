/* Batches that wait for a person: few rows, of which the open ones are found by an index of their own. */
#include <string.h>

#include "lib/store/store_p.h"

#define SAME_VALUES                                                                                          \
	"reason = :reason, template_set = :template_set, asked_at = :asked_at, first_at = :first_at,"        \
	" released_at = :released_at, first_actor = :first_actor, second_actor = :second_actor, due = :due," \
	" allowed = :allowed"

static void bind_batch(sqlite3_stmt *stmt, const struct held_batch *batch)
{
	sql_int(stmt, ":reason", batch->reason);
	sql_ref(stmt, ":template_set", batch->template_set);
	sql_int(stmt, ":asked_at", batch->asked_at);
	sql_int(stmt, ":first_at", batch->first_at);
	sql_int(stmt, ":released_at", batch->released_at);
	sql_text(stmt, ":first_actor", batch->first_actor ? batch->first_actor : "");
	sql_text(stmt, ":second_actor", batch->second_actor ? batch->second_actor : "");
	sql_int(stmt, ":due", batch->due);
	sql_int(stmt, ":allowed", batch->limit);
}

enum rc held_batch_add(struct store *store, struct held_batch *batch, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO held_batch (reason, template_set, asked_at, first_at, released_at, first_actor,"
		" second_actor, due, allowed) VALUES (:reason, :template_set, :asked_at, :first_at,"
		" :released_at, :first_actor, :second_actor, :due, :allowed)",
		err);
	if (!stmt)
		return err->rc;
	bind_batch(stmt, batch);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK)
		batch->id = sqlite3_last_insert_rowid(store->db);
	return rc;
}

enum rc held_batch_update(struct store *store, const struct held_batch *batch, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "UPDATE held_batch SET " SAME_VALUES " WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	bind_batch(stmt, batch);
	sql_int(stmt, ":id", batch->id);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "there is no batch %lld", (long long)batch->id);
	return rc;
}

#define BATCH_SELECT                                                                                         \
	"SELECT id, reason, template_set, asked_at, first_at, released_at, first_actor, second_actor, due,"  \
	" allowed FROM held_batch"

static void read_batch(sqlite3_stmt *stmt, struct held_batch *out, struct pool *pool)
{
	*out = (struct held_batch){
		.id = sqlite3_column_int64(stmt, 0),
		.reason = (enum batch_reason)sqlite3_column_int(stmt, 1),
		.template_set = sqlite3_column_int64(stmt, 2),
		.asked_at = sqlite3_column_int64(stmt, 3),
		.first_at = sqlite3_column_int64(stmt, 4),
		.released_at = sqlite3_column_int64(stmt, 5),
		.first_actor = column_text(stmt, 6, pool),
		.second_actor = column_text(stmt, 7, pool),
		.due = sqlite3_column_int64(stmt, 8),
		.limit = sqlite3_column_int64(stmt, 9),
	};
}

enum rc held_batch_get(
	struct store *store, int64_t id, struct held_batch *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, BATCH_SELECT " WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no batch %lld", (long long)id);
	read_batch(stmt, out, pool);
	sql_done(stmt);
	return RC_OK;
}

static enum rc next_open(struct store *store, int64_t after_id, struct held_batch *out, struct pool *pool,
	bool *found, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(
		store, BATCH_SELECT " WHERE released_at = 0 AND id > :after_id ORDER BY id LIMIT 1", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after_id", after_id);
	enum rc rc = sql_row(store, stmt, found, err);
	if (rc == RC_OK && *found) {
		read_batch(stmt, out, pool);
		sql_done(stmt);
	}
	return rc;
}

enum rc held_batch_each_open(struct store *store, held_batch_fn *fn, void *ctx, struct err *err)
{
	struct pool *pool = pool_new();
	struct held_batch batch = {.id = 0};
	bool found = true;
	enum rc rc = RC_OK;
	while (rc == RC_OK && found) {
		rc = next_open(store, batch.id, &batch, pool, &found, err);
		if (rc == RC_OK && found)
			rc = fn(ctx, &batch, err);
		pool_reset(pool);
	}
	pool_free(&pool);
	return rc;
}

enum rc held_batch_open(struct store *store, enum batch_reason reason, int64_t *id, struct err *err)
{
	*id = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id FROM held_batch WHERE released_at = 0 AND reason = :reason ORDER BY id LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":reason", reason);
	return sql_number(store, stmt, 0, id, err);
}

enum rc held_batch_holds_set(struct store *store, int64_t template_set, bool *yes, struct err *err)
{
	int64_t id = 0;
	*yes = false;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id FROM held_batch WHERE released_at = 0 AND template_set = :template_set LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":template_set", template_set);
	enum rc rc = sql_number(store, stmt, 0, &id, err);
	*yes = id != 0;
	return rc;
}

enum rc held_batch_notices(struct store *store, int64_t template_set, notice_id_fn *fn, void *ctx,
	int64_t *count, struct err *err)
{
	int64_t after_id = 0, ids[BATCH];
	int found;
	enum rc rc = RC_OK;
	*count = 0;
	do {
		sqlite3_stmt *stmt = sql_ready(store,
			"SELECT id FROM outbox WHERE " SQL_WAITING " AND " SQL_UNSENT
			" AND template_set = :template_set AND id > :after_id ORDER BY id",
			err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":template_set", template_set);
		sql_int(stmt, ":after_id", after_id);
		bool row = true;
		for (found = 0; found < BATCH && (rc = sql_row(store, stmt, &row, err)) == RC_OK && row;)
			ids[found++] = after_id = sqlite3_column_int64(stmt, 0);
		if (rc == RC_OK && row)
			sql_done(stmt);
		for (int i = 0; rc == RC_OK && fn && i < found; i++)
			fn(ctx, ids[i]);
		*count += found;
	} while (rc == RC_OK && found == BATCH);
	return rc;
}
