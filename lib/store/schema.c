#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

/*
 * The register's layout. Enumerations are stored as their numbers (register.h: append only), times as UTC seconds, days as days since
 * 1970-01-01; NULL in a time means never, in a day none. Personal values stand only in *_payload, letter and file_row, so that they
 * can be erased while everything that is chained, counted or looked up stays.
 */

/*
 * What version 3 brought: received mails and what became of them. A new register gets these very tables, so that both ways end alike; whoever changes one of them
 * later copies this text for the migration first.
 */
static const char mailbox_tables[] =
	"CREATE TABLE message (" /* struct mail_message */
	" id INTEGER PRIMARY KEY," /* 受信番号 */
	" state INTEGER NOT NULL," /* enum message_state */
	" taken_at INTEGER NOT NULL,"
	" digest BLOB NOT NULL," /* SHA-256 of the bytes as fetched */
	" size INTEGER NOT NULL," /* octets */
	" uid_validity INTEGER NOT NULL," /* of INBOX when it was taken */
	" uid TEXT NOT NULL,"
	" kind INTEGER NOT NULL," /* enum request_kind */
	" review INTEGER NOT NULL," /* a person must look */
	" folder INTEGER NOT NULL," /* enum folder; where it belongs */
	" filed_uid TEXT NOT NULL," /* its UID there, '' where the server did not tell */
	" same_as INTEGER REFERENCES message(id)," /* the first one with the same bytes */
	" moved_away_at INTEGER NOT NULL" /* staff took it out of 要確認; 0: no */
	") STRICT;"
	"CREATE UNIQUE INDEX message_uid ON message (uid_validity, uid) WHERE " SQL_UNFILED ";"
	"CREATE INDEX message_unfiled ON message (state) WHERE " SQL_UNFILED ";"
	"CREATE INDEX message_digest ON message (digest);"

	/* Apart from each other: a reading comes later and may be made anew, which must not write the mail again. */
	"CREATE TABLE message_payload (" /* personal: can be erased */
	" message_id INTEGER PRIMARY KEY REFERENCES message(id),"
	" raw BLOB NOT NULL" /* text_pack() of the bytes as fetched */
	") STRICT;"
	"CREATE TABLE reading_payload (" /* likewise */
	" message_id INTEGER PRIMARY KEY REFERENCES message(id),"
	" reading BLOB NOT NULL" /* text_pack() of received_print() */
	") STRICT;"

	"CREATE TABLE request (" /* struct request */
	" id INTEGER PRIMARY KEY," /* 依頼番号 */
	" message_id INTEGER NOT NULL REFERENCES message(id)," /* the mail it came with */
	" kind INTEGER NOT NULL," /* enum request_kind */
	" state INTEGER NOT NULL," /* enum request_state */
	" application_id INTEGER REFERENCES application(id)," /* NULL: not identified */
	" opened_at INTEGER NOT NULL,"
	" closed_at INTEGER NOT NULL," /* 0: open */
	" proof INTEGER NOT NULL," /* enum proof */
	" stop_on INTEGER," /* wanted 中止日 */
	" due_at INTEGER" /* the confirmation runs out, or the stop's day begins */
	") STRICT;"
	"CREATE INDEX request_open ON request (state) WHERE " SQL_OPEN ";"
	"CREATE INDEX request_due ON request (due_at) WHERE due_at IS NOT NULL AND " SQL_OPEN ";"
	"CREATE INDEX request_application ON request (application_id) WHERE application_id IS NOT NULL;"
	"CREATE INDEX request_message ON request (message_id);"
	"CREATE TABLE request_payload (" /* personal: can be erased */
	" request_id INTEGER PRIMARY KEY REFERENCES request(id),"
	" actor TEXT NOT NULL," /* who decided last */
	" note TEXT NOT NULL"
	") STRICT;"

	"CREATE TABLE token (" /* sent to prove a mailbox */
	" digest BLOB PRIMARY KEY," /* token_digest(); the token itself is in its letter alone */
	" purpose INTEGER NOT NULL," /* enum token_purpose */
	" subject_id INTEGER NOT NULL," /* request or application */
	" expires_at INTEGER NOT NULL,"
	" used_at INTEGER NOT NULL," /* or made void; 0: neither */
	" notice_id INTEGER REFERENCES outbox(id)," /* the mail that carried it */
	" mail BLOB NOT NULL" /* store_mail_digest() of the address it went to */
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX token_subject ON token (subject_id, purpose);"
	"CREATE INDEX token_notice ON token (notice_id) WHERE notice_id IS NOT NULL;"

	"CREATE TABLE answer (" /* mails that answered a mail, for their limits */
	" notice_id INTEGER PRIMARY KEY REFERENCES outbox(id),"
	" mail BLOB NOT NULL," /* store_mail_digest() */
	" proven INTEGER NOT NULL," /* it went to a registered address */
	" at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX answer_mail ON answer (mail, at, proven);"
	"CREATE INDEX answer_at ON answer (at, proven);"

	"CREATE TABLE bounce ("
	" message_id INTEGER PRIMARY KEY REFERENCES message(id)," /* the report */
	" notice_id INTEGER REFERENCES outbox(id)," /* what came back; NULL: matched to nothing */
	" class INTEGER NOT NULL," /* enum bounce_class */
	" by_address INTEGER NOT NULL," /* matched by the signed bounce address, else by Message-ID */
	" mail BLOB NOT NULL," /* store_mail_digest() of the address that failed */
	" at INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX bounce_notice ON bounce (notice_id) WHERE notice_id IS NOT NULL;"
	"CREATE INDEX bounce_at ON bounce (at);"
	"CREATE TABLE address_score (" /* struct address_score */
	" mail BLOB PRIMARY KEY," /* store_mail_digest() */
	" score INTEGER NOT NULL," /* thousandths, as of: */
	" at INTEGER NOT NULL,"
	" hard INTEGER NOT NULL" /* hard bounces of different notices in a row */
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE copy (" /* sent notices still to be filed in 送信済み */
	" notice_id INTEGER PRIMARY KEY REFERENCES outbox(id)"
	") STRICT;"

	/* Most Message-IDs can be reckoned from the notice, and the notice from them; these are the others. */
	"CREATE TABLE message_id ("
	" digest BLOB PRIMARY KEY," /* first 16 bytes of SHA-256, in lower case */
	" notice_id INTEGER NOT NULL REFERENCES outbox(id)"
	") STRICT, WITHOUT ROWID;"

	/* Who asks for an ID gives 屋号, 代表者名 and 都道府県; filled from the forms that were there before by identities_fill(). */
	"CREATE TABLE identity ("
	" application_id INTEGER PRIMARY KEY REFERENCES application(id),"
	" digest BLOB NOT NULL" /* first 8 bytes of SHA-256 of the three, as text_key() has them */
	") STRICT;"
	"CREATE INDEX identity_digest ON identity (digest)";

/*
 * How many there are of what, so that a look at the office costs nothing of what is on file. Kept by the database itself with every change: nobody can forget it, and
 * audit_run() holds it against the rows.
 */
// clang-format off
#define STANDING_PUT(row, sign, what, table_b)                                                               \
	" INSERT INTO standing VALUES (" what ", " row ".state, " table_b(row) ", " sign ") ON CONFLICT"       \
	" (what, state, hold) DO UPDATE SET number = number " sign ";"
#define HAS_HOLD(row) row ".hold"
#define NO_HOLD(row) "0"
#define STANDING(table, what, hold, differs)                                                                 \
	"CREATE TRIGGER " table "_enters AFTER INSERT ON " table " BEGIN"                                      \
	STANDING_PUT("new", "+1", what, hold) " END;"                                                         \
	"CREATE TRIGGER " table "_moves AFTER UPDATE ON " table " WHEN " differs " BEGIN"                     \
	STANDING_PUT("old", "-1", what, hold) STANDING_PUT("new", "+1", what, hold) " END;"                    \
	"CREATE TRIGGER " table "_leaves AFTER DELETE ON " table " BEGIN"                                      \
	STANDING_PUT("old", "-1", what, hold) " END;"
// clang-format on
#define STATE_DIFFERS "old.state <> new.state"
static const char standing_tables[] =
	"CREATE TABLE standing ("
	" what INTEGER NOT NULL," /* 1 applications, 2 notices, 3 mails, 4 requests */
	" state INTEGER NOT NULL,"
	" hold INTEGER NOT NULL," /* of applications; else 0 */
	" number INTEGER NOT NULL,"
	" PRIMARY KEY (what, state, hold)"
	") STRICT, WITHOUT ROWID;"
	"INSERT INTO standing" SQL_STANDING
	";" STANDING("application", "1", HAS_HOLD, STATE_DIFFERS " OR old.hold <> new.hold")
		STANDING("outbox", "2", NO_HOLD, STATE_DIFFERS)
			STANDING("message", "3", NO_HOLD, STATE_DIFFERS)
				STANDING("request", "4", NO_HOLD, STATE_DIFFERS);

/* What version 4 brought: the desk. */
static const char desk_tables[] =
	"CREATE TABLE published (" /* when an application stood in the public list */
	" application_id INTEGER NOT NULL REFERENCES application(id),"
	" since INTEGER NOT NULL,"
	" until INTEGER NOT NULL," /* 0: it does */
	" payload BLOB," /* its public values, where they are not those of its form any more */
	" PRIMARY KEY (application_id, since)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX published_now ON published (application_id) WHERE until = 0;"
	"CREATE INDEX published_ended ON published (until) WHERE until > 0;"
	"CREATE TABLE publication (" /* lists that were written */
	" id INTEGER PRIMARY KEY,"
	" at INTEGER NOT NULL,"
	" rows INTEGER NOT NULL,"
	" digest BLOB NOT NULL" /* SHA-256 of the CSV */
	") STRICT;"

	"CREATE TABLE daily (" /* reckoned from the history up to the fact daily.seq */
	" day INTEGER NOT NULL,"
	" kind INTEGER NOT NULL," /* enum daily */
	" number INTEGER NOT NULL,"
	" last_at INTEGER NOT NULL,"
	" PRIMARY KEY (day, kind)"
	") STRICT, WITHOUT ROWID;"

	"CREATE TABLE held_batch (" /* struct held_batch */
	" id INTEGER PRIMARY KEY,"
	" reason INTEGER NOT NULL," /* enum batch_reason */
	" template_set INTEGER REFERENCES template_set(id),"
	" asked_at INTEGER NOT NULL,"
	" first_at INTEGER NOT NULL,"
	" released_at INTEGER NOT NULL,"
	" first_actor TEXT NOT NULL,"
	" second_actor TEXT NOT NULL,"
	" due INTEGER NOT NULL,"
	" allowed INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX held_batch_open ON held_batch (id) WHERE released_at = 0;"

	"CREATE TABLE recount (" /* rows of a file as its archive has them */
	" file_id INTEGER PRIMARY KEY REFERENCES file(id),"
	" rows INTEGER NOT NULL" /* -1: the archive could not be read */
	") STRICT;"

	/* Filled from the forms that were there before by search_ready(). */
	"CREATE TABLE search_text (" /* personal: what the newest applications are found by, in plain */
	" application_id INTEGER PRIMARY KEY REFERENCES application(id),"
	" text BLOB NOT NULL" /* store_search.c */
	") STRICT;"
	"CREATE TABLE search_block (" /* personal: all others, 4096 applications a block */
	" id INTEGER PRIMARY KEY," /* block, first gram */
	" grams BLOB NOT NULL" /* grams.c */
	") STRICT;"

	/* What has a span of its own is entered when the span begins and leaves with its erasure: finding what is past it costs what is found. */
	"CREATE TABLE retained ("
	" kind INTEGER NOT NULL," /* enum retained */
	" id INTEGER NOT NULL," /* application, message, file or notice */
	" since INTEGER NOT NULL," /* what its time counts from */
	" PRIMARY KEY (kind, id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX retained_since ON retained (kind, since, id);"
	"CREATE INDEX published_values ON published (until, application_id) WHERE payload IS NOT NULL;"
	/* An archive goes when none of its rows lives any more; looking through 1,000,000 applications for each file takes a tenth of a second. */
	"CREATE INDEX application_file ON application (file_id) WHERE file_id IS NOT NULL;"
	"CREATE INDEX message_id_notice ON message_id (notice_id);"
	"CREATE TABLE scrub (" /* what an erasure still has to take from the disk */
	" file_id INTEGER NOT NULL," /* archived form file; 0: none */
	" message_id INTEGER NOT NULL," /* mail laid out for staff; 0: none */
	" PRIMARY KEY (file_id, message_id)"
	") STRICT, WITHOUT ROWID";

/* S/MIME, apart from the rest: most registers have none. */
static const char signing_tables[] = "CREATE TABLE signer ("
				     " id INTEGER PRIMARY KEY,"
				     " digest BLOB NOT NULL UNIQUE," /* SHA-256 of the certificates */
				     " certificates BLOB NOT NULL" /* smime_certificates() */
				     ") STRICT;"
				     "CREATE TABLE letter_signature (" /* personal: goes with the letter */
				     " notice_id INTEGER PRIMARY KEY REFERENCES outbox(id),"
				     " signer INTEGER NOT NULL REFERENCES signer(id),"
				     " signature BLOB NOT NULL" /* smime_sign(), as the letter was sent */
				     ") STRICT;";

/* What version 6 brought: letters are packed against models; those from before stay as they are. */
static const char model_tables[] =
	"CREATE TABLE model ("
	" id INTEGER PRIMARY KEY," /* letter_model_id() */
	" text BLOB NOT NULL" /* text_pack() of letter_model_text(): nothing personal */
	") STRICT;";

/* What version 7 brought: what an erasure has to find. */
static const char erasure_tables[] =
	/* Files that nobody knows are looked for among all that were ever taken, name by name. */
	"CREATE INDEX file_archive ON file (archive) WHERE archive <> '';"
	/* A day's mails may bring hundreds of rows a second. */
	"CREATE INDEX history_request ON history (ref) WHERE " SQL_OF_REQUEST ";"
	"CREATE TABLE file_about (" /* files with a row about an application, beside the one it came in */
	" application_id INTEGER NOT NULL REFERENCES application(id),"
	" file_id INTEGER NOT NULL REFERENCES file(id),"
	" PRIMARY KEY (application_id, file_id)"
	") STRICT, WITHOUT ROWID;"
	"CREATE TABLE earlier_mail (" /* addresses that an application had before the one it has */
	" application_id INTEGER NOT NULL REFERENCES application(id),"
	" mail BLOB NOT NULL," /* as application.mail */
	" PRIMARY KEY (application_id, mail)"
	") STRICT, WITHOUT ROWID;";

static const char *const schema[] = {
	"CREATE TABLE fact (" /* single facts of the office */
	" name TEXT PRIMARY KEY," /* store.*: of the store itself */
	" value TEXT NOT NULL"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE word (" /* texts that occur again and again: domains, template names, profiles */
	" id INTEGER PRIMARY KEY,"
	" text TEXT NOT NULL UNIQUE"
	") STRICT",

	"CREATE TABLE form_field (" /* fields of the form as they are numbered in packed forms */
	" number INTEGER PRIMARY KEY," /* from 1; never changes, whatever the form looks like one day */
	" key TEXT NOT NULL UNIQUE" /* form_field_key() */
	") STRICT",

	"CREATE TABLE template_set (" /* every template of a profile, as it was at a time */
	" id INTEGER PRIMARY KEY,"
	" profile INTEGER NOT NULL," /* word */
	" digest BLOB NOT NULL," /* SHA-256 over all of them */
	" at INTEGER NOT NULL," /* first seen */
	" packed BLOB NOT NULL," /* text_pack() of template_set_pack() */
	" UNIQUE (profile, digest)"
	") STRICT",

	"CREATE TABLE file (" /* files taken from the spool */
	" id INTEGER PRIMARY KEY,"
	" digest BLOB NOT NULL," /* SHA-256 of the content */
	" name TEXT NOT NULL," /* as dropped */
	" size INTEGER NOT NULL," /* bytes */
	" taken_at INTEGER NOT NULL,"
	" source_dev INTEGER NOT NULL," /* of the original, to recognise a taking that was cut short */
	" source_ino INTEGER NOT NULL,"
	" source_mtime_ns INTEGER NOT NULL,"
	" owner TEXT NOT NULL," /* user who dropped it */
	" state INTEGER NOT NULL," /* enum file_state */
	" rows_done INTEGER NOT NULL," /* records worked through: where to go on after a crash */
	" accepted INTEGER NOT NULL," /* what became of them */
	" refused INTEGER NOT NULL,"
	" same INTEGER NOT NULL,"
	" review INTEGER NOT NULL,"
	" decided INTEGER NOT NULL,"
	" same_as INTEGER REFERENCES file(id)," /* an earlier file with the same content */
	" archive TEXT NOT NULL" /* below the spool; '' until done */
	") STRICT",
	"CREATE INDEX file_digest ON file (digest)",
	"CREATE INDEX file_unfinished ON file (id) WHERE state = 1",

	"CREATE TABLE file_row (" /* what became of a row, until the result file is written */
	" file_id INTEGER NOT NULL REFERENCES file(id),"
	" row INTEGER NOT NULL," /* from 1 */
	" verdict INTEGER NOT NULL," /* enum result_verdict */
	" application_id INTEGER NOT NULL," /* 0: none */
	" findings BLOB," /* packed by the caller; carries values */
	" PRIMARY KEY (file_id, row)"
	") STRICT, WITHOUT ROWID",

	"CREATE TABLE application (" /* struct application, but for the form */
	" id INTEGER PRIMARY KEY," /* 申込番号 */
	" state INTEGER NOT NULL," /* enum state */
	" hold INTEGER NOT NULL," /* enum hold */
	" kind INTEGER NOT NULL," /* enum application_kind */
	" type INTEGER NOT NULL," /* enum applicant_type */
	" star INTEGER NOT NULL," /* 1, 2 */
	" stage INTEGER NOT NULL," /* next one, -1: all done */
	" approved INTEGER NOT NULL," /* staff approved the next stage */
	" due_at INTEGER," /* of the next stage; NULL while it waits */
	" latest_at INTEGER," /* alarm */
	" previous_sent_at INTEGER NOT NULL," /* 0: not yet */
	" received_at INTEGER NOT NULL,"
	" applied_on INTEGER," /* お申込日 */
	" clock_start INTEGER,"
	" declaration_id INTEGER," /* NULL until issued */
	" user_number INTEGER," /* NULL until issued; a credential */
	" id_issued_on INTEGER,"
	" logo_authorized_on INTEGER,"
	" stopped_on INTEGER,"
	" linked_id INTEGER REFERENCES application(id)," /* step-up: the ★ it will supersede */
	" file_id INTEGER REFERENCES file(id)," /* where it came from; NULL: imported */
	" row INTEGER NOT NULL,"
	" profile INTEGER NOT NULL," /* word; pinned */
	" template_set INTEGER REFERENCES template_set(id)," /* pinned */
	" key BLOB," /* first 16 bytes of SHA-256 of applicant_key() */
	" mail BLOB" /* likewise of mailaddr_key() */
	") STRICT",
	"CREATE INDEX application_due ON application (due_at)"
	" WHERE due_at IS NOT NULL AND hold = 0 AND " SQL_LIVE,
	"CREATE INDEX application_latest ON application (latest_at)"
	" WHERE latest_at IS NOT NULL AND " SQL_LIVE,
	"CREATE INDEX application_held ON application (hold) WHERE hold > 0",
	"CREATE INDEX application_key ON application (key) WHERE key IS NOT NULL",
	"CREATE INDEX application_mail ON application (mail) WHERE mail IS NOT NULL",
	"CREATE INDEX application_declaration ON application (declaration_id)"
	" WHERE declaration_id IS NOT NULL",
	"CREATE INDEX application_linked ON application (linked_id) WHERE linked_id IS NOT NULL",

	"CREATE TABLE application_payload (" /* personal: can be erased */
	" application_id INTEGER PRIMARY KEY REFERENCES application(id),"
	" salt BLOB NOT NULL," /* of the digest that the history chains */
	" form BLOB NOT NULL," /* form_pack() */
	" row_digest BLOB," /* form_row_digest(), to recognise the same row */
	" hold_reason TEXT" /* NULL when not held */
	") STRICT",

	"CREATE TABLE number (" /* every number ever drawn (N4) */
	" number INTEGER PRIMARY KEY," /* declaration ID or user number */
	" kind INTEGER NOT NULL," /* enum ident_kind */
	" application_id INTEGER REFERENCES application(id)," /* NULL: void */
	" at INTEGER NOT NULL,"
	" why TEXT" /* of a void one */
	") STRICT",

	"CREATE TABLE history (" /* append-only, chained */
	" seq INTEGER PRIMARY KEY," /* from 1, without gaps */
	" at INTEGER NOT NULL,"
	" application_id INTEGER NOT NULL," /* 0: of the office */
	" event INTEGER NOT NULL," /* enum event */
	" from_state INTEGER NOT NULL," /* enum state */
	" to_state INTEGER NOT NULL,"
	" ref INTEGER NOT NULL," /* notice, file or other application */
	" number INTEGER NOT NULL," /* reply code, row, count */
	" actor INTEGER NOT NULL," /* 1 daemon, 2 import, 3 intake; 0: in the payload */
	" payload BLOB," /* SHA-256 of salt, actor, 0, note; NULL: there is nothing to tell */
	" form BLOB," /* form_digest() of the application where the row records its values */
	" hash BLOB NOT NULL" /* SHA-256 of the row before's hash and all of the above, see chain_hash() */
	") STRICT",
	"CREATE INDEX history_application ON history (application_id) WHERE application_id > 0",

	"CREATE TABLE history_payload (" /* personal: can be erased */
	" seq INTEGER PRIMARY KEY REFERENCES history(seq),"
	" salt BLOB NOT NULL,"
	" actor TEXT NOT NULL,"
	" note TEXT NOT NULL"
	") STRICT",

	"CREATE TABLE outbox (" /* struct notice, but for what is personal */
	" id INTEGER PRIMARY KEY,"
	" application_id INTEGER REFERENCES application(id)," /* NULL: nobody's, an answer to a refused row */
	" template INTEGER NOT NULL," /* word */
	" stage INTEGER NOT NULL," /* -1: none */
	" resend_of INTEGER REFERENCES outbox(id),"
	" resend_no INTEGER NOT NULL,"
	" state INTEGER NOT NULL," /* enum outbox_state */
	" queued_at INTEGER NOT NULL,"
	" next_try_at INTEGER," /* NULL: not by itself */
	" accepted_at INTEGER NOT NULL," /* 0: not yet */
	" first_try_at INTEGER NOT NULL," /* 0: none */
	" attempts INTEGER NOT NULL,"
	" reply_code INTEGER NOT NULL,"
	" domain INTEGER NOT NULL," /* word; of the recipient */
	" template_set INTEGER REFERENCES template_set(id)," /* what it was rendered from */
	" digest BLOB NOT NULL" /* 33 bytes: 1, and the keyed digest of the letter; 32: its SHA-256, before version 5 (struct notice) */
	") STRICT",
	"CREATE UNIQUE INDEX outbox_application ON outbox (application_id, template, resend_no)",
	/* The id stands before the domain for the order; domain and state so that skipped domains cost no look at the row. */
	"CREATE INDEX outbox_waiting ON outbox (next_try_at, id, domain, state)"
	" WHERE next_try_at IS NOT NULL AND " SQL_WAITING,
	"CREATE INDEX outbox_unsent ON outbox (state) WHERE " SQL_UNSENT,
	"CREATE INDEX outbox_accepted ON outbox (accepted_at, domain) WHERE accepted_at > 0",

	"CREATE TABLE letter (" /* personal: goes with the declaration */
	" notice_id INTEGER PRIMARY KEY REFERENCES outbox(id),"
	" recipient TEXT NOT NULL," /* addresses without their domain, which is a word */
	" recipient_domain INTEGER NOT NULL,"
	" message_id TEXT NOT NULL,"
	" message_id_domain INTEGER NOT NULL,"
	" bounce TEXT NOT NULL," /* envelope sender */
	" bounce_domain INTEGER NOT NULL,"
	" packed BLOB NOT NULL" /* letter.h */
	") STRICT",

	/* Of its own, and written when there is something to write: letters whose rows grew later would leave pages half empty. */
	"CREATE TABLE delivery (" /* what came of handing a notice over */
	" notice_id INTEGER PRIMARY KEY REFERENCES outbox(id),"
	" reply TEXT NOT NULL," /* last answer of the server, without addresses */
	" dkim BLOB" /* text_pack() of the DKIM-Signature fields it was sent with */
	") STRICT",

	"CREATE TABLE suppression (" /* addresses that get no mail of a kind */
	" mail BLOB NOT NULL," /* first 16 bytes of SHA-256 of mailaddr_key() */
	" kind INTEGER NOT NULL," /* enum suppression */
	" at INTEGER NOT NULL," /* since */
	" PRIMARY KEY (mail, kind)"
	") STRICT, WITHOUT ROWID",

	mailbox_tables,
	desk_tables,
	standing_tables,
	signing_tables,
	model_tables,
	erasure_tables,
};

/* Replies and signatures got a table of their own; what is held is found by an index. */
static const char to_version_2[] =
	"CREATE TABLE delivery (notice_id INTEGER PRIMARY KEY REFERENCES outbox(id),"
	" reply TEXT NOT NULL, dkim BLOB) STRICT;"
	"INSERT INTO delivery SELECT notice_id, reply, dkim FROM letter"
	" WHERE reply <> '' OR dkim IS NOT NULL;"
	"ALTER TABLE letter DROP COLUMN reply;"
	"ALTER TABLE letter DROP COLUMN dkim;"
	"DROP INDEX outbox_waiting;"
	"CREATE INDEX outbox_waiting ON outbox (next_try_at, id, domain, state)"
	" WHERE next_try_at IS NOT NULL AND " SQL_WAITING ";"
	"CREATE INDEX IF NOT EXISTS application_held ON application (hold) WHERE hold > 0;";

/* Letters of no application had no span; and of an earlier address nothing tells but the answers that went there. */
static const char to_version_7[] =
	"INSERT INTO retained SELECT 8, id, queued_at FROM outbox WHERE application_id IS NULL;"
	"INSERT INTO file_about SELECT DISTINCT a.id, r.file_id FROM file_row r JOIN application a"
	" ON a.id = r.application_id WHERE a.file_id IS NOT r.file_id;"
	"INSERT INTO earlier_mail SELECT DISTINCT a.id, n.mail FROM answer n JOIN outbox o ON o.id = "
	"n.notice_id"
	" JOIN application a ON a.id = o.application_id WHERE n.proven = 1 AND a.mail <> n.mail;";

const struct migration migrations[] = {
	{1, to_version_2},
	{2, mailbox_tables},
	{3, desk_tables},
	{3, standing_tables},
	{4, signing_tables},
	{5, model_tables},
	{6, erasure_tables},
	{6, to_version_7},
	{0},
};

static enum rc pragma(struct store *store, const char *text, int64_t *value, struct err *err)
{
	sqlite3_stmt *stmt = sql_prepare(store, text, err);
	if (!stmt)
		return err->rc;
	enum rc rc = sql_number(store, stmt, 0, value, err);
	(void)sqlite3_finalize(stmt);
	return rc;
}

static enum rc set_version(struct store *store, int version, struct err *err)
{
	char text[64];
	(void)sqlite3_snprintf(sizeof text, text, "PRAGMA user_version = %d", version);
	return sql_exec(store, text, err);
}

enum rc schema_migrate(struct store *store, const struct migration *steps, int version, struct err *err)
{
	int64_t at = 0;
	enum rc rc = pragma(store, "PRAGMA user_version", &at, err);
	while (rc == RC_OK && at < version) {
		const struct migration *step = steps;
		while (step->sql && step->from != at)
			step++;
		if (!step->sql)
			return err_set(err, RC_STORE,
				"%s is a register of version %lld, for which there is no way to version %d; "
				"upgrade "
				"it with the release of sengen that came next after it",
				store->path, (long long)at, version);
		for (; rc == RC_OK && step->sql && step->from == at; step++)
			rc = sql_exec(store, step->sql, err);
		if (rc == RC_OK)
			rc = set_version(store, (int)++at, err);
	}
	return rc;
}

static enum rc create(struct store *store, struct err *err)
{
	char text[64];
	(void)sqlite3_snprintf(sizeof text, text, "PRAGMA application_id = %d", APPLICATION_ID);
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < sizeof schema / sizeof *schema; i++)
		rc = sql_exec(store, schema[i], err);
	if (rc == RC_OK)
		rc = sql_exec(store, text, err);
	if (rc == RC_OK)
		rc = set_version(store, SCHEMA_VERSION, err);
	return rc;
}

/* Fields the program knows and the register does not get the next numbers. */
static enum rc add_fields(struct store *store, struct err *err)
{
	for (int field = 0; field < FIELD_COUNT; field++) {
		sqlite3_stmt *stmt = sql_ready(store,
			"INSERT INTO form_field (key) VALUES (:key) ON CONFLICT (key) DO NOTHING", err);
		if (!stmt)
			return err->rc;
		sql_text(stmt, ":key", form_field_key((enum form_field)field));
		enum rc rc = sql_run(store, stmt, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc schema_read_fields(struct store *store, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT number, key FROM form_field ORDER BY number", err);
	if (!stmt)
		return err->rc;
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		int number = sqlite3_column_int(stmt, 0);
		const char *key = (const char *)sqlite3_column_text(stmt, 1);
		enum form_field field = key ? form_field_by_key(key) : FIELD_COUNT;
		if (number != store->field_count + 1) {
			sql_done(stmt);
			return err_set(err, RC_STORE, "%s is damaged: its list of form fields has a gap",
				store->path);
		}
		store->field_of = xrealloc(store->field_of, (size_t)number * sizeof *store->field_of);
		store->field_of[store->field_count++] = field;
		if (field != FIELD_COUNT)
			store->field_number[field] = number;
	}
	return rc;
}

static enum rc upgrade(struct store *store, int64_t version, int64_t tables, struct err *err)
{
	enum rc rc = RC_OK;
	if (version == 0 && tables == 0)
		rc = create(store, err);
	else if (version < SCHEMA_VERSION)
		rc = schema_migrate(store, migrations, SCHEMA_VERSION, err);
	if (rc == RC_OK)
		rc = add_fields(store, err);
	if (rc == RC_OK)
		rc = schema_read_fields(store, err);
	if (rc == RC_OK && tables > 0 && version < 3)
		rc = identities_fill(store, err);
	if (rc == RC_OK && tables > 0 && version < 4)
		rc = retained_fill(store, err);
	return rc == RC_OK ? search_ready(store, err) : rc;
}

enum rc schema_ready(struct store *store, struct err *err)
{
	int64_t version = 0, application = 0, tables = 0;
	enum rc rc = pragma(store, "PRAGMA user_version", &version, err);
	if (rc == RC_OK)
		rc = pragma(store, "PRAGMA application_id", &application, err);
	if (rc == RC_OK)
		rc = pragma(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
	if (rc != RC_OK)
		return rc;
	if (tables > 0 && application != APPLICATION_ID)
		return err_set(err, RC_STORE,
			"%s is a database of another program, not a register; check store_path in the "
			"configuration",
			store->path);
	if (version > SCHEMA_VERSION)
		return err_set(err, RC_STORE,
			"%s was written by a newer sengen (register version %lld, this program knows %d); "
			"install that "
			"release or restore a backup made before the upgrade",
			store->path, (long long)version, SCHEMA_VERSION);
	if (store->mode == STORE_READ && (tables == 0 || version < SCHEMA_VERSION))
		return err_set(err, RC_STORE, "%s is %s; start sengend once, which makes it ready",
			store->path, tables == 0 ? "still empty" : "of an older version");
	return store->mode == STORE_WRITE ? upgrade(store, version, tables, err)
					  : schema_read_fields(store, err);
}
