/* Apart from message.c: who only wants to know how large a mail may be loads no GMime. */
#include "lib/mail/message.h"

const struct message_limits message_limits_default = {
	.bytes = (size_t)30 * 1024 * 1024,
	.header_bytes = (size_t)256 * 1024,
	.depth = 12,
	.parts = 200,
	.decoded_bytes = (size_t)60 * 1024 * 1024,
};
