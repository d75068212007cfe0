/* T14: a line break in a value adds headers or commands, a value that looks like a placeholder is filled in again. CR, LF, NUL, U+2028 and placeholders in every
 * field of the form: through the readers and rules as intake does it, and past them straight into the register, as if the rules had missed it. */
#include "office_rig.h"

#include "lib/form/validate.h"

static const struct {
	const char *what, *bytes;
	size_t len;
} hostile[] = {
	{"CR", "見本\rBcc: evil@example.net", 0},
	{"LF", "見本\nBcc: evil@example.net", 0},
	{"CRLF", "見本\r\nBcc: evil@example.net\r\n\r\nevil body", 0},
	{"NUL", "見本\0Bcc: evil@example.net", 28},
	{"U+2028",
		"見本\xE2\x80\xA8"
		"Bcc: evil@example.net",
		0},
	{"U+0085",
		"見本\xC2\x85"
		"Bcc: evil@example.net",
		0},
	{"dot", "見本\r\n.\r\nMAIL FROM:<evil@example.net>", 0},
	{"placeholder", "{{user_number}}", 0},
	{"section", "{{#corporation}}{{logo_password}}{{/corporation}}", 0},
	{"entity", "&#10;Bcc: evil@example.net", 0},
};
#define HOSTILE (sizeof hostile / sizeof *hostile)

/* ---- through intake's readers and rules ---- */

struct seen {
	struct rig *rig;
	struct pool *pool;
	int records;
	bool stopped; /* refused, or a person looks first */
	struct form_values out;
};

static enum rc take(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct seen *seen = ctx;
	struct findings findings;
	struct validate_rules rules = office_rules(&seen->rig->office, seen->rig->clock.now);
	(void)head;
	(void)err;
	validate(&seen->out, &findings, record, seen->rig->settings->fieldmap, &rules, NULL, seen->pool);
	for (int i = 0; i < FIELD_COUNT; i++) /* the record lives as long as this call */
		if (seen->out.value[i])
			seen->out.value[i] = pool_strdup(seen->pool, seen->out.value[i]);
	seen->records++;
	seen->stopped = findings_refuse(&findings) || findings_review(&findings);
	return RC_OK;
}

static void json_string(struct str *out, const char *bytes, size_t len)
{
	str_addc(out, '"');
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)bytes[i] < ' ' || bytes[i] == '"' || bytes[i] == '\\')
			str_printf(out, "\\u%04x", (unsigned char)bytes[i]);
		else
			str_addc(out, bytes[i]);
	}
	str_addc(out, '"');
}

static const char *const unsafe[] = {"\r", "\n", "\xE2\x80\xA8", "\xC2\x85", "{{", NULL};

/* What goes on without a person holds no line end, no placeholder, no control character. */
static void assert_harmless(const struct form_values *values, const char *what, int field)
{
	for (int i = 0; i < FIELD_COUNT; i++) {
		const char *value = values->value[i];
		for (size_t u = 0; value && unsafe[u]; u++)
			if (strstr(value, unsafe[u]) && i != FIELD_SURVEY)
				fail_msg("%s in %s came through", what,
					form_field_key((enum form_field)field));
		for (; value && *value; value++)
			if ((unsigned char)*value < ' ' && i != FIELD_SURVEY)
				fail_msg("%s in %s: a control character came through", what,
					form_field_key((enum form_field)field));
	}
}

static void test_trap_14__every_field_at_the_door(void **state)
{
	struct rig *rig = *state;
	int tried = 0;
	for (int field = 0; field < FIELD_COUNT; field++)
		for (size_t h = 0; h < HOSTILE; h++) {
			struct form_values form = rig_form(rig, 1);
			struct str json = STR_INIT;
			struct seen seen = {.rig = rig, .pool = pool_new()};
			const char *why = NULL;
			str_addc(&json, '{');
			for (int i = 0; i < FIELD_COUNT; i++) {
				const char *value = form.value[i];
				size_t len = value ? strlen(value) : 0;
				if (i == field) {
					value = hostile[h].bytes;
					len = hostile[h].len ? hostile[h].len : strlen(value);
				}
				if (!value)
					continue;
				str_printf(&json, "%s\"%s\":", json.len > 1 ? "," : "",
					fieldmap_label(rig->settings->fieldmap, (enum form_field)i));
				json_string(&json, value, len);
			}
			str_addc(&json, '}');
			assert_ok(form_read(json.s, json.len, rig->settings->fieldmap, NULL, take, &seen,
				&why, &rig_err));
			assert_int_equal(seen.records, 1);
			if (!seen.stopped)
				assert_harmless(&seen.out, hostile[h].what, field);
			tried++;
			str_free(&json);
			pool_free(&seen.pool);
		}
	assert_int_equal(tried, FIELD_COUNT * (int)HOSTILE);
}

/* ---- past the rules ---- */

static size_t count_of(const char *text, const char *what)
{
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		count++;
	return count;
}

/* The header fields of a letter, names alone. */
static void header_names(struct str *out, const char *wire)
{
	const char *end = strstr(wire, "\r\n\r\n");
	for (const char *at = wire; at < end;) {
		if (*at != ' ' && *at != '\t')
			str_printf(out, "%.*s ", (int)strcspn(at, ":"), at);
		at = strstr(at, "\r\n") + 2;
	}
}

static void test_trap_14__every_field_past_the_rules(void **state)
{
	struct rig *rig = *state;
	struct str plain_names = STR_INIT, wire = STR_INIT;
	int64_t plain = rig_apply(rig, 1);
	int number = 100, written = 0;
	rig_letter(rig, rig_notices(rig, plain).item[0].id, &wire);
	header_names(&plain_names, wire.s);
	for (int field = 0; field < FIELD_COUNT; field++)
		for (size_t h = 0; h < HOSTILE; h++) {
			if (field == FIELD_KIND || field == FIELD_TYPE || field == FIELD_APPLIED_ON)
				continue; /* choices and a day: the register takes no other */
			struct form_values form = rig_form(rig, number++);
			int64_t id = 0;
			bool review;
			form.value[field] = hostile[h].bytes;
			assert_ok(store_begin(rig->office.store, &rig_err));
			enum rc rc = office_register(&rig->office, &form, NULL, 0, 1, &id, &review, &rig_err);
			if (rc != RC_OK) {
				assert_int_equal(rc, RC_REFUSED);
				store_rollback(rig->office.store);
				continue;
			}
			assert_ok(store_commit(rig->office.store, &rig_err));
			struct rig_notices all = rig_notices(rig, id);
			assert_true(all.count == 1 ||
				    review); /* a letter that can't be written is for a person */
			for (int i = 0; i < all.count; i++) {
				struct str names = STR_INIT;
				str_clear(&wire);
				rig_letter(rig, all.item[i].id, &wire);
				header_names(&names, wire.s);
				if (strcmp(names.s, plain_names.s) != 0)
					fail_msg("%s in %s: header fields %s", hostile[h].what,
						form_field_key((enum form_field)field), names.s);
				assert_int_equal(count_of(wire.s, "\n."), 0);
				assert_int_equal(count_of(wire.s, "\n"), count_of(wire.s, "\r\n"));
				assert_int_equal(strlen(wire.s), wire.len);
				const char *text = rig_text(rig, all.item[i].id);
				assert_null(strstr(text, "900000")); /* no number was filled in */
				assert_null(strstr(text, "Sample-Zip"));
				for (const char *at = all.item[i].recipient; *at; at++)
					assert_true((unsigned char)*at > ' ');
				str_free(&names);
				written++;
			}
		}
	assert_true(written > 30); /* letters were looked at */
	str_free(&plain_names);
	str_free(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_14__every_field_at_the_door, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_14__every_field_past_the_rules, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
