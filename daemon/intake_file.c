#include "daemon/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/record.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

#define CANNOT_MAX 4 /* times that a file is tried whose child says that it can't work */
#define CHILD_TIMEOUT_MS 20000 /* for one frame; a healthy child takes milliseconds */
#define BATCH_BYTES (4u * 1024 * 1024)
#define DEATHS_MAX 3 /* of the parser child: one may have died of something else than the file */

#define FAULT_CHILD                                                                                                                                     \
	"ファイルを解析できませんでした（解析処理が異常終了しました）。ファイルが壊れていないか確認し、" \
	"開いて保存し直してからもう一度入れてください。ここまでに登録された行はそのまま有効です。"
#define FAULT_READ                                                                                           \
	"ファイルを読み取れませんでした。形式（CSV・JSON・テキスト）を確認してもう一度入れてください。"
#define FAULT_LOST                                                                                                                                   \
	"処理の途中で、受け取ったファイルの控えが失われました。もう一度入れてください。登録済みの行は" \
	"二重には登録されません。"

void intake_copy_name(struct str *out, int64_t file_id)
{
	str_printf(out, "%" PRId64, file_id);
}

static void work_path(struct str *out, const struct settings *settings, const char *name)
{
	path_join(out, settings->spool_directory, "work");
	if (name) {
		str_addc(out, '/');
		str_addz(out, name);
	}
}

/* ---- opening and closing ---- */

void intake_file_close(struct intake_file *in)
{
	if (in->child >= 0)
		(void)close(in->child);
	if (in->result)
		result_drop(&in->result);
	if (in->pool)
		pool_free(&in->pool);
	if (in->batch_pool)
		pool_free(&in->batch_pool);
	wire_queue_free(&in->said);
	*in = (struct intake_file){
		.child = -1, .said = WIRE_QUEUE_INIT, .cannot = in->cannot, .cannot_id = in->cannot_id};
}

static enum rc child_start(struct role_context *ctx, struct intake_file *in, struct err *err)
{
	struct str path = STR_INIT, name = STR_INIT;
	intake_copy_name(&name, in->file.id);
	work_path(&path, ctx->settings, name.s);
	int file = open(path.s, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	enum rc rc = RC_OK;
	if (file < 0 && errno == ENOENT) {
		log_event(LEVEL_FAULT, "file.lost", "file=%" PRId64, in->file.id);
		in->fault_ja = FAULT_LOST;
		in->read_whole = true;
	} else if (file < 0) {
		rc = err_set(err, RC_STORE, "The copy of a dropped file, %s, can't be opened: %s.", path.s,
			errno_text(errno));
	}
	str_free(&path);
	str_free(&name);
	if (rc || file < 0)
		return rc;
	rc = zygote_child(&ctx->zygote, CHILD_FORM, &in->child, err);
	if (!rc) {
		struct str payload = STR_INIT;
		form_limits_pack(&payload, &ctx->settings->limits);
		/* A child that is gone already shows when its answer is read. */
		(void)wire_send_fd(in->child, WIRE_PARSE, payload.s, payload.len, file);
		str_free(&payload);
	}
	(void)close(file);
	return rc;
}

/* A file dropped again is done by saying so, unless nothing at all came of the first: then it gets another try. */
static enum rc look_for_same(struct role_context *ctx, struct intake_file *in, struct err *err)
{
	struct spool_file first = in->file;
	for (int i = 0; first.same_as && i < 100; i++) {
		enum rc rc = file_get(ctx->office.store, first.same_as, &first, in->pool, err);
		if (rc)
			return rc;
		if (first.accepted + first.review + first.same + first.decided == 0)
			continue;
		struct str at = STR_INIT;
		civil_time_print(&at, first.taken_at);
		in->fault_ja = pool_printf(in->pool,
			"このファイルは、%s "
			"に「%s」として受け取ったファイルと同じ内容です。登録内容は何も変わりません。%s",
			at.s, first.name,
			first.decided ? "同じ処理をもう一度行うときは、理由の列に今日の日付を書き足すなどして"
					"入れ直してください。"
				      : "");
		str_free(&at);
		in->read_whole = in->dropped_again = true;
		return RC_OK;
	}
	return RC_OK;
}

enum rc intake_file_look_up(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err)
{
	intake_file_close(in);
	in->pool = pool_new();
	in->batch_pool = pool_new();
	in->batch = INTAKE_BATCH_FIRST;
	enum rc rc = file_get(ctx->office.store, id, &in->file, in->pool, err);
	return rc ? rc : look_for_same(ctx, in, err);
}

enum rc intake_file_open(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err)
{
	enum rc rc = intake_file_look_up(ctx, in, id, err);
	if (!rc && !in->read_whole)
		rc = child_start(ctx, in, err);
	if (rc)
		intake_file_close(in);
	return rc;
}

void intake_file_give_up(struct intake_file *in)
{
	in->fault_ja = FAULT_CHILD;
	in->read_whole = true;
}

/* ---- what the child sends ---- */

void intake_begin_result(struct role_context *ctx, struct intake_file *in)
{
	if (in->result)
		return;
	struct str work = STR_INIT;
	work_path(&work, ctx->settings, NULL);
	result_begin(&in->result, work.s, in->file.name, &in->head, ctx->settings->fieldmap);
	str_free(&work);
}

static void child_failed(struct intake_file *in, const char *why)
{
	log_event(LEVEL_NOTICE, "parser.failed", "file=%" PRId64 " record=%d why=\"%s\"", in->file.id,
		in->record, why);
	in->fault_ja = FAULT_CHILD;
	in->read_whole = in->child_failed = true;
}

/* What a machine without memory kills is not the file's fault. */
static void child_died(struct intake_file *in, const char *why)
{
	in->died = ++in->deaths < DEATHS_MAX;
	if (!in->died)
		child_failed(in, why);
}

static enum rc child_done(struct intake_file *in, struct wire_reader *reader, struct err *err)
{
	enum rc rc = (enum rc)wire_get_number(reader);
	const char *text = wire_get_text(reader, in->pool);
	const char *text_ja = wire_get_text(reader, in->pool);
	if (reader->bad) {
		child_failed(in, "broken frame");
		return RC_OK;
	}
	if (rc == RC_OK || rc == RC_REFUSED)
		in->read_whole = true;
	if (rc == RC_OK)
		return RC_OK;
	/* What is wrong with us and not with the file must not refuse the file; nor may a child that was taken over stop all others by saying so. */
	in->cannot = in->cannot_id == in->file.id ? in->cannot + 1 : 1;
	in->cannot_id = in->file.id;
	if (rc != RC_REFUSED && in->cannot > CANNOT_MAX) {
		child_failed(in, "says that it can't work");
		return RC_OK;
	}
	if (rc != RC_REFUSED)
		return err_set(err, RC_CONFIG, "The parser of form files can't work: %s",
			text ? text : "it gives no reason.");
	log_event(LEVEL_NOTICE, "file.refused", "file=%" PRId64 " reason=\"%s\"", in->file.id,
		text ? text : "");
	in->fault_ja = text_ja && *text_ja ? text_ja : FAULT_READ;
	return RC_OK;
}

/* Applications anybody may bring who can write there; decisions are somebody's. What was decided before a crash stays decided. */
static void look_at_owner(struct role_context *ctx, struct intake_file *in)
{
	const char *note_ja;
	if (in->head.content != CONTENT_DECISIONS)
		return;
	const char *refused_ja = intake_refuse_owner(ctx, in, &note_ja);
	if (note_ja)
		result_note(in->result, note_ja);
	if (!refused_ja || in->file.rows_done > 0)
		return;
	log_event(LEVEL_NOTICE, "file.refused", "file=%" PRId64 " reason=\"its owner may not decide\"",
		in->file.id);
	in->fault_ja = refused_ja;
	in->read_whole = true;
}

enum rc intake_gather(struct role_context *ctx, struct intake_file *in, struct form_record *record, int max,
	int *count, struct err *err)
{
	size_t bytes = 0;
	*count = 0;
	while (*count < max && bytes < BATCH_BYTES && !in->read_whole && !in->died) {
		enum wire_type type;
		struct wire_reader reader;
		int got = wire_receive_next(in->child, &in->said, &type, &reader, CHILD_TIMEOUT_MS);
		if (got != 1) {
			child_died(in, got == 0 ? "died" : "hung or died");
			continue;
		}
		bytes += (size_t)(reader.end - reader.at);
		if (type == WIRE_HEAD && !in->record && !in->result) {
			if (!form_head_unpack(&in->head, &reader, &ctx->settings->limits, in->pool)) {
				child_failed(in, "broken head");
				continue;
			}
			intake_begin_result(ctx, in);
			look_at_owner(ctx, in);
		} else if (type == WIRE_RECORD && in->result &&
			   form_record_unpack(
				   &record[*count], &reader, &ctx->settings->limits, in->batch_pool) &&
			   record[*count].record == in->record + 1) {
			in->record++;
			++*count;
			if (in->record % RECORDS_PER_TURN == 0 && !wire_send_now(in->child, WIRE_MORE))
				child_failed(in, "waits for nothing");
		} else if (type == WIRE_DONE) {
			enum rc rc = child_done(in, &reader, err);
			if (rc)
				return rc;
		} else {
			child_failed(in, "broken frame");
		}
	}
	return RC_OK;
}

/* ---- the step ---- */

/* A transaction's worth of records of one file: what was done before a crash is known already. */
static enum rc batch_process(struct role_context *ctx, struct intake_file *in,
	const struct form_record *record, int count, struct err *err)
{
	struct intake_row *row = pool_alloc(in->batch_pool, (size_t)count * sizeof *row);
	int known = 0;
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++) {
		row[i] = (struct intake_row){.in = in, .record = &record[i]};
		if (record[i].record <= in->file.rows_done) {
			rc = intake_row_recall(ctx, &row[i], err);
			known++;
		}
	}
	int64_t began = clock_machine_ms();
	if (!rc && known < count)
		rc = intake_rows_write(ctx, row + known, count - known, &in->batch, err);
	if (!in->read_whole)
		intake_pause(ctx, clock_machine_ms() - began);
	return rc ? rc : intake_rows_answer(row, count, err);
}

enum rc intake_rows_answer(const struct intake_row *row, int count, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++)
		rc = result_add(row[i].in->result, row[i].record, row[i].verdict, row[i].application_id,
			&row[i].findings, row[i].detail_ja, err);
	return rc;
}

/* The file anew, as after a crash: what was done stands in the register. */
static enum rc read_again(struct role_context *ctx, struct intake_file *in, struct err *err)
{
	int64_t id = in->file.id;
	int deaths = in->deaths;
	enum rc rc = intake_file_open(ctx, in, id, err);
	in->deaths = deaths;
	return rc;
}

enum rc intake_file_step(
	struct role_context *ctx, struct spool *spool, struct intake_file *in, bool *done, struct err *err)
{
	*done = false;
	if (!in->read_whole) {
		int count = 0;
		pool_reset(in->batch_pool);
		struct form_record *record = pool_alloc(in->batch_pool, (size_t)in->batch * sizeof *record);
		enum rc rc = intake_gather(ctx, in, record, in->batch, &count, err);
		if (!rc && count > 0)
			rc = batch_process(ctx, in, record, count, err);
		if (!rc && in->died)
			return read_again(ctx, in, err);
		if (rc || !in->read_whole)
			return rc;
	}
	enum rc rc = intake_files_finish(ctx, spool, &in, 1, err);
	if (rc)
		return rc;
	*done = true;
	intake_file_close(in);
	return RC_OK;
}
