/*
 * zygote.h - forks the children that read bytes from outside or hold the network
 *
 * Zygotes are programs of their own, so that a role loads none of what its children stand on, and a child nothing of what other children do: sengen-reader has what
 * reading takes and no network, sengen-line the network and no reader (zygote_serve.h). Their processes are forked before secrets and store are opened, with everything else
 * closed, and sleep, as little as a process can be, until the first child is wanted; then they become the program. An office that has had no mail since it was started has
 * loaded nothing that reads one. A request names the kind of child and brings one end of a socket pair; the child gets only that descriptor.
 */
#ifndef SENGEN_ZYGOTE_H
#define SENGEN_ZYGOTE_H

#include "lib/base/err.h"

enum child_kind {
	CHILD_FORM =
		1, /* parser_child.c: reads form files; no network, no file access, bounded memory and time */
	CHILD_TRANSPORT = 2, /* transport_child.c: one connection to the mail server; no store */
	CHILD_MAIL =
		3, /* mail_child.c: reads one mail and ends; no network, no file access, bounded memory and time */
	CHILD_MAILBOX = 4, /* mailbox_child.c: one connection to the mailbox; no store, reads no mail */
};

#define CHILD_BIT(kind) (1u << (kind))
#define CHILD_READERS (CHILD_BIT(CHILD_FORM) | CHILD_BIT(CHILD_MAIL))
#define CHILD_LINES (CHILD_BIT(CHILD_TRANSPORT) | CHILD_BIT(CHILD_MAILBOX))
#define CHILD_ALL (CHILD_READERS | CHILD_LINES)

struct zygote { /* the role's ends of their sockets; -1: none, who needs none of its children has none */
	int reader, line;
	struct zygote_map *map; /* owned; the field map the reader's children work by */
};
#define ZYGOTE_NONE ((struct zygote){-1, -1, NULL})

/* Starts both. The field map is loaded in the reader (form_fields NULL: the built-in one). They give up their own rights (confine.h) as soon as they have what their
 * children need: the reader then has no network and no file either. RC_CONFIG: a program is not installed, or can't be started; the field map is bad. */
enum rc zygote_start(struct zygote *zygote, const char *form_fields, struct err *err);
/* The same for some kinds of children (CHILD_BIT()): others are never made, whoever asks. */
enum rc zygote_start_for(struct zygote *zygote, unsigned children, const char *form_fields, struct err *err);
/* Reads the field map anew for the children to come; a bad one is refused and the old kept. */
enum rc zygote_reload(const struct zygote *zygote, const char *form_fields, struct err *err);
/* A fresh child; *fd is the role's end of its socket pair. Closing it ends the child. The first reader waits until its program is up; RC_CONFIG: it does not come up. */
enum rc zygote_child(const struct zygote *zygote, enum child_kind kind, int *fd, struct err *err);
void zygote_stop(struct zygote *zygote);

#endif
