#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/flow/ident.h"

#define LIMIT_USUAL 20
#define LIMIT_MOST 1000
#define KEPT_KIB 128 /* a few pages of each block of the index; the next block has others */

static const char *representative(struct ctl *ctl, const struct application *app)
{
	const char *family = app->form.value[FIELD_FAMILY_NAME], *given = app->form.value[FIELD_GIVEN_NAME];
	family = family ? family : "";
	given = given ? given : "";
	return pool_printf(ctl->pool, "%s%s%s", family, *family && *given ? " " : "", given);
}

/* What comes next, or what holds it back. */
static const char *next_text(struct ctl *ctl, const struct application *app)
{
	const char *next = next_stage(ctl, app);
	if (app->hold != HOLD_NONE)
		return hold_text(app->hold);
	if (!*next || !state_is_live(app->state))
		return "-";
	return app->due_at == UTC_NEVER ? office_notice_text(next)
					: pool_printf(ctl->pool, "%s %s", office_notice_text(next),
						  day_text(ctl, civil_day_of(app->due_at)));
}

static void print_row(struct ctl *ctl, struct table *table, const struct application *app)
{
	const char *name = app->form.value[FIELD_BUSINESS_NAME],
		   *prefecture = app->form.value[FIELD_PREFECTURE];
	TABLE_ROW(table, pool_printf(ctl->pool, "%" PRId64, app->id),
		app->declaration_id ? pool_printf(ctl->pool, "%" PRId64, app->declaration_id) : "-",
		app->star == 2 ? "★★" : "★", state_text(app->state), name && *name ? name : "-",
		prefecture && *prefecture ? prefecture : "-", representative(ctl, app), next_text(ctl, app));
}

static json_t *row_json(struct ctl *ctl, const struct application *app)
{
	return json_pack("{s:I, s:o, s:i, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "application",
		(json_int_t)app->id, "declaration_id", json_number(app->declaration_id), "star", app->star,
		"state", state_name(app->state), "hold", json_text(hold_name(app->hold)), "business_name",
		json_text(app->form.value[FIELD_BUSINESS_NAME]), "prefecture",
		json_text(app->form.value[FIELD_PREFECTURE]), "representative",
		json_text(representative(ctl, app)), "next_stage", json_text(next_stage(ctl, app)), "due_at",
		json_time(app->due_at));
}

static enum rc print_found(struct ctl *ctl, const int64_t *id, int count, struct err *err)
{
	struct table table = {.columns = 8};
	enum rc rc = RC_OK;
	if (!ctl->json)
		TABLE_ROW(&table, _("number"), _("declaration ID"), _("stars"), _("state"), _("business"),
			_("prefecture"), _("representative"), _("next"));
	for (int i = 0; rc == RC_OK && i < count; i++) {
		struct application app;
		rc = application_get(ctl->store, id[i], &app, ctl->pool, err);
		if (rc != RC_OK)
			break;
		if (ctl->json)
			say_json(row_json(ctl, &app));
		else
			print_row(ctl, &table, &app);
	}
	table_print(&table);
	return rc;
}

/* It is a credential, and stands in no index. */
static bool is_user_number(struct ctl *ctl)
{
	for (int i = 0; i < ctl->argument_count; i++)
		if (ident_read_user(ctl->argument[i]))
			return true;
	return false;
}

static enum rc nothing_found(struct ctl *ctl, int64_t before, struct err *err)
{
	if (is_user_number(ctl))
		return err_set(err, RC_REFUSED, "%s",
			_("Nobody is found by a user number: it is kept like a password. Search by "
			  "declaration ID, "
			  "business name, telephone or mail address."));
	if (before)
		return err_set(
			err, RC_REFUSED, _("There are no more below application %" PRId64 "."), before);
	return err_set(err, RC_REFUSED, "%s",
		_("Nothing was found. Fewer words, or two characters of a name, find more; names are "
		  "compared "
		  "without regard to width, kana and old glyphs."));
}

static void say_how_to_go_on(struct ctl *ctl, const char *text, int64_t last, bool more)
{
	if (ctl->json)
		return;
	say("%s", "");
	if (more)
		say(_("There are more. A further word narrows them down; the next ones: sengenctl search %s "
		      "--before %" PRId64),
			text, last);
	say("%s", _("More about one of them: sengenctl show NUMBER, and what comes next: sengenctl why "
		    "NUMBER"));
}

enum rc command_search(struct ctl *ctl, struct err *err)
{
	int64_t limit, before, id[LIMIT_MOST];
	int count = 0;
	bool more = false;
	struct str text = STR_INIT;
	enum rc rc = option_number(ctl, "limit", 1, LIMIT_MOST, LIMIT_USUAL, &limit, err);
	rc = rc ? rc : option_number(ctl, "before", 1, INT64_MAX, 0, &before, err);
	for (int i = 0; i < ctl->argument_count; i++)
		str_printf(&text, "%s%s", i ? " " : "", ctl->argument[i]);
	if (rc == RC_OK) {
		store_keep(ctl->store, KEPT_KIB);
		rc = search_applications(ctl->store, text.s, before, id, (int)limit, &count, &more, err);
		if (rc == RC_REFUSED)
			rc = err_set(err, RC_USAGE, "%s", _("Give at least one word to look for."));
	}
	if (rc == RC_OK && count == 0)
		rc = nothing_found(ctl, before, err);
	else if (rc == RC_OK)
		rc = print_found(ctl, id, count, err);
	if (rc == RC_OK)
		say_how_to_go_on(ctl, text.s, id[count - 1], more);
	str_free(&text);
	return rc;
}
