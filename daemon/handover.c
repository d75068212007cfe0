#include "daemon/handover.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/text.h"

void handover_put_server(struct str *out, const struct transport_settings *settings)
{
	wire_put_number(out, settings->maildir);
	wire_put_text(out, settings->path);
	wire_put_text(out, settings->host);
	wire_put_number(out, settings->port);
	wire_put_number(out, settings->tls);
	wire_put_text(out, settings->ca_file);
	wire_put_text(out, settings->helo);
	wire_put_number(out, settings->auth);
	wire_put_text(out, settings->user);
	wire_put_text(out, settings->password_from);
	wire_put_number(out, settings->connect_seconds);
	wire_put_number(out, settings->reply_seconds);
	wire_put_number(out, settings->dot_seconds);
}

bool handover_get_server(struct transport_settings *settings, const struct str *payload, struct pool *pool)
{
	struct wire_reader reader = wire_reader_of(payload);
	*settings = (struct transport_settings){0};
	settings->maildir = wire_get_number(&reader) != 0;
	settings->path = wire_get_copy(&reader, pool);
	settings->host = wire_get_copy(&reader, pool);
	settings->port = (int)wire_get_number(&reader);
	settings->tls = (enum tls_mode)wire_get_number(&reader);
	settings->ca_file = wire_get_copy(&reader, pool);
	settings->helo = wire_get_copy(&reader, pool);
	settings->auth = (enum auth_mode)wire_get_number(&reader);
	settings->user = wire_get_copy(&reader, pool);
	settings->password_from = wire_get_copy(&reader, pool);
	settings->connect_seconds = (int)wire_get_number(&reader);
	settings->reply_seconds = (int)wire_get_number(&reader);
	settings->dot_seconds = (int)wire_get_number(&reader);
	return wire_read_whole(&reader);
}

void handover_put_mail(struct str *out, const struct parcel *parcel, const char *fields, size_t fields_len)
{
	wire_put_text(out, parcel->name);
	wire_put_text(out, parcel->sender);
	wire_put_text(out, parcel->recipient);
	struct str mail = STR_INIT;
	str_grow(&mail, fields_len + parcel->len);
	str_add(&mail, fields, fields_len);
	str_add(&mail, parcel->wire, parcel->len);
	wire_put_bytes(out, mail.s, mail.len);
	str_free(&mail);
}

bool handover_get_mail(struct parcel *parcel, const struct str *payload, struct pool *pool)
{
	struct wire_reader reader = wire_reader_of(payload);
	parcel->name = wire_get_text(&reader, pool);
	parcel->sender = wire_get_text(&reader, pool);
	parcel->recipient = wire_get_text(&reader, pool);
	parcel->wire = wire_get_bytes(&reader, &parcel->len);
	return wire_read_whole(&reader) && parcel->name && parcel->sender && parcel->recipient &&
	       parcel->wire;
}

void handover_put_delivery(struct str *out, const struct delivery *delivery)
{
	wire_put_number(out, delivery->outcome);
	wire_put_number(out, delivery->reply_code);
	wire_put_text(out, delivery->enhanced);
	wire_put_text(out, delivery->reply);
	wire_put_number(out, delivery->line_closed);
	wire_put_text(out, delivery->phase);
	wire_put_number(out, delivery->certificate_until);
}

/* One line of text that fits `size` bytes with its NUL. */
static bool fits(const char *text, size_t size)
{
	return text && strlen(text) < size && !text_has_control(text);
}

/* The child has talked to the network: what it says is taken as text that fits, or not at all. */
bool handover_get_delivery(struct delivery *delivery, const struct str *payload)
{
	static const char *const phases[] = {"connect", "tls", "auth", "mail", "rcpt", "data", "dot"};
	struct wire_reader reader = wire_reader_of(payload);
	struct pool *pool = pool_new();
	*delivery = (struct delivery){.phase = "connect"};
	int64_t outcome = wire_get_number(&reader);
	delivery->outcome = (enum outcome)outcome;
	int64_t code = wire_get_number(&reader);
	delivery->reply_code = (int)code;
	const char *enhanced = wire_get_text(&reader, pool), *reply = wire_get_text(&reader, pool);
	delivery->line_closed = wire_get_number(&reader) != 0;
	const char *phase = wire_get_text(&reader, pool);
	delivery->certificate_until = wire_get_number(&reader);
	bool good = wire_read_whole(&reader) && phase && outcome >= OUTCOME_ACCEPTED &&
		    outcome <= OUTCOME_FAULT && code >= 0 && code <= 999 &&
		    fits(enhanced, sizeof delivery->enhanced) && fits(reply, sizeof delivery->reply);
	if (good) {
		memcpy(delivery->enhanced, enhanced, strlen(enhanced) + 1);
		memcpy(delivery->reply, reply, strlen(reply) + 1);
		for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
			if (strcmp(phases[i], phase) == 0)
				delivery->phase = phases[i];
	}
	pool_free(&pool);
	return good;
}
