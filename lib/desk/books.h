/*
 * books.h - the evening's books: does everything that came in stand somewhere? (rule 6 of the cadence, F78, N25)
 *
 * Three sides that do not know of each other are put beside each other: the archived inputs, whose rows are counted anew; the register; and the transport's own log
 * (sent_log.h), which the sender writes beside the register. Per stage: received = unconfirmed + waiting + held + review + queued + sent + unknown + failed + ended.
 * What does not fit is named: which file, application or notice.
 */
#ifndef SENGEN_BOOKS_H
#define SENGEN_BOOKS_H

#include "lib/office/office.h"

enum difference_kind {
	DIFFERENCE_ROWS, /* a file's archive has another number of rows than were taken */
	DIFFERENCE_ARCHIVE, /* a file's archive is gone, changed or unreadable */
	DIFFERENCE_REGISTERED, /* rows that were accepted and applications on file */
	DIFFERENCE_STAGE, /* a stage is behind an application, and there is no notice of it */
	DIFFERENCE_NOT_LOGGED, /* the register says sent, the transport's log does not */
	DIFFERENCE_NOT_BOOKED, /* the transport's log says sent, the register does not */
	DIFFERENCE_TWICE, /* the transport's log says sent more often than the register can account for */
	DIFFERENCE_ORPHAN, /* a notice, number or request that belongs to nobody */
};
const char *difference_name(enum difference_kind kind); /* "rows", … */

struct difference {
	enum difference_kind kind;
	int64_t about; /* file, application or notice; 0: none */
	int64_t expected, found;
	const char *text; /* in the language of the process; until fn returns */
};
typedef enum rc difference_fn(void *ctx, const struct difference *difference, struct err *err);

struct balance_stage {
	const char *profile; /* in the pool */
	int stage;
	const char *template_name;
	struct stage_books books;
};
struct balance {
	utc_time at;
	struct row_books rows;
	struct balance_stage *stage; /* in the pool; stage_count of them, by profile */
	int stage_count;
	utc_time since; /* what was sent before was settled on an earlier evening */
	int64_t logged, booked; /* notices sent since, by the transport's log and by the register */
	int64_t open; /* in the log, while the register does not know yet, or says unknown: no difference */
	int64_t differences; /* all of them; fn gets 1000 of a kind at most */
	bool log_fits; /* none of them is between log and register */
	int64_t head_seq; /* of the history, with its hash */
	uint8_t head[SHA256_LEN];
};
/* Reckons the books as of now; fn gets each difference. A store opened for reading is enough. Costs a pass over the register and over the sent log of the days that are not
 * settled yet. */
enum rc books_balance(struct office *office, struct balance *out, difference_fn *fn, void *ctx,
	struct pool *pool, struct err *err);

/* ---- what the evening found, for digest and health ---- */
struct books_result {
	utc_time at; /* 0: the books were never balanced */
	int64_t differences;
	int64_t head_seq;
	char head[2 * SHA256_LEN + 1]; /* hex */
};
enum rc books_last(struct office *office, struct books_result *out, struct err *err);
/* Keeps the result; where log and register fit, what was sent before today is settled and not looked at again (after two months in any case). In the caller's
 * transaction. What a clock that was ahead had settled is compared again. */
enum rc books_keep(struct office *office, const struct balance *balance, struct err *err);
/* From here on the transport's log is complete: called when the desk first works on a register, which may have sent before there was such a log. In the caller's
 * transaction; changes nothing later on. */
enum rc books_begin(struct office *office, struct err *err);
/* A register that was put back: the log up to then speaks of notices whose numbers are given out again. In the caller's transaction. */
enum rc books_begin_anew(struct office *office, utc_time from, struct err *err);

#endif
