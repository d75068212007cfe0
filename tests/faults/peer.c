#include "tests/faults/peer_p.h"

#include <poll.h>
#include <setjmp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "lib/mail/received.h"
#include "tests/faults/fault.h"

#define LINES_MAX 96
#define SOCKET_BYTES (1024 * 1024) /* a frame waits here until its reader looks */

struct peer_world *peer_world;

static struct peer_line lines[LINES_MAX];
static struct fieldmap *map;
static struct request_rules *rules; /* made once by the driver: it takes longer than a life */

static struct {
	bool runs; /* the code that runs is a child's */
	jmp_buf end;
	int frames_left; /* then it dies; negative: it lives */
} child;

/* ---- what the linker puts in the place of the system's ---- */

int __real_poll(struct pollfd *fd, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fd, nfds_t count, int timeout_ms);
int __wrap___poll_chk(
	struct pollfd *fd, nfds_t count, int timeout_ms, size_t size); /* with _FORTIFY_SOURCE */
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);
enum rc __wrap_child_confine(const struct confine_limits *limits, struct err *err);
bool __real_wire_send(int fd, enum wire_type type, const void *payload, size_t len);
bool __wrap_wire_send(int fd, enum wire_type type, const void *payload, size_t len);

_Noreturn void __wrap__exit(int status)
{
	if (child.runs)
		longjmp(child.end, 1);
	__real__exit(status);
}

/* It would end the office with it. */
enum rc __wrap_child_confine(const struct confine_limits *limits, struct err *err)
{
	(void)limits, (void)err;
	return RC_OK;
}

bool __wrap_wire_send(int fd, enum wire_type type, const void *payload, size_t len)
{
	if (child.runs && child.frames_left == 0) {
		(void)send(fd, "\0\0", 2, MSG_NOSIGNAL); /* in the middle of a frame */
		longjmp(child.end, 1);
	}
	if (child.runs)
		child.frames_left--;
	return __real_wire_send(fd, type, payload, len);
}

/* ---- lines ---- */

static bool is_readable(int fd)
{
	return __real_poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 0) > 0;
}

void peer_hang_up(struct peer_line *line)
{
	if (line->fd >= 0)
		(void)close(line->fd);
	pool_free(&line->pool);
	*line = (struct peer_line){.fd = -1};
}

bool peer_hear_secret(struct peer_line *line)
{
	struct secret password = SECRET_INIT;
	bool right = wire_receive_secret(line->fd, &password) && password.len == strlen("geheim") &&
		     memcmp(password.bytes, "geheim", password.len) == 0;
	secret_free(&password);
	return right;
}

/* One that dies over a file again and again is the file's doing, and refuses it: not meant here. */
static bool may_die(enum child_kind kind, const char *where)
{
	static int form_deaths;
	bool dies = (kind != CHILD_FORM || form_deaths < 2) && fault_strikes(FAULT_LINE, where);
	if (kind == CHILD_FORM)
		form_deaths = dies ? form_deaths + 1 : 0;
	return dies;
}

static void run_reader(struct peer_line *line)
{
	bool dies = may_die(line->kind, line->kind == CHILD_FORM ? "form child" : "mail child");
	child.frames_left = dies ? (int)fault_draw(4) - 1 : -1;
	if (dies && child.frames_left < 0) {
		fault_trace("child dies before it reads");
		peer_hang_up(line);
		return;
	}
	child.runs = true;
	if (!setjmp(child.end)) {
		if (line->kind == CHILD_FORM)
			form_child_main(line->fd, map);
		mail_child_main(line->fd, rules);
	}
	child.runs = false;
	peer_hang_up(line);
}

/* *begun: this round has seen a mail already. */
static void serve_frame(struct peer_line *line, bool *begun)
{
	struct str payload = STR_INIT;
	enum wire_type type;
	if (wire_receive(line->fd, &type, &payload, NULL, 0) != 1) {
		peer_hang_up(line); /* the role has closed it */
	} else if (line->kind == CHILD_TRANSPORT) {
		if (line->known && !*begun)
			peer_settle();
		*begun |= line->known;
		peer_serve_mail(line, type, &payload);
	} else {
		peer_serve_mailbox(line, type, &payload);
	}
	str_free(&payload);
}

/* Whatever was asked for is done, in the order of the lines. */
static void work(void)
{
	bool begun = false;
	for (int i = 0; i < LINES_MAX; i++) {
		struct peer_line *line = &lines[i];
		while (line->fd >= 0 && !line->mute && is_readable(line->fd)) {
			if (line->kind == CHILD_FORM || line->kind == CHILD_MAIL) {
				run_reader(line);
				continue;
			}
			serve_frame(line, &begun);
		}
	}
}

int __wrap_poll(struct pollfd *fd, nfds_t count, int timeout_ms)
{
	if (!child.runs)
		work();
	int ready = __real_poll(fd, count, 0);
	if (ready != 0 || timeout_ms == 0)
		return ready;
	if (timeout_ms < 0) {
		fault_broken("something waits for ever for a child that says nothing");
		__real__exit(1);
	}
	fault_wait(timeout_ms);
	return 0;
}

int __wrap___poll_chk(struct pollfd *fd, nfds_t count, int timeout_ms, size_t size)
{
	(void)size;
	return __wrap_poll(fd, count, timeout_ms);
}

/* ---- zygote.h ---- */

enum rc zygote_start(struct zygote *zygote, const char *form_fields, struct err *err)
{
	return zygote_start_for(zygote, CHILD_ALL, form_fields, err);
}

enum rc zygote_start_for(struct zygote *zygote, unsigned children, const char *form_fields, struct err *err)
{
	(void)children;
	for (int i = 0; i < LINES_MAX; i++)
		lines[i].fd = -1;
	for (; peer_world->mail_settled < peer_world->mail_count; peer_world->mail_settled++)
		peer_world->mail[peer_world->mail_settled].life_ended = true;
	*zygote = ZYGOTE_NONE; /* there is no process behind it */
	return zygote_reload(zygote, form_fields, err);
}

enum rc zygote_reload(const struct zygote *zygote, const char *form_fields, struct err *err)
{
	struct fieldmap *fresh = NULL;
	(void)zygote;
	enum rc rc = fieldmap_load(&fresh, form_fields, err);
	if (rc)
		return rc;
	if (map)
		fieldmap_free(&map);
	map = fresh;
	return RC_OK;
}

enum rc zygote_child(const struct zygote *zygote, enum child_kind kind, int *fd, struct err *err)
{
	int pair[2];
	(void)zygote;
	*fd = -1;
	if (kind == CHILD_MAIL && !rules && received_prepare(&rules, err))
		return err->rc;
	struct peer_line *line = NULL;
	for (int i = 0; i < LINES_MAX && !line; i++)
		if (lines[i].fd < 0)
			line = &lines[i];
	if (!line || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, RC_CONFIG, "No socket for a child can be made.");
	for (int i = 0; i < 2; i++)
		(void)setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BYTES}, sizeof(int));
	*fd = pair[0];
	*line = (struct peer_line){.fd = pair[1], .kind = kind, .pool = pool_new()};
	if (kind != CHILD_FORM && fault_strikes(FAULT_LINE, "fork of a child")) {
		fault_trace("child %d is dead from the start", (int)kind);
		peer_hang_up(line);
	}
	return RC_OK;
}

void zygote_stop(struct zygote *zygote)
{
	for (int i = 0; i < LINES_MAX; i++)
		if (lines[i].fd >= 0)
			peer_hang_up(&lines[i]);
	*zygote = ZYGOTE_NONE;
}

/* ---- by the driver ---- */

void peer_new(void)
{
	struct err err = {0};
	void *shared = mmap(NULL, sizeof *peer_world, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		die("no memory for the peers");
	peer_world = shared;
	for (int folder = 0; folder < FOLDER_COUNT; folder++) {
		peer_world->uid_validity[folder] = PEER_FIRST_VALIDITY + folder;
		peer_world->uid_next[folder] = 1;
	}
	if (!rules && received_prepare(&rules, &err))
		die("%s", err.text);
}

void peer_free(void)
{
	(void)munmap(peer_world, sizeof *peer_world);
	peer_world = NULL;
}

char *peer_keep(const void *bytes, size_t len)
{
	if (len + 1 > PEER_BYTES_MAX - peer_world->used)
		die("the peers' memory is full");
	char *copy = peer_world->bytes + peer_world->used;
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	peer_world->used += len + 1;
	return copy;
}
