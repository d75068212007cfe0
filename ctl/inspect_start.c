/*
 * inspect_start.c - `inspect` for the sengenctl that is installed
 *
 * Reading a mail takes GMime and all it stands on, half of what sengenctl would load at each start. The command is therefore carried out by sengen-inspect, which is
 * sengenctl built with inspect.c in the place of this file.
 */
#include <errno.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/heap.h"
#include "lib/base/program.h"

enum rc command_inspect(struct ctl *ctl, struct err *err)
{
	struct str program = STR_INIT;
	enum rc rc = program_find(&program, "sengen-inspect", err);
	if (rc == RC_OK) {
		heap_environment();
		(void)execv(program.s, ctl->argv);
		rc = err_set(err, RC_CONFIG, "%s could not be started: %s.", program.s, errno_text(errno));
	}
	str_free(&program);
	return rc;
}
