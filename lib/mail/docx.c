#include "lib/mail/docx.h"

#include <expat.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

#include "lib/base/text.h"

#define ENTRIES_MAX 4000
#define PART_BYTES_MAX ((size_t)24 * 1024 * 1024) /* of one expanded part */
#define TEXT_BYTES_MAX ((size_t)4 * 1024 * 1024) /* of all text taken out */
#define CELLS_MAX 20000
#define DEPTH_MAX 400

/* ---- the package: ZIP with relationships (ECMA-376 part 2) ---- */

static enum rc read_part(zip_t *zip, const char *name, struct str *out, struct err *err)
{
	zip_stat_t st;
	if (zip_stat(zip, name, ZIP_FL_NOCASE, &st) != 0)
		return err_set(err, RC_REFUSED, "The Word file has no part %s.", name);
	if (st.valid & ZIP_STAT_ENCRYPTION_METHOD && st.encryption_method != ZIP_EM_NONE)
		return err_set(err, RC_REFUSED, "The Word file is encrypted.");
	zip_file_t *file = zip_fopen_index(zip, st.index, 0);
	if (!file)
		return err_set(err, RC_REFUSED, "Part %s of the Word file can't be opened: %s.", name,
			zip_strerror(zip));
	enum rc rc = RC_OK;
	char piece[16384];
	zip_int64_t got;
	while ((got = zip_fread(file, piece, sizeof piece)) > 0) {
		str_add(out, piece, (size_t)got);
		if (out->len > PART_BYTES_MAX) {
			rc = err_set(err, RC_REFUSED, "Part %s of the Word file grows beyond %zu bytes.",
				name, PART_BYTES_MAX);
			break;
		}
	}
	if (got < 0)
		rc = err_set(err, RC_REFUSED, "Part %s of the Word file is damaged.", name);
	(void)zip_fclose(file);
	return rc;
}

/*
 * Names are told apart without their prefix: the vocabularies of OOXML, whose namespaces differ from edition to edition, have no two elements of one name that matter here.
 * The parser is therefore not asked to look up namespaces, which is almost half of its work.
 */
static const char *local_name(const XML_Char *name)
{
	const char *colon = strchr(name, ':');
	return colon ? colon + 1 : name;
}

static const char *attribute(const XML_Char **attributes, const char *name)
{
	for (; attributes[0]; attributes += 2)
		if (strcmp(local_name(attributes[0]), name) == 0 && !str_has_prefix(attributes[0], "xmlns:"))
			return attributes[1];
	return NULL;
}

struct relationships {
	struct str main_part;
};

static void relationship_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
	struct relationships *found = ctx;
	if (strcmp(local_name(name), "Relationship") != 0 || found->main_part.len)
		return;
	const char *type = attribute(attributes, "Type"), *target = attribute(attributes, "Target");
	const char *mode = attribute(attributes, "TargetMode");
	if (!type || !target || !str_has_suffix(type, "/officeDocument") ||
		(mode && strcmp(mode, "External") == 0))
		return;
	while (*target == '/' || str_has_prefix(target, "./"))
		target += *target == '/' ? 1 : 2;
	str_addz(&found->main_part, target);
}

/* A declaration of entities is no part of OOXML; it is how small files are made to grow. */
static void refuse_entities(void *ctx, const XML_Char *name, int is_parameter, const XML_Char *value,
	int length, const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id,
	const XML_Char *notation)
{
	(void)name, (void)is_parameter, (void)value, (void)length, (void)base, (void)system_id,
		(void)public_id, (void)notation;
	XML_Parser parser = *(XML_Parser *)ctx;
	(void)XML_StopParser(parser, XML_FALSE);
}

static void find_main_part(zip_t *zip, struct str *out)
{
	struct str rels = STR_INIT;
	struct err ignored;
	struct relationships found = {.main_part = STR_INIT};
	if (read_part(zip, "_rels/.rels", &rels, &ignored) == RC_OK) {
		XML_Parser parser = XML_ParserCreate(NULL);
		if (!parser)
			die("out of memory (XML parser)");
		XML_SetUserData(parser, &found);
		XML_SetStartElementHandler(parser, relationship_start);
		if (XML_Parse(parser, rels.s, (int)rels.len, 1) != XML_STATUS_OK)
			str_clear(&found.main_part);
		XML_ParserFree(parser);
	}
	str_addz(out, found.main_part.len ? found.main_part.s : "word/document.xml");
	str_free(&found.main_part);
	str_free(&rels);
}

/* ---- the document part ---- */

enum element {
	E_NONE,
	E_P,
	E_T,
	E_TAB,
	E_BREAK,
	E_HYPHEN,
	E_SYMBOL,
	E_RUN,
	E_RUN_PROPERTIES,
	E_VANISH,
	E_TABLE,
	E_ROW,
	E_ROW_PROPERTIES,
	E_CELL,
	E_GRID_SPAN,
	E_GRID_BEFORE,
	E_V_MERGE,
	E_BOX,
	E_SKIP,
	E_DELETED,
	E_CELL_DELETED,
	E_ALTERNATE,
	E_CHOICE,
	E_FALLBACK,
	E_SDT_PROPERTIES,
	E_SDT_HINT,
	E_SDT_CHECKBOX,
	E_SDT_CHECKED,
	E_SDT_CONTENT,
	E_FIELD,
	E_FIELD_CHECKBOX,
	E_FIELD_DEFAULT,
	E_FIELD_RESULT,
	E_FIELD_ENTRY,
	E_CHUNK,
	E_PARAGRAPH_PROPERTIES,
};

struct table {
	int number, row, column;
	int span; /* of the cell that is open */
	bool continues; /* the cell only continues one above (vMerge) */
	bool row_deleted;
	size_t row_first; /* first cell of the open row, to drop it when it turns out deleted */
};

struct box { /* a place where paragraphs go: the body, or a text box inside one of its paragraphs */
	struct str text; /* of the cell or paragraph that is open */
	bool placeholder;
	int table_depth; /* tables open in this box */
	struct table table; /* the outermost */
	bool inner_row_begins; /* the next cell of an inner table is the first of its row */
};

#define BOX_MAX 8

struct reader {
	XML_Parser parser; /* first: refuse_entities() finds it here */
	struct pool *pool;
	struct doc_cell *cell;
	size_t count, size;
	size_t text_bytes;
	int tables;
	struct box box[BOX_MAX];
	int boxes; /* index of the open one */
	int depth;
	enum element open[DEPTH_MAX + 2]; /* by depth: the elements that are open */
	int skip_depth; /* > 0: the element at this depth and what is in it is left out */
	bool paragraph_mark_deleted;
	bool run_hidden, in_text, in_run_properties, in_row_properties;
	bool choice_taken[DEPTH_MAX + 2]; /* by depth: a Choice of the AlternateContent around was read */
	int sdt_placeholder; /* depth of a content control that shows its hint; 0: none */
	int sdt_properties; /* depth of the open sdtPr */
	bool sdt_hint, sdt_is_checkbox, sdt_checked;
	int sdt_checkbox; /* depth of the content of a checkbox control; 0: none */
	bool field_checkbox, field_checked, field_checked_known;
	int field_list_result;
	int field_list_count;
	struct str field_choice;
	const char *damage;
	bool too_much, not_document;
};

static struct box *open_box(struct reader *r)
{
	return &r->box[r->boxes];
}

static void add_text(struct reader *r, const char *text, size_t len)
{
	struct box *box = open_box(r);
	if (r->text_bytes + len > TEXT_BYTES_MAX) {
		r->too_much = true;
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	r->text_bytes += len;
	if (r->sdt_placeholder)
		box->placeholder = true;
	str_add(&box->text, text, len);
}

static void add_cell(struct reader *r, int table, int row, int column, int span)
{
	struct box *box = open_box(r);
	if (r->count == CELLS_MAX) {
		r->too_much = true;
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	if (r->count == r->size) {
		size_t size = r->size ? r->size * 2 : 64;
		struct doc_cell *larger = pool_alloc(r->pool, size * sizeof *larger);
		if (r->count)
			memcpy(larger, r->cell, r->count * sizeof *larger);
		r->cell = larger;
		r->size = size;
	}
	while (box->text.len && box->text.s[box->text.len - 1] == '\n')
		str_cut(&box->text, box->text.len - 1);
	r->cell[r->count++] = (struct doc_cell){
		.table = table,
		.row = row,
		.column = column,
		.span = span,
		.text = pool_strndup(r->pool, box->text.s, box->text.len),
		.placeholder = box->placeholder,
	};
	str_clear(&box->text);
	box->placeholder = false;
}

/* A text box anchored in a table cell, or behind a paragraph's text, is read where it stands: that is how a form's blanks are made. */
static bool box_in_text(const struct reader *r)
{
	if (r->boxes == 0)
		return false;
	const struct box *outer = &r->box[r->boxes - 1];
	return outer->table_depth > 0 || outer->text.len > 0;
}

static void box_end(struct reader *r)
{
	struct box *box = open_box(r);
	bool inside = box_in_text(r);
	if (box->text.len && !inside)
		add_cell(r, 0, 0, 0, 1);
	box->table_depth = 0;
	r->boxes--;
	if (!inside || !box->text.len)
		return;
	struct box *outer = open_box(r);
	if (outer->text.len && outer->text.s[outer->text.len - 1] != '\n')
		str_addc(&outer->text, '\t');
	while (box->text.len && box->text.s[box->text.len - 1] == '\n')
		str_cut(&box->text, box->text.len - 1);
	str_add(&outer->text, box->text.s, box->text.len);
	outer->placeholder = outer->placeholder || box->placeholder;
	str_clear(&box->text);
	box->placeholder = false;
}

static void paragraph_end(struct reader *r)
{
	struct box *box = open_box(r);
	if (r->paragraph_mark_deleted) { /* the next paragraph goes on in this one */
		r->paragraph_mark_deleted = false;
		return;
	}
	if (box->table_depth || box_in_text(r))
		str_addc(&box->text, '\n');
	else
		add_cell(r, 0, 0, 0, 1);
}

static bool value_is_on(const XML_Char **attributes)
{
	const char *val = attribute(attributes, "val");
	return !val || !(strcmp(val, "0") == 0 || strcmp(val, "false") == 0 || strcmp(val, "off") == 0);
}

/* Symbol fonts carry ticks at private code points. */
static void add_symbol(struct reader *r, const XML_Char **attributes)
{
	const char *font = attribute(attributes, "font"), *code = attribute(attributes, "char");
	if (!font || !code)
		return;
	static const struct {
		const char *font;
		unsigned code;
		const char *text;
	} symbols[] = {
		{"Wingdings", 0xFE, "☑"},
		{"Wingdings", 0xFD, "☑"},
		{"Wingdings", 0xFC, "✓"},
		{"Wingdings", 0xFB, "☑"},
		{"Wingdings", 0xA8, "☐"},
		{"Wingdings", 0x6F, "☐"},
		{"Wingdings", 0x6E, "■"},
		{"Wingdings 2", 0x52, "☑"},
		{"Wingdings 2", 0x51, "☑"},
		{"Wingdings 2", 0x50, "✓"},
		{"Wingdings 2", 0xA3, "☐"},
		{"Wingdings 2", 0x54, "☑"},
	};
	unsigned value = (unsigned)strtoul(code, NULL, 16) & 0xFFu;
	for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++)
		if (symbols[i].code == value && strcmp(symbols[i].font, font) == 0)
			add_text(r, symbols[i].text, strlen(symbols[i].text));
}

static const struct {
	char name[20]; /* in the table itself: most names are passed over by their first letter */
	enum element element;
} elements[] = {
	{"p", E_P},
	{"t", E_T},
	{"tab", E_TAB},
	{"ptab", E_TAB},
	{"br", E_BREAK},
	{"cr", E_BREAK},
	{"noBreakHyphen", E_HYPHEN},
	{"sym", E_SYMBOL},
	{"r", E_RUN},
	{"rPr", E_RUN_PROPERTIES},
	{"vanish", E_VANISH},
	{"strike", E_VANISH}, /* what the writer crossed out counts no more than what is hidden */
	{"dstrike", E_VANISH},
	{"tbl", E_TABLE},
	{"tr", E_ROW},
	{"trPr", E_ROW_PROPERTIES},
	{"tc", E_CELL},
	{"gridSpan", E_GRID_SPAN},
	{"gridBefore", E_GRID_BEFORE},
	{"vMerge", E_V_MERGE},
	{"txbxContent", E_BOX},
	{"del", E_DELETED},
	{"moveFrom", E_SKIP},
	{"cellDel", E_CELL_DELETED},
	{"rt", E_SKIP},
	{"delText", E_SKIP},
	{"instrText", E_SKIP},
	{"delInstrText", E_SKIP},
	{"rPrChange", E_SKIP}, /* how the text looked before */
	{"footnotePr", E_SKIP},
	{"AlternateContent", E_ALTERNATE},
	{"Choice", E_CHOICE},
	{"Fallback", E_FALLBACK},
	{"sdtPr", E_SDT_PROPERTIES},
	{"showingPlcHdr", E_SDT_HINT},
	{"checkbox", E_SDT_CHECKBOX},
	{"checked", E_SDT_CHECKED},
	{"sdtContent", E_SDT_CONTENT},
	{"ffData", E_FIELD},
	{"checkBox", E_FIELD_CHECKBOX},
	{"default", E_FIELD_DEFAULT},
	{"result", E_FIELD_RESULT},
	{"listEntry", E_FIELD_ENTRY},
	{"altChunk", E_CHUNK},
	{"pPr", E_PARAGRAPH_PROPERTIES},
};

static enum element element_of(const char *name)
{
	for (size_t i = 0; i < sizeof elements / sizeof *elements; i++)
		if (elements[i].name[0] == *name && strcmp(elements[i].name, name) == 0)
			return elements[i].element;
	return E_NONE;
}

static void table_start(struct reader *r)
{
	struct box *box = open_box(r);
	if (box->table_depth++ == 0) {
		if (box->text.len)
			add_cell(r, 0, 0, 0, 1);
		box->table = (struct table){.number = ++r->tables, .row = -1};
	}
}

static void cell_start(struct reader *r)
{
	struct box *box = open_box(r);
	if (box->table_depth == 1) {
		box->table.span = 1;
		box->table.continues = false;
	} else if (
		!box->inner_row_begins) { /* beside the cell before it, whose last paragraph has just ended */
		if (box->text.len && box->text.s[box->text.len - 1] == '\n')
			str_cut(&box->text, box->text.len - 1);
		str_addc(&box->text, '\t');
	}
	box->inner_row_begins = false;
}

static void cell_end(struct reader *r)
{
	struct box *box = open_box(r);
	if (box->table_depth != 1)
		return;
	struct table *table = &box->table;
	if (table->continues)
		str_clear(&box->text);
	else
		add_cell(r, table->number, table->row, table->column, table->span);
	table->column += table->span;
}

static void deleted_start(struct reader *r)
{
	struct box *box = open_box(r);
	if (r->in_row_properties && box->table_depth == 1)
		box->table.row_deleted = true;
	else if (r->in_run_properties)
		r->paragraph_mark_deleted = true; /* w:pPr/w:rPr/w:del */
	else
		r->skip_depth = r->depth;
}

static void property_start(struct reader *r, enum element element, const XML_Char **attributes)
{
	struct box *box = open_box(r);
	const char *val = attribute(attributes, "val");
	int number = val ? (int)strtol(val, NULL, 10) : 0;
	if (number < 0 || number > 200)
		number = 0;
	switch (element) {
	case E_GRID_SPAN:
		if (box->table_depth == 1 && number > 0)
			box->table.span = number;
		break;
	case E_GRID_BEFORE:
		if (box->table_depth == 1)
			box->table.column += number;
		break;
	case E_V_MERGE:
		if (box->table_depth == 1)
			box->table.continues = !val || strcmp(val, "continue") == 0;
		break;
	case E_CELL_DELETED:
		if (box->table_depth == 1)
			box->table.continues = true;
		break;
	case E_VANISH:
		if (r->in_run_properties && value_is_on(attributes))
			r->run_hidden = true;
		break;
	case E_SDT_HINT:
		if (r->sdt_properties && value_is_on(attributes))
			r->sdt_hint = true;
		break;
	case E_SDT_CHECKBOX:
		if (r->sdt_properties)
			r->sdt_is_checkbox = true;
		break;
	case E_SDT_CHECKED:
		if (r->sdt_properties) {
			r->sdt_checked = value_is_on(attributes);
		} else if (r->field_checkbox) {
			r->field_checked = value_is_on(attributes);
			r->field_checked_known = true;
		}
		break;
	case E_FIELD_DEFAULT:
		if (r->field_checkbox && !r->field_checked_known)
			r->field_checked = value_is_on(attributes);
		break;
	case E_FIELD_RESULT:
		r->field_list_result = number;
		break;
	case E_FIELD_ENTRY:
		if (val && r->field_list_count++ == r->field_list_result) {
			str_clear(&r->field_choice);
			str_addz(&r->field_choice, val);
		}
		break;
	default:
		break;
	}
}

static void sdt_content_start(struct reader *r)
{
	if (r->sdt_hint && !r->sdt_placeholder)
		r->sdt_placeholder = r->depth;
	if (r->sdt_is_checkbox) {
		const char *tick = r->sdt_checked ? "☑" : "☐";
		add_text(r, tick, strlen(tick));
		r->sdt_checkbox = r->depth;
	}
	r->sdt_hint = r->sdt_is_checkbox = r->sdt_checked = false;
}

/* Runs and what stands in them. */
static void text_start(struct reader *r, enum element element, const XML_Char **attributes)
{
	switch (element) {
	case E_T:
		r->in_text = true;
		break;
	case E_TAB:
		if (!r->in_run_properties && !r->run_hidden && attribute(attributes, "pos") == NULL)
			add_text(r, "\t", 1);
		break;
	case E_BREAK:
		if (!r->run_hidden)
			add_text(r, "\n", 1);
		break;
	case E_HYPHEN:
		if (!r->run_hidden)
			add_text(r, "-", 1);
		break;
	case E_SYMBOL:
		if (!r->run_hidden)
			add_symbol(r, attributes);
		break;
	case E_RUN:
		r->run_hidden = false;
		break;
	case E_RUN_PROPERTIES:
		r->in_run_properties = true;
		break;
	default:
		break;
	}
}

/* Tables, text boxes, what is deleted, alternatives. */
static void structure_start(struct reader *r, enum element element)
{
	struct box *box = open_box(r);
	switch (element) {
	case E_TABLE:
		table_start(r);
		break;
	case E_ROW:
		box->inner_row_begins = true;
		if (box->table_depth == 1) {
			box->table.row++;
			box->table.column = 0;
			box->table.row_deleted = false;
			box->table.row_first = r->count;
		}
		break;
	case E_ROW_PROPERTIES:
		r->in_row_properties = true;
		break;
	case E_CELL:
		cell_start(r);
		break;
	case E_BOX:
		if (r->boxes + 1 == BOX_MAX) {
			r->skip_depth = r->depth;
			r->damage = "text boxes nested too deeply were left out";
		} else {
			r->boxes++;
		}
		break;
	case E_DELETED:
		deleted_start(r);
		break;
	case E_SKIP:
		r->skip_depth = r->depth;
		break;
	case E_CHOICE:
		if (r->choice_taken[r->depth])
			r->skip_depth = r->depth; /* one alternative only */
		r->choice_taken[r->depth] = true;
		break;
	case E_FALLBACK:
		if (r->choice_taken[r->depth])
			r->skip_depth = r->depth;
		break;
	case E_ALTERNATE:
		r->choice_taken[r->depth + 1] = false;
		break;
	default:
		break;
	}
}

/* Content controls and legacy form fields. */
static void control_start(struct reader *r, enum element element)
{
	switch (element) {
	case E_SDT_PROPERTIES:
		r->sdt_properties = r->depth;
		r->sdt_hint = r->sdt_is_checkbox = r->sdt_checked = false;
		break;
	case E_SDT_CONTENT:
		sdt_content_start(r);
		break;
	case E_FIELD:
		r->field_checkbox = r->field_checked = r->field_checked_known = false;
		r->field_list_result = r->field_list_count = 0;
		str_clear(&r->field_choice);
		break;
	case E_FIELD_CHECKBOX:
		r->field_checkbox = true;
		break;
	case E_CHUNK:
		r->damage = "an imported part (altChunk) was not read";
		break;
	default:
		break;
	}
}

static void on_start(void *ctx, const XML_Char *xml_name, const XML_Char **attributes)
{
	struct reader *r = ctx;
	if (++r->depth > DEPTH_MAX) {
		r->too_much = true;
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	if (r->skip_depth)
		return;
	if (r->depth == 1 && strcmp(local_name(xml_name), "document") != 0) {
		r->not_document = true;
		(void)XML_StopParser(r->parser, XML_FALSE);
		return;
	}
	enum element element = r->open[r->depth] = element_of(local_name(xml_name));
	switch (element) {
	case E_NONE:
	case E_P:
	case E_PARAGRAPH_PROPERTIES:
		break;
	case E_T:
	case E_TAB:
	case E_BREAK:
	case E_HYPHEN:
	case E_SYMBOL:
	case E_RUN:
	case E_RUN_PROPERTIES:
		text_start(r, element, attributes);
		break;
	case E_TABLE:
	case E_ROW:
	case E_ROW_PROPERTIES:
	case E_CELL:
	case E_BOX:
	case E_DELETED:
	case E_SKIP:
	case E_CHOICE:
	case E_FALLBACK:
	case E_ALTERNATE:
		structure_start(r, element);
		break;
	case E_SDT_PROPERTIES:
	case E_SDT_CONTENT:
	case E_FIELD:
	case E_FIELD_CHECKBOX:
	case E_CHUNK:
		control_start(r, element);
		break;
	case E_VANISH:
	case E_GRID_SPAN:
	case E_GRID_BEFORE:
	case E_V_MERGE:
	case E_CELL_DELETED:
	case E_SDT_HINT:
	case E_SDT_CHECKBOX:
	case E_SDT_CHECKED:
	case E_FIELD_DEFAULT:
	case E_FIELD_RESULT:
	case E_FIELD_ENTRY:
		property_start(r, element, attributes);
		break;
	}
}

static void row_end(struct reader *r)
{
	struct table *table = &open_box(r)->table;
	if (table->row_deleted)
		r->count = table->row_first;
}

static void on_end(void *ctx, const XML_Char *xml_name)
{
	struct reader *r = ctx;
	(void)xml_name; /* the parser has seen to it that it is what is open */
	int depth = r->depth--;
	if (r->skip_depth) {
		if (r->skip_depth == depth)
			r->skip_depth = 0;
		return;
	}
	struct box *box = open_box(r);
	switch (r->open[depth]) {
	case E_P:
		paragraph_end(r);
		break;
	case E_T:
		r->in_text = false;
		break;
	case E_RUN:
		r->run_hidden = false;
		break;
	case E_RUN_PROPERTIES:
		r->in_run_properties = false;
		break;
	case E_TABLE:
		if (box->table_depth > 0)
			box->table_depth--;
		break;
	case E_ROW:
		if (box->table_depth == 1)
			row_end(r);
		break;
	case E_ROW_PROPERTIES:
		r->in_row_properties = false;
		break;
	case E_CELL:
		cell_end(r);
		break;
	case E_BOX:
		if (r->boxes > 0)
			box_end(r);
		break;
	case E_SDT_PROPERTIES:
		r->sdt_properties = 0;
		break;
	case E_SDT_CONTENT:
		if (r->sdt_placeholder == depth)
			r->sdt_placeholder = 0;
		if (r->sdt_checkbox == depth)
			r->sdt_checkbox = 0;
		break;
	case E_FIELD:
		if (r->field_checkbox)
			add_text(r, r->field_checked ? "☑" : "☐", strlen("☑"));
		else if (r->field_choice.len)
			add_text(r, r->field_choice.s, r->field_choice.len);
		r->field_checkbox = false;
		break;
	default:
		break;
	}
}

static void on_text(void *ctx, const XML_Char *text, int len)
{
	struct reader *r = ctx;
	if (r->in_text && !r->skip_depth && !r->run_hidden && !r->sdt_checkbox)
		add_text(r, text, (size_t)len);
}

static enum rc read_document(struct doc *out, const struct str *xml, struct pool *pool, struct err *err)
{
	struct reader r = {.pool = pool, .damage = "", .field_choice = STR_INIT};
	for (int i = 0; i < BOX_MAX; i++)
		r.box[i].text = STR_INIT;
	r.parser = XML_ParserCreate(NULL);
	if (!r.parser)
		die("out of memory (XML parser)");
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetEntityDeclHandler(r.parser, refuse_entities);
	enum XML_Status status = XML_Parse(r.parser, xml->s, (int)xml->len, 1);
	enum rc rc = RC_OK;
	if (status != XML_STATUS_OK) {
		enum XML_Error why = XML_GetErrorCode(r.parser);
		if (r.too_much)
			rc = err_set(err, RC_REFUSED,
				"The Word file holds more text or deeper nesting than a form can have.");
		else if (r.not_document)
			rc = err_set(err, RC_REFUSED,
				"The Word file's text is damaged: its main part is not a document.");
		else if (why == XML_ERROR_ABORTED)
			rc = err_set(err, RC_REFUSED,
				"The Word file declares XML entities, which no word processor writes.");
		else
			rc = err_set(err, RC_REFUSED, "The Word file's text is damaged at line %lu: %s.",
				(unsigned long)XML_GetCurrentLineNumber(r.parser), XML_ErrorString(why));
	}
	*out = (struct doc){.cell = r.cell, .count = r.count, .damage = r.damage};
	for (int i = 0; i < BOX_MAX; i++)
		str_free(&r.box[i].text);
	str_free(&r.field_choice);
	XML_ParserFree(r.parser);
	return rc;
}

enum rc docx_read(struct doc *out, const char *bytes, size_t len, struct pool *pool, struct err *err)
{
	*out = (struct doc){.damage = ""};
	zip_error_t why;
	zip_error_init(&why);
	zip_source_t *source = zip_source_buffer_create(bytes, len, 0, &why);
	zip_t *zip = source ? zip_open_from_source(source, ZIP_RDONLY, &why) : NULL;
	if (!zip) {
		enum rc rc = err_set(
			err, RC_REFUSED, "The Word file can't be unpacked: %s.", zip_error_strerror(&why));
		if (source)
			zip_source_free(source);
		zip_error_fini(&why);
		return rc;
	}
	struct str name = STR_INIT, xml = STR_INIT;
	enum rc rc = RC_OK;
	if (zip_get_num_entries(zip, 0) > ENTRIES_MAX)
		rc = err_set(err, RC_REFUSED, "The Word file has more than %d parts.", ENTRIES_MAX);
	if (rc == RC_OK) {
		find_main_part(zip, &name);
		rc = read_part(zip, name.s, &xml, err);
	}
	if (rc == RC_OK)
		rc = read_document(out, &xml, pool, err);
	str_free(&name);
	str_free(&xml);
	zip_discard(zip);
	zip_error_fini(&why);
	return rc;
}
