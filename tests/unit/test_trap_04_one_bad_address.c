/* T4: one bad address stops the batch, or its bookkeeping. 5xx in the middle of a batch, at RCPT and after the dot. */
#include "sender_rig.h"

#define BATCH 12
#define BAD 6

static void batch_with_one_bad(void **state, struct sink_script *script, const char *more)
{
	struct post post = post_open(state, script, more);
	int64_t ids[BATCH];
	for (int i = 0; i < BATCH; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	(void)work(&post);
	for (int i = 0; i < BATCH; i++) {
		bool bad = i + 1 == BAD;
		assert_string_equal(rig_outbox(post.rig, ids[i]), bad ? "receipt/failed" : "receipt/sent");
		assert_int_equal(rig_app(post.rig, ids[i]).hold, bad ? HOLD_REVIEW : HOLD_NONE);
		assert_int_equal(first_notice(post.rig, ids[i]).attempts, 1);
		assert_int_equal(first_notice(post.rig, ids[i]).reply_code, bad ? 550 : 250);
	}
	assert_int_equal(sink_mail_count(post.sink), BATCH - 1);
	assert_fact(post.rig, "sender.fault", NULL); /* one address is no trouble of ours */
	/* The others go their way to the end; the bad one waits for a person. */
	for (int i = 0; i < 40; i++) {
		struct step_result step;
		pass_seconds(&post, 86400);
		assert_ok(office_run_due(&post.rig->office, 50, &step, &rig_err));
		(void)work(&post);
	}
	for (int i = 0; i < BATCH; i++)
		assert_string_equal(rig_outbox(post.rig, ids[i]),
			i + 1 == BAD ? "receipt/failed" : "receipt/sent id/sent logo/sent");
	rig_assert_whole(post.rig);
	post_close(&post);
}

static void test_trap_04__refused_at_rcpt(void **state)
{
	struct sink_script script = {.refuse = "info6@"};
	batch_with_one_bad(state, &script, "connections = 1; mails_per_connection = 100;");
}

static void test_trap_04__refused_with_several_lines(void **state)
{
	struct sink_script script = {.refuse = "info6@"};
	batch_with_one_bad(state, &script, "connections = 4; mails_per_connection = 2;");
}

/* The server relays to all the world but one domain: trouble of ours, and the mails behind it go all the same. */
static void test_trap_04__one_is_not_relayed(void **state)
{
	struct sink_script script = {.refuse = "info1@", .refusal = "554 5.7.1 Relay access denied"};
	struct post post = post_open(state, &script, "connections = 1; fault_pause_seconds = 60;");
	int64_t ids[BATCH];
	for (int i = 0; i < BATCH; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	(void)work(&post);
	assert_fact(post.rig, "sender.fault", "Relay");
	pass_seconds(&post, 60);
	(void)work(&post);
	for (int i = 1; i < BATCH; i++)
		assert_string_equal(rig_outbox(post.rig, ids[i]), "receipt/sent");
	assert_string_equal(rig_outbox(post.rig, ids[0]), "receipt/queued");
	assert_fact(post.rig, "sender.fault", "Relay");
	post_close(&post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_04__refused_at_rcpt, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_04__refused_with_several_lines, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_04__one_is_not_relayed, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
