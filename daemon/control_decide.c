/* What staff decide about one application or one request by mail. */
#include <inttypes.h>
#include <string.h>

#include "daemon/control_p.h"

static enum rc decide(struct control_request *request, enum decision_action action, struct err *err)
{
	return office_decide(&request->ctx->office, request->application_id, action, request->reason,
		request->actor, &request->why_ja, request->pool, err);
}

#define DECISION_COMMAND(name, action)                                                                       \
	enum rc name(struct control_request *request, struct err *err)                                       \
	{                                                                                                    \
		return decide(request, action, err);                                                         \
	}
DECISION_COMMAND(command_hold, DECISION_HOLD)
DECISION_COMMAND(command_release, DECISION_RELEASE)
DECISION_COMMAND(command_approve, DECISION_APPROVE)
DECISION_COMMAND(command_confirm, DECISION_CONFIRM)
DECISION_COMMAND(command_reject, DECISION_REJECT)
DECISION_COMMAND(command_withdraw, DECISION_WITHDRAW)

enum rc command_stop(struct control_request *request, struct err *err)
{
	const json_t *on = json_object_get(request->json, "on");
	civil_day day = civil_day_of(clock_now(&request->ctx->clock));
	if (on) {
		day = json_is_string(on) ? civil_day_read(json_string_value(on)) : CIVIL_DAY_NONE;
		if (day == CIVIL_DAY_NONE)
			return control_usage(err, "\"on\" must be a day such as 2026-12-31.");
	}
	return office_stop(&request->ctx->office, request->application_id, day, request->reason,
		request->actor, &request->why_ja, request->pool, err);
}

enum rc command_resend(struct control_request *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request->json, "template"));
	if (!name || !*name)
		return control_usage(err, "\"template\" must name the letter, such as \"id\" or \"logo\".");
	if (json_is_true(json_object_get(request->json, "anew")))
		return office_resend_anew(&request->ctx->office, request->application_id, name,
			request->reason, request->actor, &request->notice_id, &request->why_ja, request->pool,
			err);
	return office_resend(&request->ctx->office, request->application_id, name, request->actor,
		&request->notice_id, &request->why_ja, request->pool, err);
}

/* {"command":"correct","application":12,"fields":{"telephone":"03-0000-0000"},"reason":"…"} */
enum rc command_correct(struct control_request *request, struct err *err)
{
	struct form_values changed = {.value = {NULL}};
	json_t *fields = json_object_get(request->json, "fields");
	const char *fault = json_object_size(fields) ? control_read_form(fields, &changed)
						     : "\"fields\" must be an object of fields and values";
	if (fault)
		return control_usage(err, fault);
	return office_correct(&request->ctx->office, request->application_id, &changed, request->reason,
		request->actor, &request->why_ja, request->pool, err);
}

/* It is done by now; how it stands is said where it can be read. */
static void tell_state(struct control_request *request, const char *more_ja)
{
	struct application app;
	struct err unread;
	if (application_get(
		    request->ctx->office.store, request->application_id, &app, request->pool, &unread))
		return;
	if (app.hold == HOLD_REVIEW)
		request->done_ja = pool_printf(
			request->pool, "通知を作れなかったため、要確認にしました（%s）。", app.hold_reason);
	else
		request->done_ja = pool_printf(
			request->pool, "「%s」になりました。%s", state_name_ja(app.state), more_ja);
}

/* {"command":"move","application":12,"to":"id_issued","reason":"…"} */
enum rc command_move(struct control_request *request, struct err *err)
{
	enum state to = control_read_state(json_object_get(request->json, "to"));
	if (to == STATE_NONE)
		return control_usage(err, "\"to\" must be a state, such as id_issued or logo_authorized.");
	enum rc rc = office_move(&request->ctx->office, request->application_id, to, request->reason,
		request->actor, &request->why_ja, request->pool, err);
	if (!rc)
		tell_state(request, "通知は送信待ちです。");
	return rc;
}

enum rc command_undo(struct control_request *request, struct err *err)
{
	enum rc rc = office_undo(&request->ctx->office, request->application_id, request->reason,
		request->actor, &request->why_ja, request->pool, err);
	if (!rc)
		tell_state(request, "保留にしてあります。進めるときは保留を解除してください。");
	return rc;
}

/* What became of it, in the words that staff find in the list. It is done by now, whether it can be told or not. */
static void tell_outcome(struct control_request *request)
{
	struct request resolved;
	struct err unread;
	if (request_get(request->ctx->office.store, request->request_id, &resolved, request->pool, &unread))
		return;
	request->application_id = resolved.application_id;
	request->done_ja = pool_printf(request->pool, "依頼%" PRId64 "（%s）: %s", resolved.id,
		request_state_name_ja(resolved.state), resolved.note);
}

/* {"command":"resolve","request":3,"action":"carry-out"}: a request by mail; with "application" or "declaration_id", "on", "reason" where wanted. */
enum rc command_resolve(struct control_request *request, struct err *err)
{
	static const char *const names[] = {
		[REQUEST_CARRY_OUT] = "carry-out", [REQUEST_ASK] = "ask", [REQUEST_CLOSE] = "close"};
	const char *name = json_string_value(json_object_get(request->json, "action"));
	const json_t *on = json_object_get(request->json, "on");
	civil_day day = CIVIL_DAY_NONE;
	size_t action = 0;
	while (action < sizeof names / sizeof *names && !(name && strcmp(names[action], name) == 0))
		action++;
	if (action == sizeof names / sizeof *names)
		return control_usage(err, "\"action\" must be carry-out, ask or close.");
	if (on && !json_is_null(on)) {
		day = json_is_string(on) ? civil_day_read(json_string_value(on)) : CIVIL_DAY_NONE;
		if (day == CIVIL_DAY_NONE)
			return control_usage(err, "\"on\" must be a day such as 2026-12-31.");
	}
	request->request_id = json_integer_value(json_object_get(request->json, "request"));
	if (request->request_id < 1)
		return control_usage(err, "\"request\" must be a number from 1 on.");
	enum rc rc = RC_OK;
	if (json_object_get(request->json, "application") || json_object_get(request->json, "declaration_id"))
		rc = control_find_application(request, err);
	rc = rc ? rc
		: office_resolve(&request->ctx->office, request->request_id, (enum request_action)action,
			  request->application_id, day, request->reason, request->actor, &request->why_ja,
			  request->pool, err);
	if (rc == RC_OK)
		tell_outcome(request);
	return rc;
}
