/* The role desk: its jobs take turns. */
#include "tests/unit/office_rig.h"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "daemon/desk.h"
#include "daemon/zygote.h"
#include "lib/base/crypt.h"
#include "lib/base/file.h"
#include "lib/desk/books.h"

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

static void break_mailbox(struct rig *rig)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault", "refused", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fault_ja", "拒否されました", &rig_err));
	assert_ok(fact_set(rig->office.store, "mailbox.fetched_at", "1780000000", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* Steps until nothing is left to do at this moment; how many it took. */
static int run_idle(struct rig *rig, struct role_context *ctx)
{
	utc_time next;
	int steps = 0;
	do {
		assert_ok(role_desk.step(ctx, rig->clock.now, &next, &rig_err));
	} while (++steps < 100 && next <= rig->clock.now);
	return steps;
}

/* Counting that goes on for long keeps nobody from hearing of an alarm. */
static void test_desk__long_job_holds_up_no_other(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = ZYGOTE_NONE};
	utc_time next;
	bool more = false;
	assert_ok(role_desk.start(&ctx, &rig_err));
	(void)run_idle(rig, &ctx); /* what there is at the start */
	assert_false(is_alarm_told(rig));
	add_rows(rig);
	break_mailbox(rig);
	clock_set(&rig->clock, rig->clock.now + 60);
	for (int steps = 0; steps < 10 && !is_alarm_told(rig); steps++) {
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

/* A clock that is set back lets no job sleep until it is as late again; one that trembles wakes none. */
static void test_desk__clock_set_back(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = ZYGOTE_NONE};
	assert_ok(role_desk.start(&ctx, &rig_err));
	assert_true(run_idle(rig, &ctx) < 100);
	break_mailbox(rig);
	clock_set(&rig->clock, rig->clock.now - 5);
	assert_int_equal(run_idle(rig, &ctx), 1);
	assert_false(is_alarm_told(rig));
	clock_set(&rig->clock, rig->clock.now - 26 * 3600);
	assert_true(run_idle(rig, &ctx) < 100);
	assert_true(is_alarm_told(rig));
	role_desk.stop(&ctx, 0);
}

static void test_desk__day_done_by_a_wrong_clock(void **state)
{
	(void)state;
	const civil_day today = civil_from_ymd(2026, 6, 10);
	const utc_time evening = civil_moment(today, 18 * 60);
	assert_true(desk_next(today, "18:00", evening) == civil_moment(today + 1, 18 * 60));
	assert_true(desk_next(today - 1, "18:00", evening) == evening);
	assert_true(desk_next(today + 1, "18:00", evening) == evening);
	assert_true(desk_next(today + 30, "18:00", evening) == evening);
	/* Midnight that comes twice is no second time. */
	assert_true(desk_next(today + 1, "00:00", civil_moment(today, 23 * 60 + 59)) ==
		    civil_moment(today + 2, 0));
}

/* ---- a child that dies ---- */

static int deaths; /* so many answers of children are an end instead */
static bool dribbling; /* a byte of an answer takes a second */
static int64_t dribbled_bytes;

int clock_gettime(clockid_t which, struct timespec *at)
{
	int rc = (int)syscall(SYS_clock_gettime, which, at);
	at->tv_sec += which == CLOCK_MONOTONIC ? dribbled_bytes : 0;
	return rc;
}

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
	if (dribbling)
		len = 1;
	ssize_t got = syscall(SYS_recvfrom, fd, bytes, len, flags, NULL, NULL);
	dribbled_bytes += dribbling && got > 0;
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

static void write_archive(struct rig *rig, const struct str *bytes)
{
	struct str path = STR_INIT;
	assert_ok(file_mkdirs(rig->settings->spool_directory, 0700, &rig_err));
	path_join(&path, rig->settings->spool_directory, "001.csv");
	assert_ok(file_write(path.s, bytes->s, bytes->len, 0600, &rig_err));
	str_free(&path);
}

/* A file of one row that was worked through; its archive holds `bytes`, or is said to lie elsewhere. */
static void add_file(struct rig *rig, const struct str *bytes, const char *archive)
{
	struct spool_file file = {.name = "001.csv",
		.size = (int64_t)bytes->len,
		.taken_at = rig->clock.now,
		.owner = "1000",
		.state = FILE_TAKEN,
		.archive = ""};
	sha256(file.digest, bytes->s, bytes->len);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	file.state = FILE_DONE;
	file.archive = archive;
	assert_ok(file_update(rig->office.store, &file, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static void archived_file(struct rig *rig)
{
	struct str bytes = STR_INIT;
	assert_ok(file_read(&bytes, "tests/samples/forms/001.csv", 1 << 20, &rig_err));
	write_archive(rig, &bytes);
	add_file(rig, &bytes, "001.csv");
	str_free(&bytes);
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
	archived_file(rig);
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

/* One whose reader is at it for ever is given up in the end, and no step waits for it. */
static void test_desk__archive_that_dribbles(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = zygote};
	utc_time next;
	archived_file(rig);
	dribbling = true;
	assert_ok(role_desk.start(&ctx, &rig_err));
	for (int steps = 0; steps < 2000 && files_of(rig).recounted_files == 0; steps++) {
		int64_t before = dribbled_bytes;
		assert_ok(role_desk.step(&ctx, rig->clock.now, &next, &rig_err));
		assert_true(dribbled_bytes <= before + 1);
	}
	role_desk.stop(&ctx, 0);
	dribbling = false;
	assert_int_equal(files_of(rig).recounted_files, 1);
	assert_int_equal(files_of(rig).recounted_rows, 0);
}

/* The evening of that many days from now: what the books say. */
static struct books_result run_evening(struct rig *rig, struct role_context *ctx, int days)
{
	struct books_result result;
	clock_set(&rig->clock, civil_moment(rig_today(rig) + days, 23 * 60));
	ctx->clock = rig->clock;
	assert_true(run_idle(rig, ctx) < 100);
	assert_ok(books_last(&rig->office, &result, &rig_err));
	assert_true(result.at == rig->clock.now);
	return result;
}

static void test_desk__archive_that_was_put_back(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = zygote};
	struct str bytes = STR_INIT;
	assert_ok(file_read(&bytes, "tests/samples/forms/001.csv", 1 << 20, &rig_err));
	add_file(rig, &bytes, "001.csv");
	assert_ok(role_desk.start(&ctx, &rig_err));
	assert_int_equal(run_evening(rig, &ctx, 0).differences, 1);
	assert_int_equal(files_of(rig).recounted_rows, 0);
	write_archive(rig, &bytes);
	(void)run_evening(rig, &ctx, 1);
	assert_int_equal(files_of(rig).recounted_rows, 1);
	role_desk.stop(&ctx, 0);
	str_free(&bytes);
}

/* One that can't be opened is a difference of its own, and the books are made. */
static void test_desk__archive_that_can_not_be_read(void **state)
{
	struct rig *rig = *state;
	struct role_context ctx = {
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = zygote};
	char name[600] = "", *end = name;
	while (end < name + sizeof name - 1)
		*end++ = 'a'; /* longer than a name may be: ENAMETOOLONG */
	*end = '\0';
	const struct str none = STR_INIT;
	add_file(rig, &none, name);
	archived_file(rig);
	assert_ok(role_desk.start(&ctx, &rig_err));
	(void)run_evening(rig, &ctx, 0);
	struct row_books files = files_of(rig);
	assert_int_equal(files.recounted_files, 2);
	assert_int_equal(files.recounted_rows, 1);
	role_desk.stop(&ctx, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_desk__long_job_holds_up_no_other, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_desk__clock_set_back, rig_setup, rig_teardown),
		cmocka_unit_test(test_desk__day_done_by_a_wrong_clock),
		cmocka_unit_test_setup_teardown(
			test_desk__reader_killed_while_recounting, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_desk__archive_that_kills_its_reader, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_desk__archive_that_dribbles, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_desk__archive_that_was_put_back, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_desk__archive_that_can_not_be_read, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
