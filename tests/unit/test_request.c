#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zip.h>

#include "lib/mail/request.h"
#include "lib/mail/zipped.h"

static struct pool *pool;
static struct request_rules *rules;

static int begin(void **state)
{
	(void)state;
	struct err err = {0};
	pool = pool_new();
	message_preload();
	return request_rules_load(&rules, NULL, &err);
}

static int end(void **state)
{
	(void)state;
	request_rules_free(&rules);
	pool_free(&pool);
	return 0;
}

/* ---- what is on file ---- */

static bool on_file(void *ctx, const char *id, const char **business_name, const char **mail)
{
	(void)ctx;
	*business_name = "株式会社サンプル";
	*mail = "taro@sample.example.co.jp";
	return strcmp(id, "47258577930") == 0;
}

static bool is_sender(void *ctx, const char *mail)
{
	(void)ctx;
	return strcmp(mail, "taro@sample.example.co.jp") == 0;
}

static int matches_of(void *ctx, const struct sheet *fields)
{
	(void)fields;
	return *(int *)ctx;
}

static struct reading read_type(
	const char *headers, const char *type, const char *text, const struct request_registry *registry)
{
	struct message message;
	struct reading reading;
	struct err err = {0};
	const char *mail = pool_printf(pool,
		"%sTo: security-action-info@sa.example.jp\nDate: Wed, 01 Apr 2026 09:00:00 "
		"+0900\nMIME-Version: 1.0\n"
		"Content-Type: %s\nContent-Transfer-Encoding: 8bit\n\n%s",
		headers, type, text);
	assert_int_equal(
		message_read(&message, mail, strlen(mail), &message_limits_default, pool, &err), RC_OK);
	request_read(&reading, &message, rules, "security-action-info@sa.example.jp", registry, pool);
	return reading;
}

static struct reading read_mail(
	const char *headers, const char *text, const struct request_registry *registry)
{
	return read_type(headers, "text/plain; charset=UTF-8", text, registry);
}

#define FROM "From: taro@sample.example.co.jp\nReturn-Path: <taro@sample.example.co.jp>\n"

struct sample {
	const char *subject, *text;
	enum request_kind kind;
	bool review;
};

static void try_all(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *headers = pool_printf(pool, FROM "Subject: %s\n", samples[i].subject);
		struct reading reading = read_mail(headers, samples[i].text, NULL);
		if (reading.kind != samples[i].kind || reading.review != samples[i].review)
			fail_msg("%s / %s: %s, review %d: %s", samples[i].subject, samples[i].text,
				request_kind_name(reading.kind), reading.review, reading.why);
	}
}
#define TRY(samples_) try_all(samples_, sizeof samples_ / sizeof *samples_)

/* ---- kinds ---- */

static void test_request__wishes(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"登録停止のお願い",
			"ロゴマークの使用を中止したいので申し込みます。\n\n自己宣言ID：47258577930\n事業者名"
			"：株式会社サンプル\n",
			REQUEST_STOP, false},
		{"", "自己宣言ID：47258577930の登録停止をお願いします。", REQUEST_STOP, false},
		{"再送のお願い",
			"ID通知のメールを紛失しました。再送をお願いします。\n\n事業者名：株式会社サンプル\n",
			REQUEST_RESEND, false},
		{"照会", "自己宣言IDを教えてください。法人番号6999784963553（北海道）", REQUEST_ID_ENQUIRY,
			false},
		{"", "メールニュースの配信停止をお願いします。", REQUEST_NEWS_UNSUBSCRIBE, false},
		{"変更",
			"電話番号の変更がありましたので、登録情報の変更をお願いします。\n\n自己宣言ID：472585"
			"77930\n変更事項：電話番号\n変更前：1\n変更後：2\n",
			REQUEST_CHANGE, true /* without the form */},
	};
	TRY(samples);
}

static void test_request__no_wishes(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"様式B-3の書き方", "様式B-3の「使用中止日」には提出日を書けばよいのでしょうか。",
			REQUEST_OTHER, true},
		{"使用中止について", "使用を中止した後も使い切るまで使ってよいですか。", REQUEST_OTHER, true},
		{"", "ロゴマークの使用を中止したい場合、どのような手続きが必要でしょうか。", REQUEST_OTHER,
			true},
		{"【重要】", "アカウントの使用が中止されました。24時間以内に下記URLからご確認ください。",
			REQUEST_OTHER, true},
		{"", "取引先を装ったメールを開いてしまいました。どちらに相談すればよいでしょうか。",
			REQUEST_OTHER, true},
		{"", "先日の使用中止の申込みは取り消してください。", REQUEST_OTHER, true},
		{"", "中止ではなく、ステップアップを考えています。", REQUEST_OTHER, true},
		{"パスワード", "先ほどのファイルのパスワードは abcd1234 です。", REQUEST_OTHER, true},
		{"使用中止", "お世話になります。", REQUEST_OTHER, true},
	};
	TRY(samples);
}

/* A wish that somebody hesitates over, takes back or only speaks of is never carried out unseen. */
static void test_request__doubtful(void **state)
{
	(void)state;
#define ID "\n\n自己宣言ID：47258577930\n事業者名：株式会社サンプル\n"
	static const struct sample samples[] = {
		{"", "ロゴマークの使用を中止したく申し込みます。中止日は追ってご連絡します。" ID,
			REQUEST_STOP, true},
		{"", "使用中止申込書をお送りします。いったん保留でお願いします。" ID, REQUEST_STOP, true},
		{"", "顧問先が廃業したため、代理でロゴマークの使用中止を申請します。" ID, REQUEST_STOP, true},
		{"", "先週、使用中止の申込みをしましたが、やはり継続したいので取り消しをお願いします。" ID,
			REQUEST_OTHER, true},
		{"", "使用中止の確認が届きました。申込みをしておりません。中止しないでください。" ID,
			REQUEST_OTHER, true},
		{"", "先日は使用中止の手続きをしていただき、ありがとうございました。" ID, REQUEST_OTHER,
			true},
		{"", "申込書を作成しております。「使用中止日」は先の日付でもよいでしょうか。" ID,
			REQUEST_OTHER, true},
		{"ご提案", "製品のご案内です。配信停止をご希望の方はこちら https://example.com/unsubscribe",
			REQUEST_OTHER, true},
		{"", "ID通知をこちらの shinki@new.example.jp に送り直してください。" ID, REQUEST_RESEND,
			true},
		{"", "提出したロゴマーク使用中止の件、撤回いたします。" ID, REQUEST_OTHER, true},
		{"",
			"弊社の委託先がSECURITY "
			"ACTIONの宣言を中止したいと言っております。お手続きをお願いします。" ID,
			REQUEST_STOP, true},
		{"", "ロゴの案内メールが社員のミスで削除されました。再送願えますでしょうか。" ID,
			REQUEST_RESEND, false},
		/* and what is plain stays plain */
		{"", "ロゴマークの使用を中止していただけますでしょうか。" ID, REQUEST_STOP, false},
		{"", "宣言を取り消してください。" ID "\n円城寺さやか", REQUEST_STOP, false},
		{"", "登録の抹消をしていただくことは可能でしょうか。" ID, REQUEST_STOP, false},
		{"", "配信先から削除していただけますでしょうか。", REQUEST_NEWS_UNSUBSCRIBE, false},
	};
	TRY(samples);
}

static void test_request__only_what_is_new_counts(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"Re: 【SECURITY ACTION】自己宣言IDのお知らせ",
			"承知しました。\n\n-----Original Message-----\nFrom: SECURITY "
			"ACTION事務局\n自己宣言ID:47258577930\nロゴマークの使用中止をお願いします。\n",
			REQUEST_OTHER, true},
		{"Re: お知らせ",
			"ロゴマークの使用を中止したいので、登録の停止をお願いします。\n\n-----Original "
			"Message-----\n自己宣言ID:47258577930\n",
			REQUEST_STOP, true /* the ID stands in the quote only */},
		{"", "電話番号の変更届です。\n\n> メールニュースの配信停止をお願いします。\n", REQUEST_OTHER,
			true},
	};
	TRY(samples);
}

/* Below a picture a telephone goes on in a part of its own: what is wished may stand there, or what takes it back. */
static void test_request__below_a_picture(void **state)
{
	(void)state;
#define AROUND_A_PICTURE(above, below)                                                                       \
	"--b\nContent-Type: text/plain; charset=utf-8\n\n" above                                             \
	"\n--b\nContent-Type: image/png; name=a.png\n\nx\n--b\nContent-Type: text/plain; "                   \
	"charset=utf-8\n\n" below "\n--b--\n"
	static const struct {
		const char *text;
		enum request_kind kind;
		bool objects;
	} cases[] = {
		{AROUND_A_PICTURE("お世話になっております。", "自己宣言の中止をお願いします。"), REQUEST_STOP,
			false},
		{AROUND_A_PICTURE("自己宣言の中止をお願いします。", "株式会社サンプル 見本"), REQUEST_STOP,
			false},
		{AROUND_A_PICTURE("自己宣言を中止する旨のメールが届きました。",
			 "このような依頼はしておりません。身に覚えがありません。"),
			REQUEST_OTHER, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reading got = read_type(FROM, "multipart/mixed; boundary=b", cases[i].text, NULL);
		if (got.kind != cases[i].kind || got.objects != cases[i].objects)
			fail_msg("row %zu: kind %d, objects %d, %s", i, got.kind, got.objects, got.why);
	}
}

/* Two alternatives that name two declarations: nobody knows which of them was meant. */
static void test_request__alternatives_that_differ(void **state)
{
	(void)state;
#define BOTH(plain, html)                                                                                                          \
	"--b\nContent-Type: text/plain; "                                                                                          \
	"charset=utf-8\n\nロゴマークの使用中止を申し込みます。\n自己宣言ID：" plain                                                \
	"\n事業者名：見本商店\n--b\nContent-Type: text/html; charset=utf-8\n\n<p>ロゴマークの使用中止を申し" \
	"込みます。</p><p>自己宣言ID：" html "</p><p>事業者名：見本商店</p>\n--b--\n"
	static const struct {
		const char *text;
		bool review;
	} cases[] = {{BOTH("49337119406", "49337119406"), false}, {BOTH("49337119406", "48041308748"), true}};
	for (size_t i = 0; i < 2; i++) {
		struct reading got =
			read_type(FROM, "multipart/alternative; boundary=b", cases[i].text, NULL);
		assert_int_equal(got.kind, REQUEST_STOP);
		assert_int_equal(got.review, cases[i].review);
	}
}

static void test_request__two_wishes(void **state)
{
	(void)state;
	struct reading reading = read_mail(FROM "Subject: x\n",
		"ロゴマークの使用中止と、メールニュースの配信停止をお願いいたします。\n\n自己宣言ID：47258577"
		"930\n",
		NULL);
	assert_int_equal(reading.kind, REQUEST_STOP);
	assert_true(reading.review);
	assert_int_equal(reading.wishes, (1u << REQUEST_STOP) | (1u << REQUEST_NEWS_UNSUBSCRIBE));
	reading = read_mail(FROM "Subject: x\n",
		"ロゴマークの使用中止をお願いします。\n\nまた、登録情報の変更をお願いします。\n\n自己宣言ID："
		"47258577930\n",
		NULL);
	assert_int_equal(reading.kind, REQUEST_OTHER);
	assert_int_equal(reading.wishes, (1u << REQUEST_STOP) | (1u << REQUEST_CHANGE));
	reading = read_mail(FROM "Subject: x\n",
		"使用中止をお願いします。\n\n自己宣言ID：47258577930\n\n※メールニュースの配信については別途連"
		"絡します。\n",
		NULL);
	assert_int_equal(reading.kind, REQUEST_STOP);
	assert_false(reading.review);
}

static void test_request__machines(void **state)
{
	(void)state;
	static const struct {
		const char *headers, *text;
		enum request_kind kind;
	} cases[] = {
		{FROM "Subject: 使用中止\nAuto-Submitted: auto-generated\n",
			"使用を中止します。自己宣言ID：47258577930", REQUEST_AUTO_REPLY},
		{FROM "Subject: x\nPrecedence: bulk\n", "こんにちは。", REQUEST_AUTO_REPLY},
		{FROM "Subject: 【自動返信】受付完了\n", "受付番号は 4012345678 です。", REQUEST_AUTO_REPLY},
		{FROM "Subject: Re: お知らせ\n", "このメールは自動的に送信されています。",
			REQUEST_AUTO_REPLY},
		{"From: a@example.co.jp\nReturn-Path: <>\nSubject: 出張\n", "出張中です。",
			REQUEST_AUTO_REPLY},
		{FROM "Subject: x\nAuto-Submitted: no\n", "メールニュースの配信停止をお願いします。",
			REQUEST_NEWS_UNSUBSCRIBE},
		{"From: security-action-info@sa.example.jp\nSubject: x\n",
			"使用を中止します。自己宣言ID：47258577930", REQUEST_OTHER},
		{FROM "Subject: x\n",
			"自動返信のメールは届きましたが、ID通知が届きません。再送をお願いします。\n\n事業者名"
			"：株式会社サンプル\n",
			REQUEST_RESEND},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reading reading = read_mail(cases[i].headers, cases[i].text, NULL);
		if (reading.kind != cases[i].kind)
			fail_msg(
				"%s: %s: %s", cases[i].headers, request_kind_name(reading.kind), reading.why);
	}
}

static void test_request__unknown_mail(void **state)
{
	(void)state;
	struct reading reading = read_mail(
		FROM "Subject: x\n", "このメールに心当たりがありません。申し込んだ覚えもありません。", NULL);
	assert_int_equal(reading.kind, REQUEST_OTHER);
	assert_true(reading.unknown_mail);
	assert_true(reading.review);
}

/* ---- notices and addresses ---- */

static void test_request__notices(void **state)
{
	(void)state;
	static const struct {
		const char *text, *notice;
	} cases[] = {{"自己宣言IDのお知らせメールを再送してください。", "id-notice"},
		{"ロゴマーク使用手続のご案内メールの再送をお願いいたします。", "logo-notice"},
		{"ロゴの使用通知メールを再送希望です。IDのほうは手元にあります。", "logo-notice"},
		{"自己宣言ID通知及びロゴマーク使用通知を再送してほしいです。", "both"},
		{"ＩＤのお知らせ・ロゴマークのお知らせ、どちらのメールも見つかりません。両方とももう一度送っ"
		 "てください。",
			"both"},
		{"通知を再送してください。", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reading reading = read_mail(FROM "Subject: x\n", cases[i].text, NULL);
		assert_int_equal(reading.kind, REQUEST_RESEND);
		assert_string_equal(reading.notice, cases[i].notice);
		assert_true(reading.review); /* nothing says which declaration */
	}
}

static void test_request__other_addresses(void **state)
{
	(void)state;
	static const struct sample samples[] = {
		{"", "退職した者に届いています。old@sample.example.co.jp への配信を停止してください。",
			REQUEST_NEWS_UNSUBSCRIBE, true},
		{"", "taro@sample.example.co.jp への配信を停止してください。", REQUEST_NEWS_UNSUBSCRIBE,
			false},
		{"",
			"登録時のアドレスが使えなくなったため、ID通知を下記の新しいアドレスに再送してください"
			"。\n\n事業者名：株式会社サンプル\n",
			REQUEST_RESEND, true},
		{"",
			"ID通知の再送をお願いします。\n\n事業者名：株式会社サンプル\n送付先：new@sample."
			"example.co.jp\n",
			REQUEST_RESEND, true},
		{"",
			"ID通知の再送をお願いします。\n\n事業者名：株式会社サンプル\n送付先：taro@sample."
			"example.co.jp\n",
			REQUEST_RESEND, false},
	};
	TRY(samples);
}

/* ---- what a person must look at ---- */

static void test_request__forged(void **state)
{
	(void)state;
	static const char *const headers[] = {
		FROM "From: other@example.co.jp\nSubject: x\n",
		FROM "Subject: x\nSubject: y\n",
		FROM "Subject: =?utf-8?Q?x=0D=0ABcc:_victim@example.com?=\n",
		"Subject: x\n",
		FROM "Subject: x\nContent-Type: text/html\n",
	};
	for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
		struct reading reading =
			read_mail(headers[i], "使用を中止します。自己宣言ID：47258577930", NULL);
		if (!reading.review)
			fail_msg("%s: %s", headers[i], reading.why);
	}
	assert_false(
		read_mail(FROM "Subject: x\n", "使用を中止します。自己宣言ID：47258577930", NULL).review);
}

static void test_request__against_the_register(void **state)
{
	(void)state;
	int matches = 1;
	const struct request_registry registry = {&matches, on_file, is_sender, matches_of};
	static const struct {
		const char *headers, *text;
		bool review;
	} cases[] = {
		{FROM "Subject: x\n", "使用を中止します。\n自己宣言ID：47258577930\n事業者名：(株)サンプル\n",
			false},
		{FROM "Subject: x\n", "使用を中止します。\n自己宣言ID：47258577930\n事業者名：株式会社見本\n",
			true},
		{FROM "Subject: x\n",
			"使用を中止します。\n自己宣言ID：47258577931\n事業者名：株式会社サンプル\n", true},
		{"From: other@example.co.jp\nSubject: x\n",
			"使用を中止します。\n自己宣言ID：47258577930\n事業者名：株式会社サンプル\n", true},
		{"From: other@example.co.jp\nSubject: x\n",
			"ID通知の再送をお願いします。\n\n事業者名：株式会社サンプル\n", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reading reading = read_mail(cases[i].headers, cases[i].text, &registry);
		if (reading.review != cases[i].review)
			fail_msg("%zu: review %d: %s", i, reading.review, reading.why);
	}
	static const char enquiry[] =
		"自己宣言IDを教えてください。\n法人番号：6999784963553\n都道府県：北海道\n";
	assert_false(read_mail(FROM "Subject: x\n", enquiry, &registry).review);
	matches = 2;
	assert_true(read_mail(FROM "Subject: x\n", enquiry, &registry).review);
}

static void test_request__why_names_rule_and_words(void **state)
{
	(void)state;
	struct reading reading =
		read_mail(FROM "Subject: x\n", "ロゴマークの使用を中止します。自己宣言ID：47258577930", NULL);
	assert_non_null(strstr(reading.why, "stop-wish"));
	assert_non_null(strstr(reading.why, "ロゴマークの使用を中止します"));
}

/* ---- rules and ZIPs ---- */

static void count_rule(
	void *ctx, const char *kind, const char *name, const char *where, int weight, const char *pattern)
{
	assert_true(*kind && *name && *where && weight > 0 && *pattern);
	++*(int *)ctx;
}

static void test_rules__can_be_printed(void **state)
{
	(void)state;
	int count = 0;
	request_rules_each(rules, count_rule, &count);
	assert_true(count > 20);
	struct request_rules *none = NULL;
	struct err err = {0};
	assert_int_equal(request_rules_load(&none, "/nonexistent/rules.conf", &err), RC_CONFIG);
	assert_null(none);
}

static void test_rules__words_by_name(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		enum rc rc;
	} cases[] = {{"<ended>を<wished>", RC_OK}, {"<nobody>", RC_CONFIG}, {"中止<ended", RC_CONFIG}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char path[] = "/tmp/sengen-test.XXXXXX";
		int fd = mkstemp(path);
		assert_true(fd >= 0);
		dprintf(fd,
			"words = ( { name = \"ended\"; pattern = \"中止|停止\"; }, { name = \"wished\"; "
			"pattern = \"お願い\"; } );\n"
			"rules = ( { kind = \"stop\"; name = \"x\"; where = \"text\"; weight = 4; pattern = "
			"\"%s\"; } );\n",
			cases[i].pattern);
		close(fd);
		struct request_rules *loaded = NULL;
		struct err err = {0};
		enum rc rc = request_rules_load(&loaded, path, &err);
		unlink(path);
		assert_int_equal(rc, cases[i].rc);
		assert_true(rc == RC_OK || strstr(err.text, "not among the words") != NULL);
		request_rules_free(&loaded);
	}
}

static const char *zip_of(const char *const *names, const char *const *texts, size_t count, size_t *len)
{
	zip_error_t why;
	zip_error_init(&why);
	zip_source_t *source = zip_source_buffer_create(NULL, 0, 0, &why);
	zip_source_keep(source);
	zip_t *zip = zip_open_from_source(source, ZIP_TRUNCATE, &why);
	for (size_t i = 0; i < count; i++)
		assert_true(zip_file_add(zip, names[i], zip_source_buffer(zip, texts[i], strlen(texts[i]), 0),
				    0) >= 0);
	assert_int_equal(zip_close(zip), 0);
	zip_stat_t stat;
	assert_int_equal(zip_source_stat(source, &stat), 0);
	char *bytes = pool_alloc(pool, (size_t)stat.size + 1);
	assert_int_equal(zip_source_open(source), 0);
	assert_true(zip_source_read(source, bytes, stat.size) == (zip_int64_t)stat.size);
	assert_int_equal(zip_source_close(source), 0);
	zip_source_free(source);
	*len = (size_t)stat.size;
	return bytes;
}

static void test_zipped__one_word_file(void **state)
{
	(void)state;
	static const char *const names[] = {"form.docx", "read.txt", "more.docx"};
	/* Enough to be taken for a Word file by its bytes. */
	static const char word[] = "PK\003\004....\b...[Content_Types].xml word/document.xml";
	static const char *const texts[] = {word, "hello", word};
	struct zipped out;
	struct err err = {0};
	size_t len;
	const char *bytes = zip_of(names, texts, 2, &len);
	assert_int_equal(zipped_word_file(&out, bytes, len, pool, &err), RC_OK);
	assert_string_equal(out.name, "form.docx");
	assert_int_equal(out.len, sizeof word - 1);
	bytes = zip_of(names, texts, 3, &len);
	assert_int_equal(zipped_word_file(&out, bytes, len, pool, &err), RC_REFUSED);
	bytes = zip_of(names + 1, texts + 1, 1, &len);
	assert_int_equal(zipped_word_file(&out, bytes, len, pool, &err), RC_REFUSED);
	assert_int_equal(zipped_word_file(&out, "PK\003\004", 4, pool, &err), RC_REFUSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request__wishes),
		cmocka_unit_test(test_request__no_wishes),
		cmocka_unit_test(test_request__doubtful),
		cmocka_unit_test(test_request__only_what_is_new_counts),
		cmocka_unit_test(test_request__below_a_picture),
		cmocka_unit_test(test_request__alternatives_that_differ),
		cmocka_unit_test(test_request__two_wishes),
		cmocka_unit_test(test_request__machines),
		cmocka_unit_test(test_request__unknown_mail),
		cmocka_unit_test(test_request__notices),
		cmocka_unit_test(test_request__other_addresses),
		cmocka_unit_test(test_request__forged),
		cmocka_unit_test(test_request__against_the_register),
		cmocka_unit_test(test_request__why_names_rule_and_words),
		cmocka_unit_test(test_rules__can_be_printed),
		cmocka_unit_test(test_rules__words_by_name),
		cmocka_unit_test(test_zipped__one_word_file),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
