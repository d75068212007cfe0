/*
 * pause.c - parts of the work that staff stop one by one
 *
 * Facts: pause.intake, pause.deciding, pause.sending, pause.reading, each with the moment it was paused (UTC seconds). Roles look at them in every
 * step, deciding also within its transactions.
 */
#include "lib/office/office_p.h"

#include <inttypes.h>
#include <stdio.h>

static const char *fact_of(enum pause what)
{
	static const char *const facts[PAUSE_COUNT] = {
		[PAUSE_INTAKE] = "pause.intake",
		[PAUSE_DECIDING] = "pause.deciding",
		[PAUSE_SENDING] = "pause.sending",
		[PAUSE_READING] = "pause.reading",
	};
	return facts[what];
}

enum rc office_paused(struct office *office, enum pause what, bool *yes, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(office->store, fact_of(what), &value, err);
	*yes = value.len > 0;
	str_free(&value);
	return rc;
}

static enum rc may(struct office *office, enum pause what, bool *yes, struct err *err)
{
	bool paused = true;
	enum rc rc = office_paused(office, what, &paused, err);
	*yes = rc == RC_OK && !paused && store_restored(office->store) == RESTORED_NO;
	return rc;
}

enum rc office_may_send(struct office *office, bool *yes, struct err *err)
{
	return may(office, PAUSE_SENDING, yes, err);
}

enum rc office_may_decide(struct office *office, bool *yes, struct err *err)
{
	return may(office, PAUSE_DECIDING, yes, err);
}

enum rc office_may_read(struct office *office, bool *yes, struct err *err)
{
	return may(office, PAUSE_READING, yes, err);
}

static enum rc write_pause(struct office *office, enum pause what, bool on, const char *reason,
	const char *actor, struct err *err)
{
	utc_time now = clock_now(office->clock);
	char value[24];
	(void)snprintf(value, sizeof value, "%" PRId64, now);
	enum rc rc = fact_set(office->store, fact_of(what), on ? value : NULL, err);
	struct history_row row = {.at = now,
		.event = on ? EVENT_PAUSE : EVENT_RESUME,
		.number = what,
		.actor = actor,
		.note = reason ? reason : ""};
	return rc == RC_OK ? history_add(office->store, &row, err) : rc;
}

enum rc office_pause(struct office *office, enum pause what, bool on, const char *reason, const char *actor,
	const char **why_ja, struct pool *pool, struct err *err)
{
	struct txn txn;
	bool paused;
	*why_ja = NULL;
	if (on && !(reason && *reason)) {
		*why_ja = "理由を記入してください。";
		return err_set(err, RC_REFUSED, "a reason is required");
	}
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	rc = office_paused(office, what, &paused, err);
	if (rc == RC_OK && paused == on) {
		*why_ja = pool_printf(pool, "「%s」は%s。", pause_name_ja(what),
			on ? "すでに一時停止しています" : "一時停止していません");
		rc = err_set(
			err, RC_REFUSED, "%s is %s", pause_name(what), on ? "paused already" : "not paused");
	}
	if (rc == RC_OK)
		rc = write_pause(office, what, on, reason, actor, err);
	return txn_end(office, &txn, rc, err);
}
