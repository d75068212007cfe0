/* The command line that others see of a process, written over the one it was started with. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/title.h"

#define SEEN_MAX 4096 /* the kernel shows a page of it */

static size_t seen(char out[SEEN_MAX])
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	ssize_t len = read(fd, out, SEEN_MAX);
	(void)close(fd);
	assert_true(len > 0);
	return (size_t)len;
}

static void test_title__is_what_others_see(void **state)
{
	(void)state;
	static const char *const titles[] = {"sengend -c /etc/sengen/sengend.conf intake",
		"sengend -c /a/place/much/longer/than/the/command/line/of/this/test/was/when/it/began "
		"scheduler",
		"x"};
	for (size_t i = 0; i < sizeof titles / sizeof *titles; i++) {
		char out[SEEN_MAX];
		title_set(titles[i]);
		assert_int_equal(seen(out), strlen(titles[i]) + 1);
		assert_string_equal(out, titles[i]);
	}
}

static void test_title__keeps_the_environment(void **state)
{
	(void)state;
	char path[SEEN_MAX];
	(void)snprintf(path, sizeof path, "%s", getenv("PATH"));
	assert_true(setenv("TITLE_TEST", "set later", 1) == 0);
	title_set("a title that reaches over all of the arguments and some of what stands behind them in "
		  "memory");
	assert_string_equal(getenv("PATH"), path);
	assert_string_equal(getenv("TITLE_TEST"), "set later");
}

static void test_title__is_cut_where_there_is_no_room(void **state)
{
	(void)state;
	static char longest[1024 * 1024];
	char out[SEEN_MAX];
	memset(longest, 'a', sizeof longest - 1);
	title_set(longest);
	size_t len = seen(out);
	assert_true(len > 0 && len <= SEEN_MAX);
	for (size_t i = 0; i + 1 < len; i++)
		assert_int_equal(out[i], 'a');
	title_set("short again");
	assert_int_equal(seen(out), sizeof "short again");
}

int main(int argc, char **argv)
{
	title_keep(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_title__is_what_others_see),
		cmocka_unit_test(test_title__keeps_the_environment),
		cmocka_unit_test(test_title__is_cut_where_there_is_no_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
