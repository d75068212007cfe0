#include "lib/office/inbound_p.h"

#include <string.h>

#include "lib/mail/compose.h"

#define STOP_AHEAD 30 /* days to the stop that is shown */

/* Numbers that are still to be drawn are shown as the scheme's manual prints them: the leading digit and nines. */
static int64_t placeholder_number(int prefix, int digits)
{
	int64_t number = prefix;
	for (int i = 1; i < digits; i++)
		number = number * 10 + 9;
	return number;
}

/* The application as it will be when that notice goes out. */
static void look_ahead(
	struct office *office, struct application *app, const struct profile *profile, int stage)
{
	civil_day today = office_today(office);
	if (stage == STAGE_NONE)
		return;
	enum state state = profile->stage[stage].state;
	if (state >= STATE_ID_ISSUED && app->declaration_id == 0)
		app->declaration_id = placeholder_number(profile->id_prefix, profile->id_digits);
	if (state >= STATE_ID_ISSUED && app->user_number == 0)
		app->user_number = placeholder_number(profile->user_prefix, profile->user_digits);
	if (state >= STATE_ID_ISSUED && app->id_issued_on == CIVIL_DAY_NONE)
		app->id_issued_on = today;
	if (state >= STATE_LOGO_AUTHORIZED && app->logo_authorized_on == CIVIL_DAY_NONE)
		app->logo_authorized_on = today;
	if (state_is_live(app->state) && app->state < state)
		app->state = state;
}

static enum rc choose_template(
	const struct rules *rules, const struct application *app, const char **template_name, struct err *err)
{
	if (*template_name)
		return RC_OK;
	int stage = app->id ? app->stage : 0;
	if (stage < 0 || stage >= rules->profile.stage_count)
		return err_set(err, RC_REFUSED, "all notices were sent already; name the one to show");
	*template_name = rules->profile.stage[stage].template_name;
	return RC_OK;
}

static bool is_answer(const char *template_name)
{
	for (int i = 0; template_name && i < ANSWER_COUNT; i++)
		if (strcmp(answer_template[i], template_name) == 0)
			return true;
	return false;
}

static enum rc show(struct office *office, struct application *app, const struct rules *rules,
	const char *template_name, struct rendered *out, struct str *raw, struct err *err)
{
	enum rc rc = choose_template(rules, app, &template_name, err);
	if (rc != RC_OK)
		return rc;
	int stage = rules_stage_of(rules, template_name);
	look_ahead(office, app, &rules->profile, stage);
	struct draft_order order = {.app = app,
		.rules = rules,
		.template_name = template_name,
		.stage = stage,
		.reason_ja = "（ここに理由が入ります）",
		.first_sent_on = office_today(office)};
	if (strcmp(rules->profile.name, NOTICE_ANSWERS) == 0) {
		order.answers = true;
		if (str_has_prefix(template_name, "confirm-"))
			order.token = "22222-33333-44444-55555"; /* in the place of one that would count */
		order.confirm_by = office_today(office) + (civil_day)office->settings->confirm_days;
		order.stop_on = office_today(office) + STOP_AHEAD;
		order.changes = "担当者名：見本 次郎";
	}
	const char *refused_ja;
	rc = draft_render(office, &order, out, &refused_ja, err);
	if (rc != RC_OK || !raw)
		return rc;
	struct str message_id = STR_INIT;
	message_id_make(&message_id, app->id, template_name, 0, office->settings->message_id_domain);
	rc = draft_compose(office, &order, out, message_id.s, raw, err);
	str_free(&message_id);
	return rc;
}

/* With the templates of the configuration's files. */
static enum rc show_read(struct office *office, struct application *app, const struct profile *profile,
	const char *template_name, struct rendered *out, struct str *raw, struct err *err)
{
	struct rules rules;
	enum rc rc = rules_read(office, profile, &rules, err);
	if (rc != RC_OK)
		return rc;
	rc = show(office, app, &rules, template_name, out, raw, err);
	rules_free(&rules);
	return rc;
}

static enum rc show_sample(struct office *office, const char *profile_name, const char *template_name,
	struct rendered *out, struct str *raw, struct err *err)
{
	const struct profiles *profiles = &office->settings->profiles;
	struct application sample = *notice_sample(APPLICANT_CORPORATION, KIND_NEW1);
	const struct profile *profile = profile_on(profiles, office_today(office));
	if (profile_name)
		profile = strcmp(profile_name, NOTICE_ANSWERS) == 0 ? rules_answers()
								    : profile_find(profiles, profile_name);
	else if (is_answer(template_name))
		profile = rules_answers();
	if (!profile)
		return err_set(
			err, RC_REFUSED, "there is no profile %s", profile_name ? profile_name : "in force");
	sample.stage = 0;
	return show_read(office, &sample, profile, template_name, out, raw, err);
}

enum rc office_preview(struct office *office, int64_t application_id, const char *profile,
	const char *template_name, struct rendered *out, struct str *raw, struct err *err)
{
	if (application_id == 0)
		return show_sample(office, profile, template_name, out, raw, err);
	struct pool *pool = pool_new();
	struct application app;
	const struct rules *rules;
	enum rc rc = application_get(office->store, application_id, &app, pool, err);
	if (rc == RC_OK && is_answer(template_name))
		rc = show_read(office, &app, rules_answers(), template_name, out, raw, err);
	else if (rc == RC_OK) {
		rc = rules_get(office, app.template_set, &rules, err);
		if (rc == RC_OK)
			rc = show(office, &app, rules, template_name, out, raw, err);
	}
	pool_free(&pool);
	return rc;
}
