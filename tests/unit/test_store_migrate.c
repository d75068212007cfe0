#include "tests/unit/store_rig.h"

static void run_file(const struct rig *rig, const char *path)
{
	char *sql = NULL;
	size_t len = 0;
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_true(getdelim(&sql, &len, '\0', file) > 0);
	(void)fclose(file);
	sql_on(rig->path, sql);
	free(sql);
}

/* A register as the first version made it: tests/data/register-1.sql, with a letter that was sent and one that waits. */
static void make_version_1(const struct rig *rig)
{
	run_file(rig, "tests/data/register-1.sql");
	sql_on(rig->path,
		"INSERT INTO fact VALUES ('store.simulated', '1');"
		"INSERT INTO form_field (key) VALUES ('kind'), ('a-field-of-old'), ('mail');"
		"INSERT INTO word (text) VALUES ('form'), ('receipt'), ('example.co.jp'), "
		"('office.example.jp');"
		"INSERT INTO application (state, hold, kind, type, star, stage, approved, previous_sent_at, "
		"received_at, row,"
		" profile) VALUES (2, 0, 0, 0, 1, 1, 0, 0, 1780000000, 1, 1);"
		/* kind "new1", the field of old "x", mail "a@example.co.jp", as plain text */
		"INSERT INTO application_payload (application_id, salt, form)"
		" VALUES (1, zeroblob(16), CAST(x'70056e65773102781061406578616d706c652e636f2e6a70' AS "
		"BLOB));"
		"INSERT INTO outbox (application_id, template, stage, resend_no, state, queued_at, "
		"next_try_at, accepted_at,"
		" first_try_at, attempts, reply_code, domain, digest) VALUES"
		" (1, 2, 0, 0, 3, 1780000000, NULL, 1780000060, 1780000060, 0, 250, 3, zeroblob(32)),"
		" (1, 2, 0, 1, 1, 1780000000, 1780000000, 0, 0, 0, 0, 3, zeroblob(32));"
		"INSERT INTO letter (notice_id, recipient, recipient_domain, message_id, message_id_domain, "
		"bounce,"
		" bounce_domain, reply, dkim, packed) VALUES"
		" (1, 'a', 3, 'receipt.1.0', 4, 'bounce', 4, '2.0.0 Ok', CAST('pDKIM-Signature: v=1' AS "
		"BLOB), x'01'),"
		" (2, 'a', 3, 'receipt.1.1', 4, 'bounce', 4, '', NULL, x'02');"
		"PRAGMA application_id = 1397050951; PRAGMA user_version = 1; PRAGMA journal_mode = WAL");
}

static int setup(void **state)
{
	if (rig_setup(state) != 0)
		return -1;
	struct rig *rig = *state;
	store_close(&rig->store);
	(void)snprintf(rig->path, sizeof rig->path, "%s/old.db", rig->dir);
	rig->settings.witness = NULL;
	return 0;
}

static void test_store_migrate__version_1(void **state)
{
	struct rig *rig = *state;
	make_version_1(rig);
	assert_rc(store_open(&rig->store, &rig->settings, STORE_READ, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "of an older version; start sengend once"));
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION);

	struct notice notice;
	struct str letter = STR_INIT, dkim = STR_INIT;
	int64_t set;
	assert_ok(outbox_get(rig->store, 1, &notice, rig->pool, &rig_err));
	assert_string_equal(notice.reply, "2.0.0 Ok");
	assert_string_equal(notice.recipient, "a@example.co.jp");
	assert_ok(outbox_letter(rig->store, 1, &letter, &set, &dkim, &rig_err));
	assert_string_equal(dkim.s, "DKIM-Signature: v=1");
	assert_ok(outbox_letter(rig->store, 2, &letter, &set, &dkim, &rig_err));
	assert_string_equal(dkim.s, "");
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM delivery"), 1);

	/* The form's fields keep their numbers; new ones come behind; one the program no longer knows is passed over. */
	struct application app;
	assert_ok(application_get(rig->store, 1, &app, rig->pool, &rig_err));
	assert_string_equal(app.form.value[FIELD_KIND], "new1");
	assert_string_equal(app.form.value[FIELD_MAIL], "a@example.co.jp");
	assert_int_equal(sql_count(rig, "SELECT count(*) FROM form_field"), FIELD_COUNT + 1);

	/* And it works on. */
	struct notice claimed[2];
	int count;
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(outbox_claim(rig->store, T0, 2, NULL, claimed, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(count, 1);
	str_free(&letter);
	str_free(&dkim);
}

/* As the second version left it: with notices under way, whose Message-IDs the third finds. */
static void test_store_migrate__version_2(void **state)
{
	struct rig *rig = *state;
	make_version_1(rig);
	assert_int_equal(migrations[0].from, 1);
	sql_on(rig->path, migrations[0].sql);
	sql_on(rig->path, "PRAGMA user_version = 2");
	assert_rc(store_open(&rig->store, &rig->settings, STORE_READ, &rig_err), RC_STORE);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION);
	int64_t id;
	assert_ok(outbox_by_message_id(rig->store, "receipt.1.1@office.example.jp", &id, &rig_err));
	assert_int_equal(id, 2);

	/* And a mail can be taken. */
	struct mail_message message = {.taken_at = T0, .uid = "1", .filed_uid = ""};
	struct request request = {.state = REQUEST_STATE_REVIEW, .application_id = 1, .opened_at = T0};
	sha256(message.digest, "raw", 3);
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(message_add(rig->store, &message, "raw", 3, &rig_err));
	request.message_id = message.id;
	assert_ok(request_add(rig->store, &request, &rig_err));
	assert_ok(copy_add(rig->store, 1, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
}

/* Every table's columns and every index's, a line each. */
static void lay_out(const char *path, struct str *out)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(
		sqlite3_prepare_v2(db,
			"SELECT m.name || ' ' || i.name || ' ' || i.type || i.\"notnull\" || i.pk"
			" FROM sqlite_schema m, pragma_table_info(m.name) i WHERE m.type = 'table' UNION ALL "
			"SELECT m.name || ' ' || i.name || i.seqno || substr(m.sql, instr(m.sql, ' WHERE '))"
			" FROM sqlite_schema m, pragma_index_info(m.name) i WHERE m.type = 'index' AND m.sql "
			"IS NOT NULL"
			" ORDER BY 1",
			-1, &stmt, NULL),
		SQLITE_OK);
	while (sqlite3_step(stmt) == SQLITE_ROW)
		str_printf(out, "%s\n", (const char *)sqlite3_column_text(stmt, 0));
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_store_migrate__ends_like_a_new_one(void **state)
{
	struct rig *rig = *state;
	char fresh[160];
	struct store *store;
	struct str old = STR_INIT, new = STR_INIT;
	make_version_1(rig);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	(void)snprintf(fresh, sizeof fresh, "%s/fresh.db", rig->dir);
	const struct store_settings settings = {.path = fresh, .simulated = true};
	assert_ok(store_open(&store, &settings, STORE_WRITE, &rig_err));
	store_close(&store);
	lay_out(rig->path, &old);
	lay_out(fresh, &new);
	assert_true(new.len > 1000);
	assert_string_equal(old.s, new.s);
	str_free(&old);
	str_free(&new);
}

/* ---- registers in use, as each earlier version wrote them ---- */

#define OLD_VERSIONS (SCHEMA_VERSION - 1)

/* tests/data/register-N-filled.sql: one small office, by the programs of those days. */
static void make_filled(struct rig *rig, int version)
{
	char text[160];
	store_close(&rig->store);
	(void)snprintf(rig->path, sizeof rig->path, "%s/filled-%d.db", rig->dir, version);
	(void)unlink(rig->path);
	(void)snprintf(text, sizeof text, "tests/data/register-%d-filled.sql", version);
	run_file(rig, text);
	(void)snprintf(text, sizeof text,
		"PRAGMA application_id = %d; PRAGMA user_version = %d; PRAGMA journal_mode = WAL",
		APPLICATION_ID, version);
	sql_on(rig->path, text);
}

static int64_t found(struct rig *rig, const char *text)
{
	int64_t id[4] = {0};
	int count;
	bool more;
	assert_ok(search_applications(rig->store, text, 0, id, 4, &count, &more, &rig_err));
	return count == 1 ? id[0] : -count;
}

static void check_upgraded(struct rig *rig, int64_t rows, const uint8_t head[SHA256_LEN])
{
	struct audit audit;
	struct application app;
	struct notice notice;
	struct str value = STR_INIT;
	int64_t id;
	int count;
	assert_ok(audit_run(rig->store, head, &audit, &rig_err));
	assert_null(audit.fault);
	assert_true(audit.head_found);
	assert_int_equal(audit.rows, rows);

	assert_int_equal(found(rig, "山田"), 1);
	assert_int_equal(found(rig, "高橋ｼｽﾃﾑｽﾞ株式会社"), 2);
	assert_int_equal(found(rig, "さーびす 098-111-2222"), 3);
	assert_int_equal(found(rig, "富士電機"), -2);
	assert_int_equal(found(rig, "40000000003"), 3);
	assert_int_equal(found(rig, "斉藤 京都"), 4);

	assert_ok(application_by_identity(
		rig->store, "渡邉商店", "渡辺学", "大阪府", &id, 1, &count, &rig_err));
	assert_int_equal(count, 1);
	assert_int_equal(id, 5);
	assert_ok(application_get(rig->store, 5, &app, rig->pool, &rig_err));
	assert_int_equal(app.hold, HOLD_STAFF);
	assert_string_equal(app.hold_reason, "法人番号を電話で確認中");
	assert_ok(outbox_get(rig->store, 1, &notice, rig->pool, &rig_err));
	assert_int_equal(notice.state, OUTBOX_SENT);
	assert_string_equal(notice.reply, "2.0.0 Ok: queued as 4XyZ1a2b3c");
	assert_true(notice.digest_plain);
	assert_int_equal(notice.digest[0], 0x6f);
	assert_ok(fact_get(rig->store, "sample", &value, &rig_err));
	assert_string_equal(value.s, "kept");
	str_free(&value);
}

static void test_store_migrate__registers_in_use(void **state)
{
	struct rig *rig = *state;
	for (int version = 1; version <= OLD_VERSIONS; version++) {
		make_filled(rig, version);
		int64_t rows = sql_count(rig, "SELECT max(seq) FROM history");
		uint8_t head[SHA256_LEN];
		sqlite3 *db;
		sqlite3_stmt *stmt;
		assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_prepare_v2(db, "SELECT hash FROM history ORDER BY seq DESC LIMIT 1",
					 -1, &stmt, NULL),
			SQLITE_OK);
		assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
		memcpy(head, sqlite3_column_blob(stmt, 0), sizeof head);
		assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
		assert_int_equal(sqlite3_close(db), SQLITE_OK);
		assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
		assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION);
		check_upgraded(rig, rows, head);
		/* A second opening finds nothing to do, and a reader may look. */
		rig_reopen(rig);
		check_upgraded(rig, rows, head);
		store_close(&rig->store);
		assert_ok(store_open(&rig->store, &rig->settings, STORE_READ, &rig_err));
		check_upgraded(rig, rows, head);
		if (version >= 3) {
			assert_int_equal(sql_count(rig, "SELECT count(*) FROM request"), 1);
			assert_int_equal(sql_count(rig, "SELECT count(*) FROM bounce"), 1);
		}
		if (version >= 5)
			assert_int_equal(sql_count(rig, "SELECT count(*) FROM letter_signature"), 1);
		if (version >= 6) {
			assert_int_equal(
				sql_count(rig, "SELECT count(*) FROM retained WHERE kind = 8 AND id = 18"),
				1);
			assert_int_equal(sql_count(rig, "SELECT sum(application_id) FROM earlier_mail"), 3);
		}
	}
}

/* Whatever goes wrong on the way, early or late: the file is as it was, and the next try finds it so. */
static void test_store_migrate__a_failed_upgrade_changes_nothing(void **state)
{
	struct rig *rig = *state;
	static const struct {
		int last; /* version whose upgrade it stops */
		const char *trouble, *mended;
	} cases[] = {
		{3, "CREATE TABLE recount (a INTEGER)", "DROP TABLE recount"},
		{3, "CREATE INDEX published_ended ON history (at)", "DROP INDEX published_ended"},
		{3, "UPDATE application_payload SET form = x'ff' WHERE application_id = 8",
			"UPDATE application_payload SET form = (SELECT form FROM application_payload WHERE"
			" application_id = 7) WHERE application_id = 8"},
		{4, "CREATE TABLE letter_signature (a INTEGER)", "DROP TABLE letter_signature"},
		{5, "CREATE TABLE model (a INTEGER)", "DROP TABLE model"},
		{6, "CREATE INDEX file_archive ON history (at)", "DROP INDEX file_archive"},
	};
	for (int version = 1; version <= OLD_VERSIONS; version++)
		for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
			if (version > cases[i].last)
				continue;
			struct str before = STR_INIT, after = STR_INIT;
			make_filled(rig, version);
			sql_aside(rig, cases[i].trouble);
			lay_out(rig->path, &before);
			assert_rc(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err), RC_STORE);
			assert_null(rig->store);
			lay_out(rig->path, &after);
			assert_string_equal(before.s, after.s);
			assert_int_equal(sql_count(rig, "PRAGMA user_version"), version);
			assert_int_equal(sql_count(rig, "SELECT count(*) FROM fact WHERE name IN ('sample', "
							"'store.simulated')"),
				2);
			str_free(&before);
			str_free(&after);
			sql_aside(rig, cases[i].mended);
			assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
			assert_int_equal(found(rig, "山田"), 1);
		}
}

static void test_store_migrate__newer_is_refused(void **state)
{
	struct rig *rig = *state;
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	store_close(&rig->store);
	char sql[64];
	(void)snprintf(sql, sizeof sql, "PRAGMA user_version = %d", SCHEMA_VERSION + 1);
	sql_on(rig->path, sql);
	for (int mode = STORE_READ; mode <= STORE_WRITE; mode++) {
		assert_rc(store_open(&rig->store, &rig->settings, (enum store_mode)mode, &rig_err), RC_STORE);
		assert_non_null(strstr(rig_err.text, "newer sengen"));
	}
	assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION + 1);
}

static void test_store_migrate__steps_in_order(void **state)
{
	struct rig *rig = *state;
	/* By no means in the order of the table. */
	static const struct migration steps[] = {
		{SCHEMA_VERSION + 1, "INSERT INTO added SELECT max(a) + 1 FROM added"},
		{SCHEMA_VERSION, "CREATE TABLE added (a INTEGER) STRICT; INSERT INTO added VALUES (1)"},
		{0},
	};
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(schema_migrate(rig->store, steps, SCHEMA_VERSION + 2, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(sql_count(rig, "SELECT sum(a) FROM added"), 3);
	assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION + 2);
}

/* A step that fails, and a step that is missing: the register stays as it was. */
static void test_store_migrate__all_or_nothing(void **state)
{
	struct rig *rig = *state;
	static const struct migration broken[] = {
		{SCHEMA_VERSION, "CREATE TABLE added (a INTEGER) STRICT"},
		{SCHEMA_VERSION + 1, "INSERT INTO added VALUES ('not a number')"},
		{0},
	};
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	for (int version = SCHEMA_VERSION + 2; version <= SCHEMA_VERSION + 3; version++) {
		assert_ok(store_begin(rig->store, &rig_err));
		assert_rc(schema_migrate(rig->store, broken, version, &rig_err), RC_STORE);
		store_rollback(rig->store);
		assert_int_equal(sql_count(rig, "PRAGMA user_version"), SCHEMA_VERSION);
		assert_int_equal(
			sql_count(rig, "SELECT count(*) FROM sqlite_schema WHERE name = 'added'"), 0);
	}
	static const struct migration none[] = {{0}};
	assert_ok(store_begin(rig->store, &rig_err));
	assert_rc(schema_migrate(rig->store, none, SCHEMA_VERSION + 1, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "there is no way"));
	store_rollback(rig->store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_migrate__##name, setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(version_1),
		TEST(version_2),
		TEST(ends_like_a_new_one),
		TEST(registers_in_use),
		TEST(a_failed_upgrade_changes_nothing),
		TEST(newer_is_refused),
		TEST(steps_in_order),
		TEST(all_or_nothing),
	};
	return cmocka_run_group_tests_name("store_migrate", tests, NULL, NULL);
}
