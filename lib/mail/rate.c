#include "lib/mail/rate.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 60

struct window {
	uint32_t left[WINDOW]; /* by second modulo 60 */
	utc_time newest; /* the second left[newest % 60] counts */
	int64_t sum;
};

struct domain {
	char *name; /* owned */
	struct window window;
};

struct rate {
	struct rate_limits limits;
	struct window all;
	struct domain *domain; /* those that got something in the last minute */
	size_t domain_count, domain_size;
	const char **full; /* answer of rate_full_domains() */
	civil_day day;
	int64_t today;
	int64_t restored;
	utc_time restored_until;
};

/* Forgets the seconds that have left the window; a clock that jumps back far begins a new one. */
static void slide(struct window *window, utc_time now)
{
	if (now - window->newest >= WINDOW || window->newest - now >= WINDOW) {
		memset(window->left, 0, sizeof window->left);
		window->sum = 0;
		window->newest = now;
	}
	while (window->newest < now) {
		uint32_t *second = &window->left[(uint64_t)++window->newest % WINDOW];
		window->sum -= *second;
		*second = 0;
	}
}

static void add(struct window *window, uint32_t count, utc_time now)
{
	slide(window, now);
	window->left[(uint64_t)window->newest % WINDOW] += count;
	window->sum += count;
}

/* When the oldest of the window leaves it. */
static utc_time first_to_leave(const struct window *window)
{
	for (int ago = WINDOW - 1; ago >= 0; ago--)
		if (window->left[(uint64_t)(window->newest - ago) % WINDOW])
			return window->newest - ago + WINDOW;
	return UTC_NEVER;
}

struct rate *rate_new(const struct rate_limits *limits)
{
	struct rate *rate = xcalloc(1, sizeof *rate);
	rate->limits = *limits;
	rate->day = CIVIL_DAY_NONE;
	return rate;
}

void rate_free(struct rate **rate)
{
	if (!*rate)
		return;
	for (size_t i = 0; i < (*rate)->domain_count; i++)
		free((*rate)->domain[i].name);
	free((*rate)->domain);
	free((*rate)->full);
	free(*rate);
	*rate = NULL;
}

void rate_change(struct rate *rate, const struct rate_limits *limits)
{
	rate->limits = *limits;
}

static void turn_day(struct rate *rate, utc_time now)
{
	civil_day day = civil_day_of(now);
	if (rate->day != day)
		rate->today = 0;
	rate->day = day;
}

void rate_restore(struct rate *rate, int64_t last_minute, int64_t today, utc_time now)
{
	turn_day(rate, now);
	rate->today = today;
	rate->restored = last_minute;
	rate->restored_until = now + WINDOW;
	add(&rate->all, (uint32_t)last_minute, now);
}

/* Slides every domain's window and forgets those that are empty. */
static void slide_domains(struct rate *rate, utc_time now)
{
	for (size_t i = 0; i < rate->domain_count;) {
		struct domain *domain = &rate->domain[i];
		slide(&domain->window, now);
		if (domain->window.sum > 0) {
			i++;
			continue;
		}
		free(domain->name);
		*domain = rate->domain[--rate->domain_count];
	}
}

void rate_leaves(struct rate *rate, const char *name, utc_time now)
{
	add(&rate->all, 1, now);
	if (rate->limits.per_domain == 0)
		return;
	struct domain *domain = NULL;
	for (size_t i = 0; i < rate->domain_count && !domain; i++)
		if (strcmp(rate->domain[i].name, name) == 0)
			domain = &rate->domain[i];
	if (!domain) {
		slide_domains(rate, now);
		if (rate->domain_count == rate->domain_size) {
			rate->domain_size = rate->domain_size ? rate->domain_size * 2 : 16;
			rate->domain = xrealloc(rate->domain, rate->domain_size * sizeof *rate->domain);
		}
		domain = &rate->domain[rate->domain_count++];
		*domain = (struct domain){.name = xstrdup(name)};
	}
	add(&domain->window, 1, now);
}

void rate_accepted(struct rate *rate, utc_time now)
{
	turn_day(rate, now);
	rate->today++;
}

static int64_t restored_now(const struct rate *rate, utc_time now)
{
	return now < rate->restored_until && rate->restored_until - now <= WINDOW ? rate->restored : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t rate_room(struct rate *rate, int64_t flying, utc_time now)
{
	int64_t room = INT64_MAX;
	slide(&rate->all, now);
	turn_day(rate, now);
	if (rate->limits.per_minute)
		room = least(room, rate->limits.per_minute - rate->all.sum);
	if (rate->limits.per_day)
		room = least(room, rate->limits.per_day - rate->today - flying);
	if (rate->limits.per_domain) {
		int64_t fresh = rate->limits.per_domain - restored_now(rate, now);
		slide_domains(rate, now);
		/* A domain that is full is passed over and limits nobody. */
		for (size_t i = 0; i < rate->domain_count; i++)
			if (fresh > rate->domain[i].window.sum)
				room = least(room, fresh - rate->domain[i].window.sum);
		room = least(room, fresh);
	}
	return room > 0 ? room : 0;
}

const char *const *rate_full_domains(struct rate *rate, utc_time now)
{
	size_t count = 0;
	slide_domains(rate, now);
	rate->full = xrealloc(rate->full, (rate->domain_count + 1) * sizeof *rate->full);
	int64_t limit = rate->limits.per_domain - restored_now(rate, now);
	for (size_t i = 0; rate->limits.per_domain && i < rate->domain_count; i++)
		if (rate->domain[i].window.sum >= limit)
			rate->full[count++] = rate->domain[i].name;
	rate->full[count] = NULL;
	return rate->full;
}

static void sooner(utc_time *at, utc_time other)
{
	if (other < *at)
		*at = other;
}

utc_time rate_next(struct rate *rate, int64_t flying, utc_time now)
{
	utc_time at = UTC_NEVER;
	slide(&rate->all, now);
	turn_day(rate, now);
	if (rate->limits.per_minute && rate->all.sum >= rate->limits.per_minute)
		sooner(&at, first_to_leave(&rate->all));
	if (rate->limits.per_day && rate->today + flying >= rate->limits.per_day)
		sooner(&at, civil_moment(rate->day + 1, 0));
	int64_t limit = rate->limits.per_domain - restored_now(rate, now);
	if (rate->limits.per_domain && limit <= 0)
		sooner(&at, rate->restored_until);
	slide_domains(rate, now);
	for (size_t i = 0; rate->limits.per_domain && i < rate->domain_count; i++)
		if (rate->domain[i].window.sum >= limit)
			sooner(&at, first_to_leave(&rate->domain[i].window));
	return at;
}
