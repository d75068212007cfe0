#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/control.h"
#include "lib/base/file.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "tests/unit/scratch.h"

static struct role_context ctx;
static struct err err;

static int open_control(void **state)
{
	char here[256], conf[2048];
	log_open("test", LEVEL_BROKEN);
	if (scratch_make(state) != 0 || !getcwd(here, sizeof here))
		return -1;
	int len = snprintf(conf, sizeof conf,
		"spool_directory = \"spool\"; state_directory = \"state\"; runtime_directory = \"run\";\n"
		"template_directory = \"%s/templates/mail\";\n"
		"profile_files = ( \"%s/config/profiles/form.conf\" );\n"
		"contact_mail = \"security-action-info@sa.example.jp\";\n"
		"rights : { read = \"users\"; work = \"games\"; release = \"audio\"; administer = "
		"\"nobody-has-it\"; };\n",
		here, here);
	if (file_write(scratch_path("sengend.conf"), conf, (size_t)len, 0600, &err))
		return -1;
	ctx = (struct role_context){.clock = clock_system(), .rng = rng_system(), .zygote = ZYGOTE_NONE};
	if (role_prepare(&ctx, scratch_path("sengend.conf"), &err) || role_open(&ctx, false, true, &err) ||
		role_control.start(&ctx, &err)) {
		(void)fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	return 0;
}

static int close_control(void **state)
{
	role_control.stop(&ctx, 0);
	role_close(&ctx);
	return scratch_remove(state);
}

static void step(void)
{
	utc_time next;
	assert_int_equal(role_control.step(&ctx, clock_now(&ctx.clock), &next, &err), RC_OK);
}

static int connect_client(void)
{
	int fd = -1;
	assert_int_equal(local_connect(&fd, scratch_path("run/control.sock"), &err), RC_OK);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

static void say(int fd, const char *text)
{
	size_t len = strlen(text);
	while (len > 0) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN) {
			step();
			continue;
		}
		assert_true(n > 0);
		text += n;
		len -= (size_t)n;
	}
}

/* One line of answer; NULL: the daemon hung up. */
static json_t *hear(int fd)
{
	struct str line = STR_INIT;
	for (int tries = 0; tries < 100000; tries++) {
		char c;
		ssize_t n = recv(fd, &c, 1, 0);
		if (n == 1 && c == '\n') {
			json_t *json = json_loads(line.s, 0, NULL);
			assert_non_null(json);
			str_free(&line);
			return json;
		}
		if (n == 1)
			str_addc(&line, c);
		else if (n == 0 || errno != EAGAIN)
			break;
		else
			step();
	}
	str_free(&line);
	return NULL;
}

static int rc_of(json_t *json)
{
	assert_non_null(json);
	assert_true(json_is_string(json_object_get(json, "message")));
	assert_true(json_is_string(json_object_get(json, "message_ja")));
	int rc = (int)json_integer_value(json_object_get(json, "rc"));
	assert_int_equal(json_is_true(json_object_get(json, "ok")), rc == 0);
	json_decref(json);
	return rc;
}

static int ask(int fd, const char *line)
{
	say(fd, line);
	say(fd, "\n");
	return rc_of(hear(fd));
}

#define IMPORT(id, user, state)                                                                                   \
	"{\"import\":{\"declaration_id\":\"" id "\",\"user_number\":\"" user "\",\"state\":\"" state              \
	"\",\"star\":1,\"applied_on\":\"2025-01-10\",\"id_issued_on\":\"2025-01-17\","                            \
	"\"logo_authorized_on\":\"2025-01-24\",\"form\":{\"business_name\":\"株式会社サンプル" id                 \
	"\",\"type\":\"sole\",\"family_name\":\"見本\",\"given_name\":\"太郎\",\"prefecture\":\"東京都\"," \
	"\"mail\":\"tanto@example.co.jp\"}}}\n"

static void import_two(int fd)
{
	say(fd, "{\"command\":\"import\"}\n");
	say(fd, IMPORT("40000000001", "9000000001", "logo_authorized"));
	say(fd, IMPORT("40000000002", "9000000002", "logo_authorized"));
	say(fd, "{\"end\":true}\n");
	json_t *json = hear(fd);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "imported")), 2);
	assert_int_equal(rc_of(json), 0);
}

static void test_control__requests_and_refusals(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		int rc;
	} requests[] = {
		{"{\"command\":\"ping\"}", RC_OK},
		{"", -1},
		{"{\"command\":\"dance\"}", RC_USAGE},
		{"{}", RC_USAGE},
		{"[]", RC_USAGE},
		{"not json", RC_USAGE},
		{"{\"command\":\"ping\",\"command\":\"stop\"}", RC_USAGE},
		{"{\"command\":\"hold\",\"application\":1}", RC_USAGE}, /* no reason */
		{"{\"command\":\"hold\",\"reason\":\"x\"}", RC_USAGE}, /* of whom */
		{"{\"command\":\"hold\",\"reason\":\"x\",\"application\":1,\"declaration_id\":40000000001}",
			RC_USAGE},
		{"{\"command\":\"hold\",\"reason\":\"x\",\"application\":-1}", RC_USAGE},
		{"{\"command\":\"hold\",\"reason\":\"x\",\"declaration_id\":\"123\"}", RC_USAGE},
		{"{\"command\":\"hold\",\"reason\":\"a\\nb\",\"application\":1}", RC_USAGE},
		{"{\"command\":\"hold\",\"reason\":\"x\",\"application\":99}", RC_REFUSED},
		{"{\"command\":\"hold\",\"reason\":\"x\",\"declaration_id\":49999999999}", RC_REFUSED},
		{"{\"command\":\"resend\",\"application\":1}", RC_USAGE},
		{"{\"command\":\"stop\",\"application\":1,\"on\":\"tomorrow\"}", RC_USAGE},
		/* Good ones, in an order that makes sense. */
		{"{\"command\":\"stop\",\"application\":1,\"reason\":\"様式B-3\"}", RC_OK},
		{"{\"command\":\"stop\",\"application\":1,\"reason\":\"様式B-3\"}", RC_REFUSED},
		{"{\"command\":\"stop\",\"declaration_id\":\"40000000002\"}", RC_OK},
	};
	int fd = connect_client();
	import_two(fd);
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		if (requests[i].rc < 0) {
			say(fd, "\n"); /* an empty line asks nothing */
			continue;
		}
		int rc = ask(fd, requests[i].line);
		if (rc != requests[i].rc)
			fail_msg("%s: rc %d, expected %d", requests[i].line, rc, requests[i].rc);
	}
	(void)close(fd);
}

struct actors {
	int rows, staff;
};

static enum rc count_actor(void *counted, const struct history_row *row, struct err *fault)
{
	(void)fault;
	struct actors *actors = counted;
	char wanted[32];
	(void)snprintf(wanted, sizeof wanted, "staff:%u(", (unsigned)geteuid());
	actors->rows++;
	actors->staff += row->event == EVENT_STOP && str_has_prefix(row->actor, wanted);
	return RC_OK;
}

static void test_control__the_history_says_who(void **state)
{
	(void)state;
	struct actors actors = {0};
	int fd = connect_client();
	import_two(fd);
	assert_int_equal(ask(fd, "{\"command\":\"stop\",\"application\":1,\"reason\":\"様式B-3\"}"), RC_OK);
	assert_int_equal(history_each(ctx.office.store, 1, 0, count_actor, &actors, &err), RC_OK);
	assert_int_equal(actors.staff, 1);
	(void)close(fd);
}

/* A mail whose stop request waits for a person; its number is 1. */
static void put_in_review(void)
{
	struct store *store = ctx.office.store;
	struct mail_message mail = {.taken_at = 1780000000, .uid = "1", .filed_uid = ""};
	struct request request = {.kind = REQUEST_STOP,
		.state = REQUEST_STATE_REVIEW,
		.stop_on = CIVIL_DAY_NONE,
		.due_at = UTC_NEVER,
		.actor = "daemon",
		.note = "要確認"};
	sha256(mail.digest, "raw", 3);
	assert_int_equal(store_begin(store, &err), RC_OK);
	assert_int_equal(message_add(store, &mail, "raw", 3, &err), RC_OK);
	request.message_id = mail.id;
	assert_int_equal(request_add(store, &request, &err), RC_OK);
	assert_int_equal(request.id, 1);
	assert_int_equal(store_commit(store, &err), RC_OK);
}

static void test_control__a_request_by_mail_is_resolved(void **state)
{
	(void)state;
	static const struct {
		const char *rest;
		int rc;
	} requests[] = {
		{"", RC_USAGE}, {",\"request\":1", RC_USAGE},
		{",\"request\":1,\"action\":\"dance\"", RC_USAGE}, {",\"request\":1,\"action\":7", RC_USAGE},
		{",\"request\":0,\"action\":\"close\"", RC_USAGE},
		{",\"action\":\"close\",\"reason\":\"x\"", RC_USAGE},
		{",\"request\":1,\"action\":\"carry-out\",\"on\":\"soon\"", RC_USAGE},
		{",\"request\":1,\"action\":\"carry-out\",\"application\":1,\"declaration_id\":40000000001",
			RC_USAGE},
		{",\"request\":9,\"action\":\"close\",\"reason\":\"x\"", RC_REFUSED},
		{",\"request\":1,\"action\":\"close\"", RC_REFUSED}, /* no reason */
		{",\"request\":1,\"action\":\"carry-out\"", RC_REFUSED}, /* of whom */
		{",\"request\":1,\"action\":\"carry-out\",\"application\":99", RC_REFUSED},
		{",\"request\":1,\"action\":\"carry-out\",\"declaration_id\":\"40000000002\",\"on\":\"2026-"
		 "01-31\","
		 "\"reason\":\"電話で確認\"",
			RC_OK},
		{",\"request\":1,\"action\":\"close\",\"reason\":\"x\"", RC_REFUSED}, /* it is settled */
	};
	int fd = connect_client();
	import_two(fd);
	put_in_review();
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		char line[256];
		(void)snprintf(line, sizeof line, "{\"command\":\"resolve\"%s}", requests[i].rest);
		int rc = ask(fd, line);
		if (rc != requests[i].rc)
			fail_msg("%s: rc %d, expected %d", line, rc, requests[i].rc);
	}
	struct pool *pool = pool_new();
	struct request request;
	struct application app;
	assert_int_equal(request_get(ctx.office.store, 1, &request, pool, &err), RC_OK);
	assert_int_equal(request.state, REQUEST_STATE_DONE);
	assert_int_equal(request.proof, PROOF_STAFF);
	assert_true(str_has_prefix(request.actor, "staff:"));
	assert_int_equal(application_get(ctx.office.store, 2, &app, pool, &err), RC_OK);
	assert_int_equal(app.state, STATE_STOPPED);
	assert_int_equal(application_get(ctx.office.store, 1, &app, pool, &err), RC_OK);
	assert_int_equal(app.state, STATE_LOGO_AUTHORIZED);
	pool_free(&pool);
	(void)close(fd);
}

static void test_control__an_import_answers_row_by_row(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"{\"import\":{\"declaration_id\":\"12\",\"state\":\"stopped\",\"star\":1}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"sleeping\",\"star\":1}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"stopped\",\"star\":3}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"user_number\":\"1\",\"state\":\"stopped\","
		"\"star\":1}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"stopped\",\"star\":1,\"applied_"
		"on\":\"soon\"}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"stopped\",\"star\":1,\"form\":{"
		"\"colour\":\"red\"}}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"stopped\",\"star\":1,\"form\":{"
		"\"mail\":\"a@b\\r\\nBcc: c@d\"}}}\n",
		"{\"import\":{\"declaration_id\":\"40000000009\",\"state\":\"stopped\",\"star\":1,\"form\":{"
		"\"mail\":\"nobody\"}}}\n",
		IMPORT("40000000003", "9000000001", "logo_authorized"), /* another's user number */
		IMPORT("40000000004", "9000000004", "received"),
	};
	const size_t count = sizeof bad / sizeof *bad;
	int fd = connect_client();
	import_two(fd);
	say(fd, "{\"command\":\"import\"}\n");
	say(fd, IMPORT("40000000001", "9000000001", "logo_authorized")); /* known */
	for (size_t i = 0; i < count; i++)
		say(fd, bad[i]);
	say(fd, IMPORT("40000000005", "9000000005", "id_issued"));
	say(fd, "{\"end\":true}\n");
	bool refused[32] = {false};
	for (size_t i = 0; i < count; i++) {
		json_t *json = hear(fd);
		assert_non_null(json);
		json_int_t row = json_integer_value(json_object_get(json, "row"));
		assert_true(row >= 2 && row <= (json_int_t)count + 1 && !refused[row]);
		refused[row] = true;
		if (strstr(bad[row - 2], "40000000003")) /* why, in words for staff */
			assert_non_null(
				strstr(json_string_value(json_object_get(json, "message_ja")), "利用者番号"));
		assert_int_equal(rc_of(json), RC_REFUSED);
	}
	json_t *json = hear(fd);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "imported")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "known")), 1);
	assert_int_equal(json_integer_value(json_object_get(json, "refused")), count);
	assert_int_equal(rc_of(json), RC_REFUSED);
	struct books books;
	assert_int_equal(store_books(ctx.office.store, &books, &err), RC_OK);
	assert_int_equal(books.applications, 3);
	/* The connection goes on. */
	assert_int_equal(ask(fd, "{\"command\":\"ping\"}"), RC_OK);
	(void)close(fd);
}

static void test_control__an_import_that_breaks_off_writes_whole_batches(void **state)
{
	(void)state;
	struct books books;
	int fd = connect_client();
	say(fd, "{\"command\":\"import\"}\n");
	say(fd, IMPORT("40000000001", "9000000001", "stopped"));
	step();
	(void)close(fd);
	step();
	step();
	assert_int_equal(store_books(ctx.office.store, &books, &err), RC_OK);
	assert_int_equal(books.applications, 0);
	fd = connect_client();
	assert_int_equal(ask(fd, "{\"command\":\"ping\"}"), RC_OK);
	(void)close(fd);
}

static void test_control__too_long_a_line_ends_the_client(void **state)
{
	(void)state;
	int fd = connect_client(), other = connect_client();
	char *line = xmalloc(CONTROL_LINE_MAX + 100);
	memset(line, ' ', CONTROL_LINE_MAX + 99);
	line[CONTROL_LINE_MAX + 99] = '\0';
	for (size_t sent = 0; sent < CONTROL_LINE_MAX + 99;) {
		ssize_t n = send(fd, line + sent, CONTROL_LINE_MAX + 99 - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			break;
		sent += n > 0 ? (size_t)n : 0;
		step();
	}
	step();
	assert_null(hear(fd));
	assert_int_equal(ask(other, "{\"command\":\"ping\"}"), RC_OK);
	free(line);
	(void)close(fd);
	(void)close(other);
}

/* One that never reads its answers, one that never ends its line, and forty that only hold a connection. */
static void test_control__nobody_blocks_the_others(void **state)
{
	(void)state;
	int deaf = connect_client(), mute = connect_client(), idle[40];
	for (int i = 0; i < 20000; i++) {
		static const char ping[] = "{\"command\":\"ping\"}\n";
		if (send(deaf, ping, sizeof ping - 1, MSG_NOSIGNAL) < 0)
			step();
	}
	say(mute, "{\"command\":");
	for (int i = 0; i < 40; i++) {
		idle[i] = connect_client();
		step();
	}
	int fd = connect_client();
	assert_int_equal(ask(fd, "{\"command\":\"ping\"}"), RC_OK);
	for (int i = 0; i < 40; i++)
		(void)close(idle[i]);
	(void)close(deaf);
	(void)close(mute);
	(void)close(fd);
	step();
}

/* Nor does a crowd of the silent cut off whoever is at work. */
static void test_control__a_crowd_cuts_nobody_off(void **state)
{
	(void)state;
	int import = connect_client(), half = connect_client(), idle[60];
	say(import, "{\"command\":\"import\"}\n");
	say(import, IMPORT("40000000001", "9000000001", "logo_authorized"));
	say(half, "{\"command\":");
	step();
	for (int i = 0; i < 60; i++) {
		idle[i] = connect_client();
		step();
	}
	say(import, "{\"end\":true}\n");
	json_t *json = hear(import);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "imported")), 1);
	json_decref(json);
	assert_int_equal(ask(half, "\"ping\"}"), RC_OK);
	for (int i = 0; i < 60; i++)
		(void)close(idle[i]);
	(void)close(import);
	(void)close(half);
	step();
}

static void test_control__the_socket_is_not_for_everybody(void **state)
{
	(void)state;
	struct stat st;
	assert_int_equal(stat(scratch_path("run/control.sock"), &st), 0);
	assert_int_equal(st.st_mode & 0007, 0);
}

static void let_everybody_connect(void)
{
	assert_int_equal(chmod(scratch, 0755), 0);
	assert_int_equal(chmod(scratch_path("run"), 0755), 0);
	assert_int_equal(chmod(scratch_path("run/control.sock"), 0666), 0);
}

/* A connection of somebody else: the kernel notes who connects. */
static int connect_as(uid_t uid, const char *own, const char *other)
{
	const struct group *group = getgrnam(own);
	assert_non_null(group);
	gid_t primary = group->gr_gid, second = primary;
	if (other) {
		group = getgrnam(other);
		assert_non_null(group);
		second = group->gr_gid;
	}
	assert_int_equal(setgroups(1, &second), 0);
	assert_int_equal(setegid(primary), 0);
	assert_int_equal(seteuid(uid), 0);
	int fd = connect_client();
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(setegid(0), 0);
	assert_int_equal(setgroups(0, NULL), 0);
	return fd;
}

#define PING "{\"command\":\"ping\"}"

/* Whoever has the most connections makes room, whatever he keeps waiting in them. */
static void test_control__one_person_crowds_out_himself(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	let_everybody_connect();
	int quiet = connect_as(4242, "users", NULL), crowd[60];
	step();
	for (int i = 0; i < 60; i++) {
		crowd[i] = connect_client();
		(void)send(crowd[i], "{", 1, MSG_NOSIGNAL);
		step();
	}
	assert_int_equal(ask(quiet, PING), RC_OK);
	for (int i = 0; i < 60; i++)
		(void)close(crowd[i]);
	(void)close(quiet);
	step();
}

#define STOP "{\"command\":\"stop\",\"application\":1,\"reason\":\"様式B-3\"}"
#define CEILING "{\"command\":\"release-ceiling\"}"
#define RESTORED "{\"command\":\"release-restored\"}"
#define LACKS "権限が必要です"

static void test_control__the_groups_say_what_one_may(void **state)
{
	(void)state;
	static const struct {
		const char *own, *other; /* groups */
		const char *line;
		bool may;
	} people[] = {
		{"users", NULL, PING, true}, {"users", NULL, STOP, false}, {"users", NULL, CEILING, false},
		{"users", "games", STOP, true},
		{"games", NULL, STOP, true}, /* the right to work includes that to look */
		{"games", "users", CEILING, false}, {"users", "audio", CEILING, true},
		{"users", "audio", STOP, true}, {"audio", "games", RESTORED, false},
		{"games", NULL, "{\"command\":\"import\"}", false},
		{"staff", NULL, PING, false}, /* has no right at all */
	};
	if (geteuid() != 0)
		skip();
	let_everybody_connect();
	int fd = connect_client();
	import_two(fd);
	(void)close(fd);
	for (size_t i = 0; i < sizeof people / sizeof *people; i++) {
		fd = connect_as(4242, people[i].own, people[i].other);
		(void)send(fd, people[i].line, strlen(people[i].line), MSG_NOSIGNAL);
		(void)send(fd, "\n", 1, MSG_NOSIGNAL);
		json_t *json = hear(fd);
		assert_non_null(json);
		const char *said = json_string_value(json_object_get(json, "message_ja"));
		bool refused = strstr(said, LACKS) != NULL;
		if (refused == people[i].may)
			fail_msg("%s %s: %s: %s", people[i].own, people[i].other ? people[i].other : "",
				people[i].line, said);
		if (refused) { /* who could, and who was asked */
			assert_int_equal(json_integer_value(json_object_get(json, "rc")), RC_REFUSED);
			assert_non_null(strstr(said, "グループ"));
			assert_non_null(strstr(said, "staff:4242("));
		}
		json_decref(json);
		(void)close(fd);
	}
}

struct who {
	const char *wanted;
	bool found;
};

static enum rc find_actor(void *context, const struct history_row *row, struct err *fault)
{
	struct who *who = context;
	(void)fault;
	who->found = who->found || (row->event == EVENT_STOP && str_has_prefix(row->actor, who->wanted));
	return RC_OK;
}

static void test_control__the_history_says_which_of_them(void **state)
{
	(void)state;
	struct who who = {.wanted = "staff:4343("};
	if (geteuid() != 0)
		skip();
	let_everybody_connect();
	int fd = connect_client();
	import_two(fd);
	(void)close(fd);
	fd = connect_as(4343, "games", NULL);
	assert_int_equal(ask(fd, STOP), RC_OK);
	assert_int_equal(history_each(ctx.office.store, 1, 0, find_actor, &who, &err), RC_OK);
	assert_true(who.found);
	(void)close(fd);
}

int main(void)
{
#define WITH_CONTROL(test) cmocka_unit_test_setup_teardown(test, open_control, close_control)
	const struct CMUnitTest tests[] = {
		WITH_CONTROL(test_control__requests_and_refusals),
		WITH_CONTROL(test_control__the_history_says_who),
		WITH_CONTROL(test_control__a_request_by_mail_is_resolved),
		WITH_CONTROL(test_control__an_import_answers_row_by_row),
		WITH_CONTROL(test_control__an_import_that_breaks_off_writes_whole_batches),
		WITH_CONTROL(test_control__too_long_a_line_ends_the_client),
		WITH_CONTROL(test_control__nobody_blocks_the_others),
		WITH_CONTROL(test_control__a_crowd_cuts_nobody_off),
		WITH_CONTROL(test_control__one_person_crowds_out_himself),
		WITH_CONTROL(test_control__the_socket_is_not_for_everybody),
		WITH_CONTROL(test_control__the_groups_say_what_one_may),
		WITH_CONTROL(test_control__the_history_says_which_of_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
