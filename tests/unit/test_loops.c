/*
 * Robots that answer every mail they get (T9, T10): whatever they say, the exchange ends, and the number of mails is known beforehand.
 *
 * Each robot begins with a request of its own and answers everything that the office sends to its address, for two weeks, cadence and all.
 */
#include "raw_rig.h"

#include "lib/mail/message.h"

#define ROUNDS_MAX 30 /* more is a loop */
#define STRANGER "robot@stranger.example.net"

/* ---- what starts it ---- */

struct opening {
	const char *name, *from, *subject, *text;
};

#define STOP_TEXT                                                                                                           \
	"下記のとおりロゴマークの使用を中止します。\n\n自己宣言ID：{ID}\n事業者名：{NAME}\n" \
	"代表者：見本 太郎\n担当者：見本 花子\nメールアドレス：{MAIL}\n中止理由：廃業のため\n"
#define RESEND_TEXT                                                                                          \
	"{NAME}です。自己宣言IDのお知らせのメールを紛失しました。再送をお願いします。\n自己宣言ID：{ID}\n"
#define NEWS_TEXT "{NAME}です。メールニュースの配信停止をお願いします。\n"
#define ENQUIRY_TEXT                                                                                                              \
	"自己宣言IDを忘れてしまいました。ご教示ください。\n法人番号：{NUMBER}\n事業者名：{NAME}" \
	"\n都道府県：東京都\n"

static const struct opening openings[] = {
	{"stop", "{MAIL}", "ロゴマーク使用中止のお願い", STOP_TEXT},
	{"resend", "{MAIL}", "再送のお願い", RESEND_TEXT},
	{"news", "{MAIL}", "メールニュース配信停止のお願い", NEWS_TEXT},
	{"enquiry", "{MAIL}", "自己宣言IDの照会", ENQUIRY_TEXT},
	{"a stranger's resend", STRANGER, "再送のお願い", RESEND_TEXT},
	{"a stranger's enquiry", STRANGER, "自己宣言IDの照会", ENQUIRY_TEXT},
	{"nothing", "{MAIL}", "", ""},
};
#define OPENINGS (sizeof openings / sizeof *openings)

/* ---- who answers ---- */

struct robot {
	const char *name;
	const char *return_path; /* NULL: its own address */
	const char *head; /* further fields; NULL: none */
	const char *subject; /* NULL: Re: and the subject it answers */
	const char *says;
	bool quotes;
	bool repeats; /* sends its request again, as if nothing had come */
	bool returns; /* reports that the letter could not be delivered */
	int mails[OPENINGS]; /* that the office sends besides the notices of the cadence */
};

#define ONCE                                                                                                 \
	{                                                                                                    \
		1, 1, 1, 1, 2, 2, 0                                                                          \
	} /* a stranger gets one text, and the registered address what was asked for */

static const struct robot robots[] = {
	{.name = "says what it is",
		.head = "Auto-Submitted: auto-replied\n",
		.says = "受け取りました。",
		.quotes = true,
		.mails = ONCE},
	{.name = "null sender", .return_path = "", .says = "受け取りました。", .quotes = true, .mails = ONCE},
	{.name = "a Japanese subject",
		.subject = "自動返信：ただいま不在にしております",
		.says = "本日は休業しております。",
		.quotes = true,
		.mails = ONCE},
	{.name = "acknowledges in plain words",
		.says = "お問い合わせを受け付けました。担当者より3営業日以内にご連絡いたします。",
		.quotes = true,
		.mails = ONCE},
	{.name = "a mailing list",
		.head = "Precedence: list\nList-Id: <all.robot.example.net>\n",
		.quotes = true,
		.mails = ONCE},
	{.name = "sends our own mail back",
		.head = "X-Sengen-Notice: {MESSAGE_ID}\n",
		.quotes = true,
		.mails = ONCE},
	{.name = "returns everything", .return_path = "", .returns = true, .mails = ONCE},
	/* Nothing tells these from a person who answers: the confirmation, and the result that nobody can answer any more. */
	{.name = "nothing to know it by",
		.says = "ご連絡ありがとうございます。",
		.mails = {2, 1, 1, 1, 2, 2, 0}},
	{.name = "quotes, nothing to know it by",
		.says = "ご連絡ありがとうございます。",
		.quotes = true,
		.mails = {2, 1, 1, 1, 2, 2, 0}},
	{.name = "Reply-To is the office",
		.head = "Reply-To: " OFFICE "\n",
		.says = "ご連絡ありがとうございます。",
		.quotes = true,
		.mails = {2, 1, 1, 1, 2, 2, 0}},
	/* One confirmation a request; two letters a day (resends_per_day), and two more when the logo notice comes; one text a day to a stranger. */
	{.name = "asks again", .repeats = true, .mails = {1, 4, 2, 4, 3, 3, 0}},
	{.name = "asks again, null sender", .return_path = "", .repeats = true, .mails = ONCE},
	{.name = "asks again, automatically",
		.head = "Auto-Submitted: auto-generated\n",
		.repeats = true,
		.mails = ONCE},
};

struct exchange {
	struct rig *rig;
	const struct robot *robot;
	const struct opening *opening;
	struct raw_value value[16];
	const char *address; /* the robot's */
	int64_t seen; /* notices that have come so far */
	int mails; /* besides the notices of the cadence */
	int serial;
};

#define HEAD                                                                                                 \
	"Return-Path: <%s>\nDelivered-To: %s\n"                                                              \
	"Authentication-Results: " OUR_SERVER "; dkim=pass header.d={DOMAIN}\n"                              \
	"Received: from mail.{DOMAIN} by " OUR_SERVER "; Mon, 01 Jun 2026 10:00:00 +0900\n"                  \
	"From: {FROM}\nTo: %s\nMessage-ID: <%d@{DOMAIN}>\nDate: Mon, 01 Jun 2026 10:00:00 +0900\n%s"
#define TEXT "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n"

/* rest: from its Subject on. */
static void post(
	struct exchange *x, const char *return_path, const char *to, const char *head, const char *rest)
{
	struct str mail = STR_INIT;
	str_printf(&mail, HEAD, return_path ? return_path : "{FROM}", to, to, ++x->serial, head ? head : "");
	str_addz(&mail, rest);
	/* Twice: what is filled in for {FROM} may be {MAIL}. */
	(void)raw_receive(x->rig, raw_mail(x->rig, raw_mail(x->rig, mail.s, x->value), x->value));
	str_free(&mail);
}

static void ask(struct exchange *x, const char *return_path, const char *head)
{
	const struct opening *opening = x->opening;
	if (*opening->text)
		post(x, return_path, OFFICE, head,
			pool_printf(
				x->rig->pool, "Subject: %s\n" TEXT "%s", opening->subject, opening->text));
}

static const char *quoted(struct pool *pool, const char *text)
{
	struct str out = STR_INIT;
	for (const char *at = text; *at;) {
		size_t len = strcspn(at, "\n");
		str_printf(&out, "> %.*s\n", (int)len, at);
		at += len + (at[len] == '\n');
	}
	const char *copy = pool_strdup(pool, out.s);
	str_free(&out);
	return copy;
}

static void answer(struct exchange *x, const struct notice *notice)
{
	const struct robot *robot = x->robot;
	struct pool *pool = x->rig->pool;
	struct str wire = STR_INIT;
	struct message letter;
	if (robot->repeats) {
		ask(x, robot->return_path, robot->head);
		return;
	}
	if (robot->returns) {
		const struct raw_value values[] = {
			{"{NOTICE}", notice->message_id}, {"{RECIPIENT}", notice->recipient}, {0}};
		post(x, "", notice->bounce_address, NULL,
			raw_mail(x->rig, RAW_REPORT("{NOTICE}", "{RECIPIENT}"), values));
		return;
	}
	rig_letter(x->rig, notice->id, &wire);
	const char *bytes = pool_strndup(pool, wire.s, wire.len);
	assert_ok(message_read(&letter, bytes, wire.len, &message_limits_default, pool, &rig_err));
	str_free(&wire);
	const char *head = pool_printf(pool, "In-Reply-To: <%s>\nReferences: <%s>\n%s", notice->message_id,
		notice->message_id, robot->head ? robot->head : "");
	const char *subject = robot->subject ? robot->subject : pool_printf(pool, "Re: %s", letter.subject);
	/* With the null sender it answers the envelope, as a good one does. */
	const char *to = robot->return_path ? notice->bounce_address : letter.reply_to.address;
	post(x, robot->return_path, to, head,
		pool_printf(pool, "Subject: %s\n" TEXT "%s\n\n%s", subject, robot->says ? robot->says : "",
			robot->quotes ? quoted(pool, message_body(&letter)) : ""));
}

static enum rc take_new(void *ctx, const struct notice *notice, struct err *err)
{
	struct exchange *x = ctx;
	(void)err;
	if (notice->id <= x->seen || notice->state != OUTBOX_SENT)
		return RC_OK;
	x->seen = notice->id;
	x->mails += notice->stage == STAGE_NONE;
	if (strcmp(notice->recipient, x->address) == 0)
		answer(x, notice);
	return RC_OK;
}

/* Everything there is to send is sent and answered, until nothing more comes. */
static void settle(struct exchange *x)
{
	for (int round = 0;; round++) {
		int64_t before = x->seen;
		if (round == ROUNDS_MAX)
			fail_msg("%s, %s: it does not end", x->robot->name, x->opening->name);
		(void)rig_turn(x->rig);
		assert_ok(
			outbox_each_in(x->rig->office.store, OUTBOX_SENT, x->seen, 0, take_new, x, &rig_err));
		if (x->seen == before)
			return;
	}
}

static void run(struct exchange *x)
{
	struct rig *rig = x->rig;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 8);
	struct application app = rig_app(rig, id);
	bool stranger = strcmp(x->opening->from, STRANGER) == 0;
	const struct raw_value values[] = {
		{"{FROM}", x->opening->from},
		{"{ID}", inbound_id(rig, id)},
		{"{NAME}", app.form.value[FIELD_BUSINESS_NAME]},
		{"{MAIL}", app.form.value[FIELD_MAIL]},
		{"{NUMBER}", app.form.value[FIELD_CORPORATE_NUMBER]},
		{"{DOMAIN}", stranger ? "stranger.example.net" : "example.co.jp"},
		{0},
	};
	memcpy(x->value, values, sizeof values);
	x->address = stranger ? STRANGER : app.form.value[FIELD_MAIL];
	struct rig_notices all = rig_notices(rig, id);
	x->seen = all.item[all.count - 1].id;
	ask(x, NULL, NULL);
	for (int day = 0; day < 14; day++) {
		settle(x);
		clock_set(&rig->clock, rig->clock.now + 86400);
	}
	settle(x);
}

static void test_loops__every_exchange_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof robots / sizeof *robots; i++) {
		for (size_t k = 0; k < OPENINGS; k++) {
			struct rig *rig;
			assert_int_equal(rig_setup((void **)&rig), 0);
			rig_configure(rig, "authserv_id = \"" OUR_SERVER "\";");
			struct exchange x = {.rig = rig, .robot = &robots[i], .opening = &openings[k]};
			run(&x);
			if (x.mails != robots[i].mails[k])
				fail_msg("%s, %s: %d mails, not %d", robots[i].name, openings[k].name,
					x.mails, robots[i].mails[k]);
			rig_assert_whole(rig);
			rig_teardown((void **)&rig);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loops__every_exchange_ends),
	};
	return cmocka_run_group_tests(tests, raw_begin, raw_end);
}
