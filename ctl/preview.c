#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/base/text.h"

static void print_text(const char *text)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		say("%.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* A letter shows a user number and a logo's password; nobody needs them on a terminal. So secrets are not read here, and the number of a real
 * application is masked as everywhere. */
void secrets_stand_in(struct ctl *ctl)
{
	const struct settings *settings = ctl->settings;
	struct secrets *secrets = &ctl->secrets;
	(void)secret_room(
		&secrets->credential, SEAL_KEY_LEN); /* signs a bounce address that nobody will use */
	secrets->logo = xcalloc(settings->logo_count, sizeof *secrets->logo);
	secrets->logo_count = settings->logo_count;
	for (size_t i = 0; i < settings->logo_count; i++) {
		secrets->logo[i] = (struct logo){.star = (int)settings->logo[i].star,
			.from = civil_day_read(settings->logo[i].from),
			.url = xstrdup(settings->logo[i].url)};
		secret_set(&secrets->logo[i].password, "********", 8);
	}
}

static void mask_user_number(struct ctl *ctl, const struct application *app, struct str *text)
{
	char digits[24];
	if (!app->user_number)
		return;
	(void)snprintf(digits, sizeof digits, "%lld", (long long)app->user_number);
	const char *masked = masked_user_number(ctl, app->user_number);
	struct str out = STR_INIT;
	const char *at = text->s;
	for (const char *hit; (hit = strstr(at, digits)); at = hit + strlen(digits)) {
		str_add(&out, at, (size_t)(hit - at));
		str_addz(&out, masked);
	}
	str_addz(&out, at);
	str_free(text);
	*text = out;
}

static void print_preview(struct ctl *ctl, const struct application *app, struct rendered *rendered)
{
	mask_user_number(ctl, app, &rendered->body);
	if (ctl->json) {
		say_json(json_pack("{s:o, s:s, s:s, s:s}", "application", json_number(app->id), "subject",
			rendered->subject.s, "headers", rendered->headers.s, "body", rendered->body.s));
		return;
	}
	say("Subject: %s", rendered->subject.s);
	print_text(rendered->headers.s);
	say("%s", "");
	print_text(rendered->body.s);
}

enum rc command_preview(struct ctl *ctl, struct err *err)
{
	struct application app = {0};
	struct rendered rendered = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
	struct str wire = STR_INIT;
	bool raw = option_of(ctl, "raw") != NULL;
	enum rc rc = ctl->argument_count ? target_get(ctl, ctl->argument[0], &app, err) : RC_OK;
	if (rc == RC_OK && raw && app.user_number)
		rc = err_set(err, RC_REFUSED, "%s",
			_("The raw mail of this application would show its user number; leave --raw out, or "
			  "leave the "
			  "application out for sample data."));
	secrets_stand_in(ctl);
	if (rc == RC_OK)
		rc = office_preview(&ctl->office, app.id, option_of(ctl, "profile"), option_of(ctl, "notice"),
			&rendered, raw ? &wire : NULL, err);
	if (rc == RC_OK && raw)
		(void)fwrite(wire.s, 1, wire.len, stdout);
	else if (rc == RC_OK)
		print_preview(ctl, &app, &rendered);
	rendered_free(&rendered);
	str_wipe(&wire);
	return rc;
}
