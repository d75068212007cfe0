#include "tests/unit/office_rig.h"

#include <spawn.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "lib/base/file.h"
#include "lib/desk/public_list.h"

static struct role_context context(struct rig *rig)
{
	return (struct role_context){
		.office = rig->office, .settings = rig->settings, .clock = rig->clock, .zygote = ZYGOTE_NONE};
}

/* Runs the job as the role does until it has nothing to do at this moment; when it wants to come again. */
static utc_time run(struct rig *rig, void **state)
{
	struct role_context ctx = context(rig);
	utc_time now = rig->clock.now, next;
	do {
		next = UTC_NEVER;
		assert_ok(desk_publish(&ctx, state, now, &next, &rig_err));
	} while (next <= now);
	return next;
}

static struct publication last(struct rig *rig)
{
	struct publication publication;
	assert_ok(publication_last(rig->office.store, &publication, &rig_err));
	return publication;
}

static void configure(struct rig *rig)
{
	char more[256];
	(void)snprintf(more, sizeof more, "public_directory = \"%s/public\";", rig->dir);
	rig_configure(rig, more);
}

static void test_desk_publish__nothing_without_a_directory(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	bool settled;
	assert_int_equal(run(rig, &job), UTC_NEVER);
	assert_ok(office_public_settled(&rig->office, &settled, &rig_err));
	assert_true(settled); /* what is public is known all the same */
	assert_int_equal(last(rig).id, 0);
	desk_publish_stop(&job);
	assert_null(job);
}

static void test_desk_publish__once_a_day(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	configure(rig);
	(void)rig_apply(rig, 1);
	rig_run_days(rig, 16);
	assert_int_equal(run(rig, &job), rig->clock.now + 30); /* to look for what ended */
	assert_int_equal(last(rig).rows, 1);
	int64_t first = last(rig).id;
	clock_set(&rig->clock, rig->clock.now + 30);
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first);
	clock_set(&rig->clock, civil_moment(rig_today(rig) + 1, 2 * 60)); /* publish_at */
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1);
	assert_int_equal(rig_count_events(rig, 0, EVENT_PUBLISH), 2);
	desk_publish_stop(&job);
}

static void test_desk_publish__anew_after_a_stop_but_not_at_each(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	const char *why_ja;
	configure(rig);
	int64_t one = rig_apply(rig, 1), two = rig_apply(rig, 2);
	rig_run_days(rig, 16);
	(void)run(rig, &job);
	int64_t first = last(rig).id;
	clock_set(&rig->clock, rig->clock.now + 600);
	assert_ok(office_stop(
		&rig->office, one, CIVIL_DAY_NONE, "B-3", "staff:1", &why_ja, rig->pool, &rig_err));
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1);
	assert_int_equal(last(rig).rows, 1);
	clock_set(&rig->clock, rig->clock.now + 30);
	assert_ok(office_stop(
		&rig->office, two, CIVIL_DAY_NONE, "B-3", "staff:1", &why_ja, rig->pool, &rig_err));
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1); /* the page has struck it; the files wait */
	clock_set(&rig->clock, rig->clock.now + 300);
	(void)run(rig, &job);
	assert_int_equal(last(rig).rows, 0);
	desk_publish_stop(&job);
}

/* What somebody damaged below the directory is mended by the next list, which does not wait for tomorrow. */
static void test_desk_publish__what_was_damaged_is_written_anew(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	const char *why_ja;
	configure(rig);
	int64_t one = rig_apply(rig, 1);
	(void)rig_apply(rig, 2);
	rig_run_days(rig, 16);
	(void)run(rig, &job);
	int64_t first = last(rig).id;
	rig_write(rig, "public/.list", "garbage\n");
	clock_set(&rig->clock, rig->clock.now + 600);
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1);
	clock_set(&rig->clock, rig->clock.now + 600);
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1); /* it is whole again */
	char ids[256];
	(void)snprintf(
		ids, sizeof ids, "%s/public/data-%lld-0/.ids", rig->dir, (long long)(rig->clock.now - 600));
	assert_int_equal(unlink(ids), 0);
	assert_ok(office_stop(
		&rig->office, one, CIVIL_DAY_NONE, "B-3", "staff:1", &why_ja, rig->pool, &rig_err));
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 2);
	assert_int_equal(last(rig).rows, 1);
	desk_publish_stop(&job);
}

/* A page that was written by a clock that was ahead does not hide what ends before that day. */
static void test_desk_publish__written_while_the_clock_was_ahead(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	const char *why_ja;
	configure(rig);
	int64_t one = rig_apply(rig, 1);
	(void)rig_apply(rig, 2);
	rig_run_days(rig, 16);
	utc_time right = rig->clock.now;
	clock_set(&rig->clock, right + 20 * 3600);
	(void)run(rig, &job);
	assert_int_equal(last(rig).rows, 2);
	clock_set(&rig->clock, right);
	assert_ok(office_stop(
		&rig->office, one, CIVIL_DAY_NONE, "B-3", "staff:1", &why_ja, rig->pool, &rig_err));
	(void)run(rig, &job);
	assert_int_equal(last(rig).rows, 1);
	desk_publish_stop(&job);
}

/* ---- a PDF that does not come ---- */

static const char *pdf_program; /* instead of sengen-pdf; NULL: that one */
static int64_t waited; /* seconds that nobody waits for */

int posix_spawn(pid_t *child, const char *path, const posix_spawn_file_actions_t *actions,
	const posix_spawnattr_t *attributes, char *const argument[], char *const environment[])
{
	return posix_spawnp(
		child, pdf_program ? pdf_program : path, actions, attributes, argument, environment);
}

int clock_gettime(clockid_t which, struct timespec *at)
{
	int rc = (int)syscall(SYS_clock_gettime, which, at);
	at->tv_sec += which == CLOCK_MONOTONIC ? waited : 0;
	return rc;
}

static bool has_pdf(struct rig *rig)
{
	char path[256];
	(void)snprintf(path, sizeof path, "%s/public/declarations.pdf", rig->dir);
	return access(path, F_OK) == 0;
}

/* The other forms are put in place without it, and it is tried again in an hour. */
static void test_desk_publish__pdf_that_fails(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	configure(rig);
	(void)rig_apply(rig, 1);
	rig_run_days(rig, 16);
	pdf_program = "/bin/false";
	(void)run(rig, &job);
	assert_int_equal(last(rig).rows, 1);
	assert_false(has_pdf(rig));
	int64_t first = last(rig).id;
	pdf_program = NULL;
	clock_set(&rig->clock, rig->clock.now + 600);
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first);
	clock_set(&rig->clock, rig->clock.now + 3600);
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1);
	assert_true(has_pdf(rig));
	desk_publish_stop(&job);
}

/* While it is waited for, what ends is struck all the same; and it is not waited for for ever. */
static void test_desk_publish__pdf_that_hangs(void **state)
{
	struct rig *rig = *state;
	void *job = NULL;
	const char *why_ja;
	char hanging[256], gone[256];
	struct str text = STR_INIT;
	utc_time next = 0;
	struct err err = {0};
	configure(rig);
	int64_t one = rig_apply(rig, 1);
	(void)rig_apply(rig, 2);
	rig_run_days(rig, 16);
	(void)run(rig, &job);
	int64_t first = last(rig).id;
	(void)snprintf(
		gone, sizeof gone, "%s/public/data-%lld-0/gone.js", rig->dir, (long long)rig->clock.now);

	rig_write(rig, "hanging", "#!/bin/sh\nexec sleep 60 2>&-\n");
	(void)snprintf(hanging, sizeof hanging, "%s/hanging", rig->dir);
	assert_int_equal(chmod(hanging, 0700), 0);
	pdf_program = hanging;
	clock_set(&rig->clock, civil_moment(rig_today(rig) + 1, 2 * 60));
	struct role_context ctx = context(rig);
	for (int i = 0; i < 5; i++)
		assert_ok(desk_publish(&ctx, &job, rig->clock.now, &next, &rig_err));
	assert_ok(office_stop(
		&rig->office, one, CIVIL_DAY_NONE, "B-3", "staff:1", &why_ja, rig->pool, &rig_err));
	clock_set(&rig->clock, rig->clock.now + 30);
	ctx = context(rig);
	assert_ok(desk_publish(&ctx, &job, rig->clock.now, &next, &rig_err));
	assert_ok(file_read(&text, gone, 4096, &err));
	assert_non_null(strpbrk(text.s, "01"));
	assert_int_equal(last(rig).id, first);

	waited += 3600;
	(void)run(rig, &job);
	assert_int_equal(last(rig).id, first + 1);
	assert_int_equal(last(rig).rows, 1);
	pdf_program = NULL;
	desk_publish_stop(&job);
	str_free(&text);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(test_desk_publish__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_without_a_directory),
		CASE(once_a_day),
		CASE(anew_after_a_stop_but_not_at_each),
		CASE(what_was_damaged_is_written_anew),
		CASE(written_while_the_clock_was_ahead),
		CASE(pdf_that_hangs),
		CASE(pdf_that_fails),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}
