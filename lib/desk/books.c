#include "lib/desk/books.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/i18n.h"
#include "lib/desk/sent_log.h"

#define FACT_SETTLED "books.settled" /* UTC seconds */
#define FACT_ANEW "books.anew" /* UTC seconds: what the log has of before speaks of other notices */
#define FACT_RESULT "books.result" /* moment, differences, history number, its hash */
#define DAY ((utc_time)86400)
#define SLACK (3 * DAY) /* between a line of the log and the register's entry: a full disk may last */
#define SETTLED_ANYHOW (62 * DAY)
#define TOLD_MAX 1000 /* differences of a kind */

struct reckoning {
	struct office *office;
	struct balance *balance;
	difference_fn *fn;
	void *ctx;
	struct pool *pool;
	int64_t told[DIFFERENCE_ORPHAN + 1];
	int64_t *gone; /* files whose archive was found gone or changed before; in the pool */
	int gone_count;
};

const char *difference_name(enum difference_kind kind)
{
	static const char *const name[] = {
		[DIFFERENCE_ROWS] = "rows",
		[DIFFERENCE_ARCHIVE] = "archive",
		[DIFFERENCE_REGISTERED] = "registered",
		[DIFFERENCE_STAGE] = "stage",
		[DIFFERENCE_NOT_LOGGED] = "not_logged",
		[DIFFERENCE_NOT_BOOKED] = "not_booked",
		[DIFFERENCE_TWICE] = "twice",
		[DIFFERENCE_ORPHAN] = "orphan",
	};
	return name[kind];
}

/* `text` is in the pool of the reckoning, or a literal. */
static enum rc tell(struct reckoning *reckoning, enum difference_kind kind, int64_t about, int64_t expected,
	int64_t found, const char *text, struct err *err)
{
	const struct difference difference = {
		.kind = kind, .about = about, .expected = expected, .found = found, .text = text};
	reckoning->balance->differences++;
	if (kind == DIFFERENCE_NOT_LOGGED || kind == DIFFERENCE_NOT_BOOKED || kind == DIFFERENCE_TWICE)
		reckoning->balance->log_fits = false;
	if (!reckoning->fn || ++reckoning->told[kind] > TOLD_MAX)
		return RC_OK;
	return reckoning->fn(reckoning->ctx, &difference, err);
}

/* ---- files, rows, stages: what the register finds by itself ---- */

/* "3 (申込.csv)"; the number alone where the file is not on record. */
static const char *file_text(struct reckoning *reckoning, int64_t id)
{
	struct spool_file file;
	struct err ignored = {0};
	if (file_get(reckoning->office->store, id, &file, reckoning->pool, &ignored))
		return pool_printf(reckoning->pool, "%" PRId64, id);
	return pool_printf(reckoning->pool, "%" PRId64 " (%s)", id, file.name);
}

static enum rc tell_archive(struct reckoning *reckoning, int64_t id, int64_t rows, struct err *err)
{
	return tell(reckoning, DIFFERENCE_ARCHIVE, id, rows, 0,
		pool_printf(reckoning->pool,
			_("File %s: its archived original is gone, was changed, or can't be read. Put it "
			  "back from a backup of the spool."),
			file_text(reckoning, id)),
		err);
}

static enum rc take_odd(
	void *ctx, enum odd_kind kind, int64_t about, int64_t expected, int64_t found, struct err *err)
{
	struct reckoning *reckoning = ctx;
	struct pool *pool = reckoning->pool;
	const char *text = NULL;
	enum difference_kind as = DIFFERENCE_ORPHAN;
	switch (kind) {
	case ODD_ROWS:
		as = DIFFERENCE_ROWS;
		text = pool_printf(pool,
			_("File %s: %lld rows were taken, its archive or the register accounts for %lld. "
			  "Drop the file again: rows that are registered stay as they are."),
			file_text(reckoning, about), (long long)expected, (long long)found);
		break;
	case ODD_ARCHIVE:
		reckoning->gone[reckoning->gone_count++] = about;
		return tell_archive(reckoning, about, expected, err);
	case ODD_REGISTERED:
		as = DIFFERENCE_REGISTERED;
		text = pool_printf(pool,
			_("File %s: %lld of its rows were registered, %lld applications are on file. The "
			  "register was altered; restore it from a backup."),
			file_text(reckoning, about), (long long)expected, (long long)found);
		break;
	case ODD_STAGE:
		as = DIFFERENCE_STAGE;
		text = pool_printf(pool,
			_("Application %lld: stage %lld is done, but there is no notice of it. Look at: "
			  "sengenctl why %lld"),
			(long long)about, (long long)expected + 1, (long long)about);
		break;
	case ODD_SET:
		as = DIFFERENCE_STAGE;
		text = pool_printf(pool,
			_("Application %lld: its templates (set %lld) are not on file. The register was "
			  "altered; restore it from a backup."),
			(long long)about, (long long)expected);
		break;
	case ODD_NOTICE:
		text = pool_printf(pool,
			_("Notice %lld belongs to application %lld, which is not on file. The register was "
			  "altered; restore it from a backup."),
			(long long)about, (long long)expected);
		break;
	case ODD_NUMBER:
		text = pool_printf(pool,
			_("A number was issued to application %lld, which is not on file. The register was "
			  "altered; restore it from a backup."),
			(long long)about);
		break;
	case ODD_REQUEST:
		text = pool_printf(pool,
			_("Request %lld belongs to application %lld, which is not on file. The register was "
			  "altered; restore it from a backup."),
			(long long)about, (long long)expected);
		break;
	}
	return tell(reckoning, as, about, expected, found, text, err);
}

/* ---- stages, by profile ---- */

static struct stage_books *stage_of(struct balance *balance, const struct profile *profile, int stage)
{
	for (int i = 0; i < balance->stage_count; i++)
		if (balance->stage[i].stage == stage && strcmp(balance->stage[i].profile, profile->name) == 0)
			return &balance->stage[i].books;
	struct balance_stage *added = &balance->stage[balance->stage_count++];
	*added = (struct balance_stage){.profile = profile->name,
		.stage = stage,
		.template_name = profile->stage[stage].template_name};
	return &added->books;
}

static void add_books(struct stage_books *to, const struct stage_books *from)
{
	to->applications += from->applications;
	to->unconfirmed += from->unconfirmed;
	to->waiting += from->waiting;
	to->held += from->held;
	to->review += from->review;
	to->queued += from->queued;
	to->sent += from->sent;
	to->unknown += from->unknown;
	to->failed += from->failed;
	to->ended += from->ended;
}

static int by_profile(const void *a, const void *b)
{
	const struct balance_stage *one = a, *other = b;
	int order = strcmp(one->profile, other->profile);
	return order ? order : one->stage - other->stage;
}

static enum rc take_stages(struct reckoning *reckoning, struct err *err)
{
	struct balance *balance = reckoning->balance;
	struct office *office = reckoning->office;
	const struct profile *profile;
	int64_t *id, odd;
	int count;
	enum rc rc = template_sets(office->store, &id, &count, reckoning->pool, err);
	if (rc)
		return rc;
	struct set_books *set = xcalloc((size_t)count + 1, sizeof *set);
	for (int i = 0; i < count && !rc; i++) {
		rc = office_profile(office, id[i], &profile, err);
		set[i] = (struct set_books){
			.template_set = id[i], .stage_count = rc ? 0 : profile->stage_count};
	}
	reckoning->gone = pool_alloc(reckoning->pool, TOLD_MAX * sizeof *reckoning->gone);
	rc = rc ? rc
		: books_of_stages(
			  office->store, set, count, &balance->rows.imported, take_odd, reckoning, &odd, err);
	balance->stage =
		pool_alloc(reckoning->pool, (size_t)(count * STAGE_MAX + 1) * sizeof *balance->stage);
	for (int i = 0; i < count && !rc; i++) {
		rc = office_profile(office, id[i], &profile, err);
		for (int stage = 0; stage < set[i].stage_count && !rc; stage++)
			if (set[i].stage[stage].applications > 0)
				add_books(stage_of(balance, profile, stage), &set[i].stage[stage]);
	}
	/* The rules live as long as the office; the balance may outlive it. */
	for (int i = 0; i < balance->stage_count; i++) {
		balance->stage[i].profile = pool_strdup(reckoning->pool, balance->stage[i].profile);
		balance->stage[i].template_name =
			pool_strdup(reckoning->pool, balance->stage[i].template_name);
	}
	if (balance->stage_count > 1)
		qsort(balance->stage, (size_t)balance->stage_count, sizeof *balance->stage, by_profile);
	if (!rc && odd > TOLD_MAX) /* those that were not handed over count all the same */
		balance->differences += odd - TOLD_MAX;
	free(set);
	return rc;
}

/* ---- archives ---- */

/* Gone since it was recounted? What retention took away has no name in the register any more. */
static enum rc look_at_archive(void *ctx, const struct spool_file *file, struct err *err)
{
	struct reckoning *reckoning = ctx;
	struct str path = STR_INIT;
	struct stat st;
	if (!*file->archive)
		return RC_OK;
	for (int i = 0; i < reckoning->gone_count; i++)
		if (reckoning->gone[i] == file->id)
			return RC_OK;
	path_join(&path, reckoning->office->settings->spool_directory, file->archive);
	bool gone = lstat(path.s, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
	str_free(&path);
	return gone ? tell_archive(reckoning, file->id, file->rows_done, err) : RC_OK;
}

/* ---- the transport's own log ---- */

struct logged {
	int64_t id;
	utc_time at;
};
struct sent_side {
	struct logged *line;
	size_t line_count, line_size;
	int64_t *booked; /* accepted since, by the register */
	size_t booked_count, booked_size;
};

static enum rc take_line(void *ctx, const struct sent_log_line *line, struct err *err)
{
	struct sent_side *side = ctx;
	(void)err;
	if (side->line_count == side->line_size) {
		side->line_size = side->line_size ? side->line_size * 2 : 1024;
		side->line = xrealloc(side->line, side->line_size * sizeof *side->line);
	}
	side->line[side->line_count++] = (struct logged){line->notice_id, line->at};
	return RC_OK;
}

static enum rc take_booked(void *ctx, int64_t id, struct err *err)
{
	struct sent_side *side = ctx;
	(void)err;
	if (side->booked_count == side->booked_size) {
		side->booked_size = side->booked_size ? side->booked_size * 2 : 1024;
		side->booked = xrealloc(side->booked, side->booked_size * sizeof *side->booked);
	}
	side->booked[side->booked_count++] = id;
	return RC_OK;
}

static int by_notice(const void *a, const void *b)
{
	const struct logged *one = a, *other = b;
	return (one->id > other->id) - (one->id < other->id);
}

static int by_number(const void *a, const void *b)
{
	int64_t one = *(const int64_t *)a, other = *(const int64_t *)b;
	return (one > other) - (one < other);
}

static enum rc tell_twice(
	struct reckoning *reckoning, const struct notice *notice, int lines, struct err *err)
{
	int unknown = 0;
	enum rc rc = history_unknown(reckoning->office->store, notice, &unknown, err);
	if (rc || lines <= 1 + unknown)
		return rc;
	return tell(reckoning, DIFFERENCE_TWICE, notice->id, 1 + unknown, lines,
		pool_printf(reckoning->pool,
			_("Notice %lld (application %lld): the mail server took it %d times, the register "
			  "knows of %d."),
			(long long)notice->id, (long long)notice->application_id, lines, 1 + unknown),
		err);
}

/* A notice that is in the log, and not among those that the register books as sent since. */
static enum rc look_at_line(struct reckoning *reckoning, int64_t id, int lines, struct err *err)
{
	struct balance *balance = reckoning->balance;
	struct notice notice = {0};
	int unknown = 0;
	balance->logged++;
	enum rc rc = outbox_get(reckoning->office->store, id, &notice, reckoning->pool, err);
	if (rc == RC_REFUSED) {
		*err = (struct err){0};
		return tell(reckoning, DIFFERENCE_NOT_BOOKED, id, 0, lines,
			pool_printf(reckoning->pool,
				_("Notice %lld: the mail server took it, but it is not in the register. The "
				  "register was altered or restored; compare it with a backup."),
				(long long)id),
			err);
	}
	if (rc)
		return rc;
	if (notice.state == OUTBOX_SENT) { /* a moment on the other side of the day */
		balance->booked++;
		return lines > 1 ? tell_twice(reckoning, &notice, lines, err) : RC_OK;
	}
	if (notice.state == OUTBOX_SENDING || notice.state == OUTBOX_UNKNOWN) {
		balance->open++;
		return RC_OK;
	}
	rc = history_unknown(reckoning->office->store, &notice, &unknown, err);
	if (!rc && unknown >= lines) {
		balance->open++;
		return RC_OK;
	}
	return rc ? rc
		  : tell(reckoning, DIFFERENCE_NOT_BOOKED, id, 0, lines,
			    pool_printf(reckoning->pool,
				    _("Notice %lld (application %lld): the mail server took it, but the "
				      "register says: %s."),
				    (long long)id, (long long)notice.application_id,
				    i18n_japanese() ? outbox_state_name_ja(notice.state)
						    : outbox_state_name(notice.state)),
			    err);
}

static enum rc look_at_booked(struct reckoning *reckoning, int64_t id, int lines, struct err *err)
{
	struct notice notice = {.id = id};
	reckoning->balance->booked++;
	if (lines == 1) {
		reckoning->balance->logged++;
		return RC_OK;
	}
	enum rc rc = outbox_get(reckoning->office->store, id, &notice, reckoning->pool, err);
	if (rc)
		return rc;
	if (lines > 1) {
		reckoning->balance->logged++;
		return tell_twice(reckoning, &notice, lines, err);
	}
	return tell(reckoning, DIFFERENCE_NOT_LOGGED, id, 1, 0,
		pool_printf(reckoning->pool,
			_("Notice %lld (application %lld): the register says sent, but the transport's own "
			  "log knows nothing of it. Ask the mail server's log before it is sent again."),
			(long long)id, (long long)notice.application_id),
		err);
}

/* Both sides are sorted by notice. */
static enum rc compare(struct reckoning *reckoning, const struct sent_side *side, struct err *err)
{
	size_t at = 0, booked = 0;
	enum rc rc = RC_OK;
	while (!rc && (at < side->line_count || booked < side->booked_count)) {
		int64_t id = at < side->line_count ? side->line[at].id : INT64_MAX;
		bool is_booked = booked < side->booked_count && side->booked[booked] <= id;
		int lines = 0;
		bool recent = false;
		if (is_booked)
			id = side->booked[booked++];
		for (; at < side->line_count && side->line[at].id == id; at++, lines++)
			recent = recent || side->line[at].at >= reckoning->balance->since;
		if (is_booked)
			rc = look_at_booked(reckoning, id, lines, err);
		else if (recent)
			rc = look_at_line(reckoning, id, lines, err);
	}
	return rc;
}

static enum rc first_line(void *ctx, const struct sent_log_line *line, struct err *err)
{
	(void)err;
	utc_time *first = ctx;
	if (line->at < *first)
		*first = line->at;
	return RC_OK;
}

/* A moment that was noted; 0: there is none, or it was noted by a clock that was ahead, and says nothing. */
static enum rc read_moment(struct office *office, const char *fact, utc_time *at, struct err *err)
{
	struct str value = STR_INIT;
	enum rc rc = fact_get(office->store, fact, &value, err);
	*at = strtoll(value.s, NULL, 10);
	if (*at > clock_now(office->clock) + 1) /* books_begin_anew() may name the next second */
		*at = 0;
	str_free(&value);
	return rc;
}

static enum rc read_settled(struct office *office, utc_time *at, struct err *err)
{
	utc_time now = clock_now(office->clock);
	enum rc rc = read_moment(office, FACT_SETTLED, at, err);
	/* Nothing is settled: what there is of a log is what there is to compare. */
	if (!rc && *at == 0) {
		*at = now;
		rc = sent_log_each(office->settings, now - SETTLED_ANYHOW, now, first_line, at, err);
	}
	return rc;
}

/* since: what is not settled; from: lines from here on are of notices of this register. One may be a second older than what the register books. */
static enum rc read_span(struct office *office, utc_time *since, utc_time *from, struct err *err)
{
	utc_time anew, oldest = clock_now(office->clock) - SETTLED_ANYHOW;
	enum rc rc = read_settled(office, since, err);
	rc = rc ? rc : read_moment(office, FACT_ANEW, &anew, err);
	if (rc)
		return rc;
	/* A clock that was behind may have settled less. */
	if (*since < oldest)
		*since = oldest;
	if (*since < anew)
		*since = anew;
	*from = *since - SLACK > anew - 1 ? *since - SLACK : anew - 1;
	return RC_OK;
}

static enum rc take_sent(struct reckoning *reckoning, struct err *err)
{
	utc_time from = 0;
	struct balance *balance = reckoning->balance;
	struct office *office = reckoning->office;
	struct sent_side side = {0};
	enum rc rc = read_span(office, &balance->since, &from, err);
	/* First the register: whatever it books is in the log already. What a clock that was ahead dated later comes in its time. */
	utc_time until = balance->at + DAY;
	rc = rc ? rc : outbox_each_accepted(office->store, balance->since, until, take_booked, &side, err);
	rc = rc ? rc : sent_log_each(office->settings, from, until, take_line, &side, err);
	if (side.line_count > 1)
		qsort(side.line, side.line_count, sizeof *side.line, by_notice);
	if (side.booked_count > 1)
		qsort(side.booked, side.booked_count, sizeof *side.booked, by_number);
	rc = rc ? rc : compare(reckoning, &side, err);
	free(side.line);
	free(side.booked);
	return rc;
}

/* ---- all of it ---- */

enum rc books_balance(struct office *office, struct balance *out, difference_fn *fn, void *ctx,
	struct pool *pool, struct err *err)
{
	*out = (struct balance){.at = clock_now(office->clock), .log_fits = true};
	struct reckoning reckoning = {.office = office, .balance = out, .fn = fn, .ctx = ctx, .pool = pool};
	enum rc rc = history_head(office->store, &out->head_seq, out->head, err);
	rc = rc ? rc : books_of_rows(office->store, &out->rows, err);
	rc = rc ? rc : take_stages(&reckoning, err);
	rc = rc ? rc : file_each(office->store, 0, UTC_NEVER, look_at_archive, &reckoning, err);
	return rc ? rc : take_sent(&reckoning, err);
}

/* ---- what the evening found ---- */

enum rc books_last(struct office *office, struct books_result *out, struct err *err)
{
	struct str value = STR_INIT;
	*out = (struct books_result){0};
	enum rc rc = fact_get(office->store, FACT_RESULT, &value, err);
	if (!rc && value.len > 0) {
		char *at = value.s;
		out->at = strtoll(at, &at, 10);
		out->differences = strtoll(at, &at, 10);
		out->head_seq = strtoll(at, &at, 10);
		at += strspn(at, " ");
		if (strspn(at, "0123456789abcdef") == sizeof out->head - 1)
			memcpy(out->head, at, sizeof out->head - 1);
		else
			rc = err_set(err, RC_STORE, "What the last evening's books found can't be read.");
	}
	str_free(&value);
	return rc;
}

static enum rc set_moment(struct office *office, const char *fact, utc_time at, struct err *err)
{
	char text[32];
	(void)snprintf(text, sizeof text, "%" PRId64, at);
	return fact_set(office->store, fact, text, err);
}

enum rc books_keep(struct office *office, const struct balance *balance, struct err *err)
{
	struct str value = STR_INIT;
	str_printf(&value, "%" PRId64 " %" PRId64 " %" PRId64 " ", balance->at, balance->differences,
		balance->head_seq);
	hex_add(&value, balance->head, sizeof balance->head);
	enum rc rc = fact_set(office->store, FACT_RESULT, value.s, err);
	str_free(&value);
	utc_time today = civil_moment(civil_day_of(balance->at), 0);
	utc_time settled = balance->log_fits ? today : balance->at - SETTLED_ANYHOW;
	/* Also where it was so before: what a clock that was ahead noted must not count once its day has come. */
	return rc ? rc
		  : set_moment(
			    office, FACT_SETTLED, settled > balance->since ? settled : balance->since, err);
}

enum rc books_begin(struct office *office, struct err *err)
{
	utc_time since;
	enum rc rc = read_moment(office, FACT_SETTLED, &since, err);
	if (rc || since != 0)
		return rc;
	/* The sender may have begun a little earlier. */
	rc = read_settled(office, &since, err);
	return rc ? rc : set_moment(office, FACT_SETTLED, since, err);
}

enum rc books_begin_anew(struct office *office, utc_time from, struct err *err)
{
	enum rc rc = set_moment(office, FACT_SETTLED, from, err);
	return rc ? rc : set_moment(office, FACT_ANEW, from, err);
}
