#include "tests/faults/peer_p.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/mail_handover.h"
#include "daemon/memfile.h"
#include "tests/faults/fault.h"

/* ---- the server's side ---- */

static struct peer_message *put(enum folder folder, const void *bytes, size_t len, int64_t came)
{
	if (peer_world->message_count == PEER_MESSAGES_MAX)
		die("the mailbox is full");
	struct peer_message *message = &peer_world->message[peer_world->message_count++];
	*message = (struct peer_message){.folder = folder,
		.uid = peer_world->uid_next[folder]++,
		.bytes = peer_keep(bytes, len),
		.len = len,
		.came = came};
	return message;
}

void peer_receive(const void *bytes, size_t len)
{
	int64_t came = 1;
	for (size_t i = 0; i < peer_world->message_count; i++)
		came += peer_world->message[i].came > 0;
	(void)put(FOLDER_INBOX, bytes, len, came);
	fault_trace("mail %lld arrives, %zu bytes", (long long)came, len);
}

void peer_renumber(void)
{
	fault_trace("the mailbox is set up anew");
	for (int folder = 0; folder < FOLDER_COUNT; folder++) {
		peer_world->uid_validity[folder] += PEER_NEXT_VALIDITY;
		peer_world->uid_next[folder] = 1;
	}
	for (size_t i = 0; i < peer_world->message_count; i++) {
		struct peer_message *message = &peer_world->message[i];
		message->uid = peer_world->uid_next[message->folder]++;
	}
}

int64_t peer_inbox_validity(void)
{
	return peer_world->uid_validity[FOLDER_INBOX];
}

static struct peer_message *find(enum folder folder, int64_t uid)
{
	for (size_t i = 0; i < peer_world->message_count; i++)
		if (peer_world->message[i].folder == folder && peer_world->message[i].uid == uid)
			return &peer_world->message[i];
	return NULL;
}

/* ---- the child's side ---- */

enum cut { CUT_NOT, CUT_BEFORE, CUT_IN, CUT_AFTER };

/* How the line to the server fares during a task, and the child with it. */
struct fare {
	enum cut cut;
	bool dies, hangs;
};

static struct fare fare_of(const char *task)
{
	static const char *const moments[] = {"", "before", "in", "after"};
	struct fare fare = {.cut = CUT_NOT};
	bool silent = fault_strikes(FAULT_SILENCE, task);
	if (silent || fault_strikes(FAULT_LINE, task)) {
		fare.cut = (enum cut)(1 + fault_draw(3));
		fare.hangs = silent && fault_draw(2) == 0;
		fare.dies = !silent && fault_draw(3) == 0;
		fault_trace("imap: %s %s %s%s", silent ? "silence" : "cut", moments[fare.cut], task,
			fare.hangs  ? ", and the child hangs"
			: fare.dies ? ", and the child dies"
				    : "");
	}
	return fare;
}

static void answer(struct peer_line *line, const struct fare *fare, enum wire_type type,
	const struct str *rest, const char *phase, enum rc rc, const char *text, int file)
{
	struct str payload = STR_INIT;
	struct err err = {0};
	if (fare->hangs) {
		line->mute = true;
		return;
	}
	if (fare->dies) {
		peer_hang_up(line);
		return;
	}
	if (fare->cut != CUT_NOT) {
		rc = RC_SERVER;
		text = "The line to the mailbox was cut.";
		/* A dead line may show when it is opened anew, and not where it died. */
		phase = fault_draw(3) == 0 ? "connect" : phase;
	}
	if (rc)
		(void)err_set(&err, rc, "%s", text);
	mail_handover_put_result(&payload, rc, phase, &err);
	if (!rc)
		str_add(&payload, rest->s, rest->len);
	if (!wire_send_fd(line->fd, type, payload.s, payload.len, rc ? -1 : file))
		peer_hang_up(line);
	str_free(&payload);
}

/* As select_listed() of lib/mail/imap_mail.c: under another UIDVALIDITY the same UID is another message. */
static bool listed_anew(struct peer_line *line, enum wire_type type, const char *phase)
{
	const struct fare well = {.cut = CUT_NOT};
	if (!line->listed_validity || line->listed_validity == peer_world->uid_validity[FOLDER_INBOX])
		return false;
	answer(line, &well, type, &STR_INIT, phase, RC_SERVER,
		"INBOX was made anew (its UIDVALIDITY changed); it must be listed again.", -1);
	return true;
}

static void serve_list(struct peer_line *line, const struct mail_task *task, struct pool *pool)
{
	struct fare fare = fare_of("list");
	struct mailbox_list list = {.uid_validity = peer_world->uid_validity[task->folder]};
	struct str rest = STR_INIT;
	int64_t after = task->after ? strtoll(task->after, NULL, 10) : 0;
	list.entry = pool_alloc(pool, (PEER_MESSAGES_MAX + 1) * sizeof *list.entry);
	/* By UID: messages moved to and fro have got new ones. */
	for (int64_t uid = after + 1; uid < peer_world->uid_next[task->folder]; uid++) {
		const struct peer_message *message = find(task->folder, uid);
		if (!message)
			continue;
		if (list.count == task->limit) {
			list.more = true;
			break;
		}
		list.entry[list.count++] = (struct mailbox_entry){
			.uid = pool_printf(pool, "%lld", (long long)uid), .size = (int64_t)message->len};
	}
	if (task->folder == FOLDER_INBOX && fare.cut == CUT_NOT)
		line->listed_validity = list.uid_validity;
	mail_handover_put_list(&rest, &list);
	answer(line, &fare, WIRE_LISTED, &rest, "list", RC_OK, "", -1);
	str_free(&rest);
}

static void give(struct peer_line *line, const struct fare *fare, const char *uid)
{
	struct err err = {0};
	struct str rest = STR_INIT;
	const struct peer_message *message = find(FOLDER_INBOX, strtoll(uid, NULL, 10));
	int file = -1;
	enum rc rc = RC_REFUSED;
	if (message && !fault_strikes(FAULT_REPLY, "fetch"))
		rc = memfile_make(&file, message->bytes, message->len, &err);
	if (rc == RC_OK)
		wire_put_number(&rest, (int64_t)message->len);
	answer(line, fare, WIRE_MESSAGE, &rest, "fetch", rc, "The server does not give it.", file);
	if (file >= 0)
		(void)close(file);
	str_free(&rest);
}

/* A line that is cut within the answer has brought the first of several. */
static void serve_fetch(struct peer_line *line, const struct mail_task *task)
{
	const struct fare well = {.cut = CUT_NOT};
	size_t refused = 0;
	while (refused < task->count && listed_anew(line, WIRE_MESSAGE, "fetch"))
		refused++;
	if (refused)
		return;
	struct fare fare = fare_of("fetch");
	for (size_t i = 0; i < task->count && line->fd >= 0 && !line->mute; i++)
		give(line, fare.cut == CUT_IN && i < task->count / 2 ? &well : &fare, task->uids[i]);
}

static void serve_move(struct peer_line *line, const struct mail_task *task, struct pool *pool)
{
	if (listed_anew(line, WIRE_MOVED, "move"))
		return;
	struct fare fare = fare_of("move");
	struct str rest = STR_INIT;
	const char **moved = pool_alloc(pool, (task->count + 1) * sizeof *moved);
	bool refused = fault_strikes(FAULT_REPLY, "move"), tells = fault_draw(8) != 0;
	size_t count = refused || fare.cut == CUT_BEFORE ? 0
		       : fare.cut == CUT_IN              ? task->count / 2
							 : task->count;
	for (size_t i = 0; i < count; i++) {
		struct peer_message *message = find(FOLDER_INBOX, strtoll(task->uids[i], NULL, 10));
		moved[i] = NULL;
		if (!message)
			continue;
		message->folder = task->folder;
		message->uid = peer_world->uid_next[task->folder]++;
		moved[i] = tells ? pool_printf(pool, "%lld", (long long)message->uid) : "";
		fault_trace("mail %lld moves to folder %d", (long long)message->came, (int)task->folder);
	}
	if (count == task->count)
		mail_handover_put_moved(&rest, moved, count);
	answer(line, &fare, WIRE_MOVED, &rest, "move", refused ? RC_SERVER : RC_OK,
		"The server refuses to move it.", -1);
	str_free(&rest);
}

static void serve_append(struct peer_line *line, const struct mail_task *task)
{
	struct fare fare = fare_of("append");
	bool refused = fault_strikes(FAULT_REPLY, "append");
	if (!refused && (fare.cut == CUT_NOT || fare.cut == CUT_AFTER)) {
		(void)put(FOLDER_SENT, task->wire, task->len, 0);
		fault_trace("copy %s is filed", task->name);
	}
	answer(line, &fare, WIRE_DONE, &STR_INIT, "append", refused ? RC_SERVER : RC_OK,
		"The server refuses the copy.", -1);
}

static void serve_wait(struct peer_line *line)
{
	struct str rest = STR_INIT;
	struct err err = {0};
	mail_handover_put_result(&rest, RC_OK, "", &err);
	wire_put_number(&rest, true);
	if (!wire_send(line->fd, WIRE_NEWS, rest.s, rest.len))
		peer_hang_up(line);
	str_free(&rest);
}

static void settings_take(struct peer_line *line, enum wire_type type, const struct str *payload)
{
	line->known = type == WIRE_MAILBOX &&
		      mail_handover_get_mailbox(&line->mailbox, payload, line->pool) &&
		      peer_hear_secret(line);
	if (!line->known) {
		fault_broken("a mailbox child was not told its mailbox");
		return;
	}
	const char *const name[FOLDER_COUNT] = {[FOLDER_INBOX] = line->mailbox.inbox,
		[FOLDER_DONE] = line->mailbox.done,
		[FOLDER_REVIEW] = line->mailbox.review,
		[FOLDER_BOUNCE] = line->mailbox.bounce,
		[FOLDER_SENT] = line->mailbox.sent};
	for (int folder = FOLDER_INBOX; folder < FOLDER_COUNT; folder++)
		(void)snprintf(peer_world->folder_name[folder], sizeof peer_world->folder_name[folder], "%s",
			name[folder] ? name[folder] : "");
}

void peer_serve_mailbox(struct peer_line *line, enum wire_type type, const struct str *payload)
{
	struct mail_task task;
	struct pool *pool = pool_new();
	if (!line->known) {
		settings_take(line, type, payload);
	} else if (!mail_handover_get_task(&task, type, payload, pool)) {
		fault_broken("a mailbox child was given what is no task");
	} else if (type == WIRE_LIST) {
		serve_list(line, &task, pool);
	} else if (type == WIRE_FETCH) {
		serve_fetch(line, &task);
	} else if (type == WIRE_MOVE) {
		serve_move(line, &task, pool);
	} else if (type == WIRE_APPEND) {
		serve_append(line, &task);
	} else {
		serve_wait(line);
	}
	pool_free(&pool);
}

/* ---- for the invariants ---- */

size_t peer_folder_count(const char *folder)
{
	size_t count = 0;
	for (size_t i = 0; i < peer_world->message_count; i++)
		count += strcmp(peer_world->folder_name[peer_world->message[i].folder], folder) == 0;
	return count;
}

size_t peer_message_count(void)
{
	return peer_world->message_count;
}

const struct peer_message *peer_message_at(size_t i)
{
	return &peer_world->message[i];
}
