#include "tests/faults/disk_p.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/fault_p.h"
#include "tests/faults/real.h"

/* Each stands in the linker's list (Makefile, FAULT_WRAP). */
int __wrap_open(const char *path, int flags, ...);
int __wrap_openat(int directory, const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buffer, size_t len);
ssize_t __wrap_write(int fd, const void *buffer, size_t len);
ssize_t __wrap_pwrite(int fd, const void *buffer, size_t len, off_t at);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_syncfs(int fd);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdirat(int directory, const char *path, mode_t mode);
int __wrap_rename(const char *from, const char *to);
int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to);
int __wrap_renameat2(
	int from_directory, const char *from, int to_directory, const char *to, unsigned int flags);
int __wrap_link(const char *from, const char *to);
int __wrap_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int directory, const char *path, int flags);
int __wrap_remove(const char *path);
int __wrap_rmdir(const char *path);
int __wrap_mkostemp(char *name, int flags);
int __wrap_mkostemps(char *name, int ending, int flags);
FILE *__wrap_fdopen(int fd, const char *mode);
int __wrap_fileno(FILE *file);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstatat(int directory, const char *path, struct stat *st, int flags);
int __wrap_statvfs(const char *path, struct statvfs *st);

/* ---- which file it is ---- */

static bool path_of_fd(int fd, char out[DISK_PATH])
{
	char link[40];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t len = readlink(link, out, DISK_PATH - 1);
	if (len <= 0)
		return false;
	out[len] = '\0';
	char *deleted = strstr(out, " (deleted)");
	if (deleted)
		*deleted = '\0';
	return true;
}

/* Absolute, where it is of the disk. */
static bool absolute(char out[DISK_PATH], int directory, const char *path)
{
	char base[DISK_PATH] = "";
	if (path[0] == '/') {
		(void)snprintf(out, DISK_PATH, "%s", path);
	} else {
		if (directory == AT_FDCWD || !path_of_fd(directory, base))
			return false; /* the program's own paths are absolute */
		int len = snprintf(out, DISK_PATH, "%s/%s", base, path);
		if (len < 0 || len >= DISK_PATH)
			die("a path is longer than DISK_PATH: %s", path);
	}
	return disk_holds_path(out);
}

static ssize_t read_fd(void *ctx, void *buffer, size_t len, off_t at)
{
	/* It may be open for writing only. */
	ssize_t got = pread(*(int *)ctx, buffer, len, at);
	if (got >= 0 || errno != EBADF)
		return got;
	char link[40];
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", *(int *)ctx);
	int fd = __real_open(link, O_RDONLY | O_CLOEXEC);
	got = fd < 0 ? -1 : pread(fd, buffer, len, at);
	if (fd >= 0)
		(void)close(fd);
	return got;
}

/* A regular file of the disk, with its path. */
static bool of_disk(int fd, struct stat *st, char path[DISK_PATH])
{
	return __real_fstat(fd, st) == 0 && S_ISREG(st->st_mode) && disk_holds(st) && path_of_fd(fd, path) &&
	       disk_holds_path(path);
}

static int failed(int why)
{
	errno = why;
	return -1;
}

/* ---- bytes ---- */

/* The time of a change is the run's. */
static void stamp(int fd)
{
	const struct timespec at[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = fault_time()}};
	(void)futimens(fd, at);
}

static ssize_t write_at(int fd, const void *buffer, size_t len, off_t at, bool moves)
{
	struct stat st;
	char path[DISK_PATH];
	if (disk_is_outside()) {
		ssize_t put = moves ? __real_write(fd, buffer, len) : __real_pwrite(fd, buffer, len, at);
		if (__real_fstat(fd, &st) == 0 && disk_holds(&st))
			stamp(fd);
		return put;
	}
	if (!of_disk(fd, &st, path))
		return moves ? __real_write(fd, buffer, len) : __real_pwrite(fd, buffer, len, at);
	int why = disk_step("write", path, &len);
	if (why)
		return failed(why);
	if (moves)
		at = fcntl(fd, F_GETFL) & O_APPEND ? st.st_size : lseek(fd, 0, SEEK_CUR);
	const struct disk_bytes bytes = {.read = read_fd, .ctx = &fd, .size = st.st_size};
	disk_changes(disk_file(st.st_ino, path), &bytes, at, len);
	ssize_t put = moves ? __real_write(fd, buffer, len) : __real_pwrite(fd, buffer, len, at);
	stamp(fd);
	return put;
}

ssize_t __wrap_write(int fd, const void *buffer, size_t len)
{
	if (fd == STDERR_FILENO) { /* the log */
		if (fault_tracing())
			fault_trace("log %.*s", (int)(len ? len - 1 : 0), (const char *)buffer);
		return (ssize_t)len;
	}
	return write_at(fd, buffer, len, 0, true);
}

ssize_t __wrap_pwrite(int fd, const void *buffer, size_t len, off_t at)
{
	return write_at(fd, buffer, len, at, false);
}

ssize_t __wrap_read(int fd, void *buffer, size_t len)
{
	struct stat st;
	char path[DISK_PATH];
	if (!disk_is_outside() && of_disk(fd, &st, path) && disk_read_step(path))
		return failed(EIO);
	return __real_read(fd, buffer, len);
}

static int sync_fd(int fd)
{
	struct stat st;
	char path[DISK_PATH];
	if (__real_fstat(fd, &st) != 0)
		return -1;
	if (disk_is_outside())
		return 0;
	if (!disk_holds(&st) || !path_of_fd(fd, path))
		return 0;
	if (disk_sync_step(path)) {
		const struct disk_bytes bytes = {.read = read_fd, .ctx = &fd, .size = st.st_size};
		if (S_ISREG(st.st_mode))
			disk_sync_failed(disk_file(st.st_ino, path), &bytes);
		return failed(EIO);
	}
	if (S_ISDIR(st.st_mode))
		disk_directory_synced(path);
	else
		disk_synced(disk_file(st.st_ino, path));
	return 0;
}

int __wrap_fsync(int fd)
{
	return sync_fd(fd);
}

int __wrap_fdatasync(int fd)
{
	return sync_fd(fd);
}

int __wrap_syncfs(int fd)
{
	char path[DISK_PATH];
	if (path_of_fd(fd, path) && disk_sync_step(path))
		return failed(EIO);
	disk_all_synced();
	return 0;
}

int __wrap_ftruncate(int fd, off_t size)
{
	struct stat st;
	char path[DISK_PATH];
	if (!disk_is_outside() && of_disk(fd, &st, path) && size != st.st_size) {
		int why = disk_step("truncate", path, NULL);
		if (why)
			return failed(why);
		const struct disk_bytes bytes = {.read = read_fd, .ctx = &fd, .size = st.st_size};
		disk_cuts(disk_file(st.st_ino, path), &bytes, size);
	}
	return __real_ftruncate(fd, size);
}

/* ---- names ---- */

static int open_path(int directory, const char *path, int flags, mode_t mode)
{
	char whole[DISK_PATH];
	struct stat st;
	bool ours = (flags & (O_CREAT | O_TRUNC)) && absolute(whole, directory, path);
	if (!ours)
		return __real_openat(directory, path, flags, mode);
	bool there = __real_lstat(whole, &st) == 0;
	bool cuts = there && (flags & O_TRUNC) && S_ISREG(st.st_mode) && st.st_size > 0;
	if (!there || cuts) {
		int why = disk_step(there ? "truncate" : "create", whole, NULL);
		if (why)
			return failed(why);
	}
	if (cuts) {
		int fd = __real_open(whole, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			return -1;
		int done = __wrap_ftruncate(fd, 0);
		(void)close(fd);
		if (done != 0)
			return -1;
	}
	int fd = __real_openat(directory, path, flags, mode);
	if (fd >= 0 && !there) {
		disk_created(whole);
		stamp(fd);
	}
	return fd;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_path(AT_FDCWD, path, flags, mode);
}

int __wrap_openat(int directory, const char *path, int flags, ...)
{
	va_list args;
	va_start(args, flags);
	mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_path(directory, path, flags, mode);
}

/* The system's names are chance; these follow from the run. */
int __wrap_mkostemps(char *name, int ending, int flags)
{
	static const char digits[] = "0123456789";
	char *at = name + strlen(name) - (size_t)ending - 6;
	for (int tries = 0; tries < 1000; tries++) {
		uint64_t number = disk_next_name();
		for (int i = 5; i >= 0; i--, number /= 10)
			at[i] = digits[number % 10];
		int fd = open_path(AT_FDCWD, name, O_RDWR | O_CREAT | O_EXCL | flags, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
	}
	return failed(EEXIST);
}

int __wrap_mkostemp(char *name, int flags)
{
	return __wrap_mkostemps(name, 0, flags);
}

int __wrap_mkdirat(int directory, const char *path, mode_t mode)
{
	char whole[DISK_PATH];
	if (!absolute(whole, directory, path))
		return __real_mkdirat(directory, path, mode);
	int why = disk_step("mkdir", whole, NULL);
	if (why)
		return failed(why);
	if (__real_mkdirat(directory, path, mode) != 0)
		return -1;
	disk_made_directory(whole);
	return 0;
}

int __wrap_mkdir(const char *path, mode_t mode)
{
	return __wrap_mkdirat(AT_FDCWD, path, mode);
}

int __wrap_renameat2(
	int from_directory, const char *from, int to_directory, const char *to, unsigned int flags)
{
	char source[DISK_PATH], target[DISK_PATH];
	struct stat st;
	bool leaves = absolute(source, from_directory, from), enters = absolute(target, to_directory, to);
	if (!leaves && !enters)
		return __real_renameat2(from_directory, from, to_directory, to, flags);
	if (!leaves || !enters)
		return failed(EXDEV);
	if (flags & RENAME_NOREPLACE && __real_lstat(target, &st) == 0)
		return failed(EEXIST);
	if (__real_lstat(source, &st) != 0)
		return -1;
	int why = disk_step("rename", target, NULL);
	return why ? failed(why) : disk_rename(source, target);
}

int __wrap_renameat(int from_directory, const char *from, int to_directory, const char *to)
{
	return __wrap_renameat2(from_directory, from, to_directory, to, 0);
}

int __wrap_rename(const char *from, const char *to)
{
	return __wrap_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int __wrap_linkat(int from_directory, const char *from, int to_directory, const char *to, int flags)
{
	char target[DISK_PATH];
	bool ours = absolute(target, to_directory, to);
	if (ours) {
		int why = disk_step("link", target, NULL);
		if (why)
			return failed(why);
	}
	if (__real_linkat(from_directory, from, to_directory, to, flags) != 0)
		return -1;
	if (ours)
		disk_linked(target);
	return 0;
}

int __wrap_link(const char *from, const char *to)
{
	return __wrap_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

int __wrap_unlinkat(int directory, const char *path, int flags)
{
	char whole[DISK_PATH];
	struct stat st;
	if (!absolute(whole, directory, path))
		return __real_unlinkat(directory, path, flags);
	if (__real_lstat(whole, &st) != 0)
		return -1;
	int why = disk_step("unlink", whole, NULL);
	return why ? failed(why) : disk_unlink(whole);
}

int __wrap_unlink(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, 0);
}

int __wrap_remove(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, 0);
}

int __wrap_rmdir(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

/* ---- streams: their bytes pass through write() above ---- */

static ssize_t stream_read(void *cookie, char *buffer, size_t len)
{
	return __wrap_read(*(int *)cookie, buffer, len);
}

static ssize_t stream_write(void *cookie, const char *buffer, size_t len)
{
	ssize_t put = write_at(*(int *)cookie, buffer, len, 0, true);
	return put < 0 ? 0 : put;
}

static int stream_seek(void *cookie, off64_t *at, int whence)
{
	off_t there = lseek(*(int *)cookie, *at, whence);
	if (there < 0)
		return -1;
	*at = there;
	return 0;
}

static int *stream_fd[64];
static FILE *stream[64];

static int stream_close(void *cookie)
{
	int fd = *(int *)cookie;
	for (size_t i = 0; i < sizeof stream / sizeof *stream; i++)
		if (stream_fd[i] == cookie)
			stream_fd[i] = NULL;
	free(cookie);
	return close(fd);
}

FILE *__wrap_fdopen(int fd, const char *mode)
{
	struct stat st;
	if (__real_fstat(fd, &st) != 0 || !disk_holds(&st))
		return __real_fdopen(fd, mode);
	static const cookie_io_functions_t functions = {
		.read = stream_read, .write = stream_write, .seek = stream_seek, .close = stream_close};
	int *cookie = malloc(sizeof *cookie);
	FILE *file = cookie ? fopencookie(cookie, mode, functions) : NULL;
	if (!file)
		die("no stream");
	*cookie = fd;
	for (size_t i = 0; i < sizeof stream / sizeof *stream; i++) {
		if (!stream_fd[i]) {
			stream_fd[i] = cookie;
			stream[i] = file;
			return file;
		}
	}
	die("more streams than there are places");
}

int __real_fileno(FILE *file);
int __wrap_fileno(FILE *file)
{
	for (size_t i = 0; i < sizeof stream / sizeof *stream; i++)
		if (stream_fd[i] && stream[i] == file)
			return *stream_fd[i];
	return __real_fileno(file);
}

/* ---- looking ---- */

/* The time of the change of an inode is the system's and would be chance. */
static int looked(int done, struct stat *st)
{
	if (done == 0 && disk_holds(st))
		st->st_ctim = st->st_mtim;
	return done;
}

int __wrap_stat(const char *path, struct stat *st)
{
	return looked(__real_stat(path, st), st);
}

int __wrap_lstat(const char *path, struct stat *st)
{
	return looked(__real_lstat(path, st), st);
}

int __wrap_fstat(int fd, struct stat *st)
{
	return looked(__real_fstat(fd, st), st);
}

int __wrap_fstatat(int directory, const char *path, struct stat *st, int flags)
{
	return looked(__real_fstatat(directory, path, st, flags), st);
}

int __wrap_statvfs(const char *path, struct statvfs *st)
{
	(void)path;
	*st = (struct statvfs){.f_bsize = 4096,
		.f_frsize = 4096,
		.f_bavail = 1 << 22,
		.f_bfree = 1 << 22,
		.f_blocks = 1 << 23};
	return 0;
}
