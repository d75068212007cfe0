/*
 * reply.h - what a mail server's reply means for a mail (RFC 5321 section 4.2, RFC 3463)
 *
 * Pure: the SMTP session feeds reply lines in and says how far it had come; here it is decided what is known about the mail.
 */
#ifndef SENGEN_REPLY_H
#define SENGEN_REPLY_H

#include "lib/mail/transport.h"

enum smtp_phase { /* what the server was last asked */
	PHASE_CONNECT, /* connection, greeting, EHLO */
	PHASE_TLS,
	PHASE_AUTH,
	PHASE_MAIL,
	PHASE_RCPT,
	PHASE_DATA, /* DATA, and the mail before its last byte */
	PHASE_DOT, /* everything was handed to the line */
	PHASE_QUIT,
};
const char *smtp_phase_name(enum smtp_phase phase);

struct reply {
	int code; /* 0: none came */
	bool complete; /* its last line came */
	char enhanced[12]; /* "4.7.1" or "" */
	char text[512]; /* its lines without codes, blanks between; as the server wrote them */
};

/* Adds one line ("550-5.1.1 text\r\n"); a line after a complete reply begins a new one. */
void reply_add_line(struct reply *reply, const char *line, size_t len);

/* What is known about a mail whose session ended in that phase. reply->code 0: the line died or was silent. dot_left: the final dot may have
 * reached the server. */
enum outcome reply_outcome(enum smtp_phase phase, const struct reply *reply, bool dot_left);

/* The reply's text for the register: one printable line; mail addresses, and the recipient's local part standing alone, become <…>. */
void reply_print(char *out, size_t size, const char *text, const char *recipient);

#endif
