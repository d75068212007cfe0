/* export: the register as a CSV for a spreadsheet, for the desk itself (F83) */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/progress.h"
#include "lib/form/cell.h"

/* What stands beside the form. */
enum own {
	OWN_ID,
	OWN_DECLARATION,
	OWN_USER,
	OWN_STATE,
	OWN_HOLD,
	OWN_HOLD_REASON,
	OWN_STAR,
	OWN_RECEIVED,
	OWN_CLOCK,
	OWN_ID_ISSUED,
	OWN_LOGO,
	OWN_STOPPED,
	OWN_COUNT
};
static const struct {
	const char *key, *label;
} own[OWN_COUNT] = {
	[OWN_ID] = {"application", "申込番号"},
	[OWN_DECLARATION] = {"declaration_id", "自己宣言ID"},
	[OWN_USER] = {"user_number", "利用者番号"},
	[OWN_STATE] = {"state", "状態"},
	[OWN_HOLD] = {"hold", "保留・要確認"},
	[OWN_HOLD_REASON] = {"hold_reason", "保留・要確認の理由"},
	[OWN_STAR] = {"star", "宣言の内容"},
	[OWN_RECEIVED] = {"received_at", "受付日時"},
	[OWN_CLOCK] = {"clock_start", "起算日"},
	[OWN_ID_ISSUED] = {"id_issued_on", "ID発行日"},
	[OWN_LOGO] = {"logo_authorized_on", "ロゴマーク使用許諾日"},
	[OWN_STOPPED] = {"stopped_on", "使用中止日"},
};

#define COLUMNS_MAX (OWN_COUNT + FIELD_COUNT)

struct export
{
	struct ctl *ctl;
	FILE *file;
	int column[COLUMNS_MAX]; /* enum own, or OWN_COUNT + enum form_field */
	int columns;
	int64_t rows;
	struct str line;
	struct progress progress;
};

/* ---- which columns ---- */

static void choose_all(struct export *export)
{
	for (int i = 0; i < OWN_COUNT; i++)
		export->column[export->columns++] = i;
	/* What is said twice, or is the same for everybody, is left out unless it is asked for. */
	for (int i = 0; i < FIELD_COUNT; i++)
		if (i != FIELD_MAIL_CONFIRM && i != FIELD_DECLARATION_ID && i != FIELD_PLEDGE &&
			i != FIELD_PRIVACY && i != FIELD_TERMS)
			export->column[export->columns++] = OWN_COUNT + i;
}

static int column_by_key(const char *key)
{
	for (int i = 0; i < OWN_COUNT; i++)
		if (strcmp(own[i].key, key) == 0)
			return i;
	enum form_field field = form_field_by_key(key);
	return field == FIELD_COUNT ? -1 : OWN_COUNT + (int)field;
}

static enum rc choose_columns(struct export *export, const char *list, struct err *err)
{
	if (!list) {
		choose_all(export);
		return RC_OK;
	}
	char *text = xstrdup(list), *rest = text, *key;
	enum rc rc = RC_OK;
	while (rc == RC_OK && (key = strsep(&rest, ","))) {
		int column = column_by_key(key);
		if (column < 0 || export->columns == COLUMNS_MAX)
			rc = err_set(err, RC_USAGE,
				_("There is no column %s. Columns are application, declaration_id, "
				  "user_number, "
				  "state, hold, hold_reason, star, received_at, clock_start, id_issued_on, "
				  "logo_authorized_on, stopped_on, and the fields of the form, such as "
				  "business_name."),
				key);
		else
			export->column[export->columns++] = column;
	}
	free(text);
	return rc;
}

static enum rc read_state(const char *name, enum state *state, struct err *err)
{
	*state = STATE_NONE;
	if (!name)
		return RC_OK;
	for (int i = STATE_NONE + 1; i < STATE_COUNT; i++)
		if (strcmp(state_name((enum state)i), name) == 0)
			*state = (enum state)i;
	return *state != STATE_NONE
		       ? RC_OK
		       : err_set(err, RC_USAGE, _("There is no state %s; see sengenctl(1)."), name);
}

/* ---- rows ---- */

static const char *own_text(struct export *export, const struct application *app, enum own what)
{
	struct ctl *ctl = export->ctl;
	const civil_day days[OWN_COUNT] = {[OWN_CLOCK] = app->clock_start,
		[OWN_ID_ISSUED] = app->id_issued_on,
		[OWN_LOGO] = app->logo_authorized_on,
		[OWN_STOPPED] = app->stopped_on};
	switch (what) {
	case OWN_ID:
		return pool_printf(ctl->pool, "%" PRId64, app->id);
	case OWN_DECLARATION:
		return app->declaration_id ? pool_printf(ctl->pool, "%" PRId64, app->declaration_id) : "";
	case OWN_USER:
		return app->user_number ? masked_user_number(ctl, app->user_number) : "";
	case OWN_STATE:
		return state_name_ja(app->state);
	case OWN_HOLD:
		return app->hold == HOLD_STAFF ? "保留" : app->hold == HOLD_REVIEW ? "要確認" : "";
	case OWN_HOLD_REASON:
		return masked_text(ctl, app->hold_reason);
	case OWN_STAR:
		return public_star(app->star);
	case OWN_RECEIVED:
		return time_text(ctl, app->received_at);
	default:
		return days[what] != CIVIL_DAY_NONE ? day_text(ctl, days[what]) : "";
	}
}

static enum rc put_line(struct export *export, struct err *err)
{
	str_addz(&export->line, "\r\n");
	bool good = fwrite(export->line.s, 1, export->line.len, export->file) == export->line.len;
	str_clear(&export->line);
	return good ? RC_OK
		    : err_set(err, RC_STORE, _("The file could not be written: %s."), errno_text(errno));
}

static enum rc put_heads(struct export *export, struct err *err)
{
	str_addz(&export->line, CELL_BOM);
	for (int i = 0; i < export->columns; i++) {
		int column = export->column[i];
		str_addz(&export->line, i ? "," : "");
		cell_quote(&export->line, column < OWN_COUNT
						  ? own[column].label
						  : fieldmap_label(export->ctl->settings->fieldmap,
							    (enum form_field)(column - OWN_COUNT)));
	}
	return put_line(export, err);
}

static enum rc put_row(void *ctx, const struct application *app, struct err *err)
{
	struct export *export = ctx;
	const struct settings *settings = export->ctl->settings;
	for (int i = 0; i < export->columns; i++) {
		int column = export->column[i], field = column - OWN_COUNT;
		str_addz(&export->line, i ? "," : "");
		if (field < 0)
			/* Dates and numbers of 11 digits are what a spreadsheet should take them for. */
			cell_add(&export->line, FIELD_APPLIED_ON, own_text(export, app, (enum own)column));
		else
			cell_add(&export->line, field, public_value(settings, app, (enum form_field)field));
	}
	export->rows++;
	pool_reset(export->ctl->pool);
	progress_show(&export->progress, export->rows, 0);
	return put_line(export, err);
}

/* Whole or not at all, and for whoever wrote it alone: it holds personal data. */
static enum rc write_file(
	struct export *export, const char *path, const struct application_filter *filter, struct err *err)
{
	struct str temporary = STR_INIT;
	str_printf(&temporary, "%s.tmp", path);
	(void)umask(077);
	export->file = fopen(temporary.s, "wxe");
	enum rc rc = export->file ? put_heads(export, err)
				  : err_set(err, RC_REFUSED, _("%s could not be made: %s."), temporary.s,
					    errno_text(errno));
	if (rc == RC_OK)
		rc = application_each(export->ctl->store, filter, true, put_row, export, err);
	if (export->file && (fclose(export->file) != 0 || (rc == RC_OK && rename(temporary.s, path) != 0)) &&
		rc == RC_OK)
		rc = err_set(err, RC_STORE, _("%s could not be written: %s."), path, errno_text(errno));
	if (rc != RC_OK && export->file)
		(void)unlink(temporary.s);
	str_free(&temporary);
	return rc;
}

enum rc command_export(struct ctl *ctl, struct err *err)
{
	struct export export = {.ctl = ctl, .line = STR_INIT};
	struct application_filter filter = {.hold = -1, .live_only = option_of(ctl, "live") != NULL};
	enum rc rc = read_state(option_of(ctl, "state"), &filter.state, err);
	if (rc == RC_OK)
		rc = choose_columns(&export, option_of(ctl, "columns"), err);
	if (rc != RC_OK)
		return rc;
	progress_start(&export.progress, _("Writing the export"));
	rc = write_file(&export, ctl->argument[0], &filter, err);
	progress_end(&export.progress);
	str_free(&export.line);
	if (rc == RC_OK)
		say(_("%lld applications, in %s"), (long long)export.rows, ctl->argument[0]);
	return rc;
}
