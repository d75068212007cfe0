#include "tests/certificate.h"

#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

SSL_CTX *certificate_serve(const char *host, bool expired, const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509 *cert = X509_new();
	struct str text = STR_INIT;
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400L * 30);
	X509_gmtime_adj(X509_getm_notAfter(cert), expired ? -86400L : 86400L);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)host, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	static const int kinds[] = {NID_basic_constraints, NID_key_usage, NID_subject_alt_name};
	for (size_t i = 0; i < 3; i++) {
		str_clear(&text);
		if (kinds[i] == NID_subject_alt_name)
			str_printf(&text, "DNS:%s", host);
		else
			str_addz(&text, kinds[i] == NID_key_usage ? "critical,digitalSignature,keyCertSign"
								  : "critical,CA:TRUE");
		X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kinds[i], text.s);
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	X509_sign(cert, key, EVP_sha256());
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(tls, cert);
	SSL_CTX_use_PrivateKey(tls, key);
	FILE *file = fopen(path, "w");
	if (!file || PEM_write_X509(file, cert) != 1 || fclose(file) != 0)
		die("the test's certificate can't be written to %s", path);
	str_free(&text);
	X509_free(cert);
	EVP_PKEY_free(key);
	return tls;
}
