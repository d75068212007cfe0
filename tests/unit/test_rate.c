/* how many mails may leave */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/rate.h"

static utc_time noon;

static int set_up(void **state)
{
	(void)state;
	struct err err;
	assert_int_equal(civil_zone_set("Asia/Tokyo", &err), RC_OK);
	noon = civil_moment(civil_from_ymd(2026, 11, 24), 12 * 60);
	return 0;
}

static void test_rate__no_limits(void **state)
{
	(void)state;
	struct rate *rate = rate_new(&(struct rate_limits){0});
	for (int i = 0; i < 1000; i++)
		rate_leaves(rate, "example.co.jp", noon);
	assert_true(rate_room(rate, 1000, noon) > 1000000);
	assert_null(rate_full_domains(rate, noon)[0]);
	assert_true(rate_next(rate, 1000, noon) == UTC_NEVER);
	rate_free(&rate);
}

static void test_rate__minute_slides(void **state)
{
	(void)state;
	struct rate *rate = rate_new(&(struct rate_limits){.per_minute = 5});
	rate_leaves(rate, "a.example", noon);
	rate_leaves(rate, "a.example", noon + 10);
	for (int i = 0; i < 3; i++)
		rate_leaves(rate, "b.example", noon + 20);
	assert_int_equal(rate_room(rate, 0, noon + 20), 0);
	assert_true(rate_next(rate, 0, noon + 20) == noon + 60);
	assert_int_equal(rate_room(rate, 0, noon + 59), 0);
	assert_int_equal(rate_room(rate, 0, noon + 60), 1);
	assert_int_equal(rate_room(rate, 0, noon + 70), 2);
	assert_int_equal(rate_room(rate, 0, noon + 80), 5);
	/* In no 60 seconds more than 5, whatever happens. */
	int left[400] = {0};
	for (int second = 0; second < 400; second++) {
		utc_time now = noon + 1000 + second;
		for (int64_t room = rate_room(rate, 0, now); room > 0 && (second * 7) % 3 != 1; room--) {
			rate_leaves(rate, "a.example", now);
			left[second]++;
		}
		int sum = 0;
		for (int i = second; i >= 0 && i > second - 60; i--)
			sum += left[i];
		assert_true(sum <= 5);
	}
	/* A clock that jumps back does not stop the office for hours. */
	assert_int_equal(rate_room(rate, 0, noon - 86400), 5);
	rate_free(&rate);
}

static void test_rate__day(void **state)
{
	(void)state;
	struct rate *rate = rate_new(&(struct rate_limits){.per_day = 10});
	rate_restore(rate, 0, 7, noon);
	assert_int_equal(rate_room(rate, 0, noon), 3);
	assert_int_equal(rate_room(rate, 2, noon), 1);
	rate_leaves(rate, "a.example", noon); /* not accepted: does not count */
	assert_int_equal(rate_room(rate, 0, noon), 3);
	for (int i = 0; i < 3; i++)
		rate_accepted(rate, noon);
	assert_int_equal(rate_room(rate, 0, noon), 0);
	utc_time midnight = civil_moment(civil_from_ymd(2026, 11, 25), 0);
	assert_true(rate_next(rate, 0, noon) == midnight);
	assert_int_equal(rate_room(rate, 0, midnight - 1), 0);
	assert_int_equal(rate_room(rate, 0, midnight), 10);
	rate_free(&rate);
}

static void test_rate__domains(void **state)
{
	(void)state;
	struct rate *rate = rate_new(&(struct rate_limits){.per_domain = 3});
	assert_int_equal(rate_room(rate, 0, noon), 3);
	rate_leaves(rate, "a.example", noon);
	/* Two more could all be for a.example. */
	assert_int_equal(rate_room(rate, 0, noon), 2);
	rate_leaves(rate, "a.example", noon + 1);
	rate_leaves(rate, "a.example", noon + 1);
	assert_int_equal(rate_room(rate, 0, noon + 1), 3);
	const char *const *full = rate_full_domains(rate, noon + 1);
	assert_string_equal(full[0], "a.example");
	assert_null(full[1]);
	assert_true(rate_next(rate, 0, noon + 1) == noon + 60);
	assert_null(rate_full_domains(rate, noon + 60)[0]);
	/* Thousands of domains: those of the last minute are kept, no more. */
	for (int i = 0; i < 5000; i++) {
		char name[32];
		snprintf(name, sizeof name, "d%d.example", i);
		rate_leaves(rate, name, noon + 100 + i / 10);
	}
	assert_int_equal(rate_room(rate, 0, noon + 600), 2);
	assert_int_equal(rate_room(rate, 0, noon + 700), 3);
	rate_free(&rate);
}

static void test_rate__after_a_restart(void **state)
{
	(void)state;
	struct rate *rate = rate_new(&(struct rate_limits){.per_minute = 10, .per_domain = 4});
	rate_restore(rate, 3, 3, noon);
	/* Whose the three were is not known: all of them may have been any domain's. */
	assert_int_equal(rate_room(rate, 0, noon), 1);
	rate_leaves(rate, "a.example", noon);
	assert_string_equal(rate_full_domains(rate, noon)[0], "a.example");
	assert_int_equal(rate_room(rate, 0, noon + 60), 4);
	rate_free(&rate);
	rate = rate_new(&(struct rate_limits){.per_domain = 2});
	rate_restore(rate, 9, 9, noon);
	assert_int_equal(rate_room(rate, 0, noon), 0);
	assert_true(rate_next(rate, 0, noon) == noon + 60);
	assert_int_equal(rate_room(rate, 0, noon + 60), 2);
	rate_change(rate, &(struct rate_limits){.per_domain = 5});
	assert_int_equal(rate_room(rate, 0, noon + 60), 5);
	rate_free(&rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate__no_limits),
		cmocka_unit_test(test_rate__minute_slides),
		cmocka_unit_test(test_rate__day),
		cmocka_unit_test(test_rate__domains),
		cmocka_unit_test(test_rate__after_a_restart),
	};
	return cmocka_run_group_tests_name("rate", tests, set_up, NULL);
}
