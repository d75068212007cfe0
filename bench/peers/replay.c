/*
 * replay.c - SQLite alone, ending in the same dump
 *
 * replay OURS NEW [FILES ARCHIVE]: reads every row of the register OURS into memory, makes the register NEW with the store's own schema, and then, timed, puts the rows in
 * with prepared statements, 1,000 applications a transaction (WAL, synchronous FULL, pragmas as the store has them): per application its part of the rows of each table, so
 * that the pages are written in about the order in which ours wrote them. With FILES, a directory, it also does with each file there what a bare loop would: read it, copy
 * it to ARCHIVE, remove it. At the end the two registers are compared, table by table, row by row.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/seconds.h"
#include "lib/base/file.h"
#include "lib/store/store.h"

#define BATCH 1000
#define TABLES_MAX 100
#define FILE_MAX ((size_t)1024 * 1024)

struct table {
	char *name;
	int columns;
	enum { WITH_FIRST, WITH_EACH, WITH_LAST } when; /* its rows come */
	sqlite3_value **value; /* rows × columns */
	size_t rows, room;
	sqlite3_stmt *insert;
};

static struct table table[TABLES_MAX];
static size_t table_count;
static sqlite3 *db;

_Noreturn static void fail(const char *what)
{
	(void)fprintf(stderr, "replay: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(sql);
}

static sqlite3_stmt *prepared(const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
		fail(sql);
	return stmt;
}

/* ---- ours ---- */

static void read_rows(struct table *into)
{
	struct str sql = STR_INIT;
	str_printf(&sql, "SELECT * FROM \"%s\"", into->name);
	sqlite3_stmt *stmt = prepared(sql.s);
	into->columns = sqlite3_column_count(stmt);
	size_t columns = (size_t)into->columns;
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		if (into->rows == into->room) {
			into->room = into->room ? into->room * 2 : 64;
			into->value = xrealloc(into->value, into->room * columns * sizeof *into->value);
		}
		for (int i = 0; i < into->columns; i++)
			into->value[into->rows * columns + (size_t)i] =
				sqlite3_value_dup(sqlite3_column_value(stmt, i));
		into->rows++;
	}
	(void)sqlite3_finalize(stmt);
	str_free(&sql);
}

static size_t applications(void)
{
	for (size_t i = 0; i < table_count; i++)
		if (strcmp(table[i].name, "application") == 0)
			return table[i].rows;
	return 0;
}

/* What all applications refer to comes with the first of them; what not all of them have, as the texts of the newest or the note of a review, when all are there. */
static void set_when(struct table *of)
{
	sqlite3_stmt *stmt = prepared("SELECT count(*) FROM pragma_foreign_key_list(?) WHERE \"table\" IN"
				      " ('application', 'history', 'outbox')");
	(void)sqlite3_bind_text(stmt, 1, of->name, -1, SQLITE_STATIC);
	bool refers = sqlite3_step(stmt) == SQLITE_ROW && sqlite3_column_int(stmt, 0) > 0;
	(void)sqlite3_finalize(stmt);
	if (refers)
		of->when = of->rows < applications() ? WITH_LAST : WITH_EACH;
	else
		of->when = of->rows * 10 < applications() ? WITH_FIRST : WITH_EACH;
}

/* `standing` is kept by triggers. */
static void read_ours(const char *path)
{
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
		fail(path);
	sqlite3_stmt *stmt = prepared("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE"
				      " 'sqlite%' AND name <> 'standing' ORDER BY rowid");
	while (sqlite3_step(stmt) == SQLITE_ROW && table_count < TABLES_MAX)
		table[table_count++].name = xstrdup((const char *)sqlite3_column_text(stmt, 0));
	(void)sqlite3_finalize(stmt);
	for (size_t i = 0; i < table_count; i++)
		read_rows(&table[i]);
	for (size_t i = 0; i < table_count; i++)
		set_when(&table[i]);
	(void)sqlite3_close(db);
	db = NULL;
}

/* ---- the same again ---- */

static void open_new(const char *path)
{
	struct store_settings where = {.path = path};
	struct store *store = NULL;
	struct err err = {0};
	if (store_open(&store, &where, STORE_WRITE, &err))
		fail(err.text);
	store_close(&store);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		fail(path);
	run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864;"
	    "PRAGMA wal_autocheckpoint = 4000;"
	    "PRAGMA secure_delete = ON; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY;"
	    "PRAGMA cache_size = -16384; PRAGMA cell_size_check = ON");
	for (size_t i = 0; i < table_count; i++) {
		struct str sql = STR_INIT;
		str_printf(&sql, "DELETE FROM \"%s\"", table[i].name);
		run(sql.s);
		str_clear(&sql);
		str_printf(&sql, "INSERT INTO \"%s\" VALUES (?", table[i].name);
		for (int k = 1; k < table[i].columns; k++)
			str_addz(&sql, ",?");
		str_addc(&sql, ')');
		table[i].insert = prepared(sql.s);
		str_free(&sql);
	}
}

static void insert_rows(const struct table *from, size_t first, size_t end)
{
	size_t columns = (size_t)from->columns;
	for (size_t row = first; row < end; row++) {
		for (int i = 0; i < from->columns; i++)
			(void)sqlite3_bind_value(from->insert, i + 1, from->value[row * columns + (size_t)i]);
		if (sqlite3_step(from->insert) != SQLITE_DONE)
			fail(from->name);
		(void)sqlite3_reset(from->insert);
	}
}

static void insert_part(size_t part, size_t parts)
{
	for (size_t i = 0; i < table_count; i++)
		if (part == 0 && table[i].when == WITH_FIRST)
			insert_rows(&table[i], 0, table[i].rows);
	for (size_t i = 0; i < table_count; i++)
		if (table[i].when == WITH_EACH)
			insert_rows(
				&table[i], table[i].rows * part / parts, table[i].rows * (part + 1) / parts);
	for (size_t i = 0; i < table_count; i++)
		if (part + 1 == parts && table[i].when == WITH_LAST)
			insert_rows(&table[i], 0, table[i].rows);
}

static void move_file(const char *from, const char *name, const char *to)
{
	struct str path = STR_INIT, bytes = STR_INIT;
	struct err err = {0};
	path_join(&path, from, name);
	if (file_read(&bytes, path.s, FILE_MAX, &err))
		fail(err.text);
	str_clear(&path);
	path_join(&path, to, name);
	int fd = open(path.s, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0 || file_write_all(fd, bytes.s, bytes.len, &err))
		fail(path.s);
	(void)close(fd);
	str_clear(&path);
	path_join(&path, from, name);
	(void)unlink(path.s);
	str_free(&path);
	str_free(&bytes);
}

static void insert_all(const char *files, const char *archive)
{
	struct strlist names = {0};
	struct err err = {0};
	size_t parts = applications();
	if (files && file_list_dir(&names, files, &err))
		fail(err.text);
	if (parts == 0 || (files && names.count != parts))
		fail("there are not as many files as applications");
	for (size_t part = 0; part < parts; part++) {
		if (part % BATCH == 0)
			run("BEGIN IMMEDIATE; PRAGMA defer_foreign_keys = ON");
		if (files)
			move_file(files, names.item[part], archive);
		insert_part(part, parts);
		if (part % BATCH == BATCH - 1 || part + 1 == parts)
			run("COMMIT");
	}
	strlist_free(&names);
}

/* ---- the same? ---- */

static void compare(const char *ours)
{
	struct str sql = STR_INIT;
	str_printf(&sql, "ATTACH '%s' AS ours", ours);
	run(sql.s);
	for (size_t i = 0; i <= table_count; i++) {
		const char *name = i < table_count ? table[i].name : "standing";
		str_clear(&sql);
		str_printf(&sql,
			"SELECT (SELECT count(*) FROM main.\"%s\") - (SELECT count(*) FROM ours.\"%s\"),"
			" EXISTS (SELECT * FROM main.\"%s\" EXCEPT SELECT * FROM ours.\"%s\")",
			name, name, name, name);
		sqlite3_stmt *stmt = prepared(sql.s);
		if (sqlite3_step(stmt) != SQLITE_ROW || sqlite3_column_int64(stmt, 0) != 0 ||
			sqlite3_column_int(stmt, 1) != 0)
			fail(name);
		(void)sqlite3_finalize(stmt);
	}
	str_free(&sql);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 5) {
		(void)fprintf(stderr, "usage: replay OURS NEW [FILES ARCHIVE]\n");
		return 2;
	}
	read_ours(argv[1]);
	open_new(argv[2]);
	double begun = seconds(CLOCK_MONOTONIC), used = seconds(CLOCK_PROCESS_CPUTIME_ID);
	insert_all(argc == 5 ? argv[3] : NULL, argc == 5 ? argv[4] : NULL);
	double took = seconds(CLOCK_MONOTONIC) - begun, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - used;
	for (size_t i = 0; i < table_count; i++)
		(void)sqlite3_finalize(table[i].insert);
	compare(argv[1]);
	printf("figure rate %.6g /s\nfigure cpu %.4g us\n", (double)applications() / took,
		cpu * 1e6 / (double)applications());
	(void)sqlite3_close(db);
	return 0;
}
