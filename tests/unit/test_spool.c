#include "daemon/spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/civil.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "tests/unit/scratch.h"

static struct spool spool;
static struct err err;
static int64_t mono; /* the test's own: nothing waits */

static int open_spool(void **state)
{
	log_open("test", LEVEL_BROKEN);
	mono = 1000000;
	if (scratch_make(state) != 0 || civil_zone_set("Asia/Tokyo", &err))
		return -1;
	enum rc rc = spool_open(&spool, scratch, false, &err);
	spool.settle_seconds = 5;
	spool.file_limit = 1000;
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

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static utc_time now(void)
{
	return (utc_time)time(NULL);
}

/* Looks `seconds` from now, at two moments a second apart; returns how many files are whole. */
static size_t whole_after(int seconds, utc_time *again)
{
	utc_time at;
	(void)spool_events(&spool);
	assert_int_equal(spool_scan(&spool, now() + seconds, mono, &at, &err), RC_OK);
	mono += 1000;
	assert_int_equal(spool_scan(&spool, now() + seconds, mono, &at, &err), RC_OK);
	if (again)
		*again = at;
	return spool_waiting(&spool);
}

static void test_spool__names_that_are_not_ready(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool temporary;
	} names[] = {
		{"申込.csv", false},
		{"a.tmp.csv", false},
		{"part", false},
		{"~$申込.xlsx", true},
		{".~lock.申込.csv#", true},
		{".hidden", true},
		{"a.tmp", true},
		{"A.TMP", true},
		{"a.csv.part", true},
		{"a.csv.crdownload", true},
		{"a.csv.filepart", true},
		{"a.csv~", true},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (spool_name_is_temporary(names[i].name) != names[i].temporary)
			fail_msg("%s", names[i].name);
}

static void test_spool__a_written_file_has_to_settle(void **state)
{
	(void)state;
	utc_time again;
	put(incoming("a.csv"), "x");
	assert_int_equal(whole_after(0, &again), 0);
	assert_true(again > now() && again <= now() + 6);
	assert_int_equal(whole_after(2, NULL), 0);
	assert_int_equal(whole_after(10, NULL), 1);
	assert_string_equal(spool_next(&spool), "a.csv");
	assert_null(spool_next(&spool));
}

/* A copy may keep the old modification time while it is still being written. */
static void test_spool__an_old_modification_time_is_not_enough(void **state)
{
	(void)state;
	utc_time again;
	put(incoming("a.csv"), "x");
	const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	assert_int_equal(utimensat(AT_FDCWD, incoming("a.csv"), old, 0), 0);
	assert_int_equal(whole_after(0, &again), 0);
	assert_true(again > now());
}

static void test_spool__a_growing_file_starts_to_settle_anew(void **state)
{
	(void)state;
	put(incoming("a.csv"), "x");
	assert_int_equal(whole_after(3, NULL), 0);
	put(incoming("a.csv"), "xx");
	/* Three seconds on it has changed: five more from then. */
	assert_int_equal(whole_after(7, NULL), 0);
	assert_int_equal(whole_after(13, NULL), 1);
}

static void test_spool__a_file_of_the_future_settles_too(void **state)
{
	(void)state;
	put(incoming("a.csv"), "x");
	const struct timespec ahead[2] = {{.tv_sec = now() + 86400}, {.tv_sec = now() + 86400}};
	assert_int_equal(utimensat(AT_FDCWD, incoming("a.csv"), ahead, 0), 0);
	assert_int_equal(whole_after(0, NULL), 0);
	assert_int_equal(whole_after(6, NULL), 1);
}

/* The clock was a day ahead when the file came, and was then set right. */
static void test_spool__a_clock_that_jumps_back_keeps_nobody_waiting(void **state)
{
	(void)state;
	put(incoming("a.csv"), "x");
	assert_int_equal(whole_after(86400, NULL), 1);
	put(incoming("a.csv"), "xx");
	assert_int_equal(whole_after(86400, NULL), 0);
	assert_int_equal(whole_after(0, NULL), 0);
	assert_int_equal(whole_after(6, NULL), 1);
}

/* Whoever stands in its access list may write to a file whose mode alone looks like one person's. */
static void test_spool__an_access_list_is_seen(void **state)
{
	(void)state;
	/* acl(5) as the kernel keeps it: version 2; owner rw, user 1 rw, group r, mask rw, others none. */
	static const unsigned char list[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 6, 0, 1, 0,
		0, 0, 4, 0, 4, 0, 0xff, 0xff, 0xff, 0xff, 16, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 32, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff};
	enum spool_answer answer;
	struct spool_taken taken;
	put(incoming("plain.csv"), "x");
	assert_int_equal(spool_take(&spool, "plain.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_false(taken.listed);
	put(incoming("listed.csv"), "x");
	if (setxattr(incoming("listed.csv"), "system.posix_acl_access", list, sizeof list, 0) != 0)
		skip(); /* no such lists on this file system */
	assert_int_equal(spool_take(&spool, "listed.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_true(taken.listed);
	assert_true((taken.mode & S_IWGRP) != 0);
}

/* What a small file holds is given along, so that nobody has to read its copy. */
static void test_spool__a_small_file_comes_with_its_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *content, *bytes;
	} cases[] = {{"a.csv", "12345", "12345"}, {"b.csv", "", ""}, {"c.csv", "123456", ""}};
	spool.keep_bytes = 5;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum spool_answer answer;
		struct spool_taken taken;
		struct str copy = STR_INIT;
		put(incoming(cases[i].name), cases[i].content);
		assert_int_equal(spool_take(&spool, cases[i].name, "copy", &answer, &taken, &err), RC_OK);
		assert_int_equal(answer, SPOOL_TAKEN);
		assert_string_equal(taken.bytes.s, cases[i].bytes);
		assert_int_equal(file_read(&copy, scratch_path("work/copy"), 100, &err), RC_OK);
		assert_string_equal(copy.s, cases[i].content);
		str_free(&copy);
		str_free(&taken.bytes);
	}
}

/* As after a share was mounted again: what is dropped there now is seen and taken, by events too. */
static void test_spool__incoming_made_anew(void **state)
{
	(void)state;
	utc_time again;
	enum spool_answer answer;
	struct spool_taken taken;
	char other[300];
	assert_int_equal(whole_after(0, NULL), 0);
	(void)snprintf(other, sizeof other, "%s", scratch_path("old"));
	assert_int_equal(rename(scratch_path("incoming"), other), 0);
	assert_int_equal(spool_scan(&spool, now(), mono, &again, &err), RC_STORE);
	assert_int_equal(mkdir(scratch_path("incoming"), 0770), 0);
	put(incoming("a.csv"), "x");
	assert_int_equal(whole_after(10, NULL), 1);
	assert_string_equal(spool_next(&spool), "a.csv");
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
	put(incoming("b.csv"), "x");
	assert_true(spool_events(&spool));
}

static void test_spool__renamed_in_is_whole_at_once(void **state)
{
	(void)state;
	put(incoming("a.csv.part"), "x");
	assert_int_equal(whole_after(100, NULL), 0);
	assert_int_equal(rename(incoming("a.csv.part"), incoming("a.csv")), 0);
	assert_true(spool_events(&spool));
	utc_time again;
	assert_int_equal(spool_scan(&spool, now(), mono, &again, &err), RC_OK);
	assert_int_equal(spool_waiting(&spool), 1);
}

static void test_spool__renamed_over_a_settling_file_is_whole(void **state)
{
	(void)state;
	put(incoming("a.csv"), "half");
	assert_int_equal(whole_after(0, NULL), 0);
	put(scratch_path("b"), "whole");
	assert_int_equal(rename(scratch_path("b"), incoming("a.csv")), 0);
	assert_int_equal(whole_after(0, NULL), 1);
}

static void test_spool__an_empty_file_settles_even_when_renamed_in(void **state)
{
	(void)state;
	put(scratch_path("b"), "");
	assert_int_equal(rename(scratch_path("b"), incoming("a.csv")), 0);
	assert_int_equal(whole_after(0, NULL), 0);
	assert_int_equal(whole_after(10, NULL), 1);
}

static void test_spool__oldest_first(void **state)
{
	(void)state;
	static const char *const name[] = {"c.csv", "a.csv", "b.csv"};
	for (int i = 0; i < 3; i++) {
		put(incoming(name[i]), "x");
		const struct timespec at[2] = {{.tv_sec = 1000 - i}, {.tv_sec = 1000 - i}};
		assert_int_equal(utimensat(AT_FDCWD, incoming(name[i]), at, 0), 0);
	}
	assert_int_equal(whole_after(10, NULL), 3);
	assert_string_equal(spool_next(&spool), "b.csv");
	assert_string_equal(spool_next(&spool), "a.csv");
	assert_string_equal(spool_next(&spool), "c.csv");
}

static void test_spool__what_is_no_file_is_left_alone(void **state)
{
	(void)state;
	put(scratch_path("secret"), "x");
	assert_int_equal(symlink(scratch_path("secret"), incoming("link.csv")), 0);
	assert_int_equal(symlink("/nowhere", incoming("dangling.csv")), 0);
	assert_int_equal(mkfifo(incoming("fifo.csv"), 0640), 0);
	assert_int_equal(mkdir(incoming("directory.csv"), 0750), 0);
	assert_int_equal(whole_after(100, NULL), 0);

	/* The name was a file when it was scanned and is another thing when it is opened. */
	enum spool_answer answer;
	struct spool_taken taken;
	static const char *const names[] = {"link.csv", "fifo.csv", "directory.csv", "missing.csv"};
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(spool_take(&spool, names[i], "copy", &answer, &taken, &err), RC_OK);
		assert_int_equal(answer, SPOOL_LATER);
	}
	assert_int_equal(access(scratch_path("work/copy"), F_OK), -1);
}

/* A file of the daemon's own, such as the register, that somebody who may link it wants to read in the archive. */
static void test_spool__a_second_name_of_our_own_file_is_left_alone(void **state)
{
	enum spool_answer answer;
	struct spool_taken taken;
	(void)state;
	put(scratch_path("register.db"), "secret");
	assert_int_equal(link(scratch_path("register.db"), incoming("linked.csv")), 0);
	assert_int_equal(whole_after(100, NULL), 0);
	assert_int_equal(spool_take(&spool, "linked.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_LATER);
	assert_int_equal(access(scratch_path("work/copy"), F_OK), -1);
	/* Alone under its name it was dropped. */
	assert_int_equal(unlink(scratch_path("register.db")), 0);
	assert_int_equal(spool_take(&spool, "linked.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
}

/* Whatever a file system takes for a name: each is one file, taken once, archived below the month under a name that a person and a terminal can bear. */
static void test_spool__names_of_any_kind(void **state)
{
	static const char *const names[] = {"a\nb.csv", "\033]0;x\007.csv", "-rf.csv", "--help.csv", "...csv",
		"..\\..\\etc.csv", "C:\\con.csv", "aux.csv", "\x82\xa0.csv", "\xff\xfe.csv", "ａ．ｃｓｖ.csv",
		"\xe2\x80\xaevsc.exe.csv", "\xe2\x81\xa6x\xe2\x81\xa9.csv", "%s%n.csv", "$(id).csv",
		"`id`.csv", "a b.csv", "'.csv", "\".csv", "<b>.csv",
		"a\xc2\x9b"
		"31m.csv"};
	utc_time at;
	enum spool_answer answer;
	struct spool_taken taken;
	(void)state;
	assert_true(civil_time_read("2026-11-22 09:30:05", &at));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		put(incoming(names[i]), "x");
		assert_int_equal(spool_take(&spool, names[i], "copy", &answer, &taken, &err), RC_OK);
		assert_int_equal(answer, SPOOL_TAKEN);
		assert_int_equal(spool_remove(&spool, names[i], &taken, &err), RC_OK);
		assert_int_equal(access(incoming(names[i]), F_OK), -1);
		struct str out = STR_INIT;
		spool_archive_name(&out, at, names[i]);
		assert_true(str_has_prefix(out.s, "20261122-093005_"));
		assert_true(utf8_valid(out.s, out.len));
		for (size_t k = 0, step; k < out.len; k += step) {
			uint32_t c;
			step = utf8_next(out.s + k, out.len - k, &c);
			if (c < ' ' || (c >= 0x7F && c < 0xA0) || c == '/' || c == '\\' ||
				(c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069))
				fail_msg("name %zu is archived as %s", i, out.s);
		}
		str_free(&out);
	}
}

static void test_spool__taking_copies_and_digests(void **state)
{
	(void)state;
	enum spool_answer answer;
	struct spool_taken taken;
	uint8_t digest[SHA256_LEN];
	char back[16] = "";
	put(incoming("a.csv"), "content");
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
	assert_int_equal(taken.size, 7);
	assert_int_equal(taken.owner, geteuid());
	sha256(digest, "content", 7);
	assert_memory_equal(taken.digest, digest, SHA256_LEN);
	int fd = open(scratch_path("work/copy"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(read(fd, back, sizeof back), 7);
	assert_string_equal(back, "content");
	(void)close(fd);
	assert_int_equal(access(incoming("a.csv"), F_OK), 0);

	assert_int_equal(spool_remove(&spool, "a.csv", &taken, &err), RC_OK);
	assert_int_equal(access(incoming("a.csv"), F_OK), -1);
	assert_int_equal(spool_remove(&spool, "a.csv", &taken, &err), RC_OK);
}

/* Somebody writes to it after it was taken: it comes back, and settles like any other, though the kernel calls it renamed in. */
/* ---- a file that opens and can't be read: a lock of another machine, a bad sector ---- */

static ino_t broken; /* reading it fails */

ssize_t read(int fd, void *bytes, size_t len)
{
	struct stat st;
	if (broken && fstat(fd, &st) == 0 && st.st_ino == broken) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_read, fd, bytes, len);
}

ssize_t __read_chk(int fd, void *bytes, size_t len, size_t size); /* what read() is with _FORTIFY_SOURCE */
ssize_t __read_chk(int fd, void *bytes, size_t len, size_t size)
{
	assert_true(len <= size);
	return read(fd, bytes, len);
}

/* It is nobody's trouble but its own, and for this moment: those behind it are taken, and it is when it can be. */
static void test_spool__what_can_not_be_read_now_waits(void **state)
{
	(void)state;
	enum spool_answer answer;
	struct spool_taken taken = {0};
	struct stat st;
	put(incoming("a.csv"), "content");
	put(incoming("b.csv"), "others");
	assert_int_equal(stat(incoming("a.csv"), &st), 0);
	assert_int_equal(whole_after(10, NULL), 2);
	broken = st.st_ino;
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_LATER);
	assert_int_not_equal(access(scratch_path("work/copy"), F_OK), 0);
	assert_int_equal(spool_take(&spool, "b.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
	broken = 0;
	assert_int_equal(whole_after(20, NULL), 2);
	assert_int_equal(spool_take(&spool, "a.csv", "copy2", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
}

static void test_spool__what_is_put_back_settles(void **state)
{
	(void)state;
	enum spool_answer answer;
	struct spool_taken taken = {0};
	put(scratch_path("a.csv"), "content");
	assert_int_equal(rename(scratch_path("a.csv"), incoming("a.csv")), 0);
	assert_int_equal(whole_after(0, NULL), 1);
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
	put(incoming("a.csv"), "ha");
	assert_int_equal(spool_remove(&spool, "a.csv", &taken, &err), RC_OK);
	assert_int_equal(access(incoming("a.csv"), F_OK), 0);
	assert_int_equal(whole_after(0, NULL), 0);
	assert_int_equal(whole_after(100, NULL), 1);
	/* One that is renamed over it later is whole at once. */
	put(scratch_path("b.csv"), "whole");
	assert_int_equal(rename(scratch_path("b.csv"), incoming("a.csv")), 0);
	assert_int_equal(whole_after(0, NULL), 1);
}

static void test_spool__the_limit_is_exact(void **state)
{
	(void)state;
	enum spool_answer answer;
	struct spool_taken taken;
	char text[1002];
	memset(text, 'x', sizeof text);
	text[1001] = '\0';
	put(incoming("large.csv"), text);
	text[1000] = '\0';
	put(incoming("fits.csv"), text);
	assert_int_equal(spool_take(&spool, "large.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TOO_LARGE);
	assert_int_equal(access(scratch_path("work/copy"), F_OK), -1);
	assert_int_equal(spool_take(&spool, "fits.csv", "copy", &answer, &taken, &err), RC_OK);
	assert_int_equal(answer, SPOOL_TAKEN);
}

/* The owner puts another file under the name after ours was copied. */
static void test_spool__a_newer_file_under_the_name_stays(void **state)
{
	(void)state;
	enum spool_answer answer;
	struct spool_taken taken;
	put(incoming("a.csv"), "old");
	assert_int_equal(spool_take(&spool, "a.csv", "copy", &answer, &taken, &err), RC_OK);
	put(scratch_path("b"), "newer");
	assert_int_equal(rename(scratch_path("b"), incoming("a.csv")), 0);
	assert_int_equal(spool_remove(&spool, "a.csv", &taken, &err), RC_OK);
	struct stat st;
	assert_int_equal(stat(incoming("a.csv"), &st), 0);
	assert_int_equal(st.st_size, 5);
}

/* A removal that was cut short: the original comes back under its name; other leftovers go. */
static void test_spool__cleaning_after_a_crash(void **state)
{
	(void)state;
	struct strlist kept = {0};
	strlist_add(&kept, "12");
	strlist_add(&kept, "13");
	put(scratch_path("work/removing/a.csv"), "mine");
	put(scratch_path("work/12"), "kept");
	put(scratch_path("work/13"), "kept, too");
	put(scratch_path("work/taking"), "half");
	assert_int_equal(spool_clean(&spool, &kept, &err), RC_OK);
	assert_int_equal(access(incoming("a.csv"), F_OK), 0);
	assert_int_equal(access(scratch_path("work/12"), F_OK), 0);
	assert_int_equal(access(scratch_path("work/13"), F_OK), 0);
	strlist_free(&kept);
	assert_int_equal(access(scratch_path("work/taking"), F_OK), -1);
	/* And where a new file has the name already, both stay. */
	put(scratch_path("work/removing/a.csv"), "other");
	assert_int_equal(spool_clean(&spool, &(struct strlist){0}, &err), RC_OK);
	assert_int_equal(whole_after(100, NULL), 2);
}

static void test_spool__ten_thousand_files_and_lost_events(void **state)
{
	(void)state;
	char name[32];
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof name, "%05d.csv", i);
		put(incoming(name), "x");
	}
	/* Whatever the queue of events holds or has lost, the scan finds all. */
	assert_true(spool_events(&spool));
	assert_int_equal(whole_after(100, NULL), 10000);
	(void)unlink(incoming("00000.csv"));
	assert_int_equal(whole_after(100, NULL), 9999);
}

static void test_spool__a_simulated_file_arrives_at_its_time(void **state)
{
	(void)state;
	utc_time again, oldest;
	spool.simulating = true;
	put(incoming("a.csv"), "x");
	const struct timespec at[2] = {{.tv_sec = 5000}, {.tv_sec = 5000}};
	assert_int_equal(utimensat(AT_FDCWD, incoming("a.csv"), at, 0), 0);
	assert_int_equal(spool_scan(&spool, 4999, mono, &again, &err), RC_OK);
	assert_int_equal(spool_waiting(&spool), 0);
	assert_int_equal(again, 5000);
	assert_int_equal(spool_scan(&spool, 5000, mono, &again, &err), RC_OK);
	assert_int_equal(spool_waiting(&spool), 1);
	assert_true(spool_oldest(scratch, &oldest));
	assert_int_equal(oldest, 5000);
}

static void test_spool__archive_names_are_harmless(void **state)
{
	(void)state;
	static const struct {
		const char *name, *archived;
	} names[] = {
		{"申込.csv", "20261122-093005_申込.csv"}, {"a/b\\c", "20261122-093005_a_b_c"},
		{"a\nb\x7f.csv", "20261122-093005_a_b_.csv"},
		{"\x83\x5c.csv", "20261122-093005___.csv"}, /* CP932 bytes are no UTF-8 */
	};
	utc_time at;
	assert_true(civil_time_read("2026-11-22 09:30:05", &at));
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct str out = STR_INIT;
		spool_archive_name(&out, at, names[i].name);
		assert_string_equal(out.s, names[i].archived);
		str_free(&out);
	}
	struct str out = STR_INIT, longest = STR_INIT;
	for (int i = 0; i < 85; i++)
		str_addz(&longest, "申");
	spool_archive_name(&out, at, longest.s);
	assert_true(out.len <= 170 && out.len > 150);
	str_free(&out);
	str_addz(&longest, ".json");
	spool_archive_name(&out, at, longest.s);
	assert_true(out.len <= 170 && out.len > 150);
	assert_string_equal(out.s + out.len - strlen("申.json"), "申.json");
	str_free(&out);
	/* What only looks like an ending does not make the name longer. */
	str_addz(&longest, ".of-many-letters");
	spool_archive_name(&out, at, longest.s);
	assert_true(out.len <= 170 && out.len > 150);
	str_free(&out);
	str_free(&longest);
}

int main(void)
{
#define WITH_SPOOL(test) cmocka_unit_test_setup_teardown(test, open_spool, close_spool)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spool__names_that_are_not_ready),
		WITH_SPOOL(test_spool__a_written_file_has_to_settle),
		WITH_SPOOL(test_spool__an_old_modification_time_is_not_enough),
		WITH_SPOOL(test_spool__a_growing_file_starts_to_settle_anew),
		WITH_SPOOL(test_spool__a_file_of_the_future_settles_too),
		WITH_SPOOL(test_spool__a_clock_that_jumps_back_keeps_nobody_waiting),
		WITH_SPOOL(test_spool__an_access_list_is_seen),
		WITH_SPOOL(test_spool__a_small_file_comes_with_its_bytes),
		WITH_SPOOL(test_spool__incoming_made_anew),
		WITH_SPOOL(test_spool__renamed_in_is_whole_at_once),
		WITH_SPOOL(test_spool__renamed_over_a_settling_file_is_whole),
		WITH_SPOOL(test_spool__an_empty_file_settles_even_when_renamed_in),
		WITH_SPOOL(test_spool__oldest_first),
		WITH_SPOOL(test_spool__what_is_no_file_is_left_alone),
		WITH_SPOOL(test_spool__a_second_name_of_our_own_file_is_left_alone),
		WITH_SPOOL(test_spool__names_of_any_kind),
		WITH_SPOOL(test_spool__taking_copies_and_digests),
		WITH_SPOOL(test_spool__what_can_not_be_read_now_waits),
		WITH_SPOOL(test_spool__what_is_put_back_settles),
		WITH_SPOOL(test_spool__the_limit_is_exact),
		WITH_SPOOL(test_spool__a_newer_file_under_the_name_stays),
		WITH_SPOOL(test_spool__cleaning_after_a_crash),
		WITH_SPOOL(test_spool__ten_thousand_files_and_lost_events),
		WITH_SPOOL(test_spool__a_simulated_file_arrives_at_its_time),
		WITH_SPOOL(test_spool__archive_names_are_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
