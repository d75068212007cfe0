/*
 * sent_log.h - the transport's own log: a line for each mail that the server took, beside the register
 *
 * state_directory/sent/2026-11.log, one file a month (UTC): "2026-11-22T10:00:00Z 12345 250", moment, notice, reply. The sender writes the line, and has it on the disk,
 * BEFORE it writes the register: what is in the register is in the log, and a crash between the two leaves a line whose notice is `unknown` until it is settled. Nothing
 * personal stands in it.
 */
#ifndef SENGEN_SENT_LOG_H
#define SENGEN_SENT_LOG_H

#include "lib/settings.h"

struct sent_log_line {
	utc_time at;
	int64_t notice_id;
	int reply_code;
};

/* Appends the lines in one piece. durable: returns when they are on the disk (not wanted in a simulation). After a power cut the last line may be half; the next one
 * begins a line of its own. RC_STORE. */
enum rc sent_log_add(const struct settings *settings, const struct sent_log_line *line, int count,
	bool durable, struct err *err);
typedef enum rc sent_log_fn(void *ctx, const struct sent_log_line *line, struct err *err);
/* The lines of moments in [from, until), in the order they were written. What is no such line is passed over: without it the notice is missing, and named by whoever
 * compares. */
enum rc sent_log_each(const struct settings *settings, utc_time from, utc_time until, sent_log_fn *fn,
	void *ctx, struct err *err);

#endif
