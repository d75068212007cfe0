/*
 * scheduler.c - the scheduler's step: with nothing due, and with many due at once; through the real code, on a clock of its own
 *
 * scheduler idle CONFIG STEPS            so many steps on a register where nothing is due any more
 * scheduler query CONFIG STEPS           likewise the bare indexed query that any such step needs
 * scheduler prepare CONFIG COUNT         registers so many applications (intake: without reading a form) and has their receipts taken by the server (send: claims and answers, without
 *                                        a line), all of them due at one moment, which it prints last
 * scheduler run CONFIG MOMENT            steps at that moment (UTC seconds) until nothing is due
 *
 * Prints the harness's figures.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peers/seconds.h"
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

#define ROUNDS 200

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;
	return left < right ? -1 : left > right;
}

/* The median of rounds of many: what the machine does besides hits few of them. */
static void time_many(void (*ask)(void), int64_t times)
{
	double took[ROUNDS];
	int64_t each = times / ROUNDS;
	for (int i = 0; i < ROUNDS; i++) {
		double start = seconds(CLOCK_MONOTONIC);
		for (int64_t k = 0; k < each; k++)
			ask();
		took[i] = (seconds(CLOCK_MONOTONIC) - start) / (double)each * 1e6;
	}
	qsort(took, ROUNDS, sizeof *took, by_size);
	(void)printf("figure step %.2f us\n", took[ROUNDS / 2]);
}

static void step_once(void)
{
	struct step_result step;
	want(office_run_due(&office, STEP, &step, &err));
	if (step.done)
		die("something was due");
}

static void query_once(void)
{
	struct due_ref due;
	int count;
	want(application_due(office.store, clock_now(&office_clock), INT64_MIN, 0, &due, 1, &count, &err));
}

/* A moment at which nothing is due yet, so that nothing is carried out on a register that others measure too; the first step notes the limits of that day. */
static void idle(int64_t steps)
{
	utc_time now = clock_now(&office_clock), first = 0;
	want(application_next_due(office.store, &first, &err));
	office_clock = clock_virtual(first <= now ? first - 1 : now);
	step_once();
	time_many(step_once, steps);
}

static void query(int64_t times)
{
	time_many(query_once, times);
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
	double start = seconds(CLOCK_MONOTONIC);
	for (int64_t at = 1; at <= count; at += BATCH_APPLICATIONS) {
		want(store_begin(office.store, &err));
		for (int64_t n = at; n < at + BATCH_APPLICATIONS && n <= count; n++)
			apply(n);
		want(store_commit(office.store, &err));
		pool_reset(pool);
	}
	(void)printf(
		"figure intake %.0f applications/s\n", (double)count / (seconds(CLOCK_MONOTONIC) - start));
	start = seconds(CLOCK_MONOTONIC);
	send_all();
	(void)printf("figure send %.0f notices/s\n", (double)count / (seconds(CLOCK_MONOTONIC) - start));
	want(application_next_due(office.store, &last, &err));
	while (!calendar_is_open(&settings->calendar, last))
		last = calendar_next_open(&settings->calendar, last);
	(void)printf("%" PRId64 "\n", last);
}

static void run(utc_time moment)
{
	struct step_result step = {.done = 0};
	office_clock = clock_virtual(moment);
	int64_t done = 0, steps = 0;
	double start = seconds(CLOCK_MONOTONIC), processor = seconds(CLOCK_PROCESS_CPUTIME_ID);
	do {
		want(office_run_due(&office, STEP, &step, &err));
		done += step.done;
		steps++;
	} while (step.done > 0);
	(void)printf("figure rate %.0f declarations/s\nfigure cpu %.1f us/declaration\nfigure done %" PRId64
		     " declarations\nfigure steps %" PRId64 " steps\n",
		(double)done / (seconds(CLOCK_MONOTONIC) - start),
		(seconds(CLOCK_PROCESS_CPUTIME_ID) - processor) / (double)(done ? done : 1) * 1e6, done,
		steps);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: scheduler idle|query|prepare|run CONFIG NUMBER");
	int64_t number = strtoll(argv[3], NULL, 10);
	log_open("scheduler", LEVEL_FAULT);
	open_office(argv[2]);
	if (strcmp(argv[1], "idle") == 0)
		idle(number);
	else if (strcmp(argv[1], "query") == 0)
		query(number);
	else if (strcmp(argv[1], "prepare") == 0)
		prepare(number);
	else if (strcmp(argv[1], "run") == 0)
		run(number);
	else
		die("%s is none of idle, query, prepare, run", argv[1]);
	close_office();
	return 0;
}
