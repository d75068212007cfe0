/*
 * zipped.h - Word files inside a ZIP that came by mail
 *
 * Reads at most one: several are for a person. Limits on entries and expanded bytes; what lies deeper (a ZIP in a ZIP) is not opened.
 */
#ifndef SENGEN_ZIPPED_H
#define SENGEN_ZIPPED_H

#include "lib/base/err.h"
#include "lib/base/pool.h"

struct zipped {
	const char *name; /* of the entry, as found */
	const char *bytes;
	size_t len;
};

/* RC_REFUSED: it can't be read, is encrypted, is over a limit, or does not hold exactly one Word file; err says which. */
enum rc zipped_word_file(
	struct zipped *out, const char *bytes, size_t len, struct pool *pool, struct err *err);

#endif
