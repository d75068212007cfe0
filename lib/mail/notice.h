/*
 * notice.h - the values a notice can print, and the set of templates of a profile
 *
 * A template set is every template of one profile, read together, with a digest over all of them; the register keeps the
 * texts of each set, so an application is answered with the set it was received under, whatever is edited later.
 */
#ifndef SENGEN_NOTICE_H
#define SENGEN_NOTICE_H

#include "lib/mail/guard.h"
#include "lib/mail/template.h"
#include "lib/register.h"

struct logo { /* what a logo notice hands out; per star, from a credential, with an effective date */
	int star;
	civil_day from;
	char *url; /* owned */
	char *password; /* owned; a secret */
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
	const struct fieldmap *map; /* labels of choices; may be NULL */
	civil_day today;
	const char *reason_ja; /* refusals and rejections */
	const char *refused_rules_ja; /* receipt-refused: what was wrong, lines */
	civil_day first_sent_on; /* of a resend */
	struct str scratch; /* free with notice_values_free() */
};

/* Names for template_parse(): declaration_id, user_number, business_name, representative, contact, salutation (会社名 … 様), star_ja
 * (一つ星/二つ星), two_star, corporation, step_up, news, applied_on, received_on, id_issued_on, logo_url, logo_password, today, … */
extern const char *const notice_placeholders[];
const char *notice_value(void *notice_values, const char *name); /* a template_value_fn */
void notice_values_free(struct notice_values *values);

struct template_set;
/* Reads every *.txt below dir/<profile>/ and checks each: syntax, wording guard, placeholders under the right label.
 * want: names that must be there; NULL ends. */
enum rc template_set_load(struct template_set **set, const char *dir, const char *profile,
	const char *const *want, const struct wording *wording, struct err *err);
/* One text holding all templates of the set, to keep in the register, and back. */
void template_set_pack(const struct template_set *set, struct str *out);
enum rc template_set_unpack(struct template_set **set, const char *packed, size_t len, struct err *err);
const struct template *template_set_find(const struct template_set *set, const char *name);
void template_set_digest(const struct template_set *set, uint8_t out[SHA256_LEN]);
void template_set_free(struct template_set **set);

#endif
