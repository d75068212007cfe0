/*
 * invariant_p.h - what the checks share: everything on file and everything the server took, read once
 *
 *   invariant.c         the order of the checks; register, history, numbers, books
 *   invariant_mail.c    what the server took against outbox and season (2 to 6)
 *   invariant_places.c  files, mailbox, what is left over (1, 9, 10)
 */
#ifndef SENGEN_TESTS_INVARIANT_P_H
#define SENGEN_TESTS_INVARIANT_P_H

#include "lib/office/office.h"
#include "tests/faults/fault.h"
#include "tests/faults/invariant.h"
#include "tests/faults/peer.h"
#include "tests/faults/season_p.h"

struct on_file {
	struct office *office;
	struct pool *pool;
	struct application *app;
	size_t apps, app_size;
	struct notice *notice;
	size_t notices, notice_size;
	int64_t *notice_of_mail; /* index into notice + 1 of each mail the server took; 0: none */
};

const struct application *on_file_application(const struct on_file *all, int64_t id);
/* Of a row's business name; NULL: it is none of the season's. */
const struct season_business *season_business_of(const struct application *app);

/* A failed call is a broken promise of its own: after the quiet weeks everything can be read. */
bool invariant_ok(enum rc rc, const char *what, const struct err *err);

void invariant_notices(const struct on_file *all);
void invariant_copies(const struct on_file *all);
void invariant_ends(const struct on_file *all);
void invariant_recipients(const struct on_file *all);
void invariant_told(const struct on_file *all);

void invariant_files(const struct on_file *all);
void invariant_mailbox(const struct on_file *all);
void invariant_left_over(const struct on_file *all);

#endif
