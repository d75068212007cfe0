/*
 * letter.h - the exact bytes of a mail, kept small
 *
 * First letters are kept as long as the declaration lives and are proof: what comes out is byte for byte what went in, checked against
 * a SHA-256. A base64 body is kept decoded, everything is deflated with a model as dictionary: the template's own text and a letter made of it with sample
 * data. Models are kept in the register beside the letters (store.h). Secrets (user number, ZIP password) are cut out and sealed under the credential key.
 */
#ifndef SENGEN_LETTER_H
#define SENGEN_LETTER_H

#include "lib/base/crypt.h"

/* ---- models ---- */
struct letter_model;
/* What a model is made of, as it is kept: the template's own text and the wire bytes of a sample (NULL: none) of the same template. */
void letter_model_text(
	struct str *out, const char *own_text, size_t own_len, const char *sample, size_t sample_len);
/* Never fails. Many letters are packed against one: what there is to learn of it is learned once (deflate.h). */
struct letter_model *letter_model_new(int64_t id, const char *text, size_t len);
void letter_model_free(struct letter_model **model);
/* A number that follows from the text: 32 bits of its SHA-256, never 0. */
int64_t letter_model_id(const char *text, size_t len);

struct letter_secrets {
	const uint8_t *
		key; /* SEAL_KEY_LEN bytes; NULL: no credential key is configured, secrets can't be kept: RC_CONFIG if there are any */
	struct rng *rng;
	const char *const *secret; /* texts to cut out wherever they stand; NULL ends; may be NULL */
	const uint8_t *digest; /* SHA-256 of the wire bytes, where it is known already; NULL */
};

/* model NULL: none. RC_CONFIG: there are secrets and no key. */
enum rc letter_pack(struct str *out, const char *wire, size_t len, const struct letter_model *model,
	const struct letter_secrets *secrets, struct err *err);
/* The model that a letter was packed against; 0: none, its dictionary is template_own_text() (letters from before version 6, and mails without a template). */
int64_t letter_packed_model(const void *packed, size_t len);
/* dictionary: the model's text, or the template's own text where letter_packed_model() is 0. RC_STORE: altered or cut bytes, digest mismatch; RC_CONFIG: the credential key
 * is missing or another. */
enum rc letter_unpack(struct str *wire, const void *packed, size_t packed_len, const char *dictionary,
	size_t dictionary_len, const uint8_t *key, struct err *err);

#endif
