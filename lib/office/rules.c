/*
 * rules.c - profile and templates are kept together, so that a case goes on under the rules it came in under
 *
 * What the register keeps as a template set is a short head with the profile's numbers and stages, an empty line, and the packed
 * templates. Its digest covers both: a changed distance is a new set just as a changed letter is.
 */
#include "lib/office/inbound_p.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define RULES_HEAD "sengen-rules 1\n"

struct rules_cache {
	struct rules **item; /* owned; what `rules` pointers given out point to */
	size_t count;
	struct {
		char *profile; /* owned */
		size_t index;
	} * current;
	size_t current_count;
};

/* ---- as text and back ---- */

static void pack(const struct profile *profile, const struct template_set *templates, struct str *out)
{
	str_addz(out, RULES_HEAD);
	str_printf(out, "profile %s\n", profile->name);
	str_printf(out, "numbers %d %d %d %d %d %d %d\n", profile->id_prefix, profile->id_digits,
		profile->user_prefix, profile->user_digits, profile->step_up_new_id, profile->want_gbiz,
		profile->confirm_days);
	for (int i = 0; i < profile->stage_count; i++) {
		const struct stage *stage = &profile->stage[i];
		str_printf(out, "stage %s %s %d %d %d %d %d %d %d %d %d %d\n", stage->name,
			stage->template_name, (int)stage->state, stage->after_received.earliest,
			stage->after_received.target, stage->after_received.latest,
			stage->after_previous.earliest, stage->after_previous.target,
			stage->after_previous.latest, stage->at_once, stage->approval, stage->confirms);
	}
	str_addc(out, '\n');
	template_set_pack(templates, out);
}

/* Takes `count` numbers, each after a blank, to the end of the line. */
static bool read_numbers(const char *at, int *number, int count)
{
	for (int i = 0; i < count; i++) {
		char *end;
		if (*at != ' ')
			return false;
		errno = 0;
		long value = strtol(at, &end, 10);
		if (errno || end == at + 1 || value < INT16_MIN || value > INT16_MAX)
			return false;
		number[i] = (int)value;
		at = end;
	}
	return *at == '\0';
}

/* Takes a word up to the next blank or the end. */
static char *read_word(const char **at)
{
	size_t len = strcspn(*at, " ");
	char *word = xstrndup(*at, len);
	*at += len;
	return word;
}

static bool read_stage(struct profile *profile, const char *at)
{
	int n[10];
	if (profile->stage_count == STAGE_MAX)
		return false;
	struct stage *stage = &profile->stage[profile->stage_count++];
	stage->name = read_word(&at);
	at += *at == ' ';
	stage->template_name = read_word(&at);
	if (!read_numbers(at, n, 10) || n[0] <= STATE_NONE || n[0] >= STATE_COUNT)
		return false;
	stage->state = (enum state)n[0];
	stage->after_received = (struct span){n[1], n[2], n[3]};
	stage->after_previous = (struct span){n[4], n[5], n[6]};
	stage->at_once = n[7];
	stage->approval = n[8];
	stage->confirms = n[9];
	return *stage->name && *stage->template_name;
}

static bool read_line(struct profile *profile, const char *line)
{
	int n[7];
	if (str_has_prefix(line, "stage "))
		return read_stage(profile, line + strlen("stage "));
	if (str_has_prefix(line, "numbers")) {
		if (!read_numbers(line + strlen("numbers"), n, 7))
			return false;
		profile->id_prefix = n[0];
		profile->id_digits = n[1];
		profile->user_prefix = n[2];
		profile->user_digits = n[3];
		profile->step_up_new_id = n[4];
		profile->want_gbiz = n[5];
		profile->confirm_days = n[6];
		return true;
	}
	if (!str_has_prefix(line, "profile ") || profile->name)
		return false;
	profile->name = xstrdup(line + strlen("profile "));
	return *profile->name;
}

static enum rc unpack(struct rules *rules, const struct str *packed, struct err *err)
{
	const char *at = packed->s, *body = strstr(packed->s, "\n\n");
	bool whole = str_has_prefix(at, RULES_HEAD) && body;
	rules->profile.stage = xcalloc(STAGE_MAX, sizeof *rules->profile.stage);
	for (at += strlen(RULES_HEAD); whole && at < body + 1;) {
		size_t len = strcspn(at, "\n");
		char *line = xstrndup(at, len);
		whole = read_line(&rules->profile, line);
		free(line);
		at += len + 1;
	}
	if (!whole || !rules->profile.name ||
		(rules->profile.stage_count == 0 && strcmp(rules->profile.name, NOTICE_ANSWERS) != 0))
		return err_set(err, RC_STORE,
			"template set %" PRId64 " in the register is damaged; restore the register from a "
			"backup",
			rules->id);
	body += 2;
	return template_set_unpack(&rules->templates, body, packed->len - (size_t)(body - packed->s), err);
}

void rules_free(struct rules *rules)
{
	struct profile *profile = &rules->profile;
	for (int i = 0; i < profile->stage_count; i++) {
		free(profile->stage[i].name);
		free(profile->stage[i].template_name);
	}
	free(profile->stage);
	free(profile->name);
	if (rules->templates)
		template_set_free(&rules->templates);
	*rules = (struct rules){0};
}

int rules_stage_of(const struct rules *rules, const char *template_name)
{
	for (int i = 0; i < rules->profile.stage_count; i++)
		if (strcmp(rules->profile.stage[i].template_name, template_name) == 0)
			return i;
	return STAGE_NONE;
}

/* ---- the cache ---- */

static struct rules_cache *cache_of(struct office *office)
{
	if (!office->cache)
		office->cache = xcalloc(1, sizeof *office->cache);
	return office->cache;
}

static struct rules *cache_add(struct rules_cache *cache, int64_t id)
{
	cache->item = xrealloc(cache->item, (cache->count + 1) * sizeof(struct rules *));
	struct rules *rules = xcalloc(1, sizeof *rules);
	rules->id = id;
	cache->item[cache->count++] = rules;
	return rules;
}

static size_t cache_find(const struct rules_cache *cache, int64_t id)
{
	size_t i = 0;
	while (i < cache->count && cache->item[i]->id != id)
		i++;
	return i;
}

void rules_cache_free(struct rules_cache **cache)
{
	if (!*cache)
		return;
	for (size_t i = 0; i < (*cache)->count; i++) {
		rules_free((*cache)->item[i]);
		free((*cache)->item[i]);
	}
	for (size_t i = 0; i < (*cache)->current_count; i++)
		free((*cache)->current[i].profile);
	free((*cache)->item);
	free((*cache)->current);
	free(*cache);
	*cache = NULL;
}

enum rc rules_get(struct office *office, int64_t id, const struct rules **rules, struct err *err)
{
	struct rules_cache *cache = cache_of(office);
	size_t index = cache_find(cache, id);
	if (index < cache->count) {
		*rules = cache->item[index];
		return RC_OK;
	}
	struct str packed = STR_INIT;
	enum rc rc = template_set_get(office->store, id, &packed, err);
	if (rc == RC_OK) {
		struct rules *added = cache_add(cache, id);
		rc = unpack(added, &packed, err);
		if (rc == RC_OK) {
			*rules = added;
		} else {
			rules_free(added);
			free(added);
			cache->count--;
		}
	}
	str_free(&packed);
	return rc;
}

enum rc office_profile(
	struct office *office, int64_t template_set, const struct profile **out, struct err *err)
{
	const struct rules *rules;
	enum rc rc = rules_get(office, template_set, &rules, err);
	*out = rc == RC_OK ? &rules->profile : NULL;
	return rc;
}

enum rc rules_current(struct office *office, const char *profile, const struct rules **rules, struct err *err)
{
	const struct rules_cache *cache = cache_of(office);
	for (size_t i = 0; i < cache->current_count; i++)
		if (strcmp(cache->current[i].profile, profile) == 0) {
			*rules = cache->item[cache->current[i].index];
			return RC_OK;
		}
	return err_set(err, RC_CONFIG,
		"the templates of profile %s were not loaded; name its file in profile_files", profile);
}

static void set_current(struct rules_cache *cache, const char *profile, size_t index)
{
	size_t i = 0;
	while (i < cache->current_count && strcmp(cache->current[i].profile, profile) != 0)
		i++;
	if (i == cache->current_count) {
		cache->current = xrealloc(cache->current, (i + 1) * sizeof *cache->current);
		cache->current[i].profile = xstrdup(profile);
		cache->current_count++;
	}
	cache->current[i].index = index;
}

/* ---- from the configuration's files ---- */

/* What answers a mail has no stages, and is the same for every profile. */
static const struct profile answers = {.name = (char[]){NOTICE_ANSWERS}};

const struct profile *rules_answers(void)
{
	return &answers;
}

/* A value that is not there yet in the state in which the notice is sent must be found now, not when the mail is due. */
static enum rc try_templates(const struct profile *profile, const struct template_set *templates,
	const char *const *want, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; want[i] && rc == RC_OK; i++) {
		/* The answer with the ID is the only one that needs it: what is asked for before an ID is answered too. */
		enum state state = i < profile->stage_count                    ? profile->stage[i].state
				   : want == answer_template && i == ANSWER_ID ? STATE_ID_ISSUED
									       : STATE_RECEIVED;
		if (strcmp(want[i], NOTICE_RESEND_HEAD) != 0)
			rc = notice_try(template_set_find(templates, want[i]), want[i], state, NULL, err);
	}
	return rc;
}

static enum rc read_templates(const struct settings *settings, const struct profile *profile,
	struct template_set **templates, struct err *err)
{
	const char *staged[STAGE_MAX + 2] = {0};
	const char *const *want = profile == &answers ? answer_template : staged;
	int count = 0;
	for (; count < profile->stage_count && count < STAGE_MAX; count++)
		staged[count] = profile->stage[count].template_name;
	staged[count] = NOTICE_RESEND_HEAD;
	enum rc rc = template_set_load(
		templates, settings->template_directory, profile->name, want, &settings->words, err);
	if (rc == RC_OK) {
		rc = try_templates(profile, *templates, want, err);
		if (rc != RC_OK)
			template_set_free(templates);
	}
	return rc;
}

/* From the files, and as the register keeps them. */
static enum rc read_packed(const struct settings *settings, const struct profile *profile, struct str *packed,
	struct rules *out, struct err *err)
{
	struct template_set *templates = NULL;
	*out = (struct rules){0};
	enum rc rc = read_templates(settings, profile, &templates, err);
	if (rc != RC_OK)
		return rc;
	pack(profile, templates, packed);
	template_set_free(&templates);
	rc = unpack(out, packed, err);
	if (rc != RC_OK)
		rules_free(out);
	return rc;
}

enum rc rules_read(struct office *office, const struct profile *profile, struct rules *out, struct err *err)
{
	struct str packed = STR_INIT;
	enum rc rc = read_packed(office->settings, profile, &packed, out, err);
	str_free(&packed);
	return rc;
}

/* The profiles, and behind them the answers. */
static const struct profile *profile_at(const struct profiles *profiles, size_t i)
{
	return i < profiles->count ? &profiles->profile[i] : &answers;
}

struct rulebook {
	size_t count;
	struct rules_page {
		struct rules *rules; /* owned; NULL: an office has taken them */
		struct str packed;
		uint8_t digest[SHA256_LEN];
	} page[];
};

enum rc rulebook_read(struct rulebook **out, const struct settings *settings, struct err *err)
{
	const size_t count = settings->profiles.count + 1;
	struct rulebook *book = xcalloc(1, sizeof *book + count * sizeof *book->page);
	enum rc rc = RC_OK;
	for (; rc == RC_OK && book->count < count; book->count++) {
		struct rules_page *page = &book->page[book->count];
		page->packed = STR_INIT;
		page->rules = xcalloc(1, sizeof *page->rules);
		rc = read_packed(settings, profile_at(&settings->profiles, book->count), &page->packed,
			page->rules, err);
		sha256(page->digest, page->packed.s, page->packed.len);
	}
	*out = book;
	if (rc != RC_OK)
		rulebook_free(out);
	return rc;
}

void rulebook_free(struct rulebook **book)
{
	if (!*book)
		return;
	for (size_t i = 0; i < (*book)->count; i++) {
		struct rules_page *page = &(*book)->page[i];
		if (page->rules)
			rules_free(page->rules);
		free(page->rules);
		str_free(&page->packed);
	}
	free(*book);
	*book = NULL;
}

/* ---- into the register and the cache ---- */

/* The register's number of a page that it has; 0: it has it not. */
static enum rc page_find(struct office *office, const struct rules_page *page, int64_t *id, struct err *err)
{
	return template_set_find_id(office->store, page->rules->profile.name, page->digest, id, err);
}

static enum rc page_keep(struct office *office, const struct rules_page *page, int64_t *id, struct err *err)
{
	int64_t known = 0;
	enum rc rc = page_find(office, page, &known, err);
	if (rc == RC_OK)
		rc = template_set_keep(office->store, page->rules->profile.name, page->digest, page->packed.s,
			page->packed.len, clock_now(office->clock), id, err);
	/* Nobody has seen a letter of it yet: the first ones wait for a person, where the office wants that. A simulation answers by itself. */
	if (rc == RC_OK && !known && !office->answers_ceiling && batch_takes_two(office, BATCH_TEMPLATES))
		rc = batch_ask(office, BATCH_TEMPLATES, *id, 0, 0, err);
	return rc;
}

/* The page's rules become the office's, unless it has them already. */
static void page_take(struct office *office, struct rules_page *page, int64_t id)
{
	struct rules_cache *cache = cache_of(office);
	size_t index = cache_find(cache, id);
	if (index == cache->count) {
		*cache_add(cache, id) = *page->rules;
		cache->item[index]->id = id;
		free(page->rules);
		page->rules = NULL;
	}
	set_current(cache, cache->item[index]->profile.name, index);
}

/* What every start but the first after a change finds: all is on file, and no writer has to be waited for. */
static enum rc book_find(
	struct office *office, const struct rulebook *book, int64_t *id, bool *whole, struct err *err)
{
	enum rc rc = masks_known(office, whole, err);
	for (size_t i = 0; rc == RC_OK && *whole && i < book->count; i++) {
		rc = page_find(office, &book->page[i], &id[i], err);
		*whole = id[i] != 0;
	}
	return rc;
}

static enum rc book_keep(struct office *office, const struct rulebook *book, int64_t *id, struct err *err)
{
	struct txn txn;
	enum rc rc = txn_begin(office, &txn, err);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; rc == RC_OK && i < book->count; i++)
		rc = page_keep(office, &book->page[i], &id[i], err);
	if (rc == RC_OK)
		rc = masks_keep(office, err);
	return txn_end(office, &txn, rc, err);
}

enum rc office_take_rules(struct office *office, struct rulebook *book, struct err *err)
{
	int64_t *id = xcalloc(book->count, sizeof *id);
	bool whole = false;
	models_forget(office);
	enum rc rc = book_find(office, book, id, &whole, err);
	if (rc == RC_OK && !whole)
		rc = book_keep(office, book, id, err);
	for (size_t i = 0; rc == RC_OK && i < book->count; i++)
		page_take(office, &book->page[i], id[i]);
	free(id);
	return rc;
}

/* All are read before one is kept: a broken file leaves the old rules in force. */
enum rc office_load_templates(struct office *office, struct err *err)
{
	struct rulebook *book = NULL;
	enum rc rc = rulebook_read(&book, office->settings, err);
	rc = rc ? rc : office_take_rules(office, book, err);
	rulebook_free(&book);
	return rc;
}
