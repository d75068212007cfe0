#include "lib/office/office_p.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/mail/bounceaddr.h"
#include "lib/mail/compose.h"
#include "lib/mail/letter.h"
#include "lib/mail/reread.h"

#define REFUSED_TEMPLATE "受付時のひな形セットに、このメールのひな形がありません。"
#define REFUSED_VALUE "差込み項目の値がないか、改行・制御文字が入っているため、通知メールを作れません。"
#define REFUSED_FOREIGN                                                                                      \
	"ほかの申込みの番号またはメールアドレスと思われる文字列が本文にあるため、送信を止めました。"
#define REFUSED_CHARACTER "メールに書けない文字が入っているため、通知メールを作れません。"
#define REFUSED_WORDING                                                                                                                                       \
	"理由の文に、この制度では使えない表現（認定・取得など）または許可されていないリンクがあるため、通知" \
	"メールを作れません。"
#define REFUSED_ADDRESS "登録されているメールアドレスが使えません。"

static enum rc find_template(
	const struct rules *rules, const char *name, const struct template **tpl, struct err *err)
{
	*tpl = template_set_find(rules->templates, name);
	return *tpl ? RC_OK
		    : err_set(err, RC_REFUSED, "profile %s has no notice \"%s\" (template set %" PRId64 ")",
			      rules->profile.name, name, rules->id);
}

enum rc draft_dictionary(
	const struct rules *rules, const char *template_name, struct str *out, struct err *err)
{
	const struct template *tpl;
	enum rc rc = find_template(rules, template_name, &tpl, err);
	if (rc == RC_OK)
		template_own_text(tpl, false, out);
	return rc;
}

/* ---- the text ---- */

struct notice_office draft_notice_office(const struct office *office)
{
	const struct settings *settings = office->settings;
	return (struct notice_office){
		.office_name = settings->office_name,
		.organization = settings->organization,
		.department = settings->department,
		.contact_mail = settings->contact_mail,
		.site_url = settings->site_url,
		.logo = office->secrets ? office->secrets->logo : NULL,
		.logo_count = office->secrets ? office->secrets->logo_count : 0,
	};
}

static void allow_number(struct strlist *allowed, int64_t number)
{
	struct str text = STR_INIT;
	if (number) {
		str_printf(&text, "%" PRId64, number);
		strlist_add(allowed, text.s);
	}
	str_free(&text);
}

static void allow_text(struct strlist *allowed, const char *text)
{
	if (text && *text)
		strlist_add(allowed, text);
}

/* Addresses and numbers that staff wrote into the template itself are nobody's secret. */
static void allow_own_text(struct strlist *allowed, const struct template *tpl)
{
	struct str text = STR_INIT;
	template_own_text(tpl, false, &text);
	for (const char *at = text.s; *at;) {
		size_t len = 0;
		while (at[len] && (isalnum((unsigned char)at[len]) || strchr("@.-_+", at[len])))
			len++;
		if (len >= 10 || memchr(at, '@', len))
			strlist_addn(allowed, at, len);
		at += len ? len : 1;
	}
	str_free(&text);
}

/* Passwords are lent from where they are kept. */
static enum rc guard_allowing(const struct office *office, const struct rendered *text,
	const struct strlist *allowed, struct err *err)
{
	size_t logos = office->secrets ? office->secrets->logo_count : 0, count = allowed->count;
	const char **item = xcalloc(count + logos + 1, sizeof *item);
	for (size_t i = 0; i < count; i++)
		item[i] = allowed->item[i];
	for (size_t i = 0; i < logos; i++)
		item[count++] = office->secrets->logo[i].password.bytes;
	enum rc rc = guard_foreign(text, item, err);
	free(item);
	return rc;
}

static enum rc guard(struct office *office, const struct draft_order *order, const struct template *tpl,
	const struct rendered *text, struct err *err)
{
	const struct application *app = order->app;
	const struct settings *settings = office->settings;
	struct strlist allowed = {0};
	struct err first = {0};
	allow_number(&allowed, app->declaration_id);
	allow_number(&allowed, app->user_number);
	allow_text(&allowed, app->form.value[FIELD_CORPORATE_NUMBER]);
	allow_text(&allowed, app->form.value[FIELD_DECLARATION_ID]);
	allow_text(&allowed, app->form.value[FIELD_MAIL]);
	allow_text(&allowed, settings->contact_mail);
	allow_text(&allowed, settings->from_mail);
	allow_text(&allowed, order->token);
	allow_text(&allowed, order->changes);
	enum rc rc = guard_allowing(office, text, &allowed, &first);
	if (rc != RC_OK) { /* few templates have a number or address of their own: looked through only now */
		allow_own_text(&allowed, tpl);
		rc = guard_allowing(office, text, &allowed, err);
	}
	strlist_free(&allowed);
	return rc;
}

/* Subject and body of the first letter as they were, below one line that says so. Its text was guarded when it was first sent. */
static enum rc render_again(const struct draft_order *order, const struct template *head,
	struct notice_values *values, struct rendered *out, struct err *err)
{
	struct rendered line = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
	enum rc rc = template_render(head, notice_value, values, &line, err);
	if (rc == RC_OK) {
		while (line.body.len > 0 && line.body.s[line.body.len - 1] == '\n')
			str_cut(&line.body, line.body.len - 1);
		str_printf(&out->body, "%s\n\n", line.body.s);
		rc = reread(&out->subject, &out->body, order->first_wire->s, order->first_wire->len, err);
	}
	rendered_free(&line);
	return rc;
}

static civil_day day_or_none(civil_day day)
{
	return day ? day : CIVIL_DAY_NONE;
}

enum rc draft_render(struct office *office, const struct draft_order *order, struct rendered *out,
	const char **refused_ja, struct err *err)
{
	const struct template *tpl;
	enum rc rc = find_template(
		order->rules, order->first_wire ? NOTICE_RESEND_HEAD : order->template_name, &tpl, err);
	*refused_ja = REFUSED_TEMPLATE;
	if (rc != RC_OK)
		return rc;
	struct notice_office notice_office = draft_notice_office(office);
	struct notice_values values = {.app = order->app,
		.office = &notice_office,
		.today = office_today(office),
		.reason_ja = order->reason_ja,
		.refused_rules_ja = order->reason_ja,
		.first_sent_on = day_or_none(order->first_sent_on),
		.token = order->token,
		.confirm_by = day_or_none(order->confirm_by),
		.stop_on = day_or_none(order->stop_on),
		.changes = order->changes,
		.scratch = STR_INIT};
	if (order->first_wire) {
		*refused_ja = REFUSED_VALUE;
		rc = render_again(order, tpl, &values, out, err);
	} else {
		*refused_ja = REFUSED_VALUE;
		rc = template_render(tpl, notice_value, &values, out, err);
		if (rc == RC_OK) {
			*refused_ja = REFUSED_FOREIGN;
			rc = guard(office, order, tpl, out, err);
		}
		if (rc == RC_OK && order->reason_ja) {
			*refused_ja = REFUSED_WORDING;
			rc = guard_free_text(order->reason_ja, &office->settings->words, err);
		}
		if (rc == RC_OK) {
			*refused_ja = REFUSED_CHARACTER;
			rc = guard_characters(out, err);
		}
	}
	notice_values_free(&values);
	return rc;
}

/* ---- the mail ---- */

/* A resend keeps the charset of the first letter: ～ and 〜 are one character in ISO-2022-JP and two in UTF-8. */
static enum mail_charset charset_of(const struct office *office, const struct draft_order *order)
{
	if (!order->first_wire)
		return (enum mail_charset)office->settings->charset;
	return strcasestr(order->first_wire->s, "charset=ISO-2022-JP") ? CHARSET_ISO_2022_JP : CHARSET_UTF8;
}

/* Whom it goes to. */
static enum mailaddr_fault read_recipient(const struct draft_order *order, struct mailaddr *address)
{
	const char *mail = order->to ? order->to : order->app->form.value[FIELD_MAIL];
	return mailaddr_read(address, mail ? mail : "");
}

/* A reply to a mail that asks for one brings the token back in its address too, whatever became of the subject: the mailbox for bounces takes extensions. */
static void add_reply_to(struct str *out, const struct settings *settings, const char *token)
{
	const char *at = strrchr(settings->bounce_mail, '@');
	if (!token || !at || (size_t)(at - settings->bounce_mail) + 1 + strlen(token) > 64) {
		str_addz(out, settings->contact_mail);
		return;
	}
	str_add(out, settings->bounce_mail, (size_t)(at - settings->bounce_mail));
	str_addc(out, '+');
	for (; *token; token++)
		str_addc(out, (char)tolower((unsigned char)*token));
	str_addz(out, at);
}

enum rc draft_compose(struct office *office, const struct draft_order *order, const struct rendered *text,
	const char *message_id, struct str *wire, struct err *err)
{
	const struct settings *settings = office->settings;
	struct mailaddr address;
	if (read_recipient(order, &address) != MAILADDR_OK)
		return err_set(err, RC_REFUSED, "the mail address can't be used");
	struct str to = STR_INIT, reply_to = STR_INIT;
	mailaddr_print(&to, &address);
	add_reply_to(&reply_to, settings, order->token);
	struct compose mail_parts = {
		.from_name = settings->from_name,
		.from = settings->from_mail,
		.reply_to = reply_to.s,
		.to = to.s,
		.message_id = message_id,
		.date = clock_now(office->clock),
		.subject = text->subject.s,
		.body = text->body.s,
		.headers = text->headers.s,
		.loop_mark = message_id,
		.in_reply_to = order->in_reply_to,
		.references = order->in_reply_to,
		.auto_submitted = order->answers ? "auto-replied" : "auto-generated", /* RFC 3834, 5 */
		.charset = charset_of(office, order),
		.attached = order->first_wire ? order->first_wire->s : NULL,
		.attached_len = order->first_wire ? order->first_wire->len : 0,
	};
	enum rc rc = compose(wire, &mail_parts, err);
	str_free(&to);
	str_free(&reply_to);
	return rc;
}

static enum rc fill_addresses(
	struct office *office, const struct draft_order *order, struct draft *draft, struct err *err)
{
	const uint8_t *key = secrets_key(office->secrets);
	const struct settings *settings = office->settings;
	struct mailaddr address;
	draft->refused_ja = REFUSED_ADDRESS;
	enum mailaddr_fault fault = read_recipient(order, &address);
	if (fault != MAILADDR_OK)
		return err_set(
			err, RC_REFUSED, "the mail address can't be used (%s)", mailaddr_fault_name(fault));
	struct str text = STR_INIT;
	mailaddr_print(&text, &address);
	draft->notice.recipient = pool_strdup(draft->pool, text.s);
	draft->notice.domain = pool_strdup(draft->pool, address.domain);

	/* A letter about a form that was never registered is told apart from others like it by its own number. */
	str_clear(&text);
	if (order->token)
		str_printf(&text, "%s.", order->token);
	message_id_make(&text, order->app->id, order->template_name,
		order->app->id ? order->resend_no : draft->notice.id, settings->message_id_domain);
	draft->notice.message_id = pool_strdup(draft->pool, text.s);

	str_clear(&text);
	enum rc rc = RC_OK;
	if (key)
		rc = bounceaddr_make(&text, settings->bounce_mail, draft->notice.id, key, SEAL_KEY_LEN, err);
	else /* unsigned marks could be forged: without a key bounces are told apart by Message-ID alone */
		str_addz(&text, settings->bounce_mail);
	draft->notice.bounce_address = pool_strdup(draft->pool, text.s);
	str_free(&text);
	return rc;
}

/* Whatever logo password was ever configured is cut out of a letter that holds it: a resend repeats old ones. */
static const char **secrets_in(
	struct office *office, const struct draft *draft, const struct draft_order *order)
{
	const struct secrets *secrets = office->secrets;
	size_t count = 0, logos = secrets ? secrets->logo_count : 0;
	const char **item = pool_alloc(draft->pool, (logos + 2) * sizeof *item);
	if (order->app->user_number)
		item[count++] = pool_printf(draft->pool, "%" PRId64, order->app->user_number);
	for (size_t i = 0; i < logos; i++)
		if (secrets->logo[i].password.len)
			item[count++] = secrets->logo[i].password.bytes;
	return item;
}

static enum rc pack(struct office *office, const struct draft_order *order, struct draft *draft,
	const struct str *wire, struct err *err)
{
	uint8_t digest[SHA256_LEN];
	sha256(digest, wire->s, wire->len);
	letter_digest_make(&draft->notice, office->secrets, digest);
	struct letter_secrets sealed = {
		.key = secrets_key(office->secrets),
		.rng = office->rng,
		.secret = secrets_in(office, draft, order),
		.digest = digest,
	};
	const struct letter_model *model;
	enum rc rc = model_for(office, order->rules, order->template_name, &model, err);
	return rc ? rc : letter_pack(&draft->packed, wire->s, wire->len, model, &sealed, err);
}

static enum rc make(struct office *office, const struct draft_order *order, struct draft *draft,
	struct rendered *text, struct str *wire, struct err *err)
{
	enum rc rc = draft_render(office, order, text, &draft->refused_ja, err);
	if (rc != RC_OK)
		return rc;
	rc = outbox_next_id(office->store, &draft->notice.id, err);
	if (rc == RC_OK)
		rc = fill_addresses(office, order, draft, err);
	if (rc != RC_OK)
		return rc;
	draft->refused_ja = REFUSED_CHARACTER;
	rc = draft_compose(office, order, text, draft->notice.message_id, wire, err);
	if (rc != RC_OK)
		return rc;
	return pack(office, order, draft, wire, err);
}

enum rc draft_make(
	struct office *office, const struct draft_order *order, struct draft *draft, struct err *err)
{
	utc_time now = clock_now(office->clock);
	*draft = (struct draft){.pool = pool_new(), .packed = STR_INIT};
	draft->notice = (struct notice){
		.application_id = order->app->id,
		.template_name = pool_strdup(draft->pool, order->template_name),
		.stage = order->stage,
		.resend_of = order->resend_of,
		.resend_no = order->resend_no,
		.state = OUTBOX_QUEUED,
		.queued_at = now,
		.next_try_at = now,
		.reply = "",
	};
	struct rendered text = {.subject = STR_INIT, .headers = STR_INIT, .body = STR_INIT};
	struct str wire = STR_INIT;
	enum rc rc = make(office, order, draft, &text, &wire, err);
	str_wipe(&wire);
	str_wipe(&text.body);
	rendered_free(&text);
	return rc;
}

void draft_free(struct draft *draft)
{
	if (draft->pool)
		pool_free(&draft->pool);
	str_wipe(&draft->packed);
}

enum rc draft_queue(struct office *office, const struct draft_order *order, struct draft *draft,
	const char *actor, struct err *err)
{
	int64_t reckoned = draft->notice.id;
	enum rc rc = outbox_add(
		office->store, &draft->notice, order->rules->id, draft->packed.s, draft->packed.len, err);
	if (rc == RC_OK && draft->notice.id != reckoned)
		die("notice %" PRId64 " was reckoned as %" PRId64, draft->notice.id, reckoned);
	if (rc != RC_OK)
		return rc;
	return office_note(office, order->app, order->first_wire || order->anew ? EVENT_RESEND : EVENT_QUEUE,
		actor, order->note ? order->note : "", draft->notice.id, order->stage, err);
}
