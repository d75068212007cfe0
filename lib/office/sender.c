/*
 * sender.c - what our own mail server wrote about the sender, read from the mail's bytes by the role itself
 *
 * The reader of a mail may have been taken over by it, and then says what the mail's writer wants. Nearly all that it can say, the writer could have written: a From,
 * an ID, a wish. What our own mail server found out, he could not; so nothing is done on the strength of it that these bytes don't say, too.
 */
#include "lib/office/inbound_p.h"

#include <string.h>

enum rc inbound_reread_sender(struct inbound *in, struct authres *out, const char **from_key)
{
	const struct settings *settings = in->office->settings;
	struct str raw = STR_INIT;
	const char *from = "";
	enum rc rc = message_raw(in->office->store, in->message->id, &raw, in->err);
	*out = (struct authres){0};
	if (rc == RC_OK)
		authres_reread(
			out, &from, raw.s, raw.len, settings->authserv_id, &settings->own_hops, in->pool);
	*from_key = inbound_mail_key(in, from);
	str_free(&raw);
	return rc;
}

enum rc inbound_is_trusted(struct inbound *in, bool *trusted)
{
	struct authres found;
	const char *from_key;
	*trusted = in->office->settings->trust_aligned_dkim && in->from_registered &&
		   in->received->authres.dkim_aligned;
	if (!*trusted)
		return RC_OK;
	enum rc rc = inbound_reread_sender(in, &found, &from_key);
	*trusted = rc == RC_OK && found.dkim_aligned && strcmp(from_key, in->from_key) == 0;
	return rc;
}

enum rc inbound_is_disowned(struct inbound *in, bool *disowned)
{
	struct authres found;
	const char *from_key;
	enum rc rc = inbound_reread_sender(in, &found, &from_key);
	*disowned = rc == RC_OK && found.disowned;
	return rc;
}
