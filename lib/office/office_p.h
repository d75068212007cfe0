/*
 * office_p.h - what the pieces of lib/office share
 *
 * advance.c is the only place where a state changes; register.c, due.c, deliver.c and decide.c find out what happens and come to it.
 */
#ifndef SENGEN_OFFICE_P_H
#define SENGEN_OFFICE_P_H

#include "lib/mail/letter.h"
#include "lib/mail/token.h"
#include "lib/office/office.h"

#define ACTOR_DAEMON "daemon"

/* ---- transactions (office.c) ---- */
/* A decision is one transaction of its own, or part of the caller's. */
struct txn {
	bool own;
};
enum rc txn_begin(struct office *office, struct txn *txn, struct err *err);
/* Commits when rc is RC_OK, else rolls back (its own only); returns rc, or what the commit says. */
enum rc txn_end(struct office *office, struct txn *txn, enum rc rc, struct err *err);

/* ---- letter_digest.c ---- */
/* The digest by which a letter is known to be whole, made of the SHA-256 of its wire bytes: keyed, since a plain one would let a number in it be guessed. Without a
 * credential key it stays plain. */
void letter_digest_make(
	struct notice *notice, const struct secrets *secrets, const uint8_t plain[static SHA256_LEN]);
/* RC_STORE: the letter is another one. Where the key is missing only a plain digest is compared: letter_unpack() has compared one of its own. */
enum rc letter_digest_check(const struct notice *notice, const struct secrets *secrets, const char *wire,
	size_t len, struct err *err);

/* ---- masks.c ---- */
/* Learns the ZIP passwords in use, within the caller's transaction. */
enum rc masks_keep(struct office *office, struct err *err);
/* Are all ZIP passwords in use among those the masks know? */
enum rc masks_known(struct office *office, bool *all, struct err *err);

/* ---- rules.c: the profile and the templates an application was received under ---- */
struct rules {
	int64_t id; /* of the register's template set; 0: not kept (preview) */
	struct profile profile;
	struct template_set *templates;
};
/* The rules of an application, from the register; they live as long as the office. */
enum rc rules_get(struct office *office, int64_t id, const struct rules **rules, struct err *err);
/* The rules now in force for a profile; RC_CONFIG before office_load_templates(). */
enum rc rules_current(
	struct office *office, const char *profile, const struct rules **rules, struct err *err);
/* What answers mails: a profile without stages, the same for every application. */
const struct profile *rules_answers(void);
/* Reads the rules of a profile from the configuration's files without keeping them. */
enum rc rules_read(struct office *office, const struct profile *profile, struct rules *out, struct err *err);
void rules_free(struct rules *rules);
void rules_cache_free(struct rules_cache **cache);
/* The stage with that template; STAGE_NONE when there is none. */
int rules_stage_of(const struct rules *rules, const char *template_name);

/* ---- draft.c: a notice made ready to be queued ---- */
struct draft_order {
	const struct application *app; /* as it will be when the notice goes out */
	const struct rules *rules;
	const char *template_name;
	int stage; /* STAGE_NONE: not by a stage */
	const char *reason_ja; /* of a rejection; of a refused form what to mend, lines; NULL */
	/* a repetition */
	int64_t resend_of; /* the notice it repeats; 0: it is the first of that name */
	int resend_no;
	/* a resend, which repeats the first letter to the letter: its bytes as they were sent, DKIM-Signature fields included; NULL: made anew */
	const struct str *first_wire;
	civil_day first_sent_on;
	bool anew; /* likewise, but made anew because staff wanted it */
	const char *note; /* why, for the history; NULL: nothing to say */
	/* an answer to a mail (inbound_p.h); for a notice of the cadence all of it is empty */
	bool answers;
	const char *to; /* NULL: the registered address */
	const char *token; /* printed, and in Message-ID and Reply-To */
	civil_day confirm_by, stop_on; /* 0: none */
	const char *changes;
	const char
		*in_reply_to; /* Message-ID of the mail that is answered, without brackets; NULL: not told */
};
struct draft {
	struct pool *pool; /* notice's strings */
	struct notice notice;
	struct str packed;
	const char *refused_ja; /* RC_REFUSED: why it can't go out, for staff (static) */
};
/* Renders, guards, composes and packs. RC_REFUSED: it must not or can't go out (refused_ja). Nothing is written. Release in any case. */
enum rc draft_make(
	struct office *office, const struct draft_order *order, struct draft *draft, struct err *err);
/* Writes it into the outbox, with its history row. */
enum rc draft_queue(struct office *office, const struct draft_order *order, struct draft *draft,
	const char *actor, struct err *err);
void draft_free(struct draft *draft);
/* The office's own data for templates; all of it is borrowed. */
struct notice_office draft_notice_office(const struct office *office);
/* The text alone, guarded. */
enum rc draft_render(struct office *office, const struct draft_order *order, struct rendered *out,
	const char **refused_ja, struct err *err);
/* The wire bytes of a rendered text. */
enum rc draft_compose(struct office *office, const struct draft_order *order, const struct rendered *text,
	const char *message_id, struct str *wire, struct err *err);
/* What letters of that template were packed against before there were models. */
enum rc draft_dictionary(
	const struct rules *rules, const char *template_name, struct str *out, struct err *err);

/* ---- model.c: what letters are packed against ---- */
/* For letters of that template, within the caller's transaction: it is on file when that is committed. It lives until the templates are loaded anew. */
enum rc model_for(struct office *office, const struct rules *rules, const char *template_name,
	const struct letter_model **model, struct err *err);
/* The text of one that a kept letter names; likewise. */
enum rc model_text(struct office *office, int64_t id, const struct str **text, struct err *err);
/* Settings or templates are others now: models are made anew, and those on file read again. */
void models_forget(struct office *office);
void models_free(struct office *office);

/* ---- decide.c ---- */
/* A stage's notice that was given up or cancelled goes out once more: made anew, to the address that is registered today. RC_REFUSED: *refused_ja says
 * why not. */
enum rc office_send_again(struct office *office, const struct application *app, const struct notice *notice,
	const char *actor, const char **refused_ja, struct err *err);
/* Whether a letter of that name, first or resent, waits to be sent to that application or is at the server now. */
enum rc office_letter_waits(struct office *office, int64_t application_id, const char *template_name,
	bool *waits, struct err *err);

/* ---- erase.c ---- */

/* On request or by a purge: nothing of its form is left. */
bool office_is_erased(const struct application *app);

/* ---- correct.c: fields of a form changed, whoever wants it ---- */
struct correction {
	bool changed
		[FIELD_COUNT]; /* set by the caller: the fields that shall be other ones; afterwards those that are */
	struct form_values form; /* of the application as it shall be */
	bool new_address; /* the contact address is another one */
	const char *text; /* one a line: 電話番号：03-0000-0000 */
	const char *labels; /* 電話番号、所在地 */
	const char *why_ja; /* why it can't be carried out as it stands; NULL: it can */
};
/* Judges a form of which fields were changed by the rules of the form, for these fields: the rest was accepted under the rules of its day. record: with the
 * new values as they were written. let_doubts: what the rules leave to a person is allowed, because one decides. */
enum rc correction_judge(struct office *office, const struct application *app,
	const struct form_record *record, bool let_doubts, struct correction *correction, struct pool *pool,
	struct err *err);
/* Writes it, with its keys and a row of the history, and to the step-up or star that is the same declaration; what is queued is made anew. */
enum rc correction_write(struct office *office, struct application *app, const struct correction *correction,
	const char *actor, const char *note, struct pool *pool, struct err *err);
/* mailaddr_key() of an address, in the pool; "" when it is none. */
const char *office_mail_key(const char *mail, struct pool *pool);

/* ---- confirm.c: profile site, the address of a new application ---- */
/* Gives the notice of a stage that asks to confirm the address the token that its reply must bring back; `token` lives as long as the order. */
void confirm_token_make(struct office *office, struct draft_order *order, char token[static TOKEN_TEXT_MAX]);
/* Keeps its digest once the notice is queued. It has no end of its own: the application's is enough. */
enum rc confirm_token_keep(
	struct office *office, const struct draft_order *order, const struct draft *draft, struct err *err);

/* ---- register.c ---- */
/* An application that is not on file yet. */
struct application office_blank(const struct form_values *form, int64_t file_id, int row, utc_time now);
/* Pins the rules in force on the day it counts from. */
enum rc office_choose_rules(struct office *office, struct application *app, struct err *err);

/* ---- advance.c: an event carried out ---- */
struct act {
	enum event event;
	int stage; /* index of the stage whose notice goes out with it; STAGE_NONE: none */
	const char *actor, *note; /* NULL: "daemon", "" */
	int64_t ref, number;
	civil_day on; /* EVENT_STOP: the day it was asked for; CIVIL_DAY_NONE: today */
	/* EVENT_APPLY and imports: what the register wants with a new row */
	const char *key, *mail_key;
	const uint8_t *row_digest;
	bool answered_at_once; /* the first stage's notice follows within the transaction: the row is written once, as it is then */
};
/* Carries out one event on an application within the caller's transaction: the table's next state, the numbers it issues, the notice of
 * its stage, the history, what is cancelled, the next due moment; a ★ gives way to its ★★. RC_REFUSED: the table says no, nothing was
 * changed. A notice that must not go out puts the application, otherwise unchanged, into review. *app is as the register has it afterwards. */
enum rc office_advance(
	struct office *office, struct application *app, const struct act *act, struct err *err);
/* Carries out everything up to and with the notice of the next stage. note: why, in the words of staff; NULL: it was due. */
enum rc office_run_stage(
	struct office *office, struct application *app, const char *actor, const char *note, struct err *err);
/* Writes the application as it is now, its due moment reckoned anew, and a history row that changes no state (decisions of staff). */
enum rc office_write(struct office *office, struct application *app, enum event event, const char *actor,
	const char *note, int64_t ref, struct err *err);
/* Puts it into review: nothing is sent until a person has looked. A staff hold stays one. Ended ones get the row of the history only. */
enum rc office_review(
	struct office *office, struct application *app, const char *reason_ja, int64_t ref, struct err *err);
/* A row of the history that changes no state. */
enum rc office_note(struct office *office, const struct application *app, enum event event, const char *actor,
	const char *note, int64_t ref, int64_t number, struct err *err);
/* due_at and latest_at from everything else; nothing is written. */
enum rc office_reckon(struct office *office, struct application *app, struct due *due, struct err *err);
/* A stop was announced for a later day: until then a staff hold keeps everything back. */
bool office_stop_pending(const struct application *app);

/* ---- publicity.c: the intervals of the public list ---- */
/* What follows for the public list from a change of state or form, within the caller's transaction. before->id 0: it was not on file. */
enum rc office_keep_public(struct office *office, const struct application *before,
	const struct application *after, struct err *err);
/* application_update_form(), and what follows for the public list. */
enum rc office_write_form(struct office *office, const struct application *before,
	const struct application *after, const char *key, const char *mail_key, struct err *err);

/* ---- ceiling.c: the question of rule 5 ---- */
enum ceiling_kind { CEILING_AT_ONCE, CEILING_STAGES, CEILING_KINDS };
enum ceiling_kind ceiling_kind_of(const struct stage *stage);
/* May one more notice of that kind be queued now? When the ceiling is reached it asks (once), within the caller's transaction. */
enum rc ceiling_allows(struct office *office, enum ceiling_kind kind, bool *yes, struct err *err);
/* Lets go whatever is due by now (*due). */
enum rc ceiling_let_go(struct office *office, enum ceiling_kind kind, const char *actor, int64_t batch_id,
	int64_t *due, struct err *err);
/* Applications of that kind that are due by now; fn may be NULL. */
typedef enum rc ceiling_due_fn(void *ctx, const struct application *app, const struct stage *stage);
enum rc ceiling_each_due(struct office *office, enum ceiling_kind kind, ceiling_due_fn *fn, void *ctx,
	int64_t *count, struct err *err);
/* Counts one that was queued. */
enum rc ceiling_count(struct office *office, enum ceiling_kind kind, struct err *err);
/* Has the day changed since ceiling_new_day()? */
enum rc ceiling_day_changed(struct office *office, bool *yes, struct err *err);
/* Today's limit from the forecast made before, and a new forecast (own transaction). */
enum rc ceiling_new_day(struct office *office, struct err *err);
/* No restored store that waits, no pause: deciding may go on. */
enum rc office_may_decide(struct office *office, bool *yes, struct err *err);
/* "2026-11-22" in the office's zone. */
civil_day office_today(const struct office *office);

/* ---- batch.c: what waits for a person because of its number (N20) ---- */
/* Asks, within the caller's transaction: the batch, and its row of the history. */
enum rc batch_ask(struct office *office, enum batch_reason reason, int64_t template_set, int64_t due,
	int64_t limit, struct err *err);
/* Do the settings want two people for that reason? */
bool batch_takes_two(const struct office *office, enum batch_reason reason);

/* ---- bounced.c ---- */
/* What an enum bounce_class means, for staff, in the language of the process. */
const char *office_bounce_text(int64_t bounce_class);
/* A mobile carrier's domain: its "unknown user" may also be the user's own filter (domain of docomo, au, SoftBank and theirs). */
bool office_is_carrier(const char *domain);

/* ---- deliver.c ---- */
/* The notice of the stage before the next one: *id 0 when there is none. out is read into the pool. */
enum rc office_previous_notice(struct office *office, const struct application *app, struct notice *out,
	struct pool *pool, struct err *err);

#endif
