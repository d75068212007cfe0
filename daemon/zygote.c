#include "daemon/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "daemon/zygote_serve.h"
#include "lib/base/confine.h"
#include "lib/base/file.h"
#include "lib/base/heap.h"
#include "lib/base/program.h"
#include "lib/form/fieldmap.h"

#define ANSWER_TIMEOUT_MS 10000
#define FIELDMAP_MAX ((size_t)1024 * 1024)

struct zygote_map {
	struct str name, text; /* of the file; name empty: the built-in one */
	bool is_told; /* the reader's program runs and has it */
};

/* ---- starting ---- */

/* Until the first request, which is left for the program to read. The role decides when its zygotes end, not who stops it. */
static void sleep_until_asked(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP};
	const struct confinement sleeper = {.kind = CONFINED_SLEEPER};
	struct err unheard = {0};
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
	if (confine_self(&sleeper, &unheard))
		_exit(RC_CONFIG);
	struct pollfd asked = {.fd = ZYGOTE_FD, .events = POLLIN};
	while (poll(&asked, 1, -1) < 0)
		if (errno != EINTR)
			_exit(RC_CONFIG);
	if (!(asked.revents & POLLIN) || recv(ZYGOTE_FD, &(char){0}, 1, MSG_PEEK) != 1)
		_exit(0); /* the role is gone */
}

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
	sleep_until_asked();
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
	*zygote = ZYGOTE_NONE;
	enum rc rc = RC_OK;
	if (children & CHILD_READERS)
		rc = program_start(&zygote->reader, "sengen-reader", children & CHILD_READERS, err);
	if (!rc && children & CHILD_LINES)
		rc = program_start(&zygote->line, "sengen-line", children & CHILD_LINES, err);
	if (zygote->reader >= 0) {
		zygote->map = xcalloc(1, sizeof *zygote->map);
		zygote->map->name = zygote->map->text = STR_INIT;
	}
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

/* The reader loads the map, or, while it sleeps, this process, to see whether it is good. */
static enum rc map_tell(int reader, const struct zygote_map *map, struct err *err)
{
	struct str payload = STR_INIT;
	bool built_in = map->name.len == 0;
	wire_put_text(&payload, built_in ? NULL : map->name.s);
	wire_put_text(&payload, built_in ? NULL : map->text.s);
	enum rc rc = zygote_ask(reader, WIRE_FIELDMAP, &payload, err);
	str_free(&payload);
	return rc;
}

static enum rc map_check(const struct zygote_map *map, struct err *err)
{
	struct fieldmap *checked = NULL;
	if (map->name.len == 0)
		return RC_OK;
	enum rc rc = fieldmap_load_text(&checked, map->text.s, map->name.s, err);
	if (checked)
		fieldmap_free(&checked);
	return rc;
}

static void map_free(struct zygote_map *map)
{
	str_free(&map->name);
	str_free(&map->text);
}

enum rc zygote_reload(const struct zygote *zygote, const char *form_fields, struct err *err)
{
	struct zygote_map *map = zygote->map, fresh = {.name = STR_INIT, .text = STR_INIT};
	if (!map)
		return RC_OK;
	fresh.is_told = map->is_told;
	if (form_fields)
		str_addz(&fresh.name, form_fields);
	enum rc rc = form_fields ? file_read(&fresh.text, form_fields, FIELDMAP_MAX, err) : RC_OK;
	rc = rc ? rc : fresh.is_told ? map_tell(zygote->reader, &fresh, err) : map_check(&fresh, err);
	if (rc) {
		map_free(&fresh);
		return rc;
	}
	map_free(map);
	*map = fresh;
	return RC_OK;
}

/* With the first request the sleeper becomes the program, which reads the map before it is out of reach of all files. */
static enum rc reader_wake(const struct zygote *zygote, struct err *err)
{
	struct zygote_map *map = zygote->map;
	if (!map || map->is_told)
		return RC_OK;
	enum rc rc = map_tell(zygote->reader, map, err);
	map->is_told = rc == RC_OK;
	return rc;
}

enum rc zygote_child(const struct zygote *zygote, enum child_kind kind, int *fd, struct err *err)
{
	bool is_line = CHILD_BIT(kind) & CHILD_LINES;
	int pair[2], control = is_line ? zygote->line : zygote->reader;
	*fd = -1;
	enum rc rc = is_line ? RC_OK : reader_wake(zygote, err);
	if (rc)
		return rc;
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
	if (zygote->map)
		map_free(zygote->map);
	free(zygote->map);
	*zygote = ZYGOTE_NONE;
}
