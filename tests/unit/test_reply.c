/* what a server's reply means for a mail */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/reply.h"

static void test_reply__lines(void **state)
{
	(void)state;
	static const struct {
		const char *lines[4];
		int code;
		const char *enhanced, *text;
	} cases[] = {
		{{"250 ok\r\n"}, 250, "", "ok"},
		{{"550 5.1.1 no such user\r\n"}, 550, "5.1.1", "no such user"},
		{{"550-5.1.1 no\r\n", "550-5.1.1 such\r\n", "550 5.1.1 user\r\n"}, 550, "5.1.1",
			"no such user"},
		{{"354\r\n"}, 354, "", ""},
		{{"250 4.x\r\n"}, 250, "", "4.x"},
		{{"220 first\r\n", "451 4.7.1 later\r\n"}, 451, "4.7.1", "later"},
		{{"550 12.1.1 odd\r\n"}, 550, "", "12.1.1 odd"},
		{{"garbage\r\n"}, 0, "", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reply reply = {0};
		for (size_t l = 0; l < 4 && cases[i].lines[l]; l++)
			reply_add_line(&reply, cases[i].lines[l], strlen(cases[i].lines[l]));
		assert_int_equal(reply.code, cases[i].code);
		assert_string_equal(reply.enhanced, cases[i].enhanced);
		assert_string_equal(reply.text, cases[i].text);
	}
}

static void test_reply__outcomes(void **state)
{
	(void)state;
	static const struct {
		enum smtp_phase phase;
		const char *line; /* NULL: none came */
		bool dot_left;
		enum outcome want;
	} cases[] = {
		{PHASE_DOT, "250 ok", true, OUTCOME_ACCEPTED},
		{PHASE_DOT, "252 ok", true, OUTCOME_ACCEPTED},
		{PHASE_DOT, "451 4.3.0 later", true, OUTCOME_TEMPORARY},
		{PHASE_DOT, "554 5.7.1 spam", true, OUTCOME_PERMANENT},
		{PHASE_DOT, "421 4.3.2 closing", true, OUTCOME_FAULT},
		{PHASE_DOT, NULL, true, OUTCOME_UNKNOWN},
		{PHASE_DOT, NULL, false, OUTCOME_NOT_SENT},
		{PHASE_DATA, NULL, true, OUTCOME_NOT_SENT},
		{PHASE_RCPT, NULL, true, OUTCOME_NOT_SENT},
		{PHASE_MAIL, NULL, true, OUTCOME_NOT_SENT},
		{PHASE_CONNECT, NULL, true, OUTCOME_FAULT},
		{PHASE_TLS, NULL, true, OUTCOME_FAULT},
		{PHASE_AUTH, "535 5.7.8 wrong", true, OUTCOME_FAULT},
		{PHASE_AUTH, "454 4.7.0 not now", true, OUTCOME_FAULT},
		{PHASE_CONNECT, "554 5.7.1 go away", true, OUTCOME_FAULT},
		{PHASE_CONNECT, "421 busy", true, OUTCOME_FAULT},
		{PHASE_MAIL, "530 5.7.0 authentication required", true, OUTCOME_FAULT},
		{PHASE_MAIL, "550 5.7.1 sender rejected", true, OUTCOME_FAULT},
		{PHASE_MAIL, "452 4.3.1 no room", true, OUTCOME_TEMPORARY},
		{PHASE_MAIL, "552 5.3.4 too big", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "550 5.1.1 unknown", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "451 4.7.1 greylisted", true, OUTCOME_TEMPORARY},
		{PHASE_RCPT, "450 4.2.1 mailbox busy", true, OUTCOME_TEMPORARY},
		{PHASE_RCPT, "452 4.2.2 full", true, OUTCOME_TEMPORARY},
		{PHASE_RCPT, "421 4.7.0 too many", true, OUTCOME_FAULT},
		{PHASE_RCPT, "554 5.7.1 <a@example.jp>: Relay access denied", true, OUTCOME_FAULT},
		{PHASE_RCPT, "550 5.7.1 relaying denied", true, OUTCOME_FAULT},
		{PHASE_RCPT, "454 4.7.1 Relay access denied", true, OUTCOME_FAULT},
		/* Servers say at RCPT what they have against the client, too (Postfix: smtpd_delay_reject). */
		{PHASE_RCPT, "550 5.1.8 <bounce@sa.example.jp>: Sender address rejected: Domain not found",
			true, OUTCOME_FAULT},
		{PHASE_RCPT, "450 4.1.8 <bounce@sa.example.jp>: Sender address rejected: Domain not found",
			true, OUTCOME_FAULT},
		{PHASE_RCPT,
			"553 5.7.1 <bounce@sa.example.jp>: Sender address rejected: not owned by user office",
			true, OUTCOME_FAULT},
		{PHASE_RCPT, "554 5.7.1 <office[192.0.2.1]>: Client host rejected: Access denied", true,
			OUTCOME_FAULT},
		{PHASE_RCPT, "450 4.7.25 Client host rejected: cannot find your hostname", true,
			OUTCOME_FAULT},
		{PHASE_RCPT, "504 5.5.2 <office>: Helo command rejected: need fully-qualified hostname", true,
			OUTCOME_FAULT},
		{PHASE_RCPT, "550 5.1.7 bad address syntax", true, OUTCOME_FAULT},
		{PHASE_RCPT, "554 5.7.1 <a@example.jp>: Recipient address rejected: Access denied", true,
			OUTCOME_PERMANENT},
		{PHASE_RCPT, "450 4.1.1 <a@example.jp>: Recipient address rejected: unverified address", true,
			OUTCOME_TEMPORARY},
		{PHASE_RCPT, "450 4.1.2 <a@example.jp>: Recipient address rejected: Domain not found", true,
			OUTCOME_TEMPORARY},
		{PHASE_RCPT, "550 5.1.1 User unknown in relay recipient table", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "550 5.1.2 Relay not found", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "550 <relay@example.jp>: no such user", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "550 a@mail-relay.example.jp unknown", true, OUTCOME_PERMANENT},
		{PHASE_RCPT, "530 5.7.0 Must issue a STARTTLS command first", true, OUTCOME_FAULT},
		{PHASE_RCPT, "503 5.5.1 need MAIL", true, OUTCOME_FAULT},
		{PHASE_DATA, "530 5.7.0 Authentication required", true, OUTCOME_FAULT},
		{PHASE_DOT, "535 5.7.8 Bad credentials", true, OUTCOME_FAULT},
		{PHASE_DATA, "554 5.5.1 no valid recipients", true, OUTCOME_PERMANENT},
		{PHASE_DATA, "451 4.3.0 later", true, OUTCOME_TEMPORARY},
		{PHASE_RCPT, "350 odd", true, OUTCOME_FAULT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct reply reply = {0};
		if (cases[i].line)
			reply_add_line(&reply, cases[i].line, strlen(cases[i].line));
		enum outcome got = reply_outcome(cases[i].phase, &reply, cases[i].dot_left);
		if (got != cases[i].want)
			fail_msg("%s %s: %s, expected %s", smtp_phase_name(cases[i].phase),
				cases[i].line ? cases[i].line : "(none)", outcome_name(got),
				outcome_name(cases[i].want));
	}
}

static void test_reply__print_hides_addresses(void **state)
{
	(void)state;
	static const struct {
		const char *text, *recipient, *want;
	} cases[] = {
		{"ok queued as 12345", "a@example.jp", "ok queued as 12345"},
		{"<taro@example.co.jp>: unknown", "taro@example.co.jp", "<…>: unknown"},
		{"taro@example.co.jp is unknown", "taro@example.co.jp", "<…> is unknown"},
		{"user taro unknown", "taro@example.co.jp", "user <…> unknown"},
		{"User TARO.", "taro@example.co.jp", "User <…>"},
		{"tarot unknown", "taro@example.co.jp", "tarot unknown"},
		{"\"a..b\"@docomo.ne.jp and other@example.com", "\"a..b\"@docomo.ne.jp", "<…> and <…>"},
		{"mailbox a..b. unknown", "\"a..b.\"@docomo.ne.jp", "mailbox <…> unknown"},
		{"bad\r\n\tbytes\x1b[31m \xe3\x81\x82", "b@example.jp", "bad   bytes [31m ..."},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char out[256], small[8];
		reply_print(out, sizeof out, cases[i].text, cases[i].recipient);
		assert_string_equal(out, cases[i].want);
		reply_print(small, sizeof small, cases[i].text, cases[i].recipient);
		assert_true(strlen(small) < sizeof small);
		assert_null(memchr(small, '@', strlen(small)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply__lines),
		cmocka_unit_test(test_reply__outcomes),
		cmocka_unit_test(test_reply__print_hides_addresses),
	};
	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
