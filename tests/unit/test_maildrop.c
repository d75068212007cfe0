/* the Maildir as mailbox, with what may lie in it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/mail/mailbox.h"
#include "tests/unit/scratch.h"

static struct mailbox_settings settings;
static struct mailbox *mailbox;
static struct pool *pool;
static struct err err;
static char inbox[] = "INBOX", done[] = "処理済み", review[] = "事務局/要.確認", bounce[] = "バウンス",
	    sent[] = "送信済み";

#define DONE_DIR ".&UeZ0Bm4IMH8-"
#define REVIEW_DIR ".&TotS2VxA-.&iYE-&AC4-&eLqKjQ-"
#define SENT_DIR ".&kAFP4W4IMH8-"

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
		.message_bytes = 1000};
	pool = pool_new();
	mailbox = mailbox_new(&settings, NULL);
	return mailbox_open(mailbox, &err) == RC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	mailbox_free(&mailbox);
	pool_free(&pool);
	free(settings.path);
	return scratch_remove(state);
}

static const char *in_box(const char *name)
{
	static char path[8][512];
	static int turn;
	turn = (turn + 1) % 8;
	(void)snprintf(path[turn], sizeof path[turn], "%s/%s", settings.path, name);
	return path[turn];
}

static void put(const char *name, const char *bytes)
{
	assert_int_equal(file_write(in_box(name), bytes, strlen(bytes), 0644, &err), RC_OK);
}

static void set_age(const char *name, time_t seconds)
{
	struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
	assert_int_equal(utimensat(AT_FDCWD, in_box(name), times, AT_SYMLINK_NOFOLLOW), 0);
}

static bool there(const char *name)
{
	return access(in_box(name), F_OK) == 0;
}

static struct mailbox_list list(enum folder folder, size_t limit)
{
	struct mailbox_list out;
	assert_int_equal(mailbox_list(mailbox, folder, NULL, limit, &out, pool, &err), RC_OK);
	return out;
}

static void test_maildrop__folders_are_made(void **state)
{
	(void)state;
	static const char *const made[] = {"new", "cur", "tmp", DONE_DIR "/cur", DONE_DIR "/maildirfolder",
		REVIEW_DIR "/new", ".&MNAwpjDzMLk-/tmp", SENT_DIR "/cur"};
	for (size_t i = 0; i < sizeof made / sizeof *made; i++)
		if (!there(made[i]))
			fail_msg("%s was not made", made[i]);
	assert_false(there("maildirfolder"));
}

static void test_maildrop__lists_by_age_up_to_the_limit(void **state)
{
	(void)state;
	put("new/3.b.host", "third!");
	put("cur/1.a.host:2,RS", "first");
	put("new/2.c.host", "2nd");
	set_age("cur/1.a.host:2,RS", 1000);
	set_age("new/2.c.host", 2000);
	set_age("new/3.b.host", 3000);
	struct mailbox_list all = list(FOLDER_INBOX, 10);
	assert_int_equal(all.uid_validity, 0);
	assert_int_equal(all.count, 3);
	assert_false(all.more);
	assert_string_equal(all.entry[0].uid, "1.a.host");
	assert_int_equal(all.entry[0].size, 5);
	assert_string_equal(all.entry[1].uid, "2.c.host");
	assert_string_equal(all.entry[2].uid, "3.b.host");
	struct mailbox_list some = list(FOLDER_INBOX, 2);
	assert_int_equal(some.count, 2);
	assert_true(some.more);
	assert_int_equal(list(FOLDER_DONE, 10).count, 0);
}

static void test_maildrop__one_mail_in_both_places_is_listed_once(void **state)
{
	(void)state;
	put("new/1.a.host", "x");
	put("cur/1.a.host:2,", "x");
	assert_int_equal(list(FOLDER_INBOX, 10).count, 1);
}

static void test_maildrop__only_plain_files_with_decent_names(void **state)
{
	(void)state;
	put("secret", "secret");
	put("new/.hidden", "x");
	put("new/bad\nname", "x");
	put("new/bad\xff", "x");
	put("new/届出書.eml", "good");
	assert_int_equal(symlink(in_box("secret"), in_box("new/link")), 0);
	assert_int_equal(mkfifo(in_box("new/pipe"), 0600), 0);
	assert_int_equal(mkdir(in_box("new/directory"), 0700), 0);
	struct mailbox_list all = list(FOLDER_INBOX, 10);
	assert_int_equal(all.count, 1);
	assert_string_equal(all.entry[0].uid, "届出書.eml");

	struct str raw = STR_INIT;
	static const char *const bad[] = {"link", "pipe", "directory", "../secret", ".hidden", "", "a/b",
		"..", "bad\nname", "nothing", "x:2,S"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(mailbox_fetch(mailbox, bad[i], &raw, &err), RC_REFUSED);
		assert_int_equal(raw.len, 0);
	}
	assert_int_equal(mailbox_fetch(mailbox, "届出書.eml", &raw, &err), RC_OK);
	assert_string_equal(raw.s, "good");
	str_free(&raw);
}

static void test_maildrop__fetches_whatever_its_flags(void **state)
{
	(void)state;
	static const char *const places[] = {
		"new/u", "cur/u", "cur/u:2,", "cur/u:2,S", "cur/u:2,FRS", "cur/u:1,x"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct str raw = STR_INIT;
		put("cur/u2:2,S", "another");
		put(places[i], "bytes");
		assert_int_equal(mailbox_fetch(mailbox, "u", &raw, &err), RC_OK);
		assert_string_equal(raw.s, "bytes");
		str_free(&raw);
		assert_int_equal(unlink(in_box(places[i])), 0);
	}
}

static void test_maildrop__too_large_is_not_read(void **state)
{
	(void)state;
	char large[1002];
	struct str raw = STR_INIT;
	memset(large, 'x', sizeof large - 1);
	large[1001] = '\0';
	put("new/large", large);
	assert_int_equal(list(FOLDER_INBOX, 10).entry[0].size, 1001);
	assert_int_equal(mailbox_fetch(mailbox, "large", &raw, &err), RC_REFUSED);
	put("new/fits", large + 1);
	assert_int_equal(mailbox_fetch(mailbox, "fits", &raw, &err), RC_OK);
	assert_int_equal(raw.len, 1000);
	str_free(&raw);
}

static void test_maildrop__moves_and_tells_what_was_gone(void **state)
{
	(void)state;
	put("new/a", "a");
	put("cur/b:2,R", "b");
	put("cur/c:2,ST", "c");
	const char *uid[] = {"a", "gone", "b", "../a", "c"}, *moved[5];
	assert_int_equal(mailbox_move(mailbox, uid, 5, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "a");
	assert_null(moved[1]);
	assert_string_equal(moved[2], "b");
	assert_null(moved[3]);
	assert_string_equal(moved[4], "c");
	assert_true(there(DONE_DIR "/cur/a:2,"));
	assert_true(there(DONE_DIR "/cur/b:2,R"));
	assert_true(there(DONE_DIR "/cur/c:2,ST"));
	assert_int_equal(list(FOLDER_INBOX, 10).count, 0);
	assert_int_equal(list(FOLDER_DONE, 10).count, 3);
	/* Once more, as after a crash. */
	assert_int_equal(mailbox_move(mailbox, uid, 5, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_null(moved[0]);
	assert_int_equal(list(FOLDER_DONE, 10).count, 3);
}

static void test_maildrop__never_replaces_another_mail(void **state)
{
	(void)state;
	const char *uid[] = {"a"}, *moved[1];
	put(REVIEW_DIR "/cur/a:2,S", "an older one");
	put(REVIEW_DIR "/new/a_1", "another");
	put("new/a", "new");
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_REVIEW, moved, pool, &err), RC_OK);
	assert_string_equal(moved[0], "a_2");
	assert_true(there(REVIEW_DIR "/cur/a_2:2,"));
	struct str text = STR_INIT;
	assert_int_equal(file_read(&text, in_box(REVIEW_DIR "/cur/a:2,S"), 100, &err), RC_OK);
	assert_string_equal(text.s, "an older one");
	str_free(&text);
}

static void test_maildrop__a_folder_that_was_removed_is_made_again(void **state)
{
	(void)state;
	const char *uid[] = {"a"}, *moved[1];
	put("new/a", "a");
	assert_int_equal(rmdir(in_box(DONE_DIR "/cur")), 0);
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_DONE, moved, pool, &err), RC_OK);
	assert_true(there(DONE_DIR "/cur/a:2,"));
}

static void test_maildrop__no_folder_of_that_kind(void **state)
{
	(void)state;
	const char *uid[] = {"a"}, *moved[1];
	struct mailbox_list out;
	assert_int_equal(mailbox_move(mailbox, uid, 1, FOLDER_INBOX, moved, pool, &err), RC_USAGE);
	settings.sent = NULL;
	assert_int_equal(mailbox_list(mailbox, FOLDER_SENT, NULL, 1, &out, pool, &err), RC_USAGE);
	assert_int_equal(mailbox_append(mailbox, "n", "x", 1, &err), RC_USAGE);
	settings.sent = sent;
}

static void test_maildrop__bad_folder_names(void **state)
{
	(void)state;
	static char bad[][8] = {"", "/", "a/", "/a", "a//b"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct mailbox_settings other = settings;
		other.done = bad[i];
		struct mailbox *broken = mailbox_new(&other, NULL);
		assert_int_equal(mailbox_open(broken, &err), RC_CONFIG);
		assert_false(mailbox_is_open(broken));
		mailbox_free(&broken);
	}
}

static void test_maildrop__copies_are_seen_and_never_doubled(void **state)
{
	(void)state;
	assert_int_equal(mailbox_append(mailbox, "notice-1.receipt", "Subject: x\r\n\r\n", 14, &err), RC_OK);
	assert_true(there(SENT_DIR "/cur/notice-1.receipt:2,S"));
	assert_int_equal(rename(in_box(SENT_DIR "/cur/notice-1.receipt:2,S"),
				 in_box(SENT_DIR "/cur/notice-1.receipt:2,FS")),
		0);
	assert_int_equal(mailbox_append(mailbox, "notice-1.receipt", "Subject: x\r\n\r\n", 14, &err), RC_OK);
	assert_int_equal(list(FOLDER_SENT, 10).count, 1);
	assert_int_equal(mailbox_append(mailbox, "../x", "y", 1, &err), RC_USAGE);
}

static void test_maildrop__waiting_ends_by_news_wake_and_time(void **state)
{
	(void)state;
	bool news;
	int wake[2];
	(void)list(FOLDER_INBOX, 10);
	assert_int_equal(mailbox_wait(mailbox, 0, -1, &news, &err), RC_OK);
	assert_false(news);
	put("tmp/a", "a"); /* being written */
	assert_int_equal(mailbox_wait(mailbox, 0, -1, &news, &err), RC_OK);
	assert_false(news);
	assert_int_equal(rename(in_box("tmp/a"), in_box("new/a")), 0);
	assert_int_equal(mailbox_wait(mailbox, 60, -1, &news, &err), RC_OK);
	assert_true(news);
	/* It is news until it was listed. */
	(void)mailbox_wait(mailbox, 60, -1, &news, &err);
	assert_true(news);
	(void)list(FOLDER_INBOX, 10);

	assert_int_equal(pipe(wake), 0);
	assert_int_equal(write(wake[1], "", 1), 1);
	assert_int_equal(mailbox_wait(mailbox, 60, wake[0], &news, &err), RC_OK);
	assert_false(news);
	close(wake[0]);
	close(wake[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_maildrop__##name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(folders_are_made),
		TEST(lists_by_age_up_to_the_limit),
		TEST(one_mail_in_both_places_is_listed_once),
		TEST(only_plain_files_with_decent_names),
		TEST(fetches_whatever_its_flags),
		TEST(too_large_is_not_read),
		TEST(moves_and_tells_what_was_gone),
		TEST(never_replaces_another_mail),
		TEST(a_folder_that_was_removed_is_made_again),
		TEST(no_folder_of_that_kind),
		TEST(bad_folder_names),
		TEST(copies_are_seen_and_never_doubled),
		TEST(waiting_ends_by_news_wake_and_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
