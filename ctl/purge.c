/* purge: what is past its time; the daemon erases it, here it is listed */
#include <inttypes.h>

#include "ctl/ctl.h"
#include "lib/desk/purge.h"

struct listing {
	struct ctl *ctl;
	struct table kept;
	int64_t limit, left_out;
};

static const char *kind_text(enum retained kind)
{
	return i18n_japanese() ? retained_name_ja(kind) : retained_name(kind);
}

static enum rc list_item(void *ctx, const struct retained_item *item, struct err *err)
{
	struct listing *listing = ctx;
	struct ctl *ctl = listing->ctl;
	(void)err;
	if (ctl->json) {
		say_json(json_pack("{s:s, s:I, s:o, s:b, s:o, s:o}", "kind", retained_name(item->kind), "id",
			(json_int_t)item->id, "since", json_time(item->since), "goes", !item->kept_because,
			"kept_because", json_text(item->kept_because), "path", json_text(item->path)));
		return RC_OK;
	}
	if (!item->kept_because)
		return RC_OK;
	if (listing->limit-- <= 0) {
		listing->left_out++;
		return RC_OK;
	}
	if (listing->kept.cell.count == 0)
		TABLE_ROW(&listing->kept, _("kind"), _("number"), _("since"), _("kept because"));
	TABLE_ROW(&listing->kept, kind_text(item->kind), pool_printf(ctl->pool, "%" PRId64, item->id),
		time_text(ctl, item->since), item->kept_because);
	return RC_OK;
}

static int64_t days_of(const struct retention_settings *retention, enum retained kind)
{
	const int64_t days[RETAINED_COUNT] = {0, retention->survey_days, retention->mail_days,
		retention->letter_days, retention->ended_days, retention->file_days,
		retention->refused_file_days, retention->public_days, retention->letter_days};
	return days[kind];
}

static void print_kinds(struct ctl *ctl, const struct purge_result *sum)
{
	struct table table = {.columns = 4};
	TABLE_ROW(&table, _("kind"), _("days kept"), _("would go"), _("passed over"));
	for (int i = 1; i < RETAINED_COUNT; i++) {
		enum retained kind = (enum retained)i;
		int64_t days = days_of(&ctl->settings->retention, kind);
		TABLE_ROW(&table, kind_text(kind),
			days ? pool_printf(ctl->pool, "%" PRId64, days) : _("for ever"),
			pool_printf(ctl->pool, "%" PRId64, sum->erased[kind]),
			pool_printf(ctl->pool, "%" PRId64, sum->kept[kind]));
	}
	table_print(&table);
}

static enum rc preview(struct ctl *ctl, struct err *err)
{
	struct listing listing = {.ctl = ctl, .kept = {.columns = 4}};
	struct purge_cursor cursor = {0};
	struct purge_result sum = {0}, step = {0};
	enum rc rc = option_number(ctl, "limit", 0, 1000000, 100, &listing.limit, err);
	for (step.more = true; rc == RC_OK && step.more;) {
		rc = purge_run(&ctl->office, &cursor, true, 1000, "", list_item, &listing, &step, err);
		for (int kind = 0; kind < RETAINED_COUNT; kind++) {
			sum.erased[kind] += step.erased[kind];
			sum.kept[kind] += step.kept[kind];
		}
	}
	if (rc == RC_OK && !ctl->json) {
		print_kinds(ctl, &sum);
		if (listing.kept.cell.count)
			say("%s", "");
		table_print(&listing.kept);
		if (listing.left_out)
			say(_("and %lld others"), (long long)listing.left_out);
	}
	return rc;
}

enum rc command_purge(struct ctl *ctl, struct err *err)
{
	if (option_of(ctl, "preview"))
		return preview(ctl, err);
	return control_ask(ctl, json_pack("{s:s}", "command", "purge"), err);
}
