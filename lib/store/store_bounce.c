#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

enum rc bounce_add(struct store *store, const struct bounce_row *row, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO bounce (message_id, notice_id, class, by_address, mail, at) VALUES (:message_id,"
		" :notice_id, :class, :by_address, :mail, :at)",
		err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_mail_digest(mail, row->mail_key ? row->mail_key : "");
	sql_int(stmt, ":message_id", row->message_id);
	sql_ref(stmt, ":notice_id", row->notice_id);
	sql_int(stmt, ":class", row->class_);
	sql_int(stmt, ":by_address", row->by_address);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":at", row->at);
	return sql_run(store, stmt, err);
}

enum rc bounce_count(struct store *store, int64_t notice_id, int *count, struct err *err)
{
	/* A report that staff move back to INBOX is taken once more; it is still one report. */
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT count(DISTINCT m.digest) FROM bounce b JOIN message m ON m.id = b.message_id"
		" WHERE b.notice_id = :notice_id AND b.notice_id IS NOT NULL AND b.class <> 0"
		" AND b.by_address <> 0",
		err);
	if (!stmt)
		return err->rc;
	int64_t found;
	sql_int(stmt, ":notice_id", notice_id);
	enum rc rc = sql_number(store, stmt, 0, &found, err);
	*count = rc == RC_OK ? (int)found : 0;
	return rc;
}

enum rc bounce_tally(struct store *store, utc_time since, int64_t matched[BOUNCE_CLASSES], int64_t *unmatched,
	struct err *err)
{
	memset(matched, 0, BOUNCE_CLASSES * sizeof *matched);
	*unmatched = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT class, notice_id IS NOT NULL AND by_address <> 0 AS ours, count(*) FROM bounce"
		" WHERE at >= :since GROUP BY class, ours",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":since", since);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		int class_ = sqlite3_column_int(stmt, 0);
		if (!sqlite3_column_int(stmt, 1))
			*unmatched += sqlite3_column_int64(stmt, 2);
		else if (class_ >= 0 && class_ < BOUNCE_CLASSES)
			matched[class_] += sqlite3_column_int64(stmt, 2);
	}
	return rc;
}

static enum rc read_batch(struct store *store, int64_t application_id, int64_t after,
	struct bounce_row rows[BATCH], int *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT b.message_id, b.notice_id, b.class, b.by_address, b.at FROM outbox o JOIN bounce b"
		" ON b.notice_id = o.id AND b.notice_id IS NOT NULL WHERE o.application_id = :application_id"
		" AND b.by_address <> 0 AND b.class <> 0 AND b.message_id > :after ORDER BY b.message_id "
		"LIMIT :limit",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":application_id", application_id);
	sql_int(stmt, ":after", after);
	sql_int(stmt, ":limit", BATCH);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		rows[(*count)++] = (struct bounce_row){
			.message_id = sqlite3_column_int64(stmt, 0),
			.notice_id = sqlite3_column_int64(stmt, 1),
			.class_ = sqlite3_column_int(stmt, 2),
			.by_address = sqlite3_column_int(stmt, 3),
			.at = sqlite3_column_int64(stmt, 4),
		};
	return rc;
}

enum rc bounce_each(struct store *store, int64_t application_id, bounce_fn *fn, void *ctx, struct err *err)
{
	struct bounce_row *rows = xcalloc(BATCH, sizeof *rows);
	int64_t after = 0;
	enum rc rc;
	int count;
	do {
		rc = read_batch(store, application_id, after, rows, &count, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			after = rows[i].message_id;
			rc = fn(ctx, &rows[i], err);
		}
	} while (rc == RC_OK && count == BATCH);
	free(rows);
	return rc;
}

enum rc address_score_get(
	struct store *store, const char *mail_key, struct address_score *out, struct err *err)
{
	*out = (struct address_score){0};
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT score, at, hard FROM address_score WHERE mail = :mail", err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_mail_digest(mail, mail_key);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc == RC_OK && row) {
		out->score = sqlite3_column_int64(stmt, 0);
		out->at = sqlite3_column_int64(stmt, 1);
		out->hard = sqlite3_column_int(stmt, 2);
		sql_done(stmt);
	}
	return rc;
}

enum rc address_score_set(
	struct store *store, const char *mail_key, const struct address_score *score, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO address_score (mail, score, at, hard) VALUES (:mail, :score, :at, :hard) ON"
		" CONFLICT (mail) DO UPDATE SET score = excluded.score, at = excluded.at, hard = "
		"excluded.hard",
		err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_mail_digest(mail, mail_key);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":score", score->score);
	sql_int(stmt, ":at", score->at);
	sql_int(stmt, ":hard", score->hard);
	return sql_run(store, stmt, err);
}
