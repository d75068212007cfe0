/*
 * store_daily.c - how much of what happened on which day
 *
 * Reckoned from the history, which is append-only: fact daily.seq says how far. Rows behind it are few while the daemon runs, so readers add them by themselves.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

#define FACT_SEQ "daily.seq"
#define TAIL_MAX                                                                                             \
	20000 /* rows a reader adds by itself; more are there only after an upgrade, until the daemon has counted them */

const char *daily_name(enum daily kind)
{
	static const char *const name[DAILY_COUNT] = {
		[DAILY_FILES] = "files",
		[DAILY_APPLICATIONS] = "applications",
		[DAILY_REFUSED] = "refused",
		[DAILY_QUEUED] = "queued",
		[DAILY_SENT] = "sent",
		[DAILY_FAILED] = "failed",
		[DAILY_MAILS] = "mails",
		[DAILY_BOUNCES] = "bounces",
		[DAILY_IDS] = "ids",
		[DAILY_LOGOS] = "logos",
		[DAILY_STOPS] = "stops",
		[DAILY_REVIEWS] = "reviews",
	};
	return kind > 0 && kind < DAILY_COUNT ? name[kind] : "";
}

/* 0: the event is not counted. */
static enum daily kind_of(int event)
{
	static const enum daily kind[EVENT_COUNT] = {
		[EVENT_FILE] = DAILY_FILES,
		[EVENT_APPLY] = DAILY_APPLICATIONS,
		[EVENT_APPLY_UNCONFIRMED] = DAILY_APPLICATIONS,
		[EVENT_REFUSED_ROW] = DAILY_REFUSED,
		[EVENT_QUEUE] = DAILY_QUEUED,
		[EVENT_RESEND] = DAILY_QUEUED,
		[EVENT_SENT] = DAILY_SENT,
		[EVENT_FAILED] = DAILY_FAILED,
		[EVENT_REQUEST] = DAILY_MAILS,
		[EVENT_BOUNCE] = DAILY_BOUNCES,
		[EVENT_ISSUE_ID] = DAILY_IDS,
		[EVENT_AUTHORIZE_LOGO] = DAILY_LOGOS,
		[EVENT_STOP] = DAILY_STOPS,
		[EVENT_REVIEW] = DAILY_REVIEWS,
		[EVENT_REQUEST_REVIEW] = DAILY_REVIEWS,
	};
	return event > 0 && event < EVENT_COUNT ? kind[event] : (enum daily)0;
}

/* ---- counting rows of the history ---- */

/* What is counted: a day at a time, since rows come in the order of time but for a clock that was set. */
struct counting {
	civil_day day;
	int64_t number[DAILY_COUNT];
	utc_time last[DAILY_COUNT];
	utc_time day_begins, day_ends; /* of `day`, so that not every row costs a look into the calendar */
};
typedef enum rc day_fn(void *ctx, const struct counting *counting, struct err *err);

static void turn_to(struct counting *counting, utc_time at)
{
	civil_day day = civil_day_of(at);
	*counting = (struct counting){
		.day = day, .day_begins = civil_moment(day, 0), .day_ends = civil_moment(day + 1, 0)};
}

static enum rc seq_counted(struct store *store, int64_t *seq, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(store, FACT_SEQ, &value, err);
	*seq = value.len ? strtoll(value.s, NULL, 10) : 0;
	str_free(&value);
	return rc;
}

struct counted_row {
	utc_time at;
	enum daily kind;
};

/* Up to `limit` rows behind *seq; *seq and *count go on, and only those that count are in rows. */
static enum rc read_rows(struct store *store, int64_t *seq, int limit, struct counted_row *rows, int *count,
	int *seen, struct err *err)
{
	*count = *seen = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT seq, at, event FROM history WHERE seq > :after ORDER BY seq LIMIT :limit", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", *seq);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		enum daily kind = kind_of(sqlite3_column_int(stmt, 2));
		*seq = sqlite3_column_int64(stmt, 0);
		++*seen;
		if (kind)
			rows[(*count)++] =
				(struct counted_row){.at = sqlite3_column_int64(stmt, 1), .kind = kind};
	}
	return rc;
}

/* Counts up to `limit` rows behind *seq, handing out each day that is done with. */
static enum rc count_rows(
	struct store *store, int64_t *seq, int limit, bool *more, day_fn *fn, void *ctx, struct err *err)
{
	struct counted_row *rows = xcalloc(BATCH, sizeof *rows);
	struct counting counting = {0};
	enum rc rc = RC_OK;
	int seen = BATCH;
	for (int done = 0; rc == RC_OK && done < limit && seen == BATCH; done += seen) {
		int count;
		rc = read_rows(store, seq, BATCH, rows, &count, &seen, err);
		for (int i = 0; rc == RC_OK && i < count; i++) {
			if (rows[i].at < counting.day_begins || rows[i].at >= counting.day_ends) {
				if (counting.day_ends)
					rc = fn(ctx, &counting, err);
				turn_to(&counting, rows[i].at);
			}
			counting.number[rows[i].kind]++;
			if (rows[i].at > counting.last[rows[i].kind])
				counting.last[rows[i].kind] = rows[i].at;
		}
	}
	if (rc == RC_OK && counting.day_ends)
		rc = fn(ctx, &counting, err);
	*more = seen == BATCH;
	free(rows);
	return rc;
}

static enum rc add_day(void *ctx, const struct counting *counting, struct err *err)
{
	struct store *store = ctx;
	for (int kind = 1; kind < DAILY_COUNT; kind++) {
		if (counting->number[kind] == 0)
			continue;
		sqlite3_stmt *stmt = sql_ready(store,
			"INSERT INTO daily (day, kind, number, last_at) VALUES (:day, :kind, :number, :last)"
			" ON CONFLICT (day, kind) DO UPDATE SET number = number + excluded.number,"
			" last_at = max(last_at, excluded.last_at)",
			err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":day", counting->day);
		sql_int(stmt, ":kind", kind);
		sql_int(stmt, ":number", counting->number[kind]);
		sql_int(stmt, ":last", counting->last[kind]);
		enum rc rc = sql_run(store, stmt, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc daily_update(struct store *store, int limit, bool *more, struct err *err)
{
	int64_t seq = 0, before;
	*more = false;
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = seq_counted(store, &seq, err);
	before = seq;
	if (rc == RC_OK)
		rc = count_rows(store, &seq, limit, more, add_day, store, err);
	if (rc != RC_OK || seq == before)
		return rc;
	char text[32];
	(void)snprintf(text, sizeof text, "%" PRId64, seq);
	return fact_set(store, FACT_SEQ, text, err);
}

/* ---- reading ---- */

struct daily_out {
	civil_day from, until;
	int64_t (*count)[DAILY_COUNT]; /* NULL: not wanted */
	utc_time *last; /* likewise */
	int64_t *sum; /* likewise; over all days */
};

static void take(struct daily_out *out, civil_day day, int kind, int64_t number, utc_time last)
{
	if (out->count && day >= out->from && day <= out->until)
		out->count[day - out->from][kind] += number;
	if (out->sum)
		out->sum[kind] += number;
	if (out->last && last > out->last[kind])
		out->last[kind] = last;
}

static enum rc take_day(void *ctx, const struct counting *counting, struct err *err)
{
	(void)err;
	for (int kind = 1; kind < DAILY_COUNT; kind++)
		if (counting->number[kind])
			take(ctx, counting->day, kind, counting->number[kind], counting->last[kind]);
	return RC_OK;
}

/* The rows that are not counted yet, as far as a reader may wait for them. */
static enum rc add_tail(struct store *store, struct daily_out *out, struct err *err)
{
	int64_t seq;
	bool more;
	enum rc rc = seq_counted(store, &seq, err);
	return rc == RC_OK ? count_rows(store, &seq, TAIL_MAX, &more, take_day, out, err) : rc;
}

/* Takes the rows a statement gives: day, kind, number, last_at. */
static enum rc read_daily(struct store *store, sqlite3_stmt *stmt, struct daily_out *out, struct err *err)
{
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		int kind = sqlite3_column_int(stmt, 1);
		if (kind > 0 && kind < DAILY_COUNT)
			take(out, sqlite3_column_int(stmt, 0), kind, sqlite3_column_int64(stmt, 2),
				sqlite3_column_int64(stmt, 3));
	}
	return rc;
}

/* Counts and what is not counted yet must be of the same moment. */
static enum rc within_moment(struct store *store, sqlite3_stmt *stmt, struct daily_out *out, struct err *err)
{
	enum rc rc = read_daily(store, stmt, out, err);
	return rc == RC_OK ? add_tail(store, out, err) : rc;
}

enum rc daily_get(
	struct store *store, civil_day from, civil_day until, int64_t (*count)[DAILY_COUNT], struct err *err)
{
	struct daily_out out = {.from = from, .until = until, .count = count};
	memset(count, 0, (size_t)(until - from + 1) * sizeof *count);
	bool own = sqlite3_get_autocommit(store->db);
	enum rc rc = own ? sql_exec(store, "BEGIN", err) : RC_OK;
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT day, kind, number, last_at FROM daily WHERE day BETWEEN :from AND :until", err);
	if (stmt) {
		sql_int(stmt, ":from", from);
		sql_int(stmt, ":until", until);
		rc = within_moment(store, stmt, &out, err);
	} else {
		rc = err->rc;
	}
	if (own)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* What a statement over all days gives, with the rows that are not counted yet. */
static enum rc over_all_days(struct store *store, const char *sql, struct daily_out *out, struct err *err)
{
	bool own = sqlite3_get_autocommit(store->db);
	enum rc rc = own ? sql_exec(store, "BEGIN", err) : RC_OK;
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, sql, err);
	rc = stmt ? within_moment(store, stmt, out, err) : err->rc;
	if (own)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

enum rc daily_last(struct store *store, utc_time at[DAILY_COUNT], struct err *err)
{
	struct daily_out out = {.last = at};
	memset(at, 0, DAILY_COUNT * sizeof *at);
	return over_all_days(store, "SELECT 0, kind, 0, max(last_at) FROM daily GROUP BY kind", &out, err);
}

enum rc daily_sum(struct store *store, int64_t sum[DAILY_COUNT], struct err *err)
{
	struct daily_out out = {.sum = sum};
	memset(sum, 0, DAILY_COUNT * sizeof *sum);
	return over_all_days(store, "SELECT 0, kind, sum(number), 0 FROM daily GROUP BY kind", &out, err);
}
