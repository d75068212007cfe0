/*
 * token.h - one-time tokens that prove a mailbox: sent to the registered address, sent back in a reply
 *
 * HMAC-SHA256 under a key derived from the credential key, over purpose, request, a nonce and the end of validity, cut to 100 bits: 20 letters of Crockford's
 * base32 (digits and letters without I, L, O, U; read back, I and L are 1 and O is 0). Four letters of checksum follow, so that a word, a number
 * or a message id of others is no token: XXXXXX-XXXXXX-XXXXXX-XXXXXX. It stands in the Subject, in the body, in the Message-ID and in the Reply-To
 * address of the mail that asks, so a reply brings it back whatever the mail program did to one of them. The register keeps only its digest.
 */
#ifndef SENGEN_TOKEN_H
#define SENGEN_TOKEN_H

#include "lib/base/crypt.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"

#define TOKEN_LETTERS 24 /* 100 bits and 20 bits of checksum */
#define TOKEN_TEXT_MAX 28 /* with its hyphens and NUL */

enum token_purpose { /* stored: append only */
	TOKEN_REQUEST = 1, /* a stop or change: the registered address agrees */
	TOKEN_NEW_ADDRESS = 2, /* a change: the new address can be reached */
	TOKEN_APPLICATION = 3, /* profile site: the address of a new application */
};

/* key: the credential key. subject_id: request or application. */
void token_make(char out[TOKEN_TEXT_MAX], enum token_purpose purpose, int64_t subject_id, int64_t expires_at,
	struct rng *rng, const uint8_t key[SEAL_KEY_LEN]);
/* What the register keeps, of a token in any writing. */
void token_digest(uint8_t out[SHA256_LEN], const char *token);
/* Finds tokens in any text: width folded, any case, hyphens of any kind or none, blanks, line breaks, quote marks and HTML line breaks between its
 * letters; in addresses and message ids too. Each one once, in canonical writing, at most `most`. */
void token_find(struct strlist *found, const char *text, size_t most);
/* Where the first token that ends behind `from` stands in the text. False: there is none. */
bool token_span(const char *text, const char *from, const char **begin, const char **behind);

#endif
