/*
 * sengenctl: the command of the office's staff and administrators. One table of commands; everything else follows from it.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/host.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define DEFAULT_CONFIG "/etc/sengen/sengend.conf"

/* Marks a text for translation that is translated where it is printed. */
#define N_(text) text

#define REASON                                                                                               \
	{                                                                                                    \
		"reason", "TEXT", N_("why, in your own words; kept in the history")                          \
	}

const struct command commands[] = {
	{"status", "", N_("show how the office stands: applications, outbox, questions"), NEED_STORE, true, 0,
		0, command_status, {{0}}},
	{"list", "", N_("list applications"), NEED_STORE, true, 0, 0, command_list,
		{{"state", "STATE", N_("only in this state, such as received or id_issued")},
			{"held", NULL, N_("only those that staff hold")},
			{"review", NULL, N_("only those a person must decide")},
			{"overdue", NULL, N_("only those past their latest day")},
			{"live", NULL, N_("only live ones")},
			{"due", "DAY", N_("only those whose next notice is due by that day")},
			{"limit", "N", N_("at most so many")}}},
	{"show", N_("APPLICATION"), N_("show one application: form, history, notices"), NEED_STORE, true, 1,
		1, command_show, {{0}}},
	{"why", N_("APPLICATION"), N_("say what was sent, what comes next, and why nothing has come yet"),
		NEED_STORE, true, 1, 1, command_why, {{0}}},
	{"requests", "", N_("list what mails have asked for, and what became of it"), NEED_STORE, true, 0, 0,
		command_requests,
		{{"open", NULL, N_("only those that are not settled yet")},
			{"kind", "KIND", N_("only of this kind, such as stop-request or resend-request")},
			{"state", "STATE", N_("only in this state, such as review or done")},
			{"application", "APPLICATION", N_("only about this application")},
			{"limit", "N", N_("at most so many")}}},
	{"review list", "", N_("list the requests by mail that a person must decide"), NEED_STORE, true, 0, 0,
		command_review_list, {{"limit", "N", N_("at most so many")}}},
	{"review show", N_("REQUEST"),
		N_("show one request: the mail, what was read in it, what is on file, what can be done"),
		NEED_STORE, true, 1, 1, command_review_show,
		{{"raw", NULL, N_("the mail as it came, byte for byte (into a file)")}}},
	{"review resolve", N_("REQUEST ACTION"),
		N_("decide it: carry-out does it, ask has the registered address confirm it, close ends it "
		   "with "
		   "nothing done"),
		NEED_SOCKET, true, 2, 2, command_review_resolve,
		{{"application", "APPLICATION", N_("it is about this application")},
			{"on", "DAY", N_("a stop: on that day")}, REASON}},
	{"plan", "", N_("list the notices of the coming days"), NEED_STORE, true, 0, 0, command_plan,
		{{"days", "N", N_("so many days from today (default 14)")},
			{"from", "DAY", N_("first day (default today)")}, {"until", "DAY", N_("last day")},
			{"count", NULL, N_("only numbers a day")}}},
	{"hold", N_("APPLICATION [REASON]"), N_("stop the clock of an application"), NEED_SOCKET, true, 1, 2,
		command_decide, {REASON}},
	{"release", N_("[APPLICATION [REASON]]"),
		N_("let an application go on, or answer a question of the office"), NEED_SOCKET, true, 0, 2,
		command_release,
		{REASON, {"ceiling", NULL, N_("send what is due beyond the day's ceiling")},
			{"restored", NULL, N_("take over a restored register")}}},
	{"approve", N_("APPLICATION [REASON]"),
		N_("let a stage that waits, or a reviewed application, go on"), NEED_SOCKET, true, 1, 2,
		command_decide, {REASON}},
	{"confirm", N_("APPLICATION [REASON]"), N_("the mail address was confirmed by other means"),
		NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"reject", N_("APPLICATION [REASON]"), N_("refuse an application"), NEED_SOCKET, true, 1, 2,
		command_decide, {REASON}},
	{"withdraw", N_("APPLICATION [REASON]"), N_("the applicant withdraws, before an ID is issued"),
		NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"stop", N_("APPLICATION [REASON]"), N_("the declaration ends, today or on a day to come (B-3)"),
		NEED_SOCKET, true, 1, 2, command_stop, {REASON, {"on", "DAY", N_("on that day")}}},
	{"resend", N_("APPLICATION NOTICE"),
		N_("send a notice (receipt, id, logo) once more, to the registered address"), NEED_SOCKET,
		true, 2, 2, command_resend, {{0}}},
	{"import", N_("CSV"), N_("take over declarations the office already has; sends no mail; repeatable"),
		NEED_SOCKET, true, 1, 1, command_import, {{0}}},
	{"preview", N_("[APPLICATION]"), N_("show a notice as it would be sent"), NEED_STORE, true, 0, 1,
		command_preview,
		{{"notice", "NAME", N_("which notice (default: the next one)")},
			{"profile", "NAME", N_("of which profile, for sample data")},
			{"raw", NULL, N_("the mail as it goes over the wire")}}},
	{"check-config", "", N_("check the configuration and everything it names"), NEED_NOTHING, true, 0, 0,
		command_check_config, {{0}}},
	{"check-form", N_("FILE..."), N_("check form files; needs neither register nor configuration"),
		NEED_NOTHING, true, 1, -1, command_check_form,
		{{"registry", "CSV", N_("declarations on file, to judge duplicates and step-ups")}}},
	{"inspect", N_("FILE..."),
		N_("read mails as the mailbox would; needs neither register nor configuration"), NEED_NOTHING,
		true, 1, -1, command_inspect,
		{{"registry", "CSV", N_("declarations on file, to judge IDs and senders")},
			{"office", "ADDRESS", N_("the office's own address")}}},
	{"audit", "", N_("prove that nothing in the history was altered or cut"), NEED_STORE, true, 0, 0,
		command_audit, {{"head", "HASH", N_("a head noted earlier that must be in the history")}}},
	{0},
};

/* ---- help ---- */

static void print_usage(FILE *to)
{
	(void)fprintf(to, "%s\n\n", _("usage: sengenctl [-c FILE] [--json] COMMAND [ARGUMENTS]"));
	for (const struct command *command = commands; command->name; command++)
		(void)fprintf(to, "  %-14s %s\n", command->name, _(command->help));
	(void)fprintf(to, "\n%s\n",
		_("sengenctl COMMAND --help tells more about one command. An APPLICATION is named by its "
		  "number or its "
		  "declaration ID."));
}

static void print_option(const char *name, const char *argument, const char *help)
{
	char left[40];
	(void)snprintf(left, sizeof left, "%s%s%s", name, argument ? " " : "", argument ? argument : "");
	printf("  %-26s %s\n", left, help);
}

static void print_command_help(const struct command *command)
{
	printf("%s sengenctl %s%s%s\n\n%s\n\n", _("usage:"), command->name, *command->arguments ? " " : "",
		*command->arguments ? _(command->arguments) : "", _(command->help));
	for (int i = 0; i < OPTION_MAX && command->option[i].name; i++) {
		char name[24];
		(void)snprintf(name, sizeof name, "--%s", command->option[i].name);
		print_option(name, command->option[i].argument, _(command->option[i].help));
	}
	if (command->need != NEED_NOTHING || command->run == command_check_config)
		print_option("-c FILE", NULL, _("configuration (default /etc/sengen/sengend.conf)"));
	if (command->need == NEED_STORE)
		print_option("--at TIME", NULL, _("look as of that moment (the register of a simulation)"));
	if (command->prints_data)
		print_option("--json", NULL, _("one JSON object a line"));
}

/* ---- the command line ---- */

static const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* The next command of two words that begins with that one, behind `after` (NULL: the first); NULL: there is no more. */
static const struct command *command_in_group(const char *group, const struct command *after)
{
	size_t len = strlen(group);
	for (const struct command *command = after ? after + 1 : commands; command->name; command++)
		if (strncmp(command->name, group, len) == 0 && command->name[len] == ' ')
			return command;
	return NULL;
}

/* The first word of the command line that is no option, and where that names a group the second. */
static enum rc choose_command(struct ctl *ctl, const char *word, struct err *err)
{
	if (ctl->group) {
		char name[32];
		(void)snprintf(name, sizeof name, "%s %s", ctl->group, word);
		ctl->command = command_find(name);
	} else if (command_in_group(word, NULL)) {
		ctl->group = word;
		return RC_OK;
	} else {
		ctl->command = command_find(word);
	}
	if (ctl->command)
		return RC_OK;
	return ctl->group ? err_set(err, RC_USAGE, _("There is no command %s %s; see sengenctl %s --help."),
				    ctl->group, word, ctl->group)
			  : err_set(err, RC_USAGE, _("There is no command %s; see sengenctl --help."), word);
}

static void print_group_help(const char *group)
{
	for (const struct command *command = command_in_group(group, NULL); command;) {
		print_command_help(command);
		command = command_in_group(group, command);
		if (command)
			printf("\n");
	}
}

/* One of the command's own options. *at is moved over its value. */
static enum rc read_own_option(struct ctl *ctl, char **argv, int *at, struct err *err)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	for (int i = 0; i < OPTION_MAX && ctl->command->option[i].name; i++) {
		const struct option_spec *spec = &ctl->command->option[i];
		if (strlen(spec->name) != len || strncmp(spec->name, name, len) != 0)
			continue;
		if (!spec->argument && name[len])
			return err_set(err, RC_USAGE, _("The option --%s takes no value."), spec->name);
		if (!spec->argument)
			ctl->option[i] = "";
		else if (name[len])
			ctl->option[i] = name + len + 1;
		else if (argv[*at + 1])
			ctl->option[i] = argv[++*at];
		else
			return err_set(err, RC_USAGE, _("The option --%s wants a value."), spec->name);
		return RC_OK;
	}
	return err_set(err, RC_USAGE, _("%s has no option %s; see sengenctl %s --help."), ctl->command->name,
		argv[*at], ctl->command->name);
}

/* Options may stand before and behind the command and its arguments. *done: help or version was printed. */
static enum rc read_command_line(struct ctl *ctl, char **argv, bool *done, struct err *err)
{
	bool options = true, help = false;
	for (int i = 1; argv[i]; i++) {
		const char *word = argv[i];
		enum rc rc = RC_OK;
		if (options && strcmp(word, "--") == 0) {
			options = false;
		} else if (options && strcmp(word, "-c") == 0) {
			if (!argv[i + 1])
				return err_set(err, RC_USAGE, "%s", _("The option -c wants a file."));
			ctl->config = argv[++i];
		} else if (options && strcmp(word, "--at") == 0) {
			if (!argv[i + 1])
				return err_set(err, RC_USAGE, "%s", _("The option --at wants a moment."));
			ctl->at = argv[++i];
		} else if (options && strcmp(word, "--json") == 0) {
			ctl->json = true;
		} else if (options && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
			help = true;
		} else if (options && strcmp(word, "--version") == 0) {
			printf("sengenctl %s\n", SENGEN_VERSION);
			*done = true;
			return RC_OK;
		} else if (options && word[0] == '-' && word[1]) {
			if (!ctl->command || word[1] != '-')
				return err_set(err, RC_USAGE,
					_("There is no option %s; see sengenctl --help."), word);
			rc = read_own_option(ctl, argv, &i, err);
		} else if (!ctl->command) {
			rc = choose_command(ctl, word, err);
		} else {
			ctl->argument[ctl->argument_count++] = argv[i];
		}
		if (rc != RC_OK)
			return rc;
	}
	*done = help;
	if (help && ctl->command)
		print_command_help(ctl->command);
	else if (help && ctl->group)
		print_group_help(ctl->group);
	else if (help)
		print_usage(stdout);
	return RC_OK;
}

static enum rc check_arguments(const struct ctl *ctl, struct err *err)
{
	const struct command *command = ctl->command;
	if (!command && ctl->group)
		return err_set(err, RC_USAGE,
			_("The command %s wants another word; see sengenctl %s --help."), ctl->group,
			ctl->group);
	if (!command) {
		print_usage(stderr);
		err->text[0] = '\0';
		return RC_USAGE;
	}
	if (ctl->argument_count < command->least ||
		(command->most >= 0 && ctl->argument_count > command->most))
		return err_set(err, RC_USAGE, _("usage: sengenctl %s%s%s; sengenctl %s --help tells more"),
			command->name, *command->arguments ? " " : "",
			*command->arguments ? _(command->arguments) : "", command->name);
	return RC_OK;
}

/* ---- what a command needs ---- */

static enum rc open_store(struct ctl *ctl, struct err *err)
{
	struct str host = STR_INIT;
	if (!ctl->settings)
		die("the register was to be opened before the settings were read");
	host_identity(&host);
	struct store_settings where = {
		.path = ctl->settings->store_path, .witness = ctl->settings->witness_path, .host = host.s};
	enum rc rc = store_open(&ctl->store, &where, STORE_READ, err);
	str_free(&host);
	if (rc != RC_OK)
		return rc;
	ctl->office = (struct office){.store = ctl->store,
		.settings = ctl->settings,
		.secrets = &ctl->secrets,
		.clock = &ctl->clock,
		.rng = &ctl->rng};
	office_open(&ctl->office);
	return RC_OK;
}

/* After the settings, which know the zone. */
static enum rc set_clock(struct ctl *ctl, struct err *err)
{
	utc_time at;
	if (!civil_time_read(ctl->at, &at))
		return err_set(err, RC_USAGE, "%s", _("--at must be a moment such as \"2026-11-22 09:30\"."));
	ctl->clock = clock_virtual(at);
	return RC_OK;
}

static enum rc run(struct ctl *ctl, struct err *err)
{
	enum rc rc = RC_OK;
	if (!ctl->command)
		die("no command was chosen");
	if (ctl->command->need != NEED_NOTHING)
		rc = settings_load(&ctl->settings, ctl->config, err);
	if (rc == RC_OK && ctl->at)
		rc = set_clock(ctl, err);
	if (rc == RC_OK && ctl->command->need == NEED_STORE)
		rc = open_store(ctl, err);
	if (rc == RC_OK)
		rc = ctl->command->run(ctl, err);
	if (ctl->store) {
		office_close(&ctl->office);
		store_close(&ctl->store);
	}
	secrets_free(&ctl->secrets);
	settings_free(&ctl->settings);
	return rc;
}

/* ---- language ---- */

static const char *wanted_locale(void)
{
	static const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *value = getenv(names[i]);
		if (value && *value)
			return value;
	}
	return "";
}

/* Catalogues lie beside a program that was just built, and where an installed one has its data. */
static void choose_language(void)
{
	static char dir[PATH_MAX + 32];
	char self[PATH_MAX];
	struct stat st;
	if (!setlocale(LC_ALL, "")) {
		/* Japanese is wanted but the machine has no Japanese locale: C.UTF-8 is always there and honours LANGUAGE. */
		(void)setlocale(LC_ALL, "C.UTF-8");
		if (str_has_prefix(wanted_locale(), "ja"))
			(void)setenv("LANGUAGE", "ja", 1);
	}
	(void)setlocale(LC_NUMERIC, "C");
	ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
	self[len > 0 ? len : 0] = '\0';
	char *slash = strrchr(self, '/');
	if (!slash)
		return;
	*slash = '\0';
	(void)snprintf(dir, sizeof dir, "%s/locale", self);
	if (stat(dir, &st) != 0)
		(void)snprintf(dir, sizeof dir, "%s/../share/locale", self);
	(void)bindtextdomain("sengen", dir);
	(void)bind_textdomain_codeset("sengen", "UTF-8");
	(void)textdomain("sengen");
}

int main(int argc, char **argv)
{
	struct err err = {0};
	struct ctl ctl = {.config = DEFAULT_CONFIG,
		.clock = clock_system(),
		.rng = rng_system(),
		.argument = xcalloc((size_t)argc + 1, sizeof(char *)),
		.pool = pool_new()};
	bool done = false;
	choose_language();
	log_open("sengenctl", LEVEL_FAULT);

	enum rc rc = read_command_line(&ctl, argv, &done, &err);
	if (rc == RC_OK && !done) {
		rc = check_arguments(&ctl, &err);
		rc = rc ? rc : run(&ctl, &err);
	}
	if (rc != RC_OK && err.text[0]) {
		struct str text = STR_INIT;
		text_add_printable(&text, err.text);
		(void)fprintf(stderr, "sengenctl: %s\n", text.s);
		str_free(&text);
	}
	if (fflush(stdout) != 0 && rc == RC_OK) {
		(void)fprintf(stderr, "sengenctl: %s\n", _("The output could not be written."));
		rc = RC_STORE;
	}
	pool_free(&ctl.pool);
	free(ctl.argument);
	return (int)rc;
}
