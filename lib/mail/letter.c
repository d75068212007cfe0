#include "lib/mail/letter.h"

#include <stdint.h>
#include <string.h>

#include <zlib.h>

#include "lib/mail/compose.h"

/*
 * Packed: 1 byte form ('L' plain, 'S' with secrets) · 32 bytes SHA-256 of the wire bytes ('L') or length-prefixed sealed part ('S':
 * the digest and the secrets; a digest in the clear would let a ten-digit number be guessed) · raw deflate of the kept part.
 * Kept: count of pieces, each kind and length · count of cuts, each its distance from the one before and the secret's index · content.
 * Numbers are 7 bits a byte, low first.
 */
#define FORM_PLAIN 'L'
#define FORM_SECRET 'S'
#define WIRE_LIMIT ((size_t)64 * 1024 * 1024)
#define WINDOW_LEN 14 /* bits: 16 KiB hold a template and a resend; more only costs memory */
#define MEMORY_LEVEL 6
#define BASE64_LEAST 80 /* shorter runs are not worth a piece */

enum piece_kind { PIECE_TEXT = 0, PIECE_BASE64 = 1 };

/* What every mail of ours has; the end of a dictionary is its cheapest part. */
static const char usual_header[] =
	"--=_\r\nContent-Type: multipart/mixed; boundary=\"=_\"\r\nContent-Type: message/rfc822\r\n"
	"Content-Disposition: attachment;\r\n filename=\"notice.eml\"\r\nIn-Reply-To: <\r\nReferences: <\r\n"
	"Content-Transfer-Encoding: 7bit\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\nSubject: "
	"=?ISO-2022-JP?B?GyRC\r\n"
	"Mon, Tue, Wed, Thu, Fri, Sat, Sun, Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec 2026 2027 :00 "
	"+0900\r\n"
	"From: =?UTF-8?B?U0VDVVJJVFkgQUNUSU9O5LqL5YuZ5bGA?= <security-action-info@ipa.go.jp>\r\n"
	"Reply-To: security-action-info@ipa.go.jp\r\nTo: info@example.co.jp\r\n"
	"Subject: =?UTF-8?B?44CQU0VDVVJJVFkgQUNUSU9O44CR6Ieq5bex5a6j6KiASUTjga7jgYrnn6XjgonjgZs=?=\r\nDate: "
	"\r\n"
	"Message-ID: <receipt.id.logo.0@ipa.go.jp>\r\nAuto-Submitted: "
	"auto-generated\r\nX-Auto-Response-Suppress: All\r\n"
	"X-Sengen-Notice: \r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\n";

/* ---- numbers ---- */

static void number_add(struct str *out, size_t number)
{
	while (number >= 0x80) {
		str_addc(out, (char)(number | 0x80));
		number >>= 7;
	}
	str_addc(out, (char)number);
}

struct cursor {
	const char *at, *end;
	bool bad;
};

static size_t number_get(struct cursor *in)
{
	size_t number = 0;
	for (int shift = 0; shift <= 56; shift += 7) {
		if (in->at == in->end)
			break;
		uint8_t byte = (uint8_t)*in->at++;
		number |= (size_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return number;
	}
	in->bad = true;
	return 0;
}

static const char *bytes_get(struct cursor *in, size_t len)
{
	const char *at = in->at;
	if (in->bad || len > (size_t)(in->end - in->at)) {
		in->bad = true;
		return NULL;
	}
	in->at += len;
	return at;
}

/* ---- pieces ---- */

struct pieces {
	struct str map; /* kind and length of each */
	struct str content;
	size_t count;
};

static void piece_add(struct pieces *pieces, enum piece_kind kind, const char *bytes, size_t len)
{
	if (len == 0)
		return;
	number_add(&pieces->map, kind);
	number_add(&pieces->map, len);
	str_add(&pieces->content, bytes, len);
	pieces->count++;
}

static bool is_base64_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
	       c == '/' || c == '=';
}

/* The length of the lines at `at` that look like base64, without the last line end. */
static size_t base64_run(const char *at, const char *end)
{
	size_t run = 0;
	while (at + run < end) {
		const char *line = at + run, *stop = line;
		while (stop < end && is_base64_char(*stop))
			stop++;
		size_t so_far = (size_t)(stop - at);
		if (stop - line != 76)
			return stop > line ? so_far : run > 2 ? run - 2 : 0;
		if (end - stop < 2 || stop[0] != '\r' || stop[1] != '\n')
			return so_far;
		run = so_far + 2;
	}
	return run > 2 ? run - 2 : 0;
}

/* Cuts the wire bytes into pieces: a body in base64 behind an empty line is kept decoded where encoding it again gives the same. */
static void pieces_make(struct pieces *pieces, const char *wire, size_t len)
{
	const char *at = wire, *end = wire + len, *text = wire;
	struct str decoded = STR_INIT, again = STR_INIT;
	while (at < end) {
		const char *empty_line = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		if (!empty_line)
			break;
		at = empty_line + 4;
		size_t run = base64_run(at, end);
		str_clear(&decoded);
		str_clear(&again);
		if (run < BASE64_LEAST || !base64_read(&decoded, at, run))
			continue;
		compose_base64(&again, decoded.s, decoded.len);
		if (again.len != run || memcmp(again.s, at, run) != 0)
			continue;
		piece_add(pieces, PIECE_TEXT, text, (size_t)(at - text));
		piece_add(pieces, PIECE_BASE64, decoded.s, decoded.len);
		at += run;
		text = at;
	}
	piece_add(pieces, PIECE_TEXT, text, (size_t)(end - text));
	str_wipe(&decoded);
	str_free(&again);
}

/* ---- secrets ---- */

struct cuts {
	struct str map; /* distance from the cut before, index of the secret */
	struct str content; /* what is left */
	size_t count;
};

static void cuts_make(struct cuts *cuts, const struct str *content, const char *const *secret)
{
	size_t kept_since = 0;
	for (size_t at = 0; secret && at < content->len;) {
		size_t found = 0, found_len = 0;
		for (size_t i = 0; secret[i]; i++) {
			size_t len = strlen(secret[i]);
			if (len > found_len && len <= content->len - at &&
				memcmp(content->s + at, secret[i], len) == 0) {
				found = i;
				found_len = len;
			}
		}
		if (found_len == 0) {
			at++;
			continue;
		}
		str_add(&cuts->content, content->s + kept_since, at - kept_since);
		number_add(&cuts->map, at - kept_since);
		number_add(&cuts->map, found);
		cuts->count++;
		at += found_len;
		kept_since = at;
	}
	str_add(&cuts->content, content->s + kept_since, content->len - kept_since);
}

static void secrets_add(struct str *out, const char *const *secret)
{
	size_t count = 0;
	while (secret && secret[count])
		count++;
	number_add(out, count);
	for (size_t i = 0; i < count; i++) {
		number_add(out, strlen(secret[i]));
		str_addz(out, secret[i]);
	}
}

/* Puts secret number `index` of the sealed list behind out. */
static bool secret_put_back(struct str *out, struct cursor list, size_t index)
{
	size_t count = number_get(&list);
	if (list.bad || index >= count)
		return false;
	for (size_t i = 0; i <= index; i++) {
		size_t len = number_get(&list);
		const char *bytes = bytes_get(&list, len);
		if (bytes && i == index)
			str_add(out, bytes, len);
	}
	return !list.bad;
}

/* ---- deflate ---- */

static void dictionary_make(struct str *out, const char *text, size_t len)
{
	/* Bodies have CRLF, templates LF: matches should run over line ends. */
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			str_addc(out, '\r');
		str_addc(out, text[i]);
	}
	str_add(out, usual_header, sizeof usual_header - 1);
	size_t window = (size_t)1 << WINDOW_LEN;
	if (out->len > window) {
		memmove(out->s, out->s + out->len - window, window);
		str_cut(out, window);
	}
}

static void deflate_add(struct str *out, const struct str *bytes, const struct str *dictionary)
{
	z_stream z = {0}; /* raw: the digest is the check */
	if (deflateInit2(&z, 9, Z_DEFLATED, -WINDOW_LEN, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
		deflateSetDictionary(&z, (const Bytef *)dictionary->s, (uInt)dictionary->len) != Z_OK)
		die("zlib can't be set up");
	uLong bound = deflateBound(&z, (uLong)bytes->len);
	str_grow(out, bound);
	z.next_in = (Bytef *)bytes->s;
	z.avail_in = (uInt)bytes->len;
	z.next_out = (Bytef *)out->s + out->len;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		die("zlib did not finish within its own bound");
	out->len += z.total_out;
	out->s[out->len] = '\0';
	deflateEnd(&z);
}

static bool inflate_add(struct str *out, const char *bytes, size_t len, const struct str *dictionary)
{
	z_stream z = {0};
	if (len > WIRE_LIMIT || inflateInit2(&z, -WINDOW_LEN) != Z_OK)
		return false;
	int status = inflateSetDictionary(&z, (const Bytef *)dictionary->s, (uInt)dictionary->len);
	struct str in = STR_INIT; /* next_in of zlib wants bytes that may be written */
	str_add(&in, bytes, len);
	z.next_in = (Bytef *)in.s;
	z.avail_in = (uInt)len;
	while (status == Z_OK && out->len < WIRE_LIMIT) {
		str_grow(out, 16384);
		z.next_out = (Bytef *)out->s + out->len;
		z.avail_out = 16384;
		status = inflate(&z, Z_NO_FLUSH);
		out->len += 16384 - z.avail_out;
		out->s[out->len] = '\0';
	}
	bool whole = status == Z_STREAM_END && z.avail_in == 0;
	inflateEnd(&z);
	str_free(&in);
	return whole;
}

/* ---- both ways ---- */

enum rc letter_pack(struct str *out, const char *wire, size_t len, const char *dictionary,
	size_t dictionary_len, const struct letter_secrets *secrets, struct err *err)
{
	if (len >= WIRE_LIMIT)
		return err_set(err, RC_REFUSED, "the mail is too long to be kept (%zu bytes)", len);
	struct pieces pieces = {.map = STR_INIT, .content = STR_INIT};
	struct cuts cuts = {.map = STR_INIT, .content = STR_INIT};
	pieces_make(&pieces, wire, len);
	cuts_make(&cuts, &pieces.content, secrets ? secrets->secret : NULL);

	uint8_t digest[SHA256_LEN];
	sha256(digest, wire, len);
	size_t start = out->len;
	enum rc rc = RC_OK;
	if (cuts.count == 0) {
		str_addc(out, FORM_PLAIN);
		str_add(out, digest, sizeof digest);
	} else if (!secrets || !secrets->key) {
		rc = err_set(err, RC_CONFIG,
			"the mail holds a user number or password, and no credential key is configured to "
			"seal it; set "
			"credential_key_from");
	} else {
		struct str sealed = STR_INIT, open = STR_INIT;
		str_add(&open, digest, sizeof digest);
		secrets_add(&open, secrets->secret);
		seal(&sealed, secrets->key, secrets->rng, open.s, open.len);
		str_addc(out, FORM_SECRET);
		number_add(out, sealed.len);
		str_add(out, sealed.s, sealed.len);
		str_wipe(&open);
		str_free(&sealed);
	}

	struct str kept = STR_INIT, window = STR_INIT;
	if (rc == RC_OK) {
		number_add(&kept, pieces.count);
		str_add(&kept, pieces.map.s, pieces.map.len);
		number_add(&kept, cuts.count);
		str_add(&kept, cuts.map.s, cuts.map.len);
		str_add(&kept, cuts.content.s, cuts.content.len);
		dictionary_make(&window, dictionary, dictionary_len);
		deflate_add(out, &kept, &window);
	}
	str_free(&kept);
	str_free(&window);
	str_wipe(&pieces.content);
	str_free(&pieces.map);
	str_free(&cuts.content);
	str_free(&cuts.map);

	/* It is proof for years: what can't be read back now is not kept. */
	struct str back = STR_INIT;
	if (rc == RC_OK)
		rc = letter_unpack(&back, out->s + start, out->len - start, dictionary, dictionary_len,
			secrets ? secrets->key : NULL, err);
	str_wipe(&back);
	if (rc != RC_OK)
		str_cut(out, start);
	return rc;
}

/* Undoes cuts and pieces. */
static bool wire_make(struct str *wire, const struct str *kept, struct cursor secret_list)
{
	struct cursor in = {.at = kept->s, .end = kept->s + kept->len};
	size_t pieces = number_get(&in);
	struct cursor piece = in;
	for (size_t i = 0; i < pieces && !in.bad; i++) {
		(void)number_get(&in);
		(void)number_get(&in);
	}
	size_t cuts = number_get(&in);
	struct cursor cut = in;
	for (size_t i = 0; i < cuts && !in.bad; i++) {
		(void)number_get(&in);
		(void)number_get(&in);
	}

	struct str content = STR_INIT;
	for (size_t i = 0; i < cuts && !in.bad; i++) {
		size_t len = number_get(&cut), index = number_get(&cut);
		const char *bytes = bytes_get(&in, len);
		if (bytes)
			str_add(&content, bytes, len);
		if (!secret_put_back(&content, secret_list, index))
			in.bad = true;
	}
	if (!in.bad)
		str_add(&content, in.at, (size_t)(in.end - in.at));

	struct cursor left = {.at = content.s, .end = content.s + content.len, .bad = in.bad};
	for (size_t i = 0; i < pieces && !left.bad; i++) {
		size_t kind = number_get(&piece), len = number_get(&piece);
		const char *bytes = bytes_get(&left, len);
		if (!bytes)
			break;
		if (kind == PIECE_BASE64)
			compose_base64(wire, bytes, len);
		else
			str_add(wire, bytes, len);
	}
	bool whole = !left.bad && left.at == left.end;
	str_wipe(&content);
	return whole;
}

enum rc letter_unpack(struct str *wire, const void *packed, size_t packed_len, const char *dictionary,
	size_t dictionary_len, const uint8_t *key, struct err *err)
{
	struct cursor in = {.at = packed, .end = (const char *)packed + packed_len};
	struct str open = STR_INIT, kept = STR_INIT, window = STR_INIT;
	const char *form = bytes_get(&in, 1);
	const char *digest = NULL;
	enum rc rc = RC_OK;
	if (form && *form == FORM_PLAIN) {
		digest = bytes_get(&in, SHA256_LEN);
	} else if (form && *form == FORM_SECRET) {
		size_t sealed_len = number_get(&in);
		const char *sealed = bytes_get(&in, sealed_len);
		if (sealed && !key)
			rc = err_set(err, RC_CONFIG,
				"a kept letter holds sealed values and no credential key is configured; set "
				"credential_key_from");
		else if (sealed && (!unseal(&open, key, sealed, sealed_len) || open.len < SHA256_LEN))
			rc = err_set(err, RC_CONFIG,
				"a kept letter can't be opened with the configured credential key; bring "
				"back the key "
				"it was sealed with (or the letter was altered)");
		else if (sealed)
			digest = open.s;
	}
	size_t start = wire->len;
	if (rc == RC_OK) {
		struct cursor secret_list = {.at = open.s, .end = open.s + open.len, .bad = open.len == 0};
		if (open.len)
			secret_list.at += SHA256_LEN;
		uint8_t got[SHA256_LEN];
		dictionary_make(&window, dictionary, dictionary_len);
		bool whole = digest && inflate_add(&kept, in.at, (size_t)(in.end - in.at), &window) &&
			     wire_make(wire, &kept, secret_list);
		sha256(got, wire->s + start, wire->len - start);
		if (!whole || !bytes_equal(got, digest, SHA256_LEN))
			rc = err_set(err, RC_STORE,
				"a kept letter does not match its digest: it or its template was altered or "
				"cut; restore "
				"the register from a backup");
	}
	if (rc != RC_OK)
		str_cut(wire, start);
	str_wipe(&open);
	str_wipe(&kept);
	str_free(&window);
	return rc;
}
