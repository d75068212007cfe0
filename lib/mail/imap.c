#include <stdlib.h>

#include "lib/mail/mailbox_p.h"

static void *imap_new(const struct mailbox_settings *settings, const char *password)
{
	(void)settings, (void)password;
	return NULL;
}

static enum rc imap_open(void *mailbox, struct err *err)
{
	(void)mailbox;
	return err_set(
		err, RC_CONFIG, "This version reads no IMAP mailbox; set maildir = true in \"mailbox\".");
}

static bool imap_is_open(const void *mailbox)
{
	(void)mailbox;
	return false;
}

static void imap_close(void *mailbox)
{
	(void)mailbox;
}

static const char *imap_phase(const void *mailbox)
{
	(void)mailbox;
	return "connect";
}

const struct mailbox_kind mailbox_imap = {
	.new = imap_new,
	.open = imap_open,
	.is_open = imap_is_open,
	.close = imap_close,
	.free = free,
	.phase = imap_phase,
};
