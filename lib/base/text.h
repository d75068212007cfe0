/*
 * text.h - Japanese text: charsets, width, comparison keys
 *
 * Everything inside the program is UTF-8. Text from outside is decoded once, at the door.
 */
#ifndef SENGEN_TEXT_H
#define SENGEN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

bool utf8_valid(const char *bytes, size_t len); /* strict: no surrogates, overlongs, > U+10FFFF */
/* Decodes one character; returns its length in bytes, 0 at the end or on an invalid sequence. */
size_t utf8_next(const char *bytes, size_t len, uint32_t *c);
/* How many bytes of the usual stand first: whole characters out of U+3000 to 303F, kana, kanji up to U+9FBF, and printable ASCII (digits, + and : only if `numbers`).
 * None of them is a control character, a line break, unassigned, or a digit that is not ASCII: whoever looks for these need not look at each character. */
size_t utf8_usual(const char *bytes, size_t len, bool numbers);
void utf8_add(struct str *out, uint32_t c);
size_t utf8_chars(const char *text); /* number of characters of valid UTF-8 */

/* Opens the converters that text_from_cp932() and text_to_cp932() need. A process that will give up file
 * access calls it first (iconv_open reads files); otherwise they are opened at first use. */
void text_preload(void);
/* CP932 (what Windows calls Shift_JIS). Returns false at the first byte/character that has no counterpart and
 * stores its offset; out then holds what came before. U+FF5E/U+301C, U+FF0D/U+2212 and their like are folded
 * to what CP932 knows when writing. */
bool text_from_cp932(struct str *out, const char *bytes, size_t len, size_t *bad_offset);
bool text_to_cp932(struct str *out, const char *text, size_t len, size_t *bad_offset);

/* NFKC: full-width letters and digits narrow, half-width kana wide, ㈱ → (株). Invalid UTF-8 is copied. */
void text_nfkc(struct str *out, const char *text);

/* What a person would call the same value, typed differently: NFKC, 〜/～, hyphen-like characters (ー only
 * between digits), white space (also U+3000) trimmed and runs made one blank. For choices and numbers. */
void text_fold(struct str *out, const char *text);

/* The key under which names are compared and searched: text_fold(), lower case, all white space and
 * variation selectors dropped, short company forms written out ((株) ㈱ → 株式会社, (有) → 有限会社, NPO法人 → 特定非営利活動法人 …),
 * old glyphs (髙 﨑 德 濵 栁 齋 …) made the usual ones.
 * A weak equality: two different names can share a key. */
void text_key(struct str *out, const char *text);
bool text_same_key(const char *a, const char *b);
/* The key of searching, weaker still: hiragana as katakana, small kana as large ones, ー, 々 and dots left out or written out, ヴァ as バ, further glyphs of one name as
 * one (斎 齋 斉, 﨑 嵜). Never kept but in the search tables, which are made anew when it changes. Nothing below a blank comes out. */
void text_search_key(struct str *out, const char *text);

/* What text_key() goes by, for a page that must make the same keys: pairs of an old glyph and the usual one; short forms and what they are written out as, compared in
 * this order. */
extern const char text_glyph_pairs[];
extern const char *const text_company_forms[][2];
extern const size_t text_company_form_count;

/* Removes Unicode white space at both ends, in place; returns text. */
char *text_trim(char *text);
/* Keeps only ASCII digits after folding width; false when anything but digits, blanks, hyphens and what shows nothing stood
 * there. */
bool text_digits(struct str *out, const char *text);

bool text_is_control(uint32_t c); /* C0, DEL, C1, U+2028/2029, bidi controls */
bool text_has_control(const char *text); /* one of these, or invalid UTF-8 */
bool text_has_url(const char *text); /* http(s)://, www., or a bare domain with a path, in any width */

/* For a terminal: control characters and escapes become visible and harmless. */
void text_add_printable(struct str *out, const char *text);
/* Columns on a terminal (East Asian wide = 2). */
size_t text_columns(const char *text);

#endif
