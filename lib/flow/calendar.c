#include "lib/flow/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

#define FILE_LIMIT (1u << 20)
#define MINUTES_A_DAY 1440

static const char *const weekend_ja[7] = {[0] = "日曜日", [6] = "土曜日"};

/* ---- the override file ---- */

static int compare_override(const void *a, const void *b)
{
	const struct calendar_override *x = a, *y = b;

	return (x->day > y->day) - (x->day < y->day);
}

static bool read_open(const char *word, bool *is_open)
{
	static const struct {
		const char *word;
		bool is_open;
	} words[] = {{"開", true}, {"open", true}, {"閉", false}, {"closed", false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].word, word) == 0) {
			*is_open = words[i].is_open;
			return true;
		}
	}
	return false;
}

/* "2026-10-05 閉 創立記念日": cuts the line in place. */
static enum rc add_line(struct calendar *calendar, char *line, const char *path, int number, struct err *err)
{
	static const char blanks[] = " \t\r";
	char *rest = NULL;
	char *date = strtok_r(line, blanks, &rest);
	bool is_open;

	if (!date || date[0] == '#')
		return RC_OK;
	civil_day day = civil_day_read(date);
	char *word = strtok_r(NULL, blanks, &rest);

	if (day == CIVIL_DAY_NONE)
		return err_set(err, RC_CONFIG, "%s:%d: \"%s\" is not a date; write it as 2026-10-05", path,
			number, date);
	if (!word || !read_open(word, &is_open))
		return err_set(err, RC_CONFIG,
			"%s:%d: behind the date stands 開 (open) or 閉 (closed), not \"%s\"", path, number,
			word ? word : "");
	rest += strspn(rest, blanks);
	size_t len = strcspn(rest, "#\r");

	while (len > 0 && strchr(blanks, rest[len - 1]))
		len--;
	calendar->override =
		xrealloc(calendar->override, (calendar->override_count + 1) * sizeof(calendar->override[0]));
	calendar->override[calendar->override_count++] = (struct calendar_override){
		.day = day,
		.is_open = is_open,
		.name = len > 0 ? xstrndup(rest, len) : xstrdup("事務局の休業日"),
	};
	return RC_OK;
}

enum rc calendar_load(struct calendar *calendar, const char *path, struct err *err)
{
	struct str text = STR_INIT;
	enum rc rc = RC_OK;
	int number = 1;

	if (!path)
		return RC_OK;
	if (file_read(&text, path, FILE_LIMIT, err) != RC_OK) {
		err->rc = RC_CONFIG;
		str_free(&text);
		return err_prefix(err, "calendar overrides");
	}
	char *line = str_has_prefix(text.s, "\xEF\xBB\xBF") ? text.s + 3 : text.s;

	while (rc == RC_OK && line) {
		char *next = strchr(line, '\n');

		if (next)
			*next++ = '\0';
		rc = add_line(calendar, line, path, number++, err);
		line = next;
	}
	str_free(&text);
	if (rc != RC_OK)
		return rc;
	if (calendar->override_count > 1)
		qsort(calendar->override, calendar->override_count, sizeof(calendar->override[0]),
			compare_override);
	for (size_t i = 1; i < calendar->override_count; i++) {
		struct str day = STR_INIT;

		if (calendar->override[i].day != calendar->override[i - 1].day)
			continue;
		civil_day_print(&day, calendar->override[i].day);
		rc = err_set(
			err, RC_CONFIG, "%s: %s stands there twice; leave one of the lines", path, day.s);
		str_free(&day);
		break;
	}
	return rc;
}

void calendar_free(struct calendar *calendar)
{
	for (size_t i = 0; i < calendar->override_count; i++)
		free(calendar->override[i].name);
	free(calendar->override);
	calendar->override = NULL;
	calendar->override_count = 0;
}

/* ---- office hours ---- */

/* "09:30" as minutes; 24:00 is the end of the day. -1: it is none. */
static int read_minute(const char *text)
{
	static const char digits[] = "0123456789";

	if (strspn(text, digits) != 2 || text[2] != ':' || strspn(text + 3, digits) != 2)
		return -1;
	int hour = (text[0] - '0') * 10 + text[1] - '0';
	int minute = (text[3] - '0') * 10 + text[4] - '0';

	return minute > 59 || hour * 60 + minute > MINUTES_A_DAY ? -1 : hour * 60 + minute;
}

enum rc calendar_hours_read(struct calendar *calendar, const char *text, struct err *err)
{
	if (text[0] == '\0') {
		calendar->hours = false;
		return RC_OK;
	}
	int open_minute = -1, close_minute = -1;

	if (strlen(text) == 11 && text[5] == '-') {
		open_minute = read_minute(text);
		close_minute = read_minute(text + 6);
	}
	if (open_minute < 0 || close_minute <= open_minute)
		return err_set(err, RC_CONFIG,
			"office hours \"%s\" are not two times of day, the earlier first; write "
			"\"09:30-17:00\", "
			"or \"\" for any hour",
			text);
	calendar->hours = true;
	calendar->open_minute = open_minute;
	calendar->close_minute = close_minute;
	return RC_OK;
}

/* ---- asking ---- */

/* 行政機関の休日に関する法律 (昭和63年法律第91号) art. 1(1) no. 3. */
static bool is_year_end(civil_day day)
{
	int year, month, dom;

	civil_to_ymd(day, &year, &month, &dom);
	return (month == 12 && dom >= 29) || (month == 1 && dom <= 3);
}

const char *calendar_closed(const struct calendar *calendar, civil_day day)
{
	const struct calendar_override wanted = {.day = day};

	if (!calendar->business_days)
		return NULL;
	if (calendar->override_count > 0) {
		const struct calendar_override *found = bsearch(&wanted, calendar->override,
			calendar->override_count, sizeof(wanted), compare_override);

		if (found)
			return found->is_open ? NULL : found->name;
	}
	const char *name = holiday_name(day);

	if (name)
		return name;
	return is_year_end(day) ? "年末年始" : weekend_ja[civil_weekday(day)];
}

bool calendar_is_open(const struct calendar *calendar, utc_time at)
{
	int minute = civil_minute_of(at);

	if (calendar_closed(calendar, civil_day_of(at)))
		return false;
	return !calendar->hours || (minute >= calendar->open_minute && minute < calendar->close_minute);
}

utc_time calendar_next_open(const struct calendar *calendar, utc_time at)
{
	if (calendar_is_open(calendar, at))
		return at;
	civil_day day = civil_day_of(at);
	int opening = calendar->hours ? calendar->open_minute : 0;

	if (calendar_closed(calendar, day) || civil_minute_of(at) >= opening)
		day++;
	/* Ends: overrides are finitely many, and by the law alone every week has an office day but the turn of a year. */
	while (calendar_closed(calendar, day))
		day++;
	return civil_moment(day, opening);
}
