#include "daemon/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/handover.h"

static int end[2];

static int open_pair(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, end);
}

static int close_pair(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++)
		if (end[i] >= 0)
			(void)close(end[i]);
	return 0;
}

static void hang_up(int i)
{
	(void)close(end[i]);
	end[i] = -1;
}

static void test_wire__frames_arrive_in_order(void **state)
{
	(void)state;
	static const struct {
		enum wire_type type;
		const char *payload;
	} frames[] = {{WIRE_HEAD, "head"}, {WIRE_RECORD, ""}, {WIRE_DONE, "日本語"}};
	struct str payload = STR_INIT;
	enum wire_type type;
	for (size_t i = 0; i < 3; i++)
		assert_true(wire_send(end[0], frames[i].type, frames[i].payload, strlen(frames[i].payload)));
	hang_up(0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(wire_receive(end[1], &type, &payload, NULL, 1000), 1);
		assert_int_equal(type, frames[i].type);
		assert_string_equal(payload.s, frames[i].payload);
	}
	assert_int_equal(wire_receive(end[1], &type, &payload, NULL, 1000), 0);
	str_free(&payload);
}

static void test_wire__a_descriptor_comes_along(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	enum wire_type type;
	int pipe_end[2], got = -1;
	char byte = 0;
	assert_int_equal(pipe2(pipe_end, O_CLOEXEC), 0);
	assert_true(wire_send_fd(end[0], WIRE_PARSE, "x", 1, pipe_end[0]));
	assert_int_equal(wire_receive(end[1], &type, &payload, &got, 1000), 1);
	assert_true(got >= 0);
	assert_int_equal(fcntl(got, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(write(pipe_end[1], "!", 1), 1);
	assert_int_equal(read(got, &byte, 1), 1);
	assert_int_equal(byte, '!');
	(void)close(got);
	(void)close(pipe_end[0]);
	(void)close(pipe_end[1]);
	str_free(&payload);
}

/* A descriptor nobody asked for must not stay open. */
static void test_wire__an_unwanted_descriptor_is_closed(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	enum wire_type type;
	int before = dup(0), after;
	(void)close(before);
	assert_true(wire_send_fd(end[0], WIRE_MORE, "", 0, 0));
	assert_int_equal(wire_receive(end[1], &type, &payload, NULL, 1000), 1);
	after = dup(0);
	assert_int_equal(after, before);
	(void)close(after);
	str_free(&payload);
}

static void test_wire__cut_or_lying_frames_are_a_dead_peer(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t len;
	} broken[] = {
		{"\0\0", 2}, /* half a length */
		{"\0\0\0\0\0", 5}, /* shorter than its type */
		{"\0\0\0\x05\x03xy", 7}, /* four bytes promised, two sent */
		{"\xff\xff\xff\xff\x03", 5}, /* over the limit */
		{"\x01\0\0\x02\x03", 5}, /* just over the limit */
	};
	for (size_t i = 0; i < sizeof broken / sizeof *broken * 2; i++) {
		struct str payload = STR_INIT;
		struct wire_queue said = WIRE_QUEUE_INIT;
		struct wire_reader reader;
		enum wire_type type;
		const char *bytes = broken[i / 2].bytes;
		ssize_t len = (ssize_t)broken[i / 2].len;
		int pair[2];
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
		assert_int_equal(write(pair[0], bytes, (size_t)len), len);
		(void)close(pair[0]);
		if (i % 2)
			assert_int_equal(wire_receive_next(pair[1], &said, &type, &reader, 1000), -1);
		else
			assert_int_equal(wire_receive(pair[1], &type, &payload, NULL, 1000), -1);
		(void)close(pair[1]);
		wire_queue_free(&said);
		str_free(&payload);
	}
}

/* However the bytes come: several frames in one piece, or one in many. */
static void test_wire__what_has_come_is_looked_at_frame_by_frame(void **state)
{
	(void)state;
	static const char bytes[] = "\0\0\0\x05\x02head\0\0\0\x01\x03\0\0\0\x07\x04日本";
	static const struct {
		enum wire_type type;
		const char *payload;
	} frames[] = {{WIRE_HEAD, "head"}, {WIRE_RECORD, ""}, {WIRE_DONE, "日本"}};
	for (size_t piece = 1; piece < sizeof bytes; piece++) {
		struct wire_queue said = WIRE_QUEUE_INIT;
		struct wire_reader payload;
		enum wire_type type;
		size_t sent = 0;
		assert_int_equal(open_pair(NULL), 0);
		for (size_t i = 0; i < 3;) {
			int got = wire_receive_next(end[1], &said, &type, &payload, 0);
			if (got != 1 && sent < sizeof bytes - 1) { /* nothing was lost by waiting in vain */
				size_t left = sizeof bytes - 1 - sent, some = left < piece ? left : piece;
				assert_int_equal(send(end[0], bytes + sent, some, 0), (ssize_t)some);
				sent += some;
				continue;
			}
			assert_int_equal(got, 1);
			assert_int_equal(type, frames[i].type);
			assert_int_equal(payload.end - payload.at, strlen(frames[i].payload));
			assert_memory_equal(payload.at, frames[i].payload, strlen(frames[i].payload));
			i++;
		}
		hang_up(0);
		assert_int_equal(wire_receive_next(end[1], &said, &type, &payload, 1000), 0);
		wire_queue_free(&said);
		(void)close_pair(NULL);
	}
	end[0] = end[1] = -1;
}

static void test_wire__silence_ends_at_the_time_out(void **state)
{
	(void)state;
	struct str payload = STR_INIT;
	enum wire_type type;
	assert_int_equal(wire_receive(end[1], &type, &payload, NULL, 20), -1);
	assert_int_equal(write(end[0], "\0\0\0\x05", 4), 4); /* begins, and stops */
	assert_int_equal(wire_receive(end[1], &type, &payload, NULL, 20), -1);
	str_free(&payload);
}

static void test_wire__sending_to_the_dead_fails_quietly(void **state)
{
	(void)state;
	hang_up(1);
	assert_false(wire_send(end[0], WIRE_MORE, "", 0));
}

static void test_wire__too_long_a_payload_is_not_sent(void **state)
{
	(void)state;
	assert_false(wire_send(end[0], WIRE_MAIL, "", (size_t)WIRE_FRAME_MAX + 1));
}

static void test_wire__payloads_read_back(void **state)
{
	(void)state;
	struct str out = STR_INIT;
	struct pool *pool = pool_new();
	size_t len;
	wire_put_text(&out, "申込み");
	wire_put_text(&out, NULL);
	wire_put_text(&out, "");
	wire_put_number(&out, INT64_MIN);
	wire_put_number(&out, 42);
	wire_put_bytes(&out, "a\0b", 3);
	struct wire_reader reader = {out.s, out.s + out.len, false};
	assert_string_equal(wire_get_text(&reader, pool), "申込み");
	assert_null(wire_get_text(&reader, pool));
	assert_string_equal(wire_get_text(&reader, pool), "");
	assert_true(wire_get_number(&reader) == INT64_MIN);
	assert_int_equal(wire_get_number(&reader), 42);
	assert_memory_equal(wire_get_bytes(&reader, &len), "a\0b", 3);
	assert_int_equal(len, 3);
	assert_false(reader.bad);
	assert_ptr_equal(reader.at, reader.end);
	str_free(&out);
	pool_free(&pool);
}

/* Whatever prefix of a payload is given: never past the end, and said so. */
static void test_wire__cut_payloads_are_bad(void **state)
{
	(void)state;
	struct str out = STR_INIT;
	struct pool *pool = pool_new();
	wire_put_text(&out, "text");
	wire_put_number(&out, 7);
	for (size_t cut = 0; cut < out.len; cut++) {
		char *copy = xmalloc(cut);
		memcpy(copy, out.s, cut);
		struct wire_reader reader = {copy, copy + cut, false};
		(void)wire_get_text(&reader, pool);
		(void)wire_get_number(&reader);
		assert_true(reader.bad);
		free(copy);
	}
	str_free(&out);
	pool_free(&pool);
}

static void test_wire__a_text_with_nul_is_bad(void **state)
{
	(void)state;
	struct str out = STR_INIT;
	struct pool *pool = pool_new();
	wire_put_bytes(&out, "a\0b", 3);
	struct wire_reader reader = {out.s, out.s + out.len, false};
	assert_null(wire_get_text(&reader, pool));
	assert_true(reader.bad);
	str_free(&out);
	pool_free(&pool);
}

/* A transport child has talked to the network: what it says goes into the register and onto terminals. */
static void test_wire__an_outcome_is_taken_as_one_line_of_text(void **state)
{
	(void)state;
	static const struct {
		int64_t code;
		const char *enhanced, *reply;
		bool good;
	} cases[] = {
		{550, "5.1.1", "宛先がありません", true},
		{0, "", "", true},
		{550, "5.1.1", "a\xff", false},
		{550, "5.1.1", "a\nb", false},
		{550, "5.1.1", "\x1b[31m", false},
		{550, "5.1.1",
			"\xe2\x80\xae"
			"a",
			false}, /* runs backwards */
		{550, "\x1b[0m", "a", false},
		{-1, "", "a", false},
		{1000, "", "a", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct delivery delivery;
		struct str payload = STR_INIT;
		wire_put_number(&payload, OUTCOME_PERMANENT);
		wire_put_number(&payload, cases[i].code);
		wire_put_text(&payload, cases[i].enhanced);
		wire_put_text(&payload, cases[i].reply);
		wire_put_number(&payload, 0);
		wire_put_text(&payload, "rcpt");
		wire_put_number(&payload, 0); /* no certificate seen */
		assert_int_equal(handover_get_delivery(&delivery, &payload), cases[i].good);
		if (cases[i].good)
			assert_string_equal(delivery.reply, cases[i].reply);
		str_free(&payload);
	}
}

int main(void)
{
#define WITH_PAIR(test) cmocka_unit_test_setup_teardown(test, open_pair, close_pair)
	const struct CMUnitTest tests[] = {
		WITH_PAIR(test_wire__frames_arrive_in_order),
		WITH_PAIR(test_wire__a_descriptor_comes_along),
		WITH_PAIR(test_wire__an_unwanted_descriptor_is_closed),
		cmocka_unit_test(test_wire__what_has_come_is_looked_at_frame_by_frame),
		cmocka_unit_test(test_wire__cut_or_lying_frames_are_a_dead_peer),
		WITH_PAIR(test_wire__silence_ends_at_the_time_out),
		WITH_PAIR(test_wire__sending_to_the_dead_fails_quietly),
		WITH_PAIR(test_wire__too_long_a_payload_is_not_sent),
		cmocka_unit_test(test_wire__payloads_read_back),
		cmocka_unit_test(test_wire__cut_payloads_are_bad),
		cmocka_unit_test(test_wire__a_text_with_nul_is_bad),
		cmocka_unit_test(test_wire__an_outcome_is_taken_as_one_line_of_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
