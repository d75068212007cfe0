/*
 * An IMAP server that says what it likes: our guard, libetpan's parser behind it, and what we make of the answers, in the clear over a socket pair.
 *
 * The session's line is our own file with another way to connect; everything the server will ever say lies in the socket already.
 */
#include <sys/socket.h>

#define imap_line_connect imap_line_connect_over_tcp
#include "lib/mail/imap_line.c" /* NOLINT: for its struct imap_line */
#undef imap_line_connect

#include "lib/base/text.h"
#include "lib/mail/imap_p.h"
#include "tests/fuzz/fuzz.h"

static struct {
	const char *bytes;
	size_t len;
	int server;
} speech;

enum rc imap_line_connect(
	struct imap_line **out, const char *host, int port, int64_t deadline_ms, struct err *err)
{
	int pair[2], room = 1 << 20;
	(void)host;
	(void)port;
	(void)deadline_ms;
	if (!speech.bytes)
		return err_set(err, RC_SERVER, "It is gone.");
	MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0);
	(void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	(void)!send(pair[1], speech.bytes, speech.len, MSG_NOSIGNAL);
	(void)shutdown(pair[1], SHUT_WR);
	speech.bytes = NULL; /* one connection an input */
	speech.server = pair[1];
	*out = xcalloc(1, sizeof **out);
	(*out)->fd = pair[0];
	return RC_OK;
}

static void must_be_uid(const char *uid)
{
	MUST(*uid && strspn(uid, "0123456789") == strlen(uid));
}

static void use(struct mailbox *mailbox, const struct mailbox_settings *settings, int what, struct pool *pool)
{
	static const char *const uids[] = {"7", "9"};
	struct mailbox_list list;
	const char *moved[2] = {0};
	struct err err = {0};
	struct str raw = STR_INIT;
	bool news;
	switch (what) {
	case 0:
		if (mailbox_list(mailbox, FOLDER_INBOX, "3", 8, &list, pool, &err) != RC_OK)
			break;
		MUST(list.count <= 8);
		for (size_t i = 0; i < list.count; i++) {
			must_be_uid(list.entry[i].uid);
			MUST(list.entry[i].size >= 0);
			MUST(i == 0 || strtoul(list.entry[i].uid, NULL, 10) >
					       strtoul(list.entry[i - 1].uid, NULL, 10));
		}
		break;
	case 1:
		if (mailbox_fetch(mailbox, "7", &raw, &err) == RC_OK)
			MUST((int64_t)raw.len <= settings->message_bytes);
		break;
	case 2:
		if (mailbox_move(mailbox, uids, 2, FOLDER_DONE, moved, pool, &err) == RC_OK)
			for (size_t i = 0; i < 2; i++)
				if (moved[i] && *moved[i])
					must_be_uid(moved[i]);
		break;
	default:
		(void)mailbox_wait(mailbox, 1, -1, &news, &err);
	}
	must_be_text(err.text);
	MUST(!text_has_control(err.text));
	str_free(&raw);
}

/* The first byte: two bits for each thing that is asked for, from the lowest. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char host[] = "imap.example.jp", user[] = "office", inbox[] = "INBOX", done[] = "処理済み",
		    review[] = "要確認", bounce[] = "バウンス";
	const struct mailbox_settings settings = {.host = host,
		.port = 143,
		.tls = TLS_NONE,
		.auth = AUTH_LOGIN,
		.user = user,
		.inbox = inbox,
		.done = done,
		.review = review,
		.bounce = bounce,
		.connect_seconds = 2,
		.reply_seconds = 2,
		.idle_seconds = 60,
		.message_bytes = 20000};
	if (size == 0)
		return 0;
	struct pool *pool = pool_new();
	struct mailbox *mailbox = mailbox_new(&settings, "geheim");
	struct err err = {0};
	speech.bytes = (const char *)data + 1;
	speech.len = size - 1;
	speech.server = -1;
	(void)mailbox_open(mailbox, &err);
	for (int i = 0; i < 4 && mailbox_is_open(mailbox); i++)
		use(mailbox, &settings, data[0] >> 2 * i & 3, pool);
	must_be_text(err.text);
	mailbox_free(&mailbox);
	if (speech.server >= 0)
		(void)close(speech.server);
	pool_free(&pool);
	return 0;
}
