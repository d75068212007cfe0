/* sengen-line - the zygote of whatever holds a connection: to the mail server, to the mailbox. It reads no mail and knows no store. */
#include <unistd.h>

#include "daemon/zygote_serve.h"

_Noreturn static void child(enum child_kind kind, int fd)
{
	if (kind == CHILD_MAILBOX)
		mailbox_child_main(fd);
	transport_child_main(fd);
}

int main(int argc, char **argv)
{
	static const struct zygote_program program = {
		"sengen-line", CONFINED_ZYGOTE_LINES, CHILD_LINES, NULL, child, NULL};
	zygote_serve(&program, argc, argv);
}
