/* T17: Japanese mail through the parser of ours: names and subjects that are known to break, in either charset, as body, subject, sender and file name (RFC 2047, RFC 2231,
 * raw), whole and cut in mid-character by others. trap_17_japanese_mail.sh has the letters through two more parsers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/crypt.h"
#include "lib/mail/compose.h"
#include "lib/mail/message.h"

static const char *const names[] = {
	"株式会社サンプル",
	"㈱サンプル①",
	"有限会社髙﨑",
	"合同会社𠮷野家見本",
	"ｻﾝﾌﾟﾙ株式会社",
	"株式会社ソ能表示十",
	"株式会社ABC Sample 商店 Ltd.",
	"Sample & Sons Co., Ltd.",
	"株式会社長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長長"
	"長長長長長長長長長長",
	"一般社団法人 見本　全角　空白",
	"株式会社ヱヰヮヵヶ々〆〇ー",
	"見本\"引用\"商店",
};
#define NAMES (sizeof names / sizeof *names)

static void test_trap_17__what_we_write_we_read(void **state)
{
	(void)state;
	for (int charset = 0; charset < 2; charset++)
		for (size_t i = 0; i < NAMES; i++) {
			struct pool *pool = pool_new();
			struct str wire = STR_INIT;
			struct err err = {0};
			struct message message;
			const char *subject = pool_printf(pool, "【SECURITY ACTION】%s", names[i]);
			const char *body = pool_printf(pool, "%s\n見本 太郎 様\n", names[i]);
			struct compose mail = {.from_name = "SECURITY ACTION事務局",
				.from = "office@sa.example.jp",
				.to = "tanto@example.co.jp",
				.subject = subject,
				.body = body,
				.message_id = "x@sa.example.jp",
				.headers = "",
				.reply_to = "office@sa.example.jp",
				.loop_mark = "1",
				.auto_submitted = "auto-generated",
				.charset = charset ? CHARSET_ISO_2022_JP : CHARSET_UTF8};
			if (compose(&wire, &mail, &err) != RC_OK)
				fail_msg("%s: %s", names[i], err.text);
			assert_int_equal(
				message_read(&message, wire.s, wire.len, &message_limits_default, pool, &err),
				RC_OK);
			assert_string_equal(message.subject, subject);
			assert_string_equal(message.from.name, "SECURITY ACTION事務局");
			if (!strstr(message_body(&message), names[i]))
				fail_msg("%s: %s", names[i], message_body(&message));
			assert_string_equal(message.damage, "");
			str_free(&wire);
			pool_free(&pool);
		}
}

/* As others write it: encoded words of any length, each a whole one by itself or cut in mid-character, with one blank that belongs to nobody between them. */
static void test_trap_17__words_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++)
		for (size_t step = 1; step < 12; step++) {
			struct pool *pool = pool_new();
			struct str raw = STR_INIT;
			struct err err = {0};
			struct message message;
			size_t len = strlen(names[i]);
			str_addz(&raw, "From: a@example.co.jp\r\nSubject:");
			for (size_t at = 0; at < len; at += step) {
				str_addz(&raw, " =?UTF-8?B?");
				base64_add(&raw, names[i] + at, len - at < step ? len - at : step);
				str_addz(&raw, "?=\r\n");
			}
			str_addz(&raw, "\r\nx\r\n");
			assert_int_equal(
				message_read(&message, raw.s, raw.len, &message_limits_default, pool, &err),
				RC_OK);
			if (strcmp(message.subject, names[i]) != 0)
				fail_msg("%s cut by %zu: %s", names[i], step, message.subject);
			str_free(&raw);
			pool_free(&pool);
		}
}

/* File names: RFC 2231 whole and in pieces, RFC 2047 inside quotes, raw. */
static void test_trap_17__file_names(void **state)
{
	(void)state;
	static const char name[] = "使用中止申込書（株式会社サンプル）.docx";
	struct str percent = STR_INIT, word = STR_INIT;
	for (const char *at = name; *at; at++)
		str_printf(&percent, "%%%02X", (unsigned char)*at);
	base64_add(&word, name, strlen(name));
	for (int shape = 0; shape < 4; shape++) {
		struct pool *pool = pool_new();
		struct str raw = STR_INIT;
		struct err err = {0};
		struct message message;
		str_addz(&raw, "From: a@example.co.jp\r\nMIME-Version: 1.0\r\nContent-Type: "
			       "application/octet-stream\r\nContent-Disposition: attachment; ");
		if (shape == 0)
			str_printf(&raw, "filename*=UTF-8''%s", percent.s);
		else if (shape == 1)
			for (size_t at = 0, n = 0; at < percent.len; at += 21, n++) /* in mid-character */
				str_printf(&raw, "%sfilename*%zu*=%s%.*s", n ? ";\r\n " : "", n,
					n ? "" : "UTF-8''", 21, percent.s + at);
		else if (shape == 2)
			str_printf(&raw, "filename=\"=?UTF-8?B?%s?=\"", word.s);
		else
			str_printf(&raw, "filename=\"%s\"", name);
		str_addz(&raw, "\r\n\r\nx\r\n");
		assert_int_equal(
			message_read(&message, raw.s, raw.len, &message_limits_default, pool, &err), RC_OK);
		assert_int_equal(message.part_count, 1);
		if (strcmp(message.part[0].name, name) != 0)
			fail_msg("shape %d: %s", shape, message.part[0].name);
		str_free(&raw);
		pool_free(&pool);
	}
	str_free(&percent);
	str_free(&word);
}

/* Labels that lie: JIS called UTF-8 or nothing at all, Shift_JIS with vendor characters. */
static void test_trap_17__bytes_under_wrong_labels(void **state)
{
	(void)state;
	static const struct {
		const char *label, *bytes, *text;
	} bodies[] = {
		{"UTF-8", "\x1b$BDd;_\x1b(B", "停止"},
		{"", "\x1b$BDd;_\x1b(B", "停止"},
		{"ISO-2022-JP", "\x1b$B-j-!\x1b(B", "㈱①"}, /* vendor characters of NEC row 13 */
		{"Shift_JIS", "\x87\x8a\x87\x40", "㈱①"},
		{"Shift_JIS", "\xfb\xfc\xed\x95", "髙﨑"},
		{"US-ASCII", "\xe5\x81\x9c\xe6\xad\xa2", "停止"},
	};
	for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
		struct pool *pool = pool_new();
		struct str raw = STR_INIT;
		struct err err = {0};
		struct message message;
		str_printf(&raw,
			"From: a@example.co.jp\r\nMIME-Version: 1.0\r\nContent-Type: "
			"text/plain%s%s\r\n\r\n%s\r\n",
			*bodies[i].label ? "; charset=" : "", bodies[i].label, bodies[i].bytes);
		assert_int_equal(
			message_read(&message, raw.s, raw.len, &message_limits_default, pool, &err), RC_OK);
		if (!strstr(message_body(&message), bodies[i].text))
			fail_msg("%s as %s: %s", bodies[i].text, bodies[i].label, message_body(&message));
		str_free(&raw);
		pool_free(&pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_trap_17__what_we_write_we_read),
		cmocka_unit_test(test_trap_17__words_cut_anywhere),
		cmocka_unit_test(test_trap_17__file_names),
		cmocka_unit_test(test_trap_17__bytes_under_wrong_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
