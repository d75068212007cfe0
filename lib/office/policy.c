#include "lib/office/inbound_p.h"

/* A day of the configuration, which was checked when it was loaded; CIVIL_DAY_NONE: none is set. */
static civil_day day_of(const char *text)
{
	return text && *text ? civil_day_read(text) : CIVIL_DAY_NONE;
}

static bool fits(const struct policy_setting *line, enum request_kind kind, civil_day applied_on,
	civil_day received_on)
{
	civil_day before = day_of(line->applied_before), from = day_of(line->from);
	if (line->request != (int)kind)
		return false;
	if (before != CIVIL_DAY_NONE && (applied_on == CIVIL_DAY_NONE || applied_on >= before))
		return false;
	return from == CIVIL_DAY_NONE || received_on >= from;
}

enum policy_action policy_for(
	const struct settings *settings, enum request_kind kind, civil_day applied_on, civil_day received_on)
{
	for (size_t i = 0; i < settings->policy_count; i++)
		if (fits(&settings->policy[i], kind, applied_on, received_on))
			return (enum policy_action)settings->policy[i].action;
	return POLICY_ACT;
}

enum policy_action inbound_policy(const struct inbound *in)
{
	const struct application *app = &in->app;
	civil_day applied_on = CIVIL_DAY_NONE;
	if (app->id)
		applied_on = app->applied_on != CIVIL_DAY_NONE ? app->applied_on : app->clock_start;
	utc_time received_at = in->message && in->message->taken_at ? in->message->taken_at : in->now;
	return policy_for(in->office->settings, in->request.kind, applied_on, civil_day_of(received_at));
}
