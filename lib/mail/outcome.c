/* Apart from the transport, so that who names an outcome loads no network. */
#include "lib/mail/transport.h"

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_ACCEPTED] = "accepted",
		[OUTCOME_TEMPORARY] = "temporary",
		[OUTCOME_PERMANENT] = "permanent",
		[OUTCOME_UNKNOWN] = "unknown",
		[OUTCOME_NOT_SENT] = "not-sent",
		[OUTCOME_FAULT] = "fault",
	};
	return names[outcome];
}
