#include "ctl/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "lib/base/clock.h"

#define FIRST_MS 500 /* what is over sooner needs no line */
#define EACH_MS 200
#define ERASE_LINE "\r\033[K"

void progress_start(struct progress *progress, const char *what)
{
	const char *terminal = getenv("TERM");
	int64_t now = clock_machine_ms();
	*progress = (struct progress){.what = what,
		.wanted = isatty(STDERR_FILENO) && !(terminal && strcmp(terminal, "dumb") == 0),
		.began_ms = now,
		.next_ms = now + FIRST_MS};
}

static void print_remaining(int64_t seconds)
{
	if (seconds >= 3600)
		(void)fprintf(stderr, _("  about %d h %d min left"), (int)(seconds / 3600),
			(int)(seconds % 3600 / 60));
	else if (seconds >= 60)
		(void)fprintf(
			stderr, _("  about %d min %d s left"), (int)(seconds / 60), (int)(seconds % 60));
	else
		(void)fprintf(stderr, _("  about %d s left"), (int)seconds);
}

void progress_show(void *ctx, int64_t done, int64_t whole)
{
	struct progress *progress = ctx;
	int64_t now;
	if (!progress->wanted || (now = clock_machine_ms()) < progress->next_ms)
		return;
	progress->next_ms = now + EACH_MS;
	progress->shown = true;
	if (whole <= 0) {
		(void)fprintf(stderr, ERASE_LINE "%s  %lld", progress->what, (long long)done);
		return;
	}
	done = done < 0 ? 0 : done > whole ? whole : done;
	int percent = (int)((double)done * 100 / (double)whole);
	(void)fprintf(stderr, ERASE_LINE "%s  %3d %%  %lld/%lld", progress->what, percent, (long long)done,
		(long long)whole);
	if (done > 0)
		print_remaining((int64_t)((double)(now - progress->began_ms) / 1000 * (double)(whole - done) /
						  (double)done +
					  1));
}

void progress_clear(struct progress *progress)
{
	if (progress->shown)
		(void)fputs(ERASE_LINE, stderr);
	progress->shown = false;
}

void progress_end(struct progress *progress)
{
	progress_clear(progress);
	progress->wanted = false;
}
