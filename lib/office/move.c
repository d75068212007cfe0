/*
 * move.c - staff move an application themselves: the next stage now, or the last change of state taken back
 *
 * What is taken back is read in the history. Rows of a state pile up, a row that took one back takes the topmost off, so that the
 * topmost one is always the last change that still stands.
 */
#include "lib/office/decide_p.h"

#include <inttypes.h>

/* ---- 繰上げ ---- */

static enum rc check_office(struct decision_case *c)
{
	bool yes = false;
	enum rc rc = office_may_decide(c->office, &yes, c->err);
	if (rc == RC_OK && !yes)
		rc = decision_refuse(c,
			store_restored(c->office->store) != RESTORED_NO
				? "台帳が復元されたものかどうか確認待ちのため、何も送信できません。先に「rele"
				  "ase "
				  "--restored」で確認を終えてください。"
				: "段階の進行を一時停止しています。再開（resume "
				  "deciding）してから行ってください。",
			"deciding is paused, or the register waits to be taken over");
	return rc;
}

/* What the cadence would still wait for besides its day. */
static enum rc check_wait(struct decision_case *c, enum wait wait)
{
	switch (wait) {
	case WAIT_ENDED:
		return decision_refuse(c,
			pool_printf(
				c->pool, "「%s」の申込みは繰り上げられません。", state_name_ja(c->app.state)),
			"it is over");
	case WAIT_DONE:
		return decision_refuse(
			c, "すべての段階が済んでいます。次の段階はありません。", "all its stages are done");
	case WAIT_HOLD:
		return decision_refuse(
			c, "保留中です。先に保留を解除してください。", "it is held; release it first");
	case WAIT_REVIEW:
		return decision_refuse(c,
			"要確認の申込みです。先に「許可」または「却下」で処理してください。",
			"it waits for a decision (review)");
	case WAIT_CONFIRM:
		return decision_refuse(c,
			"メールアドレスの確認がまだです。別の方法で確認できたときは「確認済み」にしてください"
			"。",
			"the address has not been confirmed");
	case WAIT_APPROVAL:
		return decision_refuse(c, "許可を待っている段階です。先に「許可」してください。",
			"the stage waits for approval");
	case WAIT_PREVIOUS:
		return decision_refuse(c,
			"前の通知がまだ送信されていません。送信されてから繰り上げてください。",
			"the mail server has not taken the notice before");
	case WAIT_NOTHING:
		break;
	}
	return RC_OK;
}

static enum rc bring_forward(struct decision_case *c)
{
	struct due due;
	enum rc rc = decision_check_reason(c);
	if (rc == RC_OK)
		rc = check_office(c);
	if (rc == RC_OK)
		rc = office_reckon(c->office, &c->app, &due, c->err);
	if (rc == RC_OK)
		rc = check_wait(c, due.wait);
	if (rc != RC_OK)
		return rc;
	const struct stage *stage = &c->rules->profile.stage[c->app.stage];
	if (c->to != STATE_NONE && stage->state != c->to)
		return decision_refuse(c,
			pool_printf(c->pool, "次の段階は「%s」です。「%s」へは直接進められません。",
				state_name_ja(stage->state), state_name_ja(c->to)),
			"that is not its next stage");
	return office_run_stage(c->office, &c->app, c->actor, c->reason, c->err);
}

enum rc office_move(struct office *office, int64_t application_id, enum state to, const char *reason,
	const char *actor, const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.to = to,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	return decision_run(&c, application_id, bring_forward);
}

/* ---- 元に戻す ---- */

#define CHANGES_MAX 16 /* of state; a life has six at most, and those taken back are gone */

struct change_of_state {
	int64_t seq;
	enum event event;
	enum state from;
};

struct changes {
	struct change_of_state item[CHANGES_MAX];
	int count;
};

static bool takes_back(enum event event)
{
	return event >= EVENT_UNDO_TO_UNCONFIRMED && event <= EVENT_UNDO_TO_LOGO;
}

static enum rc pile_up(void *ctx, const struct history_row *row, struct err *err)
{
	struct changes *changes = ctx;
	(void)err;
	if (row->event >= EVENT_HOLD)
		return RC_OK;
	if (takes_back(row->event))
		changes->count -= changes->count > 0;
	else if (changes->count < CHANGES_MAX)
		changes->item[changes->count++] =
			(struct change_of_state){.seq = row->seq, .event = row->event, .from = row->from};
	return RC_OK;
}

static const enum event back_to[STATE_COUNT] = {
	[STATE_UNCONFIRMED] = EVENT_UNDO_TO_UNCONFIRMED,
	[STATE_RECEIVED] = EVENT_UNDO_TO_RECEIVED,
	[STATE_ID_ISSUED] = EVENT_UNDO_TO_ID,
	[STATE_LOGO_AUTHORIZED] = EVENT_UNDO_TO_LOGO,
};

struct undo {
	struct decision_case *c;
	struct change_of_state last;
	const struct notice *told; /* the first that was sent, or may have been */
	struct notice told_copy;
	int stage; /* the first whose notice came with the change; STAGE_NONE: none did */
};

/* A notice that was queued with the change or after it tells of it. What may have arrived once may have been read, whatever became of its repeat. */
static enum rc look_at_notice(void *ctx, const struct history_row *row, struct err *err)
{
	struct undo *undo = ctx;
	struct notice notice;
	if (row->event != EVENT_QUEUE && row->event != EVENT_RESEND)
		return RC_OK;
	struct store *store = undo->c->office->store;
	int unknown = 0;
	enum rc rc = outbox_get(store, row->ref, &notice, undo->c->pool, err);
	rc = rc ? rc : history_unknown(store, &notice, &unknown, err);
	if (rc != RC_OK)
		return rc;
	if (unknown && notice.state != OUTBOX_SENT && notice.state != OUTBOX_SENDING)
		notice.state = OUTBOX_UNKNOWN;
	bool out = notice.state == OUTBOX_SENT || notice.state == OUTBOX_UNKNOWN ||
		   notice.state == OUTBOX_SENDING;
	if (out && !undo->told) {
		undo->told_copy = notice;
		undo->told = &undo->told_copy;
	}
	if (notice.stage != STAGE_NONE && (undo->stage == STAGE_NONE || notice.stage < undo->stage))
		undo->stage = notice.stage;
	return RC_OK;
}

static enum rc refuse_told(struct undo *undo)
{
	static const struct {
		const char *ja, *en;
	} words[] = {
		[OUTBOX_SENDING] =
			{"いまメールサーバーに渡しているところです。結果が出てから、もう一度確かめてくだ"
			 "さい。",
				"it is at the mail server this moment"},
		[OUTBOX_SENT] = {"すでに送信されているため、元に戻せません。", "it was sent"},
		[OUTBOX_UNKNOWN] = {"届いたかもしれないため（送信結果不明）、元に戻せません。",
			"it may have been sent"},
	};
	struct decision_case *c = undo->c;
	const struct notice *told = undo->told;
	return decision_refuse(c,
		pool_printf(c->pool, "この変更を知らせる通知（%s）は、%s", told->template_name,
			words[told->state].ja),
		words[told->state].en);
}

/* One business, one live declaration; one step-up of a star. */
static enum rc check_alone(struct undo *undo)
{
	struct decision_case *c = undo->c;
	struct store *store = c->office->store;
	int64_t live = 0, declaration, step_up = 0;
	int star;
	bool same;
	struct application linked = {.state = STATE_NONE};
	enum rc rc = application_live(
		store, applicant_key(&c->app.form, c->pool), NULL, &live, &declaration, &star, &same, c->err);
	if (rc == RC_OK && c->app.linked_id)
		rc = application_get(store, c->app.linked_id, &linked, c->pool, c->err);
	if (rc == RC_OK && c->app.linked_id)
		rc = application_step_up_of(store, c->app.linked_id, &step_up, c->err);
	if (rc != RC_OK)
		return rc;
	if (live && live != c->app.id && live != c->app.linked_id)
		return decision_refuse(c,
			pool_printf(c->pool,
				"同じ事業者の別の有効な申込み（申込番号%" PRId64
				"）があるため、元に戻せません。",
				live),
			"the business has another live application");
	if (step_up && step_up != c->app.id)
		return decision_refuse(c,
			pool_printf(c->pool,
				"同じ一つ星からの別のステップアップ（申込番号%" PRId64
				"）があるため、元に戻せません。",
				step_up),
			"another step-up of its star runs");
	if (c->app.linked_id && undo->last.from != STATE_LOGO_AUTHORIZED && !state_is_live(linked.state))
		return decision_refuse(c,
			pool_printf(c->pool,
				"ステップアップ元の一つ星（申込番号%" PRId64
				"）が終了しています。先にそちらを元に戻してください。",
				c->app.linked_id),
			"its star is over; take that back first");
	return RC_OK;
}

static enum rc check_undo(struct undo *undo)
{
	struct decision_case *c = undo->c;
	enum rc rc = decision_check_reason(c);
	if (rc != RC_OK)
		return rc;
	if (undo->last.event == EVENT_IMPORT_ID || undo->last.event == EVENT_IMPORT_LOGO ||
		undo->last.event == EVENT_IMPORT_STOPPED)
		return decision_refuse(
			c, "取り込んだときの状態より前には戻せません。", "it was taken over so");
	if (office_is_erased(&c->app))
		return decision_refuse(c, "個人データが消去されているため、元に戻せません。",
			"its personal data were erased");
	if (!back_to[undo->last.from])
		return decision_refuse(c, "受け付けたときの状態です。元に戻す変更がありません。",
			"nothing has changed since it came in");
	rc = decision_check_table(c, back_to[undo->last.from]);
	if (rc != RC_OK)
		return rc;
	if (undo->told)
		return refuse_told(undo);
	if (c->app.state == STATE_LOGO_AUTHORIZED && c->app.linked_id)
		return decision_refuse(c, "二つ星に切り替わり、一つ星は終了しています。元に戻せません。",
			"it has superseded its star");
	return state_is_live(c->app.state) ? RC_OK : check_alone(undo);
}

/* When the mail server took the notice of the stage before: the next one counts from there. */
static enum rc find_previous_sent(struct undo *undo, struct notice *previous)
{
	struct decision_case *c = undo->c;
	struct application *app = &c->app;
	enum rc rc = office_previous_notice(c->office, app, previous, c->pool, c->err);
	if (rc != RC_OK)
		return rc;
	app->previous_sent_at = 0;
	if (previous->id && (previous->state == OUTBOX_SENT || previous->state == OUTBOX_UNKNOWN))
		app->previous_sent_at =
			previous->accepted_at ? previous->accepted_at : previous->first_try_at;
	else if (!previous->id && app->stage > 0) /* taken over: nobody knows the hour */
		app->previous_sent_at = app->id_issued_on != CIVIL_DAY_NONE
						? civil_moment(app->id_issued_on, 12 * 60)
						: app->received_at;
	return RC_OK;
}

/* As it was before the change; the numbers stay with it and are used when the ID is issued anew. */
static enum rc step_back(struct undo *undo, struct notice *previous)
{
	struct application *app = &undo->c->app;
	enum rc rc = RC_OK;
	*previous = (struct notice){0};
	if (state_is_live(app->state)) {
		if (undo->stage != STAGE_NONE) {
			app->stage = undo->stage;
			app->approved = false;
			rc = find_previous_sent(undo, previous);
		}
		if (undo->last.event == EVENT_ISSUE_ID)
			app->id_issued_on = CIVIL_DAY_NONE;
		app->logo_authorized_on = CIVIL_DAY_NONE;
	} else {
		app->stopped_on = CIVIL_DAY_NONE;
		rc = office_previous_notice(undo->c->office, app, previous, undo->c->pool, undo->c->err);
		if (undo->last.event == EVENT_EXPIRE) /* its days begin anew */
			app->previous_sent_at = clock_now(undo->c->office->clock);
	}
	return rc;
}

/* Held, because the cadence would do at once again what was just taken back: staff look, then release it. */
static enum rc hold_after(struct decision_case *c)
{
	if (c->app.hold == HOLD_REVIEW) /* what a person must decide is not decided by this */
		return RC_OK;
	c->app.hold = HOLD_STAFF;
	c->app.hold_reason = pool_printf(c->pool, "元に戻しました：%s", c->reason);
	return office_write(c->office, &c->app, EVENT_HOLD, c->actor, c->app.hold_reason, 0, c->err);
}

static enum rc take_back(struct undo *undo)
{
	struct decision_case *c = undo->c;
	struct notice previous;
	bool ended = !state_is_live(c->app.state);
	const char *refused_ja = NULL;
	struct act act = {.event = back_to[undo->last.from],
		.stage = STAGE_NONE,
		.actor = c->actor,
		.note = c->reason,
		.on = CIVIL_DAY_NONE};
	enum rc rc = step_back(undo, &previous);
	if (rc == RC_OK)
		rc = office_advance(c->office, &c->app, &act, c->err);
	if (rc == RC_OK)
		rc = hold_after(c);
	/* What the end had cancelled is made anew; it waits for the release like everything else. */
	if (rc == RC_OK && ended && previous.id && previous.state == OUTBOX_CANCELLED &&
		c->app.previous_sent_at == 0)
		rc = office_send_again(c->office, &c->app, &previous, c->actor, &refused_ja, c->err);
	if (rc == RC_REFUSED && refused_ja)
		*c->why_ja = refused_ja;
	return rc;
}

static enum rc undo_case(struct decision_case *c)
{
	struct changes changes = {.count = 0};
	struct undo undo = {.c = c, .stage = STAGE_NONE};
	enum rc rc = history_each(c->office->store, c->app.id, 0, pile_up, &changes, c->err);
	if (rc != RC_OK)
		return rc;
	if (changes.count > 0)
		undo.last = changes.item[changes.count - 1];
	rc = history_each(c->office->store, c->app.id, undo.last.seq, look_at_notice, &undo, c->err);
	if (rc == RC_OK)
		rc = check_undo(&undo);
	return rc == RC_OK ? take_back(&undo) : rc;
}

enum rc office_undo(struct office *office, int64_t application_id, const char *reason, const char *actor,
	const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	return decision_run(&c, application_id, undo_case);
}
