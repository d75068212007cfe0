/*
 * transport.h - handing one mail to a mail server or a Maildir
 *
 * Runs in a transport child: no store. Blocking and simple; one connection each, kept open between mails. The outcome says
 * what is known about this mail and, apart from it, about the line: trouble of ours (password, TLS, DNS, server down) never counts
 * against a recipient. Reply classes as RFC 5321 section 4.2.1, enhanced codes as RFC 3463.
 */
#ifndef SENGEN_TRANSPORT_H
#define SENGEN_TRANSPORT_H

#include "lib/base/err.h"
#include "lib/base/str.h"

enum tls_mode { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE };
enum auth_mode { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN, AUTH_XOAUTH2 };

struct transport_settings {
	bool maildir; /* embedded default: deliver into `path` instead of a server */
	char *path; /* Maildir; one Maildir per recipient below it when `per_recipient` */
	char *host;
	int port;
	enum tls_mode tls;
	char *ca_file; /* NULL: the system's */
	char *helo; /* name for EHLO */
	enum auth_mode auth;
	char *user;
	char *password_from; /* file_read_secret(): password, or token file for XOAUTH2 (read anew for each connection) */
	int connect_seconds; /* 30 */
	int reply_seconds; /* 300 (RFC 5321 4.5.3.2) */
	int dot_seconds; /* 600: the answer to the final dot */
};

enum outcome {
	OUTCOME_ACCEPTED, /* 250 after the dot */
	OUTCOME_TEMPORARY, /* 4xx for this mail: again after a pause */
	OUTCOME_PERMANENT, /* 5xx for this recipient or mail */
	OUTCOME_UNKNOWN, /* the line died or fell silent between the final dot and the answer */
	OUTCOME_NOT_SENT, /* the line died before the final dot: nothing was accepted; not the recipient's fault */
	OUTCOME_FAULT, /* our side: refused login, certificate, name resolution, refused connection, 421, 5xx at EHLO/AUTH/MAIL */
};
const char *outcome_name(enum outcome outcome);

struct delivery {
	enum outcome outcome;
	int reply_code; /* last reply, 0: none */
	char enhanced[12]; /* "4.7.1" or "" */
	char reply[256]; /* its text, one printable line; addresses replaced by <…> */
	bool line_closed; /* the next mail needs a new connection */
	const char *phase; /* "connect", "tls", "auth", "mail", "rcpt", "data", "dot" */
};

struct transport;
/* password: for SMTP AUTH; copied and wiped at close. Opens nothing yet. */
struct transport *transport_new(const struct transport_settings *settings, const char *password);
/* Sends one mail: envelope sender, exactly one recipient, wire bytes (CRLF, complete). */
void transport_send(struct transport *transport, const char *sender, const char *recipient, const char *wire,
	size_t len, struct delivery *out);
/* Ends the connection with QUIT without waiting long, frees, wipes. */
void transport_free(struct transport **transport);

/* Delivers into a Maildir (tmp, fsync, link to new, directory synced). `name` is the unique part of the file name: the same mail delivered
 * twice under one name stays one file, so a repeat after a crash is no second copy. */
enum rc maildir_deliver(const char *path, const char *name, const char *wire, size_t len, struct err *err);

#endif
