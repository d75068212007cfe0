#include <stdlib.h>
#include <string.h>

#include "lib/base/mailaddr.h"
#include "lib/store/store_p.h"

/* ---- addresses: the domain is a word, what stands before it is kept with the letter ---- */

struct split {
	char *local; /* owned */
	const char *domain;
};

static struct split split_address(const char *address)
{
	const char *at = address ? strrchr(address, '@') : NULL;
	if (!at)
		return (struct split){.local = xstrdup(address ? address : ""), .domain = ""};
	return (struct split){.local = xstrndup(address, (size_t)(at - address)), .domain = at + 1};
}

static const char *join_address(sqlite3_stmt *stmt, int column, struct pool *pool)
{
	const char *local = column_text(stmt, column, pool), *domain = column_text(stmt, column + 1, pool);
	return *domain ? pool_printf(pool, "%s@%s", local, domain) : local;
}

/* ---- reading ---- */

#define NOTICE_SELECT                                                                                        \
	"SELECT o.id, o.application_id, t.text, o.stage, o.resend_of, o.resend_no, o.state, o.queued_at,"    \
	" o.next_try_at, o.accepted_at, o.first_try_at, o.attempts, o.reply_code, w.text, o.digest,"         \
	" d.reply, l.recipient, r.text, l.message_id, m.text, l.bounce, b.text"                              \
	" FROM outbox o"                                                                                     \
	" LEFT JOIN letter l ON l.notice_id = o.id"                                                          \
	" LEFT JOIN delivery d ON d.notice_id = o.id"                                                        \
	" LEFT JOIN word t ON t.id = o.template"                                                             \
	" LEFT JOIN word w ON w.id = o.domain"                                                               \
	" LEFT JOIN word r ON r.id = l.recipient_domain"                                                     \
	" LEFT JOIN word m ON m.id = l.message_id_domain"                                                    \
	" LEFT JOIN word b ON b.id = l.bounce_domain"

#define DIGEST_KEYED 1

/* A plain one and a keyed one have not the same length: none is taken for the other. */
static void read_digest(sqlite3_stmt *stmt, int column, struct notice *out)
{
	uint8_t kept[1 + SHA256_LEN];
	if (column_digest(stmt, column, kept, sizeof kept) && kept[0] == DIGEST_KEYED)
		memcpy(out->digest, kept + 1, SHA256_LEN);
	else
		out->digest_plain = column_digest(stmt, column, out->digest, SHA256_LEN);
}

/* room is lent to the statement until it has run. */
static void bind_digest(sqlite3_stmt *stmt, const struct notice *notice, uint8_t room[1 + SHA256_LEN])
{
	room[0] = DIGEST_KEYED;
	memcpy(room + 1, notice->digest, SHA256_LEN);
	sql_blob(stmt, ":digest", notice->digest_plain ? room + 1 : room,
		SHA256_LEN + (notice->digest_plain ? 0 : 1));
}

static void read_notice(sqlite3_stmt *stmt, struct notice *out, struct pool *pool)
{
	*out = (struct notice){
		.id = sqlite3_column_int64(stmt, 0),
		.application_id = sqlite3_column_int64(stmt, 1),
		.template_name = column_text(stmt, 2, pool),
		.stage = sqlite3_column_int(stmt, 3),
		.resend_of = sqlite3_column_int64(stmt, 4),
		.resend_no = sqlite3_column_int(stmt, 5),
		.state = (enum outbox_state)sqlite3_column_int(stmt, 6),
		.queued_at = sqlite3_column_int64(stmt, 7),
		.next_try_at = column_time(stmt, 8),
		.accepted_at = sqlite3_column_int64(stmt, 9),
		.first_try_at = sqlite3_column_int64(stmt, 10),
		.attempts = sqlite3_column_int(stmt, 11),
		.reply_code = sqlite3_column_int(stmt, 12),
		.domain = column_text(stmt, 13, pool),
		.reply = column_text(stmt, 15, pool),
		.recipient = join_address(stmt, 16, pool),
		.message_id = join_address(stmt, 18, pool),
		.bounce_address = join_address(stmt, 20, pool),
	};
	read_digest(stmt, 14, out);
}

enum rc outbox_get(struct store *store, int64_t id, struct notice *out, struct pool *pool, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, NOTICE_SELECT " WHERE o.id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no notice %lld", (long long)id);
	read_notice(stmt, out, pool);
	sql_done(stmt);
	return RC_OK;
}

enum rc outbox_letter(struct store *store, int64_t id, struct str *letter, int64_t *template_set,
	struct str *dkim, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT l.packed, o.template_set, d.dkim FROM letter l JOIN outbox o ON o.id = l.notice_id"
		" LEFT JOIN delivery d ON d.notice_id = o.id WHERE l.notice_id = :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	bool row;
	enum rc rc = sql_row(store, stmt, &row, err);
	if (rc != RC_OK)
		return rc;
	if (!row)
		return err_set(err, RC_REFUSED, "there is no letter of notice %lld", (long long)id);
	str_clear(letter);
	str_clear(dkim);
	*template_set = sqlite3_column_int64(stmt, 1);
	const void *packed = sqlite3_column_blob(stmt, 0);
	str_add(letter, packed ? packed : "", (size_t)sqlite3_column_bytes(stmt, 0));
	const void *signature = sqlite3_column_blob(stmt, 2);
	if (signature && !text_unpack(dkim, signature, (size_t)sqlite3_column_bytes(stmt, 2)))
		rc = err_set(err, RC_STORE, "%s is damaged: the signature of notice %lld cannot be unpacked",
			store->path, (long long)id);
	sql_done(stmt);
	return rc;
}

enum rc outbox_first(
	struct store *store, int64_t application_id, const char *template_name, int64_t *id, struct err *err)
{
	int64_t template;
	*id = 0;
	enum rc rc = word_find(store, template_name, &template, err);
	if (rc != RC_OK || template == 0)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id FROM outbox WHERE application_id = :application_id AND template = :template"
		" AND (stage <> :none OR resend_of IS NULL)"
		" ORDER BY state <> :sent, state <> :unknown, resend_no LIMIT 1",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":application_id", application_id);
	sql_int(stmt, ":template", template);
	sql_int(stmt, ":none", STAGE_NONE);
	sql_int(stmt, ":sent", OUTBOX_SENT);
	sql_int(stmt, ":unknown", OUTBOX_UNKNOWN);
	return sql_number(store, stmt, 0, id, err);
}

enum rc outbox_next_no(
	struct store *store, int64_t application_id, const char *template_name, int *number, struct err *err)
{
	int64_t template, next = 0;
	*number = 0;
	enum rc rc = word_find(store, template_name, &template, err);
	if (rc != RC_OK || template == 0)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT max(resend_no) + 1 FROM outbox WHERE application_id = :application_id AND template ="
		" :template",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":application_id", application_id);
	sql_int(stmt, ":template", template);
	rc = sql_number(store, stmt, 0, &next, err);
	*number = (int)next;
	return rc;
}

/* Reads up to BATCH of what a bound statement finds, then hands them on; *last is the last id, *count how many came. */
static enum rc hand_on(struct store *store, sqlite3_stmt *stmt, int64_t *last, int *count, notice_fn *fn,
	void *ctx, struct err *err)
{
	struct notice *notices = NULL; /* mostly one to three: an application's */
	int size = 0;
	struct pool *pool = pool_new();
	*count = 0;
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		if (*count == size) {
			size = size ? 2 * size : 4;
			notices = xrealloc(notices, (size_t)size * sizeof *notices);
		}
		read_notice(stmt, &notices[(*count)++], pool);
	}
	for (int i = 0; rc == RC_OK && i < *count; i++) {
		*last = notices[i].id;
		rc = fn(ctx, &notices[i], err);
	}
	pool_free(&pool);
	free(notices);
	return rc;
}

enum rc outbox_each(struct store *store, int64_t application_id, notice_fn *fn, void *ctx, struct err *err)
{
	int64_t after = 0;
	int count;
	enum rc rc;
	do {
		sqlite3_stmt *stmt = sql_ready(store,
			NOTICE_SELECT " WHERE o.application_id = :application_id AND o.id > :after"
				      " ORDER BY o.id LIMIT :limit",
			err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":application_id", application_id);
		sql_int(stmt, ":after", after);
		sql_int(stmt, ":limit", BATCH);
		rc = hand_on(store, stmt, &after, &count, fn, ctx, err);
	} while (rc == RC_OK && count == BATCH);
	return rc;
}

enum rc outbox_each_in(struct store *store, enum outbox_state state, int64_t after_id, int limit,
	notice_fn *fn, void *ctx, struct err *err)
{
	int left = limit, want, count;
	enum rc rc;
	do {
		want = limit > 0 && left < BATCH ? left : BATCH;
		sqlite3_stmt *stmt =
			state == OUTBOX_SENT
				? sql_ready(store,
					  NOTICE_SELECT " WHERE o.state = :state AND o.id > :after ORDER BY "
							"o.id LIMIT :limit",
					  err)
				: sql_ready(store,
					  NOTICE_SELECT " WHERE o.state = :state AND o." SQL_UNSENT
							" AND o.id > :after ORDER BY o.id LIMIT :limit",
					  err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":state", state);
		sql_int(stmt, ":after", after_id);
		sql_int(stmt, ":limit", want);
		rc = hand_on(store, stmt, &after_id, &count, fn, ctx, err);
		left -= count;
	} while (rc == RC_OK && count == want && (limit <= 0 || left > 0));
	return rc;
}

/* ---- writing ---- */

static enum rc add_letter(
	struct store *store, const struct notice *notice, const void *letter, size_t len, struct err *err)
{
	const struct split recipient = split_address(notice->recipient),
			   message_id = split_address(notice->message_id),
			   bounce = split_address(notice->bounce_address);
	int64_t recipient_domain, message_id_domain, bounce_domain;
	enum rc rc = word_number(store, recipient.domain, &recipient_domain, err);
	if (rc == RC_OK)
		rc = word_number(store, message_id.domain, &message_id_domain, err);
	if (rc == RC_OK)
		rc = word_number(store, bounce.domain, &bounce_domain, err);
	sqlite3_stmt *stmt = NULL;
	if (rc == RC_OK) {
		stmt = sql_ready(store,
			"INSERT INTO letter (notice_id, recipient, recipient_domain, message_id,"
			" message_id_domain, bounce, bounce_domain, packed) VALUES (:id, :recipient,"
			" :recipient_domain, :message_id, :message_id_domain, :bounce, :bounce_domain,"
			" :packed)",
			err);
		rc = stmt ? RC_OK : err->rc;
	}
	if (rc == RC_OK) {
		sql_int(stmt, ":id", notice->id);
		sql_text(stmt, ":recipient", recipient.local);
		sql_int(stmt, ":recipient_domain", recipient_domain);
		sql_text(stmt, ":message_id", message_id.local);
		sql_int(stmt, ":message_id_domain", message_id_domain);
		sql_text(stmt, ":bounce", bounce.local);
		sql_int(stmt, ":bounce_domain", bounce_domain);
		sql_blob(stmt, ":packed", letter ? letter : "", len);
		rc = sql_run(store, stmt, err);
	}
	free(recipient.local);
	free(message_id.local);
	free(bounce.local);
	return rc;
}

/* What is empty gets no row; where there is one it says what is true now. */
static enum rc forget_reply(struct store *store, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt =
		sql_ready(store, "UPDATE delivery SET reply = '' WHERE notice_id = :id AND reply <> ''", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	return sql_run(store, stmt, err);
}

static enum rc note_delivery(
	struct store *store, const struct notice *notice, const char *dkim, size_t dkim_len, struct err *err)
{
	if (!dkim && !(notice->reply && *notice->reply))
		return forget_reply(store, notice->id, err);
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO delivery (notice_id, reply, dkim) VALUES (:id, :reply, :dkim) ON"
		" CONFLICT (notice_id) DO UPDATE SET reply = excluded.reply, dkim ="
		" coalesce(excluded.dkim, dkim)",
		err);
	if (!stmt)
		return err->rc;
	struct str packed = STR_INIT;
	if (dkim)
		text_pack(&packed, dkim, dkim_len);
	sql_int(stmt, ":id", notice->id);
	sql_text(stmt, ":reply", notice->reply);
	sql_blob(stmt, ":dkim", dkim ? packed.s : NULL, packed.len);
	enum rc rc = sql_run(store, stmt, err);
	str_free(&packed);
	return rc;
}

/* Notices are never deleted, and only one process writes at a time: within a transaction the next id is known. */
enum rc outbox_next_id(struct store *store, int64_t *id, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "SELECT coalesce(max(id), 0) + 1 FROM outbox", err);
	return stmt ? sql_number(store, stmt, 1, id, err) : err->rc;
}

enum rc outbox_add(struct store *store, struct notice *notice, int64_t template_set, const void *letter,
	size_t len, struct err *err)
{
	int64_t template, domain;
	enum rc rc = sql_want_transaction(store, err);
	if (rc == RC_OK)
		rc = word_number(store, notice->template_name, &template, err);
	if (rc == RC_OK)
		rc = word_number(store, notice->domain, &domain, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"INSERT INTO outbox (application_id, template, stage, resend_of, resend_no, state,"
		" queued_at, next_try_at, accepted_at, first_try_at, attempts, reply_code, domain,"
		" template_set, digest) VALUES (:application_id, :template, :stage, :resend_of,"
		" :resend_no, :state, :queued_at, :next_try_at, :accepted_at, :first_try_at, :attempts,"
		" :reply_code, :domain, :template_set, :digest) ON CONFLICT (application_id, template,"
		" resend_no) DO NOTHING",
		err);
	if (!stmt)
		return err->rc;
	sql_ref(stmt, ":application_id", notice->application_id);
	sql_int(stmt, ":template", template);
	sql_int(stmt, ":stage", notice->stage);
	sql_ref(stmt, ":resend_of", notice->resend_of);
	sql_int(stmt, ":resend_no", notice->resend_no);
	sql_int(stmt, ":state", notice->state);
	sql_int(stmt, ":queued_at", notice->queued_at);
	sql_time(stmt, ":next_try_at", notice->next_try_at);
	sql_int(stmt, ":accepted_at", notice->accepted_at);
	sql_int(stmt, ":first_try_at", notice->first_try_at);
	sql_int(stmt, ":attempts", notice->attempts);
	sql_int(stmt, ":reply_code", notice->reply_code);
	sql_int(stmt, ":domain", domain);
	sql_ref(stmt, ":template_set", template_set);
	uint8_t room[1 + SHA256_LEN];
	bind_digest(stmt, notice, room);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "application %lld already has a notice \"%s\" number %d",
			(long long)notice->application_id, notice->template_name, notice->resend_no);
	if (rc != RC_OK)
		return rc;
	notice->id = sqlite3_last_insert_rowid(store->db);
	rc = add_letter(store, notice, letter, len, err);
	if (rc == RC_OK)
		rc = message_id_keep(store, notice, err);
	if (rc == RC_OK && notice->application_id == 0)
		rc = retained_enter(store, RETAINED_STRAY, notice->id, notice->queued_at, err);
	return rc == RC_OK && notice->reply && *notice->reply ? note_delivery(store, notice, NULL, 0, err)
							      : rc;
}

enum rc outbox_update(
	struct store *store, const struct notice *notice, const char *dkim, size_t dkim_len, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"UPDATE outbox SET state = :state, next_try_at = :next_try_at, accepted_at = :accepted_at,"
		" first_try_at = :first_try_at, attempts = :attempts, reply_code = :reply_code WHERE id ="
		" :id",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", notice->id);
	sql_int(stmt, ":state", notice->state);
	sql_time(stmt, ":next_try_at", notice->next_try_at);
	sql_int(stmt, ":accepted_at", notice->accepted_at);
	sql_int(stmt, ":first_try_at", notice->first_try_at);
	sql_int(stmt, ":attempts", notice->attempts);
	sql_int(stmt, ":reply_code", notice->reply_code);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK && sqlite3_changes(store->db) == 0)
		return err_set(err, RC_REFUSED, "there is no notice %lld", (long long)notice->id);
	return rc == RC_OK ? note_delivery(store, notice, dkim, dkim_len, err) : rc;
}

static enum rc set_state(struct store *store, int64_t id, enum outbox_state state, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store, "UPDATE outbox SET state = :state WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", id);
	sql_int(stmt, ":state", state);
	return sql_run(store, stmt, err);
}

/* ---- digests of earlier versions ---- */

enum rc outbox_plain_digests(
	struct store *store, int64_t *after_id, int limit, struct notice *out, int *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT id, digest FROM outbox WHERE id > :after AND length(digest) = 32 ORDER BY id LIMIT "
		":limit",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", *after_id);
	sql_int(stmt, ":limit", limit);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		struct notice *notice = &out[(*count)++];
		*notice = (struct notice){.id = sqlite3_column_int64(stmt, 0)};
		read_digest(stmt, 1, notice);
		*after_id = notice->id;
	}
	return rc;
}

enum rc outbox_digest_set(struct store *store, const struct notice *notice, struct err *err)
{
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store, "UPDATE outbox SET digest = :digest WHERE id = :id", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":id", notice->id);
	uint8_t room[1 + SHA256_LEN];
	bind_digest(stmt, notice, room);
	return sql_run(store, stmt, err);
}

/* ---- the claim ---- */

/* What may become of a notice whose time has come. */
enum claim { CLAIM_SEND, CLAIM_LEAVE, CLAIM_CANCEL };

static enum rc suppressed(struct store *store, const char *recipient, bool *yes, struct err *err)
{
	*yes = false;
	struct mailaddr address;
	if (mailaddr_read(&address, recipient) != MAILADDR_OK)
		return RC_OK;
	struct str key = STR_INIT;
	mailaddr_key(&key, &address);
	enum rc rc = suppression_has(store, key.s, SUPPRESS_CASE_MAIL, yes, err);
	if (rc == RC_OK && !*yes)
		rc = suppression_has(store, key.s, SUPPRESS_DEAD, yes, err);
	str_free(&key);
	return rc;
}

/* The last look before a mail leaves: state, hold and suppression as they are in this very transaction. */
static enum rc judge(struct store *store, const struct notice *notice, enum claim *claim, enum state *state,
	struct err *err)
{
	*claim = CLAIM_SEND;
	*state = STATE_NONE;
	if (notice->application_id > 0) {
		sqlite3_stmt *stmt =
			sql_ready(store, "SELECT state, hold FROM application WHERE id = :id", err);
		if (!stmt)
			return err->rc;
		sql_int(stmt, ":id", notice->application_id);
		bool row;
		enum rc rc = sql_row(store, stmt, &row, err);
		if (rc != RC_OK)
			return rc;
		int hold = HOLD_STAFF;
		if (row) {
			*state = (enum state)sqlite3_column_int(stmt, 0);
			hold = sqlite3_column_int(stmt, 1);
			sql_done(stmt);
		}
		/* An answer, which belongs to no stage and repeats no letter, may speak of the end itself, or of what holds the cadence back. */
		bool answer = notice->stage == STAGE_NONE && notice->resend_of == 0;
		if (row && !state_is_live(*state) && !answer)
			*claim = CLAIM_CANCEL;
		else if (hold != HOLD_NONE && !(row && answer))
			*claim = CLAIM_LEAVE;
	}
	bool yes = false;
	enum rc rc = *claim == CLAIM_SEND ? suppressed(store, notice->recipient, &yes, err) : RC_OK;
	if (yes)
		*claim = CLAIM_LEAVE;
	return rc;
}

static enum rc cancel_ended(
	struct store *store, const struct notice *notice, enum state state, utc_time now, struct err *err)
{
	enum rc rc = set_state(store, notice->id, OUTBOX_CANCELLED, err);
	const struct history_row row = {
		.at = now,
		.application_id = notice->application_id,
		.event = EVENT_CANCEL,
		.from = state,
		.to = state,
		.ref = notice->id,
		.actor = "daemon",
	};
	return rc == RC_OK ? history_add(store, &row, err) : rc;
}

static bool skipped(const int64_t *words, size_t count, int64_t domain)
{
	for (size_t i = 0; i < count; i++)
		if (words[i] == domain)
			return true;
	return false;
}

/* Ids of waiting notices behind (*after_at, *after_id), passing over the domains that are to be skipped; the index alone is read. */
/* What the index covers alone; while a template set waits for a person its notices are looked at one by one, and passed over. */
#define SELECT_WAITING                                                                                       \
	"SELECT id, domain, next_try_at FROM outbox WHERE next_try_at IS NOT NULL AND " SQL_WAITING          \
	" AND next_try_at <= :now AND (next_try_at, id) > (:after_at, :after_id)"
#define UNHELD                                                                                               \
	" AND (template_set IS NULL OR template_set NOT IN"                                                  \
	" (SELECT template_set FROM held_batch WHERE released_at = 0 AND template_set IS NOT NULL))"
#define BY_MOMENT " ORDER BY next_try_at, id"

static enum rc next_waiting(struct store *store, bool held, utc_time now, utc_time *after_at,
	int64_t *after_id, const int64_t *skip, size_t skip_count, int64_t *ids, int most, int *count,
	struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = held ? sql_ready(store, SELECT_WAITING UNHELD BY_MOMENT, err)
				  : sql_ready(store, SELECT_WAITING BY_MOMENT, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":now", now);
	sql_int(stmt, ":after_at", *after_at);
	sql_int(stmt, ":after_id", *after_id);
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		*after_id = sqlite3_column_int64(stmt, 0);
		*after_at = sqlite3_column_int64(stmt, 2);
		if (skipped(skip, skip_count, sqlite3_column_int64(stmt, 1)))
			continue;
		ids[(*count)++] = *after_id;
		if (*count == most) {
			sql_done(stmt);
			break;
		}
	}
	return rc;
}

static enum rc claim_one(struct store *store, int64_t id, utc_time now, struct notice *out, bool *claimed,
	struct pool *pool, struct err *err)
{
	enum claim claim = CLAIM_LEAVE;
	enum state state = STATE_NONE;
	*claimed = false;
	enum rc rc = outbox_get(store, id, out, pool, err);
	if (rc == RC_OK)
		rc = judge(store, out, &claim, &state, err);
	if (rc != RC_OK || claim == CLAIM_LEAVE)
		return rc;
	if (claim == CLAIM_CANCEL)
		return cancel_ended(store, out, state, now, err);
	rc = set_state(store, id, OUTBOX_SENDING, err);
	out->state = OUTBOX_SENDING;
	*claimed = rc == RC_OK;
	return rc;
}

/* What is done with one that waits; taken: `out` has it. */
typedef enum rc waiting_fn(struct store *store, int64_t id, utc_time now, struct notice *out, bool *taken,
	struct pool *pool, struct err *err);

static enum rc look_one(struct store *store, int64_t id, utc_time now, struct notice *out, bool *taken,
	struct pool *pool, struct err *err)
{
	(void)now;
	enum rc rc = outbox_get(store, id, out, pool, err);
	*taken = rc == RC_OK;
	return rc;
}

static enum rc take_waiting(struct store *store, utc_time now, int limit, const int64_t *skip,
	size_t skip_count, waiting_fn *fn, struct notice *out, int *count, struct pool *pool, struct err *err)
{
	utc_time after_at = INT64_MIN;
	int64_t after_id = 0, ids[BATCH], held = 0;
	int most, found;
	enum rc rc = held_batch_open(store, BATCH_TEMPLATES, &held, err);
	if (rc != RC_OK)
		return rc;
	do {
		most = limit - *count < BATCH ? limit - *count : BATCH;
		rc = next_waiting(store, held != 0, now, &after_at, &after_id, skip, skip_count, ids, most,
			&found, err);
		for (int i = 0; rc == RC_OK && i < found; i++) {
			bool taken;
			rc = fn(store, ids[i], now, &out[*count], &taken, pool, err);
			*count += taken;
		}
		if (rc != RC_OK)
			return rc;
	} while (found == most && *count < limit);
	return RC_OK;
}

static enum rc take_unskipped(struct store *store, utc_time now, int limit, const char *const *skip_domain,
	waiting_fn *fn, struct notice *out, int *count, struct pool *pool, struct err *err)
{
	enum rc rc = RC_OK;
	size_t skip_count = 0;
	while (skip_domain && skip_domain[skip_count])
		skip_count++;
	int64_t *skip = xcalloc(skip_count, sizeof *skip);
	for (size_t i = 0; rc == RC_OK && i < skip_count; i++)
		rc = word_find(store, skip_domain[i], &skip[i], err);
	if (rc == RC_OK && limit > 0)
		rc = take_waiting(store, now, limit, skip, skip_count, fn, out, count, pool, err);
	free(skip);
	return rc;
}

enum rc outbox_claim(struct store *store, utc_time now, int limit, const char *const *skip_domain,
	struct notice *out, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	enum rc rc = sql_want_transaction(store, err);
	return rc ? rc : take_unskipped(store, now, limit, skip_domain, claim_one, out, count, pool, err);
}

enum rc outbox_waiting(struct store *store, utc_time now, int limit, const char *const *skip_domain,
	struct notice *out, int *count, struct pool *pool, struct err *err)
{
	*count = 0;
	return take_unskipped(store, now, limit, skip_domain, look_one, out, count, pool, err);
}

enum rc outbox_cancel(
	struct store *store, int64_t application_id, int *cancelled, int *in_flight, struct err *err)
{
	*cancelled = *in_flight = 0;
	enum rc rc = sql_want_transaction(store, err);
	if (rc != RC_OK)
		return rc;
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT count(*) FROM outbox WHERE application_id = :application_id AND state IN (2, 4)",
		err);
	if (!stmt)
		return err->rc;
	int64_t flying;
	sql_int(stmt, ":application_id", application_id);
	rc = sql_number(store, stmt, 0, &flying, err);
	if (rc != RC_OK)
		return rc;
	*in_flight = (int)flying;
	stmt = sql_ready(store,
		"UPDATE outbox SET state = 6 WHERE application_id = :application_id AND state = 1", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":application_id", application_id);
	rc = sql_run(store, stmt, err);
	if (rc == RC_OK)
		*cancelled = sqlite3_changes(store->db);
	return rc;
}

/* ---- counting ---- */

enum rc outbox_next_try(struct store *store, utc_time after, utc_time *at, struct err *err)
{
	sqlite3_stmt *stmt = sql_ready(store,
		"SELECT min(next_try_at) FROM outbox WHERE next_try_at > :after AND " SQL_WAITING, err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":after", after);
	return sql_number(store, stmt, UTC_NEVER, at, err);
}

enum rc outbox_count(struct store *store, int64_t count[OUTBOX_CANCELLED + 1], struct err *err)
{
	memset(count, 0, (OUTBOX_CANCELLED + 1) * sizeof *count);
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT state, count(*) FROM outbox WHERE " SQL_UNSENT " GROUP BY state", err);
	if (!stmt)
		return err->rc;
	int64_t rest = 0;
	bool row;
	enum rc rc;
	while ((rc = sql_row(store, stmt, &row, err)) == RC_OK && row) {
		int state = sqlite3_column_int(stmt, 0);
		if (state > 0 && state <= OUTBOX_CANCELLED)
			count[state] = sqlite3_column_int64(stmt, 1);
		rest += sqlite3_column_int64(stmt, 1);
	}
	if (rc != RC_OK)
		return rc;
	/* What was sent is the bulk; counting all of an index is cheaper than looking at each row's state. */
	stmt = sql_ready(store, "SELECT count(*) FROM outbox", err);
	int64_t all = 0;
	rc = stmt ? sql_number(store, stmt, 0, &all, err) : err->rc;
	count[OUTBOX_SENT] = all - rest;
	return rc;
}

enum rc outbox_queued(struct store *store, int64_t *count, struct err *err)
{
	*count = 0;
	sqlite3_stmt *stmt = sql_ready(
		store, "SELECT number FROM standing WHERE what = 2 AND hold = 0 AND state = :state", err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":state", OUTBOX_QUEUED);
	return sql_number(store, stmt, 0, count, err);
}

enum rc outbox_sent_since(
	struct store *store, utc_time since, const char *domain, int64_t *count, struct err *err)
{
	int64_t word = 0;
	*count = 0;
	if (domain) {
		enum rc rc = word_find(store, domain, &word, err);
		if (rc != RC_OK || word == 0)
			return rc;
	}
	sqlite3_stmt *stmt = sql_ready(store,
		/* In this order: the index is entered at the first of the two bounds, and the other one is there to have it at all. */
		"SELECT count(*) FROM outbox WHERE accepted_at >= :since AND accepted_at > 0"
		" AND (:domain = 0 OR domain = :domain)",
		err);
	if (!stmt)
		return err->rc;
	sql_int(stmt, ":since", since);
	sql_int(stmt, ":domain", word);
	return sql_number(store, stmt, 0, count, err);
}
