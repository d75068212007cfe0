#include "lib/desk/silence.h"

#include <stdlib.h>

#define LEAST_WEEKS 4 /* of history */
#define LEAST_DAYS 8 /* on which it happened: what is rarer has no usual */
#define DAY_CLOSES (17 * 60) /* where the office names no hours */
#define LOOKED_BACK 400 /* days without anything; after that it is silent whatever was usual */

struct habit {
	const struct calendar *calendar;
	enum daily kind;
	civil_day from; /* first day of count */
	int64_t (*count)[DAILY_COUNT];
	bool usual[7]; /* something happens on that weekday */
};

static bool happened(const struct habit *habit, civil_day day)
{
	return habit->count[day - habit->from][habit->kind] > 0;
}

/* A day on which something should have come. */
static bool is_expected(const struct habit *habit, civil_day day)
{
	return habit->usual[civil_weekday(day)] && !calendar_closed(habit->calendar, day);
}

static void learn_weekdays(struct habit *habit, civil_day from, civil_day last)
{
	int days[7] = {0}, active[7] = {0};
	for (civil_day day = from; day <= last; day++) {
		if (calendar_closed(habit->calendar, day))
			continue;
		days[civil_weekday(day)]++;
		active[civil_weekday(day)] += happened(habit, day);
	}
	for (int weekday = 0; weekday < 7; weekday++)
		habit->usual[weekday] = days[weekday] >= 2 && 2 * active[weekday] >= days[weekday];
}

static int longest_run(const struct habit *habit, civil_day from, civil_day last)
{
	int longest = 0, run = 0;
	for (civil_day day = from; day <= last; day++) {
		if (happened(habit, day))
			run = 0;
		else if (is_expected(habit, day))
			run++;
		longest = run > longest ? run : longest;
	}
	return longest;
}

/* What the weeks before tell; false: too little. */
static bool learn(struct habit *habit, civil_day last, int weeks, int *usual)
{
	civil_day first = habit->from;
	int active = 0;
	while (first < last && !happened(habit, first))
		first++;
	for (civil_day day = first; day <= last; day++)
		active += happened(habit, day);
	int least = weeks < LEAST_WEEKS ? weeks : LEAST_WEEKS;
	if (last - first + 1 < 7 * least - 6 || active < LEAST_DAYS)
		return false;
	learn_weekdays(habit, first, last);
	*usual = longest_run(habit, first, last);
	return true;
}

enum rc silence_check(struct office *office, const struct tally *tally, enum daily kind, struct silence *out,
	struct err *err)
{
	const struct calendar *calendar = &office->settings->calendar;
	int weeks = (int)office->settings->silence_weeks;
	*out = (struct silence){.last = tally->last[kind]};
	civil_day last = civil_day_of(out->last), today = tally->today;
	if (weeks == 0 || out->last == 0 || last > today)
		return RC_OK;
	if (today - last > LOOKED_BACK)
		today = last + LOOKED_BACK;
	struct habit habit = {.calendar = calendar, .kind = kind, .from = last - 7 * weeks + 1};
	habit.count = xcalloc((size_t)(today - habit.from) + 1, sizeof *habit.count);
	enum rc rc = daily_get(office->store, habit.from, today, habit.count, err);
	if (!rc && learn(&habit, last, weeks, &out->usual)) {
		int closes = calendar->hours ? calendar->close_minute : DAY_CLOSES;
		out->known = true;
		for (civil_day day = last + 1; day <= today; day++)
			out->days += is_expected(&habit, day) &&
				     (day < tally->today || civil_minute_of(tally->at) >= closes);
		out->silent = out->days > out->usual;
	}
	free(habit.count);
	return rc;
}
