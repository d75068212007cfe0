/* What staff decide about the office as a whole: its questions, its pauses. */
#include <inttypes.h>
#include <string.h>

#include "daemon/control_p.h"
#include "lib/desk/restored.h"

static void tell_release(struct control_request *request, enum rc rc, bool released)
{
	if (rc)
		return;
	if (released && request->waits_for_second) {
		request->done = "Released in part; the rest takes a second person to release it.";
		request->done_ja = "一部の送信を許可しました。残りには二人の許可が必要です。ほかの人が確認し"
				   "て許可すると、残りの"
				   "送信も始まります。";
		return;
	}
	request->done = request->waits_for_second ? "Noted. It takes a second person to release it." : NULL;
	request->done_ja =
		request->waits_for_second
			? "許可を記録しました。二人の許可が必要です。ほかの人が確認して許可すると、送信が"
			  "始まります。"
			: "送信を許可しました。";
}

enum rc command_release_ceiling(struct control_request *request, struct err *err)
{
	bool released = false;
	enum rc rc = office_release_ceiling(&request->ctx->office, request->actor, &released,
		&request->waits_for_second, &request->why_ja, request->pool, err);
	tell_release(request, rc, released);
	return rc;
}

/* {"command":"release-batch","batch":3} */
enum rc command_release_batch(struct control_request *request, struct err *err)
{
	int64_t batch_id = json_integer_value(json_object_get(request->json, "batch"));
	if (batch_id < 1)
		return control_usage(err, "\"batch\" must be a number from 1 on.");
	enum rc rc = office_release_batch(&request->ctx->office, batch_id, request->actor,
		&request->waits_for_second, &request->why_ja, request->pool, err);
	tell_release(request, rc, !request->waits_for_second);
	return rc;
}

enum rc command_release_restored(struct control_request *request, struct err *err)
{
	struct office *office = &request->ctx->office;
	struct restored_sent sent = {0};
	enum rc rc =
		store_restored(office->store) == RESTORED_NO ? RC_OK : restored_settle(office, &sent, err);
	rc = rc ? rc : office_release_restored(office, request->actor, err);
	if (rc || sent.again + sent.lost == 0)
		return rc;
	request->done = pool_printf(request->pool,
		"Released. %" PRId64
		" notices that wait in the copy had been sent and are booked so; %" PRId64
		" were sent after it was made and are not in it: those letters may go out once more.",
		sent.again, sent.lost);
	request->done_ja = pool_printf(request->pool,
		"台帳を引き継ぎました。複製では送信待ちの通知のうち%" PRId64
		"通は送信済みだったため、送信済みとして記録しました。複製の後に作られて送信された%" PRId64
		"通は複製にないため、同じ内容がもう一度送られることがあります。",
		sent.again, sent.lost);
	return RC_OK;
}

static enum pause pause_by_name(const char *name)
{
	for (int what = PAUSE_INTAKE; name && what < PAUSE_COUNT; what++)
		if (strcmp(pause_name((enum pause)what), name) == 0)
			return (enum pause)what;
	return PAUSE_COUNT;
}

/* All that are named, or none: {"command":"pause","what":["intake","sending"],"reason":"…"}. */
static enum rc pause_all(struct control_request *request, bool on, struct err *err)
{
	struct office *office = &request->ctx->office;
	json_t *list = json_object_get(request->json, "what"), *item;
	struct str names = STR_INIT;
	size_t i;
	enum rc rc = json_array_size(list)
			     ? store_begin(office->store, err)
			     : control_usage(
				       err, "\"what\" must be a list of intake, deciding, sending, reading.");
	if (rc)
		return rc;
	json_array_foreach(list, i, item)
	{
		enum pause what = pause_by_name(json_string_value(item));
		if (what == PAUSE_COUNT)
			rc = control_usage(err, "\"what\" knows intake, deciding, sending and reading only.");
		else
			rc = office_pause(office, what, on, request->reason, request->actor, &request->why_ja,
				request->pool, err);
		if (rc)
			break;
		str_printf(&names, "%s「%s」", names.len ? "と" : "", pause_name_ja(what));
	}
	rc = rc ? rc : store_commit(office->store, err);
	if (rc && store_in_transaction(office->store))
		store_rollback(office->store);
	if (!rc)
		request->done_ja =
			pool_printf(request->pool, "%sを%sしました。", names.s, on ? "一時停止" : "再開");
	str_free(&names);
	return rc;
}

enum rc command_pause(struct control_request *request, struct err *err)
{
	return pause_all(request, true, err);
}

enum rc command_resume(struct control_request *request, struct err *err)
{
	return pause_all(request, false, err);
}
