/*
 * report.h - the state of the office as a page for the shared folder (F86, N23)
 */
#ifndef SENGEN_REPORT_H
#define SENGEN_REPORT_H

#include "lib/desk/health.h"

/* Writes index.html into the directory (made if need be), whole or not at all: what needs a person first, then numbers, 要確認, what is overdue, waiting per stage and
 * age, mails and bounces a day, refused files, all checks; and beside it mail/N.eml (N: 受信番号) of each mail listed in 要確認, so that a click opens it; those settled
 * since are taken away. Names of applicants stand in it: it is for the desk; files are readable for owner and group. Long lists are cut and say how to see the rest.
 * A store opened for reading is enough. RC_STORE: the directory can't be written; the page before is still there, whole. */
enum rc report_write(struct office *office, const char *directory, struct err *err);
/* Appends where the report goes by the settings. */
void report_directory(struct str *out, const struct settings *settings);
#define REPORT_FAULT_FACT "report.fault" /* there while the role desk can't write it */

/* A page to hand to a subsidy office, one A4 sheet: which notices were sent to which declaration when, with the server's answer and the digest of each letter, resends as such;
 * user number masked; cancelled notices and answers to mails left out. In Japanese. The same as text, for a terminal or a mail. */
enum rc proof_print(struct office *office, const struct application *app, struct str *out, struct err *err);
enum rc proof_print_text(
	struct office *office, const struct application *app, struct str *out, struct err *err);

#endif
