/* what was written anew: the ways mail programs quote and sign */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "lib/mail/quote.h"

#define OLD "使用を中止する場合"

static const struct {
	const char *program, *body;
	const char *fresh; /* trimmed of line ends */
	const char *signature; /* a piece of it; NULL: must be empty */
} rows[] = {
	{"Outlook, Japanese",
		"停止してください。\n\n-----Original Message-----\nFrom: 事務局 "
		"<office@sa.example.jp>\nSent: Tuesday, October 6, 2026 10:06 AM\nTo: "
		"a@example.co.jp\nSubject: お知らせ\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Outlook, header lines",
		"停止してください。\n\n________________________________\n差出人: 事務局 "
		"<office@sa.example.jp>\n送信日時: 2026年10月6日 10:06\n宛先: a@example.co.jp\n件名: "
		"お知らせ\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Outlook 365",
		"停止してください。\n\nFrom: 事務局 <office@sa.example.jp>\nSent: Tuesday, October 6, 2026 "
		"10:06 AM\nTo: a@example.co.jp\nSubject: お知らせ\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Outlook on the web, bold labels",
		"停止してください。\n\n*差出人:* 事務局 <office@sa.example.jp>\n*送信日時:* 2026年10月6日 "
		"10:06\n*宛先:* a@example.co.jp\n*件名:* お知らせ\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Outlook for Android",
		"停止してください。\n\nOutlook for Android を入手\n________________________________\nFrom: "
		"事務局 <office@sa.example.jp>\nSent: x\nTo: y\nSubject: z\n\n" OLD "\n",
		"停止してください。", "Outlook for Android"},
	{"Gmail, Japanese",
		"停止してください。\n\n2026年10月6日(火) 10:06 事務局 <office@sa.example.jp>:\n\n> " OLD
		"\n> 以上\n",
		"停止してください。", NULL},
	{"Gmail, English",
		"停止してください。\n\nOn Tue, Oct 6, 2026 at 10:06 AM 事務局 <office@sa.example.jp> "
		"wrote:\n\n> " OLD "\n",
		"停止してください。", NULL},
	{"Gmail, the announcement broken into two lines",
		"停止してください。\n\nOn Tue, Oct 6, 2026 at 10:06 AM SECURITY ACTION 事務局 "
		"<\noffice@sa.example.jp> wrote:\n\n> " OLD "\n",
		"停止してください。", NULL},
	{"Gmail, Japanese, broken into two lines",
		"停止してください。\n\n2026年10月6日(火) 10:06 SECURITY ACTION 事務局 "
		"<\noffice@sa.example.jp>:\n\n> " OLD "\n",
		"停止してください。", NULL},
	{"Apple Mail",
		"停止してください。\n\n> 2026/10/06 10:06、事務局 <office@sa.example.jp>のメール:\n> \n> " OLD
		"\n",
		"停止してください。", NULL},
	{"Apple Mail, unquoted announcement",
		"停止してください。\n\n2026/10/06 10:06、事務局 <office@sa.example.jp>のメール:\n\n> " OLD
		"\n",
		"停止してください。", NULL},
	{"Thunderbird, Japanese",
		"停止してください。\n\nOn 2026/10/06 10:06, 事務局 wrote:\n> " OLD "\n>> older\n",
		"停止してください。", NULL},
	{"Thunderbird, own words",
		"停止してください。\n\n事務局 さんは書きました (2026/10/06 10:06):\n> " OLD "\n",
		"停止してください。", NULL},
	{"iPhone",
		"停止してください。\n\niPhoneから送信\n\n> 2026/10/06 10:06、事務局 "
		"<office@sa.example.jp>のメール:\n> \n> " OLD "\n",
		"停止してください。", "iPhone"},
	{"Android",
		"停止してください。\n\nAndroidから送信\n\n2026年10月6日(火) 10:06 事務局 "
		"<office@sa.example.jp>:\n> " OLD "\n",
		"停止してください。", "Android"},
	{"Becky!",
		"停止してください。\n\nOn Tue, 06 Oct 2026 10:06:00 +0900\n事務局 <office@sa.example.jp> "
		"wrote:\n\n> " OLD "\n\n-- \n山田太郎 <a@example.co.jp>\n",
		"停止してください。", "山田太郎"},
	{"Shuriken",
		"停止してください。\n\n----- Original Message -----\n差出人: 事務局 "
		"<office@sa.example.jp>\n日付: 2026/10/06\n件名: お知らせ\n>" OLD "\n",
		"停止してください。", NULL},
	{"Windows Live Mail",
		"停止してください。\n\n-----元のメッセージ----- \nFrom: 事務局\nSent: x\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Notes",
		"停止してください。\n\n\n\nFrom:   事務局 <office@sa.example.jp>\nTo:     "
		"a@example.co.jp\nDate:   2026/10/06 10:06\nSubject:        お知らせ\n\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Yahoo", "停止してください。\n\n----- 元のメッセージ -----\n差出人: 事務局\n\n" OLD "\n",
		"停止してください。", NULL},
	{"Yahoo, new",
		"停止してください。\n\n2026年10月6日火曜日 10:06:00 JST、事務局 "
		"<office@sa.example.jp>さんは書きました:\n\n" OLD "\n",
		"停止してください。", NULL},
	{"answered below the quote", "> " OLD "\n> 以上\n\n停止してください。\n", "停止してください。", NULL},
	{"answered between the lines", "> 停止しますか\nはい、停止してください。\n> 日付は\n10月31日\n",
		"はい、停止してください。\n10月31日", NULL},
	{"full-width marks, bars", "停止してください。\n＞ " OLD "\n| " OLD "\n", "停止してください。", NULL},
	{"forward", "ご確認ください。\n\n---------- Forwarded message ---------\nFrom: 事務局\n\n" OLD "\n",
		"ご確認ください。", NULL},
	{"signature between rules",
		"停止してください。\n\n==============================\n株式会社サンプル 山田太郎\nTEL "
		"03-0000-0000\nMail: a@example.co.jp\n==============================\n",
		"停止してください。", "サンプル"},
	{"signature under stars",
		"停止してください。\n＊＊＊＊＊＊＊＊＊＊\n見本商店\n〒100-0000 "
		"東京都\n＊＊＊＊＊＊＊＊＊＊\n",
		"停止してください。", "見本商店"},
	{"a form between rules is no signature",
		"お世話になります。\n--------------------"
		"\n自己宣言ID：49337119406\n事業者名：見本商店\nTEL：03-0000-"
		"0000\n使用中止日：2026年10月31日\n--------------------\n",
		"お世話になります。\n--------------------"
		"\n自己宣言ID：49337119406\n事業者名：見本商店\nTEL：03-0000-"
		"0000\n使用中止日：2026年10月31日\n--------------------",
		NULL},
	{"a date in the writer's own words is no announcement",
		"使用中止日：2026年10月31日\n2026年10月6日に届いたメール:\n自己宣言ID 49337119406\n",
		"使用中止日：2026年10月31日\n2026年10月6日に届いたメール:\n自己宣言ID 49337119406", NULL},
	{"labels of the writer's own", "件名: 停止の件\n自己宣言ID: 49337119406\n",
		"件名: 停止の件\n自己宣言ID: 49337119406", NULL},
	{"nothing but history", "> " OLD "\n", "", NULL},
	{"empty", "", "", NULL},
};

static const char *trimmed(struct str *text)
{
	while (text->len && strchr("\n \r\t", text->s[text->len - 1]))
		str_cut(text, text->len - 1);
	return text->s + strspn(text->s, "\n \r\t");
}

static void test_quote__mail_programs(void **state)
{
	(void)state;
	int wrong = 0;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct written w;
		written_split(&w, rows[i].body);
		const char *fresh = trimmed(&w.fresh);
		bool good = strcmp(fresh, rows[i].fresh) == 0;
		good = good && (rows[i].signature ? strstr(w.signature.s, rows[i].signature) != NULL
						  : !*trimmed(&w.signature));
		if (!good) {
			print_error("%s: fresh '%s' signature '%s'\n", rows[i].program, fresh, w.signature.s);
			wrong++;
		}
		written_free(&w);
	}
	assert_int_equal(wrong, 0);
}

/* Nothing is lost: what is not fresh is history or signature. */
static void test_quote__no_line_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct written w;
		size_t lines = 0, found = 0;
		written_split(&w, rows[i].body);
		for (const char *at = rows[i].body; *at; at++)
			lines += *at == '\n';
		const struct str *const pieces[] = {&w.fresh, &w.quoted, &w.signature};
		for (size_t p = 0; p < 3; p++)
			for (size_t k = 0; k < pieces[p]->len; k++)
				found += pieces[p]->s[k] == '\n';
		assert_int_equal(lines, found);
		written_free(&w);
	}
}

static void test_quote__long_and_odd_lines(void **state)
{
	(void)state;
	struct str body = STR_INIT;
	for (int i = 0; i < 3000; i++)
		str_addz(&body, "From: ");
	str_addz(&body, "\n");
	for (int i = 0; i < 2000; i++)
		str_addz(&body, ">");
	str_addz(&body, "\n\xff\xfe\n");
	for (int i = 0; i < 3000; i++)
		str_addz(&body, "From: x\n\n");
	struct written w;
	written_split(&w, body.s);
	assert_true(w.fresh.len > 10000);
	written_free(&w);
	str_free(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quote__mail_programs),
		cmocka_unit_test(test_quote__no_line_is_lost),
		cmocka_unit_test(test_quote__long_and_odd_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
