/*
 * role.h - a role: a function step(now) that does a bounded piece of work and says when it wants to run next
 *
 * The same step runs as a service, once through (--once) and on the virtual clock (--simulate-until). Roles meet only in the store; a
 * datagram on the socket of a role in the runtime directory tells it that there is work.
 */
#ifndef SENGEN_ROLE_H
#define SENGEN_ROLE_H

#include "lib/office/office.h"

struct role_context {
	struct office office; /* store, settings, secrets, clock, rng */
	struct settings *settings;
	struct secrets secrets;
	struct clock clock;
	struct rng rng;
	int zygote; /* socket to the zygote (zygote.h); -1: none */
	bool simulating; /* on the virtual clock */
	bool in_turn; /* --once and simulation: nobody wakes the role, a step waits for its children's answers before it returns */
	void *state; /* the role's own */
};

struct role {
	const char *name; /* "intake" */
	bool wants_dkim; /* reads DKIM keys */
	bool writes; /* opens the store for writing */
	enum rc (*start)(struct role_context *ctx, struct err *err);
	/* Does a bounded piece of work. *next: when to run again (a time at or before now: at once; UTC_NEVER: when woken). */
	enum rc (*step)(struct role_context *ctx, utc_time now, utc_time *next, struct err *err);
	/* SIGTERM: claim nothing more, wait for what is in flight until the deadline. */
	void (*stop)(struct role_context *ctx, int64_t deadline_ms);
	void (*reload)(struct role_context *ctx); /* after new settings were put into ctx */
	/* Descriptors whose readiness wakes the role; count written. May be NULL. */
	int (*watch)(struct role_context *ctx, int *fd, int max);
};

extern const struct role role_intake, role_scheduler, role_sender, role_control;
extern const struct role *const roles[]; /* NULL ends */

/* Tells another role that there is work; lost when it does not run (it looks by itself anyway). */
void role_wake(const struct settings *settings, const char *name);

#endif
