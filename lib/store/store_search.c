#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/store/grams.h"

/*
 * What an application can be found by is one text: an entry for each name, place, address and number, each behind its mark (grams.h), the mail address and the numbers last. The text
 * stands in search_text until the block of the application is full; from then on only its grams do, and the text is made from the form again where it is wanted.
 */

/* ---- the searchable text ---- */

static void add_entry(struct str *out, char mark, const char *a, const char *b)
{
	size_t start = out->len;
	str_addc(out, mark);
	text_search_key(out, a ? a : "");
	text_search_key(out, b ? b : "");
	if (out->len == start + 1)
		str_cut(out, start);
}

/* 株式会社 and the like, as they stand before or behind a name, as text_search_key() leaves them. Longer ones first. */
static const char *const company_forms[] = {"特定非営利活動法人", "一般社団法人", "一般財団法人",
	"公益社団法人", "公益財団法人", "農事組合法人", "社会福祉法人", "医療法人社団", "医療法人財団",
	"弁護士法人", "税理士法人", "株式会社", "有限会社", "合同会社", "合資会社", "合名会社", "医療法人",
	"学校法人", "宗教法人"};

static const char *form_before(const char *name)
{
	for (size_t i = 0; i < sizeof company_forms / sizeof *company_forms; i++)
		if (str_has_prefix(name, company_forms[i]))
			return company_forms[i];
	return NULL;
}

static const char *form_behind(const char *name)
{
	for (size_t i = 0; i < sizeof company_forms / sizeof *company_forms; i++)
		if (str_has_suffix(name, company_forms[i]))
			return company_forms[i];
	return NULL;
}

/* The whole, and apart from it what it begins with behind its form or a blank: one character finds what begins with it. */
static void add_beginnings(struct str *out, const char *value)
{
	struct str key = STR_INIT;
	text_search_key(&key, value);
	const char *form = form_before(key.s);
	if (form && key.s[strlen(form)])
		str_printf(out, "%c%s", ENTRY_TEXT, key.s + strlen(form));
	str_free(&key);
	struct str folded = STR_INIT;
	text_fold(&folded, value);
	for (const char *blank = strchr(folded.s, ' '); blank; blank = strchr(blank + 1, ' '))
		add_entry(out, ENTRY_TEXT, blank + 1, NULL);
	str_free(&folded);
}

static void add_digits(struct str *out, const char *value)
{
	size_t start = out->len;
	str_addc(out, ENTRY_NUMBER);
	if (!value || !text_digits(out, value) || out->len == start + 1)
		str_cut(out, start);
}

static void searchable_text(struct str *out, const struct form_values *form)
{
	static const enum form_field names[] = {FIELD_BUSINESS_NAME, FIELD_CONTACT, FIELD_ADDRESS};
	static const enum form_field numbers[] = {FIELD_TELEPHONE, FIELD_POSTAL_CODE, FIELD_CORPORATE_NUMBER};
	const char *const *value = form->value;
	add_entry(out, ENTRY_TEXT, value[FIELD_BUSINESS_NAME], NULL);
	add_entry(out, ENTRY_TEXT, value[FIELD_FAMILY_NAME], value[FIELD_GIVEN_NAME]);
	add_entry(out, ENTRY_TEXT, value[FIELD_GIVEN_NAME], NULL);
	add_entry(out, ENTRY_TEXT, value[FIELD_CONTACT], NULL);
	add_entry(out, ENTRY_TEXT, value[FIELD_PREFECTURE], value[FIELD_ADDRESS]);
	add_entry(out, ENTRY_TEXT, value[FIELD_ADDRESS], NULL);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (value[names[i]])
			add_beginnings(out, value[names[i]]);
	add_entry(out, ENTRY_MAIL, value[FIELD_MAIL], NULL);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		add_digits(out, value[numbers[i]]);
}

/* ---- keeping the index ---- */

/* The lowest application whose text still stands in search_text; 0: none. */
static enum rc oldest_text(struct store *store, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT min(application_id) FROM search_text", err);
	return stmt ? sql_number(store, stmt, 0, id, err) : err->rc;
}

/* Asked once in a transaction: until the block is full nothing else changes them but search_forget(). */
static enum rc look_at_index(struct store *store, struct err *err)
{
	if (store->search_known)
		return RC_OK;
	enum rc rc = oldest_text(store, &store->oldest_text, err);
	rc = rc ? rc : gram_last_block(store, &store->last_block, err);
	store->search_known = rc == RC_OK && store->in_transaction;
	return rc;
}

static enum rc put_text(struct store *store, int64_t id, const struct str *text, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO search_text (application_id, text) VALUES (:id, :text)"
		" ON CONFLICT (application_id) DO UPDATE SET text = excluded.text",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_blob(stmt, ":text", text->s, text->len);
	if (store->oldest_text == 0 || id < store->oldest_text)
		store->oldest_text = id;
	return sql_run(store, stmt, err);
}

static enum rc drop_texts(struct store *store, int64_t from, int64_t until, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"DELETE FROM search_text WHERE application_id >= :from AND application_id < :until", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":from", from);
	sql_int(stmt, ":until", until);
	store->search_known = false;
	return sql_run(store, stmt, err);
}

/* A full block goes from texts into grams. */
static enum rc fold_block(struct store *store, int64_t block, struct err *err)
{
	struct gram_builder builder = {.block = block};
	struct grams grams = {0};
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT application_id, text FROM search_text WHERE application_id >= :from"
		" AND application_id < :until ORDER BY application_id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":from", block * GRAM_SLOTS);
	sql_int(stmt, ":until", (block + 1) * GRAM_SLOTS);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		const char *text = sqlite3_column_blob(stmt, 1);
		grams.count = 0;
		grams_of_text(&grams, text ? text : "", (size_t)sqlite3_column_bytes(stmt, 1));
		gram_builder_add(&builder, gram_slot(sqlite3_column_int64(stmt, 0)), &grams);
	}
	if (rc == RC_OK)
		rc = gram_builder_write(store, &builder, err);
	if (rc == RC_OK)
		rc = drop_texts(store, block * GRAM_SLOTS, (block + 1) * GRAM_SLOTS, err);
	grams_free(&grams);
	gram_builder_free(&builder);
	return rc;
}

enum rc search_keep(struct store *store, const struct application *app, struct err *err)
{
	int64_t block = gram_block(app->id);
	struct str text = STR_INIT;
	enum rc rc = look_at_index(store, err);
	if (rc == RC_OK && store->oldest_text && gram_block(store->oldest_text) < block) {
		rc = fold_block(store, gram_block(store->oldest_text), err);
		rc = rc ? rc : look_at_index(store, err);
	}
	if (rc != RC_OK)
		return rc;
	searchable_text(&text, &app->form);
	if (block <= store->last_block) {
		struct grams grams = {0};
		int64_t found;
		grams_of_text(&grams, text.s, text.len);
		rc = gram_drop(store, block, gram_slot(app->id), false, &found, err);
		if (rc == RC_OK)
			rc = gram_enter(store, block, gram_slot(app->id), &grams, err);
		store->search_known = false;
		grams_free(&grams);
	} else {
		rc = put_text(store, app->id, &text, err);
	}
	str_wipe(&text);
	return rc;
}

enum rc search_forget(
	struct store *store, int64_t application_id, bool preview, int64_t *entries, struct err *err)
{
	int64_t text = 0;
	store->search_known = false;
	enum rc rc = gram_drop(
		store, gram_block(application_id), gram_slot(application_id), preview, entries, err);
	sqlite3_stmt *stmt = NULL;
	if (rc == RC_OK) {
		stmt = sql_ready(store, "SELECT count(*) FROM search_text WHERE application_id = :id", err);
		rc = stmt ? RC_OK : err->rc;
	}
	if (rc == RC_OK) {
		sql_int(stmt, ":id", application_id);
		rc = sql_number(store, stmt, 0, &text, err);
	}
	if (rc == RC_OK && text > 0 && !preview)
		rc = drop_texts(store, application_id, application_id + 1, err);
	*entries = *entries > 0 || text > 0;
	return rc;
}

/* ---- making it anew ---- */

struct filling {
	struct store *store;
	struct gram_builder builder;
	struct grams grams;
	struct str text;
	int64_t last; /* block that stays text */
};

static enum rc fill_one(void *ctx, const struct application *app, struct err *err)
{
	struct filling *filling = ctx;
	int64_t block = gram_block(app->id);
	enum rc rc = RC_OK;
	if (block != filling->builder.block && filling->builder.count > 0)
		rc = gram_builder_write(filling->store, &filling->builder, err);
	filling->builder.block = block;
	str_clear(&filling->text);
	searchable_text(&filling->text, &app->form);
	if (rc != RC_OK || filling->text.len == 0)
		return rc;
	if (block == filling->last)
		return put_text(filling->store, app->id, &filling->text, err);
	filling->grams.count = 0;
	grams_of_text(&filling->grams, filling->text.s, filling->text.len);
	gram_builder_add(&filling->builder, gram_slot(app->id), &filling->grams);
	return RC_OK;
}

static enum rc fill(struct store *store, struct err *err)
{
	static const struct application_filter all = {.hold = -1};
	struct filling filling = {.store = store, .text = STR_INIT};
	sqlite3_stmt *stmt = sql_ready(store, "SELECT max(id) FROM application", err);
	enum rc rc = stmt ? sql_number(store, stmt, 0, &filling.last, err) : err->rc;
	filling.last = gram_block(filling.last);
	if (rc == RC_OK)
		rc = application_each(store, &all, true, fill_one, &filling, err);
	if (rc == RC_OK && filling.builder.count > 0)
		rc = gram_builder_write(store, &filling.builder, err);
	str_wipe(&filling.text);
	grams_free(&filling.grams);
	gram_builder_free(&filling.builder);
	return rc;
}

static enum rc is_current(struct store *store, bool *yes, struct err *err)
{
	struct str version = STR_INIT;
	enum rc rc = fact_get(store, FACT_SEARCH, &version, err);
	*yes = strcmp(version.s, SEARCH_VERSION) == 0;
	str_free(&version);
	return rc;
}

enum rc search_ready(struct store *store, struct err *err)
{
	bool current;
	enum rc rc = is_current(store, &current, err);
	if (rc != RC_OK || current)
		return rc;
	rc = sql_exec(store, "DELETE FROM search_text; DELETE FROM search_block", err);
	if (rc == RC_OK)
		rc = fill(store, err);
	return rc == RC_OK ? fact_set(store, FACT_SEARCH, SEARCH_VERSION, err) : rc;
}

/* ---- what is looked for ---- */

#define EXACT_MAX                                                                                            \
	8 /* applications that bear one declaration ID: a ★, its step-up, and who was wrongly taken over twice */

/* One word: its text, or its digits, or the application it names by a number of its own. */
struct word {
	struct str text, digits; /* digits "": it is no number */
	struct grams text_grams, digit_grams;
	int64_t exact[EXACT_MAX];
	int exact_count;
};

struct search {
	struct store *store;
	struct word *word;
	size_t count;
	int64_t before;
	int64_t *out;
	int limit, found;
	bool more;
	struct str text; /* of the application that is looked at */
	struct pool *pool;
};

/* 03-1234-5678, (03)1234-5678, +81 3 1234 5678, 〒100-0001, T1234567890123; false: it is no number. */
static bool number_of(struct str *out, const char *word)
{
	struct str folded = STR_INIT;
	text_fold(&folded, word);
	const char *at = folded.s;
	bool corporate = *at == 'T' || *at == 't', abroad = str_has_prefix(at, "+81");
	if (str_has_prefix(at, "〒"))
		at += strlen("〒");
	at += corporate ? 1 : abroad ? 3 : 0;
	if (abroad)
		str_addc(out, '0');
	for (; *at && ((*at >= '0' && *at <= '9') || strchr("-(). /", *at)); at++)
		if (*at >= '0' && *at <= '9' && !(abroad && out->len == 1 && *at == '0'))
			str_addc(out, *at);
	bool whole = *at == '\0' && out->len > 0 && (!corporate || out->len == 13);
	if (!whole)
		str_clear(out);
	str_free(&folded);
	return whole;
}

static void add_word(struct search *search, const char *text, size_t len, const char *as_typed)
{
	if (len == 0)
		return;
	search->word = xrealloc(search->word, (search->count + 1) * sizeof *search->word);
	struct word *word = &search->word[search->count++];
	*word = (struct word){.text = STR_INIT, .digits = STR_INIT};
	str_add(&word->text, text, len);
	grams_of_word(&word->text_grams, text, len);
	if (number_of(&word->digits, as_typed))
		grams_of_digits(&word->digit_grams, word->digits.s, word->digits.len);
}

/* サンプル株式会社 or 株式会社サンプル: nobody remembers on which side it stands, so the form is a word of its own. */
static void add_words_of(struct search *search, const char *as_typed)
{
	struct str key = STR_INIT;
	text_search_key(&key, as_typed);
	const char *before = form_before(key.s), *behind = form_behind(key.s);
	size_t skip = before ? strlen(before) : 0, end = key.len;
	if (behind && skip + strlen(behind) <= key.len)
		end -= strlen(behind);
	if (skip < end) {
		add_word(search, key.s + skip, end - skip, as_typed);
		add_word(search, key.s, skip, "");
		add_word(search, key.s + end, key.len - end, "");
	} else {
		add_word(search, key.s, key.len, as_typed);
	}
	str_free(&key);
}

#define NUMBER_IN_PARTS 6 /* so many digits with blanks between them are one number */

static void read_words(struct search *search, const char *text)
{
	struct str folded = STR_INIT, digits = STR_INIT;
	text_fold(&folded, text);
	if (number_of(&digits, folded.s) && digits.len >= NUMBER_IN_PARTS) {
		add_word(search, digits.s, digits.len, folded.s);
		str_clear(&folded);
	}
	str_free(&digits);
	for (char *at = folded.s; *at;) {
		size_t len = strcspn(at, " ");
		char *next = at + len + (at[len] == ' ');
		at[len] = '\0';
		add_words_of(search, at);
		at = next;
	}
	str_free(&folded);
}

static enum rc exact_by(struct search *search, struct word *word, const char *sql, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(search->store, sql, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":number", strtoll(word->digits.s, NULL, 10));
	bool row;
	enum rc rc;
	while ((rc = sql_row(search->store, stmt, &row, err)) == RC_OK && row)
		if (word->exact_count < EXACT_MAX)
			word->exact[word->exact_count++] = sqlite3_column_int64(stmt, 0);
	return rc;
}

/* The applications that bear the number as theirs. */
static enum rc find_exact(struct search *search, struct err *err)
{
	static const char *const by_number = "SELECT id FROM application WHERE id = :number";
	static const char *const by_declaration =
		"SELECT id FROM application WHERE declaration_id = :number AND declaration_id IS NOT NULL"
		" ORDER BY id DESC LIMIT 8";
	enum rc rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < search->count; i++) {
		struct word *word = &search->word[i];
		if (word->digits.len > 0 && word->digits.len <= 9 && word->digits.s[0] != '0')
			rc = exact_by(search, word, by_number, err);
		else if (word->digits.len == 10 || word->digits.len == 11)
			rc = exact_by(search, word, by_declaration, err);
	}
	return rc;
}

/* ---- holding an application against the words ---- */

static bool is_named(const struct word *word, int64_t id)
{
	for (int i = 0; i < word->exact_count; i++)
		if (word->exact[i] == id)
			return true;
	return false;
}

/* Does a word stand in a text? One character only at the beginning of an entry, few digits only at that of a number. */
static bool text_has(const struct str *text, const struct word *word)
{
	const char *numbers = strchr(text->s, ENTRY_NUMBER), *mail = strchr(text->s, ENTRY_MAIL);
	const char *end = numbers ? numbers : text->s + text->len;
	size_t len = word->text.len, first;
	uint32_t c;
	first = utf8_next(word->text.s, len, &c);
	bool short_word = first == len, two_letters = len == 2 && first == 1;
	if ((short_word || two_letters) && mail)
		end = mail;
	for (const char *at = text->s; (at = memmem(at, (size_t)(end - at), word->text.s, len)); at++)
		if (!short_word || (unsigned char)at[-1] < 0x20)
			return true;
	for (const char *at = word->digits.len > 0 ? numbers : NULL; at && (at = strstr(at, word->digits.s));
		at++)
		if (word->digits.len >= 4 || at[-1] == ENTRY_NUMBER)
			return true;
	return false;
}

static bool fits(const struct search *search, int64_t id)
{
	for (size_t i = 0; i < search->count; i++)
		if (!is_named(&search->word[i], id) && !text_has(&search->text, &search->word[i]))
			return false;
	return true;
}

/* Enters a find; false: there are enough. */
static bool found(struct search *search, int64_t id)
{
	search->more = search->found == search->limit;
	if (!search->more)
		search->out[search->found++] = id;
	return !search->more;
}

static enum rc read_form(struct search *search, int64_t id, struct err *err)
{
	str_clear(&search->text);
	sqlite3_stmt *stmt = sql_ready(
		search->store, "SELECT form FROM application_payload WHERE application_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(search->store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	struct form_values form;
	if (form_unpack(search->store, &form, sqlite3_column_blob(stmt, 0),
		    (size_t)sqlite3_column_bytes(stmt, 0), search->pool))
		searchable_text(&search->text, &form);
	sql_done(stmt);
	pool_reset(search->pool);
	return RC_OK;
}

static enum rc consider(struct search *search, int64_t id, bool *enough, struct err *err)
{
	enum rc rc = read_form(search, id, err);
	if (rc == RC_OK && fits(search, id))
		*enough = !found(search, id);
	return rc;
}

/* ---- going through the blocks ---- */

/* All of the grams in one application. The gram that ruled out a block is asked first in the next. */
static enum rc all_grams(struct search *search, int64_t block, struct grams *grams, struct gram_set *out,
	bool *any, struct err *err)
{
	*any = grams->count > 0;
	for (size_t i = 0; *any && i < grams->count; i++) {
		struct gram_set set = {{0}};
		struct gram_set *into = i > 0 ? &set : out;
		if (gram_read(search->store, block, grams->gram[i], into, any, err) != RC_OK)
			return err->rc;
		uint64_t left = 0;
		for (size_t j = 0; i > 0 && *any && j < GRAM_SLOTS / 64; j++)
			left |= out->word[j] &= into->word[j];
		if (i > 0 && left == 0)
			*any = false;
		if (!*any && i > 0) {
			uint32_t telling = grams->gram[i];
			memmove(grams->gram + 1, grams->gram, i * sizeof *grams->gram);
			grams->gram[0] = telling;
		}
	}
	return RC_OK;
}

/* The applications of a block that may hold a word. */
static enum rc word_in_block(struct search *search, int64_t block, struct word *word, struct gram_set *out,
	bool *any, struct err *err)
{
	struct gram_set digits;
	bool as_digits = false;
	enum rc rc = all_grams(search, block, &word->text_grams, out, any, err);
	if (rc == RC_OK && word->digits.len > 0)
		rc = all_grams(search, block, &word->digit_grams, &digits, &as_digits, err);
	if (!*any)
		memset(out, 0, sizeof *out);
	for (size_t i = 0; as_digits && i < GRAM_SLOTS / 64; i++)
		out->word[i] |= digits.word[i];
	for (int i = 0; i < word->exact_count; i++)
		if (gram_block(word->exact[i]) == block) {
			gram_set_add(out, gram_slot(word->exact[i]));
			*any = true;
		}
	*any = *any || as_digits;
	return rc;
}

static enum rc block_candidates(
	struct search *search, int64_t block, struct gram_set *out, bool *any, struct err *err)
{
	enum rc rc = RC_OK;
	*any = true;
	for (size_t i = 0; rc == RC_OK && *any && i < search->count; i++) {
		struct gram_set set;
		rc = word_in_block(search, block, &search->word[i], i == 0 ? out : &set, any, err);
		uint64_t left = i == 0;
		for (size_t j = 0; i > 0 && *any && j < GRAM_SLOTS / 64; j++)
			left |= out->word[j] &= set.word[j];
		*any = *any && left;
		if (!*any && i > 0) {
			struct word telling = search->word[i];
			memmove(search->word + 1, search->word, i * sizeof *search->word);
			search->word[0] = telling;
		}
	}
	return rc;
}

static enum rc search_block(struct search *search, int64_t block, bool *enough, struct err *err)
{
	struct gram_set candidates = {0};
	bool any = false;
	enum rc rc = block_candidates(search, block, &candidates, &any, err);
	for (int i = GRAM_SLOTS / 64 - 1; rc == RC_OK && any && !*enough && i >= 0; i--)
		for (uint64_t bits = candidates.word[i]; rc == RC_OK && bits && !*enough;) {
			int bit = 63 - __builtin_clzll(bits);
			int64_t id = block * GRAM_SLOTS + i * 64 + bit;
			bits &= ~((uint64_t)1 << bit);
			if (id < search->before)
				rc = consider(search, id, enough, err);
		}
	return rc;
}

/* What came in since the last block was full, held against the words one by one. Where the text is gone, a number of its own still finds it. */
static enum rc search_texts(struct search *search, int64_t first, bool *enough, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(search->store,
		"SELECT a.id, t.text FROM application a LEFT JOIN search_text t ON t.application_id = a.id"
		" WHERE a.id >= :first AND a.id < :before ORDER BY a.id DESC",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":first", first);
	sql_int(stmt, ":before", search->before);
	bool row;
	enum rc rc;
	while ((rc = sql_row(search->store, stmt, &row, err)) == RC_OK && row && !*enough) {
		const char *text = sqlite3_column_blob(stmt, 1);
		str_clear(&search->text);
		str_add(&search->text, text ? text : "", (size_t)sqlite3_column_bytes(stmt, 1));
		if (fits(search, sqlite3_column_int64(stmt, 0)))
			*enough = !found(search, sqlite3_column_int64(stmt, 0));
	}
	sql_done(stmt);
	return rc;
}

static enum rc search_all(struct search *search, struct err *err)
{
	int64_t last = -1;
	bool enough = false, current = false;
	enum rc rc = is_current(search->store, &current, err);
	if (rc == RC_OK && !current)
		return err_set(err, RC_STORE,
			"the search tables of %s were made by another release; start sengend once, which "
			"makes them anew",
			search->store->path);
	if (rc == RC_OK)
		rc = find_exact(search, err);
	if (rc == RC_OK)
		rc = gram_last_block(search->store, &last, err);
	if (rc == RC_OK && search->before > (last + 1) * GRAM_SLOTS)
		rc = search_texts(search, (last + 1) * GRAM_SLOTS, &enough, err);
	if (rc != RC_OK)
		return rc;
	if (last > gram_block(search->before))
		last = gram_block(search->before);
	for (int64_t block = last; rc == RC_OK && !enough && block >= 0; block--)
		rc = search_block(search, block, &enough, err);
	return rc;
}

static void search_free(struct search *search)
{
	for (size_t i = 0; i < search->count; i++) {
		str_free(&search->word[i].text);
		str_free(&search->word[i].digits);
		grams_free(&search->word[i].text_grams);
		grams_free(&search->word[i].digit_grams);
	}
	free(search->word);
	str_wipe(&search->text);
	pool_free(&search->pool);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): consider() writes into out */
enum rc search_applications(struct store *store, const char *text, int64_t before_id, int64_t *out, int limit,
	int *count, bool *more, struct err *err)
{
	struct search search = {.store = store,
		.before = before_id ? before_id : INT64_MAX,
		.out = out,
		.limit = limit,
		.text = STR_INIT,
		.pool = pool_new()};
	*count = 0;
	*more = false;
	read_words(&search, text);
	enum rc rc = search.count > 0 ? RC_OK : err_set(err, RC_REFUSED, "there is no word to look for");
	/* All of it as it stands at one moment: a block that is written meanwhile would be missed or seen twice. */
	bool own = rc == RC_OK && sqlite3_get_autocommit(store->db);
	if (own)
		rc = sql_exec(store, "BEGIN", err);
	if (rc == RC_OK)
		rc = search_all(&search, err);
	if (own)
		(void)sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
	*count = search.found;
	*more = search.more;
	search_free(&search);
	return rc;
}
