/*
 * log.h - one event a line, without personal data
 *
 * An event has a fixed name (`notice.sent`) and key=value pairs. Values are identifiers, counts, codes
 * and reasons: never a name, an address, a user number, a password. Under systemd lines go to the
 * journal with the event as SENGEN_EVENT and a MESSAGE_ID derived from it; otherwise to standard error.
 * Whoever knows the detail logs it, once. Each event stands in log_events.def with what it means and what to do.
 */
#ifndef SENGEN_LOG_H
#define SENGEN_LOG_H

#include <stdbool.h>

#include "lib/base/str.h"

enum log_level {
	LEVEL_BROKEN, /* a promise inside our code does not hold */
	LEVEL_FAULT, /* disk, server, credentials, configuration: someone must act */
	LEVEL_NOTICE, /* one piece of outside data was refused, or something worth knowing happened */
	LEVEL_TRACE, /* for the developer; off unless asked for */
};

/* Hands one event to the journal; false: the journal has not taken it, and it becomes a line on standard error. */
struct log_entry {
	const char *program, *event, *line, *message_id; /* line: event and fields */
	int priority; /* syslog(3) */
};
typedef bool log_journal_fn(const struct log_entry *entry);
/* Where events go when standard error is the journal's stream; without it they are lines there too. The daemon sets it: what a
 * command says is for who called it. */
void log_to_journal(log_journal_fn *fn);

/* `program` appears in each line ("sengend[intake]"); level: the least important level printed. */
void log_open(const char *program, enum log_level level);
/* Another name for the process that goes on as something else. */
void log_program(const char *program);

/* fields: printf format giving `key=value key="quoted value"`; control characters are escaped. */
void log_event(enum log_level level, const char *event, const char *fields, ...)
	__attribute__((format(printf, 3, 4)));

/* The MESSAGE_ID of an event, 32 hex digits: the same on every machine. Appended to out. */
void log_message_id(struct str *out, const char *event);

#endif
