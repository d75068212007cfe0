#include "tests/unit/store_rig.h"

/* An application with a letter, and a transaction. */
static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	struct rig *rig = *state;
	assert_ok(store_begin(rig->store, &rig_err));
	assert_int_equal(rig_add(rig, 1), 1);
	assert_int_equal(rig_queue(rig, 1, "confirm-stop"), 1);
	assert_int_equal(rig_queue(rig, 1, "neutral"), 2);
	assert_int_equal(rig_queue(rig, 1, "id"), 3);
	return 0;
}

static void digest_of(uint8_t out[SHA256_LEN], const char *token)
{
	sha256(out, token, strlen(token));
}

static void give_out(struct rig *rig, const char *token, int purpose, int64_t subject_id, int64_t notice_id)
{
	struct token_row row = {
		.purpose = purpose, .subject_id = subject_id, .expires_at = T0 + 7, .notice_id = notice_id};
	uint8_t digest[SHA256_LEN];
	store_mail_digest(row.mail, "info@s1.example.co.jp");
	digest_of(digest, token);
	assert_ok(token_add(rig->store, digest, &row, &rig_err));
}

static enum rc use(struct rig *rig, const char *token, utc_time at)
{
	uint8_t digest[SHA256_LEN];
	digest_of(digest, token);
	return token_use(rig->store, digest, at, &rig_err);
}

static utc_time used_at(struct rig *rig, const char *token)
{
	uint8_t digest[SHA256_LEN];
	struct token_row row;
	digest_of(digest, token);
	assert_ok(token_get(rig->store, digest, &row, &rig_err));
	return row.used_at;
}

static void test_store_mailbox__serves_once(void **state)
{
	struct rig *rig = *state;
	struct token_row row;
	uint8_t digest[SHA256_LEN], mail[KEY_LEN];
	give_out(rig, "a", 1, 40, 1);
	digest_of(digest, "a");
	assert_ok(token_get(rig->store, digest, &row, &rig_err));
	assert_int_equal(row.purpose, 1);
	assert_int_equal(row.subject_id, 40);
	assert_int_equal(row.expires_at, T0 + 7);
	assert_int_equal(row.used_at, 0);
	assert_int_equal(row.notice_id, 1);
	store_mail_digest(mail, "info@s1.example.co.jp");
	assert_memory_equal(row.mail, mail, sizeof mail);

	assert_ok(use(rig, "a", T0 + 1));
	assert_rc(use(rig, "a", T0 + 2), RC_REFUSED);
	assert_int_equal(used_at(rig, "a"), T0 + 1);
	assert_rc(use(rig, "b", T0 + 2), RC_REFUSED);
	digest_of(digest, "b");
	assert_rc(token_get(rig->store, digest, &row, &rig_err), RC_REFUSED);
	assert_string_equal(rig_err.text, "this token was never given out");
	/* The same one a second time is a fault of the program's, and nothing is overwritten. */
	digest_of(digest, "a");
	assert_rc(token_add(rig->store, digest, &row, &rig_err), RC_STORE);
	assert_int_equal(used_at(rig, "a"), T0 + 1);
}

static void test_store_mailbox__of_the_mail_that_carried_it(void **state)
{
	struct rig *rig = *state;
	struct token_row row;
	give_out(rig, "a", 1, 40, 1);
	give_out(rig, "b", 3, 1, 0);
	assert_ok(token_of_notice(rig->store, 1, &row, &rig_err));
	assert_int_equal(row.subject_id, 40);
	assert_rc(token_of_notice(rig->store, 3, &row, &rig_err), RC_REFUSED);
	assert_string_equal(rig_err.text, "notice 3 carried no token");
	assert_rc(token_of_notice(rig->store, 0, &row, &rig_err), RC_REFUSED);
}

static void test_store_mailbox__answers_are_counted(void **state)
{
	struct rig *rig = *state;
	static const struct {
		const char *mail_key;
		bool unproven_only;
		utc_time since;
		int64_t count;
	} cases[] = {
		{"a@example.co.jp", false, T0, 2},
		{"a@example.co.jp", true, T0, 1},
		{"a@example.co.jp", false, T0 + 11, 1},
		{"a@example.co.jp", true, T0 + 11, 0},
		{"b@example.co.jp", true, T0, 1},
		{"c@example.co.jp", false, T0, 0},
		{NULL, false, T0, 3},
		{NULL, true, T0, 2},
		{NULL, true, T0 + 21, 0},
	};
	assert_ok(answer_add(rig->store, 1, "a@example.co.jp", false, T0 + 10, &rig_err));
	assert_ok(answer_add(rig->store, 2, "a@example.co.jp", true, T0 + 11, &rig_err));
	assert_ok(answer_add(rig->store, 3, "b@example.co.jp", false, T0 + 20, &rig_err));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t count;
		assert_ok(answer_count(rig->store, cases[i].mail_key, cases[i].unproven_only, cases[i].since,
			&count, &rig_err));
		assert_int_equal(count, cases[i].count);
	}
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM answer WHERE length(mail) = 16"), 3);
}

/* ---- bounces ---- */

static bool signed_address = true;

static void report(struct rig *rig, int64_t notice_id, int class, const char *raw)
{
	static int uid;
	char text[12];
	(void)snprintf(text, sizeof text, "%d", ++uid);
	struct mail_message message = {.taken_at = T0, .uid = text, .filed_uid = ""};
	sha256(message.digest, raw, strlen(raw));
	assert_ok(message_add(rig->store, &message, raw, strlen(raw), &rig_err));
	const struct bounce_row row = {.message_id = message.id,
		.notice_id = notice_id,
		.class_ = class,
		.by_address = signed_address,
		.mail_key = "info@s1.example.co.jp",
		.at = T0};
	assert_ok(bounce_add(rig->store, &row, &rig_err));
	assert_rc(bounce_add(rig->store, &row, &rig_err), RC_STORE); /* one report, one row */
}

static void test_store_mailbox__bounces_of_a_notice(void **state)
{
	struct rig *rig = *state;
	static const int expected[] = {1, 2, 2, 2, 2, 3};
	int64_t notice[] = {3, 3, 3, 0, 3, 3};
	int class[] = {1, 2, 1, 1, 0, 1};
	const char *raw[] = {"one", "two", "one", "nobody's", "success", "three"};
	int count;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		report(rig, notice[i], class[i], raw[i]);
		assert_ok(bounce_count(rig->store, 3, &count, &rig_err));
		assert_int_equal(count, expected[i]);
	}
	assert_ok(bounce_count(rig->store, 2, &count, &rig_err));
	assert_int_equal(count, 0);
	assert_ok(bounce_count(rig->store, 0, &count, &rig_err));
	assert_int_equal(count, 0);
}

struct seen_bounces {
	struct bounce_row row[8];
	int count;
};

static enum rc see_bounce(void *ctx, const struct bounce_row *row, struct err *err)
{
	struct seen_bounces *seen = ctx;
	(void)err;
	seen->row[seen->count++] = *row;
	return RC_OK;
}

static void test_store_mailbox__bounces_of_an_application(void **state)
{
	struct rig *rig = *state;
	struct seen_bounces seen = {.count = 0};
	int64_t other = rig_add(rig, 2);
	int64_t others = rig_queue(rig, other, "receipt");
	report(rig, 3, 1, "one");
	report(rig, others, 1, "another's");
	report(rig, 0, 1, "nobody's");
	report(rig, 2, 4, "two");
	report(rig, 2, 0, "delivered after all");
	signed_address = false;
	report(rig, 2, 1, "may be forged");
	signed_address = true;
	assert_ok(bounce_each(rig->store, 1, see_bounce, &seen, &rig_err));
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.row[0].message_id, 1);
	assert_int_equal(seen.row[0].notice_id, 3);
	assert_int_equal(seen.row[0].class_, 1);
	assert_true(seen.row[0].by_address);
	assert_int_equal(seen.row[0].at, T0);
	assert_int_equal(seen.row[1].message_id, 4);
	assert_int_equal(seen.row[1].notice_id, 2);
	assert_ok(bounce_each(rig->store, 3, see_bounce, &seen, &rig_err));
	assert_int_equal(seen.count, 2);
}

static void test_store_mailbox__score_of_an_address(void **state)
{
	struct rig *rig = *state;
	struct address_score score;
	assert_ok(address_score_get(rig->store, "a@example.co.jp", &score, &rig_err));
	assert_int_equal(score.at, 0);
	assert_int_equal(score.score, 0);
	const struct address_score rows[] = {
		{.score = 1000, .at = T0, .hard = 1}, {.score = 1750, .at = T0 + 5, .hard = 2}};
	for (int i = 0; i < 2; i++) {
		assert_ok(address_score_set(rig->store, "a@example.co.jp", &rows[i], &rig_err));
		assert_ok(address_score_get(rig->store, "a@example.co.jp", &score, &rig_err));
		assert_int_equal(score.score, rows[i].score);
		assert_int_equal(score.at, rows[i].at);
		assert_int_equal(score.hard, rows[i].hard);
	}
	assert_ok(address_score_get(rig->store, "b@example.co.jp", &score, &rig_err));
	assert_int_equal(score.at, 0);
}

/* ---- finding ---- */

static int64_t queue_with_id(
	struct rig *rig, int64_t application_id, const char *name, int resend_no, const char *message_id)
{
	struct notice notice = rig_notice(rig->pool, application_id, name);
	notice.resend_no = resend_no;
	notice.message_id = message_id;
	assert_ok(outbox_add(rig->store, &notice, 0, "packed", 6, &rig_err));
	return notice.id;
}

static void test_store_mailbox__notice_by_message_id(void **state)
{
	struct rig *rig = *state;
	assert_int_equal(queue_with_id(rig, 1, "receipt", 0, "receipt.1.0@office.example.jp"), 4);
	assert_int_equal(queue_with_id(rig, 1, "receipt", 1, "receipt.1.1@office.example.jp"), 5);
	assert_int_equal(queue_with_id(rig, 0, "refused", 0, "refused.0.6@office.example.jp"), 6);
	assert_int_equal(queue_with_id(rig, 1, "changed", 0, "ABCDE-FGHJK-MNPQR-STVWX@office.example.jp"), 7);
	assert_int_equal(queue_with_id(rig, 1, "stopped", 0, "stopped.1.9@office.example.jp"), 8);
	assert_int_equal(queue_with_id(rig, 1, "of.dots", 2, "of.dots.1.2@office.example.jp"), 9);
	/* Only what can't be reckoned is entered: 7, 8, and the three of setup(), whose ids are not the program's. */
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(sql_count(rig, "SELECT sum(notice_id) FROM message_id"), 1 + 2 + 3 + 7 + 8);
	static const struct {
		const char *message_id;
		int64_t id;
	} cases[] = {
		{"receipt.1.0@office.example.jp", 4},
		{"receipt.1.1@OFFICE.example.jp", 5},
		{"refused.0.6@office.example.jp", 6},
		{"abcde-fghjk-mnpqr-stvwx@office.example.jp", 7},
		{"stopped.1.9@office.example.jp", 8},
		{"of.dots.1.2@office.example.jp", 9},
		{"stopped.1.0@office.example.jp", 0}, /* leads to 8, which bears another */
		{"receipt.1.0@example.net", 0}, /* somebody else's domain */
		{"refused.0.4@office.example.jp", 0}, /* has an application */
		{"receipt.2.0@office.example.jp", 0},
		{"receipt.1.2@office.example.jp", 0},
		{"unheard.1.0@office.example.jp", 0},
		{"receipt.1@office.example.jp", 0},
		{".1.0@office.example.jp", 0},
		{"receipt.1.99999999999999999999@office.example.jp", 0},
		{"receipt..0@office.example.jp", 0},
		{"@", 0},
		{"", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int64_t id = -1;
		assert_ok(outbox_by_message_id(rig->store, cases[i].message_id, &id, &rig_err));
		if (id != cases[i].id)
			fail_msg("%s: %lld", cases[i].message_id, (long long)id);
	}
}

static void test_store_mailbox__applications_of_an_address(void **state)
{
	struct rig *rig = *state;
	static const enum state states[] = {
		STATE_RECEIVED, STATE_STOPPED, STATE_LOGO_AUTHORIZED, STATE_UNCONFIRMED, STATE_ID_ISSUED};
	int64_t id[8];
	int count;
	for (int i = 0; i < 5; i++) {
		struct application app = rig_application(rig->pool, 10 + i);
		uint8_t digest[SHA256_LEN] = {0};
		app.state = states[i];
		assert_ok(application_add(rig->store, &app, pool_printf(rig->pool, "c:%d", 10 + i),
			"many@example.co.jp", digest, &rig_err));
	}
	assert_ok(application_by_mail(rig->store, "many@example.co.jp", id, 8, &count, &rig_err));
	assert_int_equal(count, 4);
	assert_int_equal(id[0], 4);
	assert_int_equal(id[1], 6);
	assert_int_equal(id[2], 2);
	assert_int_equal(id[3], 5);
	assert_ok(application_by_mail(rig->store, "many@example.co.jp", id, 1, &count, &rig_err));
	assert_int_equal(count, 1);
	assert_int_equal(id[0], 4);
	assert_ok(application_by_mail(rig->store, "nobody@example.co.jp", id, 8, &count, &rig_err));
	assert_int_equal(count, 0);
}

static void test_store_mailbox__copies_wait_in_order(void **state)
{
	struct rig *rig = *state;
	int64_t id;
	assert_ok(copy_next(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, 0);
	assert_ok(copy_add(rig->store, 3, &rig_err));
	assert_ok(copy_add(rig->store, 1, &rig_err));
	assert_ok(copy_add(rig->store, 3, &rig_err)); /* twice is once */
	assert_ok(copy_next(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, 1);
	assert_ok(copy_next(rig->store, 1, &id, &rig_err));
	assert_int_equal(id, 3);
	assert_ok(copy_done(rig->store, 1, &rig_err));
	assert_ok(copy_next(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, 3);
	assert_ok(copy_done(rig->store, 3, &rig_err));
	assert_ok(copy_next(rig->store, 0, &id, &rig_err));
	assert_int_equal(id, 0);
}

static void test_store_mailbox__only_inside_a_transaction(void **state)
{
	struct rig *rig = *state;
	uint8_t digest[SHA256_LEN] = {0};
	const struct token_row row = {0};
	const struct bounce_row bounce = {0};
	const struct address_score score = {0};
	assert_ok(store_commit(rig->store, &rig_err));
	assert_rc(token_add(rig->store, digest, &row, &rig_err), RC_STORE);
	assert_rc(token_use(rig->store, digest, T0, &rig_err), RC_STORE);
	assert_rc(answer_add(rig->store, 1, "a@example.co.jp", true, T0, &rig_err), RC_STORE);
	assert_rc(bounce_add(rig->store, &bounce, &rig_err), RC_STORE);
	assert_rc(address_score_set(rig->store, "a@example.co.jp", &score, &rig_err), RC_STORE);
	assert_rc(copy_add(rig->store, 1, &rig_err), RC_STORE);
	assert_rc(copy_done(rig->store, 1, &rig_err), RC_STORE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_mailbox__##name, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(serves_once),
		TEST(of_the_mail_that_carried_it),
		TEST(answers_are_counted),
		TEST(bounces_of_a_notice),
		TEST(bounces_of_an_application),
		TEST(score_of_an_address),
		TEST(notice_by_message_id),
		TEST(applications_of_an_address),
		TEST(copies_wait_in_order),
		TEST(only_inside_a_transaction),
	};
	return cmocka_run_group_tests_name("store_mailbox", tests, NULL, NULL);
}
