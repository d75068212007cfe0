/*
 * child.c - what reading a mail costs, and what of it is the child
 *
 * child COUNT [MAIL...]: a mail of nothing but From, COUNT times, each time in a fresh child of a real zygote: the price of the child itself, one after the other and with as many at once as
 * the machine has processors. Then the mails, (a) here, (b) each in a child. Prints figures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/seconds.h"
#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"

#define ROUNDS 1
#define AHEAD 2 /* as many as the machine has cores */

struct mail {
	struct str bytes;
	int memfd;
};

static struct err err;
static struct received_context context;
static struct zygote zygote;
static struct pool *pool;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", err.text);
}

static void say(const char *what, size_t mails, double seconds)
{
	(void)printf("figure %s %.1f us\n", what, seconds / (double)mails * 1e6);
	(void)fflush(stdout);
}

static void read_here(const struct mail *mail, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct received received;
		struct str json = STR_INIT;
		if (received_read(&received, mail[i].bytes.s, mail[i].bytes.len, &context, pool, &err) ==
			RC_OK)
			received_print(&json, &received);
		str_free(&json);
		pool_reset(pool);
	}
}

static void read_in_children(const struct mail *mail, size_t count, size_t ahead)
{
	struct mail_reading reading[AHEAD];
	struct received received;
	for (size_t i = 0, started = 0; i < count; i++) {
		for (; started < count && started < i + ahead; started++)
			want(mail_reader_start(
				&reading[started % ahead], &zygote, mail[started].memfd, &context, &err));
		(void)mail_reader_finish(&reading[i % ahead], &received, pool, &err);
		pool_reset(pool);
	}
}

static void bench(const char *what, const struct mail *mail, size_t count, size_t ahead, int rounds)
{
	double began = seconds(CLOCK_MONOTONIC);
	for (int round = 0; round < rounds; round++)
		if (ahead)
			read_in_children(mail, count, ahead);
		else
			read_here(mail, count);
	say(what, count * (size_t)rounds, seconds(CLOCK_MONOTONIC) - began);
}

int main(int argc, char **argv)
{
	static const char nothing[] = "From: a@example.co.jp\n\n";
	struct mail empty = {.bytes = STR_INIT};
	struct mail *mail = xcalloc((size_t)argc, sizeof *mail);
	struct request_rules *rules;
	size_t count = argc > 2 ? (size_t)argc - 2 : 0;
	int times = argc > 1 ? atoi(argv[1]) : 0;
	if (times <= 0)
		die("usage: child COUNT [MAIL...]");
	pool = pool_new();
	context = (struct received_context){.office = "security-action-info@sa.example.jp"};
	want(zygote_start(&zygote, NULL, &err));
	for (size_t i = 0; i < count; i++) {
		mail[i].bytes = STR_INIT;
		want(file_read(&mail[i].bytes, argv[i + 2], message_limits_default.bytes, &err));
		want(memfile_make(&mail[i].memfd, mail[i].bytes.s, mail[i].bytes.len, &err));
	}
	str_addz(&empty.bytes, nothing);
	want(memfile_make(&empty.memfd, nothing, sizeof nothing - 1, &err));

	read_in_children(&empty, 1, 1); /* the zygote begins with its first child */
	bench("child", &empty, 1, 1, times);
	struct mail *same = xcalloc((size_t)times, sizeof *same);
	for (int i = 0; i < times; i++)
		same[i] = empty;
	bench("child_at_once", same, (size_t)times, AHEAD, 1);
	free(same);
	if (count) {
		bench("mail_in_child", mail, count, 1, ROUNDS);
		bench("mail_in_child_at_once", mail, count, AHEAD, ROUNDS);
		want(received_prepare(&rules, &err));
		context.rules = rules;
		bench("mail_without_child", mail, count, 0, ROUNDS);
		request_rules_free(&rules);
	}
	zygote_stop(&zygote);
	pool_free(&pool);
	return 0;
}
