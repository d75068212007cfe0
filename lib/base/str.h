/*
 * str.h - strings that grow, and lists of them
 *
 * `struct str` is always NUL-terminated at s[len] and may hold NUL bytes before. Initialise with
 * STR_INIT; str_free() releases and makes it empty again. Running out of memory ends the program.
 */
#ifndef SENGEN_STR_H
#define SENGEN_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct str {
	char *s; /* never NULL: points to a shared empty string until something is added */
	size_t len;
	size_t size; /* 0: s is not ours to free */
};

extern char str_empty[1];
#define STR_INIT                                                                                             \
	(struct str)                                                                                         \
	{                                                                                                    \
		.s = str_empty                                                                               \
	}

void str_free(struct str *str);
/* Wipes the bytes before releasing them (secrets). */
void str_wipe(struct str *str);
void str_clear(struct str *str); /* len 0, memory kept */
void str_grow(struct str *str, size_t extra);
void str_add(struct str *str, const void *bytes, size_t len);
void str_addz(struct str *str, const char *text);
void str_addc(struct str *str, char c);
void str_printf(struct str *str, const char *format, ...) __attribute__((format(printf, 2, 3)));
void str_vprintf(struct str *str, const char *format, va_list args);
void str_cut(struct str *str, size_t len); /* shorten to len */
/* Gives the heap string away; the caller frees it; str is empty afterwards. */
char *str_take(struct str *str);

/* malloc and friends that end the program when memory runs out; wipe() clears len bytes. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
void wipe(void *bytes, size_t len);

bool str_has_prefix(const char *text, const char *prefix);
bool str_has_suffix(const char *text, const char *suffix);

/* A list of heap strings. */
struct strlist {
	char **item; /* owned; item[count] is NULL */
	size_t count;
	size_t size;
};

void strlist_add(struct strlist *list, const char *text);
void strlist_addn(struct strlist *list, const char *text, size_t len);
void strlist_sort(struct strlist *list); /* byte order */
bool strlist_has(const struct strlist *list, const char *text);
void strlist_free(struct strlist *list);

#endif
