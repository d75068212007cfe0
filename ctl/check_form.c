#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/form/registry_csv.h"

struct check {
	struct ctl *ctl;
	const char *file;
	const struct fieldmap *map;
	struct validate_rules rules;
	struct csv_registry *registry;
	int refused; /* records, and files as a whole */
};

/* ---- one record ---- */

/* A name with a line break or a URL is registered, in 要確認; a form that holds one is not in order all the same. */
static enum severity severity_of(const struct finding *finding)
{
	return finding->code == FINDING_INJECTION ? SEVERITY_REFUSE : finding->severity;
}

static bool is_refused(const struct findings *findings)
{
	bool refused = false;
	for (size_t i = 0; i < findings->count; i++)
		refused |= severity_of(&findings->item[i]) == SEVERITY_REFUSE;
	return refused;
}

static json_t *findings_json(const struct findings *findings, enum severity severity)
{
	json_t *list = json_array();
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		if (severity_of(finding) != severity)
			continue;
		const char *field = finding->field < FIELD_COUNT ? form_field_key(finding->field) : NULL;
		json_t *object = json_pack("{s:s?, s:s, s:o, s:o}", "field", field, "code",
			finding_code_name(finding->code), "message", json_text(finding->message_ja), "remedy",
			json_text(finding->remedy_ja));
		(void)json_array_append_new(list, object);
	}
	return list;
}

static json_t *representative_json(const struct form_values *form)
{
	struct str name = STR_INIT;
	const char *family = form->value[FIELD_FAMILY_NAME], *given = form->value[FIELD_GIVEN_NAME];
	str_addz(&name, family ? family : "");
	if (name.len && given && *given)
		str_addc(&name, ' ');
	str_addz(&name, given ? given : "");
	json_t *value = json_text(name.s);
	str_free(&name);
	return value;
}

/* The address as its writer knows it: the store's form of 見本.jp is its A-label. */
static json_t *mail_json(const struct form_values *form, const struct form_record *record)
{
	const char *mail = form->value[FIELD_MAIL], *written = record->form.value[FIELD_MAIL];
	if (!mail || (!strstr(mail, "@xn--") && !strstr(mail, ".xn--")))
		return json_text(mail);
	struct str folded = STR_INIT;
	text_nfkc(&folded, written);
	json_t *value = json_text(folded.s);
	str_free(&folded);
	return value;
}

static json_t *fields_json(const struct form_values *form, const struct form_record *record)
{
	static const enum form_field plain[] = {FIELD_KIND, FIELD_TYPE, FIELD_CORPORATE_NUMBER,
		FIELD_BUSINESS_NAME, FIELD_PREFECTURE, FIELD_CONTACT};
	const char *news = form->value[FIELD_NEWS];
	json_t *object = json_object();
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
		(void)json_object_set_new(object, form_field_key(plain[i]), json_text(form->value[plain[i]]));
		if (plain[i] == FIELD_BUSINESS_NAME)
			(void)json_object_set_new(object, "representative", representative_json(form));
	}
	(void)json_object_set_new(object, "mail", mail_json(form, record));
	(void)json_object_set_new(
		object, "news", news && *news ? json_boolean(strcmp(news, "true") == 0) : json_null());
	return object;
}

static void print_json(const struct check *check, const struct form_record *record,
	const struct form_values *form, const struct findings *findings)
{
	json_t *object = json_pack("{s:o, s:i, s:b, s:o, s:o}", "file", json_text(check->file), "record",
		record->record, "valid", !is_refused(findings), "fields", fields_json(form, record), "errors",
		findings_json(findings, SEVERITY_REFUSE));
	(void)json_object_set_new(object, "review", findings_json(findings, SEVERITY_REVIEW));
	(void)json_object_set_new(object, "notes", findings_json(findings, SEVERITY_NOTE));
	say_json(object);
}

static const char *verdict_text(const struct findings *findings)
{
	if (is_refused(findings))
		return _("refused");
	return findings_review(findings) ? _("accepted, to be reviewed") : _("accepted");
}

static void print_text(const struct check *check, const struct form_record *record,
	const struct form_values *form, const struct findings *findings)
{
	const char *name = form->value[FIELD_BUSINESS_NAME];
	say("%s: %d: %s%s%s", check->file, record->record, verdict_text(findings), name ? "  " : "",
		name ? name : "");
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		const char *label =
			finding->field < FIELD_COUNT ? fieldmap_label(check->map, finding->field) : "";
		say("    %s%s%s%s%s", label, *label ? ": " : "", finding->message_ja,
			finding->remedy_ja ? " " : "", finding->remedy_ja ? finding->remedy_ja : "");
	}
}

static enum rc check_record(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct check *check = ctx;
	struct form_values form = {0};
	struct findings findings = {0};
	struct registry registry = csv_registry_ask(check->registry);
	if (head->content == CONTENT_DECISIONS)
		return err_set(err, RC_REFUSED, "%s",
			_("It is a file of staff decisions, not of application forms."));
	struct pool *pool = pool_new();
	validate(&form, &findings, record, check->map, &check->rules, &registry, pool);
	if (is_refused(&findings))
		check->refused++;
	else
		csv_registry_add(check->registry, &form, record->record);
	if (check->ctl->json)
		print_json(check, record, &form, &findings);
	else
		print_text(check, record, &form, &findings);
	pool_free(&pool);
	return RC_OK;
}

/* ---- one file ---- */

static void file_unreadable(struct check *check, const char *message)
{
	check->refused++;
	if (!check->ctl->json) {
		say("%s: %s", check->file, message);
		return;
	}
	say_json(json_pack("{s:o, s:i, s:b, s:{}, s:[{s:n, s:s, s:o}]}", "file", json_text(check->file),
		"record", 0, "valid", 0, "fields", "errors", "field", "code", "unreadable", "message",
		json_text(message)));
}

static void check_file(struct check *check, const char *path)
{
	struct str bytes = STR_INIT;
	struct err err = {0};
	const char *why_ja = NULL;
	check->file = path;
	csv_registry_next_file(check->registry);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	enum rc rc = fd < 0 ? err_set(&err, RC_REFUSED, _("It could not be opened: %s."), errno_text(errno))
			    : file_read_fd(&bytes, fd, form_limits_default.file_bytes, &err);
	if (fd >= 0)
		(void)close(fd);
	if (rc == RC_OK)
		rc = form_read(bytes.s, bytes.len, check->map, &form_limits_default, check_record, check,
			&why_ja, &err);
	if (rc != RC_OK)
		file_unreadable(check, why_ja ? why_ja : err.text);
	str_free(&bytes);
}

enum rc command_check_form(struct ctl *ctl, struct err *err)
{
	struct check check = {.ctl = ctl};
	struct fieldmap *map = NULL;
	/* Scripts and pipes get the lines they rely on, whether they ask for them or not. */
	ctl->json = ctl->json || !isatty(STDOUT_FILENO);
	struct settings *defaults = xcalloc(1, sizeof *defaults);
	enum rc rc = conf_read(NULL, settings_keys, defaults, err);
	rc = rc ? rc : fieldmap_load(&map, NULL, err);
	rc = rc ? rc : csv_registry_load(&check.registry, option_of(ctl, "registry"), map, err);
	if (rc == RC_OK) {
		check.map = map;
		check.rules = (struct validate_rules){.today = civil_day_of(clock_now(&ctl->clock)),
			.backdate_max = (int)defaults->backdate_max,
			.proxy_max = (int)defaults->proxy_max,
			.terms_version = defaults->terms_version};
		for (int i = 0; i < ctl->argument_count; i++)
			check_file(&check, ctl->argument[i]);
		rc = check.refused ? RC_REFUSED : RC_OK;
	}
	csv_registry_free(&check.registry);
	fieldmap_free(&map);
	settings_free(&defaults);
	return rc;
}
