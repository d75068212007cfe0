/*
 * resolve.c - requests that do not end with their mail: what staff decide, what the time brings
 *
 * Staff are a proof of their own. What they ask for is done as if it had been proven, or refused with the reason, and then nothing has changed: the request lies in
 * review as before.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>

#include "lib/base/log.h"

#define BATCH 8 /* requests looked up at once */
#define AGAIN_SECONDS 3600 /* until one that could not be gone on with is tried again */
#define UNANSWERED                                                                                                                                            \
	"期限までに、確認のメールへの返信がありませんでした。登録の連絡先が使えなくなっているおそれがありま" \
	"す。"
#define STOPPED_MEANWHILE "この宣言は、すでに使用中止となっています。"
#define MOVED_AWAY "（メールが要確認のフォルダーから移されました。）"

/* ---- staff ---- */

struct resolution {
	struct inbound in;
	enum request_action action;
	const char *reason;
	const char **why_ja;
};

static enum rc refuse(struct resolution *r, const char *why_ja, const char *why)
{
	*r->why_ja = why_ja;
	return err_set(r->in.err, RC_REFUSED, "request %" PRId64 ": %s", r->in.request.id, why);
}

static enum rc close_by_staff(struct resolution *r)
{
	if (!*r->reason)
		return refuse(r, "理由を記入してください。", "a reason is required");
	return inbound_close(&r->in, REQUEST_STATE_DECLINED, PROOF_STAFF, r->reason);
}

typedef enum rc action_fn(struct inbound *in);

static action_fn *const carry_out[REQUEST_KINDS] = {
	[REQUEST_STOP] = inbound_carry_out_stop,
	[REQUEST_CHANGE] = inbound_carry_out_change,
	[REQUEST_RESEND] = inbound_carry_out_resend,
	[REQUEST_NEWS_UNSUBSCRIBE] = inbound_carry_out_news,
	[REQUEST_ID_ENQUIRY] = inbound_carry_out_enquiry,
};
static action_fn *const ask[REQUEST_KINDS] = {
	[REQUEST_STOP] = inbound_ask_stop,
	[REQUEST_CHANGE] = inbound_ask_change,
};

/* Whatever would leave it in review is refused in the words of the review. */
static enum rc act(struct resolution *r)
{
	struct inbound *in = &r->in;
	bool asks = r->action == REQUEST_ASK;
	action_fn *function = asks ? ask[in->request.kind] : carry_out[in->request.kind];
	if (!function)
		return refuse(r,
			asks ? "確認のメールを送れるのは、使用中止と登録情報の変更だけです。"
			     : "この種類のご依頼は、ここでは実行できません。手作業で処理してから、終了にして"
			       "くだ"
			       "さい。",
			"this kind of request can't be acted on that way");
	if (in->app.id == 0)
		return refuse(r,
			"どの申込みのことか、まだ決まっていません。sengenctl review show "
			"の対照表か、sengenctl search "
			"で申込みを確かめ、申込番号を書いてください（ファイルなら「申込番号」の列、命令なら "
			"--application 申込番号）。",
			"no application is known; give its number");
	if (!in->received && in->request.kind == REQUEST_CHANGE)
		return refuse(r, "メールの読み取り結果が残っていません。手作業で処理してください。",
			"the reading of its mail was erased");
	in->request.proof = asks ? in->request.proof : PROOF_STAFF;
	enum rc rc = asks ? RC_OK
			  : office_note(in->office, &in->app, EVENT_PROVEN, in->actor, r->reason,
				    in->request.id, 0, in->err);
	if (rc == RC_OK)
		rc = function(in);
	if (rc == RC_OK && in->request.state == REQUEST_STATE_REVIEW)
		rc = refuse(r, in->request.note, "it can't be done; see the reason for staff");
	return rc;
}

static enum rc open_case(struct resolution *r, int64_t request_id, int64_t application_id,
	struct office *office, struct pool *pool, struct err *err)
{
	struct inbound *in = &r->in;
	struct application app;
	enum rc rc = inbound_open(in, office, request_id, pool, err);
	if (rc == RC_REFUSED)
		*r->why_ja = "その依頼番号の依頼はありません。";
	if (rc != RC_OK)
		return rc;
	if (in->request.state == REQUEST_STATE_PLANNED)
		return refuse(r,
			"使用中止が予定されています。取り消すときは、申込みの保留を解除してください。",
			"its stop is planned; release the application to revoke it");
	if (in->request.closed_at)
		return refuse(r, "この依頼は、すでに終わっています。", "it is closed");
	if (application_id == 0)
		return RC_OK;
	rc = application_get(office->store, application_id, &app, pool, err);
	if (rc == RC_REFUSED)
		*r->why_ja = "その申込番号の申込みはありません。";
	if (rc == RC_OK)
		inbound_take_application(in, &app);
	return rc;
}

enum rc office_resolve(struct office *office, int64_t request_id, enum request_action action,
	int64_t application_id, civil_day stop_on, const char *reason, const char *actor, const char **why_ja,
	struct pool *pool, struct err *err)
{
	struct resolution r = {.action = action, .reason = reason ? reason : "", .why_ja = why_ja};
	struct txn txn;
	*why_ja = NULL;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	rc = open_case(&r, request_id, application_id, office, pool, err);
	if (rc == RC_OK) {
		r.in.actor = actor;
		if (stop_on != CIVIL_DAY_NONE)
			r.in.request.stop_on = stop_on;
		rc = action == REQUEST_CLOSE ? close_by_staff(&r) : act(&r);
	}
	return txn_end(office, &txn, rc, err);
}

/* ---- the mailbox's folders ---- */

static enum rc flag(struct office *office, int64_t message_id, struct pool *pool, struct err *err)
{
	struct inbound in;
	struct mail_message message;
	int64_t request_id = 0;
	enum rc rc = message_get(office->store, message_id, &message, pool, err);
	if (rc != RC_OK || message.moved_away_at)
		return rc;
	message.moved_away_at = clock_now(office->clock);
	rc = message_update(office->store, &message, err);
	if (rc == RC_OK)
		rc = request_of_message(office->store, message_id, &request_id, err);
	if (rc == RC_OK && request_id)
		rc = inbound_open(&in, office, request_id, pool, err);
	if (rc != RC_OK || request_id == 0 || in.request.state != REQUEST_STATE_REVIEW)
		return rc;
	return inbound_review(&in, pool_printf(pool, "%s%s", in.request.note, MOVED_AWAY));
}

enum rc office_moved_away(struct office *office, int64_t message_id, struct err *err)
{
	struct txn txn;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	struct pool *pool = pool_new();
	rc = flag(office, message_id, pool, err);
	pool_free(&pool);
	return txn_end(office, &txn, rc, err);
}

/* ---- the time ---- */

struct due_requests {
	int64_t id[BATCH];
	int count;
};

static enum rc take_id(void *ctx, const struct request *request, struct err *err)
{
	struct due_requests *due = ctx;
	(void)err;
	due->id[due->count++] = request->id;
	return RC_OK;
}

/* Read again inside the transaction: it decides. */
static enum rc run_one(struct office *office, int64_t id, struct pool *pool, struct err *err)
{
	struct inbound in;
	enum rc rc = inbound_open(&in, office, id, pool, err);
	if (rc != RC_OK || in.request.due_at > in.now)
		return rc;
	if (in.request.state == REQUEST_STATE_PLANNED)
		return inbound_stop_day(&in);
	if (in.request.state != REQUEST_STATE_ASKED)
		return RC_OK;
	if (in.request.kind == REQUEST_STOP && in.app.state == STATE_STOPPED)
		return inbound_close(&in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, STOPPED_MEANWHILE);
	return inbound_review(&in, UNANSWERED);
}

static enum rc run_batch(
	struct office *office, const struct due_requests *due, struct pool *pool, struct err *err)
{
	struct txn txn;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; rc == RC_OK && i < due->count; i++)
		rc = run_one(office, due->id[i], pool, err);
	return txn_end(office, &txn, rc, err);
}

static enum rc put_off(struct office *office, int64_t id, struct pool *pool, struct err *err)
{
	struct request request;
	struct txn txn;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	rc = request_get(office->store, id, &request, pool, err);
	if (rc == RC_OK) {
		request.due_at = clock_now(office->clock) + AGAIN_SECONDS;
		rc = request_update(office->store, &request, err);
	}
	return txn_end(office, &txn, rc, err);
}

/* One that can't be gone on with must not hold up those behind it. Only where not even that can be written down does everybody wait. */
static enum rc run_each(
	struct office *office, const struct due_requests *due, struct pool *pool, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < due->count; i++) {
		const struct due_requests one = {.id = {due->id[i]}, .count = 1};
		struct err why = {0};
		if (run_batch(office, &one, pool, &why) == RC_OK)
			continue;
		log_event(LEVEL_FAULT, "request.not-handled", "request=%" PRId64 " rc=%s reason=\"%s\"",
			due->id[i], rc_name(why.rc), why.text);
		rc = put_off(office, due->id[i], pool, err);
	}
	return rc;
}

enum rc office_run_requests(struct office *office, int limit, struct step_result *out, struct err *err)
{
	utc_time now = clock_now(office->clock);
	struct pool *pool = pool_new();
	enum rc rc = RC_OK;
	bool more = false;
	*out = (struct step_result){.next_at = UTC_NEVER};
	rc = office_may_read(office, &more, err);
	if (rc != RC_OK || !more) { /* whoever lets it go on wakes the role */
		pool_free(&pool);
		return rc;
	}
	while (rc == RC_OK && more && out->done < limit) {
		struct due_requests due = {.count = 0};
		struct request_filter filter = {.open_only = true,
			.any_kind = true,
			.due_before = now + 1,
			.limit = limit - out->done < BATCH ? limit - out->done : BATCH};
		rc = request_each(office->store, &filter, take_id, &due, err);
		more = due.count > 0;
		struct err together = {0};
		if (rc == RC_OK && more && run_batch(office, &due, pool, &together) != RC_OK)
			rc = run_each(office, &due, pool, err);
		out->done += due.count;
		pool_reset(pool);
	}
	pool_free(&pool);
	return rc == RC_OK ? request_next_due(office->store, &out->next_at, err) : rc;
}
