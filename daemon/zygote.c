#include "daemon/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "daemon/zygote_serve.h"
#include "lib/base/file.h"
#include "lib/base/heap.h"
#include "lib/base/program.h"

#define ANSWER_TIMEOUT_MS 10000
#define FIELDMAP_MAX ((size_t)1024 * 1024)

/* ---- starting ---- */

/* Leaves nothing of the role's in the zygote but what its environment and limits are. */
_Noreturn static void zygote_exec(int control, const char *path, unsigned children, pid_t role)
{
	char which[16];
	int null = open("/dev/null", O_RDONLY);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(control, ZYGOTE_FD) != ZYGOTE_FD ||
		close_range(ZYGOTE_FD + 1, ~0U, 0) != 0)
		_exit(RC_CONFIG);
	/* The parent may die before the signal at its death was asked for. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != role)
		_exit(0);
	/* Form files are read by the thousand in one child, which would lose by it. */
	if (children & CHILD_BIT(CHILD_MAIL))
		heap_environment();
	(void)snprintf(which, sizeof which, "%u", children);
	(void)execl(path, path, which, (char *)NULL);
	_exit(RC_CONFIG);
}

static enum rc program_start(int *control, const char *name, unsigned children, struct err *err)
{
	struct str path = STR_INIT;
	int pair[2];
	enum rc rc = program_find(&path, name, err);
	if (!rc && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		rc = err_set(err, RC_CONFIG, "No socket pair could be made: %s.", errno_text(errno));
	if (!rc) {
		pid_t role = getpid();
		pid_t pid = fork();
		if (pid == 0)
			zygote_exec(pair[1], path.s, children, role);
		if (pid < 0)
			rc = err_set(err, RC_CONFIG, "No process could be started: %s.", errno_text(errno));
		(void)close(pair[1]);
		if (pid > 0)
			*control = pair[0];
		else
			(void)close(pair[0]);
	}
	str_free(&path);
	return rc;
}

enum rc zygote_start(struct zygote *zygote, const char *form_fields, struct err *err)
{
	return zygote_start_for(zygote, CHILD_ALL, form_fields, err);
}

enum rc zygote_start_for(struct zygote *zygote, unsigned children, const char *form_fields, struct err *err)
{
	enum rc rc = RC_OK;
	*zygote = ZYGOTE_NONE;
	if (children & CHILD_READERS)
		rc = program_start(&zygote->reader, "sengen-reader", children & CHILD_READERS, err);
	if (!rc && children & CHILD_LINES)
		rc = program_start(&zygote->line, "sengen-line", children & CHILD_LINES, err);
	rc = rc ? rc : zygote_reload(zygote, form_fields, err);
	if (rc)
		zygote_stop(zygote);
	return rc;
}

/* ---- asking ---- */

static enum rc zygote_lost(struct err *err)
{
	return err_set(err, RC_CONFIG,
		"The program that starts children (sengen-reader or sengen-line) is gone or could not be "
		"started; the role must be restarted, or sengen be installed anew.");
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

enum rc zygote_reload(const struct zygote *zygote, const char *form_fields, struct err *err)
{
	struct str payload = STR_INIT, text = STR_INIT;
	if (zygote->reader < 0)
		return RC_OK;
	enum rc rc = form_fields ? file_read(&text, form_fields, FIELDMAP_MAX, err) : RC_OK;
	wire_put_text(&payload, form_fields);
	wire_put_text(&payload, form_fields ? text.s : NULL);
	rc = rc ? rc : zygote_ask(zygote->reader, WIRE_FIELDMAP, &payload, err);
	str_free(&payload);
	str_free(&text);
	return rc;
}

enum rc zygote_child(const struct zygote *zygote, enum child_kind kind, int *fd, struct err *err)
{
	int pair[2], control = CHILD_BIT(kind) & CHILD_LINES ? zygote->line : zygote->reader;
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

void zygote_stop(struct zygote *zygote)
{
	if (zygote->reader >= 0)
		(void)close(zygote->reader);
	if (zygote->line >= 0)
		(void)close(zygote->line);
	*zygote = ZYGOTE_NONE;
}
