/*
 * publicity.c - what the public may see, kept in the transaction that changes it (N6, N28)
 *
 * advance.c comes here with every change of state, and whatever writes a form anew with the form before and after: the list that is written later only reads.
 */
#include "lib/office/office_p.h"

#include <stdlib.h>
#include <string.h>

/* A step-up shows from its logo on, whatever the settings say: until then its ★ does. */
bool office_is_public(const struct settings *settings, const struct application *app)
{
	if (app->state == STATE_LOGO_AUTHORIZED)
		return true;
	return settings->public_from == PUBLIC_FROM_ID && app->state == STATE_ID_ISSUED &&
	       app->linked_id == 0;
}

civil_day office_declared_on(const struct application *app)
{
	const civil_day day[] = {app->id_issued_on, app->logo_authorized_on, app->applied_on};
	for (size_t i = 0; i < sizeof day / sizeof *day; i++)
		if (day[i] != CIVIL_DAY_NONE)
			return day[i];
	return civil_day_of(app->received_at);
}

const char *public_value(
	const struct settings *settings, const struct application *app, enum form_field field)
{
	const char *value = app->form.value[field], *label;
	if (!value || !*value)
		return "";
	label = fieldmap_choice_label(settings->fieldmap, field, value);
	return label ? label : value;
}

/* A line each: a key, =, the value. No value holds a line break (validate()); one that did would not look like a field of its own. */
static void add_line(struct str *out, const char *key, const char *value)
{
	str_printf(out, "%s=", key);
	for (; *value; value++)
		str_addc(out, *value == '\n' || *value == '\r' ? ' ' : *value);
	str_addc(out, '\n');
}

void public_values_pack(const struct settings *settings, const struct application *app, struct str *out)
{
	str_printf(out, "star=%d\nday=", app->star);
	civil_day_print(out, office_declared_on(app));
	str_addc(out, '\n');
	for (size_t i = 0; i < settings->public_fields.count; i++) {
		enum form_field field = form_field_by_key(settings->public_fields.item[i]);
		add_line(out, form_field_key(field), public_value(settings, app, field));
	}
}

static void print_line(const struct settings *settings, const char *key, const char *value, struct str *out)
{
	if (strcmp(key, "star") == 0)
		str_printf(out, "宣言の内容: %s\n", public_star(value[0] - '0'));
	else if (strcmp(key, "day") == 0)
		str_printf(out, "宣言日: %s\n", value);
	else if (form_field_by_key(key) != FIELD_COUNT)
		str_printf(
			out, "%s: %s\n", fieldmap_label(settings->fieldmap, form_field_by_key(key)), value);
}

const char *public_star(int star)
{
	return star == 2 ? "★★二つ星" : "★一つ星";
}

void public_values_print(const struct settings *settings, const char *packed, struct str *out)
{
	char *text = xstrdup(packed), *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');
		if (!value)
			continue;
		*value = '\0';
		print_line(settings, line, value + 1, out);
	}
	free(text);
}

/* ---- keeping the intervals ---- */

static enum rc close_interval(
	struct office *office, const struct application *before, utc_time now, struct err *err)
{
	struct str values = STR_INIT;
	public_values_pack(office->settings, before, &values);
	enum rc rc = published_close(office->store, before->id, now, values.s, err);
	str_free(&values);
	return rc;
}

static bool same_values(
	const struct settings *settings, const struct application *before, const struct application *after)
{
	struct str was = STR_INIT, is = STR_INIT;
	public_values_pack(settings, before, &was);
	public_values_pack(settings, after, &is);
	bool same = strcmp(was.s, is.s) == 0;
	str_free(&was);
	str_free(&is);
	return same;
}

enum rc office_keep_public(struct office *office, const struct application *before,
	const struct application *after, struct err *err)
{
	utc_time now = clock_now(office->clock);
	bool was = before->id && office_is_public(office->settings, before);
	bool is = office_is_public(office->settings, after);
	enum rc rc = RC_OK;
	if (was && is && same_values(office->settings, before, after))
		return RC_OK;
	if (was)
		rc = close_interval(office, before, now, err);
	return rc == RC_OK && is ? published_open(office->store, after->id, now, err) : rc;
}

enum rc office_write_form(struct office *office, const struct application *before,
	const struct application *after, const char *key, const char *mail_key, struct err *err)
{
	enum rc rc = application_update_form(office->store, after, key, mail_key, err);
	return rc == RC_OK ? office_keep_public(office, before, after, err) : rc;
}

/* ---- a register from before, or another rule ---- */

#define FACT_FILLING "public.filling" /* "logo 4711": by which rule, up to which application */
#define FILL_IN_ONE 200 /* applications a transaction */

struct filling {
	struct office *office;
	bool first; /* no rule was followed before: declarations were public from their day on */
	int64_t last;
	int count;
};

static utc_time public_since(const struct filling *filling, const struct application *app)
{
	utc_time now = clock_now(filling->office->clock);
	bool logo = filling->office->settings->public_from == PUBLIC_FROM_LOGO &&
		    app->logo_authorized_on != CIVIL_DAY_NONE;
	utc_time since = civil_moment(logo ? app->logo_authorized_on : office_declared_on(app), 0);
	return filling->first && since < now ? since : now;
}

static enum rc fill_one(void *ctx, const struct application *app, struct err *err)
{
	struct filling *filling = ctx;
	struct store *store = filling->office->store;
	bool now = false, wanted = office_is_public(filling->office->settings, app);
	filling->last = app->id;
	filling->count++;
	enum rc rc = published_has(store, app->id, &now, err);
	if (rc == RC_OK && wanted && !now)
		rc = published_open(store, app->id, public_since(filling, app), err);
	if (rc == RC_OK && now && !wanted)
		rc = close_interval(filling->office, app, clock_now(filling->office->clock), err);
	return rc;
}

static enum rc fill_some(struct office *office, const char *rule, bool first, bool *more, struct err *err)
{
	struct str at = STR_INIT;
	size_t len = strlen(rule);
	struct filling filling = {.office = office, .first = first};
	enum rc rc = fact_get(office->store, FACT_FILLING, &at, err);
	if (rc == RC_OK && str_has_prefix(at.s, rule) && at.s[len] == ' ')
		filling.last = strtoll(at.s + len + 1, NULL, 10);
	struct application_filter all = {.hold = -1, .after_id = filling.last, .limit = FILL_IN_ONE};
	if (rc == RC_OK)
		rc = application_each(office->store, &all, true, fill_one, &filling, err);
	*more = filling.count == FILL_IN_ONE;
	str_clear(&at);
	str_printf(&at, "%s %lld", rule, (long long)filling.last);
	if (rc == RC_OK)
		rc = fact_set(office->store, FACT_FILLING, *more ? at.s : NULL, err);
	if (rc == RC_OK && !*more)
		rc = fact_set(office->store, FACT_PUBLIC_FROM, rule, err);
	str_free(&at);
	return rc;
}

static const char *rule_now(const struct office *office)
{
	return office->settings->public_from == PUBLIC_FROM_ID ? "id" : "logo";
}

enum rc office_public_settled(struct office *office, bool *yes, struct err *err)
{
	struct str rule = STR_INIT;
	enum rc rc = fact_get(office->store, FACT_PUBLIC_FROM, &rule, err);
	*yes = strcmp(rule.s, rule_now(office)) == 0;
	str_free(&rule);
	return rc;
}

enum rc office_settle_public(struct office *office, bool *more, struct err *err)
{
	struct str rule = STR_INIT;
	struct txn txn;
	*more = false;
	enum rc rc = fact_get(office->store, FACT_PUBLIC_FROM, &rule, err);
	if (rc == RC_OK && strcmp(rule.s, rule_now(office)) != 0) {
		rc = txn_begin(office, &txn, err);
		if (rc == RC_OK)
			rc = txn_end(office, &txn,
				fill_some(office, rule_now(office), rule.len == 0, more, err), err);
	}
	str_free(&rule);
	return rc;
}
