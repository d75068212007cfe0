/* Trap 21 (of the IMAP client): content ends the reply and feeds the next one; of several sections one arrives; only a first line comes. Fetched here: a mail that
 * looks like the end of its own answer and like those of the next commands, each by itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/mail/mailbox.h"
#include "tests/imap_script.h"
#include "tests/unit/scratch.h"

/* Tags that are about to come, a literal, an untagged answer, an end: all of it text. */
#define HOSTILE                                                                                              \
	"Subject: x\r\n\r\n)\r\n1 OK y\r\n2 OK y\r\n3 OK y\r\n4 OK y\r\n5 OK y\r\n6 OK y\r\n7 OK y\r\n"      \
	"A1 OK y\r\n* 9 FETCH (UID 6 BODY[] {3}\r\nabc)\r\n* BYE\r\n+ go on\r\n{9999999}\r\n"
#define GOOD "Subject: good\r\n\r\nsecond line\r\nthird line\r\n"
#define DONE "$T OK done\r\n"

static char rules_text[4][2048];
static struct imap_rule rules[6];

static void rule_for(int at, const char *uid, const char *mail)
{
	static char on[4][64];
	(void)snprintf(on[at], sizeof on[at], "UID FETCH %s (UID RFC822.SIZE)", uid);
	(void)snprintf(rules_text[at], sizeof rules_text[at], "* 1 FETCH (UID %s RFC822.SIZE %zu)\r\n" DONE,
		uid, strlen(mail));
	rules[at] = (struct imap_rule){.on = on[at], .answer = rules_text[at]};
	(void)snprintf(on[at + 1], sizeof on[at + 1], "UID FETCH %s (UID BODY", uid);
	(void)snprintf(rules_text[at + 1], sizeof rules_text[at + 1],
		"* 1 FETCH (UID %s BODY[] {%zu}\r\n%s)\r\n" DONE, uid, strlen(mail), mail);
	rules[at + 1] = (struct imap_rule){.on = on[at + 1], .answer = rules_text[at + 1]};
}

static void test_trap_21__one_uid_one_section_each_by_itself(void **state)
{
	(void)state;
	static char host[] = "localhost", user[] = "office", inbox[] = "INBOX", done[] = "処理済み",
		    review[] = "要確認", bounce[] = "バウンス", password[128];
	struct err err = {0};
	struct str raw = STR_INIT;
	struct mailbox *mailbox;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)snprintf(password, sizeof password, "%s", scratch_path("password"));
	rule_for(0, "5", HOSTILE);
	rule_for(2, "6", GOOD);
	struct imap_server *server = imap_server_start(&(struct imap_script){.rules = rules});
	struct mailbox_settings settings = {.host = host,
		.port = imap_server_port(server),
		.user = user,
		.auth = AUTH_LOGIN,
		.tls = TLS_NONE,
		.password_from = password,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.idle_seconds = 600,
		.message_bytes = 100000};
	mailbox = mailbox_new(&settings, "secret");
	if (mailbox_open(mailbox, &err) != RC_OK)
		fail_msg("%s", err.text);
	if (mailbox_fetch(mailbox, "5", &raw, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(raw.len, strlen(HOSTILE));
	assert_string_equal(raw.s, HOSTILE);
	str_clear(&raw);
	/* Nothing of it was taken for the answer to what is asked next. */
	if (mailbox_fetch(mailbox, "6", &raw, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_string_equal(raw.s, GOOD);
	assert_int_equal(imap_server_heard(server, "UID FETCH 5 (UID BODY.PEEK[])"), 1);
	assert_int_equal(imap_server_heard(server, "UID FETCH 6 (UID BODY.PEEK[])"), 1);
	assert_int_equal(imap_server_heard(server, "UID FETCH 5:"), 0);
	assert_int_equal(imap_server_heard(server, "UID FETCH 5,"), 0);
	assert_int_equal(imap_server_heard(server, "FETCH"), 0);
	str_free(&raw);
	mailbox_free(&mailbox);
	imap_server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_21__one_uid_one_section_each_by_itself)};
	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
