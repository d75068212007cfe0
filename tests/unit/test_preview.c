/* Letters as the office makes them: previews of every notice, and letters that must not go out. */
#include "office_rig.h"

#include "lib/office/inbound_p.h"

static enum rc preview(
	struct rig *rig, int64_t id, const char *profile, const char *name, struct rendered *out)
{
	struct str raw = STR_INIT;
	rendered_free(out);
	enum rc rc = office_preview(&rig->office, id, profile, name, out, &raw, &rig_err);
	assert_int_equal(rc == RC_OK, raw.len > 0);
	str_free(&raw);
	return rc;
}

static void test_preview__every_notice_of_every_profile(void **state)
{
	static const char *const names[][7] = {
		{"form", "receipt", "id", "logo", NOTICE_RESEND_HEAD, NOTICE_REFUSED, NOTICE_REJECTED},
		{"site", "confirm", "completion", "acceptance", NOTICE_RESEND_HEAD, NOTICE_REFUSED,
			NOTICE_REJECTED},
		{"instant", "receipt", "id", "logo", NOTICE_RESEND_HEAD, NOTICE_REFUSED, NOTICE_REJECTED},
	};
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct rendered out = RENDERED_INIT;
	for (size_t p = 0; p < sizeof names / sizeof names[0]; p++)
		for (size_t i = 1; i < sizeof names[p] / sizeof names[p][0]; i++) {
			assert_ok(preview(rig, 0, names[p][0], names[p][i], &out));
			assert_true(out.subject.len > 0 && out.body.len > 0);
			if (p > 0)
				continue;
			assert_ok(preview(rig, id, NULL, names[p][i],
				&out)); /* of a real application, under its own profile */
			assert_int_equal(strstr(out.body.s, "株式会社サンプル1\n見本 花子 様") == out.body.s,
				strcmp(names[p][i], NOTICE_RESEND_HEAD) != 0);
		}
	assert_int_equal(preview(rig, 0, "form", "no-such-notice", &out), RC_REFUSED);
	rendered_free(&out);
}

/* What answers mails is shown by its name, for an application and for sample data; what strangers get prints nothing of either. */
static void test_preview__every_answer(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct rendered out = RENDERED_INIT;
	rig_run_days(rig, 20);
	for (int i = 0; i < ANSWER_COUNT; i++) {
		bool names_it = i != ANSWER_CONFIRM_ADDRESS && i != ANSWER_GUIDE &&
				i != ANSWER_WRONG_NUMBER && i != ANSWER_NEUTRAL && i != ANSWER_READABLE_FORM;
		assert_ok(preview(rig, 0, "answer", answer_template[i], &out));
		assert_true(out.subject.len > 0 && out.body.len > 0);
		assert_ok(preview(rig, 0, NULL, answer_template[i], &out));
		assert_ok(preview(rig, id, NULL, answer_template[i], &out));
		assert_int_equal(strstr(out.body.s, "株式会社サンプル1") != NULL, names_it);
		assert_null(strstr(out.body.s, "{{"));
	}
	assert_int_equal(preview(rig, 0, "answer", NULL, &out), RC_REFUSED);
	assert_int_equal(preview(rig, 0, "form", answer_template[ANSWER_NEUTRAL], &out), RC_REFUSED);
	rendered_free(&out);
}

/* N22, T14: a number or address of somebody else, a character nobody can show, a line break: the letter is not queued, a person looks. */
static void test_preview__letters_that_must_not_go_out(void **state)
{
	static const struct {
		enum form_field field;
		const char *value;
	} cases[] = {
		{FIELD_CONTACT, "見本 花子 41234567890"},
		{FIELD_CONTACT, "見本 花子（9123456789）"},
		{FIELD_CONTACT, "見本 花子 hanako@example.com"},
		{FIELD_BUSINESS_NAME, "見本 ７０１０７０５０００７２５"},
		{FIELD_BUSINESS_NAME, "見本\uE000商店"},
		{FIELD_BUSINESS_NAME, "見本\uFFFD商店"},
		{FIELD_BUSINESS_NAME, "見本\n商店"},
		{FIELD_BUSINESS_NAME, "見本\r\nBcc: hanako@example.com"},
		{FIELD_BUSINESS_NAME, "見本\u2028商店"},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct form_values form = rig_form(rig, (int)i + 1);
		form.value[cases[i].field] = cases[i].value;
		int64_t id = rig_register(rig, &form);
		struct application app = rig_app(rig, id);
		if (app.hold != HOLD_REVIEW || *rig_outbox(rig, id))
			fail_msg("case %zu: hold %d, outbox \"%s\"", i, (int)app.hold, rig_outbox(rig, id));
		assert_true(*app.hold_reason);
	}
	assert_int_equal(rig_send(rig), 0);
}

/* Text that looks like a placeholder is a name like any other. */
static void test_preview__a_name_is_never_expanded(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_BUSINESS_NAME] = "{{declaration_id}}商店";
	int64_t id = rig_register(rig, &form);
	struct rendered out = RENDERED_INIT;
	assert_ok(preview(rig, id, NULL, "logo", &out));
	assert_true(str_has_prefix(out.body.s, "{{declaration_id}}商店\n"));
	rendered_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_preview__every_notice_of_every_profile, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_preview__every_answer, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_preview__letters_that_must_not_go_out, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_preview__a_name_is_never_expanded, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
