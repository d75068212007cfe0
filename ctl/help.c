/*
 * help.c - what sengenctl says about its commands
 */
#include "ctl/ctl.h"

#include <stdio.h>

/* Marks a text for translation that is translated where it is printed. */
#define N_(text) text

static const char *const groups[HELP_COUNT] = {
	[HELP_LOOK] = N_("Looking"),
	[HELP_DECIDE] = N_("Deciding about an application or a request"),
	[HELP_PAUSE] = N_("Stopping and resuming the work"),
	[HELP_WRITE] = N_("Writing lists, reports and files"),
	[HELP_ADMINISTER] = N_("Administering"),
};

void print_usage(FILE *to)
{
	(void)fprintf(to, "%s\n", _("usage: sengenctl [-c FILE] [--json] COMMAND [ARGUMENTS]"));
	for (int group = 0; group < HELP_COUNT; group++) {
		bool first = true;
		for (const struct command *command = commands; command->name; command++) {
			if ((int)command->group != group)
				continue;
			if (first)
				(void)fprintf(to, "\n%s\n", _(groups[group]));
			first = false;
			(void)fprintf(to, "  %-14s  %s\n", command->name, _(command->help));
		}
	}
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

/* Whom one must ask for what one may not do. */
static void print_right(const struct command *command)
{
	if (command->right <= RIGHT_READ)
		return;
	printf("\n");
	printf(_("Needs the right \"%s\": members of the group that rights.%s names in the configuration."),
		i18n_japanese() ? right_name_ja(command->right) : right_name(command->right),
		right_name(command->right));
	printf("\n");
}

void print_command_help(const struct command *command)
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
	if (command->need == NEED_STORE || command->need == NEED_LOOK)
		print_option("--at TIME", NULL, _("look as of that moment (the register of a simulation)"));
	if (command->prints_data)
		print_option("--json", NULL, _("one JSON object a line"));
	print_right(command);
}

void print_group_help(const char *group)
{
	for (const struct command *command = command_in_group(group, NULL); command;) {
		print_command_help(command);
		command = command_in_group(group, command);
		if (command)
			printf("\n");
	}
}
