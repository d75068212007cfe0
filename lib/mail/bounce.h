/*
 * bounce.h - delivery status notifications: RFC 3464, RFC 6522, and the plain-text ones of Japanese carriers and providers
 */
#ifndef SENGEN_BOUNCE_H
#define SENGEN_BOUNCE_H

#include "lib/mail/message.h"

enum bounce_class {
	BOUNCE_NONE,
	BOUNCE_HARD,
	BOUNCE_SOFT,
	BOUNCE_POLICY,
	BOUNCE_FULL,
	BOUNCE_CONTENT,
	BOUNCE_UNDECIDED
};
const char *bounce_class_name(enum bounce_class c);

struct bounce {
	bool is_bounce;
	const char **recipient; /* lower-case */
	size_t recipient_count;
	const char *action; /* failed, delayed, delivered, relayed, expanded; "" */
	bool permanent, permanent_known;
	const char *status; /* "5.1.1"; "" */
	const char *message_id; /* of the returned mail, as found; "" */
	enum bounce_class class_;
	const char *why; /* rule and words */
};
void bounce_read(struct bounce *out, const struct message *message, struct pool *pool);

#endif
