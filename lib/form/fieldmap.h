/*
 * fieldmap.h - which column, key or label is which field: data, not code
 *
 * config/form-fields.conf lists for each field its labels (as the scheme's pages, exports of form services and old
 * sites word them) and for choice fields the values with their spellings. A copy is built in and used when no path is
 * configured. Labels are compared after text_fold() without 【…】 marks, brackets and blanks.
 */
#ifndef SENGEN_FIELDMAP_H
#define SENGEN_FIELDMAP_H

#include "lib/base/err.h"
#include "lib/register.h"

struct fieldmap;

/* path NULL: the built-in map. */
enum rc fieldmap_load(struct fieldmap **out, const char *path, struct err *err);
/* From text; `name` stands for the file in messages. */
enum rc fieldmap_load_text(struct fieldmap **out, const char *text, const char *name, struct err *err);
void fieldmap_free(struct fieldmap **map);

/* FIELD_COUNT when no field has that label. */
enum form_field fieldmap_field(const struct fieldmap *map, const char *label);
/* The first label of a field, for messages and result files: 法人番号 */
const char *fieldmap_label(const struct fieldmap *map, enum form_field field);
/* Canonical value of a choice field ("新規に【★一つ星】を申し込む" → "new1"); NULL when it is none of the choices. For a
 * free field: NULL. */
const char *fieldmap_choice(const struct fieldmap *map, enum form_field field, const char *value);
/* Canonical → the label to show (first spelling); NULL: unknown. */
const char *fieldmap_choice_label(const struct fieldmap *map, enum form_field field, const char *key);
/* The admissible spellings for a message: "A / B / C" appended to out. */
void fieldmap_choices_print(const struct fieldmap *map, enum form_field field, struct str *out);

/* Columns of a control file. -1: none of them. */
enum decision_column {
	DECISION_TARGET, /* 申込番号 */
	DECISION_REQUEST, /* 依頼番号 */
	DECISION_ACTION, /* 処理 */
	DECISION_REASON, /* 理由 */
	DECISION_DAY, /* 中止日 */
	DECISION_NOTICE, /* 通知 */
	DECISION_FIELD, /* 項目 */
	DECISION_VALUE, /* 新しい値 */
	DECISION_DECLARATION, /* 自己宣言ID */
	DECISION_COLUMNS
};

#endif
