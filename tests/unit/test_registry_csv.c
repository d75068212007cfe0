#include "lib/form/registry_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/text.h"

#define HEADER                                                                                               \
	"id,user_number,type,corporate_number,business_name,representative,contact,mail,prefecture,star,"    \
	"applied,state\n"
#define ROW_CORPORATION                                                                                      \
	"46837431276,9035489508,corporation,9999762160907,㈱ミライ・テック,堀 美咲,長谷部 "    \
	"浩二,a@example.co.jp,宮崎県,1,"                                                                \
	"2026-01-12,logo-authorized\n"
#define ROW_STOPPED                                                                                             \
	"48041308748,9021529143,corporation,4999071308986,架空電機株式会社,長谷部 マリア,都築 " \
	"陽菜,b@example.co.jp,熊本県,1,"                                                                   \
	"2025-11-14,stopped\n"
#define ROW_FACILITY                                                                                         \
	"4617707629,9073241130,sole,,うさぎ整骨院,濵田 陽菜,都築 "                               \
	"さくら,c@example.co.jp,埼玉県,1,2024-03-08,logo-authorized\n"

static char path[] = "/tmp/test_registry_csv.XXXXXX";
static struct fieldmap *map;

static int set_up(void **state)
{
	(void)state;
	struct err err;
	int fd = mkstemp(path);
	return fd < 0 || close(fd) != 0 || fieldmap_load(&map, NULL, &err) != RC_OK ? -1 : 0;
}

static int tear_down(void **state)
{
	(void)state;
	fieldmap_free(&map);
	return unlink(path);
}

static void put(const char *text, size_t len)
{
	struct err err;
	assert_int_equal(file_write(path, text, len, 0600, &err), RC_OK);
}

static struct csv_registry *load(const char *text)
{
	struct csv_registry *registry = NULL;
	struct err err = {0};
	put(text, strlen(text));
	if (csv_registry_load(&registry, path, map, &err) != RC_OK)
		fail_msg("%s", err.text);
	return registry;
}

static const struct form_values corporation = {.value = {[FIELD_KIND] = "new1",
						       [FIELD_TYPE] = "corporation",
						       [FIELD_CORPORATE_NUMBER] = "9999762160907"}};
static const struct form_values corporation_step = {.value = {[FIELD_KIND] = "step",
							    [FIELD_TYPE] = "corporation",
							    [FIELD_CORPORATE_NUMBER] = "9999762160907",
							    [FIELD_DECLARATION_ID] = "46837431276"}};
static const struct form_values stopped = {.value = {[FIELD_KIND] = "new1",
						   [FIELD_TYPE] = "corporation",
						   [FIELD_CORPORATE_NUMBER] = "4999071308986"}};
static const struct form_values facility = {.value = {[FIELD_KIND] = "new1",
						    [FIELD_TYPE] = "sole",
						    [FIELD_BUSINESS_NAME] = "うさぎ整骨院",
						    [FIELD_FAMILY_NAME] = "濱田",
						    [FIELD_GIVEN_NAME] = "陽菜",
						    [FIELD_PREFECTURE] = "埼玉県",
						    [FIELD_ADDRESS] = "見本市1-2"}};
static const struct form_values other_facility = {.value = {[FIELD_KIND] = "new1",
							  [FIELD_TYPE] = "sole",
							  [FIELD_BUSINESS_NAME] = "うさぎ整骨院",
							  [FIELD_FAMILY_NAME] = "濱田",
							  [FIELD_GIVEN_NAME] = "さくら",
							  [FIELD_PREFECTURE] = "埼玉県",
							  [FIELD_ADDRESS] = "見本市1-2"}};

static int64_t live_of(struct csv_registry *registry, const struct form_values *form, int64_t *declaration_id)
{
	struct pool *pool = pool_new();
	struct registry ask = csv_registry_ask(registry);
	uint8_t digest[SHA256_LEN] = {0};
	bool same_row;
	*declaration_id = 0;
	int64_t found = ask.live(ask.ctx, applicant_key(form, pool), digest, declaration_id, &same_row);
	assert_false(same_row);
	pool_free(&pool);
	return found;
}

static int64_t star1_of(struct csv_registry *registry, const struct form_values *form, int64_t declaration_id)
{
	struct pool *pool = pool_new();
	struct registry ask = csv_registry_ask(registry);
	int64_t found = ask.live_star1(ask.ctx, applicant_key(form, pool), declaration_id);
	pool_free(&pool);
	return found;
}

static void test_registry_csv__duplicates_of_live_declarations(void **state)
{
	(void)state;
	struct csv_registry *registry = load(HEADER ROW_CORPORATION ROW_STOPPED ROW_FACILITY);
	int64_t id;
	assert_int_equal(live_of(registry, &corporation, &id), 1);
	assert_true(id == INT64_C(46837431276));
	assert_int_equal(live_of(registry, &stopped, &id), 0);
	/* The list has no addresses: the tuple without the address decides, and 濵 is 濱. */
	assert_int_equal(live_of(registry, &facility, &id), 3);
	assert_true(id == INT64_C(4617707629));
	assert_int_equal(live_of(registry, &other_facility, &id), 0);
	csv_registry_free(&registry);
	assert_null(registry);
}

static void test_registry_csv__addresses_tell_facilities_apart(void **state)
{
	(void)state;
	struct csv_registry *registry =
		load("id,type,business_name,representative,prefecture,address,mail,star,state\n"
		     "4617707629,sole,うさぎ整骨院,濵田 陽菜,埼玉県,見本市9-9,c@example.jp,1,id-issued\n");
	int64_t id;
	assert_int_equal(live_of(registry, &facility, &id), 0);
	csv_registry_free(&registry);
}

static void test_registry_csv__step_up_wants_that_star(void **state)
{
	(void)state;
	struct csv_registry *registry = load(HEADER ROW_CORPORATION ROW_STOPPED);
	assert_int_equal(star1_of(registry, &corporation_step, INT64_C(46837431276)), 1);
	assert_int_equal(star1_of(registry, &corporation_step, 0), 1);
	assert_int_equal(star1_of(registry, &corporation_step, INT64_C(48041308748)), 0); /* of another */
	assert_int_equal(star1_of(registry, &stopped, INT64_C(48041308748)), 0);
	/* Once: a second step-up in the same file finds it taken; the next file does not know of it. */
	csv_registry_add(registry, &corporation_step, 5);
	assert_int_equal(star1_of(registry, &corporation_step, INT64_C(46837431276)), 0);
	csv_registry_next_file(registry);
	assert_int_equal(star1_of(registry, &corporation_step, INT64_C(46837431276)), 1);
	csv_registry_free(&registry);
}

/* The very same row once more is a duplicate, also of a step-up, which is not live itself. */
static void test_registry_csv__same_row_within_the_file(void **state)
{
	(void)state;
	struct csv_registry *registry = load(HEADER ROW_CORPORATION);
	struct registry ask = csv_registry_ask(registry);
	struct pool *pool = pool_new();
	const char *key = applicant_key(&corporation_step, pool);
	uint8_t digest[SHA256_LEN];
	int64_t id = 0;
	bool same_row = true;
	form_row_digest(digest, &corporation_step);
	assert_int_equal(ask.live(ask.ctx, key, digest, &id, &same_row), 1);
	assert_false(same_row);
	csv_registry_add(registry, &corporation_step, 5);
	assert_int_equal(ask.live(ask.ctx, key, digest, &id, &same_row), 5);
	assert_true(same_row);
	digest[0] ^= 1;
	assert_int_equal(ask.live(ask.ctx, key, digest, &id, &same_row), 1);
	assert_false(same_row);
	digest[0] ^= 1;
	csv_registry_next_file(registry);
	assert_int_equal(ask.live(ask.ctx, key, digest, &id, &same_row), 1);
	assert_false(same_row);
	pool_free(&pool);
	csv_registry_free(&registry);
}

static void test_registry_csv__duplicates_within_the_file(void **state)
{
	(void)state;
	struct csv_registry *registry = NULL;
	struct err err;
	int64_t id;
	assert_int_equal(csv_registry_load(&registry, NULL, map, &err), RC_OK);
	assert_int_equal(live_of(registry, &facility, &id), 0);
	csv_registry_add(registry, &facility, 7);
	csv_registry_add(registry, &corporation, 8);
	assert_int_equal(live_of(registry, &facility, &id), 7);
	assert_int_equal(id, 0);
	assert_int_equal(live_of(registry, &corporation, &id), 8);
	assert_int_equal(live_of(registry, &other_facility, &id), 0);
	/* A second step-up of one business, whatever its ★ may be. */
	assert_true(star1_of(registry, &corporation_step, INT64_C(46837431276)) > 0);
	csv_registry_add(registry, &corporation_step, 9);
	assert_int_equal(star1_of(registry, &corporation_step, INT64_C(46837431276)), 0);
	csv_registry_next_file(registry);
	assert_int_equal(live_of(registry, &facility, &id), 0);
	assert_true(star1_of(registry, &corporation_step, INT64_C(46837431276)) > 0);
	csv_registry_free(&registry);
}

static void test_registry_csv__many_rows(void **state)
{
	(void)state;
	struct csv_registry *registry = NULL;
	struct err err;
	int64_t id;
	assert_int_equal(csv_registry_load(&registry, NULL, map, &err), RC_OK);
	for (int i = 0; i < 5000; i++) {
		char number[16];
		(void)snprintf(number, sizeof number, "%013d", i);
		struct form_values form = corporation;
		form.value[FIELD_CORPORATE_NUMBER] = number;
		assert_int_equal(live_of(registry, &form, &id), 0);
		csv_registry_add(registry, &form, i + 1);
		assert_int_equal(live_of(registry, &form, &id), i + 1);
	}
	csv_registry_free(&registry);
}

struct seen {
	int count;
	struct registry_row last; /* form not kept */
	char name[64], fault[128], type[16], number[16];
};

static enum rc see(void *ctx, const struct registry_row *row, struct err *err)
{
	struct seen *seen = ctx;
	(void)err;
	seen->count++;
	seen->last = *row;
	(void)snprintf(seen->fault, sizeof seen->fault, "%s", row->fault ? row->fault : "");
	const char *const *value = row->form.value;
	(void)snprintf(seen->name, sizeof seen->name, "%s",
		value[FIELD_BUSINESS_NAME] ? value[FIELD_BUSINESS_NAME] : "");
	(void)snprintf(seen->type, sizeof seen->type, "%s", value[FIELD_TYPE] ? value[FIELD_TYPE] : "");
	(void)snprintf(seen->number, sizeof seen->number, "%s",
		value[FIELD_CORPORATE_NUMBER] ? value[FIELD_CORPORATE_NUMBER] : "");
	return RC_OK;
}

static void test_registry_csv__japanese_columns_in_cp932(void **state)
{
	(void)state;
	static const char text[] = "自己宣言ID,利用者番号,法人番号,事業者名,代表者名,担当者メールアドレス,"
				   "都道府県,星,お申込日,ID発行日,状態\r\n"
				   "'46837431276,'9035489508,T9999762160907,㈱ミライ・テック,堀 "
				   "美咲,a@example.co.jp,宮崎県,二つ星,"
				   "令和8年1月12日,2026/1/19,ID発行済み\r\n";
	struct str bytes = STR_INIT;
	struct seen seen = {0};
	struct err err = {0};
	size_t bad;
	assert_true(text_to_cp932(&bytes, text, strlen(text), &bad));
	put(bytes.s, bytes.len);
	if (registry_csv_read(path, map, see, &seen, &err) != RC_OK)
		fail_msg("%s", err.text);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.fault, "");
	assert_true(seen.last.declaration_id == INT64_C(46837431276));
	assert_true(seen.last.user_number == INT64_C(9035489508));
	assert_int_equal(seen.last.star, 2);
	assert_int_equal(seen.last.state, STATE_ID_ISSUED);
	assert_int_equal(seen.last.applied_on, civil_from_ymd(2026, 1, 12));
	assert_int_equal(seen.last.id_issued_on, civil_from_ymd(2026, 1, 19));
	assert_int_equal(seen.last.stopped_on, CIVIL_DAY_NONE);
	assert_string_equal(seen.name, "㈱ミライ・テック");
	assert_string_equal(seen.type, "corporation"); /* no such column: the 法人番号 tells */
	assert_string_equal(seen.number, "9999762160907");
	str_free(&bytes);
}

#define DAYS_HEADER "id,type,corporate_number,business_name,star,state,stopped\n"
#define DAYS_ROW "46837431276,corporation,9999762160907,見本,1,"

/* A row that says when it was stopped was stopped. */
static void test_registry_csv__a_day_of_stopping(void **state)
{
	(void)state;
	static const struct {
		const char *row;
		enum state state;
		const char *fault;
	} cases[] = {
		{DAYS_ROW ",2025-11-14\n", STATE_STOPPED, ""},
		{DAYS_ROW "stopped,2025-11-14\n", STATE_STOPPED, ""},
		{DAYS_ROW "stopped,\n", STATE_STOPPED, ""},
		{DAYS_ROW ",\n", STATE_LOGO_AUTHORIZED, ""},
		{DAYS_ROW "logo-authorized,2025-11-14\n", STATE_NONE, "中止日"},
		{DAYS_ROW "id-issued,2025-11-14\n", STATE_NONE, "中止日"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str text = STR_INIT;
		struct seen seen = {0};
		struct err err = {0};
		str_printf(&text, "%s%s", DAYS_HEADER, cases[i].row);
		put(text.s, text.len);
		assert_int_equal(registry_csv_read(path, map, see, &seen, &err), RC_OK);
		assert_int_equal(seen.count, 1);
		if (*cases[i].fault ? !strstr(seen.fault, cases[i].fault)
				    : *seen.fault || seen.last.state != cases[i].state)
			fail_msg("%s: %d %s", cases[i].row, seen.last.state, seen.fault);
		str_free(&text);
	}
}

static void test_registry_csv__rows_that_can_not_be_read(void **state)
{
	(void)state;
	static const struct {
		const char *row, *what;
	} cases[] = {
		{"12345,9035489508,corporation,9999762160907,見本,堀 "
		 "美咲,長,a@example.jp,宮崎県,1,,stopped\n",
			"自己宣言ID"},
		{"46837431276,123,corporation,9999762160907,見本,堀 美咲,長,a@example.jp,宮崎県,1,,stopped\n",
			"利用者番号"},
		{"46837431276,,corporation,9999762160907,見本,堀 美咲,長,a@example.jp,宮崎県,3,,stopped\n",
			"星"},
		{"46837431276,,corporation,9999762160907,見本,堀 美咲,長,a@example.jp,宮崎県,1,,gone\n",
			"状態"},
		{"46837431276,,corporation,9999762160907,見本,堀 "
		 "美咲,長,a@example.jp,宮崎県,1,soon,stopped\n",
			"日付"},
		{"46837431276,,corporation,9999762160907,,堀 美咲,長,a@example.jp,宮崎県,1,,stopped\n",
			"事業者名"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct str text = STR_INIT;
		struct seen seen = {0};
		struct csv_registry *registry = NULL;
		struct err err = {0};
		str_printf(&text, "%s%s", HEADER, cases[i].row);
		put(text.s, text.len);
		assert_int_equal(registry_csv_read(path, map, see, &seen, &err), RC_OK);
		assert_int_equal(seen.count, 1);
		if (!strstr(seen.fault, cases[i].what))
			fail_msg("%s: %s", cases[i].row, seen.fault);
		/* As a registry for checking, a list with an unreadable row is no basis. */
		assert_int_equal(csv_registry_load(&registry, path, map, &err), RC_REFUSED);
		assert_null(registry);
		assert_non_null(strstr(err.text, "row 1"));
		str_free(&text);
	}
}

static void test_registry_csv__files_that_are_none(void **state)
{
	(void)state;
	static const char *const texts[] = {"", "hello\n",
		"[{\"business_name\":\"見本\",\"mail\":\"a@example.jp\"}]",
		"business_name,representative,contact,mail,prefecture,type\n見本,見本 "
		"太郎,見本,a@example.jp,東京都,sole\n"};
	struct seen seen = {0};
	struct err err = {0};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put(texts[i], strlen(texts[i]));
		assert_int_equal(registry_csv_read(path, map, see, &seen, &err), RC_REFUSED);
		assert_non_null(strstr(err.text, path));
	}
	assert_int_equal(registry_csv_read("/nonexistent/x.csv", map, see, &seen, &err), RC_REFUSED);
	assert_int_equal(seen.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registry_csv__duplicates_of_live_declarations),
		cmocka_unit_test(test_registry_csv__addresses_tell_facilities_apart),
		cmocka_unit_test(test_registry_csv__step_up_wants_that_star),
		cmocka_unit_test(test_registry_csv__same_row_within_the_file),
		cmocka_unit_test(test_registry_csv__duplicates_within_the_file),
		cmocka_unit_test(test_registry_csv__many_rows),
		cmocka_unit_test(test_registry_csv__japanese_columns_in_cp932),
		cmocka_unit_test(test_registry_csv__a_day_of_stopping),
		cmocka_unit_test(test_registry_csv__rows_that_can_not_be_read),
		cmocka_unit_test(test_registry_csv__files_that_are_none),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
