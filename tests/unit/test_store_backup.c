/* A copy of the register while others go on: whole, checked, nobody else's to read, nothing left where it failed. */
#include "store_rig.h"

#include <pthread.h>
#include <sys/stat.h>

#include "lib/base/file.h"

static const char *copy_path(struct rig *rig)
{
	return pool_printf(rig->pool, "%s/copy.db", rig->dir);
}

static int64_t count_in(const char *path, const char *sql)
{
	struct rig other = {0};
	(void)snprintf(other.path, sizeof other.path, "%s", path);
	return sql_count(&other, sql);
}

static void assert_nothing_beside(struct rig *rig)
{
	struct strlist names = {0};
	assert_ok(file_list_dir(&names, rig->dir, &rig_err));
	for (size_t i = 0; i < names.count; i++)
		assert_null(strstr(names.item[i], ".part"));
	strlist_free(&names);
}

static void add(struct rig *rig, int from, int count)
{
	for (int i = 0; i < count; i++) {
		assert_ok(store_begin(rig->store, &rig_err));
		(void)rig_add(rig, from + i);
		assert_ok(store_commit(rig->store, &rig_err));
	}
}

static void test_store_backup__whole(void **state)
{
	struct rig *rig = *state;
	struct audit audit;
	struct stat st;
	const char *path = copy_path(rig);
	mode_t before = umask(0);
	add(rig, 1, 20);
	assert_ok(store_backup(rig->store, path, &audit, &rig_err));
	(void)umask(before);
	assert_int_equal(audit.rows, 20);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(count_in(path, "SELECT count(*) FROM application"), 20);
	assert_nothing_beside(rig);
	/* The register goes on, the copy does not. */
	add(rig, 100, 1);
	assert_int_equal(count_in(path, "SELECT count(*) FROM application"), 20);
}

static void test_store_backup__never_over_a_file(void **state)
{
	struct rig *rig = *state;
	struct audit audit;
	const char *path = copy_path(rig);
	struct str bytes = STR_INIT;
	assert_ok(file_write(path, "dear", 4, 0600, &rig_err));
	assert_rc(store_backup(rig->store, path, &audit, &rig_err), RC_REFUSED);
	assert_ok(file_read(&bytes, path, 100, &rig_err));
	assert_string_equal(bytes.s, "dear");
	assert_nothing_beside(rig);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_rc(store_backup(rig->store, path, &audit, &rig_err), RC_REFUSED);
	/* What a cut-off run left is no hindrance. */
	assert_int_equal(unlink(path), 0);
	assert_ok(file_write(pool_printf(rig->pool, "%s.part", path), "half", 4, 0644, &rig_err));
	assert_ok(store_backup(rig->store, path, &audit, &rig_err));
	assert_nothing_beside(rig);
	str_free(&bytes);
}

static void test_store_backup__bad_place(void **state)
{
	struct rig *rig = *state;
	struct audit audit;
	assert_rc(store_backup(
			  rig->store, pool_printf(rig->pool, "%s/none/copy.db", rig->dir), &audit, &rig_err),
		RC_STORE);
	assert_non_null(strstr(rig_err.text, "none/copy.db"));
}

static void test_store_backup__broken_register(void **state)
{
	struct rig *rig = *state;
	struct audit audit;
	add(rig, 1, 5);
	sql_aside(rig, "UPDATE history SET at = at + 1 WHERE seq = 3");
	assert_rc(store_backup(rig->store, copy_path(rig), &audit, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "row 3"));
	assert_int_not_equal(access(copy_path(rig), F_OK), 0);
	assert_nothing_beside(rig);
}

struct writer {
	struct rig *rig;
	int written;
	volatile bool stop;
};

static void *write_on(void *ctx)
{
	struct writer *writer = ctx;
	for (int i = 0; !writer->stop; i++) {
		struct err err;
		if (store_begin(writer->rig->store, &err) != RC_OK)
			return NULL;
		(void)rig_add(writer->rig, 1000 + i);
		if (store_commit(writer->rig->store, &err) != RC_OK)
			return NULL;
		writer->written++;
	}
	return writer;
}

static void test_store_backup__while_others_write(void **state)
{
	struct rig *rig = *state;
	struct store *reader = NULL;
	struct audit audit;
	pthread_t thread;
	void *well = NULL;
	struct writer writer = {.rig = rig};
	add(rig, 1, 50);
	assert_ok(store_open(&reader, &rig->settings, STORE_READ, &rig_err));
	assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
	for (int i = 0; i < 3; i++) {
		const char *path = pool_printf(rig->pool, "%s/copy%d.db", rig->dir, i);
		struct err err;
		if (store_backup(reader, path, &audit, &err) != RC_OK) {
			writer.stop = true;
			fail_msg("%s", err.text);
		}
		assert_null(audit.fault);
		assert_true(audit.rows >= 50);
	}
	writer.stop = true;
	assert_int_equal(pthread_join(thread, &well), 0);
	assert_non_null(well);
	store_close(&reader);
}

/* A restored copy is known for one, and starts held. */
static void test_store_backup__put_back(void **state)
{
	struct rig *rig = *state;
	struct audit audit;
	add(rig, 1, 5);
	assert_ok(store_backup(rig->store, copy_path(rig), &audit, &rig_err));
	add(rig, 10, 5);
	store_close(&rig->store);
	(void)unlink(pool_printf(rig->pool, "%s-wal", rig->path));
	(void)unlink(pool_printf(rig->pool, "%s-shm", rig->path));
	assert_int_equal(rename(copy_path(rig), rig->path), 0);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
	assert_ok(store_adopt(rig->store, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_store_backup__whole, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_store_backup__never_over_a_file, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_store_backup__bad_place, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_store_backup__broken_register, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(
			test_store_backup__while_others_write, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(test_store_backup__put_back, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
