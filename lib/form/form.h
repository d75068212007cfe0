/*
 * form.h - form files in: CSV, JSON, confirmation-page text → records
 *
 * One reader a format, all giving the same records. Reading decides nothing about validity (validate.h); it says
 * where each value stood so that an error can name line and column. Runs in a parser child: no store, no clock,
 * no network, no file is opened (converters and the field map are loaded before).
 */
#ifndef SENGEN_FORM_H
#define SENGEN_FORM_H

#include "lib/base/err.h"
#include "lib/base/pool.h"
#include "lib/form/fieldmap.h"
#include "lib/register.h"

enum form_format { FORM_CSV, FORM_JSON, FORM_TEXT };
enum form_content {
	CONTENT_APPLICATIONS, /* application forms */
	CONTENT_DECISIONS, /* a control file of staff decisions (decision.h) */
};

struct form_limits {
	size_t file_bytes; /* default 64 MiB */
	size_t records; /* default 200,000 */
	size_t value_bytes; /* one value; default 8 KiB */
	size_t columns; /* default 200 */
};
extern const struct form_limits form_limits_default;

/* What reading alone found wrong with a record (besides validation): one finding a field, Japanese text. */
struct form_damage {
	enum form_field field; /* FIELD_COUNT: the record as a whole */
	const char *message_ja;
};

struct form_record {
	int record; /* from 1, in file order; blank rows don't count */
	int line; /* physical line in the file where it begins, from 1; 0: unknown (JSON) */
	struct form_values
		form; /* as the file had them, UTF-8, trimmed; a leading ' that defuses = + - @ or guards a number dropped. NULL: the
				* file has no such column, key or label; "": it has, but left it empty */
	bool representative_whole; /* the representative's name came in one column without a blank: all of it is in family_name */
	const char **raw; /* CSV: the cells as read, raw_count of them, to write the mended file; else NULL */
	size_t raw_count;
	struct form_damage *damage; /* broken quoting, undecodable bytes, too long, unknown keys … */
	size_t damage_count;
	/* CONTENT_DECISIONS: the columns of the control file as written, NULL where it has none (decision.h). `form` then has what a 訂正 changes: NULL where
	 * nothing, "" where the value is to be cleared; empty for any other 処理. */
	const char *decision[DECISION_COLUMNS];
};

struct form_head {
	enum form_format format;
	enum form_content content;
	const char *charset; /* "UTF-8", "CP932" or "UTF-16" */
	char separator; /* CSV: ',', '\t' or ';' */
	bool bom;
	const char **header; /* CSV: the header cells as read; else NULL */
	size_t header_count;
};

/* Called per record, in order; the record lives until it returns. Not RC_OK stops the reading with that rc. */
typedef enum rc form_record_fn(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err);

/* Tells format and content from the bytes (not the name), decodes, maps headers and gives each record to fn. The
 * pool is reset between records by the reader: memory stays flat however long the file is.
 * RC_REFUSED: not a form file at all (the err text is English; *why_ja gets a sentence for staff, static or in pool):
 * empty, binary (xlsx, PDF, zip named as such), no header row we know, undecodable charset, over a limit. */
enum rc form_read(const char *bytes, size_t len, const struct fieldmap *map, const struct form_limits *limits,
	form_record_fn *fn, void *ctx, const char **why_ja, struct err *err);

/* One record from labels and values that something else than a form file brought (a change form), put together in the same way: 代表者名 into 姓 and 名, 番地 behind the
 * address. Returns the index of the first label that is no field of the form, or -1. Everything in pool. */
int form_record_from(struct form_record *out, const struct fieldmap *map, const struct form_limits *limits,
	const char *const *label, const char *const *value, size_t count, struct pool *pool);

#endif
