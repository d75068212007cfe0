/*
 * template.h - notices as plain text files that staff can edit
 *
 * A file: `Subject:` and, if wanted, other header lines, an empty line, the body.
 *   {{name}}                       a value; never expanded again, whatever it contains
 *   {{#if name}} … {{else}} … {{/if}}   a section, kept when the value is there and not empty; {{#unless name}} … {{/unless}} the other way
 *   {{! remark}}                   nothing
 *   {{#improper}} … {{/improper}}  the scheme's list of improper wording: the wording guard passes over it
 * A section tag or remark that stands alone on its line takes the line with it; a tag never spans lines. Line ends may be CRLF and a
 * byte order mark may stand first, as Windows editors write them. The engine knows syntax only and asks a callback for values.
 * Allowed headers: Subject, Comments, Keywords, Importance, Organization and X-… (but not those the program writes itself).
 * An unknown placeholder, a broken or unclosed section, a header that is not allowed, a missing Subject is an error at load, with
 * file and line; a missing value is an error when rendering: never a mail with a hole in it.
 */
#ifndef SENGEN_TEMPLATE_H
#define SENGEN_TEMPLATE_H

#include "lib/base/err.h"
#include "lib/base/str.h"

struct template;

/* known: names a template may use; NULL ends. A name that ends in '?' (without it in the template) has no text of its own and may
 * only stand in #if and #unless. name: for messages ("form/id.txt"). RC_CONFIG with file and line. */
enum rc template_parse(struct template **tpl, const char *name, const char *text, size_t len,
	const char *const *known, struct err *err);
void template_free(struct template **tpl);

/* Answers the value of a placeholder: NULL or "" when there is none. It is copied before the next one is asked for. */
typedef const char *template_value_fn(void *ctx, const char *name);

struct rendered {
	struct str subject;
	struct str headers; /* further header lines, "Name: value\n" each, not folded */
	struct str body; /* LF line ends */
};
/* RC_REFUSED: a value is missing, is not UTF-8 or has a control character (a body value may have LF and tab, a header value no line
 * break of any kind). `out` is overwritten, its memory is used again; start with RENDERED_INIT. */
enum rc template_render(const struct template *tpl, template_value_fn *value, void *ctx, struct rendered *out,
	struct err *err);
#define RENDERED_INIT                                                                                        \
	(struct rendered)                                                                                    \
	{                                                                                                    \
		.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT                                   \
	}
void rendered_free(struct rendered *rendered);

/* The template's own text (no values, no header names), with improper sections left out when `proper_only`: for the guards and as
 * compression dictionary. Line n of it is what line n of the file holds. */
void template_own_text(const struct template *tpl, bool proper_only, struct str *out);
/* Calls fn for each placeholder with the line it stands on and up to 40 characters of own text before it on that line (for "a number
 * under the other's label"); where nothing stands before it, of the nearest line above that has text. Not called for #if. */
void template_each_placeholder(const struct template *tpl,
	void (*fn)(void *ctx, const char *name, int line, const char *label), void *ctx);

#endif
