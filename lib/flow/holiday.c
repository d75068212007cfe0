/*
 * holiday.c - 国民の祝日に関する法律 (昭和23年法律第178号), every version of its table since 20 July 1948
 */
#include "lib/flow/calendar.h"

#define FIRST_YEAR 1948
#define LAST_YEAR 2099
#define EVERY_YEAR_SINCE(year) (year), LAST_YEAR

/* A day of the month, or the n-th Monday of it. */
struct fixed {
	int from_year, until_year;
	int month, dom;
	const char *name;
};

struct monday {
	int from_year, until_year;
	int month, nth;
	const char *name;
};

/* 1948 counts from 20 July: only 秋分の日, 文化の日 and 勤労感謝の日 fall behind it. Days that a special law moved in 2020
 * (令和二年東京オリンピック特措法) and 2021 (its amendment) stand here by year. */
static const struct fixed fixed_days[] = {
	{EVERY_YEAR_SINCE(1949), 1, 1, "元日"},
	{1949, 1999, 1, 15, "成人の日"},
	{EVERY_YEAR_SINCE(1967), 2, 11, "建国記念の日"},
	{EVERY_YEAR_SINCE(2020), 2, 23, "天皇誕生日"},
	{1949, 1988, 4, 29, "天皇誕生日"},
	{1989, 2006, 4, 29, "みどりの日"},
	{EVERY_YEAR_SINCE(2007), 4, 29, "昭和の日"},
	{EVERY_YEAR_SINCE(1949), 5, 3, "憲法記念日"},
	{EVERY_YEAR_SINCE(2007), 5, 4, "みどりの日"},
	{EVERY_YEAR_SINCE(1949), 5, 5, "こどもの日"},
	{1996, 2002, 7, 20, "海の日"},
	{2020, 2020, 7, 23, "海の日"},
	{2020, 2020, 7, 24, "スポーツの日"},
	{2021, 2021, 7, 22, "海の日"},
	{2021, 2021, 7, 23, "スポーツの日"},
	{2016, 2019, 8, 11, "山の日"},
	{2020, 2020, 8, 10, "山の日"},
	{2021, 2021, 8, 8, "山の日"},
	{EVERY_YEAR_SINCE(2022), 8, 11, "山の日"},
	{1966, 2002, 9, 15, "敬老の日"},
	{1966, 1999, 10, 10, "体育の日"},
	{EVERY_YEAR_SINCE(1948), 11, 3, "文化の日"},
	{EVERY_YEAR_SINCE(1948), 11, 23, "勤労感謝の日"},
	{1989, 2018, 12, 23, "天皇誕生日"},
	/* 平成30年法律第99号: holidays of this law for that year, so 4/30 and 5/2 between holidays are off too. */
	{2019, 2019, 5, 1, "天皇の即位の日"},
	{2019, 2019, 10, 22, "即位礼正殿の儀の行われる日"},
};

static const struct monday mondays[] = {
	{EVERY_YEAR_SINCE(2000), 1, 2, "成人の日"},
	{2003, 2019, 7, 3, "海の日"},
	{EVERY_YEAR_SINCE(2022), 7, 3, "海の日"},
	{EVERY_YEAR_SINCE(2003), 9, 3, "敬老の日"},
	{2000, 2019, 10, 2, "体育の日"},
	{EVERY_YEAR_SINCE(2022), 10, 2, "スポーツの日"},
};

/* Days off by a law of their own, which made them no 祝日: they carry no substitute and make no bridge day. */
static const struct fixed days_off[] = {
	{1959, 1959, 4, 10, "結婚の儀"},
	{1989, 1989, 2, 24, "大喪の礼"},
	{1990, 1990, 11, 12, "即位礼正殿の儀"},
	{1993, 1993, 6, 9, "結婚の儀"},
};

/* The usual formula for the day of an equinox in Japan, in millionths of a day; leap days are counted from 1983 until 1979 (toward
 * zero, as the formula is printed) and from 1980 afterwards. */
static int equinox_dom(int year, int64_t base_until_1979, int64_t base_since_1980)
{
	int64_t base = year < 1980 ? base_until_1979 : base_since_1980;
	int leap_days = year < 1980 ? (year - 1983) / 4 : (year - 1980) / 4;

	return (int)((base + INT64_C(242194) * (year - 1980)) / 1000000 - leap_days);
}

static const char *name_in(const struct fixed *table, size_t count, int year, int month, int dom)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].month == month && table[i].dom == dom && year >= table[i].from_year &&
			year <= table[i].until_year)
			return table[i].name;
	}
	return NULL;
}

/* A 国民の祝日 of art. 2, without the days off that art. 3 makes of them. */
static const char *shukujitsu_name(civil_day day)
{
	int year, month, dom;

	civil_to_ymd(day, &year, &month, &dom);
	if (year < FIRST_YEAR || year > LAST_YEAR)
		return NULL;
	const char *name = name_in(fixed_days, sizeof(fixed_days) / sizeof(fixed_days[0]), year, month, dom);

	if (name)
		return name;
	for (size_t i = 0; civil_weekday(day) == 1 && i < sizeof(mondays) / sizeof(mondays[0]); i++) {
		if (mondays[i].month == month && (dom - 1) / 7 + 1 == mondays[i].nth &&
			year >= mondays[i].from_year && year <= mondays[i].until_year)
			return mondays[i].name;
	}
	if (month == 3 && year > FIRST_YEAR && dom == equinox_dom(year, 20835700, 20843100))
		return "春分の日";
	if (month == 9 && dom == equinox_dom(year, 23258800, 23248800))
		return "秋分の日";
	return NULL;
}

/* Art. 3(2). Until 2006 only the day after the Sunday; since then the next day that is not itself a holiday. */
static bool is_substitute(civil_day day)
{
	if (day < civil_from_ymd(1973, 4, 12) || shukujitsu_name(day))
		return false;
	if (day < civil_from_ymd(2007, 1, 1))
		return civil_weekday(day) == 1 && shukujitsu_name(day - 1);
	while (shukujitsu_name(--day)) {
		if (civil_weekday(day) == 0)
			return true;
	}
	return false;
}

/* Art. 3(3). Until 2006 not on a Sunday. */
static bool is_between(civil_day day)
{
	if (day < civil_from_ymd(1985, 12, 27) || shukujitsu_name(day))
		return false;
	if (day < civil_from_ymd(2007, 1, 1) && civil_weekday(day) == 0)
		return false;
	return shukujitsu_name(day - 1) && shukujitsu_name(day + 1);
}

const char *holiday_name(civil_day day)
{
	const char *name = shukujitsu_name(day);
	int year, month, dom;

	if (name)
		return name;
	civil_to_ymd(day, &year, &month, &dom);
	name = name_in(days_off, sizeof(days_off) / sizeof(days_off[0]), year, month, dom);
	if (name)
		return name;
	if (is_substitute(day))
		return "振替休日";
	return is_between(day) ? "国民の休日" : NULL;
}
