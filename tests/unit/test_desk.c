/* The role desk: its jobs take turns. */
#include "tests/unit/office_rig.h"

#include <sys/socket.h>
#include <sys/syscall.h>

#include "daemon/desk.h"
#include "daemon/zygote.h"
#include "lib/base/crypt.h"
#include "lib/base/file.h"

#define ROWS 20000 /* of the history, to be counted */

static void add_rows(struct rig *rig)
{
	const struct history_row row = {
		.at = rig->clock.now, .event = EVENT_FILE, .ref = 1, .actor = "daemon", .note = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	for (int i = 0; i < ROWS; i++)
		assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static bool is_alarm_told(struct rig *rig)
{
	struct str value = STR_INIT;
	assert_ok(fact_get(rig->office.store, "alarms.bad", &value, &rig_err));
	bool told = strstr(value.s, "fetch\t") != NULL;
	str_free(&value);
	return told;
}

/* Counting that goes on for long keeps nobody from hearing of an alarm. */
static void test_desk__long_job_holds_up_no_other(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = ZYGOTE_NONE};
	utc_time next;
	bool more = false;
	int steps = 0;
	assert_ok(role_desk.start(&ctx, &rig_err));
	do { /* what there is at the start */
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
	} while (next <= rig->clock.now && ++steps < 100);
	assert_false(is_alarm_told(rig));
	add_rows(rig);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault", "refused", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault_ja", "拒否されました", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fetched_at", "1780000000", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	clock_set(&rig->clock, rig->clock.now + 60);
	for (steps = 0; steps < 10 && !is_alarm_told(rig); steps++) {
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
		clock_set(&rig->clock, rig->clock.now + 1);
	}
	assert_true(is_alarm_told(rig));
	/* The counting is not done by then: it was not waited for. */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(daily_update(rig->office.store, 1, &more, &rig_err));
	assert_true(more);
	store_rollback(rig->office.store);
	role_desk.stop(&ctx, 0);
}

/* ---- a child that dies ---- */

static int deaths; /* so many answers of children are an end instead */

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got = syscall(SYS_recvmsg, fd, message, flags);
	if (got <= 0 || deaths == 0 || message->msg_controllen > 0)
		return got;
	deaths--;
	return 0;
}

ssize_t recv(int fd, void *bytes, size_t len, int flags)
{
	ssize_t got = syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
	if (got <= 0 || deaths == 0)
		return got;
	deaths--;
	return 0;
}

static struct zygote zygote = {-1, -1, NULL};

static int group_set_up(void **state)
{
	(void)state;
	int fd;
	/* Before the register is opened; and awake, since it is not its program that is to die. */
	if (zygote_start(&zygote, NULL, &rig_err) || zygote_child(&zygote, CHILD_FORM, &fd, &rig_err))
		return -1;
	return close(fd);
}

static int group_tear_down(void **state)
{
	(void)state;
	zygote_stop(&zygote);
	return 0;
}

static int64_t archived_file(struct rig *rig)
{
	struct str bytes = STR_INIT;
	assert_ok(file_read(&bytes, "tests/samples/forms/001.csv", 1 << 20, &rig_err));
	struct spool_file file = {.name = "001.csv",
		.size = (int64_t)bytes.len,
		.taken_at = rig->clock.now,
		.owner = "1000",
		.state = FILE_TAKEN,
		.archive = ""};
	sha256(file.digest, bytes.s, bytes.len);
	struct str path = STR_INIT;
	assert_ok(file_mkdirs(rig->settings->spool_directory, 0700, &rig_err));
	path_join(&path, rig->settings->spool_directory, "001.csv");
	assert_ok(file_write(path.s, bytes.s, bytes.len, 0600, &rig_err));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	file.state = FILE_DONE;
	file.archive = "001.csv";
	assert_ok(file_update(rig->office.store, &file, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	str_free(&path);
	str_free(&bytes);
	return file.id;
}

static struct row_books files_of(struct rig *rig)
{
	struct row_books files;
	assert_ok(books_of_rows(rig->office.store, &files, &rig_err));
	return files;
}

static struct row_books recount(struct rig *rig, int children_that_die)
{
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = zygote};
	utc_time next;
	(void)archived_file(rig);
	deaths = children_that_die;
	assert_ok(role_desk.start(&ctx, &rig_err));
	for (int steps = 0; steps < 50 && files_of(rig).recounted_files == 0; steps++)
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
	role_desk.stop(&ctx, 0);
	deaths = 0;
	return files_of(rig);
}

/* kill -9, or a machine without memory: that says nothing about the archive. */
static void test_desk__reader_killed_while_recounting(void **state)
{
	struct row_books files = recount(*state, 2);
	assert_int_equal(files.recounted_files, 1);
	assert_int_equal(files.recounted_rows, 1);
}

/* One that no reader survives is not read for ever. */
static void test_desk__archive_that_kills_its_reader(void **state)
{
	struct row_books files = recount(*state, 1000);
	assert_int_equal(files.recounted_files, 1);
	assert_int_equal(files.recounted_rows, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_desk__long_job_holds_up_no_other, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_desk__reader_killed_while_recounting, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_desk__archive_that_kills_its_reader, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
