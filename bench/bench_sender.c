/*
 * bench_sender.c - how fast the sender drains the outbox into a mail server that takes everything
 *
 * bench_sender [DIRECTORY [NOTICES [CONNECTIONS [rsa|ed25519|none]]]]: registers so many applications (default 20,000), each with its queued receipt,
 * then lets the role work through them as a service over so many connections (default 16), signing with such a key, against a server in a process of
 * its own, and prints mails per second and the role's memory. Everything is durable: SQLite in WAL with synchronous FULL.
 */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "daemon/role.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "tests/smtp_sink.h"

#define BATCH 500

static struct err err;

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

/* The server in a process of its own: its threads are not the role's. */
static pid_t server_start(const char *directory, int *port)
{
	int channel[2];
	if (pipe(channel) != 0)
		die("no pipe");
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		const struct sink_script script = {.forget = true};
		struct sink *sink = sink_start(&script, directory);
		*port = sink_port(sink);
		if (write(channel[1], port, sizeof *port) != sizeof *port)
			_exit(1);
		for (;;)
			pause();
	}
	if (pid < 0 || read(channel[0], port, sizeof *port) != sizeof *port)
		die("no mail server");
	(void)close(channel[0]);
	(void)close(channel[1]);
	return pid;
}

static void key_write(const char *path, const char *kind)
{
	EVP_PKEY *key = strcmp(kind, "rsa") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048)
						 : EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *file = fopen(path, "w");
	if (!file || chmod(path, 0600) != 0 ||
		PEM_write_PKCS8PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) != 1 || fclose(file) != 0)
		die("%s can't be written", path);
	EVP_PKEY_free(key);
}

static void configure(struct str *conf, const char *directory, int port, int connections, const char *kind)
{
	struct str text = STR_INIT;
	path_join(conf, directory, "sengend.conf");
	str_printf(&text,
		"state_directory = \"%s\";\nspool_directory = \"%s\";\nruntime_directory = \"%s\";\n"
		"contact_mail = \"office@sa.example.jp\";\nbounce_mail = \"bounce@sa.example.jp\";\n"
		"connections = %d;\nmails_per_connection = 1000;\nrate_per_minute = 0;\nrate_per_domain = "
		"0;\n"
		"transport = { maildir = false; host = \"127.0.0.1\"; port = %d; tls = \"none\"; };\n",
		directory, directory, directory, connections, port);
	if (strcmp(kind, "none") != 0) {
		struct str key = STR_INIT;
		path_join(&key, directory, "dkim.pem");
		key_write(key.s, kind);
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

/* As a service: sleeps until a child answers. */
static void drain(struct role_context *ctx, int notices)
{
	double start = now_seconds();
	int64_t count[OUTBOX_CANCELLED + 1] = {0};
	int steps = 0;
	do {
		utc_time now = clock_now(&ctx->clock), next;
		want(role_sender.step(ctx, now, &next, &err));
		struct pollfd flying[64];
		int fd[64], watched = role_sender.watch(ctx, fd, 64);
		for (int i = 0; i < watched; i++)
			flying[i] = (struct pollfd){.fd = fd[i], .events = POLLIN};
		if (next > now && watched > 0)
			(void)poll(flying, (nfds_t)watched, 1000);
		steps++;
		if (watched == 0)
			want(outbox_count(ctx->office.store, count, &err));
	} while (count[OUTBOX_SENT] < notices);
	double seconds = now_seconds() - start;
	struct rusage usage;
	(void)getrusage(RUSAGE_SELF, &usage);
	printf("figure: sender: %d mails in %.2f s, %.0f mails/s, %d steps, %ld KiB at most\n", notices,
		seconds, notices / seconds, steps, usage.ru_maxrss);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/sengen-bench-XXXXXX";
	const char *directory = argc > 1 ? argv[1] : mkdtemp(made);
	int notices = argc > 2 ? atoi(argv[2]) : 20000, connections = argc > 3 ? atoi(argv[3]) : 16, port;
	const char *kind = argc > 4 ? argv[4] : "none";
	(void)signal(SIGPIPE, SIG_IGN);
	pid_t server = server_start(directory, &port);
	struct str conf = STR_INIT;
	configure(&conf, directory, port, connections, kind);

	struct role_context ctx = {.clock = clock_system(), .rng = rng_system(), .zygote = -1};
	want(role_prepare(&ctx, conf.s, &err));
	want(role_open(&ctx, true, true, &err));
	for (int n = 0; n < notices;) {
		want(store_begin(ctx.office.store, &err));
		for (int i = 0; i < BATCH && n < notices; i++)
			apply(&ctx.office, ++n);
		want(store_commit(ctx.office.store, &err));
	}
	want(role_sender.start(&ctx, &err));
	drain(&ctx, notices);
	role_sender.stop(&ctx, 0);
	role_close(&ctx);
	(void)kill(server, SIGKILL);
	(void)waitpid(server, NULL, 0);
	str_free(&conf);
	return 0;
}
