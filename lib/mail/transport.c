#include "lib/mail/transport.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/reply.h"
#include "lib/mail/smtp.h"

struct transport {
	const struct transport_settings *settings;
	struct smtp *smtp; /* NULL: Maildir */
};

struct transport *transport_new(const struct transport_settings *settings, const char *password)
{
	struct transport *transport = xcalloc(1, sizeof *transport);
	transport->settings = settings;
	if (!settings->maildir)
		transport->smtp = smtp_new(settings, password);
	return transport;
}

void transport_free(struct transport **transport)
{
	if (!*transport)
		return;
	smtp_free(&(*transport)->smtp);
	free(*transport);
	*transport = NULL;
}

/* Printable ASCII, no blank outside quotes, no angle bracket: what would end the command or the path early stays out. */
static bool is_envelope_address(const char *address)
{
	size_t ats = 0;
	bool quoted = false;
	for (const char *c = address; *c; c++) {
		if (*c == '"')
			quoted = !quoted;
		if (*c == '@' && !quoted)
			ats++;
		if (*c < ' ' || *c > '~' || *c == '<' || *c == '>' || (*c == ' ' && !quoted))
			return false;
	}
	return ats == 1 && !quoted && strlen(address) <= 254;
}

/* The Maildir's fault is ours: a full disk does not count against a recipient. */
static void deliver(const char *path, const struct parcel *parcel, struct delivery *out)
{
	struct err err;
	bool done = maildir_deliver(path, parcel, &err) == RC_OK;
	*out = (struct delivery){
		.outcome = done ? OUTCOME_ACCEPTED : OUTCOME_FAULT,
		.reply_code = done ? 250 : 0,
		.phase = done ? "dot" : "connect",
	};
	reply_print(out->reply, sizeof out->reply, done ? "delivered to the Maildir" : err.text, "");
}

void transport_send(struct transport *transport, const struct parcel *parcel, struct delivery *out)
{
	/* libcurl writes addresses into its commands as they are. */
	if (!is_envelope_address(parcel->recipient) ||
		(*parcel->sender && !is_envelope_address(parcel->sender))) {
		*out = (struct delivery){.outcome = OUTCOME_PERMANENT, .phase = "rcpt"};
		snprintf(out->reply, sizeof out->reply, "an envelope address is not one that SMTP can carry");
		return;
	}
	if (transport->smtp)
		smtp_send(transport->smtp, parcel, out);
	else
		deliver(transport->settings->path, parcel, out);
}
