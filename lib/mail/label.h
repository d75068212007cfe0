/*
 * label.h - the labels under which the fields of the office's forms stand, as data
 *
 * config/sheet-labels.conf, built in. Loaded at the first question; no file is read.
 */
#ifndef SENGEN_LABEL_H
#define SENGEN_LABEL_H

#include <stdbool.h>
#include <stddef.h>

enum label {
	LABEL_NONE,
	LABEL_DECLARATION_ID,
	LABEL_USER_NUMBER,
	LABEL_BUSINESS_NAME,
	LABEL_REPRESENTATIVE,
	LABEL_CONTACT,
	LABEL_PERSON, /* a name; whose it is the surroundings tell */
	LABEL_MAIL,
	LABEL_CORPORATE_NUMBER,
	LABEL_PREFECTURE,
	LABEL_STOP_ON,
	LABEL_REASON,
	LABEL_ITEM, /* of the change form */
	LABEL_OLD,
	LABEL_NEW,
	LABEL_REACH, /* 連絡先: a mail address when its value is one */
	LABEL_OTHER, /* known, not read */
	LABELS
};

enum label_form { LABEL_FORM_NONE, LABEL_FORM_STOP, LABEL_FORM_CHANGE };

/* What stands between a label and its value. */
enum label_gap {
	GAP_END, /* nothing follows */
	GAP_SIGN, /* a colon, a tab, an arrow, dots */
	GAP_BLANK, /* white space alone: in running text it may be no label at all */
};

struct labelled {
	enum label label; /* LABEL_NONE: the text does not begin with one */
	enum label_gap gap;
	const char *value; /* in the text; behind white space; "" at its end */
};

/* Does this text begin with a label (behind numbering and ornament)? */
struct labelled label_read(const char *text);
/* The label that this text is, if it is nothing else (a remark in brackets behind it counts as part). */
enum label label_alone(const char *text);
enum label_form label_title(const char *text); /* is it the title of a form */
bool label_at_once(const char *text); /* does it hold a word such as 即日 */
enum label label_group(const char *text); /* LABEL_CONTACT, LABEL_REPRESENTATIVE, LABEL_NONE */
/* The text without width, blanks, capitals and variation selectors, as labels and titles are compared: appended by the caller's str. */
struct str;
void label_key(struct str *out, const char *text);

#endif
