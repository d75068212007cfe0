#include "daemon/memfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

enum rc memfile_make(int *fd, const void *bytes, size_t len, struct err *err)
{
	*fd = memfd_create("mail", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (*fd < 0)
		return err_set(err, RC_STORE, "No memory file could be made: %s.", errno_text(errno));
	enum rc rc = file_write_all(*fd, bytes, len, err);
	if (rc == RC_OK && fcntl(*fd, F_ADD_SEALS, ALL_SEALS) != 0)
		rc = err_set(err, RC_STORE, "A memory file could not be sealed: %s.", errno_text(errno));
	if (rc != RC_OK) {
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

enum rc memfile_check(int fd, int64_t limit, int64_t *size, struct err *err)
{
	struct stat status;
	/* Only a memory file can have them all: this refuses any other kind of file too. */
	int seals = fcntl(fd, F_GET_SEALS);
	*size = -1;
	if (seals < 0 || (seals & ALL_SEALS) != ALL_SEALS || fstat(fd, &status) != 0)
		return err_set(err, RC_REFUSED, "A message came in a file that could still be changed.");
	*size = status.st_size;
	if (*size > limit)
		return err_set(err, RC_REFUSED,
			"A message of %lld bytes is larger than the %lld that are allowed.",
			(long long)status.st_size, (long long)limit);
	return RC_OK;
}

enum rc memfile_read(struct str *out, int fd, int64_t limit, struct err *err)
{
	int64_t size;
	enum rc rc = memfile_check(fd, limit, &size, err);
	if (rc != RC_OK)
		return rc;
	str_grow(out, (size_t)size);
	for (int64_t at = 0; at < size;) {
		ssize_t n = pread(fd, out->s + out->len, (size_t)(size - at), at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, RC_STORE, "A memory file could not be read: %s.",
				n < 0 ? errno_text(errno) : "it is shorter than it says");
		out->len += (size_t)n;
		at += n;
	}
	out->s[out->len] = '\0';
	return RC_OK;
}
