/* Notices that will miss their latest day, early enough to act. */
#include "lib/office/office_p.h"

struct late {
	struct office *office;
	utc_time now;
	int64_t count;
};

static enum rc count_late(void *ctx, const struct application *app, struct err *err)
{
	struct late *late = ctx;
	const struct settings *settings = late->office->settings;
	const struct rules *rules;
	enum rc rc = rules_get(late->office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	if (app->stage < 0 || app->stage >= rules->profile.stage_count)
		return RC_OK;
	/* What goes out at once has no days to be early by: only its being late is told. */
	int days = rules->profile.stage[app->stage].at_once ? 0 : (int)settings->alarm_days;
	const struct due due = cadence_due(app, &rules->profile, &settings->calendar);
	late->count += cadence_alarm(&due, late->now, days);
	return RC_OK;
}

enum rc office_late(struct office *office, int64_t *count, struct err *err)
{
	struct late late = {.office = office, .now = clock_now(office->clock)};
	const civil_day today = civil_day_of(late.now);
	const utc_time soon = civil_moment(today + (civil_day)office->settings->alarm_days, 0);
	const struct application_filter filter = {
		.hold = -1, .live_only = true, .overdue_at = soon > late.now ? soon : late.now};
	enum rc rc = application_each(office->store, &filter, false, count_late, &late, err);
	*count = late.count;
	return rc;
}
