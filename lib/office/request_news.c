/*
 * request_news.c - leaving the mail news
 *
 * The one truth about who gets the mail news is what the form of each live declaration says (IPAからの情報送付): leaving sets it to 希望しない for every declaration
 * behind the sender's address, with a row of the history that chains the form's new digest. No address is suppressed: letters about the case go on, a later
 * application that wishes the news is a new consent, and a changed contact address does not bring the news back.
 */
#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/form/validate.h"

#define DECLARATIONS_MAX 200 /* behind one address; where there are more, a person looks */

#define NOTE "メールニュースの配信停止（メールでのお申出）"
#define NOT_ON_THE_LIST "差出人のアドレスは、メールニュースの配信先にありません。"
#define NOT_LISTED "この申込みの登録アドレスは、メールニュースの配信先にありません。"
#define DISOWNED "差出人のドメインが送信元を否認しています（SPFまたはDMARC）。偽装のおそれがあります。"
#define TOO_MANY "差出人のアドレスには、多くの宣言が登録されています。"

static bool wants_news(const struct application *app)
{
	const char *news = app->form.value[FIELD_NEWS];
	return news && strcmp(news, "true") == 0;
}

/* Those behind an address that are on the list. */
struct listed {
	struct application app[DECLARATIONS_MAX];
	int count;
};

static enum rc find_listed(struct inbound *in, const char *mail_key, struct listed *listed, bool *too_many)
{
	int64_t id[DECLARATIONS_MAX + 1];
	int count = 0;
	enum rc rc = RC_OK;
	if (*mail_key)
		rc = application_by_mail(
			in->office->store, mail_key, id, DECLARATIONS_MAX + 1, &count, in->err);
	*too_many = count > DECLARATIONS_MAX;
	for (int i = 0; rc == RC_OK && !*too_many && i < count; i++) {
		struct application *app = &listed->app[listed->count];
		rc = application_get(in->office->store, id[i], app, in->pool, in->err);
		if (rc == RC_OK && wants_news(app))
			listed->count++;
	}
	return rc;
}

static enum rc leave(struct inbound *in, struct application *app, const char *mail_key)
{
	struct application before = *app;
	app->form.value[FIELD_NEWS] = "false";
	enum rc rc = office_write_form(
		in->office, &before, app, applicant_key(&app->form, in->pool), mail_key, in->err);
	return rc == RC_OK ? office_note(in->office, app, EVENT_NEWS, in->actor, NOTE, in->message->id, 0,
				     in->err)
			   : rc;
}

static enum rc leave_all(struct inbound *in, const char *mail_key, struct listed *listed)
{
	bool sent = false;
	int64_t notice_id;
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < listed->count; i++)
		rc = leave(in, &listed->app[i], mail_key);
	if (rc == RC_OK)
		rc = inbound_answer(in, ANSWER_NEWS_STOPPED, NULL, NULL, &sent, &notice_id);
	if (rc != RC_OK)
		return rc;
	return inbound_close(in, REQUEST_STATE_DONE, inbound_by_staff(in) ? PROOF_STAFF : PROOF_SENDER,
		pool_printf(in->pool, "メールニュースの配信を停止しました（宣言%d件）。%s", listed->count,
			sent ? "" : "お知らせのメールは送っていません。"));
}

enum rc inbound_carry_out_news(struct inbound *in)
{
	struct listed *listed = pool_alloc(in->pool, sizeof *listed);
	const char *mail_key = inbound_mail_key(in, in->app.form.value[FIELD_MAIL]);
	bool too_many;
	enum rc rc = find_listed(in, mail_key, listed, &too_many);
	if (rc == RC_OK && too_many)
		return inbound_review(in, TOO_MANY);
	if (rc == RC_OK && listed->count == 0)
		return inbound_review(in, NOT_LISTED);
	return rc == RC_OK ? leave_all(in, mail_key, listed) : rc;
}

/* The first one on the list becomes the application of the request. */
enum rc inbound_news(struct inbound *in)
{
	struct listed *listed = pool_alloc(in->pool, sizeof *listed);
	bool too_many, handled = false, disowned = false;
	enum rc rc = find_listed(in, in->from_key, listed, &too_many);
	if (rc == RC_OK && too_many)
		return inbound_review(in, TOO_MANY);
	if (rc == RC_OK && listed->count > 0)
		rc = inbound_is_disowned(in, &disowned);
	if (rc == RC_OK && disowned)
		return inbound_review(in, DISOWNED);
	if (rc == RC_OK && listed->count == 0)
		return inbound_turn_away(in, NOT_ON_THE_LIST);
	if (rc == RC_OK) {
		inbound_take_application(in, &listed->app[0]);
		rc = inbound_by_policy(in, &handled);
	}
	return rc == RC_OK && !handled ? leave_all(in, in->from_key, listed) : rc;
}
