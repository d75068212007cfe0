/*
 * html.h - static pages for staff and the public: one file, no server, nothing from outside, printable on A4
 *
 * Everything written here is UTF-8 and HTML5. Whatever comes from a form, a mail or a file goes through html_text(), html_attribute(), html_link() or
 * html_script_string(): there is no other way for a value onto a page. Pages carry a Content-Security-Policy that forbids everything but what they bring
 * along: the house's style and a script by their digests, nothing over the network.
 */
#ifndef SENGEN_HTML_H
#define SENGEN_HTML_H

#include <stdint.h>

#include "lib/base/str.h"

/* Text between tags: & < > escaped, characters that no text should hold (controls but line feed and tab, bidirectional overrides, invalid UTF-8) made
 * visible as [U+202E]. NULL is "". */
void html_text(struct str *out, const char *text);
/* The inside of a double-quoted attribute. */
void html_attribute(struct str *out, const char *text);
/* A value inside a script file, as a JavaScript string literal with its quotes; neither </script> nor U+2028 can stand in it. Made visible as in
 * html_text(). */
void html_script_string(struct str *out, const char *text);
/* A link. href: an address (http, https, file, mailto), a path relative to the page, or #id; anything else (javascript:) leaves the text alone. */
void html_link(struct str *out, const char *href, const char *text);
/* A path as it stands in an address: everything but letters, digits, / and -._~ as %XX. */
void html_url_path(struct str *out, const char *path);

struct html_page {
	const char *title; /* also the h1 */
	const char *lang; /* "ja" */
	const char *style; /* CSS besides the house's own; NULL */
	const char *
		script_files; /* ready <script src="…"> tags of files beside the page; NULL: the page forbids scripts */
	const char *script; /* a script within the page, allowed by its digest; NULL */
};
/* Everything up to and with the h1; then the caller's body, which is the page's main landmark; then html_end(). */
void html_begin(struct str *out, const struct html_page *page);
/* footer: the text at the very end; NULL. The page's scripts come behind it. */
void html_end(struct str *out, const struct html_page *page, const char *footer);

/* A part of the page that is named by its heading: <section>, <h2 id>. */
void html_section_begin(struct str *out, const char *id, const char *title);
void html_section_end(struct str *out);

/* A table: caption, head cells (NULL ends), then rows, whose first cell is the head of its row. Columns whose bit is set in `numeric` are right-aligned. */
void html_table_begin(struct str *out, const char *caption, const char *const *head, unsigned numeric);
/* The same for long texts: on a narrow screen each row is set as lines "head: cell". */
void html_table_begin_stack(struct str *out, const char *caption, const char *const *head, unsigned numeric);
void html_table_row(struct str *out, const char *const *cell, unsigned numeric); /* NULL ends */
void html_table_end(struct str *out);
/* A row whose cells hold more than text: html_row_begin(), then for each cell html_cell_begin(), whatever html_text() and html_link() write, html_cell_end(). */
void html_row_begin(struct str *out);
void html_cell_begin(struct str *out, const char *const *head, int column, unsigned numeric);
void html_cell_end(struct str *out, int column);
void html_row_end(struct str *out);

/* Bars over days as inline SVG, with a title and a description for readers of the screen; the table with the same numbers is the caller's. */
#define CHART_SERIES_MAX 3 /* told apart by pattern, not only by colour: full, empty, hatched */
struct chart_series {
	const char *name; /* legend */
	const int64_t *value; /* `count` of them */
};
struct chart {
	const char *id; /* unique on the page: letters, digits, - */
	const char *title, *description;
	const char *const *label; /* `count` texts below the bars; "" where none is wanted */
	const struct chart_series *series;
	int series_count, count;
};
void html_chart(struct str *out, const struct chart *chart);

#endif
