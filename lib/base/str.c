#include "lib/base/str.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

char str_empty[1];

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p)
		die("out of memory (%zu bytes)", size);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p)
		die("out of memory (%zu x %zu bytes)", count, size);
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);
	if (!p)
		die("out of memory (%zu bytes)", size);
	return p;
}

char *xstrndup(const char *text, size_t len)
{
	char *p = xmalloc(len + 1);
	memcpy(p, text, len);
	p[len] = '\0';
	return p;
}

char *xstrdup(const char *text)
{
	return xstrndup(text, strlen(text));
}

void wipe(void *bytes, size_t len)
{
	if (len)
		explicit_bzero(bytes, len);
}

void str_free(struct str *str)
{
	if (str->size)
		free(str->s);
	*str = STR_INIT;
}

void str_wipe(struct str *str)
{
	if (str->size)
		wipe(str->s, str->size);
	str_free(str);
}

void str_clear(struct str *str)
{
	str_cut(str, 0);
}

void str_cut(struct str *str, size_t len)
{
	if (str->size && len <= str->len) {
		str->len = len;
		str->s[len] = '\0';
	}
}

void str_grow(struct str *str, size_t extra)
{
	if (extra > SIZE_MAX / 2 - str->len)
		die("a string grew beyond all bounds");
	size_t want = str->len + extra + 1;
	if (want <= str->size)
		return;
	size_t size = str->size ? str->size : 64;
	while (size < want)
		size += size / 2 + 16;
	if (str->size) {
		str->s = xrealloc(str->s, size);
	} else {
		str->s = xmalloc(size);
		str->s[0] = '\0';
	}
	str->size = size;
}

void str_add(struct str *str, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	str_grow(str, len);
	memcpy(str->s + str->len, bytes, len);
	str->len += len;
	str->s[str->len] = '\0';
}

void str_addz(struct str *str, const char *text)
{
	str_add(str, text, strlen(text));
}

void str_addc(struct str *str, char c)
{
	str_add(str, &c, 1);
}

void str_vprintf(struct str *str, const char *format, va_list args)
{
	va_list again;
	va_copy(again, args);
	str_grow(str, 80);
	int need = vsnprintf(str->s + str->len, str->size - str->len, format, args);
	if (need < 0)
		die("broken format: %s", format);
	if ((size_t)need >= str->size - str->len) {
		str_grow(str, (size_t)need);
		(void)vsnprintf(str->s + str->len, str->size - str->len, format, again);
	}
	va_end(again);
	str->len += (size_t)need;
}

void str_printf(struct str *str, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	str_vprintf(str, format, args);
	va_end(args);
}

char *str_take(struct str *str)
{
	char *s = str->size ? str->s : xstrdup("");
	*str = STR_INIT;
	return s;
}

bool str_has_prefix(const char *text, const char *prefix)
{
	/* Asked at each place of a text, for dozens of words: mostly the first bytes tell. */
	while (*prefix && *text == *prefix) {
		text++;
		prefix++;
	}
	return !*prefix;
}

bool str_has_suffix(const char *text, const char *suffix)
{
	size_t text_len = strlen(text), suffix_len = strlen(suffix);
	return text_len >= suffix_len && memcmp(text + text_len - suffix_len, suffix, suffix_len) == 0;
}

void strlist_addn(struct strlist *list, const char *text, size_t len)
{
	if (list->count + 1 >= list->size) {
		list->size = list->size ? list->size * 2 : 8;
		list->item = xrealloc(list->item, list->size * sizeof *list->item);
	}
	list->item[list->count++] = xstrndup(text, len);
	list->item[list->count] = NULL;
}

void strlist_add(struct strlist *list, const char *text)
{
	strlist_addn(list, text, strlen(text));
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strlist_sort(struct strlist *list)
{
	if (list->count > 1)
		qsort(list->item, list->count, sizeof *list->item, by_bytes);
}

bool strlist_has(const struct strlist *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->item[i], text) == 0)
			return true;
	return false;
}

void strlist_free(struct strlist *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->item[i]);
	free(list->item);
	*list = (struct strlist){0};
}
