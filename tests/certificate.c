#include "tests/certificate.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/base/err.h"
#include "lib/base/file.h"
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

/* ---- S/MIME ---- */

struct issued {
	EVP_PKEY *key;
	X509 *certificate;
};

static void extend(X509 *certificate, int kind, const char *text)
{
	X509V3_CTX ctx;
	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, certificate, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, kind, text);
	if (!extension || X509_add_ext(certificate, extension, -1) != 1)
		die("a certificate for the test can't be made (%s)", text);
	X509_EXTENSION_free(extension);
}

static struct issued issue(const struct issued *by, const char *name, const struct mail_certificate *what,
	long long until, bool ca)
{
	static long serial = 100;
	const char *curve = ca ? NULL : what->curve;
	struct str text = STR_INIT;
	struct issued out = {.key = curve ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", curve)
					  : EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048),
		.certificate = X509_new()};
	X509 *cert = out.certificate;
	X509_set_version(cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
	ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)what->from);
	ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)until);
	X509_set_pubkey(cert, out.key);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(by ? by->certificate : cert));
	extend(cert, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	extend(cert, NID_key_usage, ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	extend(cert, NID_subject_key_identifier, "hash");
	if (!ca) {
		str_printf(&text, "email:%s", what->mail);
		extend(cert, NID_subject_alt_name, text.s);
		extend(cert, NID_ext_key_usage, what->usage ? what->usage : "emailProtection");
	}
	X509_sign(cert, by ? by->key : out.key, EVP_sha256());
	str_free(&text);
	return out;
}

static FILE *file_in(const char *dir, const char *name)
{
	struct str path = STR_INIT;
	path_join(&path, dir, name);
	FILE *file = fopen(path.s, "w");
	if (!file || chmod(path.s, strstr(name, "key") ? 0600 : 0644) != 0)
		die("the test's certificate can't be written to %s", path.s);
	str_free(&path);
	return file;
}

static void put_certificate(const char *dir, const char *name, X509 *certificate)
{
	FILE *file = file_in(dir, name);
	if (PEM_write_X509(file, certificate) != 1 || fclose(file) != 0)
		die("the test's certificate can't be written");
}

void certificate_mail(const char *dir, const struct mail_certificate *what)
{
	struct issued root = issue(NULL, "Test Root", what, what->until, true);
	struct issued middle =
		issue(&root, "Test Issuer", what, what->chain_until ? what->chain_until : what->until, true);
	struct issued leaf = issue(&middle, "SECURITY ACTION", what, what->until, false);
	put_certificate(dir, "smime-root.pem", root.certificate);
	put_certificate(dir, "smime-chain.pem", middle.certificate);
	put_certificate(dir, "smime.pem", leaf.certificate);
	FILE *file = file_in(dir, "smime-key.pem");
	if (PEM_write_PKCS8PrivateKey(file, leaf.key, NULL, NULL, 0, NULL, NULL) != 1 || fclose(file) != 0)
		die("the test's key can't be written");
	struct issued *all[] = {&root, &middle, &leaf};
	for (size_t i = 0; i < 3; i++) {
		X509_free(all[i]->certificate);
		EVP_PKEY_free(all[i]->key);
	}
}
