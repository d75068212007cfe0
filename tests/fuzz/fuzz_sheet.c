/* The office's forms: typed into a body, or in the cells of a Word file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/mail/charset.h"
#include "lib/mail/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (!text || !utf8_valid(text, strlen(text)))
		abort();
}

static void check_number(const char *number, const char *first, size_t least, size_t most)
{
	size_t len = strspn(number, "0123456789");
	if (number[len] || (len && (len < least || len > most || !strchr(first, number[0]))))
		abort();
}

static void check_sheet(const struct sheet *sheet)
{
	const char *const texts[] = {sheet->declaration_id_written, sheet->business_name,
		sheet->representative, sheet->contact, sheet->mail, sheet->prefecture, sheet->reason,
		sheet->address, sheet->stop_on_written, sheet->doubt};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		check_text(texts[i]);
	check_number(sheet->declaration_id, "45", 10, 11);
	check_number(sheet->user_number, "9", 10, 11);
	check_number(sheet->corporate_number, "0123456789", 13, 13);
	for (size_t i = 0; i < sheet->change_count; i++) {
		check_text(sheet->change[i].item);
		check_text(sheet->change[i].old);
		check_text(sheet->change[i].new_value);
	}
	if (sheet->confidence < 0 || sheet->confidence > 100)
		abort();
	if (sheet->at_once && sheet->stop_on != CIVIL_DAY_NONE)
		abort();
}

/* Cells of a document: the bytes 1C to 1F, which no text holds, part them. */
static void doc_make(struct doc *doc, char *text, struct pool *pool)
{
	size_t most = 1;
	for (const char *at = text; *at; at++)
		most += *at >= 0x1C && *at <= 0x1F;
	*doc = (struct doc){.cell = pool_alloc(pool, most * sizeof *doc->cell), .damage = ""};
	int table = 0, tables = 0, row = 0, column = 0, span = 1;
	bool placeholder = false;
	for (char *at = text;;) {
		size_t len = strcspn(at, "\x1C\x1D\x1E\x1F");
		char sign = at[len];
		at[len] = '\0';
		doc->cell[doc->count++] = (struct doc_cell){table, row, column, span, at, placeholder};
		if (!sign)
			return;
		at += len + 1;
		placeholder = sign == 0x1F && *at == '!';
		column = sign == 0x1F ? column + span : 0;
		span = sign == 0x1F && *at == '+' ? 2 : 1;
		row = sign == 0x1E ? row + 1 : sign == 0x1F ? row : 0;
		table = sign == 0x1D ? ++tables : sign == 0x1C ? 0 : table;
	}
}

/* The first byte tells which of the two it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	struct pool *pool = pool_new();
	struct str text = STR_INIT;
	const char *used = NULL;
	struct sheet sheet;
	charset_decode(&text, (const char *)data + 1, size - 1, "utf-8", &used);
	if (data[0] % 2 == 0) {
		sheet_read_text(&sheet, text.s, pool);
		check_number(sheet_find_declaration_id(text.s, pool), "45", 10, 11);
		(void)sheet_find_day(text.s);
		(void)sheet_find_prefecture(text.s);
	} else {
		struct doc doc;
		doc_make(&doc, text.s, pool);
		sheet_read_doc(&sheet, &doc, pool);
	}
	check_sheet(&sheet);
	str_free(&text);
	pool_free(&pool);
	return 0;
}
