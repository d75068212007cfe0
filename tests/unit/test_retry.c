/* when a notice is tried again, and when the sender pauses */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/mail/retry.h"

static const struct retry_policy policy = {
	.first_seconds = 300, .last_seconds = 14400, .lifetime_seconds = 432000, .fault_seconds = 60};

static struct delivery delivery_of(enum outcome outcome, int code, const char *enhanced, const char *reply)
{
	struct delivery delivery = {.outcome = outcome, .reply_code = code, .phase = "rcpt"};
	snprintf(delivery.enhanced, sizeof delivery.enhanced, "%s", enhanced);
	snprintf(delivery.reply, sizeof delivery.reply, "%s", reply);
	return delivery;
}

static void test_retry__pauses_by_reply_class(void **state)
{
	(void)state;
	static const struct {
		int code;
		const char *enhanced, *reply;
		int64_t want[9];
	} cases[] = {
		{451, "4.3.0", "try later", {300, 600, 1200, 2400, 4800, 9600, 14400, 14400, 14400}},
		{451, "4.7.1", "come again", {300, 300, 300, 600, 1200, 2400, 4800, 9600, 14400}},
		{450, "4.2.0", "Greylisted", {300, 300, 300, 600, 1200, 2400, 4800, 9600, 14400}},
		{452, "4.2.2", "mailbox full", {1200, 2400, 4800, 9600, 14400, 14400, 14400, 14400, 14400}},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct delivery delivery =
			delivery_of(OUTCOME_TEMPORARY, cases[i].code, cases[i].enhanced, cases[i].reply);
		for (int attempt = 1; attempt <= 9; attempt++)
			assert_int_equal(
				retry_pause(&policy, &delivery, attempt), cases[i].want[attempt - 1]);
	}
}

static void test_retry__what_counts(void **state)
{
	(void)state;
	static const struct {
		enum outcome outcome;
		int attempts;
		utc_time first, next;
	} cases[] = {
		{OUTCOME_ACCEPTED, 1, 1000, 5}, {OUTCOME_PERMANENT, 1, 1000, 5},
		{OUTCOME_UNKNOWN, 1, 1000, 5}, {OUTCOME_TEMPORARY, 1, 1000, 1300},
		{OUTCOME_NOT_SENT, 0, 0, 1030}, /* soon, but not at once */
		{OUTCOME_FAULT, 0, 0,
			1060}, /* what was said at RCPT may be of this one alone: others try first */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct notice notice = {.state = OUTBOX_SENDING, .next_try_at = 5};
		struct delivery delivery = delivery_of(cases[i].outcome, 451, "", "x");
		retry_settle(&policy, &notice, &delivery, 1000);
		assert_int_equal(notice.attempts, cases[i].attempts);
		assert_int_equal(notice.first_try_at, cases[i].first);
		assert_int_equal(notice.next_try_at, cases[i].next);
		assert_int_equal(notice.state, OUTBOX_SENDING);
	}
}

/* Before a recipient was named it is said of nobody: each keeps its place. */
static void test_retry__places_in_the_queue(void **state)
{
	(void)state;
	static const struct {
		const char *phase;
		utc_time next;
	} cases[] = {{"connect", 5}, {"tls", 5}, {"auth", 5}, {"mail", 5}, {"sign", 5}, {"letter", 5},
		{"rcpt", 1060}, {"data", 1060}, {"dot", 1060}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct notice notice = {.state = OUTBOX_SENDING, .next_try_at = 5};
		struct delivery delivery = delivery_of(OUTCOME_FAULT, 554, "5.7.1", "Relay access denied");
		delivery.phase = cases[i].phase;
		retry_settle(&policy, &notice, &delivery, 1000);
		assert_int_equal(notice.next_try_at, cases[i].next);
		assert_int_equal(notice.attempts, 0);
	}
}

static void test_retry__life_time(void **state)
{
	(void)state;
	struct notice notice = {.state = OUTBOX_SENDING};
	struct delivery delivery = delivery_of(OUTCOME_TEMPORARY, 451, "4.3.0", "later");
	utc_time now = 1000;
	while (notice.state != OUTBOX_FAILED) {
		retry_settle(&policy, &notice, &delivery, now);
		assert_true(notice.state == OUTBOX_FAILED || notice.next_try_at > now);
		if (notice.state != OUTBOX_FAILED)
			now = notice.next_try_at;
	}
	assert_int_equal(notice.first_try_at, 1000);
	assert_true(now - 1000 >= policy.lifetime_seconds && now - 1000 < policy.lifetime_seconds + 14400);
	/* A fault never gives it up, however old it is. */
	notice.state = OUTBOX_SENDING;
	delivery.outcome = OUTCOME_FAULT;
	retry_settle(&policy, &notice, &delivery, now * 2);
	assert_int_equal(notice.state, OUTBOX_SENDING);
}

static void test_retry__faults_pause_the_sender(void **state)
{
	(void)state;
	struct sender_health health = {0};
	struct delivery fault = delivery_of(OUTCOME_FAULT, 535, "5.7.8", "no");
	struct delivery good = delivery_of(OUTCOME_PERMANENT, 550, "5.1.1", "unknown");
	assert_int_equal(health_room(&health, 16, 0), 16);
	utc_time now = 1000;
	static const int64_t pauses[] = {60, 120, 240, 480, 960, 1920, 3840, 7680, 14400, 14400};
	for (size_t i = 0; i < sizeof pauses / sizeof pauses[0]; i++) {
		assert_true(health_note(&health, &policy, &fault, now));
		assert_true(health_note(&health, &policy, &fault, now)); /* side by side: one fault */
		assert_int_equal(health.pause_until, now + pauses[i]);
		assert_int_equal(health_room(&health, 16, health.pause_until - 1), 0);
		assert_int_equal(health_room(&health, 16, health.pause_until), 1);
		assert_int_equal(health_room(&health, 0, health.pause_until), 0);
		now = health.pause_until;
	}
	assert_false(health_note(&health, &policy, &good, now));
	assert_int_equal(health_room(&health, 16, now), 16);
}

/* Before it began a pause is over, and the next one begins then: neither hours of silence nor a loop without a pause. */
static void test_retry__a_clock_that_jumped_back(void **state)
{
	(void)state;
	static const int64_t jumps[] = {1, 3600, 86400, 31536000};
	struct delivery fault = delivery_of(OUTCOME_FAULT, 535, "5.7.8", "no");
	for (size_t i = 0; i < sizeof jumps / sizeof jumps[0]; i++) {
		struct sender_health health = {0};
		utc_time now = 1800000000;
		assert_true(health_note(&health, &policy, &fault, now));
		now -= jumps[i];
		assert_int_equal(health_room(&health, 16, now), 1);
		assert_true(health_note(&health, &policy, &fault, now));
		assert_int_equal(health_room(&health, 16, now), 0);
		assert_int_equal(health_room(&health, 16, now + 119), 0);
		assert_int_equal(health_room(&health, 16, now + 120), 1);
	}
}

static void test_retry__lost_connections_in_a_row(void **state)
{
	(void)state;
	struct sender_health health = {0};
	struct delivery lost = delivery_of(OUTCOME_NOT_SENT, 0, "", "");
	struct delivery unknown = delivery_of(OUTCOME_UNKNOWN, 0, "", "");
	struct delivery good = delivery_of(OUTCOME_ACCEPTED, 250, "", "");
	for (int i = 0; i < 5; i++) {
		assert_false(health_note(&health, &policy, &lost, 1000));
		assert_false(health_note(&health, &policy, &unknown, 1000));
		assert_false(health_note(&health, &policy, &lost, 1000));
		assert_false(health_note(&health, &policy, &good, 1000));
	}
	assert_false(health_note(&health, &policy, &lost, 1000));
	assert_false(health_note(&health, &policy, &lost, 1000));
	assert_true(health_note(&health, &policy, &lost, 1000));
	assert_int_equal(health_room(&health, 4, 1059), 0);
	assert_int_equal(health_room(&health, 4, 1060), 1);
}

/* A server that falls silent at each final dot would make every mail of the queue an unknown one. */
static void test_retry__unknown_answers_in_a_row(void **state)
{
	(void)state;
	struct sender_health health = {0};
	struct delivery unknown = delivery_of(OUTCOME_UNKNOWN, 0, "", "");
	struct delivery good = delivery_of(OUTCOME_ACCEPTED, 250, "", "");
	assert_false(health_note(&health, &policy, &unknown, 1000));
	assert_false(health_note(&health, &policy, &unknown, 1000));
	assert_true(health_note(&health, &policy, &unknown, 1000));
	assert_int_equal(health_room(&health, 4, 1059), 0);
	/* The probe ends the same way: a longer pause at once. */
	assert_int_equal(health_room(&health, 4, 1060), 1);
	assert_true(health_note(&health, &policy, &unknown, 1060));
	assert_int_equal(health_room(&health, 4, 1060 + 119), 0);
	assert_false(health_note(&health, &policy, &good, 2000));
	assert_int_equal(health_room(&health, 4, 2000), 4);
	assert_false(health_note(&health, &policy, &unknown, 2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry__pauses_by_reply_class),
		cmocka_unit_test(test_retry__what_counts),
		cmocka_unit_test(test_retry__places_in_the_queue),
		cmocka_unit_test(test_retry__life_time),
		cmocka_unit_test(test_retry__faults_pause_the_sender),
		cmocka_unit_test(test_retry__a_clock_that_jumped_back),
		cmocka_unit_test(test_retry__lost_connections_in_a_row),
		cmocka_unit_test(test_retry__unknown_answers_in_a_row),
	};
	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
