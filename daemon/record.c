#include "daemon/record.h"

#include <string.h>

#include "lib/base/text.h"

#define DAMAGE_MAX 256
#define FINDINGS_MAX 256
#define MESSAGE_MAX 65536 /* a sentence that quotes a value */

/* NULL where NULL was put. */
static const char *get_text(struct wire_reader *reader, size_t max, struct pool *pool)
{
	const char *text = wire_get_text(reader, pool);
	if (text) {
		size_t len = strlen(text);
		if (len > max || !utf8_valid(text, len))
			reader->bad = true;
	}
	return text;
}

/* A number from outside that says how many of something follow. */
static size_t get_count(struct wire_reader *reader, size_t max)
{
	int64_t count = wire_get_number(reader);
	if (count < 0 || (uint64_t)count > max)
		reader->bad = true;
	return reader->bad ? 0 : (size_t)count;
}

static int get_int(struct wire_reader *reader, int min, int max)
{
	int64_t number = wire_get_number(reader);
	if (number < min || number > max)
		reader->bad = true;
	return reader->bad ? min : (int)number;
}

static bool all_read(const struct wire_reader *reader)
{
	return !reader->bad && reader->at == reader->end;
}

static void put_texts(struct str *out, const char *const *text, size_t count)
{
	wire_put_number(out, text ? (int64_t)count : -1);
	for (size_t i = 0; text && i < count; i++)
		wire_put_text(out, text[i]);
}

static const char **get_texts(
	struct wire_reader *reader, size_t max_count, size_t max_bytes, size_t *count, struct pool *pool)
{
	int64_t n = wire_get_number(reader);
	*count = 0;
	if (reader->bad || n == -1)
		return NULL;
	if (n < 0 || (uint64_t)n > max_count) {
		reader->bad = true;
		return NULL;
	}
	const char **text = pool_alloc(pool, ((size_t)n + 1) * sizeof *text);
	for (size_t i = 0; i < (size_t)n; i++) {
		text[i] = get_text(reader, max_bytes, pool);
		if (!text[i])
			text[i] = "";
	}
	*count = (size_t)n;
	return text;
}

void form_limits_pack(struct str *out, const struct form_limits *limits)
{
	wire_put_number(out, (int64_t)limits->file_bytes);
	wire_put_number(out, (int64_t)limits->records);
	wire_put_number(out, (int64_t)limits->value_bytes);
	wire_put_number(out, (int64_t)limits->columns);
}

bool form_limits_unpack(struct form_limits *limits, struct wire_reader *reader)
{
	limits->file_bytes = (size_t)wire_get_number(reader);
	limits->records = (size_t)wire_get_number(reader);
	limits->value_bytes = (size_t)wire_get_number(reader);
	limits->columns = (size_t)wire_get_number(reader);
	return all_read(reader);
}

void form_head_pack(struct str *out, const struct form_head *head)
{
	wire_put_number(out, head->format);
	wire_put_number(out, head->content);
	wire_put_text(out, head->charset);
	wire_put_number(out, head->bom);
	put_texts(out, head->header, head->header_count);
}

bool form_head_unpack(struct form_head *head, struct wire_reader *reader, const struct form_limits *limits,
	struct pool *pool)
{
	*head = (struct form_head){
		.format = (enum form_format)get_int(reader, FORM_CSV, FORM_TEXT),
		.content = (enum form_content)get_int(reader, CONTENT_APPLICATIONS, CONTENT_DECISIONS),
	};
	head->charset = get_text(reader, 64, pool);
	head->bom = get_int(reader, 0, 1);
	head->header = get_texts(reader, limits->columns, limits->value_bytes, &head->header_count, pool);
	return all_read(reader);
}

void form_record_pack(struct str *out, const struct form_record *record)
{
	wire_put_number(out, record->record);
	wire_put_number(out, record->line);
	for (int field = 0; field < FIELD_COUNT; field++)
		wire_put_text(out, record->form.value[field]);
	put_texts(out, record->raw, record->raw_count);
	wire_put_number(out, (int64_t)record->damage_count);
	for (size_t i = 0; i < record->damage_count; i++) {
		wire_put_number(out, record->damage[i].field);
		wire_put_text(out, record->damage[i].message_ja);
	}
	for (int column = 0; column < DECISION_COLUMNS; column++)
		wire_put_text(out, record->decision[column]);
}

bool form_record_unpack(struct form_record *record, struct wire_reader *reader,
	const struct form_limits *limits, struct pool *pool)
{
	*record = (struct form_record){
		.record = get_int(reader, 1, INT32_MAX), .line = get_int(reader, 0, INT32_MAX)};
	for (int field = 0; field < FIELD_COUNT; field++)
		record->form.value[field] = get_text(reader, limits->value_bytes, pool);
	record->raw = get_texts(reader, limits->columns, limits->value_bytes, &record->raw_count, pool);
	record->damage_count = get_count(reader, DAMAGE_MAX);
	record->damage = pool_alloc(pool, (record->damage_count + 1) * sizeof *record->damage);
	for (size_t i = 0; i < record->damage_count; i++) {
		record->damage[i].field = (enum form_field)get_int(reader, 0, FIELD_COUNT);
		record->damage[i].message_ja = get_text(reader, MESSAGE_MAX, pool);
		if (!record->damage[i].message_ja)
			reader->bad = true;
	}
	for (int column = 0; column < DECISION_COLUMNS; column++)
		record->decision[column] = get_text(reader, limits->value_bytes, pool);
	return all_read(reader);
}

void findings_pack(struct str *out, const struct findings *findings, const char *detail_ja)
{
	wire_put_number(out, (int64_t)findings->count);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		wire_put_number(out, finding->field);
		wire_put_number(out, finding->code);
		wire_put_number(out, finding->severity);
		wire_put_text(out, finding->value);
		wire_put_text(out, finding->message_ja);
		wire_put_text(out, finding->remedy_ja);
	}
	wire_put_text(out, detail_ja);
}

/* Never NULL. */
static const char *get_wanted(struct wire_reader *reader, struct pool *pool)
{
	const char *text = get_text(reader, MESSAGE_MAX, pool);
	return text ? text : "";
}

bool findings_unpack(
	struct findings *findings, const char **detail_ja, struct wire_reader *reader, struct pool *pool)
{
	findings->count = get_count(reader, FINDINGS_MAX);
	findings->item = pool_alloc(pool, (findings->count + 1) * sizeof *findings->item);
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *finding = &findings->item[i];
		finding->field = (enum form_field)get_int(reader, 0, FIELD_COUNT);
		finding->code = (enum finding_code)get_int(reader, 0, FINDING_SAME_ROW);
		finding->severity = (enum severity)get_int(reader, 0, SEVERITY_NOTE);
		finding->value = get_wanted(reader, pool);
		finding->message_ja = get_wanted(reader, pool);
		finding->remedy_ja = get_wanted(reader, pool);
	}
	*detail_ja = get_text(reader, MESSAGE_MAX, pool);
	return all_read(reader);
}
