/* one mail to a server that misbehaves at every point, and into a Maildir */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/mail/transport.h"
#include "tests/smtp_sink.h"

static char directory[] = "/tmp/sengen-transport-XXXXXX";
static char ca_file[64], token_file[64];

static int set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(directory));
	snprintf(ca_file, sizeof ca_file, "%s/certificate.pem", directory);
	snprintf(token_file, sizeof token_file, "%s/token", directory);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	char command[80];
	snprintf(command, sizeof command, "rm -r %s", directory);
	return system(command);
}

static const char wire[] =
	"From: a@sa.example.jp\r\nTo: b@example.co.jp\r\nSubject: x\r\n\r\n.\r\n..dots\r\nlast line\r\n";

static struct parcel usual_parcel(void)
{
	return (struct parcel){
		.name = "notice-1",
		.sender = "bounce+bae.x@sa.example.jp",
		.recipient = "b@example.co.jp",
		.wire = wire,
		.len = sizeof wire - 1,
	};
}

static char localhost[] = "localhost", user[] = "office", helo[] = "office.sa.example.jp";

static struct transport_settings settings_for(const struct sink *sink, const struct sink_script *script)
{
	static const enum tls_mode modes[] = {
		[SINK_PLAIN] = TLS_NONE, [SINK_STARTTLS] = TLS_STARTTLS, [SINK_IMPLICIT] = TLS_IMPLICIT};
	return (struct transport_settings){
		.host = localhost,
		.port = sink_port(sink),
		.tls = modes[script->tls],
		.ca_file = script->tls == SINK_PLAIN ? NULL : ca_file,
		.helo = helo,
		.user = user,
		.password_from = token_file,
		.connect_seconds = 2,
		.reply_seconds = 1,
		.dot_seconds = 1,
	};
}

static struct delivery send_once(const struct sink_script *script, size_t *got)
{
	struct sink *sink = sink_start(script, directory);
	struct transport_settings settings = settings_for(sink, script);
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	transport_send(transport, &parcel, &delivery);
	transport_free(&transport);
	*got = sink_mail_count(sink);
	sink_stop(&sink);
	return delivery;
}

static void test_transport__what_arrives(void **state)
{
	(void)state;
	struct sink_script script = {0};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	struct transport *transport = transport_new(&settings, NULL);
	static const char *const recipients[] = {
		"b@example.co.jp", "\"a..b\"@docomo.ne.jp", "\"a.b.\"@docomo.ne.jp"};
	for (size_t i = 0; i < 3; i++) {
		struct parcel parcel = usual_parcel();
		struct delivery delivery;
		parcel.recipient = recipients[i];
		if (i == 2)
			parcel.sender = ""; /* null sender */
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
		assert_int_equal(delivery.reply_code, 250);
		assert_string_equal(delivery.enhanced, "2.0.0");
		assert_string_equal(delivery.reply, "accepted");
		assert_string_equal(delivery.phase, "dot");
		assert_false(delivery.line_closed);
		assert_string_equal(sink_mail(sink, i)->recipient.s, recipients[i]);
		assert_string_equal(sink_mail(sink, i)->sender.s, parcel.sender);
		assert_string_equal(sink_mail(sink, i)->data.s, wire);
	}
	transport_free(&transport);
	for (int wait = 0; sink_quits(sink) == 0 && wait < 1000; wait++)
		usleep(5000);
	assert_int_equal(sink_connections(sink), 1);
	assert_int_equal(sink_quits(sink), 1);
	sink_stop(&sink);
}

static void test_transport__faults_by_phase(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct sink_script script;
		enum outcome want;
		int code;
		const char *phase;
		size_t got;
	} cases[] = {
		{"greeting 554", {.greeting = "554 5.7.1 go away"}, OUTCOME_FAULT, 554, "connect", 0},
		{"greeting 421", {.greeting = "421 4.3.2 busy"}, OUTCOME_FAULT, 421, "connect", 0},
		{"greeting cut", {.cut = SINK_AT_GREETING}, OUTCOME_FAULT, 0, "connect", 0},
		{"greeting silent", {.silent = SINK_AT_GREETING}, OUTCOME_FAULT, 0, "connect", 0},
		{"EHLO 550", {.ehlo = "550 5.7.1 not you"}, OUTCOME_FAULT, 550, "connect", 0},
		{"MAIL 550", {.mail = "550 5.7.1 sender refused"}, OUTCOME_FAULT, 550, "mail", 0},
		{"MAIL 451", {.mail = "451 4.3.0 later"}, OUTCOME_TEMPORARY, 451, "mail", 0},
		{"MAIL 552", {.mail = "552 5.3.4 too big"}, OUTCOME_PERMANENT, 552, "mail", 0},
		{"MAIL cut", {.cut = SINK_AT_MAIL}, OUTCOME_NOT_SENT, 0, "mail", 0},
		{"MAIL silent", {.silent = SINK_AT_MAIL}, OUTCOME_NOT_SENT, 0, "mail", 0},
		{"RCPT 550", {.rcpt = "550 5.1.1 <b@example.co.jp> unknown"}, OUTCOME_PERMANENT, 550, "rcpt",
			0},
		{"RCPT 451", {.rcpt = "451 4.7.1 greylisted"}, OUTCOME_TEMPORARY, 451, "rcpt", 0},
		{"RCPT 421", {.rcpt = "421 4.3.2 closing"}, OUTCOME_FAULT, 421, "rcpt", 0},
		{"RCPT relay", {.rcpt = "554 5.7.1 Relay access denied"}, OUTCOME_FAULT, 554, "rcpt", 0},
		{"RCPT cut", {.cut = SINK_AT_RCPT}, OUTCOME_NOT_SENT, 0, "rcpt", 0},
		{"RCPT silent", {.silent = SINK_AT_RCPT}, OUTCOME_NOT_SENT, 0, "rcpt", 0},
		{"550, silent on QUIT", {.rcpt = "550 5.1.1 no", .silent = SINK_AT_QUIT}, OUTCOME_PERMANENT,
			550, "rcpt", 0},
		{"DATA 554", {.data = "554 5.5.1 no"}, OUTCOME_PERMANENT, 554, "data", 0},
		{"DATA cut", {.cut = SINK_AT_DATA}, OUTCOME_NOT_SENT, 0, "data", 0},
		{"dot 451", {.dot = "451 4.3.0 later"}, OUTCOME_TEMPORARY, 451, "dot", 0},
		{"dot 550", {.dot = "550 5.7.1 spam"}, OUTCOME_PERMANENT, 550, "dot", 0},
		{"dot 421", {.dot = "421 4.3.2 closing"}, OUTCOME_FAULT, 421, "dot", 0},
		{"dot cut", {.cut = SINK_AT_DOT}, OUTCOME_UNKNOWN, 0, "dot", 1},
		{"dot silent", {.silent = SINK_AT_DOT}, OUTCOME_UNKNOWN, 0, "dot", 1},
		{"silent on QUIT", {.silent = SINK_AT_QUIT}, OUTCOME_ACCEPTED, 250, "dot", 1},
	};
	/* Where commands leave together, and where the server takes them one by one. */
	for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
		struct sink_script script = cases[i / 2].script;
		struct clock clock = clock_system();
		int64_t start = clock_mono_ms(&clock);
		size_t got;
		if (i % 2 == 1 && !script.ehlo)
			script.ehlo = "250 localhost";
		struct delivery delivery = send_once(&script, &got);
		if (delivery.outcome != cases[i / 2].want || delivery.reply_code != cases[i / 2].code ||
			strcmp(delivery.phase, cases[i / 2].phase) != 0 || got != cases[i / 2].got)
			fail_msg("%s, %zu: %s %d at %s (%s), %zu mails", cases[i / 2].name, i % 2,
				outcome_name(delivery.outcome), delivery.reply_code, delivery.phase,
				delivery.reply, got);
		assert_null(strchr(delivery.reply, '@'));
		/* A dumb server is not waited for at the end. */
		assert_true(clock_mono_ms(&clock) - start < 20000);
	}
}

static void test_transport__cut_before_the_dot(void **state)
{
	(void)state;
	/* More than socket buffers hold: part of it can't have left when the server goes. */
	struct str big = STR_INIT;
	str_add(&big, wire, sizeof wire - 1);
	while (big.len < (size_t)24 * 1024 * 1024)
		str_addz(&big, "a line of a mail that is far too long for what a socket holds\r\n");
	struct sink_script script = {.cut = SINK_IN_DATA};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	parcel.wire = big.s;
	parcel.len = big.len;
	transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_NOT_SENT);
	assert_true(delivery.line_closed);
	assert_int_equal(sink_mail_count(sink), 0);
	transport_free(&transport);
	sink_stop(&sink);
	str_free(&big);
}

static void test_transport__nobody_there(void **state)
{
	(void)state;
	struct sink_script script = {0};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	sink_stop(&sink);
	static char no_such_host[] = "no-such-host.invalid";
	for (int i = 0; i < 2; i++) {
		struct transport *transport = transport_new(&settings, NULL);
		struct parcel parcel = usual_parcel();
		struct delivery delivery;
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_FAULT);
		assert_string_equal(delivery.phase, "connect");
		assert_true(strlen(delivery.reply) > 10);
		transport_free(&transport);
		settings.host = no_such_host;
	}
}

static void test_transport__greylisting_and_line_reuse(void **state)
{
	(void)state;
	struct sink_script script = {.greylist = true};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_TEMPORARY);
	assert_string_equal(delivery.enhanced, "4.7.1");
	assert_string_equal(delivery.reply, "greylisted, please come again");
	assert_true(delivery.line_closed);
	for (int i = 0; i < 5; i++) {
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
	}
	assert_int_equal(sink_connections(sink), 2);
	transport_free(&transport);
	sink_stop(&sink);
}

/* A server that closes a kept connection, with a word or without, is asked anew at once: no fault, no second copy. */
static void test_transport__kept_line_was_closed(void **state)
{
	(void)state;
	static const struct sink_script scripts[] = {{.close_after = 2}, {.close_idle_after = 2}};
	for (size_t i = 0; i < 2; i++) {
		struct sink *sink = sink_start(&scripts[i], directory);
		struct transport_settings settings = settings_for(sink, &scripts[i]);
		struct transport *transport = transport_new(&settings, NULL);
		for (int m = 0; m < 6; m++) {
			struct parcel parcel = usual_parcel();
			struct delivery delivery;
			transport_send(transport, &parcel, &delivery);
			if (delivery.outcome != OUTCOME_ACCEPTED)
				fail_msg("script %zu, mail %d: %s %d at %s (%s)", i, m,
					outcome_name(delivery.outcome), delivery.reply_code, delivery.phase,
					delivery.reply);
		}
		assert_int_equal(sink_mail_count(sink), 6);
		assert_int_equal(sink_connections(sink), 3);
		transport_free(&transport);
		sink_stop(&sink);
	}
}

static void test_transport__tls(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		struct sink_script script;
		enum outcome want;
		const char *phase;
	} cases[] = {
		{"STARTTLS", {.tls = SINK_STARTTLS}, OUTCOME_ACCEPTED, "dot"},
		{"implicit", {.tls = SINK_IMPLICIT}, OUTCOME_ACCEPTED, "dot"},
		{"expired", {.tls = SINK_STARTTLS, .certificate_expired = true}, OUTCOME_FAULT, "tls"},
		{"wrong host", {.tls = SINK_STARTTLS, .certificate_host = "mail.example.com"}, OUTCOME_FAULT,
			"tls"},
		{"wrong host, implicit", {.tls = SINK_IMPLICIT, .certificate_host = "mail.example.com"},
			OUTCOME_FAULT, "tls"},
		{"not offered", {.tls = SINK_STARTTLS, .ehlo = "250 localhost"}, OUTCOME_FAULT, "tls"},
		{"injected before TLS", {.tls = SINK_STARTTLS, .inject = "250 2.1.0 forged\r\n"},
			OUTCOME_FAULT, NULL},
		{"silent on QUIT", {.tls = SINK_STARTTLS, .silent = SINK_AT_QUIT}, OUTCOME_ACCEPTED, "dot"},
		{"dot cut", {.tls = SINK_IMPLICIT, .cut = SINK_AT_DOT}, OUTCOME_UNKNOWN, "dot"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		size_t got;
		struct delivery delivery = send_once(&cases[i].script, &got);
		if (delivery.outcome != cases[i].want ||
			(cases[i].phase && strcmp(delivery.phase, cases[i].phase) != 0))
			fail_msg("%s: %s %d at %s (%s)", cases[i].name, outcome_name(delivery.outcome),
				delivery.reply_code, delivery.phase, delivery.reply);
		if (delivery.outcome == OUTCOME_FAULT)
			assert_int_equal(got, 0);
	}
	/* A certificate that nobody we know has signed. */
	struct sink_script script = {.tls = SINK_STARTTLS};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	settings.ca_file = NULL;
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_FAULT);
	assert_string_equal(delivery.phase, "tls");
	transport_free(&transport);
	sink_stop(&sink);
}

static void put_token(const char *token)
{
	struct err err;
	assert_int_equal(file_write(token_file, token, strlen(token), 0600, &err), RC_OK);
}

static void test_transport__login(void **state)
{
	(void)state;
	static const struct {
		const char *mechanisms;
		enum auth_mode auth;
		const char *password;
		enum outcome want;
		int code;
		const char *phase;
	} cases[] = {
		{"PLAIN LOGIN", AUTH_PLAIN, "DATA", OUTCOME_ACCEPTED, 250, "dot"},
		{"PLAIN LOGIN", AUTH_LOGIN, "DATA", OUTCOME_ACCEPTED, 250, "dot"},
		{"XOAUTH2 PLAIN", AUTH_XOAUTH2, "DATA", OUTCOME_ACCEPTED, 250, "dot"},
		{"PLAIN LOGIN", AUTH_PLAIN, "wrong", OUTCOME_FAULT, 535, "auth"},
		{"PLAIN LOGIN", AUTH_LOGIN, "wrong", OUTCOME_FAULT, 535, "auth"},
		{"XOAUTH2", AUTH_XOAUTH2, "wrong", OUTCOME_FAULT, 535, "auth"},
		{"LOGIN", AUTH_PLAIN, "DATA", OUTCOME_FAULT, 0, "auth"},
		{NULL, AUTH_PLAIN, "DATA", OUTCOME_FAULT, 0, "auth"},
		{"PLAIN", AUTH_NONE, "DATA", OUTCOME_FAULT, 530, "mail"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct sink_script script = {.tls = SINK_STARTTLS,
			.mechanisms = cases[i].mechanisms,
			.user = "office",
			.password = "DATA"};
		struct sink *sink = sink_start(&script, directory);
		struct transport_settings settings = settings_for(sink, &script);
		settings.auth = cases[i].auth;
		put_token(cases[i].password);
		struct transport *transport = transport_new(&settings, cases[i].password);
		struct parcel parcel = usual_parcel();
		struct delivery delivery;
		transport_send(transport, &parcel, &delivery);
		if (delivery.outcome != cases[i].want || delivery.reply_code != cases[i].code ||
			strcmp(delivery.phase, cases[i].phase) != 0)
			fail_msg("login %zu: %s %d at %s (%s)", i, outcome_name(delivery.outcome),
				delivery.reply_code, delivery.phase, delivery.reply);
		assert_int_equal(sink_mail_count(sink), delivery.outcome == OUTCOME_ACCEPTED);
		transport_free(&transport);
		sink_stop(&sink);
	}
}

static void test_transport__token_is_read_for_each_connection(void **state)
{
	(void)state;
	struct sink_script script = {
		.mechanisms = "XOAUTH2", .user = "office", .password = "first", .close_idle_after = 2};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	settings.auth = AUTH_XOAUTH2;
	put_token("first\n");
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
	put_token("second\n");
	script.password = "second";
	sink_change(sink, &script);
	for (int i = 0; i < 2; i++) { /* the second on the kept connection, the third needs another one */
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
	}
	assert_int_equal(sink_logins(sink), 2);
	unlink(token_file);
	for (int i = 0; i < 2; i++)
		transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_FAULT);
	assert_string_equal(delivery.phase, "auth");
	transport_free(&transport);
	sink_stop(&sink);
}

/* T14: an address never becomes a second command. */
static void test_transport__refuses_injection(void **state)
{
	(void)state;
	static const char *const poison[] = {"a@example.jp>\r\nRCPT TO:<c@example.jp", "a@example.jp\nDATA",
		"a b@example.jp", "a@example.jp> SIZE=1", "", "a@b@example.jp", "あ@example.jp",
		"\"a@example.jp", "a@example.jp\x7f"};
	struct sink_script script = {0};
	struct sink *sink = sink_start(&script, directory);
	struct transport_settings settings = settings_for(sink, &script);
	struct transport *transport = transport_new(&settings, NULL);
	for (size_t i = 0; i < sizeof poison / sizeof poison[0]; i++) {
		struct parcel parcel = usual_parcel();
		struct delivery delivery;
		parcel.recipient = poison[i];
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_PERMANENT);
		assert_string_equal(delivery.phase, "rcpt");
		if (*poison[i]) {
			parcel = usual_parcel();
			parcel.sender = poison[i];
			transport_send(transport, &parcel, &delivery);
			assert_int_equal(delivery.outcome, OUTCOME_PERMANENT);
		}
	}
	assert_int_equal(sink_connections(sink), 0);
	transport_free(&transport);
	sink_stop(&sink);
}

static void test_transport__maildir(void **state)
{
	(void)state;
	char path[80], file[120];
	snprintf(path, sizeof path, "%s/mail/box", directory);
	snprintf(file, sizeof file, "%s/new/notice-1", path);
	struct transport_settings settings = {.maildir = true, .path = path};
	struct transport *transport = transport_new(&settings, NULL);
	struct parcel parcel = usual_parcel();
	struct delivery delivery;
	struct str mail = STR_INIT, want = STR_INIT;
	struct err err;
	str_printf(
		&want, "Return-Path: <%s>\r\nDelivered-To: %s\r\n%s", parcel.sender, parcel.recipient, wire);
	struct stat first, second;
	for (int i = 0; i < 2; i++) {
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
		assert_int_equal(delivery.reply_code, 250);
		str_clear(&mail);
		assert_int_equal(file_read(&mail, file, 65536, &err), RC_OK);
		assert_string_equal(mail.s, want.s);
		assert_int_equal(stat(file, i ? &second : &first), 0);
	}
	assert_int_equal(first.st_ino, second.st_ino);
	struct strlist names = {0}; /* nothing is left in tmp */
	snprintf(file, sizeof file, "%s/tmp", path);
	assert_int_equal(file_list_dir(&names, file, &err), RC_OK);
	assert_int_equal(names.count, 0);
	transport_free(&transport);

	/* A Maildir that can't be written is our fault. */
	static char nowhere[] = "/proc/no-such-maildir";
	settings.path = nowhere;
	transport = transport_new(&settings, NULL);
	transport_send(transport, &parcel, &delivery);
	assert_int_equal(delivery.outcome, OUTCOME_FAULT);
	transport_free(&transport);
	str_free(&mail);
	str_free(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_transport__what_arrives),
		cmocka_unit_test(test_transport__faults_by_phase),
		cmocka_unit_test(test_transport__cut_before_the_dot),
		cmocka_unit_test(test_transport__nobody_there),
		cmocka_unit_test(test_transport__greylisting_and_line_reuse),
		cmocka_unit_test(test_transport__kept_line_was_closed),
		cmocka_unit_test(test_transport__tls),
		cmocka_unit_test(test_transport__login),
		cmocka_unit_test(test_transport__token_is_read_for_each_connection),
		cmocka_unit_test(test_transport__refuses_injection),
		cmocka_unit_test(test_transport__maildir),
	};
	return cmocka_run_group_tests_name("transport", tests, set_up, tear_down);
}
