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
	return office_resend(&request->ctx->office, request->application_id, name, request->actor,
		&request->notice_id, &request->why_ja, request->pool, err);
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
