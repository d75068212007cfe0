#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/base/text.h"

#define DAYS_MAX 3660

struct plan {
	struct ctl *ctl;
	civil_day from;
	civil_day shown; /* the day whose heading was printed last */
	int64_t mails;
};

static const char *heading(struct ctl *ctl, civil_day day)
{
	struct str text = STR_INIT;
	if (i18n_japanese())
		civil_day_print_ja(&text, day);
	else
		civil_day_print(&text, day);
	const char *closed = calendar_closed(&ctl->settings->calendar, day);
	if (closed)
		str_printf(&text, "  %s", closed);
	const char *copy = pool_strdup(ctl->pool, text.s);
	str_free(&text);
	return copy;
}

static enum rc plan_one(void *ctx, const struct planned *planned, struct err *err)
{
	struct plan *plan = ctx;
	struct ctl *ctl = plan->ctl;
	(void)err;
	plan->mails++;
	if (ctl->json) {
		say_json(json_pack("{s:I, s:o, s:s, s:b, s:b, s:o}", "application",
			(json_int_t)planned->application_id, "at", json_time(planned->at), "notice",
			planned->template_name, "certain", planned->certain, "at_once", planned->at_once,
			"why", json_text(planned->why)));
		return RC_OK;
	}
	civil_day day = civil_day_of(planned->at);
	if (day != plan->shown)
		say("%s", heading(ctl, day));
	plan->shown = day;
	int minute = civil_minute_of(planned->at);
	const char *name = office_notice_text(planned->template_name);
	size_t wide = text_columns(name), column = i18n_japanese() ? 28 : 12;
	say("  %02d:%02d  %8" PRId64 "  %s%*s %s%s", minute / 60, minute % 60, planned->application_id, name,
		wide < column ? (int)(column - wide) : 0, "", planned->certain ? "" : "~ ",
		planned->why ? planned->why : "");
	if (plan->mails % 1000 == 0)
		pool_reset(ctl->pool);
	return RC_OK;
}

static void print_counts(struct ctl *ctl, civil_day from, civil_day until, int64_t (*count)[STAGE_MAX])
{
	for (civil_day day = from; day <= until; day++) {
		int64_t total = 0;
		json_t *stages = json_array();
		struct str line = STR_INIT;
		for (int stage = 0; stage < STAGE_MAX; stage++) {
			int64_t number = count[day - from][stage];
			total += number;
			(void)json_array_append_new(stages, json_integer(number));
			if (number)
				str_printf(&line, "  %s %d: %" PRId64, _("stage"), stage + 1, number);
		}
		if (ctl->json)
			say_json(json_pack("{s:o, s:I, s:o, s:o}", "day", json_day(day), "mails",
				(json_int_t)total, "stages", stages, "closed",
				json_text(calendar_closed(&ctl->settings->calendar, day))));
		else {
			say("%s  %" PRId64 "%s", heading(ctl, day), total, line.s);
			json_decref(stages);
		}
		str_free(&line);
	}
}

/* A plan that nothing carries out must say so. */
static enum rc say_what_stands_still(struct ctl *ctl, struct err *err)
{
	bool deciding = false, sending = false;
	if (store_restored(ctl->store) != RESTORED_NO)
		say("! %s", _("the register is a restored copy; nothing is sent until: sengenctl release "
			      "--restored"));
	enum rc rc = office_paused(&ctl->office, PAUSE_DECIDING, &deciding, err);
	if (rc == RC_OK)
		rc = office_paused(&ctl->office, PAUSE_SENDING, &sending, err);
	if (deciding)
		say("! %s", _("staff paused deciding; nothing becomes due until: sengenctl resume deciding"));
	if (sending)
		say("! %s", _("staff paused sending; notices wait until: sengenctl resume sending"));
	return rc;
}

enum rc command_plan(struct ctl *ctl, struct err *err)
{
	civil_day from, until;
	int64_t days;
	enum rc rc = option_day(ctl, "from", civil_day_of(clock_now(&ctl->clock)), &from, err);
	rc = rc ? rc : option_number(ctl, "days", 1, DAYS_MAX, 14, &days, err);
	rc = rc ? rc : option_day(ctl, "until", from + (civil_day)days - 1, &until, err);
	if (rc != RC_OK)
		return rc;
	if (until < from || until - from >= DAYS_MAX)
		return err_set(err, RC_USAGE, "%s",
			_("The last day must not be before the first, nor ten years after it."));
	bool counting = option_of(ctl, "count") != NULL;
	rc = ctl->json ? RC_OK : say_what_stands_still(ctl, err);
	if (rc != RC_OK)
		return rc;
	struct plan plan = {.ctl = ctl, .from = from, .shown = CIVIL_DAY_NONE};
	int64_t(*count)[STAGE_MAX] = xcalloc((size_t)(until - from) + 1, sizeof *count);
	rc = office_plan(&ctl->office, from, until, counting ? NULL : plan_one, &plan, count, err);
	if (rc == RC_OK && counting)
		print_counts(ctl, from, until, count);
	else if (rc == RC_OK && !ctl->json)
		say(_("%lld notices from %s to %s (~: reckoned from a notice that is itself still to come)"),
			(long long)plan.mails, day_text(ctl, from), day_text(ctl, until));
	free(count);
	return rc;
}
