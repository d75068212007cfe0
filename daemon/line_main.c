/* sengen-line - the zygote of whatever holds a connection: to the mail server, to the mailbox. It reads no mail and knows no store. */
#include <unistd.h>

#include "daemon/zygote_serve.h"

static void prepare(unsigned children)
{
	struct err unheard = {0}; /* a child that finds no filter says why */
	if (children & CHILD_BIT(CHILD_TRANSPORT))
		(void)confine_prepare_kind(CONFINED_TRANSPORT, &unheard);
	if (children & CHILD_BIT(CHILD_MAILBOX))
		(void)confine_prepare_kind(CONFINED_MAILBOX_LINE, &unheard);
}

_Noreturn static void child(enum child_kind kind, int fd)
{
	if (kind == CHILD_MAILBOX)
		mailbox_child_main(fd);
	transport_child_main(fd);
}

int main(int argc, char **argv)
{
	static const struct zygote_program program = {
		"sengen-line", CONFINED_ZYGOTE_LINES, CHILD_LINES, prepare, child, NULL};
	zygote_serve(&program, argc, argv);
}
