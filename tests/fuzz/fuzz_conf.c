/* Configuration files as an administrator's editor left them: settings with all they name, profiles, field map, rules, wording, holidays. */
#include <unistd.h>

#include "lib/base/conf.h"
#include "lib/flow/calendar.h"
#include "lib/flow/profile.h"
#include "lib/form/fieldmap.h"
#include "lib/mail/request.h"
#include "lib/settings.h"
#include "tests/fuzz/fuzz.h"

/* The sentence names the file, and nothing else is left behind. */
static void must_be_told(enum rc rc, const struct err *err)
{
	if (rc == RC_OK)
		return;
	MUST(rc == RC_CONFIG || rc == RC_REFUSED);
	MUST(*err->text);
}

static void check_settings(const char *path)
{
	struct settings *settings = NULL;
	struct err err = {0};
	enum rc rc = settings_load(&settings, path, &err);
	must_be_told(rc, &err);
	if (rc != RC_OK)
		return;
	MUST(settings->profiles.era_count > 0 && settings->fieldmap);
	settings_free(&settings);
}

static void check_profile(const char *path)
{
	struct profiles profiles = {0};
	struct err err = {0};
	enum rc rc = profile_load(&profiles, path, &err);
	must_be_told(rc, &err);
	if (rc == RC_OK) {
		MUST(profiles.count == 1 && profiles.profile[0].stage_count > 0);
		for (int i = 0; i < profiles.profile[0].stage_count; i++)
			must_be_text(profiles.profile[0].stage[i].name);
	}
	profiles_free(&profiles);
}

static void check_fieldmap(const char *path)
{
	struct fieldmap *map = NULL;
	struct err err = {0};
	enum rc rc = fieldmap_load(&map, path, &err);
	must_be_told(rc, &err);
	for (int field = 0; field < FIELD_COUNT && !rc; field++) {
		struct str choices = STR_INIT;
		fieldmap_choices_print(map, (enum form_field)field, &choices);
		must_be_text(choices.s);
		str_free(&choices);
		const char *label = fieldmap_label(map, (enum form_field)field);
		if (label)
			must_be_text(label);
	}
	fieldmap_free(&map);
}

static void check_rules(const char *path)
{
	struct request_rules *rules = NULL;
	struct err err = {0};
	enum rc rc = request_rules_load(&rules, path, &err);
	must_be_told(rc, &err);
	if (rc == RC_OK) {
		struct pool *pool = pool_new();
		struct message message;
		struct reading reading;
		static const char mail[] = "From: a@example.co.jp\nSubject: test\n\n停止をお願いします。\n";
		if (message_read(&message, mail, sizeof mail - 1, &message_limits_default, pool, &err) ==
			RC_OK)
			request_read(&reading, &message, rules, "office@example.jp", NULL, pool);
		pool_free(&pool);
	}
	request_rules_free(&rules);
}

static void check_wording(const char *path)
{
	struct wording wording = {0};
	struct err err = {0};
	enum rc rc = wording_load(&wording, path, &err);
	must_be_told(rc, &err);
	if (rc == RC_OK) {
		(void)guard_free_text("認定を受けました http://www.example.jp/", &wording, &err);
		wording_free(&wording);
	}
}

static void check_calendar(const char *path)
{
	struct calendar calendar = {0};
	struct err err = {0};
	enum rc rc = calendar_load(&calendar, path, &err);
	must_be_told(rc, &err);
	calendar_free(&calendar);
}

/* Settings name profiles, which are looked for beside them: run from the top of the tree. */
static void bring_profiles(void)
{
	static bool ready;
	struct str link = STR_INIT;
	char *here = getcwd(NULL, 0);
	if (!ready) {
		MUST(here && chdir(fuzz_directory()) == 0);
		str_printf(&link, "%s/config", here);
		MUST(symlink(link.s, "config") == 0 && chdir(here) == 0);
		ready = true;
	}
	str_free(&link);
	free(here);
}

/* The first byte chooses the kind of file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const kinds[])(const char *) = {
		check_settings, check_profile, check_fieldmap, check_rules, check_wording, check_calendar};
	/* Other files are the machine's business, not this one's. */
	if (size == 0 || memmem(data, size, "@include", 8))
		return 0;
	bring_profiles();
	kinds[data[0] % (sizeof kinds / sizeof *kinds)](fuzz_file("x.conf", data + 1, size - 1));
	return 0;
}
