/*
 * ctl.h - what the commands of sengenctl share
 *
 * main.c reads the command line by the table in commands.c, opens what the command needs, and runs it. A command's function returns the
 * exit code of the program; for anything but RC_OK it sets err, or leaves err->text empty when its own output has said everything.
 */
#ifndef SENGEN_CTL_H
#define SENGEN_CTL_H

#include <jansson.h>
#include <stdio.h>

#include "lib/base/i18n.h"
#include "lib/office/office.h"

enum need {
	NEED_NOTHING,
	NEED_SETTINGS,
	NEED_STORE, /* settings, the register opened for reading, and an office to ask */
	NEED_LOOK, /* the same with settings_load_lean(): what staff ask for all day should be there at once */
	NEED_SOCKET, /* settings, and the daemon's control socket (control_ask()) */
};

/* What a command is for: its place in the help. */
enum help_group {
	HELP_LOOK,
	HELP_DECIDE,
	HELP_PAUSE, /* 止める・再開 */
	HELP_WRITE, /* 書き出す */
	HELP_ADMINISTER,
	HELP_COUNT
};

#define OPTION_MAX 8

struct option_spec {
	const char *name; /* without the dashes */
	const char *argument; /* "DAY"; NULL: a flag; completion.c knows some of them */
	const char *help;
};

struct ctl;

struct command {
	const char *name; /* one word, or two: "review list" */
	const char *arguments; /* synopsis behind the name, in the words that completion.c knows */
	const char *help; /* one line */
	enum help_group group;
	enum right right; /* what it wants of whoever asks: the daemon decides, the help says it */
	enum need need;
	bool prints_data; /* knows --json */
	int least, most; /* arguments; most -1: any number */
	enum rc (*run)(struct ctl *ctl, struct err *err);
	struct option_spec option[OPTION_MAX];
};

/* ---- commands.c ---- */
extern const struct command commands[]; /* .name == NULL ends */
const struct command *command_find(const char *name); /* NULL: there is none */
/* The next command of two words that begins with that one, behind `after` (NULL: the first); NULL: there is no more. */
const struct command *command_in_group(const char *group, const struct command *after);

/* ---- help.c ---- */
void print_usage(FILE *to);
void print_command_help(const struct command *command);
void print_group_help(const char *group);

struct ctl {
	const char *config;
	const char *at; /* look as of that moment; NULL: now */
	const struct command *command;
	const char *group; /* first word of a command of two; NULL: none was given */
	bool json;
	char **argv; /* of main() */
	char **argument;
	int argument_count;
	const char *option[OPTION_MAX]; /* by place in the command's table; NULL: not given; "" for a flag */
	struct settings *settings;
	struct store *store;
	struct secrets secrets;
	struct clock clock;
	struct rng rng;
	struct office office;
	struct pool *pool; /* lives as long as the command */
};

/* The value of a command's own option; NULL: not given. */
const char *option_of(const struct ctl *ctl, const char *name);
/* A number of an option within bounds; fallback when it is not given. RC_USAGE. */
enum rc option_number(const struct ctl *ctl, const char *name, int64_t least, int64_t most, int64_t fallback,
	int64_t *out, struct err *err);
enum rc option_day(
	const struct ctl *ctl, const char *name, civil_day fallback, civil_day *out, struct err *err);

/* What a person names an application by: its number, or its declaration ID. One of both is set. RC_USAGE when it is neither. */
enum rc target_read(const char *text, int64_t *application_id, int64_t *declaration_id, struct err *err);
/* The number of a request (依頼番号). RC_USAGE. */
enum rc request_number(const char *text, int64_t *request_id, struct err *err);
/* The application so named, read from the register. */
enum rc target_get(struct ctl *ctl, const char *text, struct application *app, struct err *err);

/* ---- output.c ---- */

/* From now on user numbers, tokens and ZIP passwords are masked in whatever is printed. Not for commands that need no configuration: they print what stands in the
 * caller's own files, for scripts. mask: copied. */
void output_mask(const struct mask *mask);
/* A text as it may be shown; for what is not printed by the functions below. */
void output_text(struct str *out, const char *text);
/* One line on standard output; whatever could harm a terminal is made visible. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* One JSON object on a line; takes the object. */
void say_json(json_t *object);
/* Values for JSON: null for "not yet". */
json_t *json_day(civil_day day);
json_t *json_time(utc_time at);
json_t *json_text(const char *text); /* NULL and "" are null */
json_t *json_number(int64_t number); /* 0 is null */
/* "2026-11-22", "2026-11-22 09:30", "-" when there is none; in the pool. */
const char *day_text(struct ctl *ctl, civil_day day);
const char *time_text(struct ctl *ctl, utc_time at);
const char *masked_user_number(struct ctl *ctl, int64_t user_number);
/* What somebody wrote, with every user number in it masked; in the pool. NULL is "". */
const char *masked_text(struct ctl *ctl, const char *text);
const char *state_text(enum state state);
const char *event_text(enum event event);
const char *outbox_text(enum outbox_state state);
const char *hold_text(enum hold hold);
const char *request_kind_text(enum request_kind kind);
const char *request_state_text(enum request_state state);
const char *proof_text(enum proof proof);
/* The name of the next stage by the application's profile; "" when nothing comes next. */
const char *next_stage(const struct ctl *ctl, const struct application *app);

/* Rows that are printed in columns once all are there. */
struct table {
	struct strlist cell;
	int columns;
};
void table_add(struct table *table, const char *const *cell, size_t count); /* `columns` strings */
#define TABLE_ROW(table, ...)                                                                                \
	table_add((table), (const char *const[]){__VA_ARGS__},                                               \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))
void table_print(struct table *table); /* and releases it */

/* ---- show.c, requests.c, inspect.c: JSON of single things ---- */
json_t *application_json(struct ctl *ctl, const struct application *app);
json_t *form_json(const struct form_values *form);
json_t *request_json(struct ctl *ctl, const struct request *request);
/* {"kind","review","why","fields",…} of inspect. */
json_t *reading_json(const struct reading *reading);
/* The mail of a request as its reader left it; *there false: it could not be read, or was erased. */
enum rc received_get(struct ctl *ctl, int64_t message_id, struct received *out, bool *there, struct err *err);
/* What a filter finds, as a table or (into not NULL) appended as JSON; *count tells how many there were. */
enum rc requests_print(
	struct ctl *ctl, const struct request_filter *filter, json_t *into, int64_t *count, struct err *err);

/* ---- preview.c ---- */
/* A letter can be rendered without a secret being read: passwords are stars. */
void secrets_stand_in(struct ctl *ctl);

/* ---- control.c ---- */

/* Sends one request and prints the answer. Takes the request. RC_SERVER is not used: a daemon that is not there is RC_REFUSED. */
enum rc control_ask(struct ctl *ctl, json_t *request, struct err *err);
/* {"command":NAME,"application":12} or with "declaration_id", from the first argument. */
enum rc application_request(struct ctl *ctl, const char *name, json_t **request, struct err *err);
/* Adds what --reason says. A reason that must be given and is not: RC_USAGE. */
enum rc reason_add(struct ctl *ctl, json_t *request, bool required, struct err *err);

/* ---- the commands ---- */

enum rc command_status(struct ctl *ctl, struct err *err);
enum rc command_list(struct ctl *ctl, struct err *err);
enum rc command_search(struct ctl *ctl, struct err *err);
enum rc command_show(struct ctl *ctl, struct err *err);
enum rc command_why(struct ctl *ctl, struct err *err);
enum rc command_requests(struct ctl *ctl, struct err *err);
enum rc command_review_list(struct ctl *ctl, struct err *err);
enum rc command_review_show(struct ctl *ctl, struct err *err);
enum rc command_review_resolve(struct ctl *ctl, struct err *err);
enum rc command_batches(struct ctl *ctl, struct err *err);
enum rc command_plan(struct ctl *ctl, struct err *err);
enum rc command_decide(struct ctl *ctl, struct err *err); /* hold approve confirm reject withdraw */
enum rc command_stop(struct ctl *ctl, struct err *err);
enum rc command_release(struct ctl *ctl, struct err *err);
enum rc command_resend(struct ctl *ctl, struct err *err);
enum rc command_correct(struct ctl *ctl, struct err *err);
enum rc command_move(struct ctl *ctl, struct err *err);
enum rc command_undo(struct ctl *ctl, struct err *err);
enum rc command_import(struct ctl *ctl, struct err *err);
enum rc command_preview(struct ctl *ctl, struct err *err);
enum rc command_report(struct ctl *ctl, struct err *err);
enum rc command_proof(struct ctl *ctl, struct err *err);
enum rc command_publish(struct ctl *ctl, struct err *err);
enum rc command_published(struct ctl *ctl, struct err *err);
enum rc command_export(struct ctl *ctl, struct err *err);
enum rc command_check_config(struct ctl *ctl, struct err *err);
enum rc command_check_form(struct ctl *ctl, struct err *err);
enum rc command_inspect(struct ctl *ctl, struct err *err);
enum rc command_audit(struct ctl *ctl, struct err *err);
enum rc command_backup(struct ctl *ctl, struct err *err);
enum rc command_restore_check(struct ctl *ctl, struct err *err);
enum rc command_purge(struct ctl *ctl, struct err *err);
enum rc command_erase(struct ctl *ctl, struct err *err);
enum rc command_health(struct ctl *ctl, struct err *err);
enum rc command_metrics(struct ctl *ctl, struct err *err);
enum rc command_pause(struct ctl *ctl, struct err *err); /* and resume */
enum rc command_balance(struct ctl *ctl, struct err *err);
enum rc command_completion(struct ctl *ctl, struct err *err);

#endif
