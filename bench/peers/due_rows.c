/*
 * due_rows.c - what SQLite alone takes for the rows that a run of the scheduler wrote
 *
 * due_rows BEFORE AFTER BATCH: BEFORE is the register as it was, AFTER the same when all that was due had been carried out. All rows that came, and the applications that changed, are read
 * into memory; then, timed, prepared statements write them into BEFORE: the same tables, indices and triggers, the same pragmas, BATCH applications a transaction. Prints the
 * harness's figures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <sqlite3.h>

#include "bench/peers/seconds.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

#define COLUMNS_MAX 32

/* What one application brings, in the order in which it is written. */
static const struct table {
	const char *name, *select; /* ?1: application, ?2: newer than */
	const char *newest; /* of BEFORE */
	const char *write; /* NULL: inserted */
} tables[] = {
	{"application", "SELECT * FROM application WHERE id = ?1 AND ?2 = 0", "SELECT 0", "id"},
	{"number", "SELECT * FROM number WHERE application_id = ?1 AND at > ?2",
		"SELECT coalesce(max(at), 0) FROM number", NULL},
	{"history", "SELECT * FROM history WHERE application_id = ?1 AND application_id > 0 AND seq > ?2",
		"SELECT coalesce(max(seq), 0) FROM history", NULL},
	{"outbox", "SELECT * FROM outbox WHERE application_id = ?1 AND id > ?2",
		"SELECT coalesce(max(id), 0) FROM outbox", NULL},
	{"letter",
		"SELECT l.* FROM letter l JOIN outbox o ON o.id = l.notice_id WHERE o.application_id = ?1 "
		"AND "
		"l.notice_id > ?2",
		"SELECT coalesce(max(notice_id), 0) FROM letter", NULL},
};
#define TABLES ((int)(sizeof tables / sizeof *tables))

struct row {
	int table;
	sqlite3_value *value[COLUMNS_MAX];
};
struct change {
	struct row *row;
	size_t count;
};

static void good(sqlite3 *db, int code)
{
	if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW)
		die("%s", sqlite3_errmsg(db));
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	good(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL));
	return stmt;
}

static int64_t number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt = prepare(db, sql);
	good(db, sqlite3_step(stmt));
	int64_t value = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return value;
}

/* ---- before the time runs ---- */

static void take_rows(
	sqlite3 *after, sqlite3_stmt *stmt, int table, int64_t id, int64_t newest, struct change *change)
{
	good(after, sqlite3_bind_int64(stmt, 1, id));
	good(after, sqlite3_bind_int64(stmt, 2, newest));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		int columns = sqlite3_column_count(stmt);
		if (columns > COLUMNS_MAX)
			die("a table has more columns than expected");
		change->row = xrealloc(change->row, (change->count + 1) * sizeof *change->row);
		struct row *row = &change->row[change->count++];
		*row = (struct row){.table = table};
		for (int i = 0; i < columns; i++)
			row->value[i] = sqlite3_value_dup(sqlite3_column_value(stmt, i));
	}
	(void)sqlite3_reset(stmt);
}

static struct change *take_all(sqlite3 *before, sqlite3 *after, size_t *count)
{
	int64_t newest[TABLES];
	sqlite3_stmt *select[TABLES],
		*ids = prepare(after, "SELECT application_id FROM outbox WHERE id > ?1 ORDER BY id");
	struct change *changes = NULL;
	for (int i = 0; i < TABLES; i++) {
		newest[i] = number(before, tables[i].newest);
		select[i] = prepare(after, tables[i].select);
	}
	*count = 0;
	good(after, sqlite3_bind_int64(ids, 1, number(before, "SELECT coalesce(max(id), 0) FROM outbox")));
	while (sqlite3_step(ids) == SQLITE_ROW) {
		changes = xrealloc(changes, (*count + 1) * sizeof *changes);
		struct change *change = &changes[(*count)++];
		*change = (struct change){0};
		for (int i = 0; i < TABLES; i++)
			take_rows(after, select[i], i, sqlite3_column_int64(ids, 0), newest[i], change);
	}
	(void)sqlite3_finalize(ids);
	for (int i = 0; i < TABLES; i++)
		(void)sqlite3_finalize(select[i]);
	return changes;
}

/* Of an application: what moves on its way. The program writes the other columns only where they changed. */
static bool is_written(const char *column)
{
	static const char *const moving[] = {"state", "hold", "stage", "approved", "due_at", "latest_at",
		"previous_sent_at", "declaration_id", "user_number", "id_issued_on", "logo_authorized_on",
		"stopped_on"};
	for (size_t i = 0; i < sizeof moving / sizeof *moving; i++)
		if (strcmp(column, moving[i]) == 0)
			return true;
	return false;
}

/* "INSERT INTO t VALUES (?1, …)", or "UPDATE t SET a = ?2, … WHERE id = ?1" of what the program writes. */
static sqlite3_stmt *writer(sqlite3 *db, const struct table *table)
{
	struct str ask = STR_INIT, sql = STR_INIT;
	str_printf(&ask, "SELECT name FROM pragma_table_info('%s')", table->name);
	str_printf(&sql, table->write ? "UPDATE %s SET " : "INSERT INTO %s VALUES (", table->name);
	sqlite3_stmt *stmt = prepare(db, ask.s);
	int column = 0;
	const char *separator = "";
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(stmt, 0);
		column++;
		if (!table->write)
			str_printf(&sql, "%s?%d", separator, column);
		else if (is_written(name))
			str_printf(&sql, "%s%s = ?%d", separator, name, column);
		else
			continue;
		separator = ", ";
	}
	str_addz(&sql, table->write ? " WHERE id = ?1" : ")");
	(void)sqlite3_finalize(stmt);
	sqlite3_stmt *write = prepare(db, sql.s);
	str_free(&ask);
	str_free(&sql);
	return write;
}

/* ---- timed ---- */

static void write_row(sqlite3 *db, sqlite3_stmt *stmt, const struct row *row)
{
	int parameters = sqlite3_bind_parameter_count(stmt);
	for (int i = 0; i < parameters; i++)
		good(db, sqlite3_bind_value(stmt, i + 1, row->value[i]));
	good(db, sqlite3_step(stmt));
	good(db, sqlite3_reset(stmt));
}

static size_t write_all(
	sqlite3 *db, sqlite3_stmt *const *write, const struct change *changes, size_t count, size_t batch)
{
	size_t commits = 0;
	for (size_t at = 0; at < count; at += batch, commits++) {
		good(db, sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL));
		for (size_t i = at; i < at + batch && i < count; i++)
			for (size_t k = 0; k < changes[i].count; k++)
				write_row(db, write[changes[i].row[k].table], &changes[i].row[k]);
		good(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL));
	}
	return commits;
}

int main(int argc, char **argv)
{
	sqlite3 *before, *after;
	size_t count, rows = 0;
	sqlite3_stmt *write[TABLES];
	if (argc != 4 || strtoul(argv[3], NULL, 10) == 0)
		die("usage: due_rows BEFORE AFTER BATCH");
	if (sqlite3_open_v2(argv[1], &before, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
		sqlite3_open_v2(argv[2], &after, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		die("the registers could not be opened");
	good(before,
		sqlite3_exec(before,
			"PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA "
			"journal_size_limit = 67108864; PRAGMA "
			"secure_delete = ON;"
			"PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;"
			"PRAGMA cache_size = -16384",
			NULL, NULL, NULL));
	struct change *changes = take_all(before, after, &count);
	for (int i = 0; i < TABLES; i++)
		write[i] = writer(before, &tables[i]);
	for (size_t i = 0; i < count; i++)
		rows += changes[i].count;
	(void)sqlite3_close(after);
	double begun = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
	size_t commits = write_all(before, write, changes, count, strtoul(argv[3], NULL, 10));
	double took = seconds(CLOCK_MONOTONIC) - begun;
	processor = seconds(CLOCK_PROCESS_CPUTIME_ID) - processor;
	(void)printf("figure rate %.0f declarations/s\nfigure cpu %.1f us/declaration\nfigure commits %zu "
		     "commits\n"
		     "figure rows %.2f rows/declaration\n",
		(double)count / took, processor / (double)count * 1e6, commits, (double)rows / (double)count);
	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < changes[i].count; k++)
			for (int c = 0; c < COLUMNS_MAX; c++)
				sqlite3_value_free(changes[i].row[k].value[c]);
		free(changes[i].row);
	}
	free(changes);
	for (int i = 0; i < TABLES; i++)
		(void)sqlite3_finalize(write[i]);
	(void)sqlite3_close(before);
	return 0;
}
