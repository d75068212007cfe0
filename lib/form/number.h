/*
 * number.h - the numbers of the form: how they are written
 */
#ifndef SENGEN_NUMBER_H
#define SENGEN_NUMBER_H

#include <stdbool.h>

#include "lib/base/str.h"

/* 法人番号: exactly 13 digits with the right check digit (ordinance on 法人番号, art. 2). */
bool corporate_number_valid(const char *digits);
/* 7 digits → 123-4567. */
void postal_code_print(struct str *out, const char *digits);
/* 10 or 11 digits with hyphens. Where the area code ends is a table of the 総務省; the common cases are known here, another
 * 10-digit number is parted 3-3-4. */
void telephone_print(struct str *out, const char *digits);

#endif
