/* T1: a mark that moves when a case is chosen, not when its mail was sent, skips people or mails them twice. Killed at every write to the register from choosing to
 * recording, and before and after the mail itself. */
#include "office_rig.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>

#define APPLICATIONS 2

static int steps_left = -1; /* -1: for ever */
static sqlite3_syscall_ptr real_write;

/* Each step a process can be killed before. */
static void step(void)
{
	if (steps_left == 0)
		(void)kill(getpid(), SIGKILL);
	if (steps_left > 0)
		steps_left--;
}

static ssize_t counted_write(int fd, const void *bytes, size_t len, off_t at)
{
	step();
	return ((ssize_t(*)(int, const void *, size_t, off_t))real_write)(fd, bytes, len, at);
}

static void count_writes(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	if (real_write)
		return;
	real_write = vfs->xGetSystemCall(vfs, "pwrite64");
	if (!real_write)
		real_write = vfs->xGetSystemCall(vfs, "pwrite");
	assert_non_null(real_write);
	(void)vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)counted_write);
	(void)vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)counted_write);
}

static const char *post_path;

/* The mail server: a line for each mail it took. */
static enum outcome take_mail(const struct notice *notice)
{
	step();
	int fd = open(post_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	(void)dprintf(fd, "%s %s\n", notice->template_name, notice->message_id);
	(void)close(fd);
	step();
	return OUTCOME_ACCEPTED;
}

static int times_taken(const struct rig *rig, const char *template_name, const char *message_id)
{
	struct str post = STR_INIT;
	char line[200];
	int count = 0;
	(void)snprintf(line, sizeof line, "%s %s\n", template_name, message_id);
	(void)rig;
	assert_ok(file_read(&post, post_path, (size_t)1 << 20, &rig_err));
	for (const char *at = post.s; (at = strstr(at, line)) != NULL; at++)
		count++;
	str_free(&post);
	return count;
}

/* The child goes from choosing (the ID is due) to recording, and dies before its n-th step. false: it came to the end. */
static bool die_at(struct rig *rig, int n)
{
	int status;
	office_close(&rig->office);
	store_close(&rig->office.store);
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		steps_left = n;
		rig_open_store(rig);
		if (office_load_templates(&rig->office, &rig_err))
			_exit(2);
		(void)rig_turn(rig);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return true;
	assert_int_equal(status, 0);
	return false;
}

/* Everybody got the mail, no more than one copy each and in all one more than that, with the same Message-ID; and the books are whole. */
static int check(struct rig *rig, const int64_t *ids)
{
	int copies = 0;
	for (int i = 0; i < APPLICATIONS; i++) {
		struct rig_notices all = rig_notices(rig, ids[i]);
		assert_string_equal(rig_outbox(rig, ids[i]), "receipt/sent id/sent");
		assert_int_equal(rig_count_events(rig, ids[i], EVENT_ISSUE_ID), 1);
		int taken = times_taken(rig, "id", all.item[1].message_id);
		assert_in_range(taken, 1, 2);
		copies += taken - 1;
	}
	assert_in_range(copies, 0, 1);
	return copies;
}

/* Cases of this round whose ID is due at the rig's time; those of the rounds before have ended. */
static void cases_due(struct rig *rig, int round, int64_t *ids)
{
	utc_time monday = civil_moment(rig_today(rig) / 7 * 7 + 7 + 4, 10 * 60);
	clock_set(&rig->clock, monday);
	for (int i = 0; i < APPLICATIONS; i++)
		ids[i] = rig_apply(rig, round * APPLICATIONS + i + 1);
	(void)rig_turn(rig);
	clock_set(&rig->clock, monday + 7 * 86400);
}

static void cases_end(struct rig *rig, const int64_t *ids)
{
	const char *why_ja;
	for (int i = 0; i < APPLICATIONS; i++)
		assert_ok(office_stop(&rig->office, ids[i], CIVIL_DAY_NONE, "試験", "staff:1000", &why_ja,
			rig->pool, &rig_err));
}

static void test_trap_01__killed_at_every_step(void **state)
{
	struct rig *rig = *state;
	int64_t ids[APPLICATIONS];
	int copies = 0, n = 0, unknown;
	count_writes();
	post_path = pool_printf(rig->pool, "%s/post", rig->dir);
	rig_configure(rig, "business_days = false; hours = \"\"; ceiling_minimum = 1000;");
	rig->answer = take_mail;
	for (bool died = true; died; n++) {
		cases_due(rig, n, ids);
		died = die_at(rig, n);
		assert_ok(office_recover_sending(&rig->office, &unknown, &rig_err));
		rig_run_until(rig, rig->clock.now + 86400);
		copies += check(rig, ids);
		cases_end(rig, ids);
	}
	rig_assert_whole(rig);
	printf("figure: T1: killed at each of %d steps from choosing to recording: nobody left out; %d times "
	       "a second copy, of the one mail in flight\n",
		n - 1, copies);
	assert_true(n > 20); /* there were steps to be killed at */
	assert_true(copies > 0); /* and some lay between the server's yes and our writing it down */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_01__killed_at_every_step, rig_setup, rig_teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
