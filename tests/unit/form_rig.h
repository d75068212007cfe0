/*
 * form_rig.h - a valid application, changed field by field, and what reading and validating makes of a file
 */
#ifndef SENGEN_FORM_RIG_H
#define SENGEN_FORM_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/civil.h"
#include "lib/form/validate.h"

#define RIG_RECORDS 16

struct rig_record {
	int line;
	bool whole_name;
	struct form_values form, canonical; /* as read, and validated */
	struct findings findings;
	char codes[200]; /* of what refuses, and of injection: "pledge mail" */
	const char *damage; /* the first, "" when there is none */
	const char *decision[DECISION_COLUMNS];
	size_t raw_count;
};

struct rig {
	struct fieldmap *map;
	struct pool *pool;
	struct validate_rules rules;
	struct registry *registry;
	struct form_head head;
	struct rig_record record[RIG_RECORDS];
	size_t count;
	enum rc rc;
	const char *why_ja;
	struct err err;
};

static const char *rig_copy(struct pool *pool, const char *text)
{
	return text ? pool_strdup(pool, text) : NULL;
}

static inline void rig_open(struct rig *rig)
{
	memset(rig, 0, sizeof *rig);
	assert_int_equal(fieldmap_load(&rig->map, NULL, &rig->err), RC_OK);
	rig->pool = pool_new();
	rig->rules = (struct validate_rules){.today = civil_from_ymd(2026, 11, 22),
		.backdate_max = 14,
		.proxy_max = 5,
		.terms_version = ""};
}

static inline void rig_close(struct rig *rig)
{
	fieldmap_free(&rig->map);
	pool_free(&rig->pool);
}

static inline void rig_codes(char *out, size_t size, const struct findings *findings)
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->item[i];
		assert_true(*finding->message_ja && *finding->remedy_ja);
		if (finding->severity != SEVERITY_REFUSE && finding->code != FINDING_INJECTION)
			continue;
		const char *name = finding_code_name(finding->code);
		assert_true(len + strlen(name) + 2 < size);
		if (len)
			out[len++] = ' ';
		strcpy(out + len, name);
		len += strlen(name);
	}
}

static inline enum rc rig_record(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct rig *rig = ctx;
	(void)err;
	assert_true(rig->count < RIG_RECORDS);
	struct rig_record *out = &rig->record[rig->count++];
	assert_int_equal(record->record, rig->count);
	rig->head = *head;
	*out = (struct rig_record){.line = record->line,
		.whole_name = record->representative_whole,
		.raw_count = record->raw_count,
		.damage = record->damage_count ? rig_copy(rig->pool, record->damage[0].message_ja) : ""};
	for (int i = 0; i < DECISION_COLUMNS; i++)
		out->decision[i] = rig_copy(rig->pool, record->decision[i]);
	for (int i = 0; i < FIELD_COUNT; i++)
		out->form.value[i] = rig_copy(rig->pool, record->form.value[i]);
	if (head->content == CONTENT_DECISIONS)
		return RC_OK;
	validate(&out->canonical, &out->findings, record, rig->map, &rig->rules, rig->registry, rig->pool);
	for (int i = 0; i < FIELD_COUNT; i++)
		out->canonical.value[i] = rig_copy(rig->pool, out->canonical.value[i]);
	rig_codes(out->codes, sizeof out->codes, &out->findings);
	return RC_OK;
}

static inline void rig_read(struct rig *rig, const void *bytes, size_t len)
{
	rig->count = 0;
	rig->rc = form_read(bytes, len, rig->map, NULL, rig_record, rig, &rig->why_ja, &rig->err);
}

static inline void rig_readz(struct rig *rig, const char *text)
{
	rig_read(rig, text, strlen(text));
}

/* A valid application of 2026-11-20 by a corporation, under the scheme's own labels. */
static const struct {
	enum form_field field;
	const char *value;
} rig_form[] = {
	{FIELD_KIND, "新規に【★一つ星】を申し込む"},
	{FIELD_PURPOSE, "取引先からの信頼性を高めるため"},
	{FIELD_PLEDGE, "誓約する"},
	{FIELD_CONTACT, "見本　陽菜"},
	{FIELD_MAIL, "mihon@example.co.jp"},
	{FIELD_MAIL_CONFIRM, "mihon@example.co.jp"},
	{FIELD_TYPE, "法人"},
	{FIELD_CORPORATE_NUMBER, "2999046046739"},
	{FIELD_BUSINESS_NAME, "株式会社サンプル"},
	{FIELD_FAMILY_NAME, "新垣"},
	{FIELD_GIVEN_NAME, "さくら"},
	{FIELD_POSTAL_CODE, "850-0001"},
	{FIELD_PREFECTURE, "長崎県"},
	{FIELD_ADDRESS, "例示市一番町3-2-19"},
	{FIELD_TELEPHONE, "095-000-3308"},
	{FIELD_EMPLOYEES, "35"},
	{FIELD_INDUSTRY, "情報サービス業"},
	{FIELD_ASSOCIATION, "商工会"},
	{FIELD_NEWS, "希望する"},
	{FIELD_PRIVACY, "同意する"},
	{FIELD_TERMS, "同意する"},
	{FIELD_DECLARATION_ID, ""},
	{FIELD_APPLIED_ON, "2026/11/20"},
	{FIELD_SURVEY, ""},
};
#define RIG_FIELDS (sizeof rig_form / sizeof *rig_form)

static inline void rig_cell(struct str *out, const char *value, char separator)
{
	bool quote = strpbrk(value, "\"\r\n") || strchr(value, separator);
	if (quote)
		str_addc(out, '"');
	for (; *value; value++) {
		if (*value == '"')
			str_addc(out, '"');
		str_addc(out, *value);
	}
	if (quote)
		str_addc(out, '"');
}

static inline void rig_header(struct str *out, const struct rig *rig, char separator, const char *line_end)
{
	for (size_t i = 0; i < RIG_FIELDS; i++) {
		if (i)
			str_addc(out, separator);
		rig_cell(out, fieldmap_label(rig->map, rig_form[i].field), separator);
	}
	str_addz(out, line_end);
}

/* changes: field, value, field, value, …, FIELD_COUNT */
static inline void rig_vrow(struct str *out, char separator, const char *line_end, va_list changes)
{
	const char *value[FIELD_COUNT] = {NULL};
	for (size_t i = 0; i < RIG_FIELDS; i++)
		value[rig_form[i].field] = rig_form[i].value;
	for (int field; (field = va_arg(changes, int)) != FIELD_COUNT;)
		value[field] = va_arg(changes, const char *);
	for (size_t i = 0; i < RIG_FIELDS; i++) {
		if (i)
			str_addc(out, separator);
		rig_cell(out, value[rig_form[i].field], separator);
	}
	str_addz(out, line_end);
}

static inline void rig_row(struct str *out, char separator, const char *line_end, ...)
{
	va_list changes;
	va_start(changes, line_end);
	rig_vrow(out, separator, line_end, changes);
	va_end(changes);
}

/* Reads a CSV of one application with the changes given. */
static inline struct rig_record *rig_one(struct rig *rig, ...)
{
	struct str csv = STR_INIT;
	va_list changes;
	va_start(changes, rig);
	rig_header(&csv, rig, ',', "\r\n");
	rig_vrow(&csv, ',', "\r\n", changes);
	va_end(changes);
	rig_read(rig, csv.s, csv.len);
	str_free(&csv);
	assert_int_equal(rig->rc, RC_OK);
	assert_int_equal(rig->count, 1);
	return &rig->record[0];
}

static inline const struct finding *rig_finding(const struct rig_record *record, enum finding_code code)
{
	for (size_t i = 0; i < record->findings.count; i++) {
		if (record->findings.item[i].code == code)
			return &record->findings.item[i];
	}
	return NULL;
}

/* The same where it must be there. */
static inline const struct finding *rig_xfinding(const struct rig_record *record, enum finding_code code)
{
	const struct finding *finding = rig_finding(record, code);
	if (!finding) {
		fail_msg("%s was not found", finding_code_name(code));
		abort();
	}
	return finding;
}

#endif
