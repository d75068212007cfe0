#include "office_rig.h"

/* ---- the thin line ---- */

/* Received at once, the ID after 7 days, the logo 7 days later: the scheme's cadence, on office days and in office hours. */
static void test_office__form_happy_path(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	assert_int_equal(rig_send(rig), 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");

	rig_run_until(rig, rig_at(2026, 6, 8, 9, 29));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	rig_run_until(rig, rig_at(2026, 6, 8, 9, 30));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_ID_ISSUED);
	assert_int_equal(app.id_issued_on, civil_from_ymd(2026, 6, 8));
	assert_true(app.declaration_id >= 40000000000 && app.declaration_id < 50000000000);
	assert_true(app.user_number >= 9000000000 && app.user_number < 10000000000);

	rig_run_until(rig, rig_at(2026, 6, 15, 9, 29));
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_run_until(rig, rig_at(2026, 6, 15, 9, 30));
	app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
	assert_int_equal(app.stage, STAGE_NONE);
	assert_true(app.due_at == UTC_NEVER);
	rig_run_days(rig, 60);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_string_equal(
		rig_history(rig, id), "apply queue sent issue_id queue sent authorize_logo queue sent");
	assert_int_equal(rig->delivered, 3);
	rig_assert_whole(rig);
}

/* ---- the other eras ---- */

static const char site_era[] = "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );";
static const char instant_era[] = "era = ( { from = \"2017-04-01\"; profile = \"instant\"; } );";

static void test_office__site_happy_path(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "confirm/sent");

	/* Sunday evening: what is at once goes out at any hour. */
	rig_run_until(rig, rig_at(2026, 6, 7, 21, 0));
	rig_decide(rig, id, DECISION_CONFIRM, "電話で確認");
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "confirm/sent completion/sent");
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);

	/* Seven days on it is Sunday again. */
	rig_run_until(rig, rig_at(2026, 6, 15, 9, 29));
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_run_until(rig, rig_at(2026, 6, 15, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "confirm/sent completion/sent acceptance/sent");
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	rig_assert_whole(rig);
}

static void test_office__unconfirmed_expires(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	rig_run_until(rig, rig_at(2026, 6, 8, 23, 59));
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	rig_run_until(rig, rig_at(2026, 6, 9, 0, 0));
	assert_int_equal(rig_app(rig, id).state, STATE_EXPIRED);
	rig_run_days(rig, 60);
	assert_string_equal(rig_outbox(rig, id), "confirm/sent");
	/* Who never confirmed may apply anew. */
	assert_true(rig_apply(rig, 1) != id);
	rig_assert_whole(rig);
}

static void test_office__confirmed_before_its_mail_left(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_CONFIRM, "窓口で確認");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "confirm/cancelled completion/sent");
	rig_run_days(rig, 10);
	assert_string_equal(rig_outbox(rig, id), "confirm/cancelled completion/sent acceptance/sent");
}

static void test_office__instant_happy_path(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, instant_era);
	clock_set(&rig->clock, rig_at(2026, 6, 6, 22, 0)); /* a Saturday night */
	int64_t id = rig_apply(rig, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
	assert_true(app.declaration_id >= 50000000000 && app.declaration_id < 60000000000);
}

/* Each stage waits until the mail server has taken the one before, also when all are at once. */
static void test_office__instant_waits_for_the_server(void **state)
{
	struct rig *rig = *state;
	struct step_result step;
	rig_configure(rig, instant_era);
	int64_t id = rig_apply(rig, 1);
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_int_equal(step.done, 0);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_int_equal(rig_send(rig), 1);
	assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/queued");
}

/* ---- one declaration a business ---- */

static enum rc try_register(struct rig *rig, const struct form_values *form)
{
	int64_t id;
	assert_ok(store_begin(rig->office.store, &rig_err));
	enum rc rc = office_register(&rig->office, form, NULL, 0, 1, &id, &rig_review, &rig_err);
	store_rollback(rig->office.store);
	return rc;
}

static void test_office__duplicate_is_refused_and_the_first_untouched(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	struct form_values again = rig_form(rig, 1);
	again.value[FIELD_BUSINESS_NAME] = "サンプル1株式会社";
	again.value[FIELD_MAIL] = "other@example.co.jp";

	uint8_t digest[SHA256_LEN];
	int64_t declaration_id;
	bool same;
	struct registry registry = office_registry(&rig->office);
	const char *key = applicant_key(&again, rig->pool);
	form_row_digest(digest, &again);
	assert_int_equal(registry.live(registry.ctx, key, digest, &declaration_id, &same), id);
	assert_false(same);
	struct form_values first = rig_form(rig, 1);
	form_row_digest(digest, &first);
	assert_int_equal(registry.live(registry.ctx, key, digest, &declaration_id, &same), id);
	assert_true(same);

	assert_int_equal(try_register(rig, &again), RC_REFUSED);
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	assert_int_equal(rig->delivered, 1);
}

/* The second row of a batch meets the first, although neither is committed. */
static void test_office__duplicate_within_a_transaction(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	int64_t first, second;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, NULL, 0, 1, &first, &rig_review, &rig_err));
	assert_int_equal(
		office_register(&rig->office, &form, NULL, 0, 2, &second, &rig_review, &rig_err), RC_REFUSED);
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_string_equal(rig_outbox(rig, first), "receipt/queued");
	assert_int_equal(second, 0);
}

/* Facilities apply as 個人事業主 with the corporation as 姓: each is a business of its own. */
static void test_office__facilities_are_separate(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_TYPE] = "sole";
	form.value[FIELD_CORPORATE_NUMBER] = NULL;
	form.value[FIELD_BUSINESS_NAME] = "社会福祉法人見本会";
	form.value[FIELD_FAMILY_NAME] = "社会福祉法人見本会";
	form.value[FIELD_GIVEN_NAME] = "見本の里";
	int64_t one = rig_register(rig, &form);
	form.value[FIELD_GIVEN_NAME] = "見本の丘";
	int64_t two = rig_register(rig, &form);
	assert_true(one != two);
	assert_int_equal(try_register(rig, &form), RC_REFUSED);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 2);
}

static void stop(struct rig *rig, int64_t id, civil_day on)
{
	const char *why_ja;
	assert_ok(office_stop(&rig->office, id, on, "様式B-3", "staff:1000", &why_ja, rig->pool, &rig_err));
}

/* The same row is a duplicate only while the earlier one is live: who was stopped may apply anew, under new numbers. */
static void test_office__applies_anew_after_a_stop(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	stop(rig, id, CIVIL_DAY_NONE);
	struct application stopped = rig_app(rig, id);
	assert_int_equal(stopped.state, STATE_STOPPED);
	assert_int_equal(stopped.stopped_on, rig_today(rig));
	int64_t again = rig_apply(rig, 1);
	assert_true(again != id);
	rig_run_days(rig, 20);
	struct application app = rig_app(rig, again);
	assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
	assert_true(app.declaration_id != stopped.declaration_id);
	rig_assert_whole(rig);
}

/* ---- step-up ---- */

static int64_t step_up(struct rig *rig, int n, int64_t declaration_id)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = pool_printf(rig->pool, "%" PRId64, declaration_id);
	return rig_register(rig, &form);
}

static void test_office__step_up_supersedes_its_star(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	struct application one = rig_app(rig, star);
	int64_t id = step_up(rig, 1, one.declaration_id);
	assert_int_equal(rig_app(rig, id).linked_id, star);

	rig_run_until(rig, rig_at(2026, 6, 30, 12, 0));
	struct application two = rig_app(rig, id);
	assert_int_equal(two.state, STATE_ID_ISSUED);
	assert_int_equal(two.declaration_id, one.declaration_id);
	assert_int_equal(two.user_number, one.user_number);
	assert_int_equal(rig_app(rig, star).state, STATE_LOGO_AUTHORIZED);

	rig_run_days(rig, 14);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_int_equal(rig_app(rig, star).state, STATE_SUPERSEDED);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, id).item[2].id), "二つ星"));
	assert_int_equal(rig_count_events(rig, star, EVENT_SUPERSEDE), 1);

	/* Now the ★★ is the declaration of that business. */
	struct form_values form = rig_form(rig, 1);
	assert_int_equal(try_register(rig, &form), RC_REFUSED);
	rig_assert_whole(rig);
}

/* The two marks are never live together: not for one reader between two transactions either. */
static void test_office__both_marks_are_never_live(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	int64_t id = step_up(rig, 1, rig_app(rig, star).declaration_id);
	for (int i = 0; i < 60; i++) {
		rig_run_until(rig, rig->clock.now + 6 * 3600);
		bool old = rig_app(rig, star).state == STATE_LOGO_AUTHORIZED;
		bool new = rig_app(rig, id).state == STATE_LOGO_AUTHORIZED;
		assert_true(old != new);
	}
}

static void test_office__withdrawn_step_up_leaves_its_star(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	int64_t id = step_up(rig, 1, rig_app(rig, star).declaration_id);
	rig_decide(rig, id, DECISION_WITHDRAW, "");
	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).state, STATE_WITHDRAWN);
	assert_int_equal(rig_app(rig, star).state, STATE_LOGO_AUTHORIZED);
	/* and another one may follow */
	assert_true(step_up(rig, 1, rig_app(rig, star).declaration_id) > id);
}

static void test_office__step_up_needs_its_own_live_star(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1), other = rig_apply(rig, 2);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = "41234567890";
	assert_int_equal(try_register(rig, &form), RC_REFUSED); /* no ID was issued yet */
	rig_run_days(rig, 20);
	form.value[FIELD_DECLARATION_ID] =
		pool_printf(rig->pool, "%" PRId64, rig_app(rig, other).declaration_id);
	assert_int_equal(try_register(rig, &form), RC_REFUSED); /* somebody else's */
	int64_t id = step_up(rig, 1, rig_app(rig, star).declaration_id);
	form.value[FIELD_DECLARATION_ID] =
		pool_printf(rig->pool, "%" PRId64, rig_app(rig, star).declaration_id);
	assert_int_equal(try_register(rig, &form), RC_REFUSED); /* one runs already */

	struct registry registry = office_registry(&rig->office);
	uint8_t digest[SHA256_LEN];
	int64_t declaration_id;
	bool same;
	form_row_digest(digest, &form);
	const char *key = applicant_key(&form, rig->pool);
	assert_int_equal(registry.live(registry.ctx, key, digest, &declaration_id, &same), id);
	assert_true(same);
	assert_int_equal(registry.live_star1(registry.ctx, key, 0), 0);
}

static void test_office__stop_ends_star_and_step_up(void **state)
{
	struct rig *rig = *state;
	for (int from_step_up = 0; from_step_up < 2; from_step_up++) {
		int64_t star = rig_apply(rig, 1 + from_step_up);
		rig_run_days(rig, 20);
		int64_t id = step_up(rig, 1 + from_step_up, rig_app(rig, star).declaration_id);
		stop(rig, from_step_up ? id : star, CIVIL_DAY_NONE);
		assert_int_equal(rig_app(rig, star).state, STATE_STOPPED);
		assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
		assert_string_equal(rig_outbox(rig, id), "receipt/cancelled");
	}
	rig_assert_whole(rig);
}

/* ---- staff ---- */

static void test_office__withdrawal_cancels_what_is_queued(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_WITHDRAW, "誤って申し込んだため");
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled");
	assert_int_equal(rig_app(rig, id).state, STATE_WITHDRAWN);
	rig_run_days(rig, 30);
	assert_int_equal(rig->delivered, 0);
	assert_string_equal(rig_history(rig, id), "apply queue withdraw cancel");
	rig_assert_whole(rig);
}

/* After the ID it is a stop by form B-3, no withdrawal. */
static void test_office__no_withdrawal_after_the_id(void **state)
{
	struct rig *rig = *state;
	const char *why_ja = NULL;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	assert_int_equal(office_decide(&rig->office, id, DECISION_WITHDRAW, "", "staff:1000", &why_ja,
				 rig->pool, &rig_err),
		RC_REFUSED);
	assert_non_null(strstr(why_ja, "取下げできません"));
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
}

/* A stop that comes while the mail is at the server can't call it back: the record says so. */
static void test_office__stop_records_what_is_in_flight(void **state)
{
	struct rig *rig = *state;
	struct notice notice;
	struct delivery taken = {.outcome = OUTCOME_ACCEPTED, .reply_code = 250};
	int count;
	int64_t id = rig_apply(rig, 1);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 1, NULL, &notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 1);
	stop(rig, id, CIVIL_DAY_NONE);
	assert_int_equal(rig_count_events(rig, id, EVENT_IN_FLIGHT), 1);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_delivered(&rig->office, &notice, &taken, "", 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	rig_assert_whole(rig);
}

/* 申込日から7日、遅くとも10日: a hold that lasts is told of two days before the tenth, not when it is over. */
static void test_office__a_latest_day_alarms_early_enough_to_act(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1), late = -1;
	(void)rig_apply(rig, 2); /* goes its way: never late */
	(void)rig_turn(rig);
	rig_decide(rig, id, DECISION_HOLD, "書類の確認");
	const civil_day latest = civil_day_of(rig_app(rig, id).latest_at);
	int days = (int)(latest - rig_today(rig));
	assert_true(days > 3);
	rig_run_days(rig, days - 2);
	assert_ok(office_late(&rig->office, &late, &rig_err));
	assert_int_equal(late, 0);
	rig_run_days(rig, 1);
	assert_ok(office_late(&rig->office, &late, &rig_err));
	assert_int_equal(late, 1);
	rig_run_days(rig, 3); /* past */
	assert_ok(office_late(&rig->office, &late, &rig_err));
	assert_int_equal(late, 1);
	rig_decide(rig, id, DECISION_RELEASE, "");
	rig_run_days(rig, 3);
	assert_ok(office_late(&rig->office, &late, &rig_err));
	assert_int_equal(late, 0);
}

static void test_office__hold_stops_the_clock_and_release_reckons_anew(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	rig_decide(rig, id, DECISION_HOLD, "書類の確認");
	assert_string_equal(rig_app(rig, id).hold_reason, "書類の確認");
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");

	clock_set(&rig->clock, rig_at(2026, 6, 20, 15, 0)); /* Saturday */
	rig_decide(rig, id, DECISION_RELEASE, "");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	rig_run_until(rig, rig_at(2026, 6, 22, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	/* The logo's own day has passed; the gap after the ID is kept. */
	rig_run_until(rig, rig_at(2026, 6, 29, 9, 29));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	rig_run_until(rig, rig_at(2026, 6, 29, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	rig_assert_whole(rig);
}

static void test_office__held_mail_stays_in_the_outbox(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	rig_run_days(rig, 2);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	rig_decide(rig, id, DECISION_RELEASE, "");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
}

static void test_office__decisions_that_are_refused(void **state)
{
	struct rig *rig = *state;
	int64_t held = rig_apply(rig, 1), ended = rig_apply(rig, 2), free_one = rig_apply(rig, 3);
	rig_decide(rig, held, DECISION_HOLD, "確認中");
	rig_decide(rig, ended, DECISION_REJECT, "対象外");
	const struct {
		int64_t id;
		enum decision_action action;
		const char *reason, *why_ja;
	} cases[] = {
		{free_one, DECISION_HOLD, "", "理由"},
		{free_one, DECISION_REJECT, "", "理由"},
		{free_one, DECISION_RELEASE, "", "保留中ではありません"},
		{free_one, DECISION_APPROVE, "", "許可を待っている申込みではありません"},
		{free_one, DECISION_CONFIRM, "", "確認済みにできません"},
		{held, DECISION_HOLD, "再度", "すでに保留中です"},
		{held, DECISION_APPROVE, "", "先に保留を解除"},
		{ended, DECISION_HOLD, "確認", "保留にできません"},
		{ended, DECISION_APPROVE, "", "許可できません"},
		{ended, DECISION_WITHDRAW, "", "取下げできません"},
		{ended, DECISION_REJECT, "再度", "却下できません"},
		{999, DECISION_HOLD, "確認", "ありません"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *why_ja = NULL;
		enum rc rc = office_decide(&rig->office, cases[i].id, cases[i].action, cases[i].reason,
			"staff:1000", &why_ja, rig->pool, &rig_err);
		if (rc != RC_REFUSED || !why_ja || !strstr(why_ja, cases[i].why_ja))
			fail_msg("case %zu: %d %s", i, rc, why_ja ? why_ja : "(none)");
	}
	assert_int_equal(rig_app(rig, free_one).hold, HOLD_NONE);
	assert_int_equal(rig_app(rig, ended).state, STATE_REJECTED);
}

static void test_office__rejected_are_told_only_where_wanted(void **state)
{
	struct rig *rig = *state;
	int64_t quiet = rig_apply(rig, 1);
	(void)rig_turn(rig);
	rig_decide(rig, quiet, DECISION_REJECT, "対象外の事業者のため");
	rig_configure(rig, "notify_refused = true;");
	int64_t told = rig_apply(rig, 2);
	rig_decide(rig, told, DECISION_REJECT, "対象外の事業者のため");
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, quiet), "receipt/sent");
	assert_string_equal(rig_outbox(rig, told), "receipt/cancelled rejected/sent");
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, told).item[1].id), "対象外の事業者のため"));
	rig_assert_whole(rig);
}

/* A future 中止日 holds all notices now and stops on that day. */
static void test_office__announced_stop(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	stop(rig, id, civil_from_ymd(2026, 6, 20));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	rig_run_until(rig, rig_at(2026, 6, 19, 23, 0));
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	rig_run_until(rig, rig_at(2026, 6, 20, 0, 0));
	struct application app = rig_app(rig, id);
	assert_int_equal(app.state, STATE_STOPPED);
	assert_int_equal(app.stopped_on, civil_from_ymd(2026, 6, 20));
	assert_int_equal(rig->delivered, 0);
	rig_assert_whole(rig);
}

static void test_office__announced_stop_revoked(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	stop(rig, id, civil_from_ymd(2026, 6, 20));
	rig_decide(rig, id, DECISION_RELEASE, "申し出の取消し");
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	rig_decide(rig, id, DECISION_APPROVE, "");
	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
}

/* The receipt that the announcement cancelled goes out after all, or the next stage would wait for it for ever. */
static void test_office__announced_stop_revoked_before_the_mail_left(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	stop(rig, id, civil_from_ymd(2026, 6, 20));
	rig_decide(rig, id, DECISION_RELEASE, "申し出の取消し");
	rig_decide(rig, id, DECISION_APPROVE, "");
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/cancelled receipt/sent id/sent logo/sent");
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	rig_assert_whole(rig);
}

/* A step-up that began after its star's stop was announced ends with it. */
static void test_office__announced_stop_takes_a_later_step_up_along(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	stop(rig, star, civil_from_ymd(2026, 7, 1));
	int64_t id = step_up(rig, 1, rig_app(rig, star).declaration_id);
	rig_run_until(rig, rig_at(2026, 6, 30, 23, 0));
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_run_until(rig, rig_at(2026, 8, 1, 12, 0));
	assert_int_equal(rig_app(rig, star).state, STATE_STOPPED);
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	assert_int_equal(rig_app(rig, id).stopped_on, civil_from_ymd(2026, 7, 1));
	rig_assert_whole(rig);
}

/* ---- dates ---- */

static void test_office__future_date_counts_from_intake(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_APPLIED_ON] = "2026-07-15";
	int64_t id = rig_register(rig, &form);
	struct application app = rig_app(rig, id);
	assert_int_equal(app.applied_on, civil_from_ymd(2026, 7, 15));
	assert_int_equal(app.clock_start, civil_from_ymd(2026, 6, 1));
	rig_run_until(rig, rig_at(2026, 6, 8, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
}

static void test_office__backdated_within_bounds_counts_from_its_date(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_APPLIED_ON] = "2026-05-28";
	int64_t id = rig_register(rig, &form);
	rig_run_until(rig, rig_at(2026, 6, 4, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
}

/* An older date goes to review and nothing is sent, until a person lets it go on. */
/* The list of eras begins behind the day it counts from: the first era is in force, and the row does not stop the others. */
static void test_office__backdated_before_the_first_era(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "era = ( { from = \"2026-05-25\"; profile = \"form\"; } );");
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_APPLIED_ON] = "2026-05-22";
	int64_t id = rig_register(rig, &form);
	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).clock_start, civil_from_ymd(2026, 5, 22));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
}

static void test_office__backdated_goes_to_review(void **state)
{
	struct rig *rig = *state;
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_APPLIED_ON] = "2026-05-01";
	int64_t id = rig_register(rig, &form);
	rig_run_days(rig, 30);
	struct application app = rig_app(rig, id);
	assert_int_equal(app.hold, HOLD_REVIEW);
	assert_non_null(strstr(app.hold_reason, "お申込日"));
	assert_string_equal(rig_outbox(rig, id), "");

	clock_set(&rig->clock, rig_at(2026, 7, 3, 20, 0));
	rig_decide(rig, id, DECISION_APPROVE, "申込者に確認済み");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	rig_run_days(rig, 30);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_history(rig, id),
		"apply review approve queue sent issue_id queue sent authorize_logo queue sent");
}

static void test_office__findings_of_review_keep_their_words(void **state)
{
	struct rig *rig = *state;
	struct finding finding[] = {
		{FIELD_MAIL, FINDING_PROXY, SEVERITY_REVIEW, "", "同じメールアドレスで9件の事業者", ""},
		{FIELD_TELEPHONE, FINDING_TELEPHONE, SEVERITY_NOTE, "", "直しました", ""},
		{FIELD_CONTACT, FINDING_INJECTION, SEVERITY_REVIEW, "", "担当者名にURLがあります", ""},
	};
	struct findings findings = {finding, 3};
	struct form_values form = rig_form(rig, 1);
	int64_t id;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, &findings, 0, 1, &id, &rig_review, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_string_equal(
		rig_app(rig, id).hold_reason, "同じメールアドレスで9件の事業者／担当者名にURLがあります");
	rig_run_days(rig, 30);
	assert_int_equal(rig->delivered, 0);
}

/* The year's end: 7 days after 22 December is closed; the first office day is 4 January. */
static void test_office__moves_over_the_years_end(void **state)
{
	struct rig *rig = *state;
	rig_run_until(rig, rig_at(2026, 12, 22, 10, 0));
	int64_t id = rig_apply(rig, 1);
	rig_run_until(rig, rig_at(2027, 1, 4, 9, 29));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	rig_run_until(rig, rig_at(2027, 1, 4, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	/* 7 days after the ID is 成人の日. */
	rig_run_until(rig, rig_at(2027, 1, 12, 9, 29));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	rig_run_until(rig, rig_at(2027, 1, 12, 9, 30));
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
}

/* ---- approval ---- */

static const char approval_profile[] =
	"name = \"form\"; id_prefix = 4; id_digits = 11; user_prefix = 9; user_digits = 10;\n"
	"stages = ( { name = \"receipt\"; template = \"receipt\"; state = \"received\";\n"
	" after_received : { target = 0; }; },\n"
	" { name = \"id\"; template = \"id\"; state = \"id_issued\"; after_received : { target = 7; }; },\n"
	" { name = \"logo\"; template = \"logo\"; state = \"logo_authorized\"; approval = true;\n"
	" after_received : { target = 14; }; } );\n";

static void test_office__stage_waits_for_approval(void **state)
{
	struct rig *rig = *state;
	rig_write(rig, "approval.conf", approval_profile);
	rig_configure(rig, "profile_files = ( \"approval.conf\" );");
	int64_t late = rig_apply(rig, 1), early = rig_apply(rig, 2), refused = rig_apply(rig, 3);
	rig_run_days(rig, 9);
	rig_decide(rig, early, DECISION_APPROVE, "");
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, early), "receipt/sent id/sent logo/sent");
	assert_string_equal(rig_outbox(rig, late), "receipt/sent id/sent");
	rig_decide(rig, late, DECISION_APPROVE, "");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, late), "receipt/sent id/sent logo/sent");
	rig_decide(rig, refused, DECISION_REJECT, "規約違反のため");
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, refused), "receipt/sent id/sent");
}

/* ---- declarations taken over ---- */

static struct import_row import_row(struct rig *rig, int n, enum state state)
{
	return (struct import_row){.declaration_id = 41000000000 + n,
		.user_number = 9100000000 + n,
		.state = state,
		.star = 1,
		.applied_on = civil_from_ymd(2025, 3, 3),
		.id_issued_on = civil_from_ymd(2025, 3, 10),
		.logo_authorized_on = state == STATE_ID_ISSUED ? CIVIL_DAY_NONE : civil_from_ymd(2025, 3, 17),
		.stopped_on = state == STATE_STOPPED ? civil_from_ymd(2026, 1, 5) : CIVIL_DAY_NONE,
		.form = rig_form(rig, n)};
}

static void test_office__import_sends_nothing_and_repeats(void **state)
{
	struct rig *rig = *state;
	static const enum state states[] = {STATE_LOGO_AUTHORIZED, STATE_ID_ISSUED, STATE_STOPPED};
	bool known;
	const char *why_ja;
	for (int again = 0; again < 2; again++)
		for (int i = 0; i < 3; i++) {
			struct import_row row = import_row(rig, i, states[i]);
			assert_ok(office_import(
				&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
			assert_int_equal(known, again);
		}
	rig_run_days(rig, 60);
	assert_int_equal(rig->delivered, 0);
	struct application app;
	for (int i = 0; i < 3; i++) {
		assert_ok(application_by_declaration(
			rig->office.store, 41000000000 + i, &app, rig->pool, &rig_err));
		assert_int_equal(app.state, states[i]);
		assert_int_equal(app.id_issued_on, civil_from_ymd(2025, 3, 10));
	}
	/* Numbers that came along are taken for good. */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_int_equal(number_take(rig->office.store, 41000000001, 1, 0, 0, "test", &rig_err), RC_REFUSED);
	store_rollback(rig->office.store);
	rig_assert_whole(rig);
}

/* Whose logo is still to come waits for a person, then goes on. */
static void test_office__imported_without_logo(void **state)
{
	struct rig *rig = *state;
	bool known;
	const char *why_ja;
	struct import_row row = import_row(rig, 1, STATE_ID_ISSUED);
	struct application app;
	assert_ok(office_import(&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
	assert_ok(
		application_by_declaration(rig->office.store, row.declaration_id, &app, rig->pool, &rig_err));
	assert_int_equal(app.hold, HOLD_REVIEW);
	rig_decide(rig, app.id, DECISION_APPROVE, "");
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, app.id), "logo/sent");
	assert_int_equal(rig_app(rig, app.id).state, STATE_LOGO_AUTHORIZED);
	rig_assert_whole(rig);
}

static void test_office__imported_star_steps_up(void **state)
{
	struct rig *rig = *state;
	bool known;
	const char *why_ja;
	struct import_row row = import_row(rig, 1, STATE_LOGO_AUTHORIZED);
	assert_ok(office_import(&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
	int64_t id = step_up(rig, 1, row.declaration_id);
	rig_run_days(rig, 30);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_int_equal(rig_app(rig, id).declaration_id, row.declaration_id);
	assert_int_equal(rig_app(rig, rig_app(rig, id).linked_id).state, STATE_SUPERSEDED);
	/* The office's list of that time, once more. */
	assert_ok(office_import(&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
	assert_true(known);
	rig_assert_whole(rig);
}

/* What is on file under that ID must be what the row speaks of. */
static void test_office__import_of_an_id_on_file(void **state)
{
	struct rig *rig = *state;
	bool known;
	const char *why_ja;
	struct import_row row = import_row(rig, 1, STATE_LOGO_AUTHORIZED);
	assert_ok(office_import(&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
	struct import_row same[2] = {row, row}, other[4] = {row, row, row, row};
	same[0].user_number = 0;
	same[1].form = rig_form(rig, 2); /* renamed since: its user number tells */
	other[0].form = rig_form(rig, 2);
	other[0].user_number = 0;
	other[1].form = rig_form(rig, 2);
	other[1].user_number += 7;
	other[2].user_number += 7;
	other[3].star = 2;
	for (int i = 0; i < 2; i++) {
		assert_ok(office_import(
			&rig->office, &same[i], "staff:1000", &known, &why_ja, rig->pool, &rig_err));
		assert_true(known);
	}
	for (int i = 0; i < 4; i++) {
		assert_int_equal(office_import(&rig->office, &other[i], "staff:1000", &known, &why_ja,
					 rig->pool, &rig_err),
			RC_REFUSED);
		assert_false(known);
		assert_non_null(strstr(rig_err.text, "application 1"));
		assert_non_null(strstr(why_ja, "申込番号1）"));
	}
	rig_assert_whole(rig);
}

static void test_office__import_refuses(void **state)
{
	struct rig *rig = *state;
	bool known;
	const char *why_ja;
	struct import_row row = import_row(rig, 1, STATE_LOGO_AUTHORIZED);
	assert_ok(office_import(&rig->office, &row, "staff:1000", &known, &why_ja, rig->pool, &rig_err));
	struct import_row cases[6];
	const int count = sizeof cases / sizeof *cases;
	for (int i = 0; i < count; i++)
		cases[i] = import_row(rig, 10 + i, STATE_LOGO_AUTHORIZED);
	cases[0].state = STATE_RECEIVED; /* no declaration yet */
	cases[1].declaration_id = 0;
	cases[2].form = rig_form(rig, 1); /* live under another ID */
	cases[3].user_number = row.user_number; /* given away */
	cases[4].stopped_on = civil_from_ymd(2026, 1, 5); /* stopped, and yet not */
	cases[5].state = STATE_STOPPED;
	cases[5].stopped_on = civil_day_of(rig->clock.now) + 1; /* is still in use */
	for (int i = 0; i < count; i++) {
		assert_int_equal(office_import(&rig->office, &cases[i], "staff:1000", &known, &why_ja,
					 rig->pool, &rig_err),
			RC_REFUSED);
		assert_non_null(why_ja);
	}
	rig_assert_whole(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_office__form_happy_path, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__site_happy_path, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__unconfirmed_expires, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__confirmed_before_its_mail_left, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__instant_happy_path, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__instant_waits_for_the_server, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__duplicate_is_refused_and_the_first_untouched, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__duplicate_within_a_transaction, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__facilities_are_separate, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__applies_anew_after_a_stop, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__step_up_supersedes_its_star, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__both_marks_are_never_live, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__withdrawn_step_up_leaves_its_star, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__step_up_needs_its_own_live_star, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__stop_ends_star_and_step_up, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__withdrawal_cancels_what_is_queued, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__no_withdrawal_after_the_id, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__stop_records_what_is_in_flight, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__a_latest_day_alarms_early_enough_to_act, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__hold_stops_the_clock_and_release_reckons_anew, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__held_mail_stays_in_the_outbox, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__decisions_that_are_refused, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__rejected_are_told_only_where_wanted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__announced_stop, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__announced_stop_revoked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__announced_stop_revoked_before_the_mail_left, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__announced_stop_takes_a_later_step_up_along, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__future_date_counts_from_intake, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__backdated_within_bounds_counts_from_its_date, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__backdated_before_the_first_era, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__backdated_goes_to_review, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__findings_of_review_keep_their_words, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__moves_over_the_years_end, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__stage_waits_for_approval, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__import_sends_nothing_and_repeats, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__imported_without_logo, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__imported_star_steps_up, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_office__import_of_an_id_on_file, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_office__import_refuses, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
