/*
 * request_enquiry.c - which ID is ours?
 *
 * 法人番号 and 都道府県, or 屋号, 代表者名 and 都道府県, tell the one declaration it is about. The answer goes to its registered address alone.
 */
#include "lib/office/inbound_p.h"

#define ANSWERED "自己宣言IDを、登録アドレスへお知らせしました。"
#define HELD_BACK "自己宣言IDを、登録アドレスへお知らせできませんでした。"
#define NOT_ISSUED "自己宣言IDは、まだ発行していません。"

/* When it will be, where that is known. */
static const char *not_issued(struct inbound *in)
{
	if (in->app.due_at == UTC_NEVER || in->app.state != STATE_RECEIVED)
		return NOT_ISSUED;
	struct str text = STR_INIT;
	str_addz(&text, NOT_ISSUED "次の通知の予定：");
	civil_day_print_ja(&text, civil_day_of(in->app.due_at));
	const char *copy = pool_strdup(in->pool, text.s);
	str_free(&text);
	return copy;
}

enum rc inbound_carry_out_enquiry(struct inbound *in)
{
	const char *why_ja;
	bool sent = false;
	int64_t notice_id;
	enum rc rc = inbound_may_send(in, 1, &why_ja);
	/* A number that was drawn and taken back stays with the application; it tells nobody anything yet. */
	bool issued = in->app.declaration_id != 0 && in->app.state != STATE_RECEIVED &&
		      in->app.state != STATE_UNCONFIRMED;
	if (rc == RC_OK && !why_ja && !issued)
		why_ja = not_issued(in);
	if (rc == RC_OK && why_ja)
		return inbound_hand_over(in, why_ja);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_ID, NULL, NULL, &sent, &notice_id);
	if (rc != RC_OK)
		return rc;
	return sent ? inbound_done_for(in, REQUEST_STATE_DONE, PROOF_NOT_NEEDED, ANSWERED)
		    : inbound_hand_over(in, HELD_BACK);
}

enum rc inbound_enquiry(struct inbound *in)
{
	enum identified found;
	bool handled = false;
	enum rc rc = inbound_identify(in, false, &found);
	if (rc == RC_OK && found != IDENTIFIED_ONE)
		return inbound_not_identified(in, found);
	if (rc == RC_OK)
		rc = inbound_by_policy(in, &handled);
	return rc == RC_OK && !handled ? inbound_carry_out_enquiry(in) : rc;
}
