#include "lib/form/fieldmap.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/embed.h"
#include "lib/base/pool.h"
#include "lib/base/text.h"
#include "lib/form/fieldmap_p.h"

/* One hash table holds labels and choices: the first byte of a key tells them apart. */
struct entry {
	const char *key; /* NULL: free */
	size_t len;
	const char *value; /* a choice: its canonical key */
	int slot, rank; /* a label */
};

struct choice {
	const char *key, *label;
};

struct field {
	const char *label;
	struct choice *choice;
	size_t choice_count;
	bool several, open;
};

struct fieldmap {
	struct pool *pool;
	struct entry *entry;
	size_t entry_count, entry_size; /* size: a power of two */
	struct field field[FIELD_COUNT];
	struct strlist keep, marks;
};

enum key_kind {
	KEY_LABEL = 1,
	KEY_CHOICE = 2 /* + field */,
	KEY_WRITTEN = 0x80 /* + field: a spelling to the letter */
};

static const char *const slot_names[] = {
	[SLOT_REPRESENTATIVE - FIELD_COUNT] = "representative",
	[SLOT_CONTACT_FAMILY - FIELD_COUNT] = "contact_family",
	[SLOT_CONTACT_GIVEN - FIELD_COUNT] = "contact_given",
	[SLOT_TRADE_NAME - FIELD_COUNT] = "trade_name",
	[SLOT_OTHER_MAIL - FIELD_COUNT] = "other_mail",
	[SLOT_STREET - FIELD_COUNT] = "street",
	[SLOT_BUILDING - FIELD_COUNT] = "building",
	[SLOT_CONSENTS - FIELD_COUNT] = "consents",
	[SLOT_IGNORED - FIELD_COUNT] = "ignored",
	[SLOT_DECISION_TARGET - FIELD_COUNT] = "decision_target",
	[SLOT_DECISION_REQUEST - FIELD_COUNT] = "decision_request",
	[SLOT_DECISION_ACTION - FIELD_COUNT] = "decision_action",
	[SLOT_DECISION_REASON - FIELD_COUNT] = "decision_reason",
	[SLOT_DECISION_DAY - FIELD_COUNT] = "decision_day",
	[SLOT_DECISION_NOTICE - FIELD_COUNT] = "decision_notice",
	[SLOT_DECISION_FIELD - FIELD_COUNT] = "decision_field",
	[SLOT_DECISION_VALUE - FIELD_COUNT] = "decision_value",
};

/* ---- keys ---- */

static bool is_open_bracket(uint32_t c)
{
	return c == '(' || c == '[' || c == '{' || c == '<' || c == 0x3008 || c == 0x300A || c == 0x300C ||
	       c == 0x300E || c == 0x3010 || c == 0x3014;
}

static bool is_close_bracket(uint32_t c)
{
	return c == ')' || c == ']' || c == '}' || c == '>' || c == 0x3009 || c == 0x300B || c == 0x300D ||
	       c == 0x300F || c == 0x3011 || c == 0x3015;
}

static bool is_among(const char *signs, uint32_t c)
{
	size_t len = strlen(signs);
	uint32_t sign = 0;
	for (size_t at = 0, n; (n = utf8_next(signs + at, len - at, &sign)) != 0; at += n) {
		if (sign == c)
			return true;
	}
	return false;
}

/* What a label may be dressed with. Before a choice the boxes and circles tell whether it was chosen: they stay there. */
static const char label_marks[] = "■□◆◇●○◎▼▽▲△▶►☑☐✓✔";

static bool is_decoration(uint32_t c)
{
	return c < 0x20 || c == 0x3000 || c == 0xA0 || c == 0xFEFF ||
	       is_among(" \"'*.,:;/\\|_-!?#+=~・、。※", c);
}

static void add_lower(struct str *out, uint32_t c)
{
	utf8_add(out, c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Letters and digits only, in lower case; stars stay, since they are what tells some choices apart. */
static void add_plain(struct str *out, const char *folded, size_t len)
{
	uint32_t c = 0;
	for (size_t at = 0, n; (n = utf8_next(folded + at, len - at, &c)) != 0; at += n) {
		if (c == 0x2606) /* ☆ */
			c = 0x2605;
		if (!is_decoration(c) && !is_open_bracket(c) && !is_close_bracket(c))
			add_lower(out, c);
	}
}

/* The end of the bracket that opens at `at` (behind its closing sign); 0 when it never closes. */
static size_t bracket_end(const char *text, size_t len, size_t at)
{
	int depth = 0;
	uint32_t c = 0;
	for (size_t n; (n = utf8_next(text + at, len - at, &c)) != 0; at += n) {
		if (is_open_bracket(c))
			depth++;
		else if (is_close_bracket(c) && --depth == 0)
			return at + n;
	}
	return 0;
}

static bool list_has_part(const struct strlist *list, const char *text, bool whole)
{
	for (size_t i = 0; i < list->count; i++) {
		if (whole ? strcmp(list->item[i], text) == 0 : strstr(text, list->item[i]) != NULL)
			return true;
	}
	return false;
}

/* What stands in a bracket is dropped when it is a mark (必須); when `bare`, also when it only explains. */
static bool bracket_drops(
	const struct fieldmap *map, const char *inside, size_t len, uint32_t open, bool bare)
{
	struct str plain = STR_INIT;
	add_plain(&plain, inside, len);
	bool drop = open == 0x3010 || plain.len == 0 || list_has_part(&map->marks, plain.s, true);
	if (!drop && bare)
		drop = !list_has_part(&map->keep, plain.s, false);
	str_free(&plain);
	return drop;
}

/* "Q1.", "問3", "2)" before a label. */
static size_t numbering_len(const char *folded, size_t len)
{
	static const char *const words[] = {"Q", "q", "設問", "質問", "問", "項目", "No", "no"};
	size_t at = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (str_has_prefix(folded, words[i])) {
			at = strlen(words[i]);
			break;
		}
	}
	while (at < len && (folded[at] == '(' || folded[at] == ' ' || folded[at] == '.'))
		at++;
	size_t digits = at;
	while (at < len && folded[at] >= '0' && folded[at] <= '9')
		at++;
	return at > digits ? at : 0;
}

static void label_key(const struct fieldmap *map, struct str *out, const char *label, bool bare)
{
	struct str folded = STR_INIT;
	text_fold(&folded, label);
	str_addc(out, (char)KEY_LABEL);
	size_t len = folded.len;
	/* What follows only explains: 担当者名 例)山田太郎, 法人番号※法人の場合. */
	static const char *const asides[] = {"例)", "※"};
	for (size_t i = 0; bare && i < sizeof asides / sizeof *asides; i++) {
		const char *aside = strstr(folded.s, asides[i]);
		if (aside > folded.s && (size_t)(aside - folded.s) < len)
			len = (size_t)(aside - folded.s);
	}
	uint32_t c = 0;
	size_t at = numbering_len(folded.s, len);
	for (size_t n; (n = utf8_next(folded.s + at, len - at, &c)) != 0; at += n) {
		size_t end = is_open_bracket(c) ? bracket_end(folded.s, len, at) : 0;
		if (end && bracket_drops(map, folded.s + at + n, end - at - n, c, bare)) {
			at = end;
			n = 0;
			continue;
		}
		/* 代表者（名） is half of 代表者名: one character in brackets keeps them. */
		uint32_t inside = 0;
		if (end && at + n + utf8_next(folded.s + at + n, len - at - n, &inside) + 1 == end) {
			str_addc(out, '(');
			add_plain(out, folded.s + at, end - at);
			at = end;
			n = 0;
		} else if (c != 0x2605 && !is_among(label_marks, c)) {
			add_plain(out, folded.s + at, n);
		}
	}
	str_free(&folded);
}

static void choice_key(struct str *out, enum form_field field, const char *value, bool bare)
{
	struct str folded = STR_INIT;
	text_fold(&folded, value);
	str_addc(out, (char)(KEY_CHOICE + (int)field));
	uint32_t c = 0;
	for (size_t at = 0, n; (n = utf8_next(folded.s + at, folded.len - at, &c)) != 0; at += n) {
		size_t end = bare && c == '(' ? bracket_end(folded.s, folded.len, at) : 0;
		if (end) {
			at = end;
			n = 0;
			continue;
		}
		add_plain(out, folded.s + at, n);
	}
	str_free(&folded);
}

/* ---- the table ---- */

static size_t hash(const char *key, size_t len)
{
	uint64_t h = 14695981039346656037u; /* FNV-1a */
	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)key[i]) * 1099511628211u;
	return (size_t)(h ^ (h >> 32));
}

static struct entry *entry_find(const struct fieldmap *map, const char *key, size_t len)
{
	size_t at = hash(key, len) & (map->entry_size - 1);
	while (map->entry[at].key && (map->entry[at].len != len || memcmp(map->entry[at].key, key, len) != 0))
		at = (at + 1) & (map->entry_size - 1);
	return &map->entry[at];
}

static struct entry *entry_add(struct fieldmap *map, const char *key, size_t len)
{
	if ((map->entry_count + 1) * 2 > map->entry_size) {
		struct entry *old = map->entry;
		size_t old_size = map->entry_size;
		map->entry_size = old_size * 2;
		map->entry = xcalloc(map->entry_size, sizeof *map->entry);
		for (size_t i = 0; i < old_size; i++) {
			if (old[i].key)
				*entry_find(map, old[i].key, old[i].len) = old[i];
		}
		free(old);
	}
	struct entry *entry = entry_find(map, key, len);
	if (!entry->key) {
		entry->key = pool_strndup(map->pool, key, len);
		entry->len = len;
		map->entry_count++;
	}
	return entry;
}

/* false: the label already belongs to another slot. */
static bool label_add(struct fieldmap *map, const char *label, int slot, int rank)
{
	struct str key = STR_INIT;
	label_key(map, &key, label, false);
	size_t before = map->entry_count;
	struct entry *entry = entry_add(map, key.s, key.len);
	str_free(&key);
	if (map->entry_count == before)
		return entry->slot == slot;
	entry->slot = slot;
	entry->rank = rank;
	return true;
}

/* false: the spelling already means another choice. */
static bool choice_add(
	struct fieldmap *map, enum form_field field, const char *spelling, const char *value, bool bare)
{
	struct str key = STR_INIT;
	choice_key(&key, field, spelling, bare);
	bool ok = true;
	if (key.len > 1) { /* a sign alone (○) is no spelling */
		size_t before = map->entry_count;
		struct entry *entry = entry_add(map, key.s, key.len);
		if (map->entry_count > before)
			entry->value = value;
		else
			ok = strcmp(entry->value, value) == 0;
	}
	str_clear(&key);
	str_addc(&key, (char)(KEY_WRITTEN + (int)field));
	str_addz(&key, spelling);
	entry_add(map, key.s, key.len)->value = value;
	str_free(&key);
	return ok;
}

/* ---- reading the file ---- */

struct load {
	struct fieldmap *map;
	const char *name;
	struct err *err;
};

static enum rc fault(struct load *load, const config_setting_t *at, const char *what, const char *which)
{
	return err_set(load->err, RC_CONFIG, "%s:%u: %s%s%s.", load->name, config_setting_source_line(at),
		what, which ? ": " : "", which ? which : "");
}

static enum rc load_words(struct load *load, const config_t *config, const char *name, struct strlist *out)
{
	const config_setting_t *words = config_lookup(config, name);
	if (!words || !config_setting_is_array(words))
		return err_set(load->err, RC_CONFIG, "%s: `%s` must be an array of words.", load->name, name);
	for (int i = 0; i < config_setting_length(words); i++) {
		const char *word = config_setting_get_string_elem(words, i);
		if (!word)
			return fault(load, words, "a word must be a string", name);
		struct str folded = STR_INIT, plain = STR_INIT;
		text_fold(&folded, word);
		add_plain(&plain, folded.s, folded.len);
		strlist_add(out, plain.s);
		str_free(&plain);
		str_free(&folded);
	}
	return RC_OK;
}

static enum rc load_labels(struct load *load, const config_setting_t *group, int slot)
{
	const config_setting_t *labels = config_setting_get_member(group, "labels");
	if (!labels || !config_setting_is_array(labels) || config_setting_length(labels) == 0)
		return fault(load, group, "`labels` must be an array of at least one string", NULL);
	for (int i = 0; i < config_setting_length(labels); i++) {
		const char *label = config_setting_get_string_elem(labels, i);
		if (!label)
			return fault(load, labels, "a label must be a string", NULL);
		if (!utf8_valid(label, strlen(label)))
			return fault(load, labels, "a label is not valid UTF-8", NULL);
		if (!label_add(load->map, label, slot, i))
			return fault(load, labels, "a label stands for two fields", label);
		if (i == 0 && slot < FIELD_COUNT)
			load->map->field[slot].label = pool_strdup(load->map->pool, label);
	}
	return RC_OK;
}

static enum rc load_spellings(struct load *load, const config_setting_t *item, enum form_field field,
	const char *key, struct choice *choice)
{
	const config_setting_t *spellings = config_setting_get_member(item, "spellings");
	if (!key || !spellings || !config_setting_is_array(spellings) ||
		config_setting_length(spellings) == 0)
		return fault(load, item, "a choice needs `key` and an array of `spellings`", NULL);
	struct pool *pool = load->map->pool;
	choice->key = pool_strdup(pool, key);
	for (int i = 0; i < config_setting_length(spellings); i++) {
		const char *spelling = config_setting_get_string_elem(spellings, i);
		if (!spelling || !utf8_valid(spelling, strlen(spelling)))
			return fault(load, spellings, "a spelling must be a string in UTF-8", NULL);
		if (i == 0)
			choice->label = pool_strdup(pool, spelling);
		if (!choice_add(load->map, field, spelling, choice->key, false))
			return fault(load, spellings, "a spelling stands for two choices", spelling);
	}
	return RC_OK;
}

static enum rc load_choices(struct load *load, const config_setting_t *group, enum form_field field)
{
	const config_setting_t *choices = config_setting_get_member(group, "choices");
	if (!choices)
		return RC_OK;
	if (!config_setting_is_list(choices))
		return fault(load, choices, "`choices` must be a list", NULL);
	struct fieldmap *map = load->map;
	struct field *out = &map->field[field];
	size_t count = (size_t)config_setting_length(choices);
	out->choice = pool_alloc(map->pool, (count ? count : 1) * sizeof *out->choice);
	for (size_t i = 0; i < count; i++) {
		const config_setting_t *item = config_setting_get_elem(choices, (unsigned)i);
		struct choice *choice = &out->choice[i];
		out->choice_count = i + 1;
		if (config_setting_is_group(item)) {
			const char *key = NULL;
			config_setting_lookup_string(item, "key", &key);
			enum rc rc = load_spellings(load, item, field, key, choice);
			if (rc)
				return rc;
		} else {
			const char *text = config_setting_get_string(item);
			if (!text || !utf8_valid(text, strlen(text)))
				return fault(
					load, item, "a choice must be a string in UTF-8 or a group", NULL);
			choice->key = choice->label = pool_strdup(map->pool, text);
			if (!choice_add(map, field, text, choice->key, false))
				return fault(load, item, "a spelling stands for two choices", text);
		}
	}
	/* 専門サービス業（他に分類されないもの） is mostly written without its bracket; a choice's own key is a spelling too. */
	for (size_t i = 0; i < count; i++) {
		choice_add(map, field, out->choice[i].label, out->choice[i].key, true);
		choice_add(map, field, out->choice[i].key, out->choice[i].key, true);
	}
	return RC_OK;
}

static enum rc load_field(struct load *load, const config_setting_t *group)
{
	const char *name = NULL;
	if (!config_setting_is_group(group) || !config_setting_lookup_string(group, "field", &name))
		return fault(load, group, "each of `fields` must be a group with `field`", NULL);
	enum form_field field = form_field_by_key(name);
	if (field == FIELD_COUNT)
		return fault(load, group, "there is no such field", name);
	if (load->map->field[field].label)
		return fault(load, group, "the field stands here twice", name);
	enum rc rc = load_labels(load, group, (int)field);
	if (rc)
		return rc;
	if (!label_add(load->map, form_field_key(field), (int)field, 0))
		return fault(load, group, "the field's own key is a label of another field", name);
	int several = 0, open = 0;
	config_setting_lookup_bool(group, "several", &several);
	config_setting_lookup_bool(group, "open", &open);
	load->map->field[field].several = several;
	load->map->field[field].open = open;
	return load_choices(load, group, field);
}

static enum rc load_part(struct load *load, const config_setting_t *group)
{
	const char *name = NULL;
	if (!config_setting_is_group(group) || !config_setting_lookup_string(group, "part", &name))
		return fault(load, group, "each of `parts` must be a group with `part`", NULL);
	for (int i = 0; i < SLOT_COUNT - FIELD_COUNT; i++) {
		if (strcmp(slot_names[i], name) == 0)
			return load_labels(load, group, FIELD_COUNT + i);
	}
	return fault(load, group, "there is no such part", name);
}

static enum rc load_list(struct load *load, const config_t *config, const char *name,
	enum rc (*each)(struct load *, const config_setting_t *))
{
	const config_setting_t *list = config_lookup(config, name);
	if (!list || !config_setting_is_list(list))
		return err_set(load->err, RC_CONFIG, "%s: `%s` must be a list of groups.", load->name, name);
	for (int i = 0; i < config_setting_length(list); i++) {
		enum rc rc = each(load, config_setting_get_elem(list, (unsigned)i));
		if (rc)
			return rc;
	}
	return RC_OK;
}

static enum rc load_all(struct load *load, const config_t *config)
{
	enum rc rc = load_words(load, config, "keep", &load->map->keep);
	if (!rc)
		rc = load_words(load, config, "marks", &load->map->marks);
	if (!rc)
		rc = load_list(load, config, "fields", load_field);
	if (!rc)
		rc = load_list(load, config, "parts", load_part);
	for (int i = 0; !rc && i < FIELD_COUNT; i++) {
		if (!load->map->field[i].label)
			rc = err_set(load->err, RC_CONFIG, "%s: the field `%s` is missing from `fields`.",
				load->name, form_field_key((enum form_field)i));
	}
	return rc;
}

/* path or text. */
static enum rc map_load(
	struct fieldmap **out, const char *path, const char *text, const char *name, struct err *err)
{
	struct fieldmap *map = xcalloc(1, sizeof *map);
	map->pool = pool_new();
	map->entry_size = 2048;
	map->entry = xcalloc(map->entry_size, sizeof *map->entry);
	struct load load = {.map = map, .name = name, .err = err};
	config_t config;
	config_init(&config);
	enum rc rc;
	if (path ? config_read_file(&config, path) : config_read_string(&config, text))
		rc = load_all(&load, &config);
	else
		rc = err_set(err, RC_CONFIG, "%s:%d: %s.", load.name, config_error_line(&config),
			config_error_text(&config));
	config_destroy(&config);
	if (rc)
		fieldmap_free(&map);
	*out = map;
	return rc;
}

enum rc fieldmap_load(struct fieldmap **out, const char *path, struct err *err)
{
	return path ? map_load(out, path, NULL, path, err)
		    : map_load(out, NULL, embedded_form_fields, "form-fields.conf", err);
}

enum rc fieldmap_load_text(struct fieldmap **out, const char *text, const char *name, struct err *err)
{
	return map_load(out, NULL, text, name, err);
}

void fieldmap_free(struct fieldmap **map)
{
	if (!*map)
		return;
	strlist_free(&(*map)->keep);
	strlist_free(&(*map)->marks);
	free((*map)->entry);
	pool_free(&(*map)->pool);
	free(*map);
	*map = NULL;
}

/* ---- asking ---- */

static const struct entry *label_find(const struct fieldmap *map, const char *label, bool bare)
{
	struct str key = STR_INIT;
	label_key(map, &key, label, bare);
	const struct entry *entry = entry_find(map, key.s, key.len);
	if (!entry->key) {
		/* ご住所, お電話番号 */
		static const char *const polite[] = {"ご", "お", "御"};
		for (size_t i = 0; i < sizeof polite / sizeof *polite && !entry->key; i++) {
			size_t n = strlen(polite[i]);
			if (!str_has_prefix(key.s + 1, polite[i]))
				continue;
			memmove(key.s + 1, key.s + 1 + n, key.len - n);
			entry = entry_find(map, key.s, key.len - n);
			break;
		}
	}
	str_free(&key);
	return entry->key ? entry : NULL;
}

#define LABEL_BYTES_MAX ((size_t)400) /* a longer text is no label, whatever it holds */

int fieldmap_slot(const struct fieldmap *map, const char *label, int *rank)
{
	if (strlen(label) > LABEL_BYTES_MAX)
		return SLOT_COUNT;
	const struct entry *entry = label_find(map, label, false);
	if (!entry)
		entry = label_find(map, label, true);
	if (!entry)
		return SLOT_COUNT;
	if (rank)
		*rank = entry->rank;
	return entry->slot;
}

enum form_field fieldmap_field(const struct fieldmap *map, const char *label)
{
	int slot = fieldmap_slot(map, label, NULL);
	return slot < FIELD_COUNT ? (enum form_field)slot : FIELD_COUNT;
}

const char *fieldmap_label(const struct fieldmap *map, enum form_field field)
{
	return field < FIELD_COUNT ? map->field[field].label : "";
}

const char *fieldmap_choice(const struct fieldmap *map, enum form_field field, const char *value)
{
	if (field >= FIELD_COUNT || !map->field[field].choice_count)
		return NULL;
	/* Nearly every value is one of the spellings to the letter; only the others need folding. */
	char written[256];
	size_t len = strlen(value);
	if (len < sizeof written) {
		written[0] = (char)(KEY_WRITTEN + (int)field);
		memcpy(written + 1, value, len);
		const struct entry *exact = entry_find(map, written, len + 1);
		if (exact->key)
			return exact->value;
	}
	struct str key = STR_INIT;
	choice_key(&key, field, value, false);
	const struct entry *entry = entry_find(map, key.s, key.len);
	str_free(&key);
	return entry->key ? entry->value : NULL;
}

const char *fieldmap_choice_label(const struct fieldmap *map, enum form_field field, const char *key)
{
	if (field >= FIELD_COUNT)
		return NULL;
	for (size_t i = 0; i < map->field[field].choice_count; i++) {
		if (strcmp(map->field[field].choice[i].key, key) == 0)
			return map->field[field].choice[i].label;
	}
	return NULL;
}

void fieldmap_choices_print(const struct fieldmap *map, enum form_field field, struct str *out)
{
	if (field >= FIELD_COUNT)
		return;
	for (size_t i = 0; i < map->field[field].choice_count; i++)
		str_printf(out, "%s%s", i ? " / " : "", map->field[field].choice[i].label);
}

bool fieldmap_several(const struct fieldmap *map, enum form_field field)
{
	return map->field[field].several;
}

bool fieldmap_closed(const struct fieldmap *map, enum form_field field)
{
	const struct field *info = &map->field[field];
	return info->choice_count > 0 && !info->several && !info->open;
}

bool fieldmap_open(const struct fieldmap *map, enum form_field field)
{
	return map->field[field].open;
}
