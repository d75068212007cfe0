/* The desk's job "report": the page for the shared folder anew every report_minutes. A share that is full or read-only loses nothing: health tells of it, and
 * it is tried again. */
#include "daemon/desk.h"
#include "lib/desk/report.h"

/* What health (lib/desk/health.c) tells staff of. Written only when it changes. */
static enum rc note_fault(struct role_context *ctx, const char *fault, struct err *err)
{
	struct store *store = ctx->office.store;
	struct str known = STR_INIT;
	enum rc rc = fact_get(store, REPORT_FAULT_FACT, &known, err);
	if (!rc && (known.len > 0) != (fault != NULL)) {
		rc = store_begin(store, err);
		rc = rc ? rc : fact_set(store, REPORT_FAULT_FACT, fault, err);
		rc = rc ? rc : store_commit(store, err);
		if (rc && store_in_transaction(store))
			store_rollback(store);
	}
	str_free(&known);
	return rc;
}

enum rc desk_report(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	struct str directory = STR_INIT;
	struct err aside = {0};
	if (ctx->settings->report_minutes == 0)
		return RC_OK;
	*next = now + ctx->settings->report_minutes * 60;
	report_directory(&directory, ctx->settings);
	enum rc rc = report_write(&ctx->office, directory.s, err);
	str_free(&directory);
	/* The first fault is the one to tell. */
	enum rc noted = note_fault(ctx, rc ? rc_name(rc) : NULL, rc ? &aside : err);
	return rc ? rc : noted;
}
