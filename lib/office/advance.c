/*
 * advance.c - the one place where an application changes its state
 *
 * The order inside an advance must hold: the letter is made first, because it may turn out that it must not go out, and then nothing
 * has been written yet but for the numbers printed in it.
 */
#include "lib/office/office_p.h"

#include <inttypes.h>

#include "lib/base/log.h"
#include "lib/flow/ident.h"

#define DRAWS_MAX                                                                                            \
	1000 /* ten digits and less than a million numbers: one draw in ten thousand meets one that is taken */

#define REVIEW_NO_STAR "ステップアップ元の一つ星の宣言が有効ではありません。"

/* ---- rows ---- */

static enum rc history(struct office *office, const struct application *app, enum state from,
	const struct history_row *what, struct err *err)
{
	struct history_row row = *what;
	row.at = clock_now(office->clock);
	row.application_id = app->id;
	row.from = from;
	row.to = app->state;
	row.actor = what->actor ? what->actor : ACTOR_DAEMON;
	row.note = what->note ? what->note : "";
	return history_add(office->store, &row, err);
}

enum rc office_note(struct office *office, const struct application *app, enum event event, const char *actor,
	const char *note, int64_t ref, int64_t number, struct err *err)
{
	struct history_row row = {.event = event, .actor = actor, .note = note, .ref = ref, .number = number};
	return history(office, app, app->state, &row, err);
}

bool office_stop_pending(const struct application *app)
{
	return app->stopped_on != CIVIL_DAY_NONE && state_is_live(app->state);
}

/* Beside the moments of the cadence another makes an application due: the end of the days in which an address can be confirmed. */
enum rc office_reckon(struct office *office, struct application *app, struct due *due, struct err *err)
{
	const struct rules *rules;
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	*due = cadence_due(app, &rules->profile, &office->settings->calendar);
	app->due_at = due->wait == WAIT_NOTHING ? due->at : UTC_NEVER;
	app->latest_at = due->latest;
	if (due->wait == WAIT_CONFIRM && app->previous_sent_at)
		app->due_at = civil_moment(
			civil_day_of(app->previous_sent_at) + rules->profile.confirm_days + 1, 0);
	return RC_OK;
}

enum rc office_write(struct office *office, struct application *app, enum event event, const char *actor,
	const char *note, int64_t ref, struct err *err)
{
	struct due due;
	enum rc rc = office_reckon(office, app, &due, err);
	if (rc == RC_OK)
		rc = application_update(office->store, app, err);
	return rc == RC_OK ? office_note(office, app, event, actor, note, ref, 0, err) : rc;
}

enum rc office_review(
	struct office *office, struct application *app, const char *reason_ja, int64_t ref, struct err *err)
{
	log_event(LEVEL_NOTICE, "application.review", "application=%" PRId64, app->id);
	if (!state_is_live(app->state) || app->hold == HOLD_STAFF)
		return office_note(office, app, EVENT_REVIEW, ACTOR_DAEMON, reason_ja, ref, 0, err);
	app->hold = HOLD_REVIEW;
	app->hold_reason = reason_ja;
	return office_write(office, app, EVENT_REVIEW, ACTOR_DAEMON, reason_ja, ref, err);
}

/* ---- numbers ---- */

struct numbers {
	bool draw_declaration, draw_user; /* still to be drawn and taken */
};

/* A step-up goes on under its star's numbers where the profile says so. */
static enum rc numbers_begin(struct office *office, const struct rules *rules, struct application *after,
	struct numbers *numbers, const char **review_ja, struct err *err)
{
	if (after->linked_id && !rules->profile.step_up_new_id) {
		struct pool *pool = pool_new();
		struct application star;
		enum rc rc = application_get(office->store, after->linked_id, &star, pool, err);
		if (rc == RC_OK && state_is_live(star.state) && star.declaration_id) {
			after->declaration_id = star.declaration_id;
			after->user_number = star.user_number;
		} else if (rc == RC_OK) {
			*review_ja = REVIEW_NO_STAR;
		}
		pool_free(&pool);
		if (rc != RC_OK)
			return rc;
	}
	numbers->draw_declaration = after->declaration_id == 0;
	numbers->draw_user = after->user_number == 0;
	return RC_OK;
}

static void numbers_draw(struct office *office, const struct profile *profile, struct application *after,
	const struct numbers *numbers)
{
	if (numbers->draw_declaration)
		after->declaration_id = ident_draw(office->rng, profile->id_prefix, profile->id_digits);
	if (numbers->draw_user)
		after->user_number = ident_draw(office->rng, profile->user_prefix, profile->user_digits);
}

/* What was drawn before by anybody stays to be drawn again. */
static enum rc numbers_take(
	struct office *office, const struct application *after, struct numbers *numbers, struct err *err)
{
	struct {
		bool *wanted;
		int64_t number;
		int kind;
	} each[] = {{&numbers->draw_declaration, after->declaration_id, IDENT_DECLARATION},
		{&numbers->draw_user, after->user_number, IDENT_USER}};
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		if (!*each[i].wanted)
			continue;
		enum rc rc = number_take(office->store, each[i].number, each[i].kind, after->id,
			clock_now(office->clock), NULL, err);
		if (rc == RC_OK)
			*each[i].wanted = false;
		else if (rc != RC_REFUSED)
			return rc;
	}
	return RC_OK;
}

/* ---- the advance ---- */

static void pass_stage(struct application *after, const struct rules *rules, int stage)
{
	after->stage = stage + 1 < rules->profile.stage_count ? stage + 1 : STAGE_NONE;
	after->previous_sent_at = 0;
	after->approved = false;
}

static void enter(struct office *office, struct application *after, const struct rules *rules,
	const struct act *act, const struct transition *transition)
{
	civil_day today = office_today(office);
	if (transition->next != after->state &&
		after->state != STATE_NONE) { /* imports bring their days along */
		if (transition->next == STATE_ID_ISSUED && after->id_issued_on == CIVIL_DAY_NONE)
			after->id_issued_on = today;
		if (transition->next == STATE_LOGO_AUTHORIZED && after->logo_authorized_on == CIVIL_DAY_NONE)
			after->logo_authorized_on = today;
		if (act->event == EVENT_STOP)
			after->stopped_on = act->on != CIVIL_DAY_NONE && act->on <= today ? act->on : today;
	}
	after->state = transition->next;
	if (transition->ends) {
		after->hold = HOLD_NONE;
		after->hold_reason = "";
	}
	if (act->stage != STAGE_NONE)
		pass_stage(after, rules, act->stage);
}

/* Numbers and letter, until no number in it was drawn before. */
static enum rc prepare(struct office *office, struct application *after, const struct transition *transition,
	struct draft_order *order, struct draft *draft, const char **review_ja, struct err *err)
{
	struct numbers numbers = {0};
	enum rc rc = RC_OK;
	if (transition->issues_numbers)
		rc = numbers_begin(office, order->rules, after, &numbers, review_ja, err);
	for (int draws = 0; rc == RC_OK && !*review_ja; draws++) {
		numbers_draw(office, &order->rules->profile, after, &numbers);
		if (order->template_name) {
			draft_free(draft);
			rc = draft_make(office, order, draft, err);
			if (rc == RC_REFUSED) {
				log_event(LEVEL_NOTICE, "notice.refused",
					"application=%" PRId64 " why=\"%s\"", after->id, err->text);
				*review_ja = draft->refused_ja;
				return RC_OK;
			}
		}
		if (rc == RC_OK)
			rc = numbers_take(office, after, &numbers, err);
		if (rc != RC_OK || (!numbers.draw_declaration && !numbers.draw_user))
			break;
		if (draws == DRAWS_MAX)
			return err_set(err, RC_STORE,
				"no free number was found in %d draws; give the profile more digits",
				DRAWS_MAX);
	}
	return rc;
}

static enum rc cancel_queued(
	struct office *office, const struct application *app, const char *actor, struct err *err)
{
	int cancelled = 0, in_flight = 0;
	enum rc rc = outbox_cancel(office->store, app->id, &cancelled, &in_flight, err);
	if (rc == RC_OK && cancelled)
		rc = office_note(office, app, EVENT_CANCEL, actor, "", 0, cancelled, err);
	if (rc == RC_OK && in_flight)
		rc = office_note(office, app, EVENT_IN_FLIGHT, actor, "", 0, in_flight, err);
	return rc;
}

/* The two marks are never live together: a ★ ends in the transaction that authorizes its ★★ logo. */
static enum rc supersede_star(struct office *office, const struct application *app, struct err *err)
{
	struct pool *pool = pool_new();
	struct application star;
	enum rc rc = application_get(office->store, app->linked_id, &star, pool, err);
	if (rc == RC_OK && transition_get(star.state, EVENT_SUPERSEDE).next != STATE_NONE) {
		struct act act = {
			.event = EVENT_SUPERSEDE, .stage = STAGE_NONE, .ref = app->id, .on = CIVIL_DAY_NONE};
		rc = office_advance(office, &star, &act, err);
	}
	pool_free(&pool);
	return rc;
}

static enum rc add(struct office *office, struct application *after, const struct act *act, struct err *err)
{
	struct application row = *after;
	const struct rules *rules;
	struct due due;
	enum rc rc = RC_OK;
	if (act->answered_at_once) {
		rc = rules_get(office, row.template_set, &rules, err);
		if (rc == RC_OK)
			pass_stage(&row, rules, row.stage);
		rc = rc ? rc : office_reckon(office, &row, &due, err);
	}
	rc = rc ? rc : application_add(office->store, &row, act->key, act->mail_key, act->row_digest, err);
	after->id = row.id;
	return rc;
}

static enum rc write_advance(struct office *office, const struct application *before,
	struct application *after, const struct act *act, const struct transition *transition,
	struct err *err)
{
	struct due due;
	enum rc rc = office_reckon(office, after, &due, err);
	if (rc == RC_OK && before->id == 0)
		rc = add(office, after, act, err);
	else if (rc == RC_OK)
		rc = application_update(office->store, after, err);
	if (rc != RC_OK)
		return rc;
	if (act->event != EVENT_QUEUE) { /* the notice brings that row itself */
		struct history_row row = {.event = act->event,
			.ref = act->ref,
			.number = transition->issues_numbers ? after->declaration_id : act->number,
			.actor = act->actor,
			.note = act->note};
		rc = history(office, after, before->state, &row, err);
	}
	if (rc == RC_OK && before->state != after->state)
		rc = office_keep_public(office, before, after, err);
	if (rc == RC_OK && transition->cancels_queued && before->id)
		rc = cancel_queued(office, after, act->actor, err);
	if (rc == RC_OK && after->state == STATE_LOGO_AUTHORIZED && before->state != after->state &&
		after->linked_id)
		rc = supersede_star(office, after, err);
	return rc;
}

enum rc office_advance(struct office *office, struct application *app, const struct act *act, struct err *err)
{
	struct transition transition = transition_get(app->state, act->event);
	if (transition.next == STATE_NONE)
		return err_set(err, RC_REFUSED, "application %" PRId64 " is %s: %s is not possible", app->id,
			state_name(app->state), event_name(act->event));
	const struct rules *rules;
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;

	struct application after = *app;
	enter(office, &after, rules, act, &transition);
	struct draft_order order = {.app = &after,
		.rules = rules,
		.template_name =
			act->stage == STAGE_NONE ? NULL : rules->profile.stage[act->stage].template_name,
		.stage = act->stage,
		.note = act->event == EVENT_QUEUE ? act->note
						  : NULL}; /* else it stands in the row of the state */
	struct draft draft = {.packed = STR_INIT};
	char token[TOKEN_TEXT_MAX];
	const char *review_ja = NULL;
	confirm_token_make(office, &order, token);
	/* A stage that was taken back has a letter of that name already, cancelled. */
	if (order.template_name && app->id)
		rc = outbox_next_no(office->store, app->id, order.template_name, &order.resend_no, err);
	if (rc != RC_OK)
		return rc;
	rc = prepare(office, &after, &transition, &order, &draft, &review_ja, err);
	if (rc == RC_OK && review_ja) {
		rc = office_review(office, app, review_ja, 0, err);
	} else if (rc == RC_OK) {
		rc = write_advance(office, app, &after, act, &transition, err);
		if (rc == RC_OK && order.template_name)
			rc = draft_queue(office, &order, &draft, act->actor, err);
		if (rc == RC_OK)
			rc = confirm_token_keep(office, &order, &draft, err);
		if (rc == RC_OK) {
			log_event(LEVEL_TRACE, "application.advanced",
				"application=%" PRId64 " event=%s from=%s to=%s", after.id,
				event_name(act->event), state_name(app->state), state_name(after.state));
			*app = after;
		}
	}
	draft_free(&draft);
	return rc;
}

/* ---- stages ---- */

/* The event that leads on from a state on the way to a logo; 0: none. */
static const enum event onward[STATE_COUNT] = {
	[STATE_RECEIVED] = EVENT_ISSUE_ID,
	[STATE_ID_ISSUED] = EVENT_AUTHORIZE_LOGO,
};

enum rc office_run_stage(
	struct office *office, struct application *app, const char *actor, const char *note, struct err *err)
{
	const struct rules *rules;
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	int index = app->stage;
	if (index < 0 || index >= rules->profile.stage_count)
		return RC_OK;
	enum state wanted = rules->profile.stage[index].state;
	struct act act = {
		.event = EVENT_QUEUE, .stage = index, .actor = actor, .note = note, .on = CIVIL_DAY_NONE};
	while (rc == RC_OK && app->state != wanted && app->hold == HOLD_NONE) {
		act.event = onward[app->state];
		if (!act.event)
			return err_set(err, RC_REFUSED,
				"application %" PRId64 " is %s: its next stage is for %s", app->id,
				state_name(app->state), state_name(wanted));
		bool arrives = transition_get(app->state, act.event).next == wanted;
		act.stage = arrives ? index : STAGE_NONE;
		rc = office_advance(office, app, &act, err);
		if (arrives)
			return rc;
	}
	return rc == RC_OK && app->hold == HOLD_NONE ? office_advance(office, app, &act, err) : rc;
}
