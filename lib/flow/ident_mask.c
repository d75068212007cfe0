/* User numbers are credentials: what applicants wrote is shown without them. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/flow/ident.h"

/* A user number is 9 and 9 or 10 digits more, as the scheme writes it or grouped: 9035489508, ９０３５…, 903-548-9508. */
#define DIGITS_LEAST 10
#define DIGITS_MOST 11

/* -1: no digit. */
static int digit_of(uint32_t c)
{
	if (c >= '0' && c <= '9')
		return (int)(c - '0');
	return c >= 0xff10 && c <= 0xff19 ? (int)(c - 0xff10) : -1;
}

/* What people put between groups of digits: blanks and hyphens, in any width. */
static bool is_separator(uint32_t c)
{
	static const uint32_t separators[] = {' ', '-', 0xa0, 0x2010, 0x2011, 0x2012, 0x2013, 0x2014, 0x2015,
		0x2212, 0x3000, 0x30fc, 0xff0d};
	for (size_t i = 0; i < sizeof separators / sizeof *separators; i++)
		if (separators[i] == c)
			return true;
	return false;
}

/* Digits without a break from `at` on; their length in bytes, and how many. */
static size_t run_at(const char *text, size_t len, char *digits, size_t *count)
{
	size_t at = 0, size;
	uint32_t c;
	*count = 0;
	while ((size = utf8_next(text + at, len - at, &c)) != 0 && digit_of(c) >= 0) {
		if (*count < DIGITS_MOST)
			digits[*count] = (char)('0' + digit_of(c));
		++*count;
		at += size;
	}
	return at;
}

/* How many bytes from text on are a user number, whose digits are stored; 0: none begins there. */
static size_t user_number_at(const char *text, size_t len, char digits[DIGITS_MOST + 1])
{
	size_t count, more, at = run_at(text, len, digits, &count);
	while (count > 0 && count < DIGITS_LEAST) {
		char group[DIGITS_MOST];
		uint32_t c;
		size_t size = utf8_next(text + at, len - at, &c);
		if (size == 0 || !is_separator(c))
			break;
		size_t run = run_at(text + at + size, len - at - size, group, &more);
		if (more == 0 || count + more > DIGITS_MOST)
			break;
		memcpy(digits + count, group, more);
		count += more;
		at += size + run;
	}
	digits[count <= DIGITS_MOST ? count : 0] = '\0';
	return digits[0] == '9' && count >= DIGITS_LEAST && count <= DIGITS_MOST ? at : 0;
}

/* Hexadecimal digits without a break, as many as a digest has: the decimal ones among them are nobody's number. 0: none stands there. */
static size_t digest_at(const char *text)
{
	size_t len = strspn(text, "0123456789abcdefABCDEF");
	return len >= 32 ? len : 0;
}

void ident_mask(struct str *out, const char *text)
{
	char digits[DIGITS_MOST + 1];
	const size_t len = text ? strlen(text) : 0;
	for (size_t at = 0, size; at < len; at += size) {
		uint32_t c;
		size = digest_at(text + at);
		if (size) {
			str_add(out, text + at, size);
			continue;
		}
		size = utf8_next(text + at, len - at, &c);
		size_t number = size ? user_number_at(text + at, len - at, digits) : 0;
		if (number) {
			ident_print_masked(out, strtoll(digits, NULL, 10));
			size = number;
			continue;
		}
		/* The rest of a run that is none stays together: a number does not begin in the middle of one. */
		size_t count, run = run_at(text + at, len - at, digits, &count);
		size = run ? run : size ? size : 1;
		str_add(out, text + at, size);
	}
}
