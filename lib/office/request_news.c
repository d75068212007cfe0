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
#define TOO_MANY "差出人のアドレスには、多くの宣言が登録されています。"

static bool wants_news(const struct application *app)
{
	const char *news = app->form.value[FIELD_NEWS];
	return news && strcmp(news, "true") == 0;
}

static enum rc leave(struct inbound *in, struct application *app)
{
	app->form.value[FIELD_NEWS] = "false";
	enum rc rc = application_update_form(
		in->office->store, app, applicant_key(&app->form, in->pool), in->from_key, in->err);
	return rc == RC_OK ? office_note(in->office, app, EVENT_NEWS, in->actor, NOTE, in->message->id, 0,
				     in->err)
			   : rc;
}

/* Those behind the address that are on the list; the first one becomes the application of the request. */
struct listed {
	struct application app[DECLARATIONS_MAX];
	int count;
};

static enum rc find_listed(struct inbound *in, const int64_t *id, int count, struct listed *listed)
{
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < count; i++) {
		struct application *app = &listed->app[listed->count];
		rc = application_get(in->office->store, id[i], app, in->pool, in->err);
		if (rc == RC_OK && wants_news(app))
			listed->count++;
	}
	if (rc == RC_OK && listed->count)
		inbound_take_application(in, &listed->app[0]);
	return rc;
}

static enum rc answer(struct inbound *in, int left)
{
	bool sent = false;
	int64_t notice_id;
	enum rc rc = inbound_answer(in, ANSWER_NEWS_STOPPED, NULL, NULL, &sent, &notice_id);
	if (rc != RC_OK)
		return rc;
	return inbound_close(in, REQUEST_STATE_DONE, PROOF_SENDER,
		pool_printf(in->pool, "メールニュースの配信を停止しました（宣言%d件）。%s", left,
			sent ? "" : "お知らせのメールは送っていません。"));
}

enum rc inbound_news(struct inbound *in)
{
	int64_t id[DECLARATIONS_MAX + 1];
	int count = 0;
	bool handled = false;
	struct listed *listed = pool_alloc(in->pool, sizeof *listed);
	enum rc rc = RC_OK;
	if (*in->from_key)
		rc = application_by_mail(
			in->office->store, in->from_key, id, DECLARATIONS_MAX + 1, &count, in->err);
	if (rc == RC_OK && count > DECLARATIONS_MAX)
		return inbound_review(in, TOO_MANY);
	if (rc == RC_OK)
		rc = find_listed(in, id, count, listed);
	if (rc == RC_OK && listed->count == 0)
		return inbound_turn_away(in, NOT_ON_THE_LIST);
	if (rc == RC_OK)
		rc = inbound_by_policy(in, &handled);
	for (int i = 0; rc == RC_OK && !handled && i < listed->count; i++)
		rc = leave(in, &listed->app[i]);
	return rc == RC_OK && !handled ? answer(in, listed->count) : rc;
}
