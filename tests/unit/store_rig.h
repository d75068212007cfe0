/*
 * store_rig.h - what the tests of the register share: a directory of their own, one store, fictitious rows
 *
 * Each test is set up with rig_setup() and taken down with rig_teardown(). sql_aside() changes the file behind the store's back,
 * as somebody with an editor would.
 */
#ifndef SENGEN_STORE_RIG_H
#define SENGEN_STORE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/store/store_p.h"

#define T0 ((utc_time)1780000000)
#define assert_ok(call)                                                                                      \
	do {                                                                                                 \
		if ((call) != RC_OK)                                                                         \
			fail_msg("%s: %s", #call, rig_err.text);                                             \
	} while (0)
#define assert_rc(call, rc) assert_int_equal((call), (rc))

static struct err rig_err;

struct rig {
	char dir[64];
	char path[128], witness[128];
	struct store_settings settings;
	struct store *store;
	struct pool *pool;
};

static inline int rig_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline int rig_setup(void **state)
{
	struct rig *rig = xcalloc(1, sizeof *rig);
	(void)snprintf(rig->dir, sizeof rig->dir, "/tmp/sengen-store-XXXXXX");
	if (!mkdtemp(rig->dir))
		return -1;
	(void)snprintf(rig->path, sizeof rig->path, "%s/register.db", rig->dir);
	(void)snprintf(rig->witness, sizeof rig->witness, "%s/witness", rig->dir);
	rig->settings = (struct store_settings){
		.path = rig->path, .witness = rig->witness, .host = "host-a", .simulated = true};
	rig->pool = pool_new();
	*state = rig;
	return store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err) == RC_OK ? 0 : -1;
}

static inline int rig_teardown(void **state)
{
	struct rig *rig = *state;
	store_close(&rig->store);
	pool_free(&rig->pool);
	(void)nftw(rig->dir, rig_remove, 8, FTW_DEPTH | FTW_PHYS);
	free(rig);
	return 0;
}

static inline void rig_reopen(struct rig *rig)
{
	store_close(&rig->store);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
}

static inline void sql_on(const char *path, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	(void)sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static inline void sql_aside(const struct rig *rig, const char *sql)
{
	sql_on(rig->path, sql);
}

static inline int64_t sql_count(const struct rig *rig, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open(rig->path, &db), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t count = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return count;
}

/* An application as intake registers one; `number` makes it somebody else's. */
static inline struct application rig_application(struct pool *pool, int number)
{
	struct application app = {
		.state = STATE_RECEIVED,
		.hold_reason = "",
		.kind = KIND_NEW1,
		.type = APPLICANT_CORPORATION,
		.star = 1,
		.profile = "form",
		.received_at = T0 + number,
		.applied_on = 20600,
		.clock_start = 20600,
		.stage = 1,
		.due_at = T0 + 7 * 86400 + number,
		.latest_at = T0 + 21 * 86400,
		.id_issued_on = CIVIL_DAY_NONE,
		.logo_authorized_on = CIVIL_DAY_NONE,
		.stopped_on = CIVIL_DAY_NONE,
		.row = number,
	};
	app.form.value[FIELD_KIND] = "new1";
	app.form.value[FIELD_CONTACT] = "見本 花子";
	app.form.value[FIELD_MAIL] = pool_printf(pool, "info@s%d.example.co.jp", number);
	app.form.value[FIELD_TYPE] = "corporation";
	app.form.value[FIELD_CORPORATE_NUMBER] = pool_printf(pool, "%013d", number);
	app.form.value[FIELD_BUSINESS_NAME] = pool_printf(pool, "株式会社サンプル%d", number);
	app.form.value[FIELD_FAMILY_NAME] = "見本";
	app.form.value[FIELD_GIVEN_NAME] = "太郎";
	app.form.value[FIELD_PREFECTURE] = "東京都";
	app.form.value[FIELD_ADDRESS] = "文京区本駒込二丁目28番8号";
	return app;
}

static inline int64_t rig_add(struct rig *rig, int number)
{
	struct application app = rig_application(rig->pool, number);
	uint8_t digest[SHA256_LEN];
	sha256(digest, &number, sizeof number);
	char key[32], mail[64];
	(void)snprintf(key, sizeof key, "c:%013d", number);
	(void)snprintf(mail, sizeof mail, "info@s%d.example.co.jp", number);
	assert_ok(application_add(rig->store, &app, key, mail, digest, &rig_err));
	const struct history_row row = {.at = app.received_at,
		.application_id = app.id,
		.event = EVENT_APPLY,
		.to = STATE_RECEIVED,
		.actor = "daemon"};
	assert_ok(history_add(rig->store, &row, &rig_err));
	return app.id;
}

static inline struct notice rig_notice(struct pool *pool, int64_t application_id, const char *name)
{
	struct notice notice = {
		.application_id = application_id,
		.template_name = name,
		.stage = 0,
		.state = OUTBOX_QUEUED,
		.queued_at = T0,
		.next_try_at = T0,
		.reply = "",
		.recipient = pool_printf(pool, "info@s%lld.example.co.jp", (long long)application_id),
		.domain = pool_printf(pool, "s%lld.example.co.jp", (long long)application_id),
		.message_id = pool_printf(pool, "%lld.%s@office.example.jp", (long long)application_id, name),
		.bounce_address =
			pool_printf(pool, "bounce+%lld%s@office.example.jp", (long long)application_id, name),
	};
	sha256(notice.digest, name, strlen(name));
	return notice;
}

static inline int64_t rig_queue(struct rig *rig, int64_t application_id, const char *name)
{
	struct notice notice = rig_notice(rig->pool, application_id, name);
	assert_ok(outbox_add(rig->store, &notice, 0, "packed", 6, &rig_err));
	return notice.id;
}

#endif
