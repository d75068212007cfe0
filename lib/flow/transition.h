/*
 * transition.h - the one table of states and events
 *
 * Nothing else in the program decides what state follows; lib/office writes what this table says.
 */
#ifndef SENGEN_TRANSITION_H
#define SENGEN_TRANSITION_H

#include "lib/register.h"

struct transition {
	enum state next; /* STATE_NONE: the event is not allowed in that state */
	bool cancels_queued; /* queued notices not yet sent are cancelled in the same transaction */
	bool issues_numbers; /* declaration ID and user number are drawn */
	bool ends; /* nothing more is ever due */
};

/* The cell of the table. Events that are only rows of the history lead back to the same state. */
struct transition transition_get(enum state state, enum event event);
/* Why an event is not allowed, for staff: 「却下」の申込みは保留にできません. Valid until the next call. */
const char *transition_refusal_ja(enum state state, enum event event);

#endif
