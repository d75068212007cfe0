/*
 * intake.h - the private parts of the role intake: spool → applications
 *
 *   intake.c       which files are next, taking them, pausing, the role
 *   intake_file.c  one taken file: its parser child, its records
 *   intake_bundle.c  many small files at once
 *   intake_rows.c  records become rows of the register
 *   intake_archive.c  results and originals
 *   intake_decide.c  a row that is a decision of staff
 *
 * A file goes through: copy in work/ → row in the register (FILE_TAKEN) → original removed → records, several a transaction → result and original in
 * the archive → FILE_DONE. Each arrow is one durable step; after a crash the taken copy goes on at rows_done. Small files go through together, each arrow one
 * step for all of them; whatever goes wrong, those that are not done go on one by one, as after a crash.
 */
#ifndef SENGEN_INTAKE_H
#define SENGEN_INTAKE_H

#include "daemon/role.h"
#include "daemon/spool.h"
#include "daemon/wire.h"
#include "lib/form/result.h"

#define INTAKE_BATCH_FIRST 20 /* records in the first transaction of a file */
#define INTAKE_BUNDLE_MAX 192 /* files taken at once */
#define INTAKE_SMALL_BYTES 16384 /* of a file that may be one of them */

/* The file in work. */
struct intake_file {
	struct pool *pool; /* owned: strings of `file` and `head` */
	struct spool_file file; /* as in the register; id 0: none */
	struct form_head head;
	struct result *result; /* owned; NULL before the first record and after the end */
	int child; /* socket to the parser child; -1: none */
	struct wire_queue said; /* by it */
	int record; /* the last one received */
	bool read_whole; /* WIRE_DONE came, or there is nothing to read */
	bool died; /* its parser child did; another one may read it */
	bool child_failed; /* or said what can't be */
	int deaths; /* so far */
	bool dropped_again; /* the same content was taken before */
	const char *fault_ja; /* the file as a whole, for staff; NULL: none */
	int64_t cannot_id; /* the file whose child said that it can't work */
	int cannot; /* and how often */
	int batch; /* records per transaction, adapted to the disk */
	struct pool *batch_pool; /* owned */
	struct spool_file before; /* while a transaction is open: what a rollback goes back to */
};

/* A record and what became of it. */
struct intake_row {
	struct intake_file *in;
	const struct form_record *record;
	enum result_verdict verdict;
	int64_t application_id;
	struct findings findings;
	const char *detail_ja;
};

/* A file that was taken just now. */
struct intake_taken {
	int64_t id;
	bool removed; /* its original is gone: where it came from need not be known any more */
	const struct str *bytes; /* what lies in work/, where it is small; NULL: it is not */
};

/* Opens a file the register knows; its copy lies in work/ under its id. */
enum rc intake_file_open(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err);
/* The same without a child: what the register knows, and whether its content was taken before. */
enum rc intake_file_look_up(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err);
/* Records from its child, up to `max`; what they hold lies in in->batch_pool. */
enum rc intake_gather(struct role_context *ctx, struct intake_file *in, struct form_record *record, int max,
	int *count, struct err *err);
/* One transaction's worth of records. *done: the file is finished and archived. */
enum rc intake_file_step(
	struct role_context *ctx, struct spool *spool, struct intake_file *in, bool *done, struct err *err);
/* Reads no further: the result says that the file could not be worked through. */
void intake_file_give_up(struct intake_file *in);
/* Leaves the file as it stands; it can be opened again. */
void intake_file_close(struct intake_file *in);

/* Small files that were just taken, all the way. Those that are unfinished when it returns go on one by one, as after a crash. *batch: as in struct intake_file. */
enum rc intake_bundle_work(struct role_context *ctx, struct spool *spool, const struct intake_taken *taken,
	int count, int *batch, struct err *err);

/* Rows of one or several files, one file behind the other: in transactions of up to *batch rows; a decision has one of its own. */
enum rc intake_rows_write(
	struct role_context *ctx, struct intake_row *row, int count, int *batch, struct err *err);
/* After a crash: what became of a row is known already. */
enum rc intake_row_recall(struct role_context *ctx, struct intake_row *row, struct err *err);
enum rc intake_rows_answer(const struct intake_row *row, int count, struct err *err);
/* Other writers get their turn after a transaction that took so long. */
void intake_pause(const struct role_context *ctx, int64_t held_ms);

void intake_begin_result(struct role_context *ctx, struct intake_file *in);
/* Originals into the archive, results, register: each can be done again after a crash. */
enum rc intake_files_finish(struct role_context *ctx, struct spool *spool, struct intake_file *const *in,
	int count, struct err *err);

/* Forgets what became of the rows of files that are done, a few a transaction. */
enum rc intake_rows_drop(struct role_context *ctx, struct err *err);

/* May the owner of the file decide? NULL: yes; else why not, for staff (in->pool). *note_ja: who decides, for the head of the result. */
const char *intake_refuse_owner(struct role_context *ctx, struct intake_file *in, const char **note_ja);
/* Carries one row out, within the caller's transaction. *detail_ja (in->batch_pool): what was done, or with RC_REFUSED why not and how to mend it: then the caller rolls
 * back, since a part may have been written. *application_id: whom it was about; 0: nobody known. */
enum rc intake_decide(struct role_context *ctx, struct intake_file *in, const struct form_record *record,
	int64_t *application_id, const char **detail_ja, struct err *err);

/* The name of the copy in work/. */
void intake_copy_name(struct str *out, int64_t file_id);
/* Writes a result for a file that was never read (too large): `original` is moved from directory descriptor `from` into rejected/. */
enum rc intake_refuse_unread(struct role_context *ctx, struct spool *spool, const char *original,
	const char *why_ja, struct err *err);

#endif
