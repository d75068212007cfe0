/*
 * mailbox.h - the office's mailbox: an IMAP server (RFC 3501, 2177 IDLE, 4315 UIDPLUS, 6851 MOVE) or a Maildir
 *
 * libetpan speaks IMAP. Runs in a mailbox child: no store, no parsing; message bytes pass through untouched. Blocking and simple, one connection.
 * Over TLS the chain and the host name are checked before anything is said to the server, LOGIN included; what a server sends before STARTTLS
 * counts for nothing (RFC 2595, 2.2). Of messages only UID, RFC822.SIZE and BODY.PEEK[] are asked: ENVELOPE and BODYSTRUCTURE would parse
 * hostile bytes here. They go by UID MOVE, or UID COPY, STORE and EXPUNGE.
 *
 * Names of folders divide levels by a slash, whatever the server's delimiter is; below a personal namespace's prefix such as "INBOX." where it has one.
 *
 * A UID is a text: an IMAP UID in digits, or a Maildir's file name without its flags (unique and stable).
 * Errors: RC_SERVER with a sentence; `phase` of the last error tells what it was about.
 */
#ifndef SENGEN_MAILBOX_H
#define SENGEN_MAILBOX_H

#include "lib/base/pool.h"
#include "lib/mail/transport.h"
#include "lib/register.h"

struct mailbox_settings {
	bool maildir; /* embedded default: read `path` instead of a server */
	char *path; /* Maildir++: INBOX itself, folders as .NAME in modified UTF-7 */
	char *host;
	int port; /* 993 */
	enum tls_mode tls;
	char *ca_file; /* NULL: the system's */
	enum auth_mode auth; /* AUTH_LOGIN or AUTH_XOAUTH2 */
	char *user;
	char *password_from; /* secret_read(): password, or token file for XOAUTH2 (read anew for each connection) */
	char *inbox, *done, *review,
		*bounce; /* folder names in UTF-8 (modified UTF-7 on the wire, RFC 3501 5.1.3) */
	char *sent; /* copies of sent notices; NULL: none are kept */
	int connect_seconds; /* 30: until the session stands */
	int reply_seconds; /* 60: a silent line is dead */
	int idle_seconds; /* 1500: IDLE is renewed after so long (RFC 2177: below 29 minutes), and the line proven alive by it */
	int64_t message_bytes; /* larger ones are not fetched */
};

struct mailbox;
/* settings and password: borrowed. Opens nothing yet. The process must ignore SIGPIPE. */
struct mailbox *mailbox_new(const struct mailbox_settings *settings, const char *password);
/* Connects, checks, logs in, makes folders that are missing, selects INBOX. Does nothing where the session stands. */
enum rc mailbox_open(struct mailbox *mailbox, struct err *err);
/* false after an error that ended the session: mailbox_open() again. */
bool mailbox_is_open(const struct mailbox *mailbox);
/* "connect", "tls", "auth", "select", "list", "fetch", "move", "append", "idle"; static. */
const char *mailbox_phase(const struct mailbox *mailbox);
void mailbox_close(struct mailbox *mailbox); /* LOGOUT without waiting long; may be opened again */
void mailbox_free(struct mailbox **mailbox);

/* Time limit of one call that moves `payload` bytes, the connection's (connect_seconds) not counted; a slow line is given up at last, too. A call is tried once
 * more over a new connection where a kept one turned out dead. */
int mailbox_request_seconds(const struct mailbox_settings *settings, int64_t payload);

struct mailbox_entry {
	const char *uid;
	int64_t size; /* octets */
};
struct mailbox_list {
	int64_t uid_validity; /* 0: a Maildir */
	struct mailbox_entry *entry; /* by UID, ascending; a Maildir's by age */
	size_t count;
	bool more; /* the limit cut it */
	int64_t certificate_until; /* when the server's certificate, which was verified, runs out; 0: there is none */
};
/* What lies in a folder, behind `after` (IMAP: UIDs above it; a Maildir: ignored, everything is listed), at most `limit` entries. An IMAP server is
 * asked for the wanted messages by their sequence numbers: it costs what it returns, not what the folder holds. Read into pool. A Maildir's entries
 * that are no plain files, or whose names are no UTF-8 or hold control characters, are left alone. */
enum rc mailbox_list(struct mailbox *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err);
/* The bytes of one message in INBOX, appended. RC_REFUSED: it is not there any more, or larger than message_bytes. */
enum rc mailbox_fetch(struct mailbox *mailbox, const char *uid, struct str *raw, struct err *err);
/* The bytes of several messages in INBOX, asked for in one command where the kind allows it. `payload`: what they have together, as they were listed; a little more is
 * taken, so that what comes is bounded. fn gets each that came, with its place in `uid` and bytes that last until it returns; a server may send one twice. One that it does not get was not given, or not
 * within those bounds: mailbox_fetch() tells why. What fn returns ends it. */
typedef enum rc mailbox_message_fn(void *ctx, size_t place, const void *bytes, size_t len, struct err *err);
enum rc mailbox_fetch_some(struct mailbox *mailbox, const char *const *uid, size_t count, int64_t payload,
	mailbox_message_fn *fn, void *ctx, struct err *err);
/* Moves messages of INBOX to a folder, in one command where the server allows it. moved_uid[i]: its UID there (pool), "" where the server does not
 * tell; NULL: it was not in INBOX any more. Repeating it after a crash does no harm. */
enum rc mailbox_move(struct mailbox *mailbox, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err);
/* Waits until something is new in INBOX, `seconds` are over, or wake_fd is readable (-1: none). *news: list again. Where the server has no IDLE, and for
 * a Maildir (inotify), the same is done by other means. A line that died while waiting is RC_SERVER (T13). */
enum rc mailbox_wait(struct mailbox *mailbox, int seconds, int wake_fd, bool *news, struct err *err);

/* Files a mail in settings->sent (IMAP APPEND through libcurl, flag \Seen; a Maildir: put there as seen). name: unique and the same at each try: in a Maildir
 * a repeat is no second copy; a server may keep two when the line died before its answer. libcurl's connection is one of its own, kept between mails. */
enum rc mailbox_append(
	struct mailbox *mailbox, const char *name, const char *wire, size_t len, struct err *err);

/* RFC 3501 5.1.3. mutf7_to_utf8: false when it is none. */
void mutf7_add(struct str *out, const char *utf8);
bool mutf7_to_utf8(struct str *out, const char *mutf7);

#endif
