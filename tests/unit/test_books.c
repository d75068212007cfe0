/* The evening's books: everything that came in stands somewhere, and what does not is found and named. */
#include "tests/unit/office_rig.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/desk/books.h"
#include "lib/desk/sent_log.h"

/* ---- an office whose applications come in files, and whose mails are logged as the sender does ---- */

struct told {
	int count[DIFFERENCE_ORPHAN + 1];
	int64_t about;
	char text[512]; /* of the last one */
};

static enum rc take_told(void *ctx, const struct difference *difference, struct err *err)
{
	struct told *told = ctx;
	(void)err;
	told->count[difference->kind]++;
	told->about = difference->about;
	(void)snprintf(told->text, sizeof told->text, "%s", difference->text);
	return RC_OK;
}

static struct balance balance_of(struct rig *rig, struct told *told)
{
	struct balance balance;
	*told = (struct told){0};
	assert_ok(books_balance(&rig->office, &balance, take_told, told, rig->pool, &rig_err));
	return balance;
}

/* Everything fits. */
static struct balance assert_fits(struct rig *rig)
{
	struct told told;
	struct balance balance = balance_of(rig, &told);
	if (balance.differences)
		fail_msg("%s", told.text);
	for (int i = 0; i < balance.stage_count; i++) {
		const struct stage_books *books = &balance.stage[i].books;
		assert_int_equal(books->applications, books->unconfirmed + books->waiting + books->held +
							      books->review + books->queued + books->sent +
							      books->unknown + books->failed + books->ended);
	}
	return balance;
}

/* Exactly one difference, of that kind and about that. */
static void assert_found(struct rig *rig, enum difference_kind kind, int64_t about)
{
	struct told told;
	struct balance balance = balance_of(rig, &told);
	assert_int_equal(balance.differences, 1);
	assert_int_equal(told.count[kind], 1);
	assert_int_equal(told.about, about);
	char number[32];
	(void)snprintf(number, sizeof number, "%lld", (long long)about);
	if (!strstr(told.text, number))
		fail_msg("\"%s\" does not name %s", told.text, number);
}

/* A file of `count` rows, from business `first` on, taken, archived and recounted. */
static int64_t take_file(struct rig *rig, int first, int count)
{
	struct str path = STR_INIT;
	struct spool_file file = {.name = "form.csv",
		.size = 4,
		.taken_at = rig->clock.now,
		.owner = "1000",
		.state = FILE_TAKEN,
		.archive = ""};
	path_join(&path, rig->dir, "archive");
	assert_ok(file_mkdirs(path.s, 0700, &rig_err));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_add(rig->office.store, &file, &rig_err));
	for (int i = 0; i < count; i++) {
		int64_t id;
		bool review;
		struct form_values form = rig_form(rig, first + i);
		assert_ok(office_register(&rig->office, &form, NULL, file.id, i + 1, &id, &review, &rig_err));
		file.accepted += !review;
		file.review += review;
	}
	str_clear(&path);
	str_printf(&path, "archive/%lld.csv", (long long)file.id);
	file.rows_done = count;
	file.state = FILE_DONE;
	file.archive = pool_strdup(rig->pool, path.s);
	assert_ok(file_update(rig->office.store, &file, &rig_err));
	assert_ok(file_recounted(rig->office.store, file.id, count, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_write(rig, file.archive, "form");
	str_free(&path);
	return file.id;
}

static void log_line(struct rig *rig, int64_t id)
{
	const struct sent_log_line line = {rig->clock.now, id, 250};
	assert_ok(sent_log_add(rig->settings, &line, 1, false, &rig_err));
}

static struct rig *logging;
/* The rig's mail server takes it, and the transport notes it. */
static enum outcome answer_logged(const struct notice *notice)
{
	log_line(logging, notice->id);
	return OUTCOME_ACCEPTED;
}

static int setup(void **state)
{
	int rc = rig_setup(state);
	logging = *state;
	logging->answer = answer_logged;
	assert_ok(store_begin(logging->office.store, &rig_err));
	assert_ok(books_begin(&logging->office, &rig_err));
	assert_ok(store_commit(logging->office.store, &rig_err));
	return rc;
}

/* The register changed behind its back. */
static void aside(struct rig *rig, const char *sql)
{
	sqlite3 *db;
	char *message = NULL;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", sql, message);
	assert_int_equal(sqlite3_changes(db), 1);
	(void)sqlite3_close(db);
}

static void keep(struct rig *rig, const struct balance *balance)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(books_keep(&rig->office, balance, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* ---- everything fits ---- */

static void test_books__every_evening_of_three_weeks(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 5);
	for (int day = 0; day < 22; day++) {
		rig_run_until(rig, civil_moment(rig_today(rig), 18 * 60));
		struct balance balance = assert_fits(rig);
		assert_int_equal(balance.logged, balance.booked);
		keep(rig, &balance);
		if (day == 2) {
			rig_decide(rig, 2, DECISION_HOLD, "確認中");
			rig_decide(rig, 3, DECISION_WITHDRAW, "取下げ");
			rig_decide(rig, 4, DECISION_REJECT, "対象外");
		}
		if (day == 8)
			take_file(rig, 10, 2);
		rig_run_until(rig, civil_moment(rig_today(rig) + 1, 10 * 60));
	}
	struct balance balance = assert_fits(rig);
	assert_int_equal(balance.stage_count, 3);
	assert_string_equal(balance.stage[1].profile, "form");
	assert_string_equal(balance.stage[1].template_name, "id");
	const struct stage_books *books = &balance.stage[1].books;
	assert_int_equal(books->applications, 7);
	assert_int_equal(books->held, 1);
	assert_int_equal(books->ended, 2);
	assert_int_equal(books->sent, 4);
	assert_int_equal(balance.stage[0].books.sent, 7);
	assert_int_equal(balance.rows.rows, 7);
	assert_int_equal(balance.rows.recounted_rows, 7);
	assert_int_equal(balance.rows.different_files, 0);
}

static void test_books__imported_ones_count_from_where_they_came_in(void **state)
{
	struct rig *rig = *state;
	rig_apply(rig, 1); /* as one taken over: from no file */
	rig_run_days(rig, 30);
	struct balance balance = assert_fits(rig);
	assert_int_equal(balance.rows.imported, 1);
	assert_int_equal(balance.stage[0].books.applications, 1);
}

static void test_books__result_is_kept(void **state)
{
	struct rig *rig = *state;
	struct books_result result;
	struct str head = STR_INIT;
	assert_ok(books_last(&rig->office, &result, &rig_err));
	assert_true(result.at == 0);
	take_file(rig, 1, 1);
	rig_run_days(rig, 1);
	struct balance balance = assert_fits(rig);
	keep(rig, &balance);
	assert_ok(books_last(&rig->office, &result, &rig_err));
	hex_add(&head, balance.head, sizeof balance.head);
	assert_true(result.at == rig->clock.now);
	assert_int_equal(result.differences, 0);
	assert_true(result.head_seq == balance.head_seq && result.head_seq > 0);
	assert_string_equal(result.head, head.s);
	str_free(&head);
}

/* ---- what does not fit ---- */

static void test_books__removed_application(void **state)
{
	struct rig *rig = *state;
	int64_t file = take_file(rig, 1, 3);
	assert_fits(rig);
	/* Before anything was sent for it, so that its file alone tells. */
	aside(rig, "DELETE FROM outbox WHERE application_id = 2");
	aside(rig, "DELETE FROM application WHERE id = 2");
	assert_found(rig, DIFFERENCE_REGISTERED, file);
}

static void test_books__removed_notice(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 3);
	aside(rig, "DELETE FROM outbox WHERE application_id = 2");
	assert_found(rig, DIFFERENCE_STAGE, 2);
}

static void test_books__orphans(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 3);
	rig_run_days(rig, 8);
	assert_fits(rig);
	aside(rig,
		"UPDATE outbox SET application_id = 77, stage = -1 WHERE id = (SELECT max(id) FROM outbox)");
	struct told told;
	struct balance balance = balance_of(rig, &told);
	assert_int_equal(told.count[DIFFERENCE_ORPHAN], 1);
	assert_int_equal(told.count[DIFFERENCE_STAGE], 1); /* and whose notice it was */
	assert_int_equal(balance.differences, 2);
	aside(rig, "UPDATE outbox SET application_id = 3, stage = 1 WHERE application_id = 77");
	assert_fits(rig);
	aside(rig, "UPDATE number SET application_id = 78 WHERE number = (SELECT min(number) FROM number)");
	assert_found(rig, DIFFERENCE_ORPHAN, 78);
}

/* A letter of no stage, or of one that no profile can have, speaks for no stage. */
static void test_books__letters_of_no_stage(void **state)
{
	struct rig *rig = *state;
	static const int stages[] = {-1, STAGE_MAX, STAGE_MAX + 1, 100};
	take_file(rig, 1, 3);
	rig_run_days(rig, 8);
	assert_fits(rig);
	for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
		char sql[256];
		(void)snprintf(sql, sizeof sql,
			"UPDATE outbox SET stage = %d WHERE application_id = 2 AND stage = 0", stages[i]);
		aside(rig, sql);
		assert_found(rig, DIFFERENCE_STAGE, 2);
		(void)snprintf(sql, sizeof sql, "UPDATE outbox SET stage = 0 WHERE stage = %d", stages[i]);
		aside(rig, sql);
		assert_fits(rig);
	}
}

static void test_books__archives(void **state)
{
	struct rig *rig = *state;
	int64_t file = take_file(rig, 1, 3), other = take_file(rig, 10, 2);
	struct str path = STR_INIT;
	assert_fits(rig);
	/* Gone after it was counted. */
	str_printf(&path, "%s/archive/%lld.csv", rig->dir, (long long)file);
	assert_int_equal(unlink(path.s), 0);
	assert_found(rig, DIFFERENCE_ARCHIVE, file);
	/* Found gone when it was to be counted: told once, not twice. */
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_recounted(rig->office.store, file, -1, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_found(rig, DIFFERENCE_ARCHIVE, file);
	/* Retention took it: its name is forgotten. */
	aside(rig, "UPDATE file SET archive = '' WHERE id = 1");
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(file_recounted(rig->office.store, file, 3, &rig_err));
	assert_ok(file_recounted(rig->office.store, other, 5, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_found(rig, DIFFERENCE_ROWS, other);
	str_free(&path);
}

static enum rc note_file(void *ctx, const struct spool_file *file, struct err *err)
{
	(void)err;
	*(int64_t *)ctx = file->id;
	return RC_OK;
}

static void test_books__uncounted_files(void **state)
{
	struct rig *rig = *state;
	int64_t file = take_file(rig, 1, 3), seen = 0;
	aside(rig, "DELETE FROM recount");
	assert_fits(rig); /* nothing is known against it yet */
	assert_ok(file_each_uncounted(rig->office.store, 0, 5, note_file, &seen, &rig_err));
	assert_true(seen == file);
	seen = 0;
	assert_ok(file_each_uncounted(rig->office.store, file, 5, note_file, &seen, &rig_err));
	assert_true(seen == 0);
	assert_ok(
		file_each(rig->office.store, rig->clock.now, rig->clock.now + 1, note_file, &seen, &rig_err));
	assert_true(seen == file);
	seen = 0;
	assert_ok(file_each(rig->office.store, 0, rig->clock.now, note_file, &seen, &rig_err));
	assert_true(seen == 0);
}

/* ---- the transport's own log ---- */

static void test_books__sent_and_not_logged(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 2);
	rig_run_days(rig, 1);
	assert_fits(rig);
	rig->answer = NULL; /* the transport notes nothing */
	take_file(rig, 10, 1);
	rig_run_days(rig, 1);
	struct told told;
	struct balance balance = balance_of(rig, &told);
	assert_int_equal(told.count[DIFFERENCE_NOT_LOGGED], 1);
	assert_int_equal(balance.booked, balance.logged + 1);
	assert_false(balance.log_fits);
	/* Named again on the next evening. */
	keep(rig, &balance);
	rig_run_days(rig, 3);
	balance = balance_of(rig, &told);
	assert_int_equal(told.count[DIFFERENCE_NOT_LOGGED], 1);
	keep(rig, &balance);
	/* What is two months old is let go. */
	clock_set(&rig->clock, rig->clock.now + 70 * (utc_time)86400);
	balance = balance_of(rig, &told);
	keep(rig, &balance);
	balance = balance_of(rig, &told);
	assert_int_equal(told.count[DIFFERENCE_NOT_LOGGED], 0);
}

static void test_books__doubled_line(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 2);
	rig_run_days(rig, 1);
	assert_fits(rig);
	log_line(rig, 2);
	assert_found(rig, DIFFERENCE_TWICE, 2);
}

static void test_books__logged_and_not_booked(void **state)
{
	struct rig *rig = *state;
	take_file(rig, 1, 2);
	log_line(rig, 1); /* still queued */
	assert_found(rig, DIFFERENCE_NOT_BOOKED, 1);
	log_line(rig, 4711); /* nobody's */
	struct told told;
	balance_of(rig, &told);
	assert_int_equal(told.count[DIFFERENCE_NOT_BOOKED], 2);
	assert_true(told.about == 4711);
}

/* The process dies between the line and the register: the mail's outcome is unknown, and the books say that. */
static void test_books__crash_between_log_and_register(void **state)
{
	struct rig *rig = *state;
	struct notice notice[4];
	int count = 0, recovered = 0;
	take_file(rig, 1, 1);
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(outbox_claim(
		rig->office.store, rig->clock.now, 4, NULL, notice, &count, rig->pool, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	assert_int_equal(count, 1);
	log_line(rig, notice[0].id);
	struct balance balance = assert_fits(rig); /* at the server this moment */
	assert_int_equal(balance.open, 1);

	rig_restart(rig);
	assert_ok(office_recover_sending(&rig->office, &recovered, &rig_err));
	assert_int_equal(recovered, 1);
	balance = assert_fits(rig);
	assert_int_equal(balance.open, 1);
	assert_int_equal(balance.logged, balance.booked + balance.open);
	assert_int_equal(balance.stage[0].books.unknown, 1);
	keep(rig, &balance);

	/* Sent once more after its pause: taken twice, and the register knows of both. */
	rig_run_days(rig, 1);
	balance = assert_fits(rig);
	assert_int_equal(balance.open, 0);
	assert_int_equal(balance.booked, 1);
	assert_int_equal(balance.logged, 1);
	assert_int_equal(balance.stage[0].books.sent, 1);
	/* A third line is one too many. */
	log_line(rig, notice[0].id);
	assert_found(rig, DIFFERENCE_TWICE, notice[0].id);
}

/* Sent before there was a log: an upgraded register. */
static void test_books__log_begins_later(void **state)
{
	struct rig *rig = *state;
	rig->answer = NULL;
	take_file(rig, 1, 2);
	rig_run_days(rig, 1);
	aside(rig, "DELETE FROM fact WHERE name = 'books.settled'");
	struct balance balance = assert_fits(rig); /* as looked at before the desk has worked */
	assert_int_equal(balance.booked, 0);
	rig->answer = answer_logged;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(books_begin(&rig->office, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	rig_run_days(rig, 10);
	balance = assert_fits(rig);
	assert_int_equal(balance.booked, 2);
	assert_int_equal(balance.logged, 2);
}

static void begin_anew(struct rig *rig, utc_time from)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(books_begin_anew(&rig->office, from, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* A register that was put back gives numbers out again that the log has of other notices. */
static void test_books__numbers_given_out_again(void **state)
{
	struct rig *rig = *state;
	log_line(rig, 1);
	log_line(rig, 2);
	clock_set(&rig->clock, rig->clock.now + 600);
	begin_anew(rig, rig->clock.now + 1);
	clock_set(&rig->clock, rig->clock.now + 60);
	take_file(rig, 1, 2);
	rig_run_days(rig, 1);
	struct balance balance = assert_fits(rig);
	assert_int_equal(balance.booked, 2);
	assert_int_equal(balance.logged, 2);
	/* On a later evening as well, and what is wrong since is found. */
	keep(rig, &balance);
	assert_fits(rig);
	log_line(rig, 1);
	assert_found(rig, DIFFERENCE_TWICE, 1);
}

/* What was sent while the clock was days ahead is compared when its time has come. */
static void test_books__clock_that_was_ahead(void **state)
{
	struct rig *rig = *state;
	utc_time right = rig->clock.now;
	clock_set(&rig->clock, right + 5 * (utc_time)86400);
	take_file(rig, 1, 2);
	rig_run_days(rig, 1);
	utc_time ahead = rig->clock.now;
	struct balance balance = assert_fits(rig);
	assert_int_equal(balance.booked, 2);
	clock_set(&rig->clock, right);
	balance = assert_fits(rig);
	assert_int_equal(balance.booked, 0);
	keep(rig, &balance);
	clock_set(&rig->clock, ahead);
	balance = assert_fits(rig);
	assert_int_equal(balance.booked, 2);
	assert_int_equal(balance.logged, 2);
}

/* What the books settled by a clock that was a month ahead is not settled once the clock is right again: neither then, nor when that day has come. */
static void test_books__settled_while_the_clock_was_ahead(void **state)
{
	struct rig *rig = *state;
	const utc_time right = rig->clock.now, month = 30 * (utc_time)86400;
	struct told told;
	for (int anew = 0; anew < 2; anew++) {
		clock_set(&rig->clock, right + month);
		struct balance balance = balance_of(rig, &told);
		if (anew)
			begin_anew(rig, rig->clock.now);
		else
			keep(rig, &balance);
		clock_set(&rig->clock, right);
		if (!anew)
			take_file(rig, 1, 2);
		rig_run_days(rig, 1);
		if (!anew)
			log_line(rig, 2);
		assert_found(rig, DIFFERENCE_TWICE, 2);
		balance = balance_of(rig, &told);
		keep(rig, &balance);
		if (!anew) {
			clock_set(&rig->clock, right + month + 86400);
			assert_found(rig, DIFFERENCE_TWICE, 2);
		}
	}
}

/* And one that was years behind makes nobody look through those years. */
static void test_books__settled_while_the_clock_was_behind(void **state)
{
	struct rig *rig = *state;
	const utc_time right = rig->clock.now, day = 86400;
	clock_set(&rig->clock, right - 1000 * day);
	struct balance balance = assert_fits(rig);
	keep(rig, &balance);
	clock_set(&rig->clock, right);
	balance = assert_fits(rig);
	assert_true(balance.since == right - 62 * day);
}

static enum rc sum_lines(void *ctx, const struct sent_log_line *line, struct err *err)
{
	(void)err;
	*(int64_t *)ctx += line->notice_id;
	assert_int_equal(line->reply_code, 250);
	return RC_OK;
}

static void test_books__sent_log_by_month_and_cut_short(void **state)
{
	struct rig *rig = *state;
	struct str path = STR_INIT, text = STR_INIT;
	utc_time end = civil_moment(civil_from_ymd(2026, 7, 1), 9 * 60); /* the month ends in UTC */
	const struct sent_log_line line[] = {{end - 1, 1, 250}, {end, 10, 250}, {end + 1, 100, 250}};
	int64_t sum = 0;
	assert_ok(sent_log_add(rig->settings, line, 3, true, &rig_err));
	path_join(&path, rig->dir, "sent/2026-06.log");
	assert_ok(file_read(&text, path.s, 4096, &rig_err));
	assert_string_equal(text.s, "2026-06-30T23:59:59Z 1 250\n");
	str_clear(&path);
	path_join(&path, rig->dir, "sent/2026-07.log");
	/* The power fails within a line. */
	FILE *file = fopen(path.s, "a");
	assert_non_null(file);
	(void)fputs("2026-07-01T00:00:02Z 10", file);
	(void)fclose(file);
	assert_ok(
		sent_log_add(rig->settings, &(struct sent_log_line){end + 3, 1000, 250}, 1, true, &rig_err));
	assert_ok(sent_log_each(rig->settings, end - 10, end + 10, sum_lines, &sum, &rig_err));
	assert_int_equal(sum, 1111);
	sum = 0;
	assert_ok(sent_log_each(rig->settings, end, end + 1, sum_lines, &sum, &rig_err));
	assert_int_equal(sum, 10);
	str_free(&path);
	str_free(&text);
}

static int syncs_that_fail;

int fdatasync(int fd)
{
	(void)fd;
	if (syncs_that_fail == 0)
		return 0;
	syncs_that_fail--;
	errno = EIO;
	return -1;
}

/* What the disk refused to keep is written again in the same place: after a power cut no hole stands before it. */
static void test_books__sent_log_on_a_disk_that_fails(void **state)
{
	struct rig *rig = *state;
	const struct sent_log_line line[] = {{rig->clock.now, 1, 250}, {rig->clock.now, 10, 250}};
	int64_t sum = 0;
	syncs_that_fail = 1;
	assert_int_equal(sent_log_add(rig->settings, line, 1, true, &rig_err), RC_STORE);
	assert_ok(
		sent_log_each(rig->settings, rig->clock.now, rig->clock.now + 1, sum_lines, &sum, &rig_err));
	assert_int_equal(sum, 0);
	assert_ok(sent_log_add(rig->settings, line, 2, true, &rig_err));
	assert_ok(
		sent_log_each(rig->settings, rig->clock.now, rig->clock.now + 1, sum_lines, &sum, &rig_err));
	assert_int_equal(sum, 11);
}

static bool cuts_fail;

int ftruncate(int fd, off_t length)
{
	if (!cuts_fail)
		return (int)syscall(SYS_ftruncate, fd, length);
	errno = ENOSPC;
	return -1;
}

/* And where what was written can't be taken back either, it is found, not written twice: with the lines that have come since. */
static void test_books__sent_log_that_can_not_be_cut(void **state)
{
	struct rig *rig = *state;
	const struct sent_log_line line[] = {{rig->clock.now - 1, 1, 250}, {rig->clock.now, 10, 250},
		{rig->clock.now, 100, 250}, {rig->clock.now, 1000, 250}};
	int64_t sum = 0;
	assert_ok(sent_log_add(rig->settings, line, 1, true, &rig_err));
	syncs_that_fail = 2;
	cuts_fail = true;
	assert_int_equal(sent_log_add(rig->settings, line + 1, 2, true, &rig_err), RC_STORE);
	assert_int_equal(sent_log_add(rig->settings, line + 1, 3, true, &rig_err), RC_STORE);
	assert_ok(sent_log_add(rig->settings, line + 1, 3, true, &rig_err));
	cuts_fail = false;
	assert_ok(sent_log_each(
		rig->settings, rig->clock.now - 1, rig->clock.now + 1, sum_lines, &sum, &rig_err));
	assert_int_equal(sum, 1111);
}

static void test_books__sent_log_that_cannot_be_written(void **state)
{
	struct rig *rig = *state;
	const struct sent_log_line line = {rig->clock.now, 1, 250};
	rig_write(rig, "sent", "a file where the directory should be");
	assert_int_equal(sent_log_add(rig->settings, &line, 1, true, &rig_err), RC_STORE);
	assert_true(strlen(rig_err.text) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_books__every_evening_of_three_weeks, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__imported_ones_count_from_where_they_came_in, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__result_is_kept, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__removed_application, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__removed_notice, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__orphans, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__letters_of_no_stage, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__archives, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__uncounted_files, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__sent_and_not_logged, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__doubled_line, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__logged_and_not_booked, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__crash_between_log_and_register, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__log_begins_later, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__numbers_given_out_again, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_books__clock_that_was_ahead, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__settled_while_the_clock_was_ahead, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__settled_while_the_clock_was_behind, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__sent_log_by_month_and_cut_short, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__sent_log_on_a_disk_that_fails, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__sent_log_that_can_not_be_cut, setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_books__sent_log_that_cannot_be_written, setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
