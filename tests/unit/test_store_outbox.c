#include "tests/unit/store_rig.h"

static void begin(struct rig *rig)
{
	assert_ok(store_begin(rig->store, &rig_err));
}

static void commit(struct rig *rig)
{
	assert_ok(store_commit(rig->store, &rig_err));
}

static int claim(struct rig *rig, struct store *store, utc_time now, int limit, const char *const *skip,
	struct notice *out)
{
	int count;
	assert_ok(store_begin(store, &rig_err));
	assert_ok(outbox_claim(store, now, limit, skip, out, &count, rig->pool, &rig_err));
	assert_ok(store_commit(store, &rig_err));
	return count;
}

static void change(struct rig *rig, int64_t application_id, enum state state, enum hold hold)
{
	struct application app;
	assert_ok(application_get(rig->store, application_id, &app, rig->pool, &rig_err));
	app.state = state;
	app.hold = hold;
	app.hold_reason = hold ? "理由" : "";
	assert_ok(application_update(rig->store, &app, &rig_err));
}

static enum outbox_state state_of(struct rig *rig, int64_t id)
{
	struct notice notice;
	assert_ok(outbox_get(rig->store, id, &notice, rig->pool, &rig_err));
	return notice.state;
}

static void test_store_outbox__notice_comes_back_as_it_went_in(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t application = rig_add(rig, 1);
	int64_t first = rig_queue(rig, application, "id");
	struct notice in = rig_notice(rig->pool, application, "id"), out;
	in.resend_of = first;
	in.resend_no = 1;
	in.stage = STAGE_NONE;
	in.next_try_at = UTC_NEVER;
	in.accepted_at = T0 + 3;
	in.first_try_at = T0 + 2;
	in.attempts = 4;
	in.reply_code = 451;
	in.reply = "4.7.1 もう一度";
	in.message_id = "no-domain";
	uint8_t digest[SHA256_LEN] = {1};
	int64_t set;
	assert_ok(template_set_keep(rig->store, "form", digest, "t", 1, T0, &set, &rig_err));
	assert_ok(outbox_add(rig->store, &in, set, "pa\0cked", 7, &rig_err));
	assert_ok(outbox_get(rig->store, in.id, &out, rig->pool, &rig_err));
	assert_string_equal(out.template_name, in.template_name);
	assert_string_equal(out.reply, in.reply);
	assert_string_equal(out.recipient, in.recipient);
	assert_string_equal(out.domain, in.domain);
	assert_string_equal(out.message_id, in.message_id);
	assert_string_equal(out.bounce_address, in.bounce_address);
	out.template_name = in.template_name;
	out.reply = in.reply;
	out.recipient = in.recipient;
	out.domain = in.domain;
	out.message_id = in.message_id;
	out.bounce_address = in.bounce_address;
	assert_memory_equal(&in, &out, sizeof in);

	struct str letter = STR_INIT, dkim = STR_INIT;
	int64_t of_set;
	assert_ok(outbox_letter(rig->store, in.id, &letter, &of_set, &dkim, &rig_err));
	assert_int_equal(letter.len, 7);
	assert_memory_equal(letter.s, "pa\0cked", 7);
	assert_int_equal(of_set, set);
	assert_int_equal(dkim.len, 0);
	static const char fields[] = "DKIM-Signature: v=1; a=rsa-sha256; b=AAAA\r\n";
	assert_ok(outbox_update(rig->store, &in, fields, sizeof fields - 1, &rig_err));
	assert_ok(outbox_letter(rig->store, in.id, &letter, &of_set, &dkim, &rig_err));
	assert_string_equal(dkim.s, fields);
	assert_ok(outbox_update(rig->store, &in, NULL, 0, &rig_err)); /* leaves them */
	assert_ok(outbox_letter(rig->store, in.id, &letter, &of_set, &dkim, &rig_err));
	assert_string_equal(dkim.s, fields);

	int64_t id;
	assert_ok(outbox_first(rig->store, application, "id", &id, &rig_err));
	assert_int_equal(id, first);
	assert_ok(outbox_first(rig->store, application, "logo", &id, &rig_err));
	assert_int_equal(id, 0);
	assert_rc(outbox_get(rig->store, 99, &out, rig->pool, &rig_err), RC_REFUSED);
	assert_rc(outbox_letter(rig->store, 99, &letter, &of_set, &dkim, &rig_err), RC_REFUSED);
	commit(rig);
	str_free(&letter);
	str_free(&dkim);
}

static void test_store_outbox__the_next_number_of_a_name(void **state)
{
	struct rig *rig = *state;
	int number = -1;
	begin(rig);
	int64_t application = rig_add(rig, 1), other = rig_add(rig, 2);
	assert_ok(outbox_next_no(rig->store, application, "never-used", &number, &rig_err));
	assert_int_equal(number, 0);
	(void)rig_queue(rig, application, "id");
	struct notice later = rig_notice(rig->pool, application, "id");
	later.resend_no = 4;
	assert_ok(outbox_add(rig->store, &later, 0, "", 0, &rig_err));
	assert_ok(outbox_next_no(rig->store, application, "id", &number, &rig_err));
	assert_int_equal(number, 5);
	assert_ok(outbox_next_no(rig->store, other, "id", &number, &rig_err));
	assert_int_equal(number, 0);
}

static void test_store_outbox__the_same_notice_twice_is_refused(void **state)
{
	struct rig *rig = *state;
	begin(rig);
	int64_t application = rig_add(rig, 1);
	(void)rig_queue(rig, application, "receipt");
	struct notice again = rig_notice(rig->pool, application, "receipt");
	assert_rc(outbox_add(rig->store, &again, 0, "x", 1, &rig_err), RC_REFUSED);
	again.resend_no = 1;
	assert_ok(outbox_add(rig->store, &again, 0, "x", 1, &rig_err));
	/* Answers to rows that were refused belong to nobody on file and don't stand in each other's way. */
	for (int i = 0; i < 2; i++) {
		struct notice nobody = rig_notice(rig->pool, 0, "receipt-refused");
		assert_ok(outbox_add(rig->store, &nobody, 0, "x", 1, &rig_err));
	}
	commit(rig);
}

static void test_store_outbox__claim_takes_the_oldest(void **state)
{
	struct rig *rig = *state;
	struct notice out[8];
	begin(rig);
	int64_t ids[5];
	for (int i = 0; i < 5; i++) {
		int64_t application = rig_add(rig, i + 1);
		struct notice notice = rig_notice(rig->pool, application, "receipt");
		notice.next_try_at = i == 4 ? UTC_NEVER : T0 + (i == 3 ? 1 : 5 * (i + 1));
		assert_ok(outbox_add(rig->store, &notice, 0, "x", 1, &rig_err));
		ids[i] = notice.id;
	}
	commit(rig);
	utc_time next;
	assert_ok(outbox_next_try(rig->store, 0, &next, &rig_err));
	assert_int_equal(next, T0 + 1);
	assert_ok(outbox_next_try(rig->store, T0 + 1, &next, &rig_err));
	assert_int_equal(next, T0 + 5);
	assert_int_equal(claim(rig, rig->store, T0, 8, NULL, out), 0);
	int forecast;
	assert_ok(outbox_waiting(rig->store, T0, 2, NULL, out, &forecast, rig->pool, &rig_err));
	assert_int_equal(forecast, 0);
	assert_ok(outbox_waiting(rig->store, T0 + 10, 2, NULL, out, &forecast, rig->pool, &rig_err));
	assert_int_equal(forecast, 2);
	assert_int_equal(out[0].id, ids[3]);
	assert_int_equal(out[1].id, ids[0]);
	assert_int_equal(state_of(rig, ids[3]), OUTBOX_QUEUED);
	assert_int_equal(claim(rig, rig->store, T0 + 10, 2, NULL, out), 2);
	assert_int_equal(out[0].id, ids[3]);
	assert_int_equal(out[1].id, ids[0]);
	assert_int_equal(out[0].state, OUTBOX_SENDING);
	assert_int_equal(state_of(rig, ids[0]), OUTBOX_SENDING);
	assert_int_equal(claim(rig, rig->store, T0 + 10, 8, NULL, out), 1);
	assert_int_equal(out[0].id, ids[1]);
	assert_int_equal(claim(rig, rig->store, T0 + 100, 8, NULL, out), 1);
	assert_int_equal(claim(rig, rig->store, T0 + 100, 0, NULL, out), 0);
	int count;
	assert_rc(outbox_claim(rig->store, T0, 1, NULL, out, &count, rig->pool, &rig_err), RC_STORE);
}

/* Two senders at once, interleaved: each notice goes to one of them. */
static void test_store_outbox__claims_never_overlap(void **state)
{
	struct rig *rig = *state;
	struct store *other;
	struct notice out[7];
	bool seen[401] = {0};
	begin(rig);
	for (int i = 1; i <= 400; i++)
		(void)rig_queue(rig, rig_add(rig, i), "receipt");
	commit(rig);
	assert_ok(store_open(&other, &rig->settings, STORE_WRITE, &rig_err));
	int total = 0;
	for (int turn = 0;; turn++) {
		int count = claim(rig, turn % 2 ? other : rig->store, T0, 7, NULL, out);
		for (int i = 0; i < count; i++) {
			assert_false(seen[out[i].id]);
			seen[out[i].id] = true;
		}
		total += count;
		if (count == 0)
			break;
	}
	store_close(&other);
	assert_int_equal(total, 400);
}

static void test_store_outbox__domains_at_their_rate_are_passed_over(void **state)
{
	struct rig *rig = *state;
	struct notice out[8];
	begin(rig);
	for (int i = 1; i <= 600; i++) {
		struct notice notice = rig_notice(rig->pool, rig_add(rig, i), "receipt");
		notice.domain = i == 550 ? "docomo.ne.jp" : i % 2 ? "gmail.com" : "example.co.jp";
		assert_ok(outbox_add(rig->store, &notice, 0, "x", 1, &rig_err));
	}
	commit(rig);
	const char *const skip[] = {"gmail.com", "never-seen.example", "example.co.jp", NULL};
	assert_int_equal(claim(rig, rig->store, T0, 8, skip, out), 1);
	assert_string_equal(out[0].domain, "docomo.ne.jp");
	assert_int_equal(claim(rig, rig->store, T0, 8, skip, out), 0);
	const char *const one[] = {"gmail.com", NULL};
	assert_int_equal(claim(rig, rig->store, T0, 8, one, out), 8);
	assert_string_equal(out[7].domain, "example.co.jp");
}

static void test_store_outbox__held_and_suppressed_are_left(void **state)
{
	struct rig *rig = *state;
	struct notice out[8];
	begin(rig);
	int64_t ids[5];
	for (int i = 1; i <= 4; i++)
		ids[i] = rig_queue(rig, rig_add(rig, i), "receipt");
	change(rig, 1, STATE_RECEIVED, HOLD_STAFF);
	change(rig, 2, STATE_RECEIVED, HOLD_REVIEW);
	assert_ok(
		suppression_set(rig->store, "info@s3.example.co.jp", SUPPRESS_CASE_MAIL, true, T0, &rig_err));
	assert_ok(suppression_set(rig->store, "info@s4.example.co.jp", SUPPRESS_NEWS, true, T0, &rig_err));
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0, 8, NULL, out), 1);
	assert_int_equal(out[0].id, ids[4]); /* who wants no news still gets the notices of his case */
	for (int i = 1; i <= 3; i++)
		assert_int_equal(state_of(rig, ids[i]), OUTBOX_QUEUED);
	begin(rig);
	change(rig, 1, STATE_RECEIVED, HOLD_NONE);
	assert_ok(suppression_set(
		rig->store, "info@s3.example.co.jp", SUPPRESS_CASE_MAIL, false, T0, &rig_err));
	assert_ok(suppression_set(rig->store, "info@s3.example.co.jp", SUPPRESS_DEAD, true, T0, &rig_err));
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0, 8, NULL, out), 1);
	assert_int_equal(out[0].id, ids[1]);
}

static enum rc remember(void *ctx, const struct history_row *row, struct err *err)
{
	struct history_row *last = ctx;
	(void)err;
	*last = *row;
	return RC_OK;
}

static void test_store_outbox__ended_are_cancelled(void **state)
{
	struct rig *rig = *state;
	struct notice out[8];
	begin(rig);
	int64_t application = rig_add(rig, 1);
	int64_t id = rig_queue(rig, application, "id");
	struct notice answer = rig_notice(rig->pool, application, "rejected");
	answer.stage = STAGE_NONE;
	assert_ok(outbox_add(rig->store, &answer, 0, "x", 1, &rig_err));
	change(rig, application, STATE_REJECTED, HOLD_NONE);
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0 + 9, 8, NULL, out), 1);
	assert_int_equal(out[0].id, answer.id); /* it tells of the end */
	assert_int_equal(state_of(rig, id), OUTBOX_CANCELLED);
	struct history_row last = {0};
	assert_ok(history_each(rig->store, application, 0, remember, &last, &rig_err));
	assert_int_equal(last.event, EVENT_CANCEL);
	assert_int_equal(last.ref, id);
	assert_int_equal(last.at, T0 + 9);
}

static void test_store_outbox__unknown_is_tried_again_once_its_pause_is_over(void **state)
{
	struct rig *rig = *state;
	struct notice out[8], notice;
	begin(rig);
	int64_t id = rig_queue(rig, rig_add(rig, 1), "receipt");
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0, 8, NULL, out), 1);
	notice = out[0];
	notice.state = OUTBOX_UNKNOWN;
	notice.next_try_at = T0 + 900;
	begin(rig);
	assert_ok(outbox_update(rig->store, &notice, NULL, 0, &rig_err));
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0 + 899, 8, NULL, out), 0);
	assert_int_equal(claim(rig, rig->store, T0 + 900, 8, NULL, out), 1);
	notice.next_try_at = UTC_NEVER; /* the second time it is for staff */
	begin(rig);
	assert_ok(outbox_update(rig->store, &notice, NULL, 0, &rig_err));
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0 + 9000000, 8, NULL, out), 0);
	assert_int_equal(state_of(rig, id), OUTBOX_UNKNOWN);
}

/* A stop that comes before the claim wins; one that comes later learns what is in flight. */
static void test_store_outbox__cancel_against_claim(void **state)
{
	struct rig *rig = *state;
	struct notice out[8];
	struct store *sender;
	int cancelled, in_flight;
	begin(rig);
	for (int i = 1; i <= 2; i++) {
		(void)rig_queue(rig, rig_add(rig, i), "receipt");
		(void)rig_queue(rig, i, "id");
	}
	commit(rig);
	assert_ok(store_open(&sender, &rig->settings, STORE_WRITE, &rig_err));
	begin(rig);
	assert_ok(outbox_cancel(rig->store, 1, &cancelled, &in_flight, &rig_err));
	assert_int_equal(cancelled, 2);
	assert_int_equal(in_flight, 0);
	commit(rig);
	assert_int_equal(claim(rig, sender, T0, 1, NULL, out), 1);
	assert_int_equal(out[0].application_id, 2);
	begin(rig);
	assert_ok(outbox_cancel(rig->store, 2, &cancelled, &in_flight, &rig_err));
	commit(rig);
	assert_int_equal(cancelled, 1);
	assert_int_equal(in_flight, 1);
	assert_int_equal(claim(rig, sender, T0, 8, NULL, out), 0);
	store_close(&sender);
}

struct listed {
	int64_t id[1024];
	int count;
};

static enum rc list(void *ctx, const struct notice *notice, struct err *err)
{
	struct listed *listed = ctx;
	(void)err;
	listed->id[listed->count++] = notice->id;
	return RC_OK;
}

static void test_store_outbox__each_and_counts(void **state)
{
	struct rig *rig = *state;
	struct notice *out = pool_alloc(rig->pool, 300 * sizeof *out);
	begin(rig);
	int64_t application = rig_add(rig, 1);
	for (int i = 0; i < 300; i++) {
		struct notice notice = rig_notice(rig->pool, application, "id");
		notice.resend_no = i;
		notice.domain = i < 100 ? "a.example" : "b.example";
		notice.next_try_at = T0 + i;
		assert_ok(outbox_add(rig->store, &notice, 0, "x", 1, &rig_err));
	}
	commit(rig);
	assert_int_equal(claim(rig, rig->store, T0 + 1000, 150, NULL, out), 150);
	begin(rig);
	for (int i = 0; i < 120; i++) {
		out[i].state = OUTBOX_SENT;
		out[i].accepted_at = T0 + i;
		assert_ok(outbox_update(rig->store, &out[i], NULL, 0, &rig_err));
	}
	commit(rig);
	int64_t count[OUTBOX_CANCELLED + 1], since;
	assert_ok(outbox_count(rig->store, count, &rig_err));
	assert_int_equal(count[OUTBOX_QUEUED], 150);
	assert_int_equal(count[OUTBOX_SENDING], 30);
	assert_int_equal(count[OUTBOX_SENT], 120);
	assert_ok(outbox_queued(rig->store, &since, &rig_err));
	assert_int_equal(since, 150);
	assert_ok(outbox_sent_since(rig->store, T0 + 20, NULL, &since, &rig_err));
	assert_int_equal(since, 100);
	assert_ok(outbox_sent_since(rig->store, T0 + 20, "a.example", &since, &rig_err));
	assert_int_equal(since, 80);
	assert_ok(outbox_sent_since(rig->store, T0, "c.example", &since, &rig_err));
	assert_int_equal(since, 0);

	const struct {
		enum outbox_state state;
		int64_t after;
		int limit, count;
	} cases[] = {
		{OUTBOX_SENDING, 0, 0, 30},
		{OUTBOX_QUEUED, 0, 100, 100},
		{OUTBOX_QUEUED, 290, 0, 10},
		{OUTBOX_SENT, 0, 0, 120},
		{OUTBOX_FAILED, 0, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct listed listed = {0};
		assert_ok(outbox_each_in(
			rig->store, cases[i].state, cases[i].after, cases[i].limit, list, &listed, &rig_err));
		assert_int_equal(listed.count, cases[i].count);
	}
	struct listed listed = {0};
	assert_ok(outbox_each(rig->store, application, list, &listed, &rig_err));
	assert_int_equal(listed.count, 300);
	for (int i = 0; i < 300; i++)
		assert_int_equal(listed.id[i], i + 1);
}

/* Around the number of rows that are read at once, with and without a limit: each once, none left out. */
static void test_store_outbox__each_in_batches(void **state)
{
	struct rig *rig = *state;
	const int all = BATCH + 44;
	begin(rig);
	int64_t application = rig_add(rig, 1);
	for (int i = 0; i < all; i++) {
		struct notice notice = rig_notice(rig->pool, application, "id");
		notice.resend_no = i;
		assert_ok(outbox_add(rig->store, &notice, 0, "x", 1, &rig_err));
	}
	commit(rig);
	static const struct {
		int64_t after;
		int limit, count;
	} cases[] = {
		{0, 0, BATCH + 44},
		{0, 1, 1},
		{0, BATCH - 1, BATCH - 1},
		{0, BATCH, BATCH},
		{0, BATCH + 1, BATCH + 1},
		{0, BATCH + 44, BATCH + 44},
		{0, BATCH + 45, BATCH + 44},
		{0, 2 * BATCH, BATCH + 44},
		{44, 0, BATCH}, /* just one batch is left */
		{44, BATCH, BATCH},
		{44, BATCH + 1, BATCH},
		{BATCH + 44, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct listed listed = {0};
		assert_ok(outbox_each_in(
			rig->store, OUTBOX_QUEUED, cases[i].after, cases[i].limit, list, &listed, &rig_err));
		if (listed.count != cases[i].count)
			fail_msg("case %zu: %d rows", i, listed.count);
		for (int k = 0; k < listed.count; k++)
			assert_int_equal(listed.id[k], cases[i].after + k + 1);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_outbox__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(notice_comes_back_as_it_went_in),
		TEST(the_next_number_of_a_name),
		TEST(the_same_notice_twice_is_refused),
		TEST(claim_takes_the_oldest),
		TEST(claims_never_overlap),
		TEST(domains_at_their_rate_are_passed_over),
		TEST(held_and_suppressed_are_left),
		TEST(ended_are_cancelled),
		TEST(unknown_is_tried_again_once_its_pause_is_over),
		TEST(cancel_against_claim),
		TEST(each_and_counts),
		TEST(each_in_batches),
	};
	return cmocka_run_group_tests_name("store_outbox", tests, NULL, NULL);
}
