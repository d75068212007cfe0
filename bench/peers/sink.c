/*
 * sink.c - a mail server that takes everything and keeps nothing
 *
 * sink [--starttls | --tls CERTIFICATE KEY] COUNTFILE: listens on a port of 127.0.0.1, prints it, and goes on until SIGTERM. COUNTFILE always says "MAILS MICROSECONDS": how many
 * mails it has taken so far, and when the last one was answered (since 1970). One thread, epoll, as many connections as come: it is there so that the server is not
 * what is measured. tests/smtp_sink.h is the server that remembers and misbehaves.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define EVENTS 64
#define COUNT_BYTES 48
#define END_OF_MAIL "\r\n.\r\n"

struct session {
	int fd;
	SSL *tls;
	bool in_mail; /* bytes[0..len) then begins with the line end before the mail, or with what may be the beginning of its end */
	size_t len, replies_len;
	char bytes[65536], replies[8192];
};

static SSL_CTX *certificate;
static bool tls_at_once;
static char *shown_count;
static uint64_t mails;

static void stop(const char *what)
{
	perror(what);
	exit(1);
}

static void count_show(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(shown_count, COUNT_BYTES, "%-16" PRIu64 " %-29" PRIu64 "\n", mails,
		(uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
}

static void reply(struct session *session, const char *text)
{
	size_t len = strlen(text);
	if (session->replies_len + len > sizeof session->replies)
		return; /* nobody sends so many commands at once */
	memcpy(session->replies + session->replies_len, text, len);
	session->replies_len += len;
}

/* false: the connection is lost. */
static bool replies_send(struct session *session)
{
	while (session->replies_len > 0) {
		ssize_t sent =
			session->tls
				? SSL_write(session->tls, session->replies, (int)session->replies_len)
				: send(session->fd, session->replies, session->replies_len, MSG_NOSIGNAL);
		if (sent <= 0)
			return session->tls ? SSL_get_error(session->tls, (int)sent) == SSL_ERROR_WANT_READ
					    : errno == EAGAIN;
		session->replies_len -= (size_t)sent;
		memmove(session->replies, session->replies + sent, session->replies_len);
	}
	return true;
}

static void tls_begin(struct session *session)
{
	session->tls = SSL_new(certificate);
	if (!session->tls || SSL_set_fd(session->tls, session->fd) != 1)
		stop("SSL_new");
	SSL_set_accept_state(session->tls);
}

/* One command. false: the connection ends when its replies are sent. */
static bool answer(struct session *session, const char *command)
{
	if (strncasecmp(command, "EHLO", 4) == 0) {
		reply(session, "250-localhost\r\n250-PIPELINING\r\n250-SIZE 0\r\n250-8BITMIME\r\n");
		reply(session, certificate && !session->tls ? "250-STARTTLS\r\n" : "");
		reply(session, "250 ENHANCEDSTATUSCODES\r\n");
	} else if (strncasecmp(command, "DATA", 4) == 0) {
		reply(session, "354 go ahead\r\n");
		session->in_mail = true;
	} else if (strncasecmp(command, "QUIT", 4) == 0) {
		reply(session, "221 2.0.0 bye\r\n");
		return false;
	} else if (strncasecmp(command, "STARTTLS", 8) == 0 && certificate && !session->tls) {
		reply(session, "220 2.0.0 ready\r\n");
		if (!replies_send(session))
			return false;
		session->len = 0;
		tls_begin(session);
	} else {
		reply(session, "250 2.0.0 ok\r\n");
	}
	return true;
}

/* Takes what is whole in session->bytes. false: the connection ends. */
static bool bytes_take(struct session *session)
{
	size_t at = 0;
	bool goes_on = true;
	while (goes_on && at < session->len) {
		char *here = session->bytes + at;
		size_t left = session->len - at;
		if (session->in_mail) {
			char *end = memmem(here, left, END_OF_MAIL, strlen(END_OF_MAIL));
			if (!end) {
				at = left < strlen(END_OF_MAIL) ? at : session->len - strlen(END_OF_MAIL) + 1;
				break;
			}
			at = (size_t)(end - session->bytes) + strlen(END_OF_MAIL);
			session->in_mail = false;
			mails++;
			reply(session, "250 2.0.0 taken\r\n");
		} else {
			char *end = memchr(here, '\n', left);
			if (!end)
				break;
			goes_on = answer(session, here);
			if (session->len == 0) /* TLS begins: nothing said in the clear counts */
				return goes_on;
			/* The line end of DATA stays: a mail without a line ends with it. */
			at = (size_t)(end - session->bytes) + 1 -
			     (session->in_mail && end > here && end[-1] == '\r' ? 2 : 0);
		}
	}
	session->len -= at;
	memmove(session->bytes, session->bytes + at, session->len);
	return goes_on && session->len < sizeof session->bytes - 1;
}

/* false: the connection ends. */
static bool session_go_on(struct session *session)
{
	for (;;) {
		char *to = session->bytes + session->len;
		size_t room = sizeof session->bytes - 1 - session->len;
		bool secured = session->tls != NULL;
		ssize_t got =
			secured ? SSL_read(session->tls, to, (int)room) : recv(session->fd, to, room, 0);
		if (got <= 0) {
			bool later = secured ? SSL_get_error(session->tls, (int)got) == SSL_ERROR_WANT_READ
					     : got < 0 && errno == EAGAIN;
			return later && replies_send(session);
		}
		session->len += (size_t)got;
		uint64_t before = mails;
		bool goes_on = bytes_take(session);
		bool sent = replies_send(session);
		if (mails != before)
			count_show();
		if (!goes_on || !sent)
			return false;
		if (!secured)
			return true; /* epoll tells of the rest; OpenSSL may have read it already */
	}
}

static void session_open(int listener, int epoll)
{
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	struct session *session = calloc(1, sizeof *session);
	if (!session)
		stop("calloc");
	session->fd = fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd,
		    &(struct epoll_event){.events = EPOLLIN, .data.ptr = session}) != 0)
		stop("epoll_ctl");
	if (tls_at_once)
		tls_begin(session);
	reply(session, "220 localhost ESMTP\r\n");
	replies_send(session);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): epoll keeps it */
}

static void session_close(struct session *session)
{
	if (session->tls)
		SSL_shutdown(session->tls);
	SSL_free(session->tls);
	close(session->fd);
	free(session);
}

static int listener_open(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
		listen(listener, SOMAXCONN) != 0 ||
		getsockname(listener, (struct sockaddr *)&address, &len) != 0)
		stop("no port");
	printf("%d\n", ntohs(address.sin_port));
	fflush(stdout);
	return listener;
}

static void count_open(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, COUNT_BYTES) != 0)
		stop(path);
	shown_count = mmap(NULL, COUNT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shown_count == MAP_FAILED)
		stop(path);
	close(fd);
	count_show();
}

int main(int argc, char **argv)
{
	bool tls = argc == 5 && (strcmp(argv[1], "--starttls") == 0 || strcmp(argv[1], "--tls") == 0);
	if (argc != 2 && !tls) {
		fputs("sink [--starttls | --tls CERTIFICATE KEY] COUNTFILE\n", stderr);
		return 2;
	}
	if (tls) {
		certificate = SSL_CTX_new(TLS_server_method());
		if (!certificate || SSL_CTX_use_certificate_chain_file(certificate, argv[2]) != 1 ||
			SSL_CTX_use_PrivateKey_file(certificate, argv[3], SSL_FILETYPE_PEM) != 1)
			stop(argv[2]);
		SSL_CTX_set_mode(
			certificate, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
		tls_at_once = strcmp(argv[1], "--tls") == 0;
	}
	count_open(argv[argc - 1]);
	int listener = listener_open(), epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 ||
		epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN}) != 0)
		stop("epoll");
	for (;;) {
		struct epoll_event event[EVENTS];
		int events = epoll_wait(epoll, event, EVENTS, -1);
		for (int i = 0; i < events; i++) {
			struct session *session = event[i].data.ptr;
			if (!session)
				session_open(listener, epoll);
			else if (!session_go_on(session))
				session_close(session);
		}
	}
}
