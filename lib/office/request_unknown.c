/*
 * request_unknown.c - 心当たりがない: "I don't know this mail"
 *
 * Somebody mistyped an address, and a stranger reads what is meant for the applicant: everything to that address is held at once, until staff have looked. It is
 * brought about by From being the registered address, or by a mail to the signed bounce address of one of our notices. That it answers a Message-ID proves nothing,
 * they can be guessed. A From can be forged as well, and is believed all the same: what was held for nothing is released by staff, what a stranger has read is
 * read. Only where the domain of From itself says, by SPF or DMARC as our own mail server found, that the mail is not its own, a person looks first.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>

#define APPLICATIONS_MAX 200 /* held at once; where there are more, a person goes on */

#define NO_ADDRESS                                                                                           \
	"「心当たりがない」とのメールです。登録アドレスからではないため、どの通知も止めていません。"
#define DISOWNED                                                                                                                                          \
	"「心当たりがない」とのメールですが、差出人のドメインが送信元を否認しています（SPFまたはDMARC）。偽" \
	"装のおそれがあるため、どの通知も止めていません。"
#define ENDED "「心当たりがない」とのメールです。このアドレスに送る通知は、もうありません。"

struct holding {
	struct inbound *in;
	struct str note;
	int held;
};

static enum rc hold_one(struct holding *holding, int64_t id)
{
	struct inbound *in = holding->in;
	const char *why_ja;
	struct err refused = {0};
	const char *reason = pool_printf(in->pool,
		"「心当たりがない」とのメールがありました（受信番号%" PRId64 "）。", in->message->id);
	enum rc rc =
		office_decide(in->office, id, DECISION_HOLD, reason, in->actor, &why_ja, in->pool, &refused);
	if (rc == RC_OK) {
		str_printf(&holding->note, "%s%" PRId64, holding->held++ ? "、" : "", id);
	} else if (rc == RC_REFUSED) { /* held, or in review, already: nothing goes out */
		rc = RC_OK;
	} else {
		*in->err = refused;
	}
	return rc;
}

/* The address of the notice that the mail came back for; NULL: none that is ours. */
static enum rc bounced_to(struct inbound *in, const char **key)
{
	struct notice notice;
	enum rc rc = inbound_sent_back(in, &notice);
	*key = rc == RC_OK && notice.id ? inbound_mail_key(in, notice.recipient) : NULL;
	return rc;
}

static enum rc hold_all(struct inbound *in, const int64_t *id, int count)
{
	struct holding holding = {.in = in, .note = STR_INIT};
	struct application app;
	enum rc rc = RC_OK;
	if (count == 1) {
		rc = application_get(in->office->store, id[0], &app, in->pool, in->err);
		if (rc == RC_OK)
			inbound_take_application(in, &app);
	}
	for (int i = 0; rc == RC_OK && i < count; i++)
		rc = hold_one(&holding, id[i]);
	const char *note_ja =
		holding.held
			? pool_printf(in->pool,
				  "「心当たりがない」とのメールです。このアドレスへの通知を保留しました（申込"
				  "番号 %s）。",
				  holding.note.s)
			: "「心当たりがない」とのメールです。このアドレスへの通知は、すでに止まっています。";
	str_free(&holding.note);
	return rc == RC_OK ? inbound_review(in, note_ja) : rc;
}

enum rc inbound_unknown_mail(struct inbound *in)
{
	int64_t id[APPLICATIONS_MAX];
	const char *bounced = NULL;
	int count = 0;
	bool disowned = false;
	enum rc rc = RC_OK;
	if (*in->from_key)
		rc = application_by_mail(
			in->office->store, in->from_key, id, APPLICATIONS_MAX, &count, in->err);
	if (rc == RC_OK && count > 0)
		rc = inbound_is_disowned(in, &disowned);
	count = disowned ? 0 : count;
	if (rc == RC_OK && count == 0)
		rc = bounced_to(in, &bounced);
	if (rc == RC_OK && bounced)
		rc = application_by_mail(in->office->store, bounced, id, APPLICATIONS_MAX, &count, in->err);
	if (rc != RC_OK)
		return rc;
	if (count == 0)
		return inbound_review(in, bounced ? ENDED : disowned ? DISOWNED : NO_ADDRESS);
	return hold_all(in, id, count);
}
