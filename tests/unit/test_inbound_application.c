/* profile site: the address of a new application is confirmed by replying to the notice that asks for it */
#include "confirm_rig.h"

static const char site_era[] = "era = ( { from = \"2017-04-01\"; profile = \"site\"; } );";

static int64_t apply_and_ask(struct rig *rig, int n, const char **token)
{
	struct strlist found = {0};
	rig_configure(rig, site_era);
	int64_t id = rig_apply(rig, n);
	(void)rig_turn(rig);
	assert_int_equal(rig_app(rig, id).state, STATE_UNCONFIRMED);
	struct rig_notices all = rig_notices(rig, id);
	assert_string_equal(all.item[0].template_name, "confirm");
	token_find(&found, rig_text(rig, all.item[0].id), 2);
	assert_int_equal(found.count, 1);
	*token = pool_strdup(rig->pool, found.item[0]);
	strlist_free(&found);
	return id;
}

static void test_inbound_application__reply_confirms(void **state)
{
	struct rig *rig = *state;
	const char *token;
	int64_t id = apply_and_ask(rig, 1, &token);
	struct received reply = confirm_reply("Info1@example.co.jp", token);
	reply.text = "";
	int64_t message = inbound_receive(rig, &reply);
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
	assert_int_equal(inbound_request(rig, message).id, 0);
	/* Once more says nothing new; a question is heard. */
	(void)inbound_receive(rig, &reply);
	reply.text = "ロゴはいつ届きますか？";
	assert_int_equal(inbound_request(rig, inbound_receive(rig, &reply)).state, REQUEST_STATE_REVIEW);
	assert_int_equal(rig_count_events(rig, id, EVENT_CONFIRM), 1);
	(void)rig_turn(rig);
	assert_string_equal(rig_outbox(rig, id), "confirm/sent completion/sent");
	rig_assert_whole(rig);
}

static void test_inbound_application__yes_and_a_question(void **state)
{
	struct rig *rig = *state;
	const char *token;
	int64_t id = apply_and_ask(rig, 1, &token);
	struct received reply = confirm_reply("info1@example.co.jp", token);
	reply.text = "確認しました。ロゴはいつ届きますか？";
	int64_t message = inbound_receive(rig, &reply);
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_REVIEW);
	rig_assert_whole(rig);
}

/* The subject stays as it is; the token stands in the text, in Reply-To and in the Message-ID. */
static void test_inbound_application__letter(void **state)
{
	struct rig *rig = *state;
	const char *token;
	int64_t id = apply_and_ask(rig, 1, &token);
	struct rig_notices all = rig_notices(rig, id);
	struct str wire = STR_INIT;
	struct strlist found = {0};
	const char *text = rig_text(rig, all.item[0].id);
	assert_true(str_has_prefix(text, "【SECURITY ACTION】メールアドレスご確認のお願い\n"));
	assert_non_null(strstr(all.item[0].message_id, token));
	rig_letter(rig, all.item[0].id, &wire);
	const char *line = strstr(wire.s, "\r\nReply-To: ");
	assert_non_null(line);
	token_find(&found, pool_strndup(rig->pool, line + 12, strcspn(line + 12, "\r")), 1);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.item[0], token);
	assert_non_null(strstr(wire.s, "\r\nAuto-Submitted: auto-generated"));
	strlist_free(&found);
	str_free(&wire);
}

enum flaw { FROM_ELSEWHERE, OBJECTS, UNKNOWN, AUTOMATIC, MACHINE, NO_TOKEN, ANOTHERS_TOKEN };

static void test_inbound_application__what_does_not_confirm(void **state)
{
	static const struct {
		enum flaw flaw;
		bool review;
	} cases[] = {{FROM_ELSEWHERE, true}, {OBJECTS, true}, {UNKNOWN, true}, {AUTOMATIC, true},
		{MACHINE, false}, {NO_TOKEN, true}, {ANOTHERS_TOKEN, true}};
	struct rig *rig = *state;
	const char *others, *token;
	int64_t other = apply_and_ask(rig, 99, &others);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int n = (int)i + 1;
		int64_t id = apply_and_ask(rig, n, &token);
		struct received reply = confirm_reply(inbound_address(rig, id), token);
		switch (cases[i].flaw) {
		case FROM_ELSEWHERE:
			reply.from = STRANGER;
			break;
		case OBJECTS:
			reply.objects = true;
			break;
		case UNKNOWN:
			reply.reading.unknown_mail = true;
			break;
		case AUTOMATIC:
			reply.automatic = true;
			break;
		case MACHINE:
			reply.reading.kind = REQUEST_AUTO_REPLY;
			reply.reading.review = false;
			break;
		case NO_TOKEN: /* In-Reply-To can be guessed */
			reply.token_count = 0;
			reply.answers[0] = rig_notices(rig, id).item[0].message_id;
			reply.answers_count = 1;
			break;
		case ANOTHERS_TOKEN:
			reply.token[0] = others;
			break;
		}
		int64_t message = inbound_receive(rig, &reply);
		if (rig_app(rig, id).state != STATE_UNCONFIRMED ||
			rig_app(rig, other).state != STATE_UNCONFIRMED)
			fail_msg("case %zu confirmed it", i);
		assert_int_equal(inbound_message(rig, message).review, cases[i].review);
	}
	rig_assert_whole(rig);
}

static void test_inbound_application__too_late(void **state)
{
	struct rig *rig = *state;
	const char *token;
	int64_t id = apply_and_ask(rig, 1, &token);
	rig_run_days(rig, 9);
	assert_int_equal(rig_app(rig, id).state, STATE_EXPIRED);
	struct received reply = confirm_reply("info1@example.co.jp", token);
	int64_t message = inbound_receive(rig, &reply);
	assert_string_equal(inbound_outcome(rig, message),
		"review: アドレス確認のメールへの返信が、申込みの取消し後に届きました。");
	assert_int_equal(inbound_request(rig, message).application_id, id);
	assert_int_equal(rig_app(rig, id).state, STATE_EXPIRED);
	rig_assert_whole(rig);
}

/* Staff confirmed it first: the answer comes too late to do anything, and does none. */
static void test_inbound_application__staff_were_first(void **state)
{
	struct rig *rig = *state;
	const char *token;
	int64_t id = apply_and_ask(rig, 1, &token);
	rig_decide(rig, id, DECISION_CONFIRM, "電話");
	struct received reply = confirm_reply("info1@example.co.jp", token);
	int64_t message = inbound_receive(rig, &reply);
	assert_false(inbound_message(rig, message).review);
	assert_int_equal(rig_count_events(rig, id, EVENT_CONFIRM), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_application__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(reply_confirms),
		TEST(yes_and_a_question),
		TEST(letter),
		TEST(what_does_not_confirm),
		TEST(too_late),
		TEST(staff_were_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
