#include <stdio.h>
#include <unistd.h>

#include "lib/base/embed.h"
#include "lib/base/file.h"
#include "lib/form/fieldmap_p.h"
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

static void test_fieldmap__labels_in_any_dress(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int slot;
	} cases[] = {
		{"宣言の内容（ロゴマークの種類）", FIELD_KIND},
		{"【公開】宣言の内容（ロゴマークの種類） 【必須】", FIELD_KIND},
		{"宣言の内容(ロゴマークの種類)", FIELD_KIND},
		{"自己宣言の目的（必須）", FIELD_PURPOSE},
		{"*担当者名", FIELD_CONTACT},
		{"担当者名 例)山田太郎 【必須】", FIELD_CONTACT},
		{"ご担当者様", FIELD_CONTACT},
		{"Q3. 担当者名（任意）", FIELD_CONTACT},
		{"問12 担当者名", FIELD_CONTACT},
		{"担当者\nメールアドレス", FIELD_MAIL},
		{"担当者メールアドレス(確認)", FIELD_MAIL_CONFIRM},
		{"メールアドレス（再入力）", FIELD_MAIL_CONFIRM},
		{"（確認）", FIELD_MAIL_CONFIRM},
		{"メールアドレス", SLOT_OTHER_MAIL},
		{"法人/個人事業主", FIELD_TYPE},
		{"法人番号（半角数字13桁）", FIELD_CORPORATE_NUMBER},
		{"法人番号 [任意]", FIELD_CORPORATE_NUMBER},
		{"商号又は名称", FIELD_BUSINESS_NAME},
		{"法人名／屋号", FIELD_BUSINESS_NAME},
		{"屋号", SLOT_TRADE_NAME},
		{"代表者（姓）", FIELD_FAMILY_NAME},
		{"代表者 (名)", FIELD_GIVEN_NAME},
		{"代表者名", SLOT_REPRESENTATIVE},
		{"代表者氏名", SLOT_REPRESENTATIVE},
		{"〒", FIELD_POSTAL_CODE},
		{"郵便番号（ハイフンあり）", FIELD_POSTAL_CODE},
		{"所在地", FIELD_ADDRESS},
		{"ご住所", FIELD_ADDRESS},
		{"所在地（都道府県）", FIELD_PREFECTURE},
		{"ＴＥＬ", FIELD_TELEPHONE},
		{"お電話番号", FIELD_TELEPHONE},
		{"業種(中分類)", FIELD_INDUSTRY},
		{"IPAからの情報送付", FIELD_NEWS},
		{"自己宣言ID（ステップアップの場合）", FIELD_DECLARATION_ID},
		{"お申込日", FIELD_APPLIED_ON},
		{"corporate_number", FIELD_CORPORATE_NUMBER},
		{"Corporate Number", FIELD_CORPORATE_NUMBER},
		{"エラー内容", SLOT_IGNORED},
		{"処理", SLOT_DECISION_ACTION},
		{"", SLOT_COUNT},
		{"【公開】", SLOT_COUNT},
		{"備考", SLOT_COUNT},
		{"代表者（姓）フリガナ", SLOT_COUNT},
		{"事業者名（カナ）", SLOT_COUNT},
		{"担当者名（部署）", SLOT_COUNT},
		{"株式会社サンプル", SLOT_COUNT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int rank = 0, slot = fieldmap_slot(rig.map, cases[i].label, &rank);
		if (slot != cases[i].slot)
			print_error("%s: %d\n", cases[i].label, slot);
		assert_int_equal(slot, cases[i].slot);
	}
	assert_int_equal(fieldmap_field(rig.map, "法人番号"), FIELD_CORPORATE_NUMBER);
	assert_int_equal(fieldmap_field(rig.map, "代表者名"), FIELD_COUNT); /* a part is no field */
}

static void test_fieldmap__a_text_is_no_label(void **state)
{
	(void)state;
	char text[2000];
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(fieldmap_field(rig.map, text), FIELD_COUNT);
}

static void test_fieldmap__every_field_has_a_label_that_reads_back(void **state)
{
	(void)state;
	for (int i = 0; i < FIELD_COUNT; i++) {
		enum form_field field = (enum form_field)i;
		assert_int_equal(fieldmap_field(rig.map, fieldmap_label(rig.map, field)), field);
		assert_int_equal(fieldmap_field(rig.map, form_field_key(field)), field);
	}
	assert_string_equal(fieldmap_label(rig.map, FIELD_COUNT), "");
}

static void test_fieldmap__choices(void **state)
{
	(void)state;
	static const struct {
		enum form_field field;
		const char *value, *key;
	} cases[] = {
		{FIELD_KIND, "新規に【★一つ星】を申し込む", "new1"},
		{FIELD_KIND, "新規に[★一つ星]を申し込む", "new1"},
		{FIELD_KIND, "☆一つ星", "new1"},
		{FIELD_KIND, "★★二つ星", "new2"},
		{FIELD_KIND, "★★", "new2"},
		{FIELD_KIND, "一つ星から【★★二つ星】にステップアップする", "step"},
		{FIELD_KIND, "★→★★", "step"},
		{FIELD_KIND, "step", "step"},
		{FIELD_KIND, "三つ星", NULL},
		{FIELD_KIND, "★★★", NULL},
		{FIELD_TYPE, "法　人", "corporation"},
		{FIELD_TYPE, "個人事業主", "sole"},
		{FIELD_PREFECTURE, "東京", "東京都"},
		{FIELD_PREFECTURE, "北海道", "北海道"},
		{FIELD_PREFECTURE, "京都府", "京都府"},
		{FIELD_PREFECTURE, "東京府", NULL},
		{FIELD_INDUSTRY, "専門サービス業（他に分類されないもの）",
			"専門サービス業（他に分類されないもの）"},
		{FIELD_INDUSTRY, "専門サービス業", "専門サービス業（他に分類されないもの）"},
		{FIELD_INDUSTRY, "鉱業、採石業、砂利採取業", "鉱業，採石業，砂利採取業"},
		{FIELD_INDUSTRY, "社会保険・社会福祉・介護事業", "社会保険・社会福祉・介護事業"},
		{FIELD_INDUSTRY, "ｶﾞｽ業", "ガス業"},
		{FIELD_NEWS, "希望する", "true"},
		{FIELD_NEWS, "希望しない", "false"},
		{FIELD_NEWS, "TRUE", "true"},
		{FIELD_NEWS, "○", "true"},
		{FIELD_NEWS, "□希望する", NULL},
		{FIELD_NEWS, "●", NULL},
		{FIELD_PLEDGE, "誓約しない", NULL},
		{FIELD_GBIZ, "gBizIDプライム", "prime"},
		{FIELD_CONTACT, "見本", NULL},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *key = fieldmap_choice(rig.map, cases[i].field, cases[i].value);
		if (!cases[i].key && key)
			print_error("%s: %s\n", cases[i].value, key);
		if (!cases[i].key)
			assert_null(key);
		else
			assert_string_equal(key ? key : cases[i].value, cases[i].key);
	}
	assert_string_equal(fieldmap_choice_label(rig.map, FIELD_KIND, "step"),
		"一つ星から【★★二つ星】にステップアップする");
	assert_null(fieldmap_choice_label(rig.map, FIELD_KIND, "new3"));
	struct str choices = STR_INIT;
	fieldmap_choices_print(rig.map, FIELD_TYPE, &choices);
	assert_string_equal(choices.s, "法人 / 個人事業主");
	str_free(&choices);
}

static void test_fieldmap__decision_columns(void **state)
{
	(void)state;
	static const struct {
		const char *label;
		int slot;
	} cases[] = {
		{"申込番号", SLOT_DECISION_TARGET},
		{"自己宣言ID", FIELD_DECLARATION_ID},
		{"依頼番号", SLOT_DECISION_REQUEST},
		{"処 理", SLOT_DECISION_ACTION},
		{"理由", SLOT_DECISION_REASON},
		{"使用中止日", SLOT_DECISION_DAY},
		{"通知の種類", SLOT_DECISION_NOTICE},
		{"訂正する項目", SLOT_DECISION_FIELD},
		{"新しい値", SLOT_DECISION_VALUE},
		{"担当者名", FIELD_CONTACT},
		{"備考", SLOT_COUNT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(fieldmap_slot(rig.map, cases[i].label, NULL), cases[i].slot);
}

/* The built-in map with one place changed, from a file. */
static enum rc load_changed(const char *from, const char *to, struct err *err)
{
	char path[] = "/tmp/sengen-fieldmap.XXXXXX";
	int fd = mkstemp(path);
	const char *at = strstr(embedded_form_fields, from);
	assert_true(fd >= 0 && at);
	struct str text = STR_INIT;
	str_add(&text, embedded_form_fields, (size_t)(at - embedded_form_fields));
	str_addz(&text, to);
	str_addz(&text, at + strlen(from));
	assert_int_equal(file_write_all(fd, text.s, text.len, err), RC_OK);
	(void)close(fd);
	struct fieldmap *map = NULL;
	enum rc rc = fieldmap_load(&map, path, err);
	if (rc == RC_OK)
		assert_int_equal(fieldmap_field(map, "うけつけ担当"), FIELD_CONTACT);
	else
		assert_null(map);
	fieldmap_free(&map);
	str_free(&text);
	(void)unlink(path);
	return rc;
}

static void test_fieldmap__edited_file(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *says; /* says NULL: it is fine */
	} cases[] = {
		{"\"担当者名\",", "\"担当者名\", \"うけつけ担当\",", NULL},
		{"field = \"contact\"", "field = \"person\"", "there is no such field: person"},
		{"field = \"contact\"", "field = \"mail\"", "the field stands here twice: mail"},
		{"\"担当者名\",", "\"法人番号\",", "a label stands for two fields: 法人番号"},
		{"\"担当者名\",", "12,", ":"},
		{"part = \"representative\"", "part = \"boss\"", "there is no such part: boss"},
		{"fields = (", "fields = ([", ":"},
		{"\"★★二つ星\",", "\"★一つ星\",", "a spelling stands for two choices: ★一つ星"},
		{"key = \"sole\"", "word = \"sole\"", "a choice needs `key`"},
		{"marks = [", "signs = [", "`marks` must be an array"},
		{"fields = (", "field_list = (", "`fields` must be a list"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct err err = {0};
		enum rc rc = load_changed(cases[i].from, cases[i].to, &err);
		assert_int_equal(rc, cases[i].says ? RC_CONFIG : RC_OK);
		if (cases[i].says && !strstr(err.text, cases[i].says))
			print_error("%s\n", err.text);
		assert_true(!cases[i].says || strstr(err.text, cases[i].says));
	}
	struct err err = {0};
	struct fieldmap *map = NULL;
	assert_int_equal(fieldmap_load(&map, "/nonexistent/form-fields.conf", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/form-fields.conf"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fieldmap__labels_in_any_dress),
		cmocka_unit_test(test_fieldmap__a_text_is_no_label),
		cmocka_unit_test(test_fieldmap__every_field_has_a_label_that_reads_back),
		cmocka_unit_test(test_fieldmap__choices),
		cmocka_unit_test(test_fieldmap__decision_columns),
		cmocka_unit_test(test_fieldmap__edited_file),
	};
	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
