/*
 * calendar.h - office days and hours
 *
 * Holidays are computed by 国民の祝日に関する法律 as it stood in each year (with the special laws of 1959-2021) and corrected by an
 * override file; equinoxes by the usual formulas for 1900-2099, while 官報 of 1 February of the year before fixes them. Office days leave
 * out Saturdays, Sundays, holidays, 12/29-1/3 (行政機関の休日に関する法律 art. 1) and the office's own closing days.
 */
#ifndef SENGEN_CALENDAR_H
#define SENGEN_CALENDAR_H

#include "lib/base/civil.h"

/* Japanese name of the holiday on that day, 振替休日 or 国民の休日 included; NULL: none. By law alone, 1948-07-20 .. 2099. */
const char *holiday_name(civil_day day);

struct calendar {
	bool business_days; /* off: every day is an office day */
	bool hours; /* off: any minute is an office minute */
	int open_minute, close_minute; /* [open, close) */
	struct calendar_override *override; /* sorted by day; owned */
	size_t override_count;
};

struct calendar_override {
	civil_day day;
	bool is_open; /* "2026-10-05 閉" closes a day, "2026-01-02 開" opens one */
	char *name; /* owned */
};

/* Lines: date, 開/閉 (open/closed), a name; # comments. Errors name file and line. path NULL: no overrides. */
enum rc calendar_load(struct calendar *calendar, const char *path, struct err *err);
/* "09:30-17:00" → hours; "" → off. */
enum rc calendar_hours_read(struct calendar *calendar, const char *text, struct err *err);
void calendar_free(struct calendar *calendar);

/* NULL: it is an office day; otherwise why it is not, in Japanese (土曜日, 天皇誕生日, 年末年始 …). */
const char *calendar_closed(const struct calendar *calendar, civil_day day);
bool calendar_is_open(const struct calendar *calendar, utc_time at);
/* at itself when it is an office moment, else the next one (opening of the next office day). */
utc_time calendar_next_open(const struct calendar *calendar, utc_time at);

#endif
