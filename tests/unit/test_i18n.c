#include "lib/base/i18n.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_i18n__staff_read_japanese_and_then_all_is_as_before(void **state)
{
	struct i18n_staff staff;
	(void)state;
	(void)setlocale(LC_ALL, "C");
	(void)unsetenv("LANGUAGE");
	assert_false(i18n_japanese());
	for (int i = 0; i < 3; i++) {
		i18n_staff_begin(&staff);
		assert_true(i18n_japanese());
		i18n_staff_end(&staff);
		assert_false(i18n_japanese());
		assert_null(getenv("LANGUAGE"));
		assert_string_equal(setlocale(LC_MESSAGES, NULL), "C");
	}
}

static void test_i18n__a_language_that_was_wanted_is_kept(void **state)
{
	struct i18n_staff staff;
	(void)state;
	(void)setlocale(LC_ALL, "C.UTF-8");
	(void)setenv("LANGUAGE", "de", 1);
	i18n_staff_begin(&staff);
	assert_true(i18n_japanese());
	i18n_staff_end(&staff);
	assert_string_equal(getenv("LANGUAGE"), "de");
	assert_false(i18n_japanese());
	(void)setenv("LANGUAGE", "ja", 1);
	i18n_staff_begin(&staff);
	i18n_staff_end(&staff);
	assert_string_equal(getenv("LANGUAGE"), "ja");
	(void)setlocale(LC_ALL, "C");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_i18n__staff_read_japanese_and_then_all_is_as_before),
		cmocka_unit_test(test_i18n__a_language_that_was_wanted_is_kept),
	};
	return cmocka_run_group_tests_name("i18n", tests, NULL, NULL);
}
