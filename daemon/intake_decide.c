#include "daemon/intake.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/owner.h"
#include "lib/form/decision.h"

#define SHARE_EXAMPLE "samba-share.conf.example"

#define NOBODY_JA                                                                                                                                             \
	"このファイルの持ち主が分からないため、だれの判断か記録できません。共有フォルダーの設定を直すよう、" \
	"システム担当者に"                                                                                                                            \
	"依頼してください。何も変えていません。"

/* ---- who ---- */

const char *intake_refuse_owner(struct role_context *ctx, struct intake_file *in, const char **note_ja)
{
	struct owner owner = owner_read(in->file.owner, in->pool);
	const char *group = ctx->settings->rights.work;
	*note_ja = NULL;
	if (owner.shared)
		return pool_printf(in->pool,
			"このファイルは、持ち主（%"
			"s）のほかの人も書き換えられるため、だれの判断か決められません。自分だけが書き込める"
			"ようにして（許可は640）入れ直すか、共有フォルダーの設定を直すよう、システム担当者に"
			"依頼してください（設定の"
			"例は " SHARE_EXAMPLE "）。何も変えていません。",
			owner.name);
	if (!owner.known)
		return NOBODY_JA;
	if (owner_right(ctx->settings, &owner) < RIGHT_WORK)
		return pool_printf(in->pool,
			"このファイルの持ち主「%s」には、判断をする権限がありません。グループ「%"
			"s」の人が自分で入れるか、「%s」をこの"
			"グループに加えるよう、システム担当者に依頼してください。何も変えていません。",
			owner.name, group, owner.name);
	*note_ja = pool_printf(in->pool, "判断した人: %s（このファイルの持ち主として記録します）%s",
		owner.name,
		owner_is_service(&owner) ? "\r\n※ "
					   "この名前は人のものではないようです。共有フォルダーの設定により、"
					   "だれが入れたファイルも同じ名前になっている"
					   "おそれがあります。人ごとに記録するには、設定（" SHARE_EXAMPLE
					   "）をシステム担当者に確かめてもらってください。"
					 : "");
	return NULL;
}

/* ---- one row ---- */

struct order {
	struct role_context *ctx;
	struct intake_file *in;
	struct decision decision;
	struct application app; /* id 0: a request's own */
	const char *actor;
	const char *ja; /* why not, or what was done */
	struct err *err;
};

static enum rc refuse(struct order *order, const char *ja, const char *why)
{
	order->ja = ja;
	return err_set(order->err, RC_REFUSED, "%s", why);
}

/* By either number; where both are given they must be of one application. */
static enum rc find_application(struct order *order)
{
	const struct decision *decision = &order->decision;
	struct store *store = order->ctx->office.store;
	struct pool *pool = order->in->batch_pool;
	enum rc rc = RC_OK;
	if (decision->declaration_id) {
		rc = application_by_declaration(
			store, decision->declaration_id, &order->app, pool, order->err);
		if (rc == RC_REFUSED)
			order->ja = pool_printf(pool,
				"自己宣言ID %" PRId64
				" の申込みは登録されていません。番号を確認してください。",
				decision->declaration_id);
		if (!rc && decision->application_id && decision->application_id != order->app.id)
			rc = refuse(order,
				pool_printf(pool,
					"自己宣言ID %" PRId64 " は申込番号%" PRId64
					"のものです。申込番号%" PRId64
					"とは違います。番号を確認してください。",
					decision->declaration_id, order->app.id, decision->application_id),
				"two numbers of different applications");
	} else if (decision->application_id) {
		rc = application_get(store, decision->application_id, &order->app, pool, order->err);
		if (rc == RC_REFUSED)
			order->ja = pool_printf(pool,
				"申込番号%" PRId64 "の申込みはありません。番号を確認してください。",
				decision->application_id);
	}
	return rc;
}

/* ---- what each 処理 does ---- */

typedef enum rc action_fn(struct order *order);

static enum rc decide(struct order *order)
{
	static const char *const done_ja[] = {
		[DECISION_APPROVE] = "許可しました。",
		[DECISION_HOLD] = "保留にしました。解除するまで、通知は送りません。",
		[DECISION_RELEASE] = "保留を解除しました。",
		[DECISION_REJECT] = "却下しました。",
		[DECISION_CONFIRM] = "メールアドレスを確認済みにしました。",
		[DECISION_WITHDRAW] = "取り下げました。",
	};
	const struct decision *decision = &order->decision;
	const char *why_ja = NULL;
	enum rc rc = office_decide(&order->ctx->office, order->app.id, decision->action, decision->reason,
		order->actor, &why_ja, order->in->batch_pool, order->err);
	order->ja = rc ? why_ja : done_ja[decision->action];
	return rc;
}

static enum rc stop(struct order *order)
{
	const struct decision *decision = &order->decision;
	struct office *office = &order->ctx->office;
	struct str day = STR_INIT;
	civil_day today = civil_day_of(clock_now(office->clock));
	civil_day on = decision->on == CIVIL_DAY_NONE ? today : decision->on;
	enum rc rc = office_stop(office, order->app.id, on, decision->reason, order->actor, &order->ja,
		order->in->batch_pool, order->err);
	civil_day_print_ja(&day, on);
	if (!rc)
		order->ja = pool_printf(order->in->batch_pool,
			on > today ? "%sに使用を中止します。それまで、通知は送りません。"
				   : "使用中止にしました（中止日 %s）。",
			day.s);
	str_free(&day);
	return rc;
}

/* The letters that tell the ID, and the logo, have another name under the profile site. */
static enum rc name_letter(struct order *order)
{
	static const char *const pairs[][2] = {{"id", "completion"}, {"logo", "acceptance"}};
	struct decision *decision = &order->decision;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		int64_t named = 0, other = 0;
		if (strcmp(decision->notice, pairs[i][0]) != 0)
			continue;
		struct store *store = order->ctx->office.store;
		enum rc rc = outbox_first(store, order->app.id, pairs[i][0], &named, order->err);
		rc = rc ? rc : outbox_first(store, order->app.id, pairs[i][1], &other, order->err);
		if (!rc && !named && other)
			decision->notice = pairs[i][1];
		return rc;
	}
	return RC_OK;
}

static enum rc resend(struct order *order)
{
	int64_t notice_id;
	enum rc rc = name_letter(order);
	rc = rc ? rc
		: office_resend(&order->ctx->office, order->app.id, order->decision.notice, order->actor,
			  &notice_id, &order->ja, order->in->batch_pool, order->err);
	if (!rc)
		order->ja = pool_printf(order->in->batch_pool,
			"「%s」の再送を送信待ちにしました。登録されているメールアドレスにだけ送ります。",
			decision_notice_ja(order->decision.notice));
	return rc;
}

static enum rc resend_anew(struct order *order)
{
	int64_t notice_id;
	enum rc rc = name_letter(order);
	rc = rc ? rc
		: office_resend_anew(&order->ctx->office, order->app.id, order->decision.notice,
			  order->decision.reason, order->actor, &notice_id, &order->ja, order->in->batch_pool,
			  order->err);
	if (!rc)
		order->ja = pool_printf(order->in->batch_pool,
			"「%"
			"s」を今の登録内容で作り直し、送信待ちにしました。登録されているメールアドレスにだけ"
			"送ります。",
			decision_notice_ja(order->decision.notice));
	return rc;
}

static enum rc correct(struct order *order)
{
	const struct decision *decision = &order->decision;
	struct pool *pool = order->in->batch_pool;
	struct application now;
	enum rc rc = office_correct(&order->ctx->office, order->app.id, &decision->changed, decision->reason,
		order->actor, &order->ja, pool, order->err);
	rc = rc ? rc : application_get(order->ctx->office.store, order->app.id, &now, pool, order->err);
	if (rc)
		return rc;
	/* A list with all its columns may come back with one of them changed. */
	struct str done = STR_INIT;
	for (int i = 0; i < FIELD_COUNT; i++) {
		const char *before = order->app.form.value[i], *after = now.form.value[i];
		if (i != FIELD_MAIL_CONFIRM && strcmp(before ? before : "", after ? after : "") != 0)
			str_printf(&done, "%s%s", done.len ? "、" : "訂正しました: ",
				fieldmap_label(order->ctx->settings->fieldmap, (enum form_field)i));
	}
	order->ja = pool_strdup(pool, done.s);
	str_free(&done);
	return RC_OK;
}

/* Where a change of state has led. */
static enum rc tell_state(struct order *order, const char *done_ja)
{
	struct application app;
	struct pool *pool = order->in->batch_pool;
	enum rc rc = application_get(order->ctx->office.store, order->app.id, &app, pool, order->err);
	if (!rc)
		order->ja = pool_printf(pool, "%s（今の状態: %s）", done_ja, state_name_ja(app.state));
	return rc;
}

static enum rc move(struct order *order)
{
	enum rc rc = office_move(&order->ctx->office, order->app.id, STATE_NONE, order->decision.reason,
		order->actor, &order->ja, order->in->batch_pool, order->err);
	return rc ? rc : tell_state(order, "次の段階を繰り上げて、今すぐに行いました。");
}

static enum rc undo(struct order *order)
{
	enum rc rc = office_undo(&order->ctx->office, order->app.id, order->decision.reason, order->actor,
		&order->ja, order->in->batch_pool, order->err);
	return rc ? rc : tell_state(order, "直前の処理を元に戻しました。");
}

/* A request by mail. What became of it stands in its note, in words for staff. */
static enum rc resolve(struct order *order)
{
	static const enum request_action actions[] = {
		[DECISION_REQUEST_CARRY_OUT] = REQUEST_CARRY_OUT,
		[DECISION_REQUEST_ASK] = REQUEST_ASK,
		[DECISION_REQUEST_CLOSE] = REQUEST_CLOSE,
	};
	const struct decision *decision = &order->decision;
	struct pool *pool = order->in->batch_pool;
	struct request request;
	enum rc rc = office_resolve(&order->ctx->office, decision->request_id, actions[decision->action],
		order->app.id, decision->on, decision->reason, order->actor, &order->ja, pool, order->err);
	rc = rc ? rc
		: request_get(order->ctx->office.store, decision->request_id, &request, pool, order->err);
	if (rc)
		return rc;
	order->app.id = request.application_id;
	order->ja = pool_printf(pool, "依頼番号%" PRId64 "（%s）: %s", request.id,
		request_state_name_ja(request.state), request.note);
	return RC_OK;
}

static action_fn *const actions[] = {
	[DECISION_APPROVE] = decide,
	[DECISION_HOLD] = decide,
	[DECISION_RELEASE] = decide,
	[DECISION_REJECT] = decide,
	[DECISION_CONFIRM] = decide,
	[DECISION_WITHDRAW] = decide,
	[DECISION_STOP] = stop,
	[DECISION_RESEND] = resend,
	[DECISION_RESEND_ANEW] = resend_anew,
	[DECISION_CORRECT] = correct,
	[DECISION_MOVE] = move,
	[DECISION_UNDO] = undo,
	[DECISION_REQUEST_CARRY_OUT] = resolve,
	[DECISION_REQUEST_ASK] = resolve,
	[DECISION_REQUEST_CLOSE] = resolve,
};

enum rc intake_decide(struct role_context *ctx, struct intake_file *in, const struct form_record *record,
	int64_t *application_id, const char **detail_ja, struct err *err)
{
	struct pool *pool = in->batch_pool;
	struct order order = {
		.ctx = ctx, .in = in, .actor = pool_printf(pool, "staff:%s", in->file.owner), .err = err};
	*application_id = 0;
	if (!decision_read(&order.decision, record, detail_ja, pool))
		return err_set(err, RC_REFUSED, "row %d is no decision", record->record);
	enum rc rc = find_application(&order);
	rc = rc ? rc : actions[order.decision.action](&order);
	if (!rc)
		*application_id = order.app.id;
	*detail_ja = order.ja;
	if (rc == RC_REFUSED && order.ja && order.app.id)
		*detail_ja = pool_printf(pool, "申込番号%" PRId64 ": %s", order.app.id, order.ja);
	else if (rc == RC_REFUSED && order.ja && order.decision.request_id)
		*detail_ja =
			pool_printf(pool, "依頼番号%" PRId64 ": %s", order.decision.request_id, order.ja);
	return rc;
}
