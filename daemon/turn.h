/*
 * turn.h - the roles one after the other in one process: --once, and the ground of a simulation
 */
#ifndef SENGEN_TURN_H
#define SENGEN_TURN_H

#include "daemon/role.h"

#define TURN_ROLES                                                                                           \
	5 /* intake, mailbox, scheduler, sender, desk: control answers people, and nobody asks here */

struct turn {
	struct role_context house; /* owns settings, secrets, store and zygote */
	struct role_context ctx[TURN_ROLES]; /* borrow them; each has its office and state of its own */
	const struct role *role[TURN_ROLES];
	int lock[TURN_ROLES];
	int started;
};

/* clock: the system's or a virtual one (then the store is a simulated one). simulating: nobody is asked and nothing brought to disk; false on a
 * virtual clock: it works as in service, which is how faults are tried (tests/faults). */
enum rc turn_open(struct turn *turn, const char *config, const struct clock *clock, const struct rng *rng,
	bool simulating, struct err *err);
/* Runs all roles until none has anything to do at `now` and nothing new was written into the history. *next: the earliest moment one of them
 * wants to run again. A role that fails is left out for this pass; the first error is returned at the end. */
enum rc turn_pass(struct turn *turn, utc_time now, utc_time *next, struct err *err);
void turn_close(struct turn *turn);

/* sengend --once: everything that can be done now, then the end. */
enum rc once_run(const char *config);

#endif
