/*
 * profile.h - 運用方式: the stages, times and templates in force
 *
 * A profile is configuration, not code. An application keeps the profile it was received under.
 */
#ifndef SENGEN_PROFILE_H
#define SENGEN_PROFILE_H

#include "lib/base/err.h"
#include "lib/register.h"

struct span {
	int earliest, target, latest; /* days; -1: not set */
};

/* The distance aimed at: the target, else the earliest, else 0. */
int span_wanted(const struct span *span);

struct stage {
	char *name; /* "receipt", "id", "logo", "confirm", "completion", "acceptance" */
	char *template_name; /* below templates/mail/<profile>/, without .txt */
	enum state state; /* the application is in when the notice of this stage is queued */
	struct span after_received; /* counted from clock_start */
	struct span after_previous; /* counted from the day the mail server took the previous notice */
	bool at_once; /* all its distances are 0: goes out at once, at any hour */
	bool approval; /* waits for staff */
	bool confirms; /* its notice asks to confirm the address (state unconfirmed); the next stage waits for EVENT_CONFIRM */
};

struct profile {
	char *name;
	int id_prefix, id_digits; /* 4, 11 */
	int user_prefix, user_digits; /* 9, 10 */
	bool step_up_new_id; /* false: a step-up keeps the declaration's ID */
	bool want_gbiz;
	int confirm_days; /* unconfirmed applications expire after so many days; 7 */
	struct stage *stage; /* owned */
	int stage_count;
};

/* The dated list: the profile in force for applications received from that day on. */
struct profile_from {
	civil_day from;
	const struct profile *profile;
};

struct profiles {
	struct profile *profile; /* owned */
	size_t count;
	struct profile_from *era; /* sorted; owned */
	size_t era_count;
};

/* Reads one profile file (config/profiles/form.conf …) and appends it. Checks that it can work: at least one stage, names unique,
 * states in order and each reached, earliest ≤ target ≤ latest, no latest day that the distances before it already miss, a confirming
 * stage first and only there. Errors name file and line. */
enum rc profile_load(struct profiles *profiles, const char *path, struct err *err);
/* Appends an era; the profile must be loaded. */
enum rc profile_add_era(struct profiles *profiles, civil_day from, const char *name, struct err *err);
const struct profile *profile_find(const struct profiles *profiles, const char *name);
/* A day before the first era counts as in it: a form dated, or a declaration taken over, from before must not stop the rest. NULL: no eras. */
const struct profile *profile_on(const struct profiles *profiles, civil_day day);
void profiles_free(struct profiles *profiles);

#endif
