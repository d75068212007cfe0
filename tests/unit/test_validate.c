#include <jansson.h>
#include <stdio.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/form/number.h"
#include "tests/unit/form_rig.h"

static struct rig rig;

static int open_rig(void **state)
{
	(void)state;
	rig_open(&rig);
	return 0;
}

static int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	return 0;
}

struct value_case {
	enum form_field field;
	const char *value;
	const char *codes; /* what refuses (or is an injection), "" when valid */
	const char *canonical; /* NULL: not looked at */
};

static void check_cases(const struct value_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct rig_record *record = rig_one(&rig, cases[i].field, cases[i].value, FIELD_COUNT);
		const char *got = record->canonical.value[cases[i].field];
		bool same = !cases[i].canonical || strcmp(got ? got : "", cases[i].canonical) == 0;
		if (strcmp(record->codes, cases[i].codes) != 0 || !same)
			print_error("%s: codes \"%s\", canonical \"%s\"\n", cases[i].value, record->codes,
				got ? got : "(null)");
		assert_string_equal(record->codes, cases[i].codes);
		assert_true(same);
	}
}
#define CHECK(cases) check_cases(cases, sizeof(cases) / sizeof *(cases))

static void test_validate__a_good_form(void **state)
{
	(void)state;
	const struct rig_record *record = rig_one(&rig, FIELD_COUNT);
	assert_string_equal(record->codes, "");
	assert_int_equal(record->findings.count, 0);
	assert_false(findings_refuse(&record->findings));
	assert_false(findings_review(&record->findings));
	assert_string_equal(record->canonical.value[FIELD_KIND], "new1");
	assert_string_equal(record->canonical.value[FIELD_TYPE], "corporation");
	assert_string_equal(record->canonical.value[FIELD_NEWS], "true");
	assert_string_equal(record->canonical.value[FIELD_CONTACT], "見本　陽菜");
	assert_string_equal(record->canonical.value[FIELD_APPLIED_ON], "2026-11-20");
	assert_string_equal(record->canonical.value[FIELD_TELEPHONE], "095-000-3308");
}

static void test_validate__required(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{FIELD_KIND, "", "required", NULL},
		{FIELD_PURPOSE, "", "required", NULL},
		{FIELD_PLEDGE, "", "pledge", NULL},
		{FIELD_CONTACT, "　", "required", NULL},
		{FIELD_MAIL, "", "required", NULL},
		{FIELD_MAIL_CONFIRM, "", "mail-confirm", NULL},
		{FIELD_TYPE, "", "required", NULL},
		{FIELD_CORPORATE_NUMBER, "", "corporate-number", NULL},
		{FIELD_BUSINESS_NAME, "", "required", NULL},
		{FIELD_FAMILY_NAME, "", "required", NULL},
		{FIELD_GIVEN_NAME, "", "required", NULL},
		{FIELD_PREFECTURE, "", "prefecture", NULL},
		{FIELD_PRIVACY, "", "consent", NULL},
		{FIELD_TERMS, "", "consent", NULL},
		{FIELD_POSTAL_CODE, "", "", ""},
		{FIELD_ADDRESS, "", "", ""},
		{FIELD_TELEPHONE, "", "", ""},
		{FIELD_EMPLOYEES, "", "", ""},
		{FIELD_INDUSTRY, "", "", ""},
		{FIELD_ASSOCIATION, "", "", ""},
		{FIELD_NEWS, "", "", "false"},
		{FIELD_APPLIED_ON, "", "", ""},
		{FIELD_SURVEY, "", "", ""},
	};
	CHECK(cases);
}

static void test_validate__choices(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{FIELD_KIND, "新規に【★★二つ星】を申し込む", "", "new2"},
		{FIELD_KIND, "三つ星", "choice", ""},
		{FIELD_KIND, "■新規に【★一つ星】を申し込む □新規に【★★二つ星】を申し込む", "", "new1"},
		{FIELD_KIND, "□一つ星 ☑二つ星", "", "new2"},
		{FIELD_KIND, "○一つ星 ●二つ星", "", "new2"},
		{FIELD_KIND, "□一つ星 □二つ星", "required", ""},
		{FIELD_KIND, "■一つ星 ■二つ星", "choice", ""},
		{FIELD_KIND, "一つ星\n二つ星", "choice", ""},
		{FIELD_KIND, "1. 新規に【★ひとつ星】を申し込みます", "", "new1"},
		{FIELD_KIND, "新規に【☆☆2つ星】を申込み", "", "new2"},
		{FIELD_KIND, "★一つ星から★★二つ星へ変更", "step-up", "step"}, /* without its ID */
		{FIELD_KIND, "新規に【★★★三つ星】を申し込む", "choice", ""},
		{FIELD_KIND, "新規に【★★一つ星】を申し込む", "choice", ""},
		{FIELD_KIND, "新規に【★二つ星】を申し込む", "choice", ""},
		{FIELD_KIND, "一つ星は申し込まない", "choice", ""},
		{FIELD_KIND, "新規に【★一つ星】を申し込む、新規に【★★二つ星】を申し込む", "choice", ""},
		{FIELD_PURPOSE, "その他", "", "other"},
		{FIELD_PURPOSE, "取引先からの信頼性を高めるため、自社の経営層・従業員の意識を高めるため", "",
			"trust、awareness"},
		{FIELD_PURPOSE, "もうけるため", "choice", ""},
		{FIELD_PURPOSE, "その他（親会社の指示）", "", "other"},
		{FIELD_TYPE, "個人", "", "sole"},
		{FIELD_TYPE, "法人（株式会社等）", "", "corporation"},
		{FIELD_TYPE, "法人・個人事業主", "choice", ""},
		{FIELD_TYPE, "株式会社", "choice", ""},
		{FIELD_NEWS, "希望しない", "", "false"},
		{FIELD_NEWS, "必要", "", "true"},
		{FIELD_NEWS, "希望する（しない）", "choice", ""},
		{FIELD_NEWS, "○", "", "true"},
		{FIELD_NEWS, "■", "", "true"},
		{FIELD_NEWS, "□希望する", "", "false"},
		{FIELD_NEWS, "たぶん", "choice", ""},
		{FIELD_PLEDGE, "誓約します", "", "yes"},
		{FIELD_PLEDGE, "誓約しない", "pledge", ""},
		{FIELD_PLEDGE, "いいえ", "pledge", ""},
		{FIELD_PLEDGE, "□誓約する", "pledge", ""},
		{FIELD_PLEDGE, "□誓約する ■誓約しない", "pledge", ""},
		{FIELD_PLEDGE, "誓約する\n誓約しない", "pledge", ""},
		{FIELD_PLEDGE, "誓約する（一部を除く）", "pledge", ""},
		{FIELD_PRIVACY, "同意します", "", "yes"},
		{FIELD_PRIVACY, "同意しない", "consent", ""},
		{FIELD_TERMS, "未同意", "consent", ""},
		{FIELD_INDUSTRY, "農業\n林業", "", NULL},
		{FIELD_INDUSTRY, "農業 / 水産養殖業", "", "農業、水産養殖業"},
		{FIELD_INDUSTRY, "鉱業、採石業、砂利採取業、林業", "", "鉱業，採石業，砂利採取業、林業"},
		{FIELD_INDUSTRY, "製造業", "", "製造業"},
		{FIELD_INDUSTRY, "ソフトウェア開発", "", "ソフトウェア開発"},
		{FIELD_INDUSTRY, "あいうえお", "choice", ""},
		{FIELD_INDUSTRY, "12345", "choice", ""},
		{FIELD_ASSOCIATION, "所属していない", "", "none"},
		{FIELD_ASSOCIATION, "例示青年会議所", "", "例示青年会議所"},
		{FIELD_SURVEY, "取引先が宣言していた、取引先から宣言を勧められた", "", "partner"},
		{FIELD_SURVEY,
			"取引先が宣言していた、取引先から宣言を勧められた、補助金を申請する際の要件となってい"
			"た",
			"", "partner、subsidy"},
		{FIELD_SURVEY, "チラシを見て", "", "チラシを見て"},
	};
	CHECK(cases);
}

static void test_validate__corporate_number(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{FIELD_CORPORATE_NUMBER, "T2999046046739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "t 2-9990-4604-6739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "２９９９０４６０４６７３９", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "2 9990 4604 6739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "2－9990−4604‐6739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "'2999046046739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "2999046046739.0", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "2,999,046,046,739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "=\"2999046046739\"", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "法人番号：2999046046739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "登録番号 T2999046046739", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "\u202d29990\u200b46046739\u202c", "", "2999046046739"},
		{FIELD_CORPORATE_NUMBER, "2,99,9046046739", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "2999046046739/4011001098993", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "2999046046738", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "9299046046739", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "299904604673", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "29990460467390", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "2.99905E+12", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "2.99905e+12", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "#########", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "申請中", "corporate-number", ""},
		{FIELD_CORPORATE_NUMBER, "2999046046739\n", "", "2999046046739"},
	};
	CHECK(cases);
	const struct rig_record *record = rig_one(&rig, FIELD_CORPORATE_NUMBER, "9.99953E+12", FIELD_COUNT);
	const struct finding *finding = rig_xfinding(record, FINDING_CORPORATE_NUMBER);
	assert_non_null(strstr(finding->message_ja, "指数"));
	assert_string_equal(finding->value, "9.99953E+12");

	/* A sole proprietor has none; one that was filled in is noted and not used. */
	record = rig_one(&rig, FIELD_TYPE, "個人事業主", FIELD_COUNT);
	assert_string_equal(record->codes, "");
	assert_null(record->canonical.value[FIELD_CORPORATE_NUMBER]);
	assert_int_equal(rig_xfinding(record, FINDING_CORPORATE_NUMBER)->severity, SEVERITY_NOTE);
	record = rig_one(&rig, FIELD_TYPE, "個人事業主", FIELD_CORPORATE_NUMBER, "", FIELD_COUNT);
	assert_int_equal(record->findings.count, 0);
	record = rig_one(&rig, FIELD_TYPE, "個人事業主", FIELD_CORPORATE_NUMBER, "なし", FIELD_COUNT);
	assert_int_equal(record->findings.count, 0);
	/* A type that is wrong is one thing to mend, not two. */
	record = rig_one(&rig, FIELD_TYPE, "その他", FIELD_CORPORATE_NUMBER, "1", FIELD_COUNT);
	assert_string_equal(record->codes, "choice");
}

static void test_validate__check_digit(void **state)
{
	(void)state;
	static const char *const good[] = {"4011001098993", "7010705000725", "7123456789012"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		assert_true(corporate_number_valid(good[i]));
		/* Every single wrong digit is caught, but for 0 and 9 taken for each other. */
		for (int at = 0; at < 13; at++) {
			for (char c = '0'; c <= '9'; c++) {
				char wrong[14];
				strcpy(wrong, good[i]);
				bool same =
					wrong[at] == c || (at > 0 && (wrong[at] == '0' || wrong[at] == '9') &&
								  (c == '0' || c == '9'));
				wrong[at] = c;
				assert_int_equal(corporate_number_valid(wrong), same);
			}
		}
	}
	assert_false(corporate_number_valid(""));
	assert_false(corporate_number_valid("401100109899"));
	assert_false(corporate_number_valid("40110010989930"));
}

static void test_validate__mail(void **state)
{
	(void)state;
	static const struct {
		const char *mail, *confirm, *codes;
	} cases[] = {
		{"mihon@example.co.jp", "mihon@example.co.jp", ""},
		{"Mihon@Example.co.jp", "mihon@example.co.jp", ""},
		{"ｍｉｈｏｎ＠example.co.jp", "mihon@example.co.jp ", ""},
		{"a..b.@docomo.ne.jp", "a..b.@docomo.ne.jp", ""},
		{"mihon@example.co.jp", "mihom@example.co.jp", "mail-confirm"},
		{"mihon@example.co.jp", "mihon", "mail-confirm"},
		{"mihon@example", "mihon@example", "mail"}, /* the same fault in both cells is one */
		{"mihon.example.co.jp", "mihon@example.co.jp", "mail"},
		{"a@example.jp,b@example.jp", "a@example.jp,b@example.jp", "mail"},
		{"a@example.jp b@example.jp", "a@example.jp b@example.jp", "mail"},
		{"a@example.jp\r\nBcc: b@example.jp", "a@example.jp\r\nBcc: b@example.jp", "mail"},
		{"見本 <a@example.jp>", "見本 <a@example.jp>", "mail"},
		{"a@[192.0.2.1]", "a@[192.0.2.1]", "mail"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rig_record *record = rig_one(
			&rig, FIELD_MAIL, cases[i].mail, FIELD_MAIL_CONFIRM, cases[i].confirm, FIELD_COUNT);
		if (strcmp(record->codes, cases[i].codes) != 0)
			print_error("%s: %s\n", cases[i].mail, record->codes);
		assert_string_equal(record->codes, cases[i].codes);
	}
	assert_string_equal(rig_one(&rig, FIELD_MAIL, "a..b.@docomo.ne.jp", FIELD_MAIL_CONFIRM,
				    "a..b.@docomo.ne.jp", FIELD_COUNT)
				    ->canonical.value[FIELD_MAIL],
		"a..b.@docomo.ne.jp");
	/* An export without the second column can't be compared; that is no fault of the applicant's. */
	rig_readz(&rig, "{\"mail\": \"a@example.jp\"}");
	assert_null(strstr(rig.record[0].codes, "mail"));
	assert_int_equal(rig_xfinding(&rig.record[0], FINDING_MAIL_CONFIRM)->severity, SEVERITY_NOTE);
}

static void test_validate__prefecture(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{FIELD_PREFECTURE, "東京", "", "東京都"},
		{FIELD_PREFECTURE, "京都", "", "京都府"},
		{FIELD_PREFECTURE, " 北 海 道 ", "", "北海道"},
		{FIELD_PREFECTURE, "東京都千代田区", "", "東京都"},
		{FIELD_PREFECTURE, "京都府京都市", "", "京都府"},
		{FIELD_PREFECTURE, "東京都府中市", "", "東京都"},
		{FIELD_PREFECTURE, "13 東京都", "", "東京都"},
		{FIELD_PREFECTURE, "26:京都府", "", "京都府"},
		{FIELD_PREFECTURE, "13", "prefecture", ""},
		{FIELD_PREFECTURE, "東京都・大阪府", "prefecture", ""},
		{FIELD_PREFECTURE, "大阪県", "prefecture", ""},
		{FIELD_PREFECTURE, "江戸", "prefecture", ""},
		{FIELD_PREFECTURE, "東京府", "prefecture", ""},
		{FIELD_PREFECTURE, "Tokyo", "prefecture", ""},
		{FIELD_PREFECTURE, "選択してください", "prefecture", ""},
	};
	CHECK(cases);
	/* Left empty, but the address begins with it: one reading only. */
	const struct rig_record *record =
		rig_one(&rig, FIELD_PREFECTURE, "", FIELD_ADDRESS, "神奈川県例示市1-2", FIELD_COUNT);
	assert_string_equal(record->codes, "");
	assert_string_equal(record->canonical.value[FIELD_PREFECTURE], "神奈川県");
	assert_int_equal(rig_xfinding(record, FINDING_PREFECTURE)->severity, SEVERITY_NOTE);
	record = rig_one(&rig, FIELD_PREFECTURE, "", FIELD_ADDRESS, "京都市例示区1-2", FIELD_COUNT);
	assert_string_equal(record->codes, "prefecture");
}

static void test_validate__numbers_that_excel_touched(void **state)
{
	(void)state;
	static const struct {
		const char *postal, *prefecture, *telephone;
		const char *codes, *postal_read, *telephone_read;
		size_t notes;
	} cases[] = {
		{"850-0001", "長崎県", "095-000-3308", "", "850-0001", "095-000-3308", 0},
		{"8500001", "長崎県", "0950003308", "", "850-0001", "095-000-3308", 0},
		{"〒850-0001", "長崎県", "TEL 0950003308", "", "850-0001", "095-000-3308", 0},
		{"８５０－０００１", "長崎県", "０３−１２３４−５６７８", "", "850-0001", "03-1234-5678", 0},
		{"8500001.0", "長崎県", "0312345678", "", "850-0001", "03-1234-5678", 0},
		/* lost zeros: the postal code only where the prefecture leaves one reading, a telephone number always */
		{"100001", "秋田県", "312345678", "", "010-0001", "03-1234-5678", 2},
		{"600001", "北海道", "9012345678", "", "060-0001", "090-1234-5678", 2},
		{"10001", "北海道", "120123456", "", "001-0001", "0120-123-456", 2},
		{"253646", "神奈川県", "9200003173", "", "253646", "092-0000-3173", 2},
		/* as people write */
		{"850-0001", "長崎県", "095(000)3308", "", "850-0001", "095-000-3308", 0},
		{"850-0001", "長崎県", "+81-95-000-3308", "", "850-0001", "095-000-3308", 0},
		{"850-0001", "長崎県", "+81 (0)90 1234 5678", "", "850-0001", "090-1234-5678", 0},
		{"850-0001", "長崎県", "03-1234-5678 内線12", "", "850-0001", "03-1234-5678", 0},
		{"850-0001", "長崎県", "03-1234-5678/090-1234-5678", "", "850-0001", "03-1234-5678", 0},
		{"850-0001", "長崎県", "0428-12-3456", "", "850-0001", "0428-12-3456", 0},
		{"なし", "長崎県", "なし", "", "", "", 0},
		/* lost for good, or nothing that could be one: kept as written, since nothing hangs on them */
		{"8.5E+06", "長崎県", "095-000-3308", "", "8.5E+06", "095-000-3308", 1},
		{"12345678", "長崎県", "095-000-3308", "", "12345678", "095-000-3308", 1},
		{"850-0001", "長崎県", "9.5E+08", "", "850-0001", "9.5E+08", 1},
		{"850-0001", "長崎県", "12345", "", "850-0001", "12345", 1},
		{"850-0001", "長崎県", "0120-0000-1234", "", "850-0001", "0120-0000-1234", 1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rig_record *record =
			rig_one(&rig, FIELD_POSTAL_CODE, cases[i].postal, FIELD_PREFECTURE,
				cases[i].prefecture, FIELD_TELEPHONE, cases[i].telephone, FIELD_COUNT);
		const char *postal = record->canonical.value[FIELD_POSTAL_CODE],
			   *telephone = record->canonical.value[FIELD_TELEPHONE];
		if (strcmp(record->codes, cases[i].codes) != 0)
			print_error("%s %s: %s\n", cases[i].postal, cases[i].telephone, record->codes);
		assert_string_equal(record->codes, cases[i].codes);
		assert_string_equal(postal ? postal : "", cases[i].postal_read);
		assert_string_equal(telephone ? telephone : "", cases[i].telephone_read);
		if (!*cases[i].codes)
			assert_int_equal(record->findings.count, cases[i].notes);
	}
	const struct rig_record *record = rig_one(&rig, FIELD_EMPLOYEES, "1月5日", FIELD_COUNT);
	assert_int_equal(rig_xfinding(record, FINDING_DAMAGE)->severity, SEVERITY_NOTE);
	assert_string_equal(
		rig_one(&rig, FIELD_EMPLOYEES, "35.0", FIELD_COUNT)->canonical.value[FIELD_EMPLOYEES], "35");
	assert_string_equal(
		rig_one(&rig, FIELD_EMPLOYEES, "6～20名", FIELD_COUNT)->canonical.value[FIELD_EMPLOYEES],
		"6～20名");
}

static void test_validate__injection(void **state)
{
	(void)state;
	static const struct value_case cases[] = {
		{FIELD_BUSINESS_NAME, "株式会社サンプル\r\nBcc: x@example.com", "injection", NULL},
		{FIELD_BUSINESS_NAME, "株式会社サンプル\n東京支店", "injection", NULL},
		{FIELD_BUSINESS_NAME, "株式会社\xE2\x80\xA8サンプル", "injection", NULL},
		{FIELD_BUSINESS_NAME, "株式会社\x1b[2Jサンプル", "injection", NULL},
		{FIELD_BUSINESS_NAME, "株式会社\xE2\x80\xAEサンプル", "injection", NULL},
		{FIELD_BUSINESS_NAME, "当選 http://example.com/win", "injection", NULL},
		{FIELD_BUSINESS_NAME, "当選 ｈｔｔｐｓ：／／example.com", "injection", NULL},
		{FIELD_BUSINESS_NAME, "www.example.com で検索", "injection", NULL},
		{FIELD_BUSINESS_NAME, "サンプル Bcc: 見本", "injection", NULL},
		{FIELD_BUSINESS_NAME, "サンプル%0d%0aBcc", "injection", NULL},
		{FIELD_BUSINESS_NAME, "サンプル\\r\\nTo", "injection", NULL},
		{FIELD_BUSINESS_NAME, "{{user_number}}", "injection", NULL},
		{FIELD_BUSINESS_NAME, "<script>alert(1)</script>", "injection", NULL},
		{FIELD_BUSINESS_NAME, "=cmd|' /C calc'!A0", "injection", NULL},
		{FIELD_CONTACT, "victim@example.com", "injection", NULL},
		{FIELD_FAMILY_NAME, "見本\n", "", "見本"}, /* trimmed at the door */
		{FIELD_GIVEN_NAME, "陽\n菜", "injection", NULL},
		{FIELD_CONTACT, "見本\t陽菜", "", "見本 陽菜"},
		{FIELD_ADDRESS, "例示市1-2\nビル3F", "", "例示市1-2 ビル3F"},
		{FIELD_ADDRESS, "例示市 http://example.com/", "injection", NULL},
		{FIELD_TELEPHONE, "12345\r\nBcc: x@example.com", "injection", NULL},
		{FIELD_TELEPHONE, "03-1234-5678\r\nBcc: x@example.com", "injection", NULL},
		{FIELD_TELEPHONE, "03-1234-5678\n090-1234-5678", "", "03-1234-5678 090-1234-5678"},
		{FIELD_POSTAL_CODE, "850-0001 http://example.com/", "injection", NULL},
		{FIELD_PREFECTURE, "東京都\r\nBcc: x@example.com", "injection", ""},
		/* names that only look odd */
		{FIELD_BUSINESS_NAME, "株式会社A&B Co., Ltd.", "", NULL},
		{FIELD_BUSINESS_NAME, "(株)サンプル", "", NULL},
		{FIELD_BUSINESS_NAME, "カフェ＠サンプル", "", NULL},
		{FIELD_BUSINESS_NAME, "サンプル.com株式会社", "", NULL},
		{FIELD_BUSINESS_NAME, "1/2サンプル", "", NULL},
		{FIELD_BUSINESS_NAME, "サンプル:商店", "", NULL},
		{FIELD_BUSINESS_NAME, "-サンプル-", "", NULL},
		{FIELD_BUSINESS_NAME, "'90s カフェ", "", "'90s カフェ"},
		{FIELD_BUSINESS_NAME, "'=サンプル=", "", "=サンプル="},
		{FIELD_FAMILY_NAME, "葛\xF3\xA0\x84\x80西", "", NULL}, /* a variation selector */
	};
	CHECK(cases);
	const struct rig_record *record = rig_one(&rig, FIELD_BUSINESS_NAME, "a\nb", FIELD_COUNT);
	assert_int_equal(rig_xfinding(record, FINDING_INJECTION)->severity, SEVERITY_REVIEW);
	assert_true(findings_review(&record->findings));
	assert_false(findings_refuse(&record->findings));
	assert_null(strchr(rig_xfinding(record, FINDING_INJECTION)->value, '\n'));
}

static void test_validate__lost_characters(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		bool lost;
	} cases[] = {{"?橋商店", true}, {"〓田商店", true}, {"見??", true}, {"Who?", false}, {"見本", false},
		{"ホワット?", false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rig_record *record =
			rig_one(&rig, FIELD_BUSINESS_NAME, cases[i].name, FIELD_COUNT);
		assert_string_equal(record->codes, "");
		assert_int_equal(rig_finding(record, FINDING_DAMAGE) != NULL, cases[i].lost);
		assert_int_equal(findings_review(&record->findings), cases[i].lost);
	}
}

static void test_validate__dates(void **state)
{
	(void)state;
	static const struct {
		const char *value, *canonical;
		int code, severity; /* code -1: no finding */
	} cases[] = {
		{"2026/11/22", "2026-11-22", -1, 0},
		{"2026年11月8日", "2026-11-08", -1, 0},
		{"令和8年11月20日", "2026-11-20", -1, 0},
		{"2026-11-20 10:23:45", "2026-11-20", -1, 0},
		{"46346", "2026-11-20", FINDING_DATE, SEVERITY_NOTE},
		{"46346.5", "2026-11-20", FINDING_DATE, SEVERITY_NOTE},
		{"2026/11/23", "2026-11-23", FINDING_DATE, SEVERITY_NOTE},
		{"2026/11/7", "2026-11-07", FINDING_BACKDATE, SEVERITY_REVIEW},
		{"11/20", "", FINDING_DATE, SEVERITY_REVIEW},
		{"2026/2/30", "", FINDING_DATE, SEVERITY_REVIEW},
		{"きのう", "", FINDING_DATE, SEVERITY_REVIEW},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rig_record *record =
			rig_one(&rig, FIELD_APPLIED_ON, cases[i].value, FIELD_COUNT);
		const char *got = record->canonical.value[FIELD_APPLIED_ON];
		assert_string_equal(record->codes, "");
		assert_string_equal(got ? got : "", cases[i].canonical);
		assert_int_equal(record->findings.count, cases[i].code >= 0);
		if (cases[i].code >= 0) {
			assert_int_equal(record->findings.item[0].code, cases[i].code);
			assert_int_equal(record->findings.item[0].severity, cases[i].severity);
		}
	}
}

static void test_validate__declaration_id(void **state)
{
	(void)state;
	static const struct {
		const char *kind, *id, *codes, *canonical;
	} cases[] = {
		{"★→★★", "46837431276", "", "46837431276"},
		{"★→★★", "４６８３７４３１２７", "", "4683743127"},
		{"★→★★", "ID: 4683-7431-276", "", "46837431276"},
		{"★→★★", "自己宣言ID：46837431276", "", "46837431276"},
		{"★→★★", "", "step-up", ""},
		{"★→★★", "9035489508", "step-up", ""}, /* a user number */
		{"★→★★", "4.68374E+10", "step-up", ""},
		{"★→★★", "468374312761", "step-up", ""},
		{"★→★★", "2999046046739", "step-up", ""},
		{"★", "", "", ""},
		{"★", "なし", "", ""},
		{"★", "12345", "", ""}, /* noted, not used */
		{"★", "46837431276", "", "46837431276"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct rig_record *record = rig_one(
			&rig, FIELD_KIND, cases[i].kind, FIELD_DECLARATION_ID, cases[i].id, FIELD_COUNT);
		const char *got = record->canonical.value[FIELD_DECLARATION_ID];
		assert_string_equal(record->codes, cases[i].codes);
		assert_string_equal(got ? got : "", cases[i].canonical);
	}
}

static void test_validate__lengths_and_versions(void **state)
{
	(void)state;
	struct str name = STR_INIT;
	for (int i = 0; i < 201; i++)
		str_addz(&name, "例");
	assert_string_equal(rig_one(&rig, FIELD_BUSINESS_NAME, name.s, FIELD_COUNT)->codes, "length");
	str_cut(&name, name.len - 3);
	assert_string_equal(rig_one(&rig, FIELD_BUSINESS_NAME, name.s, FIELD_COUNT)->codes, "");
	/* What is shown of a value is short. */
	const struct rig_record *record = rig_one(&rig, FIELD_PREFECTURE, name.s, FIELD_COUNT);
	assert_true(strlen(rig_xfinding(record, FINDING_PREFECTURE)->value) < 200);
	str_free(&name);

	rig.rules.terms_version = "2023-03-01";
	rig_readz(&rig, "{\"使用規約の版\": \"2018-07-03\"}");
	assert_non_null(rig_finding(&rig.record[0], FINDING_CONSENT));
	bool reviewed = false;
	for (size_t i = 0; i < rig.record[0].findings.count; i++)
		reviewed |= rig.record[0].findings.item[i].field == FIELD_TERMS_VERSION &&
			    rig.record[0].findings.item[i].severity == SEVERITY_REVIEW;
	assert_true(reviewed);
	rig_readz(&rig, "{\"使用規約の版\": \"令和5年3月1日\", \"terms\": true, \"privacy\": true}");
	assert_null(rig_finding(&rig.record[0], FINDING_CONSENT));
	rig.rules.terms_version = "";
}

static void test_validate__gbiz(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool found;
	} cases[] = {{"{\"gbiz\": \"プライム\"}", false}, {"{\"gbiz\": \"gBizIDメンバー\"}", false},
		{"{\"gbiz\": \"エントリー\"}", true}, {"{\"kind\": \"new1\"}", true}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		rig.rules.want_gbiz = true;
		rig_readz(&rig, cases[i].json);
		assert_int_equal(rig_finding(&rig.record[0], FINDING_GBIZ) != NULL, cases[i].found);
		rig.rules.want_gbiz = false;
		rig_readz(&rig, cases[i].json);
		assert_null(rig_finding(&rig.record[0], FINDING_GBIZ));
	}
}

/* Facilities apply as 個人事業主 with the company as family name and the facility as given name. */
static void test_validate__facilities(void **state)
{
	(void)state;
	const struct rig_record *record = rig_one(&rig, FIELD_TYPE, "個人事業主", FIELD_CORPORATE_NUMBER, "",
		FIELD_FAMILY_NAME, "社会福祉法人例示会", FIELD_GIVEN_NAME, "デイサービスみほん", FIELD_COUNT);
	assert_int_equal(record->findings.count, 0);
}

static void test_validate__keys(void **state)
{
	(void)state;
	struct form_values a = {{NULL}}, b = {{NULL}};
	a.value[FIELD_TYPE] = "corporation";
	a.value[FIELD_CORPORATE_NUMBER] = "2999046046739";
	assert_string_equal(applicant_key(&a, rig.pool), "c:2999046046739");
	a.value[FIELD_TYPE] = b.value[FIELD_TYPE] = "sole";
	a.value[FIELD_BUSINESS_NAME] = "㈱髙橋商店";
	b.value[FIELD_BUSINESS_NAME] = "株式会社 高橋商店";
	a.value[FIELD_FAMILY_NAME] = "見本";
	a.value[FIELD_GIVEN_NAME] = "陽菜";
	b.value[FIELD_FAMILY_NAME] = "見本陽菜"; /* from one column */
	a.value[FIELD_PREFECTURE] = b.value[FIELD_PREFECTURE] = "東京都";
	a.value[FIELD_ADDRESS] = "千代田区１－２";
	b.value[FIELD_ADDRESS] = "千代田区1-2";
	assert_string_equal(applicant_key(&a, rig.pool), applicant_key(&b, rig.pool));
	b.value[FIELD_ADDRESS] = "千代田区1-3";
	assert_string_not_equal(applicant_key(&a, rig.pool), applicant_key(&b, rig.pool));

	uint8_t one[SHA256_LEN], two[SHA256_LEN];
	b = a;
	form_row_digest(one, &a);
	form_row_digest(two, &b);
	assert_memory_equal(one, two, SHA256_LEN);
	b.value[FIELD_SURVEY] = ""; /* empty is absent */
	form_row_digest(two, &b);
	assert_memory_equal(one, two, SHA256_LEN);
	b.value[FIELD_APPLIED_ON] = "2026-11-22";
	form_row_digest(two, &b);
	assert_memory_not_equal(one, two, SHA256_LEN);
	/* A value can't be shifted into its neighbour. */
	a.value[FIELD_CONTACT] = "x\nmail 1:y";
	b = a;
	b.value[FIELD_CONTACT] = "x";
	b.value[FIELD_MAIL] = "y";
	form_row_digest(one, &a);
	form_row_digest(two, &b);
	assert_memory_not_equal(one, two, SHA256_LEN);
}

/* ---- against a register ---- */

static struct {
	int64_t live, declaration_id, star1;
	bool same_row;
	int businesses;
	char key[100];
	int64_t asked_id;
	enum step_up step_up;
} office;

static int64_t fake_live(
	void *ctx, const char *key, const uint8_t digest[SHA256_LEN], int64_t *declaration_id, bool *same_row)
{
	(void)ctx;
	(void)digest;
	(void)snprintf(office.key, sizeof office.key, "%s", key);
	*declaration_id = office.declaration_id;
	*same_row = office.same_row;
	return office.live;
}

static int64_t fake_star1(void *ctx, const char *key, int64_t declaration_id)
{
	(void)ctx;
	(void)key;
	office.asked_id = declaration_id;
	return office.star1;
}

static enum step_up fake_step_up(void *ctx, int64_t application_id)
{
	(void)ctx;
	assert_int_equal(application_id, office.star1);
	return office.step_up;
}

static int fake_businesses(void *ctx, const char *mail_key, const char *key)
{
	(void)ctx;
	(void)key;
	assert_string_equal(mail_key, "mihon@example.co.jp");
	return office.businesses;
}

static void test_validate__register(void **state)
{
	(void)state;
	struct registry registry = {.live = fake_live,
		.live_star1 = fake_star1,
		.step_up = fake_step_up,
		.businesses_of_mail = fake_businesses};
	rig.registry = &registry;

	memset(&office, 0, sizeof office);
	assert_string_equal(rig_one(&rig, FIELD_COUNT)->codes, "");
	assert_string_equal(office.key, "c:2999046046739");

	office.live = 7;
	office.declaration_id = 46837431276;
	const struct rig_record *record = rig_one(&rig, FIELD_COUNT);
	assert_string_equal(record->codes, "duplicate");
	assert_non_null(strstr(rig_xfinding(record, FINDING_DUPLICATE)->message_ja, "46837431276"));
	office.same_row = true;
	record = rig_one(&rig, FIELD_COUNT);
	assert_string_equal(record->codes, "duplicate");
	assert_non_null(rig_finding(record, FINDING_SAME_ROW));
	office.same_row = false;

	/* A step-up needs the live ★ it names, which is no duplicate of it. */
	office.star1 = 7;
	assert_string_equal(
		rig_one(&rig, FIELD_KIND, "step", FIELD_DECLARATION_ID, "46837431276", FIELD_COUNT)->codes,
		"");
	assert_int_equal(office.asked_id, 46837431276);
	/* After a cut-over it is refused, or asked about. */
	office.step_up = STEP_UP_ENDED;
	record = rig_one(&rig, FIELD_KIND, "step", FIELD_DECLARATION_ID, "46837431276", FIELD_COUNT);
	assert_true(findings_refuse(&record->findings));
	assert_non_null(strstr(rig_xfinding(record, FINDING_STEP_UP)->message_ja, "受付を終了しています"));
	office.step_up = STEP_UP_ASKS_STAFF;
	record = rig_one(&rig, FIELD_KIND, "step", FIELD_DECLARATION_ID, "46837431276", FIELD_COUNT);
	assert_false(findings_refuse(&record->findings));
	assert_int_equal(rig_xfinding(record, FINDING_STEP_UP)->severity, SEVERITY_REVIEW);
	office.step_up = STEP_UP_GOES;
	office.star1 = 0;
	assert_string_equal(
		rig_one(&rig, FIELD_KIND, "step", FIELD_DECLARATION_ID, "46837431276", FIELD_COUNT)->codes,
		"step-up");
	assert_string_equal(rig_one(&rig, FIELD_KIND, "step", FIELD_COUNT)->codes, "step-up");

	/* Without a key nothing is asked. */
	office.key[0] = '\0';
	assert_string_equal(
		rig_one(&rig, FIELD_CORPORATE_NUMBER, "1", FIELD_COUNT)->codes, "corporate-number");
	assert_string_equal(office.key, "");

	/* Many businesses behind one address: review, never a refusal. */
	office.live = 0;
	office.businesses = 4;
	assert_null(rig_finding(rig_one(&rig, FIELD_COUNT), FINDING_PROXY));
	office.businesses = 5;
	record = rig_one(&rig, FIELD_COUNT);
	assert_int_equal(rig_xfinding(record, FINDING_PROXY)->severity, SEVERITY_REVIEW);
	assert_false(findings_refuse(&record->findings));
	rig.registry = NULL;
}

/* ---- the samples ---- */

/* The representative of the samples is 姓 and 名 with a blank. */
static void compare_fields(const struct rig_record *record, json_t *fields, const char *file)
{
	const char *key;
	json_t *value;
	json_object_foreach(fields, key, value)
	{
		struct str got = STR_INIT, want = STR_INIT, got_key = STR_INIT, want_key = STR_INIT;
		enum form_field field = form_field_by_key(key);
		if (strcmp(key, "representative") == 0)
			str_printf(&got, "%s %s", record->canonical.value[FIELD_FAMILY_NAME],
				record->canonical.value[FIELD_GIVEN_NAME]);
		else
			str_addz(&got,
				record->canonical.value[field] ? record->canonical.value[field] : "(null)");
		if (json_is_boolean(value))
			str_addz(&want, json_is_true(value) ? "true" : "false");
		else
			str_addz(&want, json_string_value(value));
		text_key(&got_key, got.s);
		text_key(&want_key, want.s);
		if (strcmp(got_key.s, want_key.s) != 0)
			print_error("%s: %s: \"%s\", not \"%s\"\n", file, key, got.s, want.s);
		assert_string_equal(got_key.s, want_key.s);
		str_free(&got);
		str_free(&want);
		str_free(&got_key);
		str_free(&want_key);
	}
}

static void compare_sample(json_t *truth)
{
	struct str path = STR_INIT, bytes = STR_INIT;
	const char *file = json_string_value(json_object_get(truth, "file"));
	json_t *records = json_object_get(truth, "records"), *expected;
	size_t i;
	str_printf(&path, "tests/samples/%s", file);
	assert_int_equal(file_read(&bytes, path.s, 1 << 20, &rig.err), RC_OK);
	rig_read(&rig, bytes.s, bytes.len);
	assert_int_equal(rig.rc, RC_OK);
	assert_int_equal(rig.count, json_array_size(records));
	json_array_foreach(records, i, expected)
	{
		const char *code = json_string_value(json_array_get(json_object_get(expected, "errors"), 0));
		assert_string_equal(rig.record[i].codes, code ? code : "");
		compare_fields(&rig.record[i], json_object_get(expected, "fields"), file);
	}
	str_free(&path);
	str_free(&bytes);
}

static void test_validate__samples(void **state)
{
	(void)state;
	FILE *lines = fopen("tests/samples/forms_truth.jsonl", "r");
	char *line = NULL;
	size_t size = 0, count = 0;
	assert_non_null(lines);
	while (getline(&line, &size, lines) > 0) {
		json_t *truth = json_loads(line, 0, NULL);
		assert_non_null(truth);
		compare_sample(truth);
		json_decref(truth);
		count++;
	}
	assert_int_equal(count, 11);
	free(line);
	(void)fclose(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate__a_good_form),
		cmocka_unit_test(test_validate__required),
		cmocka_unit_test(test_validate__choices),
		cmocka_unit_test(test_validate__corporate_number),
		cmocka_unit_test(test_validate__check_digit),
		cmocka_unit_test(test_validate__mail),
		cmocka_unit_test(test_validate__prefecture),
		cmocka_unit_test(test_validate__numbers_that_excel_touched),
		cmocka_unit_test(test_validate__injection),
		cmocka_unit_test(test_validate__lost_characters),
		cmocka_unit_test(test_validate__dates),
		cmocka_unit_test(test_validate__declaration_id),
		cmocka_unit_test(test_validate__lengths_and_versions),
		cmocka_unit_test(test_validate__gbiz),
		cmocka_unit_test(test_validate__facilities),
		cmocka_unit_test(test_validate__keys),
		cmocka_unit_test(test_validate__register),
		cmocka_unit_test(test_validate__samples),
	};
	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
