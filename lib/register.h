/*
 * register.h - the plain data types of the register, shared by every floor above base
 *
 * Words: design of the scheme. An *application* is one submitted form, an *applicant* the business; it becomes a
 * *declaration* once its ID is issued. A *notice* is a mail the office sends by rule.
 */
#ifndef SENGEN_REGISTER_H
#define SENGEN_REGISTER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/civil.h"
#include "lib/base/clock.h"
#include "lib/base/crypt.h"
#include "lib/base/pool.h"

/* The fields of the form, in the order of the scheme's confirmation page. X(enumerator, key in JSON and payload) */
// clang-format off
#define FORM_FIELDS(X)                                                                                       \
	X(FIELD_KIND, "kind") /* new1 ★, new2 ★★, step ★→★★ */                                 \
	X(FIELD_PURPOSE, "purpose") /* 自己宣言の目的 */                                              \
	X(FIELD_PLEDGE, "pledge") /* 反社会的勢力排除に関する誓約 */                           \
	X(FIELD_CONTACT, "contact") /* 担当者名 */                                                       \
	X(FIELD_MAIL, "mail") /* 担当者メールアドレス */                                           \
	X(FIELD_MAIL_CONFIRM, "mail_confirm") /* （確認） */                                             \
	X(FIELD_TYPE, "type") /* corporation, sole */                                                        \
	X(FIELD_CORPORATE_NUMBER, "corporate_number") /* 法人番号, 13 digits */                          \
	X(FIELD_BUSINESS_NAME, "business_name") /* 事業者名, 屋号 */                                   \
	X(FIELD_FAMILY_NAME, "family_name") /* 代表者（姓） */                                         \
	X(FIELD_GIVEN_NAME, "given_name") /* 代表者（名） */                                           \
	X(FIELD_POSTAL_CODE, "postal_code")                                                                  \
	X(FIELD_PREFECTURE, "prefecture")                                                                    \
	X(FIELD_ADDRESS, "address") /* 市区町村・番地 */                                              \
	X(FIELD_TELEPHONE, "telephone")                                                                      \
	X(FIELD_EMPLOYEES, "employees")                                                                      \
	X(FIELD_INDUSTRY, "industry") /* 業種（中分類） */                                            \
	X(FIELD_ASSOCIATION, "association") /* 所属団体（商工団体等） */                          \
	X(FIELD_NEWS, "news") /* IPAからの情報送付: true, false */                                    \
	X(FIELD_PRIVACY, "privacy") /* 個人情報の取り扱いについて: 同意する */              \
	X(FIELD_TERMS, "terms") /* ロゴマーク使用規約: 同意する */                              \
	X(FIELD_TERMS_VERSION, "terms_version") /* version agreed to; absent: the one in force */            \
	X(FIELD_DECLARATION_ID, "declaration_id") /* 自己宣言ID（ステップアップの場合） */   \
	X(FIELD_APPLIED_ON, "applied_on") /* お申込日 */                                                 \
	X(FIELD_SURVEY, "survey") /* アンケート（任意）, multi-select */                            \
	X(FIELD_GBIZ, "gbiz") /* GビズID kind: prime, member (profile instant) */
// clang-format on

enum form_field {
#define X(enumerator, key) enumerator,
	FORM_FIELDS(X)
#undef X
		FIELD_COUNT
};

/* "corporate_number"; the names in payloads, JSON and templates. */
const char *form_field_key(enum form_field field);
/* FIELD_COUNT when there is none. */
enum form_field form_field_by_key(const char *key);

/* Values of one form. As read: text as the office's file had it (trimmed). After validation: canonical (choices as
 * their keys, numbers as digits, dates as 2026-11-22, names as written). NULL or "": not filled in. */
struct form_values {
	const char *value[FIELD_COUNT]; /* in somebody else's pool */
};

/* 都道府県 in the order of JIS X 0401. */
#define PREFECTURES 47
extern const char *const prefecture_name[PREFECTURES];

enum applicant_type { APPLICANT_CORPORATION, APPLICANT_SOLE_PROPRIETOR };
enum application_kind { KIND_NEW1, KIND_NEW2, KIND_STEP_UP };

/* The numbers are stored in the register: append only. */
enum state {
	STATE_NONE = 0, /* before the application exists */
	STATE_UNCONFIRMED = 1, /* profile site: the address has not answered yet */
	STATE_RECEIVED = 2,
	STATE_ID_ISSUED = 3,
	STATE_LOGO_AUTHORIZED = 4,
	STATE_REJECTED = 5, /* the office refused it */
	STATE_WITHDRAWN = 6, /* before an ID */
	STATE_STOPPED = 7, /* Form B-3 */
	STATE_SUPERSEDED = 8, /* ★ after the ★★ logo was authorized */
	STATE_EXPIRED = 9, /* never confirmed */
	STATE_COUNT
};

/* What can happen to an application. The numbers are stored: append only. */
enum event {
	EVENT_APPLY = 1, /* a valid form came in */
	EVENT_APPLY_UNCONFIRMED = 2, /* the same under a profile whose first stage confirms the address */
	EVENT_CONFIRM = 3, /* the address answered, or staff confirmed it */
	EVENT_ISSUE_ID = 4, /* the stage that issues the ID is due */
	EVENT_AUTHORIZE_LOGO = 5,
	EVENT_REJECT = 6,
	EVENT_WITHDRAW = 7,
	EVENT_STOP = 8,
	EVENT_SUPERSEDE = 9,
	EVENT_EXPIRE = 10,
	EVENT_IMPORT_ID = 11, /* taken over from the office's list, ID known, logo not yet */
	EVENT_IMPORT_LOGO = 12, /* taken over, everything done */
	EVENT_IMPORT_STOPPED = 13,
	/* staff took the last change of state back, nothing of it had been sent: one event a state it leads back to */
	EVENT_UNDO_TO_UNCONFIRMED = 14,
	EVENT_UNDO_TO_RECEIVED = 15,
	EVENT_UNDO_TO_ID = 16,
	EVENT_UNDO_TO_LOGO = 17,
	/* These change no state; they are rows of the history. */
	EVENT_HOLD = 20,
	EVENT_RELEASE = 21,
	EVENT_REVIEW = 22, /* something a person must decide */
	EVENT_APPROVE = 23, /* staff let a stage that waits for approval, or a reviewed application, go on */
	EVENT_CORRECT = 24,
	EVENT_QUEUE = 25, /* a notice was queued */
	EVENT_SENT = 26, /* the mail server took it */
	EVENT_DEFERRED = 27,
	EVENT_FAILED = 28, /* given up */
	EVENT_UNKNOWN = 29, /* the line went dead after the final dot */
	EVENT_CANCEL = 30, /* a queued notice was cancelled */
	EVENT_RESEND = 31,
	EVENT_REFUSED_ROW = 32, /* a row of a file was refused (application_id 0) */
	EVENT_FILE = 33, /* a file was taken (application_id 0) */
	EVENT_CEILING = 34, /* far more due than forecast: asked; or answered */
	EVENT_RESTORED =
		35, /* the store is older than its witness, or from another host: held; or released */
	EVENT_VOID_NUMBER = 36,
	EVENT_NEWS = 37, /* mail-news consent changed */
	EVENT_IN_FLIGHT = 38, /* a stop or withdrawal came while a notice was at the mail server */
	EVENT_REQUEST = 39, /* a request came in by mail (ref: request) */
	EVENT_ASKED = 40, /* the registered address was asked to confirm it (ref: request) */
	EVENT_PROVEN = 41, /* the confirmation came back (ref: request) */
	EVENT_REQUEST_REVIEW = 42, /* a person must decide about a request (ref: request) */
	EVENT_REQUEST_CLOSED = 43, /* a request came to its end (ref: request, number: enum request_state) */
	EVENT_BOUNCE = 44, /* a notice came back (ref: notice, number: enum bounce_class) */
	EVENT_PAUSE = 45, /* the office paused a part of its work (number: enum pause; application_id 0) */
	EVENT_RESUME = 46,
	EVENT_BATCH = 47, /* a batch waits for a person, was seconded or let go (ref: batch) */
	EVENT_ERASE =
		48, /* somebody had personal data erased (number: rows; of a mail alone ref: mail, application_id 0) */
	EVENT_PURGE =
		49, /* the same by retention (ref: enum retained, number: rows; of mails and files application_id 0) */
	EVENT_PUBLISH = 50, /* a public list was written (ref: publication, number: rows; application_id 0) */
	EVENT_DESK_MAIL = 51, /* a digest or alarm was queued (ref: notice; application_id 0) */
	EVENT_COUNT
};

enum hold {
	HOLD_NONE = 0,
	HOLD_STAFF = 1, /* 保留: staff stopped the clock */
	HOLD_REVIEW = 2, /* 要確認: a person must decide; nothing is sent */
};

const char *state_name(enum state state); /* "id_issued" */
const char *state_name_ja(enum state state); /* ID発行済み */
const char *event_name(enum event event);
const char *event_name_ja(enum event event);
const char *hold_name(enum hold hold); /* "", "staff", "review" */
bool state_is_live(enum state state); /* unconfirmed, received, id_issued, logo_authorized */

#define STAGE_MAX 8 /* stages in a profile */
#define STAGE_NONE (-1) /* nothing comes next */

/* One application as the register holds it. Personal values are in `form` (from the payload, in the pool the row was
 * read into); everything else is identifiers, times and numbers. */
struct application {
	int64_t id; /* 申込番号: 1, 2, 3 … */
	enum state state;
	enum hold hold;
	const char *hold_reason; /* "" when not held */
	enum application_kind kind;
	enum applicant_type type;
	int star; /* 1 or 2 */
	const char *profile; /* pinned */
	int64_t template_set; /* pinned: a row of template sets */
	utc_time received_at; /* intake */
	civil_day applied_on; /* お申込日 of the form; CIVIL_DAY_NONE when it had none */
	civil_day clock_start; /* the day from which stages count */
	int stage; /* index of the next stage in the profile, STAGE_NONE when all are done */
	utc_time due_at; /* when it is due; UTC_NEVER while it waits (see `waits_*`) */
	utc_time latest_at; /* alarm when not sent by then; UTC_NEVER: none */
	bool approved; /* staff approved the next stage */
	utc_time previous_sent_at; /* the mail server took the previous notice; 0 while it has not */
	int64_t declaration_id; /* 0 until issued */
	int64_t user_number; /* 0 until issued; a credential: never printed whole */
	civil_day id_issued_on, logo_authorized_on, stopped_on; /* CIVIL_DAY_NONE until then */
	int64_t linked_id; /* step-up: the ★ application it will supersede; 0 otherwise */
	int64_t file_id; /* where it came from; 0: imported */
	int row; /* record in that file, from 1 */
	struct form_values form;
};

/* What the register keeps of one notice. */
enum outbox_state {
	OUTBOX_QUEUED = 1, /* waiting for the sender (again, after a pause) */
	OUTBOX_SENDING = 2, /* claimed: may be at the mail server this moment */
	OUTBOX_SENT = 3,
	OUTBOX_UNKNOWN =
		4, /* the line died between the final dot and the answer: sent again once, then staff */
	OUTBOX_FAILED = 5, /* given up */
	OUTBOX_CANCELLED = 6,
};
const char *outbox_state_name(enum outbox_state state);
const char *outbox_state_name_ja(enum outbox_state state);

struct notice {
	int64_t id;
	int64_t application_id;
	const char *template_name; /* "receipt", "id", "logo", … */
	int stage; /* STAGE_NONE: not by a stage (resend, answer) */
	int64_t resend_of; /* the first letter; 0 when this is one */
	int resend_no; /* 1, 2 … of that letter */
	enum outbox_state state;
	utc_time queued_at, next_try_at, accepted_at, first_try_at;
	int attempts; /* that count against the recipient */
	int reply_code; /* last SMTP reply, 0: none */
	const char *reply; /* its text, one line, without addresses */
	const char *recipient; /* envelope recipient (RFC 5321 Mailbox) */
	const char *domain; /* its domain, for rate limits */
	const char *message_id; /* without angle brackets */
	const char *bounce_address; /* envelope sender */
	uint8_t digest
		[SHA256_LEN]; /* of the wire bytes as composed: HMAC under the credential key over their SHA-256 */
	bool digest_plain; /* it is the SHA-256 itself, as registers before version 5 have it */
};

/* ---- the office as a whole ---- */

/* Parts of the work that staff stop one by one (F10). The numbers are stored: append only. */
enum pause {
	PAUSE_INTAKE = 1, /* files stay in incoming/ */
	PAUSE_DECIDING = 2, /* nothing becomes due */
	PAUSE_SENDING = 3, /* nothing is claimed for the mail server */
	PAUSE_READING = 4, /* mails stay in the mailbox */
	PAUSE_COUNT
};
const char *pause_name(enum pause pause); /* "intake", "deciding", "sending", "reading" */
const char *pause_name_ja(enum pause pause);

/* What a person may do; each includes those before it (F84). */
enum right {
	RIGHT_NONE = 0,
	RIGHT_READ = 1, /* look */
	RIGHT_WORK = 2, /* decide about applications and requests */
	RIGHT_RELEASE = 3, /* let a batch, a ceiling, a pause go */
	RIGHT_ADMINISTER = 4, /* erase, take over a restored register */
};
const char *right_name(enum right right); /* "read", "work", "release", "administer" */
const char *right_name_ja(enum right right);

/* Notices that wait for a person because of their number, not of any one of them (N20). The numbers are stored: append only. */
enum batch_reason {
	BATCH_TEMPLATES = 1, /* the first letters of a new template set */
	BATCH_RECEIPTS = 2, /* more receipts a day than receipt_ceiling */
	BATCH_STAGES = 3, /* more notices of the cadence than the forecast allows */
};
const char *batch_reason_name(enum batch_reason reason);
const char *batch_reason_name_ja(enum batch_reason reason);
struct held_batch {
	int64_t id; /* 1, 2, 3 … */
	enum batch_reason reason;
	int64_t template_set; /* BATCH_TEMPLATES; else 0 */
	utc_time asked_at;
	utc_time first_at, released_at; /* 0: nobody said yes yet; it still waits */
	const char *first_actor, *second_actor; /* who; "" */
	int64_t due, limit; /* waiting when it was asked; what was allowed */
};

/* ---- what comes in by mail ---- */

/* What a mail asks for. The numbers are stored: append only. */
enum request_kind {
	REQUEST_OTHER = 0,
	REQUEST_STOP = 1, /* 使用中止, Form B-3 */
	REQUEST_RESEND = 2,
	REQUEST_CHANGE = 3,
	REQUEST_NEWS_UNSUBSCRIBE = 4,
	REQUEST_ID_ENQUIRY = 5,
	REQUEST_BOUNCE = 6,
	REQUEST_AUTO_REPLY = 7,
	REQUEST_KINDS
};
const char *request_kind_name(enum request_kind kind); /* "stop-request", … */
const char *request_kind_name_ja(enum request_kind kind); /* 使用中止 */

/* The mailbox's folders. The numbers are stored: append only. */
enum folder {
	FOLDER_INBOX = 1,
	FOLDER_DONE = 2,
	FOLDER_REVIEW = 3,
	FOLDER_BOUNCE = 4,
	FOLDER_SENT = 5,
	FOLDER_COUNT
};

/* One received mail. Every number and day is the office's own; what the sender wrote is payload. */
enum message_state {
	MESSAGE_TAKEN = 1, /* its bytes are safe in the register */
	MESSAGE_READ =
		2, /* what follows from it was carried out in the same transaction; it waits to be moved */
	MESSAGE_FILED = 3, /* moved to its folder */
};
struct mail_message {
	int64_t id; /* 受信番号: 1, 2, 3 … */
	enum message_state state;
	utc_time taken_at;
	uint8_t digest[SHA256_LEN]; /* of the bytes as fetched */
	int64_t size; /* octets */
	int64_t uid_validity; /* of INBOX when it was taken (RFC 3501 2.3.1.1); Maildir: 0 */
	const char *uid; /* in INBOX; a Maildir's file name without its flags */
	enum request_kind kind; /* from MESSAGE_READ on */
	bool review; /* a person must look */
	enum folder folder; /* where it belongs */
	const char *filed_uid; /* its UID there; "" when the server did not tell */
	int64_t same_as; /* the first one with the same bytes; 0: none */
	utc_time moved_away_at; /* staff took it out of 要確認; 0: no */
};

/* How far a request has come. The numbers are stored: append only. */
enum request_state {
	REQUEST_STATE_REVIEW = 1, /* 要確認 */
	REQUEST_STATE_ASKED = 2, /* the registered address was asked to confirm */
	REQUEST_STATE_PLANNED = 3, /* confirmed; a stop whose day is still to come */
	REQUEST_STATE_DONE = 4, /* carried out */
	REQUEST_STATE_ANSWERED = 5, /* answered, nothing was changed (guidance, neutral answer) */
	REQUEST_STATE_DECLINED = 6, /* staff closed it without carrying it out */
	REQUEST_STATE_COUNT
};
const char *request_state_name(enum request_state state); /* "review", "asked", … */
const char *request_state_name_ja(enum request_state state);

/* What proved that a request may be carried out. The numbers are stored: append only. */
enum proof {
	PROOF_NONE = 0,
	PROOF_TOKEN = 1, /* the registered address sent the one-time token back */
	PROOF_STAFF = 2,
	PROOF_DKIM = 3, /* aligned DKIM of the registered address (trust_aligned_dkim) */
	PROOF_SENDER = 4, /* the From address fits: enough for the mail news (N10) */
	PROOF_NOT_NEEDED = 5, /* what follows goes only to the registered address */
};
const char *proof_name(enum proof proof);
const char *proof_name_ja(enum proof proof);

/* One request: what a mail asks for, about which application, and what became of it. */
struct request {
	int64_t id; /* 依頼番号 */
	int64_t message_id; /* the mail it came with */
	enum request_kind kind;
	enum request_state state;
	int64_t application_id; /* 0: not identified */
	utc_time opened_at, closed_at; /* closed_at 0: open */
	enum proof proof;
	civil_day stop_on; /* wanted 中止日; CIVIL_DAY_NONE: at once */
	utc_time due_at; /* ASKED: the confirmation runs out; PLANNED: the stop's day begins; UTC_NEVER */
	const char *actor; /* who decided last: "daemon", "staff:1000" */
	const char *note; /* why it waits, or what was done: for staff, Japanese (payload) */
};

#endif
