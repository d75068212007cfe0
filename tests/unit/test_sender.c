/* the role sender, with a real zygote and children, against a server that does what a script says */
#include "sender_rig.h"

#include <openssl/pem.h>
#include <sqlite3.h>

#include "lib/base/file.h"
#include "lib/desk/health.h"
#include "lib/desk/sent_log.h"
#include "tests/certificate.h"

static void test_sender__delivers(void **state)
{
	struct sink_script script = {0};
	struct post post = post_open(state, &script, "connections = 2; mails_per_connection = 3;");
	int64_t ids[10];
	for (int i = 0; i < 10; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 10);
	assert_true(sink_connections(post.sink) >= 4 && sink_connections(post.sink) <= 6);
	for (int i = 0; i < 10; i++) {
		assert_string_equal(rig_outbox(post.rig, ids[i]), "receipt/sent");
		struct notice notice = first_notice(post.rig, ids[i]);
		assert_int_equal(notice.attempts, 1);
		assert_int_equal(notice.reply_code, 250);
		assert_true(notice.accepted_at == post.rig->clock.now);
		bool found = false;
		for (size_t m = 0; m < 10; m++) {
			const struct sink_mail *mail = sink_mail(post.sink, m);
			if (strcmp(mail->recipient.s, notice.recipient) != 0)
				continue;
			found = true;
			assert_string_equal(mail->sender.s, notice.bounce_address);
			assert_non_null(strstr(mail->data.s, notice.message_id));
		}
		assert_true(found);
	}
	rig_assert_whole(post.rig);
	post_close(&post);
}

static void test_sender__greylisting(void **state)
{
	struct sink_script script = {.greylist = true};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	utc_time next = work(&post);
	assert_true(next == post.rig->clock.now + 300);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/queued");
	assert_int_equal(first_notice(post.rig, id).attempts, 1);
	assert_int_equal(first_notice(post.rig, id).reply_code, 451);
	pass_seconds(&post, 299);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 0);
	pass_seconds(&post, 1);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_string_equal(rig_history(post.rig, id), "apply queue deferred sent");
	post_close(&post);
}

static void test_sender__refused_recipient_goes_to_review(void **state)
{
	struct sink_script script = {.rcpt = "550 5.1.1 unknown"};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/failed");
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_REVIEW);
	assert_fact(post.rig, "sender.fault", NULL);
	post_close(&post);
}

static void test_sender__gives_up_after_the_life_time(void **state)
{
	struct sink_script script = {.dot = "451 4.3.0 later"};
	struct post post = post_open(state, &script, "lifetime_hours = 24;");
	int64_t id = rig_apply(post.rig, 1);
	for (utc_time next = work(&post); next != UTC_NEVER; next = work(&post))
		pass_seconds(&post, next - post.rig->clock.now);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/failed");
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_REVIEW);
	assert_in_range(first_notice(post.rig, id).attempts, 8, 14);
	post_close(&post);
}

/* T2: the server took it and was silent. One repeat after the pause, the same bytes; then staff. */
static void test_sender__unknown_is_repeated_once(void **state)
{
	struct sink_script script = {.cut = SINK_AT_DOT};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	utc_time next = work(&post);
	assert_true(next == post.rig->clock.now + 3600);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	pass_seconds(&post, 3600);
	assert_true(work(&post) == UTC_NEVER);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	assert_int_equal(rig_app(post.rig, id).hold, HOLD_REVIEW);
	pass_seconds(&post, 86400 * 30);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 2);
	assert_string_equal(sink_mail(post.sink, 0)->data.s, sink_mail(post.sink, 1)->data.s);
	post_close(&post);
}

static void test_sender__fault_stops_and_recovers(void **state)
{
	struct sink_script script = {
		.tls = SINK_STARTTLS, .mechanisms = "PLAIN", .user = "office", .password = "right"};
	struct post post = post_open(state, &script, "fault_pause_seconds = 60; connections = 4;");
	rig_write(post.rig, "password", "wrong\n");
	int64_t ids[4];
	for (int i = 0; i < 4; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	utc_time next = work(&post);
	assert_true(next == post.rig->clock.now + 60);
	assert_fact(post.rig, "sender.fault", "refused the login");
	assert_fact(post.rig, "sender.fault_ja", "ログイン");
	for (int i = 0; i < 4; i++) {
		assert_string_equal(rig_outbox(post.rig, ids[i]), "receipt/queued");
		assert_int_equal(first_notice(post.rig, ids[i]).attempts, 0);
		assert_string_equal(rig_history(post.rig, ids[i]), "apply queue");
	}
	size_t connections = sink_connections(post.sink);
	(void)work(&post); /* woken before the pause is over: nothing */
	assert_int_equal(sink_connections(post.sink), connections);
	pass_seconds(&post, 60);
	next = work(&post);
	assert_true(next == post.rig->clock.now + 120);
	assert_int_equal(
		sink_connections(post.sink), connections + 1); /* one mail tries whether it is over */
	/* A restart forgets the pause, not the alarm. */
	role_sender.stop(&post.ctx, 0);
	rig_write(post.rig, "password", "right\n");
	assert_fact(post.rig, "sender.fault", "refused the login");
	role_up(&post);
	(void)work(&post);
	for (int i = 0; i < 4; i++)
		assert_string_equal(rig_outbox(post.rig, ids[i]), "receipt/sent");
	assert_fact(post.rig, "sender.fault", NULL);
	assert_fact(post.rig, "sender.fault_ja", NULL);
	rig_assert_whole(post.rig);
	post_close(&post);
}

static void test_sender__lost_lines_count_against_nobody(void **state)
{
	struct sink_script script = {.cut = SINK_AT_RCPT};
	struct post post = post_open(state, &script, "");
	int64_t id = rig_apply(post.rig, 1);
	utc_time next = work(&post);
	assert_true(next == post.rig->clock.now + 30);
	for (int i = 0; i < 2; i++) {
		assert_fact(post.rig, "sender.fault", NULL);
		pass_seconds(&post, 30);
		next = work(&post);
	}
	assert_true(next > post.rig->clock.now + 30); /* the third in a row is trouble of ours */
	assert_fact(post.rig, "sender.fault", "stopped taking mails");
	assert_int_equal(first_notice(post.rig, id).attempts, 0);
	script.cut = SINK_NOWHERE;
	sink_change(post.sink, &script);
	pass_seconds(&post, next - post.rig->clock.now);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_fact(post.rig, "sender.fault", NULL);
	post_close(&post);
}

static void test_sender__rates(void **state)
{
	struct sink_script script = {0};
	struct post post = post_open(state, &script,
		"connections = 4; rate_per_minute = 5; rate_per_domain = 3; rate_per_day = 9;");
	for (int i = 0; i < 12; i++)
		(void)rig_apply(post.rig, i + 1);
	static const size_t by_minute[] = {3, 6, 9, 9}; /* all of one domain */
	for (size_t minute = 0; minute < 4; minute++) {
		utc_time next = work(&post);
		assert_int_equal(sink_mail_count(post.sink), by_minute[minute]);
		if (minute < 2)
			assert_true(next == post.rig->clock.now + 60);
		pass_seconds(&post, 60);
	}
	/* The day is full; a restart knows it. */
	role_sender.stop(&post.ctx, 0);
	role_up(&post);
	utc_time next = work(&post);
	assert_true(next == civil_moment(rig_today(post.rig) + 1, 0));
	pass_seconds(&post, next - post.rig->clock.now);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 12);
	post_close(&post);
}

static void test_sender__test_mode_withholds(void **state)
{
	struct sink_script script = {0};
	struct post post =
		post_open(state, &script, "allow = ( \"info1@example.co.jp\", \"@example.com\" );");
	int64_t allowed = rig_apply(post.rig, 1), withheld = rig_apply(post.rig, 2);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 1);
	assert_string_equal(sink_mail(post.sink, 0)->recipient.s, "info1@example.co.jp");
	assert_string_equal(rig_outbox(post.rig, allowed), "receipt/sent");
	assert_string_equal(rig_outbox(post.rig, withheld), "receipt/sent");
	assert_null(strstr(first_notice(post.rig, allowed).reply, "withheld"));
	assert_non_null(strstr(first_notice(post.rig, withheld).reply, "送信していません"));
	char path[160];
	struct str mail = STR_INIT;
	struct notice notice = first_notice(post.rig, withheld);
	(void)snprintf(path, sizeof path, "%s/withheld/new/notice-%010" PRId64 "-%02x%02x%02x%02x",
		post.rig->dir, notice.id, notice.digest[0], notice.digest[1], notice.digest[2],
		notice.digest[3]);
	assert_ok(file_read(&mail, path, 65536, &rig_err));
	assert_non_null(strstr(mail.s, "To: info2@example.co.jp"));
	str_free(&mail);
	/* Stages go on. */
	assert_true(rig_app(post.rig, withheld).previous_sent_at == post.rig->clock.now);
	post_close(&post);
}

/* ---- as a service: a step does not wait ---- */

static void test_sender__service_waits_for_its_children(void **state)
{
	struct sink_script script = {.reply_pause_ms = 300};
	struct post post = post_open(state, &script, "connections = 3;");
	utc_time next;
	int fd[64];
	post.ctx.in_turn = false;
	int64_t ids[5];
	for (int i = 0; i < 5; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	assert_int_equal(role_sender.watch(&post.ctx, fd, 64), 3); /* never more than connections */
	assert_int_equal(first_notice(post.rig, ids[2]).state, OUTBOX_SENDING);
	assert_int_equal(first_notice(post.rig, ids[3]).state, OUTBOX_QUEUED);
	await(&post, 10000);
	for (int i = 0; i < 5; i++)
		assert_string_equal(rig_outbox(post.rig, ids[i]), "receipt/sent");
	post_close(&post);
}

/* One letter flies, the next is made ready: what is decided now still counts, and each letter is its applicant's own. */
static void test_sender__a_letter_made_ready_is_not_yet_sent(void **state)
{
	struct sink_script script = {.reply_pause_ms = 300};
	struct post post = post_open(state, &script, "connections = 1;");
	utc_time next;
	post.ctx.in_turn = false;
	int64_t ids[4];
	for (int i = 0; i < 4; i++)
		ids[i] = rig_apply(post.rig, i + 1);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	rig_decide(post.rig, ids[1], DECISION_REJECT, "試験");
	await(&post, 10000);
	assert_string_equal(rig_outbox(post.rig, ids[1]), "receipt/cancelled");
	static const int sent[] = {0, 2, 3};
	assert_int_equal(sink_mail_count(post.sink), 3);
	for (size_t i = 0; i < 3; i++) {
		struct str wire = STR_INIT;
		rig_letter(post.rig, first_notice(post.rig, ids[sent[i]]).id, &wire);
		assert_string_equal(sink_mail(post.sink, i)->data.s, wire.s);
		assert_string_equal(rig_outbox(post.rig, ids[sent[i]]), "receipt/sent");
		str_free(&wire);
	}
	post_close(&post);
}

static void change_letter(struct rig *rig, int64_t notice_id)
{
	sqlite3 *db;
	char sql[96];
	(void)snprintf(
		sql, sizeof sql, "UPDATE letter SET packed = x'00' WHERE notice_id = %" PRId64, notice_id);
	assert_int_equal(sqlite3_open(rig->settings->store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* A letter that was made ready is read no more, until other keys are in force or its signature would be an old one. */
static void test_sender__how_long_a_letter_stays_ready(void **state)
{
	static const struct {
		bool reload;
		int64_t seconds;
		const char *outbox;
	} cases[] = {{false, 0, "receipt/sent"}, {false, 59, "receipt/sent"}, {false, 60, "receipt/queued"},
		{false, -1, "receipt/queued"}, {true, 0, "receipt/queued"}};
	struct sink_script script = {.reply_pause_ms = 100};
	struct post post = post_open(state, &script, "connections = 1;");
	post.ctx.in_turn = false;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		utc_time next;
		(void)rig_apply(post.rig, 2 * (int)i + 1);
		int64_t second = rig_apply(post.rig, 2 * (int)i + 2);
		assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
		change_letter(post.rig, first_notice(post.rig, second).id);
		if (cases[i].reload)
			role_sender.reload(&post.ctx);
		pass_seconds(&post, cases[i].seconds);
		await(&post, 10000);
		(void)work(&post); /* records what it knows without a child */
		assert_string_equal(rig_outbox(post.rig, second), cases[i].outbox);
	}
	post_close(&post);
}

static void test_sender__stop_waits_for_answers(void **state)
{
	struct sink_script script = {.reply_pause_ms = 300};
	struct post post = post_open(state, &script, "connections = 1;");
	utc_time next;
	post.ctx.in_turn = false;
	int64_t first = rig_apply(post.rig, 1), second = rig_apply(post.rig, 2);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	const struct clock system = clock_system();
	role_sender.stop(&post.ctx, clock_mono_ms(&system) + 20000);
	assert_string_equal(rig_outbox(post.rig, first), "receipt/sent");
	assert_string_equal(rig_outbox(post.rig, second), "receipt/queued");
	sink_stop(&post.sink);
}

static void test_sender__claims_of_a_dead_sender_are_unknown(void **state)
{
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "connections = 1;");
	utc_time next;
	post.ctx.in_turn = false;
	int64_t id = rig_apply(post.rig, 1);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	role_sender.stop(&post.ctx, 0); /* no time to wait: as good as kill -9 */
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sending");
	role_up(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	post_close(&post);
}

/* Its log has the line, the register does not: between the two the power went. It is no question whether the server took it. */
static void test_sender__what_its_log_knows_was_sent(void **state)
{
	static const struct {
		int64_t since_queued;
		const char *outbox;
	} cases[] = {{5, "receipt/sent"},
		{-5, "receipt/unknown"}}; /* a register before this one had that number */
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "connections = 1;");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		utc_time next;
		post.ctx.in_turn = false;
		int64_t id = rig_apply(post.rig, (int)i + 1);
		utc_time queued_at = post.rig->clock.now;
		assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
		role_sender.stop(&post.ctx, 0);
		assert_string_equal(rig_outbox(post.rig, id), "receipt/sending");
		struct sent_log_line line = {.at = queued_at + cases[i].since_queued,
			.notice_id = first_notice(post.rig, id).id,
			.reply_code = 250};
		assert_ok(sent_log_add(post.rig->settings, &line, 1, false, &rig_err));
		pass_seconds(&post, 600);
		role_up(&post);
		assert_string_equal(rig_outbox(post.rig, id), cases[i].outbox);
		assert_int_equal(first_notice(post.rig, id).accepted_at,
			cases[i].since_queued > 0 ? queued_at + cases[i].since_queued : 0);
	}
	script.silent = SINK_NOWHERE;
	sink_change(post.sink, &script);
	post.ctx.in_turn = true;
	pass_seconds(&post, 7200);
	(void)work(&post);
	assert_string_equal(rig_history(post.rig, 1), "apply queue sent");
	assert_string_equal(
		rig_history(post.rig, 2), "apply queue unknown sent"); /* this one alone goes again */
	rig_assert_whole(post.rig);
	post_close(&post);
}

/* What the office decides by itself is no word of the server's: the alarm stays until there is one. */
static void test_sender__the_alarm_stays_until_the_server_speaks(void **state)
{
	static const char *const more[] = {
		"connections = 1;", "connections = 1; allow = ( \"@example.com\" );"};
	for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
		struct sink_script script = {.greeting = "554 5.7.1 go away"};
		struct post post = post_open(state, &script, "connections = 1;");
		int64_t id = rig_apply(post.rig, 10 * (int)i + 1);
		(void)work(&post);
		assert_fact(post.rig, "sender.fault", "go away");
		role_sender.stop(&post.ctx, 0);
		sink_stop(&post.sink);
		script.greeting = NULL;
		post = post_open(state, &script, more[i]);
		if (i == 0)
			change_letter(post.rig, first_notice(post.rig, id).id);
		(void)work(&post);
		assert_string_equal(rig_outbox(post.rig, id), i ? "receipt/sent" : "receipt/queued");
		assert_int_equal(sink_mail_count(post.sink), 0);
		assert_fact(post.rig, "sender.fault", "go away");
		post_close(&post);
	}
}

/* Another trouble than the one that is told of: people must read what is to be mended now. */
static void test_sender__the_alarm_says_what_is_wrong_now(void **state)
{
	struct sink_script script = {
		.tls = SINK_STARTTLS, .mechanisms = "PLAIN", .user = "office", .password = "right"};
	struct post post = post_open(state, &script, "connections = 1; fault_pause_seconds = 60;");
	rig_write(post.rig, "password", "wrong\n");
	(void)rig_apply(post.rig, 1);
	(void)work(&post);
	assert_fact(post.rig, "sender.fault", "refused the login");
	script.greeting = "554 5.7.1 go away";
	sink_change(post.sink, &script);
	pass_seconds(&post, 60);
	(void)work(&post);
	assert_fact(post.rig, "sender.fault", "go away");
	assert_fact(post.rig, "sender.fault_ja", "接続できません");
	post_close(&post);
}

/* The only process below one of ours: the line; the programs that make children stand between. 0: there is none. */
static pid_t grandchild(void)
{
	char path[64];
	int between[8], count = 0, pid = 0;
	(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	while (count < 8 && fscanf(file, "%d", &between[count]) == 1)
		count++;
	(void)fclose(file);
	for (int i = 0; i < count && pid == 0; i++) {
		(void)snprintf(path, sizeof path, "/proc/%d/task/%d/children", between[i], between[i]);
		file = fopen(path, "r");
		if (file && fscanf(file, "%d", &pid) != 1)
			pid = 0;
		if (file)
			(void)fclose(file);
	}
	return pid;
}

static void test_sender__child_dies_in_flight(void **state)
{
	struct sink_script script = {.silent = SINK_AT_DOT};
	struct post post = post_open(state, &script, "connections = 1;");
	utc_time next;
	post.ctx.in_turn = false;
	int64_t id = rig_apply(post.rig, 1);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	for (int i = 0; i < 1000 && sink_mail_count(post.sink) == 0; i++)
		(void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	pid_t child = grandchild(); /* the mail is there, so it is */
	assert_true(child > 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	await(&post, 10000);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	/* Another child takes its place. */
	script.silent = SINK_NOWHERE;
	sink_change(post.sink, &script);
	int64_t other = rig_apply(post.rig, 2);
	assert_ok(role_sender.step(&post.ctx, post.rig->clock.now, &next, &rig_err));
	await(&post, 10000);
	assert_string_equal(rig_outbox(post.rig, other), "receipt/sent");
	post_close(&post);
}

/* ---- in turn, into a Maildir ---- */

static void deliver_into_maildir(struct str *all)
{
	void *state = NULL;
	assert_int_equal(rig_setup(&state), 0);
	struct post post = {.rig = state};
	rig_configure(post.rig, "transport = { maildir = true; path = \"box\"; };\nconnections = 3;");
	role_up(&post);
	for (int i = 0; i < 7; i++)
		(void)rig_apply(post.rig, i + 1);
	(void)work(&post);
	struct strlist names = {0};
	struct str dir = STR_INIT, path = STR_INIT;
	path_join(&dir, post.rig->settings->transport.path, "new");
	assert_ok(file_list_dir(&names, dir.s, &rig_err));
	assert_int_equal(names.count, 7);
	for (size_t i = 0; i < names.count; i++) {
		str_printf(all, "%s\n", names.item[i]);
		str_clear(&path);
		path_join(&path, dir.s, names.item[i]);
		assert_ok(file_read(all, path.s, 65536, &rig_err));
	}
	int64_t seq;
	uint8_t hash[SHA256_LEN];
	assert_ok(history_head(post.rig->office.store, &seq, hash, &rig_err));
	str_printf(all, "%" PRId64, seq);
	strlist_free(&names);
	str_free(&dir);
	str_free(&path);
	role_sender.stop(&post.ctx, 0);
	(void)rig_teardown(&state);
}

static void test_sender__maildir_repeats_bit_for_bit(void **state)
{
	(void)state;
	struct str one = STR_INIT, two = STR_INIT;
	deliver_into_maildir(&one);
	deliver_into_maildir(&two);
	assert_string_equal(one.s, two.s);
	str_free(&one);
	str_free(&two);
}

/* ---- S/MIME ---- */

static int64_t count_rows(struct rig *rig, const char *sql)
{
	sqlite3 *db;
	sqlite3_stmt *stmt;
	assert_int_equal(sqlite3_open(rig->settings->store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	int64_t count = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	return count;
}

#define SMIME                                                                                                \
	"smime = { certificate = \"smime.pem\"; chain = \"smime-chain.pem\"; key_from = \"smime-key.pem\"; " \
	"};"

static void make_certificate(struct rig *rig, int days)
{
	certificate_mail(rig->dir, &(struct mail_certificate){.mail = rig->settings->from_mail,
					   .from = rig->clock.now - 3600,
					   .until = rig->clock.now + 86400LL * days});
}

/* As the role itself reads them at its start. */
static void read_keys(struct post *post)
{
	secrets_free(&post->rig->secrets);
	assert_ok(secrets_load(&post->rig->secrets, post->rig->settings, true, &rig_err));
}

static struct post signed_post(void **state, const struct sink_script *script, int days)
{
	make_certificate(*state, days);
	struct post post = post_open(state, script, SMIME);
	read_keys(&post);
	return post;
}

static void assert_signed(struct rig *rig, const char *mail, size_t len)
{
	char command[512], path[160];
	(void)snprintf(path, sizeof path, "%s/mail.eml", rig->dir);
	assert_non_null(strstr(mail, "Content-Type: multipart/signed"));
	assert_ok(file_write(path, mail, len, 0600, &rig_err));
	(void)snprintf(command, sizeof command,
		"/usr/bin/python3 tests/scripts/smime_peer.py %s %s/smime-root.pem %lld", path, rig->dir,
		(long long)rig->clock.now);
	if (system(command) != 0)
		fail_msg("a verifier refuses:\n%s", mail);
}

/* What went is what the register gives back, also in the letter that is sent once more. */
static void test_sender__signs_with_smime(void **state)
{
	struct sink_script script = {0};
	struct post post = signed_post(state, &script, 30);
	int64_t id = rig_apply(post.rig, 1), other = rig_apply(post.rig, 2);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 2);
	for (size_t i = 0; i < 2; i++)
		assert_signed(post.rig, sink_mail(post.sink, i)->data.s, sink_mail(post.sink, i)->data.len);
	struct notice notice = first_notice(post.rig, id);
	struct str kept = STR_INIT;
	rig_letter(post.rig, notice.id, &kept);
	size_t first = strstr(sink_mail(post.sink, 0)->data.s, "<receipt.1.0@") ? 0 : 1; /* two connections */
	assert_string_equal(kept.s, sink_mail(post.sink, first)->data.s);
	assert_int_equal(count_rows(post.rig, "SELECT count(*) FROM letter_signature"), 2);
	assert_int_equal(count_rows(post.rig, "SELECT count(*) FROM signer"), 1);

	const char *why_ja = NULL;
	int64_t resend;
	assert_ok(office_resend(
		&post.rig->office, id, "receipt", "staff:1", &resend, &why_ja, post.rig->pool, &rig_err));
	(void)work(&post);
	const struct sink_mail *again = sink_mail(post.sink, 2);
	assert_signed(post.rig, again->data.s, again->data.len);
	assert_non_null(strstr(again->data.s, kept.s)); /* the first letter with its own signature */
	assert_string_equal(rig_outbox(post.rig, other), "receipt/sent");
	str_free(&kept);
	post_close(&post);
}

/* The answer was cut off: what goes once more is the same bytes, whatever the certificate has become meanwhile. */
static void test_sender__a_second_copy_keeps_its_signature(void **state)
{
	struct sink_script script = {.cut = SINK_AT_DOT};
	struct post post = signed_post(state, &script, 30);
	int64_t id = rig_apply(post.rig, 1);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/unknown");
	make_certificate(post.rig, 60);
	read_keys(&post);
	script.cut = SINK_NOWHERE;
	sink_change(post.sink, &script);
	pass_seconds(&post, 7200);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_int_equal(sink_mail_count(post.sink), 2);
	assert_string_equal(sink_mail(post.sink, 0)->data.s, sink_mail(post.sink, 1)->data.s);
	post_close(&post);
}

/* Nothing goes out unsigned, nobody's attempts are counted, and it goes on by itself with the new certificate. */
static void test_sender__certificate_that_ran_out(void **state)
{
	struct sink_script script = {0};
	struct post post = signed_post(state, &script, 1);
	int64_t id = rig_apply(post.rig, 1);
	pass_seconds(&post, 86400);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 0);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/queued");
	struct notice notice = first_notice(post.rig, id);
	assert_int_equal(notice.attempts, 0);
	assert_int_equal(notice.first_try_at, 0);
	assert_fact(post.rig, "sender.fault", "the S/MIME certificate ran out at");
	assert_fact(post.rig, "sender.fault_ja", "電子署名");
	assert_int_equal(count_rows(post.rig, "SELECT count(*) FROM letter_signature"), 0);
	make_certificate(post.rig, 30);
	read_keys(&post);
	pass_seconds(&post, 7200);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_fact(post.rig, "sender.fault", NULL);
	assert_signed(post.rig, sink_mail(post.sink, 0)->data.s, sink_mail(post.sink, 0)->data.len);
	post_close(&post);
}

static void test_sender__certificate_that_was_not_read(void **state)
{
	struct sink_script script = {0};
	struct post post = signed_post(state, &script, 30);
	int64_t id = rig_apply(post.rig, 1);
	smime_signer_free(&post.rig->secrets.smime);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 0);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/queued");
	assert_fact(post.rig, "sender.fault", "restart the daemon");
	post_close(&post);
}

/* A letter that went without a signature and may have arrived goes as it went. */
static void test_sender__unsigned_once_unsigned_again(void **state)
{
	struct sink_script script = {.cut = SINK_AT_DOT};
	make_certificate(*state, 30);
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *bytes;
	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
	long len = BIO_get_mem_data(bio, &bytes);
	char *pem = xstrndup(bytes, (size_t)len);
	rig_write(*state, "dkim.pem", pem);
	free(pem);
	BIO_free(bio);
	EVP_PKEY_free(key);
	struct post post = post_open(state, &script,
		"dkim = ( { domain = \"sa.example.jp\"; selector = \"s\"; key_from = \"dkim.pem\"; } "
		");" SMIME);
	read_keys(&post);
	char *certificate = post.rig->settings->smime.certificate;
	struct smime_signer *signer = post.rig->secrets.smime;
	post.rig->settings->smime.certificate = NULL;
	post.rig->secrets.smime = NULL;
	int64_t id = rig_apply(post.rig, 1);
	(void)work(&post);
	post.rig->settings->smime.certificate = certificate;
	post.rig->secrets.smime = signer;
	script.cut = SINK_NOWHERE;
	sink_change(post.sink, &script);
	pass_seconds(&post, 7200);
	(void)work(&post);
	assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
	assert_string_equal(sink_mail(post.sink, 0)->data.s, sink_mail(post.sink, 1)->data.s);
	assert_null(strstr(sink_mail(post.sink, 1)->data.s, "multipart/signed"));
	post_close(&post);
}

/* The child tells when the server's certificate runs out; the register keeps it for `health`. */
static void test_sender__server_certificate_is_noted(void **state)
{
	struct sink_script script = {
		.tls = SINK_STARTTLS, .mechanisms = "PLAIN", .user = "office", .password = "right"};
	struct post post = post_open(state, &script, "");
	(void)rig_apply(post.rig, 1);
	(void)work(&post);
	struct str value = STR_INIT;
	assert_ok(fact_get(post.rig->office.store, FACT_TRANSPORT_CERTIFICATE, &value, &rig_err));
	char *end;
	int64_t until = strtoll(value.s, &end, 10), real = time(NULL);
	assert_in_range(until, real + 86400 - 600, real + 86400 + 600); /* certificate_serve() */
	assert_int_equal(strtoll(end, NULL, 10), post.rig->clock.now);
	str_free(&value);
	post_close(&post);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_sender__delivers),
		WITH_RIG(test_sender__greylisting),
		WITH_RIG(test_sender__refused_recipient_goes_to_review),
		WITH_RIG(test_sender__gives_up_after_the_life_time),
		WITH_RIG(test_sender__unknown_is_repeated_once),
		WITH_RIG(test_sender__fault_stops_and_recovers),
		WITH_RIG(test_sender__lost_lines_count_against_nobody),
		WITH_RIG(test_sender__rates),
		WITH_RIG(test_sender__test_mode_withholds),
		WITH_RIG(test_sender__service_waits_for_its_children),
		WITH_RIG(test_sender__a_letter_made_ready_is_not_yet_sent),
		WITH_RIG(test_sender__how_long_a_letter_stays_ready),
		WITH_RIG(test_sender__stop_waits_for_answers),
		WITH_RIG(test_sender__claims_of_a_dead_sender_are_unknown),
		WITH_RIG(test_sender__what_its_log_knows_was_sent),
		WITH_RIG(test_sender__the_alarm_stays_until_the_server_speaks),
		WITH_RIG(test_sender__the_alarm_says_what_is_wrong_now),
		WITH_RIG(test_sender__child_dies_in_flight),
		WITH_RIG(test_sender__signs_with_smime),
		WITH_RIG(test_sender__a_second_copy_keeps_its_signature),
		WITH_RIG(test_sender__certificate_that_ran_out),
		WITH_RIG(test_sender__certificate_that_was_not_read),
		WITH_RIG(test_sender__unsigned_once_unsigned_again),
		WITH_RIG(test_sender__server_certificate_is_noted),
		cmocka_unit_test(test_sender__maildir_repeats_bit_for_bit),
	};
	return cmocka_run_group_tests_name("sender", tests, group_set_up, group_tear_down);
}
