/* Trap 23: what a server, or somebody on the line, says in the clear behind its answer to STARTTLS was believed after it. In both directions of mail: nothing is sent,
 * no password, and it is trouble of ours, never the recipient's. */
#include "sender_rig.h"

#include "lib/mail/mailbox.h"
#include "tests/imap_script.h"

static void test_trap_23__sending(void **state)
{
	struct sink_script script = {.tls = SINK_STARTTLS,
		.mechanisms = "PLAIN",
		.user = "office",
		.password = "right",
		.inject = "250-localhost\r\n250 AUTH PLAIN\r\n235 welcome\r\n250 ok\r\n250 ok\r\n354 "
			  "go\r\n250 taken\r\n"};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 0);
	assert_int_equal(sink_logins(post.sink), 0);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/queued");
	assert_int_equal(first_notice(post.rig, id).attempts, 0);
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_NONE);
	/* The proof that only that was wrong. */
	script.inject = NULL;
	sink_change(post.sink, &script);
	pass_seconds(&post, 86400);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	post_close(&post);
}

static void test_trap_23__reading(void **state)
{
	struct rig *rig = *state;
	static const struct imap_rule injected[] = {
		{.on = "STARTTLS", .answer = "$T OK go\r\n* PREAUTH you are in\r\n3 OK logged in\r\n"}, {0}};
	static char host[] = "localhost", user[] = "office", inbox[] = "INBOX", done[] = "処理済み",
		    review[] = "要確認", bounce[] = "バウンス";
	char *ca_file = pool_printf(rig->pool, "%s/imap.pem", rig->dir);
	struct imap_server *server = imap_server_start(
		&(struct imap_script){.tls = IMAP_STARTTLS, .rules = injected, .certificate = ca_file});
	struct mailbox_settings settings = {.host = host,
		.port = imap_server_port(server),
		.user = user,
		.auth = AUTH_LOGIN,
		.tls = TLS_STARTTLS,
		.ca_file = ca_file,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.idle_seconds = 600,
		.message_bytes = 100000};
	struct mailbox *mailbox = mailbox_new(&settings, "secret");
	assert_int_equal(mailbox_open(mailbox, &rig_err), RC_SERVER);
	assert_int_equal(imap_server_heard(server, "LOGIN"), 0);
	assert_int_equal(imap_server_heard(server, "AUTHENTICATE"), 0);
	assert_int_equal(imap_server_heard(server, "SELECT"), 0);
	mailbox_free(&mailbox);
	imap_server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_23__sending, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_23__reading, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
