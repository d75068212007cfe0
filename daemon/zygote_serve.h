/*
 * zygote_serve.h - the zygotes' own side: sengen-reader and sengen-line
 *
 * A role starts them as "PROGRAM CHILDREN" (zygote.c), with their socket as descriptor 3 and nothing else open but the standard three; CHILDREN are CHILD_BIT()s. They
 * end with the role.
 */
#ifndef SENGEN_ZYGOTE_SERVE_H
#define SENGEN_ZYGOTE_SERVE_H

#include "daemon/zygote.h"
#include "lib/base/confine.h"
#include "lib/form/fieldmap.h"
#include "lib/mail/request.h"

#define ZYGOTE_FD 3 /* in the zygote its socket to the role; in a child its end of its socket pair */

struct zygote_program {
	const char *name;
	enum confined kind; /* what the zygote itself becomes */
	unsigned children; /* kinds it can make: CHILD_BIT()s */
	void (*prepare)(unsigned children); /* what its children would need files for; NULL: nothing */
	void (*child)(enum child_kind kind, int fd); /* does not return */
	/* Another request of the role's. NULL: there is none, it gives up its rights at once; else after the first. */
	void (*serve)(int type, const char *payload, size_t len);
};

/* The whole of main(). */
_Noreturn void zygote_serve(const struct zygote_program *program, int argc, char **argv);
/* The answer to a request. */
void zygote_answer(enum rc rc, const char *text);

/* The bodies of the children; do not return. */
_Noreturn void form_child_main(int fd, const struct fieldmap *map);
_Noreturn void transport_child_main(int fd);
_Noreturn void mail_child_main(int fd, const struct request_rules *rules);
_Noreturn void mailbox_child_main(int fd);

#endif
