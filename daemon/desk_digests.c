/* The desk's job "digests": brings the digests of a register from before version 5 up to date, a few hundred at a time, once. */
#include "daemon/desk.h"

enum rc desk_digests(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	(void)state;
	bool more = false;
	enum rc rc = office_key_digests(&ctx->office, &more, err);
	if (more)
		*next = now;
	return rc;
}
