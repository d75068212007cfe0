/*
 * commands.c - the one table of what sengenctl can do
 *
 * Parsing, help, the check of the manual page and completion follow from it. A new command is a row: in the group of what it is for,
 * with the right it wants of whoever asks. What a word stands for says how it is completed (completion.c): FILE, CSV and DIRECTORY,
 * STATE, REQUEST-STATE, KIND, NOTICE, PROFILE, ACTION, WHAT, FIELD=VALUE.
 */
#include "ctl/ctl.h"

#include <stdio.h>
#include <string.h>

/* Marks a text for translation that is translated where it is printed. */
#define N_(text) text

#define REASON                                                                                               \
	{                                                                                                    \
		"reason", "TEXT", N_("why, in your own words; kept in the history")                          \
	}

const struct command commands[] = {
	{"status", "", N_("show how the office stands: applications, outbox, questions"), HELP_LOOK,
		RIGHT_READ, NEED_LOOK, true, 0, 0, command_status, {{0}}},
	{"list", "", N_("list applications"), HELP_LOOK, RIGHT_READ, NEED_LOOK, true, 0, 0, command_list,
		{{"state", "STATE", N_("only in this state, such as received or id_issued")},
			{"held", NULL, N_("only those that staff hold")},
			{"review", NULL, N_("only those a person must decide")},
			{"overdue", NULL, N_("only those past their latest day")},
			{"live", NULL, N_("only live ones")},
			{"due", "DAY", N_("only those whose next notice is due by that day")},
			{"limit", "N", N_("at most so many")}}},
	{"search", N_("TEXT..."),
		N_("find applications by name, person, address, mail, telephone or any number, "
		   "half-remembered too"),
		HELP_LOOK, RIGHT_READ, NEED_LOOK, true, 1, -1, command_search,
		{{"limit", "N", N_("at most so many (default 20)")},
			{"before", "N",
				N_("only those numbered below that: the next ones of a long result")}}},
	{"show", N_("APPLICATION"), N_("show one application: form, history, notices"), HELP_LOOK, RIGHT_READ,
		NEED_STORE, true, 1, 1, command_show, {{0}}},
	{"why", N_("APPLICATION"), N_("say what was sent, what comes next, and why nothing has come yet"),
		HELP_LOOK, RIGHT_READ, NEED_LOOK, true, 1, 1, command_why, {{0}}},
	{"requests", "", N_("list what mails have asked for, and what became of it"), HELP_LOOK, RIGHT_READ,
		NEED_LOOK, true, 0, 0, command_requests,
		{{"open", NULL, N_("only those that are not settled yet")},
			{"kind", "KIND", N_("only of this kind, such as stop-request or resend-request")},
			{"state", "REQUEST-STATE", N_("only in this state, such as review or done")},
			{"application", "APPLICATION", N_("only about this application")},
			{"limit", "N", N_("at most so many")}}},
	{"review list", "", N_("list the requests by mail that a person must decide"), HELP_LOOK, RIGHT_READ,
		NEED_STORE, true, 0, 0, command_review_list, {{"limit", "N", N_("at most so many")}}},
	{"review show", N_("REQUEST"),
		N_("show one request: the mail, what was read in it, what is on file, what can be done"),
		HELP_LOOK, RIGHT_READ, NEED_STORE, true, 1, 1, command_review_show,
		{{"raw", NULL, N_("the mail as it came, byte for byte (into a file)")}}},
	{"batches", "", N_("list what waits to be released, with the number of mails and three samples"),
		HELP_LOOK, RIGHT_READ, NEED_STORE, true, 0, 0, command_batches, {{0}}},
	{"plan", "", N_("list the notices of the coming days"), HELP_LOOK, RIGHT_READ, NEED_STORE, true, 0, 0,
		command_plan,
		{{"days", "N", N_("so many days from today (default 14)")},
			{"from", "DAY", N_("first day (default today)")}, {"until", "DAY", N_("last day")},
			{"count", NULL, N_("only numbers a day")}}},
	{"balance", "", N_("balance the books: archived inputs, register and the transport's own log"),
		HELP_LOOK, RIGHT_READ, NEED_STORE, true, 0, 0, command_balance, {{0}}},
	{"preview", N_("[APPLICATION]"), N_("show a notice as it would be sent"), HELP_LOOK, RIGHT_READ,
		NEED_STORE, true, 0, 1, command_preview,
		{{"notice", "NOTICE", N_("which notice (default: the next one)")},
			{"profile", "PROFILE", N_("of which profile, for sample data")},
			{"raw", NULL, N_("the mail as it goes over the wire")}}},
	{"report", N_("[DIRECTORY]"), N_("write the page of the office's state for the desk"), HELP_WRITE,
		RIGHT_READ, NEED_STORE, false, 0, 1, command_report, {{0}}},
	{"proof", N_("APPLICATION"),
		N_("write what was sent to a declaration and when, as a page to hand in"), HELP_WRITE,
		RIGHT_READ, NEED_STORE, false, 1, 1, command_proof,
		{{"output", "FILE", N_("into this file instead of standard output")},
			{"text", NULL, N_("as text")}}},
	{"published", N_("APPLICATION"),
		N_("show what the public lists said of it, and from when until when"), HELP_LOOK, RIGHT_READ,
		NEED_STORE, true, 1, 1, command_published, {{0}}},
	{"check-form", N_("FILE..."), N_("check form files; needs neither register nor configuration"),
		HELP_LOOK, RIGHT_NONE, NEED_NOTHING, true, 1, -1, command_check_form,
		{{"registry", "CSV", N_("declarations on file, to judge duplicates and step-ups")}}},
	{"inspect", N_("FILE..."),
		N_("read mails as the mailbox would; needs neither register nor configuration"), HELP_LOOK,
		RIGHT_NONE, NEED_NOTHING, true, 1, -1, command_inspect,
		{{"registry", "CSV", N_("declarations on file, to judge IDs and senders")},
			{"office", "ADDRESS", N_("the office's own address")}}},
	{"hold", N_("APPLICATION [REASON]"), N_("stop the clock of an application"), HELP_DECIDE, RIGHT_WORK,
		NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"release", N_("[APPLICATION [REASON]]"),
		N_("let an application go on, or answer a question of the office"), HELP_DECIDE, RIGHT_WORK,
		NEED_SOCKET, true, 0, 2, command_release,
		{REASON, {"ceiling", NULL, N_("send what is due beyond the day's ceiling")},
			{"batch", "N",
				N_("send a batch that waits for a person; look at it first: sengenctl "
				   "batches")},
			{"restored", NULL, N_("take over a restored register")}}},
	{"approve", N_("APPLICATION [REASON]"),
		N_("let a stage that waits, or a reviewed application, go on"), HELP_DECIDE, RIGHT_WORK,
		NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"confirm", N_("APPLICATION [REASON]"), N_("the mail address was confirmed by other means"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"reject", N_("APPLICATION [REASON]"), N_("refuse an application"), HELP_DECIDE, RIGHT_WORK,
		NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"withdraw", N_("APPLICATION [REASON]"), N_("the applicant withdraws, before an ID is issued"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 1, 2, command_decide, {REASON}},
	{"stop", N_("APPLICATION [REASON]"), N_("the declaration ends, today or on a day to come (B-3)"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 1, 2, command_stop,
		{REASON, {"on", "DAY", N_("on that day")}}},
	{"resend", N_("APPLICATION NOTICE"),
		N_("send a notice (receipt, id, logo) once more, to the registered address"), HELP_DECIDE,
		RIGHT_WORK, NEED_SOCKET, true, 2, 2, command_resend,
		{{"anew", NULL, N_("made anew with the values of today, instead of the first letter again")},
			REASON}},
	{"correct", N_("APPLICATION FIELD=VALUE..."),
		N_("correct fields of the form; what still waits to be sent is made anew"), HELP_DECIDE,
		RIGHT_WORK, NEED_SOCKET, true, 2, -1, command_correct, {REASON}},
	{"move", N_("APPLICATION STATE"),
		N_("do the next stage now, before its day (STATE: id_issued or logo_authorized)"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 2, 2, command_move, {REASON}},
	{"undo", N_("APPLICATION"), N_("take the last change of state back, where nobody was told of it"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 1, 1, command_undo, {REASON}},
	{"review resolve", N_("REQUEST ACTION"),
		N_("decide it: carry-out does it, ask has the registered address confirm it, close ends it "
		   "with "
		   "nothing done"),
		HELP_DECIDE, RIGHT_WORK, NEED_SOCKET, true, 2, 2, command_review_resolve,
		{{"application", "APPLICATION", N_("it is about this application")},
			{"on", "DAY", N_("a stop: on that day")}, REASON}},
	{"pause", N_("WHAT..."),
		N_("stop a part of the work: intake, deciding, sending or reading; the rest goes on"),
		HELP_PAUSE, RIGHT_WORK, NEED_SOCKET, true, 1, 4, command_pause, {REASON}},
	{"resume", N_("WHAT..."), N_("let a part of the work go on that was paused"), HELP_PAUSE,
		RIGHT_RELEASE, NEED_SOCKET, true, 1, 4, command_pause, {REASON}},
	{"publish", N_("[DIRECTORY]"),
		N_("write the public lists: CSV, search page and PDF, or only those that are named"),
		HELP_WRITE, RIGHT_WORK, NEED_STORE, false, 0, 1, command_publish,
		{{"csv", NULL, N_("the CSV")}, {"html", NULL, N_("the search page")},
			{"pdf", NULL, N_("the PDF")}}},
	{"export", N_("FILE"), N_("write the register as a CSV for a spreadsheet, for the desk itself"),
		HELP_WRITE, RIGHT_READ, NEED_STORE, false, 1, 1, command_export,
		{{"state", "STATE", N_("only in this state, such as received or id_issued")},
			{"live", NULL, N_("only live ones")},
			{"columns", "LIST", N_("only these columns, with commas between")}}},
	{"import", N_("CSV"), N_("take over declarations the office already has; sends no mail; repeatable"),
		HELP_ADMINISTER, RIGHT_ADMINISTER, NEED_SOCKET, true, 1, 1, command_import, {{0}}},
	{"check-config", "", N_("check the configuration and everything it names"), HELP_ADMINISTER,
		RIGHT_NONE, NEED_NOTHING, true, 0, 0, command_check_config, {{0}}},
	{"audit", "", N_("prove that nothing in the history was altered or cut"), HELP_ADMINISTER, RIGHT_READ,
		NEED_LOOK, true, 0, 0, command_audit,
		{{"head", "HASH", N_("a head noted earlier that must be in the history")}}},
	{"backup", N_("FILE"),
		N_("copy the register into a new file while the daemon goes on, and check the copy"),
		HELP_ADMINISTER, RIGHT_ADMINISTER, NEED_STORE, true, 1, 1, command_backup, {{0}}},
	{"restore-check", N_("FILE"),
		N_("check a copy of the register: is it whole, what is missing in it, what would it send"),
		HELP_ADMINISTER, RIGHT_ADMINISTER, NEED_SETTINGS, true, 1, 1, command_restore_check, {{0}}},
	{"purge", "", N_("erase what is past its retention now; --preview lists it, and what is passed over"),
		HELP_ADMINISTER, RIGHT_ADMINISTER, NEED_STORE, true, 0, 0, command_purge,
		{{"preview", NULL, N_("only list")},
			{"limit", "N", N_("at most so many of those passed over")}}},
	{"erase", N_("[APPLICATION]"), N_("erase the personal data of an applicant for good"),
		HELP_ADMINISTER, RIGHT_ADMINISTER, NEED_STORE, true, 0, 1, command_erase,
		{{"preview", NULL, N_("only count what would go")}, REASON,
			{"mail", "N", N_("only this received mail, which is about no application")}}},
	{"health", "", N_("say whether all is well, and what to do where it is not"), HELP_ADMINISTER,
		RIGHT_READ, NEED_LOOK, true, 0, 0, command_health,
		{{"quiet", NULL, N_("only what is not good")}}},
	{"metrics", "", N_("print counters and checks for Prometheus"), HELP_ADMINISTER, RIGHT_READ,
		NEED_LOOK, false, 0, 0, command_metrics, {{0}}},
	{"completion", N_("SHELL"), N_("print what completes commands and their words in a shell (bash)"),
		HELP_ADMINISTER, RIGHT_NONE, NEED_NOTHING, false, 1, 1, command_completion, {{0}}},
	{0},
};

const struct command *command_find(const char *name)
{
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0)
			return command;
	return NULL;
}

/* The next command of two words that begins with that one, behind `after` (NULL: the first); NULL: there is no more. */
const struct command *command_in_group(const char *group, const struct command *after)
{
	size_t len = strlen(group);
	for (const struct command *command = after ? after + 1 : commands; command->name; command++)
		if (strncmp(command->name, group, len) == 0 && command->name[len] == ' ')
			return command;
	return NULL;
}
