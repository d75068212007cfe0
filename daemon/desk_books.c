/*
 * The desk's job "books": counts the rows of each finished file anew from its archived original, and balances the books in the evening.
 *
 * The original is read by a parser child, like one that is dropped: what is counted here is told by nothing that intake wrote down.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/desk.h"
#include "daemon/record.h"
#include "daemon/wire.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/desk/books.h"

#define PAUSE_SECONDS 60 /* between two looks for finished files */
#define RECORDS_PER_TURN 256 /* the child waits to be told to go on */
#define STEP_MS 200
#define FILE_MS 120000 /* of steps for one child at one file; a healthy one takes seconds for the longest */
#define DEATHS_MAX                                                                                           \
	3 /* of the parser child, as intake has it: one may have died of something else than the file */
#define LOGGED_MAX                                                                                           \
	50 /* of differences, or of archives that can't be read, in the log; all of them: sengenctl balance */

struct recount {
	bool begun; /* the transport's log counts from a known moment */
	int64_t after; /* files up to this were looked at */
	bool evening; /* all are looked at once more before the books are made */
	int unread_told; /* archives that could not be read, since the last evening's books */
	int64_t file_id; /* in work; 0: none */
	int child; /* socket to the parser child; -1: none */
	int rows; /* so far */
	int64_t spent_ms; /* on it, in steps */
	bool has_head;
	bool unread; /* it was rejected before its first row: as a file of decisions may be for its owner */
	int64_t died_over; /* the file over which a parser child died, */
	int deaths; /* so often in a row */
	struct wire_queue said; /* by the child */
};

/* ---- one file ---- */

struct chosen {
	int64_t id, size;
	bool repetition; /* of an earlier file: it was not worked through, and its rows are not counted */
	bool unread; /* rejected, and no row was taken */
	uint8_t digest[SHA256_LEN];
	char *archive; /* owned */
};

static enum rc take_file(void *ctx, const struct spool_file *file, struct err *err)
{
	struct chosen *chosen = ctx;
	(void)err;
	chosen->id = file->id;
	chosen->size = file->size;
	chosen->repetition = file->same_as != 0 && file->rows_done == 0;
	chosen->unread = file->rows_done == 0 && str_has_prefix(file->archive, "rejected/");
	memcpy(chosen->digest, file->digest, SHA256_LEN);
	free(chosen->archive);
	chosen->archive = xstrdup(file->archive);
	return RC_OK;
}

static void recount_close(struct recount *recount)
{
	if (recount->child >= 0)
		(void)close(recount->child);
	recount->child = -1;
	wire_queue_free(&recount->said);
	recount->file_id = 0;
	recount->rows = 0;
	recount->spent_ms = 0;
}

static enum rc keep_rows(struct role_context *ctx, struct recount *recount, int rows, struct err *err)
{
	struct store *store = ctx->office.store;
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : file_recounted(store, recount->file_id, rows, err);
	rc = rc ? rc : store_commit(store, err);
	if (!rc) {
		recount->after = recount->file_id;
		recount_close(recount);
	}
	return rc;
}

/* Is the file still the one that was taken? fd stands at its beginning again. */
static bool is_unchanged(int fd, const struct chosen *chosen, struct err *unread)
{
	struct stat st;
	struct str bytes = STR_INIT;
	uint8_t digest[SHA256_LEN];
	bool same = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == chosen->size &&
		    file_read_fd(&bytes, fd, (size_t)chosen->size + 1, unread) == RC_OK;
	sha256(digest, bytes.s, bytes.len);
	str_free(&bytes);
	return same && memcmp(digest, chosen->digest, sizeof digest) == 0 && lseek(fd, 0, SEEK_SET) == 0;
}

/* The file as it was taken; -1: it is gone or changed, or can't be read now, which `unread` tells of. */
static int open_archive(const struct role_context *ctx, const struct chosen *chosen, struct err *unread)
{
	struct str path = STR_INIT;
	path_join(&path, ctx->settings->spool_directory, chosen->archive);
	int fd = open(path.s, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
		(void)err_set(unread, RC_STORE, "An archived file, %s, can't be opened: %s.", path.s,
			errno_text(errno));
	if (fd >= 0 && !is_unchanged(fd, chosen, unread)) {
		(void)close(fd);
		fd = -1;
	}
	str_free(&path);
	return fd;
}

static enum rc start_child(struct role_context *ctx, struct recount *recount, int fd, struct err *err)
{
	enum rc rc = zygote_child(&ctx->zygote, CHILD_FORM, &recount->child, err);
	if (rc)
		return rc;
	struct str payload = STR_INIT;
	form_limits_pack(&payload, &ctx->settings->limits);
	/* A child that is gone already shows when its answer is read. */
	(void)wire_send_fd(recount->child, WIRE_PARSE, payload.s, payload.len, fd);
	str_free(&payload);
	return RC_OK;
}

static enum rc begin_file(
	struct role_context *ctx, struct recount *recount, const struct chosen *chosen, struct err *err)
{
	struct err unread = {0};
	enum rc rc;
	recount->file_id = chosen->id;
	recount->has_head = false;
	recount->unread = chosen->unread;
	int fd = open_archive(ctx, chosen, &unread);
	/* It must not keep the books from being made: it is a difference, and looked at again on the next evening. */
	if (unread.rc && ++recount->unread_told <= LOGGED_MAX)
		log_event(LEVEL_FAULT, "desk.fault", "job=books rc=%s reason=\"%s\"", rc_name(unread.rc),
			unread.text);
	if (fd < 0)
		rc = keep_rows(ctx, recount, -1, err);
	else if (chosen->repetition)
		rc = keep_rows(ctx, recount, 0, err);
	else
		rc = start_child(ctx, recount, fd, err);
	if (fd >= 0)
		(void)close(fd);
	if (rc)
		recount_close(recount);
	return rc;
}

/* The child died: the file is read again by another, until it is the file that does it; then what came counts, as for intake. True: read it again. */
static bool note_death(struct recount *recount)
{
	recount->deaths = recount->died_over == recount->file_id ? recount->deaths + 1 : 1;
	recount->died_over = recount->file_id;
	return recount->deaths < DEATHS_MAX;
}

/* Is it a file of decisions? Of one that was rejected for its owner no row was taken, and none is missing. */
static bool holds_decisions(struct wire_reader *reader, const struct form_limits *limits)
{
	struct form_head head;
	struct pool *pool = pool_new();
	bool yes = form_head_unpack(&head, reader, limits, pool) && head.content == CONTENT_DECISIONS;
	pool_free(&pool);
	return yes;
}

enum heard { HEARD_MORE, HEARD_DEATH, HEARD_ALL };

static enum heard take_frame(struct recount *recount, const struct form_limits *limits, enum wire_type type,
	struct wire_reader *reader)
{
	if (type == WIRE_RECORD && recount->rows < (int64_t)limits->records) {
		bool waits = ++recount->rows % RECORDS_PER_TURN == 0;
		return !waits || wire_send_now(recount->child, WIRE_MORE) ? HEARD_MORE : HEARD_ALL;
	}
	if (type == WIRE_HEAD && !recount->has_head) {
		recount->has_head = true;
		return recount->unread && holds_decisions(reader, limits) ? HEARD_ALL : HEARD_MORE;
	}
	if (type == WIRE_DONE) {
		enum rc rc = (enum rc)wire_get_number(reader);
		/* One that says that it can't work may have been taken over: it must not keep the books from being made. */
		return !reader->bad && rc != RC_OK && rc != RC_REFUSED ? HEARD_DEATH : HEARD_ALL;
	}
	return HEARD_ALL;
}

/* Takes what the child says in a while; *done: there is no more, for whatever reason: intake took no more either; *again: it has to be read once more. */
static void take_records(struct recount *recount, const struct form_limits *limits, bool *done, bool *again)
{
	const int64_t begun = clock_machine_ms(), until = begun + STEP_MS;
	int64_t now = begun;
	enum heard heard = HEARD_MORE;
	while (heard == HEARD_MORE && now < until) {
		enum wire_type type;
		struct wire_reader reader;
		int got =
			wire_receive_next(recount->child, &recount->said, &type, &reader, (int)(until - now));
		now = clock_machine_ms();
		if (got == 1)
			heard = take_frame(recount, limits, type, &reader);
		else if (got == 0 || now < until)
			heard = HEARD_DEATH;
	}
	recount->spent_ms += now - begun;
	if (heard == HEARD_MORE && recount->spent_ms >= FILE_MS)
		heard = HEARD_DEATH;
	*again = heard == HEARD_DEATH && note_death(recount);
	*done = heard != HEARD_MORE && !*again;
}

/* *more: there is more to count. */
static enum rc recount_step(struct role_context *ctx, struct recount *recount, bool *more, struct err *err)
{
	struct chosen chosen = {0};
	enum rc rc = RC_OK;
	bool done = false, again = false;
	*more = true;
	if (!recount->file_id) {
		rc = file_each_uncounted(ctx->office.store, recount->after, 1, take_file, &chosen, err);
		*more = chosen.id > 0;
		if (!rc && *more)
			rc = begin_file(ctx, recount, &chosen, err);
		free(chosen.archive);
		return rc;
	}
	take_records(recount, &ctx->settings->limits, &done, &again);
	if (again)
		recount_close(recount);
	else if (done)
		rc = keep_rows(ctx, recount, recount->rows, err);
	if (rc)
		recount_close(recount);
	return rc;
}

/* ---- the evening ---- */

static enum rc log_difference(void *ctx, const struct difference *difference, struct err *err)
{
	int *logged = ctx;
	(void)err;
	if (++*logged <= LOGGED_MAX)
		log_event(LEVEL_FAULT, "books.difference",
			"kind=%s about=%" PRId64 " expected=%" PRId64 " found=%" PRId64,
			difference_name(difference->kind), difference->about, difference->expected,
			difference->found);
	return RC_OK;
}

static enum rc balance_evening(struct role_context *ctx, civil_day today, struct err *err)
{
	struct store *store = ctx->office.store;
	struct pool *pool = pool_new();
	struct balance balance;
	struct str head = STR_INIT;
	int logged = 0;
	enum rc rc = books_balance(&ctx->office, &balance, log_difference, &logged, pool, err);
	rc = rc ? rc : store_begin(store, err);
	rc = rc ? rc : books_keep(&ctx->office, &balance, err);
	rc = rc ? rc : desk_done(ctx, "books", today, err);
	rc = rc ? rc : store_commit(store, err);
	if (!rc) {
		hex_add(&head, balance.head, sizeof balance.head);
		log_event(balance.differences ? LEVEL_FAULT : LEVEL_NOTICE, "books.balanced",
			"differences=%" PRId64 " rows=%" PRId64 " sent=%" PRId64 " open=%" PRId64
			" head_seq=%" PRId64 " head=%s",
			balance.differences, balance.rows.rows, balance.booked, balance.open,
			balance.head_seq, head.s);
	}
	str_free(&head);
	pool_free(&pool);
	return rc;
}

static enum rc begin(struct role_context *ctx, struct err *err)
{
	struct store *store = ctx->office.store;
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : books_begin(&ctx->office, err);
	return rc ? rc : store_commit(store, err);
}

enum rc desk_books(struct role_context *ctx, void **state, utc_time now, utc_time *next, struct err *err)
{
	struct recount *recount = *state;
	civil_day done_on;
	bool more = false;
	if (!recount) {
		*state = recount = xcalloc(1, sizeof *recount);
		recount->child = -1;
		recount->said = (struct wire_queue)WIRE_QUEUE_INIT;
	}
	enum rc rc = recount->begun ? RC_OK : begin(ctx, err);
	recount->begun = !rc;
	rc = rc ? rc : desk_done_on(ctx, "books", &done_on, err);
	if (rc)
		return rc;
	utc_time evening = desk_next(done_on, ctx->settings->books_at, now);
	/* Also what was passed over, and archives that were gone and may have been put back. */
	if (evening <= now && !recount->evening && !recount->file_id) {
		recount->after = 0;
		recount->evening = true;
	}
	/* On the virtual clock all is counted at once, in the evening. */
	if (!ctx->simulating || evening <= now)
		rc = recount_step(ctx, recount, &more, err);
	if (!rc && !more && evening <= now) {
		rc = balance_evening(ctx, civil_day_of(now), err);
		recount->evening = false;
		recount->unread_told = 0;
		evening = desk_next(civil_day_of(now), ctx->settings->books_at, now);
	}
	*next = more ? now : evening;
	if (!more && !ctx->simulating && now + PAUSE_SECONDS < evening)
		*next = now + PAUSE_SECONDS;
	return rc;
}

void desk_books_stop(void **state)
{
	struct recount *recount = *state;
	if (!recount)
		return;
	recount_close(recount);
	free(recount);
	*state = NULL;
}
