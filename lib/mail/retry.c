#include "lib/mail/retry.h"

#include <string.h>
#include <strings.h>

#define GREYLIST_TRIES 3
#define MAILBOX_FULL_FACTOR 4
#define LOST_IN_A_ROW 3
#define NOT_SENT_SECONDS 30

enum retry_class { RETRY_USUAL, RETRY_GREYLISTED, RETRY_MAILBOX_FULL };

static enum retry_class class_of(const struct delivery *delivery)
{
	/* 4.2.2 mailbox full (RFC 3463); 452 insufficient storage. 4.7.1 and "greylist" is what the greylisting servers say. */
	if (strcmp(delivery->enhanced, "4.2.2") == 0 || delivery->reply_code == 452)
		return RETRY_MAILBOX_FULL;
	bool says_so = strcasestr(delivery->reply, "greylist") || strcasestr(delivery->reply, "graylist");
	bool at_rcpt = delivery->phase && strcmp(delivery->phase, "rcpt") == 0;
	if (says_so || (at_rcpt && (delivery->reply_code == 450 || delivery->reply_code == 451) &&
			       strcmp(delivery->enhanced, "4.7.1") == 0))
		return RETRY_GREYLISTED;
	return RETRY_USUAL;
}

/* first · 2^doublings, at most last. */
static int64_t doubled(int64_t first, int64_t last, int doublings)
{
	int64_t pause = first;
	for (int i = 0; i < doublings && pause < last; i++)
		pause *= 2;
	return pause < last ? pause : last;
}

int64_t retry_pause(const struct retry_policy *policy, const struct delivery *delivery, int attempts)
{
	int64_t first = policy->first_seconds;
	int doublings = attempts > 1 ? attempts - 1 : 0;
	switch (class_of(delivery)) {
	case RETRY_GREYLISTED:
		doublings = doublings < GREYLIST_TRIES ? 0 : doublings - GREYLIST_TRIES + 1;
		break;
	case RETRY_MAILBOX_FULL:
		first *= MAILBOX_FULL_FACTOR;
		break;
	case RETRY_USUAL:
		break;
	}
	return doubled(first, policy->last_seconds > first ? policy->last_seconds : first, doublings);
}

/* The server was told of the recipient before it answered. */
static bool recipient_was_named(const struct delivery *delivery)
{
	static const char *const phases[] = {"rcpt", "data", "dot"};
	bool named = false;
	for (size_t i = 0; i < sizeof phases / sizeof phases[0] && delivery->phase; i++)
		named = named || strcmp(delivery->phase, phases[i]) == 0;
	return named;
}

void retry_settle(const struct retry_policy *policy, struct notice *notice, const struct delivery *delivery,
	utc_time now)
{
	if (delivery->outcome == OUTCOME_FAULT) {
		if (recipient_was_named(delivery))
			notice->next_try_at = now + policy->fault_seconds;
		return;
	}
	if (delivery->outcome == OUTCOME_NOT_SENT) {
		notice->next_try_at = now + NOT_SENT_SECONDS;
		return;
	}
	notice->attempts++;
	if (notice->first_try_at == 0)
		notice->first_try_at = now;
	if (delivery->outcome != OUTCOME_TEMPORARY)
		return;
	if (now - notice->first_try_at >= policy->lifetime_seconds)
		notice->state = OUTBOX_FAILED;
	else
		notice->next_try_at = now + retry_pause(policy, delivery, notice->attempts);
}

static bool is_pausing(const struct sender_health *health, utc_time now)
{
	return health->pause_from <= now && now < health->pause_until;
}

bool health_note(struct sender_health *health, const struct retry_policy *policy,
	const struct delivery *delivery, utc_time now)
{
	switch (delivery->outcome) {
	case OUTCOME_ACCEPTED:
	case OUTCOME_TEMPORARY:
	case OUTCOME_PERMANENT:
		*health = (struct sender_health){0};
		return false;
	case OUTCOME_UNKNOWN:
		if (++health->unknown < LOST_IN_A_ROW && health->faults == 0)
			return false;
		health->unknown = 0;
		break;
	case OUTCOME_NOT_SENT:
		if (++health->lost < LOST_IN_A_ROW)
			return false;
		health->lost = 0;
		break;
	case OUTCOME_FAULT:
		break;
	}
	/* Connections that fail side by side are one fault. */
	if (!is_pausing(health, now)) {
		health->pause_from = now;
		health->pause_until =
			now + doubled(policy->fault_seconds, policy->last_seconds, health->faults);
		health->faults++;
	}
	return true;
}

int health_room(const struct sender_health *health, int wanted, utc_time now)
{
	if (health->faults == 0 || wanted < 1)
		return wanted;
	return is_pausing(health, now) ? 0 : 1;
}
