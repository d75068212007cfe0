#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/store/store_p.h"

/* ---- transactions ---- */

void store_progress(struct store *store, progress_fn *fn, void *ctx)
{
	store->progress = fn;
	store->progress_ctx = ctx;
}

/* Of what was known within a transaction nothing is known any more. */
static void end_transaction(struct store *store)
{
	store->in_transaction = false;
	store->failed = false;
	store->head_known = false;
	store->head_moved = false;
	store->search_known = false;
	facts_forget(store);
}

enum rc store_begin(struct store *store, struct err *err)
{
	if (store->mode == STORE_READ)
		return err_set(err, RC_STORE, "could not record: %s was opened for reading", store->path);
	if (store->in_transaction)
		return err_set(err, RC_STORE, "could not record: a transaction is already open");
	/* At once, mostly. */
	(void)sqlite3_busy_timeout(store->db, 0);
	enum rc rc = RC_OK;
	bool begun = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	if (!begun) {
		sql_wait(store);
		rc = sql_exec(store, "BEGIN IMMEDIATE", err);
		sql_waited(store);
	}
	store->in_transaction = rc == RC_OK;
	return rc;
}

bool store_is_awaited(const struct store *store)
{
	if (store->waiting < 0 || flock(store->waiting, LOCK_EX | LOCK_NB) != 0)
		return true;
	(void)flock(store->waiting, LOCK_UN);
	return false;
}

/* Not the register itself: closing a second descriptor of it would drop this process's locks on it. */
static int open_waiting(const char *path)
{
	struct str directory = STR_INIT;
	size_t len = (size_t)(path_base(path) - path);
	str_add(&directory, len ? path : ".", len ? len : 1);
	int fd = open(directory.s, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	str_free(&directory);
	return fd;
}

void store_rollback(struct store *store)
{
	if (!store->in_transaction)
		return;
	/* SQLite has rolled back by itself after some failures; then there is nothing left to do. */
	if (!sqlite3_get_autocommit(store->db))
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	end_transaction(store);
	words_forget(store);
}

enum rc store_commit(struct store *store, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	rc = rc ? rc : facts_write(store, err);
	if (rc == RC_OK)
		rc = sql_exec(store, "COMMIT", err);
	bool moved = store->head_moved;
	if (rc != RC_OK) {
		store_rollback(store);
		return rc;
	}
	end_transaction(store);
	/* What is committed is committed: a witness that can't be written is the next opening's trouble, and it is only behind. While
	 * the register counts as restored the witness keeps what it saw, until staff adopt it. */
	struct err witness_err;
	if (moved && store->witness && store_restored(store) == RESTORED_NO &&
		witness_advance(store->witness, store->head_seq, store->head_hash, false, &witness_err) !=
			RC_OK)
		log_event(LEVEL_FAULT, "store.witness", "error=\"%s\"", witness_err.text);
	return RC_OK;
}

enum rc store_look(struct store *store, struct err *err)
{
	if (!sqlite3_get_autocommit(store->db))
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(store, "BEGIN", err);
	return stmt ? sql_run(store, stmt, err) : err->rc;
}

void store_looked(struct store *store)
{
	struct err ignored;
	if (store->in_transaction || sqlite3_get_autocommit(store->db))
		return;
	sqlite3_stmt *stmt = sql_ready(store, "COMMIT", &ignored);
	if (stmt)
		(void)sql_run(store, stmt, &ignored);
}

bool store_in_transaction(const struct store *store)
{
	return store->in_transaction;
}

bool store_failed(const struct store *store)
{
	int code = sqlite3_errcode(store->db);
	return code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
}

/* ---- the witness ---- */

static enum rc fact_number(
	struct store *store, const char *name, int64_t none, int64_t *value, struct err *err)
{
	struct str text = STR_INIT;
	enum rc rc = fact_get(store, name, &text, err);
	*value = rc == RC_OK && text.len ? strtoll(text.s, NULL, 10) : none;
	str_free(&text);
	return rc;
}

static enum rc set_number(struct store *store, const char *name, int64_t value, struct err *err)
{
	char text[24];
	(void)sqlite3_snprintf(sizeof text, text, "%lld", (long long)value);
	return fact_set(store, name, text, err);
}

/* Whether the register's history goes at least as far as the witness has seen, by the same rows. */
static enum rc compare_witness(struct store *store, bool *older, struct err *err)
{
	struct witness_head head;
	enum rc rc = witness_read(store->witness, &head, err);
	if (rc != RC_OK)
		return rc;
	*older = head.damaged;
	if (head.damaged || head.seq == 0)
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT hash FROM history WHERE seq = :seq", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":seq", head.seq);
	bool row;
	rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	uint8_t hash[SHA256_LEN] = {0};
	*older = !row || !column_digest(stmt, 0, hash, sizeof hash) ||
		 memcmp(hash, head.hash, sizeof hash) != 0;
	sql_done(stmt);
	return RC_OK;
}

static enum rc one_number(struct store *store, const char *literal, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, literal, err);
	return stmt ? sql_number(store, stmt, 0, value, err) : err->rc;
}

enum rc store_copy_of(struct store *store, utc_time *at, int64_t *last_notice, struct err *err)
{
	struct str noted = STR_INIT;
	char *end;
	enum rc rc = fact_get(store, FACT_COPY_OF, &noted, err);
	*at = strtoll(noted.s, &end, 10);
	*last_notice = strtoll(end, NULL, 10);
	if (rc == RC_OK && noted.len == 0)
		rc = one_number(store, "SELECT at FROM history ORDER BY seq DESC LIMIT 1", at, err);
	if (rc == RC_OK && noted.len == 0)
		rc = one_number(store, "SELECT max(id) FROM outbox", last_notice, err);
	str_free(&noted);
	return rc;
}

/* Before it goes on: files are registered while it is held. */
static enum rc note_copy(struct store *store, struct err *err)
{
	utc_time at = 0;
	int64_t last_notice = 0;
	char text[48];
	enum rc rc = fact_set(store, FACT_COPY_OF, NULL, err);
	if (rc == RC_OK)
		rc = store_copy_of(store, &at, &last_notice, err);
	(void)sqlite3_snprintf(sizeof text, text, "%lld %lld", (long long)at, (long long)last_notice);
	return rc == RC_OK ? fact_set(store, FACT_COPY_OF, text, err) : rc;
}

/* Within the transaction of opening: is this the register that this machine and this witness know? */
static enum rc recognise(struct store *store, struct err *err)
{
	int64_t restored = RESTORED_NO;
	enum rc rc = fact_number(store, FACT_RESTORED, RESTORED_NO, &restored, err);
	if (rc != RC_OK)
		return rc;

	struct str host = STR_INIT;
	bool older = false;
	rc = fact_get(store, FACT_HOST, &host, err);
	if (rc == RC_OK && store->witness)
		rc = compare_witness(store, &older, err);
	if (rc == RC_OK && restored == RESTORED_NO) {
		if (older)
			restored = RESTORED_OLDER;
		else if (store->host && host.len > 0 && strcmp(host.s, store->host) != 0)
			restored = RESTORED_OTHER_HOST;
		if (restored != RESTORED_NO)
			rc = set_number(store, FACT_RESTORED, restored, err);
		if (rc == RC_OK && restored != RESTORED_NO)
			rc = note_copy(store, err);
	}
	if (rc == RC_OK && store->host && host.len == 0)
		rc = fact_set(store, FACT_HOST, store->host, err);
	str_free(&host);
	store->restored = (enum restored)restored;
	return rc;
}

enum restored store_restored(struct store *store)
{
	/* Another process may have released it meanwhile; when the register can't be read, what was known holds. */
	struct err ignored = {0};
	int64_t restored = RESTORED_NO;
	if (fact_number(store, FACT_RESTORED, RESTORED_NO, &restored, &ignored) != RC_OK)
		return store->restored;
	return (enum restored)restored;
}

enum rc store_adopt(struct store *store, struct err *err)
{
	bool own = !store->in_transaction;
	enum rc rc = own ? store_begin(store, err) : sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	int64_t seq = 0;
	uint8_t hash[SHA256_LEN] = {0};
	rc = fact_set(store, FACT_RESTORED, NULL, err);
	if (rc == RC_OK)
		rc = fact_set(store, FACT_COPY_OF, NULL, err);
	if (rc == RC_OK && store->host)
		rc = fact_set(store, FACT_HOST, store->host, err);
	if (rc == RC_OK)
		rc = history_head(store, &seq, hash, err);
	/* Before the commit: were it the other way round, a failure between the two would leave a register that calls itself
	 * adopted beside a witness that contradicts it. */
	if (rc == RC_OK && store->witness)
		rc = witness_advance(store->witness, seq, hash, true, err);
	if (rc == RC_OK && own)
		rc = store_commit(store, err);
	if (rc == RC_OK)
		store->restored = RESTORED_NO;
	else if (own)
		store_rollback(store);
	return rc;
}

/* ---- opening ---- */

/* A simulated store and a live one never mix; an empty one becomes whatever is asked for. */
static enum rc check_simulated(struct store *store, struct err *err)
{
	int64_t was = -1, rows = 0;
	enum rc rc = fact_number(store, FACT_SIMULATED, -1, &was, err);
	if (rc != RC_OK || was == store->simulated)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT EXISTS (SELECT 1 FROM history) + EXISTS (SELECT 1 FROM application) + EXISTS"
		" (SELECT 1 FROM file)",
		err);
	if (!stmt)
		return err->rc;
	rc = sql_number(store, stmt, 0, &rows, err);
	if (rc == RC_OK && rows > 0)
		return err_set(err, RC_CONFIG,
			was == 1 ? "%s holds a simulation and cannot be used live; set another store_path"
				 : "%s is a live register; a simulation needs a store_path of its own",
			store->path);
	return rc == RC_OK ? set_number(store, FACT_SIMULATED, store->simulated, err) : rc;
}

/* As a file: URI; needed for immutable, which is the only way to look at a register without -wal in a directory one may not write. */
static void immutable_uri(struct str *out, const char *path)
{
	str_addz(out, "file:");
	for (const char *at = path; *at; at++) {
		if (strchr("%?#", *at))
			str_printf(out, "%%%02x", (unsigned)(unsigned char)*at);
		else
			str_addc(out, *at);
	}
	str_addz(out, "?immutable=1");
}

static enum rc probe(struct store *store)
{
	return sqlite3_exec(store->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL) == SQLITE_OK
		       ? RC_OK
		       : RC_STORE;
}

static enum rc open_reading(struct store *store, struct err *err)
{
	if (access(store->path, F_OK) != 0 && errno == EACCES)
		return err_set(err, RC_STORE,
			"you may not read the register at %s; its owner and the staff's group (sengen-staff) "
			"may",
			store->path);
	if (access(store->path, F_OK) != 0)
		return err_set(err, RC_STORE,
			"there is no register at %s: %s; sengend makes it when it starts (or check"
			" store_path)",
			store->path, errno_text(errno));
	int code = sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return sql_error(store, code, "could not open the register", err);
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	if (probe(store) == RC_OK)
		return RC_OK;
	code = sqlite3_extended_errcode(store->db);

	struct str name = STR_INIT;
	str_printf(&name, "%s-wal", store->path);
	struct stat st;
	bool wal = stat(name.s, &st) == 0 && st.st_size > 0;
	str_clear(&name);
	enum rc rc = RC_STORE;
	if (!wal && ((code & 0xff) == SQLITE_CANTOPEN || (code & 0xff) == SQLITE_READONLY)) {
		(void)sqlite3_close(store->db);
		immutable_uri(&name, store->path);
		code = sqlite3_open_v2(name.s, &store->db,
			SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
		if (code == SQLITE_OK && (rc = probe(store)) != RC_OK)
			code = sqlite3_extended_errcode(store->db);
	}
	str_free(&name);
	return rc == RC_OK ? RC_OK : sql_error(store, code, "could not open the register", err);
}

static enum rc open_writing(struct store *store, struct err *err)
{
	/* Made here, not by SQLite, so that nobody but the owner and the group can read it. O_EXCL: closing a descriptor of a file
	 * that is in use would drop this process's locks on it. */
	int fd = open(store->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd >= 0)
		(void)close(fd);
	int code =
		sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code != SQLITE_OK)
		return sql_error(store, code, "could not open the register", err);
	(void)sqlite3_busy_timeout(store->db, BUSY_TIMEOUT_MS);
	store->waiting = open_waiting(store->path);
	/* -wal and -shm stay when the last writer leaves, so that readers without a right to make them can look. */
	int persist = 1;
	(void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	return sql_exec(store,
		"PRAGMA journal_mode = WAL;"
		"PRAGMA synchronous = FULL;"
		"PRAGMA journal_size_limit = 67108864;"
		"PRAGMA wal_autocheckpoint = 4000;" /* pages; what is written again and again goes to its place once */
		"PRAGMA secure_delete = ON;", /* what is erased is overwritten */
		err);
}

/* A power cut may have left it behind: a backup made meanwhile would not be told from the register. It has just been found to be of the same history. */
static void witness_catch_up(struct store *store)
{
	int64_t seq = 0;
	uint8_t hash[SHA256_LEN] = {0};
	struct err err = {0};
	if (!store->witness || store->restored != RESTORED_NO)
		return;
	if (history_head(store, &seq, hash, &err) ||
		(seq && witness_advance(store->witness, seq, hash, false, &err)))
		log_event(LEVEL_FAULT, "store.witness", "error=\"%s\"", err.text);
}

static enum rc check_in(struct store *store, struct err *err)
{
	enum rc rc = store_begin(store, err);
	if (rc == RC_OK)
		rc = schema_ready(store, err);
	if (rc == RC_OK)
		rc = check_simulated(store, err);
	if (rc == RC_OK)
		rc = recognise(store, err);
	if (rc == RC_OK)
		rc = store_commit(store, err);
	if (rc != RC_OK)
		store_rollback(store);
	else
		witness_catch_up(store);
	return rc;
}

/*
 * What a process wrote before its fsync failed can be read afterwards, as if it were on the disk, and no later fsync of the same file brings it there. So nothing is
 * built upon a log that somebody else left: its pages are written anew, into the database.
 */
static enum rc settle_log(struct store *store, struct err *err)
{
	bool done;
	return sql_checkpoint(store, &done, err);
}

static enum rc open_database(struct store *store, const struct store_settings *settings, struct err *err)
{
	enum rc rc = store->mode == STORE_READ ? open_reading(store, err) : open_writing(store, err);
	if (rc != RC_OK)
		return rc;
	(void)sqlite3_extended_result_codes(store->db, 1);
	(void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	rc = sql_exec(store,
		"PRAGMA foreign_keys = ON;"
		"PRAGMA trusted_schema = OFF;"
		"PRAGMA cell_size_check = ON;"
		"PRAGMA temp_store = MEMORY;" /* no personal values in files of their own */
		"PRAGMA cache_size = -16384;", /* KiB */
		err);
	if (rc != RC_OK)
		return rc;
	if (store->mode == STORE_READ)
		return schema_ready(store, err);
	rc = settle_log(store, err);
	if (rc == RC_OK && settings->witness)
		rc = witness_open(&store->witness, settings->witness, err);
	return rc == RC_OK ? check_in(store, err) : rc;
}

enum rc store_open(
	struct store **store, const struct store_settings *settings, enum store_mode mode, struct err *err)
{
	struct store *opening = xcalloc(1, sizeof *opening);
	*opening = (struct store){
		.path = xstrdup(settings->path),
		.host = settings->host ? xstrdup(settings->host) : NULL,
		.mode = mode,
		.waiting = -1,
		.simulated = settings->simulated,
		.rng = rng_system(),
	};
	*store = NULL;
	enum rc rc = open_database(opening, settings, err);
	if (rc == RC_OK)
		*store = opening;
	else
		store_close(&opening);
	return rc;
}

void store_keep(struct store *store, int kib)
{
	char text[64];
	(void)sqlite3_snprintf(sizeof text, text, "PRAGMA cache_size = %d", -kib);
	(void)sqlite3_exec(store->db, text, NULL, NULL, NULL);
}

void store_rest(struct store *store)
{
	(void)sqlite3_db_release_memory(store->db);
}

void store_close(struct store **store)
{
	if (!*store)
		return;
	store_rollback(*store);
	sql_forget_statements(*store);
	words_forget(*store);
	(void)sqlite3_close((*store)->db);
	if ((*store)->waiting >= 0)
		(void)close((*store)->waiting);
	witness_close(&(*store)->witness);
	free((*store)->field_of);
	free((*store)->host);
	free((*store)->path);
	free(*store);
	*store = NULL;
}
