/* The desk's jobs "digest", in the morning of office days, and "alarms", each minute. */
#include "daemon/desk.h"
#include "lib/base/log.h"
#include "lib/desk/digest.h"

#define ALARM_SECONDS 60

enum rc desk_digest(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	const struct settings *settings = ctx->settings;
	civil_day done_on, today = civil_day_of(now);
	int queued = 0;
	if (settings->desk_mail.count == 0)
		return RC_OK;
	enum rc rc = desk_done_on(ctx, "digest", &done_on, err);
	if (rc)
		return rc;
	*next = desk_next(done_on, settings->digest_at, now);
	if (*next > now)
		return RC_OK;
	if (!calendar_closed(&settings->calendar, today)) {
		rc = digest_send(&ctx->office, &queued, err);
		if (!rc && queued) {
			log_event(LEVEL_NOTICE, "digest.queued", "mails=%d", queued);
			role_wake(settings, "sender");
		}
	}
	*next = desk_next(today, settings->digest_at, now);
	return rc;
}

enum rc desk_alarms(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	struct tally tally;
	struct pool *pool = pool_new();
	int queued = 0;
	enum rc rc = tally_make(&ctx->office, 1, &tally, pool, err);
	rc = rc ? rc : alarms_send(&ctx->office, &tally, &queued, err);
	if (!rc && queued)
		role_wake(ctx->settings, "sender");
	*next = now + ALARM_SECONDS;
	pool_free(&pool);
	return rc;
}
