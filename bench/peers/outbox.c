/*
 * outbox.c - the least that sends from a durable outbox: SQLite (WAL, synchronous FULL) and libcurl, a thread a connection
 *
 * outbox DATABASE PORT MAILS CONNECTIONS COMMITS BYTES: queues so many mails in a new database (not timed), then claims and sends them to 127.0.0.1, each of so many
 * bytes, in so many commits: what was answered since the last one and what is claimed next stand in the same. No mail leaves before its claim is on the disk.
 * Prints "figure rate … mails/s", from the first claim until the last mark. No rules, no letters, no history, no process apart: the limit for whoever has them.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/peers/seconds.h"

#define CONNECTIONS_MAX 64

struct mail {
	sqlite3_int64 id;
	char recipient[64];
	char head[256];
	size_t head_len, given;
};

static sqlite3 *db;
static char url[64];
static char *body;
static size_t body_len;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t work = PTHREAD_COND_INITIALIZER, news = PTHREAD_COND_INITIALIZER;
static struct mail *claimed; /* a ring of `room` */
static sqlite3_int64 *answered;
static long room, first, end, answers, share;
static int over;

static void stop(const char *what)
{
	(void)fprintf(stderr, "outbox: %s: %s\n", what, db ? sqlite3_errmsg(db) : "");
	exit(1);
}

static void run(const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		stop(sql);
}

static sqlite3_stmt *prepare(const char *sql)
{
	sqlite3_stmt *stmt;
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK)
		stop(sql);
	return stmt;
}

static void write_row(sqlite3_stmt *stmt)
{
	if (sqlite3_step(stmt) != SQLITE_DONE)
		stop("a row can't be written");
	(void)sqlite3_reset(stmt);
}

/* ---- a connection ---- */

static size_t give(char *out, size_t size, size_t count, void *ctx)
{
	struct mail *mail = ctx;
	size_t done = 0, want = size * count;
	while (done < want && mail->given < mail->head_len + body_len) {
		int in_head = mail->given < mail->head_len;
		const char *from = in_head ? mail->head + mail->given : body + (mail->given - mail->head_len);
		size_t left = (in_head ? mail->head_len : mail->head_len + body_len) - mail->given;
		size_t len = left < want - done ? left : want - done;
		memcpy(out + done, from, len);
		done += len;
		mail->given += len;
	}
	return done;
}

static void send_one(CURL *curl, struct mail *mail)
{
	mail->given = 0;
	mail->head_len = (size_t)snprintf(mail->head, sizeof mail->head,
		"From: desk@example.org\r\nTo: %s\r\nMessage-ID: <%lld@example.org>\r\nSubject: %lld\r\n\r\n",
		mail->recipient, mail->id, mail->id);
	struct curl_slist *recipients = curl_slist_append(NULL, mail->recipient);
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
	(void)curl_easy_setopt(curl, CURLOPT_READDATA, mail);
	CURLcode code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		stop(curl_easy_strerror(code));
	curl_slist_free_all(recipients);
}

static void *connection(void *unused)
{
	(void)unused;
	CURL *curl = curl_easy_init();
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "<desk@example.org>");
	(void)curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
	(void)curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)pthread_mutex_lock(&lock);
	for (;;) {
		while (first == end && !over)
			(void)pthread_cond_wait(&work, &lock);
		if (first == end)
			break;
		struct mail mail = claimed[first++ % room];
		(void)pthread_mutex_unlock(&lock);
		send_one(curl, &mail);
		(void)pthread_mutex_lock(&lock);
		answered[answers++] = mail.id;
		if (answers >= share || first == end)
			(void)pthread_cond_signal(&news);
	}
	(void)pthread_mutex_unlock(&lock);
	curl_easy_cleanup(curl);
	return NULL;
}

/* ---- the outbox ---- */

static void queue(long mails)
{
	run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000;"
	    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, due INTEGER NOT NULL, "
	    "state INTEGER NOT NULL DEFAULT 0, sent INTEGER);"
	    "CREATE INDEX outbox_due ON outbox (due) WHERE state = 0; BEGIN");
	sqlite3_stmt *add = prepare("INSERT INTO outbox (recipient, due) VALUES ('<info' || ?1 || '@example' "
				    "|| (?1 % 300) || '.co.jp>', 1700000000 + ?1)");
	for (long i = 1; i <= mails; i++) {
		(void)sqlite3_bind_int64(add, 1, i);
		write_row(add);
	}
	(void)sqlite3_finalize(add);
	run("COMMIT");
}

static long claim(sqlite3_stmt *select, sqlite3_stmt *mark, struct mail *out)
{
	long count = 0;
	(void)sqlite3_bind_int64(select, 1, share);
	while (count < share && sqlite3_step(select) == SQLITE_ROW) {
		out[count].id = sqlite3_column_int64(select, 0);
		(void)snprintf(out[count].recipient, sizeof out[count].recipient, "%s",
			(const char *)sqlite3_column_text(select, 1));
		count++;
	}
	(void)sqlite3_reset(select);
	for (long i = 0; i < count; i++) {
		(void)sqlite3_bind_int64(mark, 1, out[i].id);
		write_row(mark);
	}
	return count;
}

static void drain(long mails)
{
	sqlite3_stmt *select = prepare("SELECT id, recipient FROM outbox WHERE state = 0 AND due <= "
				       "2000000000 ORDER BY due LIMIT ?"),
		     *take = prepare("UPDATE outbox SET state = 1 WHERE id = ?"),
		     *mark = prepare("UPDATE outbox SET state = 2, sent = 1800000000 WHERE id = ?");
	struct mail *taken = calloc((size_t)share, sizeof *taken);
	sqlite3_int64 *mine = calloc((size_t)room + 1, sizeof *mine);
	for (long sent = 0, asked = 0; sent < mails;) {
		(void)pthread_mutex_lock(&lock);
		while (!(answers >= share || (answers > 0 && first == end) ||
			 (asked < mails && end - first <= share / 2)))
			(void)pthread_cond_wait(&news, &lock);
		long done = answers;
		memcpy(mine, answered, (size_t)done * sizeof *mine);
		answers = 0;
		int wants = asked < mails && end - first <= share;
		(void)pthread_mutex_unlock(&lock);

		run("BEGIN IMMEDIATE");
		for (long i = 0; i < done; i++) {
			(void)sqlite3_bind_int64(mark, 1, mine[i]);
			write_row(mark);
		}
		long count = wants ? claim(select, take, taken) : 0;
		run("COMMIT");
		sent += done;
		asked += count;

		(void)pthread_mutex_lock(&lock);
		for (long i = 0; i < count; i++)
			claimed[end++ % room] = taken[i];
		(void)pthread_cond_broadcast(&work);
		(void)pthread_mutex_unlock(&lock);
	}
	(void)sqlite3_finalize(select);
	(void)sqlite3_finalize(take);
	(void)sqlite3_finalize(mark);
	free(taken);
	free(mine);
}

static void fill_body(long bytes)
{
	body_len = (size_t)bytes;
	body = malloc(body_len + 1);
	for (size_t i = 0; i < body_len; i++)
		body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'A';
	memcpy(body + body_len - 2, "\r\n", 2);
}

int main(int argc, char **argv)
{
	if (argc != 7)
		stop("usage: outbox DATABASE PORT MAILS CONNECTIONS COMMITS BYTES");
	long mails = strtol(argv[3], NULL, 10), connections = strtol(argv[4], NULL, 10),
	     commits = strtol(argv[5], NULL, 10), bytes = strtol(argv[6], NULL, 10);
	if (mails < 1 || connections < 1 || connections > CONNECTIONS_MAX || commits < 1 || bytes < 400)
		stop("these numbers make no sense");
	share = (mails + commits - 1) / commits;
	room = 2 * share + connections;
	claimed = calloc((size_t)room, sizeof *claimed);
	answered = calloc((size_t)room + 1, sizeof *answered);
	(void)snprintf(url, sizeof url, "smtp://127.0.0.1:%ld/bench.example.org", strtol(argv[2], NULL, 10));
	fill_body(bytes - 120); /* and the header above */
	if (sqlite3_open(argv[1], &db) != SQLITE_OK || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		stop(argv[1]);
	queue(mails);

	double begun = seconds(CLOCK_MONOTONIC);
	pthread_t thread[CONNECTIONS_MAX];
	for (long i = 0; i < connections; i++)
		if (pthread_create(&thread[i], NULL, connection, NULL) != 0)
			stop("no thread");
	drain(mails);
	double took = seconds(CLOCK_MONOTONIC) - begun;
	(void)pthread_mutex_lock(&lock);
	over = 1;
	(void)pthread_cond_broadcast(&work);
	(void)pthread_mutex_unlock(&lock);
	for (long i = 0; i < connections; i++)
		(void)pthread_join(thread[i], NULL);
	printf("figure rate %.6g mails/s\n", (double)mails / took);
	(void)sqlite3_close(db);
	return 0;
}
