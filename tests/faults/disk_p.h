/*
 * disk_p.h - what the pieces of the disk share
 *
 *   disk.c      the journal of what is not safe yet, the cut
 *   disk_libc.c the program's own calls, put in their place by the linker
 *   disk_vfs.c  SQLite's
 */
#ifndef SENGEN_TESTS_DISK_P_H
#define SENGEN_TESTS_DISK_P_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "tests/faults/disk.h"

#define DISK_PATH 256

/* A file that was changed at some time; found by its inode. */
struct disk_file;

/* How a file's bytes are read before they are overwritten. */
struct disk_bytes {
	ssize_t (*read)(void *ctx, void *buffer, size_t len, off_t at);
	void *ctx;
	off_t size; /* now */
};

bool disk_holds_path(const char *path); /* absolute */
bool disk_holds(const struct stat *st);
/* Somebody else is at work, or nothing strikes any more: what is written is safe at once, and need not be remembered. */
bool disk_is_outside(void);
struct disk_file *disk_file(ino_t inode, const char *path);

/* Before `len` bytes at `at` are written; len 0 and at < size: before the file is cut there. */
void disk_changes(struct disk_file *file, const struct disk_bytes *bytes, off_t at, size_t len);
void disk_cuts(struct disk_file *file, const struct disk_bytes *bytes, off_t size);
void disk_synced(struct disk_file *file);
/* fsync said no: what was written may be gone, and no later fsync brings it to the disk. */
void disk_sync_failed(struct disk_file *file, const struct disk_bytes *bytes);

/* Names. Paths are absolute; each is safe after disk_directory_synced(). */
void disk_created(const char *path);
void disk_made_directory(const char *path);
void disk_linked(const char *path);
int disk_unlink(const char *path); /* does it */
int disk_rename(const char *from, const char *to); /* does it */
void disk_directory_synced(const char *path);
void disk_all_synced(void);
uint64_t disk_next_name(void); /* for a temporary file */

/* ---- faults, the same for both ---- */

/* "write state/sent/N-N.log" */
void disk_where(char out[64], const char *what, const char *path);
/* Takes a step that changes the disk: the process may end. Returns 0, or the errno that it fails with. *len: shortened by a short write. */
int disk_step(const char *what, const char *path, size_t *len);
/* 0, or EIO. */
int disk_read_step(const char *path);
/* 0, or EIO: then the caller calls disk_sync_failed(). */
int disk_sync_step(const char *path);

#endif
