/* patterns: the same matches as regexec(3) finds, and never a match lost to the look at pairs of bytes */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <locale.h>
#include <regex.h>

#include "lib/base/file.h"
#include "lib/base/pattern.h"
#include "lib/base/text.h"
#include "lib/mail/label.h"
#include "lib/mail/rules.h"

static struct pattern *make(const char *expression, bool ignore_case)
{
	struct str why = STR_INIT;
	struct pattern *pattern = pattern_new(expression, ignore_case, &why);
	if (!pattern)
		fail_msg("%s: %s", expression, why.s);
	str_free(&why);
	return pattern;
}

/* What both find; fails where they differ. */
static bool found_by_both(
	const struct pattern *pattern, const regex_t *peer, const char *expression, const char *text)
{
	struct pattern_pairs pairs;
	regmatch_t match[1];
	size_t from = 0, to = 0;
	bool found = pattern_find(pattern, text, &from, &to);
	bool wanted = regexec(peer, text, 1, match, 0) == 0;
	pattern_pairs_of(&pairs, text);
	if (found != wanted || (found && ((size_t)match[0].rm_so != from || (size_t)match[0].rm_eo != to)))
		fail_msg("%s on %s: %d [%zu, %zu)", expression, text, found, from, to);
	if (found && !pattern_may_match(pattern, &pairs))
		fail_msg("%s on %s: lost", expression, text);
	return found;
}

static void test_pattern__as_posix_has_it(void **state)
{
	(void)state;
	static const char *const expressions[] = {"abc", "a|ab|abc", "(a|ab)(c|bcd)(d*)", "x*", "x+y?",
		"^ab$", "(^| )ab", "ab(c|$)", "a.c", "a(.*)c", "(.*a|b)c", "x(.*a|b)", "(a|b|)c", "a{2,3}b",
		"a{0,2}b", "(ab){2}c", "[a-c]+d", "[^a]b", "[]a]b", "[a-c.%+-]+@x", "\\.b\\(", "a\\|b",
		"(ab|cd)?ef", "((ab)?c)*d", "ab.{0,3}cd", "^.{1,4}b ?:$", "日本(語|)", "(日|月).*本", "ab?c",
		"ab*c", "(a(b(c)?)?)?d", "aB", ""};
	static const char *const texts[] = {"", "a", "abc", "abcd", "xxabcd", "aab", "aaab", "aaaab", "ab",
		" ab", "xab", "ab cd", "abxxcd", "abxxxxcd", "xyxxy", "xa", "xb", "x--a", "abbc", "ac",
		"ababc", "cdef", "ef", "abcd", "d", "cabcd", "]b", "bb", "ab", "a.b(", "a|b", "a+b-c%@x",
		"ab:", "abcdb :", "日本語", "日本", "月の本", "日\n本", "AB", "aB", "a\nc"};
	for (size_t e = 0; e < sizeof expressions / sizeof *expressions; e++)
		for (int ignore_case = 0; ignore_case < 2; ignore_case++) {
			regex_t peer;
			struct pattern *pattern = make(expressions[e], ignore_case);
			assert_int_equal(
				regcomp(&peer, expressions[e], REG_EXTENDED | (ignore_case ? REG_ICASE : 0)),
				0);
			for (size_t t = 0; t < sizeof texts / sizeof *texts; t++)
				(void)found_by_both(pattern, &peer, expressions[e], texts[t]);
			regfree(&peer);
			pattern_free(&pattern);
		}
}

static void test_pattern__words_it_cannot_do_without(void **state)
{
	(void)state;
	static const struct {
		const char *expression, *text;
		bool may;
	} cases[] = {
		{"中止|停止", "再送してください", false},
		{"中止|停止", "停止", true},
		{"(使用|利用).*(中止|停止)", "使用の再送", false},
		{"(使用|利用).*(中止|停止)", "利用の停止", true},
		{"(使用|利用)(の|を)?(中止|停止)", "利用を停止", true},
		{"(の)*再送", "送り", false},
		{"(再送)?", "送り", true},
		{"(再送)*", "送り", true},
		{"(再送)+", "送り", false},
		{"(再送){0,2}", "送り", true},
		{"(再送){1,2}", "送り", false},
		{"再送|.*", "送り", true},
		{"^再送$", "送り", false},
		{"ABC", "xabcx", true},
		{".", "", true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pattern_pairs pairs;
		struct pattern *pattern = make(cases[i].expression, true);
		pattern_pairs_of(&pairs, cases[i].text);
		if (pattern_may_match(pattern, &pairs) != cases[i].may)
			fail_msg("%s on %s", cases[i].expression, cases[i].text);
		pattern_free(&pattern);
	}
}

/* What a search that goes back and forth would not end with. */
static void test_pattern__too_many_ways(void **state)
{
	(void)state;
	struct pattern *pattern = make("(a|aa)*b|x", false);
	struct str text = STR_INIT;
	size_t from = 0, to = 0;
	for (int i = 0; i < 60; i++)
		str_addc(&text, 'a');
	assert_false(pattern_find(pattern, text.s, &from, &to));
	str_addc(&text, 'x');
	assert_true(pattern_find(pattern, text.s, &from, &to));
	assert_int_equal(from, 60);
	assert_int_equal(to, 61);
	str_free(&text);
	pattern_free(&pattern);
}

static void test_pattern__broken_ones_say_why(void **state)
{
	(void)state;
	static const char *const broken[] = {"(", "a)", "[a", "+a", "a{3,2}"};
	for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
		struct str why = STR_INIT;
		assert_null(pattern_new(broken[i], false, &why));
		assert_true(why.len > 0);
		str_free(&why);
	}
	struct pattern *none = NULL;
	pattern_free(&none);
}

/* ---- the request rules, on sentences as they come ---- */

struct trial {
	const struct strlist *sentences;
	size_t found;
};

static void try_rule(
	void *ctx, const char *kind, const char *name, const char *where, int weight, const char *expression)
{
	(void)kind, (void)where, (void)weight;
	struct trial *trial = ctx;
	/* A character before a sign of repetition is one to pattern.h, three to regcomp() in the locale C. */
	struct str grouped = STR_INIT;
	size_t len = strlen(expression);
	for (size_t at = 0, step; at < len; at += step) {
		uint32_t c;
		step = utf8_next(expression + at, len - at, &c);
		bool one = step > 1 && expression[at + step] && strchr("?*+{", expression[at + step]);
		str_printf(&grouped, one ? "(%.*s)" : "%.*s", (int)step, expression + at);
	}
	regex_t peer;
	struct pattern *pattern = make(expression, false);
	assert_int_equal(regcomp(&peer, grouped.s, REG_EXTENDED), 0);
	for (size_t i = 0; i < trial->sentences->count; i++)
		trial->found += found_by_both(pattern, &peer, name, trial->sentences->item[i]);
	regfree(&peer);
	pattern_free(&pattern);
	str_free(&grouped);
}

/* Each line that holds Japanese in the sample mails, as far as it stands in them as UTF-8. */
static void sentences_read(struct strlist *out)
{
	struct strlist names = {0};
	struct err err;
	assert_int_equal(file_list_dir(&names, "tests/samples/mail", &err), RC_OK);
	for (size_t i = 0; i < names.count; i++) {
		struct str path = STR_INIT, bytes = STR_INIT, key = STR_INIT;
		path_join(&path, "tests/samples/mail", names.item[i]);
		assert_int_equal(file_read(&bytes, path.s, 1u << 24, &err), RC_OK);
		for (char *line = strtok(bytes.s, "\r\n"); line; line = strtok(NULL, "\r\n")) {
			str_clear(&key);
			label_key(&key, line);
			if (utf8_valid(line, strlen(line)) && key.len < 400 && key.len > utf8_chars(key.s) &&
				!strlist_has(out, key.s))
				strlist_add(out, key.s);
		}
		str_free(&path);
		str_free(&bytes);
		str_free(&key);
	}
	strlist_free(&names);
}

static void test_pattern__request_rules(void **state)
{
	(void)state;
	struct strlist sentences = {0};
	struct request_rules *rules = NULL;
	struct err err;
	sentences_read(&sentences);
	struct trial trial = {&sentences, 0};
	assert_true(sentences.count > 50);
	assert_int_equal(request_rules_load(&rules, NULL, &err), RC_OK);
	request_rules_each(rules, try_rule, &trial);
	assert_true(trial.found > 50);
	request_rules_free(&rules);
	strlist_free(&sentences);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pattern__as_posix_has_it),
		cmocka_unit_test(test_pattern__words_it_cannot_do_without),
		cmocka_unit_test(test_pattern__too_many_ways),
		cmocka_unit_test(test_pattern__broken_ones_say_why),
		cmocka_unit_test(test_pattern__request_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
