#include "lib/base/confine_kinds.h"

#include <string.h>

enum { /* what kinds have in common */
	A_ROLE = MEMORY | SELF | READING | WRITING | LOCAL | LIBRARIES,
	A_LINE = MEMFILES | MEMORY | SELF | READING | NETWORK | THREADS,
	A_MAILDIR = MEMFILES | MEMORY | SELF | READING | WRITING | WATCHING,
	A_ZYGOTE = MEMORY | SELF | READING | FORKING | CONFINING,
};

const struct confined_kind confined_kinds[CONFINED_COUNT] = {
	[CONFINED_READER] = {NULL, MEMORY, .kills = true, .is_child = true, .is_kept = true},
	[CONFINED_TRANSPORT] = {NULL, A_LINE, .is_kept = true},
	[CONFINED_MAILBOX_LINE] = {NULL, A_LINE, .is_kept = true},
	[CONFINED_MAILDIR] = {NULL, A_MAILDIR, .is_kept = true},
	[CONFINED_SLEEPER] = {NULL, A_ZYGOTE | LIBRARIES | A_LINE | A_MAILDIR | PROGRAMS},
	[CONFINED_ZYGOTE] = {NULL, A_ZYGOTE, .is_child = true, .is_kept = true},
	[CONFINED_ZYGOTE_LINES] = {NULL, A_ZYGOTE | LIBRARIES | A_LINE | A_MAILDIR, .is_kept = true},
	[CONFINED_INTAKE] = {"intake", A_ROLE | WATCHING},
	[CONFINED_MAILBOX] = {"mailbox", A_ROLE | MEMFILES},
	[CONFINED_SCHEDULER] = {"scheduler", A_ROLE},
	[CONFINED_SENDER] = {"sender", A_ROLE},
	[CONFINED_DESK] = {"desk", A_ROLE | FORKING | THREADS | PROGRAMS | CONFINING},
	[CONFINED_CONTROL] = {"control", A_ROLE | LISTENING},
	[CONFINED_TURN] = {"turn",
		A_ROLE | MEMFILES | WATCHING | LISTENING | FORKING | THREADS | PROGRAMS | CONFINING},
	[CONFINED_PDF] = {NULL, MEMORY | SELF | READING | THREADS | LIBRARIES, .is_kept = true},
};

enum confined confined_role(const char *name)
{
	enum confined kind = 0;
	while (kind < CONFINED_COUNT &&
		(!confined_kinds[kind].name || strcmp(confined_kinds[kind].name, name) != 0))
		kind++;
	return kind;
}
