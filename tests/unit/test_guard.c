/* what must hold before a mail may be queued */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/mail/guard.h"

static const char *const known[] = {"declaration_id", "user_number", "business_name", "office_name",
	"contact_mail", "site_url", "two_star?", NULL};

static struct template *parse(const char *text)
{
	struct template *tpl = NULL;
	struct err err = {0};
	if (template_parse(&tpl, "t.txt", text, strlen(text), known, &err) != RC_OK)
		fail_msg("%s", err.text);
	return tpl;
}

/* A body with the signature every notice has. */
static struct template *parse_body(const char *body)
{
	struct str text = STR_INIT;
	str_printf(&text, "Subject: お知らせ\n\n%s\n\n{{office_name}}\nEメール：{{contact_mail}}\n", body);
	struct template *tpl = parse(text.s);
	str_free(&text);
	return tpl;
}

static struct wording shipped(void)
{
	struct wording wording;
	struct err err = {0};
	if (wording_load(&wording, NULL, &err) != RC_OK)
		fail_msg("%s", err.text);
	return wording;
}

/* ---- wording ---- */

static void test_guard__wording_allowed(void **state)
{
	static const char *const bodies[] = {
		"一つ星を宣言しました。",
		"各企業等の情報セキュリティ対策状況をIPAが認定する、あるいは認証等を\n付与する制度ではありま"
		"せん。",
		"{{#improper}}\n「一つ星の認定を受けました」\n「二つ星を取得しました」\n{{/improper}}\n",
		"自己宣言IDは大切に保管してください。",
		"ロゴマークは下記からダウンロードできます。\n\n補助金の申請書を取得した方へ。",
		"{{business_name}} ご担当者 様",
		"https://www.ipa.go.jp/security/security-action/ をご覧ください。",
		"「https://security-shien.ipa.go.jp/security/index.html」をご覧ください。",
		"（https://www.ipa.go.jp/）",
		"詳細はwww.ipa.go.jpへ",
		"・ロゴマーク\n・登記事項証明書を取得した日\n",
		"1. ロゴマーク\n2. 証明書を取得した日\n",
		"{{site_url}}",
		"電話：03-5978-7508　法人番号：7010705000725",
		"",
	};
	(void)state;
	struct wording wording = shipped();
	for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
		struct template *tpl = parse_body(bodies[i]);
		struct err err = {0};
		if (guard_wording(tpl, "t.txt", &wording, &err) != RC_OK)
			fail_msg("case %zu: %s", i, err.text);
		template_free(&tpl);
	}
	wording_free(&wording);
}

static void test_guard__wording_forbidden(void **state)
{
	static const struct {
		const char *body, *what;
	} cases[] = {
		{"一つ星の認定を受けました。", "t.txt:3: the sentence \"一つ星の認定を受けました\""},
		{"一行目。\n\n二つ星の認定を\n　受けました。", "t.txt:5: "},
		{"SECURITY ACTIONに認定されました。", "forbidden"},
		{"・一つ星を\n　取得しました", "forbidden"},
		{"ＳＥＣＵＲＩＴＹ　ＡＣＴＩＯＮを取得いたしました。", "forbidden"},
		{"★★を取得しました。", "forbidden"},
		{"ロゴマークを無事に\n取得できました。", "forbidden"},
		{"IPAから認証を取得しました。", "forbidden"},
		{"貴社は認定企業です。", "forbidden"},
		{"一つ星を認定しました。", "forbidden"},
		{"一つ星の認 定を受 けました。", "forbidden"},
		{"{{#if two_star}}二つ星の認定{{/if}}を受けました。", "forbidden"},
		{"{{#improper}}\n例\n{{/improper}}\n一つ星を取得しました。", "t.txt:6: "},
		{"https://phish.example.com/", "points to \"phish.example.com\""},
		{"http://www.ipa.go.jp.example.com/", "www.ipa.go.jp.example.com"},
		{"https://www.ipa.go.jp@phish.example.com/", "www.ipa.go.jp@phish.example.com"},
		{"https://phish.example.com\\@www.ipa.go.jp/", "phish.example.com"},
		{"https://evilipa.go.jp/", "evilipa.go.jp"},
		{"ｈｔｔｐｓ：／／phish.example.com／", "phish.example.com"},
		{"www.phish.example.com をご覧ください", "www.phish.example.com"},
		{"{{#improper}}\nhttps://phish.example.com/\n{{/improper}}", "t.txt:4: a link"},
		{"一行目\n自己宣言ID：41234567890", "t.txt:4: a number"},
		{"利用者番号：９１２３-４５６７-８９", "t.txt:3: a number"},
		{"https://{{business_name}}.ipa.go.jp/", "points to \".ipa.go.jp\""},
	};
	(void)state;
	struct wording wording = shipped();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *tpl = parse_body(cases[i].body);
		struct err err = {0};
		enum rc rc = guard_wording(tpl, "t.txt", &wording, &err);
		if (rc != RC_CONFIG || !strstr(err.text, cases[i].what))
			fail_msg("case %zu: rc %d, \"%s\"", i, rc, err.text);
		template_free(&tpl);
	}
	wording_free(&wording);
}

static void test_guard__wording_required(void **state)
{
	static const struct {
		const char *text, *missing;
	} cases[] = {
		{"Subject: a\n\n{{office_name}} {{contact_mail}} 利用規約\n", NULL},
		{"Subject: a\n\n{{office_name}} {{contact_mail}}\n利用\n規約\n", NULL},
		{"Subject: a\n\n{{office_name}} {{contact_mail}} 下記の「利用規約」\n", NULL},
		{"Subject: a\n\n{{contact_mail}} 利用規約\n", "{{office_name}}"},
		{"Subject: a\n\n{{office_name}} 利用規約\n", "{{contact_mail}}"},
		{"Subject: a\n\n{{#if office_name}}{{/if}}{{contact_mail}} 利用規約\n", "{{office_name}}"},
		{"Subject: a\n\n{{office_name}} {{contact_mail}}\n{{#improper}}利用規約{{/improper}}\n",
			"利用規約"},
	};
	(void)state;
	struct wording wording = {0};
	strlist_add(&wording.required, "{{office_name}}");
	strlist_add(&wording.required, "{{contact_mail}}");
	strlist_add(&wording.required, "利用規約");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *tpl = parse(cases[i].text);
		struct err err = {0};
		enum rc rc = guard_wording(tpl, "t.txt", &wording, &err);
		assert_int_equal(rc, cases[i].missing ? RC_CONFIG : RC_OK);
		if (cases[i].missing)
			assert_non_null(strstr(err.text, cases[i].missing));
		template_free(&tpl);
	}
	wording_free(&wording);
}

static void test_guard__free_text(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{"すでに自己宣言がお済みのため", true},
		{"", true},
		{"詳しくは https://www.ipa.go.jp/ をご覧ください。", true},
		{"二つ星を取得\nしましたので", false},
		{"認定を受けていないため", false},
		{"https://phish.example.com/ へどうぞ", false},
	};
	(void)state;
	struct wording wording = shipped();
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = {0};
		if (guard_free_text(cases[i].text, &wording, &err) != (cases[i].fine ? RC_OK : RC_REFUSED))
			fail_msg("case %zu: %s", i, err.text);
	}
	wording_free(&wording);
}

static void test_guard__wording_file(void **state)
{
	(void)state;
	char path[] = "/tmp/sengen-wording-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	static const struct {
		const char *text;
		enum rc rc;
		const char *what;
	} cases[] = {
		{"forbidden = ( \"認定\" );\nrequired = ( );\nlinks = ( \"a.example.jp\" );\n", RC_OK, NULL},
		{"forbidden = ( \"認定(\" );\n", RC_CONFIG, "認定("},
		{"forbiden = ( );\n", RC_CONFIG, "forbiden"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct wording wording;
		struct err err = {0};
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(
			pwrite(fd, cases[i].text, strlen(cases[i].text), 0), (ssize_t)strlen(cases[i].text));
		enum rc rc = wording_load(&wording, path, &err);
		assert_int_equal(rc, cases[i].rc);
		if (cases[i].what)
			assert_non_null(strstr(err.text, cases[i].what));
		if (rc == RC_OK) {
			assert_true(strlist_has(&wording.links, "a.example.jp"));
			wording_free(&wording);
		}
	}
	(void)close(fd);
	(void)unlink(path);
}

/* ---- labels ---- */

static void test_guard__labels(void **state)
{
	static const struct {
		const char *body;
		bool right;
	} cases[] = {
		{"利用者番号：{{user_number}}\n自己宣言ID：{{declaration_id}}", true},
		{"利用者番号：{{declaration_id}}", false},
		{"自己宣言ID：{{user_number}}", false},
		{"自己宣言ＩＤ：{{user_number}}", false},
		{"利用者番号　　{{declaration_id}}", false},
		{"利用者番号：\n{{declaration_id}}", false},
		{"利用者番号：\n\n　{{declaration_id}}", false},
		{"利用者番号：\n{{user_number}}\n自己宣言ID：\n{{declaration_id}}", true},
		{"利用者番号は{{user_number}}、自己宣言IDは{{declaration_id}}です。", true},
		{"利用者番号は{{user_number}}、自己宣言IDは{{user_number}}です。", false},
		{"利用者番号：{{#if two_star}}{{declaration_id}}{{/if}}", false},
		{"自己宣言 ID：{{user_number}}", false},
		{"{{declaration_id}}", true},
		{"番号：{{user_number}}", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *tpl = parse_body(cases[i].body);
		struct err err = {0};
		enum rc rc = guard_labels(tpl, "t.txt", &err);
		if (rc != (cases[i].right ? RC_OK : RC_CONFIG))
			fail_msg("case %zu: rc %d, \"%s\"", i, rc, err.text);
		if (rc != RC_OK)
			assert_true(str_has_prefix(err.text, "t.txt:"));
		template_free(&tpl);
	}
	/* In the subject too. */
	struct template *tpl = parse("Subject: 利用者番号 {{declaration_id}}\n\nb\n");
	struct err err = {0};
	assert_int_equal(guard_labels(tpl, "t.txt", &err), RC_CONFIG);
	assert_true(str_has_prefix(err.text, "t.txt:1:"));
	template_free(&tpl);
}

/* ---- foreign numbers and addresses ---- */

static const char *const own[] = {"41234567890", "9123456789", "7010705000725", "taro..@docomo.ne.jp",
	"security-action-info@sa.example.jp", "Pass4999999999word", NULL};

static enum rc foreign(const char *subject, const char *body, struct err *err)
{
	struct rendered mail = RENDERED_INIT;
	str_addz(&mail.subject, subject);
	str_addz(&mail.body, body);
	enum rc rc = guard_foreign(&mail, own, err);
	rendered_free(&mail);
	return rc;
}

static void test_guard__foreign(void **state)
{
	static const struct {
		const char *body;
		bool own;
	} cases[] = {
		{"自己宣言ID：41234567890", true},
		{"自己宣言ID：４１２３４５６７８９０", true},
		{"自己宣言ID：4123-4567-890", true},
		{"自己宣言ID：4123 4567 890", true},
		{"自己宣言ID：4 1 2 3 4 5 6 7 8 9 0", true},
		{"利用者番号：9123456789", true},
		{"法人番号：T7010705000725", true},
		{"法人番号：7-0107-0500-0725", true},
		{"パスワード：Pass4999999999word", true},
		{"自己宣言ID：41234567891", false},
		{"自己宣言ID：４１２３４５６７８９１", false},
		{"自己宣言ID：4123-4567-891", false},
		{"自己宣言ID：4123－4567－891", false},
		{"自己宣言ID：4123　4567　891", false},
		{"自己宣言ID：4 1 2 3 4 5 6 7 8 9 1", false},
		{"自己宣言ID：4123\xE2\x80\x8B"
		 "4567891",
			false}, /* zero-width space */
		{"自己宣言ID：51234567890", false},
		{"自己宣言ID：4999999999", true}, /* it stands in an allowed text */
		{"自己宣言ID：4999999998", false},
		{"利用者番号：9999999999", false},
		{"2026 4123-4567-891", false},
		{"2026-4123-4567-891", false},
		{"41234567890-41234567891", false},
		{"ID4123456789１です", false},
		{"法人番号：4011001098993", false},
		{"法人番号：4-0110-0109-8993", false},
		{"電話：03-5978-7508", true},
		{"電話：０３－５９７８－７５０８", true},
		{"電話：03 5978 7508", true},
		{"電話：090-4123-4567", true},
		{"電話：+81-90-9123-4567", true},
		{"電話：+81 3 5978 7508 / FAX：+81 3 5978 7510", true},
		{"電話：0120-4567-8901、0574-12-3456", true},
		{"〒461-0001 名古屋市1-2-3", true},
		{"2026年4月6日(月) 10:30", true},
		{"2026-04-06 10:30:00", true},
		{"受付番号：123456789", true},
		{"整理番号：412345678901", true}, /* 12 digits */
		{"整理番号：12345678901234567890", true},
		{"https://logo.example.jp/4123456789/one.zip", true},
		{"https://logo.example.jp/x 4123456789", false},
		{"Eメール：security-action-info@sa.example.jp", true},
		{"Eメール：Security-Action-Info@SA.example.jp。", true},
		{"ご登録：taro..@docomo.ne.jp", true},
		{"ご登録：\"taro..\"@docomo.ne.jp", true},
		{"ご登録：hanako@example.co.jp", false},
		{"ご登録：ｈａｎａｋｏ＠ｅｘａｍｐｌｅ．ｃｏ．ｊｐ", false},
		{"<hanako@example.co.jp>", false},
		{"xtaro..@docomo.ne.jp", false},
		{"hanako@例え.jp", false},
		{"SNS：@sample_info", true},
		{"5人 @ 1000.50円", true},
		{"", true},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err err = {0};
		enum rc rc = foreign("お知らせ", cases[i].body, &err);
		if (rc != (cases[i].own ? RC_OK : RC_REFUSED))
			fail_msg("case %zu (%s): rc %d \"%s\"", i, cases[i].body, rc, err.text);
		assert_int_equal(foreign(cases[i].body, "本文", &err), rc);
		if (rc != RC_OK && *cases[i].body)
			assert_null(strstr(err.text, "hanako"));
	}
}

static void test_guard__foreign_never_tells_the_value(void **state)
{
	(void)state;
	struct err err = {0};
	assert_int_equal(foreign("a", "自己宣言ID：41234567891", &err), RC_REFUSED);
	assert_null(strstr(err.text, "4123"));
	assert_non_null(strstr(err.text, "number"));
	assert_int_equal(foreign("a", "hanako@example.co.jp", &err), RC_REFUSED);
	assert_non_null(strstr(err.text, "mail address"));
}

static void test_guard__foreign_with_nothing_allowed(void **state)
{
	(void)state;
	struct rendered mail = RENDERED_INIT;
	struct err err = {0};
	str_addz(&mail.headers, "Comments: 41234567890\n");
	assert_int_equal(guard_foreign(&mail, NULL, &err), RC_REFUSED);
	rendered_free(&mail);
}

/* ---- characters ---- */

static void test_guard__characters(void **state)
{
	static const struct {
		const char *text;
		bool fine;
	} cases[] = {
		{"株式会社サンプル ①②㈱髙﨑～〜㋿", true},
		{"ﾊﾝｶｸ ｶﾅ", true},
		{"葛\U000E0100飾区", true}, /* with a variation selector */
		{"𠮷野家", true},
		{"\U0003134B", true}, /* newer than this machine's tables */
		{"見本\uFFFD商店", false},
		{"見本\uE000商店", false},
		{"見本\uF8FF商店", false},
		{"見本\U000F0000商店", false},
		{"見本\u0378商店", false},
		{"見本\uFFFE商店", false},
		{"見本\xFF商店", false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rendered mail = RENDERED_INIT;
		struct err err = {0};
		str_addz(&mail.body, cases[i].text);
		if (guard_characters(&mail, &err) != (cases[i].fine ? RC_OK : RC_REFUSED))
			fail_msg("case %zu: %s", i, err.text);
		rendered_free(&mail);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_guard__wording_allowed),
		cmocka_unit_test(test_guard__wording_forbidden),
		cmocka_unit_test(test_guard__wording_required),
		cmocka_unit_test(test_guard__free_text),
		cmocka_unit_test(test_guard__wording_file),
		cmocka_unit_test(test_guard__labels),
		cmocka_unit_test(test_guard__foreign),
		cmocka_unit_test(test_guard__foreign_never_tells_the_value),
		cmocka_unit_test(test_guard__foreign_with_nothing_allowed),
		cmocka_unit_test(test_guard__characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
