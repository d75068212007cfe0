#include "tests/unit/store_rig.h"

#include <sys/stat.h>

#include "lib/base/file.h"

static void grow(struct rig *rig, int rows)
{
	for (int i = 0; i < rows; i++) {
		const struct history_row row = {.at = T0, .event = EVENT_FILE, .ref = i, .actor = "daemon"};
		assert_ok(store_begin(rig->store, &rig_err));
		assert_ok(history_add(rig->store, &row, &rig_err));
		assert_ok(store_commit(rig->store, &rig_err));
	}
}

static struct witness_head read_witness(const struct rig *rig)
{
	struct witness *witness;
	struct witness_head head;
	assert_ok(witness_open(&witness, rig->witness, &rig_err));
	assert_ok(witness_read(witness, &head, &rig_err));
	witness_close(&witness);
	return head;
}

static void write_witness(const struct rig *rig, const char *text)
{
	FILE *file = fopen(rig->witness, "w");
	assert_non_null(file);
	(void)fputs(text, file);
	(void)fclose(file);
}

static void back_up(const struct rig *rig, char copy[160])
{
	char vacuum[200];
	(void)snprintf(copy, 160, "%s/backup.db", rig->dir);
	(void)snprintf(vacuum, sizeof vacuum, "VACUUM INTO '%s'", copy);
	sql_aside(rig, vacuum);
}

static void restore(struct rig *rig, const char *copy)
{
	char name[160];
	store_close(&rig->store);
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof name, "%s-%s", rig->path, i ? "shm" : "wal");
		(void)unlink(name);
	}
	assert_int_equal(rename(copy, rig->path), 0);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
}

static void test_store_witness__follows_each_commit(void **state)
{
	struct rig *rig = *state;
	int64_t seq;
	uint8_t hash[SHA256_LEN];
	assert_int_equal(read_witness(rig).seq, 0);
	grow(rig, 3);
	assert_ok(history_head(rig->store, &seq, hash, &rig_err));
	struct witness_head head = read_witness(rig);
	assert_int_equal(head.seq, 3);
	assert_memory_equal(head.hash, hash, sizeof hash);

	/* What was rolled back was never there. */
	const struct history_row row = {.at = T0, .event = EVENT_FILE, .actor = "daemon"};
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(history_add(rig->store, &row, &rig_err));
	store_rollback(rig->store);
	assert_int_equal(read_witness(rig).seq, 3);
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	struct stat st;
	assert_int_equal(stat(rig->witness, &st), 0);
	assert_int_equal(st.st_mode & 07, 0);
}

static void test_store_witness__never_moves_back(void **state)
{
	struct rig *rig = *state;
	struct witness *witness;
	const uint8_t hash[SHA256_LEN] = {7}, lower[SHA256_LEN] = {8};
	assert_ok(witness_open(&witness, rig->witness, &rig_err));
	assert_ok(witness_advance(witness, 100, hash, false, &rig_err));
	assert_ok(witness_advance(witness, 99, lower, false, &rig_err));
	assert_int_equal(read_witness(rig).seq, 100);
	assert_memory_equal(read_witness(rig).hash, hash, sizeof hash);
	assert_ok(witness_advance(witness, 99, lower, true, &rig_err));
	assert_int_equal(read_witness(rig).seq, 99);
	witness_close(&witness);
}

/* A backup on the same host: fewer rows than were seen. It stays so over restarts, until staff adopt it. */
static void test_store_witness__older_copy_is_noticed(void **state)
{
	struct rig *rig = *state;
	char copy[160];
	grow(rig, 3);
	back_up(rig, copy);
	grow(rig, 2);
	restore(rig, copy);
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
	grow(rig, 10); /* growing past what was seen proves nothing */
	assert_int_equal(read_witness(rig).seq, 5);
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);

	struct store *other, *reader;
	assert_ok(store_open(&other, &rig->settings, STORE_WRITE, &rig_err));
	assert_ok(store_open(&reader, &rig->settings, STORE_READ, &rig_err));
	assert_int_equal(store_restored(other), RESTORED_OLDER);
	assert_int_equal(store_restored(reader), RESTORED_OLDER);
	assert_ok(store_adopt(rig->store, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	assert_int_equal(store_restored(other), RESTORED_NO); /* the other roles see it at once */
	assert_int_equal(store_restored(reader), RESTORED_NO);
	assert_int_equal(read_witness(rig).seq, 13);
	store_close(&reader);
	struct store *mine = rig->store;
	rig->store = other;
	grow(rig, 1);
	assert_int_equal(read_witness(rig).seq, 14);
	rig->store = mine;
	store_close(&other);
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
}

/* A copy that went on elsewhere and is longer by now, but not the same. */
static void test_store_witness__other_rows_are_noticed(void **state)
{
	struct rig *rig = *state;
	char copy[160];
	grow(rig, 3);
	back_up(rig, copy);
	grow(rig, 2);
	const struct store_settings elsewhere = {.path = copy, .host = "host-a", .simulated = true};
	struct store *mine = rig->store;
	assert_ok(store_open(&rig->store, &elsewhere, STORE_WRITE, &rig_err));
	grow(rig, 1);
	grow(rig, 7); /* number 5 is another row than the one the witness saw */
	sql_on(copy, "PRAGMA wal_checkpoint(TRUNCATE)");
	store_close(&rig->store);
	rig->store = mine;
	restore(rig, copy);
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
}

static void test_store_witness__emptied_register_is_noticed(void **state)
{
	struct rig *rig = *state;
	grow(rig, 2);
	store_close(&rig->store);
	assert_int_equal(unlink(rig->path), 0);
	char name[160];
	for (size_t i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof name, "%s-%s", rig->path, i ? "shm" : "wal");
		(void)unlink(name);
	}
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
	assert_ok(store_adopt(rig->store, &rig_err));
	assert_int_equal(read_witness(rig).seq, 0);
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
}

static void test_store_witness__other_host_is_noticed(void **state)
{
	struct rig *rig = *state;
	grow(rig, 1);
	rig->settings.host = "host-b";
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_OTHER_HOST);
	rig->settings.host = "host-a"; /* carried home again: somebody has to look all the same */
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_OTHER_HOST);
	rig->settings.host = "host-b";
	rig_reopen(rig);
	assert_ok(store_begin(rig->store, &rig_err));
	const struct history_row row = {
		.at = T0, .event = EVENT_RESTORED, .actor = "staff:1000", .note = "移設"};
	assert_ok(history_add(rig->store, &row, &rig_err));
	assert_ok(store_adopt(rig->store, &rig_err)); /* within the caller's transaction, with its reason */
	assert_ok(store_commit(rig->store, &rig_err));
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	assert_int_equal(read_witness(rig).seq, 2);
}

static void test_store_witness__damaged_one_counts_as_seen_more(void **state)
{
	struct rig *rig = *state;
	static const char *const texts[] = {
		"rubbish\n",
		"sengen-witness 1 00000000000000000001 zz\n",
		"sengen-witness 1 99999999999999999999 "
		"0000000000000000000000000000000000000000000000000000000000000000\n",
		"sengen-witness 1 0000000000000000000x "
		"0000000000000000000000000000000000000000000000000000000000000000\n",
	};
	grow(rig, 1);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		store_close(&rig->store);
		write_witness(rig, texts[i]);
		assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
		assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
		assert_ok(store_adopt(rig->store, &rig_err));
		assert_int_equal(read_witness(rig).seq, 1);
	}
	/* One that is not there, or was made and never written, has seen nothing. */
	store_close(&rig->store);
	write_witness(rig, "");
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
}

/* A backup of the whole directory brings the witness back with the register, in step with it: the file itself is another. */
/* A power cut soon after it was made: its size had reached the disk, its bytes had not (ext4 with delayed allocation). */
static void test_store_witness__power_cut_before_its_first_bytes(void **state)
{
	struct rig *rig = *state;
	struct stat st;
	grow(rig, 3);
	assert_int_equal(stat(rig->witness, &st), 0);
	assert_int_equal(truncate(rig->witness, 0), 0);
	assert_int_equal(truncate(rig->witness, st.st_size), 0);
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	grow(rig, 1);
	assert_int_equal(read_witness(rig).seq, 4);
	assert_false(read_witness(rig).damaged);
}

static void test_store_witness__whole_directory_put_back(void **state)
{
	struct rig *rig = *state;
	struct str witness = STR_INIT;
	char copy[160];
	grow(rig, 3);
	back_up(rig, copy);
	assert_ok(file_read(&witness, rig->witness, 1000, &rig_err));
	grow(rig, 2);
	store_close(&rig->store);
	/* A file that lies aside keeps its inode from being given out again at once. */
	assert_int_equal(rename(rig->witness, pool_printf(rig->pool, "%s.old", rig->witness)), 0);
	write_witness(rig, witness.s);
	restore(rig, copy);
	assert_int_equal(store_restored(rig->store), RESTORED_OLDER);
	assert_ok(store_adopt(rig->store, &rig_err));
	rig_reopen(rig);
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	str_free(&witness);
}

/* One of a release before the file was told from a copy of it. */
static void test_store_witness__first_version_is_believed(void **state)
{
	struct rig *rig = *state;
	struct str line = STR_INIT;
	int64_t seq;
	uint8_t hash[SHA256_LEN];
	grow(rig, 3);
	assert_ok(history_head(rig->store, &seq, hash, &rig_err));
	store_close(&rig->store);
	str_printf(&line, "sengen-witness 1 %020lld ", (long long)seq);
	hex_add(&line, hash, sizeof hash);
	str_addc(&line, '\n');
	write_witness(rig, line.s);
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));
	assert_int_equal(store_restored(rig->store), RESTORED_NO);
	assert_int_equal(read_witness(rig).seq, seq);
	grow(rig, 1);
	assert_int_equal(read_witness(rig).seq, seq + 1);
	str_clear(&line);
	assert_ok(file_read(&line, rig->witness, 1000, &rig_err));
	assert_true(str_has_prefix(line.s, "sengen-witness 2 "));
	str_free(&line);
}

static void test_store_witness__must_be_writable(void **state)
{
	struct rig *rig = *state;
	char path[160];
	store_close(&rig->store);
	(void)snprintf(path, sizeof path, "%s/none/witness", rig->dir);
	rig->settings.witness = path;
	assert_rc(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err), RC_STORE);
	assert_non_null(strstr(rig_err.text, "the witness"));
	rig->settings.witness = rig->witness;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_witness__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(follows_each_commit),
		TEST(never_moves_back),
		TEST(older_copy_is_noticed),
		TEST(other_rows_are_noticed),
		TEST(emptied_register_is_noticed),
		TEST(other_host_is_noticed),
		TEST(damaged_one_counts_as_seen_more),
		TEST(power_cut_before_its_first_bytes),
		TEST(whole_directory_put_back),
		TEST(first_version_is_believed),
		TEST(must_be_writable),
	};
	return cmocka_run_group_tests_name("store_witness", tests, NULL, NULL);
}
