#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/text.h"
#include "lib/store/store_p.h"

/* ---- notices by Message-ID ---- */

/*
 * message_id_make() (compose.h) reckons a Message-ID from the notice: template.application.resend@domain, or template.0.notice@domain where there is no
 * application. Read backwards it leads to the row by the index that keeps a notice from being queued twice, so only the Message-IDs that are made otherwise, those
 * that carry a token, have a table.
 */
struct reckoned {
	char *template_name; /* owned; NULL: not of that kind */
	int64_t application_id, last;
};

/* The number between a dot and `end`; *start is the dot. */
static bool number_before(const char *text, const char *end, const char **start, int64_t *number)
{
	const char *at = end;
	while (at > text && at[-1] >= '0' && at[-1] <= '9')
		at--;
	if (at == end || end - at > 18 || at == text || at[-1] != '.')
		return false;
	*start = at - 1;
	*number = strtoll(at, NULL, 10);
	return true;
}

static struct reckoned reckon(const char *message_id)
{
	struct reckoned out = {0};
	const char *at = strrchr(message_id, '@'), *dot;
	if (at && number_before(message_id, at, &dot, &out.last) &&
		number_before(message_id, dot, &dot, &out.application_id) && dot > message_id)
		out.template_name = xstrndup(message_id, (size_t)(dot - message_id));
	return out;
}

/* Mail servers leave a Message-ID as it is, but for a domain made lower-case here and there. */
static void message_id_key(uint8_t out[KEY_LEN], const char *message_id)
{
	char *text = xstrdup(message_id);
	for (char *at = text; *at; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at |= 0x20;
	store_key(out, text);
	free(text);
}

enum rc message_id_keep(struct store *store, const struct notice *notice, struct err *err)
{
	if (!notice->message_id || !*notice->message_id)
		return RC_OK;
	struct reckoned reckoned = reckon(notice->message_id);
	bool known = reckoned.template_name && strcmp(reckoned.template_name, notice->template_name) == 0 &&
		     reckoned.application_id == notice->application_id &&
		     reckoned.last == (notice->application_id ? notice->resend_no : notice->id);
	free(reckoned.template_name);
	if (known)
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO message_id (digest, notice_id) VALUES (:digest, :notice_id) ON CONFLICT (digest)"
		" DO UPDATE SET notice_id = excluded.notice_id",
		err);
	if (!stmt)
		return err->rc;
	uint8_t digest[KEY_LEN];
	message_id_key(digest, notice->message_id);
	sql_blob(stmt, ":digest", digest, sizeof digest);
	sql_int(stmt, ":notice_id", notice->id);
	return sql_run(store, stmt, err);
}

static enum rc kept(struct store *store, const char *message_id, int64_t *id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "SELECT notice_id FROM message_id WHERE digest = :digest", err);
	if (!stmt)
		return err->rc;
	uint8_t digest[KEY_LEN];
	message_id_key(digest, message_id);
	sql_blob(stmt, ":digest", digest, sizeof digest);
	return sql_number(store, stmt, 0, id, err);
}

#define LETTER_OF                                                                                            \
	"SELECT o.id, l.message_id || '@' || w.text FROM outbox o JOIN letter l ON l.notice_id = o.id"       \
	" JOIN word w ON w.id = l.message_id_domain WHERE "

/* The notice those parts lead to, if it really bears that Message-ID: anybody can put together such a text under another domain. */
static enum rc by_parts(struct store *store, const struct reckoned *parts, const char *message_id,
	int64_t *id, struct err *err)
{
	int64_t template;
	enum rc rc = word_find(store, parts->template_name, &template, err);
	if (rc != RC_OK || template == 0)
		return rc;
	sqlite3_stmt *stmt =
		parts->application_id > 0
			? sql_ready(store,
				  LETTER_OF "o.application_id = :application_id AND o.template = :template"
					    " AND o.resend_no = :last",
				  err)
			: sql_ready(store,
				  LETTER_OF "o.id = :last AND o.application_id IS :application_id"
					    " AND o.template = :template",
				  err);
	if (!stmt)
		return err->rc;
	sql_ref(stmt, ":application_id", parts->application_id);
	sql_int(stmt, ":template", template);
	sql_int(stmt, ":last", parts->last);
	bool row;
	rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK || !row)
		return rc;
	const char *own = (const char *)sqlite3_column_text(stmt, 1);
	if (own && strcasecmp(own, message_id) == 0)
		*id = sqlite3_column_int64(stmt, 0);
	sql_done(stmt);
	return RC_OK;
}

enum rc outbox_by_message_id(struct store *store, const char *message_id, int64_t *id, struct err *err)
{
	*id = 0;
	struct reckoned parts = reckon(message_id);
	enum rc rc = parts.template_name ? by_parts(store, &parts, message_id, id, err) : RC_OK;
	free(parts.template_name);
	return rc == RC_OK && *id == 0 ? kept(store, message_id, id, err) : rc;
}

/* ---- applications by contact address ---- */

enum rc application_by_mail(
	struct store *store, const char *mail_key, int64_t *id, int limit, int *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id FROM application WHERE mail = :mail AND mail IS NOT NULL AND " SQL_LIVE
		" ORDER BY state NOT IN (3, 4), id LIMIT :limit",
		err);
	if (!stmt)
		return err->rc;
	uint8_t mail[KEY_LEN];
	store_mail_digest(mail, mail_key);
	sql_blob(stmt, ":mail", mail, sizeof mail);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		id[(*count)++] = sqlite3_column_int64(stmt, 0);
	return rc;
}

/* ---- applications by who applied ---- */

#define IDENTITY_LEN 8

/* False: one of the three is not there. */
static bool identity_digest(uint8_t out[IDENTITY_LEN], const char *business_name, const char *family_name,
	const char *given_name, const char *prefecture)
{
	struct str text = STR_INIT;
	uint8_t digest[SHA256_LEN];
	size_t name, representative;
	text_key(&text, business_name ? business_name : "");
	str_addc(&text, '\x1f');
	name = text.len;
	text_key(&text, family_name ? family_name : "");
	text_key(&text, given_name ? given_name : "");
	str_addc(&text, '\x1f');
	representative = text.len;
	text_key(&text, prefecture ? prefecture : "");
	bool whole = name > 1 && representative > name + 1 && text.len > representative;
	sha256(digest, text.s, text.len);
	memcpy(out, digest, IDENTITY_LEN);
	str_free(&text);
	return whole;
}

static enum rc identity_drop(struct store *store, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "DELETE FROM identity WHERE application_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return sql_run(store, stmt, err);
}

enum rc identity_keep(struct store *store, const struct application *app, struct err *err)
{
	const char *const *value = app->form.value;
	uint8_t digest[IDENTITY_LEN];
	if (!identity_digest(digest, value[FIELD_BUSINESS_NAME], value[FIELD_FAMILY_NAME],
		    value[FIELD_GIVEN_NAME], value[FIELD_PREFECTURE]))
		return identity_drop(store, app->id, err);
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO identity (application_id, digest) VALUES (:id, :digest)"
		" ON CONFLICT (application_id) DO UPDATE SET digest = excluded.digest",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", app->id);
	sql_blob(stmt, ":digest", digest, sizeof digest);
	return sql_run(store, stmt, err);
}

static enum rc fill_one(void *store, const struct application *app, struct err *err)
{
	return identity_keep(store, app, err);
}

enum rc identities_fill(struct store *store, struct err *err)
{
	static const struct application_filter all = {.hold = -1};
	return application_each(store, &all, true, fill_one, store, err);
}

enum rc application_by_identity(struct store *store, const char *business_name, const char *representative,
	const char *prefecture, int64_t *id, int limit, int *count, struct err *err)
{
	uint8_t digest[IDENTITY_LEN];
	*count = 0;
	if (!identity_digest(digest, business_name, representative, "", prefecture))
		return RC_OK;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT a.id FROM identity i JOIN application a ON a.id = i.application_id"
		" WHERE i.digest = :digest AND a." SQL_LIVE " AND NOT " SQL_RUNNING_STEP_UP
		" ORDER BY a.id LIMIT :limit",
		err);
	if (!stmt)
		return err->rc;
	sql_blob(stmt, ":digest", digest, sizeof digest);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row)
		id[(*count)++] = sqlite3_column_int64(stmt, 0);
	return rc;
}

/* ---- copies for 送信済み ---- */

enum rc copy_add(struct store *store, int64_t notice_id, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt =
		sql_ready(store, "INSERT INTO copy (notice_id) VALUES (:id) ON CONFLICT DO NOTHING", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", notice_id);
	return sql_run(store, stmt, err);
}

enum rc copy_next(struct store *store, int64_t after_id, int64_t *notice_id, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "SELECT min(notice_id) FROM copy WHERE notice_id > :after", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", after_id);
	return sql_number(store, stmt, 0, notice_id, err);
}

enum rc copy_done(struct store *store, int64_t notice_id, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "DELETE FROM copy WHERE notice_id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", notice_id);
	return sql_run(store, stmt, err);
}
