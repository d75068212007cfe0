/* What a child says of a mail: taken only where received_print() could have written it, and then it is the same when it is written again. */
#include "lib/mail/received.h"
#include "tests/fuzz/fuzz.h"

static void check_lists(const struct received *received)
{
	MUST(received->delivered_to_count <= RECEIVED_ADDRESSES_MAX);
	MUST(received->answers_count <= RECEIVED_ADDRESSES_MAX);
	MUST(received->token_count <= RECEIVED_TOKENS_MAX);
	MUST(received->attachment_count <= RECEIVED_ATTACHMENTS_MAX);
	MUST(received->reading.bounce.recipient_count <= RECEIVED_RECIPIENTS_MAX);
	MUST(received->reading.fields.change_count <= RECEIVED_CHANGES_MAX);
	for (size_t i = 0; i < received->delivered_to_count; i++)
		must_be_line(received->delivered_to[i]);
	for (size_t i = 0; i < received->token_count; i++)
		must_be_line(received->token[i]);
	for (size_t i = 0; i < received->attachment_count; i++)
		must_be_line(received->attachment[i].name);
	for (size_t i = 0; i < received->reading.bounce.recipient_count; i++)
		must_be_line(received->reading.bounce.recipient[i]);
	for (size_t i = 0; i < received->reading.fields.change_count; i++)
		must_be_text(received->reading.fields.change[i].new_value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct received received, again;
	struct err err = {0};
	if (received_load(&received, (const char *)data, size, pool, &err) == RC_OK) {
		struct str json = STR_INIT, twice = STR_INIT;
		must_be_line(received.from);
		must_be_line(received.from_name);
		must_be_line(received.reply_to);
		must_be_line(received.subject);
		must_be_line(received.message_id);
		must_be_text(received.text);
		must_be_text(received.form_text);
		must_be_text(received.reading.why);
		MUST(request_kind_name(received.reading.kind));
		MUST(bounce_class_name(received.reading.bounce.class_));
		check_lists(&received);
		received_print(&json, &received);
		MUST(json.len <= RECEIVED_JSON_MAX);
		MUST(received_load(&again, json.s, json.len, pool, &err) == RC_OK);
		received_print(&twice, &again);
		MUST(strcmp(json.s, twice.s) == 0);
		str_free(&json);
		str_free(&twice);
	}
	pool_free(&pool);
	return 0;
}
