#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

/* ---- options and targets ---- */

const char *option_of(const struct ctl *ctl, const char *name)
{
	for (int i = 0; i < OPTION_MAX && ctl->command->option[i].name; i++)
		if (strcmp(ctl->command->option[i].name, name) == 0)
			return ctl->option[i];
	die("the command %s has no option %s", ctl->command->name, name);
}

enum rc option_number(const struct ctl *ctl, const char *name, int64_t least, int64_t most, int64_t fallback,
	int64_t *out, struct err *err)
{
	const char *text = option_of(ctl, name);
	char *end;
	*out = fallback;
	if (!text)
		return RC_OK;
	*out = strtoll(text, &end, 10);
	if (!*text || *end || *out < least || *out > most)
		return err_set(err, RC_USAGE, _("--%s must be a number from %lld to %lld."), name,
			(long long)least, (long long)most);
	return RC_OK;
}

enum rc option_day(
	const struct ctl *ctl, const char *name, civil_day fallback, civil_day *out, struct err *err)
{
	const char *text = option_of(ctl, name);
	*out = text ? civil_day_read(text) : fallback;
	if (text && *out == CIVIL_DAY_NONE)
		return err_set(err, RC_USAGE, _("--%s must be a day such as 2026-11-22."), name);
	return RC_OK;
}

enum rc target_read(const char *text, int64_t *application_id, int64_t *declaration_id, struct err *err)
{
	struct str digits = STR_INIT;
	*application_id = 0;
	*declaration_id = ident_read_declaration(text);
	if (!*declaration_id && text_digits(&digits, text) && digits.len > 0 && digits.len < 10)
		*application_id = strtoll(digits.s, NULL, 10);
	str_free(&digits);
	if (!*declaration_id && !*application_id)
		return err_set(err, RC_USAGE,
			_("\"%s\" is neither the number of an application nor a declaration ID (10 or 11 "
			  "digits, "
			  "beginning with 4 or 5)."),
			text);
	return RC_OK;
}

enum rc request_number(const char *text, int64_t *request_id, struct err *err)
{
	struct str digits = STR_INIT;
	*request_id = text_digits(&digits, text) && digits.len > 0 && digits.len < 16
			      ? strtoll(digits.s, NULL, 10)
			      : 0;
	str_free(&digits);
	if (*request_id < 1)
		return err_set(err, RC_USAGE,
			_("\"%s\" is not the number of a request; sengenctl review list shows them."), text);
	return RC_OK;
}

enum rc target_get(struct ctl *ctl, const char *text, struct application *app, struct err *err)
{
	int64_t id, declaration_id;
	enum rc rc = target_read(text, &id, &declaration_id, err);
	if (rc != RC_OK)
		return rc;
	rc = id ? application_get(ctl->store, id, app, ctl->pool, err)
		: application_by_declaration(ctl->store, declaration_id, app, ctl->pool, err);
	if (rc == RC_REFUSED)
		return err_set(err, RC_REFUSED, _("There is no application \"%s\" in the register."), text);
	return rc;
}

/* ---- lines ---- */

static struct mask passwords;
static bool masking;

void output_mask(const struct mask *mask)
{
	passwords = *mask;
	masking = true;
}

void output_text(struct str *out, const char *text)
{
	struct str masked = STR_INIT;
	if (masking)
		mask_add(&masked, &passwords, text);
	text_add_printable(out, masking ? masked.s : text);
	str_free(&masked);
}

void say(const char *format, ...)
{
	struct str raw = STR_INIT, line = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&raw, format, args);
	va_end(args);
	output_text(&line, raw.s);
	(void)puts(line.s);
	str_free(&raw);
	str_free(&line);
}

/* One line for every reader (some also break lines at U+0085 and U+2028), and nothing that a terminal would obey. */
static void json_line_add(struct str *out, const char *json)
{
	size_t len = strlen(json);
	uint32_t c = 0;
	for (size_t at = 0, size; (size = utf8_next(json + at, len - at, &c)) != 0; at += size) {
		char one[5] = {0};
		memcpy(one, json + at, size);
		if (text_has_control(one))
			str_printf(out, "\\u%04x", c); /* none lies above U+FFFF */
		else
			str_add(out, one, size);
	}
}

/* Every text in it, wherever it stands. */
static void mask_json(json_t *value)
{
	const char *key;
	json_t *member;
	size_t i;
	json_object_foreach(value, key, member) mask_json(member);
	json_array_foreach(value, i, member) mask_json(member);
	if (!json_is_string(value))
		return;
	struct str masked = STR_INIT;
	mask_add(&masked, &passwords, json_string_value(value));
	if (strcmp(masked.s, json_string_value(value)) != 0)
		(void)json_string_set(value, masked.s);
	str_free(&masked);
}

void say_json(json_t *object)
{
	if (masking)
		mask_json(object);
	char *text = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
	struct str line = STR_INIT;
	if (text)
		json_line_add(&line, text);
	else
		die("a value could not be written as JSON");
	(void)puts(line.s);
	str_free(&line);
	free(text);
	json_decref(object);
}

/* JSON is UTF-8; a file's name, or a server's answer, need not be. */
json_t *json_text(const char *text)
{
	if (!text || !*text)
		return json_null();
	json_t *value = json_string(text);
	if (value)
		return value;
	struct str printable = STR_INIT;
	text_add_printable(&printable, text);
	value = json_string(printable.s);
	str_free(&printable);
	return value ? value : json_null();
}

json_t *json_number(int64_t number)
{
	return number ? json_integer(number) : json_null();
}

json_t *json_day(civil_day day)
{
	struct str text = STR_INIT;
	civil_day_print(&text, day);
	json_t *value = json_text(text.s);
	str_free(&text);
	return value;
}

json_t *json_time(utc_time at)
{
	struct str text = STR_INIT;
	if (at != 0 && at != UTC_NEVER)
		civil_rfc3339_print(&text, at);
	json_t *value = json_text(text.s);
	str_free(&text);
	return value;
}

const char *day_text(struct ctl *ctl, civil_day day)
{
	struct str text = STR_INIT;
	civil_day_print(&text, day);
	const char *copy = pool_strdup(ctl->pool, text.len ? text.s : "-");
	str_free(&text);
	return copy;
}

const char *time_text(struct ctl *ctl, utc_time at)
{
	struct str text = STR_INIT;
	if (at != 0 && at != UTC_NEVER)
		civil_time_print(&text, at);
	const char *copy = pool_strdup(ctl->pool, text.len ? text.s : "-");
	str_free(&text);
	return copy;
}

const char *masked_text(struct ctl *ctl, const char *text)
{
	struct str out = STR_INIT;
	mask_add(&out, &passwords, text);
	const char *copy = pool_strdup(ctl->pool, out.s);
	str_free(&out);
	return copy;
}

const char *masked_user_number(struct ctl *ctl, int64_t user_number)
{
	struct str text = STR_INIT;
	if (user_number)
		ident_print_masked(&text, user_number);
	const char *copy = pool_strdup(ctl->pool, text.len ? text.s : "-");
	str_free(&text);
	return copy;
}

const char *state_text(enum state state)
{
	return i18n_japanese() ? state_name_ja(state) : state_name(state);
}

const char *event_text(enum event event)
{
	return i18n_japanese() ? event_name_ja(event) : event_name(event);
}

const char *outbox_text(enum outbox_state state)
{
	return i18n_japanese() ? outbox_state_name_ja(state) : outbox_state_name(state);
}

const char *request_kind_text(enum request_kind kind)
{
	return i18n_japanese() ? request_kind_name_ja(kind) : request_kind_name(kind);
}

const char *request_state_text(enum request_state state)
{
	return i18n_japanese() ? request_state_name_ja(state) : request_state_name(state);
}

const char *proof_text(enum proof proof)
{
	return i18n_japanese() ? proof_name_ja(proof) : proof_name(proof);
}

const char *hold_text(enum hold hold)
{
	switch (hold) {
	case HOLD_STAFF:
		return _("held");
	case HOLD_REVIEW:
		return _("review");
	case HOLD_NONE:
		break;
	}
	return "-";
}

const char *next_stage(const struct ctl *ctl, const struct application *app)
{
	const struct profile *profile = profile_find(&ctl->settings->profiles, app->profile);
	if (!profile || app->stage < 0 || app->stage >= profile->stage_count || !state_is_live(app->state))
		return "";
	return profile->stage[app->stage].name;
}

/* ---- columns ---- */

void table_add(struct table *table, const char *const *cell, size_t count)
{
	if (count != (size_t)table->columns)
		die("a table has %d columns, a row %zu", table->columns, count);
	for (size_t i = 0; i < count; i++)
		strlist_add(&table->cell, cell[i]);
}

void table_print(struct table *table)
{
	size_t columns = (size_t)table->columns;
	size_t *width = xcalloc(columns, sizeof *width);
	struct strlist shown = {0};
	for (size_t i = 0; i < table->cell.count; i++) {
		struct str cell = STR_INIT;
		output_text(&cell, table->cell.item[i]);
		strlist_add(&shown, cell.s);
		size_t wide = text_columns(cell.s);
		if (wide > width[i % columns])
			width[i % columns] = wide;
		str_free(&cell);
	}
	for (size_t i = 0; i < shown.count; i++) {
		bool last = i % columns == columns - 1;
		int pad = last ? 0 : (int)(width[i % columns] - text_columns(shown.item[i]) + 2);
		printf("%s%*s%s", shown.item[i], pad, "", last ? "\n" : "");
	}
	free(width);
	strlist_free(&shown);
	strlist_free(&table->cell);
}
