/* T18: bounces misread. A corpus with labels, as mail systems write them, sent to the bounce address of a letter of ours: each is booked as what it is; what is
 * undecided is kept and never scored, and what is temporary never switches an address off. */
#include "raw_rig.h"

#define TO "info1@example.co.jp"
#define HEAD "Return-Path: <>\nDelivered-To: {BOUNCE}\nFrom: MAILER-DAEMON@mx.example.co.jp\nTo: {BOUNCE}\n"
#define DSN(action, status, diagnostic)                                                                      \
	HEAD "Subject: Delivery Status Notification\nMIME-Version: 1.0\n"                                    \
	     "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n"          \
	     "Content-Type: text/plain\n\nThis is the mail system.\n\n--b\n"                                 \
	     "Content-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.co.jp\n\n"             \
	     "Final-Recipient: rfc822; " TO "\nAction: " action "\nStatus: " status "\n" diagnostic          \
	     "--b\nContent-Type: text/rfc822-headers\n\nMessage-ID: <{MID}>\nTo: " TO "\n--b--\n"
#define FAILED(status, text) DSN("failed", status, "Diagnostic-Code: smtp; " text "\n")
#define PLAIN(text)                                                                                          \
	HEAD "Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"                             \
	     "Content-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n" text             \
	     "\n\n--- original ---\nMessage-ID: <{MID}>\nTo: " TO "\n"

static const struct {
	const char *what;
	enum bounce_class label;
	const char *raw;
} corpus[] = {
	{"unknown user", BOUNCE_HARD,
		FAILED("5.1.1", "550 5.1.1 <" TO ">: Recipient address rejected: User unknown")},
	{"no such domain", BOUNCE_HARD, FAILED("5.1.2", "550 5.1.2 Host unknown")},
	{"mailbox disabled", BOUNCE_HARD,
		FAILED("5.2.1", "550 5.2.1 The email account that you tried to reach is disabled")},
	{"mailbox full, for good", BOUNCE_FULL, FAILED("5.2.2", "552 5.2.2 Mailbox full")},
	{"over quota in words", BOUNCE_FULL,
		FAILED("5.0.0", "552 The user you are trying to contact is over quota")},
	{"block list said as 5.7.1", BOUNCE_POLICY,
		FAILED("5.7.1", "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using "
				"zen.spamhaus.org")},
	{"DMARC", BOUNCE_POLICY,
		FAILED("5.7.26", "550 5.7.26 Unauthenticated email from sa.example.jp is not accepted due to "
				 "domain's DMARC policy")},
	{"content said as 5.7.1", BOUNCE_CONTENT,
		FAILED("5.7.1", "554 5.7.1 Message rejected as spam by Content Filtering")},
	{"too large", BOUNCE_CONTENT, FAILED("5.3.4", "552 5.3.4 Message size exceeds fixed limit")},
	{"temporary block", BOUNCE_SOFT,
		DSN("delayed", "4.7.1", "Diagnostic-Code: smtp; 451 4.7.1 Greylisted, try again later\n")},
	{"still trying", BOUNCE_SOFT,
		DSN("delayed", "4.4.1",
			"Diagnostic-Code: smtp; connect to mx.example.co.jp: Connection timed out\n")},
	{"given up after days of time-outs", BOUNCE_SOFT,
		FAILED("4.4.7",
			"delivery temporarily suspended: connect to mx.example.co.jp: Connection timed out")},
	{"nothing but failed", BOUNCE_UNDECIDED, DSN("failed", "5.0.0", "")},
	{"words that say nothing", BOUNCE_UNDECIDED, FAILED("5.0.0", "554 transaction failed")},
	{"delivered", BOUNCE_NONE, DSN("delivered", "2.0.0", "")},
	{"relayed", BOUNCE_NONE, DSN("relayed", "2.0.0", "")},
	{"in plain Japanese", BOUNCE_HARD,
		PLAIN("This is the mail system at host mx.example.co.jp.\n<" TO
		      ">: host mx.example.co.jp said: 550 5.1.1 User unknown")},
};

static struct received read_of(struct rig *rig, size_t which, const struct notice *letter)
{
	const struct raw_value values[] = {
		{"{BOUNCE}", letter->bounce_address}, {"{MID}", letter->message_id}, {NULL, NULL}};
	return raw_read(rig, raw_mail(rig, corpus[which].raw, values));
}

static void test_trap_18__labels(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	struct notice letter = rig_notices(rig, id).item[0];
	int wrong = 0;
	for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
		struct received mail = read_of(rig, i, &letter);
		enum bounce_class read = mail.reading.bounce.class_;
		if (read == corpus[i].label)
			continue;
		print_error("%s: %s, not %s (%s)\n", corpus[i].what, bounce_class_name(read),
			bounce_class_name(corpus[i].label), mail.reading.bounce.why);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* Each kind again and again, about letters of one address: what of it counts, and what it leads to. */
static void test_trap_18__what_is_booked(void **state)
{
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof corpus / sizeof *corpus; i++) {
		assert_int_equal(i == 0 ? 0 : rig_setup(state), 0);
		rig = *state;
		int64_t id = rig_apply(rig, 1), first = 0;
		rig_run_days(rig, 20);
		struct rig_notices letters = rig_notices(rig, id);
		for (int n = 0; n < letters.count; n++)
			for (int again = 0; again < 2; again++) {
				struct received mail = read_of(rig, i, &letters.item[n]);
				int64_t message = inbound_receive(rig, &mail);
				first = first ? first : message;
			}
		struct address_score score;
		bool dead, no_news;
		assert_ok(address_score_get(rig->office.store, TO, &score, &rig_err));
		assert_ok(suppression_has(rig->office.store, TO, SUPPRESS_DEAD, &dead, &rig_err));
		assert_ok(suppression_has(rig->office.store, TO, SUPPRESS_NEWS, &no_news, &rig_err));
		bool hard = corpus[i].label == BOUNCE_HARD;
		bool counts = corpus[i].label != BOUNCE_NONE && corpus[i].label != BOUNCE_UNDECIDED;
		if (score.hard != (hard ? letters.count : 0) || (!counts && score.score != 0) ||
			(!hard && dead))
			fail_msg("%s: score %" PRId64 ", hard %d, dead %d", corpus[i].what, score.score,
				score.hard, dead);
		if (corpus[i].label == BOUNCE_SOFT || corpus[i].label == BOUNCE_UNDECIDED ||
			corpus[i].label == BOUNCE_NONE)
			assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
		/* What came is on file, with its bytes. */
		struct mail_message kept = inbound_message(rig, first);
		assert_int_equal(kept.state, MESSAGE_READ);
		assert_true(kept.size > 0);
		if (corpus[i].label == BOUNCE_UNDECIDED)
			assert_int_equal(kept.kind, REQUEST_BOUNCE);
		rig_assert_whole(rig);
		if (i + 1 < sizeof corpus / sizeof *corpus)
			(void)rig_teardown(state);
	}
}

/* An automatic reply with the null sender, at the bounce address even: no bounce. */
static void test_trap_18__an_auto_reply_is_none(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	struct notice letter = rig_notices(rig, id).item[0];
	const struct raw_value values[] = {
		{"{BOUNCE}", letter.bounce_address}, {"{MID}", letter.message_id}, {NULL, NULL}};
	static const char *const replies[] = {
		"Return-Path: <>\nDelivered-To: {BOUNCE}\nFrom: " TO
		"\nAuto-Submitted: auto-replied\nIn-Reply-To: <{MID}>\n"
		"Subject: Re: 受付\nContent-Type: text/plain; charset=UTF-8\n\n本日は不在にしております。\n",
		"Return-Path: <>\nDelivered-To: {BOUNCE}\nFrom: " TO
		"\nIn-Reply-To: <{MID}>\nSubject: 不在通知\n"
		"Content-Type: text/plain; "
		"charset=UTF-8\n\n夏季休業のため、メールを受け取ることができません。User unknown "
		"ではありません。\n",
	};
	for (size_t i = 0; i < 2; i++) {
		int64_t message = raw_receive(rig, raw_mail(rig, replies[i], values));
		struct address_score score;
		assert_int_not_equal(inbound_message(rig, message).kind, REQUEST_BOUNCE);
		assert_ok(address_score_get(rig->office.store, TO, &score, &rig_err));
		assert_int_equal(score.score, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_18__labels, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_18__what_is_booked, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_trap_18__an_auto_reply_is_none, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, raw_begin, raw_end);
}
