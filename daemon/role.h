/*
 * role.h - a role: a function step(now) that does a bounded piece of work and says when it wants to run next
 *
 * The same step runs as a service, once through (--once) and on the virtual clock (--simulate-until). Roles meet only in the store; a
 * datagram on the socket of a role in the runtime directory tells it that there is work.
 *
 * Boot order, the same for all: role_ground() (settings), role_prepare() (its zygotes), role_confine() (places.h), role_open() (secrets, store, templates), then start(). What a
 * role needs at its start it may need again at a reload, so it starts confined. Whoever runs steps in a process that goes on to do other things does not confine it.
 */
#ifndef SENGEN_ROLE_H
#define SENGEN_ROLE_H

#include "daemon/zygote.h"
#include "lib/base/confine.h"
#include "lib/office/office.h"

struct role_context {
	struct office office; /* store, settings, secrets, clock, rng */
	struct settings *settings;
	struct rulebook *rules; /* owned until role_open(), which reads them where it is NULL */
	struct secrets secrets;
	struct clock clock;
	struct rng rng;
	struct confine_places places; /* what a confined role may reach */
	struct zygote zygote; /* of its children */
	bool simulating; /* sengend --simulate-until: see turn_open() */
	bool in_turn; /* --once and simulation: nobody wakes the role, a step waits for its children's answers before it returns */
	void *state; /* the role's own */
};

struct role {
	const char *name; /* "intake" */
	bool wants_dkim; /* reads DKIM keys */
	bool writes; /* opens the store for writing */
	int keeps_kib; /* of what it has read of the register, where it is not the store's usual */
	unsigned children; /* kinds of them (zygote.h), as bits CHILD_BIT() */
	enum rc (*start)(struct role_context *ctx, struct err *err);
	/* Does a bounded piece of work. *next: when to run again (a time at or before now: at once; UTC_NEVER: when woken).
	 * After an error the step is tried again after a growing pause. */
	enum rc (*step)(struct role_context *ctx, utc_time now, utc_time *next, struct err *err);
	/* SIGTERM: claim nothing more, wait for what is in flight until the deadline (clock_mono_ms()), free the state. */
	void (*stop)(struct role_context *ctx, int64_t deadline_ms);
	void (*reload)(struct role_context *ctx); /* after new settings were put into ctx; may be NULL */
	/* Descriptors whose readiness wakes the role; count written. May be NULL. */
	int (*watch)(struct role_context *ctx, int *fd, int max);
};

extern const struct role role_intake, role_mailbox, role_scheduler, role_sender, role_desk, role_control;
extern const struct role *const roles[]; /* in the order they run in turn; NULL ends */
const struct role *role_find(const char *name); /* NULL: there is none */

/* Tells another role that there is work; lost when it does not run (it looks by itself anyway). */
void role_wake(const struct settings *settings, const char *name);

/* What all roles stand on, once for as many as are started together: reads the configuration, makes the directories and has on the disk what a process that was killed left
 * behind. */
enum rc role_ground(struct settings **settings, const char *config, struct err *err);
/* Lays the ground where ctx->settings is NULL, and starts the zygotes of all kinds of children. */
enum rc role_prepare(struct role_context *ctx, const char *config, struct err *err);
/* The same for one role: its zygotes make the children of its table only. */
enum rc role_prepare_one(
	struct role_context *ctx, const struct role *role, const char *config, struct err *err);
/* Secrets, store, templates. The clock, rng and `simulating` of ctx are set before. */
enum rc role_open(struct role_context *ctx, bool want_dkim, bool writes, struct err *err);
void role_close(struct role_context *ctx);

/* One role at a time, however it is run: a lock beside the register, which containers may share where they share no runtime directory. A
 * second sender would take the first one's claims for those of a dead process. *lock is held until closed. RC_REFUSED: another process runs it. */
enum rc role_lock(const struct settings *settings, const char *name, int *lock, struct err *err);

/* Runs one role as a service until SIGTERM; the exit status of the process. settings (of role_ground()) and rules: the role's from here on; NULL: it reads its own. */
enum rc role_run(
	const struct role *role, const char *config, struct settings *settings, struct rulebook *rules);

#endif
