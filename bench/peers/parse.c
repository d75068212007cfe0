/*
 * parse.c - the least that reading mails in children can cost
 *
 * parse COUNT: forks so many children, one after the other, that give up their rights as a reader of ours does and end without doing anything.
 * parse 0 MAIL...: reads each file, forks a child that gives up its rights as a reader of ours does and ends without doing anything, parses the mail with libetpan
 * (its structure, nothing is decoded), and waits for the child. Prints figures.
 */
#include <libetpan/libetpan.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/peers/seconds.h"
#include "lib/base/confine.h"
#include "lib/base/file.h"

#define MAIL_MAX ((size_t)32 * 1024 * 1024)

static const struct confine_limits limits = {
	.memory_bytes = (size_t)256 * 1024 * 1024, .cpu_seconds = 2, .wall_seconds = 3};

static pid_t child_make(void)
{
	struct err err = {0};
	pid_t pid = fork();
	if (pid == 0)
		_exit(child_confine(&limits, &err) ? 1 : 0);
	return pid;
}

static void child_wait(pid_t pid)
{
	int status;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		die("a child did not end as it should");
}

static size_t parse(const char *path)
{
	struct str bytes = STR_INIT;
	struct err err = {0};
	struct mailmime *mime = NULL;
	size_t at = 0;
	if (file_read(&bytes, path, MAIL_MAX, &err))
		die("%s", err.text);
	pid_t child = child_make();
	int fault = mailmime_parse(bytes.s, bytes.len, &at, &mime);
	child_wait(child);
	if (mime)
		mailmime_free(mime);
	str_free(&bytes);
	return fault == MAILIMF_NO_ERROR;
}

int main(int argc, char **argv)
{
	size_t parsed = 0;
	confine_prepare();
	double began = seconds(CLOCK_MONOTONIC);
	int count = argc > 1 ? atoi(argv[1]) : 0;
	for (int i = 2; i < argc; i++)
		parsed += parse(argv[i]);
	if (argc > 2) {
		(void)printf("figure rate %.1f mails/s\n",
			(double)(argc - 2) / (seconds(CLOCK_MONOTONIC) - began));
		return parsed > 0 ? 0 : 1;
	}
	for (int i = 0; i < count; i++)
		child_wait(child_make());
	(void)printf("figure child %.1f us\n", (seconds(CLOCK_MONOTONIC) - began) / count * 1e6);
	return 0;
}
