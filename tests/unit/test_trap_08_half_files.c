/* T8: half files and lost events. A slow writer, a file made empty and filled later, one renamed over another, a mount that tells of nothing, ten thousand files at once. */
#include "daemon/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/civil.h"
#include "lib/base/log.h"
#include "tests/unit/scratch.h"

#define SETTLE 5
#define MANY 10000

static struct spool spool;
static struct err err;
static int64_t mono;
static utc_time seconds; /* passed since the test began */

static int open_spool(void **state)
{
	log_open("test", LEVEL_BROKEN);
	mono = 1000000;
	seconds = 0;
	if (scratch_make(state) != 0 || civil_zone_set("Asia/Tokyo", &err))
		return -1;
	enum rc rc = spool_open(&spool, scratch, false, &err);
	spool.settle_seconds = SETTLE;
	spool.file_limit = 1 << 20;
	return (int)rc;
}

static int close_spool(void **state)
{
	spool_close(&spool);
	return scratch_remove(state);
}

static const char *incoming(const char *name)
{
	char path[300];
	(void)snprintf(path, sizeof path, "incoming/%s", name);
	return scratch_path(path);
}

static int writer(const char *name)
{
	int fd = open(incoming(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	return fd;
}

static void add(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	add(fd, text);
	(void)close(fd);
}

/* A look each second for so long; how many files are whole then. */
static size_t look(int for_seconds)
{
	utc_time again;
	for (int i = 0; i < for_seconds; i++) {
		(void)spool_events(&spool);
		assert_int_equal(
			spool_scan(&spool, (utc_time)time(NULL) + seconds, mono, &again, &err), RC_OK);
		seconds++;
		mono += 1000;
	}
	return spool_waiting(&spool);
}

static void assert_taken(const char *name, const char *content)
{
	struct spool_taken taken;
	enum spool_answer answer;
	uint8_t digest[SHA256_LEN];
	assert_string_equal(spool_next(&spool), name);
	assert_int_equal(spool_take(&spool, name, "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
	sha256(digest, content, strlen(content));
	assert_memory_equal(taken.digest, digest, SHA256_LEN);
	assert_int_equal(spool_remove(&spool, name, &taken, &err), RC_OK);
	assert_int_equal(unlinkat(spool.work, "copy", 0), 0);
}

/* As from a slow share: a piece every four seconds, no close in between. */
static void test_trap_08__slow_writer(void **state)
{
	(void)state;
	int fd = writer("slow.csv");
	for (int i = 0; i < 10; i++) {
		add(fd, "piece\n");
		assert_int_equal(look(SETTLE - 1), 0);
	}
	(void)close(fd);
	assert_int_equal(look(2 * SETTLE + 2), 1);
	assert_taken("slow.csv", "piece\npiece\npiece\npiece\npiece\npiece\npiece\npiece\npiece\npiece\n");
}

static void test_trap_08__empty_then_filled(void **state)
{
	(void)state;
	int fd = writer("later.csv");
	assert_int_equal(look(SETTLE - 1), 0);
	add(fd, "filled");
	assert_int_equal(look(SETTLE - 1), 0);
	(void)close(fd);
	assert_int_equal(look(2 * SETTLE + 2), 1);
	assert_taken("later.csv", "filled");
}

/* The one under a name is settling, or was just found whole, when another is put in its place. */
static void test_trap_08__renamed_over(void **state)
{
	(void)state;
	struct spool_taken taken;
	enum spool_answer answer;
	put(incoming("a.csv"), "half");
	assert_int_equal(look(2), 0);
	put(scratch_path("b"), "whole");
	assert_int_equal(rename(scratch_path("b"), incoming("a.csv")), 0);
	assert_int_equal(look(1), 1);
	assert_taken("a.csv", "whole");

	put(incoming("a.csv"), "first");
	assert_int_equal(look(2 * SETTLE + 2), 1);
	assert_string_equal(spool_next(&spool), "a.csv");
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	put(scratch_path("b"), "second");
	assert_int_equal(rename(scratch_path("b"), incoming("a.csv")), 0);
	assert_int_equal(spool_remove(&spool, "a.csv", &taken, &err), RC_OK);
	assert_int_equal(access(incoming("a.csv"), F_OK), 0); /* it was not the one that was taken */
	assert_int_equal(unlinkat(spool.work, "copy", 0), 0);
	assert_int_equal(look(2 * SETTLE + 2), 1);
	assert_taken("a.csv", "second");
}

/* No event ever comes, as from a share that others write to: looking finds everything, and nothing before it is whole. */
static void test_trap_08__mount_without_events(void **state)
{
	(void)state;
	if (spool.events >= 0)
		(void)close(spool.events);
	spool.events = -1;
	int fd = writer("a.csv");
	add(fd, "half ");
	assert_int_equal(look(SETTLE - 1), 0);
	add(fd, "whole");
	(void)close(fd);
	assert_int_equal(look(SETTLE - 1), 0);
	assert_int_equal(look(2 * SETTLE), 1);
	assert_taken("a.csv", "half whole");
}

/* More at once than the queue of events holds: each is found once. */
static void test_trap_08__ten_thousand_at_once(void **state)
{
	(void)state;
	static bool seen[MANY];
	char name[32];
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "%d.csv", i);
		int fd = openat(spool.incoming, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
		assert_true(fd >= 0);
		add(fd, name);
		(void)close(fd);
	}
	assert_int_equal(look(2), 0);
	assert_int_equal(look(2 * SETTLE), MANY);
	for (int i = 0; i < MANY; i++) {
		const char *next = spool_next(&spool);
		assert_non_null(next);
		long number = strtol(next, NULL, 10);
		assert_in_range(number, 0, MANY - 1);
		assert_false(seen[number]);
		seen[number] = true;
	}
	assert_null(spool_next(&spool));
}

#define WITH_SPOOL(test) cmocka_unit_test_setup_teardown(test, open_spool, close_spool)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SPOOL(test_trap_08__slow_writer),
		WITH_SPOOL(test_trap_08__empty_then_filled),
		WITH_SPOOL(test_trap_08__renamed_over),
		WITH_SPOOL(test_trap_08__mount_without_events),
		WITH_SPOOL(test_trap_08__ten_thousand_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
