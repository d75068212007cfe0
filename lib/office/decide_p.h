/*
 * decide_p.h - what the decisions of staff share (decide.c, correct.c, move.c)
 *
 * A decision is a function over a decision_case, run by decision_run() in one transaction. It refuses with decision_refuse(), which has a sentence
 * for staff and one in English.
 */
#ifndef SENGEN_DECIDE_P_H
#define SENGEN_DECIDE_P_H

#include "lib/office/office_p.h"

/* One decision of a person about one application, on the way through its checks. */
struct decision_case {
	struct office *office;
	struct application app;
	const struct rules *rules;
	const char *reason, *actor;
	civil_day stop_on; /* a stop */
	const char *template_name; /* a resend */
	int64_t *notice_id; /* likewise */
	enum state to; /* a move */
	const struct form_values *changed; /* a correction */
	const char **why_ja;
	struct pool *pool;
	struct err *err;
};

/* why_ja must outlive the call (a literal, or in the pool). */
enum rc decision_refuse(struct decision_case *c, const char *why_ja, const char *why);
/* RC_REFUSED with the table's own words when an event is not allowed. */
enum rc decision_check_table(struct decision_case *c, enum event event);
enum rc decision_check_reason(struct decision_case *c);
/* Reads the application and its rules. */
enum rc decision_open(struct decision_case *c, int64_t id);
/* One decision in one transaction. */
enum rc decision_run(
	struct decision_case *c, int64_t application_id, enum rc (*action)(struct decision_case *c));

#endif
