/*
 * compose.h - a mail as it goes over the wire (RFC 5322, 2045, 2047, 2231, 3834)
 *
 * 7-bit, lines of at most 76 octets in encoded parts and 78 in headers, CRLF. UTF-8 bodies in base64; ISO-2022-JP (RFC 1468)
 * bodies as 7bit where asked for and every character fits, else the charset is raised to UTF-8: never "?". Encoded words are cut
 * between characters. The same input gives the same bytes.
 */
#ifndef SENGEN_COMPOSE_H
#define SENGEN_COMPOSE_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

enum mail_charset { CHARSET_UTF8, CHARSET_ISO_2022_JP };

struct compose {
	const char *from_name, *from; /* display name may be "" */
	const char *reply_to;
	const char *to; /* exactly one address: there is no list, no Cc, no Bcc */
	const char *message_id; /* without angle brackets */
	utc_time date;
	const char *subject, *body; /* UTF-8; body with LF */
	const char *
		html; /* the body once more, as HTML: multipart/alternative (RFC 2046 5.1.4); NULL: text alone. Not with `attached`. */
	const char *headers; /* further "Name: value\n" lines; "" */
	const char *loop_mark; /* X-Sengen-Notice: identifies our own mail when it comes back */
	const char *in_reply_to,
		*references; /* message ids without angle brackets, separated by blanks; NULL: none */
	const char *auto_submitted; /* "auto-generated" or "auto-replied" */
	enum mail_charset charset; /* wanted */
	const char *attached; /* wire bytes of a mail to attach as message/rfc822; NULL: none */
	size_t attached_len;
	const char *attached_name; /* file name shown for it, UTF-8; NULL: notice.eml */
};

/* Appends the whole mail. RC_REFUSED: a value can't stand in a header, an address is not one, a character is no character (U+FFFD, control),
 * a further header line repeats a field that is set here, the mail to attach is not 7-bit. An attached mail stands in it byte for byte. */
enum rc compose(struct str *out, const struct compose *mail, struct err *err);

/* Unstructured header text → encoded words, folded; `used` columns are taken on the first line. Exposed for tests. */
void rfc2047_add(struct str *out, const char *text, enum mail_charset charset, size_t used);

/* base64 in lines of 76 with CRLF between them and none behind the last (RFC 2045 6.8), as bodies are written. */
void compose_base64(struct str *out, const void *bytes, size_t len);

/* Stable for ever: template.application.resend@domain, without angle brackets. Where there is no application (0) the notice's own number
 * stands in place of the resend's. */
void message_id_make(struct str *out, int64_t application_id, const char *template_name, int64_t resend_no,
	const char *domain);

#endif
