/*
 * disk.h - a disk that loses what was not synced
 *
 * The files are real ones in a directory of memory (tmpfs). Every call that changes them passes here: the program's own by the linker (--wrap), SQLite's by a
 * VFS laid over its own. The journal, shared with the driver, remembers what was changed since the last fsync of each file and directory; it is what
 * disk_cut() undoes in whole or in part. SQLite's shared memory (-shm) is not of the disk: it is gone at a cut.
 *
 * Modelled: POSIX as a careful reader takes it. Data and size of a file are safe after its fsync or fdatasync; a name (created, renamed, linked, removed) is safe
 * after fsync of its directory; between two fsyncs, pages of 4,096 bytes and names may have reached the disk in any combination, but of two changes of one
 * name not the later one alone; a rename is one step, safe with either directory. Not modelled: modes, owners and times of files are safe at once.
 */
#ifndef SENGEN_TESTS_DISK_H
#define SENGEN_TESTS_DISK_H

#include <stdbool.h>

/* Once in a worker: an empty directory, journal in shared memory. The path is valid for the run and the same for all of its seeds. */
const char *disk_new(void);
/* Before each seed: empties the directory and forgets everything. */
void disk_begin(void);
/* By a life, first of all: what it will touch of the journal is mapped at once, not by one fault a page. */
void disk_ready(void);
/* In each life, before anything is opened: the VFS becomes SQLite's default. */
void disk_attach(void);
/* By the season, around what somebody else does there, such as dropping a file over a share: no fault strikes, and it is safe at once. */
void disk_outside(bool outside);
/* By the driver, between lives: rebuilds the files as a power cut leaves them. */
void disk_cut(void);
/* By the driver, between lives after FAULT_CRASH: everything written stays; the journal is kept, for a cut may follow. */
void disk_keep(void);
void disk_free(void);

#endif
