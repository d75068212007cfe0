/*
 * peer.h - what stands at the other end of the children's sockets
 *
 * Takes the place of daemon/zygote.c in the program under test: zygote_child() gives a socket whose other end is answered here, so mail server and mailbox
 * are functions over shared memory that outlive the office's process. Form and mail children are the real ones, run in this process.
 *
 * There is no thread: poll() is wrapped, and before it looks every peer does what it was asked; when then nothing is there, the time is over at once
 * (fault_wait()). _exit() is wrapped too, for a child that is a function must return from it: what ends a life calls __real__exit().
 * The program is linked with --wrap of poll, __poll_chk, _exit, child_confine and wire_send; turn_open(…, simulating: false).
 *
 * The mail server keeps each mail that it accepted, with what the sender was told about it. The mailbox holds folders of messages under UIDs, UIDVALIDITY
 * that may change, and does LIST, FETCH, MOVE, APPEND, WAIT as mailbox.h describes them.
 */
#ifndef SENGEN_TESTS_PEER_H
#define SENGEN_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/clock.h"
#include "lib/mail/transport.h"
#include "lib/register.h"

void peer_new(void); /* by the driver, before the first life: empty server and mailbox in shared memory */
void peer_free(void);

/* ---- the mail server ---- */

struct peer_mail { /* one mail that the server took, in order */
	utc_time at;
	enum outcome told; /* OUTCOME_ACCEPTED; OUTCOME_UNKNOWN where the answer was cut off */
	const char *message_id, *sender, *recipient;
	const char *wire; /* with its DKIM-Signature fields */
	size_t len;
	bool life_ended; /* the life that handed it over was over before it is certain that it recorded the answer */
};
size_t peer_mail_count(void);
const struct peer_mail *peer_mail_at(size_t i);

/* ---- the mailbox ---- */

/* A mail arrives in INBOX. */
void peer_receive(const void *bytes, size_t len);
/* The server was set up anew: UIDVALIDITY changes, UIDs start at 1, what lies there stays (RFC 3501 2.3.1.1). */
void peer_renumber(void);
/* UIDVALIDITY of a folder at first (and its number), and what is added each time. */
#define PEER_FIRST_VALIDITY 1000
#define PEER_NEXT_VALIDITY 1000
int64_t peer_inbox_validity(void); /* now */
/* Messages of a folder by the name used in the settings; for the invariants. */
size_t peer_folder_count(const char *folder);

struct peer_message { /* one message of the mailbox, wherever it lies, in the order they came */
	enum folder folder;
	int64_t uid;
	const char *bytes;
	size_t len;
	int64_t came; /* 1, 2 …: the peer_receive() it came with; a copy that the office filed: 0 */
};
size_t peer_message_count(void);
const struct peer_message *peer_message_at(size_t i);

#endif
