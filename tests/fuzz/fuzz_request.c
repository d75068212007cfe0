/* A whole mail, read to the end: what it asks for, with its forms, against a register that knows every declaration. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/mail/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool known(void *ctx, const char *declaration_id, const char **business_name, const char **mail)
{
	(void)ctx;
	*business_name = "株式会社サンプル";
	*mail = "soumu@sample.example.co.jp";
	return declaration_id[strlen(declaration_id) - 1] != '0';
}

static bool sender(void *ctx, const char *mail)
{
	(void)ctx;
	return strchr(mail, '@') != NULL;
}

static int identify(void *ctx, const struct sheet *fields)
{
	(void)ctx;
	return request_identifies(fields) ? 1 : 2;
}

static void check_text(const char *text)
{
	if (!text || !utf8_valid(text, strlen(text)))
		abort();
}

/* What nobody need look at must say enough to be carried out. */
static void check_reading(const struct reading *reading)
{
	check_text(reading->why);
	check_text(reading->notice);
	check_text(reading->fields.declaration_id);
	check_text(reading->fields.business_name);
	check_text(reading->fields.reason);
	if (!request_kind_name(reading->kind) || (reading->kind == REQUEST_OTHER && !reading->review))
		abort();
	bool form = reading->kind == REQUEST_STOP || reading->kind == REQUEST_CHANGE;
	if (form && !reading->review && !*reading->fields.declaration_id)
		abort();
	if (reading->bounce.is_bounce && reading->kind != REQUEST_BOUNCE)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct request_registry registry = {
		.declaration = known, .sender = sender, .identify = identify};
	static struct request_rules *rules;
	struct err err = {0};
	if (!rules && request_rules_load(&rules, NULL, &err) != RC_OK)
		abort();
	struct message_limits limits = message_limits_default;
	limits.parts = 40;
	struct pool *pool = pool_new();
	struct message message;
	struct reading reading;
	if (message_read(&message, (const char *)data, size, &limits, pool, &err) == RC_OK) {
		request_read(&reading, &message, rules, "security-action-info@sa.example.jp",
			size % 2 ? &registry : NULL, pool);
		check_reading(&reading);
	}
	pool_free(&pool);
	return 0;
}
