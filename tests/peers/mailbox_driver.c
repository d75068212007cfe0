/*
 * A mailbox child on a line of its own: the settings as KEY=VALUE arguments, then a command a line.
 *
 *	list FOLDER [AFTER [LIMIT]]	"validity N", "UID SIZE" for each, "more"
 *	fetch UID FILE			writes the bytes to the file
 *	move FOLDER UID...		"UID NEW", "UID gone" or "UID moved"
 *	wait SECONDS			starts waiting
 *	news SECONDS			waits for the answer at most so long: "over" or "waiting", "news"
 *	append NAME FILE
 *
 * Each answer ends with "ok" or "error CODE PHASE SENTENCE". FOLDER: inbox, done, review, bounce, sent.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mail_handover.h"
#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/secret.h"

#define WORDS_MAX 2000

static struct mailbox_settings settings;
static struct zygote zygote;
static struct mailline line = {.fd = -1, .phase = "connect"};

static char host[] = "localhost", inbox[] = "INBOX", done[] = "処理済み", review[] = "要確認",
	    bounce[] = "バウンス";

static const struct {
	const char *key;
	char **text;
	int *number;
} keys[] = {
	{"path", &settings.path, NULL},
	{"host", &settings.host, NULL},
	{"port", NULL, &settings.port},
	{"ca_file", &settings.ca_file, NULL},
	{"user", &settings.user, NULL},
	{"password_from", &settings.password_from, NULL},
	{"inbox", &settings.inbox, NULL},
	{"done", &settings.done, NULL},
	{"review", &settings.review, NULL},
	{"bounce", &settings.bounce, NULL},
	{"sent", &settings.sent, NULL},
	{"connect_seconds", NULL, &settings.connect_seconds},
	{"reply_seconds", NULL, &settings.reply_seconds},
	{"idle_seconds", NULL, &settings.idle_seconds},
};

static void take_argument(char *argument)
{
	char *value = strchr(argument, '=');
	if (!value)
		die("%s is no KEY=VALUE", argument);
	*value++ = '\0';
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(keys[i].key, argument) == 0) {
			if (keys[i].text)
				*keys[i].text = value;
			else
				*keys[i].number = atoi(value);
			return;
		}
	if (strcmp(argument, "maildir") == 0)
		settings.maildir = strcmp(value, "true") == 0;
	else if (strcmp(argument, "message_bytes") == 0)
		settings.message_bytes = atoll(value);
	else if (strcmp(argument, "tls") == 0)
		settings.tls = strcmp(value, "starttls") == 0 ? TLS_STARTTLS
			       : strcmp(value, "none") == 0   ? TLS_NONE
							      : TLS_IMPLICIT;
	else if (strcmp(argument, "auth") == 0)
		settings.auth = strcmp(value, "xoauth2") == 0 ? AUTH_XOAUTH2 : AUTH_LOGIN;
	else
		die("no key %s", argument);
}

static enum folder folder_of(const char *name)
{
	static const char *const names[] = {"", "inbox", "done", "review", "bounce", "sent"};
	for (size_t i = 1; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], name) == 0)
			return (enum folder)i;
	die("no folder %s", name);
}

static enum rc do_list(char **word, size_t count, struct pool *pool, struct err *err)
{
	struct mailbox_list list;
	size_t limit = count > 3 ? (size_t)atoll(word[3]) : 1000;
	enum rc rc =
		mailline_list(&line, folder_of(word[1]), count > 2 ? word[2] : NULL, limit, &list, pool, err);
	if (rc != RC_OK)
		return rc;
	printf("validity %lld\n", (long long)list.uid_validity);
	for (size_t i = 0; i < list.count; i++)
		printf("%s %lld\n", list.entry[i].uid, (long long)list.entry[i].size);
	if (list.more)
		printf("more\n");
	return RC_OK;
}

static enum rc do_fetch(char **word, size_t count, struct pool *pool, struct err *err)
{
	int file;
	int64_t size;
	(void)count, (void)pool;
	enum rc rc = mailline_fetch(&line, word[1], &file, &size, err);
	if (rc != RC_OK)
		return rc;
	struct str raw = STR_INIT;
	rc = memfile_read(&raw, file, settings.message_bytes, err);
	if (rc == RC_OK)
		rc = file_write(word[2], raw.s, raw.len, 0600, err);
	(void)close(file);
	str_free(&raw);
	return rc;
}

static enum rc do_move(char **word, size_t count, struct pool *pool, struct err *err)
{
	const char *uid[WORDS_MAX], *moved[WORDS_MAX];
	for (size_t i = 2; i < count; i++)
		uid[i - 2] = word[i];
	enum rc rc = mailline_move(&line, uid, count - 2, folder_of(word[1]), moved, pool, err);
	for (size_t i = 0; i < count - 2 && rc == RC_OK; i++)
		printf("%s %s\n", uid[i], !moved[i] ? "gone" : *moved[i] ? moved[i] : "moved");
	return rc;
}

static enum rc do_wait(char **word, size_t count, struct pool *pool, struct err *err)
{
	(void)count, (void)pool;
	return mailline_wait(&line, atoi(word[1]), err);
}

static enum rc do_news(char **word, size_t count, struct pool *pool, struct err *err)
{
	bool over, news;
	(void)count, (void)pool;
	(void)poll(&(struct pollfd){.fd = line.fd, .events = POLLIN}, 1, atoi(word[1]) * 1000);
	enum rc rc = mailline_news(&line, &over, &news, err);
	if (rc == RC_OK)
		printf("%s%s\n", over ? "over" : "waiting", news ? "\nnews" : "");
	return rc;
}

static enum rc do_append(char **word, size_t count, struct pool *pool, struct err *err)
{
	struct str raw = STR_INIT;
	(void)count, (void)pool;
	enum rc rc = file_read(&raw, word[2], (size_t)settings.message_bytes, err);
	if (rc == RC_OK)
		rc = mailline_append(&line, word[1], raw.s, raw.len, err);
	str_free(&raw);
	return rc;
}

static const struct {
	const char *name;
	size_t words;
	enum rc (*run)(char **word, size_t count, struct pool *pool, struct err *err);
} commands[] = {
	{"list", 2, do_list},
	{"fetch", 3, do_fetch},
	{"move", 3, do_move},
	{"wait", 2, do_wait},
	{"news", 2, do_news},
	{"append", 3, do_append},
};

static void run(char *text, const struct secret *password)
{
	char *word[WORDS_MAX], *rest;
	size_t count = 0;
	struct err err;
	struct pool *pool = pool_new();
	enum rc rc = RC_OK;
	for (char *w = strtok_r(text, " \n", &rest); w && count < WORDS_MAX; w = strtok_r(NULL, " \n", &rest))
		word[count++] = w;
	if (line.fd < 0)
		rc = mailline_open(&line, &zygote, &settings, password, &err);
	for (size_t i = 0; i < sizeof commands / sizeof *commands && rc == RC_OK && count > 0; i++)
		if (strcmp(commands[i].name, word[0]) == 0 && count >= commands[i].words)
			rc = commands[i].run(word, count, pool, &err);
	if (rc == RC_OK)
		printf("ok\n");
	else
		printf("error %s %s %s\n", rc_name(rc), line.phase, err.text);
	(void)fflush(stdout);
	pool_free(&pool);
}

int main(int argc, char **argv)
{
	struct err err;
	struct secret password = SECRET_INIT;
	settings = (struct mailbox_settings){.host = host,
		.port = 993,
		.auth = AUTH_LOGIN,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 10,
		.reply_seconds = 10,
		.idle_seconds = 1500,
		.message_bytes = 31457280};
	(void)signal(SIGPIPE, SIG_IGN);
	for (int i = 1; i < argc; i++)
		take_argument(argv[i]);
	if (zygote_start(&zygote, NULL, &err) != RC_OK)
		die("%s", err.text);
	if (settings.password_from && settings.auth != AUTH_XOAUTH2 &&
		secret_read(&password, settings.password_from, &err) != RC_OK)
		die("%s", err.text);
	static char text[65536];
	while (fgets(text, sizeof text, stdin))
		run(text, password.len ? &password : NULL);
	mailline_close(&line);
	zygote_stop(&zygote);
	secret_free(&password);
	return 0;
}
