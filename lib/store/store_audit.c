#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/* What the history says of one application: its state, and the beginning of the digest of its form as last recorded. */
struct told {
	uint8_t state; /* enum state */
	uint8_t form[7]; /* zeros: never recorded */
};

struct auditing {
	struct store *store;
	struct audit *out;
	const uint8_t *head; /* looked for; NULL: none */
	struct told *told; /* by application id */
	uint8_t *sent; /* a bit for each notice that has a row of its sending */
	uint8_t *
		request; /* what was told of each request: REQUEST_CAME, or the enum request_state it ended in */
	int64_t applications, notices, requests; /* highest ids */
	int64_t rows; /* of the history */
};

#define PROGRESS_ROWS 4096
#define REQUEST_CAME 0x80 /* no enum request_state */

static void note(struct audit *out, int64_t seq, int64_t about, const char *fault)
{
	if (out->fault)
		return;
	out->bad_seq = seq;
	out->about = about;
	out->fault = fault;
}

/* ---- the chain ---- */

/* The row and what lies beside it; a fault is noted. */
static void read_chain_row(struct auditing *auditing, sqlite3_stmt *stmt, struct chain_row *row)
{
	*row = (struct chain_row){
		.seq = sqlite3_column_int64(stmt, 0),
		.at = sqlite3_column_int64(stmt, 1),
		.application_id = sqlite3_column_int64(stmt, 2),
		.event = sqlite3_column_int64(stmt, 3),
		.from = sqlite3_column_int64(stmt, 4),
		.to = sqlite3_column_int64(stmt, 5),
		.ref = sqlite3_column_int64(stmt, 6),
		.number = sqlite3_column_int64(stmt, 7),
		.actor = sqlite3_column_int64(stmt, 8),
	};
	bool has_payload = column_digest(stmt, 9, row->payload, SHA256_LEN);
	(void)column_digest(stmt, 10, row->form, SHA256_LEN);
	uint8_t salt[SALT_LEN], digest[SHA256_LEN];
	if (!column_digest(stmt, 12, salt, sizeof salt)) {
		auditing->out->erased += has_payload;
		return;
	}
	const char *actor = (const char *)sqlite3_column_text(stmt, 13);
	const char *words = (const char *)sqlite3_column_text(stmt, 14);
	payload_digest(digest, salt, actor ? actor : "", words ? words : "");
	if (!has_payload || memcmp(digest, row->payload, sizeof digest) != 0)
		note(auditing->out, row->seq, row->application_id,
			"who did it, or why, is not what was recorded");
}

static void follow(struct auditing *auditing, const struct chain_row *row)
{
	if (row->application_id > auditing->applications || row->application_id < 0)
		note(auditing->out, row->seq, row->application_id,
			"the row speaks of an application that is not on file");
	else if (row->application_id > 0) {
		struct told *told = &auditing->told[row->application_id];
		static const uint8_t none[SHA256_LEN];
		if (memcmp(row->form, none, sizeof none) != 0)
			memcpy(told->form, row->form, sizeof told->form);
		if (row->event < EVENT_HOLD) { /* events that move the state */
			if (row->from != told->state)
				note(auditing->out, row->seq, row->application_id,
					"the row does not go on from the state the application had");
			told->state = (uint8_t)row->to;
		}
	}
	if (row->event == EVENT_SENT && row->ref > 0 && row->ref <= auditing->notices)
		auditing->sent[row->ref / 8] |= (uint8_t)(1u << (row->ref % 8));
	bool request = row->ref > 0 && row->ref <= auditing->requests;
	if (request && row->event == EVENT_REQUEST)
		auditing->request[row->ref] = REQUEST_CAME;
	else if (request && row->event == EVENT_REQUEST_CLOSED)
		auditing->request[row->ref] = (uint8_t)row->number;
}

static enum rc audit_chain(struct auditing *auditing, struct err *err)
{
	struct audit *out = auditing->out;
	sqlite3_stmt *stmt = sql_ready(auditing->store,
		"SELECT h.seq, h.at, h.application_id, h.event, h.from_state, h.to_state, h.ref, h.number,"
		" h.actor, h.payload, h.form, h.hash, p.salt, p.actor, p.note FROM history h LEFT JOIN"
		" history_payload p ON p.seq = h.seq ORDER BY h.seq",
		err);
	if (!stmt)
		return err->rc;
	int64_t last = 0;
	bool more;
	enum rc rc;
	while ((rc = sql_row(auditing->store, stmt, &more, err)) == RC_OK && more) {
		struct chain_row row;
		uint8_t hash[SHA256_LEN], stored[SHA256_LEN];
		read_chain_row(auditing, stmt, &row);
		if (row.seq != last + 1)
			note(out, row.seq, row.application_id, "a row before this one is missing");
		chain_hash(hash, out->head, &row);
		if (!column_digest(stmt, 11, stored, sizeof stored) || memcmp(hash, stored, sizeof hash) != 0)
			note(out, row.seq, row.application_id, "the row was altered: its hash does not fit");
		if (auditing->head && memcmp(hash, auditing->head, sizeof hash) == 0)
			out->head_found = true;
		follow(auditing, &row);
		/* Going on from the recomputed hash, so that a head noted earlier is found only on a chain that is whole so far. */
		memcpy(out->head, hash, sizeof hash);
		last = row.seq;
		out->rows++;
		if (auditing->store->progress && out->rows % PROGRESS_ROWS == 0)
			auditing->store->progress(auditing->store->progress_ctx, out->rows, auditing->rows);
	}
	return rc;
}

/* ---- what is on file against what the history says ---- */

static void audit_application(struct auditing *auditing, sqlite3_stmt *stmt)
{
	int64_t id = sqlite3_column_int64(stmt, 0);
	const struct told *told = &auditing->told[id];
	static const uint8_t none[sizeof told->form];
	if (sqlite3_column_int64(stmt, 1) != told->state)
		note(auditing->out, 0, id, "an application's state is not what its history says");
	uint8_t salt[SALT_LEN], digest[SHA256_LEN];
	if (memcmp(told->form, none, sizeof none) == 0 || !column_digest(stmt, 2, salt, sizeof salt))
		return;
	const void *form = sqlite3_column_blob(stmt, 3);
	if (!form_digest(digest, salt, form, (size_t)sqlite3_column_bytes(stmt, 3)) ||
		memcmp(digest, told->form, sizeof told->form) != 0)
		note(auditing->out, 0, id, "an application's form is not what its history recorded");
}

static enum rc audit_applications(struct auditing *auditing, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(auditing->store,
		"SELECT a.id, a.state, p.salt, p.form FROM application a"
		" LEFT JOIN application_payload p ON p.application_id = a.id WHERE a.id > 0 ORDER BY a.id",
		err);
	if (!stmt)
		return err->rc;
	bool more;
	enum rc rc;
	while ((rc = sql_row(auditing->store, stmt, &more, err)) == RC_OK && more)
		audit_application(auditing, stmt);
	return rc;
}

static enum rc audit_notices(struct auditing *auditing, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(auditing->store,
		/* What belongs to no application has no row of its sending. */
		"SELECT id FROM outbox WHERE state = 3 AND id > 0 AND application_id IS NOT NULL ORDER BY id",
		err);
	if (!stmt)
		return err->rc;
	bool more;
	enum rc rc;
	while ((rc = sql_row(auditing->store, stmt, &more, err)) == RC_OK && more) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		if (!(auditing->sent[id / 8] >> (id % 8) & 1))
			note(auditing->out, 0, id,
				"a notice counts as sent, but the history has no row of its sending");
	}
	return rc;
}

static enum rc audit_requests(struct auditing *auditing, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(auditing->store,
		"SELECT id, state, state IN (1, 2, 3) FROM request WHERE id > 0 ORDER BY id", err);
	if (!stmt)
		return err->rc;
	bool more;
	enum rc rc;
	while ((rc = sql_row(auditing->store, stmt, &more, err)) == RC_OK && more) {
		int64_t id = sqlite3_column_int64(stmt, 0);
		int told = auditing->request[id];
		if (told == 0)
			note(auditing->out, 0, id, "a request has no row of its coming in the history");
		else if (sqlite3_column_int(stmt, 2) ? told != REQUEST_CAME
						     : told != sqlite3_column_int(stmt, 1))
			note(auditing->out, 0, id, "a request's state is not what its history says");
	}
	return rc;
}

/* Questions whose answer must be empty: the first column is what the fault speaks of. */
#define NO_APPLICATION(table)                                                                                \
	" WHERE " table ".application_id IS NOT NULL"                                                        \
	" AND NOT EXISTS (SELECT 1 FROM application a WHERE a.id = " table ".application_id)"
static const struct {
	const char *sql, *fault;
} must_be_empty[] = {
	{"SELECT id FROM outbox" NO_APPLICATION("outbox") " LIMIT 1",
		"a notice belongs to an application that is not on file"},
	{"SELECT number FROM number" NO_APPLICATION("number") " LIMIT 1",
		"a number belongs to an application that is not on file"},
	{"SELECT id FROM request" NO_APPLICATION("request") " LIMIT 1",
		"a request is about an application that is not on file"},
	{"SELECT id FROM request WHERE NOT EXISTS (SELECT 1 FROM message m WHERE m.id = message_id) LIMIT 1",
		"a request came with a mail that is not on file"},
	{"SELECT n.number FROM number n JOIN application a ON a.id = n.application_id"
	 " WHERE a.declaration_id IS NOT n.number AND a.user_number IS NOT n.number LIMIT 1",
		"a number that was drawn is not the one its application bears"},
	{"SELECT id FROM application WHERE declaration_id IS NOT NULL"
	 " AND NOT EXISTS (SELECT 1 FROM number n WHERE n.number = declaration_id) LIMIT 1",
		"an application bears a declaration ID that was never drawn or taken over"},
	{"SELECT id FROM application WHERE user_number IS NOT NULL"
	 " AND NOT EXISTS (SELECT 1 FROM number n WHERE n.number = user_number) LIMIT 1",
		"an application bears a user number that was never drawn or taken over"},
	{"SELECT what FROM (SELECT * FROM (SELECT 0 AS what, 0 AS state, 0 AS hold, 0 AS number WHERE 0"
	 " UNION ALL" SQL_STANDING ") EXCEPT SELECT * FROM standing) LIMIT 1",
		"the numbers kept for a quick look are not those of what is on file"},
	{"SELECT u.application_id FROM published u LEFT JOIN application a ON a.id = u.application_id"
	 " WHERE u.until = 0 AND (a.state IS NULL OR a.state NOT IN (3, 4)) LIMIT 1",
		"an application stands in the public list that is no live declaration"},
	/* Whatever the settings say, a declaration is public from its logo on. */
	{"SELECT id FROM application a WHERE state = 4 AND id > 0"
	 " AND EXISTS (SELECT 1 FROM fact WHERE name = '" FACT_PUBLIC_FROM "')"
	 " AND NOT EXISTS (SELECT 1 FROM published u WHERE u.application_id = a.id AND u.until = 0) LIMIT 1",
		"a live declaration is missing in the public list"},
};

static enum rc audit_rest(struct auditing *auditing, struct err *err)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < sizeof must_be_empty / sizeof *must_be_empty; i++) {
		int64_t about = 0;
		sqlite3_stmt *stmt = sql_ready(auditing->store, must_be_empty[i].sql, err);
		rc = stmt ? sql_number(auditing->store, stmt, 0, &about, err) : err->rc;
		if (rc == RC_OK && about != 0)
			note(auditing->out, 0, about, must_be_empty[i].fault);
	}
	return rc;
}

static enum rc audit_all(struct auditing *auditing, struct err *err)
{
	struct store *store = auditing->store;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT max(id) FROM application", err);
	enum rc rc = stmt ? sql_number(store, stmt, 0, &auditing->applications, err) : err->rc;
	if (rc == RC_OK) {
		stmt = sql_ready(store, "SELECT max(id) FROM outbox", err);
		rc = stmt ? sql_number(store, stmt, 0, &auditing->notices, err) : err->rc;
	}
	if (rc == RC_OK) {
		stmt = sql_ready(store, "SELECT max(id) FROM request", err);
		rc = stmt ? sql_number(store, stmt, 0, &auditing->requests, err) : err->rc;
	}
	if (rc == RC_OK) {
		stmt = sql_ready(store, "SELECT max(seq) FROM history", err);
		rc = stmt ? sql_number(store, stmt, 0, &auditing->rows, err) : err->rc;
	}
	/* Ids are counted up from 1; one far beyond was put there by hand. */
	const int64_t bound = (int64_t)1 << 32;
	if (rc == RC_OK && (auditing->applications >= bound || auditing->notices >= bound ||
				   auditing->requests >= bound))
		return err_set(err, RC_STORE,
			"%s is damaged: it holds an application, notice or request with an impossible number",
			store->path);
	if (rc != RC_OK)
		return rc;
	auditing->told = xcalloc((size_t)auditing->applications + 1, sizeof *auditing->told);
	auditing->sent = xcalloc((size_t)auditing->notices / 8 + 1, 1);
	auditing->request = xcalloc((size_t)auditing->requests + 1, 1);
	rc = audit_chain(auditing, err);
	if (rc == RC_OK)
		rc = audit_applications(auditing, err);
	if (rc == RC_OK)
		rc = audit_notices(auditing, err);
	if (rc == RC_OK)
		rc = audit_requests(auditing, err);
	if (rc == RC_OK)
		rc = audit_rest(auditing, err);
	free(auditing->told);
	free(auditing->sent);
	free(auditing->request);
	return rc;
}

enum rc audit_run(struct store *store, const uint8_t *head, struct audit *out, struct err *err)
{
	*out = (struct audit){0};
	struct auditing auditing = {.store = store, .out = out, .head = head};
	/* All of it is compared as it stands at one moment. */
	bool own = sqlite3_get_autocommit(store->db);
	enum rc rc = own ? sql_exec(store, "BEGIN", err) : facts_write(store, err);
	if (rc != RC_OK)
		return rc;
	rc = audit_all(&auditing, err);
	if (own)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* ---- the books ---- */

/* `stmt` gives state, hold and number of the applications in them. */
static enum rc count_applications(struct store *store, sqlite3_stmt *stmt, struct books *out, struct err *err)
{
	if (!stmt)
		return err->rc;
	bool more;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &more, err)) == RC_OK && more) {
		int state = sqlite3_column_int(stmt, 0), hold = sqlite3_column_int(stmt, 1);
		int64_t count = sqlite3_column_int64(stmt, 2);
		out->applications += count;
		if (state >= 0 && state < STATE_COUNT)
			out->by_state[state] += count;
		out->held += hold == HOLD_STAFF ? count : 0;
		out->review += hold == HOLD_REVIEW ? count : 0;
	}
	return rc;
}

enum rc store_rows(struct store *store, struct books *out, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT sum(rows_done), sum(refused), sum(same) FROM file", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc == RC_OK && row) {
		out->rows = sqlite3_column_int64(stmt, 0);
		out->refused = sqlite3_column_int64(stmt, 1);
		out->same = sqlite3_column_int64(stmt, 2);
		sql_done(stmt);
	}
	return rc;
}

/* Rows of a statement that gives states and their counts. */
static enum rc count_states(
	struct store *store, sqlite3_stmt *stmt, int64_t *count, int64_t last_state, struct err *err)
{
	if (!stmt)
		return err->rc;
	bool more;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &more, err)) == RC_OK && more) {
		int64_t state = sqlite3_column_int64(stmt, 0);
		if (state >= 0 && state <= last_state)
			count[state] = sqlite3_column_int64(stmt, 1);
	}
	return rc;
}

static enum rc count_orphans(struct store *store, const char *sql, int64_t *count, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, sql, err);
	return stmt ? sql_number(store, stmt, 0, count, err) : err->rc;
}

static enum rc count_afresh(struct store *store, struct books *out, struct err *err)
{
	static const char *const orphans[] = {"SELECT count(*) FROM outbox" NO_APPLICATION("outbox"),
		"SELECT count(*) FROM number" NO_APPLICATION("number"),
		"SELECT count(*) FROM request" NO_APPLICATION("request")};
	enum rc rc = store_rows(store, out, err);
	if (rc == RC_OK)
		rc = count_applications(store,
			sql_ready(store, "SELECT state, hold, count(*) FROM application GROUP BY state, hold",
				err),
			out, err);
	if (rc == RC_OK)
		rc = count_states(store,
			sql_ready(store, "SELECT state, count(*) FROM message GROUP BY state", err),
			out->mails, MESSAGE_FILED, err);
	if (rc == RC_OK)
		rc = count_states(store,
			sql_ready(store, "SELECT state, count(*) FROM request GROUP BY state", err),
			out->requests, REQUEST_STATE_COUNT - 1, err);
	if (rc == RC_OK)
		rc = outbox_count(store, out->outbox, err);
	if (rc == RC_OK)
		rc = count_orphans(store, orphans[0], &out->orphan_notices, err);
	if (rc == RC_OK)
		rc = count_orphans(store, orphans[1], &out->orphan_numbers, err);
	return rc == RC_OK ? count_orphans(store, orphans[2], &out->orphan_requests, err) : rc;
}

static enum rc count_standing(struct store *store, struct books *out, struct err *err)
{
	enum rc rc = count_applications(store,
		sql_ready(store, "SELECT state, hold, number FROM standing WHERE what = 1", err), out, err);
	if (rc == RC_OK)
		rc = count_states(store,
			sql_ready(store, "SELECT state, number FROM standing WHERE what = 2", err),
			out->outbox, OUTBOX_CANCELLED, err);
	if (rc == RC_OK)
		rc = count_states(store,
			sql_ready(store, "SELECT state, number FROM standing WHERE what = 3", err),
			out->mails, MESSAGE_FILED, err);
	if (rc == RC_OK)
		rc = count_states(store,
			sql_ready(store, "SELECT state, number FROM standing WHERE what = 4", err),
			out->requests, REQUEST_STATE_COUNT - 1, err);
	return rc;
}

/* All of it as of one moment. */
static enum rc count(struct store *store, struct books *out,
	enum rc (*rest)(struct store *, struct books *, struct err *), struct err *err)
{
	*out = (struct books){0};
	bool own = sqlite3_get_autocommit(store->db);
	enum rc rc = own ? sql_exec(store, "BEGIN", err) : RC_OK;
	if (rc != RC_OK)
		return rc;
	rc = rest(store, out, err);
	if (own)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

enum rc store_books(struct store *store, struct books *out, struct err *err)
{
	return count(store, out, count_afresh, err);
}

enum rc store_standing(struct store *store, struct books *out, struct err *err)
{
	return count(store, out, count_standing, err);
}
