/* T3: a sender that is only slow is taken for dead, another takes its place, and then it goes on. A real process, stopped while its mail is at the server, its
 * lock gone; what it believes of its claims must not be written any more. */
#include "sender_rig.h"

#include <sys/wait.h>

#define FENCED 42

/* The sender that will be stopped: a process with a store of its own. Ends with FENCED once it is refused. */
static pid_t slow_sender(struct post *post)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	struct rig *rig = post->rig;
	struct err err = {0};
	utc_time next;
	rig->office.store = NULL; /* the parent's */
	rig->office.cache = NULL;
	rig_open_store(rig);
	if (office_load_templates(&rig->office, &rig_err))
		_exit(1);
	role_up(post);
	post->ctx.in_turn = false;
	for (int i = 0; i < 4000; i++) {
		enum rc rc = role_sender.step(&post->ctx, rig->clock.now, &next, &err);
		if (rc != RC_OK)
			_exit(rc == RC_REFUSED && strstr(err.text, "taken over") ? FENCED : 2);
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	}
	_exit(3);
}

static void test_trap_03__stopped_for_longer_than_its_lock(void **state)
{
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "connections = 1;");
	int status;
	role_sender.stop(&post.ctx, 0);
	int64_t id = rig_apply(post.rig, 1);
	pid_t slow = slow_sender(&post);
	for (int i = 0; i < 4000 && sink_mail_count(post.sink) == 0; i++)
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	assert_int_equal(sink_mail_count(post.sink), 1);
	assert_int_equal(kill(slow, SIGSTOP), 0);
	assert_int_equal(waitpid(slow, &status, WUNTRACED), slow);
	assert_true(WIFSTOPPED(status));
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sending");

	/* Another takes its place: what it had in flight is unknown, and after the pause the mail goes out again and is taken. */
	script.silent = SINK_NOWHERE;
	sink_change(post.sink, &script);
	role_up(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	pass_seconds(&post, 3600);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");

	/* And a third mail is in the second one's hands when the first goes on: no state of it may change. */
	assert_int_equal(kill(slow, SIGCONT), 0);
	assert_int_equal(waitpid(slow, &status, 0), slow);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != FENCED)
		fail_msg("the sender that was stopped ended with %x", (unsigned)status);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_string_equal(rig_history(post.rig, id), "apply queue unknown sent");
	assert_int_equal(sink_mail_count(post.sink), 2);
	/* The one in charge goes on. */
	int64_t other = rig_apply(post.rig, 2);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, other), "receipt/sent");
	rig_assert_whole(post.rig);
	post_close(&post);
}

/* While the lock is held, stopped or not, nobody takes the place. */
static void test_trap_03__the_lock_outlasts_a_stop(void **state)
{
	struct rig *rig = *state;
	int status, lock, ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t holder = fork();
	if (holder == 0) {
		int mine;
		if (role_lock(rig->settings, "sender", &mine, &rig_err))
			_exit(1);
		(void)!write(ready[1], "x", 1);
		for (;;)
			(void)pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(kill(holder, SIGSTOP), 0);
	assert_int_equal(waitpid(holder, &status, WUNTRACED), holder);
	assert_int_equal(role_lock(rig->settings, "sender", &lock, &rig_err), RC_REFUSED);
	assert_int_equal(kill(holder, SIGKILL), 0);
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_ok(role_lock(rig->settings, "sender", &lock, &rig_err));
	(void)close(lock);
	(void)close(ready[0]);
	(void)close(ready[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_03__stopped_for_longer_than_its_lock, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_03__the_lock_outlasts_a_stop, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
