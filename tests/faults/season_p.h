/*
 * season_p.h - the private parts of a season
 *
 *   season.c        the plan, made from the seed, and carrying it out when its time comes
 *   season_form.c   form files as applicants' agents and staff make them
 *   season_mail.c   mails as applicants, strangers and machines write them
 *   season_staff.c  decisions of staff
 */
#ifndef SENGEN_TESTS_SEASON_P_H
#define SENGEN_TESTS_SEASON_P_H

#include "lib/base/str.h"
#include "lib/register.h"
#include "tests/faults/season.h"

#define BUSINESSES_MAX 6
#define FILES_MAX 3
#define FILE_ROWS_MAX 8
#define EVENTS_MAX 96

enum row_kind {
	ROW_GOOD,
	ROW_NUMBER, /* 法人番号 with a wrong check digit */
	ROW_MAIL, /* two different addresses */
	ROW_EMPTY, /* no pledge */
};

struct season_business {
	char number[16], name[64], mail[64], later_mail[64];
	bool sole; /* 個人事業主 */
	int star;
	int dropped; /* files with its good row that were wholly dropped */
	/* Staff saw the end of this application confirmed (0: of none) when the server had so many mails: what it takes later may only confirm it. */
	int64_t ended_id;
	size_t ended_at;
	bool later_mail_entered; /* the new address may be in the register */
	size_t replied; /* mails of the server that were looked at for a token */
};

struct season_row {
	int business;
	enum row_kind kind;
};

struct season_file {
	char name[64];
	enum file_format { FORMAT_CSV_CP932, FORMAT_CSV_UTF8, FORMAT_JSON, FORMAT_TEXT } format;
	struct season_row row[FILE_ROWS_MAX];
	int rows;
	char *bytes; /* in memory shared with the lives */
	size_t len;
	int dropped;
	int tried; /* copies begun: one that failed at its end may lie there all the same */
};

enum season_kind {
	SEASON_DROP, /* by rename */
	SEASON_DROP_HALF, /* a copy that is not finished yet */
	SEASON_DROP_REST,
	SEASON_STOP_BODY,
	SEASON_STOP_WORD,
	SEASON_STOP_FORGED, /* a stranger's: nobody will reply to what is asked */
	SEASON_REPLY, /* whatever asks to be confirmed */
	SEASON_RESEND,
	SEASON_CHANGE,
	SEASON_NEWS_OFF,
	SEASON_ENQUIRY,
	SEASON_NOT_MINE,
	SEASON_BOUNCE,
	SEASON_AUTO_REPLY,
	SEASON_POISON,
	SEASON_RENUMBER,
	SEASON_STAFF_STOP,
	SEASON_STAFF_HOLD,
	SEASON_STAFF_RELEASE,
	SEASON_STAFF_APPROVE,
	SEASON_STAFF_REJECT,
	SEASON_STAFF_CORRECT,
	SEASON_STAFF_UNDO,
	SEASON_STAFF_RESEND,
	SEASON_STAFF_MOVE,
	SEASON_STAFF_CLOSE, /* requests in review */
	SEASON_BATCHES,
	SEASON_PAUSE,
	SEASON_RESUME,
	SEASON_KINDS
};

struct season_event {
	utc_time at;
	enum season_kind kind;
	int who; /* business or file */
	int tries;
	bool begun, done;
};

struct season {
	char directory[256], config[320], incoming[320];
	utc_time start, end;
	struct season_business business[BUSINESSES_MAX];
	int businesses;
	struct season_file file[FILES_MAX];
	int files;
	struct season_event event[EVENTS_MAX];
	int events;
	int mails; /* written so far: numbers their Message-IDs */
	bool sending_paused;
};
extern struct season *season;

const char *season_kind_name(enum season_kind kind);

/* ---- season_form.c ---- */
void season_make_business(struct season_business *business, int number);
void season_make_file(struct season_file *file); /* bytes from its rows */
/* As staff copy a file into the folder: on the disk, or errno. `until`: so many bytes of it; a whole one gets its name by rename. */
int season_drop(const struct season_file *file, size_t until);

/* ---- season_mail.c ---- */
/* Writes the mail of an event into the mailbox. False: its time has not come, for it needs what is not there yet (an ID, a mail to reply to). */
bool season_write_mail(struct turn *turn, const struct season_event *event);

/* ---- season_staff.c ---- */
/* False: it could not be decided (the register is in trouble); try again later. */
bool season_decide(struct turn *turn, const struct season_event *event);
/* The application of a business that counts: the live one, else the last; id 0: none. Strings in the pool. */
enum rc season_application(struct turn *turn, const struct season_business *business, struct application *out,
	struct pool *pool, struct err *err);

#endif
