#include "daemon/intake.h"

#include <inttypes.h>
#include <time.h>

#include "daemon/record.h"
#include "lib/base/log.h"

#define BATCH_MIN 10 /* below, a busy machine would spend its time on syncing */
#define BATCH_MAX 1000
/* Writers are unfair: others must get their turn. Who finds the register locked looks again after 1 … 100 ms, so what counts for him is the part of the
 * time it is free, and that a transaction ends soon; a long one writes the pages that every row touches once for many rows. */
#define TRANSACTION_MS 50
#define PAUSE_NS 5000000

#define FAULT_REGISTER                                                                                                                                     \
	"この行は登録できませんでした。内容を確認してもう一度入れてください。同じ表示が続くときはシステム" \
	"担当者へご連絡ください。"

/* ---- one row ---- */

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

static enum rc row_register(struct role_context *ctx, struct intake_row *row, struct err *err)
{
	struct intake_file *in = row->in;
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

static enum rc row_note(struct role_context *ctx, const struct intake_row *row, struct err *err)
{
	struct intake_file *in = row->in;
	struct store *store = ctx->office.store;
	struct str packed = STR_INIT;
	findings_pack(&packed, &row->findings, row->detail_ja);
	enum rc rc = file_row_add(store, in->file.id, row->record->record, (int)row->verdict,
		row->application_id, packed.s, packed.len, err);
	str_free(&packed);
	/* One that came in with this row has its file on record. */
	bool came_in = row->verdict == RESULT_REGISTERED || row->verdict == RESULT_REGISTERED_REVIEW;
	if (!rc && row->application_id && !came_in)
		rc = file_note_about(store, in->file.id, row->application_id, err);
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
static enum rc decision_write(struct role_context *ctx, struct intake_row *row, struct err *err)
{
	struct intake_file *in = row->in;
	struct store *store = ctx->office.store;
	struct spool_file before = in->file;
	*row = (struct intake_row){.in = in, .record = row->record, .verdict = RESULT_DECIDED};
	enum rc rc = store_begin(store, err);
	rc = rc ? rc : intake_decide(ctx, in, row->record, &row->application_id, &row->detail_ja, err);
	if (rc == RC_REFUSED) {
		row->verdict = RESULT_REFUSED;
		row->detail_ja = row->detail_ja ? row->detail_ja : FAULT_REGISTER;
		store_rollback(store);
		rc = store_begin(store, err);
	}
	rc = rc ? rc : row_note(ctx, row, err);
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

static bool is_last_of_file(const struct intake_row *row, int count, int at)
{
	return at + 1 == count || row[at + 1].in != row[at].in;
}

/* RC_REFUSED: the register would not take a row that passed every check; nothing was written. refuse: do not even try. */
static enum rc rows_write(
	struct role_context *ctx, struct intake_row *row, int count, bool refuse, struct err *err)
{
	struct store *store = ctx->office.store;
	size_t told = ctx->office.told.count;
	enum rc rc = store_begin(store, err);
	if (rc)
		return rc;
	for (int i = 0; i < count; i++)
		row[i].in->before = row[i].in->file;
	for (int i = 0; i < count && !rc; i++) {
		struct intake_file *in = row[i].in;
		row[i] = (struct intake_row){.in = in, .record = row[i].record};
		if (refuse) {
			row[i].verdict = RESULT_REFUSED;
			row[i].detail_ja = FAULT_REGISTER;
		} else {
			rc = row_register(ctx, &row[i], err);
		}
		rc = rc ? rc : row_note(ctx, &row[i], err);
		if (!rc && is_last_of_file(row, count, i)) {
			in->file.rows_done = row[i].record->record;
			rc = file_update(store, &in->file, err);
		}
	}
	rc = rc ? rc : store_commit(store, err);
	if (rc) {
		if (store_in_transaction(store))
			store_rollback(store);
		for (int i = 0; i < count; i++)
			row[i].in->file = row[i].in->before;
		office_untell(&ctx->office, told);
	}
	return rc;
}

/* One row must not reject its neighbours: each on its own. */
static enum rc rows_write_apart(struct role_context *ctx, struct intake_row *row, int count, struct err *err)
{
	for (int i = 0; i < count; i++) {
		enum rc rc = count > 1 ? rows_write(ctx, &row[i], 1, false, err) : RC_REFUSED;
		if (rc == RC_REFUSED) {
			log_event(LEVEL_FAULT, "row.refused", "file=%" PRId64 " row=%d reason=\"%s\"",
				row[i].in->file.id, row[i].record->record, err->text);
			rc = rows_write(ctx, &row[i], 1, true, err);
		}
		if (rc)
			return rc;
	}
	return RC_OK;
}

static bool is_decision(const struct intake_row *row)
{
	return row->in->head.content == CONTENT_DECISIONS;
}

static void adapt(int *batch, int count, int64_t took_ms)
{
	if (took_ms > TRANSACTION_MS)
		*batch = *batch * 3 / 4;
	else if (took_ms < TRANSACTION_MS / 2 && count == *batch)
		*batch += *batch / 4 + 1;
	if (*batch < BATCH_MIN)
		*batch = BATCH_MIN;
	else if (*batch > BATCH_MAX)
		*batch = BATCH_MAX;
}

enum rc intake_rows_write(
	struct role_context *ctx, struct intake_row *row, int count, int *batch, struct err *err)
{
	enum rc rc = RC_OK;
	for (int at = 0, some; at < count && !rc; at += some) {
		int64_t began = clock_machine_ms();
		some = 1;
		if (is_decision(&row[at])) {
			rc = decision_write(ctx, &row[at], err);
		} else {
			while (at + some < count && some < *batch && !is_decision(&row[at + some]))
				some++;
			rc = rows_write(ctx, &row[at], some, false, err);
			if (rc == RC_REFUSED)
				rc = rows_write_apart(ctx, &row[at], some, err);
			else
				adapt(batch, some, clock_machine_ms() - began);
		}
		if (at + some < count)
			intake_pause(ctx, clock_machine_ms() - began);
	}
	return rc;
}

void intake_pause(const struct role_context *ctx, int64_t held_ms)
{
	if (!ctx->in_turn && store_is_awaited(ctx->office.store))
		(void)nanosleep(
			&(struct timespec){.tv_nsec = held_ms < TRANSACTION_MS / 5 ? PAUSE_NS / 5 : PAUSE_NS},
			NULL);
}

/* After a crash: what became of a row is known already. */
enum rc intake_row_recall(struct role_context *ctx, struct intake_row *row, struct err *err)
{
	struct intake_file *in = row->in;
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
