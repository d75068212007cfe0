/* What waits for a person because of its number: how many mails, and three of them drawn at random, to be looked at before they go. */
#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/base/text.h"

struct batches {
	struct ctl *ctl;
	int count;
};

/* The registered address, of which the first letter and the domain are enough to look at: t•••@example.co.jp */
static const char *masked_mail(struct ctl *ctl, const char *mail)
{
	const char *at = mail ? strrchr(mail, '@') : NULL;
	return at ? pool_printf(ctl->pool, "%.1s•••%s", mail, at) : "";
}

static const char *without_address(struct ctl *ctl, const struct application *app, const char *text)
{
	const char *mail = app->form.value[FIELD_MAIL];
	const char *masked = masked_text(ctl, text);
	if (!mail || !*mail)
		return masked;
	struct str out = STR_INIT;
	for (const char *hit; (hit = strstr(masked, mail)); masked = hit + strlen(mail)) {
		str_add(&out, masked, (size_t)(hit - masked));
		str_addz(&out, masked_mail(ctl, mail));
	}
	str_addz(&out, masked);
	const char *copy = pool_strdup(ctl->pool, out.s);
	str_free(&out);
	return copy;
}

static void print_sample(
	struct ctl *ctl, const struct application *app, const struct rendered *rendered, json_t *into)
{
	const char *subject = without_address(ctl, app, rendered->subject.s);
	const char *body = without_address(ctl, app, rendered->body.s);
	const char *to = masked_mail(ctl, app->form.value[FIELD_MAIL]);
	if (ctl->json) {
		(void)json_array_append_new(
			into, json_pack("{s:I, s:s, s:s, s:s}", "application", (json_int_t)app->id, "to", to,
				      "subject", subject, "body", body));
		return;
	}
	say(_("  --- sample: application %lld, to %s"), (long long)app->id, to);
	say("  | Subject: %s", subject);
	for (const char *line = body; *line;) {
		size_t len = strcspn(line, "\n");
		say("  | %.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

/* One that can't be rendered any more is left out of the samples: what it is about is said in its application. */
static enum rc sample(struct ctl *ctl, const struct batch_sample *drawn, json_t *into, struct err *err)
{
	struct application app = {0};
	struct rendered rendered = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
	if (!drawn->application_id)
		return RC_OK;
	enum rc rc = application_get(ctl->store, drawn->application_id, &app, ctl->pool, err);
	if (rc == RC_OK)
		rc = office_preview(&ctl->office, app.id, NULL, drawn->template_name, &rendered, NULL, err);
	if (rc == RC_OK)
		print_sample(ctl, &app, &rendered, into);
	rendered_free(&rendered);
	return rc == RC_REFUSED ? RC_OK : rc;
}

static void print_batch(struct ctl *ctl, const struct held_batch *batch, const struct batch_look *look)
{
	say(_("batch %lld: %s"), (long long)batch->id,
		i18n_japanese() ? batch_reason_name_ja(batch->reason) : batch_reason_name(batch->reason));
	say(_("  asked on %s; %lld mails wait"), time_text(ctl, batch->asked_at), (long long)look->waiting);
	if (batch->reason != BATCH_TEMPLATES)
		say(_("  the day allowed %lld"), (long long)batch->limit);
	if (*batch->first_actor)
		say(_("  %s has agreed on %s; a second person must"), batch->first_actor,
			time_text(ctl, batch->first_at));
	say(_("  to send them: sengenctl release --batch %lld"), (long long)batch->id);
}

static enum rc show(void *context, const struct held_batch *batch, struct err *err)
{
	struct batches *batches = context;
	struct ctl *ctl = batches->ctl;
	struct batch_look look;
	enum rc rc = office_look_at_batch(&ctl->office, batch, &look, ctl->pool, err);
	if (rc != RC_OK)
		return rc;
	json_t *samples = json_array();
	batches->count++;
	if (!ctl->json)
		print_batch(ctl, batch, &look);
	for (int i = 0; rc == RC_OK && i < look.count; i++)
		rc = sample(ctl, &look.sample[i], samples, err);
	if (rc == RC_OK && ctl->json)
		say_json(json_pack("{s:I, s:s, s:o, s:I, s:I, s:o, s:o, s:O}", "batch", (json_int_t)batch->id,
			"reason", batch_reason_name(batch->reason), "asked_at", json_time(batch->asked_at),
			"waiting", (json_int_t)look.waiting, "allowed", (json_int_t)batch->limit, "first_by",
			json_text(batch->first_actor), "first_at", json_time(batch->first_at), "samples",
			samples));
	json_decref(samples);
	return rc;
}

enum rc command_batches(struct ctl *ctl, struct err *err)
{
	struct batches batches = {.ctl = ctl};
	secrets_stand_in(ctl);
	enum rc rc = held_batch_each_open(ctl->store, show, &batches, err);
	if (rc == RC_OK && batches.count == 0 && !ctl->json)
		say("%s", _("Nothing waits to be released."));
	return rc;
}
