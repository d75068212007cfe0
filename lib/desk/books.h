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
	DIFFERENCE_ARCHIVE, /* a file's archive is gone or changed */
	DIFFERENCE_REGISTERED, /* rows that were accepted and applications on file */
	DIFFERENCE_STAGE, /* the sum of a stage */
	DIFFERENCE_NOT_LOGGED, /* the register says sent, the transport's log does not */
	DIFFERENCE_NOT_BOOKED, /* the transport's log says sent, the register does not */
	DIFFERENCE_ORPHAN, /* a notice, number or request that belongs to nobody */
};
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
	struct balance_stage *stage; /* in the pool; stage_count of them */
	int stage_count;
	int64_t logged, booked; /* notices sent, by the transport's log and by the register */
	int64_t differences;
	int64_t head_seq; /* of the history, with its hash */
	uint8_t head[SHA256_LEN];
};
/* Reckons the books as of now; fn gets each difference. A store opened for reading is enough. Costs a pass over the sent log of the days that are not settled yet. */
enum rc books_balance(struct office *office, struct balance *out, difference_fn *fn, void *ctx,
	struct pool *pool, struct err *err);

/* ---- the transport's own log: state_directory/sent.log, a line a mail that the server took, appended by the sender before it writes the register ---- */
/* "2026-11-22T10:00:00Z 12345 250\n": moment, notice, reply. */
enum rc sent_log_add(
	const struct settings *settings, utc_time at, int64_t notice_id, int reply_code, struct err *err);

#endif
