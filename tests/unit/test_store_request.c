#include "tests/unit/store_rig.h"

/* A mail to hang requests on, two applications, and a transaction. */
static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	struct rig *rig = *state;
	assert_ok(store_begin(rig->store, &rig_err));
	struct mail_message message = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	assert_ok(message_add(rig->store, &message, "raw", 3, &rig_err));
	assert_int_equal(rig_add(rig, 1), 1);
	assert_int_equal(rig_add(rig, 2), 2);
	return 0;
}

static struct request blank(enum request_kind kind, enum request_state state)
{
	return (struct request){.message_id = 1,
		.kind = kind,
		.state = state,
		.opened_at = T0,
		.stop_on = CIVIL_DAY_NONE,
		.due_at = UTC_NEVER,
		.actor = "daemon",
		.note = ""};
}

static void test_store_request__comes_back_as_it_went_in(void **state)
{
	struct rig *rig = *state;
	struct request request = blank(REQUEST_STOP, REQUEST_STATE_REVIEW), back;
	request.note = "事業者名が登録と違います。";
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_int_equal(request.id, 1);
	assert_ok(request_get(rig->store, 1, &back, rig->pool, &rig_err));
	assert_int_equal(back.message_id, 1);
	assert_int_equal(back.kind, REQUEST_STOP);
	assert_int_equal(back.state, REQUEST_STATE_REVIEW);
	assert_int_equal(back.application_id, 0);
	assert_int_equal(back.opened_at, T0);
	assert_int_equal(back.closed_at, 0);
	assert_int_equal(back.proof, PROOF_NONE);
	assert_int_equal(back.stop_on, CIVIL_DAY_NONE);
	assert_int_equal(back.due_at, UTC_NEVER);
	assert_string_equal(back.actor, "daemon");
	assert_string_equal(back.note, "事業者名が登録と違います。");

	back.kind = REQUEST_CHANGE;
	back.state = REQUEST_STATE_PLANNED;
	back.application_id = 2;
	back.closed_at = T0 + 3;
	back.proof = PROOF_STAFF;
	back.stop_on = 20700;
	back.due_at = T0 + 4;
	back.actor = "staff:1000";
	back.note = "電話で確認済み";
	assert_ok(request_update(rig->store, &back, &rig_err));
	assert_ok(request_get(rig->store, 1, &request, rig->pool, &rig_err));
	assert_int_equal(request.kind, REQUEST_CHANGE);
	assert_int_equal(request.state, REQUEST_STATE_PLANNED);
	assert_int_equal(request.application_id, 2);
	assert_int_equal(request.closed_at, T0 + 3);
	assert_int_equal(request.proof, PROOF_STAFF);
	assert_int_equal(request.stop_on, 20700);
	assert_int_equal(request.due_at, T0 + 4);
	assert_string_equal(request.actor, "staff:1000");
	assert_string_equal(request.note, "電話で確認済み");

	back.id = 9;
	assert_rc(request_update(rig->store, &back, &rig_err), RC_REFUSED);
	assert_rc(request_get(rig->store, 9, &back, rig->pool, &rig_err), RC_REFUSED);
	assert_string_equal(rig_err.text, "there is no request 9 on file");
}

static void test_store_request__of_a_mail_and_application_on_file(void **state)
{
	struct rig *rig = *state;
	int64_t id;
	assert_ok(request_of_message(rig->store, 1, &id, &rig_err));
	assert_int_equal(id, 0);
	struct request request = blank(REQUEST_OTHER, REQUEST_STATE_REVIEW);
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_ok(request_of_message(rig->store, 1, &id, &rig_err));
	assert_int_equal(id, 2);
	request.message_id = 2;
	assert_rc(request_add(rig->store, &request, &rig_err), RC_STORE);
	request = blank(REQUEST_OTHER, REQUEST_STATE_REVIEW);
	request.application_id = 3;
	assert_rc(request_add(rig->store, &request, &rig_err), RC_STORE);
}

static void test_store_request__erased_words_leave_the_rest(void **state)
{
	struct rig *rig = *state;
	struct request request = blank(REQUEST_STOP, REQUEST_STATE_DONE), back;
	request.note = "株式会社サンプル1の中止";
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	sql_aside(rig, "DELETE FROM request_payload");
	assert_ok(request_get(rig->store, 1, &back, rig->pool, &rig_err));
	assert_int_equal(back.kind, REQUEST_STOP);
	assert_string_equal(back.actor, "");
	assert_string_equal(back.note, "");
}

/* ---- going through them ---- */

struct seen {
	struct rig *rig;
	char ids[4096]; /* "1 2 3" */
	int count;
};

static enum rc see(void *ctx, const struct request *request, struct err *err)
{
	struct seen *seen = ctx;
	size_t at = strlen(seen->ids);
	(void)snprintf(
		seen->ids + at, sizeof seen->ids - at, "%s%lld", at ? " " : "", (long long)request->id);
	seen->count++;
	/* Anything may be changed from within. */
	return request_update(seen->rig->store, request, err);
}

static void fill(struct rig *rig)
{
	static const struct {
		enum request_kind kind;
		enum request_state state;
		int64_t application;
		utc_time due_at;
	} rows[] = {
		{REQUEST_STOP, REQUEST_STATE_PLANNED, 1, T0 + 50}, /* 1 */
		{REQUEST_RESEND, REQUEST_STATE_DONE, 1, UTC_NEVER},
		{REQUEST_STOP, REQUEST_STATE_ASKED, 2, T0 + 20}, /* 3 */
		{REQUEST_OTHER, REQUEST_STATE_REVIEW, 0, UTC_NEVER},
		{REQUEST_CHANGE, REQUEST_STATE_ASKED, 1, T0 + 10}, /* 5 */
		{REQUEST_STOP, REQUEST_STATE_DECLINED, 2, T0 + 1},
		{REQUEST_STOP, REQUEST_STATE_REVIEW, 2, UTC_NEVER}, /* 7 */
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct request request = blank(rows[i].kind, rows[i].state);
		request.application_id = rows[i].application;
		request.due_at = rows[i].due_at;
		assert_ok(request_add(rig->store, &request, &rig_err));
	}
}

static void test_store_request__each_by_filter(void **state)
{
	struct rig *rig = *state;
	static const struct {
		struct request_filter filter;
		const char *ids;
	} cases[] = {
		{{.any_kind = true}, "1 2 3 4 5 6 7"},
		{{.any_kind = true, .open_only = true}, "1 3 4 5 7"},
		{{.any_kind = true, .open_only = true, .after_id = 3, .limit = 2}, "4 5"},
		{{.kind = REQUEST_STOP}, "1 3 6 7"},
		{{.kind = REQUEST_OTHER}, "4"},
		{{.kind = REQUEST_STOP, .open_only = true, .application_id = 2}, "3 7"},
		{{.any_kind = true, .state = REQUEST_STATE_ASKED}, "3 5"},
		{{.any_kind = true, .state = REQUEST_STATE_DECLINED}, "6"},
		{{.any_kind = true, .state = REQUEST_STATE_DECLINED, .open_only = true}, ""},
		{{.any_kind = true, .application_id = 1}, "1 2 5"},
		{{.any_kind = true, .due_before = T0 + 20}, "5"},
		{{.any_kind = true, .due_before = T0 + 51}, "1 3 5"},
		{{.any_kind = true, .due_before = T0 + 51, .state = REQUEST_STATE_PLANNED}, "1"},
		{{.any_kind = true, .due_before = T0 + 51, .application_id = 2}, "3"},
	};
	fill(rig);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct seen seen = {.rig = rig};
		assert_ok(request_each(rig->store, &cases[i].filter, see, &seen, &rig_err));
		assert_string_equal(seen.ids, cases[i].ids);
	}
}

static void test_store_request__more_than_a_batch(void **state)
{
	struct rig *rig = *state;
	struct request request = blank(REQUEST_OTHER, REQUEST_STATE_REVIEW);
	for (int i = 0; i < 600; i++)
		assert_ok(request_add(rig->store, &request, &rig_err));
	struct seen seen = {.rig = rig};
	const struct request_filter all = {.any_kind = true, .open_only = true},
				    some = {.any_kind = true, .limit = 300};
	assert_ok(request_each(rig->store, &all, see, &seen, &rig_err));
	assert_int_equal(seen.count, 600);
	seen.count = 0;
	assert_ok(request_each(rig->store, &some, see, &seen, &rig_err));
	assert_int_equal(seen.count, 300);
}

static void test_store_request__next_due(void **state)
{
	struct rig *rig = *state;
	utc_time at;
	assert_ok(request_next_due(rig->store, &at, &rig_err));
	assert_int_equal(at, UTC_NEVER);
	fill(rig);
	assert_ok(request_next_due(rig->store, &at, &rig_err));
	assert_int_equal(at, T0 + 10); /* not that of the one that was declined */
}

static void test_store_request__only_inside_a_transaction(void **state)
{
	struct rig *rig = *state;
	struct request request = blank(REQUEST_STOP, REQUEST_STATE_REVIEW);
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_rc(request_add(rig->store, &request, &rig_err), RC_STORE);
	assert_rc(request_update(rig->store, &request, &rig_err), RC_STORE);
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM request"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_request__##name, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(comes_back_as_it_went_in),
		TEST(of_a_mail_and_application_on_file),
		TEST(erased_words_leave_the_rest),
		TEST(each_by_filter),
		TEST(more_than_a_batch),
		TEST(next_due),
		TEST(only_inside_a_transaction),
	};
	return cmocka_run_group_tests_name("store_request", tests, NULL, NULL);
}
