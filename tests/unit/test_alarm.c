/* Alarms: told when a check turns bad and when it is good again, under a ceiling, and never a second time. */
#include "inbound_rig.h"

#include "lib/desk/digest.h"

#define TWO                                                                                                  \
	"desk_mail = ( \"desk@sa.example.jp\" ); alarm_mail = ( \"a@sa.example.jp\", \"b@sa.example.jp\" "   \
	");\n"

static int setup(void **state)
{
	int rc = rig_setup(state);
	rig_configure(*state, TWO);
	return rc;
}

static void set_fact(struct rig *rig, const char *name, const char *value)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(fact_set(rig->office.store, name, value, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* The mailbox can't be read, or can again: a check that is not about sending. */
static void mailbox(struct rig *rig, bool works)
{
	set_fact(rig, "mailbox.fault", works ? NULL : "the mailbox refused the password");
	set_fact(rig, "mailbox.fault_ja", works ? NULL : "メールボックスにログインできません");
	set_fact(rig, "mailbox.fetched_at", "1780000000");
}

static int alarms(struct rig *rig)
{
	struct tally tally;
	struct pool *pool = pool_new();
	int queued = -1;
	assert_ok(tally_make(&rig->office, 1, &tally, pool, &rig_err));
	assert_ok(alarms_send(&rig->office, &tally, &queued, &rig_err));
	pool_free(&pool);
	return queued;
}

/* The newest mail of the outbox. */
static const char *last_mail(struct rig *rig)
{
	struct inbound_queue queue = inbound_queue(rig);
	assert_true(queue.count > 0);
	return rig_text(rig, queue.item[queue.count - 1].id);
}

static void assert_says(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in: %s", part, text);
}

static void test_alarm__bad_then_good(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(alarms(rig), 0);
	mailbox(rig, false);
	assert_int_equal(alarms(rig), 2); /* to both of alarm_mail, not to the desk */
	struct inbound_queue queue = inbound_queue(rig);
	assert_int_equal(queue.count, 2);
	assert_string_equal(queue.item[0].recipient, "a@sa.example.jp");
	assert_string_equal(queue.item[1].recipient, "b@sa.example.jp");
	assert_string_equal(queue.item[0].template_name, "alarm");
	assert_true(queue.item[0].application_id == 0 && queue.item[0].stage == STAGE_NONE);
	assert_says(last_mail(rig), "異常のお知らせ");
	assert_says(last_mail(rig), "【異常】fetch：メールボックスにログインできません");
	/* Told once. */
	clock_set(&rig->clock, rig->clock.now + 600);
	assert_int_equal(alarms(rig), 0);
	mailbox(rig, true);
	assert_int_equal(alarms(rig), 2);
	assert_says(last_mail(rig), "復旧のお知らせ");
	assert_says(last_mail(rig), "【復旧】fetch");
	assert_says(last_mail(rig), "2026-06-01 10:00 から");
	assert_int_equal(alarms(rig), 0);
	rig_send(rig);
	rig_assert_whole(rig);
}

static void test_alarm__to_the_desk_where_nobody_else_is_named(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "desk_mail = ( \"desk@sa.example.jp\" );");
	mailbox(rig, false);
	assert_int_equal(alarms(rig), 1);
	assert_string_equal(inbound_queue(rig).item[0].recipient, "desk@sa.example.jp");
	rig_configure(rig, "");
	mailbox(rig, true);
	assert_int_equal(alarms(rig), 0); /* the journal alone */
}

/* A server that is down: the letter would only wait. */
static void test_alarm__about_sending_is_told_afterwards(void **state)
{
	struct rig *rig = *state;
	set_fact(rig, "sender.fault", "the mail server can't be reached");
	set_fact(rig, "sender.fault_ja", "メールサーバーに接続できません");
	assert_int_equal(alarms(rig), 0);
	clock_set(&rig->clock, rig->clock.now + 1800);
	assert_int_equal(alarms(rig), 0);
	set_fact(rig, "sender.fault", NULL);
	set_fact(rig, "sender.fault_ja", NULL);
	assert_int_equal(alarms(rig), 2);
	assert_says(last_mail(rig), "【復旧】server");
	assert_says(last_mail(rig), "2026-06-01 10:00 から");
}

static void test_alarm__ceiling(void **state)
{
	struct rig *rig = *state;
	int mails = 0;
	rig_configure(rig, TWO "alarms_per_hour = 2;");
	for (int i = 0; i < 6; i++) {
		mailbox(rig, i % 2);
		mails += alarms(rig);
		clock_set(&rig->clock, rig->clock.now + 60);
	}
	assert_int_equal(mails, 4); /* two letters to two people */
	assert_int_equal(alarms(rig), 0);
	/* An hour later there is room, and what was held is told in numbers. */
	clock_set(&rig->clock, rig->clock.now + 3600);
	assert_int_equal(alarms(rig), 2);
	assert_says(last_mail(rig), "4件の変化をメールにしませんでした");
	assert_int_equal(alarms(rig), 0);
	/* The digest tells as well, once. */
	struct tally tally;
	struct str subject = STR_INIT, text = STR_INIT, html = STR_INIT;
	int queued;
	assert_ok(tally_make(&rig->office, 2, &tally, rig->pool, &rig_err));
	assert_ok(digest_make(&rig->office, &tally, &subject, &text, &html, &rig_err));
	assert_says(text.s, "異常のお知らせのうち4件は");
	assert_ok(digest_send(&rig->office, &queued, &rig_err));
	assert_int_equal(queued, 1);
	str_clear(&text);
	assert_ok(digest_make(&rig->office, &tally, &subject, &text, &html, &rig_err));
	assert_null(strstr(text.s, "異常のお知らせのうち"));
	str_free(&subject);
	str_free(&text);
	str_free(&html);
}

/* A server that is down for days does not get all of its alarms at once when it is back. */
static void test_alarm__ceiling_of_what_waits(void **state)
{
	struct rig *rig = *state;
	int mails = 0;
	rig_configure(rig, TWO "alarms_per_hour = 2;");
	set_fact(rig, "sender.fault_ja", "メールサーバーに接続できません");
	for (int i = 0; i < 48; i++) {
		mailbox(rig, i % 2);
		mails += alarms(rig);
		clock_set(&rig->clock, rig->clock.now + 3600);
	}
	assert_int_equal(mails, 4); /* two letters to two people */
	set_fact(rig, "sender.fault_ja", NULL);
	assert_int_equal(alarms(rig), 2);
	assert_says(last_mail(rig), "【復旧】server");
	assert_says(last_mail(rig), "46件の変化をメールにしませんでした");
	assert_int_equal(alarms(rig), 0);
}

static void test_alarm__what_goes_on_stands_in_the_next_one(void **state)
{
	struct rig *rig = *state;
	mailbox(rig, false);
	assert_int_equal(alarms(rig), 2);
	clock_set(&rig->clock, rig->clock.now + 3600);
	set_fact(rig, "books.result",
		"1780000000 3 5 "
		"00000000000000000000000000000000000000000000000000000000000000aa");
	assert_int_equal(alarms(rig), 2);
	assert_says(last_mail(rig), "【異常】books");
	assert_says(last_mail(rig), "続いている異常");
	assert_says(last_mail(rig), "・fetch");
}

static void test_alarm__a_check_that_is_gone_is_forgotten(void **state)
{
	struct rig *rig = *state;
	set_fact(rig, "alarms.bad", "credential:dkim old\t1780000000\n");
	assert_int_equal(alarms(rig), 0);
	struct str value = STR_INIT;
	assert_ok(fact_get(rig->office.store, "alarms.bad", &value, &rig_err));
	assert_string_equal(value.s, "");
	str_free(&value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_alarm__bad_then_good, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_alarm__to_the_desk_where_nobody_else_is_named, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_alarm__about_sending_is_told_afterwards, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_alarm__ceiling, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_alarm__ceiling_of_what_waits, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_alarm__what_goes_on_stands_in_the_next_one, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_alarm__a_check_that_is_gone_is_forgotten, setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
