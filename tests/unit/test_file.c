#include "lib/base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/scratch.h"

static char dir[] = "/tmp/test_file.XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[128];
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	struct strlist names = {0};
	struct err err;
	if (file_list_dir(&names, dir, &err) != RC_OK)
		return -1;
	for (size_t i = 0; i < names.count; i++)
		(void)remove(in_dir(names.item[i]));
	strlist_free(&names);
	return rmdir(dir);
}

static void test_file__written_whole_and_read_back(void **state)
{
	(void)state;
	struct err err;
	struct str out = STR_INIT;
	struct stat st;
	assert_int_equal(file_write(in_dir("a"), "x\0y", 3, 0640, &err), RC_OK);
	assert_int_equal(file_read(&out, in_dir("a"), 3, &err), RC_OK);
	assert_int_equal(out.len, 3);
	assert_memory_equal(out.s, "x\0y", 3);
	assert_int_equal(stat(in_dir("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);

	assert_int_equal(file_write(in_dir("a"), "new", 3, 0600, &err), RC_OK);
	str_clear(&out);
	assert_int_equal(file_read(&out, in_dir("a"), 100, &err), RC_OK);
	assert_string_equal(out.s, "new");
	str_free(&out);

	/* Nothing temporary is left behind. */
	struct strlist names = {0};
	assert_int_equal(file_list_dir(&names, dir, &err), RC_OK);
	assert_int_equal(names.count, 1);
	strlist_free(&names);
}

static void test_file__size_limit(void **state)
{
	(void)state;
	struct err err;
	struct str out = STR_INIT;
	str_addz(&out, "前");
	assert_int_equal(file_write(in_dir("b"), "12345", 5, 0600, &err), RC_OK);
	assert_int_equal(file_read(&out, in_dir("b"), 4, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "4"));
	assert_string_equal(out.s, "前");
	assert_int_equal(file_read(&out, in_dir("b"), 5, &err), RC_OK);
	assert_string_equal(out.s, "前12345");
	str_free(&out);
}

static void test_file__a_growing_file_is_not_read_past_the_limit(void **state)
{
	(void)state;
	struct err err;
	struct str out = STR_INIT;
	/* /proc files say they are empty and then go on. */
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_read_fd(&out, fd, 10, &err), RC_REFUSED);
	assert_int_equal(out.len, 0);
	(void)close(fd);
	str_free(&out);
}

static void test_file__no_links_fifos_devices_directories(void **state)
{
	(void)state;
	struct err err;
	struct str out = STR_INIT;
	assert_int_equal(file_write(in_dir("target"), "secret", 6, 0600, &err), RC_OK);
	char target[128];
	(void)snprintf(target, sizeof target, "%s", in_dir("target"));
	assert_int_equal(symlink(target, in_dir("link")), 0);
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	assert_int_equal(mkdir(in_dir("sub"), 0700), 0);

	assert_int_equal(file_read(&out, in_dir("link"), 100, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "link"));
	assert_int_equal(file_read(&out, in_dir("fifo"), 100, &err), RC_REFUSED); /* and does not hang */
	assert_int_equal(file_read(&out, in_dir("sub"), 100, &err), RC_REFUSED);
	assert_int_equal(file_read(&out, "/dev/zero", 100, &err), RC_REFUSED);
	assert_int_equal(file_read(&out, in_dir("nothing"), 100, &err), RC_REFUSED);
	assert_int_equal(out.len, 0);
	str_free(&out);
}

static void test_file__a_failed_write_leaves_the_old_file(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(file_write(in_dir("none/x"), "1", 1, 0600, &err), RC_STORE);
	assert_int_equal(mkdir(in_dir("occupied"), 0700), 0);
	/* A directory stands where the file shall go: the rename fails, and the temporary file is gone. */
	assert_int_equal(file_write(in_dir("occupied"), "1", 1, 0600, &err), RC_STORE);
	struct strlist names = {0};
	assert_int_equal(file_list_dir(&names, dir, &err), RC_OK);
	for (size_t i = 0; i < names.count; i++)
		assert_false(str_has_suffix(names.item[i], ".tmp"));
	strlist_free(&names);
}

static void test_file__directories(void **state)
{
	(void)state;
	struct err err = {0};
	struct stat st;
	assert_int_equal(file_mkdirs(in_dir("p/q/r"), 0750, &err), RC_OK);
	assert_int_equal(file_mkdirs(in_dir("p/q/r"), 0750, &err), RC_OK);
	assert_int_equal(stat(in_dir("p/q/r"), &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(file_write(in_dir("p/file"), "", 0, 0600, &err), RC_OK);
	assert_int_equal(file_mkdirs(in_dir("p/file/x"), 0750, &err), RC_STORE);
	assert_int_equal(unlink(in_dir("p/file")), 0);
	assert_int_equal(rmdir(in_dir("p/q/r")), 0);
	assert_int_equal(rmdir(in_dir("p/q")), 0);
	assert_int_equal(rmdir(in_dir("p")), 0);
	struct strlist names = {0};
	assert_int_equal(file_list_dir(&names, in_dir("p"), &err), RC_STORE);
}

static void test_file__no_link_below_a_directory(void **state)
{
	int fd;
	struct stat st;
	struct err err = {0};
	(void)state;
	assert_int_equal(mkdir(scratch_path("elsewhere"), 0700), 0);
	assert_int_equal(mkdir(scratch_path("base"), 0700), 0);
	assert_int_equal(file_open_below(&fd, scratch_path("base"), "a/b", 0750, &err), RC_OK);
	assert_int_equal(file_write_at(fd, "x", "1", 1, 0640, &err), RC_OK);
	assert_int_equal(stat(scratch_path("base/a/b/x"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	/* A link under the name of a file is replaced, not followed. */
	assert_int_equal(symlink(scratch_path("elsewhere/y"), scratch_path("base/a/b/y")), 0);
	assert_int_equal(file_write_at(fd, "y", "1", 1, 0640, &err), RC_OK);
	assert_int_equal(lstat(scratch_path("base/a/b/y"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	/* A temporary name that somebody took before is left alone. */
	char taken[80];
	(void)snprintf(taken, sizeof taken, "base/a/b/.z.%d-0.tmp", (int)getpid());
	assert_int_equal(symlink(scratch_path("elsewhere/z"), scratch_path(taken)), 0);
	assert_int_equal(file_write_at(fd, "z", "1", 1, 0640, &err), RC_OK);
	assert_int_equal(lstat(scratch_path(taken), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(close(fd), 0);

	assert_int_equal(symlink(scratch_path("elsewhere"), scratch_path("base/link")), 0);
	assert_int_equal(file_open_below(&fd, scratch_path("base"), "link/b", 0750, &err), RC_STORE);
	assert_non_null(strstr(err.text, "link is a link"));
	err = (struct err){0};
	assert_int_equal(file_open_below(&fd, scratch_path("base"), "a/b/x", 0750, &err), RC_STORE);
	assert_int_equal(rmdir(scratch_path("elsewhere")), 0); /* nothing came there */
}

static ino_t synced[8];
static size_t synced_count;

int fsync(int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && synced_count < sizeof synced / sizeof *synced)
		synced[synced_count++] = st.st_ino;
	return 0;
}

static ino_t inode_of(const char *name)
{
	struct stat st;
	assert_int_equal(stat(in_dir(name), &st), 0);
	return st.st_ino;
}

/* After a power cut a new directory is there, and what is in it. */
static void test_file__new_directories_are_synced(void **state)
{
	(void)state;
	struct err err = {0};
	synced_count = 0;
	assert_int_equal(file_mkdirs(in_dir("accepted/2026/11"), 0700, &err), RC_OK);
	assert_int_equal(synced_count, 3);
	assert_int_equal(synced[0], inode_of("."));
	assert_int_equal(synced[1], inode_of("accepted"));
	assert_int_equal(synced[2], inode_of("accepted/2026"));
	int fd;
	synced_count = 0;
	assert_int_equal(file_open_below(&fd, in_dir("accepted"), "2026/12", 0700, &err), RC_OK);
	assert_int_equal(close(fd), 0);
	/* One that is there, too: who made it may have died before it was synced. */
	assert_int_equal(synced_count, 2);
	assert_int_equal(synced[0], inode_of("accepted"));
	assert_int_equal(synced[1], inode_of("accepted/2026"));
	synced_count = 0;
	assert_int_equal(file_mkdirs(in_dir("accepted/2026/11"), 0700, &err), RC_OK);
	assert_int_equal(synced_count, 0);
	static const char *const made[] = {
		"accepted/2026/12", "accepted/2026/11", "accepted/2026", "accepted"};
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		assert_int_equal(rmdir(in_dir(made[i])), 0);
}

static void test_file__paths(void **state)
{
	(void)state;
	struct str path = STR_INIT;
	path_join(&path, "/a/", "b");
	str_addc(&path, '|');
	path_join(&path, "a", "b");
	assert_string_equal(path.s, "/a/b|a/b");
	assert_string_equal(path_base("/a/b.csv"), "b.csv");
	assert_string_equal(path_base("b.csv"), "b.csv");
	str_free(&path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_file__written_whole_and_read_back),
		cmocka_unit_test(test_file__size_limit),
		cmocka_unit_test(test_file__a_growing_file_is_not_read_past_the_limit),
		cmocka_unit_test(test_file__no_links_fifos_devices_directories),
		cmocka_unit_test(test_file__a_failed_write_leaves_the_old_file),
		cmocka_unit_test(test_file__directories),
		cmocka_unit_test_setup_teardown(
			test_file__no_link_below_a_directory, scratch_make, scratch_remove),
		cmocka_unit_test(test_file__new_directories_are_synced),
		cmocka_unit_test(test_file__paths),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
