#include "lib/base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sentence that was cut must not end in half a character. */
static void trim_half_character(char *text, size_t size)
{
	size_t len = strnlen(text, size);
	if (len + 1 < size)
		return;
	size_t at = len;
	while (at > 0 && ((unsigned char)text[at - 1] & 0xC0u) == 0x80u)
		at--;
	if (at > 0 && (unsigned char)text[at - 1] >= 0xC0u)
		text[at - 1] = '\0';
}

enum rc err_set(struct err *err, enum rc rc, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	err->rc = rc;
	(void)vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	trim_half_character(err->text, sizeof err->text);
	return rc;
}

enum rc err_prefix(struct err *err, const char *format, ...)
{
	char old[sizeof err->text];
	memcpy(old, err->text, sizeof old);

	va_list args;
	va_start(args, format);
	int used = vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	if (used >= 0 && (size_t)used < sizeof err->text)
		(void)snprintf(err->text + used, sizeof err->text - (size_t)used, ": %s", old);
	trim_half_character(err->text, sizeof err->text);
	return err->rc;
}

const char *errno_text(int number)
{
	const char *text = strerrordesc_np(number);
	return text ? text : "unknown error";
}

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fputc('\n', stderr);
	abort();
}

const char *rc_name(enum rc rc)
{
	switch (rc) {
	case RC_OK:
		return "ok";
	case RC_REFUSED:
		return "refused";
	case RC_USAGE:
		return "usage";
	case RC_CONFIG:
		return "config";
	case RC_STORE:
		return "store";
	case RC_SERVER:
		return "server";
	}
	return "?";
}
