/*
 * clock.so - a clock that can be put ahead and back while real processes run
 *
 * Preloaded into the daemon; the time of day is the machine's and so many seconds more (or less) as stand in the page that SOAK_CLOCK names. A page that is mapped,
 * not a file that is read: it serves processes that may open nothing any more, and moves for all of them at once. The monotonic clock is left alone, as it is
 * where somebody sets a machine's clock.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const _Atomic int64_t *ahead;

__attribute__((constructor)) static void open_page(void)
{
	const char *path = getenv("SOAK_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return;
	void *page = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, fd, 0);
	if (page != MAP_FAILED)
		ahead = page;
	(void)close(fd);
}

int clock_gettime(clockid_t clock, struct timespec *at)
{
	int status = (int)syscall(SYS_clock_gettime, clock, at);
	if (status == 0 && ahead && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		at->tv_sec += atomic_load(ahead);
	return status;
}

time_t time(time_t *out)
{
	struct timespec at = {0};
	(void)clock_gettime(CLOCK_REALTIME, &at);
	if (out)
		*out = at.tv_sec;
	return at.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone)
{
	struct timespec at = {0};
	(void)zone;
	(void)clock_gettime(CLOCK_REALTIME, &at);
	*out = (struct timeval){.tv_sec = at.tv_sec, .tv_usec = at.tv_nsec / 1000};
	return 0;
}
