#include "lib/office/decide_p.h"

#include <inttypes.h>
#include <string.h>

enum rc decision_refuse(struct decision_case *c, const char *why_ja, const char *why)
{
	*c->why_ja = why_ja;
	return err_set(c->err, RC_REFUSED, "application %" PRId64 ": %s", c->app.id, why);
}

enum rc decision_check_table(struct decision_case *c, enum event event)
{
	if (transition_get(c->app.state, event).next != STATE_NONE)
		return RC_OK;
	*c->why_ja = pool_strdup(c->pool, transition_refusal_ja(c->app.state, event));
	return err_set(c->err, RC_REFUSED, "application %" PRId64 " is %s: %s is not possible", c->app.id,
		state_name(c->app.state), event_name(event));
}

enum rc decision_check_reason(struct decision_case *c)
{
	if (c->reason && *c->reason)
		return RC_OK;
	return decision_refuse(c, "理由を記入してください。", "a reason is required");
}

enum rc decision_open(struct decision_case *c, int64_t id)
{
	enum rc rc = application_get(c->office->store, id, &c->app, c->pool, c->err);
	if (rc == RC_REFUSED)
		*c->why_ja = "その申込番号の申込みはありません。";
	return rc == RC_OK ? rules_get(c->office, c->app.template_set, &c->rules, c->err) : rc;
}

static enum rc advance(struct decision_case *c, enum event event, civil_day on)
{
	struct act act = {
		.event = event, .stage = STAGE_NONE, .actor = c->actor, .note = c->reason, .on = on};
	return office_advance(c->office, &c->app, &act, c->err);
}

/* ---- 保留, 保留解除 ---- */

static enum rc hold(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_HOLD);
	if (rc == RC_OK)
		rc = decision_check_reason(c);
	if (rc != RC_OK)
		return rc;
	if (c->app.hold == HOLD_STAFF)
		return decision_refuse(c, "すでに保留中です。", "it is held already");
	if (c->app.hold == HOLD_REVIEW)
		return decision_refuse(c,
			"要確認の申込みは、許可または却下するまで何も送信されません。保留にする必要はありませ"
			"ん。",
			"it waits for a decision (review); nothing is sent until it is approved");
	c->app.hold = HOLD_STAFF;
	c->app.hold_reason = c->reason;
	return office_write(c->office, &c->app, EVENT_HOLD, c->actor, c->reason, 0, c->err);
}

struct hold_began {
	utc_time at; /* UTC_NEVER: it is not held */
};

static enum rc follow_holds(void *ctx, const struct history_row *row, struct err *err)
{
	struct hold_began *began = ctx;
	(void)err;
	if ((row->event == EVENT_HOLD || row->event == EVENT_REVIEW) && began->at == UTC_NEVER)
		began->at = row->at;
	else if (row->event == EVENT_RELEASE || row->event == EVENT_APPROVE)
		began->at = UTC_NEVER;
	return RC_OK;
}

/* The days in which an address can be confirmed count from the letter that asked: as long as it was held they did not run. */
static enum rc give_days_back(struct decision_case *c)
{
	struct hold_began began = {.at = UTC_NEVER};
	utc_time now = clock_now(c->office->clock);
	if (c->app.state != STATE_UNCONFIRMED || !c->app.previous_sent_at)
		return RC_OK;
	enum rc rc = history_each(c->office->store, c->app.id, 0, follow_holds, &began, c->err);
	if (rc == RC_OK && began.at < now) {
		utc_time from = began.at > c->app.previous_sent_at ? began.at : c->app.previous_sent_at;
		c->app.previous_sent_at += now - from;
	}
	return rc;
}

#define REVIEW_AFTER_HOLD "保留中に、通知メールの送信が打ち切られました。"
#define REVIEW_STOP_REVOKED "使用中止の予定が取り消されました。"

/* The next stage waits for the notice before it: what came to nothing while the clock stood still needs a person now. */
static enum rc release(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_RELEASE);
	if (rc != RC_OK)
		return rc;
	if (c->app.hold == HOLD_REVIEW)
		return decision_refuse(c, "要確認の申込みです。「許可」または「却下」で処理してください。",
			"it waits for a decision (review): approve or reject it");
	if (c->app.hold == HOLD_NONE)
		return decision_refuse(c, "保留中ではありません。", "it is not held");
	struct notice previous;
	bool revoked = office_stop_pending(&c->app);
	rc = give_days_back(c);
	if (rc != RC_OK)
		return rc;
	c->app.hold = HOLD_NONE;
	c->app.hold_reason = "";
	c->app.stopped_on = CIVIL_DAY_NONE;
	rc = office_write(c->office, &c->app, EVENT_RELEASE, c->actor, c->reason, 0, c->err);
	if (rc == RC_OK)
		rc = office_previous_notice(c->office, &c->app, &previous, c->pool, c->err);
	if (rc == RC_OK && previous.id && c->app.previous_sent_at == 0 &&
		(previous.state == OUTBOX_FAILED ||
			(previous.state == OUTBOX_UNKNOWN && previous.next_try_at == UTC_NEVER)))
		return office_review(c->office, &c->app, REVIEW_AFTER_HOLD, previous.id, c->err);
	/* What was queued was cancelled when the stop was announced. */
	if (rc == RC_OK && revoked)
		rc = office_review(c->office, &c->app, REVIEW_STOP_REVOKED, 0, c->err);
	return rc;
}

/* ---- 許可 ---- */

enum rc office_send_again(struct office *office, const struct application *app, const struct notice *notice,
	const char *actor, const char **refused_ja, struct err *err)
{
	int number;
	char token[TOKEN_TEXT_MAX];
	struct draft_order order = {.app = app,
		.template_name = notice->template_name,
		.stage = notice->stage,
		.resend_of = notice->resend_of ? notice->resend_of : notice->id,
		.anew = notice->stage == STAGE_NONE}; /* a resend stays one */
	struct draft draft = {.packed = STR_INIT};
	*refused_ja = NULL;
	enum rc rc = rules_get(office, app->template_set, &order.rules, err);
	if (rc == RC_OK)
		rc = outbox_next_no(office->store, app->id, notice->template_name, &number, err);
	if (rc != RC_OK)
		return rc;
	order.resend_no = number;
	confirm_token_make(office, &order, token);
	rc = draft_make(office, &order, &draft, err);
	if (rc == RC_REFUSED)
		*refused_ja = draft.refused_ja;
	if (rc == RC_OK)
		rc = draft_queue(office, &order, &draft, actor, err);
	if (rc == RC_OK)
		rc = confirm_token_keep(office, &order, &draft, err);
	draft_free(&draft);
	return rc;
}

/* Lets a reviewed application go on from where it stood. One whose notice may have arrived counts as served: staff can resend it. */
static enum rc approve_reviewed(struct decision_case *c)
{
	struct notice previous;
	enum rc rc = office_previous_notice(c->office, &c->app, &previous, c->pool, c->err);
	if (rc != RC_OK)
		return rc;
	bool open = previous.id && c->app.previous_sent_at == 0;
	/* Cancelled: when a stop was announced that was then revoked. */
	if (open && (previous.state == OUTBOX_FAILED || previous.state == OUTBOX_CANCELLED))
		rc = office_send_again(c->office, &c->app, &previous, c->actor, c->why_ja, c->err);
	else if (open && previous.state == OUTBOX_UNKNOWN)
		c->app.previous_sent_at = clock_now(c->office->clock);
	if (rc == RC_OK)
		rc = give_days_back(c);
	if (rc != RC_OK)
		return rc;
	c->app.hold = HOLD_NONE;
	c->app.hold_reason = "";
	return office_write(c->office, &c->app, EVENT_APPROVE, c->actor, c->reason, 0, c->err);
}

static enum rc approve(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_APPROVE);
	if (rc != RC_OK)
		return rc;
	if (c->app.hold == HOLD_REVIEW)
		return approve_reviewed(c);
	if (c->app.hold == HOLD_STAFF)
		return decision_refuse(
			c, "保留中です。先に保留を解除してください。", "it is held; release it first");
	if (c->app.stage < 0 || !c->rules->profile.stage[c->app.stage].approval || c->app.approved)
		return decision_refuse(
			c, "許可を待っている申込みではありません。", "it does not wait for approval");
	c->app.approved = true;
	return office_write(c->office, &c->app, EVENT_APPROVE, c->actor, c->reason, 0, c->err);
}

/* ---- the ends ---- */

#define REVIEW_STAR_ENDED "ステップアップ元の一つ星の申込みが終了しました。"

/* A step-up whose star was refused or withdrawn stands in the air: a person must look. */
static enum rc review_step_up(struct decision_case *c)
{
	int64_t id = 0;
	enum rc rc = application_step_up_of(c->office->store, c->app.id, &id, c->err);
	struct application step_up;
	if (rc != RC_OK || id == 0)
		return rc;
	rc = application_get(c->office->store, id, &step_up, c->pool, c->err);
	return rc == RC_OK ? office_review(c->office, &step_up, REVIEW_STAR_ENDED, c->app.id, c->err) : rc;
}

static enum rc tell_rejected(struct decision_case *c)
{
	if (!c->office->settings->notify_refused || !template_set_find(c->rules->templates, NOTICE_REJECTED))
		return RC_OK;
	struct draft_order order = {.app = &c->app,
		.rules = c->rules,
		.template_name = NOTICE_REJECTED,
		.stage = STAGE_NONE,
		.reason_ja = c->reason};
	struct draft draft;
	enum rc rc = draft_make(c->office, &order, &draft, c->err);
	if (rc == RC_REFUSED) { /* the decision stands, and the reason can be told by hand */
		rc = office_review(c->office, &c->app, draft.refused_ja, 0, c->err);
	} else if (rc == RC_OK) {
		rc = draft_queue(c->office, &order, &draft, c->actor, c->err);
	}
	draft_free(&draft);
	return rc;
}

static enum rc reject(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_REJECT);
	if (rc == RC_OK)
		rc = decision_check_reason(c);
	if (rc == RC_OK)
		rc = advance(c, EVENT_REJECT, CIVIL_DAY_NONE);
	if (rc == RC_OK)
		rc = review_step_up(c);
	return rc == RC_OK ? tell_rejected(c) : rc;
}

static enum rc withdraw(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_WITHDRAW);
	if (rc == RC_OK)
		rc = advance(c, EVENT_WITHDRAW, CIVIL_DAY_NONE);
	return rc == RC_OK ? review_step_up(c) : rc;
}

/* ---- 確認済み ---- */

/* The notice that asked for the confirmation has nothing to ask any more. */
static enum rc confirm(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_CONFIRM);
	if (rc != RC_OK)
		return rc;
	int cancelled = 0, in_flight = 0;
	rc = advance(c, EVENT_CONFIRM, CIVIL_DAY_NONE);
	if (rc == RC_OK)
		rc = outbox_cancel(c->office->store, c->app.id, &cancelled, &in_flight, c->err);
	if (rc == RC_OK && cancelled)
		rc = office_note(c->office, &c->app, EVENT_CANCEL, c->actor, "", 0, cancelled, c->err);
	return rc;
}

/* ---- the door ---- */

enum rc decision_run(
	struct decision_case *c, int64_t application_id, enum rc (*action)(struct decision_case *c))
{
	struct txn txn;
	*c->why_ja = NULL;
	enum rc rc = txn_begin(c->office, &txn, c->err);
	if (rc != RC_OK)
		return rc;
	rc = decision_open(c, application_id);
	if (rc == RC_OK)
		rc = action(c);
	return txn_end(c->office, &txn, rc, c->err);
}

static enum rc (*const actions[])(struct decision_case *c) = {
	[DECISION_APPROVE] = approve,
	[DECISION_HOLD] = hold,
	[DECISION_RELEASE] = release,
	[DECISION_REJECT] = reject,
	[DECISION_CONFIRM] = confirm,
	[DECISION_WITHDRAW] = withdraw,
};

enum rc office_decide(struct office *office, int64_t application_id, enum decision_action action,
	const char *reason, const char *actor, const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	return decision_run(&c, application_id, actions[action]);
}

/* ---- 使用中止 ---- */

/* A stop that was announced for a later day: whatever is queued is cancelled now, a hold keeps the rest back until the clock stops it. */
static enum rc announce_stop(struct decision_case *c)
{
	int cancelled = 0, in_flight = 0;
	struct str note = STR_INIT;
	enum rc rc = outbox_cancel(c->office->store, c->app.id, &cancelled, &in_flight, c->err);
	if (rc == RC_OK && cancelled)
		rc = office_note(c->office, &c->app, EVENT_CANCEL, c->actor, "", 0, cancelled, c->err);
	if (rc == RC_OK && in_flight)
		rc = office_note(c->office, &c->app, EVENT_IN_FLIGHT, c->actor, "", 0, in_flight, c->err);
	if (rc != RC_OK)
		return rc;
	str_addz(&note, "使用中止の予定日 ");
	civil_day_print(&note, c->stop_on);
	if (*c->reason)
		str_printf(&note, "：%s", c->reason);
	c->app.stopped_on = c->stop_on;
	c->app.hold = HOLD_STAFF;
	c->app.hold_reason = note.s;
	rc = office_write(c->office, &c->app, EVENT_HOLD, c->actor, note.s, 0, c->err);
	str_free(&note);
	c->app.hold_reason = "";
	return rc;
}

static enum rc stop_case(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_STOP);
	if (rc != RC_OK)
		return rc;
	bool later = c->stop_on != CIVIL_DAY_NONE && c->stop_on > office_today(c->office);
	return later ? announce_stop(c) : advance(c, EVENT_STOP, c->stop_on);
}

/* A stop ends both: the star and the step-up that runs for it. */
static enum rc stop_both(struct decision_case *c)
{
	int64_t other = c->app.linked_id;
	enum rc rc = RC_OK;
	if (other == 0)
		rc = application_step_up_of(c->office->store, c->app.id, &other, c->err);
	if (rc == RC_OK)
		rc = stop_case(c);
	if (rc != RC_OK || other == 0)
		return rc;
	rc = decision_open(c, other);
	return rc == RC_OK && state_is_live(c->app.state) ? stop_case(c) : rc;
}

enum rc office_stop(struct office *office, int64_t application_id, civil_day on, const char *reason,
	const char *actor, const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.stop_on = on,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	return decision_run(&c, application_id, stop_both);
}

/* ---- 再送 ---- */

#define NOT_SENT_YET "その通知はまだ送信されていません。通知の名前（id、logoなど）も確かめてください。"

static enum rc check_may_resend(struct decision_case *c)
{
	enum rc rc = decision_check_table(c, EVENT_RESEND);
	if (rc == RC_OK && c->app.hold != HOLD_NONE)
		rc = decision_refuse(
			c, "保留中または要確認の申込みには再送できません。", "it is held; nothing is sent");
	return rc;
}

struct letters { /* of one name */
	const char *template_name;
	bool waits; /* one is on its way */
};

static enum rc look_at_letter(void *ctx, const struct notice *notice, struct err *err)
{
	struct letters *letters = ctx;
	(void)err;
	if (strcmp(notice->template_name, letters->template_name) == 0)
		letters->waits |= notice->state == OUTBOX_QUEUED || notice->state == OUTBOX_SENDING;
	return RC_OK;
}

enum rc office_letter_waits(struct office *office, int64_t application_id, const char *template_name,
	bool *waits, struct err *err)
{
	struct letters letters = {.template_name = template_name};
	enum rc rc = outbox_each(office->store, application_id, look_at_letter, &letters, err);
	*waits = letters.waits;
	return rc;
}

static enum rc check_none_waits(struct decision_case *c)
{
	bool waits;
	enum rc rc = office_letter_waits(c->office, c->app.id, c->template_name, &waits, c->err);
	return rc == RC_OK && waits
		       ? decision_refuse(c,
				 "その通知はいま送信待ちです。送信の結果が出てから行ってください。",
				 "a notice of that name waits to be sent")
		       : rc;
}

static enum rc check_resend(struct decision_case *c, struct notice *first)
{
	int64_t id = 0;
	enum rc rc = check_may_resend(c);
	if (rc != RC_OK)
		return rc;
	rc = outbox_first(c->office->store, c->app.id, c->template_name, &id, c->err);
	if (rc == RC_OK && id)
		rc = outbox_get(c->office->store, id, first, c->pool, c->err);
	if (rc == RC_OK && (id == 0 || (first->state != OUTBOX_SENT && first->state != OUTBOX_UNKNOWN)))
		rc = decision_refuse(c, NOT_SENT_YET, "there is no first letter of that name that was sent");
	return rc == RC_OK ? check_none_waits(c) : rc;
}

static enum rc queue_resend(struct decision_case *c, const struct notice *first, const struct str *wire)
{
	int number;
	enum rc rc = outbox_next_no(c->office->store, c->app.id, first->template_name, &number, c->err);
	if (rc != RC_OK)
		return rc;
	struct draft_order order = {.app = &c->app,
		.rules = c->rules,
		.template_name = first->template_name,
		.stage = STAGE_NONE,
		.resend_of = first->id,
		.resend_no = number,
		.first_wire = wire,
		.first_sent_on = civil_day_of(first->accepted_at ? first->accepted_at : first->queued_at)};
	struct draft draft;
	rc = draft_make(c->office, &order, &draft, c->err);
	if (rc == RC_REFUSED)
		*c->why_ja = draft.refused_ja;
	if (rc == RC_OK)
		rc = draft_queue(c->office, &order, &draft, c->actor, c->err);
	if (rc == RC_OK)
		*c->notice_id = draft.notice.id;
	draft_free(&draft);
	return rc;
}

static enum rc resend(struct decision_case *c)
{
	struct notice first = {0};
	struct str wire = STR_INIT, dkim = STR_INIT;
	enum rc rc = check_resend(c, &first);
	if (rc == RC_OK)
		rc = office_letter(c->office, first.id, &wire, &dkim, c->err);
	if (rc == RC_OK) {
		str_add(&dkim, wire.s, wire.len); /* as it went over the wire */
		rc = queue_resend(c, &first, &dkim);
	}
	str_wipe(&wire);
	str_wipe(&dkim);
	return rc;
}

enum rc office_resend(struct office *office, int64_t application_id, const char *template_name,
	const char *actor, int64_t *notice_id, const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = "",
		.actor = actor,
		.template_name = template_name,
		.notice_id = notice_id,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	*notice_id = 0;
	return decision_run(&c, application_id, resend);
}

/* ---- 作り直して送信 ---- */

/* The stage of the letter must be behind it: a declaration that was taken over never got one from here. */
static enum rc check_anew(struct decision_case *c, int64_t *first_id, int *stage)
{
	enum rc rc = check_may_resend(c);
	if (rc == RC_OK)
		rc = decision_check_reason(c);
	if (rc == RC_OK)
		rc = outbox_first(c->office->store, c->app.id, c->template_name, first_id, c->err);
	if (rc != RC_OK)
		return rc;
	*stage = rules_stage_of(c->rules, c->template_name);
	if (*stage == STAGE_NONE || (c->app.stage != STAGE_NONE && c->app.stage <= *stage))
		return decision_refuse(c, NOT_SENT_YET, "no stage behind it has a notice of that name");
	return check_none_waits(c);
}

static enum rc resend_anew(struct decision_case *c)
{
	int64_t first_id = 0;
	int stage, number;
	struct draft draft = {.packed = STR_INIT};
	enum rc rc = check_anew(c, &first_id, &stage);
	if (rc == RC_OK)
		rc = outbox_next_no(c->office->store, c->app.id, c->template_name, &number, c->err);
	if (rc != RC_OK)
		return rc;
	struct draft_order order = {.app = &c->app,
		.rules = c->rules,
		.template_name = c->template_name,
		.stage = first_id ? STAGE_NONE : stage,
		.resend_of = first_id,
		.resend_no = number,
		.anew = true,
		.note = c->reason};
	rc = draft_make(c->office, &order, &draft, c->err);
	if (rc == RC_REFUSED)
		*c->why_ja = draft.refused_ja;
	if (rc == RC_OK)
		rc = draft_queue(c->office, &order, &draft, c->actor, c->err);
	if (rc == RC_OK)
		*c->notice_id = draft.notice.id;
	draft_free(&draft);
	return rc;
}

enum rc office_resend_anew(struct office *office, int64_t application_id, const char *template_name,
	const char *reason, const char *actor, int64_t *notice_id, const char **why_ja, struct pool *pool,
	struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.template_name = template_name,
		.notice_id = notice_id,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	*notice_id = 0;
	return decision_run(&c, application_id, resend_anew);
}
