/*
 * public_list.h - 宣言事業者一覧: what the public may see, as CSV, PDF and a search page (N28, F83)
 *
 * Only public_fields of the settings, star and day; only what is public now (store: published). Where the profile `instant` is in force the page lists its declarations
 * and the PDF the older ones (seed 003). Rows are read a batch at a time while the office works on; those that ended meanwhile are left out before anything is put in place, and
 * files are replaced whole.
 */
#ifndef SENGEN_PUBLIC_LIST_H
#define SENGEN_PUBLIC_LIST_H

#include "lib/office/office.h"

enum public_form { PUBLIC_CSV = 1, PUBLIC_HTML = 2, PUBLIC_PDF = 4 };

struct public_written {
	int64_t rows;
	uint8_t digest[SHA256_LEN]; /* of the CSV */
};
/* Called now and then with what is done of how much. */
typedef void progress_fn(void *ctx, int64_t done, int64_t all);
/* forms: enum public_form. */
enum rc public_list_write(struct office *office, const char *directory, int forms, progress_fn *progress,
	void *ctx, struct public_written *out, struct err *err);
/* Takes those that ended since the last list out of what lies in the directory at once, without writing all of it anew: the search page looks into gone.js first. */
enum rc public_list_strike(struct office *office, const char *directory, struct err *err);

#endif
