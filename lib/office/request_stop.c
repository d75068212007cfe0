/*
 * request_stop.c - 使用中止, Form B-3
 *
 * A request that nobody has proven holds nothing and tells nobody anything: else a stranger could silence a declaration, or learn of one. Whoever is asked is
 * asked at the registered address.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>

#define AHEAD_MAX 366 /* days: a day further away is mistyped */

#define NO_ID "自己宣言IDが書かれていません。"
#define NO_NAME "事業者名が書かれていません。"
#define NO_SUCH_ID "書かれた自己宣言IDの宣言は、登録されていません。"
#define CONFLICT "書かれた自己宣言IDと事業者名（または法人番号）が、登録と食い違っています。"
#define NOT_LIVE "この宣言は、すでに有効ではありません（使用中止以外の理由で終わっています）。"
#define STOPPED "この宣言は、すでに使用中止となっています。"
#define BEFORE_ID "自己宣言IDの発行前の申込みです。「取下げ」とするかどうか、ご確認ください。"
#define EARLIER "使用中止日が、自己宣言IDの発行日より前です。"
#define TOO_FAR "使用中止日が1年以上先です。"
#define OTHER_DAY "使用中止は、すでに別の日付で予定されています。"
#define STOPPED_BEFORE "すでに使用中止となっています。お知らせは送っていません。"
#define PLANNED_BEFORE "同じ日付の使用中止が、すでに予定されています。お知らせは送っていません。"
#define NOT_SENT                                                                                                                                              \
	"登録アドレスへ確認のメールを送れませんでした（届かないアドレス、送信数の上限など）。別の方法でご本" \
	"人に"                                                                                                                                              \
	"確認してください。"
#define ASKED "登録アドレスへ、使用中止の確認のメールを送りました"
#define REVOKED "使用中止の予定が、職員によって取り消されました。"
#define DONE_ON_ITS_DAY "予定の日に使用中止としました。"
#define LETTER_NOT_SENT "（お知らせのメールは送れませんでした。）"

enum rc inbound_not_proven_identity(struct inbound *in, enum identified found)
{
	switch (found) {
	case IDENTIFIED_USER_NUMBER:
		return inbound_wrong_number(in);
	case IDENTIFIED_UNKNOWN:
		return inbound_review(in, NO_SUCH_ID);
	case IDENTIFIED_CONFLICT:
		return inbound_review(in, CONFLICT);
	case IDENTIFIED_NONE:
	case IDENTIFIED_SEVERAL:
	case IDENTIFIED_ONE:
		break;
	}
	return inbound_review(in, NO_ID);
}

enum rc inbound_identify_by_form(struct inbound *in, enum identified *found, const char **why_ja)
{
	const struct sheet *fields = &in->received->reading.fields;
	*why_ja = NULL;
	enum rc rc = inbound_identify(in, false, found);
	if (rc != RC_OK || *found != IDENTIFIED_ONE)
		return rc;
	if (!*fields->declaration_id)
		*why_ja = NO_ID;
	else if (!*fields->business_name)
		*why_ja = NO_NAME;
	return RC_OK;
}

/* ---- what stands against it ---- */

static const char *day_fault(const struct inbound *in)
{
	civil_day on = in->request.stop_on, today = civil_day_of(in->now);
	if (on == CIVIL_DAY_NONE)
		return NULL;
	if (in->app.id_issued_on != CIVIL_DAY_NONE && on < in->app.id_issued_on)
		return EARLIER;
	return on > today + AHEAD_MAX ? TOO_FAR : NULL;
}

static const char *stop_fault(const struct inbound *in)
{
	if (!state_is_live(in->app.state))
		return in->app.state == STATE_STOPPED ? STOPPED : NOT_LIVE;
	if (in->app.declaration_id == 0)
		return BEFORE_ID;
	if (office_stop_pending(&in->app) && in->app.stopped_on != in->request.stop_on)
		return OTHER_DAY;
	return day_fault(in);
}

/* ---- asking ---- */

static enum rc ask(struct inbound *in)
{
	struct answer_values values = {.stop_on = in->request.stop_on};
	bool sent;
	enum rc rc = inbound_ask(in, TOKEN_REQUEST, ANSWER_CONFIRM_STOP, &values, NULL, &sent);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_wait_for_reply(in, ASKED) : inbound_review(in, NOT_SENT);
}

enum rc inbound_ask_stop(struct inbound *in)
{
	int64_t other = 0;
	const char *why_ja = stop_fault(in);
	enum rc rc = why_ja ? RC_OK : inbound_find_open(in, &other);
	if (rc != RC_OK)
		return rc;
	if (!why_ja && other)
		why_ja = pool_printf(in->pool,
			"同じ宣言の使用中止について、確認の返信を待っている依頼（依頼番号%" PRId64
			"）があります。",
			other);
	return why_ja ? inbound_review(in, why_ja) : ask(in);
}

enum rc inbound_stop(struct inbound *in)
{
	enum identified found;
	const char *why_ja;
	bool handled = false, trusted = false;
	enum rc rc = inbound_identify_by_form(in, &found, &why_ja);
	if (rc != RC_OK)
		return rc;
	if (found != IDENTIFIED_ONE)
		return inbound_not_proven_identity(in, found);
	rc = why_ja ? inbound_review(in, why_ja) : inbound_by_policy(in, &handled);
	if (rc != RC_OK || why_ja || handled)
		return rc;
	if (in->app.state == STATE_STOPPED)
		return inbound_close(in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, STOPPED_BEFORE);
	if (office_stop_pending(&in->app) && in->app.stopped_on == in->request.stop_on)
		return inbound_close(in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, PLANNED_BEFORE);
	why_ja = stop_fault(in);
	if (why_ja)
		return inbound_review(in, why_ja);
	rc = inbound_is_trusted(in, &trusted);
	if (rc != RC_OK)
		return rc;
	if (!trusted)
		return inbound_ask_stop(in);
	in->request.proof = PROOF_DKIM;
	return inbound_carry_out_stop(in);
}

/* ---- carried out ---- */

/* The state, what is cancelled, and what is at the mail server this moment: all as if staff had stopped it. */
static enum rc stop(struct inbound *in, const char **why_ja)
{
	struct application app;
	struct err refused = {0};
	const char *reason = pool_printf(in->pool, "依頼番号%" PRId64, in->request.id);
	enum rc rc = office_stop(
		in->office, in->app.id, in->request.stop_on, reason, in->actor, why_ja, in->pool, &refused);
	if (rc == RC_REFUSED && *why_ja)
		return RC_OK;
	*why_ja = NULL;
	if (rc != RC_OK) {
		*in->err = refused;
		return rc;
	}
	rc = application_get(in->office->store, in->app.id, &app, in->pool, in->err);
	if (rc == RC_OK)
		inbound_take_application(in, &app);
	return rc;
}

enum rc inbound_carry_out_stop(struct inbound *in)
{
	const char *why_ja = NULL;
	bool sent = false;
	enum rc rc = inbound_enter(in);
	if (rc == RC_OK && in->app.state == STATE_STOPPED)
		return inbound_close(in, REQUEST_STATE_DONE, in->request.proof, STOPPED_BEFORE);
	if (rc == RC_OK)
		rc = stop(in, &why_ja);
	if (rc != RC_OK || why_ja)
		return rc == RC_OK ? inbound_review(in, why_ja) : rc;
	bool later = office_stop_pending(&in->app);
	struct answer_values values = {.stop_on = in->app.stopped_on};
	rc = inbound_answer(in, later ? ANSWER_STOP_PLANNED : ANSWER_STOPPED, &values, NULL, &sent, NULL);
	if (rc != RC_OK)
		return rc;
	struct str day = STR_INIT;
	civil_day_print_ja(&day, in->app.stopped_on);
	const char *note_ja = pool_printf(in->pool, "%s%s%s", day.s,
		later ? "に使用中止とします。それまで通知は送りません。" : "付けで使用中止としました。",
		sent ? "" : LETTER_NOT_SENT);
	str_free(&day);
	if (!later)
		return inbound_close(in, REQUEST_STATE_DONE, in->request.proof, note_ja);
	in->request.state = REQUEST_STATE_PLANNED;
	in->request.due_at = civil_moment(in->app.stopped_on, 0);
	in->request.note = note_ja;
	return inbound_wait(in, 0); /* the hold of the application says it */
}

/* The day has come. The clock stops the application; here its request ends. */
enum rc inbound_stop_day(struct inbound *in)
{
	if (in->app.state == STATE_STOPPED)
		return inbound_close(in, REQUEST_STATE_DONE, in->request.proof, DONE_ON_ITS_DAY);
	if (!office_stop_pending(&in->app))
		return inbound_close(in, REQUEST_STATE_DECLINED, in->request.proof, REVOKED);
	in->request.due_at = in->now + 600;
	return request_update(in->office->store, &in->request, in->err);
}
