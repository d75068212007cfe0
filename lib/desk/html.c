#include "lib/desk/html.h"

#include <string.h>

#include "lib/base/crypt.h"
#include "lib/base/embed.h"
#include "lib/base/text.h"

/* ---- values ---- */

/* How a place writes the characters that would end it. */
typedef void escape_fn(struct str *out, unsigned char c);

static void escape_markup(struct str *out, unsigned char c)
{
	switch (c) {
	case '&':
		str_addz(out, "&amp;");
		break;
	case '<':
		str_addz(out, "&lt;");
		break;
	case '>':
		str_addz(out, "&gt;");
		break;
	case '"':
		str_addz(out, "&quot;");
		break;
	case '\'':
		str_addz(out, "&#39;");
		break;
	default:
		str_addc(out, (char)c);
	}
}

static void escape_script(struct str *out, unsigned char c)
{
	str_printf(out, "\\u%04x", c);
}

/* Bytes that stand as they are in every place; all others of ASCII are looked at. */
static bool is_plain(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr(" -_.,:;/()[]@#+*=!?%|~^$", c));
}

static void add_escaped(struct str *out, const char *text, escape_fn *escape)
{
	size_t len = text ? strlen(text) : 0;
	for (size_t at = 0; at < len;) {
		uint32_t c;
		size_t plain = at;
		while (plain < len && is_plain((unsigned char)text[plain]))
			plain++;
		str_add(out, text + at, plain - at);
		at = plain;
		size_t size = utf8_next(text + at, len - at, &c);
		if (at == len)
			break;
		if (size == 0)
			str_addz(out, "\xEF\xBF\xBD"); /* U+FFFD */
		else if (text_is_control(c) && c != '\n' && c != '\t')
			str_printf(out, "[U+%04X]", c);
		else if (size > 1)
			str_add(out, text + at, size);
		else
			escape(out, (unsigned char)c);
		at += size > 0 ? size : 1;
	}
}

void html_text(struct str *out, const char *text)
{
	add_escaped(out, text, escape_markup);
}

void html_attribute(struct str *out, const char *text)
{
	add_escaped(out, text, escape_markup);
}

void html_script_string(struct str *out, const char *text)
{
	str_addc(out, '"');
	add_escaped(out, text, escape_script);
	str_addc(out, '"');
}

/* ---- links ---- */

static bool is_harmless_address(const char *href)
{
	static const char *const good[] = {"http://", "https://", "file://", "mailto:", "#"};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		if (str_has_prefix(href, good[i]))
			return true;
	/* A relative path: no scheme before the first slash, and no other host (browsers take \ for /). */
	return *href && strcspn(href, ":") >= strcspn(href, "/") && !strchr(href, '\\') &&
	       !str_has_prefix(href, "//") && !text_has_control(href);
}

void html_link(struct str *out, const char *href, const char *text)
{
	if (!is_harmless_address(href)) {
		html_text(out, text);
		return;
	}
	str_addz(out, "<a href=\"");
	html_attribute(out, href);
	str_addz(out, "\">");
	html_text(out, text);
	str_addz(out, "</a>");
}

void html_url_path(struct str *out, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
			strchr("/-._~", c))
			str_addc(out, *path);
		else
			str_printf(out, "%%%02X", c);
	}
}

/* ---- the page ---- */

static void add_digest(struct str *out, const char *text, size_t len)
{
	uint8_t digest[SHA256_LEN];
	sha256(digest, text, len);
	str_addz(out, "'sha256-");
	base64_add(out, digest, sizeof digest);
	str_addz(out, "'");
}

static void add_policy(struct str *out, const struct html_page *page, const struct str *style)
{
	str_addz(
		out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src ");
	add_digest(out, style->s, style->len);
	if (page->script_files || page->script)
		str_addz(out, "; script-src");
	/* A page opened from a share has no host: 'self' is nobody to some browsers then. */
	if (page->script_files)
		str_addz(out, " 'self' file:");
	if (page->script) {
		str_addc(out, ' ');
		add_digest(out, page->script, strlen(page->script));
	}
	str_addz(out, "; base-uri 'none'; form-action 'none'\">\n");
}

void html_begin(struct str *out, const struct html_page *page)
{
	struct str style = STR_INIT;
	bool japanese = strcmp(page->lang, "ja") == 0;
	str_addz(&style, embedded_house);
	str_addz(&style, page->style ? page->style : "");
	str_addz(out, "<!DOCTYPE html>\n<html lang=\"");
	html_attribute(out, page->lang);
	str_addz(out, "\">\n<head>\n<meta charset=\"utf-8\">\n");
	add_policy(out, page, &style);
	str_addz(out, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		      "<meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"robots\" "
		      "content=\"noindex\">\n"
		      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
	html_text(out, page->title);
	str_printf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n", style.s);
	str_printf(out, "<a class=\"skip\" href=\"#main\">%s</a>\n<header>\n<h1>",
		japanese ? "本文へ移る" : "Skip to content");
	html_text(out, page->title);
	str_addz(out, "</h1>\n</header>\n<main id=\"main\" tabindex=\"-1\">\n");
	str_free(&style);
}

void html_end(struct str *out, const struct html_page *page, const char *footer)
{
	str_addz(out, "</main>\n");
	if (footer) {
		str_addz(out, "<footer>");
		html_text(out, footer);
		str_addz(out, "</footer>\n");
	}
	if (page->script_files)
		str_addz(out, page->script_files);
	if (page->script)
		str_printf(out, "<script>%s</script>\n", page->script);
	str_addz(out, "</body>\n</html>\n");
}

void html_section_begin(struct str *out, const char *id, const char *title)
{
	str_addz(out, "<section aria-labelledby=\"");
	html_attribute(out, id);
	str_addz(out, "\">\n<h2 id=\"");
	html_attribute(out, id);
	str_addz(out, "\">");
	html_text(out, title);
	str_addz(out, "</h2>\n");
}

void html_section_end(struct str *out)
{
	str_addz(out, "</section>\n");
}

/* ---- tables ---- */

static bool is_numeric(unsigned numeric, int column)
{
	return (numeric >> column & 1u) != 0;
}

static void table_begin(
	struct str *out, const char *class, const char *caption, const char *const *head, unsigned numeric)
{
	/* What scrolls must be reached with the keyboard, and have a name then. */
	str_addz(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	html_attribute(out, caption);
	str_printf(out, "\">\n<table%s>\n<caption>", class);
	html_text(out, caption);
	str_addz(out, "</caption>\n<thead>\n<tr>");
	for (int i = 0; head[i]; i++) {
		str_printf(out, "<th scope=\"col\"%s>", is_numeric(numeric, i) ? " class=\"num\"" : "");
		html_text(out, head[i]);
		str_addz(out, "</th>");
	}
	str_addz(out, "</tr>\n</thead>\n<tbody>\n");
}

void html_table_begin(struct str *out, const char *caption, const char *const *head, unsigned numeric)
{
	table_begin(out, "", caption, head, numeric);
}

void html_table_begin_stack(struct str *out, const char *caption, const char *const *head, unsigned numeric)
{
	table_begin(out, " class=\"stack\"", caption, head, numeric);
}

void html_row_begin(struct str *out)
{
	str_addz(out, "<tr>");
}

void html_row_end(struct str *out)
{
	str_addz(out, "</tr>\n");
}

void html_cell_begin(struct str *out, const char *const *head, int column, unsigned numeric)
{
	str_addz(out, column == 0 ? "<th scope=\"row\"" : "<td");
	if (is_numeric(numeric, column))
		str_addz(out, " class=\"num\"");
	if (head) {
		str_addz(out, " data-head=\"");
		html_attribute(out, head[column]);
		str_addc(out, '"');
	}
	str_addc(out, '>');
}

void html_cell_end(struct str *out, int column)
{
	str_addz(out, column == 0 ? "</th>" : "</td>");
}

void html_table_row(struct str *out, const char *const *cell, unsigned numeric)
{
	html_row_begin(out);
	for (int i = 0; cell[i]; i++) {
		html_cell_begin(out, NULL, i, numeric);
		html_text(out, cell[i]);
		html_cell_end(out, i);
	}
	html_row_end(out);
}

void html_table_end(struct str *out)
{
	str_addz(out, "</tbody>\n</table>\n</div>\n");
}
