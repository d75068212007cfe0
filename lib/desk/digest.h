/*
 * digest.h - mails to the desk itself: the morning digest and alarms (F86, F74)
 *
 * They go through the outbox like any notice (application 0, no stage), one recipient each, to desk_mail and alarm_mail only. Personal data never stand in
 * them: numbers, names of files, links into the share.
 */
#ifndef SENGEN_DIGEST_H
#define SENGEN_DIGEST_H

#include "lib/desk/health.h"

/* What happened since the last one (the days up to yesterday, as far as the tally has them), and what today brings, as text and as HTML (one mail, multipart/alternative): new, sent, due today, overdue, refused files, review, bounces, difference of
 * the evening's books with the head of the history, silence; each with its link. A quiet day's is short. */
enum rc digest_make(struct office *office, const struct tally *tally, struct str *subject, struct str *text,
	struct str *html, struct err *err);
#define FACT_DIGEST "desk.digest" /* the day of the last one */
#define FACT_ALARMS_WITHHELD "alarms.withheld" /* changes since the last digest that went into no mail */
/* Queues it for everybody in desk_mail, once a day (fact desk.digest), in a transaction of its own. *queued: how many. */
enum rc digest_send(struct office *office, int *queued, struct err *err);

/* Tells of what turned bad, or good again, since it was last told: a journal entry each, and mails under alarms_per_hour; what is over it is counted and told in the
 * next one. Own transaction. */
enum rc alarms_send(struct office *office, const struct tally *tally, int *queued, struct err *err);

#endif
