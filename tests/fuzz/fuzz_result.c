/* A CSV that was dropped, refused row by row, and given back to be mended: what comes back unmended is read as what was dropped. */
#include <stdio.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/form/result.h"
#include "tests/fuzz/fuzz.h"

#define ROWS_MAX 20

static struct fieldmap *map;

struct rows {
	struct pool *pool;
	struct result *result;
	int count;
	const char *value[ROWS_MAX][FIELD_COUNT];
	bool damaged[ROWS_MAX];
	bool csv;
};

static enum rc keep(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct rows *rows = ctx;
	if (rows->count == ROWS_MAX)
		return RC_REFUSED;
	for (int field = 0; field < FIELD_COUNT; field++) {
		const char *value = record->form.value[field];
		rows->value[rows->count][field] = value ? pool_strdup(rows->pool, value) : NULL;
	}
	rows->damaged[rows->count++] = record->damage_count > 0;
	rows->csv = head->format == FORM_CSV && head->content == CONTENT_APPLICATIONS;
	if (!rows->csv || !rows->result)
		return RC_OK;
	struct finding finding = {.field = FIELD_MAIL,
		.severity = SEVERITY_REFUSE,
		.value = record->form.value[FIELD_MAIL] ? record->form.value[FIELD_MAIL] : "",
		.message_ja = "メールアドレスを確認してください。",
		.remedy_ja = "正しいメールアドレスを書いてください。"};
	struct findings findings = {.item = &finding, .count = 1};
	return result_add(rows->result, record, RESULT_REFUSED, 0, &findings, NULL, err);
}

/* Begins the result with the first record's head. */
static enum rc begin(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct rows *rows = ctx;
	if (!rows->result && head->format == FORM_CSV && head->content == CONTENT_APPLICATIONS)
		result_begin(&rows->result, fuzz_directory(), "申込.csv", head, map);
	return keep(ctx, head, record, err);
}

static bool any_damaged(const struct rows *rows)
{
	for (int row = 0; row < rows->count; row++)
		if (rows->damaged[row])
			return true;
	return false;
}

static void compare(const struct rows *first, const struct rows *second)
{
	if (any_damaged(first) || any_damaged(second))
		return;
	MUST(first->count == second->count);
	for (int row = 0; row < first->count; row++)
		for (int field = 0; field < FIELD_COUNT; field++) {
			const char *a = first->value[row][field], *b = second->value[row][field];
			/* These come back in the writing that Excel keeps. */
			if (field == FIELD_CORPORATE_NUMBER || field == FIELD_TELEPHONE ||
				field == FIELD_POSTAL_CODE)
				continue;
			MUST(strcmp(a ? a : "", b ? b : "") == 0);
		}
}

/* No cell of what we write is a formula. */
static void check_cells(const char *csv, size_t len)
{
	bool begins = true, quoted = false;
	for (size_t i = sizeof "\xEF\xBB\xBF" - 1; i < len; i++) {
		if (begins && csv[i] == '"') {
			quoted = true;
			begins = false;
			MUST(i + 1 == len || !strchr("=+-@\t\r", csv[i + 1]));
			continue;
		}
		MUST(!begins || !strchr("=+-@\t", csv[i]));
		if (csv[i] == '"')
			quoted = !quoted;
		begins = !quoted && (csv[i] == ',' || csv[i] == '\n');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	const char *why = NULL;
	MUST(map || fieldmap_load(&map, NULL, &err) == RC_OK);
	struct pool *pool = pool_new();
	struct rows *first = pool_alloc(pool, sizeof *first), *second = pool_alloc(pool, sizeof *second);
	first->pool = second->pool = pool;
	enum rc rc = form_read((const char *)data, size, map, NULL, begin, first, &why, &err);
	if (first->result) {
		struct str stem = STR_INIT, csv = STR_INIT;
		path_join(&stem, fuzz_directory(), "申込");
		MUST(result_end(&first->result, stem.s, 1780000000, NULL, true, &err) == RC_OK);
		str_addz(&stem, "_要修正.csv");
		MUST(file_read(&csv, stem.s, 1 << 24, &err) == RC_OK);
		check_cells(csv.s, csv.len);
		if (rc == RC_OK && utf8_valid((const char *)data, size)) {
			MUST(form_read(csv.s, csv.len, map, NULL, keep, second, &why, &err) == RC_OK);
			compare(first, second);
		}
		str_free(&stem);
		str_free(&csv);
	}
	result_drop(&first->result);
	pool_free(&pool);
	return 0;
}
