/* T2: the server took the mail and is silent. Unknown is a state of its own: one repeat after a pause, the same Message-ID and bytes; then a person. */
#include "sender_rig.h"

static void test_trap_02__takes_the_mail_and_is_silent(void **state)
{
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	utc_time next = work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	assert_int_equal(sink_mail_count(post.sink), 1);
	assert_true(next == post.rig->clock.now + 3600);
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_NONE);

	pass_seconds(&post, 3599);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 1); /* not before the pause is over */
	pass_seconds(&post, 1);
	assert_true(work(&post) == UTC_NEVER);
	assert_int_equal(sink_mail_count(post.sink), 2);
	const struct sink_mail *first = sink_mail(post.sink, 0), *second = sink_mail(post.sink, 1);
	assert_non_null(strstr(first->data.s, first_notice(post.rig, id).message_id));
	assert_string_equal(first->data.s, second->data.s);
	assert_string_equal(first->recipient.s, second->recipient.s);

	/* Never repeated blindly: from here on it is for staff, whatever time passes and however often the sender starts. */
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_REVIEW);
	for (int day = 0; day < 10; day++) {
		pass_seconds(&post, 86400 * 3);
		role_sender.stop(&post.ctx, 0);
		role_up(&post);
		(void)work(&post);
	}
	assert_int_equal(sink_mail_count(post.sink), 2);
	rig_assert_whole(post.rig);
	post_close(&post);
}

/* The repeat is answered: the case goes on. */
static void test_trap_02__the_repeat_is_taken(void **state)
{
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	(void)work(&post);
	script.silent = SINK_NOWHERE;
	sink_change(post.sink, &script);
	pass_seconds(&post, 3600);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_string_equal(rig_history(post.rig, id), "apply queue unknown sent");
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_NONE);
	assert_int_equal(sink_mail_count(post.sink), 2);
	post_close(&post);
}

/* The answer comes at last, when another mail is on its way: it must not be taken for that one's. */
static void test_trap_02__late_answer_is_nobody_elses(void **state)
{
	struct sink_script script = {.dot = "550 5.7.1 refused, and late", .reply_pause_ms = 1500};
	struct post post = post_open(state, &script, "connections = 1;");
	int64_t first = rig_apply(post.rig, 1);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, first), "receipt/unknown");
	script = (struct sink_script){0};
	sink_change(post.sink, &script);
	int64_t second = rig_apply(post.rig, 2);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, second), "receipt/sent");
	assert_int_equal(sink_connections(post.sink), 2);
	post_close(&post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_02__takes_the_mail_and_is_silent, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_02__the_repeat_is_taken, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_02__late_answer_is_nobody_elses, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
