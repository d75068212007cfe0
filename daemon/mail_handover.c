#include "daemon/mail_handover.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "daemon/memfile.h"
#include "daemon/zygote.h"
#include "lib/base/text.h"

/* For resolving names, and for a child that died or hangs: more than all that it may take. */
#define CHILD_SPARE_SECONDS 60
#define NEWS_SECONDS 10 /* until the rest of a frame that has begun is there */
#define UID_MAX 255 /* a Maildir's are file names */
#define MOVE_MAX 100000

/* ---- settings ---- */

void mail_handover_put_mailbox(struct str *out, const struct mailbox_settings *settings)
{
	wire_put_number(out, settings->maildir);
	wire_put_text(out, settings->path);
	wire_put_text(out, settings->host);
	wire_put_number(out, settings->port);
	wire_put_number(out, settings->tls);
	wire_put_text(out, settings->ca_file);
	wire_put_number(out, settings->auth);
	wire_put_text(out, settings->user);
	wire_put_text(out, settings->password_from);
	wire_put_text(out, settings->inbox);
	wire_put_text(out, settings->done);
	wire_put_text(out, settings->review);
	wire_put_text(out, settings->bounce);
	wire_put_text(out, settings->sent);
	wire_put_number(out, settings->connect_seconds);
	wire_put_number(out, settings->reply_seconds);
	wire_put_number(out, settings->idle_seconds);
	wire_put_number(out, settings->message_bytes);
}

bool mail_handover_get_mailbox(
	struct mailbox_settings *settings, const struct str *payload, struct pool *pool)
{
	struct wire_reader reader = wire_reader_of(payload);
	*settings = (struct mailbox_settings){0};
	settings->maildir = wire_get_number(&reader) != 0;
	settings->path = wire_get_copy(&reader, pool);
	settings->host = wire_get_copy(&reader, pool);
	settings->port = (int)wire_get_number(&reader);
	settings->tls = (enum tls_mode)wire_get_number(&reader);
	settings->ca_file = wire_get_copy(&reader, pool);
	settings->auth = (enum auth_mode)wire_get_number(&reader);
	settings->user = wire_get_copy(&reader, pool);
	settings->password_from = wire_get_copy(&reader, pool);
	settings->inbox = wire_get_copy(&reader, pool);
	settings->done = wire_get_copy(&reader, pool);
	settings->review = wire_get_copy(&reader, pool);
	settings->bounce = wire_get_copy(&reader, pool);
	settings->sent = wire_get_copy(&reader, pool);
	settings->connect_seconds = (int)wire_get_number(&reader);
	settings->reply_seconds = (int)wire_get_number(&reader);
	settings->idle_seconds = (int)wire_get_number(&reader);
	settings->message_bytes = wire_get_number(&reader);
	return wire_read_whole(&reader) && settings->inbox && settings->done && settings->review &&
	       settings->bounce;
}

/* ---- tasks ---- */

static void put_uids(struct str *out, const struct mail_task *task)
{
	wire_put_number(out, (int64_t)task->count);
	for (size_t i = 0; i < task->count; i++)
		wire_put_text(out, task->uids[i]);
}

void mail_handover_put_task(struct str *out, enum wire_type type, const struct mail_task *task)
{
	switch (type) {
	case WIRE_LIST:
		wire_put_number(out, task->folder);
		wire_put_text(out, task->after);
		wire_put_number(out, (int64_t)task->limit);
		break;
	case WIRE_FETCH:
		wire_put_number(out, task->payload);
		put_uids(out, task);
		break;
	case WIRE_MOVE:
		wire_put_number(out, task->folder);
		put_uids(out, task);
		break;
	case WIRE_WAIT:
		wire_put_number(out, task->seconds);
		break;
	case WIRE_APPEND:
		wire_put_text(out, task->name);
		wire_put_bytes(out, task->wire, task->len);
		break;
	default:
		die("frame %d is no task for a mailbox", (int)type);
	}
}

static enum folder get_folder(struct wire_reader *reader)
{
	int64_t number = wire_get_number(reader);
	if (number < FOLDER_INBOX || number >= FOLDER_COUNT)
		reader->bad = true;
	return reader->bad ? FOLDER_INBOX : (enum folder)number;
}

static size_t get_count(struct wire_reader *reader, size_t limit)
{
	int64_t number = wire_get_number(reader);
	if (number < 0 || (uint64_t)number > limit)
		reader->bad = true;
	return reader->bad ? 0 : (size_t)number;
}

static const char *get_wanted_text(struct wire_reader *reader, struct pool *pool)
{
	const char *text = wire_get_text(reader, pool);
	if (!text || !utf8_valid(text, strlen(text)))
		reader->bad = true;
	return reader->bad ? "" : text;
}

static void get_uids(struct wire_reader *reader, struct mail_task *task, size_t most, struct pool *pool)
{
	task->count = get_count(reader, most);
	const char **uid = pool_alloc(pool, (task->count + 1) * sizeof *uid);
	for (size_t i = 0; i < task->count; i++)
		uid[i] = get_wanted_text(reader, pool);
	task->uids = uid;
}

bool mail_handover_get_task(
	struct mail_task *task, enum wire_type type, const struct str *payload, struct pool *pool)
{
	struct wire_reader reader = wire_reader_of(payload);
	*task = (struct mail_task){0};
	switch (type) {
	case WIRE_LIST:
		task->folder = get_folder(&reader);
		task->after = wire_get_text(&reader, pool);
		task->limit = get_count(&reader, SIZE_MAX / 2);
		break;
	case WIRE_FETCH:
		task->payload = wire_get_number(&reader);
		get_uids(&reader, task, MAILLINE_FETCH_MAX, pool);
		break;
	case WIRE_MOVE:
		task->folder = get_folder(&reader);
		get_uids(&reader, task, MOVE_MAX, pool);
		break;
	case WIRE_WAIT:
		task->seconds = (int)get_count(&reader, INT_MAX);
		break;
	case WIRE_APPEND:
		task->name = get_wanted_text(&reader, pool);
		task->wire = wire_get_bytes(&reader, &task->len);
		break;
	default:
		return false;
	}
	return wire_read_whole(&reader);
}

/* ---- answers ---- */

void mail_handover_put_result(struct str *out, enum rc rc, const char *phase, const struct err *err)
{
	wire_put_number(out, rc);
	wire_put_text(out, rc ? phase : "");
	wire_put_text(out, rc ? err->text : "");
}

static const char *known_phase(const char *phase)
{
	static const char *const phases[] = {
		"connect", "tls", "auth", "select", "list", "fetch", "move", "append", "idle"};
	for (size_t i = 0; i < sizeof phases / sizeof phases[0]; i++)
		if (strcmp(phases[i], phase) == 0)
			return phases[i];
	return "connect";
}

/* The child has talked to the network: its sentence is shown as printable text only, its code taken where it is one that a mailbox gives. */
static enum rc get_result(struct wire_reader *reader, const char **phase, struct pool *pool, struct err *err)
{
	int64_t number = wire_get_number(reader);
	const char *name = get_wanted_text(reader, pool), *text = get_wanted_text(reader, pool);
	if (reader->bad || number == RC_OK)
		return RC_OK;
	*phase = known_phase(name);
	enum rc rc = number == RC_REFUSED || number == RC_CONFIG || number == RC_STORE ? (enum rc)number
										       : RC_SERVER;
	char *shown = pool_strdup(pool, text);
	for (char *c = shown; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return err_set(err, rc, "%s", shown);
}

static const char *get_uid(struct wire_reader *reader, struct pool *pool, bool may_be_empty)
{
	const char *uid = get_wanted_text(reader, pool);
	size_t len = strlen(uid);
	if (len > UID_MAX || (len == 0 && !may_be_empty) || strchr(uid, '/') || text_has_control(uid))
		reader->bad = true;
	return uid;
}

void mail_handover_put_list(struct str *out, const struct mailbox_list *list)
{
	wire_put_number(out, list->uid_validity);
	wire_put_number(out, list->more);
	wire_put_number(out, list->certificate_until);
	wire_put_number(out, (int64_t)list->count);
	for (size_t i = 0; i < list->count; i++) {
		wire_put_text(out, list->entry[i].uid);
		wire_put_number(out, list->entry[i].size);
	}
}

static void get_list(struct wire_reader *reader, size_t limit, struct mailbox_list *list, struct pool *pool)
{
	*list = (struct mailbox_list){0};
	list->uid_validity = wire_get_number(reader);
	list->more = wire_get_number(reader) != 0;
	list->certificate_until = wire_get_number(reader);
	size_t left =
		(size_t)(reader->end - reader->at) / 12; /* an entry is a length and a number at least */
	list->count = get_count(reader, limit < left ? limit : left);
	list->entry = pool_alloc(pool, (list->count + 1) * sizeof *list->entry);
	for (size_t i = 0; i < list->count; i++) {
		list->entry[i].uid = get_uid(reader, pool, false);
		list->entry[i].size = wire_get_number(reader);
		if (list->entry[i].size < 0)
			reader->bad = true;
	}
	if (list->uid_validity < 0)
		reader->bad = true;
}

void mail_handover_put_moved(struct str *out, const char *const *moved_uid, size_t count)
{
	wire_put_number(out, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		wire_put_text(out, moved_uid[i]);
}

/* NULL is an answer here: the message was not there. */
static void get_moved(struct wire_reader *reader, size_t count, const char **moved_uid, struct pool *pool)
{
	if (get_count(reader, count) != count)
		reader->bad = true;
	for (size_t i = 0; i < count; i++) {
		struct wire_reader peek = *reader;
		moved_uid[i] = NULL;
		if (!wire_get_text(&peek, pool) && !peek.bad)
			*reader = peek;
		else
			moved_uid[i] = get_uid(reader, pool, true);
	}
}

/* ---- the role's end ---- */

static enum rc line_lost(struct mailline *line, struct err *err)
{
	mailline_close(line);
	return err_set(err, RC_SERVER,
		"The process that holds the connection to the mailbox is gone, or said what cannot be; "
		"another one is needed.");
}

enum rc mailline_open(struct mailline *line, const struct zygote *zygote,
	const struct mailbox_settings *settings, const struct secret *password, struct err *err)
{
	/* A request may be tried twice, each time over a new connection. */
	int seconds =
		2 * (settings->connect_seconds + mailbox_request_seconds(settings, settings->message_bytes)) +
		CHILD_SPARE_SECONDS;
	*line = (struct mailline){
		.fd = -1,
		.phase = "connect",
		.message_bytes = settings->message_bytes,
		.answer_ms = seconds < INT_MAX / 1000 ? seconds * 1000 : INT_MAX,
	};
	enum rc rc = zygote_child(zygote, CHILD_MAILBOX, &line->fd, err);
	if (rc != RC_OK)
		return rc;
	struct str payload = STR_INIT;
	mail_handover_put_mailbox(&payload, settings);
	bool sent = wire_send(line->fd, WIRE_MAILBOX, payload.s, payload.len) &&
		    wire_send_secret(line->fd, password);
	str_free(&payload);
	return sent ? RC_OK : line_lost(line, err);
}

void mailline_close(struct mailline *line)
{
	if (line->fd >= 0)
		(void)close(line->fd);
	line->fd = -1;
	line->waiting = false;
}

/* The answer to a wait; its error is told only to who asked for it. */
static bool take_news(struct mailline *line, const struct str *payload, enum rc *rc, struct err *err)
{
	struct pool *pool = pool_new();
	struct wire_reader reader = wire_reader_of(payload);
	*rc = get_result(&reader, &line->phase, pool, err);
	bool news = wire_get_number(&reader) != 0;
	pool_free(&pool);
	line->waiting = false;
	line->news |= news || *rc != RC_OK; /* what came while the line was dead is found by listing */
	return wire_read_whole(&reader);
}

/* Where the line dies without an answer, it died over this. */
static void note_phase(struct mailline *line, enum wire_type type)
{
	if (type == WIRE_FETCH || type == WIRE_MESSAGE)
		line->phase = "fetch";
	else if (type == WIRE_MOVE || type == WIRE_MOVED)
		line->phase = "move";
}

static enum rc tell(struct mailline *line, enum wire_type type, const struct mail_task *task, struct err *err)
{
	struct str payload = STR_INIT;
	if (line->fd < 0)
		return line_lost(line, err);
	note_phase(line, type);
	mail_handover_put_task(&payload, type, task);
	bool sent = wire_send(line->fd, type, payload.s, payload.len);
	str_free(&payload);
	return sent ? RC_OK : line_lost(line, err);
}

/* Waits for the answer to a task, past that of a wait it ends. On RC_OK the reader stands behind the result. The payload is the caller's. */
static enum rc hear(struct mailline *line, enum wire_type answer_type, struct str *payload, int *file,
	struct wire_reader *reader, struct pool *pool, struct err *err)
{
	struct err unheard;
	enum wire_type type;
	enum rc rc;
	if (line->fd < 0)
		return line_lost(line, err);
	note_phase(line, answer_type);
	if (wire_receive(line->fd, &type, payload, file, line->answer_ms) != 1)
		return line_lost(line, err);
	if (file && *file >= 0 && type != answer_type) {
		(void)close(*file);
		*file = -1;
	}
	if (line->waiting && type == WIRE_NEWS &&
		(!take_news(line, payload, &rc, &unheard) ||
			wire_receive(line->fd, &type, payload, file, line->answer_ms) != 1))
		return line_lost(line, err);
	if (type != answer_type)
		return line_lost(line, err);
	*reader = wire_reader_of(payload);
	rc = get_result(reader, &line->phase, pool, err);
	return reader->bad ? line_lost(line, err) : rc;
}

static enum rc exchange(struct mailline *line, enum wire_type task_type, const struct mail_task *task,
	enum wire_type answer_type, struct str *payload, struct wire_reader *reader, struct pool *pool,
	struct err *err)
{
	enum rc rc = tell(line, task_type, task, err);
	return rc ? rc : hear(line, answer_type, payload, NULL, reader, pool, err);
}

enum rc mailline_list(struct mailline *line, enum folder folder, const char *after, size_t limit,
	struct mailbox_list *out, struct pool *pool, struct err *err)
{
	struct str payload = STR_INIT;
	struct wire_reader reader = {0};
	struct mail_task task = {.folder = folder, .after = after, .limit = limit};
	enum rc rc = exchange(line, WIRE_LIST, &task, WIRE_LISTED, &payload, &reader, pool, err);
	if (rc == RC_OK) {
		get_list(&reader, limit, out, pool);
		line->certificate_until = out->certificate_until;
		rc = wire_read_whole(&reader) ? RC_OK : line_lost(line, err);
	}
	str_free(&payload);
	return rc;
}

enum rc mailline_fetch_begin(
	struct mailline *line, const char *const *uid, size_t count, int64_t payload, struct err *err)
{
	struct mail_task task = {.uids = uid, .count = count, .payload = payload};
	return tell(line, WIRE_FETCH, &task, err);
}

enum rc mailline_fetch_next(struct mailline *line, int *file, int64_t *size, struct err *err)
{
	struct str payload = STR_INIT;
	struct pool *pool = pool_new();
	struct wire_reader reader = {0};
	*file = -1;
	*size = 0;
	enum rc rc = hear(line, WIRE_MESSAGE, &payload, file, &reader, pool, err);
	if (rc == RC_OK && (wire_get_number(&reader), !wire_read_whole(&reader) || *file < 0))
		rc = line_lost(line, err);
	if (rc == RC_OK)
		rc = memfile_check(*file, line->message_bytes, size, err);
	if (rc == RC_REFUSED && *file >= 0 && *size < 0)
		rc = line_lost(line, err);
	if (rc != RC_OK && *file >= 0) {
		(void)close(*file);
		*file = -1;
	}
	pool_free(&pool);
	str_free(&payload);
	return rc;
}

enum rc mailline_fetch(struct mailline *line, const char *uid, int *file, int64_t *size, struct err *err)
{
	*file = -1;
	*size = 0;
	enum rc rc = mailline_fetch_begin(line, &uid, 1, 0, err);
	return rc ? rc : mailline_fetch_next(line, file, size, err);
}

enum rc mailline_move_begin(
	struct mailline *line, const char *const *uid, size_t count, enum folder to, struct err *err)
{
	struct mail_task task = {.folder = to, .uids = uid, .count = count};
	return tell(line, WIRE_MOVE, &task, err);
}

enum rc mailline_move_end(
	struct mailline *line, size_t count, const char **moved_uid, struct pool *pool, struct err *err)
{
	struct str payload = STR_INIT;
	struct wire_reader reader = {0};
	enum rc rc = hear(line, WIRE_MOVED, &payload, NULL, &reader, pool, err);
	if (rc == RC_OK) {
		get_moved(&reader, count, moved_uid, pool);
		rc = wire_read_whole(&reader) ? RC_OK : line_lost(line, err);
	}
	str_free(&payload);
	return rc;
}

enum rc mailline_move(struct mailline *line, const char *const *uid, size_t count, enum folder to,
	const char **moved_uid, struct pool *pool, struct err *err)
{
	enum rc rc = mailline_move_begin(line, uid, count, to, err);
	return rc ? rc : mailline_move_end(line, count, moved_uid, pool, err);
}

enum rc mailline_append(
	struct mailline *line, const char *name, const char *wire, size_t len, struct err *err)
{
	struct str payload = STR_INIT;
	struct pool *pool = pool_new();
	struct wire_reader reader = {0};
	struct mail_task task = {.name = name, .wire = wire, .len = len};
	enum rc rc = exchange(line, WIRE_APPEND, &task, WIRE_DONE, &payload, &reader, pool, err);
	if (rc == RC_OK && !wire_read_whole(&reader))
		rc = line_lost(line, err);
	pool_free(&pool);
	str_free(&payload);
	return rc;
}

enum rc mailline_wait(struct mailline *line, int seconds, struct err *err)
{
	if (line->fd < 0)
		return line_lost(line, err);
	if (line->waiting)
		return RC_OK;
	struct str payload = STR_INIT;
	mail_handover_put_task(&payload, WIRE_WAIT, &(struct mail_task){.seconds = seconds});
	line->waiting = wire_send(line->fd, WIRE_WAIT, payload.s, payload.len);
	str_free(&payload);
	return line->waiting ? RC_OK : line_lost(line, err);
}

enum rc mailline_news(struct mailline *line, bool *over, bool *news, struct err *err)
{
	*over = *news = false;
	if (line->fd < 0)
		return line_lost(line, err);
	enum rc rc = RC_OK;
	/* With no wait under way, what comes is an answer to something else. */
	if (line->waiting && poll(&(struct pollfd){.fd = line->fd, .events = POLLIN}, 1, 0) > 0) {
		struct str payload = STR_INIT;
		enum wire_type type;
		bool good = wire_receive(line->fd, &type, &payload, NULL, NEWS_SECONDS * 1000) == 1 &&
			    type == WIRE_NEWS && take_news(line, &payload, &rc, err);
		str_free(&payload);
		if (!good)
			return line_lost(line, err);
	}
	*over = !line->waiting;
	*news = line->news;
	line->news = false;
	return rc;
}
