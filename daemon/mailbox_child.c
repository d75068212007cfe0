/* The child that holds the connection to the mailbox, or reads the Maildir: no store, no key; it passes messages on without looking into them. */
#include <signal.h>
#include <unistd.h>

#include "daemon/mail_handover.h"
#include "daemon/memfile.h"
#include "daemon/places.h"
#include "daemon/zygote_serve.h"

struct mailbox_child {
	int fd;
	struct mailbox *mailbox;
	struct str payload, answer;
};

#define MEMORY_BASE                                                                                          \
	((size_t)1024 * 1024 * 1024) /* address space: the libraries alone map 200 MiB, a thread 72 */
#define MEMORY_PER_BYTE 8 /* of the largest message: libetpan's copies, ours, the memory file */
#define CPU_SECONDS 3600 /* it may live for months */

/* It needs resolver, certificates and token file, or its Maildir, and nothing else of the machine; it writes nothing but memory files unless that is its task. */
static void lose_rights(const struct mailbox_settings *settings)
{
	struct confine_places places = {0};
	struct err err = {0};
	struct confinement confinement = {
		.kind = settings->maildir ? CONFINED_MAILDIR : CONFINED_MAILBOX_LINE,
		.places = &places,
		.limits = {.memory_bytes = MEMORY_BASE + MEMORY_PER_BYTE * (size_t)settings->message_bytes,
			.cpu_seconds = CPU_SECONDS}};
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	if (settings->maildir) {
		places_of_maildir(&places, settings->path);
	} else {
		places_of_line(&places, settings->ca_file,
			settings->auth == AUTH_XOAUTH2 ? settings->password_from : NULL);
		confinement.port = (uint16_t)settings->port;
		confinement.limits.file_bytes = (size_t)settings->message_bytes;
	}
	if (confine_self(&confinement, &err))
		_exit(RC_CONFIG);
	confine_places_free(&places);
}

static void put_result(struct mailbox_child *child, enum rc rc, const struct err *err)
{
	str_clear(&child->answer);
	mail_handover_put_result(&child->answer, rc, mailbox_phase(child->mailbox), err);
}

static bool send_answer(struct mailbox_child *child, enum wire_type type, int pass)
{
	return wire_send_fd(child->fd, type, child->answer.s, child->answer.len, pass);
}

/* ---- one function a task; false: the role is gone ---- */

static bool serve_list(struct mailbox_child *child, const struct mail_task *task, struct pool *pool)
{
	struct err err;
	struct mailbox_list list;
	enum rc rc = mailbox_list(child->mailbox, task->folder, task->after, task->limit, &list, pool, &err);
	put_result(child, rc, &err);
	if (rc == RC_OK)
		mail_handover_put_list(&child->answer, &list);
	return send_answer(child, WIRE_LISTED, -1);
}

struct fetched {
	int file; /* -1: it did not come */
	size_t size;
};

static bool send_message(
	struct mailbox_child *child, enum rc rc, const struct err *err, const struct fetched *message)
{
	put_result(child, rc, err);
	if (rc == RC_OK)
		wire_put_number(&child->answer, (int64_t)message->size);
	bool sent = send_answer(child, WIRE_MESSAGE, message->file);
	if (message->file >= 0)
		(void)close(message->file);
	return sent;
}

static bool fetch_one(struct mailbox_child *child, const char *uid)
{
	struct err err;
	struct str raw = STR_INIT;
	struct fetched message = {.file = -1};
	enum rc rc = mailbox_fetch(child->mailbox, uid, &raw, &err);
	if (rc == RC_OK)
		rc = memfile_make(&message.file, raw.s, raw.len, &err);
	message.size = raw.len;
	str_free(&raw);
	return send_message(child, rc, &err, &message);
}

static enum rc keep_message(void *ctx, size_t place, const void *bytes, size_t len, struct err *err)
{
	struct fetched *message = (struct fetched *)ctx + place;
	if (message->file >= 0)
		return RC_OK;
	message->size = len;
	return memfile_make(&message->file, bytes, len, err);
}

static bool serve_fetch(struct mailbox_child *child, const struct mail_task *task, struct pool *pool)
{
	struct err err = {0};
	struct fetched message[MAILLINE_FETCH_MAX];
	bool sent = true;
	(void)pool;
	if (task->count == 1)
		return fetch_one(child, task->uids[0]);
	for (size_t i = 0; i < task->count; i++)
		message[i].file = -1;
	enum rc rc = mailbox_fetch_some(
		child->mailbox, task->uids, task->count, task->payload, keep_message, message, &err);
	if (rc == RC_OK)
		rc = err_set(&err, RC_REFUSED, "The message was not given with the others.");
	for (size_t i = 0; i < task->count; i++)
		sent = send_message(child, message[i].file >= 0 ? RC_OK : rc, &err, &message[i]) && sent;
	return sent;
}

static bool serve_move(struct mailbox_child *child, const struct mail_task *task, struct pool *pool)
{
	struct err err;
	const char **moved = pool_alloc(pool, (task->count + 1) * sizeof *moved);
	enum rc rc = mailbox_move(child->mailbox, task->uids, task->count, task->folder, moved, pool, &err);
	put_result(child, rc, &err);
	if (rc == RC_OK)
		mail_handover_put_moved(&child->answer, moved, task->count);
	return send_answer(child, WIRE_MOVED, -1);
}

static bool serve_wait(struct mailbox_child *child, const struct mail_task *task, struct pool *pool)
{
	struct err err;
	bool news;
	(void)pool;
	/* The next task ends it, and so does the role by closing the socket. */
	enum rc rc = mailbox_wait(child->mailbox, task->seconds, child->fd, &news, &err);
	put_result(child, rc, &err);
	wire_put_number(&child->answer, news);
	return send_answer(child, WIRE_NEWS, -1);
}

static bool serve_append(struct mailbox_child *child, const struct mail_task *task, struct pool *pool)
{
	struct err err;
	(void)pool;
	put_result(child, mailbox_append(child->mailbox, task->name, task->wire, task->len, &err), &err);
	return send_answer(child, WIRE_DONE, -1);
}

static const struct {
	enum wire_type type;
	bool (*serve)(struct mailbox_child *child, const struct mail_task *task, struct pool *pool);
} services[] = {
	{WIRE_LIST, serve_list},
	{WIRE_FETCH, serve_fetch},
	{WIRE_MOVE, serve_move},
	{WIRE_WAIT, serve_wait},
	{WIRE_APPEND, serve_append},
};

static bool serve(struct mailbox_child *child, enum wire_type type, struct pool *pool)
{
	struct mail_task task;
	for (size_t i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].type == type)
			return mail_handover_get_task(&task, type, &child->payload, pool) &&
			       services[i].serve(child, &task, pool);
	return false;
}

_Noreturn void mailbox_child_main(int fd)
{
	struct mailbox_child child = {.fd = fd, .payload = STR_INIT, .answer = STR_INIT};
	struct pool *settings_pool = pool_new(), *pool = pool_new();
	struct mailbox_settings settings;
	struct secret password = SECRET_INIT;
	enum wire_type type;
	if (wire_receive(fd, &type, &child.payload, NULL, -1) != 1 || type != WIRE_MAILBOX ||
		!mail_handover_get_mailbox(&settings, &child.payload, settings_pool) ||
		!wire_receive_secret(fd, &password))
		_exit(1);
	lose_rights(&settings);

	child.mailbox = mailbox_new(&settings, password.len ? password.bytes : NULL);
	while (wire_receive(fd, &type, &child.payload, NULL, -1) == 1 && serve(&child, type, pool))
		pool_reset(pool);
	mailbox_free(&child.mailbox);
	secret_free(&password);
	_exit(0);
}
