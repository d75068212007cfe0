/*
 * smtp_sink.h - a mail server for tests that does what its script says, and remembers what it got
 *
 * A thread accepts on an ephemeral port of 127.0.0.1, one more serves each connection. Replies are lines without CRLF; NULL: the usual one.
 */
#ifndef SENGEN_TESTS_SMTP_SINK_H
#define SENGEN_TESTS_SMTP_SINK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/str.h"

enum sink_tls { SINK_PLAIN, SINK_STARTTLS, SINK_IMPLICIT };
enum sink_point { /* where silence or a cut happens */
	SINK_NOWHERE,
	SINK_AT_GREETING,
	SINK_AT_MAIL,
	SINK_AT_RCPT,
	SINK_AT_DATA,
	SINK_IN_DATA, /* after some lines of the mail */
	SINK_AT_DOT, /* the dot was read; no answer yet */
	SINK_AT_QUIT,
};

struct sink_script {
	const char *greeting, *ehlo, *auth, *mail, *rcpt, *data, *dot; /* replies */
	enum sink_point cut; /* closes the connection there */
	enum sink_point silent; /* says nothing more there, and keeps the connection */
	const char *refuse; /* a recipient that begins with it gets 550 5.1.1, or */
	const char *refusal; /* this */
	bool greylist; /* each recipient's first RCPT gets 451 */
	int close_after; /* mails on one connection, then 421 and close; 0: never */
	int close_idle_after; /* mails on one connection, then close without a word; 0: never */
	int reply_pause_ms; /* before the answer to the dot */
	enum sink_tls tls;
	const char *certificate_host; /* "localhost" */
	bool certificate_expired;
	const char *inject; /* sent in the clear with the answer to STARTTLS */
	const char *mechanisms; /* offered with AUTH; NULL: none */
	const char *user, *password; /* what a login must bring; password is the token for XOAUTH2 */
	bool forget; /* counts mails without keeping them (benchmarks) */
};

struct sink_mail {
	struct str sender, recipient; /* as they stood in the command, without <> */
	struct str data; /* without the dot, unstuffed */
};

struct sink;
/* directory: where certificate.pem (to be used as CA file) goes when the script wants TLS. */
struct sink *sink_start(const struct sink_script *script, const char *directory);
int sink_port(const struct sink *sink);
/* From the next command on; strings are borrowed. */
void sink_change(struct sink *sink, const struct sink_script *script);
size_t sink_mail_count(struct sink *sink); /* accepted, or read up to the dot and cut or silent there */
size_t sink_connections(struct sink *sink);
size_t sink_quits(struct sink *sink);
size_t sink_logins(struct sink *sink); /* accepted */
/* Valid until sink_stop(). */
const struct sink_mail *sink_mail(struct sink *sink, size_t number);
void sink_stop(struct sink **sink);

#endif
