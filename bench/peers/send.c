/*
 * send.c - a register with queued notices, and the role sender at work on it
 *
 * send fill DIRECTORY NOTICES CONNECTIONS TLS DKIM: configures an office in DIRECTORY (TLS: none or starttls; then ca.pem stands there already; DKIM: none,
 * rsa-2048 or ed25519) for a mail server on port 25 and registers so many applications, each with its queued receipt. Prints the bytes of a mail. DIRECTORY can be copied.
 * send drain CONFIG SENGEND: runs the role over it as the service it is, from its start until the register says that the last notice was sent. Prints the role's
 * process id, then figures: mails a second, and how many of them went into one commit; its last line is "commits" and their number.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "bench/peers/seconds.h"
#include "daemon/role.h"
#include "lib/base/file.h"
#include "lib/base/host.h"

#define BATCH 500
#define LOOK_NS 5000000
#define LONGEST_SECONDS 900

static struct err err;

static void want(enum rc rc)
{
	if (rc != RC_OK)
		die("%s", err.text);
}

/* ---- fill ---- */

static EVP_PKEY *key_make(const char *kind)
{
	return strcmp(kind, "rsa-2048") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
					     : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static void key_write(const char *path, const char *kind)
{
	EVP_PKEY *key = key_make(kind);
	FILE *file = fopen(path, "w");
	if (!file || chmod(path, 0600) != 0 ||
		PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 || fclose(file) != 0)
		die("%s can't be written", path);
	EVP_PKEY_free(key);
}

static void configure(
	struct str *conf, const char *directory, const char *connections, const char *tls, const char *dkim)
{
	struct str text = STR_INIT;
	bool plain = strcmp(tls, "none") == 0;
	path_join(conf, directory, "sengend.conf");
	str_printf(&text,
		"state_directory = \"state\";\nspool_directory = \"spool\";\nruntime_directory = \"run\";\n"
		"contact_mail = \"office@sa.example.jp\";\nbounce_mail = \"bounce@sa.example.jp\";\n"
		"connections = %s;\nmails_per_connection = 100000;\nrate_per_minute = 0;\n"
		"rate_per_domain = 0;\nreceipt_ceiling = 1000000;\n"
		"transport = { maildir = false; host = \"%s\"; port = 25; tls = \"%s\"; %s};\n",
		connections, plain ? "127.0.0.1" : "localhost", tls, plain ? "" : "ca_file = \"ca.pem\"; ");
	if (strcmp(dkim, "none") != 0) {
		struct str key = STR_INIT;
		path_join(&key, directory, "dkim.pem");
		key_write(key.s, dkim);
		str_addz(&text, "dkim = ( { domain = \"sa.example.jp\"; selector = \"s\"; key_from = "
				"\"dkim.pem\"; } );\n");
		str_free(&key);
	}
	want(file_write(conf->s, text.s, text.len, 0600, &err));
	str_free(&text);
}

static void corporate_number(char out[14], int n)
{
	int sum = 0;
	(void)snprintf(out + 1, 13, "%012d", 10000000 + n);
	for (int i = 0; i < 12; i++)
		sum += (out[12 - i] - '0') * (i % 2 == 0 ? 1 : 2);
	out[0] = (char)('0' + 9 - sum % 9);
}

static void apply(struct office *office, int n)
{
	char number[14], name[64], mail[64];
	corporate_number(number, n);
	(void)snprintf(name, sizeof name, "株式会社サンプル%d", n);
	(void)snprintf(mail, sizeof mail, "info%d@example%d.co.jp", n, n % 300);
	const struct form_values form = {.value = {[FIELD_KIND] = "new1",
						 [FIELD_CONTACT] = "見本 花子",
						 [FIELD_TYPE] = "corporation",
						 [FIELD_CORPORATE_NUMBER] = number,
						 [FIELD_BUSINESS_NAME] = name,
						 [FIELD_MAIL] = mail,
						 [FIELD_FAMILY_NAME] = "見本",
						 [FIELD_GIVEN_NAME] = "太郎",
						 [FIELD_PREFECTURE] = "東京都",
						 [FIELD_ADDRESS] = "見本区例示町1-2-3",
						 [FIELD_NEWS] = "false"}};
	int64_t id;
	bool review;
	want(office_register(office, &form, NULL, 0, n, &id, &review, &err));
}

static int fill(char **argv)
{
	int notices = (int)strtol(argv[1], NULL, 10);
	struct str conf = STR_INIT;
	configure(&conf, argv[0], argv[2], argv[3], argv[4]);
	struct role_context ctx = {.clock = clock_system(), .rng = rng_system(), .zygote = ZYGOTE_NONE};
	want(role_prepare(&ctx, conf.s, &err));
	want(role_open(&ctx, false, true, &err));
	for (int n = 0; n < notices;) {
		want(store_begin(ctx.office.store, &err));
		for (int i = 0; i < BATCH && n < notices; i++)
			apply(&ctx.office, ++n);
		want(store_commit(ctx.office.store, &err));
	}
	struct str wire = STR_INIT, dkim = STR_INIT;
	want(office_letter(&ctx.office, 1, &wire, &dkim, &err));
	printf("%zu\n", wire.len);
	str_free(&wire);
	str_free(&dkim);
	role_close(&ctx);
	str_free(&conf);
	return 0;
}

/* ---- drain ---- */

/* Transactions ever committed, as the index of the write-ahead log counts them (walformat in SQLite's documentation: iChange, the third word). */
static uint32_t commits_of(const char *store_path)
{
	struct str path = STR_INIT;
	uint32_t word[3] = {0};
	str_printf(&path, "%s-shm", store_path);
	int fd = open(path.s, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, word, sizeof word) != (ssize_t)sizeof word)
		die("%s can't be read", path.s);
	(void)close(fd);
	str_free(&path);
	return word[2];
}

static pid_t role_start(const char *sengend, const char *conf, const char *log)
{
	pid_t pid = fork();
	if (pid < 0)
		die("no process");
	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0640);
		if (fd < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(126);
		(void)execl(sengend, sengend, "-c", conf, "sender", (char *)NULL);
		_exit(127);
	}
	return pid;
}

static int64_t still_queued(struct store *store)
{
	utc_time first = UTC_NEVER;
	int64_t count[OUTBOX_CANCELLED + 1];
	want(outbox_next_try(store, INT64_MIN, &first, &err));
	if (first != UTC_NEVER)
		return 1;
	want(outbox_count(store, count, &err));
	return count[OUTBOX_QUEUED] + count[OUTBOX_SENDING] + count[OUTBOX_UNKNOWN];
}

/* A copied register holds everything back until somebody says that it is the one in force. */
static void adopt(const struct settings *settings)
{
	struct str host = STR_INIT;
	struct store *store;
	host_identity(&host);
	const struct store_settings where = {
		.path = settings->store_path, .witness = settings->witness_path, .host = host.s};
	want(store_open(&store, &where, STORE_WRITE, &err));
	want(store_adopt(store, &err));
	store_close(&store);
	str_free(&host);
}

static int drain(char **argv)
{
	struct settings *settings;
	struct store *store;
	want(settings_load(&settings, argv[0], &err));
	adopt(settings);
	const struct store_settings where = {.path = settings->store_path};
	want(store_open(&store, &where, STORE_READ, &err));
	int64_t count[OUTBOX_CANCELLED + 1];
	want(outbox_count(store, count, &err));
	int64_t mails = count[OUTBOX_QUEUED];
	struct str log = STR_INIT;
	path_join(&log, settings->state_directory, "sender.log");
	uint32_t commits = commits_of(settings->store_path);

	double start = seconds(CLOCK_MONOTONIC);
	pid_t role = role_start(argv[1], argv[0], log.s);
	printf("%d\n", (int)role);
	(void)fflush(stdout);
	while (still_queued(store) > 0) {
		if (seconds(CLOCK_MONOTONIC) - start > LONGEST_SECONDS)
			die("%d seconds were not enough; see %s", LONGEST_SECONDS, log.s);
		const struct timespec pause = {.tv_nsec = LOOK_NS};
		(void)nanosleep(&pause, NULL);
		int status;
		if (waitpid(role, &status, WNOHANG) == role)
			die("the role ended; see %s", log.s);
	}
	double took = seconds(CLOCK_MONOTONIC) - start;
	commits = commits_of(settings->store_path) - commits;
	printf("figure rate %.6g mails/s\nfigure share %.4g mails/commit\ncommits %u\n", (double)mails / took,
		(double)mails / commits, commits);
	(void)kill(role, SIGTERM);
	(void)waitpid(role, NULL, 0);
	want(outbox_count(store, count, &err));
	if (count[OUTBOX_SENT] < mails)
		die("%" PRId64 " of %" PRId64 " notices were sent; see %s", count[OUTBOX_SENT], mails, log.s);
	store_close(&store);
	settings_free(&settings);
	str_free(&log);
	return 0;
}

int main(int argc, char **argv)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (argc == 7 && strcmp(argv[1], "fill") == 0)
		return fill(argv + 2);
	if (argc == 4 && strcmp(argv[1], "drain") == 0)
		return drain(argv + 2);
	fputs("usage: send fill DIRECTORY NOTICES CONNECTIONS TLS DKIM | send drain CONFIG SENGEND\n",
		stderr);
	return 2;
}
