/*
 * receive.c - one mail, from what it is to the handler of its kind; and the few ways in which a handler ends
 *
 * The order of receive() is the order of trust: what a machine sent is never a request, what a token proves needs no guessing, and what nobody can be sure of
 * is for a person. Everything happens in the caller's transaction.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/mailaddr.h"

#define REVIEW_UNREAD "メールを読み取れませんでした。原本をご確認ください。"
#define REVIEW_NO_HANDLER "職員の判断が必要なご依頼です。"
#define REVIEW_MACHINE "自動送信のメールに、ご依頼と思われる内容があります。"
#define READ_ANEW "受信箱に戻されたため、受信番号%" PRId64 "のメールとして読み直しました。"
#define MACHINE_WROTE "自動応答などのメールです。返信も処理もしていません。"

/* ---- the mail and its case ---- */

void inbound_take_application(struct inbound *in, const struct application *app)
{
	in->app = *app;
	const char *registered = office_mail_key(app->form.value[FIELD_MAIL], in->pool);
	in->from_registered = *in->from_key && strcmp(in->from_key, registered) == 0;
}

const char *inbound_mail_key(const struct inbound *in, const char *mail)
{
	return office_mail_key(mail, in->pool);
}

void inbound_begin(struct inbound *in, struct office *office, struct pool *pool, struct err *err)
{
	*in = (struct inbound){.office = office,
		.request = {.stop_on = CIVIL_DAY_NONE,
			.due_at = UTC_NEVER,
			.note = "",
			.actor = ACTOR_DAEMON},
		.actor = ACTOR_DAEMON,
		.from_key = "",
		.now = clock_now(office->clock),
		.pool = pool,
		.err = err};
}

static void take_mail(struct inbound *in, struct mail_message *message, const struct received *received)
{
	in->message = message;
	in->received = received;
	in->from_key = received ? office_mail_key(received->from, in->pool) : "";
	in->request.message_id = message->id;
	in->request.kind = received ? received->reading.kind : REQUEST_OTHER;
	if (received)
		in->request.stop_on = received->reading.fields.stop_on;
}

/* ---- the ends ---- */

static enum rc note_history(struct inbound *in, enum event event, int64_t number)
{
	return office_note(
		in->office, &in->app, event, in->actor, in->request.note, in->request.id, number, in->err);
}

enum rc inbound_enter(struct inbound *in)
{
	struct request *request = &in->request;
	if (request->id)
		return RC_OK;
	request->state = REQUEST_STATE_REVIEW;
	request->application_id = in->app.id;
	request->opened_at = in->now;
	enum rc rc = request_add(in->office->store, request, in->err);
	if (rc == RC_OK)
		rc = office_note(in->office, &in->app, EVENT_REQUEST, ACTOR_DAEMON,
			request_kind_name_ja(request->kind), request->id, request->kind, in->err);
	return rc;
}

/* A mail that is being received is filed where it belongs; one that lies there already stays. */
static enum rc write_message(struct inbound *in, enum folder folder, bool review)
{
	struct mail_message *message = in->message;
	if (message->state == MESSAGE_TAKEN) {
		message->state = MESSAGE_READ;
		message->kind = in->request.kind;
		message->folder = folder;
	}
	message->review = review;
	return message_update(in->office->store, message, in->err);
}

enum rc inbound_file(struct inbound *in, enum request_kind kind, bool review)
{
	in->request.kind = kind;
	return write_message(in, review ? FOLDER_REVIEW : FOLDER_DONE, review);
}

static enum rc end(struct inbound *in, enum event event, int64_t number, enum folder folder)
{
	struct request *request = &in->request;
	enum request_state state = request->state;
	enum rc rc = inbound_enter(in);
	request->state = state;
	request->application_id = in->app.id;
	request->actor = in->actor;
	if (rc == RC_OK)
		rc = request_update(in->office->store, request, in->err);
	if (rc == RC_OK && event)
		rc = note_history(in, event, number);
	if (rc == RC_OK)
		rc = write_message(in, folder, state == REQUEST_STATE_REVIEW);
	if (rc == RC_OK)
		log_event(state == REQUEST_STATE_REVIEW ? LEVEL_NOTICE : LEVEL_TRACE, "request.settled",
			"request=%" PRId64 " message=%" PRId64 " application=%" PRId64 " kind=%s state=%s",
			request->id, request->message_id, request->application_id,
			request_kind_name(request->kind), request_state_name(state));
	return rc;
}

enum rc inbound_review(struct inbound *in, const char *note_ja)
{
	in->request.state = REQUEST_STATE_REVIEW;
	in->request.note = note_ja;
	in->request.due_at = UTC_NEVER;
	return end(in, EVENT_REQUEST_REVIEW, 0, FOLDER_REVIEW);
}

enum rc inbound_close(struct inbound *in, enum request_state state, enum proof proof, const char *note_ja)
{
	in->request.state = state;
	in->request.proof = proof;
	in->request.note = note_ja;
	in->request.due_at = UTC_NEVER;
	in->request.closed_at = in->now;
	return end(in, EVENT_REQUEST_CLOSED, state,
		in->request.kind == REQUEST_BOUNCE ? FOLDER_BOUNCE : FOLDER_DONE);
}

enum rc inbound_wait(struct inbound *in, enum event event)
{
	return end(in, event, 0, FOLDER_DONE);
}

/* ---- the same bytes again ---- */

/* A mail that staff moved back into INBOX is judged anew, unless something has followed from it; a copy that the mailbox made is filed like the first. */
static enum rc settle_again(struct inbound *in, bool *handled)
{
	struct store *store = in->office->store;
	struct mail_message first = {0};
	struct inbound before;
	int64_t id = 0, request_id = 0;
	*handled = false;
	if (in->message->same_as == 0)
		return RC_OK;
	enum rc rc = message_by_digest(store, in->message->digest, in->message->id, &id, in->err);
	if (rc == RC_OK && id)
		rc = message_get(store, id, &first, in->pool, in->err);
	if (rc != RC_OK || id == 0 || first.state == MESSAGE_TAKEN)
		return rc;
	rc = request_of_message(store, id, &request_id, in->err);
	if (rc == RC_OK && request_id == 0 && first.same_as)
		rc = request_of_message(store, first.same_as, &request_id, in->err);
	if (rc == RC_OK && request_id)
		rc = inbound_open(&before, in->office, request_id, in->pool, in->err);
	if (rc != RC_OK)
		return rc;
	*handled =
		first.state != MESSAGE_FILED || (request_id && before.request.state != REQUEST_STATE_REVIEW);
	if (!*handled && request_id)
		return inbound_close(&before, REQUEST_STATE_DECLINED, PROOF_NONE,
			pool_printf(in->pool, READ_ANEW, in->message->id));
	if (!*handled)
		return RC_OK;
	in->request.kind = first.kind;
	return write_message(in, first.folder, first.review);
}

/* ---- what a machine wrote ---- */

/* A vacation notice goes to the envelope sender (RFC 3834 4), whoever writes it. */
static enum rc take_machines_case(struct inbound *in)
{
	struct notice notice;
	struct application app;
	enum rc rc = inbound_sent_back(in, &notice);
	if (rc != RC_OK || notice.application_id == 0)
		return rc == RC_OK ? inbound_take_by_answered(in) : rc;
	rc = application_get(in->office->store, notice.application_id, &app, in->pool, in->err);
	if (rc == RC_OK)
		inbound_take_application(in, &app);
	return rc;
}

/* Written down with the application it speaks of, where that can be told; never answered, and it confirms nothing. */
static enum rc settle_machine(struct inbound *in)
{
	const struct received *received = in->received;
	if (in->request.kind != REQUEST_AUTO_REPLY)
		return inbound_review(in, received->reading.review
						  ? inbound_reason_ja(&received->reading, in->pool)
						  : REVIEW_MACHINE);
	enum rc rc = take_machines_case(in);
	if (rc != RC_OK)
		return rc;
	return in->app.id ? inbound_close(in, REQUEST_STATE_DONE, PROOF_NONE, MACHINE_WROTE)
			  : inbound_file(in, REQUEST_AUTO_REPLY, false);
}

static bool is_machine(const struct received *received)
{
	return received->reading.kind == REQUEST_AUTO_REPLY || received->automatic || received->bulk ||
	       received->null_sender;
}

/* ---- the way to a handler ---- */

typedef enum rc handler_fn(struct inbound *in);
/* A kind without a handler is for a person. */
static handler_fn *const handlers[REQUEST_KINDS] = {
	[REQUEST_STOP] = inbound_stop,
	[REQUEST_RESEND] = inbound_resend,
	[REQUEST_CHANGE] = inbound_change,
	[REQUEST_NEWS_UNSUBSCRIBE] = inbound_news,
	[REQUEST_ID_ENQUIRY] = inbound_enquiry,
};

static enum rc receive_request(struct inbound *in)
{
	const struct reading *reading = &in->received->reading;
	handler_fn *handler = handlers[in->request.kind];
	if (reading->unknown_mail)
		return inbound_unknown_mail(in);
	if (inbound_is_unreadable(in))
		return inbound_unreadable(in);
	if (reading->review)
		return inbound_review(in, inbound_reason_ja(reading, in->pool));
	return handler ? handler(in) : inbound_review(in, REVIEW_NO_HANDLER);
}

static enum rc receive(struct inbound *in)
{
	const struct received *received = in->received;
	bool handled = false;
	enum rc rc = settle_again(in, &handled);
	if (rc != RC_OK || handled)
		return rc;
	if (!received)
		return inbound_review(in, REVIEW_UNREAD);
	if (in->request.kind == REQUEST_BOUNCE)
		return inbound_bounce(in);
	if (received->own)
		return inbound_file(in, REQUEST_AUTO_REPLY, false);
	if (is_machine(received))
		return settle_machine(in);
	rc = inbound_token_reply(in, &handled);
	return rc != RC_OK || handled ? rc : receive_request(in);
}

enum rc office_receive(struct office *office, struct mail_message *message, const struct received *received,
	const char *damage, struct err *err)
{
	struct pool *pool = pool_new();
	struct inbound in;
	inbound_begin(&in, office, pool, err);
	take_mail(&in, message, received);
	if (!received)
		log_event(LEVEL_NOTICE, "message.unread", "message=%" PRId64 " why=\"%s\"", message->id,
			damage ? damage : "");
	enum rc rc = receive(&in);
	pool_free(&pool);
	return rc;
}
