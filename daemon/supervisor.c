#include "daemon/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/role.h"
#include "daemon/title.h"
#include "lib/base/heap.h"
#include "lib/base/log.h"
#include "lib/base/service.h"

#define WORKER_MAX 8
#define WATCHDOG_MS                                                                                          \
	120000 /* a step with a slow disk or a child that hangs (its limit is 20 s) stays far below */
#define START_MS 300000 /* opening may have to upgrade the register */
#define STOP_MS 75000 /* a role has 60 s for what is in flight, then it writes down the answers */
#define PAUSE_FIRST_MS 250
#define PAUSE_LAST_MS 60000
#define WELL_MS 60000 /* ran so long: the next death begins with the short pause again */

struct worker {
	const struct role *role;
	pid_t pid; /* 0: not running */
	bool ready, was_ready;
	int64_t started_ms, heard_ms; /* 0: never */
	int64_t pause_ms, start_at_ms; /* when it died */
};

struct supervisor {
	char *config; /* owned: a role's title is written over the command line */
	bool verbose;
	struct settings *settings; /* owned, like the rules; roles that are forked take theirs from it */
	struct rulebook *rules;
	int signals, notify, lock;
	char notify_name[64]; /* abstract: "@…" as NOTIFY_SOCKET wants it */
	int64_t watchdog_ms;
	struct worker worker[WORKER_MAX];
	int count;
	bool all_ready, stopping;
	int64_t stop_at_ms;
	enum rc rc;
};

/* ---- starting ---- */

/* This program anew. */
_Noreturn static void worker_exec(const struct supervisor *supervisor, const struct role *role)
{
	if (supervisor->verbose)
		(void)execl("/proc/self/exe", "sengend", "-v", "-c", supervisor->config, role->name,
			(char *)NULL);
	else
		(void)execl("/proc/self/exe", "sengend", "-c", supervisor->config, role->name, (char *)NULL);
	_exit(RC_USAGE);
}

/* This process, without what is the supervisor's own. */
_Noreturn static void worker_go_on(const struct supervisor *supervisor, const struct role *role)
{
	struct str title = STR_INIT;
	(void)close(supervisor->signals);
	(void)close(supervisor->notify);
	(void)close(supervisor->lock);
	str_printf(&title, "sengend%s -c %s %s", supervisor->verbose ? " -v" : "", supervisor->config,
		role->name);
	title_set(title.s);
	str_free(&title);
	exit((int)role_run(role, supervisor->config, supervisor->settings, supervisor->rules));
}

_Noreturn static void worker_begin(
	const struct supervisor *supervisor, const struct worker *worker, pid_t parent)
{
	/* No role outlives a supervisor that was killed; SIGTERM lets the sender finish what is in flight. */
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(0);
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);

	char watchdog[32];
	(void)snprintf(watchdog, sizeof watchdog, "%lld000", (long long)supervisor->watchdog_ms);
	(void)setenv("NOTIFY_SOCKET", supervisor->notify_name, 1);
	(void)setenv("WATCHDOG_USEC", watchdog, 1);
	(void)unsetenv("WATCHDOG_PID");
	if (worker->started_ms)
		worker_exec(supervisor, worker->role);
	worker_go_on(supervisor, worker->role);
}

static void worker_start(struct supervisor *supervisor, struct worker *worker)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid == 0)
		worker_begin(supervisor, worker, parent);
	int64_t now = clock_machine_ms();
	worker->ready = false;
	worker->started_ms = worker->heard_ms = now;
	worker->pid = pid > 0 ? pid : 0;
	if (pid < 0) {
		log_event(LEVEL_FAULT, "role.not-started", "role=%s reason=\"%s\"", worker->role->name,
			errno_text(errno));
		worker->start_at_ms = now + PAUSE_LAST_MS;
	}
}

/* ---- what is heard ---- */

static struct worker *worker_by_pid(struct supervisor *supervisor, pid_t pid)
{
	for (int i = 0; i < supervisor->count; i++)
		if (pid > 0 && supervisor->worker[i].pid == pid)
			return &supervisor->worker[i];
	return NULL;
}

static void announce(struct supervisor *supervisor)
{
	for (int i = 0; i < supervisor->count; i++)
		if (!supervisor->worker[i].ready)
			return;
	if (supervisor->all_ready)
		return;
	supervisor->all_ready = true;
	log_event(LEVEL_NOTICE, "supervisor.ready", "roles=%d", supervisor->count);
	service_notify("READY=1\nSTATUS=All roles work.");
}

static bool has_line(const char *text, const char *line)
{
	size_t len = strlen(line);
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, len) == 0 && (at[len] == '\n' || at[len] == '\0'))
			return true;
	}
	return false;
}

/* Reads one message; false: there is none. Who wrote it is told by the kernel. */
static bool notify_read(struct supervisor *supervisor)
{
	char text[2048];
	struct iovec part = {text, sizeof text - 1};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct msghdr message = {.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes};
	ssize_t n = recvmsg(supervisor->notify, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return false;
	text[n] = '\0';
	struct ucred sender = {0};
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(&message); cmsg; cmsg = CMSG_NXTHDR(&message, cmsg))
		if (cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender, CMSG_DATA(cmsg), sizeof sender);
	struct worker *worker = worker_by_pid(supervisor, sender.pid);
	if (!worker)
		return true;
	worker->heard_ms = clock_machine_ms();
	if (has_line(text, "READY=1")) {
		worker->ready = worker->was_ready = true;
		announce(supervisor);
	}
	return true;
}

static void worker_died(struct supervisor *supervisor, struct worker *worker, int status)
{
	int64_t now = clock_machine_ms();
	worker->pid = 0;
	worker->ready = false;
	if (supervisor->stopping)
		return;
	if (WIFSIGNALED(status))
		log_event(
			LEVEL_FAULT, "role.died", "role=%s signal=%d", worker->role->name, WTERMSIG(status));
	else
		log_event(LEVEL_FAULT, "role.ended", "role=%s status=%d", worker->role->name,
			WEXITSTATUS(status));

	/* A configuration that never worked is for the administrator, who is looking now. */
	if (WIFEXITED(status) && !worker->was_ready && !supervisor->all_ready &&
		(WEXITSTATUS(status) == RC_USAGE || WEXITSTATUS(status) == RC_CONFIG)) {
		supervisor->rc = (enum rc)WEXITSTATUS(status);
		return;
	}
	if (now - worker->started_ms >= WELL_MS)
		worker->pause_ms = 0;
	worker->pause_ms = worker->pause_ms ? worker->pause_ms * 2 : PAUSE_FIRST_MS;
	if (worker->pause_ms > PAUSE_LAST_MS)
		worker->pause_ms = PAUSE_LAST_MS;
	worker->start_at_ms = now + worker->pause_ms;
	log_event(LEVEL_NOTICE, "role.restart", "role=%s pause_ms=%lld", worker->role->name,
		(long long)worker->pause_ms);
}

static void signal_all(const struct supervisor *supervisor, int number)
{
	for (int i = 0; i < supervisor->count; i++)
		if (supervisor->worker[i].pid > 0)
			(void)kill(supervisor->worker[i].pid, number);
}

static void begin_stop(struct supervisor *supervisor)
{
	if (supervisor->stopping)
		return;
	supervisor->stopping = true;
	supervisor->stop_at_ms = clock_machine_ms() + STOP_MS;
	service_notify("STOPPING=1\nSTATUS=Stopping.");
	signal_all(supervisor, SIGTERM);
}

static void signals_read(struct supervisor *supervisor)
{
	struct signalfd_siginfo info;
	while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			begin_stop(supervisor);
		else if (info.ssi_signo == SIGHUP && !supervisor->stopping)
			signal_all(supervisor, SIGHUP);
	}
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct worker *worker = worker_by_pid(supervisor, pid);
		if (worker)
			worker_died(supervisor, worker, status);
	}
}

/* ---- what is due ---- */

/* Starts and kills what is due; returns milliseconds until it has to look again. */
static int64_t tend(struct supervisor *supervisor)
{
	int64_t now = clock_machine_ms(), until = 1000;
	for (int i = 0; i < supervisor->count; i++) {
		struct worker *worker = &supervisor->worker[i];
		if (worker->pid == 0) {
			if (supervisor->stopping)
				continue;
			if (worker->start_at_ms <= now)
				worker_start(supervisor, worker);
			else if (worker->start_at_ms - now < until)
				until = worker->start_at_ms - now;
		} else if (supervisor->stopping && now >= supervisor->stop_at_ms) {
			log_event(LEVEL_FAULT, "role.killed", "role=%s reason=\"did not stop in time\"",
				worker->role->name);
			(void)kill(worker->pid, SIGKILL);
		} else if (!supervisor->stopping &&
			   now - worker->heard_ms > (worker->ready ? supervisor->watchdog_ms : START_MS)) {
			log_event(LEVEL_FAULT, "role.killed", "role=%s reason=\"missed its watchdog\"",
				worker->role->name);
			worker->heard_ms = now;
			(void)kill(worker->pid, SIGKILL);
		}
	}
	return until;
}

static bool any_running(const struct supervisor *supervisor)
{
	for (int i = 0; i < supervisor->count; i++)
		if (supervisor->worker[i].pid > 0)
			return true;
	return false;
}

static enum rc supervise(struct supervisor *supervisor)
{
	for (;;) {
		int64_t until = tend(supervisor);
		if (supervisor->rc)
			begin_stop(supervisor);
		if (supervisor->stopping && !any_running(supervisor))
			return supervisor->rc;
		struct pollfd fd[] = {{.fd = supervisor->signals, .events = POLLIN},
			{.fd = supervisor->notify, .events = POLLIN}};
		(void)poll(fd, 2, (int)until);
		/* Messages first: a role's last word counts even when its death is already known. */
		while (notify_read(supervisor)) {
		}
		signals_read(supervisor);
	}
}

/* ---- opening ---- */

/* Without a file: a path could be too long for a socket's name, and nothing has to be removed. */
static enum rc notify_open(struct supervisor *supervisor, struct err *err)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int len = snprintf(supervisor->notify_name, sizeof supervisor->notify_name,
		"@sengend/notify/%ld/%lld", (long)getpid(), (long long)clock_machine_ms());
	memcpy(address.sun_path + 1, supervisor->notify_name + 1, (size_t)len - 1);
	supervisor->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (supervisor->notify < 0 ||
		bind(supervisor->notify, (const struct sockaddr *)&address,
			(socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)len)) != 0 ||
		setsockopt(supervisor->notify, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int)) != 0)
		return err_set(err, RC_CONFIG, "The notification socket of the roles could not be made: %s.",
			errno_text(errno));
	return RC_OK;
}

static enum rc signals_open(struct supervisor *supervisor, struct err *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	static const int heard[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	for (size_t i = 0; i < sizeof heard / sizeof *heard; i++)
		(void)sigaddset(&set, heard[i]);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervisor->signals < 0)
		return err_set(err, RC_CONFIG, "Signals can't be received: %s.", errno_text(errno));
	return RC_OK;
}

enum rc supervisor_run(const char *config, bool verbose)
{
	struct supervisor supervisor = {
		.config = xstrdup(config), .verbose = verbose, .signals = -1, .notify = -1, .lock = -1};
	for (int i = 0; i < WORKER_MAX && roles[i]; i++)
		supervisor.worker[supervisor.count++].role = roles[i];

	struct err err = {0};
	enum rc rc = signals_open(&supervisor, &err);
	rc = rc ? rc : role_ground(&supervisor.settings, config, &err);
	rc = rc ? rc : rulebook_read(&supervisor.rules, supervisor.settings, &err);
	rc = rc ? rc : notify_open(&supervisor, &err);
	rc = rc ? rc : role_lock(supervisor.settings, "supervisor", &supervisor.lock, &err);
	if (!rc) {
		supervisor.watchdog_ms = supervisor.settings->watchdog_seconds * 1000;
		heap_settle(); /* each role would copy the pages that it takes memory from */
		heap_keep();
		rc = supervise(&supervisor);
	} else {
		log_event(LEVEL_FAULT, "supervisor.failed", "rc=%s reason=\"%s\"", rc_name(rc), err.text);
	}
	if (supervisor.settings)
		settings_free(&supervisor.settings);
	rulebook_free(&supervisor.rules);
	free(supervisor.config);
	return rc;
}
