/*
 * report.h - the state of the office as a page for the shared folder (F86, N23)
 */
#ifndef SENGEN_REPORT_H
#define SENGEN_REPORT_H

#include "lib/desk/health.h"

/* Writes index.html into the directory (made if need be), whole or not at all: state at a glance, waiting and overdue per stage, age, mails and bounces a day, what is in
 * 要確認, refused files; and beside it mail/N.eml of each mail in 要確認 so that a click opens it; those settled since are taken away. Names of applicants stand in it: it is for the desk. */
enum rc report_write(struct office *office, const char *directory, struct err *err);

/* A page to hand to a subsidy office: which notices were sent to which declaration when, with the server's answer and the digest of each letter; user number masked. */
enum rc proof_print(struct office *office, const struct application *app, struct str *out, struct err *err);

#endif
