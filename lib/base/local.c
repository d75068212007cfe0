#include "lib/base/local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/str.h"

/* Fills the address; *dir is a descriptor to close afterwards, -1: none was needed. */
static bool address_of(struct sockaddr_un *address, const char *path, int *dir)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*dir = -1;
	if (strlen(path) < sizeof address->sun_path) {
		memcpy(address->sun_path, path, strlen(path) + 1);
		return true;
	}
	const char *slash = strrchr(path, '/');
	if (!slash) {
		errno = ENAMETOOLONG;
		return false;
	}
	char *parent = xstrndup(path, (size_t)(slash - path));
	*dir = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(parent);
	if (*dir < 0)
		return false;
	int len =
		snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *dir, slash + 1);
	if (len > 0 && (size_t)len < sizeof address->sun_path)
		return true;
	(void)close(*dir);
	errno = ENAMETOOLONG;
	return false;
}

typedef int address_fn(int fd, const struct sockaddr *address, socklen_t len);

static int with_address(int fd, const char *path, address_fn *call)
{
	struct sockaddr_un address;
	int dir;
	if (!address_of(&address, path, &dir))
		return -1;
	int rc = call(fd, (const struct sockaddr *)&address, sizeof address);
	int saved = errno;
	if (dir >= 0)
		(void)close(dir);
	errno = saved;
	return rc;
}

/* A socket left by a process that died is in the way of bind(); nothing but a socket is removed. */
static void remove_old_socket(const char *path)
{
	struct stat st;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		(void)unlink(path);
}

static enum rc bind_at(int *fd, const char *path, int type, mode_t mode, struct err *err)
{
	*fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return err_set(err, RC_CONFIG, "No socket could be made: %s.", errno_text(errno));
	remove_old_socket(path);
	/* The mode is set before anybody can connect: bind() makes it under the umask. */
	mode_t old = umask(0777 & ~mode);
	int rc = with_address(*fd, path, bind);
	int saved = errno;
	(void)umask(old);
	if (rc == 0)
		return RC_OK;
	(void)close(*fd);
	*fd = -1;
	return err_set(err, RC_CONFIG,
		"The socket %s could not be made: %s. The directory must exist and belong to the daemon.",
		path, errno_text(saved));
}

enum rc local_receive_at(int *fd, const char *path, mode_t mode, struct err *err)
{
	return bind_at(fd, path, SOCK_DGRAM, mode, err);
}

enum rc local_listen(int *fd, const char *path, mode_t mode, struct err *err)
{
	enum rc rc = bind_at(fd, path, SOCK_STREAM, mode, err);
	if (!rc && listen(*fd, 32) != 0) {
		rc = err_set(err, RC_CONFIG, "%s: listening failed: %s.", path, errno_text(errno));
		(void)close(*fd);
		*fd = -1;
	}
	return rc;
}

enum rc local_connect(int *fd, const char *path, struct err *err)
{
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd < 0)
		return err_set(err, RC_CONFIG, "No socket could be made: %s.", errno_text(errno));
	if (with_address(*fd, path, connect) == 0)
		return RC_OK;
	int saved = errno;
	(void)close(*fd);
	*fd = -1;
	return err_set(err, saved == EACCES ? RC_CONFIG : RC_REFUSED,
		"Nobody answers at %s: %s. Is sengend running, and may you talk to it?", path,
		errno_text(saved));
}

void local_send(const char *path, const void *bytes, size_t len)
{
	struct sockaddr_un address;
	int dir;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && address_of(&address, path, &dir)) {
		(void)sendto(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&address,
			sizeof address);
		if (dir >= 0)
			(void)close(dir);
	}
	if (fd >= 0)
		(void)close(fd);
}
