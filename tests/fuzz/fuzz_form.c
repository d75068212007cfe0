/* Form files of any kind, read, validated and taken as decisions. */
#include <stdint.h>

#include "lib/form/decision.h"
#include "lib/form/validate.h"

static struct fieldmap *map;

static enum rc each(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	static const struct validate_rules rules = {
		.today = 20779, .backdate_max = 14, .terms_version = "2023-03-01"};
	struct pool *pool = ctx;
	struct form_values values;
	struct findings findings;
	struct decision decision;
	const char *why;
	(void)err;
	if (head->content == CONTENT_DECISIONS)
		(void)decision_read(&decision, record, &why, pool);
	else
		validate(&values, &findings, record, map, &rules, NULL, pool);
	pool_reset(pool);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err err;
	const char *why = NULL;
	if (!map && fieldmap_load(&map, NULL, &err))
		return 0;
	struct pool *pool = pool_new();
	if (form_read((const char *)bytes, len, map, NULL, each, pool, &why, &err) == RC_REFUSED && !why)
		__builtin_trap();
	pool_free(&pool);
	return 0;
}
