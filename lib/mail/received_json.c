/*
 * received_json.c - struct received as JSON, and back from somebody who may lie
 *
 * One table a struct says how each member is written, and within which limits it is taken back. Every member is always there: a text that is
 * missing, a name that nobody knows, a number out of range make the whole a forgery.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/mail/received.h"

enum slot_type {
	SLOT_LINE, /* const char *, at most `max` octets */
	SLOT_TEXT, /* the same, with line feeds and tabs */
	SLOT_CHOICE, /* const char *, one of `choices` */
	SLOT_PART, /* const char *, "" or a part_kind_name() */
	SLOT_BOOL,
	SLOT_INT, /* int or enum */
	SLOT_NUMBER, /* int64_t */
	SLOT_DAY, /* civil_day; null: none */
};

struct slot {
	const char *name;
	enum slot_type type;
	size_t offset;
	int64_t min, max;
	const char *const *choices;
};

#define DAY_FIRST (-36525) /* 1870: what a form may name as a day */
#define DAY_LAST 84006 /* 2200 */
#define TIME_LAST INT64_C(253402300799) /* the end of the year 9999 */
#define KINDS_MASK ((1 << REQUEST_KINDS) - 1)

static const char *const notices[] = {"", "id-notice", "logo-notice", "both", NULL};

#define LINE(of, member, most)                                                                               \
	{                                                                                                    \
		.name = #member, .type = SLOT_LINE, .offset = offsetof(struct of, member), .max = (most)     \
	}
#define TEXT(of, member, most)                                                                               \
	{                                                                                                    \
		.name = #member, .type = SLOT_TEXT, .offset = offsetof(struct of, member), .max = (most)     \
	}
#define PART(of, member)                                                                                     \
	{                                                                                                    \
		.name = #member, .type = SLOT_PART, .offset = offsetof(struct of, member)                    \
	}
#define BOOL(of, member)                                                                                     \
	{                                                                                                    \
		.name = #member, .type = SLOT_BOOL, .offset = offsetof(struct of, member)                    \
	}
#define INT(of, member, least, most)                                                                         \
	{                                                                                                    \
		.name = #member, .type = SLOT_INT, .offset = offsetof(struct of, member), .min = (least),    \
		.max = (most)                                                                                \
	}
#define NUMBER(of, member, most)                                                                             \
	{                                                                                                    \
		.name = #member, .type = SLOT_NUMBER, .offset = offsetof(struct of, member), .max = (most)   \
	}
#define DAY(of, member)                                                                                      \
	{                                                                                                    \
		.name = #member, .type = SLOT_DAY, .offset = offsetof(struct of, member)                     \
	}

static const struct slot received_slots[] = {
	PART(received, unreadable),
	LINE(received, from, 320),
	LINE(received, from_name, 500),
	LINE(received, reply_to, 320),
	BOOL(received, null_sender),
	BOOL(received, automatic),
	BOOL(received, bulk),
	BOOL(received, own),
	BOOL(received, authres.seen),
	BOOL(received, authres.dkim_aligned),
	BOOL(received, authres.spf_aligned),
	LINE(received, subject, 2000),
	LINE(received, message_id, 998),
	NUMBER(received, date, TIME_LAST),
	BOOL(received, objects),
	TEXT(received, text, RECEIVED_TEXT_MAX),
	TEXT(received, form_text, RECEIVED_TEXT_MAX),
	LINE(received, damage, 1000),
};
static const struct slot reading_slots[] = {
	INT(reading, kind, REQUEST_OTHER, REQUEST_KINDS - 1),
	BOOL(reading, review),
	TEXT(reading, why, 4000),
	{.name = "notice",
		.type = SLOT_CHOICE,
		.offset = offsetof(struct reading, notice),
		.choices = notices},
	INT(reading, wishes, 0, KINDS_MASK),
	BOOL(reading, from_form),
	BOOL(reading, unknown_mail),
};
static const struct slot sheet_slots[] = {
	INT(sheet, kind, SHEET_NONE, SHEET_CHANGE),
	BOOL(sheet, blank),
	TEXT(sheet, declaration_id, 100),
	TEXT(sheet, declaration_id_written, 500),
	TEXT(sheet, user_number, 100),
	TEXT(sheet, corporate_number, 100),
	TEXT(sheet, business_name, 500),
	TEXT(sheet, representative, 500),
	TEXT(sheet, contact, 500),
	TEXT(sheet, mail, 500),
	TEXT(sheet, prefecture, 100),
	TEXT(sheet, reason, 2000),
	TEXT(sheet, address, 1000),
	DAY(sheet, stop_on),
	BOOL(sheet, at_once),
	TEXT(sheet, stop_on_written, 500),
	INT(sheet, confidence, 0, 100),
	TEXT(sheet, doubt, 1000),
};
static const struct slot change_slots[] = {
	TEXT(sheet_change, item, 120),
	TEXT(sheet_change, old, 600),
	TEXT(sheet_change, new_value, 600),
};
static const struct slot bounce_slots[] = {
	BOOL(bounce, is_bounce),
	LINE(bounce, action, 40),
	BOOL(bounce, permanent),
	BOOL(bounce, permanent_known),
	LINE(bounce, status, 40),
	LINE(bounce, message_id, 1000),
	INT(bounce, class_, BOUNCE_NONE, BOUNCE_UNDECIDED),
	TEXT(bounce, why, 1000),
};
static const struct slot attachment_slots[] = {
	LINE(received_attachment, name, 255),
	PART(received_attachment, kind),
	NUMBER(received_attachment, size, INT64_C(1) << 32),
};
static const struct slot address_slot = {.type = SLOT_LINE, .max = 320};
static const struct slot id_slot = {.type = SLOT_LINE, .max = 500};
static const struct slot token_slot = {.type = SLOT_LINE, .max = 40};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_control(uint32_t c, bool lines)
{
	return (c < ' ' && !(lines && (c == '\n' || c == '\t'))) || (c >= 0x7F && c < 0xA0);
}

static bool is_choice(const struct slot *slot, const char *text)
{
	if (slot->type == SLOT_PART) {
		bool known = !*text;
		for (enum part_kind kind = PART_TEXT; kind <= PART_OTHER && !known; kind++)
			known = strcmp(part_kind_name(kind), text) == 0;
		return known;
	}
	for (const char *const *choice = slot->choices; *choice; choice++)
		if (strcmp(*choice, text) == 0)
			return true;
	return false;
}

/* ---- writing ---- */

static json_t *text_json(const struct slot *slot, const char *text)
{
	struct str clean = STR_INIT;
	const char *end = text ? text + strlen(text) : NULL;
	for (const char *at = text; at && at < end;) {
		uint32_t c = 0xFFFD;
		size_t size = utf8_next(at, (size_t)(end - at), &c);
		size_t before = clean.len;
		utf8_add(&clean, is_control(c, slot->type == SLOT_TEXT) ? ' ' : c);
		if (clean.len > (size_t)slot->max) {
			str_cut(&clean, before);
			break;
		}
		at += size ? size : 1;
	}
	json_t *json = json_stringn(clean.s, clean.len);
	str_free(&clean);
	return json;
}

static int64_t within(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static json_t *slot_json(const struct slot *slot, const void *base)
{
	const char *at = (const char *)base + slot->offset;
	civil_day day;
	switch (slot->type) {
	case SLOT_LINE:
	case SLOT_TEXT:
		return text_json(slot, *(const char *const *)at);
	case SLOT_CHOICE:
	case SLOT_PART:
		return json_string(*(const char *const *)at ? *(const char *const *)at : "");
	case SLOT_BOOL:
		return json_boolean(*(const bool *)at);
	case SLOT_INT:
		return json_integer(within(*(const int *)at, slot->min, slot->max));
	case SLOT_NUMBER:
		return json_integer(within(*(const int64_t *)at, slot->min, slot->max));
	case SLOT_DAY:
		day = *(const civil_day *)at;
		return day >= DAY_FIRST && day <= DAY_LAST ? json_integer(day) : json_null();
	}
	return NULL;
}

static json_t *slots_json(const struct slot *slots, size_t count, const void *base)
{
	json_t *object = json_object();
	for (size_t i = 0; i < count; i++)
		(void)json_object_set_new(object, slots[i].name, slot_json(&slots[i], base));
	return object;
}

static json_t *texts_json(const struct slot *slot, const char *const *text, size_t count, size_t most)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count && i < most; i++)
		(void)json_array_append_new(list, text_json(slot, text[i]));
	return list;
}

static json_t *items_json(const struct slot *slots, size_t slot_count, const void *items, size_t size,
	size_t count, size_t most)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count && i < most; i++)
		(void)json_array_append_new(
			list, slots_json(slots, slot_count, (const char *)items + i * size));
	return list;
}

static json_t *reading_json(const struct reading *reading)
{
	json_t *object = slots_json(reading_slots, COUNT(reading_slots), reading);
	json_t *fields = slots_json(sheet_slots, COUNT(sheet_slots), &reading->fields);
	json_t *bounce = slots_json(bounce_slots, COUNT(bounce_slots), &reading->bounce);
	(void)json_object_set_new(fields, "change",
		items_json(change_slots, COUNT(change_slots), reading->fields.change,
			sizeof *reading->fields.change, reading->fields.change_count, RECEIVED_CHANGES_MAX));
	(void)json_object_set_new(bounce, "recipient",
		texts_json(&address_slot, reading->bounce.recipient, reading->bounce.recipient_count,
			RECEIVED_RECIPIENTS_MAX));
	(void)json_object_set_new(object, "fields", fields);
	(void)json_object_set_new(object, "bounce", bounce);
	return object;
}

void received_print(struct str *out, const struct received *received)
{
	json_t *object = slots_json(received_slots, COUNT(received_slots), received);
	(void)json_object_set_new(object, "reading", reading_json(&received->reading));
	(void)json_object_set_new(object, "delivered_to",
		texts_json(&address_slot, received->delivered_to, received->delivered_to_count,
			RECEIVED_ADDRESSES_MAX));
	(void)json_object_set_new(object, "answers",
		texts_json(&id_slot, received->answers, received->answers_count, RECEIVED_ADDRESSES_MAX));
	(void)json_object_set_new(object, "token",
		texts_json(&token_slot, received->token, received->token_count, RECEIVED_TOKENS_MAX));
	(void)json_object_set_new(object, "attachment",
		items_json(attachment_slots, COUNT(attachment_slots), received->attachment,
			sizeof *received->attachment, received->attachment_count, RECEIVED_ATTACHMENTS_MAX));
	char *text = json_dumps(object, JSON_COMPACT);
	if (!text)
		die("a reading could not be written as JSON");
	str_addz(out, text);
	free(text);
	json_decref(object);
}

/* ---- reading ---- */

struct loader {
	struct pool *pool;
	const char *wrong; /* the first member that can't be; NULL */
};

static void wrong(struct loader *loader, const char *name)
{
	if (!loader->wrong)
		loader->wrong = name;
}

/* jansson has checked UTF-8 and refused NUL. */
static const char *text_load(struct loader *loader, const struct slot *slot, const json_t *json)
{
	const char *text = json_string_value(json);
	size_t len = text ? json_string_length(json) : 0;
	bool choice = slot->type == SLOT_CHOICE || slot->type == SLOT_PART;
	bool good = text && (choice ? is_choice(slot, text) : len <= (size_t)slot->max);
	for (size_t at = 0; good && at < len;) {
		uint32_t c = 0;
		at += utf8_next(text + at, len - at, &c);
		good = !is_control(c, slot->type == SLOT_TEXT);
	}
	if (!good)
		wrong(loader, slot->name ? slot->name : "list");
	return good ? pool_strndup(loader->pool, text, len) : "";
}

static int64_t number_load(struct loader *loader, const struct slot *slot, const json_t *json)
{
	bool day = slot->type == SLOT_DAY;
	int64_t min = day ? DAY_FIRST : slot->min, max = day ? DAY_LAST : slot->max;
	if (day && json_is_null(json))
		return CIVIL_DAY_NONE;
	json_int_t value = json_integer_value(json);
	if (!json_is_integer(json) || value < min || value > max)
		wrong(loader, slot->name);
	return loader->wrong ? min : value;
}

static void slot_load(struct loader *loader, const struct slot *slot, const json_t *json, void *base)
{
	char *at = (char *)base + slot->offset;
	switch (slot->type) {
	case SLOT_LINE:
	case SLOT_TEXT:
	case SLOT_CHOICE:
	case SLOT_PART:
		*(const char **)at = text_load(loader, slot, json);
		break;
	case SLOT_BOOL:
		if (!json_is_boolean(json))
			wrong(loader, slot->name);
		*(bool *)at = json_is_true(json);
		break;
	case SLOT_INT:
		*(int *)at = (int)number_load(loader, slot, json);
		break;
	case SLOT_NUMBER:
		*(int64_t *)at = number_load(loader, slot, json);
		break;
	case SLOT_DAY:
		*(civil_day *)at = (civil_day)number_load(loader, slot, json);
		break;
	}
}

/* others: members besides those of the table, which the caller looks at. */
static void slots_load(struct loader *loader, const struct slot *slots, size_t count, size_t others,
	const json_t *object, void *base)
{
	for (size_t i = 0; i < count; i++)
		slot_load(loader, &slots[i], json_object_get(object, slots[i].name), base);
	if (json_object_size(object) != count + others)
		wrong(loader, "number of members");
}

/* An array of at most `most`; NULL: it is none. */
static const json_t *list_load(struct loader *loader, const json_t *object, const char *name, size_t most)
{
	const json_t *list = json_object_get(object, name);
	if (json_is_array(list) && json_array_size(list) <= most)
		return list;
	wrong(loader, name);
	return NULL;
}

static size_t texts_load(struct loader *loader, const struct slot *slot, const json_t *object,
	const char *name, const char **text, size_t most)
{
	const json_t *list = list_load(loader, object, name, most);
	size_t count = json_array_size(list);
	for (size_t i = 0; i < count; i++)
		text[i] = text_load(loader, slot, json_array_get(list, i));
	return count;
}

static size_t items_load(struct loader *loader, const struct slot *slots, size_t slot_count,
	const json_t *object, const char *name, void **items, size_t size, size_t most)
{
	const json_t *list = list_load(loader, object, name, most);
	size_t count = json_array_size(list);
	*items = pool_alloc(loader->pool, count * size + 1);
	for (size_t i = 0; i < count; i++)
		slots_load(loader, slots, slot_count, 0, json_array_get(list, i), (char *)*items + i * size);
	return count;
}

static void reading_load(struct loader *loader, const json_t *object, struct reading *out)
{
	const json_t *fields = json_object_get(object, "fields"), *bounce = json_object_get(object, "bounce");
	void *changes;
	*out = (struct reading){.unreadable = "", .fresh = "", .quoted = "", .form_text = ""};
	slots_load(loader, reading_slots, COUNT(reading_slots), 2, object, out);
	slots_load(loader, sheet_slots, COUNT(sheet_slots), 1, fields, &out->fields);
	slots_load(loader, bounce_slots, COUNT(bounce_slots), 1, bounce, &out->bounce);
	out->fields.change_count = items_load(loader, change_slots, COUNT(change_slots), fields, "change",
		&changes, sizeof *out->fields.change, RECEIVED_CHANGES_MAX);
	out->fields.change = changes;
	out->bounce.recipient =
		pool_alloc(loader->pool, RECEIVED_RECIPIENTS_MAX * sizeof *out->bounce.recipient);
	out->bounce.recipient_count = texts_load(
		loader, &address_slot, bounce, "recipient", out->bounce.recipient, RECEIVED_RECIPIENTS_MAX);
}

static void whole_load(struct loader *loader, const json_t *object, struct received *out)
{
	void *attachments;
	slots_load(loader, received_slots, COUNT(received_slots), 5, object, out);
	reading_load(loader, json_object_get(object, "reading"), &out->reading);
	out->delivered_to_count = texts_load(
		loader, &address_slot, object, "delivered_to", out->delivered_to, RECEIVED_ADDRESSES_MAX);
	out->answers_count =
		texts_load(loader, &id_slot, object, "answers", out->answers, RECEIVED_ADDRESSES_MAX);
	out->token_count = texts_load(loader, &token_slot, object, "token", out->token, RECEIVED_TOKENS_MAX);
	out->attachment_count = items_load(loader, attachment_slots, COUNT(attachment_slots), object,
		"attachment", &attachments, sizeof *out->attachment, RECEIVED_ATTACHMENTS_MAX);
	out->attachment = attachments;
	out->reading.objects = out->objects;
	out->reading.unreadable = out->unreadable;
}

enum rc received_load(struct received *out, const char *json, size_t len, struct pool *pool, struct err *err)
{
	*out = (struct received){0};
	if (len > RECEIVED_JSON_MAX)
		return err_set(err, RC_REFUSED, "The reading of the mail is larger than one can be.");
	json_t *object = json_loadb(json, len, JSON_REJECT_DUPLICATES, NULL);
	struct loader loader = {.pool = pool, .wrong = object ? NULL : "JSON"};
	if (object)
		whole_load(&loader, object, out);
	json_decref(object);
	if (!loader.wrong)
		return RC_OK;
	*out = (struct received){0};
	return err_set(
		err, RC_REFUSED, "The reading of the mail is not such as one is written (%s).", loader.wrong);
}
