#include "tests/smtp_sink.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "lib/base/crypt.h"
#include "lib/base/err.h"
#include "tests/certificate.h"

#define CONNECTIONS_MAX 64

struct sink {
	pthread_mutex_t lock; /* over all below but the sockets */
	struct sink_script script;
	struct sink_mail **mail;
	size_t count, kept, connections, quits, logins;
	struct strlist greylisted;
	SSL_CTX *tls;
	int listener, port;
	int stop[2]; /* the reading end becomes readable when all must end */
	pthread_t acceptor;
	pthread_t server[CONNECTIONS_MAX * 16];
	size_t servers;
};

struct session {
	struct sink *sink;
	int fd;
	SSL *ssl;
	char buffer[65536];
	size_t len, at;
	int mails;
	bool logged_in;
	struct str sender, recipient;
};

/* ---- lines ---- */

static struct sink_script script_of(struct sink *sink)
{
	pthread_mutex_lock(&sink->lock);
	struct sink_script script = sink->script;
	pthread_mutex_unlock(&sink->lock);
	return script;
}

/* false: the client or the test has ended. */
static bool wait_readable(const struct session *session, int timeout_ms)
{
	struct pollfd fds[] = {
		{.fd = session->fd, .events = POLLIN}, {.fd = session->sink->stop[0], .events = POLLIN}};
	if (session->ssl && SSL_pending(session->ssl) > 0)
		return true;
	while (poll(fds, 2, timeout_ms) < 0 && errno == EINTR)
		;
	return fds[1].revents == 0 && fds[0].revents != 0;
}

static bool fill(struct session *session)
{
	if (!wait_readable(session, -1))
		return false;
	session->at = 0;
	session->len = 0;
	long got = session->ssl ? SSL_read(session->ssl, session->buffer, sizeof session->buffer)
				: recv(session->fd, session->buffer, sizeof session->buffer, 0);
	if (got <= 0)
		return false;
	session->len = (size_t)got;
	return true;
}

/* One line without its CRLF, appended. */
static bool line_read(struct session *session, struct str *line)
{
	for (;;) {
		const char *from = session->buffer + session->at;
		size_t left = session->len - session->at;
		const char *end = memchr(from, '\n', left);
		size_t take = end ? (size_t)(end - from) + 1 : left;
		str_add(line, from, take);
		session->at += take;
		if (end) {
			str_cut(line, line->len - 1);
			if (line->len && line->s[line->len - 1] == '\r')
				str_cut(line, line->len - 1);
			return true;
		}
		if (!fill(session))
			return false;
	}
}

static bool send_text(struct session *session, const char *text, size_t len)
{
	while (len) {
		long sent = session->ssl ? SSL_write(session->ssl, text, (int)len)
					 : send(session->fd, text, len, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		text += sent;
		len -= (size_t)sent;
	}
	return true;
}

static bool say(struct session *session, const char *reply, const char *usual)
{
	struct str line = STR_INIT;
	str_printf(&line, "%s\r\n", reply ? reply : usual);
	bool sent = send_text(session, line.s, line.len);
	str_free(&line);
	return sent;
}

/* Says nothing until the client goes away or the test ends. */
static void be_silent(struct session *session)
{
	while (fill(session))
		;
}

/* true: the session ends here. */
static bool ends_at(struct session *session, enum sink_point point)
{
	struct sink_script script = script_of(session->sink);
	if (script.silent == point)
		be_silent(session);
	return script.silent == point || script.cut == point;
}

/* ---- commands ---- */

static bool start_tls(struct session *session)
{
	session->ssl = SSL_new(session->sink->tls);
	SSL_set_fd(session->ssl, session->fd);
	session->len = session->at = 0;
	return SSL_accept(session->ssl) == 1;
}

static bool answer_ehlo(struct session *session)
{
	struct sink_script script = script_of(session->sink);
	if (script.ehlo)
		return say(session, script.ehlo, NULL);
	struct str text = STR_INIT;
	str_addz(&text, "250-localhost\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n");
	if (script.tls == SINK_STARTTLS && !session->ssl)
		str_addz(&text, "250-STARTTLS\r\n");
	if (script.mechanisms)
		str_printf(&text, "250-AUTH %s\r\n", script.mechanisms);
	str_addz(&text, "250 ENHANCEDSTATUSCODES\r\n");
	bool sent = send_text(session, text.s, text.len);
	str_free(&text);
	return sent;
}

static bool ask(struct session *session, const char *challenge, struct str *answer)
{
	struct str line = STR_INIT;
	bool got = say(session, challenge, NULL) && line_read(session, &line) &&
		   base64_read(answer, line.s, line.len);
	str_free(&line);
	return got;
}

/* line: behind "AUTH ". */
static bool answer_auth(struct session *session, const char *line)
{
	struct sink_script script = script_of(session->sink);
	struct str initial = STR_INIT, want = STR_INIT, password = STR_INIT;
	const char *blank = strchr(line, ' ');
	bool read = !blank || base64_read(&initial, blank + 1, strlen(blank + 1));
	if (strncasecmp(line, "LOGIN", 5) == 0) {
		str_addz(&want, script.user);
		read = read && (blank || ask(session, "334 VXNlcm5hbWU6", &initial)) &&
		       ask(session, "334 UGFzc3dvcmQ6", &password) &&
		       strcmp(password.s, script.password) == 0;
	} else if (strncasecmp(line, "PLAIN", 5) == 0) {
		str_printf(&want, "%c%s%c%s", 0, script.user, 0, script.password);
		read = read && (blank || ask(session, "334 ", &initial));
	} else {
		str_printf(&want, "user=%s\001auth=Bearer %s\001\001", script.user, script.password);
		read = read && (blank || ask(session, "334 ", &initial));
	}
	bool right = read && initial.len == want.len && memcmp(initial.s, want.s, want.len) == 0;
	str_free(&initial);
	str_free(&want);
	str_free(&password);
	session->logged_in = right && !script.auth;
	pthread_mutex_lock(&session->sink->lock);
	session->sink->logins += session->logged_in;
	pthread_mutex_unlock(&session->sink->lock);
	return say(session, right ? script.auth : "535 5.7.8 authentication failed", "235 2.7.0 welcome");
}

static void path_read(struct str *out, const char *line)
{
	const char *from = strchr(line, '<'), *to = strrchr(line, '>');
	str_clear(out);
	if (from && to && to > from)
		str_add(out, from + 1, (size_t)(to - from - 1));
}

static bool answer_rcpt(struct session *session, const char *line)
{
	struct sink_script script = script_of(session->sink);
	path_read(&session->recipient, line);
	pthread_mutex_lock(&session->sink->lock);
	bool later = script.greylist && !strlist_has(&session->sink->greylisted, session->recipient.s);
	if (later)
		strlist_add(&session->sink->greylisted, session->recipient.s);
	pthread_mutex_unlock(&session->sink->lock);
	if (script.refuse && str_has_prefix(session->recipient.s, script.refuse))
		return say(session, script.refusal, "550 5.1.1 User unknown");
	return say(session, later ? "451 4.7.1 greylisted, please come again" : script.rcpt, "250 2.1.5 ok");
}

static void mail_keep(struct session *session, struct str *data)
{
	struct sink *sink = session->sink;
	pthread_mutex_lock(&sink->lock);
	if (!sink->script.forget) {
		struct sink_mail *mail = xcalloc(1, sizeof *mail);
		*mail = (struct sink_mail){.sender = STR_INIT, .recipient = STR_INIT, .data = *data};
		*data = STR_INIT;
		str_addz(&mail->sender, session->sender.s);
		str_addz(&mail->recipient, session->recipient.s);
		sink->mail = xrealloc(sink->mail, (sink->kept + 1) * sizeof *sink->mail);
		sink->mail[sink->kept++] = mail;
	}
	sink->count++;
	pthread_mutex_unlock(&sink->lock);
}

/* false: the connection ends. */
static bool answer_data(struct session *session)
{
	struct sink_script script = script_of(session->sink);
	if (!say(session, script.data, "354 go ahead"))
		return false;
	if (script.data && script.data[0] != '3')
		return true;
	struct str data = STR_INIT, line = STR_INIT;
	bool whole = false;
	int lines = 0;
	while (!whole && line_read(session, &line)) {
		whole = strcmp(line.s, ".") == 0;
		if (!whole) {
			str_add(&data, line.s + (line.s[0] == '.'), line.len - (line.s[0] == '.'));
			str_addz(&data, "\r\n");
		}
		str_clear(&line);
		if (++lines == 3 && ends_at(session, SINK_IN_DATA))
			break;
	}
	script = script_of(session->sink);
	bool accepted = whole && (!script.dot || script.dot[0] == '2');
	if (accepted)
		mail_keep(session, &data);
	str_free(&data);
	str_free(&line);
	if (!whole || ends_at(session, SINK_AT_DOT))
		return false;
	if (script.reply_pause_ms)
		poll(NULL, 0, script.reply_pause_ms);
	session->mails++;
	if (script.close_idle_after && session->mails >= script.close_idle_after) {
		say(session, script.dot, "250 2.0.0 accepted");
		return false;
	}
	return say(session, script.dot, "250 2.0.0 accepted");
}

/* false: the connection ends. */
static bool answer(struct session *session, const char *line)
{
	struct sink_script script = script_of(session->sink);
	bool too_many = script.close_after && session->mails >= script.close_after;
	if (strncasecmp(line, "EHLO ", 5) == 0 || strncasecmp(line, "HELO ", 5) == 0)
		return answer_ehlo(session);
	if (strncasecmp(line, "STARTTLS", 8) == 0) {
		struct str text = STR_INIT;
		str_printf(&text, "220 2.0.0 ready\r\n%s", script.inject ? script.inject : "");
		bool sent = send_text(session, text.s, text.len);
		str_free(&text);
		return sent && start_tls(session);
	}
	if (strncasecmp(line, "AUTH ", 5) == 0)
		return answer_auth(session, line + 5);
	if (strncasecmp(line, "MAIL FROM:", 10) == 0) {
		if (ends_at(session, SINK_AT_MAIL))
			return false;
		path_read(&session->sender, line);
		if (too_many) {
			say(session, "421 4.3.2 too many mails, closing", NULL);
			return false;
		}
		bool denied = script.user && script.mechanisms && !session->logged_in;
		return say(
			session, denied ? "530 5.7.0 authentication required" : script.mail, "250 2.1.0 ok");
	}
	if (strncasecmp(line, "RCPT TO:", 8) == 0)
		return !ends_at(session, SINK_AT_RCPT) && answer_rcpt(session, line);
	if (strcasecmp(line, "DATA") == 0)
		return !ends_at(session, SINK_AT_DATA) && answer_data(session);
	if (strcasecmp(line, "QUIT") == 0) {
		pthread_mutex_lock(&session->sink->lock);
		session->sink->quits++;
		pthread_mutex_unlock(&session->sink->lock);
		if (!ends_at(session, SINK_AT_QUIT))
			say(session, NULL, "221 2.0.0 bye");
		return false;
	}
	return say(session, NULL, "500 5.5.2 no such command");
}

static void *serve(void *ctx)
{
	struct session *session = ctx;
	struct sink_script script = script_of(session->sink);
	struct str line = STR_INIT;
	bool goes_on = (script.tls != SINK_IMPLICIT || start_tls(session)) &&
		       !ends_at(session, SINK_AT_GREETING) &&
		       say(session, script.greeting, "220 localhost ESMTP test");
	while (goes_on && line_read(session, &line)) {
		goes_on = answer(session, line.s);
		str_clear(&line);
	}
	str_free(&line);
	if (session->ssl) {
		SSL_shutdown(session->ssl);
		SSL_free(session->ssl);
	}
	close(session->fd);
	str_free(&session->sender);
	str_free(&session->recipient);
	free(session);
	return NULL;
}

static void *accept_all(void *ctx)
{
	struct sink *sink = ctx;
	for (;;) {
		struct pollfd fds[] = {
			{.fd = sink->listener, .events = POLLIN}, {.fd = sink->stop[0], .events = POLLIN}};
		if (poll(fds, 2, -1) < 0 && errno == EINTR)
			continue;
		if (fds[1].revents)
			return NULL;
		int fd = accept4(sink->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		if (sink->servers == sizeof sink->server / sizeof sink->server[0])
			die("more connections than the test's server has room for");
		struct session *session = xcalloc(1, sizeof *session);
		session->sink = sink;
		session->fd = fd;
		session->sender = session->recipient = STR_INIT;
		pthread_mutex_lock(&sink->lock);
		sink->connections++;
		pthread_mutex_unlock(&sink->lock);
		if (pthread_create(&sink->server[sink->servers++], NULL, serve, session) != 0)
			die("no thread for the test's server");
	}
}

/* ---- for the tests ---- */

static SSL_CTX *serve_certificate(const struct sink_script *script, const char *directory)
{
	struct str path = STR_INIT;
	str_printf(&path, "%s/certificate.pem", directory);
	SSL_CTX *tls = certificate_serve(script->certificate_host ? script->certificate_host : "localhost",
		script->certificate_expired, path.s);
	str_free(&path);
	return tls;
}

struct sink *sink_start(const struct sink_script *script, const char *directory)
{
	struct sink *sink = xcalloc(1, sizeof *sink);
	sink->script = *script;
	pthread_mutex_init(&sink->lock, NULL);
	if (script->tls != SINK_PLAIN)
		sink->tls = serve_certificate(script, directory);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	sink->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sink->listener < 0 || bind(sink->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(sink->listener, CONNECTIONS_MAX) != 0 ||
		getsockname(sink->listener, (struct sockaddr *)&address, &len) != 0 || pipe(sink->stop) != 0)
		die("no port for the test's server");
	sink->port = ntohs(address.sin_port);
	if (pthread_create(&sink->acceptor, NULL, accept_all, sink) != 0)
		die("no thread for the test's server");
	return sink;
}

int sink_port(const struct sink *sink)
{
	return sink->port;
}

void sink_change(struct sink *sink, const struct sink_script *script)
{
	pthread_mutex_lock(&sink->lock);
	sink->script = *script;
	pthread_mutex_unlock(&sink->lock);
}

static size_t count_of(struct sink *sink, const size_t *count)
{
	pthread_mutex_lock(&sink->lock);
	size_t value = *count;
	pthread_mutex_unlock(&sink->lock);
	return value;
}

size_t sink_mail_count(struct sink *sink)
{
	return count_of(sink, &sink->count);
}

size_t sink_connections(struct sink *sink)
{
	return count_of(sink, &sink->connections);
}

size_t sink_quits(struct sink *sink)
{
	return count_of(sink, &sink->quits);
}

size_t sink_logins(struct sink *sink)
{
	return count_of(sink, &sink->logins);
}

const struct sink_mail *sink_mail(struct sink *sink, size_t number)
{
	pthread_mutex_lock(&sink->lock);
	const struct sink_mail *mail = number < sink->kept ? sink->mail[number] : NULL;
	pthread_mutex_unlock(&sink->lock);
	return mail;
}

void sink_stop(struct sink **sink)
{
	struct sink *old = *sink;
	close(old->stop[1]); /* every poll sees the end */
	pthread_join(old->acceptor, NULL);
	for (size_t i = 0; i < old->servers; i++)
		pthread_join(old->server[i], NULL);
	for (size_t i = 0; i < old->kept; i++) {
		str_free(&old->mail[i]->sender);
		str_free(&old->mail[i]->recipient);
		str_free(&old->mail[i]->data);
		free(old->mail[i]);
	}
	free(old->mail);
	strlist_free(&old->greylisted);
	close(old->stop[0]);
	close(old->listener);
	SSL_CTX_free(old->tls);
	pthread_mutex_destroy(&old->lock);
	free(old);
	*sink = NULL;
}
