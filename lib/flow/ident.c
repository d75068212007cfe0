#include "lib/flow/ident.h"

#include <string.h>

#include "lib/base/text.h"

#define IDENT_DIGITS_MIN 10
#define IDENT_DIGITS_MAX 11

int64_t ident_draw(struct rng *rng, int prefix, int digits)
{
	int64_t scale = 1;

	for (int i = 1; i < digits; i++)
		scale *= 10;
	return prefix * scale + (int64_t)rng_below(rng, (uint64_t)scale);
}

/* The kind of number a run of digits is by its length and first digit; 0: neither. */
static int run_kind(const char *run, size_t len)
{
	if (len < IDENT_DIGITS_MIN || len > IDENT_DIGITS_MAX)
		return 0;
	if (run[0] == '4' || run[0] == '5')
		return IDENT_DECLARATION;
	return run[0] == '9' ? IDENT_USER : 0;
}

static int64_t run_value(const char *run, size_t len)
{
	int64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value * 10 + (run[i] - '0');
	return value;
}

static int64_t read_alone(const char *text, enum ident_kind kind)
{
	struct str digits = STR_INIT;
	int64_t value = 0;

	if (text_digits(&digits, text) && run_kind(digits.s, digits.len) == (int)kind)
		value = run_value(digits.s, digits.len);
	str_free(&digits);
	return value;
}

int64_t ident_read_declaration(const char *text)
{
	return read_alone(text, IDENT_DECLARATION);
}

int64_t ident_read_user(const char *text)
{
	return read_alone(text, IDENT_USER);
}

void ident_print_masked(struct str *out, int64_t user_number)
{
	struct str digits = STR_INIT;

	if (user_number <= 0)
		return;
	str_printf(&digits, "%lld", (long long)user_number);
	for (size_t i = 0; i < digits.len; i++) {
		if (i == 0 || i + 2 >= digits.len)
			str_addc(out, digits.s[i]);
		else
			str_addz(out, "•");
	}
	str_wipe(&digits);
}
