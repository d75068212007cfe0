#include "daemon/owner.h"

#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void test_owner__text(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct spool_taken taken = {.owner = 0, .mode = 0100640};
	assert_string_equal(owner_text(&taken, pool), "0(root)");
	taken.mode = 0100644;
	assert_string_equal(owner_text(&taken, pool), "0(root)");
	taken.mode = 0100660; /* root's own group */
	assert_string_equal(owner_text(&taken, pool), "0(root)");
	taken.listed = true; /* whose list may name anybody */
	assert_string_equal(owner_text(&taken, pool), "0(root)" OWNER_SHARED);
	taken.mode = 0100640;
	assert_string_equal(owner_text(&taken, pool), "0(root)");
	taken.listed = false;
	taken.mode = 0100660;
	taken.group = 1;
	assert_string_equal(owner_text(&taken, pool), "0(root)" OWNER_SHARED);
	taken.mode = 0100602;
	assert_string_equal(owner_text(&taken, pool), "0(root)" OWNER_SHARED);
	taken.mode = 0100600;
	taken.owner = 3999999999; /* no such account */
	assert_string_equal(owner_text(&taken, pool), "3999999999");
	pool_free(&pool);
}

static void test_owner__read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		struct owner owner;
	} cases[] = {
		{"1000(sato)", {true, false, 1000, "sato"}},
		{"1000(sato)" OWNER_SHARED, {false, true, 1000, "sato"}},
		{"3999999999", {true, false, 3999999999, "3999999999"}},
		{"7(OFFICE\\sato)", {true, false, 7, "OFFICE\\sato"}},
		{"sato", {false, false, 0, NULL}}, /* as it was noted before accounts were */
		{"", {false, false, 0, NULL}},
		{"1000(sato", {false, false, 1000, "sato"}},
		{"1000(sato) and others", {false, false, 1000, "sato"}},
		{"4294967295", {false, false, 0, NULL}},
	};
	struct pool *pool = pool_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct owner owner = owner_read(cases[i].text, pool);
		assert_int_equal(owner.known, cases[i].owner.known);
		assert_int_equal(owner.shared, cases[i].owner.shared);
		assert_int_equal(owner.uid, cases[i].owner.uid);
		if (cases[i].owner.name)
			assert_string_equal(owner.name, cases[i].owner.name);
	}
	pool_free(&pool);
}

/* The groups of an account decide: nobody's own group stands for any right here. */
static void test_owner__right(void **state)
{
	(void)state;
	const struct passwd *nobody = getpwnam("nobody");
	assert_non_null(nobody);
	const struct group *group = getgrgid(nobody->pw_gid);
	assert_non_null(group);
	char *name = strdup(group->gr_name);
	struct owner owner = {.known = true, .uid = nobody->pw_uid, .name = "nobody"};
	char none[] = "sengen-no-such-group";
	struct settings settings = {
		.rights = {.read = name, .work = none, .release = none, .administer = none}};
	assert_int_equal(owner_right(&settings, &owner), RIGHT_READ);
	settings.rights.work = name;
	assert_int_equal(owner_right(&settings, &owner), RIGHT_WORK);
	settings.rights.read = settings.rights.work = none;
	assert_int_equal(owner_right(&settings, &owner), RIGHT_NONE);
	owner.uid = 3999999999; /* no such account, no groups */
	settings.rights.work = name;
	assert_int_equal(owner_right(&settings, &owner), RIGHT_NONE);
	owner.uid = 0;
	assert_int_equal(owner_right(&settings, &owner), RIGHT_ADMINISTER);
	owner.uid = geteuid();
	assert_int_equal(owner_right(&settings, &owner), RIGHT_ADMINISTER);
	free(name);
}

static void test_owner__service_accounts(void **state)
{
	(void)state;
	static const struct {
		uid_t uid;
		bool service;
	} cases[] = {{0, true}, {33, true}, {999, true}, {65534, true}, {12345, false}, {3000017, false}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct owner owner = {.known = true, .uid = cases[i].uid};
		if (cases[i].uid != geteuid())
			assert_int_equal(owner_is_service(&owner), cases[i].service);
	}
	struct owner own = {.known = true, .uid = geteuid()};
	assert_true(owner_is_service(&own));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner__text),
		cmocka_unit_test(test_owner__read),
		cmocka_unit_test(test_owner__right),
		cmocka_unit_test(test_owner__service_accounts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
