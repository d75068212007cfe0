/*
 * pattern.h - POSIX extended regular expressions that are matched as bytes, whatever the locale of the process
 *
 * The same text is matched the same way in the daemon (locale C) and in a command (UTF-8), and some hundred times faster than in a locale
 * of several bytes. A character of several bytes in front of ? * + { counts as one, but a dot is a byte, a third of a
 * character, and bracket expressions of such characters do not work: write (年|月).
 */
#ifndef SENGEN_PATTERN_H
#define SENGEN_PATTERN_H

#include <regex.h>

/* As regcomp(3); flags besides REG_EXTENDED. Sub-expressions are not numbered as they are written: use the whole match. */
int pattern_compile(regex_t *out, const char *pattern, int flags);

#endif
