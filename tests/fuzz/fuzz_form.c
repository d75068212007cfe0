/* Form files of any kind, read, validated and taken as decisions. */
#include "daemon/record.h"
#include "lib/form/decision.h"
#include "lib/form/validate.h"
#include "tests/fuzz/fuzz.h"

static struct fieldmap *map;

/* Whatever a reader finds can be said to the role, which takes it as the same. */
static void check_handed_over(
	const struct form_head *head, const struct form_record *record, struct pool *pool)
{
	struct str first = STR_INIT, second = STR_INIT;
	struct form_record again;
	struct form_head again_head;
	form_head_pack(&first, head);
	struct wire_reader reader = wire_reader_of(&first);
	MUST(form_head_unpack(&again_head, &reader, &form_limits_default, pool));
	str_clear(&first);
	form_record_pack(&first, record);
	reader = wire_reader_of(&first);
	MUST(form_record_unpack(&again, &reader, &form_limits_default, pool));
	form_record_pack(&second, &again);
	MUST(first.len == second.len && memcmp(first.s, second.s, first.len) == 0);
	str_free(&first);
	str_free(&second);
}

static enum rc each(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	static const struct validate_rules rules = {
		.today = 20779, .backdate_max = 14, .terms_version = "2023-03-01"};
	struct pool *pool = ctx;
	struct form_values values;
	struct findings findings;
	struct decision decision;
	const char *why = NULL;
	(void)err;
	check_handed_over(head, record, pool);
	if (head->content == CONTENT_DECISIONS)
		MUST(decision_read(&decision, record, &why, pool) || (why && *why));
	else
		validate(&values, &findings, record, map, &rules, NULL, pool);
	for (size_t i = 0; head->content != CONTENT_DECISIONS && i < findings.count; i++) {
		must_be_text(findings.item[i].value);
		must_be_text(findings.item[i].message_ja);
		must_be_text(findings.item[i].remedy_ja);
	}
	pool_reset(pool);
	return RC_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = {0};
	const char *why = NULL;
	MUST(map || fieldmap_load(&map, NULL, &err) == RC_OK);
	struct pool *pool = pool_new();
	if (form_read((const char *)data, size, map, NULL, each, pool, &why, &err) == RC_REFUSED)
		must_be_text(why);
	pool_free(&pool);
	return 0;
}
