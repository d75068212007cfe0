/*
 * multiply.c - a very large register out of a large one, for measuring alone
 *
 * multiply REGISTER TIMES: lays copies of all declarations behind those of a register that tests/peers/fill.c made, until there are TIMES as many: applications, forms, numbers, history,
 * notices, letters, public list and search, each under numbers and keys of its own. Declaration IDs and user numbers follow the rule of fill.c, domains of applicants get a
 * label of their own. What does not hold any more: the hashes of the copied history (each is the one of the row it was copied from), so an audit finds its first copy, and names: each
 * business is there TIMES times. Received mails and requests, files and reckoned days stay those of the first. Indices are built when all rows are there.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/store/grams.h"

#define STEP_DECLARATION "6180339887" /* fill.c, give_numbers() */
#define STEP_USER "618033989"

static sqlite3 *db;

static void run(const char *sql)
{
	char *text = NULL;
	if (sqlite3_exec(db, sql, NULL, NULL, &text) != SQLITE_OK)
		die("%s: %s", text, sql);
}

static int64_t number(const char *sql)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK || sqlite3_step(stmt) != SQLITE_ROW)
		die("%s: %s", sqlite3_errmsg(db), sql);
	int64_t value = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return value;
}

/* ---- indices and triggers: taken away, and made again at the end ---- */

struct made {
	char *name, *type, *sql;
};

static struct made made[64];
static int made_count;

static void take_away(void)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db,
		    "SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL AND (type = 'trigger' OR"
		    " (type = 'index' AND tbl_name IN ('application', 'history', 'outbox', 'identity',"
		    " 'published', 'retained')))",
		    -1, &stmt, NULL) != SQLITE_OK)
		die("%s", sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		if (made_count == (int)(sizeof made / sizeof *made))
			die("more indices than expected");
		made[made_count++] = (struct made){xstrdup((const char *)sqlite3_column_text(stmt, 0)),
			xstrdup((const char *)sqlite3_column_text(stmt, 1)),
			xstrdup((const char *)sqlite3_column_text(stmt, 2))};
	}
	(void)sqlite3_finalize(stmt);
	for (int i = 0; i < made_count; i++) {
		struct str sql = STR_INIT;
		str_printf(&sql, "DROP %s %s", made[i].type, made[i].name);
		run(sql.s);
		str_free(&sql);
	}
}

static void make_again(void)
{
	for (int i = 0; i < made_count; i++) {
		run(made[i].sql);
		free(made[i].name);
		free(made[i].type);
		free(made[i].sql);
	}
}

/* ---- a copy ---- */

/* Names in braces stand for what the copy adds: {A} to numbers of applications, {N} of notices, {H} of history rows, {W} of words, {B} to keys of search blocks; {k} is the
 * copy's number, {a0} … the highest of the first. */
static const char *const copy[] = {
	"INSERT INTO word SELECT id + {W}, 'c{k}.' || text FROM word WHERE id <= {w0} AND id IN"
	" (SELECT domain FROM outbox WHERE id <= {n0})",
	"INSERT INTO application SELECT id + {A}, state, hold, kind, type, star, stage, approved, due_at, "
	"latest_at, previous_sent_at, received_at, applied_on, clock_start,"
	" 40000000000 + (declaration_id - 40000000000 + {A} * " STEP_DECLARATION ") % 10000000000,"
	" 9000000000 + (user_number - 9000000000 + {A} * " STEP_USER ") % 1000000000,"
	" id_issued_on, logo_authorized_on, stopped_on, linked_id + {A}, file_id, row, profile, template_set,"
	" CAST(substr(key, 1, 8) || printf('%08x', {k}) AS BLOB), CAST(substr(mail, 1, 8) ||"
	" printf('%08x', {k}) AS BLOB) FROM application WHERE id <= {a0}",
	"INSERT INTO application_payload SELECT application_id + {A}, salt, form, row_digest, hold_reason "
	"FROM"
	" application_payload WHERE application_id <= {a0}",
	/* The other way round from the applications, since each number belongs to one of them. */
	"INSERT OR IGNORE INTO number SELECT declaration_id, 1, id, received_at, NULL FROM application"
	" WHERE id > {A} AND declaration_id IS NOT NULL AND linked_id IS NULL",
	"INSERT OR IGNORE INTO number SELECT user_number, 2, id, received_at, NULL FROM application"
	" WHERE id > {A} AND user_number IS NOT NULL AND linked_id IS NULL",
	"INSERT INTO history SELECT seq + {H}, at, iif(application_id > 0, application_id + {A}, 0), event,"
	" from_state, to_state, iif(event IN ({queue}, {sent}), ref + {N}, ref), number, actor, payload, "
	"form,"
	" hash FROM history WHERE seq <= {h0}",
	"INSERT INTO history_payload SELECT seq + {H}, salt, actor, note FROM history_payload"
	" WHERE seq <= {h0}",
	"INSERT INTO outbox SELECT id + {N}, application_id + {A}, template, stage, resend_of + {N},"
	" resend_no, state, queued_at, next_try_at, accepted_at, first_try_at, attempts, reply_code,"
	" domain + {W}, template_set, digest FROM outbox WHERE id <= {n0}",
	"INSERT INTO letter SELECT notice_id + {N}, recipient, recipient_domain + {W}, message_id,"
	" message_id_domain, bounce, bounce_domain, packed FROM letter WHERE notice_id <= {n0}",
	"INSERT INTO delivery SELECT notice_id + {N}, reply, dkim FROM delivery WHERE notice_id <= {n0}",
	"INSERT INTO identity SELECT application_id + {A}, CAST(substr(digest, 1, 4) || printf('%04x', {k})"
	" AS BLOB) FROM identity WHERE application_id <= {a0}",
	"INSERT INTO published SELECT application_id + {A}, since, until, payload FROM published"
	" WHERE application_id <= {a0}",
	"INSERT INTO retained SELECT kind, id + {A}, since FROM retained WHERE kind IN ({survey}, {letter}, "
	"{ended})"
	" AND id <= {a0}",
	"INSERT INTO search_block SELECT id + {B}, grams FROM search_block WHERE id < {b0}",
	/* What is not in a block yet is the newest alone; the same of the copies before can be found by number only. */
	"UPDATE search_text SET application_id = application_id + {A0}",
};

struct place {
	const char *name;
	int64_t value;
};

static void fill_in(struct str *out, const char *sql, const struct place *places)
{
	for (const char *at = sql; *at; at++) {
		const char *end = *at == '{' ? strchr(at, '}') : NULL;
		const struct place *place = places;
		while (end && place->name &&
			(strlen(place->name) != (size_t)(end - at - 1) ||
				strncmp(place->name, at + 1, (size_t)(end - at - 1)) != 0))
			place++;
		if (end && !place->name)
			die("unknown name: %s", at);
		if (!end) {
			str_addc(out, *at);
			continue;
		}
		str_printf(out, "%" PRId64, place->value);
		at = end;
	}
}

int main(int argc, char **argv)
{
	if (argc != 3)
		die("usage: multiply REGISTER TIMES");
	if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK)
		die("%s: %s", argv[1], sqlite3_errmsg(db));
	/* Cut short it is of no use: it is made anew. */
	run("PRAGMA foreign_keys = OFF; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA"
	    " locking_mode = EXCLUSIVE; PRAGMA cache_size = -1000000; PRAGMA threads = 2");
	take_away();
	int64_t a0 = number("SELECT max(id) FROM application"), n0 = number("SELECT max(id) FROM outbox"),
		h0 = number("SELECT max(seq) FROM history"), w0 = number("SELECT max(id) FROM word"),
		b0 = number("SELECT max(id) FROM search_block"), times = strtoll(argv[2], NULL, 10);
	int64_t step = (a0 / GRAM_SLOTS + 1) * GRAM_SLOTS; /* whole blocks of the search */
	for (int64_t k = 1; k < times; k++) {
		const struct place places[] = {{"k", k}, {"A", k * step}, {"A0", step}, {"N", k * n0},
			{"H", k * h0}, {"W", k * w0}, {"B", (k * step / GRAM_SLOTS) << GRAM_BITS}, {"a0", a0},
			{"n0", n0}, {"h0", h0}, {"w0", w0}, {"b0", b0 + 1}, {"queue", EVENT_QUEUE},
			{"sent", EVENT_SENT}, {"survey", RETAINED_SURVEY}, {"letter", RETAINED_LETTER},
			{"ended", RETAINED_ENDED}, {0}};
		run("BEGIN");
		for (size_t i = 0; i < sizeof copy / sizeof *copy; i++) {
			struct str sql = STR_INIT;
			fill_in(&sql, copy[i], places);
			run(sql.s);
			str_free(&sql);
		}
		run("COMMIT");
	}
	make_again();
	run("DELETE FROM standing; INSERT INTO standing" SQL_STANDING);
	run("PRAGMA journal_mode = WAL");
	(void)sqlite3_close(db);
	return 0;
}
