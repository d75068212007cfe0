/*
 * authres.h - Authentication-Results (RFC 8601): what our own mail server found out about a sender
 *
 * Only fields of the configured authserv-id count, and only those that stand above the first Received field of a foreign hop: whatever
 * stands below came with the mail and may be planted (RFC 8601, 5). Alignment as DMARC defines it, strictly (RFC 7489, 3.1): the domain that passed is
 * the domain of the only From address.
 */
#ifndef SENGEN_AUTHRES_H
#define SENGEN_AUTHRES_H

#include "lib/mail/message.h"

struct authres {
	bool seen; /* a field that counts was there */
	bool dkim_aligned; /* dkim=pass with header.d of the From domain */
	bool spf_aligned; /* spf=pass with smtp.mailfrom of the From domain */
};

/* authserv_id NULL or "": nothing is believed. own_hops: names of our own servers (`by` of Received); the authserv_id is one by itself. */
void authres_read(struct authres *out, const struct message *message, const char *authserv_id,
	const struct strlist *own_hops);

#endif
