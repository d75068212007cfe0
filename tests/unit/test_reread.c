#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "lib/mail/compose.h"
#include "lib/mail/reread.h"

static struct err err;

static const char *const texts[] = {
	"",
	"一行だけ\n",
	"ASCII only\nsecond line\n",
	"【再送】の件　全角空白\n\n空行のあと\n",
	"～と〜、－と−、①髙﨑ｱｲｳ\n",
	"とても長い一行がここから始まります。とても長い一行がここから始まります。とても長い一行がここから始ま"
	"ります。\n",
};

static void compose_text(struct str *wire, const char *subject, const char *body, enum mail_charset charset)
{
	const struct compose mail = {.from_name = "SECURITY ACTION事務局",
		.from = "office@sa.example.jp",
		.reply_to = "office@sa.example.jp",
		.to = "info@example.co.jp",
		.message_id = "id.1.0@sa.example.jp",
		.subject = subject,
		.body = body,
		.headers = "",
		.loop_mark = "x",
		.auto_submitted = "auto-generated",
		.charset = charset};
	assert_int_equal(compose(wire, &mail, &err), RC_OK);
}

/* What went in comes out, whatever compose() made of it on the way. */
static void test_reread__gives_back_what_was_composed(void **state)
{
	(void)state;
	static const char *const subjects[] = {"plain", "【SECURITY ACTION】自己宣言IDのお知らせ",
		"とても長い件名なのでいくつもの符号化語に分かれて折り返されるはずの件名です 二つ星 one two",
		"a 日本 b 語 c"};
	for (size_t s = 0; s < sizeof subjects / sizeof subjects[0]; s++)
		for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
			struct str wire = STR_INIT, subject = STR_INIT, body = STR_INIT;
			compose_text(&wire, subjects[s], texts[t], CHARSET_UTF8);
			assert_int_equal(reread(&subject, &body, wire.s, wire.len, &err), RC_OK);
			assert_string_equal(subject.s, subjects[s]);
			assert_string_equal(body.s, *texts[t] ? texts[t] : "\n");
			str_free(&wire);
			str_free(&subject);
			str_free(&body);
		}
}

/* ISO-2022-JP has one character for ～ and 〜: composing what was read gives the same bytes again. */
static void test_reread__iso_2022_jp_is_the_same_when_composed_again(void **state)
{
	(void)state;
	static const char *const bodies[] = {
		"お知らせ\nASCII mixed 混在 123\n", "～〜－−‖∥¢£¬—\n", "亜熙ー・「」\n"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct str wire = STR_INIT, again = STR_INIT, subject = STR_INIT, body = STR_INIT;
		compose_text(&wire, "【お知らせ】の件", bodies[i], CHARSET_ISO_2022_JP);
		assert_non_null(strstr(wire.s, "ISO-2022-JP"));
		assert_int_equal(reread(&subject, &body, wire.s, wire.len, &err), RC_OK);
		compose_text(&again, subject.s, body.s, CHARSET_ISO_2022_JP);
		assert_string_equal(again.s, wire.s);
		str_free(&wire);
		str_free(&again);
		str_free(&subject);
		str_free(&body);
	}
}

static void test_reread__refuses_other_bytes(void **state)
{
	(void)state;
	static const char *const wires[] = {
		"",
		"Subject: x\r\n",
		"\r\n\r\n",
		"Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\nno subject\r\n",
		"Subject: x\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\nYQ==\r\n",
		"Subject: x\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\n!!!\r\n",
		"Subject: x\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: "
		"base64\r\n\r\n/w==\r\n",
		"Subject: =?UTF-8?B?YQ\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: "
		"7bit\r\n\r\na\r\n",
		"Subject: a\x80\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: "
		"7bit\r\n\r\na\r\n",
		"Subject: =?UTF-8?Q?a?=\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: "
		"7bit\r\n\r\na\r\n",
		"Subject: =?ISO-2022-JP?B?GyRC?=\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n"
		"Content-Transfer-Encoding: 7bit\r\n\r\n\x1b$B\x21\r\n",
		"Subject: x\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: "
		"7bit\r\n\r\n\x1b",
	};
	for (size_t i = 0; i < sizeof wires / sizeof wires[0]; i++) {
		struct str subject = STR_INIT, body = STR_INIT;
		if (reread(&subject, &body, wires[i], strlen(wires[i]), &err) != RC_STORE)
			fail_msg("case %zu was read", i);
		str_free(&subject);
		str_free(&body);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reread__gives_back_what_was_composed),
		cmocka_unit_test(test_reread__iso_2022_jp_is_the_same_when_composed_again),
		cmocka_unit_test(test_reread__refuses_other_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
