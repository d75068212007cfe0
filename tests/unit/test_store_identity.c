#include "tests/unit/store_rig.h"

static const char *found(
	struct rig *rig, const char *name, const char *representative, const char *prefecture)
{
	int64_t id[4];
	int count = 0;
	struct str text = STR_INIT;
	assert_ok(application_by_identity(
		rig->store, name, representative, prefecture, id, 4, &count, &rig_err));
	for (int i = 0; i < count; i++)
		str_printf(&text, "%s%lld", i ? " " : "", (long long)id[i]);
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

static void add(struct rig *rig, int first, int count)
{
	assert_ok(store_begin(rig->store, &rig_err));
	for (int i = 0; i < count; i++)
		assert_int_equal(rig_add(rig, first + i), first + i);
	assert_ok(store_commit(rig->store, &rig_err));
}

/* As the office compares names: width, blanks, company forms and old glyphs make no difference, anything else does. */
static void test_store_identity__compares_as_the_office_does(void **state)
{
	static const struct {
		const char *name, *representative, *prefecture, *want;
	} each[] = {
		{"株式会社サンプル1", "見本太郎", "東京都", "1"},
		{"（株）ｻﾝﾌﾟﾙ１", "見本　太郎", "東京都", "1"},
		{"㈱サンプル2", " 見本 太郎 ", "東京都", "2"},
		{"株式会社サンプル3", "見本太郎", "東京都", ""},
		{"株式会社サンプル1", "見本次郎", "東京都", ""},
		{"株式会社サンプル1", "見本太郎", "大阪府", ""},
		{"株式会社サンプル1", "", "東京都", ""},
		{"", "見本太郎", "東京都", ""},
		{"株式会社サンプル1", "見本太郎", "", ""},
	};
	struct rig *rig = *state;
	add(rig, 1, 2);
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		const char *got = found(rig, each[i].name, each[i].representative, each[i].prefecture);
		if (strcmp(got, each[i].want) != 0)
			fail_msg("line %zu: \"%s\", not \"%s\"", i, got, each[i].want);
	}
}

static void test_store_identity__several_live_ones(void **state)
{
	struct rig *rig = *state;
	struct application app;
	uint8_t digest[SHA256_LEN] = {0};
	add(rig, 1, 1);
	assert_ok(store_begin(rig->store, &rig_err));
	/* the same name elsewhere, another office of it, and a ★★ that runs for the first */
	app = rig_application(rig->pool, 1);
	app.form.value[FIELD_PREFECTURE] = "大阪府";
	assert_ok(application_add(rig->store, &app, "s:2", "a@example.co.jp", digest, &rig_err));
	app = rig_application(rig->pool, 1);
	app.form.value[FIELD_ADDRESS] = "千代田区例示町1-1";
	assert_ok(application_add(rig->store, &app, "s:3", "b@example.co.jp", digest, &rig_err));
	app = rig_application(rig->pool, 1);
	app.kind = KIND_STEP_UP;
	app.linked_id = 1;
	assert_ok(application_add(rig->store, &app, "s:4", "c@example.co.jp", digest, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_string_equal(found(rig, "株式会社サンプル1", "見本太郎", "東京都"), "1 3");

	/* The ★ gives way: the ★★ stands in its place. */
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(application_get(rig->store, 1, &app, rig->pool, &rig_err));
	app.state = STATE_SUPERSEDED;
	assert_ok(application_update(rig->store, &app, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_string_equal(found(rig, "株式会社サンプル1", "見本太郎", "東京都"), "3 4");
}

static void test_store_identity__follows_the_form(void **state)
{
	struct rig *rig = *state;
	struct application app;
	add(rig, 1, 1);
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(application_get(rig->store, 1, &app, rig->pool, &rig_err));
	app.form.value[FIELD_BUSINESS_NAME] = "株式会社ミホン";
	assert_ok(application_update_form(rig->store, &app, "c:1", "info@example.co.jp", &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_string_equal(found(rig, "株式会社サンプル1", "見本太郎", "東京都"), "");
	assert_string_equal(found(rig, "株式会社ミホン", "見本太郎", "東京都"), "1");

	assert_ok(store_begin(rig->store, &rig_err));
	app.form.value[FIELD_BUSINESS_NAME] = NULL;
	assert_ok(application_update_form(rig->store, &app, "c:1", "info@example.co.jp", &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_string_equal(found(rig, "株式会社ミホン", "見本太郎", "東京都"), "");
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM identity"), 0);
}

/* Forms of a register that is upgraded are entered, more of them than are read at once. */
/* What an upgrade does (test_store_migrate.c), over more than one batch. */
static void test_store_identity__filled_from_the_forms(void **state)
{
	struct rig *rig = *state;
	add(rig, 1, BATCH + 3);
	sql_aside(rig, "DELETE FROM identity");
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(identities_fill(rig->store, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM identity"), BATCH + 3);
	assert_string_equal(found(rig, "株式会社サンプル259", "見本太郎", "東京都"), "259");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_store_identity__compares_as_the_office_does, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_store_identity__several_live_ones, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_store_identity__follows_the_form, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_store_identity__filled_from_the_forms, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
