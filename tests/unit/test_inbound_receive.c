/* what becomes of a mail before its request is looked at: the same bytes again, machines, our own mail, readers that failed */
#include "confirm_rig.h"

/* Takes the same bytes under another UID and acts on them. */
static int64_t receive_again(struct rig *rig, int64_t first, const struct received *received)
{
	struct str raw = STR_INIT;
	struct mail_message message = inbound_message(rig, first);
	message.uid = pool_printf(rig->pool, "again-%" PRId64 "-%" PRId64, first, (int64_t)rig->clock.now);
	message.state = MESSAGE_TAKEN;
	message.filed_uid = "";
	message.review = false;
	message.moved_away_at = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_raw(rig->office.store, first, &raw, &rig_err));
	assert_ok(message_add(rig->office.store, &message, raw.s, raw.len, &rig_err));
	assert_ok(office_receive(&rig->office, &message, received, NULL, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	str_free(&raw);
	assert_int_not_equal(message.same_as, 0);
	return message.id;
}

static void file_message(struct rig *rig, int64_t id)
{
	struct mail_message message = inbound_message(rig, id);
	message.state = MESSAGE_FILED;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_update(rig->office.store, &message, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* ---- the same bytes again ---- */

/* A COPY that was repeated, a UIDVALIDITY that changed: filed like the first, and nothing happens twice. */
static void test_inbound_receive__copy_before_filing(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	int64_t first = confirm_asked(rig, &mail), copy = receive_again(rig, first, &mail);
	assert_int_equal(inbound_request(rig, copy).id, 0);
	assert_int_equal(inbound_message(rig, copy).state, MESSAGE_READ);
	assert_int_equal(inbound_message(rig, copy).folder, FOLDER_DONE);
	assert_int_equal(inbound_message(rig, copy).kind, REQUEST_STOP);
	mail.reading.fields.declaration_id = "";
	int64_t unclear = inbound_receive(rig, &mail);
	copy = receive_again(rig, unclear, &mail);
	assert_int_equal(inbound_message(rig, copy).folder, FOLDER_REVIEW);
	assert_true(inbound_message(rig, copy).review);
	assert_int_equal(inbound_request(rig, unclear).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "confirm-stop>info1@example.co.jp");
	rig_assert_whole(rig);
}

/* Moved back into INBOX by hand: what lay in review is judged anew. */
static void test_inbound_receive__moved_back_from_review(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = confirm_form(rig, REQUEST_STOP, id, STRANGER);
	mail.reading.fields.business_name = "別の名前";
	int64_t first = inbound_receive(rig, &mail);
	file_message(rig, first);
	struct form_values form = rig_app(rig, id).form;
	form.value[FIELD_BUSINESS_NAME] = "別の名前"; /* staff corrected the register meanwhile */
	struct application app = rig_app(rig, id);
	app.form = form;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(
		rig->office.store, &app, applicant_key(&form, rig->pool), "info1@example.co.jp", &rig_err));
	const struct history_row row = {.at = rig->clock.now,
		.application_id = id,
		.event = EVENT_CORRECT,
		.from = app.state,
		.to = app.state,
		.actor = "staff:1000",
		.note = ""};
	assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));

	int64_t second = receive_again(rig, first, &mail);
	assert_true(str_has_prefix(inbound_outcome(rig, first), "declined: 受信箱に戻されたため"));
	assert_int_equal(inbound_request(rig, second).state, REQUEST_STATE_ASKED);
	assert_string_equal(inbound_queued(rig), "confirm-stop>info1@example.co.jp");
	/* And once more, now that it waits: nothing. */
	file_message(rig, second);
	int64_t third = receive_again(rig, second, &mail);
	assert_int_equal(inbound_request(rig, third).id, 0);
	file_message(rig, third);
	assert_int_equal(inbound_request(rig, receive_again(rig, third, &mail)).id, 0);
	assert_int_equal(inbound_request(rig, second).state, REQUEST_STATE_ASKED);
	assert_string_equal(inbound_queued(rig), "confirm-stop>info1@example.co.jp");
	rig_assert_whole(rig);
}

static void test_inbound_receive__moved_back_after_it_was_done(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct received mail = inbound_mail(REQUEST_RESEND, "info1@example.co.jp");
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.notice = "id-notice";
	int64_t first = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, first).state, REQUEST_STATE_DONE);
	(void)rig_send(rig);
	file_message(rig, first);
	int64_t second = receive_again(rig, first, &mail);
	assert_int_equal(inbound_request(rig, second).id, 0);
	assert_int_equal(inbound_message(rig, second).folder, FOLDER_DONE);
	assert_string_equal(inbound_queued(rig), "");
}

/* ---- machines ---- */

static void test_inbound_receive__machines(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct rig_notices all = rig_notices(rig, id);
	for (int i = 0; i < 3; i++) {
		struct received mail =
			inbound_mail(REQUEST_AUTO_REPLY, i == 1 ? STRANGER : "info1@example.co.jp");
		mail.automatic = true;
		mail.answers[0] = i == 2 ? "unknown@example.jp" : all.item[1].message_id;
		mail.answers_count = 1;
		int64_t message = inbound_receive(rig, &mail);
		struct request request = inbound_request(rig, message);
		/* Tied to its case where its writer is the one who was written to. */
		assert_int_equal(request.application_id, i == 0 ? id : 0);
		assert_int_equal(request.id > 0, i == 0);
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
		assert_int_equal(inbound_message(rig, message).kind, REQUEST_AUTO_REPLY);
		assert_false(inbound_message(rig, message).review);
	}
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 0);
	assert_string_equal(inbound_queued(rig), "");
	rig_assert_whole(rig);
}

/* T9: our own mail, come back in whatever way, ends where it came in. */
static void test_inbound_receive__our_own_mail(void **state)
{
	struct rig *rig = *state;
	struct received mail = inbound_mail(REQUEST_ID_ENQUIRY, "security-action-info@sa.example.jp");
	mail.own = true;
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).id, 0);
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
	mail.own = false; /* the mark was lost on the way */
	(void)inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "");
}

/* ---- readers ---- */

static void test_inbound_receive__a_reader_that_failed(void **state)
{
	struct rig *rig = *state;
	int64_t message = inbound_receive(rig, NULL);
	assert_string_equal(inbound_outcome(rig, message),
		"review: メールを読み取れませんでした。原本をご確認ください。");
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_REVIEW);
	assert_int_equal(inbound_message(rig, message).kind, REQUEST_OTHER);
	rig_assert_whole(rig);
}

/* Each reason of the reading has a sentence; several stand side by side, none is lost. */
static void test_inbound_receive__reasons(void **state)
{
	static const struct {
		const char *why, *ja;
	} cases[] = {
		{"Review: no rule knows what it asks for.", "用件を読み取れません。"},
		{"Rule stop-wish(中止). Review: it wishes a stop and a change.",
			"使用中止と登録情報の変更の両方が書かれています。"},
		{"The form a.docx. Review: The declaration ID is missing. Review: the form lies in a mail "
		 "that was "
		 "forwarded.",
			"自己宣言IDが書かれていません。様式が、転送されたメールに添付されています。"},
		{"Review: something that was never said before.", "内容を確かめてください。"},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct reading reading = {.why = cases[i].why};
		assert_string_equal(inbound_reason_ja(&reading, rig->pool), cases[i].ja);
	}
}

/* Moved away by hand from 要確認: it stays open, and says so, once. */
static void test_inbound_receive__moved_away(void **state)
{
	struct rig *rig = *state;
	int64_t message = inbound_receive(rig, NULL);
	file_message(rig, message);
	for (int i = 0; i < 2; i++)
		assert_ok(office_moved_away(&rig->office, message, &rig_err));
	assert_int_equal(inbound_message(rig, message).moved_away_at, rig->clock.now);
	assert_string_equal(inbound_outcome(rig, message),
		"review: "
		"メールを読み取れませんでした。原本をご確認ください。（メールが要確認のフォルダーから移さ"
		"れました。）");
	assert_int_equal(office_moved_away(&rig->office, 999, &rig_err), RC_REFUSED);
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_receive__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(copy_before_filing),
		TEST(moved_back_from_review),
		TEST(moved_back_after_it_was_done),
		TEST(machines),
		TEST(our_own_mail),
		TEST(a_reader_that_failed),
		TEST(reasons),
		TEST(moved_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
