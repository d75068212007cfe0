/*
 * disk.c - what this machine's disk and kernel do in a second, to compare machines by
 *
 * disk DIRECTORY N: prints figures of N appends of 4 KiB to a file with fdatasync after each, N transactions of one row with SQLite as the register
 * has it (WAL, synchronous FULL), and N children that are forked, end at once and are waited for.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/seconds.h"

static void stop(const char *what)
{
	perror(what);
	exit(1);
}

static void show(const char *figure, long count, double begun)
{
	printf("figure %s %.0f /s\n", figure, (double)count / (seconds(CLOCK_MONOTONIC) - begun));
}

static void append(const char *directory, long count)
{
	char path[4096], block[4096];
	snprintf(path, sizeof path, "%s/append", directory);
	memset(block, 'x', sizeof block);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		stop(path);
	double begun = seconds(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++)
		if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
			stop(path);
	show("append_fdatasync", count, begun);
	close(fd);
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) {
		fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(db));
		exit(1);
	}
}

static void commit(const char *directory, long count)
{
	char path[4096];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/commit.db", directory);
	if (sqlite3_open(path, &db) != SQLITE_OK)
		stop(path);
	run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (id INTEGER PRIMARY "
		"KEY, text)");
	double begun = seconds(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++)
		run(db, "INSERT INTO t (text) VALUES (hex(randomblob(50)))");
	show("sqlite_commit", count, begun);
	sqlite3_close(db);
}

static void children(long count)
{
	double begun = seconds(CLOCK_MONOTONIC);
	for (long i = 0; i < count; i++) {
		pid_t child = fork();
		if (child < 0)
			stop("fork");
		if (child == 0)
			_exit(0);
		if (waitpid(child, NULL, 0) != child)
			stop("waitpid");
	}
	show("fork_exit", count, begun);
}

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("disk DIRECTORY N\n", stderr);
		return 2;
	}
	long count = strtol(argv[2], NULL, 10);
	append(argv[1], count);
	commit(argv[1], count);
	children(count);
	return 0;
}
