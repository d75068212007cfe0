/*
 * certificate.h - a certificate for a test's server
 */
#ifndef SENGEN_TESTS_CERTIFICATE_H
#define SENGEN_TESTS_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* A new one for that host, signed by itself; it is written to path (to be used as CA file). */
SSL_CTX *certificate_serve(const char *host, bool expired, const char *path);

/* An office's S/MIME certificate with the two above it, anew: dir/smime.pem, smime-chain.pem, smime-key.pem (0600), smime-root.pem. */
struct mail_certificate {
	const char *mail;
	long long from, until; /* of all three, seconds since 1970 */
	long long chain_until; /* of the middle one; 0: until */
	const char *usage; /* extended key usage; NULL: emailProtection */
	const char *curve; /* NULL: RSA of 2048 bits */
};
void certificate_mail(const char *dir, const struct mail_certificate *what);

#endif
