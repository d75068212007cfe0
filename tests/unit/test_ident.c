#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/text.h"
#include "lib/flow/ident.h"

static void test_ident__draw_has_prefix_and_length(void **ctx)
{
	static const struct {
		int prefix, digits;
		int64_t low, high;
	} cases[] = {
		{4, 11, 40000000000, 49999999999},
		{5, 11, 50000000000, 59999999999},
		{4, 10, 4000000000, 4999999999},
		{9, 10, 9000000000, 9999999999},
	};
	struct rng rng = rng_seeded(1);

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t least = INT64_MAX, most = 0;

		for (int n = 0; n < 500; n++) {
			int64_t number = ident_draw(&rng, cases[i].prefix, cases[i].digits);

			assert_true(number >= cases[i].low && number <= cases[i].high);
			least = number < least ? number : least;
			most = number > most ? number : most;
		}
		/* Spread over the range, not counted up. */
		assert_true(most - least > (cases[i].high - cases[i].low) / 2);
	}
}

static void test_ident__draw_follows_the_source(void **ctx)
{
	struct rng one = rng_seeded(7), same = rng_seeded(7), other = rng_seeded(8);
	int64_t number = ident_draw(&one, 4, 11);

	(void)ctx;
	assert_true(number == ident_draw(&same, 4, 11));
	assert_true(number != ident_draw(&other, 4, 11));
	assert_true(number != ident_draw(&one, 4, 11));
}

static void test_ident__read_alone(void **ctx)
{
	static const struct {
		const char *text;
		int64_t declaration, user;
	} cases[] = {
		{"41234567890", 41234567890, 0},
		{"4999999999", 4999999999, 0},
		{"51234567890", 51234567890, 0},
		{"9035489508", 0, 9035489508},
		{"90354895081", 0, 90354895081},
		{"４１２３４５６７８９０", 41234567890, 0},
		{"  412-3456-7890 ", 41234567890, 0},
		{"　4123 4567 890　", 41234567890, 0},
		{"9035 489 508", 0, 9035489508},
		{"", 0, 0},
		{"412345678", 0, 0}, /* 9 digits */
		{"412345678901", 0, 0}, /* 12 */
		{"4011001098993", 0, 0}, /* 法人番号 */
		{"T4011001098993", 0, 0},
		{"01234567890", 0, 0}, /* telephone */
		{"0312345678", 0, 0},
		{"61234567890", 0, 0},
		{"ID41234567890", 0, 0}, /* not alone */
		{"4123456789O", 0, 0}, /* a letter O */
		{"4.1234567E+10", 0, 0},
		{"41234567890 49876543210", 0, 0},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (ident_read_declaration(cases[i].text) != cases[i].declaration ||
			ident_read_user(cases[i].text) != cases[i].user)
			fail_msg("\"%s\" was read wrongly", cases[i].text);
	}
}

static void test_ident__masked(void **ctx)
{
	static const struct {
		int64_t number;
		const char *masked;
	} cases[] = {
		{9035489508, "9•••••••08"},
		{90354895081, "9••••••••81"},
		{0, ""},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct str out = STR_INIT;

		ident_print_masked(&out, cases[i].number);
		assert_string_equal(out.s, cases[i].masked);
		str_free(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ident__draw_has_prefix_and_length),
		cmocka_unit_test(test_ident__draw_follows_the_source),
		cmocka_unit_test(test_ident__read_alone),
		cmocka_unit_test(test_ident__masked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
