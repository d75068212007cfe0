/*
 * office.h - what the office does with an application: the rules put to work on the register
 *
 * Each function is one decision of the office carried out in one transaction: the state, its history row and its queued notice
 * stand or fall together. Roles and commands come here; nobody else changes a state. The floor above form, flow, mail and store.
 */
#ifndef SENGEN_OFFICE_H
#define SENGEN_OFFICE_H

#include <sys/types.h>

#include "lib/flow/cadence.h"
#include "lib/flow/transition.h"
#include "lib/form/decision.h"
#include "lib/form/result.h"
#include "lib/mail/mask.h"
#include "lib/mail/received.h"
#include "lib/settings.h"
#include "lib/store/store.h"

struct office {
	struct store *store; /* borrowed, like all below */
	const struct settings *settings;
	const struct secrets *secrets;
	struct clock *clock;
	struct rng *rng;
	bool answers_ceiling; /* a simulation prints the question and answers it */
	struct rules_cache *cache; /* owned; office_close() */
	struct models *models; /* likewise */
	struct strlist told; /* owned; addresses that were told today that a form was refused */
	civil_day told_on;
	struct err registry_fault; /* a look-up for validate() failed: office_register() returns it */
};

void office_open(struct office *office);
void office_close(struct office *office);
/* Profiles and templates as the configuration's files have them, tried and found good; no register is needed for it. */
struct rulebook;
enum rc rulebook_read(struct rulebook **out, const struct settings *settings, struct err *err);
void rulebook_free(struct rulebook **book);
/* Puts them in force: keeps each profile's set in the register, with what the masks need of the ZIP passwords in use, in a transaction of its own where there is anything
 * new. The book is spent by it. */
enum rc office_take_rules(struct office *office, struct rulebook *book, struct err *err);
/* The two together. Called at start and at reload. */
enum rc office_load_templates(struct office *office, struct err *err);

/* ---- intake ---- */
/* Registers one validated record within the caller's transaction: application, history, and what goes out at once. Findings of severity review put it in
 * 要確認, as does a date too far back or a notice that can't be written (*review). file_id and row: where it came from. RC_REFUSED: the business has
 * another live application, or a step-up has no ★ (validate() finds that first); roll back. */
enum rc office_register(struct office *office, const struct form_values *form,
	const struct findings *findings, int64_t file_id, int row, int64_t *application_id, bool *review,
	struct err *err);
/* A record that was refused: where notify_refused is set, the applicant is told by mail what to mend, within the caller's transaction. One such mail a day and
 * address, under the ceiling of receipts; no value of the form but the names, and none where one looks like an injection. */
enum rc office_answer_refused(struct office *office, const struct form_values *form,
	const struct findings *findings, struct err *err);
/* The caller's transaction came to nothing: whoever was told in it, when told.count was `told`, was not. */
void office_untell(struct office *office, size_t told);
/* A `struct registry` over the store, for validate(). */
struct registry office_registry(struct office *office);
struct validate_rules office_rules(const struct office *office, utc_time now);
/* A declaration the office already has (sengenctl import): no mail; repeatable: an ID that is on file is left as it is (*known). One whose
 * logo is still to come waits in 要確認 until staff approve. Call outside a transaction. RC_REFUSED: not a state or number to take over, a day
 * of stopping that does not fit the state, the business has another live application, or the ID is on file for another business, another user
 * number or with fewer stars; with a sentence for staff in *why_ja (pool). */
struct import_row {
	int64_t declaration_id, user_number;
	enum state state;
	civil_day applied_on, id_issued_on, logo_authorized_on, stopped_on;
	int star;
	struct form_values form;
};
enum rc office_import(struct office *office, const struct import_row *row, const char *actor, bool *known,
	const char **why_ja, struct pool *pool, struct err *err);

/* ---- the clock ---- */
struct step_result {
	int done; /* transitions carried out */
	utc_time next_at; /* when to come again; UTC_NEVER: when woken */
	bool asked; /* the ceiling was reached: staff must release */
};
/* Carries out up to `limit` due stages, a few a transaction, oldest first, and expires what was never confirmed. Respects holds of the office
 * (restored store, paused deciding, ceiling). Also makes tomorrow's forecast when the day has changed. */
enum rc office_run_due(struct office *office, int limit, struct step_result *out, struct err *err);
/* What the sender learned about a notice, in the caller's transaction: writes the outbox and the history, and when it was accepted
 * reckons the next stage's due moment; given up: review. */
enum rc office_delivered(struct office *office, struct notice *notice, const struct delivery *delivery,
	const char *dkim, size_t dkim_len, struct err *err);
/* Rows found in `sending` when the sender starts: their process died, the answer is unknown. */
enum rc office_recover_sending(struct office *office, int *count, struct err *err);
/* The wire bytes of a notice without its DKIM-Signature fields: checked against its digest, and with its S/MIME signature where it was sent with one. */
enum rc office_letter(
	struct office *office, int64_t notice_id, struct str *wire, struct str *dkim, struct err *err);
/* The same of a notice that was read already. */
enum rc office_letter_of(struct office *office, const struct notice *notice, struct str *wire,
	struct str *dkim, struct err *err);

/* Notices of a register from before version 5 get keyed digests (struct notice), some a call, in a transaction of its own; *more: there are others. */
enum rc office_key_digests(struct office *office, bool *more, struct err *err);

/* ---- mails to the desk itself (lib/desk/digest.h) ---- */
#define NOTICE_DIGEST "digest"
#define NOTICE_ALARM "alarm"
/* Queues one within the caller's transaction, with application 0 and no stage, and notes it in the history. html may be NULL. What becomes of it puts nothing into
 * 要確認; no copy is filed; it is no letter of a template set, so no batch holds it. RC_REFUSED: the address can't be used. */
enum rc office_desk_mail(struct office *office, const char *template_name, const char *to,
	const char *subject, const char *text, const char *html, int64_t *notice_id, struct err *err);
bool office_is_desk_mail(const struct notice *notice);

/* ---- what holds the office as a whole ---- */
struct ceiling_question { /* a kind of notice reached its ceiling, and nobody has answered yet */
	bool asked;
	int64_t batch_id;
	civil_day day; /* on which it was asked */
	int64_t due, limit; /* due by now, which an answer lets go; what the day allowed */
};
struct office_holds {
	enum restored restored; /* else nothing goes until office_release_restored() */
	bool paused[PAUSE_COUNT]; /* facts "pause.intake" … */
	struct ceiling_question at_once; /* receipts and whatever answers a form at once (receipt_ceiling) */
	struct ceiling_question stages; /* notices of the cadence (ceiling_percent, ceiling_minimum) */
	int64_t template_sets; /* new ones whose first letters wait for a person */
};
enum rc office_holds(struct office *office, struct office_holds *out, struct err *err);
/* How many live applications have missed, or within `alarm_days` will miss, the latest day of their next notice unless somebody acts: held, in
 * review, waiting for approval or for the mail server. Looked at by status, and logged once a day by office_run_due(). */
enum rc office_late(struct office *office, int64_t *count, struct err *err);
/* May the sender claim anything? Not while a restored store waits for release or sending is paused. */
enum rc office_may_send(struct office *office, bool *yes, struct err *err);
/* May the mailbox be read, and requests be carried out? Likewise. */
enum rc office_may_read(struct office *office, bool *yes, struct err *err);

/* ---- the mailbox ---- */
/* What mails are answered with: the names of the templates in templates/mail/answer; NULL ends. */
extern const char *const answer_template[];
/* What follows from one mail that was read, within the caller's transaction: its request, its history, what is carried out, asked or answered, all at once; writes
 * the message as MESSAGE_READ with kind, review and folder. received NULL: its reader failed (damage, English: why): 要確認. */
enum rc office_receive(struct office *office, struct mail_message *message, const struct received *received,
	const char *damage, struct err *err);
/* Requests whose moment has come: a confirmation that did not come in time → review; a stop whose day has come → carried out (the clock does the
 * application's part). Few a transaction, up to limit. One that can't be gone on with is left for an hour, and holds up nobody. */
enum rc office_run_requests(struct office *office, int limit, struct step_result *out, struct err *err);
/* A message that staff took out of 要確認 by hand stays open and is flagged (own transaction). */
enum rc office_moved_away(struct office *office, int64_t message_id, struct err *err);

/* What staff decide about a request in review (or one that waits for its confirmation). */
enum request_action {
	REQUEST_CARRY_OUT, /* as read, or for the application given; staff are the proof */
	REQUEST_ASK, /* send the confirmation mail to the registered address (stop, change) */
	REQUEST_CLOSE, /* done by hand, or not to be done; nothing is changed or sent */
};
/* application_id 0: the one it was identified with. stop_on: CIVIL_DAY_NONE: as read. RC_REFUSED with a sentence for staff in *why_ja. Own transaction. */
enum rc office_resolve(struct office *office, int64_t request_id, enum request_action action,
	int64_t application_id, civil_day stop_on, const char *reason, const char *actor, const char **why_ja,
	struct pool *pool, struct err *err);

/* ---- staff ---- */
/* All return RC_REFUSED with an English sentence and, in *why_ja (pool), one for staff, when it is not allowed. actor: who ("staff:1000"). */
enum rc office_decide(struct office *office, int64_t application_id, enum decision_action action,
	const char *reason, const char *actor, const char **why_ja, struct pool *pool, struct err *err);
enum rc office_stop(struct office *office, int64_t application_id, civil_day on, const char *reason,
	const char *actor, const char **why_ja, struct pool *pool, struct err *err);
/* template_name: "id", "logo" …; a new mail to today's registered address, headed by 【再送】 and the first date, the first letter attached. */
enum rc office_resend(struct office *office, int64_t application_id, const char *template_name,
	const char *actor, int64_t *notice_id, const char **why_ja, struct pool *pool, struct err *err);
/* The same, made anew under the application's template set with today's values (F82): no 【再送】, nothing attached. */
enum rc office_resend_anew(struct office *office, int64_t application_id, const char *template_name,
	const char *reason, const char *actor, int64_t *notice_id, const char **why_ja, struct pool *pool,
	struct err *err);
/* Corrects fields of the form (F15): `changed` has the new values as staff wrote them, NULL where nothing changes, "" to clear. They are read and judged as a form's
 * are (validate()); keys, search and the public list follow. A queued notice not yet at the server is made anew with the new values; one that was sent stays as it is.
 * RC_REFUSED: a rule says no, nothing differs, a field that can't be corrected (kind, applied_on once a stage has gone out), another live business has that key. */
enum rc office_correct(struct office *office, int64_t application_id, const struct form_values *changed,
	const char *reason, const char *actor, const char **why_ja, struct pool *pool, struct err *err);
/* Brings the next stage forward to now (繰上げ): what the cadence would do on its day is done at once, ceiling and office hours left out; holds still hold. to: where
 * it must lead; STATE_NONE: wherever it does. */
enum rc office_move(struct office *office, int64_t application_id, enum state to, const char *reason,
	const char *actor, const char **why_ja, struct pool *pool, struct err *err);
/* Takes the last change of state back (F26) where nothing that told of it was sent or may have been: a rejection, withdrawal, stop or expiry, or a stage whose notice
 * still waits (it is cancelled; numbers drawn stay with the application). RC_REFUSED: it was sent, or the business has another live application by now. */
enum rc office_undo(struct office *office, int64_t application_id, const char *reason, const char *actor,
	const char **why_ja, struct pool *pool, struct err *err);
/* Pauses or resumes a part of the work. RC_REFUSED: it is so already; a pause without a reason. Roles look at office_paused() in each step. */
enum rc office_pause(struct office *office, enum pause what, bool on, const char *reason, const char *actor,
	const char **why_ja, struct pool *pool, struct err *err);
enum rc office_paused(struct office *office, enum pause what, bool *yes, struct err *err);
/* Lets a batch go. Where second_person names its reason it takes two people: the first call notes the first (*waits_for_second), the second must be somebody else. */
enum rc office_release_batch(struct office *office, int64_t batch_id, const char *actor,
	bool *waits_for_second, const char **why_ja, struct pool *pool, struct err *err);
/* Erases the personal data of an application (administrators), the mails about it and the form files it stands in included; the history, the numbers and the
 * counts stay. preview: only counts, a store opened for reading is enough, no reason is wanted. What lies on the disk (application_files()) is taken
 * away by purge_scrub() once this is committed. RC_REFUSED while it lives, a request about it is open, or a mail to it waits. */
enum rc office_erase(struct office *office, int64_t application_id, bool preview, const char *reason,
	const char *actor, struct erasure *out, const char **why_ja, struct pool *pool, struct err *err);
/* The same for one received mail that is about no application. RC_REFUSED: it is, or is not settled. */
enum rc office_erase_mail(struct office *office, int64_t message_id, bool preview, const char *reason,
	const char *actor, struct erasure *out, const char **why_ja, struct pool *pool, struct err *err);
/* What must not be shown whole, for mask_add(); a store opened for reading is enough. */
enum rc office_masks(struct office *office, struct mask *out, struct err *err);
/* What staff may do: by the groups of the settings (roles). groups: those of the person; uid 0 and the daemon's own user administer. */
enum right office_right(const struct settings *settings, uid_t uid, const gid_t *groups, int count);
/* The group whose members have it, by the settings. */
const char *office_right_group(const struct settings *settings, enum right right);
/* What a batch holds back now: how many notices, and up to BATCH_SAMPLES of them drawn at random (F27): a store opened for reading is enough. */
#define BATCH_SAMPLES 3
struct batch_sample {
	int64_t application_id;
	int64_t notice_id; /* 0: it is not queued yet */
	const char *template_name;
};
struct batch_look {
	int64_t waiting;
	struct batch_sample sample[BATCH_SAMPLES];
	int count;
};
enum rc office_look_at_batch(struct office *office, const struct held_batch *batch, struct batch_look *out,
	struct pool *pool, struct err *err);
/* Answers the questions of the ceiling at once: office_release_batch() for each that is open. *released: notices go out now; *waits_for_second: of a question
 * it takes another person to answer; both, when there are two. RC_REFUSED: there was no question, or none that this person may answer. */
enum rc office_release_ceiling(struct office *office, const char *actor, bool *released,
	bool *waits_for_second, const char **why_ja, struct pool *pool, struct err *err);
/* Releases a restored store: it goes on as the register. */
enum rc office_release_restored(struct office *office, const char *actor, struct err *err);

/* ---- what is public (N28) ---- */
/* By its state and the settings; a step-up from its logo on: until then its ★ is. A held one stays public. */
bool office_is_public(const struct settings *settings, const struct application *app);
/* 宣言日: the day of the ID; where it is not known that of the logo or of the application. */
civil_day office_declared_on(const struct application *app);
const char *public_star(int star); /* ★一つ星 */
/* A field's value as the public sees it: a choice by its label; "" where there is none. */
const char *public_value(
	const struct settings *settings, const struct application *app, enum form_field field);
/* The packed public values of an application: star, day and public_fields, nothing else; and as "見出し: 値" lines for staff. */
void public_values_pack(const struct settings *settings, const struct application *app, struct str *out);
void public_values_print(const struct settings *settings, const char *packed, struct str *out);
/* Brings the intervals of a register from before, or kept by another public_from, in line with the settings: some applications a call, in a transaction of its own; *more:
 * there are others. Until it has come to its end there is no public list to be written (office_public_settled()). */
enum rc office_settle_public(struct office *office, bool *more, struct err *err);
enum rc office_public_settled(struct office *office, bool *yes, struct err *err);

/* ---- looking (a store opened for reading is enough) ---- */
/* The profile of a template set that the register keeps, with its stages; it lives as long as the office. */
enum rc office_profile(
	struct office *office, int64_t template_set, const struct profile **out, struct err *err);

/* What a notice is called, in the language of the process: "id" or 自己宣言IDのお知らせ. A template of the office's own goes by its name. */
const char *office_notice_text(const char *template_name);

/* Renders a stage's notice for an application without queueing it. template_name NULL: the next one. app_id 0: sample data. raw: the wire
 * bytes too. Answers to mails go by the names of their templates (profile "answer"). */
enum rc office_preview(struct office *office, int64_t application_id, const char *profile,
	const char *template_name, struct rendered *out, struct str *raw, struct err *err);

struct planned {
	int64_t application_id;
	int stage;
	const char *template_name;
	utc_time at; /* when it will be queued */
	bool at_once; /* it answers a form at once, at any hour */
	bool certain; /* false: reckoned from a notice that is itself still to come */
	const char *
		why; /* until fn returns, in the language of the process: "7 days after application, moved from 天皇誕生日" */
};
typedef enum rc planned_fn(void *ctx, const struct planned *planned, struct err *err);
/* The mails of the days from `from` to `until` (civil days, both included), by day; counting only when fn is NULL.
 * count[day - from][stage]. */
enum rc office_plan(struct office *office, civil_day from, civil_day until, planned_fn *fn, void *ctx,
	int64_t (*count)[STAGE_MAX], struct err *err);
/* Why nothing has come yet, in the order of deciding, for one application: a sentence in Japanese or English (by the process's locale, gettext). */
enum rc office_why(struct office *office, const struct application *app, struct str *out, struct due *due,
	struct err *err);

#endif
