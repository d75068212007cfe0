/*
 * Mails that claim what they can't prove (T16): whoever writes, and whatever stands in them, somebody else's declaration stays as it is, and nobody but its registered
 * address learns anything about it.
 *
 * The victim is 株式会社サンプル1, whose ID was issued and whose logo is to come; the writer has a declaration of his own (株式会社サンプル2) and knows everything
 * of the victim but what was sent to its address alone. Even a trusted DKIM signature of the registered domain would do, and the last rows show that it does.
 */
#include "raw_rig.h"

#include "lib/mail/bounceaddr.h"

#define VICTIM "info1@example.co.jp"
#define WRITER "info2@example.co.jp"
#define FORGER "forger@evil.example.net"

/* Of the mail server of the office; what stands below came with the mail. */
#define RECEIVED                                                                                             \
	"Received: from mail.evil.example.net (mail.evil.example.net [192.0.2.7]) by " OUR_SERVER            \
	" (Postfix) with ESMTPS; Mon, 08 Jun 2026 10:00:00 +0900\n"
#define OURS(result) "Authentication-Results: " OUR_SERVER "; " result "\n" RECEIVED
#define PASS_FORGER OURS("dkim=pass header.d=evil.example.net; spf=pass smtp.mailfrom=evil.example.net")
#define FAIL OURS("dkim=fail header.d=example.co.jp; spf=fail smtp.mailfrom=example.co.jp")
#define NONE OURS("dkim=none; spf=none")

#define TEXT "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"
#define STOP_TEXT                                                                                                           \
	"Subject: ロゴマーク使用中止のお願い\n" TEXT                                                                        \
	"下記のとおりロゴマークの使用を中止します。\n\n自己宣言ID：{ID}\n事業者名：{NAME}\n" \
	"代表者：見本 太郎\n担当者：見本 花子\n中止理由：廃業のため\n"
#define YES_TEXT "Subject: Re: ご確認のお願い\n" TEXT "確認しました。中止してください。\n"
#define CHANGE_TEXT                                                                                                      \
	"Subject: 登録内容変更のお願い\n" TEXT                                                                           \
	"登録メールアドレスの変更をお願いします。\n\n自己宣言ID：{ID}\n事業者名：{NAME}\n" \
	"変更後のメールアドレス：" FORGER "\n"
#define RESEND_TEXT                                                                                                                        \
	"Subject: 再送のお願い\n" TEXT "自己宣言IDのお知らせのメールを紛失しました。再送をお願いします。\n" \
	"自己宣言ID：{ID}\n事業者名：{NAME}\n"
#define ENQUIRY_TEXT                                                                                                                   \
	"Subject: 自己宣言IDの照会\n" TEXT "自己宣言IDを忘れてしまいました。ご教示ください。\n法人番号：{" \
	"NUMBER}\n事業者名：{NAME}\n都道府県：東京都\n"
#define DAEMON "Return-Path: <>\n" NONE "From: Mail Delivery System <MAILER-DAEMON@mx.example.co.jp>\n"

#define NO_OTHER "none"
#define DOUBTED "doubted"

enum before { NOTHING, VICTIM_ASKED, VICTIM_CONFIRMED, WRITER_ASKED };

struct spoof {
	const char *what;
	enum before
		before; /* VICTIM_ASKED: the victim asked for a stop, {TOKEN} waits with it; WRITER_ASKED: likewise {OTHER_TOKEN} */
	const char *head, *text;
	void (*lie)(struct rig *rig, struct received *received); /* a reader that was taken over */
	const char *
		state; /* of the request it became; NO_OTHER: it belongs to one that was there; DOUBTED: and that one is for a person now */
	const char *answers; /* what is queued because of it */
};

/* ---- what a reader that was taken over can write ---- */

/* Anything but a token, a signature or what is not in the mail it reads. */
static void lie_dkim(struct rig *rig, struct received *received)
{
	(void)rig;
	received->from = VICTIM;
	received->authres = (struct authres){.seen = true, .dkim_aligned = true, .spf_aligned = true};
	received->reading.kind = REQUEST_STOP;
	received->reading.review = false;
}

static void lie_change(struct rig *rig, struct received *received)
{
	received->from = VICTIM;
	received->authres = (struct authres){.seen = true, .spf_aligned = true};
	received->reading.kind = REQUEST_CHANGE;
	received->reading.review = false;
	received->reading.from_form = true;
	received->reading.fields.declaration_id = inbound_id(rig, 1);
	received->reading.fields.business_name = "株式会社サンプル1";
	static struct sheet_change address = {
		.item = "担当者メールアドレス", .old = VICTIM, .new_value = FORGER};
	received->reading.fields.change = &address;
	received->reading.fields.change_count = 1;
}

static void lie_tokens(struct rig *rig, struct received *received)
{
	static const char *const guesses[] = {"22222-22222-22222-22222", "ABCDE-FGHJK-MNPQR-STVWX", "", "x"};
	struct rig *unused = rig;
	(void)unused;
	received->from = VICTIM;
	received->automatic = false;
	received->token_count = sizeof guesses / sizeof *guesses;
	for (size_t i = 0; i < received->token_count; i++)
		received->token[i] = guesses[i];
}

static void lie_bounce(struct rig *rig, struct received *received)
{
	static const char *recipients[] = {VICTIM};
	(void)rig;
	received->null_sender = true;
	received->reading.kind = REQUEST_BOUNCE;
	received->reading.review = false;
	received->reading.bounce = (struct bounce){.is_bounce = true,
		.recipient = recipients,
		.recipient_count = 1,
		.action = "failed",
		.status = "5.1.1",
		.message_id = "<id.1.0@sa.example.jp>",
		.class_ = BOUNCE_HARD,
		.permanent = true,
		.permanent_known = true,
		.why = ""};
	received->delivered_to[0] = "bounce+b2.aaaaaaaaaa@sa.example.jp";
	received->delivered_to_count = 1;
}

/* ---- the mails ---- */

static const struct spoof spoofs[] = {
	{"From forged", NOTHING, FAIL "From: " VICTIM "\n", STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"From forged, no result of ours", NOTHING, NONE "From: " VICTIM "\n", STOP_TEXT, NULL, "asked",
		"confirm-stop>" VICTIM},
	{"From forged in its display name", NOTHING, PASS_FORGER "From: \"" VICTIM "\" <" FORGER ">\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"a lookalike domain, signed by itself", NOTHING,
		OURS("dkim=pass header.d=examp1e.co.jp") "From: info1@examp1e.co.jp\n", STOP_TEXT, NULL,
		"asked", "confirm-stop>" VICTIM},
	{"DKIM of another domain", NOTHING, OURS("dkim=pass header.d=evil.example.net") "From: " VICTIM "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"DKIM of a domain below", NOTHING, OURS("dkim=pass header.d=co.jp") "From: " VICTIM "\n", STOP_TEXT,
		NULL, "asked", "confirm-stop>" VICTIM},
	{"results planted below ours", NOTHING,
		NONE "Authentication-Results: " OUR_SERVER "; dkim=pass header.d=example.co.jp\nFrom: " VICTIM
		     "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"results planted below, none of ours", NOTHING,
		RECEIVED "Authentication-Results: " OUR_SERVER
			 "; dkim=pass header.d=example.co.jp\nFrom: " VICTIM "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"results of another server", NOTHING,
		"Authentication-Results: mx.evil.example.net; dkim=pass header.d=example.co.jp\n" RECEIVED
		"From: " VICTIM "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"ARC", NOTHING,
		"ARC-Authentication-Results: i=1; " OUR_SERVER
		"; dkim=pass header.d=example.co.jp\nARC-Seal: i=1; cv=none; d=evil.example.net\n" RECEIVED
		"From: " VICTIM "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"several From", NOTHING,
		OURS("dkim=pass header.d=evil.example.net") "From: " FORGER "\nFrom: " VICTIM "\n", STOP_TEXT,
		NULL, "review", ""},
	{"Reply-To elsewhere", NOTHING, NONE "From: " VICTIM "\nReply-To: " FORGER "\n", STOP_TEXT, NULL,
		"asked", "confirm-stop>" VICTIM},
	{"Reply-To elsewhere, a resend", NOTHING, NONE "From: " VICTIM "\nReply-To: " FORGER "\n",
		RESEND_TEXT, NULL, "done", "id+1>" VICTIM},
	{"a stranger asks for the letter", NOTHING, PASS_FORGER "From: " FORGER "\n", RESEND_TEXT, NULL,
		"done", "id+1>" VICTIM " neutral>" FORGER},
	{"a stranger asks for the ID", NOTHING, PASS_FORGER "From: " FORGER "\n", ENQUIRY_TEXT, NULL, "done",
		"id-answer>" VICTIM " neutral>" FORGER},
	{"another declarer asks for the ID", NOTHING,
		OURS("dkim=pass header.d=example.co.jp") "From: " WRITER "\n", ENQUIRY_TEXT, NULL, "done",
		"id-answer>" VICTIM " neutral>" WRITER},
	{"another declarer stops it", NOTHING, OURS("dkim=pass header.d=example.co.jp") "From: " WRITER "\n",
		STOP_TEXT, NULL, "asked", "confirm-stop>" VICTIM},
	{"a change of address", NOTHING, PASS_FORGER "From: " FORGER "\n", CHANGE_TEXT, NULL, "review", ""},
	{"a change of address, From forged", NOTHING, NONE "From: " VICTIM "\n", CHANGE_TEXT, NULL, "review",
		""},
	{"a guessed ID", NOTHING, PASS_FORGER "From: " FORGER "\n",
		"Subject: 再送のお願い\n" TEXT "IDのメールの再送をお願いします。\n自己宣言ID：40000000001\n",
		NULL, "answered", "neutral>" FORGER},
	{"a guessed Message-ID", NOTHING,
		PASS_FORGER "From: " FORGER
			    "\nIn-Reply-To: <id.1.0@sa.example.jp>\nReferences: <id.1.0@sa.example.jp>\n",
		"Subject: Re: 【SECURITY ACTION】自己宣言IDのお知らせ\n" TEXT
		"使用を中止します。ロゴマークの使用中止をお願いします。\n",
		NULL, "review", ""},
	{"a guessed token", VICTIM_ASKED,
		NONE "From: " VICTIM "\nIn-Reply-To: <ABCDE-FGHJK-MNPQR-STVWX@sa.example.jp>\n", YES_TEXT,
		NULL, "review", ""},
	{"confirmed without the token", VICTIM_ASKED,
		OURS("dkim=pass header.d=example.co.jp") "From: " VICTIM "\n", YES_TEXT, NULL, "review", ""},
	{"the token of the writer's own request", WRITER_ASKED,
		OURS("dkim=pass header.d=example.co.jp") "From: " WRITER "\n",
		"Subject: Re: [{OTHER_TOKEN}]\n" TEXT
		"自己宣言ID：{ID}\n事業者名：{NAME}\n使用を中止します。確認しました。\n",
		NULL, NO_OTHER, "stopped>" WRITER},
	{"a token that was used", VICTIM_CONFIRMED,
		OURS("dkim=pass header.d=example.co.jp") "From: " VICTIM "\n",
		"Subject: Re: [{TOKEN}]\n" TEXT "確認しました。\n", NULL, NO_OTHER, ""},
	{"a reply from another address", VICTIM_ASKED, PASS_FORGER "From: " FORGER "\n",
		"Subject: Re: [{TOKEN}]\n" TEXT "確認しました。\n", NULL, DOUBTED, ""},
	{"a token in a report", VICTIM_ASKED, DAEMON,
		RAW_REPORT("{TOKEN}@sa.example.jp", "somebody@example.com"), NULL, "done", ""},
	{"a forged report by Message-ID", NOTHING, DAEMON, RAW_REPORT("id.1.0@sa.example.jp", VICTIM), NULL,
		"review", ""},
	{"a forged report, altered bounce address", NOTHING, "Delivered-To: {ALTERED}\n" DAEMON,
		RAW_REPORT("x@sa.example.jp", VICTIM), NULL, "done", ""},
	{"a forged report about another", NOTHING, "Delivered-To: {OTHER_BOUNCE}\n" DAEMON,
		RAW_REPORT("id.1.0@sa.example.jp", VICTIM), NULL, "done", ""},
	{"a report that brings a form", NOTHING, DAEMON, STOP_TEXT, NULL, NO_OTHER, ""},
	{"the office itself", NOTHING, NONE "From: " OFFICE "\n", STOP_TEXT, NULL, "review", ""},
	{"a reader that claims a signature", NOTHING, NONE "From: " FORGER "\n",
		"Subject: test\n" TEXT "test\n", lie_dkim, "review", ""},
	{"a reader that claims a change", NOTHING, NONE "From: " FORGER "\n", "Subject: test\n" TEXT "test\n",
		lie_change, "asked", "confirm-change>" VICTIM},
	{"a reader that claims tokens", VICTIM_ASKED, NONE "From: " FORGER "\n",
		"Subject: test\n" TEXT "test\n", lie_tokens, "review", ""},
	{"a reader that claims a report", NOTHING, NONE "From: " FORGER "\n", "Subject: test\n" TEXT "test\n",
		lie_bounce, "review", ""},
};

/* The same from whom it concerns: without these the rows above would prove nothing. */
static const struct genuine {
	struct spoof mail;
	enum state state; /* of the declaration afterwards */
	int bounces; /* rows of its history */
} genuine[] = {
	{{"signed by the registered domain", NOTHING,
		 OURS("dkim=pass header.d=example.co.jp") "From: " VICTIM "\n", STOP_TEXT, NULL, "done",
		 "stopped>" VICTIM},
		STATE_STOPPED, 0},
	{{"the token from the registered address", VICTIM_ASKED, NONE "From: " VICTIM "\n",
		 "Subject: Re: [{TOKEN}]\n" TEXT "確認しました。\n", NULL, NO_OTHER, "stopped>" VICTIM},
		STATE_STOPPED, 0},
	{{"a true report", NOTHING, "Delivered-To: {BOUNCE}\n" DAEMON,
		 RAW_REPORT("id.1.0@sa.example.jp", VICTIM), NULL, "done", ""},
		STATE_ID_ISSUED, 1},
};

/* ---- the office before ---- */

struct scene {
	struct rig *rig;
	int64_t victim, writer;
	struct application before;
	const char *history;
	const char *token, *other_token;
	int64_t request; /* the victim's own; 0: none */
};

static const char *name_of(struct rig *rig, int64_t id)
{
	return rig_app(rig, id).form.value[FIELD_BUSINESS_NAME];
}

/* A stop request by whom it concerns; *token: as the registered address reads it. */
static int64_t ask_to_stop(struct rig *rig, int64_t id, const char **token)
{
	struct strlist found = {0};
	struct received mail = inbound_mail(REQUEST_STOP, inbound_address(rig, id));
	mail.authres = (struct authres){0};
	mail.reading.fields.declaration_id = inbound_id(rig, id);
	mail.reading.fields.business_name = name_of(rig, id);
	mail.reading.from_form = true;
	int64_t message = inbound_receive(rig, &mail);
	assert_int_equal(inbound_request(rig, message).state, REQUEST_STATE_ASKED);
	token_find(&found, inbound_text(rig, "confirm-stop"), 8);
	assert_int_equal(found.count, 1);
	*token = pool_strdup(rig->pool, found.item[0]);
	strlist_free(&found);
	(void)rig_send(rig);
	return inbound_request(rig, message).id;
}

/* What the address answers goes by its own way, so the victim's state is what it was when the forger comes. */
static void confirm(struct scene *scene)
{
	struct rig *rig = scene->rig;
	struct received mail = inbound_mail(REQUEST_OTHER, VICTIM);
	mail.token[0] = scene->token;
	mail.token_count = 1;
	(void)inbound_receive(rig, &mail);
	assert_int_equal(rig_app(rig, scene->victim).state, STATE_STOPPED);
	(void)rig_send(rig);
}

static void set_scene(struct scene *scene, enum before before)
{
	struct rig *rig = scene->rig;
	rig_configure(rig, "authserv_id = \"" OUR_SERVER "\";\ntrust_aligned_dkim = true;");
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_CONTACT] = "例示 一郎";
	scene->victim = rig_register(rig, &form);
	scene->writer = rig_apply(rig, 2);
	rig_run_days(rig, 8);
	scene->token = scene->other_token = "none";
	if (before == VICTIM_ASKED || before == VICTIM_CONFIRMED)
		scene->request = ask_to_stop(rig, scene->victim, &scene->token);
	if (before == VICTIM_CONFIRMED)
		confirm(scene);
	if (before == WRITER_ASKED)
		(void)ask_to_stop(rig, scene->writer, &scene->other_token);
	scene->before = rig_app(rig, scene->victim);
}

static int64_t send_forgery(struct scene *scene, const struct spoof *spoof)
{
	struct rig *rig = scene->rig;
	struct rig_notices victims = rig_notices(rig, scene->victim),
			   writers = rig_notices(rig, scene->writer);
	char *altered = pool_strdup(rig->pool, victims.item[1].bounce_address);
	char *last = strchr(altered, '@') - 1;
	*last = *last == 'a' ? 'b' : 'a';
	const struct raw_value values[] = {
		{"{ID}", inbound_id(rig, scene->victim)},
		{"{NAME}", name_of(rig, scene->victim)},
		{"{NUMBER}", scene->before.form.value[FIELD_CORPORATE_NUMBER]},
		{"{TOKEN}", scene->token},
		{"{OTHER_TOKEN}", scene->other_token},
		{"{ALTERED}", altered},
		{"{BOUNCE}", victims.item[1].bounce_address},
		{"{OTHER_BOUNCE}", writers.item[1].bounce_address},
		{0},
	};
	const char *raw = pool_printf(rig->pool,
		"%sTo: " OFFICE
		"\nMessage-ID: <1@evil.example.net>\nDate: Mon, 08 Jun 2026 10:00:00 +0900\n%s",
		spoof->head, spoof->text);
	struct received received = raw_read(rig, raw_mail(rig, raw, values));
	if (spoof->lie)
		spoof->lie(rig, &received);
	return inbound_receive(rig, &received);
}

/* ---- and after ---- */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static void check_victim(struct scene *scene, const struct spoof *spoof)
{
	struct application after = rig_app(scene->rig, scene->victim);
	const struct application *before = &scene->before;
	bool same = after.state == before->state && after.hold == before->hold &&
		    after.stage == before->stage && after.due_at == before->due_at &&
		    after.stopped_on == before->stopped_on && after.declaration_id == before->declaration_id;
	for (int i = 0; i < FIELD_COUNT; i++)
		same = same && same_text(after.form.value[i], before->form.value[i]);
	if (!same)
		fail_msg("%s: the declaration was changed: %s, %s", spoof->what, state_name(after.state),
			hold_name(after.hold));
	bool news, case_mail, dead;
	struct store *store = scene->rig->office.store;
	assert_ok(suppression_has(store, VICTIM, SUPPRESS_NEWS, &news, &rig_err));
	assert_ok(suppression_has(store, VICTIM, SUPPRESS_CASE_MAIL, &case_mail, &rig_err));
	assert_ok(suppression_has(store, VICTIM, SUPPRESS_DEAD, &dead, &rig_err));
	if (news || case_mail || dead)
		fail_msg("%s: the address was switched off", spoof->what);
}

/* No letter to anybody else says anything of the victim. */
static void check_letters(struct scene *scene, const struct spoof *spoof)
{
	struct rig *rig = scene->rig;
	const struct application *app = &scene->before;
	const char *secrets[] = {pool_printf(rig->pool, "%" PRId64, app->declaration_id),
		pool_printf(rig->pool, "%" PRId64, app->user_number), app->form.value[FIELD_BUSINESS_NAME],
		app->form.value[FIELD_MAIL], app->form.value[FIELD_CORPORATE_NUMBER],
		app->form.value[FIELD_CONTACT], scene->token};
	struct inbound_queue queue = inbound_queue(rig);
	for (int i = 0; i < queue.count; i++) {
		if (strcmp(queue.item[i].recipient, VICTIM) == 0)
			continue;
		const char *text = rig_text(rig, queue.item[i].id);
		for (size_t k = 0; k < sizeof secrets / sizeof *secrets; k++)
			if (strstr(text, secrets[k]))
				fail_msg("%s: a letter to %s says %s", spoof->what, queue.item[i].recipient,
					secrets[k]);
	}
}

static void check_request(struct scene *scene, const struct spoof *spoof, int64_t message)
{
	struct rig *rig = scene->rig;
	struct request request = inbound_request(rig, message);
	bool doubted = strcmp(spoof->state, DOUBTED) == 0;
	const char *state = request.id ? request_state_name(request.state) : doubted ? DOUBTED : NO_OTHER;
	const char *queued = inbound_queued(rig);
	if (strcmp(state, spoof->state) != 0 || strcmp(queued, spoof->answers) != 0)
		fail_msg("%s: %s, \"%s\" (%s)", spoof->what, state, queued, request.id ? request.note : "");
	bool review = strcmp(spoof->state, "review") == 0 || doubted;
	if (inbound_message(rig, message).review != review)
		fail_msg("%s: the mail is %sfor a person", spoof->what, review ? "not " : "");
}

/* What the victim asked for itself waits as before; a mail that knows its token and is not from it brings it before a person. */
static void check_own_request(struct scene *scene, const struct spoof *spoof)
{
	struct request own;
	if (spoof->before != VICTIM_ASKED)
		return;
	assert_ok(request_get(scene->rig->office.store, scene->request, &own, scene->rig->pool, &rig_err));
	if (own.state != (strcmp(spoof->state, DOUBTED) == 0 ? REQUEST_STATE_REVIEW : REQUEST_STATE_ASKED))
		fail_msg("%s: the victim's own request is %s", spoof->what, request_state_name(own.state));
}

static void try_spoof(const struct spoof *spoof)
{
	struct rig *rig;
	assert_int_equal(rig_setup((void **)&rig), 0);
	struct scene scene = {.rig = rig};
	set_scene(&scene, spoof->before);
	int64_t message = send_forgery(&scene, spoof);
	check_request(&scene, spoof, message);
	check_victim(&scene, spoof);
	check_letters(&scene, spoof);
	check_own_request(&scene, spoof);
	/* The cadence goes on as if nothing had come. */
	if (scene.before.state == STATE_ID_ISSUED) {
		rig_run_days(rig, 20);
		assert_int_equal(rig_app(rig, scene.victim).state, STATE_LOGO_AUTHORIZED);
	}
	rig_assert_whole(rig);
	rig_teardown((void **)&rig);
}

static void test_spoof__nothing_is_changed_or_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof spoofs / sizeof *spoofs; i++)
		try_spoof(&spoofs[i]);
}

static void test_spoof__the_genuine_act(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof genuine / sizeof *genuine; i++) {
		struct rig *rig;
		assert_int_equal(rig_setup((void **)&rig), 0);
		struct scene scene = {.rig = rig};
		set_scene(&scene, genuine[i].mail.before);
		check_request(&scene, &genuine[i].mail, send_forgery(&scene, &genuine[i].mail));
		assert_int_equal(rig_app(rig, scene.victim).state, genuine[i].state);
		assert_int_equal(rig_count_events(rig, scene.victim, EVENT_BOUNCE), genuine[i].bounces);
		rig_teardown((void **)&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spoof__the_genuine_act),
		cmocka_unit_test(test_spoof__nothing_is_changed_or_told),
	};
	return cmocka_run_group_tests(tests, raw_begin, raw_end);
}
