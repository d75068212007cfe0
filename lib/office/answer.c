/*
 * answer.c - every mail that answers a mail: one guard, then the outbox
 *
 * The guard asks three things. Was it a person who wrote (RFC 3834, 2)? May this recipient get this text? Has he had enough of it for today? Whoever is refused
 * hears nothing at all, not even that he was.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/log.h"

#define DAY ((utc_time)86400)
#define HOUR ((utc_time)3600)
#define PROVEN_PER_DAY 10 /* to a registered address: strangers can make us write there too */

const char *const answer_template[ANSWER_COUNT + 1] = {
	[ANSWER_CONFIRM_STOP] = "confirm-stop",
	[ANSWER_CONFIRM_CHANGE] = "confirm-change",
	[ANSWER_CONFIRM_ADDRESS] = "confirm-address",
	[ANSWER_STOPPED] = "stopped",
	[ANSWER_STOP_PLANNED] = "stop-planned",
	[ANSWER_CHANGED] = "changed",
	[ANSWER_NEWS_STOPPED] = "news-stopped",
	[ANSWER_ID] = "id-answer",
	[ANSWER_GUIDE] = "guide",
	[ANSWER_WRONG_NUMBER] = "wrong-number",
	[ANSWER_NEUTRAL] = "neutral",
	[ANSWER_READABLE_FORM] = "readable-form",
};

/* What each may be: */
static const struct {
	bool for_anybody; /* prints nothing about an application: may go to the sender, whoever that is */
	bool result; /* says what was done once somebody had proven it: counts towards nothing */
	bool once_a_day; /* not if anything at all was answered to that person today */
} nature[ANSWER_COUNT] = {
	[ANSWER_STOPPED] = {.result = true},
	[ANSWER_STOP_PLANNED] = {.result = true},
	[ANSWER_CHANGED] = {.result = true},
	[ANSWER_GUIDE] = {.for_anybody = true},
	[ANSWER_WRONG_NUMBER] = {.for_anybody = true, .once_a_day = true},
	[ANSWER_NEUTRAL] = {.for_anybody = true},
	[ANSWER_READABLE_FORM] = {.for_anybody = true, .once_a_day = true},
};

/* ---- the guard ---- */

struct recipient {
	const char *mail, *key;
	bool proven; /* on file for in->app, or agreed to from there */
};

/* The address that a change asked for may be written to once the registered one has agreed. */
static bool is_agreed(const struct inbound *in, enum answer answer)
{
	return answer == ANSWER_CONFIRM_ADDRESS &&
	       (in->request.proof == PROOF_TOKEN || in->request.proof == PROOF_DKIM || inbound_by_staff(in));
}

/* Our own addresses, with whatever extension. */
static bool is_ours(const struct inbound *in, const char *key)
{
	const struct settings *settings = in->office->settings;
	const char *own[] = {settings->contact_mail, settings->from_mail, settings->bounce_mail};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
		const char *own_key = inbound_mail_key(in, own[i]), *at = strrchr(own_key, '@');
		size_t len = at ? (size_t)(at - own_key) : 0;
		const char *theirs = strrchr(key, '@');
		if (len && theirs && strcmp(theirs, at) == 0 && strncmp(key, own_key, len) == 0 &&
			(key[len] == '@' || key[len] == '+'))
			return true;
	}
	return false;
}

/* A machine gets no answer, and causes none. What staff send by hand answers nobody. */
static const char *refuse_machine(const struct inbound *in)
{
	const struct received *received = in->received;
	if (inbound_by_staff(in))
		return NULL;
	if (!received)
		return "its reading was erased";
	return received->null_sender ? "null sender"
	       : received->automatic ? "automatic mail"
	       : received->bulk      ? "bulk mail"
	       : received->own       ? "own mail"
				     : NULL;
}

/* A text for anybody, to the one who wrote, where our own mail server vouches for his domain: as the reader says, and as the mail's own header says. */
static enum rc refuse_unproven(
	struct inbound *in, enum answer answer, const struct recipient *to, const char **why)
{
	const struct received *received = in->received;
	struct authres found;
	const char *from_key;
	*why = !nature[answer].for_anybody ? "it is not for an address that is not registered"
	       : !received || !*in->from_key || strcmp(to->key, in->from_key) != 0 ? "it is not the sender"
	       : !received->authres.dkim_aligned && !received->authres.spf_aligned
		       ? "neither aligned DKIM nor SPF"
		       : NULL;
	if (*why)
		return RC_OK;
	enum rc rc = inbound_reread_sender(in, &found, &from_key);
	if (rc == RC_OK &&
		(strcmp(from_key, in->from_key) != 0 || (!found.dkim_aligned && !found.spf_aligned)))
		*why = "the mail's own header does not say so plainly";
	return rc;
}

static enum rc refuse_suppressed(struct inbound *in, const struct recipient *to, const char **why)
{
	bool dead = false, silent = false;
	enum rc rc = suppression_has(in->office->store, to->key, SUPPRESS_DEAD, &dead, in->err);
	if (rc == RC_OK && !to->proven)
		rc = suppression_has(in->office->store, to->key, SUPPRESS_CASE_MAIL, &silent, in->err);
	if (dead || silent)
		*why = "suppressed address";
	return rc;
}

static enum rc refuse_often(
	struct inbound *in, enum answer answer, const struct recipient *to, const char **why)
{
	const struct settings *settings = in->office->settings;
	struct store *store = in->office->store;
	int64_t today = 0, all = 0;
	enum rc rc = answer_count(store, to->key, false, in->now - DAY, &today, in->err);
	if (rc == RC_OK && !to->proven)
		rc = answer_count(store, NULL, true, in->now - HOUR, &all, in->err);
	if (rc != RC_OK)
		return rc;
	if (nature[answer].once_a_day && today > 0)
		*why = "answered today";
	else if (!to->proven && today >= settings->answers_per_address)
		*why = "answers_per_address";
	else if (!to->proven && all >= settings->answers_per_hour)
		*why = "answers_per_hour";
	else if (to->proven && today >= PROVEN_PER_DAY && !nature[answer].result && !inbound_by_staff(in))
		*why = "registered address was written to often enough today";
	return RC_OK;
}

/* NULL in *why: it may go. */
static enum rc guard(struct inbound *in, enum answer answer, const struct recipient *to, const char **why)
{
	*why = !*to->key ? "no address" : is_ours(in, to->key) ? "our own address" : refuse_machine(in);
	enum rc rc = RC_OK;
	if (!*why && !to->proven)
		rc = refuse_unproven(in, answer, to, why);
	if (rc == RC_OK && !*why)
		rc = refuse_suppressed(in, to, why);
	return rc == RC_OK && !*why ? refuse_often(in, answer, to, why) : rc;
}

/* ---- the mail ---- */

/* A Message-ID (RFC 5322 3.6.4) that can be repeated as it is; whatever else stands there came from outside. */
static const char *answered_id(const struct inbound *in)
{
	const char *id = in->received && in->from_registered ? in->received->message_id : "";
	size_t len = strspn(
		id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~.@");
	const char *at = strchr(id, '@');
	return len > 0 && len <= 200 && !id[len] && at && at > id && at[1] && !strchr(at + 1, '@') ? id
												   : NULL;
}

/* What is told to nobody in particular belongs to no application: it says the same whether there is one or not. */
static enum rc queue(struct inbound *in, enum answer answer, const struct answer_values *values,
	const struct recipient *to, bool *sent, int64_t *notice_id)
{
	const struct form_values empty = {0};
	struct application nobody = office_blank(&empty, 0, 0, in->now);
	struct draft_order order = {.app = to->proven ? &in->app : &nobody,
		.template_name = answer_template[answer],
		.stage = STAGE_NONE,
		.answers = true,
		.to = to->mail,
		.in_reply_to = to->proven ? answered_id(in) : NULL};
	if (values) {
		order.token = values->token;
		order.confirm_by = values->confirm_by;
		order.stop_on = values->stop_on;
		order.changes = values->changes;
	}
	struct draft draft = {.packed = STR_INIT};
	enum rc rc = rules_current(in->office, NOTICE_ANSWERS, &order.rules, in->err);
	if (rc == RC_OK && order.app->id)
		rc = outbox_next_no(
			in->office->store, order.app->id, order.template_name, &order.resend_no, in->err);
	if (rc == RC_OK)
		rc = draft_make(in->office, &order, &draft, in->err);
	if (rc == RC_OK)
		rc = draft_queue(in->office, &order, &draft, in->actor, in->err);
	if (rc == RC_OK)
		rc = answer_add(in->office->store, draft.notice.id, to->key, to->proven, in->now, in->err);
	*sent = rc == RC_OK;
	*notice_id = rc == RC_OK ? draft.notice.id : 0;
	if (rc == RC_REFUSED) { /* it can't be written; nothing was */
		log_event(LEVEL_NOTICE, "answer.refused", "message=%" PRId64 " answer=%s why=\"%s\"",
			in->message->id, order.template_name, in->err->text);
		rc = RC_OK;
	}
	draft_free(&draft);
	return rc;
}

enum rc inbound_answer(struct inbound *in, enum answer answer, const struct answer_values *values,
	const char *to, bool *sent, int64_t *notice_id)
{
	int64_t id;
	const char *why = NULL;
	struct recipient recipient = {.mail = to ? to : in->app.form.value[FIELD_MAIL],
		.proven = to ? is_agreed(in, answer) : in->app.id > 0};
	recipient.key = inbound_mail_key(in, recipient.mail);
	*sent = false;
	if (notice_id)
		*notice_id = 0;
	enum rc rc = guard(in, answer, &recipient, &why);
	if (rc == RC_OK && why)
		log_event(LEVEL_NOTICE, "answer.held", "message=%" PRId64 " answer=%s why=\"%s\"",
			in->message->id, answer_template[answer], why);
	else if (rc == RC_OK)
		rc = queue(in, answer, values, &recipient, sent, notice_id ? notice_id : &id);
	return rc;
}
