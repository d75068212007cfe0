/* SQLite's calls: a VFS laid over its own. */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/disk_locks.h"
#include "tests/faults/disk_p.h"
#include "tests/faults/fault_p.h"
#include "tests/faults/real.h"

#define BUSY_LONG 400 /* asked again and again for longer than any time-out of the program */

struct shim {
	sqlite3_file base;
	sqlite3_file *real; /* lies behind it */
	struct disk_file *file; /* NULL: of no interest, such as a temporary one */
	struct disk_holder holder;
	char path[DISK_PATH];
	bool name_waits; /* as SQLite does it: the name of a journal is synced with its first fsync */
};

static sqlite3_vfs *below;
static sqlite3_vfs shim_vfs;
static int busy_left;

static struct shim *shim_of(sqlite3_file *file)
{
	return (struct shim *)(void *)file;
}

static ssize_t read_below(void *ctx, void *buffer, size_t len, off_t at)
{
	struct shim *shim = ctx;
	int code = shim->real->pMethods->xRead(shim->real, buffer, (int)len, at);
	return code == SQLITE_OK || code == SQLITE_IOERR_SHORT_READ ? (ssize_t)len : -1;
}

static struct disk_bytes bytes_of(struct shim *shim)
{
	sqlite3_int64 size = 0;
	(void)shim->real->pMethods->xFileSize(shim->real, &size);
	return (struct disk_bytes){.read = read_below, .ctx = shim, .size = size};
}

static int shim_close(sqlite3_file *file)
{
	locks_leave(&shim_of(file)->holder);
	return shim_of(file)->real->pMethods->xClose(shim_of(file)->real);
}

static int shim_read(sqlite3_file *file, void *buffer, int len, sqlite3_int64 at)
{
	struct shim *shim = shim_of(file);
	if (shim->file && disk_read_step(shim->path))
		return SQLITE_IOERR_READ;
	return shim->real->pMethods->xRead(shim->real, buffer, len, at);
}

static int shim_write(sqlite3_file *file, const void *buffer, int len, sqlite3_int64 at)
{
	struct shim *shim = shim_of(file);
	if (!shim->file || disk_is_outside())
		return shim->real->pMethods->xWrite(shim->real, buffer, len, at);
	size_t put = (size_t)len;
	int why = disk_step("write", shim->path, &put);
	if (why)
		return why == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	const struct disk_bytes bytes = bytes_of(shim);
	disk_changes(shim->file, &bytes, at, put);
	int code = shim->real->pMethods->xWrite(shim->real, buffer, (int)put, at);
	return code == SQLITE_OK && put < (size_t)len ? SQLITE_IOERR_WRITE : code;
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct shim *shim = shim_of(file);
	if (shim->file && !disk_is_outside()) {
		if (disk_step("truncate", shim->path, NULL))
			return SQLITE_IOERR_TRUNCATE;
		const struct disk_bytes bytes = bytes_of(shim);
		disk_cuts(shim->file, &bytes, size);
	}
	return shim->real->pMethods->xTruncate(shim->real, size);
}

static void sync_directory_of(const char *path)
{
	char directory[DISK_PATH];
	(void)snprintf(directory, sizeof directory, "%s", path);
	*strrchr(directory, '/') = '\0';
	disk_directory_synced(directory);
}

static int shim_sync(sqlite3_file *file, int flags)
{
	struct shim *shim = shim_of(file);
	(void)flags;
	if (!shim->file || disk_is_outside())
		return SQLITE_OK;
	if (disk_sync_step(shim->path)) {
		const struct disk_bytes bytes = bytes_of(shim);
		disk_sync_failed(shim->file, &bytes);
		return SQLITE_IOERR_FSYNC;
	}
	disk_synced(shim->file);
	if (shim->name_waits)
		sync_directory_of(shim->path);
	shim->name_waits = false;
	return SQLITE_OK;
}

static int shim_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	return shim_of(file)->real->pMethods->xFileSize(shim_of(file)->real, size);
}

/* Somebody else holds it, for one look or for as long as anybody asks. */
static bool is_busy(const char *what)
{
	if (disk_is_outside())
		return false;
	if (busy_left > 0) {
		busy_left--;
		return true;
	}
	if (!fault_strikes(FAULT_BUSY, what))
		return false;
	busy_left = fault_draw(2) ? 0 : (int)fault_draw(BUSY_LONG);
	return true;
}

static int shim_lock(sqlite3_file *file, int level)
{
	return is_busy("lock register.db") ? SQLITE_BUSY : locks_take(&shim_of(file)->holder, level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
	locks_lower(&shim_of(file)->holder, level);
	return SQLITE_OK;
}

static int shim_check_reserved(sqlite3_file *file, int *out)
{
	*out = locks_reserved(&shim_of(file)->holder);
	return SQLITE_OK;
}

static int shim_control(sqlite3_file *file, int op, void *arg)
{
	return shim_of(file)->real->pMethods->xFileControl(shim_of(file)->real, op, arg);
}

static int shim_sector(sqlite3_file *file)
{
	return shim_of(file)->real->pMethods->xSectorSize(shim_of(file)->real);
}

static int shim_device(sqlite3_file *file)
{
	/* No power-safe overwrite: a page that is written may damage no other here, but nothing is to be relied on. */
	return shim_of(file)->real->pMethods->xDeviceCharacteristics(shim_of(file)->real);
}

static int shim_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	return locks_shm_map(&shim_of(file)->holder, region, size, extend != 0, out);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	static const char *const names[] = {"lock to write", "lock to checkpoint"};
	if (flags == (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) && n == 1 && offset < 2 &&
		is_busy(names[offset]))
		return SQLITE_BUSY;
	return locks_shm_lock(&shim_of(file)->holder, offset, n, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
	(void)file; /* one thread */
}

static int shim_shm_unmap(sqlite3_file *file, int remove_it)
{
	(void)remove_it;
	locks_shm_unmap(&shim_of(file)->holder);
	return SQLITE_OK;
}

static const sqlite3_io_methods shim_methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_file_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_check_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_device,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
	struct shim *shim = shim_of(file);
	struct stat st;
	(void)vfs;
	*shim = (struct shim){.real = (sqlite3_file *)(void *)(shim + 1)};
	bool ours = path && disk_holds_path(path);
	bool there = ours && __real_stat(path, &st) == 0;
	bool creates = ours && !there && (flags & SQLITE_OPEN_CREATE);
	if (creates && disk_step("create", path, NULL))
		return SQLITE_CANTOPEN;
	int code = below->xOpen(below, path, shim->real, flags, out);
	if (code != SQLITE_OK)
		return code;
	const void *key = shim; /* what is not of the disk is nobody else's */
	shim->base.pMethods = &shim_methods;
	if (ours) {
		if (creates)
			disk_created(path);
		if (__real_stat(path, &st) != 0)
			die("a file that was just opened is not there: %s", path);
		(void)snprintf(shim->path, sizeof shim->path, "%s", path);
		shim->file = disk_file(st.st_ino, path);
		key = shim->file;
		shim->name_waits = creates && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
	}
	locks_join(&shim->holder, key);
	return SQLITE_OK;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
	struct stat st;
	(void)vfs;
	if (!disk_holds_path(path))
		return below->xDelete(below, path, sync_directory);
	if (__real_lstat(path, &st) != 0)
		return SQLITE_IOERR_DELETE_NOENT;
	if (disk_step("unlink", path, NULL) || disk_unlink(path) != 0)
		return SQLITE_IOERR_DELETE;
	if (sync_directory)
		sync_directory_of(path);
	return SQLITE_OK;
}

static int shim_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	(void)vfs;
	return below->xAccess(below, path, flags, out);
}

static int shim_full_path(sqlite3_vfs *vfs, const char *path, int size, char *out)
{
	(void)vfs;
	return below->xFullPathname(below, path, size, out);
}

static int shim_randomness(sqlite3_vfs *vfs, int len, char *out)
{
	(void)vfs;
	for (int i = 0; i < len; i++)
		out[i] = (char)fault_draw(256);
	return len;
}

static int shim_sleep(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	fault_wait(microseconds / 1000);
	return microseconds;
}

static int shim_time_ms(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = (fault_time() + 210866760000) * 1000; /* Julian */
	return SQLITE_OK;
}

static int shim_time(sqlite3_vfs *vfs, double *out)
{
	sqlite3_int64 ms;
	(void)shim_time_ms(vfs, &ms);
	*out = (double)ms / 86400000.0;
	return SQLITE_OK;
}

static int shim_last_error(sqlite3_vfs *vfs, int size, char *out)
{
	(void)vfs;
	return below->xGetLastError(below, size, out);
}

void disk_attach(void)
{
	busy_left = 0;
	if (below)
		return;
	below = sqlite3_vfs_find("unix-none"); /* without locks: see disk_locks.h */
	if (!below)
		die("SQLite has no VFS");
	shim_vfs = (sqlite3_vfs){.iVersion = 2,
		.szOsFile = (int)sizeof(struct shim) + below->szOsFile,
		.mxPathname = below->mxPathname,
		.zName = "faults",
		.xOpen = shim_open,
		.xDelete = shim_delete,
		.xAccess = shim_access,
		.xFullPathname = shim_full_path,
		.xRandomness = shim_randomness,
		.xSleep = shim_sleep,
		.xCurrentTime = shim_time,
		.xGetLastError = shim_last_error,
		.xCurrentTimeInt64 = shim_time_ms};
	if (sqlite3_vfs_register(&shim_vfs, 1) != SQLITE_OK)
		die("the VFS could not be registered");
}
