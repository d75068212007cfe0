#include "tests/faults/fault_p.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/real.h"

#define NEVER UINT64_MAX

static const char *const names[FAULT_KINDS] = {
	[FAULT_CRASH] = "crash",
	[FAULT_POWER] = "power",
	[FAULT_SHORT_WRITE] = "short-write",
	[FAULT_NO_SPACE] = "no-space",
	[FAULT_IO_ERROR] = "io-error",
	[FAULT_SYNC_ERROR] = "sync-error",
	[FAULT_BUSY] = "busy",
	[FAULT_CLOCK_BACK] = "clock-back",
	[FAULT_CLOCK_FORTH] = "clock-forth",
	[FAULT_REPLY] = "reply",
	[FAULT_LINE] = "line",
	[FAULT_SILENCE] = "silence",
	[FAULT_TWICE] = "twice",
	[FAULT_ORDER] = "order",
};

const char *fault_name(enum fault_kind kind)
{
	return names[kind];
}

/* Mean number of opportunities between two strikes, drawn between these bounds for a run in which the kind strikes at all. */
static const struct {
	uint64_t least, most;
} rarity[FAULT_KINDS] = {
	[FAULT_CRASH] = {2, 20}, /* beside the point at which each life ends */
	[FAULT_POWER] = {2, 20},
	[FAULT_SHORT_WRITE] = {30, 3000},
	[FAULT_NO_SPACE] = {50, 4000},
	[FAULT_IO_ERROR] = {100, 10000},
	[FAULT_SYNC_ERROR] = {20, 1000},
	[FAULT_BUSY] = {20, 2000},
	[FAULT_CLOCK_BACK] = {10, 200},
	[FAULT_CLOCK_FORTH] = {10, 200},
	[FAULT_REPLY] = {2, 20},
	[FAULT_LINE] = {2, 40},
	[FAULT_SILENCE] = {4, 40},
	[FAULT_TWICE] = {2, 10},
	[FAULT_ORDER] = {2, 10},
};

/* Durable steps of a life; a point to end at is drawn below one of these, so that early and late steps are both met. */
static const uint64_t spans[] = {30, 300, 1500, 6000};

struct fault_plan {
	uint64_t seed, state;
	uint64_t mean[FAULT_KINDS]; /* 0: the kind does not strike in this run */
	uint64_t left[FAULT_KINDS]; /* opportunities until the next strike */
	uint64_t steps_left; /* durable steps until the process ends */
	enum fault_kind ends_by, death;
	int life;
	bool calm, broken;
	char broken_text[1024];
	struct fault_tally *tally;
	FILE *trace;
};

static struct fault_plan *plan;

/* ---- chance ---- */

static uint64_t next_number(uint64_t *state)
{
	/* SplitMix64: every seed is a good one. */
	uint64_t z = *state += 0x9E3779B97F4A7C15u;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return z ^ (z >> 31);
}

uint64_t fault_draw(uint64_t bound)
{
	return bound < 2 ? 0 : next_number(&plan->state) % bound;
}

static uint64_t draw_gap(enum fault_kind kind)
{
	return plan->mean[kind] ? 1 + fault_draw(2 * plan->mean[kind] - 1) : NEVER;
}

/* ---- a run ---- */

void fault_setup(struct fault_tally *tally, FILE *trace)
{
	plan = mmap(NULL, sizeof *plan, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plan == MAP_FAILED)
		die("no shared memory");
	plan->tally = tally;
	plan->trace = trace;
}

void fault_begin(uint64_t seed)
{
	*plan = (struct fault_plan){.seed = seed,
		.state = seed * 0xD1342543DE82EF95u + 1,
		.tally = plan->tally,
		.trace = plan->trace};
	/* Some runs have one kind alone, so that its effect is not hidden behind another's. */
	bool alone = fault_draw(4) == 0;
	enum fault_kind only = (enum fault_kind)fault_draw(FAULT_KINDS);
	for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++) {
		bool strikes = alone ? kind == only : fault_draw(3) == 0;
		if (kind == FAULT_CRASH || kind == FAULT_POWER)
			strikes = alone ? kind == only : fault_draw(3) != 0;
		uint64_t span = rarity[kind].most ? rarity[kind].most / rarity[kind].least : 1;
		uint64_t mean = rarity[kind].least;
		/* Evenly over orders of magnitude, not over numbers. */
		while (span > 1) {
			mean *= 1 + fault_draw(2);
			span /= 2;
		}
		plan->mean[kind] = strikes ? (mean ? mean : 1) : 0;
		plan->left[kind] = draw_gap(kind);
	}
	plan->tally->seeds += seed != 0; /* 0 is the preparation */
}

void fault_life(void)
{
	bool crash = plan->mean[FAULT_CRASH] != 0, power = plan->mean[FAULT_POWER] != 0;
	plan->life++;
	plan->tally->lives++;
	plan->death = FAULT_KINDS;
	plan->steps_left = NEVER;
	if (plan->calm || (!crash && !power))
		return;
	plan->steps_left = 1 + fault_draw(spans[fault_draw(sizeof spans / sizeof *spans)]);
	plan->ends_by = crash && (!power || fault_draw(2)) ? FAULT_CRASH : FAULT_POWER;
}

int fault_life_number(void)
{
	return plan->life;
}

enum fault_kind fault_death(void)
{
	return plan->death;
}

bool fault_is_calm(void)
{
	return plan->calm;
}

void fault_calm(void)
{
	plan->calm = true;
	plan->steps_left = NEVER;
	fault_trace("calm");
}

/* ---- striking ---- */

static struct fault_place *place_of(const char *where)
{
	uint64_t hash = 14695981039346656037u;
	for (const char *at = where; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	for (size_t i = 0; i < FAULT_PLACES; i++) {
		struct fault_place *place = &plan->tally->place[(hash + i) % FAULT_PLACES];
		if (!place->where[0])
			(void)snprintf(place->where, sizeof place->where, "%s", where);
		if (strncmp(place->where, where, sizeof place->where - 1) == 0)
			return place;
	}
	return &plan->tally->place[hash % FAULT_PLACES]; /* full: counted with another */
}

static void count(enum fault_kind kind, const char *where)
{
	plan->tally->struck[kind]++;
	place_of(where)->struck[kind]++;
	fault_trace("fault %s: %s", fault_name(kind), where);
}

bool fault_strikes(enum fault_kind kind, const char *where)
{
	if (plan->calm || plan->left[kind] == NEVER || --plan->left[kind] > 0)
		return false;
	plan->left[kind] = draw_gap(kind);
	count(kind, where);
	return true;
}

void fault_step(const char *where)
{
	place_of(where)->passed++;
	if (plan->steps_left == NEVER || --plan->steps_left > 0)
		return;
	count(plan->ends_by, where);
	fault_die(plan->ends_by);
}

_Noreturn void fault_die(enum fault_kind kind)
{
	plan->death = kind;
	if (plan->trace)
		(void)fflush(plan->trace);
	__real__exit(0);
}

/* ---- telling ---- */

bool fault_tracing(void)
{
	return plan->trace != NULL;
}

void fault_trace(const char *format, ...)
{
	if (!plan->trace || plan->seed == 0) /* 0: the preparation */
		return;
	va_list args;
	va_start(args, format);
	(void)fprintf(plan->trace, "%d ", plan->life);
	(void)vfprintf(plan->trace, format, args);
	(void)fputc('\n', plan->trace);
	(void)fflush(plan->trace);
	va_end(args);
}

void fault_broken(const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	(void)vsnprintf(text, sizeof text, format, args);
	va_end(args);
	fault_trace("BROKEN: %s", text);
	size_t used = strlen(plan->broken_text);
	(void)snprintf(
		plan->broken_text + used, sizeof plan->broken_text - used, "%s%s", used ? " | " : "", text);
	plan->broken = true;
}

bool fault_is_broken(void)
{
	return plan->broken;
}

const char *fault_broken_text(void)
{
	return plan->broken_text;
}
