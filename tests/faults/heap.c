#include "tests/faults/heap.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/err.h"

#ifdef __SANITIZE_ADDRESS__

void heap_new(void)
{
}

void heap_enter(void)
{
}

#else

#define HEAP_BYTES (512u * 1024 * 1024) /* at most, of address space */
#define READY_BYTES (4u * 1024 * 1024) /* most lives need no more */
#define CLASSES 160
#define SMALL 1024 /* up to here classes are 16 bytes apart, above a quarter of a power of two */
#define MARK_USED 0x5AFEB10Cu
#define MARK_FREE 0xDEADB10Cu

struct block { /* before what is handed out; 16 bytes, as aligned as malloc() promises */
	uint32_t mark, class; /* class 0: it begins at a greater alignment, and is never used again */
	uint64_t size; /* asked for; of a free one, the next */
};

static struct {
	char *bytes;
	size_t used;
	bool entered;
	struct block *free[CLASSES];
} heap;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *at, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *at);

static size_t class_size(uint32_t class)
{
	if (class <= SMALL / 16)
		return class * 16u;
	uint32_t step = class - SMALL / 16;
	return ((size_t)SMALL << (step - 1) / 4) / 4 * (4 + (step - 1) % 4 + 1);
}

static uint32_t class_of(size_t size)
{
	if (size <= SMALL)
		return size == 0 ? 1 : (uint32_t)((size + 15) / 16);
	uint32_t power = 63u - (uint32_t)__builtin_clzll(size - 1); /* 10 …: 2^power < size <= 2^(power+1) */
	uint32_t quarter = (uint32_t)((size - 1 - ((size_t)1 << power)) >> (power - 2));
	return SMALL / 16 + (power - 10) * 4 + quarter + 1;
}

static _Noreturn void spoilt(void)
{
	static const char text[] = "a life's memory is spoilt\n";
	(void)!write(STDERR_FILENO, text, sizeof text - 1);
	abort();
}

static bool is_ours(const void *at)
{
	return heap.bytes && (const char *)at >= heap.bytes && (const char *)at < heap.bytes + HEAP_BYTES;
}

static struct block *block_of(void *at)
{
	struct block *block = (struct block *)at - 1;
	if (block->mark != MARK_USED || block->class >= CLASSES ||
		(block->class > 0 && block->size > class_size(block->class)))
		spoilt();
	return block;
}

static void *take(size_t size)
{
	uint32_t class = class_of(size);
	if (class >= CLASSES)
		return NULL;
	struct block *block = heap.free[class];
	if (block) {
		if (block->mark != MARK_FREE)
			spoilt();
		heap.free[class] = (struct block *)(uintptr_t)block->size;
	} else {
		size_t whole = sizeof *block + class_size(class);
		if (whole > HEAP_BYTES - heap.used)
			return NULL;
		block = (struct block *)(void *)(heap.bytes + heap.used);
		heap.used += whole;
	}
	*block = (struct block){.mark = MARK_USED, .class = class, .size = size};
	return block + 1;
}

void heap_new(void)
{
	void *at = mmap(
		NULL, HEAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		die("no memory for the lives");
	heap.bytes = at;
}

void heap_enter(void)
{
	(void)madvise(heap.bytes, READY_BYTES, MADV_POPULATE_WRITE);
	heap.entered = true;
}

/* ---- in the place of the C library's ---- */

void *malloc(size_t size)
{
	if (!heap.entered)
		return __libc_malloc(size);
	void *at = take(size);
	if (!at)
		errno = ENOMEM;
	return at;
}

void *calloc(size_t count, size_t size)
{
	size_t whole;
	if (!heap.entered)
		return __libc_calloc(count, size);
	void *at = __builtin_mul_overflow(count, size, &whole) ? NULL : take(whole);
	if (!at)
		errno = ENOMEM;
	return at ? memset(at, 0, whole) : NULL;
}

/* The driver's blocks stay as they are: it is not asked for them back, and a page that is not written to is not copied. */
void free(void *at)
{
	if (!heap.entered) {
		__libc_free(at);
	} else if (is_ours(at)) {
		struct block *block = block_of(at);
		block->mark = MARK_FREE;
		if (block->class == 0)
			return;
		block->size = (uintptr_t)heap.free[block->class];
		heap.free[block->class] = block;
	}
}

size_t malloc_usable_size(void *at)
{
	static size_t (*real)(void *);
	if (!at)
		return 0;
	if (is_ours(at))
		return block_of(at)->class ? class_size(block_of(at)->class) : block_of(at)->size;
	if (!real)
		*(void **)(void *)&real = dlsym(RTLD_NEXT, "malloc_usable_size");
	return real(at);
}

void *realloc(void *at, size_t size)
{
	if (!heap.entered)
		return __libc_realloc(at, size);
	if (!at)
		return malloc(size);
	size_t room = malloc_usable_size(at);
	if (is_ours(at) && size <= room && size > 0) {
		block_of(at)->size = size;
		return at;
	}
	void *fresh = malloc(size);
	if (!fresh)
		return NULL;
	memcpy(fresh, at, room < size ? room : size);
	free(at);
	return fresh;
}

void *memalign(size_t alignment, size_t size)
{
	if (!heap.entered)
		return __libc_memalign(alignment, size);
	char *at = malloc(size + alignment);
	if (!at || alignment <= 16)
		return at;
	at += alignment - (uintptr_t)at % alignment;
	((struct block *)(void *)at)[-1] = (struct block){.mark = MARK_USED, .class = 0, .size = size};
	return at;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	*out = memalign(alignment, size);
	return *out ? 0 : ENOMEM;
}

#endif
