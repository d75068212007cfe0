/*
 * imap_line.h - the line to an IMAP server below libetpan: TCP, TLS, time limits, and a guard over what the server sends
 *
 * libetpan verifies no certificate, waits for ever and takes any amount; here the chain and the host name are checked within the handshake (GnuTLS), each
 * wait ends, and a server that floods is cut off before libetpan's parser sees it. imap.c is the only user.
 *
 * Faults are sticky: after the first one every read and write fails, and imap_line_fault() says what it was.
 */
#ifndef SENGEN_IMAP_LINE_H
#define SENGEN_IMAP_LINE_H

#include <libetpan/mailstream.h>

#include "lib/base/err.h"

struct imap_line;

enum line_fault {
	LINE_FINE,
	LINE_CLOSED, /* by the server, or by the network */
	LINE_SILENT, /* no byte within silence_seconds */
	LINE_LATE, /* the whole took longer than it may */
	LINE_FLOOD, /* more bytes, longer lines or deeper brackets than any answer has */
	LINE_LITERAL, /* a literal (RFC 3501 4.3) larger than is allowed */
	LINE_UNASKED, /* an answer of a kind that no command of ours brings */
	LINE_TLS, /* broken TLS */
};

/* Connects over TCP until the deadline (clock_machine_ms()); the addresses of a name share the time. The name is resolved with the resolver's own
 * time-outs (resolv.conf(5)). RC_SERVER. */
enum rc imap_line_connect(
	struct imap_line **out, const char *host, int port, int64_t deadline_ms, struct err *err);
/* Begins TLS 1.2 or newer and checks chain, dates and host name against ca_file (NULL: the system's). */
enum rc imap_line_tls(struct imap_line *line, const char *host, const char *ca_file, struct err *err);
/* When the server's certificate, which was verified, runs out; 0: there is no TLS. */
int64_t imap_line_certificate_until(const struct imap_line *line);
void imap_line_free(struct imap_line **line); /* closes */

/* A new stream for libetpan on the line; closing it leaves the line open. */
mailstream *imap_line_stream(struct imap_line *line);

/* What the next answer may cost: time, bytes in all, bytes of one literal. */
void imap_line_allow(struct imap_line *line, int64_t deadline_ms, int silence_seconds, int64_t bytes,
	int64_t literal_bytes);
enum line_fault imap_line_fault(const struct imap_line *line);
/* Waits until there is something to read, a fault among it (1), wake_fd is readable (2) or the deadline passed (0). wake_fd -1: none. */
int imap_line_wait(struct imap_line *line, int wake_fd, int64_t deadline_ms);
/* Ends TLS without waiting for the server. */
void imap_line_goodbye(struct imap_line *line);

#endif
