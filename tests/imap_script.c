#include "tests/imap_script.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "lib/base/err.h"
#include "lib/base/str.h"
#include "tests/certificate.h"

#define RULES_MAX 64

struct imap_server {
	pthread_mutex_t lock; /* over rules, used, heard and connections */
	struct imap_script script;
	const struct imap_rule *rules;
	int used[RULES_MAX];
	struct strlist heard, heard_clear;
	size_t connections;
	SSL_CTX *context;
	int listener, port;
	int stop[2];
	pthread_t thread;

	/* the connection */
	int fd;
	SSL *tls;
	char buffer[65536];
	size_t len, at;
};

static const struct imap_rule usual[] = {
	{.on = "CAPABILITY",
		.answer = "* CAPABILITY IMAP4rev1 STARTTLS SASL-IR AUTH=XOAUTH2 IDLE UIDPLUS MOVE "
			  "NAMESPACE\r\n$T OK done\r\n"},
	{.on = "NAMESPACE", .answer = "* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n$T OK done\r\n"},
	{.on = "LIST", .answer = "* LIST () \"/\" \"x\"\r\n$T OK done\r\n"},
	{.on = "SELECT",
		.answer = "* 0 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 1] x\r\n$T OK [READ-WRITE] "
			  "x\r\n"},
	{.on = "EXAMINE",
		.answer = "* 0 EXISTS\r\n* OK [UIDVALIDITY 8] x\r\n* OK [UIDNEXT 1] x\r\n$T OK [READ-ONLY] "
			  "x\r\n"},
	{.on = "IDLE", .answer = "+ idling\r\n"},
	{.on = "LOGOUT", .answer = "* BYE\r\n$T OK done\r\n", .then = IMAP_CUT},
	{0},
};

/* ---- lines ---- */

static bool readable(const struct imap_server *server)
{
	struct pollfd fds[] = {
		{.fd = server->fd, .events = POLLIN}, {.fd = server->stop[0], .events = POLLIN}};
	if (server->tls && SSL_pending(server->tls) > 0)
		return true;
	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return !fds[1].revents;
}

/* One line without its CRLF, or so many bytes, appended; false: the client or the test has ended. */
static bool take(struct imap_server *server, struct str *out, size_t bytes)
{
	for (size_t left = bytes;;) {
		const char *from = server->buffer + server->at;
		size_t there = server->len - server->at;
		const char *end = bytes ? NULL : memchr(from, '\n', there);
		size_t some = bytes ? (there < left ? there : left) : end ? (size_t)(end - from) + 1 : there;
		str_add(out, from, some);
		server->at += some;
		left -= bytes ? some : 0;
		if (end || (bytes && left == 0))
			break;
		if (!readable(server))
			return false;
		long got = server->tls ? SSL_read(server->tls, server->buffer, sizeof server->buffer)
				       : recv(server->fd, server->buffer, sizeof server->buffer, 0);
		if (got <= 0)
			return false;
		server->at = 0;
		server->len = (size_t)got;
	}
	while (!bytes && out->len > 0 && strchr("\r\n", out->s[out->len - 1]))
		str_cut(out, out->len - 1);
	return true;
}

static bool say(struct imap_server *server, const char *text, size_t len)
{
	while (len > 0) {
		long n = server->tls ? SSL_write(server->tls, text, (int)len)
				     : send(server->fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
		text += n;
		len -= (size_t)n;
	}
	return true;
}

static bool start_tls(struct imap_server *server)
{
	server->tls = SSL_new(server->context);
	SSL_set_fd(server->tls, server->fd);
	return readable(server) && SSL_accept(server->tls) == 1;
}

/* ---- answers ---- */

static struct imap_rule rule_for(struct imap_server *server, const char *command)
{
	struct imap_rule found = {0};
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; server->rules && server->rules[i].on && !found.on; i++) {
		const struct imap_rule *rule = &server->rules[i];
		if (str_has_prefix(command, rule->on) &&
			(rule->times == 0 || server->used[i] < rule->times)) {
			server->used[i]++;
			found = *rule;
		}
	}
	strlist_add(&server->heard, command);
	if (!server->tls)
		strlist_add(&server->heard_clear, command);
	pthread_mutex_unlock(&server->lock);
	for (size_t i = 0; usual[i].on && !found.on; i++)
		if (str_has_prefix(command, usual[i].on))
			found = usual[i];
	if (!found.on)
		found = (struct imap_rule){.on = "", .answer = "$T OK done\r\n"};
	return found;
}

static bool answer(struct imap_server *server, const struct imap_rule *rule, const char *tag)
{
	struct str text = STR_INIT;
	for (const char *c = rule->answer ? rule->answer : ""; *c; c++) {
		if (str_has_prefix(c, "$T")) {
			str_addz(&text, tag);
			c++;
		} else {
			str_addc(&text, *c);
		}
	}
	bool alive = say(server, text.s, text.len);
	while (alive && rule->then == IMAP_FLOOD)
		alive = say(server, text.s, text.len);
	str_free(&text);
	/* Until the client gives up. */
	if (rule->then == IMAP_SILENT)
		(void)poll((struct pollfd[]){{.fd = server->stop[0], .events = POLLIN},
				   {.fd = server->fd, .events = POLLRDHUP}},
			2, -1);
	return alive && rule->then == IMAP_GO_ON;
}

/* A command with its literals, which are asked for, and its tag; a line that has none goes on the command before. */
static bool read_command(struct imap_server *server, struct str *tag, struct str *command, bool goes_on)
{
	struct str line = STR_INIT;
	str_clear(command);
	bool alive = take(server, &line, 0);
	size_t tag_len = goes_on ? 0 : strcspn(line.s, " ");
	if (!goes_on) {
		str_clear(tag);
		str_add(tag, line.s, tag_len);
		tag_len += line.s[tag_len] == ' ';
	}
	for (;;) {
		str_addz(command, line.s + tag_len);
		const char *brace = strrchr(command->s, '{');
		if (!alive || !brace || !str_has_suffix(command->s, "}"))
			break;
		size_t bytes = strtoul(brace + 1, NULL, 10);
		alive = say(server, "+ go on\r\n", 9) && (bytes == 0 || take(server, command, bytes));
		str_clear(&line);
		tag_len = 0;
		alive = alive && take(server, &line, 0);
	}
	str_free(&line);
	return alive;
}

static void serve(struct imap_server *server)
{
	struct str tag = STR_INIT, command = STR_INIT;
	const struct imap_script *script = &server->script;
	struct imap_rule greeting = {.answer = script->greeting ? script->greeting : "* OK ready\r\n",
		.then = script->after_greeting};
	bool alive = script->tls != IMAP_IMPLICIT || start_tls(server);
	alive = alive && answer(server, &greeting, "*");
	for (bool goes_on = false; alive && read_command(server, &tag, &command, goes_on);) {
		struct imap_rule rule = rule_for(server, command.s);
		goes_on = rule.answer && (rule.answer[0] == '+' || strstr(rule.answer, "\n+")) &&
			  !strstr(rule.answer, "$T");
		alive = answer(server, &rule, tag.s);
		if (alive && strcmp(command.s, "STARTTLS") == 0 && !server->tls)
			alive = start_tls(server);
	}
	if (server->tls)
		SSL_free(server->tls);
	server->tls = NULL;
	server->at = server->len = 0;
	close(server->fd);
	str_free(&tag);
	str_free(&command);
}

static void *serve_all(void *ctx)
{
	struct imap_server *server = ctx;
	for (;;) {
		struct pollfd fds[] = {{.fd = server->listener, .events = POLLIN},
			{.fd = server->stop[0], .events = POLLIN}};
		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[1].revents)
			return NULL;
		server->fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
		if (server->fd < 0)
			continue;
		pthread_mutex_lock(&server->lock);
		server->connections++;
		pthread_mutex_unlock(&server->lock);
		serve(server);
	}
}

/* ---- for the tests ---- */

struct imap_server *imap_server_start(const struct imap_script *script)
{
	struct imap_server *server = xcalloc(1, sizeof *server);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	server->script = *script;
	server->rules = script->rules;
	pthread_mutex_init(&server->lock, NULL);
	if (script->tls != IMAP_PLAIN)
		server->context =
			certificate_serve(script->certificate_host ? script->certificate_host : "localhost",
				script->certificate_expired, script->certificate);
	server->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server->listener < 0 ||
		bind(server->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(server->listener, 8) != 0 ||
		getsockname(server->listener, (struct sockaddr *)&address, &len) != 0 ||
		pipe(server->stop) != 0)
		die("no port for the test's server");
	server->port = ntohs(address.sin_port);
	if (pthread_create(&server->thread, NULL, serve_all, server) != 0)
		die("no thread for the test's server");
	return server;
}

int imap_server_port(const struct imap_server *server)
{
	return server->port;
}

void imap_server_change(struct imap_server *server, const struct imap_rule *rules)
{
	pthread_mutex_lock(&server->lock);
	server->rules = rules;
	memset(server->used, 0, sizeof server->used);
	pthread_mutex_unlock(&server->lock);
}

size_t imap_server_connections(struct imap_server *server)
{
	pthread_mutex_lock(&server->lock);
	size_t count = server->connections;
	pthread_mutex_unlock(&server->lock);
	return count;
}

static size_t count_heard(struct imap_server *server, const struct strlist *heard, const char *beginning)
{
	size_t count = 0;
	pthread_mutex_lock(&server->lock);
	for (size_t i = 0; i < heard->count; i++)
		count += str_has_prefix(heard->item[i], beginning);
	pthread_mutex_unlock(&server->lock);
	return count;
}

size_t imap_server_heard(struct imap_server *server, const char *beginning)
{
	return count_heard(server, &server->heard, beginning);
}

size_t imap_server_heard_clear(struct imap_server *server, const char *beginning)
{
	return count_heard(server, &server->heard_clear, beginning);
}

void imap_server_stop(struct imap_server **server_of)
{
	struct imap_server *server = *server_of;
	(void)!write(server->stop[1], "", 1);
	pthread_join(server->thread, NULL);
	close(server->stop[0]);
	close(server->stop[1]);
	close(server->listener);
	SSL_CTX_free(server->context);
	strlist_free(&server->heard);
	strlist_free(&server->heard_clear);
	pthread_mutex_destroy(&server->lock);
	free(server);
	*server_of = NULL;
}
