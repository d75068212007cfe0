#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/store/store_p.h"

#define ROOM_LEFT_MIB 64 /* on the disk of the copy, when it is written */
#define STEPS_A_LOOK 100000 /* instructions of SQLite's machine between two looks at how far it is */

/* A copy that is being written, under a name beside. Whoever holds the lock on it writes it. */
struct copy {
	const char *path;
	struct str part; /* PATH.part */
	int fd;
	int64_t whole; /* bytes there will be, more or less */
	struct store *store;
};

static enum rc fault(const struct copy *copy, const char *what, struct err *err)
{
	return err_set(err, RC_STORE,
		"The copy %s could not be %s: %s. Check the directory, its owner and the room there.",
		copy->path, what, errno_text(errno));
}

static enum rc page_bytes(struct store *store, int64_t *bytes, struct err *err)
{
	int64_t size = 0;
	sqlite3_stmt *stmt = sql_ready(store, "PRAGMA page_size", err);
	enum rc rc = stmt ? sql_number(store, stmt, 0, &size, err) : err->rc;
	stmt = rc == RC_OK ? sql_ready(store, "PRAGMA page_count", err) : NULL;
	rc = stmt ? sql_number(store, stmt, 0, bytes, err) : err->rc;
	*bytes *= size;
	return rc;
}

static void add_directory(struct str *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == path)
		str_addz(out, "/");
	else if (slash)
		str_add(out, path, (size_t)(slash - path));
	else
		str_addz(out, ".");
}

static enum rc check_room(const struct copy *copy, struct err *err)
{
	struct str directory = STR_INIT;
	add_directory(&directory, copy->path);
	int64_t free_mib = file_free_mib(directory.s), wanted = copy->whole / (1 << 20) + ROOM_LEFT_MIB;
	str_free(&directory);
	if (free_mib >= wanted)
		return RC_OK;
	return err_set(err, RC_STORE,
		"There is no room for the copy %s: it needs %lld MiB, and %lld MiB are free. Nothing was "
		"written; name another disk or make room.",
		copy->path, (long long)wanted, (long long)free_mib);
}

/* An empty file of our own under the name beside; what a cut-off run left there is written over. */
static enum rc copy_open(struct copy *copy, struct err *err)
{
	struct stat st;
	if (lstat(copy->path, &st) == 0)
		return err_set(err, RC_REFUSED,
			"%s is there already and is not written over; name another file.", copy->path);
	str_printf(&copy->part, "%s.part", copy->path);
	copy->fd = open(copy->part.s, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (copy->fd < 0 || fstat(copy->fd, &st) != 0)
		return fault(copy, "begun", err);
	if (!S_ISREG(st.st_mode) || flock(copy->fd, LOCK_EX | LOCK_NB) != 0) {
		(void)close(copy->fd);
		copy->fd = -1;
		return err_set(err, RC_REFUSED, "%s is being written by another backup.", copy->part.s);
	}
	/* Nobody but the owner: it holds everything the register holds. */
	return fchmod(copy->fd, 0600) == 0 && ftruncate(copy->fd, 0) == 0 ? RC_OK : fault(copy, "begun", err);
}

/* On failure nothing is left. */
static void copy_close(struct copy *copy, bool keep)
{
	if (copy->fd >= 0 && !keep) {
		struct str journal = STR_INIT;
		str_printf(&journal, "%s-journal", copy->part.s);
		(void)unlink(copy->part.s);
		(void)unlink(journal.s);
		str_free(&journal);
	}
	if (copy->fd >= 0)
		(void)close(copy->fd);
	str_free(&copy->part);
}

static int look(void *ctx)
{
	const struct copy *copy = ctx;
	struct stat st;
	if (copy->store->progress && fstat(copy->fd, &st) == 0)
		copy->store->progress(copy->store->progress_ctx, st.st_size, copy->whole);
	return 0;
}

static enum rc copy_write(struct copy *copy, struct err *err)
{
	sqlite3_stmt *stmt = sql_prepare(copy->store, "VACUUM INTO :path", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":path", copy->part.s);
	sqlite3_progress_handler(copy->store->db, STEPS_A_LOOK, look, copy);
	int code = sqlite3_step(stmt);
	sqlite3_progress_handler(copy->store->db, 0, NULL, NULL);
	enum rc rc = code == SQLITE_DONE ? RC_OK
					 : sql_error(copy->store, sqlite3_extended_errcode(copy->store->db),
						   "could not copy the register", err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

/* Four bytes of the file's header, big endian (https://www.sqlite.org/fileformat.html, 1.3). */
static int64_t header_number(const unsigned char *at)
{
	return (int64_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3]);
}

enum rc store_version(const char *path, int64_t *version, int64_t *known, struct err *err)
{
	unsigned char header[100];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd >= 0 ? read(fd, header, sizeof header) : -1;
	enum rc rc = RC_OK;
	*known = SCHEMA_VERSION;
	if (got < 0)
		rc = err_set(err, RC_STORE, "%s could not be read: %s.", path, errno_text(errno));
	else if (got != sizeof header || memcmp(header, "SQLite format 3", 16) != 0 ||
		 header_number(header + 68) != APPLICATION_ID)
		rc = err_set(err, RC_STORE, "%s is no register of sengen.", path);
	else
		*version = header_number(header + 60);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

enum rc store_check_file(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "PRAGMA integrity_check(1)", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	const char *said = (const char *)sqlite3_column_text(stmt, 0);
	if (!said || strcmp(said, "ok") != 0)
		rc = err_set(err, RC_STORE, "%s is damaged: SQLite finds %s.", store->path,
			said ? said : "nothing to say");
	sql_done(stmt);
	return rc;
}

/* As somebody else would open it: what was written is what counts, not what was to be written. */
static enum rc copy_check(const struct copy *copy, struct audit *audit, struct err *err)
{
	struct store *store = NULL;
	const struct store_settings where = {.path = copy->part.s, .simulated = copy->store->simulated};
	enum rc rc = store_open(&store, &where, STORE_READ, err);
	if (rc == RC_OK) {
		store_progress(store, copy->store->progress, copy->store->progress_ctx);
		rc = store_check_file(store, err);
	}
	if (rc == RC_OK)
		rc = audit_run(store, NULL, audit, err);
	if (rc == RC_OK && audit->fault)
		rc = err_set(err, RC_STORE,
			"The copy was not kept: its history does not hold at row %lld (%s). The register "
			"itself is "
			"to be looked at: sengenctl audit.",
			(long long)audit->bad_seq, audit->fault);
	store_close(&store);
	return rc;
}

/* Under its own name, where nobody has put anything meanwhile. 0 or -1. Network shares know no such renaming; a link does the same in two steps. */
static int name_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) == 0 ? unlink(from) : -1;
}

static enum rc copy_name(const struct copy *copy, struct err *err)
{
	struct str directory = STR_INIT;
	add_directory(&directory, copy->path);
	enum rc rc = RC_OK;
	if (fsync(copy->fd) != 0)
		rc = fault(copy, "written to the disk", err);
	else if (name_new(copy->part.s, copy->path) != 0)
		rc = errno == EEXIST
			     ? err_set(err, RC_REFUSED,
				       "%s is there already and is not written over; name another file.",
				       copy->path)
			     : fault(copy, "given its name", err);
	if (rc == RC_OK)
		rc = file_sync_dir(directory.s, err);
	str_free(&directory);
	return rc;
}

enum rc store_backup(struct store *store, const char *path, struct audit *audit, struct err *err)
{
	struct copy copy = {.path = path, .part = STR_INIT, .fd = -1, .store = store};
	*audit = (struct audit){0};
	if (!sqlite3_get_autocommit(store->db))
		die("the register was to be copied within a transaction");
	enum rc rc = copy_open(&copy, err);
	if (rc == RC_OK)
		rc = page_bytes(store, &copy.whole, err);
	if (rc == RC_OK)
		rc = check_room(&copy, err);
	if (rc == RC_OK)
		rc = copy_write(&copy, err);
	if (rc == RC_OK)
		rc = copy_check(&copy, audit, err);
	if (rc == RC_OK)
		rc = copy_name(&copy, err);
	copy_close(&copy, rc == RC_OK);
	return rc;
}
