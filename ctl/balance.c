#include <inttypes.h>

#include "ctl/ctl.h"
#include "lib/desk/books.h"

#define SHOWN_MAX 100 /* differences for people; --json has up to 1000 of a kind */

struct found {
	struct ctl *ctl;
	struct strlist text;
	json_t *list; /* owned until it is handed over */
};

static enum rc take_difference(void *ctx, const struct difference *difference, struct err *err)
{
	struct found *found = ctx;
	(void)err;
	if (found->text.count < SHOWN_MAX)
		strlist_add(&found->text, difference->text);
	(void)json_array_append_new(found->list,
		json_pack("{s:s, s:I, s:I, s:I, s:s}", "kind", difference_name(difference->kind), "about",
			(json_int_t)difference->about, "expected", (json_int_t)difference->expected, "found",
			(json_int_t)difference->found, "text", difference->text));
	return RC_OK;
}

/* ---- JSON ---- */

static json_t *stage_json(const struct balance_stage *stage)
{
	const struct stage_books *books = &stage->books;
	return json_pack("{s:s, s:i, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "profile",
		stage->profile, "stage", stage->stage + 1, "notice", stage->template_name, "applications",
		(json_int_t)books->applications, "unconfirmed", (json_int_t)books->unconfirmed, "waiting",
		(json_int_t)books->waiting, "held", (json_int_t)books->held, "review",
		(json_int_t)books->review, "queued", (json_int_t)books->queued, "sent",
		(json_int_t)books->sent, "unknown", (json_int_t)books->unknown, "failed",
		(json_int_t)books->failed, "ended", (json_int_t)books->ended);
}

static json_t *rows_json(const struct row_books *rows)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "files",
		(json_int_t)rows->files, "rows", (json_int_t)rows->rows, "recounted_files",
		(json_int_t)rows->recounted_files, "recounted_rows", (json_int_t)rows->recounted_rows,
		"registered", (json_int_t)rows->accepted, "review", (json_int_t)rows->review, "refused",
		(json_int_t)rows->refused, "same", (json_int_t)rows->same, "decided",
		(json_int_t)rows->decided, "imported", (json_int_t)rows->imported);
}

static void print_json(const struct balance *balance, const char *head, json_t *differences)
{
	json_t *stages = json_array();
	for (int i = 0; i < balance->stage_count; i++)
		(void)json_array_append_new(stages, stage_json(&balance->stage[i]));
	say_json(json_pack("{s:o, s:b, s:I, s:o, s:o, s:{s:o, s:I, s:I, s:I}, s:I, s:s, s:o}", "at",
		json_time(balance->at), "balanced", balance->differences == 0, "difference_count",
		(json_int_t)balance->differences, "rows", rows_json(&balance->rows), "stages", stages, "sent",
		"since", json_time(balance->since), "logged", (json_int_t)balance->logged, "booked",
		(json_int_t)balance->booked, "open", (json_int_t)balance->open, "head_seq",
		(json_int_t)balance->head_seq, "head", head, "differences", differences));
}

/* ---- for people ---- */

static const char *number_text(struct ctl *ctl, int64_t number)
{
	return pool_printf(ctl->pool, "%" PRId64, number);
}

static void print_rows(const struct row_books *rows)
{
	say(_("files: %lld, rows: %lld; counted anew from %lld archived files: %lld"), (long long)rows->files,
		(long long)rows->rows, (long long)rows->recounted_files, (long long)rows->recounted_rows);
	say(_("rows: registered %lld, review %lld, refused %lld, the same again %lld, decisions %lld; taken "
	      "over %lld"),
		(long long)rows->accepted, (long long)rows->review, (long long)rows->refused,
		(long long)rows->same, (long long)rows->decided, (long long)rows->imported);
}

static void print_stages(struct ctl *ctl, const struct balance *balance)
{
	struct table table = {.columns = 11};
	TABLE_ROW(&table, _("notice of the stage"), _("applications"), _("unconfirmed"), _("waiting"),
		_("held"), _("review"), outbox_text(OUTBOX_QUEUED), outbox_text(OUTBOX_SENT),
		outbox_text(OUTBOX_UNKNOWN), outbox_text(OUTBOX_FAILED), _("ended"));
	for (int i = 0; i < balance->stage_count; i++) {
		const struct balance_stage *stage = &balance->stage[i];
		const struct stage_books *books = &stage->books;
		TABLE_ROW(&table,
			pool_printf(ctl->pool, "%s %d %s", stage->profile, stage->stage + 1,
				office_notice_text(stage->template_name)),
			number_text(ctl, books->applications), number_text(ctl, books->unconfirmed),
			number_text(ctl, books->waiting), number_text(ctl, books->held),
			number_text(ctl, books->review), number_text(ctl, books->queued),
			number_text(ctl, books->sent), number_text(ctl, books->unknown),
			number_text(ctl, books->failed), number_text(ctl, books->ended));
	}
	table_print(&table);
}

static void print_balance(
	struct ctl *ctl, const struct balance *balance, const char *head, const struct strlist *text)
{
	say(_("books of %s"), time_text(ctl, balance->at));
	print_rows(&balance->rows);
	if (balance->stage_count > 0)
		print_stages(ctl, balance);
	say(_("sent since %s: %lld by the transport's own log, %lld by the register"),
		time_text(ctl, balance->since), (long long)balance->logged, (long long)balance->booked);
	if (balance->open)
		say(_("of these %lld whose outcome the register does not know yet (unknown)"),
			(long long)balance->open);
	say(_("head of the history: row %lld, %s"), (long long)balance->head_seq, head);
	if (balance->differences == 0) {
		say("%s", _("Everything fits."));
		return;
	}
	say(_("What does not fit: %lld"), (long long)balance->differences);
	for (size_t i = 0; i < text->count; i++)
		say("  - %s", text->item[i]);
	if (balance->differences > (int64_t)text->count)
		say(_("  and %lld more"), (long long)balance->differences - (long long)text->count);
}

enum rc command_balance(struct ctl *ctl, struct err *err)
{
	struct found found = {.ctl = ctl, .list = json_array()};
	struct balance balance;
	struct str head = STR_INIT;
	enum rc rc = books_balance(&ctl->office, &balance, take_difference, &found, ctl->pool, err);
	if (rc == RC_OK) {
		hex_add(&head, balance.head, sizeof balance.head);
		if (ctl->json)
			print_json(&balance, head.s, json_incref(found.list));
		else
			print_balance(ctl, &balance, head.s, &found.text);
		rc = balance.differences ? RC_REFUSED : RC_OK;
	}
	json_decref(found.list);
	strlist_free(&found.text);
	str_free(&head);
	return rc;
}
