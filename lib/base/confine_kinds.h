/*
 * confine_kinds.h - the kinds of processes and what each may do; for confine.c and for tools/filters.c
 *
 * tools/filters.c makes each kind's filter of system calls out of its groups, when sengen is built: no process makes its own at its start, or loads what makes them.
 */
#ifndef SENGEN_CONFINE_KINDS_H
#define SENGEN_CONFINE_KINDS_H

#include <linux/filter.h>

#include "lib/base/confine.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 /* maps terabytes, and looks for leaks by tracing itself */
#else
#define SANITIZED 0
#endif

enum { /* groups of system calls */
	MEMORY = 1 << 0, /* reading an open file from memory and talking over an open socket */
	SELF = 1 << 1, /* time, signals, waiting, asking about itself */
	READING = 1 << 2, /* files, to read */
	WRITING = 1 << 3,
	LOCAL = 1 << 4, /* sockets of this machine */
	LISTENING = 1 << 5, /* others connect to them */
	NETWORK = 1 << 6,
	WATCHING = 1 << 7, /* directories */
	THREADS = 1 << 8,
	FORKING = 1 << 9,
	PROGRAMS = 1 << 10, /* starting one, and what its start takes */
	CONFINING = 1 << 11, /* itself or the children further */
	MEMFILES =
		1
		<< 13, /* messages on their way; the desk has none, since Landlock lets such a file be started as a program */
	LIBRARIES = 1 << 12, /* mapping code from files: the C library's own for names of users */
};

struct confined_kind {
	const char *name; /* a role's */
	unsigned groups;
	bool kills; /* what is not in the list */
	bool is_child; /* has no use for root's rights */
	bool is_kept; /* signals and abstract sockets stay inside */
};
extern const struct confined_kind confined_kinds[CONFINED_COUNT];

struct confined_filter { /* struct sock_fprog, of what is never written */
	unsigned short len;
	const struct sock_filter *filter;
};
extern const struct confined_filter confined_filters[CONFINED_COUNT]; /* made by tools/filters.c */

#endif
