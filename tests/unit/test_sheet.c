#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/label.h"
#include "lib/mail/sheet.h"

static struct pool *pool;

static int make_pool(void **state)
{
	(void)state;
	pool = pool_new();
	return 0;
}

static int drop_pool(void **state)
{
	(void)state;
	pool_free(&pool);
	return 0;
}

/* ---- labels ---- */

static void test_label__where_it_ends(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum label label;
		enum label_gap gap;
		const char *value;
	} cases[] = {
		{"自己宣言ID：47258577930", LABEL_DECLARATION_ID, GAP_SIGN, "47258577930"},
		{"1．自己宣言ID番号　：　4487 375 7271", LABEL_DECLARATION_ID, GAP_SIGN, "4487 375 7271"},
		{"□ 自己宣言 ID … 47258577930", LABEL_DECLARATION_ID, GAP_SIGN, "47258577930"},
		{"・自己宣言 ID　47258577930", LABEL_DECLARATION_ID, GAP_BLANK, "47258577930"},
		{"①事業者名\t株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"(3) 代 表 者 名： 見本 花子", LABEL_REPRESENTATIVE, GAP_SIGN, "見本 花子"},
		{"【担当者】見本 太郎", LABEL_CONTACT, GAP_SIGN, "見本 太郎"},
		{"ﾒｰﾙｱﾄﾞﾚｽ:a@example.co.jp", LABEL_MAIL, GAP_SIGN, "a@example.co.jp"},
		{"事業者名（法人名又は屋号）", LABEL_BUSINESS_NAME, GAP_END, ""},
		{"事業者名（法人名又は屋号）　（有）サンプル", LABEL_BUSINESS_NAME, GAP_BLANK,
			"（有）サンプル"},
		{"名称 （有）サンプル", LABEL_BUSINESS_NAME, GAP_BLANK, "（有）サンプル"},
		{"利用者番号（9から始まる番号） … 9220164682", LABEL_USER_NUMBER, GAP_SIGN, "9220164682"},
		{"自己宣言 ID　[49955129757]", LABEL_DECLARATION_ID, GAP_BLANK, "[49955129757]"},
		{"担当者 名倉太郎", LABEL_CONTACT, GAP_BLANK, "名倉太郎"},
		{"担当者様", LABEL_NONE, GAP_END, ""},
		/* Honours inside, and what is one noun to the reader. */
		{"ご担当者様氏名：見本 太郎", LABEL_CONTACT, GAP_SIGN, "見本 太郎"},
		{"ご担当者様のお名前　：　見本 太郎", LABEL_CONTACT, GAP_SIGN, "見本 太郎"},
		{"担当者様：見本 太郎", LABEL_CONTACT, GAP_SIGN, "見本 太郎"},
		{"代表者ご氏名：見本 花子", LABEL_REPRESENTATIVE, GAP_SIGN, "見本 花子"},
		{"代表者様ご芳名：見本 花子", LABEL_REPRESENTATIVE, GAP_SIGN, "見本 花子"},
		{"中止に至った理由：閉店", LABEL_REASON, GAP_SIGN, "閉店"},
		{"ロゴマークの使用をやめることになった理由\t閉店", LABEL_REASON, GAP_SIGN, "閉店"},
		{"変更に至った理由：移転", LABEL_NONE, GAP_END, ""},
		{"使用中止を希望される日：2026年12月1日", LABEL_STOP_ON, GAP_SIGN, "2026年12月1日"},
		{"使用中止申込書の提出日：2026年12月1日", LABEL_NONE, GAP_END, ""},
		{"配信停止を希望する日：2026年12月1日", LABEL_NONE, GAP_END, ""},
		{"サービス終了に至った理由：閉鎖", LABEL_NONE, GAP_END, ""},
		{"登録メールの停止を希望する日：2026年12月1日", LABEL_NONE, GAP_END, ""},
		{"中止に至った理由は閉店です。", LABEL_NONE, GAP_END, ""},
		{"ご担当者様", LABEL_NONE, GAP_END, ""},
		{"ご担当者様　お世話になっております。", LABEL_NONE, GAP_END, ""},
		{"ご担当者様：", LABEL_NONE, GAP_END, ""},
		{"ご連絡先：a@example.co.jp", LABEL_REACH, GAP_SIGN, "a@example.co.jp"},
		/* Leaders, brackets and quotes. */
		{"事業者名........ 株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"事業者名..株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"（事業者名）株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"(自己宣言 ID) 47258577930", LABEL_DECLARATION_ID, GAP_SIGN, "47258577930"},
		{"（事業者名）", LABEL_BUSINESS_NAME, GAP_END, ""},
		{"（事業者名を変更したため）", LABEL_NONE, GAP_END, ""},
		{"（旧）株式会社サンプル", LABEL_OLD, GAP_SIGN, "株式会社サンプル"},
		{"事業者名「株式会社サンプル」", LABEL_BUSINESS_NAME, GAP_SIGN, "「株式会社サンプル」"},
		{"事業者名『株式会社サンプル』です。", LABEL_NONE, GAP_END, ""},
		{"自己宣言ID「47258577930」の中止", LABEL_NONE, GAP_END, ""},
		{"\"事業者名\",\"株式会社サンプル\"", LABEL_BUSINESS_NAME, GAP_SIGN, "\"株式会社サンプル\""},
		{"“代表者名”，“見本 花子”", LABEL_REPRESENTATIVE, GAP_SIGN, "“見本 花子”"},
		{"●使用中止日●", LABEL_STOP_ON, GAP_END, ""},
		{"◆◆ 使用中止日 ◆◆", LABEL_STOP_ON, GAP_END, ""},
		{"◆事業者名◆株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"□事業者名□代表者名", LABEL_NONE, GAP_END, ""},
		{"┃事業者名　　┃株式会社サンプル", LABEL_BUSINESS_NAME, GAP_SIGN, "株式会社サンプル"},
		{"自己宣言IDのお知らせ", LABEL_NONE, GAP_END, ""},
		{"", LABEL_NONE, GAP_END, ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct labelled found = label_read(cases[i].text);
		if (found.label != cases[i].label ||
			(found.label &&
				(found.gap != cases[i].gap || strcmp(found.value, cases[i].value) != 0)))
			fail_msg("%s: label %d, gap %d, \"%s\"", cases[i].text, (int)found.label,
				(int)found.gap, found.value);
	}
}

static void test_label__titles_and_words(void **state)
{
	(void)state;
	assert_int_equal(
		label_title("ＳＥＣＵＲＩＴＹ ＡＣＴＩＯＮ ロゴマーク使用中止申込書"), LABEL_FORM_STOP);
	assert_int_equal(label_title("様式Ｂ－３"), LABEL_FORM_STOP);
	assert_int_equal(label_title("登録情報変更届"), LABEL_FORM_CHANGE);
	assert_int_equal(label_title("会社案内"), LABEL_FORM_NONE);
	assert_true(label_at_once("本申込書の受理をもって"));
	assert_false(label_at_once("来月末"));
	assert_int_equal(label_group("担当者"), LABEL_CONTACT);
}

/* ---- Word files ---- */

#define P(text_)                                                                                             \
	{                                                                                                    \
		.span = 1, .text = text_                                                                     \
	}
#define C(row_, column_, text_)                                                                              \
	{                                                                                                    \
		.table = 1, .row = row_, .column = column_, .span = 1, .text = text_                         \
	}
#define W(row_, column_, span_, text_)                                                                       \
	{                                                                                                    \
		.table = 1, .row = row_, .column = column_, .span = span_, .text = text_                     \
	}

static struct sheet read_cells(const struct doc_cell *cells, size_t count)
{
	struct sheet sheet;
	struct doc_cell *copy = pool_alloc(pool, count * sizeof *copy);
	memcpy(copy, cells, count * sizeof *copy);
	struct doc doc = {.cell = copy, .count = count, .damage = ""};
	sheet_read_doc(&sheet, &doc, pool);
	return sheet;
}
#define READ(cells_) read_cells(cells_, sizeof cells_ / sizeof *cells_)

static void assert_sample(const struct sheet *sheet)
{
	assert_int_equal(sheet->kind, SHEET_STOP);
	assert_false(sheet->blank);
	assert_string_equal(sheet->declaration_id, "47258577930");
	assert_string_equal(sheet->business_name, "株式会社サンプル");
	assert_string_equal(sheet->representative, "見本 花子");
	assert_string_equal(sheet->contact, "見本 太郎");
	assert_string_equal(sheet->mail, "taro@sample.example.co.jp");
	assert_int_equal(sheet->stop_on, civil_from_ymd(2026, 8, 20));
	assert_string_equal(sheet->reason, "使わなくなったため。\nなお、印刷物は差し替えます。");
	assert_string_equal(sheet->doubt, "");
}

static void test_sheet__beside(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("様式Ｂ－３"), C(0, 0, "自己宣言ID"),
		C(0, 1, "４７２５－８５７－７９３０"), C(1, 0, "名称"), C(1, 1, "株式会社サンプル"),
		C(2, 0, "代表者"), C(2, 1, "見本 花子　㊞"), C(3, 0, "担当者"),
		C(3, 1, "見本 太郎（ミホン タロウ）"), C(4, 0, "E-mail"),
		C(4, 1, "ｔａｒｏ＠ｓａｍｐｌｅ．ｅｘａｍｐｌｅ．ｃｏ．ｊｐ"), C(5, 0, "使用中止日"),
		C(5, 1, "令和８年８月２０日付"), C(6, 0, "中止理由"),
		C(6, 1, "使わなくなったため。\nなお、印刷物は差し替えます。"),
		P("※自己宣言IDは、4から始まる10桁の番号です（例：4999999999）。")};
	struct sheet sheet = READ(cells);
	assert_sample(&sheet);
}

static void test_sheet__above(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("ロゴマーク使用中止申込書"), C(0, 0, "自己宣言ID"),
		C(0, 1, "事業者名"), C(1, 0, "[4725 857 7930]"), C(1, 1, "株式会社サンプル"),
		C(2, 0, "代表者名"), C(2, 1, "担当者名"), C(3, 0, "見本 花子"), C(3, 1, "見本 太郎"),
		C(4, 0, "電話"), C(4, 1, "メールアドレス"), C(5, 0, "03-0000-1111"),
		C(5, 1, "taro@sample.example.co.jp"), C(6, 0, "使用中止日"), C(6, 1, "宣言の種類"),
		C(7, 0, "2026/8/20"), C(7, 1, "☑一つ星"), W(8, 0, 2, "使用を中止する理由"),
		W(9, 0, 2, "使わなくなったため。\nなお、印刷物は差し替えます。")};
	struct sheet sheet = READ(cells);
	assert_sample(&sheet);
}

/* 項目 | 記入欄 names the columns; it is no change. */
static void test_sheet__head_of_columns(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {C(0, 0, "項目"), C(0, 1, "内容"), C(1, 0, "自己宣言ID"),
		C(1, 1, "47258577930"), C(2, 0, "使用中止日"), C(2, 1, "2026/8/20")};
	struct sheet sheet = READ(cells);
	assert_int_equal(sheet.kind, SHEET_STOP);
	assert_int_equal(sheet.change_count, 0);
	assert_string_equal(sheet.declaration_id, "47258577930");
}

static void test_sheet__grid_and_groups(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("様式B-3"), C(0, 0, "申込者"), C(0, 1, "名称"),
		C(0, 2, "株式会社サンプル"), C(1, 1, "代表者"), C(1, 2, "見本 花子"), C(2, 0, "担当者"),
		C(2, 1, "部署名"), C(2, 2, "総務課"), C(3, 1, "氏名"), C(3, 2, "見本 太郎"),
		C(4, 1, "E-mail"), C(4, 2, "taro@sample.example.co.jp"), C(5, 0, "中止内容"),
		C(5, 1, "自己宣言ID"), C(5, 2, "47258577930"), C(6, 1, "使用中止日"), C(6, 2, "2026-08-20"),
		C(7, 1, "理由"), C(7, 2, "使わなくなったため。\nなお、印刷物は差し替えます。")};
	struct sheet sheet = READ(cells);
	assert_sample(&sheet);
}

static void test_sheet__in_one_cell_and_paragraphs(void **state)
{
	(void)state;
	static const struct doc_cell one[] = {P("様式B-3"), C(0, 0, "自己宣言ID番号　[47258577930]"),
		C(1, 0, "事業者名:株式会社サンプル"), C(2, 0, "代表者名　代表取締役　見本 花子"),
		C(3, 0, "担当者：見本 太郎"), C(4, 0, "E-mail　taro@sample.example.co.jp"),
		C(5, 0, "使用中止日　2026年8月20日"),
		C(6, 0, "使用を中止する理由：使わなくなったため。\nなお、印刷物は差し替えます。")};
	static const struct doc_cell lines[] = {P("様式B-3"), P("１．自己宣言ID番号\t47258577930"),
		P("・名称\t株式会社サンプル"), P("代表者: 代表取締役　見本 花子"),
		P("(4) 担当者名　：　見本 太郎"), P("メールアドレス\ttaro@sample.example.co.jp"),
		P("使用中止日\t2026年8月20日"),
		P("中止理由\t使わなくなったため。\nなお、印刷物は差し替えます。"),
		P("（事務局使用欄）受付日：　受付番号："), P("以上")};
	struct sheet sheet = READ(one);
	assert_string_equal(sheet.representative, "代表取締役　見本 花子");
	sheet.representative = "見本 花子";
	assert_sample(&sheet);
	sheet = READ(lines);
	sheet.representative = "見本 花子";
	assert_sample(&sheet);
}

static void test_sheet__days(void **state)
{
	(void)state;
	static const struct {
		const char *value;
		bool at_once, written;
	} cases[] = {{"即日", true, false}, {"本申込書の受理をもって", true, false}, {"受理日", true, false},
		{"来年度末", false, true}, {"　　年　　月　　日", false, false},
		{"☑即日　□指定日（　年　月　日）", true, false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct doc_cell cells[] = {P("様式B-3"), C(0, 0, "自己宣言ID"), C(0, 1, "47258577930"),
			C(1, 0, "使用中止日"), C(1, 1, cases[i].value)};
		struct sheet sheet = READ(cells);
		assert_int_equal(sheet.stop_on, CIVIL_DAY_NONE);
		assert_int_equal(sheet.at_once, cases[i].at_once);
		assert_int_equal(*sheet.stop_on_written != '\0', cases[i].written);
		assert_int_equal(*sheet.doubt != '\0', cases[i].written);
	}
	assert_int_equal(sheet_find_day("□即日　■ R8.8.20 より"), civil_from_ymd(2026, 8, 20));
	assert_int_equal(sheet_find_day("番号 47258577930"), CIVIL_DAY_NONE);
	assert_int_equal(sheet_find_day("令和八年十月三十一日"), civil_from_ymd(2026, 10, 31));
	assert_int_equal(sheet_find_day("二〇二六年十二月一日"), civil_from_ymd(2026, 12, 1));
	assert_int_equal(sheet_find_day("一日も早く"), CIVIL_DAY_NONE);
	/* Both years, one in brackets. */
	assert_int_equal(sheet_find_day("令和8(2026)年12月16日"), civil_from_ymd(2026, 12, 16));
	assert_int_equal(sheet_find_day("令和８年（２０２６年）１２月１６日"), civil_from_ymd(2026, 12, 16));
	assert_int_equal(sheet_find_day("2026（令和8）年12月16日"), civil_from_ymd(2026, 12, 16));
	assert_int_equal(sheet_find_day("2026年（R8）12月16日（水）"), civil_from_ymd(2026, 12, 16));
	assert_int_equal(sheet_find_day("令和8(2027)年12月16日"), CIVIL_DAY_NONE);
	/* The last day of a month. */
	assert_int_equal(sheet_find_day("2026年12月末日"), civil_from_ymd(2026, 12, 31));
	assert_int_equal(sheet_find_day("令和９年２月末"), civil_from_ymd(2027, 2, 28));
	assert_int_equal(sheet_find_day("2028年2月末日付"), civil_from_ymd(2028, 2, 29));
	assert_int_equal(sheet_find_day("二〇二六年十一月末日"), civil_from_ymd(2026, 11, 30));
	assert_int_equal(sheet_find_day("2026年12月末頃"), CIVIL_DAY_NONE);
	assert_int_equal(sheet_find_day("2026年12月末または1月初め"), CIVIL_DAY_NONE);
	assert_int_equal(sheet_find_day("2026年末"), CIVIL_DAY_NONE);
	assert_int_equal(sheet_find_day("12月末日"), CIVIL_DAY_NONE);
}

static void test_sheet__ids_that_are_none(void **state)
{
	(void)state;
	static const struct {
		const char *value, *id, *user;
	} cases[] = {{"496779O7182", "", ""}, {"9035489508", "", "9035489508"}, {"4123456789012", "", ""},
		{"412345678", "", ""}, {"47258577930、47258577931", "", ""}, {"不明", "", ""},
		{"47258577930（一つ星）", "47258577930", ""}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct doc_cell cells[] = {P("様式B-3"), C(0, 0, "自己宣言ID"), C(0, 1, cases[i].value),
			C(1, 0, "事業者名"), C(1, 1, "株式会社サンプル")};
		struct sheet sheet = READ(cells);
		assert_string_equal(sheet.declaration_id, cases[i].id);
		assert_string_equal(sheet.user_number, cases[i].user);
		assert_int_equal(*sheet.doubt == '\0', *cases[i].id != '\0');
	}
}

static void test_sheet__blank(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("様式B-3"), C(0, 0, "自己宣言ID"),
		C(0, 1, "例：4999999999"), C(1, 0, "事業者名"),
		{.table = 1,
			.row = 1,
			.column = 1,
			.span = 1,
			.text = "クリックして入力",
			.placeholder = true},
		C(2, 0, "使用中止日"), C(2, 1, "令和　年　月　日"), C(3, 0, "中止理由"), C(3, 1, ""),
		P("※自己宣言IDは、4から始まる番号です（例：4999999999）。")};
	struct sheet sheet = READ(cells);
	assert_int_equal(sheet.kind, SHEET_STOP);
	assert_true(sheet.blank);
	static const struct doc_cell other[] = {P("会社案内"), P("私たちは製造業です。")};
	sheet = READ(other);
	assert_int_equal(sheet.kind, SHEET_NONE);
	assert_false(sheet.blank);
}

static void test_sheet__changes(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("登録情報変更届"), C(0, 0, "自己宣言ID"),
		W(0, 1, 2, "47258577930"), C(1, 0, "変更項目"), C(1, 1, "変更前"), C(1, 2, "変更後"),
		C(2, 0, "電話番号"), C(2, 1, "03-0000-1111"), C(2, 2, "06-0000-2222"), C(3, 0, ""),
		C(3, 1, ""), C(3, 2, "")};
	static const struct doc_cell lines[] = {P("登録情報変更届"), P("自己宣言ID：47258577930"),
		P("代表者名：見本 花子"), P("変更項目：代表者名"), P("　変更前：見本 花子"),
		P("　変更後：見本 太郎")};
	struct sheet sheet = READ(cells);
	assert_int_equal(sheet.kind, SHEET_CHANGE);
	assert_int_equal(sheet.change_count, 1);
	assert_string_equal(sheet.change[0].item, "電話番号");
	assert_string_equal(sheet.change[0].old, "03-0000-1111");
	assert_string_equal(sheet.change[0].new_value, "06-0000-2222");
	sheet = READ(lines);
	assert_string_equal(sheet.representative, "見本 花子");
	assert_int_equal(sheet.change_count, 1);
	assert_string_equal(sheet.change[0].new_value, "見本 太郎");
}

/* What changes is the item that is ticked; none, or several, make it doubtful. */
static void test_sheet__changes_ticked(void **state)
{
	(void)state;
	static const struct {
		const char *value, *item;
		bool doubt;
	} cases[] = {{"□事業者名　□代表者名　☑所在地　□電話番号", "所在地", false},
		{"□事業者名 ■所在地 □電話番号", "所在地", false},
		{"□事業者名\n☒所在地\n□電話番号", "所在地", false},
		{"□事業者名　レ所在地　□電話番号", "所在地", false}, {"○事業者名　●所在地", "所在地", false},
		{"□事業者名　✔所在地", "所在地", false}, {"所在地", "所在地", false},
		{"☑所在地", "所在地", false}, {"□事業者名　□所在地", "", true},
		{"☑事業者名　□代表者名　☑所在地", "事業者名　所在地", true},
		{"事業者名□　所在地☑　電話番号□", "所在地", false},
		{"□メールアドレス　☑電話番号", "電話番号", false},
		{"■事業者名　■所在地", "事業者名　所在地", true}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct doc_cell cells[] = {P("登録情報変更届"), C(0, 0, "自己宣言ID"),
			C(0, 1, "47258577930"), C(1, 0, "変更項目"), C(1, 1, cases[i].value),
			C(2, 0, "変更前"), C(2, 1, "東京都港区1"), C(3, 0, "変更後"), C(3, 1, "大阪府堺市2")};
		struct sheet sheet = READ(cells);
		assert_int_equal(sheet.kind, SHEET_CHANGE);
		assert_int_equal(sheet.change_count, 1);
		assert_string_equal(sheet.change[0].item, cases[i].item);
		assert_string_equal(sheet.change[0].new_value, "大阪府堺市2");
		assert_int_equal(*sheet.doubt != '\0', cases[i].doubt);
	}
}

/* A row that says the same twice changes nothing. */
static void test_sheet__changes_of_nothing(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("登録情報変更届"), C(0, 0, "自己宣言ID"),
		W(0, 1, 2, "47258577930"), C(1, 0, "変更項目"), C(1, 1, "変更前"), C(1, 2, "変更後"),
		C(2, 0, "所在地"), C(2, 1, "変更なし"), C(2, 2, "変更なし"), C(3, 0, "代表者名"),
		C(3, 1, "見本 花子"), C(3, 2, "見本　花子"), C(4, 0, "屋号"), C(4, 1, "サンプル"),
		C(4, 2, "同左"), C(5, 0, "電話番号"), C(5, 1, "03-0000-1111"), C(5, 2, "06-0000-2222"),
		C(6, 0, "URL"), C(6, 1, ""), C(6, 2, "変更無し")};
	struct sheet sheet = READ(cells);
	assert_int_equal(sheet.kind, SHEET_CHANGE);
	assert_int_equal(sheet.change_count, 1);
	assert_string_equal(sheet.change[0].item, "電話番号");
	assert_string_equal(sheet.doubt, "");
}

/* 旧 and 新 say what changes when both are mail addresses. */
static void test_sheet__changes_of_an_address(void **state)
{
	(void)state;
	struct sheet sheet;
	sheet_read_text(&sheet, "自己宣言ID：47258577930\n旧：a@example.co.jp\n新：b@example.co.jp\n", pool);
	assert_int_equal(sheet.change_count, 1);
	assert_string_equal(sheet.change[0].item, "メールアドレス");
	sheet_read_text(&sheet, "自己宣言ID：47258577930\n旧：株式会社見本\n新：株式会社サンプル\n", pool);
	assert_string_equal(sheet.change[0].item, "");
	/* A second pair is a change of its own. */
	sheet_read_text(&sheet,
		"変更前：a@example.co.jp\n変更後：b@example.co.jp\n変更前：03-0000-1111\n変更後：06-0000-"
		"2222\n",
		pool);
	assert_int_equal(sheet.change_count, 2);
	assert_string_equal(sheet.change[0].new_value, "b@example.co.jp");
}

static void test_sheet__what_libreoffice_repeats(void **state)
{
	(void)state;
	static const struct doc_cell cells[] = {P("様式B-3"), C(0, 0, "自己宣言ID"), C(0, 1, "47258577930"),
		C(1, 0, "事業者名"), C(1, 1, "有限会社うさぎ有限会社うさぎ有限会社うさぎ有限会社うさぎ"),
		C(2, 0, "代表者"), C(2, 1, "みなみ")};
	struct sheet sheet = READ(cells);
	assert_string_equal(sheet.business_name, "有限会社うさぎ");
	assert_string_equal(sheet.representative, "みなみ");
}

/* ---- running text ---- */

/* 連絡先 is a mail address when one stands there, and nothing otherwise. */
static void test_sheet__reach_by_its_value(void **state)
{
	(void)state;
	struct sheet sheet;
	sheet_read_text(&sheet, "自己宣言ID：47258577930\nご連絡先：03-0000-1111 / a@example.co.jp\n", pool);
	assert_string_equal(sheet.mail, "a@example.co.jp");
	sheet_read_text(&sheet, "自己宣言ID：47258577930\n連絡先\n03-0000-1111\n", pool);
	assert_string_equal(sheet.mail, "");
	sheet_read_text(&sheet, "ご連絡先：03-0000-1111\nメール：b@example.co.jp\n", pool);
	assert_string_equal(sheet.mail, "b@example.co.jp");
	sheet_read_text(&sheet, "ご連絡先：a@example.co.jp\nメールアドレス：b@example.co.jp\n", pool);
	assert_string_equal(sheet.mail, "b@example.co.jp");
}

static void test_sheet__ornaments_around_labels(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"●自己宣言ID●\n47258577930\n\n●事業者名●\n株式会社サンプル\n\n●使用中止日●\n2026年8月20日\n",
		"（自己宣言ID）47258577930\n（事業者名）株式会社サンプル\n（使用中止日）2026年8月20日\n",
		"自己宣言ID「47258577930」\n事業者名「株式会社サンプル」\n使用中止日「2026年8月20日」\n",
		"\"自己宣言ID\",\"47258577930\"\n\"事業者名\",\"株式会社サンプル\"\n\"使用中止日\",\"2026/8/"
		"20\"\n",
		"自己宣言ID.......47258577930\n事業者名........株式会社サンプル\n使用中止日....2026.8.20\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sheet sheet;
		sheet_read_text(&sheet, texts[i], pool);
		assert_string_equal(sheet.declaration_id, "47258577930");
		assert_string_equal(sheet.business_name, "株式会社サンプル");
		assert_int_equal(sheet.stop_on, civil_from_ymd(2026, 8, 20));
	}
}

/* Tables drawn with lines: the border belongs to no value. */
static void test_sheet__drawn_tables(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"┏━━━━┳━━━━━━┓\n┃自己宣言ＩＤ　┃４７２５８５７７９３０　　┃\n┣━━━━╋━━━━━━┫\n┃事業者名　　　┃"
		"株式会社サンプル　　┃\n"
		"┃使用中止日　　┃令和８年８月２０日　┃\n┃中止理由　　　┃使わなくなった　　　┃\n┃　　　　　　"
		"　┃ため　　　　　　　　┃\n┗━━━━┻━━━━━━┛\n",
		"┌──┬──┐\n│自己宣言ID│47258577930│\n├──┼──┤\n│事業者名│株式会社サンプル│\n├──┼──┤\n│使用中止"
		"日│2026年8月20日│\n"
		"├──┼──┤\n│中止理由│使わなくなったため│\n├──┼──┤\n",
		"| 項目 | 内容 |\n|---|---|\n| 自己宣言ID | 47258577930 |\n| 事業者名 | 株式会社サンプル "
		"|\n| 使用中止日 | 2026/8/20 |\n| 中止理由 | "
		"使わなくなったため |\n",
		"+------+------+\n| 自己宣言ID | 47258577930 |\n+------+------+\n| 事業者名 | "
		"株式会社サンプル |\n+------+------+\n| 使用中止日 | "
		"2026/8/20 |\n+------+------+\n",
		"| 自己宣言ID | 事業者名 | 使用中止日 |\n|:---|:---|---:|\n| 47258577930 | 株式会社サンプル "
		"| 2026/8/20 |\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sheet sheet;
		sheet_read_text(&sheet, texts[i], pool);
		assert_int_equal(sheet.kind, SHEET_STOP);
		assert_string_equal(sheet.declaration_id, "47258577930");
		assert_string_equal(sheet.business_name, "株式会社サンプル");
		assert_int_equal(sheet.stop_on, civil_from_ymd(2026, 8, 20));
		if (i == 0)
			assert_string_equal(sheet.reason, "使わなくなった\nため");
	}
	struct sheet sheet;
	sheet_read_text(&sheet,
		"自己宣言ID：47258577930\n┌──┬──┬──┐\n│変更項目│変更前│変更後│\n├──┼──┼──┤\n│電話番号│03-"
		"0000-1111│06-0000-2222│\n└──┴──┴──┘\n",
		pool);
	assert_int_equal(sheet.change_count, 1);
	assert_string_equal(sheet.change[0].item, "電話番号");
	assert_string_equal(sheet.change[0].new_value, "06-0000-2222");
	/* A signature between lines is no table. */
	sheet_read_text(&sheet, "| 株式会社サンプル | 総務部 |\n| TEL | 03-0000-1111 |\n", pool);
	assert_string_equal(sheet.contact, "");
}

/* A row of labels, and the values below: what a page's table becomes. */
static void test_sheet__rows_of_labels(void **state)
{
	(void)state;
	static const char *const texts[] = {"自己宣言ID\t事業者名\t代表者名\t使用中止日\t理由\n47258577930\t"
					    "株式会社 サンプル\t見本 花子\t2026/8/20\t閉鎖\n",
		"自己宣言ID 事業者名 代表者名 使用中止日 理由\n47258577930 株式会社　サンプル 見本　花子 "
		"2026/8/20 閉鎖\n"};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct sheet sheet;
		sheet_read_text(&sheet, texts[i], pool);
		assert_string_equal(sheet.declaration_id, "47258577930");
		assert_string_equal(sheet.representative, i ? "見本　花子" : "見本 花子");
		assert_int_equal(sheet.stop_on, civil_from_ymd(2026, 8, 20));
		assert_string_equal(sheet.reason, "閉鎖");
	}
	/* Blanks that part names as well part no cells. */
	struct sheet sheet;
	sheet_read_text(&sheet,
		"自己宣言ID 事業者名 代表者名 担当者名 使用中止日\n47258577930 サンプル 見本 花子 "
		"2026/8/20\n",
		pool);
	assert_string_equal(sheet.representative, "");
	assert_string_equal(sheet.contact, "");
	sheet_read_text(&sheet,
		"自己宣言ID 事業者名 代表者名 使用中止日 理由\n47258577930 サンプル 見本 花子 2026/8/20\n",
		pool);
	assert_string_equal(sheet.representative, "");
	sheet_read_text(&sheet,
		"変更項目\t変更前\t変更後\n電話番号\t03-0000-1111\t06-0000-"
		"2222\n所在地\t東京都港区1\t大阪府堺市2\n",
		pool);
	assert_int_equal(sheet.change_count, 2);
	assert_string_equal(sheet.change[1].new_value, "大阪府堺市2");
}

static void test_sheet__typed(void **state)
{
	(void)state;
	struct sheet sheet;
	sheet_read_text(&sheet,
		"担当者様\n\n使用中止をお願いします。\n\n"
		"□ 自己宣言 ID … 4725 857 7930\n□ 事業者名 … 株式会社サンプル\n□ 代表者 … 見本 花子\n□ "
		"担当者 … 見本 太郎\n"
		"□ E-mail … taro@sample.example.co.jp\n□ 使用中止日 … 2026-08-20\n□ 中止理由 … "
		"使わなくなったため。\nなお、印刷物は差し替えます。\n\nよろしくお願いします。\n",
		pool);
	assert_sample(&sheet);
	sheet_read_text(&sheet, "■自己宣言ID\n47258577930\n■事業者名\n株式会社サンプル\n", pool);
	assert_string_equal(sheet.declaration_id, "47258577930");
	assert_string_equal(sheet.business_name, "株式会社サンプル");
}

static void test_sheet__prose(void **state)
{
	(void)state;
	struct sheet sheet;
	sheet_read_text(&sheet,
		"弊社株式会社サンプルは自己宣言ID 47258577930 "
		"にて一つ星を宣言しておりますが、2026年8月20日で使用中止としたく申し込みます。代表者は見本 "
		"花子、担当は私見本 太郎です。",
		pool);
	assert_string_equal(sheet.declaration_id, "47258577930");
	assert_string_equal(sheet.business_name, "株式会社サンプル");
	assert_string_equal(sheet.representative, "見本 花子");
	assert_string_equal(sheet.contact, "見本 太郎");
	assert_int_equal(sheet.stop_on, civil_from_ymd(2026, 8, 20));
	sheet_read_text(&sheet,
		"和歌山県のサンプル医院（代表者：見本 "
		"かおり）です。自己宣言IDを忘れました。法人番号6999784963553",
		pool);
	assert_string_equal(sheet.declaration_id, "");
	assert_string_equal(sheet.prefecture, "和歌山県");
	assert_string_equal(sheet.business_name, "サンプル医院");
	assert_string_equal(sheet.representative, "見本 かおり");
	assert_string_equal(sheet.corporate_number, "6999784963553");
	sheet_read_text(&sheet, "令和8年（2026年）12月末をもってロゴマークの使用を中止いたします。", pool);
	assert_int_equal(sheet.stop_on, civil_from_ymd(2026, 12, 31));
	sheet_read_text(&sheet, "2026年12月末ごろに使用を中止いたします。", pool);
	assert_int_equal(sheet.stop_on, CIVIL_DAY_NONE);
	sheet_read_text(&sheet, "福岡", pool); /* and nothing else */
	assert_string_equal(sheet.prefecture, "福岡県");
	sheet_read_text(&sheet, "2025年5月1日に宣言しました。使用を中止します。お客様番号 4442216841", pool);
	assert_int_equal(sheet.stop_on, CIVIL_DAY_NONE);
	assert_string_equal(sheet.declaration_id, "");
}

static void test_sheet__who_introduces_himself(void **state)
{
	(void)state;
	static const struct {
		const char *text, *business_name;
	} cases[] = {
		{"お世話になっております。株式会社サンプルの見本と申します。", "株式会社サンプル"},
		{"お世話になります。\n株式会社 サンプル 総務部 見本 花子です。", "株式会社 サンプル"},
		{"北海道で農業を営んでおります農事組合法人みどりの里です。", "農事組合法人みどりの里"},
		{"東京都の合同会社みほんと申します。", "合同会社みほん"},
		{"ロゴの使用をやめます。\n\n有限会社例示（大阪府）\n見本 太郎", "有限会社例示"},
		{"独立行政法人情報処理推進機構 御中\n見本と申します。", ""},
		{"取引先の株式会社例示から聞きました。見本です。", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct sheet sheet;
		sheet_read_text(&sheet, cases[i].text, pool);
		assert_string_equal(sheet.business_name, cases[i].business_name);
		if (i == 0)
			assert_true(sheet.introduced);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_label__where_it_ends),
		cmocka_unit_test(test_label__titles_and_words),
		cmocka_unit_test(test_sheet__beside),
		cmocka_unit_test(test_sheet__above),
		cmocka_unit_test(test_sheet__head_of_columns),
		cmocka_unit_test(test_sheet__grid_and_groups),
		cmocka_unit_test(test_sheet__in_one_cell_and_paragraphs),
		cmocka_unit_test(test_sheet__days),
		cmocka_unit_test(test_sheet__ids_that_are_none),
		cmocka_unit_test(test_sheet__blank),
		cmocka_unit_test(test_sheet__changes),
		cmocka_unit_test(test_sheet__changes_ticked),
		cmocka_unit_test(test_sheet__changes_of_nothing),
		cmocka_unit_test(test_sheet__changes_of_an_address),
		cmocka_unit_test(test_sheet__what_libreoffice_repeats),
		cmocka_unit_test(test_sheet__reach_by_its_value),
		cmocka_unit_test(test_sheet__ornaments_around_labels),
		cmocka_unit_test(test_sheet__drawn_tables),
		cmocka_unit_test(test_sheet__rows_of_labels),
		cmocka_unit_test(test_sheet__typed),
		cmocka_unit_test(test_sheet__prose),
		cmocka_unit_test(test_sheet__who_introduces_himself),
	};
	return cmocka_run_group_tests(tests, make_pool, drop_pool);
}
