/*
 * retry.h - when a notice that was not accepted is tried again, and when the sender as a whole pauses
 *
 * Pure reckoning. What counts against a recipient is only what the server said about this mail; trouble of our own (outcome.h: fault, not sent)
 * puts the notice back as it was and makes the whole sender wait instead.
 */
#ifndef SENGEN_RETRY_H
#define SENGEN_RETRY_H

#include "lib/mail/transport.h"
#include "lib/register.h"

struct retry_policy {
	int64_t first_seconds, last_seconds; /* first and longest pause */
	int64_t lifetime_seconds; /* since the first try that counted: then it is given up */
	int64_t fault_seconds; /* first pause of the sender after trouble of our own */
};

/* The pause after the `attempts`th temporary refusal (from 1): greylisting is tried at the first pause three times, a full mailbox begins at four
 * times the first pause, everything doubles up to the longest. */
int64_t retry_pause(const struct retry_policy *policy, const struct delivery *delivery, int attempts);

/* Writes into a notice what follows from the outcome: attempts, first_try_at, next_try_at, and state OUTBOX_FAILED when it is given up. The
 * rest of its state is office_delivered()'s to write. After trouble of ours a notice keeps its place, unless the server said it once the recipient was
 * named: then it waits for the first pause, and others try whether the trouble is over. */
void retry_settle(const struct retry_policy *policy, struct notice *notice, const struct delivery *delivery,
	utc_time now);

struct sender_health { /* of our side; starts as zeros */
	int faults; /* in a row */
	int lost; /* connections lost before the final dot, in a row */
	int unknown; /* mails of which nobody knows whether the server has them, in a row */
	utc_time pause_from, pause_until; /* nothing is claimed between */
};

/* Takes note of an outcome. True: it is, or has become, trouble of ours; pause_until grows with each probe that fails. Three connections in
 * a row that die before the dot are trouble too, and so are three that die behind it: a server that falls silent there would make every mail
 * of the queue an unknown one. */
bool health_note(struct sender_health *health, const struct retry_policy *policy,
	const struct delivery *delivery, utc_time now);
/* How many of `wanted` mails may be claimed: none during a pause, one to try whether it is over, then all. A clock that jumps back behind the
 * beginning of a pause ends it. */
int health_room(const struct sender_health *health, int wanted, utc_time now);

#endif
