/*
 * wire.h - frames between a role and its children, and on the control socket
 *
 * A frame on a stream socket: 4 bytes length (big endian, of type and payload), 1 byte type, payload. Strings in payloads are 4 bytes length
 * and bytes; numbers 8 bytes big endian. A peer that sends a frame over the limit or cuts one short is treated as dead.
 */
#ifndef SENGEN_WIRE_H
#define SENGEN_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/base/pool.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"

#define WIRE_FRAME_MAX (16u * 1024 * 1024)

enum wire_type {
	WIRE_PARSE = 1, /* role → parser child: field map limits follow; the file comes as a descriptor */
	WIRE_HEAD = 2, /* parser child → role: struct form_head */
	WIRE_RECORD = 3, /* struct form_record */
	WIRE_DONE = 4, /* rc, English sentence, Japanese sentence */
	WIRE_MORE = 5, /* role → parser child: go on (flow control, every 256 records) */
	WIRE_SERVER = 10, /* role → transport child: settings */
	WIRE_MAIL = 11, /* role → transport child: sender, recipient, wire bytes */
	WIRE_DELIVERY = 12, /* transport child → role: struct delivery */
	WIRE_READ_MAIL =
		13, /* role → mail child: office, authserv-id, own hops; the mail comes as a sealed memory file */
	WIRE_RECEIVED = 14, /* mail child → role: received_print() */
	WIRE_MAILBOX = 15, /* role → mailbox child: settings */
	WIRE_LIST = 16, /* role → mailbox child: folder, after, limit; answered by WIRE_LISTED */
	WIRE_LISTED = 17,
	WIRE_FETCH = 18, /* UIDs; answered by as many WIRE_MESSAGE, the bytes as a sealed memory file */
	WIRE_MESSAGE = 19,
	WIRE_MOVE = 22, /* folder, UIDs; answered by WIRE_MOVED */
	WIRE_MOVED = 23,
	WIRE_WAIT =
		24, /* seconds; answered by WIRE_NEWS when something is new, the time is over, or another frame comes */
	WIRE_NEWS = 25,
	WIRE_APPEND = 26, /* name and mail for 送信済み; answered by WIRE_DONE */
	WIRE_CHILD = 20, /* role → zygote: kind of child; its end of the socket pair comes as a descriptor */
	WIRE_FIELDMAP = 21, /* role → sengen-reader: path and text of the field map; answered by WIRE_DONE */
	WIRE_SECRET =
		28, /* role → transport or mailbox child, behind its settings: the password; empty: none */
};

struct wire_reader { /* walks a payload; `bad` is set instead of reading past the end */
	const char *at, *end;
	bool bad;
};

/* false: the peer is gone. Never raises SIGPIPE. */
bool wire_send(int fd, enum wire_type type, const void *payload, size_t len);
/* A frame without payload to a peer that should be waiting for it. false: it is gone, or so far behind that it takes nothing now; either way it lies. */
bool wire_send_now(int fd, enum wire_type type);
/* With a descriptor along (SCM_RIGHTS); pass < 0: none. */
bool wire_send_fd(int fd, enum wire_type type, const void *payload, size_t len, int pass);
/* Blocks for a whole frame; timeout_ms < 0: for ever. Returns 1, 0 when the peer closed, -1 on error, limit or time-out. got_fd may be NULL. */
int wire_receive(int fd, enum wire_type *type, struct str *payload, int *got_fd, int timeout_ms);
/* The same from a peer that has little to say: a payload of more than `most` bytes is an error. */
int wire_receive_most(
	int fd, enum wire_type *type, struct str *payload, int *got_fd, int timeout_ms, size_t most);
/* A frame of a peer that says one thing and then waits: what comes behind it, and descriptors, are an error. One system call where it has
 * come and a mail is not long, two where it is waited for. Otherwise as wire_receive(). */
int wire_receive_alone(int fd, enum wire_type *type, struct str *payload, int timeout_ms);

/* What a peer that sends many frames has said and nobody has looked at: one system call fetches as many as have come. Begins as WIRE_QUEUE_INIT. */
struct wire_queue {
	struct str bytes;
	size_t at;
};
#define WIRE_QUEUE_INIT                                                                                      \
	{                                                                                                    \
		.bytes = STR_INIT                                                                            \
	}
/* The next frame; its payload stays until the next call. Descriptors are not taken. After a time-out the next call goes on where this one was. Otherwise as wire_receive(). */
int wire_receive_next(
	int fd, struct wire_queue *queue, enum wire_type *type, struct wire_reader *payload, int timeout_ms);
void wire_queue_free(struct wire_queue *queue);

/* WIRE_SECRET, from the place where it is kept to the place where it will be: no copy stays in a buffer of ours. The receiver waits without limit. */
bool wire_send_secret(int fd, const struct secret *secret); /* NULL: none */
bool wire_receive_secret(int fd, struct secret *secret);

struct wire_reader wire_reader_of(const struct str *payload);
bool wire_read_whole(const struct wire_reader *reader); /* nothing bad, nothing left over */

void wire_put_text(struct str *out, const char *text); /* NULL is kept as NULL */
void wire_put_bytes(struct str *out, const void *bytes, size_t len);
void wire_put_number(struct str *out, int64_t number);
const char *wire_get_text(struct wire_reader *reader, struct pool *pool); /* NULL where NULL was put */
char *wire_get_copy(struct wire_reader *reader,
	struct pool *pool); /* the same, for settings, whose texts are not const */
const char *wire_get_bytes(struct wire_reader *reader, size_t *len); /* inside the payload */
int64_t wire_get_number(struct wire_reader *reader);

#endif
