/*
 * memfile.h - bytes that travel between processes as a sealed memory file
 *
 * memfd_create(2) with all seals set: whoever holds the descriptor can read it, nobody can change, shorten or lengthen it any more. So the receiver may look
 * at the bytes twice, and pass the same descriptor on.
 */
#ifndef SENGEN_MEMFILE_H
#define SENGEN_MEMFILE_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

/* *fd: close-on-exec, sealed. RC_STORE. */
enum rc memfile_make(int *fd, const void *bytes, size_t len, struct err *err);
/* Checks what came from another process: a memory file, all seals set, at most limit bytes. RC_REFUSED; *size is then -1 unless it is only too large. The file's offset is neither used nor moved. */
enum rc memfile_check(int fd, int64_t limit, int64_t *size, struct err *err);
/* Checks, and appends the bytes to out. */
enum rc memfile_read(struct str *out, int fd, int64_t limit, struct err *err);

#endif
