/*
 * crypt.h - digests, MACs, sealing, and the encodings that go with them (OpenSSL)
 */
#ifndef SENGEN_CRYPT_H
#define SENGEN_CRYPT_H

#include <stdint.h>

#include "lib/base/err.h"
#include "lib/base/rng.h"
#include "lib/base/str.h"

#define SHA256_LEN 32

void sha256(uint8_t out[SHA256_LEN], const void *bytes, size_t len);

struct sha256_stream; /* for input in pieces */
struct sha256_stream *sha256_begin(void);
void sha256_add(struct sha256_stream *stream, const void *bytes, size_t len);
void sha256_end(struct sha256_stream **stream, uint8_t out[SHA256_LEN]); /* releases the stream */

void hmac_sha256(uint8_t out[SHA256_LEN], const void *key, size_t key_len, const void *bytes, size_t len);
bool bytes_equal(const void *a, const void *b, size_t len); /* in constant time */

void hex_add(struct str *out, const void *bytes, size_t len); /* lower case */
bool hex_read(void *out, size_t len, const char *text); /* exactly len bytes */
void base64_add(struct str *out, const void *bytes, size_t len);
#define BASE64_LEN(len) (((len) + 2) / 3 * 4)
void base64_write(char *out, const void *bytes, size_t len); /* BASE64_LEN(len) characters, no NUL */
bool base64_read(struct str *out, const char *text, size_t len); /* white space is skipped */
/* The one spelling that base64_add() gives: whole groups, no white space, no bit left over. false: it is another, and out is as it was. */
bool base64_read_line(struct str *out, const char *text, size_t len);
/* Lower-case base32 without padding (RFC 4648 alphabet): safe in a local part that somebody folds to one case. */
void base32_add(struct str *out, const void *bytes, size_t len);
bool base32_read(struct str *out, const char *text, size_t len);

/* AES-256-GCM: out = 12 byte nonce, ciphertext, 16 byte tag. The nonce comes from rng. */
#define SEAL_KEY_LEN 32
void seal(struct str *out, const uint8_t key[SEAL_KEY_LEN], struct rng *rng, const void *bytes, size_t len);
/* false: wrong key or altered bytes. */
bool unseal(struct str *out, const uint8_t key[SEAL_KEY_LEN], const void *sealed, size_t len);

#endif
