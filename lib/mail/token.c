#include "lib/mail/token.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "lib/base/text.h"

#define SECRET_LETTERS 20
#define GROUP 6
#define NONCE_LEN 16

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; /* Crockford's base32 */

/* The four letters that follow twenty. Against chance, not against malice: the digest in the register decides. */
static void checksum(char out[TOKEN_LETTERS - SECRET_LETTERS], const char *letters)
{
	unsigned long sum = crc32(0, (const unsigned char *)letters, SECRET_LETTERS);
	for (int i = 0; i < TOKEN_LETTERS - SECRET_LETTERS; i++)
		out[i] = alphabet[sum >> (5 * i) & 31];
}

static void print(char out[TOKEN_TEXT_MAX], const char letters[TOKEN_LETTERS])
{
	for (int i = 0; i < TOKEN_LETTERS; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = letters[i];
	}
	*out = '\0';
}

void token_make(char out[TOKEN_TEXT_MAX], enum token_purpose purpose, int64_t subject_id, int64_t expires_at,
	struct rng *rng, const uint8_t key[SEAL_KEY_LEN])
{
	static const char derived_for[] = "confirmation token";
	uint8_t token_key[SHA256_LEN], mac[SHA256_LEN], nonce[NONCE_LEN];
	struct str what = STR_INIT;
	hmac_sha256(token_key, key, SEAL_KEY_LEN, derived_for, strlen(derived_for));
	rng_bytes(rng, nonce, sizeof nonce);
	str_printf(&what, "%d %lld %lld ", (int)purpose, (long long)subject_id, (long long)expires_at);
	str_add(&what, nonce, sizeof nonce);
	hmac_sha256(mac, token_key, sizeof token_key, what.s, what.len);

	char letters[TOKEN_LETTERS];
	for (int i = 0, bit = 0; i < SECRET_LETTERS; i++, bit += 5) {
		unsigned two = (unsigned)mac[bit / 8] << 8 | mac[bit / 8 + 1];
		letters[i] = alphabet[two >> (11 - bit % 8) & 31];
	}
	checksum(letters + SECRET_LETTERS, letters);
	print(out, letters);
	wipe(token_key, sizeof token_key);
	wipe(mac, sizeof mac);
	wipe(letters, sizeof letters);
	str_wipe(&what);
}

/* ---- reading ---- */

/* The letter of the alphabet that a character stands for, in any width and case; 0: none. */
static char letter_of(uint32_t c)
{
	if (c >= 0xFF10 && c <= 0xFF5A)
		c -= 0xFEE0;
	if (c >= 'a' && c <= 'z')
		c -= 'a' - 'A';
	if (c == 'I' || c == 'L')
		return '1';
	if (c == 'O')
		return '0';
	return c > 0 && c < 128 && strchr(alphabet, (int)c) ? (char)c : 0;
}

/* What mail programs, input methods and people put between letters, besides white space: hyphens and what is taken for one, marks of quoted lines
 * and of emphasis, characters that show nothing. */
static bool is_between(uint32_t c)
{
	static const uint32_t others[] = {'-', '_', '*', '>', '|', 0x00A0, 0x00AD, 0x2043, 0x2060, 0x2212,
		0x2500, 0x2501, 0x3000, 0x30FC, 0xFE58, 0xFE63, 0xFEFF, 0xFF0D, 0xFF1E, 0xFF3F, 0xFF5C,
		0xFF70};
	if (c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x2000 && c <= 0x2015) || c == 0x2028)
		return true;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (others[i] == c)
			return true;
	return false;
}

/* HTML that stands between letters where a program takes it for text: <br>, <wbr>, </span> … An address in angle brackets is none. */
static size_t tag_length(const char *at)
{
	static const char *const names[] = {
		"br", "wbr", "p", "div", "span", "font", "a", "b", "i", "u", "tt", "o:p", "blockquote"};
	const char *name = at + 1 + (at[1] == '/');
	size_t len = strcspn(name, " \t\r\n/>"), whole = strcspn(at, ">@");
	if (whole > 200 || at[whole] != '>')
		return 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], name, len) == 0)
			return whole + 1;
	return 0;
}

/* "見本> " or "taro>> " in front of a quoted line, as some programs mark whose words they are. */
static size_t name_mark_length(const char *line)
{
	size_t len = strcspn(line, ">@<(:; \t\r\n");
	return len <= 15 && line[len] == '>' ? len + strspn(line + len, ">") : 0;
}

/* What can be skipped as one piece; 0: nothing. */
static size_t skip_length(const char *text, const char *at)
{
	if (*at == '<')
		return tag_length(at);
	if (*at == '=' && (at[1] == '\n' || (at[1] == '\r' && at[2] == '\n')))
		return 1; /* a soft line break that nobody decoded (RFC 2045 6.7) */
	return at > text && at[-1] == '\n' ? name_mark_length(at) : 0;
}

/* One character; a byte that begins none is passed over. */
static uint32_t take(const char **at, const char *end)
{
	uint32_t c = 0xFFFD;
	size_t size = utf8_next(*at, (size_t)(end - *at), &c);
	*at += size ? size : 1;
	return c;
}

/* The letters of the first token that ends behind *at, which is moved behind it. `where`: where each letter stood. */
static bool next_token(const char *text, const char **at, const char *end, char letters[TOKEN_LETTERS],
	const char *where[TOKEN_LETTERS])
{
	char sum[TOKEN_LETTERS - SECRET_LETTERS];
	size_t have = 0;
	while (*at < end) {
		size_t skipped = skip_length(text, *at);
		if (skipped) {
			*at += skipped;
			continue;
		}
		const char *here = *at;
		uint32_t c = take(at, end);
		char letter = letter_of(c);
		if (!letter) {
			have = is_between(c) ? have : 0;
			continue;
		}
		if (have == TOKEN_LETTERS) {
			memmove(letters, letters + 1, --have);
			memmove(where, where + 1, have * sizeof *where);
		}
		where[have] = here;
		letters[have++] = letter;
		if (have < TOKEN_LETTERS)
			continue;
		checksum(sum, letters);
		if (memcmp(sum, letters + SECRET_LETTERS, sizeof sum) == 0)
			return true;
	}
	return false;
}

void token_find(struct strlist *found, const char *text, size_t most)
{
	char letters[TOKEN_LETTERS], token[TOKEN_TEXT_MAX];
	const char *where[TOKEN_LETTERS], *at = text, *end = text + strlen(text);
	while (found->count < most && next_token(text, &at, end, letters, where)) {
		print(token, letters);
		if (!strlist_has(found, token))
			strlist_add(found, token);
	}
}

bool token_span(const char *text, const char *from, const char **begin, const char **behind)
{
	char letters[TOKEN_LETTERS];
	const char *where[TOKEN_LETTERS];
	*behind = from;
	if (!next_token(text, behind, text + strlen(text), letters, where))
		return false;
	*begin = where[0];
	return true;
}

void token_digest(uint8_t out[SHA256_LEN], const char *token)
{
	struct str letters = STR_INIT;
	str_addz(&letters, "token ");
	const char *end = token + strlen(token);
	for (const char *at = token; at < end;) {
		char letter = letter_of(take(&at, end));
		if (letter)
			str_addc(&letters, letter);
	}
	sha256(out, letters.s, letters.len);
	str_wipe(&letters);
}
