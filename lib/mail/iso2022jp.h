/*
 * iso2022jp.h - writing ISO-2022-JP as RFC 1468 has it: ASCII and JIS X 0208 (1983), nothing else
 *
 * glibc's converter lets half-width kana through as raw escapes; this one refuses whatever a strict reader lacks (① ㈱ 髙 half-width
 * kana). 〜/～, －/−, ∥/‖, ¢£¬ are folded to what JIS X 0208 has. Every line ends in ASCII.
 */
#ifndef SENGEN_ISO2022JP_H
#define SENGEN_ISO2022JP_H

#include "lib/base/str.h"

void iso2022jp_preload(void); /* opens the converter */
/* false: *bad_offset is the first character that does not fit; out is as before. */
bool iso2022jp_from_utf8(struct str *out, const char *text, size_t len, size_t *bad_offset);

#endif
