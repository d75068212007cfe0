#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/form/form_p.h"

/*
 * The file is not parsed as one document: the extent of each record is found first, then that piece is given to
 * jansson. So one broken record is refused by itself, and memory does not grow with the number of records.
 */

#define UNCLOSED_BYTES_MAX                                                                                   \
	((size_t)1 << 30) /* looked through in vain for the ends of records that have none */
#define MEMBERS_MAX 4096 /* of one record */
#define NESTING_MAX 8 /* groups within a record, wrappers around the records */
#define LABEL_MAX 600 /* bytes, escaped: of the longest that is looked up where records are looked for */
#define ANSWERS_LEAST 3 /* answers to the form that make an object one */

struct json {
	struct form_reader *reader;
	const char *text;
	size_t len;
	size_t unclosed; /* bytes looked through in vain */
	int members; /* of the record at hand */
	size_t counted; /* up to here lines are counted */
	int line;
};

static size_t skip_space(const struct json *json, size_t at)
{
	while (at < json->len && memchr(" \t\r\n", json->text[at], 4))
		at++;
	return at;
}

/* Behind the string that begins at `at`; 0 when it never ends. */
static size_t skip_string(const struct json *json, size_t at)
{
	for (at++; at < json->len; at++) {
		if (json->text[at] == '\\')
			at++;
		else if (json->text[at] == '"')
			return at + 1;
	}
	return 0;
}

/* Behind the value that begins at `at`, by brackets and strings alone; 0 when it never ends. */
static size_t skip_value(const struct json *json, size_t at)
{
	size_t depth = 0;
	while (at < json->len) {
		char c = json->text[at];
		if (c == '"') {
			at = skip_string(json, at);
			if (at == 0)
				return 0;
			if (depth == 0)
				return at;
			continue;
		}
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth == 0)
				return at;
			if (--depth == 0)
				return at + 1;
		} else if (c == ',' && depth == 0) {
			return at;
		}
		at++;
	}
	return depth ? 0 : at;
}

static int line_at(struct json *json, size_t at)
{
	for (; json->counted < at; json->counted++)
		json->line += json->text[json->counted] == '\n';
	return json->line;
}

bool json_detect(const char *text, size_t len)
{
	const struct json json = {.text = text, .len = len};
	size_t at = skip_space(&json, 0);
	if (at < len && text[at] == '{')
		return true;
	if (at == len || text[at] != '[')
		return false;
	at = skip_space(&json, at + 1);
	return at == len || text[at] == '{' || text[at] == ']' || text[at] == '[';
}

/* ---- one record ---- */

static void add_scalar(struct str *out, const json_t *value)
{
	if (json_is_string(value)) {
		const char *text = json_string_value(value);
		for (size_t i = 0; i < json_string_length(value); i++)
			str_addc(out, text[i] ? text[i] : 1); /* as reader_decode() does */
	} else if (json_is_integer(value)) {
		str_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else if (json_is_real(value)) {
		double number = json_real_value(value);
		/* 9.99953E+12 is what a spreadsheet left of a 13-digit number: it must not turn into digits again. */
		bool whole = number > -1e15 && number < 1e15 && number == (double)(long long)number;
		if (whole && (number < 1e11 || (long long)number % 1000000 != 0))
			str_printf(out, "%.0f", number);
		else
			str_printf(out, "%.10G", number);
	} else if (json_is_boolean(value)) {
		str_addz(out, json_is_true(value) ? "true" : "false");
	}
}

static void put_scalar(struct json *json, int slot, int rank, const json_t *value)
{
	struct str text = STR_INIT;
	if (json_is_array(value)) {
		size_t i;
		const json_t *item;
		json_array_foreach(value, i, item)
		{
			if (i)
				str_addc(&text, '\n');
			add_scalar(&text, item);
		}
	} else {
		add_scalar(&text, value);
	}
	reader_put(json->reader, slot, rank, pool_strndup(json->reader->pool, text.s, text.len));
	str_free(&text);
}

static const json_t *member(const json_t *object, const char *const *names)
{
	for (; *names; names++) {
		const json_t *value = json_object_get(object, *names);
		if (value)
			return value;
	}
	return NULL;
}

static const char *const value_names[] = {"value", "answer", "値", "回答", "入力値", "入力内容", NULL};

/* {"question": "担当者名", "answer": "山田太郎"}, as form services list answers. */
static bool is_pair(const json_t *object, const char **label, const json_t **value)
{
	static const char *const labels[] = {
		"label", "question", "title", "name", "key", "項目", "項目名", "設問", "質問", NULL};
	const json_t *text = member(object, labels);
	*value = member(object, value_names);
	*label = json_string_value(text);
	return *label && *value;
}

static void put_member(struct json *json, const char *group, const char *label, json_t *value, int depth);

static void put_object(struct json *json, const char *group, json_t *object, int depth)
{
	const char *label;
	json_t *value;
	const json_t *answer;
	if (depth > NESTING_MAX)
		return;
	if (is_pair(object, &label, &answer)) {
		int rank = 0, slot = fieldmap_slot(json->reader->map, label, &rank);
		if (slot != SLOT_COUNT) {
			put_scalar(json, slot, rank, answer);
			return;
		}
	}
	json_object_foreach(object, label, value) put_member(json, group, label, value, depth);
}

static void put_member(struct json *json, const char *group, const char *label, json_t *value, int depth)
{
	struct form_reader *reader = json->reader;
	if (++json->members > MEMBERS_MAX) {
		reader_damage(reader, FIELD_COUNT, "項目が多すぎます（%d個まで）。", MEMBERS_MAX);
		return;
	}
	int rank = 0, slot = fieldmap_slot(reader->map, label, &rank);
	if (json_is_object(value)) {
		/* {"担当者名": {"type": "text", "value": "山田太郎"}} */
		const json_t *answer = slot < SLOT_COUNT ? member(value, value_names) : NULL;
		if (answer)
			put_scalar(json, slot, rank, answer);
		else
			put_object(json, label, value, depth + 1);
		return;
	}
	if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
		for (size_t i = 0; i < json_array_size(value); i++) {
			json_t *item = json_array_get(value, i);
			if (json_is_object(item))
				put_object(json, label, item, depth + 1);
		}
		return;
	}
	/* {"代表者": {"姓": "見本"}} */
	if (slot == SLOT_COUNT && *group)
		slot = fieldmap_slot(reader->map, pool_printf(reader->pool, "%s（%s）", group, label), &rank);
	put_scalar(json, slot, rank, value);
}

static const char *fault_ja(enum json_error_code code)
{
	switch (code) {
	case json_error_duplicate_key:
		return "同じ項目名が二度あります";
	case json_error_invalid_utf8:
		return "文字コードが壊れています";
	case json_error_premature_end_of_input:
		return "途中で終わっています";
	case json_error_numeric_overflow:
		return "数字が大きすぎます";
	default:
		return "JSONの書き方が正しくありません";
	}
}

/* {"A-001": { … }, "A-002": { … }}: where two members answer the form's first question they are records, not pages of one. */
static bool is_map_of_records(const struct json *json, json_t *object)
{
	const char *name, *label;
	json_t *member, *value;
	int kinds = 0;
	json_object_foreach(object, name, member)
	{
		if (!json_is_object(member))
			return false;
		json_object_foreach(member, label, value)
		{
			if (fieldmap_slot(json->reader->map, label, NULL) == FIELD_KIND) {
				kinds++;
				break;
			}
		}
	}
	return kinds > 1;
}

static enum rc emit_members(struct json *json, json_t *object, int line)
{
	const char *name;
	json_t *member;
	json_object_foreach(object, name, member)
	{
		reader_begin(json->reader, line);
		json->members = 0;
		put_object(json, "", member, 0);
		enum rc rc = reader_emit(json->reader);
		if (rc)
			return rc;
	}
	return RC_OK;
}

static enum rc emit_object(struct json *json, size_t begin, size_t end)
{
	struct form_reader *reader = json->reader;
	int line = line_at(json, begin);
	json_error_t error;
	reader_begin(reader, line);
	json_t *object = json_loadb(json->text + begin, end - begin,
		JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DISABLE_EOF_CHECK, &error);
	if (object && is_map_of_records(json, object)) {
		enum rc rc = emit_members(json, object, line);
		json_decref(object);
		return rc;
	}
	json->members = 0;
	if (object) {
		put_object(json, "", object, 0);
		json_decref(object);
	} else {
		/* A broken first record must not make decisions into applications. */
		const char *piece = json->text + begin;
		if (!reader->content_known && memmem(piece, end - begin, "\"処理\"", strlen("\"処理\"")))
			reader_tell_content(
				reader, true, memmem(piece, end - begin, "誓約", strlen("誓約")) != NULL);
		reader_damage(reader, FIELD_COUNT, "%s（%d行目）。", fault_ja(json_error_code(&error)),
			line + (error.line > 0 ? error.line - 1 : 0));
	}
	return reader_emit(reader);
}

static enum rc emit_broken(struct json *json, size_t at, const char *what_ja)
{
	int line = line_at(json, at);
	reader_begin(json->reader, line);
	reader_damage(json->reader, FIELD_COUNT, "%s（%d行目）。", what_ja, line);
	return reader_emit(json->reader);
}

/* ---- the file ---- */

/* The elements of the array at `at`. */
static enum rc read_array(struct json *json, size_t at)
{
	for (at = skip_space(json, at + 1); at < json->len && json->text[at] != ']';) {
		size_t end = skip_value(json, at);
		enum rc rc;
		if (json->text[at] == '{')
			rc = emit_object(json, at, end ? end : json->len);
		else if (json->text[at] == ',')
			rc = RC_OK; /* a comma too many */
		else
			rc = emit_broken(json, at, "申込み一件のまとまり（{ … }）ではありません");
		if (rc || end == 0)
			return rc;
		at = skip_space(json, end);
		if (at < json->len && json->text[at] == ',')
			at = skip_space(json, at + 1);
		else if (at < json->len && json->text[at] == '}')
			at++; /* one bracket too many: go on behind it */
	}
	if (at >= json->len && json->reader->record.record == 0)
		return reader_refuse(json->reader, "JSONが途中で終わっています。",
			"The JSON array ends before its first record.");
	return RC_OK;
}

/* Does the array at `at` hold records (not {label, value} pairs)? */
static bool holds_records(const struct json *json, size_t at)
{
	at = skip_space(json, at + 1);
	if (at >= json->len || json->text[at] != '{')
		return false;
	size_t end = skip_value(json, at);
	json_t *first = json_loadb(
		json->text + at, (end ? end : json->len) - at, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, NULL);
	const char *label;
	const json_t *value;
	bool records = !first || !is_pair(first, &label, &value);
	json_decref(first);
	return records;
}

/* The next member of an object: *at, before its name, moves to its value; false: there is none. */
static bool next_member(const struct json *json, size_t *at, size_t *name, size_t *name_len)
{
	if (*at >= json->len || json->text[*at] != '"')
		return false;
	size_t end = skip_string(json, *at);
	if (end == 0)
		return false;
	*name = *at;
	*name_len = end - *at;
	*at = skip_space(json, end);
	if (*at >= json->len || json->text[*at] != ':')
		return false;
	*at = skip_space(json, *at + 1);
	return *at < json->len;
}

/* From a value to the name of the next member; false: the value never ends. */
static bool pass_value(const struct json *json, size_t *at)
{
	size_t end = skip_value(json, *at);
	if (end == 0)
		return false;
	*at = skip_space(json, end);
	if (*at < json->len && json->text[*at] == ',')
		*at = skip_space(json, *at + 1);
	return true;
}

/* Is a name, in its quotes and escapes, one of the form's? */
static bool is_label(const struct json *json, size_t name, size_t len)
{
	json_t *label = len < LABEL_MAX ? json_loadb(json->text + name, len, JSON_DECODE_ANY, NULL) : NULL;
	int slot = label ? fieldmap_slot(json->reader->map, json_string_value(label), NULL) : SLOT_COUNT;
	json_decref(label);
	return slot < SLOT_COUNT && slot != SLOT_IGNORED;
}

/* Do its own members answer questions of the form? What it has in an array belongs to it then: files that were attached, say. */
static bool is_form(const struct json *json, size_t at)
{
	size_t name, len;
	int answers = 0;
	at = skip_space(json, at + 1);
	while (next_member(json, &at, &name, &len)) {
		answers += is_label(json, name, len);
		if (!pass_value(json, &at))
			break;
	}
	return answers >= ANSWERS_LEAST;
}

/* {"records": [ … ]}, {"data": {"applications": [ … ]}}: where the array begins, 0: there is none. */
static size_t find_records(const struct json *json, size_t at, int depth)
{
	size_t object = at, name, len;
	at = skip_space(json, at + 1);
	while (next_member(json, &at, &name, &len)) {
		if (json->text[at] == '[' && holds_records(json, at))
			return is_form(json, object) ? 0 : at;
		if (json->text[at] == '{' && depth < NESTING_MAX) {
			size_t inner = find_records(json, at, depth + 1);
			if (inner)
				return inner;
		}
		if (!pass_value(json, &at))
			return 0;
	}
	return 0;
}

/* The next line that begins with an object; len when there is none. */
static size_t next_object_line(const struct json *json, size_t at)
{
	while (at < json->len) {
		const char *line_end = memchr(json->text + at, '\n', json->len - at);
		if (!line_end)
			break;
		at = (size_t)(line_end - json->text) + 1;
		if (at < json->len && json->text[at] == '{')
			return at;
	}
	return json->len;
}

/* One object, or several behind one another (JSON Lines). */
static enum rc read_objects(struct json *json, size_t at)
{
	while ((at = skip_space(json, at)) < json->len) {
		enum rc rc = RC_OK;
		if (json->text[at] == ',' || json->text[at] == 0x1E) { /* RFC 7464 record separator */
			at++;
			continue;
		}
		if (json->text[at] != '{')
			return emit_broken(json, at, "JSONの書き方が正しくありません");
		size_t end = skip_value(json, at), records = find_records(json, at, 0);
		if (records) {
			rc = read_array(json, records);
			if (rc || !end)
				return rc;
		} else {
			/* A record of JSON Lines that never closes must not swallow the following ones. */
			json->unclosed += end ? 0 : json->len - at;
			if (json->unclosed > UNCLOSED_BYTES_MAX)
				return emit_broken(
					json, at, "閉じていない「{」が多すぎるため、ここから後は読めません");
			end = end ? end : next_object_line(json, at);
			rc = emit_object(json, at, end);
			if (rc)
				return rc;
		}
		at = end;
	}
	return RC_OK;
}

enum rc json_read(struct form_reader *reader, const char *text, size_t len)
{
	struct json json = {.reader = reader, .text = text, .len = len, .line = 1};
	reader->head.format = FORM_JSON;
	size_t at = skip_space(&json, 0);
	enum rc rc;
	if (text[at] == '[')
		rc = read_array(&json, at);
	else
		rc = read_objects(&json, at);
	if (!rc && reader->record.record == 0)
		rc = reader_refuse(
			reader, "申込みが一件も入っていません。", "The JSON file holds no record.");
	return rc;
}
