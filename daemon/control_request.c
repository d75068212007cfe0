#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/control_p.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define REASON_MAX 2000 /* bytes */

/* ---- answers ---- */

void control_answer_line(struct str *out, json_t *json)
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

json_t *control_answer(enum rc rc, const char *message, const char *message_ja)
{
	return json_pack("{s:b, s:i, s:s, s:s}", "ok", rc == RC_OK, "rc", (int)rc, "message", message,
		"message_ja", message_ja ? message_ja : general_ja(rc));
}

json_t *control_refuse_right(
	const struct settings *settings, const struct control_peer *peer, enum right wanted)
{
	const char *group = office_right_group(settings, wanted);
	bool exists = *group && getgrnam(group);
	struct str text = STR_INIT, text_ja = STR_INIT;
	str_printf(&text,
		"This wants the right \"%s\", which members of the group %s have%s. You (%s) are not one of "
		"them: ask one of them to do it, or the administrator to add you.",
		right_name(wanted), group, exists ? "" : " (this machine has no such group yet)",
		peer->actor);
	str_printf(&text_ja,
		"この操作には「%s」の権限が必要です。権限があるのは、グループ %s に入っている人です%s。"
		"あなた（%s）は入っていません。入っている人に頼むか、システム担当者にグループへの追加を依頼し"
		"てください。",
		right_name_ja(wanted), group, exists ? "" : "（このグループはまだ作られていません）",
		peer->actor);
	json_t *json = control_answer(RC_REFUSED, text.s, text_ja.s);
	str_free(&text);
	str_free(&text_ja);
	return json;
}

/* ---- reading a request ---- */

enum rc control_usage(struct err *err, const char *what)
{
	return err_set(err, RC_USAGE, "%s", what);
}

/* 0 when it is none. */
int64_t control_read_declaration(const json_t *value)
{
	if (json_is_integer(value)) {
		char digits[24];
		(void)snprintf(digits, sizeof digits, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return ident_read_declaration(digits);
	}
	return json_is_string(value) ? ident_read_declaration(json_string_value(value)) : 0;
}

enum rc control_find_application(struct control_request *request, struct err *err)
{
	const json_t *application = json_object_get(request->json, "application");
	const json_t *declaration = json_object_get(request->json, "declaration_id");
	if (!application == !declaration)
		return control_usage(
			err, "Name one application, by \"application\" or by \"declaration_id\".");
	if (application) {
		request->application_id = json_integer_value(application);
		return request->application_id > 0
			       ? RC_OK
			       : control_usage(err, "\"application\" must be a number from 1 on.");
	}
	int64_t id = control_read_declaration(declaration);
	if (!id)
		return control_usage(
			err, "\"declaration_id\" must be 10 or 11 digits that begin with 4 or 5.");
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
		return control_usage(err, "\"reason\" must be one line of at most 2000 bytes.");
	request->reason = json_string_value(reason);
	return RC_OK;
}

/* ---- commands ---- */

static enum rc command_ping(struct control_request *request, struct err *err)
{
	(void)request;
	(void)err;
	return RC_OK;
}

static const struct command {
	const char *name;
	enum right right; /* what it wants of the peer */
	bool application; /* is about one */
	bool reason; /* must be given */
	command_run *run;
} commands[] = {
	{"ping", RIGHT_READ, false, false, command_ping},
	{"hold", RIGHT_WORK, true, true, command_hold},
	{"release", RIGHT_WORK, true, false, command_release},
	{"approve", RIGHT_WORK, true, false, command_approve},
	{"confirm", RIGHT_WORK, true, false, command_confirm},
	{"reject", RIGHT_WORK, true, true, command_reject},
	{"withdraw", RIGHT_WORK, true, false, command_withdraw},
	{"stop", RIGHT_WORK, true, false, command_stop},
	{"resend", RIGHT_WORK, true, false, command_resend},
	{"correct", RIGHT_WORK, true, true, command_correct},
	{"move", RIGHT_WORK, true, true, command_move},
	{"undo", RIGHT_WORK, true, true, command_undo},
	{"resolve", RIGHT_WORK, false, false, command_resolve},
	{"release-ceiling", RIGHT_RELEASE, false, false, command_release_ceiling},
	{"release-batch", RIGHT_RELEASE, false, false, command_release_batch},
	{"release-restored", RIGHT_ADMINISTER, false, false, command_release_restored},
	{"pause", RIGHT_WORK, false, true, command_pause},
	{"resume", RIGHT_RELEASE, false, false, command_resume},
	{"purge", RIGHT_ADMINISTER, false, false, command_purge},
	{"erase", RIGHT_ADMINISTER, false, true, command_erase},
	{"record-list", RIGHT_WORK, false, false, command_record_list},
	{"import", RIGHT_ADMINISTER, false, false, command_import_begin},
};

/* A decision may let any of them go on. */
static void wake_all(const struct settings *settings)
{
	static const char *const waking[] = {"intake", "scheduler", "sender", "mailbox"};
	for (size_t i = 0; i < sizeof waking / sizeof *waking; i++)
		role_wake(settings, waking[i]);
}

/* *refusal: the answer, where the right to ask is lacking. */
static enum rc run_command(struct control_request *request, json_t **refusal, struct err *err)
{
	const char *name = json_string_value(json_object_get(request->json, "command"));
	const struct command *command = NULL;
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			command = &commands[i];
	if (!command)
		return control_usage(err, "There is no such command; see sengenctl(1).");
	if (request->peer->right < command->right) {
		log_event(LEVEL_NOTICE, "control.refused", "command=%s actor=\"%.*s\"", name,
			ACTOR_UID(request->actor));
		*refusal = control_refuse_right(request->ctx->settings, request->peer, command->right);
		return RC_REFUSED;
	}
	enum rc rc = read_reason(request, err);
	if (!rc && command->reason && !*request->reason) {
		request->why_ja = "理由を書いてください。";
		rc = control_usage(err, "This command wants a \"reason\".");
	}
	if (!rc && command->application)
		rc = control_find_application(request, err);
	rc = rc ? rc : command->run(request, err);
	log_event(LEVEL_NOTICE, "control.command",
		"command=%s application=%" PRId64 " request=%" PRId64 " actor=\"%.*s\" rc=%s", name,
		request->application_id, request->request_id, ACTOR_UID(request->actor), rc_name(rc));
	if (!rc && command->right > RIGHT_READ)
		wake_all(request->ctx->settings);
	return rc;
}

/* ---- the request ---- */

void control_request(struct role_context *ctx, struct control_import *import, const struct control_peer *peer,
	const char *line, size_t len, struct str *out)
{
	struct err err = {0};
	json_error_t fault;
	struct control_request request = {.ctx = ctx,
		.import = import,
		.peer = peer,
		.actor = peer->actor,
		.json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault),
		.reason = "",
		.pool = pool_new()};
	if (!json_is_object(request.json)) {
		control_answer_line(out,
			control_answer(RC_USAGE, "A request must be one JSON object on one line.", NULL));
		control_import_drop(import);
	} else if (import->running) {
		control_import_line(&request, out);
	} else {
		json_t *json = NULL;
		enum rc rc = run_command(&request, &json, &err);
		if (!json)
			json = control_answer(rc,
				rc             ? err.text
				: request.done ? request.done
					       : "Done.",
				rc ? request.why_ja : request.done_ja);
		if (request.notice_id)
			(void)json_object_set_new(json, "notice", json_integer(request.notice_id));
		if (request.waits_for_second)
			(void)json_object_set_new(json, "waits_for_second", json_true());
		if (request.application_id)
			(void)json_object_set_new(json, "application", json_integer(request.application_id));
		if (request.request_id)
			(void)json_object_set_new(json, "request", json_integer(request.request_id));
		if (!import->running)
			control_answer_line(out, json);
		else
			json_decref(json); /* an import is answered at its end */
	}
	json_decref(request.json);
	pool_free(&request.pool);
}
