/*
 * form_p.h - what the three readers share: decoding, and putting a record together
 *
 * A reader calls reader_begin(), reader_put() for each value it meets, reader_damage() for what is broken, and
 * reader_emit(), which puts the parts together and gives the record away.
 */
#ifndef SENGEN_FORM_P_H
#define SENGEN_FORM_P_H

#include "lib/form/fieldmap_p.h"
#include "lib/form/form.h"

enum form_charset { CHARSET_UTF8, CHARSET_CP932, CHARSET_UTF16 };

struct form_reader {
	const struct fieldmap *map;
	const struct form_limits *limits;
	form_record_fn *fn;
	void *ctx;
	const char **why_ja;
	struct err *err;

	const char *bytes; /* the file without its byte order mark; UTF-8 or CP932 */
	size_t len;
	enum form_charset charset; /* of bytes: UTF-8 or CP932 */
	bool clean; /* bytes are valid UTF-8 without NUL */

	struct form_head head;
	bool content_known;
	struct pool *head_pool; /* lives as long as the reading */
	struct pool *pool; /* reset at each record */

	/* the record being put together */
	struct form_record record;
	const char *value[SLOT_COUNT];
	int rank[SLOT_COUNT];
	bool detail_twice; /* two columns of a control file under one head, with different values */
};

/* Appends the bytes as UTF-8; what can't be decoded becomes U+FFFD, NUL becomes U+0001. */
void reader_decode(const struct form_reader *reader, struct str *out, const char *bytes, size_t len);

void reader_begin(struct form_reader *reader, int line);
/* The text must live until the record is emitted; it is not changed. */
void reader_put(struct form_reader *reader, int slot, int rank, const char *text);
void reader_damage(struct form_reader *reader, enum form_field field, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum rc reader_emit(struct form_reader *reader);
/* Decisions or applications: whether 処理 is there, and whether one of the first two questions of the form is. */
void reader_tell_content(struct form_reader *reader, bool action, bool form);
/* The whole file can't be taken. why_ja is static. */
enum rc reader_refuse(struct form_reader *reader, const char *why_ja, const char *why);
/* Bytes after white space (ASCII, U+3000, U+00A0, U+FEFF) at the beginning / before it at the end. */
const char *skip_blank(const char *text);
size_t blank_end(const char *text, size_t len);
/* At most limit bytes of a longer text, without half a character at the end. */
size_t cut_len(const char *text, size_t limit);

/* CSV: tells whether a header row is there, and which sign separates its cells (csv.c). */
bool csv_detect(struct form_reader *reader);
enum rc csv_read(struct form_reader *reader);
bool json_detect(const char *text, size_t len);
enum rc json_read(struct form_reader *reader, const char *text, size_t len);
bool text_detect(const struct form_reader *reader, const char *text, size_t len);
enum rc text_read(struct form_reader *reader, const char *bytes, size_t len);

#endif
