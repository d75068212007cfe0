/*
 * docx.h - the text of a Word file as Word would show it (ECMA-376)
 *
 * libzip and expat behind it, SAX, within limits (entries, expanded bytes, depth; entities are refused). Text sits wherever it sits: tables, merged
 * cells, content controls, legacy form fields, split runs, text boxes, CDATA. Inserted text (w:ins, w:moveTo) is text; deleted text, hidden
 * text, comments, headers, footers, footnotes and ruby readings are not. The main part is found through the package's relationships.
 */
#ifndef SENGEN_DOCX_H
#define SENGEN_DOCX_H

#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/base/str.h"

struct doc_cell {
	int table; /* 0: a paragraph outside tables; else number of the (outermost) table, from 1 */
	int row,
		column; /* in the table, from 0; column counts merged columns; nested tables are flattened into their cell,
			   their cells with \t between */
	int span; /* columns covered */
	const char *text; /* paragraphs and line breaks as \n, tabs as \t; checkbox controls as ☑/☐ */
	bool placeholder; /* the text is a content control's hint (クリックまたはタップして…): not filled in */
};

struct doc {
	struct doc_cell *cell; /* document order; text boxes where they are anchored */
	size_t count;
	const char *damage; /* "" */
};

/* RC_REFUSED: not a readable Word file; err says why (broken zip, encrypted, over a limit, no main part). */
enum rc docx_read(struct doc *out, const char *bytes, size_t len, struct pool *pool, struct err *err);

#endif
