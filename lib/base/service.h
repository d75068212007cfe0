/*
 * service.h - what a service says to systemd: how it is, and what belongs into the journal
 *
 * Both are datagrams of lines NAME=value to a socket, by protocols that systemd keeps stable for programs to speak themselves (sd_notify(3), "Standalone
 * implementations"; systemd.io/JOURNAL_NATIVE_PROTOCOL). libsystemd, which would speak them, is loaded with six libraries of its own.
 */
#ifndef SENGEN_SERVICE_H
#define SENGEN_SERVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/log.h"

/* Tells $NOTIFY_SOCKET, a path or "@name", and waits while its queue is full; `state` is the whole message, as in sd_notify(3). Nothing happens where
 * nobody asked to be told. */
void service_notify(const char *state);
void service_notifyf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Microseconds within which a WATCHDOG=1 is awaited of this process ($WATCHDOG_USEC, $WATCHDOG_PID: sd_watchdog_enabled(3)); 0: nobody watches. */
uint64_t service_watchdog_usec(void);

#define SERVICE_JOURNAL "/run/systemd/journal/socket"
/* One event as an entry with its fields, under the program's name as SYSLOG_IDENTIFIER; `socket` is SERVICE_JOURNAL. False: it did not arrive there. */
bool service_journal(const char *socket, const struct log_entry *entry);

#endif
