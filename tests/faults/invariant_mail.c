#include "tests/faults/invariant_p.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/reread.h"

static const char *const stages[] = {"receipt", "id", "logo"};
#define STAGES 3

static const struct notice *notice_of(const struct on_file *all, size_t mail)
{
	return all->notice_of_mail[mail] ? &all->notice[all->notice_of_mail[mail] - 1] : NULL;
}

static int times_taken(const struct notice *notice)
{
	int times = 0;
	for (size_t i = 0; i < peer_mail_count(); i++)
		times += strcmp(peer_mail_at(i)->message_id, notice->message_id) == 0;
	return times;
}

/* The letter of a stage: one that was taken where there are several, for staff may approve what failed. NULL: there is none. */
static const struct notice *stage_notice(const struct on_file *all, int64_t application_id, const char *name)
{
	const struct notice *found = NULL;
	for (size_t i = 0; i < all->notices; i++) {
		const struct notice *notice = &all->notice[i];
		bool is_stage =
			notice->application_id == application_id && strcmp(notice->template_name, name) == 0;
		bool taken = is_stage && times_taken(notice) > 0;
		if (taken || (is_stage && !found && !notice->resend_of))
			found = notice;
	}
	return found;
}

struct asked {
	int64_t notice_id;
	bool asked, answered;
};

static enum rc find_asked(void *ctx, const struct history_row *row, struct err *err)
{
	struct asked *asked = ctx;
	(void)err;
	asked->answered |= asked->asked && row->event == EVENT_APPROVE;
	asked->asked |= row->event == EVENT_REVIEW && row->ref == asked->notice_id;
	return RC_OK;
}

/* A person was asked about this very letter of unknown fate, and let the application go on without it. */
static bool is_left_by_staff(const struct on_file *all, const struct notice *notice)
{
	struct asked asked = {.notice_id = notice->id};
	struct err err = {0};
	return notice->state == OUTBOX_UNKNOWN && notice->next_try_at == UTC_NEVER &&
	       invariant_ok(
		       history_each(all->office->store, notice->application_id, 0, find_asked, &asked, &err),
		       "the history", &err) &&
	       asked.answered;
}

/* ---- 2: what was due arrived, or stands with staff; 11: and trouble of ours is nobody's fault ---- */

static void check_stages(const struct on_file *all, const struct application *app)
{
	bool with_staff = app->hold != HOLD_NONE && *app->hold_reason;
	int reached = app->state == STATE_LOGO_AUTHORIZED ? 3 : app->state == STATE_ID_ISSUED ? 2 : 1;
	if (!state_is_live(app->state))
		return;
	if (app->hold != HOLD_NONE && !*app->hold_reason)
		fault_broken("2 application %" PRId64 " is held for no reason", app->id);
	if (!with_staff && app->state != STATE_LOGO_AUTHORIZED)
		fault_broken("2 application %" PRId64
			     " is %s, stage %d, after weeks of quiet, and no person was asked",
			app->id, state_name(app->state), app->stage);
	for (int i = 0; i < reached; i++) {
		const struct notice *notice = stage_notice(all, app->id, stages[i]);
		if (!notice)
			fault_broken("2 application %" PRId64 " is %s without a notice %s", app->id,
				state_name(app->state), stages[i]);
		else if (!with_staff && times_taken(notice) == 0 && !is_left_by_staff(all, notice))
			fault_broken("2 notice %" PRId64 " (%s of application %" PRId64
				     ") is %s, and the server never took it",
				notice->id, stages[i], app->id, outbox_state_name(notice->state));
	}
}

void invariant_notices(const struct on_file *all)
{
	for (size_t i = 0; i < all->apps; i++)
		check_stages(all, &all->app[i]);
	for (size_t i = 0; i < all->notices; i++) {
		const struct notice *notice = &all->notice[i];
		const struct application *app = on_file_application(all, notice->application_id);
		int times = times_taken(notice);
		if (notice->state == OUTBOX_SENT && times == 0)
			fault_broken("2 notice %" PRId64 " (%s) counts as sent, and the server never took it",
				notice->id, notice->template_name);
		if (notice->state == OUTBOX_CANCELLED && times == 0 && app && state_is_live(app->state) &&
			notice->stage != STAGE_NONE && !stage_notice(all, app->id, notice->template_name))
			fault_broken("2 notice %" PRId64 " (%s) was cancelled, and nothing took its place",
				notice->id, notice->template_name);
		/* What is held waits for the person who holds it. */
		bool held = app && app->hold != HOLD_NONE && *app->hold_reason;
		if ((notice->state == OUTBOX_QUEUED && !held) || notice->state == OUTBOX_SENDING)
			fault_broken("12 notice %" PRId64 " (%s of application %" PRId64 ") is still %s",
				notice->id, notice->template_name, notice->application_id,
				outbox_state_name(notice->state));
		bool ours = notice->reply_code < 400 || notice->reply_code == 421 ||
			    notice->reply_code == 503 || notice->reply_code == 530 ||
			    notice->reply_code == 535;
		if (notice->state == OUTBOX_FAILED && ours && strstr(notice->reply, "What?") == NULL)
			fault_broken("11 notice %" PRId64
				     " (%s) was given up for what is no verdict on it: %d %s",
				notice->id, notice->template_name, notice->reply_code, notice->reply);
	}
}

/* ---- 3: second copies ---- */

void invariant_copies(const struct on_file *all)
{
	for (size_t i = 0; i < peer_mail_count(); i++) {
		const struct peer_mail *mail = peer_mail_at(i);
		size_t earlier = 0;
		for (size_t k = 0; k < i; k++) {
			const struct peer_mail *before = peer_mail_at(k);
			if (strcmp(before->message_id, mail->message_id) != 0)
				continue;
			earlier++;
			if (before->told == OUTCOME_ACCEPTED && !before->life_ended)
				fault_broken(
					"3 mail %zu <%s> was taken and answered, and sent again as mail %zu",
					k, mail->message_id, i);
			if (before->len != mail->len || memcmp(before->wire, mail->wire, mail->len) != 0)
				fault_broken("3 mails %zu and %zu have the Message-ID <%s> and other bytes",
					k, i, mail->message_id);
		}
		if (earlier > 1)
			fault_broken("3 mail %zu <%s> is copy number %zu", i, mail->message_id, earlier + 1);
		if (!notice_of(all, i))
			fault_broken("9 mail %zu <%s> to %s is of no notice on file", i, mail->message_id,
				mail->recipient);
	}
}

/* ---- 4: nothing after an end ---- */

static bool repeats_a_stage(const struct notice *notice)
{
	if (notice->resend_of)
		return true;
	for (int i = 0; i < STAGES; i++)
		if (strcmp(notice->template_name, stages[i]) == 0)
			return true;
	return false;
}

void invariant_ends(const struct on_file *all)
{
	for (int b = 0; b < season->businesses; b++) {
		const struct season_business *business = &season->business[b];
		for (size_t i = business->ended_at; business->ended_id && i < peer_mail_count(); i++) {
			const struct notice *notice = notice_of(all, i);
			if (notice && notice->application_id == business->ended_id && repeats_a_stage(notice))
				fault_broken("4 staff ended application %" PRId64
					     " when the server had %zu mails, and it took mail %zu (%s)",
					business->ended_id, business->ended_at, i, notice->template_name);
		}
	}
	/* What the applicant was told. */
	for (size_t i = 0; i < peer_mail_count(); i++) {
		const struct notice *told = notice_of(all, i);
		if (!told || !told->application_id || strcmp(told->template_name, "stopped") != 0)
			continue;
		for (size_t k = i + 1; k < peer_mail_count(); k++) {
			const struct notice *notice = notice_of(all, k);
			if (notice && notice->application_id == told->application_id &&
				repeats_a_stage(notice))
				fault_broken("4 mail %zu told application %" PRId64
					     " of its stop, and mail %zu (%s) came after it",
					i, told->application_id, k, notice->template_name);
		}
	}
}

/* ---- 5: the right recipient, and nothing of anybody else's in the mail ---- */

static bool is_registered(const struct application *app, const char *recipient)
{
	const struct season_business *business = season_business_of(app);
	return business &&
	       (strcmp(recipient, business->mail) == 0 ||
		       (business->later_mail_entered && strcmp(recipient, business->later_mail) == 0));
}

static bool has_written(const char *recipient)
{
	for (size_t i = 0; i < peer_message_count(); i++) {
		const struct peer_message *message = peer_message_at(i);
		if (message->came && memmem(message->bytes, message->len, recipient, strlen(recipient)))
			return true;
	}
	return strcmp(recipient, "desk@sa.example.jp") == 0 || strcmp(recipient, "admin@sa.example.jp") == 0;
}

/* Numbers of ten and eleven digits, bounded by what is none, in the text. */
static void check_numbers_told(
	const struct on_file *all, size_t mail, const struct notice *notice, const char *text)
{
	const char *recipient = peer_mail_at(mail)->recipient;
	for (const char *at = text; *at;) {
		size_t digits = strspn(at, "0123456789");
		int64_t number = digits == 10 || digits == 11 ? strtoll(at, NULL, 10) : 0;
		for (size_t i = 0; number && i < all->apps; i++) {
			const struct application *app = &all->app[i];
			if (number != app->declaration_id && number != app->user_number)
				continue;
			if (!is_registered(app, recipient))
				fault_broken("5 mail %zu (%s) tells %s a number of application %" PRId64,
					mail, notice->template_name, recipient, app->id);
		}
		at += digits ? digits : 1;
	}
}

void invariant_recipients(const struct on_file *all)
{
	struct str subject = STR_INIT, body = STR_INIT;
	for (size_t i = 0; i < peer_mail_count(); i++) {
		const struct peer_mail *mail = peer_mail_at(i);
		const struct notice *notice = notice_of(all, i);
		struct err err = {0};
		if (!notice)
			continue;
		const struct application *app = on_file_application(all, notice->application_id);
		if (strcmp(notice->recipient, mail->recipient) != 0 && notice->state != OUTBOX_SENT &&
			notice->state != OUTBOX_UNKNOWN)
			fault_broken("5 mail %zu (%s) went to %s; notice %" PRId64 " is for somebody else", i,
				notice->template_name, mail->recipient, notice->id);
		if (notice->application_id && (!app || !is_registered(app, mail->recipient)))
			fault_broken("5 mail %zu (%s of application %" PRId64
				     ") went to %s, who is not registered for it",
				i, notice->template_name, notice->application_id, mail->recipient);
		if (!notice->application_id && !has_written(mail->recipient))
			fault_broken("5 mail %zu (%s) went to %s, who never wrote", i, notice->template_name,
				mail->recipient);
		str_clear(&subject);
		str_clear(&body);
		if (!notice->resend_of && strcmp(notice->template_name, "digest") != 0 &&
			reread(&subject, &body, mail->wire, mail->len, &err) == RC_OK)
			check_numbers_told(all, i, notice, body.s);
	}
	str_free(&subject);
	str_free(&body);
}

/* ---- 6: an ID that an applicant was told is theirs for ever ---- */

void invariant_told(const struct on_file *all)
{
	struct str subject = STR_INIT, body = STR_INIT;
	for (size_t i = 0; i < peer_mail_count(); i++) {
		const struct notice *notice = notice_of(all, i);
		struct err err = {0};
		if (!notice || notice->resend_of || strcmp(notice->template_name, "id") != 0)
			continue;
		str_clear(&subject);
		str_clear(&body);
		const struct application *app = on_file_application(all, notice->application_id);
		char id[24];
		(void)snprintf(id, sizeof id, "%" PRId64, app ? app->declaration_id : 0);
		if (reread(&subject, &body, peer_mail_at(i)->wire, peer_mail_at(i)->len, &err) ||
			!strstr(body.s, id))
			fault_broken("6 mail %zu told application %" PRId64 " an ID that is not %s", i,
				notice->application_id, id);
	}
	str_free(&subject);
	str_free(&body);
}
