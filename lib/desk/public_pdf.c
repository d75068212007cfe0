/*
 * public_pdf.c - the public list as PDF, drawn by the program sengen-pdf
 *
 * Rows go into a temporary file that the program reads (pdf/main.c has the format); it gets that, the file to write and a pipe for its complaints, nothing else. It is looked for
 * beside the running program, then where it is installed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/program.h"
#include "lib/desk/public_p.h"

#define ROWS_A_LOOK 500
#define COMPLAINTS_MAX 4096
#define PROGRAM_MINUTES 15 /* far more than the longest list takes */
#define LOOK_MS 5 /* between looks whether it has ended */

struct public_pdf {
	const struct public_rows *rows;
	struct public_file out;
	FILE *input; /* unlinked */
	size_t at;
	int prefecture; /* of the row before; -1: none */
	pid_t child; /* 0: not started */
	int64_t deadline_ms; /* for it to end */
	int pipe; /* -1: it has nothing more to say */
	struct str line, complaints;
};

/* ---- the input ---- */

static void add_field(struct str *line, const char *value)
{
	str_addc(line, '\t');
	for (; *value; value++)
		str_addc(line, (unsigned char)*value < 0x20 ? ' ' : *value);
}

static enum rc put_line(struct public_pdf *pdf, struct err *err)
{
	str_addc(&pdf->line, '\n');
	bool good = fwrite(pdf->line.s, 1, pdf->line.len, pdf->input) == pdf->line.len;
	str_clear(&pdf->line);
	return good ? RC_OK
		    : err_set(err, RC_STORE, "The rows of %s could not be kept: %s.", pdf->out.path,
			      errno_text(errno));
}

static enum rc open_input(struct public_pdf *pdf, const char *directory, struct err *err)
{
	struct str path = STR_INIT;
	path_join(&path, directory, ".pdf.XXXXXX");
	int fd = mkostemp(path.s, O_CLOEXEC);
	if (fd >= 0) {
		(void)unlink(path.s);
		pdf->input = fdopen(fd, "w+");
	}
	str_free(&path);
	return pdf->input ? RC_OK
			  : err_set(err, RC_STORE, "No temporary file could be made in %s: %s.", directory,
				    errno_text(errno));
}

static enum rc put_heads(struct public_pdf *pdf, struct err *err)
{
	struct str day = STR_INIT;
	const struct public_columns *columns = pdf->rows->columns;
	str_addc(&pdf->line, 'T');
	add_field(&pdf->line, "SECURITY ACTION 宣言事業者一覧");
	str_addz(&pdf->line, "\nD");
	civil_day_print_ja(&day, pdf->rows->made_on);
	str_addz(&day, "現在");
	add_field(&pdf->line, day.s);
	str_addz(&pdf->line, "\nC");
	for (int i = 0; i < columns->count; i++)
		add_field(&pdf->line, columns->label[i]);
	add_field(&pdf->line, "宣言の内容");
	add_field(&pdf->line, "宣言日");
	str_free(&day);
	return put_line(pdf, err);
}

enum rc public_pdf_begin(
	struct public_pdf **out, const struct public_rows *rows, const char *directory, struct err *err)
{
	struct public_pdf *pdf = xcalloc(1, sizeof *pdf);
	*out = pdf;
	pdf->rows = rows;
	pdf->line = pdf->complaints = STR_INIT;
	pdf->prefecture = pdf->pipe = -1;
	enum rc rc = public_file_open(&pdf->out, directory, PUBLIC_PDF_FILE, err);
	if (rc == RC_OK)
		rc = open_input(pdf, directory, err);
	return rc == RC_OK ? put_heads(pdf, err) : rc;
}

/* A prefecture begins: its rows are counted, which lie together. */
static void add_group(struct public_pdf *pdf, uint8_t prefecture)
{
	struct str count = STR_INIT;
	int64_t rows = 0;
	for (size_t i = pdf->at; i < pdf->rows->count && pdf->rows->entry[i].prefecture == prefecture; i++)
		rows += public_in_pdf(pdf->rows, &pdf->rows->entry[i]);
	public_add_count(&count, rows);
	str_addc(&pdf->line, 'G');
	add_field(&pdf->line, prefecture < PREFECTURES ? prefecture_name[prefecture] : "その他");
	add_field(&pdf->line, count.s);
	str_addc(&pdf->line, '\n');
	str_free(&count);
}

static enum rc put_rows(struct public_pdf *pdf, int64_t until_ms, struct err *err)
{
	const struct public_columns *columns = pdf->rows->columns;
	struct public_row row;
	enum rc rc = RC_OK;
	for (int looked = 0; rc == RC_OK && pdf->at < pdf->rows->count; pdf->at++) {
		if (++looked % ROWS_A_LOOK == 0 && clock_machine_ms() >= until_ms)
			break;
		const struct public_entry *entry = &pdf->rows->entry[pdf->at];
		if (!public_in_pdf(pdf->rows, entry))
			continue;
		public_row_read(pdf->rows, pdf->at, &row);
		if (columns->prefecture >= 0 && entry->prefecture != pdf->prefecture)
			add_group(pdf, entry->prefecture);
		pdf->prefecture = entry->prefecture;
		str_addc(&pdf->line, 'R');
		for (int i = 0; i < columns->count; i++)
			add_field(&pdf->line, row.value[i]);
		add_field(&pdf->line, public_star(row.star));
		add_field(&pdf->line, row.day);
		rc = put_line(pdf, err);
	}
	return rc;
}

/* ---- the program ---- */

static enum rc spawn(struct public_pdf *pdf, struct err *err)
{
	char name[] = "sengen-pdf";
	char language[] = "LANG=C.UTF-8", path[] = "PATH=/usr/bin:/bin";
	char *const argument[] = {name, NULL}, *const environment[] = {language, path, NULL};
	struct str program = STR_INIT;
	int ends[2];
	enum rc rc = program_find(&program, name, err);
	if (rc == RC_OK && pipe2(ends, O_CLOEXEC) != 0)
		rc = err_set(err, RC_STORE, "sengen-pdf could not be started: %s.", errno_text(errno));
	if (rc == RC_OK) {
		posix_spawn_file_actions_t actions;
		sigset_t none;
		posix_spawnattr_t attributes;
		(void)sigemptyset(&none);
		(void)posix_spawn_file_actions_init(&actions);
		(void)posix_spawnattr_init(&attributes);
		(void)posix_spawnattr_setsigmask(&attributes, &none); /* roles block signals */
		(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
		(void)posix_spawn_file_actions_adddup2(&actions, fileno(pdf->input), 0);
		(void)posix_spawn_file_actions_adddup2(&actions, fileno(pdf->out.file), 1);
		(void)posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
		int fault = posix_spawn(&pdf->child, program.s, &actions, &attributes, argument, environment);
		(void)posix_spawn_file_actions_destroy(&actions);
		(void)posix_spawnattr_destroy(&attributes);
		(void)close(ends[1]);
		pdf->pipe = ends[0];
		if (fault) {
			pdf->child = 0;
			rc = err_set(
				err, RC_STORE, "%s could not be started: %s.", program.s, errno_text(fault));
		}
	}
	str_free(&program);
	return rc;
}

/* What it says at its end: "missing COUNT U+…" for characters that no font has. */
static void hear(const struct public_pdf *pdf)
{
	static const char word[] = "missing ";
	const char *line = strstr(pdf->complaints.s, word);
	if (!line)
		return;
	char *which;
	long count = strtol(line + strlen(word), &which, 10);
	which += strspn(which, " ");
	log_event(LEVEL_FAULT, "public.glyphs", "count=%ld characters=\"%.*s\"", count,
		(int)strspn(which, "U+0123456789ABCDEF "), which);
}

static enum rc end(struct public_pdf *pdf, int status, struct err *err)
{
	pdf->child = 0;
	hear(pdf);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return public_file_close(&pdf->out, err);
	char *line_end = strchr(pdf->complaints.s, '\n');
	if (line_end)
		*line_end = '\0';
	return err_set(err, RC_STORE, "sengen-pdf failed (%s %d): %s",
		WIFSIGNALED(status) ? "signal" : "status",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), pdf->complaints.s);
}

static void listen_some(struct public_pdf *pdf, int64_t left_ms)
{
	char room[512];
	struct pollfd wait = {.fd = pdf->pipe, .events = POLLIN};
	if (poll(&wait, 1, left_ms > 0 ? (int)left_ms : 0) <= 0)
		return;
	ssize_t got = read(pdf->pipe, room, sizeof room);
	if (got > 0 && pdf->complaints.len < COMPLAINTS_MAX)
		str_add(&pdf->complaints, room, (size_t)got);
	if (got == 0) {
		(void)close(pdf->pipe);
		pdf->pipe = -1;
	}
}

/* Waits for the program no longer than it may. */
static enum rc wait_until(struct public_pdf *pdf, int64_t until_ms, bool *done, struct err *err)
{
	int status = 0;
	int64_t now;
	do {
		if (pdf->pipe >= 0)
			listen_some(pdf, until_ms - clock_machine_ms());
		if (pdf->pipe < 0 && waitpid(pdf->child, &status, WNOHANG) > 0) {
			*done = true;
			return end(pdf, status, err);
		}
		if (pdf->pipe < 0)
			(void)poll(NULL, 0, LOOK_MS);
		now = clock_machine_ms();
	} while (now < until_ms);
	/* public_pdf_drop() ends it. */
	return now < pdf->deadline_ms
		       ? RC_OK
		       : err_set(err, RC_STORE, "sengen-pdf was not done after %d minutes.", PROGRAM_MINUTES);
}

enum rc public_pdf_step(struct public_pdf *pdf, int64_t until_ms, bool *done, struct err *err)
{
	*done = false;
	if (pdf->child)
		return wait_until(pdf, until_ms, done, err);
	enum rc rc = put_rows(pdf, until_ms, err);
	if (rc != RC_OK || pdf->at < pdf->rows->count)
		return rc;
	if (fflush(pdf->input) != 0)
		return err_set(err, RC_STORE, "The rows of %s could not be kept: %s.", pdf->out.path,
			errno_text(errno));
	pdf->deadline_ms = clock_machine_ms() + PROGRAM_MINUTES * 60000;
	return spawn(pdf, err);
}

enum rc public_pdf_place(struct public_pdf *pdf, struct err *err)
{
	return public_file_place(&pdf->out, err);
}

void public_pdf_drop(struct public_pdf **out)
{
	struct public_pdf *pdf = *out;
	if (!pdf)
		return;
	if (pdf->child) {
		(void)kill(pdf->child, SIGKILL);
		(void)waitpid(pdf->child, NULL, 0);
	}
	if (pdf->pipe >= 0)
		(void)close(pdf->pipe);
	if (pdf->input)
		(void)fclose(pdf->input);
	public_file_drop(&pdf->out);
	str_free(&pdf->line);
	str_free(&pdf->complaints);
	free(pdf);
	*out = NULL;
}
