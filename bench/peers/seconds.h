/* seconds.h - what a program of bench/peers reckons with: seconds of a clock (clock_gettime(2): CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID) */
#ifndef SENGEN_BENCH_SECONDS_H
#define SENGEN_BENCH_SECONDS_H

#include <time.h>

static inline double seconds(clockid_t which)
{
	struct timespec at;
	(void)clock_gettime(which, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

#endif
