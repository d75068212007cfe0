#include "lib/base/conf.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libconfig.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

#define FILE_LIMIT (4u * 1024 * 1024)
#define INCLUDE_DEPTH 8

const char conf_null[] = "";

/* ---- the text that libconfig gets ----
 *
 * libconfig 1.5 reads 3000000000 as a negative int and reports success, and looks for included files in one
 * directory. So the files are put together here: comments and strings pass as they are, each whole number
 * becomes a 64-bit one, and each line remembers where it came from. */

struct place {
	const char *file; /* in source.files, or the caller's name */
	int line;
};

struct source {
	struct str text;
	struct place *place; /* of each line of text, from 0 */
	size_t place_count, place_size;
	struct strlist files;
	struct err *err;
};

struct cursor {
	struct source *source;
	const char *at, *end;
	struct place place;
	int depth;
};

static void mark_line(struct source *source, struct place place)
{
	if (source->place_count == source->place_size) {
		source->place_size = source->place_size ? source->place_size * 2 : 256;
		source->place = xrealloc(source->place, source->place_size * sizeof *source->place);
	}
	source->place[source->place_count++] = place;
}

static void take(struct cursor *cursor)
{
	char c = *cursor->at++;
	str_addc(&cursor->source->text, c);
	if (c == '\n') {
		cursor->place.line++;
		mark_line(cursor->source, cursor->place);
	}
}

static void take_until(struct cursor *cursor, const char *end)
{
	while (cursor->at < end)
		take(cursor);
}

static enum rc source_error(const struct cursor *cursor, const char *what)
{
	return err_set(
		cursor->source->err, RC_CONFIG, "%s:%d: %s", cursor->place.file, cursor->place.line, what);
}

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-' || c == '*';
}

static void take_comment(struct cursor *cursor)
{
	const char *end;
	if (cursor->at[0] == '/' && cursor->at[1] == '*') {
		end = strstr(cursor->at + 2, "*/");
		end = end ? end + 2 : cursor->end;
	} else {
		end = strchrnul(cursor->at, '\n');
	}
	take_until(cursor, end);
}

static const char *string_end(const char *at)
{
	for (at++; *at && *at != '"'; at++)
		if (*at == '\\' && at[1])
			at++;
	return *at ? at + 1 : at;
}

static enum rc take_number(struct cursor *cursor)
{
	const char *digits = cursor->at + (*cursor->at == '-' || *cursor->at == '+');
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	const char *end = digits + (hex ? 2 : 0);
	end += strspn(end, hex ? "0123456789abcdefABCDEF" : "0123456789");
	if (!hex && (*end == '.' || *end == 'e' || *end == 'E')) {
		take_until(cursor, end + strspn(end, "0123456789.eE+-"));
		return RC_OK;
	}
	errno = 0;
	long long number = strtoll(cursor->at, NULL, hex ? 16 : 10);
	if (errno == ERANGE)
		return source_error(cursor, "the number is beyond 64 bits.");
	str_printf(&cursor->source->text, "%lldL", number);
	while (*end == 'L')
		end++;
	cursor->at = end;
	return RC_OK;
}

static enum rc source_add_file(struct source *source, const char *path, int depth);

/* @include "file": relative to the file it stands in. */
static enum rc take_include(struct cursor *cursor)
{
	const char *name = cursor->at + strlen("@include");
	name += strspn(name, " \t");
	const char *end = *name == '"' ? strchr(name + 1, '"') : NULL;
	if (!end)
		return source_error(cursor, "@include wants a file name in quotes.");
	if (cursor->depth >= INCLUDE_DEPTH)
		return source_error(cursor, "files include each other too deeply; look for a circle.");

	struct str path = STR_INIT, base = STR_INIT;
	const char *slash = strrchr(cursor->place.file, '/');
	str_add(&base, name + 1, (size_t)(end - name - 1));
	if (base.s[0] != '/' && slash)
		str_add(&path, cursor->place.file, (size_t)(slash - cursor->place.file + 1));
	str_addz(&path, base.s);
	enum rc rc = source_add_file(cursor->source, path.s, cursor->depth + 1);
	if (rc != RC_OK && !strstr(cursor->source->err->text, path.s))
		(void)err_prefix(cursor->source->err, "%s:%d", cursor->place.file, cursor->place.line);
	str_free(&path);
	str_free(&base);
	cursor->at = end + 1;
	str_addc(&cursor->source->text, '\n');
	mark_line(cursor->source, cursor->place);
	return rc;
}

static enum rc source_add_text(
	struct source *source, const char *text, size_t len, const char *name, int depth)
{
	struct cursor cursor = {
		.source = source, .at = text, .end = text + len, .place = {name, 1}, .depth = depth};
	if (source->place_count > 0)
		str_addc(&source->text, '\n');
	mark_line(source, cursor.place);
	if (strlen(text) != len)
		return err_set(
			source->err, RC_CONFIG, "%s: there is a NUL byte in it; it is no text file.", name);
	if (!utf8_valid(text, len))
		return err_set(source->err, RC_CONFIG, "%s: it is not UTF-8; save it as UTF-8.", name);
	if (str_has_prefix(text, "\xEF\xBB\xBF"))
		cursor.at += 3;

	enum rc rc = RC_OK;
	while (rc == RC_OK && cursor.at < cursor.end) {
		char c = *cursor.at;
		char next = cursor.at[1];
		if (c == '#' || (c == '/' && (next == '/' || next == '*'))) {
			take_comment(&cursor);
		} else if (c == '"') {
			take_until(&cursor, string_end(cursor.at));
		} else if (c == '@' && str_has_prefix(cursor.at, "@include")) {
			rc = take_include(&cursor);
		} else if ((c >= '0' && c <= '9') || ((c == '-' || c == '+') && next >= '0' && next <= '9')) {
			rc = take_number(&cursor);
		} else if (is_word_char(c)) {
			while (is_word_char(*cursor.at))
				take(&cursor);
		} else {
			take(&cursor);
		}
	}
	return rc;
}

static enum rc source_add_file(struct source *source, const char *path, int depth)
{
	struct str text = STR_INIT;
	strlist_add(&source->files, path);
	const char *name = source->files.item[source->files.count - 1];
	/* Links are followed: administrators lay configuration out as links. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return err_set(
			source->err, RC_CONFIG, "%s: it could not be opened: %s.", path, errno_text(errno));
	enum rc rc = file_read_fd(&text, fd, FILE_LIMIT, source->err);
	(void)close(fd);
	if (rc != RC_OK) {
		(void)err_prefix(source->err, "%s", path);
		rc = source->err->rc = RC_CONFIG;
	} else {
		rc = source_add_text(source, text.s, text.len, name, depth);
	}
	str_free(&text);
	return rc;
}

static void source_free(struct source *source)
{
	str_free(&source->text);
	strlist_free(&source->files);
	free(source->place);
}

/* ---- reading by the table ---- */

struct reader {
	const struct source *source;
	struct err *err;
};

static struct place place_of(const struct source *source, unsigned line)
{
	if (line > 0 && line <= source->place_count)
		return source->place[line - 1];
	return source->place[0];
}

static enum rc setting_error(const struct reader *reader, const config_setting_t *setting, const char *format,
	...) __attribute__((format(printf, 3, 4)));

static enum rc setting_error(
	const struct reader *reader, const config_setting_t *setting, const char *format, ...)
{
	struct str what = STR_INIT;
	va_list args;
	va_start(args, format);
	str_vprintf(&what, format, args);
	va_end(args);
	struct place place = place_of(reader->source, config_setting_source_line(setting));
	enum rc rc = err_set(reader->err, RC_CONFIG, "%s:%d: %s", place.file, place.line, what.s);
	str_free(&what);
	return rc;
}

static const char *type_name(int type)
{
	switch (type) {
	case CONFIG_TYPE_GROUP:
		return "a group";
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		return "a whole number";
	case CONFIG_TYPE_FLOAT:
		return "a number with a fraction";
	case CONFIG_TYPE_STRING:
		return "a string";
	case CONFIG_TYPE_BOOL:
		return "true or false";
	default:
		return "a list";
	}
}

static const char *wanted_type(enum conf_type type)
{
	static const char *const names[] = {
		[CONF_BOOL] = "true or false",
		[CONF_INT] = "a whole number",
		[CONF_INT32] = "a whole number",
		[CONF_FLOAT] = "a number",
		[CONF_STRING] = "a string in quotes",
		[CONF_CHOICE] = "a string in quotes",
		[CONF_LIST] = "a list of strings ( \"…\", \"…\" )",
		[CONF_GROUP] = "a group { … }",
		[CONF_GROUPS] = "a list of groups ( { … }, { … } )",
	};
	return names[type];
}

static bool type_fits(enum conf_type want, int type)
{
	switch (want) {
	case CONF_BOOL:
		return type == CONFIG_TYPE_BOOL;
	case CONF_INT:
	case CONF_INT32:
		return type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	case CONF_FLOAT:
		return type == CONFIG_TYPE_FLOAT || type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64;
	case CONF_STRING:
	case CONF_CHOICE:
		return type == CONFIG_TYPE_STRING;
	case CONF_LIST:
		return type == CONFIG_TYPE_LIST || type == CONFIG_TYPE_ARRAY;
	case CONF_GROUP:
		return type == CONFIG_TYPE_GROUP;
	case CONF_GROUPS:
		return type == CONFIG_TYPE_LIST;
	case CONF_LINE:
		return false;
	}
	return false;
}

/* The place in the struct that a key fills. */
static void *field_of(const struct conf_key *key, void *base)
{
	return (char *)base + key->offset;
}

static bool in_range(const struct conf_key *key, double number)
{
	if (key->min == 0 && key->max == 0)
		return true;
	return number >= (double)key->min && number <= (double)key->max;
}

static int choice_of(const struct conf_key *key, const char *text)
{
	for (int i = 0; key->choices[i]; i++)
		if (strcmp(key->choices[i], text) == 0)
			return i;
	return -1;
}

static void put_integer(const struct conf_key *key, void *field, int64_t number)
{
	if (key->type == CONF_INT32)
		*(int *)field = (int)number;
	else
		*(int64_t *)field = number;
}

static void list_put(struct strlist *list, const char *text)
{
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, ",");
		const char *begin = at + strspn(at, " ");
		strlist_addn(list, begin, len - (size_t)(begin - at));
		at += len + (at[len] == ',');
	}
}

/* Our own tables are wrong if a default does not read: that is for the developer. */
static void put_fallback(const struct conf_key *key, void *field)
{
	const char *text = key->fallback;
	char *end = NULL;
	switch (key->type) {
	case CONF_BOOL:
		*(bool *)field = strcmp(text, "true") == 0;
		return;
	case CONF_INT:
	case CONF_INT32:
		put_integer(key, field, strtoll(text, &end, 10));
		break;
	case CONF_FLOAT:
		*(double *)field = strtod(text, &end);
		break;
	case CONF_STRING:
		*(char **)field = text == conf_null ? NULL : xstrdup(text);
		return;
	case CONF_CHOICE:
		*(int *)field = choice_of(key, text);
		if (*(int *)field < 0)
			die("the default of %s is none of its choices", key->name);
		return;
	case CONF_LIST:
		list_put(field, text);
		return;
	case CONF_GROUP:
	case CONF_GROUPS:
	case CONF_LINE:
		return;
	}
	if (!end || *end)
		die("the default of %s is no number", key->name);
}

static enum rc read_number(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *key, void *field)
{
	int64_t least = key->min, most = key->max;
	if (least == 0 && most == 0) {
		least = key->type == CONF_INT32 ? INT32_MIN : INT64_MIN;
		most = key->type == CONF_INT32 ? INT32_MAX : INT64_MAX;
	}
	int64_t number = config_setting_get_int64(setting);
	if (number < least || number > most)
		return setting_error(reader, setting,
			"\"%s\" must be from %" PRId64 " to %" PRId64 "; it is %" PRId64 ".", key->name,
			least, most, number);
	put_integer(key, field, number);
	return RC_OK;
}

static enum rc read_float(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *key, void *field)
{
	double number = config_setting_type(setting) == CONFIG_TYPE_FLOAT
				? config_setting_get_float(setting)
				: (double)config_setting_get_int64(setting);
	if (!in_range(key, number))
		return setting_error(reader, setting,
			"\"%s\" must be from %" PRId64 " to %" PRId64 "; it is %g.", key->name, key->min,
			key->max, number);
	*(double *)field = number;
	return RC_OK;
}

static enum rc read_choice(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *key, void *field)
{
	const char *text = config_setting_get_string(setting);
	int choice = choice_of(key, text);
	if (choice >= 0) {
		*(int *)field = choice;
		return RC_OK;
	}
	struct str known = STR_INIT;
	for (int i = 0; key->choices[i]; i++)
		str_printf(&known, "%s\"%s\"", i ? ", " : "", key->choices[i]);
	enum rc rc = setting_error(
		reader, setting, "\"%s\" must be one of %s; it is \"%s\".", key->name, known.s, text);
	str_free(&known);
	return rc;
}

static enum rc read_text(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *key)
{
	const char *text = config_setting_get_string(setting);
	const char *fault = key->check ? key->check(text) : NULL;
	if (fault)
		return setting_error(reader, setting, "\"%s\" %s; it is \"%s\".", key->name, fault, text);
	return RC_OK;
}

static enum rc read_group(
	const struct reader *reader, const config_setting_t *group, const struct conf_key *keys, void *base);

static enum rc read_elements(
	const struct reader *reader, const config_setting_t *list, const struct conf_key *key, void *field)
{
	int count = config_setting_length(list);
	for (int i = 0; i < count; i++) {
		const config_setting_t *element = config_setting_get_elem(list, (unsigned)i);
		bool group = key->type == CONF_GROUPS;
		int type = config_setting_type(element);
		if (type != (group ? CONFIG_TYPE_GROUP : CONFIG_TYPE_STRING))
			return setting_error(reader, element, "\"%s\" must be %s; element %d is %s.",
				key->name, wanted_type(key->type), i + 1, type_name(type));
		enum rc rc;
		if (!group) {
			rc = read_text(reader, element, key);
			if (rc != RC_OK)
				return rc;
			strlist_add(field, config_setting_get_string(element));
			continue;
		}
		rc = read_group(reader, element, key->keys, key->add(field));
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc read_value(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *key, void *field)
{
	int type = config_setting_type(setting);
	if (!type_fits(key->type, type))
		return setting_error(reader, setting, "\"%s\" must be %s; it is %s.", key->name,
			wanted_type(key->type), type_name(type));
	switch (key->type) {
	case CONF_BOOL:
		*(bool *)field = config_setting_get_bool(setting) != 0;
		return RC_OK;
	case CONF_INT:
	case CONF_INT32:
		return read_number(reader, setting, key, field);
	case CONF_FLOAT:
		return read_float(reader, setting, key, field);
	case CONF_STRING:
		*(char **)field = xstrdup(config_setting_get_string(setting));
		return read_text(reader, setting, key);
	case CONF_CHOICE:
		return read_choice(reader, setting, key, field);
	case CONF_GROUP:
		return read_group(reader, setting, key->keys, field);
	case CONF_LIST:
	case CONF_GROUPS:
		return read_elements(reader, setting, key, field);
	case CONF_LINE:
		break;
	}
	return RC_OK;
}

/* Letters to change, insert or drop to make one word the other (Levenshtein), for "did you mean". */
static size_t word_distance(const char *a, const char *b)
{
	size_t row[64], len = strlen(b);
	if (len >= sizeof row / sizeof *row)
		return SIZE_MAX;
	for (size_t i = 0; i <= len; i++)
		row[i] = i;
	for (size_t line = 1; *a; a++, line++) {
		size_t diagonal = row[0];
		row[0] = line;
		for (size_t i = 1; i <= len; i++) {
			size_t change = diagonal + (*a != b[i - 1]);
			size_t other = (row[i] < row[i - 1] ? row[i] : row[i - 1]) + 1;
			diagonal = row[i];
			row[i] = change < other ? change : other;
		}
	}
	return row[len];
}

static enum rc unknown_key(
	const struct reader *reader, const config_setting_t *setting, const struct conf_key *keys)
{
	const char *name = config_setting_name(setting), *near = NULL;
	size_t least = 4;
	for (const struct conf_key *key = keys; key->name; key++) {
		size_t distance = word_distance(name, key->name);
		if (distance < least) {
			least = distance;
			near = key->name;
		}
	}
	if (near)
		return setting_error(
			reader, setting, "there is no key \"%s\" here; did you mean \"%s\"?", name, near);
	return setting_error(reader, setting, "there is no key \"%s\" here.", name);
}

/* group NULL: it is absent, every key has its default. */
static enum rc read_group(
	const struct reader *reader, const config_setting_t *group, const struct conf_key *keys, void *base)
{
	int count = group ? config_setting_length(group) : 0;
	for (int i = 0; i < count; i++) {
		const config_setting_t *setting = config_setting_get_elem(group, (unsigned)i);
		const struct conf_key *key = keys;
		while (key->name &&
			(key->type == CONF_LINE || strcmp(key->name, config_setting_name(setting)) != 0))
			key++;
		if (!key->name)
			return unknown_key(reader, setting, keys);
	}
	for (const struct conf_key *key = keys; key->name; key++) {
		const config_setting_t *setting = group ? config_setting_get_member(group, key->name) : NULL;
		bool may_lack = key->type == CONF_GROUP || key->type == CONF_GROUPS || key->type == CONF_LIST;
		enum rc rc = RC_OK;
		if (key->type == CONF_LINE)
			*(int *)field_of(key, base) =
				group ? place_of(reader->source, config_setting_source_line(group)).line : 0;
		else if (setting)
			rc = read_value(reader, setting, key, field_of(key, base));
		else if (key->type == CONF_GROUP)
			rc = read_group(reader, NULL, key->keys, field_of(key, base));
		else if (key->fallback)
			put_fallback(key, field_of(key, base));
		else if (!may_lack && group)
			rc = setting_error(reader, group, "the key \"%s\" is missing here.", key->name);
		else if (!may_lack)
			rc = err_set(reader->err, RC_CONFIG, "The key \"%s\" is missing.", key->name);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* So that conf_free() may run on it however far reading came. */
static void clear_fields(const struct conf_key *keys, void *base)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		if (key->type == CONF_STRING)
			*(char **)field_of(key, base) = NULL;
		else if (key->type == CONF_LIST)
			*(struct strlist *)field_of(key, base) = (struct strlist){0};
		else if (key->type == CONF_GROUP)
			clear_fields(key->keys, field_of(key, base));
	}
}

void conf_free(const struct conf_key *keys, void *base)
{
	for (const struct conf_key *key = keys; key->name; key++) {
		if (key->type == CONF_STRING)
			free(*(char **)field_of(key, base));
		else if (key->type == CONF_LIST)
			strlist_free(field_of(key, base));
		else if (key->type == CONF_GROUP)
			conf_free(key->keys, field_of(key, base));
	}
	clear_fields(keys, base);
}

static enum rc read_source(
	const struct source *source, const struct conf_key *keys, void *base, struct err *err)
{
	struct reader reader = {.source = source, .err = err};
	config_t config;
	enum rc rc;
	config_init(&config);
	if (config_read_string(&config, source->text.s) != CONFIG_TRUE) {
		int line = config_error_line(&config);
		struct place place = place_of(source, line > 0 ? (unsigned)line : 0);
		rc = err_set(err, RC_CONFIG, "%s:%d: %s; look at this line and the one before.", place.file,
			place.line, config_error_text(&config));
	} else {
		rc = read_group(&reader, config_root_setting(&config), keys, base);
	}
	config_destroy(&config);
	return rc;
}

enum rc conf_read_text(
	const char *text, const char *name, const struct conf_key *keys, void *base, struct err *err)
{
	struct source source = {.text = STR_INIT, .err = err};
	clear_fields(keys, base);
	enum rc rc = source_add_text(&source, text, strlen(text), name, 0);
	if (rc == RC_OK)
		rc = read_source(&source, keys, base, err);
	if (rc != RC_OK)
		conf_free(keys, base);
	source_free(&source);
	return rc;
}

enum rc conf_read(const char *path, const struct conf_key *keys, void *base, struct err *err)
{
	struct source source = {.text = STR_INIT, .err = err};
	clear_fields(keys, base);
	enum rc rc;
	if (path) {
		rc = source_add_file(&source, path, 0);
		if (rc == RC_OK)
			rc = read_source(&source, keys, base, err);
	} else {
		struct reader reader = {.source = &source, .err = err};
		rc = read_group(&reader, NULL, keys, base);
	}
	if (rc != RC_OK)
		conf_free(keys, base);
	source_free(&source);
	return rc;
}
