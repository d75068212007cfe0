/*
 * guard.h - what must hold before a mail may be queued
 */
#ifndef SENGEN_GUARD_H
#define SENGEN_GUARD_H

#include "lib/base/err.h"
#include "lib/mail/template.h"

struct wording { /* config/wording.conf */
	struct strlist
		forbidden; /* regular expressions (POSIX extended) on folded text: 認定を受け, 取得し… near the logo */
	struct strlist required; /* texts every notice must contain: the office's name, the contact address */
	struct strlist links; /* host names a link may point to */
};
enum rc wording_load(struct wording *wording, const char *path, struct err *err); /* path NULL: built in */
void wording_free(struct wording *wording);

/* The template's own text (improper sections left out): forbidden phrases, required ones, links outside the list. Values such as
 * 認定NPO法人 are never looked at. RC_CONFIG with template name, line and phrase. contact: must stand in it, as text or as
 * {{contact_mail}}; the same for office_name. */
enum rc guard_wording(
	const struct template *tpl, const char *name, const struct wording *wording, struct err *err);

/* A template that prints {{declaration_id}} behind the label 利用者番号 or {{user_number}} behind 自己宣言ID is refused. */
enum rc guard_labels(const struct template *tpl, const char *name, struct err *err);

/* The rendered text must not contain a number (declaration ID, user number, 法人番号) or mail address other than the allowed ones:
 * a foreign hit parks the letter. allowed: numbers as digits and addresses in any case; NULL ends. RC_REFUSED names the kind, not the value. */
enum rc guard_foreign(const struct rendered *mail, const char *const *allowed, struct err *err);

#endif
