#include "tests/unit/office_rig.h"

#include <dirent.h>

#include "lib/base/text.h"
#include "lib/desk/public_p.h"

#define STAFF "staff:1000(yamada)"

struct list {
	struct rig *rig;
	char directory[128];
	struct public_written written;
};

static struct list list_of(struct rig *rig)
{
	struct list list = {.rig = rig};
	bool more = true;
	(void)snprintf(list.directory, sizeof list.directory, "%s/public", rig->dir);
	while (more)
		assert_ok(office_settle_public(&rig->office, &more, &rig_err));
	return list;
}

/* Writes it; `between` (may be NULL) is called once behind that many steps of no time at all, which do one thing each. */
static void write_list(struct list *list, int forms, int steps, void (*between)(struct rig *rig))
{
	struct public_writer *writer;
	struct public_progress progress = {0};
	assert_ok(public_writer_open(&writer, &list->rig->office, list->directory, forms, &rig_err));
	for (int i = 0; !progress.finished; i++) {
		if (between && i == steps)
			between(list->rig);
		assert_ok(public_writer_step(writer, between ? 0 : 1000, &progress, &rig_err));
	}
	public_writer_close(&writer);
	list->written = progress.written;
}

static const char *content(struct list *list, const char *name)
{
	struct str path = STR_INIT, text = STR_INIT;
	path_join(&path, list->directory, name);
	assert_ok(file_read(&text, path.s, (size_t)1 << 26, &rig_err));
	const char *copy = pool_strndup(list->rig->pool, text.s, text.len);
	str_free(&path);
	str_free(&text);
	return copy;
}

/* A file of the directory the page shows. */
static const char *data(struct list *list, const char *name)
{
	struct public_state state;
	assert_ok(public_state_read(list->directory, &state, &rig_err));
	return content(list, pool_printf(list->rig->pool, "%s/%s", state.data, name));
}

static void stop(struct rig *rig, int64_t id)
{
	const char *why_ja;
	assert_ok(office_stop(&rig->office, id, CIVIL_DAY_NONE, "B-3", STAFF, &why_ja, rig->pool, &rig_err));
}

static int64_t apply_as(struct rig *rig, int n, const char *name, const char *prefecture)
{
	struct form_values form = rig_form(rig, n);
	form.value[FIELD_BUSINESS_NAME] = name;
	form.value[FIELD_PREFECTURE] = prefecture;
	return rig_register(rig, &form);
}

/* ---- CSV ---- */

static void test_public_list__csv_by_prefecture_and_name(void **state)
{
	struct rig *rig = *state;
	(void)apply_as(rig, 1, "株式会社ウエスト", "東京都");
	(void)apply_as(rig, 2, "アルファ株式会社", "東京都");
	(void)apply_as(rig, 3, "=1+2", "沖縄県");
	(void)apply_as(rig, 4, "甲, \"乙\"商店", "北海道");
	(void)apply_as(rig, 5, "㈱イースト", "東京都");
	int64_t waiting = apply_as(rig, 6, "まだ受付中", "東京都");
	rig_decide(rig, waiting, DECISION_HOLD, "確認中");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_CSV, 0, NULL);
	const char *text = content(&list, PUBLIC_CSV_FILE);
	assert_string_equal(text, "\xEF\xBB\xBF事業者名,都道府県,宣言の内容,宣言日\r\n"
				  "\"甲, \"\"乙\"\"商店\",北海道,★一つ星,2026-06-08\r\n"
				  "アルファ株式会社,東京都,★一つ星,2026-06-08\r\n"
				  "㈱イースト,東京都,★一つ星,2026-06-08\r\n"
				  "株式会社ウエスト,東京都,★一つ星,2026-06-08\r\n"
				  "'=1+2,沖縄県,★一つ星,2026-06-08\r\n");
	uint8_t digest[SHA256_LEN];
	sha256(digest, text, strlen(text));
	assert_memory_equal(digest, list.written.digest, sizeof digest);
	assert_int_equal(list.written.rows, 5);
}

/* ---- nothing but what is public (N28) ---- */

static int marked, files;

static int look_for_marker(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct str text = STR_INIT;
	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	files++;
	assert_ok(file_read(&text, path, (size_t)1 << 26, &rig_err));
	for (size_t at = 0; at + 6 <= text.len; at++)
		if (memcmp(text.s + at, "MARKER", 6) == 0) {
			(void)fprintf(stderr, "%s: %.20s\n", path, text.s + at);
			marked++;
		}
	str_free(&text);
	return 0;
}

static void test_public_list__no_other_field_comes_out(void **state)
{
	struct rig *rig = *state;
	int64_t id = rig_apply(rig, 1);
	rig_run_days(rig, 16);
	struct application app = rig_app(rig, id);
	for (int i = 0; i < FIELD_COUNT; i++)
		if (i != FIELD_BUSINESS_NAME && i != FIELD_PREFECTURE)
			app.form.value[i] =
				pool_printf(rig->pool, "MARKER-%s", form_field_key((enum form_field)i));
	assert_ok(store_begin(rig->office.store, &rig_err));
	assert_ok(application_update_form(rig->office.store, &app, "c:1", "m", &rig_err));
	assert_ok(store_commit(rig->office.store, &rig_err));
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_FORMS, 0, NULL);
	marked = files = 0;
	assert_int_equal(nftw(list.directory, look_for_marker, 16, FTW_PHYS), 0);
	assert_true(files > 8);
	assert_int_equal(marked, 0);
	assert_null(strstr(
		content(&list, PUBLIC_CSV_FILE), pool_printf(rig->pool, "%" PRId64, app.declaration_id)));

	/* The test finds what it looks for: a field more in the settings, and it is there. */
	rig_configure(rig, "public_fields = ( \"business_name\", \"prefecture\", \"address\" );");
	write_list(&list, PUBLIC_CSV | PUBLIC_HTML, 0, NULL);
	assert_int_equal(nftw(list.directory, look_for_marker, 16, FTW_PHYS), 0);
	assert_int_equal(marked, 2); /* the CSV, and a block of rows */
}

/* ---- the page ---- */

static void test_public_list__page_and_its_data(void **state)
{
	struct rig *rig = *state;
	for (int i = 1; i <= 150; i++)
		(void)apply_as(rig, i, pool_printf(rig->pool, "株式会社</script>%d", i), "東京都");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_CSV | PUBLIC_HTML, 0, NULL);
	const char *page = content(&list, PUBLIC_PAGE_FILE);
	assert_non_null(strstr(page, "2026年6月17日(水)現在　150件"));
	assert_non_null(strstr(page, "<noscript>"));
	assert_non_null(strstr(page, "href=\"declarations.csv\""));
	assert_null(strstr(page, "declarations.pdf")); /* it was not written */
	assert_non_null(strstr(data(&list, "meta.js"), "rows:150,block:128"));
	assert_true(str_has_prefix(data(&list, "r/0/0.js"), "sengen.rows(0,["));
	assert_true(str_has_prefix(data(&list, "r/0/1.js"), "sengen.rows(1,["));
	assert_null(strstr(data(&list, "r/0/0.js"), "</script"));
	assert_string_equal(data(&list, "gone.js"), "sengen.gone([]);\n");
	assert_non_null(strstr(data(&list, "i/0.js"), "sengen.index(0,{"));
}

/* A role keeps its files to itself; a list is there to be read. */
static void test_public_list__everybody_may_read_it(void **state)
{
	static const struct {
		const char *name;
		mode_t mode;
	} each[] = {{"index.html", 0644}, {"declarations.csv", 0644}, {"declarations.pdf", 0644},
		{"%s", 0755}, {"%s/r/0", 0755}, {"%s/i", 0755}, {"%s/r/0/0.js", 0644}, {"%s/i/0.js", 0644},
		{"%s/gone.js", 0644}, {"%s/search.js", 0644}, {"%s/.ids", 0600}};
	struct rig *rig = *state;
	struct public_state shown;
	struct stat st;
	(void)rig_apply(rig, 1);
	int64_t id = rig_apply(rig, 2);
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	mode_t mask = umask(077);
	write_list(&list, PUBLIC_FORMS, 0, NULL);
	stop(rig, id);
	assert_ok(public_list_strike(&rig->office, list.directory, NULL, &rig_err));
	assert_int_equal(umask(mask), 077);
	assert_ok(public_state_read(list.directory, &shown, &rig_err));
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		struct str path = STR_INIT;
		str_printf(&path, "%s/", list.directory);
		str_addz(&path, str_has_prefix(each[i].name, "%s") ? shown.data : each[i].name);
		str_addz(&path, str_has_prefix(each[i].name, "%s") ? each[i].name + 2 : "");
		assert_int_equal(stat(path.s, &st), 0);
		if ((st.st_mode & 0777) != each[i].mode)
			fail_msg("%s: %o", path.s, st.st_mode & 0777u);
		str_free(&path);
	}
}

static void test_public_list__empty(void **state)
{
	struct list list = list_of(*state);
	write_list(&list, PUBLIC_FORMS, 0, NULL);
	assert_int_equal(list.written.rows, 0);
	assert_non_null(strstr(content(&list, PUBLIC_PAGE_FILE), "現在　0件"));
	assert_non_null(strstr(data(&list, "meta.js"), "rows:0,"));
	assert_true(str_has_prefix(content(&list, PUBLIC_PDF_FILE), "%PDF-"));
}

/* One data directory for the page, one for those that are still open, not more. */
static void test_public_list__older_data_go(void **state)
{
	struct rig *rig = *state;
	struct strlist names = {0};
	int count = 0;
	(void)rig_apply(rig, 1);
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	for (int i = 0; i < 4; i++) {
		clock_set(&rig->clock, rig->clock.now + 60);
		write_list(&list, PUBLIC_HTML, 0, NULL);
	}
	assert_ok(file_list_dir(&names, list.directory, &rig_err));
	for (size_t i = 0; i < names.count; i++) {
		count += str_has_prefix(names.item[i], "data-");
		assert_false(str_has_suffix(names.item[i], ".tmp"));
	}
	assert_int_equal(count, 2);
	strlist_free(&names);
	assert_non_null(strstr(data(&list, "meta.js"), "rows:1"));
}

/* From April 2026 the page has the declarations of the new system and the PDF the older ones (seed 003). */
static void test_public_list__the_era_of_instant(void **state)
{
	struct rig *rig = *state;
	(void)apply_as(rig, 1, "旧制度商店", "東京都");
	rig_run_days(rig, 16);
	rig_configure(rig, "era = ( { from = \"2017-04-01\"; profile = \"form\"; }, "
			   "{ from = \"2026-06-10\"; profile = \"instant\"; } );");
	struct form_values form = rig_form(rig, 2);
	form.value[FIELD_BUSINESS_NAME] = "新制度商店";
	form.value[FIELD_GBIZ] = "prime";
	(void)rig_register(rig, &form);
	rig_run_days(rig, 1);
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_FORMS, 0, NULL);
	assert_int_equal(list.written.rows, 2);
	const char *csv = content(&list, PUBLIC_CSV_FILE), *rows = data(&list, "r/0/0.js");
	assert_non_null(strstr(csv, "旧制度商店"));
	assert_non_null(strstr(csv, "新制度商店"));
	assert_null(strstr(rows, "旧制度商店"));
	assert_non_null(strstr(rows, "新制度商店"));
	assert_non_null(
		strstr(content(&list, PUBLIC_PAGE_FILE), "2026年6月10日(水)より前に申し込んだ事業者は"));
}

/* ---- what ends ---- */

static void test_public_list__a_stop_leaves_the_page_at_once(void **state)
{
	struct rig *rig = *state;
	bool ended;
	(void)apply_as(rig, 1, "アルファ", "東京都");
	int64_t second = apply_as(rig, 2, "ベータ", "東京都");
	(void)apply_as(rig, 3, "ガンマ", "東京都");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	assert_ok(public_list_strike(&rig->office, list.directory, &ended, &rig_err)); /* there is none yet */
	assert_false(ended);
	write_list(&list, PUBLIC_CSV | PUBLIC_HTML, 0, NULL);
	clock_set(&rig->clock, rig->clock.now + 60);
	assert_ok(public_list_strike(&rig->office, list.directory, &ended, &rig_err));
	assert_false(ended);
	stop(rig, second);
	assert_ok(public_list_strike(&rig->office, list.directory, &ended, &rig_err));
	assert_true(ended);
	assert_string_equal(data(&list, "gone.js"), "sengen.gone([2]);\n"); /* ア, ガ, ベ */
	assert_ok(public_list_strike(&rig->office, list.directory, &ended, &rig_err));
	assert_true(ended); /* until the next list */
	clock_set(&rig->clock, rig->clock.now + 60);
	write_list(&list, PUBLIC_CSV | PUBLIC_HTML, 0, NULL);
	assert_null(strstr(content(&list, PUBLIC_CSV_FILE), "ベータ"));
	assert_null(strstr(data(&list, "r/0/0.js"), "ベータ"));
	assert_string_equal(data(&list, "gone.js"), "sengen.gone([]);\n");
	assert_ok(public_list_strike(&rig->office, list.directory, &ended, &rig_err));
	assert_false(ended);
}

static int64_t meanwhile;

static void stop_meanwhile(struct rig *rig)
{
	stop(rig, meanwhile);
}

static void correct_meanwhile(struct rig *rig)
{
	struct form_values changed = {.value = {NULL}};
	const char *why_ja;
	changed.value[FIELD_BUSINESS_NAME] = "アアア訂正後";
	assert_ok(office_correct(
		&rig->office, meanwhile, &changed, "電話", STAFF, &why_ja, rig->pool, &rig_err));
}

/* At whatever step it ends: what is put in place does not have it. */
static void test_public_list__what_ends_while_it_is_written(void **state)
{
	struct rig *rig = *state;
	(void)apply_as(rig, 1, "アルファ", "東京都");
	(void)apply_as(rig, 2, "ガンマ", "東京都");
	int64_t id[7];
	for (int i = 0; i < 7; i++)
		id[i] = apply_as(rig, 10 + i, pool_printf(rig->pool, "ベータ%d商店", i), "東京都");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	for (int step = 0; step < 7; step++) {
		clock_set(&rig->clock, rig->clock.now + 60);
		meanwhile = id[step];
		write_list(&list, PUBLIC_CSV | PUBLIC_HTML, step, stop_meanwhile);
		const char *name = pool_printf(rig->pool, "ベータ%d商店", step);
		assert_null(strstr(content(&list, PUBLIC_CSV_FILE), name));
		assert_null(strstr(data(&list, "r/0/0.js"), name));
		assert_non_null(strstr(content(&list, PUBLIC_CSV_FILE), "ガンマ"));
		assert_int_equal(list.written.rows, 2 + 6 - step);
	}
}

static void test_public_list__what_is_corrected_while_it_is_written(void **state)
{
	struct rig *rig = *state;
	(void)apply_as(rig, 1, "イプシロン", "東京都");
	meanwhile = apply_as(rig, 2, "ベータ", "東京都");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	clock_set(&rig->clock, rig->clock.now + 60);
	write_list(&list, PUBLIC_CSV | PUBLIC_HTML, 4, correct_meanwhile);
	const char *csv = content(&list, PUBLIC_CSV_FILE);
	assert_null(strstr(csv, "ベータ"));
	assert_true(strstr(csv, "アアア訂正後") < strstr(csv, "イプシロン")); /* sorted anew */
	assert_string_equal(data(&list, "gone.js"), "sengen.gone([]);\n");
}

/* ---- faults ---- */

static void test_public_list__refusals(void **state)
{
	struct rig *rig = *state;
	struct public_writer *first, *second;
	struct list list = {.rig = rig};
	bool more;
	(void)snprintf(list.directory, sizeof list.directory, "%s/public", rig->dir);
	assert_int_equal(public_writer_open(&first, &rig->office, list.directory, PUBLIC_CSV, &rig_err),
		RC_REFUSED); /* not settled */
	assert_null(first);
	assert_ok(office_settle_public(&rig->office, &more, &rig_err));
	assert_ok(public_writer_open(&first, &rig->office, list.directory, PUBLIC_CSV, &rig_err));
	assert_int_equal(public_writer_open(&second, &rig->office, list.directory, PUBLIC_CSV, &rig_err),
		RC_REFUSED); /* somebody writes there */
	public_writer_close(&first);
	rig_write(rig, "file", "");
	assert_int_equal(public_writer_open(&first, &rig->office, pool_printf(rig->pool, "%s/file", rig->dir),
				 PUBLIC_CSV, &rig_err),
		RC_STORE);
}

/* Given up in the middle: what lay there before lies there still, and nothing else. */
static void test_public_list__given_up(void **state)
{
	struct rig *rig = *state;
	struct public_writer *writer;
	struct public_progress progress;
	struct strlist before = {0}, after = {0};
	(void)rig_apply(rig, 1);
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_FORMS, 0, NULL);
	assert_ok(file_list_dir(&before, list.directory, &rig_err));
	for (int steps = 1; steps < 9; steps++) {
		clock_set(&rig->clock, rig->clock.now + 60);
		assert_ok(public_writer_open(&writer, &rig->office, list.directory, PUBLIC_FORMS, &rig_err));
		for (int i = 0; i < steps; i++)
			assert_ok(public_writer_step(writer, 0, &progress, &rig_err));
		assert_false(progress.finished);
		public_writer_close(&writer);
		assert_ok(file_list_dir(&after, list.directory, &rig_err));
		assert_int_equal(after.count, before.count);
		for (size_t i = 0; i < before.count; i++)
			assert_string_equal(after.item[i], before.item[i]);
		strlist_free(&after);
	}
	strlist_free(&before);
}

static void test_public_list__is_entered_in_the_history(void **state)
{
	struct rig *rig = *state;
	struct publication last;
	struct public_written written = {.rows = 12, .digest = {1, 2, 3}};
	assert_ok(publication_last(rig->office.store, &last, &rig_err));
	assert_int_equal(last.id, 0);
	assert_ok(public_list_record(&rig->office, &written, STAFF, &rig_err));
	assert_ok(publication_last(rig->office.store, &last, &rig_err));
	assert_int_equal(last.rows, 12);
	assert_memory_equal(last.digest, written.digest, sizeof last.digest);
	assert_int_equal(last.at, rig->clock.now);
	assert_int_equal(rig_count_events(rig, 0, EVENT_PUBLISH), 1);
	rig_assert_whole(rig);
}

/* ---- keys ---- */

static void test_public_list__keys(void **state)
{
	static const struct {
		const char *name, *want, *sort;
	} each[] = {
		{"株式会社アルファ", "\uE00Bアルファ", "アルファ"},
		{"（株）ｱﾙﾌｧ", "\uE00Bアルファ", "アルファ"},
		{"アルファ㈱", "アルファ\uE00B", "アルファ\uE00B"},
		{"ＡＢＣ　商店", "abc商店", "abc商店"},
		{"髙﨑\"商\\店", "高崎商店", "高崎商店"},
		{"株式会社", "\uE00B", "\uE00B"},
		{"", "", ""},
	};
	const char *const *forms = public_forms();
	uint32_t kabushiki = 0;
	(void)state;
	while (strcmp(forms[kabushiki], "株式会社") != 0)
		kabushiki++;
	for (size_t i = 0; forms[i + 1]; i++)
		assert_true(strlen(forms[i]) >= strlen(forms[i + 1]));
	for (size_t i = 0; i < sizeof each / sizeof *each; i++) {
		struct str key = STR_INIT, want = STR_INIT, form = STR_INIT;
		utf8_add(&form, PUBLIC_FORM_FIRST + kabushiki);
		for (const char *at = each[i].want; *at; at++) {
			if (str_has_prefix(at, "\uE00B")) {
				str_addz(&want, form.s);
				at += strlen("\uE00B") - 1;
			} else {
				str_addc(&want, *at);
			}
		}
		public_key(&key, each[i].name);
		assert_string_equal(key.s, want.s);
		if (!strstr(each[i].sort, "\uE00B"))
			assert_string_equal(public_sort_name(key.s), each[i].sort);
		str_free(&key);
		str_free(&want);
		str_free(&form);
	}
}

/* Whoever may write to the directory may put a link under the name beside: nothing is written through it. */
static void test_public_list__links_are_not_followed(void **state)
{
	struct rig *rig = *state;
	struct list list = list_of(rig);
	struct str link = STR_INIT, victim = STR_INIT, left = STR_INIT;
	path_join(&victim, rig->dir, "register-of-somebody");
	assert_ok(file_write(victim.s, "whole", 5, 0600, &rig_err));
	assert_ok(file_mkdirs(list.directory, 0755, &rig_err));
	str_printf(&link, "%s/.%s.tmp", list.directory, PUBLIC_CSV_FILE);
	assert_int_equal(symlink(victim.s, link.s), 0);
	write_list(&list, PUBLIC_CSV, 0, NULL);
	assert_ok(file_read(&left, victim.s, 100, &rig_err));
	assert_string_equal(left.s, "whole");
	assert_true(strlen(content(&list, PUBLIC_CSV_FILE)) > 0);
	str_free(&link);
	str_free(&victim);
	str_free(&left);
}

/* Something ends before every step, so that the list is put in place with rows that ended while it was written last: the page leaves them out. */
static void test_public_list__what_goes_on_ending(void **state)
{
	enum { DECLARATIONS = 60 };
	struct rig *rig = *state;
	struct public_writer *writer;
	struct public_progress progress = {0};
	int64_t id[DECLARATIONS];
	int stopped = 0, struck = 0;
	for (int i = 0; i < DECLARATIONS; i++)
		id[i] = apply_as(rig, 10 + i, pool_printf(rig->pool, "ベータ%02d商店", i), "東京都");
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	assert_ok(public_writer_open(&writer, &rig->office, list.directory, PUBLIC_HTML, &rig_err));
	while (!progress.finished) {
		assert_true(stopped < DECLARATIONS);
		stop(rig, id[stopped++]);
		clock_set(&rig->clock, rig->clock.now + 1);
		assert_ok(public_writer_step(writer, 0, &progress, &rig_err));
	}
	public_writer_close(&writer);
	clock_set(&rig->clock, rig->clock.now + 60);
	assert_ok(public_list_strike(&rig->office, list.directory, NULL, &rig_err));
	const char *rows = data(&list, "r/0/0.js"), *gone = data(&list, "gone.js");
	for (int i = 0; i < stopped; i++)
		struck += strstr(rows, pool_printf(rig->pool, "ベータ%02d商店", i)) != NULL;
	assert_true(struck > 0);
	for (const char *at = strchr(gone, '['); *at != ']'; at++)
		struck -= *at == '[' ? at[1] != ']' : *at == ',';
	assert_int_equal(struck, 0);
}

/* A directory that somebody names may hold more than lists. */
static void test_public_list__what_others_put_there_stays(void **state)
{
	struct rig *rig = *state;
	static const char *const others[] = {"data-2024/minutes.txt", "data-/minutes.txt",
		"data-1-old/minutes.txt", "data-1-2-3/minutes.txt"};
	struct list list = list_of(rig);
	for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
		const char *path = pool_printf(rig->pool, "%s/%s", list.directory, others[i]);
		assert_ok(file_mkdirs(pool_strndup(rig->pool, path, strlen(path) - strlen("/minutes.txt")),
			0755, &rig_err));
		assert_ok(file_write(path, "mine", 4, 0600, &rig_err));
	}
	for (int i = 0; i < 3; i++) {
		clock_set(&rig->clock, rig->clock.now + 60);
		write_list(&list, PUBLIC_HTML, 0, NULL);
	}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_string_equal(content(&list, others[i]), "mine");
}

/* The daemon must be able to go on with what sengenctl wrote. */
static void test_public_list__not_by_root_for_others(void **state)
{
	struct rig *rig = *state;
	struct public_writer *writer;
	struct strlist names = {0};
	if (geteuid() != 0)
		skip();
	struct list list = list_of(rig);
	assert_ok(file_mkdirs(list.directory, 0755, &rig_err));
	assert_int_equal(chown(list.directory, 65534, 65534), 0);
	assert_int_equal(
		public_writer_open(&writer, &rig->office, list.directory, PUBLIC_CSV, &rig_err), RC_REFUSED);
	assert_ok(file_list_dir(&names, list.directory, &rig_err));
	assert_int_equal(names.count, 0);
	assert_int_equal(chown(list.directory, 0, 0), 0);
	write_list(&list, PUBLIC_CSV, 0, NULL);
}

/* A second one within the same second, given up at any step, leaves the page and its data whole. */
static void test_public_list__twice_within_a_second(void **state)
{
	struct rig *rig = *state;
	struct public_progress progress = {0};
	(void)rig_apply(rig, 1);
	rig_run_days(rig, 16);
	struct list list = list_of(rig);
	write_list(&list, PUBLIC_HTML, 0, NULL);
	for (int steps = 0; !progress.finished; steps++) {
		struct public_writer *writer;
		assert_ok(public_writer_open(&writer, &rig->office, list.directory, PUBLIC_HTML, &rig_err));
		for (int i = 0; i < steps; i++)
			assert_ok(public_writer_step(writer, 0, &progress, &rig_err));
		public_writer_close(&writer);
		assert_non_null(strstr(data(&list, "meta.js"), "rows:1"));
		assert_non_null(strstr(data(&list, "i/0.js"), "sengen.index(0,"));
	}
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(test_public_list__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		CASE(csv_by_prefecture_and_name),
		CASE(no_other_field_comes_out),
		CASE(page_and_its_data),
		CASE(everybody_may_read_it),
		CASE(empty),
		CASE(older_data_go),
		CASE(the_era_of_instant),
		CASE(a_stop_leaves_the_page_at_once),
		CASE(what_ends_while_it_is_written),
		CASE(what_is_corrected_while_it_is_written),
		CASE(what_goes_on_ending),
		CASE(what_others_put_there_stays),
		CASE(twice_within_a_second),
		CASE(not_by_root_for_others),
		CASE(refusals),
		CASE(links_are_not_followed),
		CASE(given_up),
		CASE(is_entered_in_the_history),
		CASE(keys),
	};
#undef CASE
	return cmocka_run_group_tests(tests, NULL, NULL);
}
