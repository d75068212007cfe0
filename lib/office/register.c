#include "lib/office/inbound_p.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/flow/ident.h"

#define ACTOR_INTAKE "intake"
#define ACTOR_IMPORT "import"

#define REVIEW_BACKDATE "お申込日が受付日より前すぎます。"
#define REVIEW_IMPORTED "取り込んだ申込みです。ロゴマークの使用許諾がまだ済んでいません。"

/* ---- what validate() asks ---- */

/* validate() has no way to pass on a failure: it is kept, and the registration that follows fails. */
static bool failed(struct office *office, enum rc rc, const struct err *err)
{
	if (rc == RC_OK || rc == RC_REFUSED)
		return false;
	if (office->registry_fault.rc == RC_OK)
		office->registry_fault = *err;
	return true;
}

/* The running step-up of a star, and whether it came from that very row. */
static int64_t running_step_up(
	struct office *office, int64_t star_id, const uint8_t *row_digest, bool *same_row, struct err *err)
{
	int64_t id = 0;
	if (failed(office, application_step_up_of(office->store, star_id, &id, err), err) || id == 0)
		return 0;
	struct pool *pool = pool_new();
	struct application app;
	uint8_t digest[SHA256_LEN];
	*same_row = false;
	if (row_digest && !failed(office, application_get(office->store, id, &app, pool, err), err)) {
		form_row_digest(digest, &app.form);
		*same_row = bytes_equal(digest, row_digest, SHA256_LEN);
	}
	pool_free(&pool);
	return id;
}

static int64_t registry_live(void *ctx, const char *key, const uint8_t row_digest[SHA256_LEN],
	int64_t *declaration_id, bool *same_row)
{
	struct office *office = ctx;
	struct err err = {0};
	int64_t id = 0, step_up;
	int star;
	bool same_step_up = false;
	*declaration_id = 0;
	*same_row = false;
	if (failed(office,
		    application_live(
			    office->store, key, row_digest, &id, declaration_id, &star, same_row, &err),
		    &err))
		return 0;
	if (id == 0 || *same_row)
		return id;
	step_up = running_step_up(office, id, row_digest, &same_step_up, &err);
	if (!same_step_up)
		return id;
	*same_row = true;
	return step_up;
}

static int64_t live_star(
	struct office *office, const char *key, int64_t declaration_id, bool free_only, struct err *err)
{
	int64_t id = 0, live_declaration = 0;
	int star = 0;
	bool same;
	if (failed(office,
		    application_live(office->store, key, NULL, &id, &live_declaration, &star, &same, err),
		    err))
		return 0;
	/* Somebody else's ID, or none yet: nothing to step up from. */
	if (id == 0 || star != 1 || live_declaration == 0 ||
		(declaration_id != 0 && declaration_id != live_declaration))
		return 0;
	if (free_only && running_step_up(office, id, NULL, &same, err))
		return 0;
	return id;
}

/* A star whose step-up runs already can't be stepped up once more. */
static int64_t registry_live_star1(void *ctx, const char *key, int64_t declaration_id)
{
	struct err err = {0};
	return live_star(ctx, key, declaration_id, true, &err);
}

/* Which star may still be stepped up from is a matter of its date (N1). */
static enum step_up registry_step_up(void *ctx, int64_t application_id)
{
	static const enum step_up answers[] = {[POLICY_ACT] = STEP_UP_GOES,
		[POLICY_GUIDE] = STEP_UP_ENDED,
		[POLICY_REVIEW] = STEP_UP_ASKS_STAFF};
	struct office *office = ctx;
	struct err err = {0};
	struct application star;
	struct pool *pool = pool_new();
	enum step_up out = STEP_UP_GOES;
	if (!failed(office, application_get(office->store, application_id, &star, pool, &err), &err))
		out = answers[policy_for(office->settings, POLICY_STEP_UP,
			star.applied_on != CIVIL_DAY_NONE ? star.applied_on : star.clock_start,
			office_today(office))];
	pool_free(&pool);
	return out;
}

static int registry_businesses(void *ctx, const char *mail_key, const char *key)
{
	struct office *office = ctx;
	struct err err = {0};
	int count = 0;
	return failed(office, application_businesses(office->store, mail_key, key, &count, &err), &err)
		       ? 0
		       : count;
}

struct registry office_registry(struct office *office)
{
	return (struct registry){.ctx = office,
		.live = registry_live,
		.live_star1 = registry_live_star1,
		.step_up = registry_step_up,
		.businesses_of_mail = registry_businesses};
}

struct validate_rules office_rules(const struct office *office, utc_time now)
{
	const struct settings *settings = office->settings;
	civil_day today = civil_day_of(now);
	const struct profile *profile = profile_on(&settings->profiles, today);
	return (struct validate_rules){
		.today = today,
		.backdate_max = (int)settings->backdate_max,
		.proxy_max = (int)settings->proxy_max,
		.terms_version = settings->terms_version ? settings->terms_version : "",
		.want_gbiz = profile && profile->want_gbiz,
	};
}

/* ---- a form becomes an application ---- */

static void read_choices(struct application *app)
{
	const char *kind = app->form.value[FIELD_KIND], *type = app->form.value[FIELD_TYPE];
	app->kind = kind && strcmp(kind, "step") == 0   ? KIND_STEP_UP
		    : kind && strcmp(kind, "new2") == 0 ? KIND_NEW2
							: KIND_NEW1;
	app->star = app->kind == KIND_NEW1 ? 1 : 2;
	app->type = type && strcmp(type, "sole") == 0 ? APPLICANT_SOLE_PROPRIETOR : APPLICANT_CORPORATION;
}

struct application office_blank(const struct form_values *form, int64_t file_id, int row, utc_time now)
{
	struct application app = {.hold_reason = "",
		.received_at = now,
		.applied_on = CIVIL_DAY_NONE,
		.due_at = UTC_NEVER,
		.latest_at = UTC_NEVER,
		.id_issued_on = CIVIL_DAY_NONE,
		.logo_authorized_on = CIVIL_DAY_NONE,
		.stopped_on = CIVIL_DAY_NONE,
		.file_id = file_id,
		.row = row,
		.form = *form};
	read_choices(&app);
	return app;
}

/* The profile in force on the day an application counts from. */
enum rc office_choose_rules(struct office *office, struct application *app, struct err *err)
{
	const struct rules *rules;
	const struct profile *profile = profile_on(&office->settings->profiles, app->clock_start);
	if (!profile)
		return err_set(err, RC_CONFIG,
			"no profile is in force for the day an application counts from; add an earlier entry "
			"to era");
	enum rc rc = rules_current(office, profile->name, &rules, err);
	if (rc == RC_OK) {
		app->profile = rules->profile.name;
		app->template_set = rules->id;
	}
	return rc;
}

static enum rc link_step_up(struct office *office, struct application *app, const char *key, struct err *err)
{
	const char *text = app->form.value[FIELD_DECLARATION_ID];
	app->linked_id = live_star(office, key, text ? ident_read_declaration(text) : 0, false, err);
	if (office->registry_fault.rc != RC_OK)
		return RC_OK; /* reported by the caller */
	int64_t running = 0;
	if (app->linked_id == 0)
		return err_set(
			err, RC_REFUSED, "a step-up needs a live one-star declaration of that business");
	enum rc rc = application_step_up_of(office->store, app->linked_id, &running, err);
	if (rc == RC_OK && running)
		rc = err_set(err, RC_REFUSED,
			"application %" PRId64 " is a step-up of that declaration already", running);
	return rc;
}

/* One live declaration a business; a step-up stands beside its star until it replaces it. */
static enum rc check_alone(struct office *office, struct application *app, const char *key, struct err *err)
{
	if (app->kind == KIND_STEP_UP)
		return link_step_up(office, app, key, err);
	int64_t id = 0, declaration_id;
	int star;
	bool same;
	enum rc rc = application_live(office->store, key, NULL, &id, &declaration_id, &star, &same, err);
	if (rc == RC_OK && id)
		rc = err_set(err, RC_REFUSED, "application %" PRId64 " of the same business is live", id);
	return rc;
}

static const char *review_reason(const struct findings *findings, bool too_old, struct pool *pool)
{
	struct str text = STR_INIT;
	for (size_t i = 0; findings && i < findings->count; i++)
		if (findings->item[i].severity == SEVERITY_REVIEW) {
			str_addz(&text, text.len ? "／" : "");
			str_addz(&text, findings->item[i].message_ja);
		}
	if (text.len == 0 && too_old)
		str_addz(&text, REVIEW_BACKDATE);
	const char *reason = text.len ? pool_strdup(pool, text.s) : NULL;
	str_free(&text);
	return reason;
}

static void mail_key_of(const char *mail, struct str *out)
{
	struct mailaddr address;
	if (mail && mailaddr_read(&address, mail) == MAILADDR_OK)
		mailaddr_key(out, &address);
}

/* What answers the form at once goes out with the registration, unless the office holds it back: then the scheduler finds it due. foreseen: its row says that it went out. */
static enum rc answer_at_once(struct office *office, struct application *app, bool foreseen, struct err *err)
{
	bool yes = false;
	enum rc rc = office_may_decide(office, &yes, err);
	if (rc == RC_OK && yes)
		rc = ceiling_allows(office, CEILING_AT_ONCE, &yes, err);
	if (rc == RC_OK && !yes && foreseen)
		return application_update(office->store, app, err);
	if (rc != RC_OK || !yes)
		return rc;
	rc = office_run_stage(office, app, ACTOR_INTAKE, NULL, err);
	if (rc == RC_OK && app->hold == HOLD_NONE)
		rc = ceiling_count(office, CEILING_AT_ONCE, err);
	return rc;
}

static enum rc enter_register(struct office *office, struct application *app, enum event event,
	const char *key, const char *actor, bool answered_at_once, struct err *err)
{
	uint8_t digest[SHA256_LEN];
	struct str mail_key = STR_INIT;
	mail_key_of(app->form.value[FIELD_MAIL], &mail_key);
	form_row_digest(digest, &app->form);
	struct act act = {.event = event,
		.stage = STAGE_NONE,
		.actor = actor,
		.ref = app->file_id,
		.number = app->row,
		.on = CIVIL_DAY_NONE,
		.key = key,
		.mail_key = mail_key.s,
		.row_digest = digest,
		.answered_at_once = answered_at_once};
	enum rc rc = office_advance(office, app, &act, err);
	str_free(&mail_key);
	return rc;
}

static enum rc register_form(struct office *office, struct application *app, const struct findings *findings,
	struct pool *pool, struct err *err)
{
	bool too_old, future;
	const char *applied_on = app->form.value[FIELD_APPLIED_ON];
	if (applied_on && *applied_on)
		app->applied_on = civil_day_read(applied_on);
	app->clock_start = cadence_clock_start(
		app->applied_on, app->received_at, (int)office->settings->backdate_max, &too_old, &future);
	enum rc rc = office_choose_rules(office, app, err);
	if (rc != RC_OK)
		return rc;
	const char *key = applicant_key(&app->form, pool);
	rc = check_alone(office, app, key, err);
	if (office->registry_fault.rc != RC_OK) {
		*err = office->registry_fault;
		office->registry_fault = (struct err){0};
		return err->rc;
	}
	if (rc != RC_OK)
		return rc;

	const struct rules *rules;
	rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	const struct stage *first = &rules->profile.stage[0];
	const char *reason = review_reason(findings, too_old, pool);
	bool at_once = !reason && first->at_once && !first->approval,
	     foreseen = at_once && !first->confirms && first->state == STATE_RECEIVED;
	rc = enter_register(office, app, first->confirms ? EVENT_APPLY_UNCONFIRMED : EVENT_APPLY, key,
		ACTOR_INTAKE, foreseen, err);
	if (rc != RC_OK)
		return rc;
	if (reason)
		return office_review(office, app, reason, 0, err);
	return at_once ? answer_at_once(office, app, foreseen, err) : RC_OK;
}

enum rc office_register(struct office *office, const struct form_values *form,
	const struct findings *findings, int64_t file_id, int row, int64_t *application_id, bool *review,
	struct err *err)
{
	struct pool *pool = pool_new();
	struct application app = office_blank(form, file_id, row, clock_now(office->clock));
	enum rc rc = register_form(office, &app, findings, pool, err);
	*application_id = rc == RC_OK ? app.id : 0;
	*review = rc == RC_OK && app.hold == HOLD_REVIEW;
	pool_free(&pool);
	return rc;
}

/* ---- declarations the office already has ---- */

static const enum event import_event[STATE_COUNT] = {
	[STATE_ID_ISSUED] = EVENT_IMPORT_ID,
	[STATE_LOGO_AUTHORIZED] = EVENT_IMPORT_LOGO,
	[STATE_STOPPED] = EVENT_IMPORT_STOPPED,
};

static civil_day first_day(civil_day a, civil_day b, civil_day c)
{
	return a != CIVIL_DAY_NONE ? a : b != CIVIL_DAY_NONE ? b : c;
}

static struct application imported(struct office *office, const struct import_row *row)
{
	utc_time now = clock_now(office->clock);
	struct application app = office_blank(&row->form, 0, 0, now);
	if (row->star == 2 && app.kind == KIND_NEW1)
		app.kind = KIND_NEW2;
	app.star = row->star == 2 ? 2 : 1;
	app.applied_on = row->applied_on;
	app.clock_start = first_day(row->applied_on, row->id_issued_on, civil_day_of(now));
	app.declaration_id = row->declaration_id;
	app.user_number = row->user_number;
	app.id_issued_on = row->id_issued_on;
	app.logo_authorized_on = row->logo_authorized_on;
	app.stopped_on = row->stopped_on;
	app.stage = STAGE_NONE;
	return app;
}

/* Where a case stands whose ID was told and whose logo was not. */
static enum rc import_stage(struct office *office, struct application *app, struct err *err)
{
	const struct rules *rules;
	enum rc rc = rules_get(office, app->template_set, &rules, err);
	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < rules->profile.stage_count && app->stage == STAGE_NONE; i++)
		if (rules->profile.stage[i].state == STATE_LOGO_AUTHORIZED)
			app->stage = i;
	app->previous_sent_at = app->id_issued_on != CIVIL_DAY_NONE ? civil_moment(app->id_issued_on, 12 * 60)
								    : app->received_at;
	return RC_OK;
}

static enum rc take_imported_numbers(
	struct office *office, const struct application *app, const char **why_ja, struct err *err)
{
	utc_time now = clock_now(office->clock);
	enum rc rc =
		number_take(office->store, app->declaration_id, IDENT_DECLARATION, app->id, now, NULL, err);
	if (rc == RC_OK && app->user_number)
		rc = number_take(office->store, app->user_number, IDENT_USER, app->id, now, NULL, err);
	if (rc != RC_REFUSED)
		return rc;
	*why_ja = "自己宣言IDか利用者番号は、すでに別の申込みに使われています。番号を確かめてください。";
	return err_set(
		err, RC_REFUSED, "its declaration ID or user number was given to another application before");
}

static enum rc import_one(struct office *office, const struct import_row *row, const char *actor,
	const char **why_ja, struct pool *pool, struct err *err)
{
	struct application app = imported(office, row);
	const char *key = applicant_key(&app.form, pool);
	enum rc rc = RC_OK;
	if (row->state != STATE_STOPPED) {
		app.kind = app.star == 2 ? KIND_NEW2 : KIND_NEW1; /* its star, if it had one, is gone */
		rc = check_alone(office, &app, key, err);
		if (rc == RC_REFUSED)
			*why_ja = "同じ事業者の宣言が、別の自己宣言IDですでにあります。sengenctl "
				  "searchで事業者名を探し、どちらが正しいか確かめてください。";
	}
	if (rc == RC_OK)
		rc = office_choose_rules(office, &app, err);
	if (rc == RC_OK && row->state == STATE_ID_ISSUED)
		rc = import_stage(office, &app, err);
	if (rc == RC_OK)
		rc = enter_register(office, &app, import_event[row->state], key, actor, false, err);
	if (rc == RC_OK)
		rc = take_imported_numbers(office, &app, why_ja, err);
	if (rc == RC_OK && row->state == STATE_ID_ISSUED)
		rc = office_review(office, &app, REVIEW_IMPORTED, 0, err);
	return rc;
}

/* The user number tells where both have one; else the business. What was erased can't be compared. */
static enum rc check_known(const struct application *app, const struct import_row *row, const char **why_ja,
	struct pool *pool, struct err *err)
{
	if (office_is_erased(app))
		return RC_OK;
	bool same = app->user_number && row->user_number
			    ? app->user_number == row->user_number
			    : strcmp(applicant_key(&app->form, pool), applicant_key(&row->form, pool)) == 0;
	if (!same) {
		*why_ja = pool_printf(pool,
			"この自己宣言IDは、別の事業者または利用者番号で台帳にあります（申込番号%" PRId64
			"）。番号を確かめてください。",
			app->id);
		return err_set(err, RC_REFUSED,
			"its declaration ID is on file for another business or user number: application "
			"%" PRId64,
			app->id);
	}
	if (row->star > app->star) {
		*why_ja = pool_printf(pool,
			"この自己宣言IDは、一つ星で台帳にあります（申込番号%" PRId64
			"）。星を上げるには、ステップアップの申込みとして受け付けてください。",
			app->id);
		return err_set(err, RC_REFUSED,
			"its declaration ID is on file with one star: application %" PRId64, app->id);
	}
	return RC_OK;
}

static enum rc check_import(
	const struct office *office, const struct import_row *row, const char **why_ja, struct err *err)
{
	bool ended = row->stopped_on != CIVIL_DAY_NONE;
	if (row->state <= STATE_NONE || row->state >= STATE_COUNT || !import_event[row->state]) {
		*why_ja =
			"引き継げるのは、ID発行済み、ロゴ許諾済み、中止のいずれかの宣言だけです。状態を直して"
			"ください。";
		return err_set(err, RC_REFUSED,
			"only declarations whose ID was issued, whose logo was authorized or which were "
			"stopped can be taken over");
	}
	if (row->declaration_id <= 0) {
		*why_ja = "自己宣言IDがありません。";
		return err_set(err, RC_REFUSED, "a declaration can't be taken over without its ID");
	}
	if (ended && row->state != STATE_STOPPED) {
		*why_ja = "中止日がありますが、状態が中止ではありません。どちらかを直してください。";
		return err_set(err, RC_REFUSED, "it has a day on which it was stopped, and is not stopped");
	}
	if (ended && row->stopped_on > civil_day_of(clock_now(office->clock))) {
		*why_ja = "中止日がまだ来ていません。いまの状態で引き継ぎ、使用中止はそのあとに入れてください"
			  "。";
		return err_set(err, RC_REFUSED,
			"it is not stopped before that day: take it over as it stands now, then enter its "
			"stop");
	}
	return RC_OK;
}

enum rc office_import(struct office *office, const struct import_row *row, const char *actor, bool *known,
	const char **why_ja, struct pool *pool, struct err *err)
{
	*known = false;
	*why_ja = NULL;
	enum rc rc = check_import(office, row, why_ja, err);
	if (rc != RC_OK)
		return rc;
	struct txn txn;
	rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	struct application app;
	rc = application_by_declaration(office->store, row->declaration_id, &app, pool, err);
	bool on_file = rc == RC_OK;
	if (on_file)
		rc = check_known(&app, row, why_ja, pool, err);
	else if (rc == RC_REFUSED)
		rc = import_one(office, row, actor ? actor : ACTOR_IMPORT, why_ja, pool, err);
	*known = on_file && rc == RC_OK;
	return txn_end(office, &txn, rc, err);
}
