#include "tests/faults/season_p.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/err.h"
#include "lib/base/file.h"
#include "tests/faults/fault.h"
#include "tests/faults/peer.h"

#define DAY 86400
#define TRIES_MAX 12 /* until an event that needs what never comes is given up */
#define WEEKS_SECONDS (42 * DAY)

struct season *season;

static const char *const names[SEASON_KINDS] = {
	[SEASON_DROP] = "drop",
	[SEASON_DROP_HALF] = "drop-half",
	[SEASON_DROP_REST] = "drop-rest",
	[SEASON_STOP_BODY] = "stop-body",
	[SEASON_STOP_WORD] = "stop-word",
	[SEASON_STOP_FORGED] = "stop-forged",
	[SEASON_REPLY] = "reply",
	[SEASON_RESEND] = "resend",
	[SEASON_CHANGE] = "change",
	[SEASON_NEWS_OFF] = "news-off",
	[SEASON_ENQUIRY] = "enquiry",
	[SEASON_NOT_MINE] = "not-mine",
	[SEASON_BOUNCE] = "bounce",
	[SEASON_AUTO_REPLY] = "auto-reply",
	[SEASON_POISON] = "poison",
	[SEASON_RENUMBER] = "renumber",
	[SEASON_STAFF_STOP] = "stop",
	[SEASON_STAFF_HOLD] = "hold",
	[SEASON_STAFF_RELEASE] = "release",
	[SEASON_STAFF_APPROVE] = "approve",
	[SEASON_STAFF_REJECT] = "reject",
	[SEASON_STAFF_CORRECT] = "correct",
	[SEASON_STAFF_UNDO] = "undo",
	[SEASON_STAFF_RESEND] = "resend-by-staff",
	[SEASON_STAFF_MOVE] = "move",
	[SEASON_STAFF_CLOSE] = "close-requests",
	[SEASON_BATCHES] = "release-batches",
	[SEASON_PAUSE] = "pause",
	[SEASON_RESUME] = "resume",
};

const char *season_kind_name(enum season_kind kind)
{
	return names[kind];
}

/* ---- the office's settings ---- */

static const char config_text[] =
	"spool_directory = \"spool\";\nstate_directory = \"state\";\nruntime_directory = \"run\";\n"
	"contact_mail = \"security-action-info@sa.example.jp\";\nbounce_mail = "
	"\"bounce@sa.example.jp\";\n"
	"credential_key_from = \"key\";\ndisk_floor_mib = 0;\nreport_minutes = 0;\n"
	"logo = ( { star = 1; url = \"https://www.ipa.go.jp/files/star1.zip\"; password_from = \"logo\"; },\n"
	"  { star = 2; url = \"https://www.ipa.go.jp/files/star2.zip\"; password_from = \"logo\"; } );\n"
	"transport : { maildir = false; host = \"mail.sa.example.jp\"; auth = \"plain\"; user = \"office\"; "
	"password_from = \"secret\"; };\n"
	"mailbox : { maildir = false; host = \"mail.sa.example.jp\"; user = \"office\"; password_from = "
	"\"secret\"; "
	"sent = \"送信済み\"; };\n"
	"authserv_id = \"mail.sa.example.jp\";\n"
	"desk_mail = ( \"desk@sa.example.jp\" );\nalarm_mail = ( \"admin@sa.example.jp\" );\n";

static void write_setting(const char *name, const char *text)
{
	struct str path = STR_INIT;
	struct err err = {0};
	path_join(&path, season->directory, name);
	if (file_write(path.s, text, strlen(text), 0600, &err))
		die("%s", err.text);
	str_free(&path);
}

static void make_places(const char *directory)
{
	static const char *const places[] = {"", "/spool", "/spool/incoming", "/state", "/run"};
	(void)snprintf(season->directory, sizeof season->directory, "%s", directory);
	(void)snprintf(season->config, sizeof season->config, "%s/sengend.conf", directory);
	(void)snprintf(season->incoming, sizeof season->incoming, "%s/spool/incoming", directory);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		char path[400];
		struct err err = {0};
		(void)snprintf(path, sizeof path, "%s%s", directory, places[i]);
		if (i && mkdir(path, 0750) != 0 && errno != EEXIST)
			die("%s can't be made", path);
		if (i && file_sync_dir(directory, &err))
			die("%s", err.text);
	}
	struct err err = {0};
	char spool[400];
	(void)snprintf(spool, sizeof spool, "%s/spool", directory);
	if (file_sync_dir(spool, &err))
		die("%s", err.text);
	write_setting("sengend.conf", config_text);
	write_setting("key", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	write_setting("logo", "Sample-Zip-77\n");
	write_setting("secret", "geheim\n");
}

/* ---- the plan ---- */

static struct season_event *plan(utc_time at, enum season_kind kind, int who)
{
	if (season->events == EVENTS_MAX)
		die("more events than EVENTS_MAX");
	struct season_event *event = &season->event[season->events++];
	*event = (struct season_event){.at = at, .kind = kind, .who = who};
	return event;
}

static utc_time some_time(int from_day, int days)
{
	return season->start + from_day * DAY + (utc_time)fault_draw((uint64_t)days * DAY);
}

static void plan_rows(struct season_file *file, int *next)
{
	while (*next < season->businesses && file->rows < 3 && (file->rows == 0 || fault_draw(3)))
		file->row[file->rows++] = (struct season_row){.business = (*next)++};
	for (uint64_t more = fault_draw(4); more > 0 && file->rows < FILE_ROWS_MAX; more--) {
		struct season_row row = {.business = (int)fault_draw((uint64_t)*next),
			.kind = (enum row_kind)fault_draw(4)}; /* good: a row twice */
		if (row.kind == ROW_NUMBER && season->business[row.business].sole)
			row.kind = ROW_MAIL;
		file->row[file->rows++] = row;
	}
}

static void plan_files(void)
{
	int next = 0;
	season->files = 1 + (int)fault_draw(FILES_MAX);
	for (int i = 0; i < season->files; i++) {
		struct season_file *file = &season->file[i];
		file->format = (enum file_format)fault_draw(4);
		plan_rows(file, &next);
		if (i + 1 == season->files)
			while (next < season->businesses)
				file->row[file->rows++] = (struct season_row){.business = next++};
		/* Text holds one form. */
		if (file->format == FORMAT_TEXT && file->rows > 1)
			file->format = FORMAT_CSV_CP932;
		season_make_file(file);
		utc_time at = some_time(0, 7);
		if (fault_draw(4) == 0) {
			(void)plan(at, SEASON_DROP_HALF, i);
			(void)plan(at + (utc_time)fault_draw(9), SEASON_DROP_REST, i);
		} else {
			(void)plan(at, SEASON_DROP, i);
		}
		if (fault_strikes(FAULT_TWICE, "file") || fault_draw(4) == 0)
			(void)plan(at + (utc_time)fault_draw(20 * DAY), SEASON_DROP, i);
	}
	if (season->files > 1 && fault_strikes(FAULT_ORDER, "file")) {
		utc_time at = season->event[0].at;
		season->event[0].at = season->event[1].at;
		season->event[1].at = at;
	}
}

/* An application's way: most go through, some are stopped, held, corrected, resent … */
static void plan_business(int who)
{
	utc_time at = some_time(10, 25);
	switch (fault_draw(14)) {
	case 0:
	case 1:
		(void)plan(at, (enum season_kind)(SEASON_STOP_BODY + fault_draw(2)), who);
		(void)plan(at + 3600 + (utc_time)fault_draw(4 * DAY), SEASON_REPLY, who);
		break;
	case 2:
		(void)plan(at, SEASON_STOP_FORGED, who);
		break;
	case 3:
		(void)plan(some_time(0, 30), SEASON_STAFF_STOP, who);
		if (fault_draw(3) == 0)
			(void)plan(season->event[season->events - 1].at + (utc_time)fault_draw(DAY),
				SEASON_STAFF_UNDO, who);
		break;
	case 4:
		at = some_time(1, 20);
		(void)plan(at, SEASON_STAFF_HOLD, who);
		(void)plan(at + (utc_time)fault_draw(10 * DAY), SEASON_STAFF_RELEASE, who);
		break;
	case 5:
		(void)plan(some_time(1, 20), SEASON_STAFF_REJECT, who);
		break;
	case 6:
		(void)plan(some_time(1, 30), SEASON_STAFF_CORRECT, who);
		break;
	case 7:
		(void)plan(at, SEASON_CHANGE, who);
		(void)plan(at + 3600 + (utc_time)fault_draw(3 * DAY), SEASON_REPLY, who);
		(void)plan(at + 4 * DAY, SEASON_REPLY, who);
		break;
	case 8:
		(void)plan(some_time(1, 12), SEASON_STAFF_MOVE, who);
		break;
	case 9:
		(void)plan(some_time(3, 30), SEASON_BOUNCE, who);
		(void)plan(some_time(3, 30), SEASON_BOUNCE, who);
		break;
	default:
		break;
	}
	for (uint64_t more = fault_draw(3); more > 0; more--) {
		static const enum season_kind others[] = {SEASON_RESEND, SEASON_NEWS_OFF, SEASON_ENQUIRY,
			SEASON_NOT_MINE, SEASON_AUTO_REPLY, SEASON_POISON, SEASON_STAFF_RESEND,
			SEASON_STAFF_APPROVE};
		(void)plan(some_time(2, 35), others[fault_draw(sizeof others / sizeof *others)], who);
	}
}

static void plan_office(void)
{
	if (fault_draw(3) == 0) {
		utc_time at = some_time(2, 25);
		(void)plan(at, SEASON_PAUSE, 0);
		(void)plan(at + (utc_time)fault_draw(5 * DAY), SEASON_RESUME, 0);
	}
	for (uint64_t times = fault_draw(3); times > 0; times--)
		(void)plan(some_time(0, 40), SEASON_RENUMBER, 0);
	for (uint64_t times = fault_draw(3); times > 0; times--)
		(void)plan(some_time(10, 30), SEASON_STAFF_CLOSE, 0);
	(void)plan(season->start + WEEKS_SECONDS - DAY, SEASON_BATCHES, 0);
}

static int by_time(const void *a, const void *b)
{
	const struct season_event *one = a, *two = b;
	if (one->at != two->at)
		return one->at < two->at ? -1 : 1;
	return one->kind != two->kind ? (one->kind < two->kind ? -1 : 1) : one->who - two->who;
}

void season_new(const char *directory)
{
	season = mmap(NULL, sizeof *season, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (season == MAP_FAILED)
		die("no memory for a season");
	struct err err = {0};
	if (civil_zone_set("Asia/Tokyo", &err))
		die("%s", err.text);
	/* A Monday in spring, with holidays ahead, or before the end of a year. */
	season->start = civil_moment(
		fault_draw(2) ? civil_from_ymd(2026, 4, 13) : civil_from_ymd(2026, 12, 7), 8 * 60);
	season->end = season->start + WEEKS_SECONDS;
	make_places(directory);
	season->businesses = 2 + (int)fault_draw(BUSINESSES_MAX - 1);
	for (int i = 0; i < season->businesses; i++)
		season_make_business(&season->business[i], i);
	plan_files();
	for (int i = 0; i < season->businesses; i++)
		plan_business(i);
	plan_office();
	qsort(season->event, (size_t)season->events, sizeof *season->event, by_time);
	for (int i = 0; i < season->events; i++)
		fault_trace("plan %lld %s %d", (long long)(season->event[i].at - season->start),
			names[season->event[i].kind], season->event[i].who);
}

void season_free(void)
{
	for (int i = 0; i < season->files; i++)
		(void)munmap(season->file[i].bytes, season->file[i].len);
	(void)munmap(season, sizeof *season);
	season = NULL;
}

const char *season_config(void)
{
	return season->config;
}

utc_time season_start(void)
{
	return season->start;
}

utc_time season_end(void)
{
	return season->end;
}

utc_time season_next(void)
{
	utc_time next = UTC_NEVER;
	for (int i = 0; i < season->events; i++)
		if (!season->event[i].done && season->event[i].at < next)
			next = season->event[i].at;
	return next;
}

/* ---- carrying it out ---- */

static void note_dropped(struct season_file *file)
{
	file->dropped++;
	for (int i = 0; i < file->rows; i++)
		if (file->row[i].kind == ROW_GOOD)
			season->business[file->row[i].business].dropped++;
}

static bool drop(const struct season_event *event)
{
	struct season_file *file = &season->file[event->who];
	bool half = event->kind == SEASON_DROP_HALF;
	if (half && file->tried)
		return true; /* the whole one came before it */
	file->tried += !half;
	int error = season_drop(file, half ? file->len / 2 : file->len);
	fault_trace("%s %s: %s", names[event->kind], file->name, error ? strerror(error) : "done");
	if (!error && !half)
		note_dropped(file);
	return error == 0;
}

static bool carry_out(struct turn *turn, struct season_event *event)
{
	if (event->kind <= SEASON_DROP_REST)
		return drop(event);
	if (event->kind == SEASON_RENUMBER) {
		peer_renumber();
		return true;
	}
	if (event->kind < SEASON_RENUMBER)
		return season_write_mail(turn, event);
	return season_decide(turn, event);
}

void season_do(struct turn *turn, utc_time now)
{
	for (int i = 0; i < season->events; i++) {
		struct season_event *event = &season->event[i];
		if (event->done || event->at > now)
			continue;
		/* Who could not pause the sending does not try again later, when it would not be resumed any more. */
		if (event->kind == SEASON_PAUSE && event->begun) {
			event->done = true;
			continue;
		}
		/* A mail is in the mailbox with one write; whoever gave a command and saw no answer looks, and gives it again. */
		event->begun = true;
		if (carry_out(turn, event)) {
			event->done = true;
			continue;
		}
		event->at = now + (event->kind <= SEASON_DROP_REST ? 600 : DAY / 2);
		if (++event->tries == TRIES_MAX && event->kind > SEASON_DROP_REST &&
			event->kind < SEASON_STAFF_STOP)
			event->done = true; /* it needed what never came */
	}
}
