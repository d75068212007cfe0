/* Trap 27: a copy of the live database mails real people; "suspend sending" does not suspend. */
#include "sender_rig.h"

static void copy_register(struct rig *rig)
{
	struct str bytes = STR_INIT;
	office_close(&rig->office);
	store_close(&rig->office.store);
	assert_ok(file_read(&bytes, rig->store_path, (size_t)64 << 20, &rig_err));
	char *path = pool_printf(rig->pool, "%s/copy.db", rig->dir);
	assert_ok(file_write(path, bytes.s, bytes.len, 0600, &rig_err));
	rig->store_settings.path = path;
	rig->store_settings.witness = pool_printf(rig->pool, "%s/copy.witness", rig->dir);
	str_free(&bytes);
}

/* Opened on another machine: held, whatever is queued or falls due; it says so, and mails when a person has let it go. */
static void test_trap_27__a_copy_is_held(void **state)
{
	struct sink_script script = {0};
	struct post post = post_open(state, &script, "");
	struct rig *rig = post.rig;
	struct step_result step;
	(void)rig_apply(rig, 1);
	role_sender.stop(&post.ctx, 0);
	copy_register(rig);
	rig->store_settings.host = "host-b";
	rig_open_store(rig);
	assert_ok(office_load_templates(&rig->office, &rig_err));
	role_up(&post);
	for (int day = 0; day < 30; day++) {
		assert_ok(office_run_due(&rig->office, 50, &step, &rig_err));
		assert_ok(role_sender.step(&post.ctx, rig->clock.now, &(utc_time){0}, &rig_err));
		pass_seconds(&post, 86400);
	}
	assert_int_equal(sink_mail_count(post.sink), 0);
	assert_int_equal(sink_connections(post.sink), 0);
	struct office_holds holds;
	assert_ok(office_holds(&rig->office, &holds, &rig_err));
	assert_int_not_equal(holds.restored, RESTORED_NO);
	assert_ok(office_release_restored(&rig->office, "staff:1000", &rig_err));
	(void)work(&post);
	assert_int_equal(sink_mail_count(post.sink), 1);
	post_close(&post);
}

/* Pause: nothing leaves, not what waited before, not what comes, not a repeat; and it goes on after a resume. */
static void test_trap_27__suspended_is_suspended(void **state)
{
	struct sink_script script = {.greylist = true};
	struct post post = post_open(state, &script, "");
	struct rig *rig = post.rig;
	const char *why_ja;
	int64_t waiting = rig_apply(rig, 1);
	(void)work(&post); /* comes again in five minutes */
	assert_ok(office_pause(
		&rig->office, PAUSE_SENDING, true, "点検", "staff:1000", &why_ja, rig->pool, &rig_err));
	size_t connections = sink_connections(post.sink);
	int64_t later = rig_apply(rig, 2);
	for (int hour = 0; hour < 48; hour++) {
		utc_time next;
		pass_seconds(&post, 3600);
		assert_ok(role_sender.step(&post.ctx, rig->clock.now, &next, &rig_err));
		if (hour == 24) { /* a restart does not forget it */
			role_sender.stop(&post.ctx, 0);
			rig_restart(rig);
			role_up(&post);
		}
	}
	assert_int_equal(sink_mail_count(post.sink), 0);
	assert_int_equal(sink_connections(post.sink), connections);
	script.greylist = false;
	sink_change(post.sink, &script);
	assert_ok(office_pause(
		&rig->office, PAUSE_SENDING, false, "", "staff:1000", &why_ja, rig->pool, &rig_err));
	(void)work(&post);
	assert_string_equal(rig_outbox(rig, waiting), "receipt/sent");
	assert_string_equal(rig_outbox(rig, later), "receipt/sent");
	post_close(&post);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trap_27__a_copy_is_held, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_27__suspended_is_suspended, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, group_set_up, group_tear_down);
}
