/*
 * ident.h - declaration IDs and user numbers
 *
 * A declaration ID begins with 4 (5 from April 2026) and has 11 digits, a user number begins with 9 and has 10; both are
 * profile configuration. Numbers are random, unique in the register and never used twice. Input accepts 10 or 11 digits
 * with the right prefix, bounded by non-digits: a 13-digit 法人番号 can contain one.
 */
#ifndef SENGEN_IDENT_H
#define SENGEN_IDENT_H

#include "lib/base/rng.h"
#include "lib/register.h"

enum ident_kind { IDENT_DECLARATION = 1, IDENT_USER = 2 };

/* A random number with that leading digit and so many digits in all. Uniqueness is the register's to check. */
int64_t ident_draw(struct rng *rng, int prefix, int digits);

/* A value that is nothing but a number (width folded; blanks and hyphens inside allowed): 0 when it is no declaration ID (10-11
 * digits, 4 or 5 first) / user number (10-11 digits, 9 first). */
int64_t ident_read_declaration(const char *text);
int64_t ident_read_user(const char *text);

/* 9035489508 → 9•••••••08 */
void ident_print_masked(struct str *out, int64_t user_number);
/* What somebody wrote, with every user number in it masked so, in any width and grouping; NULL is "". */
void ident_mask(struct str *out, const char *text);

#endif
