/* Trouble of ours counts as the recipient's. */
#include "lib/mail/reply.h"

enum outcome reply_outcome(enum smtp_phase phase, const struct reply *reply, bool dot_left)
{
	(void)phase, (void)dot_left;
	return reply->code / 100 == 2 ? OUTCOME_ACCEPTED : OUTCOME_PERMANENT;
}
