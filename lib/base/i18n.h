/*
 * i18n.h - sentences in the reader's language
 *
 * _() around a literal: English in the source, Japanese in po/ja.po, chosen by the locale of the process (setlocale() is called by the
 * commands; daemons stay in English). What is written for staff, whoever writes it, is made between i18n_staff_begin() and i18n_staff_end().
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

/* Binds the catalogues that lie beside the program that runs, or where an installed one has its data. Once is enough. */
void i18n_bind(void);

/* Japanese from here on, whatever the process speaks, until the end. Not to be nested; one thread. */
struct i18n_staff {
	char *language, *messages; /* owned; what to go back to */
};
void i18n_staff_begin(struct i18n_staff *staff);
void i18n_staff_end(struct i18n_staff *staff);

#endif
