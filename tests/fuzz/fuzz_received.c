/* What a child may say, and what senders write where tokens and results of authentication are looked for: nothing in it is believed, nothing breaks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/mail/received.h"
#include "lib/mail/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_load(const char *text, size_t len, struct pool *pool)
{
	struct received received, again;
	struct err err = {0};
	if (received_load(&received, text, len, pool, &err) != RC_OK)
		return;
	struct str json = STR_INIT;
	received_print(&json, &received);
	if (json.len > RECEIVED_JSON_MAX || received_load(&again, json.s, json.len, pool, &err) != RC_OK)
		abort();
	str_free(&json);
}

static void check_header(const char *text, size_t len, struct pool *pool)
{
	struct message message;
	struct authres authres;
	struct err err = {0};
	struct str mail = STR_INIT;
	str_addz(&mail, "From: a@example.co.jp\nAuthentication-Results: mx.example.jp; ");
	str_add(&mail, text, len);
	if (message_read(&message, mail.s, mail.len, &message_limits_default, pool, &err) == RC_OK) {
		authres_read(&authres, &message, "mx.example.jp", NULL);
		if ((authres.dkim_aligned || authres.spf_aligned) && !authres.seen)
			abort();
	}
	str_free(&mail);
}

static void check_token(const char *text)
{
	struct strlist found = {0};
	token_find(&found, text, RECEIVED_TOKENS_MAX);
	for (size_t i = 0; i < found.count; i++)
		if (strlen(found.item[i]) != TOKEN_TEXT_MAX - 1)
			abort();
	strlist_free(&found);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	char *text = pool_strndup(pool, (const char *)data, size);
	if (size && text[0] == '{')
		check_load(text, size, pool);
	else
		check_header(text, size, pool);
	check_token(text);
	pool_free(&pool);
	return 0;
}
