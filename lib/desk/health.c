#include "lib/desk/health.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/i18n.h"
#include "lib/desk/digest.h"
#include "lib/desk/silence.h"
#include "lib/desk/report.h"
#include "lib/mail/dkim.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400
#define QUEUE_WARN HOUR /* a notice that could have been tried for so long */
#define QUEUE_BAD (6 * HOUR)
#define FETCH_LOOKS 10 /* looks at the mailbox that may fail in a row */
#define FETCH_LEAST (15 * MINUTE)
#define REVIEW_WARN (3 * DAY)
#define REVIEW_BAD (14 * DAY)
#define BOOKS_LATE (2 * DAY) /* the evening's books are reckoned every day */
#define RESTART_SECONDS 120 /* a role that ended is started anew within */
#define ONCE_SECONDS HOUR /* between two runs of sengend --once */
#define JUMP_SECONDS 5 /* clocks are set back by less in regular service */
#define ROOM_FACTOR 4 /* room is short before it is gone */
#define CA_FILE_LIMIT (4 * 1024 * 1024)
#define EXPIRY_BAD (7 * DAY)

struct health {
	struct office *office;
	const struct settings *settings;
	const struct tally *tally;
	utc_time now;
	health_fn *fn;
	void *ctx;
	enum health_level *worst;
	struct pool *pool;
};

const char *health_level_name(enum health_level level)
{
	static const char *const name[] = {
		[HEALTH_GOOD] = "good", [HEALTH_WARN] = "warn", [HEALTH_BAD] = "bad"};
	return name[level];
}

void health_lock_path(struct str *out, const struct settings *settings, const char *role)
{
	str_printf(out, "%s.%s.lock", settings->store_path, role);
}

static enum rc tell(struct health *health, const char *name, enum health_level level, int64_t value,
	const char *text, struct err *err)
{
	if (level > *health->worst)
		*health->worst = level;
	const struct health_item item = {.name = name, .level = level, .text = text, .value = value};
	return health->fn(health->ctx, &item, err);
}

/* The level of a value that is worse the larger it is. */
static enum health_level level_of(int64_t value, int64_t warn, int64_t bad)
{
	return value >= bad ? HEALTH_BAD : value >= warn ? HEALTH_WARN : HEALTH_GOOD;
}

/* "3 days", "5 hours", "12 minutes", "8 seconds": one unit is exact enough to act on. */
static const char *span_text(struct health *health, int64_t seconds)
{
	struct pool *pool = health->pool;
	if (seconds >= 2 * DAY)
		return pool_printf(pool, _("%lld days"), (long long)(seconds / DAY));
	if (seconds >= 2 * HOUR)
		return pool_printf(pool, _("%lld hours"), (long long)(seconds / HOUR));
	if (seconds >= 2 * MINUTE)
		return pool_printf(pool, _("%lld minutes"), (long long)(seconds / MINUTE));
	return pool_printf(pool, _("%lld seconds"), (long long)seconds);
}

static const char *time_of(struct health *health, utc_time at)
{
	struct str text = STR_INIT;
	civil_time_print(&text, at);
	const char *out = pool_strdup(health->pool, text.s);
	str_free(&text);
	return out;
}

static enum rc fact_text(struct health *health, const char *name, const char **out, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(health->office->store, name, &value, err);
	*out = pool_strdup(health->pool, value.s);
	str_free(&value);
	return rc;
}

/* ---- roles ---- */

enum life { LIFE_RUNS, LIFE_ENDED, LIFE_NEVER, LIFE_HIDDEN };
struct role_life {
	enum life life;
	int64_t age; /* since the last sign of life */
};

static struct role_life role_look(const struct settings *settings, const char *role, utc_time machine_now)
{
	struct role_life out = {.life = LIFE_NEVER};
	struct str path = STR_INIT;
	struct stat st;
	health_lock_path(&path, settings, role);
	int fd = open(path.s, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		out.life = errno == ENOENT ? LIFE_NEVER : LIFE_HIDDEN;
	} else if (fstat(fd, &st) == 0) {
		/* Closing lets go at once: a role that starts meanwhile tries again. */
		bool is_free = flock(fd, LOCK_SH | LOCK_NB) == 0;
		out.life = is_free ? LIFE_ENDED : LIFE_RUNS;
		out.age = machine_now - st.st_mtim.tv_sec;
		if (out.age < 0)
			out.age = 0;
	}
	if (fd >= 0)
		(void)close(fd);
	str_free(&path);
	return out;
}

static const char *role_text(
	struct health *health, const char *role, struct role_life it, enum health_level level)
{
	struct pool *pool = health->pool;
	const char *age = span_text(health, it.age);
	if (it.life == LIFE_NEVER)
		return pool_printf(pool,
			_("%s has never run on this register; start it: systemctl start sengen.target"),
			role);
	if (it.life == LIFE_RUNS && level)
		return pool_printf(pool,
			_("%s runs but has given no sign of life for %s; look into its journal, then: "
			  "systemctl restart sengen-%s"),
			role, age, role);
	if (it.life == LIFE_RUNS)
		return pool_printf(pool, _("%s runs; last sign of life %s ago"), role, age);
	if (level)
		return pool_printf(pool,
			_("%s has not run for %s; see why: systemctl status sengen-%s, then: systemctl "
			  "start sengen.target"),
			role, age, role);
	return pool_printf(pool, _("%s ran to its end %s ago (sengend --once)"), role, age);
}

/* any: some role runs as a service, so all should. */
static enum rc role_tell(
	struct health *health, const char *role, struct role_life it, bool any, struct err *err)
{
	int64_t silent = 2 * health->settings->watchdog_seconds + HEALTH_SIGN_SECONDS;
	enum health_level level = HEALTH_BAD;
	/* sengend --once has no use for the role that answers sengenctl. */
	bool not_wanted = it.life == LIFE_NEVER && strcmp(role, "control") == 0;
	if (it.life == LIFE_HIDDEN || not_wanted)
		return RC_OK;
	if (it.life == LIFE_RUNS && it.age <= silent)
		level = HEALTH_GOOD;
	else if (it.life == LIFE_ENDED && any)
		level = it.age > RESTART_SECONDS ? HEALTH_BAD : HEALTH_WARN;
	else if (it.life == LIFE_ENDED && it.age <= ONCE_SECONDS)
		level = HEALTH_GOOD;
	return tell(health, pool_printf(health->pool, "role:%s", role), level, it.age,
		role_text(health, role, it, level), err);
}

static enum rc check_roles(struct health *health, struct err *err)
{
	static const char *const role[] = {"intake", "mailbox", "scheduler", "sender", "control", "desk"};
	enum { ROLES = sizeof role / sizeof *role };
	struct role_life life[ROLES];
	struct clock machine = clock_system();
	utc_time now = clock_now(&machine);
	bool any = false;
	if (health->office->clock->is_virtual)
		return RC_OK;
	for (int i = 0; i < ROLES; i++) {
		life[i] = role_look(health->settings, role[i], now);
		any = any || life[i].life == LIFE_RUNS;
	}
	enum rc rc = RC_OK;
	for (int i = 0; i < ROLES && rc == RC_OK; i++)
		rc = role_tell(health, role[i], life[i], any, err);
	return rc;
}

/* ---- what holds the office ---- */

static enum rc check_restored(struct health *health, struct err *err)
{
	enum restored restored = health->tally->holds.restored;
	return tell(health, "restored", restored ? HEALTH_BAD : HEALTH_GOOD, restored,
		restored ? _("the register is a restored copy or from another machine; nothing is sent. Look "
			     "at "
			     "sengenctl plan, then: sengenctl release --restored")
			 : _("the register is this machine's own"),
		err);
}

static enum rc check_pauses(struct health *health, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = PAUSE_INTAKE; i < PAUSE_COUNT && rc == RC_OK; i++) {
		enum pause pause = (enum pause)i;
		bool paused = health->tally->holds.paused[i];
		const char *what = i18n_japanese() ? pause_name_ja(pause) : pause_name(pause);
		const char *text = paused ? pool_printf(health->pool,
						    _("%s is paused by staff; when it may go on: sengenctl "
						      "resume %s"),
						    what, pause_name(pause))
					  : pool_printf(health->pool, _("%s goes on"), what);
		rc = tell(health, pool_printf(health->pool, "pause:%s", pause_name(pause)),
			paused ? HEALTH_WARN : HEALTH_GOOD, paused, text, err);
	}
	return rc;
}

static enum rc check_hold(struct health *health, struct err *err)
{
	const struct tally *tally = health->tally;
	int64_t waiting = tally->open_batches;
	if (waiting == 0)
		waiting = tally->holds.at_once.asked + tally->holds.stages.asked;
	return tell(health, "hold", waiting ? HEALTH_WARN : HEALTH_GOOD, waiting,
		waiting ? pool_printf(health->pool,
				  _("%lld batches of notices wait for a person's yes; look at sengenctl "
				    "status, then: sengenctl release --batch N"),
				  (long long)waiting)
			: _("no batch of notices waits for a person"),
		err);
}

/* ---- in and out ---- */

static enum rc check_intake(struct health *health, struct err *err)
{
	const char *paused;
	utc_time last = health->tally->last[DAILY_FILES];
	int64_t age = last ? health->now - last : 0;
	enum rc rc = fact_text(health, "intake.paused", &paused, err);
	if (rc != RC_OK)
		return rc;
	const char *text = _("no form file has come in yet");
	if (*paused)
		text = pool_printf(health->pool,
			_("intake waits (%s); files stay in incoming/. Make room, or see why notices are not "
			  "sent"),
			paused);
	else if (last)
		text = pool_printf(
			health->pool, _("the last form file was taken at %s"), time_of(health, last));
	return tell(health, "intake", *paused ? HEALTH_BAD : HEALTH_GOOD, age, text, err);
}

static enum rc check_queue(struct health *health, struct err *err)
{
	const struct tally *tally = health->tally;
	utc_time next_try = UTC_NEVER;
	enum rc rc = outbox_next_try(health->office->store, 0, &next_try, err);
	if (rc != RC_OK)
		return rc;
	int64_t age = tally->oldest_queued ? health->now - tally->oldest_queued : 0;
	int64_t behind = next_try < health->now ? health->now - next_try : 0;
	enum health_level level = level_of(behind, QUEUE_WARN, QUEUE_BAD);
	/* What waits for a person is told under its own name. */
	bool waits = tally->holds.paused[PAUSE_SENDING] || tally->holds.restored || tally->open_batches > 0;
	if (waits && level == HEALTH_BAD)
		level = HEALTH_WARN;
	const char *text = _("the outbox is empty");
	if (level)
		text = pool_printf(health->pool,
			_("notices could have been sent for %s and still wait; see sengenctl status and "
			  "the journal of sengen-sender"),
			span_text(health, behind));
	else if (age)
		text = pool_printf(
			health->pool, _("the oldest queued notice is %s old"), span_text(health, age));
	return tell(health, "queue", level, age, text, err);
}

static enum rc check_outbox(struct health *health, struct err *err)
{
	int64_t queued = health->tally->outbox[OUTBOX_QUEUED], bound = health->settings->outbox_bound;
	enum health_level level = level_of(queued, bound - bound / 5, bound + 1);
	return tell(health, "outbox", level, queued,
		pool_printf(health->pool,
			level ? _("%lld notices wait, of %lld that may; beyond that intake waits. See "
				  "sengenctl status why they are not sent")
			      : _("%lld notices wait, of %lld that may"),
			(long long)queued, (long long)bound),
		err);
}

static enum rc check_unknown(struct health *health, struct err *err)
{
	int64_t unknown = health->tally->outbox[OUTBOX_UNKNOWN];
	return tell(health, "unknown", unknown ? HEALTH_WARN : HEALTH_GOOD, unknown,
		unknown ? pool_printf(health->pool,
				  _("%lld notices were cut off before the mail server answered; they are "
				    "sent once more by themselves, then go to review"),
				  (long long)unknown)
			: _("the fate of every notice is known"),
		err);
}

static enum rc check_server(struct health *health, struct err *err)
{
	const char *fault;
	enum rc rc = fact_text(health, i18n_japanese() ? "sender.fault_ja" : "sender.fault", &fault, err);
	return rc ? rc
		  : tell(health, "server", *fault ? HEALTH_BAD : HEALTH_GOOD, *fault != '\0',
			    *fault ? fault : _("the mail server takes notices"), err);
}

static enum rc check_fetch(struct health *health, struct err *err)
{
	const char *fetched, *fault;
	enum rc rc = fact_text(health, "mailbox.fetched_at", &fetched, err);
	rc = rc ? rc : fact_text(health, i18n_japanese() ? "mailbox.fault_ja" : "mailbox.fault", &fault, err);
	if (rc != RC_OK)
		return rc;
	utc_time at = strtoll(fetched, NULL, 10);
	int64_t age = at ? health->now - at : 0;
	int64_t usual = FETCH_LOOKS * health->settings->mailbox_poll_seconds;
	if (usual < FETCH_LEAST)
		usual = FETCH_LEAST;
	/* A simulation looks when something is to come; staff who paused reading know. */
	bool judged = !health->office->clock->is_virtual && !health->tally->holds.paused[PAUSE_READING];
	enum health_level level = judged && at ? level_of(age, usual, 4 * usual) : HEALTH_GOOD;
	const char *text = _("the mailbox was never read yet");
	if (*fault) {
		level = HEALTH_BAD;
		text = fault;
	} else if (level) {
		text = pool_printf(health->pool,
			_("the mailbox was last read %s ago; see the journal of sengen-mailbox"),
			span_text(health, age));
	} else if (at) {
		text = pool_printf(health->pool, _("the mailbox was read at %s"), time_of(health, at));
	} else if (judged) {
		level = HEALTH_WARN;
		text = _("the mailbox was never read yet; see the journal of sengen-mailbox");
	}
	return tell(health, "fetch", level, age, text, err);
}

/* ---- what a person should see ---- */

static enum rc check_late(struct health *health, struct err *err)
{
	int64_t late = 0, overdue = health->tally->overdue;
	enum rc rc = office_late(health->office, &late, err);
	if (rc != RC_OK)
		return rc;
	if (late < overdue)
		late = overdue;
	const char *text = _("no notice is late");
	if (overdue)
		text = pool_printf(health->pool,
			_("%lld notices are past their latest day; see sengenctl list --overdue, and why: "
			  "sengenctl why APPLICATION"),
			(long long)overdue);
	else if (late)
		text = pool_printf(health->pool,
			_("%lld notices will miss their latest day unless somebody acts; see sengenctl list "
			  "--held, --review, and approve or release them"),
			(long long)late);
	return tell(health, "late", overdue ? HEALTH_BAD : late ? HEALTH_WARN : HEALTH_GOOD, late, text, err);
}

static enum rc note_received(void *ctx, const struct application *app, struct err *err)
{
	(void)err;
	*(utc_time *)ctx = app->received_at;
	return RC_OK;
}

static enum rc note_opened(void *ctx, const struct request *request, struct err *err)
{
	(void)err;
	*(utc_time *)ctx = request->opened_at;
	return RC_OK;
}

static enum rc check_review(struct health *health, struct err *err)
{
	const struct tally *tally = health->tally;
	int64_t waiting = tally->review_applications + tally->review_requests;
	utc_time app_at = health->now, request_at = health->now;
	const struct application_filter held = {.hold = HOLD_REVIEW, .live_only = true, .limit = 1};
	const struct request_filter open = {
		.state = REQUEST_STATE_REVIEW, .open_only = true, .any_kind = true, .limit = 1};
	enum rc rc = RC_OK;
	if (tally->review_applications > 0)
		rc = application_each(health->office->store, &held, false, note_received, &app_at, err);
	if (rc == RC_OK && tally->review_requests > 0)
		rc = request_each(health->office->store, &open, note_opened, &request_at, err);
	if (rc != RC_OK)
		return rc;
	int64_t age = health->now - (app_at < request_at ? app_at : request_at);
	enum health_level level = level_of(age, REVIEW_WARN, REVIEW_BAD);
	return tell(health, "review", level, age,
		waiting ? pool_printf(health->pool,
				  level ? _("%lld cases wait in review, the oldest for %s; decide them: "
					    "sengenctl list --review, sengenctl review list")
					: _("%lld cases wait in review, the oldest for %s"),
				  (long long)waiting, span_text(health, age))
			: _("nothing waits in review"),
		err);
}

static enum rc tell_silence(
	struct health *health, enum daily kind, const char *what, enum health_level level, struct err *err)
{
	struct silence silence;
	const char *name = pool_printf(health->pool, "silence:%s", daily_name(kind));
	enum rc rc = silence_check(health->office, health->tally, kind, &silence, err);
	if (rc != RC_OK)
		return rc;
	if (silence.silent)
		return tell(health, name, level, silence.days,
			pool_printf(health->pool,
				_("%s: nothing for %d days on which it is usual, at most %d so far; the last "
				  "at %s. See whether the way in or out is blocked"),
				what, silence.days, silence.usual, time_of(health, silence.last)),
			err);
	const char *text = silence.known
				   ? pool_printf(health->pool, _("%s: as usual"), what)
				   : pool_printf(health->pool, _("%s: too little is known to tell"), what);
	return tell(health, name, HEALTH_GOOD, silence.known ? silence.days : 0, text, err);
}

static enum rc check_silence(struct health *health, struct err *err)
{
	const struct {
		const char *what;
		enum daily kind;
		enum health_level level;
	} ways[] = {
		{_("form files"), DAILY_FILES, HEALTH_BAD},
		{_("requests by mail"), DAILY_MAILS, HEALTH_BAD},
		{_("notices sent"), DAILY_SENT, HEALTH_BAD},
		/* That nothing comes back may be good news. */
		{_("notices that come back"), DAILY_BOUNCES, HEALTH_WARN},
	};
	enum rc rc = RC_OK;
	for (size_t i = 0; i < sizeof ways / sizeof *ways && rc == RC_OK; i++)
		rc = tell_silence(health, ways[i].kind, ways[i].what, ways[i].level, err);
	return rc;
}

static enum rc check_books(struct health *health, struct err *err)
{
	struct books_result last;
	enum rc rc = books_last(health->office, &last, err);
	if (rc != RC_OK)
		return rc;
	int64_t age = last.at ? health->now - last.at : 0;
	enum health_level level = last.differences   ? HEALTH_BAD
				  : age > BOOKS_LATE ? HEALTH_WARN
						     : HEALTH_GOOD;
	const char *text = _("the books are balanced in the evening");
	if (last.differences)
		text = pool_printf(health->pool,
			_("the books of %s have %lld differences; each is named by: sengenctl balance"),
			time_of(health, last.at), (long long)last.differences);
	else if (level)
		text = pool_printf(health->pool,
			_("the books were last balanced at %s; see the journal of sengen-desk"),
			time_of(health, last.at));
	else if (last.at)
		text = pool_printf(health->pool, _("the books of %s balance"), time_of(health, last.at));
	return tell(health, "books", level, last.differences, text, err);
}

/* Digests and alarms that nobody got. */
static enum rc check_desk_mail(struct health *health, struct err *err)
{
	static const char *const kind[] = {NOTICE_DIGEST, NOTICE_ALARM};
	int64_t lost = 0;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < sizeof kind / sizeof *kind && rc == RC_OK; i++) {
		int64_t failed, returned;
		rc = outbox_lost(
			health->office->store, kind[i], health->now - 7 * DAY, &failed, &returned, err);
		lost += failed + returned;
	}
	return rc ? rc
		  : tell(health, "desk-mail", lost ? HEALTH_WARN : HEALTH_GOOD, lost,
			    lost ? pool_printf(health->pool,
					   _("%lld digests or alarms of the last 7 days did not arrive; see "
					     "the "
					     "addresses of desk_mail and alarm_mail"),
					   (long long)lost)
				 : _("digests and alarms arrive"),
			    err);
}

/* ---- the machine ---- */

static enum rc note_row(void *ctx, const struct history_row *row, struct err *err)
{
	(void)err;
	*(utc_time *)ctx = row->at;
	return RC_OK;
}

/* Is the clock kept by a time service? -1: it can't be told (the desk's own unit may not ask the kernel). */
static int clock_synchronised(void)
{
	struct timex timex = {0};
	int state = adjtimex(&timex);
	if (state < 0)
		return access("/run/systemd/timesync/synchronized", F_OK) == 0 ? 1 : -1;
	return state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

static enum rc check_clock(struct health *health, struct err *err)
{
	int64_t seq = 0;
	uint8_t hash[SHA256_LEN];
	utc_time last = 0;
	enum rc rc = history_head(health->office->store, &seq, hash, err);
	if (rc == RC_OK && seq > 0)
		rc = history_each(health->office->store, 0, seq - 1, note_row, &last, err);
	if (rc != RC_OK)
		return rc;
	int64_t behind = last > health->now ? last - health->now : 0;
	int synchronised = health->office->clock->is_virtual ? -1 : clock_synchronised();
	if (behind > JUMP_SECONDS)
		return tell(health, "clock", HEALTH_BAD, behind,
			pool_printf(health->pool,
				_("the clock is %s behind the last row of the history (%s): it was set back. "
				  "Nothing is sent twice, but what is due waits; set the clock"),
				span_text(health, behind), time_of(health, last)),
			err);
	if (synchronised == 0)
		return tell(health, "clock", HEALTH_WARN, behind,
			_("no time service keeps the clock right; see: timedatectl status"), err);
	return tell(health, "clock", HEALTH_GOOD, behind,
		synchronised == 1 ? _("the clock is synchronised and goes forward")
				  : _("the clock goes forward"),
		err);
}

static enum rc check_disks(struct health *health, struct err *err)
{
	const struct settings *settings = health->settings;
	const struct {
		const char *name, *path;
	} place[] = {{"disk-spool", settings->spool_directory}, {"disk-state", settings->state_directory}};
	enum rc rc = RC_OK;
	if (health->office->clock->is_virtual)
		return RC_OK;
	for (size_t i = 0; i < sizeof place / sizeof *place && rc == RC_OK; i++) {
		int64_t mib = file_free_mib(place[i].path), floor = settings->disk_floor_mib;
		enum health_level level = mib < floor                 ? HEALTH_BAD
					  : mib < ROOM_FACTOR * floor ? HEALTH_WARN
								      : HEALTH_GOOD;
		if (mib == INT64_MAX)
			continue;
		rc = tell(health, place[i].name, level, mib * 1024 * 1024,
			pool_printf(health->pool,
				level ? _("%s has %lld MiB left; below %lld MiB nothing new is taken in. "
					  "Make room")
				      : _("%s has %lld MiB left (at least %lld MiB are wanted)"),
				place[i].path, (long long)mib, (long long)floor),
			err);
	}
	return rc;
}

/* ---- credentials ---- */

static int64_t seconds_until(const ASN1_TIME *end, utc_time now)
{
	struct tm tm = {0};
	return ASN1_TIME_to_tm(end, &tm) == 1 ? (int64_t)timegm(&tm) - now : INT64_MIN;
}

static enum health_level level_of_expiry(const struct health *health, int64_t left)
{
	return left < EXPIRY_BAD                                     ? HEALTH_BAD
	       : left < health->settings->credential_warn_days * DAY ? HEALTH_WARN
								     : HEALTH_GOOD;
}

static enum rc tell_expiry(struct health *health, const char *name, int64_t left, struct err *err)
{
	enum health_level level = level_of_expiry(health, left);
	const char *text;
	if (left <= 0)
		text = pool_printf(health->pool,
			_("it ran out at %s: connections are refused. Put the new one in its place and "
			  "restart the daemon"),
			time_of(health, health->now + left));
	else
		text = pool_printf(health->pool,
			level ? _("it runs out at %s; put the new one in its place in time and restart the "
				  "daemon")
			      : _("it is good until %s"),
			time_of(health, health->now + left));
	return tell(health, name, level, left, text, err);
}

/* Old and new certificates lie side by side while they change: the one that lasts longest counts. */
static enum rc check_ca_file(struct health *health, const char *name, const char *path, struct err *err)
{
	struct str pem = STR_INIT;
	struct err fault = {0};
	int64_t left = INT64_MIN;
	if (!path)
		return RC_OK;
	if (access(path, R_OK) != 0 && errno == EACCES)
		return RC_OK;
	if (file_read(&pem, path, CA_FILE_LIMIT, &fault) != RC_OK) {
		str_free(&pem);
		return tell(health, name, HEALTH_BAD, 0, pool_strdup(health->pool, fault.text), err);
	}
	BIO *bio = BIO_new_mem_buf(pem.s, (int)pem.len);
	X509 *certificate;
	while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
		int64_t one = seconds_until(X509_get0_notAfter(certificate), health->now);
		left = one > left ? one : left;
		X509_free(certificate);
	}
	BIO_free(bio);
	ERR_clear_error();
	str_free(&pem);
	if (left == INT64_MIN)
		return tell(health, name, HEALTH_BAD, 0,
			pool_printf(health->pool,
				_("%s holds no certificate (PEM); no connection can be trusted"), path),
			err);
	return tell_expiry(health, name, left, err);
}

/* Only the sender's unit is handed its keys; a file that names itself can be looked at by whoever may read it. */
static bool may_read(const char *where)
{
	const char *directory = getenv("CREDENTIALS_DIRECTORY");
	static const char prefix[] = "credential:";
	if (!str_has_prefix(where, prefix))
		return access(where, R_OK) == 0 || errno != EACCES;
	if (!directory || !*directory)
		return false;
	struct str path = STR_INIT;
	path_join(&path, directory, where + strlen(prefix));
	bool there = access(path.s, R_OK) == 0;
	str_free(&path);
	return there;
}

static enum rc check_dkim(struct health *health, const struct dkim_setting *dkim, struct err *err)
{
	struct secret pem = SECRET_INIT;
	struct dkim_key *key = NULL;
	struct err fault = {0};
	if (!may_read(dkim->key_from))
		return RC_OK;
	enum rc rc = secret_read(&pem, dkim->key_from, &fault);
	rc = rc ? rc : dkim_key_load(&key, pem.bytes, pem.len, dkim->domain, dkim->selector, &fault);
	secret_free(&pem);
	const char *text =
		rc ? pool_strdup(health->pool, fault.text)
		   : pool_printf(health->pool, _("the key is whole (%s)"), dkim_key_algorithm(key));
	dkim_key_free(&key);
	return tell(health, pool_printf(health->pool, "credential:dkim %s", dkim->selector),
		rc ? HEALTH_BAD : HEALTH_GOOD, 0, text, err);
}

/* ---- certificates ---- */

bool health_certificate_is_news(const struct health_certificate *noted, utc_time until, utc_time now)
{
	return until > 0 && (until != noted->until || now - noted->seen_at >= DAY || now < noted->seen_at);
}

enum rc health_certificate_note(struct store *store, const char *fact, struct health_certificate *noted,
	utc_time until, utc_time now, struct err *err)
{
	struct str value = STR_INIT;
	if (!health_certificate_is_news(noted, until, now))
		return RC_OK;
	str_printf(&value, "%" PRId64 " %" PRId64, until, now);
	enum rc rc = fact_set(store, fact, value.s, err);
	if (rc == RC_OK)
		*noted = (struct health_certificate){.until = until, .seen_at = now};
	str_free(&value);
	return rc;
}

/* What the children saw is verified; here only its end counts. */
static enum rc check_server_certificate(
	struct health *health, const char *name, const char *fact, struct err *err)
{
	const char *value;
	enum rc rc = fact_text(health, fact, &value, err);
	if (rc != RC_OK || !*value)
		return rc;
	char *end;
	utc_time until = strtoll(value, &end, 10), seen = strtoll(end, NULL, 10);
	int64_t left = until - health->now;
	enum health_level level = level_of_expiry(health, left);
	const char *until_text = time_of(health, until), *seen_text = time_of(health, seen), *text;
	if (left <= 0)
		text = pool_printf(health->pool,
			_("the server's certificate, as seen at %s, ran out at %s: connections are refused. "
			  "Whoever runs the server must renew it"),
			seen_text, until_text);
	else
		text = pool_printf(health->pool,
			level ? _("the server's certificate, as seen at %s, runs out at %s; whoever runs the "
				  "server must renew it before")
			      : _("the server's certificate, as seen at %s, is good until %s"),
			seen_text, until_text);
	return tell(health, name, level, left, text, err);
}

static const char *smime_text(
	struct health *health, const struct smime_signer *signer, int64_t left, enum health_level *level)
{
	struct err fault = {0};
	const char *until = time_of(health, health->now + left);
	if (left > 0 && smime_valid(signer, health->now, &fault) != RC_OK) {
		*level = HEALTH_BAD;
		return pool_printf(health->pool,
			_("the S/MIME certificate or its chain is not valid yet: no mail is sent. It is good "
			  "until %s"),
			until);
	}
	if (left <= 0)
		return pool_printf(health->pool,
			_("the S/MIME certificate or its chain ran out at %s: no mail is sent. Put the new "
			  "one in its place and restart the daemon"),
			until);
	return pool_printf(health->pool,
		*level ? _("the S/MIME certificate or its chain runs out at %s, and then no mail is sent; "
			   "put "
			   "the new one in its place in time and restart the daemon")
		       : _("the S/MIME certificate and its chain are good until %s"),
		until);
}

static enum rc check_smime(struct health *health, struct err *err)
{
	static const char name[] = "credential:smime";
	const struct smime_setting *smime = &health->settings->smime;
	struct smime_signer *signer = NULL;
	struct err fault = {0};
	if (!smime->certificate || !may_read(smime->certificate) || (smime->chain && !may_read(smime->chain)))
		return RC_OK;
	if (settings_smime_load(&signer, health->settings, &fault) != RC_OK)
		return tell(health, name, HEALTH_BAD, 0, pool_strdup(health->pool, fault.text), err);
	int64_t left = smime_valid_until(signer) - health->now;
	enum health_level level = level_of_expiry(health, left);
	const char *text = smime_text(health, signer, left, &level);
	smime_signer_free(&signer);
	return tell(health, name, level, left, text, err);
}

static enum rc check_credentials(struct health *health, struct err *err)
{
	const struct settings *settings = health->settings;
	enum rc rc = RC_OK;
	if (!settings->transport.maildir)
		rc = check_ca_file(health, "credential:transport ca_file", settings->transport.ca_file, err);
	if (rc == RC_OK && !settings->mailbox.maildir)
		rc = check_ca_file(health, "credential:mailbox ca_file", settings->mailbox.ca_file, err);
	if (rc == RC_OK && !settings->transport.maildir && settings->transport.tls != TLS_NONE)
		rc = check_server_certificate(
			health, "credential:transport server", FACT_TRANSPORT_CERTIFICATE, err);
	if (rc == RC_OK && !settings->mailbox.maildir && settings->mailbox.tls != TLS_NONE)
		rc = check_server_certificate(
			health, "credential:mailbox server", FACT_MAILBOX_CERTIFICATE, err);
	for (size_t i = 0; i < settings->dkim_count && rc == RC_OK; i++)
		rc = check_dkim(health, &settings->dkim[i], err);
	return rc ? rc : check_smime(health, err);
}

static enum rc check_report(struct health *health, struct err *err)
{
	const char *fault;
	enum rc rc = fact_text(health, REPORT_FAULT_FACT, &fault, err);
	return rc ? rc
		  : tell(health, "report", *fault ? HEALTH_BAD : HEALTH_GOOD, *fault != '\0',
			    *fault ? _("the report for the desk can't be written; see the journal of "
				       "sengen-desk, make room, or see whether its directory may be written")
				   : _("the report for the desk is written"),
			    err);
}

/* ---- all of it ---- */

enum rc health_check(struct office *office, const struct tally *tally, health_fn *fn, void *ctx,
	enum health_level *worst, struct pool *pool, struct err *err)
{
	static enum rc (*const checks[])(struct health * health, struct err * err) = {check_roles,
		check_restored, check_pauses, check_hold, check_intake, check_queue, check_outbox,
		check_unknown, check_server, check_fetch, check_silence, check_late, check_review,
		check_books, check_clock, check_disks, check_credentials, check_report, check_desk_mail};
	struct health health = {.office = office,
		.settings = office->settings,
		.tally = tally,
		.now = clock_now(office->clock),
		.fn = fn,
		.ctx = ctx,
		.worst = worst,
		.pool = pool};
	*worst = HEALTH_GOOD;
	enum rc rc = RC_OK;
	for (size_t i = 0; i < sizeof checks / sizeof *checks && rc == RC_OK; i++)
		rc = checks[i](&health, err);
	return rc;
}
