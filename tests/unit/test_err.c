#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libintl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/err.h"

/* glibc's own sentences follow LANGUAGE; ours are English, also where a Japanese catalogue of libc is installed. */
static void test_err__errno_stays_english(void **state)
{
	(void)state;
	assert_int_equal(setenv("LANGUAGE", "ja", 1), 0);
	(void)setlocale(LC_ALL, "C.UTF-8");
	assert_string_equal(errno_text(ENOENT), "No such file or directory");
	assert_string_equal(errno_text(EACCES), "Permission denied");
	assert_string_equal(errno_text(123456), "unknown error");
}

static void test_err__set_and_prefix(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(err_set(&err, RC_STORE, "the disk of %s is full", "spool"), RC_STORE);
	assert_int_equal(err_prefix(&err, "file %d", 7), RC_STORE);
	assert_string_equal(err.text, "file 7: the disk of spool is full");
}

/* A sentence that is too long ends with a whole character. */
static void test_err__cut_at_a_character(void **state)
{
	(void)state;
	struct err err = {0};
	char long_text[3000];
	size_t len = 0;
	while (len + 3 < sizeof long_text) {
		memcpy(long_text + len, "あ", 3);
		len += 3;
	}
	long_text[len] = '\0';
	(void)err_set(&err, RC_CONFIG, "x%s", long_text);
	size_t got = strlen(err.text);
	assert_int_equal(got % 3, 1);
	assert_true(got > sizeof err.text - 5);
	assert_memory_equal(err.text + got - 3, "あ", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err__errno_stays_english),
		cmocka_unit_test(test_err__set_and_prefix),
		cmocka_unit_test(test_err__cut_at_a_character),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
