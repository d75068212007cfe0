#include "lib/base/civil.h"
#include "lib/form/decision.h"
#include "tests/unit/form_rig.h"

static struct pool *pool;

static int set_up(void **state)
{
	(void)state;
	pool = pool_new();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pool_free(&pool);
	return 0;
}

struct row {
	const char *cell[DECISION_COLUMNS];
};

static const char *read_row(struct decision *out, const struct row *row)
{
	struct form_record record = {.record = 1};
	memcpy(record.decision, row->cell, sizeof record.decision);
	enum decision_action action;
	const char *word = row->cell[DECISION_ACTION], *why = NULL;
	if (word && decision_action_read(&action, word) && action == DECISION_CORRECT)
		record.form.value[FIELD_CONTACT] = row->cell[DECISION_VALUE];
	bool ok = decision_read(out, &record, &why, pool);
	assert_int_equal(ok, why == NULL);
	return why;
}

static const char *read_one(struct decision *out, const char *target, const char *action, const char *reason)
{
	struct row row = {
		.cell = {[DECISION_TARGET] = target, [DECISION_ACTION] = action, [DECISION_REASON] = reason}};
	return read_row(out, &row);
}

static void test_decision__actions(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		int action; /* -1: not known */
	} cases[] = {
		{"許可", DECISION_APPROVE},
		{" 許 可 ", DECISION_APPROVE},
		{"承認する", DECISION_APPROVE},
		{"ＯＫ", DECISION_APPROVE},
		{"保留", DECISION_HOLD},
		{"保留にする", DECISION_HOLD},
		{"保留解除", DECISION_RELEASE},
		{"再開", DECISION_RELEASE},
		{"却下", DECISION_REJECT},
		{"不許可", DECISION_REJECT},
		{"確認済み", DECISION_CONFIRM},
		{"確認済", DECISION_CONFIRM},
		{"取り下げ", DECISION_WITHDRAW},
		{"Reject", DECISION_REJECT},
		{"使用中止", DECISION_STOP},
		{"中止", DECISION_STOP},
		{"停止する", DECISION_STOP},
		{"再送", DECISION_RESEND},
		{"再送信", DECISION_RESEND},
		{"作り直し", DECISION_RESEND_ANEW},
		{"作り直して送信", DECISION_RESEND_ANEW},
		{"resend --anew", DECISION_RESEND_ANEW},
		{"訂正", DECISION_CORRECT},
		{"修正する", DECISION_CORRECT},
		{"繰上げ", DECISION_MOVE},
		{"繰り上げ", DECISION_MOVE},
		{"前倒し", DECISION_MOVE},
		{"元に戻す", DECISION_UNDO},
		{"処理の取消し", DECISION_UNDO},
		{"依頼を実行", DECISION_REQUEST_CARRY_OUT},
		{"実行する", DECISION_REQUEST_CARRY_OUT},
		{"carry-out", DECISION_REQUEST_CARRY_OUT},
		{"本人に確認", DECISION_REQUEST_ASK},
		{"本人に確認する", DECISION_REQUEST_ASK},
		{"依頼を終了", DECISION_REQUEST_CLOSE},
		{"終了", DECISION_REQUEST_CLOSE},
		{"検討中", -1},
		{"許可しない", -1},
		{"許可保留", -1},
		{"中止しない", -1},
		{"取消し", -1},
		{"変更", -1},
		{"完了", -1},
		{"", -1},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		enum decision_action action;
		bool known = decision_action_read(&action, cases[i].word);
		if (known != (cases[i].action >= 0))
			print_error("%s\n", cases[i].word);
		assert_int_equal(known, cases[i].action >= 0);
		if (known)
			assert_int_equal(action, cases[i].action);
	}
	for (int i = DECISION_APPROVE; i <= DECISION_REQUEST_CLOSE; i++) {
		enum decision_action action; /* the word shown reads back */
		assert_true(decision_action_read(&action, decision_action_ja((enum decision_action)i)));
		assert_int_equal(action, i);
	}
}

/* A word that may mean two things is refused with the choice; another with all there is. */
static void test_decision__words_that_are_no_action(void **state)
{
	(void)state;
	static const struct {
		const char *word, *says;
	} cases[] = {
		{"取消し", "「元に戻す」"},
		{"取り消す", "「取下げ」"},
		{"キャンセル", "「使用中止」"},
		{"変更", "「訂正」"},
		{"変更する", "「依頼を実行」"},
		{"送信", "「再送」"},
		{"対応済み", "「依頼を終了」"},
		{"差し戻し", "「却下」"},
		{"検討中", "処理の言葉が分かりません。許可／保留"},
		{"", "処理がありません"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		const char *why = read_one(&decision, "12", cases[i].word, "見本");
		assert_non_null(why);
		if (!strstr(why, cases[i].says))
			print_error("%s: %s\n", cases[i].word, why);
		assert_non_null(strstr(why, cases[i].says));
	}
}

static void test_decision__targets(void **state)
{
	(void)state;
	static const struct {
		const char *target, *declaration;
		int64_t application_id, declaration_id;
		const char *says; /* NULL: fine */
	} cases[] = {
		{"12", NULL, 12, 0, NULL},
		{"１２", NULL, 12, 0, NULL},
		{"No.12", NULL, 12, 0, NULL},
		{"申込番号 12", NULL, 12, 0, NULL},
		{"46837431276", NULL, 0, 46837431276, NULL},
		{"4683743127", NULL, 0, 4683743127, NULL},
		{"自己宣言ID: 56837431276", NULL, 0, 56837431276, NULL},
		{"", "46837431276", 0, 46837431276, NULL},
		{"12", "46837431276", 12, 46837431276, NULL},
		{"46837431276", "46837431276", 0, 46837431276, NULL},
		{"46837431277", "46837431276", 0, 0, "違う番号"},
		{NULL, "12", 0, 0, "10桁か11桁"},
		{NULL, "9035489508", 0, 0, "利用者番号では指定できません"},
		{"9035489508", NULL, 0, 0, "利用者番号では指定できません"},
		{"2999046046739", NULL, 0, 0, "申込番号でも自己宣言IDでもない"},
		{"12345678901", NULL, 0, 0, "申込番号でも自己宣言IDでもない"},
		{"0", NULL, 0, 0, "申込番号0"},
		{"12a", NULL, 0, 0, "数字ではありません"},
		{"株式会社サンプル", NULL, 0, 0, "数字ではありません"},
		{"", NULL, 0, 0, "申込番号がありません"},
		{NULL, "", 0, 0, "申込番号がありません"},
		{"1.2E+10", NULL, 0, 0, "数字ではありません"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		struct row row = {.cell = {[DECISION_TARGET] = cases[i].target,
					  [DECISION_DECLARATION] = cases[i].declaration,
					  [DECISION_ACTION] = "許可"}};
		const char *why = read_row(&decision, &row);
		if ((why != NULL) != (cases[i].says != NULL))
			print_error("%zu %s: %s\n", i, cases[i].target, why);
		if (cases[i].says) {
			assert_non_null(why);
			assert_non_null(strstr(why, cases[i].says));
		} else {
			assert_null(why);
			assert_int_equal(decision.application_id, cases[i].application_id);
			assert_int_equal(decision.declaration_id, cases[i].declaration_id);
		}
	}
}

/* What an action takes: its request, its day, its notice, its values. What it has no use for refuses the row. */
static void test_decision__columns(void **state)
{
	(void)state;
	static const struct {
		struct row row;
		const char *says; /* NULL: fine */
	} cases[] = {
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "使用中止"}}, NULL},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "中止", [DECISION_DAY] = "令和8年12月31日"}},
			NULL},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "中止", [DECISION_DAY] = "本日"}}, NULL},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "中止", [DECISION_DAY] = "12/31"}}, "年から"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "中止", [DECISION_DAY] = "2026/2/30"}},
			"年から"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "許可", [DECISION_DAY] = "2026/12/31"}},
			"「中止日」を入れられるのは"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "再送", [DECISION_NOTICE] = "ロゴ"}}, NULL},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "再送"}}, "どの通知か"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "作り直し", [DECISION_NOTICE] = ""}},
			"どの通知か"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "再送", [DECISION_NOTICE] = "全部の通知"}},
			"通知の言葉が分かりません"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "許可", [DECISION_NOTICE] = "id"}},
			"「通知」を入れられるのは"},
		{{{[DECISION_TARGET] = "1",
			 [DECISION_ACTION] = "訂正",
			 [DECISION_VALUE] = "見本",
			 [DECISION_REASON] = "電話"}},
			NULL},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "訂正", [DECISION_REASON] = "電話"}},
			"何を訂正するか"},
		{{{[DECISION_TARGET] = "1",
			 [DECISION_ACTION] = "保留",
			 [DECISION_VALUE] = "見本",
			 [DECISION_REASON] = "電話"}},
			"訂正のときだけ"},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = "依頼を実行"}}, NULL},
		{{{[DECISION_REQUEST] = "依頼番号7",
			 [DECISION_ACTION] = "実行",
			 [DECISION_TARGET] = "12",
			 [DECISION_DAY] = "2026-12-31"}},
			NULL},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = "本人に確認"}}, NULL},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = "終了"}}, "理由が要ります"},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = "許可"}},
			"依頼を実行／本人に確認／依頼を終了"},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = "確認"}}, "本人に確認"},
		{{{[DECISION_REQUEST] = "7", [DECISION_ACTION] = ""}}, "依頼を実行／本人に確認／依頼を終了"},
		{{{[DECISION_REQUEST] = "七", [DECISION_ACTION] = "実行"}}, "依頼番号が正しくありません"},
		{{{[DECISION_REQUEST] = "0", [DECISION_ACTION] = "実行"}}, "依頼番号が正しくありません"},
		{{{[DECISION_TARGET] = "1", [DECISION_ACTION] = "実行"}}, "「依頼番号」の列"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		const char *why = read_row(&decision, &cases[i].row);
		if ((why != NULL) != (cases[i].says != NULL) || (why && !strstr(why, cases[i].says)))
			print_error("%zu: %s\n", i, why);
		assert_int_equal(why != NULL, cases[i].says != NULL);
		if (why)
			assert_non_null(strstr(why, cases[i].says));
	}
	struct decision decision;
	assert_null(read_row(&decision, &cases[1].row));
	assert_int_equal(decision.on, civil_from_ymd(2026, 12, 31));
	assert_null(read_row(&decision, &cases[2].row));
	assert_int_equal(decision.on, CIVIL_DAY_NONE);
	assert_null(read_row(&decision, &cases[11].row));
	assert_string_equal(decision.changed.value[FIELD_CONTACT], "見本");
	assert_null(read_row(&decision, &cases[15].row));
	assert_int_equal(decision.request_id, 7);
	assert_int_equal(decision.application_id, 12);
	assert_int_equal(decision.on, civil_from_ymd(2026, 12, 31));
}

static void test_decision__notices(void **state)
{
	(void)state;
	static const struct {
		const char *word, *name;
	} cases[] = {
		{"ID", "id"},
		{"自己宣言ID", "id"},
		{"自己宣言IDのお知らせ", "id"},
		{"ロゴ マーク", "logo"},
		{"パスワード", "logo"},
		{"受付のご連絡", "receipt"},
		{"申込受理のご連絡", "acceptance"},
		{"自己宣言完了のお知らせ", "completion"},
		{"LOGO", "logo"},
		{"our-own", "our-own"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		struct row row = {.cell = {[DECISION_TARGET] = "1",
					  [DECISION_ACTION] = "再送",
					  [DECISION_NOTICE] = cases[i].word}};
		assert_null(read_row(&decision, &row));
		assert_string_equal(decision.notice, cases[i].name);
		row.cell[DECISION_NOTICE] = decision_notice_ja(cases[i].name); /* the word shown reads back */
		assert_null(read_row(&decision, &row));
		assert_string_equal(decision.notice, cases[i].name);
	}
}

static void test_decision__reasons(void **state)
{
	(void)state;
	static const char *const wanted[] = {"保留", "却下", "繰上げ", "元に戻す"};
	struct decision decision;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		assert_non_null(strstr(read_one(&decision, "1", wanted[i], ""), "理由が要ります"));
		assert_non_null(strstr(read_one(&decision, "1", wanted[i], NULL), wanted[i]));
		assert_null(read_one(&decision, "1", wanted[i], "電話で確認"));
	}
	assert_null(read_one(&decision, "1", "許可", NULL));
	assert_string_equal(decision.reason, "");
	struct str reason = STR_INIT;
	for (int i = 0; i < 401; i++)
		str_addz(&reason, "理");
	assert_non_null(strstr(read_one(&decision, "1", "保留", reason.s), "長すぎます"));
	str_free(&reason);
	struct form_damage damage = {FIELD_COUNT, "列の数が違います。"};
	struct form_record record = {.damage = &damage, .damage_count = 1};
	record.decision[DECISION_TARGET] = "1";
	record.decision[DECISION_ACTION] = "許可";
	const char *why;
	assert_false(decision_read(&decision, &record, &why, pool));
	assert_string_equal(why, "列の数が違います。");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_decision__actions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision__words_that_are_no_action, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision__targets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision__columns, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision__notices, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decision__reasons, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
