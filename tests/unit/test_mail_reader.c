/* the role's side of reading mail, with a real zygote and children: whatever a mail or a child does, the next mail is read */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zip.h>

#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/wire.h"
#include "daemon/zygote.h"
#include "lib/base/clock.h"
#include "lib/base/crypt.h"

static struct zygote zygote = {-1, -1, NULL};
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
	return zygote_start(&zygote, NULL, &err) == RC_OK ? 0 : -1;
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
	enum rc rc = mail_reader_start(reading, &zygote, file, &context, &err);
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
	assert_int_equal(mail_reader_read(&zygote, file, &context, &received, pool, &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "could still be changed"));
	(void)close(file);
}

static void test_mail_reader__a_zygote_that_was_not_told_or_is_gone(void **state)
{
	(void)state;
	struct received received;
	struct err err = {0};
	struct zygote other = ZYGOTE_NONE;
	int file;
	assert_int_equal(memfile_make(&file, GOOD, strlen(GOOD), &err), RC_OK);
	assert_int_equal(zygote_start(&other, NULL, &err), RC_OK);
	assert_int_equal(mail_reader_read(&other, file, &context, &received, pool, &err), RC_OK);
	zygote_stop(&other);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	(void)close(pair[1]);
	other.reader = pair[0];
	assert_int_equal(mail_reader_read(&other, file, &context, &received, pool, &err), RC_CONFIG);
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

/* ---- what a child that was taken over would try, in the very confinement of a mail's child ---- */

static void try_create(void)
{
	(void)!open("/tmp/sengen-must-not-exist", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void try_connect(void)
{
	(void)!socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void try_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void try_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void try_next_mail(void)
{
	struct err err;
	int fd;
	(void)zygote_child(&zygote, CHILD_MAIL, &fd, &err);
}

static void try_nothing(void)
{
}

static int confined(void (*deed)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct err err;
		if (received_confine(&err))
			_exit(77);
		deed();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_mail_reader__the_confined_are_killed(void **state)
{
	(void)state;
	static void (*const deeds[])(void) = {try_create, try_connect, try_fork, try_exec, try_next_mail};
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		int status = confined(deeds[i]);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("deed %zu: status %x", i, (unsigned)status);
	}
	assert_int_equal(access("/tmp/sengen-must-not-exist", F_OK), -1);
	assert_int_equal(confined(try_nothing), 0);
}

/* ---- mails that were made to do harm ---- */

#define HEAD                                                                                                 \
	"From: a@example.co.jp\nTo: security-action-info@sa.example.jp\nSubject: x\nMessage-ID: "            \
	"<1@x>\nMIME-Version: 1.0\n"
#define MANY 1000000

static void repeat(struct str *out, const char *text, size_t count)
{
	size_t len = strlen(text);
	str_grow(out, len * count);
	for (size_t i = 0; i < count; i++)
		str_add(out, text, len);
}

static void zip_build(struct str *out, const char *name, const char *bytes, size_t len)
{
	zip_error_t why;
	zip_error_init(&why);
	zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &why);
	zip_source_keep(target);
	zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &why);
	zip_int64_t index = zip_file_add(zip, name, zip_source_buffer(zip, bytes, len, 0), 0);
	assert_int_equal(zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_DEFLATE, 1), 0);
	assert_true(zip_file_add(zip, "[Content_Types].xml", zip_source_buffer(zip, "<x/>", 4, 0), 0) >= 0);
	assert_int_equal(zip_close(zip), 0);
	zip_stat_t stat;
	assert_int_equal(zip_source_stat(target, &stat), 0);
	str_grow(out, stat.size);
	assert_int_equal(zip_source_open(target), 0);
	assert_true(zip_source_read(target, out->s + out->len, stat.size) == (zip_int64_t)stat.size);
	out->len += stat.size;
	(void)zip_source_close(target);
	zip_source_free(target);
	zip_error_fini(&why);
}

/* A mail with a Word file that is one XML text. */
static void add_docx(struct str *out, const struct str *xml)
{
	struct str zip = STR_INIT;
	zip_build(&zip, "word/document.xml", xml->s, xml->len);
	str_addz(out, HEAD
		"Content-Type: application/octet-stream; name=b-3.docx\nContent-Disposition: attachment\n"
		"Content-Transfer-Encoding: base64\n\n");
	base64_add(out, zip.s, zip.len);
	str_free(&zip);
}

static void nested_multiparts(struct str *out)
{
	str_addz(out, HEAD "Content-Type: multipart/mixed; boundary=b0\n\n");
	for (int i = 0; i < 20000; i++)
		str_printf(out, "--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i + 1);
	str_addz(out, "--b20000\n\nx\n");
}

static void nested_messages(struct str *out)
{
	str_addz(out, HEAD);
	repeat(out, "Content-Type: message/rfc822\n\nFrom: a@example.co.jp\n", 100000);
	str_addz(out, "\nx\n");
}

static void lost_boundaries(struct str *out)
{
	str_addz(out, HEAD "Content-Type: multipart/mixed; boundary=\"");
	repeat(out, "b", 300);
	str_addz(out, "\"\n\n");
	repeat(out, "--b\n-- b\n--bb--\n\n", MANY / 2);
}

static void many_parts(struct str *out)
{
	str_addz(out, HEAD "Content-Type: multipart/mixed; boundary=b\n\n");
	repeat(out, "--b\nContent-Type: text/plain; charset=ISO-2022-JP\n\nx\n", MANY / 4);
}

static void many_headers(struct str *out)
{
	str_addz(out, HEAD);
	for (int i = 0; i < MANY; i++)
		str_printf(out, "X-%d: %d\n", i, i);
	str_addz(out, "\nx\n");
}

static void many_folded_lines(struct str *out)
{
	str_addz(out, HEAD "References:");
	repeat(out, "\n <a@b>", MANY);
	str_addz(out, "\n\nx\n");
}

static void nul_bytes(struct str *out)
{
	str_addz(out, HEAD);
	str_add(out, "X: a\0b\n\n", 8);
	for (int i = 0; i < MANY; i++)
		str_add(out, "\0x\n", 3);
}

static void endless_encoded_words(struct str *out)
{
	str_addz(out, HEAD "Subject:");
	repeat(out, " =?ISO-2022-JP?B?GyRCO0hNUUNmO18bKEI=?=\n", 6000); /* below the limit on headers */
	repeat(out, "\n =?UTF-8?Q?=E3?=", MANY);
	str_addz(out, "\n\nx\n");
}

static void endless_parameters(struct str *out)
{
	str_addz(out, HEAD "Content-Disposition: attachment");
	for (int i = 0; i < 20000; i++)
		str_printf(out, ";\n filename*%d*=%%E3%%81%%82", i);
	str_addz(out, "\n\nx\n");
}

static void endless_addresses(struct str *out)
{
	str_addz(out, "To: x");
	repeat(out, ", \"a\" <a@example.co.jp>", 20000);
	str_addz(out, "\nFrom: ");
	repeat(out, "a <a@example.co.jp>, ", 5000);
	str_addz(out, "\nMessage-ID: ");
	repeat(out, "<", 30000);
	str_addz(out, "\nAuthentication-Results: mx.sa.example.jp; ");
	repeat(out, "(", 30000);
	str_addz(out, "\n\nx\n");
}

static void thirty_megabytes_of_base64(struct str *out)
{
	str_addz(out,
		HEAD "Content-Type: application/vnd.openxmlformats; name=x.docx\nContent-Transfer-Encoding: "
		     "base64\n\n");
	while (out->len < (size_t)30 * 1024 * 1024 - 80)
		str_addz(out,
			"UEsDBBQACAgIAAAAIQAAAAAAAAAAAAAAAAASAAAAd29yZC9kb2N1bWVudC54bWwAAAAAAAAAAAAAAAAA\n");
}

static void thirty_megabytes_of_text(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	repeat(out, "登録情報の変更の使用の中止の停止の宣言の登録の", 400000);
}

static void one_endless_sentence(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	repeat(out, "使用通知が届いて変更\n", 8000);
}

static void many_short_sentences(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	repeat(out, "変更。", 5400);
}

static void many_form_lines(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	repeat(out, "自己宣言ID：4\n", 3000);
}

static void quoted_for_ever(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=UTF-8\n\n");
	repeat(out, "> ", 100000);
	str_addz(out, "\n");
	repeat(out, ">x\n-----Original Message-----\nFrom: a\n", 5000);
}

static void html_without_end(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/html; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n");
	repeat(out, "<blockquote><a href='", MANY / 2);
	repeat(out, "<!--<script>&#x", MANY / 4);
	repeat(out, "<script></", MANY / 4);
}

static void escapes_without_end(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=ISO-2022-JP\n\n");
	repeat(out, "\033$B\033(J\033(I1\033$(D!!\016", MANY / 4);
}

static void unknown_bytes(struct str *out)
{
	str_addz(out, HEAD "Content-Type: text/plain; charset=x-unknown\n\n");
	repeat(out, "\xE3\x81\xFF\x8E\xA1\x1B\x24", MANY);
}

static void delivery_report(struct str *out)
{
	str_addz(out,
		"Return-Path: <>\n" HEAD
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\nx\n--b\n"
		"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\n");
	repeat(out, "Final-Recipient: rfc822; a@example.co.jp\nAction: failed\nStatus: 5.1.1\n\n", MANY / 8);
	str_addz(out, "--b--\n");
}

static void zip_bomb(struct str *out)
{
	struct str xml = STR_INIT;
	repeat(&xml, "<w:p>                                                            ", 2500000);
	add_docx(out, &xml);
	str_free(&xml);
}

static void entity_bomb(struct str *out)
{
	struct str xml = STR_INIT;
	str_addz(&xml, "<?xml version=\"1.0\"?><!DOCTYPE w [<!ENTITY a0 \"lol\">");
	for (int i = 1; i < 30; i++)
		str_printf(&xml, "<!ENTITY a%d \"&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;\">", i,
			i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
	str_addz(&xml,
		"]><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\">"
		"<w:body><w:p><w:r><w:t>&a29;</w:t></w:r></w:p></w:body></w:document>");
	add_docx(out, &xml);
	str_free(&xml);
}

static void nested_tables(struct str *out)
{
	struct str xml = STR_INIT;
	str_addz(&xml, "<w:document "
		       "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>");
	repeat(&xml, "<w:tbl><w:tr><w:tc>", MANY / 4);
	add_docx(out, &xml);
	str_free(&xml);
}

static void many_cells(struct str *out)
{
	struct str xml = STR_INIT;
	str_addz(&xml,
		"<w:document "
		"xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body><w:tbl>");
	repeat(&xml, "<w:tr><w:tc><w:p><w:r><w:t>自己宣言ID</w:t></w:r></w:p></w:tc></w:tr>", 200000);
	str_addz(&xml, "</w:tbl></w:body></w:document>");
	add_docx(out, &xml);
	str_free(&xml);
}

static void many_forms(struct str *out)
{
	struct str xml = STR_INIT, zip = STR_INIT;
	str_addz(&xml, "<w:document "
		       "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>");
	repeat(&xml, "<w:p><w:r><w:t>自己宣言ID：40000000000</w:t></w:r></w:p>", 20000);
	str_addz(&xml, "</w:body></w:document>");
	zip_build(&zip, "word/document.xml", xml.s, xml.len);
	str_addz(out, HEAD "Content-Type: multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 190; i++) {
		str_addz(out, "--b\nContent-Type: application/octet-stream; name=様式B-3.docx\n"
			      "Content-Transfer-Encoding: base64\n\n");
		base64_add(out, zip.s, zip.len);
		str_addz(out, "\n");
	}
	str_free(&xml);
	str_free(&zip);
}

static void no_line_end(struct str *out)
{
	repeat(out, "x", 20 * MANY);
}

static void only_carriage_returns(struct str *out)
{
	repeat(out, "From: a@example.co.jp\r", MANY);
}

static void over_the_limit(struct str *out)
{
	str_addz(out, HEAD "\n");
	repeat(out, "x\n", 16 * MANY);
}

/* Each ends with somebody who looks at it, and costs nothing but itself. */
static void test_mail_reader__poison(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*make)(struct str *out);
	} poisons[] = {
#define POISON(name) {#name, name}
		POISON(nested_multiparts),
		POISON(nested_messages),
		POISON(lost_boundaries),
		POISON(many_parts),
		POISON(many_headers),
		POISON(many_folded_lines),
		POISON(nul_bytes),
		POISON(endless_encoded_words),
		POISON(endless_parameters),
		POISON(endless_addresses),
		POISON(thirty_megabytes_of_base64),
		POISON(thirty_megabytes_of_text),
		POISON(one_endless_sentence),
		POISON(many_short_sentences),
		POISON(many_form_lines),
		POISON(quoted_for_ever),
		POISON(html_without_end),
		POISON(escapes_without_end),
		POISON(unknown_bytes),
		POISON(delivery_report),
		POISON(zip_bomb),
		POISON(entity_bomb),
		POISON(nested_tables),
		POISON(many_cells),
		POISON(many_forms),
		POISON(no_line_end),
		POISON(only_carriage_returns),
		POISON(over_the_limit),
	};
	for (size_t i = 0; i < sizeof poisons / sizeof *poisons; i++) {
		struct str mail = STR_INIT;
		struct received received;
		struct err err = {0};
		poisons[i].make(&mail);
		int64_t began = clock_machine_ms();
		enum rc rc = read_mail(&received, mail.s, mail.len, &err);
		print_message("%-28s %9zu bytes %5d ms  %s\n", poisons[i].name, mail.len,
			(int)(clock_machine_ms() - began),
			rc                 ? err.text
			: *received.damage ? received.damage
					   : received.reading.why);
		if (rc != RC_REFUSED && !received.reading.review && received.reading.kind != REQUEST_BOUNCE)
			fail_msg("%s: read as if nothing were wrong: %s", poisons[i].name,
				received.reading.why);
		str_free(&mail);
		pool_reset(pool);
		good_mail_is_read();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mail_reader__a_mail_is_read),
		cmocka_unit_test(test_mail_reader__several_at_once),
		cmocka_unit_test(test_mail_reader__nothing_to_read),
		cmocka_unit_test(test_mail_reader__a_file_that_could_change),
		cmocka_unit_test(test_mail_reader__a_zygote_that_was_not_told_or_is_gone),
		cmocka_unit_test(test_mail_reader__lies_of_a_child),
		cmocka_unit_test(test_mail_reader__a_frame_that_is_too_large),
		cmocka_unit_test(test_mail_reader__the_confined_are_killed),
		cmocka_unit_test(test_mail_reader__poison),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
