/*
 * stranger.c - what is said to somebody who may not be who he says, and what is common to the requests that anybody may send
 *
 * Whoever writes from another address than the registered one gets one fixed text, under conditions that the mail alone decides: it reads the same whether the
 * case exists or not, is held, or was answered to the registered address a moment before.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HOUR ((utc_time)3600)

#define NOT_ANSWERED "差出人を確かめられないか、回答の上限に達したため、自動の回答は送っていません。"
#define WRONG_NUMBER_ANSWERED                                                                                \
	"自己宣言IDの欄に利用者番号が書かれていたため、その旨を登録アドレスへご案内しました。"
#define WRONG_NUMBER_OPEN "自己宣言IDの欄に利用者番号が書かれています。"
#define GUIDED "新しいお申込みのご案内を、登録アドレスへお送りしました。"
#define GUIDE_HELD_BACK "新しいお申込みのご案内を、登録アドレスへ送れませんでした。"
#define POLICY_WANTS_REVIEW "設定（policy）により、職員が判断するご依頼です。"
#define ADDRESS_DEAD "登録アドレスには、メールが届かないことが分かっています。"
#define STRANGERS_REACHED "登録アドレス以外からのご依頼が、1時間の上限（answers_per_hour）に達しています。"
#define LIMIT_REACHED                                                                                        \
	"この宣言には、メールでのご依頼による送信を本日すでに%" PRId64                                       \
	"通行っています。届いていないおそれがあります。"

/* ---- the fixed answer ---- */

bool inbound_by_staff(const struct inbound *in)
{
	return strcmp(in->actor, ACTOR_DAEMON) != 0;
}

enum rc inbound_neutral(struct inbound *in, bool *sent)
{
	*sent = false;
	if (in->from_registered || !*in->from_key || inbound_by_staff(in))
		return RC_OK;
	int64_t notice_id;
	return inbound_answer(in, ANSWER_NEUTRAL, NULL, in->received->from, sent, &notice_id);
}

enum rc inbound_hand_over(struct inbound *in, const char *note_ja)
{
	bool sent;
	enum rc rc = inbound_neutral(in, &sent);
	return rc == RC_OK ? inbound_review(in, note_ja) : rc;
}

enum rc inbound_turn_away(struct inbound *in, const char *note_ja)
{
	bool sent;
	enum rc rc = inbound_neutral(in, &sent);
	if (rc != RC_OK)
		return rc;
	/* Silence would leave somebody waiting: a person looks. */
	return sent ? inbound_close(in, REQUEST_STATE_ANSWERED, PROOF_NONE, note_ja)
		    : inbound_review(in, pool_printf(in->pool, "%s%s", note_ja, NOT_ANSWERED));
}

/* Who knows 法人番号, which are public, must not be able to have the office write to half the register. */
#define FACT_STRANGERS                                                                                       \
	"requests.strangers" /* "HOUR COUNT": hours since 1970, and what was sent in that one */

static enum rc count_strangers(struct inbound *in, int64_t *count)
{
	struct str value = STR_INIT;
	char *end;
	*count = 0;
	enum rc rc = fact_get(in->office->store, FACT_STRANGERS, &value, in->err);
	if (rc == RC_OK && strtoll(value.s, &end, 10) == in->now / HOUR && *end == ' ')
		*count = strtoll(end, NULL, 10);
	str_free(&value);
	return rc;
}

static enum rc note_stranger(struct inbound *in)
{
	int64_t count;
	if (in->from_registered || inbound_by_staff(in))
		return RC_OK;
	enum rc rc = count_strangers(in, &count);
	return rc == RC_OK ? fact_set(in->office->store, FACT_STRANGERS,
				     pool_printf(in->pool, "%" PRId64 " %" PRId64, in->now / HOUR, count + 1),
				     in->err)
			   : rc;
}

enum rc inbound_done_for(struct inbound *in, enum request_state state, enum proof proof, const char *note_ja)
{
	bool sent;
	enum rc rc = inbound_neutral(in, &sent);
	if (rc == RC_OK)
		rc = note_stranger(in);
	return rc == RC_OK ? inbound_close(in, state, inbound_by_staff(in) ? PROOF_STAFF : proof, note_ja)
			   : rc;
}

/* ---- whom it means ---- */

enum rc inbound_not_identified(struct inbound *in, enum identified found)
{
	if (inbound_policy(in) == POLICY_REVIEW)
		return inbound_hand_over(in, POLICY_WANTS_REVIEW);
	switch (found) {
	case IDENTIFIED_NONE:
		return inbound_turn_away(in, "どの宣言のことか、書かれていません。");
	case IDENTIFIED_UNKNOWN:
		return inbound_turn_away(in, "書かれた内容に合う宣言は、登録されていません。");
	case IDENTIFIED_SEVERAL:
		return inbound_hand_over(in, "書かれた内容に合う宣言が、複数あります。");
	case IDENTIFIED_CONFLICT:
		return inbound_hand_over(
			in, "書かれた内容が、登録と食い違っています（自己宣言ID、法人番号、事業者名など）。");
	case IDENTIFIED_USER_NUMBER:
		return inbound_wrong_number(in);
	case IDENTIFIED_ONE:
		break;
	}
	die("an application that was identified is not one that was not");
}

enum rc inbound_wrong_number(struct inbound *in)
{
	bool sent = false;
	int64_t notice_id;
	enum rc rc = inbound_take_by_sender(in);
	if (rc == RC_OK && in->app.id == 0)
		return inbound_turn_away(in, WRONG_NUMBER_OPEN);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_WRONG_NUMBER, NULL, NULL, &sent, &notice_id);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_close(in, REQUEST_STATE_ANSWERED, PROOF_NOT_NEEDED, WRONG_NUMBER_ANSWERED)
		    : inbound_review(in, WRONG_NUMBER_OPEN);
}

/* ---- whether it may be answered ---- */

struct day_count {
	civil_day today;
	int64_t count;
};

/* Resends that staff made are none of the sender's doing. */
static enum rc count_resend(void *ctx, const struct history_row *row, struct err *err)
{
	struct day_count *day = ctx;
	(void)err;
	day->count += row->event == EVENT_RESEND && strcmp(row->actor, ACTOR_DAEMON) == 0 &&
		      civil_day_of(row->at) == day->today;
	return RC_OK;
}

static enum rc count_answer(void *ctx, const struct notice *notice, struct err *err)
{
	static const enum answer counted[] = {ANSWER_ID, ANSWER_GUIDE};
	struct day_count *day = ctx;
	(void)err;
	for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
		day->count += strcmp(notice->template_name, answer_template[counted[i]]) == 0 &&
			      civil_day_of(notice->queued_at) == day->today;
	return RC_OK;
}

/* One declaration has two applications while a step-up runs. */
static enum rc count_today(struct inbound *in, int64_t *count)
{
	struct store *store = in->office->store;
	struct day_count day = {.today = office_today(in->office)};
	int64_t id[2] = {in->app.id, 0};
	enum rc rc = application_step_up_of(store, in->app.id, &id[1], in->err);
	for (size_t i = 0; rc == RC_OK && i < sizeof id / sizeof id[0] && id[i]; i++) {
		rc = history_each(store, id[i], 0, count_resend, &day, in->err);
		if (rc == RC_OK)
			rc = outbox_each(store, id[i], count_answer, &day, in->err);
	}
	*count = day.count;
	return rc;
}

enum rc inbound_may_send(struct inbound *in, int letters, const char **why_ja)
{
	struct store *store = in->office->store;
	const char *key = inbound_mail_key(in, in->app.form.value[FIELD_MAIL]);
	const struct settings *settings = in->office->settings;
	int64_t today = 0, strangers = 0;
	bool dead = false, silenced = false;
	*why_ja = NULL;
	enum rc rc = suppression_has(store, key, SUPPRESS_DEAD, &dead, in->err);
	if (rc == RC_OK)
		rc = suppression_has(store, key, SUPPRESS_CASE_MAIL, &silenced, in->err);
	if (rc == RC_OK)
		rc = count_today(in, &today);
	if (rc == RC_OK && !in->from_registered)
		rc = count_strangers(in, &strangers);
	if (rc != RC_OK)
		return rc;
	if (dead || silenced)
		*why_ja = ADDRESS_DEAD;
	else if (!inbound_by_staff(in) && today + letters > settings->resends_per_day)
		*why_ja = pool_printf(in->pool, LIMIT_REACHED, today);
	else if (!inbound_by_staff(in) && strangers >= settings->answers_per_hour)
		*why_ja = STRANGERS_REACHED;
	else if (!state_is_live(in->app.state))
		*why_ja = pool_printf(in->pool, "この申込みは「%s」です。", state_name_ja(in->app.state));
	else if (in->app.hold == HOLD_STAFF)
		*why_ja = pool_printf(in->pool, "この申込みは保留中です（%s）。", in->app.hold_reason);
	else if (in->app.hold == HOLD_REVIEW)
		*why_ja = pool_printf(in->pool, "この申込みは要確認です（%s）。", in->app.hold_reason);
	return RC_OK;
}

/* ---- what the office decided about requests of that kind and day ---- */

static enum rc guide(struct inbound *in)
{
	const char *why_ja;
	bool sent = false;
	int64_t notice_id;
	enum rc rc = inbound_may_send(in, 1, &why_ja);
	if (rc == RC_OK && why_ja)
		return inbound_hand_over(in, why_ja);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_GUIDE, NULL, NULL, &sent, &notice_id);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_done_for(in, REQUEST_STATE_ANSWERED, PROOF_NOT_NEEDED, GUIDED)
		    : inbound_hand_over(in, GUIDE_HELD_BACK);
}

enum rc inbound_by_policy(struct inbound *in, bool *handled)
{
	enum policy_action action = inbound_policy(in);
	*handled = action != POLICY_ACT;
	if (action == POLICY_GUIDE)
		return guide(in);
	return action == POLICY_REVIEW ? inbound_hand_over(in, POLICY_WANTS_REVIEW) : RC_OK;
}
