/*
 * civil.h - calendar days and times of day in the office's zone
 *
 * Times are stored in UTC (clock.h) and shown and reckoned in the office's zone (default Asia/Tokyo),
 * which is set once per process. Everything the scheme calls "1 week" is counted in calendar days of
 * that zone.
 */
#ifndef SENGEN_CIVIL_H
#define SENGEN_CIVIL_H

#include "lib/base/clock.h"
#include "lib/base/err.h"
#include "lib/base/str.h"

typedef int32_t civil_day; /* days since 1970-01-01 in the proleptic Gregorian calendar */
#define CIVIL_DAY_NONE INT32_MIN

/* Sets the zone of the process (TZ). RC_CONFIG when the zone is not in the system's database: a missing
 * tzdata would otherwise quietly mean UTC. */
enum rc civil_zone_set(const char *zone, struct err *err);
bool civil_zone_exists(const char *zone); /* is it in the system's database? */

civil_day civil_from_ymd(int year, int month, int day); /* CIVIL_DAY_NONE when there is no such day */
void civil_to_ymd(civil_day day, int *year, int *month, int *dom);
int civil_weekday(civil_day day); /* 0 Sunday .. 6 Saturday */

civil_day civil_day_of(utc_time at); /* the day in the office's zone */
int civil_minute_of(utc_time at); /* 0..1439 in the office's zone */
utc_time civil_moment(civil_day day, int minute); /* the first such moment; a skipped one moves forward */

/* "2026-11-22"; "2026-11-22 09:30"; RFC 3339 with offset; Japanese 2026年11月22日(日). out is appended to. */
void civil_day_print(struct str *out, civil_day day);
void civil_time_print(struct str *out, utc_time at);
void civil_rfc3339_print(struct str *out, utc_time at);
void civil_rfc5322_print(struct str *out, utc_time at); /* "Sun, 22 Nov 2026 09:30:00 +0900" */
void civil_day_print_ja(struct str *out, civil_day day);

/* Reads 2026-11-22, 2026/11/2, 2026.11.2, 20261122, 2026年11月22日, 令和8年11月22日, R8.11.22, 令和元年…, ㋿
 * in any width, with an optional weekday in brackets or time of day behind it. Wareki: 令和 n = 2018 + n
 * from 2019-05-01, 平成 n = 1988 + n until 2019-04-30, 昭和 n = 1925 + n. CIVIL_DAY_NONE when it is none. */
civil_day civil_day_read(const char *text);
/* Reads "2026-11-22", "2026-11-22 09:30[:00]" or RFC 3339; false when it is none. */
bool civil_time_read(const char *text, utc_time *at);

#endif
