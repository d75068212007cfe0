/* The driver: seeds, workers, lives. See fault.h. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "daemon/turn.h"
#include "lib/base/civil.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "tests/faults/disk.h"
#include "tests/faults/fault_p.h"
#include "tests/faults/heap.h"
#include "tests/faults/invariant.h"
#include "tests/faults/memory.h"
#include "tests/faults/peer.h"
#include "tests/faults/real.h"
#include "tests/faults/season.h"

#define LIVES_MAX 8 /* with faults; a calm one follows */
#define QUIET_DAYS 40
#define HANG_SECONDS 20 /* real ones */
#define WORKERS_MAX 64
#define DAY 86400

enum { LIFE_OVER, LIFE_FAILED }; /* how a life ends by itself; the exit status of its process */

struct options {
	uint64_t first, last;
	int workers;
	bool trace, coverage, keep;
};

/* ---- one life ---- */

static void show_time(struct turn *turn)
{
	utc_time shown = fault_time() + fault_clock_off();
	clock_set(&turn->house.clock, shown);
	for (int i = 0; i < TURN_ROLES; i++)
		clock_set(&turn->ctx[i].clock, shown);
}

/* The clock jumps, by minutes, days or weeks; some time later somebody sets it right. */
static void upset_clock(void)
{
	static const int64_t spans[] = {600, 2 * DAY, 40 * DAY};
	int64_t off = fault_clock_off();
	if (off && (fault_is_calm() || fault_draw(8) == 0))
		off = 0;
	if (fault_strikes(FAULT_CLOCK_BACK, "clock"))
		off -= (int64_t)fault_draw((uint64_t)spans[fault_draw(3)]);
	if (fault_strikes(FAULT_CLOCK_FORTH, "clock"))
		off += (int64_t)fault_draw((uint64_t)spans[fault_draw(3)]);
	if (off != fault_clock_off())
		fault_trace("the clock is %lld s off", (long long)off);
	fault_clock_set_off(off);
}

/* When the roles run again. They would look every few seconds; a machine that is that busy looks later, and a run is done in milliseconds: mostly once in
 * an office day, sometimes a moment later, sometimes at night. */
static utc_time next_look(utc_time now, utc_time wanted)
{
	uint64_t pick = fault_is_calm() ? 7 : fault_draw(8);
	utc_time at = now + 1 + (utc_time)fault_draw(pick == 0 ? 60 : 12 * 3600);
	if (pick > 1)
		at = civil_moment(
			civil_day_of(now) + 1 + (civil_day)fault_draw(2), 570 + (int)fault_draw(450));
	if (pick == 0 && wanted > at && wanted < now + DAY)
		at = wanted;
	utc_time event = season_next();
	return event > now && event < at ? event : at;
}

static bool open_office(struct turn *turn, struct err *err)
{
	const struct clock clock = clock_virtual(fault_time() + fault_clock_off());
	const struct rng rng = rng_seeded(fault_draw(UINT64_MAX));
	disk_attach();
	return turn_open(turn, season_config(), &clock, &rng, false, err) == RC_OK;
}

static void work_through(struct turn *turn, utc_time end)
{
	while (fault_time() < end || season_next() <= end) {
		utc_time next = UTC_NEVER;
		struct err err = {0};
		upset_clock();
		show_time(turn);
		fault_trace("at day %" PRId64 " + %" PRId64 " s", (fault_time() - season_start()) / DAY,
			(fault_time() - season_start()) % DAY);
		season_do(turn, fault_time());
		show_time(turn);
		if (turn_pass(turn, fault_time() + fault_clock_off(), &next, &err))
			fault_trace("a role failed: %s", err.text);
		fault_time_set(next_look(fault_time(), next == UTC_NEVER ? next : next - fault_clock_off()));
	}
}

static _Noreturn void live(void)
{
	struct turn turn = {0};
	struct err err = {0};
	heap_enter();
	disk_ready();
	fault_trace("life %d at %" PRId64, fault_life_number(), fault_time());
	if (!open_office(&turn, &err)) {
		fault_trace("not opened: %s", err.text);
		if (fault_is_calm())
			fault_broken("the office does not open: %s", err.text);
		__real__exit(LIFE_FAILED);
	}
	work_through(&turn, season_end() + (fault_is_calm() ? QUIET_DAYS * DAY : 0));
	if (fault_is_calm())
		invariant_check(&turn);
	turn_close(&turn);
	__real__exit(LIFE_OVER);
}

/* ---- a register with its schema, for runs that are not about making one ---- */

static struct str template_bytes;

static void register_path(char out[512], const char *directory)
{
	(void)snprintf(out, 512, "%s/state/register.db", directory);
}

/* A whole season without faults in the worker's own process. Closing moves all into the one file, which is where other runs begin; and the libraries have
 * loaded and reckoned what they do when they are first asked, so that no life does it again. */
static void rehearse(const char *directory)
{
	char path[512];
	struct err err = {0};
	fault_calm();
	register_path(path, directory);
	template_bytes = STR_INIT;
	for (int life = 0; life < 2; life++) {
		struct turn turn = {0};
		if (!open_office(&turn, &err))
			die("no register to begin with: %s", err.text);
		if (life == 1)
			work_through(&turn, season_end());
		turn_close(&turn);
		if (life == 0 && file_read(&template_bytes, path, 1 << 24, &err))
			die("%s", err.text);
	}
}

static void template_place(const char *directory)
{
	char path[512];
	struct err err = {0};
	register_path(path, directory);
	if (file_write(path, template_bytes.s, template_bytes.len, 0640, &err))
		die("%s", err.text);
}

/* ---- one run ---- */

static void hanging(int number)
{
	(void)number;
	static const char text[] = "a life hangs\n";
	(void)!__real_write(STDERR_FILENO, text, sizeof text - 1);
	__real__exit(99);
}

/* Returns whether the life ended by itself, with its season over. */
static bool run_life(void)
{
	int status = 0;
	fault_life();
	pid_t child = fork();
	if (child < 0)
		die("no process for a life");
	if (child == 0) {
		(void)signal(SIGALRM, hanging);
		(void)alarm(HANG_SECONDS);
		live();
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		fault_broken("the process died by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) > LIFE_FAILED)
		fault_broken("the process ended with status %d", WEXITSTATUS(status));
	return fault_death() == FAULT_KINDS && WEXITSTATUS(status) == LIFE_OVER;
}

/* A supervisor starts it again at once; or the machine is down for longer. */
static void pause_between_lives(void)
{
	static const uint64_t spans[] = {10, 3600, 3 * DAY, 21 * DAY};
	uint64_t pick = fault_draw(16);
	fault_time_set(fault_time() + 1 +
		       (utc_time)fault_draw(spans[pick < 10   ? 0
						  : pick < 14 ? 1
						  : pick < 15 ? 2
							      : 3]));
}

static void begin_run(uint64_t seed, const char *directory)
{
	fault_begin(seed);
	disk_begin();
	peer_new();
	disk_outside(true);
	season_new(directory);
	disk_outside(false);
	fault_time_begin(season_start());
}

/* What is the same in all runs of a worker. */
static void prepare(const char *directory)
{
	begin_run(0, directory);
	memory_learn(season_config());
	rehearse(directory);
	season_free();
	peer_free();
}

static void run_seed(uint64_t seed, const char *directory)
{
	begin_run(seed, directory);
	memory_desk_mails(fault_draw(6) == 0);
	if (fault_draw(8)) {
		disk_outside(true);
		template_place(directory);
		disk_outside(false);
	}
	for (int life = 0; life <= LIVES_MAX && !fault_is_broken(); life++) {
		bool over = run_life();
		if (fault_death() == FAULT_POWER)
			disk_cut();
		else if (fault_death() == FAULT_CRASH)
			disk_keep();
		if (fault_is_calm())
			break;
		if (over || life == LIVES_MAX - 1) {
			/* What the last life with faults left is not safe for that it ended well. */
			fault_calm();
			fault_clock_set_off(0);
			life = LIVES_MAX - 1;
		}
		pause_between_lives();
	}
	season_free();
	peer_free();
}

/* ---- many ---- */

struct totals { /* shared by driver and workers */
	struct fault_tally tally[WORKERS_MAX];
};

static int work(const struct options *options, int worker, struct fault_tally *tally)
{
	fault_setup(tally, options->trace ? stdout : NULL);
	json_object_seed(1);
	heap_new();
	log_open("sengend", options->trace ? LEVEL_NOTICE : LEVEL_BROKEN);
	const char *directory = disk_new();
	prepare(directory);
	for (uint64_t seed = options->first + (uint64_t)worker; seed <= options->last;
		seed += (uint64_t)options->workers) {
		run_seed(seed, directory);
		if (!fault_is_broken())
			continue;
		tally->failed++;
		(void)printf("seed %" PRIu64 ": %s\n", seed, fault_broken_text());
		(void)fflush(stdout);
	}
	if (options->keep)
		(void)printf("kept: %s\n", directory);
	else
		disk_free();
	(void)fflush(stdout);
	return 0;
}

static void add_tally(struct fault_tally *sum, const struct fault_tally *one)
{
	sum->seeds += one->seeds;
	sum->lives += one->lives;
	sum->failed += one->failed;
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		sum->struck[kind] += one->struck[kind];
	for (size_t i = 0; i < FAULT_PLACES; i++) {
		const struct fault_place *from = &one->place[i];
		for (size_t j = 0; from->where[0] && j < FAULT_PLACES; j++) {
			struct fault_place *to = &sum->place[j];
			if (!to->where[0])
				memcpy(to->where, from->where, sizeof to->where);
			if (strcmp(to->where, from->where) != 0)
				continue;
			to->passed += from->passed;
			for (int kind = 0; kind < FAULT_KINDS; kind++)
				to->struck[kind] += from->struck[kind];
			break;
		}
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct fault_place *)a)->where, ((const struct fault_place *)b)->where);
}

static void print_coverage(struct fault_tally *sum)
{
	qsort(sum->place, FAULT_PLACES, sizeof *sum->place, by_name);
	for (size_t i = 0; i < FAULT_PLACES; i++) {
		const struct fault_place *place = &sum->place[i];
		if (!place->where[0])
			continue;
		(void)printf("%-50s passed %" PRIu64, place->where, place->passed);
		for (int kind = 0; kind < FAULT_KINDS; kind++)
			if (place->struck[kind])
				(void)printf(" %s %" PRIu64, fault_name((enum fault_kind)kind),
					place->struck[kind]);
		(void)putchar('\n');
	}
}

static void print_sum(const struct options *options, const struct totals *totals, double seconds)
{
	struct fault_tally *sum = calloc(1, sizeof *sum);
	if (!sum)
		die("no memory");
	for (int i = 0; i < options->workers; i++)
		add_tally(sum, &totals->tally[i]);
	if (options->coverage)
		print_coverage(sum);
	(void)printf("figure: faults: %" PRIu64 " seeds, %" PRIu64 " failed, %" PRIu64
		     " lives, %.0f seeds/s;",
		sum->seeds, sum->failed, sum->lives, (double)sum->seeds / seconds);
	for (int kind = 0; kind < FAULT_KINDS; kind++)
		(void)printf(" %s %" PRIu64, fault_name((enum fault_kind)kind), sum->struck[kind]);
	(void)putchar('\n');
	free(sum);
}

static int run_all(const struct options *options)
{
	struct totals *totals =
		mmap(NULL, sizeof *totals, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec begin, end;
	if (totals == MAP_FAILED)
		die("no shared memory");
	int status = 0, broken = 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &begin);
	for (int i = 0; i < options->workers; i++) {
		pid_t child = fork();
		if (child < 0)
			die("no process for a worker");
		if (child == 0)
			__real__exit(work(options, i, &totals->tally[i]));
	}
	while (wait(&status) > 0)
		broken |= status;
	(void)clock_gettime(CLOCK_MONOTONIC, &end);
	uint64_t failed = 0;
	for (int i = 0; i < options->workers; i++)
		failed += totals->tally[i].failed;
	if (!options->trace)
		print_sum(options, totals,
			(double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
	return failed || broken ? 1 : 0;
}

static int usage(void)
{
	(void)fputs(
		"Usage: faults [--jobs N] [--coverage] --seeds FIRST-LAST | --seed N [--trace] [--keep]\n",
		stderr);
	return 2;
}

int main(int argc, char **argv)
{
	enum { OPTION_SEED, OPTION_SEEDS, OPTION_JOBS, OPTION_TRACE, OPTION_COVERAGE, OPTION_KEEP };
	static const struct option known[] = {{"seed", required_argument, NULL, OPTION_SEED},
		{"seeds", required_argument, NULL, OPTION_SEEDS},
		{"jobs", required_argument, NULL, OPTION_JOBS}, {"trace", no_argument, NULL, OPTION_TRACE},
		{"coverage", no_argument, NULL, OPTION_COVERAGE}, {"keep", no_argument, NULL, OPTION_KEEP},
		{0}};
	struct options options = {.workers = 1};
	int option;
	char *rest = NULL;
	while ((option = getopt_long(argc, argv, "", known, NULL)) >= 0) {
		switch (option) {
		case OPTION_SEED:
			options.first = options.last = strtoull(optarg, &rest, 10);
			break;
		case OPTION_SEEDS:
			options.first = strtoull(optarg, &rest, 10);
			options.last = *rest == '-' ? strtoull(rest + 1, NULL, 10) : options.first;
			break;
		case OPTION_JOBS:
			options.workers = atoi(optarg);
			break;
		case OPTION_TRACE:
			options.trace = true;
			break;
		case OPTION_KEEP:
			options.keep = true;
			break;
		case OPTION_COVERAGE:
			options.coverage = true;
			break;
		default:
			return usage();
		}
	}
	if (!rest || optind < argc || options.workers < 1 || options.workers > WORKERS_MAX ||
		options.last < options.first)
		return usage();
	return run_all(&options);
}
