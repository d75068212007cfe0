/*
 * certificate.h - a certificate for a test's server
 */
#ifndef SENGEN_TESTS_CERTIFICATE_H
#define SENGEN_TESTS_CERTIFICATE_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* A new one for that host, signed by itself; it is written to path (to be used as CA file). */
SSL_CTX *certificate_serve(const char *host, bool expired, const char *path);

#endif
