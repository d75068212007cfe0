/*
 * cell.h - a value in a CSV that is opened with a spreadsheet
 *
 * A formula must stay text, and numbers keep their zeros: cells beginning with = + - @ (also behind blanks, a tab or a line break, and in full width, as Japanese
 * programs take them), and what would be taken for a date or a number, get an apostrophe in front, which form_read() drops again. LibreOffice 7.4 reckons
 * only what begins with = itself; 法人番号 is written as T and 13 digits, telephone and postal code with hyphens.
 */
#ifndef SENGEN_CELL_H
#define SENGEN_CELL_H

#include "lib/base/str.h"

#define CELL_BOM "\xEF\xBB\xBF" /* by which Excel knows UTF-8 */

/* Would a spreadsheet take it for a formula? */
bool cell_is_formula(const char *text);
/* As it is, in quotes where a separator, quote or line break stands in it (RFC 4180 section 2). */
void cell_quote(struct str *out, const char *text);
/* field: enum form_field; anything else: no field of the form. */
void cell_add(struct str *out, int field, const char *cell);

#endif
