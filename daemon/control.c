#include "daemon/control_p.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/local.h"
#include "lib/base/log.h"

#define CLIENTS_MAX 32
#define IDLE_MS 300000
#define OUT_MAX 262144 /* bytes of answers not read: the client is not read from */
#define STEP_MS 100
#define GROUPS_MAX 1024 /* of one person; who is in more has the rights of his own group alone */

struct client {
	int fd; /* -1: free */
	struct control_peer peer;
	struct str in, out;
	size_t out_sent;
	bool ended; /* sends nothing more */
	bool waits_to_write; /* registered for EPOLLOUT */
	int64_t heard_ms;
	struct control_import import;
};

struct control {
	int listener, epoll;
	char *path; /* owned */
	struct client client[CLIENTS_MAX];
};

/* ---- who is there ---- */

/* The groups of whoever is at the other end, his own first. Returns their number. */
static int peer_groups(int fd, gid_t own, gid_t *list, int max)
{
	socklen_t size = (socklen_t)((size_t)(max - 1) * sizeof *list);
	list[0] = own;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, list + 1, &size) != 0)
		return 1;
	return 1 + (int)(size / sizeof *list);
}

static bool know_peer(int fd, const struct settings *settings, struct control_peer *out)
{
	struct ucred peer;
	socklen_t len = sizeof peer;
	gid_t groups[GROUPS_MAX];
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	const struct passwd *user = getpwuid(peer.uid);
	out->uid = peer.uid;
	(void)snprintf(out->actor, sizeof out->actor, "staff:%u(%.64s)", (unsigned)peer.uid,
		user && user->pw_name ? user->pw_name : "?");
	out->right = office_right(settings, peer.uid, groups, peer_groups(fd, peer.gid, groups, GROUPS_MAX));
	return out->right >= RIGHT_READ;
}

/* ---- clients ---- */

static void client_close(struct client *client)
{
	if (client->fd >= 0)
		(void)close(client->fd); /* leaves the epoll set by itself */
	control_import_drop(&client->import);
	str_free(&client->in);
	str_free(&client->out);
	*client = (struct client){.fd = -1, .in = STR_INIT, .out = STR_INIT};
}

static int connections_of(const struct control *control, uid_t uid)
{
	int count = 0;
	for (int i = 0; i < CLIENTS_MAX; i++)
		count += control->client[i].fd >= 0 && control->client[i].peer.uid == uid;
	return count;
}

static bool is_at_work(const struct client *client)
{
	return client->import.running || client->in.len > 0 || client->out.len > client->out_sent;
}

/* Who makes room first: a connection of whoever has the most, there one without work, there the one that has been silent longest. */
static bool goes_before(const struct control *control, const struct client *a, const struct client *b)
{
	int of_a = connections_of(control, a->peer.uid), of_b = connections_of(control, b->peer.uid);
	if (of_a != of_b)
		return of_a > of_b;
	if (is_at_work(a) != is_at_work(b))
		return !is_at_work(a);
	return a->heard_ms < b->heard_ms;
}

static struct client *free_client(struct control *control)
{
	struct client *first = NULL;
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->client[i];
		if (client->fd < 0)
			return client;
		if (!first || goes_before(control, client, first))
			first = client;
	}
	log_event(LEVEL_NOTICE, "control.crowded", "connections=%d actor=\"%.*s\"", CLIENTS_MAX,
		ACTOR_UID(first->peer.actor));
	client_close(first);
	return first;
}

static void turn_away(int fd, const struct settings *settings, const struct control_peer *peer)
{
	struct str line = STR_INIT;
	control_answer_line(&line, control_refuse_right(settings, peer, RIGHT_READ));
	(void)send(fd, line.s, line.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	log_event(LEVEL_NOTICE, "control.refused", "actor=\"%.*s\"", ACTOR_UID(peer->actor));
	str_free(&line);
	(void)close(fd);
}

static void accept_clients(struct role_context *ctx, struct control *control)
{
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct control_peer peer = {.right = RIGHT_NONE};
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		if (!know_peer(fd, ctx->settings, &peer)) {
			turn_away(fd, ctx->settings, &peer);
			continue;
		}
		struct client *client = free_client(control);
		client->fd = fd;
		client->heard_ms = clock_machine_ms();
		client->peer = peer;
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
		if (epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event) != 0)
			client_close(client);
	}
}

static void client_listen_for(struct control *control, struct client *client)
{
	bool write_wanted = client->out.len > client->out_sent;
	bool read_wanted = !client->ended && client->out.len - client->out_sent < OUT_MAX;
	struct epoll_event event = {
		.events = (read_wanted ? EPOLLIN : 0u) | (write_wanted ? EPOLLOUT : 0u), .data.ptr = client};
	(void)epoll_ctl(control->epoll, EPOLL_CTL_MOD, client->fd, &event);
}

static bool client_write(struct client *client)
{
	while (client->out_sent < client->out.len) {
		ssize_t n = send(client->fd, client->out.s + client->out_sent,
			client->out.len - client->out_sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		client->out_sent += (size_t)n;
	}
	str_clear(&client->out);
	client->out_sent = 0;
	return true;
}

static bool client_read(struct client *client)
{
	char buffer[16384];
	while (client->in.len <= CONTROL_LINE_MAX) {
		ssize_t n = recv(client->fd, buffer, sizeof buffer, MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0) {
			client->ended = true;
			return true;
		}
		client->heard_ms = clock_machine_ms();
		str_add(&client->in, buffer, (size_t)n);
	}
	return true;
}

/* Carries out whole lines until the time is up. Returns false when the client must go; *more: lines are left. */
static bool client_work(struct role_context *ctx, struct client *client, int64_t until, bool *more)
{
	size_t at = 0;
	bool good = true;
	while (client->out.len - client->out_sent < OUT_MAX) {
		const char *end = memchr(client->in.s + at, '\n', client->in.len - at);
		if (!end) {
			good = client->in.len - at <= CONTROL_LINE_MAX;
			break;
		}
		if (clock_machine_ms() >= until) {
			*more = true;
			break;
		}
		size_t len = (size_t)(end - (client->in.s + at));
		if (len > CONTROL_LINE_MAX) {
			good = false;
			break;
		}
		if (len > 0)
			control_request(
				ctx, &client->import, &client->peer, client->in.s + at, len, &client->out);
		at += len + 1;
	}
	if (at) {
		struct str rest = STR_INIT;
		str_add(&rest, client->in.s + at, client->in.len - at);
		str_free(&client->in);
		client->in = rest;
	}
	return good;
}

/* Returns whether lines are left to carry out. */
static bool client_serve(
	struct role_context *ctx, struct control *control, struct client *client, int64_t until)
{
	bool more = false;
	bool good = client->ended || client->out.len - client->out_sent >= OUT_MAX || client_read(client);
	good = good && client_work(ctx, client, until, &more);
	good = client_write(client) && good;
	if (!good || (client->ended && !more && client->out.len == 0)) {
		client_close(client);
		return false;
	}
	client_listen_for(control, client);
	return more;
}

/* ---- the role ---- */

static enum rc control_start(struct role_context *ctx, struct err *err)
{
	struct control *control = xcalloc(1, sizeof *control);
	struct str path = STR_INIT;
	ctx->state = control;
	control->listener = -1;
	for (int i = 0; i < CLIENTS_MAX; i++)
		control->client[i] = (struct client){.fd = -1, .in = STR_INIT, .out = STR_INIT};
	path_join(&path, ctx->settings->runtime_directory, "control.sock");
	control->path = str_take(&path);
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	enum rc rc = local_listen(&control->listener, control->path, 0660, err);
	if (rc)
		return rc;
	/* Without the right to give it away the socket stays with the daemon's own group. */
	const struct group *group = getgrnam(ctx->settings->rights.read);
	struct stat st;
	bool given = group && stat(control->path, &st) == 0 && st.st_gid == group->gr_gid;
	if (group && !given && chown(control->path, (uid_t)-1, group->gr_gid) != 0)
		log_event(LEVEL_NOTICE, "control.group", "reason=\"%s\"", errno_text(errno));
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
	if (control->epoll < 0 || epoll_ctl(control->epoll, EPOLL_CTL_ADD, control->listener, &event) != 0)
		return err_set(err, RC_CONFIG, "%s can't be watched: %s.", control->path, errno_text(errno));
	return RC_OK;
}

static enum rc control_step(struct role_context *ctx, utc_time now, utc_time *next, struct err *err)
{
	(void)err;
	struct control *control = ctx->state;
	int64_t mono = clock_machine_ms();
	bool more = false;
	accept_clients(ctx, control);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->client[i];
		if (client->fd < 0)
			continue;
		if (mono - client->heard_ms > IDLE_MS)
			client_close(client);
		else /* each its own piece of time: an import must not make the others wait */
			more |= client_serve(ctx, control, client, clock_machine_ms() + STEP_MS / 4);
	}
	*next = more ? now : now + IDLE_MS / 1000;
	return RC_OK;
}

static void control_stop(struct role_context *ctx, int64_t deadline_ms)
{
	(void)deadline_ms; /* every line read was carried out and answered in its step */
	struct control *control = ctx->state;
	for (int i = 0; i < CLIENTS_MAX; i++)
		client_close(&control->client[i]);
	(void)close(control->listener);
	(void)close(control->epoll);
	(void)unlink(control->path);
	free(control->path);
	free(control);
	ctx->state = NULL;
}

static int control_watch(struct role_context *ctx, int *fd, int max)
{
	const struct control *control = ctx->state;
	if (max < 1)
		return 0;
	fd[0] = control->epoll;
	return 1;
}

const struct role role_control = {
	.name = "control",
	.writes = true,
	.start = control_start,
	.step = control_step,
	.stop = control_stop,
	.watch = control_watch,
};
