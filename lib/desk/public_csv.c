/*
 * public_csv.c - the public list as CSV: UTF-8 with BOM, CRLF (RFC 4180)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/desk/public_p.h"
#include "lib/form/cell.h"

#define ROWS_A_LOOK 500 /* between looks at the clock */

struct public_csv {
	const struct public_rows *rows;
	struct public_file out;
	struct sha256_stream *stream;
	uint8_t digest[SHA256_LEN];
	size_t at;
	struct str line;
};

static enum rc put_line(struct public_csv *csv, struct err *err)
{
	sha256_add(csv->stream, csv->line.s, csv->line.len);
	if (fwrite(csv->line.s, 1, csv->line.len, csv->out.file) != csv->line.len)
		return err_set(
			err, RC_STORE, "%s could not be written: %s.", csv->out.path, errno_text(errno));
	return RC_OK;
}

enum rc public_csv_begin(
	struct public_csv **out, const struct public_rows *rows, const char *directory, struct err *err)
{
	struct public_csv *csv = xcalloc(1, sizeof *csv);
	csv->rows = rows;
	csv->line = STR_INIT;
	csv->stream = sha256_begin();
	*out = csv;
	enum rc rc = public_file_open(&csv->out, directory, PUBLIC_CSV_FILE, err);
	if (rc != RC_OK)
		return rc;
	str_addz(&csv->line, CELL_BOM);
	for (int i = 0; i < rows->columns->count; i++) {
		cell_quote(&csv->line, rows->columns->label[i]);
		str_addc(&csv->line, ',');
	}
	str_addz(&csv->line, "宣言の内容,宣言日\r\n");
	return put_line(csv, err);
}

enum rc public_csv_step(struct public_csv *csv, int64_t until_ms, bool *done, struct err *err)
{
	const struct public_columns *columns = csv->rows->columns;
	struct public_row row;
	enum rc rc = RC_OK;
	for (int looked = 0; rc == RC_OK && csv->at < csv->rows->count; csv->at++) {
		if (++looked % ROWS_A_LOOK == 0 && clock_machine_ms() >= until_ms)
			break;
		public_row_read(csv->rows, csv->at, &row);
		str_clear(&csv->line);
		for (int i = 0; i < columns->count; i++) {
			cell_add(&csv->line, columns->field[i], row.value[i]);
			str_addc(&csv->line, ',');
		}
		str_printf(&csv->line, "%s,%s\r\n", public_star(row.star), row.day);
		rc = put_line(csv, err);
	}
	*done = rc == RC_OK && csv->at == csv->rows->count;
	if (*done) {
		sha256_end(&csv->stream, csv->digest);
		rc = public_file_close(&csv->out, err);
	}
	return rc;
}

void public_csv_digest(const struct public_csv *csv, uint8_t out[SHA256_LEN])
{
	memcpy(out, csv->digest, SHA256_LEN);
}

enum rc public_csv_place(struct public_csv *csv, struct err *err)
{
	return public_file_place(&csv->out, err);
}

void public_csv_drop(struct public_csv **csv)
{
	uint8_t digest[SHA256_LEN];
	if (!*csv)
		return;
	if ((*csv)->stream)
		sha256_end(&(*csv)->stream, digest);
	public_file_drop(&(*csv)->out);
	str_free(&(*csv)->line);
	free(*csv);
	*csv = NULL;
}
