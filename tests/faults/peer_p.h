/*
 * peer_p.h - the private parts of the peers
 *
 *   peer.c          the children's sockets, poll() and _exit(), form and mail children
 *   peer_server.c   the mail server
 *   peer_mailbox.c  the mailbox
 *
 * Everything that outlives a life lies in `peer_world`, in memory shared by all lives at one address; the lines are the life's own.
 */
#ifndef SENGEN_TESTS_PEER_P_H
#define SENGEN_TESTS_PEER_P_H

#include "daemon/wire.h"
#include "daemon/zygote_serve.h"
#include "lib/mail/mailbox.h"
#include "lib/register.h"
#include "tests/faults/peer.h"

#define PEER_MAILS_MAX 2048
#define PEER_MESSAGES_MAX 1024
#define PEER_BYTES_MAX (32u * 1024 * 1024)

struct peer_world {
	struct peer_mail mail[PEER_MAILS_MAX];
	size_t mail_count;
	size_t mail_settled; /* before this one the office's register knows the answers, or its life ended */
	struct peer_message message[PEER_MESSAGES_MAX];
	size_t message_count;
	int64_t uid_validity[FOLDER_COUNT], uid_next[FOLDER_COUNT];
	char folder_name[FOLDER_COUNT][64];
	size_t used; /* of bytes */
	char bytes[PEER_BYTES_MAX];
};
extern struct peer_world *peer_world;
char *peer_keep(const void *bytes, size_t len); /* a copy that outlives the life, with a NUL behind it */

struct peer_line { /* one child's socket */
	int fd; /* our end; -1: free */
	enum child_kind kind;
	bool mute; /* hangs: reads nothing, says nothing */
	bool known; /* WIRE_SERVER or WIRE_MAILBOX came */
	int64_t listed_validity; /* of INBOX, as it was last listed; 0: not yet */
	int served; /* mails */
	struct transport_settings server;
	struct mailbox_settings mailbox;
	struct pool *pool; /* of the settings; owned */
};
void peer_hang_up(struct peer_line *line); /* the child is dead */
/* The frame behind the settings; false: it is not the password that the season configured. */
bool peer_hear_secret(struct peer_line *line);

/* One frame from the role. Both may hang up, or answer nothing. */
void peer_serve_mail(struct peer_line *line, enum wire_type type, const struct str *payload);
void peer_serve_mailbox(struct peer_line *line, enum wire_type type, const struct str *payload);
/* A role hands over mails only after it has recorded the answers it got before: called when a round of new frames begins. */
void peer_settle(void);

#endif
