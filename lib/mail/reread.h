/*
 * reread.h - subject and body of a mail that compose() wrote, read back
 *
 * For the resend, which repeats the first letter to the letter although its template and its values may have changed since. Reads what
 * compose() writes and nothing else: one text part in base64 or 7-bit, UTF-8 or ISO-2022-JP. Mails from outside are never given to it.
 */
#ifndef SENGEN_REREAD_H
#define SENGEN_REREAD_H

#include "lib/base/err.h"
#include "lib/base/str.h"

/* Appends both, in UTF-8, the body with LF. RC_STORE: these are not the bytes of such a mail. */
enum rc reread(struct str *subject, struct str *body, const char *wire, size_t len, struct err *err);

#endif
