/*
 * Reads mails (*.eml) and form files (anything else) whose paths stand on standard input, a line each, every one in a child under the very limits of the
 * product's, and prints a line for each:
 *
 *	NAME SECONDS MIB SIGNAL ANSWER
 *
 * SECONDS of CPU and MIB of memory are the child's own, as the kernel counts them (getrusage); SIGNAL 0: it ended by itself. ANSWER: "read", "review" (a person must
 * look) or "refused" of a mail, "none" where its reader gave none; of a form file "read:N" with the number of its records, "refused", or "none", and in Japanese why.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/memfile.h"
#include "daemon/record.h"
#include "daemon/zygote_serve.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/text.h"
#include "lib/mail/received.h"

#define FORM_TIMEOUT_MS 20000 /* as intake has it */

static struct request_rules *rules;
static struct fieldmap *map;
static struct err err;

static pid_t child_make(int *fd, bool mail)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		die("socketpair: %s", strerror(errno));
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(pair[0]);
		if (mail)
			mail_child_main(pair[1], rules);
		form_child_main(pair[1], map);
	}
	(void)close(pair[1]);
	*fd = pair[0];
	return pid;
}

static void answer_of_mail(struct str *answer, int fd, const char *path, struct pool *pool)
{
	struct str bytes = STR_INIT, payload = STR_INIT;
	struct received *received = pool_alloc(pool, sizeof *received);
	enum wire_type type;
	int file;
	if (file_read(&bytes, path, message_limits_default.bytes, &err) ||
		memfile_make(&file, bytes.s, bytes.len, &err))
		die("%s", err.text);
	str_free(&bytes);
	wire_put_text(&payload, "security-action-info@sa.example.jp");
	wire_put_text(&payload, "mx.sa.example.jp");
	wire_put_number(&payload, 0);
	(void)wire_send_fd(fd, WIRE_READ_MAIL, payload.s, payload.len, file);
	(void)close(file);
	int got = wire_receive_most(
		fd, &type, &payload, NULL, (RECEIVED_WALL_SECONDS + 2) * 1000, RECEIVED_JSON_MAX);
	if (got == 1 && type == WIRE_RECEIVED && !received_load(received, payload.s, payload.len, pool, &err))
		str_addz(answer, received->reading.review ? "review" : "read");
	else
		str_addz(answer, got == 1 && type == WIRE_DONE ? "refused" : "none");
	str_free(&payload);
}

static void answer_of_form(struct str *answer, int fd, const char *path, struct pool *pool)
{
	struct str payload = STR_INIT;
	enum wire_type type = WIRE_HEAD;
	int records = 0, file = open(path, O_RDONLY | O_CLOEXEC);
	form_limits_pack(&payload, &form_limits_default);
	(void)wire_send_fd(fd, WIRE_PARSE, payload.s, payload.len, file);
	(void)close(file);
	int got;
	while ((got = wire_receive(fd, &type, &payload, NULL, FORM_TIMEOUT_MS)) == 1 && type != WIRE_DONE) {
		if (type == WIRE_RECORD && ++records % RECORDS_PER_TURN == 0)
			(void)wire_send(fd, WIRE_MORE, "", 0);
	}
	if (got != 1) {
		str_printf(answer, "none:%d", records);
	} else {
		struct wire_reader reader = wire_reader_of(&payload);
		int64_t rc = wire_get_number(&reader);
		(void)wire_get_text(&reader, pool);
		const char *why_ja = wire_get_text(&reader, pool);
		str_printf(answer, rc == RC_OK ? "read:%d" : "refused:%d", records);
		if (why_ja)
			str_printf(answer, " %s", why_ja);
	}
	str_free(&payload);
}

static void read_one(const char *path)
{
	bool mail = str_has_suffix(path, ".eml");
	struct str answer = STR_INIT;
	struct pool *pool = pool_new();
	struct rusage used;
	int fd, status;
	pid_t pid = child_make(&fd, mail);
	if (mail)
		answer_of_mail(&answer, fd, path, pool);
	else
		answer_of_form(&answer, fd, path, pool);
	(void)close(fd);
	if (wait4(pid, &status, 0, &used) != pid)
		die("wait4: %s", strerror(errno));
	double seconds = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
			 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
	const char *name = strrchr(path, '/');
	(void)printf("%s %.2f %ld %d %s\n", name ? name + 1 : path, seconds, used.ru_maxrss / 1024,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0, answer.s);
	(void)fflush(stdout);
	str_free(&answer);
	pool_free(&pool);
}

int main(void)
{
	char line[4096];
	text_preload();
	if (fieldmap_load(&map, NULL, &err) || received_prepare(&rules, &err))
		die("%s", err.text);
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = '\0';
		read_one(line);
	}
	request_rules_free(&rules);
	fieldmap_free(&map);
	return 0;
}
