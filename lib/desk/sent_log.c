#include "lib/desk/sent_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/file.h"

#define LINE_MAX_BYTES 64 /* more is no line of ours */

struct month {
	int year, month; /* 1..12 */
};

static struct month month_of(utc_time at)
{
	struct tm tm;
	time_t seconds = (time_t)at;
	if (!gmtime_r(&seconds, &tm))
		return (struct month){1970, 1};
	return (struct month){tm.tm_year + 1900, tm.tm_mon + 1};
}

static void log_path(struct str *out, const struct settings *settings, const struct month *month)
{
	path_join(out, settings->state_directory, "sent");
	if (month)
		str_printf(out, "/%04d-%02d.log", month->year, month->month);
}

/* ---- writing ---- */

static enum rc log_fault(const char *path, struct err *err)
{
	return err_set(err, RC_STORE,
		"The log of sent mails, %s, could not be written: %s. Nothing more is sent until it can.",
		path, errno_text(errno));
}

/* The directory, and a new month's entry in it, must survive as well. */
static enum rc sync_names(const char *path, struct err *err)
{
	struct str directory = STR_INIT;
	str_add(&directory, path, (size_t)(path_base(path) - path));
	enum rc rc = file_sync_dir(directory.s, err);
	str_addz(&directory, "..");
	rc = rc ? rc : file_sync_dir(directory.s, err);
	str_free(&directory);
	return rc;
}

static bool tail_read(struct str *tail, int fd, off_t size, size_t len)
{
	if (size < (off_t)len)
		len = (size_t)size;
	str_grow(tail, len);
	ssize_t got = pread(fd, tail->s, len, size - (off_t)len);
	if (got != (ssize_t)len)
		return false;
	tail->len = len;
	tail->s[len] = '\0';
	return true;
}

/* Bytes at the end of the file that are the beginning of the text: they were written for it before, and could not be taken back. */
static size_t written_before(const char *tail, size_t tail_len, const struct str *text)
{
	size_t len = tail_len < text->len ? tail_len : text->len;
	while (len > 0 && memcmp(tail + tail_len - len, text->s, len) != 0)
		len--;
	return len;
}

/* Lines of one month. The sender alone writes it. */
static enum rc append(const char *path, const struct str *text, bool durable, struct err *err)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd < 0)
		return log_fault(path, err);
	struct str tail = STR_INIT, whole = STR_INIT;
	struct err fault = {0};
	bool fits = fstat(fd, &st) == 0 && tail_read(&tail, fd, st.st_size, text->len);
	enum rc rc = fits ? RC_OK : log_fault(path, err);
	size_t before = written_before(tail.s, tail.len, text);
	if (before == 0 && tail.len > 0 && tail.s[tail.len - 1] != '\n')
		str_addc(&whole, '\n'); /* a power cut left half a line */
	str_add(&whole, text->s, text->len);
	/* What was written before is written over: the system takes a page that it failed to bring to the disk for one that is there. */
	if (!rc && (lseek(fd, st.st_size - (off_t)before, SEEK_SET) < 0 ||
			   file_write_all(fd, whole.s, whole.len, &fault)))
		rc = log_fault(path, err);
	if (!rc && durable && fdatasync(fd) != 0)
		rc = log_fault(path, err);
	if (!rc && durable && st.st_size == 0)
		rc = sync_names(path, err);
	/* It is written once more: behind a line that is not on the disk there would be a hole after a power cut. Where that fails too, the line is found by the next try. */
	if (rc && fits && ftruncate(fd, st.st_size - (off_t)before) != 0)
		rc = log_fault(path, err);
	str_free(&tail);
	str_free(&whole);
	(void)close(fd);
	return rc;
}

static enum rc add_month(const struct settings *settings, const struct month *month, const struct str *text,
	bool durable, struct err *err)
{
	struct str path = STR_INIT;
	log_path(&path, settings, NULL);
	enum rc rc = file_mkdirs(path.s, 0750, err);
	str_clear(&path);
	log_path(&path, settings, month);
	rc = rc ? rc : append(path.s, text, durable, err);
	str_free(&path);
	return rc;
}

static void print_line(struct str *out, const struct sent_log_line *line)
{
	struct tm tm;
	char at[32] = "";
	time_t seconds = (time_t)line->at;
	if (gmtime_r(&seconds, &tm))
		(void)strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", &tm);
	str_printf(out, "%s %" PRId64 " %d\n", at, line->notice_id, line->reply_code);
}

enum rc sent_log_add(const struct settings *settings, const struct sent_log_line *line, int count,
	bool durable, struct err *err)
{
	struct str text = STR_INIT;
	enum rc rc = RC_OK;
	for (int i = 0; i < count && !rc; i++) {
		struct month month = month_of(line[i].at), next = month;
		print_line(&text, &line[i]);
		if (i + 1 < count)
			next = month_of(line[i + 1].at);
		if (i + 1 < count && next.year == month.year && next.month == month.month)
			continue;
		rc = add_month(settings, &month, &text, durable, err);
		str_clear(&text);
	}
	str_free(&text);
	return rc;
}

/* ---- reading ---- */

static bool read_line(const char *text, struct sent_log_line *line)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%SZ ", &tm);
	char *end;
	if (!rest || *rest < '0' || *rest > '9')
		return false;
	errno = 0;
	line->notice_id = strtoll(rest, &end, 10);
	if (errno || *end != ' ' || end[1] < '0' || end[1] > '9')
		return false;
	line->reply_code = (int)strtol(end + 1, &end, 10);
	line->at = (utc_time)timegm(&tm);
	return errno == 0 && *end == '\n';
}

static enum rc read_month(
	const char *path, utc_time from, utc_time until, sent_log_fn *fn, void *ctx, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	char text[LINE_MAX_BYTES];
	if (!file) {
		int why = errno;
		if (fd >= 0)
			(void)close(fd);
		if (why == ENOENT)
			return RC_OK;
		return err_set(err, RC_STORE, "The log of sent mails, %s, could not be read: %s.", path,
			errno_text(why));
	}
	enum rc rc = RC_OK;
	while (!rc && fgets(text, sizeof text, file)) {
		struct sent_log_line line;
		if (read_line(text, &line) && line.at >= from && line.at < until)
			rc = fn(ctx, &line, err);
	}
	if (!rc && ferror(file))
		rc = err_set(err, RC_STORE, "The log of sent mails, %s, could not be read.", path);
	(void)fclose(file);
	return rc;
}

enum rc sent_log_each(const struct settings *settings, utc_time from, utc_time until, sent_log_fn *fn,
	void *ctx, struct err *err)
{
	struct str path = STR_INIT;
	struct month month = month_of(from), last = month_of(until - 1);
	enum rc rc = RC_OK;
	while (!rc && (month.year < last.year || (month.year == last.year && month.month <= last.month))) {
		str_clear(&path);
		log_path(&path, settings, &month);
		rc = read_month(path.s, from, until, fn, ctx, err);
		if (++month.month > 12)
			month = (struct month){month.year + 1, 1};
	}
	str_free(&path);
	return rc;
}
