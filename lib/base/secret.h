/*
 * secret.h - passwords and keys: memory that is locked, stands in no core file, and is wiped when it is given up
 *
 * Each secret has pages of its own between two that nobody may touch, so that mlock() (no swap) and MADV_DONTDUMP hold for it and nothing else, and giving it
 * up leaves nothing behind. A secret is never copied into a `struct str` or a pool: it is read into its place (secret_read(), secret_room()), lent as `bytes`,
 * and passed on to a child from there (wire_send(), wire_receive_secret()). Where the system refuses to lock more memory (RLIMIT_MEMLOCK) the secret is kept
 * all the same, and the log says so once.
 */
#ifndef SENGEN_SECRET_H
#define SENGEN_SECRET_H

#include "lib/base/err.h"
#include "lib/base/str.h"

#define SECRET_MAX (64u * 1024)

struct secret {
	char *bytes; /* bytes[len] is NUL; never NULL: a shared empty string until something is held */
	size_t len;
	size_t size; /* of its pages; 0: none, bytes are not ours */
};

#define SECRET_INIT                                                                                          \
	(struct secret)                                                                                      \
	{                                                                                                    \
		.bytes = str_empty                                                                           \
	}

/* A text that is none, where one is wanted (samples, tests). */
#define SECRET_LENT(text)                                                                                    \
	{                                                                                                    \
		.bytes = (char[]){text}, .len = sizeof(text) - 1                                             \
	}

/* Wipes, gives the pages back, and makes it empty. A secret that is all zeros (calloc) is empty too. */
void secret_free(struct secret *secret);
/* Gives up what was held and makes room for len bytes, zeros, to be written in place; at most SECRET_MAX. */
char *secret_room(struct secret *secret, size_t len);
void secret_set(struct secret *secret, const void *bytes, size_t len);
/* Shortens it; what is cut off is wiped. */
void secret_cut(struct secret *secret, size_t len);

/* From $CREDENTIALS_DIRECTORY/NAME where value is "credential:NAME" (systemd.exec(5), LoadCredential=), else from the file itself, which must not be
 * readable by others. One trailing newline is dropped. RC_CONFIG with where it was looked for, never with what was found; on failure secret is empty. */
enum rc secret_read(struct secret *secret, const char *where, struct err *err);

/* ---- keys that OpenSSL holds ---- */

/* What OpenSSL gives up is wiped from now on. To be called before anything of OpenSSL's; else it does nothing. */
void secret_openssl_wipes(void);

/* Reads a private key (PEM, PKCS#8 without pass phrase) and keeps it, and with secret_openssl_wipes() all that OpenSSL works with from now on, in an arena that is
 * locked and in no core file. NULL: it is no such key. Freed with EVP_PKEY_free(). */
struct evp_pkey_st *secret_key_read(const char *pem, size_t len);

#endif
