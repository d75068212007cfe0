#include "lib/mail/dkim.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "lib/base/crypt.h"
#include "lib/base/secret.h"

#define RSA_LEAST_BITS 2048 /* RFC 8301 3.2 asks for 2048 */
#define LINE_COLUMNS 76
#define ZONE_STRING_MAX 255 /* bytes of a character string of the DNS */

struct dkim_key {
	EVP_PKEY *key;
	char *domain, *selector; /* owned */
	bool is_ed25519;
};

/* In this order in h=. From stands once more than it occurs, so that a second one can't be put on top (RFC 6376 8.15). */
static const char *const signed_fields[] = {"From", "From", "Reply-To", "To", "Subject", "Date", "Message-ID",
	"In-Reply-To", "References", "Auto-Submitted", "List-Unsubscribe", "List-Unsubscribe-Post",
	"MIME-Version", "Content-Type", "Content-Transfer-Encoding"};
#define FIELD_COUNT_SIGNED (sizeof signed_fields / sizeof signed_fields[0])

static bool is_host_name(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= 253 && name[0] != '.' && name[len - 1] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == len;
}

enum rc dkim_key_load(struct dkim_key **key, const char *pem, size_t len, const char *domain,
	const char *selector, struct err *err)
{
	if (!is_host_name(domain) || !is_host_name(selector))
		return err_set(err, RC_CONFIG, "the domain and selector of a DKIM key must be host names");
	EVP_PKEY *read = secret_key_read(pem, len);
	if (!read)
		return err_set(err, RC_CONFIG,
			"the DKIM key of selector %s is not a private key in PEM without pass phrase",
			selector);
	int type = EVP_PKEY_get_base_id(read);
	if (type != EVP_PKEY_ED25519 && (type != EVP_PKEY_RSA || EVP_PKEY_get_bits(read) < RSA_LEAST_BITS)) {
		EVP_PKEY_free(read);
		return err_set(err, RC_CONFIG,
			"the DKIM key of selector %s is neither RSA of at least %d bits nor Ed25519; make "
			"one with "
			"openssl genpkey",
			selector, RSA_LEAST_BITS);
	}
	*key = xcalloc(1, sizeof **key);
	(*key)->key = read;
	(*key)->is_ed25519 = type == EVP_PKEY_ED25519;
	(*key)->domain = xstrdup(domain);
	(*key)->selector = xstrdup(selector);
	return RC_OK;
}

void dkim_key_free(struct dkim_key **key)
{
	if (!*key)
		return;
	EVP_PKEY_free((*key)->key);
	free((*key)->domain);
	free((*key)->selector);
	free(*key);
	*key = NULL;
}

const char *dkim_key_algorithm(const struct dkim_key *key)
{
	return key->is_ed25519 ? "ed25519-sha256" : "rsa-sha256";
}

void dkim_key_record(const struct dkim_key *key, struct str *out)
{
	if (key->is_ed25519) {
		uint8_t raw[32];
		size_t len = sizeof raw;
		if (EVP_PKEY_get_raw_public_key(key->key, raw, &len) != 1)
			die("OpenSSL gives no public key for a DKIM key");
		str_addz(out, "v=DKIM1; k=ed25519; p=");
		base64_add(out, raw, len);
		return;
	}
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key->key, &der);
	if (len <= 0)
		die("OpenSSL gives no public key for a DKIM key");
	str_addz(out, "v=DKIM1; k=rsa; p=");
	base64_add(out, der, (size_t)len);
	OPENSSL_free(der);
}

void dkim_key_zone_line(const struct dkim_key *key, struct str *out)
{
	struct str value = STR_INIT;
	dkim_key_record(key, &value);
	str_printf(out, "%s._domainkey.%s. IN TXT (", key->selector, key->domain);
	for (size_t at = 0; at < value.len; at += ZONE_STRING_MAX) {
		size_t left = value.len - at;
		str_printf(out, " \"%.*s\"", (int)(left < ZONE_STRING_MAX ? left : ZONE_STRING_MAX),
			value.s + at);
	}
	str_addz(out, " )");
	str_free(&value);
}

/* ---- canonical forms (RFC 6376 3.4.2, 3.4.4) ---- */

/* Runs of white space become one blank, those at the end of a line go. Line ends (unfolding) are left out. */
static void relaxed_add(struct str *out, const char *text, size_t len, bool drop_leading)
{
	bool blank = false, any = !drop_leading;
	for (size_t i = 0; i < len;) {
		char c = text[i];
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			blank = blank || c == ' ' || c == '\t';
			i++;
			continue;
		}
		size_t run = i;
		while (run < len && text[run] != ' ' && text[run] != '\t' && text[run] != '\r' &&
			text[run] != '\n')
			run++;
		if (blank && any)
			str_addc(out, ' ');
		blank = false;
		any = true;
		str_add(out, text + i, run - i);
		i = run;
	}
}

static void body_hash(uint8_t digest[SHA256_LEN], const char *body, size_t len)
{
	struct str canonical = STR_INIT;
	size_t end = 0; /* of the last line that is not empty */
	for (const char *at = body, *stop = body + len; at < stop;) {
		const char *line_end = memchr(at, '\n', (size_t)(stop - at));
		const char *next = line_end ? line_end + 1 : stop;
		size_t before = canonical.len;
		relaxed_add(&canonical, at, (size_t)(next - at), false);
		bool is_empty = canonical.len == before;
		str_addz(&canonical, "\r\n");
		if (!is_empty)
			end = canonical.len;
		at = next;
	}
	sha256(digest, canonical.s, end);
	str_free(&canonical);
}

static void field_add(struct str *out, const char *field, size_t len)
{
	const char *colon = memchr(field, ':', len);
	size_t name_len = colon ? (size_t)(colon - field) : len;
	for (size_t i = 0; i < name_len; i++) {
		char c = field[i];
		if (c == ' ' || c == '\t')
			continue;
		str_addc(out, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
	}
	str_addc(out, ':');
	if (colon)
		relaxed_add(out, colon + 1, len - name_len - 1, true);
}

/* ---- the header ---- */

struct header {
	const char *at;
	size_t len; /* with its last CRLF and the empty line's not */
	const char *body;
	size_t body_len;
};

static bool header_find(struct header *out, const char *wire, size_t len)
{
	const char *empty_line = memmem(wire, len, "\r\n\r\n", 4);
	if (!empty_line)
		return false;
	out->at = wire;
	out->len = (size_t)(empty_line + 2 - wire);
	out->body = empty_line + 4;
	out->body_len = len - out->len - 2;
	return true;
}

/* The field of that name, the `skip`th from below (RFC 6376 5.4.2); its length with the last CRLF, 0: none. */
static size_t field_find(const struct header *header, const char *name, size_t skip, const char **field)
{
	size_t name_len = strlen(name), found = 0, matches = 0;
	for (int pass = 0; pass < 2 && found == 0; pass++) {
		size_t seen = 0;
		for (const char *at = header->at, *end = header->at + header->len; at < end;) {
			const char *stop = at;
			do {
				stop = (const char *)memchr(stop, '\n', (size_t)(end - stop)) + 1;
			} while (stop < end && (*stop == ' ' || *stop == '\t'));
			if ((size_t)(stop - at) > name_len && strncasecmp(at, name, name_len) == 0 &&
				at[name_len] == ':') {
				if (pass == 1 && seen == matches - 1 - skip) {
					*field = at;
					found = (size_t)(stop - at);
				}
				seen++;
			}
			at = stop;
		}
		matches = seen;
		if (matches <= skip)
			return 0;
	}
	return found;
}

/* Appends text, breaking the line before it when it would grow too long. */
static void fold_add(struct str *out, size_t *column, const char *text, size_t len)
{
	if (*column + len > LINE_COLUMNS) {
		str_addz(out, "\r\n\t");
		*column = 8;
	}
	str_add(out, text, len);
	*column += len;
}

static void fold_base64(struct str *out, size_t *column, const char *text)
{
	for (size_t left = strlen(text); left;) {
		size_t room = *column < LINE_COLUMNS ? LINE_COLUMNS - *column : 0;
		if (room < 8) {
			str_addz(out, "\r\n\t");
			*column = 8;
			continue;
		}
		size_t take = left < room ? left : room;
		str_add(out, text, take);
		*column += take;
		text += take;
		left -= take;
	}
}

static bool sign(const struct dkim_key *key, const struct str *data, struct str *signature)
{
	uint8_t digest[SHA256_LEN];
	const void *bytes = data->s;
	size_t len = data->len, signature_len = (size_t)EVP_PKEY_get_size(key->key);
	/* RFC 8463 3: Ed25519 signs the SHA-256 digest, not the text. */
	if (key->is_ed25519) {
		sha256(digest, data->s, data->len);
		bytes = digest;
		len = sizeof digest;
	}
	str_grow(signature, signature_len);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done =
		ctx &&
		EVP_DigestSignInit(ctx, NULL, key->is_ed25519 ? NULL : EVP_sha256(), NULL, key->key) == 1 &&
		EVP_DigestSign(ctx, (unsigned char *)signature->s, &signature_len, bytes, len) == 1;
	EVP_MD_CTX_free(ctx);
	signature->len = done ? signature_len : 0;
	return done;
}

static enum rc sign_with(struct str *out, const struct dkim_key *key, const struct header *header,
	const char *body_digest, utc_time at, struct err *err)
{
	struct str field = STR_INIT, data = STR_INIT, signature = STR_INIT, text = STR_INIT;
	str_printf(&field, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n\td=%s; s=%s;\r\n\tt=%lld; h=",
		dkim_key_algorithm(key), key->domain, key->selector, (long long)at);
	size_t column = 20;
	bool first = true;
	for (size_t i = 0; i < FIELD_COUNT_SIGNED; i++) {
		size_t skip = 0;
		for (size_t j = 0; j < i; j++)
			skip += strcmp(signed_fields[j], signed_fields[i]) == 0;
		const char *found = NULL;
		size_t found_len = field_find(header, signed_fields[i], skip, &found);
		if (found_len == 0 && skip == 0)
			continue;
		if (found_len) {
			field_add(&data, found, found_len);
			str_addz(&data, "\r\n");
		}
		str_clear(&text);
		str_printf(&text, "%s%s", first ? "" : ":", signed_fields[i]);
		fold_add(&field, &column, text.s, text.len);
		first = false;
	}
	str_addz(&field, ";\r\n\tbh=");
	str_addz(&field, body_digest);
	str_addz(&field, ";\r\n\tb=");
	field_add(&data, field.s, field.len);

	enum rc rc = RC_OK;
	if (sign(key, &data, &signature)) {
		str_clear(&text);
		base64_add(&text, signature.s, signature.len);
		column = 10;
		fold_base64(&field, &column, text.s);
		str_addz(&field, "\r\n");
		str_add(out, field.s, field.len);
	} else {
		rc = err_set(err, RC_CONFIG, "OpenSSL refuses to sign with the DKIM key of selector %s",
			key->selector);
	}
	str_free(&field);
	str_free(&data);
	str_free(&signature);
	str_free(&text);
	return rc;
}

enum rc dkim_sign(struct str *out, struct dkim_key *const *key, size_t key_count, const char *wire,
	size_t len, utc_time at, struct err *err)
{
	struct header header;
	const char *from;
	if (!header_find(&header, wire, len) || field_find(&header, "From", 0, &from) == 0)
		return err_set(err, RC_REFUSED, "a mail without a From field can't be signed");
	uint8_t digest[SHA256_LEN];
	struct str body_digest = STR_INIT;
	body_hash(digest, header.body, header.body_len);
	base64_add(&body_digest, digest, sizeof digest);
	size_t start = out->len;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < key_count && rc == RC_OK; i++)
		rc = sign_with(out, key[i], &header, body_digest.s, at, err);
	if (rc != RC_OK)
		str_cut(out, start);
	str_free(&body_digest);
	return rc;
}
