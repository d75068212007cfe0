#include <string.h>

#include "lib/store/store_p.h"

/* Of which nothing came, such as decisions dropped by somebody who may not decide, is no reason to leave the next one alone. */
static enum rc first_same(struct store *store, const uint8_t digest[SHA256_LEN], int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT ifnull(min(CASE WHEN accepted + review + same + decided > 0 THEN id END), min(id))"
		" FROM file WHERE digest = :digest",
		err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	return sql_number(store, stmt, 0, id, err);
}

enum rc file_add(struct store *store, struct spool_file *file, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = first_same(store, file->digest, &file->same_as, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO file (digest, name, size, taken_at, source_dev, source_ino, source_mtime_ns,"
		" owner, state, rows_done, accepted, refused, same, review, decided, same_as, archive)"
		" VALUES (:digest, :name, :size, :taken_at, :dev, :ino, :mtime_ns, :owner, :state,"
		" :rows_done, :accepted, :refused, :same, :review, :decided, :same_as, :archive)",
		err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", file->digest, SHA256_LEN);
	sql_text(stmt, ":name", file->name);
	sql_int(stmt, ":size", file->size);
	sql_int(stmt, ":taken_at", file->taken_at);
	sql_int(stmt, ":dev", file->source_dev);
	sql_int(stmt, ":ino", file->source_ino);
	sql_int(stmt, ":mtime_ns", file->source_mtime_ns);
	sql_text(stmt, ":owner", file->owner);
	sql_int(stmt, ":state", file->state);
	sql_int(stmt, ":rows_done", file->rows_done);
	sql_int(stmt, ":accepted", file->accepted);
	sql_int(stmt, ":refused", file->refused);
	sql_int(stmt, ":same", file->same);
	sql_int(stmt, ":review", file->review);
	sql_int(stmt, ":decided", file->decided);
	sql_ref(stmt, ":same_as", file->same_as);
	sql_text(stmt, ":archive", file->archive);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK)
		file->id = sqlite3_last_insert_rowid(store->db);
	return rc;
}

enum rc file_update(struct store *store, const struct spool_file *file, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE file SET state = :state, rows_done = :rows_done, accepted = :accepted, refused ="
		" :refused, same = :same, review = :review, decided = :decided, archive = :archive,"
		" source_ino = :ino WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", file->id);
	sql_int(stmt, ":state", file->state);
	sql_int(stmt, ":rows_done", file->rows_done);
	sql_int(stmt, ":accepted", file->accepted);
	sql_int(stmt, ":refused", file->refused);
	sql_int(stmt, ":same", file->same);
	sql_int(stmt, ":review", file->review);
	sql_int(stmt, ":decided", file->decided);
	sql_int(stmt, ":ino", file->source_ino);
	sql_text(stmt, ":archive", file->archive);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "there is no file %lld on record", (long long)file->id);
	if (rc != RC_OK || file->state != FILE_DONE || !*file->archive)
		return rc;
	bool brought = file->accepted + file->review + file->same + file->decided > 0;
	return retained_enter(
		store, brought ? RETAINED_FILE : RETAINED_REFUSED, file->id, file->taken_at, err);
}

enum rc file_get(struct store *store, int64_t id, struct spool_file *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, digest, name, size, taken_at, source_dev, source_ino, source_mtime_ns, owner,"
		" state, rows_done, accepted, refused, same, review, decided, same_as, archive FROM file"
		" WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no file %lld on record", (long long)id);
	*out = (struct spool_file){
		.id = sqlite3_column_int64(stmt, 0),
		.name = column_text(stmt, 2, pool),
		.size = sqlite3_column_int64(stmt, 3),
		.taken_at = sqlite3_column_int64(stmt, 4),
		.source_dev = sqlite3_column_int64(stmt, 5),
		.source_ino = sqlite3_column_int64(stmt, 6),
		.source_mtime_ns = sqlite3_column_int64(stmt, 7),
		.owner = column_text(stmt, 8, pool),
		.state = (enum file_state)sqlite3_column_int(stmt, 9),
		.rows_done = sqlite3_column_int(stmt, 10),
		.accepted = sqlite3_column_int(stmt, 11),
		.refused = sqlite3_column_int(stmt, 12),
		.same = sqlite3_column_int(stmt, 13),
		.review = sqlite3_column_int(stmt, 14),
		.decided = sqlite3_column_int(stmt, 15),
		.same_as = sqlite3_column_int64(stmt, 16),
		.archive = column_text(stmt, 17, pool),
	};
	(void)column_digest(stmt, 1, out->digest, SHA256_LEN);
	sql_done(stmt);
	return RC_OK;
}

enum rc file_unfinished(struct store *store, int64_t after, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT min(id) FROM file WHERE state = 1 AND id > :after", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", after);
	return sql_number(store, stmt, 0, id, err);
}

enum rc file_by_source(struct store *store, int64_t dev, int64_t ino, int64_t mtime_ns,
	const uint8_t digest[SHA256_LEN], int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT max(id) FROM file WHERE digest = :digest AND source_dev = :dev AND source_ino = :ino"
		" AND source_mtime_ns = :mtime_ns",
		err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_int(stmt, ":dev", dev);
	sql_int(stmt, ":ino", ino);
	sql_int(stmt, ":mtime_ns", mtime_ns);
	return sql_number(store, stmt, 0, id, err);
}

/* ---- rows, until the result is written ---- */

enum rc file_note_about(struct store *store, int64_t file_id, int64_t application_id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO file_about SELECT id, :file_id FROM application WHERE id = :id"
		" AND file_id IS NOT :file_id ON CONFLICT DO NOTHING",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", file_id);
	sql_int(stmt, ":id", application_id);
	return sql_run(store, stmt, err);
}

enum rc file_row_add(struct store *store, int64_t file_id, int row, int verdict, int64_t application_id,
	const void *findings, size_t len, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	/* A row that is worked through again after a crash replaces what was noted. */
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT OR REPLACE INTO file_row (file_id, row, verdict, application_id, findings)"
		" VALUES (:file_id, :row, :verdict, :application_id, :findings)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", file_id);
	sql_int(stmt, ":row", row);
	sql_int(stmt, ":verdict", verdict);
	sql_int(stmt, ":application_id", application_id);
	sql_blob(stmt, ":findings", len > 0 ? findings : NULL, len);
	return sql_run(store, stmt, err);
}

enum rc file_row_get(struct store *store, int64_t file_id, int row, int *verdict, int64_t *application_id,
	struct str *findings, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT verdict, application_id, findings FROM file_row WHERE file_id = :file_id AND row ="
		" :row",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", file_id);
	sql_int(stmt, ":row", row);
	bool found;
	enum rc rc = sql_row(store, stmt, &found, err);
	if (rc != RC_OK)
		return rc;
	if (!found)
		return err_set(
			err, RC_REFUSED, "nothing is noted of row %d of file %lld", row, (long long)file_id);
	*verdict = sqlite3_column_int(stmt, 0);
	*application_id = sqlite3_column_int64(stmt, 1);
	str_clear(findings);
	const void *bytes = sqlite3_column_blob(stmt, 2);
	str_add(findings, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 2));
	sql_done(stmt);
	return RC_OK;
}

/* The table holds rows of the few files in work only. */
enum rc file_rows_drop(struct store *store, int limit, bool *left, struct err *err)
{
	*left = false;
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"DELETE FROM file_row WHERE (file_id, row) IN (SELECT r.file_id, r.row FROM file_row r"
		" CROSS JOIN file f ON f.id = r.file_id WHERE f.state = 2 LIMIT :limit)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":limit", limit);
	rc = sql_run(store, stmt, err);
	*left = rc == RC_OK && sqlite3_changes(store->db) == limit;
	return rc;
}
