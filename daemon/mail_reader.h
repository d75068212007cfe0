/*
 * mail_reader.h - the role's side of reading a mail: one child a mail, however badly it ends
 *
 * mail_reader_start() asks the zygote for a child (mail_child.c) and hands it the mail; mail_reader_finish() takes its answer. Several may be
 * started before the first is finished: each has its own socket and its own time. mail_reader_read() is both in one.
 *
 * A child that dies, is too slow, or writes what received_print() can't have written is RC_REFUSED with an English sentence: the mail goes to
 * 要確認, and the next one is read. RC_CONFIG: no child can be had any more; the role must be restarted.
 */
#ifndef SENGEN_MAIL_READER_H
#define SENGEN_MAIL_READER_H

#include "daemon/zygote.h"
#include "lib/mail/received.h"

struct mail_reading { /* one that was started */
	int fd; /* -1: none */
	int64_t deadline; /* clock_machine_ms() */
};

/* memfd: the mail (memfile.h); it stays the caller's and may be closed at once. Of the context only office, authserv_id
 * and own_hops go to the child; its rules are those of the zygote. */
enum rc mail_reader_start(struct mail_reading *reading, const struct zygote *zygote, int memfd,
	const struct received_context *context, struct err *err);
/* Waits for the answer, at most RECEIVED_WALL_SECONDS from its start. *out lives in pool. Ends the child in any case. */
enum rc mail_reader_finish(
	struct mail_reading *reading, struct received *out, struct pool *pool, struct err *err);
/* Gives up a reading that nobody wants any more; harmless on one that was finished. */
void mail_reader_drop(struct mail_reading *reading);

enum rc mail_reader_read(const struct zygote *zygote, int memfd, const struct received_context *context,
	struct received *out, struct pool *pool, struct err *err);

#endif
