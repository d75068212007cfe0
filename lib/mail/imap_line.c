#include "lib/mail/imap_line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <gnutls/gnutls.h>

#include "lib/base/clock.h"
#include "lib/base/str.h"
#include "lib/mail/peer_certificate.h"

#define STREAM_BUFFER 8192
#define LINE_MAX_BYTES (256 * 1024) /* without literals */
#define DEPTH_MAX 8 /* brackets in brackets; what we ask for has three or four */

#define HEAD_BYTES 32 /* of a line: what kind of answer it is */

/* Follows the server's bytes just far enough to know lines from literals, and what kind of answer a line begins. */
struct guard {
	char head[HEAD_BYTES];
	bool goes_on; /* the line stands behind a literal */
	int64_t bytes_left, literal_max;
	int64_t literal_left; /* of the one that is passing by */
	size_t line_bytes;
	int depth;
	bool quoted, escaped;
	enum { NO_SIZE, SIZE_DIGITS, SIZE_CLOSED } size_state; /* {123} */
	int64_t size;
};

struct imap_line {
	int fd;
	gnutls_session_t tls; /* NULL: in the clear */
	gnutls_certificate_credentials_t credentials;
	int64_t deadline_ms;
	int silence_ms;
	enum line_fault fault;
	struct guard guard;
	char ahead
		[512]; /* read while waiting: only decrypting tells whether TLS brought bytes of the server's */
	size_t ahead_len;
};

/* ---- the guard ---- */

static bool is_one_of(const char *word, const char *const *words)
{
	size_t len = strcspn(word, " \r");
	for (; *words; words++)
		if (strlen(*words) == len && strncasecmp(word, *words, len) == 0)
			return true;
	return false;
}

/* libetpan has parsers for a great many extensions, and some fall over bad input: only what our commands bring gets there. */
static bool was_asked_for(const char *line)
{
	static const char *const plain[] = {"OK", "NO", "BAD", "BYE", "PREAUTH", "CAPABILITY", "NAMESPACE",
		"LIST", "LSUB", "FLAGS", "SEARCH", NULL};
	static const char *const numbered[] = {"EXISTS", "RECENT", "EXPUNGE", "FETCH", NULL};
	if (line[0] != '*')
		return true; /* a tag or "+" */
	if (line[1] != ' ')
		return false;
	const char *word = line + 2;
	size_t digits = strspn(word, "0123456789");
	if (digits == 0)
		return is_one_of(word, plain);
	return word[digits] == ' ' && is_one_of(word + digits + 1, numbered);
}

static enum line_fault guard_line_end(struct guard *guard)
{
	size_t len = guard->line_bytes < HEAD_BYTES ? guard->line_bytes : HEAD_BYTES - 1;
	guard->head[len] = '\0';
	bool good = guard->goes_on || was_asked_for(guard->head);
	guard->goes_on = guard->size_state == SIZE_CLOSED;
	guard->line_bytes = 0;
	return good ? LINE_FINE : LINE_UNASKED;
}

static enum line_fault guard_byte(struct guard *guard, char c)
{
	bool digit = c >= '0' && c <= '9';
	if (c == '\n') {
		enum line_fault fault = guard_line_end(guard);
		guard->quoted = guard->escaped = false;
		if (guard->size_state == SIZE_CLOSED)
			guard->literal_left = guard->size;
		else
			guard->depth = 0;
		guard->size_state = NO_SIZE;
		return fault;
	}
	if (guard->line_bytes < HEAD_BYTES)
		guard->head[guard->line_bytes] = c;
	if (++guard->line_bytes > LINE_MAX_BYTES)
		return LINE_FLOOD;
	if (guard->quoted) {
		bool ends = c == '"' && !guard->escaped;
		guard->escaped = c == '\\' && !guard->escaped;
		guard->quoted = !ends;
		return LINE_FINE;
	}
	if (guard->size_state == SIZE_DIGITS && digit) {
		if (guard->size < INT64_MAX / 100)
			guard->size = guard->size * 10 + (c - '0');
	} else if (guard->size_state == SIZE_DIGITS && c == '}') {
		guard->size_state = SIZE_CLOSED;
		/* libetpan takes a size for a literal's even where no line ends behind it. */
		if (guard->size > guard->literal_max)
			return LINE_LITERAL;
	} else if (c == '{') {
		guard->size_state = SIZE_DIGITS;
		guard->size = 0;
	} else if (c != '\r') {
		guard->size_state = NO_SIZE;
		guard->quoted = c == '"';
		guard->depth += (c == '(') - (c == ')');
	}
	return guard->depth > DEPTH_MAX ? LINE_FLOOD : LINE_FINE;
}

static enum line_fault guard_bytes(struct guard *guard, const char *bytes, size_t len)
{
	if ((int64_t)len > guard->bytes_left)
		return LINE_FLOOD;
	guard->bytes_left -= (int64_t)len;
	for (size_t i = 0; i < len;) {
		if (guard->literal_left > 0) {
			size_t skip = len - i;
			if ((int64_t)skip > guard->literal_left)
				skip = (size_t)guard->literal_left;
			guard->literal_left -= (int64_t)skip;
			i += skip;
			continue;
		}
		enum line_fault fault = guard_byte(guard, bytes[i++]);
		if (fault != LINE_FINE)
			return fault;
	}
	return LINE_FINE;
}

/* ---- waiting ---- */

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* false: the deadline passed. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
	for (;;) {
		int64_t left = deadline_ms - clock_machine_ms();
		int n = poll(&(struct pollfd){.fd = fd, .events = events}, 1,
			left < 0 ? 0 : (int)sooner(left, 60 * 60 * 1000));
		if (n > 0)
			return true;
		if (n == 0 && left <= 0)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* false: the line is dead from here on. */
static bool line_wait(struct imap_line *line, short events)
{
	int64_t silent_at = clock_machine_ms() + line->silence_ms;
	if (wait_for(line->fd, events, sooner(silent_at, line->deadline_ms)))
		return true;
	line->fault = line->deadline_ms < silent_at ? LINE_LATE : LINE_SILENT;
	return false;
}

/* ---- libetpan's driver ---- */

/* >0: bytes; 0: nothing there yet; -1: the line is dead. */
static ssize_t line_take(struct imap_line *line, void *room, size_t size)
{
	ssize_t n = line->tls ? gnutls_record_recv(line->tls, room, size) : recv(line->fd, room, size, 0);
	if (n > 0)
		line->fault = guard_bytes(&line->guard, room, (size_t)n);
	else if (line->tls && (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED))
		return 0;
	else if (!line->tls && n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	else if (line->tls && n != 0 && n != GNUTLS_E_PREMATURE_TERMINATION && n != GNUTLS_E_PULL_ERROR)
		line->fault = LINE_TLS;
	else
		line->fault = LINE_CLOSED;
	return line->fault == LINE_FINE ? n : -1;
}

static ssize_t line_read(mailstream_low *low, void *room, size_t size)
{
	struct imap_line *line = low->data;
	if (line->ahead_len > 0) {
		size_t len = line->ahead_len < size ? line->ahead_len : size;
		memcpy(room, line->ahead, len);
		line->ahead_len -= len;
		memmove(line->ahead, line->ahead + len, line->ahead_len);
		return (ssize_t)len;
	}
	while (line->fault == LINE_FINE) {
		ssize_t n = line_take(line, room, size);
		if (n > 0)
			return n;
		if (n < 0 || !line_wait(line, POLLIN))
			break;
	}
	return -1;
}

static ssize_t line_write(mailstream_low *low, const void *bytes, size_t len)
{
	struct imap_line *line = low->data;
	while (line->fault == LINE_FINE) {
		ssize_t n = line->tls ? gnutls_record_send(line->tls, bytes, len)
				      : send(line->fd, bytes, len, MSG_NOSIGNAL);
		if (n > 0)
			return n;
		bool again = line->tls ? n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED
				       : n < 0 && (errno == EAGAIN || errno == EINTR);
		if (!again)
			line->fault = LINE_CLOSED;
		else
			(void)line_wait(line, POLLOUT);
	}
	return -1;
}

static int line_close(mailstream_low *low)
{
	(void)low;
	return 0; /* the line outlives its streams */
}

static int line_get_fd(mailstream_low *low)
{
	return ((struct imap_line *)low->data)->fd;
}

static void line_free_low(mailstream_low *low)
{
	free(low);
}

mailstream *imap_line_stream(struct imap_line *line)
{
	static mailstream_low_driver driver = {
		.mailstream_read = line_read,
		.mailstream_write = line_write,
		.mailstream_close = line_close,
		.mailstream_get_fd = line_get_fd,
		.mailstream_free = line_free_low,
	};
	mailstream_low *low = mailstream_low_new(line, &driver);
	mailstream *stream = low ? mailstream_new(low, STREAM_BUFFER) : NULL;
	if (!stream)
		die("out of memory");
	return stream;
}

/* ---- connecting ---- */

/* The time that is left is shared by the addresses to come: one that swallows everything must not take all of it. */
static int try_address(const struct addrinfo *address, int64_t deadline_ms)
{
	int others = 0, on = 1, error = 0;
	socklen_t len = sizeof error;
	for (const struct addrinfo *other = address->ai_next; other; other = other->ai_next)
		others++;
	int64_t now = clock_machine_ms();
	int64_t until = now + (deadline_ms - now) / (others + 1);
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	if (connect(fd, address->ai_addr, address->ai_addrlen) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (wait_for(fd, POLLOUT, until))
			(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return fd;
	(void)close(fd);
	errno = error;
	return -1;
}

enum rc imap_line_connect(
	struct imap_line **out, const char *host, int port, int64_t deadline_ms, struct err *err)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *addresses;
	char service[12];
	(void)snprintf(service, sizeof service, "%d", port);
	int status = getaddrinfo(host, service, &hints, &addresses);
	if (status != 0)
		return err_set(err, RC_SERVER, "The name of the IMAP server %s can't be resolved: %s.", host,
			gai_strerror(status));
	int fd = -1;
	for (const struct addrinfo *address = addresses; address && fd < 0; address = address->ai_next)
		fd = try_address(address, deadline_ms);
	int error = errno;
	freeaddrinfo(addresses);
	if (fd < 0)
		return err_set(err, RC_SERVER, "The IMAP server %s, port %d, can't be reached: %s.", host,
			port, errno_text(error));
	struct imap_line *line = xcalloc(1, sizeof *line);
	line->fd = fd;
	*out = line;
	return RC_OK;
}

void imap_line_free(struct imap_line **line)
{
	if (!*line)
		return;
	if ((*line)->tls)
		gnutls_deinit((*line)->tls);
	if ((*line)->credentials)
		gnutls_certificate_free_credentials((*line)->credentials);
	(void)close((*line)->fd);
	free(*line);
	*line = NULL;
}

/* ---- TLS ---- */

static enum rc trust(struct imap_line *line, const char *ca_file, struct err *err)
{
	if (gnutls_certificate_allocate_credentials(&line->credentials) != 0)
		die("out of memory");
	int count = ca_file ? gnutls_certificate_set_x509_trust_file(
				      line->credentials, ca_file, GNUTLS_X509_FMT_PEM)
			    : gnutls_certificate_set_x509_system_trust(line->credentials);
	if (count > 0)
		return RC_OK;
	return err_set(err, RC_CONFIG, "No trusted certificates could be read from %s: %s.",
		ca_file ? ca_file : "the system (install ca-certificates)",
		count < 0 ? gnutls_strerror(count) : "there are none");
}

/* Why the certificate was refused, or what else went wrong in the handshake. */
static enum rc handshake_failed(struct imap_line *line, const char *host, int code, struct err *err)
{
	gnutls_datum_t why = {0};
	line->fault = LINE_TLS; /* not even a goodbye */
	unsigned status = gnutls_session_get_verify_cert_status(line->tls);
	if (code == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR &&
		gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &why, 0) == 0) {
		err_set(err, RC_SERVER,
			"The certificate of the IMAP server %s is refused: %s Nothing was said to it.", host,
			(const char *)why.data);
		gnutls_free(why.data);
		return RC_SERVER;
	}
	return err_set(err, RC_SERVER, "No TLS session could be begun with the IMAP server %s: %s.", host,
		gnutls_strerror(code));
}

enum rc imap_line_tls(struct imap_line *line, const char *host, const char *ca_file, struct err *err)
{
	unsigned char address[sizeof(struct in6_addr)];
	enum rc rc = trust(line, ca_file, err);
	if (rc != RC_OK)
		return rc;
	if (gnutls_init(&line->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK) != 0 ||
		gnutls_set_default_priority_append(
			line->tls, "-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL, 0) != 0 ||
		gnutls_credentials_set(line->tls, GNUTLS_CRD_CERTIFICATE, line->credentials) != 0)
		return err_set(err, RC_SERVER, "TLS can't be set up.");
	/* RFC 6066, 3: no address as server name. */
	if (inet_pton(AF_INET, host, address) != 1 && inet_pton(AF_INET6, host, address) != 1)
		(void)gnutls_server_name_set(line->tls, GNUTLS_NAME_DNS, host, strlen(host));
	/* Within the handshake: no byte of ours goes to a server whose certificate does not hold. */
	gnutls_session_set_verify_cert(line->tls, host, 0);
	gnutls_transport_set_int(line->tls, line->fd);
	for (;;) {
		int code = gnutls_handshake(line->tls);
		if (code == GNUTLS_E_SUCCESS)
			return RC_OK;
		if (code != GNUTLS_E_AGAIN && gnutls_error_is_fatal(code))
			return handshake_failed(line, host, code, err);
		short events = gnutls_record_get_direction(line->tls) ? POLLOUT : POLLIN;
		if (code == GNUTLS_E_AGAIN && !line_wait(line, events))
			return err_set(err, RC_SERVER,
				"The IMAP server %s did not answer in time when TLS was to begin.", host);
	}
}

int64_t imap_line_certificate_until(const struct imap_line *line)
{
	return line->tls ? peer_certificate_until(line->tls) : 0;
}

/* ---- what imap.c asks ---- */

void imap_line_allow(struct imap_line *line, int64_t deadline_ms, int silence_seconds, int64_t bytes,
	int64_t literal_bytes)
{
	line->deadline_ms = deadline_ms;
	line->silence_ms = silence_seconds * 1000;
	line->guard.bytes_left = bytes;
	line->guard.literal_max = literal_bytes;
}

enum line_fault imap_line_fault(const struct imap_line *line)
{
	return line->fault;
}

int imap_line_wait(struct imap_line *line, int wake_fd, int64_t deadline_ms)
{
	while (line->ahead_len == 0 && line->fault == LINE_FINE) {
		ssize_t n = line_take(line, line->ahead, sizeof line->ahead);
		if (n != 0) {
			line->ahead_len = n > 0 ? (size_t)n : 0;
			break;
		}
		int64_t left = deadline_ms - clock_machine_ms();
		struct pollfd either[] = {
			{.fd = line->fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
		int ready = poll(either, 2, left < 0 ? 0 : (int)sooner(left, 60 * 60 * 1000));
		if (ready > 0 && either[1].revents)
			return 2;
		if (ready == 0 && left <= 0)
			return 0;
	}
	return 1;
}

void imap_line_goodbye(struct imap_line *line)
{
	if (line->tls && line->fault == LINE_FINE)
		(void)gnutls_bye(line->tls, GNUTLS_SHUT_WR);
}
