/* T7: new templates and a new flow meet cases that wait. The whole set is swapped with a case in every state; then a broken set is swapped in. */
#include "office_rig.h"

#define NEW "新しい文面です。"

static const char slow_profile[] =
	"name = \"form\"; id_prefix = 4; id_digits = 11; user_prefix = 9; user_digits = 10;\n"
	"stages = ( { name = \"receipt\"; template = \"receipt\"; state = \"received\"; after_received : { "
	"target = 0; }; },\n"
	" { name = \"id\"; template = \"id\"; state = \"id_issued\"; after_received : { target = 28; }; } "
	");\n";

/* The shipped set with a word of ours in each body. */
static void new_set(struct rig *rig, const char *set)
{
	struct str from = STR_INIT, to = STR_INIT;
	struct strlist names = {0};
	str_printf(&from, "%s/%s", rig->settings->template_directory, set);
	str_printf(&to, "%s/mail/%s", rig->dir, set);
	assert_ok(file_mkdirs(to.s, 0700, &rig_err));
	assert_ok(file_list_dir(&names, from.s, &rig_err));
	for (size_t i = 0; i < names.count; i++) {
		struct str source = STR_INIT, target = STR_INIT, text = STR_INIT;
		path_join(&source, from.s, names.item[i]);
		path_join(&target, to.s, names.item[i]);
		assert_ok(file_read(&text, source.s, 1 << 20, &rig_err));
		str_addz(&text, NEW "\n");
		assert_ok(file_write(target.s, text.s, text.len, 0600, &rig_err));
		str_free(&source);
		str_free(&target);
		str_free(&text);
	}
	strlist_free(&names);
	str_free(&from);
	str_free(&to);
}

enum { RECEIVED, QUEUED, ISSUED, HELD, REVIEWED, AUTHORIZED, STOPPED, WITHDRAWN, CASES };

static enum outcome later(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_TEMPORARY;
}

static void case_in_every_state(struct rig *rig, int64_t *ids)
{
	const char *why_ja;
	ids[AUTHORIZED] = rig_apply(rig, AUTHORIZED + 1);
	ids[STOPPED] = rig_apply(rig, STOPPED + 1);
	rig_run_days(rig, 20);
	assert_ok(office_stop(
		&rig->office, ids[STOPPED], CIVIL_DAY_NONE, "廃業", "staff:1", &why_ja, rig->pool, &rig_err));
	ids[ISSUED] = rig_apply(rig, ISSUED + 1);
	ids[HELD] = rig_apply(rig, HELD + 1);
	rig_run_days(rig, 8);
	rig_decide(rig, ids[HELD], DECISION_HOLD, "書類待ち");
	ids[RECEIVED] = rig_apply(rig, RECEIVED + 1);
	ids[WITHDRAWN] = rig_apply(rig, WITHDRAWN + 1);
	struct form_values doubtful = rig_form(rig, REVIEWED + 1);
	doubtful.value[FIELD_APPLIED_ON] = "2026-01-05"; /* too long ago */
	ids[REVIEWED] = rig_register(rig, &doubtful);
	(void)rig_turn(rig);
	rig_decide(rig, ids[WITHDRAWN], DECISION_WITHDRAW, "取下げ");
	rig->answer = later;
	ids[QUEUED] = rig_apply(rig, QUEUED + 1);
	(void)rig_turn(rig);
	rig->answer = NULL;
}

static void assert_old_texts(struct rig *rig, int64_t id)
{
	struct rig_notices all = rig_notices(rig, id);
	for (int i = 0; i < all.count; i++)
		if (strstr(rig_text(rig, all.item[i].id), NEW))
			fail_msg("case %" PRId64 ": its letter %s is of the new set", id,
				all.item[i].template_name);
}

static void test_trap_07__set_swapped_under_every_state(void **state)
{
	struct rig *rig = *state;
	int64_t ids[CASES];
	case_in_every_state(rig, ids);
	new_set(rig, "form");
	new_set(rig, "answer");
	rig_write(rig, "slow.conf", slow_profile);
	rig_configure(rig, "template_directory = \"mail\"; profile_files = ( \"slow.conf\" );");
	rig_restart(rig);
	int64_t newest = rig_apply(rig, CASES + 1);
	rig_run_days(rig, 3);
	rig_decide(rig, ids[HELD], DECISION_RELEASE, "");
	rig_decide(rig, ids[REVIEWED], DECISION_APPROVE, "確認済み");
	rig_run_days(rig, 50);

	static const struct {
		int which;
		const char *outbox;
	} ends[] = {
		{RECEIVED, "receipt/sent id/sent logo/sent"},
		{QUEUED, "receipt/sent id/sent logo/sent"},
		{ISSUED, "receipt/sent id/sent logo/sent"},
		{HELD, "receipt/sent id/sent logo/sent"},
		{REVIEWED, "receipt/sent id/sent logo/sent"},
		{AUTHORIZED, "receipt/sent id/sent logo/sent"},
		{STOPPED, "receipt/sent id/sent logo/sent"},
		{WITHDRAWN, "receipt/sent"},
	};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if (strcmp(rig_outbox(rig, ids[ends[i].which]), ends[i].outbox) != 0)
			fail_msg("case %d: %s", ends[i].which, rig_outbox(rig, ids[ends[i].which]));
		assert_old_texts(rig, ids[ends[i].which]);
	}
	/* Who came after the change has the new flow and the new words. */
	assert_string_equal(rig_outbox(rig, newest), "receipt/sent id/sent");
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, newest).item[1].id), NEW));
	rig_assert_whole(rig);
}

/* A set that does not fit its values is refused whole; everybody goes on under the old one. */
static void test_trap_07__broken_set_changes_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t ids[CASES];
	case_in_every_state(rig, ids);
	new_set(rig, "form");
	new_set(rig, "answer");
	rig_write(rig, "slow.conf", slow_profile);
	rig_load_settings(rig, "template_directory = \"mail\"; profile_files = ( \"slow.conf\" );");
	rig_write(rig, "mail/form/id.txt", "Subject: x\n\n{{no_such_value}}\n");
	assert_int_equal(office_load_templates(&rig->office, &rig_err), RC_CONFIG);
	int64_t newest = rig_apply(rig, CASES + 1);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, ids[RECEIVED]), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, newest), "receipt/sent id/sent logo/sent");
	assert_old_texts(rig, newest);
	rig_assert_whole(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_07__set_swapped_under_every_state, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_07__broken_set_changes_nothing, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
