/*
 * Many small files at once. They share a parser child (a few dozen each), the transactions of their rows, and the syncs. The bundle is only a short cut: a file that
 * does not go smoothly is closed as it stands in the register, and goes on by itself, with a child of its own.
 */
#include "daemon/intake.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/record.h"
#include "daemon/zygote.h"

/* What one child is given stays below what a socket holds: neither side waits for the other to read. */
#define CHILD_FILES 32
#define CHILD_BYTES 49152
#define RECORDS_MAX 64 /* of a file; one with more goes by itself */

struct bundle {
	struct intake_file in[INTAKE_BUNDLE_MAX];
	bool left[INTAKE_BUNDLE_MAX]; /* goes on by itself */
	int count;
	struct intake_row *row; /* owned; of all files, one behind the other */
	int row_count, row_size;
	struct form_record record[RECORDS_MAX];
	int child; /* -1: none */
	struct wire_queue said; /* by it */
};

static void leave(struct bundle *bundle, int at)
{
	bundle->in[at].child = -1; /* not its own */
	intake_file_close(&bundle->in[at]);
	bundle->left[at] = true;
}

static void child_end(struct bundle *bundle)
{
	if (bundle->child >= 0)
		(void)close(bundle->child);
	bundle->child = -1;
	wire_queue_free(&bundle->said);
}

/* ---- reading ---- */

/* A child that gets the files from `at` on; *end: behind its last one. */
static enum rc child_begin(struct role_context *ctx, struct bundle *bundle, const struct intake_taken *taken,
	int at, int *end, struct err *err)
{
	struct str payload = STR_INIT;
	int files = 0;
	size_t sent = 0;
	enum rc rc = RC_OK;
	for (*end = at; *end < bundle->count && files < CHILD_FILES && sent < CHILD_BYTES && !rc; ++*end) {
		struct intake_file *in = &bundle->in[*end];
		if (in->read_whole || bundle->left[*end])
			continue;
		const struct str *bytes = taken[*end].bytes;
		if (!bytes) {
			leave(bundle, *end);
			continue;
		}
		if (bundle->child < 0)
			rc = zygote_child(&ctx->zygote, CHILD_FORM, &bundle->child, err);
		if (rc)
			break;
		str_clear(&payload);
		wire_put_bytes(&payload, bytes->s, bytes->len);
		form_limits_pack(&payload, &ctx->settings->limits);
		/* A child that is gone already shows when its answer is read. */
		(void)wire_send(bundle->child, WIRE_PARSE, payload.s, payload.len);
		files++;
		sent += payload.len;
	}
	if (bundle->child >= 0)
		(void)shutdown(bundle->child, SHUT_WR);
	str_free(&payload);
	return rc;
}

static void rows_keep(struct bundle *bundle, struct intake_file *in, int count)
{
	while (bundle->row_count + count > bundle->row_size) {
		bundle->row_size = bundle->row_size ? bundle->row_size * 2 : INTAKE_BUNDLE_MAX;
		bundle->row = xrealloc(bundle->row, (size_t)bundle->row_size * sizeof *bundle->row);
	}
	if (count == 0)
		return;
	struct form_record *record = pool_alloc(in->batch_pool, (size_t)count * sizeof *record);
	memcpy(record, bundle->record, (size_t)count * sizeof *record);
	for (int i = 0; i < count; i++)
		bundle->row[bundle->row_count++] = (struct intake_row){.in = in, .record = &record[i]};
}

/* false: the child is of no more use. */
static bool file_read_whole(struct role_context *ctx, struct bundle *bundle, int at)
{
	struct intake_file *in = &bundle->in[at];
	struct err err = {0};
	int count = 0;
	in->child = bundle->child;
	in->said = bundle->said;
	enum rc rc = intake_gather(ctx, in, bundle->record, RECORDS_MAX, &count, &err);
	bundle->said = in->said;
	in->said = (struct wire_queue)WIRE_QUEUE_INIT;
	in->child = -1;
	if (rc || in->died || in->child_failed || !in->read_whole) {
		leave(bundle, at);
		return false;
	}
	rows_keep(bundle, in, count);
	return true;
}

static enum rc read_all(
	struct role_context *ctx, struct bundle *bundle, const struct intake_taken *taken, struct err *err)
{
	for (int at = 0, end; at < bundle->count;) {
		enum rc rc = child_begin(ctx, bundle, taken, at, &end, err);
		if (rc)
			return rc;
		bool alive = true;
		for (; at < end && alive; at++)
			if (!bundle->left[at] && !bundle->in[at].read_whole)
				alive = file_read_whole(ctx, bundle, at);
		child_end(bundle);
	}
	return RC_OK;
}

/* ---- all the way ---- */

/* One with the content of another of the bundle waits until it is known what came of that: what it asks for must not be done twice. */
static bool is_repeated(const struct bundle *bundle, int at)
{
	for (int i = 0; i < at; i++)
		if (!bundle->left[i] &&
			memcmp(bundle->in[i].file.digest, bundle->in[at].file.digest, SHA256_LEN) == 0)
			return true;
	return false;
}

static enum rc look_up_all(
	struct role_context *ctx, struct bundle *bundle, const struct intake_taken *taken, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; i < bundle->count && !rc; i++) {
		struct intake_file *in = &bundle->in[i];
		rc = intake_file_look_up(ctx, in, taken[i].id, err);
		if (!rc && taken[i].removed)
			in->file.source_ino = 0; /* written with the next update: another file may get it */
		if (!rc && is_repeated(bundle, i))
			leave(bundle, i);
	}
	return rc;
}

static enum rc finish_all(
	struct role_context *ctx, struct spool *spool, struct bundle *bundle, struct err *err)
{
	struct intake_file *done[INTAKE_BUNDLE_MAX];
	int count = 0;
	for (int i = 0; i < bundle->count; i++)
		if (!bundle->left[i])
			done[count++] = &bundle->in[i];
	return count ? intake_files_finish(ctx, spool, done, count, err) : RC_OK;
}

enum rc intake_bundle_work(struct role_context *ctx, struct spool *spool, const struct intake_taken *taken,
	int count, int *batch, struct err *err)
{
	struct bundle *bundle = xcalloc(1, sizeof *bundle);
	bundle->count = count;
	bundle->child = -1;
	bundle->said = (struct wire_queue)WIRE_QUEUE_INIT;
	for (int i = 0; i < count; i++)
		bundle->in[i] = (struct intake_file){.child = -1, .said = WIRE_QUEUE_INIT};
	enum rc rc = look_up_all(ctx, bundle, taken, err);
	rc = rc ? rc : read_all(ctx, bundle, taken, err);
	rc = rc ? rc : intake_rows_write(ctx, bundle->row, bundle->row_count, batch, err);
	if (!rc && bundle->row_count)
		role_wake(ctx->settings, "sender"); /* receipts need not wait for the results */
	rc = rc ? rc : intake_rows_answer(bundle->row, bundle->row_count, err);
	rc = rc ? rc : finish_all(ctx, spool, bundle, err);
	if (!rc)
		role_wake(ctx->settings, "scheduler");
	child_end(bundle);
	for (int i = 0; i < count; i++)
		intake_file_close(&bundle->in[i]);
	free(bundle->row);
	free(bundle);
	return rc;
}
