/*
 * message.h - one received mail, taken apart
 *
 * GMime behind it (its parser takes what mailers really write: duplicate and broken fields, lost boundaries; libetpan's is strict and falls to
 * fuzzing); charsets and names are decoded by charset.h. Runs in a parser child (and, for `sengenctl inspect`, in one too): limits on size, depth, parts,
 * header bytes and decoded bytes; whatever is over a limit is left out and said so in `damage`. Nothing here judges what the mail means.
 */
#ifndef SENGEN_MESSAGE_H
#define SENGEN_MESSAGE_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/base/str.h"

struct message_limits {
	size_t bytes; /* whole mail; default 30 MiB */
	size_t header_bytes; /* 256 KiB */
	int depth; /* 12 */
	int parts; /* 200 */
	size_t decoded_bytes; /* all parts together; 60 MiB */
};
extern const struct message_limits message_limits_default;

enum part_kind { /* told by the bytes, not by name or label */
	PART_TEXT,
	PART_HTML,
	PART_DOCX,
	PART_DOCM,
	PART_XLSX,
	PART_ODT,
	PART_OLE /* .doc, .xls, .msg */,
	PART_RTF,
	PART_PDF,
	PART_IMAGE,
	PART_ZIP,
	PART_ZIP_ENCRYPTED,
	PART_TNEF,
	PART_MESSAGE,
	PART_DELIVERY_STATUS,
	PART_DISPOSITION_NOTIFICATION,
	PART_SIGNATURE,
	PART_CALENDAR,
	PART_OTHER,
};
const char *part_kind_name(enum part_kind kind); /* "docx" … */
enum part_kind part_kind_tell(const char *bytes, size_t len, const char *declared_type);

struct message_part {
	enum part_kind kind;
	const char *declared_type; /* "application/octet-stream", lower case */
	const char *name; /* file name, decoded (RFC 2231, RFC 2047 inside quotes, raw); "" */
	bool attachment; /* Content-Disposition says so, or it has a name and is no text */
	int depth;
	int parent; /* index of the enclosing message/rfc822 part; -1: the mail itself */
	int alternative; /* which multipart/alternative it is in, from 1; 0: none */
	const char *bytes; /* content, transfer encoding undone */
	size_t len;
	const char *text; /* PART_TEXT, PART_HTML: as UTF-8 plain text (HTML reduced to text); else NULL */
};

struct message_address {
	const char *name, *address; /* decoded; address lower-case domain, "" when unreadable */
};

struct message_header {
	const char *name, *value; /* value: decoded, unfolded */
	const char *raw; /* as it came: where a decoded word could pass for the syntax around it */
};

struct message {
	const char *subject, *message_id, *in_reply_to,
		*references; /* ids with their angle brackets as found; "" */
	struct message_address from, sender, reply_to;
	int from_count; /* addresses in From, or From fields: more than one is forgery or damage */
	const char *return_path; /* "" for the null sender <>; NULL: no header */
	const char *to, *cc;
	utc_time date; /* 0: none or unreadable */
	const char *auto_submitted, *precedence, *list_id, *x_auto_response_suppress, *x_loop;
	const char **authentication_results; /* in header order, topmost first */
	size_t authentication_results_count;
	const char **received;
	size_t received_count;
	const char **delivered_to; /* Delivered-To, X-Original-To, To: where a bounce address can be found */
	size_t delivered_to_count;
	struct message_header *header; /* all fields, in order */
	size_t header_count;
	struct message_part *part;
	size_t part_count;
	const char *damage; /* English, what was left out and why; "" */
};

/* Starts GMime and opens every converter: before file access is given up. */
void message_preload(void);
/* Reads one mail into pool. RC_REFUSED when there is nothing to read (empty, no header at all, over the size). */
enum rc message_read(struct message *out, const char *bytes, size_t len, const struct message_limits *limits,
	struct pool *pool, struct err *err);
/* The value of the first header field of that name, decoded; NULL. */
const char *message_header(const struct message *message, const char *name);
/* HTML → plain text: block elements to lines, entities, scripts and styles dropped, quoted blocks marked with "> ". */
void html_to_text(struct str *out, const char *html, size_t len);
/* The text that comes first: the best text part of the mail itself (alternative: plain unless it is empty or only says that there is HTML). */
const char *message_body(const struct message *message);
/* All that was written: that, and what stands below a picture or another attachment, in its order. Files are none of it. The pool's. */
const char *message_text(const struct message *message, struct pool *pool);

#endif
