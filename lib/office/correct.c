/*
 * correct.c - fields of a form changed: by staff (訂正), or because the applicant asked for it (request_change.c)
 *
 * Both go through correction_judge() and correction_write(): the same rules, keys, history, and notices made anew.
 */
#include "lib/office/decide_p.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mailaddr.h"

#define NOTHING_CHANGES "登録内容と同じで、変更する項目がありません。"
#define DUPLICATE "変更すると、ほかの有効な宣言と同じ事業者になります。"

static const char *value_of(const struct form_values *form, enum form_field field)
{
	return form->value[field] ? form->value[field] : "";
}

const char *office_mail_key(const char *mail, struct pool *pool)
{
	struct mailaddr address;
	struct str key = STR_INIT;
	if (mail && mailaddr_read(&address, mail) == MAILADDR_OK)
		mailaddr_key(&key, &address);
	const char *copy = pool_strndup(pool, key.s, key.len);
	str_free(&key);
	return copy;
}

/* ---- judging ---- */

/* What is right or wrong about a field may depend on another one that was changed. */
static bool concerns(const struct correction *correction, enum form_field field)
{
	return correction->changed[field] ||
	       (correction->changed[FIELD_TYPE] &&
		       (field == FIELD_CORPORATE_NUMBER || field == FIELD_BUSINESS_NAME));
}

static const char *findings_fault(const struct office *office, const struct findings *findings,
	bool let_doubts, const struct correction *correction, struct pool *pool)
{
	struct str text = STR_INIT;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		if (finding->severity == SEVERITY_NOTE ||
			(let_doubts && finding->severity == SEVERITY_REVIEW) ||
			finding->field >= FIELD_COUNT || !concerns(correction, finding->field))
			continue;
		str_printf(&text, "%s%s：%s", text.len ? "／" : "",
			fieldmap_label(office->settings->fieldmap, finding->field), finding->message_ja);
		/* Whoever corrects reads this; who asked by mail is told by a person. */
		if (let_doubts && finding->remedy_ja)
			str_printf(&text, "%s", finding->remedy_ja);
	}
	const char *why_ja = text.len ? pool_strdup(pool, text.s) : NULL;
	str_free(&text);
	return why_ja;
}

static enum rc check_form(struct office *office, const struct application *app,
	const struct form_record *record, bool let_doubts, struct correction *correction, struct pool *pool,
	struct err *err)
{
	struct validate_rules rules = office_rules(office, clock_now(office->clock));
	struct registry all = office_registry(office),
			proxies = {.ctx = all.ctx, .businesses_of_mail = all.businesses_of_mail};
	struct findings findings;
	struct form_values canonical;
	validate(&canonical, &findings, record, office->settings->fieldmap, &rules, &proxies, pool);
	if (office->registry_fault.rc != RC_OK) {
		*err = office->registry_fault;
		office->registry_fault = (struct err){0};
		return err->rc;
	}
	correction->why_ja = findings_fault(office, &findings, let_doubts, correction, pool);
	correction->form = app->form;
	for (int i = 0; i < FIELD_COUNT; i++)
		if (correction->changed[i])
			correction->form.value[i] = canonical.value[i];
	return RC_OK;
}

/* Drops what is on file already, and puts the rest into words. */
static void describe(const struct office *office, const struct application *app,
	struct correction *correction, struct pool *pool)
{
	const struct fieldmap *map = office->settings->fieldmap;
	struct str text = STR_INIT, labels = STR_INIT;
	for (int i = 0; i < FIELD_COUNT; i++) {
		enum form_field field = (enum form_field)i;
		const char *value = value_of(&correction->form, field);
		correction->changed[i] =
			correction->changed[i] && strcmp(value, value_of(&app->form, field)) != 0;
		if (!correction->changed[i])
			continue;
		const char *shown = fieldmap_choice_label(map, field, value);
		str_printf(&text, "%s%s：%s", text.len ? "\n" : "", fieldmap_label(map, field),
			shown    ? shown
			: *value ? value
				 : "（なし）");
		str_printf(&labels, "%s%s", labels.len ? "、" : "", fieldmap_label(map, field));
	}
	correction->new_address = correction->changed[FIELD_MAIL] &&
				  strcmp(office_mail_key(value_of(&correction->form, FIELD_MAIL), pool),
					  office_mail_key(value_of(&app->form, FIELD_MAIL), pool)) != 0;
	if (correction->changed[FIELD_MAIL])
		correction->form.value[FIELD_MAIL_CONFIRM] = correction->form.value[FIELD_MAIL];
	correction->text = pool_strdup(pool, text.s);
	correction->labels = pool_strdup(pool, labels.s);
	str_free(&text);
	str_free(&labels);
}

/* The key of an applicant may become another one: one live declaration each. */
static enum rc check_alone(struct office *office, const struct application *app,
	struct correction *correction, struct pool *pool, struct err *err)
{
	int64_t id = 0, declaration_id, step_up = 0;
	int star;
	bool same;
	enum rc rc = application_live(office->store, applicant_key(&correction->form, pool), NULL, &id,
		&declaration_id, &star, &same, err);
	if (rc == RC_OK && id && id != app->id && id != app->linked_id)
		rc = application_step_up_of(office->store, app->id, &step_up, err);
	if (rc == RC_OK && id && id != app->id && id != app->linked_id && id != step_up)
		correction->why_ja = DUPLICATE;
	return rc;
}

enum rc correction_judge(struct office *office, const struct application *app,
	const struct form_record *record, bool let_doubts, struct correction *correction, struct pool *pool,
	struct err *err)
{
	correction->text = correction->labels = "";
	enum rc rc = check_form(office, app, record, let_doubts, correction, pool, err);
	if (rc != RC_OK || correction->why_ja)
		return rc;
	describe(office, app, correction, pool);
	if (!*correction->text)
		correction->why_ja = NOTHING_CHANGES;
	return correction->why_ja ? RC_OK : check_alone(office, app, correction, pool, err);
}

/* ---- writing ---- */

/* What notices are written from: where one of these changed, what still waits is made anew. */
static const bool printed[FIELD_COUNT] = {
	[FIELD_CONTACT] = true,
	[FIELD_MAIL] = true,
	[FIELD_TYPE] = true,
	[FIELD_CORPORATE_NUMBER] = true,
	[FIELD_BUSINESS_NAME] = true,
	[FIELD_FAMILY_NAME] = true,
	[FIELD_GIVEN_NAME] = true,
	[FIELD_PREFECTURE] = true,
	[FIELD_NEWS] = true,
};

struct unsent {
	bool new_address; /* then resends too, which repeat a first letter as it was, and what would be tried again after an unknown answer */
	int64_t *id; /* owned */
	size_t count;
};

static enum rc take_unsent(void *ctx, const struct notice *notice, struct err *err)
{
	struct unsent *unsent = ctx;
	(void)err;
	bool waits =
		notice->state == OUTBOX_QUEUED ||
		(unsent->new_address && notice->state == OUTBOX_UNKNOWN && notice->next_try_at != UTC_NEVER);
	bool follows = notice->stage != STAGE_NONE || (unsent->new_address && notice->resend_of);
	if (!waits || !follows)
		return RC_OK;
	unsent->id = xrealloc(unsent->id, (unsent->count + 1) * sizeof *unsent->id);
	unsent->id[unsent->count++] = notice->id;
	return RC_OK;
}

/* A notice that still waits goes out with the new values, to the new address: often the old one is why it waits. One that is at the mail server stays as it is. */
static enum rc make_anew(struct office *office, struct application *app, bool new_address, const char *actor,
	struct pool *pool, struct err *err)
{
	struct unsent unsent = {.new_address = new_address};
	struct notice notice;
	const char *refused_ja = NULL;
	enum rc rc = outbox_each(office->store, app->id, take_unsent, &unsent, err);
	for (size_t i = 0; rc == RC_OK && i < unsent.count; i++) {
		rc = outbox_get(office->store, unsent.id[i], &notice, pool, err);
		notice.state = OUTBOX_CANCELLED;
		if (rc == RC_OK)
			rc = outbox_update(office->store, &notice, NULL, 0, err);
		if (rc == RC_OK)
			rc = office_note(office, app, EVENT_CANCEL, actor, "", notice.id, 1, err);
		if (rc == RC_OK)
			rc = office_send_again(office, app, &notice, actor, &refused_ja, err);
		if (rc == RC_REFUSED && refused_ja)
			rc = office_review(office, app, refused_ja, notice.id, err);
	}
	free(unsent.id);
	return rc;
}

static enum applicant_type type_of(const struct form_values *form)
{
	return strcmp(value_of(form, FIELD_TYPE), "sole") == 0 ? APPLICANT_SOLE_PROPRIETOR
							       : APPLICANT_CORPORATION;
}

/* What of the form stands beside it: kind of business, and the day from which its stages count. */
static enum rc write_columns(
	struct office *office, struct application *app, const struct correction *correction, struct err *err)
{
	bool too_old, future;
	struct due due;
	if (!correction->changed[FIELD_TYPE] && !correction->changed[FIELD_APPLIED_ON])
		return RC_OK;
	app->type = type_of(&app->form);
	if (correction->changed[FIELD_APPLIED_ON]) {
		const char *on = value_of(&app->form, FIELD_APPLIED_ON);
		app->applied_on = *on ? civil_day_read(on) : CIVIL_DAY_NONE;
		app->clock_start = cadence_clock_start(app->applied_on, app->received_at,
			(int)office->settings->backdate_max, &too_old, &future);
	}
	enum rc rc = office_reckon(office, app, &due, err);
	return rc == RC_OK ? application_update(office->store, app, err) : rc;
}

/* Who wants the mail news again gets it, though it had come back from that address. */
static enum rc lift_suppression(
	struct office *office, const struct application *app, const char *mail_key, struct err *err)
{
	if (strcmp(value_of(&app->form, FIELD_NEWS), "true") != 0 || !*mail_key)
		return RC_OK;
	return suppression_set(office->store, mail_key, SUPPRESS_NEWS, false, clock_now(office->clock), err);
}

static enum rc write_one(struct office *office, struct application *app, const struct correction *correction,
	const char *actor, const char *note, struct pool *pool, struct err *err)
{
	struct application after = *app;
	bool anew = false;
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (correction->changed[i])
			after.form.value[i] = correction->form.value[i];
		anew |= correction->changed[i] && printed[i];
	}
	if (correction->changed[FIELD_MAIL])
		after.form.value[FIELD_MAIL_CONFIRM] = after.form.value[FIELD_MAIL];
	const char *mail_key = office_mail_key(after.form.value[FIELD_MAIL], pool);
	enum rc rc = office_write_form(office, app, &after, applicant_key(&after.form, pool), mail_key, err);
	if (rc == RC_OK)
		rc = write_columns(office, &after, correction, err);
	if (rc == RC_OK)
		rc = office_note(office, &after, EVENT_CORRECT, actor, note, 0, 0, err);
	if (rc == RC_OK && correction->changed[FIELD_NEWS])
		rc = lift_suppression(office, &after, mail_key, err);
	if (rc == RC_OK && anew)
		rc = make_anew(office, &after, correction->changed[FIELD_MAIL], actor, pool, err);
	if (rc == RC_OK)
		*app = after;
	return rc;
}

enum rc correction_write(struct office *office, struct application *app, const struct correction *correction,
	const char *actor, const char *note, struct pool *pool, struct err *err)
{
	struct application other = {.state = STATE_NONE};
	struct correction same = *correction;
	int64_t id = app->linked_id;
	enum rc rc = id ? RC_OK : application_step_up_of(office->store, app->id, &id, err);
	if (rc == RC_OK && id)
		rc = application_get(office->store, id, &other, pool, err);
	same.changed[FIELD_APPLIED_ON] = false; /* each has a day of its own */
	bool any = false;
	for (int i = 0; i < FIELD_COUNT; i++)
		any |= same.changed[i];
	if (rc == RC_OK && id && any && state_is_live(other.state))
		rc = write_one(office, &other, &same, actor, note, pool, err);
	return rc == RC_OK ? write_one(office, app, correction, actor, note, pool, err) : rc;
}

/* ---- 訂正 by staff ---- */

#define FOLLOWS "メールアドレスと一緒に変わります。メールアドレスを訂正してください。"
#define OWN_WORD "申込者本人の誓約・同意なので、職員は訂正できません。あらためて申し込んでもらってください。"
#define ANOTHER_FORM                                                                                         \
	"別の申込みになるため、訂正できません。却下または取下げのうえ、申し込み直してもらってください。"

/* What staff can't correct, and why. */
static const char *const fixed[FIELD_COUNT] = {
	[FIELD_KIND] = ANOTHER_FORM,
	[FIELD_DECLARATION_ID] = ANOTHER_FORM,
	[FIELD_MAIL_CONFIRM] = FOLLOWS,
	[FIELD_PLEDGE] = OWN_WORD,
	[FIELD_PRIVACY] = OWN_WORD,
	[FIELD_TERMS] = OWN_WORD,
	[FIELD_TERMS_VERSION] = OWN_WORD,
};

static enum rc check_fields(struct decision_case *c)
{
	bool any = false;
	for (int i = 0; i < FIELD_COUNT; i++) {
		const char *label = fieldmap_label(c->office->settings->fieldmap, (enum form_field)i);
		if (!c->changed->value[i])
			continue;
		any = true;
		if (fixed[i])
			return decision_refuse(c, pool_printf(c->pool, "「%s」：%s", label, fixed[i]),
				"a field was named that can't be corrected");
		if (i == FIELD_APPLIED_ON && c->app.stage != 0)
			return decision_refuse(c,
				pool_printf(c->pool,
					"「%"
					"s」は、最初の通知が作られたあとは訂正できません（日程がすでに動いて"
					"います）。",
					label),
				"the day of application counts already");
	}
	return any ? RC_OK
		   : decision_refuse(
			     c, "訂正する項目が指定されていません。", "no field to correct was named");
}

static enum rc correct(struct decision_case *c)
{
	struct correction correction = {.text = ""};
	struct form_record record = {.record = 1, .form = c->app.form};
	enum rc rc = decision_check_table(c, EVENT_CORRECT);
	if (rc == RC_OK)
		rc = decision_check_reason(c);
	if (rc == RC_OK)
		rc = check_fields(c);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < FIELD_COUNT; i++) {
		correction.changed[i] = c->changed->value[i] != NULL;
		if (correction.changed[i])
			record.form.value[i] = c->changed->value[i];
	}
	if (correction.changed[FIELD_MAIL])
		record.form.value[FIELD_MAIL_CONFIRM] = record.form.value[FIELD_MAIL];
	rc = correction_judge(c->office, &c->app, &record, true, &correction, c->pool, c->err);
	if (rc == RC_OK && correction.why_ja)
		return decision_refuse(c, correction.why_ja, "the new values can't be taken");
	if (rc != RC_OK)
		return rc;
	return correction_write(c->office, &c->app, &correction, c->actor,
		pool_printf(c->pool, "%s：%s", correction.labels, c->reason), c->pool, c->err);
}

enum rc office_correct(struct office *office, int64_t application_id, const struct form_values *changed,
	const char *reason, const char *actor, const char **why_ja, struct pool *pool, struct err *err)
{
	struct decision_case c = {.office = office,
		.reason = reason ? reason : "",
		.actor = actor,
		.changed = changed,
		.why_ja = why_ja,
		.pool = pool,
		.err = err};
	return decision_run(&c, application_id, correct);
}
