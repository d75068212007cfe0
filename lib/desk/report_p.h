/* report_p.h - what the pieces of the report share: the page being written and what stands on it */
#ifndef SENGEN_REPORT_P_H
#define SENGEN_REPORT_P_H

#include "lib/desk/html.h"
#include "lib/desk/report.h"

#define REPORT_ROWS 300 /* of a list; the page stays one that a browser opens at once */
#define REPORT_DAYS 30

struct report {
	struct office *office;
	const char *directory;
	int mail; /* mail/ below it, open */
	utc_time now;
	struct tally tally;
	struct health_item *health; /* in the pool */
	int health_count;
	struct str out; /* the page */
	const char *
		spool_url; /* the spool directory as seen from the page, with its last slash; NULL: no way leads there */
	struct strlist mails; /* names that belong into mail/ */
	struct mask mask;
	struct pool *pool;
};

/* ---- report.c: small texts ---- */
const char *report_number(struct report *report, int64_t number); /* "12,345" */
const char *report_day(struct report *report, civil_day day); /* "11月22日(日)" */
const char *report_time(struct report *report, utc_time at); /* "2026-11-22 09:30" */
/* "3日前", "今日"; days of the office's calendar. */
const char *report_age(struct report *report, utc_time since);
/* What somebody wrote, with user numbers, tokens and ZIP passwords masked. */
const char *report_masked(struct report *report, const char *text);
/* <p class>, text between. */
void report_paragraph(struct report *report, const char *class, const char *text);

/* ---- report_numbers.c ---- */
void report_figures(struct report *report);
enum rc report_stages(struct report *report, struct err *err);
void report_days(struct report *report);

/* ---- report_lists.c ---- */
enum rc report_attention(struct report *report, struct err *err);
enum rc report_review(struct report *report, struct err *err);
enum rc report_overdue(struct report *report, struct err *err);
enum rc report_files(struct report *report, struct err *err);
void report_checks(struct report *report);

#endif
