#include "ctl/ctl.h"
#include "lib/desk/health.h"

struct shown {
	struct ctl *ctl;
	struct table table;
	bool quiet;
	int count;
};

static const char *level_text(enum health_level level)
{
	switch (level) {
	case HEALTH_GOOD:
		return _("good");
	case HEALTH_WARN:
		return _("warning");
	case HEALTH_BAD:
		break;
	}
	return _("BAD");
}

static enum rc show(void *ctx, const struct health_item *item, struct err *err)
{
	(void)err;
	struct shown *shown = ctx;
	if (shown->quiet && item->level == HEALTH_GOOD)
		return RC_OK;
	shown->count++;
	if (shown->ctl->json)
		say_json(json_pack("{s:s, s:s, s:s, s:I}", "name", item->name, "level",
			health_level_name(item->level), "text", item->text, "value",
			(json_int_t)item->value));
	else
		TABLE_ROW(&shown->table, level_text(item->level), item->name, item->text);
	return RC_OK;
}

enum rc command_health(struct ctl *ctl, struct err *err)
{
	struct tally tally;
	struct shown shown = {.ctl = ctl, .table = {.columns = 3}, .quiet = option_of(ctl, "quiet") != NULL};
	enum health_level worst = HEALTH_GOOD;
	enum rc rc = tally_make(&ctl->office, 1, &tally, ctl->pool, err);
	rc = rc ? rc : health_check(&ctl->office, &tally, show, &shown, &worst, ctl->pool, err);
	if (shown.count && !ctl->json)
		table_print(&shown.table);
	return rc == RC_OK && worst != HEALTH_GOOD ? RC_REFUSED : rc;
}
