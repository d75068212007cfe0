#include "tests/faults/memory.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/host.h"

#include "lib/form/fieldmap.h"
#include "lib/mail/notice.h"
#include "lib/office/office_p.h"

#define SETS_MAX 16
#define TRIED_MAX 64

enum rc __real_settings_load(struct settings **out, const char *path, struct err *err);
enum rc __wrap_settings_load(struct settings **out, const char *path, struct err *err);
void __real_settings_free(struct settings **settings);
void __wrap_settings_free(struct settings **settings);
enum rc __real_template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err);
enum rc __wrap_template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err);
enum rc __real_template_set_unpack(
	struct template_set **set, const char *packed, size_t len, struct err *err);
enum rc __wrap_template_set_unpack(
	struct template_set **set, const char *packed, size_t len, struct err *err);
void __real_template_set_free(struct template_set **set);
void __wrap_template_set_free(struct template_set **set);
enum rc __real_notice_try(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct err *err);
enum rc __wrap_notice_try(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct err *err);
enum rc __real_fieldmap_load(struct fieldmap **out, const char *path, struct err *err);
enum rc __wrap_fieldmap_load(struct fieldmap **out, const char *path, struct err *err);
void __real_fieldmap_free(struct fieldmap **map);
void __wrap_fieldmap_free(struct fieldmap **map);

static struct {
	bool learning;
	struct settings *settings;
	size_t desk_mails, alarm_mails; /* as configured */
	struct fieldmap *map; /* the built-in one */
	struct known_set {
		char profile[64]; /* "": unpacked */
		struct str packed;
		struct template_set *set;
	} set[SETS_MAX];
	int sets;
	struct tried {
		const struct template *tpl;
		enum state state;
	} tried[TRIED_MAX];
	int tries;
} memory;

void memory_learn(const char *config)
{
	struct err err = {0};
	memory.learning = true;
	if (settings_load(&memory.settings, config, &err) || fieldmap_load(&memory.map, NULL, &err))
		die("%s", err.text);
	struct office office = {.settings = memory.settings};
	const struct profiles *profiles = &memory.settings->profiles;
	for (size_t i = 0; i <= profiles->count; i++) {
		struct rules rules;
		const struct profile *profile = i < profiles->count ? &profiles->profile[i] : rules_answers();
		if (rules_read(&office, profile, &rules, &err))
			die("%s", err.text);
		rules_free(&rules);
	}
	memory.learning = false;
	memory.desk_mails = memory.settings->desk_mail.count;
	memory.alarm_mails = memory.settings->alarm_mail.count;
	/* Libraries that make themselves ready when they are first asked. */
	struct str host = STR_INIT;
	uint8_t digest[SHA256_LEN];
	host_identity(&host);
	sha256(digest, host.s, host.len);
	str_free(&host);
	(void)sqlite3_initialize();
}

void memory_desk_mails(bool wanted)
{
	memory.settings->desk_mail.count = wanted ? memory.desk_mails : 0;
	memory.settings->alarm_mail.count = wanted ? memory.alarm_mails : 0;
}

enum rc __wrap_settings_load(struct settings **out, const char *path, struct err *err)
{
	if (memory.learning)
		return __real_settings_load(out, path, err);
	*out = memory.settings;
	return RC_OK;
}

void __wrap_settings_free(struct settings **settings)
{
	if (*settings != memory.settings)
		__real_settings_free(settings);
	*settings = NULL;
}

enum rc __wrap_fieldmap_load(struct fieldmap **out, const char *path, struct err *err)
{
	if (path || !memory.map)
		return __real_fieldmap_load(out, path, err);
	*out = memory.map;
	return RC_OK;
}

void __wrap_fieldmap_free(struct fieldmap **map)
{
	if (*map != memory.map)
		__real_fieldmap_free(map);
	*map = NULL;
}

static struct known_set *set_keep(const char *profile, struct template_set *set)
{
	if (memory.sets == SETS_MAX)
		die("more template sets than SETS_MAX");
	struct known_set *known = &memory.set[memory.sets++];
	*known = (struct known_set){.packed = STR_INIT, .set = set};
	(void)snprintf(known->profile, sizeof known->profile, "%s", profile);
	return known;
}

enum rc __wrap_template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err)
{
	for (int i = 0; i < memory.sets; i++) {
		if (strcmp(memory.set[i].profile, profile) == 0) {
			*set = memory.set[i].set;
			return RC_OK;
		}
	}
	enum rc rc = __real_template_set_load(set, dir, profile, want, wording, err);
	if (!rc && memory.learning)
		(void)set_keep(profile, *set);
	return rc;
}

enum rc __wrap_template_set_unpack(struct template_set **set, const char *packed, size_t len, struct err *err)
{
	for (int i = 0; i < memory.sets; i++) {
		const struct known_set *known = &memory.set[i];
		if (known->packed.len == len && memcmp(known->packed.s, packed, len) == 0) {
			*set = known->set;
			return RC_OK;
		}
	}
	enum rc rc = __real_template_set_unpack(set, packed, len, err);
	if (!rc && memory.learning)
		str_add(&set_keep("", *set)->packed, packed, len);
	return rc;
}

void __wrap_template_set_free(struct template_set **set)
{
	for (int i = 0; i < memory.sets && *set; i++)
		if (memory.set[i].set == *set)
			*set = NULL;
	if (*set)
		__real_template_set_free(set);
}

enum rc __wrap_notice_try(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct err *err)
{
	for (int i = 0; i < memory.tries; i++)
		if (memory.tried[i].tpl == tpl && memory.tried[i].state == state && !office)
			return RC_OK;
	enum rc rc = __real_notice_try(tpl, name, state, office, err);
	if (!rc && memory.learning && !office && memory.tries < TRIED_MAX)
		memory.tried[memory.tries++] = (struct tried){tpl, state};
	return rc;
}
