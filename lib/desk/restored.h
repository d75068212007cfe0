/*
 * restored.h - what the transport's own log knows better than the register: after a crash, and of a register that was put back from a backup (N27)
 *
 * The log of what the mail server took lies beside the register and is not part of its backups. A notice that waits in the copy and stands in the log after the
 * copy's moment has gone out; it is booked as sent before the copy is let go, and not sent a second time. Notices that were queued and sent after that moment are in the log
 * alone: which applications they were for nobody can tell any more, and the cadence will write the same letters again. How many there are is told.
 */
#ifndef SENGEN_RESTORED_H
#define SENGEN_RESTORED_H

#include "lib/office/office.h"

/* At the start of a sender: a notice that is still claimed, and stands in the log since it was queued, has gone out; it is booked as sent, at the moment that stands
 * there. *sent: so many. Of the other claims nobody knows (office_recover_sending()). */
enum rc claims_settle(struct office *office, int *sent, struct err *err);

struct restored_sent {
	utc_time since; /* the moment the copy is of */
	int64_t again; /* wait in the copy, and were sent */
	int64_t lost; /* were sent, and the copy knows nothing of them */
};
/* Of a register that was restored, or (a copy that is only looked at) would be. A store opened for reading is enough. */
enum rc restored_look(struct office *office, struct restored_sent *out, struct err *err);
/* Books those of `again` as sent, a few a transaction; and the evening's books compare register and log from now on only. */
enum rc restored_settle(struct office *office, struct restored_sent *out, struct err *err);

#endif
