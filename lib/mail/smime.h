/*
 * smime.h - S/MIME signatures: multipart/signed, detached (RFC 8551; CMS, RFC 5652; RFC 1847)
 *
 * A mail is composed and kept as it is. smime_sign() makes a CMS signature over its MIME entity, that is its Content-… fields and its body; smime_join() puts
 * both into a multipart/signed mail. Joining the same always gives the same bytes: what was sent can be had again from the mail as composed, the signature
 * (some 500 bytes, without certificates) and the certificates, which are the same for thousands of mails. DKIM signs what smime_join() made.
 */
#ifndef SENGEN_SMIME_H
#define SENGEN_SMIME_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

struct smime_signer; /* a certificate, what leads from it to its root, and its key */

/* certificate: PEM, for e-mail (RFC 5280 4.2.1.12), with `from` among its addresses, RSA of at least 2048 bits or ECDSA on P-256 or P-384; chain: the
 * certificates between it and its root, nearest first, in PEM, "" for none. Whether they are valid now is smime_valid()'s. RC_CONFIG. */
enum rc smime_signer_load(struct smime_signer **signer, const char *certificate, const char *chain,
	const char *from, struct err *err);
/* pem: PKCS#8 without pass phrase, the certificate's own. RC_CONFIG. */
enum rc smime_signer_take_key(struct smime_signer *signer, const char *pem, size_t len, struct err *err);
void smime_signer_free(struct smime_signer **signer);

/* Until when certificate and chain are all valid. */
utc_time smime_valid_until(const struct smime_signer *signer);
/* RC_CONFIG: one of them is not valid yet or has run out. */
enum rc smime_valid(const struct smime_signer *signer, utc_time at, struct err *err);
/* The certificates that belong to signatures of this signer (DER, one behind the other), for smime_join(). */
void smime_certificates(const struct smime_signer *signer, struct str *out);

/* Appends the signature of a mail (wire bytes as compose() makes them) to out, with `at` as its time. RC_CONFIG: not valid at that time, or OpenSSL refuses the
 * key; RC_REFUSED: not such a mail. */
enum rc smime_sign(struct str *out, const struct smime_signer *signer, const char *wire, size_t len,
	utc_time at, struct err *err);
/* Appends the signed mail to out. RC_STORE: signature or certificates are damaged, or the wire is no mail. */
enum rc smime_join(struct str *out, const char *wire, size_t len, const struct str *signature,
	const struct str *certificates, struct err *err);

#endif
