#include "lib/base/pool.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"
#include "lib/base/str.h"

#define BLOCK_SIZE ((size_t)8192)

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct pool {
	struct block *first; /* the block allocated from; older and big ones behind it */
};

static struct block *block_new(size_t size)
{
	struct block *block = xmalloc(sizeof *block + size);
	*block = (struct block){.size = size};
	return block;
}

struct pool *pool_new(void)
{
	struct pool *pool = xmalloc(sizeof *pool);
	pool->first = block_new(BLOCK_SIZE);
	return pool;
}

static void free_blocks(struct block *block)
{
	while (block) {
		struct block *next = block->next;
		free(block);
		block = next;
	}
}

void pool_free(struct pool **pool)
{
	if (!*pool)
		return;
	free_blocks((*pool)->first);
	free(*pool);
	*pool = NULL;
}

void pool_reset(struct pool *pool)
{
	free_blocks(pool->first->next);
	pool->first->next = NULL;
	pool->first->used = 0;
}

void *pool_alloc(struct pool *pool, size_t size)
{
	const size_t align = alignof(max_align_t);
	if (size > (size_t)1 << 40)
		die("a pool was asked for %zu bytes", size);
	size = (size + align - 1) / align * align;

	struct block *block = pool->first;
	if (size > BLOCK_SIZE / 4) { /* big ones stand alone, behind the block in use */
		block = block_new(size);
		block->next = pool->first->next;
		pool->first->next = block;
	} else if (block->size - block->used < size) {
		block = block_new(BLOCK_SIZE);
		block->next = pool->first;
		pool->first = block;
	}
	void *p = block->bytes + block->used;
	block->used += size;
	return memset(p, 0, size);
}

char *pool_strndup(struct pool *pool, const char *text, size_t len)
{
	char *copy = pool_alloc(pool, len + 1);
	memcpy(copy, text, len);
	return copy;
}

char *pool_strdup(struct pool *pool, const char *text)
{
	return pool_strndup(pool, text, strlen(text));
}

char *pool_printf(struct pool *pool, const char *format, ...)
{
	struct str text = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&text, format, args);
	va_end(args);
	char *copy = pool_strndup(pool, text.s, text.len);
	str_free(&text);
	return copy;
}
