#include <stdlib.h>
#include <string.h>

#include "lib/store/store_p.h"

void store_key(uint8_t out[KEY_LEN], const char *text)
{
	uint8_t digest[SHA256_LEN];
	sha256(digest, text, strlen(text));
	memcpy(out, digest, KEY_LEN);
}

void store_salt(struct store *store, uint8_t out[SALT_LEN], const char *purpose, int64_t number)
{
	if (!store->simulated) {
		rng_bytes(&store->rng, out, SALT_LEN);
		return;
	}
	char text[64];
	(void)sqlite3_snprintf(sizeof text, text, "simulated salt %s %lld", purpose, (long long)number);
	uint8_t digest[SHA256_LEN];
	sha256(digest, text, strlen(text));
	memcpy(out, digest, SALT_LEN);
}

/* ---- facts ---- */

void facts_forget(struct store *store)
{
	while (store->fact_count > 0) {
		struct kept_fact *fact = &store->facts[--store->fact_count];
		free(fact->name);
		free(fact->value);
	}
}

static struct kept_fact *fact_kept(struct store *store, const char *name)
{
	for (int i = 0; i < store->fact_count; i++)
		if (strcmp(store->facts[i].name, name) == 0)
			return &store->facts[i];
	return NULL;
}

/* NULL: there is no room, or no transaction. */
static struct kept_fact *fact_keep(struct store *store, const char *name, const char *value)
{
	struct kept_fact *fact = fact_kept(store, name);
	if (!store->in_transaction || (!fact && store->fact_count == FACTS_KEPT))
		return NULL;
	if (!fact) {
		fact = &store->facts[store->fact_count++];
		*fact = (struct kept_fact){.name = xstrdup(name)};
	}
	free(fact->value);
	fact->value = value ? xstrdup(value) : NULL;
	return fact;
}

static enum rc write_fact(struct store *store, const char *name, const char *value, struct err *err)
{
	sqlite3_stmt *stmt = value ? sql_ready(store,
					     "INSERT INTO fact (name, value) VALUES (:name, :value) ON"
					     " CONFLICT (name) DO UPDATE SET value = excluded.value WHERE"
					     " value <> excluded.value",
					     err)
				   : sql_ready(store, "DELETE FROM fact WHERE name = :name", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":name", name);
	if (value)
		sql_text(stmt, ":value", value);
	return sql_run(store, stmt, err);
}

/* The count of a day changes with each letter, and is written once a transaction. */
enum rc fact_set(struct store *store, const char *name, const char *value, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	struct kept_fact *fact = fact_keep(store, name, value);
	if (!fact)
		return write_fact(store, name, value, err);
	fact->changed = true;
	return RC_OK;
}

enum rc facts_write(struct store *store, struct err *err)
{
	enum rc rc = RC_OK;
	for (int i = 0; rc == RC_OK && i < store->fact_count; i++) {
		struct kept_fact *fact = &store->facts[i];
		if (fact->changed)
			rc = write_fact(store, fact->name, fact->value, err);
		fact->changed = false;
	}
	return rc;
}

enum rc fact_get(struct store *store, const char *name, struct str *value, struct err *err)
{
	const struct kept_fact *kept = fact_kept(store, name);
	str_clear(value);
	if (kept) {
		str_addz(value, kept->value ? kept->value : "");
		return RC_OK;
	}
	sqlite3_stmt *stmt = sql_ready(store, "SELECT value FROM fact WHERE name = :name", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":name", name);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc == RC_OK && row) {
		str_add(value, sqlite3_column_text(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
		sql_done(stmt);
	}
	if (rc == RC_OK)
		(void)fact_keep(store, name, row ? value->s : NULL);
	return rc;
}

/* ---- words ---- */

void words_forget(struct store *store)
{
	for (size_t i = 0; i < WORDS_KEPT; i++) {
		free(store->words[i].text);
		store->words[i] = (struct kept_word){0};
	}
}

/* The place of a text; whatever other text stood there gives way. */
static struct kept_word *word_place(struct store *store, const char *text)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 16777619u;
	return &store->words[hash % WORDS_KEPT];
}

static void word_keep(struct kept_word *place, const char *text, int64_t number)
{
	free(place->text);
	*place = (struct kept_word){.text = xstrdup(text), .number = number};
}

enum rc word_find(struct store *store, const char *text, int64_t *number, struct err *err)
{
	*number = 0;
	if (!text || !*text)
		return RC_OK;
	struct kept_word *place = word_place(store, text);
	if (place->text && strcmp(place->text, text) == 0) {
		*number = place->number;
		return RC_OK;
	}
	sqlite3_stmt *stmt = sql_ready(store, "SELECT id FROM word WHERE text = :text", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":text", text);
	enum rc rc = sql_number(store, stmt, 0, number, err);
	if (rc == RC_OK && *number)
		word_keep(place, text, *number);
	return rc;
}

enum rc word_number(struct store *store, const char *text, int64_t *number, struct err *err)
{
	enum rc rc = word_find(store, text, number, err);
	if (rc != RC_OK || *number != 0 || !text || !*text)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "INSERT INTO word (text) VALUES (:text)", err);
	if (!stmt)
		return err->rc;
	sql_text(stmt, ":text", text);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK) {
		*number = sqlite3_last_insert_rowid(store->db);
		word_keep(word_place(store, text), text, *number);
	}
	return rc;
}

/* ---- numbers ---- */

enum rc number_take(struct store *store, int64_t number, int kind, int64_t application_id, utc_time at,
	const char *why, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO number (number, kind, application_id, at, why) VALUES (:number, :kind,"
		" :application_id, :at, nullif(:why, '')) ON CONFLICT (number) DO NOTHING",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":number", number);
	sql_int(stmt, ":kind", kind);
	sql_ref(stmt, ":application_id", application_id);
	sql_int(stmt, ":at", at);
	sql_text(stmt, ":why", why);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(
			err, RC_REFUSED, "a number that was drawn is taken already; another must be drawn");
	return rc;
}

/* ---- template sets ---- */

static enum rc template_set_known(
	struct store *store, int64_t profile, const uint8_t digest[SHA256_LEN], int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT id FROM template_set WHERE profile = :profile AND digest = :digest", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":profile", profile);
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	return sql_number(store, stmt, 0, id, err);
}

enum rc template_set_find_id(struct store *store, const char *profile, const uint8_t digest[SHA256_LEN],
	int64_t *id, struct err *err)
{
	int64_t word;
	*id = 0;
	enum rc rc = word_find(store, profile, &word, err);
	return rc == RC_OK && word ? template_set_known(store, word, digest, id, err) : rc;
}

enum rc template_set_keep(struct store *store, const char *profile, const uint8_t digest[SHA256_LEN],
	const char *packed, size_t len, utc_time at, int64_t *id, struct err *err)
{
	int64_t word;
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = word_number(store, profile, &word, err);
	if (rc == RC_OK)
		rc = template_set_known(store, word, digest, id, err);
	if (rc != RC_OK || *id != 0)
		return rc;

	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO template_set (profile, digest, at, packed) VALUES (:profile, :digest, :at,"
		" :packed)",
		err);
	if (!stmt)
		return err->rc;
	struct str small = STR_INIT;
	text_pack(&small, packed, len);
	sql_int(stmt, ":profile", word);
	sql_blob(stmt, ":digest", digest, SHA256_LEN);
	sql_int(stmt, ":at", at);
	sql_blob(stmt, ":packed", small.s, small.len);
	rc = sql_run(store, stmt, err);
	str_free(&small);
	if (rc == RC_OK)
		*id = sqlite3_last_insert_rowid(store->db);
	return rc;
}

enum rc template_set_get(struct store *store, int64_t id, struct str *packed, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT packed FROM template_set WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no template set %lld", (long long)id);
	str_clear(packed);
	if (!text_unpack(packed, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)))
		rc = err_set(err, RC_STORE, "%s is damaged: template set %lld cannot be unpacked",
			store->path, (long long)id);
	sql_done(stmt);
	return rc;
}

/* ---- suppression ---- */

enum rc suppression_set(struct store *store, const char *mail_key, enum suppression kind, bool on,
	utc_time at, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt =
		on ? sql_ready(store,
			     "INSERT INTO suppression (mail, kind, at) VALUES (:mail, :kind, :at) ON"
			     " CONFLICT DO NOTHING",
			     err)
		   : sql_ready(store, "DELETE FROM suppression WHERE mail = :mail AND kind = :kind", err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_key(mail, mail_key);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":kind", kind);
	if (on)
		sql_int(stmt, ":at", at);
	return sql_run(store, stmt, err);
}

enum rc suppression_has(
	struct store *store, const char *mail_key, enum suppression kind, bool *yes, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT EXISTS (SELECT 1 FROM suppression WHERE mail = :mail AND kind = :kind)", err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	int64_t found;
	store_key(mail, mail_key);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":kind", kind);
	enum rc rc = sql_number(store, stmt, 0, &found, err);
	*yes = rc == RC_OK && found;
	return rc;
}

/* ---- models of letters ---- */

static enum rc read_model(
	struct store *store, int64_t id, bool want_text, struct str *text, bool *there, struct err *err)
{
	*there = false;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT text FROM model WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	enum rc rc = sql_row(store, stmt, there, err);
	if (rc != RC_OK || !*there)
		return rc;
	if (want_text &&
		!text_unpack(text, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0)))
		rc = err_set(err, RC_STORE, "%s is damaged: model %lld of the letters cannot be unpacked",
			store->path, (long long)id);
	sql_done(stmt);
	return rc;
}

static enum rc add_model(struct store *store, int64_t id, const char *text, size_t len, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "INSERT INTO model (id, text) VALUES (:id, :text)", err);
	if (!stmt)
		return err->rc;
	struct str small = STR_INIT;
	text_pack(&small, text, len);
	sql_int(stmt, ":id", id);
	sql_blob(stmt, ":text", small.s, small.len);
	enum rc rc = sql_run(store, stmt, err);
	str_free(&small);
	return rc;
}

enum rc letter_model_keep(
	struct store *store, int64_t id, const char *text, size_t len, bool compare, struct err *err)
{
	struct str kept = STR_INIT;
	bool there;
	enum rc rc = sql_want_transaction(store, err);
	rc = rc ? rc : read_model(store, id, compare, &kept, &there, err);
	if (rc == RC_OK && !there)
		rc = add_model(store, id, text, len, err);
	else if (rc == RC_OK && compare && (kept.len != len || memcmp(kept.s, text, len) != 0))
		rc = err_set(err, RC_STORE,
			"%s is damaged: model %lld of the letters is not the text it was made of; restore "
			"the latest backup",
			store->path, (long long)id);
	str_free(&kept);
	return rc;
}

enum rc letter_model_get(struct store *store, int64_t id, struct str *text, struct err *err)
{
	bool there;
	enum rc rc = read_model(store, id, true, text, &there, err);
	if (rc == RC_OK && !there)
		rc = err_set(err, RC_STORE,
			"%s is damaged: model %lld, which letters were packed against, is missing; restore "
			"the latest backup",
			store->path, (long long)id);
	return rc;
}
