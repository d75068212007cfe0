/* requests, review list: what mails have asked for */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

json_t *request_json(struct ctl *ctl, const struct request *request)
{
	return json_pack("{s:I, s:I, s:s, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}", "request",
		(json_int_t)request->id, "message", (json_int_t)request->message_id, "kind",
		request_kind_name(request->kind), "state", request_state_name(request->state), "application",
		json_number(request->application_id), "opened_at", json_time(request->opened_at), "closed_at",
		json_time(request->closed_at), "proof", proof_name(request->proof), "stop_on",
		json_day(request->stop_on), "due_at", json_time(request->due_at), "actor",
		json_text(request->actor), "note", json_text(masked_text(ctl, request->note)));
}

enum rc received_get(struct ctl *ctl, int64_t message_id, struct received *out, bool *there, struct err *err)
{
	struct str json = STR_INIT;
	struct err why;
	*there = false;
	enum rc rc = message_reading(ctl->store, message_id, &json, err);
	/* A reading that this version can't take is as good as none: the mail itself is there. */
	if (rc == RC_OK && json.len > 0)
		*there = received_load(out, json.s, json.len, ctl->pool, &why) == RC_OK;
	str_free(&json);
	return rc;
}

struct listing {
	struct ctl *ctl;
	struct table table;
	json_t *into; /* NULL: a table, or a line each */
	int64_t count;
};

/* What was written by whom, to be recognised at a glance. */
static enum rc add_mail(struct listing *listing, const struct request *request, json_t *object,
	const char **from, struct err *err)
{
	struct received received;
	bool there;
	enum rc rc = received_get(listing->ctl, request->message_id, &received, &there, err);
	*from = there ? received.from : "";
	if (object) {
		(void)json_object_set_new(object, "from", json_text(*from));
		(void)json_object_set_new(object, "subject",
			json_text(there ? masked_text(listing->ctl, received.subject) : ""));
	}
	return rc;
}

/* The business on file that it is about; "" when it is about none, or was erased. */
static enum rc business_of(struct ctl *ctl, const struct request *request, const char **name, struct err *err)
{
	struct application app;
	*name = "";
	if (!request->application_id)
		return RC_OK;
	enum rc rc = application_get(ctl->store, request->application_id, &app, ctl->pool, err);
	if (rc == RC_OK && app.form.value[FIELD_BUSINESS_NAME])
		*name = app.form.value[FIELD_BUSINESS_NAME];
	return rc;
}

static enum rc list_one(void *ctx, const struct request *request, struct err *err)
{
	struct listing *listing = ctx;
	struct ctl *ctl = listing->ctl;
	const char *from, *business;
	json_t *object = ctl->json ? request_json(ctl, request) : NULL;
	enum rc rc = add_mail(listing, request, object, &from, err);
	rc = rc ? rc : business_of(ctl, request, &business, err);
	listing->count++;
	if (rc != RC_OK) {
		json_decref(object);
		return rc;
	}
	if (listing->into)
		(void)json_array_append_new(listing->into, object);
	else if (object)
		say_json(object);
	else
		TABLE_ROW(&listing->table, pool_printf(ctl->pool, "%" PRId64, request->id),
			time_text(ctl, request->opened_at), request_kind_text(request->kind),
			request_state_text(request->state),
			request->application_id
				? pool_printf(ctl->pool, "%" PRId64 " %s", request->application_id, business)
				: "-",
			*from ? from : "-", masked_text(ctl, request->note));
	/* A long list is printed as it comes. */
	if (!listing->into && listing->count % 1000 == 0) {
		table_print(&listing->table);
		pool_reset(ctl->pool);
	}
	return RC_OK;
}

enum rc requests_print(
	struct ctl *ctl, const struct request_filter *filter, json_t *into, int64_t *count, struct err *err)
{
	struct listing listing = {.ctl = ctl, .table = {.columns = 7}, .into = into};
	enum rc rc = RC_OK;
	if (!ctl->json)
		TABLE_ROW(&listing.table, _("request"), _("received"), _("kind"), _("state"),
			_("application"), _("sender"), _("note"));
	rc = request_each(ctl->store, filter, list_one, &listing, err);
	table_print(&listing.table);
	*count = listing.count;
	return rc;
}

/* ---- options ---- */

/* The place of a name among `count` names in either language; -1: none. */
static int place_of(const char *text, const char *(*name)(int), const char *(*name_ja)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (strcmp(text, name(i)) == 0 || strcmp(text, name_ja(i)) == 0)
			return i;
	return -1;
}

static const char *kind_name(int kind)
{
	return request_kind_name((enum request_kind)kind);
}

static const char *kind_name_ja(int kind)
{
	return request_kind_name_ja((enum request_kind)kind);
}

static const char *place_name(int state)
{
	return request_state_name((enum request_state)state);
}

static const char *place_name_ja(int state)
{
	return request_state_name_ja((enum request_state)state);
}

/* "stop-request, resend-request, …": the names from `first` on; in the pool. */
static const char *names_of(struct ctl *ctl, const char *(*name)(int), int first, int count)
{
	const char *known = name(first);
	for (int i = first + 1; i < count; i++)
		known = pool_printf(ctl->pool, "%s, %s", known, name(i));
	return known;
}

static enum rc filter_read(struct ctl *ctl, struct request_filter *filter, struct err *err)
{
	const char *kind = option_of(ctl, "kind"), *state = option_of(ctl, "state"),
		   *application = option_of(ctl, "application");
	int64_t limit;
	enum rc rc = option_number(ctl, "limit", 1, INT32_MAX, 0, &limit, err);
	if (rc != RC_OK)
		return rc;
	*filter = (struct request_filter){
		.open_only = option_of(ctl, "open") != NULL, .any_kind = !kind, .limit = (int)limit};
	if (kind) {
		int place = place_of(kind, kind_name, kind_name_ja, REQUEST_KINDS);
		if (place < 0)
			return err_set(err, RC_USAGE, _("There is no kind \"%s\"; there are %s."), kind,
				names_of(ctl, kind_name, 0, REQUEST_KINDS));
		filter->kind = (enum request_kind)place;
	}
	if (state) {
		int place = place_of(state, place_name, place_name_ja, REQUEST_STATE_COUNT);
		if (place < REQUEST_STATE_REVIEW)
			return err_set(err, RC_USAGE, _("There is no state \"%s\"; there are %s."), state,
				names_of(ctl, place_name, REQUEST_STATE_REVIEW, REQUEST_STATE_COUNT));
		filter->state = (enum request_state)place;
	}
	struct application app;
	rc = application ? target_get(ctl, application, &app, err) : RC_OK;
	if (rc == RC_OK && application)
		filter->application_id = app.id;
	return rc;
}

/* ---- the commands ---- */

enum rc command_requests(struct ctl *ctl, struct err *err)
{
	struct request_filter filter;
	int64_t count;
	enum rc rc = filter_read(ctl, &filter, err);
	return rc ? rc : requests_print(ctl, &filter, NULL, &count, err);
}

enum rc command_review_list(struct ctl *ctl, struct err *err)
{
	struct request_filter filter = {.any_kind = true, .state = REQUEST_STATE_REVIEW};
	struct books books;
	int64_t limit, count;
	enum rc rc = option_number(ctl, "limit", 1, INT32_MAX, 0, &limit, err);
	filter.limit = (int)limit;
	rc = rc ? rc : requests_print(ctl, &filter, NULL, &count, err);
	rc = rc ? rc : store_standing(ctl->store, &books, err);
	if (rc != RC_OK || ctl->json)
		return rc;
	say("%s", "");
	if (count > 0)
		say("%s", _("To look at one: sengenctl review show REQUEST"));
	else
		say("%s", _("No request waits for a person."));
	if (books.review > 0)
		say(_("Applications that wait for a person: %lld (sengenctl list --review)"),
			(long long)books.review);
	return RC_OK;
}
