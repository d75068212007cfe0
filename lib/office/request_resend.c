/*
 * request_resend.c - a notice once more: to the registered address, whoever asked
 *
 * The profiles have their own names for their notices; a mail asks for the notice of a state. While a step-up runs, one declaration has two applications: the
 * newer letter is meant.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

struct side { /* the application itself, and the step-up that runs for it */
	struct application app;
	const struct rules *rules;
};

struct wanted { /* one notice that is asked for */
	enum state state; /* STATE_NONE: whichever was sent last */
	enum state found; /* what it turned out to be */
	const struct side *side; /* where it was sent; NULL: nowhere */
	const char *template_name;
	int64_t notice_id;
};

struct order { /* what one mail asks for */
	struct inbound *in;
	struct side side[2];
	int sides;
	struct wanted wanted[2];
	int count;
	struct str note; /* what became of each, for staff */
	int sent;
};

static const char *name_ja(enum state state)
{
	static const char *const names[STATE_COUNT] = {
		[STATE_UNCONFIRMED] = "メールアドレス確認のお願い",
		[STATE_RECEIVED] = "お申込み受付のご連絡",
		[STATE_ID_ISSUED] = "自己宣言IDのお知らせ",
		[STATE_LOGO_AUTHORIZED] = "ロゴマークの使用許諾のお知らせ",
	};
	return names[state] ? names[state] : "通知メール";
}

/* ---- what is asked for, and where it was sent ---- */

static enum rc take_side(struct order *order, const struct application *app)
{
	struct side *side = &order->side[order->sides++];
	side->app = *app;
	return rules_get(order->in->office, app->template_set, &side->rules, order->in->err);
}

static enum rc open_sides(struct order *order)
{
	struct inbound *in = order->in;
	struct application step_up = {0};
	int64_t id = 0;
	enum rc rc = take_side(order, &in->app);
	if (rc == RC_OK)
		rc = application_step_up_of(in->office->store, in->app.id, &id, in->err);
	if (rc == RC_OK && id)
		rc = application_get(in->office->store, id, &step_up, in->pool, in->err);
	return rc == RC_OK && id ? take_side(order, &step_up) : rc;
}

struct search {
	const struct side *side;
	struct wanted *wanted; /* of that state; state STATE_NONE: of any */
};

/* The newest first letter that was sent. */
static enum rc take_newest(void *ctx, const struct notice *notice, struct err *err)
{
	struct search *search = ctx;
	struct wanted *wanted = search->wanted;
	const struct profile *profile = &search->side->rules->profile;
	(void)err;
	if (notice->stage < 0 || notice->stage >= profile->stage_count || notice->resend_of != 0 ||
		(notice->state != OUTBOX_SENT && notice->state != OUTBOX_UNKNOWN) ||
		notice->id < wanted->notice_id)
		return RC_OK;
	const struct stage *stage = &profile->stage[notice->stage];
	if (wanted->state != STATE_NONE && wanted->state != stage->state)
		return RC_OK;
	wanted->found = stage->state;
	wanted->side = search->side;
	wanted->template_name = stage->template_name;
	wanted->notice_id = notice->id;
	return RC_OK;
}

static enum rc want(struct order *order, enum state state)
{
	struct inbound *in = order->in;
	struct wanted *wanted = &order->wanted[order->count++];
	*wanted = (struct wanted){.state = state};
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < order->sides; i++) {
		struct search search = {&order->side[i], wanted};
		rc = outbox_each(in->office->store, order->side[i].app.id, take_newest, &search, in->err);
	}
	return rc;
}

/* Nothing named: the one that was sent last. */
static enum rc read_order(struct order *order)
{
	const struct received *received = order->in->received;
	const char *notice = received ? received->reading.notice : "";
	bool both = strcmp(notice, "both") == 0;
	enum rc rc = RC_OK;
	if (both || strcmp(notice, "id-notice") == 0)
		rc = want(order, STATE_ID_ISSUED);
	if (rc == RC_OK && (both || strcmp(notice, "logo-notice") == 0))
		rc = want(order, STATE_LOGO_AUTHORIZED);
	return rc == RC_OK && order->count == 0 ? want(order, STATE_NONE) : rc;
}

/* ---- one notice ---- */

/* Why there is nothing to send again: for whoever has to answer. */
static void note_unsent(struct order *order, const struct wanted *wanted)
{
	str_printf(&order->note, "「%s」は、この仕組みからまだ送っていません", name_ja(wanted->state));
	for (int i = 0; i < order->sides; i++) {
		const struct side *side = &order->side[i];
		int next = side->app.stage;
		if (next < 0 || side->rules->profile.stage[next].state != wanted->state ||
			side->app.due_at == UTC_NEVER)
			continue;
		str_addz(&order->note, "（送信予定 ");
		civil_day_print_ja(&order->note, civil_day_of(side->app.due_at));
		str_addz(&order->note, "）");
	}
	str_addz(&order->note, "。");
}

static enum rc send_again(struct order *order, const struct wanted *wanted)
{
	struct inbound *in = order->in;
	const char *why_ja = NULL;
	int64_t notice_id;
	struct err refused = {0};
	if (!wanted->side) {
		note_unsent(order, wanted);
		return RC_OK;
	}
	const char *name = name_ja(wanted->found);
	bool waits;
	enum rc rc =
		office_letter_waits(in->office, wanted->side->app.id, wanted->template_name, &waits, in->err);
	if (rc != RC_OK)
		return rc;
	if (waits) { /* what was asked for is on its way already */
		order->sent++;
		str_printf(&order->note, "「%s」は、すでに送信待ちです。", name);
		return RC_OK;
	}
	rc = office_resend(in->office, wanted->side->app.id, wanted->template_name, in->actor, &notice_id,
		&why_ja, in->pool, &refused);
	if (rc == RC_OK) {
		order->sent++;
		str_printf(&order->note, "「%s」を登録アドレスへ再送しました。", name);
	} else if (rc == RC_REFUSED) {
		str_printf(&order->note, "「%s」を再送できませんでした。%s", name, why_ja ? why_ja : "");
		rc = RC_OK;
	} else {
		*in->err = refused;
	}
	return rc;
}

/* ---- the request ---- */

static enum rc send_all(struct order *order)
{
	struct inbound *in = order->in;
	const char *why_ja = NULL;
	enum rc rc = open_sides(order);
	if (rc == RC_OK)
		rc = read_order(order);
	if (rc == RC_OK)
		rc = inbound_may_send(in, order->count, &why_ja);
	if (rc == RC_OK && why_ja)
		return inbound_hand_over(in, why_ja);
	for (int i = 0; rc == RC_OK && i < order->count; i++)
		rc = send_again(order, &order->wanted[i]);
	if (rc != RC_OK)
		return rc;
	const char *note_ja = pool_strdup(in->pool, order->note.s);
	/* Where nothing could be sent, a person answers; one of two that is still to come says so itself. */
	return order->sent ? inbound_done_for(in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, note_ja)
			   : inbound_hand_over(in, note_ja);
}

enum rc inbound_carry_out_resend(struct inbound *in)
{
	struct order order = {.in = in, .note = STR_INIT};
	enum rc rc = send_all(&order);
	str_free(&order.note);
	return rc;
}

enum rc inbound_resend(struct inbound *in)
{
	enum identified found;
	bool handled = false;
	enum rc rc = inbound_identify(in, true, &found);
	if (rc == RC_OK && found != IDENTIFIED_ONE)
		return inbound_not_identified(in, found);
	if (rc == RC_OK)
		rc = inbound_by_policy(in, &handled);
	return rc == RC_OK && !handled ? inbound_carry_out_resend(in) : rc;
}
