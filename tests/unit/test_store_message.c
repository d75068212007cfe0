#include "tests/unit/store_rig.h"
#include "tests/unit/reading_rig.h"

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	return store_begin(((struct rig *)*state)->store, &rig_err) == RC_OK ? 0 : -1;
}

static struct mail_message mail(const char *uid, const char *raw)
{
	struct mail_message message = {
		.taken_at = T0, .size = (int64_t)strlen(raw), .uid_validity = 7, .uid = uid, .filed_uid = ""};
	sha256(message.digest, raw, strlen(raw));
	return message;
}

static int64_t take(struct rig *rig, const char *uid, const char *raw)
{
	struct mail_message message = mail(uid, raw);
	assert_ok(message_add(rig->store, &message, raw, strlen(raw), &rig_err));
	return message.id;
}

static void file(struct rig *rig, int64_t id, enum message_state state, enum folder folder)
{
	struct mail_message message;
	assert_ok(message_get(rig->store, id, &message, rig->pool, &rig_err));
	message.state = state;
	message.folder = folder;
	assert_ok(message_update(rig->store, &message, &rig_err));
}

static void test_store_message__comes_back_as_it_went_in(void **state)
{
	struct rig *rig = *state;
	struct mail_message message = mail("17", "From: a@example.co.jp\r\n\r\nx"), back;
	message.state = MESSAGE_FILED; /* a mail begins as taken, whatever is asked for */
	assert_ok(message_add(rig->store, &message, "From: a@example.co.jp\r\n\r\nx", 26, &rig_err));
	assert_int_equal(message.id, 1);
	assert_ok(message_get(rig->store, 1, &back, rig->pool, &rig_err));
	assert_int_equal(back.state, MESSAGE_TAKEN);
	assert_int_equal(back.taken_at, T0);
	assert_memory_equal(back.digest, message.digest, SHA256_LEN);
	assert_int_equal(back.size, 26);
	assert_int_equal(back.uid_validity, 7);
	assert_string_equal(back.uid, "17");
	assert_string_equal(back.filed_uid, "");
	assert_int_equal(back.same_as, 0);
	assert_int_equal(back.moved_away_at, 0);

	back.state = MESSAGE_FILED;
	back.kind = REQUEST_STOP;
	back.review = true;
	back.folder = FOLDER_REVIEW;
	back.filed_uid = "4";
	back.moved_away_at = T0 + 9;
	back.uid_validity = 8; /* the server counts anew: the same mail under another number */
	back.uid = "3";
	back.taken_at = T0 + 1; /* never written again */
	assert_ok(message_update(rig->store, &back, &rig_err));
	assert_ok(message_get(rig->store, 1, &back, rig->pool, &rig_err));
	assert_int_equal(back.state, MESSAGE_FILED);
	assert_int_equal(back.kind, REQUEST_STOP);
	assert_true(back.review);
	assert_int_equal(back.folder, FOLDER_REVIEW);
	assert_string_equal(back.filed_uid, "4");
	assert_int_equal(back.moved_away_at, T0 + 9);
	assert_int_equal(back.uid_validity, 8);
	assert_string_equal(back.uid, "3");
	assert_int_equal(back.taken_at, T0);

	back.id = 2;
	assert_rc(message_update(rig->store, &back, &rig_err), RC_REFUSED);
	assert_rc(message_get(rig->store, 2, &back, rig->pool, &rig_err), RC_REFUSED);
	assert_string_equal(rig_err.text, "there is no received mail 2 on file");
}

static void test_store_message__a_uid_is_taken_once(void **state)
{
	struct rig *rig = *state;
	int64_t id;
	assert_ok(message_by_uid(rig->store, 7, "17", &id, &rig_err));
	assert_int_equal(id, 0);
	assert_int_equal(take(rig, "17", "one"), 1);
	assert_ok(message_by_uid(rig->store, 7, "17", &id, &rig_err));
	assert_int_equal(id, 1);
	assert_ok(message_by_uid(rig->store, 8, "17", &id, &rig_err)); /* another UIDVALIDITY: another mail */
	assert_int_equal(id, 0);
	struct mail_message again = mail("17", "one");
	assert_rc(message_add(rig->store, &again, "one", 3, &rig_err), RC_REFUSED);
	assert_non_null(strstr(rig_err.text, "UID 17 of INBOX"));

	/* Read, it is still on its way; filed, its UID is free (a Maildir gives a name again when staff move the mail back). */
	file(rig, 1, MESSAGE_READ, FOLDER_DONE);
	assert_ok(message_by_uid(rig->store, 7, "17", &id, &rig_err));
	assert_int_equal(id, 1);
	file(rig, 1, MESSAGE_FILED, FOLDER_DONE);
	assert_ok(message_by_uid(rig->store, 7, "17", &id, &rig_err));
	assert_int_equal(id, 0);
	assert_int_equal(take(rig, "17", "one"), 2);
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(sql_count(rig, "SELECT same_as FROM message WHERE id = 2"), 1);
}

static void test_store_message__the_same_bytes_are_told(void **state)
{
	struct rig *rig = *state;
	int64_t id;
	struct mail_message one = mail("1", "same"), other = mail("9", "other"), back;
	take(rig, "1", "same");
	take(rig, "2", "other");
	take(rig, "3", "same");
	assert_int_equal(take(rig, "4", "same"), 4);
	assert_ok(message_get(rig->store, 4, &back, rig->pool, &rig_err));
	assert_int_equal(back.same_as, 1);
	assert_ok(message_by_digest(rig->store, one.digest, 0, &id, &rig_err));
	assert_int_equal(id, 4);
	assert_ok(message_by_digest(rig->store, one.digest, 4, &id, &rig_err));
	assert_int_equal(id, 3);
	assert_ok(message_by_digest(rig->store, other.digest, 2, &id, &rig_err));
	assert_int_equal(id, 0);
}

/* Small and large, text and bytes that can't be made smaller, a NUL among them. */
static void test_store_message__raw_bytes_are_kept(void **state)
{
	struct rig *rig = *state;
	static const size_t sizes[] = {0, 1, 100, 32768, 32769, 2000000};
	struct rng rng = rng_seeded(3);
	struct str raw = STR_INIT, back = STR_INIT;
	for (size_t i = 0; i < 2 * (sizeof sizes / sizeof *sizes); i++) {
		size_t len = sizes[i / 2];
		str_clear(&raw);
		str_grow(&raw, len);
		if (i % 2)
			rng_bytes(&rng, raw.s, len);
		else
			memset(raw.s, '\n', len);
		raw.len = len;
		char uid[8];
		(void)snprintf(uid, sizeof uid, "%zu", i);
		struct mail_message message = mail(uid, "");
		sha256(message.digest, raw.s, raw.len);
		assert_ok(message_add(rig->store, &message, raw.s, raw.len, &rig_err));
		assert_ok(message_raw(rig->store, message.id, &back, &rig_err));
		assert_int_equal(back.len, raw.len);
		assert_memory_equal(back.s, raw.s, raw.len);
	}
	assert_ok(store_commit(rig->store, &rig_err));
	assert_in_range(
		sql_count(rig, "SELECT length(raw) FROM message_payload WHERE message_id = 11"), 1, 20000);
	str_free(&raw);
	str_free(&back);
}

static void test_store_message__erased_and_damaged_bytes(void **state)
{
	struct rig *rig = *state;
	struct str raw = STR_INIT, json = STR_INIT;
	for (int i = 1; i <= 4; i++) {
		char uid[8];
		(void)snprintf(uid, sizeof uid, "%d", i);
		take(rig, uid, uid);
		assert_ok(rig_set_reading(rig->store, i, "{}", 2, &rig_err));
	}
	assert_ok(store_commit(rig->store, &rig_err));
	sql_aside(rig, "DELETE FROM message_payload WHERE message_id = 1; DELETE FROM reading_payload WHERE "
		       "message_id = 1;"
		       "UPDATE message_payload SET raw = CAST('p4' AS BLOB) WHERE message_id = 2;"
		       "UPDATE message_payload SET raw = x'6405ff' WHERE message_id = 3;"
		       "UPDATE reading_payload SET reading = x'7a' WHERE message_id = 2");
	assert_ok(message_raw(rig->store, 1, &raw, &rig_err));
	assert_int_equal(raw.len, 0);
	assert_ok(message_reading(rig->store, 1, &json, &rig_err));
	assert_int_equal(json.len, 0);
	for (int i = 2; i <= 3; i++) {
		assert_rc(message_raw(rig->store, i, &raw, &rig_err), RC_STORE);
		assert_non_null(strstr(rig_err.text, "is not what was taken"));
		assert_int_equal(raw.len, 0);
	}
	assert_rc(message_reading(rig->store, 2, &json, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "the reading of received mail 2 cannot be unpacked"));
	assert_ok(message_raw(rig->store, 4, &raw, &rig_err));
	assert_string_equal(raw.s, "4");
	assert_rc(message_raw(rig->store, 5, &raw, &rig_err), RC_REFUSED);
	str_free(&raw);
	str_free(&json);
}

static void test_store_message__a_reading_replaces_the_one_before(void **state)
{
	struct rig *rig = *state;
	struct str json = STR_INIT;
	take(rig, "1", "one");
	assert_ok(message_reading(rig->store, 1, &json, &rig_err));
	assert_int_equal(json.len, 0);
	assert_ok(rig_set_reading(rig->store, 1, "{\"kind\":\"other\"}", 16, &rig_err));
	assert_ok(rig_set_reading(rig->store, 1, "{\"kind\":\"bounce\"}", 17, &rig_err));
	assert_ok(message_reading(rig->store, 1, &json, &rig_err));
	assert_string_equal(json.s, "{\"kind\":\"bounce\"}");
	assert_rc(rig_set_reading(rig->store, 2, "{}", 2, &rig_err), RC_STORE); /* of no mail */
	str_free(&json);
}

/* ---- going through them ---- */

struct seen {
	struct rig *rig;
	int64_t ids[1024];
	int count;
};

static enum rc see(void *ctx, const struct mail_message *message, struct err *err)
{
	struct seen *seen = ctx;
	seen->ids[seen->count++] = message->id;
	/* Anything may be asked from within. */
	struct mail_message again;
	return message_get(seen->rig->store, message->id, &again, seen->rig->pool, err);
}

static void test_store_message__each_by_state(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {.rig = rig};
	for (int i = 1; i <= 300; i++) {
		char uid[8];
		(void)snprintf(uid, sizeof uid, "%d", i);
		take(rig, uid, uid);
		if (i % 3 == 0)
			file(rig, i, i % 2 ? MESSAGE_READ : MESSAGE_FILED, FOLDER_DONE);
	}
	static const struct {
		enum message_state state;
		int64_t after;
		int limit, count;
		int64_t first, last;
	} cases[] = {
		{MESSAGE_TAKEN, 0, 0, 200, 1, 299},
		{MESSAGE_TAKEN, 1, 3, 3, 2, 5},
		{MESSAGE_READ, 0, 0, 50, 3, 297},
		{MESSAGE_FILED, 6, 0, 49, 12, 300},
		{0, 0, 0, 300, 1, 300},
		{0, 0, 257, 257, 1, 257},
		{0, 299, 10, 1, 300, 300},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		seen.count = 0;
		assert_ok(message_each(
			rig->store, cases[i].state, cases[i].after, cases[i].limit, see, &seen, &rig_err));
		assert_int_equal(seen.count, cases[i].count);
		assert_int_equal(seen.ids[0], cases[i].first);
		assert_int_equal(seen.ids[seen.count - 1], cases[i].last);
	}
}

static void test_store_message__each_in_review(void **state)
{
	struct rig *rig = *state;
	struct seen seen = {.rig = rig};
	static const struct {
		enum message_state state;
		enum folder folder;
		enum request_state request; /* 0: it has none */
		bool moved_away;
	} mails[] = {
		{MESSAGE_FILED, FOLDER_REVIEW, REQUEST_STATE_REVIEW, false}, /* 1: this one */
		{MESSAGE_FILED, FOLDER_REVIEW, REQUEST_STATE_ASKED, false}, /* 2: and this */
		{MESSAGE_FILED, FOLDER_REVIEW, REQUEST_STATE_DONE, false},
		{MESSAGE_FILED, FOLDER_DONE, REQUEST_STATE_ASKED, false},
		{MESSAGE_READ, FOLDER_REVIEW, REQUEST_STATE_REVIEW, false},
		{MESSAGE_FILED, FOLDER_REVIEW, REQUEST_STATE_REVIEW, true},
		{MESSAGE_FILED, FOLDER_REVIEW, 0, false},
	};
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		char uid[8];
		(void)snprintf(uid, sizeof uid, "%zu", i);
		int64_t id = take(rig, uid, uid);
		struct mail_message message;
		assert_ok(message_get(rig->store, id, &message, rig->pool, &rig_err));
		message.state = mails[i].state;
		message.folder = mails[i].folder;
		message.moved_away_at = mails[i].moved_away ? T0 : 0;
		assert_ok(message_update(rig->store, &message, &rig_err));
		struct request request = {.message_id = id, .state = mails[i].request, .opened_at = T0};
		/* Two of them about one mail make it no two mails. */
		for (int n = 0; n < 2 && mails[i].request; n++)
			assert_ok(request_add(rig->store, &request, &rig_err));
	}
	assert_ok(message_each_in_review(rig->store, see, &seen, &rig_err));
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.ids[0], 1);
	assert_int_equal(seen.ids[1], 2);
}

static void test_store_message__only_inside_a_transaction(void **state)
{
	struct rig *rig = *state;
	struct mail_message message = mail("1", "one");
	assert_ok(store_commit(rig->store, &rig_err));
	assert_rc(message_add(rig->store, &message, "one", 3, &rig_err), RC_STORE);
	assert_rc(message_update(rig->store, &message, &rig_err), RC_STORE);
	assert_rc(rig_set_reading(rig->store, 1, "{}", 2, &rig_err), RC_STORE);
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM message"), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_message__##name, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(comes_back_as_it_went_in),
		TEST(a_uid_is_taken_once),
		TEST(the_same_bytes_are_told),
		TEST(raw_bytes_are_kept),
		TEST(erased_and_damaged_bytes),
		TEST(a_reading_replaces_the_one_before),
		TEST(each_by_state),
		TEST(each_in_review),
		TEST(only_inside_a_transaction),
	};
	return cmocka_run_group_tests_name("store_message", tests, NULL, NULL);
}
