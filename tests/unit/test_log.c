#include "lib/base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Standard error goes into a pipe while one event is logged. */
static const char *logged(enum log_level least, enum log_level level, const char *event, const char *value)
{
	static char line[1024];
	int ends[2], saved = dup(STDERR_FILENO);
	assert_true(saved >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	log_open("sengend[test]", least);
	log_event(level, event, "reason=\"%s\"", value);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	(void)close(saved);
	(void)close(ends[1]);
	ssize_t len = read(ends[0], line, sizeof line - 1);
	(void)close(ends[0]);
	line[len > 0 ? len : 0] = '\0';
	return line;
}

static void test_log__one_line_an_event(void **state)
{
	(void)state;
	assert_string_equal(logged(LEVEL_NOTICE, LEVEL_NOTICE, "notice.sent", "ok"),
		"sengend[test]: notice: notice.sent reason=\"ok\"\n");
	assert_string_equal(
		logged(LEVEL_NOTICE, LEVEL_FAULT, "x.y", "a"), "sengend[test]: fault: x.y reason=\"a\"\n");
}

static void test_log__control_characters_can_not_forge_a_line(void **state)
{
	(void)state;
	assert_string_equal(logged(LEVEL_NOTICE, LEVEL_NOTICE, "x.y", "a\nsengend: broken: forged \x1B[2J"),
		"sengend[test]: notice: x.y reason=\"a\\nsengend: broken: forged \\x1b[2J\"\n");
}

static void test_log__less_important_lines_are_left_out(void **state)
{
	(void)state;
	assert_string_equal(logged(LEVEL_NOTICE, LEVEL_TRACE, "x.y", "a"), "");
	assert_string_equal(logged(LEVEL_FAULT, LEVEL_NOTICE, "x.y", "a"), "");
	assert_string_not_equal(logged(LEVEL_TRACE, LEVEL_TRACE, "x.y", "a"), "");
}

static void test_log__a_redirected_stream_is_not_the_journal(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	assert_string_equal(
		logged(LEVEL_NOTICE, LEVEL_NOTICE, "x.y", "a"), "sengend[test]: notice: x.y reason=\"a\"\n");
	assert_int_equal(unsetenv("JOURNAL_STREAM"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log__one_line_an_event),
		cmocka_unit_test(test_log__control_characters_can_not_forge_a_line),
		cmocka_unit_test(test_log__less_important_lines_are_left_out),
		cmocka_unit_test(test_log__a_redirected_stream_is_not_the_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
