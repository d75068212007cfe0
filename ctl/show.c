/* show, why: one application */
#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"

json_t *form_json(const struct form_values *form)
{
	json_t *object = json_object();
	for (int i = 0; i < FIELD_COUNT; i++)
		if (form->value[i] && *form->value[i])
			(void)json_object_set_new(
				object, form_field_key((enum form_field)i), json_text(form->value[i]));
	return object;
}

json_t *application_json(struct ctl *ctl, const struct application *app)
{
	static const char *const kinds[] = {"new1", "new2", "step"};
	const struct {
		const char *key;
		json_t *value;
	} members[] = {
		{"application", json_integer(app->id)},
		{"state", json_text(state_name(app->state))},
		{"hold", json_text(hold_name(app->hold))},
		{"hold_reason", json_text(app->hold_reason)},
		{"kind", json_text(kinds[app->kind])},
		{"type", json_text(app->type == APPLICANT_CORPORATION ? "corporation" : "sole")},
		{"star", json_integer(app->star)},
		{"profile", json_text(app->profile)},
		{"received_at", json_time(app->received_at)},
		{"applied_on", json_day(app->applied_on)},
		{"clock_start", json_day(app->clock_start)},
		{"next_stage", json_text(next_stage(ctl, app))},
		{"approved", json_boolean(app->approved)},
		{"due_at", json_time(app->due_at)},
		{"latest_at", json_time(app->latest_at)},
		{"previous_sent_at", json_time(app->previous_sent_at)},
		{"declaration_id", json_number(app->declaration_id)},
		{"user_number", app->user_number ? json_text(masked_user_number(ctl, app->user_number))
						 : json_null()},
		{"id_issued_on", json_day(app->id_issued_on)},
		{"logo_authorized_on", json_day(app->logo_authorized_on)},
		{"stopped_on", json_day(app->stopped_on)},
		{"linked_application", json_number(app->linked_id)},
		{"file", json_number(app->file_id)},
		{"row", json_number(app->row)},
	};
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		(void)json_object_set_new(object, members[i].key, members[i].value);
	return object;
}

/* ---- rows of the history and notices ---- */

struct rows {
	struct ctl *ctl;
	struct table *table; /* NULL: JSON */
	json_t *list;
};

static json_t *history_json(const struct history_row *row)
{
	return json_pack("{s:I, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "seq", (json_int_t)row->seq,
		"at", json_time(row->at), "event", event_name(row->event), "from", state_name(row->from),
		"to", state_name(row->to), "ref", json_number(row->ref), "number", json_number(row->number),
		"actor", json_text(row->actor), "note", json_text(row->note), "erased", row->erased);
}

static enum rc add_history(void *ctx, const struct history_row *row, struct err *err)
{
	struct rows *rows = ctx;
	(void)err;
	if (!rows->table) {
		(void)json_array_append_new(rows->list, history_json(row));
		return RC_OK;
	}
	const char *change = row->from == row->to ? ""
						  : pool_printf(rows->ctl->pool, "%s → %s",
							    state_text(row->from), state_text(row->to));
	TABLE_ROW(rows->table, time_text(rows->ctl, row->at), event_text(row->event), change,
		row->actor ? row->actor : "",
		row->erased ? _("(erased)")
		: row->note ? row->note
			    : "");
	return RC_OK;
}

static json_t *notice_json(const struct notice *notice)
{
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:i, s:i, s:o, s:o}", "notice",
		(json_int_t)notice->id, "template", notice->template_name, "state",
		outbox_state_name(notice->state), "resend_of", json_number(notice->resend_of), "queued_at",
		json_time(notice->queued_at), "next_try_at",
		notice->state == OUTBOX_QUEUED || notice->state == OUTBOX_UNKNOWN
			? json_time(notice->next_try_at)
			: json_null(),
		"accepted_at", json_time(notice->accepted_at), "attempts", notice->attempts, "reply_code",
		notice->reply_code, "reply", json_text(notice->reply), "message_id",
		json_text(notice->message_id));
}

/* As staff know it, and behind it the word that `resend` and `preview` want where that is another. */
static const char *notice_name(struct ctl *ctl, const struct notice *notice)
{
	const char *name = office_notice_text(notice->template_name);
	const char *shown = strcmp(name, notice->template_name) == 0
				    ? name
				    : pool_printf(ctl->pool, "%s (%s)", name, notice->template_name);
	return notice->resend_of ? pool_printf(ctl->pool, "%s (%s %d)", shown, _("resend"), notice->resend_no)
				 : shown;
}

static enum rc add_notice(void *ctx, const struct notice *notice, struct err *err)
{
	struct rows *rows = ctx;
	struct ctl *ctl = rows->ctl;
	(void)err;
	if (!rows->table) {
		(void)json_array_append_new(rows->list, notice_json(notice));
		return RC_OK;
	}
	const char *name = notice_name(ctl, notice);
	const char *reply = notice->reply_code ? pool_printf(ctl->pool, "%d %s", notice->reply_code,
							 notice->reply ? notice->reply : "")
					       : "";
	TABLE_ROW(rows->table, pool_printf(ctl->pool, "%" PRId64, notice->id), name,
		outbox_text(notice->state), time_text(ctl, notice->queued_at),
		time_text(ctl, notice->accepted_at), reply);
	return RC_OK;
}

static enum rc print_notices(struct ctl *ctl, const struct application *app, json_t *into, struct err *err)
{
	struct table table = {.columns = 6};
	struct rows rows = {.ctl = ctl, .table = into ? NULL : &table, .list = into};
	if (!into)
		TABLE_ROW(&table, _("notice"), _("name"), _("state"), _("queued"), _("handed over"),
			_("answer of the server"));
	enum rc rc = outbox_each(ctl->store, app->id, add_notice, &rows, err);
	table_print(&table);
	return rc;
}

static enum rc print_history(struct ctl *ctl, const struct application *app, json_t *into, struct err *err)
{
	struct table table = {.columns = 5};
	struct rows rows = {.ctl = ctl, .table = into ? NULL : &table, .list = into};
	enum rc rc = history_each(ctl->store, app->id, 0, add_history, &rows, err);
	table_print(&table);
	return rc;
}

/* ---- what came by mail ---- */

static enum rc count_request(void *ctx, const struct request *request, struct err *err)
{
	(void)request;
	(void)err;
	++*(int64_t *)ctx;
	return RC_OK;
}

/* A heading and the requests about it; nothing at all where there are none. */
static enum rc print_requests(struct ctl *ctl, const struct application *app, json_t *into, struct err *err)
{
	const struct request_filter filter = {.any_kind = true, .application_id = app->id};
	struct request_filter one = filter;
	int64_t count = 0;
	one.limit = 1;
	enum rc rc = request_each(ctl->store, &one, count_request, &count, err);
	if (rc != RC_OK || count == 0)
		return rc;
	if (!into)
		say("%s", "");
	return requests_print(ctl, &filter, into, &count, err);
}

static enum rc add_bounce(void *ctx, const struct bounce_row *row, struct err *err)
{
	struct rows *rows = ctx;
	struct ctl *ctl = rows->ctl;
	(void)err;
	if (!rows->table) {
		(void)json_array_append_new(
			rows->list, json_pack("{s:I, s:I, s:o, s:s}", "notice", (json_int_t)row->notice_id,
					    "message", (json_int_t)row->message_id, "at", json_time(row->at),
					    "class", bounce_class_name((enum bounce_class)row->class_)));
		return RC_OK;
	}
	if (rows->table->cell.count == 0)
		TABLE_ROW(rows->table, _("came back"), _("notice"), _("why"));
	TABLE_ROW(rows->table, time_text(ctl, row->at), pool_printf(ctl->pool, "%" PRId64, row->notice_id),
		i18n_japanese() ? bounce_class_name_ja((enum bounce_class)row->class_)
				: bounce_class_name((enum bounce_class)row->class_));
	return RC_OK;
}

static enum rc print_bounces(struct ctl *ctl, const struct application *app, json_t *into, struct err *err)
{
	struct table table = {.columns = 3};
	struct rows rows = {.ctl = ctl, .table = into ? NULL : &table, .list = into};
	enum rc rc = bounce_each(ctl->store, app->id, add_bounce, &rows, err);
	if (table.cell.count > 0)
		say("%s", "");
	table_print(&table);
	return rc;
}

/* ---- show ---- */

static void print_head(struct ctl *ctl, const struct application *app, const char *origin)
{
	struct table table = {.columns = 2};
	TABLE_ROW(&table, _("state"), state_text(app->state));
	if (app->hold != HOLD_NONE)
		TABLE_ROW(&table, hold_text(app->hold), app->hold_reason ? app->hold_reason : "");
	TABLE_ROW(&table, _("stars"), app->star == 2 ? "★★" : "★");
	TABLE_ROW(&table, _("declaration ID"),
		app->declaration_id ? pool_printf(ctl->pool, "%" PRId64, app->declaration_id) : "-");
	TABLE_ROW(&table, _("user number"), masked_user_number(ctl, app->user_number));
	TABLE_ROW(&table, _("profile"), app->profile);
	TABLE_ROW(&table, _("received"), time_text(ctl, app->received_at));
	TABLE_ROW(&table, _("file"), origin);
	TABLE_ROW(&table, _("applied"), day_text(ctl, app->applied_on));
	TABLE_ROW(&table, _("clock started"), day_text(ctl, app->clock_start));
	const char *next = next_stage(ctl, app);
	TABLE_ROW(&table, _("next notice"), *next ? office_notice_text(next) : "-");
	TABLE_ROW(&table, _("due"), time_text(ctl, app->due_at));
	TABLE_ROW(&table, _("latest"), time_text(ctl, app->latest_at));
	TABLE_ROW(&table, _("ID issued"), day_text(ctl, app->id_issued_on));
	TABLE_ROW(&table, _("logo authorized"), day_text(ctl, app->logo_authorized_on));
	if (app->stopped_on != CIVIL_DAY_NONE)
		TABLE_ROW(&table, _("stopped"), day_text(ctl, app->stopped_on));
	if (app->linked_id)
		TABLE_ROW(&table, _("linked to"), pool_printf(ctl->pool, "%" PRId64, app->linked_id));
	table_print(&table);
}

static void print_form(struct ctl *ctl, const struct application *app)
{
	const struct fieldmap *map = ctl->settings->fieldmap;
	struct table table = {.columns = 2};
	for (int i = 0; i < FIELD_COUNT; i++) {
		enum form_field field = (enum form_field)i;
		const char *value = app->form.value[i];
		if (!value || !*value)
			continue;
		const char *label = fieldmap_choice_label(map, field, value);
		TABLE_ROW(&table, i18n_japanese() ? fieldmap_label(map, field) : form_field_key(field),
			label ? label : value);
	}
	table_print(&table);
}

/* Where it came from: the file as it was dropped, and which record of it; an import has none. */
static enum rc origin_text(struct ctl *ctl, const struct application *app, const char **out, struct err *err)
{
	struct spool_file file;
	*out = "-";
	if (!app->file_id)
		return RC_OK;
	enum rc rc = file_get(ctl->store, app->file_id, &file, ctl->pool, err);
	if (rc == RC_OK)
		*out = pool_printf(ctl->pool, _("%s, record %d"), file.name, app->row);
	return rc;
}

enum rc command_show(struct ctl *ctl, struct err *err)
{
	struct application app;
	enum rc rc = target_get(ctl, ctl->argument[0], &app, err);
	if (rc != RC_OK)
		return rc;
	const char *origin;
	rc = origin_text(ctl, &app, &origin, err);
	if (rc != RC_OK)
		return rc;
	json_t *notices = ctl->json ? json_array() : NULL, *history = ctl->json ? json_array() : NULL;
	json_t *requests = ctl->json ? json_array() : NULL, *bounces = ctl->json ? json_array() : NULL;
	if (!ctl->json) {
		say(_("Application %lld"), (long long)app.id);
		print_head(ctl, &app, origin);
		say("%s", "");
		print_form(ctl, &app);
		say("%s", "");
	}
	rc = print_notices(ctl, &app, notices, err);
	rc = rc ? rc : print_bounces(ctl, &app, bounces, err);
	rc = rc ? rc : print_requests(ctl, &app, requests, err);
	if (rc == RC_OK && !ctl->json)
		say("%s", "");
	if (rc == RC_OK)
		rc = print_history(ctl, &app, history, err);
	if (ctl->json && rc == RC_OK) {
		json_t *object = application_json(ctl, &app);
		(void)json_object_set_new(object, "form", form_json(&app.form));
		(void)json_object_set_new(object, "notices", notices);
		(void)json_object_set_new(object, "bounces", bounces);
		(void)json_object_set_new(object, "requests", requests);
		(void)json_object_set_new(object, "history", history);
		say_json(object);
	} else {
		json_decref(bounces);
		json_decref(requests);
		json_decref(notices);
		json_decref(history);
	}
	return rc;
}

/* ---- why ---- */

enum rc command_why(struct ctl *ctl, struct err *err)
{
	struct application app;
	struct due due = {0};
	struct str text = STR_INIT;
	const char *origin;
	enum rc rc = target_get(ctl, ctl->argument[0], &app, err);
	if (rc == RC_OK)
		rc = origin_text(ctl, &app, &origin, err);
	if (rc == RC_OK)
		rc = office_why(&ctl->office, &app, &text, &due, err);
	if (rc != RC_OK) {
		str_free(&text);
		return rc;
	}
	if (ctl->json) {
		json_t *notices = json_array(), *bounces = json_array(), *requests = json_array();
		rc = print_notices(ctl, &app, notices, err);
		rc = rc ? rc : print_bounces(ctl, &app, bounces, err);
		rc = rc ? rc : print_requests(ctl, &app, requests, err);
		json_t *object = application_json(ctl, &app);
		(void)json_object_set_new(object, "wait", json_string(wait_name(due.wait)));
		(void)json_object_set_new(object, "at", json_time(due.at));
		(void)json_object_set_new(object, "earliest", json_time(due.earliest));
		(void)json_object_set_new(object, "latest", json_time(due.latest));
		(void)json_object_set_new(object, "moved_from", json_day(due.moved_from));
		(void)json_object_set_new(object, "moved_why", json_text(due.moved_why));
		(void)json_object_set_new(object, "answer", json_text(text.s));
		(void)json_object_set_new(object, "notices", notices);
		(void)json_object_set_new(object, "bounces", bounces);
		(void)json_object_set_new(object, "requests", requests);
		say_json(object);
	} else {
		say(_("Application %lld, received %s (%s): %s"), (long long)app.id,
			time_text(ctl, app.received_at), app.file_id ? origin : _("taken over"),
			state_text(app.state));
		const char *business = app.form.value[FIELD_BUSINESS_NAME];
		if (business && *business)
			say("%s", business);
		rc = print_notices(ctl, &app, NULL, err);
		rc = rc ? rc : print_bounces(ctl, &app, NULL, err);
		rc = rc ? rc : print_requests(ctl, &app, NULL, err);
		for (char *line = strtok(text.s, "\n"); line; line = strtok(NULL, "\n"))
			say("%s", line);
	}
	str_free(&text);
	return rc;
}
