/*
 * confine.h - takes from a process whatever reading bytes does not need
 *
 * After child_confine() the process has no network, opens nothing, starts nothing and writes only to descriptors it already holds; any other
 * system call kills it (seccomp), but for opening a file to read, which is refused: libraries look for what they can do without. Where the kernel
 * has Landlock, files are out of reach by that, too. Memory and CPU time are bounded, and an alarm ends it at last. There is no way back.
 */
#ifndef SENGEN_CONFINE_H
#define SENGEN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/err.h"

struct confine_limits {
	size_t memory_bytes; /* address space */
	unsigned cpu_seconds;
	unsigned wall_seconds; /* a last stop; the role that waits has shorter limits of its own */
};

/* Landlock (landlock(7)): from here on the process can't reach a file by any name, whatever the filter of system calls may have missed. False: the kernel has
 * none, and the filter stands alone. Needs and sets no_new_privs. */
bool confine_files(void);
bool confine_has_landlock(void);

/* Makes the filter, so that children need not; child_confine() does it where it was not done. */
enum rc confine_prepare(struct err *err);
enum rc child_confine(const struct confine_limits *limits, struct err *err);

#endif
