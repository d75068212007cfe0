#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/template.h"

static const char *const known[] = {"name", "id", "empty", "missing", "lines", "evil", "yes?", "no?", NULL};

struct pair {
	const char *name, *value;
};

static const struct pair usual[] = {{"name", "株式会社サンプル"}, {"id", "41234567890"}, {"empty", ""},
	{"lines", "一行目\n二行目"}, {"evil", "{{id}}"}, {"yes", "1"}, {NULL, NULL}};

static const char *value_of(void *ctx, const char *name)
{
	for (const struct pair *pair = ctx; pair->name; pair++)
		if (strcmp(pair->name, name) == 0)
			return pair->value;
	return NULL;
}

static struct template *parse(const char *text)
{
	struct template *tpl = NULL;
	struct err err = {0};
	if (template_parse(&tpl, "form/id.txt", text, strlen(text), known, &err) != RC_OK)
		fail_msg("%s", err.text);
	return tpl;
}

static void test_template__renders(void **state)
{
	static const struct {
		const char *text, *subject, *headers, *body;
	} cases[] = {
		{"Subject: お知らせ\n\nようこそ\n", "お知らせ", "", "ようこそ\n"},
		{"Subject: {{name}}\n\n{{ id }}、{{name}} 様\n", "株式会社サンプル", "",
			"41234567890、株式会社サンプル 様\n"},
		{"subject: a\nX-Office: 1 {{id}}\nComments: {{name}}\n\nb\n", "a",
			"X-Office: 1 41234567890\nComments: 株式会社サンプル\n", "b\n"},
		{"Subject: a\n\n{{#if yes}}\n甲\n{{else}}\n乙\n{{/if}}\n丙\n", "a", "", "甲\n丙\n"},
		{"Subject: a\n\n{{#if no}}\n甲\n{{else}}\n乙\n{{/if}}\n丙\n", "a", "", "乙\n丙\n"},
		{"Subject: a\n\n{{#unless no}}甲{{else}}乙{{/unless}}丙\n", "a", "", "甲丙\n"},
		{"Subject: a\n\n{{#unless yes}}甲{{else}}乙{{/unless}}丙\n", "a", "", "乙丙\n"},
		{"Subject: a\n\n{{#if empty}}\n{{missing}}\n{{/if}}\n終\n", "a", "", "終\n"},
		{"Subject: a\n\n{{#if yes}}\n{{#if no}}\n甲\n{{else}}\n乙\n{{/if}}\n丙\n{{/if}}\n", "a", "",
			"乙\n丙\n"},
		{"Subject: a\n\n一\n  {{! 注 }}  \n二{{! 注 }}三\n", "a", "", "一\n二三\n"},
		{"{{! for staff }}\nSubject: a\n\n一\n", "a", "", "一\n"},
		{"Subject: a\n\n{{#improper}}\n「取得しました」\n{{/improper}}\n", "a", "",
			"「取得しました」\n"},
		{"Subject: a\n\n{{lines}}\n", "a", "", "一行目\n二行目\n"},
		{"Subject: a\n\n{{evil}}\n", "a", "", "{{id}}\n"},
		{"Subject: {{evil}}\n\nb\n", "{{id}}", "", "b\n"},
		{"\xEF\xBB\xBFSubject: a\r\n\r\n一\r\n\r\n{{#if yes}}\r\n二\r\n{{/if}}\r\n三", "a", "",
			"一\n\n二\n三\n"},
		{"Subject: {{#if yes}}二つ星{{else}}一つ星{{/if}}：完了\nX-Two: {{#if no}}x{{/if}}\n\nb\n",
			"二つ星：完了", "", "b\n"},
		{"Subject: a\n\n { } }{ }\n", "a", "", " { } }{ }\n"},
		{"Subject: a\n\n{{#if yes}} {{#if yes}}\nx\n{{/if}}{{/if}}\n", "a", "", "x\n"},
	};
	(void)state;
	struct rendered out = RENDERED_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *tpl = parse(cases[i].text);
		struct err err = {0};
		if (template_render(tpl, value_of, (void *)(uintptr_t)usual, &out, &err) != RC_OK)
			fail_msg("case %zu: %s", i, err.text);
		assert_string_equal(out.subject.s, cases[i].subject);
		assert_string_equal(out.headers.s, cases[i].headers);
		assert_string_equal(out.body.s, cases[i].body);
		template_free(&tpl);
		assert_null(tpl);
	}
	rendered_free(&out);
}

static void test_template__refuses_at_load_with_file_and_line(void **state)
{
	static const struct {
		const char *text, *where, *what;
	} cases[] = {
		{"Subject: a\n\n一\n{{nmae}}\n", "form/id.txt:4:", "no such placeholder: nmae"},
		{"Subject: a\n\n{{}}\n", "form/id.txt:3:", "no such placeholder"},
		{"Subject: a\n\n{{yes?}}\n", "form/id.txt:3:", "no such placeholder"},
		{"Subject: a\n\n{{yes}}\n", "form/id.txt:3:", "only stand in {{#if}}"},
		{"Subject: {{nmae}}\n\nb\n", "form/id.txt:1:", "no such placeholder"},
		{"Subject: a\n\n{{#if nmae}}x{{/if}}\n", "form/id.txt:3:", "no such placeholder"},
		{"Subject: a\n\nb\n{{#if yes}}\nx\n", "form/id.txt:4:", "not closed: if"},
		{"Subject: a\n\n{{#improper}}\nx\n", "form/id.txt:3:", "not closed: improper"},
		{"Subject: a\n\n{{#if yes}}\nx\n{{/unless}}\n", "form/id.txt:5:", "not the last one opened"},
		{"Subject: a\n\n{{#if yes}}{{#improper}}{{/if}}{{/improper}}\n",
			"form/id.txt:3:", "not the last one"},
		{"Subject: a\n\n{{/if}}\n", "form/id.txt:3:", "not the last one opened"},
		{"Subject: a\n\n{{else}}\n", "form/id.txt:3:", "without its {{#if}}"},
		{"Subject: a\n\n{{#if yes}}{{else}}{{else}}{{/if}}\n",
			"form/id.txt:3:", "without its {{#if}}"},
		{"Subject: a\n\n{{#each yes}}\n", "form/id.txt:3:", "no such section"},
		{"Subject: a\n\n{{#improper yes}}\n", "form/id.txt:3:", "takes no name"},
		{"Subject: a\n\n{{name\n}}\n", "form/id.txt:3:", "without }} on the same line"},
		{"Subject: a\n\nname}}\n", "form/id.txt:3:", "}} without {{"},
		{"Subject: {{#if yes}}a\n\n{{/if}}b\n", "form/id.txt:1:", "not closed"},
		{"Subject: a\nBcc: x@example.com\n\nb\n",
			"form/id.txt:2:", "may not stand in a template: Bcc"},
		{"Subject: a\nX-Sengen-Notice: 1\n\nb\n", "form/id.txt:2:", "may not stand"},
		{"Subject: a\nX-Auto-Response-Suppress: none\n\nb\n", "form/id.txt:2:", "may not stand"},
		{"Subject: a\nSUBJECT: b\n\nb\n", "form/id.txt:2:", "twice"},
		{"Subject: a\n folded\n\nb\n", "form/id.txt:2:", "header line"},
		{"Subject: \n\nb\n", "form/id.txt:1:", "no value"},
		{"X-Office: a\n\nb\n", "form/id.txt:1:", "Subject line is missing"},
		{"\nb\n", "form/id.txt:1:", "Subject line is missing"},
		{"", "form/id.txt:1:", "Subject line is missing"},
		{"Subject: a\n", "form/id.txt:1:", "body is missing"},
		{"Subject: a\n\n", "form/id.txt:2:", "body is missing"},
		{"こんにちは\n\nb\n", "form/id.txt:1:", "header line"},
		{"Subject: a\n\n\x8E\xA9\x8C\xC8\n", "form/id.txt:3:", "not UTF-8"},
		{"Subject: a\n\nb\x1b[2J\n", "form/id.txt:3:", "control character"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct template *tpl = NULL;
		struct err err = {0};
		enum rc rc = template_parse(
			&tpl, "form/id.txt", cases[i].text, strlen(cases[i].text), known, &err);
		if (rc != RC_CONFIG || !strstr(err.text, cases[i].what) ||
			!str_has_prefix(err.text, cases[i].where))
			fail_msg("case %zu: rc %d, \"%s\"", i, rc, err.text);
		assert_null(tpl);
	}
}

static void test_template__nul_byte_is_refused(void **state)
{
	(void)state;
	static const char text[] = "Subject: a\n\nb\0c\n";
	struct template *tpl = NULL;
	struct err err = {0};
	assert_int_equal(template_parse(&tpl, "t", text, sizeof text - 1, known, &err), RC_CONFIG);
}

static void test_template__too_deep_is_refused(void **state)
{
	(void)state;
	struct str text = STR_INIT;
	str_addz(&text, "Subject: a\n\n");
	for (int i = 0; i < 17; i++)
		str_addz(&text, "{{#if yes}}\n");
	struct template *tpl = NULL;
	struct err err = {0};
	assert_int_equal(template_parse(&tpl, "t", text.s, text.len, known, &err), RC_CONFIG);
	assert_non_null(strstr(err.text, "t:19: sections are nested too deeply"));
	str_free(&text);
}

/* T14: nothing a value holds may add a line to the head, expand again, or leave a hole. */
static void test_template__refuses_values(void **state)
{
	static const struct {
		const char *value;
		bool subject_ok, body_ok;
	} cases[] = {
		{"普通の名前", true, true},
		{"{{id}}{{#if yes}}", true, true},
		{"認定NPO法人サンプル", true, true},
		{"a\nBcc: b@example.com", false, true},
		{"a\rBcc: b@example.com", false, false},
		{"a\r\nBcc: b@example.com", false, false},
		{"a\tb", false, true},
		{"a\x1b[31m", false, false},
		{"a\x7f", false, false},
		{"a\xC2\x85 b", false, false}, /* NEL */
		{"a\xE2\x80\xA8 b", false, false}, /* U+2028 */
		{"a\xE2\x80\xA9 b", false, false}, /* U+2029 */
		{"a\xE2\x80\xAE b", false, false}, /* right-to-left override */
		{"a\xC0\x80 b", false, false}, /* a NUL in disguise */
		{"\x8E\xA9\x8C\xC8", false, false}, /* CP932 */
		{"", false, false},
		{NULL, false, false},
	};
	(void)state;
	struct template *subject = parse("Subject: x {{name}}\n\nb\n"),
			*header = parse("Subject: x\nX-A: {{name}}\n\nb\n");
	struct template *body = parse("Subject: x\n\n{{name}}\n");
	struct rendered out = RENDERED_INIT;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct pair pairs[] = {{"name", cases[i].value}, {NULL, NULL}};
		struct err err = {0};
		enum rc want = cases[i].subject_ok ? RC_OK : RC_REFUSED;
		assert_int_equal(template_render(subject, value_of, pairs, &out, &err), want);
		if (want != RC_OK)
			assert_true(str_has_prefix(err.text, "form/id.txt:1: "));
		assert_int_equal(template_render(header, value_of, pairs, &out, &err), want);
		assert_int_equal(template_render(body, value_of, pairs, &out, &err),
			cases[i].body_ok ? RC_OK : RC_REFUSED);
		if (cases[i].body_ok)
			assert_memory_equal(out.body.s, cases[i].value, strlen(cases[i].value));
		else
			assert_true(str_has_prefix(err.text, "form/id.txt:3: "));
	}
	rendered_free(&out);
	template_free(&subject);
	template_free(&header);
	template_free(&body);
}

static void test_template__own_text_keeps_lines(void **state)
{
	(void)state;
	struct template *tpl = parse("Subject: 件名 {{id}}\n\n一{{name}}二\n{{#if "
				     "yes}}\n三\n{{/if}}\n{{#improper}}\n四\n{{/improper}}\n五\n");
	struct str all = STR_INIT, proper = STR_INIT;
	template_own_text(tpl, false, &all);
	template_own_text(tpl, true, &proper);
	assert_string_equal(all.s, "件名 \n\n一二\n\n三\n\n\n四\n\n五\n");
	assert_string_equal(proper.s, "件名 \n\n一二\n\n三\n\n\n\n\n五\n");
	str_free(&all);
	str_free(&proper);
	template_free(&tpl);
}

static void print_placeholder(void *ctx, const char *name, int line, const char *label)
{
	str_printf(ctx, "%s:%d:%s|", name, line, label);
}

static void test_template__placeholders_with_labels(void **state)
{
	(void)state;
	struct template *tpl =
		parse("Subject: 件名 {{name}}\n\n番号：{{id}}、名前：{{name}}\n\n利用者番号\n\n  {{id}}\n"
		      "{{#if yes}}\n12345678901234567890123456789012345678901234567890{{id}}\n{{/if}}\n");
	struct str seen = STR_INIT;
	template_each_placeholder(tpl, print_placeholder, &seen);
	assert_string_equal(seen.s, "name:1:件名|id:3:番号：|name:3:番号：、名前：|id:7:利用者番号|"
				    "id:9:1234567890123456789012345678901234567890|");
	str_free(&seen);
	template_free(&tpl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_template__renders),
		cmocka_unit_test(test_template__refuses_at_load_with_file_and_line),
		cmocka_unit_test(test_template__nul_byte_is_refused),
		cmocka_unit_test(test_template__too_deep_is_refused),
		cmocka_unit_test(test_template__refuses_values),
		cmocka_unit_test(test_template__own_text_keeps_lines),
		cmocka_unit_test(test_template__placeholders_with_labels),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
