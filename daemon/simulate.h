/*
 * simulate.h - weeks in a second: the roles on a virtual clock, bit for bit repeatable
 *
 * A file dropped in incoming/, and a mail in the mailbox's Maildir, arrives at its modification time; no IMAP server is asked. The clock jumps from one thing to do to the next. Mail goes to a Maildir, or
 * to a server only where an allow-list or a loopback address keeps it from real people; the store is marked as a simulation's.
 */
#ifndef SENGEN_SIMULATE_H
#define SENGEN_SIMULATE_H

#include <stdbool.h>

#include "lib/base/err.h"

/* until, from: "2026-12-31" or "2026-12-31 09:30" in the office's zone; a day alone means its end, for `from` its beginning. from NULL: the oldest
 * file in incoming/, or today's 00:00. verbose: a line per event. */
enum rc simulate_run(const char *config, const char *until, const char *from, bool verbose);

#endif
