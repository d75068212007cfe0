/* T10: the one guard before every answer, and what the answers say to whom */
#include "confirm_rig.h"

struct guarded { /* one answer that may be held back */
	struct received mail;
	struct mail_message message;
	struct inbound in;
};

static void guarded_open(struct rig *rig, struct guarded *g, const char *from, int64_t application_id)
{
	*g = (struct guarded){
		.mail = inbound_mail(REQUEST_OTHER, from), .message = {.id = 1, .state = MESSAGE_FILED}};
	inbound_begin(&g->in, &rig->office, rig->pool, &rig_err);
	g->in.message = &g->message;
	g->in.received = &g->mail;
	g->in.from_key = inbound_mail_key(&g->in, from);
	if (application_id) {
		struct application app = rig_app(rig, application_id);
		inbound_take_application(&g->in, &app);
	}
}

static bool answer(struct rig *rig, struct guarded *g, enum answer which, const char *to)
{
	static const struct answer_values values = {.token = "ABCDEF-GHJKMN-PQRSTV-WXYZ01",
		.confirm_by = 20700,
		.stop_on = 20700,
		.changes = "電話番号：03"};
	bool sent = false;
	int64_t notice_id = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	g->message = inbound_keep(rig, &g->mail);
	assert_ok(inbound_answer(&g->in, which, &values, to, &sent, &notice_id));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(sent, notice_id > 0);
	return sent;
}

/* ---- who gets no answer ---- */

enum flaw { PLAIN, NULL_SENDER, AUTOMATIC, BULK, OWN, NO_AUTHENTICATION, SPF_ALONE };

static void alter(struct received *mail, enum flaw flaw)
{
	mail->null_sender = flaw == NULL_SENDER;
	mail->automatic = flaw == AUTOMATIC;
	mail->bulk = flaw == BULK;
	mail->own = flaw == OWN;
	mail->authres.dkim_aligned = flaw != NO_AUTHENTICATION && flaw != SPF_ALONE;
	mail->authres.spf_aligned = flaw == SPF_ALONE;
}

/* The same for each answer that may go to a sender, and for those that go to the registered address: T10 came from a path that was forgotten. */
static void test_inbound_answer__machines_get_none(void **state)
{
	static const struct {
		enum flaw flaw;
		bool to_sender, to_registered;
	} cases[] = {
		{PLAIN, true, true},
		{SPF_ALONE, true, true},
		{NULL_SENDER, false, false},
		{AUTOMATIC, false, false},
		{BULK, false, false},
		{OWN, false, false},
		{NO_AUTHENTICATION, false, true},
	};
	struct rig *rig = *state;
	rig_configure(rig, "answers_per_address = 1000; answers_per_hour = 1000;");
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int which = 0; which < ANSWER_COUNT; which++) {
			struct guarded g;
			const char *stranger = pool_printf(rig->pool, "s%zu-%d@example.com", i, which);
			bool anybody = which == ANSWER_GUIDE || which == ANSWER_WRONG_NUMBER ||
				       which == ANSWER_NEUTRAL || which == ANSWER_READABLE_FORM;
			guarded_open(rig, &g, stranger, 0);
			alter(&g.mail, cases[i].flaw);
			if (answer(rig, &g, (enum answer)which, stranger) != (anybody && cases[i].to_sender))
				fail_msg("case %zu: %s to the sender", i, answer_template[which]);
			clock_set(&rig->clock, rig->clock.now + 86401); /* limits are another test's */
			guarded_open(rig, &g, STRANGER, id);
			alter(&g.mail, cases[i].flaw);
			if (answer(rig, &g, (enum answer)which, NULL) != cases[i].to_registered)
				fail_msg("case %zu: %s to the registered address", i, answer_template[which]);
		}
	rig_assert_whole(rig);
}

static void test_inbound_answer__who_gets_none(void **state)
{
	static const struct {
		const char *from, *to;
		enum answer answer;
		bool sent;
	} cases[] = {
		{"a@example.com", "a@example.com", ANSWER_NEUTRAL, true},
		{"b@example.com", "B@Example.com", ANSWER_NEUTRAL, true}, /* one and the same */
		{"c@example.com", "d@example.com", ANSWER_NEUTRAL, false}, /* not the sender */
		{"", "e@example.com", ANSWER_NEUTRAL, false},
		{"no address", "no address", ANSWER_NEUTRAL, false},
		{"f@example.com", "f@example.com", ANSWER_ID, false}, /* not for anybody */
		{"g@example.com", "g@example.com", ANSWER_CONFIRM_ADDRESS, false}, /* nobody has agreed */
		{"security-action-info@sa.example.jp", "security-action-info@sa.example.jp", ANSWER_NEUTRAL,
			false},
		{"security-action-info+x@sa.example.jp", "security-action-info+x@sa.example.jp",
			ANSWER_NEUTRAL, false},
		{"bounce+b12.abc@sa.example.jp", "bounce+b12.abc@sa.example.jp", ANSWER_NEUTRAL, false},
		{"bouncer@sa.example.jp", "bouncer@sa.example.jp", ANSWER_NEUTRAL, true},
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct guarded g;
		guarded_open(rig, &g, cases[i].from, 0);
		if (answer(rig, &g, cases[i].answer, cases[i].to) != cases[i].sent)
			fail_msg("%s to %s", answer_template[cases[i].answer], cases[i].to);
	}
}

/* Without a mail that was read (its reading was erased), only what staff send. */
static void test_inbound_answer__needs_a_reading(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct guarded g;
	guarded_open(rig, &g, STRANGER, id);
	g.in.received = NULL;
	assert_false(answer(rig, &g, ANSWER_CONFIRM_STOP, NULL));
	g.in.actor = "staff:1000";
	assert_true(answer(rig, &g, ANSWER_CONFIRM_STOP, NULL));
	assert_false(answer(rig, &g, ANSWER_NEUTRAL, STRANGER));
}

/* A new address is written to when the registered one has agreed, and to nobody else then. */
static void test_inbound_answer__new_address(void **state)
{
	static const struct {
		enum proof proof;
		bool sent;
	} cases[] = {{PROOF_NONE, false}, {PROOF_TOKEN, true}, {PROOF_DKIM, true}, {PROOF_SENDER, false}};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct guarded g;
		guarded_open(rig, &g, STRANGER, id);
		g.in.request.proof = cases[i].proof;
		assert_int_equal(answer(rig, &g, ANSWER_CONFIRM_ADDRESS, "new@example.co.jp"), cases[i].sent);
		assert_false(answer(rig, &g, ANSWER_CHANGED, "new@example.co.jp"));
	}
}

static void test_inbound_answer__suppressed_addresses(void **state)
{
	static const struct {
		enum suppression kind;
		bool to_sender, to_registered;
	} cases[] = {{SUPPRESS_NEWS, true, true}, {SUPPRESS_CASE_MAIL, false, true},
		{SUPPRESS_DEAD, false, false}};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t id = confirm_declaration(rig, (int)i + 1);
		const char *stranger = pool_printf(rig->pool, "s%zu@example.com", i);
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(suppression_set(
			rig->office.store, stranger, cases[i].kind, true, rig->clock.now, &rig_err));
		assert_ok(suppression_set(rig->office.store, inbound_address(rig, id), cases[i].kind, true,
			rig->clock.now, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
		struct guarded g;
		guarded_open(rig, &g, stranger, 0);
		assert_int_equal(answer(rig, &g, ANSWER_NEUTRAL, stranger), cases[i].to_sender);
		guarded_open(rig, &g, stranger, id);
		assert_int_equal(answer(rig, &g, ANSWER_CONFIRM_STOP, NULL), cases[i].to_registered);
	}
}

/* ---- how often ---- */

static int count_sent(struct rig *rig, enum answer which, const char *from, int64_t id, int tries)
{
	int sent = 0;
	for (int i = 0; i < tries; i++) {
		struct guarded g;
		guarded_open(rig, &g, from, id);
		sent += answer(rig, &g, which, id ? NULL : from);
	}
	return sent;
}

static void test_inbound_answer__limits(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	/* One a day to an address, whatever the answers are. */
	assert_int_equal(count_sent(rig, ANSWER_NEUTRAL, "a@example.com", 0, 5), 1);
	assert_int_equal(count_sent(rig, ANSWER_GUIDE, "A@EXAMPLE.com", 0, 5), 0);
	clock_set(&rig->clock, rig->clock.now + 86400 - 1);
	assert_int_equal(count_sent(rig, ANSWER_GUIDE, "a@example.com", 0, 5), 0);
	clock_set(&rig->clock, rig->clock.now + 2);
	assert_int_equal(count_sent(rig, ANSWER_GUIDE, "a@example.com", 0, 5), 1);
	/* So many an hour to all who are not proven; who is proven is none of them. */
	rig_configure(rig, "answers_per_hour = 3;");
	clock_set(&rig->clock, rig->clock.now + 86400);
	for (int i = 0; i < 6; i++)
		assert_int_equal(
			count_sent(rig, ANSWER_NEUTRAL, pool_printf(rig->pool, "h%d@example.com", i), 0, 1),
			i < 3);
	assert_int_equal(count_sent(rig, ANSWER_CONFIRM_STOP, STRANGER, id, 1), 1);
	clock_set(&rig->clock, rig->clock.now + 3601);
	assert_int_equal(count_sent(rig, ANSWER_NEUTRAL, "later@example.com", 0, 1), 1);
	/* None at all where the office wants none. */
	rig_configure(rig, "answers_per_address = 0;");
	assert_int_equal(count_sent(rig, ANSWER_NEUTRAL, "none@example.com", 0, 1), 0);
	/* The letter about an unreadable form: once a day and person, whatever is allowed otherwise. */
	rig_configure(rig, "answers_per_address = 9;");
	assert_int_equal(count_sent(rig, ANSWER_READABLE_FORM, "form@example.com", 0, 3), 1);
	assert_int_equal(count_sent(rig, ANSWER_NEUTRAL, "form@example.com", 0, 3), 3);
	/* Ten a day to a registered address; what was done for it is always told. */
	clock_set(&rig->clock, rig->clock.now + 86400);
	assert_int_equal(count_sent(rig, ANSWER_CONFIRM_CHANGE, STRANGER, id, 15), 10);
	assert_int_equal(count_sent(rig, ANSWER_STOPPED, STRANGER, id, 1), 1);
	rig_assert_whole(rig);
}

/* ---- what they say ---- */

/* N9: not one byte, and not whether anything is sent, depends on what is on file. */
static void test_inbound_answer__neutral_tells_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	const char *text[2];
	for (int i = 0; i < 2; i++) {
		struct guarded g;
		guarded_open(rig, &g, i ? "a@example.com" : "b@example.com", i ? id : 0);
		assert_true(answer(rig, &g, ANSWER_NEUTRAL, g.mail.from));
		text[i] = inbound_text(rig, "neutral");
		(void)rig_send(rig);
	}
	assert_string_equal(text[0], text[1]);
	assert_null(strstr(text[1], "サンプル"));
	assert_null(strstr(text[1], "4901"));
}

/* RFC 3834: what an answer says of itself. The mail that is answered is named to its writer alone, and only when its name is one. */
static void test_inbound_answer__header(void **state)
{
	static const struct {
		const char *from, *message_id;
		bool named;
	} cases[] = {
		{"info1@example.co.jp", "abc.1@client.example.co.jp", true},
		{STRANGER, "abc.2@client.example.co.jp", false},
		{"info1@example.co.jp", "", false},
		{"info1@example.co.jp", "abc", false},
		{"info1@example.co.jp", "a b@example", false},
		{"info1@example.co.jp", "abc@example\r\nBcc: other@example.com", false},
		{"info1@example.co.jp", "見本@example", false},
	};
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct guarded g;
		struct str wire = STR_INIT;
		guarded_open(rig, &g, cases[i].from, id);
		g.mail.message_id = cases[i].message_id;
		assert_true(answer(rig, &g, ANSWER_NEWS_STOPPED, NULL));
		struct inbound_queue queue = inbound_queue(rig);
		rig_letter(rig, queue.item[0].id, &wire);
		assert_non_null(strstr(wire.s, "\r\nAuto-Submitted: auto-replied\r\n"));
		assert_non_null(strstr(wire.s, "\r\nTo: info1@example.co.jp\r\n"));
		assert_null(strstr(wire.s, "Bcc"));
		const char *line = pool_printf(rig->pool, "\r\nIn-Reply-To: <%s>\r\n", cases[i].message_id);
		assert_int_equal(strstr(wire.s, line) != NULL, cases[i].named);
		assert_int_equal(strstr(wire.s, "\r\nIn-Reply-To:") != NULL, cases[i].named);
		str_free(&wire);
		(void)rig_send(rig);
	}
}

/* An answer leaves although its application is held, and the cadence goes on as before. */
static void test_inbound_answer__moves_no_stage(void **state)
{
	struct rig *rig = *state;
	int64_t id = confirm_declaration(rig, 1);
	struct application before = rig_app(rig, id);
	rig_decide(rig, id, DECISION_HOLD, "確認中");
	struct guarded g;
	guarded_open(rig, &g, STRANGER, id);
	assert_true(answer(rig, &g, ANSWER_ID, NULL));
	assert_int_equal(rig_send(rig), 1);
	rig_decide(rig, id, DECISION_RELEASE, "");
	struct application after = rig_app(rig, id);
	assert_int_equal(after.stage, before.stage);
	assert_int_equal(after.due_at, before.due_at);
	assert_int_equal(after.previous_sent_at, before.previous_sent_at);
	rig_assert_whole(rig);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_inbound_answer__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(machines_get_none),
		TEST(who_gets_none),
		TEST(needs_a_reading),
		TEST(new_address),
		TEST(suppressed_addresses),
		TEST(limits),
		TEST(neutral_tells_nothing),
		TEST(header),
		TEST(moves_no_stage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
