#include "lib/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/err.h"
#include "lib/base/pool.h"

static void test_str__empty_is_a_string(void **state)
{
	(void)state;
	struct str s = STR_INIT;
	assert_string_equal(s.s, "");
	str_add(&s, NULL, 0);
	str_clear(&s);
	str_free(&s);
	char *taken = str_take(&s);
	assert_string_equal(taken, "");
	free(taken);
}

static void test_str__grows_and_keeps_nul_bytes(void **state)
{
	(void)state;
	struct str s = STR_INIT;
	for (int i = 0; i < 10000; i++)
		str_add(&s, "a\0", 2);
	assert_int_equal(s.len, 20000);
	assert_int_equal(s.s[s.len], 0);
	assert_int_equal(s.s[19998], 'a');
	str_cut(&s, 1);
	assert_string_equal(s.s, "a");
	str_cut(&s, 5); /* longer than it is: nothing happens */
	assert_int_equal(s.len, 1);
	str_free(&s);
	assert_string_equal(s.s, "");
}

static void test_str__printf_of_any_length(void **state)
{
	(void)state;
	struct str s = STR_INIT, long_text = STR_INIT;
	for (int i = 0; i < 300; i++)
		str_addc(&long_text, 'x');
	str_printf(&s, "%s-%d-%s", "a", 7, long_text.s);
	assert_int_equal(s.len, 304);
	assert_int_equal(strlen(s.s), 304);
	assert_memory_equal(s.s, "a-7-x", 5);
	char *taken = str_take(&s);
	assert_int_equal(strlen(taken), 304);
	assert_int_equal(s.len, 0);
	free(taken);
	str_free(&long_text);
}

static void test_str__prefix_and_suffix(void **state)
{
	(void)state;
	assert_true(str_has_prefix("credential:x", "credential:"));
	assert_false(str_has_prefix("cred", "credential:"));
	assert_true(str_has_suffix("a.csv", ".csv"));
	assert_false(str_has_suffix("csv", ".csv"));
	assert_true(str_has_suffix("a", ""));
}

static void test_str__lists(void **state)
{
	(void)state;
	struct strlist list = {0};
	strlist_sort(&list);
	for (int i = 0; i < 20; i++) {
		char name[3] = {(char)('t' - i), 'x', 0};
		strlist_add(&list, name);
	}
	strlist_addn(&list, "abcdef", 1);
	assert_int_equal(list.count, 21);
	assert_null(list.item[21]);
	strlist_sort(&list);
	assert_string_equal(list.item[0], "a");
	assert_string_equal(list.item[20], "tx");
	assert_true(strlist_has(&list, "kx"));
	assert_false(strlist_has(&list, "k"));
	strlist_free(&list);
	assert_int_equal(list.count, 0);
	assert_false(strlist_has(&list, "a"));
}

static void test_str__pool(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	char *first = pool_strdup(pool, "一");
	for (size_t size = 1; size < 100000; size *= 3) {
		char *p = pool_alloc(pool, size);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xAA, size);
	}
	assert_string_equal(first, "一");
	assert_string_equal(pool_printf(pool, "%d-%s", 5, "x"), "5-x");
	assert_string_equal(pool_strndup(pool, "abc", 2), "ab");
	pool_reset(pool);
	char *again = pool_alloc(pool, 64);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(again[i], 0);
	pool_free(&pool);
	assert_null(pool);
}

static void test_str__errors_end_between_characters(void **state)
{
	(void)state;
	struct err err;
	struct str s = STR_INIT;
	for (int i = 0; i < 600; i++)
		str_addz(&s, "あ");
	assert_int_equal(err_set(&err, RC_STORE, "x%s", s.s), RC_STORE);
	assert_true(strlen(err.text) < sizeof err.text);
	assert_int_equal((strlen(err.text) - 1) % 3, 0);
	str_free(&s);

	(void)err_set(&err, RC_CONFIG, "unknown key");
	assert_int_equal(err_prefix(&err, "%s:%d", "a.conf", 3), RC_CONFIG);
	assert_string_equal(err.text, "a.conf:3: unknown key");
	assert_string_equal(rc_name(RC_SERVER), "server");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_str__empty_is_a_string),
		cmocka_unit_test(test_str__grows_and_keeps_nul_bytes),
		cmocka_unit_test(test_str__printf_of_any_length),
		cmocka_unit_test(test_str__prefix_and_suffix),
		cmocka_unit_test(test_str__lists),
		cmocka_unit_test(test_str__pool),
		cmocka_unit_test(test_str__errors_end_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
