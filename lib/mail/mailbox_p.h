/*
 * mailbox_p.h - the two kinds of mailbox behind mailbox.h: an IMAP server (imap.c) and a Maildir (maildrop.c)
 */
#ifndef SENGEN_MAILBOX_P_H
#define SENGEN_MAILBOX_P_H

#include "lib/mail/mailbox.h"

struct mailbox_kind { /* the functions of mailbox.h; all but open and append find an open mailbox */
	void *(*new)(const struct mailbox_settings *settings, const char *password);
	enum rc (*open)(void *mailbox, struct err *err);
	bool (*is_open)(const void *mailbox);
	void (*close)(void *mailbox);
	void (*free)(void *mailbox);
	enum rc (*list)(void *mailbox, enum folder folder, const char *after, size_t limit,
		struct mailbox_list *out, struct pool *pool, struct err *err);
	enum rc (*fetch)(void *mailbox, const char *uid, struct str *raw, struct err *err);
	enum rc (*fetch_some)(void *mailbox, const char *const *uid, size_t count, int64_t payload,
		mailbox_message_fn *fn, void *ctx, struct err *err);
	enum rc (*move)(void *mailbox, const char *const *uid, size_t count, enum folder to,
		const char **moved_uid, struct pool *pool, struct err *err);
	enum rc (*wait)(void *mailbox, int seconds, int wake_fd, bool *news, struct err *err);
	enum rc (*append)(void *mailbox, const char *name, const char *wire, size_t len, struct err *err);
	int64_t (*certificate_until)(
		const void *mailbox); /* of the open connection; NULL: there is no such thing */
	const char *(*phase)(const void *
			mailbox); /* "connect", "tls", "auth" or "select" while it is being opened; NULL: none of these */
};
extern const struct mailbox_kind mailbox_imap, mailbox_maildir;

/* The configured name in UTF-8; NULL: there is no such folder. */
const char *mailbox_folder_name(const struct mailbox_settings *settings, enum folder folder);

#endif
