/* The desk's job "metrics": metrics_file anew each minute, whole or not at all. */
#include "daemon/desk.h"
#include "lib/base/file.h"
#include "lib/desk/health.h"

#define PERIOD_SECONDS 60

enum rc desk_metrics(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	const char *path = ctx->settings->metrics_file;
	if (!path)
		return RC_OK;
	struct tally tally;
	struct pool *pool = pool_new();
	struct str out = STR_INIT;
	enum rc rc = tally_make(&ctx->office, 1, &tally, pool, err);
	rc = rc ? rc : metrics_print(&ctx->office, &tally, &out, err);
	/* For the collector of another user. */
	rc = rc ? rc : file_write(path, out.s, out.len, 0644, err);
	*next = now + PERIOD_SECONDS;
	str_free(&out);
	pool_free(&pool);
	return rc;
}
