/* Trap 28: a missing value passes every check and the letter leaves with a hole; a preview that fills nothing. Each value of the form left out of each letter in turn:
 * the letter is whole, or none is written and a person is told; a preview shows what will be sent. */
#include "office_rig.h"

/* Two blanks or a label with nothing behind it, a pair of empty brackets, a placeholder: what a hole looks like. */
static const char *hole_in(const char *text)
{
	static const char *const holes[] = {"{{", "}}", "（）", "「」", "ID：\n", "ID: \n", "番号：\n",
		"URL：\n", "パスワード：\n", "\n 様", "\n　様", "(null)"};
	if (strncmp(text, "\n", 1) == 0)
		return "an empty subject";
	for (size_t i = 0; i < sizeof holes / sizeof *holes; i++)
		if (strstr(text, holes[i]))
			return holes[i];
	return NULL;
}

static void test_trap_28__no_letter_with_a_hole(void **state)
{
	struct rig *rig = *state;
	int letters = 0, reviews = 0;
	for (int field = -1; field < FIELD_COUNT; field++)
		for (int kind = 0; kind < 2; kind++) {
			struct form_values form = rig_form(rig, 100 + field * 2 + kind);
			int64_t id = 0;
			bool review;
			if (field == FIELD_KIND || field == FIELD_TYPE)
				continue; /* what it is an application of */
			if (field >= 0)
				form.value[field] = kind ? "" : NULL;
			assert_ok(store_begin(rig->office.store, &rig_err));
			enum rc rc = office_register(&rig->office, &form, NULL, 0, 1, &id, &review, &rig_err);
			if (rc) {
				assert_int_equal(rc, RC_REFUSED);
				store_rollback(rig->office.store);
				continue;
			}
			assert_ok(store_commit(rig->office.store, &rig_err));
			rig_run_days(rig, 20);
			struct rig_notices all = rig_notices(rig, id);
			if (rig_app(rig, id).hold == HOLD_REVIEW)
				reviews++;
			else
				assert_int_equal(all.count, 3);
			for (int i = 0; i < all.count; i++) {
				const char *hole = hole_in(rig_text(rig, all.item[i].id));
				if (hole)
					fail_msg("%s without %s has a hole: %s", all.item[i].template_name,
						field < 0 ? "nothing"
							  : form_field_key((enum form_field)field),
						hole);
				letters++;
			}
		}
	assert_true(letters > 60);
	assert_true(reviews > 0); /* some letters can't be written */
	rig_assert_whole(rig);
}

/* A logo without its password, an office without its key: the letter waits for a person, and goes when it can be whole. */
static void test_trap_28__no_logo_without_its_password(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	struct logo *logos = rig->secrets.logo;
	size_t count = rig->secrets.logo_count;
	rig->secrets.logo_count = 0;
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	assert_int_not_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	rig->secrets.logo = logos;
	rig->secrets.logo_count = count;
}

static void test_trap_28__a_preview_is_the_letter(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	static const char *const names[] = {"receipt", "id", "logo"};
	for (int i = 0; i < 3; i++) {
		struct rendered rendered = RENDERED_INIT;
		struct str raw = STR_INIT;
		assert_ok(office_preview(&rig->office, 0, "form", names[i], &rendered, &raw, &rig_err));
		const char *text = pool_printf(rig->pool, "%s\n%s", rendered.subject.s, rendered.body.s);
		if (hole_in(text))
			fail_msg("the preview of %s has a hole: %s", names[i], hole_in(text));
		str_free(&rendered.subject);
		str_free(&rendered.body);
		str_free(&rendered.headers);
		str_free(&raw);
	}
	struct rendered rendered = RENDERED_INIT;
	assert_ok(office_preview(&rig->office, id, "form", "receipt", &rendered, NULL, &rig_err));
	const char *sent = rig_text(rig, rig_notices(rig, id).item[0].id);
	assert_true(str_has_prefix(sent, rendered.subject.s));
	assert_non_null(strstr(rendered.body.s, "株式会社サンプル1"));
	assert_non_null(strstr(sent, "株式会社サンプル1"));
	str_free(&rendered.subject);
	str_free(&rendered.body);
	str_free(&rendered.headers);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_28__no_letter_with_a_hole, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_28__no_logo_without_its_password, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_28__a_preview_is_the_letter, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
