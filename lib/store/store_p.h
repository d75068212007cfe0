/*
 * store_p.h - what the pieces of the store share; nothing outside lib/store and its tests includes it
 *
 * Statements: sql_ready() gives a prepared statement from the cache, keyed by the address of its text, so the text must be a
 * literal. Bind by name, then sql_row() until no row comes, or sql_run() for a change. Leaving a statement before its end:
 * sql_done(). A statement can't be used by two callers at once, so nothing is called back while one is open.
 */
#ifndef SENGEN_STORE_P_H
#define SENGEN_STORE_P_H

#include <sqlite3.h>

#include "lib/store/store.h"

#define APPLICATION_ID 0x53454e47 /* "SENG", in the header of the database file */
#define SCHEMA_VERSION 7
#define BUSY_TIMEOUT_MS 10000

#define KEY_LEN 16 /* keys of applicants and addresses are kept as this much of their SHA-256 */
#define SALT_LEN 16
#define BATCH 256 /* rows read before they are handed on */

/* The same conditions stand in the partial indexes of schema.c: SQLite compares the text. */
#define SQL_LIVE "state IN (1, 2, 3, 4)"
#define SQL_WAITING "state IN (1, 4)"
#define SQL_UNSENT "state <> 3"
#define SQL_UNFILED "state IN (1, 2)" /* enum message_state */
#define SQL_OPEN "state IN (1, 2, 3)" /* enum request_state */
#define SQL_OF_REQUEST "application_id = 0 AND event BETWEEN 39 AND 43" /* in history: ref is a request */
/* What the table `standing` holds, counted afresh. */
#define SQL_STANDING                                                                                         \
	" SELECT 1, state, hold, count(*) FROM application GROUP BY state, hold UNION ALL"                   \
	" SELECT 2, state, 0, count(*) FROM outbox GROUP BY state UNION ALL"                                 \
	" SELECT 3, state, 0, count(*) FROM message GROUP BY state UNION ALL"                                \
	" SELECT 4, state, 0, count(*) FROM request GROUP BY state"
/* Of application a: it is linked to a ★ that lives. */
#define SQL_RUNNING_STEP_UP                                                                                  \
	"(a.linked_id IS NOT NULL AND EXISTS (SELECT 1 FROM application s WHERE s.id = a.linked_id AND "     \
	"s." SQL_LIVE "))"

struct statement {
	const char *sql; /* NULL: free */
	sqlite3_stmt *stmt;
};
#define STATEMENT_SLOTS 256

struct witness;

/* A fact as it stands within this transaction: nobody else can change it meanwhile. */
struct kept_fact {
	char *name, *value; /* owned; value NULL: there is none */
	bool changed; /* still to be written */
};
#define FACTS_KEPT 16

/* Words are only ever added; what was added by a transaction that was rolled back is forgotten with it. */
struct kept_word {
	char *text; /* owned; NULL: free */
	int64_t number;
};
#define WORDS_KEPT 256

struct store {
	sqlite3 *db;
	char *path;
	char *host; /* NULL: not checked */
	enum store_mode mode;
	bool simulated;
	bool in_transaction;
	int waiting; /* the register's directory; who waits to write holds a shared lock on it; -1: none */
	bool failed; /* the transaction can only be rolled back */
	bool head_known, head_moved; /* within this transaction */
	int64_t head_seq;
	uint8_t head_hash[SHA256_LEN];
	struct kept_fact facts[FACTS_KEPT]; /* likewise */
	int fact_count;
	bool search_known; /* likewise: what follows */
	int64_t oldest_text, last_block; /* of the search, see store_search.c */
	struct kept_word words[WORDS_KEPT];
	struct rng rng;
	struct witness *witness; /* NULL: none */
	enum restored restored; /* last known */
	progress_fn *progress; /* NULL: nobody wants to know */
	void *progress_ctx;
	int field_number[FIELD_COUNT]; /* number of a form field in packed forms; 0: none */
	enum form_field *field_of; /* and back; field_count of them */
	int field_count;
	struct statement statements[STATEMENT_SLOTS];
};

/* ---- sql.c ---- */
sqlite3_stmt *sql_ready(struct store *store, const char *literal, struct err *err); /* NULL: err is set */
sqlite3_stmt *sql_prepare(
	struct store *store, const char *text, struct err *err); /* uncached; sqlite3_finalize() it */
/* name: a literal, as text in sql_ready(). */
void sql_int(sqlite3_stmt *stmt, const char *name, int64_t value);
void sql_ref(sqlite3_stmt *stmt, const char *name, int64_t value); /* 0 becomes NULL */
void sql_time(sqlite3_stmt *stmt, const char *name, utc_time at); /* UTC_NEVER becomes NULL */
void sql_day(sqlite3_stmt *stmt, const char *name, civil_day day); /* CIVIL_DAY_NONE becomes NULL */
void sql_text(sqlite3_stmt *stmt, const char *name,
	const char *text); /* must live until the run; NULL becomes "" */
void sql_blob(sqlite3_stmt *stmt, const char *name, const void *bytes,
	size_t len); /* likewise; bytes NULL becomes NULL */
enum rc sql_row(struct store *store, sqlite3_stmt *stmt, bool *row, struct err *err);
enum rc sql_run(struct store *store, sqlite3_stmt *stmt, struct err *err);
void sql_done(sqlite3_stmt *stmt);
enum rc sql_exec(struct store *store, const char *text, struct err *err);
/* One integer, or `none` when there is no row or it is NULL. */
enum rc sql_number(struct store *store, sqlite3_stmt *stmt, int64_t none, int64_t *value, struct err *err);
/* The sentence for SQLite's last error. doing: "could not record". */
enum rc sql_error(struct store *store, int code, const char *doing, struct err *err);
void sql_forget_statements(struct store *store);
/* RC_STORE unless a transaction is open and still good. Every change begins with it. */
enum rc sql_want_transaction(struct store *store, struct err *err);

utc_time column_time(sqlite3_stmt *stmt, int column);
civil_day column_day(sqlite3_stmt *stmt, int column);
const char *column_text(sqlite3_stmt *stmt, int column, struct pool *pool); /* "" for NULL */
bool column_digest(
	sqlite3_stmt *stmt, int column, uint8_t *out, size_t len); /* false: not that long; out zeroed */

/* Between the two this process waits to write, and those that write much give way (store_is_awaited()). */
void sql_wait(struct store *store);
void sql_waited(struct store *store);
/* Brings all of the write-ahead log into the database and empties it. *done: false where a reader was in the way. */
enum rc sql_checkpoint(struct store *store, bool *done, struct err *err);

/* ---- schema.c ---- */
struct migration {
	int from; /* brings a register of this version to from + 1, with those beside it */
	const char *sql;
};
extern const struct migration migrations[]; /* by `from`; sql NULL ends */
/* Inside a transaction. Brings a register to `version` by the steps given. */
enum rc schema_migrate(struct store *store, const struct migration *steps, int version, struct err *err);
/* Checks that the file is a register of this version; with STORE_WRITE creates or upgrades it first. */
enum rc schema_ready(struct store *store, struct err *err);
/* Numbers of the form's fields in packed forms. */
enum rc schema_read_fields(struct store *store, struct err *err);

/* ---- store_form.c: the personal values of a form, packed ---- */
void form_pack(const struct store *store, struct str *out, const struct form_values *form);
/* False: not what form_pack() makes. Values are put into pool. */
bool form_unpack(const struct store *store, struct form_values *out, const void *packed, size_t len,
	struct pool *pool);
/* SHA-256 over salt and values, however they are packed. False: not what form_pack() makes. */
bool form_digest(uint8_t out[SHA256_LEN], const uint8_t salt[SALT_LEN], const void *packed, size_t len);
#define TEXT_PACK_MAX ((size_t)64 << 20) /* what is larger can't be unpacked */
/* Text that is kept small: deflated where that pays, with a dictionary of what usually stands in it. */
void text_pack(struct str *out, const void *bytes, size_t len);
bool text_unpack(struct str *out, const void *packed, size_t len);

/* ---- store_application.c ---- */
/* Of `application a`; behind them stand hold_reason and form of application_payload (with_form). */
#define APPLICATION_COLUMNS                                                                                  \
	" a.id, a.state, a.hold, a.kind, a.type, a.star, a.stage, a.approved, a.due_at, a.latest_at,"        \
	" a.previous_sent_at, a.received_at, a.applied_on, a.clock_start, a.declaration_id, a.user_number,"  \
	" a.id_issued_on, a.logo_authorized_on, a.stopped_on, a.linked_id, a.file_id, a.row, "               \
	"a.template_set,"                                                                                    \
	" (SELECT text FROM word WHERE word.id = a.profile)"
#define APPLICATION_COLUMN_COUNT 26 /* with those two */
enum rc application_read(struct store *store, sqlite3_stmt *stmt, bool with_form, struct application *out,
	struct pool *pool, struct err *err);
/* The digest over an application's form as it is now; *there false when it was erased. */
enum rc application_form_digest(
	struct store *store, int64_t id, uint8_t out[SHA256_LEN], bool *there, struct err *err);

/* ---- store_facts.c ---- */
void store_key(uint8_t out[KEY_LEN], const char *text);
/* Random on a live register, reckoned from (purpose, number) on a simulated one. */
void store_salt(struct store *store, uint8_t out[SALT_LEN], const char *purpose, int64_t number);
/* The number of a text in `word`, which is entered if need be; RC_OK and 0 when it is "". */
enum rc word_number(struct store *store, const char *text, int64_t *number, struct err *err);
enum rc word_find(struct store *store, const char *text, int64_t *number, struct err *err); /* 0: unknown */
/* What was kept of a transaction that is over; after a rollback, of words too. */
enum rc facts_write(struct store *store, struct err *err); /* what changed, into the register */
void facts_forget(struct store *store);
void words_forget(struct store *store);

#define FACT_HOST "store.host"
#define FACT_SIMULATED "store.simulated"
#define FACT_RESTORED "store.restored"
#define FACT_COPY_OF "store.copy_of" /* of a restored one: moment of its last row, its highest notice */
#define FACT_ERASED "store.erased" /* the log holds what was erased up to that row of the history */
#define FACT_SEARCH "store.search"

/* ---- store_find.c ---- */
/* Enters the Message-ID of a notice just added where it can't be reckoned from the notice. */
enum rc message_id_keep(struct store *store, const struct notice *notice, struct err *err);
/* Enters, or enters anew, whom the form of an application tells of. */
enum rc identity_keep(struct store *store, const struct application *app, struct err *err);
/* The same for every application that is on file. */
enum rc identities_fill(struct store *store, struct err *err);

/* ---- store_search.c ---- */
/* Of text_search_key() and the grams: with another one the search tables are made anew when the register is opened for writing. */
#define SEARCH_VERSION "1"
enum rc search_ready(struct store *store, struct err *err);
/* Enters, or enters anew, what an application can be found by. */
enum rc search_keep(struct store *store, const struct application *app, struct err *err);
/* Takes it out, whatever it was entered with; the form need not be there any more. *entries: 1 where there was something. preview: nothing is changed. */
enum rc search_forget(
	struct store *store, int64_t application_id, bool preview, int64_t *entries, struct err *err);

/* ---- store_history.c ---- */
/* The whole chained part of a row. */
struct chain_row {
	int64_t seq, at, application_id, event, from, to, ref, number, actor;
	uint8_t payload[SHA256_LEN], form[SHA256_LEN]; /* zeros: none */
};
void chain_hash(uint8_t out[SHA256_LEN], const uint8_t previous[SHA256_LEN], const struct chain_row *row);
void payload_digest(
	uint8_t out[SHA256_LEN], const uint8_t salt[SALT_LEN], const char *actor, const char *note);

/* ---- store_retain.c ---- */
/* Enters what has a span, or when it begins anew; takes it out. */
enum rc retained_enter(struct store *store, enum retained kind, int64_t id, utc_time since, struct err *err);
enum rc retained_leave(struct store *store, enum retained kind, int64_t id, struct err *err);
/* What a row of the history that moves a state means for the spans of letters and form. */
enum rc retained_follow(struct store *store, const struct history_row *row, struct err *err);
/* Of a form that was written: whether it has answers of the survey. */
enum rc retained_survey(struct store *store, const struct application *app, struct err *err);
/* The same for everything that is on file. */
enum rc retained_fill(struct store *store, struct err *err);

/* ---- witness.c: the file outside the database ---- */
struct witness_head {
	int64_t seq; /* 0: nothing seen yet */
	uint8_t hash[SHA256_LEN];
	bool damaged; /* the file holds something else */
};
enum rc witness_open(struct witness **witness, const char *path, struct err *err);
void witness_close(struct witness **witness);
enum rc witness_read(struct witness *witness, struct witness_head *head, struct err *err);
/* Moves it forward; never back unless forced (adoption). */
enum rc witness_advance(
	struct witness *witness, int64_t seq, const uint8_t hash[SHA256_LEN], bool force, struct err *err);

#endif
