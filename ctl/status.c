#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static const char *restored_name(enum restored restored)
{
	static const char *const names[] = {
		[RESTORED_NO] = "", [RESTORED_OLDER] = "older", [RESTORED_OTHER_HOST] = "other_host"};
	return names[restored];
}

struct status {
	struct books books;
	utc_time next_due;
	int64_t overdue;
	int64_t head;
	uint8_t hash[SHA256_LEN];
	int attention; /* things that wait for somebody */
};

static enum rc count_one(void *ctx, const struct application *app, struct err *err)
{
	(void)app;
	(void)err;
	++*(int64_t *)ctx;
	return RC_OK;
}

static enum rc read_status(struct ctl *ctl, struct status *status, struct err *err)
{
	struct application_filter overdue = {
		.hold = -1, .live_only = true, .overdue_at = clock_now(&ctl->clock)};
	enum rc rc = store_standing(ctl->store, &status->books, err);
	if (rc == RC_OK && ctl->json) /* only there they are shown */
		rc = store_rows(ctl->store, &status->books, err);
	rc = rc ? rc : application_next_due(ctl->store, &status->next_due, err);
	rc = rc ? rc : application_each(ctl->store, &overdue, false, count_one, &status->overdue, err);
	rc = rc ? rc : history_head(ctl->store, &status->head, status->hash, err);
	return rc;
}

/* What came by mail and waits: for staff, for an answer, for its day. */
static void add_requests(struct ctl *ctl, const struct books *books, struct table *table, json_t *object)
{
	static const enum request_state waiting[] = {
		REQUEST_STATE_REVIEW, REQUEST_STATE_ASKED, REQUEST_STATE_PLANNED};
	json_t *requests = json_object();
	for (size_t i = 0; i < sizeof waiting / sizeof *waiting; i++) {
		int64_t count = books->requests[waiting[i]];
		(void)json_object_set_new(requests, request_state_name(waiting[i]), json_integer(count));
		if (count)
			TABLE_ROW(table,
				pool_printf(
					ctl->pool, "%s: %s", _("requests"), request_state_text(waiting[i])),
				pool_printf(ctl->pool, "%" PRId64, count));
	}
	(void)json_object_set_new(object, "requests", requests);
}

/* When the mailbox was last looked at with success. */
static enum rc add_mailbox(struct ctl *ctl, struct table *table, json_t *object, struct err *err)
{
	struct str text = STR_INIT;
	enum rc rc = fact_get(ctl->store, "mailbox.fetched_at", &text, err);
	utc_time at = strtoll(text.s, NULL, 10);
	if (rc == RC_OK) {
		(void)json_object_set_new(object, "mailbox_fetched_at", json_time(at));
		if (at)
			TABLE_ROW(table, _("mailbox last read"), time_text(ctl, at));
	}
	str_free(&text);
	return rc;
}

static void add_states(struct ctl *ctl, const struct books *books, struct table *table, json_t *object)
{
	json_t *states = json_object(), *outbox = json_object();
	for (int i = STATE_NONE + 1; i < STATE_COUNT; i++) {
		(void)json_object_set_new(
			states, state_name((enum state)i), json_integer(books->by_state[i]));
		if (books->by_state[i])
			TABLE_ROW(table, state_text((enum state)i),
				pool_printf(ctl->pool, "%" PRId64, books->by_state[i]));
	}
	for (int i = OUTBOX_QUEUED; i <= OUTBOX_CANCELLED; i++) {
		enum outbox_state state = (enum outbox_state)i;
		(void)json_object_set_new(outbox, outbox_state_name(state), json_integer(books->outbox[i]));
		if (books->outbox[i])
			TABLE_ROW(table, pool_printf(ctl->pool, "%s: %s", _("notices"), outbox_text(state)),
				pool_printf(ctl->pool, "%" PRId64, books->outbox[i]));
	}
	(void)json_object_set_new(object, "states", states);
	(void)json_object_set_new(object, "outbox", outbox);
}

#define BOUNCE_DAYS 7 /* of which returned notices are shown: one week's cadence */

/* Reports of returned notices that came in lately, undecided ones too: those are nobody's to decide, but somebody should know of them. */
static enum rc add_bounces(struct ctl *ctl, struct table *table, json_t *object, struct err *err)
{
	int64_t count[BOUNCE_CLASSES], unmatched;
	enum rc rc = bounce_tally(
		ctl->store, clock_now(&ctl->clock) - (utc_time)BOUNCE_DAYS * 86400, count, &unmatched, err);
	if (rc != RC_OK)
		return rc;
	json_t *bounces = json_object();
	for (int i = BOUNCE_HARD; i < BOUNCE_CLASSES; i++) {
		enum bounce_class class_ = (enum bounce_class)i;
		const char *name = i18n_japanese() ? bounce_class_name_ja(class_) : bounce_class_name(class_);
		(void)json_object_set_new(bounces, bounce_class_name(class_), json_integer(count[i]));
		if (count[i])
			TABLE_ROW(table, pool_printf(ctl->pool, "%s: %s", _("returned (7 days)"), name),
				pool_printf(ctl->pool, "%" PRId64, count[i]));
	}
	(void)json_object_set_new(bounces, "unmatched", json_integer(unmatched));
	if (unmatched)
		TABLE_ROW(table,
			pool_printf(ctl->pool, "%s: %s", _("returned (7 days)"), _("matched to no notice")),
			pool_printf(ctl->pool, "%" PRId64, unmatched));
	(void)json_object_set_new(object, "bounces_7_days", bounces);
	return RC_OK;
}

struct question {
	bool asked;
	const char *key, *text;
	const char *detail;
};

static const char *ceiling_detail(struct ctl *ctl, const struct ceiling_question *question)
{
	return pool_printf(ctl->pool, "%s: %" PRId64 " > %" PRId64, day_text(ctl, question->day),
		question->due, question->limit);
}

/* What waits for somebody. */
static enum rc add_questions(struct ctl *ctl, struct status *status, json_t *object, struct err *err)
{
	struct office_holds holds = {0};
	struct str paused = STR_INIT, fault = STR_INIT, mailbox = STR_INIT;
	int64_t late = 0;
	enum rc rc = office_holds(&ctl->office, &holds, err);
	rc = rc ? rc : fact_get(ctl->store, "intake.paused", &paused, err);
	rc = rc ? rc
		: fact_get(ctl->store, i18n_japanese() ? "sender.fault_ja" : "sender.fault", &fault, err);
	rc = rc ? rc
		: fact_get(ctl->store, i18n_japanese() ? "mailbox.fault_ja" : "mailbox.fault", &mailbox, err);
	rc = rc ? rc : office_late(&ctl->office, &late, err);
	const struct question questions[] = {
		{holds.restored != RESTORED_NO, "restored",
			_("the register is a restored copy; nothing is sent until: sengenctl release "
			  "--restored"),
			restored_name(holds.restored)},
		{holds.at_once.asked, "ceiling_receipts",
			_("far more receipts are due than a day may send; look at the list, then: sengenctl "
			  "release "
			  "--ceiling"),
			ceiling_detail(ctl, &holds.at_once)},
		{holds.stages.asked, "ceiling_stages",
			_("far more notices are due than was forecast; look at the plan, then: sengenctl "
			  "release "
			  "--ceiling"),
			ceiling_detail(ctl, &holds.stages)},
		{holds.template_sets > 0, "batch_templates",
			_("the first letters of new templates wait for a person; look at them with sengenctl "
			  "batches, then: sengenctl release --batch N"),
			pool_printf(ctl->pool, "%" PRId64, holds.template_sets)},
		{holds.paused[PAUSE_INTAKE], "intake_paused_by_staff",
			_("staff paused intake; files wait in incoming until: sengenctl resume intake"), ""},
		{holds.paused[PAUSE_DECIDING], "deciding_paused",
			_("staff paused deciding; nothing becomes due until: sengenctl resume deciding"), ""},
		{holds.paused[PAUSE_SENDING], "sending_paused",
			_("staff paused sending; notices wait until: sengenctl resume sending"), ""},
		{holds.paused[PAUSE_READING], "reading_paused",
			_("staff paused reading; mails wait in the mailbox until: sengenctl resume reading"),
			""},
		{paused.len > 0, "intake_paused", _("intake is paused"), paused.s},
		{late > 0, "late", _("notices miss their latest day unless somebody acts"),
			pool_printf(ctl->pool, "%" PRId64, late)},
		{fault.len > 0, "sender_fault", _("mails can't be handed to the mail server"), fault.s},
		{mailbox.len > 0, "mailbox_fault", _("the mailbox can't be read"), mailbox.s},
	};
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof questions / sizeof *questions && rc == RC_OK; i++) {
		if (!questions[i].asked)
			continue;
		status->attention++;
		(void)json_array_append_new(list, json_pack("{s:s, s:o}", "name", questions[i].key, "detail",
							  json_text(questions[i].detail)));
		if (!ctl->json)
			say("! %s%s%s%s", questions[i].text, *questions[i].detail ? " (" : "",
				questions[i].detail, *questions[i].detail ? ")" : "");
	}
	(void)json_object_set_new(object, "questions", list);
	str_free(&paused);
	str_free(&fault);
	str_free(&mailbox);
	return rc;
}

enum rc command_status(struct ctl *ctl, struct err *err)
{
	struct status status = {0};
	struct str hash = STR_INIT;
	struct table table = {.columns = 2};
	enum rc rc = read_status(ctl, &status, err);
	if (rc != RC_OK)
		return rc;
	const struct books *books = &status.books;
	hex_add(&hash, status.hash, sizeof status.hash);
	json_t *object = json_pack("{s:I, s:I, s:I, s:I, s:o, s:I, s:s, s:I, s:I, s:I}", "applications",
		(json_int_t)books->applications, "held", (json_int_t)books->held, "review",
		(json_int_t)books->review, "overdue", (json_int_t)status.overdue, "next_due_at",
		json_time(status.next_due), "history", (json_int_t)status.head, "head", hash.s, "rows",
		(json_int_t)books->rows, "rows_refused", (json_int_t)books->refused, "rows_same",
		(json_int_t)books->same);
	TABLE_ROW(&table, _("applications"), pool_printf(ctl->pool, "%" PRId64, books->applications));
	add_states(ctl, books, &table, object);
	add_requests(ctl, books, &table, object);
	rc = add_mailbox(ctl, &table, object, err);
	rc = rc ? rc : add_bounces(ctl, &table, object, err);
	TABLE_ROW(&table, _("held"), pool_printf(ctl->pool, "%" PRId64, books->held));
	TABLE_ROW(&table, _("to be reviewed"), pool_printf(ctl->pool, "%" PRId64, books->review));
	TABLE_ROW(&table, _("overdue"), pool_printf(ctl->pool, "%" PRId64, status.overdue));
	TABLE_ROW(&table, _("next notice due"), time_text(ctl, status.next_due));
	TABLE_ROW(&table, _("history"), pool_printf(ctl->pool, "%" PRId64 " %s", status.head, hash.s));
	if (ctl->json)
		strlist_free(&table.cell);
	else
		table_print(&table);
	rc = rc ? rc : add_questions(ctl, &status, object, err);
	if (ctl->json && rc == RC_OK)
		say_json(object);
	else
		json_decref(object);
	str_free(&hash);
	return rc == RC_OK && status.attention ? RC_REFUSED : rc;
}
