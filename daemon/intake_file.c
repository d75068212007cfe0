#include "daemon/intake.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/record.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/log.h"

#define CANNOT_MAX 4 /* times that a file is tried whose child says that it can't work */
#define CHILD_TIMEOUT_MS 20000 /* for one frame; a healthy child takes milliseconds */
#define BATCH_FIRST 20
#define BATCH_MIN 10 /* below, a busy machine would spend its time on syncing */
#define BATCH_MAX 1000
#define BATCH_BYTES (4u * 1024 * 1024)
#define ROWS_DROPPED 1000 /* a transaction */
#define DEATHS_MAX 3 /* of the parser child: one may have died of something else than the file */
/* Writers are unfair: others must get their turn. Who finds the register locked looks again after 1 … 100 ms, so what counts for him is the part of the
 * time it is free, and that a transaction ends soon; a long one writes the pages that every row touches once for many rows. */
#define TRANSACTION_MS 50
#define PAUSE_NS 5000000

#define FAULT_CHILD                                                                                                                                     \
	"ファイルを解析できませんでした（解析処理が異常終了しました）。ファイルが壊れていないか確認し、" \
	"開いて保存し直してからもう一度入れてください。ここまでに登録された行はそのまま有効です。"
#define FAULT_READ                                                                                           \
	"ファイルを読み取れませんでした。形式（CSV・JSON・テキスト）を確認してもう一度入れてください。"
#define FAULT_REGISTER                                                                                                                                     \
	"この行は登録できませんでした。内容を確認してもう一度入れてください。同じ表示が続くときはシステム" \
	"担当者へご連絡ください。"

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
	str_free(&in->frame);
	*in = (struct intake_file){
		.child = -1, .frame = STR_INIT, .cannot = in->cannot, .cannot_id = in->cannot_id};
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
	rc = zygote_child(ctx->zygote, CHILD_FORM, &in->child, err);
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

enum rc intake_file_open(struct role_context *ctx, struct intake_file *in, int64_t id, struct err *err)
{
	intake_file_close(in);
	in->pool = pool_new();
	in->batch_pool = pool_new();
	in->batch = BATCH_FIRST;
	enum rc rc = file_get(ctx->office.store, id, &in->file, in->pool, err);
	rc = rc ? rc : look_for_same(ctx, in, err);
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

static enum rc begin_result(struct role_context *ctx, struct intake_file *in, struct err *err)
{
	if (in->result)
		return RC_OK;
	struct str work = STR_INIT;
	work_path(&work, ctx->settings, NULL);
	enum rc rc =
		result_begin(&in->result, work.s, in->file.name, &in->head, ctx->settings->fieldmap, err);
	str_free(&work);
	return rc;
}

static void child_failed(struct intake_file *in, const char *why)
{
	log_event(LEVEL_NOTICE, "parser.failed", "file=%" PRId64 " record=%d why=\"%s\"", in->file.id,
		in->record, why);
	in->fault_ja = FAULT_CHILD;
	in->read_whole = true;
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

/* Records of one transaction, up to `max`. */
static enum rc gather(struct role_context *ctx, struct intake_file *in, struct form_record *record, int max,
	int *count, struct err *err)
{
	size_t bytes = 0;
	*count = 0;
	while (*count < max && bytes < BATCH_BYTES && !in->read_whole && !in->died) {
		enum wire_type type;
		int got = wire_receive(in->child, &type, &in->frame, NULL, CHILD_TIMEOUT_MS);
		struct wire_reader reader = {in->frame.s, in->frame.s + in->frame.len, false};
		bytes += in->frame.len;
		if (got != 1) {
			child_died(in, got == 0 ? "died" : "hung or died");
		} else if (type == WIRE_HEAD && !in->record && !in->result) {
			if (!form_head_unpack(&in->head, &reader, &ctx->settings->limits, in->pool)) {
				child_failed(in, "broken head");
				continue;
			}
			enum rc rc = begin_result(ctx, in, err);
			if (rc)
				return rc;
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

/* ---- one row ---- */

struct row {
	const struct form_record *record;
	enum result_verdict verdict;
	int64_t application_id;
	struct findings findings;
	const char *detail_ja;
};

static bool only_says_same(const struct findings *findings)
{
	bool same = false;
	for (size_t i = 0; i < findings->count; i++) {
		if (findings->item[i].severity != SEVERITY_REFUSE)
			continue;
		if (findings->item[i].code != FINDING_SAME_ROW)
			return false;
		same = true;
	}
	return same;
}

static int64_t same_application(
	const struct registry *registry, const struct form_values *values, struct pool *pool)
{
	uint8_t digest[SHA256_LEN];
	int64_t declaration_id;
	bool same;
	form_row_digest(digest, values);
	return registry->live(registry->ctx, applicant_key(values, pool), digest, &declaration_id, &same);
}

static enum rc row_register(
	struct role_context *ctx, struct intake_file *in, struct row *row, struct err *err)
{
	struct office *office = &ctx->office;
	struct registry registry = office_registry(office);
	struct validate_rules rules = office_rules(office, clock_now(office->clock));
	struct form_values values;
	validate(&values, &row->findings, row->record, ctx->settings->fieldmap, &rules, &registry,
		in->batch_pool);
	if (only_says_same(&row->findings)) {
		row->verdict = RESULT_SAME;
		row->application_id = same_application(&registry, &values, in->batch_pool);
		return RC_OK;
	}
	if (findings_refuse(&row->findings)) {
		row->verdict = RESULT_REFUSED;
		return office_answer_refused(office, &values, &row->findings, err);
	}
	bool review;
	enum rc rc = office_register(office, &values, &row->findings, in->file.id, row->record->record,
		&row->application_id, &review, err);
	row->verdict = review ? RESULT_REGISTERED_REVIEW : RESULT_REGISTERED;
	return rc;
}

/* ---- a batch of rows in one transaction ---- */

static void count_row(struct spool_file *file, enum result_verdict verdict)
{
	int *const counter[] = {
		[RESULT_REGISTERED] = &file->accepted,
		[RESULT_REGISTERED_REVIEW] = &file->review,
		[RESULT_SAME] = &file->same,
		[RESULT_REFUSED] = &file->refused,
		[RESULT_DECIDED] = &file->decided,
	};
	++*counter[verdict];
}

static enum rc row_note(
	struct role_context *ctx, struct intake_file *in, const struct row *row, struct err *err)
{
	struct store *store = ctx->office.store;
	struct str packed = STR_INIT;
	findings_pack(&packed, &row->findings, row->detail_ja);
	enum rc rc = file_row_add(store, in->file.id, row->record->record, (int)row->verdict,
		row->application_id, packed.s, packed.len, err);
	str_free(&packed);
	if (!rc && row->verdict == RESULT_REFUSED) {
		struct history_row refused = {.at = clock_now(ctx->office.clock),
			.event = EVENT_REFUSED_ROW,
			.ref = in->file.id,
			.number = row->record->record,
			.actor = "intake",
			.note = ""};
		rc = history_add(store, &refused, err);
	}
	count_row(&in->file, row->verdict);
	return rc;
}

/* Each decision stands in a transaction of its own: one that is refused half-way is rolled back, and noted in the next. */
static enum rc decision_write(
	struct role_context *ctx, struct intake_file *in, struct row *row, struct err *err)
{
	struct store *store = ctx->office.store;
	struct spool_file before = in->file;
	*row = (struct row){.record = row->record, .verdict = RESULT_DECIDED};
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : intake_decide(ctx, in, row->record, &row->application_id, &row->detail_ja, err);
	if (rc == RC_REFUSED) {
		row->verdict = RESULT_REFUSED;
		row->detail_ja = row->detail_ja ? row->detail_ja : FAULT_REGISTER;
		store_rollback(store);
		rc = store_begin(store, err);
	}
	rc = rc ? rc : row_note(ctx, in, row, err);
	if (!rc) {
		in->file.rows_done = row->record->record;
		rc = file_update(store, &in->file, err);
	}
	rc = rc ? rc : store_commit(store, err);
	if (rc) {
		if (store_in_transaction(store))
			store_rollback(store);
		in->file = before;
	}
	return rc;
}

/* RC_REFUSED: the register would not take a row that passed every check; nothing was written. refuse: do not even try. */
static enum rc rows_write(struct role_context *ctx, struct intake_file *in, struct row *row, int count,
	bool refuse, struct err *err)
{
	struct store *store = ctx->office.store;
	struct spool_file before = in->file;
	size_t told = ctx->office.told.count;
	enum rc rc = store_begin(store, err);
	if (rc)
		return rc;
	for (int i = 0; i < count && !rc; i++) {
		row[i] = (struct row){.record = row[i].record};
		if (refuse) {
			row[i].verdict = RESULT_REFUSED;
			row[i].detail_ja = FAULT_REGISTER;
		} else {
			rc = row_register(ctx, in, &row[i], err);
		}
		rc = rc ? rc : row_note(ctx, in, &row[i], err);
	}
	if (!rc) {
		in->file.rows_done = row[count - 1].record->record;
		rc = file_update(store, &in->file, err);
	}
	rc = rc ? rc : store_commit(store, err);
	if (rc) {
		if (store_in_transaction(store))
			store_rollback(store);
		in->file = before;
		office_untell(&ctx->office, told);
	}
	return rc;
}

static enum rc rows_process(
	struct role_context *ctx, struct intake_file *in, struct row *row, int count, struct err *err)
{
	enum rc rc = RC_OK;
	if (in->head.content == CONTENT_DECISIONS) {
		for (int i = 0; i < count && !rc; i++)
			rc = decision_write(ctx, in, &row[i], err);
		return rc;
	}
	rc = rows_write(ctx, in, row, count, false, err);
	if (rc != RC_REFUSED)
		return rc;
	/* One row must not reject its neighbours: each on its own. */
	for (int i = 0; i < count; i++) {
		rc = count > 1 ? rows_write(ctx, in, &row[i], 1, false, err) : RC_REFUSED;
		if (rc == RC_REFUSED) {
			log_event(LEVEL_FAULT, "row.refused", "file=%" PRId64 " row=%d reason=\"%s\"",
				in->file.id, row[i].record->record, err->text);
			rc = rows_write(ctx, in, &row[i], 1, true, err);
		}
		if (rc)
			return rc;
	}
	return RC_OK;
}

/* After a crash: what became of a row is known already. */
static enum rc row_recall(struct role_context *ctx, struct intake_file *in, struct row *row, struct err *err)
{
	struct str packed = STR_INIT;
	int verdict = RESULT_REFUSED;
	enum rc rc = file_row_get(ctx->office.store, in->file.id, row->record->record, &verdict,
		&row->application_id, &packed, err);
	if (!rc) {
		struct wire_reader reader = {packed.s, packed.s + packed.len, false};
		if (verdict < RESULT_REGISTERED || verdict > RESULT_DECIDED ||
			!findings_unpack(&row->findings, &row->detail_ja, &reader, in->batch_pool))
			rc = err_set(err, RC_STORE,
				"What was noted of row %d of file %" PRId64 " is damaged.",
				row->record->record, in->file.id);
		row->verdict = (enum result_verdict)verdict;
	}
	str_free(&packed);
	return rc;
}

static void adapt_batch(struct intake_file *in, int count, int64_t took_ms)
{
	if (took_ms > TRANSACTION_MS)
		in->batch = in->batch * 3 / 4;
	else if (took_ms < TRANSACTION_MS / 2 && count == in->batch)
		in->batch += in->batch / 4 + 1;
	if (in->batch < BATCH_MIN)
		in->batch = BATCH_MIN;
	else if (in->batch > BATCH_MAX)
		in->batch = BATCH_MAX;
}

static enum rc batch_process(struct role_context *ctx, struct intake_file *in,
	const struct form_record *record, int count, struct err *err)
{
	struct row *row = pool_alloc(in->batch_pool, (size_t)count * sizeof *row);
	int known = 0;
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++) {
		row[i].record = &record[i];
		if (record[i].record <= in->file.rows_done) {
			rc = row_recall(ctx, in, &row[i], err);
			known++;
		}
	}
	if (!rc && known < count) {
		int64_t began = clock_machine_ms();
		rc = rows_process(ctx, in, row + known, count - known, err);
		adapt_batch(in, count - known, clock_machine_ms() - began);
		if (!ctx->in_turn)
			(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	for (int i = 0; i < count && !rc; i++)
		rc = result_add(in->result, row[i].record, row[i].verdict, row[i].application_id,
			&row[i].findings, row[i].detail_ja, err);
	return rc;
}

/* ---- the archive ---- */

static bool same_inode(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* What is written beside an archived file replaces what has its name: that must not be another archived file, such as a result that was dropped. */
static bool results_free(const char *path)
{
	static const char *const endings[] = {"_結果.txt", "_要修正.csv"};
	bool good = true;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		struct stat st;
		struct str result = STR_INIT;
		str_printf(&result, "%s%s", path, endings[i]);
		good = good && lstat(result.s, &st) != 0;
		str_free(&result);
	}
	return good;
}

/* "accepted/2026/11/20261122-093000_申込.csv" and the same below the spool directory: a name that no other file has. A link to the copy is our
 * own, from before a crash. copy: NULL when there is none. */
static enum rc archive_choose(struct str *relative, struct str *path, const struct settings *settings,
	const struct spool_file *file, bool accepted, const struct stat *copy, struct err *err)
{
	int year, month, day;
	civil_to_ymd(civil_day_of(file->taken_at), &year, &month, &day);
	for (int i = 1; i < 10000; i++) {
		struct stat st;
		str_clear(relative);
		str_clear(path);
		str_printf(relative, "%s/%04d/%02d", accepted ? "accepted" : "rejected", year, month);
		path_join(path, settings->spool_directory, relative->s);
		int month_fd;
		enum rc rc = file_open_below(&month_fd, settings->spool_directory, relative->s, 0770, err);
		if (rc)
			return rc;
		(void)close(month_fd);
		size_t directory = path->len;
		str_addc(path, '/');
		if (i > 1)
			str_printf(path, "%d_", i);
		spool_archive_name(path, file->taken_at, file->name);
		str_addz(relative, path->s + directory);
		bool there = lstat(path->s, &st) == 0;
		if (there ? copy && same_inode(&st, copy) : results_free(path->s))
			return RC_OK;
	}
	return err_set(err, RC_STORE, "%s: there are too many files of that name.", path->s);
}

/* A link, not a move: as long as the register does not know of the archive, the copy stays in work/. Writing the result beside it syncs the
 * directory. */
static enum rc archive_link(int work, const char *copy, const char *path, struct err *err)
{
	if (linkat(work, copy, AT_FDCWD, path, 0) != 0 && errno != EEXIST)
		return err_set(err, RC_STORE,
			"A dropped file could not be put into the archive, %s: %s. The spool must lie on a "
			"file "
			"system with hard links.",
			path, errno_text(errno));
	return RC_OK;
}

static bool brought_something(const struct intake_file *in)
{
	const struct spool_file *file = &in->file;
	return in->dropped_again || file->accepted + file->review + file->same + file->decided > 0;
}

enum rc intake_rows_drop(struct role_context *ctx, struct err *err)
{
	struct store *store = ctx->office.store;
	bool left = true;
	enum rc rc = RC_OK;
	while (!rc && left) {
		rc = store_begin(store, err);
		rc = rc ? rc : file_rows_drop(store, ROWS_DROPPED, &left, err);
		rc = rc ? rc : store_commit(store, err);
		if (rc && store_in_transaction(store))
			store_rollback(store);
		else if (left && !ctx->in_turn)
			(void)nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	}
	return rc;
}

static enum rc mark_done(
	struct role_context *ctx, struct intake_file *in, const char *archive, struct err *err)
{
	struct store *store = ctx->office.store;
	bool left = false;
	in->file.state = FILE_DONE;
	in->file.archive = archive;
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : file_update(store, &in->file, err);
	rc = rc ? rc : file_rows_drop(store, ROWS_DROPPED, &left, err);
	rc = rc ? rc : store_commit(store, err);
	if (rc && store_in_transaction(store))
		store_rollback(store);
	return rc || !left ? rc : intake_rows_drop(ctx, err);
}

/* Original into the archive, result, register: each can be done again after a crash. */
static enum rc file_finish(
	struct role_context *ctx, struct spool *spool, struct intake_file *in, struct err *err)
{
	struct str relative = STR_INIT, path = STR_INIT, copy = STR_INIT;
	struct stat st;
	intake_copy_name(&copy, in->file.id);
	bool copy_there = fstatat(spool->work, copy.s, &st, AT_SYMLINK_NOFOLLOW) == 0;
	enum rc rc = begin_result(ctx, in, err);
	rc = rc ? rc
		: archive_choose(&relative, &path, ctx->settings, &in->file, brought_something(in),
			  copy_there ? &st : NULL, err);
	if (!rc && copy_there)
		rc = archive_link(spool->work, copy.s, path.s, err);
	rc = rc ? rc : result_end(&in->result, path.s, clock_now(ctx->office.clock), in->fault_ja, err);
	rc = rc ? rc : mark_done(ctx, in, relative.s, err);
	if (!rc) {
		(void)unlinkat(spool->work, copy.s, 0);
		log_event(LEVEL_NOTICE, "file.done",
			"file=%" PRId64
			" registered=%d review=%d same=%d refused=%d decided=%d same_as=%" PRId64,
			in->file.id, in->file.accepted, in->file.review, in->file.same, in->file.refused,
			in->file.decided, in->file.same_as);
	}
	str_free(&relative);
	str_free(&path);
	str_free(&copy);
	return rc;
}

enum rc intake_refuse_unread(struct role_context *ctx, struct spool *spool, const char *original,
	const char *why_ja, struct err *err)
{
	struct str relative = STR_INIT, path = STR_INIT, work = STR_INIT;
	struct spool_file file = {.name = original, .taken_at = clock_now(ctx->office.clock)};
	struct form_head head = {.format = FORM_TEXT, .charset = "UTF-8"};
	struct result *result = NULL;
	work_path(&work, ctx->settings, NULL);
	enum rc rc = archive_choose(&relative, &path, ctx->settings, &file, false, NULL, err);
	rc = rc ? rc : result_begin(&result, work.s, original, &head, ctx->settings->fieldmap, err);
	rc = rc ? rc : result_end(&result, path.s, file.taken_at, why_ja, err);
	if (!rc && renameat(spool->incoming, original, AT_FDCWD, path.s) != 0 && errno != ENOENT)
		rc = err_set(err, RC_REFUSED, "it is refused but can't be moved: %s", errno_text(errno));
	if (result)
		result_drop(&result);
	str_free(&relative);
	str_free(&path);
	str_free(&work);
	return rc;
}

/* ---- the step ---- */

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
		enum rc rc = gather(ctx, in, record, in->batch, &count, err);
		if (!rc && count > 0)
			rc = batch_process(ctx, in, record, count, err);
		if (!rc && in->died)
			return read_again(ctx, in, err);
		if (rc || !in->read_whole)
			return rc;
	}
	enum rc rc = file_finish(ctx, spool, in, err);
	if (rc)
		return rc;
	*done = true;
	intake_file_close(in);
	return RC_OK;
}
