/*
 * bounce.h - delivery status notifications: RFC 3464, RFC 6522, and the plain-text ones of Japanese carriers and providers
 *
 * A mail is a bounce when it carries a delivery report, or when a mail system speaks in it (null sender or a daemon's name) in words of
 * config/bounce-rules.conf. Automatic replies and read receipts are none; nor is a "report" that brings a form: somebody wants it carried out.
 * Whether it belongs to a mail of ours is not judged here: a forged one reads like a real one and matches nothing.
 */
#ifndef SENGEN_BOUNCE_H
#define SENGEN_BOUNCE_H

#include "lib/mail/message.h"

enum bounce_class {
	BOUNCE_NONE, /* no bounce, or a report of success (delivered, relayed, expanded) */
	BOUNCE_HARD, /* nobody can be reached at that address; for a carrier's (docomo, au, SoftBank) also: the user's filter refused */
	BOUNCE_SOFT, /* not now: delayed, or given up after trouble on the way */
	BOUNCE_POLICY, /* this sender, server or way is not wanted */
	BOUNCE_FULL, /* the mailbox is full */
	BOUNCE_CONTENT, /* this mail is not wanted: size, words, attachment */
	BOUNCE_UNDECIDED, /* not delivered, and nothing says why; never scored */
};
const char *bounce_class_name(enum bounce_class c);
const char *bounce_class_name_ja(enum bounce_class c); /* 宛先不明 … */

struct bounce {
	bool is_bounce;
	const char **
		recipient; /* lower-case, unquoted; the address the mail was sent to where the report tells it from the one it ended at */
	size_t recipient_count;
	const char *action; /* failed, delayed, delivered, relayed, expanded (RFC 3464 2.3.3); "" */
	bool permanent,
		permanent_known; /* of the recipient, not of this mail: unknown for refusals by policy or content */
	const char *status; /* "5.1.1" (RFC 3463), of the first recipient that failed; "" */
	const char *message_id; /* of the returned mail, as found, with its angle brackets; "" */
	enum bounce_class class_; /* of the same recipient */
	const char *why; /* rule and words, or why it is none; English with the words quoted */
};
/* Compiles the rules: before file access is given up. */
void bounce_preload(void);
/* Strings are the pool's or the message's. */
void bounce_read(struct bounce *out, const struct message *message, struct pool *pool);

#endif
