/*
 * silence.h - nothing for longer than usual calls for a look (F74, N26)
 *
 * What is usual is reckoned from the days before the last time it happened, silence_weeks of them: a weekday counts as one on which something happens when it did on at
 * least half of them; days on which the office is closed never count. It is silent when more such days have passed without anything than ever in a row before. Less than four
 * weeks (or silence_weeks, where that is less) of history say nothing, nor does what happens too rarely.
 */
#ifndef SENGEN_SILENCE_H
#define SENGEN_SILENCE_H

#include "lib/desk/tally.h"

struct silence {
	bool known; /* there is enough history to tell */
	bool silent;
	utc_time last; /* 0: never */
	int days; /* on which something usually happens, passed since the last time; today counts once office hours are over */
	int usual; /* the most such days in a row before */
};
/* kind: DAILY_FILES, DAILY_MAILS, DAILY_SENT, DAILY_BOUNCES. A store opened for reading is enough. */
enum rc silence_check(struct office *office, const struct tally *tally, enum daily kind, struct silence *out,
	struct err *err);

#endif
