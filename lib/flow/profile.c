#include "lib/flow/profile.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/conf.h"
#include "lib/flow/transition.h"

#define DAYS_MAX 3650

int span_wanted(const struct span *span)
{
	if (span->target >= 0)
		return span->target;
	return span->earliest >= 0 ? span->earliest : 0;
}

/* ---- the file as it stands ---- */

struct stage_text {
	char *name, *template_name;
	int state; /* index into stage_states */
	struct span after_received, after_previous;
	bool approval;
	int line;
};

struct stage_list {
	struct stage_text *item;
	size_t count;
};

struct profile_text {
	char *name;
	int id_prefix, id_digits, user_prefix, user_digits, confirm_days;
	bool step_up_new_id, want_gbiz;
	struct stage_list stages;
};

static const char *const stage_states[] = {"unconfirmed", "received", "id_issued", "logo_authorized", NULL};
static const enum state stage_state_of[] = {
	STATE_UNCONFIRMED, STATE_RECEIVED, STATE_ID_ISSUED, STATE_LOGO_AUTHORIZED};

#define SPAN_KEY(key, text)                                                                                  \
	{                                                                                                    \
		.name = #key, .type = CONF_INT32, .offset = offsetof(struct span, key), .min = -1,           \
		.max = DAYS_MAX, .fallback = "-1", .help = (text)                                            \
	}

static const struct conf_key span_keys[] = {
	SPAN_KEY(earliest, "days; not before that day; -1: not set"),
	SPAN_KEY(target, "days; the day aimed at; -1: the earliest"),
	SPAN_KEY(latest, "days; alarm when it is not sent by then; -1: never"),
	{.name = NULL},
};

#define STAGE_KEY(key, kind, ...)                                                                            \
	{                                                                                                    \
		.name = #key, .type = (kind), .offset = offsetof(struct stage_text, key), __VA_ARGS__        \
	}

static const struct conf_key stage_keys[] = {
	STAGE_KEY(name, CONF_STRING, .help = "name of the stage, unique in the profile"),
	{.name = "template",
		.type = CONF_STRING,
		.offset = offsetof(struct stage_text, template_name),
		.help = "template below templates/mail/<profile>/, without .txt"},
	STAGE_KEY(state, CONF_CHOICE, .choices = stage_states,
		.help = "state of the application when the notice is queued"),
	STAGE_KEY(after_received, CONF_GROUP, .keys = span_keys, .help = "distance from the clock's start"),
	STAGE_KEY(after_previous, CONF_GROUP, .keys = span_keys,
		.help = "distance from the day the mail server took the previous notice"),
	STAGE_KEY(approval, CONF_BOOL, .fallback = "false", .help = "waits for staff"),
	{.name = "line", .type = CONF_LINE, .offset = offsetof(struct stage_text, line)},
	{.name = NULL},
};

static void *add_stage_text(void *list)
{
	struct stage_list *stages = list;

	stages->item = xrealloc(stages->item, (stages->count + 1) * sizeof(stages->item[0]));
	stages->item[stages->count] = (struct stage_text){0};
	return &stages->item[stages->count++];
}

#define PROFILE_KEY(key, kind, ...)                                                                          \
	{                                                                                                    \
		.name = #key, .type = (kind), .offset = offsetof(struct profile_text, key), __VA_ARGS__      \
	}

/* Prefixes and lengths are what ident.h reads back. */
static const struct conf_key profile_keys[] = {
	PROFILE_KEY(name, CONF_STRING, .help = "name of the profile and of its template directory"),
	PROFILE_KEY(id_prefix, CONF_INT32, .min = 4, .max = 5, .fallback = "4",
		.help = "first digit of declaration IDs"),
	PROFILE_KEY(id_digits, CONF_INT32, .min = 10, .max = 11, .fallback = "11",
		.help = "digits of a declaration ID"),
	PROFILE_KEY(user_prefix, CONF_INT32, .min = 9, .max = 9, .fallback = "9",
		.help = "first digit of user numbers"),
	PROFILE_KEY(user_digits, CONF_INT32, .min = 10, .max = 11, .fallback = "10",
		.help = "digits of a user number"),
	PROFILE_KEY(step_up_new_id, CONF_BOOL, .fallback = "false",
		.help = "a step-up gets a declaration ID of its own"),
	PROFILE_KEY(want_gbiz, CONF_BOOL, .fallback = "false",
		.help = "the form must name a GビズID (Prime or Member)"),
	PROFILE_KEY(confirm_days, CONF_INT32, .min = 1, .max = 365, .fallback = "7",
		.help = "days until an unconfirmed application expires"),
	PROFILE_KEY(stages, CONF_GROUPS, .keys = stage_keys, .add = add_stage_text,
		.help = "the stages, in order"),
	{.name = NULL},
};

static void profile_text_free(struct profile_text *text)
{
	for (size_t i = 0; i < text->stages.count; i++)
		conf_free(stage_keys, &text->stages.item[i]);
	free(text->stages.item);
	conf_free(profile_keys, text);
}

/* ---- what it must be to work ---- */

/* Lower-case letters, digits, - and _: it becomes a file or directory name. */
static bool is_plain_name(const char *name)
{
	return name[0] != '\0' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == strlen(name);
}

static bool span_is_set(const struct span *span)
{
	return span->earliest >= 0 || span->target >= 0 || span->latest >= 0;
}

static enum rc check_span(const struct span *span, const char *key, const char *path,
	const struct stage_text *stage, struct err *err)
{
	int low = span->earliest, high = span->latest;

	if ((span->target >= 0 && (span->target < low || (high >= 0 && span->target > high))) ||
		(high >= 0 && low > high))
		return err_set(err, RC_CONFIG,
			"%s:%d: %s of stage \"%s\" is out of order; it must be earliest <= target <= latest",
			path, stage->line, key, stage->name);
	return RC_OK;
}

/* The state a stage can bring an application into, the stage before it being done. An address that was confirmed leads to
 * received by itself, so the stage behind a confirming one may be the ID's. */
static bool state_follows(enum state before, enum state state)
{
	static const struct {
		enum event event;
		enum state to;
	} moves[] = {
		{EVENT_APPLY, STATE_RECEIVED},
		{EVENT_APPLY_UNCONFIRMED, STATE_UNCONFIRMED},
		{EVENT_ISSUE_ID, STATE_ID_ISSUED},
		{EVENT_AUTHORIZE_LOGO, STATE_LOGO_AUTHORIZED},
	};

	if (before == STATE_UNCONFIRMED) {
		before = STATE_RECEIVED;
		if (state == STATE_RECEIVED)
			return true;
	}
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].to == state)
			return transition_get(before, moves[i].event).next == state;
	}
	return false;
}

static enum rc check_stage(const struct profile_text *text, size_t index, const char *path, struct err *err)
{
	const struct stage_text *stage = &text->stages.item[index];
	enum state state = stage_state_of[stage->state];
	enum state before = index == 0 ? STATE_NONE : stage_state_of[text->stages.item[index - 1].state];
	enum rc rc;

	if (!is_plain_name(stage->name) || !is_plain_name(stage->template_name))
		return err_set(err, RC_CONFIG,
			"%s:%d: names of stages and templates are small letters, digits, - and _", path,
			stage->line);
	for (size_t i = 0; i < index; i++) {
		if (strcmp(text->stages.item[i].name, stage->name) == 0 ||
			strcmp(text->stages.item[i].template_name, stage->template_name) == 0)
			return err_set(err, RC_CONFIG,
				"%s:%d: a stage before \"%s\" has the same name or template; each needs its "
				"own",
				path, stage->line, stage->name);
	}
	if (!state_follows(before, state))
		return err_set(err, RC_CONFIG,
			"%s:%d: an application can't go from %s to %s by stage \"%s\"; the order is "
			"unconfirmed (first only, if at all), received, id_issued, logo_authorized",
			path, stage->line, index == 0 ? "nothing" : state_name(before), state_name(state),
			stage->name);
	if (index == 0 && span_is_set(&stage->after_previous))
		return err_set(err, RC_CONFIG,
			"%s:%d: stage \"%s\" is the first and has no previous notice to count from; use "
			"after_received",
			path, stage->line, stage->name);
	if (!span_is_set(&stage->after_received) && !span_is_set(&stage->after_previous))
		return err_set(err, RC_CONFIG,
			"%s:%d: stage \"%s\" has no distance; write after_received : { target = 0; } for at "
			"once",
			path, stage->line, stage->name);
	rc = check_span(&stage->after_received, "after_received", path, stage, err);
	if (rc == RC_OK)
		rc = check_span(&stage->after_previous, "after_previous", path, stage, err);
	return rc;
}

/* A latest day that no application could meet even if every mail went out on its day: *day_before is when the stage before it
 * goes out, then this one. */
static enum rc check_reachable(const struct stage_text *text, const struct stage *stage, int *day_before,
	const char *path, struct err *err)
{
	int day = span_wanted(&stage->after_received);
	int by_previous = *day_before + span_wanted(&stage->after_previous);

	if (day < by_previous)
		day = by_previous;
	if ((stage->after_received.latest >= 0 && day > stage->after_received.latest) ||
		(stage->after_previous.latest >= 0 && day - *day_before > stage->after_previous.latest))
		return err_set(err, RC_CONFIG,
			"%s:%d: stage \"%s\" goes out on day %d at the soonest, which is after its latest "
			"day",
			path, text->line, stage->name, day);
	*day_before = day;
	return RC_OK;
}

static void profile_free(struct profile *profile)
{
	for (int i = 0; i < profile->stage_count; i++) {
		free(profile->stage[i].name);
		free(profile->stage[i].template_name);
	}
	free(profile->stage);
	free(profile->name);
}

/* Moves what was read into *profile. */
static enum rc make_profile(
	struct profile *profile, const struct profile_text *text, const char *path, struct err *err)
{
	int day = 0;
	enum rc rc = RC_OK;

	*profile = (struct profile){
		.name = xstrdup(text->name),
		.id_prefix = text->id_prefix,
		.id_digits = text->id_digits,
		.user_prefix = text->user_prefix,
		.user_digits = text->user_digits,
		.step_up_new_id = text->step_up_new_id,
		.want_gbiz = text->want_gbiz,
		.confirm_days = text->confirm_days,
		.stage = xcalloc(text->stages.count, sizeof(struct stage)),
	};
	for (size_t i = 0; i < text->stages.count && rc == RC_OK; i++) {
		const struct stage_text *from = &text->stages.item[i];
		struct stage *stage = &profile->stage[profile->stage_count++];

		*stage = (struct stage){
			.name = xstrdup(from->name),
			.template_name = xstrdup(from->template_name),
			.state = stage_state_of[from->state],
			.after_received = from->after_received,
			.after_previous = from->after_previous,
			.approval = from->approval,
			.confirms = stage_state_of[from->state] == STATE_UNCONFIRMED,
		};
		stage->at_once =
			span_wanted(&stage->after_received) == 0 && span_wanted(&stage->after_previous) == 0;
		rc = check_reachable(from, stage, &day, path, err);
	}
	if (rc != RC_OK)
		profile_free(profile);
	return rc;
}

static enum rc check_profile(
	const struct profiles *profiles, const struct profile_text *text, const char *path, struct err *err)
{
	enum rc rc = RC_OK;

	if (!is_plain_name(text->name))
		return err_set(err, RC_CONFIG,
			"%s:1: the name of a profile is small letters, digits, - and _, not \"%s\"", path,
			text->name);
	if (profile_find(profiles, text->name))
		return err_set(err, RC_CONFIG, "%s:1: a profile \"%s\" was already read from another file",
			path, text->name);
	if (text->stages.count == 0)
		return err_set(
			err, RC_CONFIG, "%s:1: the profile has no stages; it needs at least one", path);
	if (text->stages.count > STAGE_MAX)
		return err_set(err, RC_CONFIG, "%s:%d: a profile has at most %d stages", path,
			text->stages.item[STAGE_MAX].line, STAGE_MAX);
	for (size_t i = 0; i < text->stages.count && rc == RC_OK; i++)
		rc = check_stage(text, i, path, err);
	return rc;
}

enum rc profile_load(struct profiles *profiles, const char *path, struct err *err)
{
	struct profile_text text = {0};
	struct profile profile;
	enum rc rc = conf_read(path, profile_keys, &text, err);

	if (rc == RC_OK)
		rc = check_profile(profiles, &text, path, err);
	if (rc == RC_OK)
		rc = make_profile(&profile, &text, path, err);
	profile_text_free(&text);
	if (rc != RC_OK)
		return rc;
	/* Eras point into the array that is about to move. */
	struct profile *old = profiles->profile;

	profiles->profile = xcalloc(profiles->count + 1, sizeof(profile));
	for (size_t i = 0; i < profiles->count; i++)
		profiles->profile[i] = old[i];
	for (size_t i = 0; i < profiles->era_count; i++)
		profiles->era[i].profile = &profiles->profile[profiles->era[i].profile - old];
	profiles->profile[profiles->count++] = profile;
	free(old);
	return RC_OK;
}

/* ---- which one is in force ---- */

enum rc profile_add_era(struct profiles *profiles, civil_day from, const char *name, struct err *err)
{
	const struct profile *profile = profile_find(profiles, name);
	size_t at = profiles->era_count;

	if (!profile)
		return err_set(err, RC_CONFIG,
			"the dated list of profiles names \"%s\", which none of the profile files is", name);
	while (at > 0 && profiles->era[at - 1].from >= from)
		at--;
	if (at < profiles->era_count && profiles->era[at].from == from)
		return err_set(err, RC_CONFIG,
			"the dated list of profiles has two profiles beginning on one day; the second is "
			"\"%s\"",
			name);
	profiles->era = xrealloc(profiles->era, (profiles->era_count + 1) * sizeof(profiles->era[0]));
	memmove(&profiles->era[at + 1], &profiles->era[at],
		(profiles->era_count - at) * sizeof(profiles->era[0]));
	profiles->era[at] = (struct profile_from){.from = from, .profile = profile};
	profiles->era_count++;
	return RC_OK;
}

const struct profile *profile_find(const struct profiles *profiles, const char *name)
{
	for (size_t i = 0; i < profiles->count; i++) {
		if (strcmp(profiles->profile[i].name, name) == 0)
			return &profiles->profile[i];
	}
	return NULL;
}

const struct profile *profile_on(const struct profiles *profiles, civil_day day)
{
	const struct profile *found = profiles->era_count > 0 ? profiles->era[0].profile : NULL;

	for (size_t i = 0; i < profiles->era_count && profiles->era[i].from <= day; i++)
		found = profiles->era[i].profile;
	return found;
}

void profiles_free(struct profiles *profiles)
{
	for (size_t i = 0; i < profiles->count; i++)
		profile_free(&profiles->profile[i]);
	free(profiles->profile);
	free(profiles->era);
	*profiles = (struct profiles){0};
}
