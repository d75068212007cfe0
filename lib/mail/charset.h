/*
 * charset.h - bytes of a mail → UTF-8, whatever their label says
 *
 * What travels as ISO-2022-JP is CP50220/50221 (NEC and IBM extensions, half-width kana by ESC ( I); glibc has no such
 * converter, so a walker of our own feeds JIS rows to CP932. Labels are wrong or missing often enough that the bytes decide:
 * a declared charset is tried strictly first, then (8-bit) UTF-8, CP932 and EUC-JP by validity and likelihood.
 */
#ifndef SENGEN_CHARSET_H
#define SENGEN_CHARSET_H

#include <stdbool.h>

#include "lib/base/str.h"

void charset_preload(void); /* opens every converter: before file access is given up */

/* label: as declared, any case; NULL or "": none. Always succeeds: bytes that have no reading become U+FFFD. Returns their number.
 * *used (may be NULL): the charset that was taken, static ("UTF-8", "ISO-2022-JP", "CP932", "EUC-JP", …). */
size_t charset_decode(struct str *out, const char *bytes, size_t len, const char *label, const char **used);

/* RFC 2047 header text → UTF-8: encoded words joined as bytes before decoding where a mailer cut inside a character, raw 8-bit and raw
 * ISO-2022-JP accepted, unknown words left as they are; folding undone, control characters made blanks. True when a line end
 * or NUL was among them: somebody hid fields in an encoded word. */
bool header_decode(struct str *out, const char *bytes, size_t len);

#endif
