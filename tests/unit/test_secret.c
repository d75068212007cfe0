#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"
#include "tests/unit/memory_look.h"
#include "tests/unit/scratch.h"

#include <sys/socket.h>

static void put(const char *name, const void *bytes, size_t len, mode_t mode)
{
	struct err err = {0};
	assert_int_equal(file_write(scratch_path(name), bytes, len, mode, &err), RC_OK);
	assert_int_equal(chmod(scratch_path(name), mode), 0);
}

static void test_secret__read_from_a_file(void **state)
{
	(void)state;
	static const struct {
		const char *content;
		size_t len;
		const char *expect;
	} cases[] = {
		{"geheim \r\n", 9, "geheim "},
		{"geheim\n\n", 8, "geheim\n"},
		{"geheim", 6, "geheim"},
		{"\n", 1, ""},
		{"", 0, ""},
	};
	struct err err = {0};
	struct secret secret = SECRET_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		put("pw", cases[i].content, cases[i].len, 0640);
		assert_int_equal(secret_read(&secret, scratch_path("pw"), &err), RC_OK);
		assert_string_equal(secret.bytes, cases[i].expect);
		assert_int_equal(secret.len, strlen(cases[i].expect));
	}
	secret_free(&secret);
	assert_string_equal(secret.bytes, "");
	secret_free(&secret);
}

static void test_secret__files_that_are_refused(void **state)
{
	(void)state;
	static char large[SECRET_MAX + 1];
	struct err err = {0};
	struct secret secret = SECRET_INIT;
	put("pw", "geheim", 6, 0644);
	assert_int_equal(secret_read(&secret, scratch_path("pw"), &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "chmod o="));
	assert_null(strstr(err.text, "geheim"));
	put("pw", "geheim", 6, 0602);
	assert_int_equal(secret_read(&secret, scratch_path("pw"), &err), RC_CONFIG);
	put("large", large, sizeof large, 0600);
	assert_int_equal(secret_read(&secret, scratch_path("large"), &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "more than 65536 bytes"));
	assert_int_equal(secret_read(&secret, scratch_path("none"), &err), RC_CONFIG);
	assert_int_equal(chmod(scratch_path("."), 0700), 0);
	assert_int_equal(secret_read(&secret, scratch_path("."), &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "not a regular file"));
	assert_int_equal(mkfifo(scratch_path("fifo"), 0600), 0);
	assert_int_equal(secret_read(&secret, scratch_path("fifo"), &err), RC_CONFIG);
	assert_int_equal(secret.size, 0);
}

/* systemd hands credentials over in a directory of its own; their mode is its affair. */
static void test_secret__read_from_a_credential(void **state)
{
	(void)state;
	struct err err = {0};
	struct secret secret = SECRET_INIT;
	put("pw", "geheim\n", 7, 0644);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", scratch_path("."), 1), 0);
	assert_int_equal(secret_read(&secret, "credential:pw", &err), RC_OK);
	assert_string_equal(secret.bytes, "geheim");
	static const char *const bad[] = {
		"credential:none", "credential:../pw", "credential:", "credential:.pw"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(secret_read(&secret, bad[i], &err), RC_CONFIG);
		assert_int_equal(secret.size, 0);
	}
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_int_equal(secret_read(&secret, "credential:pw", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "LoadCredential=pw"));
}

static void test_secret__locked_and_in_no_core_file(void **state)
{
	(void)state;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, "geheim", 6);
	struct memory_at at;
	assert_true(memory_flags(getpid(), (uintptr_t)secret.bytes, &at));
#ifndef __SANITIZE_ADDRESS__ /* whose mlock() does nothing */
	assert_true(at.locked);
#endif
	assert_true(at.dont_dump);
	/* On both sides of it nothing may be touched. */
	struct memory_at beside;
	assert_true(memory_flags(getpid(), at.from - 1, &beside));
	assert_false(beside.readable);
	assert_true(memory_flags(getpid(), at.to, &beside));
	assert_false(beside.readable);
	secret_free(&secret);
	assert_false(memory_flags(getpid(), at.from, &beside));
}

static void test_secret__cut_and_replaced(void **state)
{
	(void)state;
	struct secret secret = SECRET_INIT;
	secret_set(&secret, "first-password", 14);
	secret_cut(&secret, 5);
	assert_memory_equal(secret.bytes, "first\0\0\0\0\0\0\0\0\0", 14);
	secret_cut(&secret, 9);
	assert_int_equal(secret.len, 5);
	secret_set(&secret, "x", 1);
	assert_string_equal(secret.bytes, "x");
	memcpy(secret_room(&secret, 3), "abc", 3);
	assert_string_equal(secret.bytes, "abc");
	secret_free(&secret);
}

/* It is kept all the same. Root may lock what it wants: the child gives that up. */
static void test_secret__no_right_to_lock(void **state)
{
	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit none = {0};
		struct memory_at at;
		struct secret secret = SECRET_INIT;
		if (setrlimit(RLIMIT_MEMLOCK, &none) != 0 || (geteuid() == 0 && setuid(65534) != 0))
			_exit(2);
		secret_set(&secret, "geheim", 6);
		bool good = strcmp(secret.bytes, "geheim") == 0 &&
			    memory_flags(getpid(), (uintptr_t)secret.bytes, &at) && !at.locked &&
			    at.dont_dump;
		_exit(good ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_secret__through_a_socket_pair(void **state)
{
	(void)state;
	int pair[2];
	struct secret in = SECRET_INIT, out = SECRET_INIT;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	secret_set(&in, "ge\0heim", 7);
	assert_true(wire_send_secret(pair[0], &in));
	assert_true(wire_send_secret(pair[0], NULL));
	assert_true(wire_receive_secret(pair[1], &out));
	assert_int_equal(out.len, 7);
	assert_memory_equal(out.bytes, "ge\0heim", 8);
	assert_true(wire_receive_secret(pair[1], &out));
	assert_int_equal(out.len, 0);
	assert_true(wire_send(pair[0], WIRE_MAIL, "x", 1));
	assert_false(wire_receive_secret(pair[1], &out));
	char drained;
	assert_int_equal(read(pair[1], &drained, 1), 1);
	assert_int_equal(write(pair[0], "\0\0\0\5\34ab", 7), 7); /* cut short */
	assert_int_equal(close(pair[0]), 0);
	assert_false(wire_receive_secret(pair[1], &out));
	assert_int_equal(close(pair[1]), 0);
	secret_free(&in);
	secret_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_secret__read_from_a_file),
		cmocka_unit_test(test_secret__files_that_are_refused),
		cmocka_unit_test(test_secret__read_from_a_credential),
		cmocka_unit_test(test_secret__locked_and_in_no_core_file),
		cmocka_unit_test(test_secret__cut_and_replaced),
		cmocka_unit_test(test_secret__no_right_to_lock),
		cmocka_unit_test(test_secret__through_a_socket_pair),
	};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
