/*
 * desk_mail.c - mails to the desk itself: digest and alarms
 *
 * They go the way of every mail, outbox, claim and transport, and belong to no application.
 */
#include "lib/office/office_p.h"

#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/mail/bounceaddr.h"
#include "lib/mail/compose.h"
#include "lib/mail/letter.h"

struct desk_mail {
	struct office *office;
	struct notice notice;
	struct str to, message_id, bounce, wire, packed;
};

bool office_is_desk_mail(const struct notice *notice)
{
	return notice->application_id == 0 && (strcmp(notice->template_name, NOTICE_DIGEST) == 0 ||
						      strcmp(notice->template_name, NOTICE_ALARM) == 0);
}

static enum rc address(struct desk_mail *mail, const char *to, struct err *err)
{
	struct office *office = mail->office;
	const uint8_t *key = secrets_key(office->secrets);
	struct notice *notice = &mail->notice;
	struct mailaddr read;
	if (mailaddr_read(&read, to) != MAILADDR_OK)
		return err_set(err, RC_REFUSED, "the mail address of the desk can't be used");
	mailaddr_print(&mail->to, &read);
	message_id_make(
		&mail->message_id, 0, notice->template_name, notice->id, office->settings->message_id_domain);
	enum rc rc = RC_OK;
	if (key)
		rc = bounceaddr_make(
			&mail->bounce, office->settings->bounce_mail, notice->id, key, SEAL_KEY_LEN, err);
	else
		str_addz(&mail->bounce, office->settings->bounce_mail);
	const char *at = strrchr(mail->to.s, '@');
	notice->recipient = mail->to.s;
	notice->domain = at ? at + 1 : "";
	notice->message_id = mail->message_id.s;
	notice->bounce_address = mail->bounce.s;
	return rc;
}

static enum rc write_letter(
	struct desk_mail *mail, const char *subject, const char *text, const char *html, struct err *err)
{
	struct office *office = mail->office;
	const struct settings *settings = office->settings;
	const struct compose parts = {
		.from_name = settings->from_name,
		.from = settings->from_mail,
		.to = mail->to.s,
		.message_id = mail->message_id.s,
		.date = clock_now(office->clock),
		.subject = subject,
		.body = text,
		.html = html,
		.headers = "",
		.loop_mark = mail->message_id.s,
		.auto_submitted = "auto-generated",
		.charset = CHARSET_UTF8,
	};
	uint8_t digest[SHA256_LEN];
	struct letter_secrets sealed = {
		.key = secrets_key(office->secrets),
		.rng = office->rng,
		.digest = digest,
	};
	enum rc rc = compose(&mail->wire, &parts, err);
	if (rc != RC_OK)
		return rc;
	sha256(digest, mail->wire.s, mail->wire.len);
	letter_digest_make(&mail->notice, office->secrets, digest);
	return letter_pack(&mail->packed, mail->wire.s, mail->wire.len, NULL, &sealed, err);
}

static enum rc enter(struct desk_mail *mail, struct err *err)
{
	struct office *office = mail->office;
	int64_t reckoned = mail->notice.id;
	enum rc rc = outbox_add(office->store, &mail->notice, 0, mail->packed.s, mail->packed.len, err);
	if (rc == RC_OK && mail->notice.id != reckoned)
		die("a mail to the desk got another number than was reckoned");
	const struct history_row row = {.at = mail->notice.queued_at,
		.event = EVENT_DESK_MAIL,
		.ref = mail->notice.id,
		.actor = ACTOR_DAEMON,
		.note = ""};
	return rc == RC_OK ? history_add(office->store, &row, err) : rc;
}

enum rc office_desk_mail(struct office *office, const char *template_name, const char *to,
	const char *subject, const char *text, const char *html, int64_t *notice_id, struct err *err)
{
	utc_time now = clock_now(office->clock);
	struct desk_mail mail = {.office = office,
		.notice = {.template_name = template_name,
			.stage = STAGE_NONE,
			.state = OUTBOX_QUEUED,
			.queued_at = now,
			.next_try_at = now,
			.reply = ""},
		.to = STR_INIT,
		.message_id = STR_INIT,
		.bounce = STR_INIT,
		.wire = STR_INIT,
		.packed = STR_INIT};
	enum rc rc = outbox_next_id(office->store, &mail.notice.id, err);
	rc = rc ? rc : address(&mail, to, err);
	rc = rc ? rc : write_letter(&mail, subject, text, html, err);
	rc = rc ? rc : enter(&mail, err);
	*notice_id = rc ? 0 : mail.notice.id;
	str_free(&mail.to);
	str_free(&mail.message_id);
	str_free(&mail.bounce);
	str_free(&mail.wire);
	str_free(&mail.packed);
	return rc;
}
