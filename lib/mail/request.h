/*
 * request.h - what a mail asks for, by rules that can be read and printed
 *
 * The rules are data (config/request-rules.conf, built in): kind, patterns, weight, where they count. The reading names the rule and the words it
 * matched. Anything double, contradictory or unclear is for a person: review.
 */
#ifndef SENGEN_REQUEST_H
#define SENGEN_REQUEST_H

#include "lib/mail/bounce.h"
#include "lib/mail/message.h"
#include "lib/mail/sheet.h"
#include "lib/register.h"

struct reading {
	enum request_kind kind;
	bool review;
	const char *why; /* names the rule and the words; English with the Japanese words quoted */
	struct sheet fields; /* declaration_id, business_name, … wherever they stood */
	const char *notice; /* "id-notice", "logo-notice", "both"; "" */
	unsigned
		wishes; /* bit (1u << kind) for each wish that was found: two that exclude each other make the kind REQUEST_OTHER */
	bool from_form; /* the fields come from an attached form */
	bool unknown_mail; /* 心当たりがない */
	bool objects; /* the writer says no, takes back or denies, whatever else the mail is: いいえ, 取り消します, 心当たりがない */
	const char *
		unreadable; /* part_kind_name() of an attachment that may hold the form and can't be read, where no other was; "" */
	const char *fresh, *quoted; /* what the writer wrote anew, and the history below it (quote.h) */
	const char *form_text; /* what stands in the attached Word files, a cell a line; "" */
	struct bounce bounce;
};

/* What is on file, for the checks against it (foreign ID, unregistered sender); NULL: not made. */
struct request_registry {
	void *ctx;
	/* Fills business_name and mail of a declaration ID; false: not on file. */
	bool (*declaration)(
		void *ctx, const char *declaration_id, const char **business_name, const char **mail);
	bool (*sender)(void *ctx, const char *mail); /* is that address registered */
	/* by 法人番号 + 都道府県 or 屋号 + 代表者名 + 都道府県; number of matches */
	int (*identify)(void *ctx, const struct sheet *fields);
};

/* Whether the fields identify a declaration by what the office asks for in an enquiry. */
bool request_identifies(const struct sheet *fields);

struct request_rules;
enum rc request_rules_load(
	struct request_rules **out, const char *path, struct err *err); /* NULL: built in */
void request_rules_free(struct request_rules **rules);
/* Calls fn with each rule as it was read, in their order: for printing. */
void request_rules_each(const struct request_rules *rules,
	void (*fn)(void *ctx, const char *kind, const char *name, const char *where, int weight,
		const char *pattern),
	void *ctx);

/* office: the office's own address, for "our own mail came back". */
void request_read(struct reading *out, const struct message *message, const struct request_rules *rules,
	const char *office, const struct request_registry *registry, struct pool *pool);

#endif
