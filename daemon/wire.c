#include "daemon/wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/err.h"

#define HEAD_LEN 5 /* length, type */
#define TEXT_NULL UINT32_MAX

static void number_write(uint8_t *out, uint64_t number, int bytes)
{
	for (int i = bytes - 1; i >= 0; i--) {
		out[i] = (uint8_t)number;
		number >>= 8;
	}
}

static uint64_t number_read(const void *bytes, int count)
{
	const uint8_t *at = bytes;
	uint64_t number = 0;
	for (int i = 0; i < count; i++)
		number = number << 8 | at[i];
	return number;
}

/* ---- frames ---- */

/* Writes to a peer that may be gone: no SIGPIPE, the rest of a half-written frame follows. */
static bool send_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;
	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

bool wire_send_fd(int fd, enum wire_type type, const void *payload, size_t len, int pass)
{
	if (len > WIRE_FRAME_MAX)
		return false;
	uint8_t head[HEAD_LEN];
	number_write(head, len + 1, 4);
	head[4] = (uint8_t)type;

	/* In one call: the rest follows only where the socket's buffer was too small. */
	struct iovec part[] = {{head, sizeof head}, {.iov_len = len}};
	memcpy(&part[1].iov_base, &payload, sizeof payload); /* sendmsg() writes nothing there */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof pass)];
	} control = {0};
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
	if (pass >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof control.bytes;
		struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof pass);
		memcpy(CMSG_DATA(cmsg), &pass, sizeof pass);
	}
	ssize_t n;
	do {
		n = sendmsg(fd, &message, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return false;
	size_t sent = (size_t)n;
	if (sent < sizeof head)
		return send_all(fd, head + sent, sizeof head - sent) && send_all(fd, payload, len);
	sent -= sizeof head;
	return send_all(fd, (const char *)payload + sent, len - sent);
}

bool wire_send(int fd, enum wire_type type, const void *payload, size_t len)
{
	return wire_send_fd(fd, type, payload, len, -1);
}

bool wire_send_now(int fd, enum wire_type type)
{
	uint8_t head[HEAD_LEN];
	number_write(head, 1, 4);
	head[4] = (uint8_t)type;
	return send(fd, head, sizeof head, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof head;
}

/* Waits until there is something to read; false: the deadline passed. */
static bool wait_readable(int fd, int64_t deadline)
{
	for (;;) {
		int left = -1;
		if (deadline >= 0) {
			int64_t ms = deadline - clock_machine_ms();
			left = ms < 0 ? 0 : (int)ms;
		}
		int n = poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, left);
		if (n > 0)
			return true;
		if (n == 0 || errno != EINTR)
			return false;
	}
}

static void keep_descriptor(struct msghdr *message, int *got_fd)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg; cmsg = CMSG_NXTHDR(message, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || cmsg->cmsg_type != SCM_RIGHTS)
			continue;
		size_t count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof fd, sizeof fd);
			if (got_fd && *got_fd < 0)
				*got_fd = fd;
			else
				(void)close(fd);
		}
	}
}

/* 1: all bytes; 0: the peer closed before the first; -1: cut short, late or broken. */
static int receive_all(int fd, void *bytes, size_t len, int *got_fd, int64_t deadline)
{
	char *at = bytes;
	size_t have = 0;
	while (have < len) {
		struct iovec part = {at + have, len - have};
		union {
			struct cmsghdr align;
			char bytes[CMSG_SPACE(4 * sizeof(int))];
		} control;
		struct msghdr message = {.msg_iov = &part,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof control.bytes};
		/* Mostly the bytes are there: a sender takes thousands of answers a second. */
		ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
		if (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_readable(fd, deadline))))
			continue;
		if (n < 0)
			return -1;
		keep_descriptor(&message, got_fd);
		if (n == 0)
			return have == 0 ? 0 : -1;
		have += (size_t)n;
	}
	return 1;
}

int wire_receive(int fd, enum wire_type *type, struct str *payload, int *got_fd, int timeout_ms)
{
	return wire_receive_most(fd, type, payload, got_fd, timeout_ms, WIRE_FRAME_MAX);
}

int wire_receive_most(
	int fd, enum wire_type *type, struct str *payload, int *got_fd, int timeout_ms, size_t most)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_machine_ms() + timeout_ms;
	if (got_fd)
		*got_fd = -1;
	str_clear(payload);

	uint8_t head[HEAD_LEN] = {0};
	int n = receive_all(fd, head, sizeof head, got_fd, deadline);
	if (n == 1) {
		uint64_t len = number_read(head, 4);
		if (len == 0 || len - 1 > most)
			n = -1;
		else if (len > 1) {
			str_grow(payload, len - 1);
			n = receive_all(fd, payload->s, len - 1, got_fd, deadline) == 1 ? 1 : -1;
			if (n == 1) {
				payload->len = len - 1;
				payload->s[payload->len] = '\0';
			}
		}
	}
	if (n != 1 && got_fd && *got_fd >= 0) {
		(void)close(*got_fd);
		*got_fd = -1;
	}
	*type = (enum wire_type)head[4];
	return n;
}

#define ALONE_ROOM 16384

/* Head and as much of the payload as has come and fits; 0 or less: as recvmsg(). */
static ssize_t receive_some(
	int fd, uint8_t head[HEAD_LEN], struct str *payload, int timeout_ms, int64_t deadline)
{
	struct iovec part[] = {{head, HEAD_LEN}, {payload->s, payload->size - 1}};
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 2};
	ssize_t n;
	/* Who waits in recvmsg() is also woken when the peer takes what was sent before, for nothing; poll() tells the two apart. */
	if (timeout_ms < 0 && !wait_readable(fd, deadline))
		return -1;
	do {
		n = recvmsg(fd, &message, MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_readable(fd, deadline))));
	return n < 0 || message.msg_flags & MSG_CTRUNC ? -1 : n;
}

int wire_receive_alone(int fd, enum wire_type *type, struct str *payload, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_machine_ms() + timeout_ms;
	uint8_t head[HEAD_LEN] = {0};
	str_clear(payload);
	str_grow(payload, ALONE_ROOM);
	ssize_t n = receive_some(fd, head, payload, timeout_ms, deadline);
	size_t have = n < 0 ? 0 : (size_t)n;
	if (have == 0)
		return (int)n;
	if (have < sizeof head) {
		if (receive_all(fd, head + have, sizeof head - have, NULL, deadline) != 1)
			return -1;
		have = sizeof head;
	}
	have -= sizeof head;
	uint64_t len = number_read(head, 4);
	if (len == 0 || len - 1 > WIRE_FRAME_MAX || have > len - 1)
		return -1;
	payload->len = have;
	payload->s[have] = '\0';
	size_t rest = (size_t)len - 1 - have;
	str_grow(payload, rest);
	if (rest > 0 && receive_all(fd, payload->s + have, rest, NULL, deadline) != 1)
		return -1;
	payload->len = have + rest;
	payload->s[payload->len] = '\0';
	*type = (enum wire_type)head[4];
	return 1;
}

#define QUEUE_ROOM 65536

/* More bytes behind those that are there; as recv(). */
static ssize_t queue_fill(int fd, struct wire_queue *queue, int64_t deadline)
{
	struct str *bytes = &queue->bytes;
	ssize_t n;
	if (queue->at > 0) {
		bytes->len -= queue->at;
		memmove(bytes->s, bytes->s + queue->at, bytes->len);
		queue->at = 0;
	}
	str_grow(bytes, QUEUE_ROOM);
	do {
		n = recv(fd, bytes->s + bytes->len, QUEUE_ROOM, MSG_DONTWAIT);
	} while (n < 0 && (errno == EINTR || (errno == EAGAIN && wait_readable(fd, deadline))));
	bytes->len += n > 0 ? (size_t)n : 0;
	bytes->s[bytes->len] = '\0';
	return n;
}

int wire_receive_next(
	int fd, struct wire_queue *queue, enum wire_type *type, struct wire_reader *payload, int timeout_ms)
{
	int64_t deadline = timeout_ms < 0 ? -1 : clock_machine_ms() + timeout_ms;
	bool late = false; /* also where there is always one more byte to fetch */
	for (;;) {
		const char *at = queue->bytes.s + queue->at;
		size_t have = queue->bytes.len - queue->at;
		uint64_t len = have >= HEAD_LEN ? number_read(at, 4) : 1;
		if (len == 0 || len - 1 > WIRE_FRAME_MAX)
			return -1;
		if (have >= HEAD_LEN + (size_t)len - 1) {
			*type = (enum wire_type)at[4];
			*payload = (struct wire_reader){at + HEAD_LEN, at + HEAD_LEN + len - 1, false};
			queue->at += HEAD_LEN + (size_t)len - 1;
			return 1;
		}
		if (late)
			return -1;
		ssize_t n = queue_fill(fd, queue, deadline);
		if (n <= 0)
			return n == 0 && have == 0 ? 0 : -1;
		late = deadline >= 0 && clock_machine_ms() >= deadline;
	}
}

void wire_queue_free(struct wire_queue *queue)
{
	str_free(&queue->bytes);
	*queue = (struct wire_queue)WIRE_QUEUE_INIT;
}

bool wire_send_secret(int fd, const struct secret *secret)
{
	return wire_send(fd, WIRE_SECRET, secret ? secret->bytes : "", secret ? secret->len : 0);
}

bool wire_receive_secret(int fd, struct secret *secret)
{
	uint8_t head[HEAD_LEN] = {0};
	secret_free(secret);
	if (receive_all(fd, head, sizeof head, NULL, -1) != 1 || head[4] != WIRE_SECRET)
		return false;
	uint64_t len = number_read(head, 4);
	if (len == 0 || len - 1 > SECRET_MAX)
		return false;
	return len == 1 || receive_all(fd, secret_room(secret, len - 1), len - 1, NULL, -1) == 1;
}

/* ---- payloads ---- */

void wire_put_bytes(struct str *out, const void *bytes, size_t len)
{
	uint8_t head[4];
	if (len >= TEXT_NULL)
		die("a string of %zu bytes does not fit a frame", len);
	number_write(head, len, 4);
	str_add(out, head, sizeof head);
	str_add(out, bytes, len);
}

void wire_put_text(struct str *out, const char *text)
{
	if (text) {
		wire_put_bytes(out, text, strlen(text));
		return;
	}
	uint8_t head[4];
	number_write(head, TEXT_NULL, 4);
	str_add(out, head, sizeof head);
}

void wire_put_number(struct str *out, int64_t number)
{
	uint8_t bytes[8];
	number_write(bytes, (uint64_t)number, 8);
	str_add(out, bytes, sizeof bytes);
}

static const char *take(struct wire_reader *reader, size_t len)
{
	if (reader->bad || (size_t)(reader->end - reader->at) < len) {
		reader->bad = true;
		return NULL;
	}
	const char *at = reader->at;
	reader->at += len;
	return at;
}

/* NULL with bad unset: a NULL was put. */
static const char *take_string(struct wire_reader *reader, size_t *len)
{
	*len = 0;
	const char *head = take(reader, 4);
	if (!head)
		return NULL;
	uint64_t n = number_read(head, 4);
	if (n == TEXT_NULL)
		return NULL;
	const char *bytes = take(reader, (size_t)n);
	if (bytes)
		*len = (size_t)n;
	return bytes;
}

const char *wire_get_bytes(struct wire_reader *reader, size_t *len)
{
	const char *bytes = take_string(reader, len);
	return bytes ? bytes : "";
}

const char *wire_get_text(struct wire_reader *reader, struct pool *pool)
{
	size_t len;
	const char *bytes = take_string(reader, &len);
	if (bytes && memchr(bytes, '\0', len))
		reader->bad = true;
	return bytes && !reader->bad ? pool_strndup(pool, bytes, len) : NULL;
}

int64_t wire_get_number(struct wire_reader *reader)
{
	const char *bytes = take(reader, 8);
	return bytes ? (int64_t)number_read(bytes, 8) : 0;
}

char *wire_get_copy(struct wire_reader *reader, struct pool *pool)
{
	const char *text = wire_get_text(reader, pool);
	return text ? pool_strdup(pool, text) : NULL;
}

struct wire_reader wire_reader_of(const struct str *payload)
{
	return (struct wire_reader){.at = payload->s, .end = payload->s + payload->len};
}

bool wire_read_whole(const struct wire_reader *reader)
{
	return !reader->bad && reader->at == reader->end;
}
