#include "daemon/turn.h"

#include <time.h>
#include <unistd.h>

#include "daemon/places.h"
#include "lib/base/log.h"

enum rc turn_open(struct turn *turn, const char *config, const struct clock *clock, const struct rng *rng,
	bool simulating, struct err *err)
{
	*turn = (struct turn){
		.role = {&role_intake, &role_mailbox, &role_scheduler, &role_sender, &role_desk},
		.lock = {-1, -1, -1, -1, -1}};
	struct role_context *house = &turn->house;
	house->clock = *clock;
	house->rng = *rng;
	house->simulating = simulating;
	house->in_turn = true;
	enum rc rc = role_prepare(house, config, err);
	for (int i = 0; i < TURN_ROLES && !rc; i++)
		rc = role_lock(house->settings, turn->role[i]->name, &turn->lock[i], err);
	rc = rc ? rc : role_open(house, true, true, err);
	for (int i = 0; i < TURN_ROLES && !rc; i++) {
		struct role_context *ctx = &turn->ctx[i];
		*ctx = *house;
		ctx->office.cache = NULL; /* its own; clock, rng and secrets stay the house's */
		office_open(&ctx->office);
		rc = office_load_templates(&ctx->office, err);
		rc = rc ? rc : turn->role[i]->start(ctx, err);
		if (!rc)
			turn->started++;
		else
			office_close(&ctx->office);
	}
	return rc;
}

void turn_close(struct turn *turn)
{
	for (int i = turn->started - 1; i >= 0; i--) {
		turn->role[i]->stop(&turn->ctx[i], 0);
		office_close(&turn->ctx[i].office);
	}
	role_close(&turn->house);
	for (int i = 0; i < TURN_ROLES; i++)
		if (turn->lock[i] >= 0)
			(void)close(turn->lock[i]);
}

/* One role until it has nothing more to do now. */
static enum rc turn_role(struct turn *turn, int i, utc_time now, utc_time *next, struct err *err)
{
	do {
		enum rc rc = turn->role[i]->step(&turn->ctx[i], now, next, err);
		if (rc)
			return err_prefix(err, "%s", turn->role[i]->name);
	} while (*next <= now);
	return RC_OK;
}

enum rc turn_pass(struct turn *turn, utc_time now, utc_time *next, struct err *err)
{
	enum rc rc = RC_OK;
	bool failed[TURN_ROLES] = {false};
	int64_t before = 0, after = 0;
	uint8_t hash[SHA256_LEN];
	do {
		*next = UTC_NEVER;
		enum rc head = history_head(turn->house.office.store, &before, hash, err);
		if (head)
			return head;
		for (int i = 0; i < TURN_ROLES; i++) {
			utc_time at = UTC_NEVER;
			struct err fault = {0};
			if (failed[i])
				continue;
			if (turn->house.clock.is_virtual)
				clock_set(&turn->ctx[i].clock, now);
			if (turn_role(turn, i, now, &at, &fault)) {
				log_event(LEVEL_FAULT, "role.fault", "role=%s rc=%s reason=\"%s\"",
					turn->role[i]->name, rc_name(fault.rc), fault.text);
				failed[i] = true;
				if (!rc) {
					rc = fault.rc;
					*err = fault;
				}
			} else if (at < *next) {
				*next = at;
			}
		}
		head = history_head(turn->house.office.store, &after, hash, err);
		if (head)
			return head;
	} while (after != before);
	return rc;
}

enum rc once_run(const char *config)
{
	struct turn turn;
	struct err err = {0};
	const struct clock clock = clock_system();
	const struct rng rng = rng_system();
	enum rc rc = turn_open(&turn, config, &clock, &rng, false, &err);
	rc = rc ? rc : role_confine(&turn.house.places, CONFINED_TURN, turn.house.settings, &err);
	if (rc) {
		log_event(LEVEL_FAULT, "once.failed", "rc=%s reason=\"%s\"", rc_name(rc), err.text);
		turn_close(&turn);
		return rc;
	}
	/* A file that was dropped just now is waited for until it has settled; whatever keeps growing is left to the next run. */
	utc_time patience = clock_now(&clock) + turn.house.settings->settle_seconds + 2;
	for (;;) {
		utc_time now = clock_now(&clock), next;
		rc = turn_pass(&turn, now, &next, &err);
		if (rc || next > patience)
			break;
		(void)nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
	}
	turn_close(&turn);
	return rc;
}
