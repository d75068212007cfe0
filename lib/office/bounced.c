/*
 * bounced.c - a notice came back
 *
 * What a report says is believed as far as it proves that its writer had the notice:
 *
 *   signed bounce address   the report went to the envelope sender of one notice, which only servers on its way have seen: it counts.
 *   Message-ID              it names a notice and the address that notice went to; both can be guessed. The mail is written down with its application, a hard one
 *                           lies in 要確認 for a person to look at, and that is all: no score, no hold, no line that says a notice came back.
 *   neither                 written down. What can't be tied to a notice counts for nothing (forged ones above all).
 *
 * What counts: each notice once, however many reports come. An address has a score in thousandths that halves every bounce_decay_days, and a run of hard bounces:
 * different notices, or the same one sent again, one after another. The run is over when bounce_decay_days pass without a bounce, or when a notice in between did not come
 * back for two days. The notice that goes out next is the probe: nothing is sent for the sake of probing.
 *
 * At bounce_limit (two hard ones in a row, or a score of as many) the application goes to 要確認 and the address gets no mail news any more. Notices of the cadence
 * are never switched off by bounces: people decide, and each further hard bounce asks them again. A report of delay or of success says nothing, one that gives
 * no reason scores nothing.
 *
 * A confirmation that came back will not be answered: its request goes to 要確認 at once, whatever the reason was.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/base/i18n.h"
#include "lib/base/log.h"
#include "lib/mail/bounceaddr.h"
#include "lib/office/inbound_p.h"

#define POINT ((int64_t)1000) /* one hard bounce */
#define DAY_SECONDS ((int64_t)86400)
/* A letter that did not come back for so long has arrived: most servers refuse at once, and what waits longer says so in between. */
#define ARRIVED_SECONDS (2 * DAY_SECONDS)

static const struct {
	int64_t points; /* what it says about the address; refusals for policy or content speak of the letter or its way */
	const char *text, *text_ja;
} classes[] = {
	[BOUNCE_NONE] = {0, "", ""},
	[BOUNCE_HARD] = {POINT, "nobody can be reached at that address", "宛先が見つかりません"},
	[BOUNCE_SOFT] = {POINT / 4, "it could not be delivered in time",
		"一時的な不具合が続き、届きませんでした"},
	[BOUNCE_POLICY] = {0, "the receiving side refuses such mail",
		"受信側の設定（送信元の拒否など）で受け取られませんでした"},
	[BOUNCE_FULL] = {POINT / 4, "the mailbox is full", "受信箱がいっぱいです"},
	[BOUNCE_CONTENT] = {0, "refused for what the mail holds",
		"内容または大きさを理由に受け取られませんでした"},
	[BOUNCE_UNDECIDED] = {0, "no reason can be read", "理由を読み取れません"},
};

_Static_assert(sizeof classes / sizeof classes[0] == BOUNCE_CLASSES, "the register counts each class");

const char *office_bounce_text(int64_t bounce_class)
{
	if (bounce_class < 0 || bounce_class >= BOUNCE_CLASSES)
		bounce_class = BOUNCE_UNDECIDED;
	return i18n_japanese() ? classes[bounce_class].text_ja : classes[bounce_class].text;
}

/* ---- carriers ---- */

#define CARRIER_HINT_JA                                                                                                                                    \
	"携帯電話会社のアドレスでは、本人の受信拒否設定でも同じ返送になります。受信設定を確かめてもらい、" \
	"そのあとで再送してください。"

bool office_is_carrier(const char *domain)
{
	static const char *const carriers[] = {"docomo.ne.jp", "mopera.net", "ezweb.ne.jp", "au.com",
		"uqmobile.jp", "softbank.ne.jp", "i.softbank.jp", "vodafone.ne.jp", "disney.ne.jp",
		"y-mobile.ne.jp", "ymobile.ne.jp", "ymobile1.ne.jp", "emnet.ne.jp", "willcom.com",
		"pdx.ne.jp", "rakuten.jp"};
	size_t len = strlen(domain);
	for (size_t i = 0; i < sizeof carriers / sizeof carriers[0]; i++) {
		size_t tail = strlen(carriers[i]);
		if (len >= tail && strcmp(domain + len - tail, carriers[i]) == 0 &&
			(len == tail || domain[len - tail - 1] == '.'))
			return true; /* d.vodafone.ne.jp and the like, too */
	}
	return false;
}

/* ---- which notice ---- */

struct bounced {
	struct inbound *in;
	const struct bounce *report;
	enum bounce_class class_; /* BOUNCE_NONE: nothing came back (yet) */
	struct notice notice; /* id 0: none of ours */
	bool by_address;
	const char *key; /* inbound_mail_key() of the address that failed; "" */
};

static enum rc get_sent(struct inbound *in, int64_t id, struct notice *out)
{
	struct notice notice;
	enum rc rc = outbox_get(in->office->store, id, &notice, in->pool, in->err);
	if (rc == RC_REFUSED)
		return RC_OK;
	/* What never left can't come back: the register is older than the letter (a restored copy counts its notices anew). */
	if (rc == RC_OK && (notice.state == OUTBOX_SENT || notice.state == OUTBOX_UNKNOWN ||
				   notice.state == OUTBOX_SENDING))
		*out = notice;
	return rc;
}

/* Signatures of several notices in one mail prove nothing about any of them. */
enum rc inbound_sent_back(struct inbound *in, struct notice *out)
{
	const struct received *received = in->received;
	const uint8_t *key = secrets_key(in->office->secrets);
	int64_t found = 0;
	*out = (struct notice){0};
	if (!key)
		return RC_OK;
	for (size_t i = 0; i < received->delivered_to_count; i++) {
		int64_t id = bounceaddr_read(
			received->delivered_to[i], in->office->settings->bounce_mail, key, SEAL_KEY_LEN);
		if (id && found && id != found)
			return RC_OK;
		found = id ? id : found;
	}
	return found ? get_sent(in, found, out) : RC_OK;
}

static bool names_recipient(const struct bounced *b, const char *key)
{
	for (size_t i = 0; i < b->report->recipient_count; i++)
		if (*key && strcmp(inbound_mail_key(b->in, b->report->recipient[i]), key) == 0)
			return true;
	return false;
}

static enum rc match_message_id(struct bounced *b, struct err *err)
{
	const char *text = b->report->message_id;
	size_t start = strspn(text, "< \t"), len = strcspn(text + start, "> \t");
	int64_t id = 0;
	if (len == 0)
		return RC_OK;
	enum rc rc = outbox_by_message_id(
		b->in->office->store, pool_strndup(b->in->pool, text + start, len), &id, err);
	if (rc == RC_OK && id)
		rc = get_sent(b->in, id, &b->notice);
	if (rc == RC_OK && b->notice.id && !names_recipient(b, inbound_mail_key(b->in, b->notice.recipient)))
		b->notice.id = 0;
	return rc;
}

static enum rc match(struct bounced *b, struct err *err)
{
	enum rc rc = inbound_sent_back(b->in, &b->notice);
	b->by_address = rc == RC_OK && b->notice.id;
	if (rc == RC_OK && b->notice.id == 0)
		rc = match_message_id(b, err);
	if (rc != RC_OK)
		return rc;
	if (b->notice.id)
		b->key = inbound_mail_key(b->in, b->notice.recipient);
	else
		b->key = b->report->recipient_count ? inbound_mail_key(b->in, b->report->recipient[0]) : "";
	struct application app;
	if (b->notice.id == 0 || b->notice.application_id == 0)
		return RC_OK;
	rc = application_get(b->in->office->store, b->notice.application_id, &app, b->in->pool, err);
	if (rc == RC_OK)
		inbound_take_application(b->in, &app);
	return rc;
}

/* ---- the score ---- */

/* Halved once for each half-life; in between it falls in a straight line. A clock that was set back adds nothing. */
static int64_t decayed(const struct address_score *score, utc_time now, int64_t half)
{
	int64_t age = score->at && now > score->at ? now - score->at : 0;
	if (age / half >= 40)
		return 0;
	int64_t value = score->score >> (age / half);
	return value - value * (age % half) / (2 * half);
}

/* A notice to the same address that the mail server took after the last bounce, and that arrived. */
struct arrival {
	struct bounced *b;
	utc_time after, before;
	bool found;
};

static enum rc take_arrival(void *ctx, const struct notice *notice, struct err *err)
{
	struct arrival *arrival = ctx;
	struct bounced *b = arrival->b;
	int count = 0;
	if (arrival->found || notice->id == b->notice.id || notice->state != OUTBOX_SENT ||
		notice->accepted_at <= arrival->after || notice->accepted_at > arrival->before ||
		strcmp(inbound_mail_key(b->in, notice->recipient), b->key) != 0)
		return RC_OK;
	enum rc rc = bounce_count(b->in->office->store, notice->id, &count, err);
	arrival->found = rc == RC_OK && count == 0;
	return rc;
}

static enum rc run_goes_on(
	struct bounced *b, const struct address_score *score, int64_t half, bool *goes_on, struct err *err)
{
	struct arrival arrival = {.b = b, .after = score->at, .before = b->in->now - ARRIVED_SECONDS};
	*goes_on = false;
	if (score->hard == 0 || b->in->now - score->at > half)
		return RC_OK;
	enum rc rc = RC_OK;
	if (b->notice.application_id)
		rc = outbox_each(b->in->office->store, b->notice.application_id, take_arrival, &arrival, err);
	*goes_on = !arrival.found;
	return rc;
}

/* *limit: the address has had enough of them for a person to look. */
static enum rc score(struct bounced *b, struct address_score *now, bool *limit, struct err *err)
{
	const struct settings *settings = b->in->office->settings;
	struct store *store = b->in->office->store;
	int64_t half = settings->bounce_decay_days * DAY_SECONDS, points = classes[b->class_].points;
	bool goes_on = false;
	*now = (struct address_score){0};
	*limit = false;
	enum rc rc = address_score_get(store, b->key, now, err);
	if (rc == RC_OK)
		rc = run_goes_on(b, now, half, &goes_on, err);
	if (rc != RC_OK || points == 0)
		return rc;
	now->score = decayed(now, b->in->now, half) + points;
	now->at = b->in->now;
	now->hard = goes_on ? now->hard : 0;
	now->hard += b->class_ == BOUNCE_HARD;
	rc = address_score_set(store, b->key, now, err);
	*limit = (b->class_ == BOUNCE_HARD && now->hard >= settings->bounce_limit) ||
		 now->score >= settings->bounce_limit * POINT;
	return rc;
}

/* ---- what follows ---- */

static enum rc stop_news(struct bounced *b, struct err *err)
{
	struct inbound *in = b->in;
	bool already = false;
	enum rc rc = suppression_has(in->office->store, b->key, SUPPRESS_NEWS, &already, err);
	if (rc != RC_OK || already)
		return rc;
	rc = suppression_set(in->office->store, b->key, SUPPRESS_NEWS, true, in->now, err);
	if (rc == RC_OK && in->app.id)
		rc = office_note(in->office, &in->app, EVENT_NEWS, ACTOR_DAEMON,
			"通知が続けて戻ったため、このアドレスへの情報送付（メールニュース）を止めました。",
			b->notice.id, 0, err);
	return rc;
}

/* An address that was changed in the meantime troubles nobody any more, and what has ended sends nothing. */
static enum rc ask_staff(struct bounced *b, const struct address_score *now, struct err *err)
{
	struct inbound *in = b->in;
	const char *mail = in->app.id ? in->app.form.value[FIELD_MAIL] : NULL;
	if (!mail || !state_is_live(in->app.state) || in->app.hold == HOLD_REVIEW ||
		strcmp(inbound_mail_key(in, mail), b->key) != 0)
		return RC_OK;
	const char *what =
		b->class_ == BOUNCE_HARD
			? pool_printf(in->pool, "登録アドレスへの通知が続けて%d通、宛先不明で戻りました。",
				  now->hard)
			: "登録アドレスへの通知が届かない状態が続いています。";
	return office_review(in->office, &in->app,
		pool_printf(in->pool,
			"%s電話などで連絡先を確かめてください。このまま続けるときは「許可」、"
			"取り下げるときは「却下」です。%s",
			what, office_is_carrier(b->notice.domain) ? CARRIER_HINT_JA : ""),
		b->notice.id, err);
}

static enum rc weigh(struct bounced *b, struct err *err)
{
	struct address_score now;
	bool limit;
	enum rc rc = score(b, &now, &limit, err);
	if (rc == RC_OK && limit)
		rc = stop_news(b, err);
	return rc == RC_OK && limit ? ask_staff(b, &now, err) : rc;
}

/* The Message-ID of such a mail holds its token: who can name it has seen it. */
static enum rc reopen_request(struct bounced *b, struct err *err)
{
	struct office *office = b->in->office;
	struct token_row token;
	enum rc rc = token_of_notice(office->store, b->notice.id, &token, err);
	if (rc == RC_REFUSED)
		return RC_OK;
	if (rc != RC_OK || (token.purpose != TOKEN_REQUEST && token.purpose != TOKEN_NEW_ADDRESS))
		return rc;
	struct inbound asked;
	rc = inbound_open(&asked, office, token.subject_id, b->in->pool, err);
	if (rc != RC_OK || asked.request.state != REQUEST_STATE_ASKED)
		return rc;
	return inbound_review(
		&asked, pool_printf(b->in->pool,
				"確認のメールが戻りました（%s）。申込者に電話などで確かめてください。",
				classes[b->class_].text_ja));
}

static enum rc note(struct bounced *b, struct err *err)
{
	struct inbound *in = b->in;
	struct str text = STR_INIT;
	str_addz(&text, classes[b->class_].text_ja);
	if (*b->report->status)
		str_printf(&text, "（%s）", b->report->status);
	if (b->class_ == BOUNCE_HARD && office_is_carrier(b->notice.domain))
		str_addz(&text, "。" CARRIER_HINT_JA);
	enum rc rc = in->app.id ? office_note(in->office, &in->app, EVENT_BOUNCE, ACTOR_DAEMON, text.s,
					  b->notice.id, b->class_, err)
				: RC_OK;
	str_free(&text);
	return rc;
}

/* A notice of ours came back. */
static enum rc came_back(struct bounced *b, struct err *err)
{
	int earlier = 0;
	const struct bounce_row row = {.message_id = b->in->message->id,
		.notice_id = b->notice.id,
		.class_ = b->class_,
		.by_address = b->by_address,
		.mail_key = b->key,
		.at = b->in->now};
	enum rc rc = b->notice.id ? bounce_count(b->in->office->store, b->notice.id, &earlier, err) : RC_OK;
	if (rc == RC_OK)
		rc = bounce_add(b->in->office->store, &row, err);
	if (rc != RC_OK || b->notice.id == 0 || b->class_ == BOUNCE_NONE)
		return rc;
	/* A mail to the desk: recorded, and health tells of it. */
	if (office_is_desk_mail(&b->notice))
		return RC_OK;
	rc = reopen_request(b, err);
	if (rc != RC_OK || !b->by_address || earlier > 0)
		return rc;
	rc = note(b, err);
	return rc == RC_OK ? weigh(b, err) : rc;
}

/* For staff: what became of the report itself. */
static enum rc finish(struct bounced *b)
{
	struct inbound *in = b->in;
	const char *what = classes[b->class_].text_ja;
	const char *number = pool_printf(in->pool, "%" PRId64, b->notice.id);
	bool desk = b->notice.id && office_is_desk_mail(&b->notice);
	if (b->notice.id && !desk && !b->by_address && b->class_ == BOUNCE_HARD)
		return inbound_review(in,
			pool_printf(in->pool,
				"通知%"
				"sが宛先不明で戻ったという知らせですが、署名のある返送先に届いたものではなく"
				"、"
				"Message-IDだけが一致しています。偽造かもしれないため、何も止めていません。",
				number));
	const char *note_ja;
	if (b->notice.id == 0)
		note_ja = "事務局が送信した通知と照合できないため、記録だけしました。";
	else if (b->class_ == BOUNCE_NONE)
		note_ja =
			pool_printf(in->pool, "通知%sについての配信の知らせです。記録だけしました。", number);
	else
		note_ja = pool_printf(in->pool, "通知%sが戻りました：%s。", number, what);
	return inbound_close(in, REQUEST_STATE_DONE, PROOF_NONE, note_ja);
}

enum rc inbound_bounce(struct inbound *in)
{
	const struct bounce *report = &in->received->reading.bounce;
	bool came = strcmp(report->action, "delayed") != 0 && report->class_ > BOUNCE_NONE &&
		    report->class_ <= BOUNCE_UNDECIDED;
	struct bounced b = {
		.in = in, .report = report, .class_ = came ? report->class_ : BOUNCE_NONE, .key = ""};
	enum rc rc = match(&b, in->err);
	if (rc == RC_OK)
		rc = came_back(&b, in->err);
	if (rc == RC_OK)
		log_event(LEVEL_NOTICE, "bounce", "message=%" PRId64 " notice=%" PRId64 " class=%s by=%s",
			in->message->id, b.notice.id, bounce_class_name(b.class_),
			b.by_address  ? "address"
			: b.notice.id ? "message-id"
				      : "nothing");
	return rc == RC_OK ? finish(&b) : rc;
}
