/* What is past its time goes, what is open or contested stays, and the chain stays whole. */
#include "inbound_rig.h"

#include "lib/desk/purge.h"
#include "lib/form/result.h"

#define KEEP_SHORT                                                                                           \
	"retention = { survey_days = 10; mail_days = 20; letter_days = 30; ended_days = 40; file_days = "    \
	"50; refused_file_days = 5; public_days = 60; };\n"

struct seen {
	int erased[RETAINED_COUNT], kept[RETAINED_COUNT];
	const char *why; /* of the last one kept; static */
};

static enum rc see(void *ctx, const struct retained_item *item, struct err *err)
{
	struct seen *seen = ctx;
	(void)err;
	if (item->kept_because)
		seen->why = item->kept_because;
	(item->kept_because ? seen->kept : seen->erased)[item->kind]++;
	return RC_OK;
}

static struct seen run(struct rig *rig, bool preview)
{
	struct seen seen = {0};
	struct purge_cursor cursor = {0};
	struct purge_result result;
	do
		assert_ok(purge_run(
			&rig->office, &cursor, preview, 3, "daemon", see, &seen, &result, &rig_err));
	while (result.more);
	rig_assert_whole(rig);
	return seen;
}

/* A whole pass; what could not be removed: "" nothing. */
static const char *scrub_but(struct rig *rig, bool *more)
{
	struct purge_scrubbed scrubbed = {0};
	do
		assert_ok(purge_scrub(&rig->office, true, 1, &scrubbed, &rig_err));
	while (scrubbed.rest);
	*more = scrubbed.waiting;
	return pool_strdup(rig->pool, scrubbed.left.text);
}

static void scrub(struct rig *rig, bool *more)
{
	assert_string_equal(scrub_but(rig, more), "");
}

static void stop(struct rig *rig, int64_t id, const char *reason)
{
	const char *why_ja = NULL;
	assert_ok(office_stop(
		&rig->office, id, rig_today(rig), reason, "staff:1000", &why_ja, rig->pool, &rig_err));
	(void)rig_turn(rig);
}

static bool holds(const char *path, const char *marker)
{
	struct str bytes = STR_INIT;
	if (access(path, F_OK) != 0)
		return false;
	assert_ok(file_read(&bytes, path, (size_t)64 << 20, &rig_err));
	bool found = memmem(bytes.s, bytes.len, marker, strlen(marker)) != NULL;
	str_free(&bytes);
	return found;
}

/* The register's file or its log. */
static bool on_disk(struct rig *rig, const char *marker)
{
	const char *log = pool_printf(rig->pool, "%s-wal", rig->store_path);
	return holds(rig->store_path, marker) || holds(log, marker);
}

static void test_purge__survey(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_SURVEY] = "security,partner";
	int64_t id = rig_register(rig, &form), other = rig_apply(rig, 2);
	rig_run_days(rig, 11);
	/* Its notices are not all out yet. */
	struct seen seen = run(rig, false);
	assert_int_equal(seen.kept[RETAINED_SURVEY], 1);
	assert_string_equal(seen.why, "手続きの途中のため");
	rig_run_days(rig, 20);
	assert_int_equal(run(rig, true).erased[RETAINED_SURVEY], 1);
	assert_non_null(rig_app(rig, id).form.value[FIELD_SURVEY]); /* a preview changes nothing */
	assert_int_equal(run(rig, false).erased[RETAINED_SURVEY], 1);
	assert_null(rig_app(rig, id).form.value[FIELD_SURVEY]);
	assert_non_null(rig_app(rig, id).form.value[FIELD_MAIL]);
	assert_int_equal(rig_count_events(rig, id, EVENT_PURGE), 1);
	assert_int_equal(rig_count_events(rig, other, EVENT_PURGE), 0);
	assert_int_equal(run(rig, false).erased[RETAINED_SURVEY], 0);
	/* Whoever changes the form behind the register's back is still found out. */
	struct application app = rig_app(rig, id);
	struct audit audit;
	app.form.value[FIELD_CONTACT] = "別人";
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(rig->office.store, &app, "c:1", "a@example.jp", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_ok(audit_run(rig->office.store, NULL, &audit, &rig_err));
	assert_non_null(audit.fault);
}

static void test_purge__ended_application(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	struct form_values form = rig_form(rig, 1);
	form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = "shirushi-kieru@example.co.jp";
	int64_t id = rig_register(rig, &form), lives = rig_apply(rig, 2);
	rig_run_days(rig, 30);
	stop(rig, id, "shirushi-riyuu");
	assert_true(on_disk(rig, "shirushi-kieru"));
	struct application before = rig_app(rig, id);
	int notices = rig_notices(rig, id).count;
	rig_run_days(rig, 35);
	struct seen seen = run(rig, false);
	assert_int_equal(seen.erased[RETAINED_LETTER], 1);
	assert_int_equal(seen.erased[RETAINED_ENDED], 0);
	struct rig_notices left = rig_notices(rig, id);
	assert_int_equal(left.count, notices);
	assert_string_equal(left.item[0].recipient, "");
	rig_run_days(rig, 10);
	seen = run(rig, false);
	assert_int_equal(seen.erased[RETAINED_ENDED], 1);
	struct application app = rig_app(rig, id);
	assert_null(app.form.value[FIELD_BUSINESS_NAME]);
	assert_int_equal(app.declaration_id, before.declaration_id);
	assert_int_equal(app.state, STATE_STOPPED);
	bool more = true;
	scrub(rig, &more);
	assert_false(more);
	assert_false(on_disk(rig, "shirushi-kieru"));
	assert_false(on_disk(rig, "shirushi-riyuu"));
	/* Nobody else was touched, and nothing is left to do. */
	assert_non_null(rig_app(rig, lives).form.value[FIELD_BUSINESS_NAME]);
	assert_non_null(strstr(rig_text(rig, rig_notices(rig, lives).item[1].id), "自己宣言ID"));
	seen = run(rig, false);
	for (int kind = 0; kind < RETAINED_COUNT; kind++)
		assert_int_equal(seen.erased[kind] + seen.kept[kind], 0);
}

static void test_purge__zero_keeps_for_ever(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "retention = { survey_days = 0; mail_days = 0; letter_days = 0; ended_days = 0; "
			   "file_days = 0; "
			   "refused_file_days = 0; public_days = 0; };\n");
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	stop(rig, id, "終了");
	rig_run_days(rig, 5000);
	struct seen seen = run(rig, false);
	for (int kind = 0; kind < RETAINED_COUNT; kind++)
		assert_int_equal(seen.erased[kind] + seen.kept[kind], 0);
	assert_non_null(rig_app(rig, id).form.value[FIELD_MAIL]);
}

/* Its last notice came back, and nobody has looked since. */
static void note_bounce(struct rig *rig, int64_t id, enum bounce_class class_)
{
	struct history_row row = {.at = rig->clock.now,
		.application_id = id,
		.event = EVENT_BOUNCE,
		.from = STATE_STOPPED,
		.to = STATE_STOPPED,
		.ref = rig_notices(rig, id).item[0].id,
		.number = class_,
		.actor = "daemon",
		.note = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(history_add(rig->office.store, &row, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static void test_purge__passed_over(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t bounced = rig_apply(rig, 1), delayed = rig_apply(rig, 2), asked = rig_apply(rig, 3);
	rig_run_days(rig, 30);
	stop(rig, bounced, "終了");
	stop(rig, delayed, "終了");
	stop(rig, asked, "終了");
	note_bounce(rig, bounced, BOUNCE_HARD);
	note_bounce(rig, delayed, BOUNCE_SOFT);
	struct received received = inbound_mail(REQUEST_OTHER, "info3@example.co.jp");
	int64_t mail = inbound_receive(rig, &received);
	struct request request;
	int64_t request_id = 0;
	assert_ok(request_of_message(rig->office.store, mail, &request_id, &rig_err));
	assert_ok(request_get(rig->office.store, request_id, &request, rig->pool, &rig_err));
	request.application_id = asked;
	request.state = REQUEST_STATE_REVIEW;
	request.closed_at = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(request_update(rig->office.store, &request, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_run_days(rig, 45);
	struct seen seen = {0};
	struct purge_cursor cursor = {0};
	struct purge_result result;
	assert_ok(purge_run(&rig->office, &cursor, false, 1000, "daemon", see, &seen, &result, &rig_err));
	assert_false(result.more);
	assert_int_equal(seen.kept[RETAINED_ENDED], 2);
	assert_int_equal(seen.kept[RETAINED_LETTER], 2);
	assert_int_equal(seen.erased[RETAINED_ENDED], 1);
	assert_int_equal(seen.kept[RETAINED_MAIL], 1);
	assert_non_null(rig_app(rig, bounced).form.value[FIELD_MAIL]);
	assert_non_null(rig_app(rig, asked).form.value[FIELD_MAIL]);
	assert_null(rig_app(rig, delayed).form.value[FIELD_MAIL]);
}

/* ---- letters of no application ---- */

static int64_t write_to(struct rig *rig, const char *address)
{
	int64_t id = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_desk_mail(
		&rig->office, "digest", address, "件名", "shirushi-honbun", NULL, &id, &rig_err));
	assert_ok(answer_add(rig->office.store, id, address, false, rig->clock.now, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	return id;
}

static struct notice notice_of(struct rig *rig, int64_t id)
{
	struct notice notice;
	assert_ok(outbox_get(rig->office.store, id, &notice, rig->pool, &rig_err));
	return notice;
}

static void test_purge__letters_of_nobody(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t first = write_to(rig, "shirushi-soto@example.jp"), waits = write_to(rig, "matsu@example.jp");
	(void)rig_turn(rig);
	assert_int_equal(notice_of(rig, first).state, OUTBOX_SENT);
	struct notice waiting = notice_of(rig, waits);
	waiting.state = OUTBOX_UNKNOWN;
	waiting.next_try_at = rig->clock.now + 365 * (utc_time)86400;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_update(rig->office.store, &waiting, NULL, 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_run_days(rig, 29);
	assert_int_equal(run(rig, false).erased[RETAINED_STRAY], 0);
	rig_run_days(rig, 3);
	assert_int_equal(run(rig, true).erased[RETAINED_STRAY], 1);
	assert_true(on_disk(rig, "shirushi-soto"));
	struct seen seen = run(rig, false);
	assert_int_equal(seen.erased[RETAINED_STRAY], 1);
	assert_int_equal(seen.kept[RETAINED_STRAY], 1);
	assert_string_equal(seen.why, "まだ送り終わっていないため");
	bool more = true;
	scrub(rig, &more);
	assert_false(on_disk(rig, "shirushi-soto"));
	assert_string_equal(notice_of(rig, first).recipient, "");
	assert_int_equal(notice_of(rig, first).state, OUTBOX_SENT);
	int64_t answers = 1;
	assert_ok(answer_count(rig->office.store, "shirushi-soto@example.jp", false, 0, &answers, &rig_err));
	assert_int_equal(answers, 0);
	assert_string_equal(notice_of(rig, waits).recipient, "matsu@example.jp");
	/* Given up: nobody can settle it, for no application is behind it. */
	waiting.next_try_at = UTC_NEVER;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_update(rig->office.store, &waiting, NULL, 0, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(run(rig, false).erased[RETAINED_STRAY], 1);
}

/* ---- mails ---- */

static void file_mail(struct rig *rig, int64_t id)
{
	struct mail_message message;
	assert_ok(message_get(rig->office.store, id, &message, rig->pool, &rig_err));
	message.state = MESSAGE_FILED;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_update(rig->office.store, &message, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static int64_t closed_request(struct rig *rig, int64_t mail)
{
	const char *why_ja = NULL;
	int64_t id = 0;
	struct request request;
	assert_ok(request_of_message(rig->office.store, mail, &id, &rig_err));
	assert_ok(request_get(rig->office.store, id, &request, rig->pool, &rig_err));
	if (request.state == REQUEST_STATE_REVIEW)
		assert_ok(office_resolve(&rig->office, id, REQUEST_CLOSE, 0, CIVIL_DAY_NONE, "shirushi-kotae",
			"staff:1000", &why_ja, rig->pool, &rig_err));
	return id;
}

static void test_purge__mail(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	struct received received = inbound_mail(REQUEST_OTHER, "someone@example.jp");
	int64_t mail = inbound_receive(rig, &received);
	rig_run_days(rig, 15);
	int64_t request_id = closed_request(rig, mail);
	file_mail(rig, mail);
	/* 25 days after it came, 10 after it was closed. */
	rig_run_days(rig, 10);
	assert_int_equal(run(rig, false).erased[RETAINED_MAIL], 0);
	rig_run_days(rig, 12);
	assert_true(on_disk(rig, "shirushi-kotae"));
	assert_int_equal(run(rig, false).erased[RETAINED_MAIL], 1);
	struct str raw = STR_INIT;
	struct request request;
	assert_ok(message_raw(rig->office.store, mail, &raw, &rig_err));
	assert_int_equal(raw.len, 0);
	assert_ok(message_reading(rig->office.store, mail, &raw, &rig_err));
	assert_int_equal(raw.len, 0);
	assert_ok(request_get(rig->office.store, request_id, &request, rig->pool, &rig_err));
	assert_string_equal(request.note, "");
	bool more = true;
	scrub(rig, &more);
	assert_false(on_disk(rig, "shirushi-kotae"));
	str_free(&raw);
}

/* ---- files ---- */

/* content: two files with the same have the same bytes. */
static int64_t add_file_of(
	struct rig *rig, const char *archive, const char *content, int accepted, bool counted)
{
	struct spool_file file = {.name = "shirushi.csv",
		.taken_at = rig->clock.now,
		.owner = "hanako",
		.state = FILE_TAKEN,
		.archive = ""};
	struct str path = STR_INIT;
	sha256(file.digest, content, strlen(content));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	file.state = FILE_DONE;
	file.accepted = accepted;
	file.rows_done = accepted;
	file.archive = archive;
	assert_ok(file_update(rig->office.store, &file, &rig_err));
	if (counted)
		assert_ok(file_recounted(rig->office.store, file.id, accepted, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	path_join(&path, rig->dir, archive);
	*strrchr(path.s, '/') = '\0';
	assert_ok(file_mkdirs(path.s, 0700, &rig_err));
	rig_write(rig, archive, "shirushi");
	rig_write(rig, pool_printf(rig->pool, "%s_結果.txt", archive), "shirushi");
	rig_write(rig, pool_printf(rig->pool, "%s_要修正.csv", archive), "shirushi");
	str_free(&path);
	return file.id;
}

static int64_t add_file(struct rig *rig, const char *archive, int accepted, bool counted)
{
	return add_file_of(rig, archive, archive, accepted, counted);
}

static bool there(struct rig *rig, const char *name)
{
	return access(pool_printf(rig->pool, "%s/%s", rig->dir, name), F_OK) == 0;
}

static int64_t apply_from(struct rig *rig, int number, int64_t file_id, int row)
{
	struct form_values form = rig_form(rig, number);
	int64_t id = 0;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(office_register(&rig->office, &form, NULL, file_id, row, &id, &rig_review, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	return id;
}

#define ARCHIVE "accepted/2026/06/20260601-100000_a.csv"
#define REFUSED "rejected/2026/06/20260601-100000_b.csv"

static void test_purge__files(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t file = add_file(rig, ARCHIVE, 1, true), refused = add_file(rig, REFUSED, 0, false);
	int64_t id = apply_from(rig, 1, file, 1);
	bool more = false;
	rig_write(rig, "rejected/2026/06/20260601-110000_too_large.csv", "shirushi");
	rig_write(rig, "rejected/2026/06/20260627-110000_new.csv", "kept");
	rig_write(rig, "rejected/2026/06/somebody.txt", "not ours");
	rig_run_days(rig, 30);
	struct seen seen = run(rig, false);
	assert_int_equal(seen.kept[RETAINED_REFUSED], 1); /* the evening's books come first */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_recounted(rig->office.store, refused, 2, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(run(rig, false).erased[RETAINED_REFUSED], 1);
	assert_true(there(rig, REFUSED));
	scrub(rig, &more);
	assert_false(there(rig, REFUSED));
	assert_false(there(rig, REFUSED "_結果.txt"));
	assert_false(there(rig, REFUSED "_要修正.csv"));
	assert_false(there(rig, "rejected/2026/06/20260601-110000_too_large.csv"));
	assert_true(there(rig, "rejected/2026/06/20260627-110000_new.csv"));
	assert_true(there(rig, "rejected/2026/06/somebody.txt"));
	/* The other one has an application that lives. */
	rig_run_days(rig, 30);
	seen = run(rig, false);
	assert_int_equal(seen.kept[RETAINED_FILE], 1);
	assert_string_equal(seen.why, "有効な申込みの行があるため");
	stop(rig, id, "終了");
	assert_int_equal(run(rig, false).erased[RETAINED_FILE], 1);
	scrub(rig, &more);
	assert_false(there(rig, ARCHIVE));
	assert_false(there(rig, ARCHIVE "_結果.txt"));
	struct spool_file row;
	assert_ok(file_get(rig->office.store, file, &row, rig->pool, &rig_err));
	assert_string_equal(row.archive, "");
	assert_string_not_equal(row.name, "shirushi.csv");
	assert_int_equal(row.rows_done, 1);
}

static void put(struct rig *rig, const char *name)
{
	rig_write(rig, name, "shirushi");
}

static const char *place(struct rig *rig, const char *name)
{
	return pool_printf(rig->pool, "%s/%s", rig->dir, name);
}

static const char *archive_of(struct rig *rig, int64_t file)
{
	struct spool_file row;
	assert_ok(file_get(rig->office.store, file, &row, rig->pool, &rig_err));
	return row.archive;
}

#define OTHER "accepted/2026/06/20260602-100000_c.csv"
#define THIRD "accepted/2026/06/20260603-100000_d.csv"
#define COPY "accepted/2026/06/20260604-100000_a.csv"

/* What can't be removed is named, without the name that somebody gave it, and everything else goes. */
static void test_purge__one_that_cannot_go(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t stuck = add_file(rig, ARCHIVE, 1, true), other = add_file(rig, OTHER, 1, true);
	bool more = true;
	assert_ok(file_mkdirs(place(rig, "rejected/2026/06/20260601-090000_himitsu"), 0700, &rig_err));
	put(rig, "rejected/2026/06/20260601-110000_too_large.csv");
	put(rig, "rejected/2026/05");
	assert_int_equal(unlink(place(rig, ARCHIVE)), 0);
	assert_int_equal(mkdir(place(rig, ARCHIVE), 0700), 0);
	rig_run_days(rig, 60);
	assert_int_equal(run(rig, false).erased[RETAINED_FILE], 2);
	assert_non_null(strstr(scrub_but(rig, &more), "/rejected/2026/05"));
	assert_false(more);
	assert_false(there(rig, "rejected/2026/06/20260601-110000_too_large.csv"));
	assert_false(there(rig, OTHER));
	assert_string_equal(archive_of(rig, other), "");
	assert_string_equal(archive_of(rig, stuck), ARCHIVE);
	/* One after the other is mended. */
	assert_int_equal(unlink(place(rig, "rejected/2026/05")), 0);
	const char *left = scrub_but(rig, &more);
	assert_non_null(strstr(left, "/rejected/2026/06/20260601-090000_"));
	assert_null(strstr(left, "himitsu"));
	assert_int_equal(rmdir(place(rig, "rejected/2026/06/20260601-090000_himitsu")), 0);
	assert_non_null(strstr(scrub_but(rig, &more), "/accepted/2026/06/20260601-100000_"));
	assert_int_equal(rmdir(place(rig, ARCHIVE)), 0);
	scrub(rig, &more);
	assert_string_equal(archive_of(rig, stuck), "");
}

/* A share that is not there says nothing about what lies on it. */
static void test_purge__absent_spool(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t file = add_file(rig, ARCHIVE, 1, true);
	bool more = true;
	rig_run_days(rig, 60);
	assert_int_equal(run(rig, false).erased[RETAINED_FILE], 1);
	assert_int_equal(rename(place(rig, "accepted"), place(rig, "elsewhere")), 0);
	assert_non_null(strstr(scrub_but(rig, &more), "/accepted"));
	assert_string_equal(archive_of(rig, file), ARCHIVE);
	assert_int_equal(rename(place(rig, "elsewhere"), place(rig, "accepted")), 0);
	scrub(rig, &more);
	assert_string_equal(archive_of(rig, file), "");
	assert_false(there(rig, ARCHIVE));
}

/* A restored register knows nothing of what was taken after the backup. */
static void test_purge__unknown_in_accepted(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t file = add_file(rig, ARCHIVE, 1, true);
	bool more = true;
	(void)apply_from(rig, 1, file, 1);
	put(rig, OTHER);
	put(rig, OTHER "_結果.txt");
	put(rig, "accepted/2026/06/somebody.txt");
	rig_run_days(rig, 30);
	scrub(rig, &more);
	assert_true(there(rig, OTHER));
	rig_run_days(rig, 30);
	scrub(rig, &more);
	assert_false(there(rig, OTHER));
	assert_false(there(rig, OTHER "_結果.txt"));
	assert_true(there(rig, "accepted/2026/06/somebody.txt"));
	assert_true(there(rig, ARCHIVE));
	assert_true(there(rig, ARCHIVE "_結果.txt"));
}

/* ---- the public list ---- */

struct intervals {
	int count, with_values;
};

static enum rc take_interval(void *ctx, const struct published *published, struct err *err)
{
	struct intervals *intervals = ctx;
	(void)err;
	intervals->count++;
	intervals->with_values += *published->values != '\0';
	return RC_OK;
}

static void test_purge__public_list(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, KEEP_SHORT);
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 30);
	struct intervals intervals = {0};
	stop(rig, id, "終了");
	assert_ok(published_of(rig->office.store, id, take_interval, &intervals, &rig_err));
	if (intervals.with_values == 0) {
		assert_ok(store_begin(rig->office.store, &rig_err));
		assert_ok(published_open(rig->office.store, id, rig->clock.now - 100, &rig_err));
		assert_ok(published_close(rig->office.store, id, rig->clock.now, "values", &rig_err));
		assert_ok(store_commit(rig->office.store, &rig_err));
	}
	rig_run_days(rig, 59);
	assert_int_equal(run(rig, false).erased[RETAINED_PUBLIC], 0);
	rig_run_days(rig, 3);
	assert_true(run(rig, false).erased[RETAINED_PUBLIC] > 0);
	intervals = (struct intervals){0};
	assert_ok(published_of(rig->office.store, id, take_interval, &intervals, &rig_err));
	assert_true(intervals.count > 0); /* that it was public, and when, stays */
	assert_int_equal(intervals.with_values, 0);
	assert_int_equal(run(rig, false).erased[RETAINED_PUBLIC], 0);
}

/* ---- on request ---- */

static enum rc erase(struct rig *rig, int64_t id, bool preview, const char *reason, struct erasure *out,
	const char **why_ja)
{
	return office_erase(&rig->office, id, preview, reason, "staff:0", out, why_ja, rig->pool, &rig_err);
}

static void test_purge__erase_application(void **state)
{
	struct rig *rig = *state;
	const char *why_ja = NULL;
	struct erasure preview, out;
	bool more = true;
	int64_t file = add_file(rig, ARCHIVE, 2, true);
	int64_t id = apply_from(rig, 1, file, 1), other = apply_from(rig, 2, file, 2);
	rig_run_days(rig, 30);
	assert_int_equal(erase(rig, id, true, NULL, &preview, &why_ja), RC_REFUSED);
	assert_non_null(strstr(why_ja, "使用中止"));
	stop(rig, id, "shirushi-riyuu");
	struct received received = inbound_mail(REQUEST_OTHER, "info1@example.co.jp");
	received.text = "shirushi-honbun";
	int64_t mail = inbound_receive(rig, &received);
	int64_t request_id = 0;
	struct request request;
	assert_ok(request_of_message(rig->office.store, mail, &request_id, &rig_err));
	assert_ok(request_get(rig->office.store, request_id, &request, rig->pool, &rig_err));
	request.application_id = id;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(request_update(rig->office.store, &request, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(erase(rig, id, false, "本人の求め", &out, &why_ja), RC_REFUSED);
	assert_non_null(strstr(why_ja, "依頼番号"));
	(void)closed_request(rig, mail);
	file_mail(rig, mail);
	assert_int_equal(erase(rig, id, false, "", &out, &why_ja), RC_REFUSED);

	assert_ok(erase(rig, id, true, NULL, &preview, &why_ja));
	assert_non_null(rig_app(rig, id).form.value[FIELD_MAIL]);
	assert_ok(erase(rig, id, false, "本人の求め", &out, &why_ja));
	assert_memory_equal(&preview, &out, sizeof out);
	assert_int_equal(out.forms, 1);
	assert_true(out.letters >= 3 && out.history >= 1 && out.mails == 1 && out.requests == 1);
	assert_int_equal(out.files, 1);
	assert_int_equal(out.search, 1);
	int64_t found[4];
	int count = 0;
	bool others;
	assert_ok(
		search_applications(rig->office.store, "サンプル1", 0, found, 4, &count, &others, &rig_err));
	for (int i = 0; i < count; i++)
		assert_int_not_equal(found[i], id);
	/* One thing a call: the mail; the file is still to come, and the log behind it. */
	struct purge_scrubbed one = {0};
	assert_ok(purge_scrub(&rig->office, false, 1, &one, &rig_err));
	assert_true(one.rest && there(rig, ARCHIVE));
	scrub(rig, &more);
	assert_false(more);
	static const char *const markers[] = {"shirushi", "info1@", "info1\1"};
	for (size_t i = 0; i < sizeof markers / sizeof *markers; i++)
		assert_false(on_disk(rig, markers[i]));
	assert_false(there(rig, ARCHIVE));
	assert_null(rig_app(rig, id).form.value[FIELD_MAIL]);
	assert_int_equal(rig_count_events(rig, id, EVENT_ERASE), 1);
	assert_non_null(rig_app(rig, other).form.value[FIELD_MAIL]);
	rig_assert_whole(rig);
	assert_int_equal(erase(rig, id, false, "もう一度", &out, &why_ja), RC_REFUSED);
	assert_non_null(strstr(why_ja, "すでに消去"));
	/* Nobody can live on of whom nothing is known any more: neither in the list nor under a number. */
	assert_int_equal(office_undo(&rig->office, id, "取り違え", "staff:0", &why_ja, rig->pool, &rig_err),
		RC_REFUSED);
	assert_non_null(strstr(why_ja, "消去"));
	assert_int_equal(rig_app(rig, id).state, STATE_STOPPED);
	/* Nothing of it is left for a purge. */
	rig_configure(rig, KEEP_SHORT);
	rig_run_days(rig, 100);
	struct seen seen = run(rig, false);
	assert_int_equal(seen.erased[RETAINED_ENDED] + seen.erased[RETAINED_LETTER] +
				 seen.erased[RETAINED_MAIL] + seen.erased[RETAINED_FILE],
		0);
}

static int64_t taken_again(struct rig *rig, int64_t mail)
{
	struct str raw = STR_INIT;
	struct mail_message message;
	assert_ok(message_get(rig->office.store, mail, &message, rig->pool, &rig_err));
	assert_ok(message_raw(rig->office.store, mail, &raw, &rig_err));
	message.uid = pool_printf(rig->pool, "%s0", message.uid);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(message_add(rig->office.store, &message, raw.s, raw.len, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	str_free(&raw);
	return message.id;
}

static void test_purge__erase_mail(void **state)
{
	struct rig *rig = *state;
	const char *why_ja = NULL;
	struct erasure out;
	struct received received = inbound_mail(REQUEST_OTHER, "someone@example.jp");
	int64_t mail = inbound_receive(rig, &received);
	assert_int_equal(office_erase_mail(&rig->office, mail, false, "求め", "staff:0", &out, &why_ja,
				 rig->pool, &rig_err),
		RC_REFUSED);
	(void)closed_request(rig, mail);
	file_mail(rig, mail);
	/* The same bytes once more, as when staff put it back into INBOX: whoever is erased is erased there too. */
	int64_t again = taken_again(rig, mail);
	assert_int_equal(office_erase_mail(&rig->office, mail, false, "求め", "staff:0", &out, &why_ja,
				 rig->pool, &rig_err),
		RC_REFUSED);
	file_mail(rig, again);
	assert_ok(office_erase_mail(
		&rig->office, mail, false, "求め", "staff:0", &out, &why_ja, rig->pool, &rig_err));
	assert_int_equal(out.mails, 2);
	struct str raw = STR_INIT;
	for (int64_t copy = mail; copy <= again; copy++) {
		assert_ok(message_raw(rig->office.store, copy, &raw, &rig_err));
		assert_int_equal(raw.len, 0);
	}
	str_free(&raw);
	rig_assert_whole(rig);
	assert_int_equal(office_erase_mail(&rig->office, again + 1, true, NULL, "staff:0", &out, &why_ja,
				 rig->pool, &rig_err),
		RC_REFUSED);
}

/* However much is noted in the second in which it is closed: its notes are found. */
static void test_purge__notes_of_a_busy_second(void **state)
{
	struct rig *rig = *state;
	const char *why_ja = NULL;
	struct erasure out;
	struct received received = inbound_mail(REQUEST_OTHER, "someone@example.jp");
	int64_t mail = inbound_receive(rig, &received);
	rig_run_days(rig, 1);
	const struct history_row busy = {
		.at = rig->clock.now, .event = EVENT_PAUSE, .actor = "daemon", .note = ""};
	assert_ok(store_begin(rig->office.store, &rig_err));
	for (int i = 0; i < 100; i++)
		assert_ok(history_add(rig->office.store, &busy, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	(void)closed_request(rig, mail);
	file_mail(rig, mail);
	assert_true(on_disk(rig, "shirushi-kotae"));
	assert_ok(office_erase_mail(
		&rig->office, mail, false, "求め", "staff:0", &out, &why_ja, rig->pool, &rig_err));
	bool more = true;
	scrub(rig, &more);
	assert_false(on_disk(rig, "shirushi-kotae"));
	rig_assert_whole(rig);
}

/* ---- every address, every copy ---- */

static void change_address(struct rig *rig, int64_t id, const char *to)
{
	const char *why_ja = NULL;
	struct form_values changed = {0};
	changed.value[FIELD_MAIL] = to;
	assert_ok(office_correct(
		&rig->office, id, &changed, "変更", "staff:1000", &why_ja, rig->pool, &rig_err));
}

static void mark_address(struct rig *rig, const char *address)
{
	const struct address_score score = {.score = 1000, .at = rig->clock.now, .hard = 1};
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(suppression_set(rig->office.store, address, SUPPRESS_NEWS, true, rig->clock.now, &rig_err));
	assert_ok(address_score_set(rig->office.store, address, &score, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static bool is_marked(struct rig *rig, const char *address)
{
	bool suppressed = false;
	struct address_score score;
	assert_ok(suppression_has(rig->office.store, address, SUPPRESS_NEWS, &suppressed, &rig_err));
	assert_ok(address_score_get(rig->office.store, address, &score, &rig_err));
	assert_int_equal(suppressed, score.at > 0);
	return suppressed;
}

static void test_purge__earlier_addresses(void **state)
{
	static const char *const addresses[] = {"first@example.jp", "shared@example.jp", "last@example.jp"};
	struct rig *rig = *state;
	const char *why_ja = NULL;
	struct erasure out;
	int64_t id = rig_apply(rig, 1), other = rig_apply(rig, 2);
	rig_run_days(rig, 30);
	change_address(rig, other, "shared@example.jp");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		change_address(rig, id, addresses[i]);
		mark_address(rig, addresses[i]);
	}
	mark_address(rig, "info1@example.co.jp");
	mark_address(rig, "nobody@example.jp");
	stop(rig, id, "終了");
	assert_ok(erase(rig, id, false, "本人の求め", &out, &why_ja));
	assert_false(is_marked(rig, "info1@example.co.jp"));
	assert_false(is_marked(rig, "first@example.jp"));
	assert_false(is_marked(rig, "last@example.jp"));
	assert_true(is_marked(rig, "shared@example.jp")); /* somebody else has it now */
	assert_true(is_marked(rig, "nobody@example.jp"));
	rig_assert_whole(rig);
}

static void note_row(struct rig *rig, int64_t file, int row, int64_t application_id)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_row_add(rig->office.store, file, row, RESULT_SAME, application_id, NULL, 0, &rig_err));
	assert_ok(file_note_about(rig->office.store, file, application_id, &rig_err)); /* as intake does */
	assert_ok(store_commit(rig->office.store, &rig_err));
}

static void forget_rows(struct rig *rig)
{
	bool left = true;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_rows_drop(rig->office.store, 1000, &left, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_false(left);
}

/* The same file dropped again, and another one with the same row: the applicant stands in all of them. */
static void test_purge__erase_every_copy(void **state)
{
	struct rig *rig = *state;
	const char *why_ja = NULL;
	struct erasure preview, out;
	bool more = true;
	int64_t file = add_file(rig, ARCHIVE, 1, true), same_row = add_file(rig, OTHER, 1, true);
	int64_t others = add_file(rig, THIRD, 1, true);
	int64_t again = add_file_of(rig, COPY, ARCHIVE, 0, true);
	int64_t id = apply_from(rig, 1, file, 1), other = apply_from(rig, 2, others, 1);
	note_row(rig, same_row, 1, id);
	note_row(rig, others, 1, other);
	forget_rows(rig);
	stop(rig, id, "終了");
	assert_ok(erase(rig, id, true, NULL, &preview, &why_ja));
	assert_ok(erase(rig, id, false, "本人の求め", &out, &why_ja));
	assert_memory_equal(&preview, &out, sizeof out);
	assert_int_equal(out.files, 3);
	scrub(rig, &more);
	assert_string_equal(archive_of(rig, file), "");
	assert_string_equal(archive_of(rig, again), "");
	assert_string_equal(archive_of(rig, same_row), "");
	assert_false(there(rig, ARCHIVE) || there(rig, COPY) || there(rig, OTHER));
	assert_false(there(rig, COPY "_結果.txt"));
	assert_string_equal(archive_of(rig, others), THIRD);
	assert_true(there(rig, THIRD));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_purge__survey, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__ended_application, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__zero_keeps_for_ever, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__passed_over, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__letters_of_nobody, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__mail, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__files, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__one_that_cannot_go, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__absent_spool, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__unknown_in_accepted, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__public_list, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__erase_application, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__erase_mail, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__notes_of_a_busy_second, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__earlier_addresses, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_purge__erase_every_copy, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
