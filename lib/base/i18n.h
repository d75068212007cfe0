/*
 * i18n.h - sentences in the reader's language
 *
 * _() around a literal: English in the source, Japanese in po/ja.po, chosen by the locale of the process (setlocale() and textdomain()
 * are called by the commands; daemons stay in English).
 */
#ifndef SENGEN_I18N_H
#define SENGEN_I18N_H

#include <libintl.h>
#include <locale.h>
#include <string.h>

#define _(text) gettext(text)

/* Names that are data (states, dates) come in both languages: which one is wanted? The catalogue itself answers, so that
 * sentences and names never differ. */
static inline int i18n_japanese(void)
{
	return strcmp(_("en"), "ja") == 0;
}

#endif
