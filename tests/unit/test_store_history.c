#include "tests/unit/store_rig.h"

static void begin(struct rig *rig)
{
	assert_ok(store_begin(rig->store, &rig_err));
}

static void commit(struct rig *rig)
{
	assert_ok(store_commit(rig->store, &rig_err));
}

static void add(struct rig *rig, int64_t application_id, enum event event, enum state from, enum state to,
	int64_t ref, const char *actor, const char *note)
{
	const struct history_row row = {.at = T0 + 10,
		.application_id = application_id,
		.event = event,
		.from = from,
		.to = to,
		.ref = ref,
		.number = 250,
		.actor = actor,
		.note = note};
	assert_ok(history_add(rig->store, &row, &rig_err));
}

/* Two applications; the first goes on to its ID, with a notice that was sent. Rows 1 to 7. */
static void fill(struct rig *rig)
{
	struct application app;
	begin(rig);
	int64_t id = rig_add(rig, 1);
	(void)rig_add(rig, 2);
	int64_t notice_id = rig_queue(rig, id, "receipt");
	struct notice notice;
	assert_ok(outbox_get(rig->store, notice_id, &notice, rig->pool, &rig_err));
	notice.state = OUTBOX_SENT;
	notice.accepted_at = T0 + 1;
	assert_ok(outbox_update(rig->store, &notice, NULL, 0, &rig_err));
	add(rig, id, EVENT_SENT, STATE_RECEIVED, STATE_RECEIVED, notice_id, "daemon", "");
	add(rig, id, EVENT_HOLD, STATE_RECEIVED, STATE_RECEIVED, 0, "staff:1000", "書類の確認");
	add(rig, id, EVENT_RELEASE, STATE_RECEIVED, STATE_RECEIVED, 0, "staff:1000", "");
	add(rig, id, EVENT_ISSUE_ID, STATE_RECEIVED, STATE_ID_ISSUED, 0, "daemon", "");
	assert_ok(application_get(rig->store, id, &app, rig->pool, &rig_err));
	app.state = STATE_ID_ISSUED;
	app.declaration_id = 41234567890;
	app.user_number = 9012345678;
	assert_ok(application_update(rig->store, &app, &rig_err));
	assert_ok(number_take(rig->store, app.declaration_id, 1, id, T0, NULL, &rig_err));
	assert_ok(number_take(rig->store, app.user_number, 2, id, T0, NULL, &rig_err));
	add(rig, 0, EVENT_FILE, STATE_NONE, STATE_NONE, 1, "daemon", "");
	commit(rig);
}

/* A mail with two requests about application 1: one open, one done. */
static void fill_requests(struct rig *rig)
{
	struct mail_message mail = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	struct request request = {
		.state = REQUEST_STATE_ASKED, .application_id = 1, .actor = "daemon", .due_at = UTC_NEVER};
	begin(rig);
	assert_ok(message_add(rig->store, &mail, "raw", 3, &rig_err));
	request.message_id = mail.id;
	for (int i = 0; i < 2; i++) {
		assert_ok(request_add(rig->store, &request, &rig_err));
		add(rig, 1, EVENT_REQUEST, STATE_ID_ISSUED, STATE_ID_ISSUED, request.id, "daemon", "");
	}
	request.state = REQUEST_STATE_DONE;
	assert_ok(request_update(rig->store, &request, &rig_err));
	const struct history_row row = {.at = T0,
		.application_id = 1,
		.event = EVENT_REQUEST_CLOSED,
		.ref = request.id,
		.number = REQUEST_STATE_DONE,
		.actor = "daemon"};
	assert_ok(history_add(rig->store, &row, &rig_err));
	commit(rig);
}

static void audit_finds(struct rig *rig, int64_t bad_seq, const char *fault)
{
	struct audit audit;
	assert_ok(audit_run(rig->store, NULL, &audit, &rig_err));
	if (fault) {
		if (!audit.fault || !strstr(audit.fault, fault) || audit.bad_seq != bad_seq)
			fail_msg("row %lld \"%s\" instead of row %lld \"%s\"", (long long)audit.bad_seq,
				audit.fault ? audit.fault : "-", (long long)bad_seq, fault);
	} else if (audit.fault) {
		fail_msg(
			"row %lld: %s (%lld)", (long long)audit.bad_seq, audit.fault, (long long)audit.about);
	}
}

/* ---- adding and reading ---- */

struct seen {
	struct history_row row[512];
	int count;
	struct pool *pool;
};

static enum rc see(void *ctx, const struct history_row *row, struct err *err)
{
	struct seen *seen = ctx;
	(void)err;
	seen->row[seen->count] = *row;
	seen->row[seen->count].actor = pool_strdup(seen->pool, row->actor);
	seen->row[seen->count++].note = pool_strdup(seen->pool, row->note);
	return RC_OK;
}

static void test_store_history__rows_come_back(void **state)
{
	struct rig *rig = *state;
	fill(rig);
	struct seen *seen = pool_alloc(rig->pool, sizeof *seen);
	seen->pool = rig->pool;
	assert_ok(history_each(rig->store, 1, 0, see, seen, &rig_err));
	assert_int_equal(seen->count, 5);
	assert_int_equal(seen->row[0].seq, 1);
	assert_int_equal(seen->row[0].event, EVENT_APPLY);
	assert_string_equal(seen->row[0].actor, "daemon");
	assert_string_equal(seen->row[2].actor, "staff:1000");
	assert_string_equal(seen->row[2].note, "書類の確認");
	assert_int_equal(seen->row[2].number, 250);
	assert_int_equal(seen->row[4].from, STATE_RECEIVED);
	assert_int_equal(seen->row[4].to, STATE_ID_ISSUED);
	seen->count = 0;
	assert_ok(history_each(rig->store, 0, 4, see, seen, &rig_err));
	assert_int_equal(seen->count, 3);
	assert_int_equal(seen->row[2].event, EVENT_FILE);
}

static void test_store_history__more_rows_than_a_batch(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	for (int i = 0; i < 300; i++)
		add(rig, 0, EVENT_FILE, STATE_NONE, STATE_NONE, i, i % 2 ? "daemon" : "staff:1", "");
	commit(rig);
	struct seen *seen = pool_alloc(rig->pool, sizeof *seen);
	seen->pool = rig->pool;
	assert_ok(history_each(rig->store, 0, 0, see, seen, &rig_err));
	assert_int_equal(seen->count, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(seen->row[i].ref, i);
	audit_finds(rig, 0, NULL);
}

/* Written down independently: SHA-256 over fixed-width fields. */
static void test_store_history__hash_is_as_described(void **state)
{
	struct rig *rig = *state;
	int64_t seq;
	uint8_t head[SHA256_LEN], expected[SHA256_LEN], bytes[SHA256_LEN + 9 * 8 + 2 * SHA256_LEN] = {0};
	begin(rig);
	add(rig, 0, EVENT_FILE, STATE_NONE, STATE_NONE, 258, "daemon", "");
	commit(rig);
	assert_ok(history_head(rig->store, &seq, head, &rig_err));
	assert_int_equal(seq, 1);
	bytes[SHA256_LEN + 7] = 1; /* seq */
	for (int i = 0; i < 8; i++)
		bytes[SHA256_LEN + 8 + i] = (uint8_t)((uint64_t)(T0 + 10) >> (56 - 8 * i));
	bytes[SHA256_LEN + 3 * 8 + 7] = EVENT_FILE;
	bytes[SHA256_LEN + 6 * 8 + 6] = 1; /* ref 258 */
	bytes[SHA256_LEN + 6 * 8 + 7] = 2;
	bytes[SHA256_LEN + 7 * 8 + 7] = 250; /* number */
	bytes[SHA256_LEN + 8 * 8 + 7] = 1; /* daemon */
	sha256(expected, bytes, sizeof bytes);
	assert_memory_equal(head, expected, sizeof head);
}

static void test_store_history__two_writers_make_one_chain(void **state)
{
	struct rig *rig = *state;
	struct store *other;
	assert_ok(store_open(&other, &rig->settings, STORE_WRITE, &rig_err));
	struct store *first = rig->store;
	for (int i = 0; i < 10; i++) {
		rig->store = i % 3 ? first : other;
		begin(rig);
		add(rig, 0, EVENT_FILE, STATE_NONE, STATE_NONE, i, "daemon", "");
		commit(rig);
	}
	rig->store = first;
	store_close(&other);
	struct audit audit;
	assert_ok(audit_run(rig->store, NULL, &audit, &rig_err));
	assert_int_equal(audit.rows, 10);
	assert_null(audit.fault);
}

/* ---- the audit ---- */

static void test_store_history__audit_of_a_whole_register(void **state)
{
	struct rig *rig = *state;
	audit_finds(rig, 0, NULL); /* an empty one is whole */
	fill(rig);
	struct audit audit;
	int64_t seq;
	uint8_t head[SHA256_LEN];
	assert_ok(history_head(rig->store, &seq, head, &rig_err));
	assert_ok(audit_run(rig->store, head, &audit, &rig_err));
	assert_null(audit.fault);
	assert_int_equal(audit.bad_seq, 0);
	assert_int_equal(audit.rows, 7);
	assert_int_equal(audit.erased, 0);
	assert_true(audit.head_found);
	assert_memory_equal(audit.head, head, sizeof head);
	head[5] ^= 1;
	assert_ok(audit_run(rig->store, head, &audit, &rig_err));
	assert_false(audit.head_found);
}

/* Whatever somebody with an editor changes is found, at the row where it was done. */
static void test_store_history__tampering_is_found(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *sql;
		int64_t bad_seq;
		const char *fault;
	} cases[] = {
		{"UPDATE history SET at = at + 1 WHERE seq = 3", 3, "altered"},
		{"UPDATE history SET application_id = 2 WHERE seq = 4", 4, "altered"},
		{"UPDATE history SET event = 21 WHERE seq = 4", 4, "altered"},
		{"UPDATE history SET from_state = 3 WHERE seq = 3", 3, "altered"},
		{"UPDATE history SET to_state = 4 WHERE seq = 6", 6, "altered"},
		{"UPDATE history SET ref = 9 WHERE seq = 3", 3, "altered"},
		{"UPDATE history SET number = 550 WHERE seq = 3", 3, "altered"},
		{"UPDATE history SET actor = 2 WHERE seq = 3", 3, "altered"},
		{"UPDATE history SET payload = zeroblob(32) WHERE seq = 4", 4, "not what was recorded"},
		{"UPDATE history SET form = zeroblob(32) WHERE seq = 2", 2, "altered"},
		{"UPDATE history SET hash = zeroblob(32) WHERE seq = 5", 5, "altered"},
		{"UPDATE history SET hash = x'00' WHERE seq = 7", 7, "altered"},
		{"UPDATE history_payload SET note = '不要' WHERE seq = 4", 4, "not what was recorded"},
		{"UPDATE history_payload SET actor = 'staff:0' WHERE seq = 5", 5, "not what was recorded"},
		{"UPDATE history_payload SET salt = zeroblob(16) WHERE seq = 5", 5, "not what was recorded"},
		{"INSERT INTO history_payload VALUES (3, zeroblob(16), 'staff:1', 'x')", 3,
			"not what was recorded"},
		{"DELETE FROM history WHERE seq = 3", 4, "missing"},
		{"DELETE FROM history WHERE seq = 1", 2, "missing"},
		{"UPDATE history SET seq = 11 WHERE seq = 10", 11, "missing"},
		{"UPDATE application SET state = 4 WHERE id = 1", 0, "state is not what"},
		{"UPDATE application_payload SET form = (SELECT form FROM application_payload WHERE "
		 "application_id = 2)"
		 " WHERE application_id = 1",
			0, "form is not what"},
		{"UPDATE application_payload SET form = x'00' WHERE application_id = 1", 0,
			"form is not what"},
		{"UPDATE outbox SET state = 3, id = 5", 0, "no row of its sending"},
		{"UPDATE number SET application_id = 2 WHERE kind = 1", 0,
			"not the one its application bears"},
		{"UPDATE number SET application_id = 77 WHERE kind = 1", 0,
			"a number belongs to an application"},
		{"UPDATE outbox SET application_id = 77", 0, "a notice belongs to an application"},
		{"UPDATE application SET declaration_id = 42222222222 WHERE id = 2", 0, "never drawn"},
		{"UPDATE application SET user_number = 9999999999 WHERE id = 2", 0, "never drawn"},
		{"DELETE FROM application_payload WHERE application_id = 2; DELETE FROM application WHERE id "
		 "= 2",
			2, "not on file"},
		{"UPDATE request SET state = 4 WHERE id = 1", 0, "a request's state is not what"},
		{"UPDATE request SET state = 1 WHERE id = 2", 0, "a request's state is not what"},
		{"UPDATE request SET state = 6 WHERE id = 2", 0, "a request's state is not what"},
		{"INSERT INTO request SELECT 3, message_id, kind, state, application_id, opened_at, "
		 "closed_at,"
		 " proof, stop_on, due_at FROM request WHERE id = 1",
			0, "no row of its coming"},
		{"UPDATE request SET application_id = 77 WHERE id = 1", 0,
			"a request is about an application"},
		{"UPDATE request SET message_id = 77 WHERE id = 1", 0, "a mail that is not on file"},
	};
	fill(rig);
	fill_requests(rig);
	audit_finds(rig, 0, NULL);
	store_close(&rig->store);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char copy[160], vacuum[200];
		(void)snprintf(copy, sizeof copy, "%s/case%zu.db", rig->dir, i);
		(void)snprintf(vacuum, sizeof vacuum, "VACUUM INTO '%s'", copy);
		sql_aside(rig, vacuum);
		sql_on(copy, cases[i].sql);
		const struct store_settings settings = {.path = copy};
		assert_ok(store_open(&rig->store, &settings, STORE_READ, &rig_err));
		audit_finds(rig, cases[i].bad_seq, cases[i].fault);
		store_close(&rig->store);
	}
}

/* Events from EVENT_HOLD on move no state, whatever their row says of one; those before it do, up to the last. */
static void test_store_history__which_events_move_a_state(void **state)
{
	struct rig *rig = *state;
	static const struct {
		enum event event;
		const char *fault; /* NULL: none */
	} cases[] = {
		{EVENT_HOLD, NULL},
		{EVENT_RELEASE, NULL},
		{EVENT_UNDO_TO_LOGO, "does not go on from the state"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct audit audit;
		assert_ok(store_begin(rig->store, &rig_err));
		int64_t id = rig_add(rig, (int)i + 1);
		const struct history_row row = {.at = T0 + 100,
			.application_id = id,
			.event = cases[i].event,
			.from = STATE_STOPPED,
			.to = STATE_WITHDRAWN,
			.actor = "daemon"};
		assert_ok(history_add(rig->store, &row, &rig_err));
		assert_ok(store_commit(rig->store, &rig_err));
		assert_ok(audit_run(rig->store, NULL, &audit, &rig_err));
		if (!cases[i].fault)
			assert_null(audit.fault);
		else
			assert_non_null(strstr(audit.fault, cases[i].fault));
	}
}

static void test_store_history__erased_payload_leaves_the_chain_whole(void **state)
{
	struct rig *rig = *state;
	fill(rig);
	sql_aside(rig, "DELETE FROM history_payload WHERE seq = 4; DELETE FROM application_payload WHERE "
		       "application_id = 1");
	struct audit audit;
	assert_ok(audit_run(rig->store, NULL, &audit, &rig_err));
	assert_null(audit.fault);
	assert_int_equal(audit.erased, 1);
	struct seen *seen = pool_alloc(rig->pool, sizeof *seen);
	seen->pool = rig->pool;
	assert_ok(history_each(rig->store, 1, 3, see, seen, &rig_err));
	assert_true(seen->row[0].erased);
	assert_string_equal(seen->row[0].actor, "");
	assert_string_equal(seen->row[0].note, "");
	assert_false(seen->row[1].erased);
	struct application app;
	assert_ok(application_get(rig->store, 1, &app, rig->pool, &rig_err));
	assert_null(app.form.value[FIELD_CONTACT]);
	assert_rc(application_update_form(rig->store, &app, "k", "m", &rig_err), RC_STORE);
	begin(rig);
	assert_rc(application_update_form(rig->store, &app, "k", "m", &rig_err), RC_REFUSED);
	store_rollback(rig->store);
}

static void test_store_history__cut_tail_misses_the_noted_head(void **state)
{
	struct rig *rig = *state;
	int64_t seq;
	uint8_t head[SHA256_LEN];
	fill(rig);
	assert_ok(history_head(rig->store, &seq, head, &rig_err));
	sql_aside(rig, "DELETE FROM history WHERE seq = 7");
	struct audit audit;
	assert_ok(audit_run(rig->store, head, &audit, &rig_err));
	assert_null(audit.fault); /* what is left fits together … */
	assert_false(audit.head_found); /* … but the head noted earlier is gone */
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER); /* and the witness has seen more */
}

static void test_store_history__correction_is_recorded(void **state)
{
	struct rig *rig = *state;
	struct application app;
	fill(rig);
	assert_ok(application_get(rig->store, 1, &app, rig->pool, &rig_err));
	app.form.value[FIELD_CONTACT] = "見本 次郎";
	begin(rig);
	assert_ok(application_update_form(rig->store, &app, "c:1", "m", &rig_err));
	commit(rig);
	audit_finds(rig, 0, "form is not what"); /* nobody answers for that change */
	begin(rig);
	add(rig, 1, EVENT_CORRECT, STATE_ID_ISSUED, STATE_ID_ISSUED, 0, "staff:1000", "担当者の交代");
	commit(rig);
	audit_finds(rig, 0, NULL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_history__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(rows_come_back),
		TEST(more_rows_than_a_batch),
		TEST(hash_is_as_described),
		TEST(two_writers_make_one_chain),
		TEST(audit_of_a_whole_register),
		TEST(tampering_is_found),
		TEST(which_events_move_a_state),
		TEST(erased_payload_leaves_the_chain_whole),
		TEST(cut_tail_misses_the_noted_head),
		TEST(correction_is_recorded),
	};
	return cmocka_run_group_tests_name("store_history", tests, NULL, NULL);
}
