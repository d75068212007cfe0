#include "lib/office/office_p.h"
#include "office_rig.h"

#define FIRST "staff:1000(yamada)"
#define SECOND "staff:1001(suzuki)"

static const char *why_ja;
static bool released, waits;

/* Another distance is another set, as another letter is. */
static const char slow_profile[] =
	"name = \"form\";\n"
	"stages = (\n"
	" { name = \"receipt\"; template = \"receipt\"; state = \"received\";"
	" after_received : { target = 0; }; },\n"
	" { name = \"id\"; template = \"id\"; state = \"id_issued\"; after_received : { target = 28; }; } "
	");\n";

static void new_templates(struct rig *rig, const char *more)
{
	rig_write(rig, "slow.conf", slow_profile);
	rig_configure(rig, pool_printf(rig->pool, "profile_files = ( \"slow.conf\" );\n%s", more));
}

static enum rc release(struct rig *rig, int64_t id, const char *actor)
{
	why_ja = NULL;
	enum rc rc = office_release_batch(&rig->office, id, actor, &waits, &why_ja, rig->pool, &rig_err);
	assert_true((rc == RC_REFUSED) == (why_ja != NULL));
	return rc;
}

static enum rc release_ceiling(struct rig *rig, const char *actor)
{
	return office_release_ceiling(&rig->office, actor, &released, &waits, &why_ja, rig->pool, &rig_err);
}

struct open_batches {
	int count;
	struct held_batch last;
	struct pool *pool;
};

static enum rc take_open(void *ctx, const struct held_batch *batch, struct err *err)
{
	struct open_batches *open = ctx;
	(void)err;
	open->count++;
	open->last = *batch;
	open->last.first_actor = pool_strdup(open->pool, batch->first_actor);
	return RC_OK;
}

static struct open_batches open_batches(struct rig *rig)
{
	struct open_batches open = {.pool = rig->pool};
	assert_ok(held_batch_each_open(rig->office.store, take_open, &open, &rig_err));
	return open;
}

static void test_batch__new_templates_wait_for_two_people(void **state)
{
	struct rig *rig = *state;
	int64_t old = rig_apply(rig, 1);
	new_templates(rig, "second_person = ( \"templates\" );");
	struct open_batches open = open_batches(rig);
	assert_int_equal(open.count, 1);
	assert_int_equal(open.last.reason, BATCH_TEMPLATES);
	assert_int_equal(open.last.due, 0);
	for (int i = 2; i < 8; i++)
		(void)rig_apply(rig, i);
	assert_int_equal(rig_send(rig), 1); /* what came in under the old set goes on */
	assert_string_equal(rig_outbox(rig, old), "receipt/sent");
	assert_string_equal(rig_outbox(rig, 2), "receipt/queued");
	struct office_holds holds;
	assert_ok(office_holds(&rig->office, &holds, &rig_err));
	assert_int_equal(holds.template_sets, 1);
	struct str text = STR_INIT;
	struct due due;
	struct application app = rig_app(rig, 2);
	assert_ok(office_why(&rig->office, &app, &text, &due, &rig_err));
	assert_non_null(strstr(text.s, "sengenctl batches"));
	str_free(&text);

	/* Three of the six, each another one. */
	struct batch_look look;
	assert_ok(office_look_at_batch(&rig->office, &open.last, &look, rig->pool, &rig_err));
	assert_int_equal(look.waiting, 6);
	assert_int_equal(look.count, BATCH_SAMPLES);
	for (int i = 0; i < look.count; i++) {
		assert_true(look.sample[i].application_id >= 2 && look.sample[i].application_id <= 7);
		assert_string_equal(look.sample[i].template_name, "receipt");
		for (int j = 0; j < i; j++)
			assert_true(look.sample[i].notice_id != look.sample[j].notice_id);
	}

	assert_ok(release(rig, open.last.id, FIRST));
	assert_true(waits);
	assert_int_equal(rig_send(rig), 0);
	assert_int_equal(release(rig, open.last.id, FIRST), RC_REFUSED);
	assert_non_null(strstr(why_ja, "二人"));
	/* Whoever has another name by now is the same person. */
	assert_int_equal(release(rig, open.last.id, "staff:1000(sato)"), RC_REFUSED);
	rig_restart(rig);
	assert_int_equal(open_batches(rig).count, 1);
	assert_ok(release(rig, open.last.id, SECOND));
	assert_false(waits);
	assert_int_equal(rig_send(rig), 6);
	assert_int_equal(release(rig, open.last.id, SECOND), RC_REFUSED);
	assert_non_null(strstr(why_ja, "すでに"));
	assert_int_equal(release(rig, 99, SECOND), RC_REFUSED);
	assert_int_equal(rig_count_events(rig, 0, EVENT_BATCH), 3);
	/* The set is known now. */
	rig_restart(rig);
	assert_int_equal(open_batches(rig).count, 0);
	rig_assert_whole(rig);
}

static void test_batch__templates_wait_only_where_it_is_wanted(void **state)
{
	struct rig *rig = *state;
	new_templates(rig, "");
	assert_int_equal(open_batches(rig).count, 0);
	(void)rig_apply(rig, 1);
	assert_int_equal(rig_send(rig), 1);
}

static void test_batch__a_simulation_asks_nobody_about_templates(void **state)
{
	struct rig *rig = *state;
	rig->office.answers_ceiling = true;
	new_templates(rig, "second_person = ( \"templates\" );");
	assert_int_equal(open_batches(rig).count, 0);
}

static void test_batch__receipts_over_the_ceiling(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "receipt_ceiling = 5;");
	for (int i = 0; i < 12; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	struct open_batches open = open_batches(rig);
	assert_int_equal(open.count, 1);
	assert_int_equal(open.last.reason, BATCH_RECEIPTS);
	assert_int_equal(open.last.limit, 5);
	struct batch_look look;
	assert_ok(office_look_at_batch(&rig->office, &open.last, &look, rig->pool, &rig_err));
	assert_int_equal(look.waiting, 7);
	assert_int_equal(look.count, BATCH_SAMPLES);
	assert_string_equal(look.sample[0].template_name, "receipt");
	assert_ok(release(rig, open.last.id, FIRST));
	assert_false(waits); /* nobody wants two people for that */
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 12);
	/* The next one over the ceiling is a question of its own. */
	(void)rig_apply(rig, 20);
	(void)rig_turn(rig);
	assert_int_equal(open_batches(rig).count, 1);
	assert_true(open_batches(rig).last.id != open.last.id);
	rig_assert_whole(rig);
}

static void test_batch__release_ceiling_takes_two_as_well(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "receipt_ceiling = 5; second_person = ( \"receipts\", \"stages\" );");
	for (int i = 0; i < 12; i++)
		(void)rig_apply(rig, i);
	(void)rig_turn(rig);
	assert_ok(release_ceiling(rig, FIRST));
	assert_true(waits);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 5);
	assert_int_equal(release_ceiling(rig, FIRST), RC_REFUSED);
	assert_non_null(strstr(why_ja, "二人"));
	assert_ok(release_ceiling(rig, SECOND));
	assert_false(waits);
	(void)rig_turn(rig);
	assert_int_equal(rig->delivered, 12);
	assert_int_equal(release_ceiling(rig, FIRST), RC_REFUSED);
	assert_non_null(why_ja);
	rig_assert_whole(rig);
}

static void ask(struct rig *rig, enum batch_reason reason)
{
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(batch_ask(&rig->office, reason, 0, 12, 5, &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
}

/* Two questions, one of which takes two people: what one person may say counts at once, and nothing said is lost. */
static void test_batch__release_ceiling_with_both_questions(void **state)
{
	struct rig *rig = *state;
	rig_configure(rig, "second_person = ( \"stages\" );");
	ask(rig, BATCH_STAGES);
	/* The first time noted for the stages; the second time the first person may not again. */
	for (int i = 0; i < 2; i++) {
		ask(rig, BATCH_RECEIPTS);
		assert_int_equal(open_batches(rig).count, 2);
		released = waits = false;
		assert_ok(release_ceiling(rig, FIRST));
		assert_true(released);
		assert_true(waits);
		assert_int_equal(open_batches(rig).count, 1);
		assert_int_equal(open_batches(rig).last.reason, BATCH_STAGES);
		assert_string_equal(open_batches(rig).last.first_actor, FIRST);
	}
	assert_int_equal(release_ceiling(rig, FIRST), RC_REFUSED);
	assert_non_null(strstr(why_ja, "二人"));
	assert_ok(release_ceiling(rig, SECOND));
	assert_true(released);
	assert_false(waits);
	assert_int_equal(open_batches(rig).count, 0);
	rig_assert_whole(rig);
}

int main(void)
{
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		WITH_RIG(test_batch__new_templates_wait_for_two_people),
		WITH_RIG(test_batch__templates_wait_only_where_it_is_wanted),
		WITH_RIG(test_batch__a_simulation_asks_nobody_about_templates),
		WITH_RIG(test_batch__receipts_over_the_ceiling),
		WITH_RIG(test_batch__release_ceiling_takes_two_as_well),
		WITH_RIG(test_batch__release_ceiling_with_both_questions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
