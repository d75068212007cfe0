#include "lib/form/registry_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/flow/ident.h"

#define FILE_LIMIT ((size_t)1024 * 1024 * 1024)

/* ---- columns of its own ---- */

enum column {
	COLUMN_ID,
	COLUMN_USER_NUMBER,
	COLUMN_STAR,
	COLUMN_STATE,
	COLUMN_APPLIED,
	COLUMN_ID_ISSUED,
	COLUMN_LOGO,
	COLUMN_STOPPED,
	COLUMN_COUNT
};

/* As text_key() leaves them. */
static const struct {
	enum column column;
	const char *name;
} column_names[] = {
	{COLUMN_ID, "id"},
	{COLUMN_ID, "declaration_id"},
	{COLUMN_ID, "自己宣言id"},
	{COLUMN_ID, "宣言id"},
	{COLUMN_USER_NUMBER, "user_number"},
	{COLUMN_USER_NUMBER, "利用者番号"},
	{COLUMN_STAR, "star"},
	{COLUMN_STAR, "星"},
	{COLUMN_STAR, "星の数"},
	{COLUMN_STAR, "宣言の段階"},
	{COLUMN_STAR, "ロゴマークの種類"},
	{COLUMN_STATE, "state"},
	{COLUMN_STATE, "状態"},
	{COLUMN_STATE, "ステータス"},
	{COLUMN_APPLIED, "applied"},
	{COLUMN_APPLIED, "applied_on"},
	{COLUMN_APPLIED, "お申込日"},
	{COLUMN_APPLIED, "申込日"},
	{COLUMN_ID_ISSUED, "id_issued"},
	{COLUMN_ID_ISSUED, "id_issued_on"},
	{COLUMN_ID_ISSUED, "id発行日"},
	{COLUMN_ID_ISSUED, "自己宣言id発行日"},
	{COLUMN_LOGO, "logo_authorized"},
	{COLUMN_LOGO, "logo_authorized_on"},
	{COLUMN_LOGO, "ロゴ許諾日"},
	{COLUMN_LOGO, "ロゴマーク使用許諾日"},
	{COLUMN_STOPPED, "stopped"},
	{COLUMN_STOPPED, "stopped_on"},
	{COLUMN_STOPPED, "中止日"},
	{COLUMN_STOPPED, "使用中止日"},
};

/* As text_key() leaves them; besides the names of register.h. */
static const struct {
	const char *name;
	enum state state;
} state_spellings[] = {
	{"logo-authorized", STATE_LOGO_AUTHORIZED},
	{"ロゴ許諾済み", STATE_LOGO_AUTHORIZED},
	{"ロゴ使用許諾済み", STATE_LOGO_AUTHORIZED},
	{"許諾済み", STATE_LOGO_AUTHORIZED},
	{"完了", STATE_LOGO_AUTHORIZED},
	{"id-issued", STATE_ID_ISSUED},
	{"id発行済", STATE_ID_ISSUED},
	{"id発行済み", STATE_ID_ISSUED},
	{"中止", STATE_STOPPED},
	{"中止済み", STATE_STOPPED},
	{"受付", STATE_RECEIVED},
};

struct csv_reader {
	registry_row_fn *fn;
	void *ctx;
	const struct fieldmap *map;
	struct pool *pool; /* reset at each row */
	bool has_header;
	int place[COLUMN_COUNT]; /* of each column in the row; -1: absent */
};

static bool key_is(const char *text, const char *wanted)
{
	struct str key = STR_INIT;
	text_key(&key, text);
	bool is = strcmp(key.s, wanted) == 0;
	str_free(&key);
	return is;
}

static void read_header(struct csv_reader *reader, const struct form_head *head)
{
	for (int i = 0; i < COLUMN_COUNT; i++)
		reader->place[i] = -1;
	for (size_t at = 0; at < head->header_count; at++)
		for (size_t i = 0; i < sizeof column_names / sizeof *column_names; i++)
			if (reader->place[column_names[i].column] < 0 &&
				key_is(head->header[at], column_names[i].name))
				reader->place[column_names[i].column] = (int)at;
	reader->has_header = true;
}

/* "" when the column or the cell is absent. A leading ' guards a number from the spreadsheet. */
static const char *cell_of(
	const struct csv_reader *reader, const struct form_record *record, enum column column)
{
	int place = reader->place[column];
	if (place < 0 || (size_t)place >= record->raw_count)
		return "";
	char *cell = text_trim(pool_strdup(reader->pool, record->raw[place]));
	return *cell == '\'' ? cell + 1 : cell;
}

static enum state state_of_key(const char *key)
{
	for (int i = STATE_NONE + 1; i < STATE_COUNT; i++)
		if (strcmp(key, state_name((enum state)i)) == 0 ||
			strcmp(key, state_name_ja((enum state)i)) == 0)
			return (enum state)i;
	for (size_t i = 0; i < sizeof state_spellings / sizeof *state_spellings; i++)
		if (strcmp(key, state_spellings[i].name) == 0)
			return state_spellings[i].state;
	return STATE_NONE;
}

static int star_of_key(const char *key)
{
	/* As text_key() leaves them. */
	static const char *const spellings[][6] = {{"1", "★", "一つ星", "1つ星", "★一つ星", "new1"},
		{"2", "★★", "二つ星", "2つ星", "★★二つ星", "new2"}};
	for (int star = 1; star <= 2; star++)
		for (int i = 0; i < 6; i++)
			if (strcmp(key, spellings[star - 1][i]) == 0)
				return star;
	return 0;
}

static enum state state_read(const char *text)
{
	struct str key = STR_INIT;
	text_key(&key, text);
	enum state state = state_of_key(key.s);
	str_free(&key);
	return state;
}

static int star_read(const char *text)
{
	struct str key = STR_INIT;
	text_key(&key, text);
	int star = star_of_key(key.s);
	str_free(&key);
	return star;
}

/* false: something stands there that is no day. */
static bool day_read(const char *text, civil_day *day)
{
	*day = *text ? civil_day_read(text) : CIVIL_DAY_NONE;
	return !*text || *day != CIVIL_DAY_NONE;
}

/* The fields of the form in their canonical spelling; what the rules find wrong with them is not asked here: these declarations
 * were accepted long ago. */
static void read_form(struct csv_reader *reader, const struct form_record *record, struct form_values *form)
{
	struct findings ignored = {0};
	struct validate_rules rules = {.terms_version = ""};
	struct form_record typed = *record;
	const char **value = typed.form.value;
	if (!value[FIELD_TYPE] || !*value[FIELD_TYPE]) {
		const char *number = value[FIELD_CORPORATE_NUMBER];
		value[FIELD_TYPE] = number && *number ? "corporation" : "sole";
	}
	validate(form, &ignored, &typed, reader->map, &rules, NULL, reader->pool);
	form->value[FIELD_KIND] = NULL;
	form->value[FIELD_DECLARATION_ID] = NULL;
	form->value[FIELD_APPLIED_ON] = NULL;
}

static const char *read_row(
	struct csv_reader *reader, const struct form_record *record, struct registry_row *row)
{
	const char *state = cell_of(reader, record, COLUMN_STATE);
	const char *user = cell_of(reader, record, COLUMN_USER_NUMBER);
	if (record->damage_count > 0)
		return record->damage[0].message_ja;
	row->declaration_id = ident_read_declaration(cell_of(reader, record, COLUMN_ID));
	row->user_number = ident_read_user(user);
	row->star = star_read(cell_of(reader, record, COLUMN_STAR));
	bool has_end = *cell_of(reader, record, COLUMN_STOPPED);
	row->state = *state ? state_read(state) : has_end ? STATE_STOPPED : STATE_LOGO_AUTHORIZED;
	if (!row->declaration_id)
		return "自己宣言IDが読めません（4または5で始まる10桁か11桁の数字）。";
	if (*user && !row->user_number)
		return "利用者番号が読めません（9で始まる10桁か11桁の数字）。";
	if (!row->star)
		return "星が読めません（1または2）。";
	if (row->state == STATE_NONE)
		return "状態が読めません（id-issued、logo-authorized、stopped など）。";
	if (!day_read(cell_of(reader, record, COLUMN_APPLIED), &row->applied_on) ||
		!day_read(cell_of(reader, record, COLUMN_ID_ISSUED), &row->id_issued_on) ||
		!day_read(cell_of(reader, record, COLUMN_LOGO), &row->logo_authorized_on) ||
		!day_read(cell_of(reader, record, COLUMN_STOPPED), &row->stopped_on))
		return "日付が読めません（例 2026-11-22）。";
	if (has_end && row->state != STATE_STOPPED)
		return "中止日がありますが、状態が中止ではありません。どちらかを直してください。";
	read_form(reader, record, &row->form);
	if (!row->form.value[FIELD_BUSINESS_NAME] || !*row->form.value[FIELD_BUSINESS_NAME])
		return "事業者名がありません。";
	return NULL;
}

static enum rc take_record(
	void *ctx, const struct form_head *head, const struct form_record *record, struct err *err)
{
	struct csv_reader *reader = ctx;
	struct registry_row row = {.record = record->record};
	if (!record->raw || head->content != CONTENT_APPLICATIONS)
		return err_set(err, RC_REFUSED,
			"It is no CSV of declarations: a header row with id, star, state and "
			"business_name is wanted.");
	if (!reader->has_header)
		read_header(reader, head);
	if (reader->place[COLUMN_ID] < 0)
		return err_set(err, RC_REFUSED, "The header row has no column id (自己宣言ID).");
	pool_reset(reader->pool);
	row.fault = read_row(reader, record, &row);
	return reader->fn(reader->ctx, &row, err);
}

enum rc registry_csv_read(
	const char *path, const struct fieldmap *map, registry_row_fn *fn, void *ctx, struct err *err)
{
	struct str bytes = STR_INIT;
	struct csv_reader reader = {.fn = fn, .ctx = ctx, .map = map, .pool = pool_new()};
	struct form_limits limits = form_limits_default;
	const char *why_ja = NULL;
	limits.file_bytes = FILE_LIMIT;
	limits.records = INT32_MAX;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	enum rc rc = fd < 0 ? err_set(err, RC_REFUSED, "%s could not be opened: %s.", path, errno_text(errno))
			    : file_read_fd(&bytes, fd, FILE_LIMIT, err);
	bool is_open = fd >= 0;
	if (is_open)
		(void)close(fd);
	if (rc == RC_OK)
		rc = form_read(bytes.s, bytes.len, map, &limits, take_record, &reader, &why_ja, err);
	if (rc != RC_OK && is_open)
		(void)err_prefix(err, "%s", path);
	pool_free(&reader.pool);
	str_free(&bytes);
	return rc;
}

/* ---- the declarations as a registry ---- */

struct entry {
	char *key; /* owned; applicant_key() */
	int64_t declaration_id; /* 0: of the file at hand */
	int record;
	int star;
	bool live; /* counts as the one declaration of its business */
	bool is_step_up; /* of the file at hand: not live itself, and no second one may follow */
	uint8_t digest[SHA256_LEN]; /* of the file at hand: form_row_digest() */
	int next; /* in its bucket; -1 ends */
};

struct csv_registry {
	struct entry *entry;
	size_t count, size;
	size_t from_csv; /* the others are of the file at hand */
	int *bucket;
	size_t bucket_count;
	bool has_csv;
	struct pool *pool;
};

static size_t hash_of(const char *text)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
	return (size_t)hash;
}

static void entry_link(struct csv_registry *registry, size_t i)
{
	int *bucket = &registry->bucket[hash_of(registry->entry[i].key) % registry->bucket_count];
	registry->entry[i].next = *bucket;
	*bucket = (int)i;
}

static void relink(struct csv_registry *registry, size_t bucket_count)
{
	registry->bucket_count = bucket_count;
	registry->bucket = xrealloc(registry->bucket, bucket_count * sizeof *registry->bucket);
	memset(registry->bucket, 0xFF, bucket_count * sizeof *registry->bucket);
	for (size_t i = 0; i < registry->count; i++)
		entry_link(registry, i);
}

static struct entry *entry_add(struct csv_registry *registry, const struct form_values *form)
{
	if (registry->count == registry->size) {
		registry->size = registry->size ? registry->size * 2 : 256;
		registry->entry = xrealloc(registry->entry, registry->size * sizeof *registry->entry);
	}
	struct entry *entry = &registry->entry[registry->count++];
	*entry = (struct entry){.key = xstrdup(applicant_key(form, registry->pool))};
	pool_reset(registry->pool);
	if (registry->count > registry->bucket_count)
		relink(registry, registry->bucket_count * 2);
	else
		entry_link(registry, registry->count - 1);
	return entry;
}

static struct entry *find_exact(
	struct csv_registry *registry, const char *key, bool star1, int64_t declaration_id)
{
	for (int i = registry->bucket[hash_of(key) % registry->bucket_count]; i >= 0;
		i = registry->entry[i].next) {
		struct entry *entry = &registry->entry[i];
		if (!entry->live || strcmp(entry->key, key) != 0)
			continue;
		if (star1 && (entry->star != 1 || !entry->declaration_id))
			continue;
		if (declaration_id && entry->declaration_id != declaration_id)
			continue;
		return entry;
	}
	return NULL;
}

/* The address is the last part of a sole proprietor's key; a list without addresses can only be asked without it. */
static struct entry *find(struct csv_registry *registry, const char *key, bool star1, int64_t declaration_id)
{
	struct entry *found = find_exact(registry, key, star1, declaration_id);
	const char *address = strrchr(key, '\x1f');
	if (found || !address)
		return found;
	char *without = xstrndup(key, (size_t)(address + 1 - key));
	found = find_exact(registry, without, star1, declaration_id);
	free(without);
	return found;
}

/* The very same row, earlier in the file at hand. */
static const struct entry *find_row(
	const struct csv_registry *registry, const char *key, const uint8_t digest[SHA256_LEN])
{
	for (int i = registry->bucket[hash_of(key) % registry->bucket_count]; i >= 0;
		i = registry->entry[i].next) {
		const struct entry *entry = &registry->entry[i];
		if ((size_t)i >= registry->from_csv && strcmp(entry->key, key) == 0 &&
			memcmp(entry->digest, digest, SHA256_LEN) == 0)
			return entry;
	}
	return NULL;
}

static int64_t ask_live(void *ctx, const char *key, const uint8_t row_digest[SHA256_LEN],
	int64_t *declaration_id, bool *same_row)
{
	const struct entry *entry = find_row(ctx, key, row_digest);
	*same_row = entry != NULL;
	if (!entry)
		entry = find(ctx, key, false, 0);
	if (!entry)
		return 0;
	*declaration_id = entry->declaration_id;
	return entry->record;
}

static bool has_step_up(const struct csv_registry *registry, const char *key)
{
	for (int i = registry->bucket[hash_of(key) % registry->bucket_count]; i >= 0;
		i = registry->entry[i].next)
		if (registry->entry[i].is_step_up && strcmp(registry->entry[i].key, key) == 0)
			return true;
	return false;
}

/* Without a CSV nothing is known of the ★: only a second step-up in the file is refused. */
static int64_t ask_live_star1(void *ctx, const char *key, int64_t declaration_id)
{
	struct csv_registry *registry = ctx;
	if (has_step_up(registry, key))
		return 0;
	if (!registry->has_csv)
		return 1;
	const struct entry *entry = find(registry, key, true, declaration_id);
	return entry ? entry->record : 0;
}

static enum rc take_row(void *ctx, const struct registry_row *row, struct err *err)
{
	struct csv_registry *registry = ctx;
	if (row->fault)
		return err_set(err, RC_REFUSED, "row %d: %s", row->record, row->fault);
	struct entry *entry = entry_add(registry, &row->form);
	entry->declaration_id = row->declaration_id;
	entry->record = row->record;
	entry->star = row->star;
	entry->live = state_is_live(row->state);
	return RC_OK;
}

enum rc csv_registry_load(
	struct csv_registry **out, const char *path, const struct fieldmap *map, struct err *err)
{
	struct csv_registry *registry = xcalloc(1, sizeof *registry);
	registry->pool = pool_new();
	relink(registry, 1024);
	registry->has_csv = path != NULL;
	enum rc rc = path ? registry_csv_read(path, map, take_row, registry, err) : RC_OK;
	registry->from_csv = registry->count;
	if (rc == RC_OK)
		*out = registry;
	else
		csv_registry_free(&registry);
	return rc;
}

struct registry csv_registry_ask(struct csv_registry *registry)
{
	return (struct registry){.ctx = registry,
		.live = ask_live,
		.live_star1 = ask_live_star1,
		.number_ja = "このファイルの行"};
}

void csv_registry_add(struct csv_registry *registry, const struct form_values *form, int record)
{
	const char *kind = form->value[FIELD_KIND] ? form->value[FIELD_KIND] : "";
	struct entry *entry = entry_add(registry, form);
	entry->record = record;
	entry->star = strcmp(kind, "new1") == 0 ? 1 : 2;
	entry->is_step_up = strcmp(kind, "step") == 0;
	form_row_digest(entry->digest, form);
	entry->live = !entry->is_step_up;
}

void csv_registry_next_file(struct csv_registry *registry)
{
	for (size_t i = registry->from_csv; i < registry->count; i++)
		free(registry->entry[i].key);
	registry->count = registry->from_csv;
	relink(registry, registry->bucket_count);
}

void csv_registry_free(struct csv_registry **registry)
{
	struct csv_registry *r = *registry;
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->entry[i].key);
	free(r->entry);
	free(r->bucket);
	pool_free(&r->pool);
	free(r);
	*registry = NULL;
}
