/*
 * transport.h - handing one mail to a mail server or a Maildir
 *
 * Runs in a transport child: no store. Blocking and simple; one connection each, kept open between mails. The outcome says
 * what is known about this mail and, apart from it, about the line: trouble of ours (password, TLS, DNS, server down) never counts
 * against a recipient. Reply classes as RFC 5321 section 4.2.1, enhanced codes as RFC 3463.
 */
#ifndef SENGEN_TRANSPORT_H
#define SENGEN_TRANSPORT_H

#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum tls_mode { TLS_IMPLICIT, TLS_STARTTLS, TLS_NONE };
enum auth_mode { AUTH_NONE, AUTH_PLAIN, AUTH_LOGIN, AUTH_XOAUTH2 };

struct transport_settings {
	bool maildir; /* embedded default: deliver into `path` instead of a server */
	char *path; /* Maildir */
	char *host;
	int port;
	enum tls_mode tls;
	char *ca_file; /* NULL: the system's */
	char *helo; /* name for EHLO */
	enum auth_mode auth;
	char *user;
	char *password_from; /* secret_read(): password, or token file for XOAUTH2 (read anew for each connection) */
	int connect_seconds; /* 30: until the session stands (connection, TLS, greeting, EHLO, login) */
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
	utc_time at; /* set by the sender: when the answer came; 0: now */
	enum outcome outcome;
	int reply_code; /* last reply, 0: none */
	char enhanced[12]; /* "4.7.1" or "" */
	char reply[256]; /* its text, one printable line; addresses replaced by <…> */
	bool line_closed; /* the next mail needs a new connection */
	int64_t certificate_until; /* when the server's certificate, which was verified, runs out; 0: not known */
	const char *phase; /* "connect", "tls", "auth", "mail", "rcpt", "data", "dot"; static */
};

struct transport;
/* settings: borrowed. password: for SMTP AUTH, borrowed likewise; libcurl keeps copies of its own. Opens nothing yet. The process must ignore SIGPIPE. */
struct transport *transport_new(const struct transport_settings *settings, const char *password);
struct parcel { /* one mail on its way; strings borrowed */
	const char *name; /* unique and the same at each try: file name in a Maildir */
	const char *sender, *recipient; /* envelope: exactly one recipient; as mailaddr_print() gives them */
	const char *wire; /* complete mail, 7-bit, CRLF */
	size_t len;
};
/* Sends it and waits for the answer. A kept connection that the server had closed meanwhile is opened anew once; nothing else is tried twice. */
void transport_send(struct transport *transport, const struct parcel *parcel, struct delivery *out);
/* Ends the connection with QUIT without waiting long, frees, wipes. */
void transport_free(struct transport **transport);

/* Delivers into a Maildir, made where it is missing (tmp, fsync, link to new, directory synced), with Return-Path and Delivered-To in front. The
 * same mail delivered twice under one name stays one file, so a repeat after a crash is no second copy. RC_STORE. */
enum rc maildir_deliver(const char *path, const struct parcel *parcel, struct err *err);
/* Makes tmp, new and cur where they are missing; a folder of a Maildir++ is marked as one (maildirfolder). */
enum rc maildir_make(const char *path, bool is_folder, struct err *err);
/* Files a mail as seen (cur/NAME:2,S), as it is, brought to disk; one of that name is left as it is. RC_STORE. */
enum rc maildir_file(const char *path, const char *name, const char *wire, size_t len, struct err *err);

#endif
