#include "lib/mail/peer_certificate.h"

#include <gnutls/x509.h>

utc_time peer_certificate_until(gnutls_session_t session)
{
	unsigned int count = 0;
	gnutls_x509_crt_t certificate;
	utc_time until = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
	if (count == 0 || gnutls_x509_crt_init(&certificate) != 0)
		return 0;
	if (gnutls_x509_crt_import(certificate, &chain[0], GNUTLS_X509_FMT_DER) == 0)
		until = (utc_time)gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	return until;
}
