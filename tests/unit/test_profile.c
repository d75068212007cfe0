#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/flow/profile.h"

static char dir[] = "/tmp/test_profile.XXXXXX";
static char path[64];

static enum rc load_text(struct profiles *profiles, const char *text, struct err *err)
{
	struct err write_err;

	assert_int_equal(file_write(path, text, strlen(text), 0600, &write_err), RC_OK);
	return profile_load(profiles, path, err);
}

static void load_shipped(struct profiles *profiles)
{
	static const char *const files[] = {
		"config/profiles/form.conf", "config/profiles/site.conf", "config/profiles/instant.conf"};
	struct err err = {.text = ""};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (profile_load(profiles, files[i], &err) != RC_OK)
			fail_msg("%s", err.text);
	}
}

static void assert_span(const struct span *span, int earliest, int target, int latest)
{
	assert_int_equal(span->earliest, earliest);
	assert_int_equal(span->target, target);
	assert_int_equal(span->latest, latest);
}

static void test_profile__shipped_form(void **ctx)
{
	struct profiles profiles = {0};

	(void)ctx;
	load_shipped(&profiles);
	const struct profile *form = profile_find(&profiles, "form");

	assert_non_null(form);
	assert_int_equal(form->id_prefix, 4);
	assert_int_equal(form->id_digits, 11);
	assert_int_equal(form->user_prefix, 9);
	assert_int_equal(form->user_digits, 10);
	assert_false(form->step_up_new_id);
	assert_false(form->want_gbiz);
	assert_int_equal(form->stage_count, 3);
	assert_string_equal(form->stage[0].name, "receipt");
	assert_int_equal(form->stage[0].state, STATE_RECEIVED);
	assert_true(form->stage[0].at_once);
	assert_string_equal(form->stage[1].template_name, "id");
	assert_int_equal(form->stage[1].state, STATE_ID_ISSUED);
	assert_span(&form->stage[1].after_received, 7, 7, 10);
	assert_span(&form->stage[1].after_previous, -1, -1, -1);
	assert_int_equal(form->stage[2].state, STATE_LOGO_AUTHORIZED);
	assert_span(&form->stage[2].after_received, 14, 14, 21);
	assert_span(&form->stage[2].after_previous, 7, 7, 14);
	for (int i = 0; i < form->stage_count; i++) {
		assert_false(form->stage[i].confirms);
		assert_false(form->stage[i].approval);
		assert_int_equal(form->stage[i].at_once, i == 0);
	}
	profiles_free(&profiles);
}

static void test_profile__shipped_site(void **ctx)
{
	struct profiles profiles = {0};

	(void)ctx;
	load_shipped(&profiles);
	const struct profile *site = profile_find(&profiles, "site");

	assert_non_null(site);
	assert_int_equal(site->confirm_days, 7);
	assert_int_equal(site->stage_count, 3);
	assert_string_equal(site->stage[0].name, "confirm");
	assert_int_equal(site->stage[0].state, STATE_UNCONFIRMED);
	assert_true(site->stage[0].confirms);
	assert_string_equal(site->stage[1].name, "completion");
	assert_int_equal(site->stage[1].state, STATE_ID_ISSUED);
	assert_true(site->stage[1].at_once);
	assert_false(site->stage[1].confirms);
	assert_string_equal(site->stage[2].name, "acceptance");
	assert_span(&site->stage[2].after_previous, 7, 7, 14);
	profiles_free(&profiles);
}

static void test_profile__shipped_instant(void **ctx)
{
	struct profiles profiles = {0};

	(void)ctx;
	load_shipped(&profiles);
	const struct profile *instant = profile_find(&profiles, "instant");

	assert_non_null(instant);
	assert_int_equal(instant->id_prefix, 5);
	assert_true(instant->want_gbiz);
	assert_int_equal(instant->stage_count, 3);
	for (int i = 0; i < instant->stage_count; i++)
		assert_true(instant->stage[i].at_once);
	assert_null(profile_find(&profiles, "none"));
	profiles_free(&profiles);
}

static void test_profile__defaults(void **ctx)
{
	struct profiles profiles = {0};
	struct err err = {.text = ""};

	(void)ctx;
	assert_int_equal(load_text(&profiles,
				 "name = \"least\";\n"
				 "stages = ( { name = \"r\"; template = \"receipt\"; state = \"received\";\n"
				 "  after_received : { earliest = 2; latest = 5; }; approval = true; } );\n",
				 &err),
		RC_OK);
	const struct profile *least = profile_find(&profiles, "least");

	assert_int_equal(least->id_prefix, 4);
	assert_int_equal(least->id_digits, 11);
	assert_int_equal(least->confirm_days, 7);
	assert_true(least->stage[0].approval);
	assert_int_equal(span_wanted(&least->stage[0].after_received), 2);
	assert_int_equal(span_wanted(&least->stage[0].after_previous), 0);
	assert_false(least->stage[0].at_once);
	profiles_free(&profiles);
}

#define STAGE(name, state, rest) "{ name=\"" name "\"; template=\"" name "\"; state=\"" state "\"; " rest " }"
#define AT_ONCE "after_received : { target = 0; };"

static void test_profile__refusals(void **ctx)
{
	static const struct {
		const char *text;
		int line;
		const char *says;
	} cases[] = {
		{"name = \"p\";\n", 1, "no stages"},
		{"name = \"p\";\nstages = ();\n", 1, "no stages"},
		{"name = \"Form Era\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ");\n", 1,
			"name of a profile"},
		{"name = \"../p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ");\n", 1,
			"name of a profile"},
		{"name = \"p\";\nstages = (\n" STAGE("R/x", "received", AT_ONCE) ");\n", 3, "small letters"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n\n" STAGE(
			 "r", "id_issued", AT_ONCE) ");\n",
			5, "same name"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", "") ");\n", 3, "no distance"},
		/* the order of states */
		{"name = \"p\";\nstages = (\n" STAGE("i", "id_issued", AT_ONCE) ");\n", 3,
			"from nothing to id_issued"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE(
			 "l", "logo_authorized", AT_ONCE) ");\n",
			4, "from received to logo_authorized"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE(
			 "s", "received", AT_ONCE) ");\n",
			4, "from received to received"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE(
			 "c", "unconfirmed", AT_ONCE) ");\n",
			4, "from received to unconfirmed"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE(
			 "i", "id_issued", AT_ONCE) ",\n" STAGE("j", "id_issued", AT_ONCE) ");\n",
			5, "from id_issued to id_issued"},
		{"name = \"p\";\nstages = (\n" STAGE("c", "unconfirmed", AT_ONCE) ",\n" STAGE(
			 "l", "logo_authorized", AT_ONCE) ");\n",
			4, "from unconfirmed to logo_authorized"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "stopped", AT_ONCE) ");\n", 3, "state"},
		/* distances */
		{"name = \"p\";\nstages = (\n" STAGE(
			 "r", "received", "after_previous : { target = 1; };") ");\n",
			3, "no previous notice"},
		{"name = \"p\";\nstages = (\n" STAGE(
			 "r", "received", "after_received : { earliest = 3; target = 2; };") ");\n",
			3, "after_received of stage \"r\" is out of order"},
		{"name = \"p\";\nstages = (\n" STAGE(
			 "r", "received", "after_received : { target = 9; latest = 8; };") ");\n",
			3, "out of order"},
		{"name = \"p\";\nstages = (\n" STAGE(
			 "r", "received", "after_received : { earliest = 9; latest = 8; };") ");\n",
			3, "out of order"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE("i", "id_issued",
			 "after_previous : { earliest = 7; target = 7; latest = 6; };") ");\n",
			4, "after_previous of stage \"i\" is out of order"},
		/* a latest day that can't be met: the ID at 7, then 10 days more, by day 14 */
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE("i", "id_issued",
			 "after_received : { target = 7; };") ",\n" STAGE("l", "logo_authorized",
			 "after_received : { latest = 14; }; after_previous : { earliest = 10; };") ");\n",
			5, "on day 17 at the soonest"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE("i", "id_issued",
			 "after_received : { target = 20; }; after_previous : { latest = 14; };") ");\n",
			4, "on day 20 at the soonest"},
		/* a latest day of 0 is a bound like any other */
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE("i", "id_issued",
			 "after_received : { target = 1; }; after_previous : { latest = 0; };") ");\n",
			4, "on day 1 at the soonest"},
		{"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE("i", "id_issued",
			 "after_received : { latest = 0; }; after_previous : { earliest = 1; };") ");\n",
			4, "on day 1 at the soonest"},
		/* numbers, and what reading itself refuses */
		{"name = \"p\";\nid_prefix = 6;\n", 2, "id_prefix"},
		{"name = \"p\";\nid_digits = 12;\n", 2, "id_digits"},
		{"name = \"p\";\nconfirm_days = 0;\n", 2, "confirm_days"},
		{"name = \"p\";\nconfirm_days = \"7\";\n", 2, "confirm_days"},
		{"name = \"p\";\ncolour = 1;\n", 2, "colour"},
		{"name = \"p\";\nstages = (\n" STAGE(
			 "r", "received", "after_received : { day = 1; };") ");\n",
			3, "day"},
		{"name = \"p\";\nstages = (\n{ template = \"r\"; state = \"received\"; });\n", 3, "name"},
		{"name = \"p\"\n;;\n", 2, ""},
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profiles profiles = {0};
		struct err err = {.text = ""};
		char where[96];

		assert_int_equal(load_text(&profiles, cases[i].text, &err), RC_CONFIG);
		snprintf(where, sizeof(where), "%s:%d: ", path, cases[i].line);
		if (!strstr(err.text, where) || !strstr(err.text, cases[i].says))
			fail_msg("case %zu: %s", i, err.text);
		assert_int_equal(profiles.count, 0);
		profiles_free(&profiles);
	}
}

/* The day of the bound itself can be met. */
static void test_profile__latest_days_that_are_just_met(void **ctx)
{
	static const char *const spans[] = {
		"after_received : { target = 7; latest = 7; };",
		"after_received : { target = 0; latest = 0; };",
		"after_received : { target = 7; }; after_previous : { latest = 7; };",
		"after_received : { target = 0; }; after_previous : { latest = 0; };",
		"after_received : { latest = 7; }; after_previous : { earliest = 7; };",
	};

	(void)ctx;
	for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
		struct profiles profiles = {0};
		struct err err = {.text = ""};
		char text[512];

		snprintf(text, sizeof(text),
			"name = \"p\";\nstages = (\n" STAGE("r", "received", AT_ONCE) ",\n" STAGE(
				"i", "id_issued", "%s") ");\n",
			spans[i]);
		if (load_text(&profiles, text, &err) != RC_OK)
			fail_msg("span %zu: %s", i, err.text);
		profiles_free(&profiles);
	}
}

static void test_profile__too_many_stages(void **ctx)
{
	/* The states only allow three stages behind each other, so the count must be refused before the order is looked at. */
	struct profiles profiles = {0};
	struct err err = {.text = ""};
	struct str text = STR_INIT;

	(void)ctx;
	str_addz(&text, "name = \"p\";\nstages = (\n");
	for (int i = 0; i <= STAGE_MAX; i++)
		str_printf(&text, "%s{ name = \"s%d\"; template = \"s%d\"; state = \"received\"; }",
			i ? ",\n" : "", i, i);
	str_addz(&text, ");\n");
	assert_int_equal(load_text(&profiles, text.s, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, ":11: a profile has at most 8 stages"));
	str_free(&text);
}

static void test_profile__same_name_twice(void **ctx)
{
	struct profiles profiles = {0};
	struct err err = {.text = ""};

	(void)ctx;
	load_shipped(&profiles);
	assert_int_equal(profile_load(&profiles, "config/profiles/form.conf", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "config/profiles/form.conf:1: "));
	assert_non_null(strstr(err.text, "already read"));
	assert_int_equal(profiles.count, 3);
	assert_int_equal(profile_load(&profiles, "/nonexistent/p.conf", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "/nonexistent/p.conf"));
	profiles_free(&profiles);
}

static void add_era(struct profiles *profiles, const char *from, const char *name)
{
	struct err err;

	assert_int_equal(profile_add_era(profiles, civil_day_read(from), name, &err), RC_OK);
}

static const char *name_on(const struct profiles *profiles, const char *day)
{
	const struct profile *profile = profile_on(profiles, civil_day_read(day));

	return profile ? profile->name : "";
}

static void test_profile__eras(void **ctx)
{
	struct profiles profiles = {0};
	struct err err = {.text = ""};

	(void)ctx;
	load_shipped(&profiles);
	assert_string_equal(name_on(&profiles, "2026-11-22"), "");
	/* in any order */
	add_era(&profiles, "2026-04-01", "instant");
	add_era(&profiles, "2017-04-01", "site");
	add_era(&profiles, "2024-01-01", "form");
	assert_string_equal(name_on(&profiles, "2017-03-31"), "site"); /* the first reaches back */
	assert_string_equal(name_on(&profiles, "2017-04-01"), "site");
	assert_string_equal(name_on(&profiles, "2023-12-31"), "site");
	assert_string_equal(name_on(&profiles, "2024-01-01"), "form");
	assert_string_equal(name_on(&profiles, "2026-03-31"), "form");
	assert_string_equal(name_on(&profiles, "2026-04-01"), "instant");
	assert_string_equal(name_on(&profiles, "2099-12-31"), "instant");
	/* a profile read later does not disturb them */
	assert_int_equal(
		load_text(&profiles, "name = \"p\"; stages = (" STAGE("r", "received", AT_ONCE) ");", &err),
		RC_OK);
	assert_string_equal(name_on(&profiles, "2026-03-31"), "form");
	assert_ptr_equal(
		profile_on(&profiles, civil_day_read("2026-03-31")), profile_find(&profiles, "form"));
	assert_int_equal(profile_add_era(&profiles, civil_day_read("2030-01-01"), "none", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "\"none\""));
	assert_int_equal(profile_add_era(&profiles, civil_day_read("2024-01-01"), "site", &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "one day"));
	assert_int_equal(profiles.era_count, 3);
	profiles_free(&profiles);
	assert_int_equal(profiles.count, 0);
}

static int setup(void **ctx)
{
	(void)ctx;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/p.conf", dir);
	return 0;
}

static int teardown(void **ctx)
{
	(void)ctx;
	unlink(path);
	return rmdir(dir);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_profile__shipped_form),
		cmocka_unit_test(test_profile__shipped_site),
		cmocka_unit_test(test_profile__shipped_instant),
		cmocka_unit_test(test_profile__defaults),
		cmocka_unit_test(test_profile__refusals),
		cmocka_unit_test(test_profile__latest_days_that_are_just_met),
		cmocka_unit_test(test_profile__too_many_stages),
		cmocka_unit_test(test_profile__same_name_twice),
		cmocka_unit_test(test_profile__eras),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
