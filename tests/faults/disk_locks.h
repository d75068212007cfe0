/*
 * disk_locks.h - SQLite's locks and its shared memory, for connections that all are of one process
 *
 * A life is one process, and nobody else looks at its register: what SQLite asks the system about locks (16,000 calls in a run) is answered here. The rules
 * are those of sqlite3.h and of SQLite's own os_unix.c: SHARED, RESERVED, PENDING, EXCLUSIVE of a file; eight places of the shared memory, each shared or
 * exclusive. Like a kernel's, the locks are gone with the life; so is the shared memory, which whoever opens first after a death makes anew.
 */
#ifndef SENGEN_TESTS_DISK_LOCKS_H
#define SENGEN_TESTS_DISK_LOCKS_H

#include <stdbool.h>
#include <stdint.h>

struct disk_locks; /* of one file; shared by its connections */

struct disk_holder { /* one connection's part */
	struct disk_locks *locks;
	int level; /* SQLITE_LOCK_NONE … */
	bool maps; /* holds the shared memory */
	uint16_t shared, exclusive; /* places of the shared memory, as bits */
};

/* `key`: the same for all connections to one file. */
void locks_join(struct disk_holder *holder, const void *key);
void locks_leave(struct disk_holder *holder);

/* As sqlite3_io_methods; SQLITE_OK or SQLITE_BUSY. */
int locks_take(struct disk_holder *holder, int level);
void locks_lower(struct disk_holder *holder, int level);
bool locks_reserved(const struct disk_holder *holder);
int locks_shm_map(struct disk_holder *holder, int region, int size, bool extend, void volatile **out);
int locks_shm_lock(struct disk_holder *holder, int offset, int n, int flags);
void locks_shm_unmap(struct disk_holder *holder);

#endif
