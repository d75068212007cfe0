#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/base/file.h"
#include "lib/mail/dkim.h"

struct report {
	const struct ctl *ctl;
	const struct settings *settings;
	int errors, warnings;
};

static void tell(struct report *report, bool error, const char *message)
{
	*(error ? &report->errors : &report->warnings) += 1;
	if (report->ctl->json)
		say_json(json_pack(
			"{s:s, s:o}", "level", error ? "error" : "warning", "message", json_text(message)));
	else
		say("%s: %s", error ? _("error") : _("warning"), message);
}

static void check_set(struct report *report, const char *name, const char *const *want)
{
	struct template_set *set = NULL;
	struct err err;
	if (template_set_load(&set, report->settings->template_directory, name, want,
		    &report->settings->words, &err) != RC_OK)
		tell(report, true, err.text);
	template_set_free(&set);
}

static void check_templates(struct report *report)
{
	const struct profiles *profiles = &report->settings->profiles;
	for (size_t i = 0; i < profiles->count; i++) {
		const struct profile *profile = &profiles->profile[i];
		const char *want[STAGE_MAX + 1] = {0};
		for (int stage = 0; stage < profile->stage_count && stage < STAGE_MAX; stage++)
			want[stage] = profile->stage[stage].template_name;
		check_set(report, profile->name, want);
	}
	check_set(report, NOTICE_ANSWERS, answer_template);
}

/* systemd hands credentials to the daemon only: here they can be looked at where somebody has said in which directory they lie. */
static bool is_here(const char *from)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	return !str_has_prefix(from, "credential:") || (directory && *directory);
}

static bool read_here(struct report *report, const char *from, struct secret *secret)
{
	struct err err;
	if (!from || !is_here(from))
		return false;
	if (secret_read(secret, from, &err) == RC_OK)
		return true;
	tell(report, true, err.text);
	return false;
}

/* A certificate that is handed over as a credential can't be looked at here; its key may be, or not. */
static void check_smime(struct report *report)
{
	const struct smime_setting *smime = &report->settings->smime;
	struct smime_signer *signer = NULL;
	struct secret key = SECRET_INIT;
	struct clock machine = clock_system();
	struct err err = {0};
	bool hidden = !smime->certificate || !is_here(smime->certificate) ||
		      (smime->chain && !is_here(smime->chain));
	enum rc rc = hidden ? RC_OK : settings_smime_load(&signer, report->settings, &err);
	if (rc == RC_OK && signer)
		rc = smime_valid(signer, clock_now(&machine), &err);
	if (rc == RC_OK && signer && read_here(report, smime->key_from, &key))
		rc = smime_signer_take_key(signer, key.bytes, key.len, &err);
	if (rc != RC_OK)
		tell(report, true, err.text);
	smime_signer_free(&signer);
	secret_free(&key);
}

/* What the domain's DNS has to hold for receivers to find the key. */
static void show_record(
	const struct report *report, const struct dkim_setting *dkim, const struct dkim_key *key)
{
	struct str record = STR_INIT;
	if (report->ctl->json) {
		dkim_key_record(key, &record);
		say_json(json_pack("{s:s, s:s, s:s, s:s}", "level", "record", "selector", dkim->selector,
			"domain", dkim->domain, "txt", record.s));
	} else {
		dkim_key_zone_line(key, &record);
		say(_("DNS record of this DKIM key: %s"), record.s);
	}
	str_free(&record);
}

static void check_dkim(struct report *report, const struct dkim_setting *dkim)
{
	struct secret secret = SECRET_INIT;
	struct dkim_key *key = NULL;
	struct err err;
	if (read_here(report, dkim->key_from, &secret)) {
		if (dkim_key_load(&key, secret.bytes, secret.len, dkim->domain, dkim->selector, &err) ==
			RC_OK)
			show_record(report, dkim, key);
		else
			tell(report, true, err.text);
	}
	dkim_key_free(&key);
	secret_free(&secret);
}

static void check_secrets(struct report *report)
{
	const struct settings *settings = report->settings;
	struct secret secret = SECRET_INIT;
	for (size_t i = 0; i < settings->dkim_count; i++)
		check_dkim(report, &settings->dkim[i]);
	check_smime(report);
	for (size_t i = 0; i < settings->logo_count; i++) {
		if (read_here(report, settings->logo[i].password_from, &secret) && !secret.len)
			tell(report, true, _("The password of a logo is empty."));
	}
	struct secret key = SECRET_INIT;
	if (read_here(report, settings->credential_key_from, &secret) && secret.len != SEAL_KEY_LEN &&
		!hex_read(secret_room(&key, SEAL_KEY_LEN), SEAL_KEY_LEN, secret.bytes))
		tell(report, true,
			_("The credential key must be 32 bytes or 64 hex digits (openssl rand -hex 32)."));
	secret_free(&key);
	if (!settings->transport.maildir)
		(void)read_here(report, settings->transport.password_from, &secret);
	secret_free(&secret);
}

static void check_sense(struct report *report)
{
	const struct settings *settings = report->settings;
	bool star[3] = {false};
	for (size_t i = 0; i < settings->logo_count; i++)
		star[settings->logo[i].star] = true;
	if (!star[1])
		tell(report, false, _("No \"logo\" for one star: its logo notices will wait for staff."));
	if (!star[2])
		tell(report, false, _("No \"logo\" for two stars: their logo notices will wait for staff."));
	if (settings->transport.maildir)
		tell(report, false, _("The transport is a Maildir: no applicant gets a mail."));
	else if (settings->dkim_count == 0)
		tell(report, false, _("No \"dkim\" key: strict receivers may refuse unsigned mails."));
	if (settings->allow.count > 0)
		tell(report, false, _("Test mode: only recipients in \"allow\" get mail."));
	if (!settings->credential_key_from)
		tell(report, false,
			_("No \"credential_key_from\": the key lies beside the register it protects."));
}

enum rc command_check_config(struct ctl *ctl, struct err *err)
{
	struct report report = {.ctl = ctl};
	enum rc rc = settings_load(&ctl->settings, ctl->config, err);
	if (rc != RC_OK && !ctl->json)
		return rc;
	if (rc != RC_OK) {
		tell(&report, true, err->text);
	} else {
		report.settings = ctl->settings;
		check_templates(&report);
		check_secrets(&report);
		check_sense(&report);
	}
	if (ctl->json)
		say_json(json_pack("{s:b, s:i, s:i}", "ok", report.errors == 0, "errors", report.errors,
			"warnings", report.warnings));
	else if (report.errors == 0)
		say(_("%s is good (warnings: %d)."), ctl->config, report.warnings);
	err->text[0] = '\0';
	return report.errors ? RC_CONFIG : RC_OK;
}
