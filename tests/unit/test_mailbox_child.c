/* the role's line to its mailbox child: a child that works, one that was taken over, one that is gone */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/mail_handover.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "tests/unit/scratch.h"

static struct mailbox_settings settings;
static struct mailline line;
static struct pool *pool;
static struct err err;
static struct zygote zygote;
static int child; /* child: the other end, where the test plays it */
static char inbox[] = "INBOX", done[] = "処理済み", review[] = "要確認", bounce[] = "バウンス",
	    sent[] = "送信済み";

static int start_zygote(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	return zygote_start(&zygote, NULL, &err) == RC_OK ? 0 : -1;
}

static int stop_zygote(void **state)
{
	(void)state;
	zygote_stop(&zygote);
	return 0;
}

static int set_up(void **state)
{
	if (scratch_make(state) != 0)
		return -1;
	settings = (struct mailbox_settings){.maildir = true,
		.path = xstrdup(scratch_path("box")),
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.sent = sent,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.message_bytes = 1000};
	pool = pool_new();
	child = -1;
	return mailline_open(&line, &zygote, &settings, NULL, &err) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	mailline_close(&line);
	if (child >= 0)
		close(child);
	pool_free(&pool);
	free(settings.path);
	return scratch_remove(state);
}

static void put(const char *name, const char *bytes)
{
	struct str path = STR_INIT;
	path_join(&path, settings.path, name);
	assert_int_equal(file_write(path.s, bytes, strlen(bytes), 0644, &err), RC_OK);
	str_free(&path);
}

static struct mailbox_list list(void)
{
	struct mailbox_list out;
	if (mailline_list(&line, FOLDER_INBOX, NULL, 10, &out, pool, &err) != RC_OK)
		fail_msg("%s", err.text);
	return out;
}

/* ---- one that works ---- */

static void test_mailbox_child__lists_fetches_moves_and_files(void **state)
{
	(void)state;
	int file;
	int64_t size;
	struct str raw = STR_INIT;
	assert_int_equal(list().count, 0);
	put("new/a", "Subject: a\r\n\r\n");
	put("new/b", "Subject: b\r\n\r\n");
	assert_int_equal(list().count, 2);

	assert_int_equal(mailline_fetch(&line, "a", &file, &size, &err), RC_OK);
	assert_int_equal(size, 14);
	assert_int_equal(memfile_read(&raw, file, 1000, &err), RC_OK);
	assert_string_equal(raw.s, "Subject: a\r\n\r\n");
	/* Nobody can change it any more. */
	assert_int_equal(pwrite(file, "x", 1, 0), -1);
	assert_int_equal(ftruncate(file, 0), -1);
	assert_true(fcntl(file, F_GETFD) & FD_CLOEXEC);
	close(file);
	str_free(&raw);

	assert_int_equal(mailline_fetch(&line, "c", &file, &size, &err), RC_REFUSED);
	assert_int_equal(file, -1);
	assert_string_equal(line.phase, "fetch");
	const char *uid[] = {"b", "c", "a"}, *moved[3];
	assert_int_equal(mailline_move(&line, uid, 3, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "b");
	assert_null(moved[1]);
	assert_string_equal(moved[2], "a");
	assert_int_equal(mailline_append(&line, "n-1", "Subject: n\r\n\r\n", 14, &err), RC_OK);
	assert_int_equal(list().count, 0);
	struct mailbox_list copies;
	assert_int_equal(mailline_list(&line, FOLDER_SENT, NULL, 10, &copies, pool, &err), RC_OK);
	assert_int_equal(copies.count, 1);
}

/* The halves: what was begun is answered in its order, and one that is not there spoils nothing. */
static void test_mailbox_child__several_at_once(void **state)
{
	(void)state;
	static const char *const uid[] = {"a", "gone", "b"}, *const first[] = {"c"};
	const char *moved[1];
	struct str raw = STR_INIT;
	(void)list();
	put("new/a", "Subject: a\r\n\r\n");
	put("new/b", "Subject: bb\r\n\r\n");
	put("new/c", "Subject: c\r\n\r\n");
	assert_int_equal(mailline_move_begin(&line, first, 1, FOLDER_DONE, &err), RC_OK);
	assert_int_equal(mailline_fetch_begin(&line, uid, 3, 29, &err), RC_OK);
	assert_int_equal(mailline_move_end(&line, 1, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "c");
	for (size_t i = 0; i < 3; i++) {
		int file;
		int64_t size;
		enum rc rc = mailline_fetch_next(&line, &file, &size, &err);
		assert_int_equal(rc, i == 1 ? RC_REFUSED : RC_OK);
		assert_int_equal(file >= 0, i != 1);
		if (file < 0)
			continue;
		str_clear(&raw);
		assert_int_equal(memfile_read(&raw, file, 1000, &err), RC_OK);
		assert_string_equal(raw.s, i == 0 ? "Subject: a\r\n\r\n" : "Subject: bb\r\n\r\n");
		assert_int_equal(size, raw.len);
		close(file);
	}
	assert_int_equal(list().count, 2);
	str_free(&raw);
}

static bool readable_within(int ms)
{
	return poll(&(struct pollfd){.fd = line.fd, .events = POLLIN}, 1, ms) > 0;
}

static void test_mailbox_child__waiting_is_told_and_interrupted(void **state)
{
	(void)state;
	bool over, news;
	(void)list();
	assert_int_equal(mailline_wait(&line, 600, &err), RC_OK);
	assert_int_equal(mailline_wait(&line, 600, &err), RC_OK); /* goes on */
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_false(over);
	assert_false(news);
	put("new/a", "x");
	assert_true(readable_within(10000));
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_true(over);
	assert_true(news);

	/* Another call ends it. */
	assert_int_equal(list().count, 1);
	assert_int_equal(mailline_wait(&line, 600, &err), RC_OK);
	assert_int_equal(list().count, 1);
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_true(over);
	assert_false(news);

	/* What came in while it was ended is not lost. */
	assert_int_equal(mailline_wait(&line, 600, &err), RC_OK);
	put("new/b", "x");
	assert_true(readable_within(10000));
	struct mailbox_list copies;
	assert_int_equal(mailline_list(&line, FOLDER_DONE, NULL, 10, &copies, pool, &err), RC_OK);
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_true(over);
	assert_true(news);
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_false(news);

	/* The time is over. */
	(void)list();
	assert_int_equal(mailline_wait(&line, 0, &err), RC_OK);
	assert_true(readable_within(10000));
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_true(over);
	assert_false(news);
}

static void test_mailbox_child__a_server_that_is_not_there(void **state)
{
	(void)state;
	struct mailbox_list out;
	char host[] = "localhost", user[] = "x";
	bool over, news;
	mailline_close(&line);
	settings.maildir = false;
	settings.host = host;
	settings.user = user;
	settings.port = 1;
	settings.auth = AUTH_LOGIN;
	struct secret password = SECRET_INIT;
	secret_set(&password, "geheim", 6);
	assert_int_equal(mailline_open(&line, &zygote, &settings, &password, &err), RC_OK);
	secret_free(&password);
	assert_int_equal(mailline_list(&line, FOLDER_INBOX, NULL, 10, &out, pool, &err), RC_SERVER);
	assert_string_equal(line.phase, "connect");
	assert_non_null(strstr(err.text, "localhost"));
	assert_true(line.fd >= 0); /* to be tried again later */
	assert_int_equal(mailline_wait(&line, 60, &err), RC_OK);
	assert_true(readable_within(10000));
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_SERVER);
	assert_true(over);
	assert_true(news);
	settings.maildir = true;
}

/* ---- one that was taken over, or is gone ---- */

static void play_child(void)
{
	int pair[2];
	mailline_close(&line);
	if (child >= 0)
		close(child);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	line = (struct mailline){.fd = pair[0], .phase = "connect", .message_bytes = 1000, .answer_ms = 5000};
	child = pair[1];
}

static void assert_lost(enum rc rc)
{
	assert_int_equal(rc, RC_SERVER);
	assert_int_equal(line.fd, -1);
	struct mailbox_list out;
	bool over, news;
	assert_int_equal(mailline_list(&line, FOLDER_INBOX, NULL, 1, &out, pool, &err), RC_SERVER);
	assert_int_equal(mailline_wait(&line, 1, &err), RC_SERVER);
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_SERVER);
}

static void put_good_result(struct str *out)
{
	mail_handover_put_result(out, RC_OK, "", &err);
}

static void test_mailbox_child__lists_that_can_not_be(void **state)
{
	(void)state;
	static const struct {
		int64_t validity, count;
		const char *uid;
		int64_t size;
	} cases[] = {
		{7, 3, "1", 5}, /* more than asked for */
		{7, 1000000000, "1", 5},
		{7, -1, "1", 5},
		{7, 2, "1", 5}, /* fewer than it says */
		{-1, 1, "1", 5},
		{7, 1, "../1", 5},
		{7, 1, "", 5},
		{7, 1, NULL, 5},
		{7, 1, "a\nb", 5},
		{7, 1, "a\xf1", 5}, /* no UTF-8 */
		{7, 1,
			"a\xc2\x9b"
			"b",
			5}, /* a control character beyond ASCII */
		{7, 1, "1", -5},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str payload = STR_INIT;
		struct mailbox_list out;
		play_child();
		put_good_result(&payload);
		wire_put_number(&payload, cases[i].validity);
		wire_put_number(&payload, 0);
		wire_put_number(&payload, 0);
		wire_put_number(&payload, cases[i].count);
		wire_put_text(&payload, cases[i].uid);
		wire_put_number(&payload, cases[i].size);
		assert_true(wire_send(child, WIRE_LISTED, payload.s, payload.len));
		assert_lost(mailline_list(&line, FOLDER_INBOX, NULL, 2, &out, pool, &err));
		str_free(&payload);
	}
}

static void test_mailbox_child__messages_that_could_still_be_changed(void **state)
{
	(void)state;
	struct str payload = STR_INIT, large = STR_INIT;
	int64_t size;
	int file, pipes[2];
	while (large.len < 1001)
		str_addc(&large, 'x');
	int files[5] = {memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING),
		open(scratch_path("plain"), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
	assert_int_equal(pipe(pipes), 0);
	files[2] = pipes[0];
	files[3] = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(files[3], F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(memfile_make(&files[4], large.s, large.len, &err), RC_OK);
	put_good_result(&payload);
	wire_put_number(&payload, 5);
	for (size_t i = 0; i < 5; i++) {
		play_child();
		assert_true(wire_send_fd(child, WIRE_MESSAGE, payload.s, payload.len, files[i]));
		enum rc rc = mailline_fetch(&line, "1", &file, &size, &err);
		assert_int_equal(file, -1);
		if (i < 4)
			assert_lost(rc);
		else /* only too large */
			assert_int_equal(rc, RC_REFUSED);
		close(files[i]);
	}
	close(pipes[1]);
	/* None at all. */
	play_child();
	assert_true(wire_send(child, WIRE_MESSAGE, payload.s, payload.len));
	assert_lost(mailline_fetch(&line, "1", &file, &size, &err));
	str_free(&payload);
	str_free(&large);
}

static void test_mailbox_child__what_was_not_asked_for(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	struct mailbox_list out;
	const char *uid[] = {"1", "2"}, *moved[2];
	bool over, news;
	put_good_result(&payload);
	play_child();
	assert_true(wire_send(child, WIRE_MOVED, payload.s, payload.len));
	assert_lost(mailline_list(&line, FOLDER_INBOX, NULL, 2, &out, pool, &err));

	play_child(); /* news, without a wait */
	wire_put_number(&payload, 1);
	assert_true(wire_send(child, WIRE_NEWS, payload.s, payload.len));
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_false(news);
	assert_lost(mailline_list(&line, FOLDER_INBOX, NULL, 2, &out, pool, &err));

	play_child(); /* one UID for two */
	str_clear(&payload);
	put_good_result(&payload);
	mail_handover_put_moved(&payload, uid, 1);
	assert_true(wire_send(child, WIRE_MOVED, payload.s, payload.len));
	assert_lost(mailline_move(&line, uid, 2, FOLDER_DONE, moved, pool, &err));

	play_child(); /* more than an answer */
	str_clear(&payload);
	put_good_result(&payload);
	wire_put_number(&payload, 1);
	assert_true(wire_send(child, WIRE_DONE, payload.s, payload.len));
	assert_lost(mailline_append(&line, "n", "x", 1, &err));

	play_child(); /* cut short */
	assert_true(wire_send(child, WIRE_DONE, "\0\0", 2));
	assert_lost(mailline_append(&line, "n", "x", 1, &err));

	play_child();
	close(child);
	child = -1;
	assert_lost(mailline_append(&line, "n", "x", 1, &err));
	str_free(&payload);
}

/* News that came in between are told, and the answer that is on its way stays for whoever asked. */
static void test_mailbox_child__news_while_something_is_fetched(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	struct mailbox_list out;
	const char *uid[] = {"1"};
	bool over, news;
	int file, bytes;
	int64_t size;
	play_child();
	assert_int_equal(mailline_wait(&line, 600, &err), RC_OK);
	put_good_result(&payload);
	wire_put_number(&payload, 1);
	assert_true(wire_send(child, WIRE_NEWS, payload.s, payload.len));
	str_clear(&payload);
	put_good_result(&payload);
	for (int i = 0; i < 4; i++)
		wire_put_number(&payload, 0);
	assert_true(wire_send(child, WIRE_LISTED, payload.s, payload.len));
	assert_int_equal(mailline_list(&line, FOLDER_DONE, NULL, 2, &out, pool, &err), RC_OK);
	assert_int_equal(mailline_fetch_begin(&line, uid, 1, 0, &err), RC_OK);
	str_clear(&payload);
	put_good_result(&payload);
	wire_put_number(&payload, 1);
	assert_int_equal(memfile_make(&bytes, "x", 1, &err), RC_OK);
	assert_true(wire_send_fd(child, WIRE_MESSAGE, payload.s, payload.len, bytes));
	assert_int_equal(mailline_news(&line, &over, &news, &err), RC_OK);
	assert_true(news);
	assert_int_equal(mailline_fetch_next(&line, &file, &size, &err), RC_OK);
	assert_int_equal(size, 1);
	close(file);
	close(bytes);
	str_free(&payload);
}

/* The role counts over what the line died: a mail that ends its child each time must not be asked for, or moved, for ever. */
static void test_mailbox_child__over_what_it_died(void **state)
{
	(void)state;
	const char *uid[] = {"1"}, *moved[1];
	int file;
	int64_t size;
	play_child();
	close(child);
	child = -1;
	assert_int_equal(mailline_fetch_begin(&line, uid, 1, 0, &err), RC_SERVER);
	assert_string_equal(line.phase, "fetch");
	play_child();
	assert_int_equal(mailline_fetch_begin(&line, uid, 1, 0, &err), RC_OK);
	close(child);
	child = -1;
	assert_lost(mailline_fetch_next(&line, &file, &size, &err));
	assert_string_equal(line.phase, "fetch");
	play_child();
	assert_int_equal(mailline_move_begin(&line, uid, 1, FOLDER_DONE, &err), RC_OK);
	close(child);
	child = -1;
	assert_lost(mailline_move_end(&line, 1, moved, pool, &err));
	assert_string_equal(line.phase, "move");
}

static void test_mailbox_child__its_sentences_are_only_shown(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	struct err hostile = {.text = "\033[2Jgone\nforged: line"};
	play_child();
	mail_handover_put_result(&payload, (enum rc)77, "no-such-phase", &hostile);
	assert_true(wire_send(child, WIRE_DONE, payload.s, payload.len));
	assert_int_equal(mailline_append(&line, "n", "x", 1, &err), RC_SERVER);
	assert_string_equal(err.text, " [2Jgone forged: line");
	assert_string_equal(line.phase, "connect");
	assert_true(line.fd >= 0);
	str_free(&payload);
}

static void test_mailbox_child__tasks_that_are_none(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	struct mail_task task;
	static const enum wire_type types[] = {
		WIRE_LIST, WIRE_FETCH, WIRE_MOVE, WIRE_WAIT, WIRE_APPEND, WIRE_MAIL};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		assert_false(mail_handover_get_task(&task, types[i], &payload, pool));
	wire_put_number(&payload, FOLDER_COUNT);
	wire_put_text(&payload, NULL);
	wire_put_number(&payload, 1);
	assert_false(mail_handover_get_task(&task, WIRE_LIST, &payload, pool));
	str_clear(&payload);
	wire_put_number(&payload, FOLDER_DONE);
	wire_put_number(&payload, 1);
	wire_put_text(&payload, NULL);
	assert_false(mail_handover_get_task(&task, WIRE_MOVE, &payload, pool));
	str_free(&payload);
}

static void test_mailbox_child__settings_arrive_as_they_are(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	struct mailbox_settings got;
	settings.tls = TLS_STARTTLS;
	settings.auth = AUTH_XOAUTH2;
	settings.idle_seconds = 77;
	mail_handover_put_mailbox(&payload, &settings);
	assert_true(mail_handover_get_mailbox(&got, &payload, pool));
	assert_true(got.maildir);
	assert_string_equal(got.path, settings.path);
	assert_null(got.host);
	assert_int_equal(got.tls, TLS_STARTTLS);
	assert_int_equal(got.auth, AUTH_XOAUTH2);
	assert_string_equal(got.bounce, bounce);
	assert_string_equal(got.sent, sent);
	assert_int_equal(got.idle_seconds, 77);
	assert_int_equal(got.message_bytes, 1000);
	str_cut(&payload, payload.len - 1);
	assert_false(mail_handover_get_mailbox(&got, &payload, pool));
	str_free(&payload);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_mailbox_child__##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(lists_fetches_moves_and_files),
		TEST(several_at_once),
		TEST(waiting_is_told_and_interrupted),
		TEST(a_server_that_is_not_there),
		TEST(lists_that_can_not_be),
		TEST(messages_that_could_still_be_changed),
		TEST(what_was_not_asked_for),
		TEST(news_while_something_is_fetched),
		TEST(over_what_it_died),
		TEST(its_sentences_are_only_shown),
		TEST(tasks_that_are_none),
		TEST(settings_arrive_as_they_are),
	};
	return cmocka_run_group_tests(tests, start_zygote, stop_zygote);
}
