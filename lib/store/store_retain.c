#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

#define ERASED_NAME "（消去済み）"

static const struct {
	const char *name, *name_ja;
} kinds[RETAINED_COUNT] = {
	[RETAINED_SURVEY] = {"survey", "アンケートの回答"},
	[RETAINED_MAIL] = {"mail", "受信メール"},
	[RETAINED_LETTER] = {"letter", "終了した申込みの通知メール"},
	[RETAINED_ENDED] = {"ended", "終了した申込みの申込内容"},
	[RETAINED_FILE] = {"file", "申込ファイル"},
	[RETAINED_REFUSED] = {"refused", "1件も登録されなかった申込ファイル"},
	[RETAINED_PUBLIC] = {"public", "公開していた内容の記録"},
	[RETAINED_STRAY] = {"stray", "どの申込みのものでもない通知メール"},
};

const char *retained_name(enum retained kind)
{
	return kind > 0 && kind < RETAINED_COUNT ? kinds[kind].name : "";
}

const char *retained_name_ja(enum retained kind)
{
	return kind > 0 && kind < RETAINED_COUNT ? kinds[kind].name_ja : "";
}

/* ---- small statements ---- */

/* Runs a change that knows only :id. */
static enum rc change(struct store *store, const char *literal, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, literal, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return sql_run(store, stmt, err);
}

static enum rc ask(struct store *store, const char *literal, int64_t id, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, literal, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return sql_number(store, stmt, 0, value, err);
}

struct ids {
	int64_t *id;
	size_t count;
};

static void ids_add(struct ids *ids, int64_t id)
{
	ids->id = xrealloc(ids->id, (ids->count + 1) * sizeof *ids->id);
	ids->id[ids->count++] = id;
}

/* The first column of a statement that knows only :id; free ids->id. */
static enum rc collect(struct store *store, const char *literal, int64_t id, struct ids *ids, struct err *err)
{
	*ids = (struct ids){0};
	sqlite3_stmt *stmt = sql_ready(store, literal, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		ids_add(ids, sqlite3_column_int64(stmt, 0));
	return rc;
}

/* ---- when a span begins ---- */

enum rc retained_enter(struct store *store, enum retained kind, int64_t id, utc_time since, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO retained (kind, id, since) VALUES (:kind, :id, :since)"
		" ON CONFLICT (kind, id) DO UPDATE SET since = excluded.since",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":kind", kind);
	sql_int(stmt, ":id", id);
	sql_int(stmt, ":since", since);
	return sql_run(store, stmt, err);
}

enum rc retained_leave(struct store *store, enum retained kind, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "DELETE FROM retained WHERE kind = :kind AND id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":kind", kind);
	sql_int(stmt, ":id", id);
	return sql_run(store, stmt, err);
}

/* A declaration that was taken over as stopped ended on its day, not on the day of the import. */
static enum rc end_of(struct store *store, const struct history_row *row, utc_time *at, struct err *err)
{
	int64_t stopped_on = 0;
	*at = row->at;
	if (row->event != EVENT_IMPORT_STOPPED)
		return RC_OK;
	enum rc rc = ask(store, "SELECT stopped_on FROM application WHERE id = :id", row->application_id,
		&stopped_on, err);
	if (rc == RC_OK && stopped_on > 0 && civil_moment((civil_day)stopped_on, 0) < *at)
		*at = civil_moment((civil_day)stopped_on, 0);
	return rc;
}

enum rc retained_follow(struct store *store, const struct history_row *row, struct err *err)
{
	if (row->application_id <= 0 || row->event >= EVENT_HOLD || row->to == STATE_NONE)
		return RC_OK;
	if (state_is_live(row->to)) {
		if (row->from == STATE_NONE || state_is_live(row->from))
			return RC_OK;
		enum rc rc = retained_leave(store, RETAINED_LETTER, row->application_id, err);
		return rc == RC_OK ? retained_leave(store, RETAINED_ENDED, row->application_id, err) : rc;
	}
	utc_time at;
	enum rc rc = end_of(store, row, &at, err);
	if (rc == RC_OK)
		rc = retained_enter(store, RETAINED_LETTER, row->application_id, at, err);
	if (rc == RC_OK)
		rc = retained_enter(store, RETAINED_ENDED, row->application_id, at, err);
	/* The declaration of a ★ went on under its ★★, and ends with it. */
	sqlite3_stmt *stmt = rc == RC_OK
				     ? sql_ready(store,
					       "UPDATE retained SET since = :at WHERE kind IN (3, 4) AND id ="
					       " (SELECT linked_id FROM application WHERE id = :id)",
					       err)
				     : NULL;
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", row->application_id);
	sql_int(stmt, ":at", at);
	return sql_run(store, stmt, err);
}

enum rc retained_survey(struct store *store, const struct application *app, struct err *err)
{
	const char *survey = app->form.value[FIELD_SURVEY];
	return survey && *survey ? retained_enter(store, RETAINED_SURVEY, app->id, app->received_at, err)
				 : retained_leave(store, RETAINED_SURVEY, app->id, err);
}

static enum rc fill_survey(void *ctx, const struct application *app, struct err *err)
{
	return retained_survey(ctx, app, err);
}

enum rc retained_fill(struct store *store, struct err *err)
{
	static const struct application_filter all = {.hold = -1};
	enum rc rc = sql_exec(store,
		"INSERT INTO retained SELECT k.kind, h.application_id, max(h.at) FROM history h"
		" JOIN application a ON a.id = h.application_id"
		" JOIN (SELECT 3 AS kind UNION ALL SELECT 4) k"
		" WHERE h.application_id > 0 AND h.event < 20 AND h.to_state = a.state AND NOT a." SQL_LIVE
		" GROUP BY k.kind, h.application_id;"
		"INSERT INTO retained SELECT 2, m.id, max(m.taken_at, coalesce((SELECT max(closed_at)"
		" FROM request r WHERE r.message_id = m.id), 0)) FROM message m;"
		"INSERT INTO retained SELECT CASE WHEN accepted + review + same + decided > 0 THEN 5 ELSE 6 "
		"END,"
		" id, taken_at FROM file WHERE state = 2 AND archive <> '';",
		err);
	return rc == RC_OK ? application_each(store, &all, true, fill_survey, store, err) : rc;
}

/* ---- why something is kept ---- */

/* Every question knows :id only; the first whose answer is not 0 gives the reason. */
struct objection {
	const char *sql, *why_ja;
};

#define OPEN_REQUEST_OF(application)                                                                         \
	"SELECT EXISTS (SELECT 1 FROM request r WHERE r.application_id = " application " AND r." SQL_OPEN ")"
/* A review, a letter given up or a bounce behind which no change of state, no decision and no letter that went out has come. */
#define UNSETTLED(application, event)                                                                        \
	"SELECT EXISTS (SELECT 1 FROM history h WHERE h.application_id = " application                       \
	" AND h.application_id > 0 AND h.event " event                                                       \
	" AND NOT EXISTS (SELECT 1 FROM history l WHERE l.application_id = h.application_id"                 \
	" AND l.application_id > 0 AND l.seq > h.seq AND (l.event < 20 OR l.event IN (21, 23, 24, 26, "      \
	"31))))"
_Static_assert(EVENT_HOLD == 20 && EVENT_RELEASE == 21 && EVENT_REVIEW == 22 && EVENT_APPROVE == 23 &&
		       EVENT_CORRECT == 24 && EVENT_SENT == 26 && EVENT_FAILED == 28 && EVENT_UNKNOWN == 29 &&
		       EVENT_RESEND == 31 && EVENT_REQUEST == 39 && EVENT_REQUEST_CLOSED == 43 &&
		       EVENT_BOUNCE == 44 && EVENT_ERASE == 48,
	"the numbers of events stand in SQL");
#define BOUNCED                                                                                              \
	"= 44 AND h.number <> 2" /* not BOUNCE_SOFT: what was only delayed comes to its end by itself */

#define CONTESTED                                                                                            \
	{OPEN_REQUEST_OF(":id"), "未処理の依頼（メール）があるため"},                                        \
		{"SELECT hold = 1 FROM application WHERE id = :id", "保留中のため"},                         \
		{"SELECT hold = 2 FROM application WHERE id = :id", "要確認のため"},                         \
		{"SELECT EXISTS (SELECT 1 FROM outbox WHERE application_id = :id AND state IN (1, 2, 4))",   \
			"送信待ち・送信結果不明の通知があるため"},                                           \
		{UNSETTLED(":id", "= 22"), "要確認のまま決着していないため"},                                \
		{UNSETTLED(":id", "= 28"), "届けられなかった通知が決着していないため"},                      \
	{                                                                                                    \
		UNSETTLED(":id", BOUNCED), "戻ってきた通知が決着していないため"             \
	}

static const struct objection against_survey[] = {
	{"SELECT " SQL_LIVE " AND stage >= 0 FROM application WHERE id = :id", "手続きの途中のため"},
	CONTESTED,
	{0},
};

#define LIVING                                                                                               \
	{"SELECT " SQL_LIVE " FROM application WHERE id = :id", "有効な宣言のため"},                         \
	{                                                                                                    \
		"SELECT EXISTS (SELECT 1 FROM application s WHERE s.linked_id = :id AND s.linked_id IS NOT"  \
		" NULL AND s." SQL_LIVE ")",                                                                 \
			"ステップアップ後の宣言が有効なため"                                \
	}

static const struct objection against_ended[] = {LIVING, CONTESTED, {0}};

static const struct objection against_mail[] = {
	{"SELECT state IN (1, 2) FROM message WHERE id = :id", "まだ振り分けが終わっていないため"},
	{"SELECT EXISTS (SELECT 1 FROM request r WHERE r.message_id = :id AND r." SQL_OPEN ")",
		"未処理の依頼のため"},
	{"SELECT EXISTS (SELECT 1 FROM request q JOIN request r ON r.application_id = q.application_id"
	 " WHERE q.message_id = :id AND q.application_id IS NOT NULL AND r." SQL_OPEN ")",
		"同じ申込みに未処理の依頼があるため"},
	{UNSETTLED("(SELECT o.application_id FROM bounce b JOIN outbox o ON o.id = b.notice_id"
		   " WHERE b.message_id = :id)",
		 BOUNCED),
		"戻ってきた通知が決着していないため"},
	{0},
};

static const struct objection against_file[] = {
	{"SELECT state <> 2 FROM file WHERE id = :id", "処理が終わっていないため"},
	{"SELECT NOT EXISTS (SELECT 1 FROM recount WHERE file_id = :id)", "夕方の照合がまだのため"},
	{"SELECT EXISTS (SELECT 1 FROM application a WHERE a.file_id = :id AND a.file_id IS NOT NULL"
	 " AND a." SQL_LIVE ")",
		"有効な申込みの行があるため"},
	{"SELECT EXISTS (SELECT 1 FROM application a JOIN request r ON r.application_id = a.id"
	 " WHERE a.file_id = :id AND a.file_id IS NOT NULL AND r." SQL_OPEN ")",
		"未処理の依頼（メール）がある行を含むため"},
	{0},
};

static const struct objection against_public[] = {
	{OPEN_REQUEST_OF(":id"), "未処理の依頼（メール）があるため"},
	{"SELECT hold = 2 AND " SQL_LIVE " FROM application WHERE id = :id", "要確認のため"},
	{0},
};

/* Who would settle one that was given up? It belongs to nobody. */
static const struct objection against_stray[] = {
	{"SELECT state IN (1, 2) OR (state = 4 AND next_try_at IS NOT NULL) FROM outbox WHERE id = :id",
		"まだ送り終わっていないため"},
	{0},
};

static const struct objection *const objections[RETAINED_COUNT] = {
	[RETAINED_SURVEY] = against_survey,
	[RETAINED_MAIL] = against_mail,
	[RETAINED_LETTER] = against_ended,
	[RETAINED_ENDED] = against_ended,
	[RETAINED_FILE] = against_file,
	[RETAINED_REFUSED] = against_file,
	[RETAINED_PUBLIC] = against_public,
	[RETAINED_STRAY] = against_stray,
};

static enum rc find_objection(struct store *store, struct retained_item *item, struct err *err)
{
	item->kept_because = NULL;
	for (const struct objection *at = objections[item->kind]; at->sql && !item->kept_because; at++) {
		int64_t yes = 0;
		enum rc rc = ask(store, at->sql, item->id, &yes, err);
		if (rc != RC_OK)
			return rc;
		if (yes)
			item->kept_because = at->why_ja;
	}
	return RC_OK;
}

/* ---- what is past its time ---- */

/* Closed intervals of the public list have their own index; everything else is entered in retained. */
static sqlite3_stmt *past_statement(struct store *store, enum retained kind, struct err *err)
{
	if (kind == RETAINED_PUBLIC)
		return sql_ready(store,
			"SELECT application_id, until, '' FROM published WHERE payload IS NOT NULL"
			" AND until < :before AND :kind > 0 AND (until, application_id) > (:since, :id)"
			" ORDER BY until, application_id LIMIT :limit",
			err);
	return sql_ready(store,
		"SELECT r.id, r.since, CASE WHEN r.kind IN (5, 6) THEN"
		" (SELECT archive FROM file WHERE file.id = r.id) END FROM retained r"
		" WHERE r.kind = :kind AND r.since < :before AND (r.since, r.id) > (:since, :id)"
		" ORDER BY r.since, r.id LIMIT :limit",
		err);
}

static enum rc read_past(struct store *store, enum retained kind, utc_time before,
	const struct retained_item *after, int limit, struct retained_item *out, int *count,
	struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = past_statement(store, kind, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":kind", kind);
	sql_int(stmt, ":before", before);
	sql_int(stmt, ":since", after ? after->since : INT64_MIN);
	sql_int(stmt, ":id", after ? after->id : 0);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		out[(*count)++] = (struct retained_item){
			.kind = kind,
			.id = sqlite3_column_int64(stmt, 0),
			.since = sqlite3_column_int64(stmt, 1),
			.path = column_text(stmt, 2, pool),
		};
	return rc;
}

enum rc retained_each(struct store *store, enum retained kind, utc_time before,
	const struct retained_item *after, int limit, retained_fn *fn, void *ctx, struct err *err)
{
	struct retained_item *item = xcalloc(BATCH, sizeof *item), last;
	struct pool *pool = pool_new();
	enum rc rc = RC_OK;
	int count = BATCH;
	if (kind <= 0 || kind >= RETAINED_COUNT)
		die("there is no kind %d of data with a span", (int)kind);
	while (rc == RC_OK && count == BATCH && limit > 0) {
		pool_reset(pool);
		int want = limit < BATCH ? limit : BATCH;
		rc = read_past(store, kind, before, after, want, item, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			rc = find_objection(store, &item[i], err);
			if (rc == RC_OK)
				rc = fn(ctx, &item[i], err);
		}
		limit -= count;
		if (count > 0) {
			last = item[count - 1];
			after = &last;
		}
	}
	pool_free(&pool);
	free(item);
	return rc;
}

/* ---- tables that hold personal data ---- */

/* One table of what an erasure covers: how many rows there are, and the statement that takes them. Both know :id. */
struct wipe {
	const char *count, *sql;
	size_t counter; /* in struct erasure; NOT_COUNTED: goes with what is counted beside it */
};
#define NOT_COUNTED SIZE_MAX
#define WIPE(table, where, member)                                                                           \
	{                                                                                                    \
		"SELECT count(*) FROM " table " WHERE " where, "DELETE FROM " table " WHERE " where,         \
			offsetof(struct erasure, member)                                                     \
	}
#define ALSO(sql)                                                                                            \
	{                                                                                                    \
		NULL, sql, NOT_COUNTED                                                                       \
	}

#define NOTICES "(SELECT id FROM outbox WHERE application_id = :id)"
#define REQUESTS "(SELECT id FROM request WHERE application_id = :id AND application_id IS NOT NULL)"
#define NO_DIGEST "zeroblob(16)"

#define LETTERS(which)                                                                                       \
	WIPE("letter", "notice_id " which, letters), ALSO("DELETE FROM delivery WHERE notice_id " which),    \
		ALSO("DELETE FROM letter_signature WHERE notice_id " which),                                 \
		ALSO("DELETE FROM message_id WHERE notice_id " which),                                       \
		ALSO("DELETE FROM copy WHERE notice_id " which)

static const struct wipe letters[] = {LETTERS("IN " NOTICES), {0}};

static const struct wipe stray[] = {
	LETTERS("= :id"),
	ALSO("DELETE FROM answer WHERE notice_id = :id"),
	ALSO("UPDATE bounce SET mail = " NO_DIGEST " WHERE notice_id = :id AND notice_id IS NOT NULL"),
	ALSO("DELETE FROM retained WHERE kind = 8 AND id = :id"),
	{0},
};

/* Its addresses, today's and those before; the digest of one that another application has is kept. */
#define ADDRESSES_ALONE                                                                                      \
	"(SELECT e.mail FROM (SELECT mail FROM application WHERE id = :id AND mail IS NOT NULL UNION"        \
	" SELECT mail FROM earlier_mail WHERE application_id = :id) e WHERE NOT EXISTS"                      \
	" (SELECT 1 FROM application o WHERE o.mail = e.mail AND o.mail IS NOT NULL AND o.id <> :id))"

/* The file it came in, others with a row about it, and whatever has the same bytes. */
#define FILES_ABOUT                                                                                          \
	"(SELECT c.id FROM file c WHERE c.digest IN (SELECT s.digest FROM file s WHERE s.id IN"              \
	" (SELECT file_id FROM application WHERE id = :id UNION"                                             \
	" SELECT file_id FROM file_about WHERE application_id = :id)))"
#define ARCHIVED_ABOUT                                                                                       \
	"f.id IN " FILES_ABOUT                                                                               \
	" AND f.archive <> '' AND NOT EXISTS (SELECT 1 FROM scrub s WHERE s.file_id = f.id)"

static const struct wipe form[] = {
	WIPE("application_payload", "application_id = :id", forms),
	WIPE("history_payload",
		/* But who had it erased, and why: that is what the office answers for. */
		"seq IN (SELECT seq FROM history WHERE application_id = :id AND application_id > 0"
		" AND event <> 48)",
		history),
	{"SELECT count(*) FROM file f WHERE " ARCHIVED_ABOUT,
		"DELETE FROM retained WHERE kind IN (5, 6) AND id IN " FILES_ABOUT,
		offsetof(struct erasure, files)},
	ALSO("DELETE FROM identity WHERE application_id = :id"),
	ALSO("DELETE FROM file_row WHERE application_id = :id AND application_id > 0"),
	ALSO("DELETE FROM token WHERE (purpose = 3 AND subject_id = :id)"
	     " OR (purpose IN (1, 2) AND subject_id IN " REQUESTS ")"),
	ALSO("UPDATE bounce SET mail = " NO_DIGEST " WHERE notice_id IN " NOTICES
	     " AND notice_id IS NOT NULL"),
	ALSO("DELETE FROM answer WHERE mail IN " ADDRESSES_ALONE),
	ALSO("DELETE FROM suppression WHERE mail IN " ADDRESSES_ALONE),
	ALSO("DELETE FROM address_score WHERE mail IN " ADDRESSES_ALONE),
	ALSO("DELETE FROM earlier_mail WHERE application_id = :id"),
	/* They go whole: see scrub_next(). What else came in them has its values in the register. */
	ALSO("INSERT INTO scrub (file_id, message_id) SELECT f.id, 0 FROM file f WHERE " ARCHIVED_ABOUT
	     " ON CONFLICT DO NOTHING"),
	ALSO("UPDATE file SET name = '" ERASED_NAME "' WHERE id IN " FILES_ABOUT),
	ALSO("DELETE FROM file_about WHERE application_id = :id"),
	ALSO("UPDATE application SET key = NULL, mail = NULL WHERE id = :id"),
	ALSO("DELETE FROM retained WHERE kind IN (1, 4) AND id = :id"),
	{0},
};

static const struct wipe mail[] = {
	/* What was noted of a request before it was identified, or where it never was, stands under no application. */
	WIPE("history_payload",
		"seq IN (SELECT seq FROM history WHERE " SQL_OF_REQUEST
		" AND ref IN (SELECT id FROM request WHERE message_id = :id))",
		history),
	WIPE("message_payload", "message_id = :id", mails),
	WIPE("request_payload", "request_id IN (SELECT id FROM request WHERE message_id = :id)", requests),
	ALSO("DELETE FROM reading_payload WHERE message_id = :id"),
	ALSO("DELETE FROM token WHERE purpose IN (1, 2) AND subject_id IN"
	     " (SELECT id FROM request WHERE message_id = :id)"),
	ALSO("UPDATE bounce SET mail = " NO_DIGEST " WHERE message_id = :id"),
	ALSO("INSERT INTO scrub (file_id, message_id) VALUES (0, :id) ON CONFLICT DO NOTHING"),
	ALSO("DELETE FROM retained WHERE kind = 2 AND id = :id"),
	{0},
};

static const struct wipe archive[] = {
	{"SELECT count(*) FROM file WHERE id = :id AND archive <> ''",
		"UPDATE file SET name = '" ERASED_NAME "' WHERE id = :id", offsetof(struct erasure, files)},
	ALSO("DELETE FROM file_row WHERE file_id = :id"),
	ALSO("INSERT INTO scrub (file_id, message_id) VALUES (:id, 0) ON CONFLICT DO NOTHING"),
	ALSO("DELETE FROM retained WHERE kind IN (5, 6) AND id = :id"),
	{0},
};

static enum rc wipe_rows(struct store *store, const struct wipe *what, int64_t id, bool preview,
	struct erasure *out, struct err *err)
{
	enum rc rc = RC_OK;
	for (; rc == RC_OK && what->sql; what++) {
		int64_t rows = 0;
		if (what->count)
			rc = ask(store, what->count, id, &rows, err);
		if (rc == RC_OK && what->counter != NOT_COUNTED)
			*(int64_t *)((char *)out + what->counter) += rows;
		if (rc == RC_OK && !preview)
			rc = change(store, what->sql, id, err);
	}
	return rc;
}

/* ---- the survey ---- */

/*
 * The history chains a digest of the whole form under its salt. Taking the answers out changes the digest, so the caller adds a row that chains the new one, as a
 * correction does. The salt changes too, and the unsalted digest of the row goes: answers are picked from a short list, and with the old salt, the
 * old digest and the other values anybody could try them all.
 */
static enum rc drop_survey(
	struct store *store, int64_t id, bool preview, struct erasure *out, struct err *err)
{
	struct application app;
	struct pool *pool = pool_new();
	struct str packed = STR_INIT;
	sqlite3_stmt *stmt = NULL;
	enum rc rc = application_get(store, id, &app, pool, err);
	bool there = rc == RC_OK && app.form.value[FIELD_SURVEY] && *app.form.value[FIELD_SURVEY];
	out->forms += there;
	if (rc == RC_OK && !preview)
		rc = retained_leave(store, RETAINED_SURVEY, id, err);
	if (rc == RC_OK && there && !preview) {
		uint8_t salt[SALT_LEN];
		app.form.value[FIELD_SURVEY] = NULL;
		form_pack(store, &packed, &app.form);
		store_salt(store, salt, "form without survey", id);
		stmt = sql_ready(store,
			"UPDATE application_payload SET form = :form, salt = :salt, row_digest = NULL"
			" WHERE application_id = :id",
			err);
		rc = stmt ? RC_OK : err->rc;
		if (stmt) {
			sql_int(stmt, ":id", id);
			sql_blob(stmt, ":form", packed.s, packed.len);
			sql_blob(stmt, ":salt", salt, sizeof salt);
			rc = sql_run(store, stmt, err);
		}
	}
	str_free(&packed);
	pool_free(&pool);
	return rc;
}

/* ---- the public list ---- */

static enum rc drop_public(struct store *store, int64_t application_id, utc_time until, bool preview,
	struct erasure *out, struct err *err)
{
#define INTERVALS " WHERE application_id = :id AND until > 0 AND until <= :until AND payload IS NOT NULL"
	int64_t rows = 0;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT count(*) FROM published" INTERVALS, err);
	for (int change_it = 0; stmt && change_it <= 1; change_it++) {
		sql_int(stmt, ":id", application_id);
		sql_int(stmt, ":until", until);
		enum rc rc = change_it ? sql_run(store, stmt, err) : sql_number(store, stmt, 0, &rows, err);
		if (rc != RC_OK || preview || change_it) {
			out->published += rows;
			return rc;
		}
		stmt = sql_ready(store, "UPDATE published SET payload = NULL" INTERVALS, err);
	}
	return err->rc;
}

/* ---- erasing ---- */

/* The log is to be emptied once this is committed. */
static enum rc begin_erasing(struct store *store, bool preview, struct erasure *out, struct err *err)
{
	int64_t seq;
	uint8_t hash[SHA256_LEN];
	char text[24];
	*out = (struct erasure){0};
	if (preview)
		return RC_OK;
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = history_head(store, &seq, hash, err);
	if (rc != RC_OK)
		return rc;
	(void)sqlite3_snprintf(sizeof text, text, "%lld", (long long)seq);
	return fact_set(store, FACT_ERASED, text, err);
}

enum rc retained_erase(struct store *store, const struct retained_item *item, bool preview,
	struct erasure *out, struct err *err)
{
	enum rc rc = begin_erasing(store, preview, out, err);
	if (rc != RC_OK)
		return rc;
	switch (item->kind) {
	case RETAINED_SURVEY:
		return drop_survey(store, item->id, preview, out, err);
	case RETAINED_MAIL:
		return wipe_rows(store, mail, item->id, preview, out, err);
	case RETAINED_LETTER:
		rc = wipe_rows(store, letters, item->id, preview, out, err);
		return rc == RC_OK && !preview ? retained_leave(store, RETAINED_LETTER, item->id, err) : rc;
	case RETAINED_ENDED:
		rc = wipe_rows(store, form, item->id, preview, out, err);
		return rc == RC_OK ? search_forget(store, item->id, preview, &out->search, err) : rc;
	case RETAINED_FILE:
	case RETAINED_REFUSED:
		return wipe_rows(store, archive, item->id, preview, out, err);
	case RETAINED_PUBLIC:
		return drop_public(store, item->id, item->since, preview, out, err);
	case RETAINED_STRAY:
		return wipe_rows(store, stray, item->id, preview, out, err);
	case RETAINED_COUNT:
		break;
	}
	die("there is no kind %d of data with a span", (int)item->kind);
}

/* A mail that speaks of somebody else's application too is that one's as well, and stays until its own time is over. */
#define MAILS_ABOUT                                                                                          \
	"WITH about (id) AS ("                                                                               \
	"SELECT message_id FROM request WHERE application_id = :id AND application_id IS NOT NULL UNION "    \
	"SELECT message_id FROM bounce WHERE notice_id IN " NOTICES " AND notice_id IS NOT NULL)"            \
	" SELECT DISTINCT m.id FROM about JOIN message f ON f.id = about.id JOIN message m ON m.digest ="    \
	" f.digest WHERE NOT EXISTS (SELECT 1 FROM request r WHERE r.message_id = m.id"                      \
	" AND r.application_id <> :id AND EXISTS (SELECT 1 FROM application_payload p WHERE"                 \
	" p.application_id = r.application_id)) ORDER BY m.id"

static enum rc each_mail(struct store *store, const char *literal, int64_t id, erased_message_fn *fn,
	void *ctx, struct err *err)
{
	struct ids mails;
	enum rc rc = collect(store, literal, id, &mails, err);
	for (size_t i = 0; rc == RC_OK && i < mails.count; i++)
		rc = fn(ctx, mails.id[i], err);
	free(mails.id);
	return rc;
}

enum rc application_mails(
	struct store *store, int64_t application_id, erased_message_fn *fn, void *ctx, struct err *err)
{
	return each_mail(store, MAILS_ABOUT, application_id, fn, ctx, err);
}

enum rc message_copies(
	struct store *store, int64_t message_id, erased_message_fn *fn, void *ctx, struct err *err)
{
	return each_mail(store,
		"SELECT m.id FROM message f JOIN message m ON m.digest = f.digest WHERE f.id = :id ORDER BY "
		"m.id",
		message_id, fn, ctx, err);
}

enum rc application_files(
	struct store *store, int64_t application_id, file_fn *fn, void *ctx, struct err *err)
{
	struct ids files;
	struct spool_file file;
	struct pool *pool = pool_new();
	enum rc rc = collect(store, "SELECT f.id FROM file f WHERE " ARCHIVED_ABOUT " ORDER BY f.id",
		application_id, &files, err);
	for (size_t i = 0; rc == RC_OK && i < files.count; i++) {
		rc = file_get(store, files.id[i], &file, pool, err);
		if (rc == RC_OK)
			rc = fn(ctx, &file, err);
	}
	free(files.id);
	pool_free(&pool);
	return rc;
}

struct mail_wipe {
	struct store *store;
	bool preview;
	struct erasure *out;
};

static enum rc wipe_one_mail(void *ctx, int64_t message_id, struct err *err)
{
	struct mail_wipe *erasing = ctx;
	return wipe_rows(erasing->store, mail, message_id, erasing->preview, erasing->out, err);
}

enum rc application_erase(
	struct store *store, int64_t application_id, bool preview, struct erasure *out, struct err *err)
{
	struct mail_wipe mails = {store, preview, out};
	enum rc rc = begin_erasing(store, preview, out, err);
	/* Before the form: the mails are found by what leads from the application to them. */
	if (rc == RC_OK)
		rc = application_mails(store, application_id, wipe_one_mail, &mails, err);
	if (rc == RC_OK)
		rc = wipe_rows(store, letters, application_id, preview, out, err);
	if (rc == RC_OK)
		rc = wipe_rows(store, form, application_id, preview, out, err);
	if (rc == RC_OK)
		rc = search_forget(store, application_id, preview, &out->search, err);
	if (rc == RC_OK)
		rc = drop_public(store, application_id, INT64_MAX, preview, out, err);
	return rc == RC_OK && !preview ? retained_leave(store, RETAINED_LETTER, application_id, err) : rc;
}

/* ---- what still lies on the disk ---- */

enum rc scrub_next(struct store *store, const struct scrub *after, struct scrub *out, bool *there,
	struct pool *pool, struct err *err)
{
	*there = false;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT s.file_id, s.message_id, f.archive FROM scrub s LEFT JOIN file f ON f.id = s.file_id"
		" WHERE (s.file_id, s.message_id) > (:file_id, :message_id)"
		" AND (s.file_id = 0 OR EXISTS (SELECT 1 FROM recount r WHERE r.file_id = s.file_id))"
		" ORDER BY s.file_id, s.message_id LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", after ? after->file_id : -1);
	sql_int(stmt, ":message_id", after ? after->message_id : 0);
	enum rc rc = sql_row(store, stmt, there, err);
	if (rc != RC_OK || !*there)
		return rc;
	*out = (struct scrub){
		.file_id = sqlite3_column_int64(stmt, 0),
		.message_id = sqlite3_column_int64(stmt, 1),
		.path = column_text(stmt, 2, pool),
	};
	sql_done(stmt);
	return RC_OK;
}

enum rc scrub_done(struct store *store, const struct scrub *scrub, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "DELETE FROM scrub WHERE file_id = :file_id AND message_id = :message_id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":file_id", scrub->file_id);
	sql_int(stmt, ":message_id", scrub->message_id);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && scrub->file_id)
		rc = change(store, "UPDATE file SET archive = '' WHERE id = :id", scrub->file_id, err);
	return rc;
}

enum rc file_is_archive(struct store *store, const char *path, bool *yes, struct err *err)
{
	int64_t found = 0;
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT EXISTS (SELECT 1 FROM file WHERE archive = :path AND archive <> '')", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":path", path);
	enum rc rc = sql_number(store, stmt, 0, &found, err);
	*yes = found != 0;
	return rc;
}

enum rc store_scrub_log(struct store *store, bool *done, struct err *err)
{
	struct str noted = STR_INIT, now = STR_INIT;
	*done = true;
	if (store->in_transaction)
		die("the log of the register was to be emptied within a transaction");
	enum rc rc = fact_get(store, FACT_ERASED, &noted, err);
	if (rc == RC_OK && noted.len > 0) {
		rc = sql_checkpoint(store, done, err);
		if (rc == RC_OK && *done)
			rc = store_begin(store, err);
		if (rc == RC_OK && *done) {
			/* What somebody erased meanwhile is in the new log. */
			rc = fact_get(store, FACT_ERASED, &now, err);
			*done = rc == RC_OK && strcmp(noted.s, now.s) == 0;
			if (*done)
				rc = fact_set(store, FACT_ERASED, NULL, err);
			rc = rc == RC_OK ? store_commit(store, err) : rc;
			store_rollback(store);
		}
	}
	str_free(&noted);
	str_free(&now);
	return rc;
}
