/*
 * mutate.c - one small wrong at a time
 *
 *   mutate FILE.c      lists the places where a wrong can be put: "LINE KIND WAS NOW", counted from 1
 *   mutate FILE.c N    prints the file with the N-th of them
 *
 * The wrongs are those that a programmer makes: a comparison that takes or leaves the border, "and" for "or", a negation lost, one more or one less, the other
 * truth value, a call left out; in SQL texts the same. Comments, preprocessor lines, includes and other texts stay as they are.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/str.h"

struct wrong {
	const char *was, *now;
};

/* Longest first: "<=" is no "<". A `now` of NULL: what would be there if nothing were to be changed (keeps "->" and "<<" from being read as their parts). */
static const struct wrong in_code[] = {
	{"->", NULL},
	{"<<=", NULL},
	{">>=", NULL},
	{"<<", NULL},
	{">>", NULL},
	{"++", NULL},
	{"--", NULL},
	{"==", "!="},
	{"!=", "=="},
	{"<=", "<"},
	{">=", ">"},
	{"&&", "||"},
	{"||", "&&"},
	{"+=", "-="},
	{"-=", "+="},
	{" < ", " <= "},
	{" > ", " >= "},
	{" + ", " - "},
	{" - ", " + "},
	{"(!", "("},
	{" !", " "},
};
static const struct wrong in_sql[] = {
	{"<=", "<"},
	{">=", ">"},
	{"<>", "="},
	{" < ", " <= "},
	{" > ", " >= "},
	{" = ", " <> "},
	{" AND ", " OR "},
	{" OR ", " AND "},
	{" DESC", " ASC"},
	{"NOT NULL", "NULL"},
	{" IS NULL", " IS NOT NULL"},
	{" + 1", " + 2"},
};

struct place {
	size_t at, len; /* what is taken away */
	const char *now; /* what stands there instead */
	char was[32];
	size_t line;
	const char *kind;
};

static struct place *places;
static size_t count, room;

static void place_add(const char *text, size_t at, size_t len, const char *now, size_t line, const char *kind)
{
	if (count == room) {
		room = room ? room * 2 : 256;
		places = xrealloc(places, room * sizeof *places);
	}
	struct place *place = &places[count++];
	*place = (struct place){.at = at, .len = len, .now = now, .line = line, .kind = kind};
	size_t shown = len < sizeof place->was - 1 ? len : sizeof place->was - 1;
	memcpy(place->was, text + at, shown);
	for (char *c = place->was; *c; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
}

static bool word_at(const char *text, size_t at, const char *word)
{
	size_t len = strlen(word);
	return strncmp(text + at, word, len) == 0 && !isalnum((unsigned char)text[at + len]) &&
	       text[at + len] != '_' &&
	       (at == 0 || (!isalnum((unsigned char)text[at - 1]) && text[at - 1] != '_'));
}

/* The statements of a function that do nothing but call: "\tname(…);". */
static void calls_find(const char *text, size_t at, size_t line)
{
	size_t start = at;
	while (text[at] == '\t')
		at++;
	if (at == start || !islower((unsigned char)text[at]))
		return;
	size_t name = at;
	while (isalnum((unsigned char)text[at]) || text[at] == '_')
		at++;
	if (text[at] != '(' || word_at(text, name, "if") || word_at(text, name, "for") ||
		word_at(text, name, "while") || word_at(text, name, "switch") ||
		word_at(text, name, "return") || word_at(text, name, "sizeof"))
		return;
	/* What only releases memory or tells a log is no wrong that a test should see. */
	static const char *const quiet[] = {"free", "str_free", "strlist_free", "pool_free", "log_event"};
	for (size_t i = 0; i < sizeof quiet / sizeof *quiet; i++)
		if (word_at(text, name, quiet[i]))
			return;
	const char *end = strchr(text + at, ';');
	const char *block = strchr(text + at, '{');
	if (end && (!block || block > end))
		place_add(text, name, (size_t)(end - (text + name)), "", line, "call");
}

static bool sql_text(const char *text, size_t at, size_t end)
{
	static const char *const words[] = {
		"SELECT ", "WHERE ", "UPDATE ", "DELETE ", " AND ", "ORDER BY", "CHECK", "JOIN "};
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (memmem(text + at, end - at, words[i], strlen(words[i])))
			return true;
	return false;
}

static size_t wrongs_find(
	const char *text, size_t at, size_t line, const struct wrong *wrong, size_t wrongs, const char *kind)
{
	for (size_t i = 0; i < wrongs; i++)
		if (strncmp(text + at, wrong[i].was, strlen(wrong[i].was)) == 0) {
			if (wrong[i].now)
				place_add(text, at, strlen(wrong[i].was), wrong[i].now, line, kind);
			/* A blank that ends one may begin the next. */
			size_t len = strlen(wrong[i].was);
			return len > 1 && wrong[i].was[len - 1] == ' ' ? len - 1 : len;
		}
	return 0;
}

static size_t text_end(const char *text, size_t at) /* behind the closing quote */
{
	char quote = text[at++];
	while (text[at] && text[at] != quote)
		at += text[at] == '\\' ? 2 : 1;
	return at + 1;
}

static size_t number_find(const char *text, size_t at, size_t line)
{
	size_t end = at;
	while (isalnum((unsigned char)text[end]))
		end++;
	bool alone = at > 0 && !isalnum((unsigned char)text[at - 1]) && text[at - 1] != '_' &&
		     text[at - 1] != '.' && text[end] != '.';
	if (alone && end - at == 1 && text[at] != '0' && text[end] != ']')
		place_add(text, at, 1, text[at] == '1' ? "2" : "1", line, "number");
	else if (alone && end - at == 1 && text[at] == '0' && text[at - 1] == ' ' && text[end] != '}')
		place_add(text, at, 1, "1", line, "number");
	return end - at;
}

static void places_find(const char *text)
{
	size_t line = 1, at = 0;
	bool line_starts = true,
	     inside = false; /* inside: in the body of a function or initialiser, where a line is indented */
	while (text[at]) {
		if (line_starts) {
			line_starts = false;
			if (text[at] == '#')
				while (text[at] && text[at] != '\n')
					at += text[at] == '\\' && text[at + 1] == '\n' ? (line++, (size_t)2)
										       : 1;
			inside = text[at] == '\t';
			calls_find(text, at, line);
		}
		size_t step = 0;
		if (text[at] == '\n') {
			line++;
			line_starts = true;
		} else if (strncmp(text + at, "/*", 2) == 0) {
			const char *end = strstr(text + at + 2, "*/");
			for (const char *c = text + at; end && c < end; c++)
				line += *c == '\n';
			step = end ? (size_t)(end + 2 - (text + at)) : strlen(text + at);
		} else if (text[at] == '"' || text[at] == '\'') {
			size_t end = text_end(text, at);
			bool sql = text[at] == '"' && sql_text(text, at, end);
			for (size_t i = at; sql && i < end;) {
				size_t len = wrongs_find(
					text, i, line, in_sql, sizeof in_sql / sizeof *in_sql, "sql");
				i += len ? len : 1;
			}
			step = end - at;
		} else if (inside && isdigit((unsigned char)text[at])) {
			step = number_find(text, at, line);
		} else if (inside && (word_at(text, at, "true") || word_at(text, at, "false"))) {
			place_add(text, at, text[at] == 't' ? 4 : 5, text[at] == 't' ? "false" : "true", line,
				"truth");
			step = 4;
		} else if (inside) {
			step = wrongs_find(
				text, at, line, in_code, sizeof in_code / sizeof *in_code, "operator");
		}
		at += step ? step : 1;
	}
}

int main(int argc, char **argv)
{
	struct str text = STR_INIT;
	struct err err = {0};
	if (argc < 2 || file_read(&text, argv[1], 1 << 22, &err)) {
		(void)fprintf(stderr, "usage: mutate FILE.c [N] %s\n", err.text);
		return 2;
	}
	places_find(text.s);
	size_t wanted = argc > 2 ? (size_t)strtoul(argv[2], NULL, 10) : 0;
	if (wanted > count)
		return 1;
	if (wanted) {
		const struct place *place = &places[wanted - 1];
		(void)printf("%.*s%s%s", (int)place->at, text.s, place->now, text.s + place->at + place->len);
	}
	for (size_t i = 0; !wanted && i < count; i++)
		(void)printf(
			"%zu %s [%s] [%s]\n", places[i].line, places[i].kind, places[i].was, places[i].now);
	free(places);
	str_free(&text);
	return 0;
}
