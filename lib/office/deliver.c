#include "lib/office/office_p.h"

#include <inttypes.h>

#include "lib/mail/letter.h"

#define REVIEW_FAILED "通知メールを届けられませんでした（送信を打ち切りました）。"
#define REVIEW_UNKNOWN                                                                                       \
	"通知メールが届いたかどうか分かりません（2回とも、送信直後にメールサーバーとの接続が切れました）。"

/* ---- the notice before the next stage ---- */

struct previous {
	int stage;
	struct notice *out;
	struct pool *pool;
};

static enum rc keep_previous(void *ctx, const struct notice *notice, struct err *err)
{
	struct previous *previous = ctx;
	(void)err;
	if (notice->stage != previous->stage || notice->stage == STAGE_NONE)
		return RC_OK;
	*previous->out = *notice;
	const char **text[] = {&previous->out->template_name, &previous->out->reply,
		&previous->out->recipient, &previous->out->domain, &previous->out->message_id,
		&previous->out->bounce_address};
	for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
		*text[i] = pool_strdup(previous->pool, *text[i] ? *text[i] : "");
	return RC_OK;
}

enum rc office_previous_notice(struct office *office, const struct application *app, struct notice *out,
	struct pool *pool, struct err *err)
{
	const struct rules *rules;
	*out = (struct notice){0};
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	struct previous previous = {.out = out, .pool = pool};
	previous.stage = app->stage == STAGE_NONE ? rules->profile.stage_count - 1 : app->stage - 1;
	return previous.stage < 0 ? RC_OK
				  : outbox_each(office->store, app->id, keep_previous, &previous, err);
}

/* ---- what the sender learned ---- */

/* Sent again once after a pause; when that ends the same way, a person must look: it is never repeated blindly. */
static enum rc take_unknown(struct office *office, struct notice *notice, bool *again, struct err *err)
{
	int times;
	enum rc rc = history_unknown(office->store, notice, &times, err);
	*again = times > 0 || notice->application_id == 0;
	notice->state = OUTBOX_UNKNOWN;
	notice->next_try_at =
		*again ? UTC_NEVER : clock_now(office->clock) + office->settings->unknown_pause_seconds;
	return rc;
}

/* It waits; what may have arrived once does not count as unsent again. */
static enum rc put_back(struct office *office, struct notice *notice, struct err *err)
{
	int times;
	enum rc rc = history_unknown(office->store, notice, &times, err);
	notice->state = times > 0 ? OUTBOX_UNKNOWN : OUTBOX_QUEUED;
	return rc;
}

/* put_back() and take_unknown() say the state of what is neither sent nor failed. */
static enum event settle(struct notice *notice, const struct delivery *delivery, utc_time now)
{
	switch (delivery->outcome) {
	case OUTCOME_ACCEPTED:
		notice->state = OUTBOX_SENT;
		notice->accepted_at = delivery->at ? delivery->at : now;
		return EVENT_SENT;
	case OUTCOME_PERMANENT:
		notice->state = OUTBOX_FAILED;
		return EVENT_FAILED;
	case OUTCOME_UNKNOWN:
		return EVENT_UNKNOWN;
	case OUTCOME_TEMPORARY:
	case OUTCOME_NOT_SENT:
	case OUTCOME_FAULT:
		break;
	}
	/* When the sender gives up, its life-time is over. */
	return notice->state == OUTBOX_FAILED ? EVENT_FAILED : EVENT_DEFERRED;
}

/* The next stage is reckoned from the moment the mail server took the notice of the one before. */
static enum rc count_as_sent(struct office *office, struct application *app, const struct notice *notice,
	const struct delivery *delivery, const struct rules *rules, struct err *err)
{
	int previous = app->stage == STAGE_NONE ? rules->profile.stage_count - 1 : app->stage - 1;
	if (state_is_live(app->state) && notice->stage == previous && app->previous_sent_at == 0) {
		struct due due;
		app->previous_sent_at = notice->accepted_at;
		enum rc rc = office_reckon(office, app, &due, err);
		if (rc == RC_OK)
			rc = application_update(office->store, app, err);
		if (rc != RC_OK)
			return rc;
	}
	return office_note(office, app, EVENT_SENT, ACTOR_DAEMON, "", notice->id, delivery->reply_code, err);
}

static enum rc record(struct office *office, struct application *app, const struct notice *notice,
	const struct delivery *delivery, enum event event, bool unknown_again, struct err *err)
{
	const struct rules *rules;
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	if (event == EVENT_SENT)
		return count_as_sent(office, app, notice, delivery, rules, err);
	/* Trouble of our own says nothing about this notice; it is in the log, not in the history. */
	if (event == EVENT_DEFERRED && delivery->outcome != OUTCOME_TEMPORARY)
		return RC_OK;
	rc = office_note(
		office, app, event, ACTOR_DAEMON, delivery->reply, notice->id, delivery->reply_code, err);
	if (rc == RC_OK && event == EVENT_FAILED)
		rc = office_review(office, app, REVIEW_FAILED, notice->id, err);
	if (rc == RC_OK && unknown_again)
		rc = office_review(office, app, REVIEW_UNKNOWN, notice->id, err);
	return rc;
}

enum rc office_delivered(struct office *office, struct notice *notice, const struct delivery *delivery,
	const char *dkim, size_t dkim_len, struct err *err)
{
	struct pool *pool = pool_new();
	struct application app;
	bool unknown_again = false;
	enum event event = settle(notice, delivery, clock_now(office->clock));
	notice->reply_code = delivery->reply_code;
	notice->reply = delivery->reply;
	bool nobodys = notice->application_id == 0; /* the answer to a form that was not registered */
	enum rc rc = RC_OK;
	if (!nobodys)
		rc = application_get(office->store, notice->application_id, &app, pool, err);
	if (rc == RC_OK && event == EVENT_UNKNOWN)
		rc = take_unknown(office, notice, &unknown_again, err);
	if (rc == RC_OK && event == EVENT_DEFERRED)
		rc = put_back(office, notice, err);
	if (rc == RC_OK)
		rc = outbox_update(office->store, notice, dkim, dkim_len, err);
	if (rc == RC_OK && !nobodys)
		rc = record(office, &app, notice, delivery, event, unknown_again, err);
	bool filed = office->settings->mailbox.sent && !office_is_desk_mail(notice);
	if (rc == RC_OK && event == EVENT_SENT && filed)
		rc = copy_add(office->store, notice->id, err); /* the mailbox role files it in 送信済み */
	pool_free(&pool);
	return rc;
}

/* ---- after a crash of the sender ---- */

struct recovery {
	struct office *office;
	int64_t last;
	int count;
};

static enum rc take_id(void *ctx, const struct notice *notice, struct err *err)
{
	struct recovery *recovery = ctx;
	(void)err;
	recovery->last = notice->id;
	recovery->count++;
	return RC_OK;
}

static enum rc recover_one(struct office *office, int64_t id, struct err *err)
{
	struct pool *pool = pool_new();
	struct notice notice;
	struct delivery delivery = {.outcome = OUTCOME_UNKNOWN, .phase = "dot"};
	enum rc rc = outbox_get(office->store, id, &notice, pool, err);
	if (rc == RC_OK && notice.state == OUTBOX_SENDING)
		rc = office_delivered(office, &notice, &delivery, NULL, 0, err);
	pool_free(&pool);
	return rc;
}

/* One a transaction: there are never more of them than connections. */
enum rc office_recover_sending(struct office *office, int *count, struct err *err)
{
	struct recovery recovery = {.office = office};
	enum rc rc = RC_OK;
	for (*count = 0; rc == RC_OK; *count += recovery.count) {
		recovery.count = 0;
		rc = outbox_each_in(office->store, OUTBOX_SENDING, recovery.last, 1, take_id, &recovery, err);
		if (rc != RC_OK || recovery.count == 0)
			break;
		struct txn txn;
		rc = txn_begin(office, &txn, err);
		if (rc == RC_OK)
			rc = txn_end(office, &txn, recover_one(office, recovery.last, err), err);
	}
	return rc;
}

/* ---- the bytes ---- */

static enum rc unpack(struct office *office, const struct notice *notice, const struct str *packed,
	int64_t template_set, struct str *wire, struct err *err)
{
	const struct rules *rules;
	struct str own_text = STR_INIT;
	const struct str *dictionary = &own_text;
	size_t start = wire->len;
	int64_t model = letter_packed_model(packed->s, packed->len);
	bool has_template = template_set != 0; /* a mail to the desk has none */
	enum rc rc = RC_OK;
	if (model) {
		rc = model_text(office, model, &dictionary, err);
	} else if (has_template) {
		rc = rules_get(office, template_set, &rules, err);
		rc = rc ? rc : draft_dictionary(rules, notice->template_name, &own_text, err);
	}
	if (rc == RC_OK)
		rc = letter_unpack(wire, packed->s, packed->len, dictionary->s, dictionary->len,
			secrets_key(office->secrets), err);
	if (rc == RC_OK)
		rc = letter_digest_check(notice, office->secrets, wire->s + start, wire->len - start, err);
	str_free(&own_text);
	return rc;
}

/* A letter that was signed is that from then on. */
static enum rc put_signature(struct office *office, int64_t notice_id, struct str *wire, struct err *err)
{
	struct str signature = STR_INIT, certificates = STR_INIT, signed_wire = STR_INIT;
	enum rc rc = outbox_signature(office->store, notice_id, &signature, &certificates, err);
	if (rc == RC_OK && signature.len) {
		rc = smime_join(&signed_wire, wire->s, wire->len, &signature, &certificates, err);
		if (rc == RC_OK) {
			str_wipe(wire);
			*wire = signed_wire;
			signed_wire = STR_INIT;
		}
	}
	str_free(&signature);
	str_free(&certificates);
	str_free(&signed_wire);
	return rc;
}

enum rc office_letter_of(struct office *office, const struct notice *notice, struct str *wire,
	struct str *dkim, struct err *err)
{
	struct str packed = STR_INIT;
	int64_t template_set = 0;
	enum rc rc = outbox_letter(office->store, notice->id, &packed, &template_set, dkim, err);
	if (rc == RC_OK)
		rc = unpack(office, notice, &packed, template_set, wire, err);
	if (rc == RC_OK)
		rc = put_signature(office, notice->id, wire, err);
	str_free(&packed);
	return rc;
}

enum rc office_letter(
	struct office *office, int64_t notice_id, struct str *wire, struct str *dkim, struct err *err)
{
	struct pool *pool = pool_new();
	struct notice notice;
	enum rc rc = outbox_get(office->store, notice_id, &notice, pool, err);
	if (rc == RC_OK)
		rc = office_letter_of(office, &notice, wire, dkim, err);
	pool_free(&pool);
	return rc;
}
