#include "tests/unit/office_rig.h"

#include <sqlite3.h>

#define STAFF "staff:1000(yamada)"

/* ---- looking ---- */

struct taken {
	struct str text;
	const struct settings *settings;
};

static enum rc take(void *ctx, const struct published *published, struct err *err)
{
	struct taken *taken = ctx;
	(void)err;
	str_addz(&taken->text, taken->text.len ? " | " : "");
	civil_time_print(&taken->text, published->since);
	str_addz(&taken->text, published->until ? " - " : " -");
	if (published->until)
		civil_time_print(&taken->text, published->until);
	if (*published->values) {
		struct str values = STR_INIT;
		public_values_print(taken->settings, published->values, &values);
		for (char *at = values.s; *at; at++)
			*at = *at == '\n' ? ';' : *at;
		str_printf(&taken->text, " %s", values.s);
		str_free(&values);
	}
	return RC_OK;
}

/* "2026-06-15 09:30 -" for one that goes on; behind a closed one what it said. */
static const char *intervals(struct rig *rig, int64_t id)
{
	struct taken taken = {.text = STR_INIT, .settings = rig->settings};
	assert_ok(published_of(rig->office.store, id, take, &taken, &rig_err));
	const char *copy = pool_strdup(rig->pool, taken.text.s);
	str_free(&taken.text);
	return copy;
}

static bool is_public(struct rig *rig, int64_t id)
{
	bool now;
	assert_ok(published_has(rig->office.store, id, &now, &rig_err));
	return now;
}

static void settle(struct rig *rig)
{
	bool more = true;
	while (more)
		assert_ok(office_settle_public(&rig->office, &more, &rig_err));
}

static void stop(struct rig *rig, int64_t id)
{
	const char *why_ja;
	assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "B-3", STAFF, &why_ja, rig->pool, &rig_err));
}

static enum rc correct(struct rig *rig, int64_t id, enum form_field field, const char *value)
{
	struct form_values changed = {.value = {NULL}};
	const char *why_ja;
	changed.value[field] = value;
	return office_correct(&rig->office, id, &changed, "電話で確認", STAFF, &why_ja, rig->pool, &rig_err);
}

static void sql(struct rig *rig, const char *text)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_close(db);
}

static const char *fault(struct rig *rig)
{
	struct audit audit;
	assert_ok(audit_run(rig->office.store, NULL, &audit, &rig_err));
	return audit.fault;
}

/* ---- the rule ---- */

static void test_publicity__from_the_logo_until_the_end(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	settle(rig);
	rig_run_days(rig, 8);
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	assert_string_equal(intervals(rig, id), "");
	rig_run_days(rig, 7);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_string_equal(intervals(rig, id), "2026-06-15 09:30 -");
	clock_set(&rig->clock, rig_at(2026, 7, 1, 12, 0));
	stop(rig, id);
	assert_string_equal(intervals(rig, id),
		"2026-06-15 09:30 - 2026-07-01 12:00 宣言の内容: ★一つ星;宣言日: 2026-06-08;"
		"事業者名: 株式会社サンプル1;都道府県: 東京都;");
	rig_assert_whole(rig);
	assert_null(fault(rig));
}

static void test_publicity__from_the_id_where_the_settings_say_so(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "public_from = \"id\";");
	settle(rig);
	int64_t first = rig_apply(rig, 1), second = rig_apply(rig, 2), third = rig_apply(rig, 3);
	rig_decide(rig, third, DECISION_WITHDRAW, "取下げ");
	assert_false(is_public(rig, first));
	rig_run_days(rig, 8);
	assert_string_equal(intervals(rig, first), "2026-06-08 09:30 -");
	assert_string_equal(intervals(rig, third), "");
	rig_decide(rig, second, DECISION_REJECT, "却下");
	assert_false(is_public(rig, second));
	rig_decide(rig, first, DECISION_HOLD, "確認中");
	assert_true(is_public(rig, first)); /* what is held stays as it was */
	rig_decide(rig, first, DECISION_RELEASE, "確認済み");
	rig_run_days(rig, 10);
	assert_string_equal(intervals(rig, first), "2026-06-08 09:30 -"); /* the logo opens nothing anew */
	assert_null(fault(rig));
}

/* The two marks are never on the list together. */
static void test_publicity__a_step_up_takes_the_place_of_its_star(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "public_from = \"id\";");
	settle(rig);
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 16);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] =
		pool_printf(rig->pool, "%" PRId64, rig_app(rig, star).declaration_id);
	int64_t step_up = rig_register(rig, &form);
	rig_run_days(rig, 9);
	assert_int_equal(rig_app(rig, step_up).state, STATE_ID_ISSUED);
	assert_true(is_public(rig, star));
	assert_false(is_public(rig, step_up));
	rig_run_days(rig, 8);
	assert_int_equal(rig_app(rig, step_up).state, STATE_LOGO_AUTHORIZED);
	assert_false(is_public(rig, star));
	assert_true(is_public(rig, step_up));
	const char *began = pool_strndup(rig->pool, intervals(rig, step_up), strlen("2026-06-15 09:30"));
	assert_non_null(strstr(intervals(rig, star), pool_printf(rig->pool, " - %s ", began)));
	assert_null(fault(rig));
}

static void test_publicity__a_correction_closes_with_what_was_said(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	settle(rig);
	rig_run_days(rig, 16);
	assert_ok(correct(rig, id, FIELD_TELEPHONE, "03-1234-5678"));
	assert_string_equal(intervals(rig, id), "2026-06-15 09:30 -"); /* nothing public has changed */
	clock_set(&rig->clock, rig_at(2026, 7, 1, 12, 0));
	assert_ok(correct(rig, id, FIELD_BUSINESS_NAME, "株式会社例示"));
	const char *closed = "2026-06-15 09:30 - 2026-07-01 12:00 宣言の内容: ★一つ星;宣言日: 2026-06-08;"
			     "事業者名: 株式会社サンプル1;都道府県: 東京都;";
	assert_string_equal(intervals(rig, id), pool_printf(rig->pool, "%s | 2026-07-01 12:00 -", closed));
	/* again within the same second: what nobody could see leaves no interval */
	assert_ok(correct(rig, id, FIELD_BUSINESS_NAME, "株式会社例示二"));
	assert_string_equal(intervals(rig, id), pool_printf(rig->pool, "%s | 2026-07-01 12:00 -", closed));
	rig_assert_whole(rig);
}

static void test_publicity__a_stop_that_is_taken_back(void **state)
{
	struct rig *rig = *state;
	const char *why_ja;
	int64_t id = rig_apply(rig, 1);
	settle(rig);
	rig_run_days(rig, 16);
	stop(rig, id);
	assert_false(is_public(rig, id));
	clock_set(&rig->clock, rig->clock.now + 60);
	assert_ok(office_undo(&rig->office, id, "取り違え", STAFF, &why_ja, rig->pool, &rig_err));
	assert_true(is_public(rig, id));
	assert_null(fault(rig));
}

/* What is rolled back was never public. */
static void test_publicity__stands_or_falls_with_the_transaction(void **state)
{
	struct rig *rig = *state;
	const char *why_ja;
	int64_t id = rig_apply(rig, 1);
	settle(rig);
	rig_run_days(rig, 16);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "B-3", STAFF, &why_ja, rig->pool, &rig_err));
	assert_false(is_public(rig, id));
	store_rollback(rig->office.store);
	assert_string_equal(intervals(rig, id), "2026-06-15 09:30 -");
	assert_int_equal(published_open(rig->office.store, id, 1, &rig_err), RC_STORE);
	assert_int_equal(published_close(rig->office.store, id, 1, "", &rig_err), RC_STORE);
}

/* ---- a register from before, and another rule ---- */

static void test_publicity__a_register_from_before_is_filled(void **state)
{
	struct rig *rig = *state;
	bool settled;
	int64_t first = rig_apply(rig, 1), second = rig_apply(rig, 2);
	rig_run_days(rig, 16);
	stop(rig, second);
	sql(rig, "DELETE FROM published; DELETE FROM fact WHERE name LIKE 'public.%'");
	assert_ok(office_public_settled(&rig->office, &settled, &rig_err));
	assert_false(settled);
	settle(rig);
	assert_ok(office_public_settled(&rig->office, &settled, &rig_err));
	assert_true(settled);
	assert_string_equal(intervals(rig, first), "2026-06-15 00:00 -"); /* the day of its logo */
	assert_string_equal(intervals(rig, second), "");
}

static void test_publicity__another_rule(void **state)
{
	struct rig *rig = *state;
	bool settled;
	int64_t first = rig_apply(rig, 1);
	settle(rig);
	rig_run_days(rig, 9);
	rig_configure(rig, "public_from = \"id\";");
	assert_ok(office_public_settled(&rig->office, &settled, &rig_err));
	assert_false(settled);
	settle(rig);
	assert_string_equal(
		intervals(rig, first), "2026-06-10 10:00 -"); /* from the moment the rule changed */
	clock_set(&rig->clock, rig->clock.now + 60);
	rig_configure(rig, "public_from = \"logo\";");
	settle(rig);
	assert_false(is_public(rig, first));
}

/* More than go into one transaction; what changes state meanwhile is in line already. */
static void test_publicity__is_filled_some_at_a_time(void **state)
{
	enum { COUNT = 450 };
	struct rig *rig = *state;
	bool more;
	int calls = 1;
	int64_t count = 0, last = 0;
	for (int i = 1; i <= COUNT; i++)
		last = rig_apply(rig, i);
	rig_run_days(rig, 22);
	sql(rig, "DELETE FROM published; DELETE FROM fact WHERE name LIKE 'public.%'");
	assert_ok(office_settle_public(&rig->office, &more, &rig_err));
	stop(rig, 1);
	stop(rig, last);
	for (; more; calls++)
		assert_ok(office_settle_public(&rig->office, &more, &rig_err));
	assert_true(calls > 2);
	assert_ok(published_count(rig->office.store, &count, &rig_err));
	assert_int_equal(count, COUNT - 2);
	assert_null(fault(rig));
}

static void test_publicity__audit_compares_with_the_states(void **state)
{
	struct rig *rig = *state;
	int64_t first = rig_apply(rig, 1), second = rig_apply(rig, 2);
	settle(rig);
	rig_run_days(rig, 16);
	assert_null(fault(rig));
	sql(rig, pool_printf(rig->pool, "DELETE FROM published WHERE application_id = %" PRId64, first));
	assert_non_null(strstr(fault(rig), "missing in the public list"));
	sql(rig, pool_printf(rig->pool,
			 "INSERT INTO published (application_id, since, until) VALUES (%" PRId64 ", 1, 0)",
			 first));
	assert_null(fault(rig));
	stop(rig, second);
	sql(rig, "UPDATE published SET until = 0, payload = NULL");
	assert_non_null(strstr(fault(rig), "no live declaration"));
}

/* ---- taken over ---- */

static void test_publicity__a_declaration_that_is_taken_over(void **state)
{
	struct rig *rig = *state;
	struct import_row row = {.declaration_id = 40000000001,
		.state = STATE_LOGO_AUTHORIZED,
		.star = 2,
		.applied_on = civil_from_ymd(2025, 1, 5),
		.id_issued_on = civil_from_ymd(2025, 1, 12),
		.logo_authorized_on = civil_from_ymd(2025, 1, 19),
		.stopped_on = CIVIL_DAY_NONE,
		.form = rig_form(rig, 1)};
	bool known;
	const char *why_ja;
	settle(rig);
	assert_ok(office_import(&rig->office, &row, "import", &known, &why_ja, rig->pool, &rig_err));
	assert_string_equal(intervals(rig, 1), "2026-06-01 10:00 -");
	struct str values = STR_INIT;
	struct application app = rig_app(rig, 1);
	public_values_pack(rig->settings, &app, &values);
	assert_string_equal(
		values.s, "star=2\nday=2025-01-12\nbusiness_name=株式会社サンプル1\nprefecture=東京都\n");
	str_free(&values);
	assert_null(fault(rig));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(test_publicity__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(from_the_logo_until_the_end),
		CASE(from_the_id_where_the_settings_say_so),
		CASE(a_step_up_takes_the_place_of_its_star),
		CASE(a_correction_closes_with_what_was_said),
		CASE(a_stop_that_is_taken_back),
		CASE(stands_or_falls_with_the_transaction),
		CASE(a_register_from_before_is_filled),
		CASE(another_rule),
		CASE(is_filled_some_at_a_time),
		CASE(audit_compares_with_the_states),
		CASE(a_declaration_that_is_taken_over),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}
