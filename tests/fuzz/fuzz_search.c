/* What somebody types into the search: no word is lost by the index, and any query is answered from the register. */
#include "lib/base/text.h"
#include "lib/store/grams.h"
#include "tests/fuzz/fuzz.h"

static struct store *open_store(void)
{
	static struct store *store;
	static struct store_settings settings = {.host = "host", .simulated = true};
	struct err err = {0};
	uint8_t digest[SHA256_LEN] = {0};
	if (store)
		return store;
	settings.path = xstrdup(fuzz_file("register.db", "", 0));
	MUST(store_open(&store, &settings, STORE_WRITE, &err) == RC_OK);
	static const char *const names[] = {
		"株式会社山田製作所", "髙橋システムズ（株）", "ヴァイオレット工房", "K&K SUN・デザイン"};
	MUST(store_begin(store, &err) == RC_OK);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct application app = {.state = STATE_RECEIVED,
			.hold_reason = "",
			.kind = KIND_NEW1,
			.type = APPLICANT_CORPORATION,
			.star = 1,
			.profile = "form",
			.received_at = 1780000000,
			.applied_on = 20600,
			.clock_start = 20600,
			.stage = 1,
			.id_issued_on = CIVIL_DAY_NONE,
			.logo_authorized_on = CIVIL_DAY_NONE,
			.stopped_on = CIVIL_DAY_NONE,
			.row = (int)i + 1};
		for (int field = 0; field < FIELD_COUNT; field++)
			app.form.value[field] = "";
		app.form.value[FIELD_BUSINESS_NAME] = names[i];
		app.form.value[FIELD_FAMILY_NAME] = "齋藤";
		app.form.value[FIELD_GIVEN_NAME] = "葵";
		app.form.value[FIELD_PREFECTURE] = "東京都";
		app.form.value[FIELD_ADDRESS] = "文京区本駒込2-28-8";
		app.form.value[FIELD_MAIL] = "info@yamada.example.co.jp";
		app.form.value[FIELD_TELEPHONE] = "0312345678";
		digest[0] = (uint8_t)i;
		MUST(application_add(store, &app, NULL, NULL, digest, &err) == RC_OK);
	}
	MUST(store_commit(store, &err) == RC_OK);
	return store;
}

static void check_query(const char *query)
{
	struct err err = {0};
	int64_t hit[2], before = 0;
	int count = 0;
	bool more = true;
	for (int rounds = 0; more; rounds++) {
		enum rc rc = search_applications(open_store(), query, before, hit, 2, &count, &more, &err);
		MUST(rc == RC_OK || rc == RC_REFUSED);
		if (rc != RC_OK)
			break;
		MUST(count >= 0 && count <= 2 && rounds < 4 && (!more || count > 0));
		for (int i = 0; i < count; i++) {
			MUST(hit[i] > 0 && hit[i] <= 4 && (!before || hit[i] < before));
			before = hit[i];
		}
	}
}

static bool has_gram(const struct grams *grams, uint32_t gram)
{
	for (size_t i = 0; i < grams->count; i++)
		if (grams->gram[i] == gram)
			return true;
	return false;
}

/* Each gram of a word is one of every text that holds the word. */
static void check_grams(const char *text, const char *word)
{
	struct str whole = STR_INIT, key = STR_INIT;
	struct grams all = {0}, wanted = {0};
	text_search_key(&key, word);
	str_addc(&whole, ENTRY_TEXT);
	text_search_key(&whole, text);
	str_add(&whole, key.s, key.len);
	text_search_key(&whole, text);
	grams_of_text(&all, whole.s, whole.len);
	grams_of_word(&wanted, key.s, key.len);
	/* One character alone finds what begins with it. */
	for (size_t i = 0; utf8_chars(key.s) > 1 && i < wanted.count; i++)
		MUST(has_gram(&all, wanted.gram[i]));
	grams_free(&all);
	grams_free(&wanted);
	str_free(&whole);
	str_free(&key);
}

/* The part before the first NUL byte is a query, the part behind it a text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str clean = STR_INIT;
	size_t cut = 0;
	for (size_t at = 0; at < size;) {
		uint32_t c = 0xFFFD;
		size_t step = utf8_next((const char *)data + at, size - at, &c);
		if (!c && !cut)
			cut = clean.len + 1;
		if (c)
			utf8_add(&clean, c);
		else
			str_addc(&clean, '\0');
		at += step ? step : 1;
	}
	check_query(clean.s);
	check_grams(cut ? clean.s + cut : "", clean.s);
	str_free(&clean);
	return 0;
}
