/* the role mailbox on a Maildir, with a real zygote and children: each mail once, whatever is left half done, and none stops the others */
#include "office_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>

#include "daemon/role.h"
#include "daemon/zygote.h"
#include "lib/store/store_p.h"
#include "tests/imap_script.h"

#define DONE ".&UeZ0Bm4IMH8-"
#define REVIEW ".&iYF4uoqN-"
#define BOUNCE ".&MNAwpjDzMLk-"

static struct zygote zygote = {-1, -1, NULL};

struct box { /* the role on the rig's office */
	struct rig *rig;
	struct role_context ctx;
};

static int group_set_up(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	return zygote_start(&zygote, NULL, &rig_err) == RC_OK ? 0 : -1;
}

static int group_tear_down(void **state)
{
	(void)state;
	zygote_stop(&zygote);
	return 0;
}

static void role_up(struct box *box)
{
	box->ctx = (struct role_context){
		.office = box->rig->office,
		.settings = box->rig->settings,
		.clock = box->rig->clock,
		.zygote = zygote,
		.simulating = true,
		.in_turn = true,
	};
	assert_ok(role_mailbox.start(&box->ctx, &rig_err));
}

static struct box box_open(void **state, const char *more)
{
	struct box box = {.rig = *state};
	rig_configure(box.rig, more);
	role_up(&box);
	return box;
}

static void box_close(struct box *box)
{
	role_mailbox.stop(&box->ctx, 0);
}

/* The process dies and starts again. */
static void box_restart(struct box *box)
{
	box_close(box);
	rig_restart(box->rig);
	role_up(box);
}

static utc_time work(struct box *box)
{
	utc_time next;
	do {
		assert_ok(role_mailbox.step(&box->ctx, box->rig->clock.now, &next, &rig_err));
	} while (next <= box->rig->clock.now);
	return next;
}

static void pass_seconds(struct box *box, int64_t seconds)
{
	clock_set(&box->rig->clock, box->rig->clock.now + seconds);
	box->ctx.clock = box->rig->clock;
}

/* ---- mails ---- */

static char *box_path(const struct rig *rig, const char *name)
{
	return pool_printf(rig->pool, "%s/mailbox/new/%s", rig->dir, name);
}

/* A file in INBOX that arrives so many seconds from now. */
static void arrive(const struct rig *rig, const char *name, const void *bytes, size_t len, int64_t seconds)
{
	const char *path = box_path(rig, name);
	struct str directory = STR_INIT;
	path_join(&directory, rig->dir, "mailbox");
	assert_ok(file_mkdirs(directory.s, 0700, &rig_err));
	static const char *const below[] = {"/new", "/cur", "/tmp"};
	for (size_t i = 0; i < 3; i++) {
		struct str whole = STR_INIT;
		str_printf(&whole, "%s%s", directory.s, below[i]);
		assert_ok(file_mkdirs(whole.s, 0700, &rig_err));
		str_free(&whole);
	}
	str_free(&directory);
	assert_ok(file_write(path, bytes, len, 0600, &rig_err));
	struct timespec at = {.tv_sec = rig->clock.now + seconds};
	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){at, at}, 0), 0);
}

static void arrive_text(const struct rig *rig, const char *name, const char *words)
{
	struct str mail = STR_INIT;
	str_printf(&mail,
		"From: tanto@example.co.jp\r\nTo: security-action-info@sa.example.jp\r\nSubject: %s\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
		name, words);
	arrive(rig, name, mail.s, mail.len, 0);
	str_free(&mail);
}

/* How many mails of that name lie in a folder, whatever their flags. */
static int lies_in(const struct rig *rig, const char *folder, const char *name)
{
	static const char *const places[] = {"new", "cur"};
	int count = 0;
	for (size_t i = 0; i < 2; i++) {
		DIR *directory =
			opendir(pool_printf(rig->pool, "%s/mailbox/%s/%s", rig->dir, folder, places[i]));
		for (struct dirent *entry; directory && (entry = readdir(directory));)
			count += strncmp(entry->d_name, name, strlen(name)) == 0;
		if (directory)
			(void)closedir(directory);
	}
	return count;
}

/* Staff move a mail from 要確認 into INBOX. */
static void move_back(const struct rig *rig, const char *name)
{
	static const char *const places[] = {"new", "cur"};
	for (size_t i = 0; i < 2; i++) {
		const char *path = pool_printf(rig->pool, "%s/mailbox/" REVIEW "/%s", rig->dir, places[i]);
		DIR *directory = opendir(path);
		for (struct dirent *entry; directory && (entry = readdir(directory));)
			if (strncmp(entry->d_name, name, strlen(name)) == 0)
				assert_int_equal(rename(pool_printf(rig->pool, "%s/%s", path, entry->d_name),
							 box_path(rig, name)),
					0);
		if (directory)
			(void)closedir(directory);
	}
	assert_int_equal(lies_in(rig, "", name), 1);
}

struct messages {
	struct pool *pool;
	struct mail_message item[16];
	int count;
};

static enum rc keep_message(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	struct messages *all = ctx;
	assert_true(all->count < 16);
	all->item[all->count] = *message;
	all->item[all->count].uid = pool_strdup(all->pool, message->uid);
	all->item[all->count++].filed_uid = pool_strdup(all->pool, message->filed_uid);
	return RC_OK;
}

static struct messages messages(struct rig *rig)
{
	struct messages all = {.pool = rig->pool};
	assert_ok(message_each(rig->office.store, 0, 0, 0, keep_message, &all, &rig_err));
	return all;
}

static enum rc count_request(void *ctx, const struct request *request, struct err *err)
{
	(void)request;
	(void)err;
	++*(int *)ctx;
	return RC_OK;
}

static int requests(struct rig *rig)
{
	int count = 0;
	struct request_filter all = {.any_kind = true};
	assert_ok(request_each(rig->office.store, &all, count_request, &count, &rig_err));
	return count;
}

static void assert_fact(struct rig *rig, const char *name, const char *part)
{
	struct str value = STR_INIT;
	assert_ok(fact_get(rig->office.store, name, &value, &rig_err));
	if (part ? strstr(value.s, part) == NULL : value.len > 0)
		fail_msg("fact %s is \"%s\"", name, value.s);
	str_free(&value);
}

/* What no interface of the register can bring about. */
static void tamper(struct rig *rig, const char *sql)
{
	sqlite3 *db = NULL;
	char *message = NULL;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	(void)sqlite3_close(db);
}

/* ---- tests ---- */

static void test_mailbox_role__takes_each_mail_once(void **state)
{
	struct box box = box_open(state, "");
	arrive_text(box.rig, "a", "お世話になっております。質問があります。");
	arrive_text(box.rig, "b", "資料の送付をお願いします。");
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(all.item[i].state, MESSAGE_FILED);
		assert_string_equal(all.item[i].filed_uid, all.item[i].uid);
		assert_int_equal(all.item[i].taken_at, box.rig->clock.now);
	}
	assert_int_equal(requests(box.rig), 2);
	assert_int_equal(lies_in(box.rig, "", "a") + lies_in(box.rig, "", "b"), 0);
	assert_int_equal(lies_in(box.rig, REVIEW, "a") + lies_in(box.rig, REVIEW, "b"), 2);
	struct str raw = STR_INIT;
	assert_ok(message_raw(box.rig->office.store, 1, &raw, &rig_err));
	assert_non_null(strstr(raw.s, "Subject: a\r\n"));
	assert_ok(message_reading(box.rig->office.store, 1, &raw, &rig_err));
	assert_non_null(strstr(raw.s, "質問"));
	str_free(&raw);
	pass_seconds(&box, 100);
	box_restart(&box);
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 2);
	assert_int_equal(requests(box.rig), 2);
	assert_fact(box.rig, "mailbox.fetched_at", "1");
	rig_assert_whole(box.rig);
	box_close(&box);
}

static void test_mailbox_role__a_mail_arrives_at_its_time(void **state)
{
	struct box box = box_open(state, "");
	arrive(box.rig, "later", "Subject: x\r\n\r\ny\r\n", 17, 3600);
	arrive(box.rig, "latest", "Subject: x\r\n\r\nz\r\n", 17, 7200);
	assert_true(work(&box) == box.rig->clock.now + 3600);
	assert_int_equal(messages(box.rig).count, 0);
	pass_seconds(&box, 3600);
	assert_true(work(&box) == box.rig->clock.now + 3600);
	assert_int_equal(messages(box.rig).count, 1);
	box_close(&box);
}

static void test_mailbox_role__many_mails_of_the_future_do_not_stop_it(void **state)
{
	struct box box = box_open(state, "");
	char name[16];
	for (int i = 0; i < 80; i++) {
		(void)snprintf(name, sizeof name, "f%02d", i);
		arrive(box.rig, name, name, 3, 1000 + i);
	}
	assert_true(work(&box) == box.rig->clock.now + 1000);
	box_close(&box);
}

static void test_mailbox_role__large_and_empty_mails(void **state)
{
	struct box box = box_open(state, "mailbox : { message_bytes = 2048; };");
	char *large = xcalloc(1, 5000);
	memset(large, 'x', 4999);
	arrive(box.rig, "large", large, 4999, -3);
	large[0] = 'y';
	arrive(box.rig, "large2", large, 4999, -2);
	arrive(box.rig, "nothing", "", 0, -1);
	arrive_text(box.rig, "plain", "質問があります。");
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 4);
	struct str raw = STR_INIT;
	for (int i = 0; i < all.count; i++) {
		assert_int_equal(all.item[i].state, MESSAGE_FILED);
		assert_true(all.item[i].review || strcmp(all.item[i].uid, "nothing") == 0);
		assert_int_equal(all.item[i].same_as, 0);
		assert_ok(message_raw(box.rig->office.store, all.item[i].id, &raw, &rig_err));
		assert_int_equal(raw.len > 0, strcmp(all.item[i].uid, "plain") == 0);
	}
	assert_int_equal(all.item[0].size, 4999);
	assert_int_equal(lies_in(box.rig, REVIEW, "large"), 2);
	str_free(&raw);
	free(large);
	box_close(&box);
}

/* After steps 1, 2 and 3 of inbox.h, and each of them once more. */
static void test_mailbox_role__goes_on_where_a_crash_left_it(void **state)
{
	struct box box = box_open(state, "");
	arrive_text(box.rig, "one", "質問があります。");
	arrive_text(box.rig, "two", "お尋ねします。");
	(void)work(&box);
	assert_int_equal(requests(box.rig), 2);
	/* 2: read, and neither moved nor noted as such; 3: moved, and not noted. */
	tamper(box.rig, "UPDATE message SET state = 2, filed_uid = ''");
	move_back(box.rig, "one");
	box_restart(&box);
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(all.item[i].state, MESSAGE_FILED);
		assert_string_equal(all.item[i].filed_uid, all.item[i].uid);
	}
	assert_int_equal(requests(box.rig), 2);
	assert_int_equal(lies_in(box.rig, REVIEW, "one"), 1);
	assert_int_equal(lies_in(box.rig, "", "one"), 0);
	/* 1: taken, not read; the mailbox itself has lost it meanwhile. */
	struct mail_message message = {
		.taken_at = box.rig->clock.now, .uid = "three", .filed_uid = "", .size = 3};
	sha256(message.digest, "abc", 3);
	assert_ok(store_begin(box.rig->office.store, &rig_err));
	assert_ok(message_add(box.rig->office.store, &message, "abc", 3, &rig_err));
	assert_ok(store_commit(box.rig->office.store, &rig_err));
	box_restart(&box);
	(void)work(&box);
	assert_int_equal(messages(box.rig).item[2].state, MESSAGE_FILED);
	assert_int_equal(requests(box.rig), 3);
	box_close(&box);
}

static void test_mailbox_role__staff_move_mails(void **state)
{
	struct box box = box_open(state, "");
	arrive_text(box.rig, "back", "質問があります。");
	arrive_text(box.rig, "away", "お尋ねします。");
	arrive_text(box.rig, "stays", "教えてください。");
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 3);
	/* Back into INBOX: read anew. Out of 要確認: flagged, at the next look. */
	move_back(box.rig, "back");
	move_back(box.rig, "away");
	assert_int_equal(unlink(box_path(box.rig, "away")), 0);
	pass_seconds(&box, 60);
	box_restart(&box);
	(void)work(&box);
	all = messages(box.rig);
	assert_int_equal(all.count, 4);
	assert_int_equal(all.item[3].same_as > 0, 1);
	for (int i = 0; i < 3; i++) {
		bool stays = strcmp(all.item[i].uid, "stays") == 0;
		/* That "back" lies in 要確認 again, under its name, is as good as if it had never left. */
		bool away = strcmp(all.item[i].uid, "away") == 0;
		assert_int_equal(all.item[i].state, MESSAGE_FILED);
		if (stays || away)
			assert_int_equal(all.item[i].moved_away_at, away ? box.rig->clock.now : 0);
	}
	box_close(&box);
}

static void test_mailbox_role__trouble_is_told_and_taken_back(void **state)
{
	struct box box = box_open(state, "");
	rig_write(box.rig, "mailbox", "a file stands where the Maildir should be");
	utc_time next;
	struct err err = {0};
	enum rc rc;
	do {
		rc = role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &err);
	} while (!rc && next <= box.rig->clock.now);
	assert_int_equal(rc, RC_SERVER);
	assert_true(strlen(err.text) > 0);
	assert_fact(box.rig, "mailbox.fault", "by themselves later");
	assert_fact(box.rig, "mailbox.fault_ja", "自動的に再試行");
	char path[160];
	(void)snprintf(path, sizeof path, "%s/mailbox", box.rig->dir);
	assert_int_equal(unlink(path), 0);
	arrive_text(box.rig, "a", "質問があります。");
	role_mailbox.reload(&box.ctx); /* the pause is over */
	(void)work(&box);
	assert_fact(box.rig, "mailbox.fault", NULL);
	assert_fact(box.rig, "mailbox.fault_ja", NULL);
	assert_int_equal(messages(box.rig).count, 1);
	box_close(&box);
}

/* T11: whatever one mail does, those behind it are read. */
static void test_mailbox_role__what_can_not_be_carried_out_goes_to_people(void **state)
{
	struct box box = box_open(state, "");
	arrive_text(box.rig, "a", "質問があります。");
	(void)work(&box);
	tamper(box.rig, "CREATE TRIGGER poison BEFORE INSERT ON request WHEN new.message_id = 3"
			" BEGIN SELECT RAISE(ABORT, 'poison'); END");
	arrive_text(box.rig, "b", "お尋ねします。");
	pass_seconds(&box, 1);
	arrive_text(box.rig, "c", "教えてください。");
	pass_seconds(&box, 1);
	arrive_text(box.rig, "d", "どうすればよいですか。");
	box_restart(&box);
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 4);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(all.item[i].state, MESSAGE_FILED);
		assert_int_equal(all.item[i].folder, FOLDER_REVIEW);
	}
	assert_true(all.item[2].review);
	assert_int_equal(requests(box.rig), 3);
	box_close(&box);
}

/* Nothing could be settled about it, but it stands in the list of what people decide. */
static void test_mailbox_role__what_can_not_be_settled_is_listed(void **state)
{
	struct box box = box_open(state, "");
	tamper(box.rig, "CREATE TRIGGER poison BEFORE UPDATE ON request"
			" BEGIN SELECT RAISE(ABORT, 'poison'); END");
	arrive_text(box.rig, "a", "質問があります。");
	(void)work(&box);
	struct messages all = messages(box.rig);
	assert_int_equal(all.count, 1);
	assert_int_equal(all.item[0].folder, FOLDER_REVIEW);
	assert_int_equal(requests(box.rig), 1);
	struct request request;
	assert_ok(request_get(box.rig->office.store, 1, &request, box.rig->pool, &rig_err));
	assert_int_equal(request.state, REQUEST_STATE_REVIEW);
	assert_int_equal(request.message_id, all.item[0].id);
	struct audit audit;
	assert_ok(audit_run(box.rig->office.store, NULL, &audit, &rig_err));
	assert_null(audit.fault);
	box_close(&box);
}

/* While reading is paused mails stay where they are. */
static void test_mailbox_role__reading_is_paused(void **state)
{
	struct box box = box_open(state, "");
	const char *why_ja;
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, true, "点検", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	arrive_text(box.rig, "a", "質問があります。");
	(void)work(&box);
	pass_seconds(&box, 600);
	assert_int_equal(messages(box.rig).count, 0);
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, false, "", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 1);
	box_close(&box);
}

static enum rc count_filed(void *ctx, const struct mail_message *message, struct err *err)
{
	(void)err;
	*(int *)ctx += message->state == MESSAGE_FILED;
	return RC_OK;
}

/* m000, m001 … */
static void arrive_many(const struct rig *rig, int count)
{
	char name[16];
	for (int i = 0; i < count; i++) {
		(void)snprintf(name, sizeof name, "m%03d", i);
		arrive_text(rig, name, "質問があります。");
	}
}

/* More than a batch: some are with their readers while others are taken, and a pause or an end may come at any moment. */
static void test_mailbox_role__what_is_under_way_is_read_anew(void **state)
{
	enum { MAILS = 100 };
	struct box box = box_open(state, "");
	const char *why_ja;
	int filed = 0;
	utc_time next;
	arrive_many(box.rig, MAILS);
	assert_ok(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err));
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, true, "点検", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	assert_ok(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err));
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, false, "", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	assert_ok(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err));
	box_restart(&box);
	(void)work(&box);
	assert_ok(message_each(box.rig->office.store, 0, 0, 0, count_filed, &filed, &rig_err));
	assert_int_equal(filed, MAILS);
	assert_int_equal(requests(box.rig), MAILS);
	assert_int_equal(lies_in(box.rig, "", "m"), 0);
	assert_int_equal(lies_in(box.rig, REVIEW, "m"), MAILS);
	rig_assert_whole(box.rig);
	box_close(&box);
}

/* While the register can't be written nothing counts as done: it is read from there when it can be, without a new start. */
static void test_mailbox_role__what_could_not_be_written_is_read_anew(void **state)
{
	enum { MAILS = 100 };
	struct box box = box_open(state, "");
	struct store *store = box.rig->office.store;
	int64_t floor = box.rig->settings->disk_floor_mib;
	int filed = 0;
	utc_time next;
	arrive_many(box.rig, MAILS);
	assert_ok(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err));
	box.rig->settings->disk_floor_mib = INT64_MAX; /* nothing more is taken; what was is read */
	assert_ok(sql_exec(store,
		"CREATE TRIGGER full BEFORE UPDATE ON message BEGIN SELECT RAISE(ABORT, 'full'); END",
		&rig_err));
	assert_int_equal(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err), RC_STORE);
	assert_ok(sql_exec(store, "DROP TRIGGER full", &rig_err));
	box.rig->settings->disk_floor_mib = floor;
	(void)work(&box);
	assert_ok(message_each(store, 0, 0, 0, count_filed, &filed, &rig_err));
	assert_int_equal(filed, MAILS);
	assert_int_equal(requests(box.rig), MAILS);
	assert_int_equal(lies_in(box.rig, REVIEW, "m"), MAILS);
	rig_assert_whole(box.rig);
	box_close(&box);
}

static void test_mailbox_role__a_mail_that_ends_the_process_is_given_up(void **state)
{
	struct box box = box_open(state, "");
	struct mail_message message = {
		.taken_at = box.rig->clock.now, .uid = "deadly", .filed_uid = "", .size = 3};
	sha256(message.digest, "abc", 3);
	assert_ok(store_begin(box.rig->office.store, &rig_err));
	assert_ok(message_add(box.rig->office.store, &message, "abc", 3, &rig_err));
	assert_ok(store_commit(box.rig->office.store, &rig_err));
	/* While nothing is read no mail ends anything, however often the process does. */
	const char *why_ja;
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, true, "点検", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	for (int i = 0; i < 12; i++) {
		box_restart(&box);
		(void)work(&box);
	}
	assert_fact(box.rig, "mailbox.resumed", NULL);
	assert_ok(office_pause(&box.ctx.office, PAUSE_READING, false, "", "staff:0(root)", &why_ja,
		box.rig->pool, &rig_err));
	assert_ok(store_begin(box.rig->office.store, &rig_err));
	assert_ok(
		fact_set(box.rig->office.store, "mailbox.resumed", "1 10", &rig_err)); /* it died ten times */
	assert_ok(store_commit(box.rig->office.store, &rig_err));
	(void)work(&box);
	assert_fact(box.rig, "mailbox.resumed", "1 11");
	struct messages all = messages(box.rig);
	assert_int_equal(all.item[0].state, MESSAGE_FILED);
	assert_true(all.item[0].review);
	struct str reading = STR_INIT;
	assert_ok(message_reading(box.rig->office.store, 1, &reading, &rig_err));
	assert_int_equal(reading.len, 0);
	str_free(&reading);
	box_close(&box);
}

static void test_mailbox_role__no_room_no_mails(void **state)
{
	struct box box = box_open(state, "disk_floor_mib = 10485760;");
	arrive_text(box.rig, "a", "質問があります。");
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 0);
	assert_int_equal(lies_in(box.rig, "", "a"), 1);
	assert_fact(box.rig, "mailbox.fault_ja", "空きが足りない");
	rig_configure(box.rig, "disk_floor_mib = 0;");
	box.ctx.settings = box.rig->settings;
	role_mailbox.reload(&box.ctx);
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 1);
	assert_fact(box.rig, "mailbox.fault", NULL);
	box_close(&box);
}

/* What is known to have come, and can't be taken yet, is not waited for: a Maildir would answer at once, again and again. */
static void test_mailbox_role__no_room_no_haste(void **state)
{
	struct box box = box_open(state, "disk_floor_mib = 0;");
	int fd;
	box.ctx.simulating = box.ctx.in_turn = false;
	arrive_text(box.rig, "a", "質問があります。");
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 1);
	assert_int_equal(role_mailbox.watch(&box.ctx, &fd, 1), 1);
	rig_configure(box.rig, "disk_floor_mib = 10485760;");
	box.ctx.settings = box.rig->settings;
	arrive_text(box.rig, "b", "質問があります。");
	assert_int_equal(poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 60000), 1);
	(void)work(&box);
	assert_int_equal(role_mailbox.watch(&box.ctx, &fd, 1), 0);
	assert_int_equal(messages(box.rig).count, 1);
	rig_configure(box.rig, "disk_floor_mib = 0;");
	box.ctx.settings = box.rig->settings;
	(void)work(&box);
	assert_int_equal(messages(box.rig).count, 2);
	assert_int_equal(role_mailbox.watch(&box.ctx, &fd, 1), 1);
	box_close(&box);
}

static void test_mailbox_role__files_copies_of_sent_notices(void **state)
{
	struct box box = box_open(state, "mailbox : { sent = \"送信済み\"; };");
	int64_t id = rig_apply(box.rig, 1);
	(void)rig_send(box.rig);
	(void)id;
	assert_ok(store_begin(box.rig->office.store, &rig_err));
	assert_ok(copy_add(box.rig->office.store, 1, &rig_err));
	assert_ok(store_commit(box.rig->office.store, &rig_err));
	(void)work(&box);
	int64_t left = -1;
	assert_ok(copy_next(box.rig->office.store, 0, &left, &rig_err));
	assert_int_equal(left, 0);
	assert_int_equal(lies_in(box.rig, ".&kAFP4W4IMH8-", "notice-"), 1);
	box_close(&box);
}

/* A register that can't be read just now keeps its copies for later; a letter that is damaged holds up no other. */
static void test_mailbox_role__copies_that_can_not_be_read(void **state)
{
	struct box box = box_open(state, "mailbox : { sent = \"送信済み\"; };");
	utc_time next;
	int64_t left = -1;
	(void)rig_apply(box.rig, 1);
	(void)rig_send(box.rig);
	assert_ok(store_begin(box.rig->office.store, &rig_err));
	assert_ok(copy_add(box.rig->office.store, 1, &rig_err));
	assert_ok(store_commit(box.rig->office.store, &rig_err));
	assert_ok(sql_exec(box.rig->office.store, "ALTER TABLE letter RENAME TO gone", &rig_err));
	enum rc rc;
	do {
		rc = role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err);
	} while (!rc && next <= box.rig->clock.now);
	assert_int_equal(rc, RC_STORE);
	assert_ok(copy_next(box.rig->office.store, 0, &left, &rig_err));
	assert_int_equal(left, 1);
	assert_ok(sql_exec(box.rig->office.store, "ALTER TABLE gone RENAME TO letter", &rig_err));
	assert_ok(sql_exec(box.rig->office.store, "UPDATE letter SET packed = x'00'", &rig_err));
	(void)work(&box);
	assert_ok(copy_next(box.rig->office.store, 0, &left, &rig_err));
	assert_int_equal(left, 0);
	assert_int_equal(lies_in(box.rig, ".&kAFP4W4IMH8-", "notice-"), 0);
	box_close(&box);
}

static void test_mailbox_role__a_simulation_asks_no_server(void **state)
{
	struct box box = box_open(state, "mailbox : { maildir = false; host = \"localhost\"; port = 1; user "
					 "= \"u\"; password_from = \"key\"; };");
	(void)work(&box);
	assert_fact(box.rig, "mailbox.fault", NULL);
	box_close(&box);
}

/* A server that can't be asked is told of, in words that say where to look; requests go on all the same. */
static void test_mailbox_role__a_server_that_can_not_be_asked(void **state)
{
	static const struct {
		const char *password_from, *fact_ja;
	} cases[] = {{"none", "ログインできません"}, {"key", "接続できません"}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str conf = STR_INIT;
		str_printf(&conf,
			"mailbox : { maildir = false; host = \"localhost\"; port = 1; user = \"u\"; "
			"password_from = \"%s\"; };",
			cases[i].password_from);
		struct box box = box_open(state, conf.s);
		box.ctx.simulating = false;
		utc_time next;
		enum rc rc;
		do {
			rc = role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err);
		} while (!rc && next <= box.rig->clock.now);
		assert_int_equal(rc, RC_SERVER);
		assert_fact(box.rig, "mailbox.fault_ja", cases[i].fact_ja);
		/* In a service it waits and tries again. */
		box.ctx.in_turn = false;
		assert_ok(role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err));
		assert_true(next > box.rig->clock.now && next <= box.rig->clock.now + 62);
		assert_fact(box.rig, "mailbox.fetched_at", NULL);
		box_close(&box);
		str_free(&conf);
	}
}

static struct box box_on(void **state, struct imap_server *server, const char *certificate, const char *user)
{
	struct rig *rig = *state;
	struct box box = box_open(
		state, pool_printf(rig->pool,
			       "mailbox : { maildir = false; host = \"localhost\"; port = %d; user = \"%s\"; "
			       "password_from = \"key\"; ca_file = \"%s\"; };",
			       imap_server_port(server), user, certificate));
	box.ctx.simulating = false;
	return box;
}

/* A server in trouble refuses a mail that it gives a moment later: that is no reason to leave it to people. One that it never gives is theirs. */
static void test_mailbox_role__a_mail_that_is_refused(void **state)
{
#define BYTES "From: tanto@example.co.jp\r\n\r\nx\r\n"
#define DONE_OK "$T OK done\r\n"
#define LISTED(validity, uid)                                                                                \
	{.on = "SELECT",                                                                                     \
		.answer = "* 1 EXISTS\r\n* OK [UIDVALIDITY " validity                                        \
			  "] x\r\n* OK [UIDNEXT 6] x\r\n" DONE_OK},                                          \
		{.on = "FETCH 1 (UID)", .answer = "* 1 FETCH (UID " uid ")\r\n" DONE_OK},                    \
		{.on = "FETCH 1:1 (UID RFC822.SIZE)",                                                        \
			.answer = "* 1 FETCH (UID " uid " RFC822.SIZE 32)\r\n" DONE_OK},                     \
	{                                                                                                    \
		.on = "UID FETCH " uid " (UID RFC822.SIZE)",                                                 \
		.answer = "* 1 FETCH (UID " uid " RFC822.SIZE 32)\r\n" DONE_OK                               \
	}
#define REFUSED "$T NO [UNAVAILABLE] disk\r\n"
	static const struct {
		struct imap_rule rules[8];
		int tries;
		const char *bytes;
	} cases[] = {
		{{LISTED("7", "5"), {.on = "UID FETCH 5 (UID BODY", .answer = REFUSED, .times = 1},
			 {.on = "UID FETCH 5 (UID BODY",
				 .answer = "* 1 FETCH (UID 5 BODY[] {32}\r\n" BYTES ")\r\n" DONE_OK}},
			1, BYTES},
		{{LISTED("8", "9"), {.on = "UID FETCH 9 (UID BODY", .answer = REFUSED}}, 6, ""},
	};
	_Static_assert(sizeof BYTES == 33, "as the server says");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct rig *rig = *state;
		const char *certificate = pool_printf(rig->pool, "%s/certificate.pem", rig->dir);
		struct imap_server *server = imap_server_start(&(struct imap_script){
			.tls = IMAP_IMPLICIT, .rules = cases[i].rules, .certificate = certificate});
		struct box box = box_on(state, server, certificate, "u");
		int64_t before = (int64_t)messages(box.rig).count;
		for (int n = 1; n <= cases[i].tries; n++) {
			utc_time next;
			enum rc rc;
			do {
				rc = role_mailbox.step(&box.ctx, box.rig->clock.now, &next, &rig_err);
			} while (!rc && next <= box.rig->clock.now);
			assert_int_equal(rc, RC_SERVER);
			assert_non_null(strstr(rig_err.text, pool_printf(rig->pool, "try %d of 6", n)));
			assert_int_equal(messages(box.rig).count, before);
			role_mailbox.reload(&box.ctx);
		}
		(void)work(&box);
		struct str raw = STR_INIT;
		assert_int_equal(messages(box.rig).count, before + 1);
		assert_ok(message_raw(box.rig->office.store, before + 1, &raw, &rig_err));
		assert_string_equal(raw.s ? raw.s : "", cases[i].bytes);
		str_free(&raw);
		box_close(&box);
		imap_server_stop(&server);
	}
}

/* Servers give each new mailbox the UIDVALIDITY of its second, or 1: another one may have the same, and the same UIDs. */
static void test_mailbox_role__another_mailbox_with_the_same_uids(void **state)
{
#define OTHER "From: tanto@example.co.jp\r\n\r\nz\r\n"
#define GIVES(bytes)                                                                                         \
	{                                                                                                    \
		LISTED("7", "5"),                                                                            \
			{.on = "UID FETCH 5 (UID BODY",                                                      \
				.answer = "* 1 FETCH (UID 5 BODY[] {32}\r\n" bytes ")\r\n" DONE_OK},         \
		{                                                                                            \
			.on = NULL                                                                           \
		}                                                                                            \
	}
	static const struct imap_rule first[] = GIVES(BYTES), second[] = GIVES(OTHER);
	struct rig *rig = *state;
	const char *certificate = pool_printf(rig->pool, "%s/certificate.pem", rig->dir);
	struct imap_server *server = imap_server_start(
		&(struct imap_script){.tls = IMAP_IMPLICIT, .rules = first, .certificate = certificate});
	struct box box = box_on(state, server, certificate, "old");
	(void)work(&box);
	assert_int_equal(messages(rig).count, 1);
	tamper(rig, "UPDATE message SET state = 2, filed_uid = ''"); /* not moved yet */
	box_close(&box);
	imap_server_change(server, second);
	box = box_on(state, server, certificate, "new");
	(void)work(&box);
	assert_int_equal(messages(rig).count, 2);
	struct str raw = STR_INIT;
	assert_ok(message_raw(rig->office.store, 2, &raw, &rig_err));
	assert_string_equal(raw.s, OTHER);
	str_free(&raw);
	/* The same mails in another mailbox are known. */
	box_close(&box);
	box = box_on(state, server, certificate, "newer");
	(void)work(&box);
	assert_int_equal(messages(rig).count, 2);
	for (int i = 0; i < 2; i++)
		assert_int_equal(messages(rig).item[i].state, MESSAGE_FILED);
	box_close(&box);
	imap_server_stop(&server);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(test_mailbox_role__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(takes_each_mail_once),
		CASE(a_mail_arrives_at_its_time),
		CASE(many_mails_of_the_future_do_not_stop_it),
		CASE(large_and_empty_mails),
		CASE(goes_on_where_a_crash_left_it),
		CASE(staff_move_mails),
		CASE(trouble_is_told_and_taken_back),
		CASE(what_can_not_be_carried_out_goes_to_people),
		CASE(what_can_not_be_settled_is_listed),
		CASE(reading_is_paused),
		CASE(what_is_under_way_is_read_anew),
		CASE(what_could_not_be_written_is_read_anew),
		CASE(a_mail_that_ends_the_process_is_given_up),
		CASE(no_room_no_mails),
		CASE(no_room_no_haste),
		CASE(a_mail_that_is_refused),
		CASE(another_mailbox_with_the_same_uids),
		CASE(files_copies_of_sent_notices),
		CASE(copies_that_can_not_be_read),
		CASE(a_simulation_asks_no_server),
		CASE(a_server_that_can_not_be_asked),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
