/*
 * notice.h - the values a notice can print, and the set of templates of a profile
 *
 * A template set is every template of one profile, read together, with a digest over all of them; the register keeps the
 * texts of each set, so an application is answered with the set it was received under, whatever is edited later.
 */
#ifndef SENGEN_NOTICE_H
#define SENGEN_NOTICE_H

#include "lib/base/secret.h"
#include "lib/mail/guard.h"
#include "lib/mail/template.h"
#include "lib/register.h"

struct logo { /* what a logo notice hands out; per star, from a credential, with an effective date */
	int star;
	civil_day from;
	char *url; /* owned */
	struct secret password; /* owned */
};

struct notice_office { /* the office's own data, from the configuration; strings borrowed */
	const char *office_name; /* SECURITY ACTION事務局 */
	const char *organization; /* 独立行政法人情報処理推進機構 (IPA) */
	const char *department; /* セキュリティセンター */
	const char *contact_mail; /* security-action-info@… : printed, Reply-To */
	const char *site_url; /* 自己宣言者サイト */
	const struct logo *logo;
	size_t logo_count;
};

struct notice_values {
	const struct application *app;
	const struct notice_office *office;
	civil_day today;
	const char *reason_ja; /* rejected: why; NULL elsewhere */
	const char *refused_rules_ja; /* refused: what was wrong, one rule a line; NULL elsewhere */
	civil_day first_sent_on; /* resend-head: the day of the first letter */
	const char *token; /* what a reply must bring back; NULL elsewhere */
	civil_day confirm_by; /* the last day for that reply; CIVIL_DAY_NONE elsewhere */
	civil_day stop_on; /* the day of a stop; CIVIL_DAY_NONE: at once */
	const char *changes; /* what shall be, or was, changed: one a line; NULL elsewhere */
	struct str scratch; /* start with STR_INIT; free with notice_values_free() */
};

/* Every placeholder, in the order of the man page. */
enum notice_placeholder_kind {
	PLACEHOLDER_TEXT, /* one line */
	PLACEHOLDER_LINES, /* may have several lines: not in a header */
	PLACEHOLDER_CONDITION, /* only in {{#if}} and {{#unless}} */
};
struct notice_placeholder {
	const char *name;
	enum notice_placeholder_kind kind;
	const char *meaning_ja; /* 自己宣言ID */
	const char *meaning; /* English, for the man page */
	const char *example; /* "" for conditions */
};
extern const struct notice_placeholder notice_placeholder_table[]; /* .name == NULL ends */
/* Their names for template_parse(): conditions carry a '?'. */
extern const char *const notice_placeholders[];

/* A template_value_fn over struct notice_values. A field of the form that has a line break or control character has no value here: such
 * an application waits for a person. Valid until the next call. */
const char *notice_value(void *notice_values, const char *name);
void notice_values_free(struct notice_values *values);

/* A fictitious application with every field filled, for previews and tests: numbers issued, logo authorized. Static. */
const struct application *notice_sample(enum applicant_type type, enum application_kind kind);

/*
 * The templates of a profile: one a stage (named in the profile), and besides
 *   resend-head  its body heads a resent letter; its subject is not used: a resent letter keeps its own
 *   refused      a form that was not registered; sent only where notify_refused is set (app: its values, id 0)
 *   rejected     staff refused a registered application; likewise
 */
#define NOTICE_RESEND_HEAD "resend-head"
#define NOTICE_REFUSED "refused"
#define NOTICE_REJECTED "rejected"

/*
 * The set of templates/mail/answer/: what answers a mail, under whatever profile an application was received. Some may go to an address that nobody has
 * proven: these print nothing but the office's own data and the token.
 */
#define NOTICE_ANSWERS "answer"

/*
 * Renders a template for every kind of applicant and application, with what is known of them in `state` (STATE_RECEIVED: no numbers yet;
 * STATE_NONE: not registered), so that a value which would be missing is found when templates are loaded, not when a mail is due.
 * office NULL: sample data; the real one also finds a logo that is not configured. RC_CONFIG with file and line.
 */
enum rc notice_try(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct err *err);

/* The sample of a new ★ corporation, rendered. state STATE_COUNT: the one a template that belongs to no stage is tried with first. RC_REFUSED: a value is missing. */
enum rc notice_example(const struct template *tpl, const char *name, enum state state,
	const struct notice_office *office, struct rendered *out, struct err *err);

struct template_set;
/* Reads every *.txt in dir/<profile>/ whose name is made of a-z, 0-9 and '-' (a copy such as "id - コピー.txt" is passed over) and
 * checks each: syntax, wording guard, numbers under the right label, values that no notice of that name has (notice_try() with all
 * numbers known; the caller tries each stage's template with the state of its stage). want: names that must be there; NULL ends. RC_CONFIG with file
 * and line. */
enum rc template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err);
/* One text holding all templates of the set, to keep in the register, and back. The same templates give the same bytes. RC_STORE: cut
 * or altered; RC_CONFIG: a template that this version of the program no longer understands. */
void template_set_pack(const struct template_set *set, struct str *out);
enum rc template_set_unpack(struct template_set **set, const char *packed, size_t len, struct err *err);
const struct template *template_set_find(
	const struct template_set *set, const char *name); /* NULL: not there */
void template_set_free(struct template_set **set);

#endif
