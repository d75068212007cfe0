/*
 * store.h - the register, in the office's words
 *
 * The only way to what is on file. Behind it stands SQLite (WAL, synchronous FULL); no SQL type shows, so that a second
 * implementation can stand beside the first. Several processes may have the register open.
 *
 * Calling sequence: store_open(); then any number of
 *     store_begin() … changes … store_commit()         (or store_rollback(); changes outside are RC_STORE)
 * and reading at any time; store_close(). Keep a transaction under about 10 ms and pause between: writers are unfair.
 * store_begin() takes the write lock at once (BEGIN IMMEDIATE) and waits up to 10 s for it. Who waits asks again after 1 … 100 ms: one that writes again and again asks
 * store_is_awaited() between.
 *
 * Ownership: rows are read into the pool given. Times are UTC seconds, days civil days.
 * Errors: RC_STORE with a sentence (disk full, damaged, newer schema …); after one inside a transaction, roll back.
 */
#ifndef SENGEN_STORE_H
#define SENGEN_STORE_H

#include "lib/base/pool.h"
#include "lib/register.h"

struct store;

enum store_mode {
	STORE_READ, /* for looking: never writes, never creates, never blocks a writer */
	STORE_WRITE, /* creates or upgrades the schema where needed */
};

struct store_settings {
	const char *path; /* the database file */
	const char
		*witness; /* file outside the database with the highest history number; NULL: none (tests) */
	const char *host; /* identity of this machine (digest of machine-id) */
	bool simulated; /* this store is of a simulation; a live one and a simulated one refuse each other */
};

enum rc store_open(
	struct store **store, const struct store_settings *settings, enum store_mode mode, struct err *err);
void store_close(struct store **store);
/* How much of what was read is kept in memory, in KiB; at first 16 MiB. Pages above it take the place of others: whoever passes over much once is faster with little. */
void store_keep(struct store *store, int kib);
/* Lets go of what was kept in memory of rows read so far; they are read again when they are wanted. For who rests: outside a transaction. */
void store_rest(struct store *store);

/* Long work (audit_run(), store_backup()) tells now and then how far it has come. fn NULL: nobody wants to know. */
typedef void progress_fn(void *ctx, int64_t done, int64_t whole);
void store_progress(struct store *store, progress_fn *fn, void *ctx);

enum rc store_begin(struct store *store, struct err *err);
enum rc store_commit(struct store *store, struct err *err); /* then moves the witness forward */
void store_rollback(struct store *store);
bool store_in_transaction(const struct store *store);
/* Did the last statement fail? Tells a register that could not be read from one that holds something that can't be used. */
bool store_failed(const struct store *store);
/* Does another process wait to write? Also true where that can't be told. */
bool store_is_awaited(const struct store *store);
/* What is read between the two is of one moment, and the locks are taken once for all of it. Nothing may be changed between them, unless a transaction was open already. */
enum rc store_look(struct store *store, struct err *err);
void store_looked(struct store *store);

/* ---- history: append-only, chained by SHA-256 ---- */

struct history_row {
	int64_t seq; /* from 1, without gaps */
	utc_time at;
	int64_t application_id; /* 0: of the office, not of an application */
	enum event event;
	enum state from, to;
	int64_t ref; /* notice, file or other application it speaks of; 0: none */
	int64_t number; /* reply code, row, count; 0: none */
	const char *actor; /* "daemon", "staff:uid", "import" … (payload) */
	const char *note; /* reason in the words of whoever gave it; "" (payload, may have been erased) */
	bool erased; /* the payload was erased; the chain still holds */
};

/* Appends a row (seq is set by the store). Identifiers are chained; actor and note go into the payload beside with a salt, the chain holds
 * their digest only. The rows of EVENT_APPLY*, EVENT_IMPORT_*, EVENT_CORRECT, EVENT_NEWS, EVENT_PURGE and EVENT_ERASE also chain a digest of the form's values as
 * they are on file at that moment, where they are: write the form first. */
enum rc history_add(struct store *store, const struct history_row *row, struct err *err);
typedef enum rc history_fn(void *ctx, const struct history_row *row, struct err *err);
/* Rows of one application (0: all), oldest first, after `after_seq`. */
enum rc history_each(struct store *store, int64_t application_id, int64_t after_seq, history_fn *fn,
	void *ctx, struct err *err);
/* How often nobody knew whether the mail server had taken a notice: so many times it may have been taken without the register's knowing. 0 of a notice that
 * belongs to no application: it has no history. */
enum rc history_unknown(struct store *store, const struct notice *notice, int *times, struct err *err);
/* The last row's number and hash (seq 0 and zeros when empty). */
enum rc history_head(struct store *store, int64_t *seq, uint8_t hash[SHA256_LEN], struct err *err);

/* The hash of one row; *there false: there is no such row. */
enum rc history_hash(
	struct store *store, int64_t seq, uint8_t hash[SHA256_LEN], bool *there, struct err *err);

struct audit {
	int64_t rows;
	const char *
		fault; /* static English sentence about the first thing that doesn't fit; NULL: everything does */
	int64_t bad_seq; /* the row it was found at; 0: the chain is whole, something on file contradicts it */
	int64_t about; /* the application, notice or number the fault speaks of; 0: none */
	bool head_found; /* audit_run() with head: some row has that hash */
	int64_t erased; /* payloads erased */
	uint8_t head[SHA256_LEN];
};
/* Recomputes the chain from the first row, and checks each application's state and form against what its history says (events below EVENT_HOLD
 * lead from `from` to `to`), each sent notice against its EVENT_SENT row (ref), each request against the rows of its coming and its end (ref, number),
 * each number against its application. head: NULL, or a hash noted earlier that must be in it. */
enum rc audit_run(struct store *store, const uint8_t *head, struct audit *out, struct err *err);

/* ---- applications ---- */

/* Adds a row as given (id is set). key: applicant_key(); mail_key: mailaddr_key(); row_digest: form_row_digest(). */
enum rc application_add(struct store *store, struct application *app, const char *key, const char *mail_key,
	const uint8_t row_digest[SHA256_LEN], struct err *err);
/* RC_REFUSED: there is none. */
enum rc application_get(
	struct store *store, int64_t id, struct application *out, struct pool *pool, struct err *err);
enum rc application_by_declaration(struct store *store, int64_t declaration_id, struct application *out,
	struct pool *pool, struct err *err);
/* Writes everything but the form's values. */
enum rc application_update(struct store *store, const struct application *app, struct err *err);
/* Writes the form's values and keys anew (corrections). */
enum rc application_update_form(struct store *store, const struct application *app, const char *key,
	const char *mail_key, struct err *err);
/* The live application of a key: id (0: none), its declaration ID, star, state, whether row_digest is the same. A step-up that runs is
 * linked to its ★ and does not count as live. */
enum rc application_live(struct store *store, const char *key, const uint8_t *row_digest, int64_t *id,
	int64_t *declaration_id, int *star, bool *same_row, struct err *err);
/* The step-up that runs for a ★ application; 0: none. */
enum rc application_step_up_of(struct store *store, int64_t star1_id, int64_t *id, struct err *err);
/* Distinct live keys behind a contact address, `key` not counted. */
enum rc application_businesses(
	struct store *store, const char *mail_key, const char *key, int *count, struct err *err);

/* The ids of up to `limit` live, unheld applications whose due_at is at or before `now`, by (due_at, id), behind (after_due, after_id).
 * Costs what it returns. */
struct due_ref {
	int64_t id;
	utc_time due_at;
};
enum rc application_due(struct store *store, utc_time now, utc_time after_due, int64_t after_id,
	struct due_ref *out, int limit, int *count, struct err *err);
enum rc application_next_due(struct store *store, utc_time *at, struct err *err); /* UTC_NEVER: none */

struct application_filter {
	enum state state; /* STATE_NONE: any */
	int hold; /* -1: any, else enum hold */
	bool live_only;
	int64_t after_id; /* only ids above */
	utc_time due_before; /* 0: any */
	utc_time overdue_at; /* 0: any; only those whose latest_at is before */
	const char *key; /* NULL: any */
	int limit; /* 0: none */
};
typedef enum rc application_fn(void *ctx, const struct application *app, struct err *err);
/* with_form false: form values are left NULL (faster). The application lives until fn returns. By id. Like the other *_each functions it reads a
 * batch at a time and has nothing open while fn runs, so fn may change what it likes. What is asked for with due_before, live_only and
 * HOLD_NONE, with overdue_at, or with a key costs what it returns. */
enum rc application_each(struct store *store, const struct application_filter *filter, bool with_form,
	application_fn *fn, void *ctx, struct err *err);

/* ---- numbers: each one drawn has a row, for whom or why void (N4) ---- */
/* RC_REFUSED: it was drawn before (draw another). kind: enum ident_kind. application_id 0 with why: void. */
enum rc number_take(struct store *store, int64_t number, int kind, int64_t application_id, utc_time at,
	const char *why, struct err *err);

/* ---- template sets ---- */
/* Keeps the packed set unless its digest is known; *id either way. */
enum rc template_set_keep(struct store *store, const char *profile, const uint8_t digest[SHA256_LEN],
	const char *packed, size_t len, utc_time at, int64_t *id, struct err *err);
/* The id of the set with that digest; 0: it is not kept. */
enum rc template_set_find_id(struct store *store, const char *profile, const uint8_t digest[SHA256_LEN],
	int64_t *id, struct err *err);
enum rc template_set_get(struct store *store, int64_t id, struct str *packed, struct err *err);

/* ---- models of letters (lib/mail/letter.h) ---- */
/* Keeps the text under its number unless it is there. RC_STORE: another text has that number. */
enum rc letter_model_keep(
	struct store *store, int64_t id, const char *text, size_t len, bool compare, struct err *err);
/* RC_STORE: it is missing or damaged. */
enum rc letter_model_get(struct store *store, int64_t id, struct str *text, struct err *err);

/* ---- outbox ---- */
/* The id the next notice added in this transaction will have: its bounce address stands in the letter, which is composed before. */
enum rc outbox_next_id(struct store *store, int64_t *id, struct err *err);
/* Adds a notice (id is set). letter: packed (letter.h), kept with it. The same application, template and resend number twice: RC_REFUSED. */
enum rc outbox_add(struct store *store, struct notice *notice, int64_t template_set, const void *letter,
	size_t len, struct err *err);
enum rc outbox_get(struct store *store, int64_t id, struct notice *out, struct pool *pool, struct err *err);
/* The packed letter, the set its dictionary comes from, and the DKIM-Signature fields it was sent with ("" before). */
enum rc outbox_letter(struct store *store, int64_t id, struct str *letter, int64_t *template_set,
	struct str *dkim, struct err *err);
/* Notices behind *after_id whose digest is plain (struct notice): id and digest alone; *after_id goes on. */
enum rc outbox_plain_digests(
	struct store *store, int64_t *after_id, int limit, struct notice *out, int *count, struct err *err);
enum rc outbox_digest_set(struct store *store, const struct notice *notice, struct err *err);
/* The S/MIME signature it was sent with and the certificates that belong to it (smime.h); "" where there is none. */
enum rc outbox_signature(
	struct store *store, int64_t id, struct str *signature, struct str *certificates, struct err *err);
/* Keeps them; certificates that are on file are not kept twice. What was kept for that notice is replaced. */
enum rc outbox_signature_set(struct store *store, int64_t id, const struct str *signature,
	const struct str *certificates, struct err *err);
/* The letter first sent under that name for that application, resends not counted; where none was sent, the first one; 0: none. */
enum rc outbox_first(
	struct store *store, int64_t application_id, const char *template_name, int64_t *id, struct err *err);
/* The number of the next letter of that name to an application: 0 when there is none yet, however the others came about. */
enum rc outbox_next_no(
	struct store *store, int64_t application_id, const char *template_name, int *number, struct err *err);
typedef enum rc notice_fn(void *ctx, const struct notice *notice, struct err *err);
enum rc outbox_each(
	struct store *store, int64_t application_id, notice_fn *fn, void *ctx, struct err *err); /* by id */
enum rc outbox_each_in(struct store *store, enum outbox_state state, int64_t after_id, int limit,
	notice_fn *fn, void *ctx, struct err *err);

/* The claim: up to `limit` queued (or unknown whose pause is over) notices whose next_try_at is at or before now become `sending`, oldest first;
 * notices of held applications and to suppressed addresses are passed over; those of ended applications become cancelled, with a history row
 * (neither for an answer, which belongs to no stage and repeats no letter: it may speak of the hold or the end). skip_domain: domains at their rate; NULL ends.
 * The caller holds a transaction; after its commit the claim decides. */
enum rc outbox_claim(struct store *store, utc_time now, int limit, const char *const *skip_domain,
	struct notice *out, int *count, struct pool *pool, struct err *err);
/* What the claim would look at first, in its order: a forecast, nothing is decided. */
enum rc outbox_waiting(struct store *store, utc_time now, int limit, const char *const *skip_domain,
	struct notice *out, int *count, struct pool *pool, struct err *err);
/* Writes state, next_try_at, attempts, reply, accepted_at, first_try_at of one notice, and (when not NULL) the DKIM fields it was sent with. */
enum rc outbox_update(
	struct store *store, const struct notice *notice, const char *dkim, size_t dkim_len, struct err *err);
/* Cancels what is queued for an application and not at the server; *cancelled and *in_flight are counts. */
enum rc outbox_cancel(
	struct store *store, int64_t application_id, int *cancelled, int *in_flight, struct err *err);
/* When the first queued notice behind `after` may be tried; UTC_NEVER: there is none. */
enum rc outbox_next_try(struct store *store, utc_time after, utc_time *at, struct err *err);
/* Counted row by row, all that is on file. */
enum rc outbox_count(struct store *store, int64_t count[OUTBOX_CANCELLED + 1], struct err *err);
/* How many wait, from the number that is kept with every change (store_standing()). */
enum rc outbox_queued(struct store *store, int64_t *count, struct err *err);
/* Mails accepted since `since`, all and (domain not NULL) of a domain: for daily limits. */
enum rc outbox_sent_since(
	struct store *store, utc_time since, const char *domain, int64_t *count, struct err *err);

/* ---- suppression (F50): split by kind ---- */
enum suppression { SUPPRESS_NEWS = 1, SUPPRESS_CASE_MAIL = 2, SUPPRESS_DEAD = 3 };
enum rc suppression_set(struct store *store, const char *mail_key, enum suppression kind, bool on,
	utc_time at, struct err *err);
enum rc suppression_has(
	struct store *store, const char *mail_key, enum suppression kind, bool *yes, struct err *err);

/* ---- received mails: each taken once, kept as it came ---- */
/* Adds a mail in MESSAGE_TAKEN with its bytes, at most 64 MiB (id and state are set; same_as: the first one with the same digest, looked up and set).
 * RC_REFUSED: that UID of INBOX was taken and is not filed yet (message_by_uid()), or it is larger. */
enum rc message_add(
	struct store *store, struct mail_message *message, const void *raw, size_t len, struct err *err);
/* The same in two parts: packing takes longer than all the rest, and no lock. RC_REFUSED as above. */
enum rc message_pack(struct str *packed, const void *raw, size_t len, struct err *err);
enum rc message_add_packed(
	struct store *store, struct mail_message *message, const struct str *packed, struct err *err);
/* Writes state, kind, review, folder, uid_validity, uid, filed_uid, moved_away_at. */
enum rc message_update(struct store *store, const struct mail_message *message, struct err *err);
enum rc message_get(
	struct store *store, int64_t id, struct mail_message *out, struct pool *pool, struct err *err);
/* The mail taken under that UID of INBOX and not yet filed; *id 0: none. */
enum rc message_by_uid(
	struct store *store, int64_t uid_validity, const char *uid, int64_t *id, struct err *err);
/* That UIDVALIDITY begins in another mailbox: what is on file under it (-1 from now on) is not found by its UIDs any more. */
enum rc messages_unnumber(struct store *store, int64_t uid_validity, struct err *err);
/* The newest mail with those bytes, other than `but`; *id 0: none. */
enum rc message_by_digest(
	struct store *store, const uint8_t digest[SHA256_LEN], int64_t but, int64_t *id, struct err *err);
/* The raw bytes; "" once they were erased. RC_STORE: they are not those of the digest any more. RC_REFUSED: there is no such mail. */
enum rc message_raw(struct store *store, int64_t id, struct str *raw, struct err *err);
/* What the reader made of it (received_print()), packed by message_pack() before there is a lock; replaces an earlier reading. */
enum rc message_set_reading(struct store *store, int64_t id, const struct str *packed, struct err *err);
/* The same unpacked. "" where there is none, or it was erased. */
enum rc message_reading(struct store *store, int64_t id, struct str *json, struct err *err);
typedef enum rc message_fn(void *ctx, const struct mail_message *message, struct err *err);
/* In that state, behind after_id, by id, at most limit (0: all); state 0: any. MESSAGE_TAKEN and MESSAGE_READ cost what they return. */
enum rc message_each(struct store *store, enum message_state state, int64_t after_id, int limit,
	message_fn *fn, void *ctx, struct err *err);
/* Filed in 要確認, with an open request, not moved away: to see whether staff moved them. By id. */
enum rc message_each_in_review(struct store *store, message_fn *fn, void *ctx, struct err *err);

/* ---- requests ---- */
enum rc request_add(struct store *store, struct request *request, struct err *err); /* id is set */
enum rc request_update(struct store *store, const struct request *request, struct err *err);
enum rc request_get(struct store *store, int64_t id, struct request *out, struct pool *pool,
	struct err *err); /* RC_REFUSED: there is none */
enum rc request_of_message(
	struct store *store, int64_t message_id, int64_t *id, struct err *err); /* 0: none; the newest */
struct request_filter {
	enum request_state state; /* 0: any */
	bool open_only; /* review, asked, planned */
	enum request_kind kind; /* with any_kind false */
	bool any_kind;
	int64_t application_id; /* 0: any */
	utc_time due_before; /* 0: any; only open ones with due_at before */
	int64_t after_id;
	int limit; /* 0: none */
};
typedef enum rc request_fn(void *ctx, const struct request *request, struct err *err);
/* By id. What is asked for with open_only, a state that is open, an application or due_before costs what it returns. */
enum rc request_each(
	struct store *store, const struct request_filter *filter, request_fn *fn, void *ctx, struct err *err);
enum rc request_next_due(struct store *store, utc_time *at, struct err *err); /* UTC_NEVER: none */

/* ---- tokens (token.h): only digests are kept ---- */
struct token_row {
	int purpose; /* enum token_purpose */
	int64_t subject_id; /* request or application */
	utc_time expires_at, used_at; /* used_at 0: not yet */
	int64_t notice_id; /* the mail that carried it */
	uint8_t mail[16]; /* of the address it was sent to: store_mail_digest() */
};
enum rc token_add(
	struct store *store, const uint8_t digest[SHA256_LEN], const struct token_row *row, struct err *err);
enum rc token_get(struct store *store, const uint8_t digest[SHA256_LEN], struct token_row *out,
	struct err *err); /* RC_REFUSED: unknown */
/* The token a notice carried (its mail bounced); RC_REFUSED: it carried none. */
enum rc token_of_notice(struct store *store, int64_t notice_id, struct token_row *out, struct err *err);
enum rc token_use(struct store *store, const uint8_t digest[SHA256_LEN], utc_time at,
	struct err *err); /* RC_REFUSED: used before or unknown */
/* First 16 bytes of SHA-256 of mailaddr_key(): how addresses are kept where they are only compared. */
void store_mail_digest(uint8_t out[16], const char *mail_key);

/* ---- answers and their limits (T10): what was sent to an address without being asked for by the cadence ---- */
enum rc answer_add(struct store *store, int64_t notice_id, const char *mail_key, bool proven, utc_time at,
	struct err *err);
/* Answers since `since`: to that address (NULL: to any), all or only to unproven senders. */
enum rc answer_count(struct store *store, const char *mail_key, bool unproven_only, utc_time since,
	int64_t *count, struct err *err);

/* ---- bounces ---- */
struct bounce_row {
	int64_t message_id; /* the report */
	int64_t notice_id; /* what came back; 0: matched to nothing, and counts for nothing */
	int class_; /* enum bounce_class */
	bool by_address; /* matched by the signed bounce address, else by Message-ID */
	const char *mail_key; /* of the address that failed */
	utc_time at;
};
enum rc bounce_add(struct store *store, const struct bounce_row *row, struct err *err);
/* Reports so far that a notice came back, sent to its bounce address; one that was taken twice (same bytes) counts once. */
enum rc bounce_count(struct store *store, int64_t notice_id, int *count, struct err *err);
#define BOUNCE_CLASSES 7 /* of enum bounce_class */
/* Reports taken since `since`, by class: those sent to a bounce address, and apart from them those that counted for nothing. */
enum rc bounce_tally(struct store *store, utc_time since, int64_t matched[BOUNCE_CLASSES], int64_t *unmatched,
	struct err *err);
/* Bounces of an application's notices, as they came, those that count; mail_key is not told. */
typedef enum rc bounce_fn(void *ctx, const struct bounce_row *row, struct err *err);
enum rc bounce_each(struct store *store, int64_t application_id, bounce_fn *fn, void *ctx, struct err *err);
struct address_score {
	int64_t score; /* thousandths, as of `at` */
	utc_time at; /* 0: nothing is known of the address */
	int hard; /* hard bounces of different notices in a row */
};
enum rc address_score_get(
	struct store *store, const char *mail_key, struct address_score *out, struct err *err);
enum rc address_score_set(
	struct store *store, const char *mail_key, const struct address_score *score, struct err *err);

/* ---- finding what a mail speaks of ---- */
/* The notice with that Message-ID (without angle brackets); *id 0: none, or its letter was erased. */
enum rc outbox_by_message_id(struct store *store, const char *message_id, int64_t *id, struct err *err);
/* Live applications (declarations first) of a contact address, at most limit; by id. */
enum rc application_by_mail(
	struct store *store, const char *mail_key, int64_t *id, int limit, int *count, struct err *err);
/* Live applications of that 屋号 (any business's name), 代表者名 (姓 and 名 as one) and 都道府県, compared as text_key() does, at most limit; by id. A step-up
 * that runs for a ★ does not count beside it. Nothing fits where one of the three is "". */
enum rc application_by_identity(struct store *store, const char *business_name, const char *representative,
	const char *prefecture, int64_t *id, int limit, int *count, struct err *err);

/* ---- copies of sent notices still to be filed in 送信済み ---- */
enum rc copy_add(struct store *store, int64_t notice_id, struct err *err);
enum rc copy_next(struct store *store, int64_t after_id, int64_t *notice_id, struct err *err); /* 0: none */
enum rc copy_done(struct store *store, int64_t notice_id, struct err *err);

/* ---- files ---- */
enum file_state { FILE_TAKEN = 1, FILE_DONE = 2 };
struct spool_file {
	int64_t id;
	uint8_t digest[SHA256_LEN];
	const char *name; /* as dropped, no directory */
	int64_t size;
	utc_time taken_at;
	int64_t source_dev, source_ino,
		source_mtime_ns; /* of the original in incoming/, to recognise a taking that was cut short; source_ino 0: it is gone */
	const char *owner; /* who dropped it: "1000(sato)" (daemon/owner.h) */
	enum file_state state;
	int rows_done; /* records registered or refused so far: after a crash it goes on there */
	int accepted, refused, same, review, decided;
	int64_t same_as; /* id of the file with the same content; 0: none */
	const char *archive; /* path of the archived original below the spool; "" until done */
};
enum rc file_add(struct store *store, struct spool_file *file,
	struct err *err); /* id is set; same_as too: the first of which something came, else the first */
enum rc file_update(struct store *store, const struct spool_file *file, struct err *err);
enum rc file_get(struct store *store, int64_t id, struct spool_file *out, struct pool *pool, struct err *err);
/* The next file behind `after` that was taken and is not done; 0: none. */
enum rc file_unfinished(struct store *store, int64_t after, int64_t *id, struct err *err);
/* The file once taken from that very inode state; 0: none. */
enum rc file_by_source(struct store *store, int64_t dev, int64_t ino, int64_t mtime_ns,
	const uint8_t digest[SHA256_LEN], int64_t *id, struct err *err);
/* What became of each row, to write the result file after a crash in the middle: verdict (enum result_verdict), application id, findings packed by
 * the caller. */
enum rc file_row_add(struct store *store, int64_t file_id, int row, int verdict, int64_t application_id,
	const void *findings, size_t len, struct err *err);
/* Notes that a file has a row about an application, where that is not the file it came in: the row is forgotten soon, this is not. */
enum rc file_note_about(struct store *store, int64_t file_id, int64_t application_id, struct err *err);
enum rc file_row_get(struct store *store, int64_t file_id, int row, int *verdict, int64_t *application_id,
	struct str *findings, struct err *err);
/* Forgets what became of the rows of files that are done (they carry values), at most `limit` of them; *left: there may be more. */
enum rc file_rows_drop(struct store *store, int limit, bool *left, struct err *err);

/* ---- single facts of the office: pauses, ceilings, forecasts, alarms ---- */
enum rc fact_set(
	struct store *store, const char *name, const char *value, struct err *err); /* value NULL: removed */
enum rc fact_get(struct store *store, const char *name, struct str *value,
	struct err *err); /* "" when there is none */

/* ---- search: half-remembered names, addresses, numbers (F80, F16) ---- */
/* Applications in which every word of `text` (separated by blanks of any width) stands somewhere: business name, representative, contact, prefecture and address, mail address,
 * telephone, postal code, 法人番号; newest first, at most `limit` behind before_id (0: from the newest). Compared by text_search_key(); 株式会社 and the like may stand on either side of a
 * name. Two characters are enough; one finds what begins with it, as up to three digits find numbers that begin with them. A declaration ID or application number is found as well; a user
 * number never. Every number in any way it is written. `more`: there are others. Costs what it returns, and little for what is on file.
 * RC_REFUSED: nothing to look for. Kept by application_add() and application_update_form(); gone with an erasure. */
enum rc search_applications(struct store *store, const char *text, int64_t before_id, int64_t *out, int limit,
	int *count, bool *more, struct err *err);

/* ---- what is public (N6, N28): kept by rule in the transaction that changes it, not by the writing of a list ---- */
/* An application is public from the moment the settings say (its ID or its logo) until it ends. While it is, its public values are those of its form;
 * when they change or it ends, the interval is closed with the values as they were. */
#define FACT_PUBLIC_FROM                                                                                     \
	"public.from" /* "id" or "logo": the rule by which the intervals on file were kept; absent: not filled yet */
struct published {
	int64_t application_id;
	utc_time since, until; /* until 0: public now */
	const char
		*values; /* packed by the caller (lib/desk/public_list.h); "" while `until` is 0, or erased */
};
/* Nothing is changed where it is public already. An interval that was closed within the same second goes on. */
enum rc published_open(struct store *store, int64_t application_id, utc_time since, struct err *err);
/* Nothing is changed where it is not public. */
enum rc published_close(
	struct store *store, int64_t application_id, utc_time until, const char *values, struct err *err);
typedef enum rc published_fn(void *ctx, const struct published *published, struct err *err);
enum rc published_has(
	struct store *store, int64_t application_id, bool *now, struct err *err); /* is it public? */
/* Its intervals, oldest first. */
enum rc published_of(
	struct store *store, int64_t application_id, published_fn *fn, void *ctx, struct err *err);
/* What is public now behind after_id, by application id, at most `limit`, a batch at a time with nothing open while fn runs: to go on another time behind the last. */
typedef enum rc public_application_fn(
	void *ctx, const struct application *app, utc_time since, struct err *err);
enum rc published_some(struct store *store, int64_t after_id, int limit, public_application_fn *fn, void *ctx,
	struct err *err);
enum rc published_count(struct store *store, int64_t *count, struct err *err); /* public now */
/* Those whose interval ended at or after `since`, by the moment it ended: what must leave a list that was being written meanwhile (unless another interval has
 * begun). */
enum rc published_ended(struct store *store, utc_time since, published_fn *fn, void *ctx, struct err *err);
/* A list that was written. */
struct publication {
	int64_t id;
	utc_time at;
	int64_t rows;
	uint8_t digest[SHA256_LEN]; /* of its CSV */
};
enum rc publication_add(
	struct store *store, struct publication *publication, struct err *err); /* id is set */
enum rc publication_last(struct store *store, struct publication *out, struct err *err); /* id 0: none */

/* ---- days: how much of what happened, reckoned from the history, so that any time it can be reckoned anew ---- */
enum daily {
	DAILY_FILES = 1, /* files taken */
	DAILY_APPLICATIONS = 2,
	DAILY_REFUSED = 3, /* rows of files */
	DAILY_QUEUED = 4, /* notices */
	DAILY_SENT = 5,
	DAILY_FAILED = 6,
	DAILY_MAILS = 7, /* requests that came in */
	DAILY_BOUNCES = 8,
	DAILY_IDS = 9,
	DAILY_LOGOS = 10,
	DAILY_STOPS = 11,
	DAILY_REVIEWS = 12, /* put into 要確認, applications and requests */
	DAILY_COUNT
};
const char *daily_name(enum daily kind); /* "files", … */
/* Counts up to `limit` further history rows (a transaction of the caller's); *more: there are others. */
enum rc daily_update(struct store *store, int limit, bool *more, struct err *err);
/* count[day - from][kind] for the days from..until; what is not counted yet is missing. */
enum rc daily_get(
	struct store *store, civil_day from, civil_day until, int64_t (*count)[DAILY_COUNT], struct err *err);
/* When the last one of each kind happened; 0: never. */
enum rc daily_last(struct store *store, utc_time at[DAILY_COUNT], struct err *err);
/* How many of each kind since the register began: they only grow. */
enum rc daily_sum(struct store *store, int64_t sum[DAILY_COUNT], struct err *err);

/* ---- batches that wait for a person (N20) ---- */
enum rc held_batch_add(struct store *store, struct held_batch *batch, struct err *err); /* id is set */
enum rc held_batch_update(struct store *store, const struct held_batch *batch, struct err *err);
enum rc held_batch_get(
	struct store *store, int64_t id, struct held_batch *out, struct pool *pool, struct err *err);
typedef enum rc held_batch_fn(void *ctx, const struct held_batch *batch, struct err *err);
enum rc held_batch_each_open(struct store *store, held_batch_fn *fn, void *ctx, struct err *err); /* by id */
/* The open one with that reason; *id 0: there is none. */
enum rc held_batch_open(struct store *store, enum batch_reason reason, int64_t *id, struct err *err);
/* The notices of a set that wait to be sent: counted, and each id handed to fn (NULL: only counted). fn may not touch the store. */
typedef void notice_id_fn(void *ctx, int64_t notice_id);
enum rc held_batch_notices(struct store *store, int64_t template_set, notice_id_fn *fn, void *ctx,
	int64_t *count, struct err *err);
/* Whether a template set waits: outbox_claim() passes over its notices. */
enum rc held_batch_holds_set(struct store *store, int64_t template_set, bool *yes, struct err *err);

/* ---- the evening's books (rule 6 of the cadence) ---- */
/* Files done whose rows were not recounted from their archive yet, or whose archive was gone then, behind after_id, by id, at most limit. */
typedef enum rc file_fn(void *ctx, const struct spool_file *file, struct err *err);
enum rc file_each_uncounted(
	struct store *store, int64_t after_id, int limit, file_fn *fn, void *ctx, struct err *err);
/* What the archive of a file gave: its rows (-1: it is gone, changed, or can't be read now). */
enum rc file_recounted(struct store *store, int64_t file_id, int rows, struct err *err);
/* Files taken in [from, until), by id: for digest and report. */
enum rc file_each(
	struct store *store, utc_time from, utc_time until, file_fn *fn, void *ctx, struct err *err);
/* Rows of files, as taken and as recounted. */
struct row_books {
	int64_t files, rows; /* as taken */
	int64_t recounted_files, recounted_rows; /* from the archives */
	int64_t different_files; /* whose two counts differ, or whose archive is gone */
	int64_t accepted, refused, same, review, decided;
	int64_t imported; /* applications that came with no file */
};
/* imported is left 0: books_of_stages() counts it. */
enum rc books_of_rows(struct store *store, struct row_books *out, struct err *err);
/* Each application of a stage in one of these. */
struct stage_books {
	int64_t applications; /* registered that ever had this stage before them */
	int64_t unconfirmed, waiting, held, review, queued, sent, unknown, failed, ended;
};
/* Of the applications received under one template set. */
struct set_books {
	int64_t template_set;
	int stage_count; /* of its profile: the caller's */
	struct stage_books stage[STAGE_MAX];
};
/* What does not fit, and where. */
enum odd_kind {
	ODD_ROWS, /* file about: its rows_done are `expected`, its archive gave, or its verdicts add up to, `found` */
	ODD_ARCHIVE, /* file about: its archive was gone, changed or unreadable when it was recounted */
	ODD_REGISTERED, /* file about: registered rows, and applications on file that came from it */
	ODD_STAGE, /* application about: stage `expected` is behind it, and there is no notice of it */
	ODD_SET, /* application about: of a template set that is not among the caller's, number `expected` */
	ODD_NOTICE, /* notice about: its application, `expected`, is not on file */
	ODD_NUMBER, /* a number of application `about`, which is not on file */
	ODD_REQUEST, /* request about: its application, `expected`, is not on file */
};
typedef enum rc odd_fn(
	void *ctx, enum odd_kind kind, int64_t about, int64_t expected, int64_t found, struct err *err);
/* Fills the stages of the sets given; fn gets what does not fit, 1000 at most, *odd is how many there are. All of it as of one moment, nothing open while fn runs. Costs a
 * pass over applications, outbox, numbers, requests and files. */
enum rc books_of_stages(struct store *store, struct set_books *set, int count, int64_t *imported, odd_fn *fn,
	void *ctx, int64_t *odd, struct err *err);
/* Live applications with a stage still before them, by state, and of those by age: age[state][i] were received at or after since[i], and before since[i - 1].
 * oldest_queued: when the first notice that still waits was queued (0: none); open_batches: those not let go yet. */
#define WAITING_AGES 8
struct waiting_books {
	int64_t waiting[STATE_COUNT];
	int64_t age[STATE_COUNT][WAITING_AGES];
	utc_time oldest_queued;
	int64_t open_batches;
};
enum rc books_of_waiting(
	struct store *store, const utc_time since[WAITING_AGES], struct waiting_books *out, struct err *err);
/* Notices of that name and of no application, queued since: given up or unknown, and come back (in any way that counts). */
enum rc outbox_lost(struct store *store, const char *template_name, utc_time since, int64_t *failed,
	int64_t *returned, struct err *err);
/* Ids of all template sets, in the pool. */
enum rc template_sets(struct store *store, int64_t **id, int *count, struct pool *pool, struct err *err);
/* Notices that the mail server took in [from, until), by the register, in that order. */
typedef enum rc accepted_fn(void *ctx, int64_t notice_id, struct err *err);
enum rc outbox_each_accepted(
	struct store *store, utc_time from, utc_time until, accepted_fn *fn, void *ctx, struct err *err);

/* ---- data protection: what is kept how long, and what is erased ---- */
enum retained {
	RETAINED_SURVEY = 1, /* answers of the survey in forms */
	RETAINED_MAIL = 2, /* raw mails and their readings, requests' notes */
	RETAINED_LETTER = 3, /* letters of ended declarations */
	RETAINED_ENDED = 4, /* forms, history payloads, identity and search entries of ended applications */
	RETAINED_FILE = 5, /* archived form files and their results */
	RETAINED_REFUSED = 6, /* archived files of which nothing was registered */
	RETAINED_PUBLIC = 7, /* closed intervals of the public list */
	RETAINED_STRAY =
		8, /* letters of no application: answers to strangers and refused rows, mails to the desk */
	RETAINED_COUNT
};
const char *retained_name(enum retained kind); /* "survey", … */
const char *retained_name_ja(enum retained kind);
/* One thing past its time. */
struct retained_item {
	enum retained kind;
	int64_t id; /* application, message, file or notice */
	utc_time since; /* what its time counts from */
	const char *
		kept_because; /* why it is passed over, in Japanese (contested, bounced, waiting, open request); NULL: it goes */
	const char *path; /* of a file, below the spool; "" */
};
typedef enum rc retained_fn(void *ctx, const struct retained_item *item, struct err *err);
/* Those of a kind whose time ended before `before`, oldest first, behind the item given (NULL: from the oldest), at most limit. Nothing is open while fn
 * runs. Costs what it returns. */
enum rc retained_each(struct store *store, enum retained kind, utc_time before,
	const struct retained_item *after, int limit, retained_fn *fn, void *ctx, struct err *err);
/* What an erasure would take, or took: rows by table. */
struct erasure {
	int64_t forms, history, letters, mails, requests, files, published, search;
};
/* Erases one item's personal data; chain, numbers and counts stay. preview: only counts. What it leaves on the disk is entered for scrub_next(). The form
 * without its survey gets a new salt, so that nobody can try out answers against the digest recorded earlier: the caller adds EVENT_PURGE or EVENT_ERASE for the
 * application in the same transaction, which chains the digest of what is left. */
enum rc retained_erase(struct store *store, const struct retained_item *item, bool preview,
	struct erasure *out, struct err *err);
/* Everything personal about one application, whatever its state, over all tables, the mails about it included. */
enum rc application_erase(
	struct store *store, int64_t application_id, bool preview, struct erasure *out, struct err *err);
/* The mails about an application, or that its notices came back with: for a preview. */
typedef enum rc erased_message_fn(void *ctx, int64_t message_id, struct err *err);
enum rc application_mails(
	struct store *store, int64_t application_id, erased_message_fn *fn, void *ctx, struct err *err);
/* The archived form files that an erasure of an application takes: the one it came in, others with a row about it, and the same ones dropped again; by id. */
enum rc application_files(
	struct store *store, int64_t application_id, file_fn *fn, void *ctx, struct err *err);
/* A mail and all with the same bytes: each is kept for itself. */
enum rc message_copies(
	struct store *store, int64_t message_id, erased_message_fn *fn, void *ctx, struct err *err);

/* What an erasure that is on record still has to take from the disk. Taking it away can be done again, so a crash in between costs nothing. */
struct scrub {
	int64_t file_id; /* archived form file, with its results; 0: none */
	int64_t message_id; /* a mail laid out for staff; 0: none */
	const char *path; /* of the archived file, below the spool; "" */
};
/* The first behind `after` (NULL: of all); *there false: nothing is left to do. Archives that the evening's books did not recount yet wait until they did. */
enum rc scrub_next(struct store *store, const struct scrub *after, struct scrub *out, bool *there,
	struct pool *pool, struct err *err);
enum rc scrub_done(struct store *store, const struct scrub *scrub, struct err *err);
/* Whether a path below the spool is the archive of a file on record. */
enum rc file_is_archive(struct store *store, const char *path, bool *yes, struct err *err);
/* Empties the write-ahead log where it still holds what was erased. Outside a transaction; *done false: somebody reads it, try again. */
enum rc store_scrub_log(struct store *store, bool *done, struct err *err);

/* ---- copies ---- */
/* A whole copy of the register as of one moment into a new file of mode 0600 (VACUUM INTO, which takes no lock that a writer would wait for), while others go on; written
 * under PATH.part, opened anew, checked (integrity, chain) and synced before it gets its name. store_progress() is told of bytes, then of rows. A store opened for
 * reading is enough. RC_REFUSED: the file is there already, or another backup writes it. On failure nothing is left. */
enum rc store_backup(struct store *store, const char *path, struct audit *audit, struct err *err);
/* The version of a register's file, and the one that this program writes; nothing is opened or changed. RC_STORE: it is no register, or can't be read. */
enum rc store_version(const char *path, int64_t *version, int64_t *known, struct err *err);
/* RC_STORE: the file is damaged, whatever its rows say. */
enum rc store_check_file(struct store *store, struct err *err);

/* ---- the witness (rule 5 of the cadence) ---- */
enum restored {
	RESTORED_NO,
	RESTORED_OLDER, /* the history is shorter than the witness has seen: a restored backup */
	RESTORED_OTHER_HOST, /* it was written on another machine */
};
/* As found when the store was opened for writing, or released since. */
enum restored store_restored(struct store *store);
/* How many rows the witness has seen; 0: it has seen nothing, or there is none. Nothing is made or changed. RC_STORE: it can't be read. */
enum rc store_witness(const char *path, int64_t *seq, struct err *err);
/* The moment a restored register is a copy of, and the highest notice it had then; of one that is not restored, as it stands now. */
enum rc store_copy_of(struct store *store, utc_time *at, int64_t *last_notice, struct err *err);
/* Staff have looked and release it: the store belongs to this host and this witness from now on. */
enum rc store_adopt(struct store *store, struct err *err);

struct books {
	int64_t rows, refused, same; /* rows of files */
	int64_t applications, by_state[STATE_COUNT], held, review;
	int64_t outbox[OUTBOX_CANCELLED + 1];
	int64_t mails[MESSAGE_FILED + 1]; /* received, by enum message_state */
	int64_t requests[REQUEST_STATE_COUNT];
	int64_t orphan_notices, orphan_numbers, orphan_requests; /* must be 0 */
};
/* Counted row by row: what the evening's books are held against. */
enum rc store_books(struct store *store, struct books *out, struct err *err);
/* The same at a glance, from numbers that are kept with every change (audit_run() checks them); costs nothing of what is on file. Orphans are not looked for: 0. */
enum rc store_standing(struct store *store, struct books *out, struct err *err);
/* Rows, refused and same, which store_standing() leaves out: summed over all files ever taken. */
enum rc store_rows(struct store *store, struct books *out, struct err *err);

#endif
