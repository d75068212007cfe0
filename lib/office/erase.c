/* erase.c - personal data erased on request (F89) */
#include "lib/office/office_p.h"

#include <inttypes.h>

#define LIVING                                                                                                                                               \
	"有効な申込み・宣言です。先に終わらせてください（ID発行後は「使用中止」、発行前は「取下げ」または「" \
	"却"                                                                                                                                                \
	"下」）。"
#define STEP_UP                                                                                              \
	"この一つ星の宣言は、ステップアップ後の申込番号%" PRId64                                             \
	"として続いています。先にそちらを「使用中止」にしてください。"
#define OPEN_REQUEST "未処理の依頼（依頼番号%" PRId64 "）があります。先にその依頼を処理してください。"
#define WAITING_NOTICE                                                                                       \
	"まだ送り終わっていない通知（通知番号%" PRId64 "）があります。送信が終わってから消去してください。"
#define NOTHING_LEFT "個人データはすでに消去されています。"
#define REASON_WANTED "理由を記入してください。"
#define NO_SUCH_APPLICATION "その申込番号の申込みはありません。"
#define NO_SUCH_MAIL "その受信番号のメールはありません。"
#define NOT_FILED "このメールはまだ処理中です。振り分けが終わってから消去してください。"
#define ABOUT_APPLICATION                                                                                    \
	"このメールは申込番号%" PRId64 "についてのものです。申込番号を指定して消去してください。"

struct erasing {
	struct office *office;
	bool preview;
	const char *reason, *actor;
	struct erasure *out;
	const char **why_ja;
	struct pool *pool;
	struct err *err;
	int64_t request_id, notice_id, application_id; /* what stands against it */
};

static enum rc refuse(struct erasing *e, const char *why_ja, const char *why)
{
	*e->why_ja = why_ja;
	return err_set(e->err, RC_REFUSED, "nothing was erased: %s", why);
}

bool office_is_erased(const struct application *app)
{
	for (int i = 0; i < FIELD_COUNT; i++)
		if (app->form.value[i])
			return false;
	return true;
}

static bool is_empty(const struct erasure *erased)
{
	return erased->forms + erased->history + erased->letters + erased->mails + erased->requests +
		       erased->files + erased->published + erased->search ==
	       0;
}

/* ---- what stands against it ---- */

static enum rc take_open(void *ctx, const struct request *request, struct err *err)
{
	struct erasing *e = ctx;
	(void)err;
	e->request_id = request->id;
	return RC_OK;
}

static enum rc take_waiting(void *ctx, const struct notice *notice, struct err *err)
{
	struct erasing *e = ctx;
	(void)err;
	if (notice->state == OUTBOX_QUEUED || notice->state == OUTBOX_SENDING ||
		(notice->state == OUTBOX_UNKNOWN && notice->next_try_at != UTC_NEVER))
		e->notice_id = notice->id;
	return RC_OK;
}

static enum rc may_erase(struct erasing *e, const struct application *app)
{
	struct store *store = e->office->store;
	const struct request_filter open = {
		.open_only = true, .any_kind = true, .application_id = app->id, .limit = 1};
	int64_t step_up = 0;
	if (state_is_live(app->state))
		return refuse(e, LIVING, "the application lives; stop, withdraw or reject it first");
	enum rc rc = application_step_up_of(store, app->id, &step_up, e->err);
	if (rc == RC_OK && step_up)
		return refuse(e, pool_printf(e->pool, STEP_UP, step_up),
			"the declaration lives on as its step-up; stop that first");
	if (rc == RC_OK)
		rc = request_each(store, &open, take_open, e, e->err);
	if (rc == RC_OK && e->request_id)
		return refuse(e, pool_printf(e->pool, OPEN_REQUEST, e->request_id),
			"a request about it is open; settle that first");
	if (rc == RC_OK)
		rc = outbox_each(store, app->id, take_waiting, e, e->err);
	if (rc == RC_OK && e->notice_id)
		return refuse(e, pool_printf(e->pool, WAITING_NOTICE, e->notice_id),
			"a notice to it has not come to its end yet");
	if (rc == RC_OK && !e->preview && !(e->reason && *e->reason))
		return refuse(e, REASON_WANTED, "a reason is wanted");
	return rc;
}

/* ---- carrying it out ---- */

static enum rc note(struct erasing *e, int64_t application_id, enum state state, int64_t ref)
{
	const struct erasure *out = e->out;
	const struct history_row row = {.at = clock_now(e->office->clock),
		.application_id = application_id,
		.event = EVENT_ERASE,
		.from = state,
		.to = state,
		.ref = ref,
		.number = out->forms + out->history + out->letters + out->mails + out->requests + out->files +
			  out->published + out->search,
		.actor = e->actor,
		.note = e->reason};
	return history_add(e->office->store, &row, e->err);
}

static enum rc erase_application(struct erasing *e, int64_t id)
{
	struct application app;
	enum rc rc = application_get(e->office->store, id, &app, e->pool, e->err);
	if (rc == RC_REFUSED)
		*e->why_ja = NO_SUCH_APPLICATION;
	if (rc == RC_OK)
		rc = may_erase(e, &app);
	if (rc == RC_OK)
		rc = application_erase(e->office->store, id, e->preview, e->out, e->err);
	if (rc == RC_OK && is_empty(e->out))
		return refuse(e, NOTHING_LEFT, "its personal data were erased before");
	return rc == RC_OK && !e->preview ? note(e, id, app.state, 0) : rc;
}

enum rc office_erase(struct office *office, int64_t application_id, bool preview, const char *reason,
	const char *actor, struct erasure *out, const char **why_ja, struct pool *pool, struct err *err)
{
	struct erasing e = {.office = office,
		.preview = preview,
		.reason = reason,
		.actor = actor,
		.out = out,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	struct txn txn;
	*out = (struct erasure){0};
	*why_ja = NULL;
	if (preview)
		return erase_application(&e, application_id);
	enum rc rc = txn_begin(office, &txn, err);
	return rc == RC_OK ? txn_end(office, &txn, erase_application(&e, application_id), err) : rc;
}

/* ---- a mail ---- */

static enum rc take_request(void *ctx, const struct request *request, struct err *err)
{
	struct erasing *e = ctx;
	struct application app;
	if (request->state == REQUEST_STATE_REVIEW || request->state == REQUEST_STATE_ASKED ||
		request->state == REQUEST_STATE_PLANNED)
		e->request_id = request->id;
	if (!request->application_id)
		return RC_OK;
	enum rc rc = application_get(e->office->store, request->application_id, &app, e->pool, err);
	if (rc == RC_OK && !office_is_erased(&app))
		e->application_id = app.id;
	return rc;
}

static enum rc look_at_copy(void *ctx, int64_t message_id, struct err *err)
{
	struct erasing *e = ctx;
	struct mail_message message;
	struct request request;
	int64_t id = 0;
	enum rc rc = message_get(e->office->store, message_id, &message, e->pool, err);
	if (rc == RC_OK && message.state != MESSAGE_FILED)
		return refuse(e, NOT_FILED, "the mail is not settled yet");
	if (rc == RC_OK)
		rc = request_of_message(e->office->store, message_id, &id, err);
	if (rc == RC_OK && id)
		rc = request_get(e->office->store, id, &request, e->pool, err);
	return rc == RC_OK && id ? take_request(e, &request, err) : rc;
}

static enum rc erase_copy(void *ctx, int64_t message_id, struct err *err)
{
	struct erasing *e = ctx;
	const struct retained_item item = {.kind = RETAINED_MAIL, .id = message_id, .path = ""};
	struct erasure one;
	enum rc rc = retained_erase(e->office->store, &item, e->preview, &one, err);
	e->out->history += one.history;
	e->out->mails += one.mails;
	e->out->requests += one.requests;
	return rc;
}

static enum rc erase_mail(struct erasing *e, int64_t message_id)
{
	struct store *store = e->office->store;
	struct mail_message message;
	enum rc rc = message_get(store, message_id, &message, e->pool, e->err);
	if (rc == RC_REFUSED)
		*e->why_ja = NO_SUCH_MAIL;
	if (rc == RC_OK)
		rc = message_copies(store, message_id, look_at_copy, e, e->err);
	if (rc == RC_OK && e->request_id)
		return refuse(e, pool_printf(e->pool, OPEN_REQUEST, e->request_id),
			"its request is open; settle that first");
	if (rc == RC_OK && e->application_id)
		return refuse(e, pool_printf(e->pool, ABOUT_APPLICATION, e->application_id),
			"the mail is about an application; erase that");
	if (rc == RC_OK && !e->preview && !(e->reason && *e->reason))
		return refuse(e, REASON_WANTED, "a reason is wanted");
	if (rc == RC_OK)
		rc = message_copies(store, message_id, erase_copy, e, e->err);
	if (rc == RC_OK && is_empty(e->out))
		return refuse(e, NOTHING_LEFT, "its personal data were erased before");
	return rc == RC_OK && !e->preview ? note(e, 0, STATE_NONE, message_id) : rc;
}

enum rc office_erase_mail(struct office *office, int64_t message_id, bool preview, const char *reason,
	const char *actor, struct erasure *out, const char **why_ja, struct pool *pool, struct err *err)
{
	struct erasing e = {.office = office,
		.preview = preview,
		.reason = reason,
		.actor = actor,
		.out = out,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	struct txn txn;
	*out = (struct erasure){0};
	*why_ja = NULL;
	if (preview)
		return erase_mail(&e, message_id);
	enum rc rc = txn_begin(office, &txn, err);
	return rc == RC_OK ? txn_end(office, &txn, erase_mail(&e, message_id), err) : rc;
}
