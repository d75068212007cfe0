#include "tests/unit/store_rig.h"
#include "tests/unit/reading_rig.h"

/*
 * A disk that fails: SQLite's file system layer with three calls replaced. From the `at`-th write, truncation or sync on, each (or
 * only that one) fails with `code`.
 */
static struct {
	int at; /* 0: the disk is fine */
	int code;
	bool stays;
	int calls;
	bool no_shared_memory; /* nobody may make -shm: a directory one can't write to */
} disk;
static sqlite3_vfs faulty_vfs;
static sqlite3_vfs *real_vfs;
/* SQLite has one set of calls for the database and another for its -wal. */
static struct methods {
	const sqlite3_io_methods *real;
	sqlite3_io_methods faulty;
} methods[4];

static const sqlite3_io_methods *real_of(const sqlite3_file *file)
{
	size_t i = 0;
	while (file->pMethods != &methods[i].faulty)
		i++;
	return methods[i].real;
}

static bool fails(void)
{
	disk.calls++;
	return disk.at > 0 && (disk.stays ? disk.calls >= disk.at : disk.calls == disk.at);
}

static int faulty_write(sqlite3_file *file, const void *bytes, int len, sqlite3_int64 offset)
{
	return fails() ? disk.code : real_of(file)->xWrite(file, bytes, len, offset);
}

static int faulty_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	return fails() ? disk.code : real_of(file)->xTruncate(file, size);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
	/* Power cuts are not tried here, so nothing need really be synced. */
	(void)file;
	(void)flags;
	return !fails() ? SQLITE_OK : disk.code == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_FSYNC;
}

static int faulty_shared_memory(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
	return disk.no_shared_memory ? SQLITE_CANTOPEN
				     : real_of(file)->xShmMap(file, page, size, extend, out);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
	int code = real_vfs->xOpen(vfs, name, file, flags, out_flags);
	if (code != SQLITE_OK || !file->pMethods)
		return code;
	struct methods *at = methods;
	while (at->real && at->real != file->pMethods)
		at++;
	if (!at->real) {
		at->real = file->pMethods;
		at->faulty = *at->real;
		at->faulty.xWrite = faulty_write;
		at->faulty.xTruncate = faulty_truncate;
		at->faulty.xSync = faulty_sync;
		at->faulty.xShmMap = faulty_shared_memory;
	}
	file->pMethods = &at->faulty;
	return code;
}

static void mend_disk(void)
{
	memset(&disk, 0, sizeof disk);
}

static int setup(void **state)
{
	mend_disk();
	return rig_setup(state);
}

static int teardown(void **state)
{
	mend_disk();
	return rig_teardown(state);
}

/* ---- what is done while it fails: like intake, the scheduler and the sender, each step a transaction ---- */

static enum rc register_one(struct store *store, struct pool *pool, int number)
{
	struct application app = rig_application(pool, number);
	uint8_t digest[SHA256_LEN];
	sha256(digest, &number, sizeof number);
	enum rc rc = store_begin(store, &rig_err);
	if (rc == RC_OK)
		rc = application_add(
			store, &app, pool_printf(pool, "c:%d", number), "m@example.co.jp", digest, &rig_err);
	const struct history_row row = {.at = T0,
		.application_id = app.id,
		.event = EVENT_APPLY,
		.to = STATE_RECEIVED,
		.actor = "staff:1000",
		.note = "紙の申込書から"};
	if (rc == RC_OK)
		rc = history_add(store, &row, &rig_err);
	struct notice notice = rig_notice(pool, app.id, "receipt");
	/* Long enough that one transaction is several pages. */
	static const char letter[9000] = "letter";
	if (rc == RC_OK)
		rc = outbox_add(store, &notice, 0, letter, sizeof letter, &rig_err);
	return rc == RC_OK ? store_commit(store, &rig_err) : rc;
}

static enum rc send_one(struct store *store, struct pool *pool)
{
	struct notice notice;
	int count;
	enum rc rc = store_begin(store, &rig_err);
	if (rc == RC_OK)
		rc = outbox_claim(store, T0, 1, NULL, &notice, &count, pool, &rig_err);
	if (rc == RC_OK && count == 1) {
		const struct history_row row = {.at = T0,
			.application_id = notice.application_id,
			.event = EVENT_SENT,
			.ref = notice.id,
			.actor = "daemon"};
		notice.state = OUTBOX_SENT;
		notice.reply = "2.0.0 Ok";
		rc = outbox_update(store, &notice, "DKIM-Signature: v=1", 19, &rig_err);
		if (rc == RC_OK)
			rc = history_add(store, &row, &rig_err);
	}
	return rc == RC_OK ? store_commit(store, &rig_err) : rc;
}

/* A mail is taken, large enough for many pages; then what follows from it. */
static enum rc receive_one(struct store *store)
{
	static char raw[40000];
	struct rng rng = rng_seeded(1);
	rng_bytes(&rng, raw, sizeof raw);
	struct mail_message message = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	sha256(message.digest, raw, sizeof raw);
	enum rc rc = store_begin(store, &rig_err);
	if (rc == RC_OK)
		rc = message_add(store, &message, raw, sizeof raw, &rig_err);
	struct request request = {.message_id = message.id,
		.state = REQUEST_STATE_REVIEW,
		.opened_at = T0,
		.actor = "daemon",
		.note = "要確認"};
	if (rc == RC_OK)
		rc = request_add(store, &request, &rig_err);
	const struct history_row row = {
		.at = T0, .event = EVENT_REQUEST, .ref = request.id, .actor = "daemon", .note = "要確認"};
	if (rc == RC_OK)
		rc = rig_set_reading(store, message.id, "{}", 2, &rig_err);
	if (rc == RC_OK)
		rc = history_add(store, &row, &rig_err);
	return rc == RC_OK ? store_commit(store, &rig_err) : rc;
}

/* Three applications, one of them sent, and a mail; *committed steps were acknowledged. */
static enum rc work(struct rig *rig, int *committed)
{
	*committed = 0;
	enum rc rc = rig->store ? RC_OK : store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err);
	for (int i = 0; rc == RC_OK && i < 5; i++) {
		rc = i < 3    ? register_one(rig->store, rig->pool, i + 1)
		     : i == 3 ? send_one(rig->store, rig->pool)
			      : receive_one(rig->store);
		*committed += rc == RC_OK;
	}
	return rc;
}

/* Nothing half-done: each application has its history, notice and letter, or there is none of them. */
static void check_whole(struct rig *rig, int committed)
{
	struct audit audit;
	assert_ok(audit_run(rig->store, NULL, &audit, &rig_err));
	if (audit.fault)
		fail_msg("row %lld: %s", (long long)audit.bad_seq, audit.fault);
	int64_t applications = sql_count(rig, "SELECT count(*) FROM application");
	int64_t sent = sql_count(rig, "SELECT count(*) FROM outbox WHERE state = 3");
	static const char *const tables[] = {"application_payload", "outbox", "letter", "history_payload"};
	int64_t mails = sql_count(rig, "SELECT count(*) FROM message");
	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
		char sql[64];
		(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
		assert_int_equal(sql_count(rig, sql), applications + (i == 3 ? mails : 0));
	}
	static const char *const of_mails[] = {
		"message_payload", "reading_payload", "request", "request_payload"};
	for (size_t i = 0; i < sizeof of_mails / sizeof *of_mails; i++) {
		char sql[64];
		(void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", of_mails[i]);
		assert_int_equal(sql_count(rig, sql), mails);
	}
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM outbox WHERE state = 2"), 0);
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM delivery"), sent);
	assert_int_equal(audit.rows, applications + sent + mails);
	/* A step whose sync failed was not acknowledged; it may still have reached the disk, but then as a whole. */
	assert_in_range(applications + sent + mails, committed, committed + 1);
	assert_int_equal(
		sql_count(rig, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"),
		0);
}

static void fail_at(struct rig *rig, int at, int code, bool stays, bool *failed)
{
	char name[160];
	int committed, again;
	store_close(&rig->store);
	(void)snprintf(rig->path, sizeof rig->path, "%s/%d-%d-%d.db", rig->dir, code, stays, at);
	rig->settings.witness = NULL;
	pool_reset(rig->pool);

	disk.calls = 0;
	disk.code = code;
	disk.stays = stays;
	disk.at = at;
	enum rc rc = work(rig, &committed);
	*failed = rc != RC_OK;
	if (*failed) {
		assert_int_equal(rc, RC_STORE);
		assert_non_null(strstr(rig_err.text, code == SQLITE_FULL ? "is full" : "failed; look at"));
		assert_non_null(strstr(rig_err.text, rig->path));
		if (rig->store)
			store_rollback(rig->store);
	}
	disk.at = 0;
	/* The disk is mended: the same process goes on, and so does one that starts anew. */
	if (*failed && rig->store) {
		assert_ok(register_one(rig->store, rig->pool, 9));
		committed++;
	}
	store_close(&rig->store);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	check_whole(rig, committed);
	if (committed == 0)
		assert_ok(work(rig, &again));
	store_close(&rig->store);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof name, "%s%s", rig->path, i == 0 ? "" : i == 1 ? "-wal" : "-shm");
		(void)unlink(name);
	}
}

static void fail_everywhere(struct rig *rig, int code, bool stays)
{
	bool failed = true;
	int at = 0;
	while (failed) {
		fail_at(rig, ++at, code, stays, &failed);
		if (at > 2000)
			fail_msg("the work never ends");
	}
	assert_true(at > 20); /* it did write */
}

static void test_store_faults__disk_full_for_good(void **state)
{
	fail_everywhere(*state, SQLITE_FULL, true);
}

static void test_store_faults__disk_full_for_a_moment(void **state)
{
	fail_everywhere(*state, SQLITE_FULL, false);
}

static void test_store_faults__writing_fails(void **state)
{
	fail_everywhere(*state, SQLITE_IOERR_WRITE, false);
}

/* After a failure inside a transaction nothing more goes into it, and nothing around it. */
static void test_store_faults__failed_transaction_takes_nothing_more(void **state)
{
	struct rig *rig = *state;
	assert_ok(register_one(rig->store, rig->pool, 1));
	assert_ok(store_begin(rig->store, &rig_err));
	const struct history_row row = {.at = T0, .event = EVENT_FILE, .actor = "daemon"};
	assert_ok(history_add(rig->store, &row, &rig_err));
	rig->store->failed = true; /* as sql_error() leaves it */
	assert_rc(history_add(rig->store, &row, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "must be rolled back"));
	assert_rc(store_commit(rig->store, &rig_err), RC_STORE);
	assert_false(store_in_transaction(rig->store));
	check_whole(rig, 1);
}

static void test_store_faults__locked_for_too_long(void **state)
{
	struct rig *rig = *state;
	sqlite3 *other;
	assert_int_equal(sqlite3_open(rig->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	(void)sqlite3_busy_timeout(rig->store->db, 1);
	assert_rc(store_begin(rig->store, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "was locked by another program"));
	struct application app; /* reading goes on meanwhile */
	assert_rc(application_get(rig->store, 1, &app, rig->pool, &rig_err), RC_REFUSED);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_ok(register_one(rig->store, rig->pool, 1));
}

static void test_store_faults__damaged_page(void **state)
{
	struct rig *rig = *state;
	for (int i = 1; i <= 50; i++)
		assert_ok(register_one(rig->store, rig->pool, i));
	sql_aside(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	int64_t page = sql_count(rig, "SELECT rootpage FROM sqlite_schema WHERE name = 'application'");
	store_close(&rig->store);
	FILE *file = fopen(rig->path, "r+");
	assert_non_null(file);
	assert_int_equal(fseek(file, (page - 1) * 4096, SEEK_SET), 0);
	for (int i = 0; i < 4096; i++)
		(void)fputc(0x5a, file);
	(void)fclose(file);
	struct application app;
	enum rc rc = store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err);
	if (rc == RC_OK)
		rc = application_get(rig->store, 3, &app, rig->pool, &rig_err);
	assert_int_equal(rc, RC_STORE);
	assert_non_null(strstr(rig_err.text, "is damaged; stop sengend"));
}

/* Somebody who may read the file but write nothing beside it. */
static void test_store_faults__reading_without_shared_memory(void **state)
{
	struct rig *rig = *state;
	struct store *reader;
	struct application app;
	assert_ok(register_one(rig->store, rig->pool, 1));
	disk.no_shared_memory = true;
	/* What a writer has just written stands in -wal and can't be seen without it. */
	assert_rc(store_open(&reader, &rig->settings, STORE_READ, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "could not open the register"));
	disk.no_shared_memory = false;
	store_close(&rig->store);
	disk.no_shared_memory = true;
	assert_ok(store_open(&reader, &rig->settings, STORE_READ, &rig_err));
	assert_ok(application_get(reader, 1, &app, rig->pool, &rig_err));
	store_close(&reader);
	assert_rc(store_open(&reader, &rig->settings, STORE_WRITE, &rig_err), RC_STORE);
}

int main(void)
{
	real_vfs = sqlite3_vfs_find(NULL);
	faulty_vfs = *real_vfs;
	faulty_vfs.zName = "faulty";
	faulty_vfs.xOpen = faulty_open;
	if (sqlite3_vfs_register(&faulty_vfs, 1) != SQLITE_OK)
		return 1;
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_faults__##name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(disk_full_for_good),
		TEST(disk_full_for_a_moment),
		TEST(writing_fails),
		TEST(failed_transaction_takes_nothing_more),
		TEST(locked_for_too_long),
		TEST(damaged_page),
		TEST(reading_without_shared_memory),
	};
	return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
