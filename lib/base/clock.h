/*
 * clock.h - the one source of time
 *
 * Nothing else in the program asks the system for the time of day. A virtual clock stands still until it
 * is moved, which is how weeks are simulated in a second.
 */
#ifndef SENGEN_CLOCK_H
#define SENGEN_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

typedef int64_t utc_time; /* seconds since 1970-01-01T00:00:00Z, leap seconds not counted */
#define UTC_NEVER INT64_MAX

struct clock {
	bool is_virtual;
	utc_time now; /* of a virtual clock */
};

struct clock clock_system(void);
struct clock clock_virtual(utc_time start);
utc_time clock_now(const struct clock *clock);
void clock_set(struct clock *clock, utc_time now); /* virtual clocks only */

/* Milliseconds that only go forward, for measuring pauses; on a virtual clock: now * 1000. */
int64_t clock_mono_ms(const struct clock *clock);
/* The same of the machine, in a simulation too: for bounding a piece of work and waiting for other processes. */
int64_t clock_machine_ms(void);

#endif
