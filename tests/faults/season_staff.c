#include "tests/faults/season_p.h"

#include <stdio.h>
#include <string.h>

#include "tests/faults/fault.h"
#include "tests/faults/peer.h"

#define ACTOR "staff:1000"
#define REASON "電話で確認したため"

struct look {
	const char *name;
	struct application *out;
	struct pool *pool;
};

/* Strings of a row last until fn returns: only what the season looks at is kept. */
static enum rc look_at(void *ctx, const struct application *app, struct err *err)
{
	struct look *look = ctx;
	(void)err;
	if (!app->form.value[FIELD_BUSINESS_NAME] ||
		strcmp(app->form.value[FIELD_BUSINESS_NAME], look->name) != 0)
		return RC_OK;
	if (look->out->id && state_is_live(look->out->state) && !state_is_live(app->state))
		return RC_OK;
	*look->out = *app;
	look->out->hold_reason = pool_strdup(look->pool, app->hold_reason);
	look->out->profile = pool_strdup(look->pool, app->profile);
	look->out->form = (struct form_values){.value = {NULL}};
	return RC_OK;
}

enum rc season_application(struct turn *turn, const struct season_business *business, struct application *out,
	struct pool *pool, struct err *err)
{
	struct look look = {.name = business->name, .out = out, .pool = pool};
	const struct application_filter filter = {.hold = -1};
	*out = (struct application){0};
	return application_each(turn->house.office.store, &filter, true, look_at, &look, err);
}

static enum rc close_request(void *ctx, const struct request *request, struct err *err)
{
	struct turn *turn = ctx;
	struct pool *pool = pool_new();
	const char *why_ja = NULL;
	enum rc rc = request->state == REQUEST_STATE_REVIEW
			     ? office_resolve(&turn->house.office, request->id, REQUEST_CLOSE, 0,
				       CIVIL_DAY_NONE, REASON, ACTOR, &why_ja, pool, err)
			     : RC_OK;
	pool_free(&pool);
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc release_batch(void *ctx, const struct held_batch *batch, struct err *err)
{
	struct turn *turn = ctx;
	struct pool *pool = pool_new();
	const char *why_ja = NULL;
	bool second = false;
	enum rc rc = office_release_batch(&turn->house.office, batch->id, ACTOR, &second, &why_ja, pool, err);
	pool_free(&pool);
	return rc == RC_REFUSED ? RC_OK : rc;
}

static enum rc decide_office(struct turn *turn, const struct season_event *event, struct err *err)
{
	struct office *office = &turn->house.office;
	const struct request_filter open = {.open_only = true, .any_kind = true};
	const char *why_ja = NULL;
	struct pool *pool = pool_new();
	enum rc rc = RC_OK;
	if (event->kind == SEASON_STAFF_CLOSE)
		rc = request_each(office->store, &open, close_request, turn, err);
	else if (event->kind == SEASON_BATCHES)
		rc = held_batch_each_open(office->store, release_batch, turn, err);
	else
		rc = office_pause(office, PAUSE_SENDING, event->kind == SEASON_PAUSE, REASON, ACTOR, &why_ja,
			pool, err);
	pool_free(&pool);
	return rc;
}

static enum rc decide_application(struct turn *turn, const struct season_event *event,
	struct season_business *business, const struct application *app, struct pool *pool, struct err *err)
{
	struct office *office = &turn->house.office;
	const char *why_ja = NULL;
	int64_t notice_id = 0;
	struct form_values changed = {.value = {NULL}};
	switch (event->kind) {
	case SEASON_STAFF_STOP:
		return office_stop(office, app->id, CIVIL_DAY_NONE, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_HOLD:
		return office_decide(office, app->id, DECISION_HOLD, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_RELEASE:
		return office_decide(office, app->id, DECISION_RELEASE, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_APPROVE:
		return office_decide(office, app->id, DECISION_APPROVE, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_REJECT:
		return office_decide(office, app->id, DECISION_REJECT, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_CORRECT:
		changed.value[FIELD_MAIL] = changed.value[FIELD_MAIL_CONFIRM] = business->later_mail;
		business->later_mail_entered = true;
		return office_correct(office, app->id, &changed, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_UNDO:
		return office_undo(office, app->id, REASON, ACTOR, &why_ja, pool, err);
	case SEASON_STAFF_RESEND:
		return office_resend(office, app->id, "id", ACTOR, &notice_id, &why_ja, pool, err);
	default:
		return office_move(office, app->id, STATE_NONE, REASON, ACTOR, &why_ja, pool, err);
	}
}

/* What staff were told is what counts: an end they saw confirmed holds from here on, an undo that they saw takes it back. */
static void note_answer(const struct season_event *event, struct season_business *business, int64_t id)
{
	if (event->kind == SEASON_STAFF_STOP || event->kind == SEASON_STAFF_REJECT) {
		business->ended_id = id;
		business->ended_at = peer_mail_count();
	} else if (event->kind == SEASON_STAFF_UNDO) {
		business->ended_id = 0;
	}
}

bool season_decide(struct turn *turn, const struct season_event *event)
{
	struct err err = {0};
	struct pool *pool = pool_new();
	struct application app = {0};
	enum rc rc;
	if (event->kind >= SEASON_STAFF_CLOSE) {
		rc = decide_office(turn, event, &err);
	} else {
		struct season_business *business = &season->business[event->who];
		rc = season_application(turn, business, &app, pool, &err);
		if (!rc && app.id)
			rc = decide_application(turn, event, business, &app, pool, &err);
		if (!rc && app.id)
			note_answer(event, business, app.id);
	}
	if (!rc && event->kind == SEASON_PAUSE)
		season->sending_paused = true;
	if (!rc && event->kind == SEASON_RESUME)
		season->sending_paused = false;
	fault_trace("staff %s, application %lld: %s", season_kind_name(event->kind), (long long)app.id,
		rc ? err.text : "done");
	pool_free(&pool);
	return rc == RC_OK || rc == RC_REFUSED;
}
