/*
 * public_list.h - 宣言事業者一覧: what the public may see, as CSV, PDF and a search page (N28, F83)
 *
 * Only public_fields of the settings, star and day; only what is public now (store: published), by prefecture and name. Where the profile `instant` is in force
 * the page lists its declarations and the PDF the older ones (seed 003); the CSV always has all. Rows are read a batch at a time while the office works on; those that ended
 * meanwhile are left out before anything is put in place, and files are replaced whole: declarations.csv, declarations.pdf, and index.html, which leads to a directory of
 * data (data-…) that is new each time; the one before stays until the next list, for pages that are open.
 *
 * Memory: 48 bytes a row while a list is written, and some megabytes. RC_REFUSED: another process writes there, or office_settle_public() has not come to its end.
 */
#ifndef SENGEN_PUBLIC_LIST_H
#define SENGEN_PUBLIC_LIST_H

#include "lib/office/office.h"

enum public_form { PUBLIC_CSV = 1, PUBLIC_HTML = 2, PUBLIC_PDF = 4 };
#define PUBLIC_FORMS (PUBLIC_CSV | PUBLIC_HTML | PUBLIC_PDF)

struct public_written {
	int64_t rows;
	uint8_t digest[SHA256_LEN]; /* of the CSV; zeros where none was written */
};

/* A list that is written a bit a call. */
struct public_writer;
struct public_progress {
	bool finished;
	int64_t done, all; /* rows */
	struct public_written written; /* once it is finished */
	struct err pdf_fault; /* why there is no PDF; the other forms are in place, without a link to it */
};
/* forms: enum public_form. The settings may be exchanged while it is open. */
enum rc public_writer_open(
	struct public_writer **out, struct office *office, const char *directory, int forms, struct err *err);
/* Works for about that long; sorting a million rows takes half a second in one piece. After an error there is nothing left but to close it. */
enum rc public_writer_step(
	struct public_writer *writer, int milliseconds, struct public_progress *progress, struct err *err);
/* What is not in place is taken away. */
void public_writer_close(struct public_writer **out);

/* Enters a list that was written, with its row of the history (own transaction); a store opened for writing. */
enum rc public_list_record(
	struct office *office, const struct public_written *written, const char *actor, struct err *err);

/* Takes those that ended since the last list off the search page at once, without writing it anew: the page looks into gone.js first. CSV and PDF follow with the next
 * list. Nothing is done where no page lies there. *ended (may be NULL): some did, so that a new list is wanted. */
enum rc public_list_strike(struct office *office, const char *directory, bool *ended, struct err *err);

#endif
