#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#include "lib/store/store_p.h"

/* What an administrator can do about each kind of failure. %s is the database file. */
static const struct {
	int code;
	const char *remedy;
} remedies[] = {
	{SQLITE_FULL, "the disk that holds %s is full; free some space, nothing was recorded by halves and "
		      "what was refused is tried again"},
	{SQLITE_IOERR, "reading or writing %s failed; look at the kernel's messages about that disk (dmesg), "
		       "nothing was recorded by halves"},
	{SQLITE_CORRUPT, "%s is damaged; stop sengend, keep a copy of the file with its -wal, and restore "
			 "the latest backup"},
	{SQLITE_NOTADB, "%s is not a register; check store_path in the configuration"},
	{SQLITE_CANTOPEN,
		"%s cannot be opened; check that its directory exists and that this user may write there"},
	{SQLITE_READONLY, "%s is write-protected for this user; check owner and mode of the file and of its "
			  "directory, and whether the disk is mounted read-only"},
	{SQLITE_PERM, "access to %s is not permitted; check owner and mode of the file"},
	{SQLITE_BUSY, "%s was locked by another program for more than 10 seconds; see who holds it "
		      "(fuser), it is tried again"},
	{SQLITE_LOCKED, "%s is locked within this process"},
	{SQLITE_PROTOCOL, "%s could not be locked; a register must lie on a local disk, not on a share"},
};

enum rc sql_error(struct store *store, int code, const char *doing, struct err *err)
{
	if ((code & 0xff) == SQLITE_NOMEM)
		die("out of memory in the register");
	if (store->in_transaction && (code & 0xff) != SQLITE_CONSTRAINT)
		store->failed = true;

	struct str text = STR_INIT;
	const char *remedy = NULL;
	for (size_t i = 0; i < sizeof remedies / sizeof *remedies; i++)
		if (remedies[i].code == (code & 0xff))
			remedy = remedies[i].remedy;
	for (const char *at = remedy ? remedy : "%s: an unexpected failure"; *at; at++) {
		if (at[0] == '%' && at[1] == 's') {
			str_addz(&text, store->path);
			at++;
		} else {
			str_addc(&text, *at);
		}
	}
	int system = store->db ? sqlite3_system_errno(store->db) : 0;
	const char *detail = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
	enum rc rc = err_set(err, RC_STORE, "%s: %s (SQLite %d: %s%s%s)", doing, text.s, code, detail,
		system ? "; " : "", system ? errno_text(system) : "");
	str_free(&text);
	return rc;
}

enum rc sql_want_transaction(struct store *store, struct err *err)
{
	if (!store->in_transaction)
		return err_set(
			err, RC_STORE, "could not record: a change was asked for outside a transaction");
	/* After some failures SQLite has rolled back by itself; going on would write each change for good. */
	if (store->failed || sqlite3_get_autocommit(store->db)) {
		store->failed = true;
		return err_set(err, RC_STORE,
			"could not record: an earlier change of this transaction failed, it must be"
			" rolled back");
	}
	return RC_OK;
}

/*
 * Where a statement has a parameter of that name: SQLite compares the names one by one, for each value of each row. Both addresses tell: that of a statement may be used
 * again once it is finalized, so what is prepared anew empties it.
 */
#define PLACES 1024
static _Thread_local struct place {
	const sqlite3_stmt *stmt;
	const char *name;
	int at;
} places[PLACES];

sqlite3_stmt *sql_prepare(struct store *store, const char *text, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	memset(places, 0, sizeof places);
	int code = sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
	if (code != SQLITE_OK) {
		if ((code & 0xff) == SQLITE_ERROR && !sqlite3_get_autocommit(store->db))
			store->failed = true;
		(void)sql_error(store, code, "could not ask the register", err);
		return NULL;
	}
	return stmt;
}

sqlite3_stmt *sql_ready(struct store *store, const char *literal, struct err *err)
{
	size_t at = ((uintptr_t)literal >> 3) * 2654435761u % STATEMENT_SLOTS;
	for (size_t tried = 0; tried < STATEMENT_SLOTS; tried++, at = (at + 1) % STATEMENT_SLOTS) {
		struct statement *slot = &store->statements[at];
		if (!slot->sql) {
			slot->stmt = sql_prepare(store, literal, err);
			if (!slot->stmt)
				return NULL;
			slot->sql = literal;
			return slot->stmt;
		}
		if (slot->sql == literal) {
			if (sqlite3_stmt_busy(slot->stmt))
				die("a statement of the register is in use twice: %s", literal);
			return slot->stmt;
		}
	}
	die("more than %d statements", STATEMENT_SLOTS);
}

void sql_forget_statements(struct store *store)
{
	for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
		(void)sqlite3_finalize(store->statements[i].stmt);
		store->statements[i] = (struct statement){0};
	}
}

static int parameter(sqlite3_stmt *stmt, const char *name)
{
	struct place *place =
		&places[(((uintptr_t)stmt >> 4) * 31 + (uintptr_t)name) * 2654435761u / 64 % PLACES];
	if (place->stmt == stmt && place->name == name)
		return place->at;
	int at = sqlite3_bind_parameter_index(stmt, name);
	if (at == 0)
		die("no parameter %s in: %s", name, sqlite3_sql(stmt));
	*place = (struct place){.stmt = stmt, .name = name, .at = at};
	return at;
}

static void bound(sqlite3_stmt *stmt, const char *name, int code)
{
	if (code != SQLITE_OK)
		die("parameter %s of \"%s\": %s", name, sqlite3_sql(stmt), sqlite3_errstr(code));
}

void sql_int(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	bound(stmt, name, sqlite3_bind_int64(stmt, parameter(stmt, name), value));
}

static void sql_null(sqlite3_stmt *stmt, const char *name)
{
	bound(stmt, name, sqlite3_bind_null(stmt, parameter(stmt, name)));
}

void sql_ref(sqlite3_stmt *stmt, const char *name, int64_t value)
{
	if (value == 0)
		sql_null(stmt, name);
	else
		sql_int(stmt, name, value);
}

void sql_time(sqlite3_stmt *stmt, const char *name, utc_time at)
{
	if (at == UTC_NEVER)
		sql_null(stmt, name);
	else
		sql_int(stmt, name, at);
}

void sql_day(sqlite3_stmt *stmt, const char *name, civil_day day)
{
	if (day == CIVIL_DAY_NONE)
		sql_null(stmt, name);
	else
		sql_int(stmt, name, day);
}

void sql_text(sqlite3_stmt *stmt, const char *name, const char *text)
{
	bound(stmt, name,
		sqlite3_bind_text(stmt, parameter(stmt, name), text ? text : "", -1, SQLITE_STATIC));
}

void sql_blob(sqlite3_stmt *stmt, const char *name, const void *bytes, size_t len)
{
	bound(stmt, name, sqlite3_bind_blob64(stmt, parameter(stmt, name), bytes, len, SQLITE_STATIC));
}

void sql_done(sqlite3_stmt *stmt)
{
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
}

enum rc sql_row(struct store *store, sqlite3_stmt *stmt, bool *row, struct err *err)
{
	int code = sqlite3_step(stmt);
	*row = code == SQLITE_ROW;
	if (*row)
		return RC_OK;
	enum rc rc = RC_OK;
	if (code != SQLITE_DONE)
		rc = sql_error(store, sqlite3_extended_errcode(store->db),
			sqlite3_stmt_readonly(stmt) ? "could not read the register" : "could not record",
			err);
	sql_done(stmt);
	return rc;
}

enum rc sql_run(struct store *store, sqlite3_stmt *stmt, struct err *err)
{
	bool row = false;
	do {
		enum rc rc = sql_row(store, stmt, &row, err);
		if (rc != RC_OK)
			return rc;
	} while (row);
	return RC_OK;
}

enum rc sql_exec(struct store *store, const char *text, struct err *err)
{
	int code = sqlite3_exec(store->db, text, NULL, NULL, NULL);
	if (code == SQLITE_OK)
		return RC_OK;
	return sql_error(store, sqlite3_extended_errcode(store->db), "could not record", err);
}

enum rc sql_number(struct store *store, sqlite3_stmt *stmt, int64_t none, int64_t *value, struct err *err)
{
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	*value = none;
	if (row) {
		if (sqlite3_column_type(stmt, 0) != SQLITE_NULL)
			*value = sqlite3_column_int64(stmt, 0);
		sql_done(stmt);
	}
	return RC_OK;
}

utc_time column_time(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? UTC_NEVER
								: sqlite3_column_int64(stmt, column);
}

civil_day column_day(sqlite3_stmt *stmt, int column)
{
	return sqlite3_column_type(stmt, column) == SQLITE_NULL ? CIVIL_DAY_NONE
								: sqlite3_column_int(stmt, column);
}

const char *column_text(sqlite3_stmt *stmt, int column, struct pool *pool)
{
	const char *text = (const char *)sqlite3_column_text(stmt, column);
	return text ? pool_strndup(pool, text, (size_t)sqlite3_column_bytes(stmt, column)) : "";
}

bool column_digest(sqlite3_stmt *stmt, int column, uint8_t *out, size_t len)
{
	const void *bytes = sqlite3_column_blob(stmt, column);
	if (!bytes || (size_t)sqlite3_column_bytes(stmt, column) != len) {
		memset(out, 0, len);
		return false;
	}
	memcpy(out, bytes, len);
	return true;
}

#define WAIT_TRIES 20 /* of a millisecond: who asks holds the lock for a moment */

/* Whoever may look into the directory may lock it, and must not be able to stop this process by that: without the lock it only waits longer. */
void sql_wait(struct store *store)
{
	if (store->waiting < 0)
		return;
	for (int i = 0; i < WAIT_TRIES && flock(store->waiting, LOCK_SH | LOCK_NB) != 0; i++)
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

void sql_waited(struct store *store)
{
	if (store->waiting >= 0)
		(void)flock(store->waiting, LOCK_UN);
}

enum rc sql_checkpoint(struct store *store, bool *done, struct err *err)
{
	int left = 0;
	(void)sqlite3_busy_timeout(store->db, 200); /* readers come and go; nobody waits for them */
	sql_wait(store);
	int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, NULL);
	sql_waited(store);
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	*done = code == SQLITE_OK && left <= 0;
	if (code == SQLITE_OK || (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED)
		return RC_OK;
	return sql_error(store, code, "could not empty the log of the register", err);
}
