/*
 * rate.h - how many mails may leave: a minute, a day, a minute to one domain
 *
 * A window of 60 seconds slides by whole seconds; days are calendar days of the office's zone. 0 is no limit. What left before a restart is given
 * by rate_restore(); for a minute it is counted against each domain, since nobody knows which it was.
 */
#ifndef SENGEN_RATE_H
#define SENGEN_RATE_H

#include "lib/base/civil.h"
#include "lib/base/str.h"

struct rate;

struct rate_limits {
	int64_t per_minute, per_day, per_domain;
};

struct rate *rate_new(const struct rate_limits *limits);
void rate_free(struct rate **rate);
void rate_change(struct rate *rate, const struct rate_limits *limits);

/* last_minute, today: mails accepted in the last 60 seconds and since midnight. */
void rate_restore(struct rate *rate, int64_t last_minute, int64_t today, utc_time now);

/* A mail to that domain leaves. */
void rate_leaves(struct rate *rate, const char *name, utc_time now);
/* The server took one: it counts for the day. */
void rate_accepted(struct rate *rate, utc_time now);

/* How many may leave now while `flying` have left and are not answered. No domain goes over its limit when so many are taken at once, whichever
 * they are, as long as those of rate_full_domains() are passed over. */
int64_t rate_room(struct rate *rate, int64_t flying, utc_time now);
/* Domains at their limit, NULL behind the last; valid until the next call on rate. */
const char *const *rate_full_domains(struct rate *rate, utc_time now);
/* When there will be more room than now; UTC_NEVER: no limit is reached. */
utc_time rate_next(struct rate *rate, int64_t flying, utc_time now);

#endif
