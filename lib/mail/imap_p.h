/*
 * imap_p.h - a session with an IMAP server: what imap.c (session) and imap_mail.c (messages) share
 *
 * After a fault the session is closed (imap->session NULL) and the sentence is set: callers only pass it on.
 */
#ifndef SENGEN_IMAP_P_H
#define SENGEN_IMAP_P_H

#include <libetpan/libetpan.h>

#include "lib/mail/imap_line.h"
#include "lib/mail/mailbox_p.h"

#define ANSWER_BYTES ((int64_t)1024 * 1024) /* what an answer may have besides messages and lists */

struct imap_copies; /* imap_append.c */

struct imap {
	const struct mailbox_settings *settings;
	const char *password; /* borrowed; NULL: none */
	struct imap_line *line;
	mailimap *session; /* NULL: closed */
	mailstream *stream; /* closed with it */
	const char *phase; /* while opening */
	char delimiter; /* between levels; 0: none */
	char *prefix; /* owned: of the personal namespace (RFC 2342), "" or "INBOX." */
	enum folder selected; /* 0: none */
	int64_t deadline_ms; /* of the request in hand */

	/* These outlive a session: */
	uint32_t listed_validity; /* UIDVALIDITY of INBOX when it was last listed; 0: never */
	uint32_t uid_validity, uid_next; /* of INBOX when it was last selected */
	bool news; /* INBOX has grown since it was last listed */
	enum line_fault last_fault; /* why the last session was lost */
	struct imap_copies *copies;
	struct str sent_name; /* the folder for copies, as the server calls it; "": not known yet */
};

/* ---- session ---- */
enum rc imap_open(struct imap *imap, struct err *err);
void imap_close(struct imap *imap);
/* The time for one request starts; payload: bytes that are expected. */
void imap_begin(struct imap *imap, int64_t payload);

/* Sends a command and reads its whole answer into session->imap_response_info. RC_REFUSED: the server answered NO, with its text; RC_SERVER: the session
 * is closed. bytes, literal: what the answer may bring. */
enum rc imap_command(struct imap *imap, const char *command, int64_t bytes, int64_t literal, struct err *err);
/* Its parts: the command's line; the lines until the server says go on (*go) or has ended the command (*go false, result as above); the answer. */
enum rc imap_say(struct imap *imap, const char *command, struct err *err);
enum rc imap_say_line(struct imap *imap, const char *line, size_t len, struct err *err);
enum rc imap_await_go(struct imap *imap, bool *go, struct err *err);
enum rc imap_hear(struct imap *imap, struct err *err);
/* Takes one untagged line into account, read without libetpan's parser. */
void imap_note_line(struct imap *imap, const char *line);
/* Why the line is dead, or the answer not IMAP; closes. */
enum rc imap_lost(struct imap *imap, struct err *err);
bool imap_can(const struct imap *imap, const char *capability);

/* ---- folders ---- */
/* The server's name of a folder: namespace prefix, delimiter, modified UTF-7. */
void imap_folder_name(const struct imap *imap, enum folder folder, struct str *out);
void imap_add_quoted(struct str *out, const char *text);
enum rc imap_make_folder(struct imap *imap, enum folder folder, struct err *err);
/* INBOX for reading and writing, any other for reading only. */
enum rc imap_select(struct imap *imap, enum folder folder, struct err *err);

/* ---- copies of sent mails, through libcurl ---- */
enum rc imap_copies_append(struct imap_copies **copies, const struct mailbox_settings *settings,
	const char *password, const char *folder, const char *wire, size_t len, struct err *err);
void imap_copies_free(struct imap_copies **copies);

#endif
