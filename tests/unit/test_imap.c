/* the IMAP mailbox against servers that lie, break off, fall silent or flood */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/mail/mailbox.h"
#include "tests/imap_script.h"
#include "tests/unit/scratch.h"

static struct mailbox_settings settings;
static struct imap_server *server;
static struct mailbox *mailbox;
static struct pool *pool;
static struct err err;
static char host[] = "localhost", user[] = "office@sa.example.jp", inbox[] = "INBOX", done[] = "処理済み",
	    review[] = "要確認", bounce[] = "バウンス", ca_file[128], token_file[128];

#define TAGGED_OK "$T OK done\r\n"
#define CAPABLE(more) "* CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=XOAUTH2 " more "\r\n" TAGGED_OK
#define SELECTED(exists, validity, next)                                                                     \
	"* " #exists " EXISTS\r\n* OK [UIDVALIDITY " #validity "] x\r\n* OK [UIDNEXT " #next                 \
	"] x\r\n" TAGGED_OK

static int set_up(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (scratch_make(state) != 0)
		return -1;
	(void)snprintf(ca_file, sizeof ca_file, "%s/certificate.pem", scratch);
	(void)snprintf(token_file, sizeof token_file, "%s/token", scratch);
	pool = pool_new();
	settings = (struct mailbox_settings){
		.host = host,
		.user = user,
		.auth = AUTH_LOGIN,
		.tls = TLS_NONE,
		.password_from = token_file,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.idle_seconds = 600,
		.message_bytes = 100000,
	};
	return 0;
}

static int tear_down(void **state)
{
	mailbox_free(&mailbox);
	if (server)
		imap_server_stop(&server);
	pool_free(&pool);
	return scratch_remove(state);
}

static void start(const struct imap_script *script)
{
	static const enum tls_mode modes[] = {
		[IMAP_PLAIN] = TLS_NONE, [IMAP_STARTTLS] = TLS_STARTTLS, [IMAP_IMPLICIT] = TLS_IMPLICIT};
	struct imap_script with_path = *script;
	if (!with_path.certificate)
		with_path.certificate = ca_file;
	server = imap_server_start(&with_path);
	settings.port = imap_server_port(server);
	settings.tls = modes[script->tls];
	settings.ca_file = script->tls == IMAP_PLAIN ? NULL : ca_file;
}

static enum rc open_as(const char *password)
{
	mailbox_free(&mailbox);
	mailbox = mailbox_new(&settings, password);
	return mailbox_open(mailbox, &err);
}

/* A server in the clear with these rules, and a session with it. */
static void start_open(const struct imap_rule *rules)
{
	start(&(struct imap_script){.rules = rules});
	if (open_as("geheim") != RC_OK)
		fail_msg("%s", err.text);
}

/* The next test case within one test. */
static void stop(void)
{
	mailbox_free(&mailbox);
	imap_server_stop(&server);
}

static void assert_refused(const char *phase, const char *words)
{
	assert_int_equal(err.rc, RC_SERVER);
	assert_string_equal(mailbox_phase(mailbox), phase);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_false(mailbox_is_open(mailbox));
}

static struct mailbox_list list_after(const char *after, size_t limit)
{
	struct mailbox_list out;
	if (mailbox_list(mailbox, FOLDER_INBOX, after, limit, &out, pool, &err) != RC_OK)
		fail_msg("%s", err.text);
	return out;
}

/* ---- TLS ---- */

static void test_imap__good_session_says_nothing_in_the_clear(void **state)
{
	(void)state;
	static const enum imap_tls kinds[] = {IMAP_IMPLICIT, IMAP_STARTTLS};
	for (size_t i = 0; i < 2; i++) {
		start(&(struct imap_script){.tls = kinds[i]});
		assert_int_equal(open_as("geheim"), RC_OK);
		assert_true(mailbox_is_open(mailbox));
		assert_int_equal(imap_server_heard(server, "LOGIN \"office@sa.example.jp\" \"geheim\""), 1);
		assert_int_equal(imap_server_heard_clear(server, "LOGIN"), 0);
		assert_int_equal(imap_server_heard_clear(server, ""), kinds[i] == IMAP_STARTTLS ? 2 : 0);
		/* Before STARTTLS (where there is one), before the login, and behind it. */
		assert_int_equal(imap_server_heard(server, "CAPABILITY"), kinds[i] == IMAP_STARTTLS ? 3 : 2);
		assert_int_equal(imap_server_heard(server, "SELECT \"INBOX\""), 1);
		/* It stands: nothing is opened anew. */
		assert_int_equal(mailbox_open(mailbox, &err), RC_OK);
		assert_int_equal(imap_server_connections(server), 1);
		stop();
	}
}

static void test_imap__bad_certificates_before_anything_is_said(void **state)
{
	(void)state;
	static const enum imap_tls kinds[] = {IMAP_IMPLICIT, IMAP_STARTTLS};
	static const struct {
		const char *host;
		bool expired, foreign;
		const char *words;
	} cases[] = {
		{"mail.example.org", false, false, "name in the certificate does not match"},
		{"localhost", true, false, "expired"},
		{"localhost", false, true, "NOT trusted"},
	};
	for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
		size_t one = i / 2;
		struct imap_script script = {.tls = kinds[i % 2],
			.certificate_host = cases[one].host,
			.certificate_expired = cases[one].expired};
		if (cases[one].foreign) { /* it trusts another one of the same name */
			start(&script);
			imap_server_stop(&server);
			script.certificate = scratch_path("foreign.pem");
		}
		start(&script);
		assert_int_equal(open_as("geheim"), RC_SERVER);
		assert_refused("tls", cases[one].words);
		assert_int_equal(imap_server_heard(server, "LOGIN"), 0);
		assert_int_equal(imap_server_heard(server, ""), kinds[i % 2] == IMAP_STARTTLS ? 2 : 0);
		stop();
	}
}

static void test_imap__no_ca_file(void **state)
{
	(void)state;
	start(&(struct imap_script){.tls = IMAP_IMPLICIT});
	char missing[] = "/nonexistent/ca.pem";
	settings.ca_file = missing;
	assert_int_equal(open_as("geheim"), RC_CONFIG);
	assert_int_equal(imap_server_heard(server, ""), 0);
}

static void test_imap__starttls_that_is_tampered_with(void **state)
{
	(void)state;
	static const struct imap_rule injected[] = {
		{.on = "STARTTLS", .answer = "$T OK go\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n3 OK\r\n"},
		{0}};
	static const struct imap_rule refused[] = {{.on = "STARTTLS", .answer = "$T NO not now\r\n"}, {0}};
	static const struct imap_rule bad[] = {{.on = "STARTTLS", .answer = "$T BAD what?\r\n"}, {0}};
	static const struct imap_rule stripped[] = {
		{.on = "CAPABILITY", .answer = "* CAPABILITY IMAP4rev1\r\n$T OK done\r\n"}, {0}};
	static const struct {
		const struct imap_rule *rules;
		const char *greeting, *words;
	} cases[] = {
		{injected, NULL, "in the clear behind its answer to STARTTLS"},
		{refused, NULL, "refuses STARTTLS"},
		{bad, NULL, "does not understand"},
		{stripped, NULL, "offers no STARTTLS"},
		{NULL, "* PREAUTH welcome\r\n", "logged in before TLS"},
		{NULL, "* BYE overloaded\r\n", "overloaded"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start(&(struct imap_script){
			.tls = IMAP_STARTTLS, .rules = cases[i].rules, .greeting = cases[i].greeting});
		assert_int_equal(open_as("geheim"), RC_SERVER);
		assert_refused(i < 5 ? "tls" : "connect", cases[i].words);
		assert_int_equal(imap_server_heard(server, "LOGIN "), 0);
		assert_int_equal(imap_server_heard(server, "SELECT"), 0);
		stop();
	}
}

static void test_imap__what_was_offered_in_the_clear_counts_for_nothing(void **state)
{
	(void)state;
	/* In the clear it had LOGIN and MOVE; over TLS it says otherwise. */
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("MOVE"), .times = 1},
		{.on = "CAPABILITY", .answer = "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n$T OK done\r\n"},
		{0},
	};
	start(&(struct imap_script){.tls = IMAP_STARTTLS, .rules = rules});
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("auth", "allows no LOGIN");
	assert_int_equal(imap_server_heard(server, "LOGIN "), 0);
}

/* libetpan's parser takes a list without a word, and falls over it when it is asked. */
static void test_imap__a_server_that_can_nothing(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = "* CAPABILITY\r\n$T OK done\r\n"}, {0}};
	start(&(struct imap_script){.rules = rules});
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_string_equal(mailbox_phase(mailbox), "auth");
	assert_false(mailbox_is_open(mailbox));
}

/* ---- login ---- */

static void test_imap__login_in_quotes_and_as_literal(void **state)
{
	(void)state;
	static const struct {
		const char *password, *said;
	} cases[] = {
		{"a\"b\\c d", "LOGIN \"office@sa.example.jp\" \"a\\\"b\\\\c d\""},
		{"ひみつ", "LOGIN \"office@sa.example.jp\" {9}ひみつ"},
		{"two\r\nlines", "LOGIN \"office@sa.example.jp\" {10}two\r\nlines"},
		{"", "LOGIN \"office@sa.example.jp\" \"\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start(&(struct imap_script){0});
		assert_int_equal(open_as(cases[i].password), RC_OK);
		assert_int_equal(imap_server_heard(server, cases[i].said), 1);
		stop();
	}
}

static void test_imap__login_refused(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "LOGIN",
			.answer = "$T NO [AUTHENTICATIONFAILED] office@sa.example.jp: wrong password\r\n"},
		{0}};
	start(&(struct imap_script){.rules = rules});
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("auth", "wrong password");
	assert_null(strstr(err.text, "office@"));
	assert_null(strstr(err.text, "geheim"));
}

static void write_token(const char *token)
{
	assert_int_equal(file_write(token_file, token, strlen(token), 0600, &err), RC_OK);
}

static void test_imap__token_at_once_or_when_asked(void **state)
{
	(void)state;
	static const struct imap_rule asked[] = {
		{.on = "CAPABILITY", .answer = "* CAPABILITY IMAP4rev1 AUTH=XOAUTH2\r\n$T OK done\r\n"},
		{.on = "AUTHENTICATE XOAUTH2", .answer = "+ \r\n"},
		{0},
	};
	/* printf 'user=office@sa.example.jp\1auth=Bearer tok\1\1' | base64 */
	static const char bearer[] = "dXNlcj1vZmZpY2VAc2EuZXhhbXBsZS5qcAFhdXRoPUJlYXJlciB0b2sBAQ==";
	char at_once[128];
	(void)snprintf(at_once, sizeof at_once, "AUTHENTICATE XOAUTH2 %s", bearer);
	settings.auth = AUTH_XOAUTH2;
	write_token("tok\n");
	start(&(struct imap_script){0});
	assert_int_equal(open_as(NULL), RC_OK);
	assert_int_equal(imap_server_heard(server, at_once), 1);
	/* Something else refreshed it: the next connection brings the new one. */
	write_token("new");
	mailbox_close(mailbox);
	assert_int_equal(mailbox_open(mailbox, &err), RC_OK);
	assert_int_equal(imap_server_heard(server, at_once), 1);
	assert_int_equal(imap_server_heard(server, "AUTHENTICATE XOAUTH2 "), 2);
	stop();

	write_token("tok");
	start(&(struct imap_script){.rules = asked});
	assert_int_equal(open_as(NULL), RC_OK);
	assert_int_equal(imap_server_heard(server, bearer), 1);
}

static void test_imap__token_refused(void **state)
{
	(void)state;
	/* {"status":"401"} comes as a challenge; the empty answer to it brings the NO. */
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("")},
		{.on = "AUTHENTICATE", .answer = "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"},
		{.on = "", .answer = "$T NO token expired\r\n"},
		{0},
	};
	settings.auth = AUTH_XOAUTH2;
	write_token("tok");
	start(&(struct imap_script){.rules = rules});
	assert_int_equal(open_as(NULL), RC_SERVER);
	assert_refused("auth", "token expired");
	stop();

	static const struct imap_rule without[] = {
		{.on = "CAPABILITY", .answer = "* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n$T OK done\r\n"}, {0}};
	start(&(struct imap_script){.rules = without});
	assert_int_equal(open_as(NULL), RC_SERVER);
	assert_refused("auth", "offers no XOAUTH2");
	assert_int_equal(imap_server_heard(server, "AUTHENTICATE"), 0);
	assert_int_equal(unlink(token_file), 0);
	stop();

	start(&(struct imap_script){0});
	assert_int_not_equal(open_as(NULL), RC_OK);
	assert_string_equal(mailbox_phase(mailbox), "auth");
	assert_int_equal(imap_server_heard(server, "AUTHENTICATE"), 0);
}

/* ---- folders ---- */

static void test_imap__missing_folders_are_made_below_the_prefix(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "NAMESPACE", .answer = "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n$T OK done\r\n"},
		{.on = "LIST \"\" \"INBOX.&UeZ", .answer = "$T OK done\r\n"},
		{.on = "LIST \"\" \"INBOX.office", .answer = "$T OK done\r\n"},
		{0},
	};
	char nested[] = "office/要確認", prefixed[] = "INBOX.bounces";
	settings.review = nested;
	settings.bounce = prefixed;
	start_open(rules);
	assert_int_equal(imap_server_heard(server, "CREATE "), 2);
	assert_int_equal(imap_server_heard(server, "CREATE \"INBOX.&UeZ0Bm4IMH8-\""), 1);
	assert_int_equal(imap_server_heard(server, "SUBSCRIBE \"INBOX.&UeZ0Bm4IMH8-\""), 1);
	assert_int_equal(imap_server_heard(server, "CREATE \"INBOX.office.&iYF4uoqN-\""), 1);
	assert_int_equal(imap_server_heard(server, "LIST \"\" \"INBOX.bounces\""), 1);
	assert_int_equal(imap_server_heard(server, "SELECT \"INBOX\""), 1);
}

static void test_imap__delimiter_of_a_server_without_namespaces(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("")},
		{.on = "LIST \"\" \"\"", .answer = "* LIST (\\Noselect) \"^\" \"\"\r\n$T OK done\r\n"},
		{0},
	};
	char nested[] = "office/done";
	settings.done = nested;
	start_open(rules);
	assert_int_equal(imap_server_heard(server, "NAMESPACE"), 0);
	assert_int_equal(imap_server_heard(server, "LIST \"\" \"office^done\""), 1);
}

static void test_imap__namespaces_that_tell_nothing(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"* NAMESPACE NIL NIL NIL\r\n" TAGGED_OK,
		"* NAMESPACE ((\"\" NIL)) NIL NIL\r\n" TAGGED_OK,
		TAGGED_OK,
		"$T NO not for you\r\n",
		"* NAMESPACE () () ()\r\n" TAGGED_OK,
		"* NAMESPACE\r\n" TAGGED_OK,
	};
	char nested[] = "office/done";
	settings.done = nested;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct imap_rule rules[] = {{.on = "NAMESPACE", .answer = answers[i]},
			{.on = "LIST \"\" \"\"", .answer = "* LIST (\\Noselect) \".\" \"\"\r\n" TAGGED_OK},
			{0}};
		start(&(struct imap_script){.rules = rules});
		/* What is no IMAP ends the session, and nothing else. */
		if (i < 4) {
			if (open_as("geheim") != RC_OK)
				fail_msg("case %zu: %s", i, err.text);
			assert_int_equal(imap_server_heard(server, "LIST \"\" \"office.done\""), 1);
		} else {
			assert_int_equal(open_as("geheim"), RC_SERVER);
			assert_refused("select", "not IMAP");
		}
		stop();
	}
}

static void test_imap__folders_that_can_not_serve(void **state)
{
	(void)state;
	static const struct imap_rule no_create[] = {{.on = "LIST \"\" \"&", .answer = "$T OK done\r\n"},
		{.on = "CREATE", .answer = "$T NO over quota\r\n"}, {0}};
	static const struct imap_rule no_inbox[] = {
		{.on = "SELECT", .answer = "$T NO no such mailbox\r\n"}, {0}};
	static const struct imap_rule read_only[] = {
		{.on = "SELECT", .answer = "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n$T OK [READ-ONLY] x\r\n"},
		{0}};
	static const struct imap_rule no_validity[] = {
		{.on = "SELECT", .answer = "* 0 EXISTS\r\n$T OK x\r\n"}, {0}};
	static const struct {
		const struct imap_rule *rules;
		const char *words;
	} cases[] = {
		{no_create, "over quota"},
		{no_inbox, "no such mailbox"},
		{read_only, "only be read"},
		{no_validity, "UIDVALIDITY"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start(&(struct imap_script){.rules = cases[i].rules});
		assert_int_equal(open_as("geheim"), RC_SERVER);
		assert_refused("select", cases[i].words);
		stop();
	}
}

/* ---- listing ---- */

static void test_imap__list_asks_for_what_it_returns(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "SELECT", .answer = SELECTED(100000, 7, 200001)},
		{.on = "FETCH 1:3 (UID RFC822.SIZE)",
			.answer = "* 1 FETCH (UID 10 RFC822.SIZE 1000)\r\n* 2 FETCH (RFC822.SIZE 2000 UID "
				  "12)\r\n"
				  "* 3 FETCH (FLAGS (\\Seen) UID 14 RFC822.SIZE 3000)\r\n" TAGGED_OK},
		{0},
	};
	start_open(rules);
	struct mailbox_list out = list_after(NULL, 3);
	assert_int_equal(out.uid_validity, 7);
	assert_int_equal(out.count, 3);
	assert_true(out.more);
	assert_string_equal(out.entry[1].uid, "12");
	assert_int_equal(out.entry[2].size, 3000);
	assert_int_equal(imap_server_heard(server, "FETCH"), 1);
	assert_int_equal(imap_server_heard(server, "UID SEARCH"), 0);
}

static void test_imap__list_finds_what_lies_behind_a_uid(void **state)
{
	(void)state;
#define AT(n, uid)                                                                                           \
	{                                                                                                    \
		.on = "FETCH " #n " (UID)", .answer = "* " #n " FETCH (UID " #uid ")\r\n" TAGGED_OK          \
	}
#define FROM(n, uid)                                                                                         \
	{                                                                                                    \
		.on = "FETCH " #n ":", .answer = "* " #n " FETCH (UID " #uid " RFC822.SIZE 1)\r\n" TAGGED_OK \
	}
	static const struct imap_rule rules[] = {
		{.on = "SELECT", .answer = SELECTED(6, 7, 100)},
		AT(1, 10),
		AT(2, 20),
		AT(3, 30),
		AT(4, 40),
		AT(5, 50),
		AT(6, 60),
		FROM(1, 10),
		FROM(2, 20),
		FROM(3, 30),
		FROM(4, 40),
		FROM(5, 50),
		FROM(6, 60),
		{0},
	};
	static const struct {
		const char *after, *first; /* NULL: nothing */
	} cases[] = {
		{NULL, "10"},
		{"0", "10"},
		{"9", "10"},
		{"10", "20"},
		{"25", "30"},
		{"30", "40"},
		{"49", "50"},
		{"59", "60"},
		{"60", NULL},
		{"4294967295", NULL},
	};
	start_open(rules);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct mailbox_list out = list_after(cases[i].after, 1);
		assert_int_equal(out.count, cases[i].first != NULL);
		if (cases[i].first)
			assert_string_equal(out.entry[0].uid, cases[i].first);
		assert_int_equal(out.more, cases[i].first && strcmp(cases[i].first, "60") != 0);
	}
}

static void test_imap__list_of_a_confused_server(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "SELECT", .answer = SELECTED(5, 7, 100)},
		/* Out of order, twice, without UID or size, never asked for, and something new in between. */
		{.on = "FETCH 1:5",
			.answer = "* 3 FETCH (UID 30 RFC822.SIZE 3)\r\n* 1 FETCH (UID 10 RFC822.SIZE 1)\r\n"
				  "* 1 FETCH (UID 10 RFC822.SIZE 1)\r\n* 2 FETCH (FLAGS (\\Seen))\r\n* 4 "
				  "FETCH (UID 40)\r\n"
				  "* 9 FETCH (UID 90 RFC822.SIZE 9)\r\n* 6 EXISTS\r\n* OK still "
				  "here\r\n" TAGGED_OK},
		{0},
	};
	bool news;
	start_open(rules);
	struct mailbox_list out = list_after(NULL, 100);
	assert_int_equal(out.count, 2);
	assert_string_equal(out.entry[0].uid, "10");
	assert_string_equal(out.entry[1].uid, "30");
	/* The sixth came while the five were listed. */
	assert_int_equal(mailbox_wait(mailbox, 60, -1, &news, &err), RC_OK);
	assert_true(news);
	assert_int_equal(imap_server_heard(server, "IDLE"), 0);
}

static void test_imap__list_of_a_server_that_never_tells_uids(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "SELECT", .answer = SELECTED(4294967295, 7, 100)}, {0}};
	struct mailbox_list out;
	start_open(rules);
	assert_int_equal(mailbox_list(mailbox, FOLDER_INBOX, "5", 10, &out, pool, &err), RC_SERVER);
	assert_string_equal(mailbox_phase(mailbox), "list");
	assert_int_equal(imap_server_heard(server, "NOOP"), 3);
}

static void test_imap__other_folders_are_only_looked_at(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "EXAMINE \"&iYF4uoqN-\"", .answer = SELECTED(1, 99, 2)},
		{.on = "FETCH 1:1", .answer = "* 1 FETCH (UID 1 RFC822.SIZE 5)\r\n" TAGGED_OK},
		{.on = "SELECT", .answer = SELECTED(0, 7, 1)},
		{0},
	};
	struct mailbox_list out;
	bool news;
	start_open(rules);
	assert_int_equal(list_after(NULL, 10).count, 0);
	assert_int_equal(mailbox_list(mailbox, FOLDER_REVIEW, NULL, 10, &out, pool, &err), RC_OK);
	assert_int_equal(out.uid_validity, 99);
	assert_int_equal(out.count, 1);
	/* Coming back to an INBOX where nothing has happened is no news. */
	assert_int_equal(mailbox_wait(mailbox, 0, -1, &news, &err), RC_OK);
	assert_false(news);
	assert_int_equal(imap_server_heard(server, "SELECT"), 2);
}

/* ---- fetching ---- */

static const struct imap_rule sized[] = {
	{.on = "UID FETCH 5 (UID RFC822.SIZE)", .answer = "* 1 FETCH (UID 5 RFC822.SIZE 25)\r\n" TAGGED_OK},
	{.on = "UID FETCH 5 (UID BODY.PEEK[])",
		.answer = "* 1 FETCH (UID 5 BODY[] {25}\r\nSubject: x\r\n\r\n)\r\n3 OK y\r\n)\r\n" TAGGED_OK},
	{0}};

static void test_imap__bytes_come_as_they_are(void **state)
{
	(void)state;
	struct str raw = STR_INIT;
	start_open(sized);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_OK);
	/* What looks like the end of the answer is part of the mail. */
	assert_int_equal(raw.len, 25);
	assert_memory_equal(raw.s, "Subject: x\r\n\r\n)\r\n3 OK y\r\n", 25);
	str_free(&raw);
}

static void test_imap__fetch_refused_for_one_message(void **state)
{
	(void)state;
#define SIZE_OF_5(size)                                                                                      \
	{                                                                                                    \
		.on = "UID FETCH 5 (UID RFC822.SIZE)",                                                       \
		.answer = "* 1 FETCH (UID 5 RFC822.SIZE " #size ")\r\n" TAGGED_OK                            \
	}
	static const struct imap_rule cases[][3] = {
		{{.on = "UID FETCH 5 (UID RFC822.SIZE)", .answer = TAGGED_OK}}, /* gone */
		{SIZE_OF_5(100001)},
		{SIZE_OF_5(4294967295)},
		{SIZE_OF_5(10), {.on = "UID FETCH 5 (UID BODY", .answer = TAGGED_OK}},
		{SIZE_OF_5(10), {.on = "UID FETCH 5 (UID BODY", .answer = "$T NO corrupted\r\n"}},
		{SIZE_OF_5(10), {.on = "UID FETCH 5 (UID BODY",
					.answer = "* 1 FETCH (UID 5 BODY[] NIL)\r\n" TAGGED_OK}},
		{SIZE_OF_5(10), /* of another one */
			{.on = "UID FETCH 5 (UID BODY",
				.answer = "* 1 FETCH (UID 6 BODY[] {3}\r\nabc)\r\n" TAGGED_OK}},
		{SIZE_OF_5(10), /* small as told, giant as sent */
			{.on = "UID FETCH 5 (UID BODY",
				.answer = "* 1 FETCH (UID 5 BODY[] {4294967295}\r\nabc"}},
		{SIZE_OF_5(10),
			{.on = "UID FETCH 5 (UID BODY", .answer = "* 1 FETCH (UID 5 BODY[] {100001}\r\nabc"}},
	};
	struct str raw = STR_INIT;
	start_open(NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imap_server_change(server, cases[i]);
		if (mailbox_fetch(mailbox, "5", &raw, &err) != RC_REFUSED)
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(raw.len, 0);
		if (i < 3)
			assert_int_equal(imap_server_heard(server, "UID FETCH 5 (UID BODY"), 0);
	}
	/* And the next one can be had. */
	imap_server_change(server, sized);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_OK);
	str_free(&raw);
}

static void test_imap__uids_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", "0", "x", "5 (FLAGS)", "1:*", "*", "-1", "4294967296", "99999999999", "+5"};
	struct str raw = STR_INIT;
	start_open(NULL);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(mailbox_fetch(mailbox, bad[i], &raw, &err), RC_REFUSED);
	assert_int_equal(imap_server_heard(server, "UID"), 0);
	const char *moved[10];
	assert_int_equal(mailbox_move(mailbox, bad, 10, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_null(moved[0]);
	assert_null(moved[9]);
	assert_int_equal(imap_server_heard(server, "UID"), 0);
}

static enum rc note_message(void *ctx, size_t place, const void *bytes, size_t len, struct err *unused)
{
	(void)unused;
	str_printf(ctx, "%zu=%.*s ", place, (int)len, (const char *)bytes);
	return RC_OK;
}

/* Whatever comes is given to its place, and what does not come is no error: it is asked for by itself. */
static void test_imap__several_in_one_command(void **state)
{
	(void)state;
	static const struct {
		struct imap_rule rules[2];
		const char *given;
		enum rc rc;
	} cases[] = {
		{{{.on = "UID FETCH 5,6,7 (UID BODY.PEEK[])",
			 .answer =
				 "* 2 FETCH (UID 6 FLAGS (\\Seen))\r\n* 3 FETCH (UID 7 BODY[] {3}\r\nxyz)\r\n"
				 "* 4 FETCH (UID 8 BODY[] {3}\r\nabc)\r\n* 1 FETCH (UID 5 BODY[] "
				 "{2}\r\nab)\r\n" TAGGED_OK}},
			"2=xyz 0=ab ", RC_OK},
		{{{.on = "UID FETCH 5,6,7 (UID", .answer = "* 1 FETCH (UID 5 BODY[] NIL)\r\n" TAGGED_OK}}, "",
			RC_OK},
		{{{.on = "UID FETCH 5,6,7 (UID", .answer = "$T NO corrupted\r\n"}}, "", RC_OK},
		{{{.on = "UID FETCH 5,6,7 (UID", .answer = "* 1 FETCH (UID 5 BODY[] {100001}\r\nabc"}}, "",
			RC_SERVER},
		{{{.on = "UID FETCH 5,6,7 (UID",
			 .answer = "* 1 FETCH (UID 5 BODY[] {9}\r\nabc",
			 .then = IMAP_CUT}},
			"", RC_SERVER},
		{{{.on = "UID FETCH 5,6,7 (UID",
			 .answer = "* 1 FETCH (UID 5 BODY[] {9}\r\n012345678)\r\n",
			 .then = IMAP_FLOOD}},
			"", RC_SERVER},
	};
	const char *uid[] = {"5", "6", "7"}, *bad[] = {"5", "x"};
	struct str given = STR_INIT;
	start_open(NULL);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		imap_server_change(server, cases[i].rules);
		str_clear(&given);
		if (mailbox_fetch_some(mailbox, uid, 3, 30, note_message, &given, &err) != cases[i].rc)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(given.s ? given.s : "", cases[i].given);
	}
	size_t heard = imap_server_heard(server, "UID FETCH");
	assert_int_equal(mailbox_fetch_some(mailbox, bad, 2, 30, note_message, &given, &err), RC_OK);
	assert_int_equal(imap_server_heard(server, "UID FETCH"), heard);
	str_free(&given);
}

static void test_imap__cut_in_mid_fetch(void **state)
{
	(void)state;
#define HALF_A_MAIL(count)                                                                                   \
	{                                                                                                    \
		.on = "UID FETCH 5 (UID BODY", .answer = "* 1 FETCH (UID 5 BODY[] {26}\r\nSubject",          \
		.then = IMAP_CUT, .times = count                                                             \
	}
	static const struct imap_rule once[] = {HALF_A_MAIL(1), SIZE_OF_5(26),
		{.on = "UID FETCH 5 (UID BODY",
			.answer = "* 1 FETCH (UID 5 BODY[] {26}\r\nSubject: "
				  "xyz\r\n\r\n0123456789)\r\n" TAGGED_OK},
		{0}};
	static const struct imap_rule always[] = {SIZE_OF_5(26), HALF_A_MAIL(0), {0}};
	struct str raw = STR_INIT;
	start_open(once);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_OK);
	assert_string_equal(raw.s, "Subject: xyz\r\n\r\n0123456789");
	assert_int_equal(imap_server_connections(server), 2);

	str_clear(&raw);
	imap_server_change(server, always);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_SERVER);
	assert_refused("fetch", "closed the connection");
	assert_int_equal(raw.len, 0);
	str_free(&raw);
}

static void test_imap__another_uid_validity_is_another_folder(void **state)
{
	(void)state;
	static const struct imap_rule before[] = {{.on = "SELECT", .answer = SELECTED(1, 7, 6)},
		{.on = "FETCH 1:1", .answer = "* 1 FETCH (UID 5 RFC822.SIZE 26)\r\n" TAGGED_OK}, {0}};
	static const struct imap_rule after[] = {{.on = "SELECT", .answer = SELECTED(1, 8, 6)},
		{.on = "FETCH 1:1", .answer = "* 1 FETCH (UID 5 RFC822.SIZE 26)\r\n" TAGGED_OK},
		SIZE_OF_5(26),
		{.on = "UID FETCH 5 (UID BODY",
			.answer = "* 1 FETCH (UID 5 BODY[] {3}\r\nabc)\r\n" TAGGED_OK},
		{0}};
	struct str raw = STR_INIT;
	const char *uid[] = {"5"}, *moved[1];
	bool news;
	start_open(before);
	assert_int_equal(list_after(NULL, 10).uid_validity, 7);
	mailbox_close(mailbox);
	imap_server_change(server, after);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_SERVER);
	assert_non_null(strstr(err.text, "UIDVALIDITY"));
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_DONE, moved, pool, &err), RC_SERVER);
	assert_int_equal(imap_server_heard(server, "UID "), 0);
	assert_int_equal(mailbox_wait(mailbox, 60, -1, &news, &err), RC_OK);
	assert_true(news);
	assert_int_equal(list_after(NULL, 10).uid_validity, 8);
	assert_int_equal(mailbox_fetch(mailbox, "5", &raw, &err), RC_OK);
	assert_string_equal(raw.s, "abc");
	str_free(&raw);
}

/* ---- dead and hostile lines ---- */

static void test_imap__silence_is_a_dead_line(void **state)
{
	(void)state;
	static const struct imap_rule silent[] = {
		{.on = "FETCH", .answer = "* 1 FETCH (UID ", .then = IMAP_SILENT},
		{.on = "SELECT", .answer = SELECTED(1, 7, 2)}, {0}};
	struct mailbox_list out;
	settings.reply_seconds = 1;
	settings.connect_seconds = 1;
	start_open(silent);
	assert_int_equal(mailbox_list(mailbox, FOLDER_INBOX, NULL, 5, &out, pool, &err), RC_SERVER);
	assert_refused("list", "silent");
	assert_int_equal(imap_server_connections(server), 2);
	stop();

	start(&(struct imap_script){.greeting = "", .after_greeting = IMAP_SILENT});
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("connect", "");
	stop();

	/* Nobody speaks TLS there. */
	start(&(struct imap_script){.greeting = "", .after_greeting = IMAP_SILENT});
	settings.tls = TLS_IMPLICIT;
	char nothing[128];
	(void)snprintf(nothing, sizeof nothing, "%s", scratch_path("ca.pem"));
	struct imap_script with_certificate = {.tls = IMAP_IMPLICIT, .certificate = nothing};
	struct imap_server *other = imap_server_start(&with_certificate);
	settings.ca_file = nothing;
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("tls", "in time");
	imap_server_stop(&other);
}

static void test_imap__floods_are_cut_off(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		const char *words;
		enum imap_then then;
	} cases[] = {
		{"* OK more\r\n", "more than any answer", IMAP_FLOOD},
		{"* 1 FETCH (UID 1 RFC822.SIZE 1)\r\n", "more than any answer", IMAP_FLOOD},
		{"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "more than any answer", IMAP_FLOOD},
		{"* 1 FETCH (BODYSTRUCTURE "
		 "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
			"more than any answer", IMAP_SILENT},
		{"* LIST () \"/\" {99999999}\r\n", "more bytes than are allowed", IMAP_SILENT},
		{"* LIST () \"/\" {99999999999999999999999}\r\n", "more bytes than are allowed", IMAP_SILENT},
		{"\r\n\r\n\r\n", "", IMAP_FLOOD},
		{"* 1 FETCH (UID 1", "closed the connection", IMAP_CUT},
		{"* BYE restarting\r\n", "", IMAP_CUT},
		{"* STATUS \"x\" (MESSAGES 1)\r\n" TAGGED_OK, "nobody asked for", IMAP_GO_ON},
		{"* 1 VANISHED\r\n" TAGGED_OK, "nobody asked for", IMAP_GO_ON},
		{"this is no IMAP\r\n$T OK done\r\n", "not IMAP", IMAP_GO_ON},
		{"$T\r\n", "not IMAP", IMAP_GO_ON},
		{"$Tx OK\r\n", "", IMAP_GO_ON},
		{"$T BAD syntax\r\n", "does not understand a command", IMAP_GO_ON},
		{"* 1 FETCH (UID 1 RFC822.SIZE \x00", "", IMAP_CUT},
	};
	struct mailbox_list out;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct imap_rule rules[] = {
			{.on = "FETCH", .answer = cases[i].answer, .then = cases[i].then},
			{.on = "SELECT", .answer = SELECTED(1, 7, 2)},
			{.on = "NAMESPACE", .answer = "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n" TAGGED_OK},
			{0},
		};
		start(&(struct imap_script){.rules = rules});
		settings.reply_seconds = 1;
		settings.connect_seconds = 1;
		assert_int_equal(open_as("geheim"), RC_OK);
		assert_int_equal(mailbox_list(mailbox, FOLDER_INBOX, NULL, 5, &out, pool, &err), RC_SERVER);
		if (!strstr(err.text, cases[i].words))
			fail_msg("case %zu: %s", i, err.text);
		assert_false(mailbox_is_open(mailbox));
		stop();
	}
}

static void test_imap__a_server_that_never_comes_to_the_point(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "IDLE", .answer = "* OK wait\r\n", .then = IMAP_FLOOD}, {0}};
	bool news;
	start_open(rules);
	(void)list_after(NULL, 1);
	assert_int_equal(mailbox_wait(mailbox, 60, -1, &news, &err), RC_SERVER);
	assert_refused("idle", "");
}

static void test_imap__a_restarted_server_is_found_again(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {{.on = "FETCH", .then = IMAP_CUT, .times = 1},
		{.on = "FETCH 1:1", .answer = "* 1 FETCH (UID 5 RFC822.SIZE 26)\r\n" TAGGED_OK},
		{.on = "SELECT", .answer = SELECTED(1, 7, 6)}, {0}};
	start_open(rules);
	assert_int_equal(list_after(NULL, 10).count, 1);
	assert_int_equal(imap_server_connections(server), 2);
}

static void test_imap__nobody_there(void **state)
{
	(void)state;
	start(&(struct imap_script){0});
	imap_server_stop(&server);
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("connect", "can't be reached");
	char unknown[] = "no-such-host.invalid";
	settings.host = unknown;
	assert_int_equal(open_as("geheim"), RC_SERVER);
	assert_refused("connect", "can't be resolved");
	settings.host = host;
}

/* ---- moving ---- */

#define FOUND(uids)                                                                                          \
	{                                                                                                    \
		.on = "UID SEARCH UID", .answer = "* SEARCH " uids "\r\n" TAGGED_OK                          \
	}

static void test_imap__move_in_one_command(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		FOUND("3 4 9 7"),
		{.on = "UID MOVE 3,9,4,7 \"&UeZ0Bm4IMH8-\"",
			.answer = "* OK [COPYUID 99 3:4,7,9 101,103:105] moved\r\n* 1 EXPUNGE\r\n" TAGGED_OK},
		{0},
	};
	const char *uid[] = {"3", "8", "9", "4", "7"}, *moved[5];
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 5, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "101");
	assert_null(moved[1]);
	assert_string_equal(moved[2], "105");
	assert_string_equal(moved[3], "103");
	assert_string_equal(moved[4], "104");
	assert_int_equal(imap_server_heard(server, "UID MOVE"), 1);
	assert_int_equal(imap_server_heard(server, "EXPUNGE"), 0);
}

static void test_imap__move_of_what_is_gone(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {{.on = "UID SEARCH UID", .answer = TAGGED_OK}, {0}};
	const char *uid[] = {"3", "4"}, *moved[2];
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 2, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_null(moved[0]);
	assert_null(moved[1]);
	assert_int_equal(imap_server_heard(server, "UID MOVE"), 0);
}

static void test_imap__move_with_uidplus_only(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("UIDPLUS")},
		FOUND("3 4"),
		{.on = "UID COPY 3,4 \"&iYF4uoqN-\"", .answer = "$T OK [COPYUID 99 3:4 11:12] done\r\n"},
		{0},
	};
	const char *uid[] = {"3", "4"}, *moved[2];
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 2, FOLDER_REVIEW, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "11");
	assert_string_equal(moved[1], "12");
	assert_int_equal(imap_server_heard(server, "UID STORE 3,4 +FLAGS.SILENT (\\Deleted)"), 1);
	assert_int_equal(imap_server_heard(server, "UID EXPUNGE 3,4"), 1);
	assert_int_equal(imap_server_heard(server, "UID MOVE"), 0);
	assert_int_equal(imap_server_heard(server, "EXPUNGE"), 0);
}

static void test_imap__move_on_an_old_server_spares_others(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("")},
		FOUND("3"),
		{.on = "UID SEARCH DELETED", .answer = "* SEARCH 1 2\r\n" TAGGED_OK},
		{0},
	};
	const char *uid[] = {"3"}, *moved[1];
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_BOUNCE, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "");
	assert_int_equal(imap_server_heard(server, "UID COPY 3 \"&MNAwpjDzMLk-\""), 1);
	assert_int_equal(imap_server_heard(server, "UID STORE 1,2 -FLAGS.SILENT (\\Deleted)"), 1);
	assert_int_equal(imap_server_heard(server, "UID STORE 3 +FLAGS.SILENT (\\Deleted)"), 1);
	assert_int_equal(imap_server_heard(server, "EXPUNGE"), 1);
	assert_int_equal(imap_server_heard(server, "UID STORE 1,2 +FLAGS.SILENT (\\Deleted)"), 1);
}

static void test_imap__move_to_a_folder_somebody_removed(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		FOUND("3"),
		{.on = "UID MOVE", .answer = "$T NO [TRYCREATE] no such folder\r\n", .times = 1},
		{0},
	};
	const char *uid[] = {"3"}, *moved[1];
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "");
	assert_int_equal(imap_server_heard(server, "CREATE"), 1);
	assert_int_equal(imap_server_heard(server, "UID MOVE"), 2);
	stop();

	static const struct imap_rule full[] = {
		FOUND("3"), {.on = "UID MOVE", .answer = "$T NO over quota\r\n"}, {0}};
	start_open(full);
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_DONE, moved, pool, &err), RC_SERVER);
	assert_non_null(strstr(err.text, "over quota"));
	assert_true(mailbox_is_open(mailbox));
}

static void test_imap__hostile_copyuid(void **state)
{
	(void)state;
	static const char *const answers[] = {
		"* OK [COPYUID 9 1:4294967295 1:4294967295] x\r\n" TAGGED_OK,
		"* OK [COPYUID 9 4294967295:1 5:5] x\r\n" TAGGED_OK,
		"* OK [COPYUID 9 3,3,3,3 1] x\r\n" TAGGED_OK,
		"* OK [COPYUID 9 700 1] x\r\n" TAGGED_OK,
	};
	const char *uid[] = {"3", "4"}, *moved[2];
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		const struct imap_rule rules[] = {
			FOUND("3 4"), {.on = "UID MOVE", .answer = answers[i]}, {0}};
		start_open(rules);
		assert_int_equal(mailbox_move(mailbox, uid, 2, FOLDER_DONE, moved, pool, &err), RC_OK);
		assert_non_null(moved[0]);
		assert_non_null(moved[1]);
		stop();
	}
}

static void test_imap__many_are_moved_in_batches(void **state)
{
	(void)state;
	static char uids[450][8], found[4096] = "* SEARCH";
	const char *uid[450], *moved[450];
	for (size_t i = 0; i < 450; i++) {
		(void)snprintf(uids[i], sizeof uids[i], "%zu", i + 1);
		uid[i] = uids[i];
		(void)snprintf(found + strlen(found), sizeof found - strlen(found), " %zu", i + 1);
	}
	(void)snprintf(found + strlen(found), sizeof found - strlen(found), "\r\n$T OK done\r\n");
	const struct imap_rule rules[] = {{.on = "UID SEARCH UID", .answer = found}, {0}};
	start_open(rules);
	assert_int_equal(mailbox_move(mailbox, uid, 450, FOLDER_DONE, moved, pool, &err), RC_OK);
	for (size_t i = 0; i < 450; i++)
		assert_string_equal(moved[i], "");
	assert_int_equal(imap_server_heard(server, "UID MOVE"), 3);
	assert_int_equal(imap_server_heard(server, "UID MOVE 401,402,"), 1);
}

/* ---- waiting ---- */

static void wait_expecting(int seconds, bool expected)
{
	bool news;
	if (mailbox_wait(mailbox, seconds, -1, &news, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(news, expected);
}

static void test_imap__idle_tells_of_news(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "SELECT", .answer = SELECTED(2, 7, 9)},
		{.on = "FETCH", .answer = TAGGED_OK},
		{.on = "IDLE",
			.answer =
				"* 1 EXPUNGE\r\n+ idling\r\n* OK still here\r\n* 1 EXPUNGE\r\n* 1 EXISTS\r\n",
			.times = 1},
		{0},
	};
	start_open(rules);
	(void)list_after(NULL, 10);
	wait_expecting(60, true);
	assert_int_equal(imap_server_heard(server, "DONE"), 1);
	/* The count is known: one message lies there now. */
	(void)list_after(NULL, 10);
	assert_int_equal(imap_server_heard(server, "FETCH 1:1 "), 1);
	/* Less is no news. */
	static const struct imap_rule fewer[] = {
		{.on = "IDLE", .answer = "+ idling\r\n* 1 EXPUNGE\r\n"}, {0}};
	imap_server_change(server, fewer);
	wait_expecting(1, false);
}

static void test_imap__idle_ends_with_the_time_or_by_a_call(void **state)
{
	(void)state;
	int wake[2];
	bool news;
	settings.idle_seconds = 1;
	start_open(NULL);
	(void)list_after(NULL, 1);
	assert_int_equal(pipe(wake), 0);
	assert_int_equal(write(wake[1], "", 1), 1);
	assert_int_equal(mailbox_wait(mailbox, 60, wake[0], &news, &err), RC_OK);
	assert_false(news);
	assert_int_equal(imap_server_heard(server, "IDLE"), 1);
	assert_int_equal(imap_server_heard(server, "DONE"), 1);
	close(wake[0]);
	close(wake[1]);
	/* Renewed after idle_seconds, each time with an answer demanded. */
	wait_expecting(2, false);
	assert_int_equal(imap_server_heard(server, "IDLE"), imap_server_heard(server, "DONE"));
	assert_true(imap_server_heard(server, "IDLE") >= 3);
}

static void test_imap__a_line_that_died_while_idling(void **state)
{
	(void)state;
	static const struct {
		struct imap_rule rules[2];
		const char *words;
	} cases[] = {
		{{{.on = "DONE", .then = IMAP_SILENT}}, "silent"},
		{{{.on = "IDLE", .answer = "+ idling\r\n", .then = IMAP_CUT}}, "closed"},
		{{{.on = "IDLE", .answer = "+ idling\r\n* BYE timeout\r\n"}}, ""},
		{{{.on = "IDLE", .answer = "+ idling\r\n* 1 EXI", .then = IMAP_SILENT}}, "silent"},
		{{{.on = "IDLE", .then = IMAP_SILENT}}, "silent"},
		{{{.on = "IDLE", .answer = "$T NO not for you\r\n"}}, "not for you"},
		{{{.on = "IDLE", .answer = "$T OK done\r\n"}}, "ends IDLE"},
	};
	bool news;
	settings.idle_seconds = 1;
	settings.reply_seconds = 1;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		start_open(cases[i].rules);
		(void)list_after(NULL, 1);
		assert_int_equal(mailbox_wait(mailbox, 60, -1, &news, &err), RC_SERVER);
		assert_string_equal(mailbox_phase(mailbox), "idle");
		if (!strstr(err.text, cases[i].words))
			fail_msg("case %zu: %s", i, err.text);
		stop();
	}
}

static void test_imap__a_server_without_idle_is_asked(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "CAPABILITY", .answer = CAPABLE("UIDPLUS")},
		{.on = "NOOP", .answer = TAGGED_OK, .times = 2},
		{.on = "NOOP", .answer = "* 1 EXISTS\r\n* 1 RECENT\r\n" TAGGED_OK},
		{0},
	};
	start_open(rules);
	(void)list_after(NULL, 1);
	wait_expecting(0, false);
	wait_expecting(1, false);
	assert_int_equal(imap_server_heard(server, "NOOP"), 2); /* for the list, and for the wait */
	wait_expecting(60, true);
	assert_int_equal(imap_server_heard(server, "IDLE"), 0);
}

static void test_imap__no_copies_are_wanted(void **state)
{
	(void)state;
	start_open(NULL);
	assert_int_equal(mailbox_append(mailbox, "n", "x", 1, &err), RC_USAGE);
}

static void test_imap__copies_go_where_the_server_has_them(void **state)
{
	(void)state;
	static const struct imap_rule rules[] = {
		{.on = "NAMESPACE", .answer = "* NAMESPACE ((\"INBOX.\" \".\")) NIL NIL\r\n$T OK done\r\n"},
		{.on = "CAPABILITY", .answer = "* CAPABILITY IMAP4rev1 NAMESPACE\r\n$T OK done\r\n"},
		{.on = "APPEND INBOX.&kAFP4W4IMH8- (\\Seen) {13}Subject: x", .answer = TAGGED_OK},
		{.on = "APPEND", .answer = "$T NO wrong folder\r\n"},
		{0},
	};
	char sent[] = "送信済み";
	settings.sent = sent;
	start(&(struct imap_script){.rules = rules});
	mailbox = mailbox_new(&settings, "geheim");
	if (mailbox_append(mailbox, "n", "Subject: x\r\n\r", 13, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(mailbox_append(mailbox, "n", "Subject: x\r\n\r", 13, &err), RC_OK);
	assert_int_equal(imap_server_heard(server, "APPEND"), 2);
	/* One session for the name, one of libcurl's for both. */
	assert_int_equal(imap_server_connections(server), 2);
	assert_int_equal(mailbox_append(mailbox, "n", "Subject: yyyy", 13, &err), RC_SERVER);
	assert_string_equal(mailbox_phase(mailbox), "append");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_imap__##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(good_session_says_nothing_in_the_clear),
		TEST(bad_certificates_before_anything_is_said),
		TEST(no_ca_file),
		TEST(starttls_that_is_tampered_with),
		TEST(what_was_offered_in_the_clear_counts_for_nothing),
		TEST(a_server_that_can_nothing),
		TEST(login_in_quotes_and_as_literal),
		TEST(login_refused),
		TEST(token_at_once_or_when_asked),
		TEST(token_refused),
		TEST(missing_folders_are_made_below_the_prefix),
		TEST(delimiter_of_a_server_without_namespaces),
		TEST(namespaces_that_tell_nothing),
		TEST(folders_that_can_not_serve),
		TEST(list_asks_for_what_it_returns),
		TEST(list_finds_what_lies_behind_a_uid),
		TEST(list_of_a_confused_server),
		TEST(list_of_a_server_that_never_tells_uids),
		TEST(other_folders_are_only_looked_at),
		TEST(bytes_come_as_they_are),
		TEST(fetch_refused_for_one_message),
		TEST(uids_that_are_none),
		TEST(several_in_one_command),
		TEST(cut_in_mid_fetch),
		TEST(several_in_one_command),
		TEST(another_uid_validity_is_another_folder),
		TEST(silence_is_a_dead_line),
		TEST(floods_are_cut_off),
		TEST(a_server_that_never_comes_to_the_point),
		TEST(a_restarted_server_is_found_again),
		TEST(nobody_there),
		TEST(move_in_one_command),
		TEST(move_of_what_is_gone),
		TEST(move_with_uidplus_only),
		TEST(move_on_an_old_server_spares_others),
		TEST(move_to_a_folder_somebody_removed),
		TEST(hostile_copyuid),
		TEST(many_are_moved_in_batches),
		TEST(idle_tells_of_news),
		TEST(idle_ends_with_the_time_or_by_a_call),
		TEST(a_line_that_died_while_idling),
		TEST(a_server_without_idle_is_asked),
		TEST(no_copies_are_wanted),
		TEST(copies_go_where_the_server_has_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
