/* Personal data: erased on request, or a purge carried out now. */
#include <inttypes.h>

#include "daemon/control_p.h"
#include "lib/base/log.h"
#include "lib/desk/purge.h"

/* The role desk does it, a little at a time: nobody who asks for something else waits for it. */
enum rc command_purge(struct control_request *request, struct err *err)
{
	struct store *store = request->ctx->office.store;
	if (store_restored(store) != RESTORED_NO) {
		request->why_ja =
			"復元された台帳のため、引き継ぎ（release --restored）まで消去は行いません。";
		return err_set(err, RC_REFUSED,
			"The register was restored; nothing is purged until it is released.");
	}
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : fact_set(store, FACT_PURGE_ASKED, request->actor, err);
	rc = rc ? rc : store_commit(store, err);
	store_rollback(store);
	if (rc)
		return rc;
	request->done = "The purge has begun; its counts come into the journal (purge.done).";
	request->done_ja =
		"保存期間の過ぎたデータの消去を始めました。件数は記録（ジャーナルの purge.done）に残ります。";
	return RC_OK;
}

static int64_t rows_of(const struct erasure *erased)
{
	return erased->forms + erased->history + erased->letters + erased->mails + erased->requests +
	       erased->published + erased->search;
}

/* {"command":"erase","application":12,"reason":"…"}, or "mail":N in place of the application. */
enum rc command_erase(struct control_request *request, struct err *err)
{
	struct office *office = &request->ctx->office;
	const json_t *mail = json_object_get(request->json, "mail");
	struct erasure erased;
	enum rc rc = RC_OK;
	int64_t mail_id = json_integer_value(mail);
	if (mail && mail_id < 1)
		return control_usage(err, "\"mail\" must be a number from 1 on.");
	if (mail) {
		rc = office_erase_mail(office, mail_id, false, request->reason, request->actor, &erased,
			&request->why_ja, request->pool, err);
	} else {
		rc = control_find_application(request, err);
		rc = rc ? rc
			: office_erase(office, request->application_id, false, request->reason,
				  request->actor, &erased, &request->why_ja, request->pool, err);
	}
	if (rc)
		return rc;
	log_event(LEVEL_NOTICE, "erase.done", "application=%" PRId64 " mail=%" PRId64 " rows=%" PRId64,
		request->application_id, mail_id, rows_of(&erased));
	request->done = pool_printf(request->pool,
		"Erased: %" PRId64 " rows of the register%s. Backups made before still hold them.",
		rows_of(&erased),
		erased.files
			? "; the form files it stands in are removed once the evening's books have counted it"
			: "");
	request->done_ja = pool_printf(request->pool,
		"個人データを消去しました（台帳の%" PRId64
		"行）。%s以前に取ったバックアップには残っています。",
		rows_of(&erased),
		erased.files ? "受け付けた申込ファイルと結果は、夕方の照合が済みしだい削除されます。" : "");
	return RC_OK;
}
