#include "tests/faults/disk_locks.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdlib.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define FILES_MAX 16
#define REGIONS_MAX 64

struct disk_locks {
	const void *key;
	int holders;
	int level; /* the highest that somebody has: above SHARED it is one holder's */
	int shared; /* holders at SHARED or above */
	int mappings;
	int shm_shared[SQLITE_SHM_NLOCK]; /* holders */
	bool shm_exclusive[SQLITE_SHM_NLOCK];
	void *region[REGIONS_MAX];
};

static struct disk_locks files[FILES_MAX];

void locks_join(struct disk_holder *holder, const void *key)
{
	struct disk_locks *locks = NULL;
	for (int i = 0; i < FILES_MAX; i++) {
		if (files[i].holders > 0 && files[i].key == key) {
			locks = &files[i];
			break;
		}
		if (!locks && files[i].holders == 0)
			locks = &files[i];
	}
	if (!locks)
		die("more open files than FILES_MAX");
	if (locks->holders++ == 0)
		*locks = (struct disk_locks){.key = key, .holders = 1};
	*holder = (struct disk_holder){.locks = locks};
}

void locks_leave(struct disk_holder *holder)
{
	if (!holder->locks)
		return;
	locks_lower(holder, SQLITE_LOCK_NONE);
	locks_shm_unmap(holder);
	holder->locks->holders--;
	holder->locks = NULL;
}

/* ---- of a file ---- */

int locks_take(struct disk_holder *holder, int level)
{
	struct disk_locks *locks = holder->locks;
	if (holder->level >= level)
		return SQLITE_OK;
	if (holder->level != locks->level &&
		(locks->level >= SQLITE_LOCK_PENDING || level > SQLITE_LOCK_SHARED))
		return SQLITE_BUSY;
	if (holder->level == SQLITE_LOCK_NONE)
		locks->shared++;
	/* Who waits for the readers to leave lets no new one in. */
	bool waits = level == SQLITE_LOCK_EXCLUSIVE && locks->shared > 1;
	holder->level = waits ? SQLITE_LOCK_PENDING : level;
	if (holder->level > locks->level)
		locks->level = holder->level;
	return waits ? SQLITE_BUSY : SQLITE_OK;
}

void locks_lower(struct disk_holder *holder, int level)
{
	struct disk_locks *locks = holder->locks;
	if (holder->level <= level)
		return;
	if (holder->level > SQLITE_LOCK_SHARED)
		locks->level = SQLITE_LOCK_SHARED;
	holder->level = level;
	if (level == SQLITE_LOCK_NONE && --locks->shared == 0)
		locks->level = SQLITE_LOCK_NONE;
}

bool locks_reserved(const struct disk_holder *holder)
{
	return holder->locks->level >= SQLITE_LOCK_RESERVED;
}

/* ---- of the shared memory ---- */

int locks_shm_map(struct disk_holder *holder, int region, int size, bool extend, void volatile **out)
{
	struct disk_locks *locks = holder->locks;
	if (region >= REGIONS_MAX)
		die("a write-ahead log is longer than REGIONS_MAX allows");
	if (!holder->maps)
		locks->mappings++;
	holder->maps = true;
	if (!locks->region[region] && extend)
		locks->region[region] = xcalloc(1, (size_t)size);
	*out = locks->region[region];
	return SQLITE_OK;
}

int locks_shm_lock(struct disk_holder *holder, int offset, int n, int flags)
{
	struct disk_locks *locks = holder->locks;
	bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
	for (int i = offset; flags & SQLITE_SHM_LOCK && i < offset + n; i++) {
		int mine = holder->shared >> i & 1;
		bool held = locks->shm_exclusive[i] && !(holder->exclusive >> i & 1);
		if (held || (exclusive && locks->shm_shared[i] > mine))
			return SQLITE_BUSY;
	}
	for (int i = offset; i < offset + n; i++) {
		uint16_t bit = (uint16_t)(1u << i);
		if (flags & SQLITE_SHM_LOCK && exclusive) {
			locks->shm_exclusive[i] = true;
			holder->exclusive |= bit;
		} else if (flags & SQLITE_SHM_LOCK) {
			locks->shm_shared[i] += !(holder->shared & bit);
			holder->shared |= bit;
		} else {
			locks->shm_exclusive[i] &= !(holder->exclusive & bit);
			locks->shm_shared[i] -= (holder->shared & bit) != 0;
			holder->exclusive &= (uint16_t)~bit;
			holder->shared &= (uint16_t)~bit;
		}
	}
	return SQLITE_OK;
}

void locks_shm_unmap(struct disk_holder *holder)
{
	struct disk_locks *locks = holder->locks;
	if (!holder->maps)
		return;
	(void)locks_shm_lock(holder, 0, SQLITE_SHM_NLOCK, SQLITE_SHM_UNLOCK);
	holder->maps = false;
	if (--locks->mappings > 0)
		return;
	for (int i = 0; i < REGIONS_MAX; i++) {
		free(locks->region[i]);
		locks->region[i] = NULL;
	}
}
