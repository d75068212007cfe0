/*
 * purge.h - data past their time are erased by themselves; whatever is open, contested or bounced is passed over and listed (F87, F88, N29)
 *
 * What the register holds goes in transactions of a few milliseconds; what lies on the disk is on record in the same transaction and is taken away behind it by
 * purge_scrub(), which can be done again after a crash.
 *
 * An archived form file holds many applicants. It is kept while an application of it lives; but when the data of one of them are erased, on request or because their
 * time is over, every file with a row about it goes whole, with its results: what the others wrote stands in the register, and a rewritten original would prove nothing.
 */
#ifndef SENGEN_PURGE_H
#define SENGEN_PURGE_H

#include "lib/office/office.h"

/* Who asked for a run now; the role desk carries it out. */
#define FACT_PURGE_ASKED "purge.asked"

/* How far a run has come; zeroes begin one. */
struct purge_cursor {
	enum retained kind;
	utc_time since;
	int64_t id;
};

struct purge_result {
	int64_t erased[RETAINED_COUNT], kept[RETAINED_COUNT]; /* things */
	int64_t rows; /* of the register */
	bool more; /* the limit was reached: go on with the same cursor */
};
/* Data of a kind whose time began before that moment are past it; INT64_MIN: they are kept for ever. */
utc_time purge_before(const struct settings *settings, enum retained kind, utc_time now);
/* Looks at up to limit items, all kinds in turn, a few a transaction. preview: changes nothing, and a store opened for reading is enough. fn (may be NULL) gets
 * each item. */
enum rc purge_run(struct office *office, struct purge_cursor *cursor, bool preview, int limit,
	const char *actor, retained_fn *fn, void *ctx, struct purge_result *out, struct err *err);

/* A pass over what lies on the disk; zeroes begin one. */
struct purge_scrubbed {
	int removed; /* files, so far */
	bool rest; /* the limit was reached: go on with the same */
	bool waiting; /* the register's log can't be emptied yet */
	struct err
		left; /* the first thing that could not be removed, RC_OK: none; it stays on record, and the others went */
	bool swept; /* how far it has come, and what was looked at last */
	char month[20];
	int64_t file_id, message_id;
};

/* Takes from the disk what was erased, at most `limit` things: archived form files with their results, mails laid out by the report, and behind the last of them the
 * register's log; and, once a pass (sweep), files that the register does not know: in rejected/ (they could not be read) past refused_file_days of the date in their name, in accepted/ (the
 * register was restored from before them) past file_days. */
enum rc purge_scrub(
	struct office *office, bool sweep, int limit, struct purge_scrubbed *pass, struct err *err);

#endif
