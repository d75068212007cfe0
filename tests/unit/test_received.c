/* what the office gets to know of a mail, and readings that nobody wrote */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/mail/received.h"
#include "lib/mail/token.h"

static struct pool *pool;
static struct request_rules *rules;
static char token[TOKEN_TEXT_MAX];

static int begin(void **state)
{
	(void)state;
	static const uint8_t key[SEAL_KEY_LEN] = "the credential key";
	struct rng rng = rng_seeded(5);
	struct err err;
	pool = pool_new();
	token_make(token, TOKEN_REQUEST, 1, 1795000000, &rng, key);
	return received_prepare(&rules, &err) == RC_OK ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	request_rules_free(&rules);
	pool_free(&pool);
	return 0;
}

static struct received read_bytes(const char *bytes, size_t len)
{
	const struct received_context context = {.rules = rules, .office = "office@sa.example.jp"};
	struct received received;
	struct err err;
	assert_int_equal(received_read(&received, bytes, len, &context, pool, &err), RC_OK);
	return received;
}

#define FROM "From: 見本 <a@example.co.jp>\nTo: office@sa.example.jp\n"
#define PLAIN "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n"

/* @ in the mail stands for the token. */
static struct received read_mail(const char *headers, const char *body)
{
	struct str mail = STR_INIT;
	const char *const pieces[] = {headers, "\n", body};
	for (size_t i = 0; i < 3; i++)
		for (const char *at = pieces[i]; *at; at++)
			if (at[0] == '@' && at[1] == '@')
				str_addz(&mail, token), at++;
			else
				str_addc(&mail, *at);
	char *bytes = pool_strndup(pool, mail.s, mail.len);
	struct received received = read_bytes(bytes, mail.len);
	str_free(&mail);
	return received;
}

/* ---- the envelope ---- */

static void test_received__the_envelope(void **state)
{
	(void)state;
	struct received r = read_mail(
		"Return-Path: <a@example.co.jp>\nDelivered-To: office+b1@sa.example.jp\n"
		"X-Original-To: <office@sa.example.jp>\nFrom: \"見本, 太郎\" <Taro@Example.co.jp>\n"
		"Reply-To: b@example.co.jp\nTo: \"事務局\" <office@sa.example.jp>, x@example.com\n"
		"Subject: =?UTF-8?B?6KaL5pys?=\nDate: Sun, 22 Nov 2026 10:00:00 +0900\n"
		"Message-ID: <1@example.co.jp>\nIn-Reply-To: <notice.9@sa.example.jp>\n"
		"References: <first@x> your mail of\n Sunday <middle@x>\n\t<notice.9@sa.example.jp>\n" PLAIN,
		"x\n");
	assert_string_equal(r.from, "Taro@example.co.jp");
	assert_string_equal(r.from_name, "見本, 太郎");
	assert_string_equal(r.reply_to, "b@example.co.jp");
	assert_string_equal(r.subject, "見本");
	assert_string_equal(r.message_id, "1@example.co.jp");
	assert_int_equal(r.date, 1795309200);
	assert_int_equal(r.answers_count, 3);
	assert_string_equal(r.answers[0], "notice.9@sa.example.jp");
	assert_string_equal(r.answers[1], "middle@x");
	assert_string_equal(r.answers[2], "first@x");
	assert_int_equal(r.delivered_to_count, 3);
	assert_string_equal(r.delivered_to[0], "office+b1@sa.example.jp");
	assert_string_equal(r.delivered_to[1], "office@sa.example.jp");
	assert_string_equal(r.delivered_to[2], "x@example.com");
	assert_false(r.null_sender || r.automatic || r.bulk || r.own || r.objects);
	assert_string_equal(r.text, "x\n");
}

static void test_received__no_from_or_several(void **state)
{
	(void)state;
	static const char *const headers[] = {"To: x@example.jp\n",
		"From: a@example.co.jp\nFrom: b@example.co.jp\n", "From: a@example.co.jp, b@example.co.jp\n",
		"From: a@example.co.jp; <b@example.co.jp>\n"};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct received r = read_mail(headers[i], "x\n");
		assert_string_equal(r.from, "");
		assert_string_equal(r.from_name, "");
		assert_string_equal(r.message_id, "");
		assert_int_equal(r.date, 0);
	}
	/* Commas and addresses in a name are a name. */
	static const char *const single[] = {"From: \"b@x.example, c\" <a@example.co.jp>\n",
		"From: a@example.co.jp (b@x.example, c)\n",
		"From: =?UTF-8?Q?b@x.example,?= <a@example.co.jp>\n"};
	for (size_t i = 0; i < sizeof single / sizeof *single; i++)
		assert_string_equal(read_mail(single[i], "x\n").from, "a@example.co.jp");
}

static void test_received__machines(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		bool automatic, bulk, own, null_sender;
	} cases[] = {
		{"X: x\n", false, false, false, false},
		{"Auto-Submitted: no\n", false, false, false, false},
		{"Auto-Submitted: No (a person)\n", false, false, false, false},
		{"Auto-Submitted: none-of-this\n", true, false, false, false},
		{"Auto-Submitted: auto-replied\n", true, false, false, false},
		{"Auto-Submitted: auto-generated; type=x\n", true, false, false, false},
		{"X-Autoreply: yes\n", true, false, false, false},
		{"X-Autorespond: x\n", true, false, false, false},
		{"X-Auto-Response-Suppress: OOF, AutoReply\n", true, false, false, false},
		{"X-Auto-Response-Suppress: None\n", false, false, false, false},
		{"Precedence: auto_reply\n", true, false, false, false},
		{"Precedence: bulk\n", true, true, false, false}, /* the reading says auto-reply */
		{"Precedence: List\n", true, true, false, false},
		{"Precedence: junk\n", true, true, false, false},
		{"Precedence: first-class\n", false, false, false, false},
		{"List-Id: <x.example.jp>\n", true, true, false, false},
		{"X-Sengen-Notice: receipt.1\nAuto-Submitted: auto-generated\n", true, false, true, false},
		{"Return-Path: <>\n", true, false, false, true},
		{"Return-Path: <a@example.co.jp>\n", false, false, false, false},
		{"Subject: 自動応答: 不在通知\n", true, false, false, false},
		{"MIME-Version: 1.0\nContent-Type: multipart/report; report-type=disposition-notification; "
		 "boundary=b\n",
			true, false, false, false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str headers = STR_INIT;
		str_printf(&headers, "%s" FROM, cases[i].header);
		struct received r =
			read_mail(headers.s, "--b\n\nx\n--b\nContent-Type: "
					     "message/disposition-notification\n\nFinal-Recipient: x\n"
					     "--b--\n");
		if (r.automatic != cases[i].automatic || r.bulk != cases[i].bulk || r.own != cases[i].own ||
			r.null_sender != cases[i].null_sender)
			fail_msg("%s: automatic %d, bulk %d, own %d, null sender %d", cases[i].header,
				r.automatic, r.bulk, r.own, r.null_sender);
		str_free(&headers);
	}
}

/* ---- what the writer says ---- */

static void test_received__who_says_no_confirms_nothing(void **state)
{
	(void)state;
	static const char *const objections[] = {"いいえ、中止しません。", "いいえ", "イイエ。違います。",
		"中止しません。", "先日の中止の申込みは取り消します。", "取り消します。",
		"やはり中止は取りやめます。", "このメールに心当たりがありません。",
		"身に覚えがないのですが。", "使用の中止は希望しておりません。", "中止を依頼していません。",
		"申し込んだ覚えはありません。", "間違いでした。", "誤って送信しました。",
		"しばらく待ってください。", "このまま使用を継続します。", "No.",
		"手続きを保留にしてください。", "いったん保留とさせていただきます。", "検討中です。",
		"やはり考え直します。", "後日改めて連絡いたします。", "迷っております。", "ｷｬﾝｾﾙします。",
		"変更していません。", "このような申込みは行っておりません。", "中止する予定はありません。",
		"弊社では中止を予定しておりません。", "中止は考えておりません。",
		"この申込みは弊社からのものではありません。", "ロゴは今後も使います。",
		"どなたが申し込まれたのでしょうか？", "何の件でしょうか。"};
	static const char *const consents[] = {"はい、中止をお願いいたします。", "お願いします。",
		"承知しました。", "間違いありません。", "上記のとおり相違ありません。使用を中止します。",
		"返信いたします。", "登録を取り消してください。",
		"使用中止で問題ございません。よろしくお願いいたします。", "OK",
		"確認しました。手続きを進めてください。", "了解です。", "Yes", "中止願います。",
		"株式会社サンプルの見本です。お世話になっております。確認いたしました。"};
	for (size_t i = 0; i < sizeof objections / sizeof *objections; i++)
		if (!read_mail("Subject: Re: x\n" FROM PLAIN, objections[i]).objects)
			fail_msg("no objection: %s", objections[i]);
	for (size_t i = 0; i < sizeof consents / sizeof *consents; i++)
		if (read_mail("Subject: Re: x\n" FROM PLAIN, consents[i]).objects)
			fail_msg("an objection: %s", consents[i]);
	/* Not what is quoted. */
	assert_false(read_mail("Subject: Re: x\n" FROM PLAIN,
		"はい、お願いします。\n\n> 中止しない場合は返信しないでください。\n> 心当たりがない場合も\n")
			     .objects);
}

static void test_received__unreadable_attachments(void **state)
{
	(void)state;
#define ATTACHED(subject, name, type, bytes)                                                                 \
	"Subject: " subject "\n" FROM "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n",      \
		"--b\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n" subject  \
		"をお願いします。\n--b\nContent-Type: " type "; name=" name                                  \
		"\nContent-Disposition: attachment\n\n" bytes "\n--b--\n"
	struct received r =
		read_mail(ATTACHED("登録の使用中止", "b3.pdf", "application/octet-stream", "%PDF-1.4 x"));
	assert_string_equal(r.unreadable, "pdf");
	assert_int_equal(r.attachment_count, 1);
	assert_string_equal(r.attachment[0].name, "b3.pdf");
	assert_string_equal(r.attachment[0].kind, "pdf");
	assert_int_equal(r.attachment[0].size, 10);
	r = read_mail(ATTACHED(
		"登録の使用中止", "b3.doc", "application/msword", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"));
	assert_string_equal(r.unreadable, "ole");
	r = read_mail(ATTACHED("登録の使用中止", "b3.docx", "application/msword",
		"PK\003\004xx\bx[Content_Types].xml word/"));
	assert_string_equal(r.unreadable, "docx");
	r = read_mail(ATTACHED("登録の使用中止", "b3.png", "image/png", "\x89PNG"));
	assert_string_equal(r.unreadable, "image");
	/* The logo of a signature is no form. */
	r = read_mail(ATTACHED("メールニュースの配信停止", "logo.png", "image/png", "\x89PNG"));
	assert_string_equal(r.unreadable, "");
	r = read_mail(ATTACHED("登録の使用中止", "a.txt", "text/plain", "x"));
	assert_string_equal(r.unreadable, "");
}

static void test_received__the_text_ends_at_a_character(void **state)
{
	(void)state;
	struct str body = STR_INIT;
	str_addz(&body, "x");
	for (int i = 0; i < RECEIVED_TEXT_MAX / 3 + 10; i++)
		str_addz(&body, i % 20 ? "あ" : "あ\n");
	struct received r = read_mail(FROM PLAIN, body.s);
	size_t len = strlen(r.text);
	assert_true(len <= RECEIVED_TEXT_MAX && len > RECEIVED_TEXT_MAX - 3);
	assert_true(utf8_valid(r.text, len));
	str_free(&body);
}

/* ---- tokens in whole mails ---- */

static void test_received__tokens_come_back(void **state)
{
	(void)state;
	static const struct {
		const char *headers, *body;
	} replies[] = {
		/* Outlook: subject cut, no References, history below a line of its own */
		{"Subject: RE: 使用中止の確認 [@@]\n" FROM PLAIN, "はい\n"},
		{"Subject: RE: 使用中\n" FROM PLAIN,
			"はい、お願いします。\n\n-----Original Message-----\nFrom: 事務局 "
			"<office@sa.example.jp>\nSent: Sunday, November 22, 2026 10:00 AM\nTo: a\nSubject: "
			"確認\n\n確認番号 @@\n"},
		{"Subject: RE: x\n" FROM "MIME-Version: 1.0\nContent-Type: text/html; charset=UTF-8\n\n",
			"<html><body><div>はい</div><hr><p class=MsoNormal><b>From:</b> 事務局<br>確認番号: "
			"<span>@@</span></p></body></html>\n"},
		/* Gmail, Apple Mail, iPhone, Thunderbird */
		{"Subject: Re: x\nIn-Reply-To: <@@@sa.example.jp>\n" FROM PLAIN, "はい\n"},
		{"Subject: Re: x\nReferences: <x@y>\n <@@@sa.example.jp>\n" FROM PLAIN, "はい\n"},
		{"Subject: Re: x\n" FROM PLAIN, "はい\n\n2026年11月22日(日) 10:00 事務局 "
						"<office@sa.example.jp>:\n\n> 確認番号: @@\n"},
		{"Subject: Re: x\n" FROM PLAIN, "はい\n\niPhoneから送信\n\n2026/11/22 10:00、事務局 "
						"<office@sa.example.jp>のメール:\n\n> "
						"@@\n"},
		/* addresses */
		{"Subject: x\nFrom: a@example.co.jp\nTo: office+@@@sa.example.jp\n" PLAIN, "はい\n"},
		{"Delivered-To: office+@@@sa.example.jp\n" FROM PLAIN, "はい\n"},
		{"Cc: <office+@@@sa.example.jp>\n" FROM PLAIN, "はい\n"},
		/* a phone: subject dropped, typed anew */
		{FROM PLAIN, "はい @@\n"},
	};
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		struct received r = read_mail(replies[i].headers, replies[i].body);
		if (r.token_count != 1 || strcmp(r.token[0], token) != 0)
			fail_msg("reply %zu: %zu tokens", i, r.token_count);
		assert_false(r.objects);
	}
	assert_int_equal(read_mail(FROM PLAIN, "はい\n").token_count, 0);
}

/* ---- there and back ---- */

static void print(struct str *out, const struct received *received)
{
	str_clear(out);
	received_print(out, received);
}

static void test_received__samples_survive_the_way(void **state)
{
	(void)state;
	const struct received_context context = {.rules = rules};
	struct strlist names = {0};
	int unreadable = 0;
	struct err err;
	struct str path = STR_INIT, bytes = STR_INIT, first = STR_INIT, second = STR_INIT;
	assert_int_equal(file_list_dir(&names, "tests/samples/mail", &err), RC_OK);
	assert_true(names.count > 100);
	for (size_t i = 0; i < names.count; i++) {
		struct received loaded;
		str_clear(&path);
		str_clear(&bytes);
		path_join(&path, "tests/samples/mail", names.item[i]);
		assert_int_equal(file_read(&bytes, path.s, 1u << 24, &err), RC_OK);
		struct received r;
		if (received_read(&r, bytes.s, bytes.len, &context, pool, &err)) {
			unreadable++; /* one is empty */
			continue;
		}
		print(&first, &r);
		assert_null(strchr(first.s, '\n'));
		if (received_load(&loaded, first.s, first.len, pool, &err))
			fail_msg("%s: %s", names.item[i], err.text);
		print(&second, &loaded);
		assert_string_equal(first.s, second.s);
		assert_string_equal(r.reading.why, loaded.reading.why);
		assert_string_equal(r.reading.fields.business_name, loaded.reading.fields.business_name);
		assert_int_equal(r.reading.kind, loaded.reading.kind);
		assert_int_equal(r.reading.fields.stop_on, loaded.reading.fields.stop_on);
		pool_reset(pool);
	}
	assert_true(unreadable <= 1);
	struct str *const used[] = {&path, &bytes, &first, &second};
	for (size_t i = 0; i < 4; i++)
		str_free(used[i]);
	strlist_free(&names);
}

static void test_received__signs_that_are_none_are_left_out(void **state)
{
	(void)state;
	struct received r = read_mail(FROM PLAIN, "x\n"), loaded;
	struct str json = STR_INIT;
	struct err err;
	r.subject = "a\nb\tc\033[2J\xC2\x9B"
		    "d\xFF"
		    "e\xED\xA0\x80";
	r.text = "a\nb\tc\001\xFF";
	r.reading.fields.stop_on = INT32_MAX;
	r.date = INT64_MIN;
	print(&json, &r);
	assert_int_equal(received_load(&loaded, json.s, json.len, pool, &err), RC_OK);
	assert_string_equal(loaded.subject, "a b c [2J d\xEF\xBF\xBD"
					    "e\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
	assert_string_equal(loaded.text, "a\nb\tc \xEF\xBF\xBD");
	assert_int_equal(loaded.reading.fields.stop_on, CIVIL_DAY_NONE);
	assert_int_equal(loaded.date, 0);
	str_free(&json);
}

/* The longest reading that can be: every text at its limit, of signs that take two octets in JSON. */
static void test_received__the_longest_fits(void **state)
{
	(void)state;
	char *quotes = pool_alloc(pool, 20001);
	memset(quotes, '"', 20000);
	struct received r = read_mail(FROM PLAIN, "x\n"), loaded;
	struct reading *reading = &r.reading;
	struct sheet *fields = &reading->fields;
	const char **const texts[] = {&r.from, &r.from_name, &r.reply_to, &r.subject, &r.message_id, &r.text,
		&r.form_text, &r.damage, &reading->why, &fields->declaration_id,
		&fields->declaration_id_written, &fields->user_number, &fields->corporate_number,
		&fields->business_name, &fields->representative, &fields->contact, &fields->mail,
		&fields->prefecture, &fields->reason, &fields->address, &fields->stop_on_written,
		&fields->doubt, &reading->bounce.action, &reading->bounce.status, &reading->bounce.message_id,
		&reading->bounce.why};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		*texts[i] = quotes;
	for (size_t i = 0; i < RECEIVED_ADDRESSES_MAX; i++)
		r.delivered_to[i] = r.answers[i] = quotes;
	for (size_t i = 0; i < RECEIVED_TOKENS_MAX; i++)
		r.token[i] = quotes;
	r.delivered_to_count = r.answers_count = RECEIVED_ADDRESSES_MAX;
	r.token_count = RECEIVED_TOKENS_MAX;
	r.attachment_count = fields->change_count = reading->bounce.recipient_count = 1000;
	r.attachment = pool_alloc(pool, 1000 * sizeof *r.attachment);
	fields->change = pool_alloc(pool, 1000 * sizeof *fields->change);
	reading->bounce.recipient = pool_alloc(pool, 1000 * sizeof *reading->bounce.recipient);
	for (size_t i = 0; i < 1000; i++) {
		r.attachment[i] = (struct received_attachment){quotes, "disposition-notification", INT64_MAX};
		fields->change[i] = (struct sheet_change){quotes, quotes, quotes};
		reading->bounce.recipient[i] = quotes;
	}
	struct str json = STR_INIT;
	struct err err;
	print(&json, &r);
	assert_true(json.len > RECEIVED_JSON_MAX / 2 && json.len <= RECEIVED_JSON_MAX);
	assert_int_equal(received_load(&loaded, json.s, json.len, pool, &err), RC_OK);
	assert_int_equal(loaded.attachment_count, RECEIVED_ATTACHMENTS_MAX);
	assert_int_equal(loaded.reading.fields.change_count, RECEIVED_CHANGES_MAX);
	assert_int_equal(strlen(loaded.text), RECEIVED_TEXT_MAX);
	str_free(&json);
}

/* ---- lies ---- */

static bool is_taken(const json_t *object)
{
	struct received out;
	struct err err;
	char *text = json_dumps(object, JSON_COMPACT);
	bool taken = received_load(&out, text, strlen(text), pool, &err) == RC_OK;
	free(text);
	pool_reset(pool);
	return taken;
}

static json_t *long_list(void)
{
	json_t *list = json_array();
	for (int i = 0; i < 100; i++)
		(void)json_array_append_new(list, json_string("x"));
	return list;
}

/* Puts in place of each member what it can't be, one after the other. */
static void lie(const json_t *whole, json_t *object)
{
	static const char nothing[] = "no such member";
	char long_text[RECEIVED_TEXT_MAX + 2];
	memset(long_text, 'x', sizeof long_text - 1);
	long_text[sizeof long_text - 1] = '\0';
	const char *key;
	json_t *value;
	struct strlist names = {0}; /* a member that was put back is the last */
	assert_int_equal(json_object_set_new(object, nothing, json_true()), 0);
	assert_false(is_taken(whole));
	assert_int_equal(json_object_del(object, nothing), 0);
	json_object_foreach(object, key, value)
	{
		strlist_add(&names, key);
	}
	for (size_t n = 0; n < names.count; n++) {
		const char *name = names.item[n];
		json_t *kept = json_incref(json_object_get(object, name));
		json_t *const lies[] = {json_string("\033[2J"), json_string(long_text),
			json_integer(-40000000000), json_integer(INT64_MAX), json_real(0.5), json_object(),
			json_array(), long_list(), strcmp(name, "stop_on") ? json_null() : json_true()};
		for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
			bool same_type = json_typeof(lies[i]) == json_typeof(kept) && json_is_array(kept) &&
					 json_array_size(lies[i]) == 0;
			assert_int_equal(json_object_set_new(object, name, lies[i]), 0);
			if (!same_type && is_taken(whole))
				fail_msg("%s: lie %zu is taken", name, i);
		}
		assert_int_equal(json_object_del(object, name), 0);
		if (is_taken(whole))
			fail_msg("%s may be missing", name);
		assert_int_equal(json_object_set_new(object, name, kept), 0);
		assert_true(is_taken(whole));
		if (json_is_object(kept))
			lie(whole, kept);
		if (json_is_array(kept) && json_is_object(json_array_get(kept, 0)))
			lie(whole, json_array_get(kept, 0));
	}
	strlist_free(&names);
}

static void a_full_one(struct str *json)
{
	struct received r = read_mail("Subject: x @@\nIn-Reply-To: <a@b>\n" FROM PLAIN, "x\n");
	static const char *recipients[] = {"a@example.co.jp"};
	static struct sheet_change change = {"所在地", "旧", "新"};
	static struct received_attachment attachment = {"様式B-3.docx", "docx", 12345};
	r.reading.bounce.recipient = recipients;
	r.reading.bounce.recipient_count = 1;
	r.reading.fields.change = &change;
	r.reading.fields.change_count = 1;
	r.attachment = &attachment;
	r.attachment_count = 1;
	r.reading.fields.stop_on = 20000;
	print(json, &r);
}

static void test_received__lies_are_refused(void **state)
{
	(void)state;
	struct str text = STR_INIT;
	a_full_one(&text);
	json_t *whole = json_loads(text.s, 0, NULL);
	assert_true(is_taken(whole));
	lie(whole, whole);
	json_decref(whole);
	str_free(&text);
}

static void test_received__no_json_or_another(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "x", "null", "[]", "{}", "{\"reading\":{}}", "\"x\"",
		"{\"a\":1,\"a\":1}", "{\"subject\":\"\\u0000\"}", "{\"subject\":\"\xFF\"}",
		"{\"subject\":\"\\ud800\"}"};
	struct received out;
	struct err err;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(received_load(&out, texts[i], strlen(texts[i]), pool, &err), RC_REFUSED);
	struct str deep = STR_INIT;
	for (size_t i = 0; i < RECEIVED_JSON_MAX; i++)
		str_addc(&deep, '[');
	assert_int_equal(received_load(&out, deep.s, deep.len, pool, &err), RC_REFUSED);
	str_addc(&deep, '[');
	assert_int_equal(received_load(&out, deep.s, deep.len, pool, &err), RC_REFUSED);
	str_free(&deep);
}

/* Whatever is changed: it is refused, or what was taken can be written again and taken again. */
static void test_received__changed_anywhere(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(11);
	struct str text = STR_INIT, again = STR_INIT;
	a_full_one(&text);
	char *changed = xmalloc(text.len);
	int taken = 0;
	for (int round = 0; round < 20000; round++) {
		static const char signs[] = "\"{}[],:0123456789-.eE\\tfn \n\xE3\xFF";
		struct received out;
		struct err err;
		memcpy(changed, text.s, text.len);
		size_t len = text.len;
		for (uint64_t n = rng_below(&rng, 3) + 1; n > 0; n--) {
			size_t at = rng_below(&rng, len);
			if (rng_below(&rng, 4) == 0)
				memmove(changed + at, changed + at + 1, --len - at);
			else
				changed[at] = signs[rng_below(&rng, sizeof signs - 1)];
		}
		if (received_load(&out, changed, len, pool, &err) == RC_OK) {
			struct received second;
			taken++;
			print(&again, &out);
			assert_int_equal(received_load(&second, again.s, again.len, pool, &err), RC_OK);
		}
		pool_reset(pool);
	}
	assert_true(taken > 0 && taken < 20000);
	free(changed);
	str_free(&text);
	str_free(&again);
}

static void test_received__nothing_to_read(void **state)
{
	(void)state;
	const struct received_context context = {.rules = rules};
	struct received out;
	struct err err;
	assert_int_equal(received_read(&out, " \n", 2, &context, pool, &err), RC_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_received__the_envelope),
		cmocka_unit_test(test_received__no_from_or_several),
		cmocka_unit_test(test_received__machines),
		cmocka_unit_test(test_received__who_says_no_confirms_nothing),
		cmocka_unit_test(test_received__unreadable_attachments),
		cmocka_unit_test(test_received__the_text_ends_at_a_character),
		cmocka_unit_test(test_received__tokens_come_back),
		cmocka_unit_test(test_received__samples_survive_the_way),
		cmocka_unit_test(test_received__signs_that_are_none_are_left_out),
		cmocka_unit_test(test_received__the_longest_fits),
		cmocka_unit_test(test_received__lies_are_refused),
		cmocka_unit_test(test_received__no_json_or_another),
		cmocka_unit_test(test_received__changed_anywhere),
		cmocka_unit_test(test_received__nothing_to_read),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
