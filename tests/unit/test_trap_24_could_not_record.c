/* Trap 24 (of SQLite): a transaction that turns to writing fails at once in spite of the busy time; and a run that could not write its row vanishes. Every
 * transaction takes the lock when it begins; what can't be recorded is said, undone whole, and done later. */
#include "office_rig.h"

#include <pthread.h>
#include <sqlite3.h>
#include <time.h>

static sqlite3 *other_writer(const struct rig *rig)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(rig->store_path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void *give_up_soon(void *ctx)
{
	(void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
	(void)sqlite3_exec(ctx, "COMMIT", NULL, NULL, NULL);
	return NULL;
}

/* Another process writes for a moment: waited for, not failed on. */
static void test_trap_24__a_busy_moment_is_waited_for(void **state)
{
	struct rig *rig = *state;
	pthread_t thread;
	sqlite3 *other = other_writer(rig);
	assert_int_equal(pthread_create(&thread, NULL, give_up_soon, other), 0);
	int64_t id = rig_apply(rig, 1); /* reads, then writes, in one transaction */
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
	assert_string_equal(rig_outbox(rig, id), "receipt/queued");
}

/* A transaction that has begun holds the lock already: reading first and writing then can't lose it to another. */
static void test_trap_24__the_lock_is_taken_at_the_beginning(void **state)
{
	struct rig *rig = *state;
	sqlite3 *other;
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_int_equal(sqlite3_open(rig->store_path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_BUSY);
	store_rollback(rig->office.store);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE; COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(other), SQLITE_OK);
}

/* The row can't be written: the whole step is undone and told as a fault of the register; when it can, nothing is missing and nothing is twice. */
static void test_trap_24__what_can_not_be_recorded_is_done_later(void **state)
{
	struct rig *rig = *state;
	struct step_result step;
	sqlite3 *side;
	int64_t id = rig_apply(rig, 1);
	(void)rig_turn(rig);
	clock_set(&rig->clock, rig_at(2026, 6, 8, 9, 30));
	assert_int_equal(sqlite3_open(rig->store_path, &side), SQLITE_OK);
	assert_int_equal(sqlite3_exec(side,
				 "CREATE TRIGGER fault BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, "
				 "'fault'); END",
				 NULL, NULL, NULL),
		SQLITE_OK);
	struct err err = {0};
	enum rc rc = office_run_due(&rig->office, 50, &step, &err);
	assert_true(rc == RC_STORE && err.text[0]);
	assert_int_equal(rig_app(rig, id).state, STATE_RECEIVED);
	assert_int_equal(rig_app(rig, id).declaration_id, 0);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent");
	assert_int_equal(sqlite3_exec(side, "DROP TRIGGER fault", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(side), SQLITE_OK);
	rig_run_days(rig, 20);
	assert_string_equal(rig_outbox(rig, id), "receipt/sent id/sent logo/sent");
	assert_int_equal(rig->delivered, 3);
	rig_assert_whole(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_trap_24__a_busy_moment_is_waited_for, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_24__the_lock_is_taken_at_the_beginning, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_trap_24__what_can_not_be_recorded_is_done_later, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
