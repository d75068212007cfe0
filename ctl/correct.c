/* What staff change about an application themselves: fields of its form, its next stage, its last change. */
#include "ctl/ctl.h"

#include <string.h>

#include "lib/base/text.h"

/* A field by its key or by its label in the form (電話番号). */
static enum rc read_field(struct ctl *ctl, const char *text, json_t *fields, struct err *err)
{
	const char *sign = strchr(text, '='), *wide = strstr(text, "＝");
	size_t sign_len = 1;
	if (wide && (!sign || wide < sign)) {
		sign = wide;
		sign_len = strlen("＝");
	}
	if (!sign || sign == text)
		return err_set(err, RC_USAGE,
			_("\"%s\" must be FIELD=VALUE, such as telephone=03-0000-0000 or "
			  "電話番号=03-0000-0000."),
			text);
	const char *name = text_trim(pool_strndup(ctl->pool, text, (size_t)(sign - text)));
	enum form_field field = form_field_by_key(name);
	if (field == FIELD_COUNT)
		field = fieldmap_field(ctl->settings->fieldmap, name);
	if (field == FIELD_COUNT)
		return err_set(err, RC_USAGE,
			_("The form has no field \"%s\"; \"sengenctl show --json\" prints the names of all."),
			name);
	if (json_object_get(fields, form_field_key(field)))
		return err_set(err, RC_USAGE, _("The field \"%s\" was given twice."), name);
	json_t *value = json_string(sign + sign_len);
	if (!value)
		return err_set(err, RC_USAGE, _("The value of \"%s\" must be UTF-8 text."), name);
	(void)json_object_set_new(fields, form_field_key(field), value);
	return RC_OK;
}

/* Asks, or releases what was not asked. */
static enum rc ask(struct ctl *ctl, json_t *request, enum rc rc, struct err *err)
{
	rc = rc ? rc : reason_add(ctl, request, true, err);
	if (rc == RC_OK)
		return control_ask(ctl, request, err);
	json_decref(request);
	return rc;
}

enum rc command_correct(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL, *fields = json_object();
	enum rc rc = application_request(ctl, "correct", &request, err);
	for (int i = 1; rc == RC_OK && i < ctl->argument_count; i++)
		rc = read_field(ctl, ctl->argument[i], fields, err);
	if (rc == RC_OK)
		(void)json_object_set(request, "fields", fields);
	json_decref(fields);
	return ask(ctl, request, rc, err);
}

enum rc command_move(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	enum state to = STATE_NONE;
	for (int i = STATE_UNCONFIRMED; i < STATE_COUNT; i++)
		if (strcmp(state_name((enum state)i), ctl->argument[1]) == 0 ||
			strcmp(state_name_ja((enum state)i), ctl->argument[1]) == 0)
			to = (enum state)i;
	if (to == STATE_NONE)
		return err_set(err, RC_USAGE,
			_("There is no state \"%s\"; id_issued or logo_authorized can be brought forward."),
			ctl->argument[1]);
	enum rc rc = application_request(ctl, "move", &request, err);
	if (rc == RC_OK)
		(void)json_object_set_new(request, "to", json_string(state_name(to)));
	return ask(ctl, request, rc, err);
}

enum rc command_undo(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	enum rc rc = application_request(ctl, "undo", &request, err);
	return ask(ctl, request, rc, err);
}
