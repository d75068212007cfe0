/*
 * purge.h - data past their time are erased by themselves; whatever is open, contested or bounced is passed over and listed (F87, F88, N29)
 */
#ifndef SENGEN_PURGE_H
#define SENGEN_PURGE_H

#include "lib/office/office.h"

struct purge_result {
	int64_t erased[RETAINED_COUNT], kept[RETAINED_COUNT];
	bool more; /* the limit was reached */
};
/* Looks at up to limit items, all kinds in turn, a few a transaction; archived files are removed after the transaction that says so (and again when that was
 * cut short). preview: changes nothing. fn (may be NULL) gets each item. */
enum rc purge_run(struct office *office, bool preview, int limit, const char *actor, retained_fn *fn,
	void *ctx, struct purge_result *out, struct err *err);

#endif
