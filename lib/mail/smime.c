#include "lib/mail/smime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "lib/base/civil.h"
#include "lib/base/crypt.h"
#include "lib/mail/compose.h"

#define RSA_LEAST_BITS 2048
/* The mail's bytes as they are, no certificates, and no list of ciphers: nobody will encrypt to the office. */
#define SIGN_FLAGS (CMS_DETACHED | CMS_BINARY | CMS_NOCERTS | CMS_NOSMIMECAP)

struct smime_signer {
	X509 *certificate;
	STACK_OF(X509) * chain; /* nearest first; may be empty */
	EVP_PKEY *key; /* NULL until taken */
};

/* OpenSSL says why in a queue of its own, which nobody else is to find. */
static enum rc fault(struct err *err, enum rc rc, const char *text)
{
	ERR_clear_error();
	return err_set(err, rc, "%s", text);
}

/* ---- certificates ---- */

static utc_time time_of(const ASN1_TIME *time)
{
	struct tm tm = {0};
	return time && ASN1_TIME_to_tm(time, &tm) == 1 ? (utc_time)timegm(&tm) : 0;
}

static X509 *read_certificate(BIO *bio)
{
	/* An empty pass phrase: never ask on a terminal. */
	X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, (void *)str_empty);
	ERR_clear_error();
	return certificate;
}

static BIO *bio_of(const char *bytes, size_t len)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	if (!bio)
		die("out of memory");
	return bio;
}

static enum rc check_key_kind(X509 *certificate, struct err *err)
{
	EVP_PKEY *key = X509_get0_pubkey(certificate);
	int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE, bits = key ? EVP_PKEY_get_bits(key) : 0;
	if ((type == EVP_PKEY_RSA && bits >= RSA_LEAST_BITS) ||
		(type == EVP_PKEY_EC && (bits == 256 || bits == 384)))
		return RC_OK;
	return fault(err, RC_CONFIG,
		"the S/MIME certificate's key is neither RSA of at least 2048 bits nor ECDSA on P-256 or "
		"P-384; ask the certification authority for such a one");
}

static enum rc check_purpose(X509 *certificate, const char *from, struct err *err)
{
	if (X509_check_purpose(certificate, X509_PURPOSE_SMIME_SIGN, 0) != 1)
		return fault(err, RC_CONFIG,
			"the S/MIME certificate is not one to sign mails with (key usage "
			"digitalSignature, extended key usage emailProtection)");
	if (X509_check_email(certificate, from, 0, 0) != 1)
		return fault(err, RC_CONFIG,
			"the S/MIME certificate is not for the office's address: \"from_mail\" must be "
			"among the addresses in it");
	return check_key_kind(certificate, err);
}

/* Each certificate is signed by the next one. */
static enum rc check_links(const struct smime_signer *signer, struct err *err)
{
	X509 *below = signer->certificate;
	for (int i = 0; i < sk_X509_num(signer->chain); i++) {
		X509 *above = sk_X509_value(signer->chain, i);
		if (X509_check_issued(above, below) != X509_V_OK ||
			X509_verify(below, X509_get0_pubkey(above)) != 1)
			return fault(err, RC_CONFIG,
				"the S/MIME chain does not lead on from the certificate: each certificate "
				"must be followed by the one that issued it, the nearest first");
		below = above;
	}
	return RC_OK;
}

static enum rc read_chain(struct smime_signer *signer, const char *pem, struct err *err)
{
	BIO *bio = bio_of(pem, strlen(pem));
	X509 *certificate;
	int count = 0;
	bool is_root = false;
	for (; !is_root && (certificate = read_certificate(bio)); count++) {
		/* Who trusts a root has it. */
		is_root = X509_self_signed(certificate, 0) == 1;
		if (is_root)
			X509_free(certificate);
		else if (!sk_X509_push(signer->chain, certificate))
			die("out of memory");
	}
	BIO_free(bio);
	if (*pem && count == 0)
		return fault(err, RC_CONFIG, "the S/MIME chain holds no certificate in PEM");
	return check_links(signer, err);
}

enum rc smime_signer_load(struct smime_signer **signer, const char *certificate, const char *chain,
	const char *from, struct err *err)
{
	BIO *bio = bio_of(certificate, strlen(certificate));
	X509 *read = read_certificate(bio);
	BIO_free(bio);
	if (!read)
		return fault(err, RC_CONFIG, "the S/MIME certificate is not one in PEM");
	struct smime_signer *made = xcalloc(1, sizeof *made);
	made->certificate = read;
	made->chain = sk_X509_new_null();
	if (!made->chain)
		die("out of memory");
	enum rc rc = check_purpose(read, from, err);
	rc = rc ? rc : read_chain(made, chain, err);
	if (rc != RC_OK)
		smime_signer_free(&made);
	*signer = made;
	return rc;
}

enum rc smime_signer_take_key(struct smime_signer *signer, const char *pem, size_t len, struct err *err)
{
	EVP_PKEY *key = secret_key_read(pem, len);
	if (!key)
		return fault(
			err, RC_CONFIG, "the S/MIME key is not a private key in PEM without pass phrase");
	if (X509_check_private_key(signer->certificate, key) != 1) {
		EVP_PKEY_free(key);
		return fault(err, RC_CONFIG, "the S/MIME key is not the one of the S/MIME certificate");
	}
	EVP_PKEY_free(signer->key);
	signer->key = key;
	return RC_OK;
}

void smime_signer_free(struct smime_signer **signer)
{
	if (!*signer)
		return;
	X509_free((*signer)->certificate);
	sk_X509_pop_free((*signer)->chain, X509_free);
	EVP_PKEY_free((*signer)->key);
	free(*signer);
	*signer = NULL;
}

/* Number 0 is the certificate, then comes the chain. */
static X509 *certificate_at(const struct smime_signer *signer, int number)
{
	return number == 0 ? signer->certificate : sk_X509_value(signer->chain, number - 1);
}

static int certificate_count(const struct smime_signer *signer)
{
	return 1 + sk_X509_num(signer->chain);
}

utc_time smime_valid_until(const struct smime_signer *signer)
{
	utc_time until = UTC_NEVER;
	for (int i = 0; i < certificate_count(signer); i++) {
		utc_time one = time_of(X509_get0_notAfter(certificate_at(signer, i)));
		until = one < until ? one : until;
	}
	return until;
}

enum rc smime_valid(const struct smime_signer *signer, utc_time at, struct err *err)
{
	for (int i = 0; i < certificate_count(signer); i++) {
		const X509 *one = certificate_at(signer, i);
		utc_time from = time_of(X509_get0_notBefore(one)), until = time_of(X509_get0_notAfter(one));
		if (at >= from && at < until)
			continue;
		struct str moment = STR_INIT;
		civil_time_print(&moment, at < from ? from : until);
		enum rc rc = err_set(err, RC_CONFIG, "%s %s %s; put a valid one in its place",
			i == 0 ? "the S/MIME certificate" : "a certificate of the S/MIME chain",
			at < from ? "is not valid before" : "ran out at", moment.s);
		str_free(&moment);
		return rc;
	}
	return RC_OK;
}

void smime_certificates(const struct smime_signer *signer, struct str *out)
{
	for (int i = 0; i < certificate_count(signer); i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(certificate_at(signer, i), &der);
		if (len <= 0)
			die("OpenSSL can't write a certificate it has read");
		str_add(out, der, (size_t)len);
		OPENSSL_free(der);
	}
}

/* ---- the mail in two ---- */

struct halves {
	struct str outer; /* header fields of the mail */
	struct str
		entity; /* Content-… fields, empty line and body, without the last line end, which belongs to the delimiter behind it */
};

static bool split(struct halves *out, const char *wire, size_t len)
{
	const char *empty_line = memmem(wire, len, "\r\n\r\n", 4);
	*out = (struct halves){.outer = STR_INIT, .entity = STR_INIT};
	if (!empty_line || len < 2 || memcmp(wire + len - 2, "\r\n", 2) != 0)
		return false;
	bool inner = false;
	for (const char *at = wire, *end = empty_line + 2; at < end;) {
		const char *line_end = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
		if (*at != ' ' && *at != '\t')
			inner = strncasecmp(at, "Content-", 8) == 0;
		str_add(inner ? &out->entity : &out->outer, at, (size_t)(line_end - at));
		at = line_end;
	}
	if (out->entity.len == 0)
		return false;
	const char *body = empty_line + 2; /* with the empty line */
	str_add(&out->entity, body, (size_t)(wire + len - body) - 2);
	return true;
}

static void halves_free(struct halves *halves)
{
	str_free(&halves->outer);
	str_wipe(&halves->entity);
}

/* From the content, so that the same mail has the same boundary. */
static void boundary_make(struct str *out, const struct str *entity)
{
	for (int attempt = 0; out->len == 0; attempt++) {
		uint8_t digest[SHA256_LEN];
		struct sha256_stream *stream = sha256_begin();
		sha256_add(stream, &attempt, sizeof attempt);
		sha256_add(stream, entity->s, entity->len);
		sha256_end(&stream, digest);
		str_addz(out, "=_signed_");
		hex_add(out, digest, 16);
		if (memmem(entity->s, entity->len, out->s, out->len))
			str_clear(out);
	}
}

/* ---- signing ---- */

static bool put_time(CMS_SignerInfo *info, utc_time at)
{
	ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)at);
	bool done = time && CMS_signed_add1_attr_by_NID(
				    info, NID_pkcs9_signingTime, ASN1_STRING_type(time), time, -1) == 1;
	ASN1_TIME_free(time);
	return done;
}

static bool add_der(struct str *out, const CMS_ContentInfo *cms)
{
	unsigned char *der = NULL;
	int len = i2d_CMS_ContentInfo(cms, &der);
	if (len > 0)
		str_add(out, der, (size_t)len);
	OPENSSL_free(der);
	return len > 0;
}

static bool sign(struct str *out, const struct smime_signer *signer, const struct str *entity, utc_time at)
{
	BIO *data = bio_of(entity->s, entity->len);
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, SIGN_FLAGS | CMS_PARTIAL);
	CMS_SignerInfo *info = cms ? CMS_add1_signer(cms, signer->certificate, signer->key, EVP_sha256(),
					     SIGN_FLAGS | CMS_PARTIAL)
				   : NULL;
	bool done = info && put_time(info, at) && CMS_final(cms, data, NULL, SIGN_FLAGS) == 1 &&
		    add_der(out, cms);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	return done;
}

enum rc smime_sign(struct str *out, const struct smime_signer *signer, const char *wire, size_t len,
	utc_time at, struct err *err)
{
	struct halves halves;
	enum rc rc = smime_valid(signer, at, err);
	if (rc != RC_OK)
		return rc;
	if (!signer->key)
		return fault(err, RC_CONFIG, "the S/MIME key is missing");
	if (!split(&halves, wire, len))
		rc = fault(err, RC_REFUSED, "a mail without Content-Type can't be signed");
	else if (!sign(out, signer, &halves.entity, at))
		rc = fault(err, RC_CONFIG, "OpenSSL refuses to sign with the S/MIME key");
	halves_free(&halves);
	return rc;
}

/* ---- joining ---- */

static bool add_certificates(CMS_ContentInfo *cms, const struct str *certificates)
{
	const unsigned char *at = (const unsigned char *)certificates->s, *end = at + certificates->len;
	bool good = true;
	while (good && at < end) {
		X509 *one = d2i_X509(NULL, &at, end - at);
		good = one && CMS_add1_cert(cms, one) == 1;
		X509_free(one);
	}
	return good;
}

static bool whole_signature(struct str *out, const struct str *signature, const struct str *certificates)
{
	const unsigned char *at = (const unsigned char *)signature->s;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &at, (long)signature->len);
	bool good = cms && add_certificates(cms, certificates) && add_der(out, cms);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return good;
}

static void print(struct str *out, const struct halves *halves, const struct str *signature)
{
	struct str boundary = STR_INIT;
	boundary_make(&boundary, &halves->entity);
	str_add(out, halves->outer.s, halves->outer.len);
	str_printf(out,
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n"
		" micalg=sha-256; boundary=\"%s\"\r\n\r\n--%s\r\n",
		boundary.s, boundary.s);
	str_add(out, halves->entity.s, halves->entity.len);
	str_printf(out,
		"\r\n--%s\r\nContent-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n"
		"Content-Transfer-Encoding: base64\r\n"
		"Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n",
		boundary.s);
	compose_base64(out, signature->s, signature->len);
	str_printf(out, "\r\n--%s--\r\n", boundary.s);
	str_free(&boundary);
}

enum rc smime_join(struct str *out, const char *wire, size_t len, const struct str *signature,
	const struct str *certificates, struct err *err)
{
	struct halves halves;
	struct str whole = STR_INIT;
	enum rc rc = RC_OK;
	if (split(&halves, wire, len) && whole_signature(&whole, signature, certificates))
		print(out, &halves, &whole);
	else
		rc = err_set(err, RC_STORE,
			"a kept letter's S/MIME signature can't be put back; restore the register from a "
			"backup");
	halves_free(&halves);
	str_free(&whole);
	return rc;
}
