/* the role's side of reading mail, with a real zygote and children: whatever a mail or a child does, the next mail is read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/wire.h"
#include "daemon/zygote.h"
#include "lib/base/clock.h"

static int zygote = -1;
static struct pool *pool;
static struct received_context context;

static int begin(void **state)
{
	(void)state;
	struct err err;
	pool = pool_new();
	context = (struct received_context){
		.office = "security-action-info@sa.example.jp", .authserv_id = "mx.sa.example.jp"};
	strlist_add(&context.own_hops, "store.sa.example.jp");
	return zygote_start(&zygote, NULL, &err) == RC_OK && zygote_prepare_mail(zygote, &err) == RC_OK ? 0
													: -1;
}

static int end(void **state)
{
	(void)state;
	zygote_stop(&zygote);
	strlist_free(&context.own_hops);
	pool_free(&pool);
	return 0;
}

static enum rc start(struct mail_reading *reading, const char *bytes, size_t len)
{
	struct err err;
	int file;
	assert_int_equal(memfile_make(&file, bytes, len, &err), RC_OK);
	enum rc rc = mail_reader_start(reading, zygote, file, &context, &err);
	(void)close(file);
	return rc;
}

static enum rc read_mail(struct received *out, const char *bytes, size_t len, struct err *err)
{
	struct mail_reading reading;
	assert_int_equal(start(&reading, bytes, len), RC_OK);
	return mail_reader_finish(&reading, out, pool, err);
}

#define GOOD                                                                                                 \
	"Received: from "                                                                                    \
	"mail.example.co.jp (mail.example.co.jp [192.0.2.1]) by mx.sa.example.jp; Sun, 22 Nov "              \
	"2026 10:00:00 +0900\n"                                                                              \
	"From: 見本 太郎 <taro@example.co.jp>\nTo: security-action-info@sa.example.jp\n"                 \
	"Subject: 配信停止のお願い\nMessage-ID: <1@example.co.jp>\nMIME-Version: 1.0\n"              \
	"Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"                       \
	"メールニュースの配信停止をお願いいたします。\n"

static void good_mail_is_read(void)
{
	static const char mail[] =
		"Authentication-Results: mx.sa.example.jp; dkim=pass header.d=example.co.jp\n" GOOD;
	struct received received;
	struct err err;
	assert_int_equal(read_mail(&received, mail, sizeof mail - 1, &err), RC_OK);
	assert_int_equal(received.reading.kind, REQUEST_NEWS_UNSUBSCRIBE);
	assert_false(received.reading.review);
	assert_string_equal(received.from, "taro@example.co.jp");
	assert_string_equal(received.message_id, "1@example.co.jp");
	assert_true(received.authres.dkim_aligned);
}

static void test_mail_reader__a_mail_is_read(void **state)
{
	(void)state;
	good_mail_is_read();
}

static void test_mail_reader__several_at_once(void **state)
{
	(void)state;
	struct mail_reading reading[8];
	struct str mail[8];
	for (int i = 0; i < 8; i++) {
		mail[i] = STR_INIT;
		str_printf(&mail[i], "X-Number: %d\nFrom: a%d@example.co.jp\nSubject: x\n\nx\n", i, i);
		assert_int_equal(start(&reading[i], mail[i].s, mail[i].len), RC_OK);
	}
	mail_reader_drop(&reading[3]);
	mail_reader_drop(&reading[3]);
	for (int i = 7; i >= 0; i--) {
		struct received received;
		struct err err;
		char from[32];
		(void)snprintf(from, sizeof from, "a%d@example.co.jp", i);
		if (i != 3) {
			assert_int_equal(mail_reader_finish(&reading[i], &received, pool, &err), RC_OK);
			assert_string_equal(received.from, from);
		}
		assert_int_equal(reading[i].fd, -1);
		str_free(&mail[i]);
	}
}

static void test_mail_reader__nothing_to_read(void **state)
{
	(void)state;
	static const char *const mails[] = {"", "\n\n\n"};
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		struct received received;
		struct err err = {0};
		assert_int_equal(read_mail(&received, mails[i], strlen(mails[i]), &err), RC_REFUSED);
		assert_string_equal(err.text, "The mail is empty.");
	}
	good_mail_is_read();
}

static void test_mail_reader__a_file_that_could_change(void **state)
{
	(void)state;
	struct received received;
	struct err err = {0};
	int file = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	assert_int_equal(mail_reader_read(zygote, file, &context, &received, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "could still be changed"));
	(void)close(file);
}

static void test_mail_reader__a_zygote_that_is_not_prepared_or_gone(void **state)
{
	(void)state;
	struct received received;
	struct err err = {0};
	int other, file;
	assert_int_equal(memfile_make(&file, GOOD, strlen(GOOD), &err), RC_OK);
	assert_int_equal(zygote_start(&other, NULL, &err), RC_OK);
	assert_int_equal(mail_reader_read(other, file, &context, &received, pool, &err), RC_REFUSED);
	zygote_stop(&other);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	(void)close(pair[1]);
	assert_int_equal(mail_reader_read(pair[0], file, &context, &received, pool, &err), RC_CONFIG);
	(void)close(pair[0]);
	(void)close(file);
}

/* ---- children that lie ---- */

/* What a reading comes to whose child says this and ends, or (len 0) says nothing; silent: and does not end. */
static enum rc told(enum wire_type type, const char *payload, size_t len, bool silent, struct err *err)
{
	int pair[2];
	struct received received;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct mail_reading reading = {.fd = pair[0], .deadline = silent ? 0 : clock_machine_ms() + 5000};
	if (len)
		(void)wire_send(pair[1], type, payload, len);
	if (!silent)
		(void)close(pair[1]);
	enum rc rc = mail_reader_finish(&reading, &received, pool, err);
	assert_int_equal(reading.fd, -1);
	if (silent)
		(void)close(pair[1]);
	return rc;
}

static void test_mail_reader__lies_of_a_child(void **state)
{
	(void)state;
	struct err err = {0};
	struct str text = STR_INIT;
	assert_int_equal(told(WIRE_RECEIVED, "", 0, false, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "its reader failed"));
	assert_int_equal(told(WIRE_RECEIVED, "", 0, true, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "too much time"));
	assert_int_equal(told(WIRE_RECEIVED, "{}", 2, false, &err), RC_REFUSED);
	assert_int_equal(told(WIRE_RECORD, "{}", 2, false, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "said what it must not"));
	for (size_t i = 0; i <= RECEIVED_JSON_MAX; i++)
		str_addc(&text, '[');
	assert_int_equal(told(WIRE_RECEIVED, text.s, 100000, false, &err), RC_REFUSED);
	str_clear(&text);
	wire_put_number(&text, RC_OK);
	wire_put_text(&text, "Terminal \033[2J");
	assert_int_equal(told(WIRE_DONE, text.s, text.len, false, &err), RC_REFUSED);
	assert_string_equal(err.text, "The mail could not be read.");
	assert_int_equal(told(WIRE_DONE, text.s, 5, false, &err), RC_REFUSED);
	assert_string_equal(err.text, "The mail could not be read.");
	str_free(&text);
}

/* Says that a frame of 16 MiB comes: over what a reading may take. */
static void test_mail_reader__a_frame_that_is_too_large(void **state)
{
	(void)state;
	int pair[2];
	struct received received;
	struct err err = {0};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct mail_reading reading = {.fd = pair[0], .deadline = clock_machine_ms() + 5000};
	static const char head[] = {1, 0, 0, 0, WIRE_RECEIVED};
	assert_int_equal(write(pair[1], head, sizeof head), sizeof head);
	assert_int_equal(mail_reader_finish(&reading, &received, pool, &err), RC_REFUSED);
	(void)close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_reader__a_mail_is_read),
		cmocka_unit_test(test_mail_reader__several_at_once),
		cmocka_unit_test(test_mail_reader__nothing_to_read),
		cmocka_unit_test(test_mail_reader__a_file_that_could_change),
		cmocka_unit_test(test_mail_reader__a_zygote_that_is_not_prepared_or_gone),
		cmocka_unit_test(test_mail_reader__lies_of_a_child),
		cmocka_unit_test(test_mail_reader__a_frame_that_is_too_large),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
