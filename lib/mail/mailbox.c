#include <stdlib.h>

#include "lib/mail/mailbox_p.h"

struct mailbox {
	const struct mailbox_kind *kind;
	const struct mailbox_settings *settings;
	void *own; /* the kind's */
	const char *phase;
};

struct mailbox *mailbox_new(const struct mailbox_settings *settings, const char *password)
{
	struct mailbox *mailbox = xcalloc(1, sizeof *mailbox);
	mailbox->kind = settings->maildir ? &mailbox_maildir : &mailbox_imap;
	mailbox->settings = settings;
	mailbox->own = mailbox->kind->new (settings, password);
	mailbox->phase = "connect";
	return mailbox;
}

enum rc mailbox_open(struct mailbox *mailbox, struct err *err)
{
	if (mailbox->kind->is_open(mailbox->own))
		return RC_OK;
	enum rc rc = mailbox->kind->open(mailbox->own, err);
	mailbox->phase = mailbox->kind->phase(mailbox->own);
	return rc;
}

bool mailbox_is_open(const struct mailbox *mailbox)
{
	return mailbox->kind->is_open(mailbox->own);
}

const char *mailbox_phase(const struct mailbox *mailbox)
{
	return mailbox->phase;
}

void mailbox_close(struct mailbox *mailbox)
{
	mailbox->kind->close(mailbox->own);
}

void mailbox_free(struct mailbox **mailbox)
{
	if (!*mailbox)
		return;
	(*mailbox)->kind->close((*mailbox)->own);
	(*mailbox)->kind->free((*mailbox)->own);
	free(*mailbox);
	*mailbox = NULL;
}

const char *mailbox_folder_name(const struct mailbox_settings *settings, enum folder folder)
{
	switch (folder) {
	case FOLDER_INBOX:
		return settings->inbox;
	case FOLDER_DONE:
		return settings->done;
	case FOLDER_REVIEW:
		return settings->review;
	case FOLDER_BOUNCE:
		return settings->bounce;
	case FOLDER_SENT:
		return settings->sent;
	case FOLDER_COUNT:
		break;
	}
	return NULL;
}

/* Opens where that is wanted; from here on the phase is the request's. */
static enum rc begin(struct mailbox *mailbox, const char *phase, struct err *err)
{
	enum rc rc = mailbox_open(mailbox, err);
	if (rc == RC_OK)
		mailbox->phase = phase;
	return rc;
}

/* A kept connection may have been dead all the time (server restarted, network gone): that says nothing about the request. */
static bool again(struct mailbox *mailbox, bool kept, const char *phase, enum rc *rc, struct err *err)
{
	if (*rc != RC_SERVER || !kept || mailbox_is_open(mailbox))
		return false;
	*rc = begin(mailbox, phase, err);
	return *rc == RC_OK;
}

enum rc mailbox_list(struct mailbox *mailbox, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	const struct mailbox_kind *kind = mailbox->kind;
	bool kept = mailbox_is_open(mailbox);
	*out = (struct mailbox_list){0};
	if (!mailbox_folder_name(mailbox->settings, folder))
		return err_set(err, RC_USAGE, "The mailbox has no folder of that kind.");
	enum rc rc = begin(mailbox, "list", err);
	if (rc == RC_OK)
		rc = kind->list(mailbox->own, folder, after, limit, out, pool, err);
	if (again(mailbox, kept, "list", &rc, err))
		rc = kind->list(mailbox->own, folder, after, limit, out, pool, err);
	if (rc == RC_OK && kind->certificate_until)
		out->certificate_until = kind->certificate_until(mailbox->own);
	return rc;
}

enum rc mailbox_fetch(struct mailbox *mailbox, const char *uid, struct str *raw, struct err *err)
{
	const struct mailbox_kind *kind = mailbox->kind;
	bool kept = mailbox_is_open(mailbox);
	size_t start = raw->len;
	enum rc rc = begin(mailbox, "fetch", err);
	if (rc == RC_OK)
		rc = kind->fetch(mailbox->own, uid, raw, err);
	if (rc != RC_OK)
		str_cut(raw, start);
	if (again(mailbox, kept, "fetch", &rc, err))
		rc = kind->fetch(mailbox->own, uid, raw, err);
	return rc;
}

enum rc mailbox_fetch_some(struct mailbox *mailbox, const char *const *uid, size_t count, int64_t payload,
	mailbox_message_fn *fn, void *ctx, struct err *err)
{
	enum rc rc = begin(mailbox, "fetch", err);
	return rc || count == 0 ? rc
				: mailbox->kind->fetch_some(mailbox->own, uid, count, payload, fn, ctx, err);
}

enum rc mailbox_move(struct mailbox *mailbox, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err)
{
	const struct mailbox_kind *kind = mailbox->kind;
	bool kept = mailbox_is_open(mailbox);
	if (to == FOLDER_INBOX || !mailbox_folder_name(mailbox->settings, to))
		return err_set(err, RC_USAGE, "There is no such folder to move mails to.");
	if (count == 0)
		return RC_OK;
	enum rc rc = begin(mailbox, "move", err);
	if (rc == RC_OK)
		rc = kind->move(mailbox->own, uid, count, to, moved_uid, pool, err);
	/* What was moved before the line died is found gone the second time: its new UID is not known then, but nothing is moved twice. */
	if (again(mailbox, kept, "move", &rc, err))
		rc = kind->move(mailbox->own, uid, count, to, moved_uid, pool, err);
	return rc;
}

enum rc mailbox_wait(struct mailbox *mailbox, int seconds, int wake_fd, bool *news, struct err *err)
{
	*news = false;
	enum rc rc = begin(mailbox, "idle", err);
	return rc ? rc : mailbox->kind->wait(mailbox->own, seconds, wake_fd, news, err);
}

enum rc mailbox_append(
	struct mailbox *mailbox, const char *name, const char *wire, size_t len, struct err *err)
{
	if (!mailbox->settings->sent)
		return err_set(err, RC_USAGE, "No folder for copies of sent mails is configured.");
	mailbox->phase = "append";
	return mailbox->kind->append(mailbox->own, name, wire, len, err);
}
