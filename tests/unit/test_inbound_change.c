/* 登録情報の変更 by mail: what may change, what is asked, of whom, and what is written */
#include "confirm_rig.h"

struct row {
	const char *item, *old, *new_value;
};

/* A change form with one row, or several. */
static struct received change_form(
	struct rig *rig, int64_t id, const char *from, const struct row *row, size_t count)
{
	struct received mail = confirm_form(rig, REQUEST_CHANGE, id, from);
	struct sheet_change *change = pool_alloc(rig->pool, count * sizeof *change);
	for (size_t i = 0; i < count; i++)
		change[i] = (struct sheet_change){row[i].item, row[i].old, row[i].new_value};
	mail.reading.fields.change = change;
	mail.reading.fields.change_count = count;
	return mail;
}

static const char *value_of(struct rig *rig, int64_t id, enum form_field field)
{
	const char *value = rig_app(rig, id).form.value[field];
	return value ? value : "";
}

static void confirm(struct rig *rig, const char *from, const char *template_name)
{
	const char *token = confirm_token(rig, template_name);
	(void)rig_send(rig);
	struct received reply = confirm_reply(from, token);
	(void)inbound_receive(rig, &reply);
}

/* ---- carried out ---- */

static void test_inbound_change__what_may_change(void **state)
{
	static const struct {
		struct row row;
		enum form_field field;
		const char *after, *line; /* in the letters */
	} cases[] = {
		{{"電話番号", "", "０３－０００１－０００２"}, FIELD_TELEPHONE, "03-0001-0002",
			"電話番号：03-0001-0002"},
		{{"TEL", "", "03-0001-0003"}, FIELD_TELEPHONE, "03-0001-0003", "電話番号：03-0001-0003"},
		{{"担当者名", "見本 花子", "例示 次郎"}, FIELD_CONTACT, "例示 次郎", "担当者名：例示 次郎"},
		{{"郵便番号", "", "〒100-0001"}, FIELD_POSTAL_CODE, "100-0001", "郵便番号：100-0001"},
		{{"所在地", "東京都見本区例示町1-2-3", "大阪府見本市例示4-5-6"}, FIELD_ADDRESS,
			"見本市例示4-5-6", "見本市例示4-5-6"},
		{{"住所", "", "北海道例示市1-1"}, FIELD_PREFECTURE, "北海道", "都道府県：北海道"},
		{{"代表者名", "見本太郎", "代表取締役 例示 三郎"}, FIELD_GIVEN_NAME, "三郎", "例示"},
		{{"事業者名", "（株）サンプル１", "株式会社見本商事"}, FIELD_BUSINESS_NAME,
			"株式会社見本商事", "株式会社見本商事"},
		{{"従業員数", "", "25"}, FIELD_EMPLOYEES, "25", "従業員数：25"},
	};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct form_values before = rig_app(rig, id).form;
		struct row row = cases[i].row;
		struct received mail = change_form(rig, id, STRANGER, &row, 1);
		int64_t asked = inbound_receive(rig, &mail);
		if (inbound_request(rig, asked).state != REQUEST_STATE_ASKED)
			fail_msg("%s: %s", row.item, inbound_outcome(rig, asked));
		if (!strstr(inbound_text(rig, "confirm-change"), cases[i].line))
			fail_msg("%s: %s", row.item, inbound_text(rig, "confirm-change"));
		struct form_values waiting = rig_app(rig, id).form;
		for (int f = 0; f < FIELD_COUNT; f++)
			assert_string_equal(waiting.value[f] ? waiting.value[f] : "",
				before.value[f] ? before.value[f] : "");
		confirm(rig, "info1@example.co.jp", "confirm-change");
		if (inbound_request(rig, asked).state != REQUEST_STATE_DONE)
			fail_msg("%s: %s", row.item, inbound_outcome(rig, asked));
		assert_string_equal(value_of(rig, id, cases[i].field), cases[i].after);
		assert_string_equal(inbound_queued(rig), "changed>info1@example.co.jp");
		assert_non_null(strstr(inbound_text(rig, "changed"), cases[i].line));
		(void)rig_send(rig);
		clock_set(&rig->clock, rig->clock.now + 86400);
	}
	assert_int_equal(rig_count_events(rig, id, EVENT_CORRECT), (int)(sizeof cases / sizeof *cases));
	assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* Several rows of one form are one change, or none. */
static void test_inbound_change__several_rows(void **state)
{
	static const struct row rows[] = {{"電話番号", "", "03-0001-0002"},
		{"担当者名", "見本 花子", "例示 次郎"}, {"所在地", "", "大阪府見本市1-1"}};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, "info1@example.co.jp", rows, 3);
	int64_t asked = confirm_asked(rig, &mail);
	confirm(rig, "info1@example.co.jp", "confirm-change");
	assert_string_equal(inbound_outcome(rig, asked),
		"done: 担当者名、都道府県、市区町村・番地、電話番号を変更しました。");
	assert_string_equal(value_of(rig, id, FIELD_TELEPHONE), "03-0001-0002");
	assert_string_equal(value_of(rig, id, FIELD_CONTACT), "例示 次郎");
	assert_string_equal(value_of(rig, id, FIELD_PREFECTURE), "大阪府");
	assert_int_equal(rig_count_events(rig, id, EVENT_CORRECT), 1);
	rig_assert_whole(rig);
}

/* ---- a new contact address ---- */

static const struct row new_address = {"メールアドレス", "info1@example.co.jp", "new@example.co.jp"};

static void test_inbound_change__both_addresses_agree(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, "new@example.co.jp", &new_address, 1);
	int64_t asked = confirm_asked(rig, &mail);
	assert_string_equal(inbound_queued(rig), "confirm-change>info1@example.co.jp");
	confirm(rig, "info1@example.co.jp", "confirm-change");
	/* Now the new one is asked, in words that name nobody; nothing has changed yet. */
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_ASKED);
	assert_string_equal(inbound_queued(rig), "confirm-address>new@example.co.jp");
	const char *letter = inbound_text(rig, "confirm-address");
	assert_null(strstr(letter, "サンプル"));
	assert_null(strstr(letter, inbound_id(rig, id)));
	assert_string_equal(value_of(rig, id, FIELD_MAIL), "info1@example.co.jp");
	confirm(rig, "new@example.co.jp", "confirm-address");
	assert_string_equal(inbound_outcome(rig, asked), "done: 担当者メールアドレスを変更しました。");
	assert_string_equal(value_of(rig, id, FIELD_MAIL), "new@example.co.jp");
	assert_string_equal(value_of(rig, id, FIELD_MAIL_CONFIRM), "new@example.co.jp");
	/* Who loses the contact hears of it too. */
	assert_string_equal(inbound_queued(rig), "changed>info1@example.co.jp changed>new@example.co.jp");
	(void)rig_send(rig);
	rig_run_days(rig, 14);
	struct rig_notices all = rig_notices(rig, id);
	assert_string_equal(all.item[all.count - 1].template_name, "logo");
	assert_string_equal(all.item[all.count - 1].recipient, "new@example.co.jp");
	int count = 0;
	int64_t found[2];
	assert_ok(application_by_mail(rig->office.store, "new@example.co.jp", found, 2, &count, &rig_err));
	assert_int_equal(count, 1);
	rig_assert_whole(rig);
}

static enum outcome full(const struct notice *notice)
{
	return strcmp(notice->recipient, "info1@example.co.jp") == 0 &&
			       strcmp(notice->template_name, "logo") == 0
		       ? OUTCOME_TEMPORARY
		       : OUTCOME_ACCEPTED;
}

/* A notice that the old mailbox does not take goes to the new one, and the cadence goes on from there. */
static void test_inbound_change__what_waits_goes_to_the_new_address(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	rig->answer = full;
	rig_run_until(rig, rig_at(2026, 6, 17, 10, 0));
	assert_non_null(strstr(rig_outbox(rig, id), "logo/queued"));
	struct received mail = change_form(rig, id, STRANGER, &new_address, 1);
	int64_t message = inbound_receive(rig, &mail);
	const char *why_ja;
	assert_ok(office_resolve(&rig->office, inbound_request(rig, message).id, REQUEST_CARRY_OUT, 0,
		CIVIL_DAY_NONE, "電話", "staff:1000", &why_ja, rig->pool, &rig_err));
	assert_non_null(strstr(rig_outbox(rig, id), "logo/cancelled"));
	rig_run_days(rig, 1);
	struct rig_notices all = rig_notices(rig, id);
	int logos = 0;
	for (int i = 0; i < all.count; i++) {
		const struct notice *notice = &all.item[i];
		if (strcmp(notice->template_name, "logo") != 0 || notice->state != OUTBOX_SENT)
			continue;
		assert_string_equal(notice->recipient, "new@example.co.jp");
		logos++;
	}
	assert_int_equal(logos, 1);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_int_not_equal(rig_app(rig, id).previous_sent_at, 0);
	rig_assert_whole(rig);
}

/* Whoever lets one of the two agree for the other gets nowhere. */
static void test_inbound_change__one_address_does_not_speak_for_the_other(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, "new@example.co.jp", &new_address, 1);
	int64_t asked = confirm_asked(rig, &mail);
	confirm(rig, "new@example.co.jp", "confirm-change");
	assert_true(
		str_has_prefix(inbound_outcome(rig, asked), "review: 確認のメールへの返信が、送付先とは別"));
	assert_string_equal(inbound_queued(rig), "");

	id = confirm_declaration(rig, 2);
	struct row row = {"メールアドレス", "", "new2@example.co.jp"};
	mail = change_form(rig, id, STRANGER, &row, 1);
	asked = confirm_asked(rig, &mail);
	confirm(rig, "info2@example.co.jp", "confirm-change");
	confirm(rig, "info2@example.co.jp", "confirm-address");
	assert_true(
		str_has_prefix(inbound_outcome(rig, asked), "review: 確認のメールへの返信が、送付先とは別"));
	assert_string_equal(value_of(rig, id, FIELD_MAIL), "info2@example.co.jp");
}

/* The registered address answers twice: the new one still has to. */
static void test_inbound_change__the_first_token_again(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, STRANGER, &new_address, 1);
	int64_t asked = confirm_asked(rig, &mail);
	struct received reply = confirm_reply("info1@example.co.jp", confirm_token(rig, "confirm-change"));
	(void)rig_send(rig);
	(void)inbound_receive(rig, &reply);
	(void)rig_send(rig);
	(void)inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_ASKED);
	assert_string_equal(inbound_queued(rig), "");
	assert_string_equal(value_of(rig, id, FIELD_MAIL), "info1@example.co.jp");
	clock_set(&rig->clock, inbound_request(rig, asked).due_at);
	confirm_run_requests(rig);
	assert_true(str_has_prefix(inbound_outcome(rig, asked), "review: 期限までに"));
}

/* Aligned DKIM stands for the registered address, not for the new one. */
static void test_inbound_change__aligned_dkim(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "trust_aligned_dkim = true;");
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, "info1@example.co.jp", &new_address, 1);
	int64_t asked = confirm_asked(rig, &mail);
	assert_string_equal(inbound_queued(rig), "confirm-address>new@example.co.jp");
	confirm(rig, "new@example.co.jp", "confirm-address");
	assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_DONE);
	assert_int_equal(inbound_request(rig, asked).proof, PROOF_DKIM);
	struct row row = {"電話番号", "", "03-0001-0002"};
	mail = change_form(rig, id, "new@example.co.jp", &row, 1);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_DONE);
}

/* ---- for a person ---- */

static void test_inbound_change__doubts(void **state)
{
	static const struct {
		struct row row;
		const char *outcome;
	} cases[] = {
		{{"電話番号", "03-9999-9999", "03-0001-0002"},
			"review: 「電話番号」の変更前の内容が、登録と違います。"},
		{{"担当者名", "別人 花子", "例示 次郎"},
			"review: 「担当者名」の変更前の内容が、登録と違います。"},
		{{"所在地", "大阪府見本区例示町1-2-3", "東京都見本市1"},
			"review: 「都道府県」の変更前の内容が"},
		{{"代表者名", "見本 次郎", "例示 三郎"}, "review: 「代表者（姓）」の変更前の内容が"},
		{{"電話番号", "", ""}, "review: 「電話番号」の変更後の内容が書かれていません。"},
		{{"好きな色", "", "赤"}, "review: 変更する項目「好きな色」が"},
		{{"法人番号", "", "7010705000725"}, "review: 「法人番号」の変更は、職員の判断が必要です。"},
		{{"宣言の内容", "", "二つ星"}, "review: 「宣言の内容"},
		{{"所在地", "", "見本市1-1"}, "review: 所在地の変更ですが、都道府県が書かれていません。"},
		{{"メールアドレス", "", "これはアドレスではない"}, "review: 担当者メールアドレス："},
		{{"担当者名", "", "例示\nBcc: other@example.com"}, "review: 担当者名：「担当者名」に改行"},
		{{"担当者名", "", "www.example.com/今すぐ"}, "review: 担当者名：「担当者名」にURL"},
		{{"担当者名", "見本 花子", "見本 花子"},
			"review: 登録内容と同じで、変更する項目がありません。"},
		{{"処理", "", "許可"}, "review: 変更する項目「処理」が"},
	};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct received mail = change_form(rig, id, "info1@example.co.jp", &cases[i].row, 1);
		int64_t message = inbound_receive(rig, &mail);
		if (!str_has_prefix(inbound_outcome(rig, message), cases[i].outcome))
			fail_msg("%s %s: %s", cases[i].row.item, cases[i].row.new_value,
				inbound_outcome(rig, message));
		assert_string_equal(inbound_queued(rig), "");
	}
	struct received mail = change_form(rig, id, STRANGER, NULL, 0);
	assert_string_equal(inbound_outcome(rig, inbound_receive(rig, &mail)),
		"review: 変更する項目が書かれていません。");
	assert_int_equal(rig_count_events(rig, id, EVENT_CORRECT), 0);
	rig_assert_whole(rig);
}

/* One row of several that can't be taken stops them all. */
static void test_inbound_change__all_rows_or_none(void **state)
{
	static const struct row rows[] = {
		{"電話番号", "", "03-0001-0002"}, {"法人番号", "", "7010705000725"}};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, STRANGER, rows, 2);
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(value_of(rig, id, FIELD_TELEPHONE), "");
}

/* Two sole proprietors become one: the second live declaration of a business is refused, at asking and at carrying out. */
static void test_inbound_change__duplicate(void **state)
{
	struct rig *rig = *state;
	int64_t id[2];
	for (int i = 0; i < 2; i++) {
		struct form_values form = rig_form(rig, i + 1);
		form.value[FIELD_TYPE] = "sole";
		form.value[FIELD_CORPORATE_NUMBER] = "";
		form.value[FIELD_BUSINESS_NAME] = i ? "例示商店" : "見本商店";
		id[i] = rig_register(rig, &form);
	}
	rig_run_days(rig, 11);
	struct row row = {"屋号", "見本商店", "例示商店"};
	struct received mail = change_form(rig, id[0], STRANGER, &row, 1);
	assert_true(str_has_prefix(inbound_outcome(rig, inbound_receive(rig, &mail)),
		"review: 変更すると、ほかの有効な宣言と同じ事業者"));

	struct row third = {"屋号", "見本商店", "第三商店"};
	mail = change_form(rig, id[0], STRANGER, &third, 1);
	int64_t asked = confirm_asked(rig, &mail);
	struct form_values form = rig_form(rig, 3);
	form.value[FIELD_TYPE] = "sole";
	form.value[FIELD_CORPORATE_NUMBER] = "";
	form.value[FIELD_BUSINESS_NAME] = "第三商店"; /* comes in while the answer is awaited */
	(void)rig_register(rig, &form);
	struct received reply = confirm_reply("info1@example.co.jp", confirm_token(rig, "confirm-change"));
	(void)inbound_receive(rig, &reply);
	assert_true(str_has_prefix(
		inbound_outcome(rig, asked), "review: 変更すると、ほかの有効な宣言と同じ事業者"));
	assert_string_equal(value_of(rig, id[0], FIELD_BUSINESS_NAME), "見本商店");
	rig_assert_whole(rig);
}

/* A step-up that runs is the same declaration: it changes along. */
static void test_inbound_change__a_running_step_up(void **state)
{
	struct rig *rig = *state;
	int64_t star = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_KIND] = "step";
	form.value[FIELD_DECLARATION_ID] = inbound_id(rig, star);
	int64_t step_up = rig_register(rig, &form);
	struct row row = {"担当者名", "", "例示 次郎"};
	struct received mail = change_form(rig, star, STRANGER, &row, 1);
	(void)rig_turn(rig);
	(void)confirm_asked(rig, &mail);
	confirm(rig, "info1@example.co.jp", "confirm-change");
	assert_string_equal(value_of(rig, star, FIELD_CONTACT), "例示 次郎");
	assert_string_equal(value_of(rig, step_up, FIELD_CONTACT), "例示 次郎");
	assert_string_equal(value_of(rig, step_up, FIELD_KIND), "step");
	rig_assert_whole(rig);
}

/* What is on file when it is carried out decides, not what was when it was asked. */
static void test_inbound_change__stopped_meanwhile(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct row row = {"担当者名", "", "例示 次郎"};
	struct received mail = change_form(rig, id, STRANGER, &row, 1);
	int64_t asked = confirm_asked(rig, &mail);
	const char *why_ja, *token = confirm_token(rig, "confirm-change");
	assert_ok(office_stop(
		&rig->office, id, CIVIL_DAY_NONE, "電話", "staff:1000", &why_ja, rig->pool, &rig_err));
	struct received reply = confirm_reply("info1@example.co.jp", token);
	(void)inbound_receive(rig, &reply);
	assert_string_equal(inbound_outcome(rig, asked), "review: この宣言は、すでに有効ではありません。");
	assert_string_equal(value_of(rig, id, FIELD_CONTACT), "見本 花子");
}

/* Whichever write of it fails, nothing was changed and nobody told. */
static void test_inbound_change__all_or_nothing(void **state)
{
	static const char *const writes[] = {"UPDATE ON application_payload", "UPDATE ON application",
		"INSERT ON history", "INSERT ON outbox", "UPDATE ON request", "INSERT ON answer"};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = change_form(rig, id, STRANGER, &new_address, 1);
	int64_t message = inbound_receive(rig, &mail);
	const char *why_ja, *history = rig_history(rig, id), *outbox = rig_outbox(rig, id);
	int64_t request = inbound_request(rig, message).id;
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		confirm_fault(rig, writes[i]);
		enum rc rc = office_resolve(&rig->office, request, REQUEST_CARRY_OUT, 0, CIVIL_DAY_NONE,
			"電話", "staff:1000", &why_ja, rig->pool, &rig_err);
		confirm_fault(rig, NULL);
		if (rc != RC_STORE)
			fail_msg("%s: %s", writes[i], rc_name(rc));
		assert_string_equal(value_of(rig, id, FIELD_MAIL), "info1@example.co.jp");
		assert_string_equal(rig_history(rig, id), history);
		assert_string_equal(rig_outbox(rig, id), outbox);
		assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	}
	assert_ok(office_resolve(&rig->office, request, REQUEST_CARRY_OUT, 0, CIVIL_DAY_NONE, "電話",
		"staff:1000", &why_ja, rig->pool, &rig_err));
	assert_string_equal(value_of(rig, id, FIELD_MAIL), "new@example.co.jp");
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_change__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_may_change),
		TEST(several_rows),
		TEST(both_addresses_agree),
		TEST(what_waits_goes_to_the_new_address),
		TEST(one_address_does_not_speak_for_the_other),
		TEST(the_first_token_again),
		TEST(aligned_dkim),
		TEST(doubts),
		TEST(all_rows_or_none),
		TEST(duplicate),
		TEST(a_running_step_up),
		TEST(stopped_meanwhile),
		TEST(all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
