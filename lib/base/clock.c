#include "lib/base/clock.h"

#include <time.h>

#include "lib/base/err.h"

struct clock clock_system(void)
{
	return (struct clock){0};
}

struct clock clock_virtual(utc_time start)
{
	return (struct clock){.is_virtual = true, .now = start};
}

utc_time clock_now(const struct clock *clock)
{
	return clock->is_virtual ? clock->now : (utc_time)time(NULL);
}

void clock_set(struct clock *clock, utc_time now)
{
	if (!clock->is_virtual)
		die("only a virtual clock can be set");
	clock->now = now;
}

int64_t clock_machine_ms(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

int64_t clock_mono_ms(const struct clock *clock)
{
	return clock->is_virtual ? clock->now * 1000 : clock_machine_ms();
}
