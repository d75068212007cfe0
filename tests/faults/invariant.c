#include "tests/faults/invariant_p.h"
#include "tests/faults/peer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/desk/books.h"

bool invariant_ok(enum rc rc, const char *what, const struct err *err)
{
	if (rc)
		fault_broken("12 %s can't be read: %s", what, err->text);
	return rc == RC_OK;
}

/* ---- everything on file ---- */

static void *grow(void *array, size_t count, size_t *size, size_t item)
{
	if (count < *size)
		return array;
	*size = *size ? 2 * *size : 64;
	return xrealloc(array, *size * item);
}

static enum rc keep_application(void *ctx, const struct application *app, struct err *err)
{
	struct on_file *all = ctx;
	(void)err;
	all->app = grow(all->app, all->apps, &all->app_size, sizeof *all->app);
	struct application *copy = &all->app[all->apps++];
	*copy = *app;
	copy->hold_reason = pool_strdup(all->pool, app->hold_reason);
	copy->profile = pool_strdup(all->pool, app->profile);
	for (int i = 0; i < FIELD_COUNT; i++)
		copy->form.value[i] = app->form.value[i] ? pool_strdup(all->pool, app->form.value[i]) : "";
	return RC_OK;
}

static enum rc keep_notice(void *ctx, const struct notice *notice, struct err *err)
{
	struct on_file *all = ctx;
	(void)err;
	all->notice = grow(all->notice, all->notices, &all->notice_size, sizeof *all->notice);
	struct notice *copy = &all->notice[all->notices++];
	*copy = *notice;
	copy->template_name = pool_strdup(all->pool, notice->template_name);
	copy->reply = pool_strdup(all->pool, notice->reply ? notice->reply : "");
	copy->recipient = pool_strdup(all->pool, notice->recipient);
	copy->message_id = pool_strdup(all->pool, notice->message_id);
	return RC_OK;
}

static bool read_all(struct on_file *all)
{
	struct err err = {0};
	struct store *store = all->office->store;
	const struct application_filter any = {.hold = -1};
	enum rc rc = application_each(store, &any, true, keep_application, all, &err);
	for (int state = OUTBOX_QUEUED; !rc && state <= OUTBOX_CANCELLED; state++)
		rc = outbox_each_in(store, (enum outbox_state)state, 0, 0, keep_notice, all, &err);
	if (!invariant_ok(rc, "the register", &err))
		return false;
	all->notice_of_mail = pool_alloc(all->pool, (peer_mail_count() + 1) * sizeof *all->notice_of_mail);
	for (size_t i = 0; i < peer_mail_count(); i++) {
		all->notice_of_mail[i] = 0;
		for (size_t n = 0; n < all->notices; n++)
			if (strcmp(all->notice[n].message_id, peer_mail_at(i)->message_id) == 0)
				all->notice_of_mail[i] = (int64_t)n + 1;
	}
	return true;
}

const struct application *on_file_application(const struct on_file *all, int64_t id)
{
	for (size_t i = 0; i < all->apps; i++)
		if (all->app[i].id == id)
			return &all->app[i];
	return NULL;
}

const struct season_business *season_business_of(const struct application *app)
{
	for (int i = 0; i < season->businesses; i++)
		if (strcmp(season->business[i].name, app->form.value[FIELD_BUSINESS_NAME]) == 0)
			return &season->business[i];
	return NULL;
}

/* ---- 1: each good row once ---- */

static void check_rows(const struct on_file *all)
{
	for (int i = 0; i < season->businesses; i++) {
		const struct season_business *business = &season->business[i];
		int count = 0, live = 0;
		for (size_t a = 0; a < all->apps; a++) {
			if (season_business_of(&all->app[a]) != business)
				continue;
			count++;
			live += state_is_live(all->app[a].state);
		}
		if (business->dropped && !count)
			fault_broken("1 the row of %s was dropped %d times and is not registered",
				business->name, business->dropped);
		/* Who was stopped or rejected may apply anew, and does when the file is dropped again. */
		if (live > 1 || count - live > business->dropped ||
			(live == 1 && count > business->dropped && business->dropped))
			fault_broken("1 %s is registered %d times, %d of them live, after %d drops",
				business->name, count, live, business->dropped);
	}
	for (size_t a = 0; a < all->apps; a++) {
		const struct season_business *business = season_business_of(&all->app[a]);
		if (!business)
			fault_broken(
				"1 application %" PRId64 " is of no row that was dropped", all->app[a].id);
		else if (!business->sole &&
			 strcmp(all->app[a].form.value[FIELD_CORPORATE_NUMBER], business->number) != 0)
			fault_broken("1 application %" PRId64 " came from a row with a wrong number",
				all->app[a].id);
	}
}

/* ---- 6: numbers ---- */

static int digits_of(int64_t number)
{
	int digits = 0;
	for (; number > 0; number /= 10)
		digits++;
	return digits;
}

static int first_of(int64_t number)
{
	while (number > 9)
		number /= 10;
	return (int)number;
}

static void check_numbers(const struct on_file *all)
{
	for (size_t i = 0; i < all->apps; i++) {
		const struct application *app = &all->app[i];
		bool issued = app->state == STATE_ID_ISSUED || app->state == STATE_LOGO_AUTHORIZED;
		if (issued && (!app->declaration_id || !app->user_number))
			fault_broken("6 application %" PRId64 " is %s and has no number", app->id,
				state_name(app->state));
		if (app->declaration_id &&
			(first_of(app->declaration_id) != 4 || digits_of(app->declaration_id) != 11))
			fault_broken("6 %" PRId64 " is no declaration ID", app->declaration_id);
		if (app->user_number &&
			(first_of(app->user_number) != 9 || digits_of(app->user_number) != 10))
			fault_broken("6 application %" PRId64 " has what is no user number", app->id);
		for (size_t other = 0; other < i; other++)
			if ((app->declaration_id && app->declaration_id == all->app[other].declaration_id) ||
				(app->user_number && app->user_number == all->app[other].user_number))
				fault_broken("6 applications %" PRId64 " and %" PRId64
					     " have the same number",
					all->app[other].id, app->id);
	}
}

/* ---- 7 and 8: books and history ---- */

static enum rc tell_difference(void *ctx, const struct difference *difference, struct err *err)
{
	(void)ctx, (void)err;
	fault_broken("7 %s %" PRId64 ": %s", difference_name(difference->kind), difference->about,
		difference->text);
	return RC_OK;
}

static void check_books(const struct on_file *all)
{
	struct err err = {0};
	struct balance balance = {0};
	struct books books = {0};
	struct pool *pool = pool_new();
	if (!invariant_ok(books_balance(all->office, &balance, tell_difference, NULL, pool, &err),
		    "the books", &err) ||
		!invariant_ok(store_books(all->office->store, &books, &err), "the counts", &err))
		goto done;
	/* What has no known fate stays open: a letter of that kind is with a person, a digest is not sent again. */
	int64_t no_fate = 0;
	for (size_t i = 0; i < peer_mail_count(); i++)
		no_fate += peer_mail_at(i)->told != OUTCOME_ACCEPTED || peer_mail_at(i)->life_ended;
	if (balance.open > no_fate)
		fault_broken("7 %" PRId64
			     " mails are still open between log and register, the fate of %" PRId64
			     " was not told",
			balance.open, no_fate);
	if (books.orphan_notices || books.orphan_numbers || books.orphan_requests)
		fault_broken("9 orphans: %" PRId64 " notices, %" PRId64 " numbers, %" PRId64 " requests",
			books.orphan_notices, books.orphan_numbers, books.orphan_requests);
	struct books_result last = {0};
	if (invariant_ok(books_last(all->office, &last, &err), "the evening's books", &err) &&
		last.differences)
		fault_broken("7 the last evening's books name %" PRId64 " differences", last.differences);
done:
	pool_free(&pool);
}

static void check_history(const struct on_file *all)
{
	struct err err = {0};
	struct audit audit = {0};
	int64_t witness = 0;
	if (!invariant_ok(audit_run(all->office->store, NULL, &audit, &err), "the history", &err))
		return;
	if (audit.fault)
		fault_broken("8 the history at row %" PRId64 " (about %" PRId64 "): %s", audit.bad_seq,
			audit.about, audit.fault);
	if (invariant_ok(store_witness(all->office->settings->witness_path, &witness, &err), "the witness",
		    &err) &&
		witness != audit.rows)
		fault_broken("8 the witness has seen %" PRId64 " rows, the history has %" PRId64, witness,
			audit.rows);
	if (store_restored(all->office->store) != RESTORED_NO)
		fault_broken("8 the register holds itself for restored");
}

void invariant_check(struct turn *turn)
{
	struct on_file all = {.office = &turn->house.office, .pool = pool_new()};
	if (read_all(&all)) {
		check_rows(&all);
		check_numbers(&all);
		check_books(&all);
		check_history(&all);
		invariant_notices(&all);
		invariant_copies(&all);
		invariant_ends(&all);
		invariant_recipients(&all);
		invariant_told(&all);
		invariant_files(&all);
		invariant_mailbox(&all);
		invariant_left_over(&all);
	}
	free(all.app);
	free(all.notice);
	pool_free(&all.pool);
}
