/*
 * catalog: the events of the log in the forms that people read, from lib/base/log_events.def
 *
 * `catalog en` and `catalog ja` print a catalogue of the journal (systemd's catalog format), `catalog man` the list of sengen-events(7), `catalog names`
 * the names alone. Run by the build; the MESSAGE_IDs are those of log.c itself.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/str.h"

struct event_text {
	const char *name, *meaning, *remedy, *meaning_ja, *remedy_ja;
};
static const struct event_text events[] = {
#define EVENT(name, meaning, remedy, meaning_ja, remedy_ja) {name, meaning, remedy, meaning_ja, remedy_ja},
#include "lib/base/log_events.def"
#undef EVENT
};

static void print_entry(
	const struct event_text *event, const char *id, const char *meaning, const char *remedy)
{
	printf("-- %s\nSubject: sengen: %s\nDefined-By: sengen\nDocumentation: "
	       "man:sengen-events(7)\n\n%s\n%s\n\n@MESSAGE@\n\n",
		id, event->name, meaning, remedy);
}

static void print_journal(const struct event_text *event, const char *id)
{
	print_entry(event, id, event->meaning, event->remedy);
}

static void print_journal_ja(const struct event_text *event, const char *id)
{
	print_entry(event, id, event->meaning_ja, event->remedy_ja);
}

#define LINE_MAX_WIDTH 78

/* As mandoc(1) counts: a character beyond ASCII is written \[uXXXX]. */
static size_t mdoc_width(const char *word, size_t len)
{
	size_t width = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)word[i];
		width += byte < 0x80 ? 1 : byte >= 0xC0 ? 8 : 0;
	}
	return width;
}

/* mdoc(7) wants short lines, and each sentence on a line of its own. */
static void print_wrapped(const char *text)
{
	size_t column = 0;
	while (*text) {
		size_t len = strcspn(text, " "), width = mdoc_width(text, len);
		if (column && column + 1 + width > LINE_MAX_WIDTH)
			column = 0, putchar('\n');
		/* A dot or quote at the beginning of a line would be a request. */
		if (!column && (*text == '.' || *text == '\''))
			printf("\\&");
		printf("%s%.*s", column ? " " : "", (int)len, text);
		column += width + (column ? 1 : 0);
		if (text[len - 1] == '.' && text[len])
			column = 0, putchar('\n');
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_man(const struct event_text *event, const char *id)
{
	printf(".It Li %s\n", event->name);
	print_wrapped(event->meaning);
	print_wrapped(event->remedy);
	printf(".br\n.Li MESSAGE_ID=%s\n", id);
}

static void print_name(const struct event_text *event, const char *id)
{
	printf("%s %s\n", event->name, id);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(const struct event_text *event, const char *id);
	} forms[] = {
		{"en", print_journal}, {"ja", print_journal_ja}, {"man", print_man}, {"names", print_name}};
	for (size_t f = 0; argc == 2 && f < sizeof forms / sizeof *forms; f++) {
		if (strcmp(argv[1], forms[f].name) != 0)
			continue;
		for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
			struct str id = STR_INIT;
			log_message_id(&id, events[i].name);
			forms[f].print(&events[i], id.s);
			str_free(&id);
		}
		return fflush(stdout) == 0 ? 0 : 1;
	}
	(void)fprintf(stderr, "usage: catalog en|ja|man|names\n");
	return 2;
}
