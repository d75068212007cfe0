/*
 * control_p.h - what the pieces of the control socket share
 *
 * control.c has the clients, control_request.c the table of commands with the right each one wants. A command is a function over a
 * control_request: it fills in why_ja when it refuses, done_ja when there is more to say than that it was done.
 */
#ifndef SENGEN_CONTROL_P_H
#define SENGEN_CONTROL_P_H

#include "daemon/control.h"

struct control_request {
	struct role_context *ctx;
	struct control_import *import;
	const struct control_peer *peer;
	const char *actor; /* the peer's */
	json_t *json;
	const char *reason; /* "" */
	int64_t application_id;
	int64_t request_id; /* of a mail; 0 */
	struct pool *pool;
	const char *why_ja; /* a refusal in words for staff; NULL */
	const char *done; /* what was done, where "Done." is not enough; NULL */
	const char *done_ja; /* likewise, for staff */
	int64_t notice_id; /* of a resend; 0 */
	bool waits_for_second; /* noted, but it takes another person */
};

/* ---- control_request.c ---- */
void control_answer_line(struct str *out, json_t *json); /* takes json */
/* message_ja NULL: the general words for rc. */
json_t *control_answer(enum rc rc, const char *message, const char *message_ja);
/* The answer to whoever lacks a right: which group has it, and whom to ask. */
json_t *control_refuse_right(
	const struct settings *settings, const struct control_peer *peer, enum right wanted);
enum rc control_usage(struct err *err, const char *what); /* RC_USAGE */
/* "application" or "declaration_id" of the request. */
enum rc control_find_application(struct control_request *request, struct err *err);
/* The fields of a form: {key: value}, each one line of text. NULL: good; else what is wrong. */
const char *control_read_form(json_t *object, struct form_values *form);
enum state control_read_state(const json_t *value); /* STATE_NONE: it is none */
/* 0 when it is none. */
int64_t control_read_declaration(const json_t *value);

/* ---- control_decide.c ---- */
typedef enum rc command_run(struct control_request *request, struct err *err);
command_run command_hold, command_release, command_approve, command_confirm, command_reject, command_withdraw,
	command_stop, command_resend, command_resolve, command_correct, command_move, command_undo;

/* ---- control_office.c ---- */
command_run command_release_ceiling, command_release_batch, command_release_restored, command_pause,
	command_resume;

/* ---- control_erase.c ---- */
command_run command_purge, command_erase;
/* ---- control_publish.c ---- */
command_run command_record_list;

/* ---- control_import.c ---- */
command_run command_import_begin;
/* A line of a running import. */
void control_import_line(struct control_request *request, struct str *out);

#endif
