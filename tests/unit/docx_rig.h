/*
 * docx_rig.h - what the tests of Word files share: a document's XML in short words, put into a package and read
 */
#ifndef SENGEN_DOCX_RIG_H
#define SENGEN_DOCX_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <zip.h>

#include "lib/mail/docx.h"

#define W "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
#define DOCUMENT(body)                                                                                       \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><w:document xmlns:w=\"" W                                 \
	"\" xmlns:w14=\"http://schemas.microsoft.com/office/word/2010/wordml\" "                             \
	"xmlns:mc=\"http://schemas.openxmlformats.org/markup-compatibility/2006\" "                          \
	"xmlns:v=\"urn:schemas-microsoft-com:vml\" "                                                         \
	"xmlns:wps=\"http://schemas.microsoft.com/office/word/2010/wordprocessingShape\"><w:body>" body      \
	"</w:body></w:document>"
#define RUN(text) "<w:r><w:t xml:space=\"preserve\">" text "</w:t></w:r>"
#define P(inner) "<w:p>" inner "</w:p>"
#define CELL(inner) "<w:tc>" inner "</w:tc>"
#define ROW(inner) "<w:tr>" inner "</w:tr>"
#define TABLE(inner) "<w:tbl>" inner "</w:tbl>"

struct entry {
	const char *name, *bytes;
	size_t len; /* 0: up to the NUL */
};

static inline void zip_build(struct str *out, const struct entry *entries, size_t count, const char *password)
{
	zip_error_t error;
	zip_error_init(&error);
	zip_source_t *target = zip_source_buffer_create(NULL, 0, 0, &error);
	zip_source_keep(target);
	zip_t *zip = zip_open_from_source(target, ZIP_TRUNCATE, &error);
	for (size_t i = 0; i < count; i++) {
		zip_source_t *source = zip_source_buffer(
			zip, entries[i].bytes, entries[i].len ? entries[i].len : strlen(entries[i].bytes), 0);
		zip_int64_t index = zip_file_add(zip, entries[i].name, source, ZIP_FL_ENC_UTF_8);
		assert_true(index >= 0);
		if (password)
			assert_int_equal(
				zip_file_set_encryption(zip, (zip_uint64_t)index, ZIP_EM_AES_256, password),
				0);
	}
	assert_int_equal(zip_close(zip), 0);
	zip_source_open(target);
	zip_source_seek(target, 0, SEEK_END);
	size_t len = (size_t)zip_source_tell(target);
	zip_source_seek(target, 0, SEEK_SET);
	str_grow(out, len);
	out->len = (size_t)zip_source_read(target, out->s, len);
	zip_source_close(target);
	zip_source_free(target);
	zip_error_fini(&error);
}

static inline enum rc read_entries(
	struct doc *doc, const struct entry *entries, size_t count, struct pool *pool, struct err *err)
{
	struct str bytes = STR_INIT;
	zip_build(&bytes, entries, count, NULL);
	enum rc rc = docx_read(doc, bytes.s, bytes.len, pool, err);
	str_free(&bytes);
	return rc;
}

static inline enum rc read_xml(struct doc *doc, const char *xml, struct pool *pool, struct err *err)
{
	return read_entries(doc, &(struct entry){"word/document.xml", xml, 0}, 1, pool, err);
}

#endif
