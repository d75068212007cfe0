/* The role scheduler: due stages → outbox. What is due and whether it may go is the office's business (lib/office). */
#include "daemon/role.h"

#define DUE_PER_STEP 200

static enum rc scheduler_start(struct role_context *ctx, struct err *err)
{
	(void)ctx;
	(void)err;
	return RC_OK;
}

static enum rc scheduler_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	(void)now;
	struct step_result result = {.next_at = UTC_NEVER};
	enum rc rc = office_run_due(&ctx->office, DUE_PER_STEP, &result, err);
	if (rc)
		return rc;
	if (result.done > 0)
		role_wake(ctx->settings, "sender");
	*next = result.next_at;
	return RC_OK;
}

static void scheduler_stop(struct role_context *ctx, int64_t deadline_ms)
{
	(void)ctx;
	(void)deadline_ms; /* a step leaves nothing open */
}

const struct role role_scheduler = {
	.name = "scheduler",
	.writes = true,
	.start = scheduler_start,
	.step = scheduler_step,
	.stop = scheduler_stop,
};
