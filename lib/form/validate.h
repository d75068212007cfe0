/*
 * validate.h - the rules of the form, as a table
 *
 * Each rule names its field, its code, and in Japanese what is wrong and how to mend it. Rules that need the register
 * (duplicate, step-up) ask through `struct registry`, so that the same rules run against the store, a CSV, or nothing.
 * Sources: seeds 000 and 004 of the scheme; 法人番号 check digit: ordinance on 法人番号, art. 2.
 */
#ifndef SENGEN_VALIDATE_H
#define SENGEN_VALIDATE_H

#include "lib/base/pool.h"
#include "lib/form/form.h"

enum finding_code {
	FINDING_CORPORATE_NUMBER,
	FINDING_MAIL_CONFIRM,
	FINDING_MAIL,
	FINDING_PLEDGE,
	FINDING_CONSENT,
	FINDING_DUPLICATE,
	FINDING_STEP_UP,
	FINDING_PREFECTURE,
	FINDING_INJECTION,
	FINDING_REQUIRED,
	FINDING_CHOICE,
	FINDING_DATE,
	FINDING_POSTAL_CODE,
	FINDING_TELEPHONE,
	FINDING_LENGTH,
	FINDING_DAMAGE,
	FINDING_GBIZ,
	FINDING_PROXY,
	FINDING_BACKDATE,
	FINDING_SAME_ROW,
};
/* "corporate-number", "mail-confirm", …; the same row again is a "duplicate" too. */
const char *finding_code_name(enum finding_code code);

enum severity {
	SEVERITY_REFUSE, /* the row is refused; mend it and drop it again */
	SEVERITY_REVIEW, /* registered, but nothing is sent until a person has looked */
	SEVERITY_NOTE, /* accepted; a value was repaired where only one reading is possible */
};

struct finding {
	enum form_field field; /* FIELD_COUNT: the record as a whole */
	enum finding_code code;
	enum severity severity;
	const char *value; /* the offending value as written, cut to a readable length; may be "" */
	const char *message_ja; /* what is wrong, by which rule */
	const char *remedy_ja; /* how to mend it */
};

struct findings {
	struct finding *item; /* pool */
	size_t count;
};
bool findings_refuse(const struct findings *findings);
bool findings_review(const struct findings *findings);

/* What is on file. Any function may be NULL: that check is not made. Keys as applicant_key() makes them. */
enum step_up { STEP_UP_GOES, STEP_UP_ASKS_STAFF, STEP_UP_ENDED };
struct registry {
	void *ctx;
	const char *number_ja; /* what live()'s number counts, for messages; NULL: 申込番号 */
	/* A live declaration or application with this key. Returns its application id (0: none), and its declaration ID
	 * or 0. *same_row: the very same normalised row. */
	int64_t (*live)(void *ctx, const char *key, const uint8_t row_digest[SHA256_LEN],
		int64_t *declaration_id, bool *same_row);
	/* A live ★ of that business: by declaration ID (0: by key alone). Application id or 0. */
	int64_t (*live_star1)(void *ctx, const char *key, int64_t declaration_id);
	/* What the office's policy says of a step-up from that ★ (its application id). */
	enum step_up (*step_up)(void *ctx, int64_t application_id);
	/* Different businesses behind a contact address, live, this one not counted. */
	int (*businesses_of_mail)(void *ctx, const char *mail_key, const char *key);
};

struct validate_rules {
	civil_day today; /* in the office's zone */
	int backdate_max; /* days; older お申込日 → review */
	int proxy_max; /* businesses per contact address before review; 0: off */
	const char *terms_version; /* in force; "" : not checked */
	bool want_gbiz; /* profile instant */
};

/* Checks one record and makes its canonical values. `out` and findings live in pool. */
void validate(struct form_values *out, struct findings *findings, const struct form_record *record,
	const struct fieldmap *map, const struct validate_rules *rules, const struct registry *registry,
	struct pool *pool);

/* Corporations: "c:" + 法人番号. Sole proprietors: "s:" + keys of 屋号, 代表者姓, 代表者名, 都道府県, 所在地 (the whole tuple: facilities
 * share a 姓 that is a company name). From canonical values; in pool. */
const char *applicant_key(const struct form_values *form, struct pool *pool);
/* Digest of the canonical values, order fixed; お申込日 included. */
void form_row_digest(uint8_t out[SHA256_LEN], const struct form_values *form);

#endif
