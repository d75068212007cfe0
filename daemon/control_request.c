#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control.h"
#include "lib/base/log.h"
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define REASON_MAX 2000 /* bytes */
#define VALUE_MAX 8192 /* bytes of one value of an imported form */

struct control_request {
	struct role_context *ctx;
	struct control_import *import;
	const char *actor;
	json_t *json;
	const char *reason; /* "" */
	int64_t application_id;
	int64_t request_id; /* of a mail; 0 */
	struct pool *pool;
	const char *why_ja; /* a refusal in words for staff; NULL */
	const char *done_ja; /* likewise what was done */
	int64_t notice_id; /* of a resend; 0 */
};

/* ---- answers ---- */

static void add_line(struct str *out, json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text) {
		str_addz(out, text);
		str_addc(out, '\n');
	}
	free(text);
	json_decref(json);
}

static const char *general_ja(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return "実行しました。";
	case RC_REFUSED:
		return "実行できませんでした。番号と状態を確認してください。";
	case RC_USAGE:
		return "指定に誤りがあります。";
	case RC_CONFIG:
		return "設定に問題があるため実行できませんでした。システム担当者へご連絡ください。";
	case RC_STORE:
		return "台帳に書き込めませんでした。システム担当者へご連絡ください。";
	case RC_SERVER:
		return "メールサーバーに接続できませんでした。";
	}
	return "";
}

static json_t *answer(enum rc rc, const char *message, const char *message_ja)
{
	return json_pack("{s:b, s:i, s:s, s:s}", "ok", rc == RC_OK, "rc", (int)rc, "message", message,
		"message_ja", message_ja ? message_ja : general_ja(rc));
}

/* ---- reading a request ---- */

static enum rc usage(struct err *err, const char *what)
{
	return err_set(err, RC_USAGE, "%s", what);
}

/* 0 when it is none. */
static int64_t read_declaration(const json_t *value)
{
	if (json_is_integer(value)) {
		char digits[24];
		(void)snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return ident_read_declaration(digits);
	}
	return json_is_string(value) ? ident_read_declaration(json_string_value(value)) : 0;
}

static enum rc find_application(struct control_request *request, struct err *err)
{
	const json_t *application = json_object_get(request->json, "application");
	const json_t *declaration = json_object_get(request->json, "declaration_id");
	if (!application == !declaration)
		return usage(err, "Name one application, by \"application\" or by \"declaration_id\".");
	if (application) {
		request->application_id = json_integer_value(application);
		return request->application_id > 0
			       ? RC_OK
			       : usage(err, "\"application\" must be a number from 1 on.");
	}
	int64_t id = read_declaration(declaration);
	if (!id)
		return usage(err, "\"declaration_id\" must be 10 or 11 digits that begin with 4 or 5.");
	struct application app;
	enum rc rc = application_by_declaration(request->ctx->office.store, id, &app, request->pool, err);
	if (rc == RC_REFUSED)
		request->why_ja = "その自己宣言IDの申込みは登録されていません。";
	request->application_id = rc ? 0 : app.id;
	return rc;
}

static enum rc read_reason(struct control_request *request, struct err *err)
{
	const json_t *reason = json_object_get(request->json, "reason");
	request->reason = "";
	if (!reason || json_is_null(reason))
		return RC_OK;
	if (!json_is_string(reason) || strlen(json_string_value(reason)) > REASON_MAX ||
		text_has_control(json_string_value(reason)))
		return usage(err, "\"reason\" must be one line of at most 2000 bytes.");
	request->reason = json_string_value(reason);
	return RC_OK;
}

/* ---- commands ---- */

static enum rc decide(struct control_request *request, enum decision_action action, struct err *err)
{
	return office_decide(&request->ctx->office, request->application_id, action, request->reason,
		request->actor, &request->why_ja, request->pool, err);
}

#define DECISION_COMMAND(name, action)                                                                       \
	static enum rc name(struct control_request *request, struct err *err)                                \
	{                                                                                                    \
		return decide(request, action, err);                                                         \
	}
DECISION_COMMAND(command_hold, DECISION_HOLD)
DECISION_COMMAND(command_release, DECISION_RELEASE)
DECISION_COMMAND(command_approve, DECISION_APPROVE)
DECISION_COMMAND(command_confirm, DECISION_CONFIRM)
DECISION_COMMAND(command_reject, DECISION_REJECT)
DECISION_COMMAND(command_withdraw, DECISION_WITHDRAW)

static enum rc command_stop(struct control_request *request, struct err *err)
{
	const json_t *on = json_object_get(request->json, "on");
	civil_day day = civil_day_of(clock_now(&request->ctx->clock));
	if (on) {
		day = json_is_string(on) ? civil_day_read(json_string_value(on)) : CIVIL_DAY_NONE;
		if (day == CIVIL_DAY_NONE)
			return usage(err, "\"on\" must be a day such as 2026-12-31.");
	}
	return office_stop(&request->ctx->office, request->application_id, day, request->reason,
		request->actor, &request->why_ja, request->pool, err);
}

static enum rc command_resend(struct control_request *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request->json, "template"));
	if (!name || !*name)
		return usage(err, "\"template\" must name the letter, such as \"id\" or \"logo\".");
	return office_resend(&request->ctx->office, request->application_id, name, request->actor,
		&request->notice_id, &request->why_ja, request->pool, err);
}

/* What became of it, in the words that staff find in the list. It is done by now, whether it can be told or not. */
static void tell_outcome(struct control_request *request)
{
	struct request resolved;
	struct err unread;
	if (request_get(request->ctx->office.store, request->request_id, &resolved, request->pool, &unread))
		return;
	request->application_id = resolved.application_id;
	request->done_ja = pool_printf(request->pool, "依頼%" PRId64 "（%s）: %s", resolved.id,
		request_state_name_ja(resolved.state), resolved.note);
}

/* {"command":"resolve","request":3,"action":"carry-out"}: a request by mail; with "application" or "declaration_id", "on", "reason" where wanted. */
static enum rc command_resolve(struct control_request *request, struct err *err)
{
	static const char *const names[] = {
		[REQUEST_CARRY_OUT] = "carry-out", [REQUEST_ASK] = "ask", [REQUEST_CLOSE] = "close"};
	const char *name = json_string_value(json_object_get(request->json, "action"));
	const json_t *on = json_object_get(request->json, "on");
	civil_day day = CIVIL_DAY_NONE;
	size_t action = 0;
	while (action < sizeof names / sizeof *names && !(name && strcmp(names[action], name) == 0))
		action++;
	if (action == sizeof names / sizeof *names)
		return usage(err, "\"action\" must be carry-out, ask or close.");
	if (on && !json_is_null(on)) {
		day = json_is_string(on) ? civil_day_read(json_string_value(on)) : CIVIL_DAY_NONE;
		if (day == CIVIL_DAY_NONE)
			return usage(err, "\"on\" must be a day such as 2026-12-31.");
	}
	request->request_id = json_integer_value(json_object_get(request->json, "request"));
	if (request->request_id < 1)
		return usage(err, "\"request\" must be a number from 1 on.");
	enum rc rc = RC_OK;
	if (json_object_get(request->json, "application") || json_object_get(request->json, "declaration_id"))
		rc = find_application(request, err);
	rc = rc ? rc
		: office_resolve(&request->ctx->office, request->request_id, (enum request_action)action,
			  request->application_id, day, request->reason, request->actor, &request->why_ja,
			  request->pool, err);
	if (rc == RC_OK)
		tell_outcome(request);
	return rc;
}

static enum rc command_release_ceiling(struct control_request *request, struct err *err)
{
	return office_release_ceiling(&request->ctx->office, request->actor, err);
}

static enum rc command_release_restored(struct control_request *request, struct err *err)
{
	return office_release_restored(&request->ctx->office, request->actor, err);
}

static enum rc command_ping(struct control_request *request, struct err *err)
{
	(void)request;
	(void)err;
	return RC_OK;
}

static enum rc command_import(struct control_request *request, struct err *err)
{
	(void)err;
	control_import_drop(request->import);
	request->import->running = true;
	return RC_OK;
}

static const struct command {
	const char *name;
	bool application; /* is about one */
	bool reason; /* must be given */
	enum rc (*run)(struct control_request *request, struct err *err);
} commands[] = {
	{"ping", false, false, command_ping},
	{"hold", true, true, command_hold},
	{"release", true, false, command_release},
	{"approve", true, false, command_approve},
	{"confirm", true, false, command_confirm},
	{"reject", true, true, command_reject},
	{"withdraw", true, false, command_withdraw},
	{"stop", true, false, command_stop},
	{"resend", true, false, command_resend},
	{"resolve", false, false, command_resolve},
	{"release-ceiling", false, false, command_release_ceiling},
	{"release-restored", false, false, command_release_restored},
	{"import", false, false, command_import},
};

static enum rc run_command(struct control_request *request, struct err *err)
{
	const char *name = json_string_value(json_object_get(request->json, "command"));
	const struct command *command = NULL;
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			command = &commands[i];
	if (!command)
		return usage(err, "There is no such command; see sengenctl(1).");
	enum rc rc = read_reason(request, err);
	if (!rc && command->reason && !*request->reason) {
		request->why_ja = "理由を書いてください。";
		rc = usage(err, "This command wants a \"reason\".");
	}
	if (!rc && command->application)
		rc = find_application(request, err);
	rc = rc ? rc : command->run(request, err);
	log_event(LEVEL_NOTICE, "control.command",
		"command=%s application=%" PRId64 " request=%" PRId64 " actor=\"%s\" rc=%s", name,
		request->application_id, request->request_id, request->actor, rc_name(rc));
	if (!rc)
		role_wake(request->ctx->settings, "scheduler");
	if (!rc && (command->application || request->request_id))
		role_wake(request->ctx->settings, "sender");
	return rc;
}

/* ---- import ---- */

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

static enum state read_state(const json_t *value)
{
	const char *name = json_string_value(value);
	for (int state = STATE_NONE + 1; name && state < STATE_COUNT; state++)
		if (strcmp(state_name((enum state)state), name) == 0)
			return (enum state)state;
	return STATE_NONE;
}

/* NULL: good; else what is wrong. */
static const char *read_form(json_t *object, struct form_values *form)
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
	struct mailaddr address;
	const char *mail = form->value[FIELD_MAIL];
	if (mail && *mail && mailaddr_read(&address, mail) != MAILADDR_OK)
		return "the mail address is not one";
	return NULL;
}

static const char *read_import(const json_t *object, struct import_row *row)
{
	*row = (struct import_row){0};
	const json_t *user = json_object_get(object, "user_number");
	row->declaration_id = read_declaration(json_object_get(object, "declaration_id"));
	if (!row->declaration_id)
		return "\"declaration_id\" must be 10 or 11 digits that begin with 4 or 5";
	if (json_is_integer(user))
		row->user_number = json_integer_value(user);
	else if (json_is_string(user) && *json_string_value(user)) {
		row->user_number = ident_read_user(json_string_value(user));
		if (!row->user_number)
			return "\"user_number\" must be 10 or 11 digits that begin with 9";
	}
	row->state = read_state(json_object_get(object, "state"));
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
	return read_form(json_object_get(object, "form"), &row->form);
}

static void refuse_row(struct control_import *import, int row, const char *message, struct str *out)
{
	import->refused++;
	json_t *json = answer(RC_REFUSED, message, "この行は取り込めませんでした。");
	(void)json_object_set_new(json, "row", json_integer(row));
	add_line(out, json);
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
		rc = office_import(&request->ctx->office, &row[i], request->actor, &is_known, err);
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
			refuse_row(import, at, fault, out);
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
			refuse_row(import, number[i], err->text, out);
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
	json_t *json = answer(rc,
		rc ? "Some declarations were refused; the others were taken over."
		   : "All declarations were taken over.",
		rc ? "取り込めなかった行があります。ほかの行は取り込みました。" : "取り込みました。");
	(void)json_object_set_new(json, "imported", json_integer(import->imported));
	(void)json_object_set_new(json, "known", json_integer(import->known));
	(void)json_object_set_new(json, "refused", json_integer(import->refused));
	add_line(out, json);
	log_event(LEVEL_NOTICE, "control.import", "imported=%d known=%d refused=%d actor=\"%s\"",
		import->imported, import->known, import->refused, request->actor);
	control_import_drop(import);
	role_wake(request->ctx->settings, "scheduler");
}

/* A line of a running import. */
static void import_line(struct control_request *request, struct str *out)
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
		rc = usage(&err, "In an import each line is {\"import\":{…}}, the last {\"end\":true}.");
	}
	if (!rc && (end || import->waiting_count == CONTROL_IMPORT_BATCH))
		rc = import_flush(request, out, &err);
	if (rc) {
		add_line(out, answer(rc, err.text, NULL));
		control_import_drop(import);
	} else if (end) {
		import_end(request, out);
	}
}

/* ---- the request ---- */

void control_request(struct role_context *ctx, struct control_import *import, const char *actor,
	const char *line, size_t len, struct str *out)
{
	struct err err = {0};
	json_error_t fault;
	struct control_request request = {.ctx = ctx,
		.import = import,
		.actor = actor,
		.json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault),
		.reason = "",
		.pool = pool_new()};
	if (!json_is_object(request.json)) {
		add_line(out, answer(RC_USAGE, "A request must be one JSON object on one line.", NULL));
		control_import_drop(import);
	} else if (import->running) {
		import_line(&request, out);
	} else {
		enum rc rc = run_command(&request, &err);
		json_t *json = answer(rc, rc ? err.text : "Done.", rc ? request.why_ja : request.done_ja);
		if (request.notice_id)
			(void)json_object_set_new(json, "notice", json_integer(request.notice_id));
		if (request.application_id)
			(void)json_object_set_new(json, "application", json_integer(request.application_id));
		if (request.request_id)
			(void)json_object_set_new(json, "request", json_integer(request.request_id));
		if (!import->running)
			add_line(out, json);
		else
			json_decref(json); /* an import is answered at its end */
	}
	json_decref(request.json);
	pool_free(&request.pool);
}
