#include "lib/mail/reread.h"

#include <string.h>
#include <strings.h>

#include "lib/base/crypt.h"
#include "lib/base/text.h"

/* ---- ISO-2022-JP ---- */

/* CP932 knows seven characters of JIS X 0208 by other code points than everybody else. */
static uint32_t usual_code_point(uint32_t c)
{
	static const uint32_t pairs[][2] = {{0xFF5E, 0x301C}, {0xFF0D, 0x2212}, {0x2225, 0x2016},
		{0xFFE0, 0x00A2}, {0xFFE1, 0x00A3}, {0xFFE2, 0x00AC}, {0x2015, 0x2014}};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (pairs[i][0] == c)
			return pairs[i][1];
	return c;
}

/* Row and cell of JIS X 0208 are moved into the bytes of CP932, whose converter is open already. */
static void add_cell(struct str *out, unsigned row, unsigned cell)
{
	unsigned char sjis[2];
	unsigned lead = (row - 0x21) / 2 + 0x81;
	sjis[0] = (unsigned char)(lead > 0x9F ? lead + 0x40 : lead);
	sjis[1] = (unsigned char)(row % 2 == 0 ? cell + 0x7E : cell > 0x5F ? cell + 0x20 : cell + 0x1F);
	str_add(out, sjis, 2);
}

static bool add_iso2022jp(struct str *out, const char *bytes, size_t len)
{
	struct str sjis = STR_INIT, text = STR_INIT;
	bool wide = false, good = true;
	for (size_t i = 0; i < len && good;) {
		if (bytes[i] == 0x1B) {
			good = len - i >= 3;
			wide = good && bytes[i + 1] == '$';
			i += 3;
		} else if (wide) {
			good = len - i >= 2 && bytes[i] >= 0x21 && bytes[i + 1] >= 0x21;
			if (good)
				add_cell(&sjis, (unsigned char)bytes[i], (unsigned char)bytes[i + 1]);
			i += 2;
		} else {
			str_addc(&sjis, bytes[i++]);
		}
	}
	size_t bad;
	good = good && text_from_cp932(&text, sjis.s, sjis.len, &bad);
	uint32_t c;
	for (size_t i = 0, step; good && (step = utf8_next(text.s + i, text.len - i, &c)) > 0; i += step)
		utf8_add(out, usual_code_point(c));
	str_free(&sjis);
	str_free(&text);
	return good;
}

/* ---- the header ---- */

/* Appends the unfolded value of the first field of that name within [head, end); false: there is none. */
static bool field_get(struct str *out, const char *head, const char *end, const char *name)
{
	size_t name_len = strlen(name);
	for (const char *line = head; line < end;) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		stop = stop ? stop + 1 : end;
		bool wanted = (size_t)(stop - line) > name_len && strncasecmp(line, name, name_len) == 0 &&
			      line[name_len] == ':';
		if (!wanted) {
			line = stop;
			continue;
		}
		const char *at = line + name_len + 1;
		while (at < end && (at < stop || *at == ' ' || *at == '\t')) {
			if (at >= stop) {
				const char *next = memchr(at, '\n', (size_t)(end - at));
				stop = next ? next + 1 : end;
			}
			if (*at != '\r' && *at != '\n')
				str_addc(out, *at);
			at++;
		}
		return true;
	}
	return false;
}

/* One encoded word at `at` ("=?charset?B?…?="); the place behind it, NULL: it is none. */
static const char *add_encoded_word(struct str *out, const char *at)
{
	const char *charset = at + 2;
	const char *encoding = strchr(charset, '?');
	const char *text = encoding ? strchr(encoding + 1, '?') : NULL;
	const char *end = text ? strstr(text + 1, "?=") : NULL;
	if (!end || text != encoding + 2 || (encoding[1] != 'B' && encoding[1] != 'b'))
		return NULL;
	struct str bytes = STR_INIT;
	bool good = base64_read(&bytes, text + 1, (size_t)(end - text - 1));
	if (good && strncasecmp(charset, "ISO-2022-JP?", 12) == 0)
		good = add_iso2022jp(out, bytes.s, bytes.len);
	else if (good && utf8_valid(bytes.s, bytes.len))
		str_add(out, bytes.s, bytes.len);
	else
		good = false;
	str_free(&bytes);
	return good ? end + 2 : NULL;
}

/* RFC 2047, section 6.2: blanks between two encoded words do not count. */
static bool add_decoded(struct str *out, const char *value)
{
	bool after_word = false;
	for (const char *at = value + strspn(value, " "); *at;) {
		size_t blanks = strspn(at, " ");
		if (strncmp(at + blanks, "=?", 2) == 0) {
			if (!after_word)
				str_add(out, at, blanks);
			at = add_encoded_word(out, at + blanks);
			if (!at)
				return false;
			after_word = true;
		} else if (*at & 0x80 || *at < ' ') {
			return false; /* 7-bit, and nothing but text */
		} else {
			str_addc(out, *at++);
			after_word = false;
		}
	}
	return true;
}

/* ---- the body ---- */

static void add_lines(struct str *out, const struct str *text)
{
	for (size_t i = 0; i < text->len; i++)
		if (text->s[i] != '\r')
			str_addc(out, text->s[i]);
}

static bool add_body(struct str *out, const char *head, const char *body, const char *end)
{
	struct str type = STR_INIT, encoding = STR_INIT, bytes = STR_INIT, text = STR_INIT;
	bool good = field_get(&type, head, body, "Content-Type") &&
		    field_get(&encoding, head, body, "Content-Transfer-Encoding") &&
		    strcasestr(type.s, "text/plain");
	if (good && strcasestr(encoding.s, "base64"))
		good = base64_read(&bytes, body, (size_t)(end - body));
	else
		str_add(&bytes, body, (size_t)(end - body));
	if (good && strcasestr(type.s, "ISO-2022-JP"))
		good = add_iso2022jp(&text, bytes.s, bytes.len);
	else
		str_add(&text, bytes.s, bytes.len);
	good = good && utf8_valid(text.s, text.len);
	if (good)
		add_lines(out, &text);
	str_free(&type);
	str_free(&encoding);
	str_wipe(&bytes);
	str_wipe(&text);
	return good;
}

/* The first part of multipart/signed (smime.h): its header and body in place of the mail's. */
static bool signed_part(const char **head, const char **body, const char **end)
{
	struct str type = STR_INIT, delimiter = STR_INIT;
	bool good = field_get(&type, *head, *body - 2, "Content-Type");
	const char *boundary =
		good && strcasestr(type.s, "multipart/signed") ? strstr(type.s, "boundary=\"") : NULL;
	if (boundary) {
		boundary += strlen("boundary=\"");
		str_printf(&delimiter, "\r\n--%.*s\r\n", (int)strcspn(boundary, "\""), boundary);
		const char *part = *body - 2; /* the empty line's end is the delimiter's beginning */
		const char *from = memmem(part, (size_t)(*end - part), delimiter.s, delimiter.len);
		from = from ? from + delimiter.len : NULL;
		const char *to =
			from ? memmem(from, (size_t)(*end - from), delimiter.s, delimiter.len) : NULL;
		const char *empty_line = to ? memmem(from, (size_t)(to - from), "\r\n\r\n", 4) : NULL;
		good = empty_line != NULL;
		if (good) {
			*head = from;
			*body = empty_line + 4;
			*end = to + 2;
		}
	}
	str_free(&type);
	str_free(&delimiter);
	return good;
}

enum rc reread(struct str *subject, struct str *body, const char *wire, size_t len, struct err *err)
{
	const char *empty_line = memmem(wire, len, "\r\n\r\n", 4);
	const char *head = wire, *text = empty_line ? empty_line + 4 : NULL, *end = wire + len;
	struct str value = STR_INIT;
	bool good = empty_line && field_get(&value, wire, empty_line + 2, "Subject") &&
		    add_decoded(subject, value.s) && signed_part(&head, &text, &end) &&
		    add_body(body, head, text, end);
	str_free(&value);
	return good ? RC_OK
		    : err_set(err, RC_STORE,
			      "a kept letter is not one this program composed; restore the register from a "
			      "backup");
}
