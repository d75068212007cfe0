#include "lib/store/store_p.h"

_Static_assert(
	sizeof((struct token_row *)0)->mail == KEY_LEN, "addresses are compared by as much as is kept");

void store_mail_digest(uint8_t out[KEY_LEN], const char *mail_key)
{
	store_key(out, mail_key);
}

/* ---- tokens ---- */

enum rc token_add(
	struct store *store, const uint8_t digest[SHA256_LEN], const struct token_row *row, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO token (digest, purpose, subject_id, expires_at, used_at, notice_id, mail) VALUES"
		" (:digest, :purpose, :subject_id, :expires_at, :used_at, :notice_id, :mail)",
		err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_int(stmt, ":purpose", row->purpose);
	sql_int(stmt, ":subject_id", row->subject_id);
	sql_int(stmt, ":expires_at", row->expires_at);
	sql_int(stmt, ":used_at", row->used_at);
	sql_ref(stmt, ":notice_id", row->notice_id);
	sql_blob(stmt, ":mail", row->mail, sizeof row->mail);
	return sql_run(store, stmt, err);
}

#define TOKEN_SELECT "SELECT purpose, subject_id, expires_at, used_at, notice_id, mail FROM token"

static enum rc read_token(
	struct store *store, sqlite3_stmt *stmt, struct token_row *out, bool *found, struct err *err)
{
	enum rc rc = sql_row(store, stmt, found, err);
	if (rc != RC_OK || !*found)
		return rc;
	*out = (struct token_row){
		.purpose = sqlite3_column_int(stmt, 0),
		.subject_id = sqlite3_column_int64(stmt, 1),
		.expires_at = sqlite3_column_int64(stmt, 2),
		.used_at = sqlite3_column_int64(stmt, 3),
		.notice_id = sqlite3_column_int64(stmt, 4),
	};
	(void)column_digest(stmt, 5, out->mail, sizeof out->mail);
	sql_done(stmt);
	return RC_OK;
}

enum rc token_get(
	struct store *store, const uint8_t digest[SHA256_LEN], struct token_row *out, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, TOKEN_SELECT " WHERE digest = :digest", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	bool found;
	enum rc rc = read_token(store, stmt, out, &found, err);
	if (rc == RC_OK && !found)
		return err_set(err, RC_REFUSED, "this token was never given out");
	return rc;
}

enum rc token_of_notice(struct store *store, int64_t notice_id, struct token_row *out, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(
		store, TOKEN_SELECT " WHERE notice_id = :notice_id AND notice_id IS NOT NULL LIMIT 1", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":notice_id", notice_id);
	bool found;
	enum rc rc = read_token(store, stmt, out, &found, err);
	if (rc == RC_OK && !found)
		return err_set(err, RC_REFUSED, "notice %lld carried no token", (long long)notice_id);
	return rc;
}

enum rc token_use(struct store *store, const uint8_t digest[SHA256_LEN], utc_time at, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "UPDATE token SET used_at = :at WHERE digest = :digest AND used_at = 0", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_int(stmt, ":at", at);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "this token is unknown or was used before");
	return rc;
}

/* ---- answers ---- */

enum rc answer_add(struct store *store, int64_t notice_id, const char *mail_key, bool proven, utc_time at,
	struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO answer (notice_id, mail, proven, at) VALUES (:notice_id, :mail, :proven, :at)",
		err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_mail_digest(mail, mail_key);
	sql_int(stmt, ":notice_id", notice_id);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":proven", proven);
	sql_int(stmt, ":at", at);
	return sql_run(store, stmt, err);
}

enum rc answer_count(struct store *store, const char *mail_key, bool unproven_only, utc_time since,
	int64_t *count, struct err *err)
{
	sqlite3_stmt *stmt =
		mail_key ? sql_ready(store,
				   "SELECT count(*) FROM answer WHERE mail = :mail AND at >= :since"
				   " AND proven <= :proven",
				   err)
			 : sql_ready(store,
				   "SELECT count(*) FROM answer WHERE at >= :since AND proven <= :proven",
				   err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	if (mail_key) {
		store_mail_digest(mail, mail_key);
		sql_blob(stmt, ":mail", mail, sizeof mail);
	}
	sql_int(stmt, ":since", since);
	sql_int(stmt, ":proven", !unproven_only);
	return sql_number(store, stmt, 0, count, err);
}
