/* tokens: what a reply proves, and what it does not; what becomes of a request that waits */
#include "confirm_rig.h"

struct waiting { /* a stop that waits for its confirmation */
	int64_t id, asked;
	const char *token;
};

static struct waiting wait_for_reply(struct rig *rig, int n)
{
	struct waiting w = {.id = confirm_declaration(rig, n)};
	struct received mail = confirm_form(rig, REQUEST_STOP, w.id, STRANGER);
	w.asked = confirm_asked(rig, &mail);
	w.token = confirm_token(rig, "confirm-stop");
	(void)rig_send(rig);
	return w;
}

static struct received reply_of(struct rig *rig, const struct waiting *w)
{
	return confirm_reply(inbound_address(rig, w->id), w->token);
}

/* ---- the letter that carries it ---- */

static void test_inbound_token__stands_wherever_a_reply_can_bring_it_from(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	struct rig_notices all = rig_notices(rig, w.id);
	const struct notice *notice = &all.item[all.count - 1];
	struct str wire = STR_INIT;
	rig_letter(rig, notice->id, &wire);
	const char *end = strstr(wire.s, "\r\n\r\n");
	assert_non_null(end);
	const char *head = pool_strndup(rig->pool, wire.s, (size_t)(end - wire.s));
	assert_non_null(strstr(notice->message_id, w.token));
	assert_non_null(strstr(rig_text(rig, notice->id), pool_printf(rig->pool, "[%s]", w.token)));
	const char *reply_to = strstr(head, "\r\nReply-To: ");
	assert_non_null(reply_to);
	struct strlist found = {0};
	reply_to += strlen("\r\nReply-To: ");
	const char *address = pool_strndup(rig->pool, reply_to, strcspn(reply_to, "\r"));
	token_find(&found, address, 1);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.item[0], w.token);
	assert_non_null(strstr(address, "bounce+"));
	assert_non_null(strstr(address, "@sa.example.jp"));
	assert_non_null(strstr(head, "\r\nAuto-Submitted: auto-replied"));
	assert_null(strstr(head, "\r\nIn-Reply-To:")); /* the stranger's mail is none of the recipient's */
	strlist_free(&found);
	str_free(&wire);
}

/* The register keeps its digest; the letter that holds it is in the outbox. */
static void test_inbound_token__is_kept_as_a_digest(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	uint8_t digest[SHA256_LEN], mail[16];
	struct token_row row;
	token_digest(digest, w.token);
	assert_ok(token_get(rig->office.store, digest, &row, &rig_err));
	store_mail_digest(mail, "info1@example.co.jp");
	assert_int_equal(row.purpose, TOKEN_REQUEST);
	assert_int_equal(row.subject_id, inbound_request(rig, w.asked).id);
	assert_int_equal(row.expires_at, inbound_request(rig, w.asked).due_at);
	assert_memory_equal(row.mail, mail, sizeof mail);
}

/* ---- replies ---- */

struct reply_case {
	const char *what;
	void (*alter)(struct rig *rig, struct received *reply, const struct waiting *w);
	const char *outcome; /* of the request that waited */
	bool review; /* the mail itself is for a person */
};

static void as_it_is(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)reply;
	(void)w;
}

static void from_elsewhere(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->from = "colleague@example.co.jp";
}

static void objecting(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->objects = true;
	reply->text = "中止は取り消してください。";
}

static void not_knowing(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->reading.unknown_mail = true;
}

static void by_a_machine(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->reading.kind = REQUEST_AUTO_REPLY;
	reply->reading.review = false;
}

static void with_auto_submitted(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->automatic = true;
}

static void of_our_own(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->own = true;
}

static void by_a_list(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)rig;
	(void)w;
	reply->bulk = true;
}

static void with_another_token(struct rig *rig, struct received *reply, const struct waiting *w)
{
	char token[TOKEN_TEXT_MAX];
	token_make(token, TOKEN_REQUEST, inbound_request(rig, w->asked).id, rig->clock.now + 86400, &rig->rng,
		secrets_key(&rig->secrets));
	reply->token[0] = pool_strdup(rig->pool, token);
}

static void after_a_foreign_one(struct rig *rig, struct received *reply, const struct waiting *w)
{
	with_another_token(rig, reply, w);
	reply->token[1] = w->token;
	reply->token_count = 2;
}

static void in_another_case(struct rig *rig, struct received *reply, const struct waiting *w)
{
	reply->from = "Info1@EXAMPLE.co.jp";
	reply->token[0] = pool_strdup(rig->pool, w->token);
}

static void after_the_address_changed(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)reply;
	struct application app = rig_app(rig, w->id);
	app.form.value[FIELD_MAIL] = app.form.value[FIELD_MAIL_CONFIRM] = "new@example.co.jp";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(
		rig->office.store, &app, applicant_key(&app.form, rig->pool), "new@example.co.jp", &rig_err));
	const struct history_row row = {.at = rig->clock.now,
		.application_id = w->id,
		.event = EVENT_CORRECT,
		.from = app.state,
		.to = app.state,
		.actor = "staff:1000",
		.note = ""};
	assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	reply->from = "info1@example.co.jp";
}

static void too_late(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)reply;
	clock_set(&rig->clock, inbound_request(rig, w->asked).due_at);
}

static void after_the_wait(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)reply;
	clock_set(&rig->clock, inbound_request(rig, w->asked).due_at);
	confirm_run_requests(rig);
}

static void in_the_last_second(struct rig *rig, struct received *reply, const struct waiting *w)
{
	(void)reply;
	clock_set(&rig->clock, inbound_request(rig, w->asked).due_at - 1);
}

static void test_inbound_token__replies(void **state)
{
	static const struct reply_case cases[] = {
		{"as it is", as_it_is, "done: ", false},
		{"address in another case", in_another_case, "done: ", false},
		{"behind a token that is none", after_a_foreign_one, "done: ", false},
		{"in the last second", in_the_last_second, "done: ", false},
		{"from elsewhere", from_elsewhere, "review: 確認のメールへの返信が、送付先とは別のアドレス",
			true},
		{"objecting", objecting, "review: 確認のメールへの返信に、否定", true},
		{"心当たりがない", not_knowing, "review: 確認のメールへの返信に、否定", true},
		{"the registered address changed", after_the_address_changed,
			"review: 確認のメールを送ったあとに、登録アドレスが変わっています", true},
		{"too late", too_late, "review: 確認のメールへの返信が、期限後に届きました", true},
		{"after the wait", after_the_wait,
			"review: 確認のメールへの返信が、この依頼が要確認になってから届きました", true},
		{"a machine", by_a_machine, "asked: ", false},
		{"Auto-Submitted", with_auto_submitted, "asked: ", true},
		{"our own mail", of_our_own, "asked: ", false},
		{"a mailing list", by_a_list, "asked: ", true},
		{"a token that was never given out", with_another_token, "asked: ", true},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct reply_case *c = &cases[i];
		struct waiting w = wait_for_reply(rig, 1);
		struct received reply = reply_of(rig, &w);
		c->alter(rig, &reply, &w);
		int64_t message = inbound_receive(rig, &reply);
		bool done = str_has_prefix(c->outcome, "done");
		if (!str_has_prefix(inbound_outcome(rig, w.asked), c->outcome))
			fail_msg("%s: %s", c->what, inbound_outcome(rig, w.asked));
		if (inbound_message(rig, message).review != c->review)
			fail_msg("%s: review of the mail is not %d", c->what, c->review);
		assert_int_equal(rig_app(rig, w.id).state, done ? STATE_STOPPED : STATE_ID_ISSUED);
		if (!done && *inbound_queued(rig))
			fail_msg("%s: %s", c->what, inbound_queued(rig));
		(void)rig_send(rig);
		if (!done) { /* the next one is another declaration of the same business */
			const char *why_ja;
			struct err err = {0};
			assert_ok(office_stop(&rig->office, w.id, CIVIL_DAY_NONE, "次へ", "staff:1000",
				&why_ja, rig->pool, &err));
		}
	}
	rig_assert_whole(rig);
}

/* Single use: the second copy changes nothing; whoever says more than yes is heard by a person. */
static void test_inbound_token__counts_once(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	struct received reply = reply_of(rig, &w);
	(void)inbound_receive(rig, &reply);
	(void)rig_send(rig);
	int64_t again = inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, again).id, 0);
	assert_int_equal(inbound_message(rig, again).folder, FOLDER_DONE);
	reply.text = "中止の手続きはいつ終わりますか？";
	int64_t asks = inbound_receive(rig, &reply);
	assert_int_equal(inbound_request(rig, asks).state, REQUEST_STATE_REVIEW);
	assert_string_equal(inbound_queued(rig), "");
	assert_int_equal(rig_count_events(rig, w.id, EVENT_STOP), 1);
	assert_int_equal(rig_count_events(rig, w.id, EVENT_PROVEN), 1);
	rig_assert_whole(rig);
}

/* Yes, and a wish or a question besides: both are heard. */
static void test_inbound_token__yes_and_more(void **state)
{
	struct rig *rig = *state;
	for (int n = 1; n <= 3; n++) {
		struct waiting w = wait_for_reply(rig, n);
		struct received reply = reply_of(rig, &w);
		if (n == 1) {
			reply.reading.wishes = 1u << REQUEST_STOP; /* 中止をお願いします: that very thing */
		} else if (n == 2) {
			reply.text = "承知しました。ロゴはいつまで使えますか？";
		} else {
			reply.reading.kind = REQUEST_NEWS_UNSUBSCRIBE;
			reply.reading.wishes = 1u << REQUEST_NEWS_UNSUBSCRIBE;
			reply.reading.review = false;
		}
		int64_t message = inbound_receive(rig, &reply);
		assert_int_equal(rig_app(rig, w.id).state, STATE_STOPPED);
		struct request request = inbound_request(rig, message);
		assert_int_equal(request.id > 0, n > 1);
		if (n > 1)
			assert_int_equal(request.kind, n == 2 ? REQUEST_OTHER : REQUEST_NEWS_UNSUBSCRIBE);
		if (n == 2)
			assert_true(inbound_message(rig, message).review);
		(void)rig_send(rig);
	}
	rig_assert_whole(rig);
}

/* Staff declined, and then a yes comes: a person must know. */
static void test_inbound_token__answers_what_staff_declined(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	const char *why_ja;
	assert_ok(office_resolve(&rig->office, inbound_request(rig, w.asked).id, REQUEST_CLOSE, 0,
		CIVIL_DAY_NONE, "電話で取りやめ", "staff:1000", &why_ja, rig->pool, &rig_err));
	struct received reply = reply_of(rig, &w);
	int64_t message = inbound_receive(rig, &reply);
	assert_true(str_has_prefix(inbound_outcome(rig, message), "review: 職員が終了とした依頼"));
	assert_int_equal(rig_app(rig, w.id).state, STATE_ID_ISSUED);
}

/* ---- the time ---- */

static void test_inbound_token__unanswered_goes_to_staff(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	utc_time due = inbound_request(rig, w.asked).due_at;
	struct step_result step;
	clock_set(&rig->clock, due - 1);
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_int_equal(step.done, 0);
	assert_int_equal(step.next_at, due);
	clock_set(&rig->clock, due);
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_int_equal(step.done, 1);
	assert_int_equal(step.next_at, UTC_NEVER);
	assert_true(str_has_prefix(inbound_outcome(rig, w.asked), "review: 期限までに"));
	assert_true(inbound_message(rig, w.asked).review);
	assert_int_equal(rig_app(rig, w.id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* Few at a time, and not one twice. */
static void test_inbound_token__many_run_out_at_once(void **state)
{
	struct rig *rig = *state;
	enum { MANY = 20 };
	int64_t asked[MANY];
	for (int n = 0; n < MANY; n++)
		(void)rig_apply(rig, n + 1);
	rig_run_days(rig, 11);
	for (int n = 0; n < MANY; n++) {
		struct received mail = confirm_form(rig, REQUEST_STOP, n + 1, STRANGER);
		asked[n] = confirm_asked(rig, &mail);
	}
	struct step_result step;
	clock_set(&rig->clock, inbound_request(rig, asked[0]).due_at);
	assert_ok(office_run_requests(&rig->office, 12, &step, &rig_err));
	assert_int_equal(step.done, 12);
	assert_true(step.next_at <= rig->clock.now);
	assert_ok(office_run_requests(&rig->office, 12, &step, &rig_err));
	assert_int_equal(step.done, MANY - 12);
	for (int n = 0; n < MANY; n++)
		assert_int_equal(inbound_request(rig, asked[n]).state, REQUEST_STATE_REVIEW);
}

/* ---- faults ---- */

/* Whichever write of it fails, the mail has not been acted on at all; when it is tried again, everything follows. */
static void test_inbound_token__all_or_nothing(void **state)
{
	static const char *const writes[] = {"UPDATE ON token", "UPDATE ON request", "UPDATE ON application",
		"INSERT ON history", "INSERT ON outbox", "INSERT ON letter", "INSERT ON answer",
		"UPDATE ON message"};
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	struct received reply = reply_of(rig, &w);
	struct mail_message message = {
		.state = MESSAGE_TAKEN, .taken_at = rig->clock.now, .size = 1, .uid = "900", .filed_uid = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_add(rig->office.store, &message, "x", 1, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	const char *history = rig_history(rig, w.id), *outbox = rig_outbox(rig, w.id);
	for (size_t i = 0; i < sizeof writes / sizeof *writes; i++) {
		confirm_fault(rig, writes[i]);
		assert_ok(store_begin(rig->office.store, &rig_err));
		enum rc rc = office_receive(&rig->office, &message, &reply, NULL, &rig_err);
		if (rc != RC_STORE)
			fail_msg("%s: %s", writes[i], rc_name(rc));
		store_rollback(rig->office.store);
		confirm_fault(rig, NULL);
		assert_string_equal(rig_history(rig, w.id), history);
		assert_string_equal(rig_outbox(rig, w.id), outbox);
		assert_int_equal(rig_app(rig, w.id).state, STATE_ID_ISSUED);
		assert_int_equal(inbound_request(rig, w.asked).state, REQUEST_STATE_ASKED);
		message = inbound_message(rig, message.id);
		assert_int_equal(message.state, MESSAGE_TAKEN);
	}
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_receive(&rig->office, &message, &reply, NULL, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(rig_app(rig, w.id).state, STATE_STOPPED);
	assert_string_equal(inbound_queued(rig), "stopped>info1@example.co.jp");
	rig_assert_whole(rig);
}

/* What ends in a refusal from deep inside has not been done: it is no mail without a token. */
static void test_inbound_token__a_refusal_ends_nothing(void **state)
{
	struct rig *rig = *state;
	struct waiting w = wait_for_reply(rig, 1);
	struct received reply = reply_of(rig, &w);
	struct mail_message unknown = {.id = 999999,
		.state = MESSAGE_TAKEN,
		.taken_at = rig->clock.now,
		.size = 1,
		.uid = "900",
		.filed_uid = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_int_equal(office_receive(&rig->office, &unknown, &reply, NULL, &rig_err), RC_REFUSED);
	store_rollback(rig->office.store);
	assert_int_equal(inbound_request(rig, w.asked).state, REQUEST_STATE_ASKED);
	assert_int_equal(rig_app(rig, w.id).state, STATE_ID_ISSUED);
	rig_assert_whole(rig);
}

/* A request that can't be gone on with is left for an hour, and those behind it have their turn. */
static void test_inbound_token__one_that_fails_holds_up_nobody(void **state)
{
	struct rig *rig = *state;
	struct waiting first = wait_for_reply(rig, 1), second = wait_for_reply(rig, 2);
	struct step_result step;
	confirm_sql(rig, pool_printf(rig->pool,
				 "CREATE TABLE kept AS SELECT * FROM reading_payload;"
				 "UPDATE reading_payload SET reading = x'00' WHERE message_id = %" PRId64,
				 first.asked));
	clock_set(&rig->clock, inbound_request(rig, second.asked).due_at);
	assert_ok(office_run_requests(&rig->office, 10, &step, &rig_err));
	assert_int_equal(step.done, 2);
	assert_int_equal(step.next_at, rig->clock.now + 3600);
	assert_int_equal(inbound_request(rig, first.asked).state, REQUEST_STATE_ASKED);
	assert_int_equal(inbound_request(rig, second.asked).state, REQUEST_STATE_REVIEW);
	confirm_sql(rig, "DELETE FROM reading_payload; INSERT INTO reading_payload SELECT * FROM kept;"
			 "DROP TABLE kept");
	clock_set(&rig->clock, step.next_at);
	confirm_run_requests(rig);
	assert_int_equal(inbound_request(rig, first.asked).state, REQUEST_STATE_REVIEW);
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_token__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(stands_wherever_a_reply_can_bring_it_from),
		TEST(is_kept_as_a_digest),
		TEST(replies),
		TEST(counts_once),
		TEST(yes_and_more),
		TEST(answers_what_staff_declined),
		TEST(unanswered_goes_to_staff),
		TEST(many_run_out_at_once),
		TEST(all_or_nothing),
		TEST(a_refusal_ends_nothing),
		TEST(one_that_fails_holds_up_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
