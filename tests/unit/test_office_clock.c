#include "office_rig.h"

#include <signal.h>
#include <sys/resource.h>

/* Rule 5: a run that finds far more due than was forecast stops and asks. Rule 3: after downtime oldest first, nothing twice. */

static const char tight[] = "ceiling_minimum = 10; ceiling_percent = 150;";

static int count_state(struct rig *rig, enum state state)
{
	struct books books;
	assert_ok(store_books(rig->office.store, &books, &rig_err));
	return (int)books.by_state[state];
}

static struct office_holds holds(struct rig *rig)
{
	struct office_holds out;
	assert_ok(office_holds(&rig->office, &out, &rig_err));
	return out;
}

/* ---- the ceiling ---- */

static enum rc release_ceiling(struct rig *rig)
{
	bool released, waits;
	const char *why_ja;
	return office_release_ceiling(
		&rig->office, "staff:1000", &released, &waits, &why_ja, rig->pool, &rig_err);
}

/* A usual day never asks, however many it is: the forecast knew. */
static void test_office_clock__forecast_days_do_not_ask(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, tight);
	for (int i = 0; i < 40; i++)
		(void)rig_apply(rig, i);
	rig_run_days(rig, 20);
	assert_false(holds(rig).stages.asked);
	assert_int_equal(count_state(rig, STATE_LOGO_AUTHORIZED), 40);
	assert_int_equal(rig->delivered, 120);
}

/* T5: three weeks off, then start. */
static void test_office_clock__asks_after_three_weeks_off(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, tight);
	for (int i = 0; i < 40; i++) {
		(void)rig_apply(rig, i);
		if (i % 10 == 9)
			rig_run_days(rig, 1);
	}
	(void)rig_turn(rig);
	clock_set(&rig->clock, rig_at(2026, 6, 26, 8, 0));
	rig_restart(rig);
	rig_run_until(rig, rig_at(2026, 6, 26, 12, 0));
	struct office_holds asked = holds(rig);
	assert_true(asked.stages.asked);
	assert_int_equal(asked.stages.limit, 10);
	assert_int_equal(asked.stages.due, 30);
	assert_int_equal(asked.stages.day, civil_from_ymd(2026, 6, 26));
	assert_int_equal(count_state(rig, STATE_ID_ISSUED), 10);
	/* oldest first */
	assert_int_equal(rig_app(rig, 1).state, STATE_ID_ISSUED);
	assert_int_equal(rig_app(rig, 10).state, STATE_ID_ISSUED);
	assert_int_equal(rig_app(rig, 11).state, STATE_RECEIVED);

	/* The question stands over days, and is asked once. */
	rig_run_until(rig, rig_at(2026, 6, 30, 12, 0));
	assert_int_equal(count_state(rig, STATE_ID_ISSUED), 10);
	assert_int_equal(rig_count_events(rig, 0, EVENT_CEILING), 1);

	/* Release allows what is due; the gap between two stages is kept. */
	assert_ok(release_ceiling(rig));
	rig_run_until(rig, rig_at(2026, 6, 30, 13, 0));
	assert_int_equal(count_state(rig, STATE_ID_ISSUED), 40);
	assert_false(holds(rig).stages.asked);
	rig_run_until(rig, rig_at(2026, 7, 31, 13, 0));
	assert_int_equal(count_state(rig, STATE_LOGO_AUTHORIZED), 40);
	assert_int_equal(rig->delivered, 120);
	rig_assert_whole(rig);
}

static void test_office_clock__release_needs_a_question(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(release_ceiling(rig), RC_REFUSED);
	assert_int_equal(office_release_restored(&rig->office, "staff:1000", &rig_err), RC_REFUSED);
}

/* Receipts have a ceiling of their own; the forms are registered all the same. */
static void test_office_clock__receipt_ceiling(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "receipt_ceiling = 5;");
	for (int i = 0; i < 12; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	assert_int_equal(count_state(rig, STATE_RECEIVED), 12);
	assert_int_equal(rig->delivered, 5);
	assert_true(holds(rig).at_once.asked);
	assert_false(holds(rig).stages.asked);
	/* What an answer would let go is what is due now, not what was when it was asked: then it was one. */
	assert_int_equal(holds(rig).at_once.due, 7);
	assert_ok(release_ceiling(rig));
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 12);
}

static void test_office_clock__simulation_answers(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, tight);
	for (int i = 0; i < 40; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	clock_set(&rig->clock, rig_at(2026, 6, 26, 10, 0));
	rig->office.answers_ceiling = true;
	(void)rig_turn(rig);
	assert_int_equal(count_state(rig, STATE_ID_ISSUED), 40);
	assert_int_equal(rig_count_events(rig, 0, EVENT_CEILING), 2);
}

/* ---- holds of the office ---- */

static void pause_office(struct rig *rig, const char *name, bool on)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, name, on ? "staff" : NULL, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static void test_office_clock__pauses(void **state)
{
	struct rig *rig = *state;
	pause_office(rig, "pause.sending", true);
	int64_t first = rig_apply(rig, 1);
	rig_run_days(rig, 1);
	assert_string_equal(rig_outbox(rig, first), "receipt/queued");
	pause_office(rig, "pause.sending", false);
	pause_office(rig, "pause.deciding", true);
	int64_t second = rig_apply(rig, 2);
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, first), "receipt/sent");
	assert_string_equal(rig_outbox(rig, second), "");
	pause_office(rig, "pause.deciding", false);
	(void)rig_turn(rig);
	/* The receipt has no distance to the ID: what is due follows as soon as the server has taken it. */
	assert_string_equal(rig_outbox(rig, second), "receipt/sent id/sent");
	assert_string_equal(rig_outbox(rig, first), "receipt/sent id/sent");
}

/* N27: a restored copy cannot mail; what comes in is registered, and waits. */
static void test_office_clock__restored_store_is_held(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	office_close(&rig->office);
	store_close(&rig->office.store);
	rig->store_settings.host = "host-b";
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
	assert_int_equal(holds(rig).restored, RESTORED_OTHER_HOST);
	int64_t next = rig_apply(rig, 2);
	rig_run_days(rig, 20);
	assert_int_equal(rig->delivered, 0);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_string_equal(rig_outbox(rig, next), "");

	assert_ok(office_release_restored(&rig->office, "staff:1000", &rig_err));
	assert_int_equal(holds(rig).restored, RESTORED_NO);
	rig_run_days(rig, 40);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, next), "receipt/sent id/sent logo/sent");
	rig_assert_whole(rig);
}

/* ---- T1: kill between any two steps ---- */

/* What was not committed has not happened; what was, happens once. */
static void test_office_clock__killed_in_the_middle(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t id, again;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, NULL, 0, 1, &id, &rig_review, &rig_err));
	rig_restart(rig); /* before the commit */
	again = rig_apply(rig, 1);
	assert_int_equal(again, id);

	/* between claim and answer */
	struct notice notice;
	int count;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 1, NULL, &notice, &count, rig->pool, &rig_err));
	rig_restart(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 1, NULL, &notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_restart(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sending");
	assert_ok(office_recover_sending(&rig->office, &count, &rig_err));
	assert_int_equal(count, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/unknown");
	assert_ok(office_recover_sending(&rig->office, &count, &rig_err));
	assert_int_equal(count, 0);
	rig_run_days(rig, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");

	/* in the middle of a stage: state, number, letter stand or fall together */
	clock_set(&rig->clock, rig_at(2026, 6, 8, 10, 0));
	struct step_result step;
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_int_equal(step.done, 1);
	rig_restart(rig);
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_int_equal(step.done, 0);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	rig_assert_whole(rig);
}

/* ---- T6: the clock ---- */

static void test_office_clock__back_and_forth_never_twice(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	static const int days[] = {9, -5, 12, -20, 40, -1, 0, 365, -360, 30};
	(void)rig_turn(rig);
	for (size_t i = 0; i < sizeof days / sizeof days[0]; i++) {
		clock_set(&rig->clock, rig->clock.now + (utc_time)days[i] * 86400);
		rig_restart(rig);
		struct step_result step;
		assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
		(void)rig_send(rig);
		assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
		assert_true(step.next_at > rig->clock.now);
	}
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_int_equal(rig->delivered, 3);
	rig_assert_whole(rig);
}

static void test_office_clock__days_that_trip_calendars(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int apply[3], id[3], logo[3];
	} cases[] = {
		{{2027, 12, 31}, {2028, 1, 7}, {2028, 1, 14}},
		{{2028, 2, 22}, {2028, 2, 29}, {2028, 3, 7}}, /* 29 February */
		{{2028, 4, 25}, {2028, 5, 2}, {2028, 5, 9}},
		{{2028, 4, 27}, {2028, 5, 8},
			{2028, 5, 15}}, /* 5/4 is みどりの日, then こどもの日, weekend */
		{{2028, 8, 31}, {2028, 9, 7}, {2028, 9, 14}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		clock_set(
			&rig->clock, rig_at(cases[i].apply[0], cases[i].apply[1], cases[i].apply[2], 23, 59));
		int64_t id = rig_apply(rig, (int)i);
		rig_run_days(rig, 40);
		struct rig_notices all = rig_notices(rig, id);
		assert_int_equal(all.count, 3);
		assert_true(all.item[1].queued_at ==
			    rig_at(cases[i].id[0], cases[i].id[1], cases[i].id[2], 9, 30));
		assert_true(all.item[2].queued_at ==
			    rig_at(cases[i].logo[0], cases[i].logo[1], cases[i].logo[2], 9, 30));
	}
}

/* ---- T7: rules changed under waiting cases ---- */

static const char slow_profile[] =
	"name = \"form\"; id_prefix = 4; id_digits = 11; user_prefix = 9; user_digits = 10;\n"
	"stages = ( { name = \"receipt\"; template = \"receipt\"; state = \"received\";\n"
	" after_received : { target = 0; }; },\n"
	" { name = \"id\"; template = \"id\"; state = \"id_issued\"; after_received : { target = 28; }; } "
	");\n";

static void copy_set(struct rig *rig, const char *set)
{
	struct str from = STR_INIT, to = STR_INIT;
	struct strlist names = {0};
	path_join(&from, rig->settings->template_directory, set);
	path_join(&to, rig->dir, "mail");
	str_printf(&to, "/%s", set);
	assert_ok(file_mkdirs(to.s, 0700, &rig_err));
	assert_ok(file_list_dir(&names, from.s, &rig_err));
	for (size_t i = 0; i < names.count; i++) {
		struct str source = STR_INIT, target = STR_INIT, text = STR_INIT;
		path_join(&source, from.s, names.item[i]);
		path_join(&target, to.s, names.item[i]);
		assert_ok(file_read(&text, source.s, 1 << 20, &rig_err));
		if (strcmp(names.item[i], "id.txt") == 0) {
			char *word = strstr(text.s, "このたびは");
			assert_non_null(word);
			memcpy(word, "新しい文面", strlen("新しい文面"));
		}
		assert_ok(file_write(target.s, text.s, text.len, 0600, &rig_err));
		str_free(&source);
		str_free(&target);
		str_free(&text);
	}
	strlist_free(&names);
	str_free(&from);
	str_free(&to);
}

static void copy_templates(struct rig *rig)
{
	copy_set(rig, "form");
	copy_set(rig, "answer");
}

/* An application keeps the profile and the templates it was received under, whatever is edited later. */
static void test_office_clock__rules_are_pinned(void **state)
{
	struct rig *rig = *state;
	int64_t waiting = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	int64_t young = rig_apply(rig, 2);
	rig_run_days(rig, 1);
	copy_templates(rig);
	rig_write(rig, "slow.conf", slow_profile);
	rig_configure(rig, "template_directory = \"mail\"; profile_files = ( \"slow.conf\" );");
	rig_restart(rig);
	int64_t newest = rig_apply(rig, 3);
	rig_run_days(rig, 40);

	assert_string_equal(rig_outbox(rig, waiting), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, young), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, newest), "receipt/sent id/sent");
	assert_null(strstr(rig_text(rig, rig_notices(rig, young).item[1].id), "新しい文面"));
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, newest).item[1].id), "新しい文面"));
	assert_true(rig_notices(rig, newest).item[1].queued_at >= rig_at(2026, 7, 8, 9, 30));
	rig_assert_whole(rig);
}

/* A broken template set is refused at reload, and the old one stays in force. */
static void test_office_clock__broken_templates_are_refused(void **state)
{
	struct rig *rig = *state;
	copy_templates(rig);
	rig_write(rig, "slow.conf", slow_profile);
	rig_write(rig, "mail/form/id.txt", "Subject: x\n\n{{no_such_value}}\n");
	rig_load_settings(rig, "template_directory = \"mail\"; profile_files = ( \"slow.conf\" );");
	assert_int_equal(office_load_templates(&rig->office, &rig_err), RC_CONFIG);
	assert_non_null(strstr(rig_err.text, "no_such_value"));
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
}

/* A set that can't be written is not in force either: the old rules are, and they are on file. */
static void test_office_clock__unwritten_templates_are_refused(void **state)
{
	struct rig *rig = *state;
	struct rlimit old, none = {0};
	copy_templates(rig);
	rig_write(rig, "slow.conf", slow_profile);
	rig_load_settings(rig, "template_directory = \"mail\"; profile_files = ( \"slow.conf\" );");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	none.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	assert_int_equal(office_load_templates(&rig->office, &rig_err), RC_STORE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_null(strstr(rig_text(rig, rig_notices(rig, id).item[1].id), "新しい文面"));
	rig_assert_whole(rig);
}

/* ---- plan and why ---- */

struct plan {
	struct str text;
	struct rig *rig;
};

static enum rc take_planned(void *ctx, const struct planned *planned, struct err *err)
{
	struct plan *plan = ctx;
	(void)err;
	civil_time_print(&plan->text, planned->at);
	str_printf(&plan->text, " %" PRId64 " %s %s (%s)\n", planned->application_id, planned->template_name,
		planned->certain ? "certain" : "reckoned", planned->why);
	return RC_OK;
}

static void test_office_clock__plan_lists_the_mails_to_come(void **state)
{
	struct rig *rig = *state;
	struct plan plan = {.text = STR_INIT, .rig = rig};
	int64_t count[40][STAGE_MAX];
	(void)rig_apply(rig, 1);
	(void)rig_turn(rig);
	rig_run_until(rig, rig_at(2026, 9, 8, 10, 0)); /* 国民の休日 and holidays lie ahead */
	int64_t held = rig_apply(rig, 2);
	(void)rig_apply(rig, 3);
	(void)rig_apply(rig, 4);
	(void)rig_turn(rig);
	rig_decide(rig, held, DECISION_HOLD, "確認中");
	(void)rig_apply(rig, 5); /* its receipt is still in the outbox */
	assert_ok(office_plan(
		&rig->office, rig_today(rig), rig_today(rig) + 39, take_planned, &plan, count, &rig_err));
	assert_string_equal(plan.text.s, "2026-09-15 09:30 3 id certain (7 days after application)\n"
					 "2026-09-15 09:30 4 id certain (7 days after application)\n"
					 "2026-09-15 09:30 5 id reckoned (7 days after application)\n"
					 "2026-09-24 09:30 3 logo reckoned (14 days after application, moved "
					 "from 2026-09-22 (国民の休日))\n"
					 "2026-09-24 09:30 4 logo reckoned (14 days after application, moved "
					 "from 2026-09-22 (国民の休日))\n"
					 "2026-09-24 09:30 5 logo reckoned (14 days after application, moved "
					 "from 2026-09-22 (国民の休日))\n");
	assert_int_equal(count[7][1], 3);
	assert_int_equal(count[16][2], 3);
	str_free(&plan.text);

	/* and they come as planned */
	int before = rig->delivered;
	rig_run_days(rig, 39);
	assert_int_equal(rig->delivered - before, 7); /* with the receipt of 5 */
}

static const char *why(struct rig *rig, int64_t id)
{
	struct str text = STR_INIT;
	struct due due;
	struct application app = rig_app(rig, id);
	assert_ok(office_why(&rig->office, &app, &text, &due, &rig_err));
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

static enum outcome greylist(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_TEMPORARY;
}

static void test_office_clock__why_answers_in_the_order_of_deciding(void **state)
{
	struct rig *rig = *state;
	rig_run_until(rig, rig_at(2026, 9, 15, 10, 0));
	int64_t id = rig_apply(rig, 1);
	assert_non_null(strstr(why(rig, id), "\"receipt\" waits to be sent"));
	rig->answer = greylist;
	(void)rig_send(rig);
	assert_non_null(strstr(why(rig, id), "last answer of the mail server: 451 4.7.1 Greylisted"));
	rig->answer = NULL;
	rig_run_days(rig, 1);
	const char *text = why(rig, id);
	assert_non_null(strstr(text, "The notice \"id\" goes out on 2026-09-24 (Thu) 09:30."));
	assert_non_null(
		strstr(text, "The clock started on 2026-09-15 (Tue); 7 days later is 2026-09-22 (Tue)."));
	assert_non_null(strstr(text, "2026-09-22 (Tue), is no office day (国民の休日)"));
	assert_non_null(strstr(text, "Last sent: \"receipt\" on 2026-09-15 (Tue) 10:05"));
	pause_office(rig, "pause.deciding", true);
	assert_non_null(strstr(why(rig, id), "paused for the whole office"));
	pause_office(rig, "pause.deciding", false);
	rig_decide(rig, id, DECISION_HOLD, "書類待ち");
	assert_non_null(strstr(why(rig, id), "Staff hold it: 書類待ち"));
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 30);
	assert_non_null(strstr(why(rig, id), "All its notices have been sent."));
	const char *why_ja;
	assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "", "staff:1", &why_ja, rig->pool, &rig_err));
	assert_non_null(strstr(why(rig, id), "It is over (stopped)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_office_clock__forecast_days_do_not_ask, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__asks_after_three_weeks_off, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__release_needs_a_question, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office_clock__receipt_ceiling, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__simulation_answers, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office_clock__pauses, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__restored_store_is_held, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__killed_in_the_middle, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__back_and_forth_never_twice, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__days_that_trip_calendars, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office_clock__rules_are_pinned, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__unwritten_templates_are_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__broken_templates_are_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__plan_lists_the_mails_to_come, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office_clock__why_answers_in_the_order_of_deciding, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
