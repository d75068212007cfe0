/*
 * confirm_rig.h - what the tests of stop, change and tokens share: a declaration with its ID, a form that asks for something, a reply that brings a token back
 *
 * Business 1 (株式会社サンプル1, info1@example.co.jp) has its ID; its logo notice is still to come.
 */
#ifndef SENGEN_CONFIRM_RIG_H
#define SENGEN_CONFIRM_RIG_H

#include "inbound_rig.h"

#include <sqlite3.h>

#define STRANGER "stranger@example.com"

/* A declaration of business n, ID issued, everything delivered. */
static inline int64_t confirm_declaration(struct rig *rig, int n)
{
	int64_t id = rig_apply(rig, n);
	rig_run_days(rig, 11); /* no weekend or holiday is that long */
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	return id;
}

/* The form B-3, or the change form, of an application, sent by `from`. */
static inline struct received confirm_form(
	struct rig *rig, enum request_kind kind, int64_t id, const char *from)
{
	struct received mail = inbound_mail(kind, from);
	mail.reading.from_form = true;
	mail.reading.fields.kind = kind == REQUEST_STOP ? SHEET_STOP : SHEET_CHANGE;
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.business_name = rig_app(rig, id).form.value[FIELD_BUSINESS_NAME];
	return mail;
}

/* The token in the only queued letter of that name. */
static inline const char *confirm_token(struct rig *rig, const char *template_name)
{
	struct strlist found = {0};
	token_find(&found, inbound_text(rig, template_name), 4);
	assert_int_equal(found.count, 1);
	const char *token = pool_strdup(rig->pool, found.item[0]);
	strlist_free(&found);
	return token;
}

static inline struct received confirm_reply(const char *from, const char *token)
{
	struct received mail = inbound_mail(REQUEST_OTHER, from);
	mail.reading.review = true;
	mail.reading.wishes = 0;
	mail.reading.why = "Review: no rule knows what it asks for.";
	mail.text = "承知しました。";
	mail.token[0] = token;
	mail.token_count = 1;
	return mail;
}

/* Asked for by `from`, and the request that waits; the token is in the letter that was queued. */
static inline int64_t confirm_asked(struct rig *rig, struct received *mail)
{
	int64_t message = inbound_receive(rig, mail);
	if (inbound_request(rig, message).state != REQUEST_STATE_ASKED)
		fail_msg("%s", inbound_outcome(rig, message));
	return message;
}

static inline void confirm_sql(const struct rig *rig, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* From now on a write fails as if the disk did ("INSERT ON outbox"); NULL: no longer. */
static inline void confirm_fault(struct rig *rig, const char *write)
{
	confirm_sql(
		rig, write ? pool_printf(rig->pool,
				     "CREATE TRIGGER fault BEFORE %s BEGIN SELECT RAISE(ABORT, 'fault'); END",
				     write)
			   : "DROP TRIGGER fault");
}

static inline void confirm_run_requests(struct rig *rig)
{
	struct step_result step;
	assert_ok(office_run_requests(&rig->office, 100, &step, &rig_err));
	assert_true(step.next_at > rig->clock.now);
}

#endif
