/* Notices that came back: what is believed, what is counted, and who is asked. */
#include "inbound_rig.h"

#include "lib/mail/bounceaddr.h"

#define POSTMASTER "mailer-daemon@mx.example.jp"
#define DAY 86400

/* ---- reports ---- */

static struct notice the_notice(struct rig *rig, int64_t application_id, const char *name)
{
	struct rig_notices all = rig_notices(rig, application_id);
	for (int i = 0; i < all.count; i++)
		if (strcmp(all.item[i].template_name, name) == 0)
			return all.item[i];
	fail_msg("there is no notice %s: %s", name, rig_outbox(rig, application_id));
	return (struct notice){0};
}

/* A report that knows everything about a notice: sent to its bounce address, with its recipient and its Message-ID. */
static struct received report(struct rig *rig, const struct notice *notice, enum bounce_class class_)
{
	struct received mail = inbound_mail(REQUEST_BOUNCE, POSTMASTER);
	const char **recipient = pool_alloc(rig->pool, sizeof *recipient);
	*recipient = notice->recipient;
	mail.null_sender = true;
	mail.delivered_to[0] = notice->bounce_address;
	mail.delivered_to_count = 1;
	mail.reading.bounce = (struct bounce){.is_bounce = true,
		.recipient = recipient,
		.recipient_count = 1,
		.action = "failed",
		.status = class_ == BOUNCE_HARD ? "5.1.1" : "",
		.message_id = pool_printf(rig->pool, "<%s>", notice->message_id),
		.class_ = class_,
		.why = ""};
	return mail;
}

static int64_t bounce(struct rig *rig, int64_t application_id, const char *name, enum bounce_class class_)
{
	struct notice notice = the_notice(rig, application_id, name);
	struct received mail = report(rig, &notice, class_);
	return inbound_receive(rig, &mail);
}

static struct address_score score_of(struct rig *rig, const char *key)
{
	struct address_score score;
	assert_ok(address_score_get(rig->office.store, key, &score, &rig_err));
	return score;
}

static bool no_news(struct rig *rig, const char *key)
{
	bool yes;
	assert_ok(suppression_has(rig->office.store, key, SUPPRESS_NEWS, &yes, &rig_err));
	return yes;
}

static bool may_get_notices(struct rig *rig, const char *key)
{
	bool case_mail, dead;
	assert_ok(suppression_has(rig->office.store, key, SUPPRESS_CASE_MAIL, &case_mail, &rig_err));
	assert_ok(suppression_has(rig->office.store, key, SUPPRESS_DEAD, &dead, &rig_err));
	return !case_mail && !dead;
}

static const char *why(struct rig *rig, int64_t id)
{
	struct application app = rig_app(rig, id);
	struct str text = STR_INIT;
	struct due due;
	assert_ok(office_why(&rig->office, &app, &text, &due, &rig_err));
	const char *copy = pool_strdup(rig->pool, text.s);
	str_free(&text);
	return copy;
}

static int64_t applied(struct rig *rig, int n)
{
	int64_t id = rig_apply(rig, n);
	(void)rig_turn(rig);
	return id;
}

static void assert_filed(struct rig *rig, int64_t message_id, enum folder folder)
{
	struct mail_message message = inbound_message(rig, message_id);
	assert_int_equal(message.state, MESSAGE_READ);
	assert_int_equal(message.kind, REQUEST_BOUNCE);
	assert_int_equal(message.folder, folder);
	assert_int_equal(message.review, folder == FOLDER_REVIEW);
}

/* ---- hard ---- */

static void test_bounced__once_goes_on(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	int64_t mail = bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_filed(rig, mail, FOLDER_BOUNCE);
	assert_int_equal(inbound_request(rig, mail).application_id, id);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 1);
	assert_int_equal(score_of(rig, "info1@example.co.jp").hard, 1);
	assert_int_equal(score_of(rig, "info1@example.co.jp").score, 1000);
	assert_non_null(strstr(why(rig, id), "The notice \"receipt\" came back on 2026-06-01"));
	assert_false(no_news(rig, "info1@example.co.jp"));

	rig_run_days(rig, 21);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	rig_assert_whole(rig);
}

static void test_bounced__twice_asks_staff(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	rig_run_days(rig, 7);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	int64_t mail = bounce(rig, id, "id", BOUNCE_HARD);
	assert_filed(rig, mail, FOLDER_BOUNCE);
	struct application app = rig_app(rig, id);
	assert_int_equal(app.hold, HOLD_REVIEW);
	assert_non_null(strstr(app.hold_reason, "続けて2通"));
	assert_null(strstr(app.hold_reason, "携帯電話"));
	assert_true(no_news(rig, "info1@example.co.jp"));
	assert_true(may_get_notices(rig, "info1@example.co.jp"));

	/* Nothing goes while they look; approved, it goes on, and the next one that comes back asks again. */
	rig_run_days(rig, 21);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent");
	rig_decide(rig, id, DECISION_APPROVE, "電話で確認");
	rig_run_days(rig, 3);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	(void)bounce(rig, id, "logo", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info1@example.co.jp").hard, 3);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
	rig_assert_whole(rig);
}

static void test_bounced__limit_is_configured(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "bounce_limit = 1;");
	int64_t id = applied(rig, 1);
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
}

/* However many reports come about one notice, it came back once. */
static void test_bounced__a_notice_counts_once(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	for (int i = 0; i < 3; i++)
		(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info1@example.co.jp").score, 1000);
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 1);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
}

/* The same letter sent again and returned again is a second one. */
static void test_bounced__a_resend_counts_too(void **state)
{
	struct rig *rig = *state;
	const char *why_ja;
	int64_t again = 0, id = applied(rig, 1);
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_ok(office_resend(
		&rig->office, id, "receipt", "staff:1000", &again, &why_ja, rig->pool, &rig_err));
	(void)rig_send(rig);
	struct notice notice;
	assert_ok(outbox_get(rig->office.store, again, &notice, rig->pool, &rig_err));
	struct received mail = report(rig, &notice, BOUNCE_HARD);
	(void)inbound_receive(rig, &mail);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
}

/* A notice in between that arrived ends the run, as does a long silence. */
static void test_bounced__a_run_ends(void **state)
{
	struct rig *rig = *state;
	int64_t arrived = applied(rig, 1), silent = applied(rig, 2);
	(void)bounce(rig, arrived, "receipt", BOUNCE_HARD);
	(void)bounce(rig, silent, "receipt", BOUNCE_HARD);
	rig_run_days(rig, 21);
	(void)bounce(rig, arrived, "logo", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info1@example.co.jp").hard, 1);
	assert_int_equal(rig_app(rig, arrived).hold, HOLD_NONE);

	rig_run_days(rig, 30);
	(void)bounce(rig, silent, "id", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info2@example.co.jp").hard, 1);
	assert_int_equal(rig_app(rig, silent).hold, HOLD_NONE);
}

/* The id notice went out a moment ago: nobody knows yet whether it arrived. */
static void test_bounced__a_fresh_notice_proves_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	rig_run_days(rig, 14);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	(void)bounce(rig, id, "id", BOUNCE_HARD); /* late, but it came back */
	assert_int_equal(score_of(rig, "info1@example.co.jp").hard, 2);
	assert_int_equal(rig_app(rig, id).hold, HOLD_REVIEW);
}

/* ---- the other classes ---- */

static void test_bounced__classes_weigh_differently(void **state)
{
	struct rig *rig = *state;
	static const struct {
		enum bounce_class class_;
		int64_t score;
		const char *text;
	} rows[] = {
		{BOUNCE_HARD, 1000, "nobody can be reached"},
		{BOUNCE_SOFT, 250, "in time"},
		{BOUNCE_FULL, 250, "full"},
		{BOUNCE_POLICY, 0, "refuses such mail"},
		{BOUNCE_CONTENT, 0, "what the mail holds"},
		{BOUNCE_UNDECIDED, 0, "no reason can be read"},
	};
	for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
		int64_t id = applied(rig, i + 1);
		assert_filed(rig, bounce(rig, id, "receipt", rows[i].class_), FOLDER_BOUNCE);
		const char *key = pool_printf(rig->pool, "info%d@example.co.jp", i + 1);
		assert_int_equal(score_of(rig, key).score, rows[i].score);
		assert_int_equal(score_of(rig, key).hard, rows[i].class_ == BOUNCE_HARD);
		assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 1);
		assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
		assert_non_null(strstr(why(rig, id), rows[i].text));
	}
	rig_assert_whole(rig);
}

/* A report of delay or success says that nothing came back, and what comes later still counts. */
static void test_bounced__delay_and_success_are_none(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *action;
		enum bounce_class class_;
	} rows[] = {{"delayed", BOUNCE_SOFT}, {"delivered", BOUNCE_NONE}, {"relayed", BOUNCE_NONE}};
	int64_t id = applied(rig, 1);
	struct notice notice = the_notice(rig, id, "receipt");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct received mail = report(rig, &notice, rows[i].class_);
		mail.reading.bounce.action = rows[i].action;
		assert_filed(rig, inbound_receive(rig, &mail), FOLDER_BOUNCE);
	}
	assert_int_equal(score_of(rig, "info1@example.co.jp").at, 0);
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 0);
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info1@example.co.jp").score, 1000);
}

/* Half in 30 days, in a straight line in between; a mailbox that stays full troubles staff at last. */
static void test_bounced__score_decays(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int days;
		int64_t before, after;
	} rows[] = {{0, 2000, 2250}, {15, 2000, 1750}, {30, 2000, 1250}, {60, 1200, 550}, {2000, 2000, 250},
		{-5, 1000, 1250}};
	const char *key = "info1@example.co.jp";
	int64_t id = applied(rig, 1);
	struct notice notice = the_notice(rig, id, "receipt");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct address_score score = {
			.score = rows[i].before, .at = rig->clock.now - (utc_time)rows[i].days * DAY};
		const char *why_ja;
		int64_t again;
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(address_score_set(rig->office.store, key, &score, &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
		if (rig_app(rig, id).hold != HOLD_NONE)
			rig_decide(rig, id, DECISION_APPROVE, "");
		assert_ok(office_resend(
			&rig->office, id, "receipt", "staff:1000", &again, &why_ja, rig->pool, &rig_err));
		(void)rig_send(rig);
		assert_ok(outbox_get(rig->office.store, again, &notice, rig->pool, &rig_err));
		struct received mail = report(rig, &notice, BOUNCE_FULL);
		(void)inbound_receive(rig, &mail);
		assert_int_equal(score_of(rig, key).score, rows[i].after);
		assert_int_equal(rig_app(rig, id).hold, rows[i].after >= 2000 ? HOLD_REVIEW : HOLD_NONE);
	}
	assert_true(may_get_notices(rig, key));
}

/* ---- what proves what ---- */

struct forgery {
	const char *what;
	void (*alter)(struct rig *rig, struct received *mail, const struct notice *notice);
	bool review; /* the mail is for a person; the application never is */
};

static void without_address(struct rig *rig, struct received *mail, const struct notice *notice)
{
	(void)rig;
	(void)notice;
	mail->delivered_to[0] = "bounce@sa.example.jp";
}

static void altered_signature(struct rig *rig, struct received *mail, const struct notice *notice)
{
	char *address = pool_strdup(rig->pool, notice->bounce_address);
	char *last = strchr(address, '@') - 1;
	*last = *last == 'a' ? 'b' : 'a';
	mail->delivered_to[0] = address;
	mail->reading.bounce.message_id = "";
}

static void other_number(struct rig *rig, struct received *mail, const struct notice *notice)
{
	/* The signature of one notice under the number of another. */
	struct str address = STR_INIT;
	uint8_t key[SEAL_KEY_LEN] = {1};
	(void)notice;
	assert_ok(bounceaddr_make(&address, "bounce@sa.example.jp", 1, key, sizeof key, &rig_err));
	mail->delivered_to[0] = pool_strdup(rig->pool, address.s);
	mail->reading.bounce.message_id = "";
	str_free(&address);
}

static void two_addresses(struct rig *rig, struct received *mail, const struct notice *notice)
{
	struct str address = STR_INIT;
	assert_ok(bounceaddr_make(&address, "bounce@sa.example.jp", notice->id + 1,
		secrets_key(&rig->secrets), SEAL_KEY_LEN, &rig_err));
	mail->delivered_to[mail->delivered_to_count++] = pool_strdup(rig->pool, address.s);
	mail->reading.bounce.message_id = "";
	str_free(&address);
}

static void other_recipient(struct rig *rig, struct received *mail, const struct notice *notice)
{
	const char **recipient = pool_alloc(rig->pool, sizeof *recipient);
	without_address(rig, mail, notice);
	*recipient = "somebody@example.com";
	mail->reading.bounce.recipient = recipient;
}

static void no_recipient(struct rig *rig, struct received *mail, const struct notice *notice)
{
	without_address(rig, mail, notice);
	mail->reading.bounce.recipient_count = 0;
}

static void foreign_message_id(struct rig *rig, struct received *mail, const struct notice *notice)
{
	without_address(rig, mail, notice);
	mail->reading.bounce.message_id = "<receipt.99.0@sa.example.jp>";
}

static void empty_message_id(struct rig *rig, struct received *mail, const struct notice *notice)
{
	without_address(rig, mail, notice);
	mail->reading.bounce.message_id = "<>";
}

static void impossible_class(struct rig *rig, struct received *mail, const struct notice *notice)
{
	(void)rig;
	(void)notice;
	mail->reading.bounce.class_ = (enum bounce_class)77;
}

static const struct forgery forgeries[] = {
	{"Message-ID alone", without_address, true},
	{"altered signature", altered_signature, false},
	{"signed with another key", other_number, false},
	{"two signed addresses", two_addresses, false},
	{"Message-ID, another recipient", other_recipient, false},
	{"Message-ID, no recipient", no_recipient, false},
	{"a Message-ID that was never given", foreign_message_id, false},
	{"an empty Message-ID", empty_message_id, false},
	{"a class that is none", impossible_class, false},
};

static void test_bounced__forged_ones_change_nothing(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	struct notice notice = the_notice(rig, id, "receipt");
	for (size_t i = 0; i < sizeof forgeries / sizeof *forgeries; i++) {
		struct received mail = report(rig, &notice, BOUNCE_HARD);
		forgeries[i].alter(rig, &mail, &notice);
		for (int n = 0; n < 3; n++) {
			int64_t message = inbound_receive(rig, &mail);
			if (inbound_message(rig, message).review != forgeries[i].review)
				fail_msg("%s: review", forgeries[i].what);
		}
		if (score_of(rig, "info1@example.co.jp").at || rig_app(rig, id).hold != HOLD_NONE ||
			rig_count_events(rig, id, EVENT_BOUNCE) || no_news(rig, "info1@example.co.jp"))
			fail_msg("%s: it was believed", forgeries[i].what);
	}
	rig_run_days(rig, 21);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");

	/* A true one after the forged ones counts as if they had never come. */
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 1);
	rig_assert_whole(rig);
}

/* A restored copy of the register counts its notices anew: an old letter's address names one that never left. */
static void test_bounced__what_never_left_cant_come_back(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
	assert_filed(rig, bounce(rig, id, "receipt", BOUNCE_HARD), FOLDER_BOUNCE);
	assert_int_equal(rig_count_events(rig, id, EVENT_BOUNCE), 0);
	assert_int_equal(score_of(rig, "info1@example.co.jp").at, 0);
}

/* ---- whom it concerns ---- */

static void test_bounced__carriers_may_be_filters(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *mail;
		bool carrier;
	} rows[] = {{"a..b.@docomo.ne.jp", true}, {"info@ezweb.ne.jp", true}, {"info@t.vodafone.ne.jp", true},
		{"info@notdocomo.ne.jp.example.jp", false}, {"info@xdocomo.ne.jp", false}};
	rig_configure(rig, "bounce_limit = 1;");
	for (int i = 0; i < (int)(sizeof rows / sizeof *rows); i++) {
		struct form_values form = rig_form(rig, i + 1);
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = rows[i].mail;
		int64_t id = rig_register(rig, &form);
		(void)rig_turn(rig);
		(void)bounce(rig, id, "receipt", BOUNCE_HARD);
		struct application app = rig_app(rig, id);
		assert_int_equal(app.hold, HOLD_REVIEW);
		if ((strstr(app.hold_reason, "受信拒否設定") != NULL) != rows[i].carrier ||
			(strstr(why(rig, id), "mobile carrier") != NULL) != rows[i].carrier)
			fail_msg("%s", rows[i].mail);
	}
}

/* What has ended, and what staff hold already, stays as it is. */
static void test_bounced__ended_and_held_stay(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "bounce_limit = 1;");
	int64_t ended = applied(rig, 1), held = applied(rig, 2);
	rig_decide(rig, ended, DECISION_WITHDRAW, "取下げ");
	rig_decide(rig, held, DECISION_HOLD, "確認中");
	(void)bounce(rig, ended, "receipt", BOUNCE_HARD);
	(void)bounce(rig, held, "receipt", BOUNCE_HARD);
	assert_int_equal(rig_app(rig, ended).state, STATE_WITHDRAWN);
	assert_int_equal(rig_app(rig, ended).hold, HOLD_NONE);
	assert_int_equal(rig_count_events(rig, ended, EVENT_REVIEW), 0);
	assert_int_equal(rig_count_events(rig, ended, EVENT_BOUNCE), 1);
	assert_int_equal(rig_app(rig, held).hold, HOLD_STAFF);
	assert_string_equal(rig_app(rig, held).hold_reason, "確認中");
	rig_assert_whole(rig);
}

/* The address was corrected since: the old one is dead, and nobody's any more. */
static void test_bounced__an_old_address_troubles_nobody(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "bounce_limit = 1;");
	int64_t id = applied(rig, 1);
	struct application app = rig_app(rig, id);
	app.form.value[FIELD_MAIL] = app.form.value[FIELD_MAIL_CONFIRM] = "new@example.co.jp";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(rig->office.store, &app, "c:1", "new@example.co.jp", &rig_err));
	const struct history_row row = {.at = rig->clock.now,
		.application_id = id,
		.event = EVENT_CORRECT,
		.from = app.state,
		.to = app.state,
		.actor = "staff:1000",
		.note = ""};
	assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	(void)bounce(rig, id, "receipt", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "info1@example.co.jp").hard, 1);
	assert_int_equal(score_of(rig, "new@example.co.jp").at, 0);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
	rig_assert_whole(rig);
}

/* Two businesses behind one address: what comes back from it adds up. */
static void test_bounced__an_address_adds_up(void **state)
{
	struct rig *rig = *state;
	int64_t id[2];
	for (int i = 0; i < 2; i++) {
		struct form_values form = rig_form(rig, i + 1);
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "Office@example.co.jp";
		id[i] = rig_register(rig, &form);
	}
	(void)rig_turn(rig);
	(void)bounce(rig, id[0], "receipt", BOUNCE_HARD);
	(void)bounce(rig, id[1], "receipt", BOUNCE_HARD);
	assert_int_equal(score_of(rig, "office@example.co.jp").hard, 2);
	assert_int_equal(rig_app(rig, id[0]).hold, HOLD_NONE);
	assert_int_equal(rig_app(rig, id[1]).hold, HOLD_REVIEW);
}

/* ---- confirmations ---- */

static int64_t asked_to_stop(struct rig *rig, int64_t id)
{
	struct received mail = inbound_mail(REQUEST_STOP, inbound_address(rig, id));
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.business_name = "株式会社サンプル1";
	mail.reading.from_form = true;
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	(void)rig_send(rig);
	return message;
}

/* Whatever the reason: an answer can't come any more. */
static void test_bounced__confirmation_goes_to_staff(void **state)
{
	struct rig *rig = *state;
	static const enum bounce_class classes[] = {
		BOUNCE_HARD, BOUNCE_SOFT, BOUNCE_POLICY, BOUNCE_FULL, BOUNCE_CONTENT, BOUNCE_UNDECIDED};
	for (int i = 0; i < (int)(sizeof classes / sizeof *classes); i++) {
		int64_t id = applied(rig, 1);
		rig_run_days(rig, 11); /* no weekend or holiday is that long */
		int64_t asked = asked_to_stop(rig, id);
		struct notice notice = the_notice(rig, id, "confirm-stop");
		struct received mail = report(rig, &notice, classes[i]);
		if (i % 2) /* its Message-ID is no guess: the token stands in it */
			mail.delivered_to_count = 0;
		mail.reading.bounce.action = "delayed";
		(void)inbound_receive(rig, &mail);
		assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_ASKED);
		mail.reading.bounce.action = "failed";
		(void)inbound_receive(rig, &mail);
		assert_int_equal(inbound_request(rig, asked).state, REQUEST_STATE_REVIEW);
		assert_true(inbound_message(rig, asked).review);
		assert_non_null(strstr(inbound_request(rig, asked).note, "確認のメールが戻りました"));
		assert_int_equal(rig_app(rig, id).state, STATE_ID_ISSUED);
		const char *why_ja;
		assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "電話", "staff:1000", &why_ja,
			rig->pool, &rig_err));
	}
	rig_assert_whole(rig);
}

/* ---- machines ---- */

/* A colleague's vacation notice: tied to the case by the bounce address it was sent to, or by the sender and what it answers; nothing follows. */
static void test_bounced__automatic_replies_find_their_case(void **state)
{
	struct rig *rig = *state;
	int64_t id = applied(rig, 1);
	struct notice notice = the_notice(rig, id, "receipt");
	static const struct {
		const char *from;
		bool address, answers, found;
	} rows[] = {
		{"colleague@example.co.jp", true, false, true},
		{"info1@example.co.jp", false, true, true},
		{"colleague@example.co.jp", false, true, false}, /* a Message-ID can be guessed */
		{"info1@example.co.jp", false, false, false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct received mail = inbound_mail(REQUEST_AUTO_REPLY, rows[i].from);
		mail.automatic = true;
		mail.delivered_to[0] = notice.bounce_address;
		mail.delivered_to_count = rows[i].address;
		mail.answers[0] = notice.message_id;
		mail.answers_count = rows[i].answers;
		int64_t message = inbound_receive(rig, &mail);
		assert_int_equal(inbound_request(rig, message).application_id, rows[i].found ? id : 0);
		assert_int_equal(inbound_message(rig, message).folder, FOLDER_DONE);
		assert_string_equal(inbound_queued(rig), "");
	}
	assert_int_equal(score_of(rig, "info1@example.co.jp").at, 0);
	assert_int_equal(rig_app(rig, id).hold, HOLD_NONE);
}

/* ---- copies for 送信済み ---- */

static enum outcome first_unknown(const struct notice *notice)
{
	static int tries;
	(void)notice;
	return tries++ == 0 ? OUTCOME_UNKNOWN : OUTCOME_ACCEPTED;
}

static enum outcome refuse(const struct notice *notice)
{
	(void)notice;
	return OUTCOME_PERMANENT;
}

static int64_t next_copy(struct rig *rig, int64_t after)
{
	int64_t id = 0;
	assert_ok(copy_next(rig->office.store, after, &id, &rig_err));
	return id;
}

static void test_bounced__copies_of_what_was_sent(void **state)
{
	struct rig *rig = *state;
	(void)applied(rig, 1);
	assert_int_equal(next_copy(rig, 0), 0); /* none are kept unless a folder is named */

	rig_configure(rig, "mailbox = { sent = \"送信済み\"; };");
	rig->answer = first_unknown;
	int64_t unknown = rig_apply(rig, 2);
	(void)rig_send(rig);
	assert_int_equal(next_copy(rig, 0), 0);
	rig_run_until(rig, rig->clock.now + 3700);
	assert_string_equal(rig_outbox(rig, unknown), "receipt/sent");
	int64_t copy = next_copy(rig, 0);
	assert_int_equal(copy, the_notice(rig, unknown, "receipt").id);
	assert_int_equal(next_copy(rig, copy), 0);

	rig->answer = refuse;
	(void)applied(rig, 3);
	assert_int_equal(next_copy(rig, copy), 0);

	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(copy_done(rig->office.store, copy, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(next_copy(rig, 0), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_bounced__##name, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(once_goes_on),
		TEST(twice_asks_staff),
		TEST(limit_is_configured),
		TEST(a_notice_counts_once),
		TEST(a_resend_counts_too),
		TEST(a_run_ends),
		TEST(a_fresh_notice_proves_nothing),
		TEST(classes_weigh_differently),
		TEST(delay_and_success_are_none),
		TEST(score_decays),
		TEST(forged_ones_change_nothing),
		TEST(what_never_left_cant_come_back),
		TEST(carriers_may_be_filters),
		TEST(ended_and_held_stay),
		TEST(an_old_address_troubles_nobody),
		TEST(an_address_adds_up),
		TEST(confirmation_goes_to_staff),
		TEST(automatic_replies_find_their_case),
		TEST(copies_of_what_was_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
