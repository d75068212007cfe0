/*
 * public_index.c - which rows hold which two characters
 *
 * Terms: each pair of neighbouring characters of a key; the first character behind a mark of its own (what a single character finds: names that begin with it); each
 * kind of company alone. A term's posting list has, row by row, the distance to the row before and the place in the key, so that whole words are found exactly without
 * looking at the rows. Terms are spread over buckets by a hash; a bucket is one script file. Memory: a chunk a bucket, and one bucket at a time when they are written;
 * the chunks lie in a temporary file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/desk/public_p.h"

#define CHUNK 256 /* postings */
#define PLACES 256 /* what stands further behind in a name is not indexed */
#define BUCKETS_MAX 4096
#define ROWS_PER_BUCKET 1024
#define DIGITS 45 /* search.js reads the same */

struct posting {
	uint32_t first; /* character */
	uint32_t second_place; /* second character << 8 | place */
	uint32_t row;
};

struct bucket {
	struct posting posting[CHUNK];
	int count;
	int64_t last; /* chunk before this one in the file; -1: none */
	int64_t total;
};

struct public_index {
	struct bucket *bucket;
	int buckets;
	int file; /* chunks: CHUNK postings and the place of the chunk before */
	int64_t file_len;
};

#define CHUNK_BYTES ((int64_t)(sizeof(struct posting) * CHUNK + sizeof(int64_t)))

/* The same in search.js. */
static uint32_t term_hash(uint32_t first, uint32_t second)
{
	uint32_t hash = first * 0x9E3779B1u ^ second * 0x85EBCA6Bu;
	hash ^= hash >> 15;
	hash *= 0x2C1B3C6Du;
	return hash ^ hash >> 12;
}

static int unlinked_file(const char *directory, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, directory, ".index.XXXXXX");
	int fd = mkostemp(path.s, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path.s);
	else
		(void)err_set(err, RC_STORE, "No temporary file could be made in %s: %s.", directory,
			errno_text(errno));
	str_free(&path);
	return fd;
}

enum rc public_index_begin(struct public_index **out, const char *directory, size_t rows, struct err *err)
{
	int fd = unlinked_file(directory, err);
	if (fd < 0)
		return err->rc;
	struct public_index *index = xcalloc(1, sizeof *index);
	index->file = fd;
	index->buckets = 1;
	while (index->buckets < BUCKETS_MAX && (size_t)index->buckets * ROWS_PER_BUCKET < rows)
		index->buckets *= 2;
	index->bucket = xcalloc((size_t)index->buckets, sizeof *index->bucket);
	for (int i = 0; i < index->buckets; i++)
		index->bucket[i].last = -1;
	*out = index;
	return RC_OK;
}

void public_index_drop(struct public_index **index)
{
	if (!*index)
		return;
	(void)close((*index)->file);
	free((*index)->bucket);
	free(*index);
	*index = NULL;
}

int public_index_buckets(const struct public_index *index)
{
	return index->buckets;
}

static enum rc flush_chunk(struct public_index *index, struct bucket *bucket, struct err *err)
{
	enum rc rc = file_write_all(index->file, bucket->posting, sizeof bucket->posting, err);
	if (rc == RC_OK)
		rc = file_write_all(index->file, &bucket->last, sizeof bucket->last, err);
	bucket->last = index->file_len;
	bucket->count = 0;
	index->file_len += CHUNK_BYTES;
	return rc;
}

static enum rc add_term(struct public_index *index, uint32_t row, uint32_t first, uint32_t second,
	uint32_t place, struct err *err)
{
	struct bucket *bucket = &index->bucket[term_hash(first, second) & (uint32_t)(index->buckets - 1)];
	if (bucket->count == CHUNK) {
		enum rc rc = flush_chunk(index, bucket, err);
		if (rc != RC_OK)
			return rc;
	}
	bucket->posting[bucket->count++] =
		(struct posting){.first = first, .second_place = second << 8 | place, .row = row};
	bucket->total++;
	return RC_OK;
}

enum rc public_index_add(struct public_index *index, uint32_t row, const char *key, struct err *err)
{
	size_t len = strlen(key), start = (size_t)(public_sort_name(key) - key);
	uint32_t previous = 0, c;
	enum rc rc = RC_OK;
	for (uint32_t place = 0, at = 0, size;
		rc == RC_OK && place < PLACES && (size = (uint32_t)utf8_next(key + at, len - at, &c)) > 0;
		place++) {
		if (at == start)
			rc = add_term(index, row, PUBLIC_START, c, place, err);
		if (rc == RC_OK && place > 0)
			rc = add_term(index, row, previous, c, place - 1, err);
		if (rc == RC_OK && public_is_form(c))
			rc = add_term(index, row, c, 0, place, err);
		previous = c;
		at += size;
	}
	return rc;
}

/* ---- buckets as script files ---- */

static enum rc read_chunk(
	struct public_index *index, int64_t at, struct posting *out, int64_t *before, struct err *err)
{
	char room[CHUNK_BYTES];
	ssize_t got = pread(index->file, room, sizeof room, at);
	if (got != CHUNK_BYTES)
		return err_set(err, RC_STORE,
			"The temporary index of the public list could not be read back: %s.",
			got < 0 ? errno_text(errno) : "it is shorter than what was written");
	memcpy(out, room, sizeof(struct posting) * CHUNK);
	memcpy(before, room + sizeof(struct posting) * CHUNK, sizeof *before);
	return RC_OK;
}

static int by_term(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;
	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	uint32_t left = x->second_place >> 8, right = y->second_place >> 8;
	if (left != right)
		return left < right ? -1 : 1;
	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return (x->second_place > y->second_place) - (x->second_place < y->second_place);
}

static bool same_term(const struct posting *a, const struct posting *b)
{
	return a->first == b->first && a->second_place >> 8 == b->second_place >> 8;
}

/* Digits of base 45, highest first, in characters that need no escape in a string; the last one from the second half of the alphabet. */
static void add_number(struct str *out, uint32_t number)
{
	char digit[8];
	int count = 0;
	unsigned base = DIGITS;
	do {
		unsigned code = '#' + number % DIGITS + base;
		digit[count++] = (char)(code >= '\\' ? code + 1 : code);
		number /= DIGITS;
		base = 0;
	} while (number > 0);
	while (count > 0)
		str_addc(out, digit[--count]);
}

static void add_posting_lists(struct str *out, const struct posting *posting, int64_t total)
{
	uint32_t row = 0;
	for (int64_t i = 0; i < total; i++) {
		if (i == 0 || !same_term(&posting[i], &posting[i - 1])) {
			str_addz(out, i ? "\",\n\"" : "\"");
			utf8_add(out, posting[i].first);
			if (posting[i].second_place >> 8)
				utf8_add(out, posting[i].second_place >> 8);
			str_addz(out, "\":\"");
			row = 0;
		}
		add_number(out, posting[i].row - row);
		add_number(out, posting[i].second_place & 0xFF);
		row = posting[i].row;
	}
	if (total > 0)
		str_addc(out, '"');
}

enum rc public_index_bucket(struct public_index *index, int number, struct str *out, struct err *err)
{
	struct bucket *bucket = &index->bucket[number];
	struct posting *all = xcalloc((size_t)bucket->total + 1, sizeof *all);
	int64_t end = bucket->total - bucket->count;
	enum rc rc = RC_OK;
	memcpy(all + end, bucket->posting, (size_t)bucket->count * sizeof *all);
	for (int64_t at = bucket->last; rc == RC_OK && at >= 0; end -= CHUNK)
		rc = read_chunk(index, at, all + end - CHUNK, &at, err);
	if (rc == RC_OK) {
		qsort(all, (size_t)bucket->total, sizeof *all, by_term);
		str_printf(out, "sengen.index(%d,{", number);
		add_posting_lists(out, all, bucket->total);
		str_addz(out, "});\n");
	}
	free(all);
	return rc;
}
