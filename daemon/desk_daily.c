/* The desk's job "daily": counts what the history has of each day, a few milliseconds at a time. */
#include "daemon/desk.h"

#define ROWS_PER_STEP 1000
#define PAUSE_SECONDS 60

enum rc desk_daily(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	struct store *store = ctx->office.store;
	bool more = false;
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : daily_update(store, ROWS_PER_STEP, &more, err);
	rc = rc ? rc : store_commit(store, err);
	/* A reader adds by itself what came since; on the virtual clock a look a day is enough for that. */
	utc_time pause = ctx->simulating ? civil_moment(civil_day_of(now) + 1, 0) : now + PAUSE_SECONDS;
	*next = more ? now : pause;
	return rc;
}
