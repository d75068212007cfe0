/*
 * The document part of a Word file, wrapped into a package so that every input is one; an input that is a ZIP is read as it is, and looked through for a Word file
 * inside it.
 */
#include <zip.h>

#include "lib/mail/docx.h"
#include "lib/mail/sheet.h"
#include "lib/mail/zipped.h"
#include "tests/fuzz/fuzz.h"

static void package(struct str *out, const uint8_t *xml, size_t size)
{
	zip_error_t error;
	zip_error_init(&error);
	zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_source_keep(target);
	zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &error);
	zip_int64_t index = zip_file_add(
		zip, "word/document.xml", zip_source_buffer(zip, xml, size, 0), ZIP_FL_ENC_UTF_8);
	zip_set_file_compression(zip, (zip_uint64_t)index, ZIP_CM_STORE, 0);
	if (zip_close(zip) != 0)
		abort();
	zip_source_open(target);
	zip_source_seek(target, 0, SEEK_END);
	zip_int64_t len = zip_source_tell(target);
	zip_source_seek(target, 0, SEEK_SET);
	str_grow(out, (size_t)len);
	out->len = (size_t)zip_source_read(target, out->s, (zip_uint64_t)len);
	zip_source_close(target);
	zip_source_free(target);
	zip_error_fini(&error);
}

static void check_document(const char *bytes, size_t len, struct pool *pool)
{
	struct doc doc;
	struct sheet sheet;
	struct err err = {0};
	if (docx_read(&doc, bytes, len, pool, &err) != RC_OK) {
		MUST(*err.text);
		return;
	}
	must_be_text(doc.damage);
	for (size_t i = 0; i < doc.count; i++) {
		const struct doc_cell *cell = &doc.cell[i];
		must_be_text(cell->text);
		MUST(cell->span >= 1 && cell->row >= 0 && cell->column >= 0 && cell->table >= 0);
	}
	sheet_read_doc(&sheet, &doc, pool);
}

static void check_inside(const char *bytes, size_t len, struct pool *pool)
{
	struct zipped inside;
	struct err err = {0};
	if (zipped_word_file(&inside, bytes, len, pool, &err) == RC_OK) {
		MUST(inside.name && inside.bytes);
		check_document(inside.bytes, inside.len, pool);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct str bytes = STR_INIT;
	bool zip = size > 2 && memcmp(data, "PK", 2) == 0;
	if (zip)
		str_add(&bytes, data, size);
	else
		package(&bytes, data, size);
	check_document(bytes.s, bytes.len, pool);
	if (zip)
		check_inside(bytes.s, bytes.len, pool);
	str_free(&bytes);
	pool_free(&pool);
	return 0;
}
