/*
 * mail_handover.h - what the mailbox role and its mailbox child write to each other, and the role's end of the line
 *
 * The role's code is plain: each call sends one frame and waits for its answer, with a time limit, whatever the child does. Calling sequence:
 *
 *	mailline_open(), then as often as wanted:
 *	mailline_list(), mailline_fetch(), mailline_move(), mailline_append();
 *	or, while the role does something else, the halves: mailline_fetch_begin(), then mailline_fetch_next() once a message; mailline_move_begin(), then
 *	mailline_move_end(). Several may be begun; their answers are taken in the order they were begun, and all of them before anything else is asked;
 *	with nothing left to do mailline_wait(); line->fd becomes readable; mailline_news(); again from mailline_list().
 *	mailline_close().
 *
 * A wait that is under way is ended by whichever call comes next; its news is not lost (mailline_news() tells it later).
 *
 * The child connects at the first request and by itself anew after an error: after RC_SERVER the same line may be used again after a pause.
 * When the child is gone, or said something impossible, every call is RC_SERVER and line->fd is -1: open another line.
 */
#ifndef SENGEN_MAIL_HANDOVER_H
#define SENGEN_MAIL_HANDOVER_H

#include "daemon/wire.h"
#include "daemon/zygote.h"
#include "lib/base/err.h"
#include "lib/mail/mailbox.h"

struct mailline {
	int fd; /* -1: closed. Readable while waiting: mailline_news() */
	const char *
		phase; /* of the last error: "connect", "tls", "auth", "select", "list", "fetch", "move", "append", "idle"; static */
	bool waiting; /* a WIRE_WAIT is unanswered */
	bool news; /* an answer to it came in between */
	int64_t certificate_until; /* of the last list */
	int64_t message_bytes; /* of the settings */
	int answer_ms; /* what the child may need for one request */
};

/* A fresh child of the zygote (zygote.h) with its settings and password (NULL: none); connects to nothing yet. RC_CONFIG: the zygote is gone. */
enum rc mailline_open(struct mailline *line, const struct zygote *zygote,
	const struct mailbox_settings *settings, const struct secret *password, struct err *err);
void mailline_close(struct mailline *line); /* ends the child; a closed line stays closed */

/* As mailbox_list(). */
enum rc mailline_list(struct mailline *line, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err);
/* *file: the message's bytes as a sealed memory file (memfile.h), checked, to be closed by the caller; it may be handed on to a mail child as it is.
 * RC_REFUSED: it is not there any more, or too large. */
enum rc mailline_fetch(struct mailline *line, const char *uid, int *file, int64_t *size, struct err *err);
/* Asks for several messages at once, at most MAILLINE_FETCH_MAX (mailbox_fetch_some()), and returns. One that is not given with the others is answered by RC_REFUSED,
 * or by RC_SERVER where the line died; of a single one that is said with the certainty of mailline_fetch(). */
#define MAILLINE_FETCH_MAX 100 /* descriptors on their way; a process may have some hundreds there */
enum rc mailline_fetch_begin(
	struct mailline *line, const char *const *uid, size_t count, int64_t payload, struct err *err);
enum rc mailline_fetch_next(struct mailline *line, int *file, int64_t *size, struct err *err);
/* As mailbox_move(). */
enum rc mailline_move(struct mailline *line, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err);
enum rc mailline_move_begin(
	struct mailline *line, const char *const *uid, size_t count, enum folder to, struct err *err);
enum rc mailline_move_end(
	struct mailline *line, size_t count, const char **moved_uid, struct pool *pool, struct err *err);
/* As mailbox_append(). */
enum rc mailline_append(
	struct mailline *line, const char *name, const char *wire, size_t len, struct err *err);

/* Starts waiting for news and returns at once. A wait that is under way goes on, with the seconds it was started with. */
enum rc mailline_wait(struct mailline *line, int seconds, struct err *err);
/* Reads what came when line->fd has become readable, without blocking. *over: the wait has ended (false: nothing has come yet); *news: list again.
 * RC_SERVER: the line to the server died while waiting (T13); it is opened anew by the next request. */
enum rc mailline_news(struct mailline *line, bool *over, bool *news, struct err *err);

/* ---- payloads, for both sides ---- */
/* The readers: false, not such a payload. What a child says is checked like anything from outside. */

/* WIRE_MAILBOX, behind which a WIRE_SECRET comes. Texts go into the pool. */
void mail_handover_put_mailbox(struct str *out, const struct mailbox_settings *settings);
bool mail_handover_get_mailbox(
	struct mailbox_settings *settings, const struct str *payload, struct pool *pool);

/* What every answer begins with. rc RC_OK: the phase and the sentence are empty. */
void mail_handover_put_result(struct str *out, enum rc rc, const char *phase, const struct err *err);

/* WIRE_LIST and WIRE_LISTED, WIRE_FETCH and a WIRE_MESSAGE each, in their order (size; the bytes come as a descriptor), WIRE_MOVE and WIRE_MOVED, WIRE_WAIT and WIRE_NEWS, WIRE_APPEND
 * (answered by a WIRE_DONE with nothing behind the result). */
struct mail_task { /* what the role asks for; strings live in pool and payload */
	enum folder folder; /* LIST, MOVE */
	const char *after; /* LIST; may be NULL */
	size_t limit; /* LIST */
	const char *const *uids; /* FETCH, MOVE */
	size_t count; /* FETCH, MOVE */
	int64_t payload; /* FETCH: of all, as they were listed */
	int seconds; /* WAIT */
	const char *name, *wire; /* APPEND */
	size_t len; /* APPEND */
};
void mail_handover_put_task(struct str *out, enum wire_type type, const struct mail_task *task);
bool mail_handover_get_task(
	struct mail_task *task, enum wire_type type, const struct str *payload, struct pool *pool);

/* Behind the result of WIRE_LISTED and WIRE_MOVED. */
void mail_handover_put_list(struct str *out, const struct mailbox_list *list);
void mail_handover_put_moved(struct str *out, const char *const *moved_uid, size_t count);

#endif
