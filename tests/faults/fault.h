/*
 * fault.h - a run of the office with faults, decided by one number
 *
 * A seed decides everything: what is dropped and mailed when, what the servers answer, which step of the disk fails and how, where the process
 * dies, how the clock jumps. The same seed gives the same run, byte for byte, so a failing one is replayed by its number:
 *
 *   build/tests/faults/faults --seeds 1-2000      one line per failing seed, then seeds, seeds/s, faults by kind
 *   build/tests/faults/faults --seed 4711 --trace what happened, line by line; --keep: the files stay
 *
 * A run is a series of lives. Each life is a process forked from the driver: it opens the office (turn.h, virtual clock) over the disk that
 * the life before left behind, works until its season is over or a fault kills it, and ends. What must outlive a life - the journal of the disk,
 * what the servers hold, the position in the season - lies in memory shared with the driver. The last life has no faults and a long, quiet
 * time; after it the invariants are checked.
 */
#ifndef SENGEN_TESTS_FAULT_H
#define SENGEN_TESTS_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/clock.h"

enum fault_kind {
	FAULT_CRASH, /* the process ends here: the page cache lives on (kill -9) */
	FAULT_POWER, /* the process ends here and what was not synced may be lost, in part and out of order */
	FAULT_SHORT_WRITE,
	FAULT_NO_SPACE, /* ENOSPC, for a while */
	FAULT_IO_ERROR, /* EIO, once */
	FAULT_SYNC_ERROR, /* fsync fails: what was written since the last one may be lost, though it can still be read */
	FAULT_BUSY, /* SQLITE_BUSY: somebody else holds the register */
	FAULT_CLOCK_BACK,
	FAULT_CLOCK_FORTH,
	FAULT_REPLY, /* a mail server's answer other than 250, of every class of RFC 5321 4.2.1 */
	FAULT_LINE, /* the line to a server is cut: before, in or after an exchange */
	FAULT_SILENCE, /* the line stays open and says nothing */
	FAULT_TWICE, /* a file or a mail arrives twice */
	FAULT_ORDER, /* files or mails arrive in another order */
	FAULT_KINDS
};
const char *fault_name(enum fault_kind kind);

/* Decisions of a run. Draws depend on the seed and on the number of draws before, never on time, addresses or hashes with a salt. */
/* True when the fault strikes at this point. `where` goes into the trace ("write register.db-wal"). Counts it. */
bool fault_strikes(enum fault_kind kind, const char *where);
uint64_t fault_draw(uint64_t bound); /* 0 … bound-1 */
/* A step is about to be taken that cannot be taken back: bytes go to the disk, a mail to the server, an answer comes in. The process may end here,
 * before it. Counted by place. */
void fault_step(const char *where);
void fault_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* No fault strikes from here on, in this life and those after it. */
void fault_calm(void);
/* Ends the life as a crash or a power cut does; does not return. */
_Noreturn void fault_die(enum fault_kind kind);

/* ---- time ---- */
/* True time, which only goes forward; the office's clock, which is virtual, shows another after FAULT_CLOCK_BACK and FAULT_CLOCK_FORTH. clock_machine_ms() follows the true one: --wrap=clock_gettime, CLOCK_MONOTONIC, in which no call is at the same moment as the one
 * before it (a millisecond each), so that what is bounded by time ends. By the driver, at each pass: */
void fault_time_set(utc_time now);
utc_time fault_time(void); /* as it was set last */
/* By the peers: somebody waits so long and nothing comes. */
void fault_wait(int64_t ms);

/* The run has failed: the sentence says which promise was broken; printed with the seed. */
void fault_broken(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
