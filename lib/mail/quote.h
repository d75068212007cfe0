/*
 * quote.h - what the writer wrote anew
 *
 * Cuts quoted history and signatures in the ways Outlook, Outlook on the web, Gmail, Apple Mail, Thunderbird, iPhone, Android, Becky!, Shuriken,
 * Notes and Yahoo! write them. Our own letters say 停止 and carry numbers: only new text is ever classified.
 */
#ifndef SENGEN_QUOTE_H
#define SENGEN_QUOTE_H

#include "lib/base/str.h"

struct written {
	struct str fresh; /* the new text, signature left out */
	struct str quoted; /* history, quote marks removed */
	struct str signature;
};
void written_split(struct written *out, const char *body);
void written_free(struct written *written);

#endif
