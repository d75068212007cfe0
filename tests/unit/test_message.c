/* received mails taken apart: what mail programs write, and what was written to break a reader */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mail/message.h"

#define MIME "From: a@example.co.jp\nMIME-Version: 1.0\nContent-Type: "

struct opened {
	struct pool *pool;
	struct message message;
};

static struct opened open_bytes(const char *bytes, size_t len, const struct message_limits *limits)
{
	struct opened o = {.pool = pool_new()};
	struct err err = {0};
	if (message_read(&o.message, bytes, len, limits, o.pool, &err) != RC_OK)
		fail_msg("%s", err.text);
	return o;
}

static struct opened open_mail(const char *text)
{
	return open_bytes(text, strlen(text), &message_limits_default);
}

static void close_mail(struct opened *o)
{
	pool_free(&o->pool);
}

static void test_message__header_fields(void **state)
{
	(void)state;
	struct opened o = open_mail(
		"Return-Path: <>\nDelivered-To: office@sa.example.jp\n"
		"Authentication-Results: mx.sa.example.jp; dkim=pass\nReceived: from b by c; x\n"
		"Authentication-Results: evil.example; dkim=pass\nReceived: from a by b; x\n"
		"From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <Yamada@Example.CO.JP>\nSender: s@example.jp\n"
		"Reply-To: \"r, x\" <r@example.jp>\nTo: office@sa.example.jp\nCc: c@example.jp\n"
		"Subject: =?utf-8?B?5YGc?=\n =?utf-8?B?5q2i?=\nMessage-ID:\n <1@example.co.jp>\n"
		"In-Reply-To: <2@sa.example.jp>\nReferences: <2@sa.example.jp>\n <3@sa.example.jp>\n"
		"Auto-Submitted: no\nDate: Tue, 6 Oct 2026 10:06:00 +0900\n\nbody\n");
	const struct message *m = &o.message;
	assert_string_equal(m->subject, "停止");
	assert_string_equal(m->from.name, "山田");
	assert_string_equal(m->from.address, "Yamada@example.co.jp");
	assert_int_equal(m->from_count, 1);
	assert_string_equal(m->reply_to.address, "r@example.jp");
	assert_string_equal(m->reply_to.name, "r, x");
	assert_string_equal(m->return_path, "");
	assert_string_equal(m->message_id, "<1@example.co.jp>");
	assert_string_equal(m->in_reply_to, "<2@sa.example.jp>");
	assert_non_null(strstr(m->references, "<3@sa.example.jp>"));
	assert_int_equal(m->authentication_results_count, 2);
	assert_string_equal(m->authentication_results[0], "mx.sa.example.jp; dkim=pass");
	assert_int_equal(m->received_count, 2);
	assert_int_equal(m->delivered_to_count, 2);
	assert_int_equal(m->date, 1791248760);
	assert_string_equal(m->auto_submitted, "no");
	assert_string_equal(message_header(m, "delivered-to"), "office@sa.example.jp");
	assert_null(message_header(m, "X-None"));
	assert_string_equal(message_body(m), "body\n");
	assert_string_equal(m->damage, "");
	close_mail(&o);
}

static void test_message__damaged_headers(void **state)
{
	(void)state;
	static const struct {
		const char *mail, *subject, *from;
		int from_count;
	} cases[] = {
		{"From: a@example.jp\nFrom: b@example.jp\nSubject: x\n\nb", "x", "a@example.jp", 2},
		{"Subject: first\nSubject: second\nFrom: a@example.jp\n\nb", "first", "a@example.jp", 1},
		{"From: a@example.jp\r\nSubject: x\r\n\r\nb", "x", "a@example.jp", 1},
		{"From: a@example.jp\rSubject: x\r\rb", "x", "a@example.jp", 1}, /* CR alone */
		{"From: \x8e\x52\x93\x63 <a@example.jp>\nSubject: "
		 "\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2\n\nb",
			"停止したい", "a@example.jp", 1}, /* raw Shift_JIS */
		{"From: a@example.jp\nSubject: \033$BDd;_\033(B\n\nb", "停止", "a@example.jp", 1},
		{"From: a@example.jp (Taro)\nSubject: x\n\nb", "x", "a@example.jp", 1},
		{"From: <a@example.jp\nSubject: x\n\nb", "x", "a@example.jp", 1}, /* bracket never closed */
		{"From: undisclosed\nSubject: x\n\nb", "x", "", 1},
		{"From: \"b@example.jp\" <a@example.jp>\nSubject: x\n\nb", "x", "a@example.jp", 1},
		{"From: =?utf-8?B?YkBleGFtcGxlLmpw?= <a@example.jp>\nSubject: x\n\nb", "x", "a@example.jp",
			1},
		{"From: a@example.jp\nSubject:\n\nb", "", "a@example.jp", 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct opened o = open_mail(cases[i].mail);
		if (strcmp(o.message.subject, cases[i].subject) != 0 ||
			strcmp(o.message.from.address, cases[i].from) != 0 ||
			o.message.from_count != cases[i].from_count)
			fail_msg("row %zu: '%s' from '%s' (%d)", i, o.message.subject, o.message.from.address,
				o.message.from_count);
		close_mail(&o);
	}
}

static void test_message__hidden_line_breaks_are_said(void **state)
{
	(void)state;
	struct opened o =
		open_mail("From: a@example.jp\nSubject: =?utf-8?B?eA0KQmNjOiB2QGV4YW1wbGUuanA=?=\n\nb");
	assert_string_equal(o.message.subject, "x  Bcc: v@example.jp");
	assert_non_null(strstr(o.message.damage, "hidden line end"));
	close_mail(&o);
}

static void test_message__nothing_to_read(void **state)
{
	(void)state;
	struct message_limits small = message_limits_default;
	small.bytes = 20;
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {{"", 0}, {" \r\n\r\n", 5}, {"\0\0\0\0", 4}, {"Subject: a mail that is longer\n\nx", 33}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pool *pool = pool_new();
		struct message message;
		struct err err = {0};
		assert_int_equal(
			message_read(&message, cases[i].bytes, cases[i].len, &small, pool, &err), RC_REFUSED);
		assert_true(strlen(err.text) > 10);
		pool_free(&pool);
	}
}

static void test_message__names_of_files(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *name;
	} cases[] = {
		/* RFC 2231: charset, pieces, pieces in the wrong mixture */
		{"Content-Disposition: attachment; filename*=UTF-8''%E6%A7%98%E5%BC%8FB-3.docx",
			"様式B-3.docx"},
		{"Content-Disposition: attachment; filename*0*=UTF-8''%E6%A7%98%E5; filename*1*=%BC%8F; "
		 "filename*2=\"B-3.docx\"",
			"様式B-3.docx"},
		{"Content-Disposition: attachment; filename*0=\"abc\"; filename*1=\"def.docx\"",
			"abcdef.docx"},
		{"Content-Disposition: attachment; filename*=ISO-2022-JP'ja'%1B%24BMM%3C0%1B%28B.docx",
			"様式.docx"},
		{"Content-Disposition: attachment; filename*=%E6%A7%98.docx", "様.docx"}, /* no charset */
		/* both: the extended one holds */
		{"Content-Disposition: attachment; filename=\"plain.docx\"; filename*=utf-8''%E6%A7%98.docx",
			"様.docx"},
		/* RFC 2047 inside quotes, inside nothing, folded */
		{"Content-Disposition: attachment; filename=\"=?UTF-8?B?5qeY5byP?=.docx\"", "様式.docx"},
		{"Content-Disposition: attachment; filename=\"=?ISO-2022-JP?B?GyRCTU0bKEI=?=\n "
		 "=?ISO-2022-JP?B?GyRCPDAbKEI=?=.docx\"",
			"様式.docx"},
		{"Content-Type: application/x-a; name==?UTF-8?B?5qeY5byP?=.docx", "様式.docx"},
		/* raw bytes */
		{"Content-Disposition: attachment; filename=\"\x97\x6c\x8e\xae.docx\"", "様式.docx"},
		{"Content-Disposition: attachment; filename=\"\033$BMM<0\033(B.docx\"", "様式.docx"},
		{"Content-Disposition: attachment; filename=様式.docx", "様式.docx"},
		/* where and how it stands */
		{"Content-Type: application/x-a; name=\"b.docx\"\nContent-Disposition: attachment", "b.docx"},
		{"Content-Disposition: attachment; filename=a b.docx ; size=3", "a b.docx"},
		{"Content-Disposition: attachment; filename=\"a\\\"b;c.docx\"", "a\"b;c.docx"},
		{"Content-Disposition: attachment; FILENAME = a.docx", "a.docx"},
		{"Content-Disposition: attachment; filename=", ""},
		{"Content-Disposition: attachment; filename*=utf-8''%", "%"},
		{"Content-Disposition: attachment; filename=\"never closed", "never closed"},
		{"Content-Disposition: attachment; filename", ""},
		{"Content-Disposition: attachment; filename*=utf-8''a%0D%0Ab%00c.docx", "a  b c.docx"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str mail = STR_INIT;
		str_printf(
			&mail, MIME "multipart/mixed; boundary=b\n\n--b\n%s\n\nx\n--b--\n", cases[i].fields);
		struct opened o = open_mail(mail.s);
		assert_int_equal(o.message.part_count, 1);
		if (strcmp(o.message.part[0].name, cases[i].name) != 0)
			fail_msg("row %zu: '%s'", i, o.message.part[0].name);
		close_mail(&o);
		str_free(&mail);
	}
}

static void test_message__kind_by_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
		const char *type;
		enum part_kind kind;
	} cases[] = {
#define BYTES(text) text, sizeof(text) - 1
		{BYTES("PK\3\4\24\0\0\0\10\0....................[Content_Types].xml...word/document.xml"),
			"text/plain", PART_DOCX},
		{BYTES("PK\3\4\24\0\0\0\10\0....................[Content_Types].xml...word/vbaProject.bin"),
			"", PART_DOCM},
		{BYTES("PK\3\4\24\0\0\0\10\0....................[Content_Types].xml...xl/workbook.xml"), "",
			PART_XLSX},
		{BYTES("PK\3\4\24\0\0\0\0\0....................mimetypeapplication/"
		       "vnd.oasis.opendocument.text"),
			"", PART_ODT},
		{BYTES("PK\3\4\24\0\0\0\10\0a.txt"),
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document", PART_ZIP},
		{BYTES("PK\3\4\24\0\1\0\10\0a.docx"), "", PART_ZIP_ENCRYPTED},
		{BYTES("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1..."),
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document", PART_OLE},
		{BYTES("%PDF-1.7"), "image/png", PART_PDF},
		{BYTES("{\\rtf1"), "application/msword", PART_RTF},
		{BYTES("\x78\x9F\x3E\x22"), "application/octet-stream", PART_TNEF},
		{BYTES("\xFF\xD8\xFF\xE0"), "application/octet-stream", PART_IMAGE},
		{BYTES("....ftypheic"), "application/octet-stream", PART_OTHER},
		{BYTES("....ftypheic."), "application/octet-stream", PART_IMAGE},
		{BYTES("BM is a word"), "text/plain", PART_TEXT},
		{BYTES("x"), "text/html", PART_HTML},
		{BYTES("x"), "message/delivery-status", PART_DELIVERY_STATUS},
		{BYTES("x"), "text/calendar", PART_CALENDAR},
		{BYTES("x"), "application/pkcs7-signature", PART_SIGNATURE},
		{BYTES(""), "application/octet-stream", PART_OTHER},
		{BYTES("PK"), "application/zip", PART_OTHER},
#undef BYTES
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum part_kind kind = part_kind_tell(cases[i].bytes, cases[i].len, cases[i].type);
		if (kind != cases[i].kind)
			fail_msg("row %zu: %s", i, part_kind_name(kind));
	}
}

static void test_message__html(void **state)
{
	(void)state;
	static const struct {
		const char *html, *text;
	} cases[] = {
		{"<p>a</p><p>b</p>", "a\nb\n"},
		{"a<br>b<br/>c<BR />d", "a\nb\nc\nd\n"},
		{"<div>a<div>b</div></div>c", "a\nb\nc\n"},
		{"  a \n  b\t c ", "a b c\n"},
		{"<pre>a\n b</pre>", "a\n b\n"},
		{"&lt;&amp;&#12354;&#x3042;&nbsp;&unknown;&", "<&ああ &unknown;&\n"},
		{"&#0;&#xD800;&#1114112;&#99999999999;", "&#0;&#xD800;&#1114112;&#99999999999;\n"},
		{"<style>p{}</style>a<script>b()</script>c<!-- d -->e", "ace\n"},
		{"<head><title>t</title></head><body>a</body>", "a\n"},
		{"<!--[if gte mso 9]><xml>x</xml><![endif]-->a", "a\n"},
		{"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc\n"},
		{"new<blockquote>old<blockquote>older</blockquote></blockquote>", "new\n> old\n> > older\n"},
		{"<ul><li>a<li>b</ul>", "a\nb\n"},
		{"a<script>never closed", "a\n"},
		{"a<!-- never closed", "a\n"},
		{"a<b", "a\n"},
		{"</blockquote></blockquote>a", "a\n"},
		{"<p title=\"a>b\">c</p>", "c\n"},
		{"a<s>b<s>c</s>d</s>e<del>f</del><STRIKE>g</STRIKE>h<small>i</small>", "aehi\n"},
		{"a<div style=\"Display : none; color:red\">b<div>c</div>d</div>e", "a\ne\n"},
		{"a<span style='text-decoration: line-through'>b</span>c<p hidden>d</p>e", "ac\ne\n"},
		{"a<span style=\"mso-hide:all\">b</span>c<i class=hiddenite>d</i>", "acd\n"},
		{"a<s>never closed", "anever closed\n"},
		{"a<br style=\"display:none\">b", "a\nb\n"},
		{"a<span style=\"text-decoration: underline line-through red\">b</span>c", "ac\n"},
		{"a<span style=\"text-decoration:underline;x:line-through\">b</span>c", "abc\n"},
		{"a<i class=\"x hidden y\">b</i><i title='a hidden b'>c</i><i class=x hidden>d</i>e",
			"abce\n"},
		{"a<i class='x' HIDDEN=''>b</i>c<i\nhidden\n>d</i>e", "ace\n"},
		{"a<div style=\"display:none\">b<br>c", "a\n"},
		{"a<p hidden>b<p>c</p>", "a\n"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str out = STR_INIT;
		html_to_text(&out, cases[i].html, strlen(cases[i].html));
		if (strcmp(out.s, cases[i].text) != 0)
			fail_msg("row %zu: '%s'", i, out.s);
		str_free(&out);
	}
}

static void test_message__body_is_what_a_person_reads(void **state)
{
	(void)state;
	static const struct {
		const char *mail, *body;
	} cases[] = {
		{MIME "multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\nplain text of "
		      "the mail\n--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n",
			"plain text of the mail"},
		{MIME "multipart/alternative; boundary=b\n\n--b\nContent-Type: "
		      "text/plain\n\n\n--b\nContent-Type: text/html\n\n<p>html</p>\n--b--\n",
			"html\n"},
		{MIME "multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; "
		      "name=a.txt\nContent-Disposition: attachment\n\nfile\n--b\nContent-Type: "
		      "text/plain\n\nbody\n--b--\n",
			"body"},
		{MIME "multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\nSubject: "
		      "x\n\ninner\n--b\nContent-Type: text/plain\n\nouter\n--b--\n",
			"outer"},
		{MIME "text/plain; charset=iso-2022-jp\nContent-Transfer-Encoding: "
		      "7bit\n\n\033$BDd;_\033(B\n",
			"停止\n"},
		{MIME "text/plain; charset=utf-8\nContent-Transfer-Encoding: "
		      "quoted-printable\n\n=E5=81=9C=\n=E6=AD=A2\n",
			"停止\n"},
		{MIME "text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n5YGc5q2i\n", "停止"},
		{MIME "text/plain; charset=us-ascii\n\n\x92\xe2\x8e\x7e\x82\xb5\x82\xbd\x82\xa2\n",
			"停止したい\n"}, /* label lies */
		{MIME "text/html; charset=utf-8\n\n<p>停止</p>\n", "停止\n"},
		{"Subject: no MIME at all\n\n停止\n", "停止\n"},
		{MIME "nonsense\n\nbody\n", "body\n"},
		{MIME "multipart/mixed\n\nno boundary\n", "no boundary\n"},
		{MIME "multipart/mixed; boundary=b\n\nno part\n", "no part\n"},
		{MIME "multipart/mixed; boundary=b\n\n--b\n\nend lost\n", "end lost\n"},
		{MIME "multipart/mixed; boundary=b\n\n--bc\n\nnot a boundary\n--b\n\nbody\n--b--\n", "body"},
		{MIME "text/plain\nContent-Transfer-Encoding: x-nonsense\n\nbody\n", "body\n"},
		{"Subject: x", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct opened o = open_mail(cases[i].mail);
		if (strcmp(message_body(&o.message), cases[i].body) != 0)
			fail_msg("row %zu: '%s'", i, message_body(&o.message));
		close_mail(&o);
	}
}

#define PART(type, text) "--b\nContent-Type: " type "\n\n" text "\n"
#define INNER(kind, parts) "--b\nContent-Type: multipart/" kind "; boundary=c\n\n" parts "--c--\n"
#define IN(type, text) "--c\nContent-Type: " type "\n\n" text "\n"

/* A telephone puts the picture where it was taken, and goes on writing below. */
static void test_message__all_that_was_written(void **state)
{
	(void)state;
	static const struct {
		const char *mail, *text;
	} cases[] = {
		{MIME "multipart/mixed; boundary=b\n\n" PART("text/plain", "one")
				PART("image/png; name=a.png", "x") PART("text/plain", "two") "--b--\n",
			"one\ntwo"},
		{MIME "multipart/mixed; boundary=b\n\n" PART("text/html", "<p>one</p>")
				PART("image/png; name=a.png", "x") PART("text/html", "<p>two</p>") "--b--\n",
			"one\n\ntwo\n"},
		/* The letter is HTML, and a gateway adds its line as plain text. */
		{MIME "multipart/mixed; boundary=b\n\n" PART("text/html", "<p>one</p>")
				PART("text/plain", "scanned") "--b--\n",
			"one\n\nscanned"},
		{MIME "multipart/mixed; boundary=b\n\n" INNER(
			 "alternative", IN("text/plain", "one") IN("text/html", "<p>one</p>"))
				PART("text/plain", "two") "--b--\n",
			"one\ntwo"},
		{MIME "multipart/alternative; boundary=b\n\n" PART("text/plain", "one two")
				INNER("mixed", IN("text/html", "<p>one</p>") IN("image/png; name=a.png", "x")
						       IN("text/html", "<p>two</p>")) "--b--\n",
			"one two"},
		{MIME "multipart/alternative; boundary=b\n\n" PART("text/plain", "")
				INNER("mixed", IN("text/html", "<p>one</p>") IN("image/png; name=a.png", "x")
						       IN("text/html", "<p>two</p>")) "--b--\n",
			"one\n\ntwo\n"},
		/* A form that was put between, and what is no letter. */
		{MIME "multipart/mixed; boundary=b\n\n" PART("text/plain", "one")
				PART("text/plain; name=form.txt", "two") PART("text/csv", "three") "--b--\n",
			"one"},
		{MIME "text/plain\n\none\n", "one\n"},
		{"Subject: x", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct opened o = open_mail(cases[i].mail);
		const char *text = message_text(&o.message, o.pool);
		if (strcmp(text, cases[i].text) != 0)
			fail_msg("row %zu: '%s'", i, text);
		close_mail(&o);
	}
}

static void test_message__parts_know_where_they_are(void **state)
{
	(void)state;
	struct opened o = open_mail(
		MIME "multipart/report; report-type=delivery-status; boundary=b\n\n--b\nContent-Type: "
		     "text/plain\n\na\n--b\nContent-Type: "
		     "message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; "
		     "a@b.c\n\n--b\nContent-Type: message/rfc822\n\nSubject: "
		     "inner\nMessage-ID: <1@x>\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\ninner "
		     "text\n--c\nContent-Type: application/pdf\n\n%PDF-1\n--c--\n--b--\n");
	const struct message *m = &o.message;
	assert_int_equal(m->part_count, 5);
	static const enum part_kind kinds[] = {
		PART_TEXT, PART_DELIVERY_STATUS, PART_MESSAGE, PART_TEXT, PART_PDF};
	static const int parents[] = {-1, -1, -1, 2, 2};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(m->part[i].kind, kinds[i]);
		assert_int_equal(m->part[i].parent, parents[i]);
	}
	assert_non_null(strstr(m->part[1].text, "Final-Recipient: rfc822; a@b.c"));
	assert_non_null(memmem(m->part[2].bytes, m->part[2].len, "Message-ID: <1@x>", 17));
	close_mail(&o);
}

/* ---- hostile ones ---- */

static void test_message__nesting_stops(void **state)
{
	(void)state;
	struct str mail = STR_INIT;
	str_addz(&mail, "From: a@example.jp\n");
	for (int i = 0; i < 300; i++)
		str_printf(&mail, "Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n", i, i);
	str_addz(&mail, "\nbottom\n");
	struct opened o = open_mail(mail.s);
	assert_int_equal(o.message.part_count, 0);
	assert_non_null(strstr(o.message.damage, "nested"));
	close_mail(&o);
	str_clear(&mail);
	for (int i = 0; i < 300; i++)
		str_addz(&mail, "From: a@example.jp\nContent-Type: message/rfc822\n\n");
	o = open_mail(mail.s);
	assert_true(o.message.part_count <= 14);
	assert_non_null(strstr(o.message.damage, "nested"));
	close_mail(&o);
	str_free(&mail);
}

static void test_message__floods_stop(void **state)
{
	(void)state;
	struct str mail = STR_INIT;
	str_addz(&mail, MIME "multipart/mixed; boundary=b\n\n");
	for (int i = 0; i < 5000; i++)
		str_addz(&mail, "--b\n\nx\n");
	struct opened o = open_mail(mail.s);
	assert_int_equal(o.message.part_count, message_limits_default.parts);
	assert_non_null(strstr(o.message.damage, "parts"));
	close_mail(&o);

	str_clear(&mail);
	str_addz(&mail, "From: a@example.jp\n");
	for (int i = 0; i < 30000; i++)
		str_printf(&mail, "X-Flood-%d: aaaaaaaaaaaaaaaaaaaa\n", i);
	str_addz(&mail, "\nbody\n");
	o = open_mail(mail.s);
	assert_true(o.message.header_count < 12000);
	assert_non_null(strstr(o.message.damage, "header"));
	assert_string_equal(o.message.from.address, "a@example.jp");
	close_mail(&o);

	str_clear(&mail);
	str_addz(&mail, "From: a@example.jp\nSubject: ");
	for (int i = 0; i < 400000; i++)
		str_addc(&mail, 'a');
	str_addz(&mail, "\n\nbody\n");
	o = open_mail(mail.s);
	assert_non_null(strstr(o.message.damage, "header"));
	close_mail(&o);
	str_free(&mail);
}

static void test_message__decoded_bytes_are_limited(void **state)
{
	(void)state;
	struct message_limits limits = message_limits_default;
	limits.decoded_bytes = 1000;
	struct str mail = STR_INIT;
	str_addz(&mail, MIME "multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\n\n");
	for (int i = 0; i < 2000; i++)
		str_addc(&mail, 'x');
	str_addz(&mail, "\n--b\n\nlast\n--b--\n");
	struct opened o = open_bytes(mail.s, mail.len, &limits);
	assert_int_equal(o.message.part_count, 3);
	assert_int_equal(o.message.part[1].len, 0);
	assert_string_equal(o.message.part[2].text, "last");
	assert_non_null(strstr(o.message.damage, "larger"));
	close_mail(&o);

	/* the returned mail counts too, once over the limit nothing of it is kept */
	str_clear(&mail);
	str_addz(&mail, MIME "message/rfc822\n\nSubject: inner\n\n");
	for (int i = 0; i < 2000; i++)
		str_addc(&mail, 'x');
	o = open_bytes(mail.s, mail.len, &limits);
	assert_int_equal(o.message.part[0].len, 0);
	assert_true(*o.message.damage);
	close_mail(&o);
	str_free(&mail);
}

static void test_message__nul_bytes(void **state)
{
	(void)state;
	static const char mail[] = "From: a@example.jp\nSub\0ject: x\nX-Nul: a\0b\n\nbo\0dy\n";
	struct opened o = open_bytes(mail, sizeof mail - 1, &message_limits_default);
	assert_string_equal(o.message.from.address, "a@example.jp");
	assert_string_equal(message_body(&o.message), "bo dy\n");
	close_mail(&o);
}

/* One boundary is the beginning of the other; one is used at two depths: nothing is lost but what the lie hides. */
static void test_message__lying_boundaries(void **state)
{
	(void)state;
	struct opened o = open_mail(MIME
		"multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=bb\n\n"
		"--bb\n\ninner\n--bb--\n--b\n\nouter\n--b--\n");
	assert_int_equal(o.message.part_count, 2);
	assert_string_equal(o.message.part[1].text, "outer");
	close_mail(&o);
	o = open_mail(MIME "multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; "
			   "boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--\n");
	assert_true(o.message.part_count >= 1);
	close_mail(&o);
	o = open_mail(MIME "multipart/mixed; boundary=\"\"\n\n--\n\nempty boundary\n----\n");
	close_mail(&o);
}

static void test_message__cut_anywhere(void **state)
{
	(void)state;
	static const char mail[] =
		MIME "multipart/mixed; boundary=\"b\"\nSubject: =?utf-8?B?5YGc5q2i?=\n\n--b\nContent-Type: "
		     "text/plain; charset=\"iso-2022-jp\"\n\n\033$BDd;_\033(B\n--b\n"
		     "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: "
		     "quoted-printable\n\n<p>=E5=81=9C&amp;</p><!-- x -->\n--b\nContent-Type: "
		     "application/octet-stream;\n name*0*=utf-8''%E6%A7; "
		     "name*1*=%98.docx\nContent-Transfer-Encoding: "
		     "base64\n\nUEsDBBQAAAA=\n--b\nContent-Type: message/rfc822\n\nSubject: "
		     "x\n\ny\n--b--\n";
	for (size_t cut = 0; cut < sizeof mail; cut++) {
		struct pool *pool = pool_new();
		struct message message;
		struct err err = {0};
		/* a copy of its own length: a step behind the end is seen by the sanitizer */
		char *copy = xmalloc(cut + 1);
		memcpy(copy, mail, cut);
		if (message_read(&message, copy, cut, &message_limits_default, pool, &err) == RC_OK)
			assert_non_null(message_body(&message));
		free(copy);
		pool_free(&pool);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_message__header_fields),
		cmocka_unit_test(test_message__damaged_headers),
		cmocka_unit_test(test_message__hidden_line_breaks_are_said),
		cmocka_unit_test(test_message__nothing_to_read),
		cmocka_unit_test(test_message__names_of_files),
		cmocka_unit_test(test_message__kind_by_bytes),
		cmocka_unit_test(test_message__html),
		cmocka_unit_test(test_message__body_is_what_a_person_reads),
		cmocka_unit_test(test_message__all_that_was_written),
		cmocka_unit_test(test_message__parts_know_where_they_are),
		cmocka_unit_test(test_message__nesting_stops),
		cmocka_unit_test(test_message__floods_stop),
		cmocka_unit_test(test_message__decoded_bytes_are_limited),
		cmocka_unit_test(test_message__nul_bytes),
		cmocka_unit_test(test_message__lying_boundaries),
		cmocka_unit_test(test_message__cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
