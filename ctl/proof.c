/* proof: what was sent to a declaration and when, as a page to hand in */
#include <stdio.h>

#include "ctl/ctl.h"
#include "lib/base/file.h"
#include "lib/desk/report.h"

enum rc command_proof(struct ctl *ctl, struct err *err)
{
	struct application app;
	struct str page = STR_INIT;
	struct err unread;
	const char *output = option_of(ctl, "output");
	enum rc rc = target_get(ctl, ctl->argument[0], &app, err);
	/* Who may not read the key gets the page without the digests of sealed letters. */
	(void)secrets_load_key(&ctl->secrets, ctl->settings, &unread);
	if (rc == RC_OK)
		rc = option_of(ctl, "text") ? proof_print_text(&ctl->office, &app, &page, err)
					    : proof_print(&ctl->office, &app, &page, err);
	if (rc == RC_OK && output) {
		rc = file_write(output, page.s, page.len, 0640, err);
		if (rc == RC_OK)
			say("%s", output);
	} else if (rc == RC_OK) {
		(void)fwrite(page.s, 1, page.len, stdout);
	}
	str_free(&page);
	return rc;
}
