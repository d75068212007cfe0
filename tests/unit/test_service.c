#include "lib/base/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A datagram socket under that name, a path or "@name". */
static int hear(const char *name)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_true(fd >= 0);
	memcpy(at.sun_path, name, strlen(name));
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (const struct sockaddr *)&at,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))),
		0);
	return fd;
}

static const char *heard(int fd)
{
	static char text[65536];
	ssize_t len = recv(fd, text, sizeof text - 1, 0);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void test_service__tells_a_path_and_a_name_outside_the_file_system(void **state)
{
	(void)state;
	char dir[] = "/tmp/sengen-test.XXXXXX", name[2][64];
	assert_non_null(mkdtemp(dir));
	(void)snprintf(name[0], sizeof name[0], "%s/notify", dir);
	(void)snprintf(name[1], sizeof name[1], "@sengen-test/%ld", (long)getpid());
	for (int i = 0; i < 2; i++) {
		int fd = hear(name[i]);
		assert_int_equal(setenv("NOTIFY_SOCKET", name[i], 1), 0);
		service_notify("READY=1\nSTATUS=100%s done.");
		assert_string_equal(heard(fd), "READY=1\nSTATUS=100%s done.");
		service_notifyf("STATUS=%s %d", "Working", 3);
		assert_string_equal(heard(fd), "STATUS=Working 3");
		(void)close(fd);
		service_notify("STATUS=Nobody listens any more.");
	}
	assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
	service_notify("READY=1");
	assert_int_equal(unlink(name[0]), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void test_service__is_watched_when_the_environment_says_so_of_this_process(void **state)
{
	(void)state;
	char own[32];
	(void)snprintf(own, sizeof own, "%ld", (long)getpid());
	const struct {
		const char *usec, *pid;
		uint64_t expected;
	} cases[] = {
		{NULL, NULL, 0},
		{"3000000", NULL, 3000000},
		{"3000000", own, 3000000},
		{"3000000", "1", 0},
		{"3000000", "x", 0},
		{"", NULL, 0},
		{"-1", NULL, 0},
		{"3s", NULL, 0},
		{"99999999999999999999999", NULL, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		(void)unsetenv("WATCHDOG_USEC");
		(void)unsetenv("WATCHDOG_PID");
		if (cases[i].usec)
			assert_int_equal(setenv("WATCHDOG_USEC", cases[i].usec, 1), 0);
		if (cases[i].pid)
			assert_int_equal(setenv("WATCHDOG_PID", cases[i].pid, 1), 0);
		assert_int_equal(service_watchdog_usec(), cases[i].expected);
	}
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

static void test_service__an_event_keeps_its_fields_in_the_journal(void **state)
{
	(void)state;
	char name[64];
	const struct log_entry entry = {.program = "sengend[intake]",
		.event = "notice.sent",
		.line = "notice.sent id=1",
		.message_id = "00112233445566778899aabbccddeeff",
		.priority = 5};
	(void)snprintf(name, sizeof name, "@sengen-test/%ld", (long)getpid());
	assert_false(service_journal(name, &entry));
	int fd = hear(name);
	assert_true(service_journal(name, &entry));
	assert_string_equal(heard(fd),
		"MESSAGE=sengend[intake]: notice.sent id=1\nPRIORITY=5\nSYSLOG_IDENTIFIER=test_service\n"
		"SENGEN_EVENT=notice.sent\nSENGEN_PROGRAM=sengend[intake]\n"
		"MESSAGE_ID=00112233445566778899aabbccddeeff\n");
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_service__tells_a_path_and_a_name_outside_the_file_system),
		cmocka_unit_test(test_service__is_watched_when_the_environment_says_so_of_this_process),
		cmocka_unit_test(test_service__an_event_keeps_its_fields_in_the_journal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
