/* Trap 26: old addresses of carriers, with dots before the @ or in a row, are refused. They are taken from the form, sent quoted in command and header, and found again
 * when their owner writes, in either spelling. */
#include "sender_rig.h"

#include "lib/base/mailaddr.h"

static const struct {
	const char *written, *command, *header;
} addresses[] = {
	{"taro..yamada.@docomo.ne.jp", "\"taro..yamada.\"@docomo.ne.jp",
		"To: \"taro..yamada.\"@docomo.ne.jp\r\n"},
	{"hanako.@ezweb.ne.jp", "\"hanako.\"@ezweb.ne.jp", "To: \"hanako.\"@ezweb.ne.jp\r\n"},
	{".jiro@softbank.ne.jp", "\".jiro\"@softbank.ne.jp", "To: \".jiro\"@softbank.ne.jp\r\n"},
	{"\"saburo..\"@docomo.ne.jp", "\"saburo..\"@docomo.ne.jp", "To: \"saburo..\"@docomo.ne.jp\r\n"},
	{"usual.name@example.co.jp", "usual.name@example.co.jp", "To: usual.name@example.co.jp\r\n"},
};

static void test_trap_26__sent_quoted(void **state)
{
	struct sink_script script = {0};
	struct post post = post_open(state, &script, "connections = 1;");
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct form_values form = rig_form(post.rig, (int)i + 1);
		form.value[FIELD_MAIL] = form.value[FIELD_MAIL_CONFIRM] = addresses[i].written;
		int64_t id = rig_register(post.rig, &form);
		assert_false(rig_review);
		(void)work(&post);
		assert_string_equal(rig_outbox(post.rig, id), "receipt/sent");
		assert_int_equal(sink_mail_count(post.sink), i + 1);
		assert_string_equal(sink_mail(post.sink, i)->recipient.s, addresses[i].command);
		if (!strstr(sink_mail(post.sink, i)->data.s, addresses[i].header))
			fail_msg("%s: %s", addresses[i].written, sink_mail(post.sink, i)->data.s);
	}
	post_close(&post);
}

static void test_trap_26__one_owner_in_either_spelling(void **state)
{
	(void)state;
	static const char *const spellings[][2] = {
		{"taro..yamada.@docomo.ne.jp", "\"taro..yamada.\"@docomo.ne.jp"},
		{"hanako.@ezweb.ne.jp", "\"hanako.\"@EZWEB.ne.jp"},
	};
	for (size_t i = 0; i < 2; i++) {
		struct mailaddr plain, quoted;
		struct str a = STR_INIT, b = STR_INIT;
		assert_int_equal(mailaddr_read(&plain, spellings[i][0]), MAILADDR_OK);
		assert_int_equal(mailaddr_read(&quoted, spellings[i][1]), MAILADDR_OK);
		mailaddr_key(&a, &plain);
		mailaddr_key(&b, &quoted);
		assert_string_equal(a.s, b.s);
		str_free(&a);
		str_free(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_26__sent_quoted, rig_setup, rig_teardown),
		cmocka_unit_test(test_trap_26__one_owner_in_either_spelling),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
