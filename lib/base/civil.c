#include "lib/base/civil.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/text.h"

#define DAY_SECONDS 86400
#define YEAR_MIN 1
#define YEAR_MAX 9999
/* 0001-01-03 and 9999-12-29: moments beyond (UTC_NEVER among them) are shown as these. */
#define MOMENT_MIN INT64_C(-62135424000)
#define MOMENT_MAX INT64_C(253401955200)

static bool zone_is_set;

/* An hour of the zone in which its clocks were not changed: asking the C library takes longer than a line of a letter, and one moment is asked for many times. */
struct hour {
	bool known;
	int64_t number; /* since 1970 */
	long offset; /* seconds east of UTC */
};
#define HOUR_SECONDS 3600
#define HOURS 64
static struct hour hours[HOURS];

bool civil_zone_exists(const char *zone)
{
	const char *dir = getenv("TZDIR");
	struct str path = STR_INIT;
	char magic[4] = "";
	if (!*zone || *zone == '/' || *zone == ':' || strstr(zone, ".."))
		return false;
	str_printf(&path, "%s/%s", dir && *dir ? dir : "/usr/share/zoneinfo", zone);
	int fd = open(path.s, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	str_free(&path);
	if (fd < 0)
		return false;
	ssize_t got = read(fd, magic, sizeof magic);
	(void)close(fd);
	return got == (ssize_t)sizeof magic && memcmp(magic, "TZif", sizeof magic) == 0;
}

enum rc civil_zone_set(const char *zone, struct err *err)
{
	if (!civil_zone_exists(zone))
		return err_set(err, RC_CONFIG,
			"There is no time zone \"%s\" in the system's database; correct the name or install "
			"tzdata.",
			zone);
	if (setenv("TZ", zone, 1) != 0)
		die("out of memory");
	tzset();
	memset(hours, 0, sizeof hours);
	zone_is_set = true;
	return RC_OK;
}

static void ask_local(utc_time at, struct tm *local)
{
	time_t t = at;
	if (!localtime_r(&t, local))
		die("a moment could not be converted to local time");
}

/* What a clock shows there, as seconds since 1970. */
static int64_t wall_of(const struct tm *local)
{
	return (int64_t)civil_from_ymd(local->tm_year + 1900, local->tm_mon + 1, local->tm_mday) *
		       DAY_SECONDS +
	       local->tm_hour * 3600 + local->tm_min * 60 + local->tm_sec;
}

/* Whether the offset is the same all through the hour of that moment; then it is kept. Zones that count leap seconds never have one. */
static bool hour_learn(struct hour *hour, int64_t number)
{
	struct tm first, last;
	utc_time start = number * HOUR_SECONDS, end = start + HOUR_SECONDS - 1;
	ask_local(start, &first);
	ask_local(end, &last);
	long offset = first.tm_gmtoff;
	*hour = (struct hour){.number = number, .offset = offset};
	hour->known = last.tm_gmtoff == offset && wall_of(&first) == start + offset &&
		      wall_of(&last) == end + offset;
	return hour->known;
}

static void local_of(utc_time at, struct tm *local)
{
	if (!zone_is_set) {
		struct err err;
		if (civil_zone_set("Asia/Tokyo", &err) != RC_OK)
			die("%s", err.text);
	}
	at = at < MOMENT_MIN ? MOMENT_MIN : at > MOMENT_MAX ? MOMENT_MAX : at;
	int64_t number = at / HOUR_SECONDS - (at % HOUR_SECONDS < 0);
	struct hour *hour = &hours[(uint64_t)number % HOURS];
	if (!(hour->known && hour->number == number) && !hour_learn(hour, number)) {
		ask_local(at, local);
		return;
	}
	int64_t wall = at + hour->offset;
	civil_day day = (civil_day)(wall / DAY_SECONDS - (wall % DAY_SECONDS < 0));
	int second = (int)(wall - (int64_t)day * DAY_SECONDS);
	*local = (struct tm){.tm_hour = second / 3600,
		.tm_min = second / 60 % 60,
		.tm_sec = second % 60,
		.tm_wday = civil_weekday(day),
		.tm_gmtoff = hour->offset};
	civil_to_ymd(day, &local->tm_year, &local->tm_mon, &local->tm_mday);
	local->tm_year -= 1900;
	local->tm_mon -= 1;
}

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Counts from 1 March of year 0, so that the leap day is the last of its year. */
civil_day civil_from_ymd(int year, int month, int day)
{
	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1 ||
		day > days_in_month(year, month))
		return CIVIL_DAY_NONE;
	int y = month > 2 ? year : year - 1;
	int m = month > 2 ? month - 3 : month + 9;
	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void civil_to_ymd(civil_day day, int *year, int *month, int *dom)
{
	int since = day + 719468; /* 0000-03-01 */
	int cycle = (since >= 0 ? since : since - 146096) / 146097; /* of 400 years */
	int doe = since - cycle * 146097;
	int yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	int doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	int m = (5 * doy + 2) / 153;
	*dom = doy - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = cycle * 400 + yoe + (*month <= 2);
}

int civil_weekday(civil_day day)
{
	return (int)(((int64_t)day + 4) % 7 + 7) % 7;
}

civil_day civil_day_of(utc_time at)
{
	struct tm local;
	local_of(at, &local);
	return civil_from_ymd(local.tm_year + 1900, local.tm_mon + 1, local.tm_mday);
}

int civil_minute_of(utc_time at)
{
	struct tm local;
	local_of(at, &local);
	return local.tm_hour * 60 + local.tm_min;
}

static utc_time moment_of(civil_day day, int minute, int second)
{
	struct tm before, after;
	utc_time wall = (int64_t)day * DAY_SECONDS + minute * 60; /* as if the zone were UTC */
	local_of(wall - DAY_SECONDS, &before);
	local_of(wall + DAY_SECONDS, &after);
	/* Around a change of the offset the moment exists twice (the earlier one is wanted: that of the larger offset), or
	 * not at all (then the old offset carries it past the gap). */
	long larger = before.tm_gmtoff > after.tm_gmtoff ? before.tm_gmtoff : after.tm_gmtoff;
	long smaller = before.tm_gmtoff > after.tm_gmtoff ? after.tm_gmtoff : before.tm_gmtoff;
	long offsets[] = {larger, smaller};
	for (int i = 0; i < 2; i++) {
		utc_time at = wall - offsets[i];
		if (civil_day_of(at) == day && civil_minute_of(at) == minute)
			return at + second;
	}
	return wall - before.tm_gmtoff + second;
}

utc_time civil_moment(civil_day day, int minute)
{
	return moment_of(day, minute, 0);
}

void civil_day_print(struct str *out, civil_day day)
{
	int year, month, dom;
	if (day == CIVIL_DAY_NONE)
		return;
	civil_to_ymd(day, &year, &month, &dom);
	str_printf(out, "%04d-%02d-%02d", year, month, dom);
}

void civil_time_print(struct str *out, utc_time at)
{
	struct tm local;
	local_of(at, &local);
	str_printf(out, "%04d-%02d-%02d %02d:%02d", local.tm_year + 1900, local.tm_mon + 1, local.tm_mday,
		local.tm_hour, local.tm_min);
}

/* "+0900" or, with ":" as separator, "+09:00" */
static void offset_print(struct str *out, long offset, const char *separator)
{
	long minutes = labs(offset) / 60;
	str_printf(out, "%c%02ld%s%02ld", offset < 0 ? '-' : '+', minutes / 60, separator, minutes % 60);
}

void civil_rfc3339_print(struct str *out, utc_time at)
{
	struct tm local;
	local_of(at, &local);
	str_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d", local.tm_year + 1900, local.tm_mon + 1,
		local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
	offset_print(out, local.tm_gmtoff, ":");
}

void civil_rfc5322_print(struct str *out, utc_time at)
{
	/* Not strftime(): the names of RFC 5322 are English in every locale. */
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct tm local;
	local_of(at, &local);
	str_printf(out, "%s, %02d %s %04d %02d:%02d:%02d ", days[local.tm_wday], local.tm_mday,
		months[local.tm_mon], local.tm_year + 1900, local.tm_hour, local.tm_min, local.tm_sec);
	offset_print(out, local.tm_gmtoff, "");
}

void civil_day_print_ja(struct str *out, civil_day day)
{
	static const char *const days[7] = {"日", "月", "火", "水", "木", "金", "土"};
	int year, month, dom;
	if (day == CIVIL_DAY_NONE)
		return;
	civil_to_ymd(day, &year, &month, &dom);
	str_printf(out, "%d年%d月%d日(%s)", year, month, dom, days[civil_weekday(day)]);
}

/* ---- reading ---- */

/* Up to `most` digits; how many there were. */
static int number_read(const char **at, int most, int *number)
{
	int digits = 0;
	*number = 0;
	for (; digits < most && **at >= '0' && **at <= '9'; digits++)
		*number = *number * 10 + *(*at)++ - '0';
	return digits;
}

static bool literal_read(const char **at, const char *literal)
{
	if (!str_has_prefix(*at, literal))
		return false;
	*at += strlen(literal);
	return true;
}

static void blanks_skip(const char **at)
{
	while (**at == ' ')
		(*at)++;
}

struct era {
	const char *name;
	char letter, small;
	int before_first; /* year 1 is the one after it */
	int first[3], last[3]; /* days of the era: 平成 ended 2019-04-30, 退位特例法政令 */
};

static const struct era eras[] = {
	{"令和", 'R', 'r', 2018, {2019, 5, 1}, {YEAR_MAX, 12, 31}},
	{"平成", 'H', 'h', 1988, {1989, 1, 8}, {2019, 4, 30}},
	{"昭和", 'S', 's', 1925, {1926, 12, 25}, {1989, 1, 7}},
};

static const struct era *era_read(const char **at)
{
	for (size_t i = 0; i < sizeof eras / sizeof *eras; i++) {
		bool letter = **at == eras[i].letter || **at == eras[i].small;
		if (!letter && !literal_read(at, eras[i].name))
			continue;
		if (letter) {
			(*at)++;
			(void)literal_read(at, ".");
		}
		blanks_skip(at);
		return &eras[i];
	}
	return NULL;
}

static bool year_read(const char **at, const struct era *era, int *year)
{
	if (!era)
		return number_read(at, 4, year) == 4;
	if (literal_read(at, "元"))
		*year = 1;
	else if (number_read(at, 2, year) == 0 || *year == 0)
		return false;
	*year += era->before_first;
	return true;
}

/* 年, /, . or - behind the year; then the one for the month must be of the same kind. */
static bool month_and_day_read(const char **at, int *month, int *day)
{
	static const char *const marks[][2] = {{"年", "月"}, {"/", "/"}, {".", "."}, {"-", "-"}};
	blanks_skip(at);
	for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
		if (!literal_read(at, marks[i][0]))
			continue;
		blanks_skip(at);
		if (number_read(at, 2, month) == 0)
			return false;
		blanks_skip(at);
		if (!literal_read(at, marks[i][1]))
			return false;
		blanks_skip(at);
		if (number_read(at, 2, day) == 0 || (**at >= '0' && **at <= '9'))
			return false;
		blanks_skip(at);
		return i > 0 || literal_read(at, "日");
	}
	return false;
}

/* 09:30[:00], T09:30:00Z, 9時30分, each behind a blank or T; nothing at all is fine too. */
static bool time_behind_day(const char *at)
{
	int number;
	if (!*at)
		return true;
	(void)literal_read(&at, "T");
	blanks_skip(&at);
	if (!literal_read(&at, "午前"))
		(void)literal_read(&at, "午後");
	if (number_read(&at, 2, &number) == 0)
		return false;
	if (literal_read(&at, "時")) {
		if (number_read(&at, 2, &number) > 0 && !literal_read(&at, "分"))
			return false;
		if (number_read(&at, 2, &number) > 0 && !literal_read(&at, "秒"))
			return false;
		return !*at || strcmp(at, "頃") == 0;
	}
	for (int i = 0; i < 2 && literal_read(&at, ":"); i++)
		if (number_read(&at, 2, &number) != 2)
			return false;
	return !*at || strcmp(at, "Z") == 0;
}

static bool weekday_skip(const char **at)
{
	static const char *const days[] = {"日", "月", "火", "水", "木", "金", "土"};
	blanks_skip(at);
	bool bracket = literal_read(at, "(") || literal_read(at, "[");
	for (size_t i = 0; i < 7; i++) {
		if (!literal_read(at, days[i]))
			continue;
		if (!literal_read(at, "曜日"))
			(void)literal_read(at, "曜");
		break;
	}
	if (bracket && !literal_read(at, ")") && !literal_read(at, "]"))
		return false;
	blanks_skip(at);
	return true;
}

static civil_day day_read(const char *at)
{
	int year, month, day;
	if (strspn(at, "0123456789") == 8) {
		(void)number_read(&at, 4, &year);
		(void)number_read(&at, 2, &month);
		(void)number_read(&at, 2, &day);
		return *at ? CIVIL_DAY_NONE : civil_from_ymd(year, month, day);
	}
	const struct era *era = era_read(&at);
	if (!year_read(&at, era, &year) || !month_and_day_read(&at, &month, &day))
		return CIVIL_DAY_NONE;
	if (*at != 'T' && !weekday_skip(&at))
		return CIVIL_DAY_NONE;
	if (!time_behind_day(at))
		return CIVIL_DAY_NONE;
	civil_day out = civil_from_ymd(year, month, day);
	if (era && (out < civil_from_ymd(era->first[0], era->first[1], era->first[2]) ||
			   out > civil_from_ymd(era->last[0], era->last[1], era->last[2])))
		return CIVIL_DAY_NONE;
	return out;
}

civil_day civil_day_read(const char *text)
{
	struct str folded = STR_INIT;
	utc_time at;
	text_fold(&folded, text);
	civil_day day;
	/* With an offset the day may be another one here than the one that is written. */
	if (folded.len > 16 && folded.s[10] == 'T' && civil_time_read(folded.s, &at))
		day = civil_day_of(at);
	else
		day = day_read(folded.s);
	str_free(&folded);
	return day;
}

bool civil_time_read(const char *text, utc_time *at)
{
	int year, month, dom, hour = 0, minute = 0, second = 0, offset_hour, offset_minute;
	const char *p = text;
	if (number_read(&p, 4, &year) != 4 || !literal_read(&p, "-") || number_read(&p, 2, &month) != 2 ||
		!literal_read(&p, "-") || number_read(&p, 2, &dom) != 2)
		return false;
	civil_day day = civil_from_ymd(year, month, dom);
	if (day == CIVIL_DAY_NONE)
		return false;
	if (!*p) {
		*at = civil_moment(day, 0);
		return true;
	}
	bool rfc3339 = *p == 'T' || *p == 't';
	if (!rfc3339 && *p != ' ')
		return false;
	p++;
	if (number_read(&p, 2, &hour) != 2 || !literal_read(&p, ":") || number_read(&p, 2, &minute) != 2)
		return false;
	if (literal_read(&p, ":") && number_read(&p, 2, &second) != 2)
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	if (literal_read(&p, ".") && strspn(p, "0123456789") == 0)
		return false;
	p += strspn(p, "0123456789");
	if (!*p) {
		*at = moment_of(day, hour * 60 + minute, second);
		return true;
	}
	utc_time wall = (int64_t)day * DAY_SECONDS + hour * 3600 + minute * 60 + second;
	if ((*p == 'Z' || *p == 'z') && !p[1]) {
		*at = wall;
		return true;
	}
	int sign = *p == '-' ? -1 : 1;
	if ((*p != '+' && *p != '-') || (p++, number_read(&p, 2, &offset_hour) != 2) ||
		!literal_read(&p, ":") || number_read(&p, 2, &offset_minute) != 2 || *p || offset_hour > 23 ||
		offset_minute > 59)
		return false;
	*at = wall - sign * (offset_hour * 3600 + offset_minute * 60);
	return true;
}
