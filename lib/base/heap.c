#include "lib/base/heap.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#define HEAP_AHEAD (1024 * 1024)

void heap_keep(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 4 * 1024 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
/*
 * A child that took memory from holes in the heap it was forked with would copy a page for each. So the holes are filled, once: what the children ask for
 * comes from the heap's end, in one piece.
 */
void heap_settle(void)
{
	(void)mallopt(M_TOP_PAD, HEAP_AHEAD);
	(void)mallopt(M_TRIM_THRESHOLD, HEAP_AHEAD * 64);
	(void)mallopt(M_MMAP_THRESHOLD, HEAP_AHEAD * 4);
	(void)malloc_trim(HEAP_AHEAD);
	static void *filled;
	const char *end = (const char *)sbrk(0) - mallinfo2().keepcost;
	for (size_t size = HEAP_AHEAD; size > 0; size = size > 1024 ? size / 2 : size - 16) {
		void **hole = malloc(size);
		for (; hole && (const char *)hole < end; hole = malloc(size)) {
			*hole = filled; /* kept for ever: that is the point */
			filled = (void *)hole;
		}
		free((void *)hole);
	}
}
#else
void heap_settle(void)
{
}
#endif

void heap_environment(void)
{
	(void)setenv("G_SLICE", "always-malloc", 1);
	(void)setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1);
}

void heap_give_back(void)
{
#if defined(__GLIBC__)
	(void)malloc_trim(0);
#endif
}
