/* T10: answers that say "could not be processed" are forgotten by the guards. Every path that can answer a mail or a form, with the ceiling for each address and day,
 * for strangers in an hour, and for machines none. */
#include "confirm_rig.h"

/* How many letters were ever queued to an address. */
struct letters {
	const char *to;
	int count;
};

static enum rc count_letter(void *ctx, const struct notice *notice, struct err *err)
{
	struct letters *letters = ctx;
	(void)err;
	letters->count += !letters->to || strcmp(letters->to, notice->recipient) == 0;
	return RC_OK;
}

static int letters_to(struct rig *rig, const char *to)
{
	struct letters letters = {.to = to};
	static const enum outbox_state states[] = {OUTBOX_QUEUED, OUTBOX_SENT};
	for (size_t i = 0; i < 2; i++)
		assert_ok(
			outbox_each_in(rig->office.store, states[i], 0, 0, count_letter, &letters, &rig_err));
	return letters.count;
}

/* Whatever can be asked, and whatever can go wrong with it. */
enum path {
	PATH_STOP,
	PATH_RESEND,
	PATH_CHANGE,
	PATH_NEWS,
	PATH_ENQUIRY,
	PATH_NOTHING_KNOWN,
	PATH_UNREADABLE_FORM,
	PATH_USER_NUMBER,
	PATH_ENCRYPTED_ZIP,
	PATHS
};

static struct received mail_of(struct rig *rig, enum path path, const char *from)
{
	static const enum request_kind kinds[PATHS] = {REQUEST_STOP, REQUEST_RESEND, REQUEST_CHANGE,
		REQUEST_NEWS_UNSUBSCRIBE, REQUEST_ID_ENQUIRY, REQUEST_OTHER, REQUEST_STOP, REQUEST_RESEND,
		REQUEST_STOP};
	struct received mail = inbound_mail(kinds[path], from);
	(void)rig;
	switch (path) {
	case PATH_NOTHING_KNOWN:
		mail.reading.review = true;
		mail.reading.wishes = 0;
		break;
	case PATH_UNREADABLE_FORM:
		mail.unreadable = mail.reading.unreadable = "ole";
		mail.reading.review = true;
		break;
	case PATH_ENCRYPTED_ZIP:
		mail.unreadable = mail.reading.unreadable = "zip-encrypted";
		mail.reading.review = true;
		break;
	case PATH_USER_NUMBER:
		mail.reading.fields.user_number = "9000000001";
		break;
	default:
		mail.reading.fields.business_name = "株式会社サンプル1";
		mail.reading.fields.corporate_number = rig_corporate_number(rig->pool, 1);
		mail.reading.fields.prefecture = "東京都";
		break;
	}
	return mail;
}

static void test_trap_10__a_stranger_gets_one_a_day(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_address = 1; answers_per_hour = 1000;");
	(void)confirm_declaration(rig, 1);
	int answered = 0;
	for (int path = 0; path < PATHS; path++) {
		const char *from = pool_printf(rig->pool, "stranger%d@example.com", path);
		for (int day = 0; day < 3; day++) {
			for (int i = 0; i < 6; i++) {
				struct received mail = mail_of(rig, (enum path)path, from);
				(void)inbound_receive(rig, &mail);
			}
			if (letters_to(rig, from) > day + 1)
				fail_msg("path %d: %d letters by day %d", path, letters_to(rig, from),
					day + 1);
			clock_set(&rig->clock, rig->clock.now + 86401);
		}
		answered += letters_to(rig, from) > 0;
	}
	assert_true(answered >= 4); /* there are paths that answer a stranger at all */
}

static void test_trap_10__strangers_together_get_so_many_an_hour(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_address = 5; answers_per_hour = 7;");
	(void)confirm_declaration(rig, 1);
	int before = letters_to(rig, NULL);
	for (int i = 0; i < 60; i++) {
		struct received mail =
			mail_of(rig, (enum path)(i % PATHS), pool_printf(rig->pool, "s%d@example.com", i));
		mail.reading.fields.corporate_number =
			""; /* about nobody: nothing may go to the registered address */
		mail.reading.fields.business_name = "";
		(void)inbound_receive(rig, &mail);
	}
	assert_int_equal(letters_to(rig, NULL) - before, 7);
}

static void test_trap_10__machines_get_none_on_any_path(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_address = 1000; answers_per_hour = 1000;");
	int64_t id = confirm_declaration(rig, 1);
	const char *const senders[] = {
		"robot@example.com", inbound_address(rig, id), "MAILER-DAEMON@example.com"};
	int before = letters_to(rig, NULL);
	for (int path = 0; path < PATHS; path++)
		for (size_t sender = 0; sender < 3; sender++)
			for (int flaw = 0; flaw < 4; flaw++) {
				struct received mail = mail_of(rig, (enum path)path, senders[sender]);
				mail.null_sender = flaw == 0;
				mail.automatic = flaw == 1;
				mail.bulk = flaw == 2;
				mail.own = flaw == 3;
				(void)inbound_receive(rig, &mail);
				if (letters_to(rig, NULL) != before)
					fail_msg("path %d, sender %s, flaw %d: %s", path, senders[sender],
						flaw, inbound_queued(rig));
			}
	(void)inbound_receive(rig, NULL); /* nor a mail whose reader failed */
	assert_int_equal(letters_to(rig, NULL), before);
}

/* To the registered address too: each wish its confirmation or letters, and no more of them than the settings say. */
static void test_trap_10__the_registered_address_has_a_ceiling(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "resends_per_day = 2; answers_per_address = 1;");
	int64_t id = confirm_declaration(rig, 1);
	const char *address = inbound_address(rig, id);
	int before = letters_to(rig, address);
	for (int i = 0; i < 40; i++) {
		struct received mail = mail_of(rig, (enum path)(i % PATHS), address);
		mail.reading.fields.declaration_id = inbound_id(rig, id);
		(void)inbound_receive(rig, &mail);
	}
	assert_in_range(letters_to(rig, address) - before, 1, 12);
	rig_assert_whole(rig);
}

/* The answer to a form that was refused is a complaint as well: one a day and address. */
static void test_trap_10__refused_forms(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "notify_refused = true;");
	struct finding finding = {.field = FIELD_PLEDGE,
		.code = FINDING_PLEDGE,
		.severity = SEVERITY_REFUSE,
		.value = "",
		.message_ja = "誓約がありません。",
		.remedy_ja = "「誓約する」を選んでください。"};
	struct findings findings = {&finding, 1};
	for (int day = 1; day <= 3; day++) {
		for (int i = 0; i < 20; i++) {
			struct form_values form = rig_form(rig, i);
			form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "victim@example.com";
			assert_ok(store_begin(rig->office.store, &rig_err));
			assert_ok(office_answer_refused(&rig->office, &form, &findings, &rig_err));
			assert_ok(store_commit(rig->office.store, &rig_err));
		}
		assert_int_equal(letters_to(rig, "victim@example.com"), day);
		clock_set(&rig->clock, rig->clock.now + 86400);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_10__a_stranger_gets_one_a_day, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_10__strangers_together_get_so_many_an_hour, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_10__machines_get_none_on_any_path, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_10__the_registered_address_has_a_ceiling, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_10__refused_forms, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
