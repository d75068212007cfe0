/*
 * intake.h - the private parts of the role intake: spool → applications
 *
 *   intake.c       which file is next, taking it, pausing, the role
 *   intake_file.c  one taken file: its parser child, its rows, its result
 *   intake_decide.c  a row that is a decision of staff
 *
 * A file goes through: copy in work/ → row in the register (FILE_TAKEN) → original removed → records, several a transaction → result and original in
 * the archive → FILE_DONE. Each arrow is one durable step; after a crash the taken copy goes on at rows_done.
 */
#ifndef SENGEN_INTAKE_H
#define SENGEN_INTAKE_H

#include "daemon/role.h"
#include "daemon/spool.h"

/* The file in work. */
struct intake_file {
	struct pool *pool; /* owned: strings of `file` and `head` */
	struct spool_file file; /* as in the register; id 0: none */
	struct form_head head;
	struct result *result; /* owned; NULL before the first record and after the end */
	int child; /* socket to the parser child; -1: none */
	int record; /* the last one received */
	bool read_whole; /* WIRE_DONE came, or there is nothing to read */
	bool died; /* its parser child did; another one may read it */
	int deaths; /* so far */
	bool dropped_again; /* the same content was taken before */
	const char *fault_ja; /* the file as a whole, for staff; NULL: none */
	int64_t cannot_id; /* the file whose child said that it can't work */
	int cannot; /* and how often */
	int batch; /* records per transaction, adapted to the disk */
	struct pool *batch_pool; /* owned */
	struct str frame;
};

/* Opens a file the register knows; its copy lies in work/ under its id. */
enum rc intake_file_open(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err);
/* One transaction's worth of records. *done: the file is finished and archived. */
enum rc intake_file_step(
	struct role_context *ctx, struct spool *spool, struct intake_file *in, bool *done, struct err *err);
/* Reads no further: the result says that the file could not be worked through. */
void intake_file_give_up(struct intake_file *in);
/* Leaves the file as it stands; it can be opened again. */
void intake_file_close(struct intake_file *in);

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
