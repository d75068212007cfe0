/*
 * grams.h - which applications hold which two characters: the index of searching
 *
 * Applications are taken together in blocks of GRAM_SLOTS by their numbers. A block that is full is written as a few hundred chunks; a chunk lists, in the order of their
 * grams, which applications of the block hold each. What came in since stands beside as plain text (store_search.c) until its block is full, so that a new application
 * costs one short row, and the block is written once, in order. One application can be taken out of its block, or put into it anew, at any time.
 *
 * A gram is a number made of one to four characters; two can share a number, and a hit is held against the form itself before it is shown.
 */
#ifndef SENGEN_GRAMS_H
#define SENGEN_GRAMS_H

#include "lib/store/store_p.h"

#define GRAM_SLOTS 4096 /* applications in a block */
#define GRAM_BITS 24

static inline int64_t gram_block(int64_t application_id)
{
	return application_id / GRAM_SLOTS;
}
static inline unsigned gram_slot(int64_t application_id)
{
	return (unsigned)(application_id % GRAM_SLOTS);
}

/* ---- grams of texts ---- */

struct grams {
	uint32_t *gram;
	size_t count, size;
};
void grams_free(struct grams *grams);

/* Entries of a searchable text; each begins with its mark. */
#define ENTRY_TEXT '\x1f' /* names, places */
#define ENTRY_MAIL '\x1d'
#define ENTRY_NUMBER '\x1e' /* digits */
/* Every gram under which a searchable text is found, each once, in order. */
void grams_of_text(struct grams *out, const char *text, size_t len);
/* Those that a text must hold to have this word somewhere, most telling ones first. */
void grams_of_word(struct grams *out, const char *word, size_t len);
/* Likewise, digits within or (up to three) at the beginning of a number. */
void grams_of_digits(struct grams *out, const char *digits, size_t len);

/* ---- blocks ---- */

struct gram_set { /* applications of one block */
	uint64_t word[GRAM_SLOTS / 64];
};
static inline void gram_set_add(struct gram_set *set, unsigned slot)
{
	set->word[slot / 64] |= (uint64_t)1 << (slot % 64);
}
static inline bool gram_set_has(const struct gram_set *set, unsigned slot)
{
	return set->word[slot / 64] >> (slot % 64) & 1;
}

/* A block in the making. Applications are added in ascending order. */
struct gram_builder {
	int64_t block;
	uint64_t *entry; /* gram and slot */
	size_t count, size;
};
void gram_builder_add(struct gram_builder *builder, unsigned slot, const struct grams *grams);
/* Writes the block and makes the builder empty. */
enum rc gram_builder_write(struct store *store, struct gram_builder *builder, struct err *err);
void gram_builder_free(struct gram_builder *builder);

/* The highest block that is written; -1: none. */
enum rc gram_last_block(struct store *store, int64_t *block, struct err *err);
/* Which applications of a block hold a gram; *any false: none. */
enum rc gram_read(
	struct store *store, int64_t block, uint32_t gram, struct gram_set *out, bool *any, struct err *err);
/* Takes an application out of its block, whatever it was entered with. *found: entries there were; with `preview` they stay. */
enum rc gram_drop(
	struct store *store, int64_t block, unsigned slot, bool preview, int64_t *found, struct err *err);
/* Puts one into a block that is written. */
enum rc gram_enter(
	struct store *store, int64_t block, unsigned slot, const struct grams *grams, struct err *err);

#endif
