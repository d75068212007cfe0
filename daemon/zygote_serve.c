#include "daemon/zygote_serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/wire.h"
#include "lib/base/log.h"

static struct {
	const struct zygote_program *program;
	unsigned children; /* CHILD_BIT()s */
	bool is_confined;
} zygote;

void zygote_answer(enum rc rc, const char *text)
{
	struct str payload = STR_INIT;
	wire_put_number(&payload, rc);
	wire_put_text(&payload, text);
	if (!wire_send(ZYGOTE_FD, WIRE_DONE, payload.s, payload.len))
		_exit(0);
	str_free(&payload);
}

/* Once, before the first child, when all that takes files is ready. */
static void confine_zygote(void)
{
	const struct confinement confinement = {.kind = zygote.program->kind};
	struct err err = {0};
	if (zygote.is_confined)
		return;
	if (confine_self(&confinement, &err)) {
		log_event(LEVEL_FAULT, "role.failed", "role=%s rc=%s reason=\"%s\"", zygote.program->name,
			rc_name(err.rc), err.text);
		_exit(RC_CONFIG); /* the role sees a dead zygote and ends */
	}
	zygote.is_confined = true;
}

/* What libraries do at a fork, such as giving the child random numbers of its own, matters to those that hold a line; a reader uses none of it, and is spared the pages it would write. */
static pid_t fork_of(int64_t kind)
{
	return CHILD_BIT(kind) & CHILD_READERS ? _Fork() : fork();
}

static void fork_child(int64_t kind, int fd)
{
	pid_t parent = getpid();
	if (kind < CHILD_FORM || kind > CHILD_MAILBOX || !(zygote.children & CHILD_BIT(kind)))
		return;
	confine_zygote();
	pid_t pid = fork_of(kind);
	if (pid != 0)
		return; /* a fork that failed closes the descriptor: the role sees a dead child */
	/* The parent may die before the signal at its death was asked for. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	/* The zygote's own socket goes: a child that was taken over must not ask for others. */
	if (dup2(fd, ZYGOTE_FD) != ZYGOTE_FD)
		_exit(RC_CONFIG);
	(void)close(fd);
	zygote.program->child((enum child_kind)kind, ZYGOTE_FD);
}

_Noreturn static void serve(void)
{
	struct str payload = STR_INIT;
	for (;;) {
		enum wire_type type;
		int fd = -1;
		if (wire_receive(ZYGOTE_FD, &type, &payload, &fd, -1) != 1)
			_exit(0); /* the role is gone */
		if (type == WIRE_CHILD && fd >= 0) {
			struct wire_reader reader = wire_reader_of(&payload);
			fork_child(wire_get_number(&reader), fd);
		} else if (zygote.program->serve) {
			zygote.program->serve((int)type, payload.s, payload.len);
			confine_zygote();
		}
		if (fd >= 0)
			(void)close(fd);
	}
}

/* The role decides when its children end. */
static void signals_ignore(void)
{
	static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		(void)signal(ignored[i], SIG_IGN);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void zygote_serve(const struct zygote_program *program, int argc, char **argv)
{
	char *end = NULL;
	unsigned long children = argc == 2 ? strtoul(argv[1], &end, 10) : 0;
	if (!end || *end || children == 0 || (children & ~(unsigned long)program->children)) {
		(void)fprintf(stderr, "%s: sengend starts this program; it does nothing by itself.\n",
			program->name);
		_exit(RC_USAGE);
	}
	zygote.program = program;
	zygote.children = (unsigned)children;
	log_open(program->name, LEVEL_NOTICE);
	signals_ignore();
	confine_prepare();
	if (program->prepare)
		program->prepare(zygote.children);
	if (!program->serve)
		confine_zygote();
	serve();
}
