#include "daemon/title.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/str.h"

static struct { /* the kernel puts arguments and environment one behind the other (execve(2)) */
	char *start, *behind_arguments, *end; /* end: behind all that is ours */
} kept;

void title_keep(int argc, char **argv)
{
	if (argc < 1)
		return;
	kept.start = argv[0];
	kept.behind_arguments = kept.end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
}

/* What stands behind the arguments: ours once nobody looks for it there any more. */
static void environment_take(void)
{
	char *end = kept.end;
	for (char **item = environ; item && *item; item++) {
		if (*item != end)
			continue; /* set later: it lies elsewhere */
		end += strlen(end) + 1;
		*item = xstrdup(*item);
	}
	kept.end = end;
}

void title_set(const char *title)
{
	if (!kept.start)
		return;
	environment_take();
	size_t room = (size_t)(kept.end - kept.start) - 1, len = strnlen(title, room);
	memset(kept.start, 0, room + 1);
	memcpy(kept.start, title, len);
	/* The kernel shows arguments as they are while their last byte is 0, and else one text up to its first 0 (proc_pid_cmdline_read()). */
	if (kept.start + len < kept.behind_arguments - 1)
		kept.behind_arguments[-1] = '.';
}
