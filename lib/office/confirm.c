/*
 * confirm.c - tokens: sent to the registered address, and what a mail that brings one back proves
 *
 * A token proves one thing: that whoever reads the mail of the address it was sent to has answered. It counts once, in time, from that address itself, while its
 * request still waits for it, and not when the answer's own words deny it. Anything else that knows a token is for a person.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"

/* An answer longer than this, or one that asks, says more than yes. */
#define YES_CHARS 60

#define REPLY_OBJECTS "確認のメールへの返信に、否定、取消しまたは自動応答と思われる言葉があります"
#define REPLY_ELSEWHERE "確認のメールへの返信が、送付先とは別のアドレスから届きました"
#define REPLY_MOVED "確認のメールを送ったあとに、登録アドレスが変わっています"
#define REPLY_LATE "確認のメールへの返信が、期限後に届きました"
#define REPLY_TOO_LATE "確認のメールへの返信が、この依頼が要確認になってから届きました"
#define REPLY_DECLINED "職員が終了とした依頼（依頼番号%" PRId64 "）への確認の返信です。"

#define REPLY_EXPIRED "アドレス確認のメールへの返信が、申込みの取消し後に届きました。"

/* ---- the address of a new application ---- */

void confirm_token_make(struct office *office, struct draft_order *order, char token[static TOKEN_TEXT_MAX])
{
	const uint8_t *key = secrets_key(office->secrets);
	const struct profile *profile = &order->rules->profile;
	if (order->stage == STAGE_NONE || !profile->stage[order->stage].confirms || !key)
		return;
	token_make(token, TOKEN_APPLICATION, order->app->id, UTC_NEVER, office->rng, key);
	order->token = token;
	order->confirm_by = office_today(office) + profile->confirm_days;
}

enum rc confirm_token_keep(
	struct office *office, const struct draft_order *order, const struct draft *draft, struct err *err)
{
	struct token_row row = {.purpose = TOKEN_APPLICATION,
		.subject_id = order->app->id,
		.expires_at = UTC_NEVER,
		.notice_id = draft->notice.id};
	struct mailaddr address;
	struct str key = STR_INIT;
	uint8_t digest[SHA256_LEN];
	if (!order->token || mailaddr_read(&address, draft->notice.recipient) != MAILADDR_OK)
		return RC_OK;
	mailaddr_key(&key, &address);
	store_mail_digest(row.mail, key.s);
	str_free(&key);
	token_digest(digest, order->token);
	return token_add(office->store, digest, &row, err);
}

/* ---- asking ---- */

static civil_day last_day(const struct inbound *in)
{
	return civil_day_of(in->now) + (civil_day)in->office->settings->confirm_days;
}

enum rc inbound_ask(struct inbound *in, enum token_purpose purpose, enum answer answer,
	const struct answer_values *values, const char *to, bool *sent)
{
	const uint8_t *key = secrets_key(in->office->secrets);
	struct answer_values asked = values ? *values : (struct answer_values){0};
	char token[TOKEN_TEXT_MAX];
	uint8_t digest[SHA256_LEN];
	*sent = false;
	if (!key)
		return RC_OK;
	enum rc rc = inbound_enter(in);
	if (rc != RC_OK)
		return rc;
	asked.confirm_by = last_day(in);
	struct token_row row = {.purpose = (int)purpose,
		.subject_id = in->request.id,
		.expires_at = civil_moment(asked.confirm_by + 1, 0)};
	token_make(token, purpose, row.subject_id, row.expires_at, in->office->rng, key);
	asked.token = token;
	store_mail_digest(row.mail, inbound_mail_key(in, to ? to : in->app.form.value[FIELD_MAIL]));
	rc = inbound_answer(in, answer, &asked, to, sent, &row.notice_id);
	if (rc == RC_OK && *sent) {
		token_digest(digest, token);
		rc = token_add(in->office->store, digest, &row, in->err);
	}
	wipe(token, sizeof token);
	return rc;
}

enum rc inbound_wait_for_reply(struct inbound *in, const char *note_ja)
{
	struct str day = STR_INIT;
	civil_day_print_ja(&day, last_day(in));
	in->request.state = REQUEST_STATE_ASKED;
	in->request.due_at = civil_moment(last_day(in) + 1, 0);
	in->request.note = pool_printf(in->pool, "%s（返信の期限 %s）", note_ja, day.s);
	str_free(&day);
	return inbound_wait(in, EVENT_ASKED);
}

struct open_one {
	int64_t but, id;
	enum request_kind kind;
};

static enum rc find_asked(void *ctx, const struct request *request, struct err *err)
{
	struct open_one *open = ctx;
	(void)err;
	if (request->id != open->but && request->kind == open->kind &&
		(request->state == REQUEST_STATE_ASKED || request->state == REQUEST_STATE_PLANNED))
		open->id = request->id;
	return RC_OK;
}

enum rc inbound_find_open(struct inbound *in, int64_t *request_id)
{
	struct open_one open = {.but = in->request.id, .kind = in->request.kind};
	struct request_filter filter = {.open_only = true, .any_kind = true, .application_id = in->app.id};
	enum rc rc = request_each(in->office->store, &filter, find_asked, &open, in->err);
	*request_id = open.id;
	return rc;
}

/* ---- carrying out ---- */

enum rc inbound_carry_out(struct inbound *in)
{
	if (in->request.kind == REQUEST_STOP)
		return inbound_carry_out_stop(in);
	if (in->request.kind == REQUEST_CHANGE)
		return inbound_carry_out_change(in);
	return inbound_review(in, "この種類のご依頼は、確認のあとに行うことが決まっていません。");
}

/* ---- the mail that brings a token back ---- */

struct reply {
	struct inbound *in; /* the mail that came */
	struct inbound asked; /* the request that waits for it */
	const struct token_row *row;
	uint8_t digest[SHA256_LEN];
};

/* A person must look at both: the request goes to review, and the mail with it. */
static enum rc reply_review(struct reply *reply, const char *why_ja)
{
	struct inbound *in = reply->in, *asked = &reply->asked;
	const char *before = asked->request.state == REQUEST_STATE_REVIEW ? asked->request.note : "";
	enum rc rc = inbound_review(asked, pool_printf(in->pool, "%s（受信番号%" PRId64 "）。%s%s", why_ja,
						   in->message->id, *before ? "／" : "", before));
	return rc == RC_OK ? inbound_file(in, asked->request.kind, true) : rc;
}

static bool asks(const struct received *received)
{
	return strstr(received->text, "？") || strchr(received->text, '?');
}

/* Whoever answers twice says the same again; whoever says more is heard. */
static bool says_more(const struct received *received)
{
	const struct reading *reading = &received->reading;
	return received->objects || reading->kind != REQUEST_OTHER || reading->wishes ||
	       reading->unknown_mail || received->attachment_count ||
	       utf8_chars(received->text) > YES_CHARS || asks(received);
}

/* Yes, and something else besides. */
static bool wishes_more(const struct received *received, enum request_kind kind)
{
	return (received->reading.wishes & ~(1u << kind)) || asks(received);
}

static enum rc reply_again(struct reply *reply, bool *handled)
{
	*handled = !says_more(reply->in->received);
	return *handled ? inbound_file(reply->in, reply->asked.request.kind, false) : RC_OK;
}

static enum rc reply_proves(struct reply *reply, bool *handled)
{
	struct inbound *in = reply->in, *asked = &reply->asked;
	bool address = reply->row->purpose == TOKEN_NEW_ADDRESS;
	enum rc rc = token_use(in->office->store, reply->digest, in->now, in->err);
	if (rc == RC_OK)
		rc = office_note(in->office, &asked->app, EVENT_PROVEN, ACTOR_DAEMON,
			pool_printf(in->pool, "受信番号%" PRId64, in->message->id), asked->request.id,
			reply->row->purpose, in->err);
	if (rc != RC_OK)
		return rc;
	asked->request.proof = address ? asked->request.proof : PROOF_TOKEN;
	asked->address_proven = address;
	rc = inbound_carry_out(asked);
	*handled = !wishes_more(in->received, asked->request.kind);
	return rc == RC_OK && *handled ? inbound_file(in, asked->request.kind, false) : rc;
}

/* Was the answer written by whom the token was sent to, and is that still the one to ask? */
static const char *reply_fault(const struct reply *reply)
{
	const struct inbound *in = reply->in, *asked = &reply->asked;
	uint8_t from[16], today[16];
	store_mail_digest(from, in->from_key);
	store_mail_digest(today, inbound_mail_key(asked, asked->app.form.value[FIELD_MAIL]));
	if (in->received->objects)
		return REPLY_OBJECTS;
	if (memcmp(from, reply->row->mail, sizeof from) != 0)
		return REPLY_ELSEWHERE;
	if (reply->row->purpose == TOKEN_REQUEST && memcmp(today, reply->row->mail, sizeof today) != 0)
		return REPLY_MOVED;
	if (asked->request.state == REQUEST_STATE_REVIEW)
		return REPLY_TOO_LATE;
	return in->now >= reply->row->expires_at ? REPLY_LATE : NULL;
}

static enum rc reply_to_request(struct reply *reply, bool *handled)
{
	struct inbound *in = reply->in;
	enum rc rc = inbound_open(&reply->asked, in->office, reply->row->subject_id, in->pool, in->err);
	if (rc != RC_OK)
		return rc;
	enum request_state state = reply->asked.request.state;
	bool open = state == REQUEST_STATE_ASKED || state == REQUEST_STATE_REVIEW;
	if (state == REQUEST_STATE_DECLINED && !reply->row->used_at) {
		*handled = true;
		return inbound_review(in, pool_printf(in->pool, REPLY_DECLINED, reply->asked.request.id));
	}
	if (!open || (reply->row->used_at && state == REQUEST_STATE_ASKED))
		return reply_again(reply, handled);
	/* Who does not know the mail at all is heard as such, too. */
	*handled = !in->received->reading.unknown_mail;
	if (!*handled)
		return inbound_review(&reply->asked,
			pool_printf(in->pool, "%s（受信番号%" PRId64 "）。", REPLY_OBJECTS, in->message->id));
	const char *fault_ja = reply_fault(reply);
	return fault_ja ? reply_review(reply, fault_ja) : reply_proves(reply, handled);
}

/* 確認済み, as if staff had said so. */
static enum rc confirm_application(struct inbound *in, const uint8_t digest[SHA256_LEN], bool *handled)
{
	const char *why_ja, *reason = pool_printf(in->pool, "受信番号%" PRId64, in->message->id);
	enum rc rc = token_use(in->office->store, digest, in->now, in->err);
	if (rc == RC_OK)
		rc = office_decide(in->office, in->app.id, DECISION_CONFIRM, reason, ACTOR_DAEMON, &why_ja,
			in->pool, in->err);
	*handled = !wishes_more(in->received, REQUEST_OTHER);
	return rc == RC_OK && *handled ? inbound_file(in, REQUEST_OTHER, false) : rc;
}

static enum rc reply_to_application(
	struct inbound *in, const struct token_row *row, const uint8_t digest[SHA256_LEN], bool *handled)
{
	struct application app;
	uint8_t from[16], today[16];
	enum rc rc = application_get(in->office->store, row->subject_id, &app, in->pool, in->err);
	/* Confirmed before, by whatever: who says more than yes is heard. */
	if (rc != RC_OK || (app.state != STATE_UNCONFIRMED && app.state != STATE_EXPIRED)) {
		*handled = rc == RC_OK && !says_more(in->received);
		return *handled ? inbound_file(in, REQUEST_OTHER, false) : rc;
	}
	*handled = !in->received->reading.unknown_mail;
	if (!*handled)
		return RC_OK;
	store_mail_digest(from, in->from_key);
	store_mail_digest(today, inbound_mail_key(in, app.form.value[FIELD_MAIL]));
	inbound_take_application(in, &app);
	const char *fault_ja = in->received->objects                         ? REPLY_OBJECTS "。"
			       : memcmp(from, row->mail, sizeof from) != 0   ? REPLY_ELSEWHERE "。"
			       : memcmp(today, row->mail, sizeof today) != 0 ? REPLY_MOVED "。"
			       : app.state == STATE_EXPIRED || row->used_at  ? REPLY_EXPIRED
									     : NULL;
	return fault_ja ? inbound_review(in, fault_ja) : confirm_application(in, digest, handled);
}

enum rc inbound_token_reply(struct inbound *in, bool *handled)
{
	const struct received *received = in->received;
	*handled = false;
	for (size_t i = 0; i < received->token_count && !*handled; i++) {
		struct token_row row;
		struct reply reply = {.in = in, .row = &row};
		token_digest(reply.digest, received->token[i]);
		enum rc rc = token_get(in->office->store, reply.digest, &row, in->err);
		if (rc == RC_OK)
			rc = row.purpose == TOKEN_APPLICATION
				     ? reply_to_application(in, &row, reply.digest, handled)
				     : reply_to_request(&reply, handled);
		/* One that was never given out, or whose request was erased, proves nothing. A refusal later on is the mail's: what was begun is undone. */
		if (rc != RC_OK && (rc != RC_REFUSED || *handled))
			return rc;
	}
	return RC_OK;
}
