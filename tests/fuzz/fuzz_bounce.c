/* A mail read as a bounce. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/bounce.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct message message;
	struct bounce bounce;
	struct err err = {0};
	if (message_read(&message, (const char *)data, size, &message_limits_default, pool, &err) == RC_OK) {
		bounce_read(&bounce, &message, pool);
		if (!bounce.is_bounce &&
			(bounce.recipient_count || *bounce.action || bounce.class_ != BOUNCE_NONE))
			abort();
		for (size_t i = 0; i < bounce.recipient_count; i++)
			if (!strchr(bounce.recipient[i], '@') || strpbrk(bounce.recipient[i], "\r\n"))
				abort();
		if (!bounce_class_name(bounce.class_) || (*bounce.status && strlen(bounce.status) < 5))
			abort();
	}
	pool_free(&pool);
	return 0;
}
