/*
 * confine.h - takes from a process whatever its task does not need; there is no way back
 *
 * Every kind of process has a line in one table (confine_kinds.c): the groups of system calls it may make, what becomes of the others, and whether it may meet a network. The
 * files it may reach are places that its starter names (daemon/places.h), for Landlock (landlock(7)). No kind has both: who may open a network socket has no register.
 *
 * What becomes of a call that is not in the list:
 * - A reader (it reads bytes from outside) is killed, but for looking for a file to read, which is refused: libraries look for what they can do without. It was forked for
 *   this one mail or file; its death costs that, no more.
 * - Any other kind gets EPERM and goes on, and the kernel's audit log names the call. A role or a line that died of a call that a new C library makes by itself would be a
 *   dead office, at each start again; refused, the call has done no more than if it had killed. What only somebody would call who has taken the process over (`deadly` in
 *   tools/filters.c: tracing others, starting programs, mounts, namespaces, kernel modules, keys, io_uring …) kills all the same.
 *
 * Files: on a kernel without Landlock the filter stands alone. Before interface 2 (Linux 5.19) nothing can be moved between directories under it, so a process that writes
 * files does without; from 4 on a line reaches the port of its server only, from 6 on abstract sockets and signals are kept inside. confine_print() says what there is.
 *
 * Nothing here fails for want of privilege: what can't be given up is not there. A process that runs as root keeps what lets root into files of others (a container's roles
 * do), unless it is a child without files of its own.
 */
#ifndef SENGEN_CONFINE_H
#define SENGEN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

enum confined {
	CONFINED_READER, /* reads one mail, or form files: nothing but memory and its socket */
	CONFINED_TRANSPORT, /* a line to the mail server */
	CONFINED_MAILBOX_LINE, /* a line to the mailbox */
	CONFINED_MAILDIR, /* the same two without a server: files of one directory, no network */
	CONFINED_SLEEPER, /* becomes a zygote's program when a child is wanted: may what they and their children may */
	CONFINED_ZYGOTE, /* forks readers */
	CONFINED_ZYGOTE_LINES, /* forks readers and lines, so it may what they may */
	CONFINED_INTAKE,
	CONFINED_MAILBOX,
	CONFINED_SCHEDULER,
	CONFINED_SENDER,
	CONFINED_DESK, /* starts sengen-pdf */
	CONFINED_CONTROL,
	CONFINED_TURN, /* all roles in one process: sengend --once, simulation */
	CONFINED_PDF, /* draws, started by the desk or a person */
	CONFINED_COUNT
};

/* A role's kind by its name. CONFINED_COUNT: there is none. */
enum confined confined_role(const char *name);

struct confine_limits { /* 0: none */
	size_t memory_bytes; /* address space; not under a sanitizer, which maps terabytes */
	unsigned cpu_seconds;
	unsigned wall_seconds; /* a last stop; the role that waits has shorter limits of its own */
	size_t file_bytes; /* of a file written */
	bool no_files; /* no file is written, no descriptor made */
};

/* ---- places: files and directories within reach ---- */

enum confine_access {
	CONFINE_READ = 1,
	CONFINE_WRITE = 2 /* and read */,
	CONFINE_EXECUTE = 4 /* and read */
};

struct confine_place {
	char *path; /* owned */
	unsigned access;
	dev_t device; /* of what was there when the process was confined; inode 0: nothing */
	ino_t inode;
};
struct confine_places {
	struct confine_place *place;
	size_t count;
};
/* With all that is below it, where it is a directory. What is not there is left out. path is copied; NULL and "credential:…" are passed over. */
void confine_allow(struct confine_places *places, const char *path, unsigned access);
/* The directory the file lies in: a file that is replaced by another of its name is another file, a directory stays. */
void confine_allow_beside(struct confine_places *places, const char *file, unsigned access);
void confine_places_free(struct confine_places *places);
/* The first place that is no more what it was when the process was confined (a share that was mounted anew, a directory that was replaced): it is out of reach, and only a
 * process started anew can reach what is there now. NULL: none. */
const char *confine_place_lost(const struct confine_places *places);
/* The first of `wanted` that those who were allowed `places` can't reach so. NULL: none. */
const char *confine_place_beyond(const struct confine_places *places, const struct confine_places *wanted);

/* ---- giving up ---- */

struct confinement {
	enum confined kind;
	struct confine_places *places; /* NULL: none. What they are is noted in them */
	uint16_t port; /* the only TCP port (and 53, names) that is reached, where the kernel can; 0: none */
	struct confine_limits limits;
};

/* RC_CONFIG: something could not be given up that always can; the process must end. */
enum rc confine_self(const struct confinement *confinement, struct err *err);
/* Asks the kernel what it can, so that children need not. */
void confine_prepare(void);

/* From here on Landlock does all that is asked of it. */
#define CONFINE_LANDLOCK_WHOLE 6
/* The version of Landlock's interface, 0: none. */
int confine_landlock(void);
bool confine_has_landlock(void);
/* Does Landlock keep those who write files to their places? */
bool confine_keeps_writers(void);
/* "seccomp, landlock 2: no ports, no scopes", for logs. */
void confine_print(struct str *out);

/* ---- readers, in short ---- */

enum rc child_confine(const struct confine_limits *limits, struct err *err);
/* No file at all from here on, by Landlock alone. False: the kernel has none. */
bool confine_files(void);

#endif
