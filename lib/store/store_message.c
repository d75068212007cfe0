#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/* ---- adding ---- */

static enum rc first_same(struct store *store, const uint8_t digest[SHA256_LEN], int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT min(id) FROM message WHERE digest = :digest", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	return sql_number(store, stmt, 0, id, err);
}

static enum rc add_raw(struct store *store, int64_t id, const struct str *packed, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "INSERT INTO message_payload (message_id, raw) VALUES (:id, :raw)", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_blob(stmt, ":raw", packed->s, packed->len);
	return sql_run(store, stmt, err);
}

enum rc message_pack(struct str *packed, const void *raw, size_t len, struct err *err)
{
	if (len > TEXT_PACK_MAX)
		return err_set(err, RC_REFUSED, "a mail of %zu octets is too large to be kept (most: %zu)",
			len, TEXT_PACK_MAX);
	text_pack(packed, raw, len);
	return RC_OK;
}

enum rc message_add(
	struct store *store, struct mail_message *message, const void *raw, size_t len, struct err *err)
{
	struct str packed = STR_INIT;
	enum rc rc = sql_want_transaction(store, err);
	rc = rc ? rc : message_pack(&packed, raw, len, err);
	rc = rc ? rc : message_add_packed(store, message, &packed, err);
	str_free(&packed);
	return rc;
}

enum rc message_add_packed(
	struct store *store, struct mail_message *message, const struct str *packed, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = first_same(store, message->digest, &message->same_as, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO message (state, taken_at, digest, size, uid_validity, uid, kind, review, folder,"
		" filed_uid, same_as, moved_away_at) VALUES (:state, :taken_at, :digest, :size, "
		":uid_validity,"
		" :uid, :kind, :review, :folder, :filed_uid, :same_as, :moved_away_at)"
		" ON CONFLICT (uid_validity, uid) WHERE " SQL_UNFILED " DO NOTHING",
		err);
	if (!stmt)
		return err->rc;
	message->state = MESSAGE_TAKEN;
	sql_int(stmt, ":state", message->state);
	sql_int(stmt, ":taken_at", message->taken_at);
	sql_blob(stmt, ":digest", message->digest, SHA256_LEN);
	sql_int(stmt, ":size", message->size);
	sql_int(stmt, ":uid_validity", message->uid_validity);
	sql_text(stmt, ":uid", message->uid);
	sql_int(stmt, ":kind", message->kind);
	sql_int(stmt, ":review", message->review);
	sql_int(stmt, ":folder", message->folder);
	sql_text(stmt, ":filed_uid", message->filed_uid);
	sql_ref(stmt, ":same_as", message->same_as);
	sql_int(stmt, ":moved_away_at", message->moved_away_at);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED,
			"the mail with UID %s of INBOX (UIDVALIDITY %lld) was taken before", message->uid,
			(long long)message->uid_validity);
	if (rc != RC_OK)
		return rc;
	message->id = sqlite3_last_insert_rowid(store->db);
	rc = add_raw(store, message->id, packed, err);
	return rc == RC_OK ? retained_enter(store, RETAINED_MAIL, message->id, message->taken_at, err) : rc;
}

enum rc message_update(struct store *store, const struct mail_message *message, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE message SET state = :state, kind = :kind, review = :review, folder = :folder,"
		" uid_validity = :uid_validity, uid = :uid, filed_uid = :filed_uid, moved_away_at = "
		":moved_away_at WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", message->id);
	sql_int(stmt, ":state", message->state);
	sql_int(stmt, ":kind", message->kind);
	sql_int(stmt, ":review", message->review);
	sql_int(stmt, ":folder", message->folder);
	sql_int(stmt, ":uid_validity", message->uid_validity);
	sql_text(stmt, ":uid", message->uid);
	sql_text(stmt, ":filed_uid", message->filed_uid);
	sql_int(stmt, ":moved_away_at", message->moved_away_at);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(
			err, RC_REFUSED, "there is no received mail %lld on file", (long long)message->id);
	return rc;
}

/* ---- looking up ---- */

#define MESSAGE_SELECT                                                                                       \
	"SELECT m.id, m.state, m.taken_at, m.digest, m.size, m.uid_validity, m.uid, m.kind, m.review,"       \
	" m.folder, m.filed_uid, m.same_as, m.moved_away_at FROM message m"

static void read_message(sqlite3_stmt *stmt, struct mail_message *out, struct pool *pool)
{
	*out = (struct mail_message){
		.id = sqlite3_column_int64(stmt, 0),
		.state = (enum message_state)sqlite3_column_int(stmt, 1),
		.taken_at = sqlite3_column_int64(stmt, 2),
		.size = sqlite3_column_int64(stmt, 4),
		.uid_validity = sqlite3_column_int64(stmt, 5),
		.uid = column_text(stmt, 6, pool),
		.kind = (enum request_kind)sqlite3_column_int(stmt, 7),
		.review = sqlite3_column_int(stmt, 8),
		.folder = (enum folder)sqlite3_column_int(stmt, 9),
		.filed_uid = column_text(stmt, 10, pool),
		.same_as = sqlite3_column_int64(stmt, 11),
		.moved_away_at = sqlite3_column_int64(stmt, 12),
	};
	(void)column_digest(stmt, 3, out->digest, SHA256_LEN);
}

enum rc message_get(
	struct store *store, int64_t id, struct mail_message *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, MESSAGE_SELECT " WHERE m.id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no received mail %lld on file", (long long)id);
	read_message(stmt, out, pool);
	sql_done(stmt);
	return RC_OK;
}

enum rc message_by_uid(
	struct store *store, int64_t uid_validity, const char *uid, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id FROM message WHERE uid_validity = :uid_validity AND uid = :uid AND " SQL_UNFILED,
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":uid_validity", uid_validity);
	sql_text(stmt, ":uid", uid);
	return sql_number(store, stmt, 0, id, err);
}

enum rc messages_unnumber(struct store *store, int64_t uid_validity, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE message SET uid_validity = -1, uid = CAST(id AS TEXT) WHERE uid_validity = "
		":uid_validity",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":uid_validity", uid_validity);
	return sql_run(store, stmt, err);
}

enum rc message_by_digest(
	struct store *store, const uint8_t digest[SHA256_LEN], int64_t but, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT max(id) FROM message WHERE digest = :digest AND id <> :but", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_int(stmt, ":but", but);
	return sql_number(store, stmt, 0, id, err);
}

/* ---- what it says ---- */

/* Reads the one packed text a bound statement finds; out stays empty where it was erased. */
static enum rc unpack(struct store *store, sqlite3_stmt *stmt, struct str *out, bool *good, struct err *err)
{
	str_clear(out);
	*good = true;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	const void *packed = sqlite3_column_blob(stmt, 0);
	*good = text_unpack(out, packed, (size_t)sqlite3_column_bytes(stmt, 0));
	sql_done(stmt);
	return RC_OK;
}

static enum rc digest_of(
	struct store *store, int64_t id, uint8_t out[SHA256_LEN], bool *there, struct err *err)
{
	*there = false;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT digest FROM message WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	enum rc rc = sql_row(store, stmt, there, err);
	if (rc == RC_OK && *there) {
		(void)column_digest(stmt, 0, out, SHA256_LEN);
		sql_done(stmt);
	}
	return rc;
}

enum rc message_raw(struct store *store, int64_t id, struct str *raw, struct err *err)
{
	uint8_t noted[SHA256_LEN] = {0}, found[SHA256_LEN];
	bool there;
	str_clear(raw);
	enum rc rc = digest_of(store, id, noted, &there, err);
	if (rc == RC_OK && !there)
		return err_set(err, RC_REFUSED, "there is no received mail %lld on file", (long long)id);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT raw FROM message_payload WHERE message_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool good;
	rc = unpack(store, stmt, raw, &good, err);
	if (rc != RC_OK || (good && raw->len == 0))
		return rc;
	sha256(found, raw->s, raw->len);
	if (!good || memcmp(found, noted, sizeof found) != 0) {
		str_clear(raw);
		return err_set(err, RC_STORE,
			"%s is damaged: received mail %lld is not what was taken from the mailbox",
			store->path, (long long)id);
	}
	return RC_OK;
}

enum rc message_set_reading(struct store *store, int64_t id, const struct str *packed, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO reading_payload (message_id, reading) VALUES (:id, :reading) ON CONFLICT"
		" (message_id) DO UPDATE SET reading = excluded.reading",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_blob(stmt, ":reading", packed->s, packed->len);
	return sql_run(store, stmt, err);
}

enum rc message_reading(struct store *store, int64_t id, struct str *json, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT reading FROM reading_payload WHERE message_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool good;
	enum rc rc = unpack(store, stmt, json, &good, err);
	if (rc == RC_OK && !good) {
		str_clear(json);
		rc = err_set(err, RC_STORE,
			"%s is damaged: the reading of received mail %lld cannot be unpacked", store->path,
			(long long)id);
	}
	return rc;
}

/* ---- going through them ---- */

/* Reads up to BATCH of what a bound statement finds, then hands them on; *last is the last id, *count how many came. */
static enum rc hand_on(struct store *store, sqlite3_stmt *stmt, int64_t *last, int *count, message_fn *fn,
	void *ctx, struct err *err)
{
	struct mail_message *messages = xcalloc(BATCH, sizeof *messages);
	struct pool *pool = pool_new();
	*count = 0;
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		read_message(stmt, &messages[(*count)++], pool);
	for (int i = 0; rc == RC_OK && i < *count; i++) {
		*last = messages[i].id;
		rc = fn(ctx, &messages[i], err);
	}
	pool_free(&pool);
	free(messages);
	return rc;
}

enum rc message_each(struct store *store, enum message_state state, int64_t after_id, int limit,
	message_fn *fn, void *ctx, struct err *err)
{
	int left = limit, want, count;
	enum rc rc;
	do {
		want = limit > 0 && left < BATCH ? left : BATCH;
		sqlite3_stmt *stmt =
			state == MESSAGE_TAKEN || state == MESSAGE_READ
				? sql_ready(store,
					  MESSAGE_SELECT " WHERE m.state = :state AND m." SQL_UNFILED
							 " AND m.id > :after ORDER BY m.id LIMIT :limit",
					  err)
				: sql_ready(store,
					  MESSAGE_SELECT " WHERE (:state = 0 OR m.state = :state)"
							 " AND m.id > :after ORDER BY m.id LIMIT :limit",
					  err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":state", state);
		sql_int(stmt, ":after", after_id);
		sql_int(stmt, ":limit", want);
		rc = hand_on(store, stmt, &after_id, &count, fn, ctx, err);
		left -= count;
	} while (rc == RC_OK && count == want && (limit <= 0 || left > 0));
	return rc;
}

enum rc message_each_in_review(struct store *store, message_fn *fn, void *ctx, struct err *err)
{
	int64_t after = 0;
	int count;
	enum rc rc;
	do {
		sqlite3_stmt *stmt = sql_ready(store,
			MESSAGE_SELECT " WHERE m.id IN (SELECT r.message_id FROM request r WHERE r." SQL_OPEN
				       ") AND m.id > :after AND m.state = :filed AND m.folder = :review"
				       " AND m.moved_away_at = 0 ORDER BY m.id LIMIT :limit",
			err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":after", after);
		sql_int(stmt, ":filed", MESSAGE_FILED);
		sql_int(stmt, ":review", FOLDER_REVIEW);
		sql_int(stmt, ":limit", BATCH);
		rc = hand_on(store, stmt, &after, &count, fn, ctx, err);
	} while (rc == RC_OK && count == BATCH);
	return rc;
}
