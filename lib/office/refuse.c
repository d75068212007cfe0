/*
 * refuse.c - the answer to a form that was not registered
 *
 * It goes to an address nobody has proven, so it says what to mend and repeats nothing: not the values that were wrong, and not the ID of the
 * declaration a duplicate met.
 */
#include "lib/office/office_p.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/base/text.h"

#define LETTER_COLUMNS 68

/* The address to answer; false: there is none that may be answered. */
static bool may_answer(const struct form_values *form, const struct findings *findings, struct str *key)
{
	struct mailaddr address;
	const char *mail = form->value[FIELD_MAIL], *again = form->value[FIELD_MAIL_CONFIRM];
	for (size_t i = 0; i < findings->count; i++)
		if (findings->item[i].field == FIELD_MAIL || findings->item[i].field == FIELD_MAIL_CONFIRM ||
			findings->item[i].code == FINDING_INJECTION ||
			findings->item[i].code == FINDING_PROXY)
			return false;
	if (!mail || !again || mailaddr_read(&address, mail) != MAILADDR_OK)
		return false;
	mailaddr_key(key, &address);
	return true;
}

/* In lines as wide as those of the notices, the second and later ones indented; no line begins with what closes a sentence. */
static void add_wrapped(struct str *out, const char *text)
{
	char one[5];
	size_t column = 0;
	for (const char *next = text; *next;) {
		uint32_t c;
		size_t len = utf8_next(next, strlen(next), &c);
		snprintf(one, sizeof one, "%.*s", (int)len, next);
		bool may_break = len > 1 && !strstr("。、）」】・", one); /* not within an address either */
		if (column + text_columns(one) > LETTER_COLUMNS && may_break) {
			str_addz(out, "\n　");
			column = 2;
		}
		str_addz(out, one);
		column += text_columns(one);
		next += len;
	}
}

/* What to mend, beginning a line for each field. */
static void list_remedies(struct office *office, const struct findings *findings, struct str *out)
{
	struct str line = STR_INIT;
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		if (finding->severity != SEVERITY_REFUSE)
			continue;
		if (out->len)
			str_addc(out, '\n');
		str_clear(&line);
		str_addz(&line, "・");
		if (finding->field != FIELD_COUNT)
			str_printf(&line, "%s：", fieldmap_label(office->settings->fieldmap, finding->field));
		str_addz(&line, finding->remedy_ja);
		add_wrapped(out, line.s);
	}
	str_free(&line);
}

static bool told_today(struct office *office, const char *key)
{
	civil_day today = office_today(office);
	if (office->told_on != today)
		strlist_free(&office->told);
	office->told_on = today;
	return strlist_has(&office->told, key);
}

static enum rc answer(struct office *office, const struct form_values *form, const char *rules_ja, bool *sent,
	struct err *err)
{
	struct application app = office_blank(form, 0, 0, clock_now(office->clock));
	app.clock_start = office_today(office);
	const struct rules *rules;
	enum rc rc = office_choose_rules(office, &app, err);
	if (rc == RC_OK)
		rc = rules_get(office, app.template_set, &rules, err);
	if (rc != RC_OK || !template_set_find(rules->templates, NOTICE_REFUSED))
		return rc;
	struct draft_order order = {.app = &app,
		.rules = rules,
		.template_name = NOTICE_REFUSED,
		.stage = STAGE_NONE,
		.reason_ja = rules_ja};
	struct draft draft;
	rc = draft_make(office, &order, &draft, err);
	if (rc == RC_OK) {
		rc = draft_queue(office, &order, &draft, ACTOR_DAEMON, err);
		*sent = rc == RC_OK;
	} else if (rc == RC_REFUSED) {
		rc = RC_OK; /* what can't be written is not answered: the result file says it all */
	}
	draft_free(&draft);
	return rc;
}

void office_untell(struct office *office, size_t told)
{
	while (office->told.count > told)
		free(office->told.item[--office->told.count]);
}

enum rc office_answer_refused(struct office *office, const struct form_values *form,
	const struct findings *findings, struct err *err)
{
	struct str key = STR_INIT, rules_ja = STR_INIT;
	bool yes = false, sent = false;
	if (!office->settings->notify_refused || !may_answer(form, findings, &key) ||
		told_today(office, key.s)) {
		str_free(&key);
		return RC_OK;
	}
	enum rc rc = office_may_decide(office, &yes, err);
	if (rc == RC_OK && yes)
		rc = ceiling_allows(office, CEILING_AT_ONCE, &yes, err);
	if (rc == RC_OK && yes) {
		list_remedies(office, findings, &rules_ja);
		rc = answer(office, form, rules_ja.s, &sent, err);
	}
	if (rc == RC_OK && sent) {
		strlist_add(&office->told, key.s);
		rc = ceiling_count(office, CEILING_AT_ONCE, err);
	}
	str_free(&key);
	str_free(&rules_ja);
	return rc;
}
