/*
 * owner.h - whose file it is, and what that person may do
 *
 * A decision file is decided by the owner of the file; the register keeps the owner as text, "1000(sato)", and the history as the actor
 * "staff:1000(sato)". A file that others may write to (the owner's private group does not count) is nobody's decision: its text has OWNER_SHARED behind it.
 */
#ifndef SENGEN_OWNER_H
#define SENGEN_OWNER_H

#include <sys/types.h>

#include "daemon/spool.h"
#include "lib/base/pool.h"
#include "lib/settings.h"

#define OWNER_SHARED ", others may write"

struct owner {
	bool known; /* the text names one, and only that one could write the file */
	bool shared; /* others could */
	uid_t uid;
	const char *name; /* of the account; the number where the machine has no such account any more */
};

/* The text for the register, in pool. */
const char *owner_text(const struct spool_taken *taken, struct pool *pool);
struct owner owner_read(const char *text, struct pool *pool);
/* What the groups of that account allow. */
enum right owner_right(const struct settings *settings, const struct owner *owner);
/* An account that no person has: a share that writes everybody's files as one user looks like that. */
bool owner_is_service(const struct owner *owner);

#endif
