/* Apart from the mailbox, so that the role that waits for it loads no network. */
#include "lib/mail/mailbox.h"

#define REPLIES_PER_REQUEST 4
#define SLOWEST_LINE (64 * 1024) /* bytes a second */

int mailbox_request_seconds(const struct mailbox_settings *settings, int64_t payload)
{
	return REPLIES_PER_REQUEST * settings->reply_seconds + (int)(payload / SLOWEST_LINE);
}
