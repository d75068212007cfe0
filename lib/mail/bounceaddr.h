/*
 * bounceaddr.h - the envelope sender that identifies a notice (VERP), signed
 *
 * local+b<notice id, base32>.<10 characters of HMAC-SHA256>@domain: local part at most 64 octets (RFC 5321 4.5.3.1.1), one case.
 */
#ifndef SENGEN_BOUNCEADDR_H
#define SENGEN_BOUNCEADDR_H

#include "lib/base/crypt.h"

/* base: the configured bounce mailbox, "bounce@sa.example.jp". */
enum rc bounceaddr_make(struct str *out, const char *base, int64_t notice_id, const void *key, size_t key_len,
	struct err *err);
/* The notice id; 0: not one of ours, or forged. */
int64_t bounceaddr_read(const char *address, const char *base, const void *key, size_t key_len);

#endif
