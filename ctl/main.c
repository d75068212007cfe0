/*
 * sengenctl: the command of the office's staff and administrators. What it can do stands in one table (commands.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define DEFAULT_CONFIG "/etc/sengen/sengend.conf"
#define KEPT_KIB                                                                                             \
	1024 /* a command looks at most pages once: to keep more costs a page fault each, and saves no reading */

/* ---- the command line ---- */

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
	if (!ctl->settings)
		die("the register was to be opened before the settings were read");
	/* Whose host it is only a writer asks. */
	struct store_settings where = {
		.path = ctl->settings->store_path, .witness = ctl->settings->witness_path};
	enum rc rc = store_open(&ctl->store, &where, STORE_READ, err);
	if (rc != RC_OK)
		return rc;
	store_keep(ctl->store, KEPT_KIB);
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

/* Before anything of the register is printed. */
static enum rc set_masks(struct ctl *ctl, struct err *err)
{
	struct mask mask = {0};
	enum rc rc = ctl->store ? office_masks(&ctl->office, &mask, err) : RC_OK;
	output_mask(&mask);
	return rc;
}

static enum rc run(struct ctl *ctl, struct err *err)
{
	enum rc rc = RC_OK;
	if (!ctl->command)
		die("no command was chosen");
	const enum need need = ctl->command->need;
	if (need != NEED_NOTHING)
		rc = (need == NEED_LOOK ? settings_load_lean : settings_load)(
			&ctl->settings, ctl->config, err);
	if (rc == RC_OK && ctl->at)
		rc = set_clock(ctl, err);
	if (rc == RC_OK && (need == NEED_STORE || need == NEED_LOOK))
		rc = open_store(ctl, err);
	if (rc == RC_OK && need != NEED_NOTHING)
		rc = set_masks(ctl, err);
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

static void choose_language(void)
{
	if (!setlocale(LC_ALL, "")) {
		/* Japanese is wanted but the machine has no Japanese locale: C.UTF-8 is always there and honours LANGUAGE. */
		(void)setlocale(LC_ALL, "C.UTF-8");
		if (str_has_prefix(wanted_locale(), "ja"))
			(void)setenv("LANGUAGE", "ja", 1);
	}
	(void)setlocale(LC_NUMERIC, "C");
	i18n_bind();
}

int main(int argc, char **argv)
{
	struct err err = {0};
	struct ctl ctl = {.config = DEFAULT_CONFIG,
		.argv = argv,
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
		output_text(&text, err.text);
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
