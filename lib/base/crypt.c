#include "lib/base/crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_LEN 12
#define TAG_LEN 16
#define SHA256_BLOCK 64

struct sha256_stream {
	EVP_MD_CTX *md;
};

/* Looked up once: that takes longer than the digest of a short text. */
static const EVP_MD *sha256_type(void)
{
	static _Thread_local EVP_MD *type;
	if (!type)
		type = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (!type)
		die("SHA-256 is not available");
	return type;
}

void sha256(uint8_t out[SHA256_LEN], const void *bytes, size_t len)
{
	if (EVP_Digest(bytes, len, out, NULL, sha256_type(), NULL) != 1)
		die("SHA-256 failed");
}

struct sha256_stream *sha256_begin(void)
{
	struct sha256_stream *stream = xmalloc(sizeof *stream);
	stream->md = EVP_MD_CTX_new();
	if (!stream->md || EVP_DigestInit_ex(stream->md, sha256_type(), NULL) != 1)
		die("SHA-256 is not available");
	return stream;
}

void sha256_add(struct sha256_stream *stream, const void *bytes, size_t len)
{
	if (EVP_DigestUpdate(stream->md, bytes, len) != 1)
		die("SHA-256 failed");
}

void sha256_end(struct sha256_stream **stream, uint8_t out[SHA256_LEN])
{
	if (EVP_DigestFinal_ex((*stream)->md, out, NULL) != 1)
		die("SHA-256 failed");
	EVP_MD_CTX_free((*stream)->md);
	free(*stream);
	*stream = NULL;
}

static void digest_of_two(
	uint8_t out[SHA256_LEN], const void *first, size_t first_len, const void *second, size_t second_len)
{
	struct sha256_stream *stream = sha256_begin();
	sha256_add(stream, first, first_len);
	sha256_add(stream, second, second_len);
	sha256_end(&stream, out);
}

void hmac_sha256(uint8_t out[SHA256_LEN], const void *key, size_t key_len, const void *bytes, size_t len)
{
	/* RFC 2104 as it is written: OpenSSL's own looks up three things anew for each, which takes ten times as long as the MAC of a short text. */
	uint8_t inner[SHA256_BLOCK] = {0}, outer[SHA256_BLOCK];
	if (key_len > sizeof inner)
		sha256(inner, key, key_len);
	else if (key_len)
		memcpy(inner, key, key_len);
	for (size_t i = 0; i < sizeof inner; i++) {
		outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	uint8_t digest[SHA256_LEN];
	digest_of_two(digest, inner, sizeof inner, bytes, len);
	digest_of_two(out, outer, sizeof outer, digest, sizeof digest);
	wipe(inner, sizeof inner);
	wipe(outer, sizeof outer);
}

bool bytes_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void hex_add(struct str *out, const void *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = bytes;
	str_grow(out, len * 2);
	for (size_t i = 0; i < len; i++) {
		str_addc(out, digits[at[i] >> 4]);
		str_addc(out, digits[at[i] & 15]);
	}
}

/* Place of c in an alphabet; -1: not in it. */
static int place_of(const char *alphabet, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

bool hex_read(void *out, size_t len, const char *text)
{
	uint8_t *at = out;
	if (strlen(text) != len * 2)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = place_of("0123456789abcdefABCDEF", text[2 * i]);
		int low = place_of("0123456789abcdefABCDEF", text[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		high = high > 15 ? high - 6 : high;
		low = low > 15 ? low - 6 : low;
		at[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static const char base64_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define PAIRS 4096 /* of 12 bits each */

/* Two characters at once. */
static const char (*base64_pairs(void))[2]
{
	static char pairs[PAIRS][2];
	if (!pairs[0][0])
		for (size_t i = PAIRS; i-- > 0;) {
			pairs[i][1] = base64_alphabet[i & 63];
			pairs[i][0] = base64_alphabet[i >> 6];
		}
	return (const char(*)[2])pairs;
}

void base64_write(char *out, const void *bytes, size_t len)
{
	const char(*pairs)[2] = base64_pairs();
	const uint8_t *at = bytes;
	for (; len >= 3; at += 3, out += 4, len -= 3) {
		unsigned three = (unsigned)at[0] << 16 | (unsigned)at[1] << 8 | at[2];
		memcpy(out, pairs[three >> 12], 2);
		memcpy(out + 2, pairs[three & (PAIRS - 1)], 2);
	}
	if (len == 0)
		return;
	unsigned three = (unsigned)at[0] << 16 | (len > 1 ? (unsigned)at[1] << 8 : 0);
	memcpy(out, pairs[three >> 12], 2);
	out[2] = len > 1 ? base64_alphabet[three >> 6 & 63] : '=';
	out[3] = '=';
}

void base64_add(struct str *out, const void *bytes, size_t len)
{
	str_grow(out, BASE64_LEN(len));
	base64_write(out->s + out->len, bytes, len);
	out->len += BASE64_LEN(len);
	if (out->size)
		out->s[out->len] = '\0';
}

#define NO_PLACE 0x80
#define NO_WORTH UINT32_C(0x80000000)

/* Of each byte its place in the alphabet. */
static const uint8_t *base64_places(void)
{
	static uint8_t places[256];
	static bool known;
	if (!known) {
		memset(places, NO_PLACE, sizeof places);
		for (uint8_t i = 0; i < 64; i++)
			places[(uint8_t)base64_alphabet[i]] = i;
		known = true;
	}
	return places;
}

bool base64_read(struct str *out, const char *text, size_t len)
{
	const uint8_t *places = base64_places();
	unsigned held = 0;
	size_t digits = 0, padding = 0;
	str_grow(out, len / 4 * 3 + 3);
	char *to = out->s + out->len;
	for (size_t i = 0; i < len; i++) {
		unsigned place = places[(uint8_t)text[i]];
		if (place != NO_PLACE && padding == 0) {
			held = held << 6 | place;
			size_t have = digits++ % 4; /* digits of this group before it */
			if (have > 0)
				*to++ = (char)(held >> (2 * (3 - have)) & 0xFF);
		} else if (text[i] == '=') {
			padding++;
		} else if (place != NO_PLACE || !text[i] || !strchr(" \t\r\n", text[i])) {
			padding = 3; /* nothing that base64 has */
			break;
		}
	}
	bool whole = (digits + padding) % 4 == 0 && padding <= 2;
	if (whole)
		out->len = (size_t)(to - out->s);
	out->s[out->len] = '\0';
	return whole;
}

/* What a character is worth at each of the four places of a group. */
static const uint32_t (*base64_worths(void))[256]
{
	static uint32_t worths[4][256];
	const uint8_t *places = base64_places();
	if (!worths[0]['/'])
		for (size_t c = 0; c < 256; c++)
			for (unsigned i = 0; i < 4; i++)
				worths[i][c] = places[c] == NO_PLACE ? NO_WORTH
								     : (uint32_t)places[c] << (18 - 6 * i);
	return (const uint32_t(*)[256])worths;
}

bool base64_read_line(struct str *out, const char *text, size_t len)
{
	const uint32_t(*worths)[256] = base64_worths();
	const uint8_t *at = (const uint8_t *)text;
	size_t padding = len < 4 || text[len - 1] != '=' ? 0 : text[len - 2] != '=' ? 1 : 2;
	if (len == 0 || len % 4 != 0)
		return false;
	str_grow(out, len / 4 * 3);
	uint8_t *to = (uint8_t *)out->s + out->len;
	uint32_t bad = 0;
	for (size_t groups = len / 4 - (padding > 0); groups > 0; groups--, at += 4, to += 3) {
		uint32_t three = worths[0][at[0]] | worths[1][at[1]] | worths[2][at[2]] | worths[3][at[3]];
		bad |= three;
		to[0] = (uint8_t)(three >> 16);
		to[1] = (uint8_t)(three >> 8);
		to[2] = (uint8_t)three;
	}
	if (padding > 0) {
		uint32_t three = worths[0][at[0]] | worths[1][at[1]] | (padding == 1 ? worths[2][at[2]] : 0);
		bad |= three;
		if (three << (8 * (3 - padding)) & 0xFFFFFF)
			bad = NO_WORTH; /* bits that no byte takes */
		to[0] = (uint8_t)(three >> 16);
		to[1] = (uint8_t)(three >> 8);
	}
	bool good = !(bad & NO_WORTH);
	if (good)
		out->len += len / 4 * 3 - padding;
	out->s[out->len] = '\0';
	return good;
}

static const char base32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void base32_add(struct str *out, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	unsigned held = 0;
	int bits = 0;
	for (size_t i = 0; i < len; i++) {
		held = (held << 8 | at[i]) & 0xFFFF;
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			str_addc(out, base32_alphabet[held >> bits & 31]);
		}
	}
	if (bits > 0)
		str_addc(out, base32_alphabet[held << (5 - bits) & 31]);
}

bool base32_read(struct str *out, const char *text, size_t len)
{
	unsigned held = 0;
	int bits = 0;
	size_t start = out->len;
	for (size_t i = 0; i < len; i++) {
		char c = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] + 32) : text[i];
		int place = place_of(base32_alphabet, c);
		if (place < 0) {
			str_cut(out, start);
			return false;
		}
		held = (held << 5 | (unsigned)place) & 0xFFFF;
		bits += 5;
		if (bits >= 8) {
			bits -= 8;
			str_addc(out, (char)(held >> bits & 0xFF));
		}
	}
	/* What is left over must be the zero bits that base32_add() filled up with: each value has one spelling. */
	if (bits >= 5 || (held & ((1u << bits) - 1)) != 0) {
		str_cut(out, start);
		return false;
	}
	return true;
}

void seal(struct str *out, const uint8_t key[SEAL_KEY_LEN], struct rng *rng, const void *bytes, size_t len)
{
	uint8_t nonce[NONCE_LEN], tag[TAG_LEN];
	int done = 0, last = 0;
	if (len > INT32_MAX)
		die("too many bytes to seal at once");
	rng_bytes(rng, nonce, sizeof nonce);
	str_add(out, nonce, sizeof nonce);
	str_grow(out, len + TAG_LEN);

	uint8_t *at = (uint8_t *)out->s + out->len;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	if (!cipher || EVP_EncryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, nonce) != 1 ||
		EVP_EncryptUpdate(cipher, at, &done, bytes, (int)len) != 1 ||
		EVP_EncryptFinal_ex(cipher, at + done, &last) != 1 ||
		EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_GET_TAG, TAG_LEN, tag) != 1)
		die("AES-256-GCM failed");
	EVP_CIPHER_CTX_free(cipher);
	out->len += len;
	str_add(out, tag, sizeof tag);
}

bool unseal(struct str *out, const uint8_t key[SEAL_KEY_LEN], const void *sealed, size_t len)
{
	const uint8_t *from = sealed;
	uint8_t tag[TAG_LEN];
	int done = 0, last = 0;
	if (len < NONCE_LEN + TAG_LEN || len > INT32_MAX)
		return false;
	size_t plain_len = len - NONCE_LEN - TAG_LEN;
	memcpy(tag, from + len - TAG_LEN, TAG_LEN);
	str_grow(out, plain_len + 1);

	uint8_t *at = (uint8_t *)out->s + out->len;
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	if (!cipher || EVP_DecryptInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, from) != 1)
		die("AES-256-GCM is not available");
	bool whole = EVP_DecryptUpdate(cipher, at, &done, from + NONCE_LEN, (int)plain_len) == 1 &&
		     EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_GCM_SET_TAG, TAG_LEN, tag) == 1 &&
		     EVP_DecryptFinal_ex(cipher, at + done, &last) == 1;
	EVP_CIPHER_CTX_free(cipher);
	if (!whole) {
		wipe(at, plain_len);
		*at = 0;
		return false;
	}
	out->len += plain_len;
	out->s[out->len] = '\0';
	return true;
}
