#include "lib/store/grams.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/*
 * A chunk: for each of its grams, in order, the distance to the gram before (to the chunk's own for the first), the length of what follows, and the slots: either the
 * distances between them (the first one's from -1), or, where that would take as much room, a bit for each slot of the block. Numbers as in LEB128.
 */
#define CHUNK_MAX 1950 /* two fit a page of the database */
#define CHUNK_SPLIT 3800 /* a chunk that corrections let grow beyond becomes two */
#define BITMAP_LEN (GRAM_SLOTS / 8)
#define BLOCK_KEY(block, gram) ((block) << GRAM_BITS | (int64_t)(gram))

/* ---- grams ---- */

enum gram_kind { GRAM_BEGINNING = 1, GRAM_PAIR, GRAM_TRIPLE, GRAM_NUMBER_BEGINNING, GRAM_DIGITS };

static void add_gram(struct grams *grams, uint32_t gram)
{
	if (grams->count == grams->size) {
		grams->size = grams->size ? grams->size * 2 : 64;
		grams->gram = xrealloc(grams->gram, grams->size * sizeof *grams->gram);
	}
	grams->gram[grams->count++] = gram;
}

void grams_free(struct grams *grams)
{
	free(grams->gram);
	*grams = (struct grams){0};
}

/* FNV-1a over the characters, folded to GRAM_BITS. The numbers are on file: what changes them changes SEARCH_VERSION. */
static uint32_t gram_number(enum gram_kind kind, const uint32_t *c, size_t count)
{
	uint64_t hash = (0xcbf29ce484222325u ^ (uint64_t)kind) * 0x100000001b3u;
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ c[i]) * 0x100000001b3u;
	hash ^= hash >> 32;
	return (uint32_t)(hash ^ hash >> GRAM_BITS) & ((1u << GRAM_BITS) - 1);
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? -1 : x > y;
}

static void sort_once(struct grams *grams)
{
	size_t kept = 0;
	if (grams->count == 0)
		return;
	qsort(grams->gram, grams->count, sizeof *grams->gram, by_number);
	for (size_t i = 0; i < grams->count; i++)
		if (i == 0 || grams->gram[i] != grams->gram[kept - 1])
			grams->gram[kept++] = grams->gram[i];
	grams->count = kept;
}

static bool all_ascii(const uint32_t *c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (c[i] >= 0x80)
			return false;
	return true;
}

struct characters {
	uint32_t *c;
	size_t count;
};

static struct characters characters_of(const char *text, size_t len)
{
	struct characters out = {.c = xcalloc(len + 1, sizeof *out.c)};
	for (size_t at = 0; at < len;) {
		size_t size = utf8_next(text + at, len - at, &out.c[out.count]);
		out.count += size > 0;
		at += size ? size : 1;
	}
	return out;
}

/* Two letters of the Latin alphabet tell little, three more; mail addresses hold hardly anything else, and have only those. */
static void add_entry(struct grams *out, char mark, const uint32_t *c, size_t count)
{
	if (mark == ENTRY_NUMBER) {
		for (size_t i = 1; i <= 3 && i <= count; i++)
			add_gram(out, gram_number(GRAM_NUMBER_BEGINNING, c, i));
		for (size_t i = 0; i + 4 <= count; i++)
			add_gram(out, gram_number(GRAM_DIGITS, c + i, 4));
		return;
	}
	if (mark == ENTRY_TEXT && count > 0)
		add_gram(out, gram_number(GRAM_BEGINNING, c, 1));
	for (size_t i = 0; mark == ENTRY_TEXT && i + 2 <= count; i++)
		add_gram(out, gram_number(GRAM_PAIR, c + i, 2));
	for (size_t i = 0; i + 3 <= count; i++)
		if (all_ascii(c + i, 3))
			add_gram(out, gram_number(GRAM_TRIPLE, c + i, 3));
}

void grams_of_text(struct grams *out, const char *text, size_t len)
{
	struct characters all = characters_of(text, len);
	for (size_t at = 0; at < all.count;) {
		char mark = (char)all.c[at++];
		size_t end = at;
		while (end < all.count && all.c[end] >= 0x20)
			end++;
		add_entry(out, mark, all.c + at, end - at);
		at = end;
	}
	free(all.c);
	sort_once(out);
}

void grams_of_word(struct grams *out, const char *word, size_t len)
{
	struct characters all = characters_of(word, len);
	if (all.count == 1)
		add_gram(out, gram_number(GRAM_BEGINNING, all.c, 1));
	for (size_t i = 0; i + 3 <= all.count; i++)
		if (all_ascii(all.c + i, 3))
			add_gram(out, gram_number(GRAM_TRIPLE, all.c + i, 3));
	/* A word of Latin letters alone may stand in a mail address, which has no pairs. */
	for (size_t i = 0; i + 2 <= all.count; i++)
		if (all.count == 2 || !all_ascii(all.c + i, 2))
			add_gram(out, gram_number(GRAM_PAIR, all.c + i, 2));
	free(all.c);
	sort_once(out);
}

void grams_of_digits(struct grams *out, const char *digits, size_t len)
{
	struct characters all = characters_of(digits, len);
	if (all.count < 4)
		add_gram(out, gram_number(GRAM_NUMBER_BEGINNING, all.c, all.count));
	for (size_t i = 0; i + 4 <= all.count; i++)
		add_gram(out, gram_number(GRAM_DIGITS, all.c + i, 4));
	free(all.c);
	sort_once(out);
}

/* ---- reading chunks ---- */

struct chunk_entry {
	uint32_t gram;
	const unsigned char *slots, *end; /* what lists them */
};

static bool read_number(const unsigned char **at, const unsigned char *end, uint32_t *number)
{
	*number = 0;
	for (unsigned shift = 0; shift < 32 && *at < end; shift += 7) {
		unsigned char byte = *(*at)++;
		*number |= (uint32_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return true;
	}
	return false;
}

/* The next entry behind *at; false at the end, or where a chunk is damaged. entry->gram holds the one before. */
static bool next_entry(const unsigned char **at, const unsigned char *end, struct chunk_entry *entry)
{
	uint32_t distance, len;
	if (!read_number(at, end, &distance) || !read_number(at, end, &len) || len > (size_t)(end - *at))
		return false;
	entry->gram += distance;
	entry->slots = *at;
	entry->end = *at += len;
	return true;
}

static void read_slots(struct gram_set *out, const struct chunk_entry *entry)
{
	if (entry->end - entry->slots == BITMAP_LEN) {
		for (size_t i = 0; i < BITMAP_LEN; i++)
			out->word[i / 8] |= (uint64_t)entry->slots[i] << (i % 8 * 8);
		return;
	}
	uint32_t slot = UINT32_MAX, distance;
	for (const unsigned char *at = entry->slots; read_number(&at, entry->end, &distance);) {
		slot += distance;
		if (slot < GRAM_SLOTS)
			gram_set_add(out, slot);
	}
}

enum rc gram_last_block(struct store *store, int64_t *block, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT max(id) >> 24 FROM search_block", err);
	return stmt ? sql_number(store, stmt, -1, block, err) : err->rc;
}

/* The chunk a gram of a block belongs into; leaves the statement on its row when *row. */
static sqlite3_stmt *find_chunk(
	struct store *store, int64_t block, uint32_t gram, bool *row, enum rc *rc, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, grams FROM search_block WHERE id <= :key AND id >= :first ORDER BY id DESC LIMIT "
		"1",
		err);
	*row = false;
	*rc = stmt ? RC_OK : err->rc;
	if (!stmt)
		return NULL;
	sql_int(stmt, ":key", BLOCK_KEY(block, gram));
	sql_int(stmt, ":first", BLOCK_KEY(block, 0));
	*rc = sql_row(store, stmt, row, err);
	return stmt;
}

enum rc gram_read(
	struct store *store, int64_t block, uint32_t gram, struct gram_set *out, bool *any, struct err *err)
{
	bool row;
	enum rc rc;
	*any = false;
	sqlite3_stmt *stmt = find_chunk(store, block, gram, &row, &rc, err);
	if (!row)
		return rc;
	const unsigned char *at = sqlite3_column_blob(stmt, 1), *end = at + sqlite3_column_bytes(stmt, 1);
	struct chunk_entry entry = {
		.gram = (uint32_t)(sqlite3_column_int64(stmt, 0) & ((1 << GRAM_BITS) - 1))};
	while (at < end && next_entry(&at, end, &entry) && entry.gram < gram)
		;
	if (at && entry.gram == gram && entry.slots) {
		memset(out, 0, sizeof *out);
		read_slots(out, &entry);
		*any = true;
	}
	sql_done(stmt);
	return RC_OK;
}

/* ---- writing chunks ---- */

static void add_number(struct str *out, uint32_t number)
{
	for (; number >= 0x80; number >>= 7)
		str_addc(out, (char)(number | 0x80));
	str_addc(out, (char)number);
}

static void add_slots(struct str *out, const struct gram_set *set)
{
	size_t start = out->len;
	uint32_t last = UINT32_MAX;
	for (uint32_t i = 0; i < GRAM_SLOTS / 64; i++)
		for (uint64_t word = set->word[i]; word; word &= word - 1) {
			uint32_t slot = i * 64 + (uint32_t)__builtin_ctzll(word);
			add_number(out, slot - last);
			last = slot;
		}
	if (out->len - start < BITMAP_LEN)
		return;
	str_cut(out, start);
	for (size_t i = 0; i < BITMAP_LEN; i++)
		str_addc(out, (char)(set->word[i / 8] >> (i % 8 * 8)));
}

/* What is being written: chunks of one block, as they fill. */
struct chunk_writer {
	struct store *store;
	int64_t block;
	uint32_t first, last; /* the chunk's own gram, and that of its last entry */
	struct str chunk;
};

static enum rc put_chunk(struct store *store, int64_t id, const struct str *chunk, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO search_block (id, grams) VALUES (:id, :grams)"
		" ON CONFLICT (id) DO UPDATE SET grams = excluded.grams",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_blob(stmt, ":grams", chunk->s, chunk->len);
	return sql_run(store, stmt, err);
}

static enum rc write_chunk(struct chunk_writer *writer, struct err *err)
{
	enum rc rc = put_chunk(writer->store, BLOCK_KEY(writer->block, writer->first), &writer->chunk, err);
	str_clear(&writer->chunk);
	return rc;
}

static enum rc write_entry(
	struct chunk_writer *writer, uint32_t gram, const struct str *slots, size_t most, struct err *err)
{
	if (writer->chunk.len > 0 && writer->chunk.len + slots->len + 8 > most) {
		enum rc rc = write_chunk(writer, err);
		if (rc != RC_OK)
			return rc;
		writer->first = writer->last = gram;
	}
	add_number(&writer->chunk, gram - writer->last);
	add_number(&writer->chunk, (uint32_t)slots->len);
	str_add(&writer->chunk, slots->s, slots->len);
	writer->last = gram;
	return RC_OK;
}

/* ---- whole blocks ---- */

void gram_builder_add(struct gram_builder *builder, unsigned slot, const struct grams *grams)
{
	if (builder->count + grams->count > builder->size) {
		builder->size = (builder->count + grams->count) * 2;
		builder->entry = xrealloc(builder->entry, builder->size * sizeof *builder->entry);
	}
	for (size_t i = 0; i < grams->count; i++)
		builder->entry[builder->count++] = (uint64_t)grams->gram[i] << 16 | slot;
}

void gram_builder_free(struct gram_builder *builder)
{
	free(builder->entry);
	*builder = (struct gram_builder){0};
}

/* By gram. The slots came in order and stay so: a radix sort of two passes. */
static void sort_entries(struct gram_builder *builder)
{
	uint64_t *other = xcalloc(builder->count + 1, sizeof *other), *from = builder->entry, *to = other;
	for (unsigned shift = 16; shift <= 28; shift += 12) {
		size_t start[4097] = {0};
		for (size_t i = 0; i < builder->count; i++)
			start[(from[i] >> shift & 0xfff) + 1]++;
		for (size_t i = 1; i <= 4096; i++)
			start[i] += start[i - 1];
		for (size_t i = 0; i < builder->count; i++)
			to[start[from[i] >> shift & 0xfff]++] = from[i];
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	free(other); /* after two passes everything is back where it was */
}

enum rc gram_builder_write(struct store *store, struct gram_builder *builder, struct err *err)
{
	struct chunk_writer writer = {.store = store, .block = builder->block, .chunk = STR_INIT};
	struct str slots = STR_INIT;
	enum rc rc = RC_OK;
	sort_entries(builder);
	for (size_t at = 0; rc == RC_OK && at < builder->count;) {
		uint32_t gram = (uint32_t)(builder->entry[at] >> 16);
		struct gram_set set = {0};
		for (; at < builder->count && builder->entry[at] >> 16 == gram; at++)
			gram_set_add(&set, (unsigned)(builder->entry[at] & 0xffff));
		str_clear(&slots);
		add_slots(&slots, &set);
		rc = write_entry(&writer, gram, &slots, CHUNK_MAX, err);
	}
	if (rc == RC_OK && writer.chunk.len > 0)
		rc = write_chunk(&writer, err);
	str_free(&slots);
	str_free(&writer.chunk);
	builder->count = 0;
	return rc;
}

/* ---- one application ---- */

/* A chunk as it was read, to be written anew. */
struct old_chunk {
	int64_t id;
	struct str bytes;
};

/* The next chunk of a block from `id` on; *there false: no more. */
static enum rc read_chunk(
	struct store *store, int64_t block, int64_t id, struct old_chunk *out, bool *there, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, grams FROM search_block WHERE id >= :id AND id < :end ORDER BY id LIMIT 1", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_int(stmt, ":end", BLOCK_KEY(block + 1, 0));
	enum rc rc = sql_row(store, stmt, there, err);
	if (rc != RC_OK || !*there)
		return rc;
	out->id = sqlite3_column_int64(stmt, 0);
	str_clear(&out->bytes);
	const void *bytes = sqlite3_column_blob(stmt, 1);
	str_add(&out->bytes, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 1));
	sql_done(stmt);
	return RC_OK;
}

static enum rc drop_chunk(struct store *store, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "DELETE FROM search_block WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return sql_run(store, stmt, err);
}

/* Everything of a chunk but that slot. *found counts where it stood. */
static void without_slot(struct str *out, const struct old_chunk *chunk, unsigned slot, int64_t *found)
{
	uint32_t first = (uint32_t)(chunk->id & ((1 << GRAM_BITS) - 1)), last = first;
	const unsigned char *at = (const unsigned char *)chunk->bytes.s, *end = at + chunk->bytes.len;
	struct chunk_entry entry = {.gram = first};
	struct str slots = STR_INIT;
	while (at < end && next_entry(&at, end, &entry)) {
		struct gram_set set = {0};
		str_clear(&slots);
		read_slots(&set, &entry);
		if (gram_set_has(&set, slot)) {
			set.word[slot / 64] &= ~((uint64_t)1 << (slot % 64));
			++*found;
			add_slots(&slots, &set);
		} else {
			str_add(&slots, entry.slots, (size_t)(entry.end - entry.slots));
		}
		if (slots.len == 0)
			continue;
		add_number(out, entry.gram - last);
		add_number(out, (uint32_t)slots.len);
		str_add(out, slots.s, slots.len);
		last = entry.gram;
	}
	str_free(&slots);
}

enum rc gram_drop(
	struct store *store, int64_t block, unsigned slot, bool preview, int64_t *found, struct err *err)
{
	struct old_chunk chunk = {.bytes = STR_INIT};
	struct str anew = STR_INIT;
	bool there = false;
	*found = 0;
	enum rc rc = read_chunk(store, block, BLOCK_KEY(block, 0), &chunk, &there, err);
	while (rc == RC_OK && there) {
		int64_t before = *found;
		str_clear(&anew);
		without_slot(&anew, &chunk, slot, found);
		if (!preview && *found > before)
			rc = anew.len > 0 ? put_chunk(store, chunk.id, &anew, err)
					  : drop_chunk(store, chunk.id, err);
		if (rc == RC_OK)
			rc = read_chunk(store, block, chunk.id + 1, &chunk, &there, err);
	}
	str_wipe(&anew);
	str_wipe(&chunk.bytes);
	return rc;
}

/* A chunk with one more slot under a gram. It is written as one, or where it has grown too long as several. */
static enum rc with_slot(struct store *store, int64_t block, const struct old_chunk *chunk, uint32_t gram,
	unsigned slot, struct err *err)
{
	uint32_t first = (uint32_t)(chunk->id & ((1 << GRAM_BITS) - 1));
	struct chunk_writer writer = {
		.store = store, .block = block, .first = first, .last = first, .chunk = STR_INIT};
	const unsigned char *at = (const unsigned char *)chunk->bytes.s, *end = at + chunk->bytes.len;
	size_t most = chunk->bytes.len + BITMAP_LEN > CHUNK_SPLIT ? CHUNK_MAX : SIZE_MAX;
	struct chunk_entry entry = {.gram = first};
	struct str slots = STR_INIT;
	bool more = at < end && next_entry(&at, end, &entry), entered = false;
	enum rc rc = RC_OK;
	while (rc == RC_OK && (more || !entered)) {
		struct gram_set set = {0};
		bool own = !entered && (!more || entry.gram >= gram);
		uint32_t number = own ? gram : entry.gram;
		bool taken = more && entry.gram == number;
		if (taken)
			read_slots(&set, &entry);
		if (own)
			gram_set_add(&set, slot);
		entered = entered || own;
		str_clear(&slots);
		add_slots(&slots, &set);
		rc = write_entry(&writer, number, &slots, most, err);
		if (taken)
			more = at < end && next_entry(&at, end, &entry);
	}
	if (rc == RC_OK)
		rc = write_chunk(&writer, err);
	str_free(&slots);
	str_free(&writer.chunk);
	return rc;
}

static enum rc enter_one(struct store *store, int64_t block, uint32_t gram, unsigned slot, struct err *err)
{
	struct old_chunk chunk = {.id = BLOCK_KEY(block, 0), .bytes = STR_INIT};
	bool row;
	enum rc rc;
	sqlite3_stmt *stmt = find_chunk(store, block, gram, &row, &rc, err);
	if (rc == RC_OK && row) {
		chunk.id = sqlite3_column_int64(stmt, 0);
		const void *bytes = sqlite3_column_blob(stmt, 1);
		str_add(&chunk.bytes, bytes ? bytes : "", (size_t)sqlite3_column_bytes(stmt, 1));
		sql_done(stmt);
	}
	if (rc == RC_OK)
		rc = with_slot(store, block, &chunk, gram, slot, err);
	str_free(&chunk.bytes);
	return rc;
}

enum rc gram_enter(
	struct store *store, int64_t block, unsigned slot, const struct grams *grams, struct err *err)
{
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < grams->count; i++)
		rc = enter_one(store, block, grams->gram[i], slot, err);
	return rc;
}
