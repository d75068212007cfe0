/*
 * peer_certificate.h - the certificate of the server at the other end of a TLS session
 */
#ifndef SENGEN_PEER_CERTIFICATE_H
#define SENGEN_PEER_CERTIFICATE_H

#include <gnutls/gnutls.h>

#include "lib/base/clock.h"

/* When it runs out; 0: there is none, or it can't be read. Whether it is good was checked when the session was made. */
utc_time peer_certificate_until(gnutls_session_t session);

#endif
