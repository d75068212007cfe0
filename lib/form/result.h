/*
 * result.h - the answer to a dropped file, in Japanese, for Excel and for reading
 *
 * For each file a text that says per record what was registered, or which field is wrong, which value, which rule, how to mend
 * it. For a CSV also the refused rows as CSV (BOM, CRLF), columns as in the original plus エラー内容 and 修正方法 in front, which can
 * be mended and dropped again: those two columns are ignored on the way in. Cells beginning with = + - @ (or tab, CR) are defused
 * with a leading apostrophe, which form_read() drops again; 法人番号 is written as T and 13 digits, telephone and postal
 * code with hyphens, so that Excel keeps their zeros.
 */
#ifndef SENGEN_RESULT_H
#define SENGEN_RESULT_H

#include "lib/form/validate.h"

enum result_verdict {
	RESULT_REGISTERED,
	RESULT_REGISTERED_REVIEW, /* registered, in 要確認 */
	RESULT_SAME, /* already registered, nothing changed */
	RESULT_REFUSED,
	RESULT_DECIDED, /* a decision was carried out */
};

struct result; /* collects; memory: what is short, else two temporary files, not the rows */

/* dir: an existing directory for the temporary files. */
void result_begin(struct result **out, const char *dir, const char *original_name,
	const struct form_head *head, const struct fieldmap *map);
/* application_id: 0 when refused. detail_ja: for RESULT_DECIDED or a refused decision, what happened. */
enum rc result_add(struct result *result, const struct form_record *record, enum result_verdict verdict,
	int64_t application_id, const struct findings *findings, const char *detail_ja, struct err *err);
/* Something about the file as a whole that stands at the head of the text (may hold \r\n). */
void result_note(struct result *result, const char *note_ja);
/* Writes `stem`_結果.txt and, when rows of a CSV were refused, `stem`_要修正.csv (whole or not at all), and releases.
 * file_fault_ja: why the file was not read, or not to its end; NULL otherwise. sync: else the caller sees to it that they get to the disk. */
enum rc result_end(struct result **out, const char *stem, utc_time at, const char *file_fault_ja, bool sync,
	struct err *err);
void result_drop(struct result **result);

#endif
