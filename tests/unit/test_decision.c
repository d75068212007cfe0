#include "lib/form/decision.h"
#include "tests/unit/form_rig.h"

static const char *read_one(
	struct pool *pool, struct decision *out, const char *target, const char *action, const char *reason)
{
	struct form_record record = {
		.record = 1, .decision_target = target, .decision_action = action, .decision_reason = reason};
	const char *why = NULL;
	bool ok = decision_read(out, &record, &why, pool);
	assert_int_equal(ok, why == NULL);
	return why;
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
		{"保留解除", DECISION_RELEASE},
		{"再開", DECISION_RELEASE},
		{"却下", DECISION_REJECT},
		{"不許可", DECISION_REJECT},
		{"確認済み", DECISION_CONFIRM},
		{"確認済", DECISION_CONFIRM},
		{"取り下げ", DECISION_WITHDRAW},
		{"Reject", DECISION_REJECT},
		{"検討中", -1},
		{"許可しない", -1},
		{"許可保留", -1},
	};
	struct pool *pool = pool_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		const char *why = read_one(pool, &decision, "12", cases[i].word, "書類待ち");
		assert_int_equal(why == NULL, cases[i].action >= 0);
		if (why) {
			assert_non_null(strstr(why, "処理の言葉が分かりません"));
			continue;
		}
		assert_int_equal(decision.action, cases[i].action);
		assert_int_equal(decision.application_id, 12);
		assert_string_equal(decision.reason, "書類待ち");
	}
	for (int i = DECISION_APPROVE; i <= DECISION_WITHDRAW; i++) {
		struct decision decision; /* the word shown reads back */
		assert_null(read_one(pool, &decision, "1", decision_action_ja((enum decision_action)i), "x"));
		assert_int_equal(decision.action, i);
	}
	pool_free(&pool);
}

static void test_decision__targets(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t application_id, declaration_id;
		const char *says; /* NULL: fine */
	} cases[] = {
		{"12", 12, 0, NULL},
		{"１２", 12, 0, NULL},
		{"No.12", 12, 0, NULL},
		{"申込番号 12", 12, 0, NULL},
		{"46837431276", 0, 46837431276, NULL},
		{"4683743127", 0, 4683743127, NULL},
		{"自己宣言ID: 56837431276", 0, 56837431276, NULL},
		{"9035489508", 0, 0, "利用者番号では指定できません"},
		{"2999046046739", 0, 0, "申込番号でも自己宣言IDでもない"},
		{"12345678901", 0, 0, "申込番号でも自己宣言IDでもない"},
		{"0", 0, 0, "申込番号0"},
		{"12a", 0, 0, "数字ではありません"},
		{"株式会社サンプル", 0, 0, "数字ではありません"},
		{"", 0, 0, "申込番号がありません"},
		{NULL, 0, 0, "申込番号がありません"},
		{"1.2E+10", 0, 0, "数字ではありません"},
	};
	struct pool *pool = pool_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct decision decision;
		const char *why = read_one(pool, &decision, cases[i].text, "許可", NULL);
		if ((why != NULL) != (cases[i].says != NULL))
			print_error("%s: %s\n", cases[i].text, why);
		if (cases[i].says) {
			assert_non_null(why);
			assert_non_null(strstr(why, cases[i].says));
		} else {
			assert_null(why);
			assert_int_equal(decision.application_id, cases[i].application_id);
			assert_int_equal(decision.declaration_id, cases[i].declaration_id);
		}
	}
	pool_free(&pool);
}

static void test_decision__reasons(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct decision decision;
	assert_non_null(strstr(read_one(pool, &decision, "1", "保留", ""), "保留には理由が要ります"));
	assert_non_null(strstr(read_one(pool, &decision, "1", "却下", NULL), "却下には理由が要ります"));
	assert_null(read_one(pool, &decision, "1", "許可", NULL));
	assert_string_equal(decision.reason, "");
	assert_non_null(strstr(read_one(pool, &decision, "1", "", NULL), "処理がありません"));
	struct str reason = STR_INIT;
	for (int i = 0; i < 401; i++)
		str_addz(&reason, "理");
	assert_non_null(strstr(read_one(pool, &decision, "1", "保留", reason.s), "長すぎます"));
	str_free(&reason);
	struct form_damage damage = {FIELD_COUNT, "列の数が違います。"};
	struct form_record record = {
		.decision_target = "1", .decision_action = "許可", .damage = &damage, .damage_count = 1};
	const char *why;
	assert_false(decision_read(&decision, &record, &why, pool));
	assert_string_equal(why, "列の数が違います。");
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decision__actions),
		cmocka_unit_test(test_decision__targets),
		cmocka_unit_test(test_decision__reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
