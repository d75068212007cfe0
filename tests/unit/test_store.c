#include "tests/unit/store_rig.h"
#include "tests/unit/reading_rig.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static void begin(struct rig *rig)
{
	assert_ok(store_begin(rig->store, &rig_err));
}

static void commit(struct rig *rig)
{
	assert_ok(store_commit(rig->store, &rig_err));
}

/* ---- opening and transactions ---- */

static void test_store__change_outside_transaction_is_refused(void **state)
{
	struct rig *rig = *state;
	struct application app = rig_application(rig->pool, 1);
	const struct history_row row = {.at = T0, .event = EVENT_FILE, .actor = "daemon"};
	uint8_t digest[SHA256_LEN] = {0};
	struct notice notice = rig_notice(rig->pool, 1, "receipt");
	assert_rc(application_add(rig->store, &app, "c:1", "m", digest, &rig_err), RC_STORE);
	assert_rc(history_add(rig->store, &row, &rig_err), RC_STORE);
	assert_rc(outbox_add(rig->store, &notice, 0, "x", 1, &rig_err), RC_STORE);
	assert_rc(fact_set(rig->store, "a", "b", &rig_err), RC_STORE);
	assert_rc(store_commit(rig->store, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "outside a transaction"));
	begin(rig);
	assert_rc(store_begin(rig->store, &rig_err), RC_STORE);
	store_rollback(rig->store);
}

static void test_store__rollback_leaves_nothing(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	(void)rig_queue(rig, id, "receipt");
	assert_true(store_in_transaction(rig->store));
	store_rollback(rig->store);
	assert_false(store_in_transaction(rig->store));
	struct application app;
	assert_rc(application_get(rig->store, id, &app, rig->pool, &rig_err), RC_REFUSED);
	int64_t seq;
	uint8_t hash[SHA256_LEN];
	assert_ok(history_head(rig->store, &seq, hash, &rig_err));
	assert_int_equal(seq, 0);
}

static void test_store__readers_see_what_is_committed(void **state)
{
	struct rig *rig = *state;
	struct store *reader;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	assert_ok(store_open(&reader, &rig->settings, STORE_READ, &rig_err));
	struct application app;
	assert_rc(application_get(reader, id, &app, rig->pool, &rig_err), RC_REFUSED);
	commit(rig);
	assert_ok(application_get(reader, id, &app, rig->pool, &rig_err));
	assert_rc(store_begin(reader, &rig_err), RC_STORE);
	store_close(&reader);
	assert_null(reader);
}

static void test_store__who_waits_to_write_is_seen(void **state)
{
	struct rig *rig = *state;
	int status = -1, begun[2];
	char byte;
	store_close(&rig->store); /* SQLite's handles don't go through a fork */
	assert_int_equal(pipe2(begun, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct store *other;
		bool good = read(begun[0], &byte, 1) == 1 &&
			    store_open(&other, &rig->settings, STORE_WRITE, &rig_err) == RC_OK;
		_exit(good ? 0 : 1);
	}
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_false(store_is_awaited(rig->store));
	begin(rig);
	assert_false(store_is_awaited(rig->store));
	assert_int_equal(write(begun[1], "!", 1), 1);
	for (int i = 0; i < 5000 && !store_is_awaited(rig->store); i++)
		(void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	assert_true(store_is_awaited(rig->store));
	commit(rig);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_false(store_is_awaited(rig->store));
	(void)close(begun[0]);
	(void)close(begun[1]);
}

/* Anybody who may read the directory may lock it. */
static void test_store__a_lock_of_somebody_else_holds_up_nobody(void **state)
{
	struct rig *rig = *state;
	char *directory = xstrdup(rig->settings.path);
	*strrchr(directory, '/') = '\0';
	int other = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(other >= 0);
	assert_int_equal(flock(other, LOCK_EX), 0);
	(void)alarm(60); /* it would wait for ever */
	sql_wait(rig->store);
	sql_waited(rig->store);
	(void)alarm(0);
	assert_true(store_is_awaited(rig->store)); /* where it can't be told */
	begin(rig);
	commit(rig);
	(void)close(other);
	assert_false(store_is_awaited(rig->store));
	free(directory);
}

static void test_store__reading_needs_no_wal(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	commit(rig);
	store_close(&rig->store);
	/* As a copy of the one file, in a directory nobody may write. */
	sql_aside(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	char name[160];
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof name, "%s-%s", rig->path, i ? "shm" : "wal");
		(void)unlink(name);
	}
	assert_int_equal(chmod(rig->dir, 0500), 0);
	struct store *reader;
	assert_ok(store_open(&reader, &rig->settings, STORE_READ, &rig_err));
	struct application app;
	assert_ok(application_get(reader, id, &app, rig->pool, &rig_err));
	store_close(&reader);
	assert_int_equal(chmod(rig->dir, 0700), 0);
}

static void test_store__opening_says_what_is_wrong(void **state)
{
	struct rig *rig = *state;
	struct store *other = NULL;
	char path[160];

	(void)snprintf(path, sizeof path, "%s/none.db", rig->dir);
	struct store_settings settings = {.path = path, .simulated = true};
	assert_rc(store_open(&other, &settings, STORE_READ, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "there is no register at"));
	assert_int_equal(access(path, F_OK), -1); /* looking makes nothing */

	(void)snprintf(path, sizeof path, "%s/none/register.db", rig->dir);
	assert_rc(store_open(&other, &settings, STORE_WRITE, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "check that its directory exists"));

	(void)snprintf(path, sizeof path, "%s/text.db", rig->dir);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	for (int i = 0; i < 100; i++)
		(void)fputs("this is a letter, not a register. ", file);
	(void)fclose(file);
	assert_rc(store_open(&other, &settings, STORE_WRITE, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "is not a register"));
	assert_rc(store_open(&other, &settings, STORE_READ, &rig_err), RC_STORE);

	(void)snprintf(path, sizeof path, "%s/foreign.db", rig->dir);
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_rc(store_open(&other, &settings, STORE_WRITE, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "another program"));
	assert_null(other);
}

static void test_store__register_is_private(void **state)
{
	struct rig *rig = *state;
	struct stat st;
	assert_int_equal(stat(rig->path, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void test_store__live_and_simulated_do_not_mix(void **state)
{
	struct rig *rig = *state;
	rig->settings.simulated = false;
	rig_reopen(rig); /* still empty: it becomes live */
	begin(rig);
	(void)rig_add(rig, 1);
	commit(rig);
	store_close(&rig->store);
	rig->settings.simulated = true;
	assert_rc(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err), RC_CONFIG);
	assert_non_null(strstr(rig_err.text, "is a live register"));
	assert_ok(store_open(&rig->store, &rig->settings, STORE_READ, &rig_err)); /* looking is allowed */
}

/* ---- applications ---- */

static void test_store__application_comes_back_as_it_went_in(void **state)
{
	struct rig *rig = *state;
	uint8_t digest[SHA256_LEN] = {1};
	begin(rig);
	int64_t star1 = rig_add(rig, 7);
	struct spool_file file = {.name = "申込.csv", .owner = "tanaka", .archive = "", .state = FILE_TAKEN};
	assert_ok(file_add(rig->store, &file, &rig_err));
	int64_t set;
	assert_ok(template_set_keep(rig->store, "form", digest, "texts", 5, T0, &set, &rig_err));
	struct application in = rig_application(rig->pool, 8), out;
	in.kind = KIND_STEP_UP;
	in.type = APPLICANT_SOLE_PROPRIETOR;
	in.star = 2;
	in.hold = HOLD_REVIEW;
	in.hold_reason = "名前にURLがあります";
	in.approved = true;
	in.linked_id = star1;
	in.declaration_id = 41234567890;
	in.user_number = 9012345678;
	in.id_issued_on = 20607;
	in.file_id = file.id;
	in.template_set = set;
	in.previous_sent_at = T0 + 5;
	in.form.value[FIELD_SURVEY] = ""; /* empty is not the same as absent */
	assert_ok(application_add(rig->store, &in, "s:key", "a@example.co.jp", digest, &rig_err));
	commit(rig);
	assert_ok(application_get(rig->store, in.id, &out, rig->pool, &rig_err));
	for (int i = 0; i < FIELD_COUNT; i++) {
		if (in.form.value[i])
			assert_string_equal(out.form.value[i], in.form.value[i]);
		else
			assert_null(out.form.value[i]);
	}
	assert_string_equal(out.hold_reason, in.hold_reason);
	assert_string_equal(out.profile, "form");
	assert_int_equal(out.logo_authorized_on, CIVIL_DAY_NONE);
	in.form = out.form = (struct form_values){0};
	in.hold_reason = out.hold_reason = in.profile = out.profile = NULL;
	assert_memory_equal(&in, &out, sizeof in);
}

static void test_store__application_update(void **state)
{
	struct rig *rig = *state;
	struct application app, again;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	assert_ok(application_get(rig->store, id, &app, rig->pool, &rig_err));
	app.state = STATE_ID_ISSUED;
	app.stage = STAGE_NONE;
	app.due_at = app.latest_at = UTC_NEVER;
	app.hold = HOLD_STAFF;
	app.hold_reason = "書類待ち";
	app.form.value[FIELD_CONTACT] = "not written by this";
	assert_ok(application_update(rig->store, &app, &rig_err));
	assert_ok(application_get(rig->store, id, &again, rig->pool, &rig_err));
	assert_int_equal(again.state, STATE_ID_ISSUED);
	assert_int_equal(again.stage, STAGE_NONE);
	assert_int_equal(again.due_at, UTC_NEVER);
	assert_int_equal(again.latest_at, UTC_NEVER);
	assert_string_equal(again.hold_reason, "書類待ち");
	assert_string_equal(again.form.value[FIELD_CONTACT], "見本 花子");
	app.hold = HOLD_NONE;
	app.hold_reason = "";
	assert_ok(application_update(rig->store, &app, &rig_err));
	assert_ok(application_get(rig->store, id, &again, rig->pool, &rig_err));
	assert_string_equal(again.hold_reason, "");
	app.id = 99;
	assert_rc(application_update(rig->store, &app, &rig_err), RC_REFUSED);
	commit(rig);
}

static void test_store__correction_moves_the_keys(void **state)
{
	struct rig *rig = *state;
	struct application app;
	int64_t id, declaration;
	int star, count;
	bool same;
	begin(rig);
	int64_t first = rig_add(rig, 1);
	assert_ok(application_get(rig->store, first, &app, rig->pool, &rig_err));
	app.form.value[FIELD_CONTACT] = "見本 次郎";
	assert_ok(application_update_form(rig->store, &app, "c:new", "new@example.co.jp", &rig_err));
	commit(rig);
	assert_ok(application_live(
		rig->store, "c:0000000000001", NULL, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, 0);
	assert_ok(application_live(rig->store, "c:new", NULL, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, first);
	assert_ok(application_businesses(rig->store, "new@example.co.jp", "c:other", &count, &rig_err));
	assert_int_equal(count, 1);
	assert_ok(application_get(rig->store, first, &app, rig->pool, &rig_err));
	assert_string_equal(app.form.value[FIELD_CONTACT], "見本 次郎");
}

static void set_state(struct rig *rig, int64_t id, enum state to)
{
	struct application app;
	assert_ok(application_get(rig->store, id, &app, rig->pool, &rig_err));
	app.state = to;
	assert_ok(application_update(rig->store, &app, &rig_err));
}

static void test_store__live_application_of_a_key(void **state)
{
	struct rig *rig = *state;
	const int one = 1;
	uint8_t digest[SHA256_LEN], other[SHA256_LEN] = {0};
	sha256(digest, &one, sizeof one);
	int64_t id, declaration;
	int star;
	bool same;
	begin(rig);
	int64_t star1 = rig_add(rig, 1);
	assert_ok(application_live(
		rig->store, "c:0000000000001", digest, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, star1);
	assert_int_equal(star, 1);
	assert_true(same);
	assert_ok(application_live(
		rig->store, "c:0000000000001", other, &id, &declaration, &star, &same, &rig_err));
	assert_false(same);

	/* A step-up under the same key runs: the ★ stays the live one. */
	struct application step = rig_application(rig->pool, 1);
	step.kind = KIND_STEP_UP;
	step.star = 2;
	step.linked_id = star1;
	assert_ok(application_add(rig->store, &step, "c:0000000000001", "m", other, &rig_err));
	assert_ok(application_live(
		rig->store, "c:0000000000001", digest, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, star1);
	assert_ok(application_step_up_of(rig->store, star1, &id, &rig_err));
	assert_int_equal(id, step.id);

	/* It supersedes the ★ and is the declaration from now on. */
	set_state(rig, star1, STATE_SUPERSEDED);
	set_state(rig, step.id, STATE_LOGO_AUTHORIZED);
	assert_ok(application_live(
		rig->store, "c:0000000000001", other, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, step.id);
	assert_int_equal(star, 2);
	assert_true(same);

	/* Who was stopped may apply anew. */
	set_state(rig, step.id, STATE_STOPPED);
	assert_ok(application_live(
		rig->store, "c:0000000000001", digest, &id, &declaration, &star, &same, &rig_err));
	assert_int_equal(id, 0);
	assert_ok(application_step_up_of(rig->store, star1, &id, &rig_err));
	assert_int_equal(id, 0);
	commit(rig);
}

static void test_store__declaration_id_finds_the_live_one(void **state)
{
	struct rig *rig = *state;
	struct application star1 = rig_application(rig->pool, 1), star2 = rig_application(rig->pool, 1),
			   found;
	uint8_t digest[SHA256_LEN] = {0};
	begin(rig);
	star1.declaration_id = star2.declaration_id = 41234567890;
	star1.state = STATE_LOGO_AUTHORIZED;
	assert_ok(application_add(rig->store, &star1, "c:1", "m", digest, &rig_err));
	star2.linked_id = star1.id;
	assert_ok(application_add(rig->store, &star2, "c:1", "m", digest, &rig_err));
	assert_ok(application_by_declaration(rig->store, 41234567890, &found, rig->pool, &rig_err));
	assert_int_equal(found.id, star1.id);
	set_state(rig, star1.id, STATE_SUPERSEDED);
	assert_ok(application_by_declaration(rig->store, 41234567890, &found, rig->pool, &rig_err));
	assert_int_equal(found.id, star2.id);
	assert_rc(
		application_by_declaration(rig->store, 40000000000, &found, rig->pool, &rig_err), RC_REFUSED);
	commit(rig);
}

static void test_store__businesses_behind_an_address(void **state)
{
	struct rig *rig = *state;
	uint8_t digest[SHA256_LEN] = {0};
	int count;
	begin(rig);
	for (int i = 1; i <= 4; i++) {
		struct application app = rig_application(rig->pool, i);
		app.state = i == 4 ? STATE_STOPPED : STATE_RECEIVED;
		char key[16];
		(void)snprintf(key, sizeof key, "c:%d", i);
		assert_ok(application_add(rig->store, &app, key, "proxy@example.co.jp", digest, &rig_err));
	}
	assert_ok(application_businesses(rig->store, "proxy@example.co.jp", "c:1", &count, &rig_err));
	assert_int_equal(count, 2);
	assert_ok(application_businesses(rig->store, "proxy@example.co.jp", "c:9", &count, &rig_err));
	assert_int_equal(count, 3);
	assert_ok(application_businesses(rig->store, "else@example.co.jp", "c:9", &count, &rig_err));
	assert_int_equal(count, 0);
	commit(rig);
}

/* ---- what is due ---- */

static void test_store__due_in_order_and_only_what_may_go(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	for (int i = 1; i <= 6; i++) {
		int64_t id = rig_add(rig, i);
		struct application app;
		assert_ok(application_get(rig->store, id, &app, rig->pool, &rig_err));
		app.due_at = i == 6 ? UTC_NEVER : T0 + (i <= 2 ? 10 : 5);
		app.hold = i == 4 ? HOLD_STAFF : HOLD_NONE;
		app.state = i == 5 ? STATE_STOPPED : STATE_RECEIVED;
		assert_ok(application_update(rig->store, &app, &rig_err));
	}
	commit(rig);
	struct due_ref due[8];
	int count;
	utc_time next;
	assert_ok(application_due(rig->store, T0 + 9, 0, 0, due, 8, &count, &rig_err));
	assert_int_equal(count, 1);
	assert_int_equal(due[0].id, 3);
	assert_ok(application_due(rig->store, T0 + 10, 0, 0, due, 8, &count, &rig_err));
	assert_int_equal(count, 3);
	assert_int_equal(due[1].id, 1);
	assert_int_equal(due[2].id, 2);
	assert_ok(application_due(rig->store, T0 + 10, due[1].due_at, due[1].id, due, 8, &count, &rig_err));
	assert_int_equal(count, 1);
	assert_int_equal(due[0].id, 2);
	assert_ok(application_due(rig->store, T0 + 10, 0, 0, due, 2, &count, &rig_err));
	assert_int_equal(count, 2);
	assert_ok(application_next_due(rig->store, &next, &rig_err));
	assert_int_equal(next, T0 + 5);
}

static void test_store__nothing_due(void **state)
{
	struct rig *rig = *state;
	utc_time next;
	assert_ok(application_next_due(rig->store, &next, &rig_err));
	assert_int_equal(next, UTC_NEVER);
	assert_ok(outbox_next_try(rig->store, 0, &next, &rig_err));
	assert_int_equal(next, UTC_NEVER);
}

/* The questions asked all the time must not walk the table. */
static void test_store__questions_use_their_index(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *sql, *index;
	} questions[] = {
		{"SELECT id, due_at FROM application WHERE due_at IS NOT NULL AND hold = 0 AND " SQL_LIVE
		 " AND due_at <= :now AND (due_at, id) > (:a, :b) ORDER BY due_at, id LIMIT 5",
			"application_due"},
		{"SELECT min(due_at) FROM application WHERE due_at IS NOT NULL AND hold = 0 AND " SQL_LIVE,
			"application_due"},
		{"SELECT id, domain, next_try_at FROM outbox WHERE next_try_at IS NOT NULL AND " SQL_WAITING
		 " AND next_try_at <= :now AND (next_try_at, id) > (:a, :b) ORDER BY next_try_at, id",
			"COVERING INDEX outbox_waiting"},
		{"SELECT min(next_try_at) FROM outbox WHERE next_try_at > :after AND " SQL_WAITING,
			"COVERING INDEX outbox_waiting"},
		{"SELECT a.id FROM application a WHERE a.id > :after AND a.hold > 0 AND a.hold = :hold ORDER "
		 "BY a.id LIMIT 256",
			"application_held"},
		{"SELECT a.id FROM application a WHERE a.id > :after AND a.key IS NOT NULL AND a.key = :key"
		 " ORDER BY a.id LIMIT 256",
			"application_key"},
		{"SELECT count(*) FROM outbox WHERE accepted_at > 0 AND accepted_at >= :since AND (:d = 0 OR "
		 "domain = :d)",
			"COVERING INDEX outbox_accepted"},
		{"SELECT o.id FROM outbox o WHERE o.state = :s AND o." SQL_UNSENT
		 " AND o.id > :a ORDER BY o.id LIMIT 9",
			"outbox_unsent"},
		{"SELECT id FROM message WHERE uid_validity = :v AND uid = :u AND " SQL_UNFILED,
			"message_uid"},
		{"SELECT m.id FROM message m WHERE m.state = :s AND m." SQL_UNFILED
		 " AND m.id > :a ORDER BY m.id LIMIT 9",
			"message_unfiled"},
		{"SELECT max(id) FROM message WHERE digest = :d AND id <> :but",
			"COVERING INDEX message_digest"},
		{"SELECT m.id FROM message m WHERE m.id IN (SELECT r.message_id FROM request r WHERE "
		 "r." SQL_OPEN ") AND m.id > :a ORDER BY m.id LIMIT 9",
			"request_open"},
		{"SELECT min(due_at) FROM request INDEXED BY request_due WHERE due_at IS NOT NULL "
		 "AND " SQL_OPEN,
			"request_due"},
		{"SELECT state, count(*) FROM request WHERE " SQL_OPEN " GROUP BY state",
			"COVERING INDEX request_open"},
		{"SELECT max(id) FROM request WHERE message_id = :m", "COVERING INDEX request_message"},
		{"SELECT count(*) FROM answer WHERE mail = :m AND at >= :since AND proven <= :p",
			"COVERING INDEX answer_mail"},
		{"SELECT count(*) FROM answer WHERE at >= :since AND proven <= :p",
			"COVERING INDEX answer_at"},
		{"UPDATE token SET used_at = :at WHERE subject_id = :s AND purpose = :p AND used_at = 0",
			"token_subject"},
		{"SELECT id FROM application WHERE mail = :m AND mail IS NOT NULL AND " SQL_LIVE,
			"application_mail"},
	};
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		char text[1024];
		(void)snprintf(text, sizeof text, "EXPLAIN QUERY PLAN %s", questions[i].sql);
		sqlite3_stmt *stmt = sql_prepare(rig->store, text, &rig_err);
		assert_non_null(stmt);
		bool uses = false, sorts = false;
		while (sqlite3_step(stmt) == SQLITE_ROW) {
			const char *detail = (const char *)sqlite3_column_text(stmt, 3);
			uses = uses || strstr(detail, questions[i].index);
			sorts = sorts || strstr(detail, "TEMP B-TREE");
		}
		assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
		if (!uses || sorts)
			fail_msg("%s does not use %s", questions[i].sql, questions[i].index);
	}
}

/* ---- going through applications ---- */

struct seen {
	struct rig *rig;
	int64_t ids[1024];
	int count;
	bool with_form;
	int stop_at;
};

static enum rc see(void *ctx, const struct application *app, struct err *err)
{
	struct seen *seen = ctx;
	assert_int_equal(seen->with_form, app->form.value[FIELD_CONTACT] != NULL);
	seen->ids[seen->count++] = app->id;
	/* Anything may be asked and changed from within. */
	struct application again;
	assert_ok(application_get(seen->rig->store, app->id, &again, seen->rig->pool, &rig_err));
	if (seen->count == seen->stop_at)
		return err_set(err, RC_REFUSED, "enough");
	return RC_OK;
}

static void test_store__each_application_by_filter(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	for (int i = 1; i <= 600; i++)
		(void)rig_add(rig, i);
	set_state(rig, 2, STATE_STOPPED);
	struct application app;
	assert_ok(application_get(rig->store, 3, &app, rig->pool, &rig_err));
	app.hold = HOLD_REVIEW;
	app.latest_at = T0 - 1;
	assert_ok(application_update(rig->store, &app, &rig_err));
	commit(rig);
	const struct {
		struct application_filter filter;
		int count;
		int64_t first;
	} cases[] = {
		{{.hold = -1}, 600, 1},
		{{.hold = -1, .limit = 300}, 300, 1},
		{{.hold = -1, .after_id = 590}, 10, 591},
		{{.hold = -1, .state = STATE_STOPPED}, 1, 2},
		{{.hold = -1, .live_only = true}, 599, 1},
		{{.hold = HOLD_NONE}, 599, 1},
		{{.hold = HOLD_REVIEW}, 1, 3},
		{{.hold = -1, .overdue_at = T0}, 1, 3},
		{{.hold = HOLD_NONE, .live_only = true, .due_before = T0 + 7 * 86400 + 11}, 8, 1},
		{{.hold = -1, .key = "c:0000000000005"}, 1, 5},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen = {.rig = rig, .with_form = i % 2};
		assert_ok(
			application_each(rig->store, &cases[i].filter, seen.with_form, see, &seen, &rig_err));
		assert_int_equal(seen.count, cases[i].count);
		assert_int_equal(seen.ids[0], cases[i].first);
		for (int k = 1; k < seen.count; k++)
			assert_true(seen.ids[k] > seen.ids[k - 1]);
	}
	struct seen seen = {.rig = rig, .stop_at = 5};
	const struct application_filter all = {.hold = -1};
	assert_rc(application_each(rig->store, &all, false, see, &seen, &rig_err), RC_REFUSED);
	assert_int_equal(seen.count, 5);
}

/* ---- numbers, template sets, facts, files ---- */

static void test_store__number_is_drawn_once(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	assert_ok(number_take(rig->store, 41234567890, 1, id, T0, NULL, &rig_err));
	assert_rc(number_take(rig->store, 41234567890, 1, id, T0, NULL, &rig_err), RC_REFUSED);
	assert_rc(number_take(rig->store, 41234567890, 2, 0, T0, "void", &rig_err), RC_REFUSED);
	assert_ok(number_take(rig->store, 9012345678, 2, 0, T0, "drawn for a test", &rig_err));
	commit(rig); /* a refusal does not spoil the transaction */
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM number"), 2);
}

static void test_store__template_set_is_kept_once(void **state)
{
	struct rig *rig = *state;
	uint8_t a[SHA256_LEN] = {1}, b[SHA256_LEN] = {2};
	int64_t first, second, third, fourth;
	begin(rig);
	assert_ok(template_set_keep(rig->store, "form", a, "件名: お知らせ", 20, T0, &first, &rig_err));
	assert_ok(template_set_keep(rig->store, "form", a, "件名: お知らせ", 20, T0 + 9, &second, &rig_err));
	assert_ok(template_set_keep(rig->store, "form", b, "x", 1, T0, &third, &rig_err));
	assert_ok(template_set_keep(rig->store, "site", a, "y", 1, T0, &fourth, &rig_err));
	commit(rig);
	assert_int_equal(first, second);
	assert_true(first != third && first != fourth && third != fourth);
	struct str text = STR_INIT;
	assert_ok(template_set_get(rig->store, first, &text, &rig_err));
	assert_string_equal(text.s, "件名: お知らせ");
	assert_rc(template_set_get(rig->store, 99, &text, &rig_err), RC_REFUSED);
	str_free(&text);
}

static void test_store__facts(void **state)
{
	struct rig *rig = *state;
	struct str value = STR_INIT;
	begin(rig);
	assert_ok(fact_set(rig->store, "pause", "サーバー停止中", &rig_err));
	assert_ok(fact_get(rig->store, "pause", &value, &rig_err));
	assert_string_equal(value.s, "サーバー停止中");
	assert_ok(fact_set(rig->store, "pause", "2", &rig_err));
	assert_ok(fact_get(rig->store, "pause", &value, &rig_err));
	assert_string_equal(value.s, "2");
	assert_ok(fact_set(rig->store, "pause", NULL, &rig_err));
	assert_ok(fact_get(rig->store, "pause", &value, &rig_err));
	assert_string_equal(value.s, "");
	commit(rig);
	str_free(&value);
}

static void test_store__file_and_its_rows(void **state)
{
	struct rig *rig = *state;
	struct spool_file file = {.digest = {5},
		.name = "申込.csv",
		.size = 1234,
		.taken_at = T0,
		.source_dev = 1,
		.source_ino = 2,
		.source_mtime_ns = INT64_C(1780000000123456789),
		.owner = "tanaka",
		.state = FILE_TAKEN,
		.archive = ""};
	struct spool_file out, same = file;
	int64_t id, application;
	int verdict;
	bool left = true;
	struct str findings = STR_INIT;
	begin(rig);
	assert_ok(file_add(rig->store, &file, &rig_err));
	assert_int_equal(file.same_as, 0);
	assert_ok(file_add(rig->store, &same, &rig_err));
	assert_int_equal(same.same_as, file.id);
	assert_ok(file_unfinished(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, file.id);
	assert_ok(file_by_source(rig->store, 1, 2, file.source_mtime_ns, file.digest, &id, &rig_err));
	assert_int_equal(id, same.id);
	assert_ok(file_by_source(rig->store, 1, 3, file.source_mtime_ns, file.digest, &id, &rig_err));
	assert_int_equal(id, 0);

	assert_ok(file_row_add(rig->store, file.id, 1, 3, 0, "why\0not", 7, &rig_err));
	assert_ok(file_row_add(rig->store, file.id, 2, 0, 77, NULL, 0, &rig_err));
	assert_ok(file_row_get(rig->store, file.id, 1, &verdict, &application, &findings, &rig_err));
	assert_int_equal(verdict, 3);
	assert_int_equal(findings.len, 7);
	assert_memory_equal(findings.s, "why\0not", 7);
	assert_ok(file_row_get(rig->store, file.id, 2, &verdict, &application, &findings, &rig_err));
	assert_int_equal(application, 77);
	assert_int_equal(findings.len, 0);
	assert_ok(file_rows_drop(rig->store, 1, &left, &rig_err)); /* not while the file is worked on */
	assert_false(left);
	assert_ok(file_row_get(rig->store, file.id, 1, &verdict, &application, &findings, &rig_err));

	file.state = FILE_DONE;
	file.rows_done = 9;
	file.accepted = 4;
	file.refused = 3;
	file.same = 2;
	file.review = 1;
	file.decided = 8;
	file.archive = "accepted/2026-05/申込.csv";
	assert_ok(file_update(rig->store, &file, &rig_err));
	/* One at a time, as many as are asked for, until none is left. */
	for (int i = 2; i > 0; i--) {
		assert_ok(file_rows_drop(rig->store, 1, &left, &rig_err));
		assert_true(left);
	}
	assert_ok(file_rows_drop(rig->store, 1, &left, &rig_err));
	assert_false(left);
	assert_rc(file_row_get(rig->store, file.id, 2, &verdict, &application, &findings, &rig_err),
		RC_REFUSED);
	commit(rig);
	assert_ok(file_get(rig->store, file.id, &out, rig->pool, &rig_err));
	assert_string_equal(out.name, file.name);
	assert_string_equal(out.owner, file.owner);
	assert_string_equal(out.archive, file.archive);
	out.name = file.name;
	out.owner = file.owner;
	out.archive = file.archive;
	assert_memory_equal(&out, &file, sizeof out);
	assert_ok(file_unfinished(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, same.id);
	str_free(&findings);
}

/* Dropped again counts against the first file of which something came: one that was refused stands in nobody's way, and hides nobody. */
static void test_store__the_same_file_again(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int decided;
		int same_as; /* 0: none; else which of the files */
	} cases[] = {{0, 0}, {0, 1}, {2, 1}, {0, 3}, {1, 3}};
	int64_t id[sizeof cases / sizeof *cases];
	begin(rig);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct spool_file file = {.digest = {9},
			.name = "判断.csv",
			.owner = "1000(tanaka)",
			.archive = "",
			.state = FILE_TAKEN};
		assert_ok(file_add(rig->store, &file, &rig_err));
		assert_int_equal(file.same_as, cases[i].same_as ? id[cases[i].same_as - 1] : 0);
		id[i] = file.id;
		file.state = FILE_DONE;
		file.decided = cases[i].decided;
		assert_ok(file_update(rig->store, &file, &rig_err));
	}
	commit(rig);
}

static void test_store__suppression_by_kind(void **state)
{
	struct rig *rig = *state;
	bool yes;
	begin(rig);
	assert_ok(suppression_set(rig->store, "a@example.co.jp", SUPPRESS_NEWS, true, T0, &rig_err));
	assert_ok(suppression_has(rig->store, "a@example.co.jp", SUPPRESS_NEWS, &yes, &rig_err));
	assert_true(yes);
	assert_ok(suppression_has(rig->store, "a@example.co.jp", SUPPRESS_CASE_MAIL, &yes, &rig_err));
	assert_false(yes);
	assert_ok(suppression_set(rig->store, "a@example.co.jp", SUPPRESS_NEWS, false, T0, &rig_err));
	assert_ok(suppression_has(rig->store, "a@example.co.jp", SUPPRESS_NEWS, &yes, &rig_err));
	assert_false(yes);
	commit(rig);
}

static void test_store__books(void **state)
{
	struct rig *rig = *state;
	struct spool_file file = {.name = "a",
		.owner = "b",
		.archive = "",
		.state = FILE_TAKEN,
		.rows_done = 5,
		.refused = 2,
		.same = 1};
	begin(rig);
	assert_ok(file_add(rig->store, &file, &rig_err));
	(void)rig_queue(rig, rig_add(rig, 1), "receipt");
	(void)rig_add(rig, 2);
	set_state(rig, 2, STATE_STOPPED);
	struct mail_message mail = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	assert_ok(message_add(rig->store, &mail, "raw", 3, &rig_err));
	struct request request = {.message_id = mail.id, .state = REQUEST_STATE_DONE, .application_id = 1};
	assert_ok(request_add(rig->store, &request, &rig_err));
	request.application_id = 0;
	assert_ok(request_add(rig->store, &request, &rig_err));
	commit(rig);
	struct books books;
	assert_ok(store_books(rig->store, &books, &rig_err));
	assert_int_equal(books.rows, 5);
	assert_int_equal(books.refused, 2);
	assert_int_equal(books.same, 1);
	assert_int_equal(books.applications, 2);
	assert_int_equal(books.by_state[STATE_STOPPED], 1);
	assert_int_equal(books.outbox[OUTBOX_QUEUED], 1);
	assert_int_equal(books.orphan_notices, 0);
	assert_int_equal(books.mails[MESSAGE_TAKEN], 1);
	assert_int_equal(books.requests[REQUEST_STATE_DONE], 2);
	assert_int_equal(books.orphan_requests, 0);
	sql_aside(rig, "PRAGMA foreign_keys = OFF; DELETE FROM application_payload; DELETE FROM application "
		       "WHERE id = 1;"
		       "INSERT INTO number (number, kind, application_id, at) VALUES (4, 1, 1, 0)");
	assert_ok(store_books(rig->store, &books, &rig_err));
	assert_int_equal(books.orphan_notices, 1);
	assert_int_equal(books.orphan_numbers, 1);
	assert_int_equal(books.orphan_requests, 1);
}

/* Personal values stand in the payload tables alone: with those emptied, none is left in the file. */
/* A register that somebody edited: a state that is none is counted as an application, and as nothing else. */
static void test_store__books_with_a_state_that_is_none(void **state)
{
	struct rig *rig = *state;
	assert_ok(store_begin(rig->store, &rig_err));
	for (int i = 1; i <= 5; i++)
		(void)rig_add(rig, i);
	assert_ok(store_commit(rig->store, &rig_err));
	char sql[512];
	static const int strange[] = {-1, STATE_COUNT, STATE_COUNT + 1, 15};
	for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
		(void)snprintf(sql, sizeof sql,
			"UPDATE application SET state = %d WHERE id = 1;"
			"UPDATE application SET state = %d WHERE id = 2;"
			"UPDATE application SET hold = %d WHERE id = 3;"
			"UPDATE application SET hold = %d WHERE id = 4;",
			strange[i], STATE_COUNT - 1, HOLD_STAFF, HOLD_REVIEW);
		sql_aside(rig, sql);
		struct books books;
		assert_ok(store_books(rig->store, &books, &rig_err));
		assert_int_equal(books.applications, 5);
		assert_int_equal(books.held, 1);
		assert_int_equal(books.review, 1);
		for (int k = 0; k < STATE_COUNT; k++)
			assert_int_equal(books.by_state[k], k == STATE_RECEIVED    ? 3
							    : k == STATE_COUNT - 1 ? 1
										   : 0);
	}
}

static void test_store__erased_values_are_gone(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	(void)rig_queue(rig, id, "receipt");
	const struct history_row row = {.at = T0,
		.application_id = id,
		.event = EVENT_HOLD,
		.actor = "staff:1000",
		.note = "secret-reason"};
	assert_ok(history_add(rig->store, &row, &rig_err));
	struct mail_message mail = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	assert_ok(message_add(rig->store, &mail, "secret-mail", 11, &rig_err));
	assert_ok(rig_set_reading(rig->store, mail.id, "secret-reading", 14, &rig_err));
	struct request request = {
		.message_id = mail.id, .state = REQUEST_STATE_REVIEW, .actor = "staff:1000", .note = "花子"};
	assert_ok(request_add(rig->store, &request, &rig_err));
	const struct bounce_row bounce = {.message_id = mail.id, .mail_key = "info@s1.example.co.jp"};
	assert_ok(bounce_add(rig->store, &bounce, &rig_err));
	assert_ok(answer_add(rig->store, 1, "info@s1.example.co.jp", false, T0, &rig_err));
	commit(rig);
	sql_aside(rig,
		"PRAGMA secure_delete = ON; DELETE FROM application_payload; DELETE FROM history_payload;"
		"DELETE FROM letter; DELETE FROM message_payload; DELETE FROM reading_payload;"
		"DELETE FROM request_payload; DELETE FROM search_text; DELETE FROM search_block;"
		"PRAGMA wal_checkpoint(TRUNCATE)");
	store_close(&rig->store);
	FILE *file = fopen(rig->path, "r");
	assert_non_null(file);
	struct str all = STR_INIT;
	char piece[4096];
	size_t got;
	while ((got = fread(piece, 1, sizeof piece, file)) > 0)
		str_add(&all, piece, got);
	(void)fclose(file);
	static const char *const personal[] = {
		"secret-reason", "secret-mail", "secret-reading", "staff:1000", "info", "花子", "サンプル"};
	for (size_t i = 0; i < sizeof personal / sizeof *personal; i++)
		assert_null(memmem(all.s, all.len, personal[i], strlen(personal[i])));
	str_free(&all);
}

/* The same steps give the same file, byte for byte in what a reader sees. */
static void test_store__simulation_repeats_exactly(void **state)
{
	struct rig *rig = *state;
	uint8_t first[SHA256_LEN], second[SHA256_LEN];
	int64_t seq;
	for (int run = 0; run < 2; run++) {
		begin(rig);
		int64_t id = rig_add(rig, 1);
		const struct history_row row = {.at = T0,
			.application_id = id,
			.event = EVENT_HOLD,
			.actor = "staff:1",
			.note = "理由"};
		assert_ok(history_add(rig->store, &row, &rig_err));
		assert_ok(history_head(rig->store, &seq, run ? second : first, &rig_err));
		store_rollback(rig->store);
	}
	assert_int_equal(seq, 2);
	assert_memory_equal(first, second, sizeof first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(change_outside_transaction_is_refused),
		TEST(rollback_leaves_nothing),
		TEST(readers_see_what_is_committed),
		TEST(who_waits_to_write_is_seen),
		TEST(a_lock_of_somebody_else_holds_up_nobody),
		TEST(reading_needs_no_wal),
		TEST(opening_says_what_is_wrong),
		TEST(register_is_private),
		TEST(live_and_simulated_do_not_mix),
		TEST(application_comes_back_as_it_went_in),
		TEST(application_update),
		TEST(correction_moves_the_keys),
		TEST(live_application_of_a_key),
		TEST(declaration_id_finds_the_live_one),
		TEST(businesses_behind_an_address),
		TEST(due_in_order_and_only_what_may_go),
		TEST(nothing_due),
		TEST(questions_use_their_index),
		TEST(each_application_by_filter),
		TEST(number_is_drawn_once),
		TEST(template_set_is_kept_once),
		TEST(facts),
		TEST(file_and_its_rows),
		TEST(the_same_file_again),
		TEST(suppression_by_kind),
		TEST(books),
		TEST(books_with_a_state_that_is_none),
		TEST(erased_values_are_gone),
		TEST(simulation_repeats_exactly),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
