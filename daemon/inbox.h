/*
 * inbox.h - the private parts of the role mailbox: received mails → requests
 *
 *   mailbox.c     what is to be done next, the line to the mailbox and its troubles, waiting, the role
 *   inbox_fetch.c  what lies in INBOX over the line, several mails a command, the next ones ahead
 *   inbox_take.c   a look at INBOX: new mails into the register, and on
 *   inbox_read.c   what was taken through its parser child to the office
 *   inbox_file.c   what was read to its folder; what staff moved by hand; copies of sent notices
 *
 * A mail goes through these durable steps, and each may be repeated after a crash:
 *
 *   1. its bytes, digest and UID are written as MESSAGE_TAKEN, in one transaction with the mark: the UID up to which INBOX has been taken.
 *      Before that commit the mail lies in INBOX behind the mark and is fetched again; after it, it is never fetched again.
 *   2. it is read from the kept bytes, and what follows from it is written with MESSAGE_READ in one transaction (office_receive()).
 *      Before that commit nothing of it is known and it is read again; after it, it is never read again.
 *   3. it is moved to its folder. Moving what is gone from INBOX is no error, so this is repeated until
 *   4. MESSAGE_FILED is written.
 *
 * Mails go through these steps in batches of at most INBOX_BATCH mails and INBOX_BATCH_BYTES, in the order of INBOX; that is the bound on what one mail waits for others. While one batch is
 * written and read, the line child already fetches the next and moves the one before, and while some mails are handed to the office, the next ones are with their readers: the last of one batch
 * when the next is written, too. A batch is read from the bytes in hand; from the kept ones, where a crash or a pause came between.
 *
 * A mail is therefore lost only where the mailbox loses it before 1, and carried out once because 2 stands or falls as a whole.
 *
 * When the server's UIDVALIDITY changes, or the settings name another mailbox, all of INBOX is looked at anew (RFC 3501, 2.3.1.1): a mail whose digest is
 * known is the known one under a new UID and is not read again, only moved. What the register holds under an old UID is not touched until that is done, for the UID
 * may by now be another mail's, nor found by it where two mailboxes have the same UIDVALIDITY; what did not turn up is not in INBOX any more. A Maildir has no mark: all of it is listed, and a name that was
 * taken and is not filed yet is passed over.
 */
#ifndef SENGEN_INBOX_H
#define SENGEN_INBOX_H

#include "daemon/mail_handover.h"
#include "daemon/mail_reader.h"
#include "daemon/role.h"

#define INBOX_STUCK_MAX 16
#define INBOX_BATCH 64 /* mails, */
#define INBOX_BATCH_BYTES (1024 * 1024) /* and bytes, but for one mail that alone has more */

struct inbox_mark { /* fact "mailbox.mark" */
	int64_t uid_validity;
	char uid[24]; /* "": nothing yet */
	bool anew; /* INBOX is being looked at anew: a known digest is a known mail */
	char mailbox[17]; /* which one: a digest of server, user and folder */
};

struct inbox_look; /* inbox_fetch.c */
struct inbox_moving; /* inbox_file.c */

struct inbox {
	struct mailline line;
	bool selected; /* INBOX was listed since the line stands: UIDs of mark.uid_validity mean what they say */
	struct inbox_mark mark;
	bool marked; /* there is a mark */

	bool look; /* something may be new in INBOX */
	bool took; /* the last look brought something */
	struct inbox_look *looking; /* owned: what was listed and is being taken; NULL: nothing */
	struct inbox_batch
		*reading; /* owned: in the register, and all with their readers or behind them; NULL: none */
	struct inbox_moving *moving; /* owned: the line child moves these; NULL: none */
	bool unread,
		unmoved; /* the register may hold mails that are MESSAGE_TAKEN and not in `reading`, MESSAGE_READ */
	bool copies; /* sent notices may wait to be filed */
	utc_time next_arrival; /* simulation: when the next mail of the Maildir arrives */

	int batch; /* mails a transaction of the office: 1 at first, so that one that ends the process is found */
	bool counted; /* the first unread mail of the start: how often it was begun */
	int64_t give_up_id; /* ended the process again and again: it is not read */

	struct {
		int64_t id;
		int64_t since_ms;
	} stuck[INBOX_STUCK_MAX]; /* the server refuses to move them; left alone for a while */
	int stuck_count;
	bool move_alone; /* a move of several failed: one at a time, to find the one */

	utc_time review_at; /* next look at what staff moved by hand */
};

struct inbox_mail { /* on its way into the register and to the office */
	struct mail_message message; /* as in the register */
	bool unfetched; /* it can't be had */
	bool known; /* it stands in the register already, under this UID or another */
	struct str raw; /* owned; "" where it lies in the register */
	struct str packed; /* owned; on the way there: these bytes, then what was read of them */
	int file; /* owned: the same as a sealed memory file; -1: none */
	struct mail_reading reading;
	const struct received *received; /* NULL: see damage */
	const char *damage;
};

struct inbox_batch {
	struct pool *pool; /* owned */
	struct inbox_mail mail[INBOX_BATCH];
	size_t count;
	size_t begun, read, settled; /* so many went to a reader, came back, were handed to the office */
};
struct inbox_batch *inbox_batch_new(void);
struct inbox_mail *inbox_batch_add(struct inbox_batch *batch); /* raw empty, file -1 */
void inbox_batch_free(struct inbox_batch **batch);

/* ---- inbox_fetch.c ---- */
/* Lists INBOX: inbox->looking. RC_SERVER: the line. */
enum rc inbox_look_begin(struct role_context *ctx, struct inbox *inbox, struct err *err);
/* The next mails of it, and asks for those behind them. *last: the mark, once these are written; "": as it was. RC_SERVER: the line; the batch has what came before. */
enum rc inbox_fetch(struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, char *last,
	size_t last_size, utc_time now, struct err *err);
/* All was fetched. *more: more lies in INBOX than was listed. */
bool inbox_look_is_over(const struct inbox *inbox, bool *more);
void inbox_look_end(struct inbox *inbox);
/* What was asked for ahead is asked for again later: the line is wanted for something else. RC_SERVER: the line. */
enum rc inbox_fetch_later(struct inbox *inbox, struct err *err);

/* ---- inbox_take.c ---- */
/* Reads the mark. */
enum rc inbox_mark_load(struct role_context *ctx, struct inbox *inbox, struct err *err);
enum rc inbox_mark_set(struct store *store, const struct inbox_mark *mark, struct err *err);
/* Takes a batch of what is new, reads it, and has it moved. RC_SERVER: the line. After a failure nothing is under way any more, and the line is closed. */
enum rc inbox_take(struct role_context *ctx, struct inbox *inbox, utc_time now, struct err *err);
/* Closes the line; what was listed, asked for or begun to be moved is found again over another one. */
void inbox_let_go(struct inbox *inbox);

/* ---- inbox_read.c ---- */
/* A batch of taken mails to the office; unread says whether more are left. One that has ended the process again and again goes to people. */
enum rc inbox_read(struct role_context *ctx, struct inbox *inbox, struct err *err);
/* Starts the first readers of a batch: they work while the role does something else. */
enum rc inbox_read_begin(
	struct role_context *ctx, struct inbox *inbox, struct inbox_batch *batch, struct err *err);
/* Reads on, until the last of `reading` are with their readers; hands to the office what was read so far. */
enum rc inbox_read_on(struct role_context *ctx, struct inbox *inbox, struct err *err);
/* Ends `reading`, where there is one: all of it was handed to the office, or, after a failure, it was given up. */
enum rc inbox_read_end(struct role_context *ctx, struct inbox *inbox, struct err *err);
/* Gives it up: what was not handed to the office is read anew, from the register. */
void inbox_read_forget(struct inbox *inbox);

/* ---- inbox_file.c ---- */
/* Has moved what was read, in two halves: between them the line child works, and the role may do something else. The end does nothing where nothing was begun. RC_SERVER: the line. */
enum rc inbox_move_begin(struct role_context *ctx, struct inbox *inbox, struct err *err);
enum rc inbox_move_end(struct role_context *ctx, struct inbox *inbox, struct err *err);
void inbox_move_forget(struct inbox *inbox); /* the line is gone; what was moved is found gone later */
/* Which mails staff took out of 要確認. RC_SERVER: the line. */
enum rc inbox_look_for_moved(struct role_context *ctx, struct inbox *inbox, struct err *err);
/* Files one copy of a sent notice; copies says whether more may wait. RC_SERVER: the connection that is made for it. */
enum rc inbox_copy(struct role_context *ctx, struct inbox *inbox, struct err *err);

/* Whatever goes wrong behind the line is trouble of the line: RC_SERVER. RC_REFUSED speaks of one mail. */
enum rc inbox_line_rc(enum rc rc, struct err *err);
/* One fact in a transaction of its own; value NULL: removed. */
enum rc inbox_fact_write(struct store *store, const char *name, const char *value, struct err *err);
/* Ends a transaction as `rc` says: commit, or roll back. */
enum rc inbox_end(struct store *store, enum rc rc, struct err *err);

#endif
