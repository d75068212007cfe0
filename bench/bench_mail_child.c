/*
 * bench_mail_child.c - what reading a mail costs, and what of it is the child
 *
 * bench_mail_child MAIL...: reads the mails (a) here, (b) each in a fresh child of a real zygote, one after the other and with several started ahead; and a mail of
 * nothing but From in (b), which is the price of the child itself. Prints µs a mail, mails/s and MB/s.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/mail_reader.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"

#define ROUNDS 3
#define EMPTY_ROUNDS 300
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

static double now_seconds(void)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static void say(const char *what, size_t mails, size_t bytes, double seconds)
{
	(void)printf("%-44s %8.0f µs a mail %8.0f mails/s %8.2f MB/s\n", what, seconds / (double)mails * 1e6,
		(double)mails / seconds, (double)bytes / seconds / 1e6);
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

static void bench(
	const char *what, const struct mail *mail, size_t count, size_t bytes, size_t ahead, int rounds)
{
	double began = now_seconds();
	for (int round = 0; round < rounds; round++)
		if (ahead)
			read_in_children(mail, count, ahead);
		else
			read_here(mail, count);
	say(what, count * (size_t)rounds, bytes * (size_t)rounds, now_seconds() - began);
}

int main(int argc, char **argv)
{
	static const char nothing[] = "From: a@example.co.jp\n\n";
	struct mail empty = {.bytes = STR_INIT};
	struct mail *mail = xcalloc((size_t)argc, sizeof *mail);
	struct request_rules *rules;
	size_t bytes = 0, count = (size_t)argc - 1;
	pool = pool_new();
	context = (struct received_context){.office = "security-action-info@sa.example.jp"};
	want(zygote_start(&zygote, NULL, &err));
	for (size_t i = 0; i < count; i++) {
		mail[i].bytes = STR_INIT;
		want(file_read(&mail[i].bytes, argv[i + 1], message_limits_default.bytes, &err));
		want(memfile_make(&mail[i].memfd, mail[i].bytes.s, mail[i].bytes.len, &err));
		bytes += mail[i].bytes.len;
	}
	str_addz(&empty.bytes, nothing);
	want(memfile_make(&empty.memfd, nothing, sizeof nothing - 1, &err));

	bench("an empty mail in a child", &empty, 1, empty.bytes.len, 1, EMPTY_ROUNDS);
	if (count) {
		bench("each in a child", mail, count, bytes, 1, ROUNDS);
		bench("each in a child, two at a time", mail, count, bytes, AHEAD, ROUNDS);
		want(received_prepare(&rules, &err));
		context.rules = rules;
		bench("read here, without children", mail, count, bytes, 0, ROUNDS);
		request_rules_free(&rules);
	}
	zygote_stop(&zygote);
	pool_free(&pool);
	return 0;
}
