#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/confine.h"
#include "daemon/record.h"
#include "daemon/zygote_serve.h"
#include "lib/base/text.h"
#include "tests/unit/scratch.h"

static struct fieldmap *map;

static int load_map(void **state)
{
	struct err err = {0};
	text_preload();
	json_object_seed(1);
	return scratch_make(state) != 0 || fieldmap_load(&map, NULL, &err) ? -1 : 0;
}

static int free_map(void **state)
{
	fieldmap_free(&map);
	return scratch_remove(state);
}

/* ---- what a child that was taken over would try ---- */

static void try_open(void)
{
	_exit(open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 ? errno : 0);
}

static void try_create(void)
{
	(void)!open("/tmp/sengen-must-not-exist", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void try_connect(void)
{
	(void)!socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

static void try_fork(void)
{
	if (fork() == 0)
		_exit(0);
}

static void try_exec(void)
{
	(void)execl("/bin/true", "true", (char *)NULL);
}

static void try_executable_memory(void)
{
	(void)!mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void try_kill(void)
{
	(void)kill(getppid(), SIGTERM);
}

static void spin(void)
{
	for (volatile unsigned i = 0;; i++) {
	}
}

static void behave(void)
{
	char *bytes = malloc(1000000);
	if (!bytes)
		_exit(1);
	memset(bytes, 1, 1000000);
	free(bytes);
	_exit(42);
}

static const struct confine_limits limits = {
	.memory_bytes = 512u * 1024 * 1024, .cpu_seconds = 1, .wall_seconds = 60};

/* The wait status of a confined process that does one thing. */
static int confined(void (*what)(void))
{
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		struct err err = {0};
		if (child_confine(&limits, &err))
			_exit(77);
		what();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void test_parser_child__the_confined_are_killed(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		void (*what)(void);
	} deeds[] = {
		{"create", try_create},
		{"connect", try_connect},
		{"fork", try_fork},
		{"exec", try_exec},
		{"executable memory", try_executable_memory},
		{"kill", try_kill},
	};
	for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
		int status = confined(deeds[i].what);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("%s: status %x", deeds[i].name, (unsigned)status);
	}
	assert_int_equal(access("/tmp/sengen-must-not-exist", F_OK), -1);
}

static void test_parser_child__the_confined_open_nothing(void **state)
{
	(void)state;
	int status = confined(try_open);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EACCES);
}

/* Without the filter: what Landlock alone does. */
static void test_parser_child__files_are_out_of_reach(void **state)
{
	(void)state;
	if (!confine_has_landlock())
		skip();
	int status = 0;
	pid_t pid = fork();
	if (pid == 0) {
		bool done = confine_files();
		bool shut = open("/etc/passwd", O_RDONLY | O_CLOEXEC) < 0 && errno == EACCES &&
			    open("/tmp/sengen-must-not-exist", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) < 0 &&
			    execl("/bin/true", "true", (char *)NULL) < 0 && errno == EACCES;
		_exit(done && shut ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_parser_child__the_confined_can_work(void **state)
{
	(void)state;
	int status = confined(behave);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_parser_child__endless_work_ends(void **state)
{
	(void)state;
	int status = confined(spin);
	assert_true(WIFSIGNALED(status));
}

#if !defined(__SANITIZE_ADDRESS__)
static void eat_memory(void)
{
	for (int i = 0; i < 1024; i++) {
		volatile char *bytes = malloc(1024u * 1024);
		if (!bytes)
			_exit(43);
		bytes[0] = 1;
	}
	_exit(0);
}

static void test_parser_child__memory_is_bounded(void **state)
{
	(void)state;
	int status = confined(eat_memory);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 43);
}
#endif

/* ---- reading files ---- */

struct parsing {
	int fd;
	pid_t pid;
	struct str frame;
	struct form_head head;
	struct pool *pool;
	int records;
	bool done, dead;
	enum rc rc;
	const char *why_ja;
};

static void write_file(const char *path, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	(void)close(fd);
}

static void reading_begin(struct parsing *reading, const char *bytes, size_t len)
{
	int pair[2];
	*reading = (struct parsing){.frame = STR_INIT, .pool = pool_new()};
	write_file(scratch_path("form"), bytes, len);
	int file = open(scratch_path("form"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	reading->pid = fork();
	if (reading->pid == 0) {
		(void)close(pair[0]);
		form_child_main(pair[1], map);
	}
	(void)close(pair[1]);
	reading->fd = pair[0];
	struct str payload = STR_INIT;
	form_limits_pack(&payload, &form_limits_default);
	assert_true(wire_send_fd(reading->fd, WIRE_PARSE, payload.s, payload.len, file));
	str_free(&payload);
	(void)close(file);
}

/* Reads one frame; false: nothing more comes. */
static bool reading_next(struct parsing *reading, struct form_record *record)
{
	enum wire_type type;
	if (wire_receive(reading->fd, &type, &reading->frame, NULL, 60000) != 1) {
		reading->dead = true;
		return false;
	}
	struct wire_reader reader = {reading->frame.s, reading->frame.s + reading->frame.len, false};
	if (type == WIRE_HEAD) {
		assert_true(form_head_unpack(&reading->head, &reader, &form_limits_default, reading->pool));
	} else if (type == WIRE_RECORD) {
		assert_true(form_record_unpack(record, &reader, &form_limits_default, reading->pool));
		assert_int_equal(record->record, ++reading->records);
		if (reading->records % RECORDS_PER_TURN == 0)
			assert_true(wire_send(reading->fd, WIRE_MORE, "", 0));
	} else {
		assert_int_equal(type, WIRE_DONE);
		reading->rc = (enum rc)wire_get_number(&reader);
		(void)wire_get_text(&reader, reading->pool);
		reading->why_ja = wire_get_text(&reader, reading->pool);
		reading->done = true;
		return false;
	}
	return true;
}

static int reading_end(struct parsing *reading)
{
	int status = 0;
	(void)close(reading->fd);
	assert_int_equal(waitpid(reading->pid, &status, 0), reading->pid);
	str_free(&reading->frame);
	pool_free(&reading->pool);
	return status;
}

static void test_parser_child__a_csv_comes_as_records(void **state)
{
	(void)state;
	struct parsing reading;
	struct form_record record = {0}, first = {0};
	struct str csv = STR_INIT;
	str_addz(&csv, "担当者名,担当者メールアドレス,法人番号,事業者名,宣言の内容（ロゴマークの種類）\r\n");
	for (int i = 1; i <= 1000; i++)
		str_printf(&csv,
			"見本　花子,hanako%d@example.co.jp,,株式会社サンプル%d,"
			"新規に【★一つ星】を申し込む\r\n",
			i, i);
	reading_begin(&reading, csv.s, csv.len);
	while (reading_next(&reading, &record))
		if (reading.records == 1)
			first = record;
	assert_true(reading.done);
	assert_int_equal(reading.rc, RC_OK);
	assert_int_equal(reading.records, 1000);
	assert_int_equal(reading.head.format, FORM_CSV);
	assert_int_equal(reading.head.header_count, 5);
	assert_string_equal(first.form.value[FIELD_MAIL], "hanako1@example.co.jp");
	assert_string_equal(record.form.value[FIELD_BUSINESS_NAME], "株式会社サンプル1000");
	assert_null(record.form.value[FIELD_PREFECTURE]);
	assert_int_equal(record.raw_count, 5);
	assert_int_equal(record.line, 1001);
	assert_int_equal(reading_end(&reading), 0);
	str_free(&csv);
}

/* Small files come in the frames, one child reads one after the other; none knows of the one before. */
static void test_parser_child__small_files_share_a_child(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		enum rc rc;
		int records;
	} files[] = {
		{"{\"担当者名\":\"見本　花子\",\"事業者名\":\"株式会社サンプル1\"}", RC_OK, 1},
		{"PK\x03\x04\x14", RC_REFUSED, 0},
		{"", RC_REFUSED, 0},
		{"担当者名,担当者メールアドレス,法人番号,事業者名,宣言の内容（ロゴマークの種類）\r\n"
		 "見本　花子,hanako@example.co.jp,,株式会社サンプル2,新規に【★一つ星】を申し込む\r\n"
		 "見本　太郎,taro@example.co.jp,,株式会社サンプル3,新規に【★一つ星】を申し込む\r\n",
			RC_OK, 2},
		{"[{\"担当者名\":\"見本　花子\",\"事業者名\":\"株式会社サンプル4\"}]", RC_OK, 1},
	};
	int pair[2];
	struct parsing reading = {.frame = STR_INIT, .pool = pool_new()};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	reading.pid = fork();
	if (reading.pid == 0) {
		(void)close(pair[0]);
		form_child_main(pair[1], map);
	}
	(void)close(pair[1]);
	reading.fd = pair[0];
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct str payload = STR_INIT;
		wire_put_bytes(&payload, files[i].bytes, strlen(files[i].bytes));
		form_limits_pack(&payload, &form_limits_default);
		assert_true(wire_send(reading.fd, WIRE_PARSE, payload.s, payload.len));
		str_free(&payload);
	}
	assert_int_equal(shutdown(reading.fd, SHUT_WR), 0);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		struct form_record record;
		reading.records = 0;
		reading.done = false;
		while (reading_next(&reading, &record))
			;
		assert_true(reading.done);
		if (reading.rc != files[i].rc || reading.records != files[i].records)
			fail_msg("file %zu: rc %d, %d records", i, reading.rc, reading.records);
	}
	assert_int_equal(reading_end(&reading), 0);
}

/* A file behind small ones would be read with the room of a small one: the child ends. */
static void test_parser_child__no_file_behind_small_ones(void **state)
{
	(void)state;
	int pair[2];
	struct form_record record;
	write_file(scratch_path("form"), "{}", 2);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	struct parsing reading = {.frame = STR_INIT, .pool = pool_new(), .pid = fork()};
	if (reading.pid == 0) {
		(void)close(pair[0]);
		form_child_main(pair[1], map);
	}
	(void)close(pair[1]);
	reading.fd = pair[0];
	struct str payload = STR_INIT;
	wire_put_bytes(&payload, "{}", 2);
	form_limits_pack(&payload, &form_limits_default);
	assert_true(wire_send(reading.fd, WIRE_PARSE, payload.s, payload.len));
	str_clear(&payload);
	form_limits_pack(&payload, &form_limits_default);
	int file = open(scratch_path("form"), O_RDONLY | O_CLOEXEC);
	assert_true(wire_send_fd(reading.fd, WIRE_PARSE, payload.s, payload.len, file));
	(void)close(file);
	str_free(&payload);
	while (reading_next(&reading, &record))
		;
	assert_true(reading.done);
	assert_false(reading_next(&reading, &record));
	assert_true(reading.dead);
	assert_int_not_equal(reading_end(&reading), 0);
}

/* The file's own end is the child's, whatever lies in it: an answer, never a hang. */
static void test_parser_child__bombs_end(void **state)
{
	(void)state;
	static const struct {
		const char *name, *unit;
		size_t times;
	} bombs[] = {
		{"empty", "", 0},
		{"nested arrays", "[", 8u * 1024 * 1024},
		{"nested objects", "{\"a\":", 2u * 1024 * 1024},
		{"open quotes", "\"\n", 4u * 1024 * 1024},
		{"commas", ",", 8u * 1024 * 1024},
		{"line breaks", "\n", 8u * 1024 * 1024},
		{"broken UTF-8", "\xe3\x81", 4u * 1024 * 1024},
		{"high bytes", "\xff", 128u * 1024},
		{"archive", "PK\x03\x04", 1024},
		{"one endless value", "申", 2u * 1024 * 1024},
	};
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		struct parsing reading;
		struct form_record record;
		struct str bytes = STR_INIT;
		for (size_t n = 0; n < bombs[i].times; n++)
			str_addz(&bytes, bombs[i].unit);
		reading_begin(&reading, bytes.s, bytes.len);
		while (reading_next(&reading, &record)) {
		}
		/* Refused as a whole with a reason, or record by record. */
		if (!reading.done || (reading.rc == RC_REFUSED && !reading.why_ja) ||
			(reading.rc == RC_OK && reading.records == 0))
			fail_msg("%s: done %d, rc %d after %d records", bombs[i].name, reading.done,
				reading.rc, reading.records);
		(void)reading_end(&reading);
		str_free(&bytes);
	}
}

static void test_parser_child__ends_when_nobody_listens(void **state)
{
	(void)state;
	struct parsing reading;
	struct form_record record;
	struct str csv = STR_INIT;
	str_addz(&csv, "担当者名,担当者メールアドレス,法人番号,事業者名\n");
	for (int i = 0; i < 5000; i++)
		str_addz(&csv, "見本　花子,hanako@example.co.jp,,株式会社サンプル\n");
	reading_begin(&reading, csv.s, csv.len);
	assert_true(reading_next(&reading, &record));
	assert_true(reading_next(&reading, &record));
	int status = reading_end(&reading);
	assert_true(WIFEXITED(status));
	str_free(&csv);
}

/* ---- a child that lies ---- */

static void test_parser_child__lies_are_noticed(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct form_limits tight = form_limits_default;
	tight.value_bytes = 10;
	struct form_record good = {.record = 1, .line = 2}, back;
	const char *raw[] = {"a", "b", "c"};
	good.raw = raw;
	good.raw_count = 3;
	good.form.value[FIELD_CONTACT] = "見本";
	struct str out = STR_INIT;
	form_record_pack(&out, &good);
	struct wire_reader whole = {out.s, out.s + out.len, false};
	assert_true(form_record_unpack(&back, &whole, &tight, pool));
	assert_string_equal(back.form.value[FIELD_CONTACT], "見本");
	assert_int_equal(back.raw_count, 3);

	/* Cut anywhere, or with something left over. */
	for (size_t cut = 0; cut < out.len; cut++) {
		struct wire_reader reader = {out.s, out.s + cut, false};
		assert_false(form_record_unpack(&back, &reader, &tight, pool));
	}
	str_addc(&out, 'x');
	struct wire_reader longer = {out.s, out.s + out.len, false};
	assert_false(form_record_unpack(&back, &longer, &tight, pool));

	/* More than was agreed on, or no text. */
	tight.columns = 2;
	struct wire_reader wide = {out.s, out.s + out.len - 1, false};
	assert_false(form_record_unpack(&back, &wide, &tight, pool));
	static const char *const bad_texts[] = {"eleven bytes", "\xff\xfe"};
	for (size_t i = 0; i < 2; i++) {
		struct form_record bad = {.record = 1, .line = 2};
		bad.form.value[FIELD_CONTACT] = bad_texts[i];
		str_clear(&out);
		form_record_pack(&out, &bad);
		struct wire_reader reader = {out.s, out.s + out.len, false};
		assert_false(form_record_unpack(&back, &reader, &tight, pool));
	}
	str_free(&out);
	pool_free(&pool);
}

static void test_parser_child__findings_keep(void **state)
{
	(void)state;
	struct pool *pool = pool_new();
	struct finding item[] = {{.field = FIELD_MAIL,
		.code = FINDING_MAIL,
		.severity = SEVERITY_REFUSE,
		.value = "a@",
		.message_ja = "正しくありません",
		.remedy_ja = "直してください"}};
	struct findings in = {item, 1}, back;
	const char *detail = NULL;
	struct str out = STR_INIT;
	findings_pack(&out, &in, "保留");
	struct wire_reader reader = {out.s, out.s + out.len, false};
	assert_true(findings_unpack(&back, &detail, &reader, pool));
	assert_int_equal(back.count, 1);
	assert_int_equal(back.item[0].code, FINDING_MAIL);
	assert_string_equal(back.item[0].message_ja, "正しくありません");
	assert_string_equal(detail, "保留");

	/* Texts that are missing are empty ones. */
	item[0].value = item[0].message_ja = item[0].remedy_ja = NULL;
	str_clear(&out);
	findings_pack(&out, &in, NULL);
	reader = wire_reader_of(&out);
	assert_true(findings_unpack(&back, &detail, &reader, pool));
	assert_string_equal(back.item[0].value, "");
	assert_string_equal(back.item[0].message_ja, "");
	assert_string_equal(back.item[0].remedy_ja, "");
	assert_null(detail);
	str_free(&out);
	pool_free(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parser_child__the_confined_are_killed),
		cmocka_unit_test(test_parser_child__the_confined_open_nothing),
		cmocka_unit_test(test_parser_child__files_are_out_of_reach),
		cmocka_unit_test(test_parser_child__the_confined_can_work),
		cmocka_unit_test(test_parser_child__endless_work_ends),
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(test_parser_child__memory_is_bounded),
#endif
		cmocka_unit_test(test_parser_child__a_csv_comes_as_records),
		cmocka_unit_test(test_parser_child__small_files_share_a_child),
		cmocka_unit_test(test_parser_child__no_file_behind_small_ones),
		cmocka_unit_test(test_parser_child__bombs_end),
		cmocka_unit_test(test_parser_child__ends_when_nobody_listens),
		cmocka_unit_test(test_parser_child__lies_are_noticed),
		cmocka_unit_test(test_parser_child__findings_keep),
	};
	return cmocka_run_group_tests(tests, load_map, free_map);
}
