/*
 * raw_rig.h - what the tests share that begin with a mail's bytes: read by the real reader, acted on by the office
 *
 * raw_mail() fills in {names} and gives lines their CRLF; raw_receive() takes the mail, reads it and acts on it as the mailbox role does.
 */
#ifndef SENGEN_RAW_RIG_H
#define SENGEN_RAW_RIG_H

#include "inbound_rig.h"

#define OFFICE "security-action-info@sa.example.jp"
#define OUR_SERVER "mx.sa.example.jp"

/* A report that a letter came back (RFC 3464), as Postfix writes it, from Subject on. */
#define RAW_REPORT(id, recipient)                                                                            \
	"Subject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"                                  \
	"Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\n\n--b\n"               \
	"Content-Type: text/plain\n\nThis is the mail system at host mx.example.co.jp.\n\n<" recipient       \
	">: host mx said: 550 5.1.1 User unknown\n--b\nContent-Type: message/delivery-status\n\n"            \
	"Reporting-MTA: dns; mx.example.co.jp\n\nFinal-Recipient: rfc822; " recipient                        \
	"\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 User unknown\n--b\n"              \
	"Content-Type: text/rfc822-headers\n\nFrom: " OFFICE "\nTo: " recipient "\nMessage-ID: <" id         \
	">\n--b--\n"

static struct request_rules *raw_rules;

static inline int raw_begin(void **state)
{
	(void)state;
	message_preload();
	bounce_preload();
	return request_rules_load(&raw_rules, NULL, &rig_err);
}

static inline int raw_end(void **state)
{
	(void)state;
	request_rules_free(&raw_rules);
	return 0;
}

struct raw_value {
	const char *name, *value; /* "{ID}" */
};

/* Names that are not given stay as they are. `values` ends with a NULL name. In the pool. */
static inline const char *raw_mail(struct rig *rig, const char *text, const struct raw_value *values)
{
	struct str out = STR_INIT;
	for (const char *at = text; *at;) {
		const struct raw_value *value = values;
		while (value->name && !str_has_prefix(at, value->name))
			value++;
		if (value->name) {
			str_addz(&out, value->value);
			at += strlen(value->name);
		} else if (*at == '\n' && (at == text || at[-1] != '\r')) {
			str_addz(&out, "\r\n");
			at++;
		} else {
			str_addc(&out, *at++);
		}
	}
	const char *copy = pool_strdup(rig->pool, out.s);
	str_free(&out);
	return copy;
}

static inline struct received raw_read(struct rig *rig, const char *raw)
{
	struct received received;
	const struct settings *settings = rig->settings;
	const struct received_context context = {.rules = raw_rules,
		.office = settings->contact_mail,
		.authserv_id = settings->authserv_id,
		.own_hops = settings->own_hops};
	assert_ok(received_read(&received, raw, strlen(raw), &context, rig->pool, &rig_err));
	return received;
}

/* The number of the mail. */
static inline int64_t raw_receive(struct rig *rig, const char *raw)
{
	struct received received = raw_read(rig, raw);
	return inbound_receive(rig, &received);
}

#endif
