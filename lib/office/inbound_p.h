/*
 * inbound_p.h - what the pieces of lib/office share that act on received mails
 *
 * receive.c looks at a mail (replies with a token, bounces, machines, then requests), finds the application it speaks of and comes to one handler a kind: stop and
 * change (confirm.c), resend, mail news, enquiry (request_*.c), bounces (bounced.c). A handler says what it decided with one inbound_*() call at its end; no other code
 * writes a request or sends an answer.
 */
#ifndef SENGEN_INBOUND_P_H
#define SENGEN_INBOUND_P_H

#include "lib/mail/token.h"
#include "lib/office/office_p.h"

struct inbound { /* one mail, on its way through its handler; everything lives in pool */
	struct office *office;
	struct mail_message *message;
	const struct received *received;
	struct request request; /* id 0 until it was added */
	struct application app; /* id 0: not identified */
	const char *from_key; /* mailaddr_key() of From; "" when it has none */
	bool from_registered; /* From is the contact address of `app` */
	bool address_proven; /* a change: its new contact address has answered */
	const char *actor; /* who acts, for the history: "daemon", "staff:1000" */
	utc_time now;
	struct pool *pool;
	struct err *err;
};

/* ---- receive.c ---- */
/* Nothing known yet. */
void inbound_begin(struct inbound *in, struct office *office, struct pool *pool, struct err *err);
/* The application a mail speaks of, once it is known: in->app and from_registered. */
void inbound_take_application(struct inbound *in, const struct application *app);
/* mailaddr_key() of an address, in the pool; "" when it is none. */
const char *inbound_mail_key(const struct inbound *in, const char *mail);
/* Adds the request (as one in review) with its first row of the history, so that it has a number; does nothing where it has one. The ends do it by themselves. */
enum rc inbound_enter(struct inbound *in);
/* Ends of a handler. note_ja: for staff, what was done or why it waits. */
enum rc inbound_review(struct inbound *in, const char *note_ja); /* 要確認 */
enum rc inbound_close(
	struct inbound *in, enum request_state state, enum proof proof, const char *note_ja); /* → 処理済み */
/* A request that goes on later: writes state, due_at, proof, note as they stand in in->request, with that row of the history (0: it has one already). */
enum rc inbound_wait(struct inbound *in, enum event event);
/* The end of a mail that is no request of its own: it belongs to another one, or is none. */
enum rc inbound_file(struct inbound *in, enum request_kind kind, bool review);

/* ---- reopen.c ---- */
/* A case opened again from the register: token came back, time is over, staff decided. received is NULL where the reading was erased. RC_REFUSED: there is no such request. */
enum rc inbound_open(
	struct inbound *in, struct office *office, int64_t request_id, struct pool *pool, struct err *err);

/* ---- identify.c: which application a mail speaks of ---- */
enum identified {
	IDENTIFIED_NONE, /* nothing that could tell */
	IDENTIFIED_UNKNOWN, /* an ID or business that is not on file */
	IDENTIFIED_SEVERAL, /* more than one fits */
	IDENTIFIED_CONFLICT, /* ID and business name contradict each other */
	IDENTIFIED_USER_NUMBER, /* a user number (9…) stands where the ID should be */
	IDENTIFIED_ONE, /* in->app is it */
};
/* By ID and business name (weak equality: text_key()), by 法人番号 + 都道府県, by 屋号 + 代表者名 + 都道府県, by a notice that is answered, or by the sender's address.
 * `by_sender`: the sender's address alone may identify (never for a stop or change). */
enum rc inbound_identify(struct inbound *in, bool by_sender, enum identified *out);
/* The one declaration behind the sender's address, whatever the mail says; in->app stays empty when there is none, or several. */
enum rc inbound_take_by_sender(struct inbound *in);
/* By a notice that is answered, when its recipient answers; in->app stays empty when there is none. */
enum rc inbound_take_by_answered(struct inbound *in);

/* ---- reason.c ---- */
/* Why the reading leaves a mail to a person, in words for staff; in pool. */
const char *inbound_reason_ja(const struct reading *reading, struct pool *pool);

/* ---- policy.c ---- */
/* What the table says (N1): the first line that fits counts, none: act. applied_on CIVIL_DAY_NONE (nobody knows which declaration): no line with
 * applied_before fits. */
enum policy_action policy_for(
	const struct settings *settings, enum request_kind kind, civil_day applied_on, civil_day received_on);
/* For in->request about in->app: お申込日 (where the form had none, the day its clock started) and the day the mail was taken. */
enum policy_action inbound_policy(const struct inbound *in);

/* ---- answer.c: every mail that answers a mail goes through here (T10) ---- */
enum answer { /* index of answer_template[]: templates/mail/answer/NAME.txt */
	ANSWER_CONFIRM_STOP, /* confirm-stop: reply to this to confirm */
	ANSWER_CONFIRM_CHANGE, /* confirm-change */
	ANSWER_CONFIRM_ADDRESS, /* confirm-address: to the new address */
	ANSWER_STOPPED, /* stopped */
	ANSWER_STOP_PLANNED, /* stop-planned: on that day */
	ANSWER_CHANGED, /* changed */
	ANSWER_NEWS_STOPPED, /* news-stopped */
	ANSWER_ID, /* id-answer */
	ANSWER_GUIDE, /* guide: please apply anew (policy) */
	ANSWER_WRONG_NUMBER, /* wrong-number: 利用者番号 is not the 自己宣言ID */
	ANSWER_NEUTRAL, /* neutral: the same text whether the case exists or not; no value from outside */
	ANSWER_READABLE_FORM, /* readable-form: please send the plain Word file */
	ANSWER_COUNT
};
struct answer_values { /* besides those of the application (notice.h) */
	const char *token; /* confirm-*: printed, in Subject, Message-ID and Reply-To */
	civil_day confirm_by; /* confirm-*: the last day for the reply */
	civil_day stop_on; /* stop-*, stopped, confirm-stop; CIVIL_DAY_NONE: at once */
	const char *changes; /* confirm-change, changed: one a line, "所在地：新しい値" */
};
/*
 * The one guard, then the outbox. `to`: NULL: the registered address of in->app (proven); else an address from outside: only the From of the mail,
 * and only for templates without a value from outside. *sent false: the guard held it back, and nothing else is changed:
 *   never to a null sender, an automatic mail, a bulk mail or ourselves; to an unproven sender only with aligned DKIM or SPF, answers_per_address a day and
 *   answers_per_hour in all; to a suppressed (dead) address never; readable-form and wrong-number once a day and person; to a registered address ten a day, results (stopped,
 *   changed) not counted. What staff send by hand may follow any mail. What can't be written (a value is missing) is held back too. notice_id may be NULL.
 */
enum rc inbound_answer(struct inbound *in, enum answer answer, const struct answer_values *values,
	const char *to, bool *sent, int64_t *notice_id);

/* ---- confirm.c: tokens; stop and change ---- */
/* Sends a token to the registered address (ANSWER_CONFIRM_STOP …) or to a new one, and keeps its digest. */
enum rc inbound_ask(struct inbound *in, enum token_purpose purpose, enum answer answer,
	const struct answer_values *values, const char *to, bool *sent);
/* The end of a handler that has asked: waits confirm_days. note_ja without a full stop: the last day is written behind it. */
enum rc inbound_wait_for_reply(struct inbound *in, const char *note_ja);
/* Another request of this kind about in->app that waits for its confirmation or its day; 0: none. A stranger could ask again and again. */
enum rc inbound_find_open(struct inbound *in, int64_t *request_id);
/* Is this mail the answer to a token? *handled: it was, and everything is done; not when it asks for something else besides. */
enum rc inbound_token_reply(struct inbound *in, bool *handled);
/* Carried out with the proof in in->request.proof: stop, change. */
enum rc inbound_carry_out(struct inbound *in);

/* ---- request_stop.c, request_change.c ---- */
enum rc inbound_stop(struct inbound *in);
enum rc inbound_change(struct inbound *in);
/* ID and business name, both of them. *why_ja: one is missing; else NULL. */
enum rc inbound_identify_by_form(struct inbound *in, enum identified *found, const char **why_ja);
/* The end of a stop or change that fits no application: review, and nothing is said to anybody (but for a user number in the ID's place). */
enum rc inbound_not_proven_identity(struct inbound *in, enum identified found);
/* trust_aligned_dkim is on, and From is the registered address with aligned DKIM: as the reader says, and as the mail's own header says. */
enum rc inbound_is_trusted(struct inbound *in, bool *trusted);
/* Asks the registered address; review where that can't be. */
enum rc inbound_ask_stop(struct inbound *in);
enum rc inbound_ask_change(struct inbound *in);
enum rc inbound_carry_out_stop(struct inbound *in);
enum rc inbound_carry_out_change(struct inbound *in);
/* The day of a planned stop has come. */
enum rc inbound_stop_day(struct inbound *in);

/* ---- sender.c: what our own mail server wrote about the sender, read from the mail's bytes by the role itself ---- */
/* *from_key: of From; "" where it is not plain, or the bytes were erased. */
enum rc inbound_reread_sender(struct inbound *in, struct authres *out, const char **from_key);
/* The domain that From names says that the mail is not its own. */
enum rc inbound_is_disowned(struct inbound *in, bool *disowned);

/* ---- stranger.c: what is common to requests that anybody may send ---- */
/* A person decided: no answer to strangers, no limit a day, and staff are the proof. */
bool inbound_by_staff(const struct inbound *in);
/* The fixed answer, unless the registered address itself wrote: no word in it, and no condition for it, depends on what is on file. */
enum rc inbound_neutral(struct inbound *in, bool *sent);
/* Ends that also give a stranger his fixed answer: a person goes on; */
enum rc inbound_hand_over(struct inbound *in, const char *note_ja);
/* there is nothing to do (a person looks where the answer was held back); */
enum rc inbound_turn_away(struct inbound *in, const char *note_ja);
/* it was done, or answered, to the registered address. */
enum rc inbound_done_for(struct inbound *in, enum request_state state, enum proof proof, const char *note_ja);
/* The end of a request that fits not exactly one application. */
enum rc inbound_not_identified(struct inbound *in, enum identified found);
/* The end of a request that quotes a user number for the ID: told to the registered address when the sender has one, and one application (N3). */
enum rc inbound_wrong_number(struct inbound *in);
/* May so many letters go to the registered address of in->app because a mail asks for it? *why_ja NULL: yes. Not when it ended, is held or in review, the address is
 * dead, resends_per_day letters went there today (resends, IDs and guidance that mails brought about), or strangers had answers_per_hour requests carried out
 * this hour. */
enum rc inbound_may_send(struct inbound *in, int letters, const char **why_ja);
/* What the policy wants instead of carrying it out; *handled: that was done. */
enum rc inbound_by_policy(struct inbound *in, bool *handled);

/* ---- request_*.c ---- */
enum rc inbound_resend(struct inbound *in);
enum rc inbound_news(struct inbound *in);
enum rc inbound_enquiry(struct inbound *in);
/* The same for in->app, whoever found it (staff). */
enum rc inbound_carry_out_resend(struct inbound *in);
enum rc inbound_carry_out_news(struct inbound *in);
enum rc inbound_carry_out_enquiry(struct inbound *in);
enum rc inbound_unknown_mail(struct inbound *in); /* 心当たりがない: all notices to that address are held */
/* A stop or change whose form can't be read: one letter asks for a readable one, and it stays in review. */
bool inbound_is_unreadable(const struct inbound *in);
enum rc inbound_unreadable(struct inbound *in);

/* ---- bounced.c ---- */
enum rc inbound_bounce(struct inbound *in);
/* The notice to whose signed bounce address the mail came: only who got it, or carried it, can write there. id 0: none, or it never left. */
enum rc inbound_sent_back(struct inbound *in, struct notice *out);

#endif
