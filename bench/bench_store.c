/*
 * bench_store.c - how fast the register takes applications and finds what is due, and how many bytes one declaration costs
 *
 * bench_store [DIRECTORY [APPLICATIONS]]: registers so many applications (default 100,000) in batches of 1,000, each with its history and its
 * receipt; times the questions a role asks all the time; then carries them all to the logo with three letters and
 * weighs the file. The letters are random bytes of the size a packed one has.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/store/store.h"

#define BATCH 1000
#define LETTER_LEN 300
#define T0 ((utc_time)1780000000)

static struct err err;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", err.text);
}

static double now_us(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static void event(struct store *store, int64_t application_id, enum event what, enum state from,
	enum state to, int64_t ref, int64_t number)
{
	const struct history_row row = {.at = T0 + application_id,
		.application_id = application_id,
		.event = what,
		.from = from,
		.to = to,
		.ref = ref,
		.number = number,
		.actor = "daemon"};
	want(history_add(store, &row, &err));
}

static int64_t queue(struct store *store, struct rng *rng, int64_t application_id, const char *name,
	int stage, struct pool *pool)
{
	uint8_t letter[LETTER_LEN];
	rng_bytes(rng, letter, sizeof letter);
	struct notice notice = {
		.application_id = application_id,
		.template_name = name,
		.stage = stage,
		.state = OUTBOX_QUEUED,
		.queued_at = T0,
		.next_try_at = T0,
		.reply = "",
		.recipient = pool_printf(pool, "info@s%lld.example.co.jp", (long long)application_id),
		.domain = pool_printf(pool, "s%lld.example.co.jp", (long long)application_id),
		.message_id =
			pool_printf(pool, "%s.%lld.0@office.example.jp", name, (long long)application_id),
		.bounce_address = pool_printf(
			pool, "bounce+b%lld.4k5j6h7g2a@office.example.jp", (long long)application_id),
	};
	rng_bytes(rng, notice.digest, sizeof notice.digest);
	want(outbox_add(store, &notice, 0, letter, sizeof letter, &err));
	event(store, application_id, EVENT_QUEUE, STATE_NONE, STATE_NONE, notice.id, 0);
	return notice.id;
}

static void register_one(struct store *store, struct rng *rng, int64_t number, struct pool *pool)
{
	struct application app = {
		.state = STATE_RECEIVED,
		.hold_reason = "",
		.star = 1,
		.profile = "form",
		.received_at = T0 + number,
		.applied_on = 20600,
		.clock_start = 20600,
		.stage = 1,
		.due_at = T0 + 7 * 86400 + number / 50,
		.latest_at = T0 + 21 * 86400,
		.id_issued_on = CIVIL_DAY_NONE,
		.logo_authorized_on = CIVIL_DAY_NONE,
		.stopped_on = CIVIL_DAY_NONE,
		.row = (int)number,
	};
	const char *mail = pool_printf(pool, "info@s%lld.example.co.jp", (long long)number);
	const char *corporate = pool_printf(pool, "%013lld", 1000000000000 + (long long)number * 7919);
	const char *values[FIELD_COUNT] = {
		[FIELD_KIND] = "new1",
		[FIELD_PURPOSE] = "security,subsidy",
		[FIELD_PLEDGE] = "true",
		[FIELD_CONTACT] = "見本 花子",
		[FIELD_MAIL] = mail,
		[FIELD_MAIL_CONFIRM] = mail,
		[FIELD_TYPE] = "corporation",
		[FIELD_CORPORATE_NUMBER] = corporate,
		[FIELD_BUSINESS_NAME] = pool_printf(pool, "株式会社サンプル製作所%lld", (long long)number),
		[FIELD_FAMILY_NAME] = "見本",
		[FIELD_GIVEN_NAME] = "太郎",
		[FIELD_POSTAL_CODE] = pool_printf(pool, "%07lld", 1000000 + (long long)number % 8999999),
		[FIELD_PREFECTURE] = "東京都",
		[FIELD_ADDRESS] = pool_printf(pool, "文京区本駒込%lld-28-8 サンプルビル%lld階",
			(long long)number % 6 + 1, (long long)number % 20 + 1),
		[FIELD_TELEPHONE] = pool_printf(pool, "03%08lld", (long long)number * 97 % 100000000),
		[FIELD_EMPLOYEES] = "6-20",
		[FIELD_INDUSTRY] = "24",
		[FIELD_NEWS] = number % 2 ? "true" : "false",
		[FIELD_PRIVACY] = "true",
		[FIELD_TERMS] = "true",
		[FIELD_APPLIED_ON] = "2026-05-28",
	};
	memcpy(app.form.value, values, sizeof values);
	uint8_t digest[SHA256_LEN];
	sha256(digest, corporate, strlen(corporate));
	want(application_add(store, &app, pool_printf(pool, "c:%s", corporate), mail, digest, &err));
	event(store, app.id, EVENT_APPLY, STATE_NONE, STATE_RECEIVED, 1, number);
	(void)queue(store, rng, app.id, "receipt", 0, pool);
}

static void add_all(struct store *store, struct rng *rng, int64_t count)
{
	struct pool *pool = pool_new();
	double start = now_us(), slowest = 0;
	for (int64_t at = 0; at < count; at += BATCH) {
		double batch = now_us();
		want(store_begin(store, &err));
		for (int64_t i = at; i < at + BATCH && i < count; i++) {
			register_one(store, rng, i + 1, pool);
			pool_reset(pool);
		}
		want(store_commit(store, &err));
		batch = now_us() - batch;
		slowest = batch > slowest ? batch : slowest;
	}
	pool_free(&pool);
	double took = now_us() - start;
	(void)printf("register: %.0f rows/s, slowest batch of %d: %.0f ms\n", (double)count / took * 1e6,
		BATCH, slowest / 1e3);
}

static void time_due(struct store *store)
{
	struct due_ref due[20];
	int count, rounds = 200;
	utc_time next;
	double start = now_us();
	for (int i = 0; i < rounds; i++)
		want(application_due(store, T0 + 7 * 86400 + i, 0, 0, due, 20, &count, &err));
	(void)printf("due: %.1f us for 20\n", (now_us() - start) / rounds);
	start = now_us();
	for (int i = 0; i < rounds; i++)
		want(application_due(store, T0, 0, 0, due, 20, &count, &err));
	(void)printf("due: %.1f us when nothing is\n", (now_us() - start) / rounds);
	start = now_us();
	want(application_next_due(store, &next, &err));
	(void)printf("next due: %.1f us\n", now_us() - start);
}

static enum rc count_one(void *ctx, const struct application *app, struct err *ignored)
{
	(void)ignored;
	*(int64_t *)ctx += app->id > 0;
	return RC_OK;
}

/* What a plan of the coming weeks asks. */
static void time_walk(struct store *store)
{
	const struct application_filter filter = {
		.hold = HOLD_NONE, .live_only = true, .due_before = T0 + 30 * 86400};
	int64_t found = 0;
	double start = now_us();
	want(application_each(store, &filter, false, count_one, &found, &err));
	(void)printf("walk over %lld that come due: %.0f ms\n", (long long)found, (now_us() - start) / 1e3);
}

/* The sender's round: claims, all taken by the server, and every stage until the logo. */
static void deliver_all(struct store *store, struct pool *pool)
{
	struct notice notices[100];
	int count;
	double claiming = 0, claims = 0;
	do {
		pool_reset(pool);
		want(store_begin(store, &err));
		double start = now_us();
		want(outbox_claim(store, T0, 100, NULL, notices, &count, pool, &err));
		claiming += now_us() - start;
		claims++;
		for (int i = 0; i < count; i++) {
			notices[i].state = OUTBOX_SENT;
			notices[i].accepted_at = notices[i].first_try_at = T0 + 60;
			notices[i].reply_code = 250;
			notices[i].reply = "2.0.0 Ok: queued as 4XyZ1a2b3cDz9rT";
			want(outbox_update(store, &notices[i], NULL, 0, &err));
			event(store, notices[i].application_id, EVENT_SENT, STATE_NONE, STATE_NONE,
				notices[i].id, 250);
		}
		want(store_commit(store, &err));
	} while (count > 0);
	(void)printf("claim: %.0f us for 100\n", claiming / claims);
}

static void advance_all(struct store *store, struct rng *rng, struct pool *pool, int64_t count,
	enum event what, enum state from, enum state to, const char *name, int stage)
{
	for (int64_t at = 1; at <= count; at += BATCH) {
		want(store_begin(store, &err));
		for (int64_t id = at; id < at + BATCH && id <= count; id++) {
			struct application app;
			pool_reset(pool);
			want(application_get(store, id, &app, pool, &err));
			app.state = to;
			if (to == STATE_ID_ISSUED) {
				app.declaration_id = 40000000000 + (int64_t)rng_below(rng, 10000000000);
				app.user_number = 9000000000 + (int64_t)rng_below(rng, 1000000000);
				(void)number_take(store, app.declaration_id, 1, id, T0, NULL, &err);
				(void)number_take(store, app.user_number, 2, id, T0, NULL, &err);
				app.id_issued_on = 20607;
			} else {
				app.logo_authorized_on = 20614;
				app.due_at = app.latest_at = UTC_NEVER;
				app.stage = STAGE_NONE;
			}
			app.previous_sent_at = T0 + 60;
			want(application_update(store, &app, &err));
			event(store, id, what, from, to, 0, 0);
			(void)queue(store, rng, id, name, stage, pool);
		}
		want(store_commit(store, &err));
	}
}

static void weigh(const char *path, int64_t count, const char *when)
{
	struct stat st;
	if (stat(path, &st) == 0)
		(void)printf("%s: %.0f bytes a declaration\n", when, (double)st.st_size / (double)count);
}

int main(int argc, char **argv)
{
	char directory[256] = "/tmp/sengen-bench-XXXXXX", path[300];
	const int64_t count = argc > 2 ? strtoll(argv[2], NULL, 10) : 100000;
	if (argc > 1)
		(void)snprintf(directory, sizeof directory, "%s", argv[1]);
	else if (!mkdtemp(directory))
		die("no directory for the bench");
	(void)snprintf(path, sizeof path, "%s/bench.db", directory);
	(void)unlink(path);
	const struct store_settings settings = {.path = path, .simulated = true};
	struct rng rng = rng_seeded(1);
	struct pool *pool = pool_new();
	struct store *store;
	want(store_open(&store, &settings, STORE_WRITE, &err));
	add_all(store, &rng, count);
	time_due(store);
	time_walk(store);
	deliver_all(store, pool);
	advance_all(store, &rng, pool, count, EVENT_ISSUE_ID, STATE_RECEIVED, STATE_ID_ISSUED, "id", 1);
	deliver_all(store, pool);
	advance_all(store, &rng, pool, count, EVENT_AUTHORIZE_LOGO, STATE_ID_ISSUED, STATE_LOGO_AUTHORIZED,
		"logo", 2);
	deliver_all(store, pool);
	time_due(store);
	struct audit audit;
	double start = now_us();
	want(audit_run(store, NULL, &audit, &err));
	(void)printf("audit: %.1f s for %lld rows: %s\n", (now_us() - start) / 1e6, (long long)audit.rows,
		audit.fault ? audit.fault : "whole");
	store_close(&store);
	weigh(path, count, "three letters on file");
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	(void)printf("peak memory: %ld KiB\n%s\n", usage.ru_maxrss, path);
	pool_free(&pool);
	return 0;
}
