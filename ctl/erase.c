/* erase: the personal data of one application, or of a mail that is about none */
#include <inttypes.h>

#include "ctl/ctl.h"

static void add_count(struct ctl *ctl, struct table *table, const char *what, int64_t rows)
{
	TABLE_ROW(table, what, pool_printf(ctl->pool, "%" PRId64, rows));
}

static void print_counts(struct ctl *ctl, const struct erasure *erased)
{
	struct table table = {.columns = 2};
	TABLE_ROW(&table, _("what would be erased"), _("rows"));
	add_count(ctl, &table, _("form"), erased->forms);
	add_count(ctl, &table, _("names and reasons in the history"), erased->history);
	add_count(ctl, &table, _("letters"), erased->letters);
	add_count(ctl, &table, _("received mails"), erased->mails);
	add_count(ctl, &table, _("notes of requests"), erased->requests);
	add_count(ctl, &table, _("public list, past entries"), erased->published);
	add_count(ctl, &table, _("search"), erased->search);
	table_print(&table);
}

static enum rc print_mail(void *ctx, int64_t message_id, struct err *err)
{
	json_t *into = ctx;
	(void)err;
	if (into)
		(void)json_array_append_new(into, json_integer(message_id));
	else
		say(_("received mail %lld"), (long long)message_id);
	return RC_OK;
}

static enum rc print_file(void *ctx, const struct spool_file *file, struct err *err)
{
	json_t *into = ctx;
	(void)err;
	if (into)
		(void)json_array_append_new(into, json_text(file->archive));
	else
		say(_("form file with its results, and every other row of it: %s"), file->archive);
	return RC_OK;
}

static void print_json(
	const struct erasure *erased, int64_t application_id, int64_t mail_id, json_t *files, json_t *mails)
{
	json_t *first = json_array_get(files, 0);
	say_json(json_pack("{s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O?, s:o, s:o}", "application",
		json_number(application_id), "mail", json_number(mail_id), "forms", (json_int_t)erased->forms,
		"history", (json_int_t)erased->history, "letters", (json_int_t)erased->letters, "mails",
		(json_int_t)erased->mails, "requests", (json_int_t)erased->requests, "published",
		(json_int_t)erased->published, "search", (json_int_t)erased->search, "file", first, "files",
		files, "received_mails", mails));
}

static enum rc refuse(const char *why_ja, struct err *err)
{
	return why_ja && i18n_japanese() ? err_set(err, RC_REFUSED, "%s", why_ja) : RC_REFUSED;
}

static enum rc preview(struct ctl *ctl, int64_t mail_id, struct err *err)
{
	struct application app = {0};
	struct erasure erased;
	const char *why_ja = NULL;
	enum rc rc = RC_OK;
	if (mail_id) {
		rc = office_erase_mail(
			&ctl->office, mail_id, true, NULL, "", &erased, &why_ja, ctl->pool, err);
	} else {
		rc = target_get(ctl, ctl->argument[0], &app, err);
		if (rc != RC_OK)
			return rc;
		rc = office_erase(&ctl->office, app.id, true, NULL, "", &erased, &why_ja, ctl->pool, err);
	}
	if (rc != RC_OK)
		return rc == RC_REFUSED ? refuse(why_ja, err) : rc;
	json_t *files = ctl->json ? json_array() : NULL, *mails = ctl->json ? json_array() : NULL;
	if (!ctl->json)
		print_counts(ctl, &erased);
	if (mail_id)
		rc = print_mail(mails, mail_id, err);
	else
		rc = application_files(ctl->store, app.id, print_file, files, err);
	if (rc == RC_OK && !mail_id)
		rc = application_mails(ctl->store, app.id, print_mail, mails, err);
	if (ctl->json)
		print_json(&erased, app.id, mail_id, files, mails);
	return rc;
}

enum rc command_erase(struct ctl *ctl, struct err *err)
{
	json_t *request = NULL;
	int64_t mail_id = 0;
	enum rc rc = option_number(ctl, "mail", 1, INT64_MAX, 0, &mail_id, err);
	if (rc == RC_OK && (mail_id > 0) == (ctl->argument_count > 0))
		rc = err_set(err, RC_USAGE, "%s",
			_("Name an application, or a received mail by --mail, one of them."));
	if (rc == RC_OK && option_of(ctl, "preview"))
		return preview(ctl, mail_id, err);
	if (rc == RC_OK && mail_id)
		request = json_pack("{s:s, s:I}", "command", "erase", "mail", (json_int_t)mail_id);
	else if (rc == RC_OK)
		rc = application_request(ctl, "erase", &request, err);
	rc = rc ? rc : reason_add(ctl, request, true, err);
	if (rc == RC_OK)
		return control_ask(ctl, request, err);
	json_decref(request);
	return rc;
}
