/*
 * registry_csv.h - the declarations an office has on file, as a CSV
 *
 * One row a declaration. Columns, in any order, by their English or a Japanese name: id 自己宣言ID, user_number 利用者番号, star 星,
 * state 状態, applied お申込日, id_issued ID発行日, logo_authorized ロゴ許諾日, stopped 中止日, and the fields of the form as form files
 * name them (type, corporate_number, business_name, representative, contact, mail, prefecture, address …). Charsets and quoting as
 * form_read() takes them. A row without a state is logo_authorized, or stopped where it has a 中止日.
 */
#ifndef SENGEN_REGISTRY_CSV_H
#define SENGEN_REGISTRY_CSV_H

#include "lib/form/validate.h"

struct registry_row {
	int record; /* from 1 */
	const char *fault; /* NULL, or in Japanese why the row can't be read; then only record is set */
	int64_t declaration_id, user_number; /* user_number 0: none */
	int star;
	enum state state; /* received (no ID issued yet), id_issued, logo_authorized, stopped … */
	civil_day applied_on, id_issued_on, logo_authorized_on, stopped_on; /* CIVIL_DAY_NONE: not given */
	struct form_values form; /* canonical: type as its key, 法人番号 as digits */
};

/* Calls fn for each row; it lives until fn returns. RC_REFUSED: no such CSV; the err text names the file. */
typedef enum rc registry_row_fn(void *ctx, const struct registry_row *row, struct err *err);
enum rc registry_csv_read(
	const char *path, const struct fieldmap *map, registry_row_fn *fn, void *ctx, struct err *err);

/* A `struct registry` over such a CSV (path NULL: empty) and over the records that were accepted before in the file at hand. */
struct csv_registry;
enum rc csv_registry_load(
	struct csv_registry **out, const char *path, const struct fieldmap *map, struct err *err);
/* Without a CSV any ★ that a step-up needs is taken to be there. */
struct registry csv_registry_ask(struct csv_registry *registry);
/* Remembers an accepted record; the next file starts without those of the last one. */
void csv_registry_add(struct csv_registry *registry, const struct form_values *form, int record);
void csv_registry_next_file(struct csv_registry *registry);
void csv_registry_free(struct csv_registry **registry);

#endif
