#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

#define COLUMN_HOLD_REASON 24
#define COLUMN_FORM 25
#define PAYLOAD_COLUMNS                                                                                      \
	", p.hold_reason, p.form FROM application a"                                                         \
	" LEFT JOIN application_payload p ON p.application_id = a.id"

/* Most are not held: where the form isn't wanted, the payload is looked at only for the others. */
#define NO_PAYLOAD_COLUMNS                                                                                   \
	", CASE WHEN a.hold > 0 THEN"                                                                        \
	" (SELECT hold_reason FROM application_payload p WHERE p.application_id = a.id) END"                 \
	" FROM application a"

/* A step-up that still waits for its ★ to be superseded does not count as a declaration of its own. */
/* ---- reading ---- */

enum rc application_read(struct store *store, sqlite3_stmt *stmt, bool with_form, struct application *out,
	struct pool *pool, struct err *err)
{
	*out = (struct application){
		.id = sqlite3_column_int64(stmt, 0),
		.state = (enum state)sqlite3_column_int(stmt, 1),
		.hold = (enum hold)sqlite3_column_int(stmt, 2),
		.kind = (enum application_kind)sqlite3_column_int(stmt, 3),
		.type = (enum applicant_type)sqlite3_column_int(stmt, 4),
		.star = sqlite3_column_int(stmt, 5),
		.stage = sqlite3_column_int(stmt, 6),
		.approved = sqlite3_column_int(stmt, 7),
		.due_at = column_time(stmt, 8),
		.latest_at = column_time(stmt, 9),
		.previous_sent_at = sqlite3_column_int64(stmt, 10),
		.received_at = sqlite3_column_int64(stmt, 11),
		.applied_on = column_day(stmt, 12),
		.clock_start = column_day(stmt, 13),
		.declaration_id = sqlite3_column_int64(stmt, 14),
		.user_number = sqlite3_column_int64(stmt, 15),
		.id_issued_on = column_day(stmt, 16),
		.logo_authorized_on = column_day(stmt, 17),
		.stopped_on = column_day(stmt, 18),
		.linked_id = sqlite3_column_int64(stmt, 19),
		.file_id = sqlite3_column_int64(stmt, 20),
		.row = sqlite3_column_int(stmt, 21),
		.template_set = sqlite3_column_int64(stmt, 22),
		.profile = column_text(stmt, 23, pool),
		.hold_reason = column_text(stmt, COLUMN_HOLD_REASON, pool),
	};
	const void *form = with_form ? sqlite3_column_blob(stmt, COLUMN_FORM) : NULL;
	if (form &&
		!form_unpack(store, &out->form, form, (size_t)sqlite3_column_bytes(stmt, COLUMN_FORM), pool))
		return err_set(err, RC_STORE,
			"%s is damaged: the form of application %lld cannot be unpacked", store->path,
			(long long)out->id);
	return RC_OK;
}

static enum rc read_one(
	struct store *store, sqlite3_stmt *stmt, struct application *out, struct pool *pool, struct err *err)
{
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no such application on file");
	rc = application_read(store, stmt, true, out, pool, err);
	sql_done(stmt);
	return rc;
}

enum rc application_get(
	struct store *store, int64_t id, struct application *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT" APPLICATION_COLUMNS PAYLOAD_COLUMNS " WHERE a.id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return read_one(store, stmt, out, pool, err);
}

enum rc application_by_declaration(struct store *store, int64_t declaration_id, struct application *out,
	struct pool *pool, struct err *err)
{
	/* A step-up keeps the ID of its ★: the one that is live now comes first, then a running step-up, then the newest. */
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT" APPLICATION_COLUMNS PAYLOAD_COLUMNS
		" WHERE a.declaration_id = :declaration_id AND a.declaration_id IS NOT NULL"
		" ORDER BY a." SQL_LIVE " DESC, " SQL_RUNNING_STEP_UP ", a.id DESC LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":declaration_id", declaration_id);
	return read_one(store, stmt, out, pool, err);
}

enum rc application_form_digest(
	struct store *store, int64_t id, uint8_t out[SHA256_LEN], bool *there, struct err *err)
{
	*there = false;
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT salt, form FROM application_payload WHERE application_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	uint8_t salt[SALT_LEN];
	(void)column_digest(stmt, 0, salt, sizeof salt);
	/* What can't be unpacked gives a digest that fits nothing. */
	(void)form_digest(out, salt, sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
	*there = true;
	sql_done(stmt);
	return RC_OK;
}

/* ---- writing ---- */

/* What moves while an application goes its way. */
static void bind_moving(sqlite3_stmt *stmt, const struct application *app)
{
	sql_int(stmt, ":state", app->state);
	sql_int(stmt, ":hold", app->hold);
	sql_int(stmt, ":stage", app->stage);
	sql_int(stmt, ":approved", app->approved);
	sql_time(stmt, ":due_at", app->due_at);
	sql_time(stmt, ":latest_at", app->latest_at);
	sql_int(stmt, ":previous_sent_at", app->previous_sent_at);
	sql_ref(stmt, ":declaration_id", app->declaration_id);
	sql_ref(stmt, ":user_number", app->user_number);
	sql_day(stmt, ":id_issued_on", app->id_issued_on);
	sql_day(stmt, ":logo_authorized_on", app->logo_authorized_on);
	sql_day(stmt, ":stopped_on", app->stopped_on);
}

/* What it came with. */
static void bind_lasting(sqlite3_stmt *stmt, const struct application *app, int64_t profile)
{
	sql_int(stmt, ":kind", app->kind);
	sql_int(stmt, ":type", app->type);
	sql_int(stmt, ":star", app->star);
	sql_int(stmt, ":received_at", app->received_at);
	sql_day(stmt, ":applied_on", app->applied_on);
	sql_day(stmt, ":clock_start", app->clock_start);
	sql_ref(stmt, ":linked_id", app->linked_id);
	sql_ref(stmt, ":file_id", app->file_id);
	sql_int(stmt, ":row", app->row);
	sql_int(stmt, ":profile", profile);
	sql_ref(stmt, ":template_set", app->template_set);
}

static void bind_key(sqlite3_stmt *stmt, const char *name, const char *key, uint8_t room[KEY_LEN])
{
	if (key && *key)
		store_key(room, key);
	sql_blob(stmt, name, key && *key ? room : NULL, KEY_LEN);
}

static enum rc add_payload(struct store *store, const struct application *app,
	const uint8_t row_digest[SHA256_LEN], struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO application_payload (application_id, salt, form, row_digest, hold_reason)"
		" VALUES (:id, :salt, :form, :row_digest, nullif(:hold_reason, ''))",
		err);
	if (!stmt)
		return err->rc;
	uint8_t salt[SALT_LEN];
	struct str packed = STR_INIT;
	store_salt(store, salt, "form", app->id);
	form_pack(store, &packed, &app->form);
	sql_int(stmt, ":id", app->id);
	sql_blob(stmt, ":salt", salt, sizeof salt);
	sql_blob(stmt, ":form", packed.s, packed.len);
	sql_blob(stmt, ":row_digest", row_digest, SHA256_LEN);
	sql_text(stmt, ":hold_reason", app->hold_reason);
	enum rc rc = sql_run(store, stmt, err);
	str_free(&packed);
	return rc;
}

enum rc application_add(struct store *store, struct application *app, const char *key, const char *mail_key,
	const uint8_t row_digest[SHA256_LEN], struct err *err)
{
	int64_t profile;
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = word_number(store, app->profile, &profile, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO application (state, hold, kind, type, star, stage, approved, due_at,"
		" latest_at, previous_sent_at, received_at, applied_on, clock_start, declaration_id,"
		" user_number, id_issued_on, logo_authorized_on, stopped_on, linked_id, file_id, row,"
		" profile, template_set, key, mail) VALUES (:state, :hold, :kind, :type, :star, :stage,"
		" :approved, :due_at, :latest_at, :previous_sent_at, :received_at, :applied_on,"
		" :clock_start, :declaration_id, :user_number, :id_issued_on, :logo_authorized_on,"
		" :stopped_on, :linked_id, :file_id, :row, :profile, :template_set, :key, :mail)",
		err);
	if (!stmt)
		return err->rc;
	uint8_t key_room[KEY_LEN], mail_room[KEY_LEN];
	bind_moving(stmt, app);
	bind_lasting(stmt, app, profile);
	bind_key(stmt, ":key", key, key_room);
	bind_key(stmt, ":mail", mail_key, mail_room);
	rc = sql_run(store, stmt, err);
	if (rc != RC_OK)
		return rc;
	app->id = sqlite3_last_insert_rowid(store->db);
	rc = add_payload(store, app, row_digest, err);
	if (rc == RC_OK)
		rc = retained_survey(store, app, err);
	if (rc == RC_OK)
		rc = identity_keep(store, app, err);
	return rc == RC_OK ? search_keep(store, app, err) : rc;
}

static enum rc update_hold_reason(struct store *store, const struct application *app, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE application_payload SET hold_reason = nullif(:reason, '')"
		" WHERE application_id = :id AND hold_reason IS NOT nullif(:reason, '')",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", app->id);
	sql_text(stmt, ":reason", app->hold_reason);
	return sql_run(store, stmt, err);
}

/*
 * Apart from the other columns: an UPDATE that may set a column which refers to another row keeps what it overwrites in a journal of its own, and where that is a row of
 * its own table SQLite takes the row out of every index and enters it anew; two of them are in the order of a digest, so that each application dirtied two pages of its own.
 */
static enum rc update_lasting(
	struct store *store, const struct application *app, int64_t profile, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE application SET kind = :kind, type = :type, star = :star, received_at ="
		" :received_at, applied_on = :applied_on, clock_start = :clock_start, linked_id ="
		" :linked_id, file_id = :file_id, row = :row, profile = :profile, template_set ="
		" :template_set WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", app->id);
	bind_lasting(stmt, app, profile);
	return sql_run(store, stmt, err);
}

static enum rc update_moving(struct store *store, const struct application *app, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE application SET state = :state, hold = :hold, stage = :stage, approved ="
		" :approved, due_at = :due_at, latest_at = :latest_at, previous_sent_at ="
		" :previous_sent_at, declaration_id = :declaration_id, user_number = :user_number,"
		" id_issued_on = :id_issued_on, logo_authorized_on = :logo_authorized_on, stopped_on ="
		" :stopped_on WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", app->id);
	bind_moving(stmt, app);
	return sql_run(store, stmt, err);
}

/* What of it differs from its row; a reading costs a tenth of a writing. */
struct differences {
	bool there, moving, lasting, held;
};

static enum rc compare_row(struct store *store, const struct application *app, int64_t profile,
	struct differences *out, struct err *err)
{
	*out = (struct differences){0};
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT state <> :state OR hold <> :hold OR stage <> :stage OR approved <> :approved OR"
		" due_at IS NOT :due_at OR latest_at IS NOT :latest_at OR previous_sent_at <>"
		" :previous_sent_at OR declaration_id IS NOT :declaration_id OR user_number IS NOT"
		" :user_number OR id_issued_on IS NOT :id_issued_on OR logo_authorized_on IS NOT"
		" :logo_authorized_on OR stopped_on IS NOT :stopped_on,"
		" kind <> :kind OR type <> :type OR star <> :star OR received_at <> :received_at OR"
		" applied_on IS NOT :applied_on OR clock_start IS NOT :clock_start OR linked_id IS NOT"
		" :linked_id OR file_id IS NOT :file_id OR row <> :row OR profile <> :profile OR"
		" template_set IS NOT :template_set, hold > 0 FROM application WHERE id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", app->id);
	bind_moving(stmt, app);
	bind_lasting(stmt, app, profile);
	enum rc rc = sql_row(store, stmt, &out->there, err);
	if (rc != RC_OK || !out->there)
		return rc;
	out->moving = sqlite3_column_int(stmt, 0);
	out->lasting = sqlite3_column_int(stmt, 1);
	out->held = sqlite3_column_int(stmt, 2);
	sql_done(stmt);
	return RC_OK;
}

enum rc application_update(struct store *store, const struct application *app, struct err *err)
{
	int64_t profile;
	struct differences differ;
	enum rc rc = sql_want_transaction(store, err);
	rc = rc ? rc : word_number(store, app->profile, &profile, err);
	rc = rc ? rc : compare_row(store, app, profile, &differ, err);
	if (rc != RC_OK)
		return rc;
	if (!differ.there)
		return err_set(err, RC_REFUSED, "there is no application %lld on file", (long long)app->id);
	if (differ.lasting)
		rc = update_lasting(store, app, profile, err);
	if (rc == RC_OK && differ.moving)
		rc = update_moving(store, app, err);
	/* Who is not held and was not has no reason. */
	bool reason = differ.held || app->hold != HOLD_NONE || (app->hold_reason && *app->hold_reason);
	return rc == RC_OK && reason ? update_hold_reason(store, app, err) : rc;
}

/* An erasure takes what is kept under an address that was changed since, too. */
static enum rc keep_earlier_mail(struct store *store, int64_t id, const char *mail_key, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO earlier_mail SELECT id, mail FROM application WHERE id = :id AND mail IS NOT "
		"NULL"
		" AND mail IS NOT :mail ON CONFLICT DO NOTHING",
		err);
	if (!stmt)
		return err->rc;
	uint8_t room[KEY_LEN];
	sql_int(stmt, ":id", id);
	bind_key(stmt, ":mail", mail_key, room);
	return sql_run(store, stmt, err);
}

static enum rc update_keys(
	struct store *store, int64_t id, const char *key, const char *mail_key, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "UPDATE application SET key = :key, mail = :mail WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	uint8_t key_room[KEY_LEN], mail_room[KEY_LEN];
	sql_int(stmt, ":id", id);
	bind_key(stmt, ":key", key, key_room);
	bind_key(stmt, ":mail", mail_key, mail_room);
	enum rc rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "there is no application %lld on file", (long long)id);
	return rc;
}

enum rc application_update_form(struct store *store, const struct application *app, const char *key,
	const char *mail_key, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = keep_earlier_mail(store, app->id, mail_key, err);
	if (rc == RC_OK)
		rc = update_keys(store, app->id, key, mail_key, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(
		store, "UPDATE application_payload SET form = :form WHERE application_id = :id", err);
	if (!stmt)
		return err->rc;
	struct str packed = STR_INIT;
	form_pack(store, &packed, &app->form);
	sql_int(stmt, ":id", app->id);
	sql_blob(stmt, ":form", packed.s, packed.len);
	rc = sql_run(store, stmt, err);
	str_free(&packed);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(
			err, RC_REFUSED, "the form of application %lld has been erased", (long long)app->id);
	if (rc == RC_OK)
		rc = retained_survey(store, app, err);
	if (rc == RC_OK)
		rc = identity_keep(store, app, err);
	return rc == RC_OK ? search_keep(store, app, err) : rc;
}

/* ---- who is on file ---- */

enum rc application_live(struct store *store, const char *key, const uint8_t *row_digest, int64_t *id,
	int64_t *declaration_id, int *star, bool *same_row, struct err *err)
{
	*id = *declaration_id = 0;
	*star = 0;
	*same_row = false;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT a.id, a.declaration_id, a.star, p.row_digest FROM application a"
		" LEFT JOIN application_payload p ON p.application_id = a.id"
		" WHERE a.key = :key AND a.key IS NOT NULL AND a." SQL_LIVE " AND NOT " SQL_RUNNING_STEP_UP
		" ORDER BY a.star DESC, a.id LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	uint8_t room[KEY_LEN], digest[SHA256_LEN];
	bind_key(stmt, ":key", key, room);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	*id = sqlite3_column_int64(stmt, 0);
	*declaration_id = sqlite3_column_int64(stmt, 1);
	*star = sqlite3_column_int(stmt, 2);
	*same_row = row_digest && column_digest(stmt, 3, digest, sizeof digest) &&
		    memcmp(digest, row_digest, sizeof digest) == 0;
	sql_done(stmt);
	return RC_OK;
}

enum rc application_step_up_of(struct store *store, int64_t star1_id, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT max(id) FROM application WHERE linked_id = :star1 AND linked_id IS NOT NULL "
		"AND " SQL_LIVE,
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":star1", star1_id);
	return sql_number(store, stmt, 0, id, err);
}

#define OTHERS_OF_MAIL                                                                                       \
	" FROM application WHERE mail = :mail AND mail IS NOT NULL AND " SQL_LIVE " AND key IS NOT :key"

enum rc application_businesses(
	struct store *store, const char *mail_key, const char *key, int *count, struct err *err)
{
	/* Mostly there is none: counting apart begins with a temporary table. */
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT CASE WHEN EXISTS (SELECT 1" OTHERS_OF_MAIL ")"
		" THEN (SELECT count(DISTINCT key)" OTHERS_OF_MAIL ") ELSE 0 END",
		err);
	if (!stmt)
		return err->rc;
	uint8_t key_room[KEY_LEN], mail_room[KEY_LEN];
	int64_t found;
	bind_key(stmt, ":key", key, key_room);
	bind_key(stmt, ":mail", mail_key, mail_room);
	enum rc rc = sql_number(store, stmt, 0, &found, err);
	*count = rc == RC_OK ? (int)found : 0;
	return rc;
}

/* ---- what is due ---- */

#define SQL_DUE " FROM application WHERE due_at IS NOT NULL AND hold = 0 AND " SQL_LIVE

enum rc application_due(struct store *store, utc_time now, utc_time after_due, int64_t after_id,
	struct due_ref *out, int limit, int *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, due_at" SQL_DUE " AND due_at <= :now AND (due_at, id) > (:after_due, :after_id) "
		"ORDER BY due_at, id LIMIT :limit",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":now", now);
	sql_int(stmt, ":after_due", after_due);
	sql_int(stmt, ":after_id", after_id);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		out[(*count)++] = (struct due_ref){
			.id = sqlite3_column_int64(stmt, 0), .due_at = sqlite3_column_int64(stmt, 1)};
	return rc;
}

enum rc application_next_due(struct store *store, utc_time *at, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT min(due_at)" SQL_DUE, err);
	return stmt ? sql_number(store, stmt, UTC_NEVER, at, err) : err->rc;
}

/* ---- going through them ---- */

/* What is due or overdue is a small part of what is on file: its ids are taken from the partial index first. The terms are spelt as in
 * schema.c. */
static const char *picking_text(const struct application_filter *filter)
{
	if (filter->overdue_at != 0)
		return "SELECT id FROM application INDEXED BY application_latest WHERE latest_at IS NOT NULL "
		       "AND " SQL_LIVE " AND latest_at < :before AND id > :after";
	if (filter->due_before != 0 && filter->live_only && filter->hold == HOLD_NONE)
		return "SELECT id FROM application INDEXED BY application_due WHERE due_at IS NOT NULL AND "
		       "hold = 0"
		       " AND " SQL_LIVE " AND due_at < :before AND id > :after";
	return NULL;
}

static void filter_text(
	struct str *text, const struct application_filter *filter, bool picked, bool with_form)
{
	str_addz(text, with_form ? "SELECT" APPLICATION_COLUMNS PAYLOAD_COLUMNS
				 : "SELECT" APPLICATION_COLUMNS NO_PAYLOAD_COLUMNS);
	str_addz(text, picked ? " WHERE a.id = :id" : " WHERE a.id > :after");
	if (filter->state != STATE_NONE)
		str_addz(text, " AND a.state = :state");
	if (filter->hold >= 0)
		str_addz(text,
			filter->hold == HOLD_NONE ? " AND a.hold = 0" : " AND a.hold > 0 AND a.hold = :hold");
	if (filter->live_only || filter->overdue_at != 0)
		str_addz(text, " AND a." SQL_LIVE);
	if (filter->due_before != 0)
		str_addz(text, " AND a.due_at < :due_before");
	if (filter->overdue_at != 0)
		str_addz(text, " AND a.latest_at < :overdue_at");
	if (filter->key)
		str_addz(text, " AND a.key IS NOT NULL AND a.key = :key");
	str_addz(text, picked ? "" : " ORDER BY a.id LIMIT :limit");
}

static void bind_filter(
	sqlite3_stmt *stmt, const struct application_filter *filter, uint8_t key_room[KEY_LEN])
{
	if (filter->state != STATE_NONE)
		sql_int(stmt, ":state", filter->state);
	if (filter->hold > HOLD_NONE)
		sql_int(stmt, ":hold", filter->hold);
	if (filter->due_before != 0)
		sql_int(stmt, ":due_before", filter->due_before);
	if (filter->overdue_at != 0)
		sql_int(stmt, ":overdue_at", filter->overdue_at);
	if (filter->key)
		bind_key(stmt, ":key", filter->key, key_room);
}

/* One walk over what a filter finds. */
struct walk {
	struct store *store;
	const struct application_filter *filter;
	bool with_form;
	struct str text; /* owned */
	bool picked;
	int64_t *ids; /* owned; picked: what the index gave, by id */
	size_t id_count, id_at;
	int64_t after;
};

static int by_id(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static enum rc pick(struct walk *walk, const char *text, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(walk->store, text, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":before",
		walk->filter->overdue_at != 0 ? walk->filter->overdue_at : walk->filter->due_before);
	sql_int(stmt, ":after", walk->after);
	size_t room = 0;
	bool row;
	enum rc rc;
	while ((rc = sql_row(walk->store, stmt, &row, err)) == RC_OK && row) {
		if (walk->id_count == room) {
			room = room ? room * 2 : BATCH;
			walk->ids = xrealloc(walk->ids, room * sizeof *walk->ids);
		}
		walk->ids[walk->id_count++] = sqlite3_column_int64(stmt, 0);
	}
	if (walk->id_count > 1)
		qsort(walk->ids, walk->id_count, sizeof *walk->ids, by_id);
	return rc;
}

/* The rows of one statement, or of one picked id; *count grows. */
static enum rc read_found(struct walk *walk, sqlite3_stmt *stmt, struct application *out, int *count,
	struct pool *pool, struct err *err)
{
	bool row;
	enum rc rc;
	while ((rc = sql_row(walk->store, stmt, &row, err)) == RC_OK && row) {
		struct application *app = &out[(*count)++];
		rc = application_read(walk->store, stmt, walk->with_form, app, pool, err);
		if (rc != RC_OK)
			break;
		walk->after = app->id;
	}
	return rc;
}

/* The picked ones one by one, under one lock: taking it anew for each would cost more than reading the row. */
static enum rc read_picked(struct walk *walk, sqlite3_stmt *stmt, int want, struct application *out,
	int *count, struct pool *pool, struct err *err)
{
	uint8_t key_room[KEY_LEN];
	bool own = sqlite3_get_autocommit(walk->store->db);
	enum rc rc = own ? sql_exec(walk->store, "BEGIN", err) : RC_OK;
	if (rc != RC_OK)
		return rc;
	while (rc == RC_OK && *count < want && walk->id_at < walk->id_count) {
		bind_filter(stmt, walk->filter, key_room);
		sql_int(stmt, ":id", walk->ids[walk->id_at++]);
		rc = read_found(walk, stmt, out, count, pool, err);
	}
	sql_done(stmt);
	if (own)
		(void)sqlite3_exec(walk->store->db, "COMMIT", NULL, NULL, NULL);
	return rc;
}

/* Up to `want` applications; fewer: there are no more. */
static enum rc read_batch(
	struct walk *walk, int want, struct application *out, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_prepare(walk->store, walk->text.s, err);
	if (!stmt)
		return err->rc;
	enum rc rc;
	if (walk->picked) {
		rc = read_picked(walk, stmt, want, out, count, pool, err);
	} else {
		uint8_t key_room[KEY_LEN];
		bind_filter(stmt, walk->filter, key_room);
		sql_int(stmt, ":after", walk->after);
		sql_int(stmt, ":limit", want);
		rc = read_found(walk, stmt, out, count, pool, err);
	}
	(void)sqlite3_finalize(stmt);
	return rc;
}

static enum rc walk_all(struct walk *walk, application_fn *fn, void *ctx, struct err *err)
{
	struct application *apps = xcalloc(BATCH, sizeof *apps);
	struct pool *pool = pool_new();
	const int limit = walk->filter->limit;
	int left = limit, want, count;
	enum rc rc;
	do {
		want = limit > 0 && left < BATCH ? left : BATCH;
		pool_reset(pool);
		rc = read_batch(walk, want, apps, &count, pool, err);
		for (int i = 0; rc == RC_OK && i < count; i++)
			rc = fn(ctx, &apps[i], err);
		left -= count;
	} while (rc == RC_OK && count == want && (limit <= 0 || left > 0));
	pool_free(&pool);
	free(apps);
	return rc;
}

enum rc application_each(struct store *store, const struct application_filter *filter, bool with_form,
	application_fn *fn, void *ctx, struct err *err)
{
	const char *picking = picking_text(filter);
	struct walk walk = {.store = store,
		.filter = filter,
		.with_form = with_form,
		.text = STR_INIT,
		.picked = picking != NULL,
		.after = filter->after_id};
	filter_text(&walk.text, filter, walk.picked, with_form);
	enum rc rc = picking ? pick(&walk, picking, err) : RC_OK;
	if (rc == RC_OK)
		rc = walk_all(&walk, fn, ctx, err);
	str_free(&walk.text);
	free(walk.ids);
	return rc;
}
