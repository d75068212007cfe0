#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/form/form_p.h"

/*
 * RFC 4180 as spreadsheets really write it: any line end, comma, tab or semicolon, quoted line breaks. Records are
 * found in the file's own bytes, since no byte below 0x40 is part of a longer character in UTF-8 or CP932, then decoded
 * and cut into cells.
 *
 * A quote that opens and never closes would swallow the rows behind it. So when a record of several lines turns out
 * broken, only its first line is refused and reading goes on with the next one.
 */

#define HEADER_SEARCH_ROWS 50 /* titles and notes may stand above the header */
#define HEADER_FIELDS_MIN 3

struct span {
	size_t begin, end; /* of the record, without its line end */
	size_t next; /* where the next record begins */
	int lines;
	bool open; /* a quote never closed */
	bool loose; /* something stood behind a closing quote */
};

struct cells {
	const char **text;
	size_t count, size;
};

struct csv {
	struct form_reader *reader;
	char separator;
	struct cells cells;
	struct str row;
	int line; /* of the record at hand */
	/* the header in force */
	const char **header;
	size_t columns;
	int *slot, *rank;
	/* the first header of the file, which the rows are given back under */
	const int *first_slot;
	size_t first_columns;
};

static size_t line_end_len(const char *bytes, size_t len, size_t at)
{
	if (bytes[at] == '\r')
		return at + 1 < len && bytes[at + 1] == '\n' ? 2 : 1;
	return 1;
}

/* One physical line. */
static struct span scan_line(const char *bytes, size_t len, size_t at)
{
	struct span span = {.begin = at, .lines = 1};
	while (at < len && bytes[at] != '\n' && bytes[at] != '\r')
		at++;
	span.end = at;
	span.next = at < len ? at + line_end_len(bytes, len, at) : len;
	return span;
}

/* One record. A quoted cell longer than `cap` counts as never closed, which also bounds how far is looked ahead. */
static struct span scan_record(const char *bytes, size_t len, size_t at, char separator, size_t cap)
{
	enum { START, PLAIN, QUOTED, CLOSED } state = START;
	struct span span = {.begin = at, .lines = 1};
	size_t quote_at = 0;
	for (; at < len; at++) {
		char c = bytes[at];
		if (state == QUOTED) {
			if (c == '"' && at + 1 < len && bytes[at + 1] == '"')
				at++;
			else if (c == '"')
				state = CLOSED;
			else if (c == '\n' || (c == '\r' && !(at + 1 < len && bytes[at + 1] == '\n')))
				span.lines++;
			if (at - quote_at > cap)
				break;
		} else if (c == '\n' || c == '\r') {
			break;
		} else if (c == separator) {
			state = START;
		} else if (c == '"' && state == START) {
			state = QUOTED;
			quote_at = at;
		} else if (c != ' ') {
			span.loose |= state == CLOSED;
			state = state == CLOSED ? CLOSED : PLAIN;
		}
	}
	span.open = state == QUOTED;
	span.end = at;
	span.next = at < len ? at + line_end_len(bytes, len, at) : len;
	return span;
}

static void cell_add(struct cells *cells, const char *text)
{
	if (cells->count == cells->size) {
		cells->size = cells->size ? cells->size * 2 : 64;
		cells->text = xrealloc(cells->text, cells->size * sizeof *cells->text);
	}
	cells->text[cells->count++] = text;
}

/* Cuts a decoded record into cells, in place, by the same rules as scan_record(). */
static void split_cells(struct cells *cells, char *row, size_t len, char separator)
{
	char *from = row, *end = row + len;
	cells->count = 0;
	for (;;) {
		char *to = from, *begin = from, *p = from;
		while (p < end && *p == ' ')
			p++;
		if (p < end && *p == '"') {
			for (p++; p < end && !(*p == '"' && !(p + 1 < end && p[1] == '"')); p++) {
				if (*p == '"')
					p++;
				*to++ = *p;
			}
			p += p < end;
			while (p < end && *p != separator) {
				if (*p != ' ')
					*to++ = *p;
				p++;
			}
		} else {
			p = memchr(from, separator, (size_t)(end - from));
			if (!p)
				p = end;
			to = p;
		}
		bool last = p >= end;
		*to = '\0';
		cell_add(cells, begin);
		if (last)
			return;
		from = p + 1;
	}
}

static size_t quote_cap(const struct form_reader *reader)
{
	return reader->limits->value_bytes * 2 + 1024;
}

static void load_cells(struct csv *csv, const struct span *span)
{
	str_clear(&csv->row);
	reader_decode(csv->reader, &csv->row, csv->reader->bytes + span->begin, span->end - span->begin);
	str_addc(&csv->row, '\0'); /* the buffer is ours to write into, even when the row is empty */
	split_cells(&csv->cells, csv->row.s, csv->row.len - 1, csv->separator);
}

/* ---- header ---- */

/* How much of a form the cells name: different fields, at least HEADER_FIELDS_MIN for the two columns that make a control
 * file. A row with an address outside of a label (担当者メールアドレス 例)xxx@xxx.co.jp) holds values. */
static int header_score(const struct form_reader *reader, const struct cells *cells)
{
	bool seen[SLOT_COUNT + 1] = {false};
	int score = 0;
	for (size_t i = 0; i < cells->count && i < reader->limits->columns; i++) {
		int slot = fieldmap_slot(reader->map, cells->text[i], NULL);
		if (slot == SLOT_COUNT && strchr(cells->text[i], '@'))
			return 0;
		if (slot < SLOT_COUNT && slot != SLOT_IGNORED && !SLOT_IS_DETAIL(slot) && !seen[slot])
			score++;
		seen[slot] = true;
	}
	bool decision =
		seen[SLOT_DECISION_ACTION] &&
		(seen[SLOT_DECISION_TARGET] || seen[SLOT_DECISION_REQUEST] || seen[FIELD_DECLARATION_ID]);
	if (decision && score < HEADER_FIELDS_MIN)
		score = HEADER_FIELDS_MIN;
	return score;
}

/* The first row that names at least three fields under one of the separators. */
static bool find_header(struct csv *csv, struct span *header, int *line)
{
	static const char separators[] = {',', '\t', ';'};
	const struct form_reader *reader = csv->reader;
	size_t at = 0;
	*line = 1;
	for (int row = 0; row < HEADER_SEARCH_ROWS && at < reader->len; row++) {
		int best = 0;
		struct span first = scan_line(reader->bytes, reader->len, at);
		for (size_t i = 0; i < sizeof separators; i++) {
			struct span span =
				scan_record(reader->bytes, reader->len, at, separators[i], quote_cap(reader));
			if (span.open || span.end - span.begin > quote_cap(reader) * 4)
				continue;
			char kept = csv->separator;
			csv->separator = separators[i];
			load_cells(csv, &span);
			int score = header_score(reader, &csv->cells);
			if (score > best && score >= HEADER_FIELDS_MIN) {
				best = score;
				*header = span;
			} else {
				csv->separator = kept;
			}
		}
		if (best)
			return true;
		*line += first.lines;
		at = first.next;
	}
	return false;
}

bool csv_detect(struct form_reader *reader)
{
	struct csv csv = {.reader = reader, .row = STR_INIT};
	struct span header;
	int line;
	bool found = find_header(&csv, &header, &line);
	free(csv.cells.text);
	str_free(&csv.row);
	return found;
}

/* A form asks for the address twice; exports then name two columns alike. */
static void second_mail_confirms(struct csv *csv)
{
	size_t seen = 0, second = 0;
	int mail = SLOT_COUNT;
	for (size_t i = 0; i < csv->columns; i++) {
		if (csv->slot[i] == FIELD_MAIL_CONFIRM)
			return;
		if (csv->slot[i] != FIELD_MAIL && csv->slot[i] != SLOT_OTHER_MAIL)
			continue;
		if (seen++ == 0)
			mail = csv->slot[i];
		else if (csv->slot[i] == mail && !second)
			second = i;
	}
	if (second)
		csv->slot[second] = FIELD_MAIL_CONFIRM;
}

/* A broken first row must not make decisions into applications. */
static void header_tells_content(const struct csv *csv)
{
	bool has[SLOT_COUNT + 1] = {false};
	for (size_t i = 0; i < csv->columns; i++)
		has[csv->slot[i]] = true;
	reader_tell_content(csv->reader, has[SLOT_DECISION_ACTION], has[FIELD_KIND] || has[FIELD_PLEDGE]);
}

static void take_header(struct csv *csv)
{
	struct form_reader *reader = csv->reader;
	csv->columns = csv->cells.count;
	/* Empty columns at the end of the header are the sheet's, not the form's. */
	while (csv->columns > 0 && !*skip_blank(csv->cells.text[csv->columns - 1]))
		csv->columns--;
	csv->header = pool_alloc(reader->head_pool, csv->columns * sizeof *csv->header);
	csv->slot = pool_alloc(reader->head_pool, csv->columns * sizeof *csv->slot);
	csv->rank = pool_alloc(reader->head_pool, csv->columns * sizeof *csv->rank);
	for (size_t i = 0; i < csv->columns; i++) {
		const char *cell = csv->cells.text[i];
		size_t len = strlen(cell);
		len = len > reader->limits->value_bytes ? cut_len(cell, reader->limits->value_bytes) : len;
		csv->header[i] = pool_strndup(reader->head_pool, cell, len);
		csv->slot[i] = fieldmap_slot(reader->map, csv->cells.text[i], &csv->rank[i]);
	}
	second_mail_confirms(csv);
	if (!csv->first_slot) {
		csv->first_slot = csv->slot;
		csv->first_columns = csv->columns;
		reader->head.header = csv->header;
		reader->head.header_count = csv->columns;
		header_tells_content(csv);
	}
}

/* The header once more (files put together by hand), or another one. A row with an address in it is neither. */
enum again { AGAIN_NO, AGAIN_SAME, AGAIN_OTHER };

static enum again header_again(const struct csv *csv)
{
	int same = 0, filled = 0;
	for (size_t i = 0; i < csv->cells.count; i++) {
		const char *cell = csv->cells.text[i];
		if (!*cell)
			continue;
		if (strchr(cell, '@'))
			return AGAIN_NO;
		filled++;
		same += i < csv->columns && strcmp(cell, csv->header[i]) == 0;
		if (i >= 4 && same == 0 && i < csv->columns &&
			fieldmap_slot(csv->reader->map, csv->cells.text[0], NULL) == SLOT_COUNT)
			return AGAIN_NO;
	}
	if (filled >= HEADER_FIELDS_MIN && same == filled)
		return AGAIN_SAME;
	bool other = filled > HEADER_FIELDS_MIN && header_score(csv->reader, &csv->cells) * 2 > filled;
	return other ? AGAIN_OTHER : AGAIN_NO;
}

/* ---- rows ---- */

static bool is_blank_row(const struct csv *csv, const struct span *span)
{
	const char *bytes = csv->reader->bytes;
	for (size_t i = span->begin; i < span->end; i++) {
		if (bytes[i] != csv->separator && bytes[i] != ' ' && bytes[i] != '\t' && bytes[i] != '"' &&
			bytes[i] != 0x1A && bytes[i] != 0)
			break;
		if (i + 1 == span->end)
			return true;
	}
	if (span->begin == span->end)
		return true;
	for (size_t i = 0; i < csv->cells.count; i++) {
		if (*skip_blank(csv->cells.text[i]))
			return false;
	}
	return true;
}

/* 以上, 合計 12件: what people write below a table. */
static bool is_footer_row(const struct csv *csv)
{
	static const char *const words[] = {
		"以上", "合計", "総計", "小計", "計", "件数", "総件数", "※", "＊"};
	const char *only = NULL;
	int filled = 0;
	for (size_t i = 0; i < csv->cells.count; i++) {
		const char *text = skip_blank(csv->cells.text[i]);
		if (*text && filled++ == 0)
			only = text;
	}
	for (size_t i = 0; only && filled <= 2 && i < sizeof words / sizeof *words; i++) {
		if (str_has_prefix(only, words[i]))
			return true;
	}
	return false;
}

/* Columns that a writer may leave off at the end of a row. */
static bool may_be_missing(int slot)
{
	return slot == FIELD_SURVEY || slot == FIELD_APPLIED_ON || slot == FIELD_DECLARATION_ID ||
	       slot == FIELD_TERMS_VERSION || slot == FIELD_ASSOCIATION || slot == FIELD_EMPLOYEES ||
	       slot == SLOT_BUILDING || SLOT_IS_DETAIL(slot) || slot >= SLOT_COUNT;
}

/* Does the cell answer the closed question of that column? */
static bool is_answer(const struct csv *csv, size_t column, size_t cell)
{
	int slot = column < csv->columns ? csv->slot[column] : SLOT_COUNT;
	return slot < FIELD_COUNT && fieldmap_closed(csv->reader->map, (enum form_field)slot) &&
	       fieldmap_choice(csv->reader->map, (enum form_field)slot, csv->cells.text[cell]);
}

/* A separator within a value (Sample Co., Ltd.) moves what follows; where the last cell was empty only the answers show it. */
static bool is_shifted(const struct csv *csv)
{
	size_t count = csv->cells.count, surplus = count > csv->columns ? count - csv->columns : 0;
	for (size_t i = 0; surplus && i < csv->columns; i++) {
		size_t moved = i + surplus;
		if (!is_answer(csv, i, i) && is_answer(csv, i, moved) && !is_answer(csv, moved, moved))
			return true;
	}
	return false;
}

/* 0: as many cells as columns (empty ones left over or left off don't count); else how many are too many or too few. */
static int ragged_by(const struct csv *csv)
{
	size_t count = csv->cells.count;
	if (is_shifted(csv))
		return (int)(count - csv->columns);
	while (count > csv->columns && !*skip_blank(csv->cells.text[count - 1]))
		count--;
	if (count > csv->columns)
		return (int)(count - csv->columns);
	for (size_t i = count; i < csv->columns; i++) {
		if (!may_be_missing(csv->slot[i]))
			return -(int)(csv->columns - count);
	}
	return 0;
}

/* The cells for the file to mend: cut where they are longer than a value may be, without those beyond the last column. More would make the role take its reader
 * for a liar. */
static const char **raw_cells(struct csv *csv, size_t *count)
{
	const struct form_limits *limits = csv->reader->limits;
	*count = csv->cells.count < limits->columns ? csv->cells.count : limits->columns;
	const char **raw = pool_alloc(csv->reader->pool, (*count + 1) * sizeof *raw);
	for (size_t i = 0; i < *count; i++) {
		raw[i] = csv->cells.text[i];
		if (strnlen(raw[i], limits->value_bytes + 1) > limits->value_bytes)
			raw[i] =
				pool_strndup(csv->reader->pool, raw[i], cut_len(raw[i], limits->value_bytes));
	}
	return raw;
}

/* The cells as read, in the order of the file's first header; those that it has no column for come behind. */
static void put_raw(struct csv *csv)
{
	struct form_record *record = &csv->reader->record;
	size_t count, behind = csv->first_columns;
	const char **cell = raw_cells(csv, &count);
	record->raw = cell;
	record->raw_count = count;
	if (csv->first_slot == csv->slot)
		return;
	const char **raw = pool_alloc(csv->reader->pool, (behind + count) * sizeof *raw);
	for (size_t i = 0; i < behind; i++)
		raw[i] = "";
	for (size_t i = 0; i < count && behind < csv->reader->limits->columns; i++) {
		size_t at = 0;
		while (at < csv->first_columns && (i >= csv->columns || csv->slot[i] == SLOT_COUNT ||
							  csv->first_slot[at] != csv->slot[i] || *raw[at]))
			at++;
		bool unread = i < csv->columns && csv->slot[i] == SLOT_COUNT;
		if (at < csv->first_columns || !unread)
			raw[at < csv->first_columns ? at : behind++] = cell[i];
	}
	record->raw = raw;
	record->raw_count = behind;
}

static enum rc emit_row(struct csv *csv, const struct span *span, int ragged)
{
	struct form_reader *reader = csv->reader;
	reader_begin(reader, csv->line);
	put_raw(csv);
	if (span->open) {
		reader_damage(reader, FIELD_COUNT,
			"引用符（\"）が閉じていません。%d行目の引用符を確かめてください。", csv->line);
	} else if (ragged > 0) {
		reader_damage(reader, FIELD_COUNT,
			"列の数が見出しより%d多くなっています（見出し%"
			"zu列）。値の中に区切りの記号が入っていないか確かめてください。",
			ragged, csv->columns);
	} else if (ragged < 0) {
		reader_damage(reader, FIELD_COUNT,
			"列の数が見出しより%d少なくなっています（見出し%"
			"zu列）。値が抜けてずれていないか確かめてください。",
			-ragged, csv->columns);
	} else {
		for (size_t i = 0; i < csv->columns; i++)
			reader_put(reader, csv->slot[i], csv->rank[i],
				i < csv->cells.count ? csv->cells.text[i] : "");
		if (span->loose)
			reader_damage(reader, FIELD_COUNT,
				"引用符（\"）の使い方が崩れています。値の中の引用符は二つ重ねてください。");
	}
	return reader_emit(reader);
}

static enum rc read_rows(struct csv *csv, size_t at)
{
	struct form_reader *reader = csv->reader;
	while (at < reader->len) {
		struct span span =
			scan_record(reader->bytes, reader->len, at, csv->separator, quote_cap(reader));
		if (span.open) {
			span = scan_line(reader->bytes, reader->len, at);
			span.open = true;
		}
		load_cells(csv, &span);
		int ragged = ragged_by(csv);
		if (span.lines > 1 && (ragged || span.loose)) {
			span = scan_line(reader->bytes, reader->len, at);
			span.open = true;
			load_cells(csv, &span);
		}
		if (csv->cells.count > reader->limits->columns && !span.open)
			ragged = (int)(csv->cells.count - csv->columns);
		bool skip = is_blank_row(csv, &span) || (!span.open && is_footer_row(csv));
		enum again again = skip || span.open ? AGAIN_NO : header_again(csv);
		if (again == AGAIN_OTHER)
			take_header(csv);
		if (!skip && again == AGAIN_NO) {
			enum rc rc = emit_row(csv, &span, ragged);
			if (rc)
				return rc;
		}
		csv->line += span.lines;
		at = span.next;
	}
	return RC_OK;
}

enum rc csv_read(struct form_reader *reader)
{
	struct csv csv = {.reader = reader, .row = STR_INIT};
	struct span header = {0};
	reader->head.format = FORM_CSV;
	enum rc rc = RC_OK;
	if (find_header(&csv, &header, &csv.line)) {
		load_cells(&csv, &header);
		if (csv.cells.count > reader->limits->columns) {
			rc = reader_refuse(reader, "列が多すぎます。申込書の列だけにして入れ直してください。",
				"The header row has more columns than the limit allows.");
		} else {
			take_header(&csv);
			reader->head.separator = csv.separator;
			csv.line += header.lines;
			rc = read_rows(&csv, header.next);
		}
	}
	free(csv.cells.text);
	str_free(&csv.row);
	return rc;
}
