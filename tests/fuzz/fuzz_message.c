/* A whole mail, and what of it people wrote anew. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/mail/message.h"
#include "lib/mail/quote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
	if (text && !utf8_valid(text, strlen(text)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct message_limits limits = message_limits_default;
	struct pool *pool = pool_new();
	struct message message;
	struct err err = {0};
	limits.parts = 40;
	if (message_read(&message, (const char *)data, size, &limits, pool, &err) == RC_OK) {
		check_text(message.subject);
		check_text(message.from.name);
		check_text(message.from.address);
		if (message.part_count > (size_t)limits.parts)
			abort();
		for (size_t i = 0; i < message.part_count; i++) {
			const struct message_part *part = &message.part[i];
			check_text(part->name);
			check_text(part->text);
			if (!part->bytes || part->parent >= (int)i || !part_kind_name(part->kind))
				abort();
		}
		struct written written;
		written_split(&written, message_body(&message));
		check_text(written.fresh.s);
		written_free(&written);
	}
	pool_free(&pool);
	return 0;
}
