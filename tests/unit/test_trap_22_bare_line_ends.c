/* Trap 22 (of the SMTP client): bare LF is refused by strict servers, and the option that mends it damaged bodies over 64 KiB. What arrives is what was composed, CRLF
 * and nothing else, whatever its length and wherever a dot stands. */
#include "sender_rig.h"

#include "lib/mail/transport.h"

static void test_trap_22__what_arrives_is_crlf(void **state)
{
	struct rig *rig = *state;
	struct sink_script script = {0};
	struct sink *sink = sink_start(&script, rig->dir);
	static char host[] = "localhost", helo[] = "sa.example.jp";
	struct transport_settings settings = {.host = host,
		.port = sink_port(sink),
		.tls = TLS_NONE,
		.helo = helo,
		.connect_seconds = 5,
		.reply_seconds = 5,
		.dot_seconds = 5};
	static const size_t sizes[] = {100, 16383, 16384, 65535, 65536, 65537, 200000, 1000000};
	struct transport *transport = transport_new(&settings, NULL);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct str wire = STR_INIT;
		struct delivery delivery;
		str_addz(&wire, "Subject: x\r\n\r\n");
		for (int line = 0; wire.len < sizes[i]; line++)
			str_printf(&wire, "%s%d\r\n", line % 3 ? "line " : line % 2 ? "." : "..", line);
		const struct parcel parcel = {.name = "x",
			.sender = "bounce@sa.example.jp",
			.recipient = "info1@example.co.jp",
			.wire = wire.s,
			.len = wire.len};
		transport_send(transport, &parcel, &delivery);
		assert_int_equal(delivery.outcome, OUTCOME_ACCEPTED);
		const struct sink_mail *mail = sink_mail(sink, i);
		assert_int_equal(mail->data.len, wire.len);
		assert_memory_equal(mail->data.s, wire.s, wire.len);
		str_free(&wire);
	}
	transport_free(&transport);
	sink_stop(&sink);
}

/* And a letter is composed so: no CR without LF, no LF without CR. */
static void test_trap_22__letters_are_composed_so(void **state)
{
	struct sink_script script = {0};
	struct post post = post_open(state, &script, "");
	(void)rig_apply(post.rig, 1);
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 1);
	const struct str *data = &sink_mail(post.sink, 0)->data;
	assert_true(data->len > 1000);
	for (size_t i = 0; i < data->len; i++) {
		assert_true(data->s[i] != '\n' || (i > 0 && data->s[i - 1] == '\r'));
		assert_true(data->s[i] != '\r' || data->s[i + 1] == '\n');
		assert_true((unsigned char)data->s[i] < 0x80);
	}
	post_close(&post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_22__what_arrives_is_crlf, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_22__letters_are_composed_so, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
