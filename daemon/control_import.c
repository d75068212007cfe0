/* The import of declarations that the office already has, a line each, fifty a transaction. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control_p.h"
#include "lib/base/log.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define VALUE_MAX 8192 /* bytes of one value of an imported form */

enum rc command_import_begin(struct control_request *request, struct err *err)
{
	(void)err;
	control_import_drop(request->import);
	request->import->running = true;
	return RC_OK;
}

void control_import_drop(struct control_import *import)
{
	for (int i = 0; i < import->waiting_count; i++)
		json_decref(import->waiting[i]);
	*import = (struct control_import){0};
}

static bool read_day(const json_t *object, const char *key, civil_day *day)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	*day = CIVIL_DAY_NONE;
	if (!value || json_is_null(value) || (text && !*text))
		return true;
	if (text)
		*day = civil_day_read(text);
	return *day != CIVIL_DAY_NONE;
}

enum state control_read_state(const json_t *value)
{
	const char *name = json_string_value(value);
	for (int state = STATE_NONE + 1; name && state < STATE_COUNT; state++)
		if (strcmp(state_name((enum state)state), name) == 0)
			return (enum state)state;
	return STATE_NONE;
}

const char *control_read_form(json_t *object, struct form_values *form)
{
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		enum form_field field = form_field_by_key(key);
		const char *text = json_string_value(value);
		if (field == FIELD_COUNT)
			return "\"form\" has a field that does not exist";
		if (json_is_null(value))
			continue;
		if (!text || strlen(text) > VALUE_MAX || text_has_control(text))
			return "a value of \"form\" is no single line of text";
		form->value[field] = text;
	}
	return NULL;
}

static const char *read_import(const json_t *object, struct import_row *row)
{
	*row = (struct import_row){0};
	const json_t *user = json_object_get(object, "user_number");
	row->declaration_id = control_read_declaration(json_object_get(object, "declaration_id"));
	if (!row->declaration_id)
		return "\"declaration_id\" must be 10 or 11 digits that begin with 4 or 5";
	if (json_is_integer(user))
		row->user_number = json_integer_value(user);
	else if (json_is_string(user) && *json_string_value(user)) {
		row->user_number = ident_read_user(json_string_value(user));
		if (!row->user_number)
			return "\"user_number\" must be 10 or 11 digits that begin with 9";
	}
	row->state = control_read_state(json_object_get(object, "state"));
	row->star = (int)json_integer_value(json_object_get(object, "star"));
	if (row->state == STATE_NONE)
		return "\"state\" must be id_issued, logo_authorized or stopped";
	if (row->star != 1 && row->star != 2)
		return "\"star\" must be 1 or 2";
	if (!read_day(object, "applied_on", &row->applied_on) ||
		!read_day(object, "id_issued_on", &row->id_issued_on) ||
		!read_day(object, "logo_authorized_on", &row->logo_authorized_on) ||
		!read_day(object, "stopped_on", &row->stopped_on))
		return "a day must be written as 2026-12-31";
	const char *fault = control_read_form(json_object_get(object, "form"), &row->form);
	struct mailaddr address;
	const char *mail = row->form.value[FIELD_MAIL];
	if (!fault && mail && *mail && mailaddr_read(&address, mail) != MAILADDR_OK)
		return "the mail address is not one";
	return fault;
}

static void refuse_row(
	struct control_import *import, int row, const char *message, const char *message_ja, struct str *out)
{
	import->refused++;
	json_t *json = control_answer(
		RC_REFUSED, message, message_ja ? message_ja : "この行は取り込めませんでした。");
	(void)json_object_set_new(json, "row", json_integer(row));
	control_answer_line(out, json);
}

/* All rows of a batch in one transaction; RC_REFUSED: one of them can't be taken, nothing was written. */
static enum rc import_write(struct control_request *request, const struct import_row *row, int count,
	int *imported, int *known, struct err *err)
{
	struct store *store = request->ctx->office.store;
	*imported = *known = 0;
	enum rc rc = store_begin(store, err);
	for (int i = 0; i < count && !rc; i++) {
		bool is_known = false;
		rc = office_import(&request->ctx->office, &row[i], request->actor, &is_known,
			&request->why_ja, request->pool, err);
		*(is_known ? known : imported) += 1;
	}
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

static enum rc import_flush(struct control_request *request, struct str *out, struct err *err)
{
	struct control_import *import = request->import;
	struct import_row row[CONTROL_IMPORT_BATCH];
	int number[CONTROL_IMPORT_BATCH], count = 0, imported, known;
	for (int i = 0; i < import->waiting_count; i++) {
		const char *fault = read_import(import->waiting[i], &row[count]);
		int at = import->rows - import->waiting_count + 1 + i;
		if (fault)
			refuse_row(import, at, fault, NULL, out);
		else
			number[count++] = at;
	}
	enum rc rc = count ? import_write(request, row, count, &imported, &known, err) : RC_OK;
	if (!rc && count) {
		import->imported += imported;
		import->known += known;
	}
	for (int i = 0; rc == RC_REFUSED && i < count; i++) {
		rc = import_write(request, &row[i], 1, &imported, &known, err);
		if (rc == RC_REFUSED) {
			refuse_row(import, number[i], err->text, request->why_ja, out);
		} else if (!rc) {
			import->imported += imported;
			import->known += known;
		}
		if (!rc)
			rc = RC_REFUSED; /* on with the next */
	}
	for (int i = 0; i < import->waiting_count; i++)
		json_decref(import->waiting[i]);
	import->waiting_count = 0;
	return rc == RC_REFUSED ? RC_OK : rc;
}

static void import_end(struct control_request *request, struct str *out)
{
	struct control_import *import = request->import;
	enum rc rc = import->refused ? RC_REFUSED : RC_OK;
	json_t *json = control_answer(rc,
		rc ? "Some declarations were refused; the others were taken over."
		   : "All declarations were taken over.",
		rc ? "取り込めなかった行があります。ほかの行は取り込みました。" : "取り込みました。");
	(void)json_object_set_new(json, "imported", json_integer(import->imported));
	(void)json_object_set_new(json, "known", json_integer(import->known));
	(void)json_object_set_new(json, "refused", json_integer(import->refused));
	control_answer_line(out, json);
	log_event(LEVEL_NOTICE, "control.import", "imported=%d known=%d refused=%d actor=\"%.*s\"",
		import->imported, import->known, import->refused, ACTOR_UID(request->actor));
	control_import_drop(import);
	role_wake(request->ctx->settings, "scheduler");
}

/* A line of a running import. */
void control_import_line(struct control_request *request, struct str *out)
{
	struct control_import *import = request->import;
	struct err err = {0};
	json_t *row = json_object_get(request->json, "import");
	bool end = json_is_true(json_object_get(request->json, "end"));
	enum rc rc = RC_OK;
	if (json_is_object(row)) {
		import->rows++;
		import->waiting[import->waiting_count++] = json_incref(row);
	} else if (!end) {
		rc = control_usage(
			&err, "In an import each line is {\"import\":{…}}, the last {\"end\":true}.");
	}
	if (!rc && (end || import->waiting_count == CONTROL_IMPORT_BATCH))
		rc = import_flush(request, out, &err);
	if (rc) {
		control_answer_line(out, control_answer(rc, err.text, NULL));
		control_import_drop(import);
	} else if (end) {
		import_end(request, out);
	}
}
