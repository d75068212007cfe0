/* publish: the public lists, at once; published: what one application's entry in them said when */
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "lib/base/file.h"
#include "lib/desk/public_list.h"

#define STEP_MS 200

static enum rc choose_directory(struct ctl *ctl, const char **directory, struct err *err)
{
	*directory = ctl->argument_count > 0 ? ctl->argument[0] : ctl->settings->public_directory;
	return *directory
		       ? RC_OK
		       : err_set(err, RC_USAGE, "%s",
				 _("Name the directory to write the lists into, or set public_directory in "
				   "the configuration."));
}

static int chosen_forms(const struct ctl *ctl)
{
	static const struct {
		const char *option;
		int form;
	} each[] = {{"csv", PUBLIC_CSV}, {"html", PUBLIC_HTML}, {"pdf", PUBLIC_PDF}};
	int forms = 0;
	for (size_t i = 0; i < sizeof each / sizeof *each; i++)
		forms |= option_of(ctl, each[i].option) ? each[i].form : 0;
	return forms ? forms : PUBLIC_FORMS;
}

static enum rc write_lists(
	struct ctl *ctl, const char *directory, struct public_progress *done, struct err *err)
{
	struct public_writer *writer;
	struct progress progress;
	*done = (struct public_progress){0};
	enum rc rc = public_writer_open(&writer, &ctl->office, directory, chosen_forms(ctl), err);
	if (rc != RC_OK)
		return rc;
	progress_start(&progress, _("Writing the public lists"));
	while (rc == RC_OK && !done->finished) {
		rc = public_writer_step(writer, STEP_MS, done, err);
		progress_show(&progress, done->done, done->all);
	}
	progress_end(&progress);
	public_writer_close(&writer);
	return rc;
}

/* The register is not ours to write: the daemon enters it. Without a daemon the lists are good all the same. */
static void record(struct ctl *ctl, const struct public_written *written)
{
	struct err err = {0};
	struct str digest = STR_INIT;
	hex_add(&digest, written->digest, sizeof written->digest);
	if (control_ask(ctl,
		    json_pack("{s:s, s:I, s:s}", "command", "record-list", "rows", (json_int_t)written->rows,
			    "digest", digest.s),
		    &err) != RC_OK) {
		struct str text = STR_INIT;
		output_text(&text, err.text);
		(void)fprintf(stderr, "%s %s\n", _("The lists are in place, but not entered in the history:"),
			text.s);
		str_free(&text);
	}
	str_free(&digest);
}

enum rc command_publish(struct ctl *ctl, struct err *err)
{
	const char *directory;
	struct public_progress done;
	enum rc rc = choose_directory(ctl, &directory, err);
	if (rc == RC_OK)
		rc = write_lists(ctl, directory, &done, err);
	if (rc != RC_OK)
		return rc;
	say(_("%lld declarations, in %s"), (long long)done.written.rows, directory);
	record(ctl, &done.written);
	if (done.pdf_fault.rc != RC_OK)
		*err = done.pdf_fault;
	return done.pdf_fault.rc;
}

/* ---- published ---- */

struct intervals {
	struct ctl *ctl;
	const struct application *app;
	int count;
};

static json_t *values_json(const char *packed)
{
	json_t *out = json_object();
	char *text = xstrdup(packed), *rest = text, *line;
	while ((line = strsep(&rest, "\n"))) {
		char *value = strchr(line, '=');
		if (!value)
			continue;
		*value = '\0';
		(void)json_object_set_new(out, line, json_text(value + 1));
	}
	free(text);
	return out;
}

static enum rc print_interval(void *ctx, const struct published *published, struct err *err)
{
	struct intervals *intervals = ctx;
	struct ctl *ctl = intervals->ctl;
	struct str values = STR_INIT, text = STR_INIT;
	(void)err;
	str_addz(&values, published->values);
	if (published->until == 0)
		public_values_pack(ctl->settings, intervals->app, &values);
	if (ctl->json) {
		say_json(json_pack("{s:I, s:o, s:o, s:o}", "application", (json_int_t)intervals->app->id,
			"since", json_time(published->since), "until",
			published->until ? json_time(published->until) : json_null(), "values",
			values.len ? values_json(values.s) : json_null()));
	} else {
		if (intervals->count > 0)
			say("%s", "");
		if (published->until)
			say(_("from %s until %s"), time_text(ctl, published->since),
				time_text(ctl, published->until));
		else
			say(_("from %s on"), time_text(ctl, published->since));
		public_values_print(ctl->settings, values.s, &text);
		char *rest = text.s, *line;
		while ((line = strsep(&rest, "\n")))
			if (*line)
				say("  %s", line);
		if (values.len == 0)
			say("  %s", _("(what it said has been erased)"));
	}
	intervals->count++;
	str_free(&values);
	str_free(&text);
	return RC_OK;
}

enum rc command_published(struct ctl *ctl, struct err *err)
{
	struct application app;
	struct intervals intervals = {.ctl = ctl, .app = &app};
	enum rc rc = target_get(ctl, ctl->argument[0], &app, err);
	if (rc == RC_OK)
		rc = published_of(ctl->store, app.id, print_interval, &intervals, err);
	if (rc == RC_OK && intervals.count == 0) {
		if (!ctl->json)
			say("%s", _("It never stood in the public lists."));
		return RC_REFUSED;
	}
	return rc;
}
