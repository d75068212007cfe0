/* A letter of unknown fate counts as served, and no person is asked. */
#include "lib/office/office_p.h"

enum rc office_review(
	struct office *office, struct application *app, const char *reason_ja, int64_t ref, struct err *err)
{
	if (ref)
		app->previous_sent_at = clock_now(office->clock);
	return office_write(office, app, EVENT_REVIEW, ACTOR_DAEMON, reason_ja, ref, err);
}
