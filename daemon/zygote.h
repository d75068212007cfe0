/*
 * zygote.h - forks the children that read bytes from outside or hold the network
 *
 * Started before secrets and store are opened, with converters preloaded, everything else closed. A request names the kind of child and brings
 * one end of a socket pair; the child gets only that descriptor.
 */
#ifndef SENGEN_ZYGOTE_H
#define SENGEN_ZYGOTE_H

#include "lib/base/err.h"
#include "lib/form/fieldmap.h"
#include "lib/mail/request.h"

enum child_kind {
	CHILD_FORM =
		1, /* parser_child.c: reads form files; no network, no file access, bounded memory and time */
	CHILD_TRANSPORT = 2, /* transport_child.c: one connection to the mail server; no store */
	CHILD_MAIL =
		3, /* mail_child.c: reads one mail and ends; no network, no file access, bounded memory and time */
	CHILD_MAILBOX = 4, /* mailbox_child.c: one connection to the mailbox; no store, reads no mail */
};

#define CHILD_BIT(kind) (1u << (kind))
#define CHILD_ALL                                                                                            \
	(CHILD_BIT(CHILD_FORM) | CHILD_BIT(CHILD_TRANSPORT) | CHILD_BIT(CHILD_MAIL) |                        \
		CHILD_BIT(CHILD_MAILBOX))

/* Forks the zygote; *control is the role's end. The field map is loaded in it (form_fields NULL: the built-in one). It gives up its own rights (confine.h) before
 * it makes the first child; one that makes readers only then has no network and no file either. */
enum rc zygote_start(int *control, const char *form_fields, struct err *err);
/* The same for some kinds of children (CHILD_BIT()): others are never made, whoever asks. */
enum rc zygote_start_for(int *control, unsigned children, const char *form_fields, struct err *err);
/* Reads the field map anew for the children to come; a bad one is refused and the old kept. */
enum rc zygote_reload(int control, const char *form_fields, struct err *err);
/* Makes the zygote ready for CHILD_MAIL: converters, request rules, patterns whose tables are built. Asked for once, by a role that reads mail: the
 * others pay neither its memory nor its time. Without it a mail child ends at once. */
enum rc zygote_prepare_mail(int control, struct err *err);
/* A fresh child; *fd is the role's end of its socket pair. Closing it ends the child. */
enum rc zygote_child(int control, enum child_kind kind, int *fd, struct err *err);
void zygote_stop(int *control);

/* The bodies; do not return. */
_Noreturn void form_child_main(int fd, const struct fieldmap *map);
_Noreturn void transport_child_main(int fd);
_Noreturn void mail_child_main(int fd, const struct request_rules *rules);
_Noreturn void mailbox_child_main(int fd);

#endif
