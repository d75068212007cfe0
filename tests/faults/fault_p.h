/*
 * fault_p.h - what the driver, the disk and the clock share of a run; season, peers and invariants need only fault.h
 */
#ifndef SENGEN_TESTS_FAULT_P_H
#define SENGEN_TESTS_FAULT_P_H

#include "tests/faults/fault.h"

#define FAULT_PLACES 512

/* How often each kind struck at each place ("write register.db-wal"), and how many durable steps were taken there. */
struct fault_place {
	char where[64];
	uint64_t passed;
	uint64_t struck[FAULT_KINDS];
};

/* Over all seeds, shared by the workers. */
struct fault_tally {
	uint64_t seeds, lives, failed, struck[FAULT_KINDS];
	struct fault_place place[FAULT_PLACES];
};

/* Before the first run of a worker; in memory shared with the lives. */
void fault_setup(struct fault_tally *tally, FILE *trace);
/* Begins a run: everything that is drawn follows from the seed. */
void fault_begin(uint64_t seed);
/* Begins a life; moves the point at which the process is to end. */
void fault_life(void);
int fault_life_number(void);
/* How the life ended: FAULT_CRASH, FAULT_POWER, or FAULT_KINDS when it ended by itself. */
enum fault_kind fault_death(void);
bool fault_is_calm(void);
bool fault_is_broken(void);
const char *fault_broken_text(void);
bool fault_tracing(void);

/* ---- the clock ---- */

void fault_time_begin(utc_time now); /* of a run */
/* What the office's clock shows beside the true time, in seconds. */
void fault_clock_set_off(int64_t seconds);
int64_t fault_clock_off(void);

#endif
