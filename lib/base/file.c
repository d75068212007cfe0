#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum rc file_read_fd(struct str *out, int fd, size_t limit, struct err *err)
{
	struct stat st;
	size_t start = out->len;
	if (fstat(fd, &st) != 0)
		return err_set(err, RC_STORE, "A file could not be looked at: %s.", errno_text(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, RC_REFUSED, "It is not a regular file; put a plain file there.");
	if (st.st_size > 0 && (size_t)st.st_size > limit)
		return err_set(err, RC_REFUSED, "The file has %lld bytes; at most %zu are read.",
			(long long)st.st_size, limit);
	for (;;) {
		/* One byte more than the limit is asked for: the file may be growing. */
		size_t want = limit + 1 - (out->len - start);
		if (want > 65536)
			want = 65536;
		str_grow(out, want);
		ssize_t got = read(fd, out->s + out->len, want);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			str_cut(out, start);
			return err_set(err, RC_STORE, "A file could not be read: %s.", errno_text(errno));
		}
		out->len += (size_t)got;
		out->s[out->len] = '\0';
		if (got == 0)
			return RC_OK;
		if (out->len - start > limit) {
			str_cut(out, start);
			return err_set(err, RC_REFUSED,
				"The file is longer than the %zu bytes that are read.", limit);
		}
	}
}

enum rc file_read(struct str *out, const char *path, size_t limit, struct err *err)
{
	/* O_NONBLOCK: opening a FIFO that nobody writes to must not hang; regular files don't care. */
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		if (errno == ELOOP)
			return err_set(err, RC_REFUSED, "%s is a link; links are not followed.", path);
		return err_set(err, errno == ENOENT ? RC_REFUSED : RC_STORE, "%s could not be opened: %s.",
			path, errno_text(errno));
	}
	enum rc rc = file_read_fd(out, fd, limit, err);
	(void)close(fd);
	return rc ? err_prefix(err, "%s", path) : RC_OK;
}

int64_t file_free_mib(const char *path)
{
	struct statvfs fs;
	if (statvfs(path, &fs) != 0)
		return INT64_MAX;
	return (int64_t)(fs.f_bavail / 1024 * fs.f_frsize / 1024);
}

enum rc file_write_all(int fd, const void *bytes, size_t len, struct err *err)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t put = write(fd, at, len);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return err_set(err, RC_STORE, "Writing failed: %s.", errno_text(errno));
		at += put;
		len -= (size_t)put;
	}
	return RC_OK;
}

static enum rc copy_all(int fd, int from, struct err *err)
{
	char block[65536];
	if (lseek(from, 0, SEEK_SET) != 0)
		return err_set(err, RC_STORE, "A temporary file could not be read: %s.", errno_text(errno));
	for (;;) {
		ssize_t got = read(from, block, sizeof block);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_set(
				err, RC_STORE, "A temporary file could not be read: %s.", errno_text(errno));
		if (got == 0)
			return RC_OK;
		enum rc rc = file_write_all(fd, block, (size_t)got, err);
		if (rc)
			return rc;
	}
}

static enum rc write_temporary(
	int fd, const void *bytes, size_t len, int behind_fd, mode_t mode, bool sync, struct err *err)
{
	enum rc rc = file_write_all(fd, bytes, len, err);
	if (rc == RC_OK && behind_fd >= 0)
		rc = copy_all(fd, behind_fd, err);
	if (rc)
		return rc;
	if (fchmod(fd, mode) != 0 || (sync && fsync(fd) != 0))
		return err_set(err, RC_STORE, "Writing failed: %s.", errno_text(errno));
	return RC_OK;
}

/* "dir/" of a path, "." when it has none. */
static void add_directory_of(struct str *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	if (slash == path)
		str_addc(out, '/');
	else if (slash)
		str_add(out, path, (size_t)(slash - path));
	else
		str_addc(out, '.');
}

enum rc file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct err *err)
{
	return file_write_joined(path, bytes, len, -1, mode, true, err);
}

enum rc file_write_joined(const char *path, const void *bytes, size_t len, int behind_fd, mode_t mode,
	bool sync, struct err *err)
{
	struct str dir = STR_INIT, name = STR_INIT;
	add_directory_of(&dir, path);
	/* The leading dot and .tmp keep it out of the sight of whoever scans the directory. */
	str_printf(&name, "%s/.%s.XXXXXX.tmp", dir.s, path_base(path));

	enum rc rc;
	int fd = mkostemps(name.s, 4, O_CLOEXEC);
	if (fd < 0) {
		rc = err_set(err, RC_STORE, "No file could be made in %s: %s.", dir.s, errno_text(errno));
		goto done;
	}
	rc = write_temporary(fd, bytes, len, behind_fd, mode, sync, err);
	if (close(fd) != 0 && rc == RC_OK)
		rc = err_set(err, RC_STORE, "Writing failed: %s.", errno_text(errno));
	if (rc == RC_OK && rename(name.s, path) != 0)
		rc = err_set(
			err, RC_STORE, "The new file could not be put in its place: %s.", errno_text(errno));
	if (rc != RC_OK) {
		(void)unlink(name.s);
		(void)err_prefix(err, "%s", path);
		goto done;
	}
	if (sync)
		rc = file_sync_dir(dir.s, err);
done:
	str_free(&dir);
	str_free(&name);
	return rc;
}

#define TEMPORARY_TRIES 100

/* A temporary name that nothing has. */
static int create_at(int directory, struct str *temporary, const char *name)
{
	int fd = -1;
	for (int i = 0; i < TEMPORARY_TRIES && fd < 0; i++) {
		str_clear(temporary);
		str_printf(temporary, ".%s.%d-%d.tmp", name, (int)getpid(), i);
		fd = openat(
			directory, temporary->s, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

enum rc file_write_at(
	int directory, const char *name, const void *bytes, size_t len, mode_t mode, struct err *err)
{
	struct str temporary = STR_INIT;
	int fd = create_at(directory, &temporary, name);
	enum rc rc = fd < 0 ? err_set(err, RC_STORE, "No file could be made: %s.", errno_text(errno))
			    : write_temporary(fd, bytes, len, -1, mode, true, err);
	if (fd >= 0 && close(fd) != 0 && rc == RC_OK)
		rc = err_set(err, RC_STORE, "Writing failed: %s.", errno_text(errno));
	if (rc == RC_OK && renameat(directory, temporary.s, directory, name) != 0)
		rc = err_set(
			err, RC_STORE, "The new file could not be put in its place: %s.", errno_text(errno));
	if (rc != RC_OK && fd >= 0)
		(void)unlinkat(directory, temporary.s, 0);
	if (rc == RC_OK && fsync(directory) != 0 && errno != EINVAL)
		rc = err_set(err, RC_STORE, "The directory could not be synced: %s.", errno_text(errno));
	str_free(&temporary);
	return rc ? err_prefix(err, "%s", name) : RC_OK;
}

/* One component; *fd becomes it. */
static enum rc step_into(int *fd, const char *name, mode_t mode, struct err *err)
{
	/* Opened first: see file_mkdirs(). */
	int next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (next < 0 && errno == ENOENT && (mkdirat(*fd, name, mode) == 0 || errno == EEXIST))
		next = openat(*fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Its name, see file_mkdirs(); always, for one that a process made before it died is not on the disk either. */
	if (next >= 0 && fsync(*fd) != 0 && errno != EINVAL) {
		(void)close(next);
		next = -1;
	}
	int fault = errno;
	(void)close(*fd);
	*fd = next;
	if (next >= 0)
		return RC_OK;
	if (fault == ELOOP || fault == ENOTDIR)
		return err_set(err, RC_STORE,
			"%s is a link, or no directory; links are not followed, take it away.", name);
	return err_set(err, RC_STORE, "The directory %s could not be opened: %s.", name, errno_text(fault));
}

enum rc file_open_below(int *out, const char *directory, const char *relative, mode_t mode, struct err *err)
{
	enum rc rc = file_mkdirs(directory, mode, err);
	int fd = rc ? -1 : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rc == RC_OK && fd < 0)
		rc = err_set(err, RC_STORE, "It could not be opened: %s.", errno_text(errno));
	for (const char *at = relative; rc == RC_OK && *at;) {
		size_t len = strcspn(at, "/");
		char *name = xstrndup(at, len);
		rc = step_into(&fd, name, mode, err);
		free(name);
		at += len + (at[len] == '/');
	}
	*out = rc == RC_OK ? fd : -1;
	return rc ? err_prefix(err, "%s", directory) : RC_OK;
}

/* A new name is on the disk when its directory is. Where that may not be opened it must do without. */
static enum rc sync_parent(const char *path, struct err *err)
{
	struct str dir = STR_INIT;
	add_directory_of(&dir, path);
	enum rc rc = access(dir.s, R_OK) == 0 ? file_sync_dir(dir.s, err) : RC_OK;
	str_free(&dir);
	return rc;
}

enum rc file_mkdirs(const char *path, mode_t mode, struct err *err)
{
	struct str part = STR_INIT;
	enum rc rc = RC_OK;
	const char *at = path;
	do {
		at = strchrnul(at + 1, '/');
		str_clear(&part);
		str_add(&part, path, (size_t)(at - path));
		struct stat st;
		/* Looked at first: where making setgid directories is forbidden (RestrictSUIDSGID=), asking fails with EPERM even for one
		 * that is there. */
		if (stat(part.s, &st) == 0 && S_ISDIR(st.st_mode))
			continue;
		bool made = mkdir(part.s, mode) == 0;
		if (made)
			rc = sync_parent(part.s, err);
		else if ((errno != EEXIST || stat(part.s, &st) != 0 || !S_ISDIR(st.st_mode)))
			rc = err_set(err, RC_STORE, "The directory %s could not be made: %s.", part.s,
				errno == EEXIST ? "something else has that name" : errno_text(errno));
		if (made && rc != RC_OK)
			(void)rmdir(part.s); /* made anew, and synced, by whoever tries again */
	} while (rc == RC_OK && *at);
	str_free(&part);
	return rc;
}

enum rc file_sync_system(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum rc rc = RC_OK;
	if (fd < 0 || syncfs(fd) != 0)
		rc = err_set(
			err, RC_STORE, "The disk of %s could not be synced: %s.", path, errno_text(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

enum rc file_sync_dir(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(
			err, RC_STORE, "The directory %s could not be opened: %s.", path, errno_text(errno));
	enum rc rc = RC_OK;
	/* Some network shares can't sync a directory and say EINVAL; there is nothing better to do there. */
	if (fsync(fd) != 0 && errno != EINVAL)
		rc = err_set(
			err, RC_STORE, "The directory %s could not be synced: %s.", path, errno_text(errno));
	(void)close(fd);
	return rc;
}

void path_join(struct str *out, const char *dir, const char *name)
{
	str_addz(out, dir);
	if (!*dir || !str_has_suffix(dir, "/"))
		str_addc(out, '/');
	str_addz(out, name);
}

const char *path_base(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

enum rc file_list_dir(struct strlist *names, const char *path, struct err *err)
{
	DIR *dir = opendir(path);
	if (!dir)
		return err_set(
			err, RC_STORE, "The directory %s could not be opened: %s.", path, errno_text(errno));
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strlist_add(names, entry->d_name);
	}
	enum rc rc = RC_OK;
	if (errno)
		rc = err_set(
			err, RC_STORE, "The directory %s could not be read: %s.", path, errno_text(errno));
	(void)closedir(dir);
	strlist_sort(names);
	return rc;
}
