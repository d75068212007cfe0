/*
 * mailaddr.h - one mail address: reading, checking, comparing (RFC 5321 section 4.1.2, RFC 5891)
 *
 * Old addresses of Japanese carriers with ".." or "." before the @ exist and are accepted (domain.md, 8);
 * on the wire their local part is quoted: "a..b"@docomo.ne.jp. Both spellings have the same key.
 */
#ifndef SENGEN_MAILADDR_H
#define SENGEN_MAILADDR_H

#include "lib/base/str.h"

enum mailaddr_fault {
	MAILADDR_OK,
	MAILADDR_EMPTY,
	MAILADDR_NO_AT, /* no @, or nothing on one side of it */
	MAILADDR_SEVERAL, /* more than one address */
	MAILADDR_CONTROL, /* line break, NUL, control or invisible character */
	MAILADDR_LOCAL_CHARS, /* a character that a local part can't have */
	MAILADDR_DOMAIN, /* not a host name with at least two labels (after IDNA), or an address literal */
	MAILADDR_TOO_LONG, /* local part over 64, whole over 254 octets */
};

struct mailaddr {
	char local[65]; /* unquoted */
	char domain[254]; /* A-labels, lower case */
};

/* Reads one address as a person writes it in a form: width folded, white space around trimmed. No display name,
 * no comment, no group, no list. */
enum mailaddr_fault mailaddr_read(struct mailaddr *out, const char *text);
/* The address as it stands in an envelope or header: local part quoted where it must be. */
void mailaddr_print(struct str *out, const struct mailaddr *addr);
/* For comparing: local part in lower case, unquoted, domain in A-labels. */
void mailaddr_key(struct str *out, const struct mailaddr *addr);
/* English name of a fault: "no-at", ... */
const char *mailaddr_fault_name(enum mailaddr_fault fault);

#endif
