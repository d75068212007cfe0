/*
 * guard.h - what must hold before a mail may be queued
 */
#ifndef SENGEN_GUARD_H
#define SENGEN_GUARD_H

#include "lib/base/err.h"
#include "lib/mail/template.h"

/*
 * config/wording.conf. Text is compared after text_fold() and without blanks and line breaks, so a phrase can't hide behind a line end or
 * full-width letters. Write the expressions so, and without bracket expressions of Japanese characters (they are matched as bytes).
 */
struct wording {
	struct strlist
		forbidden; /* POSIX extended regular expressions, tried on each sentence of a template */
	struct strlist required; /* what every notice must contain: a text, or {{name}} for a placeholder */
	struct strlist links; /* host names a link may point to; "*.ipa.go.jp" for every host below */
};
enum rc wording_load(struct wording *wording, const char *path, struct err *err); /* path NULL: built in */
void wording_free(struct wording *wording);

/* The template's own text: forbidden phrases and required ones with improper sections left out; links and pasted numbers everywhere. Values such as
 * 認定NPO法人 are never looked at. name: for messages. RC_CONFIG with file, line and what stands there. */
enum rc guard_wording(
	const struct template *tpl, const char *name, const struct wording *wording, struct err *err);

/* What staff write that goes into a letter (the reason of a rejection): forbidden phrases and links, as above. RC_REFUSED. */
enum rc guard_free_text(const char *text, const struct wording *wording, struct err *err);

/* A template that prints {{declaration_id}} behind the label 利用者番号 or {{user_number}} behind 自己宣言ID is refused: RC_CONFIG. The
 * nearest label counts. */
enum rc guard_labels(const struct template *tpl, const char *name, struct err *err);

/* The rendered text must not contain a number (declaration ID, user number, 法人番号) or mail address other than the allowed ones:
 * a foreign hit parks the letter. Numbers are seen in any width and with hyphens or blanks between their groups; a telephone number
 * (begins with 0 or +) and numbers within a link are none of them. allowed: texts in which the numbers and addresses stand that are this
 * letter's own (as digits or as printed); NULL ends. RC_REFUSED names the kind, not the value. */
enum rc guard_foreign(const struct rendered *mail, const char *const *allowed, struct err *err);

/* RC_REFUSED when the rendered text has a character that stands for none or that only one machine knows: U+FFFD, private use (外字),
 * unassigned. Kanji of the newest Unicode versions pass. */
enum rc guard_characters(const struct rendered *mail, struct err *err);

#endif
