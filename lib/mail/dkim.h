/*
 * dkim.h - DKIM signatures (RFC 6376, RFC 8463 for Ed25519), relaxed/relaxed
 */
#ifndef SENGEN_DKIM_H
#define SENGEN_DKIM_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

struct dkim_key; /* a private key with its selector and domain */

/* pem: PKCS#8 RSA (≥ 2048 bits) or Ed25519. */
enum rc dkim_key_load(struct dkim_key **key, const char *pem, size_t len, const char *domain,
	const char *selector, struct err *err);
void dkim_key_free(struct dkim_key **key);
const char *dkim_key_algorithm(const struct dkim_key *key); /* "rsa-sha256", "ed25519-sha256" */
/* The value of the DNS TXT record to publish (RFC 6376 section 3.6.1, RFC 8463 section 4). */
void dkim_key_record(const struct dkim_key *key, struct str *out);
/* The same as a line of a zone file, without its end: SELECTOR._domainkey.DOMAIN. IN TXT ( "…" "…" ), in strings of at most 255 bytes (RFC 1035 section 3.3,
 * RFC 6376 section 3.6.2.2). */
void dkim_key_zone_line(const struct dkim_key *key, struct str *out);

/* Appends one complete DKIM-Signature field (CRLF) per key to out. wire: the mail without them, CRLF. From is oversigned. */
enum rc dkim_sign(struct str *out, struct dkim_key *const *key, size_t key_count, const char *wire,
	size_t len, utc_time at, struct err *err);

#endif
