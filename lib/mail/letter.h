/*
 * letter.h - the exact bytes of a mail, kept small
 *
 * First letters are kept as long as the declaration lives and are proof: what comes out is byte for byte what went in, checked against
 * a SHA-256. A base64 body is kept decoded, everything is deflated with the template's own text and the usual header as
 * dictionary. Secrets (user number, ZIP password) are cut out and sealed under the credential key.
 */
#ifndef SENGEN_LETTER_H
#define SENGEN_LETTER_H

#include "lib/base/crypt.h"

struct letter_secrets {
	const uint8_t *
		key; /* SEAL_KEY_LEN bytes; NULL: no credential key is configured, secrets can't be kept: RC_CONFIG if there are any */
	struct rng *rng;
	const char *const *secret; /* texts to cut out wherever they stand; NULL ends; may be NULL */
};

/* dictionary: template_own_text(); must be the same for unpacking. */
enum rc letter_pack(struct str *out, const char *wire, size_t len, const char *dictionary,
	size_t dictionary_len, const struct letter_secrets *secrets, struct err *err);
/* RC_STORE: altered or cut bytes, digest mismatch; RC_CONFIG: the credential key is missing or another. */
enum rc letter_unpack(struct str *wire, const void *packed, size_t packed_len, const char *dictionary,
	size_t dictionary_len, const uint8_t *key, struct err *err);

#endif
