#include "inbound_rig.h"

#define STRANGER "stranger@example.com"
#define ASKED                                                                                                \
	"review: "                                                                                           \
	"添付の書類を読み取れません（%s）。Word形式での再送をお願いするメールを、差出人にお送りしました。"
#define SILENT "review: 添付の書類を読み取れません（%s）。再送のお願いは、お送りしていません。"

/* A stop by words, with a form that can't be read. */
static struct received unreadable_mail(const char *from, const char *kind)
{
	struct received mail = inbound_mail(REQUEST_STOP, from);
	mail.reading.review = true;
	mail.unreadable = kind;
	return mail;
}

/* One letter asks for the plain Word file; the request stays in review. */
static void test_request_unreadable__one_letter(void **state)
{
	static const struct {
		const char *kind, *name_ja;
	} each[] = {
		{"ole", "古い形式のWord・Excelファイル"},
		{"pdf", "PDF"},
		{"image", "画像"},
		{"zip-encrypted", "暗号化されたZIPファイル"},
		{"tnef", "winmail.dat"},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		struct received mail = unreadable_mail(STRANGER, each[i].kind);
		int64_t message = inbound_receive(rig, &mail);
		assert_string_equal(inbound_queued(rig), "readable-form>stranger@example.com");
		assert_string_equal(
			inbound_outcome(rig, message), pool_printf(rig->pool, ASKED, each[i].name_ja));
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_REVIEW);
		assert_int_equal(inbound_request(rig, message).kind, REQUEST_STOP);
		(void)rig_turn(rig);
		rig_run_days(rig, 2);
	}
}

/* Not twice to one person in a day, whatever he sends. */
static void test_request_unreadable__once_a_day(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_address = 10;");
	struct received mail = unreadable_mail(STRANGER, "pdf");
	(void)inbound_receive(rig, &mail);
	mail.unreadable = "ole";
	mail.reading.kind = REQUEST_CHANGE;
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "readable-form>stranger@example.com");
	assert_string_equal(inbound_outcome(rig, message),
		pool_printf(rig->pool, SILENT, "古い形式のWord・Excelファイル"));
	rig_run_days(rig, 2);
	message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "readable-form>stranger@example.com");
}

/* A registered sender needs no proof. Nothing says that the form is about his declaration. */
static void test_request_unreadable__from_a_registered_address(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	struct received mail = unreadable_mail("info1@example.co.jp", "pdf");
	mail.authres = (struct authres){0};
	int64_t message = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "readable-form>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, message).application_id, 0);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	const char *text = inbound_text(rig, "readable-form");
	assert_null(strstr(text, inbound_id(rig, id)));
	assert_null(strstr(text, "サンプル"));
}

/* Where the guard says no, the request waits in silence. */
static void test_request_unreadable__held_back(void **state)
{
	static const struct {
		const char *what;
		bool null_sender, automatic, bulk, own, unproven;
	} each[] = {
		{"null sender", .null_sender = true},
		{"automatic", .automatic = true},
		{"bulk", .bulk = true},
		{"own", .own = true},
		{"unproven", .unproven = true},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof each / sizeof each[0]; i++) {
		struct received mail = unreadable_mail(STRANGER, "pdf");
		mail.null_sender = each[i].null_sender;
		mail.automatic = each[i].automatic;
		mail.bulk = each[i].bulk;
		mail.own = each[i].own;
		if (each[i].unproven)
			mail.authres = (struct authres){.seen = true};
		(void)inbound_receive(rig, &mail);
		if (*inbound_queued(rig))
			fail_msg("%s: %s", each[i].what, inbound_queued(rig));
	}
}

/* What is no stop or change is just looked at: an invoice as PDF, an image in a resend. So is one whose form was read. */
static void test_request_unreadable__no_letter_for_others(void **state)
{
	struct rig *rig = *state;
	struct received mail = unreadable_mail(STRANGER, "pdf");
	mail.reading.kind = REQUEST_OTHER;
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	mail.reading.kind = REQUEST_ID_ENQUIRY;
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	mail.reading.kind = REQUEST_STOP;
	mail.reading.from_form = true;
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &mail)).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "");
}

/* N8: a password that comes in a second mail is never used by itself, and gets no second letter. */
static void test_request_unreadable__password_in_a_second_mail(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 20);
	struct received mail = unreadable_mail("info1@example.co.jp", "zip-encrypted");
	int64_t first = inbound_receive(rig, &mail);
	mail = inbound_mail(REQUEST_OTHER, "info1@example.co.jp");
	mail.reading.review = true; /* so the reader says of a password */
	mail.text = "先ほどのファイルのパスワードは abc123 です。";
	int64_t second = inbound_receive(rig, &mail);
	assert_string_equal(inbound_queued(rig), "readable-form>info1@example.co.jp");
	assert_int_equal(inbound_request(rig, first).state, REQUEST_STATE_REVIEW);
	assert_int_equal(inbound_request(rig, second).state, REQUEST_STATE_REVIEW);
	assert_int_equal(rig_app(rig, id).state, STATE_LOGO_AUTHORIZED);
	assert_int_equal(rig_app(rig, id).stopped_on, CIVIL_DAY_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_request_unreadable__one_letter),
		TEST(test_request_unreadable__once_a_day),
		TEST(test_request_unreadable__from_a_registered_address),
		TEST(test_request_unreadable__held_back),
		TEST(test_request_unreadable__no_letter_for_others),
		TEST(test_request_unreadable__password_in_a_second_mail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
