/*
 * rules.h - config/request-rules.conf: the words by which mails are told apart, and trying them on a text
 */
#ifndef SENGEN_RULES_H
#define SENGEN_RULES_H

#include "lib/mail/request.h"

enum rule_kind {
	RULE_NONE,
	RULE_STOP,
	RULE_RESEND,
	RULE_CHANGE,
	RULE_NEWS_UNSUBSCRIBE,
	RULE_ID_ENQUIRY,
	RULE_AUTO_REPLY,
	RULE_UNKNOWN_MAIL,
	RULE_PASSWORD,
	RULE_INCIDENT,
	RULE_PHISHING,
	RULE_CONTRADICTION,
	RULE_FORM_WANTED,
	RULE_OBJECTION,
	RULE_ADVERT,
	RULE_NO_REQUEST,
	RULE_DOUBT, /* of a wish: a person looks */
	RULE_BARE_STOP, /* a stop, without a word of what: the news, where the mail speaks of them */
	RULE_STOP_BESIDES, /* a stop wished for in a sentence that asks for something first: the ID, say */
	RULE_DENIED, /* a stop: the news may be what ends */
	RULE_NOTHING,
	RULES_KINDS
};

struct evidence {
	int score[RULES_KINDS];
	const char *words[RULES_KINDS]; /* the rule and the words of the heaviest match; NULL */
	int heaviest[RULES_KINDS];
	bool said; /* a wish was found in the text, not in a subject or file name alone */
	bool asks; /* the writer asks how, when or whether */
	struct str lost; /* the sentences that speak of a notice to be sent again */
};

/* Tries the rules on a subject, on the writer's own text, on file names; adds up in `evidence`. */
void rules_try_subject(
	const struct request_rules *rules, const char *subject, struct evidence *evidence, struct pool *pool);
void rules_try_text(
	const struct request_rules *rules, const char *text, struct evidence *evidence, struct pool *pool);
void rules_try_file(
	const struct request_rules *rules, const char *name, struct evidence *evidence, struct pool *pool);
void evidence_free(struct evidence *evidence);

#endif
