#include "daemon/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/owner.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"

#define STEP_MS 200 /* then signals and the watchdog get their turn */
#define PAUSE_SECONDS 10 /* until room is looked for again */
#define PRESSURE_MS 2000 /* between two looks at disk and outbox */
#define COPY_NAME "taking-%d"
#define FACT_PAUSED "intake.paused" /* why intake waits; read by sengenctl status */
#define FACT_RESUMED                                                                                         \
	"intake.resumed" /* "FILE ROWS TIMES": a file that ends its process each time it is read */
#define RESUMES_MAX 10

struct intake {
	struct spool spool;
	struct intake_file in;
	int batch; /* rows of small files in a transaction */
	bool recover; /* a file may be unfinished in the register */
	bool counted; /* the first of those that were so at the start: how often it was begun */
	bool scan; /* something happened in incoming/ */
	utc_time scanned_at; /* the last look into incoming/ */
	utc_time look_again; /* a file that is settling */
	utc_time rescan_at;
	int64_t looked_ms; /* at disk and outbox */
	char paused[160]; /* why; "": not */
	bool by_staff; /* paused by staff */
};

/* ---- back-pressure ---- */

static enum rc find_pressure(struct role_context *ctx, struct str *why, struct err *err)
{
	const struct settings *settings = ctx->settings;
	const char *const place[] = {settings->spool_directory, settings->state_directory};
	for (size_t i = 0; i < sizeof place / sizeof *place && !why->len; i++) {
		int64_t mib = file_free_mib(place[i]);
		if (mib < settings->disk_floor_mib)
			str_printf(why, "disk: %s has %" PRId64 " MiB left, at least %" PRId64 " are wanted",
				place[i], mib, settings->disk_floor_mib);
	}
	/* In a simulation the moment of this look is chance, and it has to repeat bit for bit. */
	if (why->len || ctx->simulating)
		return RC_OK;
	int64_t queued = 0;
	enum rc rc = outbox_queued(ctx->office.store, &queued, err);
	if (!rc && queued > settings->outbox_bound)
		str_printf(why, "outbox: %" PRId64 " notices wait, at most %" PRId64 " may", queued,
			settings->outbox_bound);
	return rc;
}

static enum rc fact_write(struct store *store, const char *name, const char *value, struct err *err)
{
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : fact_set(store, name, value, err);
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

/* What was taken waits well in incoming/; what has no room to be worked on would be lost work. */
static enum rc look_at_pressure(struct role_context *ctx, struct intake *intake, struct err *err)
{
	int64_t now = clock_machine_ms();
	enum rc rc = office_paused(&ctx->office, PAUSE_INTAKE, &intake->by_staff, err);
	if (rc)
		return rc;
	if (intake->looked_ms && now - intake->looked_ms < PRESSURE_MS)
		return RC_OK;
	intake->looked_ms = now;
	struct str why = STR_INIT;
	rc = find_pressure(ctx, &why, err);
	bool was = intake->paused[0] != '\0', is = why.len > 0;
	if (!rc && was != is) {
		log_event(is ? LEVEL_FAULT : LEVEL_NOTICE, is ? "intake.paused" : "intake.resumed",
			"reason=\"%s\"", is ? why.s : "room again");
		/* With no room on the disk the fact may not be written either; the log has it. */
		struct err ignored = {0};
		(void)fact_write(ctx->office.store, FACT_PAUSED, is ? why.s : NULL, &ignored);
	}
	if (!rc)
		(void)snprintf(intake->paused, sizeof intake->paused, "%s", why.s);
	str_free(&why);
	return rc;
}

/* ---- what a crash left ---- */

/* A file that kills its reader again and again must not stop the others for ever. */
static enum rc count_resume(struct role_context *ctx, int64_t id, bool *give_up, struct err *err)
{
	struct str value = STR_INIT;
	struct pool *pool = pool_new();
	struct spool_file file;
	int64_t last_id, last_rows, times;
	*give_up = false;
	enum rc rc = file_get(ctx->office.store, id, &file, pool, err);
	rc = rc ? rc : fact_get(ctx->office.store, FACT_RESUMED, &value, err);
	if (!rc) {
		char *at = value.s;
		last_id = strtoll(at, &at, 10);
		last_rows = strtoll(at, &at, 10);
		times = strtoll(at, &at, 10);
		if (last_id != id || last_rows != file.rows_done)
			times = 0;
		*give_up = ++times > RESUMES_MAX;
		str_clear(&value);
		str_printf(&value, "%" PRId64 " %d %" PRId64, id, file.rows_done, times);
		rc = fact_write(ctx->office.store, FACT_RESUMED, value.s, err);
	}
	pool_free(&pool);
	str_free(&value);
	return rc;
}

static enum rc resume_unfinished(struct role_context *ctx, struct intake *intake, struct err *err)
{
	int64_t id = 0;
	bool give_up = false;
	enum rc rc = file_unfinished(ctx->office.store, 0, &id, err);
	if (rc || !id) {
		intake->recover = rc != RC_OK;
		intake->counted |= rc == RC_OK;
		return rc;
	}
	/* Not at the start itself: while intake is paused nothing is read, and no file ends anything. */
	if (!intake->counted)
		rc = count_resume(ctx, id, &give_up, err);
	intake->counted = true;
	rc = rc ? rc : intake_file_open(ctx, &intake->in, id, err);
	if (!rc && give_up) {
		log_event(LEVEL_FAULT, "file.given-up", "file=%" PRId64 " resumes=%d", id, RESUMES_MAX);
		intake_file_give_up(&intake->in);
	} else if (!rc)
		log_event(LEVEL_NOTICE, "file.resumed", "file=%" PRId64 " rows_done=%d", id,
			intake->in.file.rows_done);
	return rc;
}

/* The copies of files that are unfinished are all there is of them. */
static enum rc clean_up(struct role_context *ctx, struct spool *spool, struct err *err)
{
	struct strlist keep = {0};
	struct str copy = STR_INIT;
	int64_t id = 0;
	enum rc rc;
	while (!(rc = file_unfinished(ctx->office.store, id, &id, err)) && id) {
		str_clear(&copy);
		intake_copy_name(&copy, id);
		strlist_add(&keep, copy.s);
	}
	rc = rc ? rc : spool_clean(spool, &keep, err);
	str_free(&copy);
	strlist_free(&keep);
	return rc;
}

static enum rc intake_start(struct role_context *ctx, struct err *err)
{
	struct intake *intake = xcalloc(1, sizeof *intake);
	ctx->state = intake;
	*intake = (struct intake){.recover = true,
		.scan = true,
		.batch = INTAKE_BATCH_FIRST,
		.in = {.child = -1, .said = WIRE_QUEUE_INIT}};
	enum rc rc = spool_open(&intake->spool, ctx->settings->spool_directory, ctx->simulating, err);
	if (rc)
		return rc;
	/* The last one may have ended while it waited for room: then that stands in the register until there is some. */
	struct str paused = STR_INIT;
	rc = fact_get(ctx->office.store, FACT_PAUSED, &paused, err);
	(void)snprintf(intake->paused, sizeof intake->paused, "%s", paused.s);
	str_free(&paused);
	if (rc)
		return rc;
	intake->spool.settle_seconds = ctx->settings->settle_seconds;
	intake->spool.file_limit = ctx->settings->limits.file_bytes;
	intake->spool.keep_bytes = INTAKE_SMALL_BYTES;

	rc = clean_up(ctx, &intake->spool, err);
	return rc ? rc : intake_rows_drop(ctx, err); /* of a file that was just done */
}

/* ---- taking ---- */

/* A name may be any bytes; the register and the result hold text. */
static const char *readable_name(const char *name, struct pool *pool)
{
	struct str text = STR_INIT;
	for (size_t at = 0, len = strlen(name); at < len;) {
		uint32_t c;
		size_t n = utf8_next(name + at, len - at, &c);
		if (n == 0 || c < 0x20 || c == 0x7F)
			str_addc(&text, '_');
		else
			str_add(&text, name + at, n);
		at += n ? n : 1;
	}
	const char *copy = pool_strdup(pool, text.s);
	str_free(&text);
	return copy;
}

struct taking {
	const char *name; /* in incoming/ */
	struct spool_taken taken;
	struct spool_file file;
	int64_t known; /* file that was taken from there before; 0: none */
	bool removed; /* the original */
};

static void taking_name(struct str *copy, int at)
{
	str_clear(copy);
	str_printf(copy, COPY_NAME, at);
}

static enum rc write_one(
	struct role_context *ctx, struct intake *intake, struct taking *taking, int at, struct err *err)
{
	struct store *store = ctx->office.store;
	struct spool_file *file = &taking->file;
	enum rc rc = file_by_source(store, file->source_dev, file->source_ino, file->source_mtime_ns,
		file->digest, &taking->known, err);
	if (rc || taking->known)
		return rc;
	rc = file_add(store, file, err);
	struct history_row row = {.at = file->taken_at,
		.event = EVENT_FILE,
		.ref = file->id,
		.actor = "intake",
		.note = file->owner};
	rc = rc ? rc : history_add(store, &row, err);
	if (rc)
		return rc;
	/* Before the commit: what the register knows must be there. */
	struct str from = STR_INIT, copy = STR_INIT;
	taking_name(&from, at);
	intake_copy_name(&copy, file->id);
	if (renameat(intake->spool.work, from.s, intake->spool.work, copy.s) != 0)
		rc = err_set(err, RC_STORE, "The copy of a dropped file could not be named: %s.",
			errno_text(errno));
	str_free(&from);
	str_free(&copy);
	return rc;
}

static enum rc write_taken(
	struct role_context *ctx, struct intake *intake, struct taking *taking, int count, struct err *err)
{
	struct store *store = ctx->office.store;
	int fresh = 0;
	enum rc rc = store_begin(store, err);
	for (int i = 0; i < count && !rc; i++) {
		rc = write_one(ctx, intake, &taking[i], i, err);
		fresh += !taking[i].known;
	}
	if (!rc && !fresh) {
		store_rollback(store);
		return RC_OK;
	}
	if (!rc && fsync(intake->spool.work) != 0)
		rc = err_set(err, RC_STORE, "The copy of a dropped file could not be named: %s.",
			errno_text(errno));
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc;
}

/* From here on the copies are the files: the originals go. */
static enum rc remove_originals(struct intake *intake, struct taking *taking, int count, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++) {
		rc = spool_remove(&intake->spool, taking[i].name, &taking[i].taken, err);
		taking[i].removed = rc == RC_OK;
		if (rc != RC_REFUSED)
			continue;
		spool_leave(&intake->spool, taking[i].name, err->text);
		rc = RC_OK;
	}
	if (rc || !intake->spool.sync_later)
		return rc;
	rc = spool_sync_removals(&intake->spool, err);
	for (int i = 0; i < count && rc; i++)
		taking[i].removed = false;
	return rc == RC_REFUSED ? RC_OK : rc;
}

static void tell_taken(struct intake *intake, const struct taking *taking, int count)
{
	struct str copy = STR_INIT;
	for (int i = 0; i < count; i++) {
		if (!taking[i].known) {
			log_event(LEVEL_NOTICE, "file.taken", "file=%" PRId64 " bytes=%" PRId64,
				taking[i].file.id, taking[i].file.size);
			continue;
		}
		log_event(LEVEL_NOTICE, "file.known", "file=%" PRId64, taking[i].known);
		taking_name(&copy, i);
		(void)unlinkat(intake->spool.work, copy.s, 0);
	}
	str_free(&copy);
}

/* Now that they lie in work/. */
static enum rc work_on(
	struct role_context *ctx, struct intake *intake, struct taking *taking, int count, struct err *err)
{
	struct intake_taken fresh[INTAKE_BUNDLE_MAX];
	int fresh_count = 0;
	int64_t bytes = 0;
	for (int i = 0; i < count; i++) {
		if (taking[i].known)
			continue;
		fresh[fresh_count++] = (struct intake_taken){.id = taking[i].file.id,
			.removed = taking[i].removed,
			.bytes = taking[i].file.size <= INTAKE_SMALL_BYTES ? &taking[i].taken.bytes : NULL};
		bytes = taking[i].file.size;
	}
	if (fresh_count == 0)
		return RC_OK;
	if (fresh_count > 1 || bytes <= INTAKE_SMALL_BYTES)
		return intake_bundle_work(ctx, &intake->spool, fresh, fresh_count, &intake->batch, err);
	enum rc rc = intake_file_open(ctx, &intake->in, fresh[0].id, err);
	if (!rc && fresh[0].removed)
		intake->in.file.source_ino = 0; /* written with the next update: another file may get it */
	return rc;
}

/* Most files of a bundle are of one person. */
static const char *owner_of(const struct taking *taking, int at, struct pool *pool)
{
	const struct spool_taken *taken = &taking[at].taken, *before = at > 0 ? &taking[at - 1].taken : NULL;
	bool same = before && before->owner == taken->owner && before->group == taken->group &&
		    before->mode == taken->mode && before->listed == taken->listed;
	return same ? taking[at - 1].file.owner : owner_text(taken, pool);
}

static enum rc take_copied(
	struct role_context *ctx, struct intake *intake, struct taking *taking, int count, struct err *err)
{
	struct pool *pool = pool_new();
	for (int i = 0; i < count; i++) {
		struct spool_taken *taken = &taking[i].taken;
		taking[i].file = (struct spool_file){.name = readable_name(taking[i].name, pool),
			.size = taken->size,
			.taken_at = clock_now(ctx->office.clock),
			.source_dev = taken->dev,
			.source_ino = taken->ino,
			.source_mtime_ns = taken->mtime_ns,
			.owner = owner_of(taking, i, pool),
			.state = FILE_TAKEN,
			.archive = ""};
		memcpy(taking[i].file.digest, taken->digest, sizeof taken->digest);
	}
	enum rc rc = intake->spool.sync_later ? spool_sync_copies(&intake->spool, err) : RC_OK;
	rc = rc ? rc : write_taken(ctx, intake, taking, count, err);
	if (!rc) {
		tell_taken(intake, taking, count);
		intake->recover = true; /* whatever happens now, the register may have files to finish */
		rc = remove_originals(intake, taking, count, err);
	}
	rc = rc ? rc : work_on(ctx, intake, taking, count, err);
	pool_free(&pool);
	return rc;
}

static enum rc refuse_large(
	struct role_context *ctx, struct intake *intake, const char *name, struct err *err)
{
	struct str why = STR_INIT;
	str_printf(&why,
		"ファイルが大きすぎます（上限 %zu "
		"MiB）。いくつかのファイルに分けて、もう一度入れてください。",
		intake->spool.file_limit / 1024 / 1024);
	enum rc rc = intake_refuse_unread(ctx, &intake->spool, name, why.s, err);
	str_free(&why);
	if (rc == RC_REFUSED) {
		spool_leave(&intake->spool, name, err->text);
		return RC_OK;
	}
	if (!rc)
		log_event(LEVEL_NOTICE, "file.refused", "reason=\"over the limit of %zu bytes\"",
			intake->spool.file_limit);
	return rc;
}

/* *count grows when it was taken. */
static enum rc take_one(struct role_context *ctx, struct intake *intake, const char *name,
	struct taking *taking, int *count, struct err *err)
{
	enum spool_answer answer;
	struct str copy = STR_INIT;
	taking_name(&copy, *count);
	taking[*count] = (struct taking){.name = name};
	enum rc rc = spool_take(&intake->spool, name, copy.s, &answer, &taking[*count].taken, err);
	str_free(&copy);
	if (rc)
		return rc;
	switch (answer) {
	case SPOOL_TAKEN:
		++*count;
		break;
	case SPOOL_TOO_LARGE:
		return refuse_large(ctx, intake, name, err);
	case SPOOL_LATER:
		intake->look_again = clock_now(&ctx->clock) + 1;
		break;
	case SPOOL_UNREADABLE:
		break;
	}
	return RC_OK;
}

/* The next file, or as many as are small. */
static enum rc take_next(struct role_context *ctx, struct intake *intake, struct err *err)
{
	struct spool *spool = &intake->spool;
	struct taking *taking = xcalloc(INTAKE_BUNDLE_MAX, sizeof *taking);
	int count = 0;
	bool small = spool_next_is_small(spool, INTAKE_SMALL_BYTES);
	spool->sync_later = small && spool_waiting(spool) >= SPOOL_MANY;
	enum rc rc;
	do {
		rc = take_one(ctx, intake, spool_next(spool), taking, &count, err);
		/* What has grown meanwhile goes by itself. */
		small = small && (count == 0 || taking[count - 1].taken.size <= INTAKE_SMALL_BYTES) &&
			spool_next_is_small(spool, INTAKE_SMALL_BYTES);
	} while (!rc && small && count < INTAKE_BUNDLE_MAX);
	if (!rc && count)
		rc = take_copied(ctx, intake, taking, count, err);
	spool->sync_later = false;
	for (int i = 0; i < count; i++)
		str_free(&taking[i].taken.bytes);
	free(taking);
	return rc;
}

/* ---- the step ---- */

static enum rc scan(struct role_context *ctx, struct intake *intake, utc_time now, struct err *err)
{
	bool put_back = now < intake->scanned_at; /* the clock */
	/* In a simulation the last look has seen all that will come, and when. */
	bool waits = ctx->simulating || now < intake->rescan_at;
	if (!intake->scan && !put_back && now < intake->look_again && waits)
		return RC_OK;
	intake->scan = false;
	intake->scanned_at = now;
	intake->rescan_at = now + ctx->settings->rescan_seconds;
	return spool_scan(&intake->spool, now, clock_machine_ms(), &intake->look_again, err);
}

/* One piece: a batch of the open file, or the next file. *idle: there is nothing to do. */
static enum rc intake_piece(
	struct role_context *ctx, struct intake *intake, utc_time now, bool *idle, struct err *err)
{
	*idle = false;
	if (intake->in.file.id) {
		bool done = false;
		enum rc rc = intake_file_step(ctx, &intake->spool, &intake->in, &done, err);
		if (!rc && done) {
			role_wake(ctx->settings, "scheduler");
			role_wake(ctx->settings, "sender");
		}
		return rc;
	}
	if (intake->recover)
		return resume_unfinished(ctx, intake, err);
	if (!spool_waiting(&intake->spool)) {
		enum rc rc = scan(ctx, intake, now, err);
		if (rc)
			return rc;
	}
	*idle = !spool_waiting(&intake->spool);
	return *idle ? RC_OK : take_next(ctx, intake, err);
}

static enum rc intake_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	struct intake *intake = ctx->state;
	int64_t until = clock_machine_ms() + STEP_MS;
	bool idle = false, held = false;
	enum rc rc = RC_OK;
	if (spool_events(&intake->spool))
		intake->scan = true;
	do {
		rc = look_at_pressure(ctx, intake, err);
		held = intake->by_staff || intake->paused[0];
		if (!rc && !held)
			rc = intake_piece(ctx, intake, now, &idle, err);
	} while (!rc && !idle && !held && clock_machine_ms() < until);
	if (rc || held) {
		intake_file_close(&intake->in); /* it goes on where the register says */
		intake->recover = true;
	}
	if (rc)
		return rc;
	*next = now;
	if (held)
		*next = now + PAUSE_SECONDS;
	else if (idle)
		*next = intake->look_again < intake->rescan_at || intake->spool.simulating
				? intake->look_again
				: intake->rescan_at;
	return RC_OK;
}

static void intake_stop(struct role_context *ctx, int64_t deadline_ms)
{
	(void)deadline_ms; /* nothing is in flight: a file goes on at its last row */
	struct intake *intake = ctx->state;
	if (!intake)
		return;
	intake_file_close(&intake->in);
	spool_close(&intake->spool);
	free(intake);
	ctx->state = NULL;
}

static void intake_reload(struct role_context *ctx)
{
	struct intake *intake = ctx->state;
	intake->spool.settle_seconds = ctx->settings->settle_seconds;
	intake->spool.file_limit = ctx->settings->limits.file_bytes;
	/* The open file was begun with the old field map: it goes on with the new one, from its last row. */
	intake_file_close(&intake->in);
	intake->recover = true;
	intake->scan = true;
}

static int intake_watch(struct role_context *ctx, int *fd, int max)
{
	struct intake *intake = ctx->state;
	if (max < 1 || intake->spool.events < 0 || intake->paused[0] || intake->by_staff)
		return 0;
	fd[0] = intake->spool.events;
	return 1;
}

const struct role role_intake = {
	.name = "intake",
	.writes = true,
	.children = CHILD_BIT(CHILD_FORM),
	.start = intake_start,
	.step = intake_step,
	.stop = intake_stop,
	.reload = intake_reload,
	.watch = intake_watch,
};
