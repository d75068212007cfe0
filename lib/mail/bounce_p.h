/*
 * bounce_p.h - what the pieces of bounce.c share: the rules as data
 */
#ifndef SENGEN_BOUNCE_P_H
#define SENGEN_BOUNCE_P_H

#include "lib/mail/bounce.h"

struct bounce_reason {
	char *name;
	int class_; /* enum bounce_class */
	struct strlist words, status;
};

struct bounce_rules {
	struct strlist senders, subjects, phrases, auto_replies, copies, forms, delays, sender_stages,
		content_stages;
	struct bounce_reason *reason;
	size_t reason_count;
};

/* The built-in ones, read once. */
const struct bounce_rules *bounce_rules(void);

/* Text as the words are written: folded to one line, lower case, no blanks between Japanese characters, a blank in front and behind. */
void bounce_fold(struct str *out, const char *text, size_t len);
/* The first of the words that stands in text from bounce_fold(); NULL. */
const char *words_find(const struct strlist *words, const char *folded);

#endif
