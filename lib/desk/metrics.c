/*
 * Prometheus' text format 0.0.4: sengen_… names in base units, HELP and TYPE once a family, counters with _total. Labels are names of the office's own
 * (states, checks, disks), never a value from outside.
 */
#include <inttypes.h>
#include <string.h>

#include "lib/desk/health.h"

static void family(struct str *out, const char *name, const char *type, const char *help)
{
	str_printf(out, "# HELP sengen_%s %s\n# TYPE sengen_%s %s\n", name, help, name, type);
}

/* Names of checks hold what the configuration says, such as a selector. */
static void label(struct str *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			str_addc(out, '\\');
		if (*value == '\n')
			str_addz(out, "\\n");
		else
			str_addc(out, *value);
	}
}

static void sample(struct str *out, const char *name, const char *key, const char *value, int64_t number)
{
	str_printf(out, "sengen_%s", name);
	if (key) {
		str_printf(out, "{%s=\"", key);
		label(out, value);
		str_addz(out, "\"}");
	}
	str_printf(out, " %" PRId64 "\n", number);
}

static void single(struct str *out, const char *name, const char *type, const char *help, int64_t number)
{
	family(out, name, type, help);
	sample(out, name, NULL, "", number);
}

/* ---- what the register counts ---- */

static enum rc print_totals(struct office *office, struct str *out, struct err *err)
{
	static const struct {
		enum daily kind;
		const char *name, *help;
	} counters[] = {
		{DAILY_FILES, "files_total", "Form files taken."},
		{DAILY_APPLICATIONS, "applications_total", "Applications registered."},
		{DAILY_REFUSED, "rows_refused_total", "Rows of form files that were refused."},
		{DAILY_QUEUED, "notices_queued_total", "Notices queued."},
		{DAILY_SENT, "notices_sent_total", "Notices the mail server took."},
		{DAILY_FAILED, "notices_failed_total", "Notices given up."},
		{DAILY_MAILS, "requests_total", "Requests that came in by mail."},
		{DAILY_BOUNCES, "bounces_total", "Notices that came back."},
		{DAILY_IDS, "ids_issued_total", "Declaration IDs issued."},
		{DAILY_LOGOS, "logos_authorized_total", "Logos authorized."},
		{DAILY_STOPS, "stops_total", "Declarations that were stopped."},
		{DAILY_REVIEWS, "reviews_total", "Applications and requests put into review."},
	};
	int64_t sum[DAILY_COUNT];
	enum rc rc = daily_sum(office->store, sum, err);
	for (size_t i = 0; i < sizeof counters / sizeof *counters && rc == RC_OK; i++)
		single(out, counters[i].name, "counter", counters[i].help, sum[counters[i].kind]);
	return rc;
}

static void print_states(const struct tally *tally, struct str *out)
{
	family(out, "declarations", "gauge", "Applications on file by state.");
	for (int i = STATE_NONE + 1; i < STATE_COUNT; i++)
		sample(out, "declarations", "state", state_name((enum state)i), tally->books.by_state[i]);
	family(out, "outbox", "gauge", "Notices in the register by state.");
	for (int i = OUTBOX_QUEUED; i <= OUTBOX_CANCELLED; i++)
		sample(out, "outbox", "state", outbox_state_name((enum outbox_state)i), tally->outbox[i]);
	family(out, "review", "gauge", "What waits for a person to decide.");
	sample(out, "review", "kind", "application", tally->review_applications);
	sample(out, "review", "kind", "request", tally->review_requests);
	family(out, "paused", "gauge", "1 where staff paused a part of the work.");
	for (int i = PAUSE_INTAKE; i < PAUSE_COUNT; i++)
		sample(out, "paused", "work", pause_name((enum pause)i), tally->holds.paused[i]);
	single(out, "held_applications", "gauge", "Applications that staff hold.", tally->books.held);
	single(out, "due_today", "gauge", "Notices due today by plan.", tally->due_today);
	single(out, "due_tomorrow", "gauge", "Notices due tomorrow by plan.", tally->due_tomorrow);
	single(out, "overdue", "gauge", "Applications past the latest day of their next notice.",
		tally->overdue);
	single(out, "open_batches", "gauge", "Batches of notices that wait for a person.",
		tally->open_batches);
	single(out, "last_file_timestamp_seconds", "gauge", "When the last form file was taken; 0: never.",
		tally->last[DAILY_FILES]);
	single(out, "last_sent_timestamp_seconds", "gauge",
		"When the mail server last took a notice; 0: never.", tally->last[DAILY_SENT]);
	single(out, "last_request_timestamp_seconds", "gauge",
		"When the last request came in by mail; 0: never.", tally->last[DAILY_MAILS]);
}

/* ---- checks ---- */

/* Checks whose measure is worth a family of its own. A prefix ends in ':', what follows is the label. */
static const struct measure {
	const char *check, *name, *key, *help;
	bool not_zero; /* 0: that one has no measure */
} measures[] = {
	{"role:", "role_last_sign_age_seconds", "role", "Age of a role's last sign of life.", false},
	{"queue", "outbox_oldest_age_seconds", NULL, "Age of the oldest queued notice.", false},
	{"fetch", "mailbox_last_fetch_age_seconds", NULL, "Age of the last good look at the mailbox.", false},
	{"review", "review_oldest_age_seconds", NULL, "Age of the oldest case in review.", false},
	{"clock", "clock_behind_history_seconds", NULL, "How far the clock is behind the history.", false},
	{"disk-spool", "spool_free_bytes", NULL, "Free room on the spool's file system.", false},
	{"disk-state", "state_free_bytes", NULL, "Free room on the register's file system.", false},
	{"late", "late", NULL, "Notices that have missed, or will soon miss, their latest day.", false},
	{"books", "books_differences", NULL, "What the evening's books could not explain.", false},
	{"credential:", "credential_remaining_seconds", "credential", "Time until a certificate runs out.",
		true},
};
#define MEASURES (sizeof measures / sizeof *measures)

struct checks {
	struct str level, measured[MEASURES];
};

static enum rc note_check(void *ctx, const struct health_item *item, struct err *err)
{
	(void)err;
	struct checks *checks = ctx;
	sample(&checks->level, "health", "check", item->name, item->level);
	for (size_t i = 0; i < MEASURES; i++) {
		const struct measure *measure = &measures[i];
		if (measure->key && str_has_prefix(item->name, measure->check) &&
			(item->value != 0 || !measure->not_zero))
			sample(&checks->measured[i], measure->name, measure->key,
				item->name + strlen(measure->check), item->value);
		else if (!measure->key && strcmp(item->name, measure->check) == 0)
			sample(&checks->measured[i], measure->name, NULL, "", item->value);
	}
	return RC_OK;
}

static enum rc print_checks(
	struct office *office, const struct tally *tally, struct str *out, struct err *err)
{
	struct checks checks = {.level = STR_INIT};
	struct pool *pool = pool_new();
	enum health_level worst = HEALTH_GOOD;
	for (size_t i = 0; i < MEASURES; i++)
		checks.measured[i] = STR_INIT;
	enum rc rc = health_check(office, tally, note_check, &checks, &worst, pool, err);
	if (rc == RC_OK) {
		family(out, "health", "gauge", "Each check of sengenctl health: 0 good, 1 warning, 2 bad.");
		str_add(out, checks.level.s, checks.level.len);
		single(out, "health_worst", "gauge", "The worst of all checks.", worst);
	}
	for (size_t i = 0; i < MEASURES; i++) {
		if (rc == RC_OK && checks.measured[i].len) {
			family(out, measures[i].name, "gauge", measures[i].help);
			str_add(out, checks.measured[i].s, checks.measured[i].len);
		}
		str_free(&checks.measured[i]);
	}
	str_free(&checks.level);
	pool_free(&pool);
	return rc;
}

enum rc metrics_print(struct office *office, const struct tally *tally, struct str *out, struct err *err)
{
	family(out, "build_info", "gauge", "The version that runs.");
	sample(out, "build_info", "version", SENGEN_VERSION, 1);
	single(out, "timestamp_seconds", "gauge", "When this was written.", tally->at);
	int64_t rows = 0;
	uint8_t head[SHA256_LEN];
	enum rc rc = history_head(office->store, &rows, head, err);
	single(out, "history_rows_total", "counter", "Rows of the history.", rows);
	print_states(tally, out);
	rc = rc ? rc : print_totals(office, out, err);
	return rc ? rc : print_checks(office, tally, out, err);
}
