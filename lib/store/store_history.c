#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/* ---- what is chained ---- */

static void add_number(struct str *out, int64_t number)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		str_addc(out, (char)((uint64_t)number >> shift));
}

/* The row before's hash, nine numbers of 8 bytes (big endian), two digests (zeros where there is none). */
void chain_hash(uint8_t out[SHA256_LEN], const uint8_t previous[SHA256_LEN], const struct chain_row *row)
{
	const int64_t number[] = {row->seq, row->at, row->application_id, row->event, row->from, row->to,
		row->ref, row->number, row->actor};
	struct str bytes = STR_INIT;
	str_add(&bytes, previous, SHA256_LEN);
	for (size_t i = 0; i < sizeof number / sizeof *number; i++)
		add_number(&bytes, number[i]);
	str_add(&bytes, row->payload, SHA256_LEN);
	str_add(&bytes, row->form, SHA256_LEN);
	sha256(out, bytes.s, bytes.len);
	str_free(&bytes);
}

void payload_digest(
	uint8_t out[SHA256_LEN], const uint8_t salt[SALT_LEN], const char *actor, const char *note)
{
	struct str bytes = STR_INIT;
	str_add(&bytes, salt, SALT_LEN);
	str_addz(&bytes, actor);
	str_addc(&bytes, 0);
	str_addz(&bytes, note);
	sha256(out, bytes.s, bytes.len);
	str_wipe(&bytes);
}

/* Actors that are nobody in person need no payload. The numbers are stored: append only. */
static const char *const known_actors[] = {"", "daemon", "import", "intake"};
#define KNOWN_ACTORS ((int)(sizeof known_actors / sizeof *known_actors))

static int actor_number(const char *actor)
{
	for (int i = 1; i < KNOWN_ACTORS; i++)
		if (actor && strcmp(actor, known_actors[i]) == 0)
			return i;
	return 0;
}

/* Events whose row also records the form's values as they are then. */
static bool records_form(enum event event)
{
	static const enum event events[] = {EVENT_APPLY, EVENT_APPLY_UNCONFIRMED, EVENT_IMPORT_ID,
		EVENT_IMPORT_LOGO, EVENT_IMPORT_STOPPED, EVENT_CORRECT, EVENT_NEWS, EVENT_PURGE, EVENT_ERASE};
	for (size_t i = 0; i < sizeof events / sizeof *events; i++)
		if (events[i] == event)
			return true;
	return false;
}

/* ---- adding ---- */

enum rc history_head(struct store *store, int64_t *seq, uint8_t hash[SHA256_LEN], struct err *err)
{
	*seq = 0;
	memset(hash, 0, SHA256_LEN);
	sqlite3_stmt *stmt = sql_ready(store, "SELECT seq, hash FROM history ORDER BY seq DESC LIMIT 1", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc == RC_OK && row) {
		*seq = sqlite3_column_int64(stmt, 0);
		(void)column_digest(stmt, 1, hash, SHA256_LEN);
		sql_done(stmt);
	}
	return rc;
}

enum rc history_hash(struct store *store, int64_t seq, uint8_t hash[SHA256_LEN], bool *there, struct err *err)
{
	*there = false;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT hash FROM history WHERE seq = :seq", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":seq", seq);
	enum rc rc = sql_row(store, stmt, there, err);
	if (rc != RC_OK || !*there)
		return rc;
	*there = column_digest(stmt, 0, hash, SHA256_LEN);
	sql_done(stmt);
	return RC_OK;
}

static enum rc add_payload(struct store *store, int64_t seq, const uint8_t salt[SALT_LEN], const char *actor,
	const char *note, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO history_payload (seq, salt, actor, note) VALUES (:seq, :salt, :actor, :note)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":seq", seq);
	sql_blob(stmt, ":salt", salt, SALT_LEN);
	sql_text(stmt, ":actor", actor);
	sql_text(stmt, ":note", note);
	return sql_run(store, stmt, err);
}

static enum rc add_row(struct store *store, const struct chain_row *row, bool has_payload, bool has_form,
	const uint8_t hash[SHA256_LEN], struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO history (seq, at, application_id, event, from_state, to_state, ref, number,"
		" actor, payload, form, hash) VALUES (:seq, :at, :application_id, :event, :from, :to,"
		" :ref, :number, :actor, :payload, :form, :hash)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":seq", row->seq);
	sql_int(stmt, ":at", row->at);
	sql_int(stmt, ":application_id", row->application_id);
	sql_int(stmt, ":event", row->event);
	sql_int(stmt, ":from", row->from);
	sql_int(stmt, ":to", row->to);
	sql_int(stmt, ":ref", row->ref);
	sql_int(stmt, ":number", row->number);
	sql_int(stmt, ":actor", row->actor);
	sql_blob(stmt, ":payload", has_payload ? row->payload : NULL, SHA256_LEN);
	sql_blob(stmt, ":form", has_form ? row->form : NULL, SHA256_LEN);
	sql_blob(stmt, ":hash", hash, SHA256_LEN);
	return sql_run(store, stmt, err);
}

enum rc history_add(struct store *store, const struct history_row *row, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK && !store->head_known) {
		rc = history_head(store, &store->head_seq, store->head_hash, err);
		store->head_known = rc == RC_OK;
	}
	if (rc != RC_OK)
		return rc;

	struct chain_row chained = {
		.seq = store->head_seq + 1,
		.at = row->at,
		.application_id = row->application_id,
		.event = row->event,
		.from = row->from,
		.to = row->to,
		.ref = row->ref,
		.number = row->number,
		.actor = actor_number(row->actor),
	};
	const char *actor = row->actor && chained.actor == 0 ? row->actor : "",
		   *note = row->note ? row->note : "";
	bool has_payload = *actor || *note, has_form = false;
	uint8_t salt[SALT_LEN], hash[SHA256_LEN];
	if (has_payload) {
		store_salt(store, salt, "history", chained.seq);
		payload_digest(chained.payload, salt, actor, note);
	}
	if (row->application_id > 0 && records_form(row->event))
		rc = application_form_digest(store, row->application_id, chained.form, &has_form, err);
	chain_hash(hash, store->head_hash, &chained);
	if (rc == RC_OK)
		rc = add_row(store, &chained, has_payload, has_form, hash, err);
	if (rc == RC_OK && has_payload)
		rc = add_payload(store, chained.seq, salt, actor, note, err);
	if (rc == RC_OK)
		rc = retained_follow(store, row, err);
	if (rc != RC_OK)
		return rc;
	store->head_seq = chained.seq;
	memcpy(store->head_hash, hash, SHA256_LEN);
	store->head_moved = true;
	return RC_OK;
}

/* ---- reading ---- */

static void read_row(sqlite3_stmt *stmt, struct history_row *row, struct pool *pool)
{
	int actor = sqlite3_column_int(stmt, 8);
	bool known = actor > 0 && actor < KNOWN_ACTORS;
	*row = (struct history_row){
		.seq = sqlite3_column_int64(stmt, 0),
		.at = sqlite3_column_int64(stmt, 1),
		.application_id = sqlite3_column_int64(stmt, 2),
		.event = (enum event)sqlite3_column_int(stmt, 3),
		.from = (enum state)sqlite3_column_int(stmt, 4),
		.to = (enum state)sqlite3_column_int(stmt, 5),
		.ref = sqlite3_column_int64(stmt, 6),
		.number = sqlite3_column_int64(stmt, 7),
		.erased = sqlite3_column_int(stmt, 9) && sqlite3_column_type(stmt, 10) == SQLITE_NULL,
		.actor = known ? known_actors[actor] : column_text(stmt, 10, pool),
		.note = column_text(stmt, 11, pool),
	};
}

#define HISTORY_COLUMNS                                                                                      \
	"SELECT h.seq, h.at, h.application_id, h.event, h.from_state, h.to_state, h.ref, h.number, h.actor," \
	" h.payload IS NOT NULL, p.actor, p.note FROM history h LEFT JOIN history_payload p ON p.seq = "     \
	"h.seq"

static enum rc read_batch(struct store *store, int64_t application_id, int64_t after_seq,
	struct history_row rows[BATCH], int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt =
		application_id > 0
			? sql_ready(store,
				  HISTORY_COLUMNS
				  " WHERE h.application_id = :application_id AND h.application_id > 0"
				  " AND h.seq > :after ORDER BY h.seq LIMIT :limit",
				  err)
			: sql_ready(store,
				  HISTORY_COLUMNS " WHERE h.seq > :after ORDER BY h.seq LIMIT :limit", err);
	if (!stmt)
		return err->rc;
	if (application_id > 0)
		sql_int(stmt, ":application_id", application_id);
	sql_int(stmt, ":after", after_seq);
	sql_int(stmt, ":limit", BATCH);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		read_row(stmt, &rows[(*count)++], pool);
	return rc;
}

enum rc history_unknown(struct store *store, const struct notice *notice, int *times, struct err *err)
{
	int64_t count = 0;
	*times = 0;
	if (notice->application_id == 0)
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT count(*) FROM history WHERE application_id = :application_id AND application_id > 0"
		" AND event = :event AND ref = :notice_id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":application_id", notice->application_id);
	sql_int(stmt, ":event", EVENT_UNKNOWN);
	sql_int(stmt, ":notice_id", notice->id);
	enum rc rc = sql_number(store, stmt, 0, &count, err);
	*times = (int)count;
	return rc;
}

enum rc history_each(struct store *store, int64_t application_id, int64_t after_seq, history_fn *fn,
	void *ctx, struct err *err)
{
	struct history_row *rows = xcalloc(BATCH, sizeof *rows);
	struct pool *pool = pool_new();
	enum rc rc;
	int count;
	do {
		pool_reset(pool);
		rc = read_batch(store, application_id, after_seq, rows, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			after_seq = rows[i].seq;
			rc = fn(ctx, &rows[i], err);
		}
	} while (rc == RC_OK && count == BATCH);
	pool_free(&pool);
	free(rows);
	return rc;
}
