#include "lib/mail/deflate.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

#define LEAST 4 /* bytes that are looked up; what is shorter is cheaper as it is */
#define MATCH_MAX 258
#define TRIES 32 /* places of the model that are compared */
#define LONG_ENOUGH 24 /* then the next byte is not asked whether it begins a longer one */
#define HASH_BITS 12
#define OWN_BITS 8

struct deflate_model {
	size_t len;
	uint16_t last[1 << HASH_BITS]; /* where bytes of that hash stand last, from 1; 0: nowhere */
	uint16_t before[DEFLATE_WINDOW]; /* likewise, before this place */
	char text[DEFLATE_WINDOW];
};

struct match {
	size_t len; /* 0: none */
	size_t distance;
};

struct coder {
	const struct deflate_model *model;
	const char *bytes;
	size_t len;
	uint32_t own[1 << OWN_BITS]; /* where new bytes of that hash stood last in the text itself, from 1 */
	char *to;
	uint64_t held; /* bits that make no byte yet, the first one lowest */
	unsigned held_count;
};

static uint32_t four_at(const char *bytes)
{
	uint32_t four;
	memcpy(&four, bytes, sizeof four);
	return four;
}

static size_t hash_of(const char *bytes, int bits)
{
	return four_at(bytes) * UINT32_C(2654435761) >> (32 - bits);
}

struct deflate_model *deflate_model_new(const char *text, size_t len)
{
	if (len > DEFLATE_WINDOW)
		die("a model of %zu bytes is too long", len);
	struct deflate_model *model = xcalloc(1, sizeof *model);
	model->len = len;
	if (len > 0)
		memcpy(model->text, text, len);
	for (size_t at = 0; at + LEAST <= len; at++) {
		uint16_t *last = &model->last[hash_of(text + at, HASH_BITS)];
		model->before[at] = *last;
		*last = (uint16_t)(at + 1);
	}
	return model;
}

void deflate_model_free(struct deflate_model **model)
{
	free(*model);
	*model = NULL;
}

/* ---- codes ---- */

static void put(struct coder *coder, unsigned bits, unsigned count)
{
	coder->held |= (uint64_t)bits << coder->held_count;
	coder->held_count += count;
	for (; coder->held_count >= 8; coder->held_count -= 8) {
		*coder->to++ = (char)(coder->held & 0xFF);
		coder->held >>= 8;
	}
}

/* Codes go out with their highest bit first, all else with its lowest (RFC 1951 3.1.1). */
static void put_code(struct coder *coder, unsigned code, unsigned count)
{
	unsigned turned = 0;
	for (unsigned i = 0; i < count; i++)
		turned |= (code >> i & 1) << (count - 1 - i);
	put(coder, turned, count);
}

/* RFC 1951 3.2.6: the fixed codes of bytes, of the end and of lengths. */
static void put_symbol(struct coder *coder, unsigned symbol)
{
	if (symbol < 144)
		put_code(coder, 0x30 + symbol, 8);
	else if (symbol < 256)
		put_code(coder, 0x190 + symbol - 144, 9);
	else if (symbol < 280)
		put_code(coder, symbol - 256, 7);
	else
		put_code(coder, 0xC0 + symbol - 280, 8);
}

static unsigned top_bit(unsigned number)
{
	return 31U - (unsigned)__builtin_clz(number);
}

/* RFC 1951 3.2.5. Lengths: 8 codes without further bits, then 4 of each number of them; distances 4, then 2. */
static void put_piece(struct coder *coder, size_t len, size_t distance)
{
	unsigned over = (unsigned)len - 3, back = (unsigned)distance - 1;
	unsigned extra = over < 8 || len == MATCH_MAX ? 0 : top_bit(over) - 2;
	put_symbol(coder, len == MATCH_MAX ? 285 : 257 + 4 * extra + (over >> extra));
	put(coder, len == MATCH_MAX ? 0 : over & ((1U << extra) - 1), extra);
	extra = back < 4 ? 0 : top_bit(back) - 1;
	put_code(coder, 2 * extra + (back >> extra), 5);
	put(coder, back & ((1U << extra) - 1), extra);
}

/* A long one is copied in pieces, none of them too short to be one. */
static void put_match(struct coder *coder, const struct match *match)
{
	for (size_t left = match->len, len; left > 0; left -= len) {
		len = left <= MATCH_MAX ? left : left < MATCH_MAX + LEAST ? MATCH_MAX - LEAST : MATCH_MAX;
		put_piece(coder, len, match->distance);
	}
}

/* ---- matches ---- */

static size_t same_bytes(const char *a, const char *b, size_t most)
{
	size_t same = 0;
	while (same + sizeof(uint32_t) <= most && four_at(a + same) == four_at(b + same))
		same += sizeof(uint32_t);
	while (same < most && a[same] == b[same])
		same++;
	return same;
}

static void match_try(struct match *best, const char *a, const char *b, size_t most, size_t distance)
{
	if (distance > DEFLATE_WINDOW || most <= best->len || a[best->len] != b[best->len])
		return;
	size_t len = same_bytes(a, b, most);
	if (len >= LEAST && len > best->len)
		*best = (struct match){len, distance};
}

/* The longest one of those tried, the nearest of equals. */
static struct match match_find(const struct coder *coder, size_t at)
{
	const struct deflate_model *model = coder->model;
	const char *here = coder->bytes + at;
	size_t left = coder->len - at;
	struct match best = {0, 0};
	if (left < LEAST)
		return best;
	size_t own = coder->own[hash_of(here, OWN_BITS)];
	if (own)
		match_try(&best, coder->bytes + own - 1, here, left, at - (own - 1));
	size_t place = model->last[hash_of(here, HASH_BITS)];
	for (int i = 0; i < TRIES && place; i++, place = model->before[place - 1]) {
		size_t most = model->len - (place - 1);
		match_try(&best, model->text + place - 1, here, most < left ? most : left,
			model->len - (place - 1) + at);
	}
	return best;
}

void deflate_like(struct str *out, const struct deflate_model *model, const char *bytes, size_t len)
{
	struct coder coder = {.model = model, .bytes = bytes, .len = len};
	str_grow(out, len + len / 8 + 16); /* nine bits a byte, and none takes more */
	coder.to = out->s + out->len;
	put(&coder, 1, 1); /* the last block */
	put(&coder, 1, 2); /* with the fixed codes */
	for (size_t at = 0; at < len;) {
		struct match match = match_find(&coder, at);
		if (match.len && match.len < LONG_ENOUGH && match_find(&coder, at + 1).len > match.len + 1)
			match.len = 0;
		if (match.len) {
			put_match(&coder, &match);
			at += match.len;
			continue;
		}
		put_symbol(&coder, (uint8_t)bytes[at]);
		if (len - at >= LEAST)
			coder.own[hash_of(bytes + at, OWN_BITS)] = (uint32_t)(at + 1);
		at++;
	}
	put_symbol(&coder, 256); /* the end */
	put(&coder, 0, 7); /* up to the end of a byte */
	out->len = (size_t)(coder.to - out->s);
	out->s[out->len] = '\0';
}
