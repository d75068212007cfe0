/* report: the page of the office's state, at once */
#include "ctl/ctl.h"
#include "lib/base/file.h"
#include "lib/desk/report.h"

enum rc command_report(struct ctl *ctl, struct err *err)
{
	struct str directory = STR_INIT, page = STR_INIT;
	if (ctl->argument_count > 0)
		str_addz(&directory, ctl->argument[0]);
	else
		report_directory(&directory, ctl->settings);
	enum rc rc = report_write(&ctl->office, directory.s, err);
	path_join(&page, directory.s, "index.html");
	if (rc == RC_OK)
		say("%s", page.s);
	str_free(&directory);
	str_free(&page);
	return rc;
}
