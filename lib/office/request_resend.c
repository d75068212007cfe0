/*
 * request_resend.c - a notice once more: to the registered address, whoever asked
 *
 * The profiles have their own names for their notices; a mail asks for the notice of a state.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

struct wanted { /* one notice that is asked for */
	enum state state;
	const char *template_name;
};

struct order { /* what one mail asks for */
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

static bool is_sent(const struct notice *notice)
{
	return notice->state == OUTBOX_SENT || notice->state == OUTBOX_UNKNOWN;
}

/* ---- what is asked for ---- */

struct last_sent {
	int stage;
};

static enum rc take_last(void *ctx, const struct notice *notice, struct err *err)
{
	struct last_sent *last = ctx;
	(void)err;
	if (notice->stage != STAGE_NONE && notice->resend_of == 0 && is_sent(notice))
		last->stage = notice->stage;
	return RC_OK;
}

static void want(struct order *order, const struct stage *stage)
{
	order->wanted[order->count++] =
		(struct wanted){.state = stage->state, .template_name = stage->template_name};
}

static void want_state(struct order *order, const struct profile *profile, enum state state)
{
	for (int i = 0; i < profile->stage_count; i++)
		if (profile->stage[i].state == state) {
			want(order, &profile->stage[i]);
			return;
		}
}

/* Nothing named: the one that was sent last. */
static enum rc read_order(struct inbound *in, const struct rules *rules, struct order *order)
{
	const char *notice = in->received->reading.notice;
	bool both = strcmp(notice, "both") == 0;
	if (both || strcmp(notice, "id-notice") == 0)
		want_state(order, &rules->profile, STATE_ID_ISSUED);
	if (both || strcmp(notice, "logo-notice") == 0)
		want_state(order, &rules->profile, STATE_LOGO_AUTHORIZED);
	if (*notice)
		return RC_OK;
	struct last_sent last = {.stage = STAGE_NONE};
	enum rc rc = outbox_each(in->office->store, in->app.id, take_last, &last, in->err);
	if (rc == RC_OK && last.stage >= 0 && last.stage < rules->profile.stage_count)
		want(order, &rules->profile.stage[last.stage]);
	return rc;
}

/* ---- one notice ---- */

/* Why there is nothing to send again: for whoever has to answer. */
static void note_unsent(
	struct inbound *in, const struct rules *rules, const struct wanted *wanted, struct order *order)
{
	const struct application *app = &in->app;
	bool next = app->stage >= 0 && rules->profile.stage[app->stage].state == wanted->state;
	str_printf(&order->note, "「%s」は、この仕組みからまだ送っていません", name_ja(wanted->state));
	if (next && app->due_at != UTC_NEVER) {
		str_addz(&order->note, "（送信予定 ");
		civil_day_print_ja(&order->note, civil_day_of(app->due_at));
		str_addz(&order->note, "）");
	}
	str_addz(&order->note, "。");
}

static enum rc find_first(struct inbound *in, const struct wanted *wanted, bool *sent)
{
	int64_t id = 0;
	struct notice first;
	*sent = false;
	enum rc rc = outbox_first(in->office->store, in->app.id, wanted->template_name, &id, in->err);
	if (rc != RC_OK || id == 0)
		return rc;
	rc = outbox_get(in->office->store, id, &first, in->pool, in->err);
	*sent = rc == RC_OK && is_sent(&first);
	return rc;
}

static enum rc send_again(
	struct inbound *in, const struct rules *rules, const struct wanted *wanted, struct order *order)
{
	bool sent;
	enum rc rc = find_first(in, wanted, &sent);
	if (rc == RC_OK && !sent)
		note_unsent(in, rules, wanted, order);
	if (rc != RC_OK || !sent)
		return rc;
	const char *why_ja = NULL;
	int64_t notice_id;
	struct err refused = {0};
	rc = office_resend(in->office, in->app.id, wanted->template_name, in->actor, &notice_id, &why_ja,
		in->pool, &refused);
	if (rc == RC_OK) {
		order->sent++;
		str_printf(&order->note, "「%s」を登録アドレスへ再送しました。", name_ja(wanted->state));
	} else if (rc == RC_REFUSED) {
		str_printf(&order->note, "「%s」を再送できませんでした。%s", name_ja(wanted->state),
			why_ja ? why_ja : "");
		rc = RC_OK;
	} else {
		*in->err = refused;
	}
	return rc;
}

/* ---- the request ---- */

static enum rc carry_out(struct inbound *in, struct order *order)
{
	const struct rules *rules;
	const char *why_ja = NULL;
	enum rc rc = rules_get(in->office, in->app.template_set, &rules, in->err);
	if (rc == RC_OK)
		rc = read_order(in, rules, order);
	if (rc == RC_OK)
		rc = inbound_may_send(in, order->count, &why_ja);
	if (rc == RC_OK && why_ja)
		return inbound_hand_over(in, why_ja);
	for (int i = 0; rc == RC_OK && i < order->count; i++)
		rc = send_again(in, rules, &order->wanted[i], order);
	if (rc != RC_OK)
		return rc;
	if (order->count == 0)
		str_addz(&order->note, "この仕組みから送った通知メールがありません。");
	const char *note_ja = pool_strdup(in->pool, order->note.s);
	/* Where nothing could be sent, a person answers; one of two that is still to come says so itself. */
	return order->sent ? inbound_done_for(in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, note_ja)
			   : inbound_hand_over(in, note_ja);
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
	if (rc != RC_OK || handled)
		return rc;
	struct order order = {.note = STR_INIT};
	rc = carry_out(in, &order);
	str_free(&order.note);
	return rc;
}
