/* Time and chance, in the place of the system's: both follow from the run. */
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "tests/faults/fault_p.h"
#include "tests/faults/real.h"

time_t __wrap_time(time_t *out);
int __wrap_clock_gettime(clockid_t clock, struct timespec *at);
int __wrap_nanosleep(const struct timespec *pause, struct timespec *left);
int __wrap_RAND_bytes(unsigned char *out, int len);
int __wrap_adjtimex(struct timex *timex);
pid_t __wrap_getpid(void);

static struct {
	utc_time now; /* true time */
	int64_t office_off; /* what the office's clock shows beside it */
	int64_t ms; /* of the machine */
} * moment;

static void ready(void)
{
	if (moment)
		return;
	moment = mmap(NULL, sizeof *moment, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (moment == MAP_FAILED)
		die("no shared memory");
}

void fault_time_begin(utc_time now)
{
	ready();
	moment->now = now;
	moment->office_off = 0;
	moment->ms = now * 1000;
}

void fault_time_set(utc_time now)
{
	moment->now = now;
	if (moment->ms < now * 1000)
		moment->ms = now * 1000;
}

utc_time fault_time(void)
{
	return moment ? moment->now : 0;
}

void fault_wait(int64_t ms)
{
	moment->ms += ms;
}

void fault_clock_set_off(int64_t seconds)
{
	moment->office_off = seconds;
}

int64_t fault_clock_off(void)
{
	return moment->office_off;
}

time_t __wrap_time(time_t *out)
{
	if (out)
		*out = moment->now + moment->office_off;
	return moment->now + moment->office_off;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *at)
{
	if (!moment)
		return __real_clock_gettime(clock, at);
	if (clock == CLOCK_REALTIME) {
		*at = (struct timespec){.tv_sec = moment->now + moment->office_off};
		return 0;
	}
	/* No call is at the same moment as the one before it, so that what is bounded by time ends. */
	moment->ms++;
	*at = (struct timespec){.tv_sec = moment->ms / 1000, .tv_nsec = moment->ms % 1000 * 1000000};
	return 0;
}

int __wrap_nanosleep(const struct timespec *pause, struct timespec *left)
{
	(void)left;
	fault_wait(pause->tv_sec * 1000 + pause->tv_nsec / 1000000 + 1);
	return 0;
}

int __wrap_RAND_bytes(unsigned char *out, int len)
{
	for (int i = 0; i < len; i++)
		out[i] = (unsigned char)fault_draw(256);
	return 1;
}

int __wrap_adjtimex(struct timex *timex)
{
	memset(timex, 0, sizeof *timex);
	return TIME_OK;
}

pid_t __wrap_getpid(void)
{
	return 1000 + fault_life_number();
}
