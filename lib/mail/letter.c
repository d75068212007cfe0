#include "lib/mail/letter.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ZLIB_CONST
#include <zlib.h>

#include "lib/mail/compose.h"
#include "lib/mail/deflate.h"

/*
 * Packed: 1 byte form · 4 bytes number of the model (0: none), high first · 8 bytes of the SHA-256 of the wire bytes (FORM_MODEL), or a length-prefixed sealed part
 * (FORM_MODEL_SECRET: those 8 bytes and the secrets; a digest in the clear would let a ten-digit number be guessed) · raw deflate of the kept part.
 * Kept: count of pieces, each kind and length · count of cuts, each its distance from the one before and the secret's index · content.
 * Numbers are 7 bits a byte, low first.
 *
 * Until version 5 of the register there were no models: FORM_PLAIN and FORM_SECRET have no such number, all 32 bytes of the digest, every secret that was looked
 * for, and as dictionary the template's own text before the usual header. Such letters stay as they are.
 */
#define FORM_PLAIN 'L'
#define FORM_SECRET 'S'
#define FORM_MODEL 'M'
#define FORM_MODEL_SECRET 'N'
#define DIGEST_KEPT 8 /* against damage; against anybody's hand there is the keyed one of the outbox */
#define WIRE_LIMIT ((size_t)64 * 1024 * 1024)
#define WINDOW_LEN DEFLATE_WINDOW_BITS /* 16 KiB hold a template and a resend; more only costs memory */
#define MEMORY_LEVEL 6
#define INFLATE_STEP 8192
#define UNLIKE_PART 4 /* what its model makes to no less than this part of it, zlib may make less */
#define BASE64_LINE 76 /* characters, as compose_base64() writes them */
#define BASE64_LEAST 80 /* shorter runs are not worth a piece */

enum piece_kind { PIECE_TEXT = 0, PIECE_BASE64 = 1 };

/* What every mail of ours has; the end of a dictionary is its cheapest part. It belongs to the format, so it never changes. */
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

/* Decodes the lines at `at` that are base64 as compose_base64() writes it, up to the end or a line that is none; their length, without the last line end. */
static size_t base64_take(struct str *decoded, const char *at, const char *end)
{
	size_t taken = 0;
	for (const char *line = at; line < end;) {
		const char *stop = end - line >= BASE64_LINE + 2 && line[BASE64_LINE] == '\r'
					   ? line + BASE64_LINE
					   : memchr(line, '\r', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);
		if (len > BASE64_LINE || !base64_read_line(decoded, line, len))
			break;
		taken = (size_t)(line - at) + len;
		if (len < BASE64_LINE || !stop || end - stop < 2 || stop[1] != '\n' || stop[-1] == '=')
			break;
		line = stop + 2;
	}
	return taken;
}

/* Cuts the wire bytes into pieces: a body in base64 behind an empty line is kept decoded. */
static void pieces_make(struct pieces *pieces, const char *wire, size_t len)
{
	const char *at = wire, *end = wire + len, *text = wire;
	struct str decoded = STR_INIT;
	str_grow(&decoded, len / 4 * 3);
	str_grow(&pieces->content, len);
	while (at < end) {
		const char *empty_line = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		if (!empty_line)
			break;
		at = empty_line + 4;
		str_clear(&decoded);
		size_t run = base64_take(&decoded, at, end);
		if (run < BASE64_LEAST)
			continue;
		piece_add(pieces, PIECE_TEXT, text, (size_t)(at - text));
		piece_add(pieces, PIECE_BASE64, decoded.s, decoded.len);
		at += run;
		text = at;
	}
	piece_add(pieces, PIECE_TEXT, text, (size_t)(end - text));
	str_wipe(&decoded);
}

/* ---- secrets ---- */

struct cuts {
	struct str map; /* distance from the cut before, index of the secret */
	struct str content; /* what is left */
	size_t count;
	struct str list; /* secrets that were found, each its length and text */
	size_t listed;
};

/* One that is looked for. */
struct sought {
	const char *text;
	size_t len;
	size_t next; /* where it stands next; SIZE_MAX: nowhere any more */
	size_t place; /* in the list, from 1; 0: not found yet */
};

static void seek_from(struct sought *sought, const struct str *content, size_t at)
{
	if (sought->next != SIZE_MAX && sought->next >= at && at > 0)
		return;
	const char *found =
		sought->len ? memmem(content->s + at, content->len - at, sought->text, sought->len) : NULL;
	sought->next = found ? (size_t)(found - content->s) : SIZE_MAX;
}

static void cut_add(struct cuts *cuts, struct sought *sought, const struct str *content, size_t since)
{
	if (!sought->place) {
		number_add(&cuts->list, sought->len);
		str_add(&cuts->list, sought->text, sought->len);
		sought->place = ++cuts->listed;
	}
	str_add(&cuts->content, content->s + since, sought->next - since);
	number_add(&cuts->map, sought->next - since);
	number_add(&cuts->map, sought->place - 1);
	cuts->count++;
}

/* From left to right; where several begin at one place, the longest. */
static void cuts_make(struct cuts *cuts, const struct str *content, const char *const *secret)
{
	size_t count = 0, at = 0;
	while (secret && secret[count])
		count++;
	struct sought *sought = xcalloc(count + 1, sizeof *sought);
	str_grow(&cuts->content, content->len);
	for (size_t i = 0; i < count; i++)
		sought[i] = (struct sought){.text = secret[i], .len = strlen(secret[i])};
	for (;;) {
		struct sought *first = NULL;
		for (size_t i = 0; i < count; i++) {
			seek_from(&sought[i], content, at);
			if (sought[i].next != SIZE_MAX &&
				(!first || sought[i].next < first->next ||
					(sought[i].next == first->next && sought[i].len > first->len)))
				first = &sought[i];
		}
		if (!first)
			break;
		cut_add(cuts, first, content, at);
		at = first->next + first->len;
	}
	str_add(&cuts->content, content->s + at, content->len - at);
	free(sought);
}

static void cuts_free(struct cuts *cuts)
{
	str_wipe(&cuts->list);
	str_free(&cuts->content);
	str_free(&cuts->map);
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

static void with_crlf(struct str *out, const char *text, size_t len)
{
	/* Bodies have CRLF, templates LF: matches should run over line ends. */
	for (const char *at = text, *end = text + len; at < end;) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));
		str_add(out, at, (size_t)((line_end ? line_end : end) - at));
		if (!line_end)
			break;
		str_add(out, "\r\n", 2);
		at = line_end + 1;
	}
}

static void window_cut(struct str *window)
{
	size_t most = (size_t)1 << WINDOW_LEN;
	if (window->len <= most)
		return;
	memmove(window->s, window->s + window->len - most, most);
	str_cut(window, most);
}

/* What a letter is inflated with. */
static void window_make(struct str *out, const char *dictionary, size_t len, bool model)
{
	if (model) {
		str_add(out, usual_header, sizeof usual_header - 1);
		str_add(out, dictionary, len);
	} else {
		with_crlf(out, dictionary, len);
		str_add(out, usual_header, sizeof usual_header - 1);
	}
	window_cut(out);
}

static void deflate_by_zlib(struct str *out, const struct str *bytes, const struct str *window)
{
	z_stream z = {0}; /* raw: the digest is the check */
	if (deflateInit2(&z, 9, Z_DEFLATED, -WINDOW_LEN, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK ||
		deflateSetDictionary(&z, (const Bytef *)window->s, (uInt)window->len) != Z_OK)
		die("zlib can't be set up");
	uLong bound = deflateBound(&z, (uLong)bytes->len);
	str_grow(out, bound);
	z.next_in = (const Bytef *)bytes->s;
	z.avail_in = (uInt)bytes->len;
	z.next_out = (Bytef *)out->s + out->len;
	z.avail_out = (uInt)bound;
	if (deflate(&z, Z_FINISH) != Z_STREAM_END)
		die("zlib did not finish within its own bound");
	out->len += z.total_out;
	out->s[out->len] = '\0';
	(void)deflateEnd(&z);
}

/* z: made ready, for raw deflate. */
static bool inflate_with(
	z_stream *z, struct str *out, const char *bytes, size_t len, const struct str *dictionary)
{
	int status = inflateSetDictionary(z, (const Bytef *)dictionary->s, (uInt)dictionary->len);
	z->next_in = (const Bytef *)bytes;
	z->avail_in = (uInt)len;
	while (status == Z_OK && out->len < WIRE_LIMIT) {
		str_grow(out, INFLATE_STEP);
		z->next_out = (Bytef *)out->s + out->len;
		z->avail_out = INFLATE_STEP;
		status = inflate(z, Z_NO_FLUSH);
		out->len += INFLATE_STEP - z->avail_out;
		out->s[out->len] = '\0';
	}
	return status == Z_STREAM_END && z->avail_in == 0;
}

static bool inflate_add(struct str *out, const char *bytes, size_t len, const struct str *dictionary)
{
	z_stream z = {0};
	if (len > WIRE_LIMIT || inflateInit2(&z, -WINDOW_LEN) != Z_OK)
		return false;
	bool whole = inflate_with(&z, out, bytes, len, dictionary);
	inflateEnd(&z);
	return whole;
}

/* ---- models ---- */

struct letter_model {
	int64_t id;
	struct str text;
	struct str window; /* what a letter is inflated with */
	struct deflate_model *learned;
};

void letter_model_text(
	struct str *out, const char *own_text, size_t own_len, const char *sample, size_t sample_len)
{
	with_crlf(out, own_text, own_len);
	struct pieces pieces = {.map = STR_INIT, .content = STR_INIT};
	if (sample)
		pieces_make(&pieces, sample, sample_len);
	str_add(out, pieces.content.s, pieces.content.len);
	str_free(&pieces.map);
	str_free(&pieces.content);
}

int64_t letter_model_id(const char *text, size_t len)
{
	uint8_t digest[SHA256_LEN];
	sha256(digest, text, len);
	int64_t id = 0;
	for (int i = 0; i < 4; i++)
		id = id << 8 | digest[i];
	return id ? id : 1;
}

struct letter_model *letter_model_new(int64_t id, const char *text, size_t len)
{
	struct letter_model *model = xcalloc(1, sizeof *model);
	*model = (struct letter_model){.id = id, .text = STR_INIT, .window = STR_INIT};
	str_add(&model->text, text, len);
	window_make(&model->window, text, len, true);
	model->learned = deflate_model_new(model->window.s, model->window.len);
	return model;
}

void letter_model_free(struct letter_model **model)
{
	if (!*model)
		return;
	deflate_model_free(&(*model)->learned);
	str_free(&(*model)->window);
	str_free(&(*model)->text);
	free(*model);
	*model = NULL;
}

static void deflate_by_model(struct str *out, const struct str *bytes, const struct letter_model *model)
{
	struct str window = STR_INIT, by_zlib = STR_INIT;
	size_t start = out->len;
	if (model)
		deflate_like(out, model->learned, bytes->s, bytes->len);
	else
		window_make(&window, "", 0, true);
	if (!model || (out->len - start) * UNLIKE_PART > bytes->len) {
		deflate_by_zlib(&by_zlib, bytes, model ? &model->window : &window);
		if (!model || by_zlib.len < out->len - start) {
			str_cut(out, start);
			str_add(out, by_zlib.s, by_zlib.len);
		}
	}
	str_free(&by_zlib);
	str_free(&window);
}

/* ---- back ---- */

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
	str_grow(&content, kept->len + 64);
	str_grow(wire, kept->len / 2 * 3);
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

/* What stands before the deflated part. */
struct head {
	bool sealed, old;
	int64_t model;
	const char *bytes; /* the sealed part, or the digest */
	size_t len;
};

static bool head_read(struct cursor *in, struct head *head)
{
	const char *form = bytes_get(in, 1);
	*head = (struct head){0};
	if (!form || !memchr("LSMN", *form, 4))
		return false;
	head->old = *form == FORM_PLAIN || *form == FORM_SECRET;
	head->sealed = *form == FORM_SECRET || *form == FORM_MODEL_SECRET;
	const char *model = head->old ? NULL : bytes_get(in, 4);
	for (int i = 0; model && i < 4; i++)
		head->model = head->model << 8 | (uint8_t)model[i];
	head->len = head->sealed ? number_get(in) : head->old ? SHA256_LEN : DIGEST_KEPT;
	head->bytes = bytes_get(in, head->len);
	return !in->bad;
}

int64_t letter_packed_model(const void *packed, size_t len)
{
	struct cursor in = {.at = packed, .end = (const char *)packed + len};
	struct head head;
	return head_read(&in, &head) ? head.model : 0;
}

/* The digest and the list of secrets. */
static enum rc head_open(const struct head *head, const uint8_t *key, struct str *open, struct err *err)
{
	if (!head->sealed)
		str_add(open, head->bytes, head->len);
	else if (!key)
		return err_set(err, RC_CONFIG,
			"a kept letter holds sealed values and no credential key is configured; set "
			"credential_key_from");
	else if (!unseal(open, key, head->bytes, head->len) ||
		 open->len < (head->old ? SHA256_LEN : DIGEST_KEPT))
		return err_set(err, RC_CONFIG,
			"a kept letter can't be opened with the configured credential key; bring "
			"back the key "
			"it was sealed with (or the letter was altered)");
	return RC_OK;
}

/* Everything that was done undone; the digest it must have stands first in `open`. *whole: nothing was missing. */
static enum rc take_apart(struct str *wire, const char *packed, size_t len, const struct str *window,
	const uint8_t *key, struct str *open, bool *whole, struct err *err)
{
	struct cursor in = {.at = packed, .end = packed + len};
	struct head head;
	*whole = head_read(&in, &head);
	enum rc rc = *whole ? head_open(&head, key, open, err) : RC_OK;
	if (rc != RC_OK || !*whole)
		return rc;
	size_t digest_len = head.old ? SHA256_LEN : DIGEST_KEPT;
	struct cursor list = {.at = open->s + digest_len, .end = open->s + open->len, .bad = !head.sealed};
	struct str kept = STR_INIT;
	*whole = inflate_add(&kept, in.at, (size_t)(in.end - in.at), window) && wire_make(wire, &kept, list);
	str_wipe(&kept);
	return RC_OK;
}

enum rc letter_unpack(struct str *wire, const void *packed, size_t packed_len, const char *dictionary,
	size_t dictionary_len, const uint8_t *key, struct err *err)
{
	struct cursor in = {.at = packed, .end = (const char *)packed + packed_len};
	struct head head;
	struct str open = STR_INIT, window = STR_INIT;
	size_t start = wire->len;
	bool whole = head_read(&in, &head);
	window_make(&window, dictionary, dictionary_len, !head.old);
	enum rc rc = whole ? take_apart(wire, packed, packed_len, &window, key, &open, &whole, err) : RC_OK;
	if (rc == RC_OK) {
		uint8_t got[SHA256_LEN];
		sha256(got, wire->s + start, wire->len - start);
		if (!whole || !bytes_equal(got, (const uint8_t *)open.s, head.old ? SHA256_LEN : DIGEST_KEPT))
			rc = err_set(err, RC_STORE,
				"a kept letter does not match its digest: it or its template was altered or "
				"cut; restore "
				"the register from a backup");
	}
	if (rc != RC_OK)
		str_cut(wire, start);
	str_wipe(&open);
	str_free(&window);
	return rc;
}

/* ---- there ---- */

static enum rc head_add(struct str *out, const uint8_t digest[DIGEST_KEPT], const struct letter_model *model,
	const struct cuts *cuts, const struct letter_secrets *secrets, struct err *err)
{
	int64_t id = model ? model->id : 0;
	if (cuts->count && (!secrets || !secrets->key))
		return err_set(err, RC_CONFIG,
			"the mail holds a user number or password, and no credential key is configured to "
			"seal it; set "
			"credential_key_from");
	str_addc(out, cuts->count ? FORM_MODEL_SECRET : FORM_MODEL);
	for (int shift = 24; shift >= 0; shift -= 8)
		str_addc(out, (char)((uint64_t)id >> shift));
	if (cuts->count == 0 || !secrets) {
		str_add(out, digest, DIGEST_KEPT);
		return RC_OK;
	}
	struct str sealed = STR_INIT, open = STR_INIT;
	str_add(&open, digest, DIGEST_KEPT);
	number_add(&open, cuts->listed);
	str_add(&open, cuts->list.s, cuts->list.len);
	seal(&sealed, secrets->key, secrets->rng, open.s, open.len);
	number_add(out, sealed.len);
	str_add(out, sealed.s, sealed.len);
	str_wipe(&open);
	str_free(&sealed);
	return RC_OK;
}

/* It is proof for years: what can't be read back now is not kept. The same bytes have the same digest, which need not be reckoned again. */
static enum rc check_back(const char *wire, size_t len, const uint8_t digest[DIGEST_KEPT],
	const struct str *packed, size_t start, const struct letter_model *model, const uint8_t *key,
	struct err *err)
{
	struct str back = STR_INIT, open = STR_INIT, none = STR_INIT;
	bool whole;
	if (!model)
		window_make(&none, "", 0, true);
	enum rc rc = take_apart(&back, packed->s + start, packed->len - start, model ? &model->window : &none,
		key, &open, &whole, err);
	if (rc == RC_OK && (!whole || back.len != len || memcmp(back.s, wire, len) != 0 ||
				   !bytes_equal(open.s, digest, DIGEST_KEPT)))
		rc = err_set(err, RC_STORE, "a packed letter does not come back as it was");
	str_wipe(&back);
	str_wipe(&open);
	str_free(&none);
	return rc;
}

enum rc letter_pack(struct str *out, const char *wire, size_t len, const struct letter_model *model,
	const struct letter_secrets *secrets, struct err *err)
{
	if (len >= WIRE_LIMIT)
		return err_set(err, RC_REFUSED, "the mail is too long to be kept (%zu bytes)", len);
	struct pieces pieces = {.map = STR_INIT, .content = STR_INIT};
	struct cuts cuts = {.map = STR_INIT, .content = STR_INIT, .list = STR_INIT};
	struct str kept = STR_INIT;
	uint8_t digest[SHA256_LEN];
	size_t start = out->len;
	if (secrets && secrets->digest)
		memcpy(digest, secrets->digest, sizeof digest);
	else
		sha256(digest, wire, len);
	pieces_make(&pieces, wire, len);
	cuts_make(&cuts, &pieces.content, secrets ? secrets->secret : NULL);
	enum rc rc = head_add(out, digest, model, &cuts, secrets, err);
	if (rc == RC_OK) {
		str_grow(&kept, cuts.content.len + 64);
		number_add(&kept, pieces.count);
		str_add(&kept, pieces.map.s, pieces.map.len);
		number_add(&kept, cuts.count);
		str_add(&kept, cuts.map.s, cuts.map.len);
		str_add(&kept, cuts.content.s, cuts.content.len);
		deflate_by_model(out, &kept, model);
		rc = check_back(wire, len, digest, out, start, model, secrets ? secrets->key : NULL, err);
	}
	str_free(&kept);
	str_wipe(&pieces.content);
	str_free(&pieces.map);
	cuts_free(&cuts);
	if (rc != RC_OK)
		str_cut(out, start);
	return rc;
}
