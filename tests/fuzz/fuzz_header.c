/* The header of a mail and what stands in its fields: addresses, encoded words, bounce addresses, tokens, results of authentication. */
#include "lib/base/mailaddr.h"
#include "lib/base/text.h"
#include "lib/mail/bounceaddr.h"
#include "lib/mail/received.h"
#include "lib/mail/token.h"
#include "tests/fuzz/fuzz.h"

static const char base[] = "bounce@sa.example.jp", key[] = "0123456789abcdef0123456789abcdef";

/* What was read is written so that it is read as the same. */
static void check_address(const char *text)
{
	struct mailaddr addr, again;
	struct str printed = STR_INIT, first = STR_INIT, second = STR_INIT;
	enum mailaddr_fault fault = mailaddr_read(&addr, text);
	MUST(mailaddr_fault_name(fault));
	if (fault == MAILADDR_OK) {
		mailaddr_print(&printed, &addr);
		must_be_line(printed.s);
		MUST(mailaddr_read(&again, printed.s) == MAILADDR_OK);
		mailaddr_key(&first, &addr);
		mailaddr_key(&second, &again);
		MUST(strcmp(first.s, second.s) == 0 && strcmp(addr.domain, again.domain) == 0);
	}
	str_free(&printed);
	str_free(&first);
	str_free(&second);
}

static void check_bounce_address(const char *text, int64_t id)
{
	struct str made = STR_INIT;
	struct err err = {0};
	int64_t read = bounceaddr_read(text, base, key, sizeof key);
	MUST(read >= 0);
	if (read > 0) {
		MUST(bounceaddr_make(&made, base, read, key, sizeof key, &err) == RC_OK);
		MUST(strcasecmp(made.s, text) == 0);
		str_clear(&made);
	}
	if (id > 0) {
		MUST(bounceaddr_make(&made, base, id, key, sizeof key, &err) == RC_OK);
		must_be_line(made.s);
		MUST(bounceaddr_read(made.s, base, key, sizeof key) == id);
	}
	str_free(&made);
}

static void check_token(const char *text)
{
	struct strlist found = {0}, again = {0};
	token_find(&found, text, RECEIVED_TOKENS_MAX);
	MUST(found.count <= RECEIVED_TOKENS_MAX);
	for (size_t i = 0; i < found.count; i++) {
		MUST(strlen(found.item[i]) == TOKEN_TEXT_MAX - 1);
		token_find(&again, found.item[i], 2);
		MUST(again.count == 1 && strcmp(again.item[0], found.item[i]) == 0);
		strlist_free(&again);
	}
	const char *begin, *behind, *from = text;
	while (token_span(text, from, &begin, &behind)) {
		MUST(begin >= text && behind > begin && behind > from);
		from = behind;
	}
	strlist_free(&found);
}

/* Whatever stands in a header, what the child would say of it is taken by the role, and means the same. */
static void check_fields(const uint8_t *data, size_t size, struct pool *pool)
{
	static struct received_context context = {
		.office = "office@sa.example.jp", .authserv_id = "mx.sa.example.jp"};
	struct received received, again;
	struct err err = {0};
	if (!context.rules) {
		struct request_rules *rules;
		MUST(request_rules_load(&rules, NULL, &err) == RC_OK);
		context.rules = rules;
		strlist_add(&context.own_hops, "relay.sa.example.jp");
	}
	struct str mail = STR_INIT, json = STR_INIT, twice = STR_INIT;
	str_add(&mail, data, size);
	str_addz(&mail, "\r\n\r\nよろしくお願いします。\r\n");
	if (received_read(&received, mail.s, mail.len, &context, pool, &err) == RC_OK) {
		MUST(!(received.authres.dkim_aligned || received.authres.spf_aligned) ||
			(received.authres.seen && *received.from));
		received_print(&json, &received);
		MUST(json.len <= RECEIVED_JSON_MAX);
		MUST(received_load(&again, json.s, json.len, pool, &err) == RC_OK);
		received_print(&twice, &again);
		MUST(strcmp(json.s, twice.s) == 0);
	}
	str_free(&mail);
	str_free(&json);
	str_free(&twice);
}

/* The first byte chooses the reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t id = 0;
	if (size == 0)
		return 0;
	struct pool *pool = pool_new();
	char *text = pool_strndup(pool, (const char *)data + 1, size - 1);
	switch (data[0]) {
	case '@':
		check_address(text);
		break;
	case 'b':
		memcpy(&id, data + 1, size - 1 < sizeof id ? size - 1 : sizeof id);
		check_bounce_address(text, id);
		break;
	case 't':
		check_token(text);
		break;
	default:
		check_fields(data, size, pool);
	}
	pool_free(&pool);
	return 0;
}
