/*
 * taken_over.h - what a child that was taken over would try
 *
 * Linked only into tests, with --wrap (Makefile, TAKEN_OVER): the child's own reading or sending is replaced, so that it is forked by the real zygote, confined by the
 * real code, and then does a deed of the table below, chosen by a marker in what it was given to read or send. Nothing of this is in the programs that are shipped.
 */
#ifndef SENGEN_TESTS_TAKEN_OVER_H
#define SENGEN_TESTS_TAKEN_OVER_H

#include <stdbool.h>
#include <stddef.h>

#define TAKEN_OVER_MARK "TAKEN-OVER=" /* then the name of a deed */

enum taken_over_who {
	TAKEN_READER = 1,
	TAKEN_LINE = 2,
	TAKEN_MAILDIR = 4,
	TAKEN_PDF = 8,
	TAKEN_ROLE = 16,
	TAKEN_DESK = 32 /* besides */
};

struct deed {
	const char *name;
	int (*does)(
		void); /* -1 with errno: it was refused; another value: it worked. It may also never return */
	unsigned may; /* enum taken_over_who: theirs is the task that takes it */
};
extern const struct deed deeds[];
extern const size_t deed_count;

/* Where what they try lies; a process forked later finds it. */
struct deed_places {
	const char *secret; /* a file to read, a register in place of it */
	const char *directory; /* to write into */
	const char *local_socket; /* somebody listens there */
	const char *abstract_socket; /* likewise, without the leading NUL */
	int tcp_port; /* somebody listens there on loopback, not the line's own server */
	int parent; /* process to harm; not the real parent where that is the test */
};
extern struct deed_places deed_places;
/* The same for a program that is started later: its children find them in its environment. */
void deed_places_pass(void);

/* Does the deed that the bytes name; false: they name none. what: "refused: …" or "worked", where it comes back at all. */
bool taken_over_by(const char *bytes, size_t len, char *what, size_t size);

#endif
