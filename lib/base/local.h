/*
 * local.h - sockets in the file system, for programs on the same machine (unix(7))
 *
 * A path too long for sockaddr_un (107 bytes) is reached through a descriptor of its directory. All sockets are close-on-exec.
 */
#ifndef SENGEN_LOCAL_H
#define SENGEN_LOCAL_H

#include <sys/types.h>

#include "lib/base/err.h"

/* A bound datagram socket, not blocking, in place of whatever socket stood there. RC_CONFIG: the directory is missing or not ours. */
enum rc local_receive_at(int *fd, const char *path, mode_t mode, struct err *err);
/* A listening stream socket, not blocking. */
enum rc local_listen(int *fd, const char *path, mode_t mode, struct err *err);
/* A connected stream socket, blocking. RC_REFUSED: nobody listens there. RC_CONFIG: this user may not. */
enum rc local_connect(int *fd, const char *path, struct err *err);
/* One datagram, never waiting; lost when nobody receives there. */
void local_send(const char *path, const void *bytes, size_t len);

#endif
