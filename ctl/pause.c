/* A part of the work stops, or goes on. */
#include "ctl/ctl.h"

#include <string.h>

enum rc command_pause(struct ctl *ctl, struct err *err)
{
	bool on = strcmp(ctl->command->name, "pause") == 0;
	json_t *what = json_array();
	json_t *request = json_pack("{s:s, s:o}", "command", ctl->command->name, "what", what);
	enum rc rc = reason_add(ctl, request, on, err);
	for (int i = 0; rc == RC_OK && i < ctl->argument_count; i++) {
		bool known = false;
		for (int pause = PAUSE_INTAKE; pause < PAUSE_COUNT; pause++)
			known |= strcmp(pause_name((enum pause)pause), ctl->argument[i]) == 0;
		if (!known)
			rc = err_set(err, RC_USAGE,
				_("\"%s\" can't be paused; intake, deciding, sending and reading can."),
				ctl->argument[i]);
		else
			(void)json_array_append_new(what, json_string(ctl->argument[i]));
	}
	if (rc == RC_OK)
		return control_ask(ctl, request, err);
	json_decref(request);
	return rc;
}
