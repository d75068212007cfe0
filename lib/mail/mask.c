#include "lib/mail/mask.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/flow/ident.h"
#include "lib/mail/token.h"

#define HIDDEN "••••••"

/* ---- passwords ---- */

#define PRIME (((uint64_t)1 << 61) - 1)

static uint64_t times(uint64_t a, uint64_t b)
{
	__extension__ typedef unsigned __int128 wide;
	wide product = (wide)a * b;
	uint64_t sum = (uint64_t)(product & PRIME) + (uint64_t)(product >> 61);
	return sum >= PRIME ? sum - PRIME : sum;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;
	return sum >= PRIME ? sum - PRIME : sum;
}

/* The hash of the first len bytes of text; roll() moves it one byte on. */
static uint64_t hash_of(uint64_t base, const char *text, size_t len)
{
	uint64_t hash = 0;
	for (size_t i = 0; i < len; i++)
		hash = plus(times(hash, base), (unsigned char)text[i] + 1u);
	return hash;
}

static uint64_t roll(uint64_t hash, uint64_t base, uint64_t top, unsigned char out, unsigned char in)
{
	uint64_t gone = times(out + 1u, top);
	return plus(times(plus(hash, PRIME - gone), base), in + 1u);
}

/* Mixed, so that what differs in its last byte alone differs here too. */
static uint32_t kept_of(uint64_t hash)
{
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdu;
	return (uint32_t)(hash ^ hash >> 33);
}

void mask_read(struct mask *mask, const char *kept)
{
	*mask = (struct mask){0};
	for (const char *at = kept; *at && mask->count < MASK_PASSWORDS; at += strspn(at, " ")) {
		char *end;
		size_t len = strtoul(at, &end, 10);
		uint64_t base = *end == ':' ? strtoull(end + 1, &end, 16) : 0;
		uint64_t hash = *end == ':' ? strtoull(end + 1, &end, 16) : UINT64_MAX;
		if (len >= MASK_PASSWORD_LEAST && len < 1024 && base > 1 && base < PRIME &&
			hash <= UINT32_MAX)
			mask->password[mask->count++] = (struct mask_password){len, base, (uint32_t)hash};
		at += strcspn(at, " ");
	}
}

void mask_print(struct str *out, const struct mask *mask)
{
	for (int i = 0; i < mask->count; i++)
		str_printf(out, "%s%zu:%016" PRIx64 ":%08" PRIx32, i ? " " : "", mask->password[i].len,
			mask->password[i].base, mask->password[i].hash);
}

bool mask_learn(struct mask *mask, const char *password, struct rng *rng)
{
	size_t len = strlen(password);
	if (len < MASK_PASSWORD_LEAST || len >= 1024)
		return false;
	for (int i = 0; i < mask->count; i++) {
		const struct mask_password *known = &mask->password[i];
		if (known->len == len && kept_of(hash_of(known->base, password, len)) == known->hash)
			return false;
	}
	struct mask_password learnt = {.len = len};
	while (learnt.base < 256 || learnt.base >= PRIME) {
		rng_bytes(rng, &learnt.base, sizeof learnt.base);
		learnt.base &= PRIME;
	}
	learnt.hash = kept_of(hash_of(learnt.base, password, len));
	if (mask->count == MASK_PASSWORDS)
		memmove(mask->password, mask->password + 1, (size_t)--mask->count * sizeof *mask->password);
	mask->password[mask->count++] = learnt;
	return true;
}

static void hide_password(struct str *text, const struct mask_password *password)
{
	size_t len = password->len, from = 0;
	if (text->len < len)
		return;
	uint64_t top = 1, hash = hash_of(password->base, text->s, len);
	for (size_t i = 1; i < len; i++)
		top = times(top, password->base);
	struct str out = STR_INIT;
	for (size_t at = 0; at + len <= text->len;) {
		if (kept_of(hash) == password->hash) {
			str_add(&out, text->s + from, at - from);
			str_addz(&out, HIDDEN);
			at = from = at + len;
			hash = at + len <= text->len ? hash_of(password->base, text->s + at, len) : 0;
			continue;
		}
		if (at + len < text->len)
			hash = roll(hash, password->base, top, (unsigned char)text->s[at],
				(unsigned char)text->s[at + len]);
		at++;
	}
	if (from == 0) {
		str_free(&out);
		return;
	}
	str_add(&out, text->s + from, text->len - from);
	str_wipe(text);
	*text = out;
}

/* ---- tokens ---- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* A part of a digest in hexadecimal: one in a million of those has the checksum by chance. */
static bool is_of_digest(const char *text, const char *begin, const char *behind)
{
	for (const char *at = begin; at < behind; at++)
		if (!is_hex(*at))
			return false;
	return (begin > text && is_hex(begin[-1])) || is_hex(*behind);
}

static void hide_tokens(struct str *text)
{
	struct str out = STR_INIT;
	const char *from = text->s, *begin, *behind = text->s;
	/* The shortest writing of one has as many bytes as letters. */
	if (text->len < TOKEN_LETTERS)
		return;
	while (token_span(text->s, behind, &begin, &behind)) {
		if (is_of_digest(text->s, begin, behind))
			continue;
		str_add(&out, from, (size_t)(begin - from));
		str_addz(&out, HIDDEN);
		from = behind;
	}
	if (from == text->s) {
		str_free(&out);
		return;
	}
	str_addz(&out, from);
	str_wipe(text);
	*text = out;
}

void mask_add(struct str *out, const struct mask *mask, const char *text)
{
	struct str work = STR_INIT;
	if (!text || !*text)
		return;
	str_addz(&work, text);
	hide_tokens(&work);
	for (int i = 0; mask && i < mask->count; i++)
		hide_password(&work, &mask->password[i]);
	ident_mask(out, work.s);
	str_wipe(&work);
}
