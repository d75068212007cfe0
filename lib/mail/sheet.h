/*
 * sheet.h - fields of the office's own forms (B-3 and the change form), read from a Word file's cells or from a body
 *
 * Labels and values stand side by side, one above the other, in one cell behind a colon or tab, or in a grid; labels are data
 * (config/sheet-labels.conf, built in). Each field gets a confidence.
 */
#ifndef SENGEN_SHEET_H
#define SENGEN_SHEET_H

#include <stdbool.h>

#include "lib/base/civil.h"
#include "lib/mail/docx.h"

enum sheet_kind { SHEET_NONE, SHEET_STOP /* 様式B-3 */, SHEET_CHANGE /* 登録情報変更 */ };

struct sheet_change {
	const char *item, *old, *new_value;
};

struct sheet {
	enum sheet_kind kind;
	bool blank; /* the form as the office hands it out: no field is filled in */
	/* Texts are "" when they are not there. */
	const char *declaration_id; /* digits */
	const char *declaration_id_written; /* what stands in its place when that is no ID */
	const char *user_number, *corporate_number; /* digits */
	const char *business_name, *representative, *contact, *mail, *prefecture, *reason;
	bool introduced; /* business_name is only how the writer introduces himself */
	const char *address; /* what the prefecture was read from */
	civil_day stop_on; /* CIVIL_DAY_NONE: none given, 即日 */
	bool at_once; /* 即日 and the like */
	const char *stop_on_written; /* what stands in its place when that is neither */
	struct sheet_change *change;
	size_t change_count;
	int confidence; /* 0..100, of the weakest field that matters */
	const char *doubt; /* what is uncertain, English; "" */
};

void sheet_read_doc(struct sheet *out, const struct doc *doc, struct pool *pool);
/* Typed into a body: lines with labels, and prose such as 弊社…は自己宣言ID … にて. */
void sheet_read_text(struct sheet *out, const char *text, struct pool *pool);
bool sheet_is_empty(const struct sheet *sheet); /* not one field */
/* The ID a running text names behind a word such as 自己宣言ID; "": none, or several. */
const char *sheet_find_declaration_id(const char *text, struct pool *pool);
/* The first day in a text; CIVIL_DAY_NONE. */
civil_day sheet_find_day(const char *text);
/* The prefecture a text begins with or holds; NULL. */
const char *sheet_find_prefecture(const char *text);

#endif
