#include <stdio.h>

#include "ctl/ctl.h"
#include "lib/desk/health.h"

enum rc command_metrics(struct ctl *ctl, struct err *err)
{
	struct tally tally;
	struct str out = STR_INIT;
	enum rc rc = tally_make(&ctl->office, 1, &tally, ctl->pool, err);
	rc = rc ? rc : metrics_print(&ctl->office, &tally, &out, err);
	if (rc == RC_OK)
		(void)fwrite(out.s, 1, out.len, stdout);
	str_free(&out);
	return rc;
}
