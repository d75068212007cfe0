/*
 * html.h - static pages for staff and the public: one file, no server, nothing from outside, printable on A4
 *
 * Everything written here is UTF-8 and HTML5. Whatever comes from a form, a mail or a file goes through html_text() or html_attribute(): there is no
 * other way for a value onto a page. Pages carry a Content-Security-Policy that forbids everything but what they bring along.
 */
#ifndef SENGEN_HTML_H
#define SENGEN_HTML_H

#include <stdint.h>

#include "lib/base/str.h"

/* Text between tags: & < > escaped, characters that no text should hold (controls, bidirectional overrides) made visible. NULL is "". */
void html_text(struct str *out, const char *text);
/* The inside of a double-quoted attribute. */
void html_attribute(struct str *out, const char *text);
/* A value inside a script file, as a JavaScript string literal with its quotes; neither </script> nor U+2028 can stand in it. */
void html_script_string(struct str *out, const char *text);

struct html_page {
	const char *title; /* also the h1 */
	const char *lang; /* "ja" */
	const char *style; /* CSS besides the house's own; NULL */
	const char *
		script_files; /* ready <script src="…"> tags of files beside the page; NULL: the page forbids scripts */
};
/* Everything up to and with the h1; then the caller's body; then html_end(). */
void html_begin(struct str *out, const struct html_page *page);
void html_end(struct str *out);
/* <h2 id>, a caption; a table: head cells, then rows. Numbers are right-aligned (`numeric` has a bit a column). */
void html_table_begin(struct str *out, const char *caption, const char *const *head, unsigned numeric);
void html_table_row(struct str *out, const char *const *cell, unsigned numeric);
void html_table_end(struct str *out);

/* Bars over days as inline SVG, with a title and a description for readers of the screen; the table with the same numbers is the caller's. */
struct chart_series {
	const char *name; /* legend */
	const int64_t *value; /* `count` of them */
};
struct chart {
	const char *id; /* unique on the page */
	const char *title, *description;
	const char *const *label; /* `count` texts below the bars; "" where none is wanted */
	const struct chart_series *series;
	int series_count, count;
};
void html_chart(struct str *out, const struct chart *chart);

#endif
