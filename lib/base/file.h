/*
 * file.h - files that matter: whole or not at all
 */
#ifndef SENGEN_FILE_H
#define SENGEN_FILE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Reads a regular file of at most limit bytes (no link, FIFO or device is followed or opened). */
enum rc file_read(struct str *out, const char *path, size_t limit, struct err *err);
enum rc file_read_fd(struct str *out, int fd, size_t limit, struct err *err);

/* Writes path through a temporary name in the same directory: write, fsync, rename, fsync of the directory. */
enum rc file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err);
/* The same with all that the file behind_fd holds after the bytes (its offset is moved; -1: nothing). Without sync it is whole for whoever looks, and on the disk only
 * when the caller has synced the file system: one file_sync_system() for many files. */
enum rc file_write_joined(const char *path, const void *bytes, size_t len, int behind_fd, mode_t mode,
	bool sync, struct err *err);

/* The same by name in a directory that is open: nobody can put another in its place meanwhile. */
enum rc file_write_at(
	int directory, const char *name, const void *bytes, size_t len, mode_t mode, struct err *err);

/* As mkdir -p, and on the disk; directories that exist are fine. */
enum rc file_mkdirs(const char *path, mode_t mode, struct err *err);
/* All that was written to the file system that path lies on. */
enum rc file_sync_system(const char *path, struct err *err);
/* "accepted/2026/11" below a directory, made where it is missing, and open. RC_STORE: a link stands in its place; whoever may write there could lead us anywhere. */
enum rc file_open_below(int *out, const char *directory, const char *relative, mode_t mode, struct err *err);
enum rc file_sync_dir(const char *path, struct err *err);

/* Room on the file system of path, for who is not root; INT64_MAX where it can't be told. */
int64_t file_free_mib(const char *path);

/* All bytes or an error; interrupted calls go on. */
enum rc file_write_all(int fd, const void *bytes, size_t len, struct err *err);

/* Appends "dir/name" to out. */
void path_join(struct str *out, const char *dir, const char *name);
const char *path_base(const char *path);

/* Names of the entries of a directory (not . and ..), sorted by byte. */
enum rc file_list_dir(struct strlist *names, const char *path, struct err *err);

#endif
