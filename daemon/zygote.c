#include "daemon/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/confine.h"
#include "daemon/wire.h"
#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/mail/received.h"

#define ANSWER_TIMEOUT_MS 10000
#define FIELDMAP_MAX ((size_t)1024 * 1024)
#define CONTROL_FD 3 /* in the zygote, and a child's end of its socket pair in the child */

/* ---- the zygote's side ---- */

static void answer(int fd, enum rc rc, const char *text)
{
	struct str payload = STR_INIT;
	wire_put_number(&payload, rc);
	wire_put_text(&payload, text);
	if (!wire_send(fd, WIRE_DONE, payload.s, payload.len))
		_exit(0);
	str_free(&payload);
}

struct zygote { /* what its children find ready */
	unsigned children; /* CHILD_BIT()s */
	bool is_confined;
	struct fieldmap *map;
	struct request_rules *rules; /* NULL: no mail child was asked for */
};

/* text NULL: the built-in one. The role reads the file: the zygote may be past opening any. */
static void load_map(int control, struct fieldmap **map, const char *name, const char *text)
{
	struct err err = {0};
	struct fieldmap *fresh = NULL;
	if (text ? fieldmap_load_text(&fresh, text, name, &err) : fieldmap_load(&fresh, NULL, &err)) {
		answer(control, err.rc, err.text);
		return;
	}
	if (*map)
		fieldmap_free(map);
	*map = fresh;
	answer(control, RC_OK, NULL);
}

static void prepare_mail(int control, struct request_rules **rules)
{
	struct err err = {0};
	if (*rules || received_prepare(rules, &err) == RC_OK)
		answer(control, RC_OK, NULL);
	else
		answer(control, err.rc, err.text);
}

/* The parent may die before the signal at its death was asked for. */
static void die_with(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
}

/* Once, before the first child, when all that takes files has been made ready. */
static void confine_zygote(struct zygote *ready)
{
	unsigned lines = CHILD_BIT(CHILD_TRANSPORT) | CHILD_BIT(CHILD_MAILBOX);
	const struct confinement confinement = {
		.kind = ready->children & lines ? CONFINED_ZYGOTE_LINES : CONFINED_ZYGOTE};
	struct err err = {0};
	if (ready->is_confined)
		return;
	if (confine_self(&confinement, &err)) {
		log_event(LEVEL_FAULT, "role.failed", "role=zygote rc=%s reason=\"%s\"", rc_name(err.rc),
			err.text);
		_exit(RC_CONFIG); /* the role sees a dead zygote and ends */
	}
	ready->is_confined = true;
}

static void fork_child(enum child_kind kind, int fd, struct zygote *ready)
{
	pid_t zygote = getpid();
	if (kind < CHILD_FORM || kind > CHILD_MAILBOX || !(ready->children & CHILD_BIT(kind)))
		return;
	confine_zygote(ready);
	pid_t pid = fork();
	if (pid != 0)
		return; /* a fork that failed closes the descriptor: the role sees a dead child */
	die_with(zygote);
	/* The zygote's own socket goes: a child that was taken over must not ask for others. */
	if (dup2(fd, CONTROL_FD) != CONTROL_FD)
		_exit(RC_CONFIG);
	(void)close(fd);
	if (kind == CHILD_FORM)
		form_child_main(CONTROL_FD, ready->map);
	if (kind == CHILD_MAIL && ready->rules)
		mail_child_main(CONTROL_FD, ready->rules);
	if (kind == CHILD_MAIL)
		_exit(RC_USAGE);
	if (kind == CHILD_MAILBOX)
		mailbox_child_main(CONTROL_FD);
	transport_child_main(CONTROL_FD);
}

_Noreturn static void zygote_main(unsigned children)
{
	struct zygote ready = {.children = children};
	struct str payload = STR_INIT;
	for (;;) {
		enum wire_type type;
		int fd = -1;
		if (wire_receive(CONTROL_FD, &type, &payload, &fd, -1) != 1)
			_exit(0); /* the role is gone */
		struct wire_reader reader = {payload.s, payload.s + payload.len, false};
		if (type == WIRE_FIELDMAP) {
			struct pool *pool = pool_new();
			const char *name = wire_get_text(&reader, pool);
			load_map(CONTROL_FD, &ready.map, name, wire_get_text(&reader, pool));
			if (!(children & CHILD_BIT(CHILD_MAIL)))
				confine_zygote(&ready); /* nothing is left that takes a file */
			pool_free(&pool);
		} else if (type == WIRE_PREPARE_MAIL) {
			prepare_mail(CONTROL_FD, &ready.rules);
		} else if (type == WIRE_CHILD && fd >= 0) {
			fork_child((enum child_kind)wire_get_number(&reader), fd, &ready);
		}
		if (fd >= 0)
			(void)close(fd);
	}
}

/* Leaves nothing of the role's in the zygote: signals, descriptors, and what its children would need files for is made now. */
_Noreturn static void zygote_enter(int control, unsigned children, pid_t role)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN); /* the role decides when its children end */
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);

	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(control, CONTROL_FD) != CONTROL_FD ||
		close_range(CONTROL_FD + 1, ~0U, 0) != 0)
		_exit(RC_CONFIG);
	die_with(role);

	text_preload();
	json_object_seed(0);
	struct err unheard = {0};
	static const struct {
		enum child_kind child;
		enum confined kind;
	} filters[] = {{CHILD_FORM, CONFINED_READER}, {CHILD_MAIL, CONFINED_READER},
		{CHILD_TRANSPORT, CONFINED_TRANSPORT}, {CHILD_MAILBOX, CONFINED_MAILBOX_LINE}};
	for (size_t i = 0; i < sizeof filters / sizeof *filters; i++)
		if (children & CHILD_BIT(filters[i].child))
			(void)confine_prepare_kind(
				filters[i].kind, &unheard); /* a child that finds none says why */
	zygote_main(children);
}

/* ---- the role's side ---- */

static enum rc zygote_lost(struct err *err)
{
	return err_set(
		err, RC_CONFIG, "The process that starts children is gone; the role must be restarted.");
}

/* Asks, and waits until the zygote has done it. */
static enum rc zygote_ask(int control, enum wire_type request, const struct str *payload, struct err *err)
{
	struct str reply = STR_INIT;
	enum wire_type type;
	enum rc rc;
	if (!wire_send(control, request, payload->s, payload->len) ||
		wire_receive(control, &type, &reply, NULL, ANSWER_TIMEOUT_MS) != 1) {
		rc = zygote_lost(err);
	} else {
		struct wire_reader reader = {reply.s, reply.s + reply.len, false};
		struct pool *pool = pool_new();
		rc = (enum rc)wire_get_number(&reader);
		const char *text = wire_get_text(&reader, pool);
		if (rc)
			err_set(err, rc, "%s", text ? text : "The children could not be prepared.");
		pool_free(&pool);
	}
	str_free(&reply);
	return rc;
}

enum rc zygote_reload(int control, const char *form_fields, struct err *err)
{
	struct str payload = STR_INIT, text = STR_INIT;
	enum rc rc = form_fields ? file_read(&text, form_fields, FIELDMAP_MAX, err) : RC_OK;
	wire_put_text(&payload, form_fields);
	wire_put_text(&payload, form_fields ? text.s : NULL);
	rc = rc ? rc : zygote_ask(control, WIRE_FIELDMAP, &payload, err);
	str_free(&payload);
	str_free(&text);
	return rc;
}

enum rc zygote_prepare_mail(int control, struct err *err)
{
	return zygote_ask(control, WIRE_PREPARE_MAIL, &STR_INIT, err);
}

enum rc zygote_start(int *control, const char *form_fields, struct err *err)
{
	return zygote_start_for(control, CHILD_ALL, form_fields, err);
}

enum rc zygote_start_for(int *control, unsigned children, const char *form_fields, struct err *err)
{
	int pair[2];
	*control = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, RC_CONFIG, "No socket pair could be made: %s.", errno_text(errno));
	pid_t role = getpid();
	pid_t pid = fork();
	if (pid == 0)
		zygote_enter(pair[1], children, role);
	(void)close(pair[1]);
	if (pid < 0) {
		(void)close(pair[0]);
		return err_set(err, RC_CONFIG, "No process could be started: %s.", errno_text(errno));
	}
	*control = pair[0];
	enum rc rc = zygote_reload(*control, form_fields, err);
	if (rc)
		zygote_stop(control);
	return rc;
}

enum rc zygote_child(int control, enum child_kind kind, int *fd, struct err *err)
{
	int pair[2];
	*fd = -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return err_set(err, RC_CONFIG, "No socket pair could be made: %s.", errno_text(errno));
	struct str payload = STR_INIT;
	wire_put_number(&payload, kind);
	bool sent = wire_send_fd(control, WIRE_CHILD, payload.s, payload.len, pair[1]);
	str_free(&payload);
	(void)close(pair[1]);
	if (!sent) {
		(void)close(pair[0]);
		return zygote_lost(err);
	}
	*fd = pair[0];
	return RC_OK;
}

void zygote_stop(int *control)
{
	if (*control >= 0)
		(void)close(*control);
	*control = -1;
}
