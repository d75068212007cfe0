#include "lib/base/mailaddr.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"

/* RFC 5322 section 3.2.3 */
static bool is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-/=?^_`{|}~", c));
}

static bool has_invisible(const char *text)
{
	size_t len = strlen(text);
	uint32_t c;
	for (size_t at = 0; at < len;) {
		size_t size = utf8_next(text + at, len - at, &c);
		if (size == 0 || (c >= 0x200B && c <= 0x200D) || c == 0x2060 || c == 0xFEFF || c == 0xAD ||
			(c >= 0xFE00 && c <= 0xFE0F) || (c >= 0xE0000 && c <= 0xE0FFF))
			return true;
		at += size;
	}
	return false;
}

/* White space that a form or a cell leaves around a value; a line break only there is one too. */
static void trim_into(struct str *out, const char *text)
{
	char *copy = xstrdup(text);
	str_addz(out, text_trim(copy));
	free(copy);
}

static enum mailaddr_fault local_read_quoted(char *out, const char *from, const char *end)
{
	size_t len = 0;
	for (const char *p = from + 1; p < end - 1; p++) {
		if (*p == '"' || (*p == '\\' && ++p == end - 1))
			return MAILADDR_LOCAL_CHARS;
		if ((unsigned char)*p >= 0x80)
			return MAILADDR_LOCAL_CHARS;
		if (len == 64)
			return MAILADDR_TOO_LONG;
		out[len++] = *p;
	}
	out[len] = '\0';
	return len > 0 ? MAILADDR_OK : MAILADDR_NO_AT;
}

static enum mailaddr_fault local_read(char *out, const char *from, const char *end)
{
	size_t len = (size_t)(end - from);
	if (len == 0)
		return MAILADDR_NO_AT;
	if (len >= 2 && *from == '"' && end[-1] == '"')
		return local_read_quoted(out, from, end);
	for (const char *p = from; p < end; p++)
		if (!is_atext(*p) && *p != '.')
			return MAILADDR_LOCAL_CHARS;
	if (len > 64)
		return MAILADDR_TOO_LONG;
	memcpy(out, from, len);
	out[len] = '\0';
	return MAILADDR_OK;
}

/* RFC 1123 section 2.1 labels, at least two, the last not all digits (an IPv4 address). */
static bool is_host_name(const char *name)
{
	size_t labels = 0, len = 0;
	bool digits_only = true;
	for (const char *p = name;; p++) {
		if (*p == '.' || !*p) {
			if (len == 0 || len > 63 || p[-1] == '-' || p[-(ptrdiff_t)len] == '-')
				return false;
			labels++;
			if (!*p)
				return labels >= 2 && !digits_only;
			len = 0;
			digits_only = true;
			continue;
		}
		bool digit = *p >= '0' && *p <= '9';
		if (!digit && *p != '-' && !(*p >= 'a' && *p <= 'z'))
			return false;
		digits_only = digits_only && digit;
		len++;
	}
}

/* Small letters, digits, dots and hyphens, no A-label (xn--, or anything that looks like one): IDNA leaves it as it is. */
static bool is_plain_domain(const char *text)
{
	return strlen(text) <= 253 && text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-")] == '\0' &&
	       !strstr(text, "--");
}

static enum mailaddr_fault domain_read(char out[254], const char *text)
{
	char *ascii = NULL;
	enum mailaddr_fault fault = MAILADDR_OK;
	if (!*text)
		return MAILADDR_NO_AT;
	if (*text == '[')
		return MAILADDR_DOMAIN;
	if (is_plain_domain(text) && is_host_name(text)) {
		(void)snprintf(out, 254, "%s", text);
		return MAILADDR_OK;
	}
	/* Non-transitional UTS #46 mapping (IDNA 2008), as browsers and mail servers do it today. */
	int result = idn2_lookup_u8(
		(const uint8_t *)text, (uint8_t **)&ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (result == IDN2_TOO_BIG_DOMAIN)
		fault = MAILADDR_TOO_LONG;
	else if (result != IDN2_OK)
		fault = MAILADDR_DOMAIN;
	else if (strlen(ascii) > 253)
		fault = MAILADDR_TOO_LONG;
	else if (!is_host_name(ascii))
		fault = MAILADDR_DOMAIN;
	else
		(void)snprintf(out, 254, "%s", ascii);
	idn2_free(ascii);
	return fault;
}

/* Splits folded text at its last @. A second @, or a separator of lists, outside a quoted local part means several addresses. */
static enum mailaddr_fault split_and_read(struct mailaddr *out, const char *text)
{
	const char *at = strrchr(text, '@');
	if (!at)
		return MAILADDR_NO_AT;
	bool quoted = *text == '"' && at > text && at[-1] == '"';
	size_t plain_len = quoted ? 0 : (size_t)(at - text);
	if (memchr(text, '@', plain_len) || strpbrk(at, ",; "))
		return MAILADDR_SEVERAL;
	/* A comma or semicolon before the @ separates addresses only if there is another @; here it is a wrong character. */
	enum mailaddr_fault fault = local_read(out->local, text, at);
	if (fault == MAILADDR_OK)
		fault = domain_read(out->domain, at + 1);
	if (fault == MAILADDR_OK && strlen(out->local) + 1 + strlen(out->domain) > 254)
		fault = MAILADDR_TOO_LONG;
	return fault;
}

/* Printable ASCII without blanks: nothing to trim or fold. */
static bool is_clean(const char *text)
{
	const char *at = text;
	while (*at > ' ' && *at <= '~')
		at++;
	return !*at && at > text;
}

enum mailaddr_fault mailaddr_read(struct mailaddr *out, const char *text)
{
	struct str trimmed = STR_INIT, folded = STR_INIT;
	struct mailaddr addr = {0};
	enum mailaddr_fault fault;
	if (is_clean(text)) {
		fault = split_and_read(&addr, text);
		if (fault == MAILADDR_OK)
			*out = addr;
		return fault;
	}
	trim_into(&trimmed, text);
	/* Before folding: NFKC turns some invisible characters into nothing or blanks. */
	if (trimmed.len == 0) {
		fault = MAILADDR_EMPTY;
	} else if (text_has_control(trimmed.s) || has_invisible(trimmed.s)) {
		fault = MAILADDR_CONTROL;
	} else {
		text_nfkc(&folded, trimmed.s);
		fault = split_and_read(&addr, folded.s);
	}
	if (fault == MAILADDR_OK)
		*out = addr;
	str_free(&trimmed);
	str_free(&folded);
	return fault;
}

/* RFC 5321 section 4.1.2: a Dot-string has atoms between its dots. */
static bool is_dot_string(const char *local)
{
	size_t atom = 0;
	for (const char *p = local; *p; p++) {
		if (*p == '.' && atom == 0)
			return false;
		if (*p != '.' && !is_atext(*p))
			return false;
		atom = *p == '.' ? 0 : atom + 1;
	}
	return atom > 0;
}

void mailaddr_print(struct str *out, const struct mailaddr *addr)
{
	if (is_dot_string(addr->local)) {
		str_addz(out, addr->local);
	} else {
		str_addc(out, '"');
		for (const char *p = addr->local; *p; p++) {
			if (*p == '"' || *p == '\\')
				str_addc(out, '\\');
			str_addc(out, *p);
		}
		str_addc(out, '"');
	}
	str_printf(out, "@%s", addr->domain);
}

void mailaddr_key(struct str *out, const struct mailaddr *addr)
{
	for (const char *p = addr->local; *p; p++)
		str_addc(out, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
	str_printf(out, "@%s", addr->domain);
}

const char *mailaddr_fault_name(enum mailaddr_fault fault)
{
	static const char *const names[] = {
		[MAILADDR_OK] = "ok",
		[MAILADDR_EMPTY] = "empty",
		[MAILADDR_NO_AT] = "no-at",
		[MAILADDR_SEVERAL] = "several",
		[MAILADDR_CONTROL] = "control",
		[MAILADDR_LOCAL_CHARS] = "local-chars",
		[MAILADDR_DOMAIN] = "domain",
		[MAILADDR_TOO_LONG] = "too-long",
	};
	return names[fault];
}
