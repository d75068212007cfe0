#include "lib/desk/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/crypt.h"
#include "lib/base/embed.h"
#include "lib/base/text.h"

#define RLO "\xE2\x80\xAE"
#define LINE_SEPARATOR "\xE2\x80\xA8"

static const struct {
	const char *text, *markup, *script;
} escapes[] = {
	{NULL, "", "\"\""},
	{"株式会社サンプル", "株式会社サンプル", "\"株式会社サンプル\""},
	{"A&B <b>", "A&amp;B &lt;b&gt;", "\"A\\u0026B \\u003cb\\u003e\""},
	{"\"><script>alert(1)</script>", "&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;",
		"\"\\u0022\\u003e\\u003cscript\\u003ealert(1)\\u003c/script\\u003e\""},
	{"' onload='x", "&#39; onload=&#39;x", "\"\\u0027 onload=\\u0027x\""},
	{"</script>", "&lt;/script&gt;", "\"\\u003c/script\\u003e\""},
	{"<!-- ]]>", "&lt;!-- ]]&gt;", "\"\\u003c!-- ]]\\u003e\""},
	{"\\\";alert(1)//", "\\&quot;;alert(1)//", "\"\\u005c\\u0022;alert(1)//\""},
	{"`${x}`", "`${x}`", "\"\\u0060$\\u007bx\\u007d\\u0060\""},
	{"a\nb\tc", "a\nb\tc", "\"a\\u000ab\\u0009c\""},
	{"a\rb\x1b[31m", "a[U+000D]b[U+001B][31m", "\"a[U+000D]b[U+001B][31m\""},
	{"evil" RLO "gpj.exe", "evil[U+202E]gpj.exe", "\"evil[U+202E]gpj.exe\""},
	{"a" LINE_SEPARATOR "b", "a[U+2028]b", "\"a[U+2028]b\""},
	{"\xC2\x85", "[U+0085]", "\"[U+0085]\""},
	{"bad \xFF\xC0<", "bad \xEF\xBF\xBD\xEF\xBF\xBD&lt;", "\"bad \xEF\xBF\xBD\xEF\xBF\xBD\\u003c\""},
	{"cut \xE6\xA0", "cut \xEF\xBF\xBD\xEF\xBF\xBD", "\"cut \xEF\xBF\xBD\xEF\xBF\xBD\""},
};

static void test_html__values_cannot_break_out(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof escapes / sizeof *escapes; i++) {
		struct str text = STR_INIT, attribute = STR_INIT, script = STR_INIT;
		html_text(&text, escapes[i].text);
		html_attribute(&attribute, escapes[i].text);
		html_script_string(&script, escapes[i].text);
		assert_string_equal(text.s, escapes[i].markup);
		assert_string_equal(attribute.s, escapes[i].markup);
		assert_string_equal(script.s, escapes[i].script);
		str_free(&text);
		str_free(&attribute);
		str_free(&script);
	}
}

/* Every character of Unicode's first planes: nothing that has a meaning in markup or script comes through. */
static void test_html__no_character_is_forgotten(void **state)
{
	(void)state;
	for (uint32_t c = 1; c < 0x11000; c++) {
		struct str one = STR_INIT, text = STR_INIT, script = STR_INIT;
		if (c >= 0xD800 && c < 0xE000)
			continue;
		utf8_add(&one, c);
		html_text(&text, one.s);
		html_script_string(&script, one.s);
		assert_null(strpbrk(text.s, "<>\"'"));
		assert_true(utf8_valid(text.s, text.len) && utf8_valid(script.s, script.len));
		script.s[script.len - 1] = '\0';
		assert_null(strpbrk(script.s + 1, "<>\"'&\n\r`"));
		for (const char *s = text.s; *s;) {
			uint32_t out;
			s += utf8_next(s, strlen(s), &out);
			assert_true(!text_is_control(out) || out == '\n' || out == '\t');
		}
		str_free(&one);
		str_free(&text);
		str_free(&script);
	}
}

static void test_html__links_lead_only_where_they_may(void **state)
{
	static const struct {
		const char *href, *markup;
	} links[] = {
		{"mail/12.eml", "<a href=\"mail/12.eml\">T&lt;</a>"},
		{"#review", "<a href=\"#review\">T&lt;</a>"},
		{"https://example.jp/?a=1&b=2", "<a href=\"https://example.jp/?a=1&amp;b=2\">T&lt;</a>"},
		{"file://server/sengen/x.txt", "<a href=\"file://server/sengen/x.txt\">T&lt;</a>"},
		{"x\"onclick=\"y", "<a href=\"x&quot;onclick=&quot;y\">T&lt;</a>"},
		{"javascript:alert(1)", "T&lt;"},
		{"JaVaScRiPt:alert(1)", "T&lt;"},
		{" javascript:alert(1)", "T&lt;"},
		{"java\nscript:alert(1)", "T&lt;"},
		{"data:text/html,x", "T&lt;"},
		{"//evil.example/x", "T&lt;"},
		{"\\\\evil\\x", "T&lt;"},
		{"/\\evil.example", "T&lt;"},
		{"", "T&lt;"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		struct str out = STR_INIT;
		html_link(&out, links[i].href, "T<");
		assert_string_equal(out.s, links[i].markup);
		str_free(&out);
	}
}

static void test_html__url_path_is_ascii(void **state)
{
	struct str out = STR_INIT;
	(void)state;
	html_url_path(&out, "accepted/2026/11/申込 #1%.csv");
	assert_string_equal(out.s, "accepted/2026/11/%E7%94%B3%E8%BE%BC%20%231%25.csv");
	str_free(&out);
}

static int count_of(const char *text, const char *what)
{
	int count = 0;
	for (const char *at = strstr(text, what); at; at = strstr(at + 1, what))
		count++;
	return count;
}

/* What the policy allows is what stands on the page: the digests are those of its style and script. */
static void assert_allowed(const char *page, const char *begin, const char *end)
{
	uint8_t digest[SHA256_LEN];
	struct str wanted = STR_INIT;
	const char *from = strstr(page, begin);
	assert_non_null(from);
	from += strlen(begin);
	const char *to = strstr(from, end);
	assert_non_null(to);
	sha256(digest, from, (size_t)(to - from));
	str_addz(&wanted, "'sha256-");
	base64_add(&wanted, digest, sizeof digest);
	assert_non_null(strstr(page, wanted.s));
	str_free(&wanted);
}

static void test_html__page(void **state)
{
	static const char hostile[] = "\"><script>alert(1)</script></title>" RLO;
	struct html_page page = {.title = hostile, .lang = "ja", .style = ".own { color: red; }\n"};
	struct str out = STR_INIT;
	(void)state;
	html_begin(&out, &page);
	html_section_begin(&out, "part", hostile);
	html_section_end(&out);
	html_end(&out, &page, hostile);
	assert_int_equal(count_of(out.s, "<script"), 0);
	assert_int_equal(count_of(out.s, "</title>"), 1);
	assert_int_equal(count_of(out.s, RLO), 0);
	assert_int_equal(count_of(out.s, "<h1>"), 1);
	assert_non_null(strstr(out.s, "<html lang=\"ja\">"));
	assert_non_null(strstr(out.s, "<a class=\"skip\" href=\"#main\">"));
	assert_non_null(strstr(out.s, "default-src 'none'; style-src 'sha256-"));
	assert_null(strstr(out.s, "script-src"));
	assert_null(strstr(out.s, "unsafe"));
	assert_non_null(strstr(out.s, ".own { color: red; }"));
	assert_allowed(out.s, "<style>", "</style>");
	str_free(&out);
}

static void test_html__scripts_are_allowed_one_by_one(void **state)
{
	struct html_page page = {.title = "T",
		.lang = "ja",
		.script = "var a = 1;",
		.script_files = "<script src=\"data/1.js\"></script>\n"};
	struct str out = STR_INIT;
	(void)state;
	html_begin(&out, &page);
	html_end(&out, &page, NULL);
	assert_allowed(out.s, "<script>", "</script>");
	assert_non_null(strstr(out.s, "; script-src 'self' file: 'sha256-"));
	assert_true(strstr(out.s, "data/1.js") > strstr(out.s, "</main>"));
	str_free(&out);
}

/* A style or script must not hold what ends it. */
static void test_html__built_in_files_are_whole(void **state)
{
	(void)state;
	assert_non_null(strstr(embedded_house, "prefers-color-scheme: dark"));
	assert_null(strchr(embedded_house, '<'));
	assert_null(strstr(embedded_house, "url("));
	assert_null(strstr(embedded_house, "@import"));
	assert_non_null(strstr(embedded_age, "use strict"));
	assert_null(strstr(embedded_age, "</"));
}

static void test_html__table(void **state)
{
	static const char *const head[] = {"段階", "件数", NULL};
	struct str out = STR_INIT;
	(void)state;
	html_table_begin(&out, "A \"&\" B", head, 2);
	html_table_row(&out, (const char *const[]){"<受付>", "12", NULL}, 2);
	html_row_begin(&out);
	html_cell_begin(&out, head, 0, 2);
	html_link(&out, "#x", "ID");
	html_cell_end(&out, 0);
	html_cell_begin(&out, head, 1, 2);
	html_text(&out, "3");
	html_cell_end(&out, 1);
	html_row_end(&out);
	html_table_end(&out);
	assert_string_equal(out.s,
		"<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"A &quot;&amp;&quot; B\">\n"
		"<table>\n<caption>A &quot;&amp;&quot; B</caption>\n<thead>\n"
		"<tr><th scope=\"col\">段階</th><th scope=\"col\" class=\"num\">件数</th></tr>\n"
		"</thead>\n<tbody>\n"
		"<tr><th scope=\"row\">&lt;受付&gt;</th><td class=\"num\">12</td></tr>\n"
		"<tr><th scope=\"row\" data-head=\"段階\"><a href=\"#x\">ID</a></th>"
		"<td class=\"num\" data-head=\"件数\">3</td></tr>\n"
		"</tbody>\n</table>\n</div>\n");
	str_free(&out);
}

static void make_chart(struct str *out, const int64_t *value, int count, int series)
{
	static const char *label[] = {"1日", "<2日>", "", "4日", "", "", "", "8日"};
	struct chart_series all[CHART_SERIES_MAX];
	for (int i = 0; i < series; i++)
		all[i] = (struct chart_series){i == 0 ? "送信<" : i == 1 ? "受信" : "不達", value};
	html_chart(out, &(struct chart){.id = "mails",
				.title = "通知</svg><script>",
				.description = "日ごと" RLO,
				.label = label,
				.series = all,
				.series_count = series,
				.count = count});
}

static void test_html__chart_has_names_and_a_bar_for_each_number(void **state)
{
	static const int64_t value[] = {3, 0, 1, 1000000};
	struct str out = STR_INIT;
	(void)state;
	make_chart(&out, value, 4, 3);
	assert_non_null(strstr(out.s, "role=\"img\""));
	assert_non_null(strstr(out.s, "aria-labelledby=\"mails-title mails-desc\""));
	assert_non_null(strstr(out.s, "<title id=\"mails-title\">通知&lt;/svg&gt;&lt;script&gt;</title>"));
	assert_non_null(strstr(out.s, "<desc id=\"mails-desc\">日ごと[U+202E]</desc>"));
	assert_null(strstr(out.s, "<script"));
	assert_non_null(strstr(out.s, "&lt;2日&gt;"));
	assert_non_null(strstr(out.s, ">1,000,000</text>"));
	/* a legend and three bars (nothing for 0) a series; the smallest can still be seen */
	assert_int_equal(count_of(out.s, "<rect"), 3 * (1 + 3));
	assert_int_equal(count_of(out.s, "height=\"0.0\""), 0);
	assert_int_equal(count_of(out.s, "fill=\"url(#mails-hatch)\""), 4);
	str_free(&out);
}

static void test_html__chart_axis_is_round(void **state)
{
	static const struct {
		int64_t most;
		const char *top;
	} axes[] = {{0, ">1<"}, {1, ">1<"}, {4, ">4<"}, {5, ">6<"}, {9, ">10<"}, {99, ">100<"},
		{101, ">150<"}, {4200000000, ">6,000,000,000<"}};
	(void)state;
	for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
		struct str out = STR_INIT;
		int64_t value[] = {axes[i].most, 0};
		make_chart(&out, value, 2, 1);
		if (!strstr(out.s, axes[i].top))
			fail_msg("%lld: no %s in %s", (long long)axes[i].most, axes[i].top, out.s);
		str_free(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_html__values_cannot_break_out),
		cmocka_unit_test(test_html__no_character_is_forgotten),
		cmocka_unit_test(test_html__links_lead_only_where_they_may),
		cmocka_unit_test(test_html__url_path_is_ascii),
		cmocka_unit_test(test_html__page),
		cmocka_unit_test(test_html__scripts_are_allowed_one_by_one),
		cmocka_unit_test(test_html__built_in_files_are_whole),
		cmocka_unit_test(test_html__table),
		cmocka_unit_test(test_html__chart_has_names_and_a_bar_for_each_number),
		cmocka_unit_test(test_html__chart_axis_is_round),
	};
	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
