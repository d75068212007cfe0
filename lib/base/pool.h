/*
 * pool.h - memory that lives as long as one piece of work
 *
 * Work on one form, one mail or one request allocates from a pool and the pool is dropped at the end.
 * Nothing from a pool is freed by itself. Out of memory ends the program.
 */
#ifndef SENGEN_POOL_H
#define SENGEN_POOL_H

#include <stddef.h>

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool **pool); /* clears the caller's pointer */
void pool_reset(struct pool *pool); /* everything allocated becomes invalid; memory is kept for reuse */

void *pool_alloc(struct pool *pool, size_t size); /* zeroed, aligned for any type */
char *pool_strdup(struct pool *pool, const char *text);
char *pool_strndup(struct pool *pool, const char *text, size_t len);
char *pool_printf(struct pool *pool, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
