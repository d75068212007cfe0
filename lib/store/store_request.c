#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

static bool is_open(enum request_state state)
{
	return state == REQUEST_STATE_REVIEW || state == REQUEST_STATE_ASKED ||
	       state == REQUEST_STATE_PLANNED;
}

/* ---- writing ---- */

static enum rc set_payload(struct store *store, const struct request *request, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO request_payload (request_id, actor, note) VALUES (:id, :actor, :note) ON "
		"CONFLICT"
		" (request_id) DO UPDATE SET actor = excluded.actor, note = excluded.note",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", request->id);
	sql_text(stmt, ":actor", request->actor);
	sql_text(stmt, ":note", request->note);
	return sql_run(store, stmt, err);
}

static void bind_request(sqlite3_stmt *stmt, const struct request *request)
{
	sql_int(stmt, ":kind", request->kind);
	sql_int(stmt, ":state", request->state);
	sql_ref(stmt, ":application_id", request->application_id);
	sql_int(stmt, ":closed_at", request->closed_at);
	sql_int(stmt, ":proof", request->proof);
	sql_day(stmt, ":stop_on", request->stop_on);
	sql_time(stmt, ":due_at", request->due_at);
}

/* A mail is kept from the end of what it asked for. */
static enum rc follow_span(struct store *store, const struct request *request, struct err *err)
{
	if (is_open(request->state) || request->closed_at == 0)
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(
		store, "UPDATE retained SET since = :at WHERE kind = 2 AND id = :id AND since < :at", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", request->message_id);
	sql_int(stmt, ":at", request->closed_at);
	return sql_run(store, stmt, err);
}

enum rc request_add(struct store *store, struct request *request, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO request (message_id, kind, state, application_id, opened_at, closed_at, proof,"
		" stop_on, due_at) VALUES (:message_id, :kind, :state, :application_id, :opened_at, "
		":closed_at,"
		" :proof, :stop_on, :due_at)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":message_id", request->message_id);
	sql_int(stmt, ":opened_at", request->opened_at);
	bind_request(stmt, request);
	rc = sql_run(store, stmt, err);
	if (rc != RC_OK)
		return rc;
	request->id = sqlite3_last_insert_rowid(store->db);
	rc = follow_span(store, request, err);
	return rc == RC_OK ? set_payload(store, request, err) : rc;
}

enum rc request_update(struct store *store, const struct request *request, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE request SET kind = :kind, state = :state, application_id = :application_id, "
		"closed_at ="
		" :closed_at, proof = :proof, stop_on = :stop_on, due_at = :due_at WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", request->id);
	bind_request(stmt, request);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "there is no request %lld on file", (long long)request->id);
	if (rc == RC_OK)
		rc = follow_span(store, request, err);
	return rc == RC_OK ? set_payload(store, request, err) : rc;
}

/* ---- reading ---- */

#define REQUEST_COLUMNS                                                                                      \
	"SELECT r.id, r.message_id, r.kind, r.state, r.application_id, r.opened_at, r.closed_at, r.proof,"   \
	" r.stop_on, r.due_at, p.actor, p.note FROM request r"
#define REQUEST_PAYLOAD " LEFT JOIN request_payload p ON p.request_id = r.id"

static void read_request(sqlite3_stmt *stmt, struct request *out, struct pool *pool)
{
	*out = (struct request){
		.id = sqlite3_column_int64(stmt, 0),
		.message_id = sqlite3_column_int64(stmt, 1),
		.kind = (enum request_kind)sqlite3_column_int(stmt, 2),
		.state = (enum request_state)sqlite3_column_int(stmt, 3),
		.application_id = sqlite3_column_int64(stmt, 4),
		.opened_at = sqlite3_column_int64(stmt, 5),
		.closed_at = sqlite3_column_int64(stmt, 6),
		.proof = (enum proof)sqlite3_column_int(stmt, 7),
		.stop_on = column_day(stmt, 8),
		.due_at = column_time(stmt, 9),
		.actor = column_text(stmt, 10, pool),
		.note = column_text(stmt, 11, pool),
	};
}

enum rc request_get(struct store *store, int64_t id, struct request *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, REQUEST_COLUMNS REQUEST_PAYLOAD " WHERE r.id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no request %lld on file", (long long)id);
	read_request(stmt, out, pool);
	sql_done(stmt);
	return RC_OK;
}

enum rc request_of_message(struct store *store, int64_t message_id, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT max(id) FROM request WHERE message_id = :message_id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":message_id", message_id);
	return sql_number(store, stmt, 0, id, err);
}

/* The index that finds least; its terms are spelt as in schema.c. */
static void filter_text(struct str *text, const struct request_filter *filter)
{
	str_addz(text, REQUEST_COLUMNS);
	if (filter->application_id != 0)
		str_addz(text, " INDEXED BY request_application");
	else if (filter->due_before != 0)
		str_addz(text, " INDEXED BY request_due");
	else if (filter->open_only || is_open(filter->state))
		str_addz(text, " INDEXED BY request_open");
	str_addz(text, REQUEST_PAYLOAD " WHERE r.id > :after");
	if (filter->application_id != 0)
		str_addz(text, " AND r.application_id IS NOT NULL AND r.application_id = :application_id");
	if (filter->due_before != 0)
		str_addz(text, " AND r.due_at IS NOT NULL AND r.due_at < :due_before");
	if (filter->open_only || filter->due_before != 0 || is_open(filter->state))
		str_addz(text, " AND r." SQL_OPEN);
	if (filter->state != 0)
		str_addz(text, " AND r.state = :state");
	if (!filter->any_kind)
		str_addz(text, " AND r.kind = :kind");
	str_addz(text, " ORDER BY r.id LIMIT :limit");
}

static void bind_filter(sqlite3_stmt *stmt, const struct request_filter *filter)
{
	if (filter->application_id != 0)
		sql_int(stmt, ":application_id", filter->application_id);
	if (filter->due_before != 0)
		sql_int(stmt, ":due_before", filter->due_before);
	if (filter->state != 0)
		sql_int(stmt, ":state", filter->state);
	if (!filter->any_kind)
		sql_int(stmt, ":kind", filter->kind);
}

static enum rc read_batch(struct store *store, const char *text, const struct request_filter *filter,
	int64_t after, int want, struct request *out, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_prepare(store, text, err);
	if (!stmt)
		return err->rc;
	bind_filter(stmt, filter);
	sql_int(stmt, ":after", after);
	sql_int(stmt, ":limit", want);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		read_request(stmt, &out[(*count)++], pool);
	(void)sqlite3_finalize(stmt);
	return rc;
}

enum rc request_each(
	struct store *store, const struct request_filter *filter, request_fn *fn, void *ctx, struct err *err)
{
	struct request *requests = xcalloc(BATCH, sizeof *requests);
	struct pool *pool = pool_new();
	struct str text = STR_INIT;
	filter_text(&text, filter);
	int64_t after = filter->after_id;
	const int limit = filter->limit;
	int left = limit, want, count;
	enum rc rc;
	do {
		want = limit > 0 && left < BATCH ? left : BATCH;
		pool_reset(pool);
		rc = read_batch(store, text.s, filter, after, want, requests, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			after = requests[i].id;
			rc = fn(ctx, &requests[i], err);
		}
		left -= count;
	} while (rc == RC_OK && count == want && (limit <= 0 || left > 0));
	str_free(&text);
	pool_free(&pool);
	free(requests);
	return rc;
}

enum rc request_next_due(struct store *store, utc_time *at, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT min(due_at) FROM request INDEXED BY request_due WHERE due_at IS NOT NULL "
		"AND " SQL_OPEN,
		err);
	return stmt ? sql_number(store, stmt, UTC_NEVER, at, err) : err->rc;
}
