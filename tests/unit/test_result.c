#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/form/result.h"
#include "tests/unit/form_rig.h"

/*
 * A file is read, validated and answered as intake does it; the rows to mend are read again. With SENGEN_RESULT_DIR set,
 * `test_result` leaves the rows of test_result__mended_file there for tests/scripts/result_roundtrip.sh.
 */
static struct rig rig;
static char dir[] = "/tmp/sengen-result.XXXXXX";

static int open_rig(void **state)
{
	struct err err = {0};
	(void)state;
	rig_open(&rig);
	return !mkdtemp(dir) || civil_zone_set("Asia/Tokyo", &err) != RC_OK;
}

static int close_rig(void **state)
{
	(void)state;
	rig_close(&rig);
	struct strlist names = {0};
	struct err err = {0};
	assert_int_equal(file_list_dir(&names, dir, &err), RC_OK);
	for (size_t i = 0; i < names.count; i++) {
		struct str path = STR_INIT;
		path_join(&path, dir, names.item[i]);
		assert_int_equal(unlink(path.s), 0);
		str_free(&path);
	}
	strlist_free(&names);
	return rmdir(dir);
}

struct answer {
	struct result *result;
	const char *name;
};

static enum rc answer_record(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct answer *answer = ctx;
	struct form_values values;
	struct findings findings;
	struct pool *pool = pool_new();
	if (!answer->result)
		result_begin(&answer->result, dir, answer->name, head, rig.map);
	validate(&values, &findings, record, rig.map, &rig.rules, NULL, pool);
	enum result_verdict verdict = findings_refuse(&findings)   ? RESULT_REFUSED
				      : findings_review(&findings) ? RESULT_REGISTERED_REVIEW
								   : RESULT_REGISTERED;
	enum rc rc = result_add(answer->result, record, verdict,
		verdict == RESULT_REFUSED ? 0 : 40 + record->record, &findings, NULL, err);
	pool_free(&pool);
	return rc;
}

/* Reads text as a file `name` and gives the text and the CSV that answer it ("" when there is none). */
static void answer_file(const char *name, const char *bytes, struct str *text, struct str *csv)
{
	struct answer answer = {.name = name};
	struct str stem = STR_INIT, path = STR_INIT;
	struct err err = {0};
	const char *why = NULL;
	path_join(&stem, dir, "answer");
	assert_int_equal(
		form_read(bytes, strlen(bytes), rig.map, NULL, answer_record, &answer, &why, &err), RC_OK);
	assert_int_equal(result_end(&answer.result, stem.s, 1795000000, NULL, true, &err), RC_OK);
	assert_null(answer.result);
	str_printf(&path, "%s_結果.txt", stem.s);
	assert_int_equal(file_read(text, path.s, 1 << 20, &err), RC_OK);
	assert_int_equal(unlink(path.s), 0);
	str_clear(&path);
	str_printf(&path, "%s_要修正.csv", stem.s);
	if (access(path.s, F_OK) == 0) {
		assert_int_equal(file_read(csv, path.s, 1 << 20, &err), RC_OK);
		assert_int_equal(unlink(path.s), 0);
	}
	str_free(&stem);
	str_free(&path);
}

static void assert_has(const struct str *text, const char *what)
{
	if (!strstr(text->s, what))
		print_error("\"%s\" is not in:\n%s\n", what, text->s);
	assert_non_null(strstr(text->s, what));
}

static void test_result__text_says_what_where_and_how(void **state)
{
	(void)state;
	struct str file = STR_INIT, text = STR_INIT, csv = STR_INIT;
	rig_header(&file, &rig, ',', "\r\n");
	rig_row(&file, ',', "\r\n", FIELD_COUNT);
	rig_row(&file, ',', "\r\n", FIELD_CORPORATE_NUMBER, "9.99953E+12", FIELD_PREFECTURE, "江戸",
		FIELD_COUNT);
	rig_row(&file, ',', "\r\n", FIELD_CONTACT, "見本\nhttp://example.com/", FIELD_COUNT);
	rig_row(&file, ',', "\r\n", FIELD_TELEPHONE, "312345678", FIELD_COUNT);
	answer_file("申込\x1b[2J.csv", file.s, &text, &csv);
	assert_true(str_has_prefix(text.s, "\xEF\xBB\xBFSECURITY ACTION"));
	assert_null(strchr(text.s, '\x1b'));
	assert_has(&text, "処理日時: 2026-11-18");
	assert_has(&text, "形式: CSV（UTF-8）");
	assert_has(&text, "読み取った件数: 4件\r\n  登録しました: 2件\r\n  登録しましたが要確認です: 1件\r\n "
			  " 受け付けられません: 1件\r\n");
	assert_has(&text, "1件目（2行目）: 登録しました（申込番号 41）\r\n");
	assert_has(&text, "2件目（3行目）: 受け付けられません\r\n    株式会社サンプル\r\n    × "
			  "法人番号「9.99953E+12」: Excelが");
	assert_has(&text, "    × 都道府県「江戸」: 47の都道府県のどれでもありません。\r\n        直し方: ");
	assert_has(&text, "3件目（4行目）: 登録しましたが、要確認です（申込番号 43）");
	assert_has(&text, "    ？ 担当者名「");
	assert_has(&text, "4件目（6行目）: 登録しました（申込番号 44）\r\n    ・ 電話番号「312345678」: ");
	assert_has(&text, "「answer_要修正.csv」");
	/* Only the refused row comes back. */
	assert_true(str_has_prefix(csv.s, "\xEF\xBB\xBFエラー内容,修正方法,宣言の内容（ロゴマークの種類）,"));
	rig_readz(&rig, csv.s);
	assert_int_equal(rig.count, 1);
	assert_string_equal(rig.record[0].form.value[FIELD_CORPORATE_NUMBER], "9.99953E+12");
	str_free(&file);
	str_free(&text);
	str_free(&csv);
}

static void test_result__other_verdicts(void **state)
{
	(void)state;
	static const struct {
		enum result_verdict verdict;
		const char *detail, *line;
	} cases[] = {
		{RESULT_SAME, NULL,
			"1件目: 同じ内容がすでに登録されています（申込番号 7）。何も変えていません\r\n"},
		{RESULT_DECIDED, "保留にしました。",
			"1件目: 処理しました（申込番号 7）\r\n    ・ 保留にしました。\r\n"},
		{RESULT_REFUSED, "申込番号7はありません。",
			"1件目: 受け付けられません\r\n    × 申込番号7はありません。\r\n"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct result *result = NULL;
		struct err err = {0};
		struct form_head head = {.format = FORM_JSON, .charset = "UTF-8"};
		struct form_record record = {.record = 1};
		struct str stem = STR_INIT, path = STR_INIT, text = STR_INIT;
		path_join(&stem, dir, "verdict");
		str_printf(&path, "%s_結果.txt", stem.s);
		result_begin(&result, dir, "x.json", &head, rig.map);
		assert_int_equal(
			result_add(result, &record, cases[i].verdict, 7, NULL, cases[i].detail, &err), RC_OK);
		assert_int_equal(result_end(&result, stem.s, 0, NULL, true, &err), RC_OK);
		assert_int_equal(file_read(&text, path.s, 1 << 20, &err), RC_OK);
		assert_has(&text, cases[i].line);
		assert_int_equal(unlink(path.s), 0); /* and no CSV: JSON is mended by its writer */
		str_free(&stem);
		str_free(&path);
		str_free(&text);
	}
}

static void test_result__file_that_could_not_be_read(void **state)
{
	(void)state;
	struct result *result = NULL;
	struct err err = {0};
	struct str stem = STR_INIT, path = STR_INIT, text = STR_INIT;
	path_join(&stem, dir, "fault");
	str_printf(&path, "%s_結果.txt", stem.s);
	result_begin(&result, dir, "x.xlsx", NULL, rig.map);
	assert_int_equal(result_end(&result, stem.s, 0, "Excelブックです。", true, &err), RC_OK);
	assert_int_equal(file_read(&text, path.s, 1 << 20, &err), RC_OK);
	assert_has(&text, "ファイル: x.xlsx\r\n");
	assert_has(&text, "何も登録していません。\r\n理由: Excelブックです。\r\n");
	assert_int_equal(unlink(path.s), 0);
	str_free(&stem);
	str_free(&path);
	str_free(&text);
}

/* Refused rows with everything a spreadsheet likes to change. */
static void mendable_file(struct str *file)
{
	str_addz(file, "控え,社内番号,");
	rig_header(file, &rig, ',', "\r\n");
	str_addz(file, "1-5,007,");
	rig_row(file, ',', "\r\n", FIELD_PREFECTURE, "江戸", FIELD_BUSINESS_NAME,
		"=サンプル\"例示\"，商店, Ltd.", FIELD_ADDRESS, "例示市1-2\nビル3F", FIELD_EMPLOYEES, "1-5",
		FIELD_TELEPHONE, "0312345678", FIELD_POSTAL_CODE, "0100001", FIELD_COUNT);
	str_addz(file, "@x,1234567890123456,");
	rig_row(file, ',', "\r\n", FIELD_PREFECTURE, "江戸", FIELD_BUSINESS_NAME, "㈱①髙﨑～",
		FIELD_FAMILY_NAME, "-新垣", FIELD_TELEPHONE, "+81-3-1234-5678", FIELD_CORPORATE_NUMBER,
		"2-9990-4604-6739", FIELD_KIND, "step", FIELD_DECLARATION_ID, "46837431276", FIELD_COUNT);
}

static void test_result__mended_file(void **state)
{
	(void)state;
	struct str file = STR_INIT, text = STR_INIT, csv = STR_INIT, again = STR_INIT;
	mendable_file(&file);
	answer_file("申込.csv", file.s, &text, &csv);
	assert_has(&csv, ",T2999046046739,\"'=サンプル"); /* never a number or a formula */
	assert_has(&csv, ",010-0001,");
	assert_has(&csv, ",03-1234-5678,'1-5,");
	assert_has(&csv, ",'@x,'1234567890123456,");
	assert_has(&csv, ",'1-5,'007,");
	assert_has(&csv, ",'-新垣,");
	assert_has(&csv, ",'+81-3-1234-5678,");
	assert_has(&csv, "\"例示市1-2\nビル3F\"");

	rig_readz(&rig, file.s);
	struct rig_record before[2] = {rig.record[0], rig.record[1]};
	rig_readz(&rig, csv.s);
	assert_int_equal(rig.count, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_string_equal(rig.record[i].codes, "prefecture");
		for (int k = 0; k < FIELD_COUNT; k++) {
			const char *old = before[i].canonical.value[k],
				   *new = rig.record[i].canonical.value[k];
			assert_string_equal(new ? new : "", old ? old : "");
		}
	}
	/* A second round gives the same file: no column or apostrophe is added twice. */
	str_clear(&text);
	answer_file("申込.csv", csv.s, &text, &again);
	assert_string_equal(again.s, csv.s);

	const char *keep = getenv("SENGEN_RESULT_DIR");
	if (keep) {
		struct str path = STR_INIT;
		struct err err = {0};
		path_join(&path, keep, "要修正.csv");
		assert_int_equal(file_write(path.s, csv.s, csv.len, 0644, &err), RC_OK);
		str_free(&path);
	}
	str_free(&file);
	str_free(&text);
	str_free(&csv);
	str_free(&again);
}

static void test_result__broken_rows_keep_their_cells(void **state)
{
	(void)state;
	struct str text = STR_INIT, csv = STR_INIT;
	answer_file("x.csv", "担当者名,事業者名,都道府県,備考\n見本,サンプル, Ltd.,東京都,メモ\n例,\"x\n",
		&text, &csv);
	assert_has(&csv, ",見本,サンプル,\" Ltd.\",東京都,メモ\r\n");
	assert_has(&csv, ",例,");
	assert_has(&text, "列の数が見出しより1多くなっています");
	assert_has(&text, "引用符");
	str_free(&text);
	str_free(&csv);
}

/* What stands above the columns comes from outside as well. */
static void test_result__a_header_is_no_formula(void **state)
{
	(void)state;
	struct str text = STR_INIT, csv = STR_INIT;
	answer_file("x.csv", "担当者名,事業者名,都道府県,=1+1,\"+SUM(A1,A2)\"\n見本,サンプル,東京都,a,b\n",
		&text, &csv);
	assert_has(&csv, ",都道府県,'=1+1,\"'+SUM(A1,A2)\"\r\n");
	str_free(&text);
	str_free(&csv);
}

/* In every column of the form: what a spreadsheet might reckon stays text, and comes back as it was. */
static void test_result__formulas_in_every_column(void **state)
{
	static const char *const formulas[] = {"=cmd|' /C calc'!A0", "=HYPERLINK(\"http://evil.example/\")",
		"+1+1", "-1+1", "@SUM(1;1)", " =1+1", "\t=1+1", "\n=1+1", "\u3000=1+1", "\u00A0=1+1", "＝1+1",
		"＋1+1", "－1+1", "＠SUM(1;1)", "　＝1+1"};
	(void)state;
	for (size_t f = 0; f < sizeof formulas / sizeof *formulas; f++) {
		struct str file = STR_INIT, text = STR_INIT, csv = STR_INIT, again = STR_INIT,
			   cell = STR_INIT;
		rig_header(&file, &rig, ',', ",メモ\r\n");
		for (const char *at = strchr(file.s, '\n') - 1; at > file.s; at--)
			if (*at == ',')
				str_addz(&cell, "x");
		for (size_t i = 0; i <= cell.len; i++) {
			str_addc(&file, i ? ',' : '"');
			if (i)
				str_addc(&file, '"');
			for (const char *c = formulas[f]; *c; c++) {
				if (*c == '"')
					str_addc(&file, '"');
				str_addc(&file, *c);
			}
			str_addc(&file, '"');
		}
		str_addz(&file, "\r\n");
		answer_file("申込.csv", file.s, &text, &csv);
		/* Each cell of the row begins with the mark, in its quotes or not. */
		const char *row = strchr(csv.s, '\n') + 1;
		assert_null(strstr(row, pool_printf(rig.pool, ",%s", formulas[f])));
		assert_null(strstr(row, pool_printf(rig.pool, ",\"%s", formulas[f])));
		assert_non_null(strstr(row, "'"));
		rig_readz(&rig, file.s);
		struct form_values before = rig.record[0].form;
		rig_readz(&rig, csv.s);
		for (int k = 0; k < FIELD_COUNT; k++)
			assert_string_equal(rig.record[0].form.value[k] ? rig.record[0].form.value[k] : "",
				before.value[k] ? before.value[k] : "");
		str_clear(&text);
		answer_file("申込.csv", csv.s, &text, &again);
		assert_string_equal(again.s, csv.s);
		str_free(&file);
		str_free(&text);
		str_free(&csv);
		str_free(&again);
		str_free(&cell);
	}
}

static void test_result__a_directory_that_is_gone(void **state)
{
	(void)state;
	struct result *result = NULL;
	struct err err = {0};
	/* What grows too long for memory wants it; what is short does not. */
	struct form_record record = {.record = 1};
	struct findings none = {0};
	enum rc rc = RC_OK;
	result_begin(&result, "/nonexistent", "x", NULL, rig.map);
	for (int i = 0; i < 10000 && !rc; i++)
		rc = result_add(result, &record, RESULT_REGISTERED, i + 1, &none, NULL, &err);
	assert_int_equal(rc, RC_STORE);
	result_drop(&result);
	result_begin(&result, dir, "x", NULL, rig.map);
	assert_int_equal(result_end(&result, "/nonexistent/x", 0, "x", true, &err), RC_STORE);
	assert_null(result);
	result_begin(&result, dir, "x", NULL, rig.map);
	result_drop(&result); /* and nothing is left: close_rig() lists the directory */
	assert_null(result);
	struct strlist names = {0};
	assert_int_equal(file_list_dir(&names, dir, &err), RC_OK);
	assert_int_equal(names.count, 0);
	strlist_free(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result__text_says_what_where_and_how),
		cmocka_unit_test(test_result__other_verdicts),
		cmocka_unit_test(test_result__file_that_could_not_be_read),
		cmocka_unit_test(test_result__mended_file),
		cmocka_unit_test(test_result__formulas_in_every_column),
		cmocka_unit_test(test_result__broken_rows_keep_their_cells),
		cmocka_unit_test(test_result__a_header_is_no_formula),
		cmocka_unit_test(test_result__a_directory_that_is_gone),
	};
	return cmocka_run_group_tests(tests, open_rig, close_rig);
}
