/* Trap 25: a login that fails is taken for a bounce. Faults of our own side stop the sender, never a case: wrong password, a certificate of another host, a server that
 * wants TLS, one that takes no mail from us. */
#include "sender_rig.h"

#define CASES 3

static const struct {
	const char *what;
	struct sink_script script;
} faults[] = {
	{"a wrong password",
		{.tls = SINK_STARTTLS, .mechanisms = "PLAIN", .user = "office", .password = "another"}},
	{"no login offered", {.tls = SINK_STARTTLS}},
	{"login refused for now", {.tls = SINK_STARTTLS,
					  .mechanisms = "PLAIN",
					  .auth = "454 4.7.0 Temporary authentication failure"}},
	{"a certificate of another host", {.tls = SINK_STARTTLS,
						  .mechanisms = "PLAIN",
						  .user = "office",
						  .password = "right",
						  .certificate_host = "evil.example.net"}},
	{"a certificate that ran out", {.tls = SINK_STARTTLS,
					       .mechanisms = "PLAIN",
					       .user = "office",
					       .password = "right",
					       .certificate_expired = true}},
	{"a server that greets with 5xx",
		{.greeting = "554 5.7.1 no service for you", .tls = SINK_STARTTLS, .mechanisms = "PLAIN"}},
	{"EHLO refused", {.ehlo = "550 5.7.1 bad name", .tls = SINK_STARTTLS, .mechanisms = "PLAIN"}},
	{"MAIL refused for authentication", {.mail = "530 5.7.0 Authentication required",
						    .tls = SINK_STARTTLS,
						    .mechanisms = "PLAIN",
						    .user = "office",
						    .password = "right"}},
};

static void test_trap_25__our_faults_are_nobodys(void **state)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		assert_int_equal(i == 0 ? 0 : rig_setup(state), 0);
		struct sink_script script = faults[i].script;
		struct post post = post_open(state, &script, "fault_pause_seconds = 60;");
		int64_t ids[CASES];
		for (int n = 0; n < CASES; n++)
			ids[n] = rig_apply(post.rig, n + 1);
		for (int day = 0; day < 4; day++) {
			(void)work(&post);
			pass_seconds(&post, 86400);
		}
		for (int n = 0; n < CASES; n++) {
			struct address_score score;
			struct notice notice = first_notice(post.rig, ids[n]);
			if (strcmp(rig_outbox(post.rig, ids[n]), "receipt/queued") != 0 ||
				notice.attempts != 0)
				fail_msg("%s: %s, %d attempts", faults[i].what, rig_outbox(post.rig, ids[n]),
					notice.attempts);
			assert_int_equal(rig_app(post.rig, ids[n]).hold, HOLD_NONE);
			assert_string_equal(rig_history(post.rig, ids[n]), "apply queue");
			assert_ok(address_score_get(
				post.rig->office.store, notice.recipient, &score, &rig_err));
			assert_int_equal(score.score, 0);
		}
		struct str fault = STR_INIT;
		assert_ok(fact_get(post.rig->office.store, "sender.fault_ja", &fault, &rig_err));
		if (!fault.len)
			fail_msg("%s: staff are not told", faults[i].what);
		str_free(&fault);
		assert_int_equal(sink_mail_count(post.sink), 0);
		rig_assert_whole(post.rig);
		post_close(&post);
		if (i + 1 < sizeof faults / sizeof *faults)
			(void)rig_teardown(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
		test_trap_25__our_faults_are_nobodys, rig_setup, rig_teardown)};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
