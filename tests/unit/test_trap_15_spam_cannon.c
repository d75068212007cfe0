/* T15: the receipt as a spam cannon. Links and slogans in the names, a stranger's address in the mail field, many rows to one address: as intake registers them. */
#include "office_rig.h"

#include "lib/form/validate.h"

#define ROWS 60

/* Validated against what is on file and registered, as intake does it. false: the row was refused. */
static bool drop_row(struct rig *rig, const struct form_values *form, int64_t *id, bool *review)
{
	struct form_values out;
	struct findings findings;
	const struct form_record record = {.record = 1, .form = *form};
	struct validate_rules rules = office_rules(&rig->office, rig->clock.now);
	struct registry registry = office_registry(&rig->office);
	assert_ok(store_begin(rig->office.store, &rig_err));
	validate(&out, &findings, &record, rig->settings->fieldmap, &rules, &registry, rig->pool);
	bool good = !findings_refuse(&findings);
	if (good) {
		assert_ok(office_register(&rig->office, &out, &findings, 0, 1, id, review, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
	} else {
		store_rollback(rig->office.store);
	}
	return good;
}

static struct form_values row_of(struct rig *rig, int n)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_KIND] = "新規に【★一つ星】を申し込む";
	form.value[FIELD_PURPOSE] = "その他";
	form.value[FIELD_PLEDGE] = "誓約する";
	form.value[FIELD_TYPE] = "法人";
	form.value[FIELD_NEWS] = "希望しない";
	form.value[FIELD_PRIVACY] = form.value[FIELD_TERMS] = "同意する";
	form.value[FIELD_POSTAL_CODE] = "100-0001";
	form.value[FIELD_TELEPHONE] = "03-0000-0000";
	form.value[FIELD_EMPLOYEES] = "35";
	form.value[FIELD_INDUSTRY] = "食料品製造業";
	form.value[FIELD_ASSOCIATION] = "所属していない";
	return form;
}

static void test_trap_15__links_in_names(void **state)
{
	static const char *const names[] = {"当選おめでとうございます http://evil.example.net/win",
		"今すぐ www.evil.example.net へ", "ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ．ｎｅｔ",
		"問合せは evil@example.net まで", "<a href=\"//evil.example.net\">開く</a>",
		"http://evil.example.net"};
	static const enum form_field fields[] = {
		FIELD_BUSINESS_NAME, FIELD_CONTACT, FIELD_FAMILY_NAME, FIELD_GIVEN_NAME, FIELD_ADDRESS};
	struct rig *rig = *state;
	struct form_values plain = row_of(rig, 1);
	int64_t id;
	bool review;
	assert_true(drop_row(rig, &plain, &id, &review)); /* the row itself is good */
	assert_false(review);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 1);
	int n = 2, held = 0;
	for (size_t f = 0; f < sizeof fields / sizeof *fields; f++)
		for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
			struct form_values form = row_of(rig, n++);
			form.value[fields[f]] = names[i];
			if (!drop_row(rig, &form, &id, &review))
				continue;
			if (fields[f] == FIELD_ADDRESS && strchr(names[i], '@'))
				continue; /* 所在地 is printed in no letter */
			if (!review)
				fail_msg("%s in %s: no person looks", names[i], form_field_key(fields[f]));
			held++;
		}
	rig_run_days(rig, 30);
	assert_true(held > 15);
	/* Whatever day comes: not one mail to any of them. */
	for (int64_t i = 2; i <= id; i++)
		if (rig_app(rig, i).hold == HOLD_REVIEW)
			assert_int_equal(rig_notices(rig, i).count, 0);
	rig_assert_whole(rig);
}

static enum rc count_to(void *ctx, const struct notice *notice, struct err *err)
{
	int *count = ctx;
	(void)err;
	*count += strcmp(notice->recipient, "victim@example.com") == 0;
	return RC_OK;
}

/* Sixty businesses that never were, one stranger's address. */
static void test_trap_15__many_rows_to_one_address(void **state)
{
	struct rig *rig = *state;
	int reviews = 0, sent = 0;
	for (int i = 0; i < ROWS; i++) {
		struct form_values form = row_of(rig, i + 1);
		int64_t id;
		bool review = false;
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] =
			i % 2 ? "victim@example.com" : "Victim@EXAMPLE.com";
		assert_true(drop_row(rig, &form, &id, &review));
		reviews += review;
	}
	rig_run_days(rig, 30);
	assert_ok(outbox_each_in(rig->office.store, OUTBOX_SENT, 0, 0, count_to, &sent, &rig_err));
	assert_int_equal(reviews, ROWS - rig->settings->proxy_max);
	assert_true(sent <= 3 * rig->settings->proxy_max);
	rig_assert_whole(rig);
}

/* And to many addresses: no more receipts in a day than the ceiling, then the question. */
static void test_trap_15__many_addresses(void **state)
{
	struct rig *rig = *state;
	struct office_holds holds;
	rig_configure(rig, "receipt_ceiling = 20;");
	for (int i = 0; i < ROWS; i++) {
		struct form_values form = row_of(rig, i + 1);
		int64_t id;
		bool review;
		assert_true(drop_row(rig, &form, &id, &review));
	}
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 20);
	assert_ok(office_holds(&rig->office, &holds, &rig_err));
	assert_true(holds.at_once.asked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_15__links_in_names, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_15__many_rows_to_one_address, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_15__many_addresses, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
