#include "lib/store/store_p.h"

enum rc outbox_signature(
	struct store *store, int64_t id, struct str *signature, struct str *certificates, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT l.signature, s.certificates FROM letter_signature l JOIN signer s ON s.id = l.signer"
		" WHERE l.notice_id = :id",
		err);
	if (!stmt)
		return err->rc;
	str_clear(signature);
	str_clear(certificates);
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	const void *bytes = sqlite3_column_blob(stmt, 0);
	str_add(signature, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 0));
	bytes = sqlite3_column_blob(stmt, 1);
	str_add(certificates, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 1));
	sql_done(stmt);
	return RC_OK;
}

static enum rc signer_find(
	struct store *store, const uint8_t digest[SHA256_LEN], int64_t *signer, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT id FROM signer WHERE digest = :digest", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	return sql_number(store, stmt, 0, signer, err);
}

static enum rc signer_number(
	struct store *store, const struct str *certificates, int64_t *signer, struct err *err)
{
	uint8_t digest[SHA256_LEN];
	sha256(digest, certificates->s, certificates->len);
	enum rc rc = signer_find(store, digest, signer, err);
	if (rc != RC_OK || *signer)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "INSERT INTO signer (digest, certificates) VALUES (:digest, :certificates)", err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_blob(stmt, ":certificates", certificates->s, certificates->len);
	rc = sql_run(store, stmt, err);
	return rc ? rc : signer_find(store, digest, signer, err);
}

enum rc outbox_signature_set(struct store *store, int64_t id, const struct str *signature,
	const struct str *certificates, struct err *err)
{
	int64_t signer = 0;
	enum rc rc = sql_want_transaction(store, err);
	rc = rc ? rc : signer_number(store, certificates, &signer, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO letter_signature (notice_id, signer, signature) VALUES (:id, :signer, "
		":signature)"
		" ON CONFLICT (notice_id) DO UPDATE SET signer = excluded.signer,"
		" signature = excluded.signature",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_int(stmt, ":signer", signer);
	sql_blob(stmt, ":signature", signature->s, signature->len);
	return sql_run(store, stmt, err);
}
