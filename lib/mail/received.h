/*
 * received.h - everything the office has to know of one received mail, as the parser child hands it over and the register keeps it
 *
 * Travels as one JSON text (a child that was taken over can write what it likes: received_load() takes only what fits types, limits and UTF-8, and
 * whoever acts on it believes nothing that a token, the register or a signed bounce address does not prove). `sengenctl inspect` prints from the same.
 */
#ifndef SENGEN_RECEIVED_H
#define SENGEN_RECEIVED_H

#include "lib/mail/authres.h"
#include "lib/mail/request.h"

#define RECEIVED_TEXT_MAX (16 * 1024) /* octets kept of the writer's own text; the raw mail has the rest */
#define RECEIVED_TOKENS_MAX 8
#define RECEIVED_ADDRESSES_MAX 16
#define RECEIVED_ATTACHMENTS_MAX 40
#define RECEIVED_CHANGES_MAX 24 /* of a change form */
#define RECEIVED_RECIPIENTS_MAX 32 /* of a bounce */
#define RECEIVED_WALL_SECONDS 3
#define RECEIVED_JSON_MAX ((size_t)256 * 1024) /* whatever is in it, received_print() writes no more */

struct received_attachment {
	const char *name; /* "" */
	const char *kind; /* part_kind_name() */
	int64_t size;
};

struct received {
	struct reading
		reading; /* made without a registry: the office checks against what is on file. fresh, quoted and form_text of it don't travel: see below */
	const char *
		unreadable; /* an attachment that should hold a form and can't be read: its kind, "ole", "pdf", "image", "zip-encrypted", "tnef" …; "" none */

	/* the envelope as the header shows it */
	const char *from; /* address of the only From; "" when there is none, several, or it can't be read */
	const char *from_name;
	const char *reply_to; /* "" */
	bool null_sender; /* Return-Path: <> */
	bool automatic; /* Auto-Submitted other than no (RFC 3834), or another way of a machine to say so; auto-replies and bounces are */
	bool bulk; /* Precedence bulk, list or junk; List-Id */
	bool own; /* our own mail came back: our loop mark */
	struct authres authres;
	const char *subject, *message_id; /* message_id: without brackets; "" */
	utc_time date; /* 0: none */
	const char *delivered_to[RECEIVED_ADDRESSES_MAX]; /* where a bounce address can be found */
	size_t delivered_to_count;
	const char *answers
		[RECEIVED_ADDRESSES_MAX]; /* In-Reply-To and References, without brackets, nearest first */
	size_t answers_count;
	const char *token
		[RECEIVED_TOKENS_MAX]; /* canonical; from subject, ids, addresses, new text and quoted text */
	size_t token_count;
	bool objects; /* the writer's own words take back or deny: a token then confirms nothing */

	/* for staff */
	const char *text; /* what the writer wrote anew */
	const char *form_text; /* what could be read of an attached form or document; "" */
	struct received_attachment *attachment;
	size_t attachment_count;
	const char *damage; /* "" */
};

struct received_context { /* what the child is told of the office */
	const struct request_rules *rules;
	const char *office; /* the office's own address */
	const char *authserv_id; /* NULL: none is trusted */
	struct strlist own_hops;
	const struct request_registry *registry; /* NULL: no checks against what is on file */
};

/* Once, in the process that forks the children: rules, converters, whatever reads files; then a mail of our own is read, so that patterns have built
 * their tables before the children are made. */
enum rc received_prepare(struct request_rules **rules, struct err *err);
/* In a child: gives up everything but reading memory and answering (confine.h), within 256 MiB, 2 s of CPU time and RECEIVED_WALL_SECONDS. */
enum rc received_confine(struct err *err);
/* Reads one mail; runs in such a child. RC_REFUSED: nothing to read. Lives in pool and message bytes. */
enum rc received_read(struct received *out, const char *bytes, size_t len,
	const struct received_context *context, struct pool *pool, struct err *err);

/* One line of JSON, and back. Printing cuts texts to their limits between characters; control characters but LF and tab become blanks.
 * received_load(): RC_REFUSED for anything received_print() can't have written: types, names, sizes, ranges, UTF-8. */
void received_print(struct str *out, const struct received *received);
enum rc received_load(struct received *out, const char *json, size_t len, struct pool *pool, struct err *err);

#endif
