#include "ctl/ctl.h"
#include "ctl/progress.h"

enum rc command_audit(struct ctl *ctl, struct err *err)
{
	const char *wanted = option_of(ctl, "head");
	uint8_t head[SHA256_LEN];
	struct audit audit = {0};
	struct str hash = STR_INIT;
	struct progress progress;
	if (wanted && !hex_read(head, sizeof head, wanted))
		return err_set(err, RC_USAGE, "%s", _("--head must be 64 hex digits."));
	progress_start(&progress, _("Checking the history"));
	store_progress(ctl->store, progress_show, &progress);
	enum rc rc = audit_run(ctl->store, wanted ? head : NULL, &audit, err);
	progress_end(&progress);
	if (rc != RC_OK)
		return rc;
	bool whole = audit.bad_seq == 0 && !audit.fault && (!wanted || audit.head_found);
	hex_add(&hash, audit.head, sizeof audit.head);
	if (ctl->json) {
		say_json(json_pack("{s:b, s:I, s:o, s:o, s:I, s:s, s:o}", "whole", whole, "rows",
			(json_int_t)audit.rows, "bad_row", json_number(audit.bad_seq), "fault",
			json_text(audit.fault), "erased", (json_int_t)audit.erased, "head", hash.s,
			"head_found", wanted ? json_boolean(audit.head_found) : json_null()));
	} else {
		say(_("rows: %lld, erased payloads: %lld"), (long long)audit.rows, (long long)audit.erased);
		say(_("head: %s"), hash.s);
		if (audit.bad_seq || audit.fault)
			say(_("The history does not hold: row %lld: %s"), (long long)audit.bad_seq,
				audit.fault ? audit.fault : "");
		if (wanted && !audit.head_found)
			say("%s",
				_("The head that was noted is not in this history: it was cut or replaced."));
		if (whole)
			say("%s", _("The history is whole."));
	}
	str_free(&hash);
	return whole ? RC_OK : RC_REFUSED;
}
