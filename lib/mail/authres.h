/*
 * authres.h - Authentication-Results (RFC 8601): what our own mail server found out about a sender
 *
 * Only fields of the configured authserv-id count, and only those that stand above the Received field in which one of our servers took the mail from a
 * foreign host: whatever stands below may have come with the mail (RFC 8601, 5). A sender can write a Received field that names our server, too, so
 * that field is the first, from above, whose `by` is not ours or whose `from` is not proven ours. A mail server that puts its results below its own
 * Received field (Gmail does) is thus not heard: nothing tells them from planted ones.
 *
 * Alignment as DMARC defines it, strictly (RFC 7489, 3.1): the domain that passed is the domain of the only From address.
 */
#ifndef SENGEN_AUTHRES_H
#define SENGEN_AUTHRES_H

#include "lib/mail/message.h"

struct authres {
	bool seen; /* a field that counts was there */
	bool dkim_aligned; /* dkim=pass with header.d (without one: header.i) of the From domain */
	bool spf_aligned; /* spf=pass with smtp.mailfrom of the From domain */
	bool disowned; /* the From domain itself says that the mail is not its own: spf=fail or dmarc=fail, and neither of the above. Not part of what a reader hands over. */
};

/* authserv_id NULL or "": nothing is believed. own_hops: names of our own servers, as they stand in `by` and `from` of Received; the authserv_id is one
 * by itself, and so is the machine itself (localhost with a loopback address). */
void authres_read(struct authres *out, const struct message *message, const char *authserv_id,
	const struct strlist *own_hops);

/*
 * The same from a mail's bytes, for the role itself: a reader that was taken over by the mail it read can claim any signature. Only the header is looked at, nothing is
 * decoded, and what is not plain (several From, names with an @ in them, comments, more than 500 fields, NUL) is believed in nothing: *from is "" then.
 * *from: the address as it stands there. Lives in pool.
 */
void authres_reread(struct authres *out, const char **from, const char *bytes, size_t len,
	const char *authserv_id, const struct strlist *own_hops, struct pool *pool);

#endif
