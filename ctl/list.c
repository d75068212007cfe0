#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"

struct list {
	struct ctl *ctl;
	struct table table;
	int64_t count, limit;
};

static json_t *line_json(struct ctl *ctl, const struct application *app)
{
	return json_pack("{s:I, s:s, s:o, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "application",
		(json_int_t)app->id, "state", state_name(app->state), "hold", json_text(hold_name(app->hold)),
		"star", app->star, "declaration_id", json_number(app->declaration_id), "received_at",
		json_time(app->received_at), "clock_start", json_day(app->clock_start), "next_stage",
		json_text(next_stage(ctl, app)), "due_at", json_time(app->due_at), "latest_at",
		json_time(app->latest_at), "business_name", json_text(app->form.value[FIELD_BUSINESS_NAME]));
}

static enum rc list_one(void *ctx, const struct application *app, struct err *err)
{
	struct list *list = ctx;
	struct ctl *ctl = list->ctl;
	(void)err;
	list->count++;
	if (ctl->json) {
		say_json(line_json(ctl, app));
	} else {
		const char *name = app->form.value[FIELD_BUSINESS_NAME], *next = next_stage(ctl, app);
		TABLE_ROW(&list->table, pool_printf(ctl->pool, "%" PRId64, app->id), state_text(app->state),
			hold_text(app->hold), app->star == 2 ? "★★" : "★",
			app->declaration_id ? pool_printf(ctl->pool, "%" PRId64, app->declaration_id) : "-",
			day_text(ctl, app->clock_start), *next ? office_notice_text(next) : "-",
			time_text(ctl, app->due_at), name ? name : "-");
	}
	/* A long list is printed as it comes: columns then fit a thousand rows at a time, and memory stays flat. */
	if (list->count % 1000 == 0) {
		table_print(&list->table);
		pool_reset(ctl->pool);
	}
	return RC_OK;
}

static enum rc state_of(const char *text, enum state *state, struct err *err)
{
	*state = STATE_NONE;
	for (int i = STATE_NONE + 1; text && i < STATE_COUNT; i++)
		if (strcmp(text, state_name((enum state)i)) == 0 ||
			strcmp(text, state_name_ja((enum state)i)) == 0)
			*state = (enum state)i;
	if (!text || *state != STATE_NONE)
		return RC_OK;
	struct str known = STR_INIT;
	for (int i = STATE_NONE + 1; i < STATE_COUNT; i++)
		str_printf(&known, "%s%s", known.len ? ", " : "", state_name((enum state)i));
	enum rc rc = err_set(err, RC_USAGE, _("There is no state \"%s\"; there are %s."), text, known.s);
	str_free(&known);
	return rc;
}

enum rc command_list(struct ctl *ctl, struct err *err)
{
	struct list list = {.ctl = ctl, .table = {.columns = 9}};
	struct application_filter filter = {.hold = -1, .live_only = option_of(ctl, "live") != NULL};
	civil_day due;
	if (option_of(ctl, "held"))
		filter.hold = HOLD_STAFF;
	if (option_of(ctl, "review"))
		filter.hold = HOLD_REVIEW;
	if (option_of(ctl, "overdue"))
		filter.overdue_at = clock_now(&ctl->clock);
	enum rc rc = state_of(option_of(ctl, "state"), &filter.state, err);
	rc = rc ? rc : option_day(ctl, "due", CIVIL_DAY_NONE, &due, err);
	rc = rc ? rc : option_number(ctl, "limit", 1, INT32_MAX, 0, &list.limit, err);
	if (rc != RC_OK)
		return rc;
	filter.limit = (int)list.limit;
	if (due != CIVIL_DAY_NONE)
		filter.due_before = civil_moment(due + 1, 0);
	if (!ctl->json)
		TABLE_ROW(&list.table, _("number"), _("state"), _("hold"), _("stars"), _("declaration ID"),
			_("clock started"), _("next notice"), _("due"), _("business"));
	rc = application_each(ctl->store, &filter, true, list_one, &list, err);
	table_print(&list.table);
	return rc;
}
