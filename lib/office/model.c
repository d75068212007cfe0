/*
 * model.c - what letters are packed against
 *
 * A model is the template's own text and the letter as it would look for a sample applicant, on a fixed day, under the settings in force: what is the same in all letters
 * stands in it word for word, and a letter keeps little more than its values. Settings may change from one day to the next and old letters must come back to the
 * letter, so the register keeps each model, under a number that follows from its text. No secret stands in one.
 */
#include "lib/office/office_p.h"

#include <stdlib.h>
#include <string.h>

#include "lib/mail/compose.h"

#define SAMPLE_DAY 20454 /* 2026-01-01; nothing depends on which */

struct item {
	int64_t id;
	struct str text;
	/* of those made here; else NULL */
	int64_t rules_id;
	char *template_name;
	struct letter_model *model;
	bool compared; /* with what the register has under that number */
};

struct models {
	struct item **item; /* owned */
	size_t count;
};

static struct models *models_of(struct office *office)
{
	if (!office->models)
		office->models = xcalloc(1, sizeof *office->models);
	return office->models;
}

void models_forget(struct office *office)
{
	struct models *models = models_of(office);
	while (models->count > 0) {
		struct item *item = models->item[--models->count];
		letter_model_free(&item->model);
		str_free(&item->text);
		free(item->template_name);
		free(item);
	}
}

void models_free(struct office *office)
{
	models_forget(office);
	free(office->models->item);
	free(office->models);
	office->models = NULL;
}

static struct item *add_item(struct office *office, const struct item *content)
{
	struct models *models = models_of(office);
	models->item = xrealloc(models->item, (models->count + 1) * sizeof *models->item);
	struct item *item = xcalloc(1, sizeof *item);
	*item = *content;
	models->item[models->count++] = item;
	return item;
}

/* ---- making one ---- */

/* The logos as they are, with other passwords. */
static const struct secret sample_password = SECRET_LENT("Sample-1234");

static struct logo *sample_logos(const struct secrets *secrets)
{
	size_t count = secrets ? secrets->logo_count : 0;
	struct logo *logos = xcalloc(count + 1, sizeof *logos);
	for (size_t i = 0; i < count; i++) {
		logos[i] = secrets->logo[i];
		logos[i].password = sample_password;
	}
	return logos;
}

static enum rc sample_wire(struct office *office, const struct rules *rules, const char *template_name,
	const struct template *tpl, struct str *wire, struct err *err)
{
	struct clock sample_clock = clock_virtual(civil_moment(SAMPLE_DAY, 10 * 60));
	struct office sample_office = *office;
	struct rendered text = RENDERED_INIT;
	struct str message_id = STR_INIT;
	struct logo *logos = sample_logos(office->secrets);
	struct notice_office values = draft_notice_office(office);
	const struct draft_order order = {.app = notice_sample(APPLICANT_CORPORATION, KIND_NEW1),
		.rules = rules,
		.template_name = template_name};
	int stage = rules_stage_of(rules, template_name);
	sample_office.clock = &sample_clock;
	values.logo = logos;
	message_id_make(&message_id, order.app->id, template_name, 0, office->settings->message_id_domain);
	enum rc rc = notice_example(tpl, template_name,
		stage == STAGE_NONE ? STATE_COUNT : rules->profile.stage[stage].state, &values, &text, err);
	rc = rc ? rc : draft_compose(&sample_office, &order, &text, message_id.s, wire, err);
	free(logos);
	rendered_free(&text);
	str_free(&message_id);
	return rc;
}

/* A sample that can't be made, as where no logo is configured, leaves the template's own text. */
static void make_text(
	struct office *office, const struct rules *rules, const char *template_name, struct str *out)
{
	const struct template *tpl = template_set_find(rules->templates, template_name);
	struct str own_text = STR_INIT, wire = STR_INIT;
	struct err ignored = {0};
	bool has_sample = tpl && sample_wire(office, rules, template_name, tpl, &wire, &ignored) == RC_OK;
	if (tpl)
		template_own_text(tpl, false, &own_text);
	letter_model_text(out, own_text.s, own_text.len, has_sample ? wire.s : NULL, wire.len);
	str_free(&own_text);
	str_free(&wire);
}

enum rc model_for(struct office *office, const struct rules *rules, const char *template_name,
	const struct letter_model **model, struct err *err)
{
	struct item *item = NULL;
	for (size_t i = 0; office->models && i < office->models->count && !item; i++) {
		struct item *at = office->models->item[i];
		if (at->model && at->rules_id == rules->id && strcmp(at->template_name, template_name) == 0)
			item = at;
	}
	if (!item) {
		struct item made = {
			.rules_id = rules->id, .template_name = xstrdup(template_name), .text = STR_INIT};
		make_text(office, rules, template_name, &made.text);
		made.id = letter_model_id(made.text.s, made.text.len);
		made.model = letter_model_new(made.id, made.text.s, made.text.len);
		item = add_item(office, &made);
	}
	/* Asked each time: a transaction that put it there may have been rolled back. */
	enum rc rc = letter_model_keep(
		office->store, item->id, item->text.s, item->text.len, !item->compared, err);
	item->compared = rc == RC_OK;
	*model = item->model;
	return rc;
}

/* ---- for letters on file ---- */

enum rc model_text(struct office *office, int64_t id, const struct str **text, struct err *err)
{
	for (size_t i = 0; office->models && i < office->models->count; i++)
		if (office->models->item[i]->id == id) {
			*text = &office->models->item[i]->text;
			return RC_OK;
		}
	struct item read = {.id = id, .text = STR_INIT};
	enum rc rc = letter_model_get(office->store, id, &read.text, err);
	if (rc == RC_OK)
		*text = &add_item(office, &read)->text;
	else
		str_free(&read.text);
	return rc;
}
