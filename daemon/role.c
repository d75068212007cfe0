#include "daemon/role.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/places.h"
#include "daemon/zygote.h"
#include "lib/base/file.h"
#include "lib/base/heap.h"
#include "lib/base/host.h"
#include "lib/base/local.h"
#include "lib/base/log.h"
#include "lib/base/service.h"
#include "lib/desk/health.h"

#define STOP_MS 60000 /* for what is in flight; TimeoutStopSec=90 is above it */
#define LOCK_MS 70000 /* a predecessor may be stopping */
#define FIXED 4 /* signals, wake, zygotes */
#define WATCH_MAX 256
#define POLL_MAX_MS 30000
#define REST_MS 3000 /* nothing happened for so long */
#define STEP_MAX_MS 60000 /* the clock may jump back: nobody sleeps longer than this whatever it says */
#define PAUSE_FIRST_MS 1000
#define PAUSE_LAST_MS 60000

const struct role *const roles[] = {
	&role_intake, &role_mailbox, &role_scheduler, &role_sender, &role_desk, &role_control, NULL};

const struct role *role_find(const char *name)
{
	for (size_t i = 0; roles[i]; i++)
		if (strcmp(roles[i]->name, name) == 0)
			return roles[i];
	return NULL;
}

static void runtime_path(struct str *out, const struct settings *settings, const char *name, const char *end)
{
	path_join(out, settings->runtime_directory, name);
	str_addz(out, end);
}

void role_wake(const struct settings *settings, const char *name)
{
	struct str path = STR_INIT;
	runtime_path(&path, settings, name, ".wake");
	local_send(path.s, "", 1);
	str_free(&path);
}

/* ---- opening and closing ---- */

enum rc role_ground(struct settings **settings, const char *config, struct err *err)
{
	enum rc rc = settings_load(settings, config, err);
	if (rc)
		return rc;
	rc = file_mkdirs((*settings)->state_directory, 0750, err);
	rc = rc ? rc : file_mkdirs((*settings)->runtime_directory, 0755, err);
	/* A process that was killed may have left files and names that everybody sees and a power cut takes away: nothing is built on them
	 * before they are on the disk. */
	rc = rc ? rc : file_sync_system((*settings)->state_directory, err);
	if (rc)
		settings_free(settings);
	return rc;
}

/* ctx->settings NULL: nobody has laid the ground. */
static enum rc prepare(struct role_context *ctx, unsigned children, const char *config, struct err *err)
{
	ctx->zygote = ZYGOTE_NONE;
	enum rc rc = ctx->settings ? RC_OK : role_ground(&ctx->settings, config, err);
	return rc ? rc : zygote_start_for(&ctx->zygote, children, ctx->settings->form_fields, err);
}

enum rc role_prepare(struct role_context *ctx, const char *config, struct err *err)
{
	return prepare(ctx, CHILD_ALL, config, err);
}

enum rc role_prepare_one(
	struct role_context *ctx, const struct role *role, const char *config, struct err *err)
{
	return prepare(ctx, role->children, config, err);
}

enum rc role_open(struct role_context *ctx, bool want_dkim, bool writes, struct err *err)
{
	enum rc rc = secrets_load(&ctx->secrets, ctx->settings, want_dkim, err);
	if (rc)
		return rc;
	struct str host = STR_INIT;
	host_identity(&host);
	struct store_settings where = {.path = ctx->settings->store_path,
		.witness = ctx->settings->witness_path,
		.host = host.s,
		.simulated = ctx->clock.is_virtual};
	struct store *store = NULL;
	rc = store_open(&store, &where, writes ? STORE_WRITE : STORE_READ, err);
	str_free(&host);
	if (rc)
		return rc;
	ctx->office = (struct office){.store = store,
		.settings = ctx->settings,
		.secrets = &ctx->secrets,
		.clock = &ctx->clock,
		.rng = &ctx->rng,
		.answers_ceiling = ctx->simulating};
	office_open(&ctx->office);
	if (!ctx->rules)
		rc = rulebook_read(&ctx->rules, ctx->settings, err);
	rc = rc ? rc : office_take_rules(&ctx->office, ctx->rules, err);
	rulebook_free(&ctx->rules); /* spent */
	return rc;
}

void role_close(struct role_context *ctx)
{
	if (ctx->office.store) {
		office_close(&ctx->office);
		store_close(&ctx->office.store);
	}
	secrets_free(&ctx->secrets);
	zygote_stop(&ctx->zygote);
	confine_places_free(&ctx->places);
	rulebook_free(&ctx->rules);
	if (ctx->settings)
		settings_free(&ctx->settings);
}

enum rc role_lock(const struct settings *settings, const char *name, int *lock, struct err *err)
{
	struct str path = STR_INIT;
	health_lock_path(&path, settings, name);
	*lock = open(path.s, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	enum rc rc = RC_OK;
	if (*lock < 0)
		rc = err_set(
			err, RC_CONFIG, "The lock %s could not be opened: %s.", path.s, errno_text(errno));
	else if (flock(*lock, LOCK_EX | LOCK_NB) != 0)
		rc = err_set(err, RC_REFUSED,
			"Another process runs the role %s on this register (%s is locked).", name, path.s);
	if (rc && *lock >= 0) {
		(void)close(*lock);
		*lock = -1;
	}
	if (!rc)
		(void)futimens(*lock, NULL);
	str_free(&path);
	return rc;
}

/* ---- the loop of a service ---- */

struct run {
	const struct role *role;
	const char *config;
	struct role_context ctx;
	int signals, wake, lock;
	uint64_t watchdog_usec; /* 0: nobody watches */
	int64_t pause_ms; /* after an error; 0: the last step went well */
	int64_t again_ms; /* not before */
	int64_t stepped_ms; /* the last step */
	int64_t signed_ms; /* the last sign of life beside the register */
	char fault[sizeof((struct err){0}).text]; /* logged once, not at each try */
	bool stopping, reloading;
};

static void run_fault(struct run *run, const struct err *err)
{
	run->pause_ms = run->pause_ms ? run->pause_ms * 2 : PAUSE_FIRST_MS;
	if (run->pause_ms > PAUSE_LAST_MS)
		run->pause_ms = PAUSE_LAST_MS;
	run->again_ms = clock_machine_ms() + run->pause_ms;
	if (strcmp(run->fault, err->text) == 0)
		return;
	memcpy(run->fault, err->text, sizeof run->fault);
	log_event(LEVEL_FAULT, "role.fault", "role=%s rc=%s reason=\"%s\"", run->role->name, rc_name(err->rc),
		err->text);
	service_notifyf("STATUS=%s", err->text);
}

static void run_well(struct run *run)
{
	if (!run->pause_ms)
		return;
	run->pause_ms = 0;
	run->fault[0] = '\0';
	log_event(LEVEL_NOTICE, "role.recovered", "role=%s", run->role->name);
	service_notify("STATUS=Working.");
}

static void run_signals(struct run *run)
{
	struct signalfd_siginfo info;
	while (read(run->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGHUP)
			run->reloading = true;
		else if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			run->stopping = true;
	}
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* What is opened once, at the start, or written to, where a confined role can't go on from one to another. */
static enum rc reload_keeps_places(const struct settings *old, const struct settings *new, struct err *err)
{
	const struct {
		const char *key, *old, *new;
	} places[] = {
		{"spool_directory", old->spool_directory, new->spool_directory},
		{"state_directory", old->state_directory, new->state_directory},
		{"runtime_directory", old->runtime_directory, new->runtime_directory},
		{"store_path", old->store_path, new->store_path},
		{"witness_path", old->witness_path, new->witness_path},
		{"report_directory", old->report_directory, new->report_directory},
		{"public_directory", old->public_directory, new->public_directory},
		{"metrics_file", old->metrics_file, new->metrics_file},
	};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++)
		if (!same_text(places[i].old, places[i].new))
			return err_set(err, RC_CONFIG,
				"%s: %s can't change while the daemon runs; restart it.", new->path,
				places[i].key);
	return RC_OK;
}

/* A role that gave up its rights can't get at other directories than those it was started with. */
static enum rc reload_within_reach(const struct run *run, const struct settings *fresh, struct err *err)
{
	struct confine_places wanted = {0};
	enum rc rc = RC_OK;
	if (!confine_keeps_writers())
		return RC_OK;
	places_of_role(&wanted, confined_role(run->role->name), fresh);
	const char *beyond = confine_place_beyond(&run->ctx.places, &wanted);
	if (beyond)
		rc = err_set(err, RC_CONFIG,
			"%s: %s lies outside the places of the start; restart sengend to use a new place.",
			fresh->path, beyond);
	confine_places_free(&wanted);
	return rc;
}

/* A place that was not named when the role gave up its rights is out of its reach, and the system says no more than that. */
static void explain_reach(const struct run *run, struct err *err)
{
	if (run->ctx.places.count > 0 && strstr(err->text, errno_text(EACCES)))
		(void)err_prefix(err,
			"%s names a place outside those of the start, or one that may not be read; "
			"restart sengend to use a new place",
			run->config);
}

/* All or nothing: whatever is wrong with the new settings, secrets or templates, the old ones stay in force. */
static enum rc reload_all(struct run *run, struct err *err)
{
	struct role_context *ctx = &run->ctx;
	struct settings *fresh = NULL, *old = ctx->settings;
	struct secrets fresh_secrets = {0}, old_secrets = ctx->secrets;
	enum rc rc = settings_load(&fresh, run->config, err);
	if (rc)
		return rc;
	rc = reload_keeps_places(old, fresh, err);
	rc = rc ? rc : reload_within_reach(run, fresh, err);
	rc = rc ? rc : secrets_load(&fresh_secrets, fresh, run->role->wants_dkim, err);
	rc = rc ? rc : zygote_reload(&ctx->zygote, fresh->form_fields, err);
	if (!rc) {
		ctx->settings = fresh;
		ctx->secrets = fresh_secrets;
		ctx->office.settings = fresh;
		rc = office_load_templates(&ctx->office, err);
	}
	if (!rc) {
		secrets_free(&old_secrets);
		settings_free(&old);
		return RC_OK;
	}
	ctx->settings = old;
	ctx->secrets = old_secrets;
	ctx->office.settings = old;
	secrets_free(&fresh_secrets);
	if (fresh)
		settings_free(&fresh);
	struct err ignored = {0};
	(void)zygote_reload(&ctx->zygote, old->form_fields, &ignored);
	return rc;
}

static void run_reload(struct run *run)
{
	struct timespec at;
	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	service_notifyf("RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)at.tv_sec * 1000000 + (unsigned long long)at.tv_nsec / 1000);
	struct err err = {0};
	if (reload_all(run, &err)) {
		explain_reach(run, &err);
		log_event(LEVEL_FAULT, "config.refused", "role=%s reason=\"%s\" kept=old", run->role->name,
			err.text);
		/* Reading the new file set its zone. */
		struct err ignored = {0};
		(void)civil_zone_set(run->ctx.settings->zone, &ignored);
		service_notifyf("READY=1\nSTATUS=The new configuration was refused: %s", err.text);
	} else {
		if (run->role->reload)
			run->role->reload(&run->ctx);
		log_event(LEVEL_NOTICE, "config.reloaded", "role=%s", run->role->name);
		service_notify("READY=1\nSTATUS=Working.");
	}
	run->reloading = false;
}

/* Milliseconds until the next step; 0: at once. */
static int run_pause(const struct run *run, utc_time next)
{
	int64_t ms = POLL_MAX_MS;
	utc_time now = clock_now(&run->ctx.clock);
	if (next <= now)
		ms = 0;
	else if (next - now < POLL_MAX_MS / 1000)
		ms = (next - now) * 1000;
	if (run->pause_ms) {
		int64_t left = run->again_ms - clock_mono_ms(&run->ctx.clock);
		ms = left < 0 ? 0 : left;
	}
	if (run->watchdog_usec && ms > (int64_t)(run->watchdog_usec / 3000))
		ms = (int64_t)(run->watchdog_usec / 3000);
	return (int)ms;
}

/* Who goes on sleeping gives back what the last steps have read: one look through the register fills 16 MiB, which every role would keep until it ends. */
static int run_poll(struct run *run, struct pollfd *poll_fd, nfds_t count, int pause)
{
	int ready = poll(poll_fd, count, pause < REST_MS ? pause : REST_MS);
	if (ready != 0 || pause <= REST_MS)
		return ready;
	store_rest(run->ctx.office.store);
	heap_give_back();
	return poll(poll_fd, count, pause - REST_MS);
}

/* Sleeps until something happens. Returns whether the role itself was woken; RC_CONFIG: the zygote is gone. */
static enum rc run_wait(struct run *run, utc_time next, bool *woken, struct err *err)
{
	struct pollfd poll_fd[FIXED + WATCH_MAX] = {
		{.fd = run->signals, .events = POLLIN},
		{.fd = run->wake, .events = POLLIN},
		{.fd = run->ctx.zygote.reader, .events = 0},
		{.fd = run->ctx.zygote.line, .events = 0},
	};
	int watched[WATCH_MAX], count = 0;
	nfds_t total = FIXED;
	/* While a pause after an error lasts, only signals are heard. */
	if (run->role->watch && !run->pause_ms)
		count = run->role->watch(&run->ctx, watched, WATCH_MAX);
	for (int i = 0; i < count; i++)
		poll_fd[total++] = (struct pollfd){.fd = watched[i], .events = POLLIN};
	*woken = false;
	int ready = run_poll(run, poll_fd, total, run_pause(run, next));
	if (ready <= 0)
		return RC_OK;
	run_signals(run);
	if (poll_fd[2].revents || poll_fd[3].revents)
		return err_set(err, RC_CONFIG, "The process that starts children died.");
	char drained[64];
	while (recv(run->wake, drained, sizeof drained, MSG_DONTWAIT) >= 0)
		*woken = true;
	for (nfds_t i = FIXED; i < total; i++)
		if (poll_fd[i].revents)
			*woken = true;
	return RC_OK;
}

/* A share that was mounted anew is another one: only a role that starts anew reaches it. */
static enum rc run_places(struct run *run, struct err *err)
{
	const char *lost = confine_keeps_writers() ? confine_place_lost(&run->ctx.places) : NULL;
	if (!lost)
		return RC_OK;
	log_event(LEVEL_NOTICE, "confine.place-lost", "role=%s place=\"%s\"", run->role->name, lost);
	return err_set(
		err, RC_STORE, "%s is another directory than at the start; the role starts anew.", lost);
}

/* The lock's time of change: sengenctl health reads it. Not in the register: that would be a write a role every few seconds. */
static enum rc run_sign(struct run *run, int64_t mono, struct err *err)
{
	if (run->signed_ms && mono - run->signed_ms < 1000 * HEALTH_SIGN_SECONDS)
		return RC_OK;
	run->signed_ms = mono;
	(void)futimens(run->lock, NULL);
	return run_places(run, err);
}

static enum rc run_loop(struct run *run, struct err *err)
{
	utc_time next = 0;
	bool woken = true;
	while (!run->stopping) {
		if (run->reloading)
			run_reload(run);
		if (run->watchdog_usec)
			service_notify("WATCHDOG=1");
		utc_time now = clock_now(&run->ctx.clock);
		int64_t mono = clock_mono_ms(&run->ctx.clock);
		enum rc rc = run_sign(run, mono, err);
		if (rc)
			return rc;
		bool wanted = woken || next <= now || mono - run->stepped_ms >= STEP_MAX_MS;
		if (run->pause_ms ? mono >= run->again_ms : wanted) {
			struct err fault = {0};
			next = UTC_NEVER;
			run->stepped_ms = mono;
			if (run->role->step(&run->ctx, now, &next, &fault))
				run_fault(run, &fault);
			else
				run_well(run);
		}
		rc = run_wait(run, next, &woken, err);
		if (rc)
			return rc;
	}
	return RC_OK;
}

/* A predecessor that was told to stop may need its minute. */
static enum rc run_lock(struct run *run, struct err *err)
{
	int64_t deadline = clock_machine_ms() + LOCK_MS;
	for (;;) {
		enum rc rc = role_lock(run->ctx.settings, run->role->name, &run->lock, err);
		if (rc != RC_REFUSED || clock_machine_ms() > deadline)
			return rc;
		service_notify(
			"EXTEND_TIMEOUT_USEC=2000000\nSTATUS=Waiting for the process that runs this role.");
		(void)poll(&(struct pollfd){.fd = run->signals, .events = POLLIN}, 1, 250);
		run_signals(run);
		if (run->stopping)
			return rc;
	}
}

static enum rc run_signals_open(struct run *run, struct err *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
		run->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals < 0)
		return err_set(err, RC_CONFIG, "Signals can't be received: %s.", errno_text(errno));
	return RC_OK;
}

static enum rc run_open(struct run *run, struct err *err)
{
	struct str path = STR_INIT;
	enum rc rc = role_prepare_one(&run->ctx, run->role, run->config, err);
	rc = rc ? rc : run_signals_open(run, err);
	rc = rc ? rc : run_lock(run, err);
	rc = rc ? rc : role_confine(&run->ctx.places, confined_role(run->role->name), run->ctx.settings, err);
	rc = rc ? rc : role_open(&run->ctx, run->role->wants_dkim, run->role->writes, err);
	if (!rc && run->role->keeps_kib)
		store_keep(run->ctx.office.store, run->role->keeps_kib);
	if (!rc) {
		runtime_path(&path, run->ctx.settings, run->role->name, ".wake");
		rc = local_receive_at(&run->wake, path.s, 0660, err);
		str_free(&path);
	}
	rc = rc ? rc : run->role->start(&run->ctx, err);
	return rc;
}

enum rc role_run(
	const struct role *role, const char *config, struct settings *settings, struct rulebook *rules)
{
	struct run run = {.role = role, .config = config, .signals = -1, .wake = -1, .lock = -1};
	struct err err = {0};
	run.ctx.clock = clock_system();
	run.ctx.rng = rng_system();
	run.ctx.zygote = ZYGOTE_NONE;
	run.ctx.settings = settings;
	run.ctx.rules = rules;
	char name[64];
	(void)snprintf(name, sizeof name, "sengend[%s]", role->name);
	log_program(name);

	enum rc rc = run_open(&run, &err);
	if (!rc) {
		run.watchdog_usec = service_watchdog_usec();
		log_event(LEVEL_NOTICE, "role.ready", "role=%s version=%s", role->name, SENGEN_VERSION);
		service_notify("READY=1\nSTATUS=Working.");
		rc = run_loop(&run, &err);
		service_notify("STOPPING=1\nSTATUS=Stopping.");
		role->stop(&run.ctx, clock_mono_ms(&run.ctx.clock) + STOP_MS);
	}
	if (rc && !run.stopping)
		log_event(LEVEL_FAULT, "role.failed", "role=%s rc=%s reason=\"%s\"", role->name, rc_name(rc),
			err.text);
	else
		log_event(LEVEL_NOTICE, "role.stopped", "role=%s", role->name);
	role_close(&run.ctx);
	return run.stopping ? RC_OK : rc;
}
