/*
 * progress.h - one line on a terminal that says how far long work has come
 *
 * Calling sequence: progress_start(), progress_show() as often as one likes, progress_end() before anything else is printed. Nothing is
 * shown where standard error is no terminal, nor for work that is over in half a second; the line is gone in the end.
 *
 * progress_show() has the shape of a progress_fn (lib/store/store.h), so that the store's long work can call it:
 *
 *     struct progress progress;
 *     progress_start(&progress, _("Checking the history"));
 *     store_progress(ctl->store, progress_show, &progress);
 *     rc = audit_run(…);
 *     progress_end(&progress);
 */
#ifndef SENGEN_PROGRESS_H
#define SENGEN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char *what; /* borrowed */
	bool wanted, shown;
	int64_t began_ms, next_ms;
};

void progress_start(struct progress *progress, const char *what);
/* whole 0: nobody knows how much there is. ctx: a struct progress. */
void progress_show(void *ctx, int64_t done, int64_t whole);
/* Before something is printed in between: the line comes again by itself. */
void progress_clear(struct progress *progress);
void progress_end(struct progress *progress);

#endif
