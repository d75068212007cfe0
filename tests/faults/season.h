/*
 * season.h - what happens to the office in a run: forms, mails, staff, days
 *
 * Made from the seed before the first life and kept in shared memory: a list of events in order of time. Small and dense, so that a run takes milliseconds: two to
 * six applications in one to three form files (good rows, bad rows, a row twice, a file twice, a file grown while it is read), declared stops by B-3 with their
 * confirmation, resend requests, a change, news-unsubscribe, bounces, auto replies, a poison mail; decisions by staff (stop, hold, release, correct, batch, undo)
 * through the functions that the control role calls; sending paused and resumed; a backup restored; over some six weeks of virtual time.
 */
#ifndef SENGEN_TESTS_SEASON_H
#define SENGEN_TESTS_SEASON_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/clock.h"
#include "daemon/turn.h"

void season_new(const char
		*directory); /* by the driver: configuration, spool and events below the disk's directory */
void season_free(void);

const char *season_config(void); /* path of sengend.conf */
utc_time season_start(void);
utc_time season_end(void); /* of the last event; the quiet weeks after it are the driver's */
/* When the next event is due; UTC_NEVER: none is left. */
utc_time season_next(void);
/* Carries out all events due at or before now: writes a file into incoming/, gives a mail to peer_receive(), decides as staff. What is begun is marked before,
 * what is done after: a life that died in between does it again where staff would (a file), and not where nobody would know (a command that answered). */
void season_do(struct turn *turn, utc_time now);

#endif
