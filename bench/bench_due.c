/*
 * bench_due.c - the scheduler's step: with nothing due, and with many due at once
 *
 * bench_due idle CONFIG STEPS            so many steps on a register where nothing is due now: microseconds a step, and those of the bare indexed query
 * bench_due prepare CONFIG COUNT         registers so many applications with their receipts delivered, all of them due at one moment, and says which
 * bench_due run CONFIG MOMENT            steps at that moment (UTC seconds) until nothing is due: seconds of the processor and of the clock
 *
 * Through the real code, on a clock of its own; figures go to stdout as NAME VALUE.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/base/host.h"
#include "lib/base/log.h"
#include "lib/office/office.h"
#include "lib/store/store_p.h"

#define STEP 200 /* stages a step, as the role has them */
#define BATCH_APPLICATIONS 500

static struct err err;
static struct office office;
static struct clock office_clock;
static struct rng rng;
static struct secrets secrets;
static struct settings *settings;
static struct pool *pool;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", err.text);
}

static double now_seconds(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static double processor_seconds(void)
{
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void open_office(const char *config)
{
	struct str host = STR_INIT;
	pool = pool_new();
	rng = rng_system();
	office_clock = clock_system();
	want(settings_load(&settings, config, &err));
	settings->receipt_ceiling = settings->ceiling_minimum =
		INT32_MAX; /* nobody answers its question here */
	want(secrets_load(&secrets, settings, false, &err));
	host_identity(&host);
	const struct store_settings where = {
		.path = settings->store_path, .witness = settings->witness_path, .host = host.s};
	office = (struct office){
		.settings = settings, .secrets = &secrets, .clock = &office_clock, .rng = &rng};
	want(store_open(&office.store, &where, STORE_WRITE, &err));
	office_open(&office);
	want(office_load_templates(&office, &err));
	str_free(&host);
}

static void close_office(void)
{
	office_close(&office);
	store_close(&office.store);
	secrets_free(&secrets);
	settings_free(&settings);
	pool_free(&pool);
}

/* ---- nothing due ---- */

static void idle(int64_t steps)
{
	struct step_result step;
	do
		want(office_run_due(&office, STEP, &step, &err));
	while (step.done > 0);
	double start = now_seconds();
	for (int64_t i = 0; i < steps; i++)
		want(office_run_due(&office, STEP, &step, &err));
	(void)printf("step_us %.2f\n", (now_seconds() - start) / (double)steps * 1e6);

	struct due_ref due;
	int count;
	utc_time now = clock_now(&office_clock);
	start = now_seconds();
	for (int64_t i = 0; i < steps; i++)
		want(application_due(office.store, now, INT64_MIN, 0, &due, 1, &count, &err));
	(void)printf("query_us %.2f\n", (now_seconds() - start) / (double)steps * 1e6);
}

/* ---- many due ---- */

static void apply(int64_t number)
{
	struct form_values form = {.value = {
					   [FIELD_KIND] = "new1",
					   [FIELD_PURPOSE] = "security",
					   [FIELD_PLEDGE] = "true",
					   [FIELD_TYPE] = "sole",
					   [FIELD_FAMILY_NAME] = "見本",
					   [FIELD_GIVEN_NAME] = "太郎",
					   [FIELD_PREFECTURE] = "東京都",
					   [FIELD_NEWS] = "false",
					   [FIELD_PRIVACY] = "true",
					   [FIELD_TERMS] = "true",
				   }};
	int64_t id;
	bool review;
	form.value[FIELD_CONTACT] = pool_printf(pool, "見本 花子%" PRId64, number % 97);
	form.value[FIELD_ADDRESS] =
		pool_printf(pool, "見本区例示町%" PRId64 "-%" PRId64, number % 61, number);
	form.value[FIELD_BUSINESS_NAME] = pool_printf(pool, "サンプル商店%" PRId64, number);
	form.value[FIELD_MAIL] = pool_printf(pool, "info%" PRId64 "@due.example.co.jp", number);
	form.value[FIELD_MAIL_CONFIRM] = form.value[FIELD_MAIL];
	want(office_register(&office, &form, NULL, 0, (int)number, &id, &review, &err));
}

static void send_all(void)
{
	struct notice notice[50];
	struct delivery delivery = {.outcome = OUTCOME_ACCEPTED, .phase = "dot", .reply_code = 250};
	(void)snprintf(delivery.reply, sizeof delivery.reply, "2.0.0 Ok: queued as 4XyZ1a2b3c");
	for (int count = 1; count > 0;) {
		want(store_begin(office.store, &err));
		want(outbox_claim(
			office.store, clock_now(&office_clock), 50, NULL, notice, &count, pool, &err));
		for (int i = 0; i < count; i++)
			want(office_delivered(&office, &notice[i], &delivery, "", 0, &err));
		want(store_commit(office.store, &err));
		pool_reset(pool);
	}
}

/* In business hours of the office's next Wednesday, so that all come due on one Wednesday. */
static utc_time next_wednesday(void)
{
	civil_day day = civil_day_of(clock_now(&office_clock)) + 1;
	while (civil_weekday(day) != 3)
		day++;
	return civil_moment(day, 10 * 60);
}

static void prepare(int64_t count)
{
	utc_time last = 0;
	office_clock = clock_virtual(next_wednesday());
	for (int64_t at = 1; at <= count; at += BATCH_APPLICATIONS) {
		want(store_begin(office.store, &err));
		for (int64_t n = at; n < at + BATCH_APPLICATIONS && n <= count; n++)
			apply(n);
		want(store_commit(office.store, &err));
		pool_reset(pool);
	}
	send_all();
	want(application_next_due(office.store, &last, &err));
	while (!calendar_is_open(&settings->calendar, last))
		last = calendar_next_open(&settings->calendar, last);
	(void)printf("moment %" PRId64 "\n", last);
}

static void run(utc_time moment)
{
	struct step_result step = {.done = 0};
	office_clock = clock_virtual(moment);
	int64_t done = 0, steps = 0;
	double start = now_seconds(), processor = processor_seconds();
	do {
		want(office_run_due(&office, STEP, &step, &err));
		done += step.done;
		steps++;
	} while (step.done > 0);
	(void)printf("done %" PRId64 "\nsteps %" PRId64 "\nseconds %.4f\nprocessor %.4f\n", done, steps,
		now_seconds() - start, processor_seconds() - processor);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: bench_due idle|prepare|run CONFIG NUMBER");
	int64_t number = strtoll(argv[3], NULL, 10);
	log_open("bench_due", LEVEL_FAULT);
	open_office(argv[2]);
	if (strcmp(argv[1], "idle") == 0)
		idle(number);
	else if (strcmp(argv[1], "prepare") == 0)
		prepare(number);
	else if (strcmp(argv[1], "run") == 0)
		run(number);
	else
		die("%s is none of idle, prepare, run", argv[1]);
	close_office();
	return 0;
}
