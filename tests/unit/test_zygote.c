/* Zygotes sleep until the first child is wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "tests/unit/scratch.h"

static struct err err;

/* The only child of this process; 0: there is none. */
static pid_t only_child(void)
{
	char path[64];
	struct str text = STR_INIT;
	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
	assert_int_equal(file_read(&text, path, 4096, &err), RC_OK);
	pid_t pid = (pid_t)strtol(text.s, NULL, 10);
	str_free(&text);
	return pid;
}

static void assert_named(pid_t pid, const char *name)
{
	char path[64];
	struct str text = STR_INIT;
	(void)snprintf(path, sizeof path, "/proc/%ld/comm", (long)pid);
	assert_int_equal(file_read(&text, path, 64, &err), RC_OK);
	text.s[strcspn(text.s, "\n")] = '\0';
	assert_string_equal(text.s, name);
	str_free(&text);
}

static const char *map_file(const char *text)
{
	const char *path = scratch_path("fields.conf");
	assert_int_equal(file_write(path, text, strlen(text), 0600, &err), RC_OK);
	return path;
}
#define GOOD_MAP "config/form-fields.conf"
#define BAD_MAP "fields = ( { name = \"no_such_field\"; labels = [ \"番号\" ]; } );\n"

static void child_make(const struct zygote *zygote, enum child_kind kind, enum rc rc)
{
	int fd;
	assert_int_equal(zygote_child(zygote, kind, &fd, &err), rc);
	if (rc == RC_OK)
		(void)close(fd);
}

static void test_zygote__becomes_the_program_with_the_first_child(void **state)
{
	(void)state;
	struct zygote zygote;
	assert_int_equal(zygote_start_for(&zygote, CHILD_BIT(CHILD_FORM), NULL, &err), RC_OK);
	pid_t pid = only_child();
	assert_named(pid, "test_zygote");
	child_make(&zygote, CHILD_FORM, RC_OK);
	assert_int_equal(only_child(), pid);
	assert_named(pid, "sengen-reader");
	child_make(&zygote, CHILD_FORM, RC_OK);
	zygote_stop(&zygote);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void test_zygote__ends_with_its_role_in_its_sleep(void **state)
{
	(void)state;
	static const unsigned kinds[] = {CHILD_BIT(CHILD_MAIL), CHILD_BIT(CHILD_TRANSPORT)};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct zygote zygote;
		int status;
		assert_int_equal(zygote_start_for(&zygote, kinds[i], NULL, &err), RC_OK);
		pid_t pid = only_child();
		zygote_stop(&zygote);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	}
}

static void test_zygote__that_is_gone_is_told(void **state)
{
	(void)state;
	struct zygote zygote;
	assert_int_equal(zygote_start_for(&zygote, CHILD_READERS, NULL, &err), RC_OK);
	pid_t pid = only_child();
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	child_make(&zygote, CHILD_FORM, RC_CONFIG);
	assert_non_null(strstr(err.text, "sengen-reader"));
	zygote_stop(&zygote);
	err = (struct err){0};
}

/* Asleep the role looks at the map, awake the program; a bad one is refused either way and the old one stays in force. */
static void test_zygote__refuses_a_bad_map(void **state)
{
	(void)state;
	struct zygote zygote;
	assert_int_equal(zygote_start_for(&zygote, CHILD_READERS, map_file(BAD_MAP), &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "fields.conf"));
	assert_int_equal(zygote.reader, -1);
	while (waitpid(-1, NULL, 0) > 0) {
	}
	assert_int_equal(zygote_start_for(&zygote, CHILD_READERS, GOOD_MAP, &err), RC_OK);
	pid_t pid = only_child();
	for (int awake = 0; awake < 2; awake++) {
		assert_int_equal(zygote_reload(&zygote, scratch_path("none.conf"), &err), RC_REFUSED);
		assert_int_equal(zygote_reload(&zygote, map_file(BAD_MAP), &err), RC_CONFIG);
		assert_named(pid, awake ? "sengen-reader" : "test_zygote");
		assert_int_equal(zygote_reload(&zygote, GOOD_MAP, &err), RC_OK);
		child_make(&zygote, CHILD_FORM, RC_OK);
	}
	zygote_stop(&zygote);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	err = (struct err){0};
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zygote__becomes_the_program_with_the_first_child),
		cmocka_unit_test(test_zygote__ends_with_its_role_in_its_sleep),
		cmocka_unit_test(test_zygote__that_is_gone_is_told),
		cmocka_unit_test(test_zygote__refuses_a_bad_map),
	};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
