/* composed mails: read back by hand here, and by Python's email package (tests/scripts/mail_peer.py) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/mail/compose.h"

static struct compose usual(void)
{
	return (struct compose){
		.from_name = "SECURITY ACTION事務局",
		.from = "security-action-info@example.jp",
		.reply_to = "security-action-info@example.jp",
		.to = "info@example.co.jp",
		.message_id = "id.12.0@example.jp",
		.date = 1800000000,
		.subject = "【SECURITY ACTION】自己宣言IDのお知らせ",
		.body = "株式会社サンプル 様\n\n自己宣言ID：41234567890\n",
		.headers = "",
		.loop_mark = "12",
		.auto_submitted = "auto-generated",
	};
}

static void make(struct str *wire, const struct compose *mail)
{
	struct err err = {0};
	if (compose(wire, mail, &err) != RC_OK)
		fail_msg("%s", err.text);
}

static void assert_has(const struct str *wire, const char *text)
{
	if (!strstr(wire->s, text))
		fail_msg("not there: %s\nin:\n%s", text, wire->s);
}

static void assert_wire_rules(const struct str *wire)
{
	size_t column = 0;
	bool in_header = true;
	for (size_t i = 0; i < wire->len; i++) {
		unsigned char c = (unsigned char)wire->s[i];
		assert_in_range(c, 1, 126);
		if (c == '\n') {
			assert_int_equal(wire->s[i - 1], '\r');
			assert_true(column <= (in_header ? 78u : 998u));
			in_header = in_header && column > 0;
			column = 0;
		} else if (c == '\r') {
			assert_int_equal(wire->s[i + 1], '\n');
		} else {
			column++;
		}
	}
	assert_int_equal(column, 0);
}

static void test_compose__fields(void **state)
{
	(void)state;
	struct compose mail = usual();
	struct str wire = STR_INIT;
	mail.in_reply_to = "a.1@mail.example.com";
	mail.references = "a.0@mail.example.com a.1@mail.example.com";
	mail.headers = "X-Office: 事務局\nList-Unsubscribe: <mailto:stop@example.jp>\n";
	make(&wire, &mail);
	assert_wire_rules(&wire);
	static const char *const fields[] = {
		" <security-action-info@example.jp>\r\nReply-To: security-action-info@example.jp\r\nTo: "
		"info@example.co.jp\r\nSubject: =?UTF-8?B?",
		"\r\nDate: Fri, 15 Jan 2027 ",
		"\r\nMessage-ID: <id.12.0@example.jp>\r\n",
		"\r\nIn-Reply-To: <a.1@mail.example.com>\r\n",
		"\r\nReferences: <a.0@mail.example.com> <a.1@mail.example.com>\r\n",
		"\r\nAuto-Submitted: auto-generated\r\n",
		"\r\nX-Auto-Response-Suppress: All\r\n",
		"\r\nX-Sengen-Notice: 12\r\n",
		"\r\nX-Office: =?UTF-8?B?5LqL5YuZ5bGA?=\r\n",
		"\r\nList-Unsubscribe: <mailto:stop@example.jp>\r\n",
		"\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; "
		"charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
	};
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		assert_has(&wire, fields[i]);
	struct str again = STR_INIT;
	make(&again, &mail);
	assert_string_equal(wire.s, again.s);
	str_free(&wire);
	str_free(&again);
}

static void test_compose__charset_is_raised(void **state)
{
	(void)state;
	struct compose mail = usual();
	struct str wire = STR_INIT;
	mail.charset = CHARSET_ISO_2022_JP;
	make(&wire, &mail);
	assert_has(&wire, "charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n\033$B");
	assert_has(&wire, "Subject: =?ISO-2022-JP?B?");
	str_clear(&wire);
	mail.body = "髙橋様\n";
	make(&wire, &mail);
	assert_has(&wire, "charset=UTF-8\r\nContent-Transfer-Encoding: base64\r\n");
	assert_null(strstr(wire.s, "ISO-2022-JP"));
	assert_null(strstr(wire.s, "?\r\n\r\n?"));
	str_free(&wire);
}

static void test_compose__long_iso_2022_jp_line(void **state)
{
	(void)state;
	struct compose mail = usual();
	struct str body = STR_INIT, wire = STR_INIT;
	for (int i = 0; i < 600; i++)
		str_addz(&body, "長");
	mail.body = body.s;
	mail.charset = CHARSET_ISO_2022_JP;
	make(&wire, &mail);
	assert_wire_rules(&wire);
	assert_has(&wire, "charset=ISO-2022-JP\r\nContent-Transfer-Encoding: base64\r\n");
	str_free(&body);
	str_free(&wire);
}

static void test_compose__carrier_address_is_quoted(void **state)
{
	(void)state;
	struct compose mail = usual();
	struct str wire = STR_INIT;
	mail.to = "taro..yamada.@docomo.ne.jp";
	make(&wire, &mail);
	assert_has(&wire, "\r\nTo: \"taro..yamada.\"@docomo.ne.jp\r\n");
	str_free(&wire);
}

static void test_compose__attachment(void **state)
{
	(void)state;
	struct compose mail = usual(), resend = usual();
	struct str first = STR_INIT, wire = STR_INIT;
	make(&first, &mail);
	resend.message_id = "id.12.1@example.jp";
	resend.attached = first.s;
	resend.attached_len = first.len;
	make(&wire, &resend);
	assert_wire_rules(&wire);
	const char *boundary = strstr(wire.s, "boundary=\"=_");
	assert_non_null(boundary);
	char mark[64];
	assert_int_equal(sscanf(boundary, "boundary=\"%60[^\"]\"", mark), 1);
	const char *at = memmem(wire.s, wire.len, first.s, first.len);
	assert_non_null(at);
	struct str behind = STR_INIT;
	str_printf(&behind, "\r\n--%s--\r\n", mark);
	assert_string_equal(at + first.len, behind.s);
	/* A mail that was itself a resend: its boundary is another one. */
	struct compose nested = usual();
	struct str outer = STR_INIT;
	nested.attached = wire.s;
	nested.attached_len = wire.len;
	make(&outer, &nested);
	assert_null(strstr(strstr(outer.s, "\r\n\r\n--") + 6 + strlen(mark), "\r\n\r\n--=_none"));
	assert_non_null(memmem(outer.s, outer.len, wire.s, wire.len));
	str_free(&first);
	str_free(&wire);
	str_free(&behind);
	str_free(&outer);
}

/* T14: nothing that stands in a value becomes a header, a command or a placeholder. */
static void test_compose__refuses_injection(void **state)
{
	(void)state;
	static const char *const poison[] = {"a\r\nX-Injected: 1", "a\nX-Injected: 1", "a\rX-Injected: 1",
		"a\r\n\r\nbody", "a\xe2\x80\xa8X-Injected: 1",
		"a\xe2\x80\xa9"
		"b",
		"a\x0b"
		"b",
		"a\x1b$B", "a\x7f",
		"a\xc2\x85"
		"b",
		"a\xef\xbf\xbd", "a\xff", "a\xed\xa0\x80", "a\xef\xbf\xbe"};
	for (size_t i = 0; i < sizeof poison / sizeof poison[0]; i++) {
		struct compose mail = usual();
		const char **const targets[] = {&mail.from_name, &mail.from, &mail.reply_to, &mail.to,
			&mail.message_id, &mail.subject, &mail.loop_mark, &mail.in_reply_to, &mail.references,
			&mail.auto_submitted, &mail.attached_name};
		mail.attached = "From: a@example.jp\r\n\r\n";
		mail.attached_len = strlen(mail.attached);
		for (size_t t = 0; t < sizeof targets / sizeof targets[0]; t++) {
			const char *was = *targets[t];
			struct str wire = STR_INIT;
			struct err err = {0};
			*targets[t] = poison[i];
			if (compose(&wire, &mail, &err) == RC_OK)
				fail_msg("poison %zu passed at place %zu:\n%s", i, t, wire.s);
			assert_int_equal(err.rc, RC_REFUSED);
			assert_null(strstr(err.text, "Injected"));
			assert_int_equal(wire.len, 0);
			str_free(&wire);
			*targets[t] = was;
		}
	}
	static const char *const bodies[] = {"a\rb", "a\x0b", "a\x1b(I", "a\xef\xbf\xbd", "a\xff"};
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct compose mail = usual();
		struct str wire = STR_INIT;
		struct err err = {0};
		mail.body = bodies[i];
		assert_int_equal(compose(&wire, &mail, &err), RC_REFUSED);
		str_free(&wire);
	}
}

static void test_compose__refuses_addresses_and_headers(void **state)
{
	(void)state;
	static const char *const addresses[] = {"", "a@example.jp, b@example.jp", "a@example.jp b@example.jp",
		"example.jp", "Name <a@example.jp>", "a@example.jp>\r\nRCPT TO:<b@example.jp",
		"a@[127.0.0.1]"};
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++) {
		struct compose mail = usual();
		struct str wire = STR_INIT;
		struct err err = {0};
		mail.to = addresses[i];
		assert_int_equal(compose(&wire, &mail, &err), RC_REFUSED);
		str_free(&wire);
	}
	static const char *const headers[] = {"Bcc: b@example.jp\n", "to: b@example.jp\n",
		"Content-Type: text/html\n", "no colon\n", ": x\n", "A B: x\n", "X-A: 1\r\nX-B: 2\n",
		"MIME-version: 2\n", "Fröm: x\n"};
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
		struct compose mail = usual();
		struct str wire = STR_INIT;
		struct err err = {0};
		mail.headers = headers[i];
		if (compose(&wire, &mail, &err) == RC_OK)
			fail_msg("header %zu passed:\n%s", i, wire.s);
		str_free(&wire);
	}
	static const char *const not_mails[] = {
		"a: b\n\nc\n", "a: b\r\n\r\n\xe3\x81\x82\r\n", "no line end", "a: b\r\n\rc\r\n"};
	for (size_t i = 0; i < sizeof not_mails / sizeof not_mails[0]; i++) {
		struct compose mail = usual();
		struct str wire = STR_INIT;
		struct err err = {0};
		mail.attached = not_mails[i];
		mail.attached_len = strlen(not_mails[i]);
		assert_int_equal(compose(&wire, &mail, &err), RC_REFUSED);
		str_free(&wire);
	}
}

static void test_compose__encoded_words(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t used;
		enum mail_charset charset;
		const char *want;
	} cases[] = {
		{"plain words", 9, CHARSET_UTF8, "plain words"},
		{"two  blanks", 9, CHARSET_UTF8, "=?UTF-8?B?dHdvICBibGFua3M=?="},
		{" leading", 9, CHARSET_UTF8, "=?UTF-8?B?IGxlYWRpbmc=?="},
		{"=?UTF-8?B?44GC?=", 9, CHARSET_UTF8, "=?UTF-8?B?PT9VVEYtOD9CPzQ0R0M/PQ==?="},
		{"あ", 9, CHARSET_ISO_2022_JP, "=?ISO-2022-JP?B?GyRCJCIbKEI=?="},
		{"①", 9, CHARSET_ISO_2022_JP, "=?UTF-8?B?4pGg?="},
		{"あ", 70, CHARSET_UTF8, "\r\n =?UTF-8?B?44GC?="},
		{"{{user_number}}", 9, CHARSET_UTF8, "{{user_number}}"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct str out = STR_INIT;
		rfc2047_add(&out, cases[i].text, cases[i].charset, cases[i].used);
		assert_string_equal(out.s, cases[i].want);
		str_free(&out);
	}
}

/* T17: names and subjects that other programs have damaged. */
static const char *const corpus[] = {
	"株式会社サンプル",
	"髙﨑 德太郎",
	"㈱サンプル①②③",
	"ｻﾝﾌﾟﾙ商店",
	"𠮷野家具店",
	"葛󠄀城市のサンプル",
	"Café サンプル & Co.",
	"〜～−－‖∥―—…‥",
	"柗本 太郎",
	"有限会社　全角　空白",
	"plain ASCII subject with some words that are long enough to be folded at a blank somewhere in the "
	"middle",
	"ASCII and 日本語 mixed words と blanks between them",
	"=?ISO-2022-JP?B?GyRC?= in the text",
	"quotes \" and \\ backslash, comma; <angle> (comment) @",
	"一つ星：自己宣言完了のお知らせ【再送】長い長い長い長い長い長い長い長い長い長い長い長い長い長い長い長"
	"い長い長い長い長い長い件名",
	"aあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあaあa"
	"あ",
	"012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
	"9",
	"👨‍👩‍👧 emoji",
	"x",
};

static void put(const char *dir, size_t number, const char *kind, const void *bytes, size_t len)
{
	struct str path = STR_INIT;
	struct err err = {0};
	str_printf(&path, "%s/%03zu.%s", dir, number, kind);
	if (file_write(path.s, bytes, len, 0600, &err) != RC_OK)
		fail_msg("%s", err.text);
	str_free(&path);
}

static void test_compose__read_by_python(void **state)
{
	(void)state;
	char dir[] = "/tmp/sengen-compose-XXXXXX";
	assert_non_null(mkdtemp(dir));
	size_t number = 0;
	struct str first = STR_INIT;
	struct compose plain = usual();
	make(&first, &plain);
	for (size_t i = 0; i < sizeof corpus / sizeof corpus[0]; i++) {
		for (int kind = 0; kind < 4; kind++, number++) {
			struct compose mail = usual();
			struct str wire = STR_INIT, body = STR_INIT;
			str_printf(&body, "%s 様\n\n.\n..dots\nFrom here\n  %s  \n", corpus[i], corpus[i]);
			mail.subject = mail.from_name = corpus[i];
			mail.body = body.s;
			mail.to = kind == 3 ? "a..b.@docomo.ne.jp" : "info@example.co.jp";
			mail.charset = kind == 1 ? CHARSET_ISO_2022_JP : CHARSET_UTF8;
			if (kind == 2) {
				mail.attached = first.s;
				mail.attached_len = first.len;
				mail.attached_name = corpus[i];
			}
			make(&wire, &mail);
			assert_wire_rules(&wire);
			put(dir, number, "eml", wire.s, wire.len);
			put(dir, number, "subject", corpus[i], strlen(corpus[i]));
			put(dir, number, "name", corpus[i], strlen(corpus[i]));
			put(dir, number, "to", mail.to, strlen(mail.to));
			put(dir, number, "body", body.s, body.len);
			if (kind == 2) {
				put(dir, number, "attached", first.s, first.len);
				put(dir, number, "filename", corpus[i], strlen(corpus[i]));
			}
			str_free(&wire);
			str_free(&body);
		}
	}
	str_free(&first);
	struct str command = STR_INIT;
	str_printf(&command, "/usr/bin/python3 tests/scripts/mail_peer.py %s", dir);
	int status = system(command.s);
	str_clear(&command);
	str_printf(&command, "rm -r %s", dir);
	assert_int_equal(system(command.s), 0);
	str_free(&command);
	assert_int_equal(status, 0);
}

static void test_compose__message_id(void **state)
{
	(void)state;
	struct str id = STR_INIT;
	message_id_make(&id, 12, "logo", 3, "example.jp");
	assert_string_equal(id.s, "logo.12.3@example.jp");
	str_free(&id);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compose__fields),
		cmocka_unit_test(test_compose__charset_is_raised),
		cmocka_unit_test(test_compose__long_iso_2022_jp_line),
		cmocka_unit_test(test_compose__carrier_address_is_quoted),
		cmocka_unit_test(test_compose__attachment),
		cmocka_unit_test(test_compose__refuses_injection),
		cmocka_unit_test(test_compose__refuses_addresses_and_headers),
		cmocka_unit_test(test_compose__encoded_words),
		cmocka_unit_test(test_compose__read_by_python),
		cmocka_unit_test(test_compose__message_id),
	};
	return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
