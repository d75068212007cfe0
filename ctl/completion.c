/*
 * completion.c - a script that completes the words of sengenctl in bash, made from the table of commands
 *
 * The script needs nothing but bash itself (no bash-completion), and asks nobody: not the register, not the daemon.
 */
#include "ctl/ctl.h"

#include <ctype.h>
#include <string.h>

#include "lib/base/str.h"

/* ---- what a word of the table stands for ---- */

static void add_words(struct str *out, const char *words)
{
	str_printf(out, "%s%s", out->len ? " " : "", words);
}

static void add_states(struct str *out)
{
	for (int i = STATE_UNCONFIRMED; i < STATE_COUNT; i++)
		add_words(out, state_name((enum state)i));
}

static void add_request_states(struct str *out)
{
	for (int i = REQUEST_STATE_REVIEW; i < REQUEST_STATE_COUNT; i++)
		add_words(out, request_state_name((enum request_state)i));
}

static void add_kinds(struct str *out)
{
	for (int i = 0; i < REQUEST_KINDS; i++)
		add_words(out, request_kind_name((enum request_kind)i));
}

static void add_pauses(struct str *out)
{
	for (int i = PAUSE_INTAKE; i < PAUSE_COUNT; i++)
		add_words(out, pause_name((enum pause)i));
}

static void add_fields(struct str *out)
{
	for (int i = 0; i < FIELD_COUNT; i++) {
		add_words(out, form_field_key((enum form_field)i));
		str_addc(out, '=');
	}
}

static const struct {
	const char *name; /* as it stands in the table of commands */
	const char *words; /* "@file", "@directory" */
	void (*add)(struct str *out); /* where words is NULL */
} meanings[] = {
	{"FILE", "@file", NULL},
	{"CSV", "@file", NULL},
	{"DIRECTORY", "@directory", NULL},
	{"STATE", NULL, add_states},
	{"REQUEST-STATE", NULL, add_request_states},
	{"KIND", NULL, add_kinds},
	{"NOTICE", "receipt id logo confirm completion acceptance", NULL},
	{"PROFILE", "form site instant", NULL},
	{"ACTION", "carry-out ask close", NULL},
	{"WHAT", NULL, add_pauses},
	{"FIELD=VALUE", NULL, add_fields},
	{"SHELL", "bash", NULL},
};

/* The words that can stand for the first `len` bytes of name; "" where there are too many to list. */
static void add_meaning(struct str *out, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++) {
		if (strlen(meanings[i].name) != len || strncmp(meanings[i].name, name, len) != 0)
			continue;
		if (meanings[i].words)
			str_addz(out, meanings[i].words);
		else
			meanings[i].add(out);
	}
}

/* ---- the tables of the script ---- */

static void print_options(const struct command *command)
{
	struct str names = STR_INIT;
	for (int i = 0; i < OPTION_MAX && command->option[i].name; i++)
		str_printf(&names, "--%s ", command->option[i].name);
	str_addz(&names,
		(command->need == NEED_STORE || command->need == NEED_LOOK) ? "--at --help" : "--help");
	printf("\t[\"%s\"]=\"-c %s%s\"\n", command->name, names.s, command->prints_data ? " --json" : "");
	str_free(&names);
}

static void print_values(const struct command *command)
{
	for (int i = 0; i < OPTION_MAX && command->option[i].name; i++) {
		const struct option_spec *spec = &command->option[i];
		struct str words = STR_INIT;
		if (!spec->argument)
			continue;
		add_meaning(&words, spec->argument, strlen(spec->argument));
		printf("\t[\"%s --%s\"]=\"%s\"\n", command->name, spec->name, words.s);
		str_free(&words);
	}
}

/* "APPLICATION FIELD=VALUE..." is one word, then any number of the other. */
static void print_arguments(const struct command *command)
{
	int place = 1;
	for (const char *at = command->arguments; *at;) {
		at += strcspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
		size_t len = strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-=");
		struct str words = STR_INIT;
		add_meaning(&words, at, len);
		bool many = len && strncmp(at + len, "...", 3) == 0;
		if (words.len && many)
			printf("\t[\"%s *\"]=\"%s\"\n", command->name, words.s);
		else if (words.len)
			printf("\t[\"%s %d\"]=\"%s\"\n", command->name, place, words.s);
		str_free(&words);
		at += len;
		place++;
	}
}

/* The first words, each once; `second` true: the second words of each first word that has some. */
static void print_names(bool second)
{
	for (const struct command *command = commands; command->name; command++) {
		const char *blank = strchr(command->name, ' ');
		size_t len = blank ? (size_t)(blank - command->name) : strlen(command->name);
		bool known = false;
		for (const struct command *before = commands; before < command; before++)
			known |= strncmp(before->name, command->name, len) == 0 && before->name[len] == ' ';
		if (known || (second && !blank))
			continue;
		if (!second) {
			printf("%.*s ", (int)len, command->name);
			continue;
		}
		printf("\t[\"%.*s\"]=\"", (int)len, command->name);
		for (const struct command *other = command; other->name; other++)
			if (strncmp(other->name, command->name, len) == 0 && other->name[len] == ' ')
				printf("%s ", other->name + len + 1);
		printf("\"\n");
	}
}

static void print_table(const char *name, void (*print)(const struct command *command))
{
	printf("declare -gA _sengenctl_%s=(\n", name);
	for (const struct command *command = commands; command->name; command++)
		print(command);
	printf(")\n");
}

/* ---- the script ---- */

static const char script[] =
	"_sengenctl_reply()\n"
	"{\n"
	"\tcase $1 in\n"
	"\t@file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$2\") ;;\n"
	"\t@directory) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$2\") ;;\n"
	"\t*) mapfile -t COMPREPLY < <(compgen -W \"$1\" -- \"$2\") ;;\n"
	"\tesac\n"
	"\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace 2>/dev/null\n"
	"}\n"
	"_sengenctl()\n"
	"{\n"
	"\tlocal word=$2 previous=$3 group= command= place=1 i own\n"
	"\tCOMPREPLY=()\n"
	/* '=' parts words: --state=rec comes as three. */
	"\t[[ ${COMP_WORDS[COMP_CWORD]} != = ]] || previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
	"\t[[ $previous != = ]] || previous=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\town=${COMP_WORDS[i]}\n"
	"\t\tcase $own in\n"
	"\t\t= | -c | --at) ((i++)) ;;\n"
	"\t\t-*) [[ ! ${_sengenctl_values[\"$command $own\"]+x} || ${COMP_WORDS[i + 1]} == = ]] || ((i++)) "
	";;\n"
	"\t\t*)\n"
	"\t\t\tif [[ $command ]]; then\n"
	"\t\t\t\t((place++))\n"
	"\t\t\telif [[ ! $group && ${_sengenctl_second[$own]+x} ]]; then\n"
	"\t\t\t\tgroup=$own\n"
	"\t\t\telse\n"
	"\t\t\t\tcommand=${group:+$group }$own\n"
	"\t\t\tfi ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\tif [[ $previous == -c ]]; then\n"
	"\t\t_sengenctl_reply @file \"$word\"\n"
	"\telif [[ $command && ${_sengenctl_values[\"$command $previous\"]+x} ]]; then\n"
	"\t\t_sengenctl_reply \"${_sengenctl_values[\"$command $previous\"]}\" \"$word\"\n"
	"\telif [[ $word == -* && $command ]]; then\n"
	"\t\t_sengenctl_reply \"${_sengenctl_options[$command]-}\" \"$word\"\n"
	"\telif [[ $word == -* ]]; then\n"
	"\t\t_sengenctl_reply \"-c --json --at --help --version\" \"$word\"\n"
	"\telif [[ $command ]]; then\n"
	"\t\t_sengenctl_reply \"${_sengenctl_arguments[\"$command $place\"]-"
	"${_sengenctl_arguments[\"$command *\"]-}}\" \"$word\"\n"
	"\telif [[ $group ]]; then\n"
	"\t\t_sengenctl_reply \"${_sengenctl_second[$group]}\" \"$word\"\n"
	"\telse\n"
	"\t\t_sengenctl_reply \"$_sengenctl_first\" \"$word\"\n"
	"\tfi\n"
	"}\n"
	"complete -F _sengenctl sengenctl\n";

enum rc command_completion(struct ctl *ctl, struct err *err)
{
	if (strcmp(ctl->argument[0], "bash") != 0)
		return err_set(err, RC_USAGE, _("There is no completion for \"%s\"; there is one for bash."),
			ctl->argument[0]);
	printf("# Completion of sengenctl for bash; printed by: sengenctl completion bash\n");
	printf("_sengenctl_first=\"");
	print_names(false);
	printf("\"\ndeclare -gA _sengenctl_second=(\n");
	print_names(true);
	printf(")\n");
	print_table("options", print_options);
	print_table("values", print_values);
	print_table("arguments", print_arguments);
	(void)fputs(script, stdout);
	return RC_OK;
}
