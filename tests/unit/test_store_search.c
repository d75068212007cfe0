#include "tests/unit/store_rig.h"

#include "lib/base/text.h"
#include "lib/store/grams.h"

struct sample {
	const char *business_name, *family_name, *given_name, *contact, *prefecture, *address, *telephone,
		*postal_code, *corporate_number, *mail;
	int64_t declaration_id;
};

/* Their application numbers are their places, from 1. */
static const struct sample samples[] = {
	{"株式会社山田製作所", "山田", "太郎", "見本 花子", "東京都", "文京区本駒込2-28-8", "0312345678",
		"1130021", "1234567890123", "info@yamada.example.co.jp", 41234567890},
	{"髙橋システムズ（株）", "髙橋", "一郎", "齋藤　葵", "北海道", "札幌市中央区北一条西1-1",
		"0119876543", "0600001", "5432109876543", "soumu@takahashi.example.jp", 49876543210},
	{"さくら介護サービス合同会社", "佐々木", "愛", "渡邉 学", "沖縄県", "那覇市久茂地3-4-5 丸山ビル2階",
		"0981112222", "9000015", "7000012050002", "office@sakura.example.com", 0},
	{"ヴァイオレット工房", "濵﨑", "翔", "", "京都府", "京都市下京区四条通", "0751113333", "6000000", "",
		"violet@post.example.ne.jp", 0},
	{"K&K SUN・デザイン", "斉藤", "葵", "", "大阪府", "大阪市北区梅田1-2-3", "0666667777", "5300001", "",
		"kk.sun@example.com", 41234500000},
};
#define SAMPLES ((int64_t)(sizeof samples / sizeof *samples))

static struct application application_of(struct pool *pool, const struct sample *sample)
{
	struct application app = rig_application(pool, 1);
	app.form.value[FIELD_BUSINESS_NAME] = sample->business_name;
	app.form.value[FIELD_FAMILY_NAME] = sample->family_name;
	app.form.value[FIELD_GIVEN_NAME] = sample->given_name;
	app.form.value[FIELD_CONTACT] = sample->contact;
	app.form.value[FIELD_PREFECTURE] = sample->prefecture;
	app.form.value[FIELD_ADDRESS] = sample->address;
	app.form.value[FIELD_TELEPHONE] = sample->telephone;
	app.form.value[FIELD_POSTAL_CODE] = sample->postal_code;
	app.form.value[FIELD_CORPORATE_NUMBER] = sample->corporate_number;
	app.form.value[FIELD_MAIL] = sample->mail;
	app.declaration_id = sample->declaration_id;
	return app;
}

static int64_t add(struct rig *rig, const struct sample *sample)
{
	struct application app = application_of(rig->pool, sample);
	uint8_t digest[SHA256_LEN] = {0};
	assert_ok(application_add(rig->store, &app, NULL, NULL, digest, &rig_err));
	return app.id;
}

static void add_samples(struct rig *rig)
{
	assert_ok(store_begin(rig->store, &rig_err));
	for (int64_t i = 0; i < SAMPLES; i++)
		assert_int_equal(add(rig, &samples[i]), i + 1);
	assert_ok(store_commit(rig->store, &rig_err));
}

/* Enough others that the samples' block is full and becomes grams. */
static void fill_block(struct rig *rig, int64_t count)
{
	struct sample other = {
		.business_name = "有限会社その他", .prefecture = "富山県", .address = "富山市新桜町"};
	assert_ok(store_begin(rig->store, &rig_err));
	for (int64_t i = 0; i < count; i++)
		(void)add(rig, &other);
	assert_ok(store_commit(rig->store, &rig_err));
}

static int64_t first_found(struct rig *rig, const char *text, int *count)
{
	int64_t out[4] = {0};
	bool more;
	if (search_applications(rig->store, text, 0, out, 4, count, &more, &rig_err) != RC_OK)
		fail_msg("%s: %s", text, rig_err.text);
	return out[0];
}

static const struct {
	const char *text;
	int64_t id; /* 0: nothing */
} finds[] = {
	/* two characters, one, and several words */
	{"山田", 1},
	{"製作", 1},
	{"本駒", 1},
	{"田製", 1},
	{"山　太郎", 1},
	{"札", 2},
	{"花", 1},
	{"丸山", 3},
	{"丸", 3},
	{"愛 那覇", 3},
	{"愛 札幌", 0},
	{"作所株", 0},
	{"京東", 0},
	/* forms of company, on either side */
	{"株式会社髙橋システムズ", 2},
	{"山田製作所㈱", 1},
	{"(有)山田", 0},
	{"(同) さくら", 3},
	/* width, kana, old glyphs */
	{"ﾀｶﾊｼ", 0},
	{"高橋ｼｽﾃﾑｽﾞ", 2},
	{"タカハシ", 0},
	{"サクラ介護", 3},
	{"さくら介護さーびす", 3},
	{"渡辺学", 3},
	{"渡邊", 3},
	{"斎藤葵 札幌", 2},
	{"斉藤葵 札幌", 2},
	{"浜崎", 4},
	{"ばいおれっと", 4},
	{"バイオレツト", 4},
	{"佐佐木", 3},
	/* Latin letters */
	{"ｋ＆ｋ", 5},
	{"sunデザイン", 5},
	{"SU", 5},
	{"sunderland", 0},
	/* addresses */
	{"東京都文京区", 1},
	{"文京区本駒込２－２８－８", 1},
	{"office@sakura.example.com", 3},
	{"TAKAHASHI.EXAMPLE", 2},
	{"violet@", 4},
	/* numbers */
	{"03-1234-5678", 1},
	{"０３（１２３４）５６７８", 1},
	{"+81 3 1234 5678", 1},
	{"03 1234 5678", 1},
	{"03 1234 山田", 1},
	{"+81-3-1234-5678", 1},
	{"+81(0)312345678", 1},
	{"011 9876", 2},
	{"345678", 1},
	{"34567", 1},
	{"075", 4},
	{"9999", 0},
	{"〒530-0001", 5},
	{"5300001", 5},
	{"T7000012050002", 3},
	{"ｔ７０００−０１２０−５０００２", 3},
	{"T700001205000", 0},
	{"41234567890", 1},
	{"4987-6543-210", 2},
	{"49876543210 札幌", 2},
	{"49876543210 那覇", 0},
	{"4 那覇", 0},
	{"4 京都", 4},
	{"存在しない会社", 0},
};

static void check_finds(struct rig *rig)
{
	for (size_t i = 0; i < sizeof finds / sizeof *finds; i++) {
		int count;
		int64_t id = first_found(rig, finds[i].text, &count);
		if (id != finds[i].id || count != (id != 0))
			fail_msg("%s: found %lld and %d in all, not %lld", finds[i].text, (long long)id,
				count, (long long)finds[i].id);
	}
}

static void test_store_search__finds(void **state)
{
	struct rig *rig = *state;
	add_samples(rig);
	check_finds(rig);
	fill_block(rig, GRAM_SLOTS);
	assert_int_equal(sql_count(rig, "SELECT min(application_id) FROM search_text"), GRAM_SLOTS);
	check_finds(rig);
	/* Made anew, as after an upgrade. */
	sql_aside(rig, "DELETE FROM search_block; DELETE FROM search_text; DELETE FROM fact WHERE name = "
		       "'store.search'");
	int count;
	bool more;
	int64_t id;
	assert_rc(search_applications(rig->store, "山田", 0, &id, 1, &count, &more, &rig_err), RC_STORE);
	rig_reopen(rig);
	check_finds(rig);
	assert_int_equal(sql_count(rig, "SELECT min(application_id) FROM search_text"), GRAM_SLOTS);
}

static void test_store_search__newest_first(void **state)
{
	struct rig *rig = *state;
	int64_t out[16], before = 0, last = INT64_MAX, all = 0;
	int count;
	bool more = true;
	add_samples(rig);
	fill_block(rig, GRAM_SLOTS + 10);
	while (more) {
		assert_ok(search_applications(
			rig->store, "富山 その他", before, out, 16, &count, &more, &rig_err));
		assert_true(count > 0);
		for (int i = 0; i < count; i++) {
			assert_true(out[i] < last);
			last = out[i];
		}
		all += count;
		before = last;
		assert_int_equal(more, all < GRAM_SLOTS + 10);
	}
	assert_int_equal(all, GRAM_SLOTS + 10);
	assert_int_equal(last, SAMPLES + 1);
	/* Exactly as many as were asked for are no "more". */
	assert_ok(search_applications(rig->store, "山田", 0, out, 1, &count, &more, &rig_err));
	assert_int_equal(count, 1);
	assert_false(more);
}

static void test_store_search__nothing_to_look_for(void **state)
{
	struct rig *rig = *state;
	static const char *const nothing[] = {"", " ", "　\t", "・", "\xe2\x80\x8b"};
	int64_t out[1];
	int count;
	bool more;
	add_samples(rig);
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		assert_rc(search_applications(rig->store, nothing[i], 0, out, 1, &count, &more, &rig_err),
			RC_REFUSED);
	/* What is no text finds nothing, and harms nothing. */
	static const char *const odd[] = {
		"\xff\xfe\x80", "山\x1f\x1e田\x01", "%_*'\";--", "\xf0\x9f\x98\x80\xf0\x9f\x98\x80"};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
		assert_true(search_applications(rig->store, odd[i], 0, out, 1, &count, &more, &rig_err) ==
				    RC_REFUSED ||
			    count <= 1);
	struct str endless = STR_INIT;
	for (int i = 0; i < 5000; i++)
		str_addz(&endless, i % 7 ? "山田" : " 0");
	assert_ok(search_applications(rig->store, endless.s, 0, out, 1, &count, &more, &rig_err));
	assert_int_equal(count, 0);
	str_free(&endless);
}

static void rename_business(struct rig *rig, int64_t id, const char *name)
{
	struct application app;
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(application_get(rig->store, id, &app, rig->pool, &rig_err));
	app.form.value[FIELD_BUSINESS_NAME] = name;
	assert_ok(application_update_form(rig->store, &app, NULL, NULL, &rig_err));
	assert_ok(store_commit(rig->store, &rig_err));
}

static void test_store_search__correction(void **state)
{
	struct rig *rig = *state;
	int count;
	add_samples(rig);
	rename_business(rig, 3, "有限会社ひまわり");
	assert_int_equal(first_found(rig, "さくら介護", &count), 0);
	assert_int_equal(first_found(rig, "ヒマワリ", &count), 3);
	fill_block(rig, GRAM_SLOTS);
	rename_business(rig, 3, "瑠璃色の仕事場");
	assert_int_equal(first_found(rig, "ヒマワリ", &count), 0);
	assert_int_equal(first_found(rig, "瑠璃色", &count), 3);
	assert_int_equal(first_found(rig, "那覇市 佐々木", &count), 3);
	/* One that goes back leaves no trace of what it was meanwhile. */
	rename_business(rig, 3, "有限会社ひまわり");
	assert_int_equal(first_found(rig, "瑠璃", &count), 0);
	assert_int_equal(first_found(rig, "ひまわり", &count), 3);
}

/* Does any of the register's files still hold those bytes? */
static bool files_hold(const struct rig *rig, const char *bytes)
{
	static const char *const suffixes[] = {"", "-wal"};
	bool held = false;
	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		char path[160], part[4096];
		struct str all = STR_INIT;
		(void)snprintf(path, sizeof path, "%s%s", rig->path, suffixes[i]);
		FILE *file = fopen(path, "r");
		for (size_t len; file && (len = fread(part, 1, sizeof part, file)) > 0;)
			str_add(&all, part, len);
		if (file)
			(void)fclose(file);
		held = held || memmem(all.s, all.len, bytes, strlen(bytes));
		str_free(&all);
	}
	return held;
}

static void test_store_search__erasure(void **state)
{
	struct rig *rig = *state;
	struct erasure erasure;
	int64_t entries;
	int count;
	add_samples(rig);
	sql_aside(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_true(files_hold(rig, "バイオレツト")); /* the searchable text is plain */
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(application_erase(rig->store, 4, true, &erasure, &rig_err));
	assert_int_equal(erasure.search, 1);
	store_rollback(rig->store);
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(application_erase(rig->store, 4, false, &erasure, &rig_err));
	assert_int_equal(erasure.search, 1);
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(first_found(rig, "バイオレット", &count), 0);
	assert_int_equal(first_found(rig, "4", &count), 4); /* its own number still leads to what is left */
	store_close(&rig->store);
	sql_aside(rig, "PRAGMA wal_checkpoint(TRUNCATE)");
	assert_false(files_hold(rig, "バイオレツト"));
	assert_ok(store_open(&rig->store, &rig->settings, STORE_WRITE, &rig_err));

	/* Out of a block: no gram of it is left, and those of its neighbours stay. */
	fill_block(rig, GRAM_SLOTS);
	assert_ok(store_begin(rig->store, &rig_err));
	assert_ok(search_forget(rig->store, 3, true, &entries, &rig_err));
	assert_int_equal(entries, 1);
	assert_int_equal(first_found(rig, "那覇", &count), 3);
	assert_ok(application_erase(rig->store, 3, false, &erasure, &rig_err));
	assert_int_equal(erasure.search, 1);
	assert_ok(search_forget(rig->store, 3, true, &entries, &rig_err));
	assert_int_equal(entries, 0);
	assert_ok(store_commit(rig->store, &rig_err));
	assert_int_equal(first_found(rig, "那覇", &count), 0);
	assert_int_equal(first_found(rig, "山田", &count), 1);
	assert_int_equal(first_found(rig, "髙橋", &count), 2);
	assert_int_equal(first_found(rig, "梅田", &count), 5);
}

/* ---- against a plain look at every text ---- */

#define BUSINESSES (GRAM_SLOTS * 2 + 100)

static const char *random_name(struct rng *rng, struct pool *pool, int longest)
{
	static const char *const parts[] = {"山", "田", "川", "東", "京", "a", "b", "7", "ア", "株式会社"};
	struct str name = STR_INIT;
	for (uint64_t left = rng_below(rng, (uint64_t)longest) + 1; left > 0; left--)
		str_addz(&name, parts[rng_below(rng, sizeof parts / sizeof *parts)]);
	const char *out = pool_strdup(pool, name.s);
	str_free(&name);
	return out;
}

/* The rule of search_applications() for a word without a form of company, in names that are all there is. */
static bool plain_has(const char *name, const char *word)
{
	struct str key = STR_INIT, wanted = STR_INIT;
	text_search_key(&key, name);
	text_search_key(&wanted, word);
	bool has = strstr(key.s, wanted.s);
	if (utf8_chars(wanted.s) == 1) {
		const char *form = "株式会社";
		has = str_has_prefix(key.s, wanted.s) ||
		      (str_has_prefix(key.s, form) && str_has_prefix(key.s + strlen(form), wanted.s));
	}
	str_free(&key);
	str_free(&wanted);
	return has;
}

static void check_against_plain(struct rig *rig, const char *const *name, struct rng *rng)
{
	static int64_t out[BUSINESSES];
	for (int round = 0; round < 60; round++) {
		const char *word = random_name(rng, rig->pool, 4);
		int count, expected = 0;
		bool more;
		if (strstr(word, "株") || strspn(word, "7") == strlen(word))
			continue;
		assert_ok(search_applications(rig->store, word, 0, out, BUSINESSES, &count, &more, &rig_err));
		for (int64_t id = BUSINESSES; id >= 1; id--) {
			if (!plain_has(name[id], word))
				continue;
			if (expected >= count || out[expected] != id)
				fail_msg("%s: application %lld, %s, was not found", word, (long long)id,
					name[id]);
			expected++;
		}
		assert_int_equal(count, expected);
	}
}

static void test_store_search__against_a_plain_look(void **state)
{
	struct rig *rig = *state;
	struct rng rng = rng_seeded(4);
	const char **name = xcalloc(BUSINESSES + 1, sizeof *name);
	assert_ok(store_begin(rig->store, &rig_err));
	for (int64_t i = 1; i <= BUSINESSES; i++) {
		struct sample sample = {.business_name = name[i] = random_name(&rng, rig->pool, 8)};
		assert_int_equal(add(rig, &sample), i);
	}
	assert_ok(store_commit(rig->store, &rig_err));
	check_against_plain(rig, name, &rng);
	/* Corrections let chunks of full blocks grow until they are split. */
	for (int i = 0; i < 400; i++) {
		int64_t id = (int64_t)rng_below(&rng, BUSINESSES) + 1;
		name[id] = random_name(&rng, rig->pool, 30);
		rename_business(rig, id, name[id]);
	}
	check_against_plain(rig, name, &rng);
	free(name);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_store_search__##name, rig_setup, rig_teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds),
		TEST(newest_first),
		TEST(nothing_to_look_for),
		TEST(correction),
		TEST(erasure),
		TEST(against_a_plain_look),
	};
	return cmocka_run_group_tests_name("store_search", tests, NULL, NULL);
}
