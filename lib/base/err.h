/*
 * err.h - what went wrong, as one complete sentence
 *
 * A function that can fail takes a `struct err *` last and returns an `enum rc`. On failure it sets
 * the error (one English sentence: what, where, how to mend; never a secret, never personal data);
 * on success it leaves it alone. Codes are sorted by what the caller does next and are the exit
 * codes of the programs at the same time.
 */
#ifndef SENGEN_ERR_H
#define SENGEN_ERR_H

#include <stdarg.h>

enum rc {
	RC_OK = 0,
	RC_REFUSED = 1, /* the answer is no, or some input was refused */
	RC_USAGE = 2, /* the caller asked for something that does not exist */
	RC_CONFIG = 3, /* configuration, templates or credentials: an administrator must act */
	RC_STORE = 4, /* the register or the disk: stop writing, alarm, try again later */
	RC_SERVER = 5, /* mail server or mailbox: try again later */
};

struct err {
	enum rc rc;
	char text[1024];
};

/* Sets rc and text (printf style, truncated at a character boundary) and returns rc. */
enum rc err_set(struct err *err, enum rc rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Puts "prefix: " before the text already there, and returns the rc already there. */
enum rc err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What strerror(3) says, in English whatever the locale of the process is: it stands within English sentences. */
const char *errno_text(int number);

/* Out of memory and broken promises of our own code end the program here, after one line on stderr. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Short English name of a code: "refused", "config", ... */
const char *rc_name(enum rc rc);

#endif
