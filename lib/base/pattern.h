/*
 * pattern.h - POSIX extended regular expressions that are matched as bytes, whatever the locale of the process
 *
 * PCRE2's matcher that keeps all states side by side is behind it: as POSIX wants, the longest of the leftmost matches is found, in time that does not explode;
 * what can't match at all is mostly told before, by the other one, whose steps are counted.
 * Nothing is built up while matching, so a process that was forked finds all it needs, and its own memory untouched.
 *
 * A character of several bytes in front of ? * + { counts as one, but a dot is a byte, a third of a character, and bracket expressions of such
 * characters do not work: write (年|月). No back references, no classes such as [:alpha:], no braces but {n}, {n,} and {n,m}.
 */
#ifndef SENGEN_PATTERN_H
#define SENGEN_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

struct pattern;

/* NULL: it is broken, and why is appended to `why`. */
struct pattern *pattern_new(const char *expression, bool ignore_case, struct str *why);
void pattern_free(struct pattern **pattern);
/* The leftmost-longest match is text[*from, *to); from and to may be NULL. */
bool pattern_find(const struct pattern *pattern, const char *text, size_t *from, size_t *to);

/* Which pairs of bytes a text holds: what many patterns are tried on is looked through once. */
struct pattern_pairs {
	uint64_t bits[65536 / 64];
};
void pattern_pairs_of(struct pattern_pairs *pairs, const char *text);
/* False: the text lacks words without which the pattern can't match. True says nothing. */
bool pattern_may_match(const struct pattern *pattern, const struct pattern_pairs *pairs);

#endif
